"""Deck 0 (feedforward networks and backpropagation): forward pass, error terms, gradients, gradient descent."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

import symbackprop as sbp

SIGMOID = {"sigmoid": lambda z: 1 / (1 + np.exp(-z))}


def two_three_two(loss="half_squared_error", **options):
    return sbp.Sequential(
        [sbp.Input(2), sbp.Dense(3, activation="sigmoid"), sbp.Dense(2, activation="sigmoid")], loss=sbp.Loss(loss, **options), name="deck"
    )


@pytest.fixture
def values(numbers):
    row = numbers["D0.8"]
    names = {"dense_1.W": "W1", "dense_1.b": "b1", "dense_2.W": "W2", "dense_2.b": "b2"}
    return {name: np.array(row[key], dtype=float) for name, key in names.items()} | {
        "x": np.array([row["x"]], dtype=float),
        "y": np.array([row["y"]], dtype=float),
    }


@pytest.mark.deck("D0.4")
def test_both_ways_to_write_half_the_mean_squared_error_agree(numbers, values, same):
    row = numbers["D0.15"]
    batch = values | {"x": np.array(row["X"]), "y": np.array(row["Y"])}
    derivation = two_three_two().derive()
    everything = derivation.evaluate(batch)
    same(everything["loss"], row["loss"])
    mean_of_samples = np.mean(
        [two_three_two().derive().evaluate(batch | {"x": batch["x"][k : k + 1], "y": batch["y"][k : k + 1]})["loss"] for k in range(5)]
    )
    half_of_mean = np.sum((batch["y"] - everything["dense_2.a"]) ** 2) / (2 * 5)
    same(mean_of_samples, row["loss"])
    same(half_of_mean, row["loss"])
    # `mse` averages over the outputs too: with two of them it is the deck's mean squared error over two, E3's factor.
    same(two_three_two("mse").derive().evaluate(batch)["loss"], row["loss"])


@pytest.mark.deck("D0.8")
def test_the_forward_pass_has_the_decks_values(numbers, values, same):
    found = two_three_two().derive().evaluate(values)
    for name, key in (("dense_1.z", "z2"), ("dense_1.a", "a2"), ("dense_2.z", "z3"), ("dense_2.a", "a3")):
        same(found[name][0], numbers["D0.8"][key])


@pytest.mark.deck("D0.9")
@pytest.mark.parametrize(
    ("activation", "slope"),
    [("sigmoid", lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2), ("relu", lambda z: (z > 0).astype(float)), ("identity", np.ones_like)],
)
def test_the_activations_have_the_decks_slopes(activation, slope, same):
    net = sbp.Sequential([sbp.Input(5), sbp.Activation(activation)], loss=sbp.Loss("half_squared_error", reduction="sum"), name="f")
    z = np.array([[-2.0, -0.3, 0.0, 0.4, 3.0]])
    derivation = net.derive()
    # With y = f(z) − 1 the error is 1, and the input's gradient is f′ alone; relu′(0) = 0.
    a = {"sigmoid": SIGMOID["sigmoid"], "relu": lambda v: np.maximum(v, 0), "identity": lambda v: v}[activation](z)
    same(derivation.gradients["x"].evaluate({"x": z, "y": a - 1}), slope(z))


@pytest.mark.deck("D0.10", "D0.11", "D0.12", "D0.13")
@pytest.mark.parametrize("per", ["batch", "sample"])
@pytest.mark.parametrize("form", ["index", "matrix"])
def test_error_terms_and_gradients_have_the_decks_values_in_both_forms(numbers, values, same, form, per):
    derivation = two_three_two().derive() if per == "batch" else two_three_two().derive(per="sample")
    given = values if per == "batch" else values | {"x": values["x"][0], "y": values["y"][0]}

    def rows(array):
        return array[0] if per == "batch" else array

    same(rows(derivation.error_terms["dense_2"].evaluate(given, form=form)), numbers["D0.10"]["delta3"])
    same(rows(derivation.error_terms["dense_1"].evaluate(given, form=form)), numbers["D0.11"]["delta2"])
    for name, key in (("dense_1.W", "dW1"), ("dense_1.b", "db1"), ("dense_2.W", "dW2"), ("dense_2.b", "db2")):
        same(derivation.gradients[name].evaluate(given, form=form), numbers["D0.13"][key])


@pytest.mark.deck("D0.12")
def test_the_index_form_sums_over_the_rows_of_the_weights_that_lead_on(values):
    """E1: with z = W x + b the hidden error term is Σ_j W_ji δ_j; a 2-3-2 network would not let W_ij through."""
    rhs = two_three_two().derive(per="sample").error_terms["dense_1"].index.rhs
    text = str(rhs)
    assert "dense_2.W[" in text and "delta.dense_2[" in text


@pytest.mark.deck("D0.14")
def test_the_algorithm_of_the_deck_gives_the_derived_gradients(same):
    """Forward; δ at the output; δ backwards; then the gradients: written out in NumPy for four layers of weights."""
    widths = (3, 5, 4, 6, 2)
    net = sbp.Sequential(
        [sbp.Input(widths[0]), *(sbp.Dense(w, activation="sigmoid") for w in widths[1:])], loss="half_squared_error", name="algorithm"
    )
    rng = np.random.default_rng(0)
    given = {f"dense_{k}.W": rng.standard_normal((widths[k], widths[k - 1])) for k in range(1, 5)}
    given |= {f"dense_{k}.b": rng.standard_normal(widths[k]) for k in range(1, 5)}
    x, y = rng.standard_normal(3), rng.standard_normal(2)
    a = {0: x}
    for k in range(1, 5):
        a[k] = SIGMOID["sigmoid"](given[f"dense_{k}.W"] @ a[k - 1] + given[f"dense_{k}.b"])
    delta = {4: -(y - a[4]) * a[4] * (1 - a[4])}
    for k in (3, 2, 1):
        delta[k] = given[f"dense_{k + 1}.W"].T @ delta[k + 1] * a[k] * (1 - a[k])
    derivation = net.derive(per="sample")
    given |= {"x": x, "y": y}
    for k in range(1, 5):
        same(derivation.error_terms[f"dense_{k}"].evaluate(given), delta[k])
        same(derivation.gradients[f"dense_{k}.W"].evaluate(given), np.outer(delta[k], a[k - 1]))
        same(derivation.gradients[f"dense_{k}.b"].evaluate(given), delta[k])


@pytest.mark.deck("D0.15")
@pytest.mark.parametrize("target", ["numpy", "cpu"])
def test_accumulating_and_then_averaging_is_the_gradient_of_the_mean_loss(numbers, values, same, target):
    row = numbers["D0.15"]
    net = two_three_two()
    X, Y = np.array(row["X"], dtype=float), np.array(row["Y"], dtype=float)
    accumulated = {name: 0.0 for name in ("dense_1.W", "dense_1.b", "dense_2.W", "dense_2.b")}
    single = net.derive(per="sample")
    for x, y in zip(X, Y, strict=True):
        for name in accumulated:
            accumulated[name] = accumulated[name] + single.gradients[name].evaluate(values | {"x": x, "y": y})
    params = net.parameters({name: values[name] for name in accumulated})
    program = net.compile(target=target, dtype="float64")
    loss, grads = program.value_and_grad(params, X, Y)
    same(loss, row["loss"])
    for name, key in (("dense_1.W", "dW1"), ("dense_1.b", "db1"), ("dense_2.W", "dW2"), ("dense_2.b", "db2")):
        same(accumulated[name] / 5, row[key])
        same(grads[name], row[key])
    program.fit(params, X, Y, optimizer=sbp.GradientDescent(row["lr"]), epochs=1, batch_size=None)
    same(program.loss(params, X, Y), row["loss_after_1_update"])


@pytest.mark.deck("D0.16")
@pytest.mark.parametrize(
    ("function", "expected"),
    [(lambda u: 1 / (1 + sympy.exp(-u)), lambda s: s * (1 - s)), (sympy.tanh, lambda t: 1 - t**2)],
    ids=["sigmoid", "tanh"],
)
def test_the_homework_derivatives_are_derived_exactly(function, expected):
    n = sbp.sizes("n")
    i = sbp.indices("i", n)
    x, q, f = sbp.tensor("x", i), sbp.tensor("q", i), sbp.tensor("f")
    system = sbp.System([sbp.Equation(q[i], function(x[i])), sbp.Equation(f[()], sbp.Sum(q[i], i))])
    rhs = sbp.derive(system, of="f", wrt=["x"]).gradients["x"].index.rhs
    u = sympy.Symbol("u", real=True)
    accesses = {"x": u, "q": function(u), "grad.q": sympy.Integer(1)}
    plain = rhs.replace(lambda e: hasattr(e, "tensor"), lambda e: accesses[e.tensor.name])
    plain = plain.replace(lambda e: type(e).__name__ == "Sigmoid", lambda e: 1 / (1 + sympy.exp(-e.args[0])))
    assert sympy.simplify((plain - expected(function(u))).rewrite(sympy.exp)) == 0
