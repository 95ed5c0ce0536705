"""The equations of a network as lines of text or as LaTeX."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from symbackprop.errors import DeclarationError

if TYPE_CHECKING:
    from symbackprop.public.derivation import Derivation, Derived


def shown(derivation: Derivation, of: Sequence[str] | None = None, form: str | None = None, steps: bool = False) -> Iterator[str]:
    """Yield the equations line by line: forward, error terms, gradients."""
    if of:
        for name in of:
            yield from _derived(chosen(derivation, name), form, steps)
        return
    yield "Forward"
    for equation in derivation.equations:
        yield f"  {text(equation)}"
    for title, results in (("Error terms", derivation.error_terms), ("Gradients", derivation.gradients)):
        yield ""
        yield title
        for result in results.values():
            yield from _derived(result, form, steps)


def latex_of(derivation: Derivation, of: Sequence[str] | None, form: str | None, notation: str, steps: bool) -> Iterator[str]:
    """Yield LaTeX: the whole derivation, or one formula for each name."""
    if of:
        for name in of:
            yield chosen(derivation, name).latex(form=form or "matrix", notation=notation)
    else:
        yield derivation.latex(notation=notation, form=form or "matrix", steps=steps)


def chosen(derivation: Derivation, name: str) -> Derived:
    """Return an error term or a gradient by name.

    Raises:
        DeclarationError: there is none; the message lists the names.
    """
    for results in (derivation.error_terms, derivation.gradients):
        if name in results:
            return results[name]
    known = ", ".join([*derivation.error_terms, *derivation.gradients])
    raise DeclarationError(f"--of {name}: there is no such error term or gradient; there are {known}")


def _derived(result: Derived, form: str | None, steps: bool) -> Iterator[str]:
    if form != "matrix" or result.matrix is None:
        yield f"  {text(result.index)}"
    if form != "index" and result.matrix is not None:
        yield f"    {text(result.matrix)}"
    if steps:
        for step in result.steps:
            yield f"      {step.rule}: {text(step.after)}"


def text(equation: object) -> str:
    """Return an equation as one line of Unicode."""
    return str(equation)
