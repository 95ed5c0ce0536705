"""Gradients of random circuits, held to numerical differentiation and to the engine's own way through systems."""

from __future__ import annotations

import math
import random

import mpmath
import numpy as np
import pytest

import symbackprop as sbp
from symbackprop.algebra.equation import System
from symbackprop.algebra.interpret import interpret
from symbackprop.derive.sweep import derive_system

#: Names that the text calls, for the other side: mpmath, which knows nothing of gates.
FUNCTIONS = {
    name: getattr(mpmath, name) for name in ("exp", "log", "sqrt", "sin", "cos", "tanh", "sinh", "cosh", "atan", "asinh", "erf")
} | {
    "sigmoid": lambda u: 1 / (1 + mpmath.exp(-u)),
    "softplus": lambda u: mpmath.log(1 + mpmath.exp(u)),
    "abs": abs,
    "max": max,
    "min": min,
}
UNARY = ("exp", "sin", "cos", "tanh", "atan", "asinh", "erf", "sigmoid", "softplus", "abs")


def random_text(rng: random.Random, names: list[str], depth: int) -> str:
    """Return an expression that is smooth at random points and has no poles."""
    if depth == 0:
        return rng.choice(names) if rng.random() < 0.8 else str(rng.choice((2, 3, 0.5, 1.25)))
    a, b = (random_text(rng, names, depth - 1 - rng.randrange(2) * (depth > 1)) for _ in range(2))
    forms = (f"({a} + {b})", f"({a} - {b})", f"{a}*{b}", f"({a})/(2 + ({b})**2)", f"-({a})", f"({a})**2", f"{rng.choice(UNARY)}(({a})/3)")
    return rng.choice((*forms, f"max({a}, {b})", f"log(1.5 + ({a})**2)", f"sqrt(2 + ({a})**2)", f"1/(1 + exp(-({a})/4))"))


def circuits(seed: int, count: int):
    rng = random.Random(seed)
    while count:
        names = ["x", "y", "z"][: rng.randrange(1, 4)]
        statements = [
            f"{target} = {random_text(rng, [*names, *before], 3)}" for target, before in (("s", []), ("t", ["s"]), ("f", ["s", "t"]))
        ]
        text = "; ".join(statements)
        try:
            graph = sbp.Graph("f", text)
        except sbp.DeclarationError:
            continue  # a statement without a variable, or an alias
        if not graph.inputs:
            continue
        count -= 1
        yield graph, text, {n: rng.uniform(-1.5, 1.5) for n in graph.inputs}


def value(text: str, at: dict[str, mpmath.mpf]) -> mpmath.mpf:
    scope = dict(at)
    for statement in text.split(";"):
        target, _, body = statement.partition("=")
        scope[target.strip()] = eval(body, {"__builtins__": {}}, {**FUNCTIONS, **scope})  # our own text
    return scope["f"]


def test_gradients_are_those_of_numerical_differentiation(seed):
    """Central differences with 40 digits: the error h² f‴/6 is below 1e-20, so only float64 rounding in the circuit is left."""
    with mpmath.workdps(40):
        h = mpmath.mpf(10) ** -12
        for graph, text, at in circuits(seed, 60):
            r = graph.backward(at)
            exact = {n: mpmath.mpf(v) for n, v in at.items()}
            assert float(value(text, exact)) == pytest.approx(r.values["f"], rel=1e-11, abs=1e-12), text
            for n in graph.inputs:
                up, down = ({**exact, n: exact[n] + step} for step in (h, -h))
                slope = float((value(text, up) - value(text, down)) / (2 * h))
                assert r.gradients[n] == pytest.approx(slope, rel=1e-9, abs=1e-9), (text, n)


def test_gradients_are_those_of_the_engine_for_systems(seed):
    """The same equations, derived as any system is: cotangents composed and normalised instead of pushed edge by edge."""
    for graph, text, at in circuits(seed + 1, 12):
        system = System([g.equation for g in graph.circuit.gates])
        wrt = tuple(n for n in graph.inputs if n in system.tensors)
        derivation = derive_system(system, "f", wrt)
        found = interpret(derivation.stable, at)
        r = graph.backward(at)
        for n in wrt:
            assert float(found[f"grad.{n}"]) == pytest.approx(r.gradients[n], rel=1e-9, abs=1e-10), text


