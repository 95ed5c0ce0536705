"""Where a field on a grid reaches a level: closed regions to fill and lines to draw, by linear interpolation on the grid's edges."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from symbackprop.errors import DataError
from symbackprop.present.document.records import Field

Point = tuple[float, float]
#: An edge of the grid: its lower left corner (column, row), and whether it runs upwards.
_Side = tuple[int, int, bool]


def check_field(field: Field) -> Field:
    """Return a field whose numbers fit together.

    Raises:
        DataError: too few points, rows of the wrong length, coordinates or levels that do not rise, values that are not finite.
    """
    if len(field.x) < 2 or len(field.y) < 2:
        raise DataError("field: give at least two coordinates in x and in y")
    if len(field.values) != len(field.y) or any(len(row) != len(field.x) for row in field.values):
        raise DataError(f"field: expected {len(field.y)} rows of {len(field.x)} values")
    for name, rising in (("x", field.x), ("y", field.y), ("levels", field.levels)):
        if any(not a < b for a, b in pairwise(rising)):
            raise DataError(f"field: {name} must rise")
    if any(v - v != 0 for row in field.values for v in row):
        raise DataError("field: all values must be finite")
    return field


def regions(field: Field, level: float) -> tuple[tuple[Point, ...], ...]:
    """Return the borders of where the field is at least a level, as closed loops for the even-odd rule.

    Around the grid lies a frame in which the field is lower, without room: so loops close along the border.
    """
    low = min(level, min(v for row in field.values for v in row)) - 1.0
    x, y = (field.x[0], *field.x, field.x[-1]), (field.y[0], *field.y, field.y[-1])
    wide = len(x)
    values = ((low,) * wide, *((low, *row, low) for row in field.values), (low,) * wide)
    return tuple(chain for chain in _chains(x, y, values, level) if len(chain) > 2)


def lines(field: Field, level: float) -> tuple[tuple[Point, ...], ...]:
    """Return the lines on which the field has a level; a closed one ends where it began."""
    return _chains(field.x, field.y, field.values, level)


def _chains(x: Sequence[float], y: Sequence[float], values: Sequence[Sequence[float]], level: float) -> tuple[tuple[Point, ...], ...]:
    """Join the pieces of all cells, higher values on the left of each."""
    after: dict[_Side, _Side] = {}
    for r in range(len(y) - 1):
        for c in range(len(x) - 1):
            after.update(_pieces(values, level, r, c))
    entered = set(after.values())
    # Lines that begin at the border first, then the closed ones.
    starts = [*(s for s in after if s not in entered), *after]
    found: list[tuple[Point, ...]] = []
    done: set[_Side] = set()
    for start in starts:
        if start in done:
            continue
        sides = [start]
        while sides[-1] in after and sides[-1] not in done:
            done.add(sides[-1])
            sides.append(after[sides[-1]])
        points = [_crossing(x, y, values, level, side) for side in sides]
        found.append(tuple(p for k, p in enumerate(points) if k == 0 or p != points[k - 1]))
    return tuple(found)


def _pieces(values: Sequence[Sequence[float]], level: float, r: int, c: int) -> list[tuple[_Side, _Side]]:
    """The pieces of one cell, from side to side; a saddle is decided by its middle."""
    a, b, d, e = values[r][c], values[r][c + 1], values[r + 1][c + 1], values[r + 1][c]
    south, east, north, west = (c, r, False), (c + 1, r, True), (c, r + 1, False), (c, r, True)
    corners = (a >= level) + 2 * (b >= level) + 4 * (d >= level) + 8 * (e >= level)
    middle = (a + b + d + e) / 4 >= level
    table: dict[int, list[tuple[_Side, _Side]]] = {
        0: [],
        1: [(south, west)],
        2: [(east, south)],
        3: [(east, west)],
        4: [(north, east)],
        5: [(south, east), (north, west)] if middle else [(south, west), (north, east)],
        6: [(north, south)],
        7: [(north, west)],
        8: [(west, north)],
        9: [(south, north)],
        10: [(west, south), (east, north)] if middle else [(east, south), (west, north)],
        11: [(east, north)],
        12: [(west, east)],
        13: [(south, east)],
        14: [(west, south)],
        15: [],
    }
    return table[corners]


def _crossing(x: Sequence[float], y: Sequence[float], values: Sequence[Sequence[float]], level: float, side: _Side) -> Point:
    c, r, up = side
    here, there = values[r][c], values[r + 1][c] if up else values[r][c + 1]
    part = 0.5 if here == there else (level - here) / (there - here)
    return (x[c], y[r] + part * (y[r + 1] - y[r])) if up else (x[c] + part * (x[c + 1] - x[c]), y[r])


__all__ = ["check_field", "lines", "regions"]
