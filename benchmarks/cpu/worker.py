"""The process of one peer: it reads commands, one JSON object a line, and answers each with one.

    python -m benchmarks.cpu.worker PEER THREADS

Commands: ``about``; ``build`` a workload in a type, run it once and write its result to a file; ``time`` it for a while.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import platform
import re
import sys
import time
from collections.abc import Callable
from importlib import metadata
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cpu.peers import PEERS
from benchmarks.cpu.step import Made, MissingError
from benchmarks.cpu.workloads import WORKLOADS

#: Seconds of the shortest span that a clock is asked for.
SPAN = 20e-6


def main() -> None:
    """Answer commands until there are no more."""
    name, threads = sys.argv[1], int(sys.argv[2])
    if threads == 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    # What libraries print goes elsewhere: the pipe is for answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker = Worker(name, threads)
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer = getattr(worker, command.pop("do"))(**command)
        except MissingError as reason:
            answer = {"missing": str(reason)}
        except Exception as error:  # a peer may fail in any way; the others go on
            text = re.sub(r"(/[\w.+-]+){2,}/", "", next(iter(str(error).splitlines()), ""))
            answer = {"error": f"{type(error).__name__}: {text[:200]}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


class Worker:
    """A peer and the workload it holds."""

    def __init__(self, name: str, threads: int) -> None:
        self.peer, self.threads = PEERS[name], threads
        self.made: Made | None = None
        self.inner: dict[str, int] = {}
        self.slow: dict[str, bool] = {}

    def about(self) -> dict[str, Any]:
        """Return versions and the instruction set that the BLAS has chosen."""
        module = importlib.import_module(f"benchmarks.cpu.{self.peer.module}")
        np.ones((8, 8)) @ np.ones((8, 8))
        versions = {package: metadata.version(package) for package in self.peer.packages}
        chosen = {f"OpenBLAS of {library}": core for library, core in blas().items()}
        torch = getattr(module, "torch", None)
        if torch is not None:
            has = "MKL" if torch.backends.mkl.is_available() else "its own BLAS"
            chosen = {"PyTorch": f"{has}, vector code for {torch.backends.cpu.get_cpu_capability()}"}
        elif hasattr(module, "jax"):
            chosen = {"JAX": "XLA's own products of matrices"}
        return {"versions": {"python": platform.python_version(), **versions}, "blas": chosen}

    def build(self, workload: str, dtype: str, result: str) -> dict[str, Any]:
        """Make a workload, run it once and write what it found."""
        self.made = None
        gc.collect()
        began = time.perf_counter()
        build = importlib.import_module(f"benchmarks.cpu.{self.peer.module}").build
        made: Made = build(WORKLOADS[workload], dtype, self.threads, **self.peer.options)
        (made.first or made.run)()
        seconds = time.perf_counter() - began
        np.savez(result, **made.result())
        self.made, self.inner, self.slow = made, {}, {}
        return {"seconds": seconds, "variants": list(made.variants)}

    def time(self, variant: str, seconds: float) -> dict[str, Any]:
        """Return the seconds of single evaluations, each the mean of a span that a clock can measure."""
        assert self.made is not None
        run = self.made.variants.get(variant, self.made.run)
        if variant not in self.inner:
            once = _span(run, 1)
            if once < SPAN:
                once = min(_span(run, 20) / 20 for _ in range(10))
            self.inner[variant] = max(1, round(SPAN / once))
            self.slow[variant] = once > seconds
        inner, found = self.inner[variant], []
        gc.disable()
        try:
            if not self.slow[variant]:
                # Caches hold what another process left there.
                _span(run, inner)
            until = time.perf_counter() + seconds
            while not found or time.perf_counter() < until:
                found.append(_span(run, inner) / inner / self.made.per)
        finally:
            gc.enable()
        return {"times": found}


def _span(run: Callable[[], Any], count: int) -> float:
    began = time.perf_counter()
    for _ in repeat(None, count):
        run()
    return time.perf_counter() - began


def blas() -> dict[str, str]:
    """Return the core that each loaded OpenBLAS has chosen, by the package that brought it."""
    found = {}
    maps = Path("/proc/self/maps")
    lines = maps.read_text().splitlines() if maps.exists() else []
    for path in sorted({line.split()[-1] for line in lines if "openblas" in line}):
        library = ctypes.CDLL(path)
        for name in ("scipy_openblas_get_corename64_", "scipy_openblas_get_corename", "openblas_get_corename"):
            core = getattr(library, name, None)
            if core is not None:
                core.restype = ctypes.c_char_p
                found[Path(path).parent.name.partition(".")[0]] = core().decode()
                break
    return found


if __name__ == "__main__":
    main()
