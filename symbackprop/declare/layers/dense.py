"""The affine map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from symbackprop import algebra as alg
from symbackprop.declare.activations import ActivationSpec, activate
from symbackprop.declare.dimension import Dimension, Shape, dimension, extent
from symbackprop.declare.layers.activation import function_of
from symbackprop.declare.layers.options import check_flags
from symbackprop.declare.layers.wiring import Layer, Parameter, Shapes, axis_names, one_input


@dataclass(frozen=True, eq=False)
class Dense(Layer):
    """An affine map of the last axis, z = W x + b, and an activation a = f(z).

    z[n, i] = Σ_j W[i, j] x[n, j] + b[i]

    In PyTorch: ``torch.nn.Linear``, with an activation behind it.

    Args:
        units: how many outputs; may be a symbol such as ``"n_2"``.
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
        object.__setattr__(self, "units", dimension(self.units, "Dense: units"))
        object.__setattr__(self, "activation", function_of(self.activation))
        check_flags(self, "bias")

    def axes(self, ranks: tuple[int, ...]) -> tuple[tuple[str, ...], ...]:
        return tuple((*axis_names(rank)[:-1], "j") for rank in ranks)

    def shapes(self, *shapes: Shape) -> Shapes:
        shape = one_input(self, shapes)
        units: Dimension = self.units
        function: ActivationSpec | None = self.activation
        weight = Parameter("W", (units, shape[-1]), function.initial if function else "glorot", shape[-1], units)
        return Shapes((*shape[:-1], units), (weight, Parameter("b", (units,))) if self.bias else (weight,))

    def parameters(self, *inputs: Any) -> Any:
        (x,) = inputs
        i, j = alg.Index("i", extent(self.units)), x.axes[-1]
        weight = alg.Tensor("W", (i, j), "parameter")
        return (weight, alg.Tensor("b", (i,), "parameter")) if self.bias else (weight,)

    def equations(self, *inputs: Any) -> Any:
        (x,) = inputs
        W, *b = self.parameters(x)
        (*n, _), (i, j) = x.axes, W.axes
        z = alg.Tensor("z", (*n, i))
        affine = alg.Sum(W[i, j] * x.own, j) + (b[0][i] if b else 0)
        return (alg.Equation(z.own, affine), *activate(self.activation, z))


__all__ = ["Dense"]
