"""Layers of the user's own: what is wrong with them is marked in the equation; plain functions; declared facts."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any, ClassVar

import numba
import numpy as np
import pytest
import sympy

import symbackprop as sbp

E = sbp.Equation


def _own(parameters: Callable[..., Any], equations: Callable[..., Any]) -> sbp.Layer:
    class Metric(sbp.Layer):
        def parameters(self, *inputs: Any) -> Any:
            return parameters(*inputs)

        def equations(self, *inputs: Any) -> Any:
            return equations(*inputs)

    return Metric()


i = sbp.indices("i", 3)
p = sbp.indices("p", 2)


def _W(x: Any) -> Any:
    return sbp.tensor("W", i, x.axes[1])


def _d(x: Any) -> Any:
    return sbp.tensor("d", x.axes[0], i)


def _dot(x: Any) -> Any:
    n, j = x.axes
    return E(_d(x)[n, i], sbp.Sum(_W(x)[i, j] * x[n, j], j))


def _misspelt(x: Any) -> Any:
    n, j = x.axes
    return E(_d(x)[n, i], sbp.Sum(_W(x)[i, j] * sbp.tensor("Ww", i, j)[i, j] * x[n, j], j))


def _ahead(x: Any) -> Any:
    n, _ = x.axes
    a = sbp.tensor("a", n, i)
    return [E(a[n, i], sympy.exp(-_d(x)[n, i])), _dot(x)]


def _idle_sum(x: Any) -> Any:
    n, j = x.axes
    return E(_d(x)[n, i], sbp.Sum(_W(x)[i, j] * x[n, j], j, p))


def _batchless(x: Any) -> Any:
    n, j = x.axes
    c = sbp.tensor("c", i)
    return E(c[i], sbp.Sum(_W(x)[i, j] * x[n, j], j, n))


def _turned(x: Any) -> Any:
    n, j = x.axes
    c = sbp.tensor("c", i, n)
    return E(c[i, n], sbp.Sum(_W(x)[i, j] * x[n, j], j))


def _loose(x: Any) -> Any:
    n, j = x.axes
    return E(_d(x)[n, i], _W(x)[i, j] * x[n, j])


def _other_shape(x: Any) -> Any:
    n, j = x.axes
    return E(_d(x)[n, i], sbp.Sum(sbp.tensor("W", j, i)[j, i] * x[n, j], j))


def _onto(name: str) -> Callable[..., Any]:
    def write(x: Any) -> Any:
        n, j = x.axes
        t = sbp.tensor(name, n, j)
        return E(t[n, j], sbp.Sum(_W(x)[i, j] * x[n, j], i)) if name != "x" else E(t[n, j], sbp.Sum(_W(x)[i, j], i))

    return write


#: parameters(), equations(), the class of the error, its first line behind "layer metric_1: ", the marked parts, the way out.
FAULTS: dict[str, tuple[Any, Any, type[Exception], str, list[str], str]] = {
    "a loose index": (
        _W,
        _loose,
        sbp.DeclarationError,
        "Metric: d[n, i]: two indices are called i: that of W[i, i′] ranges over 0..3, the other one over 0..2",
        ["i′", "i′"],
        "another name",
    ),
    "a tensor that nobody gives": (
        _W,
        _misspelt,
        sbp.DeclarationError,
        "Metric: d[n, i]: Ww is neither an input (x) nor a parameter (W), and no equation defines it",
        ["Ww[i, i′]"],
        "did you mean 'W'?",
    ),
    "read before it is defined": (
        _W,
        _ahead,
        sbp.DeclarationError,
        "Metric: a[n, i]: d is read before it is defined",
        ["d[n, i]"],
        "put the equation of d first",
    ),
    "an input defined": (
        _W,
        _onto("x"),
        sbp.DeclarationError,
        "Metric: x[n, i]: x is an input and cannot be defined by an equation",
        ["x[n, i]"],
        "another name",
    ),
    "a parameter with another shape": (
        _W,
        _other_shape,
        sbp.ShapeError,
        "Metric: d[n, i]: W is read with shape (4, 3), but it has (3, 4)",
        ["W[i′, i]"],
        "declare W once",
    ),
    "an idle parameter": (
        lambda x: (_W(x), sbp.tensor("c", i)),
        _dot,
        sbp.DeclarationError,
        "Metric: parameter c is read by no equation; leave it out of parameters()",
        [],
        "leave it out",
    ),
    "two parameters of one name": (
        lambda x: (_W(x), sbp.tensor("W", i)),
        _dot,
        sbp.DeclarationError,
        "Metric: two parameters are called W; a name stands for one tensor",
        [],
        "",
    ),
    "a parameter called like an input": (
        lambda x: (_W(x), sbp.tensor("x", i)),
        _dot,
        sbp.DeclarationError,
        "Metric: the parameter x is called like an input; choose another name",
        [],
        "",
    ),
    "a parameter with the batch": (
        lambda x: sbp.tensor("W", x.axes[0]),
        _dot,
        sbp.DeclarationError,
        "Metric: parameter W depends on the batch size",
        [],
        "",
    ),
    "a sum over nothing": (
        _W,
        _idle_sum,
        sbp.DeclarationError,
        "Metric: d[n, i]: Sum ranges over p, which does not occur in it: that multiplies by 2",
        ["p"],
        "take p out of the sum",
    ),
    "an output without the batch": (
        _W,
        _batchless,
        sbp.DeclarationError,
        "Metric: the output c must have the batch as its first axis, but its axes are (i)",
        ["c[i]"],
        "tensor('c', n, i)",
    ),
    "an output with the batch last": (
        _W,
        _turned,
        sbp.DeclarationError,
        "Metric: the output c must have the batch as its first axis, but its axes are (i, n)",
        ["c[i, n]"],
        "tensor('c', n, i)",
    ),
    "no equations": (_W, lambda x: [], sbp.DeclarationError, "Metric.equations returns no equation", [], ""),
    "no equation": (
        _W,
        lambda x: [3],
        sbp.DeclarationError,
        "Metric.equations returns int; it returns a tuple of sbp.Equation",
        [],
        "",
    ),
    "a right side alone": (
        _W,
        lambda x: 2 * x[x.axes],
        sbp.DeclarationError,
        "Metric.equations returns Mul; return sbp.Equation(left, right), or a tuple of them",
        [],
        "",
    ),
    "a Python if": (
        _W,
        lambda x: x[x.axes] if x[x.axes] > 0 else 0,
        sbp.DeclarationError,
        "Metric: a condition on a value is no Python if; write sympy.Piecewise((left, condition), (right, True))",
        [],
        "",
    ),
    "nothing returned": (
        _W,
        lambda x: None,
        sbp.DeclarationError,
        "Metric.equations returns NoneType; return sbp.Equation(left, right), or a tuple of them; is a return missing?",
        [],
        "",
    ),
}


@pytest.mark.parametrize("function", [np.tanh, math.exp], ids=["numpy", "math"])
def test_functions_of_numbers_are_told(function: Any) -> None:
    with pytest.raises(sbp.DeclarationError, match=r"Metric: equations are symbols, not numbers; write sympy.tanh"):
        sbp.Sequential([sbp.Input(4), _own(_W, lambda x: function(x[x.axes]))])


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_in_an_own_layer_is_marked_in_its_equation(case: str) -> None:
    parameters, equations, error, first, culprits, way = FAULTS[case]
    with pytest.raises(sbp.SymbackpropError) as caught:
        sbp.Sequential([sbp.Input(4), _own(parameters, equations)])
    lines = str(caught.value).split("\n")
    assert type(caught.value) is error
    assert lines[0] == f"layer metric_1: {first}"
    found = []
    for above, below in pairwise(lines):
        if below.strip() and not below.strip(" ^"):
            found += [above[s : s + len(run)] for s, run in _runs(below)]
    assert found == culprits, "\n".join(lines)
    assert way in lines[-1], "\n".join(lines)


def _runs(line: str) -> list[tuple[int, str]]:
    """Where the runs of marks begin, and the runs."""
    starts = [s for s, c in enumerate(line) if c == "^" and (s == 0 or line[s - 1] != "^")]
    return [(s, line[s:].split(" ")[0]) for s in starts]


# Plain functions


@sbp.layer(initial={"c": "normal"})
def metric(x: Any, *, units: int, power: int = 2) -> Any:
    """exp of minus the distance to a centre."""
    n, j = x.axes
    i = sbp.indices("i", units)
    c, s, d, a = sbp.parameter("c", i, j), sbp.parameter("s", i, j), sbp.tensor("d", n, i), sbp.tensor("a", n, i)
    yield E(d[n, i], sbp.Sum(sympy.exp(s[i, j]) * (x[n, j] - c[i, j]) ** power, j))
    yield E(a[n, i], sympy.exp(-d[n, i]))


def test_a_plain_function_is_a_layer() -> None:
    net = sbp.Sequential([sbp.Input(4), metric(units=3), metric(units=2, name="last")], loss="half_squared_error", name="plain")
    assert [(r.name, r.shape, r.initial) for r in net.spec.parameters] == [
        ("metric_1.c", (3, 4), "normal"),
        ("metric_1.s", (3, 4), "zeros"),
        ("last.c", (2, 3), "normal"),
        ("last.s", (2, 3), "zeros"),
    ]
    assert metric.__name__ == "metric" and metric.__doc__ == "exp of minus the distance to a centre."
    report = net.compile(target="numpy", dtype="float64").check()
    assert report.ok, str(report)


def test_the_users_index_and_an_axis_of_the_input_may_have_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """x.axes[1] is called i, and so is the layer's own index: loops that took them for one would read beside the arrays."""
    monkeypatch.setattr(numba.config, "DISABLE_JIT", True)
    net = sbp.Sequential([sbp.Input(4), metric(units=3)], loss="half_squared_error", name="meeting")
    report = net.compile(target="cpu", dtype="float64").check()
    assert report.ok, str(report)
    assert str(net.derive().gradients["metric_1.c"].index.lhs).endswith("[i, j]")


