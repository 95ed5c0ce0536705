"""Layers of the user's own: what their two methods return is read and checked here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from symbackprop import algebra as alg
from symbackprop.algebra.fault import Fault
from symbackprop.algebra.names import check_name
from symbackprop.algebra.suggest import suggestion
from symbackprop.declare.dimension import BATCH, Shape, extent, plain
from symbackprop.declare.layers.wiring import Layer, Parameter, Shapes, output_names, written
from symbackprop.errors import DeclarationError, ShapeError


@dataclass(frozen=True)
class OwnLayer:
    """An own layer for inputs of certain shapes: its parameter tensors, its equations, and what is declared true of its tensors."""

    inputs: tuple[Any, ...]
    parameters: tuple[Any, ...]
    equations: tuple[Any, ...]
    facts: tuple[Any, ...] = ()


def input_tensors(layer: Layer, shapes: tuple[Shape, ...], integer: tuple[bool, ...], named: Callable[[str], str] = str) -> tuple[Any, ...]:
    """Return the tensors that stand for the inputs: ``x``, or ``x_1``, ``x_2``, ... if there are several."""
    batch = alg.Index("n", alg.Size(BATCH))
    names = ("x",) if len(shapes) == 1 else tuple(f"x_{k}" for k in range(1, len(shapes) + 1))
    made = []
    for name, axes, shape, whole in zip(names, layer.axes(tuple(map(len, shapes))), shapes, integer, strict=True):
        made.append(alg.Tensor(name, (batch, *map(alg.Index, map(named, axes), map(extent, shape))), "input", integer=whole))
    return tuple(made)


def read_layer(layer: Layer, shapes: tuple[Shape, ...], integer: tuple[bool, ...]) -> OwnLayer:
    """Return what an own layer declares for these inputs.

    Raises:
        DeclarationError: an equation reads a tensor that nobody gives, defines one that is given, or is none.
        ShapeError: a tensor is read with another shape than it has.
    """
    kind = type(layer).__name__
    inputs = _unmixed(layer, shapes, integer)
    try:
        parameters = tuple(_parameter(kind, t) for t in _listed(kind, "parameters", layer.parameters(*inputs)))
        equations = _listed(kind, "equations", layer.equations(*inputs))
        facts = _listed(kind, "facts", layer.facts(*inputs))
        given = {t.name: t for t in (*inputs, *parameters)}
        _check_names(kind, inputs, parameters)
        _check_equations(kind, equations)
        # A tensor is known by its name: who makes it twice, as parameters() and equations() do, need not keep the object.
        swap = {t: given[t.name] for e in equations for t in e.reads if t.name in given and t.shape == given[t.name].shape}
        system = alg.System((e.xreplace(swap) for e in equations), _facts(kind, facts, swap, parameters))
        _check_reads(system, given, inputs, parameters)
        other = _apart(system, parameters, inputs)
        if other:
            inputs, parameters = (tuple(other.get(t, t) for t in tensors) for tensors in (inputs, parameters))
            return OwnLayer(
                inputs, parameters, tuple(e.xreplace(other) for e in system.given), tuple(f.xreplace(other) for f in system.declared)
            )
    except (DeclarationError, ShapeError) as error:
        raise type(error)(str(error) if str(error).startswith(kind) else f"{kind}: {error}") from None
    except TypeError as error:
        instead = _instead(str(error))
        if not instead:
            raise
        raise DeclarationError(f"{kind}: {instead}") from error
    return OwnLayer(inputs, parameters, system.given, system.declared)


def _unmixed(layer: Layer, shapes: tuple[Shape, ...], integer: tuple[bool, ...]) -> tuple[Any, ...]:
    """Return input tensors whose axes are no index of the user's own.

    The names of the axes are our choice, and an index is its name and extent: where a layer has as many units as inputs, the
    user's i and the i of ``x.axes`` would be one. The equations must come out the same as with names that nobody can write.
    """
    usual = input_tensors(layer, shapes, integer)
    if hasattr(layer, "shapes"):
        return usual
    distinct = input_tensors(layer, shapes, integer, "{}′".format)
    try:
        meant = _read(layer, distinct)
        for letter in ("i", *_LETTERS):
            inputs = input_tensors(layer, shapes, integer, partial(_lettered, letter))
            swap: dict[Any, Any] = {a: b for s, t in zip(distinct, inputs, strict=True) for a, b in zip(s.axes, t.axes, strict=True)}
            for t in {t for e in meant for t in (e.tensor, *e.reads)}:
                axes = tuple(swap.get(a, a) for a in t.axes)
                if axes != t.axes:
                    swap[t] = alg.Tensor(t.name, axes, t.role, integer=t.integer, positive=t.positive)
            if [e.xreplace(swap) for e in meant] == _read(layer, inputs):
                return inputs
    except (DeclarationError, ShapeError, TypeError):
        # What is wrong is told where the equations are read in earnest.
        pass
    return usual


def _lettered(letter: str, axis: str) -> str:
    return axis if letter == "i" else letter if axis == "i" else f"{axis}_{letter}"


def _read(layer: Layer, inputs: tuple[Any, ...]) -> list[Any]:
    made = _listed(type(layer).__name__, "equations", layer.equations(*inputs))
    return [e for e in made if isinstance(e, alg.Equation)]


def check_layer(layer: Layer, read: OwnLayer) -> None:
    """Refuse what is well formed but surely not meant: only for layers of the user's own, not for the built-in ones.

    Raises:
        DeclarationError: a parameter that no equation reads, or a sum over an index that does not occur.
    """
    kind = type(layer).__name__
    seen = {t.name for e in read.equations for t in e.reads}
    idle = [p.name for p in read.parameters if p.name not in seen]
    if idle:
        known = suggestion(idle[0], sorted(seen - {t.name for t in (*read.inputs, *read.parameters)}))
        raise DeclarationError(f"{kind}: parameter {idle[0]} is read by no equation; leave it out of parameters(){known}")
    for e in map(alg.apart, read.equations):
        for node in sorted(e.rhs.atoms(alg.Sum), key=str):
            absent = [b for b in node.bound if b not in node.body.free_symbols]
            if absent:
                says = f"{kind}: {e.lhs}: Sum ranges over {absent[0]}, which does not occur in it: that multiplies by {absent[0].extent}"
                line = alg.marked(e.lhs, e.rhs, (), absent[:1])
                raise DeclarationError(str(Fault(says, (line,), f"take {absent[0]} out of the sum; if the factor is meant, write it")))


def _apart(system: Any, parameters: tuple[Any, ...], inputs: tuple[Any, ...]) -> dict[Any, Any]:
    """Return new names for indices that share one though they have different extents, and the tensors with them.

    The axes of the inputs have names of our choosing, so the user's own i and the i of ``x.axes`` may meet; loops and formulas
    tell indices apart by their names.
    """
    tensors = [*parameters, *(e.tensor for e in system.given), *inputs]
    inner = [i for e in system.given for i in (*e.lhs.index, *sorted(e.rhs.atoms(alg.Index), key=str))]
    first: dict[str, Any] = {}
    swap: dict[Any, Any] = {}
    taken = {i.name for i in (*inner, *(a for t in tensors for a in t.axes))} | {t.name for t in tensors}
    for index in (*(a for t in tensors[: len(parameters)] for a in t.axes), *inner, *(a for t in tensors for a in t.axes)):
        if first.setdefault(index.name, index) != index and index not in swap:
            name = next(name for name in (*_LETTERS, *(f"{index.name}_{k}" for k in range(1, 100))) if name not in taken)
            taken.add(name)
            swap[index] = alg.Index(name, index.extent)
    if not swap:
        return {}
    for t in {*tensors, *(t for e in system.given for t in e.reads)}:
        axes = tuple(swap.get(a, a) for a in t.axes)
        if axes != t.axes:
            swap[t] = alg.Tensor(t.name, axes, t.role, integer=t.integer, positive=t.positive)
    return swap


#: Names for indices whose own name is taken.
_LETTERS = ("j", "l", "m", "r", "s")


def _check_names(kind: str, inputs: tuple[Any, ...], parameters: tuple[Any, ...]) -> None:
    names = [t.name for t in parameters]
    for place, name in enumerate(names):
        if name in names[:place]:
            raise DeclarationError(f"{kind}: two parameters are called {name}; a name stands for one tensor")
        if name in {t.name for t in inputs}:
            raise DeclarationError(f"{kind}: the parameter {name} is called like an input; choose another name")


def _check_equations(kind: str, equations: tuple[Any, ...]) -> None:
    if not equations:
        raise DeclarationError(f"{kind}.equations returns no equation")
    for e in equations:
        if not isinstance(e, alg.Equation):
            raise DeclarationError(f"{kind}.equations returns {type(e).__name__}; it returns a tuple of sbp.Equation")


def _check_reads(system: Any, given: Mapping[str, Any], inputs: tuple[Any, ...], parameters: tuple[Any, ...]) -> None:
    """Refuse equations that define what is given, and that read what nobody gives."""
    told = f"neither an input ({', '.join(t.name for t in inputs)}) nor a parameter ({', '.join(t.name for t in parameters) or 'none'})"
    for e in map(alg.apart, system.given):
        if e.tensor.name in given:
            what = "an input" if e.tensor.name in {t.name for t in inputs} else "a parameter"
            says = f"{e.lhs}: {e.tensor.name} is {what} and cannot be defined by an equation"
            raise DeclarationError(str(Fault(says, (alg.marked(e.lhs, e.rhs, (e.lhs,)),), "define a tensor of another name")))
        for t in e.reads:
            parts = tuple(a for a in e.rhs.atoms(type(e.lhs)) if a.tensor.name == t.name)
            if t.name not in given and t.name not in system.defined:
                way = f"return it from parameters() too, or define it by an equation before{suggestion(t.name, (*given, *system.defined))}"
                says = f"{e.lhs}: {t.name} is {told}, and no equation defines it"
                raise DeclarationError(str(Fault(says, (alg.marked(e.lhs, e.rhs, parts),), way)))
            if t.name in given and t.shape != given[t.name].shape:
                says = f"{e.lhs}: {t.name} is read with shape {written(t.shape)}, but it has {written(given[t.name].shape)}"
                raise ShapeError(str(Fault(says, (alg.marked(e.lhs, e.rhs, parts),), f"declare {t.name} once, and read that tensor")))


def _facts(kind: str, facts: tuple[Any, ...], swap: Mapping[Any, Any], parameters: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return declared facts over the layer's tensors; one about a parameter would end with the first step of training."""
    made = []
    trained = {p.name for p in parameters}
    for fact in alg.System((), facts).declared:
        fact = fact.xreplace(swap)
        about = sorted({t.name for side in (fact.lhs, fact.rhs) for t in alg.reads(side)} & trained)
        if about:
            raise DeclarationError(f"{kind}: the fact {fact} is about the parameter {about[0]}, which training changes")
        made.append(fact)
    return tuple(made)


