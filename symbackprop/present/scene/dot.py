"""Scenes for Graphviz: our places as ``pos`` (``neato -n2``), which ``dot`` is free to ignore."""

from __future__ import annotations

from symbackprop.present.scene.records import Scene
from symbackprop.present.scene.style import STYLES

_SHAPES = {"circle": "circle", "box": "box", "rounded": "box", "cell": "box", "none": "plain"}
#: Points for a centimetre.
_POINTS = 72 / 2.54


def dot(scene: Scene, step: int | None = None) -> str:
    """Return a scene, or one frame of it, as a graph in the DOT language.

    Args:
        scene: what is drawn.
        step: the frame; None is the last one.
    """
    shown = scene if step is None else scene.frame(step)
    lines = [
        f"digraph {_quoted(scene.title)} {{",
        f"  label={_quoted(scene.title)}; labelloc=t; rankdir=LR; node [fontsize=10]; edge [fontsize=10];",
    ]
    for n in shown.nodes:
        style = STYLES[n.role]
        looks = [
            f"label={_quoted(n.label.plain)}",
            f"shape={_SHAPES[n.shape]}",
            f'pos="{n.x * _POINTS:.1f},{n.y * _POINTS:.1f}!"',
            f'fontcolor="#{style.text}"',
        ]
        if n.shape != "none":
            look = "rounded,filled" if n.shape == "rounded" else "filled"
            looks += [f'style="{look}"', f'color="#{style.stroke}"', f'fillcolor="#{style.fill}"']
        if n.title:
            looks.append(f"tooltip={_quoted(n.title)}")
        lines.append(f"  {_quoted(n.id)} [{', '.join(looks)}];")
    for e in shown.edges:
        style = STYLES[e.role]
        # Above, on, below: one label of several lines, in this order.
        order = sorted(e.marks, key=lambda m: ("above", "on", "below").index(m.side))
        words = "\\n".join(_escaped(m.label.plain) for m in order if m.label.plain)
        looks = [f'color="#{style.stroke}"'] + ([f'label="{words}"'] if words else [])
        looks += ["dir=none"] * (not e.arrow) + ["style=dashed"] * e.dashed
        lines.append(f"  {_quoted(e.source)} -> {_quoted(e.target)} [{', '.join(looks)}];")
    for k, w in enumerate(shown.words):
        place = f'pos="{w.x * _POINTS:.1f},{w.y * _POINTS:.1f}!"'
        lines.append(f'  "words {k}" [label={_quoted(w.label.plain)}, shape=plain, {place}, fontcolor="#{STYLES[w.role].text}"];')
    return "\n".join([*lines, "}", ""])


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text).replace("\\", "\\\\").replace('"', '\\"')


__all__ = ["dot"]
