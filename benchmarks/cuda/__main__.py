"""The command: `python -m benchmarks.cuda [--out DIR] [--budget SECONDS] [--only PART] [--dry]`."""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.cuda import clock, environment, parts, report
from benchmarks.cuda.hands import ROOT

RECORDS = ROOT / "benchmarks" / "records"


def main(arguments: Sequence[str] | None = None) -> int:
    """Do the run, write what it found, print the table; return 0 if no part failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cuda", description="Training steps on a GPU beside those of the peers.")
    parser.add_argument("--out", type=Path, help="folder of the results [default: benchmarks/records/<date>-<card>]")
    parser.add_argument("--budget", type=float, default=540.0, help="seconds of everything [default: 540]")
    parser.add_argument("--only", action="append", choices=tuple(parts.PARTS), help="one part, and the environment; repeatable")
    parser.add_argument("--dry", action="store_true", help="without a GPU: tiny networks, emulated; no times, no opponents")
    parser.add_argument("--jobs", type=int, help="processes that prepare side by side [default: one for each processor]")
    parser.add_argument("--python", action="append", default=[], metavar="[torch=|jax=]PATH", help="interpreter of a peer, or of all")
    given = parser.parse_args(arguments)
    python = {"": sys.executable}
    for word in given.python:
        peer, _, path = word.rpartition("=")
        python[peer] = path
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    effort = clock.DRY if given.dry else clock.FULL
    run = parts.Run(given.out or folder(given.dry), given.budget, given.dry, given.jobs or processors, python, effort)
    code = 1
    try:
        parts.do(run, {"environment", *(given.only or parts.PARTS)})
        failed = any(entry["state"] == "failed" for entry in run.results["parts"].values())
        code = int(failed or bool(report.judged(run.results)[1]))
    except KeyboardInterrupt:
        run.say("stopped; what was found until then is kept")
    finally:
        run.close()
        run.results.setdefault("environment", {})["card_after"] = environment.card()
        run.save()
        report.write(run.results, run.out)
        print(report.printed(run.results), end="", flush=True)
    return code


def folder(dry: bool) -> Path:
    """Return where a record belongs; a dry run is none, and lies in a temporary folder."""
    if dry:
        return Path(tempfile.mkdtemp(prefix="symbackprop-cuda-"))
    name = environment.card().get("name", "no-gpu")
    words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return RECORDS / f"{environment.today()}-{words}"


if __name__ == "__main__":
    # Also a run in the background can be stopped, and keeps what it has measured.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    sys.exit(main())
