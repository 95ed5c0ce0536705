"""Layers that multiply or choose: learned slopes, maxout, bilinear forms, gated linear units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from symbackprop import algebra as alg
from symbackprop.declare.activations import ActivationSpec, activate
from symbackprop.declare.dimension import Shape, dimension, extent
from symbackprop.declare.layers.activation import function_of
from symbackprop.declare.layers.options import check_flags
from symbackprop.declare.layers.wiring import Layer, Parameter, Shapes, axis_names, one_input, written
from symbackprop.errors import DeclarationError, ShapeError


@dataclass(frozen=True, eq=False)
class PReLU(Layer):
    """A leaky ReLU whose slope is learned: a = z [z > 0] + α z [z ≤ 0].

    In PyTorch: ``torch.nn.PReLU``.

    Args:
        per_channel: one α for every channel, the first axis after the batch, instead of one in all.
        name: the layer's name.
        trainable: False keeps α fixed.
    """

    per_channel: bool = False
    name: str | None = None
    trainable: bool = True

    def __post_init__(self) -> None:
        check_flags(self, "per_channel")

    def shapes(self, *shapes: Shape) -> Shapes:
        shape = one_input(self, shapes)
        return Shapes(shape, (Parameter("alpha", shape[:1] if self.per_channel else (1,), "quarter"),))

    def parameters(self, *inputs: Any) -> Any:
        axes = inputs[0].axes[1:2] if self.per_channel else (alg.Index("k", alg.sympy.Integer(1)),)
        return (alg.Tensor("alpha", axes, "parameter"),)

    def equations(self, *inputs: Any) -> Any:
        (x,) = inputs
        (alpha,) = self.parameters(x)
        a, z = alg.Tensor("a", x.axes), x.own
        above, below = alg.Indicator(z > 0), alg.Indicator(alg.sympy.Le(z, 0))
        slope = alpha[x.axes[1] if self.per_channel else 0]
        return (alg.Equation(a.own, z * above + slope * z * below),)


@dataclass(frozen=True, eq=False)
class Maxout(Layer):
    """The largest of several affine maps: a[n, i] = max_k (Σ_j W[i, k, j] x[n, j] + b[i, k]); a tie goes to the first.

    In PyTorch: none.

    Args:
        units: how many outputs.
        pieces: how many maps each is the largest of.
        name: the layer's name.
        trainable: False keeps its parameters fixed.
    """

    units: Any
    pieces: Any = 2
    name: str | None = None
    trainable: bool = True

    size_options: ClassVar[dict[str, str]] = {"units": "i", "pieces": "k"}
    pre: ClassVar[str | None] = "z"

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", dimension(self.units, "Maxout: units"))
        object.__setattr__(self, "pieces", dimension(self.pieces, "Maxout: pieces"))

    def axes(self, ranks: tuple[int, ...]) -> tuple[tuple[str, ...], ...]:
        return tuple((*axis_names(rank)[:-1], "j") for rank in ranks)

    def shapes(self, *shapes: Shape) -> Shapes:
        shape = one_input(self, shapes)
        weight = Parameter("W", (self.units, self.pieces, shape[-1]), "glorot", shape[-1], self.units)
        return Shapes((*shape[:-1], self.units), (weight, Parameter("b", (self.units, self.pieces))))

    def parameters(self, *inputs: Any) -> Any:
        i, k, j = alg.Index("i", extent(self.units)), alg.Index("k", extent(self.pieces)), inputs[0].axes[-1]
        return alg.Tensor("W", (i, k, j), "parameter"), alg.Tensor("b", (i, k), "parameter")

    def equations(self, *inputs: Any) -> Any:
        (x,) = inputs
        W, b = self.parameters(x)
        (*n, j), (i, k) = x.axes, b.axes
        z, a = alg.Tensor("z", (*n, i, k)), alg.Tensor("a", (*n, i))
        return (
            alg.Equation(z.own, alg.Sum(W[i, k, j] * x.own, j) + b[i, k]),
            alg.Equation(a.own, alg.Max(z.own, k)),
        )


@dataclass(frozen=True, eq=False)
class Bilinear(Layer):
    """A bilinear form of two inputs: z[n, i] = Σ_{j,k} W[i, j, k] x_1[n, j] x_2[n, k] + b[i], and an activation.

    In PyTorch: ``torch.nn.Bilinear``, with an activation behind it.

    Args:
        units: how many outputs.
        activation: a name of the table or ``sbp.Activation(...)``.
        bias: whether b is there.
        name: the layer's name.
        trainable: False keeps its parameters fixed.
    """

    units: Any
    activation: Any = None
    bias: bool = True
    name: str | None = None
    trainable: bool = True

    size_options: ClassVar[dict[str, str]] = {"units": "i"}
    pre: ClassVar[str | None] = "z"

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", dimension(self.units, "Bilinear: units"))
        object.__setattr__(self, "activation", function_of(self.activation))
        check_flags(self, "bias")

    def axes(self, ranks: tuple[int, ...]) -> tuple[tuple[str, ...], ...]:
        return tuple((*axis_names(rank)[:-1], name) for rank, name in zip(ranks, "jk", strict=False))

    def shapes(self, *shapes: Shape) -> Shapes:
        if len(shapes) != 2:
            raise DeclarationError(f"Bilinear takes two inputs, got {len(shapes)}")
        first, second = shapes
        if first[:-1] != second[:-1]:
            raise ShapeError(f"needs inputs that agree in all axes but the last, got {written(first)} and {written(second)}")
        function: ActivationSpec | None = self.activation
        weight = Parameter("W", (self.units, first[-1], second[-1]), function.initial if function else "glorot", first[-1], self.units)
        return Shapes((*first[:-1], self.units), (weight, Parameter("b", (self.units,))) if self.bias else (weight,))

    def parameters(self, *inputs: Any) -> Any:
        first, second = inputs
        i = alg.Index("i", extent(self.units))
        weight = alg.Tensor("W", (i, first.axes[-1], second.axes[-1]), "parameter")
        return (weight, alg.Tensor("b", (i,), "parameter")) if self.bias else (weight,)

    def equations(self, *inputs: Any) -> Any:
        first, second = inputs
        W, *b = self.parameters(first, second)
        i, j, k = W.axes
        z = alg.Tensor("z", (*first.axes[:-1], i))
        total = alg.Sum(W[i, j, k] * first.own * second.own, j, k)
        return (alg.Equation(z.own, total + (b[0][i] if b else 0)), *activate(self.activation, z))


@dataclass(frozen=True, eq=False)
class GatedLinear(Layer):
    """A gated linear unit on the last axis: half of it, times an activation of the other half.

    a[n, i] = x[n, i] f(x[n, I + i]), i < I = J/2

    In PyTorch: ``torch.nn.GLU`` for the sigmoid.

    Args:
        activation: f; "sigmoid" is the GLU, "silu" the SwiGLU, "gelu" the GEGLU.
        name: the layer's name.
    """

    activation: Any = "sigmoid"
    name: str | None = None

    symbolic: ClassVar[bool] = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "activation", function_of(self.activation))

    def shapes(self, *shapes: Shape) -> Shapes:
        shape = one_input(self, shapes)
        if isinstance(shape[-1], str) or shape[-1] % 2:
            raise ShapeError(f"splits its last axis into two halves, the input has shape {written(shape)}")
        return Shapes((*shape[:-1], shape[-1] // 2))

    def equations(self, *inputs: Any) -> Any:
        (x,) = inputs
        *n, j = x.axes
        i = alg.Index("i", j.extent / 2)
        z, a = alg.Tensor("z", (*n, i)), alg.Tensor("a", (*n, i))
        gate = activate(self.activation, z)
        opened = gate[-1].tensor if gate else z
        g = alg.Tensor("g", (*n, i))
        renamed = tuple(alg.Equation(g.own, e.rhs) if e.tensor == opened else e for e in gate)
        return (
            alg.Equation(z.own, x[(*n, i.extent + i)]),
            *renamed,
            alg.Equation(a.own, x[(*n, i)] * (g.own if gate else z.own)),
        )


__all__ = ["Bilinear", "GatedLinear", "Maxout", "PReLU"]
