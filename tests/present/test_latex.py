"""Printed formulas: the decks' recursion letter by letter, and every formula of a network in every preset."""

from __future__ import annotations

import dataclasses
import re

import pytest
import sympy
from formulas import ABOVE, BIAS, HIDDEN, OUTPUT, WEIGHTS, matrix, naming_of

from symbackprop.algebra import Abs, Equation, Index, Indicator, Sum, Tensor, indices, sizes
from symbackprop.declare.layers import Activation, Dense, Input
from symbackprop.declare.lower import lower
from symbackprop.derive.matrix import matrix_form
from symbackprop.errors import DeclarationError
from symbackprop.present.document.subset import check_latex
from symbackprop.present.latex import latex_equation, plain_equation
from symbackprop.present.naming import Naming, network_naming
from symbackprop.present.notation import LAYOUTS, PRESETS, notation
from symbackprop.public.network import Network, Sequential


def index_form(equation, preset):
    return latex_equation(equation, naming_of(equation, preset), notation=preset)


def matrix_latex(equation, preset, **options):
    return latex_equation(matrix(equation), naming_of(equation, preset), notation=preset, **options)


@pytest.mark.deck("D0.10", "D0.11", "D0.12", "D0.13")
def test_the_recursion_in_the_notation_of_the_first_deck():
    assert index_form(OUTPUT, "ufldl") == r"\delta_i^{(n_l)} = -(y_i - a_i^{(n_l)}) f'(z_i^{(n_l)})"
    assert matrix_latex(OUTPUT, "ufldl") == r"\delta^{(n_l)} = -(y - a^{(n_l)}) \circ f'(z^{(n_l)})"
    assert matrix_latex(HIDDEN, "ufldl") == r"\delta^{(l)} = \left( (W^{(l)})^{\top} \delta^{(l+1)} \right) \circ f'(z^{(l)})"
    # E1: the deck prints W_ij; for z = W x + b the sum runs over the first index.
    assert index_form(HIDDEN, "ufldl") == (
        r"\delta_i^{(l)} = \left( \sum_{j=1}^{s_{l+1}} W_{ji}^{(l)} \delta_j^{(l+1)} \right) f'(z_i^{(l)})"
    )
    assert matrix_latex(WEIGHTS, "ufldl") == r"\nabla_{W^{(l)}} L = \delta^{(l+1)} (a^{(l)})^{\top}"
    assert matrix_latex(BIAS, "ufldl") == r"\nabla_{b^{(l)}} L = \delta^{(l+1)}"
    assert index_form(WEIGHTS, "ufldl") == r"\frac{\partial L}{\partial W_{ij}^{(l)}} = \delta_i^{(l+1)} a_j^{(l)}"


@pytest.mark.deck("D1.8", "D1.9", "D1.10")
def test_the_recursion_in_the_notation_of_the_second_deck():
    assert matrix_latex(OUTPUT, "larochelle") == r"\delta_K = (h_K - y) \bullet g'(a_K)"
    assert matrix_latex(HIDDEN, "larochelle") == r"\delta_k = (W_k^{\top} \delta_{k+1}) \bullet g'(a_k)"
    # E9: an outer product, and the bias gradient that the deck leaves out.
    assert matrix_latex(WEIGHTS, "larochelle") == r"\frac{\partial L}{\partial W_k} = \delta_{k+1} h_k^{\top}"
    assert matrix_latex(BIAS, "larochelle") == r"\frac{\partial L}{\partial b_k} = \delta_{k+1}"
    assert index_form(HIDDEN, "larochelle") == (
        r"\delta_i^{(k)} = \left( \sum_{j=1}^{s_{k+1}} W_{ji}^{(k)} \delta_j^{(k+1)} \right) g'(a_i^{(k)})"
    )


def test_a_weight_that_belongs_to_its_destination_moves_every_number():
    other = dataclasses.replace(notation("ufldl"), name="mine", weight_of="destination")
    assert latex_equation(matrix(HIDDEN), naming_of(HIDDEN, "ufldl"), notation=other) == (
        r"\delta^{(l)} = \left( (W^{(l+1)})^{\top} \delta^{(l+1)} \right) \circ f'(z^{(l)})"
    )


