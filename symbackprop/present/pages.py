"""Pages that a lecture puts between its derivations: why gradients vanish, why one walks against them. The numbers are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symbackprop.present.document.records import Block, Chart, Curve, Display, Line, Math, Paragraph, Section, Table, Text
from symbackprop.present.letters import tex_letter
from symbackprop.present.notation import Notation
from symbackprop.present.rounding import Rounding

PAGES = ("vanishing gradient", "negative gradient")


@dataclass(frozen=True)
class Slope:
    """The derivative of an activation in numbers.

    Attributes:
        activation: its name.
        at: where the derivative is largest.
        largest: the derivative there, exact.
        far: an argument in the flat part.
        there: the derivative at it.
    """

    activation: str
    at: Any
    largest: Any
    far: Any
    there: Any


@dataclass(frozen=True)
class Norms:
    """The lengths of the error terms of a network, layer by layer.

    Attributes:
        activation: of all hidden layers.
        values: from the first layer to the last.
    """

    activation: str
    values: tuple[float, ...]


def vanishing_gradient(slopes: Sequence[Slope], norms: Sequence[Norms], notation: Notation, rounding: Rounding) -> Section:
    """Return the page on vanishing gradients (flat activations make error terms shrink from layer to layer)."""
    error, layer = tex_letter(notation.error), tex_letter(notation.layer)
    first = slopes[0]
    depth = max(len(n.values) for n in norms)
    power = first.largest**depth
    letters = {"sigmoid": r"\sigma", "tanh": r"\tanh"}

    def written(s: Slope) -> str:
        return letters.get(s.activation, rf"\operatorname{{{s.activation.replace('_', '')}}}")

    lines = [Line(f"{written(s)}'(z) \\le {written(s)}'({rounding.latex(s.at)}) = {rounding.latex(s.largest)}") for s in slopes]
    lines += [Line(f"{written(s)}'({rounding.latex(s.far)}) {rounding.sign(s.there)} {rounding.latex(s.there)}") for s in slopes]
    product: Text = (
        "Going back one layer multiplies the error term by such a slope. After ",
        Math(str(depth)),
        f" layers the slopes of {first.activation} alone leave at most ",
        Math(f"({rounding.latex(first.largest)})^{{{depth}}} {rounding.sign(power)} {rounding.latex(power)}"),
        " of it. In the flat part next to nothing is left after a single layer, and the loss stops falling.",
    )
    head: tuple[Text, ...] = (("layer",), *((f"{n.activation}",) for n in norms))
    numbers = range(1, depth + 1)
    rows = tuple(((Math(str(k + notation.first)),), *((Math(rounding.latex(n.values[k - 1])),) for n in norms)) for k in reversed(numbers))
    caption: Text = (
        "The length of the error term, ",
        Math(rf"\lVert {error}^{{({layer})}} \rVert"),
        ", from the last layer back to the first",
    )
    roles = ("gradient", "value", "parameter", "local")
    curves = tuple(
        Curve(tuple(float(k + notation.first) for k in numbers), n.values, (n.activation,), role=roles[i % len(roles)])
        for i, n in enumerate(norms)
    )
    chart = Chart(
        "Error terms, layer by layer",
        curves,
        x_label=("layer",),
        y_label=(Math(rf"\lVert {error} \rVert"),),
        log_y=True,
        caption=("Where slopes are small, error terms shrink by a factor in every layer",),
    )
    return Section(
        "Vanishing gradients",
        (
            Paragraph(("The slope of a sigmoid is small everywhere, and almost zero in its flat parts:",)),
            Display(tuple(Line(line.latex, step=k) for k, line in enumerate(lines))),
            Paragraph(product),
            Table(head, rows, caption, "r" * len(head)),
            chart,
        ),
    )


def negative_gradient(
    expression: str, variable: str, rate: Any, way: Sequence[Mapping[str, Any]], chart: Chart | None, notation: Notation, rounding: Rounding
) -> Section:
    """Return the page on why one walks against the gradient, with a walk on a curve in numbers."""
    loss, eta = tex_letter(notation.loss), tex_letter(notation.rate)
    top = notation.transposed if len(notation.transposed) == 1 else f"{{{notation.transposed}}}"
    gradient = rf"\nabla_\theta {loss}(\theta)"
    unit = rf"\min_{{u, \; u^{top} u = 1}}"
    length = rf"\lVert {gradient} \rVert"
    lines = (
        Line(rf"{unit} u^{top} {gradient} = {unit} \lVert u \rVert \, {length} \cos \beta"),
        Line(rf"= \min_\beta {length} \cos \beta", rule="u has length 1", step=1),
        Line(rf"= -{length}", rule="the cosine is smallest, -1, at 180 degrees", step=2),
    )
    points = tuple(
        ((Math(str(k)),), (Math(rounding.latex(w[variable])),), (Math(rounding.latex(w["value"])),), (Math(rounding.latex(w["slope"])),))
        for k, w in enumerate(way)
    )
    blocks: list[Block] = [
        Paragraph(
            (
                "For a small step of length 1 in a direction ",
                Math("u"),
                " the loss changes by ",
                Math(rf"u^{top} {gradient}"),
                ". Which direction makes it fall fastest? With the angle ",
                Math(r"\beta"),
                " between the direction and the gradient,",
            )
        ),
        Display(lines),
        Paragraph(("So the direction is opposite to the gradient, unless the gradient is zero, and each step is",)),
        Display((Line(rf"\theta \leftarrow \theta - {eta} {gradient}"),)),
        Paragraph(
            ("On ", Math(rf"{loss}(\theta) = {expression}"), " with ", Math(rf"{eta} = {rounding.latex(rate)}"), " the first steps are:")
        ),
        Table(
            (("step",), (Math(r"\theta"),), (Math(rf"{loss}(\theta)"),), (Math(rf"{loss}'(\theta)"),)),
            points,
            align="rrrr",
        ),
    ]
    return Section("Why the negative gradient", (*blocks, *([chart] if chart is not None else [])))


__all__ = ["PAGES", "Norms", "Slope", "negative_gradient", "vanishing_gradient"]
