"""The built-in layers, each a few equations."""

from __future__ import annotations

from symbackprop.declare.layers.activation import Activation
from symbackprop.declare.layers.dense import Dense
from symbackprop.declare.layers.merge import Concat, Flatten
from symbackprop.declare.layers.wiring import Add, Input, Layer, Multiply, Node

#: The built-in layers by class name; network files and specs refer to them by it.
LAYERS: dict[str, type[Layer]] = {cls.__name__: cls for cls in (Dense, Activation, Flatten, Add, Multiply, Concat)}

__all__ = ["LAYERS", "Activation", "Add", "Concat", "Dense", "Flatten", "Input", "Layer", "Multiply", "Node"]
