"""Equations in LaTeX (the subset that KaTeX also takes) and in plain Unicode, in any notation and layout."""

from __future__ import annotations

from dataclasses import replace

from symbackprop.algebra.equation import Equation
from symbackprop.algebra.matrix import MatrixEquation
from symbackprop.present import notation as notations
from symbackprop.present.index import index_equation
from symbackprop.present.matrix import laid_out, matrix_equation
from symbackprop.present.naming import Naming
from symbackprop.present.notation import Notation
from symbackprop.present.symbols import Symbols
from symbackprop.present.writer import Latex, Unicode, Writer


def latex_equation(
    equation: Equation | MatrixEquation,
    naming: Naming | None = None,
    *,
    notation: str | Notation = "ufldl",
    layout: str = "gradient",
    shapes: bool = False,
) -> str:
    """Return an equation as a LaTeX formula, without delimiters.

    Args:
        equation: in index form or in matrix form.
        naming: what its tensors are called; without it they go by their own names.
        notation: a preset's name or a record.
        layout: "gradient", "numerator" or "denominator", for matrix forms.
        shapes: write the shape under each factor of a matrix form.

    Raises:
        DeclarationError: there is no such notation or layout.
    """
    return _written(equation, naming, notation, layout, shapes, Latex())


def plain_equation(
    equation: Equation | MatrixEquation,
    naming: Naming | None = None,
    *,
    notation: str | Notation = "ufldl",
    layout: str = "gradient",
    shapes: bool = False,
) -> str:
    """Return an equation as one line of Unicode text; the arguments are those of `latex_equation`."""
    return _written(equation, naming, notation, layout, shapes, Unicode())


def _written(
    equation: Equation | MatrixEquation, naming: Naming | None, given: str | Notation, wanted: str, shapes: bool, writer: Writer
) -> str:
    record = notations.notation(given)
    order = notations.layout(wanted)
    if order != "gradient" and record.gradient == "nabla":
        # ∇ is the gradient by definition; a layout is a way to arrange ∂L/∂W.
        record = replace(record, gradient="partial")
    symbols = Symbols(record, naming or Naming(), writer)
    if isinstance(equation, Equation):
        return index_equation(equation, symbols)
    return matrix_equation(laid_out(equation, order), symbols, shapes=shapes)


__all__ = ["latex_equation", "plain_equation"]
