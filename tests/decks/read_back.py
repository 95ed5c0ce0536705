"""Reading printed numbers back, by hand: from tables and lines of documents."""

from __future__ import annotations

import re

from symbackprop.present.document.records import Line, Math, Table

_NUMBER = r"-?\d+(?:\.\d+)?(?: \\cdot 10\^\{-?\d+\})?"


def number(text: str) -> float:
    """Return one printed number."""
    assert re.fullmatch(_NUMBER, text.strip()), text
    mantissa, _, exponent = text.strip().partition(r" \cdot 10^{")
    return float(f"{mantissa}e{exponent.rstrip('}') or 0}")


def cells(table: Table) -> dict[str, list[float]]:
    """Return the rows of a table of quantities: the symbols as one text -> their values, a matrix row by row."""
    made = {}
    for left, right in table.rows:
        assert isinstance(left[0], Math)
        assert isinstance(right[0], Math)
        plain = right[0].latex.removeprefix(r"\begin{bmatrix} ").removesuffix(r" \end{bmatrix}")
        made[left[0].latex] = [number(part) for part in re.split(r",\\;| & | \\\\ ", plain)]
    return made


def rows(table: Table) -> list[list[float]]:
    """Return the rows of a table of numbers; rows of dots are left out."""
    made = []
    for row in table.rows:
        texts = [part.latex for cell in row for part in cell if isinstance(part, Math)]
        if r"\vdots" not in texts:
            made.append([number(text) for text in texts])
    return made


def results(lines: tuple[Line, ...]) -> dict[str, float]:
    """Return what chains of lines end in: the left side -> the number after the last relation sign."""
    made: dict[str, float] = {}
    left = ""
    for line in lines:
        text = line.latex.replace("&", "")
        if not text.startswith("= "):
            left = re.split(r" = | \\leftarrow | \\approx ", text)[0].strip()
        end = re.split(r" = | \\approx ", text)[-1]
        if re.fullmatch(_NUMBER, end.strip()):
            made[left] = number(end)
    return made


def close(printed: float, right: float, digits: int = 4) -> bool:
    """Whether a printed number is the right one, rounded to significant digits."""
    return printed == right or abs(printed - right) <= 0.5000001 * 10 ** (-digits + 1) * 10 ** _magnitude(right)


def _magnitude(value: float) -> int:
    return int(f"{value:e}".split("e")[1])
