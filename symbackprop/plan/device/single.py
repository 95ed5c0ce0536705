"""A training step by one block: between its threads a barrier is enough."""

from __future__ import annotations

import sympy
from sympy import S, Symbol

from symbackprop.algebra.index import Index
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.plan.device.barriers import placed
from symbackprop.plan.device.records import Alone, Each, Every, Provided, Range, Repeat, Resident, Team
from symbackprop.plan.device.shared import SHARED, THREADS, Shared, refused
from symbackprop.plan.records import Let, Local, Plan, Store


def single(plan: Plan, size: Symbol, limit: int = SHARED) -> Resident | str:
    """Return the training step of a plan for one block, or why there is none.

    Args:
        plan: of plain loops.
        size: the batch size.
        limit: bytes of shared memory.
    """
    if why := refused(plan):
        return why
    assert plan.update is not None
    return _Single(plan, plan.update, size).made(limit)


class _Single(Shared):
    def made(self, limit: int) -> Resident | str:
        plan, update = self.plan, self.update
        item = 4 if plan.dtype == "float32" else 8
        flat = update.index
        for name in ("params", "grads", *self.arrays):
            self.place(Tensor(name, (flat,)), self.count)
        calls = [call for name in ("loss", "backward") for call in plan.entry(name).calls]
        body = [s for call in calls for s in self.call(call, plan.entry("backward").places)]
        step = Index("step", Local("count", integer=True))
        first = [Every((Let(Local("N", integer=True), self.number(step)),)), *self.staged(step)]
        given = self.given(step)
        look, kept, guard = self.judged(step)
        moved = self.moved(step, len(self.arrays) * self.count)
        entries = (Each((Range(flat, sympy.Integer(a), sympy.Integer(b)),), (*given, *update.elements)) for a, b in update.ranges)
        update_ = Provided(guard, (*entries, *((Alone(moved),) if moved else ())))
        size = self.end * item + sum(4 * n for n in self.whole.values()) + THREADS * item
        if size > limit:
            return f"a step needs {size:,} bytes of shared memory, a block has {limit:,}"
        whole = Range(flat, S.Zero, sympy.Integer(self.count))
        outer = [self.copied("all.params", "params", whole), *(self.copied(f"all.{a}", a, whole) for a in self.arrays)]
        if len(plan.gradients) < len(plan.parameters):
            # Frozen parameters have no gradient.
            outer.append(Each((whole,), (Store(Access(self.tensors["grads"][0], flat), S.Zero),)))
        back = [self.copied(name, f"all.{name}", whole) for name in ("params", "grads", *self.arrays)]
        start = Local("first", integer=True)
        repeat = Repeat(Range(step, start, start + Local("count", integer=True)), (*first, *body, look, Alone(kept), update_))
        return Resident(
            team=Team((), THREADS, placed((*outer, repeat, *back), self.alias)),
            blocks=1,
            tensors=tuple(self.tensors.values()),
            offsets=tuple(self.offsets.items()),
            whole=tuple(self.whole.items()),
            size=self.end,
            partial=0,
            handed=self.handed,
            scalars=self.scalars,
            equations=tuple(self.computed.values()),
        )


__all__ = ["single"]
