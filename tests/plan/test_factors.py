"""Division by what stays the same along a loop is done before it: the text divides there only, and the values stay."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import sympy
from sympy import S

import symbackprop as sbp
from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import Floor, Indicator, InRange, Sum
from symbackprop.algebra.tensor import Tensor
from symbackprop.plan.factors import factored
from symbackprop.plan.nests import loops
from symbackprop.plan.records import Let, Loop, Store, When

sys.path.insert(0, str(Path(__file__).parents[1] / "emit"))
from modules import Options, module_of, plan_of

n = sympy.Symbol("N", integer=True, positive=True)
b, i, j = Index("b", n), Index("i", sympy.Integer(6)), Index("j", sympy.Integer(6))
x, s = Tensor("x", (b, i), "input"), Tensor("s", (b,), "input", positive=True)
v, z = Tensor("v", (i,), "input", positive=True), Tensor("z", (b, i), "output")


def made(rhs):
    return factored(loops((Equation(z[b, i], rhs),), frozenset({"z"})))


def innermost(statements):
    """Return the statements of innermost loops."""
    for st in statements:
        if isinstance(st, Loop | When):
            inner = tuple(innermost(st.body))
            yield from inner if any(isinstance(t, Loop) for t in st.body) else st.body


def values(statements):
    return [st.value for st in innermost(statements) if isinstance(st, Let | Store)]


def quotients(e):
    return {p for p in e.atoms(sympy.Pow) if p.exp.is_Number and p.exp < 0}


def test_a_factor_stands_before_the_outermost_loop_that_leaves_it_alone():
    first, loop = made(x[b, i] / n / sympy.sqrt(sympy.pi))
    assert first.value == 1 / (n * sympy.sqrt(sympy.pi)) and isinstance(loop, Loop)
    (outer,) = made(x[b, i] / s[b])
    assert [type(st) for st in outer.body] == [Let, Loop] and outer.body[0].value == 1 / s[b]
    (second, outer) = made(x[b, i] / s[b] + 3 * x[b, i] ** 2 / n)
    assert second.value == 3 / n and [type(st) for st in outer.body] == [Let, Loop]


def test_numbers_and_other_fixed_factors_go_with_the_quotient_and_a_sign_does_not():
    (outer,) = made(-3 * sympy.tanh(x[b, i]) * s[b] / n)
    assert outer.body[0].value == 3 * s[b] / n
    (value,) = values((outer,))
    assert value == -outer.body[0].local * sympy.tanh(x[b, i])


def test_what_changes_with_the_entry_and_powers_of_two_stay_as_they_are():
    for rhs in (x[b, i] / v[i], x[b, i] / 2 + S.One / 4, s[b] * x[b, i], 2 * x[b, i], 1 / x[b, i] ** 2):
        assert made(rhs) == loops((Equation(z[b, i], rhs),), frozenset({"z"}))


def test_places_and_tests_are_left_alone():
    rhs = Indicator(sympy.Gt(x[b, i] / n, 1)) * x[b, Floor(i / 3)] + InRange(i - 2, 6) * x[b, i - 2]
    assert made(rhs) == loops((Equation(z[b, i], rhs),), frozenset({"z"}))


def test_what_a_guard_keeps_from_being_read_is_not_read_before_it():
    store = Store(z[b, i], x[b, i] / v[j - 2])
    nest = Loop(b, S.Zero, n, (Loop(j, S.Zero, j.extent, (Loop(i, S.Zero, i.extent, (When((InRange(j - 2, 6),), (store,)),)),)),))
    assert factored((nest,)) == (nest,)


def test_what_a_loop_writes_is_no_factor_of_it():
    row = Tensor("row", (b,), "stored", positive=True)
    statements = (Loop(b, S.Zero, n, (Store(row[b], s[b]), Loop(i, S.Zero, i.extent, (Store(z[b, i], x[b, i] / row[b]),)))),)
    (outer,) = factored(statements)
    assert [type(st) for st in outer.body] == [Store, Let, Loop]
    same = (Loop(b, S.Zero, n, (Loop(i, S.Zero, i.extent, (Store(row[b], x[b, i] / row[b]),)),)),)
    assert factored(same) == same


def test_sums_divide_before_their_loops():
    rhs = Sum(sympy.exp(x[b, j]) * x[b, i] / n, j)
    for e in values(made(rhs)):
        assert not quotients(e)


def test_a_program_divides_as_the_lecture_does_or_multiplies_and_the_values_agree(tmp_path):
    rng = np.random.default_rng(3)
    net = sbp.Sequential([sbp.Input(5), sbp.Dense(40), sbp.Activation("gauss", "exp(-z**2/2)/sqrt(2*pi)*z/3")], loss="mse", name="gauss")
    params, x, y = (rng.standard_normal(shape).astype("f") for shape in (240, (64, 5), (64, 40)))
    found = []
    for schedule in ("plain", "auto"):
        module = module_of(plan_of(net, None, Options("float32", 64, schedule)), "cpu", tmp_path / schedule)
        assert ("factor = " in Path(module.__file__).read_text(encoding="utf-8")) == (schedule == "auto")
        grads, work = np.full_like(params, np.nan), np.full(module.workspace(64), np.nan, "f")
        found.append((module.value_and_grad(params, x, y, grads, work), grads))
    (one, g), (other, h) = found
    # Each entry of a gradient adds 64 products, rounded a few times each.
    assert abs(one - other) <= 8 * np.finfo("f").eps * abs(one)
    assert np.max(np.abs(g - h)) <= 64 * np.finfo("f").eps * np.max(np.abs(g))


def test_loops_side_by_side_share_a_factor():
    (one,) = loops((Equation(z[b, i], x[b, i] / n),), frozenset({"z"}))
    (two,) = loops((Equation(z[b, i], (x[b, i] + 1) / n),), frozenset({"z"}))
    factor, outer = factored((Loop(b, S.Zero, n, (*one.body, *two.body)),))
    assert isinstance(factor, Let) and isinstance(outer, Loop)
    assert all(factor.local in value.free_symbols and not quotients(value) for value in values((outer,)))


def test_loops_that_want_the_same_factor_share_it():
    row = Tensor("row", (b,), "stored")
    both = tuple(Loop(k, S.Zero, k.extent, (Store(t, x[b, k] / n),)) for t, k in ((z[b, i], i), (row[b], j)))
    first, outer = factored((Loop(b, S.Zero, n, both),))
    assert isinstance(first, Let) and all(st.body[0].value.has(first.local) for st in outer.body)