def own_shapes(layer: Layer, shapes: tuple[Shape, ...], integer: tuple[bool, ...]) -> Shapes:
    """Return the output shape and the parameters of an own layer."""
    if type(layer).has_modes() or type(layer).statistics is not Layer.statistics:
        raise DeclarationError(
            f"{type(layer).__name__} defines inference or statistics, but a layer of your own has one mode: its equations hold in training "
            f"and in inference; take BatchNorm or Dropout for the part that differs"
        )
    read = read_layer(layer, shapes, integer)
    outputs = _outputs(layer, read)
    names = output_names(layer)
    initial: Mapping[str, str] = getattr(layer, "initial", {})
    parameters = []
    for p in read.parameters:
        shape = tuple(map(plain, p.shape))
        usual = "glorot" if p.name.startswith("W") else "ones" if p.name.startswith("gamma") else "zeros"
        fan_out, fan_in = (shape[0], shape[-1]) if len(shape) > 1 else (1, shape[0] if shape else 1)
        parameters.append(Parameter(p.name, shape, initial.get(p.name, usual), fan_in, fan_out))
    made = tuple(tuple(map(plain, output.shape[1:])) for output in outputs)
    return Shapes(made[0], tuple(parameters), outputs=tuple(zip(names, made, strict=True)) if names else ())


