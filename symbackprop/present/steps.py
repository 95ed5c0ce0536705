"""Derivations on paper, at three depths: the result, the lines of a lecture, every recorded rewrite.

In matrix form a chain rule is right as it stands, in every layout. In gradient layout ∂u/∂v has one row for each entry of u, error
terms are columns, and the factors are transposed and reversed: (∂a/∂z)ᵀ ∂L/∂a. In numerator layout error terms are rows and the
chain reads from left to right: ∂L/∂a ∂a/∂z. In denominator layout ∂u/∂v has one row for each entry of v: ∂a/∂z ∂L/∂a.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from sympy import Expr, S

from symbackprop.algebra import matrix as m
from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.matrix import MatrixEquation
from symbackprop.algebra.tensor import Access
from symbackprop.derive.records import Factor, Passage, Step, Way
from symbackprop.errors import DeclarationError
from symbackprop.present import notation as notations
from symbackprop.present.document.records import Line
from symbackprop.present.index import IndexPrinter, reserved
from symbackprop.present.latex import latex_equation, plain_equation
from symbackprop.present.letters import tex_text
from symbackprop.present.matrix import MatrixPrinter, laid_out
from symbackprop.present.naming import Naming
from symbackprop.present.notation import Notation
from symbackprop.present.symbols import Symbols, readable
from symbackprop.present.writer import SUM, Latex, Piece, Unicode, Writer

DEPTHS = ("result", "lecture", "rewrite")

#: What a recorded rewrite is called in print.
_RULES: Mapping[str, str] = MappingProxyType(
    {
        "contract deltas": "collapse the sum: only terms with equal indices remain",
        "contract labels": "collapse the sum over the label",
        "pull constants out of the sum": "constants stand before the sum",
        "use stored values": "use values of the forward pass",
        "use the declared fact": "use what is known of the target",
        "split sums that vanish or are known": "split the sum",
        "insert what arrives from the layers above": "insert what arrives from above",
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
        form: "matrix" or "index". A derivation with a step that has no matrix form is shown in index form and closes with the
            matrix form of its result.
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
    rows = made.rows(depth)
    indent = max((len(row.left) for row in rows), default=0)
    written = [f"{row.left:<{indent}} = {row.right}" for row in rows]
    width = min(72, max((len(line) for line in written), default=0))
    return tuple(f"{line:<{width}}   {row.rule}".rstrip() for line, row in zip(written, rows, strict=True))


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
        if self.form not in ("matrix", "index"):
            raise DeclarationError(f"form must be 'matrix' or 'index', got {str(self.form)[:60]!r}")
        notations.layout(self.layout)
        if depth == "result":
            return (self.result(""),)
        return _told(self.lecture() if depth == "lecture" else self.rewrites())

    def result(self, rule: str) -> Row:
        matrix = self.form == "matrix" and self.way.matrix is not None
        return Row(*self.sides(self.way.matrix if matrix and self.way.matrix else self.way.result), rule)

    # --- lecture ---

    def lecture(self) -> list[Row]:
        passages = self.way.lecture
        whole = self.form == "matrix" and all(p.matrix is not None for p in passages)
        rows = [Row(self.left(whole), self.right(p, whole), p.rule) for p in passages]
        if self.form == "matrix" and not whole and self.way.matrix is not None:
            rows.append(self.result("in matrix form"))
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
        return partial.chained(passage) if passage.chain else partial.sides(passage.index)[1]

    def chained(self, passage: Passage) -> str:
        """Write a chain rule in index form, its factors in the order of the chain."""
        printer = _index_printer(Symbols(self.notation, self.naming, self.writer), passage.index, passage.chain)
        return printer.write(passage.index.rhs).text

    def braced(self, factors: Sequence[Factor], whole: bool) -> str | None:
        """Write a product with a word under each of its factors."""
        symbols = Symbols(self.notation, self.naming, self.writer)
        pieces: list[Piece] = []
        for factor in factors:
            if whole and (factor.matrix is None or self.way.matrix is None):
                return None
            if whole and self.way.matrix is not None and factor.matrix is not None:
                turned = laid_out(MatrixEquation(self.way.matrix.lhs, factor.matrix), self.layout)
                pieces.append(MatrixPrinter(symbols, self.shapes).error(turned.rhs))
            else:
                pieces.append(_index_printer(symbols, self.way.result, ()).error(factor.index))
        sign = self.writer.sign(self.notation.hadamard if whole else r"\cdot")
        return f" {sign} ".join(_under(piece, factor.label) for piece, factor in zip(pieces, factors, strict=True))

    # --- rewrites ---

    def rewrites(self) -> list[Row]:
        rows: list[Row] = []
        previous: tuple[str, str] | None = None
        for step in self.way.steps:
            before, after = self.sides(step.before), self.sides(step.after)
            if before != previous and before[0] == after[0]:
                rows.append(Row(*before, _opening(step)))
            rows.append(Row(*after, _RULES.get(step.rule, step.rule)))
            previous = after
        if not rows or (self.form == "matrix" and self.way.matrix is not None):
            rows.append(self.result("in matrix form" if rows else ""))
        return rows

    def sides(self, equation: Equation | MatrixEquation) -> tuple[str, str]:
        more = {"shapes": True} if self.shapes and isinstance(equation, MatrixEquation) else {}
        left, _, right = self.write(equation, self.naming, notation=self.notation, layout=self.layout, **more).partition(" = ")
        return left, right


def _opening(step: Step) -> str:
    return "" if step.rewrites else "the forward equation"


def _told(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Leave out lines that say what the line before said, and left sides that stay the same."""
    out: list[Row] = []
    last: tuple[str, str] | None = None
    for row in rows:
        if last is not None and (row.left, row.right) == last or row.left == row.right:
            continue
        out.append(replace(row, left="") if last is not None and row.left == last[0] else row)
        last = (row.left, row.right)
    return tuple(out)


def _under(piece: Piece, word: str) -> str:
    text = rf"\left( {piece.text} \right)" if piece.level == SUM and piece.tall else f"({piece.text})" if piece.level == SUM else piece.text
    return rf"\underbrace{{{text}}}_{{\text{{{tex_text(word)}}}}}"


def _index_printer(symbols: Symbols, equation: Equation, chain: Sequence[str]) -> ChainPrinter:
    names: dict[Index, str] = {}
    for index in equation.lhs.index:
        names[index] = readable(index, (), reserved(symbols) | set(names.values()), symbols.writer.word)
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
        number, rest = e.as_coeff_Mul()
        factors = rest.as_ordered_factors() if rest is not S.One else []
        if not factors or not all(self.place(f) is not None for f in factors):
            return super().product(e)
        return self.multiply(number, sorted(factors, key=lambda f: self.place(f) or 0))

    def place(self, e: Expr) -> int | None:
        known = [self.order[a.tensor.name] for a in e.atoms(Access) if a.tensor.name in self.order]
        return min(known, default=None)


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


__all__ = ["DEPTHS", "ChainPrinter", "Row", "step_lines", "step_text"]
