"""Scalar circuits: every gate is an equation without indices, and the one rule of differentiation gives its local gradients.

No gate has a derivative of its own written down anywhere. A gate's equation is derived once for all gates of its form.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

import sympy
from sympy import Expr, S

from symbackprop.algebra.equation import Block, Equation, System, Template, _raw
from symbackprop.algebra.interpret import interpret
from symbackprop.algebra.nodes import Guard, Indicator
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.declare.circuit import DeclaredCircuit, DeclaredGate, names_in, slot, written
from symbackprop.declare.expression import Term, build
from symbackprop.derive.jacobian import jacobian_equation
from symbackprop.derive.records import BackwardStep, Circuit, CircuitRun, Gate
from symbackprop.errors import DataError, DerivationError

#: The slot of a gate's result.
OUT: Final = "out"
#: How many paths are listed unless more are asked for.
MAX_PATHS: Final = 10_000
#: Symbolic gradients with more operations than this are not written out.
MAX_OPERATIONS: Final = 4_000


@lru_cache(maxsize=4096)
def forms(term: Term, arity: int) -> tuple[Template, Template, str]:
    """Return the equation of a gate's form, its local gradients, and the pattern that they make, all in slot names."""
    slots = [Tensor(slot(k), (), "input") for k in range(arity)]
    out = Tensor(OUT, (), "stored")
    equation = Equation(out[()], build(term, {t.name: t[()] for t in slots}))
    locals_ = []
    for t in slots:
        if t in equation.reads:
            found = jacobian_equation(System([equation]), OUT, t.name, as_read=True)[0]
            # u^v / u is u^(v - 1), also at u = 0.
            locals_.append(_raw(found.lhs, merged(sympy.powsimp(found.rhs, combine="exp"))))
        else:
            # SymPy has found that the input has no influence (0 u): a slope of 0, and nothing to differentiate.
            locals_.append(Equation(Tensor(f"d {OUT}/d {t.name}", (), "cotangent")[()], S.Zero))
    key = f"gate:{term}"
    return (
        Template(key, (equation,)),
        Template(f"{key}|local", tuple(locals_)),
        pattern(equation.rhs, tuple(e.rhs for e in locals_), tuple(t[()] for t in slots)),
    )


def merged(e: Expr) -> Expr:
    """Write [u > v] + [u = v] as [u >= v]: how the tie rule of a maximum reads."""
    if not isinstance(e, sympy.Add):
        return e
    terms = list(e.args)
    for equal in [t for t in terms if isinstance(t, Indicator) and isinstance(t.condition, sympy.Eq)]:
        for above in [t for t in terms if isinstance(t, Indicator) and isinstance(t.condition, sympy.StrictGreaterThan)]:
            if set(above.condition.args) == set(equal.condition.args):
                terms = [t for t in terms if t not in (equal, above)]
                terms.append(Indicator(sympy.GreaterThan(*above.condition.args, evaluate=False)))
                break
    return sympy.Add(*terms)


def pattern(value: Expr, slopes: tuple[Expr, ...], inputs: tuple[Access, ...]) -> str:
    """Return what a gate does with the gradient that arrives, read off its local gradients.

    All ones: it "distributes" (one input: it "passes" it on). Zeros and ones that depend on a comparison: it "routes". Each
    the product of the other inputs: it "switches". A number: it "scales".
    """
    if all(s == 1 for s in slopes):
        return "distributes" if len(slopes) > 1 else "passes"
    if all(s.has(Guard) and not _outside_guards(s) for s in slopes):
        return "routes"
    if len(slopes) > 1 and all(s * u == value and u not in s.atoms(Access) for s, u in zip(slopes, inputs, strict=True)):
        return "switches"
    return "scales" if len(slopes) == 1 and slopes[0].is_number else ""


def _outside_guards(e: Expr) -> bool:
    """Whether an expression reads anything outside its comparisons."""
    return bool(e.xreplace({g: S.One for g in e.atoms(Guard)}).atoms(Access))


