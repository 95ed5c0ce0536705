"""A network's picture: its neurons in layers, or a box for each of its layers."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from sympy import Expr

from symbackprop.declare.model import Model
from symbackprop.errors import DeclarationError
from symbackprop.present.letters import close_word, upright_word
from symbackprop.present.naming import Layer, Name, Naming, network_naming
from symbackprop.present.notation import Notation
from symbackprop.present.notation import notation as named_notation
from symbackprop.present.scene.boxes import Box, Point, crossings, extent, label_boxes, mark_centre, meets, overlaps, paths
from symbackprop.present.scene.layout import Layout, layered, layers
from symbackprop.present.scene.records import Edge, Label, Mark, Node, Scene, Words
from symbackprop.present.symbols import Symbols
from symbackprop.present.writer import Latex, Unicode

#: Numbers of weights and biases, by the names of the parameters.
Values = Mapping[str, Any]

KINDS = ("auto", "neurons", "boxes")
VIEWS = ("same", "own")
#: A layer of more units shows the first three, dots, and the last.
_MOST_UNITS = 5
#: A network of more columns shows the first three, dots, and the last two.
_MOST_COLUMNS = 7
#: A chain of more boxes shows the first three, dots, and the last two.
_MOST_BOXES = 7
_SIZE = 0.9


@dataclass(frozen=True)
class Labels:
    """Writes names for every writer at once.

    Attributes:
        notation: the letters.
        naming: the names of the tensors.
    """

    notation: Notation
    naming: Naming

    def _both(self) -> tuple[Symbols, Symbols]:
        return Symbols(self.notation, self.naming, Unicode()), Symbols(self.notation, self.naming, Latex())

    def tensor(self, model: Model, tensor: str, indices: Sequence[str] = ()) -> Label:
        """Write a tensor of a network, or one entry of it, with the letters of one sample."""
        record = model.system.tensors[tensor]
        if not indices and record.axes and record.axes[0].extent == model.batch:
            return self.name(self.naming.of(tensor))
        plain, latex = (s.tensor(record, indices, whole=not indices).text for s in self._both())
        return Label(plain, latex)

    def name(self, name: Name, indices: Sequence[str] = ()) -> Label:
        """Write a name, or one entry of what bears it."""
        plain, latex = (s.name(name, indices, whole=not indices).text for s in self._both())
        return Label(plain, latex)

    def size(self, extent: Expr) -> Label:
        """Write a size."""
        plain, latex = (s.size(extent) for s in self._both())
        return Label(plain, latex)

    def number(self, layer: Layer) -> str:
        """Write a layer's number, in plain text."""
        return Symbols(self.notation, self.naming, Unicode()).number(layer)

    def hypothesis(self) -> Label:
        """Write what the network computes: h of x with its parameters below, or f where h is another letter."""
        n = self.notation
        taken = {n.activation, n.pre, n.input, n.function}
        letter = "h" if "h" not in taken else "f" if "f" not in taken else "F"
        below = (n.weight,) if n.folded else (n.weight, n.bias)
        plain = f"{letter}_{{{','.join(map(Unicode().letter, below))}}}"
        latex = f"{letter}_{{{','.join(map(Latex().letter, below))}}}"
        x_plain, x_latex = (s.name(Name("input", extended=n.folded)).text for s in self._both())
        return Label(f"{plain}({x_plain})", f"{latex}({x_latex})")


