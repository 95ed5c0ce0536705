"""What the engine derives from forward equations alone, against the forms of the textbooks and against complex steps."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

import symbackprop as sbp
from symbackprop.algebra.bound import canonical
from symbackprop.algebra.entry import enter
from symbackprop.algebra.equation import Equation, System
from symbackprop.algebra.index import Index, sizes
from symbackprop.algebra.interpret import interpret
from symbackprop.algebra.nodes import Abs, InRange, Sigmoid, Sum
from symbackprop.algebra.tensor import Tensor, tensor
from symbackprop.declare.activations import ACTIVATIONS
from symbackprop.derive.adjoint import local_slope
from symbackprop.derive.reexpress import reexpress
from symbackprop.derive.sweep import derive_system

N, J, C, D, K = sizes("N J C D K")


def assert_right(system: System, values: dict[str, np.ndarray], wrt: tuple[str, ...]) -> dict[str, Equation]:
    """Every entry of every gradient equals the complex step; the derived equations are returned by tensor."""
    derivation = derive_system(system, "f", wrt)
    env = interpret(derivation.system, values)
    for name in wrt:
        for place in np.ndindex(values[name].shape):
            moved = {**values, name: values[name].astype(complex)}
            moved[name][place] += 1e-30j
            measured = interpret(system, moved)["f"].imag / 1e-30
            assert abs(env[f"grad.{name}"][place] - measured) <= 1e-12 * max(1, abs(measured)), (name, place)
    return {name: derivation.equation(f"grad.{name}") for name in derivation.cotangents}


def test_attention_has_the_row_sum_form():
    q, k, d = Index("q", N), Index("k", J), Index("d", D)
    Q, Km, V, G = tensor("Q", q, d), tensor("K", k, d), tensor("V", k, d), tensor("G", q, d)
    S, Z, P, O, f = tensor("S", q, k), tensor("Z", q, positive=True), tensor("P", q, k), tensor("O", q, d), tensor("f")  # noqa: E741
    system = System(
        [
            Equation(S[q, k], Sum(Q[q, d] * Km[k, d], d) / sympy.sqrt(D)),
            Equation(Z[q], Sum(sympy.exp(S[q, k]), k)),
            Equation(P[q, k], sympy.exp(S[q, k]) / Z[q]),
            Equation(O[q, d], Sum(P[q, k] * V[k, d], k)),
            Equation(f[()], Sum(G[q, d] * O[q, d], q, d)),
        ]
    )
    rng = np.random.default_rng(1)
    values = {"Q": rng.normal(size=(2, 3)), "K": rng.normal(size=(4, 3)), "V": rng.normal(size=(4, 3)), "G": rng.normal(size=(2, 3))}
    equations = assert_right(system, values, ("Q", "K", "V"))
    dP, dS = (Tensor(f"grad.{name}", (q, k), "cotangent") for name in "PS")
    P = next(t for t in equations["S"].reads if t.name == "P")
    assert equations["S"].rhs == canonical(P[q, k] * (dP[q, k] - Sum(P[q, k] * dP[q, k], k)))
    assert equations["K"].rhs == canonical(Sum(Q[q, d] * dS[q, k], q) / sympy.sqrt(D))


def test_layer_norm_cancels_the_sum_of_deviations():
    n, j = Index("n", N), Index("j", J)
    a, g, w = tensor("a", n, j), tensor("g", j), tensor("w", n, j)
    mu, v, r, h, f = tensor("mu", n), tensor("v", n), tensor("r", n, positive=True), tensor("h", n, j), tensor("f")
    system = System(
        [
            Equation(mu[n], Sum(a[n, j], j) / J),
            Equation(v[n], Sum((a[n, j] - mu[n]) ** 2, j) / J),
            Equation(r[n], (v[n] + sympy.Rational(1, 10**5)) ** sympy.Rational(-1, 2)),
            Equation(h[n, j], (a[n, j] - mu[n]) * r[n]),
            Equation(f[()], Sum(w[n, j] * g[j] * h[n, j], n, j)),
        ]
    )
    rng = np.random.default_rng(2)
    equations = assert_right(system, {"a": rng.normal(size=(2, 3)), "g": rng.normal(size=3), "w": rng.normal(size=(2, 3))}, ("a", "g"))
    # The three-term form: gain, mean, projection. A sum over deviations from the mean would be a fourth.
    through = g[j] * w[n, j] - Sum(g[j] * w[n, j], j) / J - h[n, j] * Sum(g[j] * w[n, j] * h[n, j], j) / J
    # The tensors of a result know less than the declared ones, so the two are compared as they are written.
    assert str(equations["a"].rhs) == str(canonical(r[n] * through))


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (1, 2), (2, 1), (3, 2)])
def test_convolution_is_a_gather_with_guards(stride, padding):
    n, o, c, u = Index("n", 2), Index("o", 3), Index("c", 2), Index("u", 3)
    height = 7
    out = (height + 2 * padding - 3) // stride + 1
    y = Index("y", out)
    A, W, G, Z, f = tensor("A", n, c, height), tensor("W", o, c, u), tensor("G", n, o, y), tensor("Z", n, o, y), tensor("f")
    at = stride * y + u - padding
    system = System(
        [
            Equation(Z[n, o, y], Sum(InRange(at, height) * W[o, c, u] * A[n, c, at], c, u)),
            Equation(f[()], Sum(G[n, o, y] * sympy.sin(Z[n, o, y]), n, o, y)),
        ]
    )
    rng = np.random.default_rng(stride)
    values = {"A": rng.normal(size=(2, 2, height)), "W": rng.normal(size=(3, 2, 3)), "G": rng.normal(size=(2, 3, out))}
    assert_right(system, values, ("A", "W"))


def test_softmax_with_cross_entropy_is_p_minus_y_by_the_declared_fact():
    net = sbp.Sequential([sbp.Input("m"), sbp.Dense("k")], loss="softmax_cross_entropy", name="head")
    term = net.derive(per="sample").error_terms["dense_1"].index
    reads = {t.name: t for t in term.reads}
    i = term.lhs.index
    assert term.rhs == reads["loss.p"][i] - reads["y"][i]


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        ("sigmoid", lambda a: a * (1 - a)),
        ("tanh", lambda a: 1 - a**2),
        ("exponential", lambda a: a),
        ("softplus", lambda a: 1 - sympy.exp(-a)),
        ("log_sigmoid", lambda a: 1 - sympy.exp(a)),
        ("softsign", lambda a: (1 - Abs(a)) ** 2),
    ],
)
def test_slopes_are_written_through_the_stored_activation(activation, expected):
    net = sbp.Sequential([sbp.Input(3), sbp.Dense(4, activation=activation)], loss="mse", name="one")
    derivation = net.derive()
    equation = next(e for e in derivation.equations if e.tensor.name == "dense_1.a")
    z = next(iter(equation.rhs.atoms(type(equation.lhs))))
    t = sympy.Dummy("t", real=True)
    slope = sympy.diff(equation.rhs.xreplace({z: t}), t).xreplace({t: z})
    assert sympy.expand(reexpress(equation.rhs, slope, z, equation.lhs) - expected(equation.lhs)) == 0
    assert "dense_1.z" not in derivation.tape


@pytest.mark.parametrize("activation", ["silu", "mish", "gelu", "gelu_tanh"])
def test_slopes_that_are_no_function_of_the_activation_are_left_alone(activation):
    assert activation in ACTIVATIONS
    net = sbp.Sequential([sbp.Input(3), sbp.Dense(4, activation=activation)], loss="mse", name="one")
    assert "dense_1.z" in net.derive().tape


def test_a_quotient_of_exponentials_does_not_hide_a_function_of_its_value():
    i = Index("i", 4)
    z, a = Tensor("z", (i,)), Tensor("a", (i,))
    f = enter(sympy.Rational(17, 10) * sympy.tanh(2 * z[i] / 3))
    t = sympy.Dummy("t", real=True)
    slope = sympy.diff(f.xreplace({z[i]: t}), t).xreplace({t: z[i]})
    through = reexpress(f, slope, z[i], a[i])
    assert sympy.expand(through - (sympy.Rational(17, 15) - sympy.Rational(20, 51) * a[i] ** 2)) == 0


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (lambda z: (sympy.exp(z) - sympy.exp(-z)) / (sympy.exp(z) + sympy.exp(-z)), lambda a: 1 - a**2),
        (lambda z: (sympy.exp(2 * z) - 1) / (sympy.exp(2 * z) + 1), lambda a: 1 - a**2),
        (lambda z: 2 / (1 + sympy.exp(-2 * z)) - 1, lambda a: 1 - a**2),
        (lambda z: sympy.sinh(z) / sympy.cosh(z), lambda a: 1 - a**2),
        (lambda z: sympy.exp(z) / (1 + sympy.exp(z)), lambda a: (1 - a) * a),
        (lambda z: (1 + sympy.tanh(z / 2)) / 2, lambda a: (1 - a) * a),
        (lambda z: 3 * z / (2 + Abs(z)), lambda a: (3 - Abs(a)) ** 2 / 6),
        (lambda z: z / (1 + Abs(2 * z)), lambda a: (1 - 2 * Abs(a)) ** 2),
    ],
)
def test_an_activation_as_its_user_writes_it_has_its_slope_through_itself(written, expected):
    i = Index("i", 4)
    z, a = Tensor("z", (i,)), Tensor("a", (i,))
    found = local_slope(Equation(a[i], written(z[i])))
    assert found is not None and found.inner == z[i]
    assert sympy.expand(found.through - expected(a[i])) == 0


@pytest.mark.parametrize("written", [Abs, lambda z: sympy.exp(-Abs(z)), lambda z: z * Abs(z), lambda z: z**2 / (1 + Abs(z))])
def test_a_function_of_the_size_alone_or_with_a_root_has_no_slope_through_itself(written):
    i = Index("i", 4)
    assert local_slope(Equation(Tensor("a", (i,))[i], written(Tensor("z", (i,))[i]))) is None


@pytest.mark.parametrize(("layer", "tape"), [(sbp.LSTM(3), {"z"}), (sbp.GRU(3), {"p"})], ids=["LSTM", "GRU"])
def test_gates_are_read_where_they_are_stored(layer, tape):
    """A gate is σ of a part of the pre-activation; its slope is that of the stored gate, so no function is computed again."""
    net = sbp.Sequential([sbp.Input((4, 2)), layer], loss="mse", name="gated")
    derivation = net.derive()
    backward = [e for block in derivation.record.backward for e in block.template.equations]
    assert not any(isinstance(n, Sigmoid | sympy.tanh | sympy.exp) for e in backward for n in sympy.preorder_traversal(e.rhs))
    assert not {name.rpartition(".")[2] for name in derivation.tape} & tape


def test_derivation_cost_does_not_depend_on_width():
    """One template per layer type: a wide network has the very same derived equations as a narrow one."""
    made = []
    for width in (3, 30000):
        net = sbp.Sequential([sbp.Input(width), sbp.Dense(width, activation="tanh"), sbp.Dense(2)], loss="mse", name="wide")
        record = net.derive().record
        made.append(tuple(block.template.key for block in record.system.blocks))
    assert made[0] == made[1]


@pytest.mark.parametrize("depth", [2, 12])
def test_dense_networks_derive_with_symbolic_sizes(depth):
    layers = [sbp.Input("n_0"), *(sbp.Dense(f"n_{k}", activation="tanh") for k in range(1, depth + 1))]
    net = sbp.Sequential(layers, loss="half_squared_error", name="symbolic")
    derivation = net.derive()
    assert len(derivation.gradients) == 2 * depth + 1
    names = {s.name for s in derivation.gradients["dense_1.W"].index.tensor.shape}
    assert names == {"n_0", "n_1"}


def test_hessian_products_equal_differences_of_gradients():
    net = sbp.Sequential([sbp.Input(3), sbp.Dense(4, activation="tanh"), sbp.Dense(2)], loss="softmax_cross_entropy", name="twice")
    rng = np.random.default_rng(3)
    derivation = net.derive()
    values = {**net.init(0, "float64"), "x": rng.normal(size=(5, 3)), "y": np.eye(2)[rng.integers(0, 2, 5)]}
    vectors = {f"v_{name}": rng.normal(size=np.shape(values[name])) for name in derivation.gradients}
    products = derivation.hvp().gradients
    step = 1e-5

    def moved(sign: float) -> dict[str, np.ndarray]:
        shifted = {n: v + sign * step * vectors[f"v_{n}"] if f"v_{n}" in vectors else v for n, v in values.items()}
        return derivation.evaluate(shifted)

    up, down = moved(1), moved(-1)
    for name, product in products.items():
        measured = (up[f"grad.{name}"] - down[f"grad.{name}"]) / (2 * step)
        # step² of truncation and rounding/step are both below 1e-9 here.
        np.testing.assert_allclose(product.evaluate({**values, **vectors}), measured, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda s: sbp.derive(s, of="g", wrt=["x"]), sbp.DerivationError, "'g' is defined by no equation"),
        (lambda s: sbp.derive(s, of="q", wrt=["x"]), sbp.DerivationError, "only a scalar has a gradient"),
        (lambda s: sbp.derive(s, of="f", wrt=["z"]), sbp.DerivationError, "'z' is no tensor"),
        (lambda s: sbp.derive(s, of="f", wrt=["x"]).jacobian("x", "f"), sbp.DerivationError, "does not depend"),
    ],
)
def test_what_cannot_be_derived_is_said_in_one_line(make, error, words):
    i, j = Index("i", 2), Index("j", 3)
    W, x, q, f = tensor("W", i, j), tensor("x", j), tensor("q", i), tensor("f")
    system = System([Equation(q[i], Sum(W[i, j] * x[j], j)), Equation(f[()], Sum(q[i] ** 2, i))])
    with pytest.raises(error, match=words) as caught:
        make(system)
    assert "\n" not in str(caught.value)