def test_a_plain_function_and_a_class_with_its_equations_derive_the_same() -> None:
    class Metric(sbp.Layer):
        initial: ClassVar[dict[str, str]] = {"c": "normal"}

        def parameters(self, x: Any) -> Any:
            i = sbp.indices("i", 3)
            return sbp.tensor("c", i, x.axes[1]), sbp.tensor("s", i, x.axes[1])

        def equations(self, x: Any) -> Any:
            n, j = x.axes
            c, s = self.parameters(x)
            i = c.axes[0]
            d, a = sbp.tensor("d", n, i), sbp.tensor("a", n, i)
            return E(d[n, i], sbp.Sum(sympy.exp(s[i, j]) * (x[n, j] - c[i, j]) ** 2, j)), E(a[n, i], sympy.exp(-d[n, i]))

    nets = [sbp.Sequential([sbp.Input(4), made], loss="half_squared_error") for made in (metric(units=3), Metric())]
    one, other = ({name: str(g.index) for name, g in net.derive().gradients.items()} for net in nets)
    assert one == other and len(one) == 3


def test_one_function_layer_called_twice_shares_its_parameters() -> None:
    shared, x_1, x_2 = metric(units=3), sbp.Input(4), sbp.Input(4)
    net = sbp.Network(inputs=[x_1, x_2], outputs=shared(x_1) * shared(x_2), loss="half_squared_error", name="twins")
    assert [r.name for r in net.spec.parameters] == ["metric_1.c", "metric_1.s"]
    report = net.compile(target="numpy", dtype="float64").check()
    assert report.ok, str(report)


