"""CUDA modules of networks in lock-step, and what the equations say about their results."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import written
from device_measure import Expected
from device_orders import Orders

from symbackprop import pipeline
from symbackprop.algebra.equation import System
from symbackprop.algebra.interpret import evaluate_equation, interpret, solve_sizes
from symbackprop.derive.network import derive_model
from symbackprop.emit.environment import environment
from symbackprop.emit.render import render
from symbackprop.emit.threads.page import page
from symbackprop.execute.lockstep import Lockstep
from symbackprop.plan import make
from symbackprop.plan.records import CUDA, Plan

FOLDER = "numba_cuda"


@dataclass(frozen=True, eq=False)
class Network:
    """A network with what its modules are made from."""

    net: Any
    form: str | None
    model: Any
    derivation: Any
    inference: Any

    def plan(self, dtype: str = "float32", batch: int = 8, optimizer: Any = None, schedule: str = "auto") -> Plan:
        options = pipeline.Options("cuda", dtype, batch, schedule, self.form, optimizer)
        return make.make(self.model, self.derivation, options, self.inference, CUDA)


def network(net: Any, form: str | None = None) -> Network:
    """Derive a network."""
    model = pipeline.lower(net.spec, form)
    return Network(net, form, model, derive_model(model) if model.loss else None, pipeline.inference(net.spec, form))


def text_of(plan: Plan) -> str:
    """Return the CUDA module of a plan."""
    template = f"{FOLDER}/module.py.jinja"
    view = page(plan, template)
    return environment().get_template(template).render({f.name: getattr(view, f.name) for f in fields(view)})


def module_of(text: str, folder: Path, device: Lockstep | None = None) -> ModuleType:
    """Write a CUDA module and its runtime file, and return it; it runs on a device of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kernels_cuda.py").write_text(environment().get_template(f"{FOLDER}/kernels_cuda.py.jinja").render(), encoding="utf-8")
    path = folder / "network_cuda.py"
    path.write_text(text, encoding="utf-8")
    name = f"lockstep_{abs(hash(str(folder)))}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    hidden = sys.modules.pop("kernels_cuda", None)
    sys.path.insert(0, str(folder))
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
        runtime = sys.modules["kernels_cuda"]
    finally:
        sys.path.remove(str(folder))
        sys.modules.pop("kernels_cuda", None)
        if hidden is not None:
            sys.modules["kernels_cuda"] = hidden
    module.runtime = runtime  # type: ignore[attr-defined]
    runtime.use(device or Lockstep())
    return module


@dataclass(frozen=True)
class Data:
    """Values of everything that a module is given, in float64; real numbers are such that float32 holds them."""

    params: np.ndarray
    arrays: tuple[np.ndarray, ...]
    masks: tuple[np.ndarray, ...]
    y: np.ndarray | None

    @property
    def values(self) -> tuple[np.ndarray, ...]:
        """What stands between the parameters and the results in the calls of a training pass."""
        return (*self.arrays, *self.masks, *(() if self.y is None else (self.y,)))

    def rows(self, order: Any) -> Data:
        """Return some of the samples."""
        y = None if self.y is None else self.y[order]
        return Data(self.params, tuple(a[order] for a in self.arrays), tuple(m[order] for m in self.masks), y)


def single(values: Any) -> np.ndarray:
    """Return numbers as float32 holds them, in float64; integers as they are."""
    array = np.asarray(values)
    return np.ascontiguousarray(array, np.int64) if array.dtype.kind in "iu" else array.astype(np.float32).astype(np.float64)


def drawn(made: Network, samples: int, rng: np.random.Generator, tokens: int = 5, params: Any = None) -> Data:
    """Return random data of a network; numbers of tokens and labels are those that it has."""
    spec, model, plan = made.net.spec, made.model, made.plan("float64")
    tensors = model.system.tensors
    ends = {name: most + 1 for name, _, most in plan.ranges}
    shapes = {name: tuple(int(e) for e in tensors[name].shape[1:]) for name in (*model.inputs, *([plan.target] if plan.target else []))}
    arrays = [
        rng.integers(0, ends.get(x, tokens), (samples, *shapes[x])) if tensors[x].integer else rng.standard_normal((samples, *shapes[x]))
        for x in model.inputs
    ]
    masks = [rng.integers(0, 2, (samples, *m.shape)).astype(float) for m in spec.masks]
    y = None
    if plan.target is not None:
        shape = (samples, *shapes[plan.target])
        y = rng.integers(0, ends.get(plan.target, 2), shape) if tensors[plan.target].integer else rng.standard_normal(shape)
    if params is None:
        params = {p.name: rng.standard_normal(p.shape) * (0.4 if len(p.shape) < 2 else 1 / np.sqrt(p.shape[-1])) for p in plan.parameters}
    buffer = [np.asarray(params[p.name]).ravel() for p in plan.parameters]
    buffer += [np.full(s.shape, s.initial).ravel() + 0.1 * rng.random(int(np.prod(s.shape))) for s in plan.statistics]
    kept = single(np.concatenate([np.zeros(0), *buffer]))
    return Data(kept, tuple(map(single, arrays)), tuple(map(single, masks)), None if y is None else single(y))


