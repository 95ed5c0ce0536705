"""Equations of a dense layer and its derivatives, written by hand, for tests of printing."""

from __future__ import annotations

from symbackprop.algebra import Equation, Index, Sum, Tensor, sizes, unspecified
from symbackprop.algebra.matrix import MatrixEquation
from symbackprop.derive.matrix import matrix_form
from symbackprop.present.naming import Naming, general_naming
from symbackprop.present.notation import notation

BELOW, HERE, ABOVE = sizes("n_j n_i n_k")
i, j = Index("i", HERE), Index("j", BELOW)
above = Index("i", ABOVE)
bound = Index("@0", ABOVE)

W = Tensor("W", (i, j), "parameter")
W_above = Tensor("W_above", (above, i), "parameter")
z, a, y = Tensor("z", (i,)), Tensor("a", (i,)), Tensor("y", (i,), "input")
a_below = Tensor("a_below", (j,))
delta = Tensor("delta", (i,), "cotangent")
delta_above = Tensor("delta_above", (above,), "cotangent")
weight_gradient, bias_gradient = Tensor("grad_W", (i, j), "cotangent"), Tensor("grad_b", (i,), "cotangent")

slope = unspecified("f", z[i], 1)
OUTPUT = Equation(delta[i], (a[i] - y[i]) * slope)
HIDDEN = Equation(delta[i], Sum(W_above[bound, i] * delta_above[bound], bound) * slope)
WEIGHTS = Equation(weight_gradient[i, j], delta[i] * a_below[j])
BIAS = Equation(bias_gradient[i], delta[i])

ROLES = {
    "delta": "error:0",
    "delta_above": "error:1",
    "W_above": "weight:1",
    "z": "pre:0",
    "a": "activation:0",
    "a_below": "activation:-1",
    "y": "target",
    "grad_W": "gradient weight:0",
    "grad_b": "gradient bias:0",
}
WIDTHS = {ABOVE: 1, HERE: 0, BELOW: -1}


def naming_of(equation: Equation, preset: str) -> Naming:
    """The names of an equation of the recursion in a preset."""
    return general_naming(notation(preset), ROLES, gradient=equation in (WEIGHTS, BIAS), output=equation is OUTPUT, widths=WIDTHS)


def matrix(equation: Equation) -> MatrixEquation:
    """The matrix form, which these equations have."""
    form = matrix_form(equation)
    assert form is not None
    return form
