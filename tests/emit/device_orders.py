"""Kernels in three orders of their threads: the same bits each time, whatever else is tried."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from symbackprop.execute import lockstep
from symbackprop.execute.lockstep import Lockstep, OrderError

SEEDS = (0, 1, 2)


def in_three_orders(
    kernel: Any, grid: Any, block: Any, *arguments: Any, dynamic_shared: int = 0, race: bool = True, seed: int = SEEDS[0]
) -> None:
    """Run a kernel on the arrays given and on two copies of them, the threads in another order each time.

    Args:
        kernel: Python function or `lockstep.Kernel`.
        grid: blocks.
        block: threads of a block.
        arguments: arrays that share no memory, but for one array in two places, and numbers.
        dynamic_shared: bytes of dynamic shared memory.
        race: whether to look for races, in the first order: which accesses a barrier orders does not depend on the order that is run.
        seed: of the first order.

    Raises:
        OrderError: another order gives other bits.
    """
    before = copies(arguments)
    lockstep.run(kernel, grid, block, *arguments, dynamic_shared=dynamic_shared, race=race, seed=seed)
    compare(kernel, grid, block, before, arguments, dynamic_shared, seed)


def compare(kernel: Any, grid: Any, block: Any, before: Sequence[Any], after: Sequence[Any], shared: int, seed: int) -> None:
    """Run a kernel in two more orders from what its arguments were before, and want what they are after it."""
    name = lockstep.kernel(kernel).name
    for other in range(seed + 1, seed + len(SEEDS)):
        given = copies(before)
        lockstep.run(kernel, grid, block, *given, dynamic_shared=shared, race=False, seed=other)
        for number, (one, two) in enumerate(zip(after, given, strict=True)):
            if isinstance(one, np.ndarray) and one.tobytes() != two.tobytes():
                raise OrderError(f"{name}: argument {number} has other bits under seed {other} than under seed {seed}")


def copies(arguments: Sequence[Any]) -> list[Any]:
    """Return arguments with arrays of their own; one array that stands in two places is one array again."""
    arrays = {(a.__array_interface__["data"][0], a.size): a.view(np.ndarray) for a in arguments if isinstance(a, np.ndarray)}
    made = {key: a.copy() for key, a in arrays.items()}
    assert not any(np.may_share_memory(a, b) for k, a in enumerate(arrays.values()) for b in list(arrays.values())[:k])
    return [made[a.__array_interface__["data"][0], a.size] if isinstance(a, np.ndarray) else a for a in arguments]


class Orders(Lockstep):
    """A device on which every kernel runs in three orders of its threads, from the same memory, and must give the same bits.

    That is done, and races are looked for, when a kernel is launched first. What it touches follows from its text, how many blocks and
    threads there are, and its integers; so a launch of the same kernel with others of these looks for races again, in one order, and
    any further launch only runs, each in another order than the one before.

    Attributes:
        seen: kernels, with the numbers that they were launched with.
        orders: how many kernels ran in three orders.
    """

    def __init__(self, seed: int = 0) -> None:
        super().__init__(race=True, seed=seed)
        self.first, self.count = seed, 0
        self.seen: dict[Any, set[Hashable]] = {}

    @property
    def orders(self) -> int:
        return len(self.seen)

    def branch(self) -> None:
        """Look for races again: what comes now may go other ways than what was seen."""
        for numbers in self.seen.values():
            numbers.clear()

    def launch(self, kernel: Any, grid: Any, block: Any, arguments: tuple[Any, ...], shared: int, cooperative: bool) -> None:
        new = kernel not in self.seen
        known = self.seen.setdefault(kernel, set())
        numbers = (grid, block, *((a.shape, a.dtype) if isinstance(a, np.ndarray) else a for a in arguments))
        self.race = numbers not in known
        known.add(numbers)
        self.count += 1
        self.seed = self.first if new else self.first + self.count % len(SEEDS)
        before = copies(arguments) if new else []
        super().launch(kernel, grid, block, arguments, shared, cooperative)
        if new:
            compare(kernel.made[Lockstep], grid, block, before, arguments, shared, self.seed)