class Lock:
    """A CUDA module on a lock-step device: its functions, on NumPy arrays, with workspace full of NaN."""

    def __init__(self, text: str, folder: Path, device: Lockstep | None = None) -> None:
        self.device = device or Lockstep()
        self.module = module_of(text, folder, self.device)
        self.space = vars(self.module)

    def memory(self, size: int, dtype: Any) -> Any:
        return self.module.runtime.put(np.full(size, np.nan, dtype))

    def branch(self) -> None:
        """Say that what comes now may go other ways than what has run."""
        if isinstance(self.device, Orders):
            self.device.branch()


class Host:
    """The text of a CPU module as plain Python."""

    def __init__(self, made: Network, optimizer: Any = None) -> None:
        options = pipeline.Options("cpu", "float64", 8, "auto", made.form, optimizer)
        self.plan = make.make(made.model, made.derivation, options, made.inference)
        self.space = written.executed(render(self.plan, "cpu")[0].text)

    def memory(self, size: int, dtype: Any) -> Any:
        return np.full(size, np.nan, dtype)

    def branch(self) -> None:
        """There is one way only."""


@lru_cache(maxsize=8)
def host_of(made: Network, optimizer: Any) -> Host:
    """Return the CPU module of a network; asked for again, the same one."""
    return Host(made, optimizer)


def computed(code: Lock | Host, plan: Plan, data: Data, dtype: str) -> dict[str, np.ndarray]:
    """Return all that the entries of a module give, but those of training; results are NaN before each call."""
    space, n = code.space, len(data.arrays[0])
    cast = tuple(a if a.dtype.kind == "i" else a.astype(dtype) for a in data.values)
    inputs = cast[: len(data.arrays)]
    params = data.params.astype(dtype)
    size = sum(int(np.prod(p.shape)) for p in plan.parameters)

    def work() -> Any:
        return code.memory(space["workspace"](n), dtype)

    found: dict[str, Any] = {}
    with np.errstate(all="ignore"):
        outs = [np.full((n, *(int(e) for e in plan.tensors[o].shape[1:])), np.nan, dtype) for o in plan.outputs]
        space["forward"](params, *inputs, *outs, work())
        found |= dict(zip(plan.outputs, outs, strict=True))
        if plan.loss is None:
            return found
        found["loss"] = space["loss"](params, *cast, work())
        if "evaluation" in space:
            target = cast[len(cast) - 1 :] if data.y is not None else ()
            found["evaluation"] = space["evaluation"](params, *inputs, *target, work())
        grads, room = np.full(size, np.nan, dtype), work()
        found["value"] = space["value_and_grad"](params, *cast, grads, room)
        assert found["value"] == found["loss"]
        for p in plan.parameters:
            found[f"gradient of {p.name}"] = grads[p.offset : p.offset + int(np.prod(p.shape))].copy()
        if plan.statistics:
            kept = params.copy()
            space["update_statistics"](kept, *cast, room)
            assert np.array_equal(kept[:size], params[:size])
            found |= {s.name: kept[s.offset : s.offset + int(np.prod(s.shape))].copy() for s in plan.statistics}
        if plan.input_gradients:
            slots = [np.full_like(dict(zip(plan.inputs, inputs, strict=True))[x], np.nan) for x, _ in plan.input_gradients]
            assert space["input_gradients"](params, *cast, *slots, work()) == found["loss"]
            found |= {f"gradient of {x}": slot for (x, _), slot in zip(plan.input_gradients, slots, strict=True)}
    return {name: np.asarray(value) for name, value in found.items()}


