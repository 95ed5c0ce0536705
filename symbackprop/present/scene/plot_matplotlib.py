"""Charts as SVG and PNG, drawn by matplotlib, an optional dependency; the same data as in TeX, the same bytes every time."""

from __future__ import annotations

import html
import io
import re
import warnings
from collections.abc import Mapping
from typing import Any, Final

from symbackprop.errors import DataError, TargetError
from symbackprop.present.document.records import Chart, Curve, Math, Strong, Text
from symbackprop.present.scene.contour import lines, regions
from symbackprop.present.scene.plot import Look, bands, check_chart, level_labels, looks

_DASHES: Final = ("-", "--", ":", "-.")
_MARKS: Final = ("o", "s", "^", "D")
#: Fonts come with matplotlib and letters are drawn as paths, so that no machine's own fonts matter.
_STYLE: Final[Mapping[str, Any]] = {
    "font.family": ["STIXGeneral", "DejaVu Serif"],
    "font.size": 11.0,
    "mathtext.fontset": "stix",
    "svg.fonttype": "path",
    "svg.hashsalt": "symbackprop",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E0E0E0",
    "grid.linewidth": 0.4,
    "legend.frameon": False,
    "path.simplify": False,
}


def chart_svg(chart: Chart) -> str:
    """Return a chart as an SVG document.

    Raises:
        TargetError: matplotlib is not installed.
        DataError: its numbers do not fit together.
    """
    return _embedded(_saved(chart, "svg").decode("utf-8"), chart.title)


def chart_png(chart: Chart, dpi: int = 120) -> bytes:
    """Return a chart as a PNG picture; the errors are those of `chart_svg`."""
    return _saved(chart, "png", dpi)


def _saved(chart: Chart, kind: str, dpi: int = 120) -> bytes:
    check_chart(chart)
    try:
        import matplotlib
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise TargetError("charts need matplotlib; install it with: pip install 'symbackprop[plot]'") from error
    # What the user has set for other figures neither changes this one nor is changed by it.
    with matplotlib.rc_context(), warnings.catch_warnings():
        # A letter that no font of matplotlib has becomes a box: the user sees it.
        warnings.filterwarnings("ignore", message="Glyph")
        matplotlib.rcdefaults()
        settings: Any = _STYLE
        matplotlib.rcParams.update(settings)
        figure = Figure(figsize=(6.4, 3.9) if chart.field is None else (6.0, 4.6), layout="constrained")
        FigureCanvasAgg(figure)
        _draw(figure.add_subplot(), chart)
        out = io.BytesIO()
        # No date and no version of the drawing program: same data, same bytes.
        metadata: dict[str, Any] = {"Date": None, "Creator": None, "Title": chart.title} if kind == "svg" else {"Software": None}
        figure.savefig(out, format=kind, dpi=dpi, metadata=metadata)
    return out.getvalue()


def _embedded(text: str, title: str) -> str:
    """Make an SVG fit to stand in a page beside others: no prolog, no record of its drawing, no style and no names for the whole page."""
    text = text[text.index("<svg ") :]
    for stray in (r"\s*<metadata>.*?</metadata>", r"\s*<defs>\s*<style.*?</defs>", r'(?<=<g) id="[^"]*"'):
        text = re.sub(stray, "", text, flags=re.DOTALL)
    head = f'<svg role="img" aria-label="{html.escape(title, quote=True)}" stroke-linejoin="round" stroke-linecap="butt" '
    return text.replace("<svg ", head, 1)


def _draw(axes: Any, chart: Chart) -> None:
    if chart.field is not None:
        _field(axes, chart)
    for curve, look in zip(chart.curves, looks(chart.curves), strict=True):
        _curve(axes, curve, look)
    if chart.log_y:
        axes.set_yscale("log")
    if chart.title and not chart.caption:
        axes.set_title(_plain(chart.title))
    axes.set_xlabel(written(chart.x_label))
    axes.set_ylabel(written(chart.y_label))
    if any(curve.label for curve in chart.curves):
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.4)


def _curve(axes: Any, curve: Curve, look: Look) -> None:
    options: dict[str, Any] = {"color": f"#{look.colour}", "zorder": 3}
    if curve.kind == "points":
        options |= {"linestyle": "none", "marker": _MARKS[look.kind % 4], "markersize": 5}
    else:
        options |= {"linewidth": look.width * 1.2, "linestyle": _DASHES[(look.kind + look.dashed) % 4]}
        options |= {"drawstyle": "steps-post"} if curve.kind == "steps" else {}
    axes.plot(curve.x, curve.y, label=written(curve.label) if curve.label else "_nolegend_", **options)


def _field(axes: Any, chart: Chart) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    field = chart.field
    assert field is not None
    axes.set_xlim(field.x[0], field.x[-1])
    axes.set_ylim(field.y[0], field.y[-1])
    axes.grid(False)
    axes.set_box_aspect(1)
    for side in ("top", "right"):
        axes.spines[side].set_visible(True)
    colours = bands(field)
    axes.set_facecolor(f"#{colours[0]}")
    for level, colour in zip(field.levels, colours[1:], strict=True):
        corners: list[tuple[float, float]] = []
        codes: list[Any] = []
        for loop in regions(field, level):
            corners += [*loop, loop[0]]
            codes += [Path.MOVETO, *[Path.LINETO] * (len(loop) - 1), Path.CLOSEPOLY]
        if corners:
            axes.add_patch(PathPatch(Path(corners, codes), facecolor=f"#{colour}", edgecolor="none", zorder=1))
    for level in field.levels:
        for line in lines(field, level):
            axes.plot(*zip(*line, strict=True), color="#707070", linewidth=0.6, zorder=2)
    for x, y, text in level_labels(field):
        under = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.0}
        axes.text(x, y, text.replace("-", "−"), fontsize=8, ha="center", va="center", bbox=under, zorder=4)


def written(parts: Text) -> str:
    """Return words and formulas for matplotlib; a formula that it cannot set stands as it was written."""
    found = []
    for part in parts:
        if isinstance(part, Math):
            # Of paired bars matplotlib knows the single ones only.
            latex = re.sub(r"\\[lr]([vV]ert)\b", r"\\\1", part.latex)
            found.append(f"${latex}$" if _sets(latex) else _plain(part.latex))
        elif isinstance(part, str | Strong):
            found.append(_plain(part if isinstance(part, str) else part.text))
        else:
            raise DataError(f"a label in a chart holds words and formulas, not a {type(part).__name__}")
    text = "".join(found)
    # What begins with an underscore is left out of legends.
    return f" {text}" if text.startswith("_") else text


def _plain(text: str) -> str:
    return text.replace("\\", r"\\").replace("$", r"\$") if "$" in text else text


def _sets(latex: str) -> bool:
    from matplotlib.mathtext import MathTextParser

    try:
        MathTextParser("path").parse(f"${latex}$")
    except ValueError:
        return False
    return True


__all__ = ["chart_png", "chart_svg", "written"]
