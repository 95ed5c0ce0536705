"""Products of an equation as kernels: written into a module, run in lock-step, compared with the equations' own meaning in float64."""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from device_measure import TOLERANCE, greatest
from device_orders import in_three_orders

from symbackprop.algebra.equation import Equation, System
from symbackprop.algebra.index import Size
from symbackprop.algebra.interpret import interpret
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.declare.dimension import BATCH
from symbackprop.emit.environment import environment
from symbackprop.emit.names import RESERVED
from symbackprop.emit.threads.product import blocks, page
from symbackprop.plan.contractions import Scratch
from symbackprop.plan.device.product import Part, Speed, Tiled, tiled
from symbackprop.plan.device.records import DeviceKernel, Product, Sweep, Tile
from symbackprop.plan.rewriting import tensors

N = Size(BATCH)
#: The smallest cut: one block of 16 threads.
SMALL = Tile(16, 16, 4, 4, 4)
TAKEN = RESERVED | {"cuda", "int32", "uint32", "ld4", "st4", "register_tile", "multiply_add", "store_row", "opaque", "math"}

HEAD = """{% from "numba_cuda/products.jinja" import marked, product %}
import math

from numba import float32, float64, int32, uint32
from numba import {{ dtype }} as real

{{ runtime }}
{% for p in products %}


{{ product(p, marked(false, p.registers, "strict") | trim) | trim }}
{% endfor %}
"""
#: The emulator puts itself in the places of these.
EMULATED = """cuda = ld4 = st4 = register_tile = multiply_add = store_row = None


def jit(function=None, **options):
    return function or jit


device = jit


def opaque(k):
    return k
"""

_numbers = itertools.count()


@dataclass(frozen=True)
class Written:
    """A module of products with the phases that it was written from."""

    module: Any
    tiled: Tiled
    kernels: tuple[DeviceKernel | None, ...]
    text: str


def plan(
    equations: Sequence[Equation], *, samples: int = 5, tile: Tile = SMALL, aligned: bool = True, dtype: str = "float32", least: int = 1
) -> Tiled:
    """Return the phases of some equations, all of which are stored; with one tile to choose from."""
    names = {t.name for e in equations for t in (e.tensor, *e.reads)}
    found = tiled(
        equations,
        frozenset(e.tensor.name for e in equations),
        {N: samples},
        frozenset(names) if aligned else frozenset(),
        Scratch(sorted(names)),
        single=dtype == "float32",
        tiles=(Speed(tile, 1.0, 1),),
        least=least,
    )
    assert found is not None, equations
    return found


def kernel_of(part: Part, name: str) -> DeviceKernel | None:
    """Return the kernel of a product; every tensor lies in a buffer of the name ``work``, so that offsets are used."""
    if isinstance(part.phase, Sweep):
        return None
    reads = [a.tensor for e in (part.phase.left, part.phase.right) for a in e.atoms(Access)]
    found = sorted({*reads, *tensors(part.phase.epilogue)}, key=lambda t: t.name)
    buffers = tuple("labels" if t.integer else "work" for t in found)
    written = tuple(e.tensor.name for e in part.equations)
    return DeviceKernel(name, part.equations, tuple(found), buffers, written, part.phase, part.reason)


def write(found: Tiled, folder: Path, dtype: str = "float32", runtime: str = EMULATED) -> Written:
    """Write a module with the products of some phases, and import it."""
    kernels = tuple(kernel_of(part, f"product_{k}") for k, part in enumerate(found.parts))
    pages = [page(k, frozenset(TAKEN), single=dtype == "float32") for k in kernels if k is not None]
    text = environment().from_string(HEAD).render(products=pages, dtype=dtype, runtime=runtime)
    name = f"products_{next(_numbers)}"
    path = folder / f"{name}.py"
    path.write_text(text)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return Written(module, found, kernels, text)


def shape(t: Tensor, samples: int) -> tuple[int, ...]:
    return tuple(int(e.xreplace({N: samples})) for e in t.shape)


