"""The face of a program, read off the declared network."""

from __future__ import annotations

from sympy import Number

from symbackprop.algebra.equation import Fact
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import Sum
from symbackprop.algebra.tensor import Access
from symbackprop.declare.model import Model
from symbackprop.declare.spec import NetworkSpec
from symbackprop.errors import EmissionError, ShapeError
from symbackprop.execute.face import Face, InputFace, MaskFace, TargetFace


def describe(spec: NetworkSpec, model: Model, *, kind: str, module: str, dtype: str, batch: int, plan: str) -> Face:
    """Return what the text of a network takes and gives."""
    output = numbers(spec.shapes[spec.outputs[0]], f"output of network {spec.name}")
    return Face(
        network=spec.name,
        kind=kind,
        module=module,
        dtype=dtype,
        batch=batch,
        inputs=tuple(
            InputFace(i.name, numbers(i.shape, f"input {i.name}"), i.integer, *model.ranges.get(i.name, (None, None))) for i in spec.inputs
        ),
        target=_target(model, output),
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


def numbers(shape: tuple[int | str, ...], what: str) -> tuple[int, ...]:
    """Return a shape of numbers.

    Raises:
        ShapeError: a size is still a symbol.
    """
    for size in shape:
        if not isinstance(size, int):
            raise ShapeError(f"{what} has the symbolic size {size}; a program needs numbers, so declare it with one")
    return tuple(size for size in shape if isinstance(size, int))


def _target(model: Model, output: tuple[int, ...]) -> TargetFace | None:
    if model.target is None:
        return None
    if model.system.tensors[model.target].integer:
        return TargetFace("labels", output[:-1], classes=output[-1])
    sums = None
    for block in model.system.blocks:
        for fact in block.template.facts:
            sums = _row_sum(fact)
    return TargetFace("rows", output, sums_to=sums)


def _row_sum(fact: Fact) -> float:
    """Return c for the fact Σ_i y[n, i] = c, the one kind that can be tested at the door."""
    left, right = fact.lhs, fact.rhs
    if isinstance(left, Sum) and isinstance(left.body, Access) and isinstance(right, Number) and isinstance(left.body.index[-1], Index):
        if left.bound == left.body.index[-1:]:
            return float(right)
    raise EmissionError(f"the fact {fact} cannot be tested on arrays; declare the sum over the last axis of the target")


__all__ = ["describe", "numbers"]
