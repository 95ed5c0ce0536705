"""Matrix forms: what an index equation looks like when it is written with whole vectors and matrices.

Every form has rows and columns; a vector is a column, a scalar has neither. Forms are records: they have a shape,
a meaning (`MatrixEquation.evaluate`) and a plain text, and know nothing about how they were found.

    >>> from symbackprop.algebra import Tensor, indices
    >>> i, j = indices("i j", 3, 2)
    >>> q, x = Entry(Tensor("q", (i,))), Entry(Tensor("x", (j,)))
    >>> print(scale(Number(2), times(q, transpose(x))))
    2 q xᵀ
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy
from sympy import Expr, S

from symbackprop.algebra.index import Index
from symbackprop.algebra.interpret import as_array, evaluate, solve_sizes
from symbackprop.algebra.nodes import Guard, Indicator, Unspecified
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.errors import DataError, ShapeError

Array = npt.NDArray[Any]
#: Rows and columns; None where there is no axis, which is not the same as an axis of length 1.
Shape = tuple[Expr | None, Expr | None]


@dataclass(frozen=True)
class Form:
    """A matrix form. Each kind knows its shape and its parts."""

    @property
    def shape(self) -> Shape:
        """Rows and columns."""
        raise NotImplementedError

    @property
    def parts(self) -> tuple[Form, ...]:
        """The forms that this one is made of."""
        return ()

    @property
    def scalar(self) -> bool:
        """Whether it has no axis."""
        return self.shape == (None, None)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Every tensor that is read, in reading order, once."""
        return tuple(dict.fromkeys(e for e in walk(self) if isinstance(e, Entry)))

    def __str__(self) -> str:
        return text(self)


@dataclass(frozen=True)
class Block:
    """One of the equal parts that an axis is cut into: entries ``number * size`` up to ``(number + 1) * size``.

    Attributes:
        number: which part, counted from 0: a number, or an index.
        size: how long each is.
    """

    number: Expr
    size: Expr


@dataclass(frozen=True)
class Entry(Form):
    """A tensor, whole, or a part of it: one sample, one head, one step, one block.

    An array of more than two axes that is read whole counts as one long column: what is done to it is done entry by entry.

    Attributes:
        tensor: what is read.
        at: per axis None where the whole axis stays, a `Block` where one part of it does, or the place (a number, an index, the
            step before an index) at which that axis is read.
        turned: the array is used transposed (derivatives in numerator layout are rows).
    """

    tensor: Tensor
    at: tuple[Expr | Block | None, ...] = ()
    turned: bool = False

    def __post_init__(self) -> None:
        if not self.at:
            object.__setattr__(self, "at", (None,) * self.tensor.rank)
        if len(self.at) != self.tensor.rank or (self.rank > 2 and not self.long):
            raise ShapeError(f"{self.tensor.name} with {self.tensor.rank} axes is no matrix")

    @property
    def rank(self) -> int:
        """How many axes stay."""
        return sum(part is None or isinstance(part, Block) for part in self.at)

    @property
    def long(self) -> bool:
        """Whether this is a whole array of more than two axes, as one column."""
        return self.tensor.rank > 2 and all(part is None for part in self.at)

    @property
    def places(self) -> tuple[Expr, ...]:
        """Where the axes are read that do not stay."""
        return tuple(part for part in self.at if isinstance(part, Expr))

    @property
    def cuts(self) -> tuple[Expr | str, ...]:
        """Where an axis that stays is cut into blocks: for each that stays the number of the block, or ":" for the whole axis."""
        if not any(isinstance(part, Block) for part in self.at):
            return ()
        return tuple(part.number if isinstance(part, Block) else ":" for part in self.at if part is None or isinstance(part, Block))

    @property
    def running(self) -> tuple[Index, ...]:
        """The indices in its places and block numbers, in their order."""
        parts = [part.number if isinstance(part, Block) else part for part in self.at if part is not None]
        found = (i for part in parts for i in sorted((s for s in part.free_symbols if isinstance(s, Index)), key=lambda i: i.name))
        return tuple(dict.fromkeys(found))

    @property
    def shape(self) -> Shape:
        if self.long:
            return (sympy.Mul(*self.tensor.shape), None)
        kept = [
            part.size if isinstance(part, Block) else axis.extent
            for axis, part in zip(self.tensor.axes, self.at, strict=True)
            if part is None or isinstance(part, Block)
        ]
        rows, columns = (*kept, None, None)[:2]
        return (columns, rows) if self.turned else (rows, columns)


