"""Deck 2 (neural networks and backpropagation, after cs231n): hinge, softmax loss, own functions in index notation."""

from __future__ import annotations

import time

import numpy as np
import pytest

import symbackprop as sbp
from symbackprop.validate.differences import evaluations, forward, gradient


def on_scores(loss, scores, target, **options):
    size = len(scores)
    net = sbp.Sequential([sbp.Input(size), sbp.Dense(size)], loss=loss, name="scores", **options)
    given = {"dense_1.W": np.eye(size), "dense_1.b": np.zeros(size), "x": np.array([scores], dtype=float), "y": np.asarray(target)}
    return net.derive().evaluate(given)


@pytest.mark.deck("D2.1")
def test_multiclass_hinge_has_the_value_and_gradient_of_the_example(numbers, same):
    row = numbers["D2.1"]
    found = on_scores("multiclass_hinge", row["s"], [row["y"]])
    same(found["loss"], row["loss"])
    same(found["delta.dense_1"][0], row["ds"])


@pytest.mark.deck("D2.2")
@pytest.mark.parametrize(
    ("regularizer", "penalty", "slope"),
    [
        (lambda lam: sbp.L2(lam), lambda W, lam: lam / 2 * np.sum(W**2), lambda W, lam: lam * W),
        (lambda lam: sbp.L1(lam), lambda W, lam: lam * np.sum(np.abs(W)), lambda W, lam: lam * np.sign(W)),
        (
            lambda lam: sbp.ElasticNet(lam, lam),
            lambda W, lam: lam * np.sum(np.abs(W)) + lam / 2 * np.sum(W**2),
            lambda W, lam: lam * (np.sign(W) + W),
        ),
    ],
)
def test_the_full_loss_averages_the_samples_and_adds_the_penalty_once(regularizer, penalty, slope, same):
    lam, lr = 0.03, 0.2
    rng = np.random.default_rng(2)
    W, b = rng.standard_normal((3, 4)), rng.standard_normal(3)
    X, Y = rng.standard_normal((6, 4)), rng.integers(0, 3, 6)
    plain = sbp.Sequential([sbp.Input(4), sbp.Dense(3)], loss="multiclass_hinge", name="plain").derive()
    singles = [plain.evaluate({"dense_1.W": W, "dense_1.b": b, "x": X[k : k + 1], "y": Y[k : k + 1]}) for k in range(6)]
    net = sbp.Sequential([sbp.Input(4), sbp.Dense(3)], loss="multiclass_hinge", regularizer=regularizer(lam), name="full")
    program = net.compile(target="numpy", dtype="float64")
    params = net.parameters({"dense_1.W": W, "dense_1.b": b})
    loss, grads = program.value_and_grad(params, X, Y)
    same(loss, np.mean([s["loss"] for s in singles]) + penalty(W, lam))
    expected = np.mean([s["grad.dense_1.W"] for s in singles], axis=0) + slope(W, lam)
    same(grads["dense_1.W"], expected)
    same(grads["dense_1.b"], np.mean([s["grad.dense_1.b"] for s in singles], axis=0))
    program.fit(params, X, Y, optimizer=sbp.SGD(lr), epochs=1, batch_size=None)
    same(params["dense_1.W"], W - lr * expected)


@pytest.mark.deck("D2.3")
def test_the_softmax_loss_has_the_value_and_gradient_of_the_example(numbers, same):
    row = numbers["D2.3"]
    found = on_scores("softmax_cross_entropy", row["s"], [row["y"]])
    same(found["loss"], row["loss"])
    same(found["delta.dense_1"][0], row["ds"])


@pytest.mark.deck("D2.4")
def test_forward_differences_are_offered_with_their_cost(numbers):
    row = numbers["D2.3"]
    calls = 0

    def loss(values):
        nonlocal calls
        calls += 1
        s = values["s"]
        return float(np.log(np.sum(np.exp(s))) - s[row["y"]])

    found = gradient(loss, {"s": np.array(row["s"])}, "forward")
    assert calls == found.evaluations == evaluations("forward", 3) == 4
    np.testing.assert_allclose(found.values["s"], row["ds"], atol=1e-6)
    assert forward(lambda x: x * x, 3.0).value == pytest.approx(6, abs=1e-6)


