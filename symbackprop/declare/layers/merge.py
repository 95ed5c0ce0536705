"""Layers that move values without computing: concatenation and flattening."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from symbackprop import algebra as alg
from symbackprop.declare.dimension import Shape, product, total
from symbackprop.declare.layers.wiring import Layer, Shapes, axis_names, one_input, written
from symbackprop.errors import DeclarationError, ShapeError


@dataclass(frozen=True, eq=False)
class Concat(Layer):
    """Its inputs one after another along the last axis: a[n, k] = [k < J] x_1[n, k] + [k ≥ J] x_2[n, k − J]."""

    name: str | None = None

    def shapes(self, *shapes: Shape) -> Shapes:
        if len(shapes) < 2:
            raise DeclarationError(f"Concat takes at least two inputs, got {len(shapes)}")
        if len({shape[:-1] for shape in shapes}) > 1:
            raise ShapeError(f"needs inputs that agree in all axes but the last, got {', '.join(map(written, shapes))}")
        return Shapes((*shapes[0][:-1], total(tuple(shape[-1] for shape in shapes))))

    def axes(self, ranks: tuple[int, ...]) -> tuple[tuple[str, ...], ...]:
        return tuple((*axis_names(rank)[:-1], f"i_{k}") for k, rank in enumerate(ranks, 1))

    def equations(self, *x: Any) -> Any:
        n = x[0].axes[:-1]
        k = alg.Index("k", alg.sympy.Add(*(each.shape[-1] for each in x)))
        a = alg.Tensor("a", (*n, k))
        joined, start = alg.sympy.S.Zero, alg.sympy.S.Zero
        for each in x:
            joined = joined + alg.InRange(k - start, each.shape[-1]) * each[(*n, k - start)]
            start = start + each.shape[-1]
        return (alg.Equation(a.own, joined),)


@dataclass(frozen=True, eq=False)
class Flatten(Layer):
    """All axes but the batch as one, in C order: a[n, k] = x[n, ⌊k/(HW)⌋, ⌊k/W⌋ − H⌊k/(HW)⌋, k − W⌊k/W⌋]."""

    name: str | None = None

    def shapes(self, *shapes: Shape) -> Shapes:
        return Shapes((product(one_input(self, shapes)),))

    def equations(self, *inputs: Any) -> Any:
        (x,) = inputs
        n, *rest = x.axes
        k = alg.Index("k", alg.sympy.Mul(*(axis.extent for axis in rest)))
        parts, above = [], alg.sympy.S.Zero
        for position, axis in enumerate(rest):
            below = alg.sympy.Mul(*(later.extent for later in rest[position + 1 :]))
            here = alg.Floor(k / below) if below != 1 else k
            parts.append(here - axis.extent * above)
            above = here
        a = alg.Tensor("a", (n, k))
        return (alg.Equation(a.own, x[(n, *parts)]),)


__all__ = ["Concat", "Flatten"]
