"""The report: a table that names tensors, a verdict, and safe HTML."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest

from symbackprop.errors import CheckError, DataError
from symbackprop.validate.report import Report, Row
from symbackprop.validate.tolerances import TABLE, tolerance

ROW = Row("code", "dense_1", "grad.dense_1.W", "interpreter", 1e-14, 1e-12, 2e-14, 4e-12, (1, 2), 0.5, 0.5, 12)
NAN = float("nan")


def test_the_worst_row_is_the_one_with_the_largest_share_of_its_tolerance():
    loose = replace(ROW, tensor="loose", error=1e-7, tolerance=1e-6)
    tight = replace(ROW, tensor="tight", error=5e-13)
    assert Report("r", (ROW, loose, tight)).worst is tight


def test_nan_never_passes():
    for bad in (replace(ROW, error=NAN), replace(ROW, entry_error=NAN)):
        report = Report("r", (ROW, bad))
        assert not report.ok and report.worst is bad


def test_an_empty_report_is_a_failure():
    report = Report("r", ())
    assert not report.ok and "nothing was compared" in str(report)
    with pytest.raises(CheckError):
        report.raise_for_failure()


def test_the_table_is_aligned_and_names_what_failed():
    bad = replace(ROW, tensor="grad.a_rather_long_name.W", error=1e-4, entry_error=1e-4, got=0.50005)
    lines = str(Report("title", (ROW, bad), kinks_moved=3)).splitlines()
    assert lines[0] == "title"
    rows = [line for line in lines if line.startswith(("ok  ", "FAIL "))]
    assert len(rows) == 2 and len({line.index("interpreter") for line in rows}) == 1
    assert "grad.a_rather_long_name.W is WRONG" in lines[-1]
    assert "3 sample points moved" in lines[-1]
    with pytest.raises(CheckError, match=r"a_rather_long_name.*at \[1, 2\] it is 0.50005, expected 0.5"):
        Report("title", (ROW, bad)).raise_for_failure()


def test_a_long_report_shows_the_worst_rows():
    rows = tuple(replace(ROW, tensor=f"t{k}", error=1e-14 * k) for k in range(90))
    text = str(Report("r", rows))
    assert "t89" in text and "t0 " not in text and "... and 10 rows within tolerance" in text


def test_html_is_escaped():
    html = Report("<script>", (replace(ROW, tensor="<b>"),))._repr_html_()
    assert "<script>" not in html and "&lt;script&gt;" in html and "&lt;b&gt;" in html


def test_a_report_is_frozen():
    with pytest.raises(FrozenInstanceError):
        Report("r", ()).title = "other"


def test_every_tolerance_says_why_and_occurs_once():
    assert all(len(row.why) > 20 for row in TABLE)
    assert len({(row.dtype, row.method) for row in TABLE}) == len(TABLE)


def test_float32_is_never_judged_by_differences():
    assert tolerance("float32", "interpreter") == 1e-5
    for method in ("central", "ridders", "complex step"):
        with pytest.raises(DataError, match="not judged by"):
            tolerance("float32", method)
