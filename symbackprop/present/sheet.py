"""The formulas of a derivation, in order: forward, error terms, gradients, each on a line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from symbackprop.algebra.equation import Equation
from symbackprop.algebra.matrix import MatrixEquation
from symbackprop.algebra.operators import OperatorEquation
from symbackprop.algebra.times import TimeForm
from symbackprop.present.document.records import Display, Line, Section
from symbackprop.present.latex import Form, latex_lines, latex_mean, plain_lines
from symbackprop.present.naming import Naming
from symbackprop.present.notation import Notation

FORMS = ("matrix", "index", "operator")


@dataclass(frozen=True)
class Entry:
    """One result: an equation in index form, and with whole arrays where it has such a form."""

    index: Equation
    matrix: MatrixEquation | OperatorEquation | TimeForm | None = None

    def shown(self, form: str) -> Form:
        """Return the wanted form, or the index form where there is none."""
        wanted = self.matrix is not None and (form == "matrix" or (form == "operator" and isinstance(self.matrix, OperatorEquation)))
        return self.matrix if wanted and self.matrix is not None else self.index


@dataclass(frozen=True)
class Sheet:
    """Titled groups of results with the names of their tensors.

    Attributes:
        groups: (title, entries).
        naming: what the tensors are called.
        closing: names of the tensors whose gradients the closing lines average over the samples ("loss" for the loss itself).
        mean: whether the loss is the mean over the samples (True) or their sum.
    """

    groups: tuple[tuple[str, tuple[Entry, ...]], ...]
    naming: Naming
    closing: tuple[str, ...] = ()
    mean: bool = True

    def sections(
        self,
        *,
        notation: str | Notation = "ufldl",
        form: str = "matrix",
        layout: str = "gradient",
        shapes: bool = False,
    ) -> tuple[Section, ...]:
        """Return the sheet's formulas as sections of LaTeX."""
        made = []
        for title, entries in self.groups:
            shown = [latex_lines(e.shown(form), self.naming, notation=notation, layout=layout, shapes=shapes) for e in entries]
            formulas = [line for lines in shown for line in lines]
            made.append(Section(title, (_display(tuple(f for f in formulas if says(f))),)))
        if self.closing:
            made.append(Section("All samples", (_display(tuple(self.averages(notation=notation))),)))
        return tuple(made)

    def formulas(
        self,
        *,
        notation: str | Notation = "ufldl",
        form: str = "matrix",
        layout: str = "gradient",
        shapes: bool = False,
    ) -> tuple[str, ...]:
        """Return every formula in LaTeX, in order."""
        sections = self.sections(notation=notation, form=form, layout=layout, shapes=shapes)
        return tuple(line.latex for s in sections for b in s.blocks if isinstance(b, Display) for line in b.lines)

    def text(self, *, notation: str | Notation = "ufldl", form: str | None = None) -> tuple[str, ...]:
        """Return the sheet as lines of Unicode; ``form`` None gives both forms of every result."""
        lines: list[str] = []
        for title, entries in self.groups:
            lines += ([""] if lines else []) + [title]
            for e in entries:
                wanted = [e.index] if form == "index" or e.matrix is None else [e.matrix] if form == "matrix" else [e.index, e.matrix]
                shown = dict.fromkeys(line for w in wanted for line in plain_lines(w, self.naming, notation=notation))
                lines += [f"  {line}" for line in shown if says(line)]
        return tuple(lines)

    def averages(self, *, notation: str | Notation = "ufldl") -> Iterable[str]:
        """Yield the closing lines: over all samples, the loss or a gradient is the mean of those of one sample."""
        for gradient in self.closing:
            yield latex_mean(notation, mean=self.mean, of=self.naming.of(gradient).of)


def _display(formulas: tuple[str, ...]) -> Display:
    return Display(tuple(Line(f) for f in formulas))


def says(formula: str) -> bool:
    """Whether a formula says more than that something equals itself."""
    left, _, right = formula.partition(" = ")
    return left != right


__all__ = ["FORMS", "Entry", "Sheet", "says"]
