"""Scalar circuits as pictures: values above the edges, gradients below them, one frame for each step of the backward pass."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from symbackprop.derive.records import Circuit, CircuitRun, Gate
from symbackprop.errors import DeclarationError
from symbackprop.present.letters import plain_word, tex_word
from symbackprop.present.rounding import Rounding, exact
from symbackprop.present.scene import boxes
from symbackprop.present.scene.layout import NODE_GAP, layered, layers
from symbackprop.present.scene.records import Edge, Label, Mark, Node, Scene, Words
from symbackprop.present.writer import Latex, Unicode

#: Diameter of a gate's circle, and the widest label that it holds, in centimetres.
CIRCLE = 0.95
_FITS = 0.92
#: A picture with more gates than this cannot be read.
MAX_GATES = 400
#: Where along an edge a label may stand, best first.
_PLACES = (0.5, 0.42, 0.58, 0.35, 0.65, 0.28, 0.72, 0.22, 0.78, 0.16, 0.84)
#: What a gate does with the gradient that it receives.
PATTERNS = {
    "distributes": "distributes",
    "passes": "passes on",
    "routes": "routes",
    "switches": "switches",
    "scales": "scales",
}


def circuit_scene(
    run: CircuitRun | Circuit,
    *,
    late: bool | None = None,
    rounding: Rounding | None = None,
    local: bool = False,
    gradients: bool | None = None,
    patterns: bool = False,
    listed: Sequence[tuple[Sequence[str], float]] = (),
    bare: bool = False,
) -> Scene:
    """Return the picture of a circuit.

    Frame 0 is the forward pass, frame 1 the 1 that the backward pass starts with, and each further frame one step of it.

    Args:
        run: a circuit, with numbers or without.
        late: put each input right before the gate that reads it first, rather than all at the left; None does so in large circuits.
        rounding: how numbers are printed; None is four significant digits.
        local: write the local gradient on each edge.
        gradients: write gradients below the edges; None does unless ``local`` is asked for.
        patterns: say below each gate what it does with a gradient.
        bare: begin with a frame without numbers; the forward pass is then frame 1.
        listed: paths from one node to the output with their products: written below the picture, one a line, then their sum.

    Raises:
        DeclarationError: it has too many gates to be read.
    """
    circuit = run.circuit if isinstance(run, CircuitRun) else run
    if len(circuit.gates) > MAX_GATES:
        raise DeclarationError(
            f"graph {circuit.name} has {len(circuit.gates)} gates, a picture holds {MAX_GATES}: draw a part of it, or fuse gates"
        )
    numbers = run if isinstance(run, CircuitRun) else None
    shown = not local if gradients is None else gradients
    late = len(circuit.gates) > 12 if late is None else late
    plan = _Plan(circuit, numbers, rounding or Rounding(), local, shown, patterns, late)
    scene = plan.with_paths(plan.draw(), listed) if listed else plan.draw()
    return _later(scene) if bare else scene


def _later(scene: Scene) -> Scene:
    """Let numbers come a frame later, so that the first shows the circuit alone."""
    edges = tuple(replace(e, marks=tuple(replace(m, step=m.step + 1) for m in e.marks)) for e in scene.edges)
    words = tuple(replace(w, step=w.step + 1) if w.role != "muted" else w for w in scene.words)
    return replace(scene, edges=edges, words=words)


@dataclass(frozen=True)
class _Plan:
    circuit: Circuit
    run: CircuitRun | None
    rounding: Rounding
    local: bool
    gradients: bool
    patterns: bool
    late: bool

    def draw(self) -> Scene:
        """Return the scene with as little room as its labels need."""
        best: tuple[tuple[int, int], Scene] | None = None
        for grow in (1.0, 1.12, 1.25, 1.45, 1.7, 2.0):
            scene = self.scene(NODE_GAP * grow, grow)
            faults = len(boxes.overlaps(scene)), len(boxes.crossings(scene))
            if best is None or faults < best[0]:
                best = faults, scene
            if faults == (0, 0):
                break
        assert best is not None
        return best[1]

    def scene(self, node_gap: float, spread: float) -> Scene:
        circuit = self.circuit
        wires = [(n, g.name, k) for g in circuit.gates for k, n in enumerate(g.inputs)]
        marks = {wire: self.marks(*wire) for wire in wires}
        end = "\0end"
        pairs = [(a, b) for a, b, _ in wires] + [(circuit.output, end)]
        leaving = self.leaving()
        nodes = {n: self.node(n) for n in circuit.nodes}
        columns = layers((*circuit.nodes, end), pairs)
        if self.late:
            for n in circuit.inputs:
                columns[n] = min((columns[b] for a, b in pairs if a == n), default=1) - 1
        placed = layered((*circuit.nodes, end), pairs, columns=columns, node_gap=node_gap)
        widths = [1.5] * max(placed.columns.values())
        for a, ms in [*((a, ms) for (a, _, _), ms in marks.items()), (circuit.output, leaving)]:
            # A label on the edge stands behind those beside it.
            beside = max((boxes.extent(m.label)[0] for m in ms if m.side != "on"), default=0.0)
            on = max((boxes.extent(m.label)[0] + 0.2 for m in ms if m.side == "on"), default=0.0)
            c = placed.columns[a]
            widths[c] = max(widths[c], beside + on + 0.15 + nodes[a].width / 2 + CIRCLE / 2)
        for c in range(len(widths)):
            across = [nodes[n].width for n in circuit.nodes if placed.columns[n] in (c, c + 1)]
            widths[c] = max(widths[c] * spread, max(across, default=0.0) + 0.9)
        placed = layered((*circuit.nodes, end), pairs, columns=columns, widths=widths, node_gap=node_gap)
        drawn = [replace(node, x=placed.at[n][0], y=placed.at[n][1]) for n, node in nodes.items()]
        last = Node("end", word(circuit.output), *placed.at[end], shape="none", role="output", title=f"output {circuit.output}")
        twice: dict[tuple[str, str], int] = {}
        edges = []
        for (a, b, k), via in zip(wires, placed.via, strict=False):
            number = twice[a, b] = twice.get((a, b), 0) + 1
            same = circuit.gate[b].inputs.count(a)
            if same > 1 and not via:
                via = _bent(placed.at[a], placed.at[b], number, same)
            edges.append(Edge(_id(a), _id(b), marks[a, b, k], _unbent(placed.at[a], via, placed.at[b])))
        edges.append(Edge(_id(circuit.output), "end", leaving))
        scene = Scene(self.title(), (*drawn, last), tuple(edges))
        scene = settled(replace(scene, words=self.words(scene, drawn)))
        for node in drawn:
            scene = self.with_sum(scene, node)
        return scene

    def title(self) -> str:
        backward = " and gradients" if self.run is not None and self.gradients else ""
        return f"Graph of {self.circuit.output}: values{backward}" if self.run is not None else f"Graph of {self.circuit.output}"

    def node(self, name: str) -> Node:
        if name in self.circuit.gate:
            gate = self.circuit.gate[name]
            label = gate_label(gate)
            wide = boxes.extent(label)[0]
            does = f", {PATTERNS[gate.pattern]}" if gate.pattern else ""
            title = f"{name}: {label.plain} of {', '.join(gate.inputs)}{does}"
            if wide <= _FITS:
                return Node(_id(name), label, 0.0, 0.0, "circle", CIRCLE, CIRCLE, "gate", title=title)
            return Node(_id(name), label, 0.0, 0.0, "rounded", round(wide + 0.3, 3), 0.75, "gate", title=title)
        return Node(_id(name), word(name), 0.0, 0.0, "none", max(0.4, boxes.extent(word(name))[0]), 0.5, "input", title=f"input {name}")

    def marks(self, source: str, consumer: str, position: int) -> tuple[Mark, ...]:
        run = self.run
        found = []
        if run is not None:
            found.append(Mark(self.number(run.values[source]), "above", role="value"))
        elif source in self.circuit.gate:
            found.append(Mark(word(source), "above", role="muted"))
        if self.local:
            slope = None if run is None else run.step[consumer, position].local
            side = "on" if run is not None and self.gradients else "below"
            found.append(Mark(self.slope(consumer, source, slope), side, role="local"))
        if run is not None and self.gradients:
            step = run.step[consumer, position]
            found.append(Mark(self.number(step.product), "below", role="gradient", step=2 + run.number[consumer, position]))
        return tuple(found)

    def leaving(self) -> tuple[Mark, ...]:
        run = self.run
        if run is None:
            return ()
        value = Mark(self.number(run.values[self.circuit.output]), "above", role="value")
        return (value, Mark(self.number(1.0), "below", role="gradient", step=1)) if self.gradients else (value,)

    def words(self, scene: Scene, drawn: Sequence[Node]) -> tuple[Words, ...]:
        """Names that were given, and patterns: above or below their gate, where no edge runs."""
        lines = list(boxes.paths(scene))
        taken = [boxes.node_box(n) for n in scene.nodes]
        found: list[Words] = []
        for name, node in zip(self.circuit.nodes, drawn, strict=True):
            gate = self.circuit.gate.get(name)
            if gate is None:
                continue
            wanted = []
            if self.run is not None and name in self.circuit.named and name != self.circuit.output:
                wanted.append((word(name), ("south", "north")))
            if self.patterns and gate.pattern:
                wanted.append((Label(PATTERNS[gate.pattern]), ("north", "south")))
            for label, sides in wanted:
                tried = []
                for place, (dx, side) in enumerate((dx, side) for dx in (0.0, -0.5, 0.5) for side in sides):
                    x = node.x + dx * (boxes.extent(label)[0] + 0.1)
                    y = node.y + (node.height / 2 + 0.08) * (1 if side == "south" else -1)
                    words = Words(label, x, y, side, "muted")
                    box = _words_box(words)
                    tried.append(((not _free([box], taken, 0.02), _crossed([box], lines, -1) > 0, place), words, box))
                _, words, box = min(tried, key=lambda t: t[0])
                found.append(words)
                taken.append(box)
        return tuple(found)

    def with_sum(self, scene: Scene, node: Node) -> Scene:
        """Write the sum of what a branch gets back beside its node: at the first place that is free, in short if there is none."""
        name = node.id.removeprefix("n-")
        readers = self.circuit.consumers[name]
        if self.run is None or not self.gradients or len(readers) < 2:
            return scene
        arrived = sorted(self.run.number[r] for r in readers)
        total = self.number(self.run.gradients[name])
        terms = [_bracketed(self.number(self.run.step[r].product)) for r in readers]
        labels = [Label(f"Σ = {total.plain}", rf"\Sigma = {total.latex}")]
        if len(terms) <= 3:
            plain, latex = (" + ".join(t) for t in zip(*((t.plain, t.latex) for t in terms), strict=True))
            labels.insert(0, Label(f"{plain} = {total.plain}", f"{latex} = {total.latex}"))
        lines = list(boxes.paths(scene))
        taken = [b for b in boxes.label_boxes(scene) if b.what != f"node {node.id}"]
        tried = []
        for number, label in enumerate(labels):
            for place, words in enumerate(self.places(node, label)):
                box = _words_box(words)
                cost = (not _free([box], taken, 0.05), bool(_crossed([box], lines, -1)), number, place)
                tried.append((cost, words, box))
        _, words, box = min(tried, key=lambda t: t[0])
        words = replace(words, step=2 + arrived[-1])
        more: tuple[Words, ...] = (words,)
        if self.patterns:
            more = (words, Words(Label("branches add"), (box.left + box.right) / 2, box.bottom - 0.06, "north", "muted"))
        return replace(scene, words=(*scene.words, *more))

    def places(self, node: Node, label: Label) -> list[Words]:
        """Where the sum at a branch may stand, best first."""
        box = boxes.node_box(node)
        wide = boxes.extent(label)[0]
        found = []
        if node.role == "input":
            found.append(Words(label, box.left - 0.1, node.y, "east", "gradient"))
        for dx in (0.0, -0.5 * wide, 0.5 * wide, -0.8 * wide):
            found.append(Words(label, node.x + dx, box.bottom - 0.08, "north", "gradient"))
            found.append(Words(label, node.x + dx, box.top + 0.45, "south", "gradient"))
        return found

    def with_paths(self, scene: Scene, listed: Sequence[tuple[Sequence[str], float]]) -> Scene:
        """List paths below the picture: their nodes, their local gradients, their products; then the sum."""
        assert self.run is not None
        room = boxes.bounds(scene, margin=0.0)
        lines = []
        for names, product in listed:
            way = " → ".join(word(n).plain for n in names)
            way_latex = r" \to ".join(word(n).latex for n in names)
            slopes = []
            for a, b in pairwise(names):
                edge = next(edge for edge in self.circuit.consumers[a] if edge[0] == b)
                slopes.append(_bracketed(self.number(self.run.step[edge].local)))
            plain = f"{way}:  {' · '.join(s.plain for s in slopes)} = {self.number(product).plain}"
            factors = r" \cdot ".join(s.latex for s in slopes)
            latex = rf"{way_latex}: \quad {factors} = {self.number(product).latex}"
            lines.append(Label(plain, latex))
        source = listed[0][0][0]
        total, of = self.number(self.run.gradients[source]), quotient(word(self.circuit.output), word(source))
        terms = [_bracketed(self.number(product)) for _, product in listed]
        plain, latex = " + ".join(t.plain for t in terms), " + ".join(t.latex for t in terms)
        lines.append(Label(f"{of.plain} = {plain} = {total.plain}", f"{of.latex} = {latex} = {total.latex}"))
        words = []
        for k, label in enumerate(lines):
            role = "gradient" if k == len(lines) - 1 else "local"
            words.append(Words(label, room.left, room.bottom - 0.5 - 0.6 * k, "west", role, step=scene.last_step + 1 + k))
        return replace(scene, words=(*scene.words, *words))

    def number(self, value: float) -> Label:
        shown = exact(value).item()
        return Label(self.rounding.text(shown), self.rounding.latex(shown))

    def slope(self, top: str, bottom: str, value: float | None) -> Label:
        made = quotient(word(top), word(bottom))
        if value is None:
            return made
        number = self.number(value)
        return Label(f"{made.plain} = {number.plain}", f"{made.latex} = {number.latex}")


def _bracketed(label: Label) -> Label:
    return Label(f"({label.plain})", f"({label.latex})") if label.plain.startswith("-") else label


def settled(scene: Scene) -> Scene:
    """Shift labels along their edges until they touch nothing: each goes to the first place that is free."""
    lines = list(boxes.paths(scene))
    fixed = [boxes.node_box(n) for n in scene.nodes]
    fixed += [b for b in boxes.label_boxes(replace(scene, edges=())) if b.what.startswith("words")]
    edges = []
    for number, (edge, points) in enumerate(lines):
        marks: list[Mark] = []
        # Value and gradient of an edge face each other: they move together, and apart only where there is no room. What stands on
        # the edge moves by itself.
        apart = _PLACES if any(m.side == "on" for m in edge.marks) else (0.5,)
        for air, place, on in ((air, place, on) for air in (0.14, 0.03) for place in _PLACES for on in apart):
            moved = [replace(m, at=on if m.side == "on" else place) for m in edge.marks]
            found = [_box(m, points) for m in moved]
            alone = not any(a.touches(b, 0.02) for k, a in enumerate(found) for b in found[:k])
            if alone and _free(found, fixed, air) and not _marked(moved, found, lines, number):
                marks = moved
                break
        else:
            taken = list(fixed)
            for m in edge.marks:
                tried = []
                for place in _PLACES:
                    moved_one = replace(m, at=place)
                    box = _box(moved_one, points)
                    cost = (not _free([box], taken, 0.03), _marked([moved_one], [box], lines, number), abs(place - 0.5), place)
                    tried.append((cost, moved_one, box))
                _, best, box = min(tried, key=lambda t: t[0])
                marks.append(best)
                taken.append(box)
        fixed += [_box(m, points) for m in marks]
        edges.append(replace(edge, marks=tuple(marks)))
    return replace(scene, edges=tuple(edges))


def _box(mark: Mark, points: Sequence[boxes.Point]) -> boxes.Box:
    (x, y), (wide, tall) = boxes.mark_centre(points, mark), boxes.extent(mark.label)
    return boxes.Box("", x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2)


def _free(found: Sequence[boxes.Box], fixed: Sequence[boxes.Box], air: float) -> bool:
    return not any(a.touches(b, air) for a in found for b in fixed)


def _crossed(found: Sequence[boxes.Box], lines: Sequence[tuple[Edge, tuple[boxes.Point, ...]]], own: int) -> int:
    return sum(boxes.meets(box, a, b) for k, (_, points) in enumerate(lines) if k != own for a, b in pairwise(points) for box in found)


def _marked(marks: Sequence[Mark], found: Sequence[boxes.Box], lines: Sequence[tuple[Edge, tuple[boxes.Point, ...]]], own: int) -> int:
    """How often labels at an edge are crossed: by other edges, and by another part of their own unless they stand on it."""
    return sum(_crossed([box], lines, own if mark.side == "on" else -1) for mark, box in zip(marks, found, strict=True))


def _words_box(words: Words) -> boxes.Box:
    (x, y), (wide, tall) = boxes.words_centre(words), boxes.extent(words.label)
    return boxes.Box("", x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2)


def _bent(a: boxes.Point, b: boxes.Point, number: int, count: int) -> tuple[boxes.Point, ...]:
    """Lead parallel edges apart."""
    off = (number - (count + 1) / 2) * -1.1
    y = round((a[1] + b[1]) / 2 + off, 3)
    return tuple((round(a[0] + share * (b[0] - a[0]), 3), y) for share in (0.35, 0.65))


def _unbent(a: boxes.Point, via: tuple[boxes.Point, ...], b: boxes.Point) -> tuple[boxes.Point, ...]:
    """Drop points that lie on the straight line between their neighbours."""
    points = [a, *via, b]
    k = 1
    while k < len(points) - 1:
        (ax, ay), (px, py), (bx, by) = points[k - 1 : k + 2]
        if abs((bx - ax) * (py - ay) - (by - ay) * (px - ax)) < 1e-3:
            del points[k]
        else:
            k += 1
    return tuple(points[1:-1])


def word(name: str) -> Label:
    """Return a node's name as a label: W1_12 is entry 12 of layer 1, x1 and x_1 have a subscript, alpha is a Greek letter."""
    entry = re.fullmatch(r"([A-Za-z])(\d+)_(\d+)", name)
    if entry:
        letter, layer, place = entry.groups()
        return Label(f"{letter}_{place}^({layer})", tex_word(name))
    match = re.fullmatch(r"([A-Za-z]+)_?(\d+)", name)
    head, below = match.groups() if match else (name.partition("_")[0], name.partition("_")[2])
    head = plain_word(head) if head else "_"
    # Braces hold further underscores together.
    return Label(f"{head}_{below}" if below.isalnum() else f"{head}_{{{below}}}" if below else head, tex_word(name))


