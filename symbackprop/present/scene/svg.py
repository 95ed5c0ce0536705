"""Scenes as SVG: one file that needs nothing else, safe to put into any page."""

from __future__ import annotations

import html
import math
import re
from typing import Final

from symbackprop.present.scene import boxes
from symbackprop.present.scene.boxes import Point
from symbackprop.present.scene.records import Edge, Label, Node, Scene
from symbackprop.present.scene.style import STYLES

#: Pixels for a centimetre.
SCALE: Final = 40.0
_FONTS: Final = "'Latin Modern Roman', 'STIX Two Text', 'Times New Roman', Times, 'DejaVu Serif', serif"
_POINT: Final = SCALE * 2.54 / 72
_FLUSH: Final = {"west": "start", "east": "end"}
_DASHES: Final = {"": "", "dashed": ' stroke-dasharray="5 4"', "dotted": ' stroke-dasharray="1.5 2.5"'}


def svg(scene: Scene, step: int | None = None) -> str:
    """Return a scene, or one frame of it, as an SVG document.

    Args:
        scene: what is drawn.
        step: the frame; None is the last one. All frames have the same size, so that nothing jumps when they follow each other.
    """
    room = boxes.bounds(scene)
    shown = scene if step is None else scene.frame(step)
    page = _Page(room.left, room.top)
    wide, tall = (room.right - room.left) * SCALE, (room.top - room.bottom) * SCALE
    title = _escaped(scene.title)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{title}" viewBox="0 0 {_n(wide)} {_n(tall)}" '
        f'width="{_n(wide)}" height="{_n(tall)}" font-family="{html.escape(_FONTS, quote=True)}" font-size="{_n(boxes.SIZE * SCALE)}" '
        'text-rendering="geometricPrecision">',
        f"<title>{title}</title>",
        f"<desc>{_escaped(_description(shown))}</desc>",
        f'<rect width="{_n(wide)}" height="{_n(tall)}" fill="#ffffff"/>',
    ]
    lines = list(boxes.paths(shown))
    for edge, points in lines:
        parts += page.edge(edge, points)
    parts += [page.node(node) for node in shown.nodes]
    for edge, points in lines:
        for mark in edge.marks:
            parts += page.label(mark.label, boxes.mark_centre(points, mark), mark.role, backed=mark.side == "on")
    for words in shown.words:
        # Words that begin or end somewhere are flush there, whatever the font's true widths.
        flush = _FLUSH.get(words.anchor, "middle")
        at = boxes.words_centre(words) if flush == "middle" else (words.x, words.y)
        parts += page.label(words.label, at, words.role, flush=flush)
    return "\n".join([*parts, "</svg>", ""])