def network_scene(
    model: Model,
    notation: str | Notation = "ufldl",
    kind: str = "auto",
    *,
    naming: Naming | None = None,
    activation_layer: str | None = None,
    highlight: str | None = None,
    frames: bool = False,
    loss: bool = False,
    values: Values | None = None,
    captions: bool = True,
    note: Label | None = None,
) -> Scene:
    """Return a network's picture.

    Args:
        model: the network.
        notation: a preset's name or a record.
        kind: "neurons" draws each unit, for a chain of dense layers; "boxes" draws each layer, for any wiring; "auto" draws
            neurons where that can be.
        naming: the names of its tensors; None numbers the layers of a chain.
        activation_layer: "own" draws activations apart, "same" with the layer in front of them.
        highlight: one weight or one error term as printed, ``"dense_1.W[1,3]"`` or ``"dense_1.z[2]"``: all ways from it to the
            output stand out.
        frames: let what stands out come step by step, from the output back; the rest is there from the start.
        loss: draw the target and the loss too (boxes).
        values: numbers to write on the edges, for each weight and bias by name.
        captions: write what each layer is below it.
        note: a formula below what stands out; with frames it appears on the last one.

    Raises:
        DeclarationError: an unknown word, or a network whose neurons cannot be drawn.
    """
    record = named_notation(notation)
    if kind not in KINDS:
        raise DeclarationError(f"picture of network {model.name}: kind must be one of {', '.join(KINDS)}, got {str(kind)[:40]!r}")
    view = activation_layer or record.activation_layer
    if view not in VIEWS:
        raise DeclarationError(
            f"picture of network {model.name}: activation_layer must be one of {', '.join(VIEWS)}, got {str(view)[:40]!r}"
        )
    record = replace(record, activation_layer=view)
    labels = Labels(record, naming or network_naming(model))
    if kind == "auto":
        kind = "neurons" if highlight is not None or values or _layered(model, labels) else "boxes"
    if kind == "boxes":
        if highlight is not None or values:
            raise DeclarationError(f"picture of network {model.name}: highlight= and values= are for kind='neurons'")
        return _Boxes(model, labels, view == "own", loss, captions).scene()
    return _Neurons(model, labels, view == "own", highlight, values or {}).scene(frames, captions, note)


# --- neurons ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Column:
    """A layer of units.

    Attributes:
        tensor: its values.
        units: how many, a number or a symbol.
        role: of its nodes.
        captions: what it is, line by line.
        weight: the matrix that leads here from the column before, or None where there is none.
        bias: the bias that leads here, or None.
        error: the tensor of its error terms, or None.
        straight: whether each unit reads only the one beside it.
    """

    tensor: str
    units: Expr
    role: str
    captions: tuple[str, ...]
    weight: str | None = None
    bias: str | None = None
    error: str | None = None
    straight: bool = False


def _columns(model: Model, labels: Labels, own: bool) -> tuple[_Column, ...]:
    """Take a chain of dense layers apart into columns of units."""

    def refuse(why: str) -> DeclarationError:
        return DeclarationError(f"picture of network {model.name}: {why}, so its neurons cannot be drawn; draw kind='boxes'")

    def units(tensor: str) -> Expr:
        axes = model.system.tensors[tensor].axes
        inner = axes[1:] if axes and axes[0].extent == model.batch and model.per == "batch" else axes
        if len(inner) != 1:
            raise refuse(f"{tensor} is no vector")
        return inner[0].extent

    def caption(word: str, tensor: str, function: str | None) -> tuple[str, ...]:
        where = labels.naming.of(tensor).layer
        number = "" if where is not None and where.named else f"layer {labels.number(where or Layer(0))}"
        return tuple(filter(None, (number, word, function or "")))

    def activated(tensor: str, function: str | None) -> _Column:
        # Softmax mixes the units: beside them it reads their sum.
        straight = next(len(e.reads) for e in model.system.equations if e.tensor.name == tensor) == 1
        return _Column(tensor, units(tensor), "hidden", caption("hidden", tensor, function), straight=straight)

    if len(model.inputs) != 1:
        raise refuse("it has several inputs")
    value = model.inputs[0]
    found = [_Column(value, units(value), "input", caption("input", value, None))]
    for layer in model.layers:
        if layer.inputs != (value,) or layer.others:
            raise refuse("it is no chain of layers")
        value = layer.output
        if layer.kind == "Dense":
            assert layer.pre is not None
            weight, bias = layer.parameters[0], layer.parameters[1] if len(layer.parameters) > 1 else None
            apart = own and layer.activation is not None
            here = layer.pre if apart else value
            function = None if apart else layer.activation
            found.append(_Column(here, units(value), "hidden", caption("hidden", here, function), weight, bias, f"delta.{layer.name}"))
            if apart:
                found.append(activated(value, layer.activation))
        elif layer.kind == "Activation":
            if own:
                found.append(activated(value, layer.activation))
            else:
                found[-1] = replace(found[-1], tensor=value, captions=caption("hidden", value, layer.activation))
        else:
            raise refuse(f"layer {layer.name} is a {layer.kind}")
    last = found[-1]
    return (*found[:-1], replace(last, role="output", captions=tuple("output" if c == "hidden" else c for c in last.captions)))


