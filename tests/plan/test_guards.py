"""Guards and addresses in emitted loops and arrays: each way to read out of range, or to lose a guard, in its smallest form."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import sympy
from sympy import S
from test_make import check, n

from symbackprop.algebra import nodes
from symbackprop.algebra.equation import Equation, System
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import ArgMax, Divides, Floor, Indicator, InRange, LogSumExp, Max, Sum
from symbackprop.algebra.tensor import Tensor
from symbackprop.plan.records import CPU

sys.path.insert(0, str(Path(__file__).parents[1] / "emit"))
from modules import DIRECT, DOTS, LINES, ROWS

FOUR, THREE = sympy.Integer(4), sympy.Integer(3)
i, j, k, t = Index("i", FOUR), Index("j", FOUR), Index("k", THREE), Index("t", FOUR)
x = Tensor("x", (n, i, k), "input")
lab = Tensor("lab", (n,), "input", integer=True)
z = Tensor("z", (n, i), "output")
RNG = np.random.default_rng(0)
VALUES = {"x": RNG.standard_normal((2, 4, 3))}


#: A machine on which nothing is written out in scalars.
LOOPS = replace(CPU, straight=0)


def right(rhs, values=VALUES):
    for machine in (CPU, LOOPS):
        check(System([Equation(z[n, i], rhs)]), values, "z", machine=machine)


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


def test_a_guard_that_bounds_a_loop_holds_for_what_does_not_change_in_it():
    """Σ_w x[n, i + j − w] is the same for every k, but where no k has i + j + k = 3 there is no such x."""
    w = Index("w", sympy.Integer(2))
    whole = Sum(sympy.exp(x[n, i + j - w, 0]), w)
    right(Sum(InRange(i + j + k - 3, 1) / whole, j, k))
    right(Sum(InRange(i + j + k - 3, 1) * sympy.sin(whole) * (1 + sympy.sin(whole)), j, k))
    right(Sum(InRange(i + j + k - 3, 1) / (1 + Max(x[n, i + j - w, 0] ** 2, w)), j, k))


def test_a_label_that_equals_a_position_in_range_is_in_range_only_there():
    values = VALUES | {"lab": np.array([3, 1]), "short": RNG.standard_normal((2, 2))}
    short = Tensor("short", (n, Index("a", sympy.Integer(2))), "input")
    there = Indicator(sympy.Eq(i, lab[n])) * InRange(i, 2)
    right(there * short[n, lab[n]] * x[n, i, 0], values)
    right(Indicator(sympy.Eq(i, lab[n])) * Indicator(short[n, lab[n]] * InRange(i, 2) > 0) * x[n, i, 0], values)
    right(there * Indicator(short[n, lab[n]] > 0) * x[n, i, 0], values)


def test_the_place_of_a_maximum_of_equals_is_the_first():
    w = Index("w", THREE)
    right(Sum(Indicator(sympy.Eq(k, ArgMax(x[n, i, 0], w, w))) * x[n, i, k], k))
    right(Sum(Indicator(sympy.Eq(k, ArgMax(x[n, 0, 0], w, w))) * x[n, i, k], k))


def test_a_function_of_a_number_is_no_number():
    right(x[n, i, 0] + nodes.Sigmoid(S.Zero))


def test_a_place_may_begin_with_what_is_taken_off():
    right(Sum(x[n, Floor((-Floor(i / 3) - k) / 2) + 3, 0], k))


def test_a_sum_of_what_is_made_beside_it_waits_for_it():
    beside = Tensor("beside", (n, i), "stored")
    for machine in (CPU, DIRECT, DOTS, ROWS, LINES):
        for rhs in (Sum(beside[n, i], k) / 2, Sum(beside[n, i] * x[n, i, k], k), Sum(beside[n, i], j, k) * x[n, i, 0]):
            system = System([Equation(beside[n, i], sympy.tanh(x[n, i, 1])), Equation(z[n, i], rhs)])
            check(system, VALUES, "z", machine=machine)


def test_terms_that_belong_to_different_places_are_not_added_to_each_other():
    p, q, u = Index("p", sympy.Integer(10)), Index("q", FOUR), Index("u", sympy.Integer(2))
    place = Floor((p - 2 * q - 2) / 3)
    narrow, long = Tensor("narrow", (u, q), "input"), Tensor("z", (p,), "output")
    rhs = Sum(narrow[place, q] * Divides(3, p - 2 * q - 2) * InRange(place, 2), q)
    check(System([Equation(long[p], rhs)]), {"narrow": RNG.standard_normal((2, 4))}, "z")


def test_one_entry_of_a_tensor_of_one_is_a_number():
    one, number = Tensor("one", (Index("a", S.One),), "input"), Tensor("number", (), "stored")
    system = System([Equation(number[()], one[0]), Equation(z[n, i], number[()] * x[n, i, 0])])
    check(system, VALUES | {"one": RNG.standard_normal(1)}, "z")


def test_what_a_guard_looks_for_has_names_of_its_own_inside_other_loops():
    w, v = Index("w", THREE), Index("v", THREE)
    first, second = ArgMax(x[n, lab[n], w], w, w), ArgMax(x[n, lab[n], w] * x[n, i, k + v - 1], w, w)
    inner = x[n, i, k + v - 1] * InRange(2 * (k + v) - 2, 5) * Indicator(sympy.Eq(v, second))
    there = Indicator(sympy.Eq(i, lab[n]))
    right(there * Sum(Indicator(sympy.Eq(k, first)) * sympy.tanh(Sum(inner, v)), k), VALUES | {"lab": np.array([3, 1])})
