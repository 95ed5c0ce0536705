"""CUDA kernels written in Python for Numba, run and checked thread by thread, with neither a GPU nor Numba's compiler.

`run` executes a kernel on NumPy arrays: every thread is a generator, barriers are its ``yield``; the order of threads is drawn from a
seed. Races, barrier divergence, indices out of bounds, reads of what was never written, misaligned vector accesses, int32 overflow and
float64 in float32 arrays are exceptions that name the line. `same_bits` compares several orders, `delete_barriers` shows that each
barrier is needed, `walk` steps from barrier to barrier.

A thread runs from barrier to barrier without a break, so a kernel must not wait by spinning on memory, and what orders threads by
atomics and ``threadfence`` alone is reported as a race. It is sequentially consistent: a missing ``threadfence``, weak ordering
within a warp, bank conflicts, the rounding of fused multiply-adds and time are beyond it.
"""

from symbackprop.execute.lockstep.device import DeviceArray, Lockstep
from symbackprop.execute.lockstep.errors import (
    AlignmentError,
    BoundsError,
    DivergenceError,
    IntegerOverflowError,
    KernelTextError,
    LockstepError,
    OrderError,
    PrecisionError,
    RaceError,
    SharedMemoryError,
    UninitializedError,
)
from symbackprop.execute.lockstep.launch import Report, Snapshot, run, same_bits, walk
from symbackprop.execute.lockstep.mutation import Deletion, delete_barriers
from symbackprop.execute.lockstep.rewrite import Kernel, Site, kernel

__all__ = [
    "AlignmentError",
    "BoundsError",
    "Deletion",
    "DeviceArray",
    "DivergenceError",
    "IntegerOverflowError",
    "Kernel",
    "KernelTextError",
    "Lockstep",
    "LockstepError",
    "OrderError",
    "PrecisionError",
    "RaceError",
    "Report",
    "SharedMemoryError",
    "Site",
    "Snapshot",
    "UninitializedError",
    "delete_barriers",
    "kernel",
    "run",
    "same_bits",
    "walk",
]
