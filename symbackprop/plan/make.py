"""A plan from a derivation: which equations are needed, which share a kernel, where each value lies.

All symbolic work is done once per template and choice of schedule; a block costs dictionary look-ups only.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import sympy
from sympy import Expr, Symbol

from symbackprop.algebra.bound import bound_indices
from symbackprop.algebra.equation import Block, Equation, System, Template
from symbackprop.algebra.index import Index, Size
from symbackprop.algebra.recurrence import Recurrence, strands
from symbackprop.algebra.tensor import Tensor
from symbackprop.declare.model import Model
from symbackprop.derive.records import Derivation
from symbackprop.errors import EmissionError
from symbackprop.plan import fuse
from symbackprop.plan.classify import Candidate, Choice, candidates, choose, contraction
from symbackprop.plan.memory import Interval, first_fit
from symbackprop.plan.naming import readable
from symbackprop.plan.nests import loops, scalars, steps
from symbackprop.plan.records import (
    CPU,
    Call,
    Contraction,
    Entry,
    Kernel,
    Local,
    Machine,
    Nest,
    OptimizerStep,
    Place,
    Plan,
    Slot,
    Store,
    needed,
)


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


def make(model: Model, derivation: Derivation | None, options: Options) -> Plan:
    """Return the plan of a network's kernels.

    Args:
        model: the network.
        derivation: of its loss; None where it has none, which leaves the forward pass.
        options: type, largest batch, schedule and optimizer.
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
    return assemble(
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
    )


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
) -> Plan:
    """Return the plan for forward and backward blocks; see `Plan` for the arguments."""
    if schedule not in ("auto", "plain"):
        raise EmissionError(f"unknown schedule {schedule!r} (known: auto, plain)")
    wanted = frozenset((*outputs, *((loss,) if loss else ()), *(g for _, g in gradients), *(g for _, g in input_gradients)))
    blocks = (*forward, *backward)
    chosen = _live(blocks, wanted)
    read_between = wanted.union(*(names for _, names in chosen.values()))
    workshop = _Workshop(size, batch, schedule, machine, tensors)
    ahead: list[Call] = []
    behind: list[Call] = []
    for number, block in enumerate(blocks):
        if number in chosen:
            calls = workshop.calls(block, chosen[number][0], read_between)
            (ahead if number < len(forward) else behind).extend(calls)
    known = {p.name: Place("params", 0, p.offset, p.shape) for p in parameters}
    offsets = {p.name: p.offset for p in parameters}
    for given in (*inputs, *((target,) if target else ())):
        known[given] = Place("argument", 0, 0, _shape(tensors[given], {}, size))
    for parameter, gradient in gradients:
        known[gradient] = Place("grads", 0, offsets[parameter], _shape(tensors[gradient], {}, size))
    for _, gradient in input_gradients:
        known[gradient] = Place("argument", 0, 0, _shape(tensors[gradient], {}, size))
    places, per_sample, fixed = _arena((*ahead, *behind), known, workshop.shapes, wanted)
    entries = [Entry("forward", needed(ahead, outputs), _outputs(places, outputs, tensors, size))]
    if loss:
        tape = {n for call in behind for n in call.names}
        entries.append(Entry("loss", needed(ahead, (loss, *sorted(tape), *outputs)), places))
        entries.append(Entry("backward", needed(behind, tuple(g for _, g in gradients)), places))
        if input_gradients:
            entries.append(Entry("input_gradients", needed(behind, tuple(g for _, g in input_gradients)), places))
    return Plan(
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
        digest=_digest(blocks, optimizer),
    )


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


# Kernels


#: Key of a template, its slots that are computed, and those of them that others read.
_Key = tuple[str, frozenset[str], frozenset[str]]


@dataclass(frozen=True)
class _Group:
    """Equations of one template that share a nest."""

    equations: tuple[Equation, ...]
    stored: frozenset[str]
    sums: tuple[Candidate, ...]
    operations: Expr
    extents: tuple[Expr, ...]


@dataclass(frozen=True)
class _Structure:
    """A kernel with the template's slot for each argument, "@" before scratch; its names and sizes with those they stand for."""

    kernel: Kernel
    slots: tuple[str, ...]
    pretty: tuple[tuple[str, str], ...]
    sizes: tuple[tuple[Expr, Expr], ...]


