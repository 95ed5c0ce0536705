r"""Charts for TeX: a ``tikzpicture`` with a pgfplots ``axis``; it needs `PREAMBLE` and defines nothing outside itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from symbackprop.errors import DataError
from symbackprop.present.document.records import Chart, Curve, Field, Math, Strong, Text
from symbackprop.present.document.words import tex_words
from symbackprop.present.scene.contour import check_field, lines, regions
from symbackprop.present.scene.style import STYLES

#: What a document with charts needs in its preamble.
PREAMBLE: Final = (r"\usepackage{pgfplots}", r"\pgfplotsset{compat=1.18}")
#: The colours between which the bands of a field lie: low, middle, high.
_BANDS: Final = ("9FBCE8", "FFFFFF", "F4B37A")
_DASHES: Final = ("solid", "dashed", "dotted", "dash pattern=on 6pt off 2pt on 1pt off 2pt")
_MARKS: Final = ("*", "square*", "triangle*", "o")


@dataclass(frozen=True)
class Look:
    """How a curve is drawn, for every writer.

    Attributes:
        colour: six hexadecimal digits.
        width: of the line, in points.
        kind: how many lines of this role, or clouds of points, came before; dashes and marks differ by it, never the colour alone.
        dashed: whether it asks for a broken line.
    """

    colour: str
    width: float
    kind: int
    dashed: bool


def check_chart(chart: Chart) -> Chart:
    """Return a chart whose numbers fit together.

    Raises:
        DataError: coordinates of different number, a kind that is unknown, a field that does not fit.
    """
    for n, curve in enumerate(chart.curves, 1):
        if len(curve.x) != len(curve.y):
            raise DataError(f"chart {chart.title!r}: curve {n} has {len(curve.x)} coordinates in x and {len(curve.y)} in y")
        if curve.kind not in ("line", "points", "steps"):
            raise DataError(f"chart {chart.title!r}: curve {n} has kind {curve.kind!r}; known are line, points, steps")
        if curve.role not in STYLES:
            raise DataError(f"chart {chart.title!r}: curve {n} has role {curve.role!r}; known are {', '.join(STYLES)}")
    if chart.field is not None:
        check_field(chart.field)
    return chart


def looks(curves: Sequence[Curve]) -> tuple[Look, ...]:
    """Return how the curves of a chart are drawn."""
    met: dict[tuple[str, bool], int] = {}
    found = []
    for curve in curves:
        style = STYLES[curve.role]
        key = ("points", False) if curve.kind == "points" else (curve.role, curve.dashed)
        met[key] = met.get(key, 0) + 1
        found.append(Look(style.text, 0.6 if curve.role == "muted" else 1.2, met[key] - 1, curve.dashed))
    return tuple(found)


def bands(field: Field) -> tuple[str, ...]:
    """Return a colour for each band of a field, from below the first level to above the last."""
    count = len(field.levels)
    return tuple(_mixed(k / count if count else 0.5) for k in range(count + 1))


def level_labels(field: Field) -> tuple[tuple[float, float, str], ...]:
    """Return where each level of a field is named: on its longest line."""
    found = []
    for k, level in enumerate(field.levels):
        longest = max(lines(field, level), key=len, default=())
        if longest:
            # Each further along its line than the one before: names of neighbouring lines keep apart.
            share = 0.15 + 0.7 * ((0.5 + 0.382 * k) % 1.0)
            x, y = longest[int(share * (len(longest) - 1))]
            found.append((x, y, number(level)))
    return tuple(found)


def number(value: float) -> str:
    """Return a coordinate, short."""
    text = f"{value:.6g}"
    return "0" if text == "-0" else text


def pgfplots(chart: Chart) -> str:
    r"""Return a chart as a ``tikzpicture``.

    The words of its caption are left to the document around it.

    Raises:
        DataError: its numbers do not fit together.
    """
    check_chart(chart)
    options = [
        "width=8.4cm",
        "height=8.4cm" if chart.field is not None else "height=6cm",
        "axis lines=left" if chart.field is None else "axis on top",
        "grid=major" if chart.field is None else "enlargelimits=false",
        "grid style={line width=0.3pt, black!12}",
        r"tick label style={font=\footnotesize}",
        r"legend style={draw=none, fill=white, fill opacity=0.85, text opacity=1, font=\footnotesize, cells={anchor=west}}",
        "legend pos=outer north east",
        "unbounded coords=jump",
        "scaled ticks=false",
        "/pgf/number format/1000 sep={}",
        *(["enlarge y limits=0.06"] if chart.field is None else []),
        "max space between ticks=40",
    ]
    options += ["ymode=log"] if chart.log_y else []
    options += [f"title={{{tex_words(chart.title)}}}"] if chart.title and not chart.caption else []
    options += [f"xlabel={{{tex_inline(chart.x_label)}}}"] if chart.x_label else []
    options += [f"ylabel={{{tex_inline(chart.y_label)}}}"] if chart.y_label else []
    body: list[str] = []
    if chart.field is not None:
        options += [
            f"{axis}{end}={number(side[k])}"
            for axis, side in (("x", chart.field.x), ("y", chart.field.y))
            for end, k in (("min", 0), ("max", -1))
        ]
        body += _field(chart.field)
    for curve, look in zip(chart.curves, looks(chart.curves), strict=True):
        body += _curve(curve, look)
    inner = ",\n    ".join(options)
    return "\n".join(
        (
            r"\begin{tikzpicture}",
            r"  \pgfplotsset{compat=1.18}",
            rf"  \begin{{axis}}[{inner}]",
            *(f"    {b}" for b in body),
            r"  \end{axis}",
            r"\end{tikzpicture}",
            "",
        )
    )


def tex_inline(parts: Text) -> str:
    """Return words and formulas for TeX."""
    written = []
    for part in parts:
        if isinstance(part, str):
            written.append(tex_words(part))
        elif isinstance(part, Math):
            written.append(f"${part.latex}$")
        elif isinstance(part, Strong):
            written.append(rf"\textbf{{{tex_words(part.text)}}}")
        else:
            raise DataError(f"a label in a chart holds words and formulas, not a {type(part).__name__}")
    return "".join(written)


def _curve(curve: Curve, look: Look) -> list[str]:
    colour = f"{{rgb,255:red,{int(look.colour[:2], 16)};green,{int(look.colour[2:4], 16)};blue,{int(look.colour[4:], 16)}}}"
    if curve.kind == "points":
        how = [f"only marks, mark={_MARKS[look.kind % 4]}", "mark size=2.4pt"]
    else:
        how = ["no marks", f"line width={look.width}pt", _DASHES[(look.kind + look.dashed) % 4]]
        how += ["const plot"] if curve.kind == "steps" else []
    points = " ".join(f"({number(x)},{number(y)})" for x, y in zip(curve.x, curve.y, strict=True))
    shown = [f"\\addplot[color={colour}, {', '.join(how + ([] if curve.label else ['forget plot']))}] coordinates {{{points}}};"]
    return [*shown, rf"\addlegendentry{{{tex_inline(curve.label)}}}"] if curve.label else shown


def _field(field: Field) -> list[str]:
    colours = bands(field)
    corners = ((field.x[0], field.y[0]), (field.x[-1], field.y[0]), (field.x[-1], field.y[-1]), (field.x[0], field.y[-1]))
    body = [rf"\fill[{_fill(colours[0])}] {_loop(corners)};"]
    for level, colour in zip(field.levels, colours[1:], strict=True):
        loops = regions(field, level)
        if loops:
            body.append(rf"\fill[{_fill(colour)}, even odd rule] {' '.join(map(_loop, loops))};")
    for level in field.levels:
        for line in lines(field, level):
            body.append(rf"\draw[black!55, line width=0.5pt] {' -- '.join(map(_at, line))};")
    for x, y, text in level_labels(field):
        body.append(rf"\node[font=\scriptsize, fill=white, fill opacity=0.8, text opacity=1, inner sep=1pt] at {_at((x, y))} {{${text}$}};")
    return body


def _loop(points: Sequence[tuple[float, float]]) -> str:
    return f"{' -- '.join(map(_at, points))} -- cycle"


def _at(point: tuple[float, float]) -> str:
    return f"(axis cs:{number(point[0])},{number(point[1])})"


def _fill(colour: str) -> str:
    return f"fill={{rgb,255:red,{int(colour[:2], 16)};green,{int(colour[2:4], 16)};blue,{int(colour[4:], 16)}}}"


def _mixed(share: float) -> str:
    """The colour at a share of the way from low over the middle to high."""
    first, second, part = (_BANDS[0], _BANDS[1], 2 * share) if share <= 0.5 else (_BANDS[1], _BANDS[2], 2 * share - 1)
    parts = ((int(first[k : k + 2], 16), int(second[k : k + 2], 16)) for k in (0, 2, 4))
    return "".join(f"{round(a + part * (b - a)):02X}" for a, b in parts)


__all__ = ["PREAMBLE", "Look", "bands", "check_chart", "level_labels", "looks", "number", "pgfplots", "tex_inline"]
