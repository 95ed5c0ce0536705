"""Where an edge runs: from the border of one node to that of another, and the points along it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from math import hypot

from symbackprop.present.scene.records import Edge, Node

Point = tuple[float, float]


def route(edge: Edge, nodes: Mapping[str, Node]) -> tuple[Point, ...]:
    """Return the corners of an edge, from border to border."""
    source, target = nodes[edge.source], nodes[edge.target]
    inner = edge.via or ()
    first = inner[0] if inner else (target.x, target.y)
    last = inner[-1] if inner else (source.x, source.y)
    return (border(source, first), *inner, border(target, last))


def border(node: Node, towards: Point) -> Point:
    """Return where the line from a node's centre towards a point leaves it."""
    dx, dy = towards[0] - node.x, towards[1] - node.y
    length = hypot(dx, dy)
    if length == 0:
        return (node.x, node.y)
    if node.shape == "circle":
        reach = max(node.width, node.height) / 2 / length
    else:
        ways = [half / abs(d) for half, d in ((node.width / 2, dx), (node.height / 2, dy)) if d]
        reach = min(ways)
    return (node.x + dx * min(reach, 1.0), node.y + dy * min(reach, 1.0))


def along(points: tuple[Point, ...], at: float) -> tuple[Point, Point]:
    """Return the point at a fraction of a route's length, and the direction there, of length 1."""
    pieces = list(pairwise(points))
    lengths = [hypot(b[0] - a[0], b[1] - a[1]) for a, b in pieces]
    left = at * sum(lengths)
    for (a, b), length in zip(pieces, lengths, strict=True):
        if length and (left <= length or (a, b) == pieces[-1]):
            part = left / length
            direction = ((b[0] - a[0]) / length, (b[1] - a[1]) / length)
            return (a[0] + part * (b[0] - a[0]), a[1] + part * (b[1] - a[1])), direction
        left -= length
    return points[0], (1.0, 0.0)


__all__ = ["Point", "along", "border", "route"]
