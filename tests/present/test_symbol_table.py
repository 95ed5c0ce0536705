"""Tables of symbols: every symbol once, with the shape of the array that it stands for."""

from __future__ import annotations

import dataclasses
import re
from itertools import pairwise

import pytest

import symbackprop as sbp
from symbackprop.derive.matrix import matrix_form
from symbackprop.pipeline import derive_network
from symbackprop.present.document.records import Math
from symbackprop.present.latex import latex_equation
from symbackprop.present.naming import network_naming
from symbackprop.present.notation import LAYOUTS, PRESETS, notation
from symbackprop.present.symbol_table import LAYERS, conformability, symbol_table


def network(hidden=1, **options):
    layers = [sbp.Input(3), *[sbp.Dense(4, activation="tanh") for _ in range(hidden)], sbp.Dense(2)]
    return sbp.Sequential(layers, loss="softmax_cross_entropy", **options)


def derived(net, per):
    record = derive_network(net.spec, target="rows", per=per)
    return record, network_naming(record.model)


def text(cell):
    return "".join(part.latex if isinstance(part, Math) else part for part in cell)


def rows_of(table):
    rows = {text(symbol): (text(shape), text(meaning)) for symbol, shape, meaning in table.rows}
    assert len(rows) == len(table.rows), "a symbol stands twice"
    return rows


def group(latex, start):
    """The content of the braces that open at a place, and the place behind them."""
    depth = 0
    for k in range(start, len(latex)):
        depth += {"{": 1, "}": -1}.get(latex[k], 0)
        if depth == 0:
            return latex[start + 1 : k], k + 1
    raise AssertionError(latex)


def shaped(latex):
    """What stands above each shape."""
    for found in re.finditer(r"\\underset", latex):
        shape, behind = group(latex, found.end())
        yield shape, group(latex, behind)[0]


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("per", ["sample", "batch"])
def test_every_symbol_of_a_formula_stands_in_the_table_with_its_shape(preset, per):
    record, naming = derived(network(), per)
    for layout in LAYOUTS:
        rows = rows_of(symbol_table(record, naming, preset, layout=layout))
        compared = 0
        for equation in record.system.equations:
            form = matrix_form(equation)
            shown = latex_equation(form, naming, notation=preset, layout=layout, shapes=True)
            for shape, symbol in shaped(shown):
                if symbol in rows and rows[symbol][0]:
                    assert rows[symbol][0] == shape, (symbol, shown)
                    compared += 1
        assert compared >= 8


def test_a_folded_bias_explains_its_bars():
    rows = rows_of(symbol_table(*derived(network(), "sample"), "ng"))
    assert rows["w^{(1)}"] == (
        r"4 \times 4",
        "weights from layer 1 to layer 2; w_{ij}^{(1)} leads from unit j to unit i; column 0 holds the biases",
    )
    assert rows[r"\bar{w}^{(2)}"] == (r"2 \times 4", "w^{(2)} without column 0, the biases")
    assert rows["x"] == (r"4 \times 1", "input, with a 1 in front as component 0")
    assert rows[r"\bar{a}^{(2)}"][1] == "activation of layer 2, without component 0"
    assert rows["l"][1] == "number of a layer: 1 is the input, 3 the output"


def test_orientation_and_batches_turn_the_shapes():
    style = dataclasses.replace(notation("ufldl"), name="mine", weight_index="source first", batch_samples="columns")
    rows = rows_of(symbol_table(*derived(network(), "batch"), style))
    assert rows["W^{(1)}"] == (r"3 \times 4", "weights from layer 1 to layer 2; W_{ij}^{(1)} leads from unit i to unit j")
    assert rows["A^{(2)}"] == (r"4 \times M", "activation of layer 2; one sample a column")
    assert rows["M"][1] == "number of samples"


@pytest.mark.parametrize("preset", PRESETS)
def test_a_deep_network_has_rows_for_a_general_layer(preset):
    deep = rows_of(symbol_table(*derived(network(hidden=LAYERS + 2), "sample"), preset))
    deeper = rows_of(symbol_table(*derived(network(hidden=LAYERS + 9), "sample"), preset))
    assert len(deep) == len(deeper)
    letter = notation(preset).layer
    assert any(f"of layer {letter}" in meaning for _, meaning in deep.values())
    width = f"{notation(preset).width}_{letter}"
    assert width in deep and any(width in shape for shape, _ in deep.values())


def test_a_line_for_each_product_shows_how_shapes_fit():
    record, naming = derived(network(), "sample")
    hidden = matrix_form(record.equation("delta.dense_1"))
    lines = [line.latex for line in conformability(hidden, naming, "ng")]
    assert r"(\bar{w}^{(2)})^T \delta^{(3)} &: (4 \times 2)(2 \times 1) \to 4 \times 1" in lines
    assert lines[0].endswith(r"&: (4 \times 1) \circ (4 \times 1) \to 4 \times 1")
    turned = [line.latex for line in conformability(hidden, naming, "ufldl", layout="numerator")]
    assert r"\delta^{(3)} W^{(2)} &: (1 \times 2)(2 \times 4) \to 1 \times 4" in turned


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_shapes_of_all_products_fit(preset, layout):
    for per in ("sample", "batch"):
        record, naming = derived(network(), per)
        for equation in record.system.equations:
            for line in conformability(matrix_form(equation), naming, preset, layout=layout):
                left, right = line.latex.rpartition(" &: ")[2].split(r" \to ")
                shapes = re.findall(r"\((\S+) \\times (\S+?)\)(?!\S)|\((\S+) \\times (\S+?)\)", left)
                sides = [(a or c, b or d) for a, b, c, d in shapes]
                if line.rule == "matrix product":
                    assert all(first[1] == second[0] for first, second in pairwise(sides)), line.latex
                    assert right == "1" or right == rf"{sides[0][0]} \times {sides[-1][1]}", line.latex
                else:
                    assert len(set(sides)) == 1, line.latex
