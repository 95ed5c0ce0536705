"""Reductions of rows whose entries lie side by side, and what is made of them in the same loop, while the row is at hand.

A normalisation, a softmax and their gradients take one or two numbers from a row, and then look at its entries again. Exponentials
that the reduction of a row has taken are read off where they are wanted again.
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy
from sympy import Expr, S

from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import ArgMax, Guard, Indicator, LogSumExp, Max, Reduction, Sum
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.plan.naming import with_right_side
from symbackprop.plan.nests import accumulation, finite, leaves, loops, masked
from symbackprop.plan.records import Largest, Let, Local, Loop, Statement, Store, Total
from symbackprop.plan.reductions import Place, Reductions, searching


def line_by_line(equations: Sequence[Equation], stored: frozenset[str], place: Place) -> tuple[Statement, ...]:
    """Return the nest of some equations with the reductions of each row done in lanes, before what reads them.

    Args:
        equations: their left sides have the same indices.
        stored: names of the tensors that are written to memory.
        place: makes workspace.
    """
    domain = equations[0].lhs.index
    if not domain or any(e.lhs.index != domain for e in equations):
        return loops(equations, stored)
    return _Lines(domain, place).nest(equations, stored)


class _Lines(Reductions):
    """Reductions of what lies side by side, row by row; what follows them is done in the same loop, while the row is at hand.

    Attributes:
        here: the statements inside the loops over the first axes, by their number.
        again: functions of a row that are already there, entry by entry.
    """

    def __init__(self, domain: tuple[Index, ...], place: Place) -> None:
        super().__init__(domain, place)
        self.here: list[list[Statement]] = [[] for _ in range(len(domain) + 1)]
        self.again: dict[Expr, Expr] = {}
        self.names: dict[str, int] = {}

    def nest(self, equations: Sequence[Equation], stored: frozenset[str]) -> tuple[Statement, ...]:
        """Return the nest of some equations."""
        done: set[Tensor] = set()
        waiting: list[Equation] = []
        for e in equations:
            swap: dict[Expr, Expr] = {}
            for node in searching(e.rhs, equations):
                own = {other.tensor for other in waiting}
                whole = self.axes(node) == self.domain and all(t.name in stored for t in own)
                if whole and any(a.tensor in own for a in node.atoms(Access)) and self.fits(node, set()):
                    # What it reads must be written by then.
                    self.here[-1] += loops(waiting, stored, given=self.domain)
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
            (j,) = read.index
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
        term = term.xreplace(lets)
        # Entries are taken where they lie if the index runs along the whole of their axis.
        there = not seen and isinstance(term, Access) and term.tensor.axes[-1].extent == j.extent
        tensor, places = (term.tensor, term.index[:-1]) if there else (None, ())
        terms = None if tensor is not None and not isinstance(node, LogSumExp) else self.place("terms", (j,))
        read = term
        if tensor is None:
            assert terms is not None
            if seen:
                # What is not seen is −∞: no largest value, and nothing in the sum.
                value = self.local("value")
                choice = (Let(value, term), Store(terms[j], value + sympy.log(sympy.Mul(*seen))))
                body.append(Loop(j, S.Zero, j.extent, choice))
            else:
                body += accumulation((j,), (), term, lambda value: Store(terms[j], value))
            tensor, read = terms, terms[j]
        if isinstance(node, Sum):
            total = self.result("total", axes)
            self.around(axes, (*body, Total(total, tensor, places)))
            return total
        top = self.result("top", axes)
        body.append(Largest(top, tensor, places))
        if isinstance(node, Max):
            self.around(axes, body)
            return top
        assert terms is not None
        shift, total = self.result("shift", axes), self.result("total", axes)
        # Where the largest value is infinite there is nothing to shift; otherwise inf − inf would be NaN.
        first = top * finite(top)
        body.append(Let(shift, first) if isinstance(shift, Local) else Store(shift, first))
        body.append(Loop(j, S.Zero, j.extent, (Store(terms[j], sympy.exp(read - shift)),)))
        self.around(axes, (*body, Total(total, terms, ())))
        if isinstance(shift, Local):
            back = {local: a for a, local in lets.items()}
            self.again[sympy.exp(term.xreplace(back) - shift)] = terms[j]
        return shift + sympy.log(total)

    def result(self, name: str, axes: tuple[Index, ...]) -> Access | Local:
        """Return where a number of a row is kept: in a local, where the loops around it are those of what follows."""
        return self.local(name) if axes == self.domain[: len(axes)] else self.place(name, axes)[axes]

    def around(self, axes: tuple[Index, ...], body: Sequence[Statement]) -> None:
        """Add statements inside loops over some axes."""
        if axes == self.domain[: len(axes)]:
            self.here[len(axes)] += body
            return
        for index in reversed(axes):
            body = (Loop(index, S.Zero, index.extent, tuple(body)),)
        self.statements += body


__all__ = ["line_by_line"]
