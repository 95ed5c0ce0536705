"""How fast the kernels of a network are on this machine, and how near its limits."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from symbackprop import pipeline
from symbackprop.command.ceilings import Ceilings, measure
from symbackprop.command.network import Loaded
from symbackprop.errors import DataError, DeclarationError, TargetError

if TYPE_CHECKING:
    from symbackprop.public.network import Network
    from symbackprop.public.program import Program

Array = npt.NDArray[Any]

#: Seconds of a slice; the rows take turns, so that other programs on the machine hit them alike.
SLICE = 0.02


@dataclass(frozen=True)
class Row:
    """One way to call the kernels: its name, its threads, and the 10 % quantile and the median of its seconds."""

    call: str
    threads: int
    quick: float
    median: float


def seconds(value: float | None) -> str:
    """Return a time with three digits and its unit."""
    if value is None:
        return "–"
    unit, scale = next(((u, s) for u, s in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)) if value >= 0.9995 * s), ("ns", 1e-9))
    scaled = value / scale
    digits = 2 - math.floor(math.log10(scaled)) if scaled > 0 else 0
    return f"{scaled:.{min(2, max(0, digits))}f} {unit}"


def shown(
    word: str,
    loaded: Loaded,
    batch: int | None,
    threads: int | None,
    dtype: str | None,
    plain: bool,
    say: Callable[[str], None],
    budget: float = 3.0,
) -> Iterator[str | Table]:
    """Yield what `symbackprop bench` prints.

    Args:
        word: what stands for the network on the command line.
        loaded: the network, and what its file says about it.
        batch: samples of a step; None takes the file's, or 32.
        threads: None measures one, and all processors.
        dtype: None takes the file's, or float32.
        plain: whether the plain schedule is measured too.
        say: told what is being done.
        budget: seconds of measuring, all rows together.

    Raises:
        DeclarationError: the network has no loss.
    """
    net, size, kind = loaded.net, batch or loaded.batch or 32, dtype or loaded.dtype or "float32"
    if net.spec.loss is None:
        raise DeclarationError(f"network {net.name} has no loss, so there is no gradient to measure; declare it with loss=...")
    x, y = batch_of(loaded, size, kind)
    samples = len(y)
    most = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    counts = [threads] if threads is not None else sorted({1, most})
    say(f"compiling {net.name}")
    calls: dict[tuple[str, int], Callable[[], Any]] = {}
    shared = ""
    for count in counts:
        program = net.compile(dtype=kind, batch=samples, threads=count)
        calls |= {(name, count): call for name, call in _ways(program, net, kind, x, y)}
        shared = program.threading
    if plain:
        loops = net.compile(dtype=kind, batch=samples, threads=counts[0], schedule="plain")
        calls["plain schedule", counts[0]] = next(_ways(loops, net, kind, x, y))[1]
    say("measuring the machine")
    ceilings = {count: measure(count) for count in counts}
    say(f"running {net.name}")
    rows = list(_turns(calls, budget))
    flops = _operations(net, samples, kind, y)
    moved = _bytes(net, kind, x, y)
    cores = f"{most} processor{'s' * (most > 1)}"
    yield f"{net.name}: one loss with its gradient, {samples} samples, {kind}, {flops:,} operations, {moved:,} bytes at least; {cores}"
    yield f"threads of the kernels: {shared}"
    yield _table(rows, ceilings, flops, moved, np.dtype(kind).itemsize)
    for count, found in ceilings.items():
        widest = found.bandwidth[max(found.bandwidth)]
        words = f"{count} thread{'s' * (count > 1)}: {found.peak / 1e9:.0f} GFLOP/s in float32, {widest / 1e9:.0f} GB/s from memory"
        yield f"ceilings with {words}, {seconds(found.call)} for an empty compiled call"
    say("starting fresh processes")
    cold, cached, memory = first_gradient(word, kind, x, y)
    yield f"first gradient of a fresh process: {seconds(cold)}, from the cache {seconds(cached)}; {memory:.0f} MiB at most"


def batch_of(loaded: Loaded, size: int, dtype: str) -> tuple[Any, Array]:
    """Return a batch of the file's own data, or one that is drawn: standard normal numbers, and labels in their range.

    Raises:
        DataError: the file's data are no arrays of the network's inputs and target.
    """
    net, spec = loaded.net, loaded.net.spec
    if loaded.data is not None:
        from symbackprop.command.network import training_data

        x, y = training_data(loaded, None)
        names = [i.name for i in spec.inputs]
        given = [x[name] for name in names] if isinstance(x, Mapping) else list(x) if isinstance(x, tuple) else [x]
        if len(given) != len(names):
            raise DataError(f"{loaded.origin}: data() returns {len(given)} inputs, network {net.name} has {len(names)}")
        arrays = [_cut(a, size, np.dtype(np.int64) if i.integer else np.dtype(dtype)) for a, i in zip(given, spec.inputs, strict=True)]
        target = np.asarray(y)
        target = _cut(target, size, np.dtype(np.int64) if target.dtype.kind in "iub" else np.dtype(dtype))
        return (arrays[0] if len(arrays) == 1 else tuple(arrays)), target
    form = pipeline.usual_form(spec)
    model = pipeline.lower(spec, form)
    from symbackprop.validate.sample import sample

    values = sample(model, dtype=np.dtype(dtype), batch=size).values
    assert model.target is not None
    arrays = [np.ascontiguousarray(values[i.name], np.int64 if i.integer else dtype) for i in spec.inputs]
    target = values[model.target]
    target = np.ascontiguousarray(target, np.int64 if target.dtype.kind in "iu" else dtype)
    return (arrays[0] if len(arrays) == 1 else tuple(arrays)), target


def _cut(a: Any, size: int, dtype: np.dtype[Any]) -> Array:
    return np.ascontiguousarray(np.asarray(a)[:size], dtype)


def _ways(program: Program, net: Network, dtype: str, x: Any, y: Array) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield the two ways to call a program: arguments tested once, or at every call."""
    params = program.pack(net.init(seed=0, dtype=dtype))
    yield "bound call", program.bind(params, x, y)
    grads = program.value_and_grad(params, x, y)[1]
    yield "checked call", lambda: program.value_and_grad(params, x, y, out=grads)


