"""How much room things take: boxes of labels and nodes, in centimetres, from rough font metrics that err on the large side.

Every writer puts things where this module says, so what is proved here about a scene holds for all of its drawings.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

from symbackprop.present.scene.records import Edge, Label, Mark, Node, Scene, Words

Point = tuple[float, float]

#: Height of the letters' em, in centimetres: 10 pt.
SIZE: Final = 0.35
#: Size of a subscript or superscript against the letter before it.
SCRIPT: Final = 0.7
#: Air between an edge and the label that stands beside it.
GAP: Final = 0.06
#: Air inside the border of a node without a shape, between its label and where edges begin.
PAD: Final = 0.08

#: Widths of characters in em: those of DejaVu Serif or of TeX's italics, whichever is wider. What is not listed is `_WIDE`.
_WIDTHS: Final = (
    dict.fromkeys("ilj.,;:!'|()[] ", 0.42)
    | dict.fromkeys('trsI-/{}"*', 0.54)
    | dict.fromkeys("ABCDEFGHJKLNOPQRSTUVXYZ", 0.82)
    | dict.fromkeys("+-−=×<>~≥≤w√", 0.88)
    | dict.fromkeys("mMW%@", 1.15)
    | dict.fromkeys("kxyαβγδεζηθκλμνξπρστφχψω", 0.74)
    | {"·": 0.74, "→": 1.2, "Σ": 0.82, ".": 0.34, ",": 0.34}
)
_WIDE: Final = 0.66
#: Words without formulas are set more narrowly than single letters.
_WORDS: Final = 0.92
#: What "· 10" takes, where the plain label has an e.
_POWER: Final = 1.7


@dataclass(frozen=True)
class Run:
    """A piece of a label: text that stands on the line, below it (``script`` -1) or above it (1)."""

    text: str
    script: int = 0


@dataclass(frozen=True)
class Box:
    """A rectangle that something fills.

    Attributes:
        what: what it is, in words.
        left: in centimetres.
        bottom: in centimetres.
        right: in centimetres.
        top: in centimetres.
        step: the frame on which it appears.
    """

    what: str
    left: float
    bottom: float
    right: float
    top: float
    step: int = 0

    def touches(self, other: Box, air: float = 0.0) -> bool:
        """Whether two boxes have a point in common, or come closer than ``air``."""
        return (
            self.left < other.right + air
            and other.left < self.right + air
            and self.bottom < other.top + air
            and other.bottom < self.top + air
        )


_RUNS = re.compile(r"([_^])(\{[^{}]*\}|\([^()]*\)|[^\W_]+|.)|([^_^]+|[_^])")


@lru_cache(maxsize=4096)
def runs(plain: str) -> tuple[Run, ...]:
    """Take a plain label apart: ``a_1^(2)`` is a, 1 below, (2) above; braces group and are not written."""
    found: list[Run] = []
    for match in _RUNS.finditer(plain):
        mark, script, text = match.groups()
        if mark is None:
            found.append(Run(text))
        else:
            found.append(Run(script[1:-1] if script.startswith("{") and script.endswith("}") else script, 1 if mark == "^" else -1))
    return tuple(found)


@lru_cache(maxsize=4096)
def extent(label: Label) -> Point:
    """Return the width and height of a label, in centimetres."""
    width = 0.0
    high = low = False
    for run in runs(label.plain):
        # A long name is grouped for its underscores; TeX writes it beside the letter, in full size.
        small = run.script and ("_" not in run.text or run.text.startswith("("))
        width += sum(_WIDTHS.get(c, _WIDE) for c in run.text) * SIZE * (SCRIPT if small else 1.0)
        high, low = high or run.script > 0, low or run.script < 0
    if not label.latex:
        width *= _WORDS
    if label.latex and re.search(r"\de-?\d", label.plain):
        width += _POWER * SIZE
    return width, SIZE * (0.95 + 0.25 * high + 0.25 * low) if label.plain else 0.0


def node_box(node: Node) -> Box:
    """Return the rectangle around a node; one without a shape is as large as its label."""
    if node.shape == "none":
        wide, tall = extent(node.label)
        wide, tall = wide + 2 * PAD, tall + 2 * PAD
    else:
        wide, tall = node.width, node.height
    return Box(f"node {node.id}", node.x - wide / 2, node.y - tall / 2, node.x + wide / 2, node.y + tall / 2, node.step)


def border(node: Node, towards: Point) -> Point:
    """Return where a line from a node's centre to another point leaves the node."""
    dx, dy = towards[0] - node.x, towards[1] - node.y
    far = math.hypot(dx, dy)
    if far == 0:
        return node.x, node.y
    if node.shape == "circle" and node.width == node.height:
        share = node.width / 2 / far
    else:
        box = node_box(node)
        half_w, half_h = (box.right - box.left) / 2, (box.top - box.bottom) / 2
        share = min(half_w / abs(dx) if dx else math.inf, half_h / abs(dy) if dy else math.inf)
    share = min(share, 1.0)
    return node.x + share * dx, node.y + share * dy


def path(source: Node, target: Node, edge: Edge) -> tuple[Point, ...]:
    """Return the points of an edge, from border to border."""
    inner = edge.via
    first = border(source, inner[0] if inner else (target.x, target.y))
    last = border(target, inner[-1] if inner else (source.x, source.y))
    return (first, *inner, last)


def paths(scene: Scene) -> Iterator[tuple[Edge, tuple[Point, ...]]]:
    """Yield every edge with its points."""
    nodes = {n.id: n for n in scene.nodes}
    for edge in scene.edges:
        yield edge, path(nodes[edge.source], nodes[edge.target], edge)