def _layered(model: Model, labels: Labels) -> bool:
    """Whether the neurons of a network can be drawn."""
    try:
        _columns(model, labels, own=False)
    except DeclarationError:
        return False
    return True


@dataclass(frozen=True)
class _Unit:
    """A unit on paper.

    Attributes:
        index: as it is written; "" stands for those that are left out, "0" for the bias unit.
        id: of its node.
        x: where it stands.
        y: where it stands.
    """

    index: str
    id: str
    x: float
    y: float


@dataclass(frozen=True)
class _Way:
    """What stands out: the unit of a column at which the ways begin, and the unit before it whose weight is meant."""

    column: int
    unit: str
    source: str | None = None


class _Neurons:
    """Units in columns, each joined to those of the column before."""

    def __init__(self, model: Model, labels: Labels, own: bool, highlight: str | None, values: Values) -> None:
        self.model, self.labels, self.values = model, labels, values
        self.columns = _columns(model, labels, own)
        self.first = labels.notation.folded
        self.way = None if highlight is None else self._chosen(highlight)
        self.shown = self._shown()
        pitch = 1.75 if self.way else 1.9 if values else 1.3
        rows = {k: self._indices(k) for k in self.shown if k is not None}
        tallest = max(map(len, rows.values())) + 1
        # A steep edge would run through the neighbour of its end.
        widest = max(extent(Label(line))[0] for c in self.columns for line in c.captions)
        gap = max(2.8 if pitch < 1.5 else 3.9, (0.62 if values else 0.5) * pitch * tallest, widest + 0.2)
        self.at: dict[int, float] = {}
        dots, x = [], 0.0
        for k in self.shown:
            if k is None:
                dots.append(x - gap + 1.3)
                x += 2.6 - gap
            else:
                self.at[k] = x
                x += gap
        self.dots = tuple(dots)
        self.units: dict[int, tuple[_Unit, ...]] = {}
        for k, indices in rows.items():
            top = pitch * (len(indices) - 1) / 2
            units = [
                _Unit(i, f"c{k}-{i if i.isdigit() else 'last' if i else f'dots{r}'}", self.at[k], top - pitch * r)
                for r, i in enumerate(indices)
            ]
            if k + 1 < len(self.columns) and self.columns[k + 1].bias is not None:
                units.append(_Unit("0", f"c{k}-bias", self.at[k], top + pitch if self.first else -top - pitch))
            self.units[k] = tuple(units)

    def scene(self, frames: bool, captions: bool, note: Label | None) -> Scene:
        nodes = [self._node(k, unit) for k, units in self.units.items() for unit in units]
        nodes += [Node(f"columns-dots{r}", Label("⋯", r"\cdots"), x, 0.0, "none", title="further layers") for r, x in enumerate(self.dots)]
        edges = [e for k in self.units if k - 1 in self.units for e in self._edges(k, frames)]
        ends, arrows, words = self._output(frames)
        words += self._error_words(frames)
        low = min(n.y for n in nodes) - (0.75 if self.way is None else 1.1)
        if captions:
            lines = [(k, r, line) for k in self.at for r, line in enumerate(self.columns[k].captions)]
            words += [Words(Label(line), self.at[k], low - 0.45 * r, "north", "muted" if r else "plain") for k, r, line in lines]
            low -= 0.45 * max(len(c.captions) for c in self.columns)
        if note is not None:
            last = max((e.step for e in edges), default=0)
            middle = (min(n.x for n in nodes) + max(n.x for n in (*nodes, *ends))) / 2
            words.append(Words(note, middle, low - 0.35, "north", "plain", last))
        sizes = ", ".join(str(c.units) for c in self.columns)
        scene = Scene(f"{self.model.name}: layers of {sizes} units", (*nodes, *ends), (*edges, *arrows), tuple(words))
        return settled(scene)

    # --- what is shown ---

    def _chosen(self, written: str) -> _Way:
        """Read which weight or error term stands out."""
        match = re.fullmatch(r"\s*([A-Za-z_][\w.]*)\s*\[\s*(\d+)\s*(?:,\s*(\d+)\s*)?\]\s*", str(written))
        if match is None:
            raise DeclarationError(f"highlight: {str(written)[:40]!r} must read like 'dense_1.W[1,3]', 'dense_1.b[2]' or 'dense_1.z[2]'")
        tensor, row, column = match.groups()
        weights = {c.weight: k for k, c in enumerate(self.columns) if c.weight}
        biases = {c.bias: k for k, c in enumerate(self.columns) if c.bias}
        units = {name: k for k, c in enumerate(self.columns) for name in (c.tensor, c.error) if name and k}
        units |= {f"{c.error.removeprefix('delta.')}.z": k for k, c in enumerate(self.columns) if c.error}
        known = weights | biases | units
        names = [str(name) for name in known]
        if tensor not in known:
            raise DeclarationError(
                f"highlight: network {self.model.name} has no {tensor[:40]!r}{close_word(tensor, names)} (known: {', '.join(names)})"
            )
        k = known[tensor]
        if (column is not None) != (tensor in weights):
            raise DeclarationError(f"highlight: {tensor} takes {'two indices, a row and a column' if tensor in weights else 'one index'}")
        if column is None:
            self._within(k, row, written)
            return _Way(k, str(int(row)), "0" if tensor in biases else None)
        # Indices count as they are printed: where the source comes first, so it does here, and column 0 may be the bias.
        unit, source = (column, row) if self.labels.notation.weight_index == "source first" else (row, column)
        self._within(k, unit, written)
        if not (int(source) == 0 and self.first and self.columns[k].bias):
            self._within(k - 1, source, written)
        return _Way(k, str(int(unit)), str(int(source)))

    def _within(self, k: int, index: str, written: str) -> None:
        units = self.columns[k].units
        if int(index) < 1 or (units.is_Integer and int(index) > int(units)):
            raise DeclarationError(f"highlight: {written} counts from 1, and the layer has {units} units")

    def _shown(self) -> tuple[int | None, ...]:
        """The columns that are drawn; None is where dots stand for the rest."""
        count = len(self.columns)
        keep = set(range(count)) if count <= _MOST_COLUMNS else {0, 1, 2, count - 2, count - 1}
        if self.way:
            keep |= {self.way.column, self.way.column - 1}
        shown: list[int | None] = []
        for k in sorted(keep):
            if shown and shown[-1] != k - 1:
                shown.append(None)
            shown.append(k)
        return tuple(shown)

    def _indices(self, k: int) -> list[str]:
        """The units of a column that are drawn; "" is where dots stand for the rest."""
        units = self.columns[k].units
        if not units.is_Integer:
            return ["1", "2", "3", "", "last"]
        count = int(units)
        kept = set(range(1, count + 1)) if count <= _MOST_UNITS else {1, 2, 3, count}
        if self.way:
            asked = {self.way.column: self.way.unit, self.way.column - 1: self.way.source}.get(k)
            kept |= {int(asked)} - {0} if asked else set()
        found: list[str] = []
        for i in sorted(kept):
            if i > 1 and found[-1] != str(i - 1):
                found.append("")
            found.append(str(i))
        return found

    def _ahead(self, k: int, unit: _Unit) -> bool:
        """Whether a way from what stands out leads through a unit."""
        if self.way is None or k < self.way.column or unit.index in ("", "0"):
            return False
        straight = all(c.straight for c in self.columns[self.way.column + 1 : k + 1])
        return unit.index == self.way.unit if straight else True

    def _step(self, k: int, frames: bool) -> int:
        """The frame on which the ways of a column stand out: from the output back."""
        return len([c for c in self.shown if c is not None and c >= k]) if frames else 0

    # --- nodes ---

    def _entry(self, tensor: str, *index: str, k: int) -> Label:
        sizes = self.labels.size(self.columns[k].units)
        written = [(sizes.plain, sizes.latex) if i == "last" else (i, i) for i in index]
        plain, latex = (self.labels.tensor(self.model, tensor, [w[r] for w in written]) for r in (0, 1))
        return Label(plain.plain, latex.latex)

    def _node(self, k: int, unit: _Unit) -> Node:
        column = self.columns[k]
        asked = self.way is not None and (k, unit.index) == (self.way.column - 1, self.way.source)
        quiet = self.way is not None and not self._ahead(k, unit) and not asked
        if not unit.index:
            return Node(unit.id, Label("⋮", r"\vdots"), unit.x, unit.y, "none", role="muted" if quiet else "plain", title="further units")
        label, role, title = Label("+1", "+1"), "bias", "bias unit, always 1"
        if unit.index != "0":
            label, role, title = self._entry(column.tensor, unit.index, k=k), column.role, ""
        elif self.first:
            label = self._entry(column.tensor, "0", k=k)
        return Node(unit.id, label, unit.x, unit.y, width=_SIZE, height=_SIZE, role="muted" if quiet else role, title=title)

    def _output(self, frames: bool) -> tuple[list[Node], list[Edge], list[Words]]:
        """What the last units lead to: the loss, where ways end there, else the network's value."""
        last = len(self.columns) - 1
        units = [u for u in self.units[last] if u.index]
        right = self.at[last] + 1.3
        if self.way and self.model.loss is not None:
            name = self.labels.name(self.labels.naming.loss)
            ends = [Node("loss", name, right + 0.7, 0.0, "rounded", _SIZE, _SIZE, "loss", title="loss")]
            return ends, [e for u in units for e in self._edge(u.id, "loss", self._ahead(last, u), 1 if frames else 0)], []
        label = self.labels.hypothesis()
        alone = len(units) == 1
        across = right + 0.15 + extent(label)[0] / 2 if alone else right
        ends = [Node(f"out-{u.id}", label if alone else Label(""), across, u.y, "none", 0.1, 0.1, title="output") for u in units]
        arrows = [e for u in units for e in self._edge(u.id, f"out-{u.id}", self._ahead(last, u), 1 if frames else 0)]
        return ends, arrows, [] if alone else [Words(label, right + 0.15, 0.0, "west")]

    def _error_words(self, frames: bool) -> list[Words]:
        """The error terms on the ways, each below its unit."""
        found = []
        for k, units in self.units.items():
            error = self.columns[k].error
            for u in units:
                if error is not None and self._ahead(k, u):
                    label = self.labels.name(self.labels.naming.of(error), (u.index,))
                    # A fraction is taller than its line of plain text.
                    air = 0.12 if "frac" in label.latex else 0.04
                    found.append(Words(label, u.x, u.y - _SIZE / 2 - air, "north", "gradient", self._step(k, frames)))
        return found

    # --- edges ---

    def _edges(self, k: int, frames: bool) -> list[Edge]:
        column = self.columns[k]
        found: list[Edge] = []
        for target in self.units[k]:
            for source in self.units[k - 1]:
                if "" in (source.index, target.index) or target.index == "0":
                    continue
                if column.straight and source.index != target.index:
                    continue
                asked = self.way is not None and (k, target.index, source.index) == (self.way.column, self.way.unit, self.way.source)
                ahead = asked or (self._ahead(k, target) and self._ahead(k - 1, source))
                step = self._step(k, frames) + 1 if ahead and frames else 0
                marks: tuple[Mark, ...] = ()
                if asked or self.values:
                    marks = self._mark(k, target.index, source.index, step, "highlight" if asked else "plain")
                found += self._edge(source.id, target.id, ahead, step, marks)
        return found

    def _edge(self, source: str, target: str, ahead: bool, step: int, marks: tuple[Mark, ...] = ()) -> list[Edge]:
        """An edge; one that stands out later is there before, quietly."""
        if self.way is None:
            return [Edge(source, target, marks)]
        quiet = Edge(source, target, role="muted")
        loud = Edge(source, target, marks, role="highlight", step=step)
        return [quiet, loud] if ahead and step else [loud] if ahead else [quiet]

    def _mark(self, k: int, target: str, source: str, step: int, role: str) -> tuple[Mark, ...]:
        """The weight at an edge: its number if there are numbers, else its name."""
        column = self.columns[k]
        name = column.bias if source == "0" else column.weight
        if name is None:
            return ()
        index = (int(target),) if source == "0" else (int(target), int(source))
        if self.values:
            if name not in self.values:
                return ()
            value: Any = self.values[name]
            for i in index:
                value = value[i - 1]
            text = f"{float(value):.3g}"
            return (Mark(Label(text.replace("-", "−"), text), "on", 0.3, role, step),)
        printed = index[::-1] if self.labels.notation.weight_index == "source first" else index
        return (Mark(self._entry(name, *map(str, printed), k=k), "on", 0.35, role, step),)


