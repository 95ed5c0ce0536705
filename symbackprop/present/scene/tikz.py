r"""Pictures for TeX: a ``tikzpicture`` that needs ``\usepackage{tikz}`` and nothing else, and that defines nothing outside itself."""

from __future__ import annotations

from collections.abc import Sequence

from symbackprop.present.letters import tex_text
from symbackprop.present.scene.records import Edge, Label, Mark, Node, Scene, Words
from symbackprop.present.scene.route import Point, along, route
from symbackprop.present.scene.style import MARK_POINTS, NODE_POINTS, STYLES, Style

_SHAPES = {
    "circle": "circle",
    "box": "rectangle",
    "rounded": "rectangle, rounded corners=3pt",
    "cell": "rectangle, line width=0.4pt",
    "none": "rectangle, draw=none, fill=none",
}
#: Gap between an edge and the words at it, in centimetres.
_GAP = 0.08
#: Edges of a later role lie over those of an earlier one.
_OVER = {"muted": 0, "highlight": 2}


def tikz(scene: Scene, step: int | None = None, overlays: bool = False) -> str:
    r"""Return a picture as a ``tikzpicture``.

    Args:
        scene: the picture.
        step: the frame that is drawn; None draws all of it. The frame has the size of the whole picture.
        overlays: wrap what appears on step k ≥ 1 in ``\onslide<k+1->{...}``, for beamer.
    """
    shown = scene if step is None else scene.frame(step)
    nodes = {n.id: n for n in scene.nodes}

    def on(step: int, line: str) -> str:
        return rf"  \onslide<{step + 1}->{{{line}}}" if overlays and step else f"  {line}"

    lines = [f"  {line}" for line in _size(scene) if step is not None]
    lines += [on(n.step, _node(n)) for n in shown.nodes]
    lines += [on(e.step, _edge(e)) for e in sorted(shown.edges, key=lambda e: _OVER.get(e.role, 1))]
    for e in shown.edges:
        points = route(e, nodes)
        lines += [on(max(m.step, e.step), _mark(m, points)) for m in e.marks]
    lines += [on(w.step, _words(w)) for w in shown.words]
    colours, styles = _styles(shown)
    head = ",\n  ".join(("x=1cm, y=1cm, >=stealth, inner sep=0pt", *styles))
    return "\n".join((rf"\begin{{tikzpicture}}[{head}]", *colours, *lines, r"\end{tikzpicture}", ""))


def _styles(scene: Scene) -> tuple[list[str], list[str]]:
    """The colours and the styles of the roles that occur; both live in the picture's own group."""
    nodes = [n.role for n in scene.nodes]
    edges = [e.role for e in scene.edges]
    texts = [w.role for w in scene.words] + [m.role for e in scene.edges for m in e.marks]
    colours, styles = [], []
    for role in dict.fromkeys((*nodes, *edges, *texts)):
        s = STYLES[role]
        used = (("line", s.stroke, role in nodes or role in edges), ("fill", s.fill, role in nodes), ("text", s.text, True))
        colours += [rf"  \definecolor{{sbp-{role}-{part}}}{{HTML}}{{{colour}}}" for part, colour, there in used if there]
        line = f"line width={_short(s.width)}pt" + (f", {s.dash}" if s.dash else "")
        if role in nodes:
            styles.append(
                f"{role} node/.style={{draw=sbp-{role}-line, fill=sbp-{role}-fill, text=sbp-{role}-text, {line}, {_font(NODE_POINTS)}}}"
            )
        if role in edges:
            styles.append(f"{role} edge/.style={{sbp-{role}-line, {line}}}")
        if role in texts:
            styles.append(f"{role} text/.style={{text=sbp-{role}-text, {_font(MARK_POINTS)}}}")
    return colours, styles


def _font(points: float) -> str:
    return rf"font=\fontsize{{{_short(points)}}}{{{_short(points * 1.2)}}}\selectfont"


def _size(scene: Scene) -> tuple[str, ...]:
    corners = [(n.x + a * n.width / 2, n.y + b * n.height / 2) for n in scene.nodes for a, b in ((-1, -1), (1, 1))]
    corners += [p for e in scene.edges for p in e.via] + [(w.x, w.y) for w in scene.words]
    if not corners:
        return ()
    xs, ys = [p[0] for p in corners], [p[1] for p in corners]
    return (rf"\path {_point((min(xs), min(ys)))} {_point((max(xs), max(ys)))};",)


def _node(node: Node) -> str:
    size = f"minimum width={_short(node.width)}cm, minimum height={_short(node.height)}cm"
    look = f"{node.role} node, {_SHAPES[node.shape]}, {size}"
    return rf"\node[{look}] ({node.id}) at {_point((node.x, node.y))} {{{_label(node.label, STYLES[node.role])}}};"


def _edge(edge: Edge) -> str:
    look = ["->"] * edge.arrow + [f"{edge.role} edge"] + ["dashed"] * edge.dashed + ["rounded corners=4pt"] * bool(edge.via)
    stops = [f"({edge.source})", *(_point(p) for p in edge.via), f"({edge.target})"]
    return rf"\draw[{', '.join(look)}] {' -- '.join(stops)};"


def _mark(mark: Mark, points: Sequence[Point]) -> str:
    (x, y), (dx, dy) = along(tuple(points), mark.at)
    options = [f"{mark.role} text"]
    if mark.side == "on":
        options += ["fill=white", "inner sep=1.5pt"]
    else:
        side = 1 if mark.side == "above" else -1
        x, y = x - side * dy * _GAP, y + side * dx * _GAP
        options.append(f"anchor={_anchor(-side * dy, side * dx)}")
    return rf"\node[{', '.join(options)}] at {_point((x, y))} {{{_label(mark.label, STYLES[mark.role])}}};"


def _anchor(x: float, y: float) -> str:
    """The anchor of words that stand in this direction from their point."""
    vertical = "south" if y > 0.2 else "north" if y < -0.2 else ""
    level = "west" if x > 0.2 else "east" if x < -0.2 else ""
    return f"{vertical} {level}".strip()


def _words(words: Words) -> str:
    look = f"{words.role} text, anchor={words.anchor}"
    return rf"\node[{look}] at {_point((words.x, words.y))} {{{_label(words.label, STYLES[words.role])}}};"


def _label(label: Label, style: Style) -> str:
    if label.latex:
        return f"${label.latex}$"
    text = tex_text(label.plain)
    if not text:
        return ""
    return rf"\itshape {text}" if style.slanted else rf"\bfseries {text}" if style.bold else text


def _point(p: Point) -> str:
    return f"({_short(p[0])},{_short(p[1])})"


def _short(number: float) -> str:
    text = f"{number:.3f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


__all__ = ["tikz"]