BAD_FUNCTIONS: dict[str, tuple[Callable[[], Any], str]] = {
    "an unknown option": (lambda: metric(unit=3), r"metric: unknown option 'unit'; did you mean 'units'\? \(it takes units, power\)"),
    "a missing option": (lambda: metric(), r"metric: the option units must be given: metric\(units=…\)"),
    "no function": (lambda: sbp.layer(3), "sbp.layer takes a function that returns equations, got '3'"),
    "two inputs for one": (
        lambda: sbp.Network(inputs=[x := sbp.Input(3), y := sbp.Input(3)], outputs=metric(units=2)(x, y)),
        r"layer metric_1: metric takes one input \(x\), got 2",
    ),
    "a bad size": (lambda: sbp.Sequential([sbp.Input(3), metric(units=0)]), "layer metric_1: .*size must be a positive integer, got 0"),
}


@pytest.mark.parametrize("case", BAD_FUNCTIONS)
def test_a_function_layer_refuses_what_it_cannot_take(case: str) -> None:
    make, message = BAD_FUNCTIONS[case]
    with pytest.raises(sbp.DeclarationError, match=message):
        make()


# Facts


class Rows(sbp.Layer):
    """a[n, k] = Σ_i x[n, i] (Σ_j x[n, j] + i), with Σ_i x[n, i] = 1: so ∂a/∂x[n, i] is 2 + i … where the fact is used."""

    def equations(self, x: Any) -> Any:
        n, i = x.axes
        k = sbp.indices("k", 1)
        a, s = sbp.tensor("a", n, k), sbp.tensor("s", n)
        return [E(s[n], sbp.Sum(x[n, i], i)), E(a[n, k], sbp.Sum(i * x[n, i], i) * s[n])]

    def facts(self, x: Any) -> Any:
        n, i = x.axes
        return [(sbp.Sum(x[n, i], i), 1)]


