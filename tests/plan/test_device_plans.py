"""Which loops threads may share and where they wait: small trees of statements, and a judge that tries every entry.

The judge knows nothing of how the planner decides. For a loop it writes down what each pass touches: two passes that touch one entry,
one of them writing, need an order. For the steps of a team it writes down what each thread touches between two barriers.
"""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
import sympy
from sympy import S

from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import Floor, Indicator
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.plan.device.barriers import barriers, placed
from symbackprop.plan.device.parallel import parallel
from symbackprop.plan.device.records import Alone, Barrier, Each, Every, Fold, Provided, Range, Repeat
from symbackprop.plan.records import Add, Choose, Let, Local, Loop, Raise, Store, Update, When

COUNT = int(os.environ.get("SYMBACKPROP_TEST_DEVICE_TREES", "60"))
THREADS = (3, 5)
i, j, u, t, s = (Index(name, 4) for name in "ijuts")
k = Index("k", 3)
A, B, C = Tensor("A", (Index("p", 20),)), Tensor("B", (Index("p", 20), Index("q", 20))), Tensor("C", ())
L = Tensor("L", (Index("p", 20),), integer=True)
#: What the entries of L are.
LABELS = np.array([2, 0, 3, 2] * 15)
p, a, v = Local("p", integer=True), Local("a"), Local("v")
one = sympy.Integer(1)


def over(index, *body, start=0, stop=None, descending=False):
    return Loop(index, sympy.sympify(start), index.extent if stop is None else sympy.sympify(stop), tuple(body), descending)


def span(index, start=0, stop=None):
    return Range(index, sympy.sympify(start), index.extent if stop is None else sympy.sympify(stop))


# --- the judge ---------------------------------------------------------------------------------------------------------------


class Judge:
    """What statements touch, one by one.

    Attributes:
        events: ("read" or "write", name of a tensor or a local, entry).
    """

    def __init__(self, values):
        self.values, self.events = dict(values), []

    def value(self, e):
        """Return the number that an expression is; what is read from memory but integers counts as 1."""
        for access in sorted(e.atoms(Access), key=lambda x: -len(str(x))):
            place = tuple(self.value(part) for part in access.index)
            self.events.append(("read", access.tensor.name, place))
            e = e.xreplace({access: sympy.Integer(int(LABELS[place[0]])) if access.tensor.integer else S.One})
        for local in e.atoms(Local):
            self.events.append(("read", local, ()))
        found = e.xreplace(self.values)
        return int(found) if found.is_Integer else 1

    def place(self, access):
        return tuple(self.value(part) for part in access.index)

    def name(self, local, value):
        self.values[local] = sympy.Integer(value)
        self.events.append(("write", local, ()))

    def run(self, statements):
        for one_of in statements:
            self.statement(one_of)

    def statement(self, x):
        if isinstance(x, Loop):
            for number in range(self.value(x.start), self.value(x.stop)):
                self.values[x.index] = sympy.Integer(number)
                self.run(x.body)
        elif isinstance(x, When):
            for guard in x.guards:
                self.value(guard)
            self.run(x.body)
        elif isinstance(x, Let):
            self.name(x.local, self.value(x.value))
        elif isinstance(x, Update):
            self.events.append(("read", x.local, ()))
            self.name(x.local, self.value(x.value))
        elif isinstance(x, Choose):
            self.events.append(("read", x.best, ()))
            self.name(x.best, self.value(x.value))
            self.name(x.at, self.value(x.position))
        else:
            self.value(x.value)
            where = self.place(x.access)
            if isinstance(x, Add | Raise):
                self.events.append(("read", x.access.tensor.name, where))
            self.events.append(("write", x.access.tensor.name, where))


def ordered(loop, values=()):
    """Return two passes of a loop that need an order and why, or None."""
    reads, writes, changed = defaultdict(set), defaultdict(set), set()
    outer = Judge(values)
    for number in range(outer.value(loop.start), outer.value(loop.stop)):
        judge = Judge({**outer.values, loop.index: sympy.Integer(number)})
        judge.run(loop.body)
        own = set()
        for kind, name, entry in judge.events:
            if isinstance(name, Local):
                # Each pass has locals of its own; what it reads before it writes comes from outside.
                if kind == "write":
                    own.add(name)
                    changed.add(name)
                elif name not in own:
                    reads[name, entry].add(number)
            else:
                (reads if kind == "read" else writes)[name, entry].add(number)
    for (name, entry), passes in writes.items():
        if len(passes | reads.get((name, entry), set())) > 1:
            return name, entry, passes
    return next(((name, "carried") for name, _ in reads if name in changed), None)


