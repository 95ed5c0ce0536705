"""Differentiation by one complex evaluation: f(x + ih).imag / h, without cancellation, hence with any small step.

It runs through the interpreter, whose branches follow the real part, so away from kinks it is exact to rounding.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.algebra.equation import Equation, System
from symbackprop.algebra.interpret import as_array, evaluate_equation, evaluate_recurrence, solve_sizes
from symbackprop.algebra.recurrence import Recurrence, strands
from symbackprop.errors import DataError

Array = npt.NDArray[Any]

#: Nothing is subtracted, so the step only has to vanish against the value, and h² against everything.
STEP = 1e-30


class Forward:
    """The forward equations at one sample: computed once, then again in part wherever something is changed.

    Attributes:
        equations: what leads to the wanted tensor, in order.
        values: every value at the sample, float64.
    """

    def __init__(self, system: System, values: Mapping[str, Any], want: str) -> None:
        self.want = want
        self.equations = _leading_to(system, want)
        read = {t.name for e in self.equations for t in e.reads}
        computed = {e.tensor.name for e in self.equations}
        if missing := sorted(name for name in read - computed if name not in values):
            raise DataError(f"no value is given for {', '.join(missing)}")
        tensors = system.tensors
        given = {name: as_array(tensors[name], values[name], np.float64) for name in sorted(read - computed)}
        self.sizes = solve_sizes({name: tensors[name] for name in given}, given)
        self.values: dict[str, Array] = dict(given)
        self.strands = strands(self.equations)
        for strand in self.strands:
            self.values.update(self.run(strand, self.values))

    def run(self, strand: Equation | Recurrence[Equation], values: Mapping[str, Array]) -> dict[str, Array]:
        """Return what an equation gives, or equations that run together."""
        if isinstance(strand, Recurrence):
            return evaluate_recurrence(strand, values, self.sizes)
        return {strand.tensor.name: evaluate_equation(strand, {t.name: values[t.name] for t in strand.reads}, self.sizes)}

    @cached_property
    def readers(self) -> dict[str, tuple[int, ...]]:
        """Which strands, by position, read a tensor."""
        found: dict[str, list[int]] = {}
        for position, strand in enumerate(self.strands):
            for name in dict.fromkeys(t.name for e in _members(strand) for t in e.reads):
                found.setdefault(name, []).append(position)
        return {name: tuple(places) for name, places in found.items()}

    def tangents(self, shifts: Mapping[str, Array], stop: Collection[str] = ()) -> dict[str, Array]:
        """Return the directional derivatives of the tensors that a change of some tensors reaches first.

        Args:
            shifts: name -> direction; stored tensors may be moved too, everything that reads them follows.
            stop: tensors at which a change ends; the wanted tensor always does. Without any, this is the whole derivative.

        Returns:
            For each tensor of ``stop`` (and the wanted one) that is reached, its derivative along the direction.
        """
        moved: dict[str, Array] = {name: self.values[name] + 1j * STEP * np.asarray(v) for name, v in shifts.items()}
        reached: dict[str, Array] = {}
        queue = sorted({position for name in shifts for position in self.readers.get(name, ())})
        seen = set(queue)
        while queue:
            strand = self.strands[heapq.heappop(queue)]
            for name, value in self.answer(strand, moved, {*stop, *shifts}).items():
                # A moved tensor is reached again where a recurrence reads it one step further.
                if name in stop or name in shifts or name == self.want:
                    reached[name] = np.imag(value) / STEP
                    continue
                moved[name] = value
                for position in self.readers.get(name, ()):
                    if position not in seen:
                        seen.add(position)
                        heapq.heappush(queue, position)
        return reached

    def answer(self, strand: Equation | Recurrence[Equation], moved: Mapping[str, Array], held: Collection[str]) -> dict[str, Array]:
        """Return the values of a strand that a change reaches; a recurrence whose tensors are all held is taken one equation at a time."""
        values = {**self.values, **moved}
        if isinstance(strand, Recurrence) and not set(strand.defined) <= set(held):
            return self.run(strand, values)
        touched = [e for e in _members(strand) if any(t.name in moved for t in e.reads)]
        return {e.tensor.name: evaluate_equation(e, values, self.sizes) for e in touched}

    def moved(self, shifts: Mapping[str, Array]) -> dict[str, Array]:
        """Return all values after a complex step along a direction of given tensors."""
        values = dict(self.values) | {name: self.values[name] + 1j * STEP * np.asarray(v) for name, v in shifts.items()}
        for strand in self.strands:
            values.update(self.run(strand, values))
        return values

    def slope(self, shifts: Mapping[str, Array]) -> float:
        """Return the derivative of the wanted scalar along a direction."""
        return float(np.sum(self.tangents(shifts).get(self.want, np.zeros(()))))

    def shifted(self, shifts: Mapping[str, Array], length: float) -> float:
        """Return the wanted scalar after a real step along a direction."""
        values = {name: value for name, value in self.values.items()}
        touched = set(shifts)
        for name, direction in shifts.items():
            values[name] = values[name] + length * np.asarray(direction)
        for strand in self.strands:
            defined = {e.tensor.name for e in _members(strand)}
            if not defined & set(shifts) and any(t.name in touched for e in _members(strand) for t in e.reads):
                values.update(self.run(strand, values))
                touched |= defined
        return float(values[self.want])


def gradient(system: System, values: Mapping[str, Any], of: str, wrt: Collection[str]) -> dict[str, Array]:
    """Return the derivatives of a scalar with respect to every entry of some tensors, one complex evaluation for each entry."""
    forward = Forward(system, values, of)
    slopes = {}
    for name in wrt:
        array = forward.values[name]
        slopes[name] = np.empty(array.shape)
        for index in np.ndindex(array.shape):
            slopes[name][index] = forward.slope({name: unit(array.shape, index)})
    return slopes


def unit(shape: tuple[int, ...], index: tuple[int, ...]) -> Array:
    """Return the direction of one entry."""
    direction = np.zeros(shape)
    direction[index] = 1.0
    return direction


def _leading_to(system: System, want: str) -> tuple[Equation, ...]:
    if want not in system.tensors:
        raise DataError(f"{want} is no tensor of this system; it has {', '.join(system.tensors)}")
    names = {want}
    before = -1
    while before < len(names):
        # Once, unless a recurrence reads what is defined further down.
        before = len(names)
        for e in reversed(system.equations):
            if e.tensor.name in names:
                names.update(t.name for t in e.reads)
    return tuple(e for e in system.equations if e.tensor.name in names)


def _members(strand: Equation | Recurrence[Equation]) -> tuple[Equation, ...]:
    return strand.equations if isinstance(strand, Recurrence) else (strand,)
