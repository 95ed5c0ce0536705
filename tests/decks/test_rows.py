"""Every row of the decks has a test and a place in the notes, and the table of both is true."""

from __future__ import annotations

from rows_table import ROWS, SCRIPTS, marked, shown, table


def test_the_rows_are_those_of_the_decks() -> None:
    counts = {"D0": 17, "D1": 16, "D2": 23, "D3": 19, "D4": 17}
    expected = [f"{deck}.{k}" for deck, count in counts.items() for k in range(1, count + 1)]
    expected += [f"P{k}" for k in range(1, 16)] + [f"E{k}" for k in range(1, 29)]
    assert list(ROWS) == expected
    assert all("\n" not in row["what"] and row["what"] for row in ROWS.values())


def test_every_row_has_a_test() -> None:
    tests = marked()
    assert not [row for row in ROWS if row not in tests]


def test_no_test_is_marked_with_a_row_that_does_not_exist() -> None:
    assert not {row: tests for row, tests in marked().items() if row not in ROWS}


def test_every_row_has_a_place_in_the_notes() -> None:
    places = shown()
    assert not [row for row in ROWS if row not in places]


def test_the_table_of_rows_is_true(update: bool) -> None:
    path = SCRIPTS / "README.md"
    if update:
        path.write_text(table(), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == table(), "run pytest --update"
