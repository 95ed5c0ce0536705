"""tanh(u/2) beside other functions of exp(−|u|) is computed from that; the text says so where there is such a function."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import sympy

import symbackprop as sbp
from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import Sigmoid, Softplus
from symbackprop.algebra.tensor import Tensor
from symbackprop.plan.nests import loops
from symbackprop.plan.records import HalfTanh, Let, Loop, Store

sys.path.insert(0, str(Path(__file__).parents[1] / "emit"))
from modules import Options, module_of, plan_of

n = sympy.Symbol("N", integer=True, positive=True)
b = Index("b", n)
x, z = Tensor("x", (b,), "input"), Tensor("z", (b,), "output")


def found(rhs):
    """Return the arguments of the functions of halves in the loop for a right side."""
    (loop,) = loops((Equation(z[b], rhs),), frozenset({"z"}))
    assert isinstance(loop, Loop)
    values = [s.value for s in loop.body if isinstance(s, Let | Store)]
    return {f.args[0] for v in values for f in v.atoms(HalfTanh)}


def test_halves_are_found_beside_functions_of_the_whole_of_either_sign():
    u = x[b]
    for other in (Sigmoid(u), Sigmoid(-u), Softplus(-u), sympy.tanh(u), sympy.tanh(Softplus(u))):
        assert found(sympy.tanh(u / 2) * (1 + sympy.cos(u)) + other) == {u}, other


def test_a_half_that_shares_nothing_stays_what_it_is():
    u = x[b]
    for other in (sympy.exp(u), Sigmoid(u / 2), Sigmoid(2 * u), sympy.erf(u), sympy.cos(u)):
        assert found(sympy.tanh(u / 2) * (1 + sympy.cos(u)) + other) == set(), other


@pytest.mark.parametrize("schedule", ["plain", "auto"])
def test_the_values_are_those_of_the_formula(schedule, tmp_path):
    net = sbp.Sequential([sbp.Input(300), sbp.Activation("half", "tanh(z/2) + z*sigmoid(z)")], loss="mse", name="halved")
    module = module_of(plan_of(net, None, Options("float32", 3, schedule)), "cpu", tmp_path)
    assert ("half_tanh(" in Path(module.__file__).read_text(encoding="utf-8")) == (schedule == "auto")
    given = np.random.default_rng(8).uniform(-9, 9, (3, 300)).astype("f")
    out = np.empty_like(given)
    module.forward(np.zeros(0, "f"), given, out, np.full(module.workspace(3), np.nan, "f"))
    u = given.astype(float)
    want = np.tanh(u / 2) + u / (1 + np.exp(-u))
    # Two functions of some three units each, a product and a sum.
    assert np.max(np.abs(out - want) / (1 + np.abs(u))) <= 8 * np.finfo("f").eps
