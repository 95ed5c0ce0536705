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


#: What a shortened copy of an example has otherwise.
SHORTENED = {
    "epochs": r"EPOCHS = \d+",
    "passes": r"epochs=\d+",
    "seeds": r"range\(5\)",
    "written": r"range\(200\)",
    "target": r"compile\(",
}


def run(path: Path, cwd: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, str(path)], cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def shortened(name: str, folder: Path, **fewer: str) -> str:
    """What a copy of an example prints that differs in one or two numbers, fewer epochs or seeds, and need not be compiled."""
    text = (ROOT / "examples" / f"{name}.py").read_text(encoding="utf-8")
    for found, instead in {**fewer, "target": 'compile(target="numpy", '}.items():
        pattern = SHORTENED[found]
        text, count = re.subn(pattern, instead, text)
        assert count == 1, (name, pattern)
    copy = folder / f"{name}.py"
    copy.write_text(text, encoding="utf-8")
    return run(copy, folder)


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
    # Two epochs of 25, one seed of 5: the whole example says 0.993.
    assert number(shortened("lenet", tmp_path, epochs="EPOCHS = 2", seeds="range(1)"), r"mean test accuracy ([\d.]+)") >= 0.93


def test_a_residual_block_reads_digits(tmp_path: Path) -> None:
    # One epoch of 8: the whole example says 0.992.
    assert number(shortened("resnet_block", tmp_path, passes="epochs=1"), r"test accuracy ([\d.]+)") >= 0.85


@pytest.mark.parametrize("name", ["char_rnn", "transformer"])
def test_a_character_model_reads_and_writes(name: str, tmp_path: Path) -> None:
    # One epoch of 20 is enough to know more than how often each character comes; the whole examples reach 2.75 and 3.04 bits.
    said = shortened(name, tmp_path, epochs="EPOCHS = 1", written="range(20)")
    by_frequency = number(said, r"by frequency alone ([\d.]+)")
    assert by_frequency == pytest.approx(4.55, abs=0.005)
    assert number(said, r"bits per character: ([\d.]+)") < by_frequency - 0.3
    assert len(said.split("alone 4.55\n")[1].rstrip("\n")) == 32 + 20


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
