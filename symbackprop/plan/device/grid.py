"""A training step by all blocks at once: each has some of the samples, and all wait for each other twice.

A sum over the samples is a sum of what the blocks have added up of theirs; it is finished after the first wait, each entry by one
thread of all, in the order of the blocks, and the optimizer goes on with it there. After the second wait every block reads the
parameters again. How many blocks there are is part of the plan, so that another card gives the same sums.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import sympy
from sympy import Expr, S, Symbol

from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import Indicator, Reduction, Sum
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.plan.device.barriers import placed
from symbackprop.plan.device.equations import nest
from symbackprop.plan.device.lower import steps
from symbackprop.plan.device.records import Alone, Barrier, Each, Every, Provided, Range, Repeat, Resident, Step, Team
from symbackprop.plan.device.shared import SHARED, THREADS, Shared, refused
from symbackprop.plan.naming import with_right_side
from symbackprop.plan.nests import leaves, loops
from symbackprop.plan.records import Let, Local, OptimizerStep, Place, Plan, Statement
from symbackprop.plan.rewriting import rewritten

#: Blocks at most: what the device that is planned for holds at once.
BLOCKS = 132
#: Samples of a block, at least.
SAMPLES = 8


def grid(plan: Plan, size: Symbol, limit: int = SHARED, blocks: int = 0) -> Resident | str:
    """Return the training step of a plan for blocks that wait for each other, or why there is none.

    Args:
        plan: of plain loops.
        size: the batch size.
        limit: bytes of shared memory.
        blocks: how many; 0 for as many as the batch keeps busy.
    """
    if why := refused(plan):
        return why
    assert plan.update is not None
    count = blocks or min(BLOCKS, plan.batch // SAMPLES)
    if count < 2:
        return f"a batch of {plan.batch} samples is work for one block"
    return _Grid(plan, plan.update, size, count).made(limit)


class _Grid(Shared):
    def __init__(self, plan: Plan, update: OptimizerStep, size: Symbol, blocks: int) -> None:
        super().__init__(plan, update, size)
        self.blocks = blocks
        #: Samples of a block.
        self.share = -(-plan.batch // blocks)
        self.whole_batch, self.block = Local("whole", integer=True), Local("block", integer=True)
        self.partial = 0
        #: What is known only when the blocks have waited for each other.
        self.reduced: set[str] = set()
        self.local: list[Step] = []
        self.after: list[Step] = []
        self.updates: list[Step] = []

    def known(self, t: Tensor, place: Place, real: str) -> None:
        if real in self.tensors:
            return
        elements = math.prod(e if isinstance(e, int) else self.share for e in place.shape)
        if place.buffer == "grads":
            self.tensors[real] = (t, "grads")
            self.offsets[real] = place.fixed
        elif place.buffer == "params":
            self.tensors[real] = (t, "memory")
            self.offsets[real] = self.offsets["params"] + place.fixed
            self.alias[real] = "params"
        elif t.integer:
            self.tensors[real] = (t, real)
            self.whole[real] = elements
        else:
            self.place(t, elements)

    def made(self, limit: int) -> Resident | str:
        plan, update = self.plan, self.update
        item = 4 if plan.dtype == "float32" else 8
        self.place(Tensor("params", (update.index,)), self.count)
        step = Index("step", Local("count", integer=True))
        self.lets = self.given(step)
        places = plan.entry("backward").places
        for call in (call for name in ("loss", "backward") for call in plan.entry(name).calls):
            why = self.sorted(self.equations(call, places), frozenset(call.written))
            if why:
                return why
        low = self.block * self.share
        left = Local("left", integer=True)
        sizes = (Let(self.whole_batch, self.number(step)), Let(left, sympy.Min(sympy.Integer(self.share), self.whole_batch - low)))
        first = [Every((*sizes, Let(Local("N", integer=True), sympy.Max(0, left)))), *self.staged(step, low)]
        look, kept, guard = self.judged(step)
        moved = self.moved(step, len(self.arrays) * self.count)
        alone = (Indicator(sympy.Eq(self.block, 0)),)
        size = self.end * item + sum(4 * n for n in self.whole.values()) + THREADS * item
        if size > limit:
            return f"a block needs {size:,} bytes of shared memory for {self.share} samples, and has {limit:,}"
        whole = Range(update.index, S.Zero, sympy.Integer(self.count))
        load = self.copied("all.params", "params", whole)
        done = (
            *first,
            *self.local,
            Barrier(grid=True),
            *self.after,
            look,
            Provided(alone, (Alone(kept),)),
            Provided(guard, (*self.updates, *((Provided(alone, (Alone(moved),)),) if moved else ()))),
            Barrier(grid=True),
            load,
        )
        start = Local("first", integer=True)
        repeat = Repeat(Range(step, start, start + Local("count", integer=True)), done)
        return Resident(
            team=Team((), THREADS, placed((load, repeat), self.alias)),
            blocks=self.blocks,
            tensors=tuple(self.tensors.values()),
            offsets=tuple(self.offsets.items()),
            whole=tuple(self.whole.items()),
            size=self.end,
            partial=self.partial,
            handed=self.handed,
            scalars=self.scalars,
            equations=tuple(self.computed.values()),
        )

    def sorted(self, equations: tuple[Equation, ...], stored: frozenset[str]) -> str:
        """Add the steps of some equations where they belong; return why that cannot be, or nothing."""
        made = tuple(with_right_side(e, e.rhs.xreplace({self.size: self.whole_batch})) for e in equations)
        own = {e.tensor.name for e in made}
        read = {t.name for e in made for t in e.reads} - own
        batched = any(i.extent == self.size for e in made for i in e.lhs.index)
        sums = {node: None for e in made for node in self.sums(e.rhs)}
        if batched:
            if sums or read & self.reduced:
                return "samples of a batch are mixed, which blocks with samples of their own cannot do"
            self.local += steps(nest(made, stored), {self.size: self.share}, THREADS)
            return ""
        swap: dict[Expr, Expr] = {}
        for node in sums:
            if not isinstance(node, Sum) or leaves(node):
                return "what is taken from all samples is no plain sum"
            swap[node] = self.handed_over(node, made[0].lhs.index)
        rest = tuple(with_right_side(e, e.rhs.xreplace(swap)) for e in made)
        self.reduced |= own
        if any(self.tensors[name][1] == "grads" for name in stored):
            self.updates += self.updated(rest, stored)
        else:
            self.after += steps(nest(rest, stored), {self.size: self.share}, THREADS)
        return ""

    def sums(self, e: Expr) -> list[Expr]:
        """Return the outermost reductions over the samples."""
        if isinstance(e, Reduction) and any(i.extent == self.size for i in e.bound):
            return [e]
        return [node for a in e.args if isinstance(a, Expr) for node in self.sums(a)]

    def handed_over(self, node: Sum, domain: Sequence[Index]) -> Expr:
        """Add the steps that add up the terms of a block, and return the sum over all blocks."""
        out = tuple(i for i in domain if i in node.free_symbols)
        name = f"partial.{len(self.offsets)}"
        own = Tensor(f"{name}.own", out)
        every = Tensor(name, (Index("blocks", sympy.Integer(self.blocks)), *out))
        self.outside(every, "partial")
        self.offsets[name] = self.partial
        self.partial += self.blocks * math.prod(int(i.extent) for i in out)
        mine = with_right_side(Equation(own[out], S.Zero), node)
        made = steps(nest((mine,), frozenset({own.name})), {self.size: self.share}, THREADS)
        self.local += (rewritten(s, partial(_elsewhere, own, every, self.block)) for s in made)
        b = Index("b", sympy.Integer(self.blocks))
        return Sum(every[(b, *out)], b)

    def updated(self, equations: tuple[Equation, ...], stored: frozenset[str]) -> list[Step]:
        """Return the steps that finish a gradient and go on to the parameter, entry by entry."""
        plan, update = self.plan, self.update
        made: list[Step] = []
        domain = equations[0].lhs.index
        body: list[Statement] = list(loops(equations, stored, given=domain))
        for e in equations:
            parameter = next(p for p, g in plan.gradients if g == e.tensor.name)
            slot = next(s for s in plan.parameters if s.name == parameter)
            if not slot.trainable:
                continue
            place: Expr = sympy.Integer(slot.offset)
            for axis, i in enumerate(e.lhs.index):
                place += i * math.prod(slot.shape[axis + 1 :])
            flat = {name: self.flat(name) for name in ("params", *self.arrays)}
            body += [*self.lets, *(rewritten(s, partial(_at, update.index, place, e.lhs, flat)) for s in update.elements)]
        made.append(Each(tuple(Range(i, S.Zero, i.extent) for i in domain), tuple(body), grid=True))
        return made

    def flat(self, name: str) -> Tensor:
        """Return a flat array in the memory of the device."""
        whole = Range(self.update.index, S.Zero, sympy.Integer(self.count))
        if f"all.{name}" not in self.tensors:
            self.outside(Tensor(f"all.{name}", (whole.index,)), "state" if name in self.arrays else name)
            self.offsets[f"all.{name}"] = self.arrays.index(name) * self.count if name in self.arrays else 0
        return self.tensors[f"all.{name}"][0]


def _elsewhere(own: Tensor, every: Tensor, block: Expr, e: Expr) -> Expr:
    """Return an expression with the entries of a block's own sums at their place among those of all."""
    return e.xreplace({a: Access(every, block, *a.index) for a in e.atoms(Access) if a.tensor == own})


def _at(index: Index, place: Expr, gradient: Access, flat: dict[str, Tensor], e: Expr) -> Expr:
    """Return an expression over the flat arrays at a place, with the gradient's own entry there."""
    swap: dict[Expr, Expr] = {}
    for a in e.atoms(Access):
        swap[a] = gradient if a.tensor.name == "grads" else Access(flat[a.tensor.name], place)
    return e.xreplace({**swap, index: place})


__all__ = ["BLOCKS", "SAMPLES", "grid"]
