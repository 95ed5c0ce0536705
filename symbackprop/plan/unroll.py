"""Small networks written out: a loop over the samples in which every entry of every tensor is a local scalar.

Every other index takes its values one by one: a sum becomes its terms, a guard is decided, a maximum compares one value after the
other. What does not depend on the sample is done before the loop; what is summed over the samples is added up in scalars, and what
follows from those sums is done after it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import sympy
from sympy import Expr, Integer, S, Symbol

from symbackprop.algebra.bound import bound_indices
from symbackprop.algebra.equation import Block, Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import ArgMax, Divides, Guard, Indicator, InRange, LogSumExp, Max, Reduction, Sum
from symbackprop.algebra.recurrence import Recurrence, strands
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.plan import fuse
from symbackprop.plan.naming import readable
from symbackprop.plan.nests import finite, in_order, masked
from symbackprop.plan.records import Choose, Let, Lines, Local, Pick, Plan, Schedule, Series, Statement, Store, Straight, Update, When
from symbackprop.plan.steps import ordered

#: A block, and the slots of it that are computed.
Step = tuple[Block, frozenset[str]]
#: A scalar: the name of its tensor, and its place without that of the sample.
_Entry = tuple[str, tuple[int, ...]]

#: Stages of the computation.
_BEFORE, _SAMPLE, _AFTER = range(3)

#: A network is written out on demand if it is so many times the size up to which that is done by itself.
_ON_DEMAND = 10


class _UnfitError(Exception):
    """Says why a network cannot be written out."""


def written_out(
    plan: Plan, steps: Sequence[Step], inference: tuple[Sequence[Step], Mapping[str, Tensor]] | None, size: Symbol
) -> Schedule | None:
    """Return the entries of a plan as straight-line code, or none and the reason; None where the schedule is plain.

    Args:
        plan: made for the ordinary schedule.
        steps: what it computes, in order.
        inference: the same for inference with the tensors there, where that is another computation.
        size: the batch.
    """
    if plan.schedule == "plain":
        return None
    most = plan.machine.straight * (1 if plan.schedule == "auto" else _ON_DEMAND)
    try:
        if plan.statistics:
            raise _UnfitError("running statistics mix the samples")
        if any(kept.again for kept in plan.tape):
            raise _UnfitError("values are computed again rather than kept")
        cost, found = _measured(_equations(steps, plan.tensors), size, most)
        training = predicting = _Scalars(plan, plan.tensors, size)
        training.compute(found)
        if inference is not None:
            _, found = _measured(_equations(*inference), size, most)
            predicting = _Scalars(plan, inference[1], size)
            predicting.compute(found)
        entries = {"forward": predicting.entry(outputs=plan.outputs)}
        if plan.loss is not None:
            if inference is not None:
                entries["evaluation"] = predicting.entry(result=plan.loss)
            entries["loss"] = training.entry(result=plan.loss)
            entries["backward"] = training.entry(result=plan.loss, gradients=True)
            if plan.input_gradients:
                entries["input_gradients"] = training.entry(result=plan.loss, outputs=tuple(g for _, g in plan.input_gradients))
    except _UnfitError as unfit:
        return Schedule({}, str(unfit))
    return Schedule(entries, f"{cost:,} operations a sample, at most {most:,}")


# What there is to do


def _equations(steps: Sequence[Step], tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, tuple[Equation, ...]]]:
    """Yield the owner and the equations of one block after the other: of a large network only the first are looked at."""
    for block, slots in steps:
        names = {block.names[slot] for slot in slots}
        yield block.owner, tuple(readable(e) for e in block.equations(tensors) if e.tensor.name in names)


def _measured(
    steps: Iterable[tuple[str, tuple[Equation, ...]]], size: Symbol, most: int
) -> tuple[int, list[tuple[str, tuple[Equation, ...]]]]:
    """Return the operations for one sample, and the equations.

    Raises:
        _UnfitError: there are more operations than ``most``, or more entries than several times as many.
    """
    cost, entries, found = 0, 0, []
    for owner, equations in steps:
        for e in equations:
            count = sympy.Mul(*e.lhs.tensor.shape).xreplace({size: S.One})
            own = fuse.operations(e).xreplace({size: S.One})
            if not (count.is_Integer and own.is_Integer):
                raise _UnfitError(f"the sizes of {e.tensor.name} are no numbers")
            cost, entries = cost + int(own), entries + int(count)
            if cost > most or entries > 4 * most:
                raise _UnfitError(f"more than {most:,} operations a sample")
        found.append((owner, equations))
    return cost, found


def _short(names: Iterable[str]) -> dict[str, str]:
    """Return names as short as those of the notes: ``dense_1.W`` is W_1, ``delta.dense_1`` delta_1, ``loss.L`` L."""
    names = tuple(names)
    owners = {name.split(".")[0] for name in names if "." in name} - {"delta", "grad", "loss"}
    numbers: dict[str, list[str]] = {}
    for owner in sorted(owners):
        numbers.setdefault(owner.rpartition("_")[2], []).append(owner)
    called = {o: n for n, (o, *others) in numbers.items() if n.isdigit() and not others}

    def short(name: str) -> str:
        first, *rest = name.split(".")
        if first == "delta" and rest:
            return "_".join(("delta", *(called.get(part, part) for part in rest)))
        if first == "grad" and rest:
            return f"grad_{short('.'.join(rest))}"
        if first == "loss" and rest:
            return "_".join(rest)
        return "_".join((*rest, called.get(first, first)))

    wanted = {name: short(name) for name in names}
    count: dict[str, int] = {}
    for text in wanted.values():
        count[text] = count.get(text, 0) + 1
    return {name: text if count[text] == 1 else name.replace(".", "_") for name, text in wanted.items()}


@dataclass
class _Here:
    """Where a value is computed: the stage, the index of the sample there, and the statements so far."""

    stage: int
    sample: Index | None
    out: list[Statement] = field(default_factory=list)


class _Scalars:
    """The entries of every tensor as scalars, and the statements that compute them."""

    def __init__(self, plan: Plan, tensors: Mapping[str, Tensor], size: Symbol) -> None:
        self.plan, self.tensors, self.size = plan, tensors, size
        self.sample = Index("n", size)
        self.places = {p.name: p for p in plan.parameters}
        data = (*plan.inputs, *(m.name for m in plan.masks), *((plan.target,) if plan.target else ()))
        self.data = tuple(name for name in data if name in tensors)
        counted = ((x, k) for x in plan.inputs for k, extent in enumerate(tensors[x].shape) if extent == size)
        found = next(counted, None)
        if found is None:
            raise _UnfitError("no input has samples")
        self.count = found
        short = _short(tensors)
        # What the loss is called is also the name of a function.
        self.short = {**short, plan.loss: "value"} if plan.loss is not None and "value" not in short.values() else short
        self.shown = {name: Tensor(self.short[name], t.axes, t.role, integer=t.integer, positive=t.positive) for name, t in tensors.items()}
        if plan.loss is not None:
            self.shown[plan.loss] = tensors[plan.loss]
        self.taken: dict[str, int] = {}
        self.stage: dict[str, int] = {}
        self.scalars: dict[_Entry, Expr] = {}
        self.lines: tuple[list[Lines], list[Lines], list[Lines]] = ([], [], [])
        self.loads: dict[_Entry, Let] = {}
        self.known: tuple[dict[Any, Expr], ...] = ({}, {}, {})
        self.sums: dict[tuple[Expr, ...], Local] = {}
        self.adding: list[Statement] = []
        self.whole = ""
        self.right: Expr = S.Zero

    # Equations

    def compute(self, steps: Iterable[tuple[str, tuple[Equation, ...]]]) -> None:
        """Make the statements for some equations."""
        for owner, equations in steps:
            for strand in strands(equations):
                if isinstance(strand, Recurrence):
                    running = strand.index(0)
                    members = ordered(strand)
                    self.staged(members)
                    times = range(int(running.extent))
                    for t in reversed(times) if strand.descending else times:
                        for e in members:
                            self.equation(owner, e, {running: Integer(t)}, f"{running.name} = {t}")
                else:
                    self.staged((strand,))
                    self.equation(owner, strand, {})
        # Once for all entries, so that each gives the same bits.
        for stage in (_BEFORE, _SAMPLE, _AFTER):
            self.lines[stage][:] = _shared(self.lines[stage], self.taken)

    def staged(self, equations: Sequence[Equation]) -> None:
        """Decide in which stage some equations are computed."""
        own = {e.tensor.name for e in equations}
        stage = _BEFORE
        for e in equations:
            batched = [i for i in e.lhs.index if i.extent == self.size]
            if len(batched) > 1:
                raise _UnfitError(f"{e.tensor.name} has two axes of samples")
            summed = any(b.extent == self.size for b in bound_indices(e.rhs))
            if batched and summed:
                raise _UnfitError(f"{e.tensor.name} reads other samples")
            late = any(self.stage.get(t.name) == _AFTER for t in e.reads if t.name not in own)
            stage = max(stage, _SAMPLE if batched else _AFTER if summed or late else _BEFORE)
        self.stage.update((name, stage) for name in own)

    def equation(self, owner: str, e: Equation, fixed: Mapping[Index, Expr], note: str = "") -> None:
        stage = self.stage[e.tensor.name]
        here = _Here(stage, next((i for i in e.lhs.index if i.extent == self.size), None))
        self.adding = []
        others = [i for i in e.lhs.index if i != here.sample]
        for values in product(*((fixed[i],) if i in fixed else map(Integer, range(int(i.extent))) for i in others)):
            env = dict(zip(others, values, strict=True))
            place = tuple(map(int, values))
            self.whole, self.right = self.name(e.tensor.name, place), e.rhs
            value = self.value(e.rhs, env, here)
            entry = (e.tensor.name, place)
            if isinstance(value, Local):
                self.scalars[entry] = value
                continue
            made = self.local(self.whole, integer=e.tensor.integer)
            here.out.append(Let(made, value))
            self.scalars[entry] = made
        shown = e.xreplace({t: self.shown[t.name] for t in (e.tensor, *e.reads)})
        for number, statements in ((stage, here.out), (_SAMPLE, self.adding)):
            if statements:
                self.lines[number].append(Lines(owner.split(".")[0], shown, tuple(statements), note))

    # Names

    def name(self, tensor: str, place: tuple[int, ...]) -> str:
        return "_".join((self.short[tensor], *map(str, place)))

    def local(self, name: str, *, integer: bool = False) -> Local:
        count = self.taken[name] = self.taken.get(name, 0) + 1
        made = name
        while count > 1:
            made = f"{name}_{count}"
            if made not in self.taken:
                self.taken[made] = 1
                break
            count += 1
        return Local(made, integer=integer)

    # Values

    def value(self, e: Expr, env: Mapping[Index, Expr], here: _Here) -> Expr:
        """Return an expression for given values of its indices, in scalars; what needs statements is computed before."""
        if isinstance(e, Access):
            return self.access(e, env, here)
        if isinstance(e, Index):
            if e not in env:
                raise _UnfitError("the number of a sample is part of a formula")
            return env[e]
        if not e.args:
            return e
        if isinstance(e, Guard):
            return self.guard(e, env, here)
        if isinstance(e, Sum):
            if any(b.extent == self.size for b in e.bound):
                return self.over_samples(e, env, here)
            return Series(*self.terms(e.body, e.bound, env, here))
        if isinstance(e, Reduction | ArgMax):
            if any(b.extent == self.size for b in e.bound):
                raise _UnfitError("a maximum is taken over the samples")
            return self.logarithm(e, env, here) if isinstance(e, LogSumExp) else self.search(e, env, here)
        if isinstance(e, sympy.Mul):
            guards = self.guards([f for f in e.args if isinstance(f, Guard)], env, here)
            if guards is None:
                return S.Zero
            return combined(sympy.Mul, (*(self.value(f, env, here) for f in e.args if not isinstance(f, Guard)), *guards))
        return combined(e.func, tuple(self.value(a, env, here) for a in e.args))

    def access(self, a: Access, env: Mapping[Index, Expr], here: _Here) -> Expr:
        t = a.tensor
        places: list[Expr] = []
        for part, axis in zip(a.index, t.axes, strict=True):
            if axis.extent == self.size:
                if part != here.sample:
                    raise _UnfitError(f"{t.name} is read at another sample")
            else:
                places.append(self.place(part, env, here))
        if self.stage.get(t.name, _BEFORE) > here.stage:
            raise _UnfitError(f"{t.name} depends on all samples")
        if all(p.is_Integer for p in places):
            return self.scalar(t, tuple(map(int, places)))
        if t.name in self.places or t.name in self.data:
            return self.stored(t, places)
        extents = [axis.extent for axis in t.axes if axis.extent != self.size]

        def among(chosen: tuple[int, ...]) -> Expr:
            depth = len(chosen)
            if depth == len(places):
                return self.scalar(t, chosen)
            if places[depth].is_Integer:
                return among((*chosen, int(places[depth])))
            return Pick(places[depth], *(among((*chosen, k)) for k in range(int(extents[depth]))))

        return among(())

    def scalar(self, t: Tensor, place: tuple[int, ...]) -> Expr:
        entry = (t.name, place)
        if entry in self.scalars:
            return self.scalars[entry]
        if t.name not in self.places and t.name not in self.data:
            raise _UnfitError(f"{t.name} is read before it is computed")
        found = Let(self.local(self.name(*entry), integer=t.integer), self.stored(t, [Integer(k) for k in place]))
        self.loads[entry] = found
        self.scalars[entry] = found.local
        return found.local

    def stored(self, t: Tensor, place: Sequence[Expr]) -> Access:
        """Return the access to an entry of what is given."""
        if t.name in self.places:
            slot = self.places[t.name]
            return flat("params", self.plan.size)[slot.offset + row_major(place, slot.shape)]
        return self.at_sample(t, place)

    def at_sample(self, t: Tensor, place: Sequence[Expr]) -> Access:
        rest = iter(place)
        return Access(t, *(self.sample if axis.extent == self.size else next(rest) for axis in t.axes))

    def place(self, part: Expr, env: Mapping[Index, Expr], here: _Here) -> Expr:
        found = self.value(part, env, here)
        if found.is_Integer or isinstance(found, Local):
            return found
        if found.is_integer is not True:
            raise _UnfitError(f"the place {part} is no whole number")
        known = self.known[here.stage]
        if found not in known:
            known[found] = self.local("place", integer=True)
            here.out.append(Let(known[found], found))
        return known[found]

    def guards(self, given: Sequence[Expr], env: Mapping[Index, Expr], here: _Here) -> tuple[Expr, ...] | None:
        """Return the guards that are left to be tested; None where one does not hold, and nothing may be read."""
        found = []
        for g in in_order(given):
            decided = self.guard(g, env, here)
            if decided is S.Zero:
                return None
            if decided is not S.One:
                found.append(decided)
        return tuple(found)

    def guard(self, g: Expr, env: Mapping[Index, Expr], here: _Here) -> Expr:
        if not isinstance(g, Indicator):
            sides = [self.value(a, env, here) for a in g.args]
            return g.func(*sides) if all(s.is_Integer for s in sides) else Expr.__new__(type(g), *sides)
        condition = g.condition
        sides = [self.value(a, env, here) for a in condition.args]
        if all(s.is_Number for s in sides):
            return S.One if condition.func(*sides) else S.Zero
        return Expr.__new__(Indicator, condition.func(*sides, evaluate=False))

    def points(self, bound: Sequence[Index], env: Mapping[Index, Expr]) -> Iterator[dict[Index, Expr]]:
        """Yield the values of all indices, for each value of some in reading order."""
        for values in product(*(map(Integer, range(int(b.extent))) for b in bound)):
            yield {**env, **dict(zip(bound, values, strict=True))}

    def terms(self, body: Expr, bound: Sequence[Index], env: Mapping[Index, Expr], here: _Here) -> list[Expr]:
        found = (self.value(body, point, here) for point in self.points(bound, env))
        return [term for term in found if term is not S.Zero]

    def over_samples(self, e: Sum, env: Mapping[Index, Expr], here: _Here) -> Expr:
        """Return the scalar that a sum over the samples is added up in."""
        (sample, *others) = [b for b in e.bound if b.extent == self.size]
        if others or here.stage == _SAMPLE:
            raise _UnfitError("a sum over pairs of samples")
        inner = _Here(_SAMPLE, sample, self.adding)
        terms = tuple(self.terms(e.body, [b for b in e.bound if b != sample], env, inner))
        if not terms:
            return S.Zero
        if terms not in self.sums:
            total = self.sums[terms] = self.local(self.whole if e is self.right else f"{self.whole}_sum")
            # In the order in which a loop would add them.
            self.adding.append(Update(total, "sum", terms[0]) if len(terms) == 1 else Let(total, Series(total, *terms)))
        return self.sums[terms]

    def search(self, e: Max | ArgMax, env: Mapping[Index, Expr], here: _Here) -> Expr:
        """Return the largest of some values, or its place; one search gives both."""
        choices = []
        factors = sympy.Mul.make_args(e.body)
        rest = sympy.Mul(*(f for f in factors if not isinstance(f, Guard)))
        for point in self.points(e.bound, env):
            guards = self.guards([f for f in factors if isinstance(f, Guard)], point, here)
            if guards is not None:
                wanted = self.value(e.wanted, point, here) if isinstance(e, ArgMax) else None
                choices.append((self.value(rest, point, here), guards, wanted))
        seen = tuple((value, guards) for value, guards, _ in choices)
        known = self.known[here.stage]
        key = ("place", tuple(choices)) if isinstance(e, ArgMax) else ("largest", seen)
        if key not in known:
            if isinstance(e, ArgMax):
                best, at = self.local("largest"), self.local("place", integer=True)
                self.first(best, here, choices, lambda value, wanted: Choose(best, at, value, wanted), Let(at, choices[0][2] or S.Zero))
                known[key], known["largest", seen] = at, best
            else:
                known[key] = self.largest(choices, here)
        return known[key]

    def largest(self, choices: Sequence[tuple[Expr, tuple[Expr, ...], Any]], here: _Here) -> Local:
        top = self.local("largest")
        self.first(top, here, choices, lambda value, _: Update(top, "max", value))
        return top

    def first(
        self,
        best: Local,
        here: _Here,
        choices: Sequence[tuple[Expr, tuple[Expr, ...], Any]],
        compared: Callable[[Expr, Any], Statement],
        *more: Let,
    ) -> None:
        """Append the start of a search and its comparisons."""
        rest = choices
        start: Expr = -sympy.oo
        if choices and not choices[0][1]:
            start, rest = choices[0][0], choices[1:]
        here.out += [Let(best, start), *more]
        for value, guards, wanted in rest:
            statement = compared(value, wanted)
            here.out.append(When(guards, (statement,)) if guards else statement)

    def logarithm(self, e: LogSumExp, env: Mapping[Index, Expr], here: _Here) -> Expr:
        """Return log Σ exp of some values, with the largest shifted out."""
        term, seen = masked(e.body)
        choices: list[tuple[Expr, tuple[Expr, ...], Any]] = []
        for point in self.points(e.bound, env):
            guards = self.guards(seen, point, here)
            if guards is not None:
                choices.append((self.value(term, point, here), guards, None))
        known = self.known[here.stage]
        key = ("logarithm", tuple((value, guards) for value, guards, _ in choices))
        if key not in known:
            top = self.largest(choices, here)
            shift = self.local("shift")
            # Where the largest value is infinite there is nothing to shift; otherwise inf − inf would be NaN.
            here.out.append(Let(shift, top * finite(top)))
            total = Series(*(sympy.Mul(sympy.exp(combined(sympy.Add, (value, -shift))), *guards) for value, guards, _ in choices))
            known[key] = self.local("log_sum")
            here.out.append(Let(known[key], shift + sympy.log(total)))
        return known[key]

    # Entries

    def entry(self, *, result: str | None = None, outputs: tuple[str, ...] = (), gradients: bool = False) -> Straight:
        """Return the statements that some results need."""
        written: list[tuple[str, list[Store]]] = []
        stores: list[tuple[str, list[Store]]] = []
        for name in outputs:
            t = self.tensors[name]
            batched = self.size in t.shape
            places = self.every(t)
            group = [Store(self.at_sample(t, list(map(Integer, place))), self.scalar(t, place)) for place in places]
            (written if batched else stores).append((name, group))
        if gradients:
            found = dict(self.plan.gradients)
            grads = flat("grads", self.plan.size)
            for p in self.plan.parameters:
                values = [self.scalar(self.tensors[found[p.name]], k) for k in places_of(p.shape)] if p.name in found else None
                every = range(math.prod(p.shape))
                group = [Store(grads[Integer(p.offset + k)], S.Zero if values is None else values[k]) for k in every]
                stores.append((found.get(p.name, p.name), group))
        value = None if result is None else self.scalar(self.tensors[result], ())
        live: set[Any] = set() if value is None else set(value.free_symbols)
        live.update(*(s.value.free_symbols for _, group in (*written, *stores) for s in group))
        after = _needed(self.lines[_AFTER], live)
        inside = _needed(self.lines[_SAMPLE], live)
        before = _needed(self.lines[_BEFORE], live)
        loads = [(name, let) for (name, _), let in self.loads.items() if let.local in live]
        if not inside and not written and not any(name in self.data for name, _ in loads):
            raise _UnfitError("nothing depends on a sample")
        given = [(name, let) for name, let in loads if self.size in self.tensors[name].shape]
        return Straight(
            loads=_side_by_side(sorted((item for item in loads if item not in given), key=lambda item: self.offset(item[0]))),
            before=tuple(before),
            sums=tuple(total for total in self.sums.values() if total in live),
            sample=self.sample,
            count=self.count,
            given=_side_by_side(given),
            inside=tuple(inside),
            written=tuple((name, tuple(group)) for name, group in written),
            after=tuple(after),
            stores=tuple((name, tuple(group)) for name, group in stores),
            result=value,
        )

    def offset(self, name: str) -> int:
        return self.places[name].offset if name in self.places else -1

    def every(self, t: Tensor) -> Iterator[tuple[int, ...]]:
        return places_of(tuple(int(axis.extent) for axis in t.axes if axis.extent != self.size))


def flat(name: str, count: int) -> Tensor:
    """Return a flat buffer."""
    return Tensor(name, (Index("p", Integer(count)),), "parameter")


def places_of(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Yield the places of an array in reading order."""
    return product(*map(range, shape))


