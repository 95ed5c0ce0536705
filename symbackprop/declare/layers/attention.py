"""Attention, and the positions that it cannot see by itself."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from symbackprop import algebra as alg
from symbackprop.declare.dimension import Shape
from symbackprop.declare.layers.options import check_flags, whole
from symbackprop.declare.layers.wiring import Layer, Parameter, Shapes, one_input, written
from symbackprop.errors import DeclarationError, ShapeError


def visible(t: Any, s: Any, causal: bool, mask: Any | None) -> Any:
    """Return the guard of a key s that a query at t sees."""
    seen = alg.Indicator(alg.sympy.Ge(t, s)) if causal else alg.sympy.S.One
    return seen if mask is None else seen * alg.Indicator(mask > 0)


@dataclass(frozen=True, eq=False)
class Attention(Layer):
    """Self-attention with several heads over a sequence, inputs (batch, time, features).

    Q = x W_qᵀ, K = x W_kᵀ, V = x W_vᵀ, each split into heads of size D;
    S = Q Kᵀ/√D, Z = Σ_s exp(S), P = exp(S)/Z (the softmax of S over the keys), O = P V, a = O W_oᵀ

    A second input, ``Attention(...)(x, mask)`` of shape (batch, time), says which keys are there: a 1 (or any number above 0, real or
    int64) is looked at, a 0 by no query. A query that sees no key at all has P = 0 and O = 0, so that a is b_o.

    In PyTorch: ``torch.nn.MultiheadAttention(batch_first=True)`` on one sequence.

    Args:
        heads: how many; the features are split among them.
        causal: True keeps every position from looking at later ones.
        bias: whether the four maps have a bias (b_q, b_k, b_v, b_o).
        name: the layer's name.
        trainable: False keeps its parameters fixed.
    """

    heads: int = 1
    causal: bool = False
    bias: bool = False
    name: str | None = None
    trainable: bool = True

    symbolic: ClassVar[bool] = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "heads", whole(self.heads, "Attention: heads", 1))
        check_flags(self, "causal", "bias")

    @classmethod
    def takes_integers(cls, position: int) -> bool:
        return position == 1

    def axes(self, ranks: tuple[int, ...]) -> tuple[tuple[str, ...], ...]:
        return (("t", "j"), ("t",))[: len(ranks)]

    def shapes(self, *shapes: Shape) -> Shapes:
        if not 1 <= len(shapes) <= 2:
            raise DeclarationError(f"Attention takes a sequence, or a sequence and the mask of its keys, got {len(shapes)} inputs")
        shape = shapes[0]
        if len(shape) != 2:
            raise ShapeError(f"takes inputs of shape (time, features), got {written(shape)}")
        if shapes[1:] and shapes[1] != shape[:1]:
            raise ShapeError(f"the mask has a number for each of the {shape[0]} keys, shape {written(shape[:1])}, got {written(shapes[1])}")
        features = shape[1]
        if isinstance(features, str) or features % self.heads:
            raise ShapeError(f"{features} features cannot be split among {self.heads} heads; heads must divide the features")
        square = (features, features)
        names = [f"W_{letter}" for letter in "qkvo"] + ([f"b_{letter}" for letter in "qkvo"] if self.bias else [])
        made = [Parameter(n, square, "glorot", features, features) if n[0] == "W" else Parameter(n, (features,)) for n in names]
        return Shapes(shape, tuple(made))

    def parameters(self, *inputs: Any) -> Any:
        j = inputs[0].axes[-1]
        i = alg.Index("i", j.extent)
        made = [alg.Tensor(f"W_{letter}", (i, j), "parameter") for letter in "qkvo"]
        return (*made, *(alg.Tensor(f"b_{letter}", (i,), "parameter") for letter in "qkvo")) if self.bias else tuple(made)

    def equations(self, *inputs: Any) -> Any:
        x, *masks = inputs
        W_q, W_k, W_v, W_o, *biases = self.parameters(x)
        n, t, j = x.axes
        i = W_q.axes[0]
        size = j.extent / self.heads
        d, s = alg.Index("d", size), alg.Index("s", t.extent)
        # A single head has no axis of heads.
        heads = () if self.heads == 1 else (alg.Index("h", alg.sympy.Integer(self.heads)),)
        row = sum((size * h for h in heads), d)
        made = []
        for letter, weight in zip("qkv", (W_q, W_k, W_v), strict=True):
            out = alg.Tensor(letter.upper(), (n, *heads, t, d))
            shift = biases["qkv".index(letter)][row] if biases else 0
            made.append(alg.Equation(out.own, alg.Sum(weight[row, j] * x.own, j) + shift))
        Q, K, V = (e.tensor for e in made)
        axes = (n, *heads, t)
        scores, p, o = alg.Tensor("S", (*axes, s)), alg.Tensor("P", (*axes, s)), alg.Tensor("O", (*axes, d))
        total = alg.Tensor("Z", axes, positive=True)
        seen = visible(t, s, self.causal, masks[0][n, s] if masks else None)
        made += [
            alg.Equation(scores.own, alg.Sum(Q.own * K[(n, *heads, s, d)], d) / alg.sympy.sqrt(size)),
            alg.Equation(total.own, alg.Sum(seen * alg.sympy.exp(scores.own), s)),
            alg.Equation(p.own, seen * alg.sympy.exp(scores.own) / total.own),
            alg.Equation(o.own, alg.Sum(p.own * V[(n, *heads, s, d)], s)),
        ]
        a = alg.Tensor("a", (n, t, i))
        head = alg.Floor(j / size)
        read = o[n, head, t, j - size * head] if heads else o[n, t, j]
        joined = alg.Sum(W_o[i, j] * read, j)
        return (*made, alg.Equation(a.own, joined + (biases[3][i] if biases else 0)))


@dataclass(frozen=True, eq=False)
class PositionalEncoding(Layer):
    """Sines and cosines of the position added to a sequence, inputs (batch, time, features).

    a[n, t, 2i] = x[n, t, 2i] + sin(t / base^(2i/J)),  a[n, t, 2i + 1] = x[n, t, 2i + 1] + cos(t / base^(2i/J))

    In PyTorch: none.

    Args:
        base: of the wavelengths.
        name: the layer's name.
    """

    base: float = 10000.0
    name: str | None = None

    symbolic: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if isinstance(self.base, bool) or not isinstance(self.base, int | float) or not (math.isfinite(self.base) and self.base > 1):
            raise DeclarationError(f"PositionalEncoding: base must be a number above 1, got {str(self.base)[:40]!r}")
        object.__setattr__(self, "base", float(self.base))

    def axes(self, ranks: tuple[int, ...]) -> tuple[tuple[str, ...], ...]:
        return (("t", "j"),)

    def shapes(self, *shapes: Shape) -> Shapes:
        shape = one_input(self, shapes)
        if len(shape) != 2:
            raise ShapeError(f"takes inputs of shape (time, features), got {written(shape)}")
        return Shapes(shape)

    def equations(self, *inputs: Any) -> Any:
        (x,) = inputs
        n, t, j = x.axes
        del n
        pair = alg.Floor(j / 2)
        odd = j - 2 * pair
        angle = t * alg.sympy.Rational(str(self.base)) ** (-2 * pair / j.extent)
        # cos u = sin(u + π/2): one term for even and odd places.
        wave = alg.sympy.sin(angle + alg.sympy.pi / 2 * odd, evaluate=False)
        a = alg.Tensor("a", x.axes)
        return (alg.Equation(a.own, x.own + wave),)


__all__ = ["Attention", "PositionalEncoding"]
