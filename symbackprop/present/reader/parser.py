"""From tokens to trees: one method for each kind of formula, in the order in which they bind."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import NoReturn

from symbackprop.errors import DeclarationError
from symbackprop.present.reader.lexer import Token, tokens
from symbackprop.present.reader.tree import (
    Bars,
    Braced,
    Bracket,
    Call,
    Chain,
    Entry,
    Formula,
    Fraction,
    Gradient,
    Group,
    Hadamard,
    Mark,
    Matrix,
    Node,
    Number,
    Partial,
    Power,
    Product,
    Range,
    Reduction,
    Root,
    Shaped,
    Sum,
    Symbol,
    Transpose,
)

#: How deep formulas may be nested.
DEEPEST = 40

GREEK = frozenset(
    rf"\{name}"
    for name in """alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi rho varrho sigma
    tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell hbar infty""".split()
)
_STYLES = {
    r"\mathbf": "bold",
    r"\boldsymbol": "bold",
    r"\mathrm": "upright",
    r"\mathit": "",
    r"\mathsf": "sans",
    r"\mathbb": "double",
    r"\mathcal": "script",
}
_ACCENTS = frozenset((r"\bar", r"\hat", r"\tilde", r"\vec", r"\dot", r"\check", r"\overline", r"\widehat", r"\widetilde", r"\underline"))
_FUNCTIONS = frozenset(rf"\{name}" for name in "log exp sin cos tan sinh cosh tanh arcsin arccos arctan det".split())
_REDUCTIONS = {r"\sum": "sum", r"\prod": "prod", r"\max": "max", r"\min": "min"}
_RELATIONS = frozenset(("=", ":=", "<", ">", r"\le", r"\ge", r"\ne", r"\approx", r"\equiv", r"\leftarrow", r"\mid", r"\in"))
_ELEMENTWISE = frozenset((r"\circ", r"\bullet", r"\odot", r"\oslash", r"\otimes"))
_BETWEEN = frozenset((r"\cdot", r"\times", "*", "/"))
_OPEN = {"(": ")", "[": "]", r"\{": r"\}"}
_BARS = {"|": ("|", "abs"), r"\|": (r"\|", "norm"), r"\lfloor": (r"\rfloor", "floor"), r"\lceil": (r"\rceil", "ceil")}
_ENVIRONMENTS = frozenset(("aligned", "align", "align*", "array", "gathered", "split", "equation", "equation*"))
_MATRICES = frozenset(("matrix", "bmatrix", "pmatrix"))
_DOTS = frozenset((r"\dots", r"\ldots", r"\cdots", r"\vdots", r"\ddots"))
_END = Token("", -1, -1)


def read(latex: str, words: Iterable[str] = ()) -> Formula:
    r"""Read a formula, or several: rows of an alignment, or formulas between commas.

    Args:
        latex: with or without delimiters, for example ``\delta^{(2)} = \left( (W^{(2)})^{\top} \delta^{(3)} \right) \circ f'(z^{(2)})``.
        words: names of more than one letter that are written without ``\mathrm``, for example ``Loss``.

    Raises:
        DeclarationError: it is no formula, or not within the subset that is read; the message says where.
    """
    if not isinstance(latex, str):
        raise DeclarationError(f"formula: a string of LaTeX is read, got {type(latex).__name__}")
    return _Parser(latex, tuple(words)).formula()


class _Parser:
    def __init__(self, source: str, words: tuple[str, ...]) -> None:
        self.source = source
        self.tokens = _spelled(tokens(source), source, words)
        self.k = 0
        self.depth = 0
        self.bars: list[str] = []

    # --- tokens ---

    @property
    def token(self) -> Token:
        return self.tokens[self.k] if self.k < len(self.tokens) else _END

    @property
    def text(self) -> str:
        return self.token.text

    def ahead(self, by: int = 1) -> str:
        return self.tokens[self.k + by].text if self.k + by < len(self.tokens) else ""

    def take(self) -> Token:
        token = self.token
        if token is _END:
            self.fail("more")
        self.k += 1
        return token

    def expect(self, text: str) -> Token:
        if self.text != text:
            self.fail(text)
        return self.take()

    def fail(self, expected: str, token: Token | None = None) -> NoReturn:
        token = token or self.token
        if token is _END:
            raise DeclarationError(f"formula, column {len(self.source) + 1}: {expected} expected, but it ends here")
        raise DeclarationError(f"formula, column {token.at + 1}: {expected} expected, found {token.text[:30]}")

    def made(self, node: Node, start: int) -> Node:
        """Return a node with its place: from the token at ``start`` to the last one taken."""
        if start >= len(self.tokens) or self.k == 0:
            return node
        return replace(node, at=self.tokens[start].at, end=self.tokens[max(self.k - 1, start)].end)

    def deeper(self, work: Callable[[], Node]) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            raise DeclarationError(f"formula, column {self.token.at + 1}: nested deeper than {DEEPEST}")
        node = work()
        self.depth -= 1
        return node

    # --- rows and relations ---

    def formula(self) -> Formula:
        chains = self.rows(())
        if self.token is not _END:
            self.fail("the end of the formula")
        if not chains:
            raise DeclarationError("formula: nothing to read")
        return Formula(self.source, tuple(chains))

    def rows(self, ends: tuple[str, ...]) -> list[Chain]:
        """Read rows; a row that begins with a relation goes on with the chain before it."""
        chains: list[Chain] = []
        while self.token is not _END and self.text not in ends:
            if self.text in (r"\\", ",", "&", ".", ";", r"\quad"):
                self.take()
            elif self.text == r"\text":
                self.words()
            elif self.text == r"\begin":
                chains += self.environment()
            elif chains and self.text in (*_OPEN.values(), "}"):
                self.fail("the end of the formula")
            elif self.text in _RELATIONS:
                if not chains:
                    self.fail("something before the relation")
                chains[-1] = self.chain(chains[-1])
            else:
                chains.append(self.chain())
        return chains

    def environment(self) -> list[Chain]:
        start = self.k
        self.take()
        name = self.name()
        if name in _MATRICES:
            self.k = start
            return [self.chain()]
        if name not in _ENVIRONMENTS:
            self.fail("an environment that is known", self.tokens[start])
        if name == "array" and self.text == "{":
            self.name()
        self.depth += 1
        if self.depth > DEEPEST:
            raise DeclarationError(f"formula, column {self.token.at + 1}: nested deeper than {DEEPEST}")
        chains = self.rows((r"\end",))
        self.depth -= 1
        self.expect(r"\end")
        if self.name() != name:
            self.fail(rf"\end{{{name}}}", self.tokens[self.k - 1])
        return chains

    def chain(self, before: Chain | None = None) -> Chain:
        start = self.k
        sides = [] if before is None else list(before.sides)
        signs = [] if before is None else list(before.signs)
        if before is None:
            sides.append(self.sum())
        self.skip_to_relation()
        while self.text in _RELATIONS:
            signs.append(self.take().text)
            while self.text in ("&", r"\quad"):
                self.take()
            sides.append(self.sum())
            self.skip_to_relation()
        made = self.made(Chain(tuple(sides), tuple(signs)), start)
        assert isinstance(made, Chain)
        return made if before is None else replace(made, at=before.at)

    def skip_to_relation(self) -> None:
        k = self.k
        while k < len(self.tokens) and self.tokens[k].text in ("&", r"\quad"):
            k += 1
        if k < len(self.tokens) and self.tokens[k].text in _RELATIONS:
            self.k = k

    # --- sums and products ---

    def sum(self) -> Node:
        return self.deeper(self._sum)

    def _sum(self) -> Node:
        start = self.k
        terms: list[Node] = []
        signs: list[str] = []
        sign = self.sign()
        while True:
            terms.append(self.hadamard())
            signs.append(sign)
            if self.text not in ("+", "-"):
                break
            sign = self.sign()
        if signs == ["+"]:
            return terms[0]
        return self.made(Sum(tuple(terms), tuple(signs)), start)

    def sign(self) -> str:
        negative = False
        while self.text in ("+", "-"):
            negative ^= self.take().text == "-"
        return "-" if negative else "+"

    def hadamard(self) -> Node:
        start = self.k
        factors, signs = [self.product()], []
        while self.text in _ELEMENTWISE:
            signs.append(self.take().text)
            factors.append(self.signed(self.product))
        return factors[0] if not signs else self.made(Hadamard(tuple(factors), tuple(signs)), start)

    def signed(self, work: Callable[[], Node]) -> Node:
        """Read a factor that may have a sign of its own: 2 · −1."""
        start = self.k
        sign = self.sign()
        node = work()
        return node if sign == "+" else self.made(Sum((node,), ("-",)), start)

    def product(self) -> Node:
        start = self.k
        if self.text == r"\partial":
            factors = [self.slashed()]
        else:
            factors = [self.factor()]
        signs: list[str] = []
        while True:
            if self.text in _BETWEEN:
                signs.append(self.take().text.replace("*", r"\cdot"))
                factors.append(self.signed(self.slashed if self.text == r"\partial" else self.factor))
            elif self.starts():
                signs.append("")
                factors.append(self.slashed() if self.text == r"\partial" else self.factor())
            else:
                break
        return factors[0] if not signs else self.made(Product(tuple(factors), tuple(signs)), start)

    def starts(self) -> bool:
        """Whether a factor begins here."""
        text = self.text
        if text in _BARS:
            return not (text in self.bars and self.bars[-1] == text) and not self.separates()
        return (
            text in _OPEN
            or text in GREEK
            or text in _STYLES
            or text in _ACCENTS
            or text in _FUNCTIONS
            or text in _REDUCTIONS
            or text in (r"\frac", r"\sqrt", r"\nabla", r"\partial", r"\operatorname", r"\arg", r"\underbrace", r"\overbrace")
            or text in (r"\boxed", r"\underset", r"\overset", "{")
            or (text == r"\begin")
            or (len(text) > 0 and (text[0].isalnum() or text[0] == "."))
        )

    def separates(self) -> bool:
        """Whether a bar stands between two parts of a parenthesis: P(Y = k | x)."""
        if self.text != "|" or not self.bars or self.bars[-1] != "(":
            return False
        depth = 0
        for token in self.tokens[self.k + 1 :]:
            depth += (token.text in _OPEN or token.text == "{") - (token.text in (*_OPEN.values(), "}"))
            if depth < 0:
                return True
            if token.text == "|" and depth == 0:
                return False
        return True

    # --- factors ---

    def factor(self) -> Node:
        """Read one factor with everything above, below and behind it."""
        return self.deeper(self._factor)

    def _factor(self) -> Node:
        start = self.k
        text = self.text
        if text in _FUNCTIONS or text == r"\operatorname" or text == r"\arg" or text in _REDUCTIONS:
            return self.scripted(self.operator(), start)
        if text == r"\nabla":
            return self.gradient()
        if self.is_letter():
            return self.symbol()
        return self.scripted(self.atom(), start)

    def is_letter(self) -> bool:
        text = self.text
        return text in GREEK or text in _STYLES or text in _ACCENTS or (text[:1].isalpha())

    def atom(self) -> Node:
        start = self.k
        text = self.text
        if text[:1].isdigit() or (text[:1] == "." and len(text) > 1):
            return self.made(Number(self.take().text), start)
        if text in _OPEN:
            return self.group()
        if text == "{":
            self.take()
            node = self.sum()
            self.expect("}")
            if isinstance(node, Symbol) and node.below and not node.above and self.text in ("_", "^"):
                # A name with a subscript of its own, and indices behind it: {W_x}_{rj}.
                return self.marked(node, start)
            return node
        if text in _BARS:
            return self.barred()
        if text == r"\frac":
            return self.fraction()
        if text in _DOTS:
            # It can be read, but has no value.
            return self.made(Symbol(self.take().text), start)
        if text == r"\sqrt":
            self.take()
            if self.text == "[":
                self.fail("a square root without a degree")
            return self.made(Root(self.argument()), start)
        if text in (r"\underbrace", r"\overbrace"):
            return self.brace()
        if text == r"\boxed":
            self.take()
            return self.made(Braced(self.argument()), start)
        if text in (r"\underset", r"\overset"):
            return self.underset()
        if text == r"\begin":
            return self.matrix()
        self.fail("a number, a symbol or a parenthesis")

    def argument(self) -> Node:
        """Read what a command applies to: a brace, or one token."""
        if self.text == "{":
            self.take()
            kept, self.bars = self.bars, []
            node = self.sum()
            self.bars = kept
            self.expect("}")
            return node
        start = self.k
        if self.text[:1].isdigit():
            return self.made(Number(self.digit()), start)
        return self.deeper(self.atom if not self.is_letter() else self.bare)

    def digit(self) -> str:
        """Take one digit only: what TeX does without braces."""
        token = self.take()
        if len(token.text) == 1:
            return token.text
        self.tokens = (
            *self.tokens[: self.k - 1],
            Token(token.text[0], token.at, token.at + 1),
            Token(token.text[1:], token.at + 1, token.end),
            *self.tokens[self.k :],
        )
        return token.text[0]

    def group(self) -> Node:
        start = self.k
        kind = self.take().text
        self.bars.append("(")
        args = [self.relation()]
        variables = 0
        while self.text in (",", ";", "|", r"\mid"):
            if self.take().text == ";" and not variables:
                variables = len(args)
            args.append(self.relation())
        self.bars.pop()
        self.expect(_OPEN[kind])
        if kind == "[" and len(args) == 1 and isinstance(args[0], Chain):
            return self.made(Bracket(args[0]), start)
        return self.made(Group(tuple(args), kind, variables or len(args)), start)

    def relation(self) -> Node:
        """Read a sum, or a condition."""
        start = self.k
        first = self.sum()
        if self.text not in _RELATIONS or (self.text == r"\mid" and self.bars[-1:] == ["("] and self.tokens[start - 1].text == "("):
            return first
        sides, signs = [first], []
        while self.text in _RELATIONS:
            signs.append(self.take().text)
            sides.append(self.sum())
        return self.made(Chain(tuple(sides), tuple(signs)), start)

    def barred(self) -> Node:
        start = self.k
        opening = self.take().text
        closing, kind = _BARS[opening]
        self.bars.append(closing)
        arg = self.sum()
        self.bars.pop()
        self.expect(closing)
        order = ""
        if kind == "norm" and self.text == "_":
            self.take()
            below = self.argument()
            order = below.text if isinstance(below, Number) else below.base if isinstance(below, Symbol) else ""
            if order not in ("1", "2", "F", r"\infty"):
                self.fail("the norm 1, 2 or F", self.tokens[self.k - 1])
        return self.made(Bars(arg, kind, order), start)

    def fraction(self) -> Node:
        start = self.k
        self.take()
        mark = self.differential()
        if mark:
            return self.derivative(mark, start)
        top = self.argument()
        return self.made(Fraction(top, self.argument()), start)

    def differential(self) -> str:
        r"""Return the d of a derivative if the fraction that begins here is one: ``\partial`` or ``d`` above and below."""
        above = self.differential_at(self.k)
        if not above:
            return ""
        depth = 0
        for k in range(self.k, len(self.tokens)):
            depth += (self.tokens[k].text == "{") - (self.tokens[k].text == "}")
            if depth == 0:
                return above if self.differential_at(k + 1) == above else ""
        return ""

    def differential_at(self, k: int) -> str:
        texts = [t.text for t in self.tokens[k : k + 5]]
        if texts[:1] != ["{"]:
            return ""
        if texts[1:2] == [r"\partial"]:
            return r"\partial"
        if texts[1:2] == ["d"] and len(texts) > 2 and texts[2] not in ("}", "_", "^", "+", "-", "="):
            return "d"
        return "d" if texts[1:5] == [r"\mathrm", "{", "d", "}"] else ""

    def derivative(self, mark: str, start: int) -> Node:
        sides: list[Node] = []
        for side in ("what is differentiated", "with respect to what"):
            self.expect("{")
            for _ in range(4 if self.text == r"\mathrm" else 1):
                self.take()
            if self.text == "^":
                self.fail("a first derivative")
            if self.text == "}":
                self.fail(side)
            sides.append(self.product())
            self.expect("}")
        return self.made(Partial(sides[0], sides[1]), start)

    def slashed(self) -> Node:
        r"""Read ∂L/∂W as it is written in one line."""
        start = self.k
        self.expect(r"\partial")
        top = self.factor()
        self.expect("/")
        self.expect(r"\partial")
        return self.made(Partial(top, self.factor()), start)

    def brace(self) -> Node:
        start = self.k
        sign = "_" if self.take().text == r"\underbrace" else "^"
        arg = self.argument()
        label: Node | None = None
        if self.text == sign:
            self.take()
            if self.text == "{" and self.ahead() == r"\text":
                self.take()
                while self.text == r"\text":
                    self.words()
                self.expect("}")
            else:
                label = self.argument()
        return self.made(Braced(arg, label), start)

    def underset(self) -> Node:
        """Read a factor with its shape."""
        start = self.k
        self.take()
        self.expect("{")
        rows = self.factor()
        self.expect(r"\times")
        columns = self.factor()
        self.expect("}")
        return self.made(Shaped(self.argument(), rows, columns), start)

    def matrix(self) -> Node:
        start = self.k
        self.take()
        name = self.name()
        if name not in _MATRICES:
            self.fail("a matrix", self.tokens[start])
        rows: list[list[Node]] = [[]]
        while self.text != r"\end":
            if self.text == r"\\":
                self.take()
                rows.append([])
            elif self.text == "&":
                self.take()
            else:
                rows[-1].append(self.sum())
        self.take()
        if self.name() != name:
            self.fail(rf"\end{{{name}}}", self.tokens[self.k - 1])
        kept = tuple(tuple(row) for row in rows if row)
        if not kept or len({len(row) for row in kept}) > 1:
            self.fail("rows of one length", self.tokens[start])
        return self.made(Matrix(kept), start)

    # --- functions and reductions ---

    def operator(self) -> Node:
        start = self.k
        token = self.take()
        name = token.text[1:]
        if name == "operatorname":
            if self.text == "*":
                self.take()
            name = self.name()
        elif name == "arg":
            name = f"arg{self.take().text[1:]}"
        if self.text == "_" and (name in ("sum", "prod", "max", "min", "argmax", "argmin")):
            return self.reduction(name, start)
        if name in ("sum", "prod", "argmax", "argmin"):
            self.fail("the index below")
        primes = self.primes()
        exponent: Node | None = None
        if self.text == "^":
            self.take()
            exponent = self.argument()
        args = self.arguments()
        call = self.made(Call(name, args, primes), start)
        return call if exponent is None else self.made(Power(call, exponent), start)

    def arguments(self) -> tuple[Node, ...]:
        """Read what a function is of: a parenthesis, or without one the factors that follow."""
        if self.text == "(" or self.text == "[":
            group = self.group()
            assert isinstance(group, Group)
            return group.args
        if not self.starts():
            self.fail("an argument")
        start = self.k
        if self.text in _REDUCTIONS or not (self.is_letter() or self.text[:1].isdigit()):
            return (self.factor(),)
        factors = [self.factor()]
        while self.text == "(" or ((self.is_letter() or self.text[:1].isdigit()) and self.starts()):
            factors.append(self.factor())
        return (factors[0],) if len(factors) == 1 else (self.made(Product(tuple(factors), ("",) * (len(factors) - 1)), start),)

    def reduction(self, kind: str, start: int) -> Node:
        self.expect("_")
        ranges = self.ranges()
        if self.text == "^":
            self.take()
            high = self.argument()
            if len(ranges) != 1:
                self.fail("one index where there is a last value", self.tokens[self.k - 1])
            ranges = [replace(ranges[0], high=high)]
        return self.made(Reduction(kind, tuple(ranges), self.product()), start)

    def ranges(self) -> list[Range]:
        braced = self.text == "{"
        if braced:
            self.take()
        ranges = []
        while True:
            start = self.k
            index = self.bare() if not braced else self.symbol()
            assert isinstance(index, Symbol)
            name = index_name(index)
            if name is None:
                self.fail("an index", self.tokens[start])
            low: Node | None = None
            condition: Node | None = None
            if braced and self.text == "=":
                self.take()
                low = self.sum()
            elif braced and self.text in _RELATIONS:
                sign = self.take().text
                condition = self.made(Chain((index, self.sum()), (sign,)), start)
            made = self.made(Range(name, low, None, condition), start)
            assert isinstance(made, Range)
            ranges.append(made)
            if not braced or self.text != ",":
                break
            self.take()
        if braced:
            self.expect("}")
        return ranges

    def gradient(self) -> Node:
        start = self.k
        self.take()
        of: Node | None = None
        if self.text == "_":
            self.take()
            of = self.argument()
        inner = self.k
        top = self.factor()
        if self.text == "(" and isinstance(top, Symbol):
            top = self.made(Product((top, self.group()), ("",)), inner)
        return self.made(Gradient(of, top), start)

    # --- symbols ---

    def bare(self) -> Node:
        """Read a letter or a word without anything above or below."""
        start = self.k
        text = self.take().text
        if text in _STYLES:
            inner = self.inner()
            return self.made(Symbol(inner, _STYLES[text]), start)
        if text in _ACCENTS:
            inner = self.inner()
            return self.made(Symbol(inner, "bold") if text == r"\vec" else Symbol(f"{text}{{{inner}}}"), start)
        if text in GREEK or text[:1].isalpha():
            return self.made(Symbol(text), start)
        self.fail("a symbol", self.tokens[start])

    def inner(self) -> str:
        """Return the letter or word in the brace of a style or an accent."""
        if self.text != "{":
            return self.digit() if self.text[:1].isdigit() else self.take().text
        start = self.k
        text = self.name(styles=True)
        if not text:
            self.fail("a symbol", self.tokens[start])
        return text

    def name(self, styles: bool = False) -> str:
        r"""Return what stands in a brace as one word; ``\_`` is an underscore."""
        self.expect("{")
        pieces: list[str] = []
        depth = 0
        while self.text != "}" or depth:
            token = self.take()
            if styles and token.text in _STYLES:
                continue
            if token.text in "{}":
                depth += 1 if token.text == "{" else -1
                continue
            if len(pieces) > 200:
                self.fail("}", token)
            pieces.append({r"\_": "_"}.get(token.text, token.text))
        self.take()
        return "".join(pieces)

    def words(self) -> None:
        r"""Skip a ``\text{...}``."""
        self.expect(r"\text")
        self.expect("{")
        depth = 1
        while depth:
            depth += {"{": 1, "}": -1}.get(self.take().text, 0)

    def symbol(self) -> Node:
        start = self.k
        made = self.bare()
        assert isinstance(made, Symbol)
        if made.style in ("bold", "double") and made.base == "1":
            if self.text == "[":
                condition = self.group()
                return self.scripted(condition if isinstance(condition, Bracket) else self.fail("a condition"), start)
            if self.text == "_" and self.condition_below():
                self.take()
                self.expect("{")
                condition = self.relation()
                self.expect("}")
                return self.scripted(self.made(Bracket(condition), start), start)
        return self.marked(made, start)

    def marked(self, made: Symbol, start: int) -> Node:
        """Read what stands below and above a symbol, behind what it has below already."""
        primes = made.primes + self.primes()
        below: tuple[tuple[Node, ...], ...] = ()
        above: tuple[Mark, ...] = ()
        turned, power = False, None
        for _ in range(2):
            if self.text == "_" and not below:
                self.take()
                below = self.pieces()
            elif self.text == "^" and not above and not turned and power is None:
                self.take()
                above, turned, power, more = self.marks()
                primes += more
        primes += self.primes()
        node = self.made(Symbol(made.base, made.style, (*made.below, *below), above, primes), start)
        if power is not None:
            node = self.made(Power(node, power, elementwise=True), start)
        if turned:
            node = self.made(Transpose(node), start)
        if self.text in ("^", "_"):
            self.fail("one thing above and one below")
        return node

    def condition_below(self) -> bool:
        depth = 0
        for token in self.tokens[self.k + 1 :]:
            depth += (token.text == "{") - (token.text == "}")
            if depth <= 0:
                return False
            if token.text in _RELATIONS:
                return True
        return False

    def primes(self) -> int:
        count = 0
        while self.text in ("'", r"\prime"):
            self.take()
            count += 1
        return count

    def pieces(self) -> tuple[tuple[Node, ...], ...]:
        """Read what stands below: pieces between commas, each of them what stands side by side."""
        start = self.k
        if self.text != "{":
            return ((self.argument(),),)
        self.take()
        pieces: list[tuple[Node, ...]] = []
        while True:
            if self.text == r"\cdot" or self.ahead() == r"\cdot":
                pieces.append(self.slots())
            else:
                node = self.sum()
                pieces.append(node.factors if isinstance(node, Product) and not any(node.signs) else (node,))
            if self.text != ",":
                break
            self.take()
        if self.text != "}":
            self.fail("}")
        self.take()
        if not pieces:
            self.fail("an index", self.tokens[start])
        return tuple(pieces)

    def slots(self) -> tuple[Node, ...]:
        """Read indices of which some are dots, which stand for a whole row or column."""
        atoms: list[Node] = []
        while self.text not in ("}", ","):
            start = self.k
            atoms.append(self.made(Symbol(self.take().text), start) if self.text == r"\cdot" else self.factor())
        return tuple(atoms)

    def marks(self) -> tuple[tuple[Mark, ...], bool, Node | None, int]:
        """Read what stands above: (marks, whether transposed, an elementwise exponent, primes)."""
        start = self.k
        if self.text != "{":
            if self.text in (r"\top", "T", r"\intercal"):
                self.take()
                return (), True, None, 0
            if self.text in (r"\prime", "'"):
                self.take()
                return (), False, None, 1
            if self.text in (r"\cdot", "*"):
                return (self.mark(Symbol(self.take().text), start),), False, None, 0
            if self.text in (r"\mathsf", r"\mathrm"):
                node = self.bare()
                assert isinstance(node, Symbol)
                return ((), True, None, 0) if node.base in ("T", r"\top") else ((self.mark(node, start),), False, None, 0)
            return (self.mark(self.argument(), start),), False, None, 0
        self.take()
        marks: list[Mark] = []
        turned, primes = False, 0
        power: Node | None = None
        while self.text != "}":
            here = self.k
            if self.text in (r"\top", r"\intercal") or (self.text == "T" and self.ahead() == "}"):
                self.take()
                turned = True
            elif self.text in (r"\mathsf", r"\mathrm") and self.ahead(2) in ("T", r"\top") and self.ahead(3) == "}":
                self.bare()
                turned = True
            elif self.text in (r"\prime", "'"):
                primes += self.primes()
            elif self.text in _ELEMENTWISE and not marks:
                self.take()
                power = self.sum()
            elif self.text in (r"\cdot", "*"):
                marks.append(self.mark(Symbol(self.take().text), here))
            elif self.text == "(":
                marks.append(self.parenthesised())
            elif self.text == ",":
                self.take()
            else:
                marks.append(self.mark(self.sum(), here))
        self.take()
        return tuple(marks), turned, power, primes

    def parenthesised(self) -> Mark:
        start = self.k
        self.take()
        content: list[Node] = []
        while True:
            if self.text == r"\cdot":
                content.append(self.made(Symbol(self.take().text), start))
            else:
                content.append(self.sum())
            if self.text not in (",", ";"):
                break
            self.take()
        self.expect(")")
        made = self.made(Mark(tuple(content), True), start)
        assert isinstance(made, Mark)
        return made

    def mark(self, node: Node, start: int) -> Mark:
        made = self.made(Mark((node,)), start)
        assert isinstance(made, Mark)
        return made

    def scripted(self, node: Node, start: int) -> Node:
        """Read what stands above and below something that is no symbol."""
        seen = ""
        while self.text in ("^", "_") and self.text not in seen:
            seen += self.text
            if self.take().text == "_":
                node = self.made(Entry(node, self.pieces()), start)
                continue
            marks, turned, power, primes = self.marks()
            if primes or len(marks) > 1 or any(m.parenthesised and len(m.content) != 1 for m in marks):
                self.fail("an exponent", self.tokens[self.k - 1])
            if power is not None:
                node = self.made(Power(node, power, elementwise=True), start)
            for m in marks:
                node = self.made(Power(node, m.content[0]), start)
            if turned:
                node = self.made(Transpose(node), start)
        if self.text in ("^", "_"):
            self.fail("one thing above and one below")
        return node


def index_name(node: Node) -> str | None:
    """Return the name of an index if a node is one: a letter, perhaps with a number below or a prime."""
    if not isinstance(node, Symbol) or node.above:
        return None
    below = ""
    if node.below:
        inner = node.below[0][0]
        if len(node.below) > 1 or len(node.below[0]) > 1 or not isinstance(inner, Number | Symbol):
            return None
        if isinstance(inner, Number):
            below = f"_{inner.text}"
        else:
            deeper = index_name(inner)
            if deeper is None or inner.below:
                return None
            below = f"_{deeper}"
    return f"{node.base}{below}{chr(39) * node.primes}"


def _spelled(found: tuple[Token, ...], source: str, words: tuple[str, ...]) -> tuple[Token, ...]:
    """Return tokens with the letters of given words as one."""
    if not words:
        return found
    out: list[Token] = []
    k = 0
    while k < len(found):
        word = next((w for w in sorted(words, key=len, reverse=True) if source.startswith(w, found[k].at)), None)
        if word is not None and len(word) > 1:
            end = found[k].at + len(word)
            out.append(Token(word, found[k].at, end))
            while k < len(found) and found[k].at < end:
                k += 1
        else:
            out.append(found[k])
            k += 1
    return tuple(out)


__all__ = ["DEEPEST", "GREEK", "index_name", "read"]
