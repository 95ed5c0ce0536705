"""Every example runs as it stands, from an empty folder, and says what it should."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def run(path: Path, cwd: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, str(path)], cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def number(text: str, pattern: str) -> float:
    found = re.search(pattern, text)
    assert found, f"no {pattern!r} in:\n{text}"
    return float(found.group(1))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_short(path: Path) -> None:
    assert 10 <= len(path.read_text(encoding="utf-8").splitlines()) < 60


def test_xor_is_learnt(tmp_path: Path) -> None:
    said = [float(v) for v in re.findall(r"[\d.]+", run(ROOT / "examples" / "xor.py", tmp_path).splitlines()[-1])]
    assert [round(v) for v in said] == [0, 1, 1, 0]


def test_mazur_to_nine_digits(tmp_path: Path) -> None:
    said = run(ROOT / "examples" / "mazur.py", tmp_path)
    assert "E = 0.298371109" in said
    assert "= 0.358916480" in said


def test_digits_reach_their_accuracy(tmp_path: Path) -> None:
    assert number(run(ROOT / "examples" / "digits.py", tmp_path), r"test accuracy ([\d.]+)") >= 0.965


def test_a_convolutional_network_reads_digits(tmp_path: Path) -> None:
    assert number(run(ROOT / "examples" / "lenet.py", tmp_path), r"test accuracy ([\d.]+)") >= 0.94


def test_residual_concat_passes_its_check(tmp_path: Path) -> None:
    said = run(ROOT / "examples" / "residual_concat.py", tmp_path)
    assert "dense_3.W" in said


def test_own_activation_trains(tmp_path: Path) -> None:
    assert run(ROOT / "examples" / "own_activation.py", tmp_path)


def test_own_function_gives_both_gradients(tmp_path: Path) -> None:
    assert run(ROOT / "examples" / "own_function.py", tmp_path).count("2") >= 2


def test_user_njit_descends(tmp_path: Path) -> None:
    said = run(ROOT / "examples" / "user_njit.py", tmp_path)
    assert number(said, r"-> ([\d.]+)") < 0.05 * number(said, r"loss ([\d.]+)")


@pytest.mark.parametrize(("name", "least"), [("own_ellipse", 0.95), ("own_morphology", 0.88), ("own_shift", 0.94)])
def test_own_layers_show_their_gradients_pass_their_check_and_learn(name: str, least: float, tmp_path: Path) -> None:
    said = run(ROOT / "examples" / f"{name}.py", tmp_path)
    assert "check passed" in said and "∂L/∂" in said.replace("∇", "∂L/∂")
    assert number(said, r"test accuracy ([\d.]+)") >= least
