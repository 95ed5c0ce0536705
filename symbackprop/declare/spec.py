"""A network as plain, hashable data: the result of declaring and the key of every cache. No SymPy is needed for it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

from symbackprop import algebra as alg
from symbackprop.algebra.suggest import suggestion
from symbackprop.declare.activations import ActivationSpec
from symbackprop.declare.dimension import Shape
from symbackprop.declare.layers import LAYERS, Activation
from symbackprop.declare.layers.wiring import Layer, Shapes
from symbackprop.declare.layout import MaskRecord, ParameterRecord, place
from symbackprop.declare.losses import Loss
from symbackprop.declare.own import check_layer, own_shapes, read_layer
from symbackprop.declare.regularizers import L1, L2, ElasticNet
from symbackprop.errors import DeclarationError


@dataclass(frozen=True)
class InputSpec:
    """An input: name, shape without the batch, and whether it holds integers."""

    name: str
    shape: Shape
    integer: bool = False


@dataclass(frozen=True)
class LayerSpec:
    """A layer: its name, class, options, and for an own layer the object that holds its equations."""

    name: str
    kind: str
    options: tuple[tuple[str, Any], ...] = ()
    trainable: bool = True
    own: Layer | None = None

    def layer(self) -> Layer:
        """Return the layer object."""
        if self.own is not None:
            return self.own
        options = dict(self.options)
        if self.kind == "Activation":
            function: ActivationSpec = options["function"]
            learned = dict(function.learned)
            return Activation(function.name, function.own, learned=learned, per_channel=function.per_channel, **dict(function.options))
        return LAYERS[self.kind](**options)

    def shapes(self, shapes: tuple[Shape, ...], integer: tuple[bool, ...]) -> Shapes:
        """Return the output shape and the parameters for inputs of these shapes."""
        layer = self.layer()
        rule = getattr(layer, "shapes", None) if self.own is None else None
        made: Shapes = rule(*shapes) if rule is not None else own_shapes(layer, shapes, integer)
        if self.own is not None:
            check_layer(layer, read_layer(layer, shapes, integer))
        return made


@dataclass(frozen=True)
class CallSpec:
    """One use of a layer: what it reads, what its output is called in the wiring, and the shapes.

    ``use`` is 1 for the first use of the layer, 2 for the second, ... A layer that names its outputs gives ``named`` ones, with
    their shapes; in the wiring the one called mean is ``output.mean``.
    """

    layer: str
    inputs: tuple[str, ...]
    output: str
    shape: Shape
    use: int = 1
    named: tuple[tuple[str, Shape], ...] = ()

    @property
    def values(self) -> dict[str, Shape]:
        """What it gives, by the names of the wiring."""
        return {f"{self.output}.{name}": shape for name, shape in self.named} or {self.output: self.shape}


@dataclass(frozen=True)
class NetworkSpec:
    """A declared network.

    Attributes:
        name: its name, also that of its files.
        inputs: in the order of ``inputs=``.
        layers: in the order in which their first use is computed.
        calls: in the order of computation.
        outputs: what the network gives, in the words of ``calls`` and ``inputs``.
        loss: or None.
        regularizer: or None.
        frozen: names of parameters that stay fixed, sorted.
    """

    name: str
    inputs: tuple[InputSpec, ...]
    layers: tuple[LayerSpec, ...]
    calls: tuple[CallSpec, ...]
    outputs: tuple[str, ...]
    loss: Loss | None = None
    regularizer: L1 | L2 | ElasticNet | None = None
    frozen: tuple[str, ...] = ()

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        """The shape of every value of the wiring, by name."""
        return {i.name: i.shape for i in self.inputs} | {name: shape for c in self.calls for name, shape in c.values.items()}

    @cached_property
    def layer(self) -> dict[str, LayerSpec]:
        """The layers by name."""
        return {layer.name: layer for layer in self.layers}

    @cached_property
    def parameters(self) -> tuple[ParameterRecord, ...]:
        """The parameters in declaration order, with their places in the flat buffer."""
        records = []
        for call in self.calls:
            if call.use > 1:
                continue
            layer = self.layer[call.layer]
            for p in self._made(call).parameters:
                name = f"{layer.name}.{p.name}"
                fixed = name in self.frozen or not layer.trainable
                records.append(ParameterRecord(name, p.shape, None, not fixed, p.initial, p.fan_in, p.fan_out))
        return place(records)

    @cached_property
    def statistics(self) -> tuple[ParameterRecord, ...]:
        """The running statistics in declaration order; their places are behind those of the parameters."""
        records = []
        for call in self.calls:
            if call.use == 1:
                for s in self._made(call).statistics:
                    records.append(ParameterRecord(f"{call.layer}.{s.name}", s.shape, None, False, s.initial))
        last = self.parameters[-1:]
        if any(p.offset is None for p in last):
            return tuple(records)
        return place(records, sum((p.offset or 0) + (p.size or 0) for p in last))

    @cached_property
    def masks(self) -> tuple[MaskRecord, ...]:
        """The random inputs of layers in training, one for each use."""
        records = []
        for call in self.calls:
            suffix = "" if call.use == 1 else f"_{call.use}"
            records += [MaskRecord(f"{call.layer}.{m.name}{suffix}", m.shape, m.keep) for m in self._made(call).masks]
        return tuple(records)

    @cached_property
    def has_modes(self) -> bool:
        """Whether the network does something else when it predicts than in training."""
        return any(layer.layer().has_modes() for layer in self.layers)

    def _made(self, call: CallSpec) -> Shapes:
        whole = {i.name: i.integer for i in self.inputs}
        layer = self.layer[call.layer]
        return layer.shapes(tuple(self.shapes[x] for x in call.inputs), tuple(whole.get(x, False) for x in call.inputs))

    def freeze(self, *names: str) -> NetworkSpec:
        """Return the network with parameters fixed; a layer's name stands for all of its parameters.

        Raises:
            DeclarationError: a name that is neither.
        """
        known = [p.name for p in self.parameters]
        chosen = set(self.frozen)
        for name in names:
            found = [p for p in known if p == name or p.rsplit(".", 1)[0] == name]
            if not found:
                raise DeclarationError(
                    f"freeze: network {self.name} has no parameter {str(name)[:60]!r}{suggestion(name, known)} "
                    f"(it has {', '.join(known) or 'none'})"
                )
            chosen.update(found)
        return replace(self, frozen=tuple(sorted(chosen)))

    @cached_property
    def json(self) -> str:
        """The content as canonical JSON: equal texts are equal networks."""
        whole = {i.name: i.integer for i in self.inputs}
        owns = {}
        for call in self.calls:
            own = self.layer[call.layer].own
            if own is not None:
                shapes = tuple(self.shapes[x] for x in call.inputs)
                read = read_layer(own, shapes, tuple(whole.get(x, False) for x in call.inputs))
                facts = [f"{f.lhs} = {f.rhs}" for f in read.facts]
                owns[call.output] = [list(map(alg.in_full, read.equations)), [f"{p.name}{p.shape}" for p in read.parameters], facts]
        content = {
            "name": self.name,
            "inputs": [[i.name, i.shape, i.integer] for i in self.inputs],
            "layers": [
                [s.name, s.kind, [[k, v.written if isinstance(v, ActivationSpec) else v] for k, v in s.options], s.trainable]
                for s in self.layers
            ],
            "calls": [[c.layer, c.inputs, c.output, c.use, *(name for name, _ in c.named)] for c in self.calls],
            "outputs": self.outputs,
            "loss": None if self.loss is None else [self.loss.name, self.loss.reduction, self.loss.options],
            "regularizer": None
            if self.regularizer is None
            else [type(self.regularizer).__name__, *(getattr(self.regularizer, f.name) for f in fields(self.regularizer))],
            "frozen": self.frozen,
            "own": owns,
        }
        return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)

    @cached_property
    def key(self) -> str:
        """SHA-256 of the content, as hexadecimal digits."""
        return hashlib.sha256(self.json.encode("ascii")).hexdigest()


__all__ = ["CallSpec", "InputSpec", "LayerSpec", "NetworkSpec"]
