"""The dot-product test: ⟨J v, w⟩ = ⟨v, Jᵀ w⟩.

The left side pushes a direction forward (complex step), the right side pulls a weight back (the derived gradients). One
draw judges all entries at once, at the cost of one evaluation.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.validate.complex_step import Forward

Array = npt.NDArray[Any]


def pushed(forward: Forward, direction: Mapping[str, Array], cotangents: Mapping[str, Array], stop: Collection[str] = ()) -> float:
    """Return ⟨J v, w⟩: a direction pushed to where the cotangents w are known, and weighed there.

    With ``stop`` empty this is the derivative of the scalar along the direction. With ``stop`` naming the tensors whose
    cotangents are given, a change is followed to the nearest of them only: the test of a single step of the chain rule.
    """
    reached = forward.tangents(direction, stop)
    total = 0.0
    for name, tangent in reached.items():
        weight = cotangents[name] if name != forward.want else np.ones(())
        total += float(np.sum(weight * tangent))
    return total


def pulled(direction: Mapping[str, Array], gradients: Mapping[str, Array]) -> float:
    """Return ⟨v, Jᵀ w⟩ for gradients Jᵀ w by name."""
    return float(sum(float(np.sum(v * gradients[name])) for name, v in direction.items()))


def draw(shapes: Mapping[str, tuple[int, ...]], rng: np.random.Generator) -> dict[str, Array]:
    """Return a random direction of norm 1 over several tensors."""
    made = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    norm = float(np.sqrt(sum(float(np.sum(v * v)) for v in made.values())))
    return {name: v / norm for name, v in made.items()}
