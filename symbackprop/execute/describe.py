"""The face of a program, read off the declared network."""

from __future__ import annotations

from collections.abc import Mapping

from sympy import Number

from symbackprop.algebra.equation import Fact, reads
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import Sum
from symbackprop.algebra.tensor import Access
from symbackprop.declare.model import Model
from symbackprop.declare.spec import NetworkSpec
from symbackprop.errors import EmissionError, ShapeError
from symbackprop.execute.face import Face, InputFace, MaskFace, TargetFace


def describe(spec: NetworkSpec, model: Model, *, kind: str, module: str, dtype: str, batch: int, plan: str) -> Face:
    """Return what the text of a network takes and gives."""
    sums = _sums(model)
    output = numbers(spec.shapes[spec.outputs[0]], f"output of network {spec.name}")
    return Face(
        network=spec.name,
        kind=kind,
        module=module,
        dtype=dtype,
        batch=batch,
        inputs=tuple(
            _input(i.name, numbers(i.shape, f"input {i.name}"), i.integer, model.ranges.get(i.name), sums.get(i.name)) for i in spec.inputs
        ),
        target=_target(model, output, sums),
        output=output,
        parameters=spec.parameters,
        loss=None if spec.loss is None else spec.loss.name,
        reduction=None if spec.loss is None else spec.loss.reduction,
        penalised=spec.regularizer is not None,
        plan=plan,
        statistics=spec.statistics,
        masks=tuple(MaskFace(m.name, numbers(m.shape, m.name), m.keep) for m in spec.masks),
        modes=spec.has_modes,
    )


def _input(name: str, shape: tuple[int, ...], integer: bool, ends: tuple[int, int] | None, total: float | None) -> InputFace:
    least, most = ends or (None, None)
    return InputFace(name, shape, integer, least, most, total)


def numbers(shape: tuple[int | str, ...], what: str) -> tuple[int, ...]:
    """Return a shape of numbers.

    Raises:
        ShapeError: a size is still a symbol.
    """
    for size in shape:
        if not isinstance(size, int):
            raise ShapeError(f"{what} has the symbolic size {size}; a program needs numbers, so declare it with one")
    return tuple(size for size in shape if isinstance(size, int))


def _target(model: Model, output: tuple[int, ...], sums: Mapping[str, float]) -> TargetFace | None:
    if model.target is None:
        return None
    if model.system.tensors[model.target].integer:
        return TargetFace("labels", output[:-1], classes=output[-1])
    return TargetFace("rows", output, sums_to=sums.get(model.target))


def _sums(model: Model) -> dict[str, float]:
    """Return what the rows of inputs and target are declared to sum to; facts about other tensors cannot be tested here."""
    given = {*model.inputs, *((model.target,) if model.target else ())}
    found = {}
    for fact in model.system.facts:
        about = {t.name for side in (fact.lhs, fact.rhs) for t in reads(side)}
        if about & given:
            found[min(about & given)] = _row_sum(fact)
    return found


def _row_sum(fact: Fact) -> float:
    """Return c for the fact Σ_i y[n, i] = c, the one kind that can be tested at the door."""
    left, right = fact.lhs, fact.rhs
    if isinstance(left, Sum) and isinstance(left.body, Access) and isinstance(right, Number) and isinstance(left.body.index[-1], Index):
        if left.bound == left.body.index[-1:]:
            return float(right)
    raise EmissionError(f"the fact {fact} cannot be tested on arrays; declare what a row sums to, over the last axis")


__all__ = ["describe", "numbers"]