class Team:
    """Threads that do some steps: what each touches between two barriers.

    Args:
        steps: what they do.
        holds: whether a guard holds, by its text and how often it was asked.
    """

    def __init__(self, steps, holds, threads):
        self.holds, self.threads = holds, threads
        self.epochs = []
        for thread in range(threads):
            self.epoch, self.asked = 0, 0
            self.judge = Judge({})
            self.run(steps, thread)
        assert len({self.epoch}) == 1

    def note(self, thread, events):
        while len(self.epochs) <= self.epoch:
            self.epochs.append((defaultdict(set), defaultdict(set)))
        for kind, name, entry in events:
            if not isinstance(name, Local):
                self.epochs[self.epoch][kind == "write"][name, entry].add(thread)

    def flush(self, thread):
        self.note(thread, self.judge.events)
        self.judge.events.clear()

    def run(self, steps, thread):
        for step in steps:
            self.step(step, thread)

    def entries(self, axes, thread):
        """Yield the values of the indices at the entries that a thread has."""
        ends = [(self.judge.value(r.start), self.judge.value(r.stop)) for r in axes]
        for number, entry in enumerate(np.ndindex(*(max(0, stop - start) for start, stop in ends))):
            if number % self.threads == thread:
                yield {r.index: sympy.Integer(start + place) for r, (start, _), place in zip(axes, ends, entry, strict=True)}

    def step(self, step, thread):
        judge = self.judge
        if isinstance(step, Barrier):
            self.epoch += 1
        elif isinstance(step, Every) or (isinstance(step, Alone) and thread == 0):
            judge.run(step.body)
        elif isinstance(step, Each):
            before = dict(judge.values)
            for values in self.entries(step.axes, thread):
                judge.values.update(values)
                judge.run(step.body)
            judge.values = before
        elif isinstance(step, Fold):
            before = dict(judge.values)
            for values in self.entries(step.axes, thread):
                judge.values.update(values)
                judge.run(step.before)
                for guard in step.guards:
                    judge.value(guard)
                judge.value(step.value)
            judge.values = {**before, step.local: S.One}
            judge.events.append(("write", "parts", (thread,)))
            self.flush(thread)
            self.epoch += 1
            # Halves add the other halves, with a barrier after each; then all read the first.
            self.epoch += 1
            judge.events.append(("read", "parts", (0,)))
        elif isinstance(step, Provided):
            self.asked += 1
            for guard in step.guards:
                judge.value(guard)
            if self.holds(self.asked):
                self.flush(thread)
                self.run(step.steps, thread)
        elif isinstance(step, Repeat):
            numbers = range(judge.value(step.range.start), judge.value(step.range.stop))
            for number in reversed(numbers) if step.descending else numbers:
                judge.values[step.range.index] = sympy.Integer(number)
                self.flush(thread)
                self.run(step.steps, thread)
        self.flush(thread)

    def race(self):
        """Return an entry that two threads touch between two barriers, one of them writing; None if there is none."""
        for number, (reads, writes) in enumerate(self.epochs):
            for place, threads in writes.items():
                if len(threads | reads[place]) > 1:
                    return number, place, threads, reads[place]
        return None


PATTERNS = (lambda asked: True, lambda asked: False, lambda asked: asked % 2 == 0, lambda asked: asked % 3 == 1)


def races(steps):
    """Return the first race of some steps, for guards that hold always, never and now and then."""
    tried = ((holds, threads) for holds in PATTERNS for threads in THREADS)
    return next((found for holds, threads in tried if (found := Team(steps, holds, threads).race()) is not None), None)


