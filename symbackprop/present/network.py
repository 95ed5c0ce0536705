"""The formulas of a network's derivation, in the order in which a lecturer shows them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symbackprop.algebra.equation import Equation
from symbackprop.algebra.matrix import MatrixEquation
from symbackprop.algebra.operators import OperatorEquation
from symbackprop.algebra.times import TimeForm
from symbackprop.derive.records import Derivation
from symbackprop.present.document.records import Document
from symbackprop.present.document.tex import tex
from symbackprop.present.naming import Naming, network_naming
from symbackprop.present.notation import Notation
from symbackprop.present.sheet import Entry, Sheet

#: How an equation gets its form with whole arrays: matrices or operators; finding it is the work of another stage.
MatrixForm = Callable[[Equation], MatrixEquation | OperatorEquation | TimeForm | None]


@dataclass(frozen=True)
class TextFile:
    """A written text.

    Attributes:
        path: relative to the output folder.
        text: its content.
    """

    path: str
    text: str


def sample_sheet(derivation: Derivation, matrix_form: MatrixForm, *, mean: bool = True) -> Sheet:
    """Return the formulas for one sample: forward, error terms from the output back, gradients, and the mean over all samples.

    A derivation for a batch, where a layer mixes its samples, is shown as it is: the mean is a part of its loss.
    """
    naming = _naming(derivation)
    backward = _backward(derivation)
    mixed = derivation.model is not None and derivation.model.per == "batch"
    groups = (
        ("Forward, a batch" if mixed else "Forward, one sample", _entries(derivation.forward_system.equations, matrix_form)),
        ("Error terms", _entries(tuple(e for e in backward if not _is_result(e, derivation)), matrix_form)),
        ("Gradients", _entries(tuple(_results(derivation)), matrix_form)),
    )
    return Sheet(groups, naming, closing=() if mixed else (derivation.loss,), mean=mean)


def batch_sheet(derivation: Derivation, matrix_form: MatrixForm) -> Sheet:
    """Return the formulas for a whole batch, one sample a row: the loss with its penalties, error terms and gradients."""
    losses = tuple(e for e in derivation.forward_system.equations if e.tensor.rank == 0)
    backward = tuple(e for e in _backward(derivation) if not _is_result(e, derivation))
    both = (*losses, *backward, *_results(derivation))
    return Sheet((("A batch, one sample a row", _entries(both, matrix_form)),), _naming(derivation))


def network_fragment(
    one: Derivation, batch: Derivation, matrix_form: MatrixForm, *, mean: bool = True, notation: str | Notation = "ufldl"
) -> tuple[TextFile, ...]:
    """Return the LaTeX fragment of a network.

    Args:
        one: the derivation for one sample; the one for a batch again where samples mix.
        batch: the derivation for a batch.
        matrix_form: how an equation gets its matrix form.
        mean: whether the loss is the mean over the samples, or their sum.
        notation: a preset's name or a record.
    """
    assert batch.model is not None
    name = batch.model.name
    sections = (
        *sample_sheet(one, matrix_form, mean=mean).sections(notation=notation),
        *(batch_sheet(batch, matrix_form).sections(notation=notation) if one is not batch else ()),
    )
    return (TextFile(f"{name}/{name}_latex.tex", tex(Document(name, sections), "fragment")),)


def _naming(derivation: Derivation) -> Naming:
    return network_naming(derivation.model) if derivation.model is not None else Naming(loss=Naming().of(derivation.loss))


def _backward(derivation: Derivation) -> tuple[Equation, ...]:
    """The cotangent equations that say something: not that the loss changes with itself by 1."""
    count = len(derivation.forward_system.equations)
    return tuple(e for e in derivation.system.equations[count:] if e.rhs != 1)


def _is_result(equation: Equation, derivation: Derivation) -> bool:
    return equation.tensor.name in {derivation.cotangents[name] for name in derivation.wrt}


def _results(derivation: Derivation) -> list[Equation]:
    return [derivation.equation(derivation.cotangents[name]) for name in derivation.wrt]


def _entries(equations: tuple[Equation, ...], matrix_form: MatrixForm) -> tuple[Entry, ...]:
    return tuple(Entry(e, matrix_form(e)) for e in equations)


__all__ = ["MatrixForm", "TextFile", "batch_sheet", "network_fragment", "sample_sheet"]
