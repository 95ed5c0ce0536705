"""Which symbol is which: marks that belong to a name, indices, exponents."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from symbackprop.errors import ShapeError
from symbackprop.present.reader.bound import Bindings, Bound, plain
from symbackprop.present.reader.parser import index_name
from symbackprop.present.reader.tree import (
    Node,
    Number,
    Product,
    Sum,
    Symbol,
)
from symbackprop.present.reader.values import (
    Array,
    MisfitError,
    Value,
)


@dataclass(frozen=True)
class Seen:
    """A symbol that has been recognised.

    Attributes:
        bound: what it is.
        indices: the indices that select from it.
        exponent: what stands above and is no name.
    """

    bound: Bound
    indices: tuple[Node, ...]
    exponent: Node | None


@dataclass(frozen=True)
class Names:
    """The values of the symbols of one formula.

    Attributes:
        source: the formula, for messages.
        bindings: what symbols mean.
        numbers: values of letters that are fixed from outside: the layer l, an index.
        scope: first and last value of each index.
        notes: what a reader has to guess; filled while reading.
        dot: how · between two square matrices is read: "matrix" or "elementwise".
        inside: definitions that are being read, against circles.
    """

    source: str
    bindings: Bindings
    numbers: Mapping[str, float] = field(default_factory=dict)
    scope: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    dot: str = "matrix"
    inside: tuple[str, ...] = ()

    def value(self, node: Node) -> Value:
        """Return the value of a node."""
        raise NotImplementedError

    def lazily(self, bound: Bound) -> Array | None:
        """Return the entries of a definition."""
        raise NotImplementedError

    def text(self, node: Node) -> str:
        return self.source[node.at : node.end].strip()

    def column(self, node: Node) -> str:
        return f"formula, column {node.at + 1}"

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def fitting(self, node: Node, work: Callable[[], Value]) -> Value:
        """Return a value; where shapes do not fit, say in which part of the formula."""
        try:
            return work()
        except MisfitError as e:
            raise ShapeError(f"{self.text(node)}: {e}") from None

    def seen(self, symbol: Symbol) -> Seen | None:
        """Return what a symbol is, or None if it has no value."""
        for strict in (True, False):
            best: tuple[int, Seen] | None = None
            for bound in self.bindings.of(symbol.base):
                match = self.match(symbol, bound, strict)
                if match is not None and (best is None or match[0] > best[0]):
                    best = match
            if best is not None:
                return best[1]
        return None

    def match(self, symbol: Symbol, bound: Bound, strict: bool) -> tuple[int, Seen] | None:
        """Return how many marks of a symbol belong to a name, with the rest as indices and exponent; None if they are not its."""
        if bound.style and bound.style != symbol.style:
            return None
        score = int(bool(bound.style))
        below = list(symbol.below)
        above = list(symbol.above)
        if bound.below:
            if self.marked(tuple(n for piece in below for n in piece), len(below), bound.below):
                below = []
            elif below and self.marked(below[0], 1, bound.below):
                below = below[1:]
            elif below and len(below[0]) > 1 and self.marked(below[0][:1], 1, bound.below):
                below = [below[0][1:], *below[1:]]
            else:
                return None
            score += 2
        if bound.above:
            if not above or not self.marked(above[0].content, len(above[0].content), bound.above):
                return None
            if strict and above[0].parenthesised != bound.parenthesised:
                return None
            above = above[1:]
            score += 2
        at: list[Node] = []
        if bound.sample and above and above[0].parenthesised == (bound.sample == "parenthesised"):
            at = [*above[0].content]
            above = above[1:]
            score += 1
        if any(m.parenthesised or len(m.content) != 1 for m in above) or len(above) > 1:
            return None
        exponent = above[0].content[0] if above else None
        if isinstance(exponent, Symbol) and exponent.base in (r"\cdot", "*"):
            return None
        if symbol.primes != bound.primes and not (bound.function is not None and symbol.primes > bound.primes):
            return None
        array = bound.entries
        if below or at:
            if array is None and bound.function is None:
                array = self.lazily(bound)
            if array is None:
                return None
            indices = self.split(below, array.ndim - len(at))
            if indices is None:
                return None
            at += indices
            score += int(len(at) == array.ndim)
        elif bound.whole is None and bound.function is None and bound.name not in self.bindings.definitions and bound.each is None:
            return None
        return score, Seen(bound, tuple(at), exponent)

    def marked(self, content: Sequence[Node], pieces: int, mark: str) -> bool:
        """Whether a mark says the same as that of a name: as it is written, or as a number of a layer."""
        written = ("," if pieces > 1 else "").join(plain(c) for c in content)
        if written == mark and not (len(content) == 1 and isinstance(content[0], Symbol) and index_name(content[0]) in self.scope):
            return True
        return len(content) == 1 and self.layer(content[0]) == mark

    def layer(self, node: Node) -> str | None:
        """Return the number that a mark stands for: 3 for l+1 where l is 2."""
        if isinstance(node, Number):
            return node.text
        if isinstance(node, Symbol):
            name = index_name(node)
            if name is None or name in self.scope:
                return None
            number_ = self.numbers.get(name)
            if number_ is None:
                b = next((b for b in self.bindings.of(node.base) if b.written == name.replace("_", "_{", 1) + "}" * ("_" in name)), None)
                number_ = None if b is None or b.whole is None or b.whole.ndim else float(b.whole)
            return None if number_ is None or number_ != int(number_) else str(int(number_))
        if isinstance(node, Sum):
            total = 0
            for sign, term in zip(node.signs, node.terms, strict=True):
                text = self.layer(term)
                if text is None or not text.isdigit():
                    return None
                total += int(text) if sign == "+" else -int(text)
            return str(total)
        return None

    def split(self, pieces: Sequence[tuple[Node, ...]], rank: int) -> list[Node] | None:
        """Return what stands below as indices: ij is two where there are two axes; 12 is 1 and 2 there."""
        if not pieces:
            return []
        atoms = [atom for piece in pieces for atom in piece]
        if len(atoms) == len(pieces) and len(atoms) <= rank and (len(atoms) == rank or not _digits(atoms)):
            return atoms
        spread = [d for atom in atoms for d in _spread(atom)]
        if len(spread) == rank:
            return spread
        if len(atoms) <= rank:
            return atoms
        if len(pieces) <= rank:
            return [p[0] if len(p) == 1 else Product(p, ("",) * (len(p) - 1), at=p[0].at, end=p[-1].end) for p in pieces]
        return None

    def is_bound(self, node: Node) -> bool:
        """Whether a letter in the place of an index has a value of its own."""
        if not isinstance(node, Symbol):
            return True
        name = index_name(node)
        if name in self.scope:
            return False
        seen = self.seen(node)
        return seen is not None and (bool(seen.indices) or (seen.bound.whole is not None and seen.bound.whole.ndim == 0))


def _digits(atoms: Sequence[Node]) -> bool:
    return any(isinstance(a, Number) and len(a.text) > 1 for a in atoms)


def _spread(node: Node) -> list[Node]:
    if isinstance(node, Number) and node.text.isdigit():
        return [Number(d, at=node.at, end=node.end) for d in node.text]
    return [node]


def is_slot(node: Node) -> bool:
    """Whether an index is the dot that stands for all of them."""
    return isinstance(node, Symbol) and node.base == r"\cdot"


__all__ = ["Names", "Seen", "is_slot"]
