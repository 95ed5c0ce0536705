"""Time to the first gradient: a fresh process, the interpreter included, with empty caches and with those of the run before.

python -m benchmarks.cpu.first PEER THREADS WORKLOAD      # what is measured: one gradient, then the peak of memory
"""

from __future__ import annotations

import importlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.cpu.peers import DISPATCHED, OURS, PEERS, PLAIN
from benchmarks.cpu.workloads import WORKLOADS

#: What is measured.
NAMES = ("d", "i")


def measure(peers: Sequence[str], threads: int, python: Mapping[str, str], say: Callable[[str], None]) -> dict[str, Any]:
    """Return the seconds until the first gradient, cold and (the better of two) cached, and the MiB at most."""
    found: dict[str, Any] = {}
    for name in NAMES:
        entry: dict[str, Any] = {"title": WORKLOADS[name].title, "peers": {}}
        for peer in peers:
            if peer in (PLAIN, DISPATCHED):
                continue
            say(f"first gradient of {name}: {PEERS[peer].told}")
            with tempfile.TemporaryDirectory() as folder:
                cold, *cached = (_once(peer, threads, name, python.get(peer, python[""]), Path(folder)) for _ in range(3))
            if cold is not None and None not in cached:
                again = min(run for run in cached if run is not None)
                entry["peers"][peer] = {"cold": cold[0], "cached": again[0], "cold_mib": cold[1], "cached_mib": again[1]}
        found[name] = entry
    return found


def _once(peer: str, threads: int, workload: str, python: str, caches: Path) -> tuple[float, float] | None:
    from benchmarks.cpu.conductor import ROOT, environment

    command = [python, "-m", "benchmarks.cpu.first", peer, str(threads), workload]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    began = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, env=environment(peer, threads, caches), **pipes) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        taken = time.perf_counter() - began
        process.communicate()
    return (taken, float(line)) if line else None


def main() -> None:
    """Compute one gradient and say how much memory the process took at most, in MiB."""
    peer, threads, name = PEERS[sys.argv[1]], int(sys.argv[2]), sys.argv[3]
    workload = replace(WORKLOADS[name], kinks=False)
    module = importlib.import_module(f"benchmarks.cpu.{peer.module}")
    if peer.module == PEERS[OURS].module:
        module.first(workload, threads)
    else:
        module.build(workload, "float32", threads, **peer.options).run()
    print(_peak(), flush=True)


def _peak() -> float:
    """Return the most memory that this process took, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():
        # What the kernel tells at exit counts the process that started this one, too.
        return next(float(line.split()[1]) / 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main()
