"""Fewer launches: what stays with its entry goes on in the same thread, and launches that do not need each other are one.

A small network spends its time on starting kernels. Two launches need an order where one writes memory that the other touches; this is
read off the places of their tensors, which may share memory. A sweep that needs only what the same thread has just written is appended
to the sweep that wrote it. Of the launches that are left, those that could start at the same time become one, in which each has blocks
of its own; large ones stay alone, for they fill the device by themselves.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import sympy
from sympy import Expr

from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import Indicator
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.plan.device.barriers import placed
from symbackprop.plan.device.lower import MANY, SHORT
from symbackprop.plan.device.product import PROCESSORS
from symbackprop.plan.device.records import (
    WARP,
    Alone,
    Barrier,
    DeviceKernel,
    Each,
    External,
    Joint,
    Launch,
    Product,
    Provided,
    Range,
    Repeat,
    Step,
    Sweep,
    Team,
)
from symbackprop.plan.device.shared import SHARED
from symbackprop.plan.records import Choose, Let, Local, Loop, Place, Statement, Update, When
from symbackprop.plan.rewriting import called, expressions, inside, named, parts, rewritten

#: Blocks of a launch, up to which others stand beside it: twice as many as the device has processors.
FEW = 2 * PROCESSORS
#: Threads of a block where nothing asks for another number.
BLOCK = 128
#: Passes of loops that a thread does for itself, at most, where a launch would share them among threads.
ALONE = 128
#: The threads of a team are not fewer than one in so many of those that it was planned with.
FEWER = 4

Places = Mapping[str, Place]


@dataclass(frozen=True)
class _Region:
    """Where a tensor lies: entries ``fixed + each N <= k < fixed + each N + more + per N`` of a buffer, for N samples."""

    buffer: str
    fixed: int = 0
    each: int = 0
    more: float = math.inf
    per: int = 0

    def meets(self, other: _Region, batch: int) -> bool:
        """Whether two regions have an entry in common for some number of samples up to ``batch``."""
        return self.buffer == other.buffer and not (self.ends_before(other, batch) or other.ends_before(self, batch))

    def ends_before(self, other: _Region, batch: int) -> bool:
        # Both sides are straight lines over the number of samples, so that two places tell all of them.
        return all(self.fixed + self.more + (self.each + self.per) * n <= other.fixed + other.each * n for n in (1, batch))


def _region(buffer: str, place: Place | None) -> _Region:
    if place is None or place.buffer == "argument" or place.shape.count("N") > 1:
        return _Region(buffer)
    fixed = math.prod(e for e in place.shape if isinstance(e, int))
    batched = "N" in place.shape
    return _Region(buffer, place.fixed, place.per_sample, 0 if batched else fixed, fixed if batched else 0)


class Memory:
    """Which launches of an entry need an order.

    Two tensors meet where they have an entry in common; launches need an order where one writes a tensor that meets one of the other.

    Args:
        launches: of the entry.
        places: of their tensors.
        batch: the number of samples that is planned for.
    """

    def __init__(self, launches: Sequence[Launch], places: Places, batch: int) -> None:
        regions = {use: _region(use[0], places.get(use[1])) for one in launches for use in _used(one)}
        self.meeting: dict[_Use, list[_Use]] = {use: [use] for use in regions}
        for one, other in _meeting(regions, batch):
            self.meeting[one].append(other)
            self.meeting[other].append(one)

    def behind(self, one: Launch, seen: _Seen) -> int:
        """Return the largest number of a launch that has to be done before another one, -1 if there is none."""
        found = -1
        for use in _used(one):
            for other in self.meeting[use]:
                found = max(found, seen.written.get(other, -1))
        for use in _written(one):
            for other in self.meeting[use]:
                found = max(found, seen.touched.get(other, -1))
        return found


#: A tensor by its buffer and its name.
_Use = tuple[str, str]


class _Seen:
    """The largest number of a launch that has touched each tensor, and that has written it."""

    def __init__(self) -> None:
        self.touched: dict[_Use, int] = {}
        self.written: dict[_Use, int] = {}

    def add(self, one: Launch, number: int) -> None:
        for use in _used(one):
            self.touched[use] = max(number, self.touched.get(use, -1))
        for use in _written(one):
            self.written[use] = max(number, self.written.get(use, -1))


def _used(one: Launch) -> Iterator[_Use]:
    return zip(one.kernel.buffers, one.names, strict=True)


def _written(one: Launch) -> Iterator[_Use]:
    k = one.kernel
    return ((b, real) for t, b, real in zip(k.tensors, k.buffers, one.names, strict=True) if t.name in k.written)


def _meeting(regions: Mapping[_Use, _Region], batch: int) -> Iterator[tuple[_Use, _Use]]:
    """Yield the pairs of tensors that meet; of all pairs only those are looked at that might."""
    buffers: dict[str, list[_Use]] = {}
    for use in regions:
        buffers.setdefault(use[0], []).append(use)
    for uses in buffers.values():
        uses.sort(key=lambda use: regions[use].fixed + regions[use].each)
        starts = [regions[use].fixed + regions[use].each * batch for use in uses]
        ordered = all(a <= b for a, b in itertools.pairwise(starts))
        for k, one in enumerate(uses):
            ends = [regions[one].fixed + regions[one].more + (regions[one].each + regions[one].per) * n for n in (1, batch)]
            for j in range(k + 1, len(uses)):
                # Where tensors have one order whatever the batch is, all behind the first that lies apart lie apart.
                first = regions[uses[j]]
                if ordered and first.fixed + first.each >= ends[0] and starts[j] >= ends[1]:
                    break
                if regions[one].meets(first, batch):
                    yield one, uses[j]


class Arranging:
    """Arranges the launches of entries.

    Args:
        batch: the number of samples that is planned for.
        numbers: what symbolic sizes are in such a batch.
        item: bytes of a real number.
        taken: names of kernels.
    """

    def __init__(self, batch: int, numbers: Mapping[Expr, int], item: int, taken: set[str]) -> None:
        self.batch, self.item, self.taken = batch, item, taken
        self.numbers = {size: sympy.Integer(number) for size, number in numbers.items()}
        self.appended: dict[object, DeviceKernel] = {}
        self.resized: dict[tuple[str, int], DeviceKernel] = {}
        self.joints: dict[object, Joint] = {}

    def arranged(self, launches: Sequence[Launch], places: Places) -> tuple[Launch | Joint, ...]:
        """Return the launches of an entry, fewer where that can be, in an order in which they may be done."""
        made: list[Launch | Joint] = []
        for level in self.levels(self.merged(launches, places), places):
            made += self.beside(level, places)
        return tuple(made)

    def alone(self, one: Launch | Joint, places: Places) -> Launch | Joint:
        """Return a launch as a joint one of a single part, if other joint launches have its kernel as a part."""
        if isinstance(one, Joint):
            return one
        variant = next((k for (name, _), k in self.resized.items() if name == one.kernel.name), one.kernel)
        parts = {part.kernel.name for joint in self.joints.values() for part in joint.parts}
        if variant.name not in parts:
            return one
        one = replace(one, kernel=variant)
        return self.joint((one,), self.threads(one), places)

    # What needs what

    def levels(self, launches: Sequence[Launch], places: Places) -> list[list[Launch]]:
        """Return launches by the number of others that have to be done before, one after the other."""
        memory, seen = Memory(launches, places, self.batch), _Seen()
        levels: list[list[Launch]] = []
        for one in launches:
            level = 1 + memory.behind(one, seen)
            seen.add(one, level)
            if level == len(levels):
                levels.append([])
            levels[level].append(one)
        return levels

    # One after the other, in the same threads

    def merged(self, launches: Sequence[Launch], places: Places) -> list[Launch]:
        """Return launches with sweeps appended to those whose results they read, entry by entry."""
        memory, seen = Memory(launches, places, self.batch), _Seen()
        made: list[Launch] = []
        using: dict[str, dict[int, None]] = {}
        for one in launches:
            # Behind the last launch that it needs it may be done as well, best by threads that read the same.
            last = memory.behind(one, seen)
            near = sorted({k for real in one.names for k in using.get(real, ()) if k > last})
            for k in (last, *near) if last >= 0 else near:
                both = self.after(made[k], one, places) if k == last or self.alike(made[k], one) else None
                if both is not None:
                    made[k] = both
                    break
            else:
                k = len(made)
                made.append(one)
            seen.add(one, k)
            for real in one.names:
                using.setdefault(real, {})[k] = None
        return made

    def alike(self, one: Launch, other: Launch) -> bool:
        """Whether two launches go through the same entries, or the same rows, of which there are enough for all processors."""
        a, b = one.kernel.phase, other.kernel.phase
        if isinstance(a, Sweep) and isinstance(b, Sweep):
            return len(a.axes) == len(b.axes)
        return isinstance(a, Team) and isinstance(b, Team) and len(a.axes) == len(b.axes) and not self.small(one)

    def after(self, first: Launch, second: Launch, places: Places) -> Launch | None:
        """Return one launch for two, of which the second needs of the first what the same thread or block has written; None otherwise."""
        a, b = first.kernel.phase, second.kernel.phase
        if not (isinstance(a, Sweep | Team) and isinstance(b, Sweep | Team)):
            return None
        common = list(zip(a.axes, b.axes, strict=False))
        if any(mine.start != theirs.start or mine.extent != theirs.extent for mine, theirs in common):
            return None
        kinds = {local.name: local.is_integer for local in _locals(a)}
        if any(kinds.get(local.name, local.is_integer) != local.is_integer for local in _locals(b)):
            return None
        if not self.apart(first, second, a, b, places):
            return None
        if isinstance(a, Sweep) and isinstance(b, Sweep):
            return self.in_threads(first, second, a, places) if all(self.serial(one, len(common)) for one in (a, b)) else None
        return self.in_blocks(first, second, a, b, places) if self.rows(a, b) else None

    def serial(self, sweep: Sweep, outer: int) -> bool:
        """Whether one thread may do for itself what a sweep does for all but its first so many axes."""
        inner = math.prod(self.number(r.extent) for r in sweep.axes[outer:])
        entries = inner * math.prod(self.number(r.extent) for r in sweep.axes[:outer])
        return inner == 1 or ((inner <= SHORT or entries <= MANY) and inner * self.passes(sweep.body) <= ALONE)

    def rows(self, a: Sweep | Team, b: Sweep | Team) -> bool:
        """Whether the rows of teams are so many that their blocks may do what sweeps do by threads of many more."""
        teams = [one for one in (a, b) if isinstance(one, Team)]
        outer = {len(team.axes) for team in teams}
        if len(outer) > 1 or 0 in outer or any(len(one.axes) < len(teams[0].axes) for one in (a, b)):
            return False
        threads = max(team.threads for team in teams) * math.prod(self.number(r.extent) for r in teams[0].axes)
        sweeps = [one for one in (a, b) if isinstance(one, Sweep)]
        if any(len(one.axes) == len(teams[0].axes) and self.passes(one.body) > ALONE for one in sweeps):
            return False
        return all(threads >= min(MANY, math.prod(self.number(r.extent) for r in one.axes)) for one in sweeps)

    def passes(self, body: Sequence[Statement]) -> int:
        """Return how many passes the loops of an entry have in all, once at least."""
        found = 0
        for s in body:
            if isinstance(s, Loop):
                extent = (s.stop - s.start).xreplace(self.numbers)
                found += self.passes(s.body) * (int(extent) if extent.is_Integer else ALONE)
            elif isinstance(s, When):
                found += self.passes(s.body)
        return max(1, found)

    def apart(self, first: Launch, second: Launch, a: Sweep | Team, b: Sweep | Team, places: Places) -> bool:
        """Whether every entry that one of two phases writes and both touch is touched at one place of the axes that both have."""
        for mine, (here, real) in _uses(first).items():
            for theirs, (there, other) in _uses(second).items():
                if mine not in first.kernel.written and theirs not in second.kernel.written:
                    continue
                if not _region(here, places.get(real)).meets(_region(there, places.get(other)), self.batch):
                    continue
                # Tensors that share memory otherwise than entry by entry have entries of other places there.
                if real != other and places.get(real) != places.get(other):
                    return False
                if not all(_told(x, a.axes, y, b.axes) for x in _accesses(a, mine) for y in _accesses(b, theirs)):
                    return False
        return True

    def in_threads(self, first: Launch, second: Launch, a: Sweep, places: Places) -> Launch:
        """Return one launch for two sweeps: each thread does what it did in both."""
        both = _Both(first, second, places, self.batch)
        b = both.second
        assert isinstance(b, Sweep)
        axes = a.axes[: len(b.axes)]
        before, behind = _looped(a.axes[len(axes) :], a.body), _looped(b.axes[len(axes) :], b.body)
        return self.launch(both, Sweep(axes, (*before, *_left(before, behind, both.changed))), first.kernel.reason)

    def in_blocks(self, first: Launch, second: Launch, a: Sweep | Team, b: Sweep | Team, places: Places) -> Launch | None:
        """Return one launch for two, at least one of them by teams: each block does what belongs to its row in both.

        None where tensors of other names share memory, of which those who place barriers know nothing.
        """
        both = _Both(first, second, places, self.batch)
        if both.shared:
            return None
        teams = [one for one in (a, both.second) if isinstance(one, Team)]
        axes, threads = a.axes[: len(teams[0].axes)], max(team.threads for team in teams)
        steps = (*_steps(a, len(axes)), *_steps(both.second, len(axes)))
        return self.launch(both, Team(axes, threads, placed(steps)), f"a block of {threads} threads for each row")

    def launch(self, both: _Both, phase: Sweep | Team, reason: str) -> Launch:
        """Return the launch of a kernel that does what two do; the same kernels are made once."""
        one, other = both.kernels
        key = (one.name, other.name, both.called, tuple(both.buffers), frozenset(both.changed))
        if key not in self.appended:
            renamed = both.renamed
            equations = tuple(e.xreplace({t: renamed[t.name] for t in (e.tensor, *e.reads) if t.name in renamed}) for e in other.equations)
            self.appended[key] = DeviceKernel(
                self.named(f"{one.name.split('_to_')[0]}_to_{other.name}"),
                (*one.equations, *equations),
                tuple(both.tensors),
                tuple(both.buffers),
                tuple(dict.fromkeys((*one.written, *(renamed[name].name for name in other.written)))),
                phase,
                reason,
            )
        return Launch(self.appended[key], tuple(both.names), both.call)

    # Side by side

    def beside(self, level: Sequence[Launch], places: Places) -> list[Launch | Joint]:
        """Return launches that do not need each other, small ones in one."""
        small = [one for one in level if self.small(one)]
        products = [one for one in small if isinstance(one.kernel.phase, Product)]
        groups: dict[int, list[Launch]] = {}
        for one in products:
            groups.setdefault(self.threads(one), []).append(one)
        others = [one for one in small if not isinstance(one.kernel.phase, Product)]
        # The tiles of a product tell how many threads a block has; what else there is goes where most products are.
        home = max(groups, key=lambda threads: (len(groups[threads]), threads), default=max(map(self.threads, others), default=BLOCK))
        large = [one for one in level if one not in small]
        sweeps = [one for one in large if isinstance(one.kernel.phase, Sweep)]
        made: list[Launch | Joint] = [one for one in large if one not in sweeps]
        # What fills the device, but for an entry a thread, is no worse for going on with other entries.
        made += [self.joint(tuple(sweeps), BLOCK, places)] if len(sweeps) > 1 else sweeps
        for one in others:
            # A sum by all threads of a block is one by whole warps.
            if self.threads(one) <= FEWER * home and (home % WARP == 0 or isinstance(one.kernel.phase, Sweep)):
                groups.setdefault(home, []).append(one)
            else:
                made.append(one)
        for threads, group in groups.items():
            for some in self.packed(group):
                if len(some) == 1:
                    made.append(some[0])
                else:
                    made.append(self.joint(tuple(self.with_threads(one, threads) for one in some), threads, places))
        return made

    def packed(self, group: Sequence[Launch]) -> Iterator[list[Launch]]:
        """Yield launches in groups whose shared memory a block has."""
        some: list[Launch] = []
        for one in group:
            if some and sum(map(self.shared, (*some, one))) > SHARED:
                yield some
                some = []
            some.append(one)
        if some:
            yield some

    def small(self, one: Launch) -> bool:
        return not isinstance(one.kernel.phase, External) and self.blocks(one) <= FEW

    def threads(self, one: Launch) -> int:
        phase = one.kernel.phase
        if isinstance(phase, Product):
            return phase.tile.threads
        return phase.threads if isinstance(phase, Team) else BLOCK

    def blocks(self, one: Launch) -> int:
        """Return how many blocks a launch has in a batch as planned."""
        phase = one.kernel.phase
        assert not isinstance(phase, External)
        if isinstance(phase, Product):
            rows, columns, batch = (math.prod(self.number(r.extent) for r in part) for part in (phase.rows, phase.columns, phase.batch))
            return -(-rows // phase.tile.rows) * -(-columns // phase.tile.columns) * batch * phase.splits
        entries = math.prod(self.number(r.extent) for r in phase.axes)
        return entries if isinstance(phase, Team) else -(-entries // BLOCK)

    def shared(self, one: Launch) -> int:
        """Return the bytes of shared memory that a launch needs at most."""
        phase = one.kernel.phase
        if isinstance(phase, Product):
            return phase.tile.shared * self.item
        return self.threads(one) // WARP * self.item if isinstance(phase, Team) else 0

    def with_threads(self, one: Launch, threads: int) -> Launch:
        """Return a launch with another number of threads a block."""
        phase = one.kernel.phase
        if not isinstance(phase, Team):
            return one
        key = (one.kernel.name, threads)
        if key not in self.resized:
            reason = one.kernel.reason.replace(f"{phase.threads} threads", f"{threads} threads")
            # The first of another number of threads takes the place of what was planned alone, see `alone`.
            first = not any(name == one.kernel.name for name, _ in self.resized)
            name = one.kernel.name if first else self.named(f"{one.kernel.name}_by_{threads}")
            self.resized[key] = replace(one.kernel, name=name, phase=replace(phase, threads=threads), reason=reason)
        return replace(one, kernel=self.resized[key])

    def joint(self, parts: tuple[Launch, ...], threads: int, places: Places) -> Joint:
        where = tuple(tuple(places.get(real) for real in one.names) for one in parts)
        key = (tuple(one.kernel.name for one in parts), where, threads)
        if key not in self.joints:
            name = self.named(f"{parts[0].kernel.name}_alone" if len(parts) == 1 else "side_by_side")
            self.joints[key] = Joint(name, parts, where, threads)
        return self.joints[key]

    def number(self, e: Expr) -> int:
        return int(e.xreplace(self.numbers))

    def named(self, base: str) -> str:
        """Return a name for a kernel that no other one has."""
        name, count = base, 1
        while name in self.taken:
            count += 1
            name = f"{base}_{count}"
        self.taken.add(name)
        return name


class _Both:
    """Two kernels in names that they share.

    Attributes:
        kernels: both.
        call: of the second one.
        tensors: of both; ``buffers`` and ``names`` tell where each lies and what it is called outside.
        renamed: the tensor that each of the second kernel has become, by its name.
        called: the names of these.
        second: the phase of the second kernel.
        changed: names of tensors that the first one writes, or that share memory with such.
        shared: whether two of the tensors share memory, one of which is written.
    """

    def __init__(self, first: Launch, second: Launch, places: Places, batch: int) -> None:
        self.kernels, self.call = (first.kernel, second.kernel), second.call
        one, other = self.kernels
        known = {real: t for t, real in zip(one.tensors, first.names, strict=True)}
        taken = {t.name for t in one.tensors}
        self.tensors, self.buffers, self.names = list(one.tensors), list(one.buffers), list(first.names)
        self.renamed: dict[str, Tensor] = {}
        for t, buffer, real in zip(other.tensors, other.buffers, second.names, strict=True):
            if real in known:
                self.renamed[t.name] = known[real]
                continue
            name = _free(t.name, taken)
            taken.add(name)
            self.renamed[t.name] = Tensor(name, t.axes, t.role, integer=t.integer, positive=t.positive)
            self.tensors.append(self.renamed[t.name])
            self.buffers.append(buffer)
            self.names.append(real)
        self.called = tuple(self.renamed[t.name].name for t in other.tensors)
        a, b = one.phase, other.phase
        assert isinstance(a, Sweep | Team) and isinstance(b, Sweep | Team)
        swap: dict[Expr, Expr] = {theirs.index: mine.index for mine, theirs in zip(a.axes, b.axes, strict=False)}
        inner = dict.fromkeys(part.index for part in parts(b) if isinstance(part, Range | Loop) and part.index not in swap)
        outer, own = {r.index.name for r in a.axes[: len(swap)]}, {i.name for i in inner}
        for i in inner:
            if i.name in outer:
                # A loop of the second one must not catch an index of the first, which is told by its name in the text.
                swap[i] = Index(_free(i.name, outer | own), i.extent)
                own.add(swap[i].name)
        self.second = rewritten(b, lambda e: _renamed(e, swap, self.renamed))
        where = {t.name: _region(b, places.get(real)) for t, b, real in zip(self.tensors, self.buffers, self.names, strict=True)}
        self.changed = {name for name, region in where.items() if any(region.meets(where[w], batch) for w in one.written)}
        written = {*one.written, *(self.renamed[name].name for name in other.written)}
        self.shared = any(name != w and region.meets(where[w], batch) for name, region in where.items() for w in written)


def _steps(phase: Sweep | Team, outer: int) -> tuple[Step, ...]:
    """Return what a block does for a row of a phase, without barriers."""
    if isinstance(phase, Team):
        return _bare(phase.steps)
    inner = phase.axes[outer:]
    return (Each(inner, phase.body) if inner else Alone(phase.body),)


def _bare(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Return steps without barriers."""
    kept = (step for step in steps if not isinstance(step, Barrier))
    return tuple(replace(step, steps=_bare(step.steps)) if isinstance(step, Repeat | Provided) else step for step in kept)


