"""Optimizers on the quadratic w²: against closed forms where the updates are linear, else against the published recursions."""

from __future__ import annotations

import numpy as np
import pytest

import symbackprop as sbp

STEPS = 12
START = 1.5


def trajectory(optimizer, steps=STEPS):
    """Return w after 1, 2, ... steps on the loss w², whose gradient is 2w."""
    net = sbp.Sequential([sbp.Input(1), sbp.Dense(1, bias=False)], loss="mse", name="square")
    program = net.compile(target="numpy", dtype="float64")
    x, y = np.ones((1, 1)), np.zeros((1, 1))
    path = []
    for epochs in range(1, steps + 1):
        params = net.parameters({"dense_1.W": np.array([[START]])})
        program.fit(params, x, y, optimizer=optimizer, epochs=epochs, batch_size=None)
        path.append(float(params["dense_1.W"][0, 0]))
    return np.array(path)


def powers(matrix, start):
    """Return the first component of matrixᵏ start for k = 1, 2, ...: the closed form of a linear recursion."""
    return np.array([(np.linalg.matrix_power(np.array(matrix), k) @ start)[0] for k in range(1, STEPS + 1)])


@pytest.mark.parametrize("lr", [0.1, 0.45, 1.05])
def test_gradient_descent_is_geometric(lr):
    """Each step multiplies w by 1 − 2η: it shrinks for η < 1 and grows beyond."""
    k = np.arange(1, STEPS + 1)
    for optimizer in (sbp.GradientDescent(lr), sbp.SGD(lr)):
        np.testing.assert_allclose(trajectory(optimizer), START * (1 - 2 * lr) ** k, rtol=1e-12)


@pytest.mark.parametrize(("lr", "mu"), [(0.1, 0.9), (0.02, 0.5), (0.3, 0.0)])
def test_momentum_is_a_linear_recursion(lr, mu):
    """v ← μv + 2w; w ← w − ηv."""
    expected = powers([[1 - 2 * lr, -lr * mu], [2, mu]], [START, 0])
    np.testing.assert_allclose(trajectory(sbp.Momentum(lr, mu)), expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize(("lr", "mu"), [(0.1, 0.9), (0.02, 0.5)])
def test_nesterov_is_a_linear_recursion(lr, mu):
    """v ← μv + 2w; w ← w − η(2w + μv) with the new v."""
    expected = powers([[1 - 2 * lr * (1 + mu), -lr * mu**2], [2, mu]], [START, 0])
    np.testing.assert_allclose(trajectory(sbp.Nesterov(lr, mu)), expected, rtol=1e-11, atol=1e-13)


def test_weight_decay_adds_to_the_slope_and_decoupled_decay_multiplies_the_weight():
    lr, lam = 0.1, 0.05
    k = np.arange(1, STEPS + 1)
    np.testing.assert_allclose(trajectory(sbp.SGD(lr, weight_decay=lam)), START * (1 - lr * (2 + lam)) ** k, rtol=1e-12)
    np.testing.assert_allclose(trajectory(sbp.SGD(lr, weight_decay=lam, decoupled=True)), START * (1 - lr * lam - 2 * lr) ** k, rtol=1e-12)


def test_clipping_comes_first_and_limits_the_step():
    lr = 0.1
    found = trajectory(sbp.SGD(lr, clip_norm=1.0))
    w, expected = START, []
    for _ in range(STEPS):
        g = 2 * w
        w -= lr * g * min(1, 1 / (abs(g) + 1e-6))
        expected.append(w)
    np.testing.assert_allclose(found, expected, rtol=2e-6)


def recursion(update):
    w, state, path = START, {}, []
    for t in range(1, STEPS + 1):
        w = update(w, 2 * w, state, t)
        path.append(w)
    return path


def adagrad(w, g, state, t):
    state["s"] = state.get("s", 0.0) + g * g
    return w - 0.1 * g / (np.sqrt(state["s"]) + 1e-10)


def rmsprop(w, g, state, t):
    state["s"] = 0.99 * state.get("s", 0.0) + 0.01 * g * g
    return w - 0.01 * g / (np.sqrt(state["s"]) + 1e-8)


def adam(w, g, state, t, decay=0.0):
    w = w - 0.1 * decay * w
    state["m"] = 0.9 * state.get("m", 0.0) + 0.1 * g
    state["v"] = 0.999 * state.get("v", 0.0) + 0.001 * g * g
    m, v = state["m"] / (1 - 0.9**t), state["v"] / (1 - 0.999**t)
    return w - 0.1 * m / (np.sqrt(v) + 1e-8)


@pytest.mark.parametrize(
    ("optimizer", "update"),
    [
        (lambda: sbp.AdaGrad(0.1), adagrad),
        (lambda: sbp.RMSProp(0.01), rmsprop),
        (lambda: sbp.Adam(0.1), adam),
        (lambda: sbp.AdamW(0.1), lambda w, g, state, t: adam(w, g, state, t, decay=0.01)),
        (lambda: sbp.AdamW(0.1, weight_decay=0.2), lambda w, g, state, t: adam(w, g, state, t, decay=0.2)),
    ],
    ids=["AdaGrad", "RMSProp", "Adam", "AdamW", "AdamW decay 0.2"],
)
def test_adaptive_optimizers_follow_the_published_recursion(optimizer, update):
    np.testing.assert_allclose(trajectory(optimizer()), recursion(update), rtol=1e-11)