@dataclass(frozen=True)
class _Made:
    """A kernel for given sizes: the shapes of its arguments and the numbers that are passed besides."""

    structure: _Structure
    shapes: tuple[tuple[int | str, ...], ...]
    integers: tuple[int | str, ...]
    flops: int


class _Workshop:
    """Makes kernels, each structure once."""

    def __init__(self, size: Symbol, batch: int, schedule: str, machine: Machine, tensors: Mapping[str, Tensor]) -> None:
        self.size, self.batch, self.schedule, self.machine, self.tensors = size, batch, schedule, machine, tensors
        self.groups: dict[_Key, tuple[_Group, ...]] = {}
        self.variants: dict[Any, tuple[_Made, ...]] = {}
        self.structures: dict[Any, _Structure] = {}
        self.known: dict[Any, Kernel] = {}
        self.names: dict[str, int] = {}
        self.shapes: dict[str, tuple[int | str, ...]] = {}
        self.views = frozenset(real.replace(".", "_") for real in tensors)
        self.count = 0

    def calls(self, block: Block, slots: frozenset[str], outside: frozenset[str]) -> list[Call]:
        template = block.template
        visible = frozenset(slot for slot in slots if block.names[slot] in outside)
        key = (template.key, slots, visible)
        values = tuple(block.sizes.get(s, s) for s in template.sizes)
        variant = (*key, values)
        if variant not in self.variants:
            if key not in self.groups:
                self.groups[key] = _grouped(template, slots, visible)
            sizes = dict(zip(template.sizes, values, strict=True))
            self.variants[variant] = tuple(self.make(key, number, group, sizes, block) for number, group in enumerate(self.groups[key]))
        made = []
        for one in self.variants[variant]:
            self.count += 1
            structure = one.structure
            names = tuple(f"{slot[1:]}@{self.count}" if slot[0] == "@" else block.names[slot] for slot in structure.slots)
            self.shapes.update(zip(names, one.shapes, strict=True))
            slots_here = {mine: block.names[slot] for mine, slot in structure.pretty}
            made.append(Call(structure.kernel, names, one.integers, block.owner, slots_here, one.flops))
        return made

    def make(self, key: _Key, number: int, group: _Group, sizes: Mapping[Expr, Expr], block: Block) -> _Made:
        concrete = {self.size: sympy.Integer(self.batch)}
        extents = {e: int(e.xreplace(dict(sizes)).xreplace(concrete)) for e in group.extents}
        choices: tuple[Choice, ...] = ()
        if self.schedule == "auto":
            out = group.equations[0].lhs.index
            choices = tuple(choose(candidate, out, extents, self.machine) for candidate in group.sums)
        batched = tuple(s for s, value in sizes.items() if value == self.size)
        forms = tuple((c.form, c.copied, c.parallel) for c in choices)
        structure = self.structures.get((*key, number, batched, forms))
        if structure is None:
            structure = self.structures[(*key, number, batched, forms)] = self.structure(group, choices, batched, block)
        # Extents in the kernel's own symbols, back to the template's, to their values.
        values = {mine: sizes.get(own, own) for mine, own in structure.sizes}
        shapes = tuple(_shape(t, values, self.size) for t in structure.kernel.arguments)
        passed = tuple(_extent(s.xreplace(values), self.size) for s in structure.kernel.integers)
        flops = group.operations.xreplace(dict(sizes)).xreplace(concrete)
        return _Made(structure, shapes, passed, int(flops) if flops.is_Integer else 0)

    def structure(self, group: _Group, choices: tuple[Choice, ...], batched: tuple[Expr, ...], block: Block) -> _Structure:
        names = _pretty(group, block)
        symbols = _pretty_sizes(group, frozenset(batched), self.size)
        swap = _swap(group, names, symbols)
        own = {new: old for old, new in symbols.items()}
        equations = tuple(e.xreplace(swap) for e in group.equations)
        stored = frozenset(names[slot] for slot in group.stored)
        (strand, *others) = strands(equations)
        recurrence = strand if isinstance(strand, Recurrence) and not others else None
        picked = [(c, choice) for c, choice in zip(candidates(equations[0]), choices, strict=bool(choices)) if choice.form != "plain"]
        scratch: tuple[Tensor, ...] = ()
        body: Nest | Contraction
        if picked:
            body, scratch = contraction(equations, picked, stored)
        elif recurrence is not None:
            body = Nest(recurrence.equations, steps(recurrence))
        else:
            body = Nest(equations, loops(equations, stored))
        plain = "one step after the other" if recurrence is not None else "plain loops"
        reason = "; ".join(dict.fromkeys(c.reason for c in choices)) or plain
        written = tuple(e.tensor for e in equations if e.tensor.name in stored)
        inside = {e.tensor.name for e in equations}
        read = tuple(dict.fromkeys(t for e in equations for t in e.reads if t.name not in inside))
        arguments = (*read, *written, *scratch)
        integers = _untold(equations, arguments)
        slots = {new: old for old, new in names.items()}
        outputs = tuple(t.name for t in written)
        key = (arguments, outputs, integers, body)
        if key not in self.known:
            name = self.name(block, written, slots)
            self.known[key] = Kernel(name, arguments, outputs, tuple(t.name for t in scratch), integers, body, reason)
        return _Structure(
            kernel=self.known[key],
            slots=tuple(f"@{t.name}" if t in scratch else slots[t.name] for t in arguments),
            pretty=tuple((new, old) for old, new in names.items()),
            sizes=tuple(own.items()),
        )

    def name(self, block: Block, written: tuple[Tensor, ...], slots: Mapping[str, str]) -> str:
        """Return a name such as ``dense_grad_W``: the layer's kind and what is written."""
        owner = block.owner.split(".")[0]
        base = owner.rstrip("0123456789").rstrip("_") or owner or "step"
        part = written[-1].name
        if part == base:
            part = block.names[slots[part]].split(".")[-1]
            part = "total" if part == base else part
        name = part if part.endswith(f"_{base}") else f"{base}_{part}"
        if name in self.views:
            name = f"write_{name}"
        self.names[name] = self.names.get(name, 0) + 1
        return name if self.names[name] == 1 else f"{name}_{self.names[name]}"


