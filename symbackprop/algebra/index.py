"""Sizes and indices: the symbols over which equations range."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeAlias

import sympy
from sympy import Expr, Integer, Symbol

from symbackprop.algebra.names import check_name as check_name
from symbackprop.errors import DeclarationError

#: A size as the user writes it: a number or an expression of sizes.
Extent: TypeAlias = int | Expr


def operand(given: object) -> Any:
    """Return what may stand in an expression, as SymPy has it. A text may not: SymPy would run it.

    Raises:
        DeclarationError: it is a text, or nothing that SymPy knows.
    """
    if isinstance(given, sympy.Basic):
        return given
    try:
        return sympy.sympify(given, strict=True)
    except sympy.SympifyError:
        what = f"the text {given[:40]!r}" if isinstance(given, str) else f"a {type(given).__name__}"
        raise DeclarationError(f"an expression is built from SymPy objects, not from {what}") from None


class Size(Symbol):
    """A symbolic extent: a positive integer without a value yet."""

    __slots__ = ()

    def __new__(cls, name: str) -> Size:
        return _size(name)

    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return ((self.name,), {})


def as_extent(value: object, what: str) -> Expr:
    """Return a positive size as a SymPy expression; a string is a symbolic size.

    Raises:
        DeclarationError: for zero, negative numbers, fractions and anything that is no size.
    """
    if isinstance(value, str):
        return Size(check_name(value, "size"))
    if isinstance(value, bool) or not (isinstance(value, Expr) or hasattr(value, "__index__")):
        raise DeclarationError(f"{what}: {value!r} is not a size; give a positive integer or a symbol such as 'n_1'")
    size = value if isinstance(value, Expr) else Integer(int(value))
    if size.is_Number and not (size.is_Integer and size > 0):
        raise DeclarationError(f"{what}: a size must be a positive integer, got {value}")
    return size


class Index(Symbol):
    """An index name that carries its extent: it ranges over 0 <= index < extent.

    Two indices of one name but different extents are different indices.
    """

    __slots__ = ("extent",)

    extent: Expr

    def __new__(cls, name: str, extent: Extent) -> Index:
        return _index(name, operand(extent)) if cls is Index else cls._made(name, operand(extent))

    @classmethod
    def _made(cls, name: str, extent: Expr) -> Index:
        obj: Index = Symbol.__xnew__(cls, name, integer=True, nonnegative=True)
        obj.extent = extent
        return obj

    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return ((self.name, self.extent), {})

    def _hashable_content(self) -> tuple[Any, ...]:
        return (self.name, self.extent)

    def sort_key(self, order: Any = None) -> Any:
        return self.class_key(), (2, (self.name, str(self.extent))), sympy.S.One.sort_key(), sympy.S.One


# A symbol keeps what SymPy has found out about it: one object for each saves finding it out again, and comparing it with its like.
@lru_cache(maxsize=65536)
def _size(name: str) -> Size:
    obj: Size = Symbol.__xnew__(Size, name, integer=True, positive=True)
    return obj


@lru_cache(maxsize=65536)
def _index(name: str, extent: Expr) -> Index:
    return Index._made(name, extent)


def sizes(names: str) -> Size | tuple[Size, ...]:
    """Make symbolic sizes.

    Example: ``n, m = sizes("n m")``.

    Args:
        names: with blanks or commas between them.

    Raises:
        DeclarationError: there is none, or one is no identifier.
    """
    made = tuple(Size(check_name(name, "size")) for name in names.replace(",", " ").split())
    if not made:
        raise DeclarationError("sizes() needs at least one name, for example sizes('n m')")
    return made if len(made) > 1 else made[0]


def indices(names: str, *extents: Extent | str) -> Index | tuple[Index, ...]:
    """Make indices with their extents.

    Example: ``i, j = indices("i j", m, n)``.

    Args:
        names: with blanks or commas between them.
        extents: how many values each takes: numbers, sizes or their names; one extent serves for all names.

    Raises:
        DeclarationError: a name is no identifier, or there are more or fewer extents than names.
    """
    words = [check_name(name, "index") for name in names.replace(",", " ").split()]
    if len(extents) == 1:
        extents = extents * len(words)
    if not words or len(words) != len(extents):
        raise DeclarationError(f"indices({names!r}) names {len(words)} indices but {len(extents)} extents are given")
    made = tuple(Index(name, as_extent(extent, f"index {name}")) for name, extent in zip(words, extents, strict=True))
    return made if len(made) > 1 else made[0]