def test_plain_text_says_the_same():
    assert plain_equation(HIDDEN, naming_of(HIDDEN, "ufldl")) == "δ_i^(l) = (Σ_j W_ji^(l) δ_j^(l+1)) f'(z_i^(l))"
    assert plain_equation(matrix(HIDDEN), naming_of(HIDDEN, "ufldl")) == "δ^(l) = ((W^(l))ᵀ δ^(l+1)) ∘ f'(z^(l))"
    assert plain_equation(matrix(WEIGHTS), naming_of(WEIGHTS, "ufldl")) == "∇_{W^(l)} L = δ^(l+1) (a^(l))ᵀ"
    assert plain_equation(matrix(WEIGHTS), naming_of(WEIGHTS, "larochelle"), notation="larochelle") == "∂L/∂W_k = δ_{k+1} h_kᵀ"


def test_numerator_layout_transposes_every_derivative():
    assert matrix_latex(HIDDEN, "larochelle", layout="numerator") == r"\delta_k = (\delta_{k+1} W_k) \bullet g'(a_k)^{\top}"
    assert matrix_latex(WEIGHTS, "larochelle", layout="numerator") == r"\frac{\partial L}{\partial W_k} = h_k \delta_{k+1}"
    assert matrix_latex(WEIGHTS, "ufldl", layout="denominator") == (
        r"\frac{\partial L}{\partial W^{(l)}} = \delta^{(l+1)} (a^{(l)})^{\top}"
    )


def test_shapes_stand_under_the_factors_and_conform():
    assert matrix_latex(WEIGHTS, "larochelle", shapes=True) == (
        r"\underset{s_{k+1} \times s_k}{\frac{\partial L}{\partial W_k}} = "
        r"\underset{s_{k+1} \times 1}{\delta_{k+1}} \; \underset{1 \times s_k}{h_k^{\top}}"
    )
    for layout in LAYOUTS:
        shown = matrix_latex(HIDDEN, "ufldl", shapes=True, layout=layout)
        first = re.search(r"\\left\( (.*) \\right\)|\(\\underset(.*)\) \\circ", shown)
        assert first is not None
        (_, rows), (columns, _) = re.findall(r"underset\{(\S+) \\times (\S+?)\}\{", r"\underset" + (first[1] or first[2]))
        assert rows == columns


@pytest.mark.deck("D2.15", "D2.16")
def test_norm_of_a_product():
    m, n = sizes("m n")
    i, j = indices("i j", m, n)
    q, x, W = Tensor("q", (i,)), Tensor("x", (j,), "input"), Tensor("W", (i, j), "input")
    grad_W, grad_x = Tensor("grad.W", (i, j), "cotangent"), Tensor("grad.x", (j,), "cotangent")
    r = Index("@0", m)
    naming = Naming(loss=Naming().of("f"))
    first, second = Equation(grad_W[i, j], 2 * q[i] * x[j]), Equation(grad_x[j], Sum(2 * W[r, j] * q[r], r))
    assert latex_equation(matrix(first), naming) == r"\nabla_W f = 2 q x^{\top}"
    assert latex_equation(matrix(second), naming) == r"\nabla_x f = 2 W^{\top} q"
    assert latex_equation(first, naming) == r"\frac{\partial f}{\partial W_{ij}} = 2 q_i x_j"
    assert latex_equation(second, naming) == r"\frac{\partial f}{\partial x_j} = \sum_{i=1}^m 2 W_{ij} q_i"


@pytest.mark.deck("D2.16")
def test_a_jacobian_has_a_row_for_each_entry_of_what_is_differentiated():
    m, n = sizes("m n")
    i, j = indices("i j", m, n)
    J, W = Tensor("d q/d x", (i, j), "cotangent"), Tensor("W", (i, j), "input")
    naming = Naming(ranks={"q": 1})
    equation = Equation(J[i, j], W[i, j])
    assert latex_equation(equation, naming) == r"\frac{\partial q_i}{\partial x_j} = W_{ij}"
    written = {layout: latex_equation(matrix(equation), naming, layout=layout, shapes=True) for layout in LAYOUTS}
    row = r"\underset{m \times n}{\frac{\partial q}{\partial x}} = \underset{m \times n}{W}"
    assert written["gradient"] == written["numerator"] == row
    assert written["denominator"] == r"\underset{n \times m}{\frac{\partial q}{\partial x}} = \underset{n \times m}{W^{\top}}"
    gradient = Equation(Tensor("d f/d x", (j,), "cotangent")[j], Tensor("g", (j,))[j])
    of_scalar = Naming(ranks={"f": 0})
    assert latex_equation(gradient, of_scalar) == r"\frac{\partial f}{\partial x_j} = g_j"
    assert latex_equation(matrix(gradient), of_scalar, layout="numerator") == r"\frac{\partial f}{\partial x} = g^{\top}"