def _pretty(group: _Group, block: Block) -> dict[str, str]:
    """Return short names for the slots of a group: W, x, delta, grad_W; ``_next`` marks what belongs to a layer further on."""
    own = block.owner.split(".")[0]
    written = [e.tensor.name for e in group.equations]
    behind = any(slot.startswith("~") for slot in written) and any(real.startswith(f"{own}.") for real in block.names.values())
    read = sorted({t.name for e in group.equations for t in e.reads} - set(written))
    names: dict[str, str] = {}
    taken: set[str] = set()
    for slot in (*written, *read):
        real = block.names[slot]
        parts = real.split(".")
        if parts[0] == "delta":
            name, layer = "delta", parts[-1]
        elif slot.startswith("~") or parts[0] == "grad":
            name, layer = f"grad_{parts[-1]}", own
        else:
            name = (slot if "." in slot or slot != "t" else real).split(".")[-1]
            layer = parts[0] if len(parts) > 1 and parts[0] != "loss" and name != "x" else own
        if behind and layer != own and not (parts[0] == "delta" and slot in written):
            name = f"{name}_next"
        name = name if name.isidentifier() else "".join(c if c.isalnum() else "_" for c in name)
        base, count = name, 1
        while name in taken:
            count += 1
            name = f"{base}_{count}"
        taken.add(name)
        names[slot] = name
    return names


def _pretty_sizes(group: _Group, batched: frozenset[Expr], size: Symbol) -> dict[Expr, Expr]:
    """Return one symbol for the batch size and n_1, n_2, ... for the others, in the order of the axes."""
    tensors = [t for e in group.equations for t in (e.tensor, *e.reads)]
    found: dict[Expr, Expr] = {}
    for extent in (extent for t in tensors for extent in t.shape):
        for symbol in sorted(extent.free_symbols, key=str):
            found.setdefault(symbol, size)
    for e in group.equations:
        for symbol in sorted((s for s in e.rhs.free_symbols if not isinstance(s, Index)), key=str):
            found.setdefault(symbol, size)
        for b in bound_indices(e.rhs):
            for symbol in sorted(b.extent.free_symbols, key=str):
                found.setdefault(symbol, size)
    count = 0
    for symbol in found:
        if symbol != size and symbol not in batched:
            count += 1
            found[symbol] = Size(f"n_{count}")
    return found


