"""The adjoint of one template: what its inputs receive, given what its outputs receive. Derived once, used by every block.

Cotangent slots are named ``~slot``. A cotangent of an internal tensor is inlined where that keeps the result readable and
cheap, and kept as an equation of its own where it is a result (an error term) or used several times.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import sympy
from sympy import Expr, S

from symbackprop.algebra.bound import canonical, rename
from symbackprop.algebra.equation import Equation, Fact, Template, _raw
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import Guard, Indicator, Reduction, Sum
from symbackprop.algebra.recurrence import Recurrence, strands
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.derive import marks
from symbackprop.derive.differentiate import contract, differentiate
from symbackprop.derive.normalize import Trace, normalize
from symbackprop.derive.records import Step
from symbackprop.derive.reexpress import reexpress
from symbackprop.derive.stored import Rule, stored_rules

#: A cotangent slot, ``~z``, is the derivative with respect to ``z``; what reaches a slot from outside the template, ``^z``, is
#: filled in when templates are composed.
MARK, SEED = marks.COTANGENT, marks.OUTSIDE


def cotangent(tensor: Tensor) -> Tensor:
    """Return the slot tensor for the derivative with respect to ``tensor``."""
    return Tensor(MARK + tensor.name, tensor.axes, "cotangent")


def seed(tensor: Tensor) -> Tensor:
    """Return the slot tensor for what ``tensor`` receives from outside its template."""
    return Tensor(SEED + tensor.name, tensor.axes, "cotangent")


@dataclass(frozen=True)
class Cotangent:
    """One derived equation ``~T[P] = rhs`` with its steps, in slot names.

    ``forward`` are the equations whose stored values it may speak of (their definitions), ``facts`` the declared truths.
    """

    key: str
    equation: Equation
    steps: tuple[Step, ...]
    forward: tuple[Equation, ...]
    facts: tuple[Fact, ...]

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Cotangent) and self.key == other.key

    @property
    def slot(self) -> str:
        return self.equation.tensor.name.removeprefix(MARK)

    @property
    def elementwise(self) -> bool:
        """Whether it is cheap enough to be written out wherever it is read: no sum, no maximum."""
        return not self.equation.rhs.has(Reduction)


@dataclass(frozen=True)
class Adjoint:
    """The cotangents of one template.

    Attributes:
        kept: equations of internal and output cotangents that are results of their own, in the order of computing.
        flows: what each wanted input receives: slot name -> cotangent.
        circles: slots whose kept cotangents read one another: the adjoint of a recurrence is a recurrence.
    """

    kept: tuple[Cotangent, ...]
    flows: tuple[Cotangent, ...]
    circles: tuple[tuple[str, ...], ...] = ()


@lru_cache(maxsize=4096)
def adjoint(
    template: Template, wanted: tuple[str, ...], seeds: tuple[str, ...], units: tuple[str, ...] = (), inner: tuple[str, ...] = ()
) -> Adjoint:
    """Derive the adjoint of a template.

    Args:
        template: the forward equations.
        wanted: free slots whose cotangents are asked for.
        seeds: defined slots that receive a cotangent from outside, as the tensor ``^slot``.
        units: defined slots of rank 0 whose cotangent is 1: the scalar that is differentiated.
        inner: defined slots whose cotangents are asked for too.
    """
    key = f"{template.key}|{','.join(wanted)}|{','.join(seeds)}|{','.join(units)}"
    rules = stored_rules(template.equations)
    active = set(wanted) | set(inner)
    for strand in strands(template.equations):
        # In a recurrence what is written first reads what is written last.
        together = strand.equations if isinstance(strand, Recurrence) else (strand,)
        if any(t.name in active for e in together for t in e.reads):
            active.update(e.tensor.name for e in together)
    names = {t.name for t in template.tensors.values()}
    incoming: dict[str, list[tuple[Expr, list[Step]]]] = {}
    for slot in seeds:
        incoming.setdefault(slot, []).append((Access(seed(template.tensors[slot]), *template.tensors[slot].axes), []))
    for slot in units:
        incoming.setdefault(slot, []).append((S.One, []))

    arrived: dict[str, Expr] = {}
    kept: list[Cotangent] = []
    steps_of: dict[str, list[Step]] = {}

    def settle(slot: str, keep: bool) -> None:
        """Add what has arrived at a tensor and decide whether its cotangent gets an equation of its own."""
        tensor = template.tensors[slot]
        target = cotangent(tensor)
        lhs = Access(target, *tensor.axes)
        trace, total = _gathered(lhs, incoming[slot])
        rhs = normalize(total, trace, rules, template.facts)
        if keep:
            kept.append(Cotangent(f"{key}>{slot}", _raw(lhs, rhs), tuple(trace.steps), template.equations, template.facts))
            arrived[slot] = lhs
        else:
            arrived[slot] = rhs
            steps_of[slot] = trace.steps

    def send(e: Equation) -> None:
        """Pass on what has arrived at a tensor to those that its equation reads."""
        slot = e.tensor.name
        for read, expr, steps in _flows(e, arrived[slot], frozenset(active & names), rules):
            incoming.setdefault(read, []).append((expr, [*steps_of.get(slot, []), *steps]))

    circles: list[tuple[str, ...]] = []

    def turn(recurrence: Recurrence[Equation]) -> None:
        """Take the cotangents of a recurrence as given, send them round, and then write down what they are."""
        for e in recurrence.equations:
            arrived[e.tensor.name] = Access(cotangent(template.tensors[e.tensor.name]), *template.tensors[e.tensor.name].axes)
        for e in reversed(recurrence.equations):
            send(e)
        for e in reversed(recurrence.equations):
            settle(e.tensor.name, keep=True)
        circles.append(tuple(reversed(recurrence.defined)))

    order = [e for e in template.equations if e.tensor.name in active]
    for strand in reversed(strands(order)):
        if isinstance(strand, Recurrence):
            if any(slot in incoming for slot in strand.defined):
                turn(strand)
            continue
        slot = strand.tensor.name
        if slot not in incoming:
            continue
        settle(slot, keep=slot in template.kept or _worth_keeping(slot, incoming[slot], order))
        if arrived[slot] != 0:
            send(strand)
    flows = []
    for slot in wanted:
        if slot not in incoming:
            continue
        tensor = template.tensors[slot]
        lhs = Access(cotangent(tensor), *tensor.axes)
        trace, total = _gathered(lhs, incoming[slot])
        rhs = normalize(total, trace, rules, template.facts)
        flows.append(Cotangent(f"{key}>{slot}", _raw(lhs, rhs), tuple(trace.steps), template.equations, template.facts))
    return Adjoint(tuple(kept), tuple(flows), tuple(circles))


def _gathered(lhs: Access, arriving: list[tuple[Expr, list[Step]]]) -> tuple[Trace, Expr]:
    """Add what has arrived; where it came on several ways, each step says on which."""
    total = sympy.Add(*(e for e, _ in arriving))
    if len(arriving) == 1:
        return Trace(lhs, list(arriving[0][1])), total
    steps = [replace(s, rule=part_rule(k, len(arriving), s.rule)) for k, (_, steps) in enumerate(arriving, 1) for s in steps]
    # A way without a step is what came from outside: then there is nothing to tell apart yet.
    if all(steps for _, steps in arriving):
        steps.append(Step("add the parts", _raw(lhs, canonical(arriving[0][0])), _raw(lhs, canonical(total)), rewrites=False))
    return Trace(lhs, steps), total


def part_rule(number: int, count: int, rule: str) -> str:
    """Return the name of a step towards one of several parts of a sum."""
    return f"part {number} of {count}: {rule}"


def _worth_keeping(slot: str, arriving: list[tuple[Expr, list[Step]]], order: list[Equation]) -> bool:
    """Keep a cotangent with a sum that several equations, or a sum over more indices, would compute again.

    What an affine map of parameters gives is a pre-activation: its cotangent is an error term, read by several sums.
    """
    total = sympy.Add(*(e for e, _ in arriving))
    equation = next(e for e in order if e.tensor.name == slot)
    affine = equation.tensor.rank > 0 and equation.rhs.has(Sum) and any(t.role == "parameter" and t.rank > 1 for t in equation.reads)
    if affine and not isinstance(total, Access):
        return True
    if not total.has(Reduction):
        return False
    readers = [t for t in equation.reads]
    rank = equation.tensor.rank
    return len(readers) > 1 and all(t.rank <= rank for t in readers) and rank > 1


def _flows(e: Equation, arrived: Expr, wanted: frozenset[str], rules: tuple[Rule, ...]) -> list[tuple[str, Expr, list[Step]]]:
    """Return (tensor name, expression over its axes, steps) for every tensor that an equation sends something to."""
    index: tuple[Index, ...] = e.lhs.index
    taken = {i.name for i in index} | {i.name for t in (e.tensor, *e.reads) for i in t.axes}
    rhs = rename(e.rhs, taken)
    arrived = rename(arrived.xreplace(dict(zip(e.tensor.axes, index, strict=True))), taken)
    out: dict[str, list[Expr]] = {}
    tensors: dict[str, Tensor] = {}
    raw: dict[str, list[Expr]] = {}
    local = local_slope(e)
    plain: dict[str, list[Expr]] = {}
    source = rhs if local is None else local.inner
    for term in differentiate(source, S.One, index, wanted, taken):
        tensor = term.access.tensor
        tensors[tensor.name] = tensor
        swap: dict[Expr, Expr] = {}
        fresh_axes = []
        for axis in tensor.axes:
            new = Index(f"{axis.name}'", axis.extent)
            fresh_axes.append(new)
            swap[new] = axis
        inner = term.coefficient
        slope, through = (inner, inner) if local is None else (local.slope * inner, local.through * inner)
        copy = rename(arrived, taken)
        deltas = sympy.Mul(*(Indicator(sympy.Eq(h, p, evaluate=False)) for h, p in zip(term.access.index, fresh_axes, strict=True)))
        before = canonical(Sum(copy * slope * deltas, *term.bound)).xreplace(swap)
        raw.setdefault(tensor.name, []).append(before)
        for where, coefficient in ((plain, slope), (out, through)):
            solved = canonical(contract(term.access.index, tuple(fresh_axes), copy * coefficient, term.bound, set(taken))).xreplace(swap)
            where.setdefault(tensor.name, []).append(solved)
    result = []
    for name, parts in out.items():
        lhs = Access(cotangent(tensors[name]), *tensors[name].axes)
        steps = []
        started = sympy.Add(*raw[name])
        steps.append(Step(f"differentiate {e.tensor.name} with respect to {name}", e, _raw(lhs, started), rewrites=False))
        trace = Trace(lhs, steps)
        expr, solved = sympy.Add(*parts), sympy.Add(*plain[name])
        trace.rewrite("contract deltas", started, solved)
        trace.rewrite(f"write the slope through {e.tensor.name}", solved, expr)
        result.append((name, expr, trace.steps))
    return result


@dataclass(frozen=True)
class LocalSlope:
    """How a = f(u) follows u: in terms of a, which is stored, and as differentiated.

    ``inner`` is u: one access, or what f is applied to where that reads several tensors, as in σ(p + q).
    """

    inner: Expr
    through: Expr
    slope: Expr


def local_slope(e: Equation) -> LocalSlope | None:
    """Return f′ through a for an elementwise a = f(u), or None where there is no such form.

    The places of u may be shifted: i[n, k] = σ(z[n, k + c]) has a slope in i[n, k], whichever part of z it reads.
    """
    if e.rhs.has(Reduction):
        return None
    accesses = e.rhs.atoms(Access)
    inner = accesses.pop() if len(accesses) == 1 else _inner(e.rhs)
    if inner is None or inner == e.rhs or _free_indices(inner) != set(e.lhs.index):
        return None
    t = sympy.Dummy("z", real=True, positive=True if inner.is_positive else None)
    slope = sympy.diff(_outside_guards(e.rhs, inner, t), t).xreplace({t: inner})
    # What f is applied to stands for itself, whatever it reads.
    z = (
        inner
        if isinstance(inner, Access)
        else Access(Tensor("inner.value", tuple(e.lhs.index), positive=bool(inner.is_positive)), *e.lhs.index)
    )
    through = reexpress(e.rhs.xreplace({inner: z}), slope.xreplace({inner: z}), z, e.lhs)
    return LocalSlope(inner, through, slope) if through is not None else None


def _free_indices(e: Expr) -> set[sympy.Basic]:
    return {s for s in e.free_symbols if isinstance(s, Index)}


def _inner(e: Expr) -> Expr | None:
    """Return the smallest part that holds all accesses, where functions of one argument lead to it."""
    below = False
    while not isinstance(e, Access):
        parts = [a for a in e.args if a.has(Access)]
        if len(parts) != 1:
            return e if below and parts and not e.has(Guard) else None
        below |= isinstance(e, sympy.Function | sympy.exp)
        e = parts[0]
    return None


def _outside_guards(e: Expr, z: Access, t: sympy.Dummy) -> Expr:
    if e == z:
        return t
    if isinstance(e, Guard | Access) or not e.args:
        return e
    return e.func(*(_outside_guards(a, z, t) for a in e.args))


def renamed(c: Cotangent, prefix: str, sizes: Mapping[sympy.Symbol, Expr], keep: Mapping[str, Tensor]) -> tuple[Cotangent, dict[str, str]]:
    """Return a copy whose slots carry a prefix, for composing templates; ``keep`` names slots that stay shared.

    Returns:
        The copy, and new slot name -> old slot name.
    """
    tensors: dict[str, Tensor] = {}
    for e in (c.equation, *c.forward):
        for t in (e.tensor, *e.reads):
            tensors[t.name] = t
    for s in c.steps:
        for e in (s.before, s.after):
            for t in (e.tensor, *e.reads):
                tensors[t.name] = t
    for f in c.facts:
        for a in f.lhs.atoms(Access) | f.rhs.atoms(Access):
            tensors[a.tensor.name] = a.tensor
    swap: dict[sympy.Basic, sympy.Basic] = dict(sizes)
    names: dict[str, str] = {}
    for name, t in tensors.items():
        axes = tuple(Index(a.name, a.extent.xreplace(dict(sizes))) for a in t.axes)
        for old, new in zip(t.axes, axes, strict=True):
            swap[old] = new
        if name in keep:
            swap[t] = keep[name]
            continue
        mark = name[0] if name[0] in (MARK, SEED) else ""
        new_name = f"{mark}{prefix}{name.removeprefix(mark)}"
        names[new_name] = name
        swap[t] = Tensor(new_name, axes, t.role, integer=t.integer, positive=t.positive)
    for e in (c.equation, *c.forward, *(s.before for s in c.steps), *(s.after for s in c.steps)):
        for i in e.lhs.index:
            swap.setdefault(i, Index(i.name, i.extent.xreplace(dict(sizes))))
        for i in (n for n in sympy.preorder_traversal(e.rhs) if isinstance(n, Index)):
            swap.setdefault(i, Index(i.name, i.extent.xreplace(dict(sizes))))
    for f in c.facts:
        for i in (n for n in sympy.preorder_traversal(f.lhs) if isinstance(n, Index)):
            swap.setdefault(i, Index(i.name, i.extent.xreplace(dict(sizes))))
    copy = replace(
        c,
        equation=c.equation.xreplace(swap),
        steps=tuple(Step(s.rule, s.before.xreplace(swap), s.after.xreplace(swap), s.rewrites) for s in c.steps),
        forward=tuple(e.xreplace(swap) for e in c.forward),
        facts=tuple(f.xreplace(swap) for f in c.facts),
    )
    return copy, names
