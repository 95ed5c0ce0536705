"""The README's table of layers: names, options and defaults as the classes have them, formulas as their docstrings say."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from symbackprop.declare.layers import LAYERS
from symbackprop.declare.layers.wiring import Layer

README = Path(__file__).parents[1] / "README.md"
HEAD = "| layer | what it computes | in PyTorch |\n|---|---|---|\n"


def paragraphs(layer: type[Layer]) -> list[str]:
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", inspect.getdoc(layer) or "")]


def options(name: str) -> list[inspect.Parameter]:
    """What a layer is made with, besides what all layers take."""
    return [p for p in inspect.signature(LAYERS[name]).parameters.values() if name == "Activation" or p.name not in ("name", "trainable")]


def row(name: str, layer: type[Layer]) -> str:
    """One line of the table: the call with its options; the summary, with a formula that stands alone below it; the counterpart."""
    call = ", ".join(str(p.replace(annotation=inspect.Parameter.empty)) for p in options(name))
    first, *rest = paragraphs(layer)
    formula = [p for p in rest[:1] if re.match(r"\w+(\[[^]]*\])? = ", p)]
    (peer,) = (p.removeprefix("In PyTorch: ").removesuffix(".") for p in rest if p.startswith("In PyTorch: "))
    said = " ".join([first, *formula]).replace("|", "\\|").replace("``", "`")
    return f"| `{name}({call})` | {said} | {peer.replace('``', '`')} |\n"


def test_the_table_is_what_the_layers_say(update: bool) -> None:
    table = HEAD + "".join(row(name, layer) for name, layer in LAYERS.items())
    text = README.read_text(encoding="utf-8")
    assert HEAD in text
    start = text.index(HEAD)
    shown = text[start : text.index("\n\n", start) + 1]
    if update:
        README.write_text(text.replace(shown, table), encoding="utf-8")
    else:
        assert shown == table, "run pytest --update: a layer has other options, or its docstring says something else"


@pytest.mark.parametrize("name", LAYERS)
def test_a_layers_docstring_says_every_option(name: str) -> None:
    doc = inspect.getdoc(LAYERS[name]) or ""
    same = re.search(r"[Oo]ptions are those of `(\w+)`", doc)
    doc += inspect.getdoc(LAYERS[same.group(1)]) or "" if same else ""
    for option in options(name):
        assert re.search(rf"^\s+\**{option.name}: ", doc, re.MULTILINE), option.name
