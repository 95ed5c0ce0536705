"""Fewer launches: what stays with its entry goes on in the same thread, and launches that do not need each other are one.

A small network spends its time on starting kernels, a large one on writing what the next kernel reads. What needs only what the same
thread has just written goes on there, and so does what needs only what the same block has written, for a row. Of the launches that are
left, those that could start at the same time become one, in which each has blocks of its own; large ones stay alone, for they fill the
device by themselves.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import sympy
from sympy import Expr

from symbackprop.algebra.tensor import Access
from symbackprop.plan.device.barriers import placed
from symbackprop.plan.device.lower import MANY, SHORT
from symbackprop.plan.device.onward import Both, left, looped, steps_of
from symbackprop.plan.device.order import Memory, Places, Seen, region
from symbackprop.plan.device.product import PROCESSORS, SINGLE
from symbackprop.plan.device.records import WARP, DeviceKernel, External, Joint, Launch, Product, Range, Sweep, Team
from symbackprop.plan.device.shared import SHARED
from symbackprop.plan.records import Local, Loop, Statement, When
from symbackprop.plan.rewriting import expressions

#: Blocks of a launch, up to which others stand beside it: twice as many as the device has processors.
FEW = 2 * PROCESSORS
#: The same for products, by their tiles: blocks of large ones fill it with fewer.
_HALF = {s.tile: min(FEW, s.resident * PROCESSORS // 2) for s in SINGLE}
#: Threads of a block where nothing asks for another number.
BLOCK = 128
#: Passes of loops that a thread does for itself, at most, where a launch would share them among threads.
ALONE = 128
#: The threads of a team are not fewer than one in so many of those that it was planned with.
FEWER = 4


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
        memory, seen = Memory(launches, places, self.batch), Seen()
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
        memory, seen = Memory(launches, places, self.batch), Seen()
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
                if not region(here, places.get(real)).meets(region(there, places.get(other)), self.batch):
                    continue
                # Tensors that share memory otherwise than entry by entry have entries of other places there.
                if real != other and places.get(real) != places.get(other):
                    return False
                if not all(_told(x, a.axes, y, b.axes) for x in _accesses(a, mine) for y in _accesses(b, theirs)):
                    return False
        return True

    def in_threads(self, first: Launch, second: Launch, a: Sweep, places: Places) -> Launch:
        """Return one launch for two sweeps: each thread does what it did in both."""
        both = Both(first, second, places, self.batch)
        b = both.second
        assert isinstance(b, Sweep)
        axes = a.axes[: len(b.axes)]
        before, behind = looped(a.axes[len(axes) :], a.body), looped(b.axes[len(axes) :], b.body)
        return self.launch(both, Sweep(axes, (*before, *left(before, behind, both.sharing))), first.kernel.reason)

    def in_blocks(self, first: Launch, second: Launch, a: Sweep | Team, b: Sweep | Team, places: Places) -> Launch | None:
        """Return one launch for two, at least one of them by teams: each block does what belongs to its row in both.

        None where tensors of other names share memory, of which those who place barriers know nothing.
        """
        both = Both(first, second, places, self.batch)
        if both.shared:
            return None
        teams = [one for one in (a, both.second) if isinstance(one, Team)]
        axes, threads = a.axes[: len(teams[0].axes)], max(team.threads for team in teams)
        before, behind = steps_of(a, len(axes)), steps_of(both.second, len(axes))
        steps = (*before, *left(before, behind, both.sharing))
        return self.launch(both, Team(axes, threads, placed(steps)), f"a block of {threads} threads for each row")

    def launch(self, both: Both, phase: Sweep | Team, reason: str) -> Launch:
        """Return the launch of a kernel that does what two do; the same kernels are made once."""
        one, other = both.kernels
        key = (one.name, other.name, both.called, tuple(both.buffers), tuple(both.sharing.items()))
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
        """Whether a launch leaves half of the device idle."""
        phase = one.kernel.phase
        if isinstance(phase, External):
            return False
        return self.blocks(one) <= (_HALF.get(phase.tile, FEW) if isinstance(phase, Product) else FEW)

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


def _uses(one: Launch) -> dict[str, tuple[str, str]]:
    """Return the buffer and the real name of each tensor of a launch."""
    k = one.kernel
    return {t.name: (b, real) for t, b, real in zip(k.tensors, k.buffers, one.names, strict=True)}


def _accesses(phase: Sweep | Team, name: str) -> list[Access]:
    return [a for e in expressions(phase) for a in e.atoms(Access) if a.tensor.name == name]


def _told(x: Access, mine: Sequence[Range], y: Access, theirs: Sequence[Range]) -> bool:
    """Whether two places are one only where the axes that both phases begin with have the same values in both."""
    pairs = list(zip(x.index, y.index, strict=False))
    return len(x.index) == len(y.index) and all((one.index, other.index) in pairs for one, other in zip(mine, theirs, strict=False))


def _locals(phase: Sweep | Team) -> Iterator[Local]:
    return (local for e in expressions(phase) for local in e.atoms(Local))


__all__ = ["Arranging"]
