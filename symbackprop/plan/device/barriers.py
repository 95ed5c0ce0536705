"""Where the threads of a team wait for each other: before a step that reads what another thread wrote, or writes what it read.

Steps over one domain give entry k to the same thread, so what stays with its entry needs no waiting; nor does what is the same entry
counted by other digits, as a picture and the row that it is flattened to. A fold waits by itself, in
the middle: what was written before it is seen by all after it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
import sympy
from sympy import Expr

from symbackprop.algebra.index import Index
from symbackprop.algebra.interpret import evaluate
from symbackprop.algebra.tensor import Access
from symbackprop.plan.device.parallel import touched
from symbackprop.plan.device.records import Alone, Barrier, Each, Every, Fold, Provided, Range, Repeat, Step
from symbackprop.plan.records import Let, Local, Loop, Statement, When
from symbackprop.plan.rewriting import inside, named

#: What a fold has in shared memory.
PARTS = "parts of a fold"
#: Entries of a domain, of a sample, that are counted one by one.
COUNTED = 4096


@dataclass(frozen=True)
class _Use:
    """An access to memory by threads: of a domain that they share, by the first of them, or by all."""

    name: str
    access: Access | None
    axes: tuple[Range, ...] | None
    alone: bool = False
    grid: bool = False
    lanes: int = 1
    inner: frozenset[Expr] = frozenset()
    whole: str = ""

    def shares_memory(self, other: _Use) -> bool:
        """Whether both touch one tensor, or one touches a part of what the other touches."""
        return self.name == other.name or self.whole == other.name or self.name == other.whole

    def same_thread(self, other: _Use) -> bool:
        """Whether no entry is touched by one thread here and by another one there."""
        if self.alone and other.alone:
            return True
        if self.access is None or other.access is None:
            return False
        if any(map(_disjoint, self.places(), other.places())):
            return True
        if max(self.lanes, other.lanes) > 1:
            # Every lane reads what the first one writes.
            return False
        if self.axes is None or other.axes is None or self.grid != other.grid:
            return False
        if _counted(self.access, self.axes) and _counted(other.access, other.axes):
            return True
        if len(self.axes) != len(other.axes):
            return False
        if any(mine.extent != theirs.extent for mine, theirs in zip(self.axes[1:], other.axes[1:], strict=True)):
            return False
        # Entry k of both domains, counted with the last axis fastest, has one thread; an axis that stands in one place of both alike
        # tells its entries apart.
        both = [(mine, theirs) for mine, theirs in zip(self.places(), other.places(), strict=True) if mine.axis is not None]
        told = {mine.axis for mine, theirs in both if (mine.axis, mine.first) == (theirs.axis, theirs.first)}
        return told >= set(range(len(self.axes)))

    def places(self) -> tuple[_At, ...]:
        """Return where each axis of the tensor is touched."""
        assert self.access is not None
        return tuple(_at(part, self.axes or (), self.inner) for part in self.access.index)

    def symbols(self) -> frozenset[Expr]:
        """Return what the place and the domain are told by."""
        found = set() if self.access is None else set(self.access.free_symbols)
        for r in self.axes or ():
            found |= r.start.free_symbols | r.stop.free_symbols
        return frozenset(found)

    def elsewhere(self, swap: Mapping[Expr, Expr]) -> _Use:
        """Return the same access in another pass of a loop, where symbols have other values."""
        if self.access is None:
            return self
        axes = None if self.axes is None else tuple(Range(r.index, r.start.xreplace(swap), r.stop.xreplace(swap)) for r in self.axes)
        return replace(self, access=self.access.xreplace(swap), axes=axes)


@dataclass(frozen=True)
class _At:
    """A place first <= k < stop along an axis of a tensor, told by an axis of the domain; numbers where they are known.

    ``same`` is a place that is one for all threads.
    """

    axis: int | None = None
    first: int | None = None
    stop: int | None = None
    same: Expr | None = None


@lru_cache(maxsize=4096)
def _counted(access: Access, axes: tuple[Range, ...]) -> bool:
    """Whether entry k of a domain touches entry k of the tensor, both counted with the last axis fastest, as a flattened view does."""
    parts, extents = access.index, access.tensor.shape
    if not (parts and axes) or any(r.start != 0 for r in axes) or any(part.has(Access) for part in parts):
        return False
    if {s for part in parts for s in part.free_symbols} - {r.index for r in axes}:
        return False
    if not axes[0].extent.is_Integer:
        # However many samples there are: each is as long in the domain as in the tensor.
        if parts[0] != axes[0].index or any(axes[0].index in part.free_symbols for part in parts[1:]):
            return False
        axes, parts, extents = axes[1:], parts[1:], extents[1:]
        if math.prod(r.extent for r in axes) != math.prod(extents):
            return False
    if not all(e.is_Integer for e in (*extents, *(r.extent for r in axes))) or math.prod(int(r.extent) for r in axes) > COUNTED:
        return False
    place: Expr = sympy.Integer(0)
    for part, extent in zip(parts, extents, strict=True):
        place = place * extent + part
    order = [Index(r.index.name, r.extent) for r in axes]
    place = place.xreplace(dict(zip((r.index for r in axes), order, strict=True)))
    shape = tuple(int(r.extent) for r in axes)
    return bool(np.array_equal(np.broadcast_to(evaluate(place, {}, {}, order), shape), np.arange(math.prod(shape)).reshape(shape)))


def _at(part: Expr, axes: Sequence[Range], inner: frozenset[Expr]) -> _At:
    if part.is_Integer:
        return _At(None, int(part), int(part) + 1)
    if not part.has(Access) and not part.free_symbols & (inner | {r.index for r in axes}):
        return _At(same=part)
    for number, r in enumerate(axes):
        shift = part - r.index + r.start
        if shift.is_Integer:
            return _At(number, int(shift), int(shift + r.extent) if r.extent.is_Integer else None)
    return _within(part, axes)


def _within(part: Expr, axes: Sequence[Range]) -> _At:
    """Return between which numbers a sum of multiples of a domain's indices lies, where that can be told."""
    first = stop = part
    for r in axes:
        factor = part.coeff(r.index)
        if not (factor.is_Integer and r.start.is_Integer and r.extent.is_Integer and r.extent > 0):
            return _At()
        if r.index in (part - factor * r.index).free_symbols:
            # Of what is no multiple, as floor(-p/2), the ends tell nothing.
            return _At()
        ends = (r.start, r.stop - 1) if factor >= 0 else (r.stop - 1, r.start)
        first, stop = first.xreplace({r.index: ends[0]}), stop.xreplace({r.index: ends[1]})
    return _At(None, int(first), int(stop) + 1) if first.is_Integer and stop.is_Integer else _At()


