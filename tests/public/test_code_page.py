"""The generated code beside its equations: every equation of the module stands once, beside the code that computes it."""

from __future__ import annotations

import ast

import pytest

import symbackprop as sbp
from symbackprop.present.document.html import html
from symbackprop.present.document.records import Display, Document, Listing
from symbackprop.public.code_page import pieces


def net() -> sbp.Network:
    return sbp.Sequential(
        [sbp.Input(3), sbp.Dense(4, "tanh"), sbp.Dense(2)], loss="softmax_cross_entropy", name="tour", regularizer=sbp.L2(0.1)
    )


def test_code_and_equations_of_each_layer_stand_together():
    section = sbp.page("code", network=net())
    kinds = [type(block) for block in section.blocks]
    assert kinds == [type(section.blocks[0]), *[Display, Listing] * 5]
    first, code = section.blocks[1:3]
    assert [line.latex for line in first.lines] == [
        r"Z^{(2)} = X (W^{(1)})^{\top} + \mathbf{1} (b^{(1)})^{\top}",
        r"A^{(2)} = \tanh(Z^{(2)})",
    ]
    assert code.code == "dense_1_z = dense_1_b + x @ dense_1_W.T\ndense_1_a = np.tanh(dense_1_z)"
    loss = [line.latex for line in section.blocks[5].lines]
    assert loss[0].startswith("S = ") and loss[1].startswith("P = ")
    formulas = [line.latex for block in section.blocks if isinstance(block, Display) for line in block.lines]
    assert len(formulas) == len(set(formulas)) == 3 + 7 + 6


def test_nothing_of_the_function_is_left_out():
    module = net().artifacts(targets=("numpy",), dtype="float64")[0].text
    function = next(n for n in ast.parse(module).body if isinstance(n, ast.FunctionDef) and n.name == "value_and_grad")
    statements = [ast.unparse(s) for s in function.body[1:-1]]
    shown = [ast.unparse(s) for piece in pieces(module) for s in ast.parse("\n".join(piece.code)).body]
    # What stands before the first layer: the test of the labels, and views of the flat buffers.
    assert shown == [s for s in statements if not ("params[" in s or "grads[" in s or s == "n = x.shape[0]" or s.startswith("if check("))]


def test_a_wide_page_sets_them_beside_each_other():
    page = html(Document("T", (sbp.page("code", "bishop", network=net()),)))
    assert page.count('<div class="beside">') == 5 and 'class="nb"' not in page.split("<main")[0].split("</style>")[-1]


def test_a_page_of_code_needs_a_network():
    with pytest.raises(sbp.DeclarationError, match="needs a network"):
        sbp.page("code")