@dataclass(frozen=True)
class Number(Form):
    """A constant made of numbers and sizes: 2, 1/N; among parts of tensors also of their indices: [t > 0]."""

    value: Expr

    @property
    def shape(self) -> Shape:
        return (None, None)


@dataclass(frozen=True)
class Fill(Form):
    """One number in every entry; written as that number, as in 1 − a."""

    value: Expr
    rows: Expr | None
    columns: Expr | None

    @property
    def shape(self) -> Shape:
        return (self.rows, self.columns)


@dataclass(frozen=True)
class Ones(Form):
    """The column of ones 𝟏: 𝟏ᵀ A sums over the rows, u 𝟏ᵀ repeats a column."""

    extent: Expr

    @property
    def shape(self) -> Shape:
        return (self.extent, None)


@dataclass(frozen=True)
class Times(Form):
    """The matrix product of its parts, from left to right."""

    args: tuple[Form, ...]

    def __post_init__(self) -> None:
        for left, right in zip(self.args, self.args[1:], strict=False):
            if left.shape[1] != right.shape[0]:
                raise ShapeError(f"the matrix product of {left} {left.shape} and {right} {right.shape} does not conform")

    @property
    def shape(self) -> Shape:
        return (self.args[0].shape[0], self.args[-1].shape[1])

    @property
    def parts(self) -> tuple[Form, ...]:
        return self.args


@dataclass(frozen=True)
class Transpose(Form):
    """The transpose."""

    arg: Form

    @property
    def shape(self) -> Shape:
        return self.arg.shape[::-1]

    @property
    def parts(self) -> tuple[Form, ...]:
        return (self.arg,)


@dataclass(frozen=True)
class Hadamard(Form):
    """The elementwise product ∘. A part that is an indicator selects: what it switches off does not count, not even NaN."""

    args: tuple[Form, ...]

    def __post_init__(self) -> None:
        _same_shape("∘", self.args)

    @property
    def shape(self) -> Shape:
        return self.args[0].shape

    @property
    def parts(self) -> tuple[Form, ...]:
        return self.args


@dataclass(frozen=True)
class Quotient(Form):
    """The elementwise quotient ⊘."""

    top: Form
    bottom: Form

    def __post_init__(self) -> None:
        _same_shape("⊘", (self.top, self.bottom))

    @property
    def shape(self) -> Shape:
        return self.bottom.shape

    @property
    def parts(self) -> tuple[Form, ...]:
        return (self.top, self.bottom)


@dataclass(frozen=True)
class Power(Form):
    """The elementwise power."""

    arg: Form
    exponent: Expr

    @property
    def shape(self) -> Shape:
        return self.arg.shape

    @property
    def parts(self) -> tuple[Form, ...]:
        return (self.arg,)


@dataclass(frozen=True)
class Plus(Form):
    """A sum of equally shaped parts."""

    args: tuple[Form, ...]

    def __post_init__(self) -> None:
        _same_shape("+", self.args)

    @property
    def shape(self) -> Shape:
        return self.args[0].shape

    @property
    def parts(self) -> tuple[Form, ...]:
        return self.args


@dataclass(frozen=True)
class Scale(Form):
    """Scalar factors times a form."""

    factors: tuple[Form, ...]
    arg: Form

    def __post_init__(self) -> None:
        if not all(f.scalar for f in self.factors):
            raise ShapeError(f"{', '.join(map(str, self.factors))}: a factor is a scalar")

    @property
    def shape(self) -> Shape:
        return self.arg.shape

    @property
    def parts(self) -> tuple[Form, ...]:
        return (*self.factors, self.arg)

    @property
    def number(self) -> Expr:
        """The constant factor."""
        first = self.factors[0]
        return first.value if isinstance(first, Number) else S.One


