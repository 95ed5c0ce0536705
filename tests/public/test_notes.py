"""Lecture notes as files: what they say is the derivation, in every kind, and nothing is half written."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import symbackprop as sbp
from symbackprop.errors import DeclarationError, OutputError, TargetError
from symbackprop.present.document.breaking import halves
from symbackprop.present.document.homework import blanked
from symbackprop.present.document.records import Algorithm, Display, Line, Math, Paragraph, Strong, Table
from symbackprop.present.document.tex import tex
from symbackprop.present.notation import notation
from symbackprop.present.notes import SOURCES, Style
from symbackprop.public.notes import Wish, blocks_of, document_of
from symbackprop.public.pages import error_norms, negative_gradient, slope, vanishing_gradient

NUMBERS = json.loads((Path(__file__).parents[1] / "decks" / "deck_numbers.json").read_text(encoding="utf-8"))


def chain(*widths: int, activation: str = "sigmoid", loss: str = "half_squared_error", **options):
    layers = [sbp.Input(widths[0]), *(sbp.Dense(w, activation=activation) for w in widths[1:])]
    return sbp.Sequential(layers, loss=loss, name="chain", **options)


def wish(preset: str = "ufldl", **options) -> Wish:
    return Wish(Style(notation(preset), **options))


def algorithms(net, preset: str = "ufldl", **options) -> list[list[tuple[int, str]]]:
    """The pseudocode of a network's notes, as text with its formulas."""
    document = document_of(net, replace(wish(preset), **options))
    return [
        [
            (depth, "".join(p.latex if isinstance(p, Math) else p.text if isinstance(p, Strong) else str(p) for p in text))
            for depth, text in b.lines
        ]
        for s in document.sections
        for b in s.blocks
        if isinstance(b, Algorithm)
    ]


def section(document, title):
    return next(s for s in document.sections if s.title == title)


def lines_of(part) -> list[Line]:
    return [line for b in part.blocks if isinstance(b, Display) for line in b.lines]


# --- the algorithms of the lecture --------------------------------------------------------------------------------------


@pytest.mark.deck("D0.14", "E2")
def test_error_terms_run_down_to_layer_2_and_gradients_to_layer_1():
    """δ for l = n_l, ..., 2; gradients for l = n_l − 1, ..., 1: never "down to layer 1" for δ, whose layer 1 is the input."""
    lines = algorithms(chain(3, 5, 4, 6, 2))[0]
    loops = [(text, [inner for d, inner in lines[k + 1 : k + 3] if d == 1]) for k, (depth, text) in enumerate(lines) if depth == 0]
    ranges = {text: body for text, body in loops if text.startswith("for ")}
    assert list(ranges) == [
        r"for l = 1, 2, \dots, 4 do",
        "for l = 4, 3, 2 do",
        r"for l = 4, 3, \dots, 1 do",
    ]
    forward, errors, gradients = ranges.values()
    assert forward[0] == "z^{(l+1)} = W^{(l)} a^{(l)} + b^{(l)}"
    assert errors[0].startswith(r"\delta^{(l)} = \left( (W^{(l)})^{\top} \delta^{(l+1)} \right)")
    assert gradients[:2] == [r"\nabla_{W^{(l)}} L = \delta^{(l+1)} (a^{(l)})^{\top}", r"\nabla_{b^{(l)}} L = \delta^{(l+1)}"]
    assert lines[0][1] == "set a^{(1)} = x"
    assert any(text.startswith(r"\delta^{(5)} = -(y - a^{(5)})") for depth, text in lines if depth == 0)


@pytest.mark.deck("D0.15", "E4", "E5")
def test_gradient_descent_averages_over_the_samples_and_stops_at_a_tolerance():
    lines = algorithms(chain(2, 3, 2))[1]
    assert [text for _, text in lines] == [
        "repeat",
        r"\Delta\theta := 0 for every parameter \theta",
        r"for i = 1, \dots, M do",
        r"compute \nabla_\theta L(\theta; x^{(i)}, y^{(i)}) by backpropagation",
        r"\Delta\theta := \Delta\theta + \nabla_\theta L(\theta; x^{(i)}, y^{(i)})",
        r"\theta := \theta - \eta \left[ \frac{1}{M} \Delta\theta \right] for every parameter \theta",
        "until the norm of the gradient is below a tolerance",
    ]


