"""Pictures as files: the ending says how they are written."""

from __future__ import annotations

import os
from pathlib import Path

from symbackprop.errors import DeclarationError
from symbackprop.execute import files
from symbackprop.present.scene.dot import dot
from symbackprop.present.scene.records import Scene
from symbackprop.present.scene.svg import svg
from symbackprop.present.scene.text import text
from symbackprop.present.scene.tikz import tikz

#: Endings of picture files.
FORMATS = (".svg", ".tex", ".dot", ".txt", ".pdf", ".png")


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


__all__ = ["FORMATS", "draw_scene", "rendered"]
