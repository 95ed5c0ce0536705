"""Deck 3 (training neural networks): Nesterov momentum, gradient checks and their cost, averages of samples."""

from __future__ import annotations

import math

import numpy as np
import pytest

import symbackprop as sbp
from symbackprop.validate.differences import central, evaluations, forward


@pytest.mark.deck("D3.6")
def test_nesterov_momentum_with_cross_entropy_follows_its_formula(same):
    """v ← μ v + g; w ← w − η (g + μ v), on full batches of a softmax classifier, against NumPy."""
    net = sbp.Sequential([sbp.Input(3), sbp.Dense(2)], loss="softmax_cross_entropy", name="nesterov")
    rng = np.random.default_rng(6)
    W, b = rng.standard_normal((2, 3)), rng.standard_normal(2)
    X, Y = rng.standard_normal((8, 3)), rng.integers(0, 2, 8)
    params = net.parameters({"dense_1.W": W, "dense_1.b": b})
    net.compile(target="numpy", dtype="float64").fit(params, X, Y, optimizer=sbp.Nesterov(0.2, 0.9), epochs=6, batch_size=None)
    velocity = [0.0, 0.0]
    for _ in range(6):
        s = X @ W.T + b
        p = np.exp(s) / np.exp(s).sum(axis=1, keepdims=True)
        delta = (p - np.eye(2)[Y]) / 8
        for k, g in enumerate((delta.T @ X, delta.sum(axis=0))):
            velocity[k] = 0.9 * velocity[k] + g
            if k == 0:
                W = W - 0.2 * (g + 0.9 * velocity[0])
            else:
                b = b - 0.2 * (g + 0.9 * velocity[1])
    same(params["dense_1.W"], W, rtol=1e-11)
    same(params["dense_1.b"], b, rtol=1e-11)


@pytest.mark.deck("D3.7")
def test_the_error_curve_of_differences_is_the_decks(numbers):
    row = numbers["D3.7"]
    errors = row["approx_error"]

    def error(method, step):
        return abs(method(math.tanh, row["x"], step).value - row["derivative"])

    assert error(forward, 1e-5) == pytest.approx(errors["forward_eps_1e_5"], rel=0.1)
    assert error(central, 1e-3) == pytest.approx(errors["central_eps_1e_3"], rel=0.1)
    # Limited by rounding: orders of magnitude only.
    assert error(forward, 1.5e-8) < 5 * errors["forward_eps_1_5e_8"]
    assert error(central, 1e-5) < 10 * errors["central_eps_1e_5"]
    assert error(central, 1e-8) < 10 * errors["central_eps_1e_8"]
    best = {method: min(error(method, 10.0**-k) for k in np.arange(1, 14, 0.5)) for method in (forward, central)}
    assert best[central] < 1e-10 < best[forward] < 1e-7
    # Central: h² down to the optimum, 1/h after it.
    assert error(central, 1e-2) / error(central, 1e-3) == pytest.approx(100, rel=0.1)


@pytest.mark.deck("D3.7", "D3.5")
def test_the_cost_of_differences_is_counted_for_the_decks_network(numbers):
    row = numbers["D3.7"]["evaluations"]
    net = sbp.Sequential([sbp.Input(784), sbp.Dense(100, activation="tanh"), sbp.Dense(10)], loss="softmax_cross_entropy", name="mnist")
    dim = net.init(seed=0, dtype="float32").flat.size
    assert dim == row["dim_784_100_10"] == numbers["D3.5"]["count"]
    assert (evaluations("forward", dim), evaluations("central", dim)) == (dim + 1, 2 * dim)


@pytest.mark.deck("D3.12")
@pytest.mark.parametrize("target", ["numpy", "cpu"])
def test_the_gradient_of_the_mean_loss_is_the_mean_of_the_samples_gradients(target, same):
    net = sbp.Sequential([sbp.Input(4), sbp.Dense(5, activation="tanh"), sbp.Dense(3)], loss="softmax_cross_entropy", name="mean")
    rng = np.random.default_rng(12)
    params = net.init(seed=3, dtype="float64")
    X, Y = rng.standard_normal((7, 4)), rng.integers(0, 3, 7)
    program = net.compile(target=target, dtype="float64")
    loss, grads = program.value_and_grad(params, X, Y)
    singles = []
    for k in range(7):
        value, g = program.value_and_grad(params, X[k : k + 1].copy(), Y[k : k + 1].copy())
        singles.append((value, g.flat.copy()))
    same(loss, np.mean([value for value, _ in singles]))
    same(grads.flat, np.mean([g for _, g in singles], axis=0))


@pytest.mark.deck("D3.14")
def test_the_linear_classifier_with_softmax_and_cross_entropy_has_the_decks_numbers(numbers, same):
    row = numbers["D3.14"]
    net = sbp.Sequential([sbp.Input(2), sbp.Dense(2)], loss="softmax_cross_entropy", name="linear")
    given = {"dense_1.W": np.array(row["W"], dtype=float), "dense_1.b": np.array(row["b"]), "x": np.array([row["x"]], dtype=float)}
    found = net.derive().evaluate(given | {"y": np.array([row["class_index"]])})
    same(found["dense_1.z"][0], row["w"])
    same(found["loss"], row["H"])
    same(found["grad.dense_1.W"], row["dW"])
    same(found["grad.dense_1.b"], row["db"])
    same(found["grad.x"][0], row["dx"])
    same(found["delta.dense_1"][0], np.array(row["p"]) - np.array([1.0, 0.0]))
    params = net.parameters({name: given[name] for name in ("dense_1.W", "dense_1.b")})
    program = net.compile(target="numpy", dtype="float64")
    same(program.loss(params, given["x"], np.array([row["class_index"]])), row["H"])
