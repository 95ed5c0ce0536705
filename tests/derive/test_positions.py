"""Where a maximum was found is stored by the forward pass and compared by the backward pass; both forms have one value."""

from __future__ import annotations

import numpy as np
import pytest

import symbackprop as sbp
from symbackprop import pipeline
from symbackprop.algebra.interpret import interpret
from symbackprop.algebra.nodes import ArgMax, Max


class Tropical(sbp.Layer):
    """y[n, i] = max_j (W[i, j] + x[n, j]): a sum whose multiplication is addition."""

    def parameters(self, x):
        return (sbp.tensor("W", 3, x.axes[1]),)

    def equations(self, x):
        (n, j), (W,) = x.axes, self.parameters(x)
        (i, _) = W.axes
        y = sbp.tensor("y", n, i)
        return (sbp.Equation(y[n, i], sbp.Max(W[i, j] + x[n, j], j)),)


class Peaks(sbp.Layer):
    """y[n, i] = max_j x[n, i, j] + max_j (−x[n, i, j]): two maxima in one equation."""

    def equations(self, x):
        n, i, j = x.axes
        y = sbp.tensor("y", n, i)
        return (sbp.Equation(y[n, i], sbp.Max(x[n, i, j], j) + sbp.Max(-x[n, i, j], j)),)


def network(name, layers, shape):
    return sbp.Sequential([sbp.Input(shape), *layers, sbp.Flatten(), sbp.Dense(2)], loss="half_squared_error", name=name)


CASES = [
    *(
        (f"pool {size} {stride} {padding}", [sbp.MaxPool2D(size, stride, padding)], (2, 5, 6))
        for size, stride, padding in ((2, None, 0), (2, 1, 0), (3, 1, 1), (3, 2, 1), ((1, 3), (2, 1), (0, 1)), ((3, 2), (2, 3), (1, 0)))
    ),
    ("behind a convolution", [sbp.Conv2D(2, 3, padding=1, activation="relu"), sbp.MaxPool2D(2)], (1, 4, 4)),
    ("pool of a pool", [sbp.MaxPool2D(2, 1), sbp.MaxPool2D(2, 1)], (1, 4, 4)),
    ("maxout", [sbp.Maxout(3, pieces=2)], (4,)),
    ("tropical", [Tropical()], (4,)),
]


@pytest.mark.parametrize(("name", "layers", "shape"), CASES, ids=[case[0] for case in CASES])
def test_comparing_with_the_stored_place_is_asking_for_the_argmax(name, layers, shape):
    net = network("net", layers, shape)
    d = pipeline.derive_network(net.spec)
    asked = [e for block in d.backward for e in block.equations(d.tensors) if e.rhs.has(ArgMax)]
    assert not asked
    assert any(e.rhs.has(ArgMax) for e in d.system.equations), "the printed form speaks of the argmax"
    assert set(d.places) <= set(d.tape)
    rng = np.random.default_rng(5)
    # Few different values: ties in most windows. All numbers are small integers, so that both forms round nothing.
    values = {t.name: rng.integers(-1, 2, size=[3 if s.is_Symbol else int(s) for s in t.shape]) for t in given(d)}
    values = {n: v.astype(float) for n, v in values.items()}
    names = [d.cotangents[w] for w in d.wrt]
    printed, computed = interpret(d.system, values), interpret(d.stable, values)
    for cotangent in names:
        np.testing.assert_allclose(computed[cotangent], printed[cotangent], rtol=0, atol=1e-13, err_msg=f"{name}: {cotangent}, seed 5")


def given(d):
    return [d.forward_system.tensors[name] for name in d.forward_system.free]


def test_an_equation_with_several_maxima_searches_again():
    d = pipeline.derive_network(network("net", [Peaks()], (2, 3)).spec)
    assert not d.places
    assert any(e.rhs.has(ArgMax) for block in d.backward for e in block.equations(d.tensors))


def test_one_number_is_stored_for_each_window():
    d = pipeline.derive_network(network("net", [sbp.MaxPool2D(3, 2, 1)], (2, 5, 6)).spec)
    (place,) = d.places.values()
    source = d.tensors["maxpool2d_1.a"]
    assert place.name == "maxpool2d_1.a_argmax"
    assert place.shape == source.shape
    search, largest = (e for block in d.forward for e in block.equations(d.tensors) if e.tensor.name in (place.name, source.name))
    assert isinstance(search.rhs, ArgMax)
    assert isinstance(largest.rhs, Max)
    assert str(search.rhs.wanted) == "3*@0 + @1"
