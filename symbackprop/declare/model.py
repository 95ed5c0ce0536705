"""What a declared network becomes: a system of equations with the roles of its tensors. Records only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from symbackprop.algebra.equation import System
from symbackprop.algebra.index import Size
from symbackprop.algebra.integers import integer_ranges
from symbackprop.declare.layout import ParameterRecord
from symbackprop.declare.spec import NetworkSpec


@dataclass(frozen=True)
class LayerRecord:
    """One use of a layer.

    Attributes:
        name: the layer's name; a layer that is used twice has two records of one name.
        kind: its class, for example ``Dense``.
        inputs: the tensors that it reads.
        output: the tensor that it gives.
        pre: the tensor of its error term ("dense_1.z"), or None where it has none.
        parameters: names of its parameters, in order.
        activation: name of the activation that is built in, or None.
        use: 1 for the first use of the layer, 2 for the second, ...
        others: the tensors that it gives besides ``output``, in order.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    output: str
    pre: str | None
    parameters: tuple[str, ...]
    activation: str | None
    use: int = 1
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Statistic:
    """A running statistic: its name, and the tensor of its next value (`Model.updates` defines it)."""

    name: str
    next: str


@dataclass(frozen=True)
class Model:
    """A network as a system of equations.

    Attributes:
        name: the network's name.
        system: its equations, loss included.
        inputs: names of the input tensors, in the order of ``inputs=``.
        target: name of the target tensor, or None without a loss.
        outputs: names of the output tensors.
        loss: name of the total loss, or None.
        parameters: in declaration order.
        layers: in the order of computation.
        batch: the batch size (also for ``per="sample"``, where nothing ranges over it).
        per: "batch" or "sample".
        spec: the declaration that it was made from.
        form: of the target, "labels" or "rows"; None without a loss.
        mode: "training" or "inference".
        statistics: running statistics with their next values; empty in inference, which reads them only.
        updates: the equations of the next values, over tensors of ``system``.
        masks: names of the random inputs of layers, in order.
    """

    name: str
    system: System
    inputs: tuple[str, ...]
    target: str | None
    outputs: tuple[str, ...]
    loss: str | None
    parameters: tuple[ParameterRecord, ...]
    layers: tuple[LayerRecord, ...]
    batch: Size
    per: str = "batch"
    spec: NetworkSpec | None = None
    form: str | None = None
    mode: str = "training"
    statistics: tuple[Statistic, ...] = ()
    updates: System = field(default_factory=System)
    masks: tuple[str, ...] = ()

    @cached_property
    def parameter(self) -> Mapping[str, ParameterRecord]:
        """The parameters by name."""
        return {record.name: record for record in self.parameters}

    @cached_property
    def ranges(self) -> Mapping[str, tuple[int, int]]:
        """The values that integer inputs and labels may have, least and most, in the order of the arguments.

        Raises:
            DeclarationError: no range of values keeps an address in range.
        """
        found = dict(integer_ranges(self.system))
        if self.target is not None and self.system.tensors[self.target].integer:
            classes = self.system.tensors[self.outputs[0]].shape[-1]
            if classes.is_Integer:
                low, high = found.get(self.target, (0, int(classes) - 1))
                found[self.target] = max(low, 0), min(high, int(classes) - 1)
        return {name: found[name] for name in (*self.inputs, self.target) if name in found}


__all__ = ["LayerRecord", "Model", "ParameterRecord", "Statistic"]
