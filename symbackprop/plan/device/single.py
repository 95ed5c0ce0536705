"""A training step by one block: parameters, gradients and the optimizer's state lie in shared memory from the first step to the last.

What costs time in a small network is starting kernels, not arithmetic. One block does many steps in one launch; between its
threads a barrier is enough.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import sympy
from sympy import Expr, S, Symbol

from symbackprop.algebra.index import Index, Size
from symbackprop.algebra.nodes import Indicator
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.plan.device.barriers import placed
from symbackprop.plan.device.equations import concrete, nest, sizes_of
from symbackprop.plan.device.lower import steps
from symbackprop.plan.device.records import Alone, Each, Every, Provided, Range, Repeat, Single, Step, Team
from symbackprop.plan.records import Call, Finite, Let, Local, OptimizerStep, Place, Plan, Statement, Store
from symbackprop.plan.rewriting import expressions, inside

#: Bytes of shared memory that a block has without being asked for more.
SHARED = 49_152
#: Multiply-adds of a step, about parameters times samples, up to which one block is faster than many that wait for each other.
WORK = 300_000
#: Threads of the block.
THREADS = 256


def single(plan: Plan, size: Symbol, limit: int = SHARED) -> Single | str:
    """Return the training step of a plan for one block, or why there is none.

    Args:
        plan: of plain loops.
        size: the batch size.
        limit: bytes of shared memory.
    """
    if plan.loss is None or plan.update is None:
        return "there is nothing to train"
    if plan.masks or plan.statistics:
        return "random layers and running statistics are not done by one block"
    if any(inside_loops(plan.update)):
        return "the optimizer adds up all gradients before its step"
    return _Maker(plan, plan.update, size).made(limit)


def inside_loops(step: OptimizerStep) -> list[Statement]:
    """Return the statements of an optimizer's scalars that read tensors."""
    return [s for s in inside(step.scalars) if any(e.has(Access) for e in expressions(s))]


