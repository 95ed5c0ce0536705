"""One entry of an equation, written out: sums term by term, first with letters, then with numbers in their places.

The tree that is printed is that of the index form, so that terms and factors stand in the same places in every line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import mpmath
import numpy as np
import sympy
from sympy import Expr, S

from symbackprop.algebra import matrix as m
from symbackprop.algebra import nodes
from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.interpret import evaluate
from symbackprop.algebra.order import ordered_terms, signed_factors
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.errors import ShapeError
from symbackprop.present.convention import arranged, turns
from symbackprop.present.index import WRITTEN, FromZero, IndexPrinter
from symbackprop.present.matrix import MatrixPrinter
from symbackprop.present.naming import EXTENDED, Naming
from symbackprop.present.notation import Notation
from symbackprop.present.rounding import Array, Rounding
from symbackprop.present.symbols import Symbols
from symbackprop.present.writer import PRODUCT, REDUCTION, SINGLE, SUM, Piece

#: Sums with more terms show their first and last ones only.
MAX_TERMS = 6
#: Longer axes of a printed matrix are abbreviated.
MAX_AXIS = 4
#: A term that a guard over indices leaves out.
_NOTHING = Piece("")


@dataclass(frozen=True)
class EntryPrinter(IndexPrinter):
    """Writes scalar expressions at one entry.

    Attributes:
        at: the value of each index in scope, from 0.
        values: of all tensors, to be written instead of their letters; None writes letters.
        known: of all tensors.
        sizes: values of symbolic sizes.
        rounding: how numbers are printed.
    """

    at: Mapping[Index, int] = field(default_factory=dict)
    values: Mapping[str, Array] | None = None
    known: Mapping[str, Array] = field(default_factory=dict)
    sizes: Mapping[Expr, Expr] = field(default_factory=dict)
    rounding: Rounding = field(default_factory=Rounding)

    def value(self, e: Expr) -> Any:
        """Return the exact value of an expression here."""
        fixed = {index: sympy.Integer(k) for index, k in self.at.items()}
        return np.asarray(evaluate(e.xreplace(fixed), self.known, self.sizes), dtype=object).reshape(())[()]

    def write(self, e: Expr) -> Piece:
        """Write an expression, its accesses as entries or as numbers."""
        if isinstance(e, Access) and not e.tensor.name.startswith(WRITTEN):
            if any(index not in self.at for part in e.index for index in part.atoms(Index)):
                # Inside an argmax, which is written as it stands.
                return self.symbols.tensor(e.tensor, [self.open(part) for part in e.index], whole=False)
            place = tuple(self.whole(part) for part in e.index)
            if self.values is not None:
                return self.number_of(e.tensor, self.values[e.tensor.name][place])
            return self.symbols.tensor(e.tensor, labels(e.tensor, place), whole=not place)
        if isinstance(e, Index):
            return Piece(str(self.at[e] + 1))
        if self.values is not None and e.is_Symbol and e in self.sizes:
            return Piece(str(self.sizes[e]))
        if self.values is not None and isinstance(e, nodes.Guard):
            return Piece(str(int(self.value(e))))
        return super().write(e)

    def open(self, part: Expr) -> str:
        """Write an index that runs, or one that stands still here."""
        runs = any(index not in self.at for index in part.atoms(Index))
        return self.symbols.affine(part, self.names) if runs else str(self.whole(part) + 1)

    def number_of(self, tensor: Tensor, value: Any) -> Piece:
        """Return a value as it is printed: labels count from 1, as indices do in print."""
        return self.rounding.piece(value + 1 if tensor.integer else value)

    def whole(self, e: Expr) -> int:
        """Return the value of an index expression."""
        fixed = {index: sympy.Integer(k) for index, k in self.at.items()}
        made = e.xreplace(fixed).xreplace(dict(self.sizes))
        return int(made) if made.is_Integer else int(self.value(e))

    # --- sums ---

    def add(self, e: Expr) -> Piece:
        return self.terms([piece for t in ordered_terms(e) if (piece := self.write(t)).text] or [Piece("0")])

    def reduction(self, e: Expr) -> Piece:
        if isinstance(e, nodes.ArgMax):
            return super().reduction(e)
        pieces = [p for p in self.each(e) if p.text] or [_NOTHING]
        if isinstance(e, nodes.Max):
            return self.symbols.writer.call(self.symbols.writer.function("max"), Piece(", ".join(p.text for p in pieces), SINGLE))
        if isinstance(e, nodes.LogSumExp):
            inside = self.shortened([self.symbols.writer.exponential(p) for p in pieces])
            return self.symbols.writer.call(self.symbols.writer.function("log"), inside)
        return self.shortened(pieces)

    def each(self, e: nodes.Reduction) -> list[Piece]:
        """Write the body for every value of the bound indices."""
        return [replace(self, at={**self.at, **where}).write(e.body) for where in self.places(e.bound)]

    def places(self, bound: Sequence[Index]) -> list[dict[Index, int]]:
        extents = [int(self.whole(b.extent)) for b in bound]
        return [dict(zip(bound, k, strict=True)) for k in product(*map(range, extents))]

    def shortened(self, pieces: Sequence[Piece]) -> Piece:
        """Join terms, in a long sum the first and the last ones."""
        if len(pieces) > MAX_TERMS:
            pieces = [*pieces[:2], Piece(r"\dots" if self.values is None else r"\cdots"), pieces[-1]]
        return self.terms(pieces) if len(pieces) > 1 else pieces[0]

    # --- products ---

    def product(self, e: Expr) -> Piece:
        number, factors = signed_factors(e, self.free)
        shown = []
        for f in factors:
            decided = self.decided(f)
            if decided == 0:
                return _NOTHING
            if decided is None:
                shown.append(f)
        distributed = [f for f in shown if isinstance(f, nodes.Sum)]
        if number != 1 and len(shown) == 1 and distributed:
            # Σ with a number before it: ½ stays before each term, so that each term is a share of the whole.
            (only,) = distributed
            return self.reduction(only.func(number * only.body, *only.bound))
        return self.multiply(number, self.with_maxima(shown)) if shown else self.number(number)

    def decided(self, f: Expr) -> int | None:
        """Return what a guard over indices alone is here; None for everything else."""
        if not isinstance(f, nodes.Guard) or f.has(Access):
            return None
        fixed = f.xreplace({index: sympy.Integer(k) for index, k in self.at.items()}).xreplace(dict(self.sizes))
        return int(fixed) if fixed in (S.Zero, S.One) else None

    def side(self, pieces: Sequence[Piece], constants: int = 0, alone: bool = True) -> Piece:
        pieces = [p if p.text else Piece("0") for p in pieces]
        if self.values is None or len(pieces) == 1:
            return super().side([self.loose(p) for p in pieces] if len(pieces) > 1 else pieces, constants, alone)
        written = [self.symbols.writer.parenthesised(p) if p.level in (SUM, REDUCTION) or p.negative else p for p in pieces]
        return Piece(
            rf" {self.symbols.writer.sign(chr(92) + 'cdot')} ".join(p.text for p in written), PRODUCT, any(p.tall for p in written)
        )

    def loose(self, piece: Piece) -> Piece:
        """A sum that is written out needs parentheses in a product, unlike one with a sign for it."""
        return Piece(piece.text, SUM, piece.tall, piece.negative) if piece.level == REDUCTION else piece

    def power(self, e: sympy.Pow) -> Piece:
        base = None if e.exp.is_negative or e.exp == sympy.Rational(1, 2) else self.write(e.base)
        if base is None or (self.values is None and not base.tall):
            return super().power(e)
        if base.level < SINGLE or base.negative or base.tall or isinstance(e.base, sympy.exp):
            base = self.symbols.writer.parenthesised(base)
        return Piece(self.symbols.writer.power(base.text, self.write(e.exp).text), SINGLE, base.tall)

    # --- one level of evaluation ---

    def parts(self, e: Expr) -> tuple[str, tuple[Any, ...]]:
        """Return how an expression falls into parts ("sum", "product" or "") and the exact value of each, in reading order."""
        if isinstance(e, sympy.Add):
            values: list[Any] = []
            for t in ordered_terms(e):
                inner = self.parts(t) if isinstance(t, nodes.Sum) else ("", ())
                values += inner[1] if inner[0] == "sum" else (self.value(t),)
            return "sum", tuple(values)
        if isinstance(e, nodes.Sum):
            return "sum", tuple(replace(self, at={**self.at, **where}).value(e.body) for where in self.places(e.bound))
        if isinstance(e, sympy.Mul):
            number, factors = signed_factors(e, self.free)
            if any(self.decided(f) == 0 for f in factors):
                return "", ()  # nothing is read where a guard over indices excludes it
            if number != 1 and len(factors) == 1 and isinstance(factors[0], nodes.Sum):
                return self.parts(factors[0].func(number * factors[0].body, *factors[0].bound))
            head = () if number == 1 else (number,)
            values = [self.value(f) for f in factors]
            if not all(isinstance(f, nodes.Guard) for f in factors):
                values = [v for f, v in zip(factors, values, strict=True) if not (isinstance(f, nodes.Guard) and v == 1)]
            return "product", (*head, *values)
        return "", ()

    def nested(self, e: Expr) -> bool:
        """Whether a part of an expression is worth a line of its own: more than entries, and products of entries, in a sum."""
        if isinstance(e, sympy.Mul):
            number, factors = signed_factors(e, self.free)
            if number != 1 and len(factors) == 1 and isinstance(factors[0], nodes.Sum):
                return self.nested(factors[0])
            if len(factors) < 2 or any(isinstance(f, sympy.Pow) and f.exp.is_negative for f in factors):
                return False
            return any(not isinstance(f, Access | nodes.Guard) and f.has(Access) for f in factors)
        if isinstance(e, nodes.Sum):
            body = e.body
            return not _flat(body) and len(self.places(e.bound)) > 1
        if isinstance(e, sympy.Add):
            return any(not _flat(t.body if isinstance(t, nodes.Sum) else t) for t in e.args)
        return False


def _flat(e: Expr) -> bool:
    """Whether an expression is a number, an entry, or a product of such."""
    return all(isinstance(f, Access | nodes.Guard) or f.is_Number or not f.has(Access) for f in sympy.Mul.make_args(e))


@dataclass(frozen=True)
class Chain:
    """One entry of an equation: its name, with letters, with numbers, with its parts evaluated, and its value.

    Attributes:
        left: the entry.
        letters: the right side with letters.
        numbers: the right side with numbers.
        parts: the exact values of its parts; empty where they say nothing new.
        shown_parts: the same, written.
        value: exact.
        shown: the value, written.
        sign: ``=``, or the sign of an approximation.
    """

    left: str
    letters: str
    numbers: str
    parts: tuple[Any, ...]
    shown_parts: str
    value: Any
    shown: str
    sign: str


def labels(tensor: Tensor, place: Sequence[int]) -> list[str]:
    """Return how an entry's indices are written: from 1, where there is an entry 0 from 0."""
    return [str(k if isinstance(axis, FromZero) else k + 1) for axis, k in zip(tensor.axes, place, strict=True)]


