"""Random samples on which a network can be judged: in its domain, away from kinks, the same for the same seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import sympy

from symbackprop.algebra.index import Index
from symbackprop.algebra.interpret import evaluate
from symbackprop.algebra.nodes import Indicator
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.errors import CheckError, ShapeError
from symbackprop.validate.complex_step import Forward
from symbackprop.validate.kinks import Kink, Nearness, kinks, nearness
from symbackprop.validate.tolerances import KINK_MARGIN

if TYPE_CHECKING:
    from symbackprop.declare.model import Model

Array = npt.NDArray[Any]

_ROUNDS = 200
_LARGE = 1e4


@dataclass(frozen=True)
class Sample:
    """Values for everything that a network reads.

    Attributes:
        values: float64 (or int64) arrays by name; floats are exact in the dtype that was asked for.
        moved: points (rows of the batch, entries of parameters) that were moved away from kinks.
        near: comparisons that stayed nearer than the margin, after all attempts.
    """

    values: Mapping[str, Array]
    moved: int
    near: int


def sample(model: Model, *, dtype: Any = np.float64, seed: int = 0, batch: int = 4, params: Mapping[str, Any] | None = None) -> Sample:
    """Draw inputs, targets and (unless given) parameters until the loss is finite and no pre-activation is near a kink.

    Raises:
        ShapeError: a size is a symbol.
        CheckError: no sample has a finite loss.
    """
    rng = np.random.default_rng([seed, 77])
    values = _parameters(model, rng, params, dtype)
    data = tuple(name for name in (*model.inputs, *model.masks, model.target) if name is not None and name in model.system.tensors)
    for name in data:
        values[name] = _data(model, name, batch, rng, dtype)
    assert model.loss is not None
    found: tuple[Kink, ...] | None = None
    moved = 0
    for attempt in range(_ROUNDS):
        forward = Forward(model.system, values, model.loss)
        if found is None:
            found = kinks(forward.equations)
        # An overflowing loss shows nothing, and one that is merely huge shows little: no difference resolves its curvature.
        early = attempt < _ROUNDS // 2
        if not abs(float(forward.values[model.loss])) < (_LARGE if early else np.inf) or (early and not _positive(model, forward)):
            if params is None:
                values |= _parameters(model, rng, None, dtype)
            for name in data:
                values[name] = _data(model, name, batch, rng, dtype)
            continue
        near = _near(model, forward, found, rng)
        if not near.count:
            return Sample(values, moved, 0)
        for name in near.tensors:
            values[name], pushed = _pushed(values[name], dtype)
            moved += pushed
        for name in data:
            if near.rows and batch_axis(model, name):
                new = _data(model, name, batch, rng, dtype)
                rows = list(near.rows)
                values[name] = values[name].copy()
                values[name][rows] = new[rows]
        moved += len(near.rows)
    forward = Forward(model.system, values, model.loss)
    if not np.isfinite(forward.values[model.loss]):
        raise CheckError(
            f"network {model.name}: the loss is not finite at any of {_ROUNDS} random samples; its outputs may leave the loss's domain"
        )
    return Sample(values, moved, _near(model, forward, found or (), rng).count)


def _positive(model: Model, forward: Forward) -> bool:
    """Whether what is declared to be positive is: behind a mask that hides every key, the sum of a softmax is 0."""
    return all(np.all(forward.values[name] > 0) for name in model.system.defined if model.system.tensors[name].positive)


def _near(model: Model, forward: Forward, found: tuple[Kink, ...], rng: np.random.Generator) -> Nearness:
    near = nearness(found, forward.values, forward.sizes, KINK_MARGIN, model.batch)
    if not near.count:
        return near
    free = [name for name in model.system.free if name in forward.values and not model.system.tensors[name].integer]
    moved = forward.moved({name: rng.standard_normal(forward.values[name].shape) for name in free})
    return nearness(found, forward.values, forward.sizes, KINK_MARGIN, model.batch, moved)


def batch_axis(model: Model, name: str) -> bool:
    """Whether a tensor has the batch as its first axis."""
    tensor = model.system.tensors[name]
    return tensor.rank > 0 and tensor.shape[0] == model.batch


def _pushed(array: Array, dtype: Any) -> tuple[Array, int]:
    near = np.abs(array) < KINK_MARGIN
    away = np.where(array < 0, -2 * KINK_MARGIN, 2 * KINK_MARGIN)
    return _rounded(np.where(near, away, array), dtype), int(near.sum())


def _rounded(array: Array, dtype: Any) -> Array:
    return np.asarray(array).astype(dtype).astype(np.float64)


def _parameters(model: Model, rng: np.random.Generator, params: Mapping[str, Any] | None, dtype: Any) -> dict[str, Array]:
    values = {}
    for record in model.parameters:
        if params is not None:
            values[record.name] = np.array(params[record.name], dtype=np.float64)
            continue
        if any(isinstance(length, str) for length in record.shape):
            raise ShapeError(f"{record.name} has shape {record.shape}: a check needs numbers for all sizes")
        shape = tuple(int(length) for length in record.shape)
        spread = 0.4 if len(shape) < 2 else 1 / np.sqrt(shape[-1])
        values[record.name] = _rounded(rng.standard_normal(shape) * spread, dtype)
    return values


def _data(model: Model, name: str, batch: int, rng: np.random.Generator, dtype: Any) -> Array:
    tensor = model.system.tensors[name]
    shape = []
    for extent in tensor.shape:
        length = extent.xreplace({model.batch: batch})
        if not isinstance(length, int) and not length.is_Integer:
            raise ShapeError(f"{name} has shape {tensor.shape}: a check needs numbers for all sizes")
        shape.append(int(length))
    if tensor.integer:
        low, high = model.ranges.get(name) or (0, _classes(model, tensor) - 1)
        return rng.integers(low, high + 1, size=shape)
    if name in model.masks:
        # More zeros than most layers have, so that a kernel that forgets them is noticed.
        return _rounded(rng.integers(0, 2, size=shape), dtype)
    told = any(t.name == name for fact in model.system.facts for t in _read(fact.lhs))
    if name != model.target and not told:
        drawn = rng.standard_normal(shape)
        return _rounded(np.exp(drawn) if tensor.positive else drawn, dtype)
    # Inside (0, 1) a target suits every loss: real numbers, probabilities, counts.
    drawn = rng.uniform(0.1, 0.9, size=shape)
    if told:
        drawn = _distributions(drawn)
        _check_facts(model, name, drawn)
    return _rounded(drawn, dtype)


def _distributions(drawn: Array) -> Array:
    """Scale rows to the sum 1, exactly and in every dtype: the derived equations use the fact, the forward ones do not.

    Multiples of 2⁻²³ below 1 have no rounding in float32, nor have their sums.
    """
    rows: Array = np.floor(drawn / drawn.sum(axis=-1, keepdims=True) * 2.0**23) / 2.0**23
    largest = np.argmax(rows, axis=-1)[..., None]
    rest = 1 - rows.sum(axis=-1, keepdims=True)
    np.put_along_axis(rows, largest, np.take_along_axis(rows, largest, axis=-1) + rest, axis=-1)
    return rows


def _read(expr: Any) -> tuple[Tensor, ...]:
    return tuple(access.tensor for access in sorted(expr.atoms(Access), key=str))


def _check_facts(model: Model, name: str, drawn: Array) -> None:
    tensor = model.system.tensors[name]
    sizes = {extent: sympy.Integer(length) for extent, length in zip(tensor.shape, drawn.shape, strict=True) if extent.is_Symbol}
    for fact in model.system.facts:
        if {t.name for t in _read(fact.lhs)} | {t.name for t in _read(fact.rhs)} != {name}:
            continue
        free = tuple(sorted((s for s in fact.lhs.free_symbols | fact.rhs.free_symbols if isinstance(s, Index)), key=str))
        both = [np.asarray(evaluate(side, {name: drawn}, sizes, free), dtype=np.float64) for side in (fact.lhs, fact.rhs)]
        if not np.allclose(both[0], both[1], rtol=1e-9):
            raise CheckError(f"network {model.name}: no random target is known for which {fact} holds; give a sample of your own")


#: How many values are drawn for integers that may be anything.
ANY = 10


def _classes(model: Model, labels: Tensor) -> int:
    """Return how many values an integer tensor may have: the extent of the axes that it indexes or is compared with."""
    extents = []
    for e in model.system.equations:
        for access in e.rhs.atoms(Access):
            for axis, part in zip(access.tensor.axes, access.index, strict=True):
                if isinstance(part, Access) and part.tensor.name == labels.name:
                    extents.append(axis.extent)
        for guard in e.rhs.atoms(Indicator):
            sides = guard.condition.args
            for side, other in (sides, sides[::-1]):
                if isinstance(side, Access) and side.tensor.name == labels.name:
                    # What is compared with 0, as the mask of keys is, needs values on both sides.
                    extents.append(other.extent if isinstance(other, Index) else sympy.Integer(2))
    numbers = [int(extent) for extent in extents if extent.is_Integer]
    # Where nothing says how many, every integer will do.
    return min(numbers) if numbers else ANY