@pytest.mark.deck("D0.15")
def test_the_algorithm_run_by_hand_gives_the_numbers_of_the_lecture():
    """Summing the gradients of single samples, averaging and stepping, as the box says, equals the deck's numbers."""
    first, given = NUMBERS["D0.8"], NUMBERS["D0.15"]
    theta = {"dense_1.W": first["W1"], "dense_1.b": first["b1"], "dense_2.W": first["W2"], "dense_2.b": first["b2"]}
    theta = {name: np.array(value) for name, value in theta.items()}
    one = chain(2, 3, 2).derive(per="sample")
    total = {name: np.zeros_like(value) for name, value in theta.items()}
    losses = []
    for x, y in zip(given["X"], given["Y"], strict=True):
        made = one.evaluate({**theta, "x": np.array(x), "y": np.array(y)})
        total = {name: total[name] + made[f"grad.{name}"] for name in theta}
        losses.append(float(made["loss"]))
    mean = {name: t / len(losses) for name, t in total.items()}
    for name, key in zip(theta, ("dW1", "db1", "dW2", "db2"), strict=True):
        np.testing.assert_allclose(mean[name], given[key], rtol=1e-12, atol=1e-15)
    assert np.mean(losses) == pytest.approx(given["loss"], rel=1e-12)
    stepped = {name: theta[name] - given["lr"] * mean[name] for name in theta}
    after = [
        float(one.evaluate({**stepped, "x": np.array(x), "y": np.array(y)})["loss"]) for x, y in zip(given["X"], given["Y"], strict=True)
    ]
    assert np.mean(after) == pytest.approx(given["loss_after_1_update"], rel=1e-12)


def test_any_wiring_has_its_algorithm_without_loops():
    x = sbp.Input(3)
    h = sbp.Dense(3, activation="tanh", name="hidden")(x)
    net = sbp.Network(inputs=x, outputs=sbp.Dense(2, name="out")(x + h), loss="half_squared_error", name="residual")
    lines = algorithms(net)[0]
    assert not any(text.startswith("for ") for _, text in lines)
    assert sum(r"\delta^{(\mathrm{hidden})} =" in text for _, text in lines) == 1


def odd_networks():
    f = sbp.Activation("f")
    yield sbp.Sequential(
        [sbp.Input("n_1"), sbp.Dense("n_2", activation=f), sbp.Dense("n_3", activation=f)], loss="half_squared_error", name="sizes"
    )
    yield sbp.Sequential([sbp.Input(3), sbp.Dense(4, activation="relu", bias=False), sbp.Dense(2)], loss="multiclass_hinge", name="hinge")
    first, second = sbp.Input(3), sbp.Input(2)
    joined = sbp.Concat()(sbp.Dense(3, activation="tanh")(first), sbp.Dense(3, activation="leaky_relu")(second))
    yield sbp.Network(inputs=(first, second), outputs=sbp.Dense(2)(joined), loss="mae", name="two_inputs")
    x, shared = sbp.Input(3), sbp.Dense(3, activation="softplus")
    yield sbp.Network(inputs=x, outputs=shared(shared(x)), loss="mse", name="shared")
    yield sbp.Sequential([sbp.Input(1), sbp.Dense(1, activation="sigmoid")], loss="binary_cross_entropy", name="one")
    layers = [sbp.Input((2, 2)), sbp.Flatten(), sbp.Dense(4), sbp.Activation("relu6"), sbp.Dense(2)]
    yield sbp.Sequential(layers, loss=sbp.Loss("huber", reduction="sum"), name="apart", regularizer=sbp.ElasticNet(0.1, 0.2))


@pytest.mark.parametrize("net", list(odd_networks()), ids=lambda net: net.name)
def test_any_network_can_be_written_up(net):
    for preset in ("ufldl", "tuwien"):
        document = document_of(net, wish(preset))
        titles = [s.title for s in document.sections]
        assert {"The network", "Forward pass", "Loss", "Error terms", "Gradients", "The algorithms"} <= set(titles)
        assert all(len(tex(document, kind)) > 3000 for kind in ("article", "beamer", "fragment"))


@pytest.mark.deck("D1.5", "E8")
def test_a_penalty_is_added_once_and_not_for_every_sample():
    document = document_of(chain(3, 4, 2, regularizer=sbp.L2(0.02)), wish())
    texts = [line.latex for line in lines_of(section(document, "All samples"))]
    assert any(re.search(r"\\nabla_\{W\^\{\(1\)\}\} R.* = 0\.02 W\^\{\(1\)\}", t) for t in texts), texts
    step = next(text for _, text in algorithms(chain(3, 4, 2, regularizer=sbp.L2(0.02)))[1] if text.startswith(r"\theta :="))
    assert re.search(r"\\frac\{1\}\{M\} \\Delta\\theta \+ \\nabla_\\theta R", step)


