"""Optimizers are read from words: a name and numbers, and nothing is evaluated."""

from __future__ import annotations

import pytest

from symbackprop.command.optimizer import _parts
from symbackprop.errors import DeclarationError


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("adam", ("adam", [], {})),
        ("momentum(0.1, mu=0.95)", ("momentum", [0.1], {"mu": 0.95})),
        ("SGD(1e-3)", ("SGD", [0.001], {})),
        ("nesterov(lr=-1)", ("nesterov", [], {"lr": -1})),
    ],
)
def test_a_name_with_numbers(text: str, parts: tuple[str, list[float], dict[str, float]]) -> None:
    assert _parts(text) == parts


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sgd(",
        "sgd(x)",
        "sgd(1+1)",
        "a.b(1)",
        "sgd('1')",
        "sgd(*[1])",
        "sgd(**{'lr': 1})",
        "lambda: 1",
        "sgd" * 100,
        "sgd;adam",
        "sgd(" + "-" * 150 + "1)" * 40,
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(DeclarationError, match="written as a name"):
        _parts(text)
