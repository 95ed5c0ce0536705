"""An activation as a layer of its own."""

from __future__ import annotations

from typing import Any

from symbackprop.declare.activations import ActivationSpec, activate, activation_spec
from symbackprop.declare.dimension import Shape
from symbackprop.declare.layers.wiring import Layer, Shapes, one_input
from symbackprop.errors import DeclarationError


class Activation(Layer):
    """An activation: of the table, of your own, or a bare name that stays unspecified.

    Args:
        name: which activation.
        expression: for an own one, a function of a SymPy symbol (``lambda z: z / (1 + sympy.exp(-z))``) or text in z.
        options: values of its options, for example ``slope=0.01``.
    """

    function: ActivationSpec

    def __init__(self, name: str, expression: Any = None, **options: float) -> None:
        super().__init__(None)
        if expression is not None and not isinstance(expression, str) and not callable(expression):
            expression = _of_symbol(name, expression)
        self.function = ActivationSpec(name, tuple(sorted(options.items())), expression)

    def options(self) -> tuple[tuple[str, Any], ...]:
        return (("function", self.function),)

    def shapes(self, *shapes: Shape) -> Shapes:
        return Shapes(one_input(self, shapes))

    def equations(self, *inputs: Any) -> Any:
        return activate(self.function, inputs[0])


def _of_symbol(name: str, expression: Any) -> Any:
    symbols = sorted(getattr(expression, "free_symbols", ()), key=str)
    if len(symbols) != 1:
        raise DeclarationError(f"activation {name}: the expression is text, a function of z or a SymPy expression in one symbol")
    return lambda z: expression.xreplace({symbols[0]: z})


def function_of(given: object) -> ActivationSpec | None:
    """Return what ``activation=`` means; the identity is the same as none."""
    spec = given.function if isinstance(given, Activation) else activation_spec(given)
    return None if spec is None or spec.written == "identity()" else spec


__all__ = ["Activation", "function_of"]
