"""Documents in LaTeX: they compile with the core set alone, nothing sticks out, and no text is ever obeyed."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace

import pytest

import symbackprop as sbp
from symbackprop.errors import DeclarationError, EmissionError, TargetError
from symbackprop.present.document.pdf import compiled, pdf
from symbackprop.present.document.records import (
    Algorithm,
    Chart,
    Cite,
    Curve,
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
)
from symbackprop.present.document.tex import KINDS, tex
from symbackprop.present.document.words import plain_words, tex_words
from symbackprop.present.notation import PRESETS, notation
from symbackprop.present.notes import Style
from symbackprop.present.scene.records import Edge, Label, Mark, Node, Scene
from symbackprop.public.notes import Wish, document_of

#: TeX, HTML and shell in one; with signs that only some fonts have.
EVIL = (
    r"""\input{/etc/passwd} $x$ <script>alert(1)</script> 50% #1 \write18{ls} ^^41 ~ & {} a_b "q" -- ,, `` é Σ ≤ δ ᵀ 漢 ½ \end{document}"""
)
SCENE = Scene(
    "two nodes",
    (Node("a", Label(EVIL[:20]), 0, 0), Node("b", Label("y_1", "y_1"), 3, 0, step=1)),
    (Edge("a", "b", (Mark(Label("q", "q")),), step=1),),
)


def everything(words: str) -> Document:
    """One of each block, with the same words everywhere."""
    long = r"\delta^{(2)} = " + r" + ".join([r"\left( (W^{(2)})^{\top} \delta^{(3)} \right) \circ a^{(2)} \circ (1 - a^{(2)})"] * 3)
    lines = (
        Line("a = b + c", rule=words, step=0),
        Line("= d", rule="second", step=1, note=Footnote(("The slide says ", Math("e"), words))),
        Line(long, step=2, note=Footnote(("another",))),
        Line(r"\text{alone}"),
        Line(r"W x &: (4 \times 3)(3 \times 1) \to 4 \times 1"),
        Line(r"x = \boxed{\phantom{0 \qquad}}", blank=True),
    )
    number = ((Math("0.5"),), (words,), (Strong(words), Footnote((words,))))
    return Document(
        words,
        (
            Section(
                words,
                (
                    Paragraph((words, Math("x^2"), Strong(words), Footnote((words,)), Link(words, "https://a.example/b_c?d=1&e=%20#f~"))),
                    Paragraph((Cite("key"), " later"), step=1),
                    Display(lines),
                    Display(()),
                    Table((("a",), (words,), (Math("z"),)), (number,) * 3, (words,), "rlc"),
                    Table(((words * 2,),), (((words * 3,),),) * 30),
                    Figure(SCENE, (words,)),
                    Chart(words, (Curve((0.0, 1.0), (1.0, 2.0), (words[:30],)),), x_label=("x",), caption=(words,)),
                    Listing(f"def f(x):\n    return x  # {words}\n" * 12, "python", (words,)),
                    Algorithm(words, ((0, (Strong("for "), Math("l = 1, 2"))), (1, (words,)), (1, (Math(long),)))),
                    Enumeration(((words,), (Math("y"),)), ordered=True),
                    Enumeration(((words,),)),
                ),
            ),
            Section("empty", ()),
        ),
        author=words,
        subtitle=words,
        sources=(Source("key", words, words, words, "2016", "https://www.example.org/a_b/c"),),
    )


def in_a_frame(*fragments: str) -> str:
    """A beamer document that takes a fragment into one of its frames."""
    head = "\\documentclass{beamer}\n\\usepackage{amsmath,mathtools,bm,tikz,pgfplots}\n\\begin{document}\n"
    frames = [f"\\begin{{frame}}[allowframebreaks]{{Mine}}\n{fragment}\\end{{frame}}\n" for fragment in fragments]
    return f"{head}{''.join(frames)}\\end{{document}}\n"


def written(document: Document, kind: str) -> str:
    return in_a_frame(tex(document, "fragment")) if kind == "frame" else tex(document, kind)


# --- text is text -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_document_is_ascii_and_obeys_none_of_its_words(kind):
    text = tex(everything(EVIL), kind)
    assert text.isascii()
    assert r"\input{" not in text and r"\write18" not in text and "^^" not in text
    assert "$x$" not in text.replace(r"\$x\$", "")
    assert text.count(r"\end{document}") == (0 if kind == "fragment" else 1)


