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
    mu, v, h = (alg.Tensor(name, axes) for name, axes in (("mu", rest), ("v", rest), ("x_hat", x.axes)))
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

    In PyTorch: ``torch.nn.LayerNorm``.

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

    In PyTorch: ``torch.nn.RMSNorm`` with that eps.

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
        v, h, y = (alg.Tensor(name, axes) for name, axes in (("v", rest), ("x_hat", x.axes), ("a", x.axes)))
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

    In PyTorch: ``torch.nn.GroupNorm``.

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
        return tuple(("c",) if rank == 1 else names for rank, names in zip(ranks, _channels(ranks), strict=True))

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


def _channels(ranks: tuple[int, ...]) -> tuple[tuple[str, ...], ...]:
    """Return the index names of (batch, channels, ...) inputs without the batch."""
    usual = {2: ("c", "t"), 3: ("c", "h", "w")}
    return tuple(usual[rank] if rank in usual else axis_names(rank) for rank in ranks)


@dataclass(frozen=True, eq=False)
class BatchNorm(Layer):
    """Every feature or channel normalised over the batch: y = γ (x − μ)/√(v + eps) + β.

    Inputs are (batch, features), or (batch, channels, ...): then the other axes are averaged over too, M values in all.
    In training μ[c] = (1/M) Σ x[n, c, ...] and v[c] = (1/M) Σ (x[n, c, ...] − μ[c])². In inference running statistics take their place:
    running_mean ← (1 − momentum) running_mean + momentum μ,  running_var ← (1 − momentum) running_var + momentum v M/(M − 1);
    a single value has variance 0.

    In PyTorch: ``torch.nn.BatchNorm1d``, ``BatchNorm2d``.

    Args:
        momentum: the weight of a new batch in the running statistics.
        eps: keeps the root away from 0.
        name: the layer's name.
        trainable: False keeps γ and β fixed; the running statistics follow all the same.
    """

    momentum: float = 0.1
    eps: float = 1e-5
    name: str | None = None
    trainable: bool = True

    def __post_init__(self) -> None:
        if self.momentum is True or self.momentum != 1:
            object.__setattr__(self, "momentum", small(self.momentum, "BatchNorm: momentum"))
        object.__setattr__(self, "eps", small(self.eps, "BatchNorm: eps"))

    def axes(self, ranks: tuple[int, ...]) -> tuple[tuple[str, ...], ...]:
        return _channels(ranks)

    def shapes(self, *shapes: Shape) -> Shapes:
        shape = one_input(self, shapes)
        each = shape[:1]
        return Shapes(
            shape,
            (Parameter("gamma", each, "ones"), Parameter("beta", each)),
            (Parameter("running_mean", each), Parameter("running_var", each, "ones")),
        )

    def parameters(self, *inputs: Any) -> Any:
        c = inputs[0].axes[1:2]
        return alg.Tensor("gamma", c, "parameter"), alg.Tensor("beta", c, "parameter")

    def equations(self, *inputs: Any) -> Any:
        (x,) = inputs
        n, _, *rest = x.axes
        made, h = normalised(x, (n, *rest), self.eps)
        return (*made, self._scaled(x, h))

    def inference(self, *inputs: Any) -> Any:
        (x,) = inputs
        c = x.axes[1]
        mean, var = alg.Tensor("running_mean", (c,), "state"), alg.Tensor("running_var", (c,), "state")
        sigma, h = alg.Tensor("sigma", (c,), positive=True), alg.Tensor("x_hat", x.axes)
        return (
            alg.Equation(sigma.own, alg.sympy.sqrt(var.own + alg.sympy.Rational(str(self.eps)))),
            alg.Equation(h.own, (x.own - mean.own) / sigma.own),
            self._scaled(x, h),
        )

    def statistics(self, *inputs: Any) -> Any:
        (x,) = inputs
        n, c, *rest = x.axes
        weight = alg.sympy.Rational(str(self.momentum))
        count = alg.sympy.Mul(*(axis.extent for axis in (n, *rest)))
        unbiased = alg.Tensor("v", (c,)).own * count / (count - alg.Indicator(alg.sympy.Gt(count, 1)))
        made = []
        for name, value in (("running_mean", alg.Tensor("mu", (c,)).own), ("running_var", unbiased)):
            old, new = alg.Tensor(name, (c,), "state"), alg.Tensor(f"{name}_next", (c,))
            made.append(alg.Equation(new.own, (1 - weight) * old.own + weight * value))
        return tuple(made)

    def _scaled(self, x: Any, h: Any) -> Any:
        gamma, beta = self.parameters(x)
        return alg.Equation(alg.Tensor("a", x.axes).own, gamma.own * h.own + beta.own)


__all__ = ["BatchNorm", "GroupNorm", "LayerNorm", "RMSNorm", "normalised", "small"]
