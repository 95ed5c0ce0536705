"""Where each parameter lies in the one flat buffer: declaration order, C order, no gaps."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class ParameterRecord:
    """A parameter and its place in the flat buffer.

    Attributes:
        name: ``layer.parameter``.
        shape: numbers, or text for symbolic sizes.
        offset: where it starts, or None as long as a size is symbolic.
        trainable: whether an optimizer may change it.
        initial: name of its initializer.
        fan_in: how many inputs feed one output, for the initializer.
        fan_out: how many outputs one input feeds.
    """

    name: str
    shape: tuple[int | str, ...]
    offset: int | None
    trainable: bool = True
    initial: str = "zeros"
    fan_in: int | str = 1
    fan_out: int | str = 1

    @property
    def size(self) -> int | None:
        """How many numbers it holds, or None as long as a size is symbolic."""
        return math.prod(s for s in self.shape if isinstance(s, int)) if all(isinstance(s, int) for s in self.shape) else None


@dataclass(frozen=True)
class MaskRecord:
    """A random 0/1 input of a layer in training: its name, shape without the batch, and the probability of a 1."""

    name: str
    shape: tuple[int | str, ...]
    keep: float


def place(records: Iterable[ParameterRecord], start: int = 0) -> tuple[ParameterRecord, ...]:
    """Return the records with their offsets from ``start`` on; all None if any size is symbolic."""
    given = tuple(records)
    if any(record.size is None for record in given):
        return given
    placed, offset = [], start
    for r in given:
        placed.append(ParameterRecord(r.name, r.shape, offset, r.trainable, r.initial, r.fan_in, r.fan_out))
        offset += r.size or 0
    return tuple(placed)


__all__ = ["MaskRecord", "ParameterRecord", "place"]
