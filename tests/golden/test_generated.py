"""`generated/` is what the examples say: to the byte, whatever the hash seed and the folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from symbackprop.command.generated import differences, found, rewrite, wanted

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def right() -> dict[str, str]:
    return wanted(ROOT / "examples")


def test_the_committed_modules_are_true(right: dict[str, str], update: bool) -> None:
    folder = ROOT / "generated"
    if update:
        rewrite(folder, right)
    stale = differences(found(folder), right)
    assert not stale, "run pytest --update, or symbackprop generate --all:\n" + "".join(stale)


def test_every_example_that_was_asked_for_is_there(right: dict[str, str]) -> None:
    assert {name.split("/")[0] for name in right} >= {"xor", "mazur", "digits", "residual_concat", "own_activation"}


def test_the_text_names_no_host_and_no_day(right: dict[str, str]) -> None:
    for name, text in right.items():
        assert str(ROOT) not in text, name
        assert "\r" not in text, name
        assert text.endswith("\n"), name
        assert not text.endswith("\n\n"), name


@pytest.mark.parametrize("hash_seed", ["0", "1", "2"])
def test_the_same_bytes_under_any_hash_seed_and_from_another_folder(hash_seed: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-m", "symbackprop", "generate", "--all"], cwd=tmp_path, env=environment, check=True, timeout=300)
    assert found(tmp_path / "generated") == found(ROOT / "generated")
