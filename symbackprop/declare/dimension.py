"""Sizes as plain data: a number, or text such as "n_1" or "n_1 + n_2"; sums and products of them without SymPy."""

from __future__ import annotations

import math
from typing import Any

from symbackprop import algebra as alg
from symbackprop.algebra.names import check_name
from symbackprop.declare.expression import build, parse
from symbackprop.errors import DeclarationError

#: A size of an axis.
Dimension = int | str
Shape = tuple[Dimension, ...]

#: The batch size; no other size may have its name.
BATCH = "N"


def dimension(value: object, what: str) -> Dimension:
    """Return a size that a user gave: a positive integer, a name, or a symbol made by ``sizes``."""
    name = getattr(value, "name", None)
    if isinstance(name, str):
        value = name
    if isinstance(value, str):
        check_name(value, "size")
        if value == BATCH:
            raise DeclarationError(f"{what}: the size {BATCH} is the batch size; choose another name")
        return value
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise DeclarationError(f"{what}: {str(value)[:60]!r} is not a size; give a positive integer or a symbol such as 'n_1'")
    size = int(value.__index__())
    if size <= 0:
        raise DeclarationError(f"{what}: a size must be positive, got {size}")
    if size > 2**40:
        raise DeclarationError(f"{what}: size {size} is too large")
    return size


def total(parts: Shape) -> Dimension:
    """Return the sum of sizes."""
    known = sum(p for p in parts if isinstance(p, int))
    names = sorted(p for p in parts if isinstance(p, str))
    return " + ".join([*names, *([str(known)] if known else [])]) if names else known


def product(parts: Shape) -> Dimension:
    """Return the product of sizes."""
    known = math.prod(p for p in parts if isinstance(p, int))
    names = sorted(f"({p})" if "+" in p else p for p in parts if isinstance(p, str))
    return "*".join([*([str(known)] if known != 1 else []), *names]) if names else known


def extent(value: Dimension) -> Any:
    """Return a size as a SymPy expression."""
    if isinstance(value, int):
        return alg.sympy.Integer(value)
    if value.isidentifier():
        return alg.Size(value)
    names = tuple(sorted({word for word in value.replace("(", " ").replace(")", " ").replace("*", " ").split() if word.isidentifier()}))
    return build(parse(value, names, "size"), {name: alg.Size(name) for name in names})


def plain(size: Any) -> Dimension:
    """Return a size that is a SymPy expression as plain data: what `extent` undoes."""
    return int(size) if size.is_Integer else str(size)


__all__ = ["BATCH", "Dimension", "Shape", "dimension", "extent", "plain", "product", "total"]
