"""Derivations on paper, at three depths: the result, the lines of a lecture, every recorded rewrite.

In matrix form a chain rule is right as it stands, in every layout. In gradient layout ∂u/∂v has one row for each entry of u, error
terms are columns, and the factors are transposed and reversed: (∂a/∂z)ᵀ ∂L/∂a. In numerator layout error terms are rows and the
chain reads from left to right: ∂L/∂a ∂a/∂z. In denominator layout ∂u/∂v has one row for each entry of v: ∂a/∂z ∂L/∂a.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from types import MappingProxyType

from sympy import Add, Expr, Mul, S, Symbol

from symbackprop.algebra import matrix as m
from symbackprop.algebra.bound import bound_indices
from symbackprop.algebra.equation import Equation, _raw
from symbackprop.algebra.index import Index
from symbackprop.algebra.matrix import MatrixEquation
from symbackprop.algebra.nodes import Floor, Guard, Indicator, InRange, Sum
from symbackprop.algebra.operators import OperatorEquation
from symbackprop.algebra.order import signed_factors
from symbackprop.algebra.padding import without_padding
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.algebra.written import Leaf, Over, Plus, Raised, Slope, Times, Written
from symbackprop.derive.records import Elementary, Factor, Passage, Step, Way
from symbackprop.errors import DeclarationError, DerivationError
from symbackprop.present import notation as notations
from symbackprop.present.convention import arranged
from symbackprop.present.document.records import Line
from symbackprop.present.document.words import tex_words
from symbackprop.present.index import IndexPrinter, minus, reserved, routed
from symbackprop.present.latex import Form, latex_equation, plain_equation
from symbackprop.present.matrix import MatrixPrinter, laid_out
from symbackprop.present.naming import Naming
from symbackprop.present.notation import Notation
from symbackprop.present.symbols import Symbols, readable
from symbackprop.present.writer import PRODUCT, SINGLE, SUM, Latex, Piece, Unicode, Writer

DEPTHS = ("result", "lecture", "rewrite")
#: A line of a lecture has no more indices of sums.
MOST = 6

#: What a recorded rewrite is called in print.
_RULES: Mapping[str, str] = MappingProxyType(
    {
        "contract deltas": "the sum collapses: equal indices remain",
        "contract labels": "the sum over the label collapses",
        "pull constants out of the sum": "constants stand before the sum",
        "use stored values": "use values of the forward pass",
        "use the declared fact": "use what is known of the target",
        "split sums that vanish or are known": "split the sum",
        "insert what arrives from the layers above": "insert what arrives from above",
    }
)
#: What is differentiated, by the role of its tensor.
_ROLES: Mapping[str, str] = MappingProxyType(
    {
        "pre": "the pre-activation",
        "activation": "the activation",
        "loss": "the loss",
        "one_loss": "the loss",
        "sample_loss": "the loss",
        "probability": "the probability",
    }
)


@dataclass(frozen=True)
class Row:
    """A line before it is set: ``left = right``, with ``left`` empty where it stays the same."""

    left: str
    right: str
    rule: str


def step_lines(
    way: Way,
    naming: Naming | None = None,
    *,
    notation: str | Notation = "ufldl",
    form: str = "matrix",
    layout: str = "gradient",
    depth: str = "lecture",
    shapes: bool = False,
    braces: bool = True,
) -> tuple[Line, ...]:
    r"""Return a derivation as lines of LaTeX, each with its rule; ``Line.step`` counts from 1.

    The first line is ``left = right``; a line that begins with ``= `` goes on from the one before it.

    Args:
        way: how a result is derived, from `Derived.way`.
        naming: what its tensors are called.
        notation: a preset's name or a record.
        form: "matrix", "index" or "operator". A derivation with a step that has no matrix form is shown in index form and closes with the
            matrix form of its result, or with its operator form where it has no matrix form.
        layout: "gradient", "numerator" or "denominator", for matrix forms.
        depth: "result", "lecture" or "rewrite".
        shapes: write the shape under each factor of a matrix form.
        braces: mark the loss gradient and the local gradient of an error term.

    Raises:
        DeclarationError: there is no such notation, layout, form or depth.
    """
    made = _Steps(way, naming or Naming(), notations.notation(notation), form, layout, shapes, braces, Latex(), latex_equation)
    return tuple(
        Line(f"{row.left} = {row.right}" if row.left else f"= {row.right}", row.rule, number)
        for number, row in enumerate(made.rows(depth), 1)
    )


def step_text(
    way: Way,
    naming: Naming | None = None,
    *,
    notation: str | Notation = "ufldl",
    form: str = "matrix",
    layout: str = "gradient",
    depth: str = "lecture",
) -> tuple[str, ...]:
    """Return a derivation as lines of Unicode, the rules beside them; the arguments are those of `step_lines`."""
    made = _Steps(way, naming or Naming(), notations.notation(notation), form, layout, False, False, Unicode(), plain_equation)
    return _columns_of_text(made.rows(depth))


def entry_lines(
    way: Way,
    at: Sequence[int],
    naming: Naming | None = None,
    *,
    notation: str | Notation = "ufldl",
    boxed: bool = True,
    closing: Way | None = None,
) -> tuple[Line, ...]:
    r"""Return the derivation of a single entry, with its indices as they are printed: ∂E/∂w_13 = ∂E/∂z_1 ∂z_1/∂w_13 = δ_1 a_3.

    Args:
        way: how the whole tensor is derived, from `way_to` with ``entry=True``.
        at: the entry's indices as they are printed in this notation.
        naming: what the tensors are called.
        notation: a preset's name or a record.
        boxed: add a line for each local derivative of the chain, boxed: \boxed{∂z_1/∂w_13} = a_3.
        closing: for a bias in column 0 of its weights, how the bias is derived; its result closes the lines.

    Raises:
        DerivationError: the indices are reckoned with (as in a convolution), so that they are no plain numbers.
    """
    made = _Entry(way, naming or Naming(), notations.notation(notation), tuple(at), Latex())
    return tuple(
        Line(f"{row.left} = {row.right}" if row.left else f"= {row.right}", row.rule, number)
        for number, row in enumerate(made.rows(boxed, closing), 1)
    )


def entry_text(
    way: Way, at: Sequence[int], naming: Naming | None = None, *, notation: str | Notation = "ufldl", closing: Way | None = None
) -> tuple[str, ...]:
    """Return the derivation of a single entry as lines of Unicode; the arguments are those of `entry_lines`."""
    made = _Entry(way, naming or Naming(), notations.notation(notation), tuple(at), Unicode())
    return _columns_of_text(made.rows(False, closing))


def printed_shape(way: Way, naming: Naming | None = None, *, notation: str | Notation = "ufldl") -> tuple[tuple[Expr, ...], bool]:
    """Return the shape of a result as a notation stores it, and whether its axes are those of the engine in reverse."""
    result = arranged(way.result, naming or Naming(), notations.notation(notation))
    assert isinstance(result, Equation)
    plain = tuple(axis.extent for axis in way.result.tensor.axes)
    shape = tuple(axis.extent for axis in result.tensor.axes)
    names = tuple(axis.name for axis in result.tensor.axes)
    return shape, len(plain) == 2 and names == tuple(axis.name for axis in way.result.tensor.axes)[::-1]


def _columns_of_text(rows: Sequence[Row]) -> tuple[str, ...]:
    indent = max((len(row.left) for row in rows), default=0)
    written = [f"{row.left:<{indent}} = {row.right}" for row in rows]
    width = min(72, max((len(line) for line in written), default=0))
    return tuple(f"{line:<{width}}   {row.rule}".rstrip() for line, row in zip(written, rows, strict=True))


#: Sums over at most so many terms are written out where a single entry is derived.
WRITTEN_OUT = 4


def elementary_lines(made: Elementary, *, depth: str = "lecture", letter: str | None = None) -> tuple[Line, ...]:
    r"""Return the derivation of f′ as lines of LaTeX: \frac{d\sigma}{dx} = … = (1 - \sigma) \sigma.

    Args:
        made: the derivation, from `derive.elementary`.
        depth: "result" (f and its derivative), "lecture", or "rewrite" (every single derivative).
        letter: how f is called; None takes the record's.

    Raises:
        DeclarationError: there is no such depth.
    """
    return tuple(
        Line(f"{row.left} = {row.right}" if row.left else f"= {row.right}", row.rule, number)
        for number, row in enumerate(_Written(made, Latex(), letter or made.letter).rows(depth), 1)
    )


def elementary_text(made: Elementary, *, depth: str = "lecture", letter: str | None = None) -> tuple[str, ...]:
    """Return the derivation of f′ as lines of Unicode; the arguments are those of `elementary_lines`."""
    return _columns_of_text(_Written(made, Unicode(), letter or made.letter).rows(depth))


@dataclass(frozen=True)
class _Written:
    made: Elementary
    writer: Writer
    letter: str

    def rows(self, depth: str) -> tuple[Row, ...]:
        if depth not in DEPTHS:
            raise DeclarationError(f"unknown depth {str(depth)[:60]!r} (known: {', '.join(DEPTHS)})")
        f, x = self.writer.letter(self.letter), self.made.variable.name
        function = self.writer.call(f, Piece(x)).text
        slope = self.writer.fraction(Piece(f"d{'' if len(f) == 1 else ' '}{f}" if f.startswith("\\") else f"d{f}"), Piece(f"d{x}")).text
        rows = [Row(function, self.write(Leaf(self.made.expression)).text, "")]
        kept = [line for line in self.made.lines if depth == "rewrite" or not line.detail]
        rows += [Row(slope if line.slope else function, self.write(line.term).text, line.rule) for line in kept]
        if depth == "result":
            return (rows[0], Row(slope, rows[-1].right, ""))
        return _told(rows)

    def write(self, term: Written) -> Piece:
        writer = self.writer
        if isinstance(term, Leaf):
            return self.printer.write(term.expr)
        if isinstance(term, Over):
            return writer.fraction(self.write(term.top), self.write(term.bottom))
        if isinstance(term, Raised):
            base = self.write(term.base)
            base = base if base.level == SINGLE and not base.tall and not base.negative else writer.parenthesised(base)
            return Piece(writer.power(base.text, self.printer.write(term.exponent).text), SINGLE, base.tall)
        if isinstance(term, Slope):
            inner = self.write(term.arg)
            body = inner if inner.level == SINGLE and not inner.negative else writer.parenthesised(inner)
            d = writer.fraction(Piece("d"), Piece(f"d{self.made.variable.name}"))
            return Piece(f"{d.text} {body.text}", PRODUCT, True)
        if isinstance(term, Plus):
            return self.printer.terms([self.write(a) for a in term.args])
        assert isinstance(term, Times)
        number = Mul(*(a.expr for a in term.args if isinstance(a, Leaf) and a.expr.is_Number))
        others = [a for a in term.args if not (isinstance(a, Leaf) and a.expr.is_Number)]
        pieces = [self.printer.write(abs(number))] if abs(number) != 1 or not others else []
        pieces += [self.factor(a, last=a is others[-1]) for a in others]
        sign = f" {self.writer.sign(chr(92) + 'cdot')} " if any(isinstance(a, Over) for a in others) else " "
        joined = pieces[0] if len(pieces) == 1 else Piece(sign.join(p.text for p in pieces), PRODUCT, any(p.tall for p in pieces))
        return minus(joined) if number.is_negative else joined

    def factor(self, term: Written, *, last: bool) -> Piece:
        """Write a factor; a derivative that is not the last one stands in parentheses, so that it ends where it should."""
        piece = self.write(term)
        loose = piece.level < PRODUCT or piece.negative or (isinstance(term, Slope) and not last)
        return self.writer.parenthesised(piece) if loose else piece

    @property
    def printer(self) -> IndexPrinter:
        symbols = Symbols(notations.notation("ufldl"), Naming(), self.writer)
        return _Scalars(symbols, {}, itself=self.made.function, letter=self.writer.letter(self.letter))


@dataclass(frozen=True)
class _Scalars(IndexPrinter):
    """Writes functions of one variable; the function itself goes by its letter."""

    itself: Symbol | None = None
    letter: str = "f"

    def write(self, e: Expr) -> Piece:
        """Write an expression."""
        return Piece(self.letter) if e == self.itself else super().write(e)


@dataclass(frozen=True)
class _Entry:
    way: Way
    naming: Naming
    notation: Notation
    at: tuple[int, ...]
    writer: Writer

    def rows(self, boxed: bool, closing: Way | None) -> tuple[Row, ...]:
        partial = replace(self, notation=replace(self.notation, gradient="partial"))
        passages = self.way.lecture
        # Of a single entry nobody writes ∂L/∂z_1 a_3 before δ_1 a_3.
        kept = [p for p, after in zip(passages, (*passages[1:], None), strict=True) if after is None or after.rule != "use the error term"]
        if len(kept) > 1 and kept[-1].rule == "use the error term":
            kept[-1] = replace(kept[-1], rule="insert the local derivatives")
        rows = [Row(*partial.sides(p.index, p.order), p.rule) for p in kept]
        if closing is not None:
            last = replace(partial, at=tuple(k for k in self.at if k)).sides(closing.result, ())
            rows.append(Row(rows[-1].left, last[1], "the input of a bias is 1"))
        rows = list(_told(rows))
        if boxed:
            rows += partial.boxes()
        return tuple(rows)

    def sides(self, equation: Equation, order: Sequence[str]) -> tuple[str, str]:
        shown = arranged(equation, self.naming, self.notation)
        assert isinstance(shown, Equation)
        if any(_reckons(shown.rhs, i) for i in shown.lhs.index):
            raise DerivationError(f"{self.way.name}: its indices are reckoned with, so one entry has no short form; see its index form")
        names = {index: str(k) for index, k in zip(shown.lhs.index, self.at, strict=True)}
        rhs = _written_out(shown.rhs, names)
        symbols = Symbols(self.notation, self.naming, self.writer)
        place = {name: k for k, name in enumerate(order)}
        printer = ChainPrinter(symbols, names, tuple(shown.lhs.index), order=place)
        left = printer.write(shown.lhs).text
        return left, (printer.error(rhs) if shown.tensor.role == "cotangent" else printer.write(rhs)).text

    def boxes(self) -> list[Row]:
        """Return a line for each derivative of the chain that is no activation's slope: what it is."""
        chain = next((p for p in self.way.lecture if p.rule.startswith("chain rule")), None)
        if chain is None:
            return []
        _, turned = printed_shape(self.way, self.naming, notation=self.notation)
        names = {index: str(k) for index, k in zip(self.way.result.lhs.index, self.at[::-1] if turned else self.at, strict=True)}
        rows = []
        found = sorted(_written_out(chain.index.rhs, names).atoms(Access), key=lambda a: (chain.order.index(a.tensor.name), str(a)))
        for access in found:
            if access.tensor.name not in self.way.local:
                continue
            equation, forward = self.way.local[access.tensor.name]
            rank = forward[-1].tensor.rank
            if len(forward) == 1 and access.index[:rank] != access.index[rank:]:
                rows.append(self.box(equation, dict(zip(equation.lhs.index, access.index, strict=True)), names))
        return rows

    def box(self, equation: Equation, swap: Mapping[Expr, Expr], names: dict[Index, str]) -> Row:
        symbols = Symbols(self.notation, self.naming, self.writer)
        met = {g: S.One for g in equation.rhs.atoms(Indicator) if len({swap.get(i, i) for i in g.condition.args}) == 1}
        rhs = equation.rhs.xreplace(met).xreplace(swap)
        sides = []
        for side in (equation.lhs.xreplace(swap), rhs):
            free = tuple(sorted((i for i in side.free_symbols if isinstance(i, Index)), key=lambda i: i.name))
            shown = arranged(_raw(Access(Tensor("entry", free), *free), side), self.naming, self.notation)
            assert isinstance(shown, Equation)
            sides.append(ChainPrinter(symbols, names).write(shown.rhs).text)
        return Row(rf"\boxed{{{sides[0]}}}", sides[1], "local derivative")


