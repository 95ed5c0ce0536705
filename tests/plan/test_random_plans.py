"""Random systems through the planner and both targets: the emitted text gives what the interpreter gives, and reads nothing else.

The text runs as plain Python, where a read past the end of an array is an error; a read before its start, which Python would
take from the other end, is made one too. Every buffer is filled with NaN before, so that nothing is read that was not written.

The first 100 by default; 1,000 with ``SYMBACKPROP_TEST_EQUATIONS=1000 pytest tests/plan/test_random_plans.py``.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import systems
import written

from symbackprop.algebra.interpret import interpret
from symbackprop.derive.sweep import derive_system
from symbackprop.emit.render import render
from symbackprop.plan import layout
from symbackprop.plan.make import assemble
from symbackprop.plan.records import CPU, Slot

sys.path.insert(0, str(Path(__file__).parents[1] / "emit"))
from modules import DIRECT, DOTS, LAST, LINES, ROWS

#: A machine on which nothing is written out in scalars.
LOOPS = replace(CPU, straight=0)
COUNT = int(os.environ.get("SYMBACKPROP_TEST_EQUATIONS", "100"))
SEEDS = range(COUNT)
CHUNK = 10


def plan_of(case, derivation, schedule="auto", machine=CPU, shared=False):
    """Return the plan of a random system: its parameters, inputs, gradients of both, and its last batched tensor as output."""
    tensors = case.system.tensors
    slots, offset = [], 0
    for name, value in case.values.items():
        if tensors[name].role == "parameter":
            slots.append(Slot(name, offset, value.shape))
            offset += value.size
    inputs = tuple(name for name in case.values if tensors[name].role == "input")
    cotangents = derivation.cotangents
    return assemble(
        name="system",
        forward=derivation.forward,
        backward=derivation.backward,
        tensors=derivation.tensors,
        parameters=tuple(slots),
        inputs=inputs,
        target=None,
        outputs=tuple(name for name in case.system.defined if tensors[name].shape[:1] == (systems.N,))[-1:],
        loss="f",
        gradients=tuple((p.name, cotangents[p.name]) for p in slots),
        input_gradients=tuple((x, cotangents[x]) for x in inputs if x in cotangents),
        size=systems.N,
        dtype="float64",
        batch=8,
        schedule=schedule,
        machine=machine,
        shared=shared,
    )


def results(case, derivation, plan, kind, shapes, threads=1):
    """Run the text of a target on buffers full of NaN; return everything that it computes, by name."""
    text, *_ = render(plan, kind)
    space = written.executed(text.text)
    space["threads"] = lambda: threads
    kept = (lambda array: np.ascontiguousarray(array).view(written.Bounded)) if kind == "cpu" else np.ascontiguousarray
    params = kept(np.concatenate([np.zeros(0), *(case.values[p.name].ravel() for p in plan.parameters)]))
    inputs = [kept(case.values[x]) for x in plan.inputs]
    samples = len(inputs[0]) if inputs else 1

    def empty(shape):
        return kept(np.full(shape, np.nan))

    found = {}
    with np.errstate(all="ignore"):
        grads = empty(params.shape)
        found["f"] = space["value_and_grad"](params, *inputs, grads, empty(space["workspace"](samples)))
        assert found["f"] == space["loss"](params, *inputs, empty(space["workspace"](samples)))
        for p in plan.parameters:
            size = int(np.prod(p.shape))
            found[derivation.cotangents[p.name]] = grads[p.offset : p.offset + size].reshape(p.shape)
        if plan.input_gradients:
            slots = [empty(case.values[x].shape) for x, _ in plan.input_gradients]
            space["input_gradients"](params, *inputs, *slots, empty(space["workspace"](samples)))
            found |= {gradient: slot for (_, gradient), slot in zip(plan.input_gradients, slots, strict=True)}
        if plan.outputs:
            outs = [empty(shapes[name]) for name in plan.outputs]
            space["forward"](params, *inputs, *outs, empty(space["workspace"](samples)))
            found |= dict(zip(plan.outputs, outs, strict=True))
    return found


def judge(case, kinds=("cpu", "numpy"), schedule="auto", machine=CPU):
    """Compare what the texts compute with the interpreter; return what is wrong, in words."""
    derivation = derive_system(case.system, "f", case.real)
    expected = interpret(derivation.system, case.values)
    plan = plan_of(case, derivation, schedule, machine)
    shapes = {name: value.shape for name, value in expected.items()}
    wrong = []
    for kind in kinds:
        try:
            found = results(case, derivation, plan, kind, shapes)
        except IndexError as error:
            wrong.append(f"{kind} reads out of range: {error}")
            continue
        for name, value in found.items():
            # Sums of a few hundred terms, in another order.
            scale = max(1.0, float(np.abs(expected[name]).max(initial=0.0)))
            if not np.max(np.abs(value - expected[name]), initial=0.0) <= 1e-12 * scale:
                wrong.append(f"{kind}: {name}")
    return wrong


@pytest.mark.parametrize("first", SEEDS[::CHUNK])
def test_ten_random_systems_run_as_the_interpreter_says_in_both_targets(first):
    failed = []
    for seed in SEEDS[first : first + CHUNK]:
        case = systems.case(seed)
        # Loops as they stand, every scalar by itself, and products of matrices by tiles wherever there is one, in turn.
        machines = ({"machine": machine} for machine in (LOOPS, DIRECT, DOTS, ROWS, LAST, LINES))
        ways = ({"schedule": "plain"}, {"schedule": "unrolled"}, *machines)
        wrong = judge(case, **ways[seed % len(ways)])
        if wrong:
            failed.append(f"{case}\n{'; '.join(wrong)}")
    assert not failed, "\n\n".join(failed)


@pytest.mark.parametrize("first", SEEDS[:: 3 * CHUNK])
def test_ten_random_systems_with_the_samples_last_run_as_the_interpreter_says(first, monkeypatch):
    # Whether it pays is another matter.
    monkeypatch.setattr(layout, "pays", lambda blocks, *_: not any(map(layout.recurrent, blocks)))
    failed = []
    for seed in SEEDS[first : first + CHUNK]:
        case = systems.case(seed)
        wrong = judge(case, kinds=("cpu",), machine=LAST)
        if wrong:
            failed.append(f"{case}\n{'; '.join(wrong)}")
    assert not failed, "\n\n".join(failed)


@pytest.mark.parametrize("first", SEEDS[CHUNK :: 3 * CHUNK])
def test_ten_random_systems_with_reductions_in_lanes_run_as_the_interpreter_says(first):
    failed = []
    for seed in SEEDS[first : first + CHUNK]:
        case = systems.case(seed)
        wrong = judge(case, kinds=("cpu",), machine=LINES)
        if wrong:
            failed.append(f"{case}\n{'; '.join(wrong)}")
    assert not failed, "\n\n".join(failed)
