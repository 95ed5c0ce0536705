"""How fast products of matrices and sums over windows are on one core, as shares of the largest rate of multiply-adds.

    python -m benchmarks.products [float32 | float64]

Each figure is the least of many short runs, in processor time of one thread, for other programs may be running. Arrays start at
whole cache lines, as the flat buffers of a program do. The plain loops of the runtime file stand beside what replaces them.
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib import util
from pathlib import Path
from types import ModuleType
from typing import Any

import numba
import numpy as np

from symbackprop.command.ceilings import measure
from symbackprop.emit.environment import environment

#: (rows, terms, columns): of small layers, of the layers of the digits and of MNIST with their gradients, of deep and wide ones.
PRODUCTS = [
    *((32, 8, 32), (32, 32, 8), (1, 32, 32), (32, 64, 64), (64, 64, 64), (64, 64, 10), (10, 64, 64)),
    *((64, 784, 128), (784, 64, 128), (512, 784, 128), (256, 512, 512), (1024, 1024, 1024)),
]
#: Extents of m, k, u, v, y, x; of the image; the rule of both directions: the layers of LeNet, of a deeper network, a stride.
WINDOWS = {
    "LeNet 1, forward": ((6, 1, 5, 5, 28, 28), (28, 28), (1, 1, -2)),
    "LeNet 2, forward": ((16, 6, 5, 5, 10, 10), (14, 14), (1, 1, 0)),
    "LeNet 2, back": ((6, 16, 5, 5, 14, 14), (10, 10), (1, -1, 0)),
    "3×3, 64 channels": ((64, 64, 3, 3, 8, 8), (8, 8), (1, 1, -1)),
    "3×3, stride 2": ((32, 16, 3, 3, 8, 8), (16, 16), (2, 1, -1)),
}
#: Samples side by side.
SAMPLES = (16, 32)


def runtime() -> ModuleType:
    """Return the runtime file, from a folder of its own."""
    path = Path(tempfile.mkdtemp()) / "kernels_cpu.py"
    path.write_text(environment().get_template("numba_cpu/kernels_cpu.py.jinja").render(), encoding="utf-8")
    spec = util.spec_from_file_location("kernels_cpu", path)
    assert spec is not None and spec.loader is not None
    made = sys.modules[spec.name] = util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def array(rng: np.random.Generator, dtype: str, *shape: int) -> Any:
    """Return random numbers that start at a whole cache line."""
    whole = np.empty(math.prod(shape) + 64, dtype)
    start = -whole.ctypes.data % 64 // whole.itemsize
    made = whole[start : start + math.prod(shape)].reshape(shape)
    made[...] = rng.normal(size=shape)
    return made


def repeated(function: Any, rules: bool = False) -> Callable[..., None]:
    """Return a compiled loop around a function."""

    def windows(a: Any, b: Any, c: Any, rule: Any, count: int) -> None:
        for _ in range(count):
            function(a, b, c, rule, rule)

    def products(a: Any, b: Any, c: Any, count: int) -> None:
        for _ in range(count):
            function(a, b, c)

    made: Callable[..., None] = numba.njit(windows if rules else products)
    return made


def rate(loop: Callable[..., None], work: int, *given: Any) -> float:
    """Return multiply-adds per second, counted as two operations each."""
    count, best = max(1, 10_000_000 // work), math.inf
    loop(*given, 1)
    for _ in range(20):
        start = time.thread_time()
        loop(*given, count)
        best = min(best, (time.thread_time() - start) / count)
    return 2 * work / best


def lines(module: ModuleType, dtype: str) -> Iterator[tuple[str, list[float]]]:
    """Yield what was done and its rates."""
    rng = np.random.default_rng(0)
    product, rows, plain = (repeated(getattr(module, name)) for name in ("product", "row_products", "plain_product"))
    for m, k, n in PRODUCTS:
        a, b, c = array(rng, dtype, m, k), array(rng, dtype, k, n), array(rng, dtype, m, n)
        turned, upright = array(rng, dtype, n, k), array(rng, dtype, k, m).T
        rates = [rate(product, m * k * n, a, b, c), rate(product, m * k * n, upright, b, c), rate(rows, m * k * n, a, turned, c)]
        yield f"{m} × {k} · {k} × {n}", [*rates, rate(plain, m * k * n, a, b, c)]
    window, back, spread = (repeated(getattr(module, name), True) for name in ("correlate", "correlate_rows", "spread"))
    slow = repeated(module.plain_correlate, True)
    for name, ((m, k, u, v, y, x), (high, wide), rule) in WINDOWS.items():
        for n in SAMPLES:
            shapes = (m, k, u, v), (k, high, wide, n), (m, y, x, n)
            kernel, image, result = (array(rng, dtype, *shape) for shape in shapes)
            work = m * k * n * meetings(y, u, high, rule) * meetings(x, v, wide, rule)
            rates = [rate(window, work, kernel, image, result.copy(), rule), rate(back, work, result, image, kernel.copy(), rule)]
            rates += [rate(spread, work, kernel, result, image.copy(), rule), rate(slow, work, kernel, image, result.copy(), rule)]
            yield f"{name}, {n} samples", rates


def meetings(extent: int, window: int, image: int, rule: tuple[int, int, int]) -> int:
    """Return how many pairs of places meet inside the image."""
    y, u = np.ogrid[:extent, :window]
    place = rule[0] * y + rule[1] * u + rule[2]
    return int(((place >= 0) & (place < image)).sum())


def main() -> None:
    """Print a table."""
    dtype = sys.argv[1] if len(sys.argv) > 1 else "float32"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    # Measured by the clock on the wall: on a busy machine the best of a few goes.
    peak = max(measure(1).peak for _ in range(4)) / (1 if dtype == "float32" else 2)
    print(f"{dtype}, one core, GF/s and percent of {peak / 1e9:.0f} GF/s of multiply-adds")
    heads = {0: ("product", "a by columns", "row_products", "plain product")}
    heads[len(PRODUCTS)] = ("correlate", "rows", "spread", "plain correlate")
    for number, (name, rates) in enumerate(lines(runtime(), dtype)):
        if number in heads:
            print(f"\n{'':28}" + "".join(f"{head:>17}" for head in heads[number]))
        print(f"{name:28}" + "".join(f"{r / 1e9:10.1f} {100 * r / peak:4.0f} %" for r in rates), flush=True)


if __name__ == "__main__":
    main()
