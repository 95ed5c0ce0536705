"""The data of a chart as a table, for where no picture can be drawn."""

from __future__ import annotations

import math

from symbackprop.present.document.records import Chart, Table, Text

_ROWS = 12
_HOW = "The picture of it needs matplotlib: pip install 'symbackprop[plot]'."


def chart_table(chart: Chart) -> Table:
    """Return points of the curves as a table, and one line that says how to get the picture.

    Of a long curve the rows are spread evenly, first and last included.
    """
    rows: list[tuple[Text, ...]] = []
    for number, curve in enumerate(chart.curves, 1):
        label = curve.label or (f"curve {number}",)
        rows += [(label, (_number(curve.x[k]),), (_number(curve.y[k]),)) for k in _spread(min(len(curve.x), len(curve.y)))]
    if chart.field is not None:
        for k in _spread(len(chart.field.values)):
            row = chart.field.values[k]
            middle = len(row) // 2
            rows.append((("field",), (f"({_number(chart.field.x[middle])}, {_number(chart.field.y[k])})",), (_number(row[middle]),)))
    caption: Text = (*(chart.caption or (chart.title,)), " " if chart.caption else ". ", _HOW)
    return Table(((), chart.x_label or ("x",), chart.y_label or ("y",)), tuple(rows), caption, "lrr")


def _spread(length: int) -> list[int]:
    if length <= _ROWS:
        return list(range(length))
    return [round(k * (length - 1) / (_ROWS - 1)) for k in range(_ROWS)]


def _number(value: float) -> str:
    return f"{value:.6g}" if math.isfinite(value) else "-"


__all__ = ["chart_table"]
