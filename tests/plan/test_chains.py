"""A chain through both passes in one loop: the gradient that two loops give, the same bits for any number of threads."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import symbackprop as sbp

sys.path.insert(0, str(Path(__file__).parents[1] / "emit"))
from modules import SHARED, Options, module_of, plan_of

SEED = 12
BATCH = 35
WAVE = "z*tanh(softplus(z)) + sigmoid(-z)"


def inputs_of(plan):
    """Return the calls of samples for an input gradient."""
    return [share.call for s in plan.entry("input_gradients").stages if s.kind == "samples" for share in s.shares]


@pytest.mark.parametrize("shape", [(40,), (3, 4, 5)], ids=["row", "image"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_one_loop_gives_the_gradient_of_the_equations(shape, dtype, tmp_path, monkeypatch):
    net = sbp.Sequential([sbp.Input(shape), sbp.Activation("wave", WAVE)], loss="mse", name="chains")
    plan = plan_of(net, None, Options(dtype, BATCH), machine=SHARED, monkeypatch=monkeypatch)
    writers = [call for call in inputs_of(plan) if any(name in call.written for _, name in plan.input_gradients)]
    assert [len(call.written) for call in writers] == [2], plan
    module = module_of(plan, "cpu", tmp_path)
    rng = np.random.default_rng(SEED)
    for batch in (1, BATCH):
        x, y = (rng.standard_normal((batch, *shape)).astype(dtype) for _ in range(2))
        found = set()
        for threads in (1, 2, 3, 19):
            monkeypatch.setattr(module, "threads", lambda threads=threads: threads)
            work, got = np.full(module.workspace(batch), np.nan, dtype), np.full_like(x, np.nan)
            value = module.input_gradients(np.zeros(0, dtype), x, y, got, work)
            found.add((value, got.tobytes()))
            assert value == module.loss(np.zeros(0, dtype), x, y, work), (SEED, batch, threads)
        assert len(found) == 1, (SEED, batch)
        z = x.astype(np.float64)
        s, t = 1 / (1 + np.exp(-z)), np.tanh(np.logaddexp(0, z))
        slope = t + z * (1 - t * t) * s - s * (1 - s)
        exact = 2 * (z * t + 1 - s - y) * slope / x.size
        # A few dozen operations on numbers of this size.
        assert np.max(np.abs(got - exact)) <= 64 * np.finfo(dtype).eps * np.max(np.abs(exact)), (SEED, batch)


def test_what_stands_between_keeps_loops_apart(monkeypatch):
    """The forward pass of a dense layer is a product, and the gradient of its input waits for all of the error terms."""
    net = sbp.Sequential([sbp.Input(40), sbp.Dense(40, activation="tanh")], loss="mse", name="between")
    plan = plan_of(net, None, Options("float32", BATCH), machine=SHARED, monkeypatch=monkeypatch)
    gradients = {name for _, name in plan.input_gradients}
    assert all(set(call.written) <= gradients or not gradients & set(call.written) for call in inputs_of(plan))