def less(steps, number):
    """Return steps without one of their barriers."""
    count = 0

    def without(some):
        nonlocal count
        made = []
        for step in some:
            if isinstance(step, Barrier):
                count += 1
                if count - 1 == number:
                    continue
            made.append(replace(step, steps=without(step.steps)) if isinstance(step, Repeat | Provided) else step)
        return tuple(made)

    return without(steps)


# --- loops by hand -----------------------------------------------------------------------------------------------------------

SHARED = {
    "an entry each": over(i, Store(A[i], C[()])),
    "a row each": over(i, over(j, Store(B[i, j], A[j]))),
    "a column each": over(j, over(i, Store(B[i, j], A[i]))),
    "its own entry again": over(i, Store(A[i], one), Add(A[i], A[i])),
    "a sum of its own": over(i, Let(a, S.Zero), over(j, Update(a, "sum", B[i, j])), Store(A[i], a)),
    "blocks side by side": over(i, over(k, Store(A[4 * i + k], one))),
    "blocks that just fit": over(i, over(j, Store(A[4 * i + j], one))),
    "strides backwards": over(i, over(j, Store(A[19 - 4 * i - j], one))),
    "reads elsewhere": over(i, Store(A[i], B[i, 0] + B[i - 1, 1])),
    "a row by time": over(i, over(t, Store(B[t, i], B[t - 1, i]))),
}
ORDERED = {
    "what the pass before wrote": over(t, Store(A[t], A[t - 1])),
    "what the next pass writes": over(t, Store(A[t], A[t + 1])),
    "one entry for all": over(i, Store(C[()], A[i])),
    "a sum of all": over(i, Update(a, "sum", A[i])),
    "the largest of all": over(i, Choose(a, p, A[i], i)),
    "an address": over(i, Add(A[L[i]], one)),
    "an address in a local": over(i, Let(p, L[i]), Add(A[p], one)),
    "an address beside a stride": over(i, Let(p, L[i]), Store(A[2 * i + p], one)),
    "blocks that overlap": over(i, over(j, Store(A[3 * i + j], one))),
    "windows": over(i, over(k, Add(A[i + k], one))),
    "a column of all": over(i, over(j, Store(B[j, 0], A[i]))),
    "a neighbour's row": over(i, over(j, Store(B[i, j], B[i - 1, j]))),
    "the other corner": over(i, Store(B[i, 0], B[3 - i, 0])),
    "the largest at an entry": over(i, Raise(A[0], B[i, 0])),
    "blocks that move": over(i, over(u, Store(A[3 * i - u], one), start=i, stop=i + 3)),
    "blocks of two lengths": over(i, over(u, Store(A[4 * i + u], one)), over(u, Store(A[4 * i + u], one), stop=5)),
    "two addresses of one entry": over(i, Store(A[i], A[3 - i])),
}


@pytest.mark.parametrize("name", SHARED)
def test_a_loop_whose_passes_are_apart_is_shared(name):
    assert ordered(SHARED[name]) is None
    assert parallel(SHARED[name])


@pytest.mark.parametrize("name", ORDERED)
def test_a_loop_whose_passes_need_each_other_is_not(name):
    assert ordered(ORDERED[name]) is not None
    assert not parallel(ORDERED[name])


# --- random loops ------------------------------------------------------------------------------------------------------------