@dataclass(frozen=True)
class Apply(Form):
    """A scalar function of one or two equally shaped forms, entry by entry: exp(z), f'(z), [z > 0].

    Attributes:
        function: the expression, in the symbols of ``slots``.
        slots: what stands for each argument.
        args: the arguments.
    """

    function: Expr
    slots: tuple[sympy.Symbol, ...]
    args: tuple[Form, ...]

    def __post_init__(self) -> None:
        _same_shape(str(self.function), self.args)

    @property
    def shape(self) -> Shape:
        return self.args[0].shape

    @property
    def parts(self) -> tuple[Form, ...]:
        return self.args

    @property
    def selects(self) -> bool:
        """Whether this is an indicator."""
        return isinstance(self.function, Guard)


@dataclass(frozen=True)
class Diag(Form):
    """The diagonal matrix of a column; of 𝟏 it is the identity I."""

    arg: Form

    @property
    def shape(self) -> Shape:
        return (self.arg.shape[0], self.arg.shape[0])

    @property
    def parts(self) -> tuple[Form, ...]:
        return (self.arg,)


@dataclass(frozen=True)
class Triangle(Form):
    """A matrix of ones on one side of its diagonal and zeros on the other. It selects: what it switches off does not count.

    Attributes:
        rows: how many.
        columns: how many.
        lower: whether the ones are below the diagonal.
        strict: whether the diagonal itself is zero.
    """

    rows: Expr
    columns: Expr
    lower: bool = True
    strict: bool = False

    @property
    def shape(self) -> Shape:
        return (self.rows, self.columns)

    @property
    def shift(self) -> int:
        """By how much the edge of the ones is moved upwards from the diagonal."""
        return (-1 if self.lower else 1) if self.strict else 0


@dataclass(frozen=True)
class Stack(Form):
    """Columns or matrices one above the other."""

    args: tuple[Form, ...]

    def __post_init__(self) -> None:
        if len({a.shape[1] for a in self.args}) != 1 or any(a.shape[0] is None for a in self.args):
            raise ShapeError(f"{', '.join(map(str, self.args))}: the shapes {', '.join(str(a.shape) for a in self.args)} do not stack")

    @property
    def shape(self) -> Shape:
        return (sympy.Add(*(a.shape[0] for a in self.args)), self.args[0].shape[1])

    @property
    def parts(self) -> tuple[Form, ...]:
        return self.args


@dataclass(frozen=True)
class OneHot(Form):
    """Unit vectors: the column e_y of one label, or one row for each of a column of labels."""

    labels: Entry
    classes: Expr

    @property
    def shape(self) -> Shape:
        return (self.labels.shape[0], self.classes) if self.labels.rank else (self.classes, None)

    @property
    def parts(self) -> tuple[Form, ...]:
        return (self.labels,)


@dataclass(frozen=True)
class SquaredNorm(Form):
    """‖u‖²: the sum of the squares of all entries."""

    arg: Form

    @property
    def shape(self) -> Shape:
        return (None, None)

    @property
    def parts(self) -> tuple[Form, ...]:
        return (self.arg,)


@dataclass(frozen=True)
class Total(Form):
    """Σ over samples (or heads, or steps) of a form that reads one of them of its tensors."""

    index: Index
    arg: Form

    @property
    def shape(self) -> Shape:
        return self.arg.shape

    @property
    def parts(self) -> tuple[Form, ...]:
        return (self.arg,)


@dataclass(frozen=True)
class MatrixEquation:
    """``lhs = rhs`` in matrix form; the left side is a whole tensor, or a part of it: then it holds for each sample, head, step."""

    lhs: Entry
    rhs: Form

    def __post_init__(self) -> None:
        if self.lhs.shape != self.rhs.shape:
            raise ShapeError(f"{self}: the left side is {self.lhs.shape}, the right side {self.rhs.shape}")

    @property
    def tensor(self) -> Tensor:
        """The tensor on the left."""
        return self.lhs.tensor

    @cached_property
    def reads(self) -> tuple[Tensor, ...]:
        """The tensors on the right, in order of name."""
        return tuple(sorted({e.tensor for e in self.rhs.entries}, key=lambda t: t.name))

    def evaluate(self, values: Mapping[str, Any]) -> Array:
        """Return the array of the left side's tensor, in float64.

        Args:
            values: an array for each tensor on the right, by name.

        Raises:
            DataError: a value is missing.
            ShapeError: a value's shape does not fit.
        """
        missing = [t.name for t in self.reads if t.name not in values]
        if missing:
            raise DataError(f"no value is given for {', '.join(missing)}")
        arrays = {t.name: as_array(t, values[t.name], np.float64) for t in self.reads}
        tensors = {t.name: t for t in self.reads}
        known = _Values(arrays, solve_sizes(tensors, arrays), {})
        shape = tuple(known.length(axis.extent) for axis in self.tensor.axes)
        result = np.full(shape, np.nan)
        running = self.lhs.running
        with np.errstate(all="ignore"):
            for at in itertools.product(*(range(known.length(i.extent)) for i in running)):
                here = known.inside(dict(zip(running, at, strict=True)))
                place = here.place(self.lhs)
                result[place] = self.upright(here.visit(self.rhs)).reshape(result[place].shape)
        return result

    def upright(self, array: Array) -> Array:
        return array.T if self.lhs.turned else array

    def __str__(self) -> str:
        return f"{self.lhs} = {self.rhs}"


