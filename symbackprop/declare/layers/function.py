"""Layers from plain functions: the inputs come in as tensors, the equations go out."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from symbackprop.algebra.suggest import suggestion
from symbackprop.declare.layers.wiring import Layer
from symbackprop.errors import DeclarationError

#: What every layer takes besides its own options.
_USUAL = ("name", "trainable")


class FunctionLayer(Layer):
    """A layer whose equations a plain function returns; ``sbp.layer`` makes a subclass of it for each function."""

    function: Callable[..., Any]
    #: Initializers by the names of parameters.
    initial: Mapping[str, str] = {}

    def __init__(self, name: str | None = None, trainable: bool = True, **options: Any) -> None:
        super().__init__(name, trainable)
        kind = type(self).__name__
        for option in options:
            if option not in self.known():
                listed = ", ".join(self.known()) or "no options"
                raise DeclarationError(f"{kind}: unknown option {option!r}{suggestion(option, self.known())} (it takes {listed})")
        missing = [n for n, p in self.known().items() if p.default is p.empty and n not in options]
        if missing:
            raise DeclarationError(f"{kind}: the option {missing[0]} must be given: {kind}({missing[0]}=…)")
        self.given = options

    @classmethod
    def known(cls) -> dict[str, inspect.Parameter]:
        """Return the options: what the function takes by keyword only, or with a default."""
        taken = inspect.signature(cls.function).parameters.items()
        return {n: p for n, p in taken if p.kind is p.KEYWORD_ONLY or p.default is not p.empty}

    @classmethod
    def operands(cls) -> tuple[str, ...]:
        """Return the names of the function's inputs; a name with a star stands for any number."""
        taken = inspect.signature(cls.function).parameters.values()
        return tuple(f"*{p.name}" if p.kind is p.VAR_POSITIONAL else p.name for p in taken if p.name not in cls.known())

    def equations(self, *inputs: Any) -> Any:
        """Return what the function returns."""
        kind, names = type(self).__name__, self.operands()
        if not any(n.startswith("*") for n in names) and len(names) != len(inputs):
            count = "one input" if len(names) == 1 else f"{len(names)} inputs"
            raise DeclarationError(f"{kind} takes {count} ({', '.join(names)}), got {len(inputs)}")
        made = type(self).function(*inputs, **self.given)
        return tuple(made) if isinstance(made, Iterator | list) else made

    def parameters(self, *inputs: Any) -> Any:
        """Return the tensors of role "parameter" that the equations read, in the order of reading."""
        made = self.equations(*inputs)
        found: dict[str, Any] = {}
        for equation in made if isinstance(made, tuple) else (made,):
            for tensor in getattr(equation, "reads", ()):
                if tensor.role == "parameter":
                    found.setdefault(tensor.name, tensor)
        return tuple(found.values())


def layer(function: Callable[..., Any] | None = None, *, initial: Mapping[str, str] | None = None, outputs: tuple[str, ...] = ()) -> Any:
    """Make a layer of a plain function that returns equations.

    The function's positional arguments are the layer's inputs, as tensors whose first axis is the batch; its keyword arguments
    are options. Every tensor made with ``sbp.parameter`` is a parameter. The left side of the last equation is the output.

    Example::

        @sbp.layer
        def cosine(x, *, units):
            n, j = x.axes
            i = sbp.indices("i", units)
            W, a = sbp.parameter("W", i, j), sbp.tensor("a", n, i)
            return sbp.Equation(a[n, i], sbp.Sum(sympy.cos(W[i, j] * x[n, j]), j))

        net = sbp.Sequential([sbp.Input(64), cosine(units=32), sbp.Dense(10)], loss="softmax_cross_entropy")

    Args:
        function: it; or None, where the decorator is written with options.
        initial: initializers by the names of parameters, as ``{"c": "normal"}``; else those with W get glorot, gamma ones, others zeros.
        outputs: names of the left sides that are outputs, if there are several; calling the layer then returns a tuple of nodes.

    Returns:
        A subclass of `Layer`, named as the function is.

    Raises:
        DeclarationError: it is no function.
    """
    if function is None:
        return lambda given: layer(given, initial=initial, outputs=outputs)
    if not callable(function) or isinstance(function, type):
        raise DeclarationError(f"sbp.layer takes a function that returns equations, got {str(function)[:40]!r}")
    content = {
        "function": staticmethod(function),
        "initial": dict(initial or {}),
        "outputs": outputs,
        "__doc__": function.__doc__,
        "__module__": function.__module__,
    }
    return type(function.__name__, (FunctionLayer,), content)


__all__ = ["FunctionLayer", "layer"]
