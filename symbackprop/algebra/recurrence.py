"""Recurrences: equations that read themselves, or each other, one step earlier along an axis.

``h[t, i] = tanh(Σ_j U[i, j] h[t − 1, j] + x[t, i])`` has a meaning because t can be run through from 0 up: each step reads
what the steps before it gave. The adjoint reads ``h[t + 1]`` and runs down. Which axis it is, and which way it runs, is
found from the equations.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from sympy import Expr

from symbackprop.algebra.fault import Fault
from symbackprop.algebra.index import Index
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.algebra.text import marked
from symbackprop.errors import DeclarationError


class Defining(Protocol):
    """What is asked of an equation here."""

    @property
    def lhs(self) -> Access: ...
    @property
    def rhs(self) -> Expr: ...
    @property
    def tensor(self) -> Tensor: ...
    @property
    def reads(self) -> tuple[Tensor, ...]: ...


E = TypeVar("E", bound=Defining)


@dataclass(frozen=True)
class Recurrence(Generic[E]):
    """Equations that are computed together, step by step.

    Attributes:
        equations: in an order in which one step can be computed.
        places: for each of them, which axis of its left side is the running one.
        descending: whether it runs from the last position down to 0.
    """

    equations: tuple[E, ...]
    places: tuple[int, ...]
    descending: bool

    @property
    def extent(self) -> Expr:
        """How many steps there are."""
        return self.index(0).extent

    def index(self, number: int) -> Index:
        """Return the running index of an equation."""
        found: Index = self.equations[number].lhs.index[self.places[number]]
        return found

    @property
    def defined(self) -> tuple[str, ...]:
        """Names of the tensors that it defines."""
        return tuple(e.tensor.name for e in self.equations)


def strands(equations: Sequence[E]) -> tuple[E | Recurrence[E], ...]:
    """Return equations in an order in which they can be computed, those that read one another in a circle together.

    Raises:
        DeclarationError: a circle is no recurrence: nothing says where it begins.
    """
    number = {e.tensor.name: k for k, e in enumerate(equations)}
    reads = [tuple(number[t.name] for t in e.reads if t.name in number) for e in equations]
    if all(r < k for k, rs in enumerate(reads) for r in rs):
        return tuple(equations)
    component = _components(reads)
    members: dict[int, list[int]] = {}
    for k, c in enumerate(component):
        members.setdefault(c, []).append(k)
    waiting = {c: {component[r] for k in ks for r in reads[k]} - {c} for c, ks in members.items()}
    readers: dict[int, list[int]] = {}
    for c, needed in waiting.items():
        for other in sorted(needed):
            readers.setdefault(other, []).append(c)
    ready = [(ks[0], c) for c, ks in members.items() if not waiting[c]]
    heapq.heapify(ready)
    made: list[E | Recurrence[E]] = []
    while ready:
        _, c = heapq.heappop(ready)
        ks = members[c]
        circle = len(ks) > 1 or ks[0] in reads[ks[0]]
        made.append(_recurrence([equations[k] for k in ks]) if circle else equations[ks[0]])
        for reader in readers.get(c, ()):
            waiting[reader].discard(c)
            if not waiting[reader]:
                heapq.heappush(ready, (members[reader][0], reader))
    return tuple(made)


def _components(reads: Sequence[Sequence[int]]) -> list[int]:
    """Return for each node the number of its strongly connected component (Tarjan's algorithm, without recursion)."""
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    component = [-1] * len(reads)
    stack: list[int] = []
    count = 0
    for root in range(len(reads)):
        if root in order:
            continue
        work = [(root, 0)]
        while work:
            node, position = work.pop()
            if node not in order:
                order[node] = low[node] = len(order)
                stack.append(node)
            advanced = False
            for k in range(position, len(reads[node])):
                other = reads[node][k]
                if other not in order:
                    work += [(node, k), (other, 0)]
                    advanced = True
                    break
                if component[other] < 0:
                    low[node] = min(low[node], low[other])
            if advanced:
                continue
            if low[node] == order[node]:
                while True:
                    member = stack.pop()
                    component[member] = count
                    if member == node:
                        break
                count += 1
    return component


def _recurrence(equations: Sequence[E]) -> Recurrence[E]:
    """Find the running axis and the direction of equations that read one another."""
    names = {e.tensor.name: k for k, e in enumerate(equations)}
    accesses = [tuple(a for a in sorted(e.rhs.atoms(Access), key=str) if a.tensor.name in names) for e in equations]
    for first in range(equations[0].tensor.rank):
        places = _places(equations, accesses, names, first)
        if places is None:
            continue
        shifts = [
            (k, names[a.tensor.name], int(a.index[places[names[a.tensor.name]]] - e.lhs.index[places[k]]))
            for k, (e, found) in enumerate(zip(equations, accesses, strict=True))
            for a in found
        ]
        steps = {s < 0 for _, _, s in shifts if s}
        if len(steps) != 1:
            continue
        order = _step_order(len(equations), [(k, r) for k, r, s in shifts if s == 0])
        if order is None:
            continue
        return Recurrence(tuple(equations[k] for k in order), tuple(places[k] for k in order), descending=not steps.pop())
    tensors = ", ".join(names)
    lines = tuple(marked(e.lhs, e.rhs, found) for e, found in zip(equations, accesses, strict=True))
    says = f"{tensors} {'is' if len(names) == 1 else 'are'} defined by {'itself' if len(names) == 1 else 'each other'}"
    way = "a recurrence reads what was computed a step before, along one axis: sbp.InRange(t - 1, T) * h[n, t - 1, i]"
    raise DeclarationError(str(Fault(f"{equations[0].lhs}: {says}, and no axis runs from one step to the next", lines, way)))


def _places(
    equations: Sequence[Defining], accesses: Sequence[Sequence[Access]], names: Mapping[str, int], first: int
) -> dict[int, int] | None:
    """Return the running axis of every equation, given that of the first one; None where they do not agree."""
    places = {0: first}
    known = 0
    while known < len(places):
        known = len(places)
        for k, (e, found) in enumerate(zip(equations, accesses, strict=True)):
            for a in found:
                other = names[a.tensor.name]
                if k in places:
                    running = e.lhs.index[places[k]]
                    candidates = [p for p, part in enumerate(a.index) if (part - running).is_Integer]
                    if len(candidates) != 1 or places.setdefault(other, candidates[0]) != candidates[0]:
                        return None
                elif other in places:
                    part = a.index[places[other]]
                    candidates = [p for p, i in enumerate(e.lhs.index) if (part - i).is_Integer]
                    if len(candidates) != 1:
                        return None
                    places[k] = candidates[0]
    if len(places) < len(equations):
        return None
    extents = {e.lhs.index[places[k]].extent for k, e in enumerate(equations)}
    return places if len(extents) == 1 else None


def _step_order(count: int, edges: Sequence[tuple[int, int]]) -> list[int] | None:
    """Return the equations in an order in which one step can be computed, as near as may be to the given one."""
    needed = {k: {r for reader, r in edges if reader == k} for k in range(count)}
    order: list[int] = []
    while len(order) < count:
        ready = [k for k in range(count) if k not in order and needed[k] <= set(order)]
        if not ready:
            return None
        order.append(ready[0])
    return order


__all__ = ["Recurrence", "strands"]
