"""Emitted modules as programs, and their results beside the interpreter's."""

from __future__ import annotations

import importlib.util
import math
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numba
import numpy as np

from symbackprop.algebra.interpret import interpret
from symbackprop.declare.lower import lower
from symbackprop.derive.network import derive_model
from symbackprop.emit.render import render
from symbackprop.plan import make as planner
from symbackprop.plan.records import CPU, Machine, Plan

#: Machines that choose a matrix product for every sum that is one, in each of its forms; and one that adds whole rows.
DIRECT = replace(CPU, name="direct", tile=1, plain=10**6, row=10**6, copy=0, start=0, call=0, turn=10**6, vector=0, straight=0)
SWAPPED = replace(DIRECT, name="swapped", start=10**4)
DOTS = replace(DIRECT, name="dots", turn=-(10**6))
PARALLEL = replace(DIRECT, name="parallel", parallel=1)
ROWS = replace(DIRECT, name="rows", call=10**9, row=0, entry=0)
#: A machine on which threads share whatever they may; and one on which each has a part of the samples, and a gradient of its own.
SHARED = replace(CPU, name="shared", share=0, grain=1, straight=0)
#: One on which all that is made from entry to entry is done sample by sample, in one loop.
JOINED = replace(SHARED, name="joined", lanes=1, scratch=0)
PARTS = replace(SHARED, name="parts", regions=0, parts=3, samples=1, weight=0)
#: A machine for which two terms are many: they are added and compared in lanes.
LINES = replace(CPU, name="lines", lanes=1, straight=0)
#: A machine on which every network that can be is computed with the samples last, and every sum over windows by a function of its own.
LAST = replace(CPU, name="last", last=1, tile=1, plain=10**6, row=10**6, call=0, copy=10**6, straight=0)


@dataclass(frozen=True)
class Options:
    dtype: str = "float64"
    batch: int = 8
    schedule: str = "auto"
    optimizer: Any = None
    recompute: Any = ()
    math: str = "strict"


def plan_of(net: Any, form: str | None, options: Options | None = None, machine: Machine | None = None, monkeypatch: Any = None) -> Plan:
    """Return the plan of a network, for another machine if one is given."""
    model = lower(net.spec, target=form)
    if machine is not None:
        whole = planner.assemble
        monkeypatch.setattr(planner, "assemble", lambda **given: whole(**{**given, "machine": machine}))
    return planner.make(model, derive_model(model) if model.loss else None, options or Options())


def module_of(plan: Plan, kind: str, folder: Path, *, compiled: bool = False) -> ModuleType:
    """Write a plan's texts, and return the module; its functions are plain Python unless ``compiled``."""
    artifacts = render(plan, kind)
    for artifact in artifacts:
        path = folder / artifact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(artifact.text, encoding="utf-8")
    path = folder / artifacts[0].path
    name = f"emitted_{path.stem}_{abs(hash(str(folder)))}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before = numba.config.DISABLE_JIT
    numba.config.DISABLE_JIT = not compiled
    hidden = sys.modules.pop("kernels_cpu", None)
    sys.path.insert(0, str(path.parent))
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    finally:
        numba.config.DISABLE_JIT = before
        sys.path.remove(str(path.parent))
        sys.modules.pop("kernels_cpu", None)
        if hidden is not None:
            sys.modules["kernels_cpu"] = hidden
    return module


def differences(net: Any, form: str, values: dict[str, Any], plan: Plan, module: ModuleType) -> dict[str, float]:
    """Return the relative difference from the interpreter for everything that a module computes.

    Workspace and results are poisoned with NaN before each call, so that nothing is read that was not written.
    """
    model = lower(net.spec, target=form)
    derivation = derive_model(model)
    expected = interpret(derivation.system, values)
    real = np.dtype(plan.dtype)

    def array(name: str) -> Any:
        given = np.asarray(values[name])
        return np.ascontiguousarray(given, np.int64 if given.dtype.kind in "iu" else real)

    inputs = [array(x) for x in model.inputs]
    y = array("y")
    n = len(inputs[0])
    params = np.concatenate([array(p.name).ravel() for p in model.parameters]) if model.parameters else np.zeros(0, real)
    grads = np.full_like(params, np.nan)

    def work() -> Any:
        return np.full(module.workspace(n), np.nan, real)

    found: dict[str, tuple[Any, Any]] = {}
    assert model.loss is not None
    with np.errstate(all="ignore"):
        found["loss"] = module.loss(params, *inputs, y, work()), expected[model.loss]
        found["value"] = module.value_and_grad(params, *inputs, y, grads, work()), expected[model.loss]
        for p in model.parameters:
            want = expected.get(derivation.cotangents.get(p.name, ""), np.zeros(p.shape))
            size = math.prod(int(s) for s in p.shape)
            found[p.name] = grads[(p.offset or 0) : (p.offset or 0) + size].reshape(p.shape), want
        slots = [np.full_like(a, np.nan) for a in inputs]
        module.input_gradients(params, *inputs, y, *slots, work())
        for (_, gradient), slot in zip(plan.input_gradients, slots, strict=True):
            found[gradient] = slot, expected[gradient]
        outs = [np.full(expected[name].shape, np.nan, real) for name in model.outputs]
        module.forward(params, *inputs, *outs, work())
        found |= {name: (out, expected[name]) for name, out in zip(model.outputs, outs, strict=True)}
    return {name: float(np.max(np.abs(a - b), initial=0.0) / max(1.0, np.max(np.abs(b), initial=0.0))) for name, (a, b) in found.items()}
