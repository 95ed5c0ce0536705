"""Threads share samples first and then rows: any number of them writes the same bits, and what the interpreter says."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sympy
import systems
import zoo
from test_random_plans import plan_of as plan_of_system
from test_random_plans import results

import symbackprop as sbp
from symbackprop.algebra.equation import Equation, System
from symbackprop.algebra.index import Index
from symbackprop.algebra.interpret import interpret
from symbackprop.algebra.nodes import Sum
from symbackprop.algebra.tensor import Tensor
from symbackprop.derive.sweep import derive_system

sys.path.insert(0, str(Path(__file__).parents[1] / "emit"))
from modules import DIRECT, JOINED, PARTS, SHARED, Options, module_of, plan_of

COUNT = int(os.environ.get("SYMBACKPROP_TEST_EQUATIONS", "20"))
CHUNK = 10
THREADS = (1, 2, 3, 5, 19)


@pytest.mark.parametrize("first", range(0, COUNT, CHUNK))
def test_ten_random_systems_give_the_same_bits_for_any_number_of_threads(first):
    staged = 0
    for seed in range(first, first + CHUNK):
        case = systems.case(seed)
        derivation = derive_system(case.system, "f", case.real)
        expected = interpret(derivation.system, case.values)
        shapes = {name: value.shape for name, value in expected.items()}
        machine = (SHARED, JOINED, replace(DIRECT, share=0, grain=1))[seed % 3]
        plan = plan_of_system(case, derivation, machine=machine, shared=True)
        staged += any(entry.stages for entry in plan.entries)
        found = [results(case, derivation, plan, "cpu", shapes, threads) for threads in THREADS]
        for name, value in found[0].items():
            scale = max(1.0, float(np.abs(expected[name]).max(initial=0.0)))
            # Sums of a few hundred terms, in another order.
            assert np.max(np.abs(value - expected[name]), initial=0.0) <= 1e-12 * scale, (seed, name)
            for threads, other in zip(THREADS, found, strict=True):
                assert np.asarray(value).tobytes() == np.asarray(other[name]).tobytes(), (seed, name, threads)
    assert staged, "none of the systems is shared"


def case_of(kind):
    inside = {
        "tanh": [sbp.Dense(9, activation="tanh"), sbp.Dense(3)],
        "penalty": [sbp.Dense(40, activation="relu"), sbp.Dense(3)],
        "norm": [sbp.Dense(8), sbp.LayerNorm(), sbp.Dense(3)],
    }[kind]
    penalty = sbp.L2(0.1) if kind == "penalty" else None
    return sbp.Sequential([sbp.Input(5), *inside], loss="softmax_cross_entropy", regularizer=penalty, name="shares")


@pytest.mark.parametrize(("kind", "dtype"), [("tanh", "float32"), ("penalty", "float64"), ("norm", "float32")])
def test_the_bits_of_compiled_gradients_do_not_depend_on_the_parts(kind, dtype, tmp_path, monkeypatch):
    """The stages of a compiled module, done by hand in any number of parts, in any order of the parts."""
    net = case_of(kind)
    plan = plan_of(net, "labels", Options(dtype, 67), machine=SHARED, monkeypatch=monkeypatch)
    assert plan.entry("backward").stages, plan.sharing
    module = module_of(plan, "cpu", tmp_path, compiled=True)
    rng = np.random.default_rng(0)
    values = zoo.draw_parameters(net, rng)
    params = np.concatenate([values[name].ravel() for name, _, _ in module.PARAMETERS]).astype(dtype)
    for batch in (1, 2, 5, 67):
        x, y = rng.standard_normal((batch, 5)).astype(dtype), rng.integers(0, 3, batch)
        found = set()
        for parts in (1, 2, 3, 4, 7, 70):
            work = np.full(module.workspace(batch), np.nan, dtype)
            grads = np.full_like(params, np.nan)
            for part in reversed(range(parts)):
                module.samples(params, x, y, work, part, parts)
            for part in reversed(range(parts)):
                module.rows(params, x, y, grads, work, part, parts)
            found.add(grads.tobytes())
        value = module.value_and_grad(params, x, y, grads, work)
        assert np.isfinite(value) and value == module.loss(params, x, y, work)
        found.add(grads.tobytes())
        assert len(found) == 1, (batch, len(found))


def test_samples_that_are_mixed_are_left_to_one_thread_and_the_plan_says_why(monkeypatch):
    net = sbp.Sequential([sbp.Input(5), sbp.Dense(8), sbp.BatchNorm(), sbp.Dense(3)], loss="softmax_cross_entropy", name="mixed")
    plan = plan_of(net, "labels", Options(batch=16), machine=SHARED, monkeypatch=monkeypatch)
    assert not plan.entry("backward").stages and plan.parts == 1
    assert "one thread: running statistics" in str(plan)


def test_small_work_has_no_regions():
    net = sbp.Sequential([sbp.Input(64), sbp.Dense(64, activation="relu"), sbp.Dense(10)], loss="softmax_cross_entropy", name="digits")
    plan = plan_of(net, "labels", Options("float32", 64))
    assert plan.parts == 1 and not any(entry.stages for entry in plan.entries)


@pytest.mark.parametrize("machine", [SHARED, PARTS], ids=lambda machine: machine.name)
def test_training_steps_have_the_same_bits_for_any_number_of_threads(machine, tmp_path, monkeypatch):
    net = case_of("tanh")
    plan = plan_of(net, "labels", Options("float32", 33, optimizer=sbp.Momentum(0.1, 0.9)), machine=machine, monkeypatch=monkeypatch)
    module = module_of(plan, "cpu", tmp_path)
    rng = np.random.default_rng(0)
    values = zoo.draw_parameters(net, rng)
    start = np.concatenate([values[name].ravel() for name, _, _ in module.PARAMETERS]).astype(np.float32)
    x, y = rng.standard_normal((33, 5)).astype(np.float32), rng.integers(0, 3, 33)
    hyper = np.array([value for _, value in module.HYPER])
    found = set()
    for threads in THREADS:
        monkeypatch.setattr(module, "threads", lambda threads=threads: threads)
        params, grads, state = start.copy(), np.empty_like(start), np.zeros(module.STATE_SIZE, np.float32)
        work = np.full(module.workspace(33), np.nan, np.float32)
        losses = [module.train_step(params, x, y, grads, state, hyper, work) for _ in range(3)]
        assert losses == sorted(losses, reverse=True)
        found.add((*losses, params.tobytes(), state.tobytes()))
    assert len(found) == 1


def test_what_has_no_samples_is_done_by_one_thread():
    j = Index("j", sympy.Integer(4))
    weights, f = Tensor("A", (j,), "parameter"), Tensor("f", (), "stored")
    case = systems.Case(0, System([Equation(f[()], Sum(sympy.tanh(weights[j]), j))]), {"A": np.arange(4.0)}, ("A",), frozenset())
    derivation = derive_system(case.system, "f", case.real)
    plan = plan_of_system(case, derivation, machine=SHARED, shared=True)
    assert plan.sharing == "one thread: there are no samples"
    assert results(case, derivation, plan, "cpu", {})["f"] == pytest.approx(np.tanh(np.arange(4)).sum(), rel=1e-15)
