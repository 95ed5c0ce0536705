"""Reductions of rows whose entries lie side by side, and what is made of them in the same loop, while the row is at hand.

A normalisation, a softmax and their gradients take one or two numbers from a row, and then look at its entries again. Exponentials
that the reduction of a row has taken are read off where they are wanted again.

A row is a chain: its sum waits for its exponentials, and these for its largest entry. Where some rows fit into the nearest cache
together, each of these is done for all of them before the next, so that a processor has other rows to do meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import sympy
from sympy import Expr, S

from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import ArgMax, Guard, Indicator, LogSumExp, Max, Reduction, Sum
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.plan.naming import with_right_side
from symbackprop.plan.nests import accumulation, added_rows, finite, leaves, loops, masked
from symbackprop.plan.records import Largest, Let, Local, Loop, Statement, Store, Total
from symbackprop.plan.reductions import Place, Reductions, searching
from symbackprop.plan.rewriting import called, named, rewritten


def line_by_line(equations: Sequence[Equation], stored: frozenset[str], place: Place, near: bool) -> tuple[Statement, ...]:
    """Return the nest of some equations with the reductions of each row done in lanes, before what reads them.

    Args:
        equations: their left sides have the same indices.
        stored: names of the tensors that are written to memory.
        place: makes workspace.
        near: whether the rows along one axis fit into the nearest cache.
    """
    domain = equations[0].lhs.index
    if not domain or any(e.lhs.index != domain for e in equations):
        return loops(equations, stored)
    return _Lines(domain, place, near).nest(equations, stored)


def row_by_row(groups: Sequence[Sequence[Equation]], stored: frozenset[str], place: Place, least: int) -> tuple[Statement, ...] | None:
    """Return one loop over the samples that computes some equations; None where they cannot be computed sample by sample.

    Args:
        groups: equations that share a nest, in order; the index of the samples is the first one of every left side.
        stored: names of the tensors that are written to memory.
        place: makes workspace.
        least: terms of a reduction from which on it is done in lanes.
    """
    shared = _prefix([e for group in groups for e in group])
    for rank in range(len(shared), 0, -1):
        if (found := _within(groups, stored, place, shared[:rank], least)) is not None:
            return found
    return None


def _prefix(equations: Sequence[Equation]) -> tuple[Index, ...]:
    """Return the first indices of all left sides at which, and nowhere else, the equations read what they make."""
    made = {e.tensor for e in equations}
    places = [a.index for e in equations for a in (e.lhs, *e.rhs.atoms(Access)) if a.tensor in made]
    rank = 0
    while all(len(index) > rank and index[rank] == places[0][rank] for index in places):
        rank += 1
    return tuple(i for i in places[0][:rank] if isinstance(i, Index))


def _within(
    groups: Sequence[Sequence[Equation]], stored: frozenset[str], place: Place, shared: tuple[Index, ...], least: int
) -> tuple[Statement, ...] | None:
    """Return the nests of some groups in the same loops over some indices; None where something stands between these."""
    known: dict[Expr, Expr] = {}
    again: dict[Expr, Expr] = {}
    parts: list[Sequence[Statement]] = []
    taken: set[str] = set()
    for group in groups:
        statements = added_rows(group, stored)
        if not statements:
            maker = _Lines(group[0].lhs.index, place, near=False, least=least)
            maker.known, maker.again = known, again
            statements = maker.nest(group, stored)
        # What is computed before other loops keeps its name to itself.
        swap = _apart(statements, taken)
        parts.append(tuple(rewritten(s, partial(called, names=swap)) for s in statements) if swap else statements)
        # What is known inside the shared loops is known to what follows.
        inner = set(group[0].lhs.index) - set(shared)
        known = {node: called(value, swap) for node, value in known.items() if not inner & node.free_symbols}
        again = {called(node, swap): read for node, read in again.items() if not inner & node.free_symbols}
    return _together(parts, shared)


def _together(parts: Sequence[Sequence[Statement]], shared: Sequence[Index]) -> tuple[Statement, ...] | None:
    """Return statements that stand in the same loops in one set of these."""
    if not shared:
        return tuple(s for part in parts for s in part)
    once: list[Statement] = []
    inside: list[tuple[Statement, ...]] = []
    for part in parts:
        bodies: list[Statement] = []
        for s in part:
            if isinstance(s, Loop) and s.index == shared[0] and s.start == 0 and s.stop == shared[0].extent and not s.descending:
                bodies += s.body
            elif isinstance(s, Let):
                once.append(s)
            else:
                return None
        inside.append(tuple(bodies))
    body = _together(inside, shared[1:])
    return None if body is None else (*once, Loop(shared[0], S.Zero, shared[0].extent, body))


def _apart(statements: Sequence[Statement], taken: set[str]) -> dict[Expr, Expr]:
    """Return names for the locals of statements that are not taken, and take them."""
    swap: dict[Expr, Expr] = {}
    for local in dict.fromkeys(named(statements)):
        name, count = local.name, 1
        while name in taken:
            count += 1
            name = f"{local.name}_{count}"
        taken.add(name)
        if name != local.name:
            swap[local] = Local(name, integer=bool(local.is_integer))
    return swap


class _Lines(Reductions):
    """Reductions of what lies side by side, row by row; what follows them is done in the same loop, while the row is at hand.

    Attributes:
        here: the statements inside the loops over the first axes, by their number.
        again: functions of a row that are already there, entry by entry.
        along: the axis of the rows that are done together, None where each is done alone.
    """

    def __init__(self, domain: tuple[Index, ...], place: Place, near: bool, least: int = 0) -> None:
        super().__init__(domain, place)
        self.near, self.least = near, least
        self.along: Index | None = None
        self.here: list[list[Statement]] = [[] for _ in range(len(domain) + 1)]
        self.again: dict[Expr, Expr] = {}
        self.names: dict[str, int] = {}

    def nest(self, equations: Sequence[Equation], stored: frozenset[str]) -> tuple[Statement, ...]:
        """Return the nest of some equations."""
        found = [node for e in equations for node in searching(e.rhs, equations)]
        rank = max((len(axes) for node in found if (axes := self.axes(node)) == self.domain[: len(axes)]), default=0)
        if self.near and rank > 1:
            self.along = self.domain[rank - 1]
        done: set[Tensor] = set()
        waiting: list[Equation] = []
        for e in equations:
            swap: dict[Expr, Expr] = {}
            for node in searching(e.rhs, equations):
                own = {other.tensor for other in waiting}
                whole = self.axes(node) == self.domain and all(t.name in stored for t in own)
                if whole and any(a.tensor in own for a in node.atoms(Access)) and self.fits(node, set()):
                    # What it reads must be written by then.
                    depth = len(self.domain) - (self.along is not None)
                    self.here[depth] += loops(waiting, stored, given=self.domain[:depth])
                    done |= own
                    waiting = []
                made = {other.tensor for other in equations} - done
                if (value := self.value(node, made)) is not None:
                    swap[node] = value
            waiting.append(with_right_side(e, e.rhs.xreplace(swap)))
        rank = max((k for k, statements in enumerate(self.here) if statements), default=0)
        waiting = [self.shared(e) for e in waiting]
        body: Sequence[Statement] = (*self.here[rank], *loops(waiting, stored, given=self.domain[:rank]))
        for index, before in zip(reversed(self.domain[:rank]), reversed(self.here[:rank]), strict=True):
            body = (*before, Loop(index, S.Zero, index.extent, tuple(body)))
        return (*self.statements, *body)

    def axes(self, node: Expr) -> tuple[Index, ...]:
        """Return the indices that a reduction is done for."""
        return tuple(i for i in self.domain if i in node.free_symbols)

    def shared(self, e: Equation) -> Equation:
        """Return an equation that reads what is there instead of computing it again."""
        last = e.lhs.index[-1]
        found: dict[Expr, Expr] = {}
        for known, read in self.again.items():
            assert isinstance(read, Access)
            j = read.index[-1]
            if j.extent == last.extent:
                found[known.xreplace({j: last})] = read.xreplace({j: last})
        return with_right_side(e, e.rhs.xreplace(found)) if found else e

    def local(self, name: str) -> Local:
        """Return a new scalar."""
        count = self.names[name] = self.names.get(name, 0) + 1
        return Local(name if count == 1 else f"{name}_{count}")

    def fits(self, node: Expr, defined: set[Tensor]) -> bool:
        if not isinstance(node, Sum | Max | LogSumExp) or len(node.bound) != 1 or leaves(node) or node.body.has(Reduction, ArgMax):
            return False
        (j,) = node.bound
        if j.extent.is_Integer and j.extent < self.least:
            return False
        seen: tuple[Expr, ...] = ()
        if isinstance(node, LogSumExp):
            _, seen = masked(node.body)
        if node.body.atoms(Guard) - {*seen} or any(not isinstance(g, Indicator) for g in seen):
            return False
        reads = node.body.atoms(Access)
        if any(a.tensor in defined for a in reads):
            return False
        beside = all(a.index[-1] == j and not any(j in part.free_symbols for part in a.index[:-1]) for a in reads if j in a.free_symbols)
        return beside and any(j in a.free_symbols for a in reads)

    def made(self, node: Expr, axes: tuple[Index, ...]) -> Expr:
        (j,) = node.bound
        body: list[Statement] = []
        term, seen = masked(node.body) if isinstance(node, LogSumExp) else (node.body, ())
        # What is the same for all of a row is read once.
        fixed = sorted((a for a in term.atoms(Access) if j not in a.free_symbols and not a.tensor.integer), key=sympy.default_sort_key)
        lets = {a: self.local(a.tensor.name) for a in fixed}
        body += [Let(local, a) for a, local in lets.items()]
        value = term.xreplace(lets)
        # Entries are taken where they lie if the index runs along the whole of their axis.
        there = not seen and isinstance(value, Access) and value.tensor.axes[-1].extent == j.extent
        if not isinstance(node, LogSumExp):
            row = value if there else self.row((), j)
            if not there:
                body += accumulation((j,), (), value, lambda value: Store(row, value))
            found = self.result("total" if isinstance(node, Sum) else "top", axes)
            kind = Total if isinstance(node, Sum) else Largest
            self.around(axes, [[*body, kind(found, row.tensor, row.index[:-1])]])
            return found
        terms = self.row(axes, j)
        if seen:
            # What is not seen is −∞: no largest value, and nothing in the sum.
            entry = self.local("value")
            choice = (Let(entry, value), Store(terms, entry + sympy.log(sympy.Mul(*seen))))
            body.append(Loop(j, S.Zero, j.extent, choice))
        elif not there:
            body += accumulation((j,), (), value, lambda value: Store(terms, value))
        row = value if there else terms
        top, shift, total = (self.result(name, axes) for name in ("top", "shift", "total"))
        # Where the largest value is infinite there is nothing to shift; otherwise inf − inf would be NaN.
        least, first = shift if isinstance(shift, Local) else self.local("shift"), top * finite(top)
        after: list[Statement] = [Let(least, first), Loop(j, S.Zero, j.extent, (Store(terms, sympy.exp(row - least)),))]
        after += [] if isinstance(shift, Local) else [Store(shift, least)]
        after.append(Total(total, terms.tensor, terms.index[:-1]))
        self.around(axes, [[*body, Largest(top, row.tensor, row.index[:-1])], after])
        self.again[sympy.exp(term - shift)] = terms
        return shift + sympy.log(total)

    def row(self, axes: tuple[Index, ...], j: Index) -> Access:
        """Return an entry of workspace for a row, or for one of each row that is done together with others."""
        index = (*self.own(axes), j)
        return self.place("terms", index)[index]

    def own(self, axes: tuple[Index, ...]) -> tuple[Index, ...]:
        """Return the axis of the rows that are done together, of what is one of them."""
        return axes[-1:] if self.along is not None and axes[-1:] == (self.along,) else ()

    def result(self, name: str, axes: tuple[Index, ...]) -> Access | Local:
        """Return where a number of a row is kept: in a local, where the loops around it are those of what follows."""
        if axes != self.domain[: len(axes)]:
            return self.place(name, axes)[axes]
        return self.place(name, own)[own] if (own := self.own(axes)) else self.local(name)

    def around(self, axes: tuple[Index, ...], parts: Sequence[Sequence[Statement]]) -> None:
        """Add statements inside loops over some axes; rows that are done together are done part after part."""
        whole = axes == self.domain[: len(axes)]
        inner = self.own(axes) if whole else axes
        for body in parts if whole and inner else [[s for part in parts for s in part]]:
            statements = tuple(body)
            for index in reversed(inner):
                statements = (Loop(index, S.Zero, index.extent, statements),)
            (self.here[len(axes) - len(inner)] if whole else self.statements).extend(statements)


__all__ = ["line_by_line", "row_by_row"]
