"""Lecture notes on every kind of layer: each notation takes them, and what is printed is made of textbook signs only."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from browser import Browser

import symbackprop as sbp
from symbackprop.declare.layers import LAYERS
from symbackprop.present.document.html import html
from symbackprop.present.document.records import Document, Line, Math
from symbackprop.present.document.subset import check_latex
from symbackprop.present.document.tex import tex
from symbackprop.public import notes

#: A name as programs have it: dense_1.W, or a word with an underscore that is no macro.
RAW = re.compile(r"[A-Za-z0-9]\.[A-Za-z]|(?<![A-Za-z\\])[A-Za-z]{2,}_")
FLOOR = r"\lfloor"


def chain(*layers: Any, loss: str = "half_squared_error") -> sbp.Network:
    return sbp.Sequential(list(layers), loss=loss, name="net")


def transformer() -> sbp.Network:
    tokens = sbp.Input(3, dtype="int64")
    h = sbp.PositionalEncoding()(sbp.Embedding(5, 4)(tokens))
    h = h + sbp.Attention(heads=2, causal=True)(sbp.LayerNorm()(h))
    h = h + sbp.Dense(4)(sbp.Dense(6, activation="gelu")(sbp.RMSNorm()(h)))
    return sbp.Network(inputs=tokens, outputs=sbp.Dense(5)(h), loss="softmax_cross_entropy", name="transformer")


def residual_convolution() -> sbp.Network:
    image = sbp.Input((2, 4, 4))
    h = sbp.Activation("relu")(sbp.BatchNorm()(sbp.Conv2D(2, 3, padding=1)(image)))
    scores = sbp.Dense(3)(sbp.GlobalAvgPool2D()(image + h))
    return sbp.Network(inputs=image, outputs=scores, loss="softmax_cross_entropy", name="residual_convolution")


def branches() -> sbp.Network:
    x = sbp.Input(3)
    h, g = sbp.Dense(3, "tanh")(x), sbp.Dense(3)(x)
    joined = sbp.Concat()(h + g, h * g)
    return sbp.Network(inputs=x, outputs=sbp.Dense(2)(joined), loss="half_squared_error", name="branches")


def product_of_two() -> sbp.Network:
    x = sbp.Input(3)
    return sbp.Network(inputs=x, outputs=sbp.Bilinear(2)(x, sbp.Dense(2)(x)), loss="half_squared_error", name="product_of_two")


def lstm() -> sbp.Network:
    return chain(sbp.Input((3, 2)), sbp.LSTM(2), sbp.Dense(2))


#: name -> (the network, whether no place that is computed may be left anywhere: everything has a matrix, operator or time form).
NETS: dict[str, tuple[Callable[[], sbp.Network], bool]] = {
    "transformer": (transformer, False),
    "lstm": (lstm, True),
    "residual_convolution": (residual_convolution, True),
    "branches": (branches, True),
    "product_of_two": (product_of_two, True),
    "rnn": (lambda: chain(sbp.Input((3, 2)), sbp.SimpleRNN(2), sbp.Dense(2)), True),
    "gru": (lambda: chain(sbp.Input((3, 2)), sbp.GRU(2), sbp.Dropout(0.5), sbp.Dense(2)), True),
    "sequence": (lambda: chain(sbp.Input((2, 6)), sbp.Conv1D(2, 3, activation="tanh"), sbp.Flatten(), sbp.Dense(2)), False),
    "pools": (lambda: chain(sbp.Input((1, 6, 6)), sbp.Conv2D(2, 3), sbp.MaxPool2D(2), sbp.AvgPool2D(2), sbp.Flatten()), False),
    "decoder": (lambda: chain(sbp.Input(4), sbp.Reshape((1, 2, 2)), sbp.ConvTranspose2D(1, 2, stride=2)), False),
    "groups": (lambda: chain(sbp.Input((4, 2, 2)), sbp.GroupNorm(2), sbp.PReLU(), sbp.Flatten(), sbp.Dense(2)), False),
    "gates": (lambda: chain(sbp.Input(3), sbp.Maxout(4, 2), sbp.GatedLinear("sigmoid"), sbp.Dense(2)), False),
}  # fmt: skip


def formulas(part: Any) -> Iterator[tuple[str, str]]:
    """Yield every formula of a document with the rule that gave it."""
    if isinstance(part, Line):
        yield part.latex, part.rule
    elif isinstance(part, Math):
        yield part.latex, ""
    elif isinstance(part, tuple | list):
        for inner in part:
            yield from formulas(inner)
    elif isinstance(part, Document) or (is_dataclass(part) and type(part).__module__ == Document.__module__):
        for field in fields(part):
            yield from formulas(getattr(part, field.name))


@cache
def document(name: str, notation: str) -> Document:
    """The notes on one of the networks, made once."""
    return written(NETS[name][0](), notation)


def written(network: sbp.Network, notation: str) -> Document:
    """The document that ``sbp.notes`` writes."""
    return notes.document_of(network, notes.wished(notation, "lecture", "gradient", False, "matrix", None, None, None, ""))


def notation_of(name: str) -> str:
    """Each network has a notation of its own, in turn, so that all are used."""
    return sbp.notations()[list(NETS).index(name) % len(sbp.notations())]


def test_the_networks_have_every_kind_of_layer_and_every_notation():
    assert {layer.kind for net, _ in NETS.values() for layer in net().spec.layers} == set(LAYERS)
    assert {notation_of(name) for name in NETS} == set(sbp.notations())


@pytest.mark.parametrize(("name", "notation"), [*((name, notation_of(name)) for name in NETS), ("gates", "bishop"), ("groups", "ng")])
def test_notes_of_a_layer_are_made_of_textbook_signs(name, notation):
    # Bishop's and Ng's biases are a column of the weights, which only a matrix has.
    made = document(name, notation)
    found = list(formulas(made))
    assert len(found) > 20
    for latex, rule in found:
        where = f"{name} in {notation}: {latex}"
        check_latex(latex)
        assert latex.replace(r"\{", "").count("{") == latex.replace(r"\}", "").count("}"), where
        assert "@" not in latex, where
        assert not RAW.search(latex), where
        # Steps may reckon with places; what is in matrix form never does.
        assert FLOOR not in latex or not (NETS[name][1] or rule == "in matrix form"), where
    text = tex(made, "article")
    assert text.count(r"\begin{") == text.count(r"\end{")


def test_pages_are_set_without_an_error(tmp_path: Path, require_tool: Callable[[str], None]):
    require_tool("chromium")
    browser = Browser(tmp_path / "profile")
    try:
        for name in ("transformer", "lstm", "residual_convolution"):
            heard = browser.open(html(document(name, notation_of(name))), tmp_path / f"{name}.html")
            assert heard.errors == [], name
            assert browser.value("document.querySelectorAll('.katex-error').length") == 0, name
            assert browser.value("document.querySelectorAll('.math .katex').length") > 20, name
    finally:
        browser.close()


def test_a_note_is_compiled(tmp_path: Path, require_tool: Callable[[str], None]):
    require_tool("pdflatex")
    paths = sbp.notes(lstm(), tmp_path / "lstm.pdf", notation=notation_of("lstm"))
    assert paths[0].read_bytes().startswith(b"%PDF")


def test_a_layer_without_a_pre_activation_has_a_number():
    # W_x^{(0)} would be weights from nowhere: in front of layer 1, the input, there is no layer.
    found = [latex for latex, _ in formulas(document("gru", "ufldl"))]
    assert any(r"W_x^{(1)}" in f for f in found)
    assert not any("^{(0)}" in f for f in found)


def test_fractions_of_powers_of_two_are_no_decimals():
    net = chain(sbp.Input((2, 4, 8)), sbp.GlobalAvgPool2D(), sbp.Dense(2))
    found = [latex for latex, _ in formulas(written(net, "ufldl"))]
    assert any(r"\frac{1}{32}" in f for f in found)
    assert not any("0.03125" in f for f in found)


def test_a_mask_is_called_so():
    assert "random mask" in tex(document("gru", "ufldl"), "article")
