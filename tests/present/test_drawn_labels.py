"""Labels as a browser and as TeX really draw them, against the room that scenes give them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path

import pytest
from browser import Browser

import symbackprop as sbp
from symbackprop.present.document.pdf import compiled
from symbackprop.present.document.subset import check_latex
from symbackprop.present.rounding import Rounding
from symbackprop.present.scene.boxes import SIZE, extent
from symbackprop.present.scene.gate import gate_scene
from symbackprop.present.scene.records import Label, Scene
from symbackprop.present.scene.svg import SCALE, svg

pytestmark = pytest.mark.deck("P1", "P2", "P3", "P4", "P7")


def scenes() -> dict[str, Scene]:
    net = sbp.Sequential([sbp.Input(2), sbp.Dense(2)], loss="softmax_cross_entropy", name="classifier")
    example = ({"dense_1.W": [[1, 2], [3, -1]], "dense_1.b": [0.5, -0.5]}, [1, -1], 0)
    neuron = sbp.Graph("f", "1/(1 + exp(-(w0*x0 + w1*x1 + w2)))").backward(w0=2, w1=-3, w2=-3, x0=-1, x1=-2)
    branch = sbp.Graph("e", "c = a + b; d = b + 1; e = c*d").backward(a=2, b=1)
    return {
        "sum times z": sbp.Graph("f", "(x + y) * z").backward(x=-2, y=5, z=-4).scene(),
        "neuron": neuron.scene(rounding=Rounding(decimals=2)),
        "branch": branch.scene(),
        "paths": branch.scene(local=True, paths="b"),
        "gate": gate_scene(),
        "patterns": sbp.Graph("f", "(x*y + max(z, x)) * 2").backward(x=3, y=-4, z=2).scene(patterns=True),
        "classifier": sbp.Graph.of(net, example).backward().scene(),
        "names": sbp.Graph("f", "alpha*W1_12 + sqrt(my_own_name)/m_max**M").backward(alpha=1, W1_12=2, my_own_name=3, m_max=4, M=5).scene(),
    }


def labels(scene: Scene) -> list[Label]:
    """Every label of a scene, in the order of the SVG."""
    found = [n.label for n in scene.nodes] + [m.label for e in scene.edges for m in e.marks] + [w.label for w in scene.words]
    return [label for label in found if label.plain]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory, require_tool: Callable[[str], None]) -> Iterator[Browser]:
    require_tool("chromium")
    made = Browser(tmp_path_factory.mktemp("profile"))
    yield made
    made.close()


#: What stands where in a picture: for each label the width that it takes and the rectangle of its letters.
MEASURE = """
Array.from(document.querySelectorAll('svg')).map(s => Array.from(s.querySelectorAll('text')).map(t => {
  const b = t.getBoundingClientRect();
  return [t.textContent, b.width, b.left, b.top + 0.15 * b.height, b.right, b.bottom - 0.15 * b.height];
}))
"""


@pytest.mark.parametrize("font", ["", "'Times New Roman', 'Liberation Serif', 'Nimbus Roman'"])
def test_labels_drawn_by_a_browser_fit_and_do_not_touch(browser: Browser, tmp_path: Path, font: str) -> None:
    """The room is reckoned without fonts; here the fonts that are there say how much they take, with the usual fallback too."""
    pictures = scenes()
    drawn = "".join(svg(s) for s in pictures.values())
    if font:
        drawn = re.sub(r'font-family="[^"]*"', f'font-family="{font}, serif"', drawn)
    page = f'<!DOCTYPE html><html data-rendered="true"><head><meta charset="utf-8"></head><body>{drawn}</body></html>'
    browser.open(page, tmp_path / "page.html")
    measured = browser.value(MEASURE)
    for (name, scene), found in zip(pictures.items(), measured, strict=True):
        known = labels(scene)
        assert len(found) == len(known), name
        for label, (text, width, *_) in zip(known, found, strict=True):
            assert width <= extent(label)[0] * SCALE * 1.02, (name, text, width, extent(label)[0] * SCALE)
        for (a, _, *one), (b, _, *two) in combinations(found, 2):
            apart = one[0] >= two[2] or two[0] >= one[2] or one[1] >= two[3] or two[1] >= one[3]
            assert apart, f"{name}: {a} touches {b}"


def test_labels_drawn_by_tex_fit(require_tool: Callable[[str], None]) -> None:
    """TeX measures each label; a centimetre is 28.45 of its points."""
    require_tool("pdflatex")
    found = list(dict.fromkeys(label for scene in scenes().values() for label in labels(scene) if label.latex))
    rows = "".join(rf"\setbox0\hbox{{${label.latex}$}}\message{{^^Jmeasured {k} \the\wd0}}" + "\n" for k, label in enumerate(found))
    text = rf"\documentclass[10pt]{{article}}\usepackage{{amsmath,lmodern}}\begin{{document}}x {rows}\end{{document}}"
    widths = measured_widths(text)
    assert len(widths) == len(found)
    for label, width in zip(found, widths, strict=True):
        assert width <= extent(label)[0] * 28.4528 * 1.02, (label, width, extent(label)[0] * 28.4528)
    assert abs(SIZE * 28.4528 - 10) < 0.1


def measured_widths(text: str) -> list[float]:
    """Return what TeX says in its log; the text itself is compiled as any document is."""
    import subprocess
    import tempfile

    compiled(text)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "labels.tex").write_text(text, encoding="ascii")
        done = subprocess.run(
            ["pdflatex", "-interaction=nonstopmode", "-no-shell-escape", "labels.tex"], cwd=folder, capture_output=True, check=True
        )
    return [float(w) for w in re.findall(rb"measured \d+ ([0-9.]+)pt", done.stdout)]


def test_labels_stay_within_the_latex_of_documents() -> None:
    for scene in scenes().values():
        for label in labels(scene):
            check_latex(label.latex)
