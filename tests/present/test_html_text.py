"""The HTML page as text: one file, nothing from elsewhere, the same bytes for the same document, and texts that stay texts."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from nasty import ATTACKS, EVERY, nasty

from symbackprop.errors import DeclarationError
from symbackprop.present.document.align import aligned, sides
from symbackprop.present.document.html import html
from symbackprop.present.document.records import Cite, Display, Document, Figure, Line, Math, Paragraph, Section, Table
from symbackprop.present.scene.records import Label, Node, Scene
from symbackprop.resources import data

VOID = {"meta", "link", "input", "img", "br", "hr"}


class Tree(HTMLParser):
    """Tags, attributes and texts of a page; complains about tags that do not match."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(page)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()

    def handle_data(self, text: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts.append(text)


def page_of(*blocks: object, **more: object) -> str:
    return html(replace(Document("Title", (Section("Part", blocks),)), **more))  # type: ignore[arg-type]


def test_one_file_with_nothing_from_elsewhere():
    page = html(EVERY)
    tree = Tree(page)
    for tag, attributes in tree.tags:
        for key in ("src", "href", "xlink:href", "action", "data", "srcset", "poster"):
            value = attributes.get(key)
            if value is not None and not (tag == "a" and value.startswith("https://")):
                assert value.startswith(("#", "data:")), (tag, key, value)
        assert not [key for key in attributes if key.startswith("on")]
    css = page[page.index("<style>") : page.rindex("</style>")]
    assert {u[:5] for u in re.findall(r"url\(([^)]*)\)", css)} == {"data:"}
    assert "@import" not in css and len(page) < 600_000


def test_the_policy_lets_these_scripts_run_and_no_other():
    tree = Tree(html(EVERY))
    policy = next(a["content"] for t, a in tree.tags if t == "meta" and a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None and policy.startswith("default-src 'none'")
    hashes = [f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in tree.scripts]
    assert len(hashes) == 2
    assert re.search(r"script-src ([^;]*)", policy)[1].split() == hashes  # type: ignore[index]


def test_same_document_same_bytes():
    assert html(EVERY) == html(EVERY)
    assert "\r" not in html(EVERY)


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_text_adds_no_tag_and_no_attribute(attack: str):
    mild = Tree(html(nasty("mild text"))).tags
    wild = Tree(html(nasty(attack))).tags

    def shape(tags: list[tuple[str, dict[str, str | None]]]) -> list[tuple[str, list[str]]]:
        # Pygments marks up words of code; titles of pictures become words on lines of their own.
        return [(tag, sorted(attributes)) for tag, attributes in tags if tag not in ("span", "tspan", "text", "i", "a")]

    assert shape(wild) == shape(mild)
    assert all((a.get("href") or "#")[0] == "#" or (a["href"] or "").startswith(("https://", "data:,")) for _, a in wild)


def test_only_fonts_that_are_needed():
    bare, bold = page_of(Paragraph((Math("x"),))), page_of(Paragraph((Math(r"\mathbf{x} \in \mathbb{R}"),)))
    faces = re.findall(r"@font-face\{[^}]*font-family:(\w+)", bare)
    assert faces == ["KaTeX_Main", "KaTeX_Math", "KaTeX_Size1", "KaTeX_Size2", "KaTeX_Size3", "KaTeX_Size4"]
    assert len(re.findall("@font-face", bold)) == len(faces) + 3


def test_katex_is_what_its_readme_says():
    folder = data("katex")
    said = dict(re.findall(r"^\| `([^`]+)` \| `([0-9a-f]{64})` \|$", (folder / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    files = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} - {"README.md", "LICENSE"}
    assert set(said) == files
    assert all(hashlib.sha256((folder / name).read_bytes()).hexdigest() == sum_ for name, sum_ in said.items())
    assert "MIT License" in (folder / "LICENSE").read_text(encoding="utf-8")


def test_a_citation_without_its_source_is_refused():
    with pytest.raises(DeclarationError, match="no source has the key 'nobody'"):
        page_of(Paragraph((Cite("nobody"),)))


def test_what_a_reader_is_to_find_is_not_in_the_page():
    page = page_of(Display((Line("a = 4711", blank=True), Line("= 4712", blank=True))))
    assert "471" not in page[page.index("<main") : page.index("</main>")]


def test_rows_of_different_lengths_and_alignments():
    page = page_of(Table((), ((("1",), ("2",)),), align="r"))
    assert '<td class="right">1</td><td class="left">2</td>' in page


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a = b = c", ("a", "= b = c")),
        ("= b", ("", "= b")),
        ("a &= b", ("a", "= b")),
        (r"\begin{bmatrix} a & b \end{bmatrix} = c", (r"\begin{bmatrix} a & b \end{bmatrix}", "= c")),
        (r"\underbrace{a = b}_{\text{x}} = c", (r"\underbrace{a = b}_{\text{x}}", "= c")),
        (r"\left( a = b \right) \approx c", (r"\left( a = b \right)", r"\approx c")),
        (r"\approx 0.5", ("", r"\approx 0.5")),
        (r"P(a = b)", (r"P(a = b)", "")),
        (r"v \leftarrow v + w = 3", ("v", r"\leftarrow v + w = 3")),
        (r"\theta := 0", (r"\theta", ":= 0")),
        (r"a \& b = c", (r"a \& b", "= c")),
        (r"\sum_{i = 1} x = c", (r"\sum_{i = 1} x", "= c")),
    ],
)
def test_where_lines_are_aligned(line: str, expected: tuple[str, str]):
    assert sides(line) == expected
    assert aligned(line).count("&") - expected[0].count("&") == 1


def test_a_section_without_a_title_has_no_heading():
    page = html(Document("Title", (Section("", (Paragraph(("words",)),)),)))
    assert "<h2" not in page and "words" in page and '<a href="#s1"' not in page


def test_lines_that_are_too_wide_are_broken_and_their_source_is_whole():
    wide = "z = " + " + ".join(f"W_{{1{k}}} x_{{{k}}}" for k in range(40)) + " = 3"
    page = page_of(Display((Line(wide, rule="a rule"), Line("= 4"))))
    body = page[page.index("<main") : page.index("</main>")]
    assert body.count('<div class="line">') > 4 and body.count('<div class="rule">a rule</div>') == 1
    assert wide.replace(" = ", " &= ", 1) in body.replace("&amp;", "&")
    assert html(Document("T", (Section("S", (Display((Line("a = b"),)),)),))).count('<div class="line">') == 1


def test_wide_pictures_stay_legible():
    nodes = tuple(Node(f"n{k}", Label(str(k)), 2.0 * k, 0) for k in range(20))
    page = page_of(Figure(Scene("Wide", nodes)), Figure(Scene("Small", nodes[:2])))
    wide, small = re.findall(r'<figure class="block picture([^"]*)" style="--least: (\d+)px"', page)
    assert wide[0] == " broad" and int(wide[1]) > 900 and small[0] == "" and int(small[1]) < 100


def test_nothing_of_the_page_is_loaded_before_it_is_wanted():
    code = (
        "import sys, symbackprop as sbp\n"
        "net = sbp.Sequential([sbp.Input(2), sbp.Dense(1, 'tanh')], loss='mse')\n"
        "net.derive().latex(), repr(net), net._repr_html_()\n"
        "print(sorted({'pygments', 'matplotlib', 'jinja2', 'markdown_it'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() in ("[]", "['jinja2']")


def test_a_language_is_text_and_half_a_character_is_no_error():
    page = html(Document("T\ud800", (Section("S", (Paragraph(("a\udfff",)),)),), language='"><script>alert(1)</script>'))
    assert len(Tree(page).scripts) == 2
    assert page.encode("utf-8")
