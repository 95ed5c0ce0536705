"""Sums over everything as sums over the samples of the sums of each sample: Σ_{n, i} f[n, i] = Σ_n S[n] with S[n] = Σ_i f[n, i].

As it stands, a loss is one number that waits for all samples: one addition after the other, by one thread. What is summed for one
sample alone is made with the sample, by the thread that has it, and only one number of each sample is left to add in the order of
the samples: the bits are the same for any number of threads. The change is made in the equations; no later part of the planner
knows of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import sympy
from sympy import Expr, Symbol

from symbackprop.algebra.equation import Block, Equation, Template
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import ArgMax, Guard, Reduction, Sum
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.plan.naming import with_right_side
from symbackprop.plan.records import Machine

#: What is appended to the name of a number for the whole batch, for its sums of each sample.
EACH = ".each"


@dataclass(frozen=True)
class Summed:
    """Blocks whose sums over everything are made sample by sample.

    Attributes:
        blocks: in order.
        tensors: by name, with those of the sums.
    """

    blocks: tuple[Block, ...]
    tensors: Mapping[str, Tensor]


def sample_by_sample(blocks: Sequence[Block], tensors: Mapping[str, Tensor], size: Symbol, batch: int, machine: Machine) -> Summed:
    """Return the same equations with sums over samples and more in two, where the sum of one sample is worth vectors.

    Args:
        blocks: of both passes.
        tensors: every tensor by name.
        size: of the batch.
        batch: the number that is planned for.
        machine: that it is planned for.
    """
    known = dict(tensors)
    made = []
    for block in blocks:
        equations: list[Equation] = []
        names = dict(block.names)
        for e in block.template.equations:
            swap: dict[Expr, Expr] = {}
            for node in () if e.lhs.index else sorted(e.rhs.atoms(Sum), key=sympy.default_sort_key):
                n = _sample(node, block.sizes, size)
                rest = tuple(i for i in node.bound if i != n)
                if n is None or not _worth(rest, block.sizes, batch, machine):
                    continue
                mark = EACH if not swap else f"{EACH}_{len(swap) + 1}"
                own = _named(node, n)
                each = Tensor(e.tensor.name + mark, (own,), "stored")
                real = block.names[e.tensor.name] + mark
                names[each.name] = real
                known[real] = Tensor(real, (Index(own.name, size),), "stored")
                equations.append(with_right_side(Equation(each[own], sympy.S.Zero), Sum(node.body.xreplace({n: own}), *rest)))
                swap[node] = Sum(each[n], n)
            equations.append(with_right_side(e, e.rhs.xreplace(swap)) if swap else e)
        if len(equations) > len(block.template.equations):
            template = block.template
            block = replace(block, template=Template(f"{template.key}|each", tuple(equations), template.facts, template.kept), names=names)
        made.append(block)
    return Summed(tuple(made), known)


def _sample(node: Sum, sizes: Mapping[Symbol, Expr], size: Symbol) -> Index | None:
    """Return the index of the samples, where each term reads one sample, whose entries lie side by side.

    Where entries are added as they lie there is none: one thread does that as fast as memory is read.
    """
    found = [i for i in node.bound if i.extent.xreplace(dict(sizes)) == size]
    if len(found) != 1 or len(node.bound) < 2 or isinstance(node.body, Access) or node.body.has(Reduction, ArgMax, Guard):
        return None
    (n,) = found
    reads = node.body.atoms(Access)
    first = all(a.plain and (n not in a.index or a.index.index(n) == 0) for a in reads)
    return n if first and any(n in a.index for a in reads) else None


def _named(node: Sum, n: Index) -> Index:
    """Return the index of the samples with the name of an axis that it runs over."""
    axes = [a.tensor.axes[0] for a in sorted(node.body.atoms(Access), key=sympy.default_sort_key) if n in a.index]
    return Index(axes[0].name, n.extent)


def _worth(rest: Sequence[Index], sizes: Mapping[Symbol, Expr], batch: int, machine: Machine) -> bool:
    """Whether a sum over some indices is long enough for vectors, and that of all samples for a loop of its own."""
    extents = [i.extent.xreplace(dict(sizes)) for i in rest]
    if not all(extent.is_Integer for extent in extents):
        return False
    length = math.prod(int(extent) for extent in extents)
    return length >= 2 * machine.lanes and batch * length >= machine.tile


__all__ = ["EACH", "Summed", "sample_by_sample"]
