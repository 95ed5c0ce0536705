"""The CUDA targets of Numba, from the one most people have to the youngest: the first that adds two vectors is taken."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from types import ModuleType
from typing import Any

import numpy as np

#: The rungs in the order in which they are tried.
RUNGS = ("numba-cuda", "builtin", "mlir")

#: The rung that needs no GPU: kernels are emulated thread by thread.
EMULATED = "lockstep"


def climb(rung: str) -> ModuleType:
    """Return the CUDA module of a rung.

    Raises:
        ImportError: it is not installed.
    """
    # Names that NumPy 2.5 dropped and numba-cuda still imports.
    for old, new in (("row_stack", "vstack"), ("in1d", "isin"), ("trapz", "trapezoid")):
        if not hasattr(np, old) and hasattr(np, new):
            setattr(np, old, getattr(np, new))
    if rung == "mlir":
        return importlib.import_module("numba_cuda_mlir.cuda")
    if rung == "numba-cuda":
        metadata.version("numba-cuda")
    else:
        # What redirects numba.cuda to numba-cuda once that is installed.
        sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != "NumbaCudaFinder"]
    return importlib.import_module("numba.cuda")


def add(rung: str) -> Iterator[tuple[str, Any]]:
    """Add two vectors on the device, and yield what the device is."""
    cuda = climb(rung)
    package = {"numba-cuda": "numba-cuda", "builtin": "numba", "mlir": "numba-cuda-mlir"}[rung]
    yield "version", metadata.version(package)

    @cuda.jit  # type: ignore[untyped-decorator]
    def kernel(a: Any, b: Any, c: Any) -> None:
        i = cuda.grid(1)
        if i < c.size:
            c[i] = a[i] + b[i]

    rng = np.random.default_rng(4)
    a, b = (rng.standard_normal(1000).astype(np.float32) for _ in range(2))
    there = cuda.to_device(np.full(1000, np.nan, np.float32))
    kernel[8, 128](cuda.to_device(a), cuda.to_device(b), there)
    if not np.array_equal(there.copy_to_host(), a + b):
        raise AssertionError("the sum of two vectors is wrong")
    yield "added", True
    texts = kernel.inspect_asm()
    text = next(iter(texts.values())) if isinstance(texts, dict) else str(texts)
    if isinstance(text, dict):
        text = next(iter(text.values()))
    found = re.search(r"^\s*\.version\s+([\d.]+)", text, re.MULTILINE)
    yield "ptx", found.group(1) if found else "not seen"
    device = cuda.get_current_device()
    yield "capability", ".".join(map(str, device.compute_capability))
    for name in ("MULTIPROCESSOR_COUNT", "L2_CACHE_SIZE", "MAX_SHARED_MEMORY_PER_BLOCK", "MAX_SHARED_MEMORY_PER_BLOCK_OPTIN"):
        yield name.lower(), getattr(device, name, None)
    yield "added", True
