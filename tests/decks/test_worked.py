"""Worked numbers: exact inside, rounded once in print, equal to the decks' and to the engine's."""

from __future__ import annotations

import dataclasses
import itertools
import re

import mpmath
import numpy as np
import pytest
import sympy
from read_back import cells, close, number, results, rows

import symbackprop as sbp
from symbackprop.present.document.breaking import measure
from symbackprop.present.document.records import Display, Table
from symbackprop.present.worked import chain_lines

MAZUR = {
    "dense_1.W": [["0.15", "0.20"], ["0.25", "0.30"]],
    "dense_1.b": ["0.35", "0.35"],
    "dense_2.W": [["0.40", "0.45"], ["0.50", "0.55"]],
    "dense_2.b": ["0.60", "0.60"],
}
X, T = ["0.05", "0.10"], ["0.01", "0.99"]


def mazur(freeze=True):
    net = sbp.Sequential(
        [sbp.Input(2), sbp.Dense(2, activation="sigmoid"), sbp.Dense(2, activation="sigmoid")], loss="half_squared_error", name="mazur"
    )
    return net.freeze("dense_1.b", "dense_2.b") if freeze else net


@pytest.fixture(scope="module")
def example():
    return sbp.worked(mazur(), MAZUR, X, T, optimizer=sbp.GradientDescent(0.5), digits=9, wrt=("dense_1.a", "dense_2.a"))


@pytest.mark.deck("D4.16")
def test_every_value_of_mazurs_table_is_exact(example, numbers, same):
    row = numbers["D4.16"]
    for name, key in (
        ("dense_1.z", "net_h"),
        ("dense_1.a", "out_h"),
        ("dense_2.z", "net_o"),
        ("dense_2.a", "out_o"),
        ("loss", "E_total"),
        ("grad.dense_2.a", "dE_dout_o"),
        ("delta.dense_2", "delta_o"),
        ("grad.dense_2.W", "dW2"),
        ("grad.dense_1.a", "dE_dout_h"),
        ("delta.dense_1", "delta_h"),
        ("grad.dense_1.W", "dW1"),
    ):
        same(np.array(example.values[name], dtype=float), row[key], rtol=1e-15)
    same(np.array(example.updated["dense_1.W"], dtype=float), row["W1_after_1"], rtol=1e-15)
    same(np.array(example.updated["dense_2.W"], dtype=float), row["W2_after_1"], rtol=1e-15)
    same(float(example.updated["loss"][()]), row["E_after_1_biases_kept"], rtol=1e-15)
    assert "grad.dense_1.b" not in example.values


@pytest.mark.deck("D4.16")
@pytest.mark.parametrize("notation", sbp.notations())
def test_the_printed_tables_are_mazurs(example, numbers, notation):
    row = numbers["D4.16"]
    tables = [b for b in example.blocks(notation) if isinstance(b, Table)]
    printed = [value for t in tables for values in cells(t).values() for value in values]
    expected = [
        *row["net_h"], *row["out_h"], *row["net_o"], *row["out_o"], row["E_total"],
        *row["dE_dout_o"], *row["delta_o"], *row["dE_dout_h"], *row["delta_h"], *np.ravel(row["dW1"]), *np.ravel(row["dW2"]),
        *np.ravel(row["W1_after_1"]), *np.ravel(row["W2_after_1"]), row["E_after_1_biases_kept"],
    ]  # fmt: skip
    given = printed[: len(printed) - len(expected)]
    assert given == [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.6, 0.01, 0.99]
    for got, right in zip(printed[len(given) :], expected, strict=True):
        assert close(got, right, 9), (got, right)


