"""Generated modules, ready to run: the networks that are checked, and the way from a declaration to entries on device arrays."""

from __future__ import annotations

import atexit
import importlib.util
import inspect
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.cuda import ladder

Array = npt.NDArray[Any]

#: Schedules that are asked for; one that this version lacks, or that a network is too large for, is left out and named.
SCHEDULES = ("layered", "single", "grid", "external")

#: How an error begins that says so.
UNFIT = "there is no schedule"

#: Samples that are checked, beside the batch that a module is planned for: odd, so that edges of tiles and blocks are met.
SIZES = {"tiny": 3, "odd": 17, "tiles": 129, "narrow": 65, "images": 5, "norms": 7, "text": 5, "recurrent": 5}

#: Those that are checked with every product done by cuBLAS, however small: transposed factors, batches of products, odd places.
OUTSIDE = ("odd", "tiles", "images", "text")


def declared(name: str) -> Any:
    """Return the network of a name."""
    import symbackprop as sbp

    def dense(*units: int, **options: Any) -> Any:
        layers = [sbp.Dense(n, activation="tanh" if n != units[-1] else None) for n in units[1:]]
        return sbp.Sequential([sbp.Input(units[0]), *layers], name=f"checked_{name}", **options)

    if name == "tiny":
        return dense(3, 5, 2, loss="mse")
    if name == "odd":
        return dense(7, 13, 5, loss="softmax_cross_entropy")
    if name == "tiles":
        return dense(130, 67, 33, loss="mse")
    if name == "narrow":
        return dense(16, 64, 64, 1, loss="mse")
    if name == "images":
        kinds = [sbp.Conv2D(3, 3, padding=1), sbp.BatchNorm(), sbp.Activation("relu"), sbp.MaxPool2D(2), sbp.Conv2D(5, 3), sbp.Flatten()]
        return sbp.Sequential(
            [sbp.Input((1, 9, 9)), *kinds, sbp.Dense(4)], loss="softmax_cross_entropy", name="checked_images"
        )
    if name == "norms":
        middle = [sbp.Dense(11, activation="gelu"), sbp.LayerNorm(), sbp.Dense(6, activation="softmax")]
        return sbp.Sequential([sbp.Input(9), *middle], loss="cross_entropy", name="checked_norms")
    if name == "text":
        tokens = sbp.Input(5, dtype="int64")
        h = sbp.Embedding(11, 6)(tokens)
        h = h + sbp.Attention(heads=2, causal=True)(sbp.LayerNorm()(h))
        return sbp.Network(inputs=tokens, outputs=sbp.Dense(11)(h), loss="softmax_cross_entropy", name="checked_text")
    if name == "recurrent":
        layers = [sbp.GRU(7, return_sequences=True), sbp.Dense(4)]
        return sbp.Sequential([sbp.Input((5, 3)), *layers], loss="mse", name="checked_recurrent")
    raise KeyError(name)


def checked(dry: bool) -> Iterator[tuple[str, str]]:
    """Yield which network is checked with which schedule."""
    if dry:
        yield from (("tiny", "auto"), ("tiny", "single"), ("tiny", "grid"))
        return
    for name in SIZES:
        for schedule in ("auto", "single", "grid") if name in ("tiny", "odd", "narrow") else ("auto",):
            yield name, schedule
        if name in OUTSIDE:
            yield name, "external"


@dataclass(frozen=True)
class Opened:
    """A generated module and what runs it.

    Attributes:
        module: with the entries.
        runtime: the file beside it that launches kernels; None where there are none.
        plan: how the kernels do their work, in words.
    """

    module: ModuleType
    runtime: ModuleType | None
    plan: str

    def entry(self, name: str) -> Any:
        """Return an entry, None if the network has none of that name."""
        return getattr(self.module, name, None)

    def put(self, array: Array) -> Any:
        """Return an array on the device."""
        return array if self.runtime is None else self.runtime.put(array)

    def get(self, there: Any, like: Array) -> Array:
        """Return a copy of an array of the device, in the shape and type of another one."""
        if self.runtime is None:
            return np.array(there)
        values = np.empty(like.size, like.dtype)
        self.runtime.give(there.reshape(there.size), values)
        return values.reshape(like.shape)

    def copy(self, one: Any, other: Any) -> None:
        """Copy from one array of the device to another."""
        if hasattr(other, "copy_to_device"):
            assert self.runtime is not None
            other.copy_to_device(one, stream=self.runtime.current().stream)
        else:
            other[...] = one

    def beside(self, name: str, text: str) -> ModuleType:
        """Return a module made of a text that takes the names of the same runtime."""
        path = Path(str(self.module.__file__)).with_name(f"{name}.py")
        path.write_text(text, encoding="utf-8")
        assert self.runtime is not None
        # Another network may have brought its own meanwhile.
        sys.modules["kernels_cuda"] = self.runtime
        return _loaded(path)

    def wait(self) -> None:
        """Wait until the device has done everything."""
        if self.runtime is not None:
            self.runtime.synchronize()


