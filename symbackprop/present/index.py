"""Index forms: an equation entry by entry."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import sympy
from sympy import Expr, S

from symbackprop.algebra import nodes
from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.order import ordered_terms, signed_factors
from symbackprop.algebra.padding import without_padding
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.errors import EmissionError
from symbackprop.present.ranges import by_digits
from symbackprop.present.symbols import Symbols, readable
from symbackprop.present.writer import PRODUCT, REDUCTION, SINGLE, SUM, Piece, side_by_side

_RELATIONS = {sympy.StrictGreaterThan: ">", sympy.GreaterThan: ">=", sympy.Eq: "==", sympy.Ne: "!="}


class FromZero(Index):
    """An index with an entry 0 in front of the ones that are counted from 1: the bias, or the 1 that it is multiplied by."""

    __slots__ = ()


#: More signs than this are not written above a line.
LONG = 55
#: Begins the names of tensors that stand for written pieces; no name of an engine or a user begins so.
WRITTEN = "\0"


def index_equation(equation: Equation, symbols: Symbols, *, digits: bool = True) -> str:
    """Return an equation in index form; ``digits`` lets it be written with the places that are computed on the left."""
    names: dict[Index, str] = {}
    equation = by_digits(equation) if digits else equation
    for index in (i for part in equation.lhs.index for i in ordered_indices(part)):
        names[index] = readable(index, (), reserved(symbols) | set(names.values()), symbols.writer.word, symbols.letters)
    printer = IndexPrinter(symbols, names, tuple(names))
    value = without_padding(equation.rhs).expr
    rhs = printer.error(value) if equation.tensor.role == "cotangent" else printer.write(value)
    return f"{printer.write(equation.lhs).text} = {rhs.text}"


def ordered_indices(place: Expr) -> list[Index]:
    """Return the indices of a place, those that count for most first: k, p, q of 25 k + 5 p + q."""
    found = [i for i in place.free_symbols if isinstance(i, Index)]
    return sorted(found, key=lambda i: (-abs(place.coeff(i, 1)) if place.coeff(i, 1).is_number else 0, i.name))


def reserved(symbols: Symbols) -> set[str]:
    """Letters that no index may have: they are the layer, a size, or the sample whose loss is meant."""
    notation = symbols.notation
    taken = {notation.layer, "L"}
    if symbols.naming.names:
        taken |= {notation.last, notation.samples}
    if symbols.naming.loss.role == "one_loss" and notation.one_loss == "indexed":
        taken.add(notation.sample)
    return taken


@dataclass(frozen=True)
class IndexPrinter:
    """Writes scalar expressions over tensor entries.

    Attributes:
        symbols: how names are written.
        names: written names of the indices in scope.
        free: indices of the left side, in order: factors follow it.
        given: pieces that are written already; tensors named `WRITTEN` and a number stand for them.
    """

    symbols: Symbols
    names: dict[Index, str]
    free: tuple[Expr, ...] = ()
    given: tuple[Piece, ...] = ()

    def write(self, e: Expr) -> Piece:
        """Write an expression."""
        if isinstance(e, Access) and e.tensor.name.startswith(WRITTEN):
            return self.given[int(e.tensor.name.removeprefix(WRITTEN))]
        if isinstance(e, Access):
            shift = self.symbols.shifted(e.tensor)
            places = [part + shift if k == e.tensor.rank - 1 and not isinstance(part, Index) else part for k, part in enumerate(e.index)]
            return self.symbols.tensor(e.tensor, [self.symbols.affine(part, self.names) for part in places], whole=not e.index)
        if e.is_Number or isinstance(e, sympy.NumberSymbol):
            return self.number(e)
        if isinstance(e, Index):
            return Piece(self.symbols.affine(e, self.names))
        if e.is_Symbol:
            return Piece(self.symbols.size(e))
        if isinstance(e, sympy.Add):
            return self.add(e)
        if isinstance(e, sympy.Mul):
            return self.product(e)
        if isinstance(e, sympy.Pow):
            return self.power(e)
        if isinstance(e, nodes.Reduction | nodes.ArgMax):
            return self.reduction(e)
        if isinstance(e, nodes.Guard):
            return self.guard(e)
        if isinstance(e, sympy.Function):
            return self.function(e)
        raise EmissionError(f"{type(e).__name__} in {e} cannot be written as a formula; add it to {type(self).__name__}")

    # --- numbers ---

    def number(self, value: Expr) -> Piece:
        """Write a number; short fractions as fractions, the rest as decimals."""
        if isinstance(value, sympy.NumberSymbol):
            return Piece(self.symbols.writer.letter(r"\pi")) if value is S.Pi else Piece("e")
        size = abs(value)
        if size.is_Rational and not size.is_Integer and not _decimal(size):
            piece = self.symbols.writer.fraction(Piece(str(size.p)), Piece(str(size.q)))
        else:
            piece = Piece(self.decimal(size))
        return minus(piece) if value.is_negative else piece

    def decimal(self, size: Expr) -> str:
        if size.is_Integer:
            return str(size)
        written = repr(float(size))
        if "e" not in written:
            return written
        mantissa, exponent = written.split("e")
        return self.symbols.writer.scientific(mantissa.removesuffix(".0"), int(exponent))

    # --- sums and products ---

    def add(self, e: Expr) -> Piece:
        return self.terms([self.write(t) for t in ordered_terms(e)])

    def error(self, e: Expr) -> Piece:
        """Write an error term: where the notation has −(y − a), that is how the difference stands in it."""
        number, factors = signed_factors(e, self.free)
        for k, f in enumerate(factors):
            flipped = self.target_first(f)
            if flipped is not None:
                # A stand-in keeps the written difference in its place.
                stand_in = Access(Tensor(f"{WRITTEN}0"))
                rest = (*factors[:k], stand_in, *factors[k + 1 :])
                inner = replace(self, given=(self.symbols.writer.parenthesised(flipped),))
                return inner.multiply(-number, self.with_maxima(rest))
        return self.write(e)

    def terms(self, pieces: Sequence[Piece]) -> Piece:
        """Join the terms of a sum."""
        text = pieces[0].text
        for piece in pieces[1:]:
            text += f" - {piece.text[1:]}" if piece.negative else f" + {piece.text}"
        return Piece(text, SUM, any(p.tall for p in pieces), pieces[0].negative)

    def target_first(self, e: Expr) -> Piece | None:
        """Write a − y as y − a where the notation has −(y − a)."""
        if self.symbols.notation.output_error != "target first" or not isinstance(e, sympy.Add) or len(e.args) != 2:
            return None
        roles = {}
        for term in e.args:
            number, rest = term.as_coeff_Mul()
            if abs(number) != 1 or not isinstance(rest, Access):
                return None
            roles[self.symbols.naming.of(rest.tensor.name).role] = (number, rest)
        number, target = roles.get("target", (0, S.Zero))
        other = next((roles[role][1] for role in ("output", "activation", "pre") if role in roles), None)
        if number != -1 or other is None:
            return None
        return self.terms([self.write(target), minus(self.write(other))])

    def product(self, e: Expr) -> Piece:
        number, factors = signed_factors(e, self.free)
        return self.multiply(number, routed(self.with_maxima(factors)))

    def multiply(self, number: Expr, factors: Sequence[Expr]) -> Piece:
        """Write a number times factors: the sign first, constants next, what is below the line below it."""
        negative = bool(number.is_negative)
        size, factors = _rooted(abs(number), factors)
        top, bottom, shown = self.split(size, factors)
        above = [self.write(f) for f in shown]
        piece = self.beside(top, above, bool(bottom), negative)
        if bottom:
            below = self.side([self.write(b) for b in bottom])
            if not _constant(bottom) or not above:
                numerator = piece if piece is not None else Piece("1")
                if visible(numerator.text) > LONG:
                    # What stands above a line cannot be broken.
                    constant = self.side([self.write(t) for t in top]) if top else Piece("1")
                    piece = self.side([self.symbols.writer.fraction(constant, below), *above], 1)
                else:
                    piece = self.symbols.writer.fraction(numerator, below)
            else:
                coefficient = self.symbols.writer.fraction(self.side([self.write(t) for t in top]) if top else Piece("1"), below)
                piece = self.side([coefficient, *above], 1)
        assert piece is not None
        return minus(piece) if negative else piece

    def split(self, size: Expr, factors: Sequence[Expr]) -> tuple[list[Expr], list[Expr], list[Expr]]:
        """Return constants above, everything below, and the other factors above."""
        top: list[Expr] = []
        bottom: list[Expr] = []
        if size.is_Rational and (size.is_Integer or not _decimal(size)):
            top += [sympy.Integer(size.p)] if size.p != 1 else []
            bottom += [sympy.Integer(size.q)] if size.q != 1 else []
        elif size != 1:
            top.append(size)
        shown = []
        for f in factors:
            if isinstance(f, sympy.Pow) and f.exp.is_negative:
                bottom.append(f.base**-f.exp)
            elif not f.has(Access) and not f.atoms(Index):
                top.append(f)
            else:
                shown.append(f)
        return top, bottom, shown

    def beside(self, top: Sequence[Expr], above: Sequence[Piece], fraction: bool, negative: bool) -> Piece | None:
        pieces = [*(self.write(t) for t in top), *above]
        if not pieces:
            return None if fraction else Piece("1")
        return self.side(pieces, len(top), alone=fraction or not negative)

    def side(self, pieces: Sequence[Piece], constants: int = 0, alone: bool = True) -> Piece:
        """Set factors side by side; a sum over an index stays without parentheses where only constants stand before it."""
        if len(pieces) == 1 and (alone or pieces[0].level > SUM):
            return pieces[0]
        written = []
        for k, piece in enumerate(pieces):
            closed = k < len(pieces) - 1 or k > constants
            loose = piece.level == SUM or piece.negative or (piece.level == REDUCTION and closed)
            written.append(self.symbols.writer.parenthesised(piece) if loose else piece)
        level = REDUCTION if written[-1].level == REDUCTION else PRODUCT
        return Piece(side_by_side([p.text for p in written]), level, any(p.tall for p in written))

    def with_maxima(self, factors: Sequence[Expr]) -> tuple[Expr, ...]:
        """Write u [u > 0] as max(0, u)."""
        left = list(factors)
        for guard in factors:
            if isinstance(guard, nodes.Indicator) and isinstance(guard.condition, sympy.StrictGreaterThan):
                u, bound = guard.condition.args
                if bound == 0 and u in left:
                    left[left.index(u)] = sympy.Function("max")(u)
                    left.remove(guard)
        return tuple(left)

    def power(self, e: sympy.Pow) -> Piece:
        if e.exp.is_negative:
            return self.multiply(S.One, (e,))
        if e.exp == sympy.Rational(1, 2):
            return self.symbols.writer.root(self.write(e.base))
        base = self.write(e.base)
        scripted = isinstance(e.base, Access) and (self.has_layer(e.base) or base.tall)
        if base.level < SINGLE or base.negative or scripted or isinstance(e.base, nodes.Guard | sympy.exp):
            base = self.symbols.writer.parenthesised(base)
        return Piece(self.symbols.writer.power(base.text, self.write(e.exp).text), SINGLE, base.tall)

    def has_layer(self, access: Access) -> bool:
        if access.tensor.name.startswith(WRITTEN):
            return True
        name = self.symbols.naming.of(access.tensor.name)
        return (name.layer is not None and not self.symbols.bare_output(name)) or (name.of is not None and name.of.layer is not None)

    # --- reductions, guards, functions ---

    def reduction(self, e: Expr) -> Piece:
        body: Expr = e.body
        bound: tuple[Index, ...] = e.bound
        names = dict(self.names)
        for index in bound:
            suggestions = [
                axis.name
                for access in _accesses(self.meant(body))
                for axis, part in zip(access.tensor.axes, access.index, strict=True)
                if part == index and isinstance(axis, Index)
            ]
            # What only runs through a window goes by the letters of kernels.
            suggestions += [] if suggestions else self.running(index, body)
            taken = set(names.values()) | reserved(self.symbols)
            names[index] = readable(index, suggestions, taken, self.symbols.writer.word, self.symbols.letters)
        inner = replace(self, names=names, free=(*self.free, *bound))
        ranges = [(names[b], *self.range(b, self.meant(body))) for b in bound]
        if isinstance(e, nodes.LogSumExp):
            total = self.symbols.writer.reduction("sum", ranges, self.symbols.writer.exponential(inner.write(body)).text)
            return Piece(f"{self.symbols.writer.function('log')} {total}", REDUCTION, tall=True)
        written = inner.write(body)
        if written.level == SUM or written.negative:
            written = self.symbols.writer.parenthesised(written)
        kind = {nodes.Sum: "sum", nodes.Max: "max"}.get(type(e), "argmax")
        return Piece(self.symbols.writer.reduction(kind, ranges, written.text), REDUCTION, tall=True)

    def running(self, index: Index, body: Expr) -> list[str]:
        """Return what an index may be called that stands nowhere alone: u, v in a window, else as the axis that it moves along."""
        along = [
            axis.name
            for access in _accesses(self.meant(body))
            for axis, part in zip(access.tensor.axes, access.index, strict=True)
            if index in part.free_symbols and part.atoms(nodes.Floor)
        ]
        return along or ["u", "v"]

    def meant(self, body: Expr) -> Expr:
        """Return what is summed, with nothing standing for anything else."""
        return body

    def range(self, index: Index, body: Expr) -> tuple[str, str]:
        """Return the limits of an index: 1..n where it only counts entries, 0..n−1 where it is reckoned with or there is an entry 0."""
        extent = self.symbols.size(index.extent)
        if _reckoned(index, body) or isinstance(index, FromZero) or self.counted_from_zero(index, body):
            return "0", self.symbols.affine(index.extent - 1, {})
        return "1", extent

    def counted_from_zero(self, index: Index, body: Expr) -> bool:
        """Whether an index stands on an axis whose places some equation reckons with."""
        known = self.symbols.naming.from_zero
        return bool(known) and any(
            part == index and (access.tensor.name, k) in known for access in body.atoms(Access) for k, part in enumerate(access.index)
        )

    def side_of(self, side: Expr) -> str:
        """Write a side of a comparison; places are written as they are in subscripts."""
        places = side.atoms(nodes.Floor) and not side.atoms(Access)
        return self.symbols.affine(side, self.names) if places else self.write(side).text

    def guard(self, e: nodes.Guard) -> Piece:
        writer = self.symbols.writer
        if isinstance(e, nodes.InRange):
            low, high = (self.symbols.affine(part, self.names) for part in e.args)
            return writer.bracket(f"0 {writer.relation('<=')} {low} < {high}")
        if isinstance(e, nodes.Divides):
            step, of = (self.symbols.affine(part, self.names) for part in e.args)
            return writer.bracket(f"{step} {writer.relation('|')} {of}")
        if isinstance(e, Routed):
            places = ", ".join(self.symbols.affine(part, self.names) for part in e.places)
            return writer.bracket(f"{f'({places})' if len(e.places) > 1 else places} {writer.relation('==')} {self.write(e.reached).text}")
        condition = e.condition
        left, right = (self.side_of(side) for side in condition.args)
        kind = _RELATIONS[type(condition)]
        if kind == ">" and left.replace(".", "").isdigit():
            return writer.bracket(f"{right} < {left}")
        return writer.bracket(f"{left} {writer.relation(kind)} {right}")

    def function(self, e: Expr) -> Piece:
        writer = self.symbols.writer
        if isinstance(e, nodes.Unspecified):
            return writer.call(self.symbols.function(e.label, e.order), self.write(e.args[2]))
        u = self.write(e.args[0])
        if isinstance(e, sympy.exp):
            return writer.exponential(u)
        if isinstance(e, nodes.Abs | nodes.Floor):
            return writer.bars(u, "abs" if isinstance(e, nodes.Abs) else "floor")
        if isinstance(e, nodes.Expm1):
            return Piece(f"{writer.exponential(u).text} - 1", SUM, u.tall)
        if isinstance(e, nodes.Log1p):
            return writer.call(writer.function("log"), self.terms([Piece("1"), u]))
        if type(e).__name__ == "max":
            return writer.call(writer.function("max"), Piece(f"0, {u.text}", SINGLE, u.tall))
        return writer.call(writer.function(type(e).__name__.lower()), u)


class Routed(nodes.Guard):
    """[(i, j) = argmax]: 1 at the place where a maximum is reached. ``args`` is (argmax, *places)."""

    def __new__(cls, reached: Expr, *places: Expr) -> Expr:
        return Expr.__new__(cls, reached, *places)

    @property
    def reached(self) -> Expr:
        """Where the maximum is reached."""
        return self.args[0]

    @property
    def places(self) -> tuple[Expr, ...]:
        """The place that is asked about, index by index of the maximum."""
        found: tuple[Expr, ...] = self.args[1:]
        return found


def routed(factors: Sequence[Expr]) -> tuple[Expr, ...]:
    """Write [i = argmax_u] [j = argmax_v], of one maximum over u and v, as [(i, j) = argmax_{u, v}]."""
    asked: dict[tuple[Expr, ...], dict[Index, tuple[Expr, Expr]]] = {}
    for f in factors:
        if isinstance(f, nodes.Indicator) and isinstance(f.condition, sympy.Eq):
            for side, other in (f.condition.args, f.condition.args[::-1]):
                if isinstance(side, nodes.ArgMax):
                    asked.setdefault((side.body, *side.bound), {})[side.wanted] = (other, f)
                    break
    made = list(factors)
    for (body, *bound), places in asked.items():
        if set(places) != set(bound):
            continue
        said = [f for _, f in places.values()]
        # A place of a maximum lies in its window.
        said += [nodes.InRange(places[b][0], b.extent) for b in bound]
        made = [f for f in made if f not in said]
        made.append(Routed(nodes.ArgMax(body, bound[0], *bound), *(places[b][0] for b in bound)))
    return tuple(made)


def _rooted(size: Expr, factors: Sequence[Expr]) -> tuple[Expr, Sequence[Expr]]:
    """Write √d/d as 1/√d, the scale of attention."""
    out = []
    for f in factors:
        root = isinstance(f, sympy.Pow) and f.exp == sympy.Rational(1, 2) and f.base.is_Integer
        if root and size.is_Rational and size.q % f.base == 0:
            size, f = size * f.base, sympy.Pow(f.base, sympy.Rational(-1, 2), evaluate=False)
        out.append(f)
    return size, out


def visible(text: str) -> int:
    """Return about how many signs a written formula shows."""
    return len(re.sub(r"\\(?:left|right|mathrm|boldsymbol|mathbf|frac)|\\[A-Za-z]+(?=[^A-Za-z])|[{}_^\\ ]", "", text))


def minus(piece: Piece) -> Piece:
    """Return the negative of a piece that is no sum."""
    if piece.negative:
        return Piece(piece.text[1:], piece.level, piece.tall)
    return Piece(f"-{piece.text}", min(piece.level, PRODUCT), piece.tall, True)


def _decimal(size: Expr) -> bool:
    """Whether a rational number is better written as a decimal: 0.1, 0.0001, but 1/2, 1/3 and 1/32."""
    if not size.is_Rational:
        return True
    q = int(size.q)
    short = Fraction(int(size.p), q)
    while q % 2 == 0:
        q //= 2
    while q % 5 == 0:
        q //= 5
    halved = short.denominator & (short.denominator - 1) == 0
    return (q == 1 and short.denominator >= 10 and not halved) or short.denominator > 999


def _constant(factors: Sequence[Expr]) -> bool:
    return not any(f.has(Access) or f.atoms(Index) for f in factors)


def _accesses(e: Expr) -> list[Access]:
    """The entries in an expression, in reading order."""
    if isinstance(e, Access):
        return [e]
    if isinstance(e, sympy.Mul):
        parts: Sequence[Expr] = signed_factors(e)[1]
    elif isinstance(e, sympy.Add):
        parts = ordered_terms(e)
    else:
        parts = [a for a in e.args if isinstance(a, Expr)]
    return [a for part in parts for a in _accesses(part)]


def _reckoned(index: Index, body: Expr) -> bool:
    """Whether an index stands in anything but plain subscripts and comparisons with other indices."""
    for access in body.atoms(Access):
        if any(part != index and index in part.free_symbols for part in access.index if not isinstance(part, Access)):
            return True
    return any(index in g.free_symbols for g in body.atoms(nodes.InRange, nodes.Divides))


__all__ = ["WRITTEN", "FromZero", "IndexPrinter", "index_equation", "minus", "reserved"]
