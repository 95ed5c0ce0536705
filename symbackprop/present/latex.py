"""Equations in LaTeX (the subset that KaTeX also takes) and in plain Unicode, in any notation and layout."""

from __future__ import annotations

from dataclasses import replace

from symbackprop.algebra.equation import Equation
from symbackprop.algebra.matrix import MatrixEquation
from symbackprop.present import notation as notations
from symbackprop.present.index import index_equation
from symbackprop.present.matrix import laid_out, matrix_equation
from symbackprop.present.naming import Name, Naming
from symbackprop.present.notation import Notation
from symbackprop.present.symbols import Symbols
from symbackprop.present.writer import Latex, Piece, Unicode, Writer


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


def latex_mean(notation: str | Notation = "ufldl", *, mean: bool = True, of: Name | None = None) -> str:
    r"""Return the line that closes a derivation for one sample: the loss, or a gradient, over all samples.

    L(\theta) = \frac{1}{M} \sum_{n=1}^M L(\theta; x_n, y_n)

    Args:
        notation: a preset's name or a record.
        mean: whether it is the mean over the samples, or their sum.
        of: the gradient with respect to what; None for the loss itself.
    """
    return _mean(notation, mean, of, Latex())


def plain_mean(notation: str | Notation = "ufldl", *, mean: bool = True, of: Name | None = None) -> str:
    """Return the closing line as Unicode text; the arguments are those of `latex_mean`."""
    return _mean(notation, mean, of, Unicode())


def _mean(given: str | Notation, mean: bool, of: Name | None, writer: Writer) -> str:
    record = notations.notation(given)
    symbols = Symbols(record, Naming(), writer)
    samples = writer.letter(record.samples)
    loss, theta, x, y = (writer.letter(letter) for letter in (record.loss, r"\theta", record.input, record.target))
    whole, one = f"{loss}({theta})", f"{loss}({theta}; {writer.marked(x, 'n', '')}, {writer.marked(y, 'n', '')})"
    if of is not None:
        whole, one = (symbols.derivative(of, loss=text).text for text in (whole, one))
    total = writer.reduction("sum", [("n", "1", samples)], one)
    return f"{whole} = {writer.fraction(Piece('1'), Piece(samples)).text} {total}" if mean else f"{whole} = {total}"


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


__all__ = ["latex_equation", "latex_mean", "plain_equation", "plain_mean"]
