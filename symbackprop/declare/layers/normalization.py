"""Normalisations: values with mean 0 and variance 1 along some axes, scaled and shifted by learned parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from symbackprop import algebra as alg
from symbackprop.declare.dimension import Shape
from symbackprop.declare.layers.options import whole
from symbackprop.declare.layers.wiring import Layer, Parameter, Shapes, axis_names, one_input, written
from symbackprop.errors import DeclarationError, ShapeError


def small(value: object, what: str) -> float:
    """Return a positive number such as eps."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < float(value) < 1:
        raise DeclarationError(f"{what} must be a number between 0 and 1, got {str(value)[:40]!r}")
    return float(value)


def normalised(x: Any, over: tuple[Any, ...], eps: float) -> tuple[tuple[Any, ...], Any]:
    """Return the equations of (x − μ)/√(v + eps), with mean μ and biased variance v over some axes, and their result."""
    rest = tuple(axis for axis in x.axes if axis not in over)
    count = alg.sympy.Mul(*(axis.extent for axis in over))
    mu, v, h = (alg.Tensor(name, axes) for name, axes in (("mu", rest), ("v", rest), ("h", x.axes)))
    sigma = alg.Tensor("sigma", rest, positive=True)
    return (
        alg.Equation(mu.own, alg.Sum(x.own, *over) / count),
        alg.Equation(v.own, alg.Sum((x.own - mu.own) ** 2, *over) / count),
        alg.Equation(sigma.own, alg.sympy.sqrt(v.own + alg.sympy.Rational(str(eps)))),
        alg.Equation(h.own, (x.own - mu.own) / sigma.own),
    ), h


@dataclass(frozen=True, eq=False)
class LayerNorm(Layer):
    """Every sample normalised over its last axes: y = γ (x − μ)/√(v + eps) + β.

    μ[n] = (1/J) Σ_j x[n, j],  v[n] = (1/J) Σ_j (x[n, j] − μ[n])²

    Args:
        eps: keeps the root away from 0.
        last: over how many of the last axes; γ and β have their sizes.
        name: the layer's name.
        trainable: False keeps its parameters fixed.
    """

    eps: float = 1e-5
    last: int = 1
    name: str | None = None
    trainable: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "eps", small(self.eps, "LayerNorm: eps"))
        object.__setattr__(self, "last", whole(self.last, "LayerNorm: last", 1))

    def shapes(self, *shapes: Shape) -> Shapes:
        shape = one_input(self, shapes)
        if len(shape) < self.last:
            raise ShapeError(f"normalises over {self.last} axes, the input has shape {written(shape)}")
        sizes = shape[-self.last :]
        return Shapes(shape, (Parameter("gamma", sizes, "ones"), Parameter("beta", sizes)))

    def parameters(self, *inputs: Any) -> Any:
        axes = inputs[0].axes[-self.last :]
        return alg.Tensor("gamma", axes, "parameter"), alg.Tensor("beta", axes, "parameter")

    def equations(self, *inputs: Any) -> Any:
        (x,) = inputs
        gamma, beta = self.parameters(x)
        made, h = normalised(x, x.axes[-self.last :], self.eps)
        y = alg.Tensor("a", x.axes)
        return (*made, alg.Equation(y.own, gamma.own * h.own + beta.own))


@dataclass(frozen=True, eq=False)
class RMSNorm(Layer):
    """Every sample scaled to root mean square 1 over its last axis: y = γ x/√((1/J) Σ_j x_j² + eps).

    Args:
        eps: keeps the root away from 0.
        name: the layer's name.
        trainable: False keeps γ fixed.
    """

    eps: float = 1e-5
    name: str | None = None
    trainable: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "eps", small(self.eps, "RMSNorm: eps"))

    def shapes(self, *shapes: Shape) -> Shapes:
        shape = one_input(self, shapes)
        return Shapes(shape, (Parameter("gamma", shape[-1:], "ones"),))

    def parameters(self, *inputs: Any) -> Any:
        return (alg.Tensor("gamma", inputs[0].axes[-1:], "parameter"),)

    def equations(self, *inputs: Any) -> Any:
        (x,) = inputs
        (gamma,) = self.parameters(x)
        j = x.axes[-1]
        rest = x.axes[:-1]
        v, h, y = (alg.Tensor(name, axes) for name, axes in (("v", rest), ("h", x.axes), ("a", x.axes)))
        sigma = alg.Tensor("sigma", rest, positive=True)
        return (
            alg.Equation(v.own, alg.Sum(x.own**2, j) / j.extent),
            alg.Equation(sigma.own, alg.sympy.sqrt(v.own + alg.sympy.Rational(str(self.eps)))),
            alg.Equation(h.own, x.own / sigma.own),
            alg.Equation(y.own, gamma[j] * h.own),
        )


@dataclass(frozen=True, eq=False)
class GroupNorm(Layer):
    """Every sample normalised over groups of channels and the image: y = γ[c] (x − μ)/√(v + eps) + β[c].

    Inputs are (batch, channels, ...); the first axis after the batch is split into ``groups``.

    Args:
        groups: how many; 1 normalises over all channels, as many as there are channels over each alone.
        eps: keeps the root away from 0.
        name: the layer's name.
        trainable: False keeps its parameters fixed.
    """

    groups: int = 1
    eps: float = 1e-5
    name: str | None = None
    trainable: bool = True

    symbolic: ClassVar[bool] = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "groups", whole(self.groups, "GroupNorm: groups", 1))
        object.__setattr__(self, "eps", small(self.eps, "GroupNorm: eps"))

    def axes(self, ranks: tuple[int, ...]) -> tuple[tuple[str, ...], ...]:
        usual = {1: ("c",), 2: ("c", "t"), 3: ("c", "h", "w")}
        return tuple(usual[rank] if rank in usual else axis_names(rank) for rank in ranks)

    def shapes(self, *shapes: Shape) -> Shapes:
        shape = one_input(self, shapes)
        if isinstance(shape[0], str) or shape[0] % self.groups:
            raise ShapeError(f"{shape[0]} channels cannot be split into {self.groups} groups")
        return Shapes(shape, (Parameter("gamma", shape[:1], "ones"), Parameter("beta", shape[:1])))

    def parameters(self, *inputs: Any) -> Any:
        c = inputs[0].axes[1:2]
        return alg.Tensor("gamma", c, "parameter"), alg.Tensor("beta", c, "parameter")

    def equations(self, *inputs: Any) -> Any:
        (x,) = inputs
        gamma, beta = self.parameters(x)
        n, c, *rest = x.axes
        g, m = alg.Index("g", alg.sympy.Integer(self.groups)), alg.Index("m", c.extent / self.groups)
        split = alg.Tensor("u", (n, g, m, *rest))
        made, h = normalised(split, (m, *rest), self.eps)
        group = alg.Floor(c / m.extent)
        y = alg.Tensor("a", x.axes)
        return (
            alg.Equation(split.own, x[(n, m.extent * g + m, *rest)]),
            *made,
            alg.Equation(y.own, gamma[c] * h[(n, group, c - m.extent * group, *rest)] + beta[c]),
        )


__all__ = ["GroupNorm", "LayerNorm", "RMSNorm", "normalised", "small"]