@pytest.mark.deck("D1.12", "E11")
def test_momentum_updates_its_velocity_before_the_weights():
    lines = [
        line.latex for line in lines_of(section(document_of(chain(3, 2), replace(wish(), optimizer=sbp.Momentum(0.1, 0.9))), "The update"))
    ]
    assert [halves(f)[0] for f in lines] == ["v", r"\theta"]
    assert lines[1] == r"\theta \leftarrow \theta - \eta v"


@pytest.mark.deck("D1.16")
def test_an_update_entry_by_entry_is_said_of_one_parameter():
    document = document_of(chain(3, 2), replace(wish("larochelle"), optimizer=sbp.Adam(0.1)))
    texts = [line.latex for line in lines_of(section(document, "The update"))]
    assert texts[2].startswith(r"v \leftarrow (1 - \beta_2) \left( \frac{\partial L}{\partial \theta} \right)^2")
    assert not any(r"\oslash" in text or "_p" in text for text in texts)


# --- depth, abbreviation, overlays --------------------------------------------------------------------------------------


def test_a_deep_network_is_shown_by_its_general_layer():
    """Fifty layers take no more lines than eight: what repeats is shown once, with its range."""
    counts = {}
    for depth in (8, 50):
        document = document_of(chain(3, *(4,) * (depth - 1), 2, activation="tanh"), wish())
        counts[depth] = sum(len(lines_of(s)) for s in document.sections)
        texts = [line.latex for line in lines_of(section(document, "The recursion"))]
        assert any(rf"l = {depth}, {depth - 1}, \dots, 2" in t and r"\delta^{(l)}" in t for t in texts), texts
    assert counts[50] == counts[8] < 40


@pytest.mark.parametrize("preset", sbp.notations())
def test_a_network_of_four_layers_shows_every_layer(preset):
    document = document_of(chain(3, 5, 4, 6, 2), wish(preset, depth="rewrite"))
    names = {halves(line.latex)[0] for line in lines_of(section(document, "Gradients"))}
    assert len([n for n in names if n]) >= 4
    assert all(line.rule for line in lines_of(section(document, "Error terms")))


@pytest.mark.deck("D0.8")
def test_the_forward_pass_is_built_up_one_line_a_click(tmp_path):
    (path,) = sbp.notes(chain(2, 3, 2), tmp_path / "slides.tex", kind="beamer")
    frame = path.read_text(encoding="ascii").split(r"\frametitle{Forward pass}")[1].split(r"\end{frame}")[0]
    lines = [line for line in frame.split("\n") if "&" in line]
    assert [re.findall(r"<(\d)->", line) for line in lines] == [[], ["2", "2"], ["3", "3"], ["4", "4"]]
    assert r"z^{(2)} &= W^{(1)} x + b^{(1)}" in lines[0] and "a^{(3)}" in lines[3]


@pytest.mark.deck("D0.17", "D1.16")
def test_notes_end_with_what_to_read(tmp_path):
    (path,) = sbp.notes(chain(2, 3, 2), tmp_path / "n.tex", optimizer=sbp.Adam(0.1))
    text = path.read_text(encoding="ascii")
    listed = text.split("References")[-1]
    assert "Deep Learning, chapters 4 and 6" in listed and "UFLDL" in listed
    for source in SOURCES:
        assert source.url.split("/")[2].split(".")[-2] in listed.replace(r"\allowbreak{}", "")


# --- numbers ------------------------------------------------------------------------------------------------------------


def mazur():
    net = chain(2, 2, 2)
    params = {"dense_1.W": [[0.15, 0.20], [0.25, 0.30]], "dense_1.b": [0.35, 0.35], "dense_2.W": [[0.40, 0.45], [0.50, 0.55]]}
    return net, {**{k: np.array(v) for k, v in params.items()}, "dense_2.b": np.array([0.60, 0.60])}, [0.05, 0.10], [0.01, 0.99]