def _turns(calls: Mapping[tuple[str, int], Callable[[], Any]], budget: float) -> Iterator[Row]:
    """Run the calls in turns and yield their rows."""
    times: dict[tuple[str, int], list[float]] = {key: [] for key in calls}
    inner = {}
    for key, call in calls.items():
        call()
        once = min(_span(call, 1) for _ in range(3))
        inner[key] = max(1, round(2e-5 / max(once, 1e-8)))
    until = time.perf_counter() + budget
    while not all(times.values()) or time.perf_counter() < until:
        for key, call in calls.items():
            _span(call, inner[key])
            end = time.perf_counter() + SLICE
            while not times[key] or time.perf_counter() < end:
                times[key].append(_span(call, inner[key]) / inner[key])
    for (name, count), found in times.items():
        quick, median = (float(q) for q in np.quantile(found, (0.1, 0.5)))
        yield Row(name, count, quick, median)


def _span(call: Callable[[], Any], count: int) -> float:
    began = time.perf_counter()
    for _ in repeat(None, count):
        call()
    return time.perf_counter() - began


def _operations(net: Network, batch: int, dtype: str, y: Array) -> int:
    """Return the operations of a gradient, as the plan counts them from the loops."""
    assert net.spec.loss is not None
    form = net.spec.loss.form_of(y.ndim, 1 + len(net.spec.shapes[net.spec.outputs[0]]))
    options = pipeline.Options("cpu", dtype, batch, form=form)
    return pipeline.write(net.spec, options)[1].flops


def _bytes(net: Network, dtype: str, x: Any, y: Array) -> int:
    """Return what must be read or written once: data, parameters, gradients."""
    arrays = x if isinstance(x, tuple) else (x,)
    return int(sum(a.nbytes for a in (*arrays, y)) + 2 * net.init(seed=0, dtype=dtype).flat.nbytes)


def _table(rows: list[Row], ceilings: Mapping[int, Ceilings], flops: int, moved: int, item: int) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("call")
    for head in ("threads", "10 %", "median", "GFLOP/s", "floor", "share", "of it is"):
        table.add_column(head, justify="right")
    for row in rows:
        floor, bound = ceilings[row.threads].floor(flops, moved, item)
        rate = f"{flops / row.quick / 1e9:.3g}"
        table.add_row(
            row.call, str(row.threads), seconds(row.quick), seconds(row.median), rate, seconds(floor), f"{floor / row.quick:.0%}", bound
        )
    return table


#: What a fresh process does: read the declaration, compile, compute one gradient; it answers with its largest size.
_PROGRAM = """
import sys
import numpy as np
from symbackprop.command.network import load
net = load(sys.argv[1]).net
with np.load(sys.argv[2]) as data:
    x, y = tuple(data[name] for name in data.files if name != "y"), data["y"]
net.compile(dtype=sys.argv[3], batch=len(y)).value_and_grad(net.init(seed=0, dtype=sys.argv[3]), x[0] if len(x) == 1 else x, y)
try:
    import resource
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 2**20), flush=True)
except ImportError:
    print("nan", flush=True)
"""


def first_gradient(word: str, dtype: str, x: Any, y: Array) -> tuple[float, float, float]:
    """Return the seconds until a fresh process has a gradient, with an empty cache and with a full one, and its MiB at most.

    Raises:
        TargetError: the process failed.
    """
    found = []
    with tempfile.TemporaryDirectory() as folder:
        data = os.path.join(folder, "batch.npz")
        np.savez(data, **{f"x_{k}": a for k, a in enumerate(x if isinstance(x, tuple) else (x,))}, y=y)
        environment = {**os.environ, "XDG_CACHE_HOME": os.path.join(folder, "cache")}
        for _ in range(3):
            began = time.perf_counter()
            done = subprocess.run([sys.executable, "-c", _PROGRAM, word, data, dtype], env=environment, capture_output=True, text=True)
            found.append(time.perf_counter() - began)
            if done.returncode:
                last = next(iter(done.stderr.strip().splitlines()[-1:]), "no message")
                raise TargetError(f"a fresh process that computes one gradient of {word} failed: {last}")
    return found[0], min(found[1:]), float(done.stdout.split()[-1])


def printed(parts: Iterable[str | Table]) -> None:
    """Print lines and tables."""
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    for part in parts:
        console.print(part)
