"""Layers that are random in training."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from symbackprop import algebra as alg
from symbackprop.declare.dimension import Shape
from symbackprop.declare.layers.wiring import Layer, Mask, Shapes, one_input
from symbackprop.errors import DeclarationError


@dataclass(frozen=True, eq=False)
class Dropout(Layer):
    """In training every value is kept with probability 1 − rate and scaled up, or set to 0: a = x m/(1 − rate).

    The mask m of zeros and ones is an input of its own (``dropout_1.mask``), drawn from a seed; gradients hold it fixed.
    In inference a = x.

    In PyTorch: ``torch.nn.Dropout``.

    Args:
        rate: the probability of being set to 0; at least 0 and below 1.
        name: the layer's name.
    """

    rate: float = 0.5
    name: str | None = None

    def __post_init__(self) -> None:
        rate = self.rate
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not (math.isfinite(rate) and 0 <= rate < 1):
            raise DeclarationError(f"Dropout: rate must be a number from 0 up to, not including, 1, got {str(rate)[:40]!r}")
        object.__setattr__(self, "rate", float(rate))

    def shapes(self, *shapes: Shape) -> Shapes:
        shape = one_input(self, shapes)
        return Shapes(shape, masks=(Mask("mask", shape, 1 - self.rate),))

    def equations(self, *inputs: Any) -> Any:
        (x,) = inputs
        a, mask = alg.Tensor("a", x.axes), alg.Tensor("mask", x.axes, "input")
        return (alg.Equation(a.own, x.own * mask.own / (1 - alg.sympy.Rational(str(self.rate)))),)

    def inference(self, *inputs: Any) -> Any:
        (x,) = inputs
        return (alg.Equation(alg.Tensor("a", x.axes).own, x.own),)


__all__ = ["Dropout"]
