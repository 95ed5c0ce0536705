r"""Where a line of a display is aligned: at its first ampersand, else at its first equals sign, never inside a group.

A line such as ``\begin{bmatrix} a & b \end{bmatrix} = c`` has ampersands of its own, which say nothing about the display.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[{}&]| = ", re.DOTALL)
_OPEN = frozenset({"{", r"\begin", r"\left"})
_CLOSE = frozenset({"}", r"\end", r"\right"})


def sides(latex: str) -> tuple[str, str]:
    """Return what stands left and right of the alignment; the right side begins with its relation sign.

    A continuation has no left side; a line without a relation has no right side.
    """
    if latex.startswith("= "):
        return "", latex
    equals = -1
    depth = 0
    for token in _TOKEN.finditer(latex):
        sign = token.group()
        if sign in _OPEN:
            depth += 1
        elif sign in _CLOSE:
            depth -= 1
        elif depth == 0 and sign == "&":
            return latex[: token.start()].rstrip(), latex[token.end() :].replace("&", r"\quad ").lstrip()
        elif depth == 0 and sign == " = " and equals < 0:
            equals = token.start()
    return (latex[:equals].rstrip(), latex[equals:].lstrip()) if equals >= 0 else (latex, "")


def aligned(latex: str, blank: bool = False) -> str:
    """Return a line as a row of ``aligned``: with one ampersand; a blank keeps its left side only.

    A line without a relation stands where right sides do, unless it is alone.
    """
    left, right = sides(latex)
    if blank:
        return rf"{left} &= \boxed{{\phantom{{\qquad\qquad\qquad}}}}"
    return f"{left} &{right}" if right else f"&{left}"


__all__ = ["aligned", "sides"]