def settled(scene: Scene) -> Scene:
    """Move the labels at edges along them, to where they touch nothing and no other edge runs through them."""
    lines = tuple(paths(scene))
    taken = list(label_boxes(replace(scene, edges=())))
    edges = []
    for k, (edge, points) in enumerate(lines):
        marks = []
        for mark in edge.marks:
            wide, tall = extent(mark.label)

            def box(at: float, mark: Mark = mark, points: tuple[Point, ...] = points, half: Point = (wide / 2, tall / 2)) -> Box:
                x, y = mark_centre(points, replace(mark, at=at))
                return Box("", x - half[0], y - half[1], x + half[0], y + half[1])

            def cost(at: float, k: int = k, start: float = mark.at) -> tuple[int, int, float]:
                here = box(at)
                crossed = sum(meets(here, *piece) for r, (_, other) in enumerate(lines) if r != k for piece in pairwise(other))
                return sum(here.touches(b, 0.03) for b in taken), crossed, round(abs(at - start), 3)

            places = (round(mark.at + sign * 0.02 * n, 3) for n in range(36) for sign in (1, -1))
            found = min((at for at in places if 0.1 <= at <= 0.9), key=cost)
            taken.append(box(found))
            marks.append(replace(mark, at=found))
        edges.append(replace(edge, marks=tuple(marks)))
    return replace(scene, edges=tuple(edges))