def arguments(kernel: DeviceKernel, values: dict[str, np.ndarray], samples: int, dtype: str, gap: int) -> tuple[list[Any], dict[str, int]]:
    """Return the arguments of a kernel and where each tensor lies in the buffer ``work``: with gaps of NaN between them."""
    labels = [values[t.name] for t in kernel.tensors if t.integer]
    places: dict[str, int] = {}
    size = gap
    for t in kernel.tensors:
        if not t.integer:
            places[t.name] = size
            size += -(-int(np.prod(shape(t, samples), dtype=int)) // 4) * 4 + gap
    work = np.full(size, np.nan, dtype)
    for name, start in places.items():
        if name in values:
            work[start : start + values[name].size] = values[name].ravel()
    buffers = {"work": work, "labels": labels[0].ravel() if labels else None}
    offsets = [places[t.name] for t in kernel.tensors if not t.integer]
    return [*(buffers[b] for b in dict.fromkeys(kernel.buffers)), *offsets, samples], places


def run(
    written: Written, given: dict[str, np.ndarray], samples: int, dtype: str = "float32", *, seed: int = 0, gap: int = 4
) -> dict[str, np.ndarray]:
    """Run the phases in order in lock-step, in three orders of threads, sums of parts by their equations, and return all values."""
    values = dict(given)
    for part, kernel in zip(written.tiled.parts, written.kernels, strict=True):
        if kernel is None:
            values |= rest_of(part.equations, values, dtype)
            continue
        assert isinstance(kernel.phase, Product)
        taken, places = arguments(kernel, values, samples, dtype, gap)
        grid = eval(blocks(kernel.phase, str(samples)))
        in_three_orders(getattr(written.module, kernel.name), grid, kernel.phase.tile.threads, *taken, seed=seed)
        for t in kernel.tensors:
            if t.name in kernel.written:
                extent = shape(t, samples)
                start = places[t.name]
                values[t.name] = taken[0][start : start + int(np.prod(extent, dtype=int))].reshape(extent).copy()
    if written.tiled.rest:
        values |= rest_of(written.tiled.rest, values, dtype)
    return values


def rest_of(equations: Sequence[Equation], values: dict[str, np.ndarray], dtype: str) -> dict[str, np.ndarray]:
    made = interpret(System(list(equations)), {k: v for k, v in values.items()})
    return {e.tensor.name: made[e.tensor.name].astype(dtype) for e in equations}


def draw(equations: Sequence[Equation], samples: int, seed: int, dtype: str, largest: int = 3) -> dict[str, np.ndarray]:
    """Return values for what equations read and do not compute."""
    rng = np.random.default_rng(seed)
    made = {e.tensor.name for e in equations}
    found: dict[str, np.ndarray] = {}
    for t in sorted({t for e in equations for t in e.reads if t.name not in made}, key=lambda t: t.name):
        extent = shape(t, samples)
        found[t.name] = rng.integers(0, largest, extent) if t.integer else rng.standard_normal(extent).astype(dtype)
    return found


def check(
    equations: Sequence[Equation],
    folder: Path,
    *,
    samples: int = 5,
    tile: Tile = SMALL,
    aligned: bool = True,
    dtype: str = "float32",
    seeds: Sequence[int] = (0,),
    found: Tiled | None = None,
) -> Written:
    """Compare what the kernels compute with what the equations say, relative to the largest value of each result."""
    found = found or plan(equations, samples=samples, tile=tile, aligned=aligned, dtype=dtype)
    written = write(found, folder, dtype)
    for seed in seeds:
        given = draw(equations, samples, seed + 7, dtype)
        wanted = interpret(System(list(equations)), {k: v.astype(np.float64) if v.dtype.kind == "f" else v for k, v in given.items()})
        got = run(written, given, samples, dtype, seed=seed, gap=4 if aligned else 3)
        for e in equations:
            name = e.tensor.name
            assert np.max(np.abs(got[name] - wanted[name])) <= TOLERANCE[dtype] * greatest(wanted[name]), (name, seed)
    return written
