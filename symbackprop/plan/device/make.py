"""A device plan from a plan: for every call the kernels of its phases, with numbers for all sizes but the batch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sympy import Expr, Symbol

from symbackprop.algebra.equation import Equation
from symbackprop.algebra.nodes import Reduction
from symbackprop.algebra.recurrence import Recurrence, strands
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.errors import EmissionError
from symbackprop.plan.contractions import Scratch
from symbackprop.plan.device.equations import apart, concrete, nest, sizes_of
from symbackprop.plan.device.external import cross_over
from symbackprop.plan.device.grid import grid
from symbackprop.plan.device.lower import phases
from symbackprop.plan.device.parallel import touched
from symbackprop.plan.device.product import LEAST_WORK, Part, tiled
from symbackprop.plan.device.records import (
    Alone,
    DeviceKernel,
    DevicePlan,
    Each,
    External,
    Joint,
    Launch,
    Phase,
    Product,
    Resident,
    Sweep,
    Team,
)
from symbackprop.plan.device.shared import ASKED, SHARED, WORK
from symbackprop.plan.device.single import single
from symbackprop.plan.device.together import Arranging
from symbackprop.plan.records import Call, Entry, Kernel, Place, Plan
from symbackprop.plan.rewriting import expressions, parts
from symbackprop.plan.workshop import shape_of

#: Elements of scratch memory, up to which a call has its own.
OWN = 2**19


def planned(plan: Plan, size: Symbol, schedule: str = "auto", large: float | None = None, accuracy: str = "strict") -> DevicePlan:
    """Return how the entries of a plan are done on a device.

    Args:
        plan: of plain loops.
        size: the batch size.
        schedule: "single", "grid", "layered", "external", or "auto" for what the sizes tell.
        large: geometric mean of rows, columns and terms from which on cuBLAS does a product of schedule "external"; None for the
            number that is shipped.
        accuracy: how exact float32 is, "strict", "tf32" or "fast".

    Raises:
        EmissionError: a schedule was asked for that cannot be.
    """
    if schedule == "external":
        large = cross_over() if large is None else large
    maker = _Maker(plan, size, large if schedule == "external" and large is not None else math.inf)
    launches = {
        entry.name: tuple(
            one
            for number, call in enumerate(entry.calls)
            for one in maker.launches(call, entry.places, _unread(entry, number) if entry.name == "forward" else frozenset())
        )
        for entry in plan.entries
    }
    places, per_sample, fixed = maker.scratch()
    entries = _arranged(plan, maker, launches, places)
    if schedule == "external":
        chosen, reason, resident = *_external(maker), None
    else:
        chosen, reason, resident = _chosen(plan, size, schedule)
    return DevicePlan(chosen, reason, entries, places, per_sample, fixed, resident, accuracy)


def _unread(entry: Entry, number: int) -> frozenset[str]:
    """Return what a call writes for derivatives alone: nobody reads it in an entry whose results are arrays of the caller."""
    read = {name for later in entry.calls[number + 1 :] for name in later.names}
    return frozenset(name for name in entry.calls[number].written if name not in read and entry.places[name].buffer == "work")


def _local(equations: Sequence[Equation], name: str) -> bool:
    """Whether a tensor is read only entry by entry, where its own entry is computed."""
    own = [e for e in equations if e.tensor.name == name]
    if len(own) != 1:
        return False
    for e in equations:
        reads = [a for a in e.rhs.atoms(Access) if a.tensor.name == name]
        held = any(a.tensor.name == name for r in e.rhs.atoms(Reduction) for a in r.atoms(Access))
        if reads and (held or e is own[0] or e.lhs.index != own[0].lhs.index or any(a.index != e.lhs.index for a in reads)):
            return False
    return True


#: What modules do with one call, by the name of it: entries of the plan one after the other.
_SEQUENCES = {
    "forward": ("forward",),
    "evaluation": ("evaluation",),
    "loss": ("loss",),
    "value_and_grad": ("loss", "backward"),
    "input_gradients": ("loss", "input_gradients"),
    "statistics": ("statistics",),
    "training": ("loss", "backward", "statistics"),
}


def _arranged(
    plan: Plan, maker: _Maker, launches: Mapping[str, tuple[Launch, ...]], places: Mapping[str, Place]
) -> dict[str, tuple[Launch | Joint, ...]]:
    """Return the launches of all that modules do with one call."""
    arranging = Arranging(plan.batch, maker.numbers, 4 if plan.dtype == "float32" else 8, maker.names | maker.planned)
    known = {entry.name: {**entry.places, **places} for entry in plan.entries}
    sequences = {name: parts for name, parts in _SEQUENCES.items() if all(part in launches for part in parts)}
    sequences |= {name: (name,) for name in launches if name == (plan.product and plan.product.name)}
    made = {
        name: arranging.arranged([one for part in parts for one in launches[part]], known[parts[-1]]) for name, parts in sequences.items()
    }
    return {name: tuple(arranging.alone(one, known[sequences[name][-1]]) for one in found) for name, found in made.items()}


def _chosen(plan: Plan, size: Symbol, schedule: str) -> tuple[str, str, Resident | None]:
    """Return the schedule of training steps, why, and what one launch does of them.

    Raises:
        EmissionError: a schedule was asked for that cannot be.
    """
    if schedule == "layered":
        return "layered", "kernels are launched one after the other, as was asked for", None
    work = plan.size * plan.batch
    one: Resident | str = f"{plan.size:,} parameters times {plan.batch:,} samples are more than {WORK:,}, too much for one block"
    if schedule == "single" or (schedule == "auto" and work <= WORK):
        one = single(plan, size, ASKED if schedule == "single" else SHARED)
        if isinstance(one, Resident):
            held = f"{one.size:,} numbers in shared memory"
            return "single", f"training steps are done by one block of {one.team.threads} threads with {held}", one
    many: Resident | str = ""
    if schedule == "grid" or (schedule == "auto" and work > WORK):
        many = grid(plan, size, ASKED if schedule == "grid" else SHARED)
        if isinstance(many, Resident):
            held = f"each with {many.size:,} numbers in shared memory"
            return "grid", f"training steps are done by {many.blocks} blocks of {many.team.threads} threads, {held}", many
    why = "; ".join(w for w in (one, many) if isinstance(w, str) and w)
    trains = plan.loss is not None and plan.update is not None
    if schedule in ("single", "grid") and trains:
        raise EmissionError(f"{plan.name}: schedule {schedule!r} cannot be: {many if schedule == 'grid' else one}")
    return "layered", f"kernels are launched one after the other: {why}", None


def _external(maker: _Maker) -> tuple[str, str]:
    """Return the schedule in which cuBLAS does large products, and why; it is the layered one where no product is large."""
    called = sum(isinstance(k.phase, External) for k in maker.kernels)
    limit = f"rows, columns and terms with a geometric mean of {maker.large:,} or more"
    if called:
        words = "1 product is a call" if called == 1 else f"{called} products are calls"
        return "external", f"{words} of cuBLAS, for {limit}; all else are kernels, launched one after the other"
    return "layered", f"kernels are launched one after the other: no product that cuBLAS takes as it lies has {limit}"


@dataclass(frozen=True)
class _Workspace:
    """Scratch tensors of a kernel of the plan: shape and whether the batch is one of its axes."""

    tensor: Tensor
    shape: tuple[int | str, ...]

    @property
    def batched(self) -> bool:
        return "N" in self.shape

    @property
    def elements(self) -> int:
        """For each sample where it is batched; a multiple of four, so that vectors fit."""
        return -(-math.prod(e for e in self.shape if isinstance(e, int)) // 4) * 4


@dataclass
class _Room:
    """How much workspace there is: elements for each sample, and besides."""

    per_sample: int = 0
    fixed: int = 0

    def taken(self, space: _Workspace) -> int:
        """Add a scratch tensor; return where it begins."""
        offset = self.per_sample if space.batched else self.fixed
        if space.batched:
            self.per_sample += space.elements
        else:
            self.fixed += space.elements
        return offset


class _Maker:
    def __init__(self, plan: Plan, size: Symbol, large: float = math.inf) -> None:
        self.plan, self.size, self.large = plan, size, large
        self.numbers: dict[Expr, int] = {size: plan.batch}
        self.kernels: list[DeviceKernel] = []
        self.known: dict[object, tuple[tuple[DeviceKernel, ...], tuple[_Workspace, ...]]] = {}
        self.names: set[str] = set()
        self.planned = {k.name for k in plan.kernels}
        #: Workspace by name, with its offset among that of its kind: large one of a call is used again by the next.
        self.spaces: dict[str, tuple[_Workspace, int]] = {}
        self.shared, self.own = _Room(), _Room()
        #: Calls by identity, for several entries have the same ones.
        self.numbered: dict[int, int] = {}

    def launches(self, call: Call, places: Mapping[str, Place], unread: frozenset[str] = frozenset()) -> tuple[Launch, ...]:
        """Return the launches that do a call; what nobody reads need not be kept."""
        kernel = call.kernel
        spare = frozenset(t.name for t, name in zip(kernel.arguments, call.names, strict=True) if name in unread)
        spare = frozenset(name for name in spare if _local(kernel.body.equations, name))
        shapes = tuple(places[name].shape for name in call.names)
        buffers = tuple(name if places[name].buffer == "argument" else places[name].buffer for name in call.names)
        aligned = frozenset(t.name for t, name in zip(kernel.arguments, call.names, strict=True) if _aligned(places[name]))
        key = (kernel.name, shapes, buffers, call.integers, aligned, spare)
        if key not in self.known:
            self.known[key] = self.made(kernel, sizes_of(call, shapes, self.size), buffers, aligned, spare)
            self.kernels += self.known[key][0]
        kernels, spaces = self.known[key]
        real = dict(zip((t.name for t in kernel.arguments), call.names, strict=True))
        used = _Room()
        number = self.numbered.setdefault(id(call), len(self.numbered))
        for space in spaces:
            # Calls of one kernel have places of their own, too, for they may be done at the same time.
            name = real[space.tensor.name] = f"{space.tensor.name}@{kernels[0].name}.{number}"
            if name not in self.spaces:
                self.spaces[name] = space, (self.own if self.small(space) else used).taken(space)
        self.shared = _Room(max(self.shared.per_sample, used.per_sample), max(self.shared.fixed, used.fixed))
        return tuple(Launch(k, tuple(real[t.name] for t in k.tensors), call) for k in kernels)

    def scratch(self) -> tuple[dict[str, Place], int, int]:
        """Return where workspace lies that the plan does not know, behind all that it knows; and how much there is."""
        plan, shared, own = self.plan, self.shared, self.own
        before = plan.per_sample + shared.per_sample + own.per_sample
        fixed = -(-plan.fixed // 4) * 4
        made = {}
        for name, (space, offset) in self.spaces.items():
            behind = self.small(space)
            if space.batched:
                made[name] = Place("work", plan.per_sample + offset + shared.per_sample * behind, fixed, space.shape)
            else:
                made[name] = Place("work", before, fixed + offset + shared.fixed * behind, space.shape)
        # Batched workspace begins behind the numbers that the plan has in all, which lie between.
        return made, before, fixed + shared.fixed + own.fixed

    def small(self, space: _Workspace) -> bool:
        """Whether workspace has a place of its own, so that launches that use it need no order."""
        return space.elements * (self.plan.batch if space.batched else 1) <= OWN

    def made(
        self, kernel: Kernel, sizes: Mapping[Expr, Expr], buffers: tuple[str, ...], aligned: frozenset[str], spare: frozenset[str]
    ) -> tuple[tuple[DeviceKernel, ...], tuple[_Workspace, ...]]:
        """Return the device kernels of a kernel with values for its sizes, and their workspace; what is spare is not kept."""
        body = kernel.body.equations
        equations = concrete([e for e in body if e.tensor.name not in spare or any(e.tensor in one.reads for one in body)], sizes)
        stored = frozenset(kernel.written) - spare
        tensors = {t.name: t for e in equations for t in (e.tensor, *e.reads)}
        where = dict(zip((t.name for t in kernel.arguments), buffers, strict=True))
        scratch = Scratch([*tensors, *where])
        found = self.parts(equations, stored, aligned, scratch)
        for t in scratch.tensors:
            tensors[t.name], where[t.name] = t, "work"
        made = []
        for part in found:
            used, written = _used(part.phase), _written(part.phase)
            mine = [name for name in where if name in used]
            shown = tuple(e for e in part.equations if e.tensor.name in written) or part.equations
            made.append(
                DeviceKernel(
                    self.name(kernel.name),
                    shown,
                    tuple(tensors[name] for name in mine),
                    tuple(where[name] for name in mine),
                    tuple(name for name in where if name in written),
                    part.phase,
                    part.reason,
                )
            )
        return tuple(made), tuple(_Workspace(t, shape_of(t, {}, self.size)) for t in scratch.tensors)

    def parts(self, equations: tuple[Equation, ...], stored: frozenset[str], aligned: frozenset[str], scratch: Scratch) -> list[Part]:
        """Return the phases of some equations."""
        (strand, *others) = strands(equations)
        if isinstance(strand, Recurrence) and not others:
            return [Part(equations, phase, _reason(phase)) for phase in phases(nest(equations, stored), self.numbers, scratch)]
        first, equations = apart(equations, scratch, self.numbers)
        made = [part for e in first for part in self.parts((e,), frozenset((e.tensor.name,)), aligned, scratch)]
        given: dict[str, Any] = {"single": self.plan.dtype == "float32"}
        if self.large < math.inf:
            # What cuBLAS is asked to do is found even where it is too small for a tile of ours.
            given |= {"large": self.large, "least": int(min(LEAST_WORK, self.large**3))}
        found = tiled(equations, stored, self.numbers, aligned, scratch, **given)
        made += found.parts if found is not None else ()
        rest = found.rest if found is not None else equations
        if rest:
            made += [Part(rest, phase, _reason(phase)) for phase in phases(nest(rest, stored), self.numbers, scratch)]
        return made

    def name(self, base: str) -> str:
        """Return a name for a kernel: that of the plan's kernel, with a number where it has become several."""
        name, count = base, 1
        while name in self.names or (name != base and name in self.planned):
            count += 1
            name = f"{base}_{count}"
        self.names.add(name)
        return name


def _aligned(place: Place) -> bool:
    """Whether a tensor begins at a multiple of four entries, whatever the number of samples is."""
    return place.buffer == "argument" or (place.per_sample % 4 == 0 and place.fixed % 4 == 0)


def _reason(phase: Phase) -> str:
    if isinstance(phase, Team):
        return f"a block of {phase.threads} threads for each row" if phase.axes else f"one block of {phase.threads} threads"
    return "a thread for each entry"


def _used(phase: Phase) -> frozenset[str]:
    return frozenset(a.tensor.name for e in expressions(phase) for a in e.atoms(Access))


def _written(phase: Phase) -> frozenset[str]:
    if isinstance(phase, External):
        return frozenset({phase.result.first.tensor.name})
    found = [p for p in parts(phase) if isinstance(p, Sweep | Each | Alone | Product)]
    return frozenset(name for p in found for name in touched(p.epilogue if isinstance(p, Product) else p.body).written)


__all__ = ["planned"]
