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
from symbackprop.algebra.interpret import as_array, evaluate_equation, solve_sizes
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
        for e in self.equations:
            self.values[e.tensor.name] = evaluate_equation(e, self.values, self.sizes)

    @cached_property
    def readers(self) -> dict[str, tuple[int, ...]]:
        """Which equations, by position, read a tensor."""
        found: dict[str, list[int]] = {}
        for position, e in enumerate(self.equations):
            for t in e.reads:
                found.setdefault(t.name, []).append(position)
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
            e = self.equations[heapq.heappop(queue)]
            read = {t.name: moved.get(t.name, self.values[t.name]) for t in e.reads}
            value = evaluate_equation(e, read, self.sizes)
            name = e.tensor.name
            if name in stop or name == self.want:
                reached[name] = np.imag(value) / STEP
                continue
            moved[name] = value
            for position in self.readers.get(name, ()):
                if position not in seen:
                    seen.add(position)
                    heapq.heappush(queue, position)
        return reached

    def moved(self, shifts: Mapping[str, Array]) -> dict[str, Array]:
        """Return all values after a complex step along a direction of given tensors."""
        values = dict(self.values) | {name: self.values[name] + 1j * STEP * np.asarray(v) for name, v in shifts.items()}
        for e in self.equations:
            values[e.tensor.name] = evaluate_equation(e, {t.name: values[t.name] for t in e.reads}, self.sizes)
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
        for e in self.equations:
            if e.tensor.name not in shifts and any(t.name in touched for t in e.reads):
                values[e.tensor.name] = evaluate_equation(e, values, self.sizes)
                touched.add(e.tensor.name)
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
    kept = []
    for e in reversed(system.equations):
        if e.tensor.name in names:
            kept.append(e)
            names.update(t.name for t in e.reads)
    return tuple(kept[::-1])
