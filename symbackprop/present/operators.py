"""Operator forms on paper: z_k = Σ_c W_kc ⋆ x_c + b_k, with the places of the images left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import sympy
from sympy import Expr

from symbackprop.algebra.index import Index
from symbackprop.algebra.operators import WINDOW, Image, OperatorEquation, Sliding, Window
from symbackprop.algebra.tensor import Access
from symbackprop.present.document.records import Math, Text
from symbackprop.present.index import IndexPrinter, minus, reserved
from symbackprop.present.symbols import Symbols, readable
from symbackprop.present.writer import ELEMENTWISE, PRODUCT, SINGLE, SUM, Piece


def operator_equation(equation: OperatorEquation, symbols: Symbols) -> str:
    """Return an equation in operator form."""
    names: dict[Index, str] = {}
    family = tuple(i for i in equation.lhs.index if i not in equation.places)
    for index in family:
        names[index] = readable(index, (), reserved(symbols) | set(names.values()), symbols.writer.word, symbols.letters)
    printer = OperatorPrinter(symbols, names, family, places=equation.places, equation=equation)
    rhs = printer.error(equation.rhs) if equation.tensor.role == "cotangent" else printer.write(equation.rhs)
    return f"{printer.write(equation.lhs).text} = {rhs.text}"


@dataclass(frozen=True)
class OperatorPrinter(IndexPrinter):
    """Writes expressions over whole images.

    Attributes:
        places: indices that are left out.
        equation: knows what stands for windows.
    """

    places: tuple[Index, ...] = ()
    equation: OperatorEquation | None = None

    def write(self, e: Expr) -> Piece:
        """Write an expression."""
        if isinstance(e, Access) and self.equation is not None and e.tensor.name.startswith(WINDOW):
            return self.window(self.equation.window(e.tensor))
        if isinstance(e, Access) and self.spatial(e):
            held = [self.symbols.affine(part, self.names) for part in e.index if part not in self.places]
            return self.symbols.name(self.symbols.naming.of(e.tensor.name), held, whole=not held, image=True)
        return super().write(e)

    def spatial(self, e: Expr) -> bool:
        """Whether an expression has a value at every place of an image."""
        return bool(e.free_symbols & set(self.places))

    def window(self, window: Window) -> Piece:
        """Write a correlation or a convolution."""
        kernel, image = self.image(window.kernel), self.image(window.image)
        spread = _each(axis.spread for axis in window.axes)
        if spread != "1":
            image = Piece(self.symbols.writer.spread(image.text, spread), SINGLE, image.tall)
        sign = self.symbols.writer.operator(window.kind, options(window.axes, self.symbols, window.kind))
        return Piece(f"{kernel.text} {sign} {image.text}", ELEMENTWISE, kernel.tall or image.tall)

    def image(self, image: Image) -> Piece:
        piece = replace(self, places=image.places).write(image.entry)
        return piece if piece.level == SINGLE and not piece.negative else self.symbols.writer.parenthesised(piece)

    def multiply(self, number: Expr, factors: Sequence[Expr]) -> Piece:
        """Write a number times factors: images are multiplied entry by entry."""
        images = [f for f in factors if self.spatial(f)]
        if not images:
            return super().multiply(number, factors)
        others = [f for f in factors if f not in images]
        pieces = [self.write(f) for f in images]
        if len(pieces) == 1:
            body = pieces[0]
        else:
            sign = self.symbols.writer.sign(self.symbols.notation.hadamard)
            body = Piece(f" {sign} ".join(self.closed(p).text for p in pieces), ELEMENTWISE, any(p.tall for p in pieces))
        if not others and number in (1, -1):
            loose = number == -1 and body.level == SUM
            body = self.symbols.writer.parenthesised(body) if loose else body
            return body if number == 1 else minus(body)
        before = super().multiply(number, others)
        if body.level == SUM or body.negative or (body.level == ELEMENTWISE and len(pieces) > 1):
            body = self.symbols.writer.parenthesised(body)
        return Piece(f"{before.text} {body.text}", min(PRODUCT, body.level), before.tall or body.tall, before.negative)

    def closed(self, piece: Piece) -> Piece:
        return piece if piece.level == SINGLE and not piece.negative else self.symbols.writer.parenthesised(piece)

    def power(self, e: sympy.Pow) -> Piece:
        """Write a power; of an image, entry by entry."""
        if not self.spatial(e):
            return super().power(e)
        base = self.closed(self.write(e.base))
        sign = self.symbols.writer.sign(self.symbols.notation.hadamard)
        if e.exp == 2:
            return Piece(f"{base.text} {sign} {base.text}", ELEMENTWISE, base.tall)
        written = self.symbols.writer.parenthesised(base).text if isinstance(e.base, Access) else base.text
        return Piece(self.symbols.writer.power(written, f"{sign} {super().write(e.exp).text}"), SINGLE, True)

    def meant(self, body: Expr) -> Expr:
        """Return what is summed, with the images of windows in their place."""
        if self.equation is None:
            return body
        stands = [a for a in body.atoms(Access) if a.tensor.name.startswith(WINDOW)]
        found = {a: self.equation.window(a.tensor) for a in stands}
        return body.xreplace({a: w.kernel.entry * w.image.entry for a, w in found.items()})


def options(axes: Sequence[Sliding], symbols: Symbols, kind: str) -> tuple[tuple[str, str], ...]:
    """Return what is written beside a sign: stride s, padding p and dilation d where they are not 1, 0 and 1."""
    affine = [symbols.affine(sympy.sympify(a.padding), {}) for a in axes]
    full = kind == "convolution" and all(a.full for a in axes) and any(a.padding != 0 for a in axes)
    padding = ("", "full") if full else ("p", _each(affine))
    made = (("s", _each(a.stride for a in axes)), padding, ("d", _each(a.dilation for a in axes)))
    return tuple((name, value) for name, value in made if value != ("0" if name == "p" else "1"))


def _each(values: Iterable[object]) -> str:
    """Return one value for all axes, or one for each."""
    written = [str(v) for v in values]
    return written[0] if len(set(written)) == 1 else f"({', '.join(written)})"


def operator_signs(equations: Sequence[OperatorEquation], symbols: Symbols) -> list[tuple[Text, ...]]:
    """Return rows for a table of symbols: the signs that occur in operator forms, with the formulas that define them."""
    windows = [w for e in equations for w in e.windows]
    kinds = {w.kind for w in windows}
    plane = any(len(w.axes) == 2 for w in windows)
    writer = symbols.writer
    kernel, image = "K", "X"
    rows: list[tuple[Text, ...]] = []
    letters: Text = (Math("s"), " is the stride, ", Math("p"), " the padding, ", Math("d"), " the dilation")
    said: Text = ("; ", Math(image), " is 0 outside; ", *letters, ": 1, 0 and 1 where they are not written")
    for kind, reading in (("correlation", ("u", "v")), ("convolution", ("(m_1 - 1 - u)", "(m_2 - 1 - v)"))):
        if kind not in kinds:
            continue
        outs, places = (("i", "j"), ("u", "v")) if plane else (("i",), ("u",))
        below = ", ".join(f"s {o} + d {r} - p" for o, r in zip(outs, reading, strict=False))
        sums = " ".join(rf"\sum_{r}" for r in places)
        sign = writer.operator(kind, ())
        formula = rf"({kernel} {sign} {image})_{{{''.join(outs)}}} = {sums} {kernel}_{{{''.join(places)}}} {image}_{{{below}}}"
        words: Text = (f"{'cross-' if kind == 'correlation' else ''}{kind}, ", Math(formula))
        if kind == "convolution":
            sizes = r"m_1 \times m_2" if plane else "m_1"
            words = (*words, ", for a kernel of ", Math(sizes), ", which is read backwards")
            if any(("", "full") in options(w.axes, symbols, kind) for w in windows if w.kind == kind):
                words = (*words, "; “full”: from the first window that touches ", Math(image), " to the last")
        rows.append(((Math(sign),), ("",), (*words, *(said if not rows else ()))))
    if any(a.spread != 1 for w in windows for a in w.axes):
        rows.append(((Math(writer.spread(image, "s")),), ("",), (Math(image), " with ", Math("s - 1"), " zeros between its entries")))
    return rows


__all__ = ["OperatorPrinter", "operator_equation", "operator_signs", "options"]
