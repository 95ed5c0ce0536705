"""Scalar computational graphs: the circuit of the lecture, forwards, backwards, and as a picture."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from symbackprop.algebra.equation import Equation
from symbackprop.declare import circuit as declared
from symbackprop.derive import circuit as derived
from symbackprop.derive.records import BackwardStep, Circuit, CircuitRun, Gate
from symbackprop.errors import DataError
from symbackprop.present import circuit as present
from symbackprop.present.display import bundle, displayed, displayed_lines, paragraph, table
from symbackprop.present.document.records import Block, Line, Table
from symbackprop.present.rounding import Rounding, exact
from symbackprop.present.scene.circuit import circuit_scene
from symbackprop.present.scene.records import Scene
from symbackprop.present.scene.svg import svg
from symbackprop.present.scene.text import text
from symbackprop.public.drawing import FORMATS, draw_scene, rendered


@dataclass(frozen=True)
class GraphNode:
    """A node of a graph.

    Attributes:
        name: its name.
        inputs: the nodes that it reads (some decks call them children, others parents).
        consumers: the nodes that read it; one that does so twice is there twice.
        operation: "+", "*", "exp", ...; "" for an input of the graph.
        pattern: what its gate does with a gradient: "distributes", "routes", "switches", "scales", "passes" or "".
        equation: what it computes, or None for an input of the graph.
        locals: ∂node/∂input, one for each input.
    """

    name: str
    inputs: tuple[str, ...]
    consumers: tuple[str, ...]
    operation: str
    pattern: str
    equation: Equation | None
    locals: tuple[GraphGradient, ...]


class GraphGradient:
    """A derivative of one node with respect to another, as a formula in the values of the nodes."""

    def __init__(self, circuit: Circuit, equation: Equation) -> None:
        self._circuit = circuit
        self.equation = equation

    @property
    def rhs(self) -> Any:
        """The right side, a SymPy expression."""
        return self.equation.rhs

    def latex(self) -> str:
        r"""Return it in LaTeX: ``\frac{\partial e}{\partial c} = d``."""
        return present.node_equation(self._circuit, self.equation)

    def expanded(self) -> GraphGradient:
        """Return it in the inputs alone: no value of a gate is left.

        Raises:
            DerivationError: it is too long to be written out.
        """
        return GraphGradient(self._circuit, derived.in_inputs(self._circuit, self.equation))

    def __repr__(self) -> str:
        return present.node_equation(self._circuit, self.equation, latex=False)

    def _repr_latex_(self) -> str:
        return displayed(self.latex())


class _Gradients(Mapping[str, GraphGradient]):
    """The symbolic gradients by node, each derived when it is asked for."""

    def __init__(self, circuit: Circuit) -> None:
        self._circuit = circuit

    def __getitem__(self, name: str) -> GraphGradient:
        if name not in self._circuit.consumers:
            raise KeyError(name)
        return GraphGradient(self._circuit, derived.gradient_equation(self._circuit, name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._circuit.nodes)

    def __len__(self) -> int:
        return len(self._circuit.nodes)


class Graph:
    """A scalar function as a circuit of gates.

    Text keeps its operations as written: ``"(x + y) * z"`` is two gates. ``"c = a + b; d = b + 1; e = c*d"`` names its nodes;
    those without a name are called q1, q2, ….

    Args:
        name: of the graph and of its output; where the text names its values and none of them so, the last is the output.
        expression: text, or a SymPy expression.
        fuse: functions that become one gate where the text spells them out, such as "sigmoid"; "statements" makes one gate of
            each statement.

    Example:
        >>> r = Graph("f", "(x + y) * z").backward(x=-2, y=5, z=-4)
        >>> r.values["q1"], r.gradients["x"]
        (3.0, -4.0)

    Raises:
        DeclarationError: for text outside the language; it is parsed, never run.
    """

    def __init__(self, name: str, expression: Any = None, *, fuse: str | Sequence[str] = ()) -> None:
        if expression is None:
            name, expression = "f", name
        self.circuit: Circuit = derived.derive_circuit(declared.circuit(name, expression, fuse))
        self.example: Mapping[str, float] = MappingProxyType({})

    @classmethod
    def of(cls, net: Any, example: Any = None, *, fuse: str | Sequence[str] = (), target: str | None = None) -> Graph:
        """Return the graph of a network, or of a `System`, entry by entry, for one sample.

        Args:
            net: a network with numeric sizes, or a system whose last equation is a scalar.
            example: ``(params, x, y)`` for a network, or a mapping from tensor names to arrays: the values that `backward` takes
                unless others are given.
            fuse: as for `Graph`.
            target: "labels" or "rows" for class losses; a label is no input but says which entry is read. None takes rows.

        Raises:
            DeclarationError: a size is a symbol, an operation has no gate, or there are more than some hundred gates.
        """
        from symbackprop.public.expansion import expanded

        made = cls.__new__(cls)
        circuit, values = expanded(net, example, fuse, target)
        made.circuit = derived.derive_circuit(circuit)
        made.example = MappingProxyType(values)
        return made

    # --- structure ---

    @property
    def name(self) -> str:
        """What the graph is called."""
        return self.circuit.name

    @property
    def output(self) -> str:
        """The node whose gradients are asked for."""
        return self.circuit.output

    @property
    def inputs(self) -> tuple[str, ...]:
        """The variables, in the order in which they occur."""
        return self.circuit.inputs

    @property
    def nodes(self) -> tuple[str, ...]:
        """The variables, then the gates in the order of computing."""
        return self.circuit.nodes

    @property
    def edges(self) -> int:
        """How many edges there are; the backward pass uses each once."""
        return self.circuit.edges

    @property
    def patterns(self) -> Mapping[str, str]:
        """What each gate does with the gradient that it receives, read off its local gradients."""
        return {g.name: g.pattern for g in self.circuit.gates}

    def node(self, name: str) -> GraphNode:
        """Return a node with its inputs, its consumers and its local gradients."""
        derived.check_node(self.circuit, name)
        consumers = tuple(c for c, _ in self.circuit.consumers[name])
        gate: Gate | None = self.circuit.gate.get(name)
        if gate is None:
            return GraphNode(name, (), consumers, "", "", None, ())
        slopes = tuple(GraphGradient(self.circuit, e) for e in gate.locals)
        return GraphNode(name, gate.inputs, consumers, gate.operation, gate.pattern, gate.equation, slopes)

    def local(self, consumer: str, node: str) -> GraphGradient:
        """Return ∂consumer/∂node, the local gradient on the edge between two nodes."""
        found = [s for n, s in zip(self.node(consumer).inputs, self.node(consumer).locals, strict=True) if n == node]
        if not found:
            raise DataError(
                f"graph {self.name}: {consumer} does not read {str(node)[:40]}; it reads {', '.join(self.node(consumer).inputs)}"
            )
        return found[0]

    @property
    def gradients(self) -> Mapping[str, GraphGradient]:
        """∂output/∂node for every node, as formulas in the values of the nodes."""
        return _Gradients(self.circuit)

    def count_paths(self, name: str) -> int:
        """Return how many paths lead from a node to the output; they are counted, not walked, so 10^10 of them take no time."""
        return derived.count_paths(self.circuit, name)

    def walk_paths(self, name: str) -> Iterator[tuple[str, ...]]:
        """Yield the paths from a node to the output one by one, as the names of their nodes."""
        for edges in derived.walk_paths(self.circuit, name):
            yield (name, *(consumer for consumer, _ in edges))

    # --- running ---

    def forward(self, values: Mapping[str, float] | None = None, /, **named: float) -> dict[str, float]:
        """Return the value of every node."""
        return dict(self.backward(values, **named).values)

    def backward(self, values: Mapping[str, float] | None = None, /, **named: float) -> GraphRun:
        """Run the graph forwards and backwards.

        Args:
            values: of the inputs, by name.
            **named: the same as keywords: ``backward(x=-2, y=5, z=-4)``.

        Raises:
            DataError: an input is missing, unknown or no finite number, or a gate has no value there.
        """
        return GraphRun(self, derived.run_circuit(self.circuit, {**self.example, **(values or {}), **named}))

    # --- pictures ---

    def scene(self, run: GraphRun | None = None, **options: Any) -> Scene:
        """Return the picture as a record.

        Args:
            run: what `backward` returned; None draws the structure alone.
            **options: ``rounding``, ``local``, ``gradients``, ``patterns``, ``late``, ``bare`` as in
                `present.scene.circuit.circuit_scene`, and ``paths="b"`` to list the paths from a node below the picture.
        """
        if run is None:
            return circuit_scene(self.circuit, **options)
        wanted = options.pop("paths", None)
        listed = run.paths(wanted, limit=24) if wanted is not None else ()
        return circuit_scene(run.record, listed=listed, **options)

    def draw(
        self,
        path: str | os.PathLike[str],
        run: GraphRun | None = None,
        *,
        frames: bool | None = None,
        step: int | None = None,
        **options: Any,
    ) -> tuple[Path, ...]:
        """Write the picture: values above the edges, gradients below.

        Args:
            path: ``graph.svg``, ``.tex`` (a tikzpicture), ``.dot``, ``.txt``, ``.pdf`` or ``.png``.
            run: what `backward` returned; None draws the structure alone.
            frames: write one file for each step of the backward pass (``graph-00.svg``, …). A ``.tex`` file holds them all: in
                beamer it builds up step by step, elsewhere it is whole at once; False leaves the overlays out.
            step: draw this frame only; 0 is the forward pass.
            **options: as for `scene`.

        Returns:
            The files that were written.
        """
        if frames is None:
            frames = run is not None and step is None and Path(path).suffix.lower() == ".tex"
        return draw_scene(self.scene(run, **options), path, frames=frames, step=step)

    # --- display ---

    def table(self) -> Table:
        """Return the table of its gates' local derivatives."""
        return present.derivative_table(self.circuit.gates)

    def __repr__(self) -> str:
        names = ", ".join(self.inputs[:8]) + (", ..." if len(self.inputs) > 8 else "")
        return f"Graph {self.output}({names}): {len(self.circuit.gates)} gates, {self.edges} edges"

    def _repr_svg_(self) -> str:
        return svg(self.scene())

    def _repr_latex_(self) -> str:
        return displayed_lines(present.gate_equation(self.circuit, g) for g in self.circuit.gates)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return bundle(repr(self), svg=self._repr_svg_(), latex=self._repr_latex_(), html=paragraph(repr(self)))