def _disjoint(one: _At, other: _At) -> bool:
    """Whether two places have nothing in common."""
    if one.same is not None and other.same is not None:
        apart = one.same - other.same
        return bool(apart.is_Integer and apart != 0)
    if None in (one.first, other.first):
        return False
    return bool((one.stop is not None and one.stop <= other.first) or (other.stop is not None and other.stop <= one.first))  # type: ignore[operator]


@dataclass
class _State:
    """What was read and written since all threads waited for each other."""

    reads: list[_Use] = field(default_factory=list)
    writes: list[_Use] = field(default_factory=list)

    def meets(self, reads: Sequence[_Use], writes: Sequence[_Use]) -> bool:
        """Whether one of some accesses must wait."""
        after = [(w, u) for w in self.writes for u in (*reads, *writes)] + [(r, w) for r in self.reads for w in writes]
        return any(one.shares_memory(other) and not (one.name == other.name and one.same_thread(other)) for one, other in after)

    def joined(self, other: _State) -> _State:
        """Return what holds if either state does."""
        return _State([*self.reads, *other.reads], [*self.writes, *other.writes])


def placed(steps: Sequence[Step], parts: Mapping[str, str] | None = None) -> tuple[Step, ...]:
    """Return the steps of a team with barriers where they are needed.

    Args:
        steps: without barriers.
        parts: names of tensors that are parts of others, with the names of these.
    """
    made, _ = _Placer(parts or {}, frozenset(_given(steps))).placed(steps, _State())
    return made


