"""Notations and layouts by name: how every formula is printed."""

from __future__ import annotations

from symbackprop.errors import DeclarationError
from symbackprop.present.letters import close_word
from symbackprop.present.notation_file import notation_from_toml
from symbackprop.present.presets import PRESETS, Notation

LAYOUTS = ("gradient", "numerator", "denominator")


def notations() -> tuple[str, ...]:
    """Return the names of the presets."""
    return tuple(PRESETS)


def notation(given: str | Notation) -> Notation:
    """Return a preset by name, or a notation from a TOML file by its path; a record is returned as it is.

    Raises:
        DeclarationError: there is no preset of this name, or the file describes no notation.
    """
    if isinstance(given, Notation):
        return given
    if isinstance(given, str) and given.endswith(".toml"):
        return notation_from_toml(given)
    if not isinstance(given, str) or given not in PRESETS:
        raise DeclarationError(f"unknown notation {str(given)[:60]!r}{close_word(str(given)[:60], PRESETS)} (known: {', '.join(PRESETS)})")
    return PRESETS[given]


def layout(given: str) -> str:
    """Return the name of a layout, checked.

    Raises:
        DeclarationError: there is no such layout.
    """
    if given not in LAYOUTS:
        raise DeclarationError(f"unknown layout {str(given)[:60]!r} (known: {', '.join(LAYOUTS)})")
    return given


__all__ = ["LAYOUTS", "PRESETS", "Notation", "layout", "notation", "notations"]
