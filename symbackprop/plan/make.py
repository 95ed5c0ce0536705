"""A plan from a derivation: which equations are needed, which share a kernel, where each value lies.

All symbolic work is done once per template and choice of schedule; a block costs dictionary look-ups only.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from sympy import Symbol

from symbackprop.algebra.equation import Block, System
from symbackprop.algebra.tensor import Tensor
from symbackprop.declare.lower import mixes
from symbackprop.declare.model import Model
from symbackprop.derive.records import Derivation
from symbackprop.errors import EmissionError
from symbackprop.plan import fuse, layout, rows, share
from symbackprop.plan.device.make import planned
from symbackprop.plan.memory import Interval, first_fit
from symbackprop.plan.naming import readable
from symbackprop.plan.nests import scalars
from symbackprop.plan.records import (
    CPU,
    Arena,
    Call,
    Entry,
    Local,
    Machine,
    MaskSlot,
    OptimizerStep,
    Place,
    Plan,
    Slot,
    StatisticSlot,
    Store,
    needed,
)
from symbackprop.plan.tape import early, tape
from symbackprop.plan.totals import sample_by_sample
from symbackprop.plan.unroll import written_out
from symbackprop.plan.workshop import Workshop, shape_of


class Optimizer(Protocol):
    """What the planner wants to know of an optimizer."""

    @property
    def hyper(self) -> Mapping[str, float]: ...

    @property
    def state(self) -> tuple[tuple[str, str], ...]: ...

    def system(self) -> System: ...


class Options(Protocol):
    """What a plan depends on besides the equations."""

    @property
    def dtype(self) -> str: ...

    @property
    def batch(self) -> int: ...

    @property
    def schedule(self) -> str: ...

    @property
    def optimizer(self) -> Any: ...

    @property
    def recompute(self) -> tuple[str, ...] | str: ...

    @property
    def math(self) -> str: ...


#: The first values of running statistics, by the name of the initializer.
_FIRST = {"zeros": 0.0, "ones": 1.0}


def make(model: Model, derivation: Derivation | None, options: Options, inference: System | None = None, machine: Machine = CPU) -> Plan:
    """Return the plan of a network's kernels.

    Args:
        model: the network.
        derivation: of its loss; None where it has none, which leaves the forward pass.
        options: type, largest batch, schedule, optimizer, and what is computed again rather than kept.
        inference: its equations in inference, in the form in which they are computed; None where they are those of training.
        machine: that it is planned for.
    """
    if derivation is None:
        forward, tensors = model.system.blocks, model.system.tensors
    else:
        forward, tensors = derivation.forward, derivation.tensors
    backward = derivation.backward if derivation is not None else ()
    cotangents = derivation.cotangents if derivation is not None else {}
    missing = [p.name for p in model.parameters if p.offset is None]
    if missing:
        raise EmissionError(f"{model.name}: the shape of {missing[0]} is symbolic; kernels need numbers for every size but the batch")
    given: dict[str, Any] = dict(
        name=model.name,
        forward=forward,
        backward=backward,
        tensors=tensors,
        parameters=tuple(Slot(p.name, p.offset or 0, tuple(int(s) for s in p.shape), p.trainable) for p in model.parameters),
        inputs=model.inputs,
        target=model.target if model.loss else None,
        outputs=model.outputs,
        loss=model.loss if derivation is not None else None,
        gradients=tuple((p.name, cotangents[p.name]) for p in model.parameters if p.trainable and p.name in cotangents),
        input_gradients=tuple((x, cotangents[x]) for x in model.inputs if x in cotangents),
        size=model.batch,
        dtype=options.dtype,
        batch=options.batch,
        schedule=options.schedule,
        optimizer=options.optimizer,
        ranges=tuple((name, *ends) for name, ends in model.ranges.items()),
        inference=inference,
        updates=model.updates if derivation is not None else System(),
        statistics=tuple(slots_of_statistics(model)),
        masks=tuple(slots_of_masks(model)),
        recompute=options.recompute,
        machine=machine,
    )
    if machine.name == "cuda":
        # Its kernels are planned from the equations, whatever loops a processor would make of them.
        plan = assemble(**{**given, "schedule": "plain"})
        return replace(plan, schedule=options.schedule, device=planned(plan, model.batch, options.schedule, accuracy=options.math))
    plan = assemble(**given)
    machine = plan.machine
    if plan.schedule == "plain" or (plan.straight and plan.straight.entries) or max(plan.flops, plan.predicting) < machine.share:
        return plan
    # Threads that have samples of their own share nothing else.
    given["machine"] = replace(machine, parallel=10**18)
    shared = replace(assemble(**given, shared=True), machine=machine)
    if shared.entry("backward" if derivation is not None else "forward").stages:
        return shared
    parts = min(machine.parts, plan.batch // machine.samples)
    if not _apart(model) or parts < 2 or plan.flops < machine.weight * plan.size:
        return replace(plan, sharing=shared.sharing)
    sharing = f"{shared.sharing}; samples in {parts} parts, shared among threads, their gradients are added in order"
    # The memory of each part starts where vectors do.
    return replace(shared, parts=parts, sharing=sharing, fixed=-(-shared.fixed // machine.lanes) * machine.lanes)


def _apart(model: Model) -> bool:
    """Whether the loss is a mean over samples (and penalties), so that a mean over parts of the batch is the same."""
    loss = None if model.spec is None else model.spec.loss
    if loss is None or model.loss is None or loss.reduction != "mean":
        return False
    return not any(mixes(block.template) for block in model.system.blocks if block.owner != "loss")


def slots_of_statistics(model: Model) -> Iterator[StatisticSlot]:
    """Yield where the running statistics of a network lie, and the tensor of each one's next value where the model has one."""
    nexts = {s.name: s.next for s in model.statistics}
    for r in () if model.spec is None else model.spec.statistics:
        yield StatisticSlot(r.name, r.offset or 0, _numbers(r.shape), _FIRST[r.initial], nexts.get(r.name, ""))