class Draw:
    def __init__(self, seed):
        self.rng = np.random.default_rng([seed, 77])

    def pick(self, *options):
        return options[int(self.rng.integers(len(options)))]

    def chance(self, probability):
        return bool(self.rng.random() < probability)

    def part(self, scope):
        """Return a place along an axis."""
        first, second = self.pick(*scope), self.pick(*scope)
        c = int(self.rng.integers(-1, 3))
        forms = (first, first, first, first, sympy.Integer(max(c, 0)), first + c, 4 * first + second, 3 * first + second, 3 - first)
        return self.pick(*forms, 2 * first - second, L[first], p if self.chance(0.3) else first)

    def access(self, scope):
        where = self.pick(A, A, B, B, C)
        return where[tuple(self.part(scope) for _ in where.axes)]

    def statement(self, scope, depth, writes):
        kind = self.pick("store", "store", "store", "add", "let", "update", "loop", "loop", "when")
        if kind == "loop" and depth:
            inner = [x for x in (i, j, u, k) if x not in scope]
            if inner:
                index = self.pick(*inner)
                start = self.pick(0, 0, 0, 1, scope[0])
                stop = self.pick(index.extent, index.extent, index.extent, 5, start + 2)
                return over(index, *self.body((*scope, index), depth - 1, writes), start=start, stop=stop)
        if kind == "when":
            return When((Indicator(sympy.Ge(scope[-1], 1)),), self.body(scope, 0, writes))
        if kind == "let":
            return Let(p, self.pick(2 * scope[-1], 3 - scope[0], L[scope[-1]]))
        if kind == "update":
            return Update(a, "sum", self.access(scope))
        if kind == "add":
            return Add(self.access(scope), one)
        # Most writes are where nothing else is, or hardly any loop could be shared.
        target = self.pick(*writes) if self.chance(0.7) else self.access(scope)
        return Store(target, self.access(scope))

    def body(self, scope, depth, writes):
        return tuple(self.statement(scope, depth, writes) for _ in range(int(self.rng.integers(1, 4))))

    def loop(self):
        writes = [x for x in (A[i], A[4 * i], B[i, 0], B[0, i], B[i, i]) if self.chance(0.4)] or [A[i]]
        first = (Let(p, S.Zero), *((Let(a, S.Zero),) if self.chance(0.7) else ()))
        return over(i, *first, *self.body((i,), 2, writes))


def test_random_loops_that_are_shared_need_no_order():
    shared = apart = 0
    for seed in range(5 * COUNT):
        loop = Draw(seed).loop()
        found, said = ordered(loop), parallel(loop)
        assert not (said and found), f"seed {seed}: {loop}\n{found}"
        shared, apart = shared + said, apart + (found is None)
    # The planner says so for most of those that are.
    assert shared >= apart / 3 and shared >= COUNT / 10


# --- steps by hand -----------------------------------------------------------------------------------------------------------

