"""A device plan from a plan: for every call the kernels of its phases, with numbers for all sizes but the batch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sympy import Expr, Symbol

from symbackprop.algebra.equation import Equation
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
    Launch,
    Phase,
    Product,
    Resident,
    Sweep,
    Team,
)
from symbackprop.plan.device.shared import ASKED, SHARED, WORK
from symbackprop.plan.device.single import single
from symbackprop.plan.records import Call, Kernel, Place, Plan
from symbackprop.plan.rewriting import expressions, parts
from symbackprop.plan.workshop import shape_of


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
    entries = {entry.name: tuple(launch for call in entry.calls for launch in maker.launches(call, entry.places)) for entry in plan.entries}
    places, per_sample, fixed = maker.scratch()
    if schedule == "external":
        chosen, reason, resident = *_external(maker), None
    else:
        chosen, reason, resident = _chosen(plan, size, schedule)
    return DevicePlan(chosen, reason, tuple(maker.kernels), entries, places, per_sample, fixed, resident, accuracy)


def _chosen(plan: Plan, size: Symbol, schedule: str) -> tuple[str, str, Resident | None]:
    """Return the schedule of training steps, why, and what one launch does of them.

    Raises:
        EmissionError: a schedule was asked for that cannot be.
    """
    if schedule == "layered":
        return "layered", "each kernel is a launch of its own, as was asked for", None
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
    return "layered", f"each kernel is a launch of its own: {why}", None


def _external(maker: _Maker) -> tuple[str, str]:
    """Return the schedule in which cuBLAS does large products, and why; it is the layered one where no product is large."""
    called = sum(isinstance(k.phase, External) for k in maker.kernels)
    limit = f"rows, columns and terms with a geometric mean of {maker.large:,} or more"
    if called:
        words = "1 product is a call" if called == 1 else f"{called} products are calls"
        return "external", f"{words} of cuBLAS, for {limit}; all else is a launch for each kernel"
    return "layered", f"each kernel is a launch of its own: no product that cuBLAS takes as it lies has {limit}"


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


class _Maker:
    def __init__(self, plan: Plan, size: Symbol, large: float = math.inf) -> None:
        self.plan, self.size, self.large = plan, size, large
        self.numbers: dict[Expr, int] = {size: plan.batch}
        self.kernels: list[DeviceKernel] = []
        self.known: dict[object, tuple[tuple[DeviceKernel, ...], tuple[_Workspace, ...]]] = {}
        self.names: set[str] = set()
        self.planned = {k.name for k in plan.kernels}
        #: Workspace by name, with its offset among that of its kind in the call.
        self.spaces: dict[str, tuple[_Workspace, int]] = {}
        self.per_sample = self.fixed = 0

    def launches(self, call: Call, places: Mapping[str, Place]) -> tuple[Launch, ...]:
        """Return the launches that do a call."""
        kernel = call.kernel
        shapes = tuple(places[name].shape for name in call.names)
        buffers = tuple(name if places[name].buffer == "argument" else places[name].buffer for name in call.names)
        aligned = frozenset(t.name for t, name in zip(kernel.arguments, call.names, strict=True) if _aligned(places[name]))
        key = (kernel.name, shapes, buffers, call.integers, aligned)
        if key not in self.known:
            self.known[key] = self.made(kernel, sizes_of(call, shapes, self.size), buffers, aligned)
            self.kernels += self.known[key][0]
        kernels, spaces = self.known[key]
        real = dict(zip((t.name for t in kernel.arguments), call.names, strict=True))
        per_sample = fixed = 0
        for space in spaces:
            name = real[space.tensor.name] = f"{space.tensor.name}@{kernels[0].name}"
            if space.batched:
                self.spaces[name] = space, per_sample
                per_sample += space.elements
            else:
                self.spaces[name] = space, fixed
                fixed += space.elements
        self.per_sample, self.fixed = max(self.per_sample, per_sample), max(self.fixed, fixed)
        return tuple(Launch(k, tuple(real[t.name] for t in k.tensors), call) for k in kernels)

    def scratch(self) -> tuple[dict[str, Place], int, int]:
        """Return where workspace lies that the plan does not know, behind all that it knows; and how much there is."""
        plan = self.plan
        before = plan.per_sample + self.per_sample
        fixed = -(-plan.fixed // 4) * 4
        made = {}
        for name, (space, offset) in self.spaces.items():
            if space.batched:
                made[name] = Place("work", plan.per_sample + offset, fixed, space.shape)
            else:
                made[name] = Place("work", before, fixed + offset, space.shape)
        # Batched workspace begins behind the numbers that the plan has in all, which lie between.
        return made, before, fixed + self.fixed

    def made(
        self, kernel: Kernel, sizes: Mapping[Expr, Expr], buffers: tuple[str, ...], aligned: frozenset[str]
    ) -> tuple[tuple[DeviceKernel, ...], tuple[_Workspace, ...]]:
        """Return the device kernels of a kernel with values for its sizes, and their workspace."""
        equations = concrete(kernel.body.equations, sizes)
        stored = frozenset(kernel.written)
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
