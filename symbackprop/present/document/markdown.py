r"""Documents as Markdown that Quarto, MyST, GitHub and Jupyter all read: ``$…$``, ``$$…$$``, tables, and files for the pictures.

Some readers treat formulas as text first: GitHub takes ``\\`` for an escaped backslash and ``}_i … j_{`` for emphasis. Formulas are
therefore written so that the plainest Markdown reader leaves every character of them alone (`portable`); it is the same mathematics.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from symbackprop.errors import DeclarationError
from symbackprop.present.document.align import aligned
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
    Link,
    Listing,
    Math,
    Paragraph,
    Strong,
    Table,
    Text,
)
from symbackprop.present.letters import MACROS
from symbackprop.present.scene.svg import svg

#: Control symbols that Markdown would take for escapes, and the words that mean the same.
_WORDS: Mapping[str, str] = MappingProxyType(
    {
        r"\\": r"\cr",
        r"\,": r"\thinspace",
        r"\:": r"\medspace",
        r"\;": r"\thickspace",
        r"\!": r"\negthinspace",
        r"\{": r"\lbrace",
        r"\}": r"\rbrace",
        r"\|": r"\Vert",
        r"\_": r"\underline{\ }",
        "|": r"\vert",
        "*": r"\ast",
    }
)
_ESCAPED = re.compile(r"[\\`*_{}\[\]<>|$#~^&@]|:(?=//|[\w+-]+:)|(?<=www)\.", re.IGNORECASE)
_LEADING = re.compile(r"(?:[-+=!]|:::)|(\d+)([.)])")


def markdown(
    document: Document,
    stem: str = "notes",
    *,
    plot: Callable[[Chart], str] | None = None,
    head: bool = False,
) -> tuple[str, Mapping[str, str]]:
    """Return a document as Markdown, and the pictures that it shows.

    Args:
        document: what is printed.
        stem: of the names of the picture files, which lie beside the text.
        plot: draws a chart as SVG; without it the data stand in a table.
        head: begin with a YAML head, as Quarto's ``.qmd`` files do.

    Returns:
        The text, and SVG text by file name.

    Raises:
        DeclarationError: a citation names no source.
    """
    writer = _Writer(document, stem, plot)
    text = writer.text(head).encode("utf-8", "replace").decode()
    return text, MappingProxyType(writer.files)


@dataclass
class _Writer:
    document: Document
    stem: str
    plot: Callable[[Chart], str] | None
    files: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    counted: dict[str, int] = field(default_factory=dict)

    def text(self, head: bool) -> str:
        parts = self._head() if head else self._title()
        for section in self.document.sections:
            parts.append(f"## {plain(section.title)}" if section.title else "")
            for block in section.blocks:
                parts += self._block(block)
        if self.document.sources:
            parts.append("## References")
            parts.append("\n".join(f"{k}. {self._source(k)}" for k in range(1, len(self.document.sources) + 1)))
        parts += self.notes
        return "\n\n".join(part for part in parts if part) + "\n"

    def _head(self) -> list[str]:
        given = (("title", self.document.title), ("subtitle", self.document.subtitle), ("author", self.document.author))
        rows = [f"{key}: {json.dumps(_line(value).strip())}" for key, value in given if value]
        return ["\n".join(("---", *rows, f"lang: {json.dumps(self.document.language)}", "---"))]

    def _title(self) -> list[str]:
        d = self.document
        return [
            *([f"# {plain(d.title)}"] if d.title else []),
            *([plain(d.subtitle)] if d.subtitle else []),
            *([f"*{plain(d.author)}*"] if d.author else []),
        ]

    def _source(self, number: int) -> str:
        s = self.document.sources[number - 1]
        words = [plain(s.author) + "." if s.author else "", f"*{plain(s.title)}*" + ("." if s.where else "")]
        where = ", ".join(plain(w) for w in (s.where, s.year) if w)
        url = f"<{s.url}>" if _web(s.url) else plain(s.url)
        return " ".join(w for w in (*words, where + "." if where else "", url) if w)

    def _block(self, block: Block) -> list[str]:
        match block:
            case Paragraph():
                return [_started(self._inline(block.parts))]
            case Display():
                return self._display(block)
            case Table():
                return self._table(block)
            case Figure():
                return self._picture(svg(block.scene), block.scene.title, block.caption)
            case Chart():
                if self.plot is None:
                    return self._table(chart_table(block))
                return self._picture(self.plot(block), block.title, block.caption or (block.title,))
            case Listing():
                return [*([_started(self._inline(block.caption))] if block.caption else []), _fenced(block)]
            case Algorithm():
                lines = [f"{k}. {'&emsp;' * depth}{self._inline(text)}" for k, (depth, text) in enumerate(block.lines, 1)]
                return [f"**Algorithm.** {plain(block.title)}", "\n".join(lines)]
            case Enumeration():
                return ["\n".join(f"{f'{k}.' if block.ordered else '-'} {self._inline(item)}" for k, item in enumerate(block.items, 1))]

    def _display(self, block: Display) -> list[str]:
        notes = []
        for number, line in enumerate(block.lines, 1):
            if line.note is not None:
                where = f"Line {number}: " if len(block.lines) > 1 else ""
                notes.append(_started(where + self._inline(line.note.parts)))
        first = block.lines[0] if block.lines else None
        if first is None:
            return []
        if len(block.lines) == 1 and not first.rule and not first.blank:
            return [f"$$\n{_safe_start(portable(first.latex))}\n$$", *notes]
        rows = []
        for line in block.lines:
            rule = f" && {_text_in_formula(line.rule)}" if line.rule else ""
            rows.append(portable(aligned(line.latex, line.blank) + rule))
        body = " \\cr\n".join(_safe_start(row) for row in rows)
        return [f"$$\n\\begin{{aligned}}\n{body}\n\\end{{aligned}}\n$$", *notes]

    def _table(self, block: Table) -> list[str]:
        width = max([len(block.head), *map(len, block.rows)], default=0)
        if not width:
            return []
        rule = {"l": ":---", "c": ":---:", "r": "---:"}
        align = [rule.get(letter, ":---") for letter in (block.align or "").ljust(width, "l")]
        rows = [self._row(block.head, width), "| " + " | ".join(align) + " |", *(self._row(row, width) for row in block.rows)]
        caption = [f"**{self._label('Table')}.** {self._inline(block.caption)}"] if block.caption else []
        return [*caption, "\n".join(rows)]

    def _row(self, cells: tuple[Text, ...], width: int) -> str:
        return "| " + " | ".join(self._inline(cell) for cell in (*cells, *[()] * (width - len(cells)))) + " |"

    def _picture(self, drawn: str, title: str, caption: Text) -> list[str]:
        name = f"{self.stem}-{len(self.files) + 1}.svg"
        self.files[name] = drawn
        label = f"**{self._label('Figure')}.** {self._inline(caption)}" if caption else ""
        return [f"![{plain(title)}]({name})", label]

    def _label(self, word: str) -> str:
        self.counted[word] = self.counted.get(word, 0) + 1
        return f"{word} {self.counted[word]}"

    def _inline(self, parts: Text) -> str:
        text = ""
        for part in map(self._part, parts):
            # Two formulas that touch would make a pair of dollars.
            text += f" {part}" if text.endswith("$") and not text.endswith(r"\$") and part.startswith("$") else part
        return text

    def _part(self, part: Any) -> str:
        match part:
            case str():
                return plain(part)
            case Math():
                return f"${portable(part.latex)}$"
            case Strong():
                # Stars next to a blank open and close nothing: blanks at the ends stay outside.
                words = part.text.strip()
                before, after = part.text[: len(part.text) - len(part.text.lstrip())], part.text[len(part.text.rstrip()) :]
                return f"{before}**{plain(words)}**{after}" if words else part.text
            case Link():
                return f"[{plain(part.text)}](<{part.url}>)" if _web(part.url) else plain(f"{part.text} ({part.url})")
            case Cite():
                return rf"\[{self._cited(part.key)}\]"
            case Footnote():
                number = len(self.notes) + 1
                self.notes.append("")
                self.notes[number - 1] = f"[^{number}]: {self._inline(part.parts)}"
                return f"[^{number}]"
        raise DeclarationError(f"{type(part).__name__} cannot stand in a line of text")

    def _cited(self, key: str) -> int:
        for number, source in enumerate(self.document.sources, 1):
            if source.key == key:
                return number
        known = ", ".join(s.key for s in self.document.sources) or "none"
        raise DeclarationError(f"document {self.document.title!r}: no source has the key {key!r} (known: {known})")


def plain(text: str) -> str:
    """Return any text so that Markdown prints it and does nothing else with it, on one line."""
    return _ESCAPED.sub(lambda m: "\\" + m.group(), _line(text))


def portable(latex: str) -> str:
    r"""Return a formula so that no Markdown reader changes a character of it, on one line, meaning the same.

    ``\\`` becomes ``\cr``, ``\,`` becomes ``\thinspace``, a bar becomes ``\vert``; an underscore that could begin emphasis gets a space
    behind it, and so does a ``<`` that could begin a tag, or a bracket that could make a link.
    """
    starless = re.sub(r"\\operatorname\*\{(\w+)\}", r"\\mathop{\\mathrm{\1}}", _line(latex).strip())
    words = re.sub(r"\\[A-Za-z]+|\\.|[|*]", _word, starless)
    words = re.sub(r"(?<=[^A-Za-z0-9\s\\])_(?=\S)|(?<=\s)_(?=\S)", "_ ", words)
    words = re.sub(r"<(?=\S)", "< ", words)
    words = re.sub(r"(?<=\])(?=[(\[:])", " ", words)
    return re.sub(r"&(?=#?\w+;)", "& ", words)


def _word(sign: re.Match[str]) -> str:
    """Return the word for a sign, kept apart from letters behind it."""
    word = _WORDS.get(sign.group())
    if word is None:
        return sign.group()
    return word + " " if sign.string[sign.end() : sign.end() + 1].isalpha() else word


def _line(text: str) -> str:
    """Return a text on one line; blanks at its ends stay, for they stand between words and formulas."""
    return re.sub(" +", " ", "".join(c if c.isprintable() else " " for c in text))


def _started(line: str) -> str:
    """Return a line that does not look like a list, a rule or a fence."""
    found = _LEADING.match(line)
    if found is None:
        return line
    return f"{found[1]}\\{line[len(found[1]) :]}" if found[1] else f"\\{line}"


def _safe_start(row: str) -> str:
    """Return a row of a formula that no reader takes for the item of a list or the rule under a title."""
    return f"{{}}{row}" if re.match(r"[-+=>#]|\d+[.)]", row) else row


def _text_in_formula(text: str) -> str:
    r"""Return words inside a formula: letters in ``\text``, Greek letters and signs as the macros that they are."""
    signs = {sign: macro for macro, sign in MACROS.items() if not sign.isascii()}
    signs |= {"′": "'", "−": "-", "²": "^2", "Σ": r"\Sigma", "≥": r"\ge", "≤": r"\le", "_": r"\_"}
    out, words = "", ""
    for c in _line(text):
        if c in signs:
            out += (rf"\text{{{words}}}" if words else "") + signs[c] + ("{}" if signs[c][-1].isalpha() else "")
            words = ""
        else:
            words += c if c.isascii() and c not in "\\{}$&#^_%~`*|<>[]" else {"’": "'"}.get(c, " " if c.isspace() else "?")
    return out + (rf"\text{{{words}}}" if words else "")


def _fenced(listing: Listing) -> str:
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", listing.code)), default=0))
    language = re.sub(r"[^A-Za-z0-9_+-]", "", listing.language)
    code = listing.code.rstrip("\n")
    return f"{fence}{language}\n{code}\n{fence}"


def _web(url: str) -> bool:
    return re.fullmatch(r"https://[!-;=?-~]+", url) is not None


__all__ = ["markdown", "plain", "portable"]
