"""From the loops of a nest to phases: what each thread does, and where the threads of a block wait for each other.

A loop whose passes do not need each other is shared among threads. Where the loops around an entry are all of that kind, each entry
has a thread (`Sweep`). Where there are few rows and long sums in each, the threads of a block share a row (`Team`): loops in it are
shared, sums are folded in one fixed order, and a barrier stands where one thread reads what another wrote.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import sympy
from sympy import Expr, S

from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import Floor
from symbackprop.algebra.tensor import Access
from symbackprop.plan.contractions import Scratch
from symbackprop.plan.device.barriers import placed
from symbackprop.plan.device.parallel import parallel, touched
from symbackprop.plan.device.records import WARP, Alone, Each, Every, Fold, Phase, Provided, Range, Repeat, Step, Sweep, Team
from symbackprop.plan.records import Choose, Let, Loop, Operand, Statement, Store, Update, When, Zero
from symbackprop.plan.rewriting import expressions, inside, needed, rewritten

#: Terms of a sum from which on the threads of a block share it.
LONG = 64
#: Entries that keep a device busy with one thread each.
MANY = 2**15
#: Threads of a block that shares rows, at most.
WIDE = 256
#: Terms times entries of sums along an axis that is not the last one, from which on they are done in parts; terms of a part, at least.
COLUMNS, CHUNK = 2**18, 64
#: Terms of a sum for each thread of a block, from which on it is done in pieces.
LONGEST = 32 * WIDE
#: Passes of a loop that every thread does for itself, at most.
SHORT = 16


def phases(statements: Sequence[Statement], sizes: Mapping[Expr, int], scratch: Scratch | None = None) -> tuple[Phase, ...]:
    """Return statements as phases, one after the other.

    Args:
        statements: of a kernel.
        sizes: the number that stands for each symbolic size, to choose by.
        scratch: makes places for parts of long sums; without it a sum is done by one block, or one thread.
    """
    return _Lowering(sizes, scratch).phases(cleared(statements))


def steps(statements: Sequence[Statement], sizes: Mapping[Expr, int], threads: int) -> tuple[Step, ...]:
    """Return statements as what a team of threads does, without barriers."""
    return _Lowering(sizes).steps(cleared(statements), threads)


def team(statements: Sequence[Statement], sizes: Mapping[Expr, int]) -> Team:
    """Return statements as what the threads of one block do."""
    return _Lowering(sizes).team((), cleared(statements))


def cleared(statements: Sequence[Statement]) -> tuple[Statement, ...]:
    """Return statements in which matrices of zeros are loops, too."""
    made: list[Statement] = []
    for s in statements:
        if isinstance(s, Zero):
            made.append(_zeros(s.operand))
        elif isinstance(s, Loop | When):
            made.append(replace(s, body=cleared(s.body)))
        else:
            made.append(s)
    return tuple(made)


def _zeros(o: Operand) -> Statement:
    place = tuple(axis if isinstance(a, str) else a for a, axis in zip(o.axes, o.tensor.axes, strict=True))
    made: Statement = Store(Access(o.tensor, *place), S.Zero)
    for a, axis in reversed(tuple(zip(o.axes, o.tensor.axes, strict=True))):
        if isinstance(a, str):
            made = Loop(axis, S.Zero, axis.extent, (made,))
    return made


class _Lowering:
    def __init__(self, sizes: Mapping[Expr, int], scratch: Scratch | None = None) -> None:
        self.scratch = scratch
        self.sizes = {size: sympy.Integer(number) for size, number in sizes.items()}

    # Phases

    def phases(self, statements: tuple[Statement, ...]) -> tuple[Phase, ...]:
        """Return a phase for each loop; what is alone before it is computed again by each of them."""
        before: list[Let] = []
        made: list[Phase] = []
        changed = touched(statements).written
        for s in statements:
            repeatable = isinstance(s, Let) and not any(a.tensor.name in changed for a in s.value.atoms(Access))
            if isinstance(s, Let) and repeatable and s.local not in _changed(statements):
                before.append(s)
                continue
            if not isinstance(s, Loop):
                # A number of all: one block does it, or finishes it.
                return tuple(self.parted((), statements))
            made += self.loop(s, needed(before, expressions((s,))))
        return tuple(made)

    def loop(self, s: Loop, before: tuple[Statement, ...]) -> list[Phase]:
        """Return the phases of a loop, after some locals that it reads."""
        body: tuple[Statement, ...] = (s,)
        own: list[Range] = []
        while True:
            lets = tuple(b for b in body if isinstance(b, Let))
            loops = [b for b in body if isinstance(b, Loop)]
            if len(loops) != 1 or len(lets) + 1 != len(body) or body[-1] is not loops[0] or set(_changed(body)) & {b.local for b in lets}:
                break
            (inner,) = loops
            if not parallel(inner) or _free(inner) & {r.index for r in own}:
                break
            if {a.tensor.name for b in lets for a in b.value.atoms(Access)} & touched((inner,)).written:
                break
            own.append(Range(inner.index, inner.start, inner.stop))
            before, body = (*before, *lets), inner.body
        if not own:
            return self.serial(s, before)
        entries = math.prod(self.number(r.extent) for r in own)
        if (columns := self.columns(own, before, body, entries)) is not None:
            return columns
        if self.longest(body) < LONG or (entries >= MANY and not self.shared(body)):
            return [Sweep(tuple(own), (*before, *body))]
        return self.parted(tuple(own), (*before, *body))

    def columns(self, own: Sequence[Range], before: Sequence[Statement], body: Sequence[Statement], entries: int) -> list[Phase] | None:
        """Return sums along another axis than the last one with neighbouring entries by neighbouring threads, each in parts.

        None where that is not what the statements do, or where there is little of it.
        """
        sums = [s for s in body if isinstance(s, Loop)]
        if self.scratch is None or len(sums) != 1 or entries * self.longest(body) < COLUMNS or self.longest(body) < 2 * CHUNK:
            return None
        fold, last = _fold(sums[0]), own[-1].index
        if fold is None or any(isinstance(s, Let) and s.local == fold.local and s.value != 0 for s in body) or fold.operation != "sum":
            return None
        inner = {r.index for r in fold.axes}
        reads = {a for e in expressions((*fold.before, *fold.guards, fold.value)) for a in e.atoms(Access) if a.tensor.rank}
        along = [a for a in reads if last in a.free_symbols]
        if not along or any(a.index[-1] != last for a in along) or any(inner & a.index[-1].free_symbols for a in reads):
            return None
        count = self.pieces(fold, entries, CHUNK)
        if count < 2:
            return None
        piece, cut = _cut(fold, count)
        place = self.scratch.place("parts", (piece, *(r.index for r in own)))
        at = Access(place, piece, *(r.index for r in own))
        start: tuple[Statement, ...] = (Let(fold.local, S.Zero),)
        some = (*before, *start, _looped(cut), Store(at, fold.local))
        whole = Loop(piece, S.Zero, piece.extent, (Update(fold.local, "sum", at),))
        rest = tuple(whole if s is sums[0] else s for s in body)
        return [Sweep((Range(piece, S.Zero, piece.extent), *own), some), Sweep(tuple(own), (*before, *rest))]

    def pieces(self, fold: Fold, rows: int, least: int) -> int:
        """Return in how many pieces the longest axis of a sum is cut, so that a device is busy."""
        longest = max(self.number(r.extent) for r in fold.axes)
        terms = math.prod(self.number(r.extent) for r in fold.axes)
        return min(longest, terms // least, -(-MANY // max(1, rows)))

    def serial(self, s: Loop, before: tuple[Statement, ...]) -> list[Phase]:
        """Return the phases of a loop whose passes need each other: what can be told apart inside of it is shared first."""
        chain: tuple[Statement, ...] = (s,)
        found: list[Range] = []
        while (hoisted := self.hoisted(chain)) is not None:
            axis, chain = hoisted
            found.append(axis)
        if not found:
            return [self.team((), (*before, *chain))]
        entries = math.prod(self.number(r.extent) for r in found)
        if entries >= MANY or self.widest(chain) < LONG // 2:
            return [Sweep(tuple(found), (*before, *chain))]
        return [self.team(tuple(found), (*before, *chain))]

    def hoisted(self, chain: tuple[Statement, ...]) -> tuple[Range, tuple[Statement, ...]] | None:
        """Return a range that all loops inside have in common and the statements inside of it; None where there is none."""
        outer = [s for s in inside(chain) if isinstance(s, Loop)]
        for candidate in outer:
            if candidate is chain[0] or candidate.descending or _free(candidate):
                continue
            taken = _without(chain, candidate)
            if taken is None:
                continue
            trial = Loop(candidate.index, candidate.start, candidate.stop, taken)
            if parallel(trial):
                return Range(candidate.index, candidate.start, candidate.stop), taken
        return None

    # Teams

    def parted(self, axes: tuple[Range, ...], statements: tuple[Statement, ...]) -> list[Phase]:
        """Return what blocks do for rows: a long sum of few rows in pieces, each by a block of its own, and then the sum of these."""
        whole = self.team(axes, statements)
        if self.scratch is None:
            return [whole]
        rows = math.prod(self.number(r.extent) for r in axes)
        pending: list[Step] = []
        made: list[Phase] = []
        cuts = 0
        for step in self.steps(statements, whole.threads):
            count = self.pieces(step, rows * whole.threads, LONGEST) if isinstance(step, Fold) else 0
            plain = not any(isinstance(s, Repeat | Provided) for s in pending)
            if isinstance(step, Fold) and count > 1 and plain:
                if any(isinstance(s, Alone | Each) for s in pending):
                    # Other blocks are to see it.
                    made.append(Team(axes, whole.threads, placed(pending)))
                    pending = [s for s in pending if isinstance(s, Every | Fold)]
                cuts += 1
                piece, cut = _cut(step, count, cuts)
                place = self.scratch.place("parts", (*(r.index for r in axes), piece))
                at = Access(place, *(r.index for r in axes), piece)
                first = Every((Let(step.local, S.Zero if step.operation == "sum" else -sympy.oo),))
                some = (*pending, first, cut, Alone((Store(at, step.local),)))
                made.append(Team((*axes, Range(piece, S.Zero, piece.extent)), whole.threads, placed(some)))
                step = Fold(step.local, step.operation, (Range(piece, S.Zero, piece.extent),), (), (), at)
            pending.append(step)
        return [*made, Team(axes, whole.threads, placed(pending))] if made else [whole]

    def team(self, axes: tuple[Range, ...], statements: tuple[Statement, ...]) -> Team:
        threads = 32
        while threads < WIDE and threads < max(self.longest(statements), self.widest(statements)):
            threads *= 2
        return Team(axes, threads, placed(self.steps(statements, threads)))

    def steps(self, statements: Sequence[Statement], threads: int) -> tuple[Step, ...]:
        """Return what a team does, without barriers."""
        made: list[Step] = []
        for s in statements:
            made += self.step(s, threads)
        return tuple(_joined(made))

    def step(self, s: Statement, threads: int) -> list[Step]:
        if isinstance(s, Loop):
            fold = _fold(s)
            if fold is not None:
                if math.prod(self.number(r.extent) for r in fold.axes) <= SHORT:
                    return [Every((s,))]
                return [fold]
            if parallel(s):
                return [self.each(s, threads)]
            if not touched((s,)).writes and math.prod(self.number(r.stop - r.start) for r in inside((s,)) if isinstance(r, Loop)) <= SHORT:
                return [Every((s,))]
            hoisted = self.hoisted((s,))
            if hoisted is not None and not self.shared(s.body):
                axis, body = hoisted
                return [Each((axis,), body)]
            return [Repeat(Range(s.index, s.start, s.stop), self.steps(s.body, threads), s.descending)]
        if isinstance(s, When):
            return [Provided(s.guards, self.steps(s.body, threads))]
        if isinstance(s, Let | Update | Choose):
            return [Every((s,))]
        return [Alone((s,))]

    def each(self, s: Loop, threads: int) -> Each:
        """Return a loop whose passes are shared; where they are few and their sums long, some threads share a sum."""
        axes = [Range(s.index, s.start, s.stop)]
        body = s.body
        while len(body) == 1 and isinstance(body[0], Loop):
            inner = body[0]
            if not parallel(inner) or _free(inner) & {r.index for r in axes}:
                break
            axes.append(Range(inner.index, inner.start, inner.stop))
            body = inner.body
        lanes, entries = 1, math.prod(self.number(r.extent) for r in axes)
        terms = max((self.number(b.stop - b.start) * max(1, self.longest(b.body)) for b in body if isinstance(b, Loop)), default=0)
        if _laned(body):
            while lanes < WARP and entries * lanes * 2 <= threads and lanes * 4 <= terms:
                lanes *= 2
        return Each(tuple(axes), body, lanes=lanes)

    # Sizes

    def number(self, e: Expr) -> int:
        """Return about how many something are."""
        value = e.xreplace(self.sizes)
        if value.free_symbols:
            # The ends of a loop that depend on other indices: as if these were 0.
            value = value.xreplace({s: S.Zero for s in value.free_symbols})
        return max(0, int(value))

    def longest(self, statements: Sequence[Statement]) -> int:
        """Return how many passes a loop in statements has in all, those around it included."""
        most = 0
        for s in statements:
            if isinstance(s, Loop):
                most = max(most, self.number(s.stop - s.start) * max(1, self.longest(s.body)))
            elif isinstance(s, When):
                most = max(most, self.longest(s.body))
        return most

    def widest(self, statements: Sequence[Statement]) -> int:
        """Return how many threads could share the largest loop among statements."""
        most = 0
        for s in statements:
            if isinstance(s, Loop) and _fold(s) is not None:
                most = max(most, self.longest((s,)))
            elif isinstance(s, Loop) and parallel(s):
                most = max(most, self.number(s.stop - s.start) * max(1, self.widest(s.body)))
            elif isinstance(s, Loop | When):
                most = max(most, self.widest(s.body))
        return most

    def shared(self, statements: Sequence[Statement]) -> bool:
        """Whether there is much that threads of a block could share."""
        return self.widest(statements) >= LONG


def _cut(fold: Fold, count: int, number: int = 1) -> tuple[Index, Fold]:
    """Return the index of the pieces of a sum, in a name with the number of the cut, and one piece: a range of its longest axis."""
    piece = Index("piece" if number == 1 else f"piece_{number}", sympy.Integer(count))
    longest = max(fold.axes, key=lambda r: (not r.extent.is_Integer, int(r.extent) if r.extent.is_Integer else 0))
    length = Floor((longest.extent + count - 1) / sympy.Integer(count))
    start = longest.start + piece * length
    part = Range(longest.index, start, sympy.Min(longest.stop, start + length))
    return piece, replace(fold, axes=tuple(part if r is longest else r for r in fold.axes))


def _looped(fold: Fold) -> Statement:
    """Return a sum as loops of one thread."""
    one: tuple[Statement, ...] = (*fold.before, Update(fold.local, fold.operation, fold.value))
    body: tuple[Statement, ...] = (When(fold.guards, one),) if fold.guards else one
    for r in reversed(fold.axes):
        body = (Loop(r.index, r.start, r.stop, body),)
    return body[0]


def _laned(body: Sequence[Statement]) -> bool:
    """Whether the sums of an entry may be shared among threads: they are plain, and what is written is not read."""
    plain = all(isinstance(s, Let | Store) or (isinstance(s, Loop) and _fold(s) is not None) for s in body)
    seen = touched(tuple(body))
    return plain and not seen.written & {a.tensor.name for a in seen.reads}


def _changed(statements: Sequence[Statement]) -> frozenset[Expr]:
    """Return the locals that get more than one value."""
    made = [local for s in inside(tuple(statements)) for local in _updated(s)]
    return frozenset(made)


def _updated(s: Statement) -> tuple[Expr, ...]:
    if isinstance(s, Update):
        return (s.local,)
    return (s.best, s.at) if isinstance(s, Choose) else ()


def _free(loop: Loop) -> frozenset[Index]:
    """Return the indices that the ends of a loop depend on."""
    return frozenset(s for e in (loop.start, loop.stop) for s in e.free_symbols if isinstance(s, Index))


def _fold(loop: Loop) -> Fold | None:
    """Return a loop that does nothing but add to one local, or look for its largest, as a fold."""
    axes: list[Range] = []
    guards: tuple[Expr, ...] = ()
    body: tuple[Statement, ...] = (loop,)
    lets: list[Statement] = []
    while True:
        *first, last = body
        if any(not isinstance(s, Let) for s in first) or (first and not isinstance(last, Update)):
            return None
        lets += first
        if isinstance(last, Loop):
            if _free(last) & {r.index for r in axes} or last.descending:
                return None
            axes.append(Range(last.index, last.start, last.stop))
            body = last.body
        elif isinstance(last, When):
            guards = (*guards, *last.guards)
            body = last.body
        else:
            break
    if not isinstance(last, Update) or last.value.has(last.local):
        return None
    if any(isinstance(s, Let) and s.value.has(last.local) for s in lets):
        return None
    return Fold(last.local, last.operation, tuple(axes), tuple(lets), guards, last.value)


def _without(chain: Sequence[Statement], candidate: Loop) -> tuple[Statement, ...] | None:
    """Return statements without the loops over the range of a candidate, one index in place of theirs; None where some lack it."""
    made: list[Statement] = []
    for s in chain:
        if isinstance(s, Loop) and (s.start, s.stop, s.descending) == (candidate.start, candidate.stop, False) and not _free(s):
            body = s.body if s.index == candidate.index else rewritten(s.body, partial(_renamed, {s.index: candidate.index}))
            if s.index != candidate.index and any(isinstance(b, Loop) and b.index == candidate.index for b in inside(s.body)):
                return None
            made += body
        elif isinstance(s, Loop | When):
            inner = _without(s.body, candidate)
            if inner is None:
                return None
            made.append(replace(s, body=inner))
        else:
            return None
    return tuple(made)


def _renamed(swap: dict[Expr, Expr], e: Expr) -> Expr:
    return e.xreplace(swap)


def _joined(found: Sequence[Step]) -> list[Step]:
    """Return steps with neighbours of one kind together."""
    made: list[Step] = []
    for step in found:
        if made and isinstance(step, Every) and isinstance(made[-1], Every):
            made[-1] = Every((*made[-1].body, *step.body))
        elif made and isinstance(step, Alone) and isinstance(made[-1], Alone):
            made[-1] = Alone((*made[-1].body, *step.body))
        else:
            made.append(step)
    return made


__all__ = ["cleared", "phases", "steps", "team"]
