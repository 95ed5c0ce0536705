"""One record a target."""

from __future__ import annotations

from symbackprop.emit.targets.numba_cpu import NUMBA_CPU
from symbackprop.emit.targets.numba_cuda import NUMBA_CUDA
from symbackprop.emit.targets.numpy import NUMPY

TARGETS = {target.name: target for target in (NUMPY, NUMBA_CPU, NUMBA_CUDA)}

__all__ = ["TARGETS"]
