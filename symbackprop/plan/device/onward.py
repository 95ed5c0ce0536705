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
from symbackprop.plan.records import Add, Choose, Let, Local, Loop, Raise, Statement, Store, Update, When
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
        sharing: for each tensor the names of others that share memory with it.
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
        self.sharing = {
            name: frozenset(w for w, other in where.items() if w != name and area.meets(other, batch)) for name, area in where.items()
        }
        written = {*one.written, *(self.renamed[name].name for name in other.written)}
        self.shared = any(self.sharing[w] for w in written)


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


def left(before: Sequence[Item], behind: Sequence[Item], sharing: Mapping[str, frozenset[str]] | None = None) -> tuple[Item, ...]:
    """Return statements, or steps, without those whose locals have the same values from some before them.

    Args:
        before: what was done.
        behind: what is to be done.
        sharing: for each tensor the names of others that share memory with it.
    """
    same: dict[Local, list[int]] = {}
    for v in _given(behind):
        mine, theirs = _life(v, behind), _life(v, before)
        once = mine and len(mine) == sum(v in _given((s,)) for s in behind)
        if not (once and theirs) or [_shape(behind[k]) for k in mine] != [_shape(before[k]) for k in theirs]:
            continue
        # What was written since, or is written until then, is another value.
        written = _written((*before[theirs[-1] + 1 :], *behind[: mine[-1]]))
        read = {a.tensor.name for k in mine for e in expressions(behind[k]) for a in e.atoms(Access)}
        if not written & read.union(*((sharing or {}).get(name, frozenset()) for name in read)):
            same[v] = mine
    while True:
        # What is read on the way must be the same, too, and what the same statements give.
        needs = {v: {x for k in found for x in (*_given((behind[k],)), *_read(behind[k]))} for v, found in same.items()}
        kept = {v: found for v, found in same.items() if needs[v] <= same.keys()}
        if len(kept) == len(same):
            break
        same = kept
    return tuple(s for s in behind if _writes(s) or not _given((s,)).keys() <= same.keys())


def _read(item: Item) -> set[Local]:
    """Return the locals that stand in a statement."""
    return {local for e in expressions(item) for local in e.atoms(Local)}


def _life(local: Local, items: Sequence[Item]) -> list[int]:
    """Return the numbers of what gives a local its last value, from where it begins; none where threads may have others in the end.

    Nor where something reads it before it has that value.
    """
    giving = [k for k, s in enumerate(items) if local in _given((s,))]
    starts = [k for k in giving if any(isinstance(part, Let) and part.local == local for part in parts(items[k]))]
    mine = [k for k in giving if starts and k >= starts[-1]]
    if not mine or any(_writes(items[k]) for k in mine):
        return []
    between = (items[k] for k in range(mine[0], mine[-1]) if k not in mine)
    return [] if any(local in _read(s) for s in between) else mine


def _given(items: Sequence[Item]) -> dict[Local, None]:
    """Return the locals that get a value, in order."""
    found: dict[Local, None] = {}
    for part in parts(tuple(items)):
        if isinstance(part, Let | Update | Fold):
            found[part.local] = None
        elif isinstance(part, Choose):
            found |= {part.best: None, part.at: None}
    return found


def _written(items: Sequence[Item]) -> set[str]:
    """Return the names of tensors that are written."""
    return {part.access.tensor.name for part in parts(tuple(items)) if isinstance(part, Store | Add | Raise)}


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
