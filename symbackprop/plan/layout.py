"""Where the samples lie: first, as the caller's arrays have them, or last and side by side, as wide registers want them.

With the samples last, every sum over windows and every loop over places computes many samples at once, with no copy of any
window. The change is made in the equations: tensors between the network's ends get their batch axis last, and what enters or
leaves as an image is copied. No later part of the planner knows of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import sympy
from sympy import Expr, Symbol

from symbackprop.algebra.equation import Block, Equation, Template
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import Sum
from symbackprop.algebra.recurrence import Recurrence, strands
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.plan import fuse
from symbackprop.plan.naming import with_right_side
from symbackprop.plan.records import Machine

#: What is appended to the name of an array of the caller, for the tensor with the same entries and the samples last.
LAST = ".samples_last"


def pays(blocks: Sequence[Block], size: Symbol, batch: int, machine: Machine) -> bool:
    """Whether a network is better computed with the samples last: sums over windows are most of its work, and there are enough samples.

    A recurrence, whose steps are products of matrices of samples, keeps them first.
    """
    if batch < machine.last or not any(map(windows, blocks)) or any(map(recurrent, blocks)):
        return False
    work = {True: 0, False: 0}
    known: dict[tuple[str, tuple[Expr, ...]], int] = {}
    for block in blocks:
        key = block.template.key, tuple(block.sizes.values())
        if key not in known:
            total = sympy.Add(*(fuse.operations(e) for e in block.template.equations))
            total = total.xreplace(dict(block.sizes)).xreplace({size: sympy.Integer(batch)})
            known[key] = int(total) if total.is_Integer else 0
        work[windows(block)] += known[key]
    return work[True] > work[False]


@dataclass(frozen=True)
class Turned:
    """Blocks whose tensors have the samples last.

    Attributes:
        forward: with copies of the inputs in front.
        backward: with copies to the input gradients at the end.
        tensors: by name, with the new ones.
    """

    forward: tuple[Block, ...]
    backward: tuple[Block, ...]
    tensors: Mapping[str, Tensor]


def samples_last(
    forward: Sequence[Block],
    backward: Sequence[Block],
    tensors: Mapping[str, Tensor],
    size: Symbol,
    given: Sequence[str],
    written: Sequence[str],
    *,
    whole: bool,
    narrow: int,
    shared: bool = False,
) -> Turned:
    """Return the same equations with the samples last: in every tensor, or where there are a few numbers for each sample.

    Args:
        forward: blocks of the forward pass.
        backward: blocks of the backward pass.
        tensors: every tensor by name.
        size: of the batch.
        given: names of the tensors that the caller gives, samples first.
        written: names of those that the caller gets, samples first: outputs and input gradients.
        whole: whether that is done in every tensor.
        narrow: most numbers for each sample, in the loss and the error terms beside it, of which a row would not fill a register.
        shared: whether threads take ranges of samples; the error terms, which more than one of them reads, then keep theirs side by side.
    """
    ends = {name for name in (*given, *written) if name in tensors}
    inner = {name for name, t in tensors.items() if _turns(t, size) and name not in ends}
    loss = {b.names[slot] for b in forward if b.owner.split(".")[0] == "loss" for slot in b.template.defined}
    beside = {b.names[slot] for b in backward for slot in b.template.defined if any(b.names[free] in loss for free in b.template.free)}
    few = {name for name in inner & (loss if shared else loss | beside) if _few(tensors[name], narrow)}
    # What else belongs to the loss reads the outputs and the targets as they lie.
    turned = (inner - loss if whole else set()) | few
    # At the ends images are copied, and the few numbers that a loss reads; other rows are read and written where they lie.
    asked = {b.names[slot] for b in forward for slot in b.template.free if b.owner.split(".")[0] == "loss"} if few or not shared else set()
    copied = {name for name in ends if _turns(tensors[name], size) and not tensors[name].integer}
    copied = {name for name in copied if (whole and len(tensors[name].axes) > 2) or (name in asked and _few(tensors[name], narrow))}
    known = {**tensors, **{name: _turned(tensors[name]) for name in turned}}
    known |= {name + LAST: _named(_turned(tensors[name]), name + LAST) for name in copied}
    maker = _Turning(frozenset(turned | copied))
    ahead = [_copy(tensors[name], name, size, back=False) for name in given if name in copied]
    made: list[Block] = []
    for number, block in enumerate((*forward, *backward)):
        new = maker.block(block)
        names = {slot: real + LAST if real in copied else real for slot, real in new.names.items()}
        made.append(replace(new, names=names))
        for slot in block.template.defined:
            real = block.names[slot]
            if real in copied:
                made.append(_copy(tensors[real], real, size, back=True))
        if number == len(forward) - 1:
            stop = len(made)
    return Turned((*ahead, *made[:stop]), tuple(made[stop:]), known)


def windows(block: Block) -> bool:
    """Whether a block has a sum of products in which one factor is read at places that move with the result: a convolution."""
    for e in block.template.equations:
        for node in e.rhs.atoms(Sum):
            reads = [f for f in sympy.Mul.make_args(node.body) if isinstance(f, Access)]
            if len(reads) == 2 and any(len({s for s in part.free_symbols if isinstance(s, Index)}) > 1 for a in reads for part in a.index):
                return True
    return False


def recurrent(block: Block) -> bool:
    """Whether a block has values that are made one after the other."""
    return any(isinstance(strand, Recurrence) for strand in strands(block.template.equations))


def _turns(tensor: Tensor, size: Expr) -> bool:
    """Whether a tensor has the batch axis, in front of others."""
    return len(tensor.shape) > 1 and tensor.shape[0] == size and size not in tensor.shape[1:]


def _few(tensor: Tensor, narrow: int) -> bool:
    """Whether a tensor has one more axis than the samples, and a short one."""
    return len(tensor.shape) == 2 and bool(tensor.shape[1].is_Integer and tensor.shape[1] <= narrow)


def _turned(tensor: Tensor) -> Tensor:
    return Tensor(tensor.name, (*tensor.axes[1:], tensor.axes[0]), tensor.role, integer=tensor.integer, positive=tensor.positive)


def _named(tensor: Tensor, name: str) -> Tensor:
    return Tensor(name, tensor.axes, tensor.role, integer=tensor.integer, positive=tensor.positive)


def _copy(tensor: Tensor, name: str, size: Symbol, *, back: bool) -> Block:
    """Return the block that copies an array of the caller, or to it."""
    first, last = _named(tensor, name.split(".")[-1]), _named(_turned(tensor), LAST[1:])
    from_, to = (last, first) if back else (first, last)
    index = tuple(tensor.axes)
    turned = (*index[1:], index[0])
    lhs, rhs = (to[index], from_[turned]) if back else (to[turned], from_[index])
    key = f"samples last:{'back' if back else 'there'}:{first.name}:{','.join(str(i.extent) for i in index)}"
    names = {from_.name: name + LAST, to.name: name} if back else {from_.name: name, to.name: name + LAST}
    return Block(Template(key, (Equation(lhs, rhs),)), names, {}, name)


class _Turning:
    """Turns blocks, each template once for each set of its slots."""

    def __init__(self, turned: frozenset[str]) -> None:
        self.turned = turned
        self.made: dict[tuple[str, frozenset[str]], Template] = {}

    def block(self, block: Block) -> Block:
        slots = frozenset(slot for slot, real in block.names.items() if real in self.turned and slot in block.template.tensors)
        if not slots:
            return block
        key = (block.template.key, slots)
        if key not in self.made:
            template = block.template
            swap = {template.tensors[slot]: _turned(template.tensors[slot]) for slot in sorted(slots)}
            name = f"{template.key}|samples last:{','.join(sorted(slots))}"
            self.made[key] = Template(name, tuple(_equation(e, swap) for e in template.equations), template.facts, template.kept)
        return replace(block, template=self.made[key])


def _equation(e: Equation, swap: Mapping[Tensor, Tensor]) -> Equation:
    made = object.__new__(Equation)
    object.__setattr__(made, "lhs", _expression(e.lhs, swap))
    return with_right_side(made, _expression(e.rhs, swap))


def _expression(e: Expr, swap: Mapping[Tensor, Tensor]) -> Expr:
    """Return an expression that reads turned tensors."""
    found = (a for a in e.atoms(Access) if a.tensor in swap or any(part.has(Access) for part in a.index))
    return e.xreplace({a: _access(a, swap) for a in found})


def _access(a: Access, swap: Mapping[Tensor, Tensor]) -> Access:
    index = tuple(_expression(part, swap) if part.has(Access) else part for part in a.index)
    if a.tensor not in swap:
        return Access(a.tensor, *index)
    return Access(swap[a.tensor], *index[1:], index[0])


__all__ = ["LAST", "Turned", "pays", "recurrent", "samples_last", "windows"]
