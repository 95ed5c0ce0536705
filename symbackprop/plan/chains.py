"""One loop for a chain from entry to entry that runs through both passes.

Where an input gradient is made, place by place, of what the forward pass makes at the same place, both want the same functions
of the same numbers. In one loop each of them is computed once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sympy import Expr, Symbol

from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import ArgMax, Guard, Reduction
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.plan.nests import loops
from symbackprop.plan.records import Call, Kernel, Nest, Share, Stage
from symbackprop.plan.share import Shapes, cut


def joined(stages: Sequence[Stage], results: frozenset[str], shapes: Shapes, size: Symbol) -> tuple[Stage, ...]:
    """Return the stages of an entry in which what makes a result has joined what makes the values that it reads.

    Args:
        stages: of the entry.
        results: names of arrays of the caller, which share their memory with nothing.
        shapes: of every tensor.
        size: the batch size.
    """
    return tuple(replace(s, shares=_joined(s.shares, results, shapes, size)) if s.kind == "samples" else s for s in stages)


def _joined(shares: Sequence[Share], results: frozenset[str], shapes: Shapes, size: Symbol) -> tuple[Share, ...]:
    made: list[Share] = []
    home: dict[str, int] = {}
    for share in shares:
        call = share.call
        where = max((home[name] for name in call.names if name in home), default=-1)
        if where >= 0 and set(call.written) <= results and (both := _together(made[where].call, call, shapes)) is not None:
            along = cut(both.kernel, size)
            if along is not None:
                made[where] = Share(both, "N", along)
                home.update((name, where) for name in call.written)
                continue
        home.update((name, len(made)) for name in call.written)
        made.append(share)
    return tuple(made)


def _together(first: Call, second: Call, shapes: Shapes) -> Call | None:
    """Return one call for two, the second of which reads what the first one writes; None where their loops differ."""
    a, b = first.kernel, second.kernel
    if not (_plain(a) and _plain(b)):
        return None
    one, other = a.body.equations[0].lhs.index, b.body.equations[0].lhs.index
    written = dict(zip(first.names, a.arguments, strict=True))
    if len(one) != len(other) or _shape(first, shapes) != _shape(second, shapes):
        return None
    # In the names of the first kernel: sizes, indices, tensors.
    sizes = {j.extent: i.extent for i, j in zip(one, other, strict=True) if j.extent != i.extent}
    known = {s for t in a.arguments for extent in t.shape for s in extent.free_symbols}
    needed = {s for t in b.arguments for extent in t.shape for s in extent.xreplace(sizes).free_symbols}
    numbers = dict(zip(a.integers, first.integers, strict=True))
    more = dict(zip(b.integers, second.integers, strict=True))
    if not needed <= known or any(s in sizes or s in known or numbers.get(s, value) != value for s, value in more.items()):
        return None
    swap: dict[Any, Any] = dict(sizes)
    for t in b.arguments:
        swap.update((i, Index(i.name, i.extent.xreplace(sizes))) for i in t.axes)
    swap.update(zip(other, one, strict=True))
    taken = {t.name for t in (*a.arguments, *(e.tensor for e in a.body.equations))}
    names = dict(zip(second.names, b.arguments, strict=True))
    for real, t in names.items():
        swap[t] = written[real] if real in written else _fresh(t, sizes, taken)
    for e in b.body.equations:
        if e.tensor not in swap:
            swap[e.tensor] = _fresh(e.tensor, sizes, taken)
    equations = (*a.body.equations, *(e.xreplace(swap) for e in b.body.equations))
    made = {t.name for t in a.arguments if t.name in a.written}
    if any(x.tensor.name in made and x.index != one for e in equations for x in e.rhs.atoms(Access)):
        return None
    stored = (*a.written, *(swap[t].name for t in b.arguments if t.name in b.written))
    places = {**written, **{real: swap[t] for real, t in names.items()}}
    order = [real for real, t in places.items() if t.name not in stored] + [real for real, t in places.items() if t.name in stored]
    kernel = Kernel(
        name=f"{b.name}_with_{'_'.join(a.written)}",
        arguments=tuple(places[real] for real in order),
        written=stored,
        scratch=(),
        integers=(*a.integers, *(s for s in b.integers if s not in a.integers)),
        body=Nest(equations, loops(equations, frozenset(stored))),
        reason=f"in one loop with {a.name}, whose functions it needs",
    )
    integers = tuple({**numbers, **more}[s] for s in kernel.integers)
    slots = {**first.slots, **{swap[t].name: real for real, t in names.items()}}
    return Call(kernel, tuple(order), integers, second.owner, slots, first.flops + second.flops, first.entries + second.entries)


def _plain(kernel: Kernel) -> bool:
    """Whether a kernel is loops over entries and nothing else."""
    equations = kernel.body.equations
    if kernel.scratch or any(e.rhs.has(Reduction, ArgMax, Guard) or not e.lhs.index or e.tensor.integer for e in equations):
        return False
    return kernel.body.statements == loops(equations, frozenset(kernel.written))


def _shape(call: Call, shapes: Shapes) -> tuple[int | str, ...]:
    """Return the shape of what a call writes."""
    return shapes[call.written[0]]


def _fresh(t: Tensor, sizes: Mapping[Expr, Expr], taken: set[str]) -> Tensor:
    """Return a tensor for another kernel, under a name that is not taken there."""
    name, count = t.name, 1
    while name in taken:
        count += 1
        name = f"{t.name}_{count}"
    taken.add(name)
    axes = tuple(Index(i.name, i.extent.xreplace(dict(sizes))) for i in t.axes)
    return Tensor(name, axes, "stored", integer=t.integer, positive=t.positive)


__all__ = ["joined"]
