"""Generated modules on the device against float64 on the processor: every entry, on fresh data, with outputs that hold NaN before.

python -m benchmarks.cuda.correctness TARGET     # one small network, for a checker of memory and races to look at
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

import symbackprop as sbp
from benchmarks.cuda import subjects, worker
from benchmarks.cuda.worker import attempt

#: What a result may be off by, relative, in the 2-norm of the worst tensor: rounding of sums in another order, far below that of tf32.
TOLERANCE = {"float32": 1e-5, "float64": 1e-10}

#: Steps of training whose parameters are compared.
STEPS = 3


#: The least size of a tensor that its error is held against, as a part of all tensors together: some gradients are 0 but for rounding.
LEAST = 1e-2


#: The step of a central difference, whose truncation h² and rounding ε/h are both small, and what a gradient may be off it, relative.
STEP, DIFFERENCE = 1e-6, 1e-6


def off(one: Any, other: Any, parts: Iterable[slice] = (slice(None),)) -> float:
    """Return ‖a − b‖/‖b‖ of the part where it is the largest; NaN is infinitely far."""
    a, b = np.asarray(one, np.float64).ravel(), np.asarray(other, np.float64).ravel()
    if a.shape != b.shape:
        return float("inf")
    whole = LEAST * float(np.linalg.norm(b))
    apart = [float(np.linalg.norm(a[part] - b[part])) / (max(float(np.linalg.norm(b[part])), whole) or 1.0) for part in parts]
    return max(distance if np.isfinite(distance) else float("inf") for distance in apart)


def _draw(net: Any, module: Any, samples: int, batch: int, seed: int) -> dict[str, Any]:
    """Return fresh arguments in float64 by name; outputs and workspace hold NaN."""
    rng = np.random.default_rng(seed)
    values: dict[str, Any] = {}
    params = net.init(seed=seed).astype("float64")
    buffer = params.buffer
    buffer[...] += 0.1 * np.abs(rng.standard_normal(buffer.size))
    values["params"] = buffer
    for given in net.spec.inputs:
        shape = (samples, *given.shape)
        if given.integer:
            values[given.name] = rng.integers(0, 11, shape)
        else:
            # Kept off the kinks: where a gradient jumps, two right programs may stand on either side.
            values[given.name] = rng.standard_normal(shape)
            values[f"grads_{given.name}"] = np.full(shape, np.nan)
    output = net.spec.shapes[net.spec.outputs[0]]
    if sbp.pipeline.usual_form(net.spec) == "labels":
        values["y"] = rng.integers(0, output[-1], (samples, *output[:-1]))
    else:
        values["y"] = rng.standard_normal((samples, *output))
    count = params.flat.size
    values |= {"out": np.full((samples, *output), np.nan), "grads": np.full(count, np.nan)}
    values["state"] = np.zeros(module.STATE_SIZE)
    values["hyper"] = np.array([value for _, value in module.HYPER], np.float64)
    values["order"] = rng.permutation(samples)
    values["size"] = batch
    for name in [*(given.name for given in net.spec.inputs), "y"]:
        values[f"batch_{name}"] = np.zeros((batch, *values[name].shape[1:]), values[name].dtype)
    return values


def _typed(values: Mapping[str, Any], dtype: str) -> dict[str, Any]:
    kept = ("hyper",)
    return {
        name: value.astype(dtype) if isinstance(value, np.ndarray) and value.dtype.kind == "f" and name not in kept else value
        for name, value in values.items()
    }


#: Entries, what each writes, and how often it is called.
ENTRIES = {
    "forward": ("out",),
    "loss": (),
    "value_and_grad": ("grads",),
    "input_gradients": ("grads_x",),
    "update": ("params", "state"),
    "train_step": ("params", "grads", "state"),
    "epoch": ("params", "state"),
}


def _called(made: subjects.Opened, name: str, given: Mapping[str, Any], times: int) -> dict[str, Any] | None:
    """Return what an entry gives and writes, NumPy arrays by name; None if there is no such entry."""
    copies = {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in given.items()}
    # What a step keeps for another one is no output of it.
    work = np.full(made.module.workspace(given["size"] if name == "epoch" else len(given["y"])), np.nan, given["params"].dtype)
    there: dict[str, Any] = {k: made.put(v) if isinstance(v, np.ndarray) and k != "hyper" else v for k, v in copies.items()}
    there["work"] = made.put(work)
    function = made.entry(name) or (partial(_epoch, made.module, there) if name == "epoch" else None)
    arguments = None if function is None else subjects.arguments(function, there)
    if function is None or arguments is None:
        return None
    values = [function(*arguments) for _ in range(times)]
    made.wait()
    found: dict[str, Any] = {k: made.get(there[k], copies[k]) for k in ENTRIES[name] if k in there}
    if values[0] is not None:
        found["value"] = np.array([np.ravel(v)[0] for v in values], np.float64)
    return found


def _epoch(module: Any, given: Mapping[str, Any]) -> tuple[float, int]:
    """Do what an entry ``epoch`` does with a module that has only single steps."""
    total, size, order = 0.0, given["size"], given["order"]
    for low in range(0, len(order), size):
        rows = order[low : low + size]
        part = {name[6:]: given[name[6:]][rows] for name in given if name.startswith("batch_")}
        arguments = subjects.arguments(module.train_step, {**given, **part})
        assert arguments is not None
        total += len(rows) * module.train_step(*arguments)
    return total, 0


def _compared(name: str, net: Any, here: subjects.Opened, there: subjects.Opened, dtype: str, sizes: tuple[int, int], seed: int) -> Any:
    """Return how far an entry is off its reference, and whether a second run gives the same bits."""
    samples, batch = sizes
    drawn = _draw(net, here.module, 2 * batch + samples if name == "epoch" else samples, batch, seed)
    if name == "update":
        drawn["grads"] = np.random.default_rng(seed).standard_normal(drawn["grads"].size)
    times = STEPS if name == "train_step" else 1
    # The reference starts from the same numbers, rounded to the type that is checked.
    rounded = _typed(_typed(drawn, dtype), "float64")
    right = _called(here, name, rounded, times)
    first = _called(there, name, _typed(drawn, dtype), times)
    if right is None or first is None:
        return None
    again = _called(there, name, _typed(drawn, dtype), times)
    assert again is not None
    tensors = [slice(at, at + int(np.prod(shape))) for _, at, shape in here.module.PARAMETERS]
    worst = max(off(first[k], right[k], tensors if k in ("params", "grads") else (slice(None),)) for k in right)
    same = all(np.asarray(first[k]).tobytes() == np.asarray(again[k]).tobytes() for k in first)
    return {"worst": worst, "same_bits": same, "passed": bool(worst <= TOLERANCE[dtype] and same)}


def network(
    name: str, schedule: str, rung: str, entries: Sequence[str] = tuple(ENTRIES), dtypes: Sequence[str] = tuple(TOLERANCE)
) -> Iterator[tuple[str, Any]]:
    """Yield for every entry of a network's module and each type how far it is off, and the judgement of differentiation."""
    net, samples = subjects.declared(name), subjects.SIZES[name]
    rule, seed = sbp.Momentum(0.01, 0.9), int(np.random.default_rng().integers(2**31))
    yield "seed", seed
    batch = samples + 2
    here = subjects.opened(net, batch, None, "float64", optimizer=rule)
    for dtype in dtypes:
        there = subjects.opened(net, batch, rung, dtype, schedule, rule, 1 if schedule == "external" else None)
        for entry in entries:
            key, value = attempt(f"{entry} {dtype}", partial(_compared, entry, net, here, there, dtype, (samples, batch), seed))
            if value is not None:
                yield key, value
        if dtype == "float64":
            yield attempt("numerical differentiation", partial(_differentiated, net, there, samples, seed))
    if name == "tiny" and len(dtypes) > 1:
        yield attempt("program.check", partial(_judged, net, schedule, rung))


