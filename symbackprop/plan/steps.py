"""A recurrence as a loop over its running index: in each step one group of equations after the other."""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.recurrence import Recurrence
from symbackprop.algebra.tensor import Access
from symbackprop.plan.classify import Choice, Site, sites
from symbackprop.plan.contractions import Scratch, contraction
from symbackprop.plan.naming import with_right_side
from symbackprop.plan.nests import loops
from symbackprop.plan.records import Loop, Statement


def grouped(recurrence: Recurrence[Equation]) -> tuple[tuple[Equation, ...], ...]:
    """Return the equations of one step in groups that share their loops, all over the running index of the first."""
    running = recurrence.index(0)
    groups: list[list[Equation]] = []
    for number, e in enumerate(recurrence.equations):
        own = recurrence.index(number)
        swap = {own: running}
        lhs, rhs = e.lhs.xreplace(swap), e.rhs.xreplace(swap)
        made = object.__new__(Equation)
        object.__setattr__(made, "lhs", lhs)
        made = with_right_side(made, rhs)
        if False and groups and _joins(made, groups[-1], running):
            groups[-1].append(made)
        else:
            groups.append([made])
    return tuple(map(tuple, groups))


def step_sites(recurrence: Recurrence[Equation]) -> tuple[tuple[str, Site], ...]:
    """Return the sums of one step for which there is more than plain loops, with the names of what is defined by them."""
    running = recurrence.index(0)
    return tuple((e.tensor.name, site) for group in grouped(recurrence) for e in group for site in sites(e, (running,)))


def _joins(e: Equation, group: Sequence[Equation], running: Index) -> bool:
    """Whether an equation reads what its group makes in this step only where it writes itself."""
    domain = group[0].lhs.index
    if e.lhs.index != domain:
        return False
    inside = {member.tensor for member in group}
    now = (a for a in e.rhs.atoms(Access) if a.tensor in inside and running in a.index)
    return all(a.index == domain for a in now)


def steps(recurrence: Recurrence[Equation], chosen: Sequence[tuple[str, Site, Choice]], scratch: Scratch) -> tuple[Statement, ...]:
    """Return the loop that computes a recurrence; ``chosen`` has the sums of `step_sites` that are more than plain loops."""
    running = recurrence.index(0)
    before: list[Statement] = []
    body: list[Statement] = []
    for group in grouped(recurrence):
        stored = frozenset(e.tensor.name for e in group)
        picks = [(k, site, choice) for k, e in enumerate(group) for name, site, choice in chosen if name == e.tensor.name]
        if picks:
            tops, statements = contraction(group, picks, stored, scratch, (running,))
            before += tops
            body += statements
        else:
            body += loops(group, stored, given=(running,))
    return (*before, Loop(running, sympy.S.Zero, running.extent, tuple(body), recurrence.descending))


__all__ = ["grouped", "step_sites", "steps"]
