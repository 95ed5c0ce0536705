"""What every peer makes of a workload: something to call again and again, and what can be compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from benchmarks.cpu.workloads import Arrays


class MissingError(Exception):
    """A peer that is not installed, or a workload that it has no formulation of; the text says which."""


@dataclass
class Made:
    """A workload in a peer's hands.

    Attributes:
        run: one evaluation; it returns when the result is there.
        result: after a run, what must agree between peers: gradients by name, or for steps and epochs the parameters.
        variants: further ways to call the same, by name.
        first: the run before the first comparison, where it is another than ``run``.
        per: how many evaluations one run is.
    """

    run: Callable[[], Any]
    result: Callable[[], Arrays]
    variants: dict[str, Callable[[], Any]] = field(default_factory=dict)
    first: Callable[[], Any] | None = None
    per: int = 1


def orders(samples: int) -> Callable[[], Any]:
    """Return a function whose first result is 0, 1, 2, …, every further one a new permutation."""
    import numpy as np

    rng, first = np.random.default_rng(3), [np.arange(samples)]

    def order() -> Any:
        return first.pop() if first else rng.permutation(samples)

    return order
