"""Pictures in TeX: they stand where the boxes of labels say, define nothing for others, and compile with TikZ alone."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

import symbackprop as sbp
from symbackprop.present.scene.anatomy import neuron_scene
from symbackprop.present.scene.boxes import paths
from symbackprop.present.scene.network import network_scene
from symbackprop.present.scene.plot import PREAMBLE, pgfplots
from symbackprop.present.scene.records import ROLES, SHAPES, Edge, Label, Mark, Node, Scene, Words
from symbackprop.present.scene.style import STYLES
from symbackprop.present.scene.tikz import tikz
from symbackprop.public.pictures import activation_chart, convolution_scene, landscape_chart

NASTY = r"\input{/etc/passwd} $x$ & # % _ ^ ~ { } < > “ü∘"


def steps():
    """A picture with every role, every shape, marks on every side, and something new on every step."""
    nodes = tuple(
        Node(f"n{k}", Label(f"x_{k}", f"x_{{{k}}}"), 1.8 * (k % 7), -1.8 * (k // 7), SHAPES[k % len(SHAPES)], role=role, step=k % 3)
        for k, role in enumerate(ROLES)
    )
    marks = (Mark(Label("−2", "-2"), role="value"), Mark(Label("-4"), "below", role="gradient", step=2), Mark(Label("w", "w"), "on", 0.3))
    edges = tuple(
        Edge(f"n{k}", f"n{k + 1}", marks if k == 0 else (), ((1.8 * k + 0.9, 0.9),) if k == 3 else (), k != 2, role, k == 4)
        for k, role in enumerate(ROLES[:6])
    )
    return Scene("all of it", nodes, edges, (Words(Label(NASTY), 0.0, -3.5, "west"),))


def compiled(tmp_path, text, name="page"):
    """Run pdflatex as the notes do: no shell, no files from elsewhere; return its log."""
    (tmp_path / f"{name}.tex").write_text(text, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", f"{name}.tex"]
    env = {**os.environ, "openin_any": "p", "openout_any": "p"}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=120, env=env)
    assert done.returncode == 0, done.stdout[-2000:]
    return done.stdout


def test_every_role_has_a_style_that_is_not_colour_alone():
    assert set(STYLES) == set(ROLES)
    # What meets in one picture without a place or a shape of its own differs in line or letter too.
    for a, b in (("value", "gradient"), ("hidden", "output"), ("hidden", "bias"), ("highlight", "muted"), ("plain", "highlight")):
        one, other = STYLES[a], STYLES[b]
        assert (one.width, one.dash, one.slanted, one.bold) != (other.width, other.dash, other.slanted, other.bold)


def test_everything_that_is_defined_is_local():
    text = tikz(steps())
    assert text.startswith(r"\begin{tikzpicture}[")
    assert text.endswith("\\end{tikzpicture}\n")
    assert set(re.findall(r"\\([a-zA-Z]+)", text)) <= {
        *("begin", "end", "definecolor", "path", "node", "draw", "fontsize", "selectfont", "itshape", "bfseries"),
        *("textbackslash", "textasciicircum", "textasciitilde", "textless", "textgreater", "ensuremath", "circ"),
    }
    assert text.isascii()
    assert r"\textbackslash{}input\{" in text


def test_edges_and_labels_stand_where_the_record_says():
    scene = steps()
    text = tikz(scene)
    for n in scene.nodes:
        assert re.search(rf"\({n.id}\) at \({n.x + 0.0:g},{n.y + 0.0:g}\)", text)
    assert len(re.findall(r"\\draw\[", text)) == len(scene.edges)
    assert text.count("->") == sum(e.arrow for e in scene.edges)
    for edge, _ in paths(scene):
        assert f"({edge.source}) -- " in text


def test_frames_have_one_size_and_show_what_is_there():
    scene = steps()
    for step in range(3):
        text = tikz(scene, step)
        assert len(re.findall(r"\) at \(", text)) == sum(n.step <= step for n in scene.nodes)
        # The first line of each picture fixes its size.
        assert re.search(r"\\path .*;", text)[0] == re.search(r"\\path .*;", tikz(scene))[0]


def test_overlays_say_on_which_slide_a_thing_appears():
    scene = steps()
    text = tikz(scene, overlays=True)
    later = [*scene.nodes, *scene.edges, *(m for e in scene.edges for m in e.marks), *scene.words]
    assert text.count(r"\onslide<2->") == sum(x.step == 1 for x in later)
    assert text.count(r"\onslide<3->") == sum(x.step == 2 for x in later)
    assert re.sub(r"\\onslide<\d->\{(.*)\}(?=\n)", r"\1", text) == tikz(scene)


def test_same_scene_same_text():
    assert tikz(steps()) == tikz(steps())


def pictures():
    net = sbp.Sequential(
        [sbp.Input(3), sbp.Dense(3, activation="sigmoid"), sbp.Dense(2, activation="relu")], loss="half_squared_error"
    ).model(per="sample")
    neuron = sbp.Sequential([sbp.Input(3), sbp.Dense(1, activation="relu")]).model(per="sample")
    return {
        "all": steps(),
        "P5": network_scene(net),
        "P5 folded": network_scene(net, "ng"),
        "P6": network_scene(net, "tuwien", "boxes", activation_layer="own", loss=True),
        "P9": network_scene(net, highlight="dense_1.W[1,3]", frames=True),
        "P10": neuron_scene(neuron, style="cell"),
        "P14": convolution_scene([[0, 1], [1, 0.25]], [[1, 2, 3], [4, 5, 6], [7, 8, -9]]),
    }


def test_pictures_compile_with_tikz_alone(require_tool, tmp_path):
    """One page each, no package but tikz; letters of 10 pt lie within 21 cm, or TeX would say overfull."""
    require_tool("pdflatex")
    body = "\n\\newpage\n".join(tikz(scene) for scene in pictures().values())
    fonts = r"\usepackage[T1]{fontenc}\usepackage{lmodern}\usepackage{tikz}"
    head = rf"\documentclass{{article}}{fonts}\textwidth=21cm\oddsidemargin=-2cm\begin{{document}}\noindent "
    log = compiled(tmp_path, f"{head}\n{body}\n\\end{{document}}\n")
    assert "Overfull" not in log
    assert "Warning: Font" not in log
    assert f"({len(pictures())} pages" in log


def test_overlays_make_slides(require_tool, tmp_path):
    require_tool("pdflatex")
    scene = pictures()["P9"]
    frame = rf"\begin{{frame}}\resizebox{{\linewidth}}{{!}}{{{tikz(scene, overlays=True)}}}\end{{frame}}"
    log = compiled(tmp_path, rf"\documentclass{{beamer}}\usepackage{{lmodern}}\usepackage{{tikz}}\begin{{document}}{frame}\end{{document}}")
    assert f"({scene.last_step + 1} pages" in log


@pytest.mark.deck("P11", "P13")
def test_charts_compile(require_tool, tmp_path):
    require_tool("pdflatex")
    charts = (
        activation_chart("relu"),
        activation_chart("sigmoid"),
        landscape_chart("x**2 + 3*y**2", {"x": (-2, 2), "y": (-1, 2)}, way=[{"x": 1, "y": 1}, {"x": 0, "y": 0}], points=15),
    )
    head = "\n".join((r"\documentclass{article}\usepackage[T1]{fontenc}\usepackage{lmodern}", *PREAMBLE, r"\begin{document}\noindent"))
    text = "\n\\newpage\n".join(pgfplots(c) for c in charts)
    log = compiled(tmp_path, f"{head}\n{text}\n\\end{{document}}\n")
    assert "Overfull" not in log
    assert "pgfplots Warning" not in log
    assert "(3 pages" in log
