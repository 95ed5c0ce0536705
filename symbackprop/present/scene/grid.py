"""Grids of numbers: an image, its mask, what a convolution makes of it, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from symbackprop.errors import DeclarationError
from symbackprop.present.scene.boxes import extent
from symbackprop.present.scene.records import ROLES, Label, Node, Scene, Words

_CELL = 0.55
_GAP = 0.9


@dataclass(frozen=True)
class Grid:
    """A table of numbers.

    Attributes:
        id: unique in its picture; letters.
        title: above it.
        values: its rows.
        region: (first row, first column, rows, columns) of a part that stands out, counted from 0.
        role: of that part, one of `records.ROLES`.
        step: the frame on which it appears.
    """

    id: str
    title: Label
    values: tuple[tuple[float, ...], ...]
    region: tuple[int, int, int, int] | None = None
    role: str = "highlight"
    step: int = 0

    def __post_init__(self) -> None:
        if not self.values or not self.values[0] or len({len(row) for row in self.values}) > 1:
            raise DeclarationError(f"grid {self.id}: give at least one row, all of one length")
        if self.role not in ROLES:
            raise DeclarationError(f"grid {self.id}: role must be one of {', '.join(ROLES)}, got {self.role!r}")


def written(number: float) -> str:
    """Return a number as it stands in a cell: whole numbers whole, others to three digits."""
    value = float(number)
    text = str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.3g}"
    return "0" if text == "-0" else text


def grids_scene(title: str, lines: Sequence[Sequence[Grid]], formula: Label | None = None, step: int = 0) -> Scene:
    """Return grids as one picture.

    Args:
        title: of the picture, plain text.
        lines: grids side by side, line below line; those of a line are centred on one height.
        formula: written below all of them.
        step: the frame on which it appears.
    """
    texts = [written(v) for line in lines for grid in line for row in grid.values for v in row]
    cell = max([_CELL, *(extent(Label(t))[0] + 0.2 for t in dict.fromkeys(texts))])
    widths = [[max(len(g.values[0]) * cell, extent(g.title)[0]) for g in line] for line in lines]
    widest = max(sum(w) + _GAP * (len(w) - 1) for w in widths)
    nodes: list[Node] = []
    words: list[Words] = []
    top = 0.0
    for line, spans in zip(lines, widths, strict=True):
        tallest = max(len(g.values) for g in line) * cell
        left = (widest - sum(spans) - _GAP * (len(spans) - 1)) / 2
        for grid, span in zip(line, spans, strict=True):
            high = len(grid.values) * cell
            upper = top - 0.55 - (tallest - high) / 2
            x0 = left + (span - len(grid.values[0]) * cell) / 2
            words.append(Words(grid.title, left + span / 2, upper + 0.08, "south", step=grid.step))
            nodes += _cells(grid, x0, upper, cell)
            left += span + _GAP
        top -= tallest + 0.55 + 0.35
    if formula is not None:
        words.append(Words(formula, widest / 2, top - 0.1, "north", step=step))
    return Scene(title, tuple(nodes), (), tuple(words))


def _cells(grid: Grid, left: float, top: float, cell: float) -> list[Node]:
    row0, column0, rows, columns = grid.region or (0, 0, 0, 0)
    found = []
    for r, row in enumerate(grid.values):
        for c, value in enumerate(row):
            inside = row0 <= r < row0 + rows and column0 <= c < column0 + columns
            role = grid.role if inside else "plain" if value else "muted"
            text = written(value)
            label = Label(text.replace("-", "−"), text)
            where = f"row {r + 1}, column {c + 1}: {text}"
            found.append(
                Node(
                    f"{grid.id}-{r}-{c}", label, left + (c + 0.5) * cell, top - (r + 0.5) * cell, "cell", cell, cell, role, grid.step, where
                )
            )
    return found


def convolution_grids(
    image: Sequence[Sequence[float]],
    kernel: Sequence[Sequence[float]],
    padded: Sequence[Sequence[float]],
    result: Sequence[Sequence[float]],
    cropped: Sequence[Sequence[float]],
    *,
    kind: str = "convolution",
    formula: Label | None = None,
) -> Scene:
    """Return the picture of a convolution: image and mask, the padded image, the result in the same frame, the cropped result.

    Args:
        image: its rows.
        kernel: the mask.
        padded: the image with zeros around it.
        result: as large as the padded image.
        cropped: its middle, as large as the image.
        kind: what is done, for the titles.
        formula: written below.
    """

    def grid(name: str, title: str, values: Sequence[Sequence[float]], step: int) -> Grid:
        return Grid(name, Label(title), tuple(tuple(map(float, row)) for row in values), step=step)

    high, wide = len(image), len(image[0])

    def middle(inner: Grid, outer: Grid) -> tuple[int, int, int, int]:
        return (len(outer.values) - high) // 2, (len(outer.values[0]) - wide) // 2, high, wide

    first, mask = grid("image", "image f", image, 0), grid("mask", "mask w", kernel, 0)
    around, full, last = (
        grid("padded", "padded with zeros: p", padded, 1),
        grid("result", f"{kind} with w: g", result, 2),
        grid("cropped", "g cropped", cropped, 3),
    )
    around = replace(around, region=middle(first, around), role="input")
    full = replace(full, region=middle(last, full), role="output")
    return grids_scene(f"{kind} of an image with a mask", ((first, mask, last), (around, full)), formula, step=full.step)


__all__ = ["Grid", "convolution_grids", "grids_scene", "written"]