def _swap(group: _Group, names: Mapping[str, str], symbols: Mapping[Expr, Expr]) -> dict[Any, Any]:
    """Return the replacement of tensors, indices and sizes by those of a kernel."""
    swap: dict[Any, Any] = dict(symbols)
    indices: set[Index] = set()
    for e in group.equations:
        indices |= {*e.lhs.index, *bound_indices(e.rhs)}
        indices |= {s for s in e.rhs.free_symbols if isinstance(s, Index)}
        for t in (e.tensor, *e.reads):
            indices |= set(t.axes)
    renamed = {i: Index(i.name, i.extent.xreplace(dict(symbols))) for i in indices}
    swap.update(renamed)
    for e in group.equations:
        for t in (e.tensor, *e.reads):
            swap[t] = Tensor(names[t.name], tuple(renamed[a] for a in t.axes), "stored", integer=t.integer, positive=t.positive)
    return swap


def _grouped(template: Template, slots: frozenset[str], visible: frozenset[str]) -> tuple[_Group, ...]:
    kept = tuple(readable(e) for e in template.equations if e.tensor.name in slots)
    groups = fuse.groups(kept)
    made = []
    for group in groups:
        defined = frozenset(e.tensor.name for e in group)
        circle = any(isinstance(strand, Recurrence) for strand in strands(group))
        # A step reads what the step before it stored.
        stored = defined if circle else (visible & defined) | fuse.outside(group, groups)
        sums = () if circle else candidates(group[0])
        extents = {i.extent for i in group[0].lhs.index} | {c.inner.extent for c in sums}
        operations = sympy.Add(*(fuse.operations(e) for e in group))
        made.append(_Group(group, stored, sums, operations, tuple(sorted(extents, key=str))))
    return tuple(made)


def _untold(equations: Sequence[Equation], arguments: Sequence[Tensor]) -> tuple[Symbol, ...]:
    """Return the symbolic sizes in use that are no extent of an argument's axis."""
    told = {extent for t in arguments for extent in t.shape}
    used: set[Expr] = set()
    for e in equations:
        ranges = {i.extent for i in (*e.lhs.index, *bound_indices(e.rhs))}
        for extent in ranges - told:
            used |= extent.free_symbols
        used |= {s for s in e.rhs.free_symbols if not isinstance(s, Index) and isinstance(s, Symbol)}
    return tuple(sorted((s for s in used - told if isinstance(s, Symbol)), key=lambda s: s.name))


# Memory


def _extent(extent: Expr, size: Symbol) -> int | str:
    if extent.is_Integer:
        return int(extent)
    if extent == size:
        return "N"
    raise EmissionError(f"the extent {extent} has no number; kernels need numbers for every size but the batch")


def _shape(tensor: Tensor, sizes: Mapping[Expr, Expr], size: Symbol) -> tuple[int | str, ...]:
    try:
        return tuple(_extent(extent.xreplace(dict(sizes)) if sizes else extent, size) for extent in tensor.shape)
    except EmissionError as error:
        raise EmissionError(f"{tensor.name}: {error}") from None


def _outputs(places: Mapping[str, Place], outputs: tuple[str, ...], tensors: Mapping[str, Tensor], size: Symbol) -> Mapping[str, Place]:
    return {**places, **{name: Place("argument", 0, 0, _shape(tensors[name], {}, size)) for name in outputs}}


def _arena(
    calls: Sequence[Call], known: Mapping[str, Place], known_shapes: Mapping[str, tuple[int | str, ...]], wanted: frozenset[str]
) -> tuple[Mapping[str, Place], int, int]:
    """Place every value that is neither given nor a result in one workspace."""
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
        kinds[batches].append(Interval(name, math.prod(s for s in shapes[name] if isinstance(s, int)), first[name], last[name]))
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
