"""What may stand in an expression: SymPy objects and numbers. Text is refused wherever it comes in, and never run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import symbackprop as sbp

CODE = "__import__('pathlib').Path('ran').touch()"


class Disguised:
    """An object whose text is code."""

    def __repr__(self) -> str:
        return CODE


i = sbp.indices("i", 3)
x = sbp.tensor("x", i)
f = sbp.tensor("f")

DOORS: dict[str, Callable[[Any], Any]] = {
    "equation": lambda given: sbp.Equation(f[()], given),
    "sum": lambda given: sbp.Sum(given, i),
    "maximum": lambda given: sbp.Max(given, i),
    "place of the maximum": lambda given: sbp.ArgMax(given, i),
    "guard": lambda given: sbp.Indicator(given),
    "index": lambda given: x[given],
    "fact": lambda given: sbp.System([sbp.Equation(f[()], sbp.Sum(x[i], i))], facts=[(given, given)]),
    "derivative": lambda given: sbp.derivative_steps(given),
    "activation": lambda given: sbp.Dense(2, activation=sbp.Activation("own", lambda z: given)),
}


@pytest.mark.parametrize("given", [CODE, Disguised()], ids=["text", "object"])
@pytest.mark.parametrize("door", DOORS)
def test_text_is_refused_and_not_run(door: str, given: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises((sbp.DeclarationError, sbp.DerivationError)) as error:
        made = DOORS[door](given)
        sbp.Sequential([sbp.Input(2), made], loss="mse").derive()
    assert "\n" not in str(error.value)
    assert not (tmp_path / "ran").exists()


def test_numbers_are_operands() -> None:
    assert sbp.Sum(2, i) == sbp.Sum(x[i] * 0 + 2, i)
    assert sbp.Equation(f[()], 0.5).rhs == sbp.Equation(f[()], x[0] * 0 + 0.5).rhs
