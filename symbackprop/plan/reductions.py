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
from symbackprop.plan.nests import accumulation, finite, leaves, loops, same_window
from symbackprop.plan.records import Add, Loop, Raise, Statement, Store

#: Makes a tensor of workspace from a name and axes.
Place = Callable[[str, tuple[Index, ...]], Tensor]


def across(
    equations: Sequence[Equation],
    stored: frozenset[str],
    place: Place,
    samples: Expr,
    narrow: int,
    known: dict[Expr, Expr] | None = None,
) -> tuple[Statement, ...]:
    """Return the nest of some equations, with the reductions of each sample done for all samples at once.

    Args:
        equations: their left sides have the same indices.
        stored: names of the tensors that are written to memory.
        place: makes workspace.
        samples: the extent of the batch axis.
        narrow: places of other axes, at most, over which memory is read with gaps.
        known: what reductions are done before; those that are done here join them.
    """
    domain = equations[0].lhs.index
    if not domain or domain[-1].extent != samples:
        return loops(equations, stored)
    defined = {e.tensor for e in equations}
    maker = _Rows(domain, place, narrow)
    maker.known = {} if known is None else known
    made = []
    for e in [maker.softmax(e, defined) for e in equations]:
        swap = {node: value for node in searching(e.rhs, equations) if (value := maker.value(node, defined)) is not None}
        if any(not a.plain for a in e.rhs.atoms(Access)):
            # What reads at computed places is done one by one; functions of whole rows come before it.
            swap = {node: maker.kept(node, value) for node, value in swap.items()}
        made.append(with_right_side(e, e.rhs.xreplace(swap)))
    return (*maker.statements, *loops(made, stored))


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

    def __init__(self, domain: tuple[Index, ...], place: Place) -> None:
        self.domain, self.place = domain, place
        self.statements: list[Statement] = []
        self.known: dict[Expr, Expr] = {}

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


class _Rows(Reductions):
    """Reductions for all samples at once, which are the last axis."""

    def __init__(self, domain: tuple[Index, ...], place: Place, narrow: int) -> None:
        super().__init__(domain, place)
        self.narrow = narrow
        #: For a logarithm of a sum of exponentials these, and their sum; they are kept while a softmax asks for them.
        self.terms: dict[Expr, tuple[Tensor, Access]] = {}
        self.keeping = False

    def fits(self, node: Expr, defined: set[Tensor]) -> bool:
        n = self.domain[-1]
        if n not in node.free_symbols or not super().fits(node, defined):
            return False
        reads = node.atoms(Access)
        beside = all(n not in a.free_symbols or (a.index[-1] == n and not any(n in p.free_symbols for p in a.index[:-1])) for a in reads)
        return beside or self.few(node.bound)

    def softmax(self, e: Equation, defined: set[Tensor]) -> Equation:
        """Return an equation with exp(x[i] − log Σ_j exp x[j]) read off the terms of that sum, which are kept for it."""
        swap: dict[Expr, Expr] = {}
        for node in sorted(e.rhs.atoms(sympy.exp), key=sympy.default_sort_key):
            for sum_ in (-term for term in sympy.Add.make_args(node.args[0]) if isinstance(-term, LogSumExp) and len((-term).bound) == 1):
                (j,), rest = sum_.bound, node.args[0] + sum_
                i = next((i for i in self.domain if i.extent == j.extent and rest == sum_.body.xreplace({j: i})), None)
                if i is None or (canonical(sum_) in self.known and canonical(sum_) not in self.terms):
                    continue
                self.keeping = True
                if self.value(sum_, defined) is not None:
                    terms, total = self.terms[canonical(sum_)]
                    swap[node] = terms[(i, *total.index)] / total
                self.keeping = False
        return with_right_side(e, e.rhs.xreplace(swap)) if swap else e

    def few(self, bound: Sequence[Index]) -> bool:
        extent = sympy.Mul(*(b.extent for b in bound))
        return bool(extent.is_Integer and extent <= self.narrow)

    def made(self, node: Expr, axes: tuple[Index, ...]) -> Expr:
        if isinstance(node, LogSumExp):
            top = self.made(Max(node.body, *node.bound), axes)
            # Where the largest value is infinite there is nothing to shift; otherwise inf − inf would be NaN.
            shift = top * finite(top)
            total = self.row("total", axes, S.Zero)
            value = sympy.exp(node.body - shift)
            if self.keeping:
                place = (*node.bound, *axes)
                terms = self.place("terms", place)
                self.terms[canonical(node)] = terms, total
                self.statements += accumulation(node.bound, axes, value, lambda value: Store(terms[place], value))
                value = terms[place]
            self.statements += accumulation(node.bound, axes, value, lambda value: Add(total, value))
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


__all__ = ["Place", "Reductions", "across", "searching"]