def along(points: Sequence[Point], at: float) -> tuple[Point, Point]:
    """Return the point at a share of a line's length, and the direction of the line there."""
    lengths = [math.dist(a, b) for a, b in pairwise(points)]
    left = at * sum(lengths)
    for k, long in enumerate(lengths):
        if left <= long or k == len(lengths) - 1:
            (ax, ay), (bx, by) = points[k], points[k + 1]
            if long == 0:
                return (ax, ay), (1.0, 0.0)
            share = left / long
            return (ax + share * (bx - ax), ay + share * (by - ay)), ((bx - ax) / long, (by - ay) / long)
        left -= long
    return points[0], (1.0, 0.0)


def mark_centre(points: Sequence[Point], mark: Mark) -> Point:
    """Return where the centre of a mark's label lies: beside the edge, as near as it can be without touching it."""
    (x, y), (dx, dy) = along(points, mark.at)
    if mark.side == "on":
        return x, y
    wide, tall = extent(mark.label)
    nx, ny = (-dy, dx) if mark.side == "above" else (dy, -dx)
    off = GAP + (abs(nx) * wide + abs(ny) * tall) / 2
    return x + off * nx, y + off * ny


def words_centre(words: Words) -> Point:
    """Return the centre of a label that stands by itself."""
    wide, tall = extent(words.label)
    dx, dy = {"center": (0, 0), "north": (0, -1), "south": (0, 1), "east": (-1, 0), "west": (1, 0)}[words.anchor]
    return words.x + dx * wide / 2, words.y + dy * tall / 2


def _around(what: str, label: Label, centre: Point, step: int) -> Box:
    wide, tall = extent(label)
    return Box(what, centre[0] - wide / 2, centre[1] - tall / 2, centre[0] + wide / 2, centre[1] + tall / 2, step)


def label_boxes(scene: Scene) -> tuple[Box, ...]:
    """Return the boxes of all nodes, marks and words, in this order; an empty label has none."""
    found = [node_box(n) for n in scene.nodes]
    for edge, points in paths(scene):
        for mark in edge.marks:
            if mark.label.plain:
                what = f"label {mark.label.plain!r} at the edge from {edge.source} to {edge.target}"
                found.append(_around(what, mark.label, mark_centre(points, mark), mark.step))
    found += [_around(f"words {w.label.plain!r}", w.label, words_centre(w), w.step) for w in scene.words if w.label.plain]
    return tuple(found)


def overlaps(scene: Scene) -> tuple[str, ...]:
    """Return one sentence for each two labels or nodes that touch; empty where none do. Frames only add, so the last one counts."""
    boxes = label_boxes(scene)
    order = sorted(range(len(boxes)), key=lambda k: boxes[k].left)
    found: list[tuple[int, int]] = []
    for place, k in enumerate(order):
        for other in order[place + 1 :]:
            if boxes[other].left >= boxes[k].right:
                break
            if boxes[k].touches(boxes[other], -1e-6):  # cells of a grid share their borders
                found.append((min(k, other), max(k, other)))
    return tuple(f"{boxes[a].what} touches {boxes[b].what}" for a, b in sorted(found))


def crossings(scene: Scene) -> tuple[str, ...]:
    """Return one sentence for each label or node that an edge runs through, apart from its own ends and labels on it."""
    boxes = label_boxes(scene)
    found: list[str] = []
    for edge, points in paths(scene):
        on = {f"label {m.label.plain!r} at the edge from {edge.source} to {edge.target}" for m in edge.marks if m.side == "on"}
        ends = {f"node {edge.source}", f"node {edge.target}"}
        for box in boxes:
            if box.what in on or box.what in ends:
                continue
            if any(meets(box, a, b) for a, b in pairwise(points)):
                found.append(f"the edge from {edge.source} to {edge.target} runs through {box.what}")
    return tuple(found)


def meets(box: Box, a: Point, b: Point) -> bool:
    """Whether a line from ``a`` to ``b`` has a point inside a box (Liang and Barsky)."""
    if max(a[0], b[0]) <= box.left or min(a[0], b[0]) >= box.right or max(a[1], b[1]) <= box.bottom or min(a[1], b[1]) >= box.top:
        return False
    low, high = 0.0, 1.0
    for start, delta, least, most in (
        (a[0], b[0] - a[0], box.left, box.right),
        (a[1], b[1] - a[1], box.bottom, box.top),
    ):
        if delta == 0:
            if not least < start < most:
                return False
            continue
        enter, leave = sorted(((least - start) / delta, (most - start) / delta))
        low, high = max(low, enter), min(high, leave)
    return low < high


def bounds(scene: Scene, margin: float = 0.2) -> Box:
    """Return the rectangle that holds all of a scene, with a margin."""
    boxes = label_boxes(scene)
    bends = [p for e in scene.edges for p in e.via]
    if not boxes and not bends:
        return Box("scene", 0.0, 0.0, 1.0, 1.0)
    return Box(
        "scene",
        min([b.left for b in boxes] + [x for x, _ in bends]) - margin,
        min([b.bottom for b in boxes] + [y for _, y in bends]) - margin,
        max([b.right for b in boxes] + [x for x, _ in bends]) + margin,
        max([b.top for b in boxes] + [y for _, y in bends]) + margin,
    )


__all__ = [
    "GAP",
    "PAD",
    "SCRIPT",
    "SIZE",
    "Box",
    "Point",
    "Run",
    "along",
    "border",
    "bounds",
    "crossings",
    "extent",
    "label_boxes",
    "mark_centre",
    "meets",
    "node_box",
    "overlaps",
    "path",
    "paths",
    "runs",
    "words_centre",
]
