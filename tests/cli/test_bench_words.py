"""`symbackprop bench`: what it prints, and bad input told in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from symbackprop.cli import main
from symbackprop.command.bench import batch_of, seconds
from symbackprop.command.ceilings import Ceilings
from symbackprop.command.network import load

Said = tuple[int, str, str]

NET = """
import symbackprop as sbp
net = sbp.Sequential([sbp.Input(3), sbp.Dense(2, activation="tanh"), sbp.Dense(1)], loss="mse", name="small")
bare = sbp.Sequential([sbp.Input(3), sbp.Dense(2)], name="bare")
words = sbp.Sequential([sbp.Input(5, dtype="int64"), sbp.Embedding(7, 2), sbp.Dense(4)], loss="softmax_cross_entropy", name="words")
"""


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(NET)

    def go(*words: str) -> Said:
        with pytest.raises(SystemExit) as left:
            main(words)
        said = capfd.readouterr()
        return int(left.value.code or 0), said.out, said.err

    return go


def test_a_network_is_measured(run: Callable[..., Said]) -> None:
    code, out, err = run("bench", "net.py", "--batch", "3", "--threads", "1", "--seconds", "0.01", "--plain")
    assert (code, err) == (0, ""), err
    for word in (
        "small: one loss with its gradient, 3 samples, float32",
        "threads of the kernels: one thread",
        "bound call",
        "checked call",
        "plain schedule",
        "share",
        "ceilings",
    ):
        assert word in out
    assert "first gradient of a fresh process: " in out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("net.py:bare",), "network bare has no loss"),
        (("net.py", "--threads", "0"), "greater than or equal to 1"),
        (("net.py", "--dtype", "int8"), "int8"),
        (("nowhere.py",), "there is no file nowhere.py"),
    ],
)
def test_bad_input_is_told_in_one_line(run: Callable[..., Said], words: tuple[str, ...], told: str) -> None:
    code, out, err = run("bench", *words)
    assert (code, out) == (2, "")
    assert told in err and err.count("\n") == 1


def test_data_that_a_file_does_not_give_are_drawn(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(NET)
    x, y = batch_of(load(f"{tmp_path / 'net.py'}:words"), 6, "float32")
    assert x.shape == (6, 5) and x.dtype == np.int64 and 0 <= x.min() and x.max() < 7
    assert len(y) == 6


def test_a_floor_is_what_takes_longest() -> None:
    machine = Ceilings(1, 1e11, {1024: 1e11, 1 << 20: 1e10}, 5e-8, 16)
    assert machine.floor(10, 10) == (5e-8, "call")
    assert machine.floor(1e6, 10) == (1e-5, "arithmetic")
    assert machine.floor(1e6, 10, 8) == (2e-5, "arithmetic")
    assert machine.floor(10, 1 << 20) == ((1 << 20) / 1e10, "memory")
    assert machine.floor(10, (1 << 20) - 1)[0] == ((1 << 20) - 1) / 1e11


@pytest.mark.parametrize(
    ("value", "told"), [(2.5e-7, "250 ns"), (9.996e-7, "1.00 µs"), (1.234e-5, "12.3 µs"), (0.5, "500 ms"), (79.5, "79.5 s"), (None, "–")]
)
def test_seconds_have_three_digits(value: float | None, told: str) -> None:
    assert seconds(value) == told