def slots_of_masks(model: Model) -> Iterator[MaskSlot]:
    """Yield the random inputs of a network in training."""
    chances = {} if model.spec is None else {m.name: m for m in model.spec.masks}
    for m in model.masks:
        yield MaskSlot(m, _numbers(chances[m].shape), chances[m].keep)


def _numbers(shape: tuple[int | str, ...]) -> tuple[int, ...]:
    return tuple(int(s) for s in shape)


def assemble(
    *,
    name: str,
    forward: Sequence[Block],
    backward: Sequence[Block],
    tensors: Mapping[str, Tensor],
    parameters: tuple[Slot, ...],
    inputs: tuple[str, ...],
    target: str | None,
    outputs: tuple[str, ...],
    loss: str | None,
    gradients: tuple[tuple[str, str], ...],
    input_gradients: tuple[tuple[str, str], ...],
    size: Symbol,
    dtype: str,
    batch: int,
    schedule: str = "auto",
    optimizer: Optimizer | None = None,
    machine: Machine = CPU,
    ranges: tuple[tuple[str, int, int], ...] = (),
    inference: System | None = None,
    updates: System | None = None,
    statistics: tuple[StatisticSlot, ...] = (),
    masks: tuple[MaskSlot, ...] = (),
    recompute: tuple[str, ...] | str = (),
    shared: bool = False,
) -> Plan:
    """Return the plan for forward and backward blocks; see `make` and `Plan` for the arguments.

    Threads share what is worth it if ``shared``.
    """
    if schedule not in ("auto", "plain", "unrolled"):
        raise EmissionError(f"unknown schedule {schedule!r} (known: auto, plain, unrolled)")
    after = updates.blocks if updates is not None else ()
    tensors = {**(updates.tensors if updates is not None else {}), **tensors}
    if schedule == "auto" and batch >= machine.last:
        whole = layout.pays((*forward, *backward), size, batch, machine)
        starts = (*inputs, *(m.name for m in masks), *((target,) if target else ()))
        ends = (*outputs, *(g for _, g in input_gradients))
        turned = layout.samples_last(
            forward, (*backward, *after), tensors, size, starts, ends, whole=whole, narrow=machine.lanes, shared=shared
        )
        count = len(turned.backward) - len(after)
        forward, backward, after = turned.forward, turned.backward[:count], turned.backward[count:]
        if inference is not None:
            other = layout.samples_last(inference.blocks, (), inference.tensors, size, starts, outputs, whole=whole, narrow=machine.lanes)
            inference = System(blocks=other.forward, tensors=other.tensors)
        tensors = turned.tensors
    if schedule == "auto":
        summed = sample_by_sample((*forward, *backward, *after), tensors, size, batch, machine)
        stops = len(forward), len(forward) + len(backward)
        forward, backward, after = summed.blocks[: stops[0]], summed.blocks[stops[0] : stops[1]], summed.blocks[stops[1] :]
        tensors = summed.tensors
        if inference is not None:
            other_summed = sample_by_sample(inference.blocks, inference.tensors, size, batch, machine)
            inference = System(blocks=other_summed.blocks, tensors=other_summed.tensors)
    results = (*((loss,) if loss else ()), *(g for _, g in gradients), *(g for _, g in input_gradients))
    nexts = tuple(s.next for s in statistics) if after else ()
    wanted = frozenset((*(outputs if inference is None else ()), *results, *nexts))
    blocks = (*forward, *backward, *after)
    chosen = _live(blocks, wanted)
    read_between = wanted.union(*(names for _, names in chosen.values()))
    workshop = Workshop(size, batch, schedule, machine, tensors, shared)
    ahead: list[Call] = []
    behind: list[Call] = []
    later: list[Call] = []
    order = _order(blocks, chosen, range(len(forward), len(forward) + len(backward)), frozenset(results))
    for number in order:
        if number in chosen:
            calls = workshop.calls(blocks[number], chosen[number][0], read_between)
            (ahead if number < len(forward) else behind if number < len(forward) + len(backward) else later).extend(calls)
    if schedule == "auto":
        ahead, places_beside = rows.beside(ahead, workshop.shapes, size, batch, machine)
        workshop.shapes.update(places_beside)
    shown = tape(ahead, behind, later, recompute, workshop.shapes, (*tensors, *workshop.shapes))
    behind = list(shown.calls)
    shapes = {**workshop.shapes, **shown.shapes}
    known = {p.name: Place("params", 0, p.offset, p.shape) for p in parameters}
    known.update((s.name, Place("params", 0, s.offset, s.shape)) for s in statistics)
    offsets = {p.name: p.offset for p in parameters}
    for given in (*inputs, *(m.name for m in masks), *((target,) if target else ())):
        known[given] = Place("argument", 0, 0, shape_of(tensors[given], {}, size))
    for parameter, gradient in gradients:
        known[gradient] = Place("grads", 0, offsets[parameter], shape_of(tensors[gradient], {}, size))
    for _, gradient in input_gradients:
        known[gradient] = Place("argument", 0, 0, shape_of(tensors[gradient], {}, size))
    places, per_sample, fixed = _arena((*ahead, *behind, *later), known, shapes, wanted, machine, batch)
    if inference is None:
        entries = [Entry("forward", needed(ahead, outputs), _outputs(places, outputs, tensors, size))]
    else:
        entries, more, besides = _predicting(inference, workshop, known, outputs, loss)
        per_sample, fixed = max(per_sample, more), max(fixed, besides)
    if loss:
        read = {n for call in (*behind, *later) for n in call.names}
        entries.append(Entry("loss", needed(ahead, (loss, *sorted(read))), places))
        entries.append(Entry("backward", needed(behind, tuple(g for _, g in gradients)), places))
        if input_gradients:
            entries.append(Entry("input_gradients", needed(behind, tuple(g for _, g in input_gradients)), places))
        if later:
            entries.append(Entry("statistics", tuple(later), places))
    sharing = "one thread: there are no samples" if shared else ""
    if shared and inputs:
        around = {**workshop.shapes, **shown.shapes}
        entries, sharing = _sharing(entries, (*ahead, *behind), known, around, size, batch, machine, loss)
        # Entries without stages have their values in the workspace that was laid out for all of them.
        before = [] if all(entry.stages for entry in entries) else [Arena(per_sample, fixed)]
        arenas = [*before, *(entry.arena for entry in entries)]
        per_sample, fixed = max(a.per_sample for a in arenas), max(a.fixed for a in arenas)
    plan = Plan(
        name=name,
        dtype=dtype,
        batch=batch,
        schedule=schedule,
        machine=machine,
        parameters=parameters,
        inputs=inputs,
        target=target,
        outputs=outputs,
        loss=loss,
        gradients=gradients,
        input_gradients=input_gradients,
        tensors=tensors,
        entries=tuple(entries),
        per_sample=per_sample,
        fixed=fixed,
        update=None if optimizer is None else _update(optimizer, parameters),
        digest=_digest((*blocks, *(inference.blocks if inference is not None else ())), optimizer),
        ranges=ranges,
        statistics=statistics,
        masks=masks,
        tape=shown.kept,
        sharing=sharing,
    )
    used = [(blocks[number], chosen[number][0]) for number in order if number in chosen]
    return replace(plan, straight=written_out(plan, used, None if inference is None else _predicted(inference, outputs, loss), size))