class _Page:
    """Turns centimetres upwards into pixels downwards."""

    def __init__(self, left: float, top: float) -> None:
        self.left, self.top = left, top

    def at(self, point: Point) -> tuple[float, float]:
        return (point[0] - self.left) * SCALE, (self.top - point[1]) * SCALE

    def edge(self, edge: Edge, points: tuple[Point, ...]) -> list[str]:
        style = STYLES[edge.role]
        placed = [self.at(p) for p in points]
        colour, width = f"#{style.stroke}", style.width * _POINT
        head = ""
        if edge.arrow:
            (ax, ay), (bx, by) = placed[-2], placed[-1]
            far = math.hypot(bx - ax, by - ay) or 1.0
            ux, uy = (bx - ax) / far, (by - ay) / far
            long, half = 7.0, 3.2
            tail = (bx - long * ux, by - long * uy)
            corners = ((bx, by), (tail[0] - half * uy, tail[1] + half * ux), (tail[0] + half * uy, tail[1] - half * ux))
            head = f'<polygon points="{_points(corners)}" fill="{colour}"/>'
            placed[-1] = (bx - 0.8 * long * ux, by - 0.8 * long * uy)
        broken = _DASHES["dashed" if edge.dashed else style.dash]
        line = (
            f'<polyline points="{_points(placed)}" fill="none" stroke="{colour}" stroke-width="{_n(width)}" '
            f'stroke-linejoin="round"{broken}/>'
        )
        return [line, head] if head else [line]

    def node(self, node: Node) -> str:
        style = STYLES[node.role]
        x, y = self.at((node.x, node.y))
        w, h = node.width * SCALE, node.height * SCALE
        paint = f'fill="#{style.fill}" stroke="#{style.stroke}" stroke-width="{_n(style.width * _POINT)}"{_DASHES[style.dash]}'
        shape = ""
        if node.shape == "circle":
            shape = f'<ellipse cx="{_n(x)}" cy="{_n(y)}" rx="{_n(w / 2)}" ry="{_n(h / 2)}" {paint}/>'
        elif node.shape != "none":
            round_ = ' rx="6"' if node.shape == "rounded" else ""
            shape = f'<rect x="{_n(x - w / 2)}" y="{_n(y - h / 2)}" width="{_n(w)}" height="{_n(h)}"{round_} {paint}/>'
        title = f"<title>{_escaped(node.title)}</title>" if node.title else ""
        return f"<g>{title}{shape}{''.join(self.label(node.label, (node.x, node.y), node.role))}</g>"

    def label(self, label: Label, centre: Point, role: str, backed: bool = False, flush: str = "middle") -> list[str]:
        """Write a label around a point; ``backed`` puts white paper under it."""
        if not label.plain:
            return []
        x, y = self.at(centre)
        wide, tall = (side * SCALE for side in boxes.extent(label))
        size = boxes.SIZE * SCALE
        spans, shift = [], 0.0
        maths = bool(label.latex)
        for run in boxes.runs(label.plain):
            target = -run.script * 0.28 * size
            attributes = f' dy="{_n(target - shift)}"' if target != shift else ""
            if run.script:
                attributes += f' font-size="{_n(size * boxes.SCRIPT)}"'
            spans += _styled(run.text, attributes, maths)
            shift = target
        style = STYLES[role]
        look = ' font-style="italic"' * (style.slanted and not maths) + ' font-weight="bold"' * style.bold
        text = (
            f'<text x="{_n(x)}" y="{_n(y + 0.33 * size)}" text-anchor="{flush}" fill="#{style.text}"{look} xml:space="preserve">'
            f"{''.join(spans)}</text>"
        )
        if backed:
            return [f'<rect x="{_n(x - wide / 2)}" y="{_n(y - tall / 2)}" width="{_n(wide)}" height="{_n(tall)}" fill="#ffffff"/>', text]
        return [text]


def _styled(text: str, attributes: str, maths: bool) -> list[str]:
    """Return the spans of a run: in formulas, letters that stand alone are italic, as TeX sets them, and a hyphen is a minus sign."""
    if maths:
        text = text.replace("-", "−")
    found: list[tuple[str, bool]] = []
    for piece in re.findall(r"[^\W\d_]+|[\W\d_]+", text):
        italic = maths and len(piece) == 1 and piece.isalpha()
        found.append((piece, italic))
    spans = []
    for number, (piece, italic) in enumerate(found):
        style = ' font-style="italic"' if italic else ""
        # The shift to the line of a script is made once, its size holds for each part.
        own = attributes if number == 0 else re.sub(r' dy="[^"]*"', "", attributes)
        spans.append(f"<tspan{own}{style}>{_escaped(piece)}</tspan>")
    return spans


def _description(scene: Scene) -> str:
    """Say what is drawn, for those who do not see it."""
    names = {n.id: n.title or n.label.plain or n.id for n in scene.nodes}
    sentences = []
    for edge in scene.edges:
        marks = ", ".join(f"{m.role} {m.label.plain}" if m.role != "plain" else m.label.plain for m in edge.marks)
        sentences.append(f"{names[edge.source]} to {names[edge.target]}{f': {marks}' if marks else ''}")
    sentences += [w.label.plain for w in scene.words]
    return "; ".join(sentences)


def _points(points: list[tuple[float, float]] | tuple[tuple[float, float], ...]) -> str:
    return " ".join(f"{_n(x)},{_n(y)}" for x, y in points)


def _n(value: float) -> str:
    written = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if written == "-0" else written


def _escaped(text: str) -> str:
    """Escape for XML; characters that XML cannot hold at all become spaces."""
    return html.escape("".join(c if c.isprintable() else " " for c in text), quote=True)


__all__ = ["SCALE", "svg"]