def test_every_character_is_printed_or_replaced_by_a_question_mark():
    assert tex_words("a_b & 5% #1 $ {x} ~ ^ \\") == r"a\_b \& 5\% \#1 \$ \{x\} \textasciitilde{} \textasciicircum{} \textbackslash{}"
    assert tex_words("é ü ñ ç ß ø") == r"\'{e} \"{u} \~{n} \c{c} {\ss} {\o}"
    assert tex_words(r"\input{x} <50>") == r"\textbackslash{}input\{x\} \textless{}50\textgreater{}"
    assert tex_words("δ ∘ ∂") == r"\ensuremath{\delta} \ensuremath{\circ} \ensuremath{\partial}"
    assert tex_words("δ ≤ ½") == r"\ensuremath{\delta} \ensuremath{\le} \ensuremath{\tfrac{1}{2}}"
    assert tex_words("漢\x00\n") == "?  "
    assert tex_words("a--b ,, ''") == "a-{}-b ,{}, '{}'"
    assert plain_words("Größe & Σ_1 \\input{x}") == "Groe 1 input x" or plain_words("Größe").isascii()
    assert all(tex_words(chr(k)).isascii() for k in range(0x20, 0x2FF))


@pytest.mark.parametrize("kind", ["article", "beamer", "frame"])
def test_words_that_look_like_tex_are_printed_as_they_are(kind, require_tool, tmp_path):
    require_tool("pdflatex")
    data = compiled(written(everything(EVIL), kind), "evil", runs=1).data
    assert data.startswith(b"%PDF")
    if shutil.which("pdftotext"):
        (tmp_path / "evil.pdf").write_bytes(data)
        shown = subprocess.run(["pdftotext", "-layout", "evil.pdf", "-"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        flat = re.sub(r"\s+", "", shown)
        # In the fonts of the frame's own document an underscore is a rule, and ^ an accent.
        drawn = () if kind == "frame" else ("a_b", "^^41")
        for words in (r"\input{/etc/passwd}", "$x$", "50%", "#1", r"\write18{ls}", *drawn):
            assert words in flat, (kind, words)
        assert "root:" not in shown


def test_a_fragment_defines_nothing_and_says_what_it_needs():
    text = tex(everything("words"), "fragment")
    assert not re.search(r"\\(usepackage|newcommand|renewcommand(?!\{\\arraystretch\})|def|let|documentclass|newenvironment)\b", text)
    assert "tikz for its pictures" in text and "pgfplots for its charts" in text
    plain = tex(Document("t", (Section("s", (Paragraph(("x",)),)),)), "fragment")
    assert "tikz" not in plain and "pgfplots" not in plain


# --- what is written ----------------------------------------------------------------------------------------------------


def test_footnotes_of_formulas_are_numbered_with_those_of_the_text():
    text = tex(everything("words"), "article")
    assert text.count(r"\footnotemark") == 2
    assert text.count(r"\footnotetext") == 2
    assert r"\addtocounter{footnote}{-2}" in text


def test_steps_become_overlays_and_split_chains_say_again_of_what():
    chain = (Line("a = b", rule="one", step=0), *(Line(rf"= \frac{{b_{k}}}{{c}}", rule="next", step=k) for k in range(1, 15)))
    text = tex(Document("t", (Section("s", (Display(chain),)),)), "beamer")
    frames = text.split(r"\begin{frame}[t]")[1:]
    assert len(frames) > 1
    for frame in frames:
        overlays = [int(k) for k in re.findall(r"\\uncover<(\d+)->", frame)]
        assert set(overlays) == set(range(2, max(overlays) + 1))
        assert re.search(r"\n  a &=", frame), frame
    assert [int(k) for k in re.findall(r"c_|b_(\d+)", text) if k] == list(range(1, 15))


def test_what_follows_a_derivation_on_a_slide_appears_after_its_last_step():
    blocks = (Display((Line("a = b"), Line("= c", step=1))), Paragraph(("after",)), Display((Line("d = e"), Line("= f", step=1))))
    text = tex(Document("t", (Section("s", blocks),)), "beamer")
    assert r"\uncover<2->{= c}" in text
    assert r"\uncover<3->{after}" in text and r"\uncover<3->{= e}" in text and r"\uncover<4->{= f}" in text


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (Paragraph((Cite("nowhere"),)), "nowhere"),
        (Paragraph((Link("x", "javascript:alert(1)"),)), "https"),
        (Paragraph((Link("x", "https://a.example/\\input{x}"),)), "https"),
    ],
)
def test_a_wrong_reference_is_told_in_one_line(block, message):
    with pytest.raises(DeclarationError, match=message) as error:
        tex(Document("t", (Section("s", (block,)),)))
    assert "\n" not in str(error.value)


