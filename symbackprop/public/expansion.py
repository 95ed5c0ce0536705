"""Networks and systems as scalar graphs: names for the entries, values from an example."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from symbackprop.algebra.equation import System
from symbackprop.declare.circuit import DeclaredCircuit
from symbackprop.declare.expand import expand
from symbackprop.errors import DataError, DeclarationError
from symbackprop.public.network import Network


def expanded(
    net: object, example: object, fuse: str | Sequence[str], target: str | None = None
) -> tuple[DeclaredCircuit, dict[str, float]]:
    """Return the circuit of a network or a system, and the values of its inputs in an example.

    Raises:
        DeclarationError: it is neither, has symbolic sizes or too many entries.
        DataError: the example does not fit.
    """
    fused = (fuse,) if isinstance(fuse, str) else tuple(fuse)
    if isinstance(net, Network):
        if net.spec.loss is None:
            raise DeclarationError(f"network {net.name} has no loss, so there is no gradient to send back; give one with loss=")
        form = target or ("rows" if "rows" in net.spec.loss.forms else net.spec.loss.forms[0])
        model = net.model(target=form, per="sample")
        values = {} if example is None else _example(example, model)
        return _made(model.system, model.loss, net.name, values, fused)
    if isinstance(net, System):
        if example is not None and not isinstance(example, Mapping):
            raise DataError("example: give a mapping from tensor names to values")
        given = {str(k): np.asarray(v, dtype=np.float64) for k, v in (example or {}).items()}
        return _made(net, net.defined[-1], "graph", given, fused)
    raise DeclarationError(f"Graph.of takes a network or a System, got {type(net).__name__}")


def _made(
    system: System, output: str, name: str, values: Mapping[str, Any], fused: tuple[str, ...]
) -> tuple[DeclaredCircuit, dict[str, float]]:
    called = _names(system, output)
    integers = {n: v for n, v in values.items() if n in system.tensors and system.tensors[n].integer}
    circuit = expand(system, output, name, called, integers, fused)
    flat: dict[str, float] = {}
    wanted = set(circuit.inputs)
    for tensor, value in values.items():
        if tensor not in system.tensors or tensor in integers:
            continue
        array = np.asarray(value, dtype=np.float64)
        shape = tuple(int(n) for n in system.tensors[tensor].shape)
        if array.shape != shape:
            raise DataError(f"example: {tensor} has shape {shape}, got {array.shape}")
        for place in itertools.product(*(range(n) for n in shape)):
            node = called(tensor, tuple(k + 1 for k in place))
            if node in wanted:
                flat[node] = float(array[place])
    return circuit, flat


def _names(system: System, output: str) -> Callable[[str, tuple[int, ...]], str]:
    """Return what entries are called: the last part of the tensor's name, a number where several layers have it, the indices."""
    owners: dict[str, list[str]] = {}
    for tensor in system.tensors:
        owner, _, word = tensor.rpartition(".")
        owners.setdefault(word, []).append(owner)
    largest = {t.name: max((int(n) for n in t.shape if n.is_Integer), default=0) for t in system.tensors.values()}

    def called(tensor: str, place: tuple[int, ...]) -> str:
        owner, _, word = tensor.rpartition(".")
        number = "" if len(owners[word]) == 1 else str(owners[word].index(owner) + 1)
        if tensor == output:
            word, number = ("L", "") if word == "loss" else (word, number)
        indices = ("" if largest[tensor] < 10 else "_").join(map(str, place))
        return f"{word}{number}{'_' if place else ''}{indices}"

    return called


def _example(example: object, model: Any) -> dict[str, Any]:
    """Return the values of parameters, inputs and target of one sample."""
    if not (isinstance(example, Sequence) and len(example) == 3):
        raise DataError("example: give (params, x, y)")
    params, x, y = example
    found: dict[str, Any] = {p.name: np.asarray(params[p.name], dtype=np.float64) for p in model.parameters}
    if isinstance(x, Mapping):
        inputs = dict(x)
    else:
        inputs = dict(zip(model.inputs, x if isinstance(x, tuple) and len(model.inputs) > 1 else (x,), strict=False))
    for name in model.inputs:
        if name not in inputs:
            raise DataError(f"example: no value is given for input {name}")
        found[name] = _one(np.asarray(inputs[name], dtype=np.float64), model.system.tensors[name].rank, name)
    tensor = model.system.tensors[model.target]
    target = np.asarray(y)
    if tensor.integer and tensor.rank == 0 and target.size == 1:
        target = target.reshape(())
    classes = int(tensor.shape[0]) if tensor.rank == 1 and tensor.shape[0].is_Integer else 0
    if classes and target.dtype.kind in "iu" and target.size == 1:
        # A label stands for the row with a 1 in its place.
        row = np.zeros(classes)
        label = int(target.reshape(()))
        if not 0 <= label < classes:
            raise DataError(f"example: label {label} is not in 0..{classes - 1}")
        row[label] = 1.0
        target = row
    found[model.target] = _one(target, tensor.rank, model.target)
    return found


def _one(array: Any, rank: int, name: str) -> Any:
    """Return a sample: an array without a batch axis, or the only one of a batch."""
    if array.ndim == rank + 1 and array.shape[0] == 1:
        return array[0]
    if array.ndim != rank:
        raise DataError(f"example: {name} is one sample with {rank} axes, got an array of shape {array.shape}")
    return array


__all__ = ["expanded"]
