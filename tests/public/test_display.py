"""What notebooks show of the public objects: one line of text, LaTeX with its delimiters, escaped tables, pictures."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree

import numpy as np
import pytest

import symbackprop as sbp
from symbackprop.present.display import bundle
from symbackprop.present.document.align import aligned


def shown() -> dict[str, object]:
    """One of each public object that displays itself."""
    net = sbp.Sequential([sbp.Input(2), sbp.Dense(3, "tanh"), sbp.Dense(1)], loss="half_squared_error", name="small")
    derivation = net.derive(per="sample")
    graph = sbp.Graph("f", "(x + y) * z")
    return {
        "network": net,
        "derivation": derivation,
        "derived": derivation.gradients["dense_1.W"],
        "recursion": derivation.recursion,
        "graph": graph,
        "run": graph.backward(x=-2, y=5, z=-4),
        "report": sbp.gradcheck(lambda v: (float(v["a"] @ v["a"]), {"a": 2 * v["a"]}), {"a": np.array([1.0, 2.0])}),
    }


def test_every_object_says_what_it_is_in_one_line():
    first, second = shown(), shown()
    for name, thing in first.items():
        if name != "recursion":
            assert "\n" not in repr(thing) and len(repr(thing)) < 160 and " at 0x" not in repr(thing), name
        assert repr(thing) == repr(second[name])


def test_latex_has_its_delimiters_and_lines_are_aligned():
    things = shown()
    assert things["derived"]._repr_latex_().startswith(r"$\displaystyle ")
    for name in ("derivation", "recursion", "graph"):
        latex = things[name]._repr_latex_()
        rows = latex.removeprefix("$$\\begin{aligned}\n").removesuffix("\n\\end{aligned}$$").split(" \\\\\n")
        assert len(rows) > 1 and all("&" in row for row in rows), name
    assert aligned(r"= \begin{bmatrix} c & d \end{bmatrix}") == r"&= \begin{bmatrix} c & d \end{bmatrix}"


@pytest.mark.parametrize("name", ["network", "graph", "run"])
def test_pictures_are_whole_and_stand_above_the_words(name: str):
    made = shown()[name]._repr_mimebundle_()
    assert {"text/plain", "image/svg+xml", "text/html"} <= set(made)
    assert ElementTree.fromstring(made["image/svg+xml"]).tag.endswith("svg")
    assert made["text/html"].startswith(made["image/svg+xml"])
    assert len(made["text/html"]) > len(made["image/svg+xml"])


def test_a_preview_shows_what_notes_would_say():
    net = sbp.Sequential([sbp.Input(2), sbp.Dense(2, "tanh"), sbp.Dense(1)], loss="half_squared_error", name="small")
    derivation = net.derive(per="sample")
    shown = sbp.preview(derivation.gradients["dense_1.W"], depth="rewrite", notation="goodfellow")
    assert repr(shown) == "Preview(1 display)" and "in matrix form" in shown._repr_markdown_()
    run = sbp.preview(sbp.Graph("f", "(x + y) * z").backward(x=-2, y=5, z=-4))
    assert "1 figure" in repr(run) and "](data:image/svg+xml;base64," in run._repr_markdown_() and "<script>" not in run._repr_markdown_()
    assert run.html().startswith("<!doctype html>")
    several = ["Words.", derivation.weight("dense_1.W", 1, 2), sbp.derivative_steps("sigmoid"), derivation.recursion]
    several += [derivation.recursion.lines()[0], sbp.activation_chart("tanh")]
    kinds = repr(sbp.preview(several))
    assert kinds.startswith("Preview(1 paragraph, ") and kinds.endswith(", 1 chart)")
    with pytest.raises(sbp.DeclarationError, match="cannot show a int"):
        sbp.preview(3)


def test_texts_are_escaped():
    activation = sbp.Activation("relu")
    net = sbp.Sequential([sbp.Input(2), sbp.Dense(1, activation)], loss="mse", name="small")
    assert "<script" not in net._repr_html_()
    with pytest.raises(sbp.DeclarationError):
        sbp.Sequential([sbp.Input(2), sbp.Dense(1, name="<script>")], loss="mse")
    with pytest.raises(sbp.DeclarationError):
        sbp.Graph("f", "<script> + 1")


def test_a_bundle_leaves_out_what_there_is_not():
    assert bundle("thing") == {"text/plain": "thing"}
    assert bundle("thing", svg="<svg/>") == {"text/plain": "thing", "image/svg+xml": "<svg/>"}


def test_a_front_end_gets_everything(require_tool: Callable[[str], None]):
    require_tool("IPython")
    from IPython.core.formatters import DisplayFormatter

    formatter = DisplayFormatter()
    formatter.active_types = list(formatter.formatters)
    kinds = {name: set(formatter.format(thing)[0]) for name, thing in shown().items()}
    assert {"text/latex", "text/html"} <= kinds["derivation"]
    assert "text/latex" in kinds["derived"] and "text/latex" in kinds["recursion"]
    assert "text/html" in kinds["report"]
    assert {"image/svg+xml", "text/html"} <= kinds["graph"] & kinds["run"] & kinds["network"]
