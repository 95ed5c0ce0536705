"""Where the files that are no Python modules of the package lie: templates, examples, data."""

from __future__ import annotations

from pathlib import Path

__all__ = ["data", "folder"]

_PACKAGE = Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """Return the folder ``templates`` or ``examples``: the copy inside an installed package, else the one of the checkout.

    A checkout has no copy inside the package, so an edit of a template takes effect at once in an editable installation.
    """
    inside = _PACKAGE / "_bundled" / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


def data(name: str) -> Path:
    """Return a folder or file that is shipped in ``symbackprop/data``."""
    return _PACKAGE / "data" / name