@pytest.mark.parametrize("kind", ["article", "beamer", "fragment"])
def test_printed_numbers_are_those_of_the_engine(kind, tmp_path):
    """Every "symbol = ... ≈ number" is read back from the file and compared with the engine's value, rounded to what is printed."""
    net, params, x, y = mazur()
    (path,) = sbp.notes(net, tmp_path / "n.tex", kind=kind, example=(params, x, y), optimizer=sbp.GradientDescent(0.5))
    values = net.derive(per="sample").evaluate({**params, "x": np.array(x), "y": np.array(y)})
    symbols: dict[str, float] = {}
    for k in (1, 2):
        for i in (0, 1):
            symbols[f"z_{i + 1}^{{({k + 1})}}"] = values[f"dense_{k}.z"][i]
            symbols[f"a_{i + 1}^{{({k + 1})}}"] = values[f"dense_{k}.a"][i]
            symbols[rf"\delta_{i + 1}^{{({k + 1})}}"] = values[f"delta.dense_{k}"][i]
            symbols[rf"\frac{{\partial L}}{{\partial b_{i + 1}^{{({k})}}}}"] = values[f"grad.dense_{k}.b"][i]
            for j in (0, 1):
                symbols[rf"\frac{{\partial L}}{{\partial W_{{{i + 1}{j + 1}}}^{{({k})}}}}"] = values[f"grad.dense_{k}.W"][i, j]
    numbers = path.read_text(encoding="ascii").split("With numbers", 1)[1]
    numbers = re.sub(r"\\uncover<\d+->\{(.*?)\}(?= ?(?:&|\\\\|\n|$))", r"\1", numbers)
    found: dict[str, float] = {}
    current = ""
    for row in numbers.split("\n"):
        left, _, right = row.partition("&")
        current = left.strip() or current
        last = re.search(r"(?:\\approx|=) (-?\d+\.?\d*)\}?\s*(?:\\\\|$)", right)
        if last and current in symbols:
            found[current] = float(last[1])
    assert set(found) == set(symbols)
    for name, printed in found.items():
        assert printed == pytest.approx(symbols[name], rel=5e-4), name


@pytest.mark.deck("D1.15")
def test_the_page_on_vanishing_gradients_has_the_numbers_of_the_lecture():
    oracle = NUMBERS["D1.15"]
    sigmoid, tanh = slope("sigmoid"), slope("tanh")
    assert sigmoid.at == 0 and float(sigmoid.largest) == oracle["sigmoid_prime_max"]
    assert float(sigmoid.there) == pytest.approx(oracle["sigmoid_prime_5"], rel=1e-14)
    assert float(tanh.there) == pytest.approx(oracle["tanh_prime_5"], rel=1e-14)
    page = vanishing_gradient(depth=10)
    texts = " ".join(line.latex for line in lines_of(page))
    assert r"\sigma'(5) \approx 0.006648" in texts and r"\tanh'(5) \approx 0.0001816" in texts
    words = next(b for b in page.blocks if isinstance(b, Paragraph) and any(isinstance(p, Math) and "^{10}" in p.latex for p in b.parts))
    assert any(isinstance(p, Math) and p.latex == r"(0.25)^{10} \approx 9.537 \cdot 10^{-7}" for p in words.parts)
    norms = error_norms("sigmoid", 10, 8)
    assert norms[0] < 0.25**9 * norms[-1] * 100 and all(a < b for a, b in pairwise(norms))


@pytest.mark.deck("D0.5", "D0.6")
def test_the_page_on_the_negative_gradient_walks_as_the_lecture_does():
    page = negative_gradient()
    table = next(b for b in page.blocks if isinstance(b, Table))
    walked = [float(row[1][0].latex) for row in table.rows]
    assert walked == [NUMBERS["D0.5"]["x0"], *NUMBERS["D0.5"]["x"]]
    assert lines_of(page)[2].latex == r"= -\lVert \nabla_\theta L(\theta) \rVert"


# --- homework -----------------------------------------------------------------------------------------------------------


@pytest.mark.deck("D0.16")
@pytest.mark.parametrize("suffix", [".tex", ".md", ".html"])
def test_homework_hides_every_result_and_solutions_show_it(suffix, tmp_path):
    net = chain(3, 4, 2)
    paths = sbp.notes(net, tmp_path / f"sheet{suffix}", homework=True)
    texts = [p.read_text(encoding="utf-8") for p in paths if p.suffix == suffix]
    assert [p.name for p in paths if p.suffix == suffix] == [f"sheet{suffix}", f"sheet-solutions{suffix}"]
    hidden = r"\left( (W^{(2)})^{\top} \frac{\partial L}{\partial z^{(3)}} \right)"
    escaped = hidden.replace("&", "&amp;")
    assert not any(h in texts[0] for h in (hidden, escaped))
    assert any(h in texts[1] for h in (hidden, escaped))


