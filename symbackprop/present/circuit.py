"""Scalar circuits in words and formulas: tables of derivatives, values and steps, the chain rule edge by edge and path by path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import sympy

from symbackprop.algebra.equation import Equation, _raw
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.derive.records import Circuit, CircuitRun, Gate
from symbackprop.present.document.records import Block, Display, Enumeration, Figure, Line, Math, Paragraph, Table, Text
from symbackprop.present.latex import latex_equation, plain_equation
from symbackprop.present.letters import tex_word
from symbackprop.present.naming import Name, Naming
from symbackprop.present.rounding import Rounding, exact
from symbackprop.present.scene.circuit import circuit_scene
from symbackprop.present.writer import Latex, Piece, Unicode, Writer

#: What the patterns of gates are called.
PATTERNS = {
    "distributes": "A gate that distributes sends what arrives to each input",
    "passes": "A gate that passes on sends what arrives, as it is",
    "routes": "A gate that routes sends what arrives to the input that it chose; a tie goes to the first, or to a constant",
    "switches": "A gate that switches sends each input what arrives times the other inputs",
    "scales": "A gate that scales sends what arrives times its number",
}


def circuit_naming(nodes: Sequence[str]) -> Naming:
    """Return the names of a circuit's nodes: each goes by its own."""
    return Naming(names={n: Name("word", word=n) for n in nodes})


def node_equation(circuit: Circuit, equation: Equation, latex: bool = True) -> str:
    """Return an equation of a circuit, of a gate or of a gradient, in LaTeX or in Unicode."""
    naming = circuit_naming(circuit.nodes)
    name = equation.tensor.name
    if name.startswith("d ") and "/d " in name:
        top, _, bottom = name.removeprefix("d ").partition("/d ")
        naming = Naming(names={**naming.names, name: Name("jacobian", top=naming.names[top], of=naming.names[bottom])})
    return (latex_equation if latex else plain_equation)(equation, naming)


def gate_formula(gate: Gate, writer: Writer) -> str:
    """Return what a gate computes as it was written: ``1 + q_6``, ``max(x, y)``."""
    inputs = iter(gate.inputs)
    parts = [_constant(c, writer) if c else Piece(writer.word(next(inputs))) for c in gate.operands]
    if gate.operation in ("+", "-"):
        return f" {gate.operation} ".join(p.text for p in parts)
    if gate.operation == "*":
        dot = writer.sign(r"\cdot") if all(c for c in gate.operands) or (len(parts) > 1 and gate.operands[1]) else ""
        return f" {dot} ".join(p.text for p in parts) if dot else " ".join(p.text for p in parts)
    if gate.operation == "/":
        return writer.fraction(*parts).text
    if gate.operation == "**":
        return writer.power(*(p.text for p in parts))
    if gate.operation == "neg":
        return f"-{parts[0].text}"
    if gate.operation == "exp":
        return writer.exponential(parts[0]).text
    if gate.operation == "sqrt":
        return writer.root(parts[0]).text
    if gate.operation in ("abs", "floor"):
        return writer.bars(parts[0], gate.operation).text
    return writer.call(writer.function(gate.operation), Piece(", ".join(p.text for p in parts))).text


def _constant(text: str, writer: Writer) -> Piece:
    if text == "pi":
        return Piece(writer.letter(r"\pi"))
    return Piece(text.replace("**", "^").replace("*", f" {writer.sign(chr(92) + 'cdot')} "))


def gate_equation(circuit: Circuit, gate: Gate, latex: bool = True) -> str:
    """Return a gate as an equation, as it was written; a whole statement as the equation that it became."""
    if gate.operation == "statement":
        return node_equation(circuit, gate.equation, latex)
    writer: Writer = Latex() if latex else Unicode()
    return f"{writer.word(gate.name)} = {gate_formula(gate, writer)}"


def partial(top: str, bottom: str) -> str:
    """Return ∂top/∂bottom in LaTeX."""
    return rf"\frac{{\partial {tex_word(top)}}}{{\partial {tex_word(bottom)}}}"


def derivative_table(gates: Sequence[Gate], wrt: str | None = None) -> Table:
    """Return the table of local derivatives: each gate's function beside its derivative with respect to each input.

    Args:
        gates: one row each.
        wrt: only with respect to this input; the others count as constants.
    """
    rows: list[tuple[Text, ...]] = []
    for g in gates:
        naming = circuit_naming((g.name, *g.inputs))
        function = latex_equation(g.equation, naming).partition(" = ")[2] if g.operation == "statement" else gate_formula(g, Latex())
        slopes: list[Math | str] = []
        for node, e in zip(g.inputs, g.locals, strict=True):
            if wrt is not None and node != wrt:
                continue
            shown = _explicit(e, g.equation)
            right = latex_equation(shown, naming).partition(" = ")[2]
            slopes += [", ", Math(rf"{_over(node)} = {right}")] if slopes else [Math(rf"{_over(node)} = {right}")]
        rows.append(((Math(function),), tuple(slopes)))
    return Table((("function ", Math("f")), ("local gradients",)), tuple(rows), ("Local derivatives",), "ll")


def _over(node: str) -> str:
    return rf"\frac{{\partial f}}{{\partial {tex_word(node)}}}"


def _explicit(local: Equation, gate: Equation) -> Equation:
    """Write a stored result out where it is one function of the inputs: e^x rather than f; σ(1 − σ) stays (1 − f) f."""
    plain = _raw(Tensor("slope", (), "cotangent")[()], local.rhs)
    if isinstance(gate.rhs, sympy.Function):
        return _raw(plain.lhs, plain.rhs.xreplace({gate.lhs: gate.rhs}))
    letter = Access(Tensor("f", (), "stored"))
    return _raw(plain.lhs, plain.rhs.xreplace({gate.lhs: letter}))


