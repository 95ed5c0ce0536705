"""The Jinja environment: strict, without autoescape, from the checkout's templates or the installed ones."""

from __future__ import annotations

import jinja2

from symbackprop.resources import folder


def environment() -> jinja2.Environment:
    """Return an environment in which an unknown name is an error."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder("templates")),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )


__all__ = ["environment"]
