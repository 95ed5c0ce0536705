"""An activation as a layer of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symbackprop import algebra as alg
from symbackprop.declare.activations import ActivationSpec, activate, activation_spec
from symbackprop.declare.dimension import Shape
from symbackprop.declare.layers.wiring import Layer, Parameter, Shapes, one_input
from symbackprop.errors import DeclarationError


class Activation(Layer):
    """An activation: of the table, of your own, or a bare name that stays unspecified.

    In PyTorch: the function of that name in ``torch.nn.functional``; leaky_relu has slope 0.1 here.

    Args:
        name: which activation.
        expression: for an own one, a function of a SymPy symbol (``lambda z: z / (1 + sympy.exp(-z))``) or text in z.
        learned: parameters of the expression that are learned, with their first values: ``learned={"beta": 1.0}`` makes
            ``swish_1.beta`` of "z/(1 + exp(-beta*z))"; for an activation of the table, some of its options.
        per_channel: one learned number for every channel, the first axis after the batch, instead of one in all.
        options: values of its options, for example ``slope=0.01``.

    With learned parameters it is a layer of its own; ``activation=`` of another layer takes it without.
    """

    function: ActivationSpec

    def __init__(
        self, name: str, expression: Any = None, *, learned: Mapping[str, float] | None = None, per_channel: bool = False, **options: float
    ) -> None:
        super().__init__(None)
        if not (learned is None or isinstance(learned, Mapping)):
            raise DeclarationError(
                f"activation {str(name)[:40]}: learned is a mapping from name to first value, got {type(learned).__name__}"
            )
        if expression is not None and not isinstance(expression, str) and not callable(expression):
            expression = _of_symbol(name, expression)
        self.function = ActivationSpec(
            name, tuple(sorted(options.items())), expression, tuple(sorted((learned or {}).items())), per_channel
        )

    def options(self) -> tuple[tuple[str, Any], ...]:
        return (("function", self.function),)

    def shapes(self, *shapes: Shape) -> Shapes:
        shape = one_input(self, shapes)
        size = shape[:1] if self.function.per_channel else ()
        return Shapes(shape, tuple(Parameter(name, size, f"constant {first!r}") for name, first in self.function.learned))

    def parameters(self, *inputs: Any) -> Any:
        axes = inputs[0].axes[1:2] if self.function.per_channel else ()
        return tuple(alg.Tensor(name, axes, "parameter") for name, _ in self.function.learned)

    def equations(self, *inputs: Any) -> Any:
        (x,) = inputs
        return activate(self.function, x, {t.name: t.own for t in self.parameters(x)})


def _of_symbol(name: str, expression: Any) -> Any:
    symbols = sorted(getattr(expression, "free_symbols", ()), key=str)
    if len(symbols) != 1:
        raise DeclarationError(f"activation {name}: the expression is text, a function of z or a SymPy expression in one symbol")
    return lambda z: expression.xreplace({symbols[0]: z})


def function_of(given: object) -> ActivationSpec | None:
    """Return what ``activation=`` means; the identity is the same as none."""
    spec = given.function if isinstance(given, Activation) else activation_spec(given)
    if spec is not None and spec.learned:
        raise DeclarationError(f"activation {spec.name} has learned parameters: add it as a layer of its own instead of activation=")
    return None if spec is None or spec.written == "identity()" else spec


__all__ = ["Activation", "function_of"]