def test_an_unknown_kind_is_told_with_the_known_ones():
    with pytest.raises(DeclarationError, match="article, beamer, fragment"):
        tex(Document("t", ()), "poster")


# --- pdflatex -----------------------------------------------------------------------------------------------------------


def test_two_runs_in_two_folders_give_the_same_bytes(require_tool):
    require_tool("pdflatex")
    document = Document("words", (Section("words", (Paragraph(("x", Footnote(("y",)))), Figure(SCENE))),), author="me")
    for kind in ("article", "beamer"):
        text = tex(document, kind)
        assert pdf(text, "one") == pdf(text, "one")


def test_what_tex_does_not_take_is_one_line(require_tool):
    require_tool("pdflatex")
    with pytest.raises(EmissionError, match="Undefined control sequence") as error:
        pdf("\\documentclass{article}\\begin{document}\n\\nosuchthing\n\\end{document}\n")
    assert "\n" not in str(error.value) and "line 2" in str(error.value)
    with pytest.raises(EmissionError, match=r"nosuch\.sty.*apt-get install"):
        pdf("\\documentclass{article}\\usepackage{nosuch}\\begin{document}x\\end{document}\n")


def test_tex_reads_no_file_outside_of_its_folder_runs_nothing_and_comes_to_an_end(require_tool, tmp_path):
    require_tool("pdflatex")
    secret = tmp_path / "secret.tex"
    secret.write_text("secret", encoding="ascii")
    with pytest.raises(EmissionError):
        pdf(f"\\documentclass{{article}}\\begin{{document}}\\input{{{secret}}}\\end{{document}}\n")
    marker = tmp_path / "marker"
    pdf(f"\\documentclass{{article}}\\begin{{document}}x\\immediate\\write18{{touch {marker}}}\\end{{document}}\n")
    assert not marker.exists()
    with pytest.raises(TargetError, match="did not come to an end within 1 s"):
        pdf("\\documentclass{article}\\begin{document}\\loop\\iftrue\\repeat\\end{document}\n", timeout=1)


def test_without_pdflatex_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(TargetError, match="apt-get install texlive-latex-recommended texlive-pictures lmodern") as error:
        pdf("x")
    assert "\n" not in str(error.value)


# --- notes in every preset ----------------------------------------------------------------------------------------------


def lecture_networks():
    yield sbp.Sequential(
        [sbp.Input(3), sbp.Dense(4, activation="sigmoid"), sbp.Dense(2, activation="sigmoid")], loss="half_squared_error", name="small"
    )
    yield sbp.Sequential(
        [sbp.Input(4), sbp.Dense(5, activation="relu"), sbp.Dense(3)],
        loss="softmax_cross_entropy",
        name="classes",
        regularizer=sbp.L2(0.01),
    )


def all_presets(depth: str, shapes: bool, net: sbp.Network) -> list[Document]:
    """The notes of every preset."""
    return [document_of(net, Wish(Style(notation(preset), depth=depth, shapes=shapes))) for preset in PRESETS]


def together(documents: list[Document]) -> Document:
    """Documents one after another, so that TeX starts once."""
    sections = [replace(s, title=f"{k}: {s.title}") for k, one in enumerate(documents) for s in one.sections]
    return Document("All presets", tuple(sections), sources=documents[0].sources)


@pytest.mark.parametrize("kind", ["article", "beamer", "frame"])
def test_notes_in_every_preset_compile_and_nothing_sticks_out(kind, require_tool):
    require_tool("pdflatex")
    small, classes = lecture_networks()
    notes = all_presets("lecture", kind == "article", small)
    if kind == "frame":
        texts = [in_a_frame(*(tex(one, "fragment") for one in notes))]
    else:
        texts = [tex(together(notes), kind)]
    texts += [tex(together(all_presets("rewrite", False, classes)), kind)] if kind == "article" else []
    for text in texts:
        worst = [o for o in compiled(text, "notes", runs=1).overfull if o.points > 20]
        assert not worst, worst
