"""From index form to equations of one moment, for systems in which something recurs.

Which axes are time is read from the equations: the running axis of a recurrence, and every axis that shares its index. Which
rows of a stacked tensor make a block, and what it is called, too: z[t, k + 5] that only f[t, k] reads is the block f of z.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import sympy
from sympy import Expr

from symbackprop.algebra.bound import canonical
from symbackprop.algebra.equation import Equation, _raw
from symbackprop.algebra.index import Index
from symbackprop.algebra.matrix import MatrixEquation
from symbackprop.algebra.nodes import Indicator, InRange, Sigmoid, Sum
from symbackprop.algebra.operators import OperatorEquation
from symbackprop.algebra.padding import without_padding
from symbackprop.algebra.recurrence import Recurrence, strands
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.algebra.times import Moment, Slice, TimeForm
from symbackprop.derive.matrix import matrix_form
from symbackprop.derive.normalize import Trace, normalize
from symbackprop.derive.operators import whole_form
from symbackprop.derive.records import Derivation
from symbackprop.derive.stored import Rule, stored_rules

Whole = MatrixEquation | OperatorEquation | TimeForm
#: A stacked axis: its number, the extent of a block, and the labels of the blocks in order.
Stack = tuple[int, int, tuple[str, ...]]


class _NoMomentError(Exception):
    """There is no equation of one moment; the reason is of no interest to anyone."""


@dataclass(frozen=True)
class WholeForms:
    """Gives equations their form with whole arrays: moment by moment where something recurs, else as matrices or operators.

    Attributes:
        axes: the axis of each tensor that is time.
        stacks: stacked tensors.
        rules: what the forward pass holds.
    """

    axes: Mapping[Tensor, int]
    stacks: Mapping[Tensor, Stack]
    rules: tuple[Rule, ...]

    def __call__(self, equation: Equation) -> Whole | None:
        """Return the form of an equation with whole arrays, or None where it has none."""
        return self.moments(equation) or whole_form(equation)

    def moments(self, equation: Equation) -> TimeForm | None:
        """Return an equation moment by moment, or None where it has nothing to do with time."""
        if not any(t in self.axes for t in (equation.tensor, *equation.reads)):
            return None
        try:
            made = tuple(self.cases(equation))
        except _NoMomentError:
            return None
        return TimeForm(equation, self.axes.get(equation.tensor), made)

    def cases(self, equation: Equation) -> Iterator[Moment]:
        axis = self.axes.get(equation.tensor)
        for lhs, rhs, block in self.blocks(equation):
            if axis is None:
                yield self.total(lhs, rhs, block)
                continue
            t = equation.lhs.index[axis]
            ends = sorted({n for g in rhs.atoms(Indicator) if (n := _moment_of(g, t)) is not None})
            for n in ends:
                yield self.moment(lhs, rhs.xreplace({t: sympy.Integer(n)}), t, block, only=n)
            rest = rhs.xreplace({g: sympy.S.Zero for g in rhs.atoms(Indicator) if _moment_of(g, t) is not None})
            extent = t.extent
            if not (extent.is_Integer and len(ends) == int(extent)):
                yield self.moment(lhs, rest, t, block, but=tuple(ends))

    # --- blocks ---

    def blocks(self, equation: Equation) -> Iterator[tuple[Access, Expr, tuple[int, int, int, str] | None]]:
        """Yield what an equation says of each block of its rows, if it says something else of each."""
        stack = self.stacks.get(equation.tensor)
        row = None if stack is None else equation.lhs.index[stack[0]]
        if stack is None or not any(row in g.free_symbols for g in equation.rhs.atoms(InRange)):
            yield equation.lhs, equation.rhs, None
            return
        axis, count, labels = stack
        place = Index(next(n for n in "kij" if n not in {i.name for i in equation.lhs.index}), sympy.Integer(count))
        for number, label in enumerate(labels):
            here = number * count + place
            rhs = normalize(canonical(equation.rhs.xreplace({row: here})), Trace(equation.lhs), self.rules)
            yield equation.lhs.xreplace({row: here}), rhs, (axis, number * count, count, label)

    # --- moments ---

    def total(self, lhs: Access, rhs: Expr, block: tuple[int, int, int, str] | None) -> Moment:
        """Return what is no more bound to a moment: a value at a given one, or a sum over all."""
        terms = sympy.Add.make_args(rhs)
        running = [b for term in terms for b in self.running(term)]
        if not running:
            return self.moment(lhs, rhs, None, block)
        t = running[0]
        if len(running) < len(terms) or not all(isinstance(term, Sum) or isinstance(term, sympy.Mul) for term in terms):
            raise _NoMomentError
        bodies = []
        for term, index in zip(terms, running, strict=True):
            number, total = term.as_coeff_Mul()
            if not isinstance(total, Sum) or index.extent != t.extent:
                raise _NoMomentError
            bodies.append(number * Sum(total.body, *(b for b in total.bound if b != index)).xreplace({index: t}))
        return self.moment(lhs, sympy.Add(*bodies), t, block, total=t.extent)

    def running(self, term: Expr) -> list[Index]:
        """Return the index of time that a term is a sum over."""
        total = term.as_coeff_Mul()[1]
        if not isinstance(total, Sum):
            return []
        moments = [a.index[self.axes[a.tensor]] for a in total.body.atoms(Access) if a.tensor in self.axes]
        return [b for b in total.bound if any(b in m.free_symbols for m in moments)][:1]

    def moment(
        self,
        lhs: Access,
        rhs: Expr,
        t: Expr | None,
        block: tuple[int, int, int, str] | None,
        *,
        total: Expr | None = None,
        only: int | None = None,
        but: tuple[int, ...] = (),
    ) -> Moment:
        slices: dict[str, Slice] = {}
        bare = without_padding(rhs).expr
        swap = {a: self.slice(a, t, slices) for a in sorted(bare.atoms(Access), key=str)}
        # Entries that stand in the places of others, as labels do, are replaced first.
        inner = {a: s for a, s in swap.items() if not any(b is not a and b.has(a) for b in swap)}
        value = bare.xreplace({a: s for a, s in swap.items() if a not in inner}).xreplace(inner)
        if t is not None and t in value.free_symbols:
            raise _NoMomentError
        value = value.replace(_is_logistic, lambda e: Sigmoid(-_exponent(e)))
        left: dict[str, Slice] = {}
        at = lhs if only is None or t is None else lhs.xreplace({t: sympy.Integer(only)})
        made = _raw(self.slice(at, t, left, block), value)
        (own,) = left.values() if left else (Slice(lhs.tensor, None),)
        slices |= left
        return Moment(matrix_form(made) or made, slices, own, total, only, but)

    def slice(self, access: Access, t: Expr | None, slices: dict[str, Slice], block: tuple[int, int, int, str] | None = None) -> Access:
        """Return an entry of a tensor at a moment, and of a block of it."""
        tensor, axis = access.tensor, self.axes.get(access.tensor)
        shift, at = 0, None
        index, axes = list(access.index), list(tensor.axes)
        block = block or self.block(access)
        if block is not None:
            axes[block[0]] = Index(axes[block[0]].name, sympy.Integer(block[2]))
            index[block[0]] = index[block[0]] - block[1]
        if axis is not None:
            place = access.index[axis]
            if place.is_Integer:
                at = int(place)
            elif t is not None and (place - t).is_Integer:
                shift = int(place - t)
            else:
                raise _NoMomentError
            del index[axis], axes[axis]
        if axis is None and block is None:
            slices[tensor.name] = Slice(tensor, None)
            return access
        mark = f"@{at}" if at is not None else f"{shift:+d}" if axis is not None else ""
        name = f"{tensor.name}\0{mark}{'' if block is None else '|' + block[3]}"
        slices[name] = Slice(tensor, axis, shift, at, block)
        return Access(Tensor(name, tuple(axes), tensor.role, integer=tensor.integer, positive=tensor.positive), *index)

    def block(self, access: Access) -> tuple[int, int, int, str] | None:
        """Return the block of a stacked tensor that an entry is in, if its place says so."""
        stack = self.stacks.get(access.tensor)
        if stack is None:
            return None
        axis, count, labels = stack
        part = access.index[axis]
        start, rest = part.as_coeff_Add()
        if not isinstance(rest, Index) or rest.extent != count or not start.is_Integer:
            return None
        return axis, int(start), count, labels[int(start) // count]


def whole_forms(*derivations: Derivation) -> WholeForms:
    """Return what gives the equations of derivations their form with whole arrays."""
    axes: dict[Tensor, int] = {}
    stacks: dict[Tensor, Stack] = {}
    rules: tuple[Rule, ...] = ()
    for d in derivations:
        forward = d.forward_system.equations
        seeds = {
            e.tensor: place
            for strand in strands(forward)
            if isinstance(strand, Recurrence)
            for e, place in zip(strand.equations, strand.places, strict=True)
        }
        if not seeds:
            continue
        axes |= _time_axes(seeds, d.system.equations)
        found = _stacks(forward)
        stacks |= found
        named = {t.name: s for t, s in found.items()}
        cotangents = {c: of for of, c in d.cotangents.items()}
        for e in d.system.equations:
            if e.tensor.name in cotangents and cotangents[e.tensor.name] in named:
                stacks[e.tensor] = named[cotangents[e.tensor.name]]
        rules += stored_rules(forward)
    return WholeForms(axes, stacks, rules)


def _time_axes(seeds: Mapping[Tensor, int], equations: Sequence[Equation]) -> dict[Tensor, int]:
    """Return the axes that share an index with the running axis of a recurrence."""
    axes = dict(seeds)
    reads = [(e, [e.lhs, *sorted(e.rhs.atoms(Access), key=str)]) for e in ((_apart(e)) for e in equations)]
    while True:
        before = len(axes)
        for _, accesses in reads:
            moments = [a.index[axes[a.tensor]] for a in accesses if a.tensor in axes]
            times = {s for m in moments for s in m.free_symbols if isinstance(s, Index) and (m - s).is_Integer}
            for a in accesses:
                for k, part in enumerate(a.index):
                    if a.tensor not in axes and any((part - t).is_Integer for t in times):
                        axes[a.tensor] = k
        if len(axes) == before:
            return axes


def _apart(equation: Equation) -> Equation:
    """Return an equation whose bound indices have names of their own."""
    return _raw(equation.lhs, canonical(equation.rhs))


def _stacks(equations: Sequence[Equation]) -> dict[Tensor, Stack]:
    """Return the tensors that are only read block by block, each block by one equation."""
    found: dict[Tensor, dict[int, dict[int, tuple[int, str]]]] = {}
    whole: set[Tensor] = set()
    for e in equations:
        for a in sorted(e.rhs.atoms(Access), key=str):
            cut = [
                (k, int(start), int(rest.extent))
                for k, (axis, part) in enumerate(zip(a.tensor.axes, a.index, strict=True))
                for start, rest in (part.as_coeff_Add(),)
                if isinstance(rest, Index) and start.is_Integer and rest.extent.is_Integer and axis.extent.is_Integer
                if int(rest.extent) < int(axis.extent) and int(axis.extent) % int(rest.extent) == 0 and int(start) % int(rest.extent) == 0
            ]
            if len(cut) != 1:
                whole.add(a.tensor)
                continue
            k, start, count = cut[0]
            found.setdefault(a.tensor, {}).setdefault(k, {})[start] = (count, e.tensor.name.rpartition(".")[2])
    made: dict[Tensor, Stack] = {}
    for tensor, by_axis in found.items():
        if tensor in whole or len(by_axis) != 1:
            continue
        ((k, parts),) = by_axis.items()
        counts = {count for count, _ in parts.values()}
        labels = tuple(label for _, (_, label) in sorted(parts.items()))
        if len(counts) == 1 and len(set(labels)) == len(labels) and len(labels) * min(counts) == int(tensor.axes[k].extent):
            made[tensor] = (k, counts.pop(), labels)
    return made


def _is_logistic(e: Expr) -> bool:
    """Whether an expression is 1/(1 + exp(−u))."""
    return isinstance(e, sympy.Pow) and e.exp == -1 and isinstance(e.base, sympy.Add) and _exponent(e) is not None


def _exponent(e: Expr) -> Expr:
    """Return u of (1 + exp(u))^…, or None."""
    found = [t for t in e.base.args if isinstance(t, sympy.exp)]
    return found[0].args[0] if len(found) == 1 and e.base - found[0] == 1 else None


def _moment_of(guard: Expr, t: Expr) -> int | None:
    """Return n of the indicator [t = n]."""
    if isinstance(guard, Indicator) and isinstance(guard.condition, sympy.Eq):
        left, right = guard.condition.args
        for one, other in ((left, right), (right, left)):
            if one == t and other.is_Integer:
                return int(other)
    return None


__all__ = ["Whole", "WholeForms", "whole_forms"]
