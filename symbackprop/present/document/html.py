"""Documents as one HTML page that needs nothing else: formulas, pictures, fonts and scripts are all inside.

Nothing of a document is trusted: the template escapes every text, formulas are text until the reader's browser typesets them, and
the page's own policy lets no other script run and nothing be loaded.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from functools import lru_cache
from typing import Any

import jinja2
from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.lexers.special import TextLexer
from pygments.util import ClassNotFound

from symbackprop.errors import DeclarationError
from symbackprop.present.document.align import aligned, sides, stacked
from symbackprop.present.document.breaking import measure, rows
from symbackprop.present.document.data_table import chart_table
from symbackprop.present.document.records import (
    Algorithm,
    Block,
    Chart,
    Cite,
    Display,
    Document,
    Enumeration,
    Figure,
    Footnote,
    Line,
    Link,
    Listing,
    Math,
    Paragraph,
    Section,
    Strong,
    Table,
    Text,
)
from symbackprop.present.scene.records import Scene
from symbackprop.present.scene.svg import svg
from symbackprop.resources import data, folder

#: Draws a chart as SVG.
Plot = Callable[[Chart], str]

#: Which fonts a formula asks for, by the words in it. The first are in every formula.
_FONTS = (
    (r"", ("Main-Regular", "Math-Italic", "Size1-Regular", "Size2-Regular", "Size3-Regular", "Size4-Regular")),
    (r"\\(?:mathbf|boldsymbol)\b", ("Main-Bold", "Math-BoldItalic")),
    (r"\\mathbb\b", ("AMS-Regular",)),
    (r"\\mathsf\b", ("SansSerif-Regular",)),
    (r"\\mathcal\b", ("Caligraphic-Regular",)),
)
#: How wide a line of formulas is on a screen that is wide enough, and how much of that the names of rules take, in em.
_WIDTH, _RULE = 38.0, 10.0
#: How wide the text is, in pixels, and how much a picture may shrink.
_COLUMN, _SHRINK = 700, 0.64


def html(document: Document, plot: Plot | None = None) -> str:
    """Return a document as one self-contained HTML page.

    Args:
        document: what is printed.
        plot: draws a chart as SVG; without it the data stand in a table.

    Raises:
        DeclarationError: a citation names no source.
    """
    page = environment().get_template("page.html.jinja").render(_View(document, plot).page())
    return page.encode("utf-8", "replace").decode()


@lru_cache(maxsize=1)
def environment() -> jinja2.Environment:
    """The environment of ``.html.jinja`` files; every value is escaped."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder("templates") / "html"),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        autoescape=True,
    )


