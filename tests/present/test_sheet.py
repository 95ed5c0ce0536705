"""A derivation's formulas as a sheet, as a fragment for LaTeX, and as lines of text."""

from __future__ import annotations

import subprocess

import jinja2.meta
import pytest
from formulas import BIAS, HIDDEN, OUTPUT, WEIGHTS, matrix, naming_of

from symbackprop.declare.layers import Dense, Input
from symbackprop.declare.lower import lower
from symbackprop.derive.matrix import matrix_form
from symbackprop.present.display import displayed, displayed_lines, formula_table, table
from symbackprop.present.document.align import ruled
from symbackprop.present.document.records import Display, Document, Line, Paragraph, Section
from symbackprop.present.document.tex import environment, tex, view
from symbackprop.present.latex import latex_mean
from symbackprop.present.naming import network_naming
from symbackprop.present.notation import PRESETS
from symbackprop.present.sheet import Entry, Sheet, says
from symbackprop.public.network import Sequential

NET = Sequential([Input(3), Dense(4, activation="tanh"), Dense(2)], loss="softmax_cross_entropy")


def sheet():
    model = lower(NET.spec, per="sample")
    entries = tuple(Entry(e, matrix_form(e)) for e in model.system.equations)
    return Sheet((("Forward", entries),), network_naming(model), closing=("grad.dense_1.W",))


@pytest.mark.parametrize("kind", ["article", "beamer", "fragment"])
def test_the_templates_ask_for_what_the_view_gives(kind):
    source = environment().loader.get_source(environment(), f"{kind}.tex.jinja")[0]
    assert jinja2.meta.find_undeclared_variables(environment().parse(source)) <= set(view(Document("t", ()), kind))


def test_a_sheet_closes_with_the_mean_over_the_samples():
    made = sheet().formulas(notation="ufldl")
    assert made[-1] == r"\nabla_{W^{(1)}} L(\theta) = \frac{1}{M} \sum_{i=1}^M \nabla_{W^{(1)}} L(\theta; x^{(i)}, y^{(i)})"
    assert latex_mean("larochelle") == r"L(\theta) = \frac{1}{N} \sum_{n=1}^N L(\theta; x^n, y^n)"
    assert latex_mean("ufldl", mean=False) == r"L(\theta) = \sum_{i=1}^M L(\theta; x^{(i)}, y^{(i)})"
    assert all(says(f) for f in made)


def test_lines_of_text_have_both_forms_once():
    lines = sheet().text()
    assert lines[0] == "Forward"
    assert "  z_i^(2) = Σ_j W_ij^(1) x_j + b_i^(1)" in lines and "  z^(2) = W^(1) x + b^(1)" in lines
    assert len(set(lines)) == len(lines)


def test_a_fragment_defines_nothing_and_escapes_its_words():
    text = tex(Document(r"\input{secret}", (Section("A_1 & $", (Paragraph(("50% done",)), Display((Line("x = y"),)))),)), "fragment")
    assert r"\input" not in text.replace(r"\textbackslash{}input", "")
    assert r"\textbf{A\_1 \& \$}" in text and r"50\% done" in text
    assert "usepackage" not in text and r"\newcommand" not in text
    assert "  x &= y\n" in text
    assert text.endswith("\n")


def test_rows_with_rules_are_aligned_at_their_relation_not_at_an_ampersand_inside():
    lines = (Line(r"\begin{bmatrix} a & b \end{bmatrix} = c", "50%_x"), Line("= d"), Line("e"))
    assert ruled(lines) == (r"\begin{bmatrix} a & b \end{bmatrix} &= c && \text{50\%\_x}", "&= d", "&e")


def test_display_has_its_delimiters_and_escapes():
    assert displayed("x") == r"$\displaystyle x$"
    assert displayed_lines(["x = y", "z = w = v"]) == "$$\\begin{aligned}\nx &= y \\\\\nz &= w = v\n\\end{aligned}$$"
    assert "<script>" not in table(("<script>",), (("<b>",),), "<i>")
    assert "&lt;b&gt;" in formula_table((("<b>", "x"),))


@pytest.mark.parametrize("preset", PRESETS)
def test_a_fragment_compiles_with_nothing_but_amsmath(preset, tmp_path, require_tool):
    require_tool("pdflatex")
    results = tuple(Entry(e, matrix(e)) for e in (OUTPUT, HIDDEN, WEIGHTS, BIAS))
    body = tex(Document("Recursion", sheet().sections(notation=preset, shapes=True)), "fragment")
    for entry in results:
        one = Sheet((("δ of layer_1 <50%>", (entry,)),), naming_of(entry.index, preset))
        for form in ("matrix", "index"):
            body += tex(Document("one", one.sections(notation=preset, form=form)), "fragment")
    document = f"\\documentclass{{article}}\n\\usepackage{{amsmath}}\n\\begin{{document}}\n{body}\\end{{document}}\n"
    (tmp_path / "note.tex").write_text(document, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "note.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
