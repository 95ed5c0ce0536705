"""Pictures of a record: the ratio to the best peer, and the share of the floor, workload by workload."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.cpu.record import Row

#: More threads first, as in the tables.
_SHADES = ("#1f4e79", "#8fb4d9")


def draw(rows: Sequence[Row], folder: Path) -> None:
    """Write ``ratios.svg`` and ``floor.svg``; nothing without matplotlib."""
    try:
        import matplotlib
    except ImportError:
        return
    matplotlib.use("Agg")
    # The same bytes for the same numbers.
    with matplotlib.rc_context({"svg.hashsalt": "symbackprop", "font.size": 9}):
        _ratios(rows, folder / "ratios.svg")
        _floor(rows, folder / "floor.svg")


def _bars(rows: Sequence[Row], values: dict[tuple[str, int], float], label: str, path: Path, line: float, log: bool) -> None:
    from matplotlib import pyplot

    names = list(dict.fromkeys(row.name for row in rows))
    titles, counts = {row.name: row.title for row in rows}, sorted({row.threads for row in rows}, reverse=True)
    figure, axes = pyplot.subplots(figsize=(8, 0.8 + 0.36 * len(names)), layout="constrained")
    height = 0.8 / max(1, len(counts))
    for k, threads in enumerate(counts):
        places = [n + (k - (len(counts) - 1) / 2) * height for n in range(len(names))]
        lengths = [values.get((name, threads), 0.0) for name in names]
        words = f"{threads} thread{'s' * (threads > 1)}"
        axes.barh(places, lengths, height, color=_SHADES[k % len(_SHADES)], label=words)
    if log:
        axes.set_xscale("log")
        stated = {row.name: row.least for row in rows}
        marks = [(n, stated[name]) for n, name in enumerate(names) if stated[name] is not None]
        axes.plot([least for _, least in marks], [n for n, _ in marks], "|", color="#c00000", markersize=12, label="stated")
    axes.axvline(line, color="black", linewidth=0.8)
    axes.set_yticks(range(len(names)), [titles[name] for name in names])
    axes.invert_yaxis()
    axes.set_xlabel(label)
    axes.legend(loc="lower right", frameon=False)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def _ratios(rows: Sequence[Row], path: Path) -> None:
    values = {(row.name, row.threads): row.ratio for row in rows}
    _bars(rows, values, "time of the best peer / ours, 10 % quantiles", path, 1.0, log=True)


def _floor(rows: Sequence[Row], path: Path) -> None:
    values = {(row.name, row.threads): 100 * row.floor / row.ours for row in rows}
    _bars(rows, values, "share of the floor reached, percent", path, 100.0, log=False)
