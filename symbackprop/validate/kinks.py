"""Where a forward pass is not smooth, and samples that stay away from there.

Every comparison, absolute value, floor and maximum in the equations has a margin: how far its argument is from the point at
which the value changes branch. A sample with a small margin is moved; the tolerance never is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy
from sympy import Expr

from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.interpret import evaluate
from symbackprop.algebra.nodes import Abs, ArgMax, Floor, Guard, Indicator, Max, Reduction, Sign
from symbackprop.algebra.tensor import Access

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Kink:
    """A place in an equation where its value changes branch.

    Attributes:
        equation: where it stands.
        quantity: the branch changes where this is 0 (or, for a maximum, where its two largest values are equal).
        kind: "zero", "integer" or "tie".
        order: the grid of indices over which the quantity is read.
        over: for a tie, the indices of the maximum.
        mask: guards outside of which the quantity is not read.
    """

    equation: Equation
    quantity: Expr
    kind: str
    order: tuple[Index, ...]
    over: tuple[Index, ...]
    mask: Expr

    def fixed(self, moved: Mapping[str, Array], sizes: Mapping[Expr, Expr]) -> Array:
        """Return where the quantity does not move, given values that all were moved a complex step.

        A relu6 in its flat part that feeds a relu keeps it at 0 whatever the sample: that kink is never crossed.
        """
        grid = self.order + self.over
        lengths = tuple(int(index.extent.xreplace(dict(sizes))) for index in grid)
        with np.errstate(all="ignore"):
            quantity = evaluate(self.quantity * self.mask, moved, sizes, grid)
        still = np.broadcast_to(np.imag(np.asarray(quantity)) == 0, lengths)
        return np.asarray(still.all(axis=tuple(range(len(self.order), len(grid)))) if self.over else still)

    @property
    def reads(self) -> tuple[str, ...]:
        """Names of the tensors on which the quantity depends."""
        return tuple(sorted({a.tensor.name for a in self.quantity.atoms(Access)}))

    def margins(self, values: Mapping[str, Array], sizes: Mapping[Expr, Expr]) -> Array:
        """Return the distance from the kink at every point of the grid ``order``."""
        grid = self.order + self.over
        lengths = tuple(int(index.extent.xreplace(dict(sizes))) for index in grid)
        on = np.broadcast_to(np.asarray(evaluate(self.mask, values, sizes, grid), dtype=bool), lengths)
        with np.errstate(all="ignore"):
            quantity = evaluate(self.quantity * self.mask, values, sizes, grid)
        found = np.broadcast_to(np.asarray(quantity, dtype=np.float64), lengths)
        if self.kind == "zero":
            return np.where(on, np.abs(found), np.inf)
        if self.kind == "integer":
            return np.where(on, np.abs(found - np.rint(found)), np.inf)
        flat = np.where(on, found, -np.inf).reshape(*lengths[: len(self.order)], -1)
        if flat.shape[-1] < 2:
            return np.full(flat.shape[:-1], np.inf)
        best = np.sort(flat, axis=-1)
        # Where a guard leaves one value, or none that is read, there is nothing to be equal to.
        alone = np.isneginf(best[..., -2])
        return np.where(alone, np.inf, best[..., -1] - np.where(alone, 0.0, best[..., -2]))


def kinks(equations: tuple[Equation, ...]) -> tuple[Kink, ...]:
    """Return every kink of the equations, in order."""
    found: list[Kink] = []
    for e in equations:
        for kink in _walk(e, e.rhs, e.lhs.index, sympy.S.One):
            if kink not in found:
                found.append(kink)
    return tuple(found)


def _walk(e: Equation, expr: Expr, order: tuple[Index, ...], mask: Expr) -> Iterator[Kink]:
    if not expr.args or isinstance(expr, Access):
        return
    if isinstance(expr, sympy.Mul):
        guards = [f for f in expr.args if isinstance(f, Guard) and _structural(f)]
        mask = sympy.Mul(mask, *guards)
    if isinstance(expr, Reduction | ArgMax):
        if isinstance(expr, Max | ArgMax):
            own = [f for f in sympy.Mul.make_args(expr.body) if isinstance(f, Guard) and _structural(f)]
            yield Kink(e, expr.body, "tie", order, expr.bound, sympy.Mul(mask, *own))
        yield from _walk(e, expr.body, order + expr.bound, mask)
        return
    if isinstance(expr, Indicator):
        if not _structural(expr):
            left, right = expr.condition.args
            yield Kink(e, left - right, "zero", order, (), mask)
            yield from _walk(e, left, order, mask)
            yield from _walk(e, right, order, mask)
        return
    if isinstance(expr, Guard):
        return
    if isinstance(expr, Abs | Sign):
        yield Kink(e, expr.args[0], "zero", order, (), mask)
    if isinstance(expr, Floor):
        yield Kink(e, expr.args[0], "integer", order, (), mask)
    for arg in expr.args:
        if isinstance(arg, Expr):
            yield from _walk(e, arg, order, mask)


def _structural(guard: Guard) -> bool:
    """Whether a guard compares integers only: positions and labels, which no small step changes."""
    if not isinstance(guard, Indicator):
        return True
    return all(side.is_integer for side in guard.condition.args) or not guard.atoms(Access)


@dataclass(frozen=True)
class Nearness:
    """What is too near to a kink.

    Attributes:
        rows: batch positions with a margin below the wanted one.
        tensors: tensors read by comparisons that have no batch axis (penalties) and are too near.
        least: the smallest margin.
        count: how many comparisons are too near.
    """

    rows: tuple[int, ...]
    tensors: tuple[str, ...]
    least: float
    count: int


def nearness(
    found: tuple[Kink, ...],
    values: Mapping[str, Array],
    sizes: Mapping[Expr, Expr],
    margin: float,
    batch: Expr | None,
    moved: Mapping[str, Array] | None = None,
) -> Nearness:
    """Return which sample rows and tensors are nearer to a kink than ``margin``; a NaN is too near.

    Args:
        found: the kinks.
        values: all values at the sample.
        sizes: the value of each symbolic size.
        margin: the wanted distance.
        batch: the batch size, whose axis tells the rows apart.
        moved: the values after a complex step of everything that is given; what does not move there is at no kink.
    """
    rows: set[int] = set()
    tensors: set[str] = set()
    least, count = np.inf, 0
    for kink in found:
        margins = kink.margins(values, sizes)
        near = ~(margins >= margin)
        if margins.size:
            smallest = float(np.min(margins))
            least = smallest if not smallest >= least else least
        if near.any() and moved is not None:
            near &= ~(kink.fixed(moved, sizes) & np.isfinite(margins))
        if not near.any():
            continue
        count += int(near.sum())
        axes = [k for k, index in enumerate(kink.order) if batch is not None and index.extent == batch][:1]
        if axes:
            where = near.any(axis=tuple(k for k in range(near.ndim) if k != axes[0]))
            rows.update(int(n) for n in np.flatnonzero(where))
        else:
            tensors.update(kink.reads)
    return Nearness(tuple(sorted(rows)), tuple(sorted(tensors)), float(least), count)