def _predicted(
    system: System, outputs: tuple[str, ...], loss: str | None
) -> tuple[list[tuple[Block, frozenset[str]]], Mapping[str, Tensor]]:
    """Return the blocks of inference, with the slots that are computed, and its tensors."""
    chosen = _live(system.blocks, frozenset((*outputs, *((loss,) if loss else ()))))
    return [(system.blocks[number], chosen[number][0]) for number in sorted(chosen)], system.tensors


def _sharing(
    entries: Sequence[Entry],
    training: Sequence[Call],
    known: Mapping[str, Place],
    shapes: share.Shapes,
    size: Symbol,
    batch: int,
    machine: Machine,
    loss: str | None,
) -> tuple[list[Entry], str]:
    """Return the entries with those stages that threads share, where they may and it is worth it; and what to say of the gradients."""
    made = {entry.name: entry for entry in entries}
    wanted = frozenset((loss,) if loss else ())
    words = ""
    for name in (n for n in ("forward", "evaluation") if n in made):
        given = {**known, **{n: place for n, place in made[name].places.items() if place.buffer == "argument"}}
        stages = share.stages(made[name].calls, shapes, size)
        words = share.refused(stages, machine)
        found = share.arena(stages, given, shapes, wanted)
        if not words and not isinstance(found, str):
            made[name] = replace(made[name], stages=stages, places=found[0], arena=found[1])
            words = share.words(stages)
    if "loss" not in made:
        return list(made.values()), words
    if "statistics" in made:
        return list(made.values()), "one thread: running statistics are read from the workspace of the whole batch"
    # One workspace for the three, whose first stages are the same.
    names = [n for n in ("loss", "backward", "input_gradients") if n in made]
    every = {id(call) for n in names for call in made[n].calls}
    whole = share.stages([call for call in training if id(call) in every], shapes, size)
    main = "backward" if made["backward"].calls else names[-1]
    found = share.arena(whole, known, shapes, wanted)
    parts = {n: share.chosen(whole, (*made["loss"].calls, *made[n].calls)) for n in names}
    words = share.refused(parts[main], machine)
    if isinstance(found, str):
        words = f"one thread: the samples of {found} do not lie side by side"
    if words or isinstance(found, str):
        return list(made.values()), words
    kept, kernels = wanted | known.keys(), {call.kernel.name: call.kernel for call in training}
    for n in names:
        stages, around = rows.joined(parts[n], kept, shapes, size, batch, machine, kernels)
        own = found if stages == parts[n] else share.arena(stages, known, around, wanted)
        assert not isinstance(own, str)
        # What has no place in the stages is still known to the calls, one line for each equation.
        made[n] = replace(made[n], stages=stages, places={**made[n].places, **own[0]}, arena=own[1])
    return list(made.values()), share.words(parts[main])


