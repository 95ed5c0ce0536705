"""How names, layers, sizes and indices are written in a notation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain

import sympy
from sympy import Expr

from symbackprop.algebra.index import Index
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.present.letters import capital
from symbackprop.present.naming import Layer, Name, Naming
from symbackprop.present.notation import Notation
from symbackprop.present.writer import PRODUCT, Piece, Writer


@dataclass(frozen=True)
class Symbols:
    """The symbols of one formula: a notation, the names of its tensors, and the writer that puts them on paper."""

    notation: Notation
    naming: Naming
    writer: Writer

    # --- names ---

    def tensor(self, tensor: Tensor, indices: Sequence[str] = (), *, whole: bool = True) -> Piece:
        """Write a tensor, or one entry of it.

        Args:
            tensor: which.
            indices: written indices.
            whole: False for an entry: the layer then stands above in every notation.
        """
        name = self.naming.of(tensor.name)
        if name.role == "jacobian" and name.top is not None and name.of is not None:
            # The indices of the variable have a prime.
            outer = next((k for k, axis in enumerate(tensor.axes) if axis.name.endswith("'")), len(tensor.axes))
            top, bottom = (
                self.name(n, part, whole=not indices).text for n, part in ((name.top, indices[:outer]), (name.of, indices[outer:]))
            )
            return self.writer.partial(bottom, top)
        many = whole and not indices and len(tensor.axes) == 2 and tensor.axes[0].extent == self.naming.batch
        return self.name(name, indices, whole=whole, many=many and tensor.role != "parameter")

    def name(self, name: Name, indices: Sequence[str] = (), *, whole: bool = True, many: bool = False) -> Piece:
        """Write a name; ``many`` writes the capital letter of a whole batch."""
        if name.role == "gradient" and name.of is not None:
            return self.derivative(name.of, indices, whole=whole, many=many, loss=self.writer.word(name.word) if name.word else "")
        if name.role == "direction" and name.of is not None:
            base = self.writer.marked("v", self.name(name.of).text, "")
            return Piece(self.writer.marked(self.writer.parenthesised(Piece(base)).text, joined(indices), "") if indices else base)
        if name.role == "word":
            base = self.writer.word(name.word.upper() if many and len(name.word) == 1 else name.word)
        else:
            letter = self.notation.letter(name.role)
            base = self.writer.letter(capital(letter) if many else letter)
        below, above = joined(indices), ""
        if name.layer is not None:
            number = self.layer(name)
            if self.notation.layer_mark == "superscript" or not whole or indices or name.layer.named:
                above = self.writer.layer(number)
            else:
                below = number
        return Piece(self.writer.marked(base, below, above))

    def derivative(self, of: Name, indices: Sequence[str] = (), *, whole: bool = True, many: bool = False, loss: str = "") -> Piece:
        """Write the gradient of the loss with respect to a tensor, or one entry of it; ``loss`` is what is differentiated."""
        loss = loss or self.name(self.naming.loss).text
        if whole and not indices and self.notation.gradient == "nabla":
            return Piece(self.writer.gradient(self.name(of, many=many).text, loss), PRODUCT)
        return self.writer.partial(self.name(of, indices, whole=whole, many=many).text, loss)

    def layer(self, name: Name) -> str:
        """Write the number of a name's layer; a weight carries the one that the notation gives it."""
        assert name.layer is not None
        where = name.layer
        if name.role in ("weight", "bias") and self.notation.weight_of == "source":
            where = where.moved(-1)
        return self.number(where)

    def number(self, where: Layer) -> str:
        """Write a layer's number in the numbering of the notation."""
        if isinstance(where.base, int):
            return str(where.base + where.offset + self.notation.first)
        if where.named:
            return self.writer.named_layer(where.base)
        base = self.writer.letter(self.notation.last if where.base == "last" else self.notation.layer)
        return base if not where.offset else f"{base}{where.offset:+d}"

    def function(self, label: str, order: int) -> str:
        """Write the letter of an unspecified function, with its primes."""
        role = self.naming.functions.get(label)
        letters = [self.notation.letter(r) for r in self.naming.functions.values()]
        # Two functions never share a letter: where the notation has one letter for both, they keep their own names.
        own = role is None or len(set(letters)) < len(letters)
        written = self.writer.function(label) if own else self.writer.letter(self.notation.letter(str(role)))
        return f"{written}{chr(39) * order}"

    # --- sizes and indices ---

    def size(self, extent: Expr) -> str:
        """Write a size: a number, s_l, or the user's symbol."""
        if extent in self.naming.widths:
            return self.writer.marked(self.writer.letter(self.notation.width), self.number(self.naming.widths[extent]), "")
        if extent == self.naming.batch:
            return self.writer.letter(self.notation.samples)
        if extent.is_Symbol:
            return self.writer.word(extent.name)
        return self.affine(extent, {})

    def affine(self, e: Expr, names: dict[Index, str]) -> str:
        """Write an index expression or a size: numbers, indices, sizes, + − *, and entries of integer tensors."""
        if isinstance(e, Index):
            return names[e] if e in names else self.writer.word(e.name)
        if isinstance(e, Access):
            return self.tensor(e.tensor, [self.affine(part, names) for part in e.index], whole=not e.index).text
        if e.is_Symbol:
            return self.size(e)
        if isinstance(e, sympy.Add):
            written = ""
            for term in sorted(e.args, key=lambda t: (t.is_number, bool(t.as_coeff_Mul()[0].is_negative), sympy.default_sort_key(t))):
                piece = self.affine(term, names)
                written += piece if not written or piece.startswith("-") else f"+{piece}"
            return written
        if isinstance(e, sympy.Mul):
            number, rest = e.as_coeff_Mul()
            factors = [(f, self.affine(f, names)) for f in sympy.Mul.make_args(rest)]
            body = " ".join(f"({written})" if isinstance(f, sympy.Add) else written for f, written in factors)
            return body if number == 1 else f"-{body}" if number == -1 else f"{number} {body}"
        if isinstance(e, sympy.Function) and len(e.args) == 1:
            return self.writer.bars(Piece(self.affine(e.args[0], names)), "floor").text
        return str(e).replace("*", " ")


def joined(indices: Sequence[str]) -> str:
    """Return written indices side by side, with commas where one of them is longer than a letter."""
    return ("" if all(len(i.rstrip("'")) == 1 for i in indices) else ", ").join(indices)


#: Letters for a bound index that has no name of its own to go by.
_LETTERS = "ijkmrstuvqhcde"


def readable(index: Index, suggestions: Sequence[str], taken: set[str], written: Callable[[str], str]) -> str:
    """Return a name for an index, as it is written, that is not taken.

    Args:
        index: the index; its own name counts if it is one that people write.
        suggestions: names of the axes that it runs over, in reading order.
        taken: written names in use, and letters that mean something else.
        written: how a name is written.
    """
    own = [] if any(mark in index.name for mark in "@~") else [index.name]
    wanted = [*own, *(s for s in suggestions if not any(mark in s for mark in "@~"))]
    # After a clash the next letter of the alphabet is what a person takes: i, then j.
    start = _LETTERS.find(wanted[0]) + 1 if wanted else 0
    following = chain(_LETTERS[start:], _LETTERS[:start], (f"r_{k}" for k in range(1, 1000)))
    return next(name for name in map(written, chain(wanted, following)) if name not in taken)


__all__ = ["Symbols", "joined", "readable"]
