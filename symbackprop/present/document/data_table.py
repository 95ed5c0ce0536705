"""The data of a chart as a table, for where no picture can be drawn."""

from __future__ import annotations

import math

from symbackprop.present.document.records import Chart, Curve, Field, Table, Text

_ROWS = 12
_HOW = "The picture of it needs matplotlib: pip install 'symbackprop[plot]'."


def chart_table(chart: Chart) -> Table:
    """Return points of the curves as a table, and one line that says how to get the picture.

    Curves over the same points share the rows. Of many points the rows are spread evenly, first and last included.
    """
    caption: Text = (*(chart.caption or (chart.title,)), " " if chart.caption else ". ", _HOW)
    x_label, y_label = chart.x_label or ("x",), chart.y_label or ("y",)
    if chart.field is not None:
        head, rows = _field_rows(chart.field)
        return Table(((*y_label, " \\ ", *x_label), *head), rows, caption, "r" * (len(head) + 1))
    curves = chart.curves
    names = tuple(curve.label or (y_label if len(curves) == 1 else (f"curve {k}",)) for k, curve in enumerate(curves, 1))
    if len({curve.x for curve in curves}) == 1:
        shared = tuple((_cell(curves[0].x[k]), *(_cell(c.y[k]) for c in curves)) for k in _spread(len(curves[0].x)))
        return Table((x_label, *names), shared, caption, "r" * (len(curves) + 1))
    single = tuple(row for name, curve in zip(names, curves, strict=True) for row in _curve_rows(name, curve))
    return Table(((), x_label, y_label), single, caption, "lrr")


def _curve_rows(name: Text, curve: Curve) -> tuple[tuple[Text, ...], ...]:
    return tuple((name, _cell(curve.x[k]), _cell(curve.y[k])) for k in _spread(len(curve.x)))


def _field_rows(field: Field) -> tuple[tuple[Text, ...], tuple[tuple[Text, ...], ...]]:
    """Return the heads and rows of some values of a field: a row for each y, a column for each x."""
    columns = _spread(len(field.x), 6)
    rows = tuple((_cell(field.y[k]), *(_cell(field.values[k][c]) for c in columns)) for k in _spread(len(field.y), 6))
    return tuple(_cell(field.x[c]) for c in columns), rows


def _spread(length: int, most: int = _ROWS) -> list[int]:
    if length <= most:
        return list(range(length))
    return [round(k * (length - 1) / (most - 1)) for k in range(most)]


def _cell(value: float) -> Text:
    return (f"{value:.4g}" if math.isfinite(value) else "-",)


__all__ = ["chart_table"]