def _outputs(layer: Layer, read: OwnLayer) -> tuple[Any, ...]:
    """Return the output tensors: those that the layer names, or the left side of its last equation."""
    kind = type(layer).__name__
    defining = {e.tensor.name: e for e in map(alg.apart, read.equations)}
    found = []
    for name in output_names(layer) or (read.equations[-1].tensor.name,):
        if name not in defining:
            given = "an input" if name in {t.name for t in read.inputs} else "a parameter"
            known = name in {t.name for t in (*read.inputs, *read.parameters)}
            why = f"is {given}, and no left side" if known else "is the left side of no equation"
            lines = tuple(alg.marked(e.lhs, e.rhs, (e.lhs,)) for e in defining.values())
            way = f"name left sides: {', '.join(defining)}{suggestion(name, defining)}"
            raise DeclarationError(str(Fault(f"{kind}: the output {name} {why}", lines, way)))
        found.append(_with_batch(kind, defining[name], read.inputs[0].axes[0]))
    return tuple(found)


def _with_batch(kind: str, e: Any, n: Any) -> Any:
    """Return the tensor that an equation defines; every output has the batch as its first axis."""
    output = e.tensor
    if output.rank < 1 or output.shape[0] != alg.Size(BATCH):
        axes = ", ".join(a.name for a in output.axes)
        has = f"({axes})" if axes else "none"
        says = f"{kind}: the output {output.name} must have the batch as its first axis, but its axes are {has}"
        rest = [a.name for a in output.axes if a.extent != n.extent]
        way = f"declare it as tensor({output.name!r}, {', '.join([n.name, *rest])}), with {n.name} = x.axes[0]"
        raise DeclarationError(str(Fault(says, (alg.marked(e.lhs, e.rhs, (e.lhs,)),), way)))
    return output


