"""A layered layout: columns by depth, barycentre order, edges that skip a column led around what stands there. Pure and deterministic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

#: Distance of two centres in a column, in centimetres: labels of neighbouring edges keep apart from 16 mm on, and look apart from 18 mm on.
NODE_GAP = 1.8
#: The same for an edge that passes through a column.
PASS_GAP = 1.0
_SWEEPS = 12

Point = tuple[float, float]


@dataclass(frozen=True)
class Layout:
    """Where things stand.

    Attributes:
        at: centre of each node, in centimetres; the first column is at x = 0, y = 0 is the middle of the output.
        via: for each edge, in the order given, the points that it passes through.
        columns: of each node, from 0.
    """

    at: Mapping[str, Point]
    via: tuple[tuple[Point, ...], ...]
    columns: Mapping[str, int]


def layers(nodes: Sequence[str], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Return the column of each node: 0 without an edge that leads to it, else one behind its furthest source.

    ``nodes`` are in an order in which sources come first.
    """
    into: dict[str, list[str]] = {n: [] for n in nodes}
    for a, b in edges:
        into[b].append(a)
    found: dict[str, int] = {}
    for n in nodes:
        found[n] = max((found[a] + 1 for a in into[n]), default=0)
    return found


def layered(
    nodes: Sequence[str],
    edges: Sequence[tuple[str, str]],
    *,
    columns: Mapping[str, int] | None = None,
    widths: Sequence[float] = (),
    node_gap: float = NODE_GAP,
) -> Layout:
    """Place the nodes of a directed acyclic graph.

    Args:
        nodes: in an order in which sources come first; it is also the order from top to bottom where nothing else decides.
        edges: pairs (source, target).
        columns: of each node; None puts each as far left as it can be.
        widths: distance from each column to the next; the last one given counts for the rest.
        node_gap: distance of two centres in a column.
    """
    column = dict(columns) if columns is not None else layers(nodes, edges)
    depth = max(column.values(), default=0)
    rows: list[list[str]] = [[] for _ in range(depth + 1)]
    for n in nodes:
        rows[column[n]].append(n)
    links: list[tuple[str, str]] = []
    trails: list[tuple[str, ...]] = []
    for k, (a, b) in enumerate(edges):
        passes = tuple(f"\0{k}.{c}" for c in range(column[a] + 1, column[b]))
        for c, name in zip(range(column[a] + 1, column[b]), passes, strict=True):
            rows[c].append(name)
        chain = (a, *passes, b)
        links += list(pairwise(chain))
        trails.append(passes)
    before: dict[str, list[str]] = {n: [] for row in rows for n in row}
    after: dict[str, list[str]] = {n: [] for row in rows for n in row}
    for a, b in links:
        before[b].append(a)
        after[a].append(b)
    rows = _ordered(rows, before, after)
    height = _heights(rows, before, after, node_gap)
    x = [0.0]
    for c in range(depth):
        x.append(x[-1] + (widths[min(c, len(widths) - 1)] if widths else 2.4))
    middle = height[rows[-1][0]] if rows[-1] else 0.0
    at = {n: (round(x[c], 3), round(height[n] - middle, 3)) for c, row in enumerate(rows) for n in row}
    via = tuple(tuple(at[p] for p in passes) for passes in trails)
    return Layout({n: at[n] for n in nodes}, via, column)


def _ordered(rows: list[list[str]], before: Mapping[str, list[str]], after: Mapping[str, list[str]]) -> list[list[str]]:
    """Return the rows with few crossings: each sorted by the mean place of its neighbours, forwards and back, the best seen kept."""
    rows = [list(row) for row in rows]
    best, fewest = [list(row) for row in rows], _crossings(rows, after)
    for sweep in range(_SWEEPS):
        forwards = sweep % 2 == 0
        order = range(1, len(rows)) if forwards else range(len(rows) - 2, -1, -1)
        for c in order:
            fixed = {n: k for k, n in enumerate(rows[c - 1 if forwards else c + 1])}
            near = before if forwards else after
            place = {n: k for k, n in enumerate(rows[c])}

            def mean(n: str, near: Mapping[str, list[str]] = near, fixed: dict[str, int] = fixed, place: dict[str, int] = place) -> float:
                found = [fixed[m] for m in near[n] if m in fixed]
                return sum(found) / len(found) if found else float(place[n])

            rows[c].sort(key=lambda n, mean=mean, place=place: (mean(n), place[n]))  # type: ignore[misc]
        now = _crossings(rows, after)
        if now < fewest:
            best, fewest = [list(row) for row in rows], now
        if fewest == 0:
            break
    return best


def _crossings(rows: Sequence[Sequence[str]], after: Mapping[str, list[str]]) -> int:
    total = 0
    for left, right in pairwise(rows):
        place = {n: k for k, n in enumerate(right)}
        ends = [sorted(place[m] for m in after[n]) for n in left]
        for k, mine in enumerate(ends):
            for other in ends[k + 1 :]:
                total += sum(1 for a in mine for b in other if a > b)
    return total


def _heights(
    rows: Sequence[Sequence[str]], before: Mapping[str, list[str]], after: Mapping[str, list[str]], node_gap: float
) -> dict[str, float]:
    """Return heights that pull each node towards the mean of its neighbours and keep neighbours in a column apart."""
    gaps = [[_gap(a, b, node_gap) for a, b in pairwise(row)] for row in rows]
    height: dict[str, float] = {}
    for row, gap in zip(rows, gaps, strict=True):
        total = sum(gap)
        y = total / 2
        for k, n in enumerate(row):
            height[n] = y
            y -= gap[k] if k < len(gap) else 0.0
    # Back and forth, forwards at last: what a gate reads stands evenly around it.
    for sweep in range(4 * _SWEEPS + 1):
        forwards = sweep % 2 == 0
        near = before if forwards else after
        for c in range(len(rows)) if forwards else range(len(rows) - 1, -1, -1):
            wanted = []
            for n in rows[c]:
                pull = [height[m] for m in near[n]] or [height[n]]
                # An edge that passes through wants to be straight more than a node wants to be in the middle.
                wanted.append((sum(pull) / len(pull), 4.0 if n.startswith("\0") else 1.0))
            for n, y in zip(rows[c], _apart(wanted, gaps[c]), strict=True):
                height[n] = y
    return height


def _gap(a: str, b: str, node_gap: float) -> float:
    passing = a.startswith("\0") + b.startswith("\0")
    return (node_gap, (node_gap + PASS_GAP) / 2, PASS_GAP)[passing]


def _apart(wanted: Sequence[tuple[float, float]], gaps: Sequence[float]) -> list[float]:
    """Return the heights nearest to those wanted (least squares, weighted) that fall from each to the next by the gap or more.

    With the gaps taken off it is a regression that must not rise: neighbours that would are merged into their mean.
    """
    shift, total = [0.0], 0.0
    for gap in gaps:
        total += gap
        shift.append(total)
    blocks: list[list[float]] = []
    for (y, weight), off in zip(wanted, shift, strict=True):
        blocks.append([(y + off) * weight, weight, 1])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] < blocks[-1][0] / blocks[-1][1]:
            last = blocks.pop()
            blocks[-1] = [blocks[-1][0] + last[0], blocks[-1][1] + last[1], blocks[-1][2] + last[2]]
    level = [sums / weight for sums, weight, number in blocks for _ in range(int(number))]
    return [y - off for y, off in zip(level, shift, strict=True)]


__all__ = ["NODE_GAP", "Layout", "layered", "layers"]
