"""Which sums are matrix products: by the roles of their indices, and whether it pays to tile them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sympy
from sympy import Expr

from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import ArgMax, Reduction, Sum
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.plan.naming import with_right_side
from symbackprop.plan.nests import loops
from symbackprop.plan.records import Contraction, Machine, Product


@dataclass(frozen=True)
class Candidate:
    """A sum Σ_k first[rows, k] second[columns, k] inside an equation over (rows, columns), axes in any order.

    Attributes:
        node: the sum.
        scale: the number in it.
        first: the operand that has the equation's first index.
        second: the operand that has its second index.
        inner: the index k.
    """

    node: Expr
    scale: Expr
    first: Access
    second: Access
    inner: Index


def candidates(equation: Equation) -> tuple[Candidate, ...]:
    """Return the matrix products of an equation over two indices, outermost sums only, in reading order."""
    if len(equation.lhs.index) != 2:
        return ()
    found: list[Candidate] = []
    stack: list[Expr] = [equation.rhs]
    while stack:
        node = stack.pop()
        if isinstance(node, Sum):
            made = _candidate(node, equation.lhs.index)
            if made is not None and all(c.node != node for c in found):
                found.append(made)
        elif not isinstance(node, Reduction | ArgMax | Access):
            stack.extend(reversed(node.args))
    return tuple(found)


def _candidate(node: Sum, out: tuple[Index, Index]) -> Candidate | None:
    if len(node.bound) != 1:
        return None
    k = node.bound[0]
    factors = sympy.Mul.make_args(node.body)
    reads = [f for f in factors if isinstance(f, Access)]
    numbers = [f for f in factors if not isinstance(f, Access)]
    if len(reads) != 2 or any(not f.is_Number for f in numbers):
        return None
    roles: dict[Index, Access] = {}
    for a in reads:
        if not a.plain or len(a.index) != 2 or k not in a.index or a.tensor.integer:
            return None
        if any(part.extent != axis.extent for part, axis in zip(a.index, a.tensor.axes, strict=True)):
            return None
        other = a.index[1 - a.index.index(k)]
        if other not in out or other in roles:
            return None
        roles[other] = a
    return Candidate(node, sympy.Mul(*numbers), roles[out[0]], roles[out[1]], k)


@dataclass(frozen=True)
class Choice:
    """How one candidate is computed: "plain", "direct" (result as the equation has it) or "swapped" (its transpose)."""

    form: str
    copied: bool
    parallel: bool
    reason: str


def choose(candidate: Candidate, out: tuple[Index, Index], size: Mapping[Expr, int], machine: Machine) -> Choice:
    """Return the cheapest form for given extents.

    The tiled product reads its right operand row by row: where that lies the other way round it is transposed first. Costs
    are in units of one tiled multiply-add.
    """
    rows, columns, inner = size[out[0].extent], size[out[1].extent], size[candidate.inner.extent]
    work = rows * columns * inner
    if work < machine.tile:
        return Choice("plain", False, False, f"{work:,} multiply-adds: plain loops")
    copy_second = candidate.second.index[0] != candidate.inner
    copy_first = candidate.first.index[0] != candidate.inner
    costs = {
        "direct": work * (columns + machine.start) // columns + machine.copy * copy_second * inner * columns,
        "swapped": work * (rows + machine.start) // rows + machine.copy * (copy_first * inner * rows + rows * columns),
        "plain": work * machine.plain,
    }
    form = min(costs, key=lambda name: (costs[name], name))
    if form == "plain":
        return Choice("plain", False, False, f"{work:,} multiply-adds, too narrow to tile: plain loops")
    parallel = work >= machine.parallel
    copied = copy_second if form == "direct" else copy_first
    words = [f"{work:,} multiply-adds: tiled product"]
    words += ["of the transposes"] * (form == "swapped") + ["one operand transposed first"] * copied
    words += ["rows shared among threads"] * parallel
    return Choice(form, copied, parallel, ", ".join(words))


def contraction(
    group: Sequence[Equation], choices: Sequence[tuple[Candidate, Choice]], stored: frozenset[str]
) -> tuple[Contraction, tuple[Tensor, ...]]:
    """Return products for the chosen sums of a group's first equation, the rest as epilogue; and the scratch tensors."""
    head = group[0]
    out: tuple[Index, Index] = head.lhs.index
    products: list[Product] = []
    scratch: list[Tensor] = []
    rhs = head.rhs
    taken = {t.name for e in group for t in (e.tensor, *e.reads)}

    def place(name: str, axes: tuple[Index, ...]) -> Tensor:
        while name in taken:
            name += "_"
        taken.add(name)
        scratch.append(Tensor(name, axes, "stored"))
        return scratch[-1]

    in_place = head.tensor.name in stored and [c.form for _, c in choices] == ["direct"]
    for number, (candidate, choice) in enumerate(choices, 1):
        suffix = "" if len(choices) == 1 else f"_{number}"
        (row, left), (column, right) = (out[0], candidate.first), (out[1], candidate.second)
        if choice.form == "swapped":
            (row, left), (column, right) = (column, right), (row, left)
        k = candidate.inner
        copied = None
        if choice.copied:
            copied = place(f"{right.tensor.name}_transposed{suffix}", (k, column))
        if in_place:
            result = head.tensor
        else:
            result = place(f"products{suffix}", (row, column))
        products.append(Product(result, left.tensor, left.index[0] == k, right.tensor, copied, choice.parallel))
        rhs = rhs.xreplace({candidate.node: candidate.scale * result[row, column]})
    rest = (with_right_side(head, rhs), *group[1:])
    done = in_place and rhs == head.lhs
    epilogue = loops(rest, stored) if not done else loops(rest[1:], stored) if len(rest) > 1 else ()
    return Contraction(tuple(group), tuple(products), epilogue), tuple(scratch)


__all__ = ["Candidate", "Choice", "candidates", "choose", "contraction"]
