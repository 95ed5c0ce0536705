"""Does every barrier matter? Each is deleted in turn, and something must notice."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from symbackprop.errors import CheckError
from symbackprop.execute.lockstep.errors import LockstepError
from symbackprop.execute.lockstep.rewrite import Kernel, Site, kernel

__all__ = ["Deletion", "delete_barriers"]


@dataclass(frozen=True)
class Deletion:
    """A kernel without one of its barriers.

    Attributes:
        barrier: the one that was deleted.
        caught: by what: the name of a `LockstepError`'s class, ``"numbers"`` when the check said so, None when nothing noticed.
        message: of the exception.
        seed: under which it was caught.
    """

    barrier: Site
    caught: str | None
    message: str = ""
    seed: int | None = None

    def __str__(self) -> str:
        return f"{self.barrier} of {self.barrier.function}: " + (f"caught by {self.caught}" if self.caught else "NOT CAUGHT")


def delete_barriers(function: Any, check: Callable[[Kernel, int], object], *, seeds: Iterable[int] = (0, 1, 2)) -> tuple[Deletion, ...]:
    """Delete each barrier of a kernel in turn and let a check look at what is left.

    Shuffles and votes are not deleted: they carry values, and a kernel without them means nothing.

    Args:
        function: the kernel.
        check: called with (kernel, seed); runs it on fresh arrays under that seed and says whether the numbers are right, by
            returning False or by an AssertionError if not. What `run` raises passes through it.
        seeds: orders to try; the first that notices counts.

    Returns:
        One `Deletion` a barrier in the order of the text. Those with ``caught is None`` are redundant, or the check is too weak:
        list them with the reason.

    Raises:
        CheckError: the check fails on the kernel as it is.
    """
    what = kernel(function)
    order = tuple(seeds)
    for seed in order:
        if (wrong := _verdict(what, check, seed)) is not None:
            raise CheckError(f"{what.name} fails its check with all its barriers (seed {seed}): {wrong[0]}: {wrong[1]}")
    found = []
    for barrier in what.barriers:
        if not barrier.removable:
            continue
        less = what.without(barrier)
        result = Deletion(barrier, None)
        for seed in order:
            if (wrong := _verdict(less, check, seed)) is not None:
                result = Deletion(barrier, wrong[0], wrong[1], seed)
                break
        found.append(result)
    return tuple(found)


def _verdict(what: Kernel, check: Callable[[Kernel, int], object], seed: int) -> tuple[str, str] | None:
    try:
        right = check(what, seed)
    except LockstepError as error:
        return type(error).__name__, str(error)
    except AssertionError as error:
        return "numbers", str(error)
    return ("numbers", "") if right is not None and not right else None