def _instead(says: str) -> str:
    """Return what is written instead where Python took symbols for numbers, or nothing for any other error."""
    if "Relational" in says:
        return "a condition on a value is no Python if; write sympy.Piecewise((left, condition), (right, True))"
    if any(name in says for name in ("Access", "ufunc", "expression to float")):
        return f"equations are symbols, not numbers; write sympy.tanh and the like, not numpy or math ({says})"
    return ""


def _listed(kind: str, method: str, given: Any) -> tuple[Any, ...]:
    if isinstance(given, Mapping):
        return tuple(given.values())
    if isinstance(given, alg.Tensor | alg.Equation):
        return (given,)
    if isinstance(given, tuple | list | Iterator):
        return tuple(given)
    wanted = "sbp.Equation(left, right), or a tuple of them" if method == "equations" else "a tuple of them, empty for none"
    forgotten = "; is a return missing?" if given is None else ""
    raise DeclarationError(f"{kind}.{method} returns {type(given).__name__}; return {wanted}{forgotten}")


def _parameter(kind: str, given: Any) -> Any:
    if not isinstance(given, alg.Tensor):
        raise DeclarationError(f"{kind}.parameters returns {type(given).__name__}; it returns a tuple of sbp.tensor(...)")
    check_name(given.name, f"{kind}: parameter")
    if any(size.has(alg.Size(BATCH)) for size in given.shape):
        raise DeclarationError(f"{kind}: parameter {given.name} depends on the batch size")
    return alg.Tensor(given.name, given.axes, "parameter", integer=given.integer, positive=given.positive)


__all__ = ["OwnLayer", "check_layer", "own_shapes", "read_layer"]
