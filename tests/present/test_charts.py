"""Charts: contours against the field itself, and writers that say the same data in the same bytes."""

from __future__ import annotations

import builtins
import math
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from symbackprop.errors import DataError, TargetError
from symbackprop.present.document.records import Chart, Curve, Field, Link, Math, Strong
from symbackprop.present.document.words import tex_words
from symbackprop.present.scene.contour import lines, regions
from symbackprop.present.scene.plot import bands, looks, pgfplots
from symbackprop.present.scene.plot_matplotlib import chart_png, chart_svg, written
from symbackprop.present.scene.records import ROLES, Label, Scene, Words
from symbackprop.present.scene.tikz import tikz

NAN = float("nan")


def field(function, count=21, levels=(1.0,), reach=2.0):
    x = np.linspace(-reach, reach, count)
    values = function(*np.meshgrid(x, x))
    return Field(tuple(x), tuple(x), tuple(map(tuple, values)), levels)


def chart(**options):
    x = tuple(float(v) for v in np.linspace(-2, 2, 9))
    curves = (
        Curve(x, tuple(math.tanh(v) for v in x), (Math("f(z)"),), role="value"),
        Curve(x, tuple(NAN if v == 0 else float(v > 0) for v in x), ("slope ", Math("f'(z)")), "steps", "gradient", dashed=True),
        Curve((0.0, 1.0), (0.5, 0.25), (Strong("dots"),), "points"),
    )
    return Chart("a_b & <c>", curves, x_label=(Math("z_1"),), y_label=("height in %",), **options)


def area(loops):
    """The area inside loops by the even-odd rule, for loops that lie apart or inside each other, by the shoelace formula."""
    return abs(sum(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(p, (*p[1:], p[0]), strict=True)) / 2 for p in loops))


# --- contours -------------------------------------------------------------------------------------------------------------


def test_a_line_lies_where_the_field_has_its_level():
    """On a linear field linear interpolation is exact."""
    f = field(lambda x, y: 2 * x - 3 * y + 0.1, levels=(0.5,))
    (line,) = lines(f, 0.5)
    assert len(line) > 20
    np.testing.assert_allclose([2 * x - 3 * y + 0.1 for x, y in line], 0.5, atol=1e-12)


def test_a_circle_closes_and_has_its_area():
    """x² + y² = 1: chords of a fine grid enclose π less the second order of its width."""
    for count, tolerance in ((21, 0.05), (81, 0.004)):
        f = field(lambda x, y: x**2 + y**2, count)
        (line,) = lines(f, 1.0)
        assert line[0] == line[-1]
        assert area([line[:-1]]) == pytest.approx(math.pi, abs=tolerance)
        # Where the field is at least 1: the whole square less the disc.
        assert area(regions(f, 1.0)) == pytest.approx(16 - math.pi, abs=tolerance)


@pytest.mark.parametrize("seed", range(8))
def test_regions_hold_exactly_the_points_at_or_above_the_level(seed):
    """Even-odd counting of crossings at every grid point inside the frame, on a rough field with saddles."""
    values = np.random.default_rng(seed).normal(size=(9, 11))
    f = Field(tuple(map(float, range(11))), tuple(map(float, range(9))), tuple(map(tuple, values)), (0.0,))
    loops = regions(f, 0.0)
    for r in range(1, 8):
        for c in range(1, 10):
            # A ray to the right, a hair above the grid line, so that it meets no corner; the hair is less than any crossing is off.
            y, inside = r + 1e-9, False
            for loop in loops:
                for (ax, ay), (bx, by) in zip(loop, (*loop[1:], loop[0]), strict=True):
                    if (ay > y) != (by > y) and c < ax + (y - ay) / (by - ay) * (bx - ax):
                        inside = not inside
            assert inside == (values[r, c] >= 0), (r, c)


def test_a_field_without_the_level_has_no_line_and_one_or_no_region():
    f = field(lambda x, y: 0 * x)
    assert lines(f, 1.0) == regions(f, 1.0) == ()
    assert area(regions(f, -1.0)) == pytest.approx(16)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (Field((0.0,), (0.0, 1.0), ((1.0,), (1.0,)), ()), "at least two"),
        (Field((0.0, 1.0), (0.0, 1.0), ((1.0, 2.0),), ()), "2 rows of 2"),
        (Field((1.0, 0.0), (0.0, 1.0), ((1.0, 2.0),) * 2, ()), "x must rise"),
        (Field((0.0, 1.0), (0.0, 1.0), ((1.0, 2.0),) * 2, (1.0, 1.0)), "levels must rise"),
        (Field((0.0, 1.0), (0.0, 1.0), ((1.0, NAN),) * 2, ()), "must be finite"),
    ],
)
def test_a_field_that_does_not_fit_is_refused(broken, said):
    for write in (pgfplots, chart_svg):
        with pytest.raises(DataError, match=said):
            write(Chart("c", field=broken))


# --- writers --------------------------------------------------------------------------------------------------------------


def test_tex_holds_the_coordinates_of_the_curves():
    text = pgfplots(chart())
    for curve, body in zip(chart().curves, re.findall(r"coordinates \{(.*?)\};", text), strict=True):
        pairs = [tuple(map(float, p.split(","))) for p in re.findall(r"\(([^)]*)\)", body)]
        # Six digits are written.
        np.testing.assert_allclose(pairs, list(zip(curve.x, curve.y, strict=True)), rtol=1e-5, atol=1e-12)


