"""What formulas are worth: arrays that know which of their axes are indices and whether they are scalars, vectors or matrices.

Sizes are checked as a careful reader would: only a number that is written out fills a vector, and ones have the length that they need.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.errors import DeclarationError

Array = npt.NDArray[Any]

#: Largest array that a formula may lead to, in entries.
LARGEST = 10_000_000


class MisfitError(Exception):
    """Two values that do not fit together; the caller knows how they are written."""


@dataclass(frozen=True)
class Value:
    """A value.

    Attributes:
        array: one axis for each label, then rows and columns if it is a vector or a matrix.
        labels: names of the indices that it depends on.
        shaped: whether it is a vector (one column) or a matrix, not a scalar.
        loose: whether it has as many rows, and columns, as are needed: ones.
        literal: whether it is made of written numbers only.
        selects: whether it is 0 or 1 by a condition; what it switches off need not exist.
        identity: whether it is a multiple of the identity matrix, of the size that is needed.
    """

    array: Array
    labels: tuple[str, ...] = ()
    shaped: bool = False
    loose: tuple[bool, bool] = (False, False)
    literal: bool = False
    selects: bool = False
    identity: bool = False

    @property
    def rows(self) -> int:
        return int(self.array.shape[-2])

    @property
    def columns(self) -> int:
        return int(self.array.shape[-1])

    @property
    def single(self) -> bool:
        """Whether it may stand for a scalar."""
        return not self.shaped or (self.array.shape[-2:] == (1, 1) and not any(self.loose))

    @property
    def shape(self) -> str:
        """The shape as it is said: 4×3, 4 for a column, 1×4 for a row, 1 for a scalar."""
        if not self.shaped:
            return "1"
        rows, columns = ("any" if free else str(size) for free, size in zip(self.loose, self.array.shape[-2:], strict=True))
        return rows if columns == "1" and rows != "1" else f"{rows}×{columns}"

    def scalar(self) -> Value:
        """Return a 1×1 matrix as a scalar."""
        if not self.shaped:
            return self
        if not self.single:
            raise MisfitError(f"{self.shape} is no scalar")
        return replace(self, array=self.array[..., 0, 0], shaped=False, loose=(False, False))


def number(value: complex | float) -> Value:
    """Return a written number."""
    return Value(np.asarray(value, dtype=np.float64), literal=True)


def ones() -> Value:
    """Return 𝟏, a column of ones as long as it needs to be."""
    return Value(np.ones((1, 1)), shaped=True, loose=(True, False))


def identity() -> Value:
    """Return I, as large as it needs to be."""
    return Value(np.ones((1, 1)), shaped=True, loose=(True, True), identity=True)


def _sized(values: Sequence[Value]) -> tuple[Value, ...]:
    """Return values with the identity as large as the matrices beside it."""
    if not any(v.identity for v in values):
        return tuple(values)
    sizes = {v.array.shape[a] for v in values if v.shaped for a in (-2, -1) if not v.loose[a + 2]}
    if len(sizes) != 1:
        raise MisfitError(" and ".join("I" if v.identity else v.shape for v in values))
    return tuple(Value(v.array * np.eye(max(sizes)), v.labels, True) if v.identity else v for v in values)


def entries(array: Array, labels: Sequence[str]) -> Value:
    """Return an array whose last axes, after those of the labels, are those of a scalar, a vector or a matrix."""
    rest = array.ndim - len(labels)
    if rest == 0:
        return Value(array, tuple(labels))
    if rest == 1:
        return Value(array[..., np.newaxis], tuple(labels), True)
    if rest == 2:
        return Value(array, tuple(labels), True)
    raise MisfitError(f"it has {rest} axes; its entries can be read, the whole cannot")


def aligned(*values: Value) -> tuple[tuple[Array, ...], tuple[str, ...]]:
    """Return arrays with one axis for each label of any, scalars with rows and columns of one where another has them."""
    labels = tuple(dict.fromkeys(label for v in values for label in v.labels))
    shaped = any(v.shaped for v in values)
    made = []
    extents: dict[str, int] = {}
    for v in values:
        array = v.array
        if shaped and not v.shaped:
            array = array[..., np.newaxis, np.newaxis]
        tail = 2 if shaped else 0
        order = [v.labels.index(label) for label in labels if label in v.labels]
        array = np.transpose(array, (*order, *range(len(v.labels), array.ndim)))
        place = tuple(slice(None) if label in v.labels else np.newaxis for label in labels)
        array = array[(*place, *(slice(None),) * tail)]
        made.append(array)
        extents |= {label: max(extents.get(label, 1), size) for label, size in zip(labels, array.shape, strict=False)}
    size = int(np.prod([float(e) for e in extents.values()])) if extents else 1
    if size * max((int(np.prod(v.array.shape[-2:])) if v.shaped else 1 for v in values), default=1) > LARGEST:
        raise DeclarationError(f"formula: the indices {', '.join(labels)} together lead to more than {LARGEST} entries")
    if len(labels) > 24:
        raise DeclarationError(f"formula: {len(labels)} indices at a time are too many")
    return tuple(made), labels


def elementwise(work: Callable[..., Array], *values: Value, fills: bool = False, sign: str = "and") -> Value:
    """Return a function of values, entry by entry.

    Args:
        work: of arrays of one shape.
        values: what it is applied to.
        fills: whether a scalar that is not written as a number may stand beside a vector.
        sign: what joins the shapes in a message.

    Raises:
        MisfitError: shapes differ.
    """
    values = _sized(values)
    shaped = [v for v in values if v.shaped]
    if shaped:
        for axis in (-2, -1):
            fixed = {v.array.shape[axis] for v in shaped if not v.loose[axis + 2]}
            if len(fixed) > 1:
                raise MisfitError(f" {sign} ".join(v.shape for v in values))
        if not fills and any(not v.shaped and not v.literal for v in values):
            raise MisfitError(f" {sign} ".join(v.shape for v in values))
    arrays, labels = aligned(*values)
    with np.errstate(all="ignore"):
        result = np.asarray(work(*arrays))
    loose = (all(v.loose[0] for v in shaped), all(v.loose[1] for v in shaped)) if shaped else (False, False)
    return Value(result, labels, bool(shaped), loose, all(v.literal for v in values))


def add(values: Sequence[Value], signs: Sequence[str]) -> Value:
    """Return a sum."""

    def total(*arrays: Array) -> Array:
        result = np.zeros(())
        for array, sign in zip(arrays, signs, strict=True):
            result = result + array if sign == "+" else result - array
        return result

    return elementwise(total, *values, sign="plus")


def conform(a: Value, b: Value) -> bool:
    """Whether a matrix product exists."""
    return a.shaped and b.shaped and (a.columns == b.rows or a.loose[1] or b.loose[0])


def matrix_product(a: Value, b: Value) -> Value:
    """Return the matrix product; ones take the length of their neighbour."""
    if a.identity or b.identity:
        one, other = (a, b) if a.identity else (b, a)
        return scaled(Value(one.array[..., 0, 0], one.labels), other)
    (left, right), labels = aligned(a, b)
    if a.loose[1] and b.loose[0]:
        raise MisfitError(f"{a.shape} times {b.shape}")
    if a.loose[1]:
        left = np.repeat(left, right.shape[-2], axis=-1)
    if b.loose[0]:
        right = np.repeat(right, left.shape[-1], axis=-2)
    with np.errstate(all="ignore"):
        return Value(np.matmul(left, right), labels, True, (a.loose[0], b.loose[1]))


def scaled(a: Value, b: Value) -> Value:
    """Return a product of which one factor is a scalar."""
    if a.shaped and a.single and not b.shaped:
        a = a.scalar()
    if b.shaped and b.single and not a.shaped:
        b = b.scalar()
    if a.shaped and b.shaped:
        a, b = (a.scalar(), b) if a.single else (a, b.scalar())
    if a.identity or b.identity:
        (left, right), labels = aligned(a, b)
        return Value(left * right, labels, True, (True, True), identity=True)
    return elementwise(np.multiply, a, b, fills=True)


def turned(a: Value) -> Value:
    """Return the transpose."""
    return a if not a.shaped else replace(a, array=np.swapaxes(a.array, -1, -2), loose=(a.loose[1], a.loose[0]))


def selected(values: Sequence[Value], product: Value) -> Value:
    """Return a product, 0 where a condition among its factors does not hold."""
    guards = [v for v in values if v.selects]
    if not guards:
        return product
    arrays, labels = aligned(product, *guards)
    keep = np.all(np.broadcast_arrays(*(g != 0 for g in arrays[1:])), axis=0)
    made = np.where(keep, arrays[0], 0.0)
    return Value(made, labels, product.shaped, product.loose, False, all(v.selects for v in values))


__all__ = [
    "LARGEST",
    "Array",
    "MisfitError",
    "Value",
    "add",
    "aligned",
    "conform",
    "elementwise",
    "entries",
    "identity",
    "matrix_product",
    "number",
    "ones",
    "scaled",
    "selected",
    "turned",
]
