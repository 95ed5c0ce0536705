"""What the derive stage yields: equations for every cotangent, with the steps that led there. Data, no work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from symbackprop.algebra.equation import Block, Equation, System
from symbackprop.algebra.tensor import Tensor
from symbackprop.declare.model import Model


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

    @property
    def tensors(self) -> Mapping[str, Tensor]:
        """Every tensor by name."""
        return self.system.tensors

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