def row_major(place: Sequence[Expr], shape: Sequence[int]) -> Expr:
    """Return the number of an entry in reading order."""
    number: Expr = S.Zero
    for part, extent in zip(place, shape, strict=True):
        number = number * extent + part
    return number


def combined(kind: Callable[..., Expr], args: tuple[Expr, ...]) -> Expr:
    """Return an expression of other parts; what would cancel stays, since it may be infinite: x − x, and 0 times x."""
    if kind not in (sympy.Add, sympy.Mul):
        return kind(*args)
    parts = [part for a in args for part in kind.make_args(a)]  # type: ignore[attr-defined]
    cores = [part.as_coeff_Mul()[1] if kind is sympy.Add else part.as_base_exp()[0] for part in parts]
    symbols = set().union(*(a.free_symbols for a in args))
    made = kind(*args)
    again = len({c for c in cores if not c.is_Number}) < sum(not c.is_Number for c in cores)
    if made.free_symbols != symbols or (kind is sympy.Add and again):
        return kind(*args, evaluate=False)
    return made


def _side_by_side(loads: Sequence[tuple[str, Let]]) -> tuple[tuple[str, tuple[Let, ...]], ...]:
    """Return what is read in groups of one tensor, each in the order of memory."""
    found: dict[str, list[Let]] = {}
    for name, let in loads:
        found.setdefault(name, []).append(let)

    def place(let: Let) -> tuple[int, ...]:
        return tuple(int(part) for part in let.value.index if part.is_Integer)

    return tuple((name, tuple(sorted(lets, key=place))) for name, lets in found.items())


