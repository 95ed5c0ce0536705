"""Tests of all that a GPU is asked for, on a card that stands in for one; it takes the place of libcuda.so.1 in its process."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "execute"))
sys.path.insert(0, str(Path(__file__).parents[2]))

#: The one card of this process.
_cards: list[Any] = []


@pytest.fixture(scope="session")
def target(pytestconfig: pytest.Config, require_cuda: None) -> str:
    """The target of Numba that is tried."""
    given = pytestconfig.getoption("--card")
    if given is None:
        pytest.skip("a card that stands in for a GPU is for a process of its own: pytest tests/card --card numba-cuda")
    if not _cards:
        import stand_in

        _cards.append(stand_in.install(stand_in.Card(race=False)))
        if given == "builtin":
            # What redirects numba.cuda to numba-cuda once that is installed.
            sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != "NumbaCudaFinder"]
    return str(given)


@pytest.fixture
def card(target: str) -> Iterator[Any]:
    """The card; what it answers that is not looked at is an error of the test."""
    there = _cards[0]
    there.errors.clear()
    yield there
    assert not there.errors, "\n".join(there.errors)


@pytest.fixture(autouse=True)
def quiet(card: Any) -> None:
    """Every test is on the card."""