def _predicting(
    system: System, workshop: Workshop, known: Mapping[str, Place], outputs: tuple[str, ...], loss: str | None
) -> tuple[list[Entry], int, int]:
    """Return the entries of inference, "forward" and "evaluation", and the workspace that they need."""
    wanted = frozenset((*outputs, *((loss,) if loss else ())))
    chosen = _live(system.blocks, wanted)
    between = wanted.union(*(names for _, names in chosen.values()))
    calls = [call for number in sorted(chosen) for call in workshop.calls(system.blocks[number], chosen[number][0], between)]
    places, per_sample, fixed = _arena(calls, known, workshop.shapes, wanted, workshop.machine, workshop.batch)
    entries = [Entry("forward", needed(calls, outputs), _outputs(places, outputs, system.tensors, workshop.size))]
    if loss:
        entries.append(Entry("evaluation", needed(calls, (loss,)), places))
    return entries, per_sample, fixed


# What is needed


def _live(blocks: Sequence[Block], wanted: frozenset[str]) -> dict[int, tuple[frozenset[str], frozenset[str]]]:
    """Return, for each block that is needed, the slots to compute and the names that it reads from elsewhere."""
    open_names = set(wanted)
    result: dict[int, tuple[frozenset[str], frozenset[str]]] = {}
    closures: dict[tuple[str, frozenset[str]], tuple[frozenset[str], tuple[str, ...]]] = {}
    for number in range(len(blocks) - 1, -1, -1):
        block = blocks[number]
        first = frozenset(slot for slot in block.template.defined if block.names[slot] in open_names)
        if not first:
            continue
        key = (block.template.key, first)
        if key not in closures:
            kept = fuse.live(block.template.equations, first)
            defined = frozenset(e.tensor.name for e in kept)
            closures[key] = defined, tuple(sorted({t.name for e in kept for t in e.reads} - defined))
        slots, reads = closures[key]
        names = frozenset(block.names[slot] for slot in reads)
        open_names |= names
        result[number] = slots, names
    return result


def _order(
    blocks: Sequence[Block], chosen: Mapping[int, tuple[frozenset[str], frozenset[str]]], backward: range, results: frozenset[str]
) -> list[int]:
    """Return the numbers of the blocks in the order of computing: those of the backward pass with every gradient as early as can be."""
    inside = [number for number in backward if number in chosen]
    steps = [(chosen[k][1], frozenset(blocks[k].names[slot] for slot in chosen[k][0])) for k in inside]
    ordered = [inside[k] for k in early(steps, results)]
    return [*range(backward.start), *ordered, *range(backward.stop, len(blocks))]


