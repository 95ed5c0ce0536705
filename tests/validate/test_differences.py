"""Differences: their orders of error, Ridders' estimate, and what they cost."""

from __future__ import annotations

import math

import numpy as np
import pytest

from symbackprop.errors import DataError
from symbackprop.validate.differences import central, evaluations, five_point, forward, gradient, ridders


def tanh_slope(x: float) -> float:
    return 1 - math.tanh(x) ** 2


@pytest.mark.parametrize(("method", "worst"), [(forward, 5e-8), (central, 2e-10), (five_point, 2e-11), (ridders, 1e-11)])
@pytest.mark.parametrize("x", [-1.3, 0.0, 0.7, 2.5])
def test_the_default_step_reaches_the_accuracy_of_the_method(method, worst, x):
    found = method(math.tanh, x)
    assert abs(found.value - tanh_slope(x)) < worst


def test_the_step_grows_with_the_size_of_the_argument():
    x = 1e6
    assert abs(central(lambda t: t * t, x).value - 2 * x) < 1e-8 * x


@pytest.mark.parametrize("f", [(math.exp, math.exp), (math.sin, math.cos), (math.tanh, tanh_slope), (lambda t: t**5, lambda t: 5 * t**4)])
@pytest.mark.parametrize("x", np.linspace(-1.5, 1.5, 13))
def test_the_estimate_of_ridders_covers_its_error(f, x):
    function, slope = f
    found = ridders(function, float(x))
    actual = abs(found.value - slope(x))
    assert actual <= 10 * found.error + 1e-15
    assert found.error < 1e-8 * max(abs(slope(x)), 1e-3)


def test_ridders_says_that_it_does_not_know_at_a_kink():
    # The two slopes of max(t, -2t) average to -0.5; the estimate is exact for that average, but next to the kink it is large.
    assert ridders(abs, 0.01).error > 1e-3


def test_the_cost_is_what_the_lectures_say():
    calls = 0

    def f(values):
        nonlocal calls
        calls += 1
        return float(np.sum(np.tanh(values["w"])) + values["b"])

    values = {"w": np.linspace(-1, 1, 6).reshape(2, 3), "b": 0.5}
    for method, cost in (("forward", 7 + 1), ("central", 2 * 7), ("five-point", 4 * 7)):
        calls = 0
        found = gradient(f, values, method)
        assert calls == found.evaluations == cost == evaluations(method, 7)
        assert np.allclose(found.values["w"], 1 - np.tanh(values["w"]) ** 2, atol=1e-7)
        assert found.values["b"].shape == () and abs(found.values["b"] - 1) < 1e-7
    calls = 0
    found = gradient(f, values, "ridders")
    assert calls == found.evaluations <= evaluations("ridders", 7)
    assert (found.errors["w"] < 1e-9).all()


def test_an_unknown_method_is_refused_by_name():
    with pytest.raises(DataError, match="'backward' is not one of forward, central"):
        gradient(lambda values: 0.0, {"w": 1.0}, "backward")