def _same_shape(sign: str, args: tuple[Form, ...]) -> None:
    shapes = {a.shape for a in args}
    if len(shapes) != 1:
        raise ShapeError(f"{f' {sign} '.join(map(str, args))}: the shapes {', '.join(str(a.shape) for a in args)} differ")


# --- building: each function keeps what it makes in the simplest writing -----------------------------------------------


def transpose(form: Form) -> Form:
    """Return the transpose, with transposes moved to the leaves."""
    if isinstance(form, Transpose):
        return form.arg
    if form.scalar or isinstance(form, Number | Diag):
        return form
    if isinstance(form, Triangle):
        return Triangle(form.columns, form.rows, not form.lower, form.strict)
    if isinstance(form, Fill):
        return Fill(form.value, form.columns, form.rows)
    if isinstance(form, Times):
        return times(*(transpose(a) for a in reversed(form.args)))
    if isinstance(form, Hadamard | Plus):
        return type(form)(tuple(transpose(a) for a in form.args))
    if isinstance(form, Quotient):
        return Quotient(transpose(form.top), transpose(form.bottom))
    if isinstance(form, Power):
        return Power(transpose(form.arg), form.exponent)
    if isinstance(form, Scale):
        return Scale(form.factors, transpose(form.arg))
    if isinstance(form, Total):
        return Total(form.index, transpose(form.arg))
    return Transpose(form)


def scale(factor: Form, form: Form) -> Form:
    """Return a scalar times a form, with all constants gathered in one number at the front."""
    if isinstance(factor, Scale):
        for part in reversed((*factor.factors, factor.arg)):
            form = scale(part, form)
        return form
    factors = [factor]
    if isinstance(form, Scale):
        factors, form = [*factors, *form.factors], form.arg
    number = sympy.Mul(*(f.value for f in factors if isinstance(f, Number)))
    if isinstance(form, Number):
        number, form = number * form.value, Number(S.One)
    others = [f for f in factors if not isinstance(f, Number)]
    if isinstance(form, Fill):
        number = number * form.value
        form = Fill(S.One if others else number, form.rows, form.columns)
        number = number if others else S.One
    if isinstance(form, Number) and others:
        form = others.pop()
    if isinstance(form, Number):
        return Number(number)
    kept = (*([Number(number)] if number != 1 else []), *others)
    return Scale(kept, form) if kept else form


def times(*args: Form) -> Form:
    """Return the matrix product, with scalar factors pulled to the front."""
    flat: list[Form] = []
    factors: list[Form] = []
    for arg in args:
        if isinstance(arg, Scale):
            factors.extend(arg.factors)
            arg = arg.arg
        if isinstance(arg, Diag) and isinstance(arg.arg, Ones):
            continue
        flat.extend(arg.args if isinstance(arg, Times) else (arg,))
    made: Form = args[0] if not flat else flat[0] if len(flat) == 1 else Times(tuple(flat))
    for factor in reversed(factors):
        made = scale(factor, made)
    return made


