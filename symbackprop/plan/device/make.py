"""A device plan from a plan: for every call the kernels of its phases, with numbers for all sizes but the batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy
from sympy import Expr, Symbol

from symbackprop.algebra.bound import bound_indices
from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.recurrence import Recurrence, strands
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.plan.contractions import Scratch
from symbackprop.plan.device.lower import phases
from symbackprop.plan.device.parallel import touched
from symbackprop.plan.device.records import Alone, DeviceKernel, DevicePlan, Each, Launch, Phase, Product, Sweep
from symbackprop.plan.nests import loops, scattered
from symbackprop.plan.records import Call, Kernel, Place, Plan, Statement
from symbackprop.plan.rewriting import expressions, parts
from symbackprop.plan.steps import steps


def planned(plan: Plan, size: Symbol) -> DevicePlan:
    """Return how the entries of a plan are done on a device.

    Args:
        plan: of plain loops.
        size: the batch size.
    """
    maker = _Maker(plan, size)
    entries = {entry.name: tuple(launch for call in entry.calls for launch in maker.launches(call, entry.places)) for entry in plan.entries}
    reason = "each kernel is a launch of its own"
    return DevicePlan("layered", reason, tuple(maker.kernels), entries)


class _Maker:
    def __init__(self, plan: Plan, size: Symbol) -> None:
        self.plan, self.size = plan, size
        self.kernels: list[DeviceKernel] = []
        self.known: dict[object, tuple[DeviceKernel, ...]] = {}
        self.names: set[str] = set()
        self.planned = {k.name for k in plan.kernels}

    def launches(self, call: Call, places: Mapping[str, Place]) -> tuple[Launch, ...]:
        """Return the launches that do a call."""
        kernel = call.kernel
        shapes = tuple(places[name].shape for name in call.names)
        buffers = tuple(name if places[name].buffer == "argument" else places[name].buffer for name in call.names)
        key = (kernel.name, shapes, buffers, call.integers)
        if key not in self.known:
            self.known[key] = self.made(kernel, self.sizes(call, shapes), buffers)
            self.kernels += self.known[key]
        real = dict(zip((t.name for t in kernel.arguments), call.names, strict=True))
        return tuple(Launch(k, tuple(real[t.name] for t in k.tensors), call) for k in self.known[key])

    def sizes(self, call: Call, shapes: Sequence[tuple[int | str, ...]]) -> dict[Expr, Expr]:
        """Return the values of a kernel's symbolic sizes in one of its calls."""
        found: dict[Expr, Expr] = {}
        for tensor, shape in zip(call.kernel.arguments, shapes, strict=True):
            for mine, value in zip(tensor.shape, shape, strict=True):
                if not mine.is_Integer:
                    found[mine] = self.size if value == "N" else sympy.Integer(value)
        for symbol, value in zip(call.kernel.integers, call.integers, strict=True):
            found[symbol] = self.size if value == "N" else sympy.Integer(value)
        return found

    def made(self, kernel: Kernel, sizes: Mapping[Expr, Expr], buffers: tuple[str, ...]) -> tuple[DeviceKernel, ...]:
        """Return the device kernels of a kernel with values for its sizes."""
        equations = concrete(kernel.body.equations, sizes)
        stored = frozenset(kernel.written)
        tensors = {t.name: t for e in equations for t in (e.tensor, *e.reads)}
        where = dict(zip((t.name for t in kernel.arguments), buffers, strict=True))
        made = []
        for phase in self.phases(equations, stored):
            used = _used(phase)
            mine = [t for t in kernel.arguments if t.name in used]
            written = tuple(name for name in kernel.written if name in _written(phase))
            shown = tuple(e for e in equations if e.tensor.name in written) or equations
            name = self.name(kernel.name)
            made.append(
                DeviceKernel(
                    name,
                    shown,
                    tuple(tensors[t.name] for t in mine),
                    tuple(where[t.name] for t in mine),
                    written,
                    phase,
                    kernel.reason,
                )
            )
        return tuple(made)

    def phases(self, equations: tuple[Equation, ...], stored: frozenset[str]) -> tuple[Phase, ...]:
        numbers: dict[Expr, int] = {self.size: self.plan.batch}
        return phases(nest(equations, stored), numbers)

    def name(self, base: str) -> str:
        """Return a name for a kernel: that of the plan's kernel, with a number where it has become several."""
        name, count = base, 1
        while name in self.names or (name != base and name in self.planned):
            count += 1
            name = f"{base}_{count}"
        self.names.add(name)
        return name


def nest(equations: tuple[Equation, ...], stored: frozenset[str]) -> tuple[Statement, ...]:
    """Return the plain loops of a kernel's equations."""
    (strand, *others) = strands(equations)
    if isinstance(strand, Recurrence) and not others:
        return steps(strand, [], Scratch([t.name for e in equations for t in (e.tensor, *e.reads)]))
    return scattered(equations, stored) or loops(equations, stored)


def concrete(equations: Sequence[Equation], sizes: Mapping[Expr, Expr]) -> tuple[Equation, ...]:
    """Return equations with values for symbolic sizes."""
    swap: dict[sympy.Basic, sympy.Basic] = {}
    indices: set[Index] = set()
    tensors: set[Tensor] = set()
    for e in equations:
        indices |= {*e.lhs.index, *bound_indices(e.rhs), *(s for s in e.rhs.free_symbols if isinstance(s, Index))}
        tensors |= {e.tensor, *e.reads}
    indices |= {axis for t in tensors for axis in t.axes}
    swap.update(sizes)
    renamed = {i: Index(i.name, i.extent.xreplace(dict(sizes))) for i in indices}
    swap.update(renamed)
    for t in tensors:
        swap[t] = Tensor(t.name, tuple(renamed[a] for a in t.axes), t.role, integer=t.integer, positive=t.positive)
    return tuple(e.xreplace(swap) for e in equations)


def _used(phase: Phase) -> frozenset[str]:
    return frozenset(a.tensor.name for e in expressions(phase) for a in e.atoms(Access))


def _written(phase: Phase) -> frozenset[str]:
    found = [p for p in parts(phase) if isinstance(p, Sweep | Each | Alone | Product)]
    return frozenset(name for p in found for name in touched(p.epilogue if isinstance(p, Product) else p.body).written)


__all__ = ["concrete", "nest", "planned"]