@pytest.mark.deck("D4.16")
def test_the_parts_of_sums_and_products_are_the_decks(example, numbers):
    """E_o1 and E_o2 are the terms of the loss, ∂out/∂net the factors of δ, the terms of ∂E/∂out_h come from each output."""
    row = numbers["D4.16"]
    assert [float(v) for v in example.chain("loss.L").parts] == pytest.approx(row["E_o"], rel=1e-15)
    for k in range(2):
        slope, a, rest = (float(v) for v in example.chain("delta.dense_2", (k,)).parts)
        assert slope == pytest.approx(row["dE_dout_o"][k], rel=1e-15)
        assert a * rest == pytest.approx(row["dout_dnet_o"][k], rel=1e-14)
        slope, a, rest = (float(v) for v in example.chain("delta.dense_1", (k,)).parts)
        assert a * rest == pytest.approx(row["dout_dnet_h"][k], rel=1e-14)
        terms = example.chain("grad.dense_1.a", (k,), parts="always").parts
        assert [float(v) for v in terms] == pytest.approx(row["dE_dout_h_terms"][k], rel=1e-15)


@pytest.mark.deck("D4.16")
def test_ten_thousand_updates_are_made_with_exact_numbers(numbers, same):
    row = numbers["D4.16"]
    run = sbp.worked(mazur(), MAZUR, X, T, optimizer=sbp.GradientDescent(0.5), rounds=10_000, keep=(9_999,), digits=7)
    assert [s.number for s in run.states] == [0, 1, 9_999, 10_000]
    same(float(run.state(9_999).values["loss"][()]), row["E_after_9999_biases_kept"])
    same(np.array(run.state(9_999).values["dense_2.a"], dtype=float), row["out_after_9999_biases_kept"])
    same(float(run.updated["loss"][()]), row["E_after_10000_biases_kept"])
    table = run.history(["dense_2.a", "loss"])
    assert [r[0] for r in rows(table)] == [0, 1, 9_999, 10_000]
    assert r"\vdots" in str(table.rows[2])
    assert rows(table)[2][1:] == [0.01591419, 0.9840637, 3.510855e-05]
    with pytest.raises(sbp.DeclarationError, match="were not kept"):
        run.state(17)


@pytest.mark.deck("D4.16")
def test_biases_that_are_trained_are_trained(numbers, same):
    run = sbp.worked(mazur(freeze=False), MAZUR, X, T, optimizer=sbp.SGD(0.5))
    same(float(run.updated["loss"][()]), numbers["D4.16"]["E_after_1_biases_per_neuron"])
    assert run.trained == ("dense_1.W", "dense_1.b", "dense_2.W", "dense_2.b")


def neuron(rounds=19, **options):
    net = sbp.Sequential([sbp.Input(3), sbp.Dense(1, activation="sigmoid", bias=False)], loss="half_squared_error", name="neuron")
    start = {"dense_1.W": [["2", "-3", "-3"]]}
    return sbp.worked(net, start, ["-1", "-2", "1"], ["0.43"], optimizer=sbp.GradientDescent(1.0), rounds=rounds, **options)


@pytest.mark.deck("D4.11", "E20")
def test_the_neuron_of_the_deck_in_19_rounds(numbers, same):
    row = numbers["D4.11"]
    run = neuron(decimals=2)
    full = np.array([[*s.values["dense_1.W"][0], s.values["dense_1.a"][0]] for s in run.states[1:]], dtype=float)
    same(full, row["rounds"], rtol=1e-14)
    table = rows(run.history(["dense_1.W", "dense_1.a"], range(1, 20)))
    for got, right in zip(table, row["rounds"], strict=True):
        assert got[1:] == [float(f"{v:.2f}") for v in right]
    # E20: the deck prints 2.14 and -3.15 in one round, but w0 - 2 = -(w2 + 3) always.
    deck = {int(k): v for k, v in row["printed"].items()}
    wrong = [(k, got, printed) for k in deck for got, printed in zip(table[k - 1][1:], deck[k], strict=True) if got != printed]
    assert wrong == [(3, 2.15, 2.14)]
    first = next(r[0] for r in table if r[4] == 0.43)
    assert first == row["first_round_printing_0_43"]
    stop = next(s.number for s in run.states if abs(s.values["dense_1.a"][0] - mpmath.mpf("0.43")) < mpmath.mpf("1e-4"))
    assert stop == row["stop_round"]


