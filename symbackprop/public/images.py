"""Pictures as PDF and PNG, through tools that are installed."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from symbackprop.errors import TargetError
from symbackprop.present.document.pdf import pdf
from symbackprop.present.scene.boxes import bounds
from symbackprop.present.scene.records import Scene
from symbackprop.present.scene.tikz import tikz

#: Dots an inch of a PNG.
RESOLUTION = 150


def image(scene: Scene, kind: str, step: int | None = None) -> bytes:
    """Return a scene as a page of its own size.

    Args:
        scene: what is drawn.
        kind: ".pdf" or ".png".
        step: the frame; None is the last one.

    Raises:
        TargetError: pdflatex or pdftoppm is missing.
    """
    page = pdf(standalone(scene, step), "picture")
    return page if kind == ".pdf" else _png(page)


def standalone(scene: Scene, step: int | None = None) -> str:
    """Return a document that holds one picture and is as large as it."""
    room = bounds(scene, margin=0.1)
    wide, tall = room.right - room.left + 0.2, room.top - room.bottom + 0.2
    return "\n".join(
        (
            r"\documentclass{article}",
            r"\usepackage[T1]{fontenc}",
            r"\usepackage{lmodern}",
            r"\usepackage{amsmath}",
            r"\usepackage{tikz}",
            rf"\usepackage[paperwidth={wide:.3f}cm,paperheight={tall:.3f}cm,margin=0cm]{{geometry}}",
            r"\pagestyle{empty}\parindent=0pt\topskip=0pt",
            r"\begin{document}",
            r"\vspace*{\fill}\centering",
            tikz(scene, step) + r"\vspace*{\fill}",
            r"\end{document}",
            "",
        )
    )


def _png(page: bytes) -> bytes:
    program = shutil.which("pdftoppm")
    if program is None:
        raise TargetError("there is no pdftoppm to make a PNG with; apt-get install poppler-utils, or draw a .svg or .pdf")
    with tempfile.TemporaryDirectory(prefix="symbackprop-png-") as folder:
        (Path(folder) / "page.pdf").write_bytes(page)
        command = [program, "-r", str(RESOLUTION), "-png", "-singlefile", "page.pdf", "page"]
        try:
            done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
        except subprocess.TimeoutExpired:
            raise TargetError("pdftoppm did not come to an end within 60 s; draw a .pdf instead") from None
        made = Path(folder) / "page.png"
        if done.returncode or not made.exists():
            raise TargetError("pdftoppm made no PNG of the picture; draw a .pdf instead")
        return made.read_bytes()


__all__ = ["image", "standalone"]
