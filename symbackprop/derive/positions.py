"""Where a maximum was found: stored by the forward pass, compared by the backward pass.

The textbook derivative of a pool asks, for every input, whether it is the one that its window chose: [u = argmax][v = argmax].
Computed like that, every input would search its window again. What is computed instead stores one number for each window, the
place of its maximum in reading order, and compares with that: [u V + v = s]. Both have the same value; the textbook's form is
the one that is printed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sympy
from sympy import Expr

from symbackprop.algebra.bound import canonical, rename
from symbackprop.algebra.equation import Equation, Template, _raw
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import ArgMax, Guard, Indicator, InRange, Max, Reduction, row_major
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.derive.stable import stabilize


@dataclass(frozen=True)
class Position:
    """The stored place of a maximum.

    Attributes:
        source: name of the tensor whose equation has the maximum.
        tensor: the places, one for each window.
    """

    source: str
    tensor: Tensor


def position(equation: Equation) -> tuple[Max, Tensor] | None:
    """Return the maximum of an equation and the tensor of its places; None where it has none, or several."""
    found = equation.rhs.atoms(Max)
    if len(found) != 1:
        return None
    (node,) = found
    free = {s for s in node.free_symbols if isinstance(s, Index)}
    inside = sorted(free - set(equation.lhs.index), key=lambda i: i.name)
    axes = (*(i for i in equation.lhs.index if i in free), *inside)
    return node, Tensor(f"{equation.tensor.name}_argmax", axes, "stored")


def with_positions(template: Template, stable: Template, sources: frozenset[str]) -> Template:
    """Return a template as computed, with an equation for the places of the maxima of some of its tensors."""
    wanted = {e.tensor.name: found for e in template.equations if e.tensor.name in sources and (found := position(e)) is not None}
    equations: list[Equation] = []
    for e in stable.equations:
        if e.tensor.name in wanted:
            node, places = wanted[e.tensor.name]
            body = stabilize(node.body, {})
            equations.append(_raw(Access(places, *places.axes), canonical(ArgMax(body, row_major(node.bound, node.bound), *node.bound))))
        equations.append(e)
    key = stable.key + "|positions " + ",".join(sorted(wanted))
    return Template(key, tuple(equations), stable.facts, stable.kept)


def compared(expr: Expr, equations: Iterable[Equation]) -> tuple[Expr, tuple[Position, ...]]:
    """Compare with stored places wherever an expression asks which entry of a window is the largest.

    Args:
        expr: the right side of a cotangent, bound names canonical.
        equations: the forward equations that may have computed the maxima.

    Returns:
        The expression, and the places that it reads. A maximum that no equation is known to have computed stays as it is.
    """
    if not expr.has(ArgMax):
        return expr, ()
    offered = [(e, *found) for e in equations if (found := position(e)) is not None]
    used: dict[str, Position] = {}

    def walk(e: Expr) -> Expr:
        if not e.args or isinstance(e, Access | Index) or not e.has(ArgMax):
            return e
        if isinstance(e, sympy.Mul | Indicator):
            e = product(sympy.Mul.make_args(e))
        if isinstance(e, Guard | ArgMax) or not e.args:
            return e
        return e.func(*(walk(a) if isinstance(a, Expr) and not isinstance(a, Index) else a for a in e.args))

    def product(factors: Sequence[Expr]) -> Expr:
        asked: dict[tuple[Expr, ...], dict[Expr, tuple[Expr, Expr]]] = {}
        for factor in factors:
            pair = _asks(factor)
            if pair is not None:
                value, node = pair
                asked.setdefault((node.body, *node.bound), {})[node.wanted] = (factor, value)
        done: dict[Expr, Expr] = {}
        for (body, *bound), parts in asked.items():
            if set(parts) != set(bound):
                continue
            for equation, node, places in offered:
                at = _instance(node, places, body, bound)
                if at is None:
                    continue
                values = [parts[b][1] for b in bound]
                # The place tells the entry where all but the first index are in range; elsewhere the product is 0 anyway.
                guards = [InRange(value, b.extent) for value, b in zip(values[1:], bound[1:], strict=True)]
                same = Indicator(sympy.Eq(row_major(values, bound), Access(places, *at), evaluate=False))
                done.update((factor, sympy.S.One) for factor, _ in parts.values())
                done[parts[bound[0]][0]] = sympy.Mul(same, *guards)
                used[places.name] = Position(equation.tensor.name, places)
                break
        return sympy.Mul(*(done.get(f, f) for f in factors))

    made = walk(expr)
    return made, tuple(used[name] for name in sorted(used))


def _asks(factor: Expr) -> tuple[Expr, ArgMax] | None:
    """Return (value, node) for a factor [value = argmax]."""
    if not isinstance(factor, Indicator) or not isinstance(factor.condition, sympy.Eq):
        return None
    for value, node in (factor.condition.args, factor.condition.args[::-1]):
        if isinstance(node, ArgMax) and not value.has(ArgMax):
            return value, node
    return None


def _instance(node: Max, places: Tensor, body: Expr, bound: Sequence[Index]) -> tuple[Expr, ...] | None:
    """Return for which window of a maximum a body is that of an argmax: a value for each axis of its places, or None."""
    if tuple(b.extent for b in node.bound) != tuple(b.extent for b in bound):
        return None
    inner = rename(node, {s.name for s in body.free_symbols if isinstance(s, Index)} | {b.name for b in bound})
    # The windows' indices get names of their own: a value found for one may well speak of an index that is called like another.
    axes = tuple(Index(f"{axis.name}~window", axis.extent) for axis in places.axes)
    swap = dict(zip((*inner.bound, *places.axes), (*bound, *axes), strict=True))
    pattern = inner.body.xreplace(swap)
    read = {a.tensor.name: a for a in body.atoms(Access)}
    values: dict[Expr, Expr] = {}
    pairs: list[tuple[Expr, Expr]] = []
    for a in sorted(pattern.atoms(Access), key=str):
        if a.tensor.name not in read:
            return None
        pairs += zip(a.index, read[a.tensor.name].index, strict=True)
    for _ in axes:
        for part, target in pairs:
            known = part.xreplace(values)
            open_ = [i for i in axes if i not in values and i in known.free_symbols]
            if len(open_) != 1:
                continue
            slope = sympy.expand(known).coeff(open_[0], 1)
            rest = sympy.expand(known - slope * open_[0])
            if slope != 0 and open_[0] not in rest.free_symbols:
                values[open_[0]] = sympy.expand((target - rest) / slope)
    if any(i not in values for i in axes) or _settled(pattern.xreplace(values)) != _settled(body):
        return None
    return tuple(values[i] for i in axes)


def _settled(e: Expr) -> Expr:
    """Return an expression with its index expressions multiplied out, so that equal ones are the same."""
    if isinstance(e, Access):
        return Access(e.tensor, *map(sympy.expand, e.index))
    if isinstance(e, InRange):
        return InRange(sympy.expand(e.args[0]), e.args[1])
    if not e.args or isinstance(e, Index):
        return e
    made = e.func(*(_settled(a) if isinstance(a, Expr) and not isinstance(a, Index) else a for a in e.args))
    return canonical(made) if isinstance(e, Reduction) else made


__all__ = ["Position", "compared", "position", "with_positions"]