# --- boxes --------------------------------------------------------------------------------------------------------------

#: How far an edge goes straight on at a box.
_STUB = 0.3
_SIGNS = {"Add": ("+", "+"), "Multiply": ("×", r"\times")}


@dataclass(frozen=True)
class _Box:
    """A layer, or a part of one.

    Attributes:
        id: of its node.
        label: inside.
        reads: tensors that lead to it.
        gives: the tensor that it computes.
        parameters: names, written above it.
        role: of its node.
        shape: of its node; a circle holds a sign.
    """

    id: str
    label: Label
    reads: tuple[str, ...]
    gives: str
    parameters: tuple[str, ...] = ()
    role: str = "hidden"
    shape: str = "rounded"


def _words(*parts: str) -> Label:
    """Words in a box, with arrows between what follows each other."""
    words = [part.replace("_", " ") for part in parts]
    return Label(" → ".join(words), r" \to ".join(upright_word(w).replace(" ", r"\ ") for w in words))


def _parts(model: Model, own: bool) -> tuple[_Box, ...]:
    """The boxes of a network, in the order of computation."""
    found: list[_Box] = []
    for n, layer in enumerate(model.layers):
        kind = {"Dense": "linear", "Activation": layer.activation or "activation"}.get(layer.kind, layer.kind.lower())
        if layer.kind in _SIGNS:
            found.append(_Box(f"box{n}", Label(*_SIGNS[layer.kind]), layer.inputs, layer.output, layer.parameters, "gate", "circle"))
        elif layer.pre is not None and layer.activation is not None and layer.pre != layer.output:
            if own:
                found.append(_Box(f"box{n}", _words(kind), layer.inputs, layer.pre, layer.parameters))
                found.append(_Box(f"box{n}-activation", _words(layer.activation), (layer.pre,), layer.output))
            else:
                found.append(_Box(f"box{n}", _words(kind, layer.activation), layer.inputs, layer.output, layer.parameters))
        else:
            found.append(_Box(f"box{n}", _words(kind), layer.inputs, layer.output, layer.parameters))
    chained = all(part.reads == (before.gives,) for before, part in pairwise(found))
    if chained and len(found) > _MOST_BOXES:
        # What the dots read is their left neighbour's, what they give their right neighbour reads.
        left, right = found[:3], found[-2:]
        found = [*left, _Box("dots", Label("⋯", r"\cdots"), (left[-1].gives,), right[0].reads[0], role="plain", shape="none"), *right]
    return tuple(found)