#: A square and its entries in one row.
D, m = Tensor("D", (Index("p", 4), Index("q", 4))), Index("m", 16)
digits = Floor(m / 4), m - 4 * Floor(m / 4)
fill_d = Each((span(i), span(j)), (Store(D[i, j], one),))
fill_a, fill_b = Each((span(i),), (Store(A[i], one),)), Each((span(i), span(j)), (Store(B[i, j], one),))
total = Fold(a, "sum", (span(i),), (), (), A[i])
#: Steps, with the number of barriers that they need.
STEPS = {
    "each its own": ((fill_a, Each((span(j),), (Store(B[j, 0], A[j]),))), 0),
    "each its own, and some more": ((fill_a, Each((span(j, 0, 7),), (Store(B[j, 0], A[j]),))), 0),
    "a neighbour's": ((fill_a, Each((span(j),), (Store(B[j, 0], A[j - 1]),))), 1),
    "a neighbour's, written later": ((Each((span(j),), (Store(B[j, 0], A[j - 1]),)), fill_a), 1),
    "by another cut": ((fill_b, Each((span(j), span(i)), (Store(A[4 * i + j], B[i, j]),))), 1),
    "by the same cut": ((fill_b, Each((span(i), span(j)), (Store(A[4 * i + j], B[i, j]),))), 0),
    "by rows, of entries": ((fill_b, Each((span(i),), (Store(A[i], B[i, 0]),))), 1),
    "by other digits": ((fill_d, Each((span(m),), (Store(A[m], D[digits]),))), 0),
    "by other digits, written": ((Each((span(m),), (Store(D[digits], one),)), Each((span(i), span(j)), (Store(B[i, j], D[i, j]),))), 0),
    "by other digits, some of them": ((fill_d, Each((span(m, 0, 7),), (Store(A[m], D[digits]),))), 0),
    "by other digits, from 1": ((fill_d, Each((span(m, 1, 16),), (Store(A[m], D[digits]),))), 1),
    "by digits the other way round": ((fill_d, Each((span(m),), (Store(A[m], D[digits[1], digits[0]]),))), 1),
    "by digits of another one's": ((fill_d, Each((span(m),), (Store(A[m], D[digits[0], 3 - digits[1]]),))), 1),
    "two rows": ((Each((span(i),), (Store(B[0, i], one),)), Each((span(i),), (Store(A[i], B[1, 3 - i]),))), 0),
    "two halves": ((Each((span(i),), (Store(A[i], one),)), Each((span(i),), (Store(B[i, 0], A[i + 4]),))), 0),
    "blocks of one axis that meet": (
        (Each((span(i), span(j)), (Store(A[4 * i + j], one),)), Each((span(k),), (Store(A[14 + k], one),))),
        1,
    ),
    "blocks of one axis": (
        (Each((span(i), span(j)), (Store(A[4 * i + j], one),)), Each((span(k),), (Store(A[16 + k], one),))),
        0,
    ),
    "a place that comes back": (
        (Each((span(i, 0, 2),), (Store(A[i + 2], one),)), Each((span(m, 0, 6),), (Store(B[m, 0], A[digits[1]]),))),
        1,
    ),
    "one for all": ((Alone((Store(C[()], one),)), Each((span(i),), (Store(A[i], C[()]),))), 1),
    "one for one": ((Alone((Store(C[()], one),)), Alone((Store(A[0], C[()]),))), 0),
    "a sum of what was written": ((Each((span(i, 0, 7),), (Store(A[i], one),)), Fold(a, "sum", (span(j, 0, 7),), (), (), A[6 - j])), 1),
    "a sum of one's own": ((fill_a, total), 0),
    "a fold sees all": ((fill_a, total, Each((span(i),), (Store(B[i, 0], A[3 - i]),))), 0),
    "two folds": ((total, total), 1),
    "two folds, waited between": ((total, Alone((Store(C[()], a),)), Each((span(i),), (Store(A[i], C[()]),)), total), 1),
    "time": ((Repeat(span(t), (Each((span(i),), (Store(B[t, i], B[t - 1, 3 - i]),)),)),), 1),
    "time, each its own": ((Repeat(span(t), (Each((span(i),), (Store(B[t, i], B[t - 1, i]),)),)),), 0),
    "time, down": ((Repeat(span(t), (Each((span(i),), (Store(B[t, i], B[t + 1, 3 - i]),)),), True),), 1),
    "time, and a fold": ((Repeat(span(t), (Fold(a, "sum", (span(i),), (), (), A[i]), Every((Update(v, "sum", a),)))),), 1),
    "never done": ((fill_a, Repeat(span(t, 0, 0), (Barrier(),)), Each((span(i),), (Store(B[i, 0], A[3 - i]),))), 2),
    "if it holds": ((fill_a, Provided((Indicator(sympy.Ge(C[()], 0)),), (Each((span(i),), (Store(B[i, 0], A[3 - i]),)),))), 1),
    "a guard that reads": ((Alone((Store(C[()], one),)), Provided((Indicator(sympy.Gt(C[()], 0)),), (fill_a,))), 1),
    "a guard whose entry is written": (
        (Provided((Indicator(sympy.Gt(C[()], 0)),), (fill_a,)), Alone((Store(C[()], one),))),
        1,
    ),
    "one index in two loops": (
        (
            Repeat(span(t), (Each((span(i),), (Store(B[t, i], one),)),)),
            Repeat(span(t), (Each((span(i),), (Store(A[i], B[t + 1, 3 - i]),)),)),
        ),
        1,
    ),
    "one index in two inner loops": (
        (
            Repeat(
                span(s),
                (
                    Repeat(span(t), (Each((span(i),), (Store(B[t, i], one),)),)),
                    Repeat(span(t), (Each((span(i),), (Store(A[i], B[t + 1, 3 - i]),)),)),
                ),
            ),
        ),
        2,
    ),
    "a local that moves on": (
        (Repeat(span(t), (Every((Let(p, t),)), Each((span(i),), (Store(B[p + 1, i], B[p, 3 - i]),)))),),
        1,
    ),
    "a local with another value": (
        (
            Every((Let(p, S.Zero),)),
            Each((span(i),), (Store(B[p + 1, i], one),)),
            Every((Let(p, one),)),
            Each((span(i),), (Store(A[i], B[p, 3 - i]),)),
        ),
        1,
    ),
    "rows of growing length": (
        (Repeat(span(t), (Each((span(i), span(j, 0, t)), (Store(B[i, j], one),)),)),),
        1,
    ),
}


