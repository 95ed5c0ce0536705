"""Sums of products over windows, with the samples last: which axis of each factor has which part in them.

In Σ a[m, k, u, v] b[k, s y + t u + o, s' x + t' v + o', n] one factor has no samples and the other is read where a window stands.
The same is done for what is summed over places (the gradient of a kernel), and for what windows with a stride were read from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sympy
from sympy import Expr

from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import Guard, InRange, Sum
from symbackprop.algebra.tensor import Access

#: How an axis of a window moves: the stride of the result's place, that of the place in the window, and where it starts.
Move = tuple[int, int, int]


@dataclass(frozen=True)
class Windows:
    """A sum over windows.

    Attributes:
        node: the sum.
        form: "correlate", the value at the place of a window; "correlate_rows", the sum over all places; "spread", the way back.
        left: the factor without a window in it, or in "spread" the one with the weights.
        right: the factor that is read, or in "spread" the one that is spread.
        cubes: for the left factor, the right factor and the result the number of the axis that each of four parts is; None where
            there is no such part. The fourth axis of what has samples are the samples.
        moves: of the rows and the columns of the window.
        kept: indices of loops around it.
        out: the indices that run, in the order of the equation's left side.
        inner: the summed ones.
        guards: those that say that a window's part lies outside; they are kept by the bounds of the loops.
    """

    node: Expr
    form: str
    left: Access
    right: Access
    cubes: tuple[tuple[int | None, ...], tuple[int | None, ...], tuple[int | None, ...]]
    moves: tuple[Move, Move]
    kept: tuple[Index, ...]
    out: tuple[Index, ...]
    inner: tuple[Index, ...]
    guards: tuple[Expr, ...]

    @property
    def samples(self) -> Index:
        """The index of the samples."""
        found = self.right.index[-1]
        assert isinstance(found, Index)
        return found

    @property
    def pairs(self) -> tuple[tuple[Expr, Expr], ...]:
        """Extents that are the same where every index runs along the whole of its axis; else this is no sum over windows."""
        reads = (self.left, self.right)
        return tuple((i.extent, axis.extent) for a in reads for i, axis in zip(a.index, a.tensor.axes, strict=True) if isinstance(i, Index))

    def renamed(self, swap: Mapping[Any, Any]) -> Windows:
        """Return the sum in other names."""

        def many(items: tuple[Any, ...]) -> tuple[Any, ...]:
            return tuple(item.xreplace(swap) for item in items)

        return replace(
            self,
            node=self.node.xreplace(swap),
            left=self.left.xreplace(swap),
            right=self.right.xreplace(swap),
            kept=many(self.kept),
            out=many(self.out),
            inner=many(self.inner),
            guards=many(self.guards),
        )


#: An axis of a window that is none: it stays where it is.
_STILL: Move = (1, 1, 0)


def windows(node: Sum, factors: Sequence[Expr], out: tuple[Index, ...]) -> Windows | None:
    """Return a sum as one over windows, if it is one: its samples lie last, and its guards say only what lies outside."""
    reads = [f for f in factors if isinstance(f, Access)]
    guards = tuple(f for f in factors if isinstance(f, Guard))
    if len(reads) != 2 or len(reads) + len(guards) != len(factors) or not out:
        return None
    if any(a.tensor.integer or not a.index or any(part.has(Access) for part in a.index) for a in reads):
        return None
    for left, right in (reads, reads[::-1]):
        for form in (_correlate, _correlate_rows, _spread):
            found = form(node, left, right, guards, out)
            if found is not None:
                return found
    return None


def _correlate(node: Sum, a: Access, b: Access, guards: tuple[Expr, ...], out: tuple[Index, ...]) -> Windows | None:
    """c[m, y, x, n] = Σ_{k, u, v} a[m, k, u, v] b[k, …, …, n]."""
    n, bound = out[-1], node.bound
    if not _last(b, n) or n in a.free_symbols or not _fits(a, guards, (a, b)):
        return None
    kept = tuple(i for i in out if _own(a, i) and _own(b, i))
    rows = [i for i in out if _own(a, i) and i not in b.free_symbols]
    moves: list[tuple[Move, int | None, int, int | None]] = []
    channel: int | None = None
    for place, part in enumerate(b.index[:-1]):
        if part in kept:
            continue
        if part in bound and _own(a, part):
            if channel is not None:
                return None
            channel = place
            continue
        found = _move(part, [i for i in out if i not in a.free_symbols], list(bound))
        if found is None:
            return None
        move, y, u = found
        moves.append((move, None if u is None else _place(a, u), place, out.index(y)))
    left: list[int | None] = [_place(a, rows[0]) if rows else None, None if channel is None else _place(a, b.index[channel])]
    return _made(node, "correlate", a, b, guards, out, kept, rows, moves, left, channel)


def _correlate_rows(node: Sum, a: Access, b: Access, guards: tuple[Expr, ...], out: tuple[Index, ...]) -> Windows | None:
    """c[m, k, u, v] = Σ_{y, x, n} a[m, y, x, n] b[k, …, …, n]."""
    bound = node.bound
    n = b.index[-1]
    if n not in bound or not _last(b, n) or not _last(a, n) or not _fits(a, guards, (a, b)):
        return None
    kept = tuple(i for i in out if _own(a, i) and _own(b, i))
    rows = [i for i in out if _own(a, i) and i not in b.free_symbols]
    moves: list[tuple[Move, int | None, int, int | None]] = []
    channel: int | None = None
    for place, part in enumerate(b.index[:-1]):
        if part in kept:
            continue
        if part in out and part not in a.free_symbols:
            # A plain axis is the channels, not a window that does not move.
            if channel is not None:
                return None
            channel = place
            continue
        found = _move(part, [i for i in bound if _own(a, i)], [i for i in out if i not in a.free_symbols])
        if found is None:
            return None
        move, y, u = found
        moves.append((move, _place(a, y), place, None if u is None else out.index(u)))
    left: list[int | None] = [_place(a, rows[0]) if rows else None, None]
    return _made(node, "correlate_rows", a, b, guards, out, kept, rows, moves, left, channel)


def _spread(node: Sum, a: Access, b: Access, guards: tuple[Expr, ...], out: tuple[Index, ...]) -> Windows | None:
    """c[k, s y + t u + o, …, n] = Σ_{m, y, x} a[m, k, u, v] b[m, y, x, n] where u, v are what fits."""
    n, bound = out[-1], node.bound
    if not _last(b, n) or n in a.free_symbols or not all(isinstance(part, Index) for part in b.index) or not _guards(guards, (a,)):
        return None
    kept = tuple(i for i in out if _own(a, i) and _own(b, i))
    sums = [i for i in bound if _own(a, i) and _own(b, i)]
    channels = [i for i in out if _own(a, i) and i not in b.free_symbols]
    if len(sums) > 1 or len(channels) > 1:
        return None
    moves: list[tuple[Move, int | None, int, int | None]] = []
    for place, part in enumerate(a.index):
        if part in kept or part in sums or part in channels:
            continue
        used = sorted((s for s in part.free_symbols if isinstance(s, Index)), key=lambda i: i.name)
        h = [i for i in used if i in out]
        y = [i for i in used if i in bound]
        if len(h) != 1 or len(y) != 1 or not _own(b, y[0]) or not isinstance(a.tensor.axes[place].extent, sympy.Integer):
            return None
        numbers = _affine(part, (h[0], y[0]))
        if numbers is None or abs(numbers[0]) != 1 or numbers[0] * numbers[1] >= 0:
            return None
        t, there, start = numbers
        moves.append(((-t * there, t, -t * start), place, _place(b, y[0]), out.index(h[0])))
    if len(moves) > 2 or len({place for _, _, place, _ in moves}) < len(moves) or not moves:
        return None
    used_out = {i for i in kept} | {out[where] for *_, where in moves if where is not None} | set(channels) | {n}
    used_bound = {*sums, *(b.index[place] for _, _, place, _ in moves)}
    if used_out != set(out) or used_bound != set(bound) or len(b.index) != len(kept) + len(sums) + len(moves) + 1:
        return None
    first, second = (*[(move, u, y, h) for move, u, y, h in moves], (_STILL, None, None, None))[:2]
    number = _place(a, sums[0]) if sums else None
    channel = _place(a, channels[0]) if channels else None
    left = (number, channel, first[1], second[1])
    right = (_place(b, sums[0]) if sums else None, first[2], second[2], len(b.index) - 1)
    result = (out.index(channels[0]) if channels else None, first[3], second[3], len(out) - 1)
    return Windows(node, "spread", a, b, (left, right, result), (first[0], second[0]), kept, out, tuple(bound), guards)


def _made(
    node: Sum,
    form: str,
    a: Access,
    b: Access,
    guards: tuple[Expr, ...],
    out: tuple[Index, ...],
    kept: tuple[Index, ...],
    rows: Sequence[Index],
    moves: Sequence[tuple[Move, int | None, int, int | None]],
    left: list[int | None],
    channel: int | None,
) -> Windows | None:
    if len(rows) > 1 or len(moves) > 2 or all(move == (1, 0, 0) for move, *_ in moves):
        return None
    cubes: tuple[tuple[int | None, ...], tuple[int | None, ...], tuple[int | None, ...]]
    (one, first, down, to), (two, second, across, there) = (*moves, (_STILL, None, None, None), (_STILL, None, None, None))[:2]
    if form == "correlate":
        cubes = (
            (left[0], left[1], first, second),
            (channel, down, across, len(b.index) - 1),
            (out.index(rows[0]) if rows else None, to, there, len(out) - 1),
        )
    else:
        k = None if channel is None else out.index(b.index[channel])
        cubes = (
            (left[0], first, second, len(a.index) - 1),
            (channel, down, across, len(b.index) - 1),
            (out.index(rows[0]) if rows else None, k, to, there),
        )
    fixed = {place for place, part in enumerate(a.index) if part in kept or part.is_Integer}
    # Every axis has its part, every index its place.
    if {place for place in cubes[0] if place is not None} | fixed != set(range(len(a.index))):
        return None
    if {place for place in cubes[2] if place is not None} | {out.index(i) for i in kept} != set(range(len(out))):
        return None
    seen = {s for access in (a, b) for s in access.free_symbols}
    if any(i not in seen for i in node.bound):
        return None
    return Windows(node, form, a, b, cubes, (one, two), kept, out, tuple(node.bound), guards)


def _move(part: Expr, places: Sequence[Index], taps: Sequence[Index]) -> tuple[Move, Index, Index | None] | None:
    """Return how a part of a window moves with the index of a place, and with one inside the window if there is one."""
    used = [s for s in part.free_symbols if isinstance(s, Index)]
    y, u = [i for i in used if i in places], [i for i in used if i in taps]
    if len(y) != 1 or len(u) > 1 or len(used) != len(y) + len(u):
        return None
    numbers = _affine(part, (y[0], *u))
    if numbers is None or numbers[0] <= 0:
        return None
    if not u:
        # No axis runs inside this window: one of a single place stands in.
        return (numbers[0], 0, numbers[1]), y[0], None
    return (numbers[0], numbers[1], numbers[2]), y[0], u[0]


def _affine(part: Expr, indices: Sequence[Index]) -> tuple[int, ...] | None:
    """Return the whole coefficients of some indices, and the number that is left; None if there is more."""
    rest = sympy.expand(part)
    numbers = []
    for i in indices:
        c = rest.coeff(i)
        if not c.is_Integer or not c:
            return None
        numbers.append(int(c))
        rest = sympy.expand(rest - c * i)
    return (*numbers, int(rest)) if rest.is_Integer else None


def _last(a: Access, n: Expr) -> bool:
    """Whether an index is the last axis of a tensor, and nothing else of it."""
    return a.index[-1] == n and not any(n in part.free_symbols for part in a.index[:-1])


def _own(a: Access, index: Index) -> bool:
    """Whether an index stands for exactly one axis of a tensor and in no other."""
    return sum(part == index for part in a.index) == 1 and sum(index in part.free_symbols for part in a.index) == 1


def _place(a: Access, index: Expr) -> int:
    return a.index.index(index)


def _fits(a: Access, guards: Sequence[Expr], reads: Sequence[Access]) -> bool:
    """Whether a factor is read at plain places, and all guards say that a factor is read inside its axes."""
    plain = all(isinstance(part, Index) or part.is_Integer for part in a.index)
    return plain and _guards(guards, reads)


def _guards(guards: Sequence[Expr], reads: Sequence[Access]) -> bool:
    inside = {(part, axis.extent) for a in reads for part, axis in zip(a.index, a.tensor.axes, strict=True)}
    return all(isinstance(g, InRange) and g.args in inside for g in guards)


__all__ = ["Move", "Windows", "windows"]
