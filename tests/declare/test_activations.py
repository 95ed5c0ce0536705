"""Every activation's equation, interpreted, against a formula written here by hand."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from scipy.special import erf

import symbackprop as sbp
from symbackprop.algebra.interpret import interpret
from symbackprop.declare.activations import ACTIVATIONS
from symbackprop.declare.lower import lower


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772

FORMULAS = {
    "identity": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.1 * z),
    "elu": lambda z: np.where(z > 0, z, np.expm1(z)),
    "selu": lambda z: SELU_SCALE * np.where(z > 0, z, SELU_ALPHA * np.expm1(z)),
    "celu": lambda z: np.where(z > 0, z, np.expm1(z)),
    "softplus": lambda z: np.logaddexp(0, z),
    "softsign": lambda z: z / (1 + np.abs(z)),
    "silu": lambda z: z / (1 + np.exp(-z)),
    "mish": lambda z: z * np.tanh(np.logaddexp(0, z)),
    "gelu": lambda z: z * 0.5 * (1 + erf(z / np.sqrt(2))),
    "gelu_tanh": lambda z: 0.5 * z * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))),
    "hard_sigmoid": lambda z: np.clip(z + 3, 0, 6) / 6,
    "hard_tanh": lambda z: np.clip(z, -1, 1),
    "relu6": lambda z: np.clip(z, 0, 6),
    "log_sigmoid": lambda z: -np.logaddexp(0, -z),
    "exponential": np.exp,
    "softmax": softmax,
    "log_softmax": lambda z: np.log(softmax(z)),
}

GRID = np.array([[-7.0, -3.0, -1.0, -0.25, 0.0], [0.5, 1.0, 2.75, 3.0, 6.0], [6.5, 0.1, -0.1, 4.0, -2.0]])


def output(layer, x):
    net = sbp.Sequential([sbp.Input(x.shape[1:]), layer])
    model = lower(net.spec)
    return interpret(model.system, {"x": x})[model.outputs[0]]


def test_the_table_and_the_formulas_name_the_same_activations():
    assert set(ACTIVATIONS) == set(FORMULAS)


@pytest.mark.parametrize("name", sorted(FORMULAS))
def test_activation_is_its_formula(name):
    # Naive forms lose digits by cancellation, exp(z) − 1 the most: 1e-13 of values of size one.
    np.testing.assert_allclose(output(sbp.Activation(name), GRID), FORMULAS[name](GRID), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "tanh"])
def test_activation_acts_on_the_last_axis_of_any_rank(name):
    x = np.random.default_rng(0).standard_normal((2, 3, 4))
    np.testing.assert_allclose(output(sbp.Activation(name), x), FORMULAS[name](x), rtol=1e-13)


@pytest.mark.parametrize(
    ("name", "options", "formula"),
    [
        ("leaky_relu", {"slope": 0.01}, lambda z: np.where(z > 0, z, 0.01 * z)),
        ("elu", {"alpha": 0.5}, lambda z: np.where(z > 0, z, 0.5 * np.expm1(z))),
        ("celu", {"alpha": 2.0}, lambda z: np.where(z > 0, z, 2 * np.expm1(z / 2))),
    ],
)
def test_options_change_the_formula(name, options, formula):
    np.testing.assert_allclose(output(sbp.Activation(name, **options), GRID), formula(GRID), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("own", [lambda z: z / (1 + sympy.exp(-z)), "z/(1 + exp(-z))"], ids=["function", "text"])
def test_own_activation_is_what_it_says(own):
    np.testing.assert_allclose(output(sbp.Activation("swish", own), GRID), FORMULAS["silu"](GRID), rtol=1e-13)


def test_own_activation_may_be_a_sympy_expression_and_may_have_options():
    u = sympy.Symbol("u")
    np.testing.assert_allclose(output(sbp.Activation("cube", u**3), GRID), GRID**3, rtol=1e-13)
    np.testing.assert_allclose(output(sbp.Activation("steep", "tanh(k*z)", k=2), GRID), np.tanh(2 * GRID), rtol=1e-13)


def test_max_and_abs_in_an_own_activation_are_understood():
    np.testing.assert_allclose(
        output(sbp.Activation("hat", lambda z: sympy.Max(0, 1 - sympy.Abs(z))), GRID), np.maximum(0, 1 - np.abs(GRID))
    )


@pytest.mark.parametrize("name", sorted(set(FORMULAS) - {"softmax", "log_softmax"}))
def test_nan_propagates(name):
    x = np.array([[np.nan, 1.0]])
    out = output(sbp.Activation(name), x)
    assert np.isnan(out[0, 0])
    assert not np.isnan(out[0, 1])


def test_a_name_without_an_expression_stays_unspecified_and_refuses_to_run():
    layer = sbp.Activation("f")
    assert layer.function.unspecified
    with pytest.raises(sbp.DataError, match="f has no expression"):
        output(layer, GRID)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: sbp.Dense(3, activation="rleu"), "did you mean 'relu'"),
        (lambda: sbp.Dense(3, activation="import os"), "not an identifier"),
        (lambda: sbp.Dense(3, activation=7), "must be a name"),
        (lambda: sbp.Activation("relu", slope=1.0), "no option 'slope'"),
        (lambda: sbp.Activation("leaky_relu", slope="x"), "finite number"),
        (lambda: sbp.Activation("leaky_relu", slope=float("nan")), "finite number"),
        (lambda: sbp.Activation("relu", "z"), "already defined"),
        (lambda: sbp.Activation("f\nimport os", "z"), "not an identifier"),
        (lambda: sbp.Activation("lambda", "z"), "keyword"),
        (lambda: sbp.Activation("g", "z.real"), "Attribute"),
        (lambda: sbp.Activation("g", 3), "expression"),
    ],
)
def test_bad_activations_are_refused_in_one_line(make, said):
    with pytest.raises(sbp.DeclarationError, match=said) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_an_own_function_that_needs_numbers_is_explained_at_lowering():
    with pytest.raises(sbp.DeclarationError, match="use SymPy's functions"):
        output(sbp.Activation("g", np.exp), GRID)
    with pytest.raises(sbp.DeclarationError, match="neither z nor an option"):
        output(sbp.Activation("g", lambda z: z * sympy.Symbol("q")), GRID)
