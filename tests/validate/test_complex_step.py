"""Complex step, dot products and 50 digits agree to rounding where the functions are smooth."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import sympy
from hand import network

from symbackprop.algebra.equation import Equation, System
from symbackprop.algebra.index import Index
from symbackprop.algebra.interpret import interpret
from symbackprop.algebra.nodes import Abs, Indicator, Log1p, LogSumExp, Max, Sigmoid, Softplus, Sum
from symbackprop.algebra.tensor import Tensor
from symbackprop.errors import DataError
from symbackprop.validate import precise
from symbackprop.validate.complex_step import Forward, gradient
from symbackprop.validate.dot_product import draw, pulled, pushed

i = Index("i", sympy.Integer(5))
x = Tensor("x", (i,), "input")
f = Tensor("f", ())

SMOOTH = {
    "exp": sympy.exp(x[i]),
    "log": sympy.log(2 + x[i] ** 2),
    "tanh": sympy.tanh(x[i]),
    "sigmoid": Sigmoid(3 * x[i]),
    "softplus": Softplus(3 * x[i]),
    "log1p": Log1p(x[i] ** 2),
    "erf": sympy.erf(x[i]),
    "erfc": sympy.erfc(x[i]),
    "sqrt": sympy.sqrt(1 + x[i] ** 2),
    "quotient": 1 / (3 + x[i]),
    "atan": sympy.atan(x[i]),
    "asinh": sympy.asinh(x[i]),
    "relu": x[i] * Indicator(x[i] > 0),
    "abs": Abs(x[i]) * x[i],
    "power": (2 + x[i]) ** sympy.Rational(5, 3),
}


def system(body):
    return System([Equation(f[()], Sum(body, i))])


@pytest.mark.parametrize("name", SMOOTH)
def test_complex_step_agrees_with_fifty_digits(name):
    values = {"x": np.array([-1.7, -0.4, 0.3, 0.9, 2.1])}
    slopes = gradient(system(SMOOTH[name]), values, "f", ["x"])["x"]
    for k in range(5):
        direction = np.zeros(5)
        direction[k] = 1
        assert slopes[k] == pytest.approx(precise.slope(system(SMOOTH[name]), values, "f", {"x": direction}), rel=5e-15, abs=1e-300)


@pytest.mark.parametrize("body", [LogSumExp(x[i], i), Max(x[i], i)])
def test_reductions_pass_complex_numbers(body):
    values = {"x": np.array([-1.7, -0.4, 0.3, 0.9, 800.0])}
    slopes = gradient(System([Equation(f[()], body)]), values, "f", ["x"])["x"]
    assert np.allclose(slopes, [0, 0, 0, 0, 1], atol=1e-15)


def test_a_saturated_sigmoid_has_a_slope_and_no_nan():
    slopes = gradient(system(Sigmoid(x[i])), {"x": np.array([-800.0, -40, 0, 40, 800])}, "f", ["x"])["x"]
    assert slopes[1] == pytest.approx(float(mpmath.exp(-40)), rel=1e-14)
    assert np.isfinite(slopes).all()


def test_the_dot_product_test_holds_for_right_gradients_and_fails_for_wrong_ones():
    model, derived = network()
    rng = np.random.default_rng(3)
    values = {r.name: rng.standard_normal(r.shape) for r in model.parameters} | {
        "x": rng.standard_normal((5, 3)),
        "y": rng.standard_normal((5, 2)),
    }
    both = interpret(derived.system, values)
    forward = Forward(model.system, values, "loss")
    gradients = {r.name: both[f"grad.{r.name}"] for r in model.parameters}
    for _ in range(5):
        v = draw({name: g.shape for name, g in gradients.items()}, rng)
        left, right = pushed(forward, v, {}), pulled(v, gradients)
        assert left == pytest.approx(right, rel=1e-13)
        wrong = gradients | {"dense_1.b": gradients["dense_1.b"] * (1 + 1e-6)}
        assert abs(pulled(v, wrong) - left) > 1e-12


def test_a_step_of_the_chain_rule_ends_at_the_nearest_known_cotangents():
    model, _ = network()
    rng = np.random.default_rng(4)
    values = {r.name: rng.standard_normal(r.shape) for r in model.parameters} | {
        "x": rng.standard_normal((2, 3)),
        "y": rng.standard_normal((2, 2)),
    }
    forward = Forward(model.system, values, "loss")
    reached = forward.tangents({"dense_1.z": np.ones((2, 4))}, stop=("dense_1.a", "dense_2.z"))
    assert list(reached) == ["dense_1.a"]
    assert np.allclose(reached["dense_1.a"], 1 - forward.values["dense_1.a"] ** 2, rtol=1e-15)
    assert list(forward.tangents({"dense_1.z": np.ones((2, 4))})) == ["loss"]


def test_an_unknown_tensor_is_refused_by_name():
    with pytest.raises(DataError, match="g is no tensor of this system"):
        Forward(system(x[i]), {"x": np.zeros(5)}, "g")
    with pytest.raises(DataError, match="no value is given for x"):
        Forward(system(x[i]), {}, "f")