# Memory


def _outputs(places: Mapping[str, Place], outputs: tuple[str, ...], tensors: Mapping[str, Tensor], size: Symbol) -> Mapping[str, Place]:
    return {**places, **{name: Place("argument", 0, 0, shape_of(tensors[name], {}, size)) for name in outputs}}


def _arena(
    calls: Sequence[Call],
    known: Mapping[str, Place],
    known_shapes: Mapping[str, tuple[int | str, ...]],
    wanted: frozenset[str],
    machine: Machine,
    batch: int,
) -> tuple[Mapping[str, Place], int, int]:
    """Place every value that is neither given nor a result in one workspace, as the machine wants it."""
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    shapes: dict[str, tuple[int | str, ...]] = {}
    for number, call in enumerate(calls):
        for name in call.names:
            if name in known:
                continue
            first.setdefault(name, number)
            last[name] = number
            shapes[name] = known_shapes[name]
    for name in wanted:
        if name in last:
            last[name] = len(calls)
    kinds: tuple[list[Interval], list[Interval]] = ([], [])
    for name in first:
        batches = shapes[name].count("N")
        if batches > 1:
            raise EmissionError(f"{name} has the batch axis twice: its memory would grow with the square of the batch")
        elements = math.prod(s for s in shapes[name] if isinstance(s, int))
        end = len(calls) if elements * batch**batches <= machine.own else last[name]
        kinds[batches].append(Interval(name, -(-elements // machine.unit) * machine.unit, first[name], end))
    fixed_offsets, fixed = first_fit(kinds[0])
    sample_offsets, per_sample = first_fit(kinds[1])
    places = dict(known)
    for name in first:
        if name in sample_offsets:
            places[name] = Place("work", sample_offsets[name], 0, shapes[name])
        else:
            places[name] = Place("work", per_sample, fixed_offsets[name], shapes[name])
    return places, per_sample, fixed


# Optimizer


def _update(optimizer: Optimizer, parameters: tuple[Slot, ...]) -> OptimizerStep:
    system = optimizer.system()
    (p,) = system.tensors["w"].axes
    arrays = {"w": Tensor("params", (p,), "parameter"), "g": Tensor("grads", (p,), "input")}
    equations = tuple(readable(e) for e in system.equations)
    swap = {system.tensors[name]: tensor for name, tensor in arrays.items() if name in system.tensors}
    given = {t: Local(name) for name, t in system.tensors.items() if not t.rank and name not in system.defined}
    before, inside, results = scalars(tuple(e.xreplace(swap) for e in equations), p, given)
    stores = []
    last = []
    for tensor, value in results.items():
        name = tensor.name.removesuffix("_next")
        if name == tensor.name:
            continue
        if tensor.rank:
            stores.append(Store(arrays.get(name, Tensor(name, (p,), "state"))[p], value))
        else:
            last.append((name, value))
    ranges: list[tuple[int, int]] = []
    for slot in parameters:
        if slot.trainable:
            stop = slot.offset + math.prod(slot.shape)
            if ranges and ranges[-1][1] == slot.offset:
                ranges[-1] = (ranges[-1][0], stop)
            else:
                ranges.append((slot.offset, stop))
    return OptimizerStep(
        equations=equations,
        scalars=before,
        index=p,
        elements=(*inside, *stores),
        last=tuple(last),
        state=tuple(optimizer.state),
        hyper=tuple(optimizer.hyper.items()),
        ranges=tuple(ranges),
    )


def _digest(blocks: Sequence[Block], optimizer: Optimizer | None) -> str:
    """SHA-256 of the equations: of each template once, and of what stands in its slots."""
    numbers: dict[int, int] = {}
    total = hashlib.sha256()
    for block in blocks:
        key = id(block.template)
        if key not in numbers:
            numbers[key] = len(numbers)
            total.update("\n".join(str(e) for e in block.template.equations).encode())
        line = [str(numbers[key]), *(f"{slot}={block.names[slot]}" for slot in block.template.tensors)]
        line += [f"{s.name}={value}" for s, value in sorted(block.sizes.items(), key=lambda item: item[0].name)]
        total.update("|".join(line).encode())
    if optimizer is not None:
        total.update("\n".join(map(str, optimizer.system().equations)).encode())
    return total.hexdigest()


__all__ = ["Optimizer", "Options", "assemble", "make"]