@dataclass
class _View:
    """What the template is filled with: numbers of notes, figures and tables are given here, in reading order."""

    document: Document
    plot: Plot | None
    notes: int = 0
    counted: dict[str, int] = field(default_factory=dict)

    def page(self) -> dict[str, Any]:
        scripts = (_katex("katex.min.js"), _own("page.js"))
        sections = [self._section(number, section) for number, section in enumerate(self.document.sections, 1)]
        return {
            "document": self.document,
            "policy": _policy(scripts),
            "styles": [Markup(_katex_css(_formulas(self.document))), Markup(_own("page.css") + _code_css())],
            "scripts": [Markup(script) for script in scripts],
            "sections": sections,
            "sources": [{"number": k, "source": s, "url": _web(s.url)} for k, s in enumerate(self.document.sources, 1)],
        }

    def _section(self, number: int, section: Section) -> dict[str, Any]:
        notes: list[dict[str, Any]] = []
        shown = [self._block(block, notes) for block in section.blocks]
        return {"id": f"s{number}", "number": number, "title": section.title, "groups": _beside(shown), "notes": notes}

    def _block(self, block: Block, notes: list[dict[str, Any]]) -> dict[str, Any]:
        match block:
            case Paragraph():
                return {"kind": "paragraph", "parts": self._inline(block.parts, notes)}
            case Display():
                return self._display(block, notes)
            case Table():
                return self._table(block, notes)
            case Figure():
                return self._figure(block, notes)
            case Chart():
                return self._chart(block, notes)
            case Listing():
                caption = self._inline(block.caption, notes)
                return {"kind": "listing", "code": Markup(_highlighted(block)), "caption": caption, "label": ""}
            case Algorithm():
                lines = [{"depth": depth, "parts": self._inline(text, notes)} for depth, text in block.lines]
                return {"kind": "algorithm", "title": block.title, "lines": lines}
            case Enumeration():
                return {"kind": "list", "ordered": block.ordered, "items": [self._inline(item, notes) for item in block.items]}

    def _display(self, block: Display, notes: list[dict[str, Any]]) -> dict[str, Any]:
        ruled = any(line.rule for line in block.lines)
        pairs = [sides(line.latex) for line in block.lines]
        room = _WIDTH - max((measure(left).width for left, right in pairs if right), default=0.0) - (_RULE if ruled else 0.0)
        shown = []
        for line, (left, right) in zip(block.lines, pairs, strict=True):
            first, *more = ("=",) if line.blank else rows(right, room) if right else ("",)
            note = self._note(line.note, notes) if line.note is not None else None
            shown.append({"left": left, "right": first, "blank": line.blank, "rule": line.rule, "note": None if more else note})
            for k, part in enumerate(more, 1):
                end = note if k == len(more) else None
                # What goes on in the middle of a sum stands a little to the right of its beginning.
                goes_on = part if sides(part)[0] == "" and sides(part)[1] else rf"\qquad {part}"
                shown.append({"left": "", "right": goes_on, "blank": False, "rule": "", "note": end})
        return {"kind": "display", "lines": shown, "source": _source(block.lines), "ruled": ruled}

    def _table(self, block: Table, notes: list[dict[str, Any]]) -> dict[str, Any]:
        width = max([len(block.head), *map(len, block.rows)], default=0)
        align = (block.align or "l" * width).ljust(width, "l")
        names = {"l": "left", "c": "center", "r": "right"}
        caption = self._inline(block.caption, notes)
        return {
            "kind": "table",
            "label": self._label("Table") if caption else "",
            "caption": caption,
            "align": [names.get(letter, "left") for letter in align],
            "head": [self._inline(cell, notes) for cell in block.head],
            "rows": [[self._inline(cell, notes) for cell in row] for row in block.rows],
        }

    def _figure(self, block: Figure, notes: list[dict[str, Any]]) -> dict[str, Any]:
        scene = block.scene
        caption = self._inline(block.caption, notes)
        label = self._label("Figure") if caption else ""
        number = self.counted["picture"] = self.counted.get("picture", 0) + 1
        steps = range(scene.last_step + 1) if scene.last_step else (None,)
        frames = [Markup(_own_ids(svg(scene, step), f"p{number}-{k}-")) for k, step in enumerate(steps)]
        return self._shown(scene.title, frames, caption, label)

    def _shown(self, title: str, frames: list[Markup], caption: list[dict[str, Any]], label: str) -> dict[str, Any]:
        width = _width(frames[-1])
        shown = {"kind": "figure", "title": title, "frames": frames, "caption": caption, "label": label}
        # Letters stay legible: what is wider than the page moves sideways in its frame.
        return shown | {"wide": width > _COLUMN, "least": round(_SHRINK * width)}

    def _chart(self, block: Chart, notes: list[dict[str, Any]]) -> dict[str, Any]:
        if self.plot is None:
            return self._table(chart_table(block), notes)
        caption = self._inline(block.caption or (block.title,), notes)
        number = self.counted["picture"] = self.counted.get("picture", 0) + 1
        frames = [Markup(_own_ids(_only_svg(self.plot(block)), f"p{number}-"))]
        return self._shown(block.title, frames, caption, self._label("Figure"))

    def _label(self, word: str) -> str:
        self.counted[word] = self.counted.get(word, 0) + 1
        return f"{word} {self.counted[word]}"

    def _inline(self, parts: Text, notes: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [self._part(part, notes) for part in parts]

    def _part(self, part: Any, notes: list[dict[str, Any]]) -> dict[str, Any]:
        match part:
            case str():
                return {"kind": "text", "text": part}
            case Math():
                return {"kind": "math", "text": part.latex}
            case Strong():
                return {"kind": "strong", "text": part.text}
            case Link():
                url = _web(part.url)
                return {"kind": "link", "text": part.text, "url": url} if url else {"kind": "text", "text": f"{part.text} ({part.url})"}
            case Cite():
                return {"kind": "cite", "number": self._cited(part.key)}
            case Footnote():
                return {"kind": "note", "number": self._note(part, notes)}
        raise DeclarationError(f"{type(part).__name__} cannot stand in a line of text")

    def _note(self, note: Footnote, notes: list[dict[str, Any]]) -> int:
        self.notes += 1
        entry: dict[str, Any] = {"number": self.notes}
        notes.append(entry)
        entry["parts"] = self._inline(note.parts, notes)
        return int(entry["number"])

    def _cited(self, key: str) -> int:
        for number, source in enumerate(self.document.sources, 1):
            if source.key == key:
                return number
        known = ", ".join(s.key for s in self.document.sources) or "none"
        raise DeclarationError(f"document {self.document.title!r}: no source has the key {key!r} (known: {known})")


def _beside(blocks: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Put code that follows its equations into one group with them: a wide page sets the two beside each other."""
    groups: list[list[dict[str, Any]]] = []
    for block in blocks:
        if block["kind"] == "listing" and groups and len(groups[-1]) == 1 and groups[-1][0]["kind"] == "display":
            groups[-1].append(block)
        else:
            groups.append([block])
    return groups


def _source(lines: tuple[Line, ...]) -> str:
    """Return a display as the LaTeX that a reader copies."""
    if len(lines) == 1 and not lines[0].blank:
        return lines[0].latex
    return stacked(aligned(line.latex, line.blank) for line in lines)


def _formulas(value: Any) -> Iterator[str]:
    """Yield every formula of a document."""
    if isinstance(value, Math | Line):
        yield value.latex
    if isinstance(value, tuple):
        for item in value:
            yield from _formulas(item)
    elif is_dataclass(value) and not isinstance(value, type | Scene):
        for slot in fields(value):
            yield from _formulas(getattr(value, slot.name))


def _highlighted(listing: Listing) -> str:
    try:
        lexer = get_lexer_by_name(listing.language, stripnl=False)
    except ClassNotFound:
        lexer = TextLexer(stripnl=False)
    return str(highlight(listing.code, lexer, HtmlFormatter(nowrap=True))).rstrip("\n")


def _code_css() -> str:
    """The colours of code by day and by night."""
    day = HtmlFormatter(style="friendly", nobackground=True).get_style_defs(".code")
    night = HtmlFormatter(style="github-dark", nobackground=True).get_style_defs(".code")
    return f"{_tokens_only(day)}\n@media screen and (prefers-color-scheme: dark) {{\n{_tokens_only(night)}\n}}\n"


def _tokens_only(css: str) -> str:
    return "\n".join(line for line in css.splitlines() if line.startswith(".code ."))


def _web(url: str) -> str:
    """Return an address if a reader may be led there, else nothing."""
    return url if re.fullmatch(r"https://[!-~]+", url) else ""


def _only_svg(text: str) -> str:
    """Return the element without what stands in front of it in a file of its own."""
    return text[text.index("<svg") :] if "<svg" in text else text


def _own_ids(drawn: str, prefix: str) -> str:
    """Return a picture whose ids are its own: several share a page."""

    def renamed(tag: re.Match[str]) -> str:
        text = re.sub(r'(\sid=")', rf"\g<1>{prefix}", tag.group())
        text = re.sub(r'(\saria-(?:labelledby|describedby)=")([^"]+)', lambda m: m[1] + " ".join(prefix + i for i in m[2].split()), text)
        return re.sub(r'(\s(?:xlink:)?href="#|url\(#)', rf"\g<1>{prefix}", text)

    return re.sub(r"<[a-zA-Z][^>]*>", renamed, _only_svg(drawn))


def _width(drawn: str) -> float:
    """Return how wide a picture is in pixels."""
    width = re.search(r'<svg[^>]*\swidth="([\d.]+)', drawn)
    return float(width[1]) if width is not None else 0.0


def _policy(scripts: tuple[str, ...]) -> str:
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts)
    rules = (
        "style-src 'unsafe-inline'",
        f"script-src {hashes}",
        "font-src data:",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    )
    return "; ".join(("default-src 'none'", *rules))


@lru_cache(maxsize=8)
def _katex(name: str) -> str:
    return (data("katex") / name).read_text(encoding="utf-8")


@lru_cache(maxsize=8)
def _own(name: str) -> str:
    return (folder("templates") / "html" / name).read_text(encoding="utf-8")


def _katex_css(formulas: Iterator[str]) -> str:
    """Return KaTeX's style with the fonts that the formulas need as data, and without the others."""
    return _css_with(fonts_of("\n".join(formulas)))


def fonts_of(latex: str) -> tuple[str, ...]:
    """Return the names of the fonts that formulas may ask for."""
    return tuple(font for pattern, fonts in _FONTS for font in fonts if re.search(pattern, latex))


@lru_cache(maxsize=32)
def _css_with(fonts: tuple[str, ...]) -> str:
    def face(match: re.Match[str]) -> str:
        named = re.search(r"url\(fonts/KaTeX_([A-Za-z0-9-]+)\.woff2\)", match.group())
        if named is None or named[1] not in fonts:
            return ""
        packed = base64.b64encode((data("katex") / "fonts" / f"KaTeX_{named[1]}.woff2").read_bytes()).decode()
        return re.sub(r"src:[^}]*", f'src:url(data:font/woff2;base64,{packed}) format("woff2")', match.group())

    return re.sub(r"@font-face\{[^}]*\}", face, _katex("katex.min.css"))


__all__ = ["Plot", "environment", "fonts_of", "html"]
