"""Two ways to put a formula on paper, LaTeX and plain Unicode, behind one set of strokes.

The LaTeX is the subset that KaTeX also takes. A writer knows how things look, not what they mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol
from unicodedata import normalize

from symbackprop.present.letters import MACROS, plain_letter, plain_word, tex_letter, tex_word, upright_word

#: How tightly a piece binds: sum, sum over an index, elementwise product, product, single symbol.
SUM, REDUCTION, ELEMENTWISE, PRODUCT, SINGLE = range(5)


class Piece(NamedTuple):
    """A written part of a formula.

    Attributes:
        text: what is written.
        level: how tightly it binds.
        tall: whether parentheses around it should grow.
        negative: whether it begins with a minus sign.
    """

    text: str
    level: int = SINGLE
    tall: bool = False
    negative: bool = False


def side_by_side(texts: Sequence[str]) -> str:
    r"""Return factors next to each other; between a number and \mathbf{1} stands a dot, or 0.1 and 1[z > 0] would read as 0.11."""
    written = ""
    for text in texts:
        between = r" \cdot " if written[-1:].isdigit() and text.startswith(r"\mathbf{1}") else " "
        written += f"{between}{text}" if written else text
    return written


class Writer(Protocol):
    """The strokes that formulas are made of."""

    def letter(self, letter: str) -> str: ...
    def word(self, word: str) -> str: ...
    def marked(self, base: str, below: str, above: str) -> str: ...
    def layer(self, number: str) -> str: ...
    def named_layer(self, name: str) -> str: ...
    def subscript(self, word: str) -> str: ...
    def column(self, number: str) -> str: ...
    def row(self, number: str) -> str: ...
    def bold(self, letter: str, kind: str) -> str: ...
    def barred(self, base: str) -> str: ...
    def dotted(self, base: str) -> str: ...
    def dotted_derivative(self, text: str) -> str: ...
    def parenthesised(self, piece: Piece) -> Piece: ...
    def fraction(self, top: Piece, bottom: Piece) -> Piece: ...
    def power(self, base: str, exponent: str) -> str: ...
    def exponential(self, argument: Piece) -> Piece: ...
    def root(self, argument: Piece) -> Piece: ...
    def call(self, function: str, argument: Piece) -> Piece: ...
    def function(self, name: str) -> str: ...
    def bars(self, argument: Piece, kind: str) -> Piece: ...
    def bracket(self, condition: str) -> Piece: ...
    def reduction(self, kind: str, ranges: Sequence[tuple[str, str, str]], body: str) -> str: ...
    def transposed(self, base: str, sign: str) -> str: ...
    def sign(self, sign: str) -> str: ...
    def gradient(self, of: str, loss: str) -> str: ...
    def partial(self, of: str, loss: str) -> Piece: ...
    def shaped(self, text: str, rows: str, columns: str) -> str: ...
    def gap(self) -> str: ...
    def ones(self) -> str: ...
    def dots(self, way: str) -> str: ...
    def underbraced(self, piece: Piece, below: str) -> Piece: ...
    def relation(self, kind: str) -> str: ...
    def scientific(self, mantissa: str, exponent: int) -> str: ...
    def operator(self, kind: str, options: Sequence[tuple[str, str]]) -> str: ...
    def spread(self, text: str, by: str) -> str: ...
    def angled(self, text: str) -> str: ...
    def aside(self, text: str) -> str: ...
    def stacked(self, texts: Sequence[str]) -> str: ...


_FUNCTIONS = {
    "log": r"\log",
    "exp": r"\exp",
    "sin": r"\sin",
    "cos": r"\cos",
    "tan": r"\tan",
    "sinh": r"\sinh",
    "cosh": r"\cosh",
    "tanh": r"\tanh",
    "asin": r"\arcsin",
    "acos": r"\arccos",
    "atan": r"\arctan",
    "max": r"\max",
    "min": r"\min",
    "sigmoid": r"\sigma",
}
_OPERATORS = {"asinh": "arsinh", "acosh": "arcosh", "atanh": "artanh"} | {
    name: name for name in ("erf", "erfc", "softplus", "sign", "diag", "tril", "triu")
}
_RELATIONS = {">": ">", ">=": r"\ge", "<=": r"\le", "==": "=", "!=": r"\ne", "|": r"\mid"}


class Latex:
    """LaTeX with amsmath; everything in it exists in KaTeX too."""

    def letter(self, letter: str) -> str:
        return tex_letter(letter)

    def word(self, word: str) -> str:
        return tex_word(word)

    def marked(self, base: str, below: str, above: str) -> str:
        if below and "_" in base:
            base = f"{{{base}}}"
        return f"{base}{_script('_', below)}{_script('^', above)}"

    def layer(self, number: str) -> str:
        return f"({number})"

    def named_layer(self, name: str) -> str:
        return upright_word(name)

    def column(self, number: str) -> str:
        return rf"\cdot {number}"

    def row(self, number: str) -> str:
        return rf"{number} \cdot"

    def subscript(self, word: str) -> str:
        return word if len(word) == 1 else upright_word(word)

    def bold(self, letter: str, kind: str) -> str:
        # Upright bold exists for Latin letters only.
        head, mark, below = letter.partition("_")
        macro = "mathbf" if kind != "bold" and not head.startswith("\\") else "boldsymbol"
        return rf"\{macro}{{{head}}}{mark}{below}"

    def barred(self, base: str) -> str:
        if r"\_" in base:
            return rf"\overline{{{base}}}"
        head, mark, below = base.partition("_")
        return rf"\bar{{{head}}}{mark}{below}"

    def dotted(self, base: str) -> str:
        head, mark, below = (base, "", "") if r"\_" in base else base.partition("_")
        return rf"\dot{{{head}}}{mark}{below}"

    def dotted_derivative(self, text: str) -> str:
        return rf"\dot{{\nabla}}{text.removeprefix(chr(92) + 'nabla')}" if text.startswith(r"\nabla") else rf"\dot{{\left( {text} \right)}}"

    def parenthesised(self, piece: Piece) -> Piece:
        text = rf"\left( {piece.text} \right)" if piece.tall else f"({piece.text})"
        return Piece(text, SINGLE, tall=True)

    def fraction(self, top: Piece, bottom: Piece) -> Piece:
        return Piece(rf"\frac{{{top.text}}}{{{bottom.text}}}", SINGLE, tall=True)

    def power(self, base: str, exponent: str) -> str:
        return f"{base}{_script('^', exponent)}"

    def exponential(self, argument: Piece) -> Piece:
        return Piece(f"e^{{{argument.text}}}", SINGLE, tall=argument.tall)

    def root(self, argument: Piece) -> Piece:
        return Piece(rf"\sqrt{{{argument.text}}}", SINGLE, tall=True)

    def call(self, function: str, argument: Piece) -> Piece:
        text = rf"{function}\left( {argument.text} \right)" if argument.tall else f"{function}({argument.text})"
        return Piece(text, SINGLE, tall=argument.tall)

    def function(self, name: str) -> str:
        if name in _FUNCTIONS:
            return _FUNCTIONS[name]
        if name in _OPERATORS:
            return rf"\operatorname{{{_OPERATORS[name]}}}"
        return name if len(name) == 1 else rf"\operatorname{{{upright_word(name)}}}"

    def bars(self, argument: Piece, kind: str) -> Piece:
        left, right = {"norm": (r"\lVert", r"\rVert"), "abs": (r"\lvert", r"\rvert"), "floor": (r"\lfloor", r"\rfloor")}[kind]
        grow = (r"\left", r"\right") if argument.tall else ("", "")
        return Piece(f"{grow[0]}{left} {argument.text} {grow[1]}{right}", SINGLE, tall=argument.tall)

    def bracket(self, condition: str) -> Piece:
        return Piece(rf"\mathbf{{1}}[{condition}]")

    def reduction(self, kind: str, ranges: Sequence[tuple[str, str, str]], body: str) -> str:
        sign = {"sum": r"\sum", "max": r"\max", "argmax": r"\operatorname*{argmax}"}[kind]
        if kind != "sum":
            return f"{sign}{_script('_', ', '.join(r[0] for r in ranges))} {body}"
        limits = (rf"_{{{index}={low}}}{_script('^', high)}" if high else _script("_", index) for index, low, high in ranges)
        sums = " ".join(f"{sign}{limit}" for limit in limits)
        return f"{sums} {body}"

    def transposed(self, base: str, sign: str) -> str:
        return f"{base}^{sign}" if len(sign) == 1 else f"{base}^{{{sign}}}"

    def sign(self, sign: str) -> str:
        return sign

    def gradient(self, of: str, loss: str) -> str:
        return rf"\nabla{_script('_', of)} {loss}"

    def partial(self, of: str, loss: str) -> Piece:
        return Piece(rf"\frac{{\partial {loss}}}{{\partial {of}}}", SINGLE, tall=True)

    def shaped(self, text: str, rows: str, columns: str) -> str:
        return rf"\underset{{{rows} \times {columns}}}{{{text}}}"

    def gap(self) -> str:
        return r" \; "

    def ones(self) -> str:
        return r"\mathbf{1}"

    def dots(self, way: str) -> str:
        return r"\vdots" if way == "vertical" else r"\dots"

    def underbraced(self, piece: Piece, below: str) -> Piece:
        return Piece(rf"\underbrace{{{piece.text}}}_{{{below}}}", SINGLE, False)

    def relation(self, kind: str) -> str:
        return _RELATIONS[kind]

    def scientific(self, mantissa: str, exponent: int) -> str:
        return f"10^{{{exponent}}}" if mantissa == "1" else rf"{mantissa} \cdot 10^{{{exponent}}}"

    def operator(self, kind: str, options: Sequence[tuple[str, str]]) -> str:
        sign = {"correlation": r"\star", "convolution": r"\ast"}[kind]
        return sign + _script("_", r",\, ".join(f"{name}={value}" if name else rf"\mathrm{{{value}}}" for name, value in options))

    def spread(self, text: str, by: str) -> str:
        return rf"{{\uparrow}}_{{{by}}} {text}"

    def angled(self, text: str) -> str:
        return rf"\langle {text} \rangle"

    def aside(self, text: str) -> str:
        return rf" \qquad ({text})"

    def stacked(self, texts: Sequence[str]) -> str:
        rows = r" \\ ".join(texts)
        return rf"\begin{{pmatrix}} {rows} \end{{pmatrix}}"


class Unicode:
    """One line of plain text."""

    def letter(self, letter: str) -> str:
        return plain_letter(letter)

    def word(self, word: str) -> str:
        return plain_word(word)

    def marked(self, base: str, below: str, above: str) -> str:
        plain = f"_{below}" if below.isalnum() else f"[{below}]" if "," in below else f"_{{{below}}}"
        low = below if not below or below.startswith("[") else plain
        high = above if above.isalnum() or above.startswith("(") else f"{{{above}}}"
        return f"{base}{low}{f'^{high}' if above else ''}"

    def layer(self, number: str) -> str:
        return f"({number})"

    def named_layer(self, name: str) -> str:
        return name

    def column(self, number: str) -> str:
        return f"·{number}"

    def row(self, number: str) -> str:
        return f"{number}·"

    def subscript(self, word: str) -> str:
        return word

    def bold(self, letter: str, kind: str) -> str:
        # Terminals lack bold letters more often than not: only where a plain one would be misread.
        bold = kind == "always" and len(letter) == 1 and letter.isascii() and letter.isalpha()
        return chr(ord(letter) - ord("A") + 0x1D400 - 6 * letter.islower()) if bold else letter

    def barred(self, base: str) -> str:
        place = 1 if len(base.partition("_")[0]) == 1 else len(base)
        return normalize("NFC", f"{base[:place]}\u0304{base[place:]}")

    def dotted(self, base: str) -> str:
        place = len(base.partition("_")[0])
        return normalize("NFC", f"{base[:place]}\u0307{base[place:]}")

    def dotted_derivative(self, text: str) -> str:
        return f"∇\u0307{text.removeprefix('∇')}" if text.startswith("∇") else f"({text})\u0307"

    def parenthesised(self, piece: Piece) -> Piece:
        return Piece(f"({piece.text})", SINGLE)

    def fraction(self, top: Piece, bottom: Piece) -> Piece:
        above = f"({top.text})" if top.level < PRODUCT or top.negative else top.text
        below = bottom.text if bottom.level == SINGLE else f"({bottom.text})"
        return Piece(f"{above}/{below}", PRODUCT)

    def power(self, base: str, exponent: str) -> str:
        small = {"2": "²", "3": "³"}
        return f"{base}{small[exponent]}" if exponent in small else f"{base}^{exponent if len(exponent) == 1 else f'({exponent})'}"

    def exponential(self, argument: Piece) -> Piece:
        return Piece(f"exp({argument.text})")

    def root(self, argument: Piece) -> Piece:
        return Piece(f"√{argument.text}" if argument.level == SINGLE else f"√({argument.text})")

    def call(self, function: str, argument: Piece) -> Piece:
        return Piece(f"{function}({argument.text})")

    def function(self, name: str) -> str:
        return "σ" if name == "sigmoid" else name

    def bars(self, argument: Piece, kind: str) -> Piece:
        left, right = {"norm": ("‖", "‖"), "abs": ("|", "|"), "floor": ("⌊", "⌋")}[kind]
        return Piece(f"{left}{argument.text}{right}")

    def bracket(self, condition: str) -> Piece:
        return Piece(f"[{condition}]")

    def reduction(self, kind: str, ranges: Sequence[tuple[str, str, str]], body: str) -> str:
        sign = {"sum": "Σ", "max": "max", "argmax": "argmax"}[kind]
        if any(low == "0" for _, low, _ in ranges):
            return f"{sign}_{{{','.join(f'{r[0]}≥{r[1]}' for r in ranges)}}} {body}"
        return f"{sign}_{{{','.join(r[0] for r in ranges)}}} {body}" if len(ranges) > 1 else f"{sign}_{ranges[0][0]} {body}"

    def transposed(self, base: str, sign: str) -> str:
        return f"{base}ᵀ"

    def sign(self, sign: str) -> str:
        return MACROS[sign]

    def gradient(self, of: str, loss: str) -> str:
        return f"∇_{of} {loss}" if len(of) == 1 else f"∇_{{{of}}} {loss}"

    def partial(self, of: str, loss: str) -> Piece:
        return Piece(f"∂{loss}/∂{of}", PRODUCT)

    def shaped(self, text: str, rows: str, columns: str) -> str:
        return f"{text}⟨{rows}×{columns}⟩"

    def gap(self) -> str:
        return " "

    def ones(self) -> str:
        return "𝟏"

    def dots(self, way: str) -> str:
        return "⋮" if way == "vertical" else "…"

    def underbraced(self, piece: Piece, below: str) -> Piece:
        return Piece(f"[{below} = {piece.text}]", SINGLE)

    def relation(self, kind: str) -> str:
        return {">": ">", ">=": "≥", "<=": "≤", "==": "=", "!=": "≠", "|": "|"}[kind]

    def scientific(self, mantissa: str, exponent: int) -> str:
        return f"{mantissa}e{exponent}"

    def operator(self, kind: str, options: Sequence[tuple[str, str]]) -> str:
        sign = {"correlation": "⋆", "convolution": "∗"}[kind]
        written = ", ".join(f"{name}={value}" if name else value for name, value in options)
        return f"{sign}[{written}]" if "=" in written else f"{sign}_{written}" if written else sign

    def spread(self, text: str, by: str) -> str:
        return f"↑{by} {text}"

    def angled(self, text: str) -> str:
        return f"⟨{text}⟩"

    def aside(self, text: str) -> str:
        return f"  ({text})"

    def stacked(self, texts: Sequence[str]) -> str:
        return f"[{'; '.join(texts)}]"


def _script(mark: str, content: str) -> str:
    if not content:
        return ""
    return f"{mark}{content}" if len(content) == 1 else f"{mark}{{{content}}}"


__all__ = ["ELEMENTWISE", "PRODUCT", "REDUCTION", "SINGLE", "SUM", "Latex", "Piece", "Unicode", "Writer", "side_by_side"]
