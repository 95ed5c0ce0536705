"""Pictures for terminals: a tree that grows from what nothing reads, or rows of cells where there are no edges."""

from __future__ import annotations

import math
from collections.abc import Iterator

from symbackprop.present.scene.boxes import Box, extent, node_box, words_centre
from symbackprop.present.scene.records import Edge, Node, Scene


def text(scene: Scene, step: int | None = None) -> str:
    """Return a scene, or one frame of it, in plain Unicode.

    Each line is an edge with its labels, then the node that it comes from; what that node reads is indented below it. A node
    that several others read is written out once.

    Args:
        scene: what is drawn.
        step: the frame; None is the last one.
    """
    shown = scene if step is None else scene.frame(step)
    lines = [scene.title]
    into: dict[str, list[Edge]] = {n.id: [] for n in shown.nodes}
    read = set()
    for e in shown.edges:
        into[e.target].append(e)
        read.add(e.source)
    nodes = {n.id: n for n in shown.nodes}
    beside, alone = _beside(shown)
    if shown.edges:
        done: set[str] = set()
        roots = [n for n in shown.nodes if n.id not in read and into[n.id]]
        for root in roots:
            lines.append(_named(root) + beside.get(root.id, ""))
            lines += _below(root.id, nodes, into, done, beside)
        # A circle has no end to begin with; what stands alone is no part of any tree.
        for n in shown.nodes:
            if n.id not in done and n not in roots:
                lines.append(_named(n) + beside.get(n.id, ""))
                lines += _below(n.id, nodes, into, done, beside)
    else:
        lines += _rows(shown)
    lines += alone
    return "\n".join(lines) + "\n"


def _beside(scene: Scene) -> tuple[dict[str, str], list[str]]:
    """Return for each node the words that stand at it, and the words that stand by themselves."""
    found: dict[str, list[str]] = {}
    alone = []
    boxes = [(n.id, node_box(n)) for n in scene.nodes]
    for w in scene.words:
        if not w.label.plain:
            continue
        x, y = words_centre(w)
        wide, tall = extent(w.label)
        own = Box("", x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2)
        near = min(((_gap(own, box), name) for name, box in boxes), default=(math.inf, ""))
        if near[0] < 0.35:
            found.setdefault(near[1], []).append(w.label.plain)
        else:
            alone.append(w.label.plain)
    return {name: f"   ({'; '.join(words)})" for name, words in found.items()}, alone


def _gap(a: Box, b: Box) -> float:
    """Return the distance of two boxes."""
    return math.hypot(max(a.left - b.right, b.left - a.right, 0.0), max(a.bottom - b.top, b.bottom - a.top, 0.0))


def _below(target: str, nodes: dict[str, Node], into: dict[str, list[Edge]], done: set[str], beside: dict[str, str]) -> Iterator[str]:
    # An own stack: a chain of gates may be longer than Python's recursion is deep.
    done.add(target)
    stack = [(iter(list(enumerate(into[target]))), len(into[target]), "")]
    while stack:
        edges, count, indent = stack[-1]
        item = next(edges, None)
        if item is None:
            stack.pop()
            continue
        number, edge = item
        last = number == count - 1
        source = nodes[edge.source]
        again = edge.source in done and bool(into[edge.source])
        marks = ", ".join(_mark(m.label.plain, m.role, m.side) for m in edge.marks if m.label.plain)
        more = "   (as above)" if again else beside.get(edge.source, "")
        yield f"{indent}{'└─' if last else '├─'} {_named(source)}{f'   {marks}' if marks else ''}{more}"
        if not again and into[edge.source]:
            done.add(edge.source)
            stack.append((iter(list(enumerate(into[edge.source]))), len(into[edge.source]), indent + ("   " if last else "│  ")))
        done.add(edge.source)


def _named(node: Node) -> str:
    label = node.label.plain or node.id
    return f"[{label}]" if node.shape in ("circle", "box", "rounded") else label


def _mark(plain: str, role: str, side: str) -> str:
    return f"{role} {plain}" if role in ("value", "gradient") else plain


def _rows(scene: Scene) -> list[str]:
    """Return nodes side by side where they stand side by side."""
    heights = sorted({n.y for n in scene.nodes}, reverse=True)
    width = max((len(n.label.plain) for n in scene.nodes), default=0)
    return [
        " ".join(n.label.plain.rjust(width) for n in sorted((n for n in scene.nodes if n.y == y), key=lambda n: n.x)).rstrip()
        for y in heights
    ]


__all__ = ["text"]
