"""Sample by sample in one loop: the gradient that single loops give, the same bits for any number of threads, less memory."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import symbackprop as sbp
from symbackprop.plan.records import CPU

sys.path.insert(0, str(Path(__file__).parents[1] / "emit"))
from modules import JOINED, SHARED, Options, module_of, plan_of

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
    assert all("in one loop with" in call.kernel.reason for call in writers), plan
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


#: Classes for which a sample is a row, and so few that all samples of a class are one.
CLASSES = {40: JOINED, 5: replace(CPU, name="few", straight=0)}


def wide(classes=40):
    return sbp.Sequential([sbp.Input(7), sbp.Dense(classes)], loss="softmax_cross_entropy", name="wide")


def gradient(plan, batch, params, x, y, folder):
    module = module_of(plan, "cpu", folder)
    work, grads = np.full(module.workspace(batch), np.nan, params.dtype), np.full_like(params, np.nan)
    with np.errstate(all="ignore"):
        value = module.value_and_grad(params, x, y, grads, work)
    return value, grads


def test_a_softmax_is_read_off_the_terms_of_its_sum(monkeypatch):
    plan = plan_of(wide(), "labels", Options("float64", BATCH), machine=JOINED, monkeypatch=monkeypatch)
    (joined,) = (k for k in plan.kernels if "in one loop with" in k.reason and "delta" in k.written)
    assert set(joined.written) == {"delta", "L"} and "terms" in joined.scratch and "p" not in [t.name for t in joined.arguments]


def test_few_classes_are_reduced_once_for_probabilities_and_loss(monkeypatch):
    plan = plan_of(wide(5), "labels", Options("float64", BATCH), machine=CLASSES[5], monkeypatch=monkeypatch)
    (joined,) = (k for k in plan.kernels if {"p", "L"} <= set(k.written))
    assert [name.partition("_")[0] for name in joined.scratch] == ["top", "total", "terms", "value"], joined.scratch


@pytest.mark.parametrize("classes", CLASSES)
@pytest.mark.parametrize("special", [0.0, 1e300, -1e300, np.inf, -np.inf, np.nan], ids=str)
def test_special_scores_pass_as_they_do_through_plain_loops(special, classes, tmp_path, monkeypatch):
    """One sample with such an input: the loss and every entry of the gradient are finite, infinite or no number in the same places."""
    rng = np.random.default_rng(SEED)
    params = rng.standard_normal(8 * classes)
    x, y = rng.standard_normal((BATCH, 7)), rng.integers(0, classes, BATCH)
    x[3, 2] = special
    plain_plan = plan_of(wide(classes), "labels", Options("float64", BATCH, "plain"))
    plan = plan_of(wide(classes), "labels", Options("float64", BATCH), machine=CLASSES[classes], monkeypatch=monkeypatch)
    value, got = gradient(plan, BATCH, params, x, y, tmp_path / "joined")
    plain, expected = gradient(plain_plan, BATCH, params, x, y, tmp_path / "plain")
    assert np.array_equal([value], [plain], equal_nan=True) or abs(value - plain) <= 1e-12 * abs(plain)
    assert np.array_equal(np.isnan(got), np.isnan(expected)) and np.array_equal(np.isinf(got), np.isinf(expected))
    there = np.isfinite(expected)
    # A few hundred terms of numbers near 1, in another order; larger ones in proportion.
    assert np.all(np.abs(got[there] - expected[there]) <= 1e-12 * np.maximum(1, np.abs(expected[there])))


def test_what_only_one_loop_reads_has_a_place_for_one_sample(monkeypatch):
    net = sbp.Sequential([sbp.Input(400), sbp.Activation("wave", WAVE)], loss="mse", name="memory")
    plan = plan_of(net, None, Options("float32", BATCH), machine=SHARED, monkeypatch=monkeypatch)
    for name in ("loss", "input_gradients"):
        entry = plan.entry(name)
        assert entry.arena.per_sample < 10, (name, entry.arena)
        assert plan.per_sample < 10, plan
