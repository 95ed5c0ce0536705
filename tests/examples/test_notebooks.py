"""The tour for lecturers runs as a script and as a notebook, and its cells show what they promise."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TOUR = ROOT / "examples" / "notebooks" / "lecture_tour.py"
FILES = (
    "circuit.svg circuit.tex homework-solutions.html homework.html network.svg notes-1.svg notes.html notes.md notes.tex paste.tex "
    "slides.tex vanishing.html"
).split()


def test_the_tour_is_a_notebook_of_a_sensible_length():
    text = TOUR.read_text(encoding="utf-8")
    cells = re.findall(r"^# %%( \[markdown\])?$", text, re.MULTILINE)
    assert 40 <= len(cells) <= 70 and 20 <= sum(not kind for kind in cells) <= 40
    assert not list(TOUR.parent.glob("*.ipynb"))


def test_the_tour_runs_as_a_script(tmp_path: Path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, str(TOUR)], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "does not hold (shape error)" in done.stdout and "b -> d -> e = 3.0" in done.stdout
    assert sorted(p.name for p in (tmp_path / "lecture_tour").iterdir()) == sorted(FILES)


def test_the_tour_runs_as_a_notebook(tmp_path: Path, require_tool: Callable[[str], None], monkeypatch: pytest.MonkeyPatch):
    for name in ("jupytext", "nbclient", "ipykernel"):
        require_tool(name)
    import jupytext
    from nbclient import NotebookClient

    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    for place in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(place, str(tmp_path / place.lower()))
    notebook = jupytext.read(TOUR)
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [o for o in shown if o.output_type == "error" or (o.output_type == "stream" and o.name == "stderr")]
    kinds = [set(o.data) for o in shown if "data" in o]
    for kind, least in {"text/latex": 5, "text/markdown": 8, "image/svg+xml": 2, "text/html": 3}.items():
        assert sum(kind in k for k in kinds) >= least, kind
    assert all(k != {"text/plain"} for k in kinds)
    assert same_formulas(notebook)


def same_formulas(notebook: Any) -> bool:
    """Whether what the notebook shows of an error term is what the package prints."""
    import symbackprop as sbp

    net = sbp.Sequential([sbp.Input(3), sbp.Dense(4, "tanh"), sbp.Dense(2, "sigmoid")], loss="half_squared_error", name="tour")
    wanted = net.derive(per="sample").error_terms["dense_1"]._repr_latex_()
    return any(wanted == o.get("data", {}).get("text/latex") for c in notebook.cells if c.cell_type == "code" for o in c.outputs)