@pytest.mark.deck("D4.9", "E19")
def test_printed_numbers_are_never_chained(numbers):
    """(e^-1)(-0.53) is -0.195 and would print as -0.19; the exact product prints as -0.20."""
    u = sbp.tensor("u")
    e, s, f = sbp.tensor("e"), sbp.tensor("s"), sbp.tensor("f")
    system = sbp.System([sbp.Equation(e[()], sympy.exp(u[()])), sbp.Equation(s[()], 1 + e[()]), sbp.Equation(f[()], 1 / s[()])])
    run = sbp.worked(sbp.derive(system, of="f", wrt=["u", "e", "s"]), {"u": "-1"}, decimals=2)
    chain = run.chain("grad.u")
    assert chain.shown == "-0.20"
    assert float(chain.value) == pytest.approx(numbers["D4.9"]["exact"], rel=1e-15)
    factors = [number(text) for text in chain.numbers.replace("e^{-1.00}", "0.37").replace("(-0.53)", "-0.53").split(r" \cdot ")]
    assert np.prod(factors) == pytest.approx(0.37 * -0.53)
    assert f"{np.exp(-1) * -0.53:.2f}" == "-0.19"
    assert np.exp(-1) * -0.53 == pytest.approx(numbers["D4.9"]["from_rounded_minus_0_53"])


def test_a_line_is_what_a_lecturer_writes(example):
    assert example.lines(["grad.dense_1.W"])[0].latex == (
        r"\frac{\partial L}{\partial W_{11}^{(1)}} = \delta_1^{(2)} x_1 = 0.00877135469 \cdot 0.05 \approx 0.000438567734"
    )
    (first, second) = example.lines(["dense_1.z"])[:2]
    assert first.latex == "z_1^{(2)} = W_{11}^{(1)} x_1 + W_{12}^{(1)} x_2 + b_1^{(1)}"
    assert second.latex == r"= 0.15 \cdot 0.05 + 0.2 \cdot 0.1 + 0.35 = 0.3775"
    (only, *_) = example.lines(["dense_1.z"], letters=False)
    assert only.latex == r"z_1^{(2)} = 0.15 \cdot 0.05 + 0.2 \cdot 0.1 + 0.35 = 0.3775"
    step = example.update_lines(["dense_2.W"])[0].latex
    assert step.startswith(r"W_{11}^{(2)} &\leftarrow W_{11}^{(2)} - \eta \frac{\partial L}{\partial W_{11}^{(2)}} = 0.4 - 0.5 \cdot ")


ORIENTATIONS = [
    *sbp.notations(),
    dataclasses.replace(sbp.notation("ufldl"), name="turned", weight_index="source first"),
    dataclasses.replace(sbp.notation("ng"), name="turned_and_folded", weight_index="source first"),
    dataclasses.replace(sbp.notation("ufldl"), name="columns", batch_samples="columns"),
]


def arithmetic(text):
    """Work out a printed line of numbers, with Python's own arithmetic."""
    plain = text.replace(r"\cdot 10^{", "*10**{").replace(r"\cdot", "*")
    plain = re.sub(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"((\1)/(\2))", plain)
    plain = re.sub(r"\\left\(|\\right\)", lambda found: found.group()[-1], plain).replace("^2", "**2")
    plain = plain.replace("{", "(").replace("}", ")")
    assert re.fullmatch(r"[-+*/(). \d]+", plain), text
    return eval(plain)


@pytest.mark.parametrize("notation", ORIENTATIONS, ids=lambda n: getattr(n, "name", n))
@pytest.mark.parametrize("rows_", [1, 3])
def test_the_numbers_in_a_line_give_its_result_in_every_orientation(notation, rows_):
    """Bias in column 0, W_ij from i to j, samples in columns: the numbers that stand in a line are the ones that belong there."""
    net = sbp.Sequential([sbp.Input(2), sbp.Dense(3), sbp.Dense(2)], loss="half_squared_error", name="linear")
    params = net.init(seed=5, dtype="float64")
    rng = np.random.default_rng(5)
    params["dense_1.b"], params["dense_2.b"] = rng.standard_normal(3), rng.standard_normal(2)
    x, y = rng.standard_normal((rows_, 2)), rng.standard_normal((rows_, 2))
    run = sbp.worked(net, params, x, y, digits=12)
    checked = 0
    for e in (*run.forward, *run.backward):
        for place in np.ndindex(run.values[e.tensor.name].shape):
            chain = run.chain(e.tensor.name, place, notation=notation)
            assert arithmetic(chain.numbers) == pytest.approx(float(chain.value), rel=1e-9, abs=1e-11)
            assert number(chain.shown) == pytest.approx(float(run.values[e.tensor.name][place]), rel=1e-10)
            checked += 1
    assert checked >= 20


