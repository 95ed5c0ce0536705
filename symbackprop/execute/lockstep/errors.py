"""What lock-step execution finds wrong in a kernel; every message is one line: kernel, line of source, array, index, threads."""

from __future__ import annotations

import linecache
import sys

from symbackprop.errors import CheckError

__all__ = [
    "AlignmentError",
    "BoundsError",
    "DivergenceError",
    "IntegerOverflowError",
    "KernelTextError",
    "LockstepError",
    "OrderError",
    "PrecisionError",
    "RaceError",
    "SharedMemoryError",
    "UninitializedError",
    "place",
]

#: The global of a rewritten kernel that holds its name: marks the frames in which an error can be located.
MARK = "__lockstep_kernel__"


class LockstepError(CheckError):
    """The root of all that lock-step execution can find."""


class RaceError(LockstepError):
    """Two threads touch one element with no barrier between them, and one of them writes (or is atomic and the other is not)."""


class DivergenceError(LockstepError):
    """Threads wait at different barriers, or some have finished while others wait, or a lane is missing from a warp operation."""


class BoundsError(LockstepError, IndexError):
    """An index below 0 or not below the extent of its axis."""


class UninitializedError(LockstepError):
    """An element of shared or local memory, or a local variable, is read before it was written."""


class AlignmentError(LockstepError):
    """A vector load or store whose first element is not a multiple of four elements from the start of its memory."""


class IntegerOverflowError(LockstepError, OverflowError):
    """An int32 value outside -2^31 .. 2^31 - 1 (or a value that its integer array cannot hold)."""


class PrecisionError(LockstepError, TypeError):
    """A float64 value goes into a float32 array, or a float into an integer array, with no conversion written."""


class KernelTextError(LockstepError, ValueError):
    """A kernel that cannot be rewritten or would not compile: shapes that are not literals, calls that are not emulated."""


class SharedMemoryError(LockstepError, ValueError):
    """More static shared memory than the 49,152 bytes that a block may have."""


class OrderError(LockstepError):
    """The bits of a result depend on the order in which threads run."""


def place() -> str:
    """``kernel, line n`` of the running kernel, from the innermost frame that belongs to one; empty outside of kernels."""
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get(MARK)
        if name is not None:
            return f"{name}, line {frame.f_lineno}"
        if frame.f_back is None:
            break
        frame = frame.f_back
    return ""


def quote() -> str:
    """The text of the running kernel's line, ``: tile[i] = x[i]``, or nothing where the source is not at hand."""
    frame = sys._getframe(1)
    while frame is not None:
        if MARK in frame.f_globals:
            text = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
            return f" | {text}" if text else ""
        if frame.f_back is None:
            break
        frame = frame.f_back
    return ""
