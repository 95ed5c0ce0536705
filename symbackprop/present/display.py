"""What notebooks show: LaTeX with its delimiters, and small escaped tables."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from symbackprop.present.document.align import aligned, stacked


def displayed(latex: str) -> str:
    """Return a formula as ``_repr_latex_`` must give it."""
    return rf"$\displaystyle {latex}$"


def displayed_lines(lines: Iterable[str]) -> str:
    """Return several formulas as ``_repr_latex_`` must give them: below each other, aligned at their relation signs."""
    return f"$${stacked(map(aligned, lines))}$$"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "") -> str:
    """Return an HTML table; every cell is escaped."""
    top = f"<caption>{html.escape(caption)}</caption>" if caption else ""
    columns = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>{top}<thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table>"


def paragraph(text: str) -> str:
    """Return words as an HTML paragraph, escaped."""
    return f"<p>{html.escape(text)}</p>"


def formula_table(rows: Iterable[tuple[str, str]], caption: str = "") -> str:
    """Return an HTML table of names and formulas; the front end of the notebook sets the formulas."""
    top = f"<caption>{html.escape(caption)}</caption>" if caption else ""
    body = "".join(rf"<tr><td>{html.escape(name)}</td><td>$\displaystyle {html.escape(latex)}$</td></tr>" for name, latex in rows)
    return f"<table>{top}<tbody>{body}</tbody></table>"


def bundle(plain: str, *, svg: str = "", latex: str = "", html: str = "") -> dict[str, str]:
    """Return what ``_repr_mimebundle_`` must give of an object that is shown in several ways; each front end picks one.

    Where a front end shows HTML the picture stands above the table, for it would show one of them only.
    """
    kinds = {"text/plain": plain, "text/latex": latex, "image/svg+xml": svg, "text/html": f"{svg}{html}" if html else ""}
    return {kind: text for kind, text in kinds.items() if text}


__all__ = ["bundle", "displayed", "displayed_lines", "formula_table", "paragraph", "table"]