def expected(made: Network, plan: Plan, data: Data) -> Expected:
    """Return what `computed` is to give, by the interpreter of equations."""
    model, derivation = made.model, made.derivation
    named = dict(zip((*plan.inputs, *(m.name for m in plan.masks), *([plan.target] if plan.target else [])), data.values, strict=True))
    named |= {p.name: data.params[p.offset : p.offset + int(np.prod(p.shape))].reshape(p.shape) for p in plan.parameters}
    named |= {s.name: data.params[s.offset : s.offset + int(np.prod(s.shape))].reshape(s.shape) for s in plan.statistics}

    def meaning(system: System) -> dict[str, np.ndarray]:
        return interpret(system, {k: v for k, v in named.items() if k in system.tensors})

    with np.errstate(all="ignore"):
        system = model.system if derivation is None else derivation.stable
        values = meaning(system)
        sizes = solve_sizes({name: system.tensors[name] for name in named if name in system.tensors}, values)
        predicted = values if made.inference is None else meaning(made.inference)
        found = {o: predicted[o] for o in plan.outputs}
        if derivation is None:
            return Expected(found)
        found |= {"loss": values[plan.loss], "value": values[plan.loss]}
        if made.inference is not None:
            found["evaluation"] = predicted[plan.loss]
        if plan.statistics:
            moved = values | {e.tensor.name: evaluate_equation(e, named | values, sizes) for e in model.updates.equations}
            found |= {s.name: moved[s.next] for s in plan.statistics}
    gradients = {f"gradient of {x}": g for x, g in (*plan.gradients, *plan.input_gradients)}
    found |= {name: values[g] for name, g in gradients.items()}
    # What is not trained has a gradient of 0.
    found |= {f"gradient of {p.name}": np.zeros(p.shape) for p in plan.parameters if f"gradient of {p.name}" not in found}
    backward = tuple(e for block in derivation.backward for e in block.equations(derivation.tensors))
    return Expected(found, gradients, backward, values, sizes)


def trained(code: Lock | Host, plan: Plan, data: Data, hyper: dict[str, float], dtype: str, *, size: int = 3) -> dict[str, np.ndarray]:
    """Return what the entries of training make of parameters and state, each from the same start."""
    space, n = code.space, len(data.arrays[0])
    cast = tuple(a if a.dtype.kind == "i" else a.astype(dtype) for a in data.values)
    rates = np.array(list(hyper.values()), np.float64)
    found: dict[str, Any] = {}
    length = sum(int(np.prod(p.shape)) for p in plan.parameters)
    rng = np.random.default_rng(11)
    slopes = single(rng.standard_normal((3, length)))
    shuffled = rng.permutation(n).astype(np.int64)

    def begun() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return data.params.astype(dtype), np.zeros(space["STATE_SIZE"], dtype), np.full(length, np.nan, dtype)

    def ended(name: str, params: np.ndarray, state: np.ndarray) -> None:
        found[f"{name}: parameters"] = params
        # A running mean of squares is measured by itself.
        kept = np.split(state, [k * length for k in range(1, len(state) // max(1, length) + 1)])
        found.update({f"{name}: state {k}": part for k, part in enumerate(kept) if part.size})

    def epoch(order: np.ndarray, values: tuple[np.ndarray, ...], room: tuple[np.ndarray, ...]) -> Any:
        batches = [np.full((size, *v.shape[1:]), np.nan if v.dtype.kind == "f" else 0, v.dtype) for v in values]
        params, state, grads = room
        return space["epoch"](params, *values, order, size, *batches, grads, state, rates, code.memory(space["workspace"](size), dtype))

    with np.errstate(all="ignore"):
        params, state, _ = begun()
        for slope in slopes:
            space["update"](params, slope.astype(dtype), state, rates)
        ended("update", params, state)
        params, state, grads = begun()
        for k in range(3):
            work = code.memory(space["workspace"](n), dtype)
            found[f"train_step: loss {k}"] = space["train_step"](params, *cast, grads, state, rates, work)
        ended("train_step", params, state)
        bad = tuple(np.full_like(c, np.nan) if c.dtype.kind == "f" and k == 0 else c for k, c in enumerate(cast))
        before = params.copy(), state.copy()
        code.branch()
        if bad[0].dtype.kind == "f":
            lost = space["train_step"](params, *bad, grads, state, rates, code.memory(space["workspace"](n), dtype))
            assert not np.isfinite(lost)
            assert np.array_equal(params, before[0]) and np.array_equal(state, before[1])
        if "epoch" not in space:
            return {name: np.asarray(value) for name, value in found.items()}
        for name, order in (("epoch in order", np.zeros(0, np.int64)), ("shuffled epoch", shuffled)):
            room = begun()
            for k in range(2):
                total, stopped = epoch(order, cast, room)
                assert stopped == 0
                found[f"{name}: loss {k}"] = total
            ended(name, *room[:2])
        if bad[0].dtype.kind == "f":
            # The batches before the one that fails count.
            worst = cast[0].copy()
            worst[-1] = np.nan
            room = begun()
            code.branch()
            total, stopped = epoch(np.zeros(0, np.int64), (worst, *cast[1:]), room)
            assert not np.isfinite(total) and stopped == -(-n // size)
            ended("epoch that stops", *room[:2])
    return {name: np.asarray(value) for name, value in found.items()}
