"""Whole lecture notes as pages: in every notation, without an error in the browser, and with the engine's numbers in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Browser

import symbackprop as sbp
from symbackprop.present.document.html import html
from symbackprop.present.document.markdown import markdown
from symbackprop.present.document.records import Document

X, Y = np.array([0.05, 0.10]), np.array([0.01, 0.99])
WEIGHTS = {
    "dense_1.W": np.array([[0.15, 0.20], [0.25, 0.30]]),
    "dense_1.b": np.array([0.35, 0.35]),
    "dense_2.W": np.array([[0.40, 0.45], [0.50, 0.55]]),
    "dense_2.b": np.array([0.60, 0.60]),
}
RATE = 0.5


def mazur() -> sbp.Network:
    return sbp.Sequential([sbp.Input(2), sbp.Dense(2, "sigmoid"), sbp.Dense(2, "sigmoid")], loss="half_squared_error", name="mazur")


def document(network: sbp.Network, **options: Any) -> Document:
    """The document that ``sbp.notes`` writes."""
    from symbackprop.public import notes

    example, optimizer = options.pop("example", None), options.pop("optimizer", None)
    given = {"notation": "ufldl", "depth": "lecture", "layout": "gradient", "shapes": False, "form": "matrix"} | options
    return notes.document_of(network, notes.wished(**given, example=example, optimizer=optimizer, title="Notes", author=""))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory, require_tool: Callable[[str], None]) -> Iterator[Browser]:
    require_tool("chromium")
    made = Browser(tmp_path_factory.mktemp("profile"))
    yield made
    made.close()


def test_notes_in_every_notation_are_set_without_an_error(browser: Browser, tmp_path: Path):
    net = mazur()
    example = (net.parameters(WEIGHTS), X, Y)
    options = [
        {"shapes": True, "example": example, "optimizer": sbp.Momentum(0.1, 0.9)},
        {"depth": "rewrite", "layout": "numerator"},
        {"form": "index", "layout": "denominator", "depth": "result"},
    ]
    made = []
    for preset in sbp.notations():
        made += [document(net, notation=preset, **wanted) for wanted in options[: 3 if preset == "ufldl" else 1]]
    together = replace(made[0], sections=tuple(chain.from_iterable(d.sections for d in made)))
    heard = browser.open(html(together), tmp_path / "page.html")
    assert heard.errors == [] and browser.value("document.documentElement.dataset.errors") == "0"
    assert (
        browser.value("document.querySelectorAll('.katex-html').length")
        == browser.value("document.querySelectorAll('.math').length")
        > 1500
    )
    assert browser.value("document.querySelectorAll('main svg').length") >= len(made)


#: A letter with indices and layer, as these notes print it.
SYMBOL = r"(?:\\frac\{\\partial L\}\{\\partial )?([A-Za-z]|\\delta)_\{?(\d)(\d?)\}?\^\{\((\d)\)\}\}?"


def meant(symbol: str, values: dict[str, np.ndarray]) -> float:
    """The engine's value of a printed symbol in the ufldl notation, whose first layer of weights is 1 and of activations 2."""
    if symbol == "L":
        return float(values["loss"])
    found = re.fullmatch(SYMBOL, symbol)
    assert found, symbol
    letter, i, j, layer = found[1], int(found[2]) - 1, found[3], int(found[4])
    if letter in ("W", "b"):
        name = f"dense_{layer}.{letter}"
        value = values[f"grad.{name}" if symbol.startswith(r"\frac") else name]
        return float(value[i, int(j) - 1] if j else value[i])
    kind = {"z": "dense_{}.z", "a": "dense_{}.a", r"\delta": "delta.dense_{}"}[letter]
    return float(values[kind.format(layer - 1)][i])


def test_numbers_in_the_pages_are_those_of_the_engine():
    net = mazur()
    params = net.parameters(WEIGHTS)
    notes = document(net, example=(params, X, Y), optimizer=sbp.GradientDescent(RATE))
    derivation = net.derive(per="sample")
    before = derivation.evaluate({**params, "x": X, "y": Y})
    updated = {name: WEIGHTS[name] - RATE * before[f"grad.{name}"] for name in WEIGHTS}
    after = derivation.evaluate({**updated, "x": X, "y": Y})
    text = markdown(notes)[0]
    page = html(notes)
    compared = 0
    for title, values in (("Forward pass", before), ("Backward pass", before), ("After 1 update", after)):
        rows = re.search(rf"\*\*Table \d+\.\*\* {title}\n\n(.*?)\n\n", text, re.DOTALL)
        assert rows, title
        for row in rows[1].splitlines()[2:]:
            left, right = (cell.strip(" $") for cell in row.strip("|").split("|"))
            numbers = right.split(r",\thickspace ")
            symbols = re.split(r", (?![^{]*\})", left)
            assert len(symbols) == len(numbers)
            for symbol, number in zip(symbols, numbers, strict=True):
                digits = number.partition(".")[2]
                # Rounded for print: half a unit of the last digit shown.
                assert abs(float(number) - meant(symbol, values)) <= 0.5000001 * 10.0 ** -len(digits), (symbol, number)
                assert number in page
                compared += 1
    assert compared == 9 + 16 + 13


def test_the_page_and_the_text_are_the_same_every_time():
    one, two = (document(mazur(), example=(mazur().parameters(WEIGHTS), X, Y), depth="rewrite") for _ in range(2))
    assert html(one) == html(two) and markdown(one) == markdown(two)
