"""How a role looks, for every writer of pictures: colours, and beside each colour a sign that is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from symbackprop.present.scene.records import ROLES

#: Size of letters, in points: pictures have fixed sizes, so their letters have too.
POINTS: Final = 10.0


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

    stroke: str = "222222"
    fill: str = "FFFFFF"
    text: str = "222222"
    width: float = 0.6
    dash: str = ""
    slanted: bool = False
    bold: bool = False


#: Each two roles that meet in one picture differ in a line, a place or a shape, not in colour alone.
STYLES: Final[Mapping[str, Style]] = MappingProxyType(
    {
        "plain": Style(),
        "input": Style("1F3B73", "E8EEFB", "1F3B73"),
        "bias": Style("5C5C5C", "F2F2F2", "5C5C5C", dash="dashed"),
        "hidden": Style("3D3D3D", "F7F3E8", "3D3D3D"),
        "output": Style("5B2A86", "F3EAFA", "5B2A86", 1.4),
        "parameter": Style("6B4E00", "FFF6DC", "6B4E00"),
        "target": Style("00595C", "E3F5F5", "00595C", dash="dotted"),
        "loss": Style("8A1C1C", "FDEAEA", "8A1C1C", 1.4),
        "gate": Style("222222", "FFFFFF", "222222"),
        "value": Style("136C2E", "E6F4EA", "136C2E"),
        "gradient": Style("B3121D", "FDEAEA", "B3121D", 1.2, slanted=True),
        "local": Style("1B4FA8", "E8EEFB", "1B4FA8", dash="dotted"),
        "highlight": Style("A34700", "FFE8D1", "A34700", 1.6, bold=True),
        "muted": Style("B0B0B0", "FAFAFA", "6B6B6B", 0.4),
    }
)
assert set(STYLES) == set(ROLES)


__all__ = ["POINTS", "STYLES", "Style"]
