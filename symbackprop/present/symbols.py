"""How names, layers, sizes and indices are written in a notation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
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
            outer = name.rows(tensor)
            top, bottom = (
                self.name(n, part, whole=not indices, scalar=bool(indices) and not part).text
                for n, part in ((name.top, indices[:outer]), (name.of, indices[outer:]))
            )
            return self.writer.partial(bottom, top)
        many = whole and not indices and len(tensor.axes) == 2 and any(axis.extent == self.naming.batch for axis in tensor.axes)
        plain = not tensor.axes and name.of is None
        return self.name(name, indices, whole=whole, many=many and tensor.role != "parameter", scalar=plain)

    def sampled(self, tensor: Tensor, sample: str) -> Piece:
        """Write what belongs to one sample of a batch, as a whole vector."""
        name = self.naming.of(tensor.name)
        return self.name(name, sample=sample, scalar=len(tensor.axes) < 2)

    def name(
        self,
        name: Name,
        indices: Sequence[str] = (),
        *,
        whole: bool = True,
        many: bool = False,
        sample: str = "",
        scalar: bool = False,
        image: bool = False,
        dotted: bool = False,
    ) -> Piece:
        """Write a name.

        Args:
            name: what is named.
            indices: of one entry.
            whole: False for an entry.
            many: write the capital letter of a whole batch.
            sample: the written index of one sample, of which the whole vector is meant.
            scalar: it has no axes.
            image: an array is meant although indices stand: the channel x_c of an image.
            dotted: its tangent is meant: ż.
        """
        if name.role == "tangent" and name.of is not None:
            moving = self.conventional(name.of)
            piece = self.name(moving, indices, whole=whole, many=many, sample=sample, scalar=scalar, image=image, dotted=True)
            return piece._replace(text=self.writer.dotted_derivative(piece.text)) if moving.role == "gradient" else piece
        name = self.conventional(name)
        if name.role == "gradient" and name.of is not None:
            loss = self.writer.word(name.word) if name.word else ""
            return self.derivative(name.of, indices, whole=whole, many=many, loss=loss, sample=sample, image=image)
        if name.role == "direction" and name.of is not None:
            base = self.writer.marked(name.word, self.name(name.of).text, "")
            return Piece(self.writer.marked(self.writer.parenthesised(Piece(base)).text, joined(indices), "") if indices else base)
        if name.role == "one_loss":
            role = "loss" if self.notation.one_loss == "total" else "sample_loss"
            base = self.writer.letter(self.notation.letter(role))
            return Piece(self.writer.marked(base, self.notation.sample if self.notation.one_loss == "indexed" else "", ""))
        bare = whole and not indices
        array = (bare and not scalar) or image
        base = self.letter(name, array=array, many=many)
        if name.extended is False and array and self.notation.folded and name in self.naming.barred:
            base = self.writer.barred(base)
        if dotted:
            base = self.writer.dotted(base)
        row = self.notation.weight_index == "source first"
        if name.column and not array:
            indices = (name.column, *indices) if row else (*indices, name.column)
        below, above = joined(indices), ""
        if name.column and array:
            below = self.writer.row(name.column) if row else self.writer.column(name.column)
        elif name.role == "loss" and name.word:
            below = self.writer.subscript(name.word)
        if name.layer is not None and not self.bare_output(name):
            below, above = self.scripts(name, below, bare=bare and not name.column and not name.time and not name.block)
        if name.time or name.block:
            below, above = self.time_scripts(name, below, above)
        if sample:
            below, above = self.sample_scripts(sample, below, above)
        return Piece(self.writer.marked(base, below, above))

    def bare_output(self, name: Name) -> bool:
        """Whether a name is the network's output and has a letter of its own, which needs no layer."""
        return name.role == "output" and bool(self.notation.output)

    def conventional(self, name: Name) -> Name:
        """Return the name that the conventions of the notation give: a bias in column 0 of the weights, ∂L/∂z for δ."""
        if self.notation.folded and name in self.naming.columns:
            return self.naming.columns[name]
        if name.role == "error" and self.notation.error_term == "derivative":
            return Name("gradient", of=Name("pre", name.layer))
        return name

    def letter(self, name: Name, *, array: bool, many: bool) -> str:
        """Write the letter of a name: a capital for a whole batch, bold for vectors and matrices where they are."""
        if name.role == "word":
            capital_ = name.word[:1].upper() + name.word[1:] if len(name.word.removesuffix("_hat")) == 1 else name.word
            return self.writer.word(capital_ if many else name.word)
        letter = self.notation.letter(name.role)
        if name.role == "output" and not letter:
            letter = self.notation.activation
        if name.role == "weight" and array and not name.column and self.notation.weight_matrix:
            letter = self.notation.weight_matrix
        letter = capital(letter) if many else letter
        if name.role == "sample_loss" and array and letter == self.notation.loss:
            # All losses of a batch beside their mean, which has the same letter.
            return self.writer.bold(self.writer.letter(letter), "always")
        bold = array and name.role not in ("loss", "sample_loss") and self.notation.vectors != "plain"
        return self.writer.bold(self.writer.letter(letter), self.notation.vectors) if bold else self.writer.letter(letter)

    def scripts(self, name: Name, below: str, *, bare: bool) -> tuple[str, str]:
        """Return what stands below and above a letter, with the number of its layer."""
        number = self.layer(name)
        mark = self.notation.layer_mark
        if name.layer is not None and name.layer.named:
            return below, self.writer.layer(number)
        if mark == "subscript" and bare:
            return number, ""
        return below, number if mark == "superscript bare" else self.writer.layer(number)

    def time_scripts(self, name: Name, below: str, above: str) -> tuple[str, str]:
        """Return what stands below and above a letter, with its block and its moment."""
        mark = self.notation.time_mark
        moment = name.time if mark == "subscript" else ""
        below = ", ".join(part for part in (name.block, moment, below) if part)
        if name.time and mark == "superscript angled":
            return below, f"{above}{self.writer.angled(name.time)}"
        if name.time and mark == "superscript parenthesised":
            # A number of a layer in parentheses beside a moment in parentheses would be misread.
            return below, f"({above.strip('()')}, {name.time})" if above else f"({name.time})"
        return below, above

    def sample_scripts(self, sample: str, below: str, above: str) -> tuple[str, str]:
        """Return what stands below and above a letter, with the index of a sample."""
        mark = self.notation.sample_mark
        if mark == "subscript" or (mark == "superscript" and above):
            return f"{below},{sample}" if below else sample, above
        written = self.writer.layer(sample) if mark == "superscript parenthesised" else sample
        return below, f"{above}{written}"

    def derivative(
        self,
        of: Name,
        indices: Sequence[str] = (),
        *,
        whole: bool = True,
        many: bool = False,
        loss: str = "",
        sample: str = "",
        image: bool = False,
    ) -> Piece:
        """Write the gradient of the loss with respect to a tensor, or one entry of it; ``loss`` is what is differentiated."""
        loss = loss or self.name(self.naming.loss).text
        written = self.name(of, indices, whole=whole, many=many, sample=sample, image=image).text
        if whole and (image or not indices) and self.notation.gradient == "nabla":
            return Piece(self.writer.gradient(written, loss), PRODUCT)
        return self.writer.partial(written, loss)

    def layer(self, name: Name) -> str:
        """Write the number of a name's layer; a weight carries the one that the notation gives it."""
        assert name.layer is not None
        where = name.layer
        carried = name.role in ("weight", "bias") or name.parameter
        return self.number(where.moved(self.notation.weight_layer()) if carried else where)

    def number(self, where: Layer) -> str:
        """Write a layer's number in the numbering of the notation."""
        own = where.own if self.notation.activation_layer == "own" else None
        if isinstance(where.base, int):
            return str((where.base + where.offset if own is None else own) + self.notation.first)
        if where.named:
            return self.writer.named_layer(where.base)
        base = self.writer.letter(self.notation.last if where.base == "last" else self.notation.layer)
        offset = where.offset if own is None else own
        return base if not offset else f"{base}{offset:+d}"

    def function(self, label: str, order: int) -> str:
        """Write the letter of an unspecified function, with its primes."""
        role = self.naming.functions.get(label)
        letters = [self.notation.letter(r) for r in self.naming.functions.values()]
        # Two functions never share a letter: where the notation has one letter for both, they keep their own names.
        own = role is None or len(set(letters)) < len(letters)
        written = self.writer.function(label) if own else self.writer.letter(self.notation.letter(str(role)))
        return f"{written}{chr(39) * order}"

    def shifted(self, tensor: Tensor) -> int:
        """Return what a reckoned last place of a tensor is shifted by: 1 where a constant unit or a bias stands in front."""
        return int(self.notation.folded and self.naming.of(tensor.name) in self.naming.barred)

    # --- sizes and indices ---

    @cached_property
    def letters(self) -> Mapping[str, str]:
        """The notation's letter for an index of the engine: i in the layer itself, j below it, n of a sample."""
        if not self.naming.names:
            return {}
        here, below = tuple(self.notation.indices)
        sample = self.notation.sample
        free = sample not in (here, below, self.notation.input, self.notation.layer)
        return {"i": here, "j": below, "n": sample if free else "n"}

    def size(self, extent: Expr) -> str:
        """Write a size: a number, s_l, or the user's symbol."""
        if extent in self.naming.widths:
            return self.writer.marked(self.writer.letter(self.notation.width), self.number(self.naming.widths[extent]), "")
        if extent == self.naming.batch:
            return self.writer.letter(self.notation.samples)
        if extent.is_Symbol:
            return self.writer.word(extent.name)
        return self.affine(extent, {})

    def sample(self, index: Expr) -> str:
        """Write the index of one sample among whole vectors, where no unit has an index that it could be taken for."""
        if not isinstance(index, Index) or index.extent != self.naming.batch:
            return self.affine(index, {})
        letter = self.notation.sample
        # A sample that goes by the letter of the input, as in the sum of C_x over x, would stand on itself.
        return self.writer.letter("i" if letter in (self.notation.input, self.notation.samples) else letter)

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
            top, bottom = sympy.fraction(sympy.together(e.args[0]))
            above = self.affine(top, names)
            quotient = above if bottom == 1 else f"{f'({above})' if top.is_Add else above}/{self.affine(bottom, names)}"
            return self.writer.bars(Piece(quotient), "floor").text
        return str(e).replace("*", " ")


