"""The forward sweep over blocks: how values change when the given tensors move along given directions.

    out[I] = φ(…, A[h(I, R)], …)    ⇒    ṫout[I] = Σ_{I, R} ∂φ/∂A · tA[h(I, R)]

The one rule again, with seed 1 and nothing to invert: where a contribution would flow back to an entry of A, that entry's
tangent flows forward. So a tangent is a system of the same kind as what it belongs to: a recurrence's runs in the same
direction, guards stay where they are, a maximum moves with its first maximiser.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import sympy
from sympy import Expr, S

from symbackprop.algebra.bound import canonical, rename
from symbackprop.algebra.equation import Block, Equation, System, Template, _raw
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import Guard, LogSumExp, Reduction, Sum
from symbackprop.algebra.recurrence import Recurrence, strands
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.derive import marks
from symbackprop.derive.adjoint import local_slope
from symbackprop.derive.differentiate import differentiate
from symbackprop.derive.normalize import Trace, normalize
from symbackprop.derive.records import Step
from symbackprop.derive.stable import selected, stabilize
from symbackprop.derive.stored import stored_rules
from symbackprop.errors import DerivationError

#: A tangent slot, ``'z``, is how ``z`` changes.
MARK = marks.TANGENT
#: What the names of tangents begin with, and those of the directions along which the given tensors move.
TANGENT, DIRECTION = "tangent.", "v_"


@dataclass(frozen=True)
class Tangents:
    """The tangents of a system.

    Attributes:
        system: the equations, followed by those of their tangents.
        forward: the blocks of the equations in the form in which they are computed.
        tangents: the blocks of the tangents, in that form.
        names: tensor name -> name of its tangent; what does not move has none.
        prefix: what the names of the tangents begin with.
        traces: tangent name -> the block that binds its steps, and the steps in slot names.
    """

    system: System
    forward: tuple[Block, ...]
    tangents: tuple[Block, ...]
    names: Mapping[str, str]
    prefix: str
    traces: Mapping[str, tuple[Block, tuple[Step, ...]]]


def tangent_system(system: System, computed: tuple[Block, ...], wrt: tuple[str, ...]) -> Tangents:
    """Derive the tangents of everything that depends on some tensors.

    Args:
        system: the equations as printed.
        computed: the same equations in the form in which they are computed; their tangents are those that are computed.
        wrt: names of the tensors that move; the direction of ``w`` is an input named ``v_w``. Where the system has tangents
            already, the new ones are ``tangent_2.z``, along ``v2_w``.

    Raises:
        DerivationError: ``wrt`` names nothing that can move.
    """
    tensors = dict(system.tensors)
    names: dict[str, str] = {}
    defined = set(system.defined)
    order, prefix, direction = 1, TANGENT, DIRECTION
    while any(name.startswith(prefix) for name in tensors):
        order += 1
        prefix, direction = f"tangent_{order}.", f"v{order}_"
    for name in wrt:
        if name not in tensors:
            raise DerivationError(f"{name!r} is no tensor of this system; it has {', '.join(tensors)}")
        if tensors[name].integer:
            raise DerivationError(f"{name} holds integers: there is no derivative with respect to it")
        if name in defined:
            raise DerivationError(f"{name} is computed by an equation; tangents start at tensors that are given: {', '.join(system.free)}")
        names[name] = direction + name
        tensors[names[name]] = Tensor(names[name], tensors[name].axes, "input")
    traces: dict[str, tuple[Block, tuple[Step, ...]]] = {}
    printed: list[Block] = []
    moved: list[Block] = []
    for block, stable in zip(map(marks.settled_block, system.blocks), map(marks.settled_block, computed), strict=True):
        made = _write(block, tangent(block.template, _moving(block, names)), tensors, names, prefix)
        if made is not None:
            printed.append(made)
            traces.update(_traced(block, made, tangent(block.template, _moving(block, names))))
        made = _write(stable, tangent(stable.template, _moving(stable, names), block.template), tensors, names, prefix)
        if made is not None:
            moved.append(made)
    return Tangents(System(blocks=(*system.blocks, *printed), tensors=tensors), computed, tuple(moved), names, prefix, traces)


def _moving(block: Block, names: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(slot for slot in block.template.free if block.names[slot] in names)


def _write(block: Block, found: Tangent, tensors: dict[str, Tensor], names: dict[str, str], prefix: str) -> Block | None:
    """Return the block of what moves in a block; ``tensors`` and ``names`` grow by it."""
    if not found.template.equations:
        return None
    for slot in found.moved:
        real = block.names[slot]
        if real not in names:
            names[real] = prefix + real
            tensors[names[real]] = Tensor(names[real], tensors[real].axes, "tangent")
    slots = {slot: names[block.names[slot[1:]]] if slot[0] == MARK else block.names[slot] for slot in found.template.tensors}
    return Block(found.template, slots, block.sizes, block.owner)


def _traced(block: Block, made: Block, found: Tangent) -> dict[str, tuple[Block, tuple[Step, ...]]]:
    """Return the steps of the tangents of a block with what binds them."""
    traces = {}
    for slot, steps in found.steps.items():
        shown = tuple(e for s in steps for e in (s.before, s.after))
        whole = Template(f"trace:{found.template.key}>{slot}", shown, block.template.facts)
        traces[made.names[MARK + slot]] = (Block(whole, {**block.names, **made.names}, block.sizes, block.owner), steps)
    return traces


@dataclass(frozen=True)
class Tangent:
    """The tangents of one template.

    Attributes:
        template: their equations, in order; ``'z`` is the tangent of ``z``.
        moved: the slots that have one.
        steps: slot -> the steps that led to its tangent.
    """

    template: Template
    moved: tuple[str, ...]
    steps: Mapping[str, tuple[Step, ...]]


def slot_of(tensor: Tensor) -> Tensor:
    """Return the slot tensor for the tangent of ``tensor``."""
    return Tensor(MARK + tensor.name, tensor.axes, "tangent")


@lru_cache(maxsize=4096)
def tangent(template: Template, moving: tuple[str, ...], printed: Template | None = None) -> Tangent:
    """Derive the tangents of a template, given which of the tensors that it reads move.

    A tangent with a sum over fewer indices than every equation that reads it is written into them too, so that a softmax moves
    by p (ż − Σ p ż): the normaliser itself may overflow, and what cancels is gone. Its own equation then stands for itself.

    Args:
        template: the equations.
        moving: the slots that move.
        printed: where ``template`` is the form in which equations are computed, the form in which they are printed. What
            looks through a stored value, or sums exponentials, is differentiated as it is computed; all else as it is printed,
            for that speaks of stored values more often.
    """
    key = f"tangent:{template.key}|{','.join(moving)}"
    rules = stored_rules(template.equations)
    definitions = {e.tensor.name: e for e in template.equations}
    plain = {} if printed is None else {e.tensor.name: e for e in printed.equations}
    given = (rules, stored_rules(tuple(plain.values())))
    active = set(moving)
    within: dict[Access, Expr] = {}
    equations: list[Equation] = []
    moved: list[str] = []
    steps: dict[str, tuple[Step, ...]] = {}

    def derived(e: Equation) -> tuple[Access, Expr, Trace]:
        lhs = Access(slot_of(e.tensor), *e.lhs.index)
        other = plain.get(e.tensor.name)
        stable = other is not None and (other.reads != e.reads or e.rhs.has(LogSumExp))
        source = e if other is None or stable else other
        raw, through = _moved(source, frozenset(active), stabilize if stable else None)
        trace = Trace(lhs, [Step(f"differentiate {e.tensor.name} along the direction", e, _raw(lhs, canonical(raw)), rewrites=False)])
        trace.rewrite(f"write the slope through {e.tensor.name}", canonical(raw), canonical(through))
        inserted = _inserted(through, within)
        trace.rewrite("insert the tangents of what is summed", canonical(through), canonical(inserted))
        return lhs, normalize(inserted, trace, given[source is other], template.facts), trace

    def write(e: Equation, lhs: Access, rhs: Expr, trace: Trace) -> None:
        equations.append(_raw(lhs, rhs if printed is None else stabilize(rhs, definitions)))
        moved.append(e.tensor.name)
        steps[e.tensor.name] = tuple(trace.steps)

    for strand in strands(template.equations):
        if isinstance(strand, Recurrence):
            if any(t.name in active for e in strand.equations for t in e.reads):
                active.update(strand.defined)
                for e in strand.equations:
                    write(e, *derived(e))
            continue
        if not any(t.name in active for t in strand.reads):
            continue
        active.add(strand.tensor.name)
        lhs, rhs, trace = derived(strand)
        if rhs == 0:
            active.discard(strand.tensor.name)
            continue
        if _absorbed(strand, rhs, printed or template):
            within[lhs] = rhs
        write(strand, lhs, rhs, trace)
    return Tangent(Template(key, tuple(equations), template.facts), tuple(moved), steps)


def _moved(e: Equation, active: frozenset[str], stable: Callable[[Expr, Mapping[str, Equation]], Expr] | None) -> tuple[Expr, Expr]:
    """Return how the left side of an equation changes: as differentiated, and with f′ through f where there is such a form."""
    index: tuple[Index, ...] = e.lhs.index
    taken = {i.name for i in index} | {i.name for t in (e.tensor, *e.reads) for i in t.axes}
    local = local_slope(e)
    # exp(u) moves by itself times u̇: its own value is stored, and no two exponentials are multiplied out.
    # So does [m] exp(u), which is 0 where m is.
    inner, seed = e.rhs, S.One
    exponentials = [f for f in sympy.Mul.make_args(e.rhs) if not isinstance(f, Guard)]
    if local is not None:
        inner = local.inner
    elif len(exponentials) == 1 and isinstance(exponentials[0], sympy.exp):
        inner, seed = exponentials[0].args[0], e.lhs
    raw, through = [], []
    for term in differentiate(rename(inner, taken), seed, (), active, taken):
        here = Access(slot_of(term.access.tensor), *term.access.index)
        first, slope = (
            (term.coefficient, term.coefficient) if local is None else (local.slope * term.coefficient, local.through * term.coefficient)
        )
        if stable is not None:
            # Before a common factor is drawn out of the sum: exp(u)/Σ exp(v) is one quotient, Σ exp(u) ẋ / Σ exp(v) are two sums.
            slope = rename(selected(stable(slope, {})), set(taken))
        raw.append(Sum(first * here, *term.bound))
        through.append(_apart(slope * here, term.bound))
    return sympy.Add(*raw), sympy.Add(*through)


def _apart(body: Expr, bound: tuple[Index, ...]) -> Expr:
    """Return a sum over several indices as a product of sums where its factors allow: Σ_kc y_k p_c ẋ_c = Σ_k y_k · Σ_c p_c ẋ_c."""
    factors = list(sympy.Mul.make_args(body))
    left = set(bound)
    parts = []
    while left:
        group = {min(left, key=bound.index)}
        while True:
            touched = [f for f in factors if f.free_symbols & group]
            wider = group | {b for f in touched for b in f.free_symbols & left}
            if wider == group:
                break
            group = wider
        parts.append(Sum(sympy.Mul(*touched), *(b for b in bound if b in group)))
        factors = [f for f in factors if f not in touched]
        left -= group
    return sympy.Mul(*factors, *parts)


def _inserted(expr: Expr, within: Mapping[Access, Expr]) -> Expr:
    """Write the tangents that got no equation of their own into an expression that reads them."""
    known = {lhs.tensor: (lhs, rhs) for lhs, rhs in within.items()}
    taken = {s.name for s in expr.free_symbols if isinstance(s, Index)}
    expr = rename(expr, taken)
    swap = {}
    for access in sorted((a for a in expr.atoms(Access) if a.tensor in known), key=str):
        lhs, rhs = known[access.tensor]
        swap[access] = rename(rhs, taken).xreplace(dict(zip(lhs.index, access.index, strict=True)))
    return expr.xreplace(swap) if swap else expr


def _absorbed(e: Equation, rhs: Expr, template: Template) -> bool:
    """Whether a tangent is a sum that each of its readers, over more indices, would hold still while it runs."""
    readers = [r for r in template.equations if e.tensor in r.reads]
    return rhs.has(Reduction) and bool(readers) and all(r.tensor.rank > e.tensor.rank for r in readers)


__all__ = ["DIRECTION", "TANGENT", "Tangent", "Tangents", "tangent", "tangent_system"]