@dataclass(frozen=True)
class Laid:
    """An equation in the conventions of a notation, with the arrays that it reads laid out in the same way.

    Attributes:
        equation: as the notation writes it.
        values: exact, of everything that it reads and gives.
        turned: whether what it gives is laid out the other way round than in the engine.
    """

    equation: Equation
    values: Mapping[str, Array]
    turned: bool

    def place(self, place: Sequence[int]) -> tuple[int, ...]:
        """Return where an entry of the engine's array lies in what the equation gives."""
        moved = tuple(place)[::-1] if self.turned else tuple(place)
        return tuple(k + isinstance(axis, FromZero) for axis, k in zip(self.equation.tensor.axes, moved, strict=True))


def laid(equation: Equation, values: Mapping[str, Array], naming: Naming, notation: Notation) -> Laid:
    """Return an equation and the arrays that it reads in the conventions of a notation."""
    shown = arranged(equation, naming, notation)
    assert isinstance(shown, Equation)
    given = {t.name: t for t in (equation.tensor, *equation.reads)}
    made = {t.name: arrangement(given[_own(t)], values, naming, notation, t.name != _own(t)) for t in (shown.tensor, *shown.reads)}
    return Laid(shown, made, turns(equation.tensor, naming, notation))


def _own(tensor: Tensor) -> str:
    return tensor.name.removesuffix(EXTENDED)


