"""The decks' numbers, by row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

_NUMBERS: dict[str, Any] = json.loads((Path(__file__).parent / "deck_numbers.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def numbers() -> dict[str, Any]:
    """The recomputed numbers of the decks' rows, lists as they stand in the file."""
    return _NUMBERS


def assert_equal(got: Any, expected: Any, rtol: float = 1e-12) -> None:
    """Compare with a deck's number; entries that should be 0 may be off by the tolerance of the largest one."""
    expected = np.asarray(expected, dtype=np.float64)
    assert np.shape(got) == expected.shape
    np.testing.assert_allclose(np.asarray(got), expected, rtol=rtol, atol=rtol * float(np.max(np.abs(expected), initial=0.0)))


@pytest.fixture(scope="session")
def same() -> Any:
    """`assert_equal`, for tests that compare with the decks."""
    return assert_equal