M, K = sizes("m k")
i, j = indices("i j", M, K)
z, p, t = Tensor("z", (i,)), Tensor("p", (i,)), Tensor("t", (i,))
label = Tensor("y", (), integer=True)
r = Index("@0", M)
out = Tensor("out", (i,))


@pytest.mark.parametrize(
    ("rhs", "latex"),
    [
        (p[i] - t[i], "p_i - t_i"),
        (-(t[i] - p[i]), "p_i - t_i"),
        (p[i] - Indicator(sympy.Eq(i, label[()])), r"p_i - \mathbf{1}[i = y]"),
        (z[i] * Indicator(z[i] > 0), r"\max(0, z_i)"),
        (t[i] * Indicator(z[i] > 0), r"t_i \mathbf{1}[z_i > 0]"),
        (p[i] * (1 - p[i]), "p_i (1 - p_i)"),
        (1 - p[i] ** 2, "1 - p_i^2"),
        (-t[i] / p[i], r"-\frac{t_i}{p_i}"),
        (t[i] / (3 * p[i]), r"\frac{t_i}{3 p_i}"),
        (t[i] / 10, "0.1 t_i"),
        (t[i] / 3, r"\frac{1}{3} t_i"),
        (sympy.Rational(1, 10**5) * t[i], r"10^{-5} t_i"),
        (1 / (1 + sympy.exp(-z[i])), r"\frac{1}{1 + e^{-z_i}}"),
        (sympy.sqrt(p[i]), r"\sqrt{p_i}"),
        (Abs(z[i]), r"\lvert z_i \rvert"),
        (sympy.log(Sum(sympy.exp(z[r]), r)), r"\log\left( \sum_{j=1}^m e^{z_j} \right)"),
        ((z[i] - Sum(z[r], r) / M) ** 2, r"\left( z_i - \frac{1}{m} \sum_{j=1}^m z_j \right)^2"),
        (Sum(Sum(z[r] * p[i], r) * t[i], Index("@1", K)), None),
        (-Sum(t[r] * sympy.log(p[r]), r), r"-\sum_{j=1}^m t_j \log(p_j)"),
        (2 * Sum(t[r], r) * p[i], r"2 \left( \sum_{j=1}^m t_j \right) p_i"),
        (sympy.erf(z[i]) * sympy.pi, r"\pi \operatorname{erf}(z_i)"),
        (z[label[()]], "z_y"),
        (z[i] ** 3 * t[i] ** -2, r"\frac{z_i^3}{t_i^2}"),
    ],
)
def test_scalar_expressions_are_written_as_one_writes_them(rhs, latex):
    written = latex_equation(Equation(out[i], rhs))
    assert_sound(written)
    if latex is not None:
        assert written == rf"\mathrm{{out}}_i = {latex}"


def test_bound_names_never_clash_with_names_in_use():
    s = Index("@1", M)
    e = Equation(out[i], Sum(z[r] * Sum(p[s] * z[r], s), r) + Sum(t[s], s))
    written = latex_equation(e)
    assert "@" not in written and "~" not in written
    assert written.count(r"\sum_{j=1}^m") == 2 and written.count(r"\sum_{k=1}^m") == 1


def test_equal_names_of_different_sizes_are_told_apart():
    J = Tensor("J", (i, Index("i", K)))
    u = Tensor("u", (Index("i", K),))
    e = Equation(J[i, Index("i", K)], z[i] * u[Index("i", K)])
    assert latex_equation(e) == "J_{ij} = z_i u_j"


# --- all formulas of networks ----------------------------------------------------------------------------------------


def assert_sound(latex: str) -> None:
    check_latex(latex)
    assert latex.count(r"\left(") == latex.count(r"\right)")
    assert not re.search(r"[$#%&~@]", latex.replace(r"\_", ""))