class _Boxes:
    """A box for each layer, an edge for each value that is read."""

    def __init__(self, model: Model, labels: Labels, own: bool, loss: bool, captions: bool) -> None:
        self.model, self.labels, self.captions = model, labels, captions
        self.parts = list(_parts(model, own))
        given, ends = list(model.inputs), list(model.outputs)
        if loss:
            if model.loss is None or model.target is None:
                raise DeclarationError(f"picture of network {model.name}: it has no loss to draw; declare it with loss=...")
            name = model.spec.loss.name if model.spec is not None and model.spec.loss is not None else "loss"
            self.parts.append(_Box("loss", Label(name.replace("_", " ")), (*ends, model.target), model.loss, role="loss"))
            given, ends = [*given, model.target], [model.loss]
        home = {part.gives: part.id for part in self.parts} | {x: f"in{n}" for n, x in enumerate(given)}
        home |= {other: f"box{n}" for n, layer in enumerate(model.layers) for other in layer.others}
        #: What stands in each node, its shape and its role.
        self.shown: dict[str, tuple[Label, str, str]] = {
            f"in{n}": (labels.tensor(model, x), "rounded", "target" if loss and x == model.target else "input") for n, x in enumerate(given)
        }
        self.shown |= {part.id: (part.label, part.shape, part.role) for part in self.parts}
        self.shown |= {f"out{n}": (labels.tensor(model, x), "none", "plain") for n, x in enumerate(ends)}
        #: (source, target, value).
        self.links = [(home[x], part.id, x) for part in self.parts for x in part.reads]
        self.links += [(home[x], f"out{n}", x) for n, x in enumerate(ends)]
        self.tags = {x: (labels.tensor(model, x), _room(model, labels, x)) for _, _, x in self.links}
        self.above = {p.id: _listed([labels.tensor(model, x) for x in p.parameters if x in model.system.tensors]) for p in self.parts}
        self.sizes = {
            i: _SIZE if shape == "circle" else max(1.0, extent(label)[0] + 0.45, extent(self.above.get(i, Label("")))[0] + 0.1)
            for i, (label, shape, _) in self.shown.items()
        }
        self.columns = layers(list(self.shown), [(a, b) for a, b, _ in self.links])
        if loss:
            # What is read late stands beside its reader, not at the far left.
            self.columns[f"in{len(given) - 1}"] = self.columns["loss"] - 1
        deep = max(self.columns.values())
        self.half = [max((self.sizes[i] for i in self.shown if self.columns[i] == c), default=0.0) / 2 for c in range(deep + 1)]

    def scene(self) -> Scene:
        """Draw it in the first of some widths in which nothing touches and no edge runs through anything."""
        best: tuple[int, Scene] | None = None
        for gap, wider in ((2.1, 0.0), (2.6, 0.3), (3.2, 0.6), (4.0, 1.2), (5.0, 2.4)):
            for side in (-1, 1):
                scene = self._drawn(gap, wider, side)
                faults = len(overlaps(scene)) + len(crossings(scene))
                if best is None or faults < best[0]:
                    best = faults, scene
                if not faults:
                    return scene
        assert best is not None
        return best[1]

    def _drawn(self, gap: float, wider: float, side: int) -> Scene:
        layout = self._placed(gap, wider)
        nodes = {i: Node(i, label, *layout.at[i], shape, self.sizes[i], _SIZE, role) for i, (label, shape, role) in self.shown.items()}
        words = []
        for part in self.parts:
            x, y = layout.at[part.id]
            if self.above[part.id].plain:
                words.append(Words(self.above[part.id], x, y + _SIZE / 2 + 0.05, "south", "parameter"))
            where = self.labels.naming.of(part.gives).layer
            if self.captions and where is not None and not where.named and part.role not in ("loss", "plain"):
                words.append(Words(Label(f"layer {self.labels.number(where)}"), x, y - _SIZE / 2 - 0.1, "north", "muted"))
        edges = []
        met: dict[tuple[str, str], int] = {}
        said: set[tuple[str, str, str]] = set()
        for (a, b, value), via in zip(self.links, layout.via, strict=True):
            again = met.get((a, b), 0)
            met[a, b] = again + 1
            called, room = self.tags[value]
            # The end bears the name itself; of two edges side by side with one value one does.
            told = (a, b, value) in said
            said.add((a, b, value))
            marks = () if b.startswith("out") or told else (Mark(called, "above"),)
            marks = (*marks, Mark(room, "below", role="muted")) if room.plain and not told else marks
            edges.append(
                Edge(a, b, marks, _through(nodes[a], nodes[b], via, side * again, (self.half[self.columns[a]], self.half[self.columns[b]])))
            )
        return settled(
            Scene(f"{self.model.name}: its layers and what passes between them", tuple(nodes.values()), tuple(edges), tuple(words))
        )

    def _placed(self, gap: float, wider: float) -> Layout:
        """Lay the boxes out, with room for bends where edges are not level."""
        deep, half = max(self.columns.values()), self.half
        pairs = [(a, b) for a, b, _ in self.links]

        def placed(slanted: Container[int]) -> Layout:
            widths = []
            for c in range(deep):
                crossing = [x for a, b, x in self.links if self.columns[a] <= c < self.columns[b]]
                widest = max((extent(label)[0] for x in crossing for label in self.tags[x]), default=0.0)
                bend = 2 * _STUB + wider if c in slanted else 0.0
                widths.append(half[c] + half[c + 1] + max(1.0, widest + 0.5) + bend)
            return layered(list(self.shown), pairs, columns=self.columns, widths=widths, node_gap=gap)

        first = placed(())
        twice = {pair for pair in pairs if pairs.count(pair) > 1}
        slanted = {
            c
            for (a, b), via in zip(pairs, first.via, strict=True)
            if via or first.at[a][1] != first.at[b][1] or (a, b) in twice
            for c in range(self.columns[a], self.columns[b])
        }
        return placed(slanted)


