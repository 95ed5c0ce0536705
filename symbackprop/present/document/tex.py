r"""Documents in LaTeX: an article, slides that build up, or a fragment to paste.

Every string is escaped, every formula comes from `Math` or `Line`, which took it only within the known subset. Long formulas,
tables and sections are broken here, so that nothing runs off a page or a slide.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import jinja2

from symbackprop.errors import DeclarationError
from symbackprop.present.document.align import sides
from symbackprop.present.document.breaking import RELATIONS, halves, measure, prose_width, rows
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
    Source,
    Strong,
    Table,
    Text,
)
from symbackprop.present.document.words import plain_words, tex_words
from symbackprop.present.scene.boxes import bounds
from symbackprop.present.scene.plot import PREAMBLE, pgfplots
from symbackprop.present.scene.records import Label, Scene
from symbackprop.present.scene.tikz import tikz
from symbackprop.resources import folder


@dataclass(frozen=True)
class Page:
    """What a page or a slide holds.

    Attributes:
        width: of the text, in em.
        height: of a slide, in em; 0 for pages that break by themselves.
        centimetres: the width again.
        packages: whether booktabs and hyperref are loaded.
        overlays: whether things appear one after another.
        table: how high a table may be, in em.
        picture: how high a picture may be, in centimetres.
    """

    width: float
    height: float
    centimetres: float
    packages: bool
    overlays: bool
    table: float
    picture: float


#: The text widths are those of the templates; a fragment fits into an article of 345 pt and into a slide of 4:3.
PAGES: Final = {
    "article": Page(width=38.5, height=0, centimetres=15.0, packages=True, overlays=False, table=48.0, picture=14.0),
    "beamer": Page(width=36.5, height=18.2, centimetres=14.2, packages=True, overlays=True, table=12.5, picture=4.7),
    "fragment": Page(width=27.5, height=0, centimetres=10.7, packages=False, overlays=False, table=12.0, picture=5.0),
}
KINDS: Final = tuple(PAGES)
#: An em of 11 pt.
CENTIMETRES: Final = 0.385


@dataclass(frozen=True)
class Frame:
    """A slide.

    Attributes:
        title: escaped.
        blocks: TeX.
    """

    title: str
    blocks: tuple[str, ...]


@dataclass(frozen=True)
class Made:
    """A section as the templates take it.

    Attributes:
        title: escaped.
        heading: the same with a plain form for bookmarks.
        blocks: TeX, for pages.
        frames: for slides.
    """

    title: str
    heading: str
    blocks: tuple[str, ...]
    frames: tuple[Frame, ...]


def check_kind(kind: str) -> str:
    """Return a kind of document if there is one.

    Raises:
        DeclarationError: there is none of that name.
    """
    if kind not in PAGES:
        raise DeclarationError(f"unknown kind of document {str(kind)[:40]!r} (known: {', '.join(KINDS)})")
    return kind


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


def tex(document: Document, kind: str = "article") -> str:
    """Return a document in LaTeX.

    Args:
        document: what it says.
        kind: "article"; "beamer", where sections become frames and steps overlays; or "fragment", which has no preamble.

    Raises:
        DeclarationError: there is no such kind.
    """
    return environment().get_template(f"{check_kind(kind)}.tex.jinja").render(view(document, kind))


def view(document: Document, kind: str) -> dict[str, Any]:
    """Return the blanks of a kind's template, filled."""
    writer = Writer(PAGES[check_kind(kind)], {s.key: k for k, s in enumerate(document.sources, start=1)}, tex_words(document.title))
    blocks = [b for s in document.sections for b in s.blocks]
    sections = [writer.section(s) for s in document.sections if any(b != Display(()) for b in s.blocks)]
    if document.sources:
        sections.append(writer.bibliography(document.sources))
    formulas = [line.latex for b in blocks if isinstance(b, Display) for line in b.lines]
    formulas += [label.latex for b in blocks if isinstance(b, Figure) for label in _labels(b.scene)]
    return {
        "title": tex_words(document.title),
        "subtitle": tex_words(document.subtitle),
        "author": tex_words(document.author),
        "plain_title": plain_words(document.title),
        "plain_author": plain_words(document.author),
        "pictures": any(isinstance(b, Figure) for b in blocks),
        "charts": PREAMBLE if any(isinstance(b, Chart) for b in blocks) else (),
        "boards": any(r"\mathbb" in formula for formula in formulas),
        "sections": sections,
    }


