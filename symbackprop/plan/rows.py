"""Sample by sample: calls that make entries from entries, and sums of a sample, in one loop over the samples.

One call after the other, each writes what it makes of all samples to memory, and the next one reads it from there. In one loop
what is made of a sample is still in the nearest cache when it is read; what nobody else reads has a place for one sample only, or
none; functions and sums of the same entries are computed once, whichever pass wants them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sympy import Expr, Integer, Symbol

from symbackprop.algebra.bound import bound_indices, canonical
from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import LogSumExp, Max, Sum
from symbackprop.algebra.recurrence import Recurrence, strands
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.plan import fuse
from symbackprop.plan.contractions import Scratch
from symbackprop.plan.lines import row_by_row
from symbackprop.plan.naming import readable, with_right_side
from symbackprop.plan.records import (
    Call,
    Kernel,
    Largest,
    Loop,
    Machine,
    Multiply,
    Nest,
    Share,
    Slide,
    Stage,
    Statement,
    Total,
    TotalOfRows,
    When,
    Zero,
)
from symbackprop.plan.reductions import across
from symbackprop.plan.rewriting import rewritten, tensors
from symbackprop.plan.share import Shapes, cut


def joined(
    stages: Sequence[Stage],
    wanted: frozenset[str],
    shapes: Shapes,
    size: Symbol,
    batch: int,
    machine: Machine,
    known: dict[str, Kernel],
) -> tuple[tuple[Stage, ...], Shapes]:
    """Return the stages of an entry with calls of samples joined where that is worth it, and the shapes of their workspace.

    Args:
        stages: of the entry.
        wanted: names of what is read after the entry, and of arrays of the caller.
        shapes: of every tensor.
        size: the batch size.
        batch: the number that is planned for.
        machine: that it is planned for.
        known: kernels that were made for other entries, by name; those that are made here join them.
    """
    made: list[Stage] = []
    more: dict[str, tuple[int | str, ...]] = {}
    for stage in stages:
        if stage.kind != "samples":
            made.append(stage)
            continue
        elsewhere = {name for other in stages if other is not stage for share in other.shares for name in share.call.names}
        maker = _Joining(wanted | elsewhere, {**shapes, **more}, size, batch, machine, known)
        given = {id(share.call): share for share in stage.shares}
        calls = maker.joined([share.call for share in stage.shares])
        made.append(replace(stage, shares=tuple(given.get(id(call)) or Share(call, "N", _cut(call, size)) for call in calls)))
        more |= maker.made
    return tuple(made), {**shapes, **more}


def beside(
    calls: Sequence[Call], shapes: Shapes, size: Symbol, batch: int, machine: Machine
) -> tuple[list[Call], Mapping[str, tuple[int | str, ...]]]:
    """Return calls with the samples last, joined where they want the same sums or largest values, and the shapes of their workspace.

    Args:
        calls: in order.
        shapes: of every tensor.
        size: the batch size.
        batch: the number that is planned for.
        machine: that it is planned for.
    """
    names = frozenset(name for call in calls for name in call.names)
    maker = _Beside(names, shapes, size, batch, machine, {call.kernel.name: call.kernel for call in calls})
    return maker.joined(calls), maker.made


def _cut(call: Call, size: Symbol) -> tuple[int | None, ...]:
    along = cut(call.kernel, size)
    assert along is not None
    return along


class _Joining:
    """Joins the calls of one stage.

    Attributes:
        numbers: whether kernels are told their sizes.
    """

    numbers = True

    def __init__(
        self, wanted: frozenset[str], shapes: Shapes, size: Symbol, batch: int, machine: Machine, known: dict[str, Kernel]
    ) -> None:
        self.wanted, self.shapes, self.size, self.batch, self.machine, self.known = wanted, shapes, size, batch, machine, known
        self.made: dict[str, tuple[int | str, ...]] = {}

    def joined(self, calls: Sequence[Call]) -> list[Call]:
        """Return calls, each joined with the last one before it that it may join."""
        groups: list[list[Call]] = []
        home: dict[str, int] = {}
        for call in calls:
            first = max((home[name] for name in call.names if name in home), default=-1)
            where = len(groups)
            if self.simple(call.kernel):
                fits = (k for k in range(len(groups) - 1, max(first, 0) - 1, -1) if self.fits(groups[k], call))
                where = next(fits, where)
            if where == len(groups):
                groups.append([])
            groups[where].append(call)
            home.update((name, where) for name in call.written)
        used = [{name for call in group for name in call.names} for group in groups]
        found: list[Call] = []
        for k, group in enumerate(groups):
            around = set().union(*used[:k], *used[k + 1 :])
            both = self.together(group, around) if len(group) > 1 else None
            found += group if both is None else [both]
        return found

    def simple(self, kernel: Kernel) -> bool:
        """Whether a kernel makes entries from entries, sample by sample, and nothing else."""
        first = all(e.lhs.index[0].extent == self.size for e in kernel.body.equations)
        return first and _entries(kernel) and cut(kernel, self.size) is not None

    def fits(self, group: Sequence[Call], call: Call) -> bool:
        """Whether a call may and should join others.

        It may if all are simple. It should if what they read and write leaves the cache, or if it makes a result of what they make:
        an input gradient wants the functions that the forward pass has of the same numbers.
        """
        if not all(self.simple(c.kernel) for c in group):
            return False
        shared = {name for c in group for name in c.names} & set(call.names)
        long = all(self.row(c) >= 2 * self.machine.lanes for c in (*group, call))
        result = set(call.written) <= self.wanted and any(set(c.written) & set(call.names) for c in group)
        return bool(shared) and long and (result or sum(c.entries for c in (*group, call)) >= self.machine.scratch)

    def body(self, groups: Sequence[Sequence[Equation]], stored: frozenset[str], scratch: Scratch) -> tuple[Statement, ...] | None:
        """Return the statements of a kernel that computes some groups of equations."""
        return row_by_row(groups, stored, scratch.place, 2 * self.machine.lanes)

    def right(self, kernel: Kernel) -> bool:
        """Whether a kernel may stand for those that it is made of."""
        return cut(kernel, self.size) is not None

    def words(self, calls: Sequence[Call]) -> tuple[str, str]:
        """Return what is appended to the name of a kernel, and why it is done so."""
        return "_by_rows", f"sample by sample, in one loop with {', '.join(dict.fromkeys(c.kernel.name for c in calls[:-1]))}"

    def row(self, call: Call) -> int:
        """Return the entries of the largest array of a call, for one sample."""
        return max(math.prod(extent for extent in self.shapes[name] if isinstance(extent, int)) for name in call.names)

    def together(self, calls: Sequence[Call], around: set[str]) -> Call | None:
        """Return one call for several; None where it cannot be written.

        Args:
            calls: in order.
            around: names that other calls of the stage use.
        """
        system = self.system(calls)
        if system is None:
            return None
        real = {t.name: name for name, t in system.tensors.items()}
        kept = [e.tensor.name for e in system.equations if real[e.tensor.name] in self.wanted or real[e.tensor.name] in around]
        equations = fuse.live(system.equations, frozenset(kept))
        groups = fuse.groups(equations)
        defined = {e.tensor.name for e in equations}
        inside = frozenset().union(*(fuse.outside(group, groups) for group in groups))
        # What only this loop reads has a place for one sample.
        private = [e.tensor for e in equations if e.tensor.name in inside and e.tensor.name not in kept]
        rows = {t: Tensor(t.name, t.axes[1:], "stored", positive=t.positive) for t in private if t.rank > 1}
        scratch = Scratch(list(real))
        stored = frozenset((*kept, *inside))
        body = self.body(groups, stored, scratch)
        if body is None:
            return None
        body = _of_one(body, rows)
        used = set(tensors(body))
        besides = (*(t for t in scratch.tensors if t in used), *(rows.get(t, t) for t in private))
        read = dict.fromkeys(t for e in equations for t in e.reads if t.name not in defined)
        written = tuple(e.tensor for e in equations if e.tensor.name in kept)
        arguments = (*read, *written, *besides)
        place = f"rows_{len(self.shapes) + len(self.made)}"
        names = [f"{t.name}@{place}" if t in besides else real[t.name] for t in arguments]
        known = {extent for t in arguments for extent in t.shape}
        integers = tuple(sorted((s for s in system.integers if s not in known), key=lambda s: s.name))
        last, (mark, reason) = calls[-1], self.words(calls)
        given = [(t, real[t.name]) for t in (*read, *written)]
        values = {e: v for t, name in given for e, v in zip(t.shape, self.shapes[name], strict=True)}
        values |= {e: int(e) for t in besides for e in t.shape if e.is_Integer} | {self.size: "N"}
        if any(extent not in values for t in besides for extent in t.shape):
            return None
        kernel = Kernel(
            name="",
            arguments=arguments,
            written=tuple(t.name for t in written),
            scratch=tuple(t.name for t in besides),
            integers=integers,
            body=Nest(equations, body),
            reason=reason,
        )
        if not self.right(kernel):
            return None
        kernel = self.named(kernel, f"{last.kernel.name}{mark}")
        for t, name in zip(arguments, names, strict=True):
            if t in besides:
                self.made[name] = tuple(values[extent] for extent in t.shape)
        shapes = {**self.shapes, **self.made}
        entries = sum(math.prod(extent if isinstance(extent, int) else self.batch for extent in shapes[name]) for name in names)
        slots = {t.name: name for name, t in system.tensors.items()}
        passed = tuple(system.integers[s] for s in integers)
        return Call(kernel, tuple(names), passed, last.owner, slots, sum(c.flops for c in calls), entries)

    def named(self, kernel: Kernel, base: str) -> Kernel:
        """Return a kernel with a name that no other one has."""
        name, count = base, 1
        while self.known.setdefault(name, found := replace(kernel, name=name)) != found:
            count += 1
            name = f"{base}_{count}"
        return found

    def system(self, calls: Sequence[Call]) -> _System | None:
        """Return the equations of some calls in names and numbers that they share; None where a size has no number."""
        tensors: dict[str, Tensor] = {}
        integers: dict[Symbol, int | str] = {}
        equations: list[Equation] = []
        letters: dict[tuple[Expr, int], Index] = {}
        taken: set[str] = set()
        known: set[Expr] = set()
        for number, call in enumerate(calls):
            kernel = call.kernel
            sizes: dict[Any, Any] = {s: Integer(v) for s, v in zip(kernel.integers, call.integers, strict=True) if isinstance(v, int)}
            for s, value in zip(kernel.integers, call.integers, strict=True):
                if not isinstance(value, int):
                    integers[s] = value
            scratch = set(kernel.scratch)
            pairs = [(t, name) for t, name in zip(kernel.arguments, call.names, strict=True) if t.name not in scratch]
            axes: dict[Any, Any] = {}
            for t, name in pairs:
                given = zip(t.shape, self.shapes[name], tensors[name].shape if name in tensors else t.shape, strict=True)
                for e, told, before in given:
                    own = (Integer(told) if isinstance(told, int) else e) if self.numbers else before
                    (sizes if e.is_Symbol else axes).update({e: own} if e != own else {})
            # Other sizes of the same name are other sizes.
            left = {s for t, _ in pairs for e in t.shape for s in e.free_symbols} - sizes.keys() - {self.size, *integers}
            if not self.numbers and left & known:
                return None
            known |= left
            swap = dict(sizes)
            axes |= sizes
            inner = {e.tensor: e.tensor for e in kernel.body.equations}
            for t in (*(t for t, _ in pairs), *inner):
                swap.update((i, Index(i.name, i.extent.xreplace(axes))) for i in t.axes)
            for e in kernel.body.equations:
                indices = {*e.lhs.index, *bound_indices(e.rhs), *(s for s in e.rhs.free_symbols if isinstance(s, Index))}
                swap.update((i, Index(i.name, i.extent.xreplace(axes))) for i in indices)
            real = {t.name: name for t, name in pairs}
            for t in (*(t for t, _ in pairs), *inner):
                # What a kernel keeps to itself has no name outside.
                name = real.get(t.name, f"{t.name}@{number}")
                if name not in tensors:
                    own_axes = tuple(swap[i] for i in t.axes)
                    tensors[name] = Tensor(_free(t.name, taken), own_axes, "stored", integer=t.integer, positive=t.positive)
                swap[t] = tensors[name]
            for e in kernel.body.equations:
                e = e.xreplace(swap)
                e = with_right_side(e, canonical(e.rhs))
                equations.append(readable(e.xreplace(_lettered(e, letters))))
        loose = {s for e in equations for i in (*e.lhs.index, *bound_indices(e.rhs)) for s in i.extent.free_symbols}
        loose |= {s for t in tensors.values() for extent in t.shape for s in extent.free_symbols}
        if self.numbers and loose - {self.size, *integers}:
            return None
        return _System(tuple(equations), tensors, integers)


class _Beside(_Joining):
    """Joins calls with the samples last that reduce the same."""

    numbers = False

    def simple(self, kernel: Kernel) -> bool:
        return _entries(kernel) and all(e.lhs.index[-1].extent == self.size for e in kernel.body.equations)

    def fits(self, group: Sequence[Call], call: Call) -> bool:
        alike = _reduced(call)
        return all(self.simple(c.kernel) for c in group) and any(alike & _reduced(c) for c in group)

    def right(self, kernel: Kernel) -> bool:
        return True

    def body(self, groups: Sequence[Sequence[Equation]], stored: frozenset[str], scratch: Scratch) -> tuple[Statement, ...] | None:
        known: dict[Expr, Expr] = {}
        parts = (across(group, stored, scratch.place, self.size, self.machine.lanes, known) for group in groups)
        return tuple(s for part in parts for s in part)

    def words(self, calls: Sequence[Call]) -> tuple[str, str]:
        return f"_and_{calls[0].written[-1].split('.')[-1]}", f"with {', '.join(c.kernel.name for c in calls[:-1])}, which reduces the same"


def _reduced(call: Call) -> set[tuple[type, frozenset[str]]]:
    """Return what a call reduces: the kind of a reduction, and the names of what it reads."""
    real = {t.name: name for t, name in zip(call.kernel.arguments, call.names, strict=True)}
    found = {node for e in call.kernel.body.equations for node in e.rhs.atoms(Max, LogSumExp, Sum)}
    return {(type(node), frozenset(real.get(a.tensor.name, "") for a in node.atoms(Access))) for node in found}


@dataclass(frozen=True)
class _System:
    """Equations, their tensors by real names, and symbols that are passed as numbers."""

    equations: tuple[Equation, ...]
    tensors: Mapping[str, Tensor]
    integers: Mapping[Symbol, int | str]


def _entries(kernel: Kernel) -> bool:
    """Whether a kernel makes real entries from entries, with no products and one after the other nowhere."""
    equations = kernel.body.equations
    if any(not e.lhs.index or e.tensor.integer for e in equations) or any(map(_heavy, kernel.body.statements)):
        return False
    return not any(isinstance(strand, Recurrence) for strand in strands(equations))


def _heavy(s: Statement) -> bool:
    """Whether a statement is a product or a sum over windows, or has one inside."""
    return isinstance(s, Multiply | Slide | TotalOfRows | Zero) or (isinstance(s, Loop | When) and any(map(_heavy, s.body)))


def _lettered(e: Equation, letters: dict[tuple[Expr, int], Index]) -> dict[Index, Index]:
    """Return names for the indices of a left side that are the same in all equations with axes of those extents."""
    swap: dict[Index, Index] = {}
    seen: dict[Expr, int] = {}
    for i in e.lhs.index:
        assert isinstance(i, Index)
        count = seen[i.extent] = seen.get(i.extent, 0) + 1
        names = {j.name for j in letters.values()}
        if (i.extent, count) not in letters:
            letters[i.extent, count] = Index(_free(i.name, names), i.extent)
        swap[i] = letters[i.extent, count]
    return swap


def _free(name: str, taken: set[str]) -> str:
    base, count = name, 1
    while name in taken:
        count += 1
        name = f"{base}_{count}"
    taken.add(name)
    return name


def _of_one(statements: Sequence[Statement], rows: Mapping[Tensor, Tensor]) -> tuple[Statement, ...]:
    """Return statements that have a place for one sample of some tensors."""

    def inside(s: Statement) -> Statement:
        if isinstance(s, Total | Largest) and s.tensor in rows:
            return replace(s, tensor=rows[s.tensor], places=s.places[1:])
        return replace(s, body=tuple(map(inside, s.body))) if isinstance(s, Loop | When) else s

    def read(e: Expr) -> Expr:
        return e.xreplace({a: rows[a.tensor][a.index[1:]] for a in e.atoms(Access) if a.tensor in rows})

    return tuple(rewritten(inside(s), read) for s in statements)


__all__ = ["joined"]
