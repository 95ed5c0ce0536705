"""Pictures of circuits: labels that keep apart, numbers that can be read back, names that come out as text."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

import symbackprop as sbp
from symbackprop.present.document.pdf import compiled
from symbackprop.present.rounding import Rounding
from symbackprop.present.scene import boxes
from symbackprop.present.scene.circuit import word
from symbackprop.present.scene.dot import dot
from symbackprop.present.scene.layout import NODE_GAP, PASS_GAP, layered
from symbackprop.present.scene.records import Edge, Label, Mark, Node, Scene, Words
from symbackprop.present.scene.svg import SCALE, svg
from symbackprop.present.scene.text import text

SVG = "{http://www.w3.org/2000/svg}"
NASTY = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "a & b", "]]>", "\\input{x}", "$x$", "x\x00y", "é\u202ey", 'q"\\n')

CIRCUITS = {
    "sum times z": ("(x + y) * z", {}, {"x": -2, "y": 5, "z": -4}),
    "neuron": ("1/(1 + exp(-(w0*x0 + w1*x1 + w2)))", {}, {"w0": 2, "w1": -3, "w2": -3, "x0": -1, "x1": -2}),
    "branch": ("c = a + b; d = b + 1; e = c*d", {}, {"a": 2, "b": 1}),
    "patterns": ("(x*y + max(z, x)) * 2", {"patterns": True}, {"x": 3, "y": -4, "z": 2}),
    "local": ("c = a + b; d = b + 1; e = c*d", {"local": True}, {"a": 2, "b": 1}),
    "both": ("(x + y) * z", {"local": True, "gradients": True}, {"x": -2, "y": 5, "z": -4}),
    "square": ("x*x - 2*x", {}, {"x": 3}),
    "long numbers": ("x*y + 1/(x - y)", {"rounding": Rounding(digits=9)}, {"x": 1 / 3, "y": -1e-7}),
    "wide": ("a*b + c*d + e1*g + h*i", {}, dict.fromkeys(("a", "b", "c", "d", "e1", "g", "h", "i"), -1.5)),
    "functions": ("max(0, tanh(x)) + sqrt(y)**3 - abs(x)/2 + log(y**x)", {"patterns": True}, {"x": 0.5, "y": 2}),
}


def scene_of(case: str) -> Scene:
    expression, options, values = CIRCUITS[case]
    return sbp.Graph("f", expression).backward(values).scene(**options)


def labels(page: str) -> list[str]:
    """The written labels of an SVG, scripts marked as in plain labels are not: W11 for W_11."""
    return ["".join(t.itertext()) for t in ET.fromstring(page).iter(f"{SVG}text")]


@pytest.mark.parametrize("case", CIRCUITS)
@pytest.mark.deck("P1", "P2", "P4")
def test_labels_touch_nothing(case):
    scene = scene_of(case)
    assert boxes.overlaps(scene) == ()
    assert boxes.crossings(scene) == ()


@pytest.mark.parametrize("case", CIRCUITS)
def test_numbers_in_the_svg_are_those_of_the_run(case):
    """Every printed number, read back, is a value, a product, a sum or a local gradient of the run, rounded once."""
    expression, options, values = CIRCUITS[case]
    r = sbp.Graph("f", expression).backward(values)
    shown = [t.replace("\N{MINUS SIGN}", "-") for t in labels(svg(r.scene(**options)))]
    rounding = options.get("rounding", Rounding())
    scene = r.scene(**options)
    made = [m.label.plain for e in scene.edges for m in e.marks]
    assert sorted(t for t in shown if t in set(made)) == sorted(m for m in made if m in set(shown))
    known = [*r.values.values(), *(s.product for s in r.steps), 1.0]
    for mark in (m for e in scene.edges for m in e.marks if m.role in ("value", "gradient")):
        number = float(mark.label.plain)
        digits = rounding.digits
        assert any(abs(number - v) <= 0.5 * 10.0 ** (1 - digits) * abs(v) * 1.0001 for v in known), mark


def test_labels_of_random_circuits_touch_nothing(seed):
    rng = random.Random(seed)
    for _ in range(12):
        names = ["a", "b", "c", "x1"]
        statements = []
        for k in range(rng.randrange(2, 6)):
            left, right = rng.choice(names), rng.choice(names)
            statements.append(f"s{k} = {left} {rng.choice('+-*')} {rng.choice(('exp(%s)', '%s', '(%s + 1)')) % right}")
            names.append(f"s{k}")
        g = sbp.Graph("f", "; ".join(statements))
        scene = g.backward({n: rng.uniform(-2, 2) for n in g.inputs}).scene()
        assert boxes.overlaps(scene) == (), "; ".join(statements)


def test_boxes_know_when_things_touch():
    """Overlaps are planted: each must be found, and none where things stand apart."""
    left, right = Node("a", Label("a"), 0, 0), Node("b", Label("b"), 4, 0)
    far = Edge("a", "b", (Mark(Label("1"), "above", 0.3), Mark(Label("2"), "below", 0.3)))
    assert boxes.overlaps(Scene("apart", (left, right), (far,))) == ()
    assert boxes.crossings(Scene("apart", (left, right), (far,))) == ()
    planted = {
        "two nodes": Scene("s", (left, Node("b", Label("b"), 0.5, 0))),
        "two labels": Scene("s", (left, right), (Edge("a", "b", (Mark(Label("1.234"), at=0.5), Mark(Label("5.678"), at=0.52))),)),
        "a label and a node": Scene("s", (left, right), (Edge("a", "b", (Mark(Label("a long label"), at=0.05),)),)),
        "words and a node": Scene("s", (left,), (), (Words(Label("words"), 0.3, 0.2),)),
    }
    for name, scene in planted.items():
        assert len(boxes.overlaps(scene)) == 1, name
    through = Scene("s", (left, right, Node("c", Label("c"), 2, 0)), (Edge("a", "b"),))
    assert boxes.crossings(through) == ("the edge from a to b runs through node c",)


def test_above_is_above_and_below_is_below():
    for ends in (((0, 0), (4, 0)), ((0, 0), (4, 2)), ((0, 2), (4, 0))):
        points = tuple((float(x), float(y)) for x, y in ends)
        above, below = (boxes.mark_centre(points, Mark(Label("0.5"), side)) for side in ("above", "below"))
        assert above[1] > below[1]
        assert boxes.mark_centre(points, Mark(Label("0.5"), "on")) == pytest.approx(
            ((points[0][0] + points[1][0]) / 2, (points[0][1] + points[1][1]) / 2)
        )


def test_labels_come_apart_into_scripts():
    assert [(r.text, r.script) for r in boxes.runs("a_1^(2) + W_{i,j}")] == [
        ("a", 0),
        ("1", -1),
        ("(2)", 1),
        (" + W", 0),
        ("i,j", -1),
    ]
    assert boxes.runs("_") and boxes.runs("^") and boxes.runs("") == ()


@pytest.mark.parametrize(
    ("name", "plain", "latex"),
    [
        ("x", "x", "x"),
        ("x1", "x_1", "x_1"),
        ("w_12", "w_12", "w_{12}"),
        ("W1_12", "W_12^(1)", "W_{12}^{(1)}"),
        ("alpha", "α", r"\alpha"),
        ("x_max", "x_max", r"x_{\mathrm{max}}"),
        ("my_own_name", "my_{own_name}", r"\mathrm{my\_own\_name}"),
        ("_a", "__a", r"\mathrm{\_a}"),
    ],
)
def test_names_of_nodes_as_labels(name, plain, latex):
    assert (word(name).plain, word(name).latex) == (plain, latex)


def test_layout_keeps_its_distances(seed):
    rng = random.Random(seed)
    for _ in range(20):
        nodes = [f"n{k}" for k in range(rng.randrange(2, 14))]
        edges = [(nodes[rng.randrange(k)], nodes[k]) for k in range(1, len(nodes)) for _ in range(rng.randrange(3))]
        made = layered(nodes, edges)
        assert all(made.columns[a] < made.columns[b] for a, b in edges)
        for column in set(made.columns.values()):
            heights = sorted(made.at[n][1] for n in nodes if made.columns[n] == column)
            assert all(high - low >= NODE_GAP - 1e-3 for low, high in pairwise(heights))
        assert [len(v) for v in made.via] == [made.columns[b] - made.columns[a] - 1 for a, b in edges]
        assert PASS_GAP < NODE_GAP
        assert made == layered(nodes, edges), "the layout is not deterministic"


def test_the_layout_of_a_planar_circuit_has_no_crossing():
    made = layered(["a", "b", "c", "d", "s", "t", "f"], [("a", "t"), ("b", "s"), ("c", "t"), ("d", "s"), ("s", "f"), ("t", "f")])
    order = sorted("abcd", key=lambda n: made.at[n][1])
    sides = [{"a": "t", "b": "s", "c": "t", "d": "s"}[n] for n in order]
    assert sides in (["s", "s", "t", "t"], ["t", "t", "s", "s"])


@pytest.mark.parametrize("nasty", NASTY)
def test_strings_are_written_as_text(nasty, require_tool):
    scene = Scene(
        nasty,
        (Node("a", Label(nasty), 0, 0, title=nasty), Node("b", Label("b", "b"), 4, 0)),
        (Edge("a", "b", (Mark(Label(nasty)),)),),
        (Words(Label(nasty), 2, 3),),
    )
    page = svg(scene)
    tree = ET.fromstring(page)
    assert {e.tag.removeprefix(SVG) for e in tree.iter()} <= {
        "svg",
        "title",
        "desc",
        "rect",
        "polyline",
        "polygon",
        "ellipse",
        "g",
        "text",
        "tspan",
    }
    assert not [a for e in tree.iter() for a in e.attrib if a.startswith("on") or a.endswith("href")]
    wanted = "".join(c if c.isprintable() else " " for c in nasty)
    assert tree.find(f"{SVG}title").text == wanted
    assert dot(scene).count("\n") == dot(Scene("t", (*scene.nodes[1:], Node("a", Label("x"), 0, 0)), scene.edges, scene.words)).count("\n")
    text(scene)
    require_tool("dot")
    done = subprocess.run([shutil.which("dot"), "-Tplain"], input=dot(scene), capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("case", CIRCUITS)
def test_svg_stands_alone(case):
    page = svg(scene_of(case))
    tree = ET.fromstring(page)
    assert tree.get("role") == "img" and tree.get("aria-label") and tree.find(f"{SVG}title") is not None and tree.find(f"{SVG}desc").text
    assert not re.search(r"(?:href|src|url\(|@import|<style|<script|<image|<use)", page)
    width, height = float(tree.get("width")), float(tree.get("height"))
    for box in boxes.label_boxes(scene_of(case)):
        assert (box.right - box.left) * SCALE < width and (box.top - box.bottom) * SCALE < height
    assert svg(scene_of(case)) == page


def test_text_drawing():
    assert scene_of("sum times z") and text(scene_of("sum times z")) == (
        "Graph of f: values and gradients\n"
        "f\n"
        "└─ [×]   value -12, gradient 1\n"
        "   ├─ [+]   value 3, gradient -4\n"
        "   │  ├─ x   value -2, gradient -4\n"
        "   │  └─ y   value 5, gradient -4\n"
        "   └─ z   value -4, gradient 3\n"
    )
    assert "gradient" not in text(scene_of("sum times z"), 0).split("\n", 1)[1]
    deep = sbp.Graph("f", "; ".join(f"h{k} = {'x' if k == 1 else f'h{k - 1}'}*2" for k in range(1, 390))).scene()
    assert text(deep).count("[×2]") == 389


def test_a_node_with_several_readers_is_written_out_once():
    drawn = sbp.Graph("f", "h = a*b; f = h*h + exp(h)").backward(a=1, b=2).text()
    assert drawn.count("as above") == 2 and drawn.count(" a ") == 1


def test_too_many_gates_for_a_picture():
    g = sbp.Graph("f", "; ".join(f"h{k} = {'x' if k == 1 else f'h{k - 1}'}*2" for k in range(1, 500)))
    with pytest.raises(sbp.DeclarationError, match="a picture holds"):
        g.scene()


def test_files(tmp_path, require_tool):
    r = sbp.Graph("f", "(x + y) * z").backward(x=-2, y=5, z=-4)
    for name in ("a.svg", "a.tex", "a.dot", "a.txt"):
        assert r.graph.draw(tmp_path / name, r) == (tmp_path / name,)
        assert (tmp_path / name).read_text(encoding="utf-8")
    assert (tmp_path / "a.tex").read_text(encoding="utf-8").count(r"\onslide<") == 5
    assert r"\onslide" not in r.draw(tmp_path / "b.tex", frames=False)[0].read_text(encoding="utf-8")
    for bad in ("a.gif", "a", "a.svg.exe"):
        with pytest.raises(sbp.DeclarationError, match="the ending must be one of"):
            r.draw(tmp_path / bad)
    with pytest.raises(sbp.OutputError):
        r.draw(tmp_path / "missing" / "a.svg")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.dot", "a.svg", "a.tex", "a.txt", "b.tex"]
    require_tool("pdflatex")
    assert r.draw(tmp_path / "a.pdf")[0].read_bytes().startswith(b"%PDF")
    require_tool("pdftoppm")
    assert r.draw(tmp_path / "a.png")[0].read_bytes().startswith(b"\x89PNG")


def test_display():
    g = sbp.Graph("f", "(x + y) * z")
    r = g.backward(x=-2, y=5, z=-4)
    assert repr(g) == "Graph f(x, y, z): 2 gates, 4 edges"
    assert repr(r) == "Graph f(x=-2, y=5, z=-4) = -12"
    for shown in (g, r):
        ET.fromstring(shown._repr_svg_())
    assert g._repr_latex_() == "$$\\begin{aligned}\nq_1 &= x + y \\\\\nf &= q_1 z\n\\end{aligned}$$"
    assert "<td>-12</td>" in r._repr_html_()


@pytest.mark.deck("P15")
def test_a_tex_file_builds_up_in_beamer_and_stands_whole_elsewhere(tmp_path, require_tool):
    require_tool("pdflatex")
    r = sbp.Graph("f", "(x + y) * z").backward(x=-2, y=5, z=-4)
    picture = r.draw(tmp_path / "graph.tex")[0].read_text(encoding="utf-8")
    article = rf"\documentclass{{article}}\usepackage{{tikz}}\begin{{document}}{picture}\end{{document}}"
    slides = rf"\documentclass{{beamer}}\usepackage{{tikz}}\begin{{document}}\begin{{frame}}{picture}\end{{frame}}\end{{document}}"
    require_tool("pdfinfo")
    # The forward pass, the gradient 1, four edges.
    for document, count in ((article, 1), (slides, 6)):
        (tmp_path / "made.pdf").write_bytes(compiled(document).data)
        said = subprocess.run([shutil.which("pdfinfo"), tmp_path / "made.pdf"], capture_output=True, text=True, check=True).stdout
        assert int(re.search(r"Pages:\s+(\d+)", said)[1]) == count
    assert r.scene().last_step == 5


def test_notes_of_a_circuit_say_it_all():
    r = sbp.Graph("e", "c = a + b; d = max(b, a); e = c*d").backward(a=2, b=1)
    blocks = r.blocks()
    kinds = [type(b).__name__ for b in blocks]
    assert kinds == ["Paragraph", "Figure", "Table", "Paragraph", "Enumeration", "Table", "Display", "Display"]
    said = " ".join(part for item in blocks[4].items for part in item)
    assert "a tie goes to the first" in said and "Branches add" in said
    lines = [line.latex for line in blocks[-1].lines]
    assert lines[-1] == r"\frac{\partial e}{\partial b} = 2 + 0 = 2"
