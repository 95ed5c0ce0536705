"""What convolutions and pools share: windows along the axes of an image, and how they read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from symbackprop import algebra as alg
from symbackprop.declare.dimension import Dimension, dimension, total
from symbackprop.errors import ShapeError


@dataclass(frozen=True)
class Windows:
    """Windows along one axis: output position p reads input positions stride·p + dilation·u − padding.

    Attributes:
        size: how many positions a window reads.
        stride: from one window to the next.
        padding: how far the first window begins before the axis.
        dilation: from one position to the next within a window.
    """

    size: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    def count(self, length: Dimension) -> Dimension:
        """Return how many windows fit: ⌊(length + 2·padding − dilation·(size − 1) − 1)/stride⌋ + 1.

        Raises:
            ShapeError: none fits, or the length is a symbol and the stride is not 1.
        """
        rest = 2 * self.padding - self.dilation * (self.size - 1) - 1
        if isinstance(length, str):
            if self.stride != 1:
                raise ShapeError(f"a stride of {self.stride} needs a number for the size {length}")
            return _plus(length, rest + 1)
        count = (length + rest) // self.stride + 1
        if count < 1:
            reach = self.dilation * (self.size - 1) + 1
            raise ShapeError(f"a window of {reach} does not fit into {length} + 2·{self.padding}; take a smaller one, or more padding")
        return count

    def position(self, p: Any, u: Any) -> Any:
        """Return which input position a window reads."""
        return self.stride * p + self.dilation * u - self.padding


def _plus(length: str, more: int) -> Dimension:
    """Return a symbolic size plus a number."""
    if more == 0:
        return dimension(length, "size") if length.isidentifier() else length
    return total((length, more)) if more > 0 else f"{length} - {-more}"


def inside(windows: Sequence[Windows], outer: Sequence[Any], inner: Sequence[Any], axes: Sequence[Any]) -> tuple[Any, tuple[Any, ...]]:
    """Return the guard and the positions at which windows read the axes of an image."""
    positions = tuple(w.position(p, u) for w, p, u in zip(windows, outer, inner, strict=True))
    guard = alg.sympy.Mul(*(alg.InRange(at, axis.extent) for at, axis in zip(positions, axes, strict=True)))
    return guard, positions


def names(letters: str, count: int) -> tuple[str, ...]:
    """Return index names for the axes of an image: of two the last two letters, of one the last."""
    return tuple(letters[-count:])


__all__ = ["Windows", "inside", "names"]
