"""Training: the optimizers' trajectories in closed form, batches, validation, and what happens when it goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import symbackprop as sbp

TARGETS = ("numpy", "cpu")
Array = np.ndarray[Any, Any]

# --- trajectories ------------------------------------------------------------------------------------------------------------
# With x = the identity, half squared error summed over the batch and no bias, the loss is ½‖Wᵀ − y‖²: a quadratic whose gradient
# is W − yᵀ. The rules below are written down once more, on their own.

Rule = Callable[[Array, Callable[[Array], Array]], Iterator[Array]]


def plain(w: Array, g: Any, lr: float = 0.3) -> Iterator[Array]:
    while True:
        w = w - lr * g(w)
        yield w


def momentum(w: Array, g: Any, lr: float = 0.1, mu: float = 0.9) -> Iterator[Array]:
    v = np.zeros_like(w)
    while True:
        v = mu * v + g(w)
        w = w - lr * v
        yield w


def nesterov(w: Array, g: Any, lr: float = 0.1, mu: float = 0.9) -> Iterator[Array]:
    v = np.zeros_like(w)
    while True:
        slope = g(w)
        v = mu * v + slope
        w = w - lr * (slope + mu * v)
        yield w


def adagrad(w: Array, g: Any, lr: float = 0.5, eps: float = 1e-10) -> Iterator[Array]:
    s = np.zeros_like(w)
    while True:
        slope = g(w)
        s = s + slope**2
        w = w - lr * slope / (np.sqrt(s) + eps)
        yield w


def rmsprop(w: Array, g: Any, lr: float = 0.05, rho: float = 0.9, eps: float = 1e-8) -> Iterator[Array]:
    s = np.zeros_like(w)
    while True:
        slope = g(w)
        s = rho * s + (1 - rho) * slope**2
        w = w - lr * slope / (np.sqrt(s) + eps)
        yield w


def adam(
    w: Array, g: Any, lr: float = 0.1, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8, decay: float = 0.0
) -> Iterator[Array]:
    m, v, t = np.zeros_like(w), np.zeros_like(w), 0
    while True:
        slope, t = g(w), t + 1
        w = w - lr * decay * w
        m = beta1 * m + (1 - beta1) * slope
        v = beta2 * v + (1 - beta2) * slope**2
        w = w - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)
        yield w


def clipped(w: Array, g: Any) -> Iterator[Array]:
    def short(w: Array) -> Array:
        slope = g(w)
        return slope * min(1.0, 0.5 / (np.linalg.norm(slope) + 1e-6))

    return plain(w, short, 0.3)


def decaying(w: Array, g: Any) -> Iterator[Array]:
    t = 0
    while True:
        w = w - 0.5 * 0.9**t * g(w)
        t += 1
        yield w


CASES: dict[str, tuple[Any, Rule]] = {
    "gradient descent": (lambda: sbp.GradientDescent(0.3), plain),
    "sgd": (lambda: sbp.SGD(0.3), plain),
    "momentum": (lambda: sbp.Momentum(0.1, 0.9), momentum),
    "nesterov": (lambda: sbp.Nesterov(0.1, 0.9), nesterov),
    "adagrad": (lambda: sbp.AdaGrad(0.5), adagrad),
    "rmsprop": (lambda: sbp.RMSProp(0.05, 0.9), rmsprop),
    "adam": (lambda: sbp.Adam(0.1), adam),
    "adamw": (lambda: sbp.AdamW(0.1, weight_decay=0.2), lambda w, g: adam(w, g, decay=0.2)),
    "coupled decay": (lambda: sbp.SGD(0.3, weight_decay=0.5), lambda w, g: plain(w, lambda u: g(u) + 0.5 * u)),
    "clipping": (lambda: sbp.SGD(0.3, clip_norm=0.5), clipped),
    "exponential decay": (lambda: sbp.SGD(sbp.ExponentialDecay(0.5, 0.9)), decaying),
}


def quadratic() -> tuple[Any, Array, Array]:
    net = sbp.Sequential([sbp.Input(3), sbp.Dense(2, bias=False)], loss=sbp.Loss("half_squared_error", reduction="sum"), name="quadratic")
    return net, np.eye(3), np.array([[1.0, -2.0], [0.5, 3.0], [-1.5, 0.25]])


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("case", CASES)
def test_an_optimizer_follows_its_formula_on_a_quadratic(case: str, target: str) -> None:
    make, rule = CASES[case]
    net, x, y = quadratic()
    params = net.init(seed=2, dtype="float64")
    program = net.compile(target=target, dtype="float64", batch=3)
    for steps in (1, 2, 7):
        walked = net.init(seed=2, dtype="float64")
        program.fit(walked, x, y, optimizer=make(), epochs=steps, batch_size=None)
        states = rule(params["dense_1.W"].copy(), lambda w: w - y.T)
        for _ in range(steps):
            expected_w = next(states)
        # The same operations in another order.
        np.testing.assert_allclose(walked["dense_1.W"], expected_w, rtol=1e-12, atol=1e-14)


def test_gradient_descent_on_a_quadratic_shrinks_by_one_minus_the_rate() -> None:
    """w_t − y = (1 − lr)^t (w_0 − y)."""
    net, x, y = quadratic()
    params = net.init(seed=0, dtype="float64")
    start = params["dense_1.W"] - y.T
    net.compile(target="numpy", dtype="float64").fit(params, x, y, optimizer=sbp.GradientDescent(0.25), epochs=20, batch_size=None)
    np.testing.assert_allclose(params["dense_1.W"] - y.T, 0.75**20 * start, rtol=1e-10)


# --- batches -----------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def net() -> Any:
    return sbp.Sequential([sbp.Input(4), sbp.Dense(3)], loss="softmax_cross_entropy", name="door")


@pytest.fixture(scope="module")
def program(net: Any) -> Any:
    return net.compile(target="numpy", dtype="float64", batch=32)


@pytest.fixture
def data() -> tuple[Array, Array]:
    rng = np.random.default_rng(7)
    x = rng.standard_normal((22, 4))
    return x, (x[:, 0] > 0).astype(np.int64) + (x[:, 1] > 0)


def test_a_short_last_batch_is_averaged_over_its_own_size(net: Any, program: Any, data: tuple[Array, Array]) -> None:
    x, y = data
    params, walked = net.init(seed=0, dtype="float64"), net.init(seed=0, dtype="float64")
    history = program.fit(params, x, y, optimizer=sbp.SGD(0.5), epochs=1, batch_size=8, shuffle=False)
    losses = []
    for part in (slice(0, 8), slice(8, 16), slice(16, 22)):
        loss, grads = program.value_and_grad(walked, x[part], y[part])
        losses.append(loss * len(x[part]))
        walked.flat[:] -= 0.5 * grads.flat
    np.testing.assert_allclose(params.flat, walked.flat, rtol=1e-12, atol=1e-15)
    assert history.updates == 3
    assert history.loss == (pytest.approx(sum(losses) / 22, rel=1e-12),)


def test_training_repeats_to_the_bit_and_the_seed_decides_the_order(net: Any, program: Any, data: tuple[Array, Array]) -> None:
    def trained(seed: int) -> bytes:
        params = net.init(seed=0, dtype="float64")
        program.fit(params, *data, optimizer=sbp.Momentum(0.1, 0.9), epochs=3, batch_size=5, seed=seed)
        return bytes(params.flat.tobytes())

    assert trained(1) == trained(1)
    assert trained(1) != trained(2)


def test_one_batch_of_all_is_gradient_descent(net: Any, program: Any, data: tuple[Array, Array]) -> None:
    params = net.init(seed=0, dtype="float64")
    expected = params.flat - 0.3 * program.value_and_grad(params, *data)[1].flat
    program.fit(params, *data, optimizer=sbp.GradientDescent(0.3), epochs=1, batch_size=None, shuffle=False)
    np.testing.assert_allclose(params.flat, expected, rtol=1e-12)


def test_history_and_evaluation(net: Any, program: Any, data: tuple[Array, Array]) -> None:
    x, y = data
    params = net.init(seed=0, dtype="float64")
    history = program.fit(params, x[4:], y[4:], optimizer=sbp.SGD(0.5), epochs=30, batch_size=6, validation=(x[:4], y[:4]))
    assert len(history.loss) == len(history.accuracy) == len(history.validation_loss) == history.epochs == 30
    assert history.loss[-1] < history.loss[0]
    assert history.accuracy[-1] == np.mean(program.predict(params, x[4:]).argmax(axis=1) == y[4:])
    assert history.validation_loss[-1] == pytest.approx(program.loss(params, x[:4], y[:4]), rel=1e-12)
    assert program.evaluate(params, x[:4], y[:4]) == {"loss": history.validation_loss[-1], "accuracy": history.validation_accuracy[-1]}
    assert "validation accuracy" in str(history)
    other = net.init(seed=0, dtype="float64")
    unmeasured = program.fit(other, x[4:], y[4:], sbp.SGD(0.1), epochs=2, batch_size=4, accuracy=False)
    assert unmeasured.accuracy == () and len(unmeasured.loss) == 2
    assert "90 updates" in str(history)


def test_what_fit_is_given_is_converted(net: Any, program: Any, data: tuple[Array, Array]) -> None:
    x, y = data
    params, other = net.init(seed=0, dtype="float64"), net.init(seed=0, dtype="float64")
    rounded = x.astype("float32")
    program.fit(params, rounded.astype("float64"), y, optimizer=sbp.SGD(0.1), epochs=2)
    program.fit(other, rounded[:, ::-1][:, ::-1].tolist(), y.astype(float).tolist(), optimizer=sbp.SGD(0.1), epochs=2)
    assert params == other


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_loss_of_a_large_set_counts_the_penalty_once(reduction: str) -> None:
    net = sbp.Sequential(
        [sbp.Input(2), sbp.Dense(2)], loss=sbp.Loss("half_squared_error", reduction=reduction), regularizer=sbp.L2(0.3), name="portions"
    )
    rng = np.random.default_rng(0)
    x, y, params = rng.standard_normal((17, 2)), rng.standard_normal((17, 2)), net.init(seed=0, dtype="float64")
    errors = 0.5 * np.sum((x @ params["dense_1.W"].T - y) ** 2, axis=1)
    expected = (errors.mean() if reduction == "mean" else errors.sum()) + 0.15 * np.sum(params["dense_1.W"] ** 2)
    program = net.compile(target="numpy", dtype="float64", batch=5)
    assert program.evaluate(params, x, y)["loss"] == pytest.approx(expected, rel=1e-12)


def test_frozen_parameters_stay() -> None:
    net = sbp.Sequential([sbp.Input(3), sbp.Dense(4, activation="tanh"), sbp.Dense(1)], loss="mse", name="frozen").freeze("dense_1")
    rng = np.random.default_rng(0)
    params = net.init(seed=0, dtype="float64")
    before = params.copy()
    net.compile(target="numpy", dtype="float64").fit(
        params, rng.standard_normal((9, 3)), rng.standard_normal((9, 1)), optimizer=sbp.AdamW(0.1, weight_decay=0.5), epochs=3
    )
    np.testing.assert_array_equal(params["dense_1.W"], before["dense_1.W"])
    np.testing.assert_array_equal(params["dense_1.b"], before["dense_1.b"])
    assert (params["dense_2.W"] != before["dense_2.W"]).all()


# --- when it goes wrong ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("check_finite", [False, True])
def test_a_loss_that_is_not_finite_stops_and_restores_the_epoch(check_finite: bool) -> None:
    net, x, y = quadratic()
    program = net.compile(target="numpy", dtype="float64", check_finite=check_finite)
    params = net.init(seed=0, dtype="float64")
    with pytest.raises(sbp.DataError, match=r"fit: .*epoch \d+.*start of epoch \d+: lower the learning rate") as caught:
        program.fit(params, x, y, optimizer=sbp.GradientDescent(1e30), epochs=50, batch_size=2, shuffle=False)
    assert "\n" not in str(caught.value)
    assert np.isfinite(params.flat).all()


def test_parameters_are_those_at_the_start_of_the_epoch(net: Any, program: Any, data: tuple[Array, Array]) -> None:
    x, y = data
    params = net.init(seed=0, dtype="float64")
    before = params.copy()
    bad = x.copy()
    bad[20, 0] = np.nan
    with pytest.raises(sbp.DataError, match="the loss is nan in epoch 1, update 3"):
        program.fit(params, bad, y, optimizer=sbp.SGD(0.1), epochs=5, batch_size=8, shuffle=False)
    assert params == before


BAD: dict[str, tuple[type[Exception], str, Callable[[Array, Array], dict[str, Any]]]] = {
    "wrong width": (sbp.ShapeError, "x: expected shape", lambda x, y: {"x": x[:, :2]}),
    "ragged": (sbp.DataError, "one length", lambda x, y: {"x": [[1, 2, 3, 4], [1]]}),
    "text": (sbp.DataError, "expected numbers", lambda x, y: {"x": [["a"] * 4] * 22}),
    "fewer targets": (sbp.ShapeError, "21 targets, but x has 22", lambda x, y: {"y": y[:-1]}),
    "a label too large": (sbp.DataError, "labels must lie in 0..2", lambda x, y: {"y": y + 1}),
    "labels between": (sbp.DataError, "expected integer labels", lambda x, y: {"y": y + 0.5}),
    "rows": (sbp.DataError, "row 0 sums to 3", lambda x, y: {"y": np.ones((22, 3))}),
    "no optimizer": (sbp.DataError, "optimizer must be", lambda x, y: {"optimizer": "sgd"}),
    "no epochs": (sbp.DataError, "epochs must be", lambda x, y: {"epochs": 0}),
    "batch too large": (sbp.ShapeError, "at most 32", lambda x, y: {"x": np.tile(x, (2, 1)), "y": np.tile(y, 2), "batch_size": 40}),
    "batch of none": (sbp.DataError, "batch_size must be", lambda x, y: {"batch_size": 0}),
    "validation": (sbp.DataError, "validation must be a pair", lambda x, y: {"validation": x}),
    "validation of another width": (sbp.ShapeError, "x: expected shape", lambda x, y: {"validation": (x[:, :1], y)}),
    "seed": (sbp.DataError, "seed must be", lambda x, y: {"seed": "a"}),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_data_is_refused_before_anything_changes(net: Any, program: Any, data: tuple[Array, Array], case: str) -> None:
    error, message, change = BAD[case]
    params = net.init(seed=0, dtype="float64")
    before = params.copy()
    with pytest.raises(error, match=message):
        program.fit(params, **{"x": data[0], "y": data[1], "optimizer": sbp.SGD(0.1), **change(*data)})
    assert params == before
