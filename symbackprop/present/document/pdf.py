"""PDF files through an installed pdflatex, which may run nothing, read nothing outside of its folder, and not run on for ever."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from symbackprop.errors import DeclarationError, EmissionError, TargetError

#: What to install where there is no TeX.
PACKAGES = "apt-get install texlive-latex-recommended texlive-pictures lmodern"
_OVERFULL = re.compile(r"^Overfull \\([hv])box \(([0-9.]+)pt too (?:wide|high)\)(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Overfull:
    """Something that does not fit into its box.

    Attributes:
        direction: "h" or "v".
        points: by how much.
        where: as TeX says it.
    """

    direction: str
    points: float
    where: str


@dataclass(frozen=True)
class Compiled:
    """A compiled document.

    Attributes:
        data: the PDF.
        overfull: everything that sticks out.
    """

    data: bytes
    overfull: tuple[Overfull, ...]


def pdf(text: str, name: str = "notes", timeout: float = 120.0) -> bytes:
    """Return the PDF of a document in LaTeX; the same text gives the same bytes.

    Args:
        text: the whole document.
        name: of the job, for messages.
        timeout: seconds.

    Raises:
        TargetError: there is no pdflatex, or it did not come to an end.
        EmissionError: TeX does not take the text.
    """
    return compiled(text, name, timeout).data


def compiled(text: str, name: str = "notes", timeout: float = 120.0, runs: int = 3) -> Compiled:
    """Return the PDF with what TeX says about boxes; the arguments and errors are those of `pdf`.

    Args:
        text: the whole document.
        name: of the job.
        timeout: seconds a run.
        runs: at most so many; a single one lacks bookmarks and numbers of slides.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise DeclarationError(f"name {name[:40]!r} of a document must be letters, digits, '_' and '-'")
    program = _program(name)
    with tempfile.TemporaryDirectory(prefix="symbackprop-tex-") as folder:
        (Path(folder) / f"{name}.tex").write_text(text, encoding="ascii", newline="\n")
        log = ""
        for _ in range(runs):
            before = _marks(Path(folder), name)
            log = _run(program, Path(folder), name, timeout)
            # Slides count their frames and bookmarks in files that the next run reads.
            if _marks(Path(folder), name) == before and "Rerun to get" not in log:
                break
        data = (Path(folder) / f"{name}.pdf").read_bytes()
    overfull = tuple(Overfull(m[1], float(m[2]), m[3].strip()) for m in _OVERFULL.finditer(log))
    return Compiled(data, overfull)


def typeset_log(text: str, name: str = "notes", timeout: float = 120.0) -> str:
    """Return what TeX writes into its log; the arguments and errors are those of `pdf`."""
    with tempfile.TemporaryDirectory(prefix="symbackprop-tex-") as folder:
        (Path(folder) / f"{name}.tex").write_text(text, encoding="ascii", newline="\n")
        return _run(_program(name), Path(folder), name, timeout)


def _program(name: str) -> str:
    program = shutil.which("pdflatex")
    if program is None:
        raise TargetError(f"{name}: there is no pdflatex to make a PDF with; {PACKAGES}")
    return program


def _marks(folder: Path, name: str) -> tuple[bytes, ...]:
    files = (folder / f"{name}.{suffix}" for suffix in ("aux", "out", "nav", "toc"))
    return tuple(f.read_bytes() if f.exists() else b"" for f in files)


def _run(program: str, folder: Path, name: str, timeout: float) -> str:
    command = [program, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", f"{name}.tex"]
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "TEXMFHOME", "TEXMFVAR", "TEXMFCNF", "LD_LIBRARY_PATH") if key in os.environ}
    confined = {
        "openin_any": "p",
        "openout_any": "p",
        "SOURCE_DATE_EPOCH": "0",
        "FORCE_SOURCE_DATE": "1",
        "max_print_line": "1000",
        "TMPDIR": str(folder),
    }
    try:
        done = subprocess.run(
            command, cwd=folder, env=kept | confined, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        raise TargetError(f"{name}: pdflatex did not come to an end within {timeout:g} s; write a .tex file and look at it") from None
    log_file = folder / f"{name}.log"
    log = log_file.read_text(encoding="latin-1") if log_file.exists() else done.stdout.decode("latin-1")
    if done.returncode != 0:
        raise EmissionError(f"{name}: {_complaint(log)}")
    return log


def _complaint(log: str) -> str:
    """Return what TeX complains about in one line."""
    missing = re.search(r"^! LaTeX Error: File `([^']*)' not found", log, re.MULTILINE)
    if missing:
        return f"TeX lacks {missing[1]}; {PACKAGES}"
    found = re.search(r"^! (.*)$", log, re.MULTILINE)
    line = re.search(r"^l\.(\d+) ?(.*)$", log, re.MULTILINE)
    where = f" in line {line[1]}: {line[2].strip()[:80]}" if line else ""
    said = found[1].strip() if found else "TeX stopped without saying why"
    return f"TeX says: {said}{where}; write a .tex file and look at that line"


__all__ = ["PACKAGES", "Compiled", "Overfull", "compiled", "pdf", "typeset_log"]
