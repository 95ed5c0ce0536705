"""Random systems through the planner of devices: their kernels, run in lock-step, give what the interpreter gives.

Threads come in three orders, which give the same bits; races and reads of what was never written are errors, and so is an address
outside of a buffer.

The first 20 by default; 1,000 with ``SYMBACKPROP_TEST_EQUATIONS=1000 pytest tests/plan/test_device_systems.py``.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import systems

from symbackprop.algebra.interpret import interpret, solve_sizes
from symbackprop.derive.sweep import derive_system
from symbackprop.execute.lockstep import LockstepError
from symbackprop.plan.device import lower
from symbackprop.plan.device.make import planned
from symbackprop.plan.records import CUDA

sys.path.insert(0, str(Path(__file__).parents[1] / "emit"))
from device_measure import TOLERANCE, Expected, errors
from device_modules import Lock, text_of
from device_orders import Orders
from test_random_plans import plan_of

COUNT = int(os.environ.get("SYMBACKPROP_TEST_EQUATIONS", "20"))
SEEDS = range(COUNT)
CHUNK = 10


def results(case, derivation, plan, lock, shapes):
    """Run a module on buffers full of NaN; return everything that it computes, by name."""
    space = lock.space
    params = np.concatenate([np.zeros(0), *(case.values[p.name].ravel() for p in plan.parameters)])
    inputs = [np.ascontiguousarray(case.values[x]) for x in plan.inputs]
    found = {}
    with np.errstate(all="ignore"):
        grads = np.full(params.shape, np.nan)
        found["f"] = np.float64(space["value_and_grad"](params, *inputs, grads))
        assert found["f"] == space["loss"](params, *inputs)
        for p in plan.parameters:
            size = int(np.prod(p.shape))
            found[derivation.cotangents[p.name]] = grads[p.offset : p.offset + size].reshape(p.shape)
        if plan.input_gradients:
            slots = [np.full(case.values[x].shape, np.nan) for x, _ in plan.input_gradients]
            space["input_gradients"](params, *inputs, *slots)
            found |= {gradient: slot for (_, gradient), slot in zip(plan.input_gradients, slots, strict=True)}
        if plan.outputs:
            outs = [np.full(shapes[name], np.nan) for name in plan.outputs]
            space["forward"](params, *inputs, *outs)
            found |= dict(zip(plan.outputs, outs, strict=True))
    return found


def judge(case, folder):
    """Compare what the kernels compute with the interpreter; return what is wrong, in words."""
    derivation = derive_system(case.system, "f", case.real)
    values = interpret(derivation.stable, case.values)
    plan = plan_of(case, derivation, "plain", CUDA)
    plan = replace(plan, device=planned(plan, systems.N))
    lock = Lock(text_of(plan), folder, Orders())
    try:
        found = results(case, derivation, plan, lock, {name: value.shape for name, value in values.items()})
    except LockstepError as error:
        return [f"{type(error).__name__}: {error}"]
    tensors = derivation.stable.tensors
    wanted = Expected(
        {name: values[name] for name in found},
        {name: name for name in derivation.cotangents.values()},
        tuple(e for block in derivation.backward for e in block.equations(derivation.tensors)),
        values,
        solve_sizes({name: tensors[name] for name in case.values if name in tensors}, values),
    )
    return [f"{name}: {error}" for name, error in errors(found, wanted, "float64").items() if not error <= TOLERANCE["float64"]]


def failures(seeds, folder):
    failed = []
    for seed in seeds:
        case = systems.case(seed)
        wrong = judge(case, folder / str(seed))
        if wrong:
            failed.append(f"{case}\n{'; '.join(wrong)}")
    return failed


@pytest.mark.parametrize("first", SEEDS[::CHUNK])
def test_ten_random_systems_run_on_a_device_as_the_interpreter_says(first, tmp_path):
    failed = failures(SEEDS[first : first + CHUNK], tmp_path)
    assert not failed, "\n\n".join(failed)


@pytest.mark.parametrize("first", SEEDS[::CHUNK])
def test_ten_random_systems_in_which_threads_share_all_that_they_can(first, tmp_path, monkeypatch):
    # Their axes are short: everything is long and wide now, so that teams do what threads would do for themselves.
    for name in ("LONG", "SHORT"):
        monkeypatch.setattr(lower, name, 1)
    failed = failures(SEEDS[first : first + CHUNK], tmp_path)
    assert not failed, "\n\n".join(failed)