def joined(indices: Sequence[str]) -> str:
    """Return written indices side by side, with commas where one of them is longer than a letter."""
    return ("" if all(len(i.rstrip("'")) == 1 for i in indices) else ", ").join(indices)


#: Letters for places along the first axis of an image, and along the second.
_DIRECTIONS = ("hp", "wq")
#: Letters for a bound index that has no name of its own to go by.
_LETTERS = "ijkmrstuvqhcde"


def readable(
    index: Index, suggestions: Sequence[str], taken: set[str], written: Callable[[str], str], letters: Mapping[str, str] | None = None
) -> str:
    """Return a name for an index, as it is written, that is not taken.

    Args:
        index: the index; its own name counts if it is one that people write.
        suggestions: names of the axes that it runs over, in reading order.
        taken: written names in use, and letters that mean something else.
        written: how a name is written.
        letters: the notation's letter for a letter of the engine.
    """
    own = [] if any(mark in index.name for mark in "@~") else [index.name]
    wanted = [*own, *(s for s in suggestions if not any(mark in s for mark in "@~"))]
    wanted = [(letters or {}).get(w, w) for w in wanted]
    # After a clash the next letter of the alphabet is what a person takes: i, then j.
    start = _LETTERS.find(wanted[0]) + 1 if wanted else 0
    # Along an image there are other letters for the same direction.
    along = "".join(d.replace(wanted[0], "") for d in _DIRECTIONS if wanted and wanted[0] in d)
    following = chain(along, _LETTERS[start:], _LETTERS[:start], (f"r_{k}" for k in range(1, 1000)))
    return next(name for name in map(written, chain(wanted, following)) if name not in taken)


__all__ = ["Symbols", "joined", "readable"]
