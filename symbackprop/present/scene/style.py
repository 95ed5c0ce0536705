"""How a role looks, for every writer of pictures: colours, and beside each colour a sign that is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from symbackprop.present.scene.records import ROLES

#: Heights of letters, in points; 1 cm is 28.45 pt. Pictures have fixed sizes, so their letters have too.
NODE_POINTS: Final = 10.0
MARK_POINTS: Final = 9.0


@dataclass(frozen=True)
class Style:
    """How a role looks.

    Attributes:
        stroke: colour of lines, as six hexadecimal digits.
        fill: colour inside a node.
        text: colour of its words.
        width: of lines, in points.
        dash: "" for a whole line, "dashed" or "dotted".
        slanted: whether its words are slanted (maths stays maths).
        bold: whether its words are heavy.
    """

    stroke: str = "333333"
    fill: str = "FFFFFF"
    text: str = "111111"
    width: float = 0.6
    dash: str = ""
    slanted: bool = False
    bold: bool = False


#: Each two roles that meet in one picture differ in a line, a place or a shape, not in colour alone.
STYLES: Final[Mapping[str, Style]] = MappingProxyType(
    {
        "plain": Style(),
        "input": Style("4A5568", "EEF2F7"),
        "bias": Style("8A6D1A", "FDF6E0", dash="dashed"),
        "hidden": Style("2B5C9E", "E3EDF9", width=0.8),
        "output": Style("6B2F8F", "F3E8FA", width=1.4),
        "parameter": Style("555555", "F7F7F7"),
        "target": Style("666666", "FFFFFF", dash="dotted", width=0.8),
        "loss": Style("A04000", "FDEBDC", width=1.4),
        "gate": Style("333333", "FFFFFF", width=0.8),
        "value": Style("1A7F37", "E6F4EA", "1A7F37", 0.8),
        "gradient": Style("C62828", "FDECEA", "C62828", 0.8, slanted=True),
        "local": Style("1F4FA0", "E8EFFB", "1F4FA0", dash="dotted"),
        "highlight": Style("D9480F", "FFE8D6", "A63A0A", 1.8, bold=True),
        "muted": Style("B4B9C1", "FBFBFC", "8A9099", 0.4),
    }
)
assert set(STYLES) == set(ROLES)


__all__ = ["MARK_POINTS", "NODE_POINTS", "STYLES", "Style"]
