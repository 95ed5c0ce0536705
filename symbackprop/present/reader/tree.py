"""What is read: formulas as trees of records. A tree says what stands on the paper; what it means depends on the values given.

Every node knows where it stands in the source, and two nodes are equal if they say the same, wherever they stand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields


@dataclass(frozen=True, kw_only=True)
class Node:
    """A part of a formula.

    Attributes:
        at: where it begins in the source.
        end: where it ends.
    """

    at: int = field(default=0, compare=False, repr=False)
    end: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True)
class Number(Node):
    """A number as it is written; the digits count where it stands for indices (W_{12})."""

    text: str


@dataclass(frozen=True)
class Mark(Node):
    """Something above a symbol that is no transpose sign: (2), (l+1), 2, n, *.

    Attributes:
        content: what stands there.
        parenthesised: whether it stands in parentheses.
    """

    content: tuple[Node, ...]
    parenthesised: bool = False


@dataclass(frozen=True)
class Symbol(Node):
    r"""A letter or a word with what stands below and above it.

    Attributes:
        base: ``W``, ``\delta``, ``net``; with an accent, ``\bar{W}``.
        style: "", "bold", "upright", "sans", "double" or "script".
        below: what stands below, piece by piece between commas; each piece is what stands side by side in it.
        above: what stands above.
        primes: how many.
    """

    base: str
    style: str = ""
    below: tuple[tuple[Node, ...], ...] = ()
    above: tuple[Mark, ...] = ()
    primes: int = 0


@dataclass(frozen=True)
class Group(Node):
    """Something in parentheses or brackets: one part, or several after a function: L(W, b; x, y).

    Attributes:
        args: the parts.
        kind: the opening sign.
        variables: how many of them stand before a semicolon; all where there is none.
    """

    args: tuple[Node, ...]
    kind: str = "("
    variables: int = 1


@dataclass(frozen=True)
class Product(Node):
    r"""Factors side by side or with ``\cdot``, ``\times`` or ``/`` between, read from left to right.

    Attributes:
        factors: at least two.
        signs: what stands before each factor but the first; "" for nothing.
    """

    factors: tuple[Node, ...]
    signs: tuple[str, ...]


@dataclass(frozen=True)
class Hadamard(Node):
    r"""Elementwise product or quotient: the signs are ``\circ``, ``\bullet``, ``\odot``, ``\oslash``; ``\otimes`` is the outer product."""

    factors: tuple[Node, ...]
    signs: tuple[str, ...]


@dataclass(frozen=True)
class Sum(Node):
    """Terms with their signs, "+" or "-"."""

    terms: tuple[Node, ...]
    signs: tuple[str, ...]


@dataclass(frozen=True)
class Fraction(Node):
    """One thing above another."""

    top: Node
    bottom: Node


@dataclass(frozen=True)
class Root(Node):
    """A square root."""

    arg: Node


@dataclass(frozen=True)
class Power(Node):
    """A power of something that is no symbol. Above a symbol, whether 2 is an exponent depends on what the symbol is.

    Attributes:
        base: what is raised.
        exponent: to what.
        elementwise: whether the sign of the elementwise product stands before the exponent.
    """

    base: Node
    exponent: Node
    elementwise: bool = False


@dataclass(frozen=True)
class Transpose(Node):
    """Something with a transpose sign."""

    arg: Node


@dataclass(frozen=True)
class Entry(Node):
    """An entry of something that is no symbol: (W x)_i."""

    arg: Node
    below: tuple[tuple[Node, ...], ...]


@dataclass(frozen=True)
class Call(Node):
    r"""A function that has a name in LaTeX: ``\tanh``, ``\log``, ``\max``, ``\operatorname{diag}``.

    Attributes:
        function: its name without the backslash.
        args: its arguments.
        primes: order of the derivative.
    """

    function: str
    args: tuple[Node, ...]
    primes: int = 0


@dataclass(frozen=True)
class Range(Node):
    """One index of a reduction.

    Attributes:
        index: its name.
        low: first value, or None.
        high: last value, or None.
        condition: which values count, or None.
    """

    index: str
    low: Node | None = None
    high: Node | None = None
    condition: Node | None = None


@dataclass(frozen=True)
class Reduction(Node):
    """A sum, product, maximum, minimum, argmax or argmin over indices: kinds "sum", "prod", "max", "min", "argmax", "argmin"."""

    kind: str
    ranges: tuple[Range, ...]
    body: Node


@dataclass(frozen=True)
class Bracket(Node):
    """1 where a condition holds, else 0."""

    condition: Node


@dataclass(frozen=True)
class Bars(Node):
    """Something between bars: kinds "norm", "abs", "floor", "ceil".

    Attributes:
        arg: what stands between.
        kind: of the bars.
        order: which norm ("2", "1", "F"), or "".
    """

    arg: Node
    kind: str
    order: str = ""


@dataclass(frozen=True)
class Gradient(Node):
    """∇_W L; ``of`` is None where nothing stands below."""

    of: Node | None
    top: Node


@dataclass(frozen=True)
class Partial(Node):
    """∂L/∂W or dσ/dx."""

    top: Node
    bottom: Node


@dataclass(frozen=True)
class Braced(Node):
    """Something with a brace, a box or a line: it means what is inside.

    Attributes:
        arg: what is inside.
        label: a formula beside the brace that should have the same value, or None.
    """

    arg: Node
    label: Node | None = None


@dataclass(frozen=True)
class Shaped(Node):
    """Something with its shape written below."""

    arg: Node
    rows: Node
    columns: Node


@dataclass(frozen=True)
class Matrix(Node):
    """A matrix entry by entry."""

    rows: tuple[tuple[Node, ...], ...]


@dataclass(frozen=True)
class Chain(Node):
    r"""Sides with relations between: ``a = b = c``; one side alone has no sign.

    Attributes:
        sides: at least one.
        signs: one less.
    """

    sides: tuple[Node, ...]
    signs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Formula:
    """What was read.

    Attributes:
        source: the LaTeX.
        chains: the relations in it: rows of an alignment, or formulas between commas.
    """

    source: str
    chains: tuple[Chain, ...]

    def text(self, node: Node) -> str:
        """Return how a node is written."""
        return self.source[node.at : node.end].strip()


def parts(node: Node) -> Iterator[Node]:
    """Yield what a node is made of, in reading order."""
    for f in fields(node):
        yield from _nodes(getattr(node, f.name))


def _nodes(value: object) -> Iterator[Node]:
    if isinstance(value, Node):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _nodes(item)


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and everything in it, in reading order."""
    yield node
    for part in parts(node):
        yield from walk(part)


__all__ = [
    "Bars",
    "Braced",
    "Bracket",
    "Call",
    "Chain",
    "Entry",
    "Formula",
    "Fraction",
    "Gradient",
    "Group",
    "Hadamard",
    "Mark",
    "Matrix",
    "Node",
    "Number",
    "Partial",
    "Power",
    "Product",
    "Range",
    "Reduction",
    "Root",
    "Shaped",
    "Sum",
    "Symbol",
    "Transpose",
    "parts",
    "walk",
]
