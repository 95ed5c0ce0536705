"""The command line as a process of its own: what is imported, and that no traceback is ever seen."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def python(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, cwd=cwd, env=environment, timeout=120, check=False)


def test_help_needs_neither_sympy_nor_numba(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom symbackprop.cli import main\n"
        "try: main(['derive', '--help'])\nexcept SystemExit: pass\n"
        "print(sorted({'sympy', 'numba', 'jinja2'} & set(sys.modules)))"
    )
    done = python("-c", code, cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("words", [["derive", "nosuch"], ["nosuch"], ["generate", "--all"]])
def test_bad_input_shows_no_traceback(words: list[str], tmp_path: Path) -> None:
    done = python("-m", "symbackprop", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_unwritable_folder_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    done = python("-m", "symbackprop", "generate", "xor", "--output", "taken", cwd=tmp_path)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert (tmp_path / "taken").read_text() == "a file, not a folder"
