"""One kernel for two that are done one after the other: in names that they share, and without what both compute.

The second goes on where the first one ends, in the same threads or in the same blocks; that it may is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from sympy import Expr

from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import Indicator
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.plan.device.order import Places, region
from symbackprop.plan.device.records import Alone, Barrier, Each, Every, Fold, Launch, Provided, Range, Repeat, Step, Sweep, Team
from symbackprop.plan.records import Choose, Let, Local, Loop, Statement, Update, When
from symbackprop.plan.rewriting import called, expressions, parts, rewritten

Item = TypeVar("Item", bound=Statement | Step)


class Both:
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
        self.second = rewritten(b, lambda e: renamed(e, swap, self.renamed))
        where = {t.name: region(b, places.get(real)) for t, b, real in zip(self.tensors, self.buffers, self.names, strict=True)}
        self.changed = {name for name, area in where.items() if any(area.meets(where[w], batch) for w in one.written)}
        written = {*one.written, *(self.renamed[name].name for name in other.written)}
        self.shared = any(name != w and area.meets(where[w], batch) for name, area in where.items() for w in written)


def steps_of(phase: Sweep | Team, outer: int) -> tuple[Step, ...]:
    """Return what a block does for a row of a phase, without barriers."""
    if isinstance(phase, Team):
        return _bare(phase.steps)
    inner = phase.axes[outer:]
    return (Each(inner, phase.body) if inner else Alone(phase.body),)


def _bare(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Return steps without barriers, what all threads do one statement at a time."""
    made: list[Step] = []
    for step in steps:
        if isinstance(step, Every):
            made += (Every((s,)) for s in step.body)
        elif not isinstance(step, Barrier):
            made.append(replace(step, steps=_bare(step.steps)) if isinstance(step, Repeat | Provided) else step)
    return tuple(made)


def _free(name: str, taken: set[str]) -> str:
    """Return a name that is not taken."""
    while name in taken:
        name += "_"
    return name


def looped(axes: Sequence[Range], body: tuple[Statement, ...]) -> tuple[Statement, ...]:
    """Return statements in loops over some axes."""
    for r in reversed(axes):
        body = (Loop(r.index, r.start, r.stop, body),)
    return body


def left(before: Sequence[Item], behind: Sequence[Item], changed: set[str]) -> tuple[Item, ...]:
    """Return statements, or steps, without those whose locals have the same values from some before them.

    Args:
        before: what was done.
        behind: what is to be done.
        changed: tensors that were written, or share memory with one that was.
    """
    given, own = _giving(before), _giving(behind)
    same = {v for v, found in own.items() if _once(v, found, behind) and _once(v, given.get(v, []), before)}
    same = {v for v in same if [_shape(s) for s in own[v]] == [_shape(s) for s in given[v]]}
    same = {v for v in same if not {a.tensor.name for e in expressions(tuple(own[v])) for a in e.atoms(Access)} & changed}
    while True:
        # What is read on the way must be the same, too.
        kept = {v for v in same if all(x in same for e in expressions(tuple(own[v])) for x in e.atoms(Local))}
        if kept == same:
            break
        same = kept
    return tuple(s for s in behind if _writes(s) or not set(_given((s,))) <= same)


def _given(items: Sequence[Item]) -> dict[Local, None]:
    """Return the locals that get a value, in order."""
    found: dict[Local, None] = {}
    for part in parts(tuple(items)):
        if isinstance(part, Let | Update | Fold):
            found[part.local] = None
        elif isinstance(part, Choose):
            found |= {part.best: None, part.at: None}
    return found


def _giving(items: Sequence[Item]) -> dict[Local, list[Item]]:
    """Return what gives each local a value."""
    found: dict[Local, list[Item]] = {}
    for s in items:
        for local in _given((s,)):
            found.setdefault(local, []).append(s)
    return found


def _once(local: Local, found: Sequence[Item], items: Sequence[Item]) -> bool:
    """Whether a local begins once among statements and is read by others only when it has its last value."""
    starts = sum(isinstance(part, Let) and part.local == local for part in parts(tuple(found)))
    if starts != 1 or any(map(_writes, found)):
        return False
    last = max(k for k, s in enumerate(items) if s in found)
    return not any(local in e.atoms(Local) for s in items[:last] if s not in found for e in expressions(s))


def _writes(item: Item) -> bool:
    """Whether anything but locals that all threads have alike may change."""
    if isinstance(item, Each | Alone | Barrier | Repeat | Provided):
        return True
    kept = (Expr, Let, Update, Choose, Loop, When, Every, Fold, Range)
    return any(not isinstance(part, kept) for part in parts(item))


def _shape(item: Item) -> Item:
    """Return a statement with names for the indices of its loops that tell nothing but their order."""
    loops = dict.fromkeys(part.index for part in parts(item) if isinstance(part, Loop | Range))
    swap: dict[Expr, Expr] = {i: Index(f"loop {k}", i.extent) for k, i in enumerate(loops)}
    return rewritten(item, lambda e: renamed(e, swap, {a.tensor.name: a.tensor for a in e.atoms(Access)}))


def renamed(e: Expr, swap: Mapping[Expr, Expr], tensors: Mapping[str, Tensor]) -> Expr:
    """Return an expression with other indices and tensors; comparisons stay as they stand."""
    names: dict[Expr, Expr] = dict(swap)
    for a in e.atoms(Access):
        names[a] = _entry(a, swap, tensors)
    return called(e, names) if e.has(Indicator) else e.xreplace(names)


def _entry(a: Access, swap: Mapping[Expr, Expr], tensors: Mapping[str, Tensor]) -> Expr:
    return Access(tensors[a.tensor.name], *(renamed(part, swap, tensors) for part in a.index))


__all__ = ["Both", "left", "looped", "steps_of"]
