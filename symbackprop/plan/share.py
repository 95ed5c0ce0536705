"""How threads share an entry without changing a bit of its results.

An equation tells what may be cut: where an index i of the left side is the place at which every tensor with that extent is read,
a range of i is computed from the same range of those tensors and from nothing else of them. Cut along the batch, one call after
the other needs no waiting: each thread takes a range of samples through all of them. What sums over the batch is cut along
another axis of what it writes, so that each entry is still one sum, in its one order, by one thread: no thread has a gradient of its
own, and nothing has to be added up. The number of threads is therefore free.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import sympy
from sympy import Expr, Symbol

from symbackprop.algebra.bound import bound_indices
from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.plan.memory import Interval, first_fit
from symbackprop.plan.records import (
    Arena,
    Call,
    Kernel,
    Largest,
    Loop,
    Machine,
    Multiply,
    Operand,
    Place,
    Share,
    Stage,
    Statement,
    Total,
    TotalOfRows,
    When,
)

#: Two vectors of 16 lanes: rows that keep a tile busy.
ROWS = 32


#: Operations from which on a call that cannot be cut is done by one thread while others do others.
ALONE = 100_000

#: The shape of every tensor: numbers, or "N" for the batch axis.
Shapes = Mapping[str, tuple[int | str, ...]]


def stages(calls: Sequence[Call], shapes: Shapes, size: Symbol) -> tuple[Stage, ...]:
    """Return calls as stages, each after those that write what it reads, with as few changes of the kind as the order allows.

    Args:
        calls: in order.
        shapes: of what they read and write.
        size: the batch size.
    """
    axes = _rows(calls, shapes, size)
    kinds: list[str] = []
    made: list[list[Share]] = []
    home: dict[str, int] = {}
    for call in calls:
        first = max((home[name] for name in call.names if name in home), default=-1)
        kind = "once"
        share = Share(call, 0, tuple(None for _ in call.names))
        along = cut(call.kernel, size)
        if along is not None:
            kind, share = "samples", Share(call, "N", along)
        elif (found := axes.get(call.kernel.name)) is not None:
            _, along = found
            kind, share = "rows", Share(call, _extent(call, along, shapes), along)
        elif call.flops >= ALONE:
            # As good as rows, where there are others for the other threads.
            kind = "rows"
        # Rows of what was written in rows need not be the same rows.
        start = first + 1 if kind == "rows" else max(first, 0)
        number = next((k for k in range(start, len(kinds)) if kinds[k] == kind), None)
        if number is None:
            number = len(kinds)
            kinds.append(kind)
            made.append([])
        made[number].append(share)
        home.update((name, number) for name in call.written)
    return tuple(Stage(k, kind, tuple(shares)) for k, (kind, shares) in enumerate(zip(kinds, made, strict=True)))


def chosen(stages: Sequence[Stage], calls: Sequence[Call]) -> tuple[Stage, ...]:
    """Return the stages of some of the calls."""
    wanted = {id(call) for call in calls}
    kept = [Stage(s.number, s.kind, tuple(share for share in s.shares if id(share.call) in wanted)) for s in stages]
    return tuple(s for s in kept if s.shares)


def refused(stages: Sequence[Stage], machine: Machine) -> str:
    """Return why threads should not share some stages; nothing where they should."""
    total = sum(share.call.flops for s in stages for share in s.shares)
    if total < machine.share:
        return f"one thread: {total:,} operations are not worth a second one"
    left = [share.call for s in stages if s.kind == "once" for share in s.shares]
    if sum(call.flops for call in left) * machine.alone > total:
        most = max(left, key=lambda call: call.flops)
        return f"{most.kernel.name} ({most.owner}) can be cut along no axis without mixing what threads share"
    regions = sum(s.kind != "once" for s in stages)
    if regions > machine.regions:
        return f"threads would wait for each other {regions} times, for {_mixing(stages)} sums over the samples"
    return ""


def _mixing(stages: Sequence[Stage]) -> str:
    """Return the name of the first kernel that sums over what the threads share, between two stages of samples."""
    last = max((k for k, s in enumerate(stages) if s.kind == "samples"), default=0)
    return next((s.shares[0].call.kernel.name for s in stages[:last] if s.kind != "samples"), stages[-1].shares[0].call.kernel.name)


def words(stages: Sequence[Stage]) -> str:
    """Return what threads do, in the words of the plan."""
    kinds = [s.kind for s in stages if s.kind != "once"]
    return f"threads share {', then '.join(kinds)}; each entry is written by one of them, in one order"


# What may be cut


def cut(kernel: Kernel, extent: Expr) -> tuple[int | None, ...] | None:
    """Return along which axis each argument of a kernel is cut, so that it computes a range of an index; None where it cannot be.

    Args:
        kernel: of which a part is to be computed.
        extent: of the index, as the kernel has it.
    """
    if not isinstance(extent, Symbol) or extent in kernel.integers or not all(_along(e, extent) for e in kernel.body.equations):
        return None
    found: list[int | None] = []
    for t in kernel.arguments:
        axes = [k for k, n in enumerate(t.shape) if n == extent]
        if len(axes) > 1 or any(extent in n.free_symbols for n in t.shape if n != extent):
            return None
        found.append(axes[0] if axes else None)
    return tuple(found)


def _along(e: Equation, extent: Expr) -> bool:
    """Whether an equation reads, for one value of the index of this extent, what lies at that value only."""
    own = [i for i in e.lhs.index if isinstance(i, Index) and i.extent == extent]
    if len(own) != 1 or any(extent in b.extent.free_symbols for b in bound_indices(e.rhs)):
        return False
    (i,) = own
    for a in e.rhs.atoms(Access):
        for part, axis in zip(a.index, a.tensor.axes, strict=True):
            if axis.extent == extent:
                if part != i:
                    return False
            elif i in _bare(part).free_symbols or extent in axis.extent.free_symbols:
                return False
    return not {i, extent} & _bare(e.rhs).free_symbols


def _bare(e: Expr) -> Expr:
    """Return an expression with a symbol for everything that is read."""
    swap = {a: sympy.Dummy() for a in e.atoms(Access)}
    return e.xreplace(swap) if swap else e


def _rows(calls: Sequence[Call], shapes: Shapes, size: Symbol) -> dict[str, tuple[Expr, tuple[int | None, ...]]]:
    """Return for each kernel the extent along which its calls are cut in rows, one for all of them: Numba compiles every form anew."""
    uses: dict[str, list[Call]] = {}
    for call in calls:
        uses.setdefault(call.kernel.name, []).append(call)
    found: dict[str, tuple[Expr, tuple[int | None, ...]]] = {}
    for name, same in uses.items():
        kernel = same[0].kernel
        written = [t for t in kernel.arguments if t.name in kernel.written]
        best = 0.0
        for extent in dict.fromkeys(n for t in written for n in t.shape if n != size):
            along = cut(kernel, extent)
            if along is None or not _sliced(kernel, along):
                continue
            # Rows that lie side by side come first, unless there are too few of them.
            worth = sum((call.flops + 1) * min(1.0, _extent(call, along, shapes) / ROWS) for call in same)
            if worth > 1.25 * best:
                best, found[name] = worth, (extent, along)
    return found


def _extent(call: Call, along: Sequence[int | None], shapes: Shapes) -> int:
    """Return the number that is cut into ranges."""
    return next(int(shapes[name][axis]) for name, axis in zip(call.names, along, strict=True) if axis is not None)


def _sliced(kernel: Kernel, along: Sequence[int | None]) -> bool:
    """Whether a kernel may be given slices: what is cut elsewhere than along its first axis has gaps, where nothing may be merged.

    Scratch memory that is not cut would be shared.
    """
    arguments = list(zip(kernel.arguments, along, strict=True))
    if any(t.name in kernel.scratch and axis is None for t, axis in arguments):
        return False
    gaps = {t.name: axis for t, axis in arguments if axis}
    if any(tensor.name in gaps for tensor in _lines(kernel.body.statements)):
        return False
    return not any(o.tensor.name in gaps and _within(o, gaps[o.tensor.name]) for o in _operands(kernel.body.statements))


def _lines(statements: Sequence[Statement]) -> Iterator[Tensor]:
    """Yield the tensors of which entries are taken that lie side by side."""
    for s in statements:
        if isinstance(s, Loop | When):
            yield from _lines(s.body)
        elif isinstance(s, Total | Largest):
            yield s.tensor


def _operands(statements: Sequence[Statement]) -> Iterator[Operand]:
    for s in statements:
        if isinstance(s, Loop | When):
            yield from _operands(s.body)
        elif isinstance(s, Multiply):
            yield from (s.result, s.left, s.right)
        elif isinstance(s, TotalOfRows):
            yield from (s.result, s.matrix)


def _within(o: Operand, axis: int) -> bool:
    """Whether a matrix merges an axis of its tensor with one before it."""
    return isinstance(o.axes[axis], str) and o.axes[axis] == o.axes[axis - 1]


# Memory


def arena(
    stages: Sequence[Stage], known: Mapping[str, Place], shapes: Shapes, wanted: frozenset[str]
) -> tuple[Mapping[str, Place], Arena] | str:
    """Return a place for every value, or the name of one for which there is none.

    What one stage alone uses lies in memory of the shard, and is written over when it has been read. What more stages use lies in
    one piece for the whole batch, for as long as the stages last that use it.
    """
    uses: dict[str, list[int]] = {}
    order: dict[str, list[int]] = {}
    count = 0
    for k, stage in enumerate(stages):
        for share in stage.shares:
            for name in share.call.names:
                if name not in known:
                    uses.setdefault(name, []).append(k)
                    order.setdefault(name, []).append(count)
            count += 1
    whole: list[Interval] = []
    fixed: list[Interval] = []
    own: dict[int, list[Interval]] = {}
    scratch: dict[int, list[Interval]] = {}
    for name, at in uses.items():
        size = math.prod(s for s in shapes[name] if isinstance(s, int))
        here = stages[at[0]].kind == "samples" and at[0] == at[-1] and name not in wanted
        batches = shapes[name].count("N")
        if batches > 1:
            return name
        inside = Interval(name, size, order[name][0], order[name][-1])
        across = Interval(name, size, at[0], len(stages) if name in wanted else at[-1])
        if here:
            (own if batches else scratch).setdefault(at[0], []).append(inside)
        elif not batches:
            fixed.append(across)
        elif shapes[name][0] != "N" and any(stages[k].kind == "samples" for k in at):
            return name
        else:
            whole.append(across)
    offsets, per_sample = first_fit(whole)
    places = dict(known)
    places.update((i.name, Place("work", offsets[i.name], 0, shapes[i.name])) for i in whole)
    sizes = {"own": 0, "scratch": 0}
    for kind, groups in (("own", own), ("scratch", scratch)):
        for group in groups.values():
            inner, end = first_fit(group)
            sizes[kind] = max(sizes[kind], end)
            for i in group:
                at_ = (inner[i.name], 0) if kind == "own" else (0, inner[i.name])
                places[i.name] = Place(kind, *at_, shapes[i.name])
    total = per_sample + sizes["own"]
    offsets, besides = first_fit(fixed)
    places.update((i.name, Place("work", total, offsets[i.name], shapes[i.name])) for i in fixed)
    return places, Arena(total, besides, sizes["own"], sizes["scratch"])


__all__ = ["arena", "chosen", "cut", "refused", "stages", "words"]
