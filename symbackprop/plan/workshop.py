"""Kernels for the blocks of a network: each structure is made once and shared by every block that has it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sympy
from sympy import Expr, Symbol

from symbackprop.algebra.bound import bound_indices
from symbackprop.algebra.equation import Block, Equation, Template
from symbackprop.algebra.index import Index, Size
from symbackprop.algebra.nodes import Reduction
from symbackprop.algebra.recurrence import Recurrence, strands
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.errors import EmissionError
from symbackprop.plan import fuse
from symbackprop.plan.classify import Choice, Site, choose, quoted, sites
from symbackprop.plan.contractions import Scratch, contraction
from symbackprop.plan.lines import line_by_line
from symbackprop.plan.naming import readable
from symbackprop.plan.nests import added_rows, loops, scattered
from symbackprop.plan.records import Call, Kernel, Machine, Nest
from symbackprop.plan.reductions import across
from symbackprop.plan.steps import step_sites, steps
from symbackprop.plan.tables import tabled

#: Key of a template, its slots that are computed, and those of them that others read.
_Key = tuple[str, frozenset[str], frozenset[str]]


@dataclass(frozen=True)
class _Group:
    """Equations of one template that share a nest."""

    equations: tuple[Equation, ...]
    stored: frozenset[str]
    sums: tuple[tuple[str, Site], ...]
    operations: Expr
    extents: tuple[Expr, ...]
    bound: tuple[Expr, ...]


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


class Workshop:
    """Makes kernels, each structure once."""

    def __init__(
        self, size: Symbol, batch: int, schedule: str, machine: Machine, tensors: Mapping[str, Tensor], shared: bool = False
    ) -> None:
        self.size, self.batch, self.schedule, self.machine, self.tensors = size, batch, schedule, machine, tensors
        #: What stands for the batch size where it is a value: arrays of a shard do not tell the size of the whole batch.
        self.whole: Symbol = Symbol("N", integer=True, positive=True) if shared else size
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
            made.append(Call(structure.kernel, names, one.integers, block.owner, slots_here, one.flops, self.entries(one.shapes)))
        return made

    def entries(self, shapes: tuple[tuple[int | str, ...], ...]) -> int:
        """Return how many entries some arrays have for the batch that is planned for."""
        return sum(math.prod(extent if isinstance(extent, int) else self.batch for extent in shape) for shape in shapes)

    def make(self, key: _Key, number: int, group: _Group, sizes: Mapping[Expr, Expr], block: Block) -> _Made:
        concrete = {self.size: sympy.Integer(self.batch)}
        extents = {e: int(e.xreplace(dict(sizes)).xreplace(concrete)) for e in group.extents}
        choices: tuple[Choice, ...] = ()
        if self.schedule == "auto":
            choices = tuple(choose(site, extents, self.machine) for _, site in group.sums)
        batched = tuple(s for s, value in sizes.items() if value == self.size)
        forms = tuple(replace(c, reason="") for c in choices)
        # Where loops compute places, numbers for the sizes let a compiler unroll loops and see that no place is negative.
        done = {site.node: Symbol("done") for (_, site), c in zip(group.sums, choices, strict=False) if c.windows}
        told = any(not a.plain for e in group.equations for a in e.rhs.xreplace(done).atoms(Access))
        numbers = {s: value for s, value in sizes.items() if value.is_Integer} if told else {}
        index = group.equations[0].lhs.index
        wide = bool(index) and extents[index[-1].extent] >= self.machine.lanes
        long = min((extents[extent] for extent in group.bound), default=0) >= 2 * self.machine.lanes
        longest = max((extents[extent] for extent in group.bound), default=0)
        near = longest * max((extents[i.extent] for i in index[1:]), default=1) <= self.machine.near
        known = (*key, number, batched, forms, tuple(numbers.items()), wide, long, near)
        structure = self.structures.get(known)
        if structure is None:
            structure = self.structures[known] = self.structure(group, choices, batched, numbers, block, wide, long, near)
        # Extents in the kernel's own symbols, back to the template's, to their values.
        values = {mine: sizes.get(own, own) for mine, own in structure.sizes}
        shapes = tuple(shape_of(t, values, self.size) for t in structure.kernel.arguments)
        passed = tuple(extent_of(s.xreplace(values), self.size) for s in structure.kernel.integers)
        flops = group.operations.xreplace(dict(sizes)).xreplace(concrete)
        return _Made(structure, shapes, passed, int(flops) if flops.is_Integer else 0)

    def structure(
        self,
        group: _Group,
        choices: tuple[Choice, ...],
        batched: tuple[Expr, ...],
        numbers: Mapping[Expr, Expr],
        block: Block,
        wide: bool,
        long: bool,
        near: bool,
    ) -> _Structure:
        names = _pretty(group, block)
        symbols = _pretty_sizes(group, frozenset(batched), self.size, numbers)
        batches = {old: self.whole for old, new in symbols.items() if new == self.size}
        swap = {**_swap(group, names, symbols), **batches}
        own = {new: old for old, new in (*symbols.items(), *batches.items()) if old not in numbers}
        equations = tuple(e.xreplace(swap) for e in group.equations)
        stored = frozenset(names[slot] for slot in group.stored)
        (strand, *others) = strands(equations)
        recurrence = strand if isinstance(strand, Recurrence) and not others else None
        scratch = Scratch([t.name for e in equations for t in (e.tensor, *e.reads)])
        pairs = zip(group.sums, choices, strict=True) if choices else ()
        chosen = [(names[slot], site.renamed(swap), choice) for (slot, site), choice in pairs if not choice.plain]
        if recurrence is not None:
            body = Nest(recurrence.equations, steps(recurrence, chosen, scratch))
        elif chosen and not (long and all(_line(site, choice) for _, site, choice in chosen)):
            number = {e.tensor.name: k for k, e in enumerate(equations)}
            before, after = contraction(equations, [(number[name], site, choice) for name, site, choice in chosen], stored, scratch)
            body = Nest(equations, (*before, *after))
        elif self.schedule == "auto":
            # The equations stay as they are; what is computed of them may stand elsewhere.
            tables, read_there = tabled(equations, scratch.place, self.size)
            rows = scattered(read_there, stored) or (added_rows(read_there, stored) if wide else ())
            if not rows and long:
                rows = line_by_line(read_there, stored, scratch.place, near)
            rows = rows or across(read_there, stored, scratch.place, self.size, self.machine.lanes)
            body = Nest(equations, (*tables, *rows))
        else:
            body = Nest(equations, loops(equations, stored))
        plain = "one step after the other" if recurrence is not None else "plain loops"
        reason = "; ".join(dict.fromkeys(c.reason for c in choices)) or plain
        for slot, name in names.items():
            reason = reason.replace(quoted(slot), name)
        written = tuple(e.tensor for e in equations if e.tensor.name in stored)
        inside = {e.tensor.name for e in equations}
        read = tuple(dict.fromkeys(t for e in equations for t in e.reads if t.name not in inside))
        arguments = (*read, *written, *scratch.tensors)
        integers = _untold(equations, arguments)
        slots = {new: old for old, new in names.items()}
        outputs = tuple(t.name for t in written)
        key = (arguments, outputs, integers, body)
        if key not in self.known:
            name = self.name(block, written, slots)
            self.known[key] = Kernel(name, arguments, outputs, tuple(t.name for t in scratch.tensors), integers, body, reason)
        return _Structure(
            kernel=self.known[key],
            slots=tuple(f"@{t.name}" if t in scratch.tensors else slots[t.name] for t in arguments),
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


def _line(site: Site, choice: Choice) -> bool:
    """Whether a sum is one of the entries of a row, so that what follows it can be done while the row is at hand."""
    return choice.whole and site.whole is not None and len(site.whole.inner) == 1 and bool(site.whole.out)


def _pretty(group: _Group, block: Block) -> dict[str, str]:
    """Return short names for the slots of a group: W, x, delta, grad_W; ``_next`` marks what belongs to a layer further on.

    A tangent is dot_z, the direction of what is given v_W, a Hessian-vector product hvp_W.
    """
    own = block.owner.split(".")[0]
    written = [e.tensor.name for e in group.equations]
    behind = any(slot.startswith("~") for slot in written) and any(real.startswith(f"{own}.") for real in block.names.values())
    read = sorted({t.name for e in group.equations for t in e.reads} - set(written))
    names: dict[str, str] = {}
    taken: set[str] = set()
    for slot in (*written, *read):
        real, moves = block.names[slot], ""
        if slot.startswith("'"):
            moves = "dot_" if real.startswith("tangent.") else "v_"
            real = real.removeprefix("tangent.").removeprefix("v_" if moves == "v_" else "")
        parts = real.split(".")
        if parts[0] == "delta":
            name, layer = "delta", parts[-1]
        elif parts[0] == "hvp":
            name, layer = f"hvp_{parts[-1]}", own
        elif slot.startswith("~") or parts[0] in ("grad", "vjp"):
            name, layer = f"grad_{parts[-1]}", own
        else:
            name = (slot if "." in slot or slot != "t" else real).split(".")[-1].lstrip("'")
            layer = parts[0] if len(parts) > 1 and parts[0] != "loss" and name != "x" else own
        if behind and layer != own and not (parts[0] == "delta" and slot in written):
            name = f"{name}_next"
        name = moves + name
        name = name if name.isidentifier() else "".join(c if c.isalnum() else "_" for c in name)
        base, count = name, 1
        while name in taken:
            count += 1
            name = f"{base}_{count}"
        taken.add(name)
        names[slot] = name
    return names


def _pretty_sizes(group: _Group, batched: frozenset[Expr], size: Symbol, numbers: Mapping[Expr, Expr]) -> dict[Expr, Expr]:
    """Return numbers for the sizes that have one, one symbol for the batch and n_1, n_2, ... for the others, in the order of the axes."""
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
        if symbol in numbers:
            found[symbol] = numbers[symbol]
        elif symbol != size and symbol not in batched:
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
        found = _found(group)
        bound = {i.extent for e in group for node in e.rhs.atoms(Reduction) for i in node.bound}
        extents = {i.extent for i in group[0].lhs.index}.union(bound, *(site.extents for _, site in found))
        operations = sympy.Add(*(fuse.operations(e) for e in group))
        made.append(_Group(group, stored, found, operations, tuple(sorted(extents, key=str)), tuple(sorted(bound, key=str))))
    return tuple(made)


def _found(group: tuple[Equation, ...]) -> tuple[tuple[str, Site], ...]:
    """Return the sums of a group for which there is more than plain loops, with the names of what is defined by them."""
    (strand, *others) = strands(group)
    if isinstance(strand, Recurrence) and not others:
        return step_sites(strand)
    # A sum that reads what is made beside it waits for that, entry by entry.
    beside = {e.tensor for e in group}
    found = ((e.tensor.name, site) for e in group for site in sites(e))
    return tuple((name, site) for name, site in found if not any(a.tensor in beside for a in site.node.atoms(Access)))


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


def extent_of(extent: Expr, size: Symbol) -> int | str:
    """Return an extent as a number, or "N" for the batch."""
    if extent.is_Integer:
        return int(extent)
    if extent == size:
        return "N"
    raise EmissionError(f"the extent {extent} has no number; kernels need numbers for every size but the batch")


def shape_of(tensor: Tensor, sizes: Mapping[Expr, Expr], size: Symbol) -> tuple[int | str, ...]:
    """Return the shape of a tensor as numbers, or "N" for the batch axis."""
    try:
        return tuple(extent_of(extent.xreplace(dict(sizes)) if sizes else extent, size) for extent in tensor.shape)
    except EmissionError as error:
        raise EmissionError(f"{tensor.name}: {error}") from None


__all__ = ["Workshop", "extent_of", "shape_of"]
