"""The number of threads: an argument of a program, never a change of somebody else's setting."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import pytest

import symbackprop as sbp
from symbackprop.execute import threads


def wide() -> Any:
    net = sbp.Sequential([sbp.Input(300), sbp.Dense(300, activation="relu"), sbp.Dense(10)], loss="softmax_cross_entropy", name="wide")
    rng = np.random.default_rng(0)
    return net, rng.standard_normal((256, 300)).astype(np.float32), rng.integers(0, 10, 256)


def test_the_setting_of_the_caller_is_put_back() -> None:
    before = numba.get_num_threads()
    for count in (None, 1, before, 10**6):
        with threads.limited(count):
            assert numba.get_num_threads() == min(count or before, numba.config.NUMBA_NUM_THREADS)
        assert numba.get_num_threads() == before
    with pytest.raises(KeyError), threads.limited(1):
        raise KeyError
    assert numba.get_num_threads() == before


def test_a_program_says_which_threads_it_has_and_gives_the_same_bits_with_any_number(monkeypatch: pytest.MonkeyPatch) -> None:
    net, x, y = wide()
    params, found = net.init(seed=0), []
    for count in (1, 2, 4):
        program = net.compile(batch=256, threads=count)
        loss, grads = program.value_and_grad(params, x, y)
        step = program.bind(params, x, y)
        found.append((loss, grads.flat.tobytes(), step(), step.grads.flat.tobytes()))
        if program._any().parallel:
            most = min(count, numba.config.NUMBA_NUM_THREADS)
            assert program.threading == f"{threads.layer()}, at most {most} thread{'s' * (most > 1)}"
    monkeypatch.setattr(threads, "layer", lambda: "workqueue")
    program = net.compile(batch=256)
    assert program.threading.startswith("one thread")
    loss, grads = program.value_and_grad(params, x, y)
    step = program.bind(params, x, y)
    found.append((loss, grads.flat.tobytes(), step(), step.grads.flat.tobytes()))
    assert len(set(found)) == 1


def test_without_another_layer_one_thread_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "layer", lambda: "workqueue")
    before = numba.get_num_threads()
    with threads.limited(None), threads.limited(8):
        assert numba.get_num_threads() == 1
    assert numba.get_num_threads() == before
