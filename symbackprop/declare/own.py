"""Layers of the user's own: what their two methods return is read and checked here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from symbackprop import algebra as alg
from symbackprop.algebra.names import check_name
from symbackprop.declare.dimension import BATCH, Shape, extent, plain
from symbackprop.declare.layers.wiring import Layer, Parameter, Shapes
from symbackprop.errors import DeclarationError, ShapeError


@dataclass(frozen=True)
class OwnLayer:
    """An own layer for inputs of certain shapes: its equations and parameter tensors."""

    inputs: tuple[Any, ...]
    parameters: tuple[Any, ...]
    equations: tuple[Any, ...]


def input_tensors(layer: Layer, shapes: tuple[Shape, ...], integer: tuple[bool, ...]) -> tuple[Any, ...]:
    """Return the tensors that stand for the inputs: ``x``, or ``x_1``, ``x_2``, ... if there are several."""
    batch = alg.Index("n", alg.Size(BATCH))
    names = ("x",) if len(shapes) == 1 else tuple(f"x_{k}" for k in range(1, len(shapes) + 1))
    made = []
    for name, axes, shape, whole in zip(names, layer.axes(tuple(map(len, shapes))), shapes, integer, strict=True):
        made.append(alg.Tensor(name, (batch, *map(alg.Index, axes, map(extent, shape))), "input", integer=whole))
    return tuple(made)


def read_layer(layer: Layer, shapes: tuple[Shape, ...], integer: tuple[bool, ...]) -> OwnLayer:
    """Return what an own layer declares for these inputs.

    Raises:
        DeclarationError: an equation reads a tensor that nobody gives, or the output has no batch axis.
    """
    kind = type(layer).__name__
    inputs = input_tensors(layer, shapes, integer)
    parameters = tuple(_parameter(kind, t) for t in _listed(kind, "parameters", layer.parameters(*inputs)))
    equations = _listed(kind, "equations", layer.equations(*inputs))
    if not equations:
        raise DeclarationError(f"{kind}.equations returns no equation")
    for e in equations:
        if not isinstance(e, alg.Equation):
            raise DeclarationError(f"{kind}.equations returns {type(e).__name__}; it returns a tuple of sbp.Equation")
    swap = {alg.Tensor(p.name, p.axes, "input", integer=p.integer, positive=p.positive): p for p in parameters}
    equations = tuple(e.xreplace(swap) for e in equations)
    system = alg.System(equations)
    known = {t.name: t.shape for t in (*inputs, *parameters)}
    for name in system.free:
        if name not in known:
            raise DeclarationError(
                f"{kind}: the equations read {name}, neither an input ({', '.join(t.name for t in inputs)}) nor one of parameters()"
            )
        if system.tensors[name].shape != known[name]:
            raise ShapeError(f"{kind}: {name} is read with shape {system.tensors[name].shape}, it has {known[name]}")
    clash = sorted(set(system.defined) & set(known))
    if clash:
        raise DeclarationError(f"{kind}: {clash[0]} is an input or a parameter and cannot be defined by an equation")
    return OwnLayer(inputs, parameters, system.given)


def own_shapes(layer: Layer, shapes: tuple[Shape, ...], integer: tuple[bool, ...]) -> Shapes:
    """Return the output shape and the parameters of an own layer."""
    read = read_layer(layer, shapes, integer)
    output = read.equations[-1].tensor
    if output.rank < 1 or output.shape[0] != alg.Size(BATCH):
        raise DeclarationError(
            f"{type(layer).__name__}: the output {output.name} must have the batch as its first axis, as the inputs have (x.axes[0])"
        )
    initial: Mapping[str, str] = getattr(layer, "initial", {})
    parameters = []
    for p in read.parameters:
        shape = tuple(map(plain, p.shape))
        usual = "glorot" if p.name.startswith("W") else "ones" if p.name.startswith("gamma") else "zeros"
        fan_out, fan_in = (shape[0], shape[-1]) if len(shape) > 1 else (1, shape[0] if shape else 1)
        parameters.append(Parameter(p.name, shape, initial.get(p.name, usual), fan_in, fan_out))
    return Shapes(tuple(map(plain, output.shape[1:])), tuple(parameters))


def _listed(kind: str, method: str, given: Any) -> tuple[Any, ...]:
    if isinstance(given, Mapping):
        return tuple(given.values())
    if isinstance(given, alg.Tensor | alg.Equation):
        return (given,)
    if isinstance(given, tuple | list):
        return tuple(given)
    raise DeclarationError(f"{kind}.{method} returns {type(given).__name__}; it returns a tuple")


def _parameter(kind: str, given: Any) -> Any:
    if not isinstance(given, alg.Tensor):
        raise DeclarationError(f"{kind}.parameters returns {type(given).__name__}; it returns a tuple of sbp.tensor(...)")
    check_name(given.name, f"{kind}: parameter")
    if any(size.has(alg.Size(BATCH)) for size in given.shape):
        raise DeclarationError(f"{kind}: parameter {given.name} depends on the batch size")
    return alg.Tensor(given.name, given.axes, "parameter", integer=given.integer, positive=given.positive)


__all__ = ["OwnLayer", "own_shapes", "read_layer"]
