"""Which names are allowed: they end up in generated code, formulas and files."""

from __future__ import annotations

import keyword
import re

from symbackprop.errors import DeclarationError

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z", re.ASCII)


def check_name(name: object, what: str, *, dotted: bool = False) -> str:
    """Return ``name`` if it is a plain ASCII identifier and no keyword.

    Args:
        name: what the user gave.
        what: the word for it in the message ("layer", "tensor", ...).
        dotted: accept ``layer.W`` too: identifiers joined by dots.

    Raises:
        DeclarationError: for everything else, code and line breaks included.
    """
    parts = name.split(".") if dotted and isinstance(name, str) else [name]
    for part in parts:
        if not isinstance(part, str) or len(part) > 200 or not _IDENTIFIER.match(part):
            raise DeclarationError(
                f"{what} name {str(name)[:60]!r} is not an identifier: use letters a-z, digits and _, not starting with a digit"
            )
        if keyword.iskeyword(part):
            raise DeclarationError(f"{what} name {part!r} is a Python keyword: choose another name, for example {part}_1")
    return str(name)


__all__ = ["check_name"]
