"""Kernels for NVIDIA GPUs, compiled by Numba's CUDA target; a lock-step device runs them without a GPU."""

from __future__ import annotations

from symbackprop.emit.records import Target

NUMBA_CUDA = Target(name="cuda", folder="numba_cuda", form="threads", suffix="_cuda.py", runtime="kernels_cuda.py.jinja")

__all__ = ["NUMBA_CUDA"]
