"""What the derive stage yields: equations for every cotangent, with the steps that led there. Data, no work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sympy import Expr, Symbol

from symbackprop.algebra.equation import Block, Equation, System
from symbackprop.algebra.matrix import Form, MatrixEquation
from symbackprop.algebra.operators import OperatorEquation
from symbackprop.algebra.tensor import Tensor
from symbackprop.algebra.written import Written
from symbackprop.declare.model import Model
from symbackprop.derive.matrix import Stepped, stepped_axes


@dataclass(frozen=True)
class Step:
    """One step of a derivation: the printed step is the rewrite that was made.

    Attributes:
        rule: the name of the rule.
        before: the equation it was applied to; for the first step of a cotangent, the forward equation that is differentiated.
        after: the equation it gave.
        rewrites: True where both sides have the same value (and a check may compare them); False for the differentiation itself.
    """

    rule: str
    before: Equation
    after: Equation
    rewrites: bool

    def __str__(self) -> str:
        return f"{self.rule}: {self.after}"


@dataclass(frozen=True)
class Factor:
    """A part of a product, by where it came from.

    Attributes:
        label: "loss gradient" or "upstream gradient" for what arrives, "local gradient" for the derivative of a layer's own function.
        index: in index form.
        matrix: in matrix form, or None where there is none.
    """

    label: str
    index: Expr
    matrix: Form | None = None


@dataclass(frozen=True)
class Passage:
    """One line of a lecture's derivation. Every line gives the same value as the one before it.

    Attributes:
        rule: why the line follows, in plain words.
        index: in index form. It may read derivatives by their names: ``grad.z`` is ∂L/∂z, ``d z/d a`` is ∂z/∂a.
        matrix: in matrix form, or None where there is none.
        order: names of tensors in the order in which their factors stand: in a chain rule the derivatives from the loss down to the
            variable, where they are inserted first what arrives and then what is local; empty where the usual order holds.
        factors: the parts of its product, where they are told apart.
    """

    rule: str
    index: Equation
    matrix: MatrixEquation | None = None
    order: tuple[str, ...] = ()
    factors: tuple[Factor, ...] = ()


@dataclass(frozen=True)
class Way:
    """How one result is derived, at every depth.

    Attributes:
        name: of the result, for example ``delta.dense_1``.
        of: the tensor that it is the derivative with respect to.
        result: in index form.
        matrix: in matrix form, or None where there is none.
        lecture: the lines that a lecturer writes, up to the result.
        steps: every recorded rewrite.
        operator: the result in operator form, or None where there is none.
        local: ``d z/d a`` -> (its equation, the forward equations that it is the derivative of).
    """

    name: str
    of: str
    result: Equation
    matrix: MatrixEquation | None
    lecture: tuple[Passage, ...]
    steps: tuple[Step, ...] = ()
    local: Mapping[str, tuple[Equation, tuple[Equation, ...]]] = field(default_factory=dict)
    operator: OperatorEquation | None = None


@dataclass(frozen=True)
class ElementaryLine:
    """One line of the derivation of f′(x).

    Attributes:
        rule: why it follows from the line before, in plain words.
        term: the right side as it is written; it may read f itself by its symbol.
        slope: whether the line is about f′ (True) or a way to write f (False).
        detail: whether it is left out of a lecture.
    """

    rule: str
    term: Written
    slope: bool = True
    detail: bool = False


@dataclass(frozen=True)
class Elementary:
    """The derivation of f′ for a function of one variable.

    Attributes:
        expression: f(x).
        variable: x.
        function: the symbol that stands for f(x).
        lines: each gives the value of the one before it.
        through: f′ as a polynomial in f, or None where there is none.
        letter: how f is called: a letter or a macro.
    """

    expression: Expr
    variable: Symbol
    function: Symbol
    lines: tuple[ElementaryLine, ...]
    through: Expr | None = None
    letter: str = "f"


@dataclass(frozen=True)
class Derivation:
    """Cotangent equations of a scalar with respect to tensors.

    Attributes:
        forward_system: the forward equations as declared.
        system: the forward equations followed by the cotangent equations: a `System` itself, so the engine applies to its own result.
        forward: the forward blocks in numerically stable form, for computing.
        backward: the cotangent blocks in numerically stable form, in order.
        cotangents: tensor name -> name of its cotangent tensor.
        traces: cotangent name -> its steps in slot names and the block that binds them; use `steps_of`.
        loss: name of the scalar that is differentiated.
        wrt: names of the tensors whose gradients are asked for.
        places: tensors that only the blocks for computing have: where each maximum was found.
        model: the network it belongs to, or None for a user's own system.
    """

    forward_system: System
    system: System
    forward: tuple[Block, ...]
    backward: tuple[Block, ...]
    cotangents: Mapping[str, str]
    traces: Mapping[str, tuple[Block, tuple[Step, ...]]]
    loss: str
    wrt: tuple[str, ...]
    model: Model | None = None
    places: Mapping[str, Tensor] = field(default_factory=dict)

    @cached_property
    def tensors(self) -> Mapping[str, Tensor]:
        """Every tensor by name."""
        return {**self.system.tensors, **self.places}

    @cached_property
    def stable(self) -> System:
        """The equations in the form in which they are computed."""
        return System(blocks=self.forward + self.backward, tensors=self.tensors)

    @cached_property
    def tape(self) -> tuple[str, ...]:
        """Names of the forward values that the backward pass reads, in forward order."""
        read = {block.names[slot] for block in self.backward for slot in block.template.free}
        stored = [name for block in self.forward for name in (block.names[slot] for slot in block.template.defined)]
        given = [name for name in self.forward_system.tensors if name not in set(stored)]
        return tuple(name for name in (*given, *stored) if name in read)

    @cached_property
    def stepped(self) -> Stepped:
        """The axes along which a recurrence runs, by tensor and place: matrix forms take one step of them at a time."""
        return stepped_axes(self.system.equations)

    def equation(self, name: str) -> Equation:
        """Return the equation of a cotangent by its own name, for example ``grad.dense_1.W``."""
        block = self._producer[name]
        return next(e for e in block.equations(self.tensors) if e.tensor.name == name)

    @cached_property
    def _producer(self) -> dict[str, Block]:
        return {block.names[slot]: block for block in self.system.blocks for slot in block.template.defined}

    def steps_of(self, name: str) -> tuple[Step, ...]:
        """Return the steps that led to a cotangent, written for the real tensors."""
        if name not in self.traces:
            return ()
        block, steps = self.traces[name]
        swap = block.bind(self.tensors)
        return tuple(Step(s.rule, s.before.xreplace(swap), s.after.xreplace(swap), s.rewrites) for s in steps)


@dataclass(frozen=True)
class Products:
    """Products with derivatives of a network: blocks in the form in which they are computed.

    Attributes:
        kind: "jvp" (∂a/∂w v), "vjp" (uᵀ ∂a/∂w) or "hvp" (∂²L/∂w² v).
        blocks: all of them, in order.
        tensors: every tensor by name.
        given: tensor -> name of the direction or weight that is given for it.
        results: tensor -> name of what is asked for: the tangent of an output, or the product that belongs to ``w``.
    """

    kind: str
    blocks: tuple[Block, ...]
    tensors: Mapping[str, Tensor]
    given: Mapping[str, str]
    results: Mapping[str, str]


@dataclass(frozen=True)
class Gate:
    """One operation of a scalar circuit.

    Attributes:
        name: of the node that holds its result.
        operation: "+", "-", "*", "/", "**", "neg", a function's name, or "statement" for a whole expression as one gate.
        operands: for each operand "" if it is an input, else the number that stands there, as text.
        inputs: the nodes that it reads; one that is read twice is there twice.
        equation: what it computes.
        locals: ∂(result)/∂(input) for each input, in the values of the circuit.
        pattern: what it does with a gradient: "distributes", "routes", "switches", "scales", "passes", or "" for none of these.
    """

    name: str
    operation: str
    operands: tuple[str, ...]
    inputs: tuple[str, ...]
    equation: Equation
    locals: tuple[Equation, ...]
    pattern: str


@dataclass(frozen=True)
class Circuit:
    """A scalar computational graph with its local gradients.

    Attributes:
        name: of the whole.
        output: the node whose gradients are asked for.
        inputs: names of its variables.
        gates: in the order of computing.
        named: nodes that were given a name, rather than numbered.
        system: the equations of the gates, then those of the local gradients.
    """

    name: str
    output: str
    inputs: tuple[str, ...]
    gates: tuple[Gate, ...]
    named: tuple[str, ...]
    system: System

    @cached_property
    def gate(self) -> Mapping[str, Gate]:
        """The gates by name."""
        return {g.name: g for g in self.gates}

    @cached_property
    def nodes(self) -> tuple[str, ...]:
        """Inputs, then gates, each after what it reads."""
        return (*self.inputs, *(g.name for g in self.gates))

    @cached_property
    def consumers(self) -> Mapping[str, tuple[tuple[str, int], ...]]:
        """For each node the gates that read it, with the position at which they do."""
        found: dict[str, list[tuple[str, int]]] = {name: [] for name in self.nodes}
        for g in self.gates:
            for k, name in enumerate(g.inputs):
                found[name].append((g.name, k))
        return {name: tuple(readers) for name, readers in found.items()}

    @property
    def edges(self) -> int:
        """How many edges there are: one for each input of each gate."""
        return sum(len(g.inputs) for g in self.gates)


@dataclass(frozen=True)
class BackwardStep:
    """One edge of the backward pass: what a gate sends to one of its inputs.

    Attributes:
        node: the input that receives.
        consumer: the gate that sends; all of its own consumers have been done.
        position: which of the gate's inputs it is.
        local: ∂consumer/∂node at this place.
        upstream: the gate's own gradient.
        product: local times upstream.
        sum: what the node has received so far, this product included.
    """

    node: str
    consumer: str
    position: int
    local: float
    upstream: float
    product: float
    sum: float


@dataclass(frozen=True)
class CircuitRun:
    """A circuit with numbers.

    Attributes:
        circuit: what was run.
        values: of every node.
        gradients: ∂output/∂node for every node.
        steps: of the backward pass, one for each edge, in reverse topological order.
        touched: how many times an edge was used; equal to the number of edges, since no path is followed twice.
    """

    circuit: Circuit
    values: Mapping[str, float]
    gradients: Mapping[str, float]
    steps: tuple[BackwardStep, ...]
    touched: int

    @cached_property
    def step(self) -> Mapping[tuple[str, int], BackwardStep]:
        """The steps by (consumer, position)."""
        return {(s.consumer, s.position): s for s in self.steps}

    @cached_property
    def number(self) -> Mapping[tuple[str, int], int]:
        """The places of the steps in their order, from 0, by (consumer, position)."""
        return {(s.consumer, s.position): k for k, s in enumerate(self.steps)}
