"""The generated NumPy beside the equations that it computes, as a section of a document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from symbackprop.algebra.equation import Equation
from symbackprop.derive.records import Derivation as Record
from symbackprop.derive.times import whole_forms
from symbackprop.errors import DeclarationError
from symbackprop.present.document.records import Block, Display, Line, Listing, Paragraph, Section
from symbackprop.present.latex import latex_lines
from symbackprop.present.naming import network_naming
from symbackprop.present.notation import Notation
from symbackprop.public.network import Network

_WORDS = (
    "The module that symbackprop writes for NumPy computes a whole batch at once, one sample a row. Beside each piece of its function "
    "value_and_grad stand the equations of a batch; n is the number of samples."
)


@dataclass(frozen=True)
class Piece:
    """Statements of one layer, with the names that they give values to."""

    layer: str
    code: tuple[str, ...]
    names: tuple[str, ...]


def code_page(notation: str | Notation = "ufldl", network: Network | None = None) -> Section:
    """Return a network's NumPy code beside its equations in matrix form.

    Args:
        notation: a preset's name or a record.
        network: whose code.

    Raises:
        DeclarationError: no network is given.
    """
    if not isinstance(network, Network):
        raise DeclarationError("the page 'code' needs a network: notes(net, ..., pages=['code']), or page('code', network=net)")
    form = "rows" if network.spec.loss is not None and "rows" in network.spec.loss.forms else None
    module = network.artifacts(targets=("numpy",), dtype="float64", target_form=form)[0].text
    derivation = network.derive(target=form)
    whole = whole_forms(derivation.record)
    told = _Told(derivation.record, tuple(pieces(module)))
    blocks: list[Block] = [Paragraph((_WORDS,))]
    for piece in told.pieces:
        shown = (latex_lines(whole(e) or e, told.naming, notation=notation) for e in told.equations(piece))
        lines = tuple(Line(f) for formulas in shown for f in formulas)
        blocks += [*([Display(lines)] if lines else []), Listing("\n".join(piece.code), "python")]
    return Section("In NumPy", tuple(blocks))


def pieces(module: str) -> Iterator[Piece]:
    """Yield the statements of ``value_and_grad`` layer by layer, without the comments, for the equations say the same."""
    start = module.index("def value_and_grad(")
    body = re.split(r"\n(?=\S)", module[start:], maxsplit=1)[0].splitlines()
    layer, code, names = "", list[str](), list[str]()
    for line in body[2:]:
        text = line[4:]
        header = re.fullmatch(r"# (\w+)", text)
        if header or text.startswith("return "):
            if layer:
                yield Piece(layer, tuple(code), tuple(names))
            layer, code, names = header[1] if header else "", [], []
        elif layer and not text.startswith("#"):
            code.append(text)
            names += re.findall(r"^(\w+)(?:\[\.\.\.\])? = ", text)


class _Told:
    """Which equations have been shown, so that each stands beside the first piece of code that needs it."""

    def __init__(self, record: Record, pieces: tuple[Piece, ...]) -> None:
        assert record.model is not None
        self.naming = network_naming(record.model)
        self.pieces = pieces
        # Names of variables are those of tensors, written as identifiers; a name that is taken gets a mark behind it.
        self.known = {e.tensor.name.replace(".", "_"): e for e in record.system.equations}
        self.computed = {self.called(name) for piece in pieces for name in piece.names}
        self.shown: set[str] = set()

    def called(self, name: str) -> str:
        return name if name in self.known else name.rstrip("_")

    def equations(self, piece: Piece) -> Iterator[Equation]:
        """Yield the equations of a piece, in front of each the ones that it reads and that the code computes in another way."""
        for name in map(self.called, piece.names):
            if name in self.known:
                yield from self.needed(name)

    def needed(self, name: str) -> Iterator[Equation]:
        if name in self.shown:
            return
        self.shown.add(name)
        equation = self.known[name]
        for read in equation.reads:
            other = read.name.replace(".", "_")
            if other in self.known and other not in self.computed:
                yield from self.needed(other)
        yield equation


__all__ = ["Piece", "code_page", "pieces"]