def test_words_are_escaped_and_formulas_stay():
    text = pgfplots(chart())
    assert r"title={a\_b \& \textless{}c\textgreater{}}" in text
    assert r"ylabel={height in \%}" in text
    assert r"\addlegendentry{slope $f'(z)$}" in text
    svg = chart_svg(chart())
    assert "a_b &amp; &lt;c&gt;" in svg
    assert "<c>" not in svg


def test_a_caption_takes_the_place_of_the_title():
    assert "title=" not in pgfplots(chart(caption=("below",)))
    assert "ymode=log" in pgfplots(chart(log_y=True))


def test_curves_of_one_colour_differ_in_dashes_or_marks():
    x = (0.0, 1.0)
    same = [Curve(x, x) for _ in range(4)] + [Curve(x, x, kind="points", role=role) for role in ("input", "loss", "value")]
    found = looks(same)
    assert [k.kind for k in found[:4]] == [0, 1, 2, 3]
    # Clouds of points have marks of their own whatever their colours.
    assert [k.kind for k in found[4:]] == [0, 1, 2]
    assert {look.colour for look in looks([Curve(x, x, role=r) for r in ROLES])} != set()


def test_bands_go_from_low_to_high():
    assert bands(field(lambda x, y: x, levels=(0.0,))) == ("9FBCE8", "F4B37A")
    assert bands(field(lambda x, y: x, levels=(0.0, 1.0))) == ("9FBCE8", "FFFFFF", "F4B37A")


@pytest.mark.parametrize("made", [chart(), chart(log_y=True), Chart("f", field=field(lambda x, y: x * y, levels=(-1.0, 1.0)))])
def test_svg_stands_in_any_page_and_comes_out_the_same(require_tool, made):
    require_tool("matplotlib")
    text = chart_svg(made)
    assert text == chart_svg(made)
    root = ET.fromstring(text)
    assert root.get("role") == "img"
    assert root.get("aria-label") == made.title
    assert text.startswith("<svg ")
    assert "<style" not in text
    assert "<metadata" not in text
    # No fonts of the machine, no other file: letters are paths, links lead into the picture itself.
    assert "<text" not in text
    assert all(link.startswith("#") for link in re.findall(r'href="([^"]*)"', text))
    assert chart_png(made).startswith(b"\x89PNG")
    assert chart_png(made) == chart_png(made)


def test_what_others_set_in_matplotlib_changes_nothing(require_tool):
    require_tool("matplotlib")
    import matplotlib

    before = chart_svg(chart())
    with matplotlib.rc_context({"lines.linewidth": 9, "font.size": 30, "svg.fonttype": "none"}):
        assert chart_svg(chart()) == before
        assert matplotlib.rcParams["font.size"] == 30


def test_a_formula_that_matplotlib_cannot_set_stands_as_written(require_tool):
    require_tool("matplotlib")
    assert written(("cost ", Math("x_1"))) == "cost $x_1$"
    assert "$" not in written((Math(r"\begin{cases} 1 \end{cases}"),))
    assert written(("5 $",)) == r"5 \$"


def test_without_matplotlib_the_way_out_is_named(monkeypatch):
    real = builtins.__import__

    def missing(name, *args, **kwargs):
        if name.split(".")[0] == "matplotlib":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(TargetError, match=r"symbackprop\[plot\]"):
        chart_svg(chart())


def test_any_words_are_drawn(require_tool):
    """Underscores, dollars, backslashes, letters of no font, more than one dollar."""
    require_tool("matplotlib")
    for words in ("_hidden", "5 $ and 6 $", r"\frac{1}", "日本", "∂L/∂w → 0", "a\nb", "<script>alert(1)</script>"):
        made = Chart(words, (Curve((0.0, 1.0), (0.0, 1.0), (words,)),), x_label=(words,))
        text = chart_svg(made)
        ET.fromstring(text)
        assert "<script" not in text
        assert pgfplots(made).count(r"\addlegendentry") == 1
    assert written(("_hidden",)) == " _hidden"


@pytest.mark.parametrize(
    ("curve", "said"),
    [
        (Curve((0.0,), (0.0, 1.0)), "1 coordinates in x and 2 in y"),
        (Curve((0.0,), (0.0,), kind="bars"), "known are line, points, steps"),
        (Curve((0.0,), (0.0,), role="pink"), "known are plain"),
        (Curve((0.0,), (0.0,), (Link("here", "https://example.org"),)), "not a Link"),
    ],
)
def test_a_curve_that_does_not_fit_is_refused(require_tool, curve, said):
    require_tool("matplotlib")
    for write in (pgfplots, chart_svg):
        with pytest.raises(DataError, match=said):
            write(Chart("c", (curve,)))


def test_words_of_charts_and_pictures_are_ascii_in_tex():
    words = "Größe — x… ≤ ₁"
    chart = Chart(title=words, x_label=(words, Strong(words)), curves=(Curve((0.0, 1.0), (0.0, 1.0), (words,)),))
    picture = Scene("words", words=(Words(Label(words), 0.0, 0.0),))
    for text in (pgfplots(chart), tikz(picture)):
        assert text.isascii() and "?" not in text
        assert text.count(tex_words(words)) >= 1
