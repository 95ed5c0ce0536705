"""Plain text in TeX: every character is printed, none is obeyed, and the result is ASCII."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Final

from symbackprop.present.letters import MACROS

_SIGNS: Final[Mapping[str, str]] = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "–": "--",
    "—": "---",
    "‘": "`",
    "’": "'",
    "“": "``",
    "”": "''",
    "…": r"\dots{}",
    "\u00a0": "~",
    "ß": r"{\ss}",
    "æ": r"{\ae}",
    "Æ": r"{\AE}",
    "ø": r"{\o}",
    "Ø": r"{\O}",
    "œ": r"{\oe}",
    "Œ": r"{\OE}",
    "å": r"{\aa}",
    "Å": r"{\AA}",
    "ł": r"{\l}",
    "Ł": r"{\L}",
    "ı": r"{\i}",
    "§": r"{\S}",
    "`": r"{\char96}",
    "|": r"\textbar{}",
    '"': r"{\char34}",
}
_MATHS: Final[Mapping[str, str]] = {
    **{sign: macro for macro, sign in MACROS.items() if not sign.isascii() and sign != "ᵀ"},
    "ᵀ": r"{}^{\top}",
    "′": "'",
    "≤": r"\le",
    "≥": r"\ge",
    "≠": r"\ne",
    "≈": r"\approx",
    "→": r"\rightarrow",
    "←": r"\leftarrow",
    "⇒": r"\Rightarrow",
    "∈": r"\in",
    "∞": r"\infty",
    "∑": r"\sum",
    "∏": r"\prod",
    "√": r"\surd",
    "½": r"\tfrac{1}{2}",
    "¼": r"\tfrac{1}{4}",
    "±": r"\pm",
    "÷": r"\div",
    "‖": r"\|",
    "−": "-",
    "°": r"{}^{\circ}",
    "²": "{}^2",
    "³": "{}^3",
    "¹": "{}^1",
    "₀": "{}_0",
    "₁": "{}_1",
    "₂": "{}_2",
    "µ": r"\mu",
}
_ACCENTS: Final[Mapping[str, str]] = {
    "̀": r"\`",
    "́": r"\'",
    "̂": r"\^",
    "̃": r"\~",
    "̈": r"\"",
    "̌": r"\v",
    "̧": r"\c",
    "̆": r"\u",
    "̇": r"\.",
    "̋": r"\H",
    "̄": r"\=",
}


def tex_words(text: str) -> str:
    r"""Return any text as TeX that prints it: ASCII only, with every special character escaped.

    What pdflatex has no glyph for becomes a question mark; line breaks become blanks.
    """
    out: list[str] = []
    for c in text:
        # No ligature may change what was written: -- is two hyphens, ,, two commas.
        apart = bool(out) and c in "-,'" and out[-1][-1:] == c
        out.append(("{}" if apart else "") + _character(c))
    return "".join(out)


def plain_words(text: str) -> str:
    """Return a text for places where TeX takes no macros (a bookmark): letters, digits and harmless signs, the rest as blanks."""
    folded = unicodedata.normalize("NFKD", text.replace("−", "-").replace("–", "-"))
    bare = (c for c in folded if not unicodedata.combining(c))
    kept = "".join(c if c.isascii() and (c.isalnum() or c in " .,;:!?()+-/=*'") else " " for c in bare)
    return " ".join(kept.split())


def _character(c: str) -> str:
    if c in _SIGNS:
        return _SIGNS[c]
    if c.isascii():
        return c if c.isprintable() else " "
    if c in _MATHS:
        return rf"\ensuremath{{{_MATHS[c]}}}"
    apart = unicodedata.normalize("NFD", c)
    base, mark = apart[:1], apart[1:]
    if mark in _ACCENTS and base.isascii() and base.isalpha():
        dotless = {"i": r"\i", "j": r"\j"}.get(base, base)
        return f"{_ACCENTS[mark]}{{{dotless}}}"
    return "?" if c.isprintable() else " "


__all__ = ["plain_words", "tex_words"]
