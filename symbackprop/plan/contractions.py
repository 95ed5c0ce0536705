"""Matrix products as statements: what is copied first, the loops around, and what is done with the results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sympy
from sympy import Expr, S

from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import Sum
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.plan.classify import Candidate, Choice, Factor, Layout, Rows, Site, Split, Whole, matrix
from symbackprop.plan.naming import with_right_side
from symbackprop.plan.nests import loops, ranged
from symbackprop.plan.records import Add, Cube, Loop, Multiply, Operand, Slide, Statement, Store, Total, TotalOfRows, When, Zero
from symbackprop.plan.windows import Windows

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
    count = 0
    while count < len(out) and all(out[count] in outer for outer in outers):
        count += 1
    made = _Contraction(group, stored, scratch, fixed, out[:count])
    swaps: list[dict[Expr, Expr]] = [{} for _ in group]
    for number, site, choice in picks:
        swaps[number][site.node] = made.sum(number, site, choice)
    rest = tuple(with_right_side(e, e.rhs.xreplace(swap)) for e, swap in zip(group, swaps, strict=True))
    rest = tuple(e for e in rest if e.rhs != e.lhs)
    if rest:
        made.inside += loops(rest, stored, given=(*fixed, *made.shared))
    return tuple(made.once), (*made.ahead, *_around(made.shared, made.inside))


def _outer(site: Site, choice: Choice, rank: int) -> tuple[Index, ...]:
    """Return the indices of the loops around a sum, in the order of the equation's left side."""
    if choice.split and site.split is not None:
        return site.split.kept
    if choice.windows and site.windows is not None:
        return site.windows.kept
    if choice.whole and site.whole is not None:
        return site.whole.out
    positions = tuple(range(rank - 1)) if choice.layout is None else choice.layout.outer
    return tuple(site.indices[k] for k in positions)


def _around(outer: Sequence[Index], body: Sequence[Statement]) -> tuple[Statement, ...]:
    for index in reversed(outer):
        body = (Loop(index, S.Zero, index.extent, tuple(body)),)
    return tuple(body)


def _fixed(access: Access, axes: Sequence[int | None]) -> tuple[tuple[int, Expr], ...]:
    """Return the axes of a tensor that are not among some, with what they are read at."""
    return tuple((place, part) for place, part in enumerate(access.index) if place not in axes)


def _lines(rows: Rows) -> tuple[Expr | str, ...] | None:
    """Return the axes of the tensor whose rows are added up as those of a matrix; None where they are not whole rows of one."""
    a = rows.body
    if rows.guards or not isinstance(a, Access) or any(part.extent != axis.extent for part, axis in _pairs(a)):
        return None
    kinds = matrix(a.index, rows.inner, (rows.out[-1],), a.tensor.axes)
    return kinds if kinds is not None and set(kinds) <= {"row", "column"} and kinds[-1] == "column" else None


def _pairs(a: Access) -> tuple[tuple[Index, Index], ...]:
    """Return the indices among the places that a tensor is read at, with its axes there."""
    return tuple((part, axis) for part, axis in zip(a.index, a.tensor.axes, strict=True) if isinstance(part, Index))