def test_a_fact_about_an_input_is_tested_at_the_door_and_used() -> None:
    net = sbp.Sequential([sbp.Input(4), Rows()], loss="half_squared_error", name="rows")
    program = net.compile(target="numpy", dtype="float64")
    params, y = net.init(0, "float64"), np.zeros((3, 1))
    x = np.full((3, 4), 0.25)
    assert np.isfinite(program.loss(params, x, y))
    x[2, 1] = 0.5
    for call in (lambda: program.loss(params, x, y), lambda: program.predict(params, x), lambda: program.bind(params, x, y)):
        with pytest.raises(sbp.DataError, match=r"x: the network declares that every row sums to 1, but row 2 sums to 1\.25; normalise"):
            call()
    report = program.check()
    assert report.ok, str(report)


def test_a_fact_about_a_parameter_is_refused() -> None:
    class Unit(sbp.Layer):
        def parameters(self, x: Any) -> Any:
            return sbp.tensor("w", x.axes[1])

        def equations(self, x: Any) -> Any:
            n, j = x.axes
            a = sbp.tensor("a", n, j)
            return E(a[n, j], self.parameters(x)[j] * x[n, j])

        def facts(self, x: Any) -> Any:
            return [(sbp.Sum(self.parameters(x)[x.axes[1]], x.axes[1]), 1)]

    with pytest.raises(sbp.DeclarationError, match=r"layer unit_1: Unit: the fact .* is about the parameter w, which training changes"):
        sbp.Sequential([sbp.Input(4), Unit()])


def test_two_layers_that_differ_in_a_range_only_are_two_programs() -> None:
    @sbp.layer
    def window(x: Any, *, size: int) -> Any:
        n, i = x.axes
        u, a = sbp.indices("u", size), sbp.tensor("a", n, i)
        return E(a[n, i], sbp.Sum(sbp.InRange(i - u, 4) * x[n, i - u], u))

    keys = {sbp.Sequential([sbp.Input(4), window(size=size)], loss="half_squared_error").spec.key for size in (1, 2, 3)}
    assert len(keys) == 3
