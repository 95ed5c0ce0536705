"""Matrix forms on paper: whole vectors and matrices, with the shape under each factor if wanted."""

from __future__ import annotations

from dataclasses import dataclass, replace

import sympy
from sympy import Expr

from symbackprop.algebra import matrix as m
from symbackprop.algebra import nodes
from symbackprop.algebra.index import Index
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.errors import EmissionError
from symbackprop.present.convention import mapped
from symbackprop.present.index import WRITTEN, IndexPrinter, minus, reserved
from symbackprop.present.naming import Naming
from symbackprop.present.symbols import Symbols, readable
from symbackprop.present.writer import ELEMENTWISE, PRODUCT, REDUCTION, SINGLE, SUM, Piece, side_by_side


def matrix_equation(equation: m.MatrixEquation, symbols: Symbols, *, shapes: bool = False) -> str:
    """Return an equation in matrix form."""
    printer = MatrixPrinter(symbols, shapes)
    rhs = printer.error(equation.rhs) if equation.tensor.role == "cotangent" else printer.write(equation.rhs)
    return f"{printer.write(equation.lhs).text} = {rhs.text}"


def laid_out(equation: m.MatrixEquation, layout: str, naming: Naming | None = None) -> m.MatrixEquation:
    """Return an equation in a layout of derivatives.

    In gradient and denominator layout the derivative of a scalar has the shape of the variable. In numerator layout it has
    the transposed shape: error terms are rows, and ∂L/∂W is the transpose. A Jacobian has a row for each entry of what is
    differentiated, in denominator layout a column. An equation between values stays as it is.

    Args:
        equation: in gradient layout.
        layout: "gradient", "numerator" or "denominator".
        naming: tells Jacobians of vectors from gradients of scalars.
    """

    def turns(tensor: Tensor) -> bool:
        if tensor.role != "cotangent" or not tensor.rank:
            return False
        name = (naming or Naming()).of(tensor.name)
        rows = name.rows(tensor) if name.role == "jacobian" else 0
        return layout == ("denominator" if rows else "numerator")

    def turned(form: m.Form) -> m.Form:
        return m.transpose(replace(form, turned=True)) if isinstance(form, m.Entry) and form.rank and turns(form.tensor) else form

    rhs = mapped(equation.rhs, turned)
    if turns(equation.tensor):
        return m.MatrixEquation(replace(equation.lhs, turned=True), m.transpose(rhs))
    return equation if rhs is equation.rhs else m.MatrixEquation(equation.lhs, rhs)


