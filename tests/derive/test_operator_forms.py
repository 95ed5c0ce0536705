"""Operator forms: what is recognised as a correlation or a convolution has the value of the sum that it was recognised in.

The meaning of an operator is arrays that are padded, spread and slid over one another; SciPy's signal functions give it a
second time where they have the operator (stride 1). The sums are evaluated by the interpreter. Values are standard normal
and results are sums of fewer than 1000 products: rounding stays below 1e-11.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

import symbackprop as sbp
from symbackprop.algebra import Divides, Equation, Index, InRange, Sum, Tensor, sympy
from symbackprop.algebra.interpret import evaluate_equation, solve_sizes
from symbackprop.algebra.operators import OperatorEquation, slid
from symbackprop.derive.operators import operator_form

TOLERANCE = 1e-11
SEEDS = range(16)


def agrees(equation: Equation, form: OperatorEquation, rng) -> bool:
    values = {t.name: rng.normal(size=tuple(int(s) if s.is_Integer else 3 for s in t.shape)) for t in equation.reads}
    expected = evaluate_equation(equation, values, solve_sizes({t.name: t for t in equation.reads}, values))
    return bool(np.max(np.abs(form.evaluate(values) - expected), initial=0.0) < TOLERANCE)


def drawn(seed: int) -> tuple[sbp.Network, dict, str]:
    rng = np.random.default_rng(seed)

    def number(*some: int) -> int:
        return int(rng.choice(some))

    groups = number(1, 1, 2)
    kind = rng.choice(["Conv2D", "Conv1D", "ConvTranspose2D"])
    space = 1 if kind == "Conv1D" else 2
    kernel = tuple(int(k) for k in rng.integers(1, 5, size=space))
    options = {
        "stride": tuple(int(k) for k in rng.integers(1, 4, size=space)),
        "dilation": tuple(int(k) for k in rng.integers(1, 3, size=space)),
        "groups": groups,
        "flip": bool(rng.integers(2)),
        "padding": tuple(int(rng.integers(0, k)) for k in kernel),
        "activation": str(rng.choice(["tanh", "relu", "identity"])),
    }
    image = tuple(int(k) for k in rng.integers(8, 12, size=space))
    layer = getattr(sbp, kind)(number(2, 4), kernel, **options)
    net = sbp.Sequential([sbp.Input((2 * number(1, 2), *image)), layer], loss="half_squared_error")
    return net, options, f"seed {seed}: {kind} {kernel} {options} on {image}"


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_recognised_has_the_value_of_the_sum(seed):
    net, options, said = drawn(seed)
    rng = np.random.default_rng(seed)
    tensors = net.derive(per="sample").record.tensors
    wide = all(e > 1 for e in next(t for name, t in tensors.items() if name.endswith("_1.W")).shape[2:])
    for per in ("sample", "batch"):
        record = net.derive(per=per).record
        found = set()
        for equation in record.system.equations:
            form = operator_form(equation)
            if form is None:
                continue
            found.add(equation.tensor.name)
            assert agrees(equation, form, rng), f"{said}: {equation}"
        layer = record.model.layers[0].name
        # A window of one place in some direction is a product without a window; a transposed convolution with dilation leaves
        # an equation between three places in its weight gradient.
        transposed = "Transpose" in said and max(options["dilation"]) > 1
        if wide and not transposed:
            forward = f"{layer}.{'u' if any(n.endswith('.u') for n in record.tensors) else 'z'}"
            assert {forward, f"grad.{layer}.W", "grad.x"} <= found, f"{said}: {sorted(found)}"


def test_an_unpadded_correlation_has_the_textbook_forms():
    net = sbp.Sequential([sbp.Input((2, 9, 9)), sbp.Conv2D(3, 3)], loss="half_squared_error")
    g = net.derive(per="sample")
    sums = [e.latex(form="operator") for e in (g.gradients["conv2d_1.W"], g.gradients["x"])]
    assert sums == [
        r"\frac{\partial L}{\partial W_{kc}^{(1)}} = \delta_k^{(2)} \star x_c",
        r"\frac{\partial L}{\partial x_c} = \sum_{k=0}^2 W_{kc}^{(1)} \ast_{\mathrm{full}} \delta_k^{(2)}",
    ]
    assert r"z_k^{(2)} = \sum_{c=0}^1 W_{kc}^{(1)} \star x_c + b_k^{(1)}" in g.latex(form="operator")
    # The matrix form falls back to it, and so does the text.
    assert g.gradients["conv2d_1.W"].latex() == sums[0]
    assert g.gradients["conv2d_1.W"].text() == "∂L/∂W_kc^(1) = δ_k^(2) ⋆ x_c"


def test_with_true_convolution_the_signs_change_places():
    net = sbp.Sequential([sbp.Input((2, 9, 9)), sbp.Conv2D(3, 3, flip=True)], loss="half_squared_error")
    g = net.derive(per="sample")
    assert r"z_k^{(2)} = \sum_{c=0}^1 W_{kc}^{(1)} \ast x_c + b_k^{(1)}" in g.latex()
    assert g.gradients["conv2d_1.W"].latex().endswith(r"x_c \star_{p=2} \delta_k^{(2)}")
    assert g.gradients["x"].latex().endswith(r"W_{kc}^{(1)} \star_{p=2} \delta_k^{(2)}")


def test_a_stride_is_a_dilation_in_the_weight_gradient_and_zeros_in_the_input_gradient():
    net = sbp.Sequential([sbp.Input((2, 9, 9)), sbp.Conv2D(3, 3, stride=2, padding=1)], loss="half_squared_error")
    g = net.derive(per="sample")
    assert g.gradients["conv2d_1.W"].latex().endswith(r"\delta_k^{(2)} \star_{p=1,\, d=2} x_c")
    assert g.gradients["x"].latex().endswith(r"\ast_{p=1} {\uparrow}_{2} \delta_k^{(2)}")


def test_the_slope_of_the_layer_below_stands_outside():
    layers = [sbp.Input((1, 8, 8)), sbp.Conv2D(2, 3, activation="tanh"), sbp.Conv2D(3, 3)]
    g = sbp.Sequential(layers, loss="half_squared_error").derive(per="sample")
    error = g.error_terms["conv2d_1"]
    assert error.operator is not None
    assert error.latex() == (
        r"\delta_k^{(2)} "
        r"= \left( \sum_{m=0}^2 W_{mk}^{(2)} \ast_{\mathrm{full}} \delta_m^{(3)} \right) \circ (1 - a_k^{(2)} \circ a_k^{(2)})"
    )


def test_both_forms_of_a_gradient_are_evaluated():
    net = sbp.Sequential([sbp.Input((2, 7, 7)), sbp.Conv2D(3, 3, stride=2, padding=1, activation="tanh")], loss="half_squared_error")
    rng = np.random.default_rng(1)
    values = {
        "conv2d_1.W": rng.normal(size=(3, 2, 3, 3)),
        "conv2d_1.b": rng.normal(size=3),
        "x": rng.normal(size=(5, 2, 7, 7)),
        "y": rng.normal(size=(5, 3, 4, 4)),
    }
    g = net.derive()
    for name in ("conv2d_1.W", "x"):
        index, operator = (g.gradients[name].evaluate(values, form=form) for form in ("index", "operator"))
        assert np.max(np.abs(index - operator)) < TOLERANCE
    with pytest.raises(sbp.DerivationError, match="no operator form"):
        g.gradients["conv2d_1.b"].evaluate(values, form="operator")
    with pytest.raises(sbp.DerivationError, match="'operator'"):
        g.gradients["x"].latex(form="tensor")


@pytest.mark.parametrize("mode", ["valid", "full", "same"])
@pytest.mark.parametrize("kind", ["correlation", "convolution"])
def test_an_operator_is_that_of_signal_processing(kind, mode):
    signal = pytest.importorskip("scipy.signal")
    rng = np.random.default_rng(2)
    kernel, image = rng.normal(size=(3, 5)), rng.normal(size=(8, 9))
    padding = {"valid": (0, 0), "full": (2, 4), "same": (1, 2)}[mode]
    shape = {"valid": (6, 5), "full": (10, 13), "same": (8, 9)}[mode]
    k, x = Tensor("k", (Index("u", 3), Index("v", 5))), Tensor("x", (Index("h", 8), Index("w", 9)))
    p, q, u, v = Index("p", shape[0]), Index("q", shape[1]), Index("u", 3), Index("v", 5)
    at = (p + u - padding[0], q + v - padding[1])
    tap = (u, v) if kind == "correlation" else (2 - u, 4 - v)
    body = k[tap] * x[at] * InRange(at[0], 8) * InRange(at[1], 9)
    form = operator_form(Equation(Tensor("z", (p, q))[p, q], Sum(body, u, v)))
    assert form is not None and form.windows[0].kind == kind
    work = signal.correlate if kind == "correlation" else signal.convolve
    assert np.max(np.abs(form.evaluate({"k": kernel, "x": image}) - work(image, kernel, mode=mode))) < TOLERANCE


def test_what_is_no_window_has_no_operator_form():
    i, r = Index("i", 6), Index("r", 4)
    a, b, z = Tensor("a", (Index("k", 8),)), Tensor("b", (r,)), Tensor("z", (i,))
    odd = [
        # One place more left out than there is outside; every other place left out; read backwards along both.
        Sum(a[r + 2 * i - 3] * b[r] * InRange(r + 2 * i - 3, 8) * InRange(r + 2 * i - 4, 8), r),
        Sum(a[r + i - 1] * b[r] * InRange(r + i - 1, 8) * Divides(2, r + i), r),
        Sum(a[sympy.Integer(7) - r - i] * b[r] * InRange(7 - r - i, 8), r),
    ]
    for body in odd:
        assert operator_form(Equation(z[i], body)) is None


def test_a_relation_is_all_that_is_asked():
    # Whatever runs, the same pairs of places meet: x at i + r over r, or b at h − i over h.
    i, r, h = Index("i", 6), Index("r", 3), Index("h", 8)
    x, b, z = Tensor("x", (h,)), Tensor("b", (r,), "parameter"), Tensor("z", (i,))
    forms = [
        operator_form(Equation(z[i], Sum(b[r] * x[i + r], r))),
        operator_form(Equation(z[i], Sum(b[h - i] * x[h] * InRange(h - i, 3), h))),
    ]
    assert all(form is not None for form in forms)
    assert [form.windows[0].axes for form in forms if form] == [forms[0].windows[0].axes] * 2
    assert {form.windows[0].kind for form in forms if form} == {"correlation"}


def test_a_kernel_slides_with_every_step():
    rng = np.random.default_rng(3)
    kernel, image = rng.normal(size=(2, 3)), rng.normal(size=(7, 8))
    found = slid(kernel, image, (2, 3))
    for p, q in product(range(found.shape[0]), range(found.shape[1])):
        assert abs(found[p, q] - np.sum(kernel * image[2 * p : 2 * p + 2, 3 * q : 3 * q + 3])) < TOLERANCE
