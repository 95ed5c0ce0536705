"""Which loops may be shared among threads: those none of whose passes needs what another one writes.

An equation writes every entry once, so most loops over its left side are such; recurrences and what is added up where an
address says are not. It is read off the statements: an entry that two passes touch must be told apart by the loop's index.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import sympy
from sympy import Expr

from symbackprop.algebra.index import Index
from symbackprop.algebra.tensor import Access
from symbackprop.plan.records import Add, Choose, Let, Local, Loop, Raise, Statement, Store, Update, When
from symbackprop.plan.rewriting import expressions, inside, named

Spans = Mapping[Index, tuple[Expr, Expr] | None]


@dataclass(frozen=True)
class Touched:
    """What statements read and write in memory."""

    reads: tuple[Access, ...]
    writes: tuple[Access, ...]

    @property
    def written(self) -> frozenset[str]:
        """Names of the tensors that are written."""
        return frozenset(a.tensor.name for a in self.writes)


def touched(statements: Sequence[Statement]) -> Touched:
    """Return the accesses of statements, each once."""
    writes: dict[Access, None] = {}
    reads: dict[Access, None] = {}
    for s in inside(tuple(statements)):
        values: Iterator[Expr]
        if isinstance(s, Store | Add | Raise):
            writes[s.access] = None
            values = expressions((s.value, *s.access.index) if isinstance(s, Store) else (s.access, s.value))
        elif isinstance(s, Loop):
            values = expressions((s.start, s.stop))
        elif isinstance(s, When):
            values = expressions(s.guards)
        else:
            values = expressions(s)
        for e in values:
            reads.update(dict.fromkeys(sorted(e.atoms(Access), key=sympy.default_sort_key)))
    return Touched(tuple(reads), tuple(writes))


def parallel(loop: Loop, around: Sequence[Statement] = ()) -> bool:
    """Whether the passes of a loop may be done in any order, by different threads.

    Args:
        loop: the loop.
        around: statements that contain it, where its index is to be told apart in all of them.
    """
    body = tuple(around) or (loop,)
    if _carried(loop.body):
        return False
    seen = touched(body)
    spans = _spans(body)
    own = frozenset(named(body))
    for name in seen.written:
        accesses = [a for a in (*seen.writes, *seen.reads) if a.tensor.name == name]
        if not _apart(accesses, loop.index, spans, own):
            return False
    return True


def _spans(body: Sequence[Statement]) -> dict[Index, tuple[Expr, Expr] | None]:
    """Return the ends of loops, by index; None where two loops over one index differ."""
    found: dict[Index, tuple[Expr, Expr] | None] = {}
    for s in inside(body):
        if isinstance(s, Loop):
            ends = (s.start, s.stop)
            found[s.index] = ends if found.get(s.index, ends) == ends else None
    return found


def _apart(accesses: Sequence[Access], index: Index, spans: Spans, own: frozenset[Local]) -> bool:
    """Whether accesses of one tensor touch different entries for different values of an index."""
    rank = len(accesses[0].index)
    if any(all(a.index[axis] == index for a in accesses) for axis in range(rank)):
        return True
    if any(a.index != accesses[0].index for a in accesses):
        return False
    return any(_steps_over(part, index, spans, own) for part in accesses[0].index)


def _steps_over(part: Expr, index: Index, spans: Spans, own: frozenset[Local]) -> bool:
    """Whether a place c·i + … never comes back for another i, whatever the indices of inner loops are.

    Locals of a pass may differ from those of another one.
    """
    if index not in part.free_symbols or part.has(Access) or part.free_symbols & own:
        return False
    stride = sympy.expand(part).coeff(index)
    rest = sympy.expand(part - stride * index)
    if not stride.is_Integer or stride == 0 or index in rest.free_symbols:
        return False
    span = 0
    for other in rest.free_symbols & spans.keys():
        factor = rest.coeff(other)
        ends = spans[other]
        # What begins elsewhere in another pass moves with it.
        if ends is None or not ends[0].is_Integer or not ends[1].is_Integer:
            return False
        extent = ends[1] - ends[0]
        if not factor.is_Integer or sympy.expand(rest - factor * other).has(other):
            return False
        span += abs(int(factor)) * max(0, int(extent) - 1)
    return abs(int(stride)) > span


def _carried(body: Sequence[Statement]) -> bool:
    """Whether a pass changes a local that stands outside the loop."""
    own = {s.local for s in inside(tuple(body)) if isinstance(s, Let)}
    for s in inside(tuple(body)):
        if isinstance(s, Update) and s.local not in own:
            return True
        if isinstance(s, Choose) and s.best not in own:
            return True
    return False


__all__ = ["Touched", "parallel", "touched"]
