"""Letters and words in formulas: what may be printed, and how it looks in LaTeX and in plain Unicode."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from symbackprop.errors import DeclarationError

#: Every macro that a letter or sign may be, and its Unicode. All of them exist in LaTeX and in KaTeX.
MACROS: Mapping[str, str] = MappingProxyType(
    {
        r"\alpha": "α",
        r"\beta": "β",
        r"\gamma": "γ",
        r"\delta": "δ",
        r"\epsilon": "ε",
        r"\varepsilon": "ε",
        r"\zeta": "ζ",
        r"\eta": "η",
        r"\theta": "θ",
        r"\kappa": "κ",
        r"\lambda": "λ",
        r"\mu": "μ",
        r"\nu": "ν",
        r"\xi": "ξ",
        r"\pi": "π",
        r"\rho": "ρ",
        r"\sigma": "σ",
        r"\tau": "τ",
        r"\phi": "φ",
        r"\varphi": "φ",
        r"\chi": "χ",
        r"\psi": "ψ",
        r"\omega": "ω",
        r"\Gamma": "Γ",
        r"\Delta": "Δ",
        r"\Theta": "Θ",
        r"\Lambda": "Λ",
        r"\Sigma": "Σ",
        r"\Phi": "Φ",
        r"\Psi": "Ψ",
        r"\Omega": "Ω",
        r"\ell": "ℓ",
        r"\circ": "∘",
        r"\bullet": "•",
        r"\odot": "⊙",
        r"\cdot": "·",
        r"\top": "ᵀ",
        r"\mathsf{T}": "ᵀ",
        "T": "T",
        r"\nabla": "∇",
        r"\partial": "∂",
        r"\times": "×",
        r"\oslash": "⊘",
    }
)
_SIGNS = ("circ", "bullet", "odot", "cdot", "top", "nabla", "partial", "times", "oslash")
_GREEK = {macro[1:]: macro for macro in MACROS if macro[1:].isalpha() and macro[1:] not in _SIGNS}
_CAPITAL = {
    r"\delta": r"\Delta",
    r"\gamma": r"\Gamma",
    r"\theta": r"\Theta",
    r"\lambda": r"\Lambda",
    r"\sigma": r"\Sigma",
    r"\phi": r"\Phi",
}


def check_letter(letter: object, what: str) -> str:
    r"""Return a letter if it may stand in a formula: ``W``, ``\delta``, ``n_l``, ``net``.

    Raises:
        DeclarationError: for anything else, TeX commands included.
    """
    if isinstance(letter, str) and letter:
        base, _, below = letter.partition("_")
        if all(part in MACROS or (part.isascii() and part.isalnum()) for part in (base, *([below] if below else []))):
            return letter
    raise DeclarationError(
        rf"{what}: {str(letter)[:40]!r} is no letter; use letters, digits, a Greek letter such as \delta, or one with a subscript"
    )


def tex_letter(letter: str) -> str:
    """Return a checked letter in LaTeX: one letter stays italic, a word is set upright."""
    base, _, below = letter.partition("_")
    written = base if base in MACROS or len(base) == 1 else rf"\mathrm{{{base}}}"
    return f"{written}_{below}" if len(below) == 1 or below in MACROS else rf"{written}_{{\mathrm{{{below}}}}}" if below else written


def plain_letter(letter: str) -> str:
    """Return a checked letter in Unicode."""
    return "_".join(MACROS.get(part, part) for part in letter.split("_"))


def capital(letter: str) -> str:
    """Return the capital of a letter: what a whole batch of such vectors is called."""
    base, _, below = letter.partition("_")
    big = _CAPITAL.get(base, base.upper() if len(base) == 1 else base)
    return f"{big}_{below}" if below else big


def tex_word(word: str) -> str:
    r"""Return a user's identifier in LaTeX maths: ``alpha`` is α, ``x_1`` has a subscript, the rest is set upright with ``_`` escaped."""
    if word.endswith("'"):
        return f"{tex_word(word[:-1])}'"
    base, _, below = word.partition("_")
    if base in _GREEK or len(base) == 1:
        head = _GREEK.get(base, base)
        if not below:
            return head
        if below == "hat":
            return rf"\hat{{{head}}}"
        if below.isalnum():
            upright = below if below.isdigit() else upright_word(below)
            return f"{head}_{below}" if len(below) == 1 else f"{head}_{{{upright}}}"
    if base[:1].isalpha() and base[1:].isdigit() and below.isdigit():
        # An entry of a layer: W1_12 belongs to layer 1.
        return f"{base[0]}_{{{below}}}^{{({base[1:]})}}"
    head, digits = word.rstrip("0123456789"), word[len(word.rstrip("0123456789")) :]
    if len(head) == 1 and digits:
        return f"{head}_{digits}" if len(digits) == 1 else f"{head}_{{{digits}}}"
    return upright_word(word)


def upright_word(word: str) -> str:
    """Return an identifier as upright letters."""
    escaped = word.replace("_", r"\_")
    return rf"\mathrm{{{escaped}}}"


def plain_word(word: str) -> str:
    """Return a user's identifier in Unicode."""
    base, mark, below = word.partition("_")
    if below == "hat" and len(base) == 1:
        return f"{base}\u0302"
    return f"{MACROS[_GREEK[base]]}{mark}{below}" if base in _GREEK else word


def close_word(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean 'ufldl'?`` for a near miss, else nothing."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


__all__ = [
    "MACROS",
    "capital",
    "check_letter",
    "close_word",
    "plain_letter",
    "plain_word",
    "tex_letter",
    "tex_word",
    "upright_word",
]