@dataclass(frozen=True)
class MatrixPrinter:
    """Writes matrix forms.

    Attributes:
        symbols: how names are written.
        shapes: whether each factor shows its shape.
        flipped: a difference that is written in another way.
        given: how.
    """

    symbols: Symbols
    shapes: bool = False
    flipped: m.Plus | None = None
    given: Piece | None = None

    def write(self, form: m.Form) -> Piece:
        """Write a form."""
        if form == self.flipped and self.given is not None:
            return self.given
        if isinstance(form, m.Entry | m.Transpose | m.Apply | m.Diag | m.OneHot | m.Ones | m.Triangle | m.Stack):
            return self.shaped(form, replace(self, shapes=False).single(form))
        if isinstance(form, m.Number | m.Fill):
            return self.constant(form.value)
        if isinstance(form, m.Times):
            # Shapes that stand side by side would run into one another.
            gap = self.symbols.writer.gap() if self.shapes else " "
            return self.side([self.closed(a, PRODUCT) for a in form.args], PRODUCT, gap)
        if isinstance(form, m.Hadamard):
            return self.hadamard(form.args)
        if isinstance(form, m.Plus):
            return self.plus(form)
        if isinstance(form, m.Scale):
            return self.scale(form)
        if isinstance(form, m.Quotient):
            return self.quotient(form)
        if isinstance(form, m.Power):
            return self.power(form)
        if isinstance(form, m.SquaredNorm):
            norm = self.symbols.writer.bars(self.write(form.arg), "norm")
            return Piece(self.symbols.writer.power(norm.text, "2"), SINGLE, norm.tall)
        if isinstance(form, m.Total):
            body = self.write(form.arg)
            body = self.symbols.writer.parenthesised(body) if body.level == SUM or body.negative else body
            low, high = ("0", form.index.extent - 1) if _reckoned(form.index, form.arg) else ("1", form.index.extent)
            limits = (self.place(form.index), low, self.symbols.size(high))
            return Piece(self.symbols.writer.reduction("sum", [limits], body.text), REDUCTION, True)
        raise EmissionError(f"{type(form).__name__} cannot be written as a formula; add it to {type(self).__name__}")

    def shaped(self, form: m.Form, piece: Piece) -> Piece:
        if not self.shapes or form.scalar or (isinstance(form, m.Entry) and form.long):
            return piece
        rows, columns = ("1" if extent is None else self.extent(extent) for extent in form.shape)
        return Piece(self.symbols.writer.shaped(piece.text, rows, columns), piece.level, piece.tall)

    def extent(self, extent: Expr) -> str:
        written = self.symbols.size(extent)
        return f"({written})" if extent.is_Add else written

    def single(self, form: m.Form) -> Piece:
        writer = self.symbols.writer
        if isinstance(form, m.Entry):
            return self.entry(form)
        if isinstance(form, m.Transpose):
            return self.transposed(form.arg)
        if isinstance(form, m.Ones):
            return Piece(writer.ones())
        if isinstance(form, m.Triangle):
            ones = f"{writer.ones()} {writer.transposed(writer.ones(), self.symbols.notation.transposed)}"
            shift = f", {form.shift}" if form.shift else ""
            return writer.call(writer.function("tril" if form.lower else "triu"), Piece(ones + shift))
        if isinstance(form, m.Stack):
            return Piece(writer.stacked([self.write(a).text for a in form.args]), SINGLE, True)
        if isinstance(form, m.Diag):
            return Piece("I") if isinstance(form.arg, m.Ones) else writer.call(writer.function("diag"), self.write(form.arg))
        if isinstance(form, m.OneHot):
            return Piece(writer.marked("e", self.write(form.labels).text, ""))
        if isinstance(form, m.Apply):
            return self.apply(form)
        raise EmissionError(f"{type(form).__name__} cannot be written as a formula; add it to {type(self).__name__}")

    def entry(self, form: m.Entry) -> Piece:
        """Write a tensor, or a part of it: indices of samples, heads and steps below, the number of a block in brackets."""
        places = [self.place(part) for part in form.places]
        if not places and not form.cuts:
            return self.symbols.tensor(form.tensor)
        sample = places[0] if places and self.is_sample(form.places[0]) else ""
        if sample and len(places) == 1 and form.rank == 1 and not form.cuts:
            return self.symbols.sampled(form.tensor, sample)
        if not form.rank:
            return self.symbols.tensor(form.tensor, places, whole=False)
        cuts = ",".join(c if isinstance(c, str) else self.place(c) for c in form.cuts)
        indices = [*(places[1:] if sample else places), *([f"[{cuts}]"] if cuts else [])]
        return self.symbols.name(self.symbols.naming.of(form.tensor.name), indices, sample=sample, image=True)

    def is_sample(self, part: Expr) -> bool:
        return isinstance(part, Index) and part.extent == self.symbols.naming.batch

    def place(self, part: Expr) -> str:
        """Write where a tensor is read."""
        return self.symbols.affine(part, self.names(part))

    def names(self, part: Expr) -> dict[Index, str]:
        """Return the written names of the indices of samples, heads and steps."""
        taken = reserved(self.symbols) | {self.symbols.notation.sample}
        out: dict[Index, str] = {}
        for index in sorted(part.atoms(Index), key=lambda i: i.name):
            # A second index of the same axis keeps its prime.
            bare = index.name.rstrip("'")
            one = Index(bare, index.extent)
            own = self.symbols.sample(one) if self.is_sample(one) else readable(one, (), taken, self.symbols.writer.word)
            out[index] = own + index.name[len(bare) :]
        return out

    def constant(self, value: Expr) -> Piece:
        return IndexPrinter(self.symbols, self.names(value)).write(value)

    # --- products ---

    def closed(self, form: m.Form, around: int) -> Piece:
        """Write a factor, in parentheses unless it cannot be misread: ∘ and the matrix product never mix without."""
        piece = self.write(form)
        open_ = piece.level < SINGLE and (piece.level != around or isinstance(form, m.Entry))
        return self.symbols.writer.parenthesised(piece) if open_ or piece.negative else piece

    def side(self, pieces: list[Piece], level: int, between: str = " ") -> Piece:
        if len(pieces) == 1:
            return pieces[0]
        texts = [p.text for p in pieces]
        return Piece(side_by_side(texts) if between == " " else between.join(texts), level, any(p.tall for p in pieces))

    def hadamard(self, args: tuple[m.Form, ...]) -> Piece:
        left = list(args)
        for guard in args:
            u = _positive_part(guard)
            if u is not None and u in left:
                left[left.index(u)] = m.Apply(sympy.Function("max")(sympy.Symbol("u")), (sympy.Symbol("u"),), (u,))
                left.remove(guard)
        sign = self.symbols.writer.sign(self.symbols.notation.hadamard)
        return self.side([self.closed(arg, ELEMENTWISE) for arg in left], ELEMENTWISE, f" {sign} ")

    def error(self, form: m.Form) -> Piece:
        """Write an error term: where the notation has −(y − a), that is how the difference stands in it."""
        factors = form.factors if isinstance(form, m.Scale) else ()
        body = form.arg if isinstance(form, m.Scale) else form
        args = body.args if isinstance(body, m.Hadamard) else (body,)
        for arg in args:
            flipped = self.target_first(arg)
            if flipped is not None and isinstance(arg, m.Plus):
                inner = replace(self, flipped=arg, given=self.symbols.writer.parenthesised(flipped))
                return inner.write(m.scale(m.Number(sympy.S.NegativeOne), m.Scale(factors, body) if factors else body))
        return self.write(form)

    def target_first(self, form: m.Form) -> Piece | None:
        """Write a − y as y − a where the notation has −(y − a)."""
        if self.symbols.notation.output_error != "target first" or not isinstance(form, m.Plus) or len(form.args) != 2:
            return None
        first, second = form.args
        if not (isinstance(first, m.Entry) and isinstance(second, m.Scale) and second.number == -1 and isinstance(second.arg, m.Entry)):
            return None
        roles = [self.symbols.naming.of(e.tensor.name).role for e in (first, second.arg)]
        if len(second.factors) > 1 or roles[0] not in ("output", "activation", "pre") or roles[1] != "target":
            return None
        return self.join([self.write(second.arg), minus(self.write(first))])

    def scale(self, form: m.Scale) -> Piece:
        number = form.number
        named = [f for f in form.factors if not isinstance(f, m.Number)]
        size = abs(number) if number.is_number else -number if number.as_coeff_Mul()[0].is_negative else number
        negative = size != number
        pieces = [] if size == 1 else [self.constant(size)]
        alone = isinstance(form.arg, m.Fill) and form.arg.value == 1 and len(named) == 1
        pieces += [self.closed(f, PRODUCT if alone else SINGLE) for f in named]
        if not (isinstance(form.arg, m.Fill) and form.arg.value == 1 and pieces):
            body = self.write(form.arg)
            loose = body.level == SUM or (body.level == ELEMENTWISE and pieces) or (body.level == REDUCTION and named)
            if body.negative and not pieces:
                negative, body = not negative, minus(body)
            elif loose or body.negative:
                body = self.symbols.writer.parenthesised(body)
            pieces.append(body)
        level = min(PRODUCT, *(p.level for p in pieces)) if len(pieces) > 1 else pieces[0].level
        made = self.side(pieces, level)
        return minus(made) if negative else made

    def plus(self, form: m.Plus) -> Piece:
        if form.scalar:
            return self.join([self.write(a) for a in form.args])
        if form.shape[1] is None and form.shape[0] is not None:
            # A mean beside a vector is in every entry: x − μ 𝟏.
            ones = m.Ones(form.shape[0])
            args = (
                m.Scale(a.factors, ones) if isinstance(a, m.Scale) and isinstance(a.arg, m.Fill) and a.entries else a for a in form.args
            )
            return self.join([self.write(a) for a in args])
        if None in form.shape:
            return self.join([self.write(a) for a in form.args])
        # A value c beside a matrix is in every entry, not only on the diagonal: c 𝟏𝟏ᵀ.
        everywhere = m.times(m.Ones(form.shape[0]), m.transpose(m.Ones(form.shape[1])))
        diagonal = any(isinstance(part, m.Diag) for part in m.walk(form))
        shown = []
        for a in form.args:
            if isinstance(a, m.Scale) and a.arg == m.Fill(sympy.S.One, *form.shape) and a.entries:
                a = m.Scale(a.factors, everywhere)
            elif isinstance(a, m.Fill) and diagonal:
                a = m.scale(m.Number(a.value), everywhere)
            shown.append(self.write(a))
        return self.join(shown)

    def join(self, pieces: list[Piece]) -> Piece:
        return IndexPrinter(self.symbols, {}).terms(pieces)

    def quotient(self, form: m.Quotient) -> Piece:
        writer = self.symbols.writer
        if form.scalar or isinstance(form.top, m.Fill):
            return writer.fraction(self.write(form.top), self.write(form.bottom))
        pieces = [self.closed(form.top, SINGLE), self.closed(form.bottom, SINGLE)]
        return self.side(pieces, ELEMENTWISE, f" {writer.sign(chr(92) + 'oslash')} ")

    def power(self, form: m.Power) -> Piece:
        writer = self.symbols.writer
        base = self.closed(form.arg, SINGLE)
        if form.exponent == sympy.Rational(1, 2):
            return writer.root(self.write(form.arg))
        if form.scalar:
            base = base if isinstance(form.arg, m.Number) or not self.has_mark(form.arg) else writer.parenthesised(base)
            return Piece(writer.power(base.text, self.constant(form.exponent).text), SINGLE, base.tall)
        if form.exponent == 2:
            return self.side([base, base], ELEMENTWISE, f" {writer.sign(self.symbols.notation.hadamard)} ")
        sign = writer.sign(self.symbols.notation.hadamard)
        return Piece(writer.power(writer.parenthesised(base).text, f"{sign} {self.constant(form.exponent).text}"), SINGLE, True)

    def transposed(self, form: m.Form) -> Piece:
        writer = self.symbols.writer
        base = self.write(form)
        # A call such as f'(z) and what is in parentheses already can carry the sign; a fraction cannot.
        open_ = base.tall and not base.text.endswith((")", "]"))
        if base.level < SINGLE or base.negative or open_ or self.has_mark(form):
            base = writer.parenthesised(base)
        return Piece(writer.transposed(base.text, self.symbols.notation.transposed), SINGLE, base.tall)

    def has_mark(self, form: m.Form) -> bool:
        """Whether something stands above a symbol already."""
        if not isinstance(form, m.Entry):
            return False
        name = self.symbols.conventional(self.symbols.naming.of(form.tensor.name))
        if name.role == "tangent" and name.of is not None:
            name = self.symbols.conventional(name.of)
        sampled = any(part is not None for part in form.at)
        if (name.time and self.symbols.notation.time_mark != "subscript") or ((name.time or name.block) and name.layer is not None):
            return True
        if name.role == "gradient" or name.layer is None or self.symbols.bare_output(name):
            return sampled and self.symbols.notation.sample_mark != "subscript"
        return name.layer.named or sampled or self.symbols.notation.layer_mark != "subscript"

    # --- functions of each entry ---

    def apply(self, form: m.Apply) -> Piece:
        """Write a function of whole vectors: the scalar function, with the written arguments in its slots."""
        pieces = [self.write(a) for a in form.args]
        function = form.function
        writer = self.symbols.writer
        if isinstance(function, sympy.exp) and function.args == form.slots:
            return writer.call(writer.function("exp"), pieces[0])
        stands = {slot: Access(Tensor(f"{WRITTEN}{k}")) for k, slot in enumerate(form.slots)}
        return IndexPrinter(self.symbols, {}, given=tuple(pieces)).write(function.xreplace(stands))


def _reckoned(index: Index, form: m.Form) -> bool:
    """Whether an index stands in anything but plain places: then it counts from 0, as in the index form."""
    for part in m.walk(form):
        if isinstance(part, m.Number) and index in part.value.free_symbols:
            return True
        if isinstance(part, m.Entry) and any(p != index and index in p.free_symbols for p in part.places):
            return True
    return False


def _positive_part(form: m.Form) -> m.Form | None:
    """Return u of the indicator [u > 0]."""
    if isinstance(form, m.Apply) and isinstance(form.function, nodes.Indicator) and len(form.args) == 2:
        u, zero = form.args
        strict = isinstance(form.function.condition, sympy.StrictGreaterThan) and form.function.condition.lhs == form.slots[0]
        if strict and isinstance(zero, m.Number | m.Fill) and zero.value == 0:
            return u
    return None


__all__ = ["MatrixPrinter", "laid_out", "matrix_equation"]
