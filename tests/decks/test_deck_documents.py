"""The decks' notes, built from their scripts: numbers read back from them, statements in them, and TeX and browsers that take them."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from read_back import cells, close, number, results, rows
from rows_table import ROWS, shown

import symbackprop as sbp
from symbackprop.present.document.html import html
from symbackprop.present.document.pdf import compiled
from symbackprop.present.document.tex import tex
from symbackprop.present.scene.boxes import overlaps

SCRIPTS = Path(__file__).parents[2] / "examples" / "decks"
NAMES = ("deck_0_iith", "deck_1_upc", "deck_2_tue", "deck_3_tuwien", "deck_4_ceng")


@cache
def notes(name: str) -> sbp.Document:
    """The document of a script; the long run of deck 4 is made short, its numbers are tested with the worked numbers."""
    sys.path.insert(0, str(SCRIPTS))
    try:
        module = importlib.import_module(name)
        return module.notes(20) if name == "deck_4_ceng" else module.notes()
    finally:
        sys.path.remove(str(SCRIPTS))


def walk(item: Any) -> Iterator[Any]:
    """Everything in a document, in order."""
    yield item
    if isinstance(item, tuple):
        for part in item:
            yield from walk(part)
    elif is_dataclass(item):
        for f in fields(item):
            yield from walk(getattr(item, f.name))


def words(item: Any) -> str:
    """All text in a part of a document, formulas as they are."""
    return " ".join(part if isinstance(part, str) else part.latex for part in walk(item) if isinstance(part, str | sbp.Math))


def section(name: str, title: str) -> sbp.Section:
    return next(s for s in notes(name).sections if s.title == title)


def tables(part: Any) -> list[sbp.Table]:
    return [item for item in walk(part) if isinstance(item, sbp.Table)]


def lines(part: Any) -> tuple[sbp.Line, ...]:
    return tuple(item for item in walk(part) if isinstance(item, sbp.Line))


@pytest.mark.parametrize("name", NAMES)
def test_the_sections_are_those_of_the_script_and_each_footnote_stands_in_its_deck(name):
    document = notes(name)
    titles = {title for row, (script, title) in shown().items() if script == f"{name}.py"}
    assert titles <= {s.title for s in document.sections}
    assert all(s.blocks for s in document.sections)
    rows_ = {row for row, (script, _) in shown().items() if script == f"{name}.py"}
    noted = {found for item in walk(document) if isinstance(item, sbp.Footnote) for found in re.findall(r"^E\d+", item.parts[0])}
    assert noted == {row for row in rows_ if row.startswith("E")}
    deck = f"D{name[5]}"
    assert {row for row in ROWS if row.startswith(f"{deck}.")} <= rows_


@pytest.mark.parametrize("name", NAMES)
def test_labels_of_pictures_keep_apart(name):
    scenes = [item.scene for item in walk(notes(name)) if isinstance(item, sbp.Figure)]
    assert scenes
    assert [(s.title, overlaps(s)) for s in scenes if overlaps(s)] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_notes_compile_and_fit(name, require_tool):
    require_tool("pdflatex")
    made = compiled(tex(notes(name)), name)
    assert made.data.startswith(b"%PDF")
    assert [o for o in made.overfull if o.points > 20] == []


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory, require_tool: Any) -> Iterator[Any]:
    require_tool("chromium")
    sys.path.insert(0, str(Path(__file__).parents[1] / "present"))
    try:
        from browser import Browser
    finally:
        sys.path.pop(0)
    made = Browser(tmp_path_factory.mktemp("profile"))
    yield made
    made.close()


@pytest.mark.parametrize("name", NAMES)
def test_the_notes_are_one_page_that_asks_for_nothing_and_sets_every_formula(name, browser, tmp_path):
    heard = browser.open(html(notes(name)), tmp_path / "page.html")
    assert not heard.errors
    assert all(request.startswith(("file://", "data:")) for request in heard.requests)
    said = browser.value("({...document.documentElement.dataset})")
    assert said["errors"] == "0"
    assert int(said["formulas"]) > 50
    titles = browser.value("[...document.querySelectorAll('main h2')].map((h) => h.textContent)")
    for s in notes(name).sections:
        assert any(s.title in title for title in titles), s.title


def test_a_script_writes_its_notes_to_a_folder(tmp_path):
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / "deck_3_tuwien.py"), str(tmp_path), "tex"], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "deck_3_tuwien.tex").read_text(encoding="ascii") == tex(notes("deck_3_tuwien"))


# --- numbers in print ---------------------------------------------------------------------------------------------------


@pytest.mark.deck("D0.5", "P13")
def test_steps_on_the_parabola(numbers):
    (steps,) = tables(section("deck_0_iith", "Gradient descent in one dimension"))
    assert [r[1] for r in rows(steps)] == [numbers["D0.5"]["x0"], *numbers["D0.5"]["x"]]
    first = results(lines(section("deck_0_iith", "Gradient descent in one dimension")))
    assert list(first.values()) == [numbers["D0.5"]["x"][0]]
    assert any(isinstance(b, sbp.Chart) for b in section("deck_0_iith", "Why the negative gradient?").blocks)


@pytest.mark.deck("D0.8", "D0.10", "D0.11", "D0.13", "D0.15")
def test_the_numbers_of_deck_0(numbers):
    found = [cells(t) for t in tables(section("deck_0_iith", "The formulas with numbers"))]
    printed = [list(values) for table in found for values in table.values()]
    for row, key in (
        ("D0.8", "z2"), ("D0.8", "a2"), ("D0.8", "z3"), ("D0.8", "a3"), ("D0.10", "delta3"), ("D0.11", "delta2"),
        ("D0.13", "dW1"), ("D0.13", "dW2"),
        ("D0.15", "dW1"), ("D0.15", "db1"), ("D0.15", "dW2"), ("D0.15", "db2"),
    ):  # fmt: skip
        right = np.ravel(numbers[row][key]).tolist()
        assert any(len(p) == len(right) and all(map(close, p, right)) for p in printed), (row, key)
    text = words(section("deck_0_iith", "The formulas with numbers").blocks[-1])
    assert close(float(re.findall(r"0\.\d{3,}", text)[0]), numbers["D0.15"]["loss_after_1_update"])


@pytest.mark.deck("D0.1", "D0.14", "D0.17")
def test_what_deck_0_says():
    depth = words(section("deck_0_iith", "Feedforward networks"))
    assert "depth is 2" in depth
    assert "n_l = 3" in depth
    algorithm = words(section("deck_0_iith", "Algorithms"))
    assert r"l = n_l - 1, n_l - 2, \dots, 2" in algorithm
    assert r"\delta^{(l)} = \left( (W^{(l)})^{\top} \delta^{(l+1)} \right) \circ f'(z^{(l)})" in algorithm
    assert {s.key for s in notes("deck_0_iith").sources} == {"goodfellow", "ufldl", "cs231n"}


@pytest.mark.deck("D1.3", "D1.8", "D1.12", "D1.13")
def test_the_numbers_of_deck_1(numbers):
    printed = results(lines(section("deck_1_upc", "Softmax and negative log-likelihood")))
    p = [printed[f"h_{k}^{{(2)}}"] for k in (1, 2, 3, 4)]
    assert all(map(close, p, numbers["D1.3"]["p"]))
    assert close(printed["L"], numbers["D1.8"]["loss"])
    top = results(lines(section("deck_1_upc", "The error in the top layer")))
    assert all(close(top[f"\\delta_{k}^{{(2)}}"], numbers["D1.8"]["delta"][k - 1]) for k in (1, 2, 3, 4))
    (steps,) = tables(section("deck_1_upc", "Optimization"))
    assert all(map(close, [r[1] for r in rows(steps)[1:]], numbers["D1.12"]["right"]))
    (decay,) = tables(section("deck_1_upc", "Weight decay"))
    assert [number(r[1][0].latex) for r in decay.rows] == [numbers["D1.13"]["l2"], numbers["D1.13"]["decoupled"]]


@pytest.mark.deck("D1.6", "D1.7", "D1.14", "D1.16")
def test_what_deck_1_says():
    objective = words(section("deck_1_upc", "Regularization and the objective"))
    assert "mini-batch" in objective
    assert r"\arg \min_W" in " ".join(line.latex for line in lines(section("deck_1_upc", "Regularization and the objective")))
    assert "depends only on the error above" in words(section("deck_1_upc", "The error in the layer below"))
    assert [line.rule for line in section("deck_1_upc", "The error in the layer below").blocks[0].lines][:2] == [
        "definition of the error term",
        "chain rule",
    ]
    assert len(section("deck_1_upc", "The error in the layer below").blocks[0].lines) == 4
    others = words(section("deck_1_upc", "Other optimizers"))
    assert all(name in others for name in ("Nesterov", "AdaGrad", "RMSProp", "Adam"))


@pytest.mark.deck("D2.1", "D2.3", "D2.15", "D2.16")
def test_the_numbers_of_deck_2(numbers):
    printed = results(lines(section("deck_2_tue", "Losses of scores").blocks[1]))
    assert [v for k, v in printed.items() if k.startswith("L_i")] == [numbers["D2.1"]["loss"]]
    assert [v for k, v in printed.items() if not k.startswith("L_i")] == numbers["D2.1"]["ds"]
    soft = results(lines(section("deck_2_tue", "Losses of scores").blocks[3:]))
    assert all(close(soft[f"p_{k}"], numbers["D2.3"]["p"][k - 1], 5) for k in (1, 2, 3))
    assert close(soft["L_i"], numbers["D2.3"]["loss"], 5)
    assert all(map(lambda a, b: close(a, b, 5), list(soft.values())[-3:], numbers["D2.3"]["ds"]))
    (table,) = tables(section("deck_2_tue", "A vectorised example"))
    assert list(cells(table).values()) == [
        np.ravel(numbers[row][key]).tolist()
        for row, key in (
            ("D2.15", "W"), ("D2.15", "x"), ("D2.15", "q"), ("D2.15", "f"), ("D2.15", "dq"), ("D2.15", "dW"), ("D2.16", "dx"),
        )
    ]  # fmt: skip


@pytest.mark.deck("D2.14", "D2.21", "D2.22")
def test_jacobians_and_convolutions_in_print(numbers):
    said = words(section("deck_2_tue", "Jacobians"))
    assert f"= {numbers['D2.14']['entries']}" in said
    assert "diagonal" in said
    for title, row in (("Encore: convolution", "D2.21"), ("Kernels", "D2.22")):
        both = [[float(v) for v in re.findall(r"-?\d+", line.latex)] for line in lines(section("deck_2_tue", title))]
        assert both == [np.ravel(numbers[row][f"{kind}_same"]).tolist() for kind in ("convolution", "correlation")]


@pytest.mark.deck("D2.17", "D2.23", "D2.2")
def test_what_deck_2_says_and_shows():
    assert "pass" in words(section("deck_2_tue", "Two phases"))
    charts = [b for b in section("deck_2_tue", "A network learns").blocks if isinstance(b, sbp.Chart)]
    assert len(charts) == 8
    losses = [c.curves[0].y for c in charts[1::2]]
    assert losses[-1][-1] < 0.2 * losses[0][0]
    assert r"0.1 W_1" in " ".join(line.latex for line in lines(section("deck_2_tue", "Total loss and mini-batches")))


@pytest.mark.deck("D3.14", "D3.15", "D3.5")
def test_the_numbers_of_deck_3(numbers):
    row = numbers["D3.14"]
    (table,) = tables(section("deck_3_tuwien", "A classifier as a graph"))
    right = [row["w"], row["p"], [row["H"]], np.ravel(row["dW"]), row["db"], row["dx"]]
    for got, expected in zip(cells(table).values(), right, strict=True):
        assert all(map(close, got, list(expected)))
    (counted,) = tables(section("deck_3_tuwien", "Too many paths"))
    found = [[int(cell[0].replace(",", "")) for cell in r] for r in counted.rows]
    assert found == [[r["width"], r["layers"], r["paths"], r["edges"], r["edges"]] for r in numbers["D3.15"]]
    assert f"= {numbers['D3.5']['count']}" in words(section("deck_3_tuwien", "Multi-layer perceptrons"))


@pytest.mark.deck("D3.8", "D3.17", "D3.19")
def test_what_deck_3_says():
    said = words(section("deck_3_tuwien", "Training"))
    assert "universal approximators" in said
    assert "always trained in this way" in words(section("deck_3_tuwien", "In practice"))
    assert "in parallel" in words(section("deck_3_tuwien", "In practice"))
    assert "F'(x) = f'(g(x)) g'(x)" in words(section("deck_3_tuwien", "Derivatives in graphs"))


@pytest.mark.deck("D4.2", "D4.3", "D4.4")
def test_truth_tables_in_print(numbers):
    both = tables(section("deck_4_ceng", "Logic with one unit"))
    for table, row in zip(both, ("D4.2", "D4.3"), strict=True):
        for printed, right in zip(table.rows, numbers[row]["rows"], strict=True):
            assert printed[2][0].latex == f"g({right['z']})"
            assert close(number(printed[3][0].latex), right["f"], 6)
    (xnor,) = tables(section("deck_4_ceng", "XNOR needs two layers"))
    assert [[int(cell[0]) for cell in r[2:5]] for r in xnor.rows] == numbers["D4.4"]["truth_a1_a2_f"]


@pytest.mark.deck("D4.11", "E20")
def test_the_rounds_of_deck_4(numbers):
    (table,) = tables(section("deck_4_ceng", "A weight update"))
    for printed in rows(table):
        right = numbers["D4.11"]["rounds"][int(printed[0]) - 1]
        assert printed[1:] == [float(f"{v:.2f}") for v in right]
    assert [r[0] for r in rows(table)] == [1, 2, 3, 10, 19]


@pytest.mark.deck("D4.16")
def test_mazurs_table_in_print(numbers):
    row = numbers["D4.16"]
    first, second, _ = tables(section("deck_4_ceng", "A complete example with numbers"))
    keys = ("net_h", "out_h", "net_o", "out_o", "E_total", "dE_dout_o", "delta_o", "dW2", "dE_dout_h", "delta_h", "dW1")
    after = ("W1_after_1", "W2_after_1", "E_after_1_biases_kept")
    for table, names in ((first, keys), (second, after)):
        for got, key in zip(cells(table).values(), names, strict=True):
            right = np.ravel(row[key]).tolist()
            assert len(got) == len(right)
            assert all(close(a, b, 9) for a, b in zip(got, right, strict=True)), key


@pytest.mark.deck("D4.1", "D4.17", "P10", "P12")
def test_neurons_and_planes_of_deck_4():
    neuron = section("deck_4_ceng", "A neuron")
    assert any(isinstance(b, sbp.Figure) for b in neuron.blocks)
    assert r"\sum_{j=0}^3 w_{ij}^{(1)} x_j" in " ".join(line.latex for line in lines(neuron))
    planes = [b for s in notes("deck_4_ceng").sections for b in s.blocks if isinstance(b, sbp.Chart) and b.field is not None]
    assert [p.title for p in planes] == ["AND", "OR", "XNOR", *(f"{n} hidden unit{'s' * (n > 1)}" for n in (1, 2, 4, 8))]


@pytest.mark.deck("D2.21", "D2.22")
@pytest.mark.parametrize("kind", ["convolution", "correlation"])
def test_a_filter_as_a_system_of_ones_own_is_that_of_the_pictures_and_can_be_learned(kind, numbers):
    notes("deck_2_tue")
    module = sys.modules["deck_2_tue"]
    d, row = module.filtering(kind), numbers["D2.22"]
    rng = np.random.default_rng(7)
    given = {
        "w": np.array(row["kernel"], dtype=float),
        "f": np.pad(np.array(row["image"], dtype=float), 1),
        "y": rng.standard_normal((5, 5)),
    }
    np.testing.assert_array_equal(d.evaluate(given)["q"], row[f"{kind}_same"])
    gradient = d.gradients["w"].evaluate(given)
    step = 1e-6
    for place in np.ndindex(3, 3):
        ends = []
        for sign in (1, -1):
            moved = given["w"].copy()
            moved[place] += sign * step
            ends.append(float(d.evaluate(given | {"w": moved})["L"]))
        assert gradient[place] == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-6)


@pytest.mark.deck("D2.21", "D2.22")
@pytest.mark.parametrize("row", ["D2.21", "D2.22"])
@pytest.mark.parametrize(("flip", "kind"), [(True, "convolution"), (False, "correlation")])
def test_the_layer_offers_both_products(row, flip, kind, numbers):
    net = sbp.Sequential([sbp.Input((1, 5, 5)), sbp.Conv2D(1, 3, padding=1, bias=False, flip=flip)], loss="mse", name="filter")
    params = net.parameters({"conv2d_1.W": np.array(numbers[row]["kernel"], dtype=float)[None, None]})
    x = np.array(numbers[row]["image"], dtype=float)[None, None]
    found = net.derive().evaluate({"conv2d_1.W": params["conv2d_1.W"], "x": x, "y": np.zeros_like(x)})
    assert found["conv2d_1.z"][0, 0].tolist() == numbers[row][f"{kind}_same"]
