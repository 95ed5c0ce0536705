"""Equations in LaTeX (the subset that KaTeX also takes) and in plain Unicode, in any notation and layout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from symbackprop.algebra.equation import Equation
from symbackprop.algebra.matrix import MatrixEquation
from symbackprop.algebra.operators import OperatorEquation
from symbackprop.algebra.times import TimeForm
from symbackprop.present import notation as notations
from symbackprop.present.convention import arranged
from symbackprop.present.index import index_equation
from symbackprop.present.matrix import laid_out, matrix_equation
from symbackprop.present.naming import Name, Naming
from symbackprop.present.notation import Notation
from symbackprop.present.operators import operator_equation
from symbackprop.present.symbols import Symbols
from symbackprop.present.times import time_lines
from symbackprop.present.writer import Latex, Piece, Unicode, Writer

#: What stands between the lines of an equation that has several, where it is written on one line.
SEPARATOR: Mapping[type, str] = {Latex: r", \qquad ", Unicode: ";  "}
#: The forms that an equation has.
Form = Equation | MatrixEquation | OperatorEquation | TimeForm


def latex_equation(
    equation: Form,
    naming: Naming | None = None,
    *,
    notation: str | Notation = "ufldl",
    layout: str = "gradient",
    shapes: bool = False,
    digits: bool = True,
) -> str:
    """Return an equation as a LaTeX formula, without delimiters.

    Args:
        equation: in index form, in matrix form or in operator form.
        naming: what its tensors are called; without it they go by their own names.
        notation: a preset's name or a record.
        layout: "gradient", "numerator" or "denominator", for matrix forms.
        shapes: write the shape under each factor of a matrix form.
        digits: in index form, write a[6 c + 2 h + w] = x[c, h, w] rather than a[k] = x[⌊k/6⌋, ...].

    Raises:
        DeclarationError: there is no such notation or layout.
    """
    return _written(equation, naming, notation, layout, shapes, Latex(), digits)


def plain_equation(
    equation: Form,
    naming: Naming | None = None,
    *,
    notation: str | Notation = "ufldl",
    layout: str = "gradient",
    shapes: bool = False,
    digits: bool = True,
) -> str:
    """Return an equation as one line of Unicode text; the arguments are those of `latex_equation`."""
    return _written(equation, naming, notation, layout, shapes, Unicode(), digits)


def latex_lines(
    equation: Form,
    naming: Naming | None = None,
    *,
    notation: str | Notation = "ufldl",
    layout: str = "gradient",
    shapes: bool = False,
) -> tuple[str, ...]:
    """Return the lines of an equation, of which one of a recurrence may have several; the arguments are those of `latex_equation`."""
    if not isinstance(equation, TimeForm):
        return (latex_equation(equation, naming, notation=notation, layout=layout, shapes=shapes),)
    return _moments(equation, naming or Naming(), notations.notation(notation), layout, shapes, Latex())


def plain_lines(
    equation: Form, naming: Naming | None = None, *, notation: str | Notation = "ufldl", layout: str = "gradient", shapes: bool = False
) -> tuple[str, ...]:
    """Return the same as lines of Unicode text."""
    if not isinstance(equation, TimeForm):
        return (plain_equation(equation, naming, notation=notation, layout=layout, shapes=shapes),)
    return _moments(equation, naming or Naming(), notations.notation(notation), layout, shapes, Unicode())


def _moments(form: TimeForm, naming: Naming, record: Notation, layout: str, shapes: bool, writer: Writer) -> tuple[str, ...]:
    def written(equation: MatrixEquation | Equation, inner: Naming) -> str:
        return _written(equation, inner, record, layout, shapes, writer)

    return time_lines(form, naming, written, lambda inner: Symbols(record, inner, writer))


def latex_mean(notation: str | Notation = "ufldl", *, mean: bool | None = None, of: Name | None = None) -> str:
    r"""Return the line that closes a derivation for one sample: the loss, or a gradient, over all samples.

    L(\theta) = \frac{1}{M} \sum_{i=1}^M L(\theta; x^{(i)}, y^{(i)}), or E = \sum_{n=1}^N E_n where samples have a loss with an index

    Args:
        notation: a preset's name or a record.
        mean: whether it is the mean over the samples, or their sum; None takes what the notation writes.
        of: the gradient with respect to what; None for the loss itself.
    """
    record, writer = notations.notation(notation), Latex()
    symbols = Symbols(record, Naming(), writer)
    samples = writer.letter(record.samples)
    loss = writer.letter(record.loss)
    whole = loss if record.one_loss == "indexed" else f"{loss}({writer.letter(chr(92) + 'theta')})"
    one = _sample(record, writer)
    if of is not None:
        whole, one = (symbols.derivative(of, loss=text).text for text in (whole, one))
    # Where samples go by the letter of the input, the sum ranges over them, not over numbers.
    total = writer.reduction("sum", [(record.sample, "1", "" if record.sample == record.input else samples)], one)
    averaged = record.average == "mean" if mean is None else mean
    return f"{whole} = {writer.fraction(Piece('1'), Piece(samples)).text} {total}" if averaged else f"{whole} = {total}"


def _sample(record: Notation, writer: Writer) -> str:
    symbols = Symbols(record, Naming(), writer)
    if record.one_loss == "indexed":
        return symbols.name(Name("one_loss")).text
    loss = writer.letter(record.loss if record.one_loss == "total" else record.sample_loss)
    x, y = (symbols.name(Name(role), sample=record.sample).text for role in ("input", "target"))
    return f"{loss}({writer.letter(chr(92) + 'theta')}; {x}, {y})"


def _written(
    equation: Form, naming: Naming | None, given: str | Notation, wanted: str, shapes: bool, writer: Writer, digits: bool = True
) -> str:
    record = notations.notation(given)
    order = notations.layout(wanted)
    if order != "gradient" and record.gradient == "nabla":
        # ∇ is the gradient by definition; a layout is a way to arrange ∂L/∂W.
        record = replace(record, gradient="partial")
    symbols = Symbols(record, naming or Naming(), writer)
    if isinstance(equation, TimeForm):
        return SEPARATOR[type(writer)].join(_moments(equation, symbols.naming, record, order, shapes, writer))
    if isinstance(equation, OperatorEquation):
        return operator_equation(equation, symbols)
    shown = arranged(equation, symbols.naming, record)
    if isinstance(shown, Equation):
        return index_equation(shown, symbols, digits=digits)
    return matrix_equation(laid_out(shown, order, symbols.naming), symbols, shapes=shapes)


__all__ = ["Form", "latex_equation", "latex_lines", "latex_mean", "plain_equation", "plain_lines"]