def _reckons(e: Expr, index: Expr) -> bool:
    return any(part != index and index in part.free_symbols for a in e.atoms(Access) for part in a.index) or any(
        index in g.free_symbols for g in e.atoms(InRange)
    )


def _written_out(e: Expr, names: dict[Index, str]) -> Expr:
    """Write short sums term by term; ``names`` grows by the names of their indices."""
    if not e.args or isinstance(e, Access) or not e.has(Sum):
        return e
    if isinstance(e, Sum) and all(b.extent.is_Integer and b.extent <= WRITTEN_OUT for b in e.bound) and len(e.bound) == 1:
        (bound,) = e.bound
        terms = []
        factors = Mul.make_args(e.body)
        within = Mul(*(f for f in factors if bound in f.free_symbols))
        for k in range(1, int(bound.extent) + 1):
            number = Index(f"{k}~{bound.name}", bound.extent)
            names[number] = str(k)
            terms.append(_written_out(within.xreplace({bound: number}), names))
        return Mul(Add(*terms), *(f for f in factors if bound not in f.free_symbols))
    return e.func(*(_written_out(a, names) if isinstance(a, Expr) and not isinstance(a, Index) else a for a in e.args))


@dataclass(frozen=True)
class _Steps:
    way: Way
    naming: Naming
    notation: Notation
    form: str
    layout: str
    shapes: bool
    braces: bool
    writer: Writer
    write: Callable[..., str]

    def rows(self, depth: str) -> tuple[Row, ...]:
        if depth not in DEPTHS:
            raise DeclarationError(f"unknown depth {str(depth)[:60]!r} (known: {', '.join(DEPTHS)})")
        if self.form not in ("matrix", "index", "operator"):
            raise DeclarationError(f"form must be 'matrix', 'index' or 'operator', got {str(self.form)[:60]!r}")
        notations.layout(self.layout)
        if depth == "result":
            return (self.result(""),)
        return _told(self.lecture() if depth == "lecture" else self.rewrites())

    def result(self, rule: str) -> Row:
        matrix = self.way.matrix if self.form == "matrix" else None
        operator = self.way.operator if self.form != "index" else None
        return Row(*self.sides(matrix or operator or self.way.result, digits=not rule), rule)

    # --- lecture ---

    def lecture(self) -> list[Row]:
        passages = self.way.lecture
        whole = self.form == "matrix" and all(p.matrix is not None for p in passages)
        partial = replace(self, notation=replace(self.notation, gradient="partial"))
        if len(passages) > 1 and not passages[0].order and partial.left(whole) == partial.right(passages[0], whole):
            # The notation has no letter for error terms: there is nothing to define.
            passages = passages[1:]
        if not whole:
            # Nobody writes a sum over so many indices, or the digits of a place on the way; the result says it.
            plain = [p for p in passages[:-1] if len(bound_indices(p.index.rhs)) <= MOST and not p.index.rhs.atoms(Floor)]
            passages = (*plain, passages[-1])
        rows = [Row(self.left(whole), self.right(p, whole), p.rule) for p in passages]
        if self.form == "matrix" and not whole and self.way.matrix is not None:
            rows.append(self.result("in matrix form"))
        elif self.form != "index" and self.way.operator is not None:
            rows.append(self.result(_operators(self.way.operator)))
        return rows

    def left(self, whole: bool) -> str:
        return self.sides(self.way.matrix if whole and self.way.matrix is not None else self.way.result)[0]

    def right(self, passage: Passage, whole: bool) -> str:
        if self.braces and len(passage.factors) > 1:
            braced = self.braced(passage.factors, whole)
            if braced is not None:
                return braced
        partial = replace(self, notation=replace(self.notation, gradient="partial"))
        if whole and passage.matrix is not None:
            return partial.sides(_columns(passage.matrix) if self.layout == "denominator" else passage.matrix)[1]
        return partial.chained(passage) if passage.order else partial.sides(passage.index)[1]

    def chained(self, passage: Passage) -> str:
        """Write a chain rule in index form, its factors in the order of the chain."""
        symbols = Symbols(self.notation, self.naming, self.writer)
        shown = arranged(passage.index, self.naming, self.notation)
        assert isinstance(shown, Equation)
        return _index_printer(symbols, shown, passage.order).error(without_padding(shown.rhs).expr).text

    def braced(self, factors: Sequence[Factor], whole: bool) -> str | None:
        """Write a product with a word under each of its factors."""
        # In a layout derivatives are ∂L/∂x: ∇ is the gradient, whatever the layout.
        notation = self.notation if self.layout == "gradient" else replace(self.notation, gradient="partial")
        symbols = Symbols(notation, self.naming, self.writer)
        pieces: list[Piece] = []
        for factor in factors:
            if whole and (factor.matrix is None or self.way.matrix is None):
                return None
            if whole and self.way.matrix is not None and factor.matrix is not None:
                part = arranged(MatrixEquation(self.way.matrix.lhs, factor.matrix), self.naming, self.notation)
                assert isinstance(part, MatrixEquation)
                pieces.append(MatrixPrinter(symbols, self.shapes).error(laid_out(part, self.layout).rhs))
            else:
                line = arranged(_raw(self.way.result.lhs, factor.index), self.naming, self.notation)
                assert isinstance(line, Equation)
                pieces.append(_index_printer(symbols, line, ()).error(without_padding(line.rhs).expr))
        sign = self.writer.sign(self.notation.hadamard if whole else r"\cdot")
        first, *others = pieces
        pieces = [first, *(self.writer.parenthesised(piece) if piece.negative else piece for piece in others)]
        return f" {sign} ".join(_under(piece, factor.label) for piece, factor in zip(pieces, factors, strict=True))

    # --- rewrites ---

    def rewrites(self) -> list[Row]:
        rows: list[Row] = []
        previous: tuple[str, str] | None = None
        seen: set[tuple[str, str]] = set()
        for step, part, rule in _parts(self.way.steps):
            if step.after.rhs.is_Number and not step.rewrites:
                # That a loss changes with itself by 1 is no step.
                continue
            if any(mark in t.name for t in (step.after.tensor, *step.before.reads, *step.after.reads) for mark in "~^"):
                # A step inside a template that has no name outside.
                continue
            before, after = ((self.marked(left, part), right) for left, right in map(self.sides, (step.before, step.after)))
            if after == previous:
                continue
            if step.after.tensor.name != self.way.name:
                # Another derivative that two paths need is derived once.
                if after in seen:
                    continue
                seen.add(after)
            if step.rewrites and before != previous and before[0] == after[0]:
                rows.append(Row(*before, "what has arrived"))
            rows.append(Row(*after, self.rule(step, rule)))
            previous = after
        if not rows or (self.form == "matrix" and self.way.matrix is not None):
            rows.append(self.result("in matrix form" if rows else ""))
        elif self.form != "index" and self.way.operator is not None:
            rows.append(self.result(_operators(self.way.operator)))
        return rows

    def marked(self, left: str, part: str) -> str:
        """Write what one path contributes to a derivative as that derivative with the path's number."""
        return self.writer.marked(self.writer.parenthesised(Piece(left, tall=True)).text, part, "") if part else left

    def rule(self, step: Step, rule: str) -> str:
        if rule.startswith("differentiate "):
            role = self.naming.of(step.before.tensor.name).role
            return f"differentiate {_ROLES.get(role, 'the forward equation')}"
        return "write the slope through the activation" if rule.startswith("write the slope") else _RULES.get(rule, rule)

    def sides(self, equation: Form, *, digits: bool = False) -> tuple[str, str]:
        more = {"shapes": True} if self.shapes and isinstance(equation, MatrixEquation) else {}
        # Entry by entry a derivative is ∂L/∂x, also of a scalar.
        notation = self.notation if isinstance(equation, MatrixEquation) else replace(self.notation, gradient="partial")
        left, _, right = self.write(equation, self.naming, notation=notation, layout=self.layout, digits=digits, **more).partition(" = ")
        return left, right