def hadamard(*args: Form) -> Form:
    """Return the elementwise product, with scalar factors pulled to the front; of scalars it is the ordinary product."""
    flat: list[Form] = []
    factors: list[Form] = []
    for arg in args:
        if isinstance(arg, Scale):
            factors.extend(arg.factors)
            arg = arg.arg
        if isinstance(arg, Fill):
            factors.append(Number(arg.value))
            continue
        flat.extend(arg.args if isinstance(arg, Hadamard) else (arg,))
    if not flat:
        return scale(Number(sympy.Mul(*(f.value for f in factors if isinstance(f, Number)))), Fill(S.One, *args[0].shape))
    if all(f.scalar for f in flat):
        *first, made = flat
        factors.extend(first)
    else:
        made = flat[0] if len(flat) == 1 else Hadamard(tuple(flat))
    for factor in reversed(factors):
        made = scale(factor, made)
    return made


def plus(*args: Form) -> Form:
    """Return the sum."""
    flat = [part for arg in args for part in (arg.args if isinstance(arg, Plus) else (arg,))]
    return flat[0] if len(flat) == 1 else Plus(tuple(flat))


def walk(form: Form) -> Iterator[Form]:
    """Yield a form and everything in it, in reading order."""
    yield form
    for part in form.parts:
        yield from walk(part)


# --- meaning ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Values:
    arrays: Mapping[str, Array]
    sizes: Mapping[Expr, Expr]
    at: Mapping[Index, int]

    def inside(self, at: Mapping[Index, int]) -> _Values:
        return _Values(self.arrays, self.sizes, {**self.at, **at})

    def number(self, value: Expr) -> float:
        swap: dict[sympy.Basic, sympy.Basic] = {i: sympy.Integer(k) for i, k in self.at.items()}
        return float(value.xreplace({**self.sizes, **swap}))

    def place(self, entry: Entry) -> tuple[slice | int, ...]:
        """Return where in its array a part of a tensor lies."""
        out: list[slice | int] = []
        for axis, part in zip(entry.tensor.axes, entry.at, strict=True):
            if isinstance(part, Block):
                size, number = self.length(part.size), int(self.number(part.number))
                out.append(slice(number * size, (number + 1) * size))
                continue
            position = None if part is None else int(self.number(part))
            if position is not None and not 0 <= position < self.length(axis.extent):
                raise ShapeError(f"{entry} is read at {position}, outside of 0 to {self.length(axis.extent) - 1}")
            out.append(slice(None) if position is None else position)
        return tuple(out)

    def length(self, extent: Expr | None) -> int:
        if extent is None:
            return 1
        value = extent.xreplace(dict(self.sizes))
        if not value.is_Integer:
            raise ShapeError(f"size {value} has no value; give an array that fixes it")
        return int(value)

    def visit(self, form: Form) -> Array:
        """Return the form's values, always with two axes."""
        if isinstance(form, Entry):
            array = self.arrays[form.tensor.name][self.place(form)]
            array = np.reshape(array, (*array.shape, 1, 1)[:2] if array.ndim < 3 else (-1, 1))
            return array.T if form.turned else array
        if isinstance(form, Number):
            return np.array([[self.number(form.value)]])
        if isinstance(form, Fill):
            rows, columns = (self.length(e) for e in form.shape)
            return np.full((rows, columns), self.number(form.value))
        if isinstance(form, Ones):
            return np.ones((self.length(form.extent), 1))
        if isinstance(form, Triangle):
            ones = np.ones([self.length(e) for e in form.shape])
            return np.tril(ones, form.shift) if form.lower else np.triu(ones, form.shift)
        if isinstance(form, Total):
            steps = range(self.length(form.index.extent))
            return np.asarray(sum(self.inside({form.index: k}).visit(form.arg) for k in steps))
        if isinstance(form, Scale) and any(isinstance(f, Number) and self.number(f.value) == 0 for f in form.factors):
            # What a guard switches off is not read: it may lie outside.
            return np.zeros([self.length(e) for e in form.shape])
        if isinstance(form, OneHot):
            units: Array = np.eye(self.length(form.classes))[self.visit(form.labels)[:, 0].astype(np.int64)]
            return units if form.labels.rank else units.T
        args = [self.visit(part) for part in form.parts]
        return self.combine(form, args)

    def combine(self, form: Form, args: list[Array]) -> Array:
        if isinstance(form, Times):
            result = args[0]
            for arg in args[1:]:
                result = result @ arg
            return result
        if isinstance(form, Transpose):
            return args[0].T
        if isinstance(form, Hadamard | Scale):
            chosen = [_selects(p) for p in form.parts]
            value: Any = 1.0
            for arg, guard in zip(args, chosen, strict=True):
                value = value if guard else value * arg
            for arg, guard in zip(args, chosen, strict=True):
                value = np.where(arg != 0, value, 0.0) if guard else value
            return np.asarray(value)
        if isinstance(form, Plus):
            return np.asarray(sum(args))
        if isinstance(form, Quotient):
            return np.asarray(args[0] / args[1])
        if isinstance(form, Diag):
            return np.diag(args[0][:, 0])
        if isinstance(form, Stack):
            return np.concatenate(args)
        if isinstance(form, SquaredNorm):
            return np.array([[np.sum(args[0] ** 2)]])
        if isinstance(form, Power | Apply):
            return self.elementwise(form, args)
        raise TypeError(f"{type(form).__name__} has no meaning")

    def elementwise(self, form: Power | Apply, args: list[Array]) -> Array:
        slots = form.slots if isinstance(form, Apply) else (sympy.Symbol("u", real=True),)
        function = form.function if isinstance(form, Apply) else slots[0] ** form.exponent
        rows, columns = args[0].shape
        r, c = Index("r", rows), Index("c", columns)
        stands = {slot: Tensor(f"u_{k}", (r, c)) for k, slot in enumerate(slots)}
        swapped = function.xreplace({slot: Access(t, r, c) for slot, t in stands.items()})
        arrays = {t.name: arg for t, arg in zip(stands.values(), args, strict=True)}
        return np.broadcast_to(evaluate(swapped, arrays, self.sizes, (r, c)), (rows, columns))


