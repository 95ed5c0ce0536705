"""What schedules that keep parameters in shared memory have in common: places, a batch, and the optimizer's numbers.

What costs time in a small network is starting kernels, not arithmetic. Many steps are done in one launch; what differs is whether
one block does them, or all of them together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import sympy
from sympy import Expr, S, Symbol

from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index, Size
from symbackprop.algebra.nodes import Indicator
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.plan.device.equations import concrete, nest, sizes_of
from symbackprop.plan.device.lower import steps
from symbackprop.plan.device.records import Each, Every, Range, Step
from symbackprop.plan.records import Call, Finite, Let, Local, OptimizerStep, Place, Plan, Statement, Store
from symbackprop.plan.rewriting import expressions, inside

#: Bytes of shared memory that a block has without being asked for more.
SHARED = 49_152
#: Bytes that it has if it asks, and some are left for what is not laid out here.
ASKED = 200 * 1024
#: Multiply-adds of a step, about parameters times samples, up to which one block is faster than many that wait for each other.
WORK = 300_000
#: Threads of the block.
THREADS = 256


def refused(plan: Plan) -> str:
    """Return why training steps of a plan are not done in one launch, or nothing."""
    if plan.loss is None or plan.update is None:
        return "there is nothing to train"
    if plan.masks or plan.statistics:
        return "random layers and running statistics are computed by launches of their own"
    if any(e.has(Access) for s in inside(plan.update.scalars) for e in expressions(s)):
        return "the optimizer adds up all gradients before its step"
    return ""


class Shared:
    """What schedules that keep parameters in shared memory have in common: places, a batch, the optimizer's numbers."""

    def __init__(self, plan: Plan, update: OptimizerStep, size: Symbol) -> None:
        self.plan, self.update, self.size = plan, update, size
        self.tensors: dict[str, tuple[Tensor, str]] = {}
        self.offsets: dict[str, int] = {}
        self.whole: dict[str, int] = {}
        self.alias: dict[str, str] = {}
        self.computed: dict[str, Equation] = {}
        self.end = 0
        self.count = sum(math.prod(p.shape) for p in plan.parameters)
        self.arrays = [name for name, kind in update.state if kind == "parameter"]
        self.handed: tuple[Local, ...] = ()
        self.scalars: tuple[str, ...] = ()

    # Memory

    def place(self, t: Tensor, elements: int) -> None:
        """Give a tensor a place in shared memory."""
        self.tensors[t.name] = (t, "memory")
        self.offsets[t.name] = self.end
        self.end += elements

    def outside(self, t: Tensor, buffer: str) -> Tensor:
        """Return a tensor that lies in an argument."""
        self.tensors[t.name] = (t, buffer)
        return t

    def known(self, t: Tensor, place: Place, real: str) -> None:
        """Note where a tensor of the network lies."""
        if real in self.tensors:
            return
        elements = math.prod(e if isinstance(e, int) else self.plan.batch for e in place.shape)
        if place.buffer in ("params", "grads"):
            self.tensors[real] = (t, "memory")
            self.offsets[real] = self.offsets[place.buffer] + place.fixed
            self.alias[real] = place.buffer
        elif t.integer:
            self.tensors[real] = (t, real)
            self.whole[real] = elements
        else:
            self.place(t, elements)

    # Steps

    def call(self, call: Call, places: Mapping[str, Place]) -> tuple[Step, ...]:
        """Return the steps of a call of the plan."""
        return steps(nest(self.equations(call, places), frozenset(call.written)), {self.size: self.plan.batch}, THREADS)

    def equations(self, call: Call, places: Mapping[str, Place]) -> tuple[Equation, ...]:
        """Return the equations of a call in the names of the network's tensors, which get a place."""
        kernel = call.kernel
        found = sizes_of(call, [places[name].shape for name in call.names], self.size)
        made = concrete(kernel.body.equations, found, dict(zip((t.name for t in kernel.arguments), call.names, strict=True)))
        for e in made:
            for t in (e.tensor, *e.reads):
                if t.name in places:
                    self.known(t, places[t.name], t.name)
        self.computed.update((e.tensor.name, e) for e in made)
        return made

    def number(self, step: Index) -> Expr:
        """Return the number of samples of a step."""
        size, samples = (Local(name, integer=True) for name in ("size", "samples"))
        return sympy.Min(size, samples - size * step)

    def staged(self, step: Index, low: Expr = S.Zero) -> list[Step]:
        """Return the steps that bring a batch into shared memory, or a part of it that begins with sample ``low``."""
        order = self.outside(Tensor("order", (Index("row", Size("samples")),), integer=True), "order")
        n = Index("n", self.size)
        lies, shuffled = step * Local("size", integer=True) + low + n, Local("shuffled", integer=True)
        row = shuffled * order[lies * shuffled,] + (1 - shuffled) * lies
        made: list[Step] = []
        for name in (*self.plan.inputs, *((self.plan.target,) if self.plan.target else ())):
            if name not in self.tensors:
                continue
            t, _ = self.tensors[name]
            every = Tensor(f"all.{name}", t.axes, integer=t.integer)
            self.outside(every, f"all.{name}")
            axes = (n, *t.axes[1:])
            ranges = tuple(Range(a, S.Zero, a.extent) for a in axes)
            made.append(Each(ranges, (Store(Access(t, *axes), Access(every, row, *axes[1:])),)))
        return made

    def given(self, step: Index) -> tuple[Let, ...]:
        """Return what the optimizer has once for all entries, read off the row of the table for a step."""
        self.handed, self.scalars = handed(self.update)
        width = len(self.handed) + len(self.scalars)
        self.table = self.outside(Tensor("table", (Index("row", Size("samples")), Index("k", sympy.Integer(max(1, width))))), "table")
        return tuple(Let(local, Access(self.table, step, sympy.Integer(k))) for k, local in enumerate(self.handed))

    def judged(self, step: Index) -> tuple[Step, tuple[Statement, ...], tuple[Expr, ...]]:
        """Return the step that looks at the loss, what keeps it, and the guard that it is finite."""
        assert self.plan.loss is not None
        value, good = Local("value"), Local("good")
        history = self.outside(Tensor("history", (Index("row", Size("samples")),)), "history")
        look = Every((Let(value, self.tensors[self.plan.loss][0][()]), Let(good, Finite(value))))
        guard = (Indicator(sympy.StrictGreaterThan(good, 0, evaluate=False)),)
        return look, (Store(Access(history, step), value),), guard

    def moved(self, step: Index, start: int) -> tuple[Statement, ...]:
        """Return the statements that write the next scalar state, which begins at ``start`` in the state."""
        names = [name for name, kind in self.update.state if kind == "scalar"]
        if not self.scalars:
            return ()
        state = self.outside(Tensor("all.scalars", (Index("k", sympy.Integer(len(names))),)), "state")
        self.offsets["all.scalars"] = start
        sources = (Access(self.table, step, sympy.Integer(len(self.handed) + k)) for k in range(len(self.scalars)))
        targets = (Access(state, sympy.Integer(names.index(name))) for name in self.scalars)
        return tuple(Store(target, source) for target, source in zip(targets, sources, strict=True))

    def copied(self, source: str, target: str, r: Range) -> Each:
        """Return the step that copies a flat array."""
        found = []
        for name in (source, target):
            if name not in self.tensors:
                inner = name.removeprefix("all.")
                self.outside(Tensor(name, (r.index,)), "state" if inner in self.arrays else inner)
                self.offsets[name] = self.arrays.index(inner) * self.count if inner in self.arrays else 0
            found.append(self.tensors[name][0])
        one, other = found
        return Each((r,), (Store(Access(other, r.index), Access(one, r.index)),))


def handed(update: OptimizerStep) -> tuple[tuple[Local, ...], tuple[str, ...]]:
    """Return what an optimizer computes once a step: the locals that every entry reads, and names of the scalar state that changes."""
    names = [name for name, kind in update.state if kind == "scalar"]
    made = {s.local for s in update.scalars if isinstance(s, Let)} | {Local(name) for name in (*dict(update.hyper), *names)}
    read = {e for part in expressions(update.elements) for e in part.free_symbols}
    changed = dict(update.last)
    return tuple(sorted((local for local in made if local in read), key=lambda local: local.name)), tuple(n for n in names if n in changed)


__all__ = ["ASKED", "SHARED", "THREADS", "WORK", "Shared", "handed", "refused"]