def opened(
    net: Any,
    batch: int,
    rung: str | None,
    dtype: str = "float32",
    schedule: str = "auto",
    optimizer: Any = None,
    large: float | None = None,
) -> Opened:
    """Write a network's module into a folder of its own, and import it.

    Args:
        net: the network.
        batch: the largest batch.
        rung: what runs it, of `ladder`; None for the module in NumPy, which shares neither a compiler nor a schedule with it.
        dtype: "float32" or "float64".
        schedule: of the kernels.
        optimizer: whose step the module does.
        large: geometric mean of rows, columns and terms from which on cuBLAS does a product; None for the number that is shipped.

    Raises:
        LookupError: the network has no such schedule.
    """
    from symbackprop import pipeline
    from symbackprop.errors import EmissionError

    if rung is not None and schedule not in pipeline.SCHEDULES["cuda"]:
        raise LookupError(f"{UNFIT} {schedule} in this version")
    kind = "numpy" if rung is None else "cuda"
    form = pipeline.usual_form(net.spec)
    options = pipeline.Options(kind, dtype, batch, schedule, form, optimizer)
    try:
        model, plan, artifacts = pipeline.write(net.spec, options)
    except EmissionError as error:
        raise LookupError(f"{UNFIT} {schedule} of this network: {error}") from error
    if large is not None and rung is not None:
        from symbackprop.emit.render import render
        from symbackprop.plan.device.make import planned

        plan = replace(plan, device=planned(plan, model.batch, schedule, large))
        artifacts = render(plan, kind)
    folder = Path(tempfile.mkdtemp(prefix="symbackprop-bench-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for artifact in artifacts:
        (folder / Path(artifact.path).name).write_text(artifact.text, encoding="utf-8")
    module, runtime = _imported(folder / Path(artifacts[0].path).name, f"kernels_{kind}")
    if rung is not None:
        taken = module.SCHEDULE
        if schedule not in ("auto", taken):
            raise LookupError(f"{UNFIT} {schedule} of this network: the plan takes {taken}")
        runtime.use(device(rung))
    return Opened(module, runtime, str(plan))


def device(rung: str) -> Any:
    """Return what the runtime of generated modules takes for a rung."""
    if rung != ladder.EMULATED:
        return rung
    from symbackprop.execute.lockstep import Lockstep

    return Lockstep(race=False)


def _imported(path: Path, runtime: str) -> tuple[ModuleType, Any]:
    """Import a module and, as a module of its own, the runtime beside it."""
    sys.modules.pop(runtime, None)
    sys.path.insert(0, str(path.parent))
    try:
        module = _loaded(path)
    finally:
        sys.path.remove(str(path.parent))
    return module, sys.modules.get(runtime)


def _loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def span(made: Opened, run: Any) -> Any:
    """Return the span of work between two events of the device on the stream of all kernels; emulated, by the clock of the host."""
    from benchmarks.cuda import clock

    assert made.runtime is not None
    there = made.runtime.current()
    stream = getattr(there, "stream", None)
    if stream is None:
        return clock.wall(run, made.wait)
    start, end = (there.cuda.event(timing=True) for _ in range(2))

    def of(runs: int) -> float:
        start.record(stream)
        for _ in range(runs):
            run()
        end.record(stream)
        end.synchronize()
        return float(there.cuda.event_elapsed_time(start, end)) / 1e3

    return of


def arguments(function: Any, values: Mapping[str, Any]) -> list[Any] | None:
    """Return the arguments of an entry by their names; None if it takes one that is not there."""
    names = inspect.signature(getattr(function, "py_func", function)).parameters
    return [values[name] for name in names] if all(name in values for name in names) else None
