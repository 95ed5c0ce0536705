"""LaTeX files from templates: the templates lay out text, everything in them is decided before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jinja2

from symbackprop.present.letters import tex_text
from symbackprop.present.notation import Notation
from symbackprop.present.notation import notation as notation_record
from symbackprop.resources import folder


@dataclass(frozen=True)
class Block:
    """Formulas below each other, aligned at their relation sign.

    Attributes:
        formulas: LaTeX; the first of ``= `` in each is aligned, unless it has an ``&`` already.
        words: plain text in front.
    """

    formulas: tuple[str, ...]
    words: str = ""


@dataclass(frozen=True)
class Section:
    """A titled group of blocks."""

    title: str
    blocks: tuple[Block, ...]


@lru_cache(maxsize=1)
def environment() -> jinja2.Environment:
    r"""The environment of ``.tex.jinja`` files: ``\VAR{}`` and ``\BLOCK{}``, so that braces stay TeX's."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder("templates") / "latex"),
        block_start_string=r"\BLOCK{",
        block_end_string="}",
        variable_start_string=r"\VAR{",
        variable_end_string="}",
        comment_start_string=r"\#{",
        comment_end_string="}",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,
    )


def fragment(title: str, sections: Sequence[Section], *, notation: str | Notation = "ufldl") -> str:
    """Return formulas as a LaTeX fragment: no preamble, nothing but amsmath needed.

    Args:
        title: any text; it is escaped.
        sections: what to print; titles and words are escaped, formulas are LaTeX already.
        notation: named in the head.
    """
    record = notation_record(notation)
    return environment().get_template("fragment.tex.jinja").render(fragment_view(title, sections, record))


def fragment_view(title: str, sections: Sequence[Section], record: Notation) -> dict[str, Any]:
    """Return the blanks of the template, filled."""
    return {
        "title": _line(title),
        "source": _line(f"{record.name} ({record.source})" if record.source else record.name),
        "sections": [
            {"title": tex_text(s.title), "blocks": [{"words": tex_text(b.words), "rows": rows(b.formulas)} for b in s.blocks if b.formulas]}
            for s in sections
            if any(b.formulas for b in s.blocks)
        ],
    }


def rows(formulas: Sequence[str]) -> tuple[str, ...]:
    """Return formulas as the rows of an alignment."""
    aligned = [f if "&" in f else f.replace(" = ", " &= ", 1) for f in formulas]
    return tuple(row + (r" \\" if k < len(aligned) - 1 else "") for k, row in enumerate(aligned))


def _line(text: str) -> str:
    return " ".join(tex_text(text).split())


__all__ = ["Block", "Section", "environment", "fragment", "fragment_view", "rows"]
