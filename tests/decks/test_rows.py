"""Every row that is promised has its test."""

from __future__ import annotations

import re
from pathlib import Path

PROMISED = (
    "D0.4 D0.8 D0.9 D0.10 D0.11 D0.12 D0.13 D0.14 D0.15 D0.16 D1.1 D1.2 D1.3 D1.4 D1.8 D1.11 D1.12 D1.13 D2.1 D2.2 D2.3 D2.4 D2.14 "
    "D2.15 D2.16 D2.18 D3.6 D3.7 D3.12 D3.14 D4.2 D4.3 D4.4 D4.11 D4.12 D4.13 D4.14 D4.15 D4.16"
).split()


def test_every_promised_row_is_marked_on_a_test():
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("test_deck_*.py")))
    marked = {row for marks in re.findall(r"mark\.deck\(([^)]*)\)", text) for row in re.findall(r'"(D[0-9.]+)"', marks)}
    assert set(PROMISED) <= marked, sorted(set(PROMISED) - marked)
