"""Homework from a document: right sides become blanks; what stood there is not in the file any more."""

from __future__ import annotations

from dataclasses import replace

from symbackprop.present.document.breaking import halves
from symbackprop.present.document.records import Block, Display, Document, Line, Section


def blanked(document: Document) -> Document:
    """Return a document in which the results of derivations are left to the reader.

    A display in which any line names its rule is a derivation: what it starts from stays, every line that follows by a rule loses
    its right side. The rules stay, as hints.
    """
    sections = tuple(Section(s.title, tuple(_block(b) for b in s.blocks)) for s in document.sections)
    return replace(document, title=f"{document.title}: homework", sections=sections)


def _block(block: Block) -> Block:
    if not isinstance(block, Display) or not any(line.rule for line in block.lines):
        return block
    return Display(tuple(_line(line, k) for k, line in enumerate(block.lines)))


def _line(line: Line, position: int) -> Line:
    left, right = halves(line.latex)
    if position == 0 or not right:
        return line
    # Nothing of the result may be left, not even its length: the text of a document can be read.
    return replace(line, latex=f"{left} = ".lstrip(), note=None, blank=True)


__all__ = ["blanked"]
