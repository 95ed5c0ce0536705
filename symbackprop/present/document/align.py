r"""Where a line of a display is aligned: at its ampersand, else in front of its first relation sign, never inside a group.

A line such as ``\begin{bmatrix} a & b \end{bmatrix} = c`` has ampersands of its own, which say nothing about the display.
"""

from __future__ import annotations

from collections.abc import Iterable

from symbackprop.present.document.breaking import RELATIONS, halves, tokens
from symbackprop.present.document.records import Line
from symbackprop.present.document.words import tex_words

_OPEN = frozenset({"{", r"\begin", r"\left"})
_CLOSE = frozenset({"}", r"\end", r"\right"})


def sides(latex: str) -> tuple[str, str]:
    """Return what stands left and right of the alignment; the right side begins with its relation sign.

    A continuation has no left side; a line without a relation has no right side.
    """
    given = tokens(latex.strip())
    depth = 0
    for k, token in enumerate(given):
        if token in _OPEN:
            depth += 1
        elif token in _CLOSE:
            depth -= 1
        elif depth == 0 and token == "&":
            return "".join(given[:k]).rstrip(), "".join(given[k + 1 :]).replace("&", r"\quad ").lstrip()
    left, right = halves(latex)
    return (left, right) if left or (given and given[0] in RELATIONS) else (right, "")


def aligned(latex: str, blank: bool = False) -> str:
    """Return a line as a row of ``aligned``: with one ampersand; a blank keeps its left side only.

    A line without a relation stands where right sides do.
    """
    left, right = sides(latex)
    if blank:
        return rf"{left} &= \boxed{{\phantom{{\qquad\qquad\qquad}}}}".lstrip()
    return f"{left} &{right}".lstrip() if right else f"&{left}"


def ruled(lines: Iterable[Line]) -> tuple[str, ...]:
    r"""Return lines as rows of ``aligned`` with the names of their rules: ``left &= right && \text{rule}``."""
    return tuple(aligned(line.latex, line.blank) + (rf" && \text{{{tex_words(line.rule)}}}" if line.rule else "") for line in lines)


def stacked(rows: Iterable[str]) -> str:
    """Return rows of ``aligned`` as one formula."""
    return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"


__all__ = ["aligned", "ruled", "sides", "stacked"]
