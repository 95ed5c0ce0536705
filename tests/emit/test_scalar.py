"""Scalars as Python text: each function of the language, on a grid with every awkward number, beside the interpreter."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy
import written

from symbackprop.algebra import nodes
from symbackprop.algebra.entry import FUNCTIONS
from symbackprop.algebra.index import indices
from symbackprop.algebra.interpret import evaluate
from symbackprop.algebra.tensor import tensor
from symbackprop.emit.names import RESERVED
from symbackprop.emit.scalar import VECTOR, ScalarPrinter
from symbackprop.errors import EmissionError

i = indices("i", 1)
z, v = tensor("z", i)[i], tensor("v", i)[i]
GRID = [math.nan, math.inf, -math.inf, 0.0, -0.0, 5e-324, 1e-8, 0.3, 0.7, 1.0, 3.0, -3.0, 40.0, -40.0, 800.0, -800.0, 1e308, -1e308]
#: The scalar functions that a module defines for itself.
PREAMBLE = """
import numpy as np
from math import erf, erfc
def sigmoid(u):
    if u <= 0.0:
        small = np.exp(u)
        return small / (1.0 + small)
    return 1.0 / (1.0 + np.exp(-u))
def softplus(u):
    if u <= 0.0:
        return np.log1p(np.exp(u))
    return u + np.log1p(np.exp(-u))
"""
SPACE = written.executed(PREAMBLE)


def printed(expr, *, single=False):
    return ScalarPrinter(lambda e: e.name, lambda a, parts: a.tensor.name, single=single).real(expr)


def both(expr, x, y=0.25):
    """Return the value of the printed text, and that of the interpreter."""
    with np.errstate(all="ignore"):
        mine = eval(printed(expr), {**SPACE, "z": np.float64(x), "v": np.float64(y)})
        want = evaluate(expr, {"z": np.array([x]), "v": np.array([y])}, {}, (i,))
    return float(mine), float(np.broadcast_to(want, (1,))[0])


OWN = (nodes.Abs, nodes.Sign, nodes.Sigmoid, nodes.Softplus, nodes.Expm1, nodes.Log1p)


@pytest.mark.parametrize("kind", [*FUNCTIONS, *OWN], ids=lambda k: k.__name__)
def test_every_function_agrees_with_the_interpreter_on_awkward_numbers(kind):
    for x in GRID:
        mine, want = both(kind(z), x)
        assert np.isclose(mine, want, rtol=1e-13, atol=1e-300, equal_nan=True), (kind, x, mine, want)


relu = z * nodes.Indicator(z > 0)
leaky = relu + z * nodes.Indicator(sympy.GreaterThan(0, z, evaluate=False)) / 10
inner = z * nodes.Indicator(z > -1) * nodes.Indicator(sympy.StrictGreaterThan(1, z, evaluate=False))


@pytest.mark.parametrize(
    "expr",
    [
        relu,
        leaky,
        inner,
        1 + leaky,
        2 * v - 3 * leaky,
        -relu * v,
        (z + v) ** 2 / (1 + z**2),
        1 / (1 + sympy.exp(-z)) ** 3,
        z ** sympy.Rational(-1, 2),
        (1 + z * z) ** v,
        -(z - v) * (z + v) / 3,
        sympy.Rational(1, 3) - z - v,
        -z - v,
        sympy.pi * z + sympy.E,
        nodes.Indicator(sympy.Ne(z, v)) * sympy.log(z * z),
        nodes.Floor(z) + v,
        z / v / 7,
        z**5 - v**-5,
    ],
    ids=str,
)
def test_arithmetic_and_selections_agree_with_the_interpreter(expr):
    for x in GRID:
        mine, want = both(expr, x)
        assert np.isclose(mine, want, rtol=1e-13, atol=1e-300, equal_nan=True), (expr, printed(expr), x, mine, want)


def test_a_relu_lets_nan_through_and_reads_well():
    assert printed(relu) == "0.0 if z <= 0.0 else z"


def test_branches_that_exclude_each_other_are_one_condition():
    assert printed(leaky) == "z / 10.0 if z <= 0.0 else z"


def test_float32_text_says_so_in_every_literal():
    n = indices("n", sympy.Symbol("N", integer=True, positive=True))
    assert printed((z + sympy.Rational(1, 2)) * v / n.extent, single=True) == "(real(0.5) + z) * v / real(N)"


def test_what_cannot_be_printed_is_named():
    with pytest.raises(EmissionError, match="the function f has no expression"):
        printed(nodes.unspecified("f", z))
    with pytest.raises(EmissionError, match="the planner must place it"):
        printed(nodes.Sum(z, i))
    with pytest.raises(EmissionError, match="cannot print zeta"):
        printed(sympy.zeta(z))


def test_no_name_of_a_network_hides_a_function_of_the_runtime_file():
    assert set(VECTOR.values()) <= RESERVED