@pytest.mark.parametrize("name", STEPS)
def test_threads_wait_where_they_must_and_nowhere_else(name):
    steps, count = STEPS[name]
    assert (races(steps) is None) == (count == 0)
    made = placed(steps)
    assert races(made) is None, races(made)
    assert len(list(barriers(made))) == count


@pytest.mark.parametrize("name", [name for name in STEPS if name != "never done"])
def test_no_barrier_of_theirs_can_go(name):
    made = placed(STEPS[name][0])
    for number, _ in enumerate(barriers(made)):
        assert races(less(made, number)) is not None, number


# --- random steps ------------------------------------------------------------------------------------------------------------


class DrawSteps(Draw):
    """Random steps, each of which is free of races in itself."""

    def read(self, scope, taken):
        while True:
            found = self.access(scope)
            if found.tensor.name != taken:
                return found

    def each(self, scope):
        axes = [span(self.pick(i, k))] if self.chance(0.5) else [span(self.pick(i, k)), span(j)]
        if self.chance(0.3):
            r = axes[0]
            axes[0] = span(r.index, *self.pick((1, r.index.extent), (0, 7), (0, 3)))
        if scope and self.chance(0.3):
            axes[-1] = span(axes[-1].index, 0, self.pick(*scope) + self.pick(0, 1))
        first = axes[0].index
        shift = self.pick(0, 0, 0, 1, 4)
        if len(axes) == 2:
            other = axes[1].index
            target = self.pick(B[first, other], B[other, first], B[first + shift, other], A[7 * first + other])
        else:
            time = self.pick(*scope) if scope else S.Zero
            target = self.pick(
                A[first], A[first + shift], B[first, 0], B[time, first], B[first, time + shift], B[first, first], B[p, first]
            )
        inner = (*scope, *(r.index for r in axes))
        value = self.pick(target, self.read(inner, target.tensor.name), self.read(inner, target.tensor.name))
        return Each(tuple(axes), (Store(target, value),))

    def alone(self, scope):
        target = self.pick(C[()], A[self.pick(0, 1, p, p + 1, *scope)], B[self.pick(0, p, *scope), 1])
        return Alone((Store(target, self.read(scope or (S.Zero,), target.tensor.name)),))

    def some(self, scope, depth):
        kind = self.pick("each", "each", "each", "each", "alone", "every", "fold", "repeat", "provided")
        if kind == "repeat" and depth:
            index = self.pick(*(x for x in (t, s) if x not in scope))
            r = span(index, *self.pick((0, 4), (0, 4), (1, 4), (0, 2), (0, 0), *(((0, scope[-1]),) if scope else ())))
            return Repeat(r, self.steps((*scope, index), depth - 1), self.chance(0.3))
        if kind == "provided" and depth:
            return Provided((Indicator(sympy.Gt(self.read(scope or (S.Zero,), ""), 0)),), self.steps(scope, depth - 1))
        if kind == "alone":
            return self.alone(scope)
        if kind == "every":
            return Every((Let(p, sympy.sympify(self.pick(*scope, 0, 1))), Let(v, self.read(scope or (S.Zero,), ""))))
        if kind == "fold":
            axes = (span(i),) if self.chance(0.5) else (span(k), span(j))
            return Fold(a, "sum", axes, (), (), self.read((*scope, *(r.index for r in axes)), ""))
        return self.each(scope)

    def steps(self, scope=(), depth=2):
        return tuple(self.some(scope, depth) for _ in range(int(self.rng.integers(1, 5))))


def test_random_steps_have_no_race_once_barriers_are_placed():
    count = spare = wrong = 0
    for seed in range(COUNT):
        steps = (Every((Let(p, S.Zero),)), *DrawSteps(seed).steps())
        made = placed(steps)
        assert races(made) is None, f"seed {seed}: {made}\n{races(made)}"
        wrong += races(steps) is not None
        for number, _ in enumerate(barriers(made)):
            count += 1
            spare += races(less(made, number)) is None
    # Most have something to wait for; and most of the barriers are needed, whatever can be told from outside.
    assert wrong > COUNT / 4
    assert spare < count / 2, (spare, count)