def quotient(top: Label, bottom: Label) -> Label:
    """Return ∂top/∂bottom on one line."""
    return Label(f"∂{top.plain}/∂{bottom.plain}", rf"\partial {top.latex} / \partial {bottom.latex}")


_SIGNS = {"+": ("+", "+"), "-": ("−", "-"), "*": ("×", r"\times"), "/": ("/", "/"), "neg": ("×−1", r"\times {-1}")}


def gate_label(gate: Gate) -> Label:
    """Return what stands in a gate's circle: its operation, with the number that it holds."""
    if gate.operation == "statement":
        return word(gate.name)
    constants = [c for c in gate.operands if c]
    if gate.operation in _SIGNS:
        plain, latex = _SIGNS[gate.operation]
        if not constants:
            return Label(plain, latex)
        number = _constant(constants[0])
        if gate.operation in ("+", "*") or not gate.operands[0]:
            return Label(plain + number.plain, f"{latex} {number.latex}")
        return Label(f"{number.plain}{plain}x", f"{number.latex} {latex} x")
    if gate.operation == "**":
        base, exponent = (_constant(c) if c else Label(v, v) for c, v in zip(gate.operands, "xy" if not constants else "xx", strict=True))
        return Label(f"{base.plain}^{{{exponent.plain}}}", f"{base.latex}^{{{exponent.latex}}}")
    name = gate.operation
    if name in ("abs", "sqrt", "floor"):
        plain = {"abs": "|x|", "sqrt": "√x", "floor": "⌊x⌋"}[name]
        return Label(plain, {"abs": r"\lvert x \rvert", "sqrt": r"\sqrt{x}", "floor": r"\lfloor x \rfloor"}[name])
    shown = Label(Unicode().function(name), Latex().function(name))
    if not constants:
        return shown
    arguments = [_constant(c) if c else Label("x", "x") for c in gate.operands]
    return Label(f"{shown.plain}({', '.join(a.plain for a in arguments)})", f"{shown.latex}({', '.join(a.latex for a in arguments)})")


def _constant(text: str) -> Label:
    if text == "pi":
        return Label("π", r"\pi")
    if re.fullmatch(r"[0-9.]+", text):
        return Label(text, text)
    return Label(text, rf"\mathrm{{{text}}}" if text.isalnum() else text.replace("**", "^").replace("*", r" \cdot "))


def _id(name: str) -> str:
    return f"n-{name}"


__all__ = ["MAX_GATES", "PATTERNS", "circuit_scene", "gate_label", "quotient", "settled", "word"]
