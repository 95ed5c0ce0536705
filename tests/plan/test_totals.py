"""A loss over wide outputs is added sample by sample: the number is that of its definition, its bits those of one thread."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import symbackprop as sbp

sys.path.insert(0, str(Path(__file__).parents[1] / "emit"))
from modules import SHARED, Options, module_of, plan_of

SEED = 11
BATCH = 67


def network(shape, loss):
    return sbp.Sequential([sbp.Input(shape), sbp.Activation("wave", "z*tanh(softplus(z))")], loss=loss, name="totals")


@pytest.mark.parametrize("shape", [(40,), (3, 5, 16)], ids=["row", "image"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_loss_is_that_of_its_definition_for_any_number_of_threads(shape, dtype, tmp_path, monkeypatch):
    net = network(shape, "mse")
    plan = plan_of(net, None, Options(dtype, BATCH), machine=SHARED, monkeypatch=monkeypatch)
    assert [s.kind for s in plan.entry("loss").stages] == ["samples", "once"], plan.sharing
    module = module_of(plan, "cpu", tmp_path)
    rng = np.random.default_rng(SEED)
    for batch in (1, 2, BATCH):
        x, y = (rng.standard_normal((batch, *shape)).astype(dtype) for _ in range(2))
        z = x.astype(np.float64)
        exact = np.mean((z * np.tanh(np.logaddexp(0, z)) - y) ** 2)
        found = set()
        for threads in (1, 2, 3, 5, 19):
            monkeypatch.setattr(module, "threads", lambda threads=threads: threads)
            work = np.full(module.workspace(batch), np.nan, dtype)
            found.add(module.loss(np.zeros(0, dtype), x, y, work))
        assert len(found) == 1, (SEED, batch, found)
        # Σ of squares: each addition rounds once, each square has a few roundings of its own.
        (value,) = found
        assert abs(value - exact) <= (np.prod(shape) + batch + 16) * np.finfo(dtype).eps * exact, (SEED, batch)


def test_small_losses_and_sums_of_what_lies_there_stay_whole():
    narrow = sbp.Sequential([sbp.Input(40), sbp.Dense(3)], loss="mse", name="narrow")
    each = [name for name in plan_of(narrow, None, Options("float32", BATCH)).tensors if name.endswith(".each")]
    assert each == []