def test_path_products_add_up_to_the_gradient(seed):
    for graph, text, at in circuits(seed + 2, 30):
        r = graph.backward(at)
        for n in graph.nodes:
            if graph.count_paths(n) > 3000:
                continue
            paths = r.paths(n)
            assert len(paths) == graph.count_paths(n) == sum(1 for _ in graph.walk_paths(n))
            scale = sum(abs(p) for _, p in paths) or 1.0
            assert math.fsum(p for _, p in paths) == pytest.approx(r.gradients[n], abs=1e-10 * scale), text
            assert all(names[0] == n and names[-1] == "f" for names, _ in paths)


def test_symbolic_gradients_have_the_value_of_the_numeric_ones(seed):
    """Equal up to rounding; sums of large terms of both signs lose digits, so the tolerance is absolute in the terms' size."""
    for graph, text, at in circuits(seed + 3, 15):
        r = graph.backward(at)
        for n in graph.inputs:
            equation = graph.gradients[n].equation
            got = interpret(System([equation]), dict(r.values))[equation.tensor.name]
            assert float(got) == pytest.approx(r.gradients[n], rel=1e-8, abs=1e-9), text


def test_gradients_in_the_inputs_alone(seed):
    for graph, text, at in circuits(seed + 5, 8):
        r = graph.backward(at)
        for n in graph.inputs:
            equation = graph.gradients[n].expanded().equation
            assert {t.name for t in equation.reads} <= set(graph.inputs)
            got = interpret(System([equation]), {n: at[n] for n in graph.inputs})[equation.tensor.name]
            assert float(got) == pytest.approx(r.gradients[n], rel=1e-8, abs=1e-9), text
    assert str(sbp.Graph("f", "(x + y) * z").gradients["z"].expanded()) == "∂f/∂z = x + y"


def test_what_comes_after_the_output_changes_nothing():
    r = sbp.Graph("c", "c = a*b; d = exp(c) + a").backward(a=2, b=3)
    assert (r.gradients["a"], r.gradients["b"], r.gradients["c"], r.gradients["d"]) == (3, 2, 1, 0)
    assert r.paths("a") == ((("a", "c"), 3.0),) and r.paths("c") == ((("c",), 1.0),) and r.paths("d") == ()
    assert str(r.graph.gradients["a"]) == "∂c/∂a = b"


def test_each_edge_is_used_once(seed):
    for graph, _, at in circuits(seed + 4, 10):
        r = graph.backward(at)
        assert r.edges_touched == graph.edges == len({(s.consumer, s.position) for s in r.steps})


def test_a_long_chain_needs_no_recursion():
    text = "; ".join(f"h{k} = {'x' if k == 1 else f'h{k - 1}'}*{1.001}" for k in range(1, 1500))
    g = sbp.Graph("f", text)
    r = g.backward(x=1)
    assert r.gradients["x"] == pytest.approx(1.001**1499, rel=1e-10)
    assert g.count_paths("x") == 1 and len(r.paths("x")[0][0]) == 1500


def test_an_input_without_influence_has_gradient_zero():
    r = sbp.Graph("f", "a = x*y; f = 0*x + z").backward(x=1, y=2, z=3)
    assert dict(r.gradients) == {"x": 0, "y": 0, "z": 1, "a": 0, "q1": 1, "f": 1}
    assert r.paths("y") == ()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"x": 1}, "no value is given for y"),
        ({"x": 1, "y": 2, "q": 3}, "q is no input"),
        ({"x": "a", "y": 1}, "x is a number"),
        ({"x": np.nan, "y": 1}, "finite"),
        ({"x": -1, "y": 1}, "q1 is nan at x = -1"),
        ({"x": 1, "y": 0}, "q2 is inf at y = 0"),
    ],
)
def test_bad_values_are_told_with_their_name(values, said):
    with pytest.raises(sbp.DataError, match=said):
        sbp.Graph("f", "log(x) + 1/y").backward(values)


def test_an_unknown_node_is_told():
    g = sbp.Graph("f", "x + y")
    for ask in (g.count_paths, g.node, g.backward(x=1, y=2).paths):
        with pytest.raises(sbp.DerivationError, match="has no node 'u'"):
            ask("u")


