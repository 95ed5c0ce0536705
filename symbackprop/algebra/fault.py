"""Errors in equations, told as a good compiler tells them: one sentence, the equation with the culprit marked, the way out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from symbackprop.errors import DeclarationError

if TYPE_CHECKING:
    from sympy import Expr

#: Longest line of an equation that is shown whole.
WIDTH = 120


@dataclass(frozen=True)
class Marked:
    """A line of text with marked places, each (start, stop)."""

    text: str
    places: tuple[tuple[int, int], ...]

    def __str__(self) -> str:
        text, places = self.text, self.places
        if len(text) > WIDTH and places:
            first = max(0, min(places[0][0] - WIDTH // 3, len(text) - WIDTH))
            shown = text[first : first + WIDTH]
            left, right = ("… " if first else ""), (" …" if first + WIDTH < len(text) else "")
            places = tuple((a - first + len(left), min(b - first, WIDTH) + len(left)) for a, b in places if first <= a < first + WIDTH)
            text = f"{left}{shown}{right}"
        marks = [" "] * len(text)
        for start, stop in places:
            marks[start:stop] = "^" * max(1, stop - start)
        return f"    {text}\n    {''.join(marks).rstrip()}" if places else f"    {text}"


@dataclass(frozen=True)
class Fault:
    """What is wrong with an equation; as text, its first line tells it by itself.

    Attributes:
        says: one sentence, with the tensor that the equation defines.
        lines: the equation, the culprit marked; or several equations.
        way: out of it.
    """

    says: str
    lines: tuple[Marked, ...]
    way: str = ""

    def __str__(self) -> str:
        return "\n".join([self.says, *map(str, self.lines), *([f"  {self.way}"] if self.way else [])])


class PartError(DeclarationError):
    """A part of an expression that cannot be taken; whoever has the whole equation marks it there."""

    def __init__(self, says: str, node: Expr, way: str = "") -> None:
        super().__init__(f"{says}; {way}" if way else says)
        self.says, self.node, self.way = says, node, way


__all__ = ["Fault", "Marked", "PartError"]