def arrangement(tensor: Tensor, values: Mapping[str, Array], naming: Naming, notation: Notation, extended: bool = False) -> Array:
    """Return the array of a tensor as a notation lays it out: transposed, or with an entry 0: the bias of weights, the 1 of inputs."""
    array = values[tensor.name]
    if extended:
        array = np.concatenate([_column(tensor.name, array, values, naming)[..., None], array], axis=-1)
    return array.T if array.ndim == 2 and turns(tensor, naming, notation) else array


def _column(name: str, array: Array, values: Mapping[str, Array], naming: Naming) -> Array:
    """Return what stands in entry 0: the bias of a weight, the gradient of the bias in its gradient, 1 in front of an input."""
    called = naming.of(name)
    gradient = called.role == "gradient" and called.of is not None
    weight = called.of if gradient else called
    for a in naming.affine:
        if a.weight == weight:
            bias = next(tensor for tensor, known in naming.names.items() if known == a.bias)
            found = values.get(f"grad.{bias}" if gradient else bias)
            # A bias that is not trained has no gradient; its column is not shown.
            return found if found is not None else np.full(array.shape[:-1], mpmath.nan, dtype=object)
    return np.full(array.shape[:-1], mpmath.mpf(1), dtype=object)


def chain(
    equation: Equation,
    place: Sequence[int],
    values: Mapping[str, Array],
    sizes: Mapping[Expr, Expr],
    symbols: Symbols,
    rounding: Rounding,
    parts: str = "auto",
) -> Chain:
    """Return one entry of an equation with numbers plugged in.

    Args:
        equation: in index form.
        place: the entry, counted from 0.
        values: exact ones, of all tensors.
        sizes: values of symbolic sizes.
        symbols: how names are written.
        rounding: how numbers are printed.
        parts: "auto", "always" or "never": whether the parts of the right side get a line of their own.
    """
    if len(place) != equation.tensor.rank:
        raise ShapeError(f"{equation.tensor.name} has {equation.tensor.rank} axes, entry {tuple(place)} has {len(place)}")
    value = values[equation.tensor.name][tuple(place)]
    made = laid(equation, values, symbols.naming, symbols.notation)
    equation, values = made.equation, made.values
    index: tuple[Any, ...] = equation.lhs.index
    at = dict(zip(index, made.place(place), strict=True))
    letters = EntryPrinter(symbols, {}, index, at=at, known=values, sizes=sizes, rounding=rounding)
    numbers = replace(letters, values=values)
    error = equation.tensor.role == "cotangent"
    rhs = equation.rhs
    with_letters = letters.error(rhs) if error else letters.write(rhs)
    with_numbers = numbers.error(rhs) if error else numbers.write(rhs)
    kind, found = letters.parts(rhs)
    wanted = len(found) > 1 and (parts == "always" or (parts == "auto" and letters.nested(rhs)))
    if len(found) > MAX_TERMS:
        wanted = False
    shown = ""
    if wanted:
        pieces = [rounding.piece(v) for v in found]
        shown = (numbers.terms(pieces) if kind == "sum" else numbers.side(pieces)).text
    return Chain(
        left=letters.write(equation.lhs).text,
        letters=with_letters.text or "0",
        numbers=with_numbers.text or "0",
        parts=found if wanted else (),
        shown_parts=shown,
        value=value,
        shown=letters.number_of(equation.tensor, value).text,
        sign=rounding.sign(value),
    )


