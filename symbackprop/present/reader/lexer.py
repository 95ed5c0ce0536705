"""From LaTeX to tokens: control words, letters, numbers and signs, each with its place."""

from __future__ import annotations

import re
from typing import NamedTuple

from symbackprop.errors import DeclarationError

#: Longest source that is read, in characters.
LONGEST = 100_000

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[0-9]+(?:\.[0-9]+)?|\.[0-9]+|[A-Za-z]|\S", re.DOTALL)
#: What only changes how a formula looks.
_SILENT = frozenset(
    {r"\,", r"\:", r"\;", r"\!", r"\>", "\\ ", "\\\n", "~", "$", r"\[", r"\]", r"\(", r"\)"}
    | {rf"\{word}" for word in "displaystyle textstyle scriptstyle limits nolimits nonumber notag".split()}
)
_GROWING = frozenset(r"\left \right \middle \big \Big \bigg \Bigg \bigl \bigr \Bigl \Bigr \biggl \biggr".split())
_SAME = {
    r"\lbrack": "[",
    r"\rbrack": "]",
    r"\vert": "|",
    r"\lvert": "|",
    r"\rvert": "|",
    r"\Vert": r"\|",
    r"\lVert": r"\|",
    r"\rVert": r"\|",
    r"\lbrace": r"\{",
    r"\rbrace": r"\}",
    r"\dfrac": r"\frac",
    r"\tfrac": r"\frac",
    r"\geq": r"\ge",
    r"\leq": r"\le",
    r"\neq": r"\ne",
    r"\longleftarrow": r"\leftarrow",
    r"\gets": r"\leftarrow",
    r"\bm": r"\boldsymbol",
    r"\ln": r"\log",
    r"\ast": "*",
    r"\star": "*",
    r"\colon": ":",
    r"\qquad": r"\quad",
}


class Token(NamedTuple):
    """A piece of the source.

    Attributes:
        text: the piece; different spellings of one sign have one text.
        at: where it begins.
        end: where it ends.
    """

    text: str
    at: int
    end: int


def tokens(source: str) -> tuple[Token, ...]:
    """Return the tokens of a source, without what only changes its looks.

    Raises:
        DeclarationError: it is too long, or has a character that no formula has.
    """
    if len(source) > LONGEST:
        raise DeclarationError(f"formula: {len(source)} characters are too many; at most {LONGEST} are read")
    for k, c in enumerate(source):
        if not (" " <= c <= "~" or c in "\n\t\r"):
            raise DeclarationError(f"formula, column {k + 1}: {c!r} is not ASCII; write the macro")
        if c in "%#" and (k == 0 or source[k - 1] != "\\"):
            raise DeclarationError(f"formula, column {k + 1}: {c} cannot stand in a formula")
    found: list[Token] = []
    growing = False
    for match in _TOKEN.finditer(source):
        text = match.group()
        if growing and text == ".":
            growing = False
            continue
        growing = text in _GROWING
        if growing or text in _SILENT:
            continue
        found.append(Token(_SAME.get(text, text), match.start(), match.end()))
    return tuple(_joined(found))


def _joined(found: list[Token]) -> list[Token]:
    """Return tokens with ``||`` and ``:=`` as one, where the two stand close together."""
    out: list[Token] = []
    for token in found:
        if out and out[-1].end == token.at and (out[-1].text, token.text) in (("|", "|"), (":", "=")):
            out[-1] = Token(r"\|" if token.text == "|" else ":=", out[-1].at, token.end)
        else:
            out.append(token)
    return out


__all__ = ["LONGEST", "Token", "tokens"]