def _listed(labels: Sequence[Label]) -> Label:
    return Label(", ".join(w.plain for w in labels), r",\, ".join(w.latex for w in labels))


def _through(source: Node, target: Node, via: Sequence[Point], again: int, reach: Point) -> tuple[Point, ...]:
    """Let an edge leave and enter boxes at the middle of their sides; one beside others runs further above (or below, < 0) each time.

    ``reach`` is how far the columns of both reach from their middles.
    """
    if source.y == target.y and not via and not again:
        return ()
    out = (source.x + source.width / 2 + _STUB, source.y)
    into = (target.x - target.width / 2 - _STUB, target.y)
    if again:
        heights = [y for _, y in (out, into, *via)]
        low = (max(heights) if again > 0 else min(heights)) + 0.85 * again
        via = ((source.x + reach[0] + _STUB, low), *((x, low) for x, _ in via), (target.x - reach[1] - _STUB - 0.2, low))
    return (*([out] if source.shape == "rounded" else []), *via, *([into] if target.shape == "rounded" else []))


def _room(model: Model, labels: Labels, tensor: str) -> Label:
    """The shape of a value; a vector is a column."""
    axes = model.system.tensors[tensor].axes
    inner = axes[1:] if axes and axes[0].extent == model.batch and model.per == "batch" else axes
    if not inner:
        return Label("")
    sizes = [labels.size(a.extent) for a in inner] + [Label("1", "1")] * (len(inner) == 1)
    return Label("×".join(s.plain for s in sizes), r" \times ".join(s.latex for s in sizes))


__all__ = ["KINDS", "VIEWS", "Labels", "network_scene", "settled"]
