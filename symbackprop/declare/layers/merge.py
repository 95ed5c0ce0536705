"""Layers that move values without computing: concatenation, flattening, another shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from symbackprop import algebra as alg
from symbackprop.declare.dimension import Shape, product, total
from symbackprop.declare.layers.options import whole
from symbackprop.declare.layers.wiring import Layer, Shapes, axis_names, one_input, written
from symbackprop.errors import DeclarationError, ShapeError


@dataclass(frozen=True, eq=False)
class Concat(Layer):
    """Its inputs one after another along the last axis: a[n, k] = [k < J] x_1[n, k] + [k ≥ J] x_2[n, k − J].

    In PyTorch: ``torch.cat(inputs, dim=-1)``.
    """

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
    """All axes but the batch as one, in C order: a[n, k] = x[n, ⌊k/(HW)⌋, ⌊k/W⌋ − H⌊k/(HW)⌋, k − W⌊k/W⌋].

    In PyTorch: ``torch.nn.Flatten``.
    """

    name: str | None = None

    def shapes(self, *shapes: Shape) -> Shapes:
        return Shapes((product(one_input(self, shapes)),))

    def equations(self, *inputs: Any) -> Any:
        (x,) = inputs
        n, *rest = x.axes
        k = alg.Index("k", alg.sympy.Mul(*(axis.extent for axis in rest)))
        a = alg.Tensor("a", (n, k))
        return (alg.Equation(a.own, x[(n, *_places(k, rest))]),)


@dataclass(frozen=True, eq=False)
class Reshape(Layer):
    """The same values in another shape, in C order; one size may be −1.

    In PyTorch: ``torch.nn.Unflatten`` after ``Flatten``.

    Args:
        shape: without the batch axis.
        name: the layer's name.
    """

    shape: Any
    name: str | None = None

    symbolic: ClassVar[bool] = False

    def __post_init__(self) -> None:
        given = self.shape if isinstance(self.shape, tuple | list) else (self.shape,)
        sizes = tuple(-1 if size == -1 else whole(size, "Reshape: shape", 1) for size in given)
        if sizes.count(-1) > 1 or not sizes:
            raise DeclarationError(f"Reshape: shape {given} needs at least one size and at most one -1")
        object.__setattr__(self, "shape", sizes)

    def shapes(self, *shapes: Shape) -> Shapes:
        shape = one_input(self, shapes)
        if any(isinstance(size, str) for size in shape):
            raise ShapeError(f"needs numbers for all sizes, the input has shape {written(shape)}")
        count, known = _count(shape), _count(tuple(size for size in self.shape if size != -1))
        if (-1 in self.shape and count % known) or (-1 not in self.shape and count != known):
            raise ShapeError(f"cannot make {written(self.shape)} of {written(shape)}: {count} values")
        return Shapes(tuple(count // known if size == -1 else size for size in self.shape))

    def equations(self, *inputs: Any) -> Any:
        (x,) = inputs
        shape = self.shapes(tuple(int(size) for size in x.shape[1:])).output
        n, *old = x.axes
        new = tuple(alg.Index(f"k_{position}", alg.sympy.Integer(int(size))) for position, size in enumerate(shape, 1))
        flat = alg.sympy.S.Zero
        for index in new:
            flat = flat * index.extent + index
        flat = alg.sympy.expand(flat)
        a = alg.Tensor("a", (n, *new))
        return (alg.Equation(a.own, x[(n, *_places(flat, old))]),)


def _count(shape: tuple[Any, ...]) -> int:
    count = 1
    for size in shape:
        count *= int(size)
    return count


def _places(flat: Any, axes: Sequence[Any]) -> tuple[Any, ...]:
    """Return where along each axis the value with this number stands, in C order."""
    parts, above = [], alg.sympy.S.Zero
    for position, axis in enumerate(axes):
        below = alg.sympy.Mul(*(later.extent for later in axes[position + 1 :]))
        here = alg.Floor(flat / below)
        parts.append(here - axis.extent * above)
        above = here
    return tuple(parts)


__all__ = ["Concat", "Flatten", "Reshape"]
