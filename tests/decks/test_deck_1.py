"""Deck 1 (backpropagation in deep networks): softmax, cross-entropy, momentum and weight decay, in the right order and sign."""

from __future__ import annotations

import numpy as np
import pytest

import symbackprop as sbp


def scores_network(classes, **options):
    """A Dense layer that the tests give the identity as weights: its scores are the input."""
    return sbp.Sequential([sbp.Input(classes), sbp.Dense(classes, **options.pop("dense", {}))], name="scores", **options)


def on_scores(scores, target):
    size = len(scores)
    return {"dense_1.W": np.eye(size), "dense_1.b": np.zeros(size), "x": np.array([scores], dtype=float), "y": np.asarray(target)}


def square():
    """The loss w²: one weight, input 1, target 0."""
    return sbp.Sequential([sbp.Input(1), sbp.Dense(1, bias=False)], loss="mse", name="square")


def trajectory(optimizer, steps, start=1.0, x=1.0, **options):
    net = sbp.Sequential([sbp.Input(1), sbp.Dense(1, bias=False)], loss="mse", name="square", **options)
    program = net.compile(target="numpy", dtype="float64")
    path = []
    for epochs in range(1, steps + 1):
        params = net.parameters({"dense_1.W": np.array([[start]])})
        program.fit(params, np.array([[x]]), np.array([[0.0]]), optimizer=optimizer, epochs=epochs, batch_size=None)
        path.append(float(params["dense_1.W"][0, 0]))
    return path


@pytest.mark.deck("D1.1", "D1.2")
def test_hidden_and_output_functions_may_differ(same):
    net = sbp.Sequential(
        [sbp.Input(3), sbp.Dense(4, activation="tanh"), sbp.Dense(2, activation="softmax")], loss="cross_entropy", name="mlp"
    )
    rng = np.random.default_rng(1)
    given = {"dense_1.W": rng.standard_normal((4, 3)), "dense_1.b": rng.standard_normal(4)}
    given |= {"dense_2.W": rng.standard_normal((2, 4)), "dense_2.b": rng.standard_normal(2)}
    given |= {"x": rng.standard_normal((5, 3)), "y": np.array([0, 1, 1, 0, 1])}
    found = net.derive().evaluate(given)
    a2 = given["dense_1.b"] + given["x"] @ given["dense_1.W"].T
    h2 = np.tanh(a2)
    a3 = given["dense_2.b"] + h2 @ given["dense_2.W"].T
    p = np.exp(a3) / np.exp(a3).sum(axis=1, keepdims=True)
    for name, expected in (("dense_1.z", a2), ("dense_1.a", h2), ("dense_2.z", a3), ("dense_2.a", p)):
        same(found[name], expected)


@pytest.mark.deck("D1.3", "D1.8")
def test_softmax_has_the_decks_values_and_the_full_jacobian(numbers, same):
    row = numbers["D1.3"]
    derivation = scores_network(4, dense={"activation": "softmax"}, loss="cross_entropy").derive()
    given = on_scores(row["a"], np.array([[0.0, 1, 0, 0]]))
    same(derivation.evaluate(given)["dense_1.a"][0], row["p"])
    jacobian = derivation.jacobian("dense_1.a", "dense_1.z").evaluate(given)
    same(np.asarray(jacobian).reshape(4, 4), row["jacobian"])


@pytest.mark.deck("D1.4", "D1.8")
@pytest.mark.parametrize("rows", [True, False])
@pytest.mark.parametrize("fused", [True, False])
def test_cross_entropy_on_softmax_has_the_error_term_p_minus_y(numbers, same, rows, fused):
    row = numbers["D1.8"]
    net = (
        scores_network(4, loss="softmax_cross_entropy")
        if fused
        else scores_network(4, dense={"activation": "softmax"}, loss="cross_entropy")
    )
    given = on_scores(numbers["D1.3"]["a"], np.array([row["y"]], dtype=float) if rows else np.array([1]))
    found = net.derive().evaluate(given)
    same(found["loss"], row["loss"])
    same(found["delta.dense_1"][0], row["delta"])
    # E10: the elementwise formula of the deck would leave the other classes without a gradient.
    difference = np.abs(found["delta.dense_1"][0] - np.array(row["wrong_elementwise"]))
    assert np.all(difference[[0, 2, 3]] > 0.2)


@pytest.mark.deck("D1.11")
def test_gradient_descent_takes_the_step_of_the_deck(same):
    for optimizer in (sbp.SGD(0.1), sbp.GradientDescent(0.1)):
        same(trajectory(optimizer, 3), [0.8, 0.64, 0.512])


@pytest.mark.deck("D1.12")
def test_momentum_updates_the_velocity_first(numbers, same):
    row = numbers["D1.12"]
    found = trajectory(sbp.Momentum(row["lr"], row["mu"]), 5, start=row["w0"])
    same(found, row["right"])
    for wrong in ("E11_printed_gradient_once_per_step", "E11_printed_gradient_after_w_step"):
        assert not np.allclose(found, row[wrong], atol=1e-2)


@pytest.mark.deck("D1.13")
def test_weight_decay_shrinks_a_negative_weight(numbers, same):
    row = numbers["D1.13"]
    lr, lam = row["lr"], row["lam"]
    start = {"start": float(row["w"]), "x": 0.0}
    same(trajectory(sbp.SGD(lr, weight_decay=lam), 1, **start), [row["l2"]])
    same(trajectory(sbp.SGD(lr), 1, regularizer=sbp.L2(lam), **start), [row["l2"]])
    same(trajectory(sbp.SGD(lr), 1, regularizer=sbp.L1(lam), **start), [row["l1"]])
    # The deck's "−λW" without the rate: the decoupled decay multiplies by the rate, as AdamW does.
    same(trajectory(sbp.SGD(lr, weight_decay=lam / lr, decoupled=True), 1, **start), [row["decoupled"]])
    assert all(abs(w) < 1 < abs(row["E12_printed"]) for w in (row["l2"], row["l1"], row["decoupled"]))


@pytest.mark.deck("D1.5")
def test_the_penalty_is_on_weights_only(numbers, same):
    row = numbers["D1.5"]
    net = sbp.Sequential([sbp.Input(2), sbp.Dense(2)], loss="half_squared_error", regularizer=sbp.L2(row["lam"]), name="decay")
    W = np.array(row["W"], dtype=float)
    # With x = 0 and y = b the data term and its gradients vanish.
    given = {"dense_1.W": W, "dense_1.b": np.array([3.0, -4.0]), "x": np.zeros((1, 2)), "y": np.array([[3.0, -4.0]])}
    found = net.derive().evaluate(given)
    same(found["loss"], row["penalty"])
    same(found["grad.dense_1.W"], row["dW"])
    same(found["grad.dense_1.b"], [0, 0])
