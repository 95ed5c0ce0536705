"""Equations of one moment: what a recurrence says of time t, with whole vectors and without the axis that runs.

    z[t, r] = Σ_k W[r, k] h[t − 1, k] [0 ≤ t − 1 < T] + u[t, r]        is        z_t = W h_{t−1} + u_t

Before the first moment and after the last everything is 0, so no guard is written. Where an equation says something else
of one moment, or of one block of its rows, there is a `Moment` for each case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from sympy import Expr

from symbackprop.algebra.equation import Equation
from symbackprop.algebra.interpret import as_array, evaluate_equation, solve_sizes
from symbackprop.algebra.matrix import MatrixEquation
from symbackprop.algebra.tensor import Tensor
from symbackprop.errors import DataError

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Slice:
    """A tensor at one moment.

    Attributes:
        tensor: of all moments.
        axis: which of its axes is time; None for a tensor without time, of which a block is meant.
        shift: the moment, counted from t.
        at: the moment itself, counted from 0, where it does not depend on t.
        block: which axis is cut into blocks, the first place and the number of places of the block, and its label; or None.
    """

    tensor: Tensor
    axis: int | None
    shift: int = 0
    at: int | None = None
    block: tuple[int, int, int, str] | None = None

    def of(self, array: Array, t: int) -> Array:
        """Return the values at a moment; 0 before the first and after the last."""
        found = array
        if self.block is not None:
            axis, start, count, _ = self.block
            found = np.take(found, range(start, start + count), axis=axis)
        if self.axis is None:
            return found
        place = t + self.shift if self.at is None else self.at
        inside = 0 <= place < found.shape[self.axis]
        return np.take(found, place, axis=self.axis) if inside else np.zeros_like(np.take(found, 0, axis=self.axis))


@dataclass(frozen=True)
class Moment:
    """An equation of one moment.

    Attributes:
        equation: in matrix form, or in index form where it has none; its tensors are named as in ``slices``.
        slices: what its tensors are.
        lhs: what it gives.
        total: how many moments are summed over; None where it gives what belongs to one moment.
        only: the one moment for which it holds, counted from 0; None for all others.
        but: moments for which another equation holds.
    """

    equation: MatrixEquation | Equation
    slices: Mapping[str, Slice]
    lhs: Slice
    total: Expr | None = None
    only: int | None = None
    but: tuple[int, ...] = ()

    def __hash__(self) -> int:
        return hash((self.equation, self.only, self.but))

    def value(self, arrays: Mapping[str, Array], t: int) -> Array:
        """Return the value at a moment."""
        known = {name: s.of(arrays[s.tensor.name], t) for name, s in self.slices.items() if s.tensor.name in arrays}
        if isinstance(self.equation, MatrixEquation):
            return self.equation.evaluate(known)
        tensors = {t.name: t for t in self.equation.reads}
        return evaluate_equation(self.equation, known, solve_sizes(tensors, {n: known[n] for n in tensors}))


@dataclass(frozen=True)
class TimeForm:
    """An equation of a system with a recurrence, moment by moment.

    Attributes:
        source: the whole equation, in index form.
        axis: which axis of its left side is time; None where it has none.
        moments: the cases.
    """

    source: Equation
    axis: int | None
    moments: tuple[Moment, ...]

    @property
    def tensor(self) -> Tensor:
        """The tensor on the left."""
        return self.source.tensor

    @cached_property
    def reads(self) -> tuple[Tensor, ...]:
        """The tensors on the right, in order of name."""
        found = {m.slices[t.name].tensor for m in self.moments for t in m.equation.reads}
        return tuple(sorted(found, key=lambda t: t.name))

    @cached_property
    def outside(self) -> tuple[tuple[Tensor, int], ...]:
        """What is read before the first moment (−1) or after the last (1), where it is 0."""
        slices = [s for m in self.moments for s in m.slices.values() if s.axis is not None and s.shift]
        found = dict.fromkeys((s.tensor, 1 if s.shift > 0 else -1) for s in slices)
        # Beside a derivative that is 0 nothing else has to be.
        slopes = {side for tensor, side in found if tensor.role == "cotangent"}
        return tuple((tensor, side) for tensor, side in found if tensor.role == "cotangent" or side not in slopes)

    def evaluate(self, values: Mapping[str, Any]) -> Array:
        """Return the array of the left side's tensor, in float64.

        Args:
            values: an array for each tensor on the right, by name.

        Raises:
            DataError: a value is missing.
            ShapeError: a value's shape does not fit.
        """
        missing = [t.name for t in self.reads if t.name not in values]
        if missing:
            raise DataError(f"no value is given for {', '.join(missing)}")
        arrays = {t.name: as_array(t, values[t.name], np.float64) for t in self.reads}
        sizes = dict(solve_sizes({t.name: t for t in self.reads}, arrays))

        def length(extent: Expr) -> int:
            return int(extent.xreplace(sizes))

        result = np.zeros(tuple(map(length, self.tensor.shape)))
        for moment in self.moments:
            where: list[Any] = [slice(None)] * result.ndim
            if moment.lhs.block is not None:
                axis, start, count, _ = moment.lhs.block
                where[axis] = slice(start, start + count)
            if self.axis is None:
                steps = range(1 if moment.total is None else length(moment.total))
                result[tuple(where)] = sum(moment.value(arrays, t) for t in steps)
                continue
            for t in range(result.shape[self.axis]):
                if t in moment.but or (moment.only is not None and t != moment.only):
                    continue
                where[self.axis] = t
                result[tuple(where)] = moment.value(arrays, t)
        return result


__all__ = ["Moment", "Slice", "TimeForm"]