def _selects(form: Form) -> bool:
    if isinstance(form, Transpose):
        return _selects(form.arg)
    if isinstance(form, Times):
        # An indicator that is repeated: [m > 0] 𝟏ᵀ.
        rest = [a for a in form.args if not isinstance(a, Ones) and not (isinstance(a, Transpose) and isinstance(a.arg, Ones))]
        return len(rest) == 1 and _selects(rest[0])
    return isinstance(form, Triangle) or (isinstance(form, Apply) and form.selects)


# --- plain text ------------------------------------------------------------------------------------------------------

#: How tightly a form binds when it is written: sum, elementwise product, matrix product, single symbol.
SUM, ELEMENTWISE, PRODUCT, SINGLE = range(4)


def level(form: Form) -> int:
    """Return how tightly the writing of a form binds."""
    if isinstance(form, Plus):
        return SUM
    if isinstance(form, Fill):
        return SINGLE if form.value.is_nonnegative else SUM
    if isinstance(form, Scale):
        return SUM if form.number.is_negative else PRODUCT if form.scalar else ELEMENTWISE
    if isinstance(form, Hadamard | Quotient):
        return ELEMENTWISE
    if isinstance(form, Power) and form.exponent == 2 and not form.scalar:
        return ELEMENTWISE
    if isinstance(form, Times):
        return PRODUCT
    return SUM if isinstance(form, Total) or (isinstance(form, Number) and form.value.is_negative) else SINGLE