def _free(name: str, taken: set[str]) -> str:
    """Return a name that is not taken."""
    while name in taken:
        name += "_"
    return name


def _looped(axes: Sequence[Range], body: tuple[Statement, ...]) -> tuple[Statement, ...]:
    """Return statements in loops over some axes."""
    for r in reversed(axes):
        body = (Loop(r.index, r.start, r.stop, body),)
    return body


def _left(before: Sequence[Statement], behind: Sequence[Statement], changed: set[str]) -> tuple[Statement, ...]:
    """Return statements without those whose locals have the same values from some statements before them.

    Args:
        before: what was done.
        behind: what is to be done.
        changed: tensors that were written, or share memory with one that was.
    """
    given: dict[Local, list[Statement]] = {}
    for s in before:
        for local in dict.fromkeys(named((s,))):
            given.setdefault(local, []).append(s)
    own: dict[Local, list[Statement]] = {}
    for s in behind:
        for local in dict.fromkeys(named((s,))):
            own.setdefault(local, []).append(s)
    same = {v for v, found in own.items() if _once(v, found, behind) and _once(v, given.get(v, []), before)}
    same = {v for v in same if [_shape(s) for s in own[v]] == [_shape(s) for s in given[v]]}
    same = {v for v in same if not {a.tensor.name for e in expressions(tuple(own[v])) for a in e.atoms(Access)} & changed}
    while True:
        # What is read on the way must be the same, too.
        kept = {v for v in same if all(x in same for e in expressions(tuple(own[v])) for x in e.atoms(Local))}
        if kept == same:
            break
        same = kept
    return tuple(s for s in behind if _stores(s) or not {*named((s,))} <= same)