def _operators(equation: OperatorEquation) -> str:
    """Say what operators an equation is written with."""
    kinds = dict.fromkeys("as a convolution" if w.kind == "convolution" else "as a correlation" for w in equation.windows)
    return " and ".join(kinds)


def _parts(steps: Sequence[Step]) -> Iterator[tuple[Step, str, str]]:
    """Yield each step with the numbers of the part of a sum that it gives, if it gives one, and the name of its rule."""
    split = []
    for step in steps:
        rule, numbers = step.rule, []
        while rule.startswith("part "):
            head, _, rule = rule.partition(": ")
            numbers.append(head.split()[1])
        split.append((step, ".".join(numbers), rule))
    for _, group in groupby(split, key=lambda item: item[1]):
        run = list(group)
        # What leads to a part may be other derivatives, whole ones; the part itself comes last.
        name = run[-1][0].after.tensor.name
        yield from ((step, part if step.after.tensor.name == name else "", rule) for step, part, rule in run)


def _told(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Leave out lines that say what the line before said, and left sides that stay the same."""
    out: list[Row] = []
    last: tuple[str, str] | None = None
    for row in rows:
        if row.left == row.right or (row.left, row.right) == last:
            continue
        out.append(replace(row, left="") if last is not None and row.left == last[0] else row)
        last = (row.left, row.right)
    return tuple(out)


def _under(piece: Piece, word: str) -> str:
    text = rf"\left( {piece.text} \right)" if piece.level == SUM and piece.tall else f"({piece.text})" if piece.level == SUM else piece.text
    return rf"\underbrace{{{text}}}_{{\text{{{tex_words(word)}}}}}"


def _index_printer(symbols: Symbols, equation: Equation, chain: Sequence[str]) -> ChainPrinter:
    names: dict[Index, str] = {}
    for index in equation.lhs.index:
        names[index] = readable(index, (), reserved(symbols) | set(names.values()), symbols.writer.word, symbols.letters)
    return ChainPrinter(symbols, names, tuple(equation.lhs.index), order={name: k for k, name in enumerate(chain)})


@dataclass(frozen=True)
class ChainPrinter(IndexPrinter):
    """Writes the factors of a chain rule in the order of the chain.

    Attributes:
        order: place of each derivative in the chain.
    """

    order: Mapping[str, int] = field(default_factory=dict)

    def product(self, e: Expr) -> Piece:
        """Write a product; where derivatives of the chain are among its factors, they keep their order."""
        number, factors = signed_factors(e, self.free)
        factors = routed(factors)
        if not self.order or not all(self.place(f) is not None for f in factors if not isinstance(f, Guard)):
            return super().product(e)
        # A guard stands behind what arrives, as the first of the local factors.
        return self.multiply(number, sorted(factors, key=lambda f: 0.5 if isinstance(f, Guard) else self.place(f) or 0))

    def place(self, e: Expr) -> float | None:
        known = [self.order[a.tensor.name] for a in e.atoms(Access) if a.tensor.name in self.order]
        return 0.0 if not e.atoms(Access) else min(known, default=None)


def _columns(equation: MatrixEquation) -> MatrixEquation:
    """Read every ∂u/∂v from its transposed array, as in denominator layout."""
    return MatrixEquation(equation.lhs, _denominator(equation.rhs))


def _denominator(form: m.Form) -> m.Form:
    if isinstance(form, m.Transpose) and _jacobian(form.arg):
        return _read_turned(form.arg)
    if _jacobian(form):
        return m.transpose(_read_turned(form))
    if isinstance(form, m.Times):
        return m.times(*map(_denominator, form.args))
    if isinstance(form, m.Plus):
        return m.plus(*map(_denominator, form.args))
    if isinstance(form, m.Scale):
        made = _denominator(form.arg)
        for factor in reversed(form.factors):
            made = m.scale(_denominator(factor), made)
        return made
    return form


def _jacobian(form: m.Form) -> bool:
    return isinstance(form, m.Entry) and form.tensor.name.startswith("d ") and form.rank == 2


def _read_turned(form: m.Form) -> m.Form:
    assert isinstance(form, m.Entry)
    return replace(form, turned=True)


__all__ = [
    "DEPTHS",
    "ChainPrinter",
    "Row",
    "elementary_lines",
    "elementary_text",
    "entry_lines",
    "entry_text",
    "printed_shape",
    "step_lines",
    "step_text",
]
