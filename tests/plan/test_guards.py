"""Guards and addresses in emitted loops and arrays: each way to read out of range, or to lose a guard, in its smallest form."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import sympy
from test_make import check, n

from symbackprop.algebra import nodes
from symbackprop.algebra.equation import Equation, System
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import ArgMax, Divides, Floor, Indicator, InRange, LogSumExp, Max, Sum
from symbackprop.algebra.tensor import Tensor
from symbackprop.plan.records import CPU

sys.path.insert(0, str(Path(__file__).parents[1] / "emit"))
from modules import DIRECT, LINES, ROWS

FOUR, THREE = sympy.Integer(4), sympy.Integer(3)
i, j, k, t = Index("i", FOUR), Index("j", FOUR), Index("k", THREE), Index("t", FOUR)
x = Tensor("x", (n, i, k), "input")
lab = Tensor("lab", (n,), "input", integer=True)
z = Tensor("z", (n, i), "output")
RNG = np.random.default_rng(0)
VALUES = {"x": RNG.standard_normal((2, 4, 3))}


def right(rhs, values=VALUES):
    check(System([Equation(z[n, i], rhs)]), values, "z")


def test_every_kind_of_reduction_is_done_only_where_its_address_is_in_range():
    there = InRange(i - 2, 4)
    body = x[n, i - 2, k]
    right(there * Sum(sympy.tanh(body), k))
    right(there * sympy.exp(x[n, i, 0] - LogSumExp(body, k)) * (1 + LogSumExp(body, k)))
    right(there * Max(body, k) ** 2)
    right(there * Sum(Indicator(sympy.Eq(k, ArgMax(x[n, i - 2, Index("w", THREE)], Index("w", THREE), Index("w", THREE)))) * x[n, i, k], k))


def test_a_guard_on_one_factor_holds_inside_the_sums_of_another():
    right(InRange(i - 2, 4) * x[n, i, 0] * (1 + sympy.sin(Sum(Sum(x[n, i - 2, k], k) * x[n, j, 0], j))))


def test_an_equality_of_positions_guards_what_is_read_where_it_holds():
    p = Index("p", sympy.Integer(7))
    wide = Tensor("z", (n, p), "output")
    rhs = Sum(Indicator(sympy.Eq(p, 2 * k)) * x[n, p - k, k] * Sum(x[n, p - k, Index("w", THREE)], Index("w", THREE)), k)
    check(System([Equation(wide[n, p], rhs)]), VALUES, "z")


def test_quotients_of_positions_are_compared_as_whole_numbers():
    right(Sum(Indicator(sympy.Eq(k, Floor((2 * i + 1) / 3))) * x[n, i, k], k) + Indicator(sympy.Ge(i, Floor((i + 5) / 2))))
    right(Divides(2, i + 1) * x[n, Floor((i + 1) / 2), 0] + Floor(i / 2) * x[n, i, 0])


def test_a_guard_inside_a_log_sum_exp_is_a_zero_and_one_beside_it_is_none():
    values = {"x": VALUES["x"] - 800}
    right(LogSumExp(Indicator(sympy.Ge(i, k)) * x[n, i, k], k), values)
    right(LogSumExp(Indicator(sympy.Ge(i, k)) * x[n, i, k] + sympy.log(Indicator(sympy.Ge(i, k))), k), values)
    right(LogSumExp(InRange(i - k, 4) * x[n, i - k, k] + sympy.log(InRange(i - k, 4)), k), values)


def test_the_place_of_a_maximum_may_be_an_address():
    w = Index("w", THREE)
    right(x[n, i, ArgMax(x[n, i, w] ** 2, w, w)])


def test_a_guarded_maximum_keeps_the_zeros_inside_it():
    right(Max(InRange(k - 1, 2) * (x[n, i, k] - 5 + InRange(i - 1, 2) * x[n, i - 1, k]), k))


def test_a_label_that_need_not_fit_is_tested_before_it_is_used():
    values = VALUES | {"lab": np.array([3, 1])}
    right(InRange(lab[n], 3) * x[n, i, lab[n]], values)


def test_steps_of_a_recurrence_keep_their_axes_where_they_read_nothing():
    h = Tensor("h", (n, t, i), "output")
    past = InRange(t - 1, 4)
    mixed = past * Sum(h[n, t - 1, j] * x[n, j, 0], j) + past * x[n, t - 1, 1]
    rhs = sympy.tanh(LogSumExp(past * x[n, t - 1, k], k) + mixed + x[n, i, 2])
    check(System([Equation(h[n, t, i], rhs)]), VALUES, "h")
    late = InRange(2 - t, 3) * x[n, i, 2 - t] + InRange(t + 1, 4) * nodes.Sigmoid(h[n, t + 1, i])
    check(System([Equation(h[n, t, i], late)]), VALUES, "h")


def test_a_guard_inside_a_maximum_takes_a_value_out_where_an_axis_is_cut_into_parts():
    r = Index("r", sympy.Integer(8))
    long = Tensor("z", (n, r), "output")
    first, last = InRange(r, 4), InRange(r - 4, 4)
    below = {"x": VALUES["x"] - 5}  # every maximum is negative: 0 in its place would be seen
    inside = Max(first * x[n, r, k], k)
    check(System([Equation(long[n, r], sympy.exp(inside) + 2 * last)]), below, "z")
    check(System([Equation(long[n, r], first * inside + last * Max(last * x[n, r - 4, k], k))]), below, "z")


def test_a_sum_along_a_part_of_an_axis_leaves_the_rest_out_in_lanes_too():
    long = Tensor("x", (n, Index("a", sympy.Integer(9))), "input")
    part, whole = Index("w", sympy.Integer(5)), Index("v", sympy.Integer(9))
    values = {"x": RNG.standard_normal((2, 9))}
    for b in (part, whole):
        for rhs in (Sum(long[n, b], b), Max(long[n, b], b), Sum(long[n, b], b) * long[n, 0] + LogSumExp(long[n, b], b)):
            check(System([Equation(Tensor("z", (n, i), "output")[n, i], rhs + i)]), values, "z", machine=LINES)


def test_rows_of_a_shorter_axis_are_added_only_where_they_are():
    """An access is plain along an axis of another extent too: its place may be out of range all the same."""
    w = Index("w", sympy.Integer(16))
    short, out = Tensor("short", (n, k, w), "input"), Tensor("z", (i, w), "output")
    rhs = InRange(i, 3) * Indicator(sympy.Eq(i, w)) * Sum(short[n, i, w], n)
    for machine in (CPU, DIRECT, ROWS):
        check(System([Equation(out[i, w], rhs)]), {"short": RNG.standard_normal((2, 3, 16))}, "z", machine=machine)
