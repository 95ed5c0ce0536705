"""Which row of the decks is shown where and held by which tests: read from the texts of scripts and tests, without running them."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "examples" / "decks"
ROWS: Mapping[str, Mapping[str, str]] = json.loads((Path(__file__).parent / "deck_rows.json").read_text(encoding="utf-8"))

_HEAD = """# The five decks, rebuilt

Each script writes the notes of one lecture deck, corrected, in the deck's own notation: `python examples/decks/NAME.py [FOLDER]` writes
`.tex`, `.html` and, where TeX is installed, `.pdf`. Where a deck is wrong (rows E1 to E28), `errata.py` holds what it prints and computes
why that fails; the notes print the right formula with a footnote.

| row | what | section | test |
|---|---|---|---|
"""


@cache
def marked() -> dict[str, list[str]]:
    """Return row -> tests that are marked with it, as ``tests/decks/test_deck_0.py::test_name``."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                name = f"{path.relative_to(ROOT).as_posix()}::{node.name}"
                for row in dict.fromkeys(row for mark in _marks(node) for row in mark):
                    found.setdefault(row, []).append(name)
    return found


def _marks(function: ast.FunctionDef) -> Iterator[list[str]]:
    """Yield the rows of every mark, also of marks on single parameters."""
    for decorator in function.decorator_list:
        for call in ast.walk(decorator):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.deck":
                yield [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]


@cache
def shown() -> dict[str, tuple[str, str]]:
    """Return row -> (script, title of its section), from the calls ``Part("title", "rows", ...)``."""
    found: dict[str, tuple[str, str]] = {}
    for path in sorted(SCRIPTS.glob("deck_*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "Part":
                title, rows = (ast.literal_eval(arg) for arg in call.args[:2])
                for row in rows.split():
                    found.setdefault(row, (path.name, title))
    return found


def table() -> str:
    """Return the text of ``examples/decks/README.md``."""
    tests, sections = marked(), shown()
    lines = []
    for row, content in ROWS.items():
        script, title = sections.get(row, ("", ""))
        # Tests of decks first: they show the row as a deck has it, and do not come and go with other parts.
        names = sorted(tests.get(row, []), key=lambda name: not name.startswith("tests/decks/"))
        path, _, function = names[0].partition("::") if names else ("", "", "")
        test = f"[{function}](../../{path})" if names else ""
        place = f"[{script}]({script}): {title}" if script else ""
        lines.append(f"| {row} | {_cell(content['what'])} | {place} | {test} |")
    return _HEAD + "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    for mark in ("\\", "|", "*", "_", "<", "[", "$"):
        text = text.replace(mark, f"\\{mark}")
    return text
