"""A recurrence as a loop over its running index: in each step one group of equations after the other."""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from symbackprop.algebra.equation import Equation
from symbackprop.algebra.recurrence import Recurrence
from symbackprop.plan.classify import Choice, Site, sites
from symbackprop.plan.contractions import Scratch, contraction
from symbackprop.plan.naming import with_right_side
from symbackprop.plan.nests import loops
from symbackprop.plan.records import Loop, Statement


def ordered(recurrence: Recurrence[Equation]) -> tuple[Equation, ...]:
    """Return the equations of one step, all over the running index of the first.

    Each has loops of its own: a compiler makes vectors of loops that write one array, and no longer of those that write many.
    """
    running = recurrence.index(0)
    made = []
    for number, e in enumerate(recurrence.equations):
        swap = {recurrence.index(number): running}
        equation = object.__new__(Equation)
        object.__setattr__(equation, "lhs", e.lhs.xreplace(swap))
        made.append(with_right_side(equation, e.rhs.xreplace(swap)))
    return tuple(made)


def step_sites(recurrence: Recurrence[Equation]) -> tuple[tuple[str, Site], ...]:
    """Return the sums of one step for which there is more than plain loops, with the names of what is defined by them."""
    running = recurrence.index(0)
    return tuple((e.tensor.name, site) for e in ordered(recurrence) for site in sites(e, (running,)))


def steps(recurrence: Recurrence[Equation], chosen: Sequence[tuple[str, Site, Choice]], scratch: Scratch) -> tuple[Statement, ...]:
    """Return the loop that computes a recurrence; ``chosen`` has the sums of `step_sites` that are more than plain loops."""
    running = recurrence.index(0)
    before: list[Statement] = []
    body: list[Statement] = []
    for e in ordered(recurrence):
        stored = frozenset((e.tensor.name,))
        picks = [(0, site, choice) for name, site, choice in chosen if name == e.tensor.name]
        if picks:
            tops, statements = contraction((e,), picks, stored, scratch, (running,))
            before += tops
            body += statements
        else:
            body += loops((e,), stored, given=(running,))
    return (*before, Loop(running, sympy.S.Zero, running.extent, tuple(body), recurrence.descending))


__all__ = ["ordered", "step_sites", "steps"]
