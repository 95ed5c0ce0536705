"""Pictures as files: the ending says how they are written."""

from __future__ import annotations

import os
from pathlib import Path

from symbackprop.errors import DeclarationError
from symbackprop.execute import files
from symbackprop.present.document.records import Chart, Figure
from symbackprop.present.scene.dot import dot
from symbackprop.present.scene.plot import pgfplots
from symbackprop.present.scene.records import Scene
from symbackprop.present.scene.svg import svg
from symbackprop.present.scene.text import text
from symbackprop.present.scene.tikz import tikz

#: Endings of picture files.
FORMATS = (".svg", ".tex", ".dot", ".txt", ".pdf", ".png")
#: The same for charts.
CHART_FORMATS = (".svg", ".png", ".tex")


def rendered(scene: Scene, kind: str, step: int | None = None) -> str | bytes:
    """Return a scene as the content of a file with one of the endings of `FORMATS`."""
    writers = {".svg": svg, ".tex": tikz, ".dot": dot, ".txt": text}
    if kind in writers:
        return writers[kind](scene, step)
    from symbackprop.public.images import image

    return image(scene, kind, step)


def overlaid(scene: Scene) -> str:
    r"""Return a picture for TeX that builds up in beamer, and is whole at once where there is no ``\onslide``. It defines nothing.

    A definition would need a #, which a frame of beamer does not take; nor does it take a conditional that is not in braces.
    """
    return "\n".join((r"\mbox{\ifx\onslide\undefined", tikz(scene) + r"\else", tikz(scene, overlays=True) + r"\fi}", ""))


def draw_scene(scene: Scene, path: str | os.PathLike[str], *, frames: bool = False, step: int | None = None) -> tuple[Path, ...]:
    """Write a picture.

    Args:
        scene: what is drawn.
        path: its ending is one of `FORMATS`; ``.tex`` is a tikzpicture to paste.
        frames: write one file for each step (``name-00.svg``, …); in a ``.tex`` file one picture that builds up in beamer.
        step: draw this frame only.

    Returns:
        The files that were written.

    Raises:
        DeclarationError: another ending.
        TargetError: a PDF or PNG is asked for, and a program that makes it is missing.
    """
    target = Path(path)
    kind = target.suffix.lower()
    if kind not in FORMATS:
        raise DeclarationError(f"draw {target.name!r}: the ending must be one of {', '.join(FORMATS)}")
    if frames and kind != ".tex":
        names = [f"{target.stem}-{k:02d}{target.suffix}" for k in range(scene.last_step + 1)]
        return files.write_all(target.parent, {name: rendered(scene, kind, k) for k, name in enumerate(names)})
    return (files.write(target, overlaid(scene) if frames else rendered(scene, kind, step)),)


def draw(
    picture: Scene | Figure | Chart, path: str | os.PathLike[str], *, frames: bool = False, step: int | None = None
) -> tuple[Path, ...]:
    """Write a picture or a chart to a file.

    Args:
        picture: a scene, a `Figure`, or a `Chart`.
        path: its ending says how: see `draw_scene`; a chart can be ``.svg``, ``.png`` (both by matplotlib) or ``.tex`` (pgfplots).
        frames: of a scene, write one file for each step.
        step: of a scene, draw this frame only.

    Returns:
        The files that were written.

    Raises:
        DeclarationError: another ending, or no picture.
        TargetError: a program or library that makes it is missing.
    """
    if isinstance(picture, Scene | Figure):
        scene = picture.scene if isinstance(picture, Figure) else picture
        return draw_scene(scene, path, frames=frames, step=step)
    if not isinstance(picture, Chart):
        raise DeclarationError(f"draw: expected a Scene, a Figure or a Chart, got {type(picture).__name__}")
    target = Path(path)
    kind = target.suffix.lower()
    if kind not in CHART_FORMATS:
        raise DeclarationError(f"draw {target.name!r}: the ending of a chart must be one of {', '.join(CHART_FORMATS)}")
    if kind == ".tex":
        return (files.write(target, pgfplots(picture)),)
    from symbackprop.present.scene.plot_matplotlib import chart_png, chart_svg

    return (files.write(target, chart_svg(picture) if kind == ".svg" else chart_png(picture)),)


__all__ = ["CHART_FORMATS", "FORMATS", "draw", "draw_scene", "rendered"]