@pytest.mark.deck("D2.14")
def test_the_jacobian_of_relu_on_4096_numbers_is_found_diagonal_and_never_built(numbers, same):
    row = numbers["D2.14"]
    net = sbp.Sequential([sbp.Input(row["n"]), sbp.Activation("relu")], loss="half_squared_error", name="wide")
    start = time.process_time()
    derivation = net.derive(per="sample")
    jacobian = derivation.jacobian("activation_1.a", "x")
    assert jacobian.shape == (4096, 4096) and jacobian.entries == row["entries"]
    assert jacobian.is_diagonal and jacobian.max_nonzero == row["max_nonzero"]
    x = np.linspace(-1, 1, row["n"])
    same(jacobian.diagonal({"x": x}), (x > 0).astype(float))
    # The gradient is a selection, entry by entry: nothing of 64 MiB, let alone a batch of them, is ever needed.
    assert row["entries"] * 4 / 2**20 == row["float32_MiB"] and (row["batch"] * row["n"]) ** 2 == row["batch_entries"]
    assert "Sum" not in str(derivation.gradients["x"].index.rhs)
    same(derivation.gradients["x"].evaluate({"x": x, "y": np.maximum(x, 0) - 1}), (x > 0).astype(float))
    assert time.process_time() - start < 5


@pytest.mark.deck("D2.15", "D2.16")
def test_the_squared_norm_of_a_product_has_both_gradients(numbers, same):
    n, m = sbp.sizes("n m")
    i, j = sbp.indices("i j", m, n)
    W, x, q, f = sbp.tensor("W", i, j), sbp.tensor("x", j), sbp.tensor("q", i), sbp.tensor("f")
    system = sbp.System([sbp.Equation(q[i], sbp.Sum(W[i, j] * x[j], j)), sbp.Equation(f[()], sbp.Sum(q[i] ** 2, i))])
    derivation = sbp.derive(system, of="f", wrt=["W", "x"])
    row = numbers["D2.15"]
    given = {"W": np.array(row["W"]), "x": np.array(row["x"])}
    found = derivation.evaluate(given)
    same(found["q"], row["q"])
    same(found["f"], row["f"])
    same(sbp.derive(system, of="f", wrt=["q"]).gradients["q"].evaluate(given), row["dq"])
    for form in ("index", "matrix"):
        same(derivation.gradients["W"].evaluate(given, form=form), row["dW"])
        same(derivation.gradients["x"].evaluate(given, form=form), numbers["D2.16"]["dx"])
    assert derivation.gradients["W"].matrix is not None and derivation.gradients["x"].matrix is not None
    rng = np.random.default_rng(0)
    other = {"W": rng.standard_normal((5, 3)), "x": rng.standard_normal(3)}
    q = other["W"] @ other["x"]
    same(derivation.gradients["W"].evaluate(other), 2 * np.outer(q, other["x"]))
    same(derivation.gradients["x"].evaluate(other), 2 * other["W"].T @ q)


@pytest.mark.deck("D2.18")
@pytest.mark.parametrize("depth", [2, 3])
def test_networks_without_biases_are_products_and_maxima(depth, same):
    widths = (4, 6, 5, 3)[: depth + 1]
    layers = [sbp.Dense(w, activation="relu" if k < depth - 1 else None, bias=False) for k, w in enumerate(widths[1:])]
    net = sbp.Sequential([sbp.Input(4), *layers], loss="half_squared_error", name="products")
    rng = np.random.default_rng(3)
    weights = {f"dense_{k}.W": rng.standard_normal((widths[k], widths[k - 1])) for k in range(1, depth + 1)}
    params = net.parameters(weights)
    assert list(params) == list(weights)
    X = rng.standard_normal((7, 4))
    expected = X
    for k in range(1, depth + 1):
        expected = expected @ weights[f"dense_{k}.W"].T
        expected = np.maximum(expected, 0) if k < depth else expected
    same(net.compile(target="numpy", dtype="float64").predict(params, X), expected)
