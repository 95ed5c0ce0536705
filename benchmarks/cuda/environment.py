"""Where it ran: the card and its clocks as they were found, versions; no names of hosts or users, no paths."""

from __future__ import annotations

import datetime
import os
import platform
import re
import shutil
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.cuda.hands import ROOT

PACKAGES = ("numpy", "numba", "llvmlite", "numba-cuda", "numba-cuda-mlir", "sympy", "torch", "jax", "jaxlib", "cupy-cuda13x", "cuda-core")

#: What the card is asked for; nothing is set.
FIELDS = (
    "name",
    "driver_version",
    "memory.total",
    "clocks.sm",
    "clocks.mem",
    "clocks.max.sm",
    "clocks.max.mem",
    "power.draw",
    "power.limit",
    "temperature.gpu",
    "persistence_mode",
    "utilization.gpu",
)


def card() -> dict[str, str]:
    """Return what the driver says of the first card; nothing without one."""
    command = ["nvidia-smi", "--id=0", f"--query-gpu={','.join(FIELDS)}", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return {}
    line = next(iter(done.stdout.splitlines()), "")
    return dict(zip(FIELDS, (word.strip() for word in line.split(",")), strict=False))


def toolkit() -> dict[str, str]:
    """Return the variables with which Numba's built-in target finds a toolkit that lies in its usual place."""
    usual = Path("/usr/local/cuda")
    return {} if os.environ.get("CUDA_HOME") or not usual.exists() else {"CUDA_HOME": str(usual)}


def today() -> str:
    """Return the date, as records have it."""
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def found() -> dict[str, Any]:
    """Return the environment as plain data."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "absent"
    compiler = shutil.which("nvcc") or next((str(path) for path in (Path("/usr/local/cuda/bin/nvcc"),) if path.exists()), None)
    if compiler:
        try:
            told = subprocess.run([compiler, "--version"], capture_output=True, text=True, timeout=20).stdout
        except (OSError, subprocess.SubprocessError):
            told = ""
        release = re.search(r"release ([\d.]+)", told)
        versions["nvcc"] = release.group(1) if release else "not seen"
    describe = ["git", "describe", "--always", "--dirty"]
    try:
        commit = subprocess.run(describe, cwd=ROOT, capture_output=True, text=True, timeout=20).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        commit = ""
    return {
        "card": card(),
        "versions": versions,
        "toolkit": "CUDA_HOME" if os.environ.get("CUDA_HOME") else "its usual place" if toolkit() else "none seen",
        "processors": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "system": f"{platform.system()} on {platform.machine()}",
        "date": today(),
        "commit": commit,
    }
