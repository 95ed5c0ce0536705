"""The command: `python -m benchmarks.cpu [WORKLOAD]... [--quick] [--record]`."""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.cpu import conductor, first, record
from benchmarks.cpu.peers import OURS, PEERS, PLAIN, REFERENCE
from benchmarks.cpu.workloads import WORKLOADS, chosen


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the tables, and keep them if that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cpu", description="Gradients on a processor beside those of the peers.")
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=f"of {', '.join(WORKLOADS)} [default: all]")
    parser.add_argument("--quick", action="store_true", help="short: for a look, not for a record")
    parser.add_argument("--peers", default=",".join(PEERS), help="which, with commas between them [default: all that are installed]")
    parser.add_argument("--threads", default="", help="such as 1,2 [default: all processors, and one]")
    parser.add_argument("--seconds", type=float, help="of one workload's slices, all peers together")
    parser.add_argument(
        "--python", action="append", default=[], metavar="[PEER=]PATH", help="interpreter of all peers, or of one; repeatable"
    )
    parser.add_argument("--caches", type=Path, help="folder where compilers keep their work between runs [default: none]")
    parser.add_argument("--first", action="store_true", help="measure the first gradient of a fresh process, and deriving, too")
    parser.add_argument("--record", action="store_true", help="write benchmarks/records/<date>-<processor>; measures everything")
    parser.add_argument("--output", type=Path, help="write the record into this folder instead")
    given = parser.parse_args(arguments)
    names = {OURS, REFERENCE} | {name for name in given.peers.split(",") if name}
    if names - set(PEERS):
        parser.error(f"unknown peer {min(names - set(PEERS))}; there are {', '.join(PEERS)}")
    peers = [name for name in PEERS if name in names]
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = [int(word) for word in given.threads.split(",")] if given.threads else sorted({processors, 1}, reverse=True)
    python = {"": sys.executable}
    for word in given.python:
        peer, _, path = word.rpartition("=")
        python[peer] = path
    python |= {name: sys.executable for name in (OURS, PLAIN)}
    effort = conductor.QUICK if given.quick else conductor.FULL
    if given.seconds is not None:
        effort = replace(effort, seconds=given.seconds)
    lines: list[str] = []
    results: dict[str, Any] = {}

    def say(line: str) -> None:
        lines.append(line)
        print(line, file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory() as folder:
        caches = given.caches.resolve() if given.caches else Path(folder)
        try:
            conductor.run(chosen(given.workloads), peers, threads, effort, python, caches, say, results)
        except KeyboardInterrupt:
            if not results:
                raise
            say("stopped; what was measured until then is kept")
    results["environment"] |= surroundings(processors)
    if given.first or given.record:
        from benchmarks.derivation import depth_and_width

        there = [name for name in peers if name in results["environment"]["versions"]]
        results["first"] = first.measure(there, max(threads), python, say)
        results["derivation"] = depth_and_width()
    print(record.report(results))
    if given.record or given.output:
        target = given.output or record.RECORDS / name_of(results["environment"])
        record.write(results, target, lines)
        say(f"written: {os.path.relpath(target)}")


def surroundings(processors: int) -> dict[str, Any]:
    """Return the machine and the date: no names of hosts or users, no paths."""
    from llvmlite import binding

    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=conductor.ROOT, capture_output=True, text=True).stdout.strip()
    model = re.search(r"^model name\s*:\s*(.+)$", _text("/proc/cpuinfo"), re.MULTILINE)
    return {
        "processor": f"{model.group(1).strip() if model else platform.processor() or platform.machine()} ({binding.get_host_cpu_name()})",
        "processors": processors,
        "system": f"{platform.system()} on {platform.machine()}",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "commit": commit,
    }


def name_of(environment: dict[str, Any]) -> str:
    """Return the name of a record's folder: the date and the processor."""
    words = re.sub(r"[^a-z0-9]+", "-", environment["processor"].lower()).strip("-")
    return f"{environment['date']}-{words}"


def _text(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""


if __name__ == "__main__":
    # Also a run in the background can be stopped, and keeps what it has measured.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    main()
