"""The HTML page in a browser: it opens from a file, asks the network for nothing, sets every formula, and runs nothing of its texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser import Browser
from nasty import ATTACKS, EVERY, nasty
from printed import printed

import symbackprop as sbp
from symbackprop.present.document.html import fonts_of, html
from symbackprop.present.document.markdown import portable
from symbackprop.present.document.records import Display, Document, Line, Math, Paragraph, Section
from symbackprop.present.document.subset import KNOWN

#: For each formula, the fonts that its letters ask for; one that is not there would be replaced silently by another.
FONTS_USED = """[...document.querySelectorAll(".math")].map((math) => {
  const wanted = new Set();
  for (const place of math.querySelectorAll(".katex-html, .katex-html *")) {
    if (![...place.childNodes].some((n) => n.nodeType === 3 && n.data.replace(/[\\s\u200b]/g, ""))) continue;
    const s = getComputedStyle(place);
    wanted.add(s.fontFamily.split(",")[0] + " " + s.fontWeight + " " + s.fontStyle);
  }
  return [...wanted];
})"""
STYLES = {
    ("400", "normal"): "Regular",
    ("700", "normal"): "Bold",
    ("400", "italic"): "Italic",
    ("700", "italic"): "BoldItalic",
}


def fonts_are_there(browser: Browser, formulas: list[str] | None = None) -> bool:
    """Whether every letter is set in a font that the page brings, judged formula by formula if they are given."""
    brought = browser.value("[...document.fonts].map((f) => f.family + ' ' + f.weight + ' ' + f.style)")
    used = browser.value(FONTS_USED)
    for k, fonts in enumerate(used):
        names = []
        for font in fonts:
            family, weight, style = font.split()
            names.append(f"{family.removeprefix('KaTeX_')}-{STYLES[weight, style]}")
        wrong = set(fonts) - set(brought) if formulas is None else set(names) - set(fonts_of(formulas[k]))
        assert not wrong, (wrong, formulas and formulas[k])
    return len(used) > 0


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory, require_tool: Callable[[str], None]) -> Iterator[Browser]:
    require_tool("chromium")
    made = Browser(tmp_path_factory.mktemp("profile"))
    yield made
    made.close()


def only_itself(requests: list[str]) -> bool:
    """Whether a page loaded nothing but its own file and what lies inside it."""
    return all(r.startswith(("file://", "data:")) for r in requests) and sum(r.startswith("file://") for r in requests) == 1


def test_the_page_opens_from_a_file_without_network_or_error(browser: Browser, tmp_path: Path):
    heard = browser.open(html(EVERY), tmp_path / "page.html")
    assert only_itself(heard.requests) and not heard.errors
    said = browser.value("({...document.documentElement.dataset})")
    count = browser.value("document.querySelectorAll('.math').length")
    assert said == {"errors": "0", "violations": "0", "formulas": str(count), "rendered": "true"} and count > 12
    assert browser.value("document.querySelectorAll('.math > .katex > .katex-html').length") == count
    assert browser.value("document.querySelectorAll('.math > .katex > .katex-mathml math').length") == count
    assert fonts_are_there(browser)


@pytest.mark.parametrize("dark", [False, True])
def test_formulas_are_there_to_see(browser: Browser, tmp_path: Path, dark: bool):
    browser.open(html(EVERY), tmp_path / "page.html", dark=dark)
    for k in range(browser.value("document.querySelectorAll('main .katex-html').length")):
        browser.value(f"document.querySelectorAll('main .katex-html')[{k}].id = 'f{k}'")
    for selector in ("#f0", "#f3", "#f5", "figure.picture .frame:not([hidden])", ".code"):
        assert 0.003 < browser.picture(selector).inked() < 0.6, selector
    paper = browser.picture("h1").rows[0][:3]
    assert max(paper) < 60 if dark else min(paper) > 220
    contrast = browser.value("[getComputedStyle(document.body).color, getComputedStyle(document.querySelector('.katex')).color]")
    assert contrast[0] == contrast[1]


def test_on_paper_every_font_is_there(browser: Browser, tmp_path: Path):
    far = (
        *(Paragraph(("words",)) for _ in range(200)),
        Display((Line(r"S = \sum_{k} \mathbf{x}_k \left(\frac{\frac{a}{b}}{\frac{c}{d}}\right)"),)),
    )
    browser.open(html(Document("Long", (Section("One", far),))), tmp_path / "page.html")
    assert {s for s in browser.value("[...document.fonts].map((f) => f.status)")} == {"loaded"}
    assert fonts_are_there(browser)
    browser.tell("Emulation.setEmulatedMedia", media="print")
    assert not browser.value("document.querySelector('aside').checkVisibility()")
    assert browser.picture("#s1 .lines").inked() > 0.003
    browser.tell("Emulation.setEmulatedMedia", media="")


def test_nothing_is_cut_off_on_a_narrow_screen(browser: Browser, tmp_path: Path):
    browser.open(html(EVERY), tmp_path / "page.html", width=360)
    assert browser.value("document.documentElement.scrollWidth") <= 360
    assert browser.value("Math.min(...[...document.querySelectorAll('main *')].map((e) => e.getBoundingClientRect().left))") >= 0


def test_without_scripts_the_page_still_tells_its_formulas(browser: Browser, tmp_path: Path):
    browser.open(html(EVERY), tmp_path / "page.html", script=False)
    browser.tell("Emulation.setScriptExecutionDisabled", value=False)
    assert r"\sum_{j} W_{ij} x_j + b_i" in browser.value("document.querySelector('main').innerText")
    assert browser.value("document.querySelectorAll('.frame:not([hidden])').length") == 1


def test_a_formula_that_fails_is_shown_as_it_is_and_reported(browser: Browser, tmp_path: Path):
    broken = Document("Broken", (Section("One", (Paragraph(("before ", Math(r"\frac{1}"), " after ", Math("x"))),)),))
    heard = browser.open(html(broken), tmp_path / "page.html")
    assert browser.value("document.querySelector('.math.wrong').textContent") == r"\frac{1}"
    assert browser.value("document.documentElement.dataset.errors") == "1"
    assert browser.value("document.querySelectorAll('.katex-html').length") == 1
    assert len(heard.errors) == 1 and r"\frac{1}" in heard.errors[0]


@pytest.mark.parametrize("attack", ATTACKS)
def test_texts_come_out_as_texts_and_nothing_runs(browser: Browser, tmp_path: Path, attack: str):
    heard = browser.open(html(nasty(attack)), tmp_path / "page.html")
    assert browser.value("window.ran") is None and not heard.dialogs and not heard.errors and only_itself(heard.requests)
    assert browser.value("[document.documentElement.dataset.violations, document.documentElement.dataset.errors]") == ["0", "0"]
    assert browser.value("document.querySelector('h1').textContent") == attack
    assert browser.value("document.querySelector('h2').lastChild.data").strip() == attack.strip()
    assert browser.value("document.querySelector('p.block strong').textContent") == attack
    code = browser.value("[...document.querySelectorAll('.code')].map((c) => c.textContent)")
    assert [c.rstrip("\n") for c in code] == [attack, attack]
    assert browser.value("document.querySelector('.rule').textContent") == attack
    assert browser.value("document.querySelectorAll('main img, main iframe, main script, main object, main embed').length") == 0
    assert browser.value("[...document.querySelectorAll('a')].filter((a) => a.protocol === 'javascript:').length") == 0


def test_search_shows_what_matches_in_words_and_in_formulas(browser: Browser, tmp_path: Path):
    browser.open(html(EVERY), tmp_path / "page.html")

    def look_for(text: str) -> str:
        browser.value(
            f"(() => {{ const b = document.getElementById('find'); b.value = {text!r}; b.dispatchEvent(new Event('input')); }})()"
        )
        return str(browser.value("[...document.querySelectorAll('main > section:not(.out)')].map((s) => s.id).join(' ')"))

    assert look_for("\\\\sigma'") == "s1" and look_for("σ") == "s1"
    assert look_for("two rounds") == "s2"
    assert browser.value("document.querySelectorAll('#s2 .block:not(.out)').length") == 1
    assert browser.value("document.querySelectorAll('nav li:not(.out)').length") == 1
    assert look_for("rumelhart") == "sources"
    assert look_for("no such thing") == ""
    assert browser.value("document.getElementById('nothing').checkVisibility()")
    assert look_for("") == "s1 s2 sources"
    assert browser.value("document.querySelectorAll('.out').length") == 0


def test_pictures_are_stepped_through(browser: Browser, tmp_path: Path):
    browser.open(html(EVERY), tmp_path / "page.html")
    shown = "[...document.querySelectorAll('.frame')].map((f) => f.checkVisibility())"
    said = "document.querySelector('.stepper output').textContent"
    press = "document.querySelector('.stepper [data-to={}]').click()"
    assert browser.value(shown)[:3] == [False, False, True] and browser.value(said) == "Step 3 of 3"
    browser.value(press.format("first"))
    assert browser.value(shown)[:3] == [True, False, False] and browser.value(said) == "Step 1 of 3"
    browser.value(press.format("next"))
    assert browser.value(shown)[:3] == [False, True, False]
    browser.value(press.format("back"))
    assert browser.value("document.querySelector('[data-to=back]').disabled")
    ids = browser.value("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids))


def test_the_latex_of_a_display_can_be_shown(browser: Browser, tmp_path: Path):
    browser.open(html(EVERY), tmp_path / "page.html")
    visible = "[...document.querySelectorAll('.source')].filter((e) => e.checkVisibility()).length"
    assert browser.value(visible) == 0
    browser.value("document.getElementById('sources-too').click()")
    assert browser.value(visible) == 2
    assert browser.value("document.querySelector('.source').textContent").startswith("\\begin{aligned}\nz &= W x + b \\\\\n")


def test_every_formula_of_every_preset_is_set(browser: Browser, tmp_path: Path):
    lines = list(printed())
    # In Markdown formulas are written a little differently.
    known = set(lines)
    elsewhere = [p for p in dict.fromkeys(map(portable, lines)) if p not in known]
    displays = [Display(tuple(map(Line, lines[k : k + 30]))) for k in range(0, len(lines), 30)]
    displays += [Display(tuple(map(Line, elsewhere[k : k + 30]))) for k in range(0, len(elsewhere), 30)]
    page = html(Document("Every formula", (Section("All", tuple(displays)),)))
    heard = browser.open(page, tmp_path / "page.html")
    assert heard.errors == [] and only_itself(heard.requests)
    assert int(browser.value("document.documentElement.dataset.formulas")) > 1.5 * len(lines) > 250 * len(sbp.notations())
    assert browser.value("document.documentElement.dataset.errors") == "0"


def test_every_word_of_the_subset_is_set_in_a_font_that_is_there(browser: Browser, tmp_path: Path):
    takes = {"frac": "{a}{b}", "dfrac": "{a}{b}", "tfrac": "{a}{b}", "underset": "{a}{b}", "overset": "{a}{b}", "color": "{red} a"}
    one = "sqrt mathbf mathrm mathbb mathsf mathcal boldsymbol operatorname text bar tilde hat vec overline underline underbrace".split()
    one += "overbrace boxed phantom hphantom vphantom widehat widetilde mathit textbf textit dot ddot smash mathop".split()
    sized = {"left": r"( a \right)", "right": "", "Big": "(", "big": "(", "bigl": "(", "bigr": ")", "Bigl": "(", "Bigr": ")", "not": "="}
    sized |= {
        "begin": "{bmatrix} a & b \\end{bmatrix}",
        "end": "",
        "substack": r"{a \\ b}",
        "middle": "",
        "cr": "",
        "tag": "",
        "limits": "",
    }
    formulas = []
    for word in sorted(KNOWN):
        after = takes.get(word, "{A}" if word in one else sized.get(word, " x"))
        if after:
            formulas.append(rf"\{word}{after}")
    heard = browser.open(html(Document("Words", (Section("All", tuple(Paragraph((Math(f),)) for f in formulas)),))), tmp_path / "page.html")
    assert heard.errors == []
    assert fonts_are_there(browser, formulas)
