"""Layers of the user's own with several outputs, and with names of indices that meet those of the inputs."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy

import symbackprop as sbp

E = sbp.Equation


def _moments(x: Any, units: int) -> Any:
    n, j = x.axes
    i = sbp.indices("i", units)
    W, V = sbp.parameter("W", i, j), sbp.parameter("V", i, j)
    mean, u, scale = (sbp.tensor(name, n, i) for name in ("mean", "u", "scale"))
    return (
        E(mean[n, i], sbp.Sum(W[i, j] * x[n, j], j)),
        E(u[n, i], sbp.Sum(V[i, j] * sympy.tanh(x[n, j]), j) + mean[n, i] / 3),
        E(scale[n, i], sympy.exp(u[n, i] / 4)),
    )


@sbp.layer(outputs=("mean", "scale"))
def moments(x: Any, *, units: int) -> Any:
    return _moments(x, units)


def _both(x: Any) -> Any:
    mean, scale = moments(units=3)(x)
    return sbp.Dense(2)(mean * scale + mean)


def _first(x: Any) -> Any:
    mean, _ = moments(units=3)(x)
    return sbp.Dense(2)(mean)


def _second(x: Any) -> Any:
    _, scale = moments(units=3)(x)
    return sbp.Dense(2)(scale)


def _twice(x: Any) -> Any:
    shared = moments(units=4)
    mean, scale = shared(x)
    again, other = shared(mean)
    return sbp.Dense(2)(sbp.Concat()(scale, again, other))


def _together(x: Any) -> Any:
    return sbp.Add()(moments(units=2)(x))


WIRINGS: dict[str, Callable[[Any], Any]] = {
    "both outputs": _both,
    "the last one unused": _first,
    "the first one unused": _second,
    "one layer called twice": _twice,
    "the tuple as operands": _together,
}


def _net(case: str) -> Any:
    x = sbp.Input(4)
    return sbp.Network(inputs=x, outputs=WIRINGS[case](x), loss="half_squared_error", name="outs")


@pytest.mark.parametrize("target", ["numpy", "cpu"])
@pytest.mark.parametrize("case", WIRINGS)
def test_gradients_flow_through_every_output(case: str, target: str) -> None:
    """By complex steps, differences and mpmath; every rewriting step that is told holds as well."""
    report = _net(case).compile(target=target, dtype="float64").check()
    assert report.ok, str(report)


def test_the_values_are_those_of_the_equations() -> None:
    x = sbp.Input(4)
    mean, scale = moments(units=3)(x)
    net = sbp.Network(inputs=x, outputs=sbp.Concat()(scale, mean), loss="half_squared_error", name="values")
    params, data = net.init(seed=0, dtype="float64"), np.random.default_rng(0).normal(size=(5, 4))
    W, V = params["moments_1.W"], params["moments_1.V"]
    expected = np.concatenate([np.exp((np.tanh(data) @ V.T + data @ W.T / 3) / 4), data @ W.T], axis=1)
    given = net.compile(target="numpy", dtype="float64").predict(params, data)
    # A handful of roundings of numbers of size 1.
    np.testing.assert_allclose(given, expected, rtol=1e-14, atol=1e-14)


def test_a_layer_called_twice_has_its_parameters_once() -> None:
    assert [p.name for p in _net("one layer called twice").spec.parameters] == ["moments_1.W", "moments_1.V", "dense_1.W", "dense_1.b"]


def test_the_choice_of_outputs_is_part_of_a_network() -> None:
    """Two networks that differ in an output only are two programs, also where the unused one is the same."""
    assert len({_net(case).spec.key for case in WIRINGS}) == len(WIRINGS)


def test_they_are_shown_in_pictures_tables_and_notes(tmp_path: Path) -> None:
    net = _net("both outputs")
    assert "moments_1.mean, moments_1.scale" in net._repr_html_()
    (drawn,) = net.draw(tmp_path / "outs.svg")
    assert "moments" in drawn.read_text(encoding="utf-8")
    written = sbp.notes(net, tmp_path / "outs.html")
    assert written
    with pytest.raises(sbp.DeclarationError):
        net.draw(tmp_path / "neurons.svg", view="neurons")


def _class(outputs: Any) -> sbp.Layer:
    class Moments(sbp.Layer):
        def parameters(self, x: Any) -> Any:
            return [t for e in _moments(x, 3) for t in e.reads if t.role == "parameter"]

        def equations(self, x: Any) -> Any:
            return _moments(x, 3)

    Moments.outputs = outputs
    return Moments()


def test_a_class_and_a_function_derive_the_same() -> None:
    found = []
    for layer in (_class(("mean", "scale")), moments(units=3)):
        x = sbp.Input(4)
        mean, scale = layer(x)
        net = sbp.Network(inputs=x, outputs=mean * scale, loss="half_squared_error", name="same")
        found.append({name: str(g.index) for name, g in net.derive().gradients.items()})
    assert found[0] == found[1] and len(found[0]) == 3


#: outputs, the start of the error, the marked parts.
FAULTS: dict[str, tuple[Any, str, list[str]]] = {
    "a name that no equation defines": (
        ("mean", "scales"),
        "layer moments_1: Moments: the output scales is the left side of no equation",
        ["mean[n, i]", "u[n, i]", "scale[n, i]"],
    ),
    "an input": (
        ("x", "scale"),
        "layer moments_1: Moments: the output x is an input, and no left side",
        ["mean[n, i]", "u[n, i]", "scale[n, i]"],
    ),
    "a parameter": (
        ("W",),
        "layer moments_1: Moments: the output W is a parameter, and no left side",
        ["mean[n, i]", "u[n, i]", "scale[n, i]"],
    ),
    "one name twice": (("mean", "mean"), "Moments: outputs names mean twice; use the node twice instead", []),
    "no tuple": (
        "mean",
        "Moments: outputs is a tuple of names of left sides such as ('mean', 'scale'), got the text 'mean'; write ('mean',)",
        [],
    ),
    "a number": (2, "Moments: outputs is a tuple of names of left sides such as ('mean', 'scale'), got int", []),
    "no name": (("a b",), "Moments: output", []),
}


@pytest.mark.parametrize("case", FAULTS)
def test_outputs_that_are_none_are_refused(case: str) -> None:
    outputs, first, culprits = FAULTS[case]
    with pytest.raises(sbp.DeclarationError) as caught:
        made = _class(outputs)(x := sbp.Input(4))
        sbp.Network(inputs=x, outputs=made[0], name="bad")
    lines = str(caught.value).split("\n")
    assert lines[0].startswith(first), lines[0]
    marked = [above[below.index("^") :][: below.count("^")] for above, below in pairwise(lines) if below.strip() and not below.strip(" ^")]
    assert marked == culprits, "\n".join(lines)


@pytest.mark.parametrize("wrapped", [lambda layer: sbp.Sequential([sbp.Input(4), layer]), lambda layer: sbp.Residual(layer)(sbp.Input(4))])
def test_a_row_of_layers_takes_one_output_each(wrapped: Callable[[Any], Any]) -> None:
    told = r"moments names its outputs \(mean, scale\), so wire it by hand: mean, scale = layer\(x\)"
    with pytest.raises(sbp.DeclarationError, match=told):
        wrapped(moments(units=4))


# Names of indices


@pytest.mark.parametrize("name", ["i", "j", "l", "n_1"])
@pytest.mark.parametrize("inner", ["i", "j"])
def test_as_many_units_as_inputs_are_another_index(name: str, inner: str) -> None:
    """a = W x whatever the names: the user's i and the i of ``x.axes`` are two, also where they have one extent."""
    # Derivations are kept by their equations: sizes of its own, so that no other test's serves here.
    units = 4 + ["i", "j", "l", "n_1"].index(name) + 10 * ["i", "j"].index(inner)

    @sbp.layer
    def linear(x: Any) -> Any:
        n, column = x.axes
        row = sbp.indices(name, units)
        W, a = sbp.parameter("W", row, column), sbp.tensor("a", n, row)
        k = sbp.indices(inner, units)
        total = sbp.Sum(W[row, k] * x[n, k], k) if inner != name else sbp.Sum(W[row, column] * x[n, column], column)
        return E(a[n, row], total)

    net = sbp.Sequential([sbp.Input(units), linear()], loss="half_squared_error", name="square")
    params, data = net.init(seed=0, dtype="float64"), np.random.default_rng(0).normal(size=(5, units))
    program = net.compile(target="numpy", dtype="float64")
    np.testing.assert_allclose(program.predict(params, data), data @ params["linear_1.W"].T, rtol=1e-14, atol=1e-14)
    report = program.check()
    assert report.ok, str(report)


def test_an_index_that_stands_for_two_axes_is_two() -> None:
    """W with the axes (i, i) is as long as it is wide; its gradient is that of all entries, not of the diagonal."""

    @sbp.layer
    def linear(x: Any) -> Any:
        n, _ = x.axes
        i, k = sbp.indices("i k", 7)
        W, a = sbp.parameter("W", i, i), sbp.tensor("a", n, i)
        return E(a[n, i], sbp.Sum(W[i, k] * x[n, k], k))

    net = sbp.Sequential([sbp.Input(7), linear()], loss="half_squared_error", name="square")
    report = net.compile(target="numpy", dtype="float64").check()
    assert report.ok, str(report)
    assert any(row.tensor == "grad.linear_1.W" and row.entries == 49 for row in report.rows)
