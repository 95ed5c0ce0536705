"""A document as plain data: sections of paragraphs, formulas, tables, pictures. Writers decide how it looks, not what it says.

Strings are plain text everywhere and escaped by every writer; only `Math` holds LaTeX, and only of the subset that TeX and KaTeX
both take.
"""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.present.document.subset import check_latex
from symbackprop.present.scene.records import Scene


@dataclass(frozen=True)
class Math:
    """A formula inside text, in LaTeX without dollars.

    Raises:
        DeclarationError: it uses something outside the known subset.
    """

    latex: str

    def __post_init__(self) -> None:
        check_latex(self.latex)


@dataclass(frozen=True)
class Strong:
    """Emphasised words."""

    text: str


@dataclass(frozen=True)
class Link:
    """Words that lead to a web address (https only)."""

    text: str
    url: str


@dataclass(frozen=True)
class Footnote:
    """A note at the foot of the page."""

    parts: tuple[Inline, ...]


@dataclass(frozen=True)
class Cite:
    """A reference to a `Source` by its key."""

    key: str


Inline = str | Math | Strong | Link | Footnote | Cite
#: A cell of a table, a caption: words and formulas.
Text = tuple[Inline, ...]


@dataclass(frozen=True)
class Paragraph:
    """Words and formulas.

    Attributes:
        parts: in order.
        step: the overlay on which it appears, in a talk.
    """

    parts: Text
    step: int = 0


@dataclass(frozen=True)
class Line:
    r"""One row of displayed formulas.

    Attributes:
        latex: ``left = right``, aligned at its first `` = `` unless it has an ``&``; a continuation begins with ``= ``.
        rule: the name of the rule that gave it, in plain words; empty for a result.
        step: the overlay on which it appears, counted within its display.
        note: a footnote to it.
        blank: its right side is to be found by the reader (homework).
    """

    latex: str
    rule: str = ""
    step: int = 0
    note: Footnote | None = None
    blank: bool = False

    def __post_init__(self) -> None:
        check_latex(self.latex)


@dataclass(frozen=True)
class Display:
    """Formulas below each other, aligned at their relation signs."""

    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        head: the column titles.
        rows: of cells.
        caption: above it.
        align: one of l, c, r a column; empty means all l.
    """

    head: tuple[Text, ...]
    rows: tuple[tuple[Text, ...], ...]
    caption: Text = ()
    align: str = ""


@dataclass(frozen=True)
class Figure:
    """A picture; in a talk its frames follow each other."""

    scene: Scene
    caption: Text = ()


@dataclass(frozen=True)
class Curve:
    """A line or a cloud of points in a chart.

    Attributes:
        x: coordinates.
        y: coordinates; NaN breaks the line.
        label: in the legend.
        kind: "line", "points" or "steps".
        role: one of `scene.records.ROLES`.
        dashed: a broken line.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    label: Text = ()
    kind: str = "line"
    role: str = "plain"
    dashed: bool = False


@dataclass(frozen=True)
class Field:
    """Values on a grid, drawn as filled contours: a decision plane, a loss landscape.

    Attributes:
        x: grid coordinates.
        y: grid coordinates.
        values: a row for each y.
        levels: between colours; a line is drawn at each.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    values: tuple[tuple[float, ...], ...]
    levels: tuple[float, ...]


@dataclass(frozen=True)
class Chart:
    """A plot of data, drawn by pgfplots in TeX and by matplotlib elsewhere.

    Attributes:
        title: plain text.
        curves: over each other.
        field: below them.
        x_label: of the axis.
        y_label: of the axis.
        log_y: a logarithmic axis.
        caption: below it.
    """

    title: str
    curves: tuple[Curve, ...] = ()
    field: Field | None = None
    x_label: Text = ()
    y_label: Text = ()
    log_y: bool = False
    caption: Text = ()


@dataclass(frozen=True)
class Listing:
    """Source text.

    Attributes:
        code: as it is.
        language: "python", "text", ...
        caption: above it.
    """

    code: str
    language: str = "python"
    caption: Text = ()


@dataclass(frozen=True)
class Algorithm:
    """Pseudocode.

    Attributes:
        title: plain text.
        lines: (depth of indentation, what is done).
    """

    title: str
    lines: tuple[tuple[int, Text], ...]


@dataclass(frozen=True)
class Enumeration:
    """A list of items."""

    items: tuple[Text, ...]
    ordered: bool = False


Block = Paragraph | Display | Table | Figure | Chart | Listing | Algorithm | Enumeration


@dataclass(frozen=True)
class Section:
    """A titled part; a talk makes frames of it.

    Attributes:
        title: plain text.
        blocks: in order.
    """

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Source:
    """An entry of the bibliography.

    Attributes:
        key: for `Cite`.
        author: plain text.
        title: plain text.
        where: publisher, journal or site, plain text.
        year: or "" if it has none.
        url: https only, or "".
    """

    key: str
    author: str
    title: str
    where: str = ""
    year: str = ""
    url: str = ""


@dataclass(frozen=True)
class Document:
    """What a set of notes says.

    Attributes:
        title: plain text.
        sections: in order.
        author: plain text.
        subtitle: plain text.
        sources: the bibliography.
        language: of the words, as in HTML.
    """

    title: str
    sections: tuple[Section, ...]
    author: str = ""
    subtitle: str = ""
    sources: tuple[Source, ...] = ()
    language: str = "en"


__all__ = [
    "Algorithm",
    "Block",
    "Chart",
    "Cite",
    "Curve",
    "Display",
    "Document",
    "Enumeration",
    "Field",
    "Figure",
    "Footnote",
    "Inline",
    "Line",
    "Link",
    "Listing",
    "Math",
    "Paragraph",
    "Section",
    "Source",
    "Strong",
    "Table",
    "Text",
]
