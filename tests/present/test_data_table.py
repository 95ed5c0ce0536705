"""Data of charts as tables, where no picture can be drawn."""

from __future__ import annotations

from symbackprop.present.document.data_table import chart_table
from symbackprop.present.document.html import html
from symbackprop.present.document.records import Chart, Curve, Document, Field, Math, Section


def test_curves_over_the_same_points_share_the_rows():
    x = tuple(float(k) for k in range(100))
    chart = Chart("Slopes", (Curve(x, x, ("one",)), Curve(x, tuple(v * v for v in x), (Math("f"),))), x_label=("z",), caption=("Caption.",))
    table = chart_table(chart)
    assert table.head == (("z",), ("one",), (Math("f"),)) and table.align == "rrr"
    assert len(table.rows) == 12 and table.rows[0] == (("0",), ("0",), ("0",)) and table.rows[-1] == (("99",), ("99",), ("9801",))
    assert table.caption[0] == "Caption." and "symbackprop[plot]" in str(table.caption[-1])


def test_other_curves_stand_below_each_other():
    chart = Chart("Two", (Curve((0.0, 1.0), (1.0, float("nan")), ("a",)), Curve((0.5,), (2.0,))))
    assert chart_table(chart).rows == ((("a",), ("0",), ("1",)), (("a",), ("1",), ("-",)), (("curve 2",), ("0.5",), ("2",)))


def test_a_field_is_a_table_of_its_values():
    grid = tuple(float(k) for k in range(11))
    table = chart_table(Chart("Plane", field=Field(grid, grid, tuple(tuple(x + 10 * y for x in grid) for y in grid), (1.0,))))
    assert table.head[0] == ("y", " \\ ", "x") and [c[0] for c in table.head[1:]] == ["0", "2", "4", "6", "8", "10"]
    assert [c[0] for c in table.rows[1]] == ["2", "20", "22", "24", "26", "28", "30"]


def test_a_page_says_how_to_get_the_picture():
    page = html(Document("T", (Section("S", (Chart("Plot", (Curve((0.0,), (1.0,)),)),)),)))
    assert "pip install &#39;symbackprop[plot]&#39;" in page and "<td" in page
