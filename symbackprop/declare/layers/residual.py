"""Residual blocks: layers around which their input goes too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symbackprop.declare.layers.wiring import Layer, Node, one_output
from symbackprop.errors import DeclarationError


class Residual(Layer):
    """Layers one after another whose input is added to their output: a = F(x) + x, or F(x) + S(x) with a shortcut S.

    It is wiring, not an operation: in the network stand its layers, those of the shortcut, and an `Add`, under the names that
    they have in every network. Both sides must have one shape; a shortcut such as a 1×1 convolution sees to that.

    Args:
        layers: F, a layer or several.
        shortcut: S, a layer or several; None adds x itself.
    """

    def __init__(self, layers: Layer | Sequence[Layer], shortcut: Layer | Sequence[Layer] | None = None) -> None:
        super().__init__(None)
        self.layers = _listed(layers, "layers")
        self.shortcut = () if shortcut is None else _listed(shortcut, "shortcut")

    def __call__(self, *inputs: Any) -> Node:
        given = inputs[0] if len(inputs) == 1 else None
        if not isinstance(given, Node):
            raise DeclarationError("Residual is called on one node, for example Residual([Dense(16)])(x)")
        return _through(self.layers, given) + _through(self.shortcut, given)


def _listed(given: object, what: str) -> tuple[Layer, ...]:
    listed = (given,) if isinstance(given, Layer) else tuple(given) if isinstance(given, Sequence) and not isinstance(given, str) else ()
    for layer in listed:
        if not isinstance(layer, Layer):
            raise DeclarationError(f"Residual: {what} are layers such as Dense(16), got {type(layer).__name__}")
    if not listed:
        raise DeclarationError(f"Residual: {what} takes a layer or several, got {str(given)[:40] or type(given).__name__}")
    return listed


def _through(layers: tuple[Layer, ...], node: Node) -> Node:
    for layer in layers:
        node = one_output(layer, "Residual")(node)
    return node


__all__ = ["Residual"]