class GraphRun:
    """A graph with numbers: values, gradients, and the backward pass edge by edge."""

    def __init__(self, graph: Graph, record: CircuitRun) -> None:
        self.graph = graph
        self.record = record

    @property
    def values(self) -> Mapping[str, float]:
        """The value of every node."""
        return self.record.values

    @property
    def gradients(self) -> Mapping[str, float]:
        """∂output/∂node for every node."""
        return self.record.gradients

    @property
    def steps(self) -> tuple[BackwardStep, ...]:
        """The backward pass, one step an edge, all consumers of a node before the node: (node, consumer, local, upstream, product, sum)."""
        return self.record.steps

    @property
    def edges_touched(self) -> int:
        """How many times the backward pass used an edge: as often as there are edges."""
        return self.record.touched

    def paths(self, name: str, limit: int = derived.MAX_PATHS) -> tuple[tuple[tuple[str, ...], float], ...]:
        """Return every path from a node to the output as (names, product of local gradients); the products add up to the gradient.

        Raises:
            DerivationError: there are more than ``limit``.
        """
        return derived.run_paths(self.record, name, limit)

    def scene(self, **options: Any) -> Scene:
        """Return the picture as a record."""
        return self.graph.scene(self, **options)

    def draw(self, path: str | os.PathLike[str], **options: Any) -> tuple[Path, ...]:
        """Write the picture; the arguments are those of `Graph.draw`."""
        return self.graph.draw(path, self, **options)

    def text(self, step: int | None = None) -> str:
        """Return the picture for a terminal."""
        return text(self.scene(), step)

    def lines(self, name: str, rounding: Rounding | None = None) -> tuple[Line, ...]:
        """Return how a node's gradient comes about, line by line."""
        return present.chain_lines(self.record, derived.check_node(self.graph.circuit, name), rounding)

    def path_lines(self, name: str, rounding: Rounding | None = None) -> tuple[Line, ...]:
        """Return one line a path, and their sum."""
        return present.path_lines(self.record, self.paths(name, limit=100), rounding)

    def blocks(self, rounding: Rounding | None = None) -> tuple[Block, ...]:
        """Return the graph's part of a document: picture, values, steps, chain rule."""
        few = [n for n in self.graph.inputs if 2 <= self.graph.count_paths(n) <= 8]
        return present.circuit_blocks(self.record, {n: self.paths(n) for n in few}, rounding)

    def __repr__(self) -> str:
        c = self.graph.circuit
        given = ", ".join(f"{n}={self.values[n]:g}" for n in c.inputs[:8]) + (", ..." if len(c.inputs) > 8 else "")
        return f"Graph {c.output}({given}) = {self.values[c.output]:g}"

    def _repr_svg_(self) -> str:
        return svg(self.scene())

    def _repr_html_(self) -> str:
        r = Rounding()
        rows = [(n, r.text(exact(self.values[n]).item()), r.text(exact(self.gradients[n]).item())) for n in self.graph.nodes]
        return table(("node", "value", "gradient"), rows, caption=repr(self))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return bundle(repr(self), svg=self._repr_svg_(), html=self._repr_html_())


def derivative_table(expressions: Sequence[str], wrt: str | None = None) -> Table:
    """Return a table of derivatives such as D2.9's: each expression is a gate, derived by the one rule.

    Args:
        expressions: such as ``("c + x", "exp(x)", "a*x", "1/x")``.
        wrt: only with respect to this variable.
    """
    gates = [derived.derive_circuit(declared.circuit("f", e, declared.STATEMENTS)).gates[0] for e in expressions]
    return present.derivative_table(gates, wrt)


__all__ = ["FORMATS", "Graph", "GraphGradient", "GraphNode", "GraphRun", "derivative_table", "rendered"]