def _differentiated(net: Any, made: subjects.Opened, samples: int, seed: int) -> dict[str, Any]:
    """Return how far the gradient along a random direction is off the central difference of the loss, both of the device.

    Of two directions the better one counts: on one of them a kink may lie in the way.
    """
    given = _draw(net, made.module, samples, samples, seed)
    rng = np.random.default_rng(seed)
    gradient = _called(made, "value_and_grad", given, 1)
    assert gradient is not None
    found = []
    for _ in range(2):
        direction = rng.standard_normal(given["grads"].size)
        losses = []
        for step in (STEP, -STEP):
            moved = given["params"].copy()
            moved[: direction.size] += step * direction
            value = _called(made, "loss", {**given, "params": moved}, 1)
            assert value is not None
            losses.append(value["value"][0])
        found.append(off((losses[0] - losses[1]) / (2 * STEP), gradient["grads"] @ direction))
    return {"worst": min(found), "passed": min(found) <= DIFFERENCE}


def _judged(net: Any, schedule: str, rung: str) -> dict[str, Any]:
    program = net.compile(target="cuda", dtype="float64", schedule=schedule, device=subjects.device(rung))
    judged = program.check(batch=2)
    return {"passed": bool(judged.ok), "summary": worker.short(judged.verdict)}


#: A kernel with 64 KB of shared memory: two threads pass a number to each other from end to end of it.
OPT_IN = """
from kernels_cuda import cuda, jit
from numba import float32, int32

LAST = 16383


@jit
def kernel(out):
    kept = cuda.shared.array(0, float32)
    t = int32(cuda.threadIdx.x)
    kept[t * LAST] = float32(1.5) + float32(t)
    cuda.syncthreads()
    out[t] = kept[(1 - t) * LAST]
"""


def shared(rung: str) -> Iterator[tuple[str, Any]]:
    """Yield whether a block can have more shared memory than it gets without asking."""
    made = subjects.opened(subjects.declared("tiny"), 4, rung)
    yield attempt("64 KB", lambda: _shared(made))


def _shared(made: subjects.Opened) -> dict[str, Any]:
    assert made.runtime is not None
    kernel = made.beside("opt_in", OPT_IN).kernel
    there = made.put(np.full(2, np.nan, np.float32))
    made.runtime.launch(kernel, 1, 2, there, shared=65536)
    values = made.get(there, np.empty(2, np.float32))
    return {"passed": values.tolist() == [2.5, 1.5], "worst": values.tolist()}


def sanitized(tool: str, path: str, rung: str) -> Iterator[tuple[str, Any]]:
    """Yield what a tool of compute-sanitizer says about a small network."""
    command = [path, "--tool", tool, sys.executable, "-m", "benchmarks.cuda.correctness", rung]
    done = subprocess.run(command, capture_output=True, text=True)
    lines = [line.strip("= ") for line in (done.stdout + done.stderr).splitlines()]
    said = [line for line in lines if "SUMMARY" in line]
    if said:
        yield tool, {"summary": "; ".join(said), "passed": done.returncode == 0 and all(": 0 " in line for line in said)}
    else:
        last = next((line for line in reversed(lines) if line), "it said nothing")
        yield tool, {"error": worker.short(last)[:200]}


def main() -> None:
    """Check one small network; the exit code says whether all is right."""
    wrong = [
        (key, value)
        for key, value in network("odd", "auto", sys.argv[1], ("value_and_grad", "train_step"), ("float32",))
        if key != "seed" and not value.get("passed")
    ]
    print(wrong or "right")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