def text(form: Form) -> str:
    """Return a form in plain Unicode. ∘ and the matrix product never stand side by side without parentheses."""

    def inside(part: Form, *loose: int) -> str:
        written = text(part)
        return f"({written})" if level(part) in loose else written

    if isinstance(form, Entry):
        samples = ",".join(map(str, form.places))
        blocks = f"[{', '.join(map(str, form.cuts))}]" if form.cuts else ""
        return f"{form.tensor.name}{f'⟨{samples}⟩' if samples else ''}{blocks}{'ᵀ' if form.turned else ''}"
    if isinstance(form, Number | Fill):
        return str(form.value).replace("*", " ")
    if isinstance(form, Ones):
        return "𝟏"
    if isinstance(form, Transpose):
        return f"{inside(form.arg, SUM, ELEMENTWISE, PRODUCT)}ᵀ"
    if isinstance(form, Times):
        return " ".join(inside(a, SUM, ELEMENTWISE) for a in form.args)
    if isinstance(form, Hadamard):
        return " ∘ ".join(inside(a, SUM, PRODUCT) if not _squared(a) else text(a) for a in form.args)
    if isinstance(form, Quotient):
        sign = "/" if form.scalar else " ⊘ "
        return f"{inside(form.top, SUM, ELEMENTWISE, PRODUCT)}{sign}{inside(form.bottom, SUM, ELEMENTWISE, PRODUCT)}"
    if isinstance(form, Power):
        if _squared(form):
            return " ∘ ".join([inside(form.arg, SUM, ELEMENTWISE, PRODUCT)] * 2)
        mark = "^" if form.scalar else "^∘"
        return f"{inside(form.arg, SUM, ELEMENTWISE, PRODUCT)}{mark}{_exponent(form.exponent)}"
    if isinstance(form, Plus):
        return _joined(form.args)
    if isinstance(form, Scale):
        number = form.number
        named = [f for f in form.factors if not isinstance(f, Number)]
        sign = "-" if number.is_negative else ""
        size = "" if abs(number) == 1 else f"{_coefficient(abs(number))} "
        alone = isinstance(form.arg, Fill) and form.arg.value == 1 and len(named) == 1
        factors = " ".join(text(f) if level(f) == SINGLE or alone else f"({text(f)})" for f in named)
        if isinstance(form.arg, Fill) and form.arg.value == 1:
            return f"{sign}{size}{factors}"
        rest = inside(form.arg, SUM) if number == -1 and not named else inside(form.arg, SUM, ELEMENTWISE)
        return f"{sign}{size}{factors}{' ' if factors else ''}{rest}"
    if isinstance(form, Apply):
        return _applied(form)
    if isinstance(form, Diag):
        return "I" if isinstance(form.arg, Ones) else f"diag({text(form.arg)})"
    if isinstance(form, Triangle):
        return f"{'tril' if form.lower else 'triu'}(𝟏 𝟏ᵀ{f', {form.shift}' if form.shift else ''})"
    if isinstance(form, Stack):
        return f"[{'; '.join(map(text, form.args))}]"
    if isinstance(form, OneHot):
        return f"e_{{{form.labels}}}"
    if isinstance(form, SquaredNorm):
        return f"‖{text(form.arg)}‖²"
    if isinstance(form, Total):
        return f"Σ_{form.index.name} {inside(form.arg, SUM)}"
    raise TypeError(f"{type(form).__name__} has no text")


def _squared(form: Form) -> bool:
    return isinstance(form, Power) and form.exponent == 2 and not form.scalar


def _joined(args: Iterable[Form]) -> str:
    written = ""
    for arg in args:
        term = f"({text(arg)})" if isinstance(arg, Plus) else text(arg)
        if not written:
            written = term
        elif term.startswith("-"):
            written += f" - {term[1:]}"
        else:
            written += f" + {term}"
    return written


def _coefficient(number: Expr) -> str:
    written = str(number).replace("*", " ")
    return written if (number.is_Atom and not number.is_Rational) or number.is_Integer else f"({written})"


def _exponent(exponent: Expr) -> str:
    return str(exponent) if exponent.is_Integer and exponent > 0 else f"({exponent})"


def _applied(form: Apply) -> str:
    function = form.function
    args = [text(a) for a in form.args]
    if isinstance(function, Unspecified):
        return f"{function.label}{chr(39) * function.order}({args[0]})"
    words = {slot: sympy.Symbol(word) for slot, word in zip(form.slots, args, strict=True)}
    if isinstance(function, Indicator):
        signs = {"StrictGreaterThan": ">", "GreaterThan": "≥", "Equality": "=", "Unequality": "≠"}
        left, right = (str(side.xreplace(words)) for side in function.condition.args)
        return f"[{left} {signs[type(function.condition).__name__]} {right}]"
    if len(args) == 1 and function.args == form.slots:
        return f"{type(function).__name__.lower()}({args[0]})"
    return str(function.xreplace(words))


__all__ = [
    "Apply",
    "Block",
    "Diag",
    "Entry",
    "Fill",
    "Form",
    "Hadamard",
    "MatrixEquation",
    "Number",
    "OneHot",
    "Ones",
    "Plus",
    "Power",
    "Quotient",
    "Scale",
    "SquaredNorm",
    "Stack",
    "Times",
    "Total",
    "Transpose",
    "Triangle",
    "hadamard",
    "level",
    "plus",
    "scale",
    "text",
    "times",
    "transpose",
    "walk",
]