def networks():
    yield Sequential([Input(3), Dense(4, activation="tanh"), Dense(2)], loss="softmax_cross_entropy")
    yield Sequential([Input(3), Dense(4), Activation("f"), Dense(2, activation=Activation("f"))], loss="half_squared_error")
    yield Sequential([Input("n_1"), Dense("n_2", activation="sigmoid"), Dense("n_3", activation="softmax")], loss="cross_entropy")
    x = Input(3)
    h = Dense(3, activation="relu", name="hidden_layer")(x)
    yield Network(inputs=x, outputs=Dense(1)(x + h), loss="huber")
    left, right = Input(2), Input(2)
    yield Network(inputs=(left, right), outputs=Dense(2)(left * right), loss="multiclass_hinge")


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("per", ["sample", "batch"])
def test_every_preset_prints_every_formula_of_a_network(preset, per):
    for net in networks():
        model = lower(net.spec, per=per)
        naming = network_naming(model)
        for equation in model.system.equations:
            written = {latex_equation(equation, naming, notation=preset)}
            form = matrix_form(equation)
            if form is not None:
                for layout in LAYOUTS:
                    written |= {latex_equation(form, naming, notation=preset, layout=layout, shapes=shapes) for shapes in (True, False)}
                plain_equation(form, naming, notation=preset, shapes=True)
            for latex in written:
                assert_sound(latex)
            assert "\n" not in plain_equation(equation, naming, notation=preset)


def test_layers_of_a_chain_are_numbered_and_others_named():
    chain, _, _, residual, _ = networks()
    model = lower(chain.spec, per="sample")
    assert latex_equation(model.system.equations[0], network_naming(model)) == r"z_i^{(2)} = \sum_{j=1}^3 W_{ij}^{(1)} x_j + b_i^{(1)}"
    model = lower(residual.spec, per="sample")
    first = latex_equation(model.system.equations[0], network_naming(model))
    assert first.startswith(r"z_i^{(\mathrm{hidden\_layer})} = ")


def test_a_batch_has_capital_letters():
    model = lower(next(networks()).spec)
    form = matrix_form(model.system.equations[0])
    assert form is not None
    assert latex_equation(form, network_naming(model)) == r"Z^{(2)} = X (W^{(1)})^{\top} + \mathbf{1} (b^{(1)})^{\top}"


def test_two_unspecified_functions_keep_apart():
    net = Sequential([Input(3), Dense(4, activation=Activation("g")), Dense(2, activation=Activation("o"))], loss="half_squared_error")
    model = lower(net.spec, per="sample")
    naming = network_naming(model)
    hidden, output = (model.system.equations[k] for k in (1, 3))
    assert latex_equation(output, naming, notation="larochelle") == r"h_i^{(3)} = o(a_i^{(3)})"
    assert latex_equation(hidden, naming, notation="ufldl") == r"a_i^{(2)} = g(z_i^{(2)})"
    assert latex_equation(output, naming, notation="ufldl") == r"a_i^{(3)} = o(z_i^{(3)})"


def test_unknown_notation_and_layout_are_refused():
    with pytest.raises(DeclarationError, match="did you mean 'ufldl'"):
        index_form(HIDDEN, "ufdl")
    with pytest.raises(DeclarationError, match="layout"):
        matrix_latex(HIDDEN, "ufldl", layout="sideways")


def test_sizes_without_a_layer_are_the_users_own():
    e = Equation(Tensor("u", (Index("i", ABOVE),)).own, Sum(Tensor("v", (Index("i", ABOVE),))[Index("@0", ABOVE)], Index("@0", ABOVE)))
    assert latex_equation(e) == r"u_i = \sum_{j=1}^{n_k} v_j"


@pytest.mark.parametrize("form", ["index", "matrix"])
def test_a_number_before_an_indicator_does_not_run_into_its_1(form):
    net = Sequential([Input(3), Dense(4, activation="leaky_relu"), Dense(2)], loss="half_squared_error", name="leaky")
    written = net.derive(per="sample").error_terms["dense_1"].latex(form=form)
    assert r"0.1 \cdot \mathbf{1}[" in written
    assert not re.search(r"\d \\mathbf\{1\}", written)