def derive_circuit(declared: DeclaredCircuit) -> Circuit:
    """Derive the local gradients of a circuit."""
    tensors: dict[str, Tensor] = {n: Tensor(n, (), "input") for n in declared.inputs}
    tensors |= {g.name: Tensor(g.name, (), "stored") for g in declared.gates}
    forward: list[Block] = []
    backward: list[Block] = []
    gates: list[Gate] = []
    for g in declared.gates:
        value, slopes, kind = forms(g.term, len(g.inputs))
        names = {OUT: g.name} | {slot(k): n for k, n in enumerate(g.inputs)}
        for k in range(len(g.inputs)):
            made = Tensor(local_name(g.name, k), (), "cotangent")
            tensors[made.name] = made
            names[f"d {OUT}/d {slot(k)}"] = made.name
        blocks = tuple(Block(t, {s: names[s] for s in t.tensors}, {}, g.name) for t in (value, slopes))
        forward.append(blocks[0])
        backward.append(blocks[1])
        gates.append(
            Gate(
                name=g.name,
                operation=_operation(g.term),
                operands=_operands(g),
                inputs=g.inputs,
                equation=blocks[0].equations(tensors)[0],
                locals=tuple(
                    _raw(Tensor(f"d {g.name}/d {n}", (), "cotangent")[()], e.rhs)
                    for n, e in zip(g.inputs, blocks[1].equations(tensors), strict=True)
                ),
                pattern=kind,
            )
        )
    system = System(blocks=(*forward, *backward), tensors=tensors)
    return Circuit(declared.name, declared.output, declared.inputs, tuple(gates), declared.named, system)


def local_name(gate: str, position: int) -> str:
    """Return the name of the tensor of a local gradient: no name of a user has a space."""
    return f"local {gate} {position}"


def _operation(term: Term) -> str:
    simple = all(a.kind == "name" or not any(True for _ in names_in(a)) for a in term.args)
    return (term.value or term.kind) if simple and term.args else "statement"


def _operands(gate: DeclaredGate) -> tuple[str, ...]:
    if _operation(gate.term) == "statement":
        return ("",) * len(gate.inputs)
    return tuple("" if any(True for _ in names_in(a)) else written(a) for a in gate.term.args)


def run_circuit(circuit: Circuit, values: Mapping[str, float]) -> CircuitRun:
    """Compute every node forwards, then send gradients backwards, one edge at a time.

    Raises:
        DataError: an input is missing, unknown or no finite number, or a gate's value is none.
    """
    given = _checked(circuit, values)
    found = interpret(circuit.system, given)
    forward = {n: float(found[n]) for n in circuit.nodes}
    for g in circuit.gates:
        if not math.isfinite(forward[g.name]):
            read = ", ".join(f"{n} = {forward[n]:g}" for n in dict.fromkeys(g.inputs))
            raise DataError(f"graph {circuit.name}: {g.name} is {forward[g.name]} at {read}; choose inputs for which it has a value")
    gradients = dict.fromkeys(circuit.nodes, 0.0)
    gradients[circuit.output] = 1.0
    steps = []
    for g in reversed(circuit.gates):
        # Every consumer of this gate stands behind it in the order of computing, so its own gradient is complete.
        upstream = gradients[g.name]
        for k, node in enumerate(g.inputs):
            slope = float(found[local_name(g.name, k)])
            if not math.isfinite(slope):
                raise DataError(f"graph {circuit.name}: the derivative of {g.name} with respect to {node} is {slope}; choose other inputs")
            product = slope * upstream
            gradients[node] += product
            steps.append(BackwardStep(node, g.name, k, slope, upstream, product, gradients[node]))
    return CircuitRun(circuit, forward, gradients, tuple(steps), len(steps))


def _checked(circuit: Circuit, values: Mapping[str, float]) -> dict[str, float]:
    missing = [n for n in circuit.inputs if n not in values]
    if missing:
        raise DataError(f"graph {circuit.name}: no value is given for {', '.join(missing)}; it has inputs {', '.join(circuit.inputs)}")
    unknown = [str(n)[:40] for n in values if n not in circuit.inputs]
    if unknown:
        raise DataError(f"graph {circuit.name}: {', '.join(unknown)} is no input; its inputs are {', '.join(circuit.inputs)}")
    given: dict[str, float] = {}
    for n in circuit.inputs:
        try:
            given[n] = float(values[n])
        except (TypeError, ValueError):
            raise DataError(f"graph {circuit.name}: {n} is a number, got {type(values[n]).__name__}") from None
        if not math.isfinite(given[n]):
            raise DataError(f"graph {circuit.name}: {n} is {given[n]}; inputs are finite numbers")
    return given