def value_table(run: CircuitRun, rounding: Rounding | None = None) -> Table:
    """Return every node with its value, its gradient, and what its gate does with gradients."""
    r, c = rounding or Rounding(), run.circuit
    rows = []
    for n in c.nodes:
        gate = c.gate.get(n)
        made: Text = (Math(gate_equation(c, gate)),) if gate else (Math(tex_word(n)), " (input)")
        rows.append((made, (Math(_number(r, run.values[n])),), (Math(_number(r, run.gradients[n])),), (gate.pattern if gate else "",)))
    head: tuple[Text, ...] = (("node",), ("value",), (Math(partial(c.output, "node")),), ("pattern",))
    return Table(head, tuple(rows), ("Values and gradients",), "lrrl")


def step_table(run: CircuitRun, rounding: Rounding | None = None) -> Table:
    """Return the backward pass edge by edge: local gradient, what arrives from above, their product, the sum so far."""
    r = rounding or Rounding()
    rows: list[tuple[Text, ...]] = []
    for k, s in enumerate(run.steps, 1):
        numbers: list[Text] = [(Math(_number(r, v)),) for v in (s.local, s.upstream, s.product, s.sum)]
        rows.append(((str(k),), (Math(rf"{tex_word(s.consumer)} \to {tex_word(s.node)}"),), *numbers))
    head: tuple[Text, ...] = (("step",), ("edge",), ("local",), ("upstream",), ("product",), ("sum",))
    return Table(head, tuple(rows), ("Backward pass",), "rlrrrr")


def chain_lines(run: CircuitRun, node: str, rounding: Rounding | None = None) -> tuple[Line, ...]:
    """Return how a node's gradient comes about from those of its consumers: symbols, numbers, result."""
    r, c = rounding or Rounding(), run.circuit
    left = partial(c.output, node)
    readers = c.consumers[node]
    if node == c.output:
        return (Line(f"{left} = 1"),)
    if not readers:
        return (Line(f"{left} = 0", "nothing reads it"),)
    done = [run.step[edge] for edge in readers]
    symbols = " + ".join(rf"{partial(s.consumer, node)} \cdot {partial(c.output, s.consumer)}" for s in done)
    numbers = " + ".join(rf"{_in_product(r, s.local)} \cdot {_in_product(r, s.upstream)}" for s in done)
    rule = "branches add" if len(done) > 1 else "chain rule"
    total = run.gradients[node]
    return (
        Line(f"{left} = {symbols}", rule),
        Line(f"= {numbers}", "insert numbers"),
        Line(f"= {_number(r, total)}" if r.is_exact(exact(total).item()) else rf"& \approx {_number(r, total)}"),
    )


def path_lines(run: CircuitRun, paths: Sequence[tuple[Sequence[str], float]], rounding: Rounding | None = None) -> tuple[Line, ...]:
    """Return one line for each path with its product, and the line of their sum."""
    r = rounding or Rounding()
    lines = []
    for names, product in paths:
        way = r" \to ".join(map(tex_word, names))
        factors = r" \cdot ".join(partial(b, a) for a, b in pairwise(names)) or "1"
        lines.append(Line(rf"{way}: \quad {factors} = {_number(r, product)}", "path"))
    if paths:
        source = paths[0][0][0]
        terms = " + ".join(_in_product(r, product) for _, product in paths)
        total = _number(r, run.gradients[source])
        equal = f"{terms} = {total}" if len(paths) > 1 else total
        lines.append(Line(rf"{partial(run.circuit.output, source)} = {equal}", "sum over all paths"))
    return tuple(lines)


def circuit_blocks(
    run: CircuitRun, paths: Mapping[str, Sequence[tuple[Sequence[str], float]]], rounding: Rounding | None = None
) -> tuple[Block, ...]:
    """Return what notes say about a circuit: its picture, its values, the backward pass, and the chain rule at each input.

    Args:
        run: the circuit with numbers.
        paths: for some inputs all their paths with their products; these are listed too.
        rounding: how numbers are printed.
    """
    r, c = rounding or Rounding(), run.circuit
    given = ", ".join(rf"{tex_word(n)} = {_number(r, run.values[n])}" for n in c.inputs)
    acts = dict.fromkeys(g.pattern for g in c.gates if g.pattern)
    rules: list[Text] = [(PATTERNS[pattern] + ".",) for pattern in acts]
    if any(len(readers) > 1 for readers in c.consumers.values()):
        rules.append(("Branches add: a node that several gates read gets the sum of what they send.",))
    return (
        Paragraph(("The graph at ", Math(given), ":")),
        Figure(circuit_scene(run, rounding=r), ("Values above the edges, gradients below.",)),
        value_table(run, r),
        *((Paragraph(("What the gates do with a gradient:",)), Enumeration(tuple(rules))) if rules else ()),
        step_table(run, r),
        *(Display((*chain_lines(run, n, r), *path_lines(run, paths.get(n, ()), r))) for n in c.inputs),
    )


def _number(r: Rounding, value: float) -> str:
    """Return a number in LaTeX: a float counts as the decimal that it is written with."""
    return r.latex(exact(value).item())


def _in_product(r: Rounding, value: float) -> str:
    text = _number(r, value)
    return f"({text})" if text.startswith("-") else text


__all__ = [
    "PATTERNS",
    "chain_lines",
    "circuit_blocks",
    "circuit_naming",
    "derivative_table",
    "gate_equation",
    "gate_formula",
    "node_equation",
    "partial",
    "path_lines",
    "step_table",
    "value_table",
]