class _Maker:
    def __init__(self, plan: Plan, update: OptimizerStep, size: Symbol) -> None:
        self.plan, self.update, self.size = plan, update, size
        self.tensors: dict[str, tuple[Tensor, str]] = {}
        self.offsets: dict[str, int] = {}
        self.whole: dict[str, int] = {}
        self.alias: dict[str, str] = {}
        self.end = 0

    def made(self, limit: int) -> Single | str:
        plan, update, batch = self.plan, self.update, self.plan.batch
        item = 4 if plan.dtype == "float32" else 8
        count = sum(math.prod(p.shape) for p in plan.parameters)
        if count * batch > WORK:
            return f"{count:,} parameters times {batch} samples are more than {WORK:,}: one block would be slower than many"
        arrays = [name for name, kind in update.state if kind == "parameter"]
        flat = update.index
        for name in ("params", "grads", *arrays):
            self.place(Tensor(name, (flat,)), count)
        calls = [call for name in ("loss", "backward") for call in plan.entry(name).calls]
        body: list[Step] = []
        for call in calls:
            body += self.call(call, plan.entry("backward").places)
        step = Index("step", Local("count", integer=True))
        first = [Every((Let(Local("N", integer=True), self.number(step)),)), *self.staged(step)]
        steps_ = (*first, *body, *self.updated(step, arrays))
        size = self.end * item + sum(4 * n for n in self.whole.values()) + THREADS * item
        if size > limit:
            return f"a step needs {size:,} bytes of shared memory, a block has {limit:,}"
        whole = Range(flat, S.Zero, sympy.Integer(count))
        outer = [self.copied("all.params", "params", whole), *(self.copied(f"all.{a}", a, whole) for a in arrays)]
        back = [self.copied(name, f"all.{name}", whole) for name in ("params", "grads", *arrays)]
        start = Local("first", integer=True)
        repeat = Repeat(Range(step, start, start + Local("count", integer=True)), steps_)
        team = Team((), THREADS, placed((*outer, repeat, *back), self.alias))
        return Single(
            team,
            tuple(self.tensors.values()),
            tuple(self.offsets.items()),
            tuple(self.whole.items()),
            self.end,
            self.handed,
            self.scalars,
        )

    # Memory

    def place(self, t: Tensor, elements: int, group: str = "") -> None:
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
        kernel = call.kernel
        found = sizes_of(call, [places[name].shape for name in call.names], self.size)
        real = dict(zip((t.name for t in kernel.arguments), call.names, strict=True))
        equations = concrete(kernel.body.equations, found, real)
        for e in equations:
            for t in (e.tensor, *e.reads):
                if t.name in places:
                    self.known(t, places[t.name], t.name)
        stored = frozenset(real[name] for name in kernel.written)
        return steps(nest(equations, stored), {self.size: self.plan.batch}, THREADS)

    def number(self, step: Index) -> Expr:
        """Return the number of samples of a step."""
        size, samples = (Local(name, integer=True) for name in ("size", "samples"))
        return sympy.Min(size, samples - size * step)

    def staged(self, step: Index) -> list[Step]:
        """Return the steps that bring a batch into shared memory."""
        order = self.outside(Tensor("order", (Index("row", Size("samples")),), integer=True), "order")
        n = Index("n", self.size)
        lies, shuffled = step * Local("size", integer=True) + n, Local("shuffled", integer=True)
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

    def updated(self, step: Index, arrays: Sequence[str]) -> list[Step]:
        """Return the steps of the optimizer: nothing changes where the loss is not finite."""
        plan, update = self.plan, self.update
        assert plan.loss is not None
        loss = self.tensors[plan.loss][0]
        names = [name for name, kind in update.state if kind == "scalar"]
        self.scalars = tuple(name for name in names if any(name == kept for kept, _ in update.last))
        made = {s.local for s in update.scalars if isinstance(s, Let)} | {Local(name) for name in (*dict(update.hyper), *names)}
        read = {e for part in expressions(update.elements) for e in part.free_symbols}
        self.handed = tuple(sorted((local for local in made if local in read), key=lambda local: local.name))
        width = len(self.handed) + len(self.scalars)
        table = self.outside(Tensor("table", (Index("row", Size("samples")), Index("k", sympy.Integer(max(1, width))))), "table")
        history = self.outside(Tensor("history", (Index("row", Size("samples")),)), "history")
        given = tuple(Let(local, Access(table, step, sympy.Integer(k))) for k, local in enumerate(self.handed))
        value, good = Local("value"), Local("good")
        judged = (Let(value, loss[()]), Let(good, Finite(value)))
        guard = (Indicator(sympy.StrictGreaterThan(good, 0, evaluate=False)),)
        entries = [Each((Range(update.index, sympy.Integer(a), sympy.Integer(b)),), (*given, *update.elements)) for a, b in update.ranges]
        count = sum(math.prod(p.shape) for p in plan.parameters)
        kept: list[Statement] = [Store(Access(history, step), value)]
        moved: tuple[Step, ...]
        if self.scalars:
            state = self.outside(Tensor("all.scalars", (Index("k", sympy.Integer(len(names))),)), "state")
            self.offsets["all.scalars"] = len(arrays) * count
            sources = (Access(table, step, sympy.Integer(len(self.handed) + k)) for k in range(len(self.scalars)))
            targets = (Access(state, sympy.Integer(names.index(name))) for name in self.scalars)
            moved = (Alone(tuple(Store(target, source) for target, source in zip(targets, sources, strict=True))),)
        else:
            moved = ()
        return [Every(judged), Alone(tuple(kept)), Provided(guard, (*entries, *moved))]

    def copied(self, source: str, target: str, r: Range) -> Each:
        """Return the step that copies a flat array."""
        found = []
        for name in (source, target):
            if name not in self.tensors:
                inner = name.removeprefix("all.")
                arrays = [a for a, kind in self.update.state if kind == "parameter"]
                self.outside(Tensor(name, (r.index,)), "state" if inner in arrays else inner)
                self.offsets[name] = arrays.index(inner) * int(r.extent) if inner in arrays else 0
            found.append(self.tensors[name][0])
        one, other = found
        return Each((r,), (Store(Access(other, r.index), Access(one, r.index)),))


__all__ = ["SHARED", "THREADS", "WORK", "single"]