@pytest.mark.parametrize("notation", ORIENTATIONS, ids=lambda n: getattr(n, "name", n))
def test_matrices_of_numbers_give_their_product_in_every_orientation(notation):
    net = sbp.Sequential([sbp.Input(3), sbp.Dense(4), sbp.Dense(2)], loss="half_squared_error", name="linear")
    params = net.init(seed=5, dtype="float64")
    params["dense_1.b"] = np.arange(4.0)
    rng = np.random.default_rng(5)
    run = sbp.worked(net, params, rng.standard_normal((3, 3)), rng.standard_normal((3, 2)), digits=4)
    plain = dataclasses.replace(sbp.notation(notation), vectors="plain")
    _, plugged, result = (line.latex for line in run.matrix_lines("grad.dense_1.W", notation=plain))
    left, right = matrices(plugged)
    (shown,) = matrices(result)
    product = left @ right
    # Where biases are folded, the product has a column for them; the result shows the weights themselves.
    np.testing.assert_allclose(product[:, product.shape[1] - shown.shape[1] :][-shown.shape[0] :], shown, rtol=1e-2, atol=1e-3)


def matrices(text):
    """Return the matrices of numbers that are printed in a line, transposed where a sign says so."""
    made = []
    for piece in text.split(r"\begin{bmatrix} ")[1:]:
        body, _, after = piece.partition(r" \end{bmatrix}")
        array = np.array([[number(cell) for cell in row.split(" & ")] for row in body.split(" " + 2 * chr(92) + " ")])
        made.append(array.T if after.startswith("^") else array)
    return made


NETS = {
    "softmax": (
        sbp.Sequential([sbp.Input(3), sbp.Dense(4, activation="tanh"), sbp.Dense(3)], loss="softmax_cross_entropy", name="softmax"),
        ["1", "-2", "0.5"],
        [0, 1, 0],
    ),
    "labels": (
        sbp.Sequential([sbp.Input(3), sbp.Dense(4, activation="relu"), sbp.Dense(3)], loss="softmax_cross_entropy", name="labels"),
        ["1", "-2", "0.5"],
        1,
    ),
    "hinge": (
        sbp.Sequential([sbp.Input(2), sbp.Dense(3)], loss="multiclass_hinge", name="hinge"),
        ["1", "-2"],
        2,
    ),
    "pooled": (
        sbp.Sequential(
            [sbp.Input((2, 4, 4)), sbp.Conv2D(2, 3, padding=1, activation="relu"), sbp.MaxPool2D(2), sbp.Flatten(), sbp.Dense(2)],
            loss="half_squared_error",
            name="pooled",
        ),
        np.round(np.random.default_rng(2).standard_normal((2, 4, 4)), 3).tolist(),
        ["0.5", "-1"],
    ),
    "recurrent": (
        sbp.Sequential([sbp.Input((3, 2)), sbp.LSTM(2), sbp.Dense(1)], loss="half_squared_error", name="recurrent"),
        np.round(np.random.default_rng(2).standard_normal((3, 2)), 3).tolist(),
        ["0.5"],
    ),
    "penalty": (
        sbp.Sequential(
            [sbp.Input(2), sbp.Dense(3, activation="softplus"), sbp.Dense(1)], loss="mse", regularizer=sbp.L2(0.1), name="penalty"
        ),
        ["1", "-2"],
        ["0.3"],
    ),
}


