"""Index forms with every sum written out, one line for each entry, as in a first lecture: z_1 = w_10 + w_11 x_1 + w_12 x_2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from types import MappingProxyType

import sympy
from sympy import Expr, S

from symbackprop.algebra import nodes
from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.tensor import Access
from symbackprop.errors import DeclarationError
from symbackprop.present import notation as notations
from symbackprop.present.convention import arranged
from symbackprop.present.document.records import Line
from symbackprop.present.index import FromZero, IndexPrinter
from symbackprop.present.naming import EXTENDED, Naming
from symbackprop.present.notation import Notation
from symbackprop.present.symbols import Symbols
from symbackprop.present.writer import Latex, Piece, Unicode, Writer


def expanded(
    equation: Equation,
    naming: Naming | None = None,
    *,
    notation: str | Notation = "ufldl",
    inside: Sequence[Equation] = (),
    entries: Sequence[tuple[int, ...]] | None = None,
    units: bool = False,
    limit: int = 6,
) -> tuple[Line, ...]:
    r"""Return a line for each entry of an equation's left side, with the sums written out.

    z_1^{(2)} = w_{10}^{(1)} + w_{11}^{(1)} x_1 + w_{12}^{(1)} x_2

    Args:
        equation: in index form.
        naming: what its tensors are called.
        notation: a preset's name or a record.
        inside: equations of values that the equation reads: each is written out in place, with its name under a brace.
        entries: which entries of the left side, as they are counted in print; None takes all, with dots from ``limit`` on.
        units: write the 1 that a folded bias is multiplied by: w_{10} x_0.
        limit: the longest sum, and the most lines, without dots.

    Raises:
        DeclarationError: an entry lies outside the left side.
    """
    lines = _lines(equation, naming or Naming(), notations.notation(notation), inside, entries, units, limit, Latex())
    return tuple(Line(text) for text in lines)


def plain_expanded(
    equation: Equation,
    naming: Naming | None = None,
    *,
    notation: str | Notation = "ufldl",
    inside: Sequence[Equation] = (),
    entries: Sequence[tuple[int, ...]] | None = None,
    units: bool = False,
    limit: int = 6,
) -> tuple[str, ...]:
    """Return the same as lines of Unicode text; the arguments are those of `expanded`."""
    return tuple(_lines(equation, naming or Naming(), notations.notation(notation), inside, entries, units, limit, Unicode()))


def _lines(
    equation: Equation,
    naming: Naming,
    notation: Notation,
    inside: Sequence[Equation],
    entries: Sequence[tuple[int, ...]] | None,
    units: bool,
    limit: int,
    writer: Writer,
) -> Iterator[str]:
    symbols = Symbols(notation, naming, writer)
    shown = _index_form(equation, naming, notation)
    within = {e.tensor.name: e for e in (_index_form(e, naming, notation) for e in inside)}
    free = tuple(i for i in shown.lhs.index if isinstance(i, Index))
    for places in _places(free, entries, limit, symbols, shown):
        if places is None:
            yield writer.dots("vertical")
            continue
        printer = _Expander(symbols, dict(zip(free, places, strict=True)), free, within=within, units=units, limit=limit)
        side = shown.rhs
        for index, place in zip(free, places, strict=True):
            side = side if units or place != "0" else _without_one(side, index)
            if isinstance(index, FromZero):
                # A penalty leaves the biases alone.
                inside_matrix = nodes.Indicator(sympy.Ge(index, 1, evaluate=False))
                side = side.xreplace({inside_matrix: S.Zero if place == "0" else S.One})
        rhs = printer.error(side) if shown.tensor.role == "cotangent" else printer.write(side)
        yield f"{replace(printer, within={}).write(shown.lhs).text} = {rhs.text}"


def _index_form(equation: Equation, naming: Naming, notation: Notation) -> Equation:
    made = arranged(equation, naming, notation)
    assert isinstance(made, Equation)
    return made


def _places(
    free: tuple[Index, ...], entries: Sequence[tuple[int, ...]] | None, limit: int, symbols: Symbols, equation: Equation
) -> list[tuple[str, ...] | None]:
    """Return the written indices of each line, None for a line of dots."""
    if entries is not None:
        for entry in entries:
            if len(entry) != len(free) or not all(_within(i, k) for i, k in zip(free, entry, strict=True)):
                counts = " × ".join(str(_last(i)) for i in free) or "no"
                raise DeclarationError(f"{equation.tensor.name} has {counts} entries, counted from 1; there is no entry {tuple(entry)}")
        return [tuple(map(str, entry)) for entry in entries]
    if not free:
        return [()]
    ranges = [_written(i, symbols, limit) for i in free]
    out: list[tuple[str, ...] | None] = []
    for chosen in product(*ranges):
        known = None if any(c is None for c in chosen) else tuple(c for c in chosen if c is not None)
        if known is not None or (out and out[-1] is not None):
            out.append(known)
    return out


def _within(index: Index, place: int) -> bool:
    first = 0 if isinstance(index, FromZero) else 1
    return place >= first and not (index.extent.is_Integer and place > _last(index))


def _last(index: Index) -> Expr:
    return index.extent - 1 if isinstance(index, FromZero) else index.extent


def _written(index: Index, symbols: Symbols, limit: int) -> list[str | None]:
    """Return the values of an index as they are written, None where dots stand for the rest."""
    first = 0 if isinstance(index, FromZero) else 1
    last = _last(index)
    if last.is_Integer and int(last) <= limit:
        return [str(k) for k in range(first, int(last) + 1)]
    return [*(str(k) for k in range(first, 3)), None, symbols.size(last)]


@dataclass(frozen=True)
class _Expander(IndexPrinter):
    """Writes sums term by term.

    Attributes:
        within: equations that are written out in place.
        units: whether the 1 before a folded bias is written.
        limit: the longest sum without dots.
    """

    within: Mapping[str, Equation] = field(default_factory=lambda: MappingProxyType({}))
    units: bool = False
    limit: int = 6

    def write(self, e: Expr) -> Piece:
        if isinstance(e, Access) and e.tensor.name in self.within:
            inner = self.within[e.tensor.name]
            pairs = zip(inner.lhs.index, e.index, strict=True)
            names = {i: self.symbols.affine(part, self.names) for i, part in pairs if isinstance(i, Index)}
            plain = replace(self, within={k: v for k, v in self.within.items() if k != e.tensor.name})
            body = replace(plain, names={**self.names, **names}, free=tuple(inner.lhs.index)).write(inner.rhs)
            return self.symbols.writer.underbraced(body, plain.write(e).text)
        return super().write(e)

    def reduction(self, e: Expr) -> Piece:
        if not isinstance(e, nodes.Sum) or self.range(e.bound[0], e.body)[0] != ("0" if isinstance(e.bound[0], FromZero) else "1"):
            return super().reduction(e)
        body: Expr = e.body
        if len(e.bound) > 1:
            body = nodes.Sum(body, *e.bound[1:])
        pieces: list[Piece] = []
        for value in _written(e.bound[0], self.symbols, self.limit):
            if value is None:
                pieces.append(Piece(self.symbols.writer.dots("horizontal")))
                continue
            inner = replace(self, names={**self.names, e.bound[0]: value}, free=(*self.free, *e.bound))
            shown = body if self.units or value != "0" else _without_one(body, e.bound[0])
            pieces.append(inner.write(shown))
        return self.terms(pieces) if len(pieces) > 1 else pieces[0]


def _without_one(body: Expr, index: Index) -> Expr:
    """Return a term for index 0 without the input, which is 1 there."""
    ones = [a for a in body.atoms(Access) if a.tensor.name.endswith(EXTENDED) and a.tensor.role != "parameter" and index in a.index]
    return body.xreplace(dict.fromkeys(ones, S.One))


__all__ = ["expanded", "plain_expanded"]