def test_networks_written_out_have_the_gradients_of_the_network(seed):
    """The other side is the network's own derivation, evaluated in index form."""
    rng = np.random.default_rng(seed)
    cases = [
        ([sbp.Input(2), sbp.Dense(3, activation="tanh"), sbp.Dense(2)], "half_squared_error", rng.normal(size=2), ()),
        ([sbp.Input(2), sbp.Dense(2, activation="relu"), sbp.Dense(3)], "softmax_cross_entropy", np.array([0.0, 1.0, 0.0]), ()),
        ([sbp.Input(3), sbp.Dense(2, activation="sigmoid"), sbp.Dense(1, activation="sigmoid")], "mse", np.array([0.3]), "sigmoid"),
        ([sbp.Input(2), sbp.Dense(3)], "multiclass_hinge", 1, ()),
    ]
    for layers, loss, y, fuse in cases:
        net = sbp.Sequential(layers, loss=loss, regularizer=sbp.L2(0.1))
        params = {p.name: rng.normal(size=p.shape) for p in net.spec.parameters}
        x = rng.normal(size=net.spec.inputs[0].shape)
        g = sbp.Graph.of(net, (params, x, y), fuse=fuse)
        r = g.backward()
        d = net.derive(per="sample")
        target = np.eye(3)[y] if np.ndim(y) == 0 else y
        values = d.evaluate({**params, "x": x, "y": target})
        assert r.values["L"] == pytest.approx(float(values["loss"]), rel=1e-10)
        number = {n.partition(".")[0]: str(k) for k, n in enumerate(dict.fromkeys(p.partition(".")[0] + "." for p in params), 1)}
        for name, w in params.items():
            owner, _, word = name.partition(".")
            layer = number[owner] if len(number) > 1 else ""
            for place in np.ndindex(w.shape):
                node = f"{word}{layer}_{''.join(str(k + 1) for k in place)}"
                assert r.gradients[node] == pytest.approx(values[f"grad.{name}"][place], rel=1e-9, abs=1e-12), (loss, node)


def test_a_label_decides_which_entry_is_read():
    net = sbp.Sequential([sbp.Input(2), sbp.Dense(3)], loss="multiclass_hinge")
    params = net.init(seed=1, dtype="float64")
    batch = (params, np.array([[0.5, -1.5]]), np.array([1]))
    assert set(sbp.Graph.of(net, batch).example) == set(sbp.Graph.of(net).inputs)
    params = {"dense_1.W": [[0.2, -0.5], [1.0, 0.3], [-0.4, 0.7]], "dense_1.b": [0.1, 0.2, -0.3]}
    for loss in ("multiclass_hinge", "softmax_cross_entropy"):
        net = sbp.Sequential([sbp.Input(2), sbp.Dense(3)], loss=loss)
        rows, labels = (sbp.Graph.of(net, (params, [0.5, -1.5], 1), target=form).backward() for form in ("rows", "labels"))
        assert "y_1" in rows.values and "y_1" not in labels.values
        for n in labels.graph.inputs:
            assert labels.gradients[n] == pytest.approx(rows.gradients[n], rel=1e-12, abs=1e-15)
    with pytest.raises(sbp.DeclarationError, match="give example="):
        sbp.Graph.of(net, target="labels")


def test_networks_that_are_too_large_or_have_symbols_are_refused():
    with pytest.raises(sbp.DeclarationError, match="the limit is 600"):
        sbp.Graph.of(sbp.Sequential([sbp.Input(64), sbp.Dense(64)], loss="mse"))
    with pytest.raises(sbp.DeclarationError, match="a number to write it out"):
        sbp.Graph.of(sbp.Sequential([sbp.Input("n"), sbp.Dense(2)], loss="mse"))
    with pytest.raises(sbp.DeclarationError, match="has no loss"):
        sbp.Graph.of(sbp.Sequential([sbp.Input(2), sbp.Dense(2)]))
    with pytest.raises(sbp.DeclarationError, match="takes a network or a System"):
        sbp.Graph.of("x + y")


def test_a_power_with_a_variable_exponent():
    g = sbp.Graph("f", "x ** y")
    assert str(g.local("f", "x")) == "∂f/∂x = y x^(y - 1)"
    r = g.backward(x=2, y=3)
    assert (r.gradients["x"], r.gradients["y"]) == pytest.approx((12, 8 * math.log(2)), rel=1e-14)
