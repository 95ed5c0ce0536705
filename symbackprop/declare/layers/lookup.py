"""Rows of a table, looked up by number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from symbackprop import algebra as alg
from symbackprop.declare.dimension import Shape, dimension, extent
from symbackprop.declare.layers.wiring import Layer, Parameter, Shapes, one_input


@dataclass(frozen=True, eq=False)
class Embedding(Layer):
    """A row of the table E for every token: a[n, t, i] = E[x[n, t], i].

    In PyTorch: ``torch.nn.Embedding``.

    Args:
        vocabulary: how many rows; tokens are 0 .. vocabulary − 1.
        dim: how long they are.
        name: the layer's name.
        trainable: False keeps E fixed.
    """

    vocabulary: Any
    dim: Any
    name: str | None = None
    trainable: bool = True

    size_options: ClassVar[dict[str, str]] = {"vocabulary": "v", "dim": "i"}
    integers: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "vocabulary", dimension(self.vocabulary, "Embedding: vocabulary"))
        object.__setattr__(self, "dim", dimension(self.dim, "Embedding: dim"))

    def axes(self, ranks: tuple[int, ...]) -> tuple[tuple[str, ...], ...]:
        return tuple(("t",) if rank == 1 else tuple(f"t_{k}" for k in range(1, rank + 1)) for rank in ranks)

    def shapes(self, *shapes: Shape) -> Shapes:
        shape = one_input(self, shapes)
        return Shapes((*shape, self.dim), (Parameter("E", (self.vocabulary, self.dim), "normal", self.dim, self.dim),))

    def parameters(self, *inputs: Any) -> Any:
        return (alg.Tensor("E", (alg.Index("v", extent(self.vocabulary)), alg.Index("i", extent(self.dim))), "parameter"),)

    def equations(self, *inputs: Any) -> Any:
        (x,) = inputs
        (E,) = self.parameters(x)
        a = alg.Tensor("a", (*x.axes, E.axes[1]))
        return (alg.Equation(a.own, E[x.own, E.axes[1]]),)


__all__ = ["Embedding"]
