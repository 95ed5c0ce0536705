"""Formulas are measured as TeX measures them, and broken only where a line may end."""

from __future__ import annotations

import re

import pytest

import symbackprop as sbp
from symbackprop.present.document.breaking import halves, measure, pieces, rows, tokens
from symbackprop.present.document.pdf import typeset_log
from symbackprop.present.notation import PRESETS


def networks():
    yield sbp.Sequential(
        [sbp.Input(3), sbp.Dense(4, activation="sigmoid"), sbp.Dense(2, activation="sigmoid")], loss="half_squared_error", name="small"
    )
    x = sbp.Input(3)
    h = sbp.Dense(3, activation="tanh", name="hidden")(x)
    yield sbp.Network(inputs=x, outputs=sbp.Dense(2, name="out")(x + h), loss="huber", name="residual")


def formulas():
    found: dict[str, None] = {}
    for net in networks():
        derivation = net.derive()
        for preset in PRESETS:
            for form in ("matrix", "index"):
                found |= dict.fromkeys(f for f in derivation.latex(notation=preset, form=form).split("\n"))
    return tuple(found)


FORMULAS = formulas()


def fences(text: str) -> list[str]:
    """Braces and growing brackets in order."""
    return re.findall(r"\\left|\\right|(?<!\\)[{}]", text)


def balanced(text: str) -> bool:
    depth = 0
    for token in fences(text):
        depth += 1 if token in ("{", r"\left") else -1
        if depth < 0:
            return False
    return depth == 0


@pytest.mark.parametrize("width", [6.0, 12.0, 20.0, 1000.0])
def test_rows_hold_the_whole_formula_and_end_outside_of_brackets(width):
    for formula in FORMULAS:
        left, right = halves(formula)
        made = rows(right, width)
        assert all(balanced(row) for row in made), formula
        joined = " ".join(made).replace(r"\biggl", r"\left").replace(r"\biggr", r"\right")
        assert [t for t in tokens(joined) if not t.isspace()] == [t for t in tokens(right) if not t.isspace()], formula
        assert len(made) == 1 or measure(right).width > width
        assert [t for t in tokens(f"{left} {right}") if not t.isspace()] == [t for t in tokens(formula) if not t.isspace()]


def test_a_row_breaks_at_relations_then_sums_then_products():
    assert rows("= a + b = c + d", 6) == ("= a + b", "= c + d")
    assert rows("= a + b + c", 5) == ("= a + b", "+ c")
    assert rows(r"= f(a + b) \circ g(c)", 6) == ("= f(a + b)", r"\circ g(c)")
    assert rows(r"= \left( a + b + c + d \right)", 8) == (r"= \biggl( a + b + c", r"+ d \biggr)")
    assert rows(r"= a + b \qquad l = 2, 1", 8) == ("= a + b", r"\qquad l = 2, 1")
    assert rows(r"= \frac{a + b + c + d + e}{2}", 2) == (r"= \frac{a + b + c + d + e}{2}",)


def test_a_minus_sign_in_front_is_no_place_to_break():
    assert pieces("-a - b", frozenset("-")) == ("-a", "- b")
    assert pieces("= -a - b", frozenset("-")) == ("= -a", "- b")


def test_a_formula_is_parted_at_its_first_relation():
    assert halves(r"\sum_{n=1}^N x_n = y = z") == (r"\sum_{n=1}^N x_n", "= y = z")
    assert halves(r"\theta := \theta - 1") == (r"\theta", r":= \theta - 1")
    assert halves(r"W \leftarrow W - \eta g") == ("W", r"\leftarrow W - \eta g")
    assert halves(r"\mathbf{1}[i = j] a") == ("", r"\mathbf{1}[i = j] a")


def test_widths_and_heights_are_about_those_of_tex(require_tool):
    """TeX sets every formula in a box and tells its size; the estimate may be off by 15 % and one em."""
    require_tool("pdflatex")
    extra = (
        r"a = \begin{bmatrix} 0.15 & 0.2 \\ 0.25 & 0.3 \end{bmatrix} \begin{bmatrix} x_1 \\ x_2 \end{bmatrix}",
        r"\underbrace{(W^{(2)})^{\top} \delta^{(3)}}_{\text{upstream gradient}} \circ \underbrace{a \circ (1 - a)}_{\text{local gradient}}",
        r"\underset{2 \times 3}{W^{(1)}} \underset{3 \times 1}{x} + \sqrt{v + \epsilon}",
        r"f(x) = \begin{cases} x & x > 0 \\ 0 & x \le 0 \end{cases}",
        r"w_{11}^{(2)} \leftarrow 0.4 - 0.5 \cdot 0.08217 \approx 0.3589",
    )
    shown = (*FORMULAS[:120], *extra)
    boxes = "\n".join(rf"\setbox0=\hbox{{$\displaystyle {f}$}}\typeout{{SIZE \the\wd0 \the\ht0 \the\dp0}}" for f in shown)
    text = f"\\documentclass{{article}}\\usepackage{{amsmath}}\\begin{{document}}{boxes}\nx\\end{{document}}\n"
    sizes = re.findall(r"SIZE ([\d.]+)pt([\d.]+)pt([\d.]+)pt", typeset_log(text, "sizes"))
    assert len(sizes) == len(shown)
    for formula, size in zip(shown, sizes, strict=True):
        width, height, depth = (float(s) / 10 for s in size)
        guess = measure(formula)
        assert abs(guess.width - width) <= 0.15 * width + 1, (formula, guess, width)
        assert abs(guess.total - height - depth) <= 0.25 * (height + depth) + 0.5, (formula, guess, height + depth)
