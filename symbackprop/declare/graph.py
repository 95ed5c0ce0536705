"""From nodes to a network: walking the graph, giving names, and checking shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symbackprop.algebra.names import check_name
from symbackprop.declare.dimension import Shape
from symbackprop.declare.layers import LAYERS
from symbackprop.declare.layers.wiring import Input, Layer, Node, Output, one_output
from symbackprop.declare.losses import Loss, loss_of
from symbackprop.declare.regularizers import regularizer_of
from symbackprop.declare.spec import CallSpec, InputSpec, LayerSpec, NetworkSpec
from symbackprop.errors import DeclarationError, ShapeError

#: Names that the network itself gives to tensors.
RESERVED = ("y", "loss", "delta", "grad")


def network_spec(inputs: object, outputs: object, loss: object = None, regularizer: object = None, name: object = "network") -> NetworkSpec:
    """Return the plain-data form of a wired network.

    Raises:
        DeclarationError: bad names, cycles, inputs that are missing or unused, unknown losses.
        ShapeError: shapes that do not fit, naming the layer.
    """
    check_name(name, "network")
    outs = _nodes(outputs, "outputs")
    ins = tuple(node for node in _nodes(inputs, "inputs") if isinstance(node, Input))
    if len(ins) < len(_nodes(inputs, "inputs")):
        raise DeclarationError(f"network {name}: inputs= takes sbp.Input objects only")
    if len(set(map(id, ins))) < len(ins):
        raise DeclarationError(f"network {name}: an input is listed twice")
    order = _walk(outs, str(name))
    given = _inputs(ins, order, str(name))
    names = _layer_names(order, {spec.name for spec in given})
    loss_record = loss_of(loss)
    if loss_record is not None and len(outs) > 1:
        raise DeclarationError(f"network {name}: a loss takes one output, the network has {len(outs)}")

    wire: dict[int, str] = {id(node): spec.name for node, spec in zip(ins, given, strict=True)}
    shape: dict[str, Shape] = {spec.name: spec.shape for spec in given}
    whole = {spec.name: spec.integer for spec in given}
    layers: dict[str, LayerSpec] = {}
    first: dict[str, tuple[Any, ...]] = {}
    uses: dict[str, int] = {}
    calls: list[CallSpec] = []
    for node in order:
        if isinstance(node, Output):
            wire[id(node)] = f"{wire[id(node.inputs[0])]}.{node.name}"
        if node.layer is None:
            continue
        own_name = names[id(node.layer)]
        if own_name not in layers:
            layers[own_name] = _layer_spec(node.layer, own_name)
        reads = tuple(wire[id(x)] for x in node.inputs)
        integer = tuple(whole.get(x, False) for x in reads)
        kind = LAYERS[layers[own_name].kind] if layers[own_name].own is None else None
        if kind is not None and any(given and not kind.takes_integers(position) for position, given in enumerate(integer)):
            raise ShapeError(f"layer {own_name}: {layers[own_name].kind} takes real numbers, but its input is declared as int64")
        if layers[own_name].own is None and LAYERS[layers[own_name].kind].integers and not all(integer):
            word = layers[own_name].kind
            raise ShapeError(f"layer {own_name}: {word} takes whole numbers; declare its input as sbp.Input(…, dtype='int64')")
        try:
            made = layers[own_name].shapes(tuple(shape[x] for x in reads), integer)
        except ShapeError as error:
            raise ShapeError(f"layer {own_name}: {error}") from None
        except DeclarationError as error:
            raise DeclarationError(f"layer {own_name}: {error}") from None
        if own_name in first and first[own_name] != made.parameters:
            raise ShapeError(
                f"layer {own_name} is used twice and shares its parameters: expected an input that gives {_shown(first[own_name])}, "
                f"given one that gives {_shown(made.parameters)}"
            )
        first[own_name] = made.parameters
        uses[own_name] = uses.get(own_name, 0) + 1
        output = own_name if uses[own_name] == 1 else f"{own_name}#{uses[own_name]}"
        calls.append(CallSpec(own_name, reads, output, made.output, uses[own_name], made.outputs))
        wire[id(node)] = output
        shape |= calls[-1].values
    spec = NetworkSpec(
        name=str(name),
        inputs=given,
        layers=tuple(layers.values()),
        calls=tuple(calls),
        outputs=tuple(wire[id(node)] for node in outs),
        loss=loss_record,
        regularizer=regularizer_of(regularizer),
    )
    _check_loss(spec, loss_record)
    return spec


def chain(items: object, name: object) -> tuple[Input, Node]:
    """Return the input and the output of layers one after another."""
    given = list(items) if isinstance(items, Sequence) and not isinstance(items, str) else None
    if not given or not isinstance(given[0], Input):
        raise DeclarationError(f"network {str(name)[:60]}: Sequential takes a list that starts with sbp.Input(...)")
    start: Input = given[0]
    node: Node = start
    for position, layer in enumerate(given[1:], 2):
        if not isinstance(layer, Layer):
            shown = "a second Input" if isinstance(layer, Input) else type(layer).__name__
            if isinstance(layer, type) and issubclass(layer, Layer):
                shown = f"the class {layer.__name__}; write {layer.__name__}(...)"
            raise DeclarationError(f"network {str(name)[:60]}: item {position} of Sequential is no layer but {shown}")
        node = one_output(layer, f"network {str(name)[:60]}: item {position} of Sequential")(node)
    return start, node


def _nodes(given: object, what: str) -> tuple[Node, ...]:
    listed = tuple(given) if isinstance(given, tuple | list) else (given,)
    for node in listed:
        if not isinstance(node, Node):
            raise DeclarationError(f"{what}= takes nodes such as sbp.Input(16) or Dense(3)(x), got {type(node).__name__}")
    if not listed:
        raise DeclarationError(f"{what}= is empty")
    return listed


def _walk(outs: tuple[Node, ...], name: str) -> list[Node]:
    """Return the nodes, each after those that it reads: depth first from the outputs, operands left to right."""
    order: list[Node] = []
    state: dict[int, bool] = {}
    for out in outs:
        stack: list[tuple[Node, int]] = [(out, 0)]
        while stack:
            node, position = stack.pop()
            if position == 0:
                if id(node) in state:
                    if not state[id(node)]:
                        raise DeclarationError(f"network {name}: the graph has a cycle through {node!r}")
                    continue
                state[id(node)] = False
            if position < len(node.inputs):
                stack.append((node, position + 1))
                child = node.inputs[position]
                if not state.get(id(child), False):
                    stack.append((child, 0))
            else:
                state[id(node)] = True
                order.append(node)
    return order


def _inputs(ins: tuple[Input, ...], order: list[Node], name: str) -> tuple[InputSpec, ...]:
    seen = {id(node) for node in order}
    specs: list[InputSpec] = []
    for position, node in enumerate(ins, 1):
        chosen = node.name or ("x" if len(ins) == 1 else f"x_{position}")
        if id(node) not in seen:
            raise DeclarationError(f"network {name}: input {chosen} is not used by the outputs")
        if chosen in RESERVED or chosen in {s.name for s in specs}:
            raise DeclarationError(f"network {name}: the input name {chosen!r} is taken; choose another one")
        specs.append(InputSpec(chosen, node.shape, node.dtype == "int64"))
    known = set(map(id, ins))
    for other in order:
        if isinstance(other, Input) and id(other) not in known:
            raise DeclarationError(f"network {name}: the outputs depend on {other!r}, which is not listed in inputs=")
    return tuple(specs)


def _layer_names(order: list[Node], taken: set[str]) -> dict[int, str]:
    names: dict[int, str] = {}
    used = set(taken) | set(RESERVED)
    counts: dict[str, int] = {}
    for node in order:
        layer = node.layer
        if layer is None or id(layer) in names:
            continue
        if layer.name is not None:
            chosen = check_name(layer.name, "layer")
        else:
            kind = check_name(type(layer).__name__.lower(), "layer")
            counts[kind] = counts.get(kind, 0) + 1
            chosen = f"{kind}_{counts[kind]}"
        if chosen in used:
            raise DeclarationError(
                f"two things are named {chosen!r}; layer and input names must be unique, and none of {', '.join(RESERVED)}"
            )
        used.add(chosen)
        names[id(layer)] = chosen
    return names


def _layer_spec(layer: Layer, name: str) -> LayerSpec:
    kind = type(layer).__name__
    trainable = layer.trainable
    if not isinstance(trainable, bool):
        raise DeclarationError(f"layer {name}: trainable must be True or False, got {trainable!r}")
    if LAYERS.get(kind) is type(layer):
        return LayerSpec(name, kind, layer.options(), trainable)
    return LayerSpec(name, kind, (), trainable, layer)


def _shown(parameters: tuple[Any, ...]) -> str:
    return ", ".join(f"{p.name} of shape {p.shape}" for p in parameters) or "no parameters"


def _check_loss(spec: NetworkSpec, loss: Loss | None) -> None:
    if loss is None:
        if spec.regularizer is not None:
            raise DeclarationError(f"network {spec.name}: a regularizer is added to a loss; give loss= too")
        return
    if not spec.shapes[spec.outputs[0]]:
        raise ShapeError(
            f"network {spec.name}: loss {loss.name} takes outputs with an axis besides the batch, the output has the shape (batch,)"
        )


__all__ = ["chain", "network_spec"]
