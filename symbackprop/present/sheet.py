"""The formulas of a derivation, in order: forward, error terms, gradients, each on a line, with their steps if wanted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from symbackprop.algebra.equation import Equation
from symbackprop.algebra.matrix import MatrixEquation
from symbackprop.present.document.records import Display, Line, Section
from symbackprop.present.latex import latex_equation, latex_mean, plain_equation
from symbackprop.present.letters import tex_text
from symbackprop.present.naming import Naming
from symbackprop.present.notation import Notation

FORMS = ("matrix", "index")


class StepRecord(Protocol):
    """What a step of a derivation holds."""

    @property
    def rule(self) -> str: ...
    @property
    def before(self) -> Equation: ...
    @property
    def after(self) -> Equation: ...


@dataclass(frozen=True)
class Entry:
    """One result: an equation in both forms and the way to it."""

    index: Equation
    matrix: MatrixEquation | None = None
    steps: tuple[StepRecord, ...] = ()

    def shown(self, form: str) -> Equation | MatrixEquation:
        """Return the wanted form, or the index form where there is no matrix form."""
        return self.matrix if form == "matrix" and self.matrix is not None else self.index


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
        steps: bool = False,
    ) -> tuple[Section, ...]:
        """Return the sheet's formulas as sections of LaTeX."""
        made = []
        for title, entries in self.groups:
            formulas = [latex_equation(e.shown(form), self.naming, notation=notation, layout=layout, shapes=shapes) for e in entries]
            if steps:
                pairs = [(e, f) for e, f in zip(entries, formulas, strict=True) if says(f)]
                blocks = [_display((*step_lines(e.steps, self.naming, notation=notation), f)) for e, f in pairs]
            else:
                blocks = [_display(tuple(f for f in formulas if says(f)))]
            made.append(Section(title, tuple(blocks)))
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
        steps: bool = False,
    ) -> tuple[str, ...]:
        """Return every formula in LaTeX, in order."""
        sections = self.sections(notation=notation, form=form, layout=layout, shapes=shapes, steps=steps)
        return tuple(line.latex for s in sections for b in s.blocks if isinstance(b, Display) for line in b.lines)

    def text(self, *, notation: str | Notation = "ufldl", form: str | None = None) -> tuple[str, ...]:
        """Return the sheet as lines of Unicode; ``form`` None gives both forms of every result."""
        lines: list[str] = []
        for title, entries in self.groups:
            lines += ([""] if lines else []) + [title]
            for e in entries:
                wanted = [e.index] if form == "index" or e.matrix is None else [e.matrix] if form == "matrix" else [e.index, e.matrix]
                shown = dict.fromkeys(plain_equation(w, self.naming, notation=notation) for w in wanted)  # type: ignore[arg-type]
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


def step_lines(steps: Sequence[StepRecord], naming: Naming | None = None, *, notation: str | Notation = "ufldl") -> tuple[str, ...]:
    r"""Return a derivation's steps as rows of an alignment: a chain of equations, each with the name of its rule.

    A row is ``lhs &= rhs && \text{rule}``; the left side is not repeated while it stays the same.
    """
    rows: list[str] = []
    previous: str | None = None
    for step in steps:
        before, after = (latex_equation(e, naming, notation=notation) for e in (step.before, step.after))
        if before != previous and before.partition(" = ")[0] == after.partition(" = ")[0]:
            rows.append(before.replace(" = ", " &= ", 1))
            previous = before
        if after == previous:
            continue
        left, _, right = after.partition(" = ")
        repeated = previous is not None and previous.partition(" = ")[0] == left
        rows.append(rf"{'' if repeated else left + ' '}&= {right} && \text{{{tex_text(step.rule)}}}")
        previous = after
    return tuple(rows)


__all__ = ["FORMS", "Entry", "Sheet", "StepRecord", "says", "step_lines"]
