"""Tensors and the accesses that read them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import sympy
from sympy import Atom, Expr

from symbackprop.algebra.fault import Fault, Marked
from symbackprop.algebra.index import Extent, Index, as_extent, check_name, operand
from symbackprop.errors import DeclarationError, ShapeError

#: What a tensor is for. "stored" is a forward value, "cotangent" a derivative of the loss with respect to another tensor.
ROLES = ("input", "parameter", "stored", "cotangent", "tangent", "state", "output")


class Tensor(Atom):
    """A named array with axes; ``W[i, j]`` is an access, a rank-0 tensor is read as ``f[()]``.

    Attributes:
        name: unique within a system; may be dotted (``dense_1.W``).
        axes: one `Index` per axis: its extent is the shape, its name is used for printing.
        role: one of `ROLES`.
        integer: values are integers (labels, tokens); such a tensor has no derivative.
        positive: every value is known to be > 0.
    """

    __slots__ = ("axes", "integer", "name", "positive", "role")

    name: str
    axes: tuple[Index, ...]
    role: str
    integer: bool
    positive: bool

    def __new__(
        cls, name: str, axes: tuple[Index, ...] = (), role: str = "stored", *, integer: bool = False, positive: bool = False
    ) -> Tensor:
        if role not in ROLES:
            raise DeclarationError(f"tensor {name}: role {role!r} is not one of {', '.join(ROLES)}")
        return _tensor(name, tuple(axes), role, bool(integer), bool(positive))

    def _hashable_content(self) -> tuple[Any, ...]:
        return (self.name, self.role, int(self.integer), int(self.positive), *self.axes)

    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return ((self.name, self.axes, self.role), {"integer": self.integer, "positive": self.positive})

    def sort_key(self, order: Any = None) -> Any:
        return self.class_key(), (1, (self.name,)), sympy.S.One.sort_key(), sympy.S.One

    @property
    def shape(self) -> tuple[Expr, ...]:
        """The extents of the axes."""
        return tuple(axis.extent for axis in self.axes)

    @property
    def rank(self) -> int:
        return len(self.axes)

    @property
    def example(self) -> str:
        """How an entry is read, for messages."""
        return str(self.own) if self.axes else f"{self.name}[()]"

    @property
    def own(self) -> Access:
        """The access with the tensor's own axes as indices."""
        return Access(self, *self.axes)

    def __getitem__(self, index: Any) -> Access:
        index = index if isinstance(index, tuple) else (index,)
        if len(index) != len(self.axes):
            raise ShapeError(_miscounted(self, index))
        return Access(self, *index)

    def _unread(self, other: Any) -> Any:
        raise DeclarationError(f"{self.name} is a whole tensor; equations read its entries: {self.example}")

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __pow__ = __rpow__ = _unread

    #: A tensor is read entry by entry; it is no Python iterable (SymPy asks).
    __iter__ = None

    def _sympystr(self, printer: Any) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"Tensor({self.name}[{', '.join(f'{a.name}<{a.extent}' for a in self.axes)}], {self.role})"


def _miscounted(t: Tensor, index: tuple[Any, ...]) -> str:
    """Return the text of an error: too many indices, or too few."""
    count, parts = len(t.axes), [str(part) for part in index]
    axes = ", ".join(a.name for a in t.axes)
    has = f"{count} {'axis' if count == 1 else 'axes'}" + (f" ({axes})" if axes else "")
    says = f"{t.name} has {has} but is read with {len(parts)} {'index' if len(parts) == 1 else 'indices'}"
    line = f"{t.name}[{', '.join(parts)}]"
    start = len(line) - 1 if len(parts) < count else len(f"{t.name}[{', '.join([*parts[:count], ''])}")
    place = (start, max(len(line) - 1, start + 1))
    return str(Fault(f"{says}: {line}", (Marked(line, (place,)),), f"one index for each axis: {t.example}"))


class Access(Expr):
    """One entry of a tensor: a real scalar. ``args`` is (tensor, *index expressions)."""

    is_commutative = True
    is_real = True
    is_number = False
    is_comparable = False

    def __new__(cls, tensor: Tensor, *index: Any) -> Access:
        if len(index) != len(tensor.axes):
            raise ShapeError(f"{tensor.name} has {len(tensor.axes)} axes but is read with {len(index)} indices")
        return _access(tensor, *map(operand, index))

    @property
    def tensor(self) -> Tensor:
        found: Tensor = self.args[0]
        return found

    @property
    def index(self) -> tuple[Expr, ...]:
        found: tuple[Expr, ...] = self.args[1:]
        return found

    @property
    def plain(self) -> bool:
        """Whether every index expression is a bare `Index`."""
        return all(isinstance(part, Index) for part in self.args[1:])

    def _eval_is_integer(self) -> bool | None:
        return True if self.args[0].integer else None

    def _eval_is_positive(self) -> bool | None:
        return True if self.args[0].positive else None

    def _eval_derivative(self, symbol: Any) -> Expr:
        raise TypeError("an access is not differentiated in place; the derivation replaces it by a dummy first")

    def _sympystr(self, printer: Any) -> str:
        return f"{self.tensor.name}[{', '.join(printer._print(part) for part in self.index)}]"


@lru_cache(maxsize=65536)
def _tensor(name: str, axes: tuple[Index, ...], role: str, integer: bool, positive: bool) -> Tensor:
    obj: Tensor = Atom.__new__(Tensor)
    obj.name, obj.axes, obj.role, obj.integer, obj.positive = name, axes, role, integer, positive
    return obj


@lru_cache(maxsize=65536)
def _access(tensor: Tensor, *index: Expr) -> Access:
    obj: Access = Expr.__new__(Access, tensor, *index)
    return obj


def parameter(name: str, *axes: Index | Extent, positive: bool = False) -> Tensor:
    """Declare a parameter of an own layer that is a plain function; the arguments are those of `tensor`."""
    return tensor(name, *axes, positive=positive, role="parameter")


def tensor(
    name: str, *axes: Index | Extent, integer: bool = False, positive: bool = False, role: str | None = None
) -> Tensor:
    """Declare a tensor of an index-notation system.

    Example: ``W = tensor("W", i, j)``.

    Args:
        name: an identifier, or several joined by dots.
        axes: an `Index` each, or just a size; none for a scalar.
        integer: whether its entries are whole numbers (labels).
        positive: whether its entries are known to be positive.
        role: what it is for ("input", "stored", ...); without it that follows from the system that it stands in.

    Raises:
        DeclarationError: the name, an axis or the role is none.
    """
    check_name(name, "tensor", dotted=True)
    made: list[Index] = []
    for k, axis in enumerate(axes):
        index = axis if isinstance(axis, Index) else Index(f"i_{k}", as_extent(axis, f"tensor {name}, axis {k}"))
        while index in made:
            # An index that stands for two axes says that they are as long, not that only their diagonal is meant.
            index = Index(f"{index.name}_{k}", index.extent)
        made.append(index)
    return Tensor(name, tuple(made), role or "input", integer=integer, positive=positive)


def depth(guard: Expr) -> int:
    """Return when a guard can be tested: 0 what compares places alone, 1 what reads labels, 2 what reads values.

    Each may hold back what the later ones read.
    """
    reads = guard.atoms(Access)
    return 0 if not reads else 1 if all(a.tensor.integer for a in reads) else 2
