"""A scalar graph on the command line: its drawing, its numbers, its backward pass."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from symbackprop.command.network import examples, load
from symbackprop.errors import DataError
from symbackprop.execute import files
from symbackprop.pipeline import usual_per
from symbackprop.present.circuit import gate_equation
from symbackprop.present.rounding import Rounding, exact
from symbackprop.present.scene.network import network_scene
from symbackprop.present.scene.records import Scene
from symbackprop.present.scene.text import text
from symbackprop.public.graph import Graph, GraphRun, rendered

_NETWORK = re.compile(r".*\.(py(:\w+)?|toml)")


def is_network(word: str) -> bool:
    """Whether a word stands for a network rather than for an expression."""
    return bool(_NETWORK.fullmatch(word)) or word in examples()


def values_of(words: Sequence[str]) -> dict[str, float]:
    """Return the values in words such as ``x=-2``.

    Raises:
        DataError: a word is none, or a name comes twice.
    """
    found: dict[str, float] = {}
    for word in words:
        name, equals, number = word.partition("=")
        try:
            value = float(number)
        except ValueError:
            equals = ""
            value = 0.0
        if not equals or not name.strip():
            raise DataError(f"{word!r} is no value of an input; write it as name=number, such as x=-2")
        if name.strip() in found:
            raise DataError(f"{name.strip()} is given twice")
        found[name.strip()] = value
    return found


def network_picture(word: str, drawn: Sequence[Path]) -> None:
    """Print the picture of a network and write it where it is asked for."""
    net = load(word).net
    scene = network_scene(net.model(per=usual_per(net.spec)))
    _write(drawn, scene)
    print(text(scene), end="")


def expression_graph(
    expression: str,
    words: Sequence[str],
    name: str,
    fuse: Sequence[str],
    drawn: Sequence[Path],
    decimals: int | None,
    steps: bool,
    paths: Sequence[str],
    local: bool,
) -> None:
    """Print a scalar graph, with numbers where they are given, and write its picture where it is asked for."""
    graph = Graph(name, expression, fuse=tuple(fuse))
    rounding = Rounding() if decimals is None else Rounding(decimals=decimals)
    if not words:
        if steps:
            raise DataError("--steps needs numbers: give each input a value, such as x=-2")
        scene = graph.scene(local=local)
        _write(drawn, scene)
        print(text(scene))
        _symbols(graph)
        for node in paths:
            count = graph.count_paths(node)
            print(f"{node}: {count:,} path{'s' if count != 1 else ''} to {graph.output}")
        return
    run = graph.backward(values_of(words))
    scene = run.scene(local=local, gradients=True, rounding=rounding)
    for node in paths:
        graph.node(node)
    _write(drawn, scene)
    print(text(scene))
    _numbers(graph, run, rounding)
    if any(g.pattern == "routes" for g in graph.circuit.gates):
        print("routes: a tie goes to the first, or to the number in the gate\n")
    if steps:
        _steps(run, rounding)
    for node in paths:
        _paths(run, node, rounding)


def _write(paths: Sequence[Path], scene: Scene) -> None:
    # All are drawn before the first is written: where a program is missing, nothing is.
    drawn = [(path, rendered(scene, path.suffix.lower())) for path in paths]
    for path, content in drawn:
        files.write(path, content)


def _symbols(graph: Graph) -> None:
    rows = []
    for g in graph.circuit.gates:
        slopes = ", ".join(dict.fromkeys(map(repr, graph.node(g.name).locals)))
        rows.append((gate_equation(graph.circuit, g, latex=False), slopes, g.pattern))
    _print(("node", "local gradients", "gate"), rows)


def _numbers(graph: Graph, run: GraphRun, rounding: Rounding) -> None:
    rows = []
    for n in graph.nodes:
        gate = graph.circuit.gate.get(n)
        made = gate_equation(graph.circuit, gate, latex=False) if gate else n
        rows.append((made, _shown(rounding, run.values[n]), _shown(rounding, run.gradients[n]), gate.pattern if gate else ""))
    _print(("node", "value", f"∂{graph.output}/∂node", "gate"), rows, numbers=(1, 2))


def _steps(run: GraphRun, rounding: Rounding) -> None:
    rows = [
        (str(k), f"{s.consumer} → {s.node}", *(_shown(rounding, v) for v in (s.local, s.upstream, s.product, s.sum)))
        for k, s in enumerate(run.steps, 1)
    ]
    _print(("step", "edge", "local", "upstream", "product", "sum"), rows, numbers=(0, 2, 3, 4, 5))


def _paths(run: GraphRun, node: str, rounding: Rounding) -> None:
    rows = [(" → ".join(names), _shown(rounding, product)) for names, product in run.paths(node)]
    rows.append(("sum over all paths", _shown(rounding, run.gradients[node])))
    _print((f"path from {node}", "product"), rows, numbers=(1,))


def _shown(rounding: Rounding, value: float) -> str:
    return rounding.text(exact(value).item())


def _print(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()) -> None:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for k, title in enumerate(head):
        table.add_column(title, justify="right" if k in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    console = Console(highlight=False, markup=False, emoji=False)
    console.print(table)
    console.print()


__all__ = ["expression_graph", "is_network", "network_picture", "values_of"]
