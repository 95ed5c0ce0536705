"""A picture as plain data: nodes, edges, words, each with the step on which it appears. Writers decide nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from symbackprop.errors import DeclarationError

#: What things are; a writer gives each role a colour, and never by colour alone.
ROLES = (
    "plain",
    "input",
    "bias",
    "hidden",
    "output",
    "parameter",
    "target",
    "loss",
    "gate",
    "value",
    "gradient",
    "local",
    "highlight",
    "muted",
)
#: "none" draws the label only.
SHAPES = ("circle", "box", "rounded", "cell", "none")
ANCHORS = ("center", "north", "south", "east", "west")


@dataclass(frozen=True)
class Label:
    r"""A written label, for every writer.

    Attributes:
        plain: Unicode, one line; ``_`` and ``^`` mark scripts as in `present.writer.Unicode`: ``a_1^(2)``.
        latex: the same in LaTeX maths, without dollars; empty for words, which TeX then gets escaped from ``plain``.
    """

    plain: str
    latex: str = ""


@dataclass(frozen=True)
class Node:
    """A thing with a place.

    Attributes:
        id: unique in its scene; letters, digits, ``_`` and ``-``.
        label: written inside.
        x: centre, in centimetres, to the right.
        y: centre, in centimetres, upwards.
        shape: one of `SHAPES`.
        width: in centimetres.
        height: in centimetres.
        role: one of `ROLES`.
        step: the frame on which it appears; 0 is the first.
        title: what a screen reader or a tooltip says.
    """

    id: str
    label: Label
    x: float
    y: float
    shape: str = "circle"
    width: float = 0.8
    height: float = 0.8
    role: str = "plain"
    step: int = 0
    title: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_-]+", self.id):
            raise DeclarationError(f"node id {self.id[:40]!r} must be letters, digits, '_' and '-'")
        _known(self.shape, SHAPES, f"node {self.id}: shape")
        _known(self.role, ROLES, f"node {self.id}: role")


@dataclass(frozen=True)
class Mark:
    """A label that stands at an edge.

    Attributes:
        label: what is written.
        side: "above", "below" or "on" the edge, seen from its source to its target (left to right: above is up).
        at: where along the edge, 0 at the source, 1 at the target.
        role: one of `ROLES`.
        step: the frame on which it appears.
    """

    label: Label
    side: str = "above"
    at: float = 0.5
    role: str = "plain"
    step: int = 0

    def __post_init__(self) -> None:
        _known(self.side, ("above", "below", "on"), "mark: side")
        _known(self.role, ROLES, "mark: role")


@dataclass(frozen=True)
class Edge:
    """A line from node to node.

    Attributes:
        source: id of a node.
        target: id of a node.
        marks: labels at it.
        via: points between, in centimetres, for an edge that is not straight.
        arrow: whether it has a head.
        role: one of `ROLES`.
        dashed: a broken line.
        step: the frame on which it appears.
    """

    source: str
    target: str
    marks: tuple[Mark, ...] = ()
    via: tuple[tuple[float, float], ...] = ()
    arrow: bool = True
    role: str = "plain"
    dashed: bool = False
    step: int = 0

    def __post_init__(self) -> None:
        _known(self.role, ROLES, f"edge {self.source} to {self.target}: role")


@dataclass(frozen=True)
class Words:
    """A label that stands by itself.

    Attributes:
        label: what is written.
        x: in centimetres.
        y: in centimetres.
        anchor: which point of the label lies there.
        role: one of `ROLES`.
        step: the frame on which it appears.
    """

    label: Label
    x: float
    y: float
    anchor: str = "center"
    role: str = "plain"
    step: int = 0

    def __post_init__(self) -> None:
        _known(self.anchor, ANCHORS, "words: anchor")
        _known(self.role, ROLES, "words: role")


@dataclass(frozen=True)
class Scene:
    """A picture. A frame is the scene up to a step.

    Attributes:
        title: one line, plain text; the accessible name.
        nodes: drawn over the edges.
        edges: between nodes that are there.
        words: free labels.
    """

    title: str
    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    words: tuple[Words, ...] = ()

    def __post_init__(self) -> None:
        ids = [n.id for n in self.nodes]
        twice = sorted({i for i in ids if ids.count(i) > 1}) if len(set(ids)) < len(ids) else []
        if twice:
            raise DeclarationError(f"scene {self.title!r}: two nodes are called {twice[0]!r}")
        known = set(ids)
        for e in self.edges:
            for end in (e.source, e.target):
                if end not in known:
                    raise DeclarationError(f"scene {self.title!r}: an edge names {end!r}, which is no node")

    @property
    def last_step(self) -> int:
        """The number of the last frame."""
        steps = [n.step for n in self.nodes] + [w.step for w in self.words]
        steps += [e.step for e in self.edges] + [m.step for e in self.edges for m in e.marks]
        return max(steps, default=0)

    def frame(self, step: int) -> Scene:
        """Return the scene as it stands on a step."""
        nodes = tuple(n for n in self.nodes if n.step <= step)
        there = {n.id for n in nodes}
        edges = tuple(
            replace(e, marks=tuple(m for m in e.marks if m.step <= step))
            for e in self.edges
            if e.step <= step and {e.source, e.target} <= there
        )
        return Scene(self.title, nodes, edges, tuple(w for w in self.words if w.step <= step))


def _known(value: str, allowed: tuple[str, ...], what: str) -> None:
    if value not in allowed:
        raise DeclarationError(f"{what} must be one of {', '.join(allowed)}, got {value!r}")


__all__ = ["ANCHORS", "ROLES", "SHAPES", "Edge", "Label", "Mark", "Node", "Scene", "Words"]