@dataclass(frozen=True)
class _Rest(Algorithm):
    """The rest of an algorithm that does not fit on one slide; ``done`` lines came before."""

    done: int = 0


@dataclass
class Writer:
    """Writes blocks for one kind of page.

    Attributes:
        page: what fits.
        numbers: of the sources, by key.
        title: of the document, for slides of a section without one; escaped.
    """

    page: Page
    numbers: dict[str, int]
    title: str = ""

    # --- words ---

    def text(self, parts: Text) -> str:
        """Write words and formulas."""
        return "".join(self.inline(p) for p in parts)

    def inline(self, part: object) -> str:
        """Write one part of a text."""
        if isinstance(part, str):
            return tex_words(part)
        if isinstance(part, Math):
            return f"${part.latex}$"
        if isinstance(part, Strong):
            return rf"\textbf{{{tex_words(part.text)}}}"
        if isinstance(part, Link):
            return self.link(part)
        if isinstance(part, Footnote):
            return rf"\footnote{{{self.text(part.parts)}}}"
        if isinstance(part, Cite):
            if part.key not in self.numbers:
                raise DeclarationError(f"the document cites {part.key[:40]!r}, which is none of its sources")
            return f"[{self.numbers[part.key]}]"
        raise DeclarationError(f"{type(part).__name__} cannot stand in a text")

    def link(self, link: Link) -> str:
        """Write a link; without hyperref its address stands beside it."""
        address = _address(link.url)
        if not self.page.packages:
            return f"{tex_words(link.text)} ({_breakable(link.url)})" if link.text != link.url else _breakable(link.url)
        return rf"\href{{{address}}}{{{tex_words(link.text) if link.text != link.url else _breakable(link.url)}}}"

    # --- sections ---

    def section(self, section: Section) -> Made:
        """Write a section: its blocks for pages, its frames for slides."""
        title = tex_words(section.title)
        plain = plain_words(section.title)
        heading = title if title == plain else rf"\texorpdfstring{{{title}}}{{{plain}}}"
        if not self.page.overlays:
            return Made(title, heading, self.joined(section.blocks, [self.block(b) for b in section.blocks]), ())
        return Made(title, heading, (), tuple(self.frames(title or self.title, section.blocks)))

    def bibliography(self, sources: Sequence[Source]) -> Made:
        """Write the list of sources."""
        items = [r"\raggedright"]
        for k, s in enumerate(sources, start=1):
            parts = [tex_words(s.author), rf"\emph{{{tex_words(s.title)}}}"] + [tex_words(p) for p in (s.where, s.year) if p]
            written = ", ".join(p for p in parts if p) + "."
            if s.url:
                shown = _breakable(s.url)
                written += " " + (rf"\href{{{_address(s.url)}}}{{{shown}}}" if self.page.packages else shown)
            items.append(rf"\par\noindent\hangindent=2em\hangafter=1\makebox[2em][l]{{[{k}]}}{written}")
        size = r"\small" if self.page.overlays else ""
        listed = f"{{{size}" + "\n".join(items) + r"\par}"
        return Made("References", "References", (listed,), (Frame("References", (listed,)),))

    def joined(self, blocks: Sequence[Block], written: Sequence[str]) -> tuple[str, ...]:
        """Join formulas with the words or formulas in front of them: an empty line there would be an empty paragraph."""
        out: list[str] = []
        before: Block | None = None
        for block, text in zip(blocks, written, strict=True):
            if out and isinstance(block, Display) and isinstance(before, Paragraph | Display):
                out[-1] += f"\n{text}"
            else:
                out.append(text)
            before = block
        return tuple(out)

    # --- slides ---

    def frames(self, title: str, blocks: Sequence[Block]) -> list[Frame]:
        """Spread blocks over slides, by their estimated heights."""
        frames: list[list[Block]] = [[]]
        used = 0.0
        for block in self.parts(blocks):
            need = self.height(block)
            # A picture with steps counts its overlays from the first one of its slide.
            begins = isinstance(block, Figure) and block.scene.last_step > 0 and not all(isinstance(b, Paragraph) for b in frames[-1])
            if frames[-1] and (used + need > self.page.height or begins):
                # Words that introduce a block stay with it.
                introduced = _introduces(frames[-1]) and self.height(frames[-1][-1]) + need <= self.page.height
                moved = [frames[-1].pop()] if introduced else []
                frames.append(moved)
                used = sum(self.height(b) for b in moved)
            frames[-1].append(block)
            used += need
        named = [f for f in frames if f]
        return [
            Frame(title if len(named) == 1 else rf"{title} ({k}/{len(named)})", self.joined(f, self.built(f)))
            for k, f in enumerate(named, start=1)
        ]

    def parts(self, blocks: Sequence[Block]) -> Iterator[Block]:
        """Yield blocks, those that are higher than a slide in parts; words in front leave room for the first of them."""
        words = 0.0
        for block in blocks:
            yield from self.split(block, words if words < self.page.height / 3 else 0.0)
            words = words + self.height(block) if isinstance(block, Paragraph) else 0.0

    def built(self, blocks: Sequence[Block]) -> list[str]:
        """Write the blocks of a slide, each group after a block with steps appearing after its last step."""
        out: list[str] = []
        start, last = 1, 1
        waiting = False
        for block in blocks:
            if waiting:
                start, waiting = last + 1, False
            steps = _steps(block)
            shown = block
            if isinstance(block, Display) and block.lines:
                first = min(line.step for line in block.lines)
                shown = Display(tuple(replace(line, step=line.step - first) for line in block.lines))
                steps = _steps(shown)
            if isinstance(block, Paragraph):
                out.append(_uncovered(start + block.step, self.block(block)))
                last = max(last, start + block.step)
                continue
            text = self.display(shown, start) if isinstance(shown, Display) else self.block(shown)
            out.append(text if isinstance(shown, Display) else _uncovered(start, text))
            last = max(last, start + steps)
            waiting = steps > 0
        return out

    def split(self, block: Block, above: float = 0.0) -> list[Block]:
        """Cut a block that is higher than a slide; so much of it is taken by the words above."""
        room = self.page.height - 1.6 - above
        if isinstance(block, Display):
            chains = _chains(block.lines)
            if len(chains) > 1 or sum(map(self.line_height, block.lines)) <= room:
                groups = _groups(chains, lambda chain: sum(map(self.line_height, chain)), room)
                whole = [Display(tuple(line for chain in g for line in chain)) for g in groups]
                return [part for d in whole for part in (self.split(d, above) if len(_chains(d.lines)) == 1 and len(whole) > 1 else [d])]
            left = _sides(block.lines[0].latex)[0]
            cut = _groups(block.lines, self.line_height, room)
            # A chain that goes on says again of what.
            again = [[replace(g[0], latex=f"{left} {g[0].latex}"), *g[1:]] if k else g for k, g in enumerate(cut)]
            return [Display(tuple(g)) for g in again]
        if isinstance(block, Algorithm):
            groups = _groups(block.lines, lambda line: self.pseudo_height(line[1]), room - 2.4)
            done = 0
            boxes: list[Block] = []
            for g in groups:
                boxes.append(_Rest(f"{block.title}, continued", tuple(g), done) if done else Algorithm(block.title, tuple(g)))
                done += len(g)
            return boxes
        if isinstance(block, Enumeration) and not block.ordered:
            return [Enumeration(tuple(g)) for g in _groups(block.items, self.text_height, room)]
        if isinstance(block, Table):
            return list(self.tables(block))
        if isinstance(block, Listing):
            lines = block.code.rstrip("\n").split("\n")
            return [Listing("\n".join(lines[k : k + 14]), block.language, block.caption) for k in range(0, len(lines), 14)]
        return [block]

    def height(self, block: Block) -> float:
        """Return about how high a block is, in em."""
        if isinstance(block, Paragraph):
            return self.text_height(block.parts) + 0.4
        if isinstance(block, Display):
            return sum(self.line_height(line) for line in block.lines) + 1.4
        if isinstance(block, Algorithm):
            return sum(self.pseudo_height(t) for _, t in block.lines) + 3.5
        if isinstance(block, Enumeration):
            return sum(self.text_height(i) + 0.3 for i in block.items)
        if isinstance(block, Table):
            caption = self.text_height(block.caption) if block.caption else 0
            return sum(self.row_height(r) for r in (block.head, *block.rows)) + 2 + caption
        if isinstance(block, Listing):
            return len(block.code.split("\n")) + 1 + bool(block.caption)
        caption = self.text_height(block.caption) + 0.5 if block.caption else 0
        if isinstance(block, Figure):
            return self.scale(block) * _extent(block.scene)[1] / CENTIMETRES + caption + 1.2
        return self.page.height - 1

    def line_height(self, line: Line) -> float:
        left, right = _sides(line.latex)
        parts = rows(right, self.page.width - min(measure(left).width, self.page.width / 2)) if right else (left,)
        heights = [measure(p).total for p in parts]
        return sum(max(1.5, h + 0.4) for h in (max(heights[0], measure(left).total), *heights[1:]))

    def text_height(self, parts: Text) -> float:
        return 1.25 * max(1, -(-_breadth(parts) // (self.page.width - 1)))

    def pseudo_height(self, parts: Text) -> float:
        return max([self.text_height(parts) + 0.15, *(measure(p.latex).total + 0.3 for p in parts if isinstance(p, Math))])

    # --- blocks ---

    def block(self, block: Block) -> str:
        """Write a block."""
        if isinstance(block, Paragraph):
            return self.text(block.parts)
        if isinstance(block, Display):
            return self.display(block)
        if isinstance(block, Table):
            return "\n".join(self.table(t, block) for t in self.tables(block))
        if isinstance(block, Figure):
            return self.figure(block)
        if isinstance(block, Chart):
            return self.chart(block)
        if isinstance(block, Listing):
            return self.listing(block)
        if isinstance(block, Algorithm):
            return self.algorithm(block)
        name = "enumerate" if block.ordered else "itemize"
        items = "\n".join(rf"\item {self.text(item)}" for item in block.items)
        return f"\\begin{{{name}}}\n{items}\n\\end{{{name}}}" if block.items else ""

    def display(self, display: Display, start: int = 1) -> str:
        """Write formulas below each other; ``start`` is the overlay of step 0."""
        if not display.lines:
            return ""
        notes = [line.note for line in display.lines if line.note is not None]
        made: list[str] = []
        margin = self.left(display.lines, self.page.width - 1.0)
        for line in display.lines:
            made += self.rows(line, margin, start + line.step if self.page.overlays else 1)
        body = " \\\\\n  ".join(made)
        text = f"\\begin{{align*}}\n  {body}\n\\end{{align*}}"
        if notes:
            text += f"\\addtocounter{{footnote}}{{-{len(notes)}}}%\n"
            text += "".join(rf"\stepcounter{{footnote}}\footnotetext{{{self.text(n.parts)}}}%" + "\n" for n in notes)
        return text.rstrip("\n")

    def left(self, lines: Iterable[Line], room: float) -> float:
        """Return the width of the widest left side that does not get a row of its own."""
        widths = [measure(_sides(line.latex)[0]).width for line in lines]
        return max((w for w in widths if w <= room * 0.4), default=0.0)

    def rows(self, line: Line, margin: float, overlay: int) -> list[str]:
        """Write the rows of one line of a display; ``margin`` is the width of the left sides."""

        def shown(latex: str) -> str:
            return _uncovered(overlay, latex) if latex else ""

        named = _uncovered(overlay, rf"{{\footnotesize {tex_words(line.rule)}}}")
        rule = rf" \tag*{{{named}}}" if line.rule else ""
        mark = r"\mbox{\footnotemark}" if line.note is not None else ""
        room = self.page.width - 1.0
        left, right = _sides(line.latex)
        alone = measure(left).width > room * 0.4
        # What has a wide left side, or none at all, begins where the left sides begin.
        back = rf"\hspace{{-{margin:.1f}em}}" if margin else ""
        if not right or (alone and measure(f"{left} {right}").width < room):
            return [f"&{back}{shown(' '.join((left, right)).strip() + mark)}{rule}" if alone else f"&{shown(left + mark)}{rule}"]
        parts = rows(right, room - (2 if alone else margin))
        out = [f"&{back}{shown(left)}"] if alone else []
        for k, part in enumerate(parts):
            relation = part.split(" ", 1)[0] in _RELATION_WORDS
            indent = (r"\quad " if alone else "") + ("" if relation else r"\qquad {}")
            lead = f"{shown(left)} &" if k == 0 and left and not alone else f"&{back}" if alone else "&"
            out.append(lead + shown(indent + part + (mark if k == len(parts) - 1 else "")))
        out[-1] += rule
        return out

    def centred(self, text: str) -> str:
        """Return something in the middle of the line, whole on one page."""
        # A frame that breaks by itself does so behind it rather than not at all.
        end = "" if self.page.packages else r"\par\penalty-200"
        return f"\\begin{{center}}\\begin{{minipage}}{{\\linewidth}}\\centering\n{text}\n\\end{{minipage}}\\end{{center}}{end}"

    def tables(self, table: Table) -> Iterator[Table]:
        """Cut a table that is too high; each part has the head."""
        groups = _groups(table.rows, self.row_height, self.page.table)
        for k, group in enumerate(groups):
            caption = table.caption if not k or not table.caption else (*table.caption, " (continued)")
            yield replace(table, rows=tuple(group), caption=caption)

    def row_height(self, row: Sequence[Text]) -> float:
        """Return about how high a row is, in em."""
        boxes = [measure(p.latex).total for cell in row for p in cell if isinstance(p, Math)]
        lines = math.ceil(sum(_breadth(cell) + 1 for cell in row) / self.page.width)
        return max([1.2 * self.stretch * lines, *(0.72 * b + 0.6 for b in boxes)])

    def table(self, table: Table, whole: Table | None = None) -> str:
        """Write a table that fits on the page; the columns are those of ``whole``, which it is a part of."""
        whole = whole or table
        columns = max([len(whole.head), *(len(r) for r in whole.rows)], default=0)
        if not columns:
            return ""
        shape, size = self.columns(whole, columns)
        cells = [[*row, *([()] * (columns - len(row)))] for row in ((table.head,) if table.head else ()) + table.rows]
        rule = (r"\toprule", r"\midrule", r"\bottomrule") if self.page.packages else (r"\hline",) * 3
        lines = [rf"\begin{{tabular}}{{@{{}}{''.join(s if s in 'lcr' else 'l' for s in shape)}@{{}}}}", rule[0]]
        for k, row in enumerate(cells):
            lines.append(_strut(row) + " & ".join(self.cell(c, shape[n]) for n, c in enumerate(row)) + r" \\")
            if k == 0 and table.head:
                lines.append(rule[1])
        lines += [rule[2], r"\end{tabular}"]
        caption = rf"{self.text(table.caption)}\\[3pt]" + "\n" if table.caption else ""
        stretch = rf"\renewcommand{{\arraystretch}}{{{self.stretch}}}"
        return self.centred(f"{size}{stretch}%\n{caption}" + "\n".join(lines))

    @property
    def stretch(self) -> float:
        """How far the rows of a table stand apart; on a slide subscripts need more room to be told from the row below."""
        return 1.35 if self.page.height else 1.25

    def columns(self, table: Table, columns: int) -> tuple[list[str], str]:
        """Return for each column l, c, r or a width in em, and the size of the letters."""
        align = (table.align or "l" * columns).ljust(columns, "l")[:columns]
        cells = [[*row, *([()] * (columns - len(row)))] for row in ((table.head,) if table.head else ()) + table.rows]
        widths = [1.04 * max(_breadth(row[k]) for row in cells) for k in range(columns)]
        gap = 1.1
        room = self.page.width - 2 - gap * (columns - 1)
        shape, size = list(align), ""
        if sum(widths) > room:
            size, room = r"\small ", room / 0.92
        if sum(widths) > room:
            # Words are broken inside the widest columns; numbers are set smaller.
            wordy = [k for k in range(columns) if align[k] == "l" and widths[k] > 9]
            rest = room - sum(w for k, w in enumerate(widths) if k not in wordy)
            if wordy and rest > 5 * len(wordy):
                total = sum(widths[k] for k in wordy)
                for k in wordy:
                    share = max(4.0, rest * widths[k] / total) * 0.9
                    shape[k] = f"{share:.1f}"
            else:
                size = r"\footnotesize " if sum(widths) < room * 1.12 else r"\scriptsize "
                if sum(widths) > room * 1.35:
                    size = r"\tiny "
        return shape, size

    def cell(self, parts: Text, shape: str) -> str:
        """Write a cell; ``shape`` is l, c, r or the width in em of words that are broken."""
        written = self.text(parts)
        return written if shape in "lcr" or not written else rf"\parbox[t]{{{shape}em}}{{\raggedright {written}\strut}}"

    def figure(self, figure: Figure) -> str:
        """Write a picture, made smaller where it would not fit; on slides it is drawn step by step."""
        factor = self.scale(figure)
        picture = tikz(figure.scene, overlays=self.page.overlays)
        if factor < 1:
            picture = f"\\scalebox{{{factor:.3f}}}{{%\n{picture.rstrip()}}}\n"
        caption = f"\n\\par\\smallskip {{\\small {self.text(figure.caption)}}}" if figure.caption else ""
        return self.centred(f"{picture.rstrip()}{caption}")

    def scale(self, figure: Figure) -> float:
        """Return by how much a picture is made smaller; on a slide there is room for a few words beside it."""
        wide, high = _extent(figure.scene)
        return min(1.0, self.page.centimetres / max(wide, 0.1), self.page.picture / max(high, 0.1))

    def chart(self, chart: Chart) -> str:
        """Write a plot, made smaller where it would not fit."""
        wide = 13.2 if any(c.label for c in chart.curves) else 9.6
        high = 9.2 if chart.field is not None else 6.6
        factor = min(1.0, self.page.centimetres / wide, self.page.picture / high)
        picture = pgfplots(chart).rstrip()
        if factor < 1:
            picture = f"\\scalebox{{{factor:.3f}}}{{%\n{picture}}}"
        caption = f"\n\\par\\smallskip {{\\small {self.text(chart.caption)}}}" if chart.caption else ""
        return self.centred(f"{picture}{caption}")

    def listing(self, listing: Listing) -> str:
        """Write source text line by line; long lines are continued below."""
        limit = int(self.page.width / 0.5)
        lines = []
        for line in listing.code.rstrip("\n").expandtabs(4).split("\n"):
            parts = [line[k : k + limit] for k in range(0, len(line), limit)] or [""]
            lines += [tex_words(p).replace("  ", "~~").replace(" ", "~") for p in parts]
        caption = rf"\par\smallskip\noindent {self.text(listing.caption)}\par\nobreak" + "\n" if listing.caption else ""
        body = "\n".join(rf"\mbox{{{line}}}\\" for line in lines[:-1]) + f"\n\\mbox{{{lines[-1]}}}"
        return f"{caption}\\par\\smallskip{{\\footnotesize\\ttfamily\\noindent\n{body}\\par}}\\smallskip"

    def algorithm(self, algorithm: Algorithm) -> str:
        """Write pseudocode between rules, with numbered lines."""
        whole = not self.page.overlays and len(algorithm.lines) <= (24 if self.page.packages else 8)
        lines = [
            r"\par\medskip\noindent" + (r"\begin{minipage}{\linewidth}" if whole else ""),
            r"{\parskip=1pt\lineskiplimit=2pt\lineskip=3pt\noindent\rule{\linewidth}{0.8pt}\par\nobreak",
            rf"\noindent\textbf{{Algorithm.}} {tex_words(algorithm.title)}\par\nobreak\nointerlineskip\vspace{{3pt}}",
            r"\noindent\rule{\linewidth}{0.4pt}\par\nobreak\nointerlineskip\vspace{4pt}",
        ]
        done = algorithm.done if isinstance(algorithm, _Rest) else 0
        for k, (depth, text) in enumerate(algorithm.lines, start=done + 1):
            indent = 1.8 + 1.6 * depth
            lines.append(
                rf"\noindent\hangindent={indent + 1.2:.1f}em\hangafter=1\makebox[{indent:.1f}em][l]{{\footnotesize {k}}}"
                rf"\ignorespaces {self.pseudocode(text, self.page.width - indent - 2)}\par"
            )
        lines.append(
            r"\nointerlineskip\vspace{4pt}\noindent\rule{\linewidth}{0.8pt}\par}" + (r"\end{minipage}" if whole else "") + r"\par\medskip"
        )
        return "\n".join(lines)

    def pseudocode(self, parts: Text, room: float) -> str:
        """Write a line of pseudocode; a formula in it is as large as in a display, and broken where it is too wide."""
        out = ""
        for part in parts:
            if not isinstance(part, Math):
                out += self.inline(part)
                continue
            left, right = _sides(part.latex)
            cut = rows(right, room - measure(left).width) if right and measure(part.latex).width > room else (right,)
            out += rf"$\displaystyle {left} {cut[0]}$" + "".join(rf"\\ $\displaystyle \qquad {{}} {row}$" for row in cut[1:])
        return out


_RELATION_WORDS = RELATIONS | {":="}


def _sides(latex: str) -> tuple[str, str]:
    """Return the left side of a line, and the right one with its sign; all is left if there is no sign."""
    if "&" in _bare(latex):
        return sides(latex)
    left, right = halves(latex)
    return (left, right) if left or _starts_with_relation(right) else (right, "")


def _starts_with_relation(latex: str) -> bool:
    return latex.split(" ", 1)[0] in _RELATION_WORDS or latex[:1] in "=<>"


def _bare(latex: str) -> str:
    """Return a formula without its environments and braces, where an ``&`` is its own."""
    without = re.sub(r"\\begin\{.*?\\end\{[a-z]*\}", "", latex, flags=re.DOTALL)
    return without.replace(r"\&", "")


def _strut(row: Sequence[Text]) -> str:
    """Return what keeps a row with high formulas apart from its neighbours."""
    boxes = [measure(rf"\textstyle {p.latex}") for cell in row for p in cell if isinstance(p, Math)]
    # In the lines of a text fractions are set smaller than in a display.
    height, depth = (0.72 * max((getattr(b, side) for b in boxes), default=0.0) for side in ("height", "depth"))
    return "" if height < 0.9 and depth < 0.45 else rf"\rule[-{depth + 0.1:.2f}em]{{0pt}}{{{height + depth + 0.25:.2f}em}}"


def _uncovered(overlay: int, text: str) -> str:
    return text if overlay <= 1 else rf"\uncover<{overlay}->{{{text}}}"


def _steps(block: Block) -> int:
    """Return how many clicks a block takes after it has appeared."""
    if isinstance(block, Display):
        return max((line.step for line in block.lines), default=0)
    if isinstance(block, Figure):
        return block.scene.last_step
    return 0


def _introduces(blocks: Sequence[Block]) -> bool:
    return len(blocks) > 1 and isinstance(blocks[-1], Paragraph)


def _chains(lines: Sequence[Line]) -> list[list[Line]]:
    """Group lines with the continuations that follow them."""
    chains: list[list[Line]] = []
    for line in lines:
        if chains and _starts_with_relation(line.latex):
            chains[-1].append(line)
        else:
            chains.append([line])
    return chains


def _groups(items: Sequence[Any], height: Callable[[Any], float], room: float) -> list[list[Any]]:
    """Cut items into groups that fit, about equally high."""
    needs = [height(item) for item in items]
    count = max(1, math.ceil(sum(needs) / room))
    while True:
        groups: list[list[Any]] = [[]]
        used, left = 0.0, sum(needs)
        for item, need in zip(items, needs, strict=True):
            fair = used + need / 2 > left / max(1, count - len(groups) + 1)
            if groups[-1] and (used + need > room or (fair and len(groups) < count)):
                left -= used
                groups.append([])
                used = 0.0
            groups[-1].append(item)
            used += need
        if len(groups) <= count:
            return groups
        # Heights did not add up to that few groups: share them among one more.
        count += 1


def _breadth(parts: Text) -> float:
    """Return about how wide a text is on one line, in em."""
    total = 0.0
    for p in parts:
        if isinstance(p, str):
            total += prose_width(p)
        elif isinstance(p, Math):
            total += measure(p.latex).width
        elif isinstance(p, Strong | Link):
            total += prose_width(p.text) * 1.1
        else:
            total += 1.0
    return total


def _labels(scene: Scene) -> Iterator[Label]:
    yield from (n.label for n in scene.nodes)
    yield from (w.label for w in scene.words)
    yield from (m.label for e in scene.edges for m in e.marks)


def _extent(scene: Scene) -> tuple[float, float]:
    """Return width and height of a picture in centimetres, labels included."""
    if not (scene.nodes or scene.words):
        return 0.0, 0.0
    box = bounds(scene)
    return box.right - box.left, box.top - box.bottom


def _address(url: str) -> str:
    """Return a web address for an argument of TeX.

    Raises:
        DeclarationError: it is no https address.
    """
    if not re.fullmatch(r"https://[A-Za-z0-9._~/?#=&%+:@,;()!*'$-]+", url):
        raise DeclarationError(f"link {url[:60]!r} is no https address")
    return re.sub(r"[%#&]", lambda m: "\\" + m[0], url).replace("~", r"\string~").replace("_", r"\_").replace("$", r"\$")


def _breakable(url: str) -> str:
    """Return a web address as it is printed: it may be broken after its signs."""
    _address(url)
    marks = {"_": r"\_", "%": r"\%", "#": r"\#", "~": r"\textasciitilde{}", "$": r"\$", "&": r"\&"}
    shown = ""
    for c, following in zip(url, f"{url[1:]}/", strict=True):
        shown += marks.get(c, c) + (r"\allowbreak{}" if c in "/.-=?&" and following != "/" else "")
    return rf"\texttt{{{shown}}}"


__all__ = ["KINDS", "PAGES", "Frame", "Made", "Page", "Writer", "check_kind", "environment", "tex", "view"]
