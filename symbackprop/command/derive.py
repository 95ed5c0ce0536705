"""The equations of a network as lines of text or as LaTeX."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from symbackprop.derive.matrix import matrix_form
from symbackprop.errors import DeclarationError
from symbackprop.present.document.align import ruled
from symbackprop.present.latex import plain_equation
from symbackprop.present.sheet import says

if TYPE_CHECKING:
    from symbackprop.algebra.equation import Equation
    from symbackprop.public.derivation import Derivation, Derived

#: Longest index form that has its matrix form beside it, and the longest line of both.
_LEFT, _LINE = 64, 128


def shown(
    derivation: Derivation, of: Sequence[str] | None = None, form: str | None = None, notation: str = "ufldl", steps: str | None = None
) -> Iterator[str]:
    """Yield the equations line by line: forward, error terms from the output back, gradients; ``steps`` is a depth."""

    def written(equation: Equation, result: Derived | None = None) -> tuple[tuple[str, ...], tuple[str, ...]]:
        matrix = result.matrix if result is not None else matrix_form(equation, stepped=derivation.record.stepped)
        wanted = {"index": equation, "matrix": matrix or equation}
        forms = dict.fromkeys(plain_equation(e, derivation.naming, notation=notation) for key, e in wanted.items() if form in (None, key))
        way = result.steps_text(steps, notation, form or "matrix") if result is not None and steps else ()
        return tuple(f for f in forms if says(f)), way

    if of:
        yield from _columns([written(result.index, result) for result in (chosen(derivation, name) for name in of)])
        return
    yield "Forward"
    yield from _columns([written(equation) for equation in derivation.equations])
    yield ""
    yield "Error terms"
    yield from _columns([written(equation, result) for equation, result in _way_back(derivation)])
    yield ""
    yield "Gradients"
    yield from _columns([written(result.index, result) for result in derivation.gradients.values()])


def _way_back(derivation: Derivation) -> Iterator[tuple[Equation, Derived | None]]:
    """Yield the error terms from the output back, with the derivatives of other values that they or the gradients read."""
    results = {result.name: result for result in derivation.error_terms.values()}
    gradients = {result.name: result for result in derivation.gradients.values()}
    equations = {equation.tensor.name: equation for equation in derivation.system.equations}
    forward = {equation.tensor.name for equation in derivation.equations}
    needed, open_ = set(results), [*results, *gradients]
    while open_:
        name = open_.pop()
        equation = equations[name] if name not in results else results[name].index
        fresh = {t.name for t in equation.reads if t.name in equations and t.name not in forward} - needed - set(gradients)
        needed |= fresh
        open_ += sorted(fresh)
    for name, equation in equations.items():
        if name in needed:
            result = results.get(name)
            yield (equation if result is None else result.index), result


def _columns(entries: Sequence[tuple[tuple[str, ...], tuple[str, ...]]]) -> Iterator[str]:
    """Yield one line for each entry, its forms side by side where they fit, and its steps below it."""
    width = max((len(forms[0]) for forms, _ in entries if len(forms) > 1 and len(forms[0]) <= _LEFT), default=0)
    for forms, steps in entries:
        if len(forms) == 2 and len(forms[0]) <= width and width + 3 + len(forms[1]) <= _LINE:
            yield f"  {forms[0]:<{width}}   {forms[1]}"
        else:
            yield from (f"  {form}" for form in forms)
        yield from (f"      {step}" for step in steps)


def latex_of(derivation: Derivation, of: Sequence[str] | None, form: str | None, notation: str, steps: str | None) -> Iterator[str]:
    """Yield LaTeX: the whole derivation, or one formula for each name; with steps, rows of an alignment."""
    if of and steps:
        for name in of:
            yield from ruled(chosen(derivation, name).lines(steps, notation, form or "matrix"))
    elif of:
        for name in of:
            yield chosen(derivation, name).latex(form=form or "matrix", notation=notation)
    else:
        yield derivation.latex(notation=notation, form=form or "matrix", steps=steps or False)


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
