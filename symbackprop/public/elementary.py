"""The derivative of a function of one variable, step by step: the exercise "derive σ′" with its solution."""

from __future__ import annotations

from typing import Any

import sympy

from symbackprop.declare.activations import ACTIVATIONS, ActivationSpec
from symbackprop.declare.layers import Activation
from symbackprop.derive.elementary import derive_elementary
from symbackprop.derive.records import Elementary
from symbackprop.errors import DerivationError
from symbackprop.present.display import displayed_lines
from symbackprop.present.document.records import Line
from symbackprop.present.steps import elementary_lines, elementary_text

#: How a function of the table is called where it has a letter of its own.
_LETTERS = {"sigmoid": r"\sigma"}


class DerivativeSteps:
    """How f′ is derived.

    Attributes:
        record: the plain data.
    """

    def __init__(self, record: Elementary) -> None:
        self.record = record

    @property
    def through(self) -> Any:
        """f′ as a SymPy polynomial in the symbol f, or None where it is none."""
        if self.record.through is None:
            return None
        return self.record.through.xreplace({self.record.function: sympy.Symbol("f", real=True)})

    def lines(self, depth: str = "lecture") -> tuple[Line, ...]:
        """Return the derivation line by line, each with its rule; ``depth`` is "result", "lecture" or "rewrite"."""
        return elementary_lines(self.record, depth=depth)

    def latex(self, depth: str = "lecture") -> str:
        """Return the lines as LaTeX, one a row."""
        return "\n".join(line.latex for line in self.lines(depth))

    def text(self, depth: str = "lecture") -> str:
        """Return the lines as Unicode text, with the rules beside them."""
        return "\n".join(elementary_text(self.record, depth=depth))

    def __str__(self) -> str:
        return self.text()

    def _repr_latex_(self) -> str:
        return displayed_lines(tuple(line.latex for line in self.lines()))


def derivative_steps(function: Any, letter: str | None = None) -> DerivativeSteps:
    r"""Derive f′ step by step, and through f itself where that goes: σ′ = (1 − σ) σ, tanh′ = 1 − tanh².

    Args:
        function: the name of an activation of the table, an `Activation`, or a SymPy expression in one symbol.
        letter: how the function is called: a letter or a macro such as ``\sigma``.

    Raises:
        DerivationError: it is no function of one number, or has no derivative in closed form.
    """
    spec = function.function if isinstance(function, Activation) else ActivationSpec(function) if isinstance(function, str) else None
    if spec is None:
        symbols = sorted(function.free_symbols, key=str) if isinstance(function, sympy.Expr) else []
        if len(symbols) != 1:
            raise DerivationError(f"a derivative is taken of an expression in one symbol or of an activation, got {str(function)[:60]}")
        x = sympy.Symbol(symbols[0].name, real=True)
        return DerivativeSteps(derive_elementary(function.xreplace({symbols[0]: x}), x, letter or "f"))
    if spec.unspecified:
        raise DerivationError(f"{spec.name!r} is no activation with an expression; known: {', '.join(ACTIVATIONS)}")
    if spec.over_axis:
        raise DerivationError(f"{spec.name} is no function of one number: its entries depend on each other, see jacobian()")
    x = sympy.Symbol("x", real=True)
    own = _LETTERS.get(spec.name, "f") if spec.own is None else "f"
    return DerivativeSteps(derive_elementary(spec.apply(x), x, letter or own))


__all__ = ["DerivativeSteps", "derivative_steps"]
