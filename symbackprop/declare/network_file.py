"""Networks as TOML files: read, checked, never run.

A file names its inputs and lists its layers; a layer reads the one before it unless ``reads`` says otherwise::

    name = "small"
    loss = "softmax_cross_entropy"                 # or { name = "huber", reduction = "sum", delta = 0.5 }
    regularizer = { name = "L2", lam = 1e-4 }
    frozen = ["hidden.b"]

    [inputs]
    x = 64                                         # or [1, 8, 8], "n_1", { shape = 50, dtype = "int64" }

    [[layers]]
    kind = "Dense"
    name = "hidden"
    units = 32
    activation = { name = "swish", expression = "z/(1 + exp(-z))" }

    [[layers]]
    kind = "Concat"
    reads = ["x", "hidden"]

    [[layers]]
    kind = "Dense"
    units = 10
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from symbackprop.algebra.suggest import suggestion
from symbackprop.declare.activations import activation_spec
from symbackprop.declare.graph import network_spec
from symbackprop.declare.layers import LAYERS, Activation, Input, Layer, Node
from symbackprop.declare.losses import Loss
from symbackprop.declare.regularizers import L1, L2, REGULARIZERS, ElasticNet
from symbackprop.declare.spec import NetworkSpec
from symbackprop.errors import DeclarationError, OutputError, ShapeError

#: A network file is short text.
MAX_BYTES = 1_000_000


def read_network_file(path: str | os.PathLike[str]) -> NetworkSpec:
    """Return the network that a TOML file declares.

    Raises:
        OutputError: the file cannot be read.
        DeclarationError: its content declares no network; the message names file and entry.
    """
    try:
        with Path(path).open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise OutputError(f"cannot read {os.fspath(path)}: {error.strerror or error}") from error
    where = os.fspath(path)
    if len(content) > MAX_BYTES:
        raise DeclarationError(f"{where} is larger than {MAX_BYTES} bytes; that is no network file")
    try:
        table = tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise DeclarationError(f"{where} is no TOML file: {str(error).splitlines()[0][:120]}") from None
    try:
        return read_network(table, Path(path).stem)
    except DeclarationError as error:
        raise DeclarationError(f"{where}: {error}") from None
    except ShapeError as error:
        raise ShapeError(f"{where}: {error}") from None


def read_network(table: Mapping[str, Any], name: str = "network") -> NetworkSpec:
    """Return the network that the tables of a TOML file declare."""
    _known(table, ("name", "loss", "regularizer", "frozen", "inputs", "layers", "outputs"), "the file")
    inputs = {key: _input(key, value) for key, value in _table(table.get("inputs"), "inputs").items()}
    if not inputs:
        raise DeclarationError("inputs is empty; write for example [inputs] and x = 64")
    entries = table.get("layers")
    if not isinstance(entries, list) or not entries:
        raise DeclarationError("layers is empty; write at least one [[layers]] with a kind")
    nodes, last = _wire(inputs, entries)
    spec = network_spec(
        tuple(inputs.values()),
        tuple(_node(nodes, each, "outputs") for each in _words(table.get("outputs", [last]), "outputs")),
        _loss(table.get("loss")),
        _regularizer(table.get("regularizer")),
        table.get("name", name),
    )
    frozen = _words(table.get("frozen", []), "frozen")
    return spec.freeze(*frozen) if frozen else spec


def _wire(inputs: Mapping[str, Input], entries: list[Any]) -> tuple[dict[str, Node], str]:
    """Call every layer on what it reads, whatever the order of the file; unnamed ones are known by their place."""
    waiting: dict[str, tuple[Layer, tuple[str, ...]]] = {}
    before = next(iter(inputs))
    for position, entry in enumerate(entries, 1):
        where = f"layer {position}"
        given = _table(entry, where)
        label = given.get("name", f"#{position}")
        if not isinstance(label, str) or label in waiting or label in inputs:
            raise DeclarationError(f"{where}: the name {str(label)[:60]!r} is taken or no text; choose another one")
        waiting[label] = (_layer(given, where), _words(given.get("reads", [before]), f"{where}: reads"))
        before = label
    known = (*inputs, *(label for label in waiting if not label.startswith("#")))
    for label, (_, reads) in waiting.items():
        for word in reads:
            if word not in inputs and word not in waiting:
                raise DeclarationError(f"layer {label} reads {word!r}, which is no input or layer{suggestion(word, known)}")
    nodes: dict[str, Node] = dict(inputs)
    while waiting:
        ready = [label for label, (_, reads) in waiting.items() if all(word in nodes for word in reads)]
        if not ready:
            raise DeclarationError(f"the graph has a cycle: {', '.join(sorted(waiting))} wait for each other")
        for label in ready:
            layer, reads = waiting.pop(label)
            nodes[label] = layer(*(nodes[word] for word in reads))
    return nodes, before


def _node(nodes: Mapping[str, Node], word: str, what: str) -> Node:
    if word not in nodes:
        raise DeclarationError(f"{what}: {word!r} is no input or layer{suggestion(word, nodes)}")
    return nodes[word]


def _input(name: str, value: Any) -> Input:
    if isinstance(value, Mapping):
        _known(value, ("shape", "dtype"), f"input {name}")
        if "shape" not in value:
            raise DeclarationError(f"input {name} has no shape")
        return Input(_shape(value["shape"]), value.get("dtype"), name)
    return Input(_shape(value), None, name)


def _shape(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _layer(given: Mapping[str, Any], where: str) -> Layer:
    kind = given.get("kind")
    if not isinstance(kind, str) or kind not in LAYERS:
        raise DeclarationError(f"{where}: unknown layer {str(kind)[:60]!r}{suggestion(kind, LAYERS)} (known: {', '.join(LAYERS)})")
    options = {key: value for key, value in given.items() if key not in ("kind", "reads")}
    if kind == "Activation":
        _known(options, ("name", "activation"), where)
        layer = _activation(options.get("activation"), where)
        layer.name = options.get("name")
        return layer
    declared: Any = LAYERS[kind]
    names = tuple(f.name for f in fields(declared))
    _known(options, names, f"{where} ({kind})")
    if "activation" in options:
        options["activation"] = _activation(options["activation"], where)
    try:
        return LAYERS[kind](**options)
    except TypeError:
        raise DeclarationError(f"{where} ({kind}): an option is missing; it takes {', '.join(names)}") from None


def _activation(given: Any, where: str) -> Activation:
    if isinstance(given, str):
        # A bare word is a row of the table; an unspecified function is written as a table { name = "f" }.
        activation_spec(given)
        return Activation(given)
    table = dict(_table(given, f"{where}: activation"))
    name, expression = table.pop("name", None), table.pop("expression", None)
    if not isinstance(name, str) or not (expression is None or isinstance(expression, str)):
        raise DeclarationError(f"{where}: an activation is a name, or a table with name, expression and options")
    learned = {key: _real(value, f"{where}: {key}") for key, value in _table(table.pop("learned", {}), f"{where}: learned").items()}
    per_channel = table.pop("per_channel", False)
    options = {key: _real(value, f"{where}: {key}") for key, value in table.items()}
    return Activation(name, expression, learned=learned, per_channel=per_channel, **options)


def _loss(given: Any) -> Loss | None:
    if given is None or isinstance(given, str):
        return None if given is None else Loss(given)
    table = dict(_table(given, "loss"))
    name, reduction = table.pop("name", None), table.pop("reduction", "mean")
    return Loss(name, reduction, **{key: _real(value, f"loss: {key}") for key, value in table.items()})


def _regularizer(given: Any) -> L1 | L2 | ElasticNet | None:
    if given is None:
        return None
    table = dict(_table(given, "regularizer"))
    name = table.pop("name", None)
    if name not in REGULARIZERS:
        raise DeclarationError(f"unknown regularizer {str(name)[:60]!r}{suggestion(name, REGULARIZERS)} (known: {', '.join(REGULARIZERS)})")
    wanted = tuple(f.name for f in fields(REGULARIZERS[name]))
    _known(table, wanted, f"regularizer {name}")
    if set(table) != set(wanted):
        raise DeclarationError(f"regularizer {name} needs {', '.join(wanted)}")
    return REGULARIZERS[name](**{key: _real(value, f"regularizer: {key}") for key, value in table.items()})


def _table(given: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise DeclarationError(f"{what} must be a table, got {type(given).__name__}")
    return given


def _words(given: Any, what: str) -> tuple[str, ...]:
    words = [given] if isinstance(given, str) else given
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise DeclarationError(f"{what} must be a name or a list of names")
    return tuple(words)


def _known(table: Mapping[str, Any], known: tuple[str, ...], what: str) -> None:
    for key in table:
        if key not in known:
            raise DeclarationError(f"{what} has an unknown entry {str(key)[:60]!r}{suggestion(key, known)} (known: {', '.join(known)})")


def _real(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DeclarationError(f"{what} must be a number, got {str(value)[:40]!r}")
    return value


__all__ = ["read_network", "read_network_file"]