def _once(local: Local, found: Sequence[Statement], body: Sequence[Statement]) -> bool:
    """Whether a local begins once among statements and is read by others only when it has its last value."""
    starts = sum(isinstance(s, Let) and s.local == local for s in inside(tuple(found)))
    if starts != 1 or any(_stores(s) for s in found):
        return False
    last = max(k for k, s in enumerate(body) if s in found)
    return not any(local in e.atoms(Local) for s in body[:last] if s not in found for e in expressions(s))


def _stores(s: Statement) -> bool:
    return any(not isinstance(part, Let | Update | Choose | Loop | When) for part in inside((s,)))


def _shape(s: Statement) -> Statement:
    """Return a statement with names for the indices of its loops that tell nothing but their order."""
    swap = {loop.index: Index(f"loop {k}", loop.index.extent) for k, loop in enumerate(x for x in inside((s,)) if isinstance(x, Loop))}
    return rewritten(s, lambda e: _renamed(e, swap, {a.tensor.name: a.tensor for a in e.atoms(Access)}))


def _renamed(e: Expr, swap: Mapping[Expr, Expr], tensors: Mapping[str, Tensor]) -> Expr:
    """Return an expression with other indices and tensors; comparisons stay as they stand."""
    names: dict[Expr, Expr] = dict(swap)
    for a in e.atoms(Access):
        names[a] = _entry(a, swap, tensors)
    return called(e, names) if e.has(Indicator) else e.xreplace(names)


def _entry(a: Access, swap: Mapping[Expr, Expr], tensors: Mapping[str, Tensor]) -> Expr:
    return Access(tensors[a.tensor.name], *(_renamed(part, swap, tensors) for part in a.index))


def _uses(one: Launch) -> dict[str, tuple[str, str]]:
    """Return the buffer and the real name of each tensor of a launch."""
    k = one.kernel
    return {t.name: (b, real) for t, b, real in zip(k.tensors, k.buffers, one.names, strict=True)}


def _accesses(phase: Sweep | Team, name: str) -> list[Access]:
    return [a for e in expressions(phase) for a in e.atoms(Access) if a.tensor.name == name]


def _told(x: Access, mine: Sequence[Range], y: Access, theirs: Sequence[Range]) -> bool:
    """Whether two places are one only where the indices of the first sweep are the same in both."""
    pairs = list(zip(x.index, y.index, strict=False))
    return len(x.index) == len(y.index) and all((one.index, other.index) in pairs for one, other in zip(mine, theirs, strict=False))


def _locals(phase: Sweep | Team) -> Iterator[Local]:
    return (local for e in expressions(phase) for local in e.atoms(Local))


__all__ = ["Arranging"]