def check_node(circuit: Circuit, name: object) -> str:
    """Return a node's name if there is such a node.

    Raises:
        DerivationError: there is none; the message lists the names.
    """
    if not isinstance(name, str) or name not in circuit.consumers:
        known = ", ".join(circuit.nodes[:30]) + (", ..." if len(circuit.nodes) > 30 else "")
        raise DerivationError(f"graph {circuit.name} has no node {str(name)[:40]!r}; it has {known}")
    return name


def count_paths(circuit: Circuit, source: str) -> int:
    """Return how many paths lead from a node to the output, without walking them: each node has as many as its consumers have together."""
    counts = dict.fromkeys(circuit.nodes, 0)
    counts[circuit.output] = 1
    for g in reversed(circuit.gates):
        for node in g.inputs:
            counts[node] += counts[g.name]
    return counts[check_node(circuit, source)]


def walk_paths(circuit: Circuit, source: str) -> Iterator[tuple[tuple[str, int], ...]]:
    """Yield each path from a node to the output as its edges (consumer, position), one at a time.

    Only nodes that lead to the output are entered, so the next path is never far.
    """
    check_node(circuit, source)
    leads = {circuit.output}
    for g in reversed(circuit.gates):
        if g.name in leads:
            leads.update(g.inputs)
    if source not in leads:
        return
    # Depth first with a stack of its own: circuits may be deeper than Python's recursion.
    trail: list[tuple[str, int]] = []
    stack = [iter(circuit.consumers[source])]
    if source == circuit.output:
        yield ()
    while stack:
        edge = next(stack[-1], None)
        if edge is None:
            stack.pop()
            if trail:
                trail.pop()
            continue
        if edge[0] not in leads:
            continue
        if edge[0] == circuit.output:
            yield (*trail, edge)
        trail.append(edge)
        stack.append(iter(circuit.consumers[edge[0]]))


def run_paths(run: CircuitRun, source: str, limit: int = MAX_PATHS) -> tuple[tuple[tuple[str, ...], float], ...]:
    """Return every path from a node to the output with the product of its local gradients; their sum is the gradient.

    Raises:
        DerivationError: there are more than ``limit``.
    """
    number = count_paths(run.circuit, source)
    if number > limit:
        raise DerivationError(
            f"graph {run.circuit.name}: {number:,} paths lead from {source} to {run.circuit.output}, the limit is {limit:,}; "
            f"count_paths({source!r}) counts them, and a larger limit= lists them"
        )
    found = []
    for edges in walk_paths(run.circuit, source):
        product = 1.0
        for edge in edges:
            product *= run.step[edge].local
        found.append(((source, *(consumer for consumer, _ in edges)), product))
    return tuple(found)


def gradient_equation(circuit: Circuit, wrt: str) -> Equation:
    """Return ∂output/∂wrt as an equation in the values of the nodes: branches add, nothing is walked twice.

    Raises:
        DerivationError: it is too long to be written out.
    """
    check_node(circuit, wrt)
    total: dict[str, Expr] = {circuit.output: S.One}
    for g in reversed(circuit.gates):
        if g.name == wrt:
            break
        upstream = total.pop(g.name, S.Zero)
        if upstream == 0:
            continue
        if upstream.count_ops() > MAX_OPERATIONS:
            raise DerivationError(
                f"graph {circuit.name}: the gradient of {wrt} has more than {MAX_OPERATIONS} operations; read it gate by gate"
            )
        for node, slope in zip(g.inputs, g.locals, strict=True):
            total[node] = total.get(node, S.Zero) + slope.rhs * upstream
    return _raw(Tensor(f"d {circuit.output}/d {wrt}", (), "cotangent")[()], sympy.sympify(total.get(wrt, S.Zero)))


def in_inputs(circuit: Circuit, equation: Equation) -> Equation:
    """Return an equation of a circuit with the values of gates written out, down to the inputs.

    Raises:
        DerivationError: it becomes too long.
    """
    rhs = equation.rhs
    for g in reversed(circuit.gates):
        if rhs.has(g.equation.lhs):
            rhs = rhs.xreplace({g.equation.lhs: g.equation.rhs})
            if rhs.count_ops() > MAX_OPERATIONS:
                raise DerivationError(
                    f"graph {circuit.name}: {equation.lhs.tensor.name} has more than {MAX_OPERATIONS} operations in the inputs"
                )
    return _raw(equation.lhs, rhs)


__all__ = [
    "MAX_PATHS",
    "check_node",
    "count_paths",
    "derive_circuit",
    "forms",
    "gradient_equation",
    "in_inputs",
    "pattern",
    "run_circuit",
    "run_paths",
    "walk_paths",
]
