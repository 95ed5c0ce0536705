r"""Pictures for TeX: a ``tikzpicture`` that needs ``\usepackage{tikz}`` and nothing else, and that defines nothing outside itself."""

from __future__ import annotations

from symbackprop.present.document.words import tex_words
from symbackprop.present.scene.boxes import PAD, Point, bounds, mark_centre, paths, words_centre
from symbackprop.present.scene.records import Edge, Label, Mark, Node, Scene, Words
from symbackprop.present.scene.style import POINTS, STYLES, Style

_SHAPES = {
    "circle": "circle",
    "box": "rectangle",
    "rounded": "rectangle, rounded corners=3pt",
    "cell": "rectangle, line width=0.4pt",
    "none": f"rectangle, draw=none, fill=none, inner sep={PAD}cm",
}
#: Edges of a later role lie over those of an earlier one.
_OVER = {"muted": 0, "highlight": 2}


def tikz(scene: Scene, step: int | None = None, overlays: bool = False) -> str:
    r"""Return a picture as a ``tikzpicture``; formulas in its labels may ask for amsmath besides.

    Args:
        scene: the picture.
        step: the frame that is drawn; None draws all of it. The frame has the size of the whole picture.
        overlays: wrap what appears on step k ≥ 1 in ``\onslide<k+1->{...}``, for beamer.
    """
    shown = scene if step is None else scene.frame(step)

    def on(step: int, line: str) -> str:
        return rf"  \onslide<{step + 1}->{{{line}}}" if overlays and step else f"  {line}"

    lines = [f"  {_size(scene)}"]
    lines += [on(n.step, _node(n)) for n in shown.nodes]
    lines += [on(e.step, _edge(e)) for e in sorted(shown.edges, key=lambda e: _OVER.get(e.role, 1))]
    lines += [on(max(m.step, e.step), _mark(m, mark_centre(points, m))) for e, points in paths(shown) for m in e.marks]
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
            styles.append(f"{role} node/.style={{draw=sbp-{role}-line, fill=sbp-{role}-fill, text=sbp-{role}-text, {line}, {_font()}}}")
        if role in edges:
            styles.append(f"{role} edge/.style={{sbp-{role}-line, {line}}}")
        if role in texts:
            styles.append(f"{role} text/.style={{text=sbp-{role}-text, {_font()}}}")
    return colours, styles


def _font() -> str:
    return rf"font=\fontsize{{{_short(POINTS)}}}{{{_short(POINTS * 1.2)}}}\selectfont"


def _size(scene: Scene) -> str:
    """All frames have one size."""
    room = bounds(scene, margin=0.1)
    return rf"\path {_point((room.left, room.bottom))} {_point((room.right, room.top))};"


def _node(node: Node) -> str:
    size = f"minimum width={_short(node.width)}cm, minimum height={_short(node.height)}cm"
    look = f"{node.role} node, {_SHAPES[node.shape]}, {size}"
    return rf"\node[{look}] ({node.id}) at {_point((node.x, node.y))} {{{_label(node.label, STYLES[node.role])}}};"


def _edge(edge: Edge) -> str:
    look = ["->"] * edge.arrow + [f"{edge.role} edge"] + ["dashed"] * edge.dashed + ["rounded corners=4pt"] * bool(edge.via)
    stops = [f"({edge.source})", *(_point(p) for p in edge.via), f"({edge.target})"]
    return rf"\draw[{', '.join(look)}] {' -- '.join(stops)};"


def _mark(mark: Mark, centre: Point) -> str:
    return _text(mark.role, centre, mark.label, ", fill=white, inner sep=1.5pt" if mark.side == "on" else "")


def _words(w: Words) -> str:
    """Words that begin or end somewhere are flush there, whatever the font's true widths."""
    flush = w.anchor in ("west", "east")
    return _text(w.role, (w.x, w.y) if flush else words_centre(w), w.label, f", anchor={w.anchor}" if flush else "")


def _text(role: str, centre: Point, label: Label, more: str = "") -> str:
    return rf"\node[{role} text{more}] at {_point(centre)} {{{_label(label, STYLES[role])}}};"


def _label(label: Label, style: Style) -> str:
    if label.latex:
        return f"${label.latex}$"
    text = tex_words(label.plain)
    if not text:
        return ""
    return rf"\itshape {text}" if style.slanted else rf"\bfseries {text}" if style.bold else text


def _point(p: Point) -> str:
    return f"({_short(p[0])},{_short(p[1])})"


def _short(number: float) -> str:
    text = f"{number:.3f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


__all__ = ["tikz"]
