"""An epoch in one compiled call does what the batches do one by one: the same losses and parameters, the same refusals."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import symbackprop as sbp
from symbackprop.execute import train
from symbackprop.public import program as programs


def labelled() -> Any:
    return sbp.Sequential([sbp.Input(5), sbp.Dense(7, activation="relu"), sbp.Dense(3)], loss="softmax_cross_entropy", name="labelled")


def images() -> Any:
    layers = [sbp.Input((2, 4, 4)), sbp.Conv2D(3, 3), sbp.BatchNorm(), sbp.Flatten(), sbp.Dense(3)]
    return sbp.Sequential(layers, loss="mse", name="images")


def data(net: Any, samples: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(7)
    x = rng.standard_normal((samples, *net.spec.inputs[0].shape)).astype(np.float32)
    return x, rng.integers(0, 3, samples) if net.spec.name == "labelled" else rng.standard_normal((samples, 3)).astype(np.float32)


def without_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let fit see modules that lack the entry, so that it goes through the batches in Python."""
    whole = train.train

    def one_by_one(module: Any, *rest: Any) -> Any:
        return whole(SimpleNamespace(**{k: v for k, v in vars(module).items() if k != "epoch"}), *rest)

    monkeypatch.setattr(programs, "train", one_by_one)


@pytest.mark.parametrize("net", [labelled, images])
def test_the_bits_are_those_of_the_batches_one_by_one(net: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made = net()
    program, (x, y) = made.compile(), data(made, 23)

    def trained(shuffle: bool, size: int | None) -> tuple[Any, ...]:
        params = made.init(seed=2)
        history = program.fit(params, x, y, sbp.Adam(0.01), epochs=3, batch_size=size, shuffle=shuffle, seed=4, validation=(x[:9], y[:9]))
        return params.buffer.tobytes(), history.loss, history.accuracy, history.validation_loss, history.updates

    cases = [(shuffle, size) for shuffle in (True, False) for size in (1, 4, 23, None)]
    epochs = [trained(*case) for case in cases]
    without_epochs(monkeypatch)
    for case, found in zip(cases, epochs, strict=True):
        assert trained(*case) == found, case


def test_a_loss_that_is_not_finite_stops_the_epoch_in_the_same_words(monkeypatch: pytest.MonkeyPatch) -> None:
    net = labelled()
    program, (x, y) = net.compile(), data(net, 23)
    x[17, 2] = np.inf
    messages = []
    for batches in (False, True):
        if batches:
            without_epochs(monkeypatch)
        params = net.init(seed=2)
        before = params.flat.copy()
        with pytest.raises(sbp.DataError, match="the loss is nan in epoch 1, update 5") as caught:
            program.fit(params, x, y, sbp.Momentum(0.1, 0.9), epochs=2, batch_size=4, shuffle=False)
        assert params.flat.tobytes() == before.tobytes()
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


def test_compiled_code_of_others_may_train(tmp_path: Any) -> None:
    numba = pytest.importorskip("numba")
    net = labelled()
    program, (x, y) = net.compile(), data(net, 12)
    params = net.init(seed=2)
    program.fit(params.copy(), x, y, sbp.SGD(0.1), batch_size=4)
    module = program._latest.module
    epoch = module.epoch

    @numba.njit
    def twice(params: Any, x: Any, y: Any, order: Any, a: Any, b: Any, grads: Any, state: Any, hyper: Any, work: Any) -> Any:
        first, _ = epoch(params, x, y, order, 4, a, b, grads, state, hyper, work)
        second, failed = epoch(params, x, y, order, 4, a, b, grads, state, hyper, work)
        return first, second, failed

    state, work = np.zeros(module.STATE_SIZE, np.float32), np.zeros(module.workspace(4), np.float32)
    order, hyper = np.arange(12)[::-1].copy(), np.array([0.1])
    flat, grads = params.flat.copy(), np.zeros_like(params.flat)
    first, second, failed = twice(flat, x, y, order, x[:4].copy(), y[:4].copy(), grads, state, hyper, work)
    expected = program.fit(params, x[::-1].copy(), y[::-1].copy(), sbp.SGD(0.1), epochs=2, batch_size=4, shuffle=False)
    assert failed == 0 and (first / 12, second / 12) == expected.loss
    assert flat.tobytes() == params.flat.tobytes()