class _Placer:
    def __init__(self, parts: Mapping[str, str], given: frozenset[Expr]) -> None:
        self.parts = parts
        # A local may have another value by the time that it stands in a place again.
        self.given = given
        self.left = 0

    def placed(self, steps: Sequence[Step], state: _State) -> tuple[tuple[Step, ...], _State]:
        """Return steps with barriers, and what has happened since the last of them."""
        made: list[Step] = []
        for step in steps:
            if self.must_wait(step, state):
                made.append(Barrier())
                state = _State()
            step, state = self.after(step, state)
            made.append(step)
        return tuple(made), state

    def must_wait(self, step: Step, state: _State) -> bool:
        """Whether something must have been waited for before a step begins; in a loop, before its first barrier."""
        if isinstance(step, Barrier):
            return False
        if isinstance(step, Fold):
            return state.meets(*self.uses(step)) or state.meets([], [_Use(PARTS, None, None)])
        if isinstance(step, Provided) and state.meets(self.asked(step), []):
            return True
        if isinstance(step, Repeat | Provided):
            for s in self.placed(step.steps, _State())[0]:
                if isinstance(s, Barrier):
                    return False
                if self.must_wait(s, state):
                    return True
                if _waits(s):
                    return False
            return False
        return state.meets(*self.uses(step))

    def after(self, step: Step, state: _State) -> tuple[Step, _State]:
        """Return a step with barriers inside of it, and the state after it."""
        if isinstance(step, Barrier):
            return step, _State()
        if isinstance(step, Fold):
            return step, _State([_Use(PARTS, None, None)], [])
        if isinstance(step, Repeat):
            body, end = self.placed(step.steps, _State())
            # What was done in an earlier pass, or in the last one, was done for another index, and with other locals.
            end = self.passed(step, end)
            if self.must_wait(replace(step, steps=body), end):
                body, end = (*body, Barrier()), _State()
            return replace(step, steps=body), end if any(map(_waits, body)) and _runs(step) else state.joined(end)
        if isinstance(step, Provided):
            state = state.joined(_State(self.asked(step), []))
            body, end = self.placed(step.steps, state)
            return replace(step, steps=body), state.joined(end)
        reads, writes = self.uses(step)
        return step, state.joined(_State(reads, writes))

    def passed(self, step: Repeat, end: _State) -> _State:
        """Return what has happened since the last barrier of a loop, as it is seen from another pass or from behind the loop."""
        self.left += 1
        names = {local.name for local in _given(step.steps)}
        varying = {e for use in (*end.reads, *end.writes) for e in use.symbols() if e == step.range.index or str(e) in names}
        swap = {e: Index(f"{e} before {self.left}", e.extent if isinstance(e, Index) else 1) for e in varying}
        return _State(*([use.elsewhere(swap) for use in uses] for uses in (end.reads, end.writes)))

    def asked(self, step: Provided) -> list[_Use]:
        """Return what guards read."""
        return [self.use(a, None, False, frozenset()) for a in touched((When(step.guards, ()),)).reads]

    def uses(self, step: Step) -> tuple[list[_Use], list[_Use]]:
        """Return what a step reads and writes."""
        if isinstance(step, Fold):
            body: tuple[Statement, ...] = (*step.before, When(step.guards, (Let(Local("value"), step.value),)))
            return [self.use(a, step.axes, False, _bound(step.before)) for a in touched(body).reads], []
        assert isinstance(step, Each | Every | Alone)
        axes, alone = (step.axes if isinstance(step, Each) else None), isinstance(step, Alone)
        seen, bound = touched(step.body), _bound(step.body)
        uses = [[self.use(a, axes, alone, bound) for a in found] for found in (seen.reads, seen.writes)]
        if isinstance(step, Each):
            uses = [[replace(use, grid=step.grid, lanes=step.lanes) for use in found] for found in uses]
        return uses[0], uses[1]

    def use(self, a: Access, axes: tuple[Range, ...] | None, alone: bool, bound: frozenset[Expr]) -> _Use:
        return _Use(a.tensor.name, a, axes, alone, inner=bound | self.given, whole=self.parts.get(a.tensor.name, ""))


def _waits(step: Step) -> bool:
    """Whether all threads wait for each other somewhere in a step, whatever guards say."""
    if isinstance(step, Repeat):
        return _runs(step) and any(map(_waits, step.steps))
    return isinstance(step, Barrier | Fold)


def _runs(step: Repeat) -> bool:
    extent = step.range.extent
    return bool(extent.is_Integer and extent > 0)


def _given(steps: Sequence[Step]) -> Iterator[Local]:
    """Yield the locals that all threads give values to among steps."""
    for step in steps:
        if isinstance(step, Every):
            yield from named(step.body)
        elif isinstance(step, Fold):
            yield step.local
        elif isinstance(step, Repeat | Provided):
            yield from _given(step.steps)


def _bound(statements: Sequence[Statement]) -> frozenset[Expr]:
    """Return what differs from thread to thread in what one does for itself: indices of its loops, and its locals."""
    loops = {s.index for s in inside(statements) if isinstance(s, Loop)}
    return frozenset({*loops, *named(statements)})


def barriers(steps: Sequence[Step]) -> Iterator[Barrier]:
    """Yield the barriers among steps and inside them."""
    for step in steps:
        if isinstance(step, Barrier):
            yield step
        elif isinstance(step, Repeat | Provided):
            yield from barriers(step.steps)


__all__ = ["PARTS", "barriers", "placed"]