@dataclass(frozen=True)
class NumberMatrixPrinter(MatrixPrinter):
    """Writes matrix forms with the matrices of numbers in the places of their letters.

    Attributes:
        values: as the notation lays them out.
        rounding: how numbers are printed.
    """

    values: Mapping[str, Array] = field(default_factory=dict)
    rounding: Rounding = field(default_factory=Rounding)

    def single(self, form: m.Form) -> Piece:
        if isinstance(form, m.Entry) and all(part is None for part in form.at):
            array = self.values[form.tensor.name]
            if array.ndim == 0:
                return self.rounding.piece(array[()])
            return Piece(matrix_latex(array, self.rounding), SINGLE, tall=True)
        if isinstance(form, m.OneHot):
            return MatrixPrinter(self.symbols).single(form)
        return super().single(form)

    def transposed(self, form: m.Form) -> Piece:
        base = self.closed(form, SINGLE)
        return Piece(self.symbols.writer.transposed(base.text, self.symbols.notation.transposed), SINGLE, tall=True)


def matrix_line(equation: m.MatrixEquation, values: Mapping[str, Array], symbols: Symbols, rounding: Rounding) -> tuple[str, str, str]:
    """Return the left side, the right side with letters, and the right side with matrices of numbers in their places."""
    shown = arranged(equation, symbols.naming, symbols.notation)
    assert isinstance(shown, m.MatrixEquation)
    given = {e.tensor.name: e.tensor for e in (equation.lhs, *equation.rhs.entries)}
    made = {
        t.name: arrangement(given[_own(t)], values, symbols.naming, symbols.notation, t.name != _own(t))
        for t in (e.tensor for e in (shown.lhs, *shown.rhs.entries))
    }
    letters, numbers = MatrixPrinter(symbols), NumberMatrixPrinter(symbols, values=made, rounding=rounding)
    error = shown.tensor.role == "cotangent"
    rights = [(p.error(shown.rhs) if error else p.write(shown.rhs)).text for p in (letters, numbers)]
    return letters.write(shown.lhs).text, rights[0], rights[1]