# What is needed, and what is shared


def _targets(s: Statement) -> tuple[Local, ...]:
    if isinstance(s, Let | Update):
        return (s.local,)
    if isinstance(s, Choose):
        return s.best, s.at
    return tuple(local for inner in s.body for local in _targets(inner)) if isinstance(s, When) else ()


def _read(s: Statement) -> set[Any]:
    if isinstance(s, Let | Update):
        found: set[Any] = set(s.value.free_symbols)
        return found
    if isinstance(s, Choose):
        return set(s.value.free_symbols) | set(s.position.free_symbols)
    assert isinstance(s, When)
    return set().union(*(g.free_symbols for g in s.guards), *map(_read, s.body))


def _needed(lines: Sequence[Lines], live: set[Any]) -> list[Lines]:
    """Return the statements that some scalars need, and add to these what they need themselves."""
    kept: list[Lines] = []
    for group in reversed(lines):
        statements: list[Statement] = []
        for s in reversed(group.statements):
            if not live.isdisjoint(_targets(s)):
                live |= _read(s)
                live.update(_targets(s))
                statements.append(s)
        if statements:
            kept.append(replace(group, statements=tuple(reversed(statements))))
    return kept[::-1]


def _shared(lines: Sequence[Lines], taken: dict[str, int]) -> tuple[Lines, ...]:
    """Name what occurs twice, and the bases of powers, before their first use."""
    uses: dict[Expr, int] = {}
    bases: set[Expr] = set()

    def visit(e: Expr) -> None:
        if _closed(e) or not e.args:
            return
        uses[e] = uses.get(e, 0) + 1
        if isinstance(e, sympy.Pow) and e.exp.is_Integer and abs(e.exp) > 1 and not e.base.is_Symbol:
            bases.add(e.base)
        if uses[e] == 1:
            for a in e.args:
                visit(a)

    for s in (s for group in lines for s in group.statements):
        for value in _values(s):
            visit(value)
    wanted = {e for e, count in uses.items() if count > 1 and _worth(e)} | bases
    names: dict[Expr, Local] = {}
    made = []
    for group in lines:
        statements: list[Statement] = []

        def name(e: Expr, statements: list[Statement] = statements) -> Expr:
            if _closed(e) or not e.args:
                return e
            if e in names:
                return names[e]
            args = tuple(name(a) for a in e.args)
            inner = e if args == e.args else combined(e.func, args)
            if e not in wanted:
                return inner
            count = taken["t"] = taken.get("t", 0) + 1
            while f"t_{count}" in taken:
                count = taken["t"] = count + 1
            names[e] = Local(f"t_{count}")
            statements.append(Let(names[e], inner))
            return names[e]

        for s in group.statements:
            statements.append(_rewritten(s, name))
        made.append(replace(group, statements=tuple(statements)))
    return tuple(made)


def _closed(e: Expr) -> bool:
    """Whether nothing inside an expression is named: what a guard on a place keeps from being read stays where it is."""
    return isinstance(e, Access | Guard) or (isinstance(e, sympy.Mul) and any(isinstance(f, InRange | Divides) for f in e.args))


def _worth(e: Expr) -> bool:
    """Whether an expression is worth a name where it occurs twice; it is divided by what it was divided by before."""
    if isinstance(e, sympy.Pow):
        return not (e.exp.is_Number and (e.exp < 0 or (e.base.is_Symbol and e.exp.is_Integer)))
    return not (isinstance(e, sympy.Mul) and len(e.args) == 2 and e.args[0].is_Number)


def _values(s: Statement) -> tuple[Expr, ...]:
    if isinstance(s, Let | Update | Choose):
        return (s.value,)
    return tuple(value for inner in s.body for value in _values(inner)) if isinstance(s, When) else ()


def _rewritten(s: Statement, name: Callable[[Expr], Expr]) -> Statement:
    if isinstance(s, Let | Update | Choose):
        return replace(s, value=name(s.value))
    assert isinstance(s, When)
    return replace(s, body=tuple(_rewritten(inner, name) for inner in s.body))


__all__ = ["written_out"]