@pytest.mark.parametrize("name", NETS)
def test_lines_end_in_the_engines_values(name):
    """Every printed result, parsed back, is the engine's number in float64, rounded."""
    net, x, y = NETS[name]
    params = net.init(seed=3, dtype="float64")
    run = sbp.worked(net, params, x, y, digits=6)
    given = {n: params[n] for n in params}
    batch = run.derivation.model.per == "batch"
    rows_ = np.array([x] if batch else x, dtype=float)
    target = np.array([y] if batch else y, dtype=int if name in ("labels", "hinge") else float)
    engine = (net.derive() if batch else net.derive(per="sample")).evaluate(given | {"x": rows_, "y": target})
    compared = 0
    for e in (*run.forward, *run.backward):
        tensor = e.tensor.name
        if tensor not in engine:
            continue
        for place in np.ndindex(engine[tensor].shape):
            printed = results(chain_lines(run.chain(tensor, place)))
            assert len(printed) == 1, (tensor, place)
            (value,) = printed.values()
            assert value == pytest.approx(float(engine[tensor][place]), rel=1e-5, abs=1e-12), (tensor, place)
            compared += 1
    assert compared > 8


@pytest.mark.parametrize(
    "optimizer",
    [
        sbp.SGD(0.1, weight_decay=0.01),
        sbp.Momentum(0.1, 0.9),
        sbp.Nesterov(0.1, 0.9),
        sbp.AdaGrad(0.1),
        sbp.RMSProp(0.1),
        sbp.Adam(0.1),
        sbp.AdamW(0.1),
        sbp.SGD(sbp.StepDecay(0.5, every=2, factor=0.5), clip_norm=0.05),
    ],
    ids=lambda o: f"{type(o).__name__}{'_clipped' if o.clip_norm else ''}",
)
def test_updates_are_those_of_the_kernels(optimizer):
    net = mazur(freeze=False)
    run = sbp.worked(net, MAZUR, X, T, optimizer=optimizer, rounds=4)
    params = net.parameters({name: np.array(value, dtype=float) for name, value in MAZUR.items()})
    x, t = np.array([X], dtype=float), np.array([T], dtype=float)
    net.compile(target="numpy", dtype="float64").fit(params, x, t, optimizer=optimizer, epochs=4, batch_size=None)
    for name in params:
        np.testing.assert_allclose(np.array(run.updated[name], dtype=float), params[name], rtol=1e-9)
    lines = run.update_lines(["dense_1.b"], after=2)
    first = next(line.latex for line in lines if line.latex.startswith("b_1^{(1)}"))
    assert close(number(first.split(r"\approx ")[-1].split(" = ")[-1]), float(run.state(3).values["dense_1.b"][0]), 4)


@pytest.mark.deck("D1.12")
def test_an_update_of_your_own_system(numbers, same):
    w, f = sbp.tensor("w"), sbp.tensor("f")
    d = sbp.derive(sbp.System([sbp.Equation(f[()], w[()] ** 2)]), of="f", wrt=["w"])
    run = sbp.worked(d, {"w": "1"}, optimizer=sbp.Momentum(0.1, 0.9), rounds=5)
    same(np.array([s.values["w"][()] for s in run.states[1:]], dtype=float), numbers["D1.12"]["right"], rtol=1e-15)
    lines = [line.latex for line in run.update_lines()]
    assert lines[0].startswith(r"v &\leftarrow ")
    assert lines[1].startswith(r"w &\leftarrow w - \eta v = 1 - 0.1 \cdot 2 = 0.8")


@pytest.mark.deck("D0.15")
def test_a_batch_is_worked_as_a_batch(numbers, same):
    row = numbers["D0.15"]
    net = sbp.Sequential(
        [sbp.Input(2), sbp.Dense(3, activation="sigmoid"), sbp.Dense(2, activation="sigmoid")], loss="half_squared_error", name="deck"
    )
    start = numbers["D0.8"]
    params = {"dense_1.W": start["W1"], "dense_1.b": start["b1"], "dense_2.W": start["W2"], "dense_2.b": start["b2"]}
    run = sbp.worked(net, params, row["X"], row["Y"], optimizer=sbp.GradientDescent(row["lr"]))
    same(float(run.values["loss"][()]), row["loss"], rtol=1e-15)
    for name, key in (("dense_1.W", "dW1"), ("dense_1.b", "db1"), ("dense_2.W", "dW2"), ("dense_2.b", "db2")):
        same(np.array(run.values[f"grad.{name}"], dtype=float), row[key], rtol=1e-14)
    same(float(run.updated["loss"][()]), row["loss_after_1_update"], rtol=1e-15)
    assert any(r"\begin{bmatrix}" in line.latex for b in run.blocks() if isinstance(b, Display) for line in b.lines)


