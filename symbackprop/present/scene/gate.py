"""A gate by itself, and systems of equations as boxes: what flows where, without numbers."""

from __future__ import annotations

from dataclasses import replace

import sympy

from symbackprop.algebra import nodes
from symbackprop.algebra.equation import Equation, System
from symbackprop.algebra.tensor import Access
from symbackprop.errors import DeclarationError
from symbackprop.present.scene import boxes
from symbackprop.present.scene.circuit import quotient, settled, word
from symbackprop.present.scene.layout import layered
from symbackprop.present.scene.records import Edge, Label, Mark, Node, Scene, Words

#: A picture with more tensors than this cannot be read.
MAX_TENSORS = 60


def gate_scene(inputs: tuple[str, ...] = ("x", "y"), output: str = "z", gate: str = "f", loss: str = "L") -> Scene:
    """Return the picture of a gate in general.

    Frame 0: values come in, the output and the local gradients are computed. Frame 1: the gradient of the output arrives.
    Frame 2: it goes on to each input, times the local gradient.

    Args:
        inputs: names of what it reads.
        output: name of its result.
        gate: what stands in it.
        loss: what is differentiated in the end.

    Raises:
        DeclarationError: it has no inputs, or more than six.
    """
    if not 1 <= len(inputs) <= 6:
        raise DeclarationError(f"a gate is drawn with 1 to 6 inputs, got {len(inputs)}")
    z, top = word(output), word(loss)
    arrives = quotient(top, z)
    gap = 2.4
    drawn = [Node("gate", word(gate), 0.0, 0.0, "circle", 1.6, 1.6, "gate", title=f"gate {gate}")]
    edges, words = [], []
    height = (len(inputs) - 1) * gap / 2
    for k, name in enumerate(inputs):
        x, y = word(name), height - k * gap
        sends = quotient(top, x)
        local = quotient(z, x)
        chain = Label(f"{sends.plain} = {arrives.plain} · {local.plain}", rf"{sends.latex} = {arrives.latex} \cdot {local.latex}")
        marks = (Mark(x, "above", 0.3, role="value"), Mark(chain, "below", 0.3, role="gradient", step=2))
        drawn.append(Node(f"input-{k}", Label(""), -6.4, y, "none", 0.2, 0.2, "input", title=f"input {name}"))
        edges.append(Edge(f"input-{k}", "gate", marks))
        side = "south" if y >= 0 and (y > 0 or len(inputs) == 1) else "north"
        words.append(Words(local, 0.0, y / max(height, 1e-9) * 0.95 if height else 0.95, side, "local"))
    drawn.append(Node("output", Label(""), 3.6, 0.0, "none", 0.2, 0.2, "output", title=f"output {output}"))
    edges.append(Edge("gate", "output", (Mark(z, "above", role="value"), Mark(arrives, "below", role="gradient", step=1))))
    if len(inputs) > 2:
        # One column of local gradients over the gate, in the order of the inputs.
        words = [replace(w, x=0.0, y=0.95 + 0.5 * (len(inputs) - 1 - k), anchor="south") for k, w in enumerate(words)]
    return Scene(f"A gate: {output} from {', '.join(inputs)}", tuple(drawn), tuple(edges), tuple(words))


def system_scene(system: System, title: str = "") -> Scene:
    """Return a system of equations as a graph of boxes: a node for each tensor, an edge for each reading.

    A sum of tensors is drawn as +, a contraction of two as ×; anything else goes by the name of what it defines.

    Args:
        system: its equations, forward, backward or both.
        title: one line, plain text; "" says what it is.

    Raises:
        DeclarationError: it has too many tensors to be read.
    """
    order = (*system.free, *system.defined)
    if len(order) > MAX_TENSORS:
        raise DeclarationError(f"the system has {len(order)} tensors; a picture holds {MAX_TENSORS}")
    equations = {e.tensor.name: e for e in system.equations}
    signs = {name: _sign(e) for name, e in equations.items()}
    pairs = [(t.name, name) for name, e in equations.items() for t in e.reads]
    read = {a for a, _ in pairs}
    ends = [name for name in equations if name not in read and signs[name] is not None]
    names = {name: f"n{k}" for k, name in enumerate(order)}
    wires = [*pairs, *((name, f"\0{name}") for name in ends)]
    placed = layered((*order, *(f"\0{name}" for name in ends)), wires, widths=(2.6,))
    drawn = []
    for name in order:
        sign = signs.get(name)
        x, y = placed.at[name]
        label = word(name) if sign is None else sign
        if name in equations:
            wide = boxes.extent(label)[0]
            shape, size = ("circle", 0.9) if sign is not None or wide <= 0.6 else ("rounded", round(wide + 0.4, 3))
            drawn.append(Node(names[name], label, x, y, shape, size, 0.9, "gate", title=f"{name} = {equations[name].rhs}"))
        else:
            drawn.append(Node(names[name], label, x, y, "none", 0.5, 0.5, "input", title=f"input {name}"))
    drawn += [Node(f"{names[n]}-end", word(n), *placed.at[f"\0{n}"], "none", 0.5, 0.5, "output", title=f"output {n}") for n in ends]
    edges = []
    for (a, b), via in zip(wires, placed.via, strict=True):
        marks = (Mark(word(a), "above", role="value"),) if signs.get(a) is not None and not b.startswith("\0") else ()
        edges.append(Edge(names[a], f"{names[a]}-end" if b.startswith("\0") else names[b], marks, via))
    return settled(Scene(title or f"Graph of {system.defined[-1]}", tuple(drawn), tuple(edges)))


def _sign(equation: Equation) -> Label | None:
    rhs = equation.rhs
    if isinstance(rhs, sympy.Add) and all(isinstance(t, Access) for t in rhs.args):
        return Label("+", "+")
    if isinstance(rhs, nodes.Sum) and isinstance(rhs.body, sympy.Mul) and all(isinstance(f, Access) for f in rhs.body.args):
        return Label("×", r"\times")
    return None


__all__ = ["gate_scene", "system_scene"]
