"""Markdown documents read back: formulas byte for byte, numbers, footnotes, tables, and texts that stay texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from nasty import ATTACKS, EVERY, nasty
from printed import printed

from symbackprop.errors import DeclarationError
from symbackprop.present.document.markdown import markdown, plain, portable
from symbackprop.present.document.records import Cite, Display, Document, Footnote, Line, Listing, Math, Paragraph, Section, Table


@pytest.fixture
def maths(require_tool: Callable[[str], None]) -> MarkdownIt:
    """A reader that knows formulas, as Jupyter, MyST and Quarto do."""
    require_tool("mdit-py-plugins")
    from mdit_py_plugins.dollarmath import dollarmath_plugin
    from mdit_py_plugins.footnote import footnote_plugin

    return plainest().use(dollarmath_plugin, double_inline=True).use(footnote_plugin)


def plainest() -> MarkdownIt:
    """A reader that knows no formulas, as GitHub's first pass."""
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def flat(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from flat(token.children or [])


def said(tokens: list[Token]) -> str:
    """What a reader sees, blocks on lines of their own."""
    out = []
    for token in flat(tokens):
        out.append("\n" if token.type in ("softbreak", "inline", "fence") else "")
        if token.type != "inline":
            out.append(token.content)
    return "".join(out)


def text_of(*blocks: Any, **more: Any) -> str:
    return markdown(replace(Document("Title", (Section("Part", blocks),)), **more))[0]


def test_every_printed_formula_survives_every_reader(maths: MarkdownIt):
    formulas = printed()
    inline = [f for f in formulas if "&" not in f]
    text = text_of(
        *(Paragraph(("word ", Math(f), " and ", Math("x_{i}"), " word")) for f in inline), *(Display((Line(f),)) for f in formulas)
    )
    seen = said(plainest().parse(text))
    tokens = list(flat(maths.parse(text)))
    for f in inline:
        assert f"word ${portable(f)}$ and $x_{{i}}$ word" in seen, f
    assert [t.content for t in tokens if t.type == "math_inline"][::2] == [portable(f) for f in inline]
    blocks = [t.content.strip() for t in tokens if t.type == "math_block"]
    assert [b.removeprefix("{}") for b in blocks] == [portable(f) for f in formulas]
    assert all(block in seen for block in blocks)


def test_several_lines_are_aligned_with_their_rules(maths: MarkdownIt):
    lines = (Line(r"a \, b = \{c\}", rule="tanh′ = 1 − tanh² _x_ $"), Line("= - d | e", rule="δ of layer l"), Line("f", blank=False))
    text = text_of(Display(lines))
    block = next(t.content.strip() for t in flat(maths.parse(text)) if t.type == "math_block")
    assert block.splitlines() == [
        r"\begin{aligned}",
        r"a \thinspace b &= \lbrace c\rbrace && \text{tanh}'\text{ = 1 }-\text{ tanh}^2"
        r"\text{ }\underline{\ }\text{x}\underline{\ }\text{ ?} \cr",
        r"&= - d \vert e && \delta{}\text{ of layer l} \cr",
        "&f",
        r"\end{aligned}",
    ]
    assert all(line in said(plainest().parse(text)) for line in block.splitlines())


@pytest.mark.parametrize(
    ("given", "written"),
    [
        (r"a \\ b", r"a \cr b"),
        (r"x \, \text{a}", r"x \thinspace \text{a}"),
        (r"f(x)\!g", r"f(x)\negthinspace g"),
        (r"\{1\}", r"\lbrace1\rbrace"),
        (r"\lVert x \rVert", r"\lVert x \rVert"),
        (r"a | b", r"a \vert b"),
        (r"a|b", r"a\vert b"),
        (r"\mathbf{W}_i x_{j}", r"\mathbf{W}_ i x_{j}"),
        (r"\mathrm{dense\_1}", r"\mathrm{dense\underline{\ }1}"),
        ("a<b", "a< b"),
        ("[a](b)", "[a] (b)"),
        (r"a\ b", r"a\ b"),
        (r"x^*", r"x^\ast"),
        ("&lt; b", "& lt; b"),
    ],
)
def test_formulas_are_written_so_that_nobody_touches_them(given: str, written: str):
    assert portable(given) == written
    assert portable(written) == written


@pytest.mark.parametrize("attack", ATTACKS)
def test_texts_come_out_as_texts(attack: str):
    shown = " ".join("".join(c if c.isprintable() else " " for c in attack).split())
    text, pictures = markdown(nasty(attack))
    tokens = list(flat(plainest().parse(text)))
    assert not [
        t for t in tokens if t.type in ("html_inline", "html_block", "code_inline", "s_open", "code_block", "hr", "blockquote_open")
    ]
    links = [str(t.attrs.get("href") or t.attrs.get("src")) for t in tokens if t.type in ("link_open", "image")]
    assert all(re.fullmatch(r"https://example\.org/\S*|notes-\d\.svg", link) for link in links), links
    headings = [b.content for a, b in pairwise(tokens) if a.type == "heading_open"]
    assert len(headings) == 3
    assert " ".join(said(plainest().parse(f"# {plain(attack)}")).split()) == shown
    assert " ".join(said(plainest().parse(f"| a |\n|---|\n| {plain(attack)} |")).split()) == f"a {shown}"
    fences = [t for t in tokens if t.type == "fence"]
    assert [t.content.rstrip("\n") for t in fences] == [attack.rstrip("\n")] * 2
    for picture in pictures.values():
        assert attack.split("\u2028")[0] in "".join(ElementTree.fromstring(picture).itertext()) or not attack.isprintable()


def test_a_document_with_everything(maths: MarkdownIt):
    text, pictures = markdown(EVERY, "lecture")
    assert list(pictures) == ["lecture-1.svg"] and pictures["lecture-1.svg"].startswith("<svg")
    assert "](lecture-1.svg)" in text and "<" not in re.sub(r"<https://[^>]*>", "", text)
    tokens = list(flat(maths.parse(text)))
    kinds = {t.type for t in tokens}
    assert {
        "heading_open",
        "table_open",
        "fence",
        "ordered_list_open",
        "bullet_list_open",
        "math_block",
        "math_inline",
        "footnote_ref",
    } <= kinds
    assert "html_block" not in kinds and "html_inline" not in kinds
    assert markdown(EVERY, "lecture") == (text, pictures)
    assert text.endswith("\n") and "\n\n\n" not in text.split("```")[0]


def test_numbers_in_tables_are_read_back(maths: MarkdownIt):
    numbers = [[0.298371109, -1.5e-7], [float("inf"), 12345678.9]]
    rows = tuple(tuple((repr(n),) for n in row) for row in numbers)
    text = text_of(Table(((Math("|x|"),), ("a | b",)), rows, ("Caption",), "rr"))
    tokens = maths.parse(text)
    cells = [b.content for a, b in pairwise(tokens) if a.type == "td_open"]
    assert [float(c) for c in cells] == [n for row in numbers for n in row]
    heads = [b.content for a, b in pairwise(tokens) if a.type == "th_open"]
    assert len(heads) == 2 and heads[0] == r"$\vert x\vert$"


def test_a_yaml_head_for_quarto():
    text = markdown(Document('A "title": with --- dashes', (), author="A\nB"), head=True)[0]
    assert text.splitlines() == ["---", r'title: "A \"title\": with --- dashes"', 'author: "A B"', 'lang: "en"', "---"]


def test_footnotes_of_lines_stand_below_their_display():
    note = Footnote(("The deck prints ", Math("x"), "."))
    text = text_of(Display((Line("a = b"), Line("= c", note=note))), Paragraph(("word", note)))
    assert "$$\n\nLine 2: The deck prints $x$.\n\nword[^1]\n\n[^1]: The deck prints $x$." in text


@pytest.mark.parametrize("start", ["- a", "+ a", "1. a", "12) a", "= a", "# a", "> a", "    a", "::: a", "! a", "---", "* a"])
def test_a_paragraph_stays_a_paragraph(start: str):
    tokens = plainest().parse(text_of(Paragraph((start,))))
    assert [t.type for t in tokens][-3:] == ["paragraph_open", "inline", "paragraph_close"]
    assert said(tokens).splitlines()[-1] == start.strip()


def test_code_with_fences_in_it():
    tokens = plainest().parse(text_of(Listing("a\n```\nb\n~~~~\n````\n", "py`<x>")))
    assert [(t.content, t.info) for t in tokens if t.type == "fence"] == [("a\n```\nb\n~~~~\n````\n", "pyx")]


def test_a_citation_without_its_source_is_refused():
    with pytest.raises(DeclarationError, match="no source has the key 'nobody'"):
        text_of(Paragraph((Cite("nobody"),)))


def test_what_a_reader_is_to_find_is_not_in_the_text():
    text = text_of(Display((Line("a = 4711", blank=True), Line("= 4712", blank=True))))
    assert "471" not in text and r"a &= \boxed" in text


def test_formulas_that_touch_stay_two():
    assert "$a$ $b$ c" in text_of(Paragraph((Math("a"), Math("b"), " c")))
    assert r"5\$$b$" in text_of(Paragraph(("5$", Math("b"))))
