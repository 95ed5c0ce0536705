"""What notes would say of something, shown in a notebook."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

from symbackprop.present.document.html import html
from symbackprop.present.document.markdown import markdown
from symbackprop.present.document.records import Document
from symbackprop.present.notation import Notation
from symbackprop.public.notes import chart_writer, document_of, wished


class Preview:
    """A document that a notebook shows as Markdown, pictures included.

    Attributes:
        document: the record; change it with `dataclasses.replace`, or write it with `notes`.
    """

    def __init__(self, document: Document) -> None:
        self.document = document

    def __repr__(self) -> str:
        blocks = [type(block).__name__.lower() for section in self.document.sections for block in section.blocks]
        kinds = ", ".join(f"{blocks.count(kind)} {kind}{'s' * (blocks.count(kind) > 1)}" for kind in dict.fromkeys(blocks))
        return f"Preview({kinds or 'empty'})"

    def _repr_markdown_(self) -> str:
        text, pictures = markdown(self.document, "picture", plot=chart_writer())
        for name, drawn in pictures.items():
            packed = base64.b64encode(drawn.encode("utf-8")).decode("ascii")
            text = text.replace(f"]({name})", f"](data:image/svg+xml;base64,{packed})")
        return text

    def html(self) -> str:
        """Return it as a self-contained page."""
        return html(self.document, chart_writer())


def preview(
    what: Any,
    notation: str | Notation = "ufldl",
    depth: str = "lecture",
    layout: str = "gradient",
    shapes: bool = False,
    form: str = "matrix",
    example: tuple[Any, ...] | None = None,
    optimizer: Any = None,
) -> Preview:
    """Show in a notebook what `notes` would write.

    Args:
        what: a network, a derivation or a part of one, a graph or its run, a worked example, a block or several, words.
        notation: a preset's name or a record.
        depth: "result", "lecture" or "rewrite".
        layout: "gradient", "numerator" or "denominator".
        shapes: write the shape under each factor.
        form: "matrix" or "index".
        example: ``(params, x, y)``, of one sample: the numbers are worked out.
        optimizer: whose update rule is printed.

    Raises:
        DeclarationError: there is no way to show it, or a word is unknown.
    """
    wish = wished(notation, depth, layout, shapes, form, example, optimizer, "", "")
    return Preview(replace(document_of(what, wish), title="", subtitle="", author=""))


__all__ = ["Preview", "preview"]