def matrix_latex(array: Array, rounding: Rounding) -> str:
    r"""Return an array as a matrix of printed numbers, a vector as a column; what is long is abbreviated by dots."""
    if array.ndim == 0:
        return rounding.latex(array[()])
    if array.ndim > 2:
        # Channels and the like: one matrix after the other.
        slices = [r"\dots" if k is None else matrix_latex(array[k], rounding) for k in _kept(array.shape[0])]
        return r",\; ".join(slices)
    table = array if array.ndim > 1 else array[:, None]
    rows, columns = _kept(table.shape[0]), _kept(table.shape[1])
    made = []
    for r in rows:
        cells = []
        for c in columns:
            if r is None or c is None:
                cells.append(r"\ddots" if r is None and c is None else r"\vdots" if r is None else r"\cdots")
            else:
                cells.append(rounding.latex(table[r, c]))
        made.append(" & ".join(cells))
    body = r" \\ ".join(made)
    return rf"\begin{{bmatrix}} {body} \end{{bmatrix}}"


def row_latex(array: Array, rounding: Rounding) -> str:
    """Return the entries of a vector in a row; what is long is abbreviated by dots."""
    return r",\; ".join(r"\dots" if k is None else rounding.latex(array[k]) for k in _kept(array.shape[0]))


def _kept(length: int) -> list[int | None]:
    return list(range(length)) if length <= MAX_AXIS else [0, 1, None, length - 1]


__all__ = [
    "MAX_AXIS",
    "MAX_TERMS",
    "Chain",
    "EntryPrinter",
    "NumberMatrixPrinter",
    "arrangement",
    "chain",
    "labels",
    "laid",
    "matrix_latex",
    "matrix_line",
    "row_latex",
]