class _Contraction:
    """The statements of a group while its sums are placed.

    Attributes:
        shared: the indices of the loops around all the sums and what is made of them.
        once: what is done before every loop.
        ahead: what is done before the shared loops, in every pass of the loops over ``fixed``.
        inside: what is done inside the shared loops.
    """

    def __init__(
        self, group: Sequence[Equation], stored: frozenset[str], scratch: Scratch, fixed: tuple[Index, ...], shared: tuple[Index, ...]
    ) -> None:
        self.group, self.stored, self.scratch, self.fixed, self.shared = group, stored, scratch, fixed, shared
        self.once: list[Statement] = []
        self.ahead: list[Statement] = []
        self.inside: list[Statement] = []
        self.taken: set[str] = set()

    def sum(self, number: int, site: Site, choice: Choice) -> Expr:
        """Add the statements for a sum of one of the equations, and return the sum as an expression."""
        if choice.split and site.split is not None:
            return self.two_sums(number, site.split, choice)
        if choice.windows and site.windows is not None:
            return self.windows(number, site.windows)
        if choice.whole and site.whole is not None:
            return self.whole(number, site.whole)
        if choice.layout is not None and site.product is not None:
            return self.product(number, site.product, choice.layout)
        assert site.rows is not None
        statements, value = self.rows(number, site.rows, self.shared)
        self.inside += statements
        return value

    def windows(self, number: int, w: Windows) -> Expr:
        """Add the statement for a sum over windows, and return the sum as an expression."""
        outer = tuple(i for i in w.kept if i not in self.shared)
        rest = tuple(i for i in w.out if i not in w.kept)
        target, kinds, value = self.target(number, (), rest, outer, True)
        # What is fixed in the result are the indices of the loops around it.
        fixed = tuple((place, kind) for place, kind in enumerate(kinds) if not isinstance(kind, str))
        free = [place for place, kind in enumerate(kinds) if isinstance(kind, str)]
        order = {w.out.index(i): place for i, place in zip(rest, free, strict=True)}
        result = Cube(target, fixed, tuple(None if axis is None else order[axis] for axis in w.cubes[2]))
        factors = [Cube(a.tensor, _fixed(a, axes), axes) for a, axes in zip((w.left, w.right), w.cubes, strict=False)]
        self.inside += _around(outer, (Slide(w.form, factors[0], factors[1], result, w.moves),))
        return value

    def whole(self, number: int, whole: Whole) -> Expr:
        """Add the statement for a sum of what lies side by side, and return the sum as an expression."""
        outer = tuple(i for i in whole.out if i not in self.shared)
        _, _, value = self.target(number, (), (), (*self.shared, *outer), True)
        assert isinstance(value, Access)
        self.inside += _around(outer, (Total(value, whole.access.tensor, whole.places),))
        return value

    def rows(self, number: int, rows: Rows, around: tuple[Index, ...]) -> tuple[tuple[Statement, ...], Expr]:
        """Return the statements that add up whole rows inside the loops ``around``, and the sum as an expression."""
        *before, last = (i for i in rows.out if i not in around)
        target, kinds, value = self.target(number, (), (last,), tuple(i for i in rows.out[:-1] if i not in self.shared), True)
        if not before and (kinds_read := _lines(rows)) is not None and isinstance(rows.body, Access):
            return (TotalOfRows(Operand(target, kinds), Operand(rows.body.tensor, kinds_read)),), value
        into = Add(Access(target, *(last if kind == "column" else kind for kind in kinds)), rows.body)
        row = (Zero(Operand(target, kinds)), *ranged((*rows.inner, last), rows.guards, into))
        return _around(before, row), value

    def two_sums(self, number: int, split: Split, choice: Choice) -> Expr:
        """Add the statements for a sum that is done in two: a matrix product, and a sum of its entries."""
        c = split.product
        terms = self.scratch.place("terms", c.out)
        first = with_right_side(Equation(terms[c.out], S.Zero), c.node)
        pick = (0, Site(c.node, c, None, None), replace(choice, split=False, rows=False))
        # What does not depend on the batch is copied before its loop.
        once, body = contraction((first,), (pick,), frozenset({terms.name}), self.scratch, (*self.fixed, *split.kept))
        self.once += once
        read = Access(terms, *split.places)
        outer = tuple(i for i in split.kept if i not in self.shared)
        if choice.rows:
            second, value = self.rows(number, Rows(split.node, read, split.guards, split.out, split.inner), (*self.shared, *outer))
        else:
            value = Sum(sympy.Mul(read, *split.guards), *split.inner)
            second = ()
            if outer:
                # The terms are gone when the loops of the other sums begin.
                axes = tuple(i for i in split.out if i not in self.shared)
                sums = self.scratch.place("sums", axes)
                equation = with_right_side(Equation(sums[axes], S.Zero), value)
                second, value = loops((equation,), frozenset({sums.name}), given=(*self.fixed, *self.shared, *outer)), sums[axes]
        self.inside += _around(outer, (*body, *second))
        return value

    def product(self, number: int, c: Candidate, layout: Layout) -> Expr:
        """Add the statements for a matrix product, and return the sum as an expression."""

        def named(positions: tuple[int, ...]) -> tuple[Index, ...]:
            return tuple(c.indices[k] for k in positions)

        rows, columns, inner = named(layout.rows), named(layout.columns), named(layout.inner)
        around = named(layout.around)
        outer = tuple(i for i in named(layout.outer) if i not in self.shared)
        running = (*self.shared, *outer, *around)
        # What is copied before the first of the loops, and inside each of them.
        copies: list[list[Statement]] = [[] for _ in range(len(running) + 1)]
        left = self.operand(c.factors[1 - layout.right], rows, inner, layout.pack_left, False, running, copies)
        right = self.operand(c.factors[layout.right], inner, columns, layout.pack_right, layout.dots, running, copies)
        if c.always:
            copies = [[When(c.always, tuple(statements))] if statements else [] for statements in copies]
        target, kinds, value = self.target(number, rows, columns, outer, layout.place)
        result = Operand(target, kinds)
        body: tuple[Statement, ...] = (Multiply(result, left, right, bool(around), layout.parallel, layout.long),)
        if c.always:
            body = (When(c.always, body),)
            if not around:
                # Where a guard fails nothing is multiplied.
                body = (Zero(result), *body)
        for depth in range(len(running), len(self.shared), -1):
            index = running[depth - 1]
            body = (Loop(index, S.Zero, index.extent, (*copies[depth], *body)),)
            if around and index == around[0]:
                body = (Zero(result), *body)
        self.ahead += copies[0]
        for statements in copies[1 : len(self.shared) + 1]:
            self.inside += statements
        self.inside += body
        return c.scale * value

    def target(
        self, number: int, rows: tuple[Index, ...], columns: tuple[Index, ...], outer: tuple[Index, ...], place: bool
    ) -> tuple[Tensor, tuple[Expr | str, ...], Expr]:
        """Return where a result lies, as a matrix and as an entry: in a tensor that is written there later anyway, or in a new place."""
        domain = self.group[number].lhs.index
        for e in self.group[number:] if place else ():
            if e.tensor.name in self.stored and e.tensor.name not in self.taken and e.lhs.index == domain:
                kinds = matrix(domain, rows, columns, e.tensor.axes)
                if kinds is not None:
                    self.taken.add(e.tensor.name)
                    return e.tensor, kinds, e.tensor[domain]
        axes = (*outer, *rows, *columns)
        target = self.scratch.place("products" if rows else "sums", axes)
        return target, (*outer, *("row" for _ in rows), *("column" for _ in columns)), target[axes]

    def operand(
        self,
        factor: Factor,
        rows: tuple[Index, ...],
        columns: tuple[Index, ...],
        packed: bool,
        swapped: bool,
        running: tuple[Index, ...],
        copies: list[list[Statement]],
    ) -> Operand:
        """Return a factor as a matrix; what copies it goes to the outermost of the ``running`` loops that it depends on."""
        access = factor.access
        if not packed:
            kinds = matrix(access.index, rows, columns, access.tensor.axes)
            assert kinds is not None
            return Operand(access.tensor, kinds)
        used = [i for i in running if i in factor.indices]
        depth = 0
        while depth < len(running) and running[depth] in used:
            depth += 1
        # Loops that it depends on further inside become axes of the copy.
        domain = (*used[depth:], *((*columns, *rows) if swapped else (*rows, *columns)))
        windows = any(not part.is_Symbol for part in access.index)
        copy = self.scratch.place(f"{access.tensor.name}_{'windows' if windows else 'copy'}", domain)
        always = depth == 0 and not factor.indices & set(self.fixed)
        place = self.once if always else copies[depth]
        if factor.guards:
            # What lies outside is 0 for every pass of the loops around, unless a guard depends on them.
            moves = {s for g in factor.guards for s in g.free_symbols} & {*self.fixed, *running[:depth]}
            (place if moves else self.once).append(Zero(Operand(copy, tuple("row" for _ in domain))))
        place += ranged(domain, factor.guards, Store(Access(copy, *domain), access))
        kind = {**dict.fromkeys(rows, "row"), **dict.fromkeys(columns, "column")}
        return Operand(copy, tuple(kind.get(i, i) for i in domain))


__all__ = ["Pick", "Scratch", "contraction"]
