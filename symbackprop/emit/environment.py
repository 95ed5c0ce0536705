"""The Jinja environment: strict, without autoescape, from the checkout's templates or the installed ones."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import jinja2

from symbackprop.resources import folder


def environment() -> jinja2.Environment:
    """Return an environment in which an unknown name is an error."""
    return _environment(Path(folder("templates")))


@lru_cache(maxsize=2)
def _environment(path: Path) -> jinja2.Environment:
    """Return the environment of a folder; it keeps the templates that it has parsed."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(path),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )


__all__ = ["environment"]