def test_refusals_name_what_is_missing():
    net = mazur()
    with pytest.raises(sbp.DataError, match=r"no value is given for dense_1\.W"):
        sbp.worked(net, {}, X, T)
    with pytest.raises(sbp.DataError, match="needs an input and a target"):
        sbp.worked(net, MAZUR, X)
    with pytest.raises(sbp.ShapeError):
        sbp.worked(net, MAZUR, ["0.05", "0.1", "0.2"], T)
    with pytest.raises(sbp.DeclarationError, match="rounds"):
        sbp.worked(net, MAZUR, X, T, optimizer=sbp.SGD(0.1), rounds=-1)
    with pytest.raises(sbp.DeclarationError, match="no optimizer"):
        sbp.worked(net, MAZUR, X, T).update_lines()
    with pytest.raises(sbp.DeclarationError, match="not for int"):
        sbp.worked(3, {})
    with pytest.raises(sbp.DeclarationError, match="unknown stage"):
        sbp.worked(net, MAZUR, X, T).blocks(stages=("sideways",))


def test_it_shows_itself(example):
    assert repr(example) == "Worked(loss = 0.298371109, 1 update)"
    page = example._repr_html_()
    assert page.startswith("<table>")
    assert "0.593269992" in page


def test_the_same_input_gives_the_same_blocks(example):
    again = sbp.worked(mazur(), MAZUR, X, T, optimizer=sbp.GradientDescent(0.5), digits=9, wrt=("dense_1.a", "dense_2.a"))
    assert again.blocks() == example.blocks()


def test_a_larger_network_is_shown_in_abbreviated_matrices():
    """64-32-16-10: matrices with dots, vectors in a row, no line that is wider than a page, every printed number the engine's."""
    net = sbp.Sequential(
        [sbp.Input(64), sbp.Dense(32, activation="relu"), sbp.Dense(16, activation="gelu"), sbp.Dense(10)],
        loss="softmax_cross_entropy",
        name="digits",
    )
    params = net.init(seed=1, dtype="float64")
    x = np.round(np.random.default_rng(1).standard_normal(64), 3)
    run = sbp.worked(net, params, x, 3, optimizer=sbp.Adam(0.01))
    blocks = run.blocks()
    shown = [line.latex for b in blocks if isinstance(b, Display) for line in b.lines]
    assert max(measure(text).width for text in shown) < 40
    assert any(r"\ddots" in text for text in shown)
    assert not any(a.removeprefix("= ") == b.removeprefix(r"\approx ") for a, b in itertools.pairwise(shown))
    tables = [b for b in blocks if isinstance(b, Table)]
    assert max(len(row[1][0].latex) for t in tables for row in t.rows) < 250
    engine = net.derive(per="sample", target="labels").evaluate({n: params[n] for n in params} | {"x": x, "y": 3})
    row = next(r for t in tables for r in t.rows if r[0][0].latex == "z^{(2)}")
    first, second, _, last = (part.strip() for part in row[1][0].latex.split(r",\;"))
    assert [number(first), number(second), number(last)] == pytest.approx(engine["dense_1.z"][[0, 1, -1]], rel=1e-3)


@pytest.mark.parametrize("notation", sbp.notations())
def test_no_two_numbers_of_an_update_share_a_letter(notation):
    run = sbp.worked(mazur(), MAZUR, X, T, optimizer=sbp.AdamW(0.1))
    rule = next(line.latex for line in run.update_lines(["dense_1.W"], notation=notation) if r"\sqrt" in line.latex)
    record = sbp.notation(notation)
    letters = [record.rate, r"\delta" if record.rate == r"\epsilon" else r"\epsilon", r"\lambda"]
    assert len(set(letters)) == 3
    right = rule.partition(r"\leftarrow")[2].partition(" = ")[0]
    assert all(letter in right for letter in letters)
