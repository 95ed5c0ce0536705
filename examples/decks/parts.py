"""What the scripts of this folder share: parts of a document with the rows that they show, text with formulas, writing to a folder."""

import sys
from dataclasses import dataclass
from pathlib import Path

import symbackprop as sbp


@dataclass(frozen=True)
class Part:
    """A section and the rows of the deck that it shows, separated by spaces."""

    title: str
    rows: str
    blocks: tuple


def text(words: str) -> tuple:
    """Return words with formulas between dollars as the inline parts of a document."""
    pieces = words.split("$")
    return tuple(sbp.Math(piece) if k % 2 else piece for k, piece in enumerate(pieces) if piece)


def say(words: str, *notes) -> sbp.Paragraph:
    """Return a paragraph, with footnotes at its end."""
    marks = tuple(part for note in notes for part in (" ", note))[1:]
    return sbp.Paragraph((*text(words), *marks))


def lines(*formulas) -> sbp.Display:
    """Return formulas below each other: lines, tuples of lines, or LaTeX."""
    flat = []
    for formula in formulas:
        found = (formula,) if isinstance(formula, str | sbp.Line) else formula
        flat += [sbp.Line(one) if isinstance(one, str) else one for one in found]
    return sbp.Display(tuple(flat))


def table(head: str, rows, caption: str = "") -> sbp.Table:
    """Return a table; titles are separated by bars, cells are text with formulas between dollars."""
    cells = tuple(tuple(text(str(cell)) for cell in row) for row in rows)
    return sbp.Table(tuple(text(title.strip()) for title in head.split("|")), cells, text(caption))


def kept(derivation, notation) -> str:
    """Return the forward values that the backward pass reads, as formulas between dollars."""
    return ", ".join(f"${line.latex.partition(' = ')[0]}$" for line in derivation.formulas(*derivation.tape, notation=notation))


def algorithm(title: str, *steps: str) -> sbp.Algorithm:
    """Return pseudocode; each line begins with the depth of its indentation."""
    return sbp.Algorithm(title, tuple((int(step[0]), text(step[2:])) for step in steps))


def document(title: str, subtitle: str, parts, sources=()) -> sbp.Document:
    """Return the notes of a deck."""
    sections = tuple(sbp.Section(part.title, tuple(part.blocks)) for part in parts)
    return sbp.Document(title, sections, subtitle=subtitle, sources=tuple(sources))


def write(name: str, notes: sbp.Document) -> None:
    """Write the notes to the folder that the command line names, as LaTeX, HTML and PDF, or as the endings that follow."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    for ending in sys.argv[2:] or ("tex", "html", "pdf"):
        try:
            for path in sbp.notes(notes, folder / f"{name}.{ending}"):
                print(path)
        except sbp.TargetError as error:
            print(error)
