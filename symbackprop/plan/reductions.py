"""Reductions in vectors. A compiler makes them of the innermost loop only, and not of one in which each step waits for the last.

Where the samples are the last axis, the loop over them goes inside that of a reduction: the largest value of ten classes, sample by
sample, is ten steps one after the other; class by class, it is a row of samples at each step. Where what is reduced lies side by
side and is long, its terms are written into a row, and that is added up in lanes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sympy
from sympy import Expr, S

from symbackprop.algebra.bound import canonical
from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import ArgMax, Guard, LogSumExp, Max, Reduction, Sum
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.plan.naming import with_right_side
from symbackprop.plan.nests import accumulation, added_rows, finite, leaves, loops, same_window
from symbackprop.plan.records import Add, Largest, Let, Local, Loop, Raise, Statement, Store, Total
from symbackprop.plan.rewriting import named, rewritten

#: Makes a tensor of workspace from a name and axes.
Place = Callable[[str, tuple[Index, ...]], Tensor]


def across(equations: Sequence[Equation], stored: frozenset[str], place: Place, samples: Expr, narrow: int) -> tuple[Statement, ...]:
    """Return the nest of some equations, with the reductions of each sample done for all samples at once.

    Args:
        equations: their left sides have the same indices.
        stored: names of the tensors that are written to memory.
        place: makes workspace.
        samples: the extent of the batch axis.
        narrow: places of other axes, at most, over which memory is read with gaps.
    """
    domain = equations[0].lhs.index
    if not domain or domain[-1].extent != samples:
        return loops(equations, stored)
    defined = {e.tensor for e in equations}
    maker = _Rows(domain, place, narrow)
    made = []
    for e in equations:
        swap = {node: value for node in searching(e.rhs, equations) if (value := maker.value(node, defined)) is not None}
        if any(not a.plain for a in e.rhs.atoms(Access)):
            # What reads at computed places is done one by one; functions of whole rows come before it.
            swap = {node: maker.kept(node, value) for node, value in swap.items()}
        made.append(with_right_side(e, e.rhs.xreplace(swap)))
    return (*maker.statements, *loops(made, stored))


def row_by_row(
    groups: Sequence[Sequence[Equation]], stored: frozenset[str], place: Place, n: Index, least: int
) -> tuple[Statement, ...] | None:
    """Return one loop over the samples that computes some equations; None where they cannot be computed sample by sample.

    Args:
        groups: equations that share a nest, in order; n is the first index of every left side.
        stored: names of the tensors that are written to memory.
        place: makes workspace.
        n: the index of the samples.
        least: terms of a reduction from which on it is done in lanes.
    """
    known: dict[Expr, Expr] = {}
    terms: dict[Expr, tuple[Tensor, Access]] = {}
    once: list[Statement] = []
    made: list[Statement] = []
    names: set[str] = set()
    for group in groups:
        statements = added_rows(group, stored)
        if not statements:
            defined = {e.tensor for e in group}
            maker = _Lines(group[0].lhs.index, place, known, least, terms)
            own = []
            for e in group:
                rhs = maker.softmax(e.rhs, n, defined)
                swap = {node: value for node in searching(rhs, group) if (value := maker.value(node, defined)) is not None}
                own.append(with_right_side(e, rhs.xreplace(swap)))
            statements = (*maker.statements, *loops(own, stored))
        # What is computed before the loop over the samples keeps its name to itself.
        for s in _apart(statements, names):
            if isinstance(s, Loop) and s.index == n and s.start == 0 and s.stop == n.extent and not s.descending:
                made += s.body
            elif isinstance(s, Let):
                once.append(s)
            else:
                return None
    return (*once, Loop(n, S.Zero, n.extent, tuple(made)))


def _apart(statements: Sequence[Statement], taken: set[str]) -> tuple[Statement, ...]:
    """Return statements whose locals have names that are not taken, and take them."""
    swap: dict[Expr, Expr] = {}
    for local in dict.fromkeys(named(statements)):
        name, count = local.name, 1
        while name in taken:
            count += 1
            name = f"{local.name}_{count}"
        taken.add(name)
        swap[local] = Local(name, integer=bool(local.is_integer))
    return tuple(rewritten(s, lambda e: e.xreplace(swap)) for s in statements)


def searching(e: Expr, equations: Sequence[Equation]) -> tuple[Expr, ...]:
    """Return the reductions of an expression of one of some equations that stand in no other, in reading order.

    Where the place of a largest value is looked for, the value is found with it.
    """
    searches = [search for other in equations for search in other.rhs.atoms(ArgMax)]
    return tuple(node for node in _outermost(e) if not (isinstance(node, Max) and any(same_window(s, node) for s in searches)))


def _outermost(e: Expr) -> tuple[Expr, ...]:
    """Return the reductions of an expression that stand in no other, in reading order."""
    found: dict[Expr, None] = {}
    stack = [e]
    while stack:
        node = stack.pop()
        if isinstance(node, Reduction):
            found[node] = None
        elif not isinstance(node, ArgMax | Access):
            stack.extend(reversed([a for a in node.args if isinstance(a, sympy.Basic)]))
    return tuple(found)


class Reductions:
    """Makes statements for reductions, each once."""

    def __init__(self, domain: tuple[Index, ...], place: Place, known: dict[Expr, Expr] | None = None) -> None:
        self.domain, self.place = domain, place
        self.statements: list[Statement] = []
        self.known = {} if known is None else known

    def value(self, node: Expr, defined: set[Tensor]) -> Expr | None:
        """Return a reduction as an entry of a row, or an expression of such; None where it stays as it is."""
        key = canonical(node)
        if key not in self.known:
            if not self.fits(node, defined):
                return None
            self.known[key] = self.made(node, tuple(i for i in self.domain if i in node.free_symbols))
        return self.known[key]

    def fits(self, node: Expr, defined: set[Tensor]) -> bool:
        """Whether a reduction reads nothing that is made beside it, and has no guards of its own."""
        if not isinstance(node, Sum | Max | LogSumExp) or leaves(node) or node.body.has(Reduction, ArgMax):
            return False
        if not isinstance(node, Sum) and node.body.atoms(Guard):
            return False
        return not any(a.tensor in defined for a in node.body.atoms(Access))

    def made(self, node: Expr, axes: tuple[Index, ...]) -> Expr:
        """Add the statements for a reduction over some axes, and return its value."""
        raise NotImplementedError


class _Lines(Reductions):
    """Reductions of what lies side by side, sample by sample."""

    def __init__(
        self,
        domain: tuple[Index, ...],
        place: Place,
        known: dict[Expr, Expr] | None = None,
        least: int = 0,
        terms: dict[Expr, tuple[Tensor, Access]] | None = None,
    ) -> None:
        super().__init__(domain, place, known)
        self.least = least
        #: For a logarithm of a sum of exponentials the row of these, and their sum.
        self.terms = {} if terms is None else terms

    def softmax(self, e: Expr, n: Index, defined: set[Tensor]) -> Expr:
        """Return an expression with exp(x[i] − log Σ_j exp x[j]) read off the terms of that sum, over which no other index runs."""
        swap: dict[Expr, Expr] = {}
        for node in e.atoms(sympy.exp):
            for term in sympy.Add.make_args(node.args[0]):
                if not isinstance(-term, LogSumExp) or self.value(-term, defined) is None:
                    continue
                (j,) = (-term).bound
                i, (row, total) = self.domain[-1], self.terms[canonical(-term)]
                if total.index == (n,) and node.args[0] - term == (-term).body.xreplace({j: i}):
                    swap[node] = row[i] / total
        return e.xreplace(swap)

    def fits(self, node: Expr, defined: set[Tensor]) -> bool:
        if not super().fits(node, defined) or len(node.bound) != 1:
            return False
        (j,) = node.bound
        if j.extent.is_Integer and j.extent < self.least:
            return False
        reads = node.body.atoms(Access)
        beside = all(a.index[-1] == j and not any(j in part.free_symbols for part in a.index[:-1]) for a in reads if j in a.free_symbols)
        return beside and any(j in a.free_symbols for a in reads) and not node.body.atoms(Guard)

    def made(self, node: Expr, axes: tuple[Index, ...]) -> Expr:
        (j,) = node.bound
        body: list[Statement] = []
        # Entries are taken where they lie if the index runs along the whole of their axis.
        there = isinstance(node.body, Access) and node.body.tensor.axes[-1].extent == j.extent
        tensor, places = (node.body.tensor, node.body.index[:-1]) if there else (None, ())
        terms = None if tensor is not None and isinstance(node, Max) else self.place("terms", (j,))
        read = node.body
        if tensor is None:
            assert terms is not None
            body += accumulation((j,), (), node.body, lambda value: Store(terms[j], value))
            tensor, read = terms, terms[j]
        if isinstance(node, Sum):
            total = self.place("total", axes)[axes]
            self.around(axes, (*body, Total(total, tensor, places)))
            return total
        top = self.place("top", axes)[axes]
        body.append(Largest(top, tensor, places))
        if isinstance(node, Max):
            self.around(axes, body)
            return top
        assert terms is not None
        shift, total = Local("shift"), self.place("total", axes)[axes]
        # Where the largest value is infinite there is nothing to shift; otherwise inf − inf would be NaN.
        body.append(Let(shift, top * finite(top)))
        body.append(Loop(j, S.Zero, j.extent, (Store(terms[j], sympy.exp(read - shift)),)))
        self.around(axes, (*body, Total(total, terms, ())))
        self.terms[canonical(node)] = terms, total
        return top * finite(top) + sympy.log(total)

    def around(self, axes: tuple[Index, ...], body: Sequence[Statement]) -> None:
        """Add statements inside loops over some axes."""
        for index in reversed(axes):
            body = (Loop(index, S.Zero, index.extent, tuple(body)),)
        self.statements += body


class _Rows(Reductions):
    """Reductions for all samples at once, which are the last axis."""

    def __init__(self, domain: tuple[Index, ...], place: Place, narrow: int) -> None:
        super().__init__(domain, place)
        self.narrow = narrow

    def fits(self, node: Expr, defined: set[Tensor]) -> bool:
        n = self.domain[-1]
        if n not in node.free_symbols or not super().fits(node, defined):
            return False
        reads = node.atoms(Access)
        beside = all(n not in a.free_symbols or (a.index[-1] == n and not any(n in p.free_symbols for p in a.index[:-1])) for a in reads)
        return beside or self.few(node.bound)

    def few(self, bound: Sequence[Index]) -> bool:
        extent = sympy.Mul(*(b.extent for b in bound))
        return bool(extent.is_Integer and extent <= self.narrow)

    def made(self, node: Expr, axes: tuple[Index, ...]) -> Expr:
        if isinstance(node, LogSumExp):
            top = self.made(Max(node.body, *node.bound), axes)
            # Where the largest value is infinite there is nothing to shift; otherwise inf − inf would be NaN.
            shift = top * finite(top)
            total = self.row("total", axes, S.Zero)
            self.statements += accumulation(node.bound, axes, sympy.exp(node.body - shift), lambda value: Add(total, value))
            return shift + sympy.log(total)
        if isinstance(node, Max):
            top = self.row("top", axes, -sympy.oo)
            self.statements += accumulation(node.bound, axes, node.body, lambda value: Raise(top, value), kind="largest")
            return top
        total = self.row("total", axes, S.Zero)
        self.statements += accumulation(node.bound, axes, node.body, lambda value: Add(total, value))
        return total

    def kept(self, node: Expr, value: Expr) -> Access:
        """Return the value of a reduction as an entry of a row."""
        if isinstance(value, Access):
            return value
        return self.row("value", tuple(i for i in self.domain if i in node.free_symbols), value)

    def row(self, name: str, axes: tuple[Index, ...], first: Expr) -> Access:
        made = self.place(name, axes)[axes]
        body: tuple[Statement, ...] = (Store(made, first),)
        for index in reversed(axes):
            body = (Loop(index, S.Zero, index.extent, body),)
        self.statements += body
        return made


__all__ = ["Place", "Reductions", "across", "row_by_row", "searching"]
