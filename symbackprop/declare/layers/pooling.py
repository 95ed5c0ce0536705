"""Pools: the largest or the mean value of every window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from symbackprop import algebra as alg
from symbackprop.declare.dimension import Shape, extent, plain
from symbackprop.declare.layers.options import each
from symbackprop.declare.layers.windows import Windows, inside, names
from symbackprop.declare.layers.wiring import Layer, Shapes, one_input, written
from symbackprop.errors import DeclarationError, ShapeError


@dataclass(frozen=True, eq=False)
class _Pool(Layer):
    pool_size: Any = 2
    stride: Any = None
    padding: Any = 0
    name: str | None = None

    symbolic: ClassVar[bool] = False

    def __post_init__(self) -> None:
        kind = type(self).__name__
        size = each(self.pool_size, 2, f"{kind}: pool_size", 1)
        object.__setattr__(self, "pool_size", size)
        object.__setattr__(self, "stride", size if self.stride is None else each(self.stride, 2, f"{kind}: stride", 1))
        object.__setattr__(self, "padding", each(self.padding, 2, f"{kind}: padding", 0))
        if any(2 * p > k for p, k in zip(self.padding, size, strict=True)):
            raise DeclarationError(f"{kind}: padding {self.padding} is more than half of the window {size}: a window could hold nothing")

    def axes(self, ranks: tuple[int, ...]) -> tuple[tuple[str, ...], ...]:
        return (("c", "h", "w"),)

    def windows(self) -> tuple[Windows, ...]:
        """Return the windows along both axes."""
        return tuple(map(Windows, self.pool_size, self.stride, self.padding))

    def shapes(self, *shapes: Shape) -> Shapes:
        shape = one_input(self, shapes)
        if len(shape) != 3:
            raise ShapeError(f"takes inputs of shape (channels, height, width), got {written(shape)}")
        return Shapes((shape[0], *(w.count(length) for w, length in zip(self.windows(), shape[1:], strict=True))))

    def taken(self, x: Any) -> tuple[Any, Any, tuple[Any, ...]]:
        """Return the output, the guarded input under a window, and the window's indices."""
        n, c, *image = x.axes
        count = self.shapes(tuple(map(plain, x.shape[1:]))).output[1:]
        out = tuple(map(alg.Index, names("pq", 2), map(extent, count)))
        window = tuple(map(alg.Index, names("uv", 2), map(alg.sympy.Integer, self.pool_size)))
        guard, at = inside(self.windows(), out, window, image)
        return alg.Tensor("a", (n, c, *out)), guard * x[(n, c, *at)], window


class MaxPool2D(_Pool):
    """The largest value of every window: a[n, c, p, q] = max_{u,v} x[n, c, s p + u − P, s q + v − P].

    What lies outside the image counts as −∞; a tie goes to the first value in reading order.

    In PyTorch: ``torch.nn.MaxPool2d``.

    Args:
        pool_size: height and width of the window, or one number for both.
        stride: s, from one window to the next; None takes the window's size.
        padding: P.
        name: the layer's name.
    """

    def equations(self, *inputs: Any) -> Any:
        a, value, window = self.taken(inputs[0])
        return (alg.Equation(a.own, alg.Max(value, *window)),)


class AvgPool2D(_Pool):
    """The mean of every window, padding counted as zeros: a[n, c, p, q] = (1/K²) Σ_{u,v} x[n, c, s p + u − P, s q + v − P].

    The options are those of `MaxPool2D`.

    In PyTorch: ``torch.nn.AvgPool2d``.
    """

    def equations(self, *inputs: Any) -> Any:
        a, value, window = self.taken(inputs[0])
        count = alg.sympy.Mul(*(index.extent for index in window))
        return (alg.Equation(a.own, alg.Sum(value, *window) / count),)


@dataclass(frozen=True, eq=False)
class GlobalAvgPool2D(Layer):
    """The mean over each channel: a[n, c] = (1/(H W)) Σ_{h,w} x[n, c, h, w].

    In PyTorch: ``torch.nn.AdaptiveAvgPool2d(1)``, flattened.
    """

    name: str | None = None

    def axes(self, ranks: tuple[int, ...]) -> tuple[tuple[str, ...], ...]:
        return (("c", "h", "w"),)

    def shapes(self, *shapes: Shape) -> Shapes:
        shape = one_input(self, shapes)
        if len(shape) != 3:
            raise ShapeError(f"takes inputs of shape (channels, height, width), got {written(shape)}")
        return Shapes(shape[:1])

    def equations(self, *inputs: Any) -> Any:
        (x,) = inputs
        n, c, h, w = x.axes
        a = alg.Tensor("a", (n, c))
        return (alg.Equation(a.own, alg.Sum(x.own, h, w) / (h.extent * w.extent)),)


__all__ = ["AvgPool2D", "GlobalAvgPool2D", "MaxPool2D"]
