"""Homework from a document: right sides become blanks; what stood there is not in the file any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symbackprop.present.document.breaking import halves, measure
from symbackprop.present.document.records import Algorithm, Block, Display, Document, Line, Math, Section, Table, Text

#: A right side that is higher, in em, gets a high blank.
TALL = 1.6
#: How wide a blank is.
WIDTH = r"\qquad \qquad \qquad \qquad \qquad \qquad"


def blanked(document: Document) -> Document:
    """Return a document in which the results of derivations are left to the reader.

    A display in which a line names its rule is a derivation: what it starts from stays, and so do the rules, as hints. From the first
    section with a derivation on, all other formulas, the algorithms and the tables behind the first of a section are filled in by
    the reader too, since they would give the results away.
    """
    derived = False
    sections: list[Section] = []
    for section in document.sections:
        derived = derived or any(_is_derivation(b) for b in section.blocks)
        sections.append(Section(section.title, _blocks(section.blocks)) if derived else section)
    return replace(document, title=f"{document.title}: homework", sections=tuple(sections))


def _is_derivation(block: Block) -> bool:
    return isinstance(block, Display) and any(line.rule for line in block.lines)


def _blocks(blocks: Sequence[Block]) -> tuple[Block, ...]:
    out: list[Block] = []
    tables = 0
    for block in blocks:
        made = block
        if isinstance(block, Display):
            starts = _is_derivation(block)
            made = Display(tuple(line if k == 0 and starts else _line(line) for k, line in enumerate(block.lines)))
        elif isinstance(block, Algorithm):
            made = replace(block, lines=tuple((depth, _text(text)) for depth, text in block.lines))
        elif isinstance(block, Table):
            # The first table of a section says what is given.
            tables += 1
            made = block if tables == 1 else replace(block, rows=tuple((row[0], *(() for _ in row[1:])) for row in block.rows if row))
        out.append(made)
    return tuple(out)


def _line(line: Line) -> Line:
    latex = _blank(line.latex)
    return line if latex == line.latex else replace(line, latex=latex, note=None, blank=True)


def _text(parts: Text) -> Text:
    return tuple(Math(_blank(p.latex)) if isinstance(p, Math) else p for p in parts)


def _blank(latex: str) -> str:
    """Return a formula with an empty box for its right side."""
    left, right = halves(latex)
    if not right or (not left and right == latex and not right.startswith(("=", r"\approx"))):
        return latex
    # Nothing of the result may be left, not even its length, since the text of a document can be read; only how high it is.
    room = r"\dfrac{0}{0}" if measure(right).total > TALL else "0"
    sign = ":=" if right.startswith(":") else "="
    return rf"{left} {sign} \boxed{{\phantom{{{room} {WIDTH}}}}}".lstrip()


__all__ = ["blanked"]
