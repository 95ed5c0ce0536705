"""Matrix products as statements: what is copied first, the loops around, and what is done with the results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import sympy
from sympy import Expr, S

from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import Sum
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.errors import EmissionError
from symbackprop.plan.classify import Choice, Factor, Site, Split, matrix
from symbackprop.plan.naming import with_right_side
from symbackprop.plan.nests import loops, ranged
from symbackprop.plan.records import Add, Loop, Multiply, Operand, Statement, Store, When, Zero

#: A sum with the number of its equation in the group, and how it is computed.
Pick = tuple[int, Site, Choice]


class Scratch:
    """Names for the places that a kernel needs besides its arguments."""

    def __init__(self, taken: Sequence[str]) -> None:
        self.taken = set(taken)
        self.tensors: list[Tensor] = []

    def place(self, name: str, axes: Sequence[Index]) -> Tensor:
        """Return a new scratch tensor."""
        base, count = name, 1
        while name in self.taken:
            count += 1
            name = f"{base}_{count}"
        self.taken.add(name)
        names: set[str] = set()
        own = []
        for axis in axes:
            label = axis.name
            while label in names:
                label += "_"
            names.add(label)
            own.append(Index(label, axis.extent))
        self.tensors.append(Tensor(name, tuple(own), "stored"))
        return self.tensors[-1]


@dataclass(eq=False)
class _Depth:
    """What is done inside one of the loops around a product, before the next loop."""

    index: Index | None
    body: list[Statement] = field(default_factory=list)


def contraction(
    group: Sequence[Equation], picks: Sequence[Pick], stored: frozenset[str], scratch: Scratch, fixed: tuple[Index, ...] = ()
) -> tuple[tuple[Statement, ...], tuple[Statement, ...]]:
    """Return the statements that compute a group of equations with some of their sums done as matrix products.

    Args:
        group: equations over one domain.
        picks: which sums, and how.
        stored: names of the tensors of the group that are written to memory.
        scratch: makes places for copies and results.
        fixed: indices of loops around all of this.

    Returns:
        What is done once, before any loop over ``fixed``; and the rest.
    """
    out = tuple(i for i in group[0].lhs.index if i not in fixed)
    outers = [_outer(site, choice, len(out)) for _, site, choice in picks]
    shared = 0
    while shared < len(out) and all(out[shared] in outer for outer in outers):
        shared += 1
    around = out[:shared]
    before: list[Statement] = []
    ahead: list[Statement] = []
    inside: list[Statement] = []
    results: dict[int, dict[Expr, Expr]] = {}
    taken: set[str] = set()
    for number, site, choice in picks:
        made, value = _made(group, number, site, choice, stored, scratch, around, fixed, taken)
        before += made.once
        ahead += made.ahead
        inside += made.inside
        results.setdefault(number, {})[site.node] = value
    rest = tuple(with_right_side(e, e.rhs.xreplace(results[k])) if k in results else e for k, e in enumerate(group))
    rest = tuple(e for e in rest if e.rhs != e.lhs)
    if rest:
        inside += loops(rest, stored, given=(*fixed, *around))
    body = tuple(inside)
    return tuple(before), (*ahead, *_around(around, body))


def _outer(site: Site, choice: Choice, rank: int) -> tuple[Index, ...]:
    if choice.split and site.split is not None:
        return site.split.kept
    positions = tuple(range(rank - 1)) if choice.layout is None else choice.layout.outer
    return tuple(site.indices[k] for k in positions)


@dataclass(frozen=True)
class _Made:
    """A product: what is done once, what before the shared loops, and what inside them."""

    once: tuple[Statement, ...]
    ahead: tuple[Statement, ...]
    inside: tuple[Statement, ...]


def _made(
    group: Sequence[Equation],
    number: int,
    site: Site,
    choice: Choice,
    stored: frozenset[str],
    scratch: Scratch,
    shared: tuple[Index, ...],
    fixed: tuple[Index, ...],
    taken: set[str],
) -> tuple[_Made, Expr]:
    """Return the statements for a sum, and the sum as an expression."""
    if choice.split and site.split is not None:
        return _twice(group, number, site.split, choice, stored, scratch, shared, fixed, taken)
    layout, c = choice.layout, site.product
    if layout is None or c is None:
        assert site.rows is not None
        *before, last = site.rows.out
        outer = tuple(i for i in before if i not in shared)
        target, kinds, value = _target(group, number, (), (last,), outer, True, stored, scratch, taken)
        into = Add(Access(target, *(last if kind == "column" else kind for kind in kinds)), site.rows.body)
        body: tuple[Statement, ...] = (Zero(Operand(target, kinds)), *ranged((*site.rows.inner, last), site.rows.guards, into))
        return _Made((), (), _around(outer, body)), value

    def named(positions: tuple[int, ...]) -> tuple[Index, ...]:
        return tuple(site.indices[k] for k in positions)

    rows, columns, inner = named(layout.rows), named(layout.columns), named(layout.inner)
    around = named(layout.around)
    outer = tuple(i for i in named(layout.outer) if i not in shared)
    levels = [_Depth(None), *(_Depth(i) for i in (*shared, *outer, *around))]
    once: list[Statement] = []
    left = _operand(c.factors[1 - layout.right], rows, inner, layout.pack_left, False, levels, once, scratch, fixed)
    right = _operand(c.factors[layout.right], inner, columns, layout.pack_right, layout.dots, levels, once, scratch, fixed)
    if c.always:
        for level in levels:
            level.body[:] = [When(c.always, tuple(level.body))] if level.body else []
    target, kinds, value = _target(group, number, rows, columns, outer, layout.place, stored, scratch, taken)
    result = Operand(target, kinds)
    body = (Multiply(result, left, right, bool(around), layout.parallel),)
    if c.always:
        body = (When(c.always, body),)
    if c.always and not around:
        # Where a guard fails nothing is multiplied.
        body = (Zero(result), *body)
    for depth in range(len(levels) - 1, len(shared), -1):
        level = levels[depth]
        assert level.index is not None
        body = (Loop(level.index, sympy.S.Zero, level.index.extent, (*level.body, *body)),)
        if around and depth == len(levels) - len(around):
            body = (Zero(result), *body)
    inside = [s for level in levels[1 : len(shared) + 1] for s in level.body]
    return _Made(tuple(once), tuple(levels[0].body), (*inside, *body)), c.scale * value


def _twice(
    group: Sequence[Equation],
    number: int,
    split: Split,
    choice: Choice,
    stored: frozenset[str],
    scratch: Scratch,
    shared: tuple[Index, ...],
    fixed: tuple[Index, ...],
    taken: set[str],
) -> tuple[_Made, Expr]:
    """Return the statements for a sum that is done in two."""
    c = split.product
    terms = scratch.place("terms", c.out)
    lhs = Access(terms, *c.out)
    first = Site(c.node, c, None, None)
    equation = with_right_side(Equation(lhs, S.Zero), c.node)
    outer = tuple(i for i in split.kept if i not in shared)
    # What does not depend on the batch is copied before its loop.
    pick = (0, first, replace(choice, split=False, rows=False))
    once, body = contraction((equation,), (pick,), frozenset({terms.name}), scratch, (*fixed, *split.kept))
    read = Access(terms, *split.places)
    if not choice.rows:
        factors = (read, *split.guards)
        value: Expr = Sum(sympy.Mul(*factors), *split.inner)
        if outer:
            raise EmissionError(f"{group[number]}: the loops of two sums cannot be joined")
        return _Made(once, (), body), value
    *before, last = (i for i in split.out if i not in split.kept)
    target, kinds, value = _target(group, number, (), (last,), (*outer, *before), True, stored, scratch, taken)
    into = Add(Access(target, *(last if kind == "column" else kind for kind in kinds)), read)
    whole = tuple("column" if kind in before or kind == "column" else kind for kind in kinds)
    loops_ = ranged((*before, *split.inner, last), split.guards, into)
    return _Made(once, (), _around(outer, (*body, Zero(Operand(target, whole)), *loops_))), value


def _target(
    group: Sequence[Equation],
    number: int,
    rows: tuple[Index, ...],
    columns: tuple[Index, ...],
    outer: tuple[Index, ...],
    place: bool,
    stored: frozenset[str],
    scratch: Scratch,
    taken: set[str],
) -> tuple[Tensor, tuple[Expr | str, ...], Expr]:
    """Return where a result lies, as a matrix and as an entry: in a tensor that is written there later anyway, or in a new place."""
    domain = group[number].lhs.index
    if place:
        for e in group[number:]:
            if e.tensor.name in stored and e.tensor.name not in taken and e.lhs.index == domain:
                kinds = matrix(domain, rows, columns, e.tensor.axes)
                if kinds is not None:
                    taken.add(e.tensor.name)
                    return e.tensor, kinds, e.tensor[domain]
    axes = (*outer, *rows, *columns)
    target = scratch.place("products" if rows else "sums", axes)
    return target, (*outer, *("row" for _ in rows), *("column" for _ in columns)), target[axes]


def _around(outer: tuple[Index, ...], body: tuple[Statement, ...]) -> tuple[Statement, ...]:
    for index in reversed(outer):
        body = (Loop(index, sympy.S.Zero, index.extent, body),)
    return body


def _operand(
    factor: Factor,
    rows: tuple[Index, ...],
    columns: tuple[Index, ...],
    packed: bool,
    swapped: bool,
    levels: list[_Depth],
    once: list[Statement],
    scratch: Scratch,
    fixed: tuple[Index, ...],
) -> Operand:
    """Return a factor as a matrix, and add what copies it to the outermost level that it depends on."""
    if not packed:
        kinds = matrix(factor.access.index, rows, columns, factor.access.tensor.axes)
        assert kinds is not None
        return Operand(factor.access.tensor, kinds)
    running = [level.index for level in levels[1:]]
    used = [i for i in running if i in factor.indices]
    depth = 0
    # A factor that depends on the time has to be copied inside its loop, whatever else it depends on.
    while depth < len(running) and running[depth] in used:
        depth += 1
    extra = tuple(i for i in used if i not in running[:depth] and i is not None)
    order = (*columns, *rows) if swapped else (*rows, *columns)
    windows = any(not part.is_Symbol for part in factor.access.index)
    copy = scratch.place(f"{factor.access.tensor.name}_{'windows' if windows else 'copy'}", (*extra, *order))
    domain = (*extra, *order)
    kind = {**dict.fromkeys(rows, "row"), **dict.fromkeys(columns, "column")}
    first: list[Statement] = []
    if factor.guards:
        # What lies outside is 0 for every pass of the loops around, unless a guard depends on them.
        first = [Zero(Operand(copy, tuple("row" for _ in domain)))]
    fill = ranged(domain, factor.guards, Store(Access(copy, *domain), factor.access))
    moving = {s for g in factor.guards for s in g.free_symbols} & {*fixed, *(i for i in running[:depth] if i is not None)}
    timed = bool(factor.indices & set(fixed))
    target = once if depth == 0 and not timed else levels[depth].body
    if first and not moving:
        once += first
    elif first:
        target += first
    target += fill
    return Operand(copy, tuple(kind.get(i, i) for i in domain))


__all__ = ["Pick", "Scratch", "contraction"]
