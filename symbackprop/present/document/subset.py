r"""The LaTeX that formulas are written in: what pdflatex with amsmath and KaTeX in strict mode both take, and nothing that reads or runs.

A formula that holds any other control sequence is refused when it is born, so that no writer has to trust its author.
"""

from __future__ import annotations

import re
from typing import Final

from symbackprop.errors import DeclarationError
from symbackprop.present.letters import MACROS

_WORDS = """
    frac dfrac tfrac sqrt sum prod max min log exp sin cos tan sinh cosh tanh arcsin arccos arctan lim arg
    left right big Big bigl bigr lVert rVert lvert rvert lfloor rfloor lbrack rbrack langle rangle
    mathbf mathrm mathbb mathsf boldsymbol operatorname text bar tilde hat vec overline underline
    underbrace overbrace underset overset boxed phantom substack
    begin end quad qquad thinspace medspace thickspace negthinspace
    ge le ne in mid to mapsto leftarrow rightarrow Rightarrow Leftrightarrow approx equiv sim infty dots ldots cdots vdots ddots
    pm mp times otimes star ast uparrow prime forall exists notin subset cup cap land lor lnot
    displaystyle textstyle color cr
""".split()
#: Control words that formulas may use.
KNOWN: Final = frozenset(_WORDS) | {macro[1:] for macro in MACROS if macro.startswith("\\") and macro[1:].isalpha()}
#: Control symbols that formulas may use: spaces, braces, the row end, escaped signs.
SYMBOLS: Final = frozenset(",:;!{}|\\ %_&#$")
ENVIRONMENTS: Final = frozenset({"aligned", "bmatrix", "pmatrix", "matrix", "cases", "array"})


def check_latex(latex: str) -> str:
    r"""Return a formula if it stays within the subset.

    Raises:
        DeclarationError: it has an unknown control sequence, unbalanced braces, or characters other than printable ASCII.
    """
    for c in latex:
        if not (" " <= c <= "~" or c == "\n"):
            raise DeclarationError(f"formula {latex[:60]!r}: {c!r} is not ASCII; write the macro")
    depth = 0
    for token in re.findall(r"\\[A-Za-z]+|\\.|[{}]|[$%#~]", latex, flags=re.DOTALL):
        if token[0] == "\\":
            body = token[1:]
            if body not in (KNOWN if body.isalpha() else SYMBOLS):
                raise DeclarationError(f"formula {latex[:60]!r}: {token} is not part of the LaTeX that formulas are written in")
        elif token in "{}":
            depth += 1 if token == "{" else -1
            if depth < 0:
                break
        else:
            raise DeclarationError(f"formula {latex[:60]!r}: {token} cannot stand in a formula")
    if depth:
        raise DeclarationError(f"formula {latex[:60]!r}: braces do not match")
    if latex.endswith("\\") and not latex.endswith("\\\\"):
        raise DeclarationError(f"formula {latex[:60]!r}: ends in a lone backslash")
    for name in re.findall(r"\\(?:begin|end)\{([^}]*)\}", latex):
        if name not in ENVIRONMENTS:
            raise DeclarationError(f"formula {latex[:60]!r}: environment {name[:30]!r} is not part of the subset")
    return latex


__all__ = ["ENVIRONMENTS", "KNOWN", "SYMBOLS", "check_latex"]
