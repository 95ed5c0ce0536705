"""The kink policy: a sample near a kink is moved and the report says so; the tolerance stays."""

from __future__ import annotations

import numpy as np
import sympy
from hand import network, program

from symbackprop.algebra.equation import Equation, System
from symbackprop.algebra.index import Index, Size
from symbackprop.algebra.nodes import Abs, ArgMax, Floor, Indicator, InRange, Max, Sign, Sum
from symbackprop.algebra.tensor import Tensor
from symbackprop.validate import sample as sampling
from symbackprop.validate.check import check_network
from symbackprop.validate.complex_step import Forward
from symbackprop.validate.kinks import kinks, nearness
from symbackprop.validate.tolerances import KINK_MARGIN

N = Size("N")
n, i, c = Index("n", N), Index("i", sympy.Integer(3)), Index("c", sympy.Integer(3))
x = Tensor("x", (n, i), "input")
lab = Tensor("lab", (n,), "input", integer=True)
q, f = Tensor("q", (n, i)), Tensor("f", ())
VALUES = {"x": np.array([[-2.0, 0.5, 3.0], [1.0, 1.25, -4.0]]), "lab": np.array([0, 2])}


def margins(rhs):
    system = System([Equation(f[()], rhs)])
    forward = Forward(system, VALUES, "f")
    return [k.margins(forward.values, forward.sizes) for k in kinks(forward.equations)]


def test_comparisons_absolute_values_and_signs_have_the_distance_to_zero():
    for rhs in (x[n, i] * Indicator(x[n, i] > 0), Abs(x[n, i]), x[n, i] * Sign(x[n, i])):
        (found,) = margins(Sum(rhs, n, i))
        assert np.array_equal(found, np.abs(VALUES["x"]))


def test_a_maximum_has_the_distance_between_its_two_largest():
    (found,) = margins(Sum(Max(x[n, i], i), n))
    assert np.array_equal(found, [2.5, 0.25])
    (found,) = margins(Sum(ArgMax(x[n, i], i, i), n))
    assert np.array_equal(found, [2.5, 0.25])


def test_floor_has_the_distance_to_the_next_integer():
    (found,) = margins(Sum(Floor(x[n, i] / 2) * x[n, i], n, i))
    assert np.array_equal(found, [[0.0, 0.25, 0.5], [0.5, 0.375, 0.0]])


def test_comparisons_of_positions_and_labels_are_no_kinks():
    body = x[n, c] * Indicator(sympy.Ne(c, lab[n])) + x[n, c] * Indicator(sympy.Eq(c, lab[n])) + x[n, c] * InRange(c - 1, 3)
    assert margins(Sum(body, n, c)) == []


def test_what_a_guard_switches_off_has_no_margin():
    away = Indicator(sympy.Ne(c, lab[n]))
    difference = x[n, c] - x[n, lab[n]]
    (found,) = margins(Sum(away * difference * Indicator(difference > 0), n, c))
    assert np.isinf(found[0, 0]) and np.isinf(found[1, 2])
    assert found[0, 1] == 2.5


def test_rows_near_a_kink_are_named_and_a_nan_counts_as_near():
    system = System([Equation(q[n, i], x[n, i] * Indicator(x[n, i] > 0)), Equation(f[()], Sum(q[n, i], n, i))])
    for bad in (3e-5, -3e-5, np.nan):
        values = {"x": np.array([[-2.0, 0.5, 3.0], [1.0, bad, -4.0]])}
        forward = Forward(system, values, "f")
        found = nearness(kinks(forward.equations), forward.values, forward.sizes, KINK_MARGIN, N)
        assert (found.rows, found.tensors, found.count) == ((1,), (), 1)


def test_a_sample_at_a_kink_is_moved_and_counted(monkeypatch):
    model, derived = network(hidden="relu")
    params = {r.name: np.ones(r.shape) * 0.3 for r in model.parameters} | {"dense_1.b": np.zeros(4)}
    honest = sampling._data
    first = True

    def planted(model, name, batch, rng, dtype):
        nonlocal first
        data = honest(model, name, batch, rng, dtype)
        if name == "x" and first:
            data[2] = 0.0  # every pre-activation of this row is exactly at the kink
            first = False
        return data

    monkeypatch.setattr(sampling, "_data", planted)
    report = check_network(model, derived, program(derived), params=params)
    assert report.ok and report.kinks_moved == 1
    assert "kinks: 1 sample point moved, 0 entries skipped" in str(report)


def test_parameters_of_a_penalty_are_pushed_off_its_kink():
    model, _ = network()
    W = model.system.tensors["dense_1.W"]
    j, k = W.axes
    penalised = (*model.system.equations[:-1], Equation(f[()], model.system.equations[-1].rhs + Sum(Abs(W[j, k]), j, k)))
    forward = Forward(
        System(penalised), {r.name: np.zeros(r.shape) for r in model.parameters} | {"x": np.ones((2, 3)), "y": np.ones((2, 2))}, "f"
    )
    found = nearness(kinks(forward.equations), forward.values, forward.sizes, KINK_MARGIN, N)
    assert found.tensors == ("dense_1.W",) and found.rows == ()
    moved, count = sampling._pushed(np.zeros((4, 3)), np.float64)
    assert count == 12 and (np.abs(moved) >= KINK_MARGIN).all()


def test_samples_are_the_same_for_the_same_seed_and_exact_in_the_dtype():
    model, _ = network()
    one, two, other = (sampling.sample(model, dtype=np.float32, seed=s) for s in (1, 1, 2))
    assert all(np.array_equal(one.values[name], two.values[name]) for name in one.values)
    assert not np.array_equal(one.values["x"], other.values["x"])
    assert all(np.array_equal(v, v.astype(np.float32)) for v in one.values.values())


def test_the_margin_is_more_than_ten_central_steps():
    assert 10 * np.finfo(np.float64).eps ** (1 / 3) < KINK_MARGIN


def test_a_kink_that_is_never_crossed_does_not_count():
    """A flat piece upstream holds the quantity at 0 whatever the sample: no difference can cross that kink."""
    flat = x[n, i] * Indicator(x[n, i] > 0)
    equations = [Equation(q[n, i], flat), Equation(f[()], Sum(q[n, i] * Indicator(q[n, i] > 0), n, i))]
    forward = Forward(System(equations), VALUES, "f")
    found = kinks(forward.equations)
    assert nearness(found, forward.values, forward.sizes, KINK_MARGIN, N).count == 2
    moved = forward.moved({"x": np.ones((2, 3))})
    assert nearness(found, forward.values, forward.sizes, KINK_MARGIN, N, moved).count == 0
    zero = Forward(System(equations), {"x": np.zeros((2, 3))}, "f")
    assert nearness(found, zero.values, zero.sizes, KINK_MARGIN, N, zero.moved({"x": np.ones((2, 3))})).count == 6
