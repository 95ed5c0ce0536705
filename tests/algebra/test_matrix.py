"""Matrix forms: their shapes, their text and their meaning."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

from symbackprop.algebra import Tensor, indices, sizes
from symbackprop.algebra.matrix import (
    Diag,
    Entry,
    Fill,
    MatrixEquation,
    Number,
    Ones,
    Plus,
    Power,
    Times,
    hadamard,
    plus,
    scale,
    times,
    transpose,
)
from symbackprop.errors import DataError, ShapeError

M, K = sizes("m k")
i, j = indices("i j", M, K)
W = Entry(Tensor("W", (i, j), "parameter"))
q = Entry(Tensor("q", (i,)))
p = Entry(Tensor("p", (i,)))
x = Entry(Tensor("x", (j,)))
s = Entry(Tensor("s"))
RNG = np.random.default_rng(5)
VALUES = {"W": RNG.normal(size=(3, 5)), "q": RNG.normal(size=3), "p": RNG.normal(size=3), "x": RNG.normal(size=5), "s": 0.7}


def minus(form):
    return scale(Number(sympy.Integer(-1)), form)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (scale(Number(sympy.Integer(2)), times(q, transpose(x))), "2 q xᵀ"),
        (scale(Number(sympy.Integer(2)), times(transpose(W), q)), "2 Wᵀ q"),
        (hadamard(times(W, x), q), "(W x) ∘ q"),
        (times(transpose(W), hadamard(q, p)), "Wᵀ (q ∘ p)"),
        (transpose(times(W, x)), "xᵀ Wᵀ"),
        (plus(q, minus(p)), "q - p"),
        (transpose(plus(q, minus(p))), "qᵀ - pᵀ"),
        (hadamard(q, plus(Fill(sympy.S.One, M, None), minus(q))), "q ∘ (1 - q)"),
        (plus(Diag(p), minus(times(p, transpose(p)))), "diag(p) - p pᵀ"),
        (Diag(Ones(M)), "I"),
        (times(Diag(Ones(M)), q), "q"),
        (scale(s, q), "s q"),
        (plus(Fill(sympy.S.One, M, None), minus(Power(q, sympy.Integer(2)))), "1 - q ∘ q"),
        (times(q, transpose(Ones(K))), "q 𝟏ᵀ"),
    ],
)
def test_text_is_what_one_would_write(form, text):
    assert str(form) == text


def test_a_product_that_does_not_conform_is_refused():
    with pytest.raises(ShapeError, match="does not conform"):
        times(W, q)
    with pytest.raises(ShapeError, match="differ"):
        plus(q, x)
    with pytest.raises(ShapeError):
        MatrixEquation(q, x)


def test_transposing_twice_changes_nothing():
    for form in (W, q, times(W, x), hadamard(q, p), plus(q, p), scale(s, W), Diag(q)):
        assert transpose(transpose(form)) == form


def test_evaluation_is_that_of_numpy():
    out = Tensor("out", (j,))
    form = hadamard(times(transpose(W), q), scale(s, x))
    got = MatrixEquation(Entry(out), form).evaluate(VALUES)
    np.testing.assert_allclose(got, VALUES["W"].T @ VALUES["q"] * VALUES["s"] * VALUES["x"], rtol=1e-15)
    assert got.shape == (5,)


def test_a_turned_entry_is_read_as_its_transpose():
    row = Entry(Tensor("q", (i,)), turned=True)
    out = Entry(Tensor("out", (j, i)))
    got = MatrixEquation(out, Times((x, row))).evaluate(VALUES)
    np.testing.assert_array_equal(got, np.outer(VALUES["x"], VALUES["q"]))


def test_a_missing_value_is_named():
    with pytest.raises(DataError, match="q"):
        MatrixEquation(Entry(Tensor("out", (i,))), Plus((q, p))).evaluate({"p": VALUES["p"]})