def test_blanks_keep_the_left_side_and_the_rule():
    document = document_of(chain(3, 4, 2), wish())
    questions = blanked(document)
    for before, after in zip(document.sections, questions.sections, strict=True):
        for one, other in zip(lines_of(before), lines_of(after), strict=True):
            assert halves(one.latex)[0] == halves(other.latex)[0] and one.rule == other.rule
            assert (one.latex == other.latex) != other.blank
    rest = [line for s in questions.sections[3:] for line in lines_of(s) if not line.blank]
    assert all(line.rule for line in rest)


# --- files --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "options", "message"),
    [
        ("n.doc", {}, r"must end in one of \.tex, \.pdf"),
        ("n", {}, "must end in one of"),
        ("n.html", {"kind": "beamer"}, "kind 'article' only"),
        ("n.pdf", {"kind": "fragment"}, "fragment is no document"),
        ("n.tex", {"kind": "poster"}, "unknown kind"),
        ("n.tex", {"notation": "ufld"}, "did you mean 'ufldl'"),
        ("n.tex", {"depth": "deep"}, "unknown depth"),
        ("n.tex", {"form": "round"}, "unknown form"),
        ("n.tex", {"layout": "round"}, "unknown layout"),
        ("n.tex", {"title": 3}, "must be text"),
        ("n.tex", {"example": [1]}, "example must be a tuple"),
        ("n.tex", {"pages": ("unknown",)}, "unknown page"),
    ],
)
def test_a_wrong_wish_is_one_line_and_writes_nothing(path, options, message, tmp_path):
    with pytest.raises(DeclarationError, match=message) as error:
        sbp.notes(chain(2, 3, 2), tmp_path / path, **options)
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_shown_is_told(tmp_path):
    with pytest.raises(DeclarationError, match="notes cannot show a int"):
        sbp.notes(3, tmp_path / "n.tex")
    (tmp_path / "file").write_text("x", encoding="ascii")
    with pytest.raises(OutputError):
        sbp.notes("words", tmp_path / "file" / "n.tex")


def test_without_pdflatex_the_tex_is_written_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(TargetError, match="apt-get install") as error:
        sbp.notes(chain(2, 3, 2), tmp_path / "n.pdf")
    assert "\n" not in str(error.value)
    assert [p.name for p in tmp_path.iterdir()] == ["n.tex"]


def test_a_pdf_comes_with_its_tex(tmp_path, require_tool):
    require_tool("pdflatex")
    paths = sbp.notes("Just words.", tmp_path / "n.pdf", title="Words")
    assert [p.name for p in paths] == ["n.pdf", "n.tex"]
    assert paths[0].read_bytes().startswith(b"%PDF")


def test_the_same_notes_are_the_same_bytes(tmp_path):
    for suffix in (".tex", ".md", ".html"):
        made = {sbp.notes(chain(2, 3, 2), tmp_path / str(k) / f"n{suffix}")[0].read_bytes() for k in (1, 2)}
        assert len(made) == 1


def test_a_document_of_ones_own_takes_words_formulas_derivations_and_graphs():
    net = chain(2, 3, 2)
    run = sbp.Graph("f", "(x + y)*z").backward(x=-2, y=5, z=-4)
    items = ("Words.", sbp.Math("a = b"), net.derive().gradients["dense_1.W"], run, [sbp.Paragraph(("more",))])
    document = document_of(sbp.Document("Mine", (sbp.Section("One", items),)), wish())
    kinds = [type(b).__name__ for b in document.sections[0].blocks]
    assert kinds[:3] == ["Paragraph", "Display", "Display"] and kinds[-1] == "Paragraph" and "Figure" in kinds
    assert blocks_of(net, wish())


def test_a_system_of_ones_own_becomes_notes(tmp_path):
    i, j = sbp.indices("i j", *sbp.sizes("m n"))
    W, x, q, f = sbp.tensor("W", i, j), sbp.tensor("x", j), sbp.tensor("q", i), sbp.tensor("f")
    system = sbp.System([sbp.Equation(q[i], sbp.Sum(W[i, j] * x[j], j)), sbp.Equation(f[()], sbp.Sum(q[i] ** 2, i))])
    (path,) = sbp.notes(sbp.derive(system, of="f", wrt=["W", "x"]), tmp_path / "own.tex")
    text = path.read_text(encoding="ascii")
    assert r"2 q x^{\top}" in text and r"2 W^{\top} q" in text
