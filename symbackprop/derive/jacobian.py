"""Jacobians, entry by entry in index form: the same rule with the output index held fixed. Nothing is ever built."""

from __future__ import annotations

import sympy
from sympy import Expr, S

from symbackprop.algebra.bound import canonical, rename
from symbackprop.algebra.bound import fresh as fresh_index
from symbackprop.algebra.equation import Equation, System, _raw
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import Indicator
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.derive.differentiate import contract, differentiate
from symbackprop.derive.normalize import Trace, normalize
from symbackprop.derive.records import Step
from symbackprop.derive.stored import stored_rules
from symbackprop.errors import DerivationError


def jacobian_equation(system: System, of: str, wrt: str, *, as_read: bool = False) -> tuple[Equation, tuple[Step, ...]]:
    """Derive ∂of[I]/∂wrt[P] as one equation over the indices (I, P), with its steps.

    Values between the two are differentiated through; the result speaks of stored values.

    Args:
        system: the equations.
        of: the tensor that is differentiated.
        wrt: the tensor that it is differentiated with respect to.
        as_read: a value that an equation reads stays as it is: the slope of f = 1/x is -1/x², not -f².

    Raises:
        DerivationError: a name is unknown, or ``of`` does not depend on ``wrt``.
    """
    tensors = system.tensors
    for name in (of, wrt):
        if name not in tensors:
            raise DerivationError(f"{name!r} is no tensor of this system; it has {', '.join(tensors)}")
    if tensors[wrt].integer:
        raise DerivationError(f"{wrt} holds integers: there is no derivative with respect to it")
    rows, columns = tensors[of].axes, tensors[wrt].axes
    used = {a.name for a in rows}
    fresh = []
    for axis in columns:
        name = axis.name
        while name in used:
            name += "'"
        used.add(name)
        fresh.append(Index(name, axis.extent))
    result = Tensor(f"d {of}/d {wrt}", (*rows, *fresh), "cotangent")
    lhs = Access(result, *rows, *fresh)
    names = _between(system, of, wrt)
    if wrt != of and not names:
        raise DerivationError(f"{of} does not depend on {wrt}")
    steps: list[Step] = []
    total = S.Zero
    # Reverse accumulation with the row index held fixed: no sum ranges over it, so its deltas are solved or kept.
    order = [e for e in system.equations if e.tensor.name in names]
    rules = tuple(r for r in stored_rules(tuple(order)) if not (as_read and isinstance(r.pattern, Access)))
    trace = Trace(lhs, steps)
    first = True
    pending: dict[str, list[tuple[tuple[Index, ...], Expr]]] = {}
    for e in reversed(order):
        name = e.tensor.name
        if name == of:
            seeds: list[tuple[tuple[Index, ...], Expr, bool]] = [(tuple(e.lhs.index), S.One, True)]
        else:
            seeds = [(axes, x, False) for axes, x in pending.pop(name, [])]
        for axes, seed, top in seeds:
            taken = {i.name for i in (*rows, *fresh, *axes)} | {i.name for t in (e.tensor, *e.reads) for i in t.axes}
            if top:
                rhs = rename(e.rhs.xreplace(dict(zip(e.lhs.index, rows, strict=True))), taken)
                bound: tuple[Index, ...] = ()
            else:
                rhs = rename(e.rhs.xreplace(dict(zip(e.lhs.index, axes, strict=True))), taken)
                bound = axes
            wanted = frozenset((names | {wrt}) - {of})
            for term in differentiate(rhs, seed, bound, wanted, taken):
                target = term.access.tensor
                places = tuple(fresh) if target.name == wrt else tuple(_new(a, taken) for a in target.axes)
                part = contract(term.access.index, places, term.coefficient, term.bound, taken)
                if target.name == wrt:
                    total = total + part
                    if first:
                        steps.append(Step(f"differentiate {name} with respect to {wrt}", e, _raw(lhs, canonical(part)), rewrites=False))
                        first = False
                else:
                    pending.setdefault(target.name, []).append((places, rename(part, taken)))
    rhs = normalize(total, trace, rules, system.facts)
    return _raw(lhs, rhs), tuple(steps)


def _new(axis: Index, taken: set[str]) -> Index:
    made = fresh_index(axis, taken)
    taken.add(made.name)
    return made


def _between(system: System, of: str, wrt: str) -> set[str]:
    """Return the names of the defined tensors on a path from ``wrt`` to ``of``."""
    forward = {wrt}
    for e in system.equations:
        if e.tensor.name != wrt and any(t.name in forward for t in e.reads):
            forward.add(e.tensor.name)
    backward = {of}
    for e in reversed(system.equations):
        if e.tensor.name in backward and e.tensor.name != wrt:
            backward.update(t.name for t in e.reads)
    defined = set(system.defined)
    return {n for n in forward & backward if n in defined and n != wrt}


def diagonal(equation: Equation, rank: int) -> bool:
    """Whether the equation says that only entries with equal row and column indices can be nonzero."""
    rows, columns = equation.lhs.index[:rank], equation.lhs.index[rank:]
    terms = sympy.Add.make_args(equation.rhs)
    pairs = {frozenset(pair) for pair in zip(rows, columns, strict=False)}
    if len(rows) != len(columns):
        return False
    for term in terms:
        equal = {
            frozenset(f.condition.args)
            for f in sympy.Mul.make_args(term)
            if isinstance(f, Indicator) and isinstance(f.condition, sympy.Eq)
        }
        if not pairs <= equal:
            return False
    return True
