"""How a time is taken: blocks of many runs between two device events, and of the blocks the median with two quantiles."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

#: Runs a piece of work so many times and returns the seconds that all of them took together.
Span = Callable[[int], float]


@dataclass(frozen=True)
class Effort:
    """How long a time is taken.

    Attributes:
        blocks: how many, at most.
        least: seconds of a block.
        seconds: of all blocks together; when they are over, those that there are count, but no fewer than three.
    """

    blocks: int
    least: float
    seconds: float


#: That of a record.
FULL = Effort(20, 0.05, 4.0)

#: That of a dry run: it proves that the run goes through, its times mean nothing.
DRY = Effort(1, 0.0, 0.0)


@dataclass(frozen=True)
class Times:
    """Seconds of one run.

    Attributes:
        median: of the blocks.
        p10: their 10 % quantile.
        p90: their 90 % quantile.
        runs: of a block.
        blocks: how many.
    """

    median: float
    p10: float
    p90: float
    runs: int
    blocks: int


def measured(span: Span, effort: Effort, per: int = 1) -> dict[str, Any]:
    """Return the times of a run as plain data.

    Args:
        span: what is measured; it has been called before, so that nothing is compiled or loaded within a block.
        effort: how long.
        per: how many evaluations one run is; the times are those of one evaluation.
    """
    runs = _enough(span, effort.least)
    began = time.perf_counter()
    blocks: list[float] = []
    while len(blocks) < effort.blocks and (len(blocks) < 3 or time.perf_counter() - began < effort.seconds):
        blocks.append(span(runs) / runs / per)
    low, middle, high = (float(q) for q in np.quantile(blocks, (0.1, 0.5, 0.9)))
    return asdict(Times(middle, low, high, runs * per, len(blocks)))


def _enough(span: Span, least: float) -> int:
    """Return how many runs fill a block; on the way there the clocks of the device rise."""
    runs = 1
    while (taken := span(runs)) < least:
        runs = math.ceil(runs * min(max(2.0, 1.1 * least / max(taken, 1e-9)), 100.0))
    return runs


def wall(run: Callable[[], Any], wait: Callable[[], Any]) -> Span:
    """Return the span of work by the clock of the host, for what has no device events; ``wait`` returns when all is done."""

    def span(runs: int) -> float:
        wait()
        began = time.perf_counter()
        for _ in range(runs):
            run()
        wait()
        return time.perf_counter() - began

    return span
