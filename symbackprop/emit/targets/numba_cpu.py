"""Loops for the CPU, compiled by Numba; also right, though slow, when run as plain Python."""

from __future__ import annotations

from symbackprop.emit.records import Target

NUMBA_CPU = Target(name="cpu", folder="numba_cpu", form="loops", suffix="_cpu.py", runtime="kernels_cpu.py.jinja")

__all__ = ["NUMBA_CPU"]
