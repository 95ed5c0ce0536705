"""Formulas of the decks that are wrong, as the decks print them: what is said of them, and that the right ones hold."""

from __future__ import annotations

import numpy as np
import pytest

import symbackprop as sbp
from symbackprop.errors import DeclarationError
from symbackprop.present.reader import bindings

random = np.random.default_rng(3)


def network(*sizes, loss="half_squared_error", last="sigmoid"):
    hidden = [sbp.Dense(n, activation="sigmoid") for n in sizes[1:-1]]
    return sbp.Sequential([sbp.Input(sizes[0]), *hidden, sbp.Dense(sizes[-1], activation=last)], loss=loss)


@pytest.fixture(scope="module")
def net():
    return network(3, 4, 2)


@pytest.fixture(scope="module")
def deep():
    return network(3, 5, 4, 2)


def wrong(latex, *more, kind, says, **options):
    claim = sbp.check_claim(latex, *more, **options)
    assert not claim.holds and claim.kind == kind, claim
    assert says in str(claim), str(claim)
    return claim


def right(latex, *more, **options):
    claim = sbp.check_claim(latex, *more, **options)
    assert claim.holds and claim.kind == "equal", claim
    return claim


@pytest.mark.deck("E1")
def test_weights_from_i_to_j_beside_formulas_with_weights_from_j_to_i(deep):
    printed = r"\delta_i^{(l)} = \left(\sum_{j=1}^{s_{l+1}} W_{ij}^{(l)} \delta_j^{(l+1)} \right) f'(z_i^{(l)})"
    wrong(printed, deep, kind="shape error", says=r"in W_{ij}^{(l)}, but from 1 to")
    right(printed.replace("W_{ij}", "W_{ji}"), deep)
    # For a square matrix nothing but the values tells.
    square = network(4, 4, 4, 4)
    wrong(printed, square, kind="difference", says="for l = 2")
    right(printed.replace("W_{ij}", "W_{ji}"), square)
    # The other way to mend it: keep W_ij, and let all formulas be about weights from i to j.
    other = sbp.notation("ufldl").__class__(**{**vars(sbp.notation("ufldl")), "name": "text", "weight_index": "source first"})
    right(printed, deep, notation=other)
    right(r"\delta^{(l)} = (W^{(l)} \delta^{(l+1)}) \circ f'(z^{(l)})", deep, notation=other)
    right(r"\nabla_{W^{(l)}} L = a^{(l)} (\delta^{(l+1)})^T", deep, notation=other)
    wrong(r"\delta^{(l)} = ((W^{(l)})^T \delta^{(l+1)}) \circ f'(z^{(l)})", deep, notation=other, kind="shape error", says="times")


@pytest.mark.deck("E3")
def test_mean_square_error_without_the_index():
    values = {"x": random.normal(size=6), r"\theta": 0.7, "M": 6.0, "f^*": np.tanh, "f": np.sin}
    loss = float(np.mean((np.tanh(values["x"]) - np.sin(values["x"])) ** 2))
    values["Loss_{MSE}"] = loss
    printed = r"Loss_{MSE} = \frac{1}{M} \sum_{i=1}^M (f^*(x) - f(x; \theta))^2"
    wrong(printed, values, kind="shape error", says="the sum over i has no i in (f^*(x) - f(x; \\theta))^2")
    right(r"Loss_{MSE} = \frac{1}{M} \sum_{i=1}^M (f^*(x_i) - f(x_i; \theta))^2", values)


@pytest.mark.deck("E4")
def test_a_layer_without_parentheses_is_still_read(net):
    right(r"\nabla_{W^{(l)}} L(W, b; x, y) = \delta^{l+1} (a^{(l)})^T", net)
    right(r"\nabla_{b^{(l)}} L(W, b; x, y) = \delta^{l+1}", net)


@pytest.mark.deck("E9")
def test_outer_product_written_as_an_elementwise_one(net):
    wrong(
        r"\frac{\partial L}{\partial W_k} = \delta_{k+1} \bullet h_k",
        net,
        notation="larochelle",
        kind="shape error",
        says=r"\delta_{k+1} \bullet h_k: 4 elementwise times 3; an outer product needs a transpose",
    )
    right(r"\frac{\partial L}{\partial W_k} = \delta_{k+1} h_k^T", net, notation="larochelle")
    right(r"\frac{\partial L}{\partial b_k} = \delta_{k+1}", net, notation="larochelle")


@pytest.mark.deck("E10")
def test_elementwise_slope_of_softmax():
    softmax = network(3, 5, 4, loss="cross_entropy", last="softmax")
    printed = r"\delta_K = \frac{\partial L}{\partial h_K} \bullet o'(a_K)"
    wrong(printed, softmax, notation="larochelle", kind="difference", says="entry")
    right(r"\delta_K = (\operatorname{diag}(h_K) - h_K h_K^T) \frac{\partial L}{\partial h_K} = h_K - y", softmax, notation="larochelle")
    # It is right where the output works entry by entry, as the deck has it for g.
    right(printed, network(3, 5, 4), notation="larochelle")


@pytest.mark.deck("E10")
def test_the_numbers_of_the_softmax_example():
    p = np.array([0.226, 0.175, 0.378, 0.221])
    target = np.array([0.0, 1.0, 0.0, 0.0])
    a = np.array([0.1257, -0.1321, 0.6404, 0.1049])
    slopes = {"a": a, "y": target, "p": np.exp(a) / np.exp(a).sum()}
    slopes[r"\delta"] = slopes["p"] - target
    slopes[r"\frac{\partial L}{\partial p}"] = -target / slopes["p"]
    claim = wrong(r"\delta = \frac{\partial L}{\partial p} \bullet p \bullet (1 - p)", slopes, kind="difference", says="but")
    assert claim.worst == pytest.approx(p[2], abs=5e-4)
    right(r"\delta = (\operatorname{diag}(p) - p p^T) \frac{\partial L}{\partial p}", slopes)


@pytest.mark.deck("E12")
def test_weight_decay_by_the_absolute_value():
    weights, gradient, eta, decay = random.normal(size=(3, 4)), random.normal(size=(3, 4)), 0.1, 0.01
    values = {"W": weights, r"\frac{\partial L}{\partial W}": gradient, r"\eta": eta, r"\lambda": decay}
    step = r"\mathbf{W} \leftarrow \mathbf{W} - \eta \frac{\partial L}{\partial \mathbf{W}}"
    known = bindings(values, after={"W": weights - eta * gradient - eta * decay * weights})
    from symbackprop.present.reader import check_claim

    claim = check_claim(rf"{step} - \lambda |\mathbf{{W}}|", known)
    assert not claim.holds and claim.kind == "difference"
    assert any("absolute value of each entry" in note for note in claim.notes)
    assert check_claim(rf"{step} - \eta \lambda \mathbf{{W}}", known)
    decoupled = bindings(values, after={"W": weights - eta * gradient - decay * weights})
    assert check_claim(rf"{step} - \lambda \mathbf{{W}}", decoupled)


SCORES = {"s": np.array([3.2, 5.1, -1.7]), "y": np.array([1.0])}


@pytest.mark.deck("E13")
def test_hinge_loss_summed_over_the_wrong_index():
    values = {**SCORES, "L": np.array([2.9])}
    wrong(r"L_i = \sum_{i \neq y_i} \max(0, s_j - s_{y_i} + 1)", values, kind="shape error", says="did you mean a sum over j?")
    right(r"L_i = \sum_{j \neq y_i} \max(0, s_j - s_{y_i} + 1)", values)


@pytest.mark.deck("E14")
def test_class_k_that_is_no_class():
    values = {**SCORES, "L": np.array([2.0403552])}
    printed = r"L_i = -\log \left( \frac{e^{s_k}}{\sum_j e^{s_j}} \right)"
    wrong(printed, values, kind="shape error", says="the index k stands free")
    right(printed.replace("s_k", "s_{y_i}"), values)
    with pytest.raises(DeclarationError, match="P has no value"):
        sbp.check_claim(r"L_i = -\log P(Y = k | X = x_i)", values)


@pytest.mark.deck("E15")
def test_slope_of_the_sigmoid_with_the_wrong_sign():
    claim = wrong(
        r"\frac{d\sigma}{dx} = \frac{e^{-x}}{(1 + e^x)^2} = \left(\frac{1 + e^{-x} - 1}{1 + e^{-x}}\right) "
        r"\left(\frac{1}{1 + e^{-x}}\right) = (1 - \sigma(x))\sigma(x)",
        {"x": 1.0},
        kind="difference",
        says=r"\frac{d\sigma}{dx} is 0.196612, but \frac{e^{-x}}{(1 + e^x)^2} is 0.0266",
    )
    assert claim.message.endswith("at x = 1")
    right(
        r"\frac{d\sigma(x)}{dx} = \frac{e^{-x}}{(1 + e^{-x})^2} = \left(\frac{1 + e^{-x} - 1}{1 + e^{-x}} \right) "
        r"\left(\frac{1}{1 + e^{-x}} \right) = (1 - \sigma(x)) \sigma(x)",
        {"x": 1.0},
    )


@pytest.mark.deck("E16")
def test_a_quotient_for_a_product():
    wrong(r"\frac{0.73}{1 - 0.73} \cdot 1 = 0.2", {}, kind="difference", says="2.7")
    right(r"0.73 (1 - 0.73) = 0.2", {})


@pytest.mark.deck("E19")
def test_rounded_factors_multiplied():
    wrong(r"(e^{-1})(-0.53) = -0.20", {}, kind="difference", says="-0.194976")
    right(r"-\frac{e^{-1}}{(1 + e^{-1})^2} = -0.20", {})


@pytest.mark.deck("E21", "E22")
def test_one_sign_for_two_products_and_a_bias_without_an_error(net):
    printed = r"\delta^{(2)} = (w^{(2)})^T \cdot \delta^{(3)} \cdot (a^{(2)} \cdot (1 - a^{(2)}))"
    # With the bias in column 0, what comes back has one entry too many.
    claim = wrong(printed, net, notation="ng", kind="shape error", says="4 on the left, 5 on the right")
    assert sum("is read as the" in note for note in claim.notes) >= 2
    right(r"\delta^{(2)} = ((\bar{w}^{(2)})^T \delta^{(3)}) \circ \bar{a}^{(2)} \circ (1 - \bar{a}^{(2)})", net, notation="ng")
    right(r"\frac{\partial E}{\partial w_{ij}^{(l)}} = \delta_i^{(l+1)} a_j^{(l)}", net, notation="ng")
    right(r"\frac{\partial E}{\partial w_{i0}^{(l)}} = \delta_i^{(l+1)}", net, notation="ng")


@pytest.mark.deck("E21")
def test_the_sign_is_two_products_where_the_bias_is_apart(net):
    claim = right(r"\delta^{(2)} = (W^{(2)})^T \cdot \delta^{(3)} \cdot (a^{(2)} \cdot (1 - a^{(2)}))", net)
    kinds = {word for note in claim.notes for word in ("matrix product", "elementwise product") if f"the {word} in" in note}
    assert kinds == {"matrix product", "elementwise product"}
    assert not right(r"\delta^{(2)} = ((W^{(2)})^T \delta^{(3)}) \circ a^{(2)} \circ (1 - a^{(2)})", net).notes


@pytest.mark.deck("E26")
def test_a_slash_that_divides_by_half_of_the_denominator():
    theta = random.normal(size=4)
    values = {
        r"\theta": theta,
        "L": lambda t: np.sum(np.sin(t)),
        r"\epsilon": 1e-5,
        r"\mathbf{1}": np.eye(4),
        "G": np.cos(theta),
    }
    known = bindings(values)
    from dataclasses import replace

    from symbackprop.present.reader import check_claim

    known = replace(known, bound=tuple(replace(b, vector=True) if b.base == "L" else b for b in known.bound))
    quotient = r"G_p = (L(\theta + \mathbf{1}_p \epsilon) - L(\theta - \mathbf{1}_p \epsilon))/"
    claim = check_claim(quotient + r"2\epsilon", known, tolerance=1e-6)
    assert not claim.holds and claim.kind == "difference"
    assert any(r"divides by 2 alone" in note for note in claim.notes)
    assert check_claim(quotient + r"(2\epsilon)", known, tolerance=1e-6)


# --- and what they have right ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "latex",
    [
        r"\delta_i^{(n_l)} = -(y_i - a_i^{(n_l)}) \cdot f'(z_i^{(n_l)})",
        r"\delta^{(n_l)} = -(y - a^{(n_l)}) \circ f'(z^{(n_l)})",
        r"\delta^{(l)} = ((W^{(l)})^T \delta^{(l+1)}) \circ f'(z^{(l)})",
        r"\delta^{(l)} = \left((W^{(l)})^T \delta^{(l+1)} \right) \circ f'(z^{(l)})",
        r"z^{(2)} = W^{(1)}x + b^{(1)}",
        r"a^{(2)} = f(z^{(2)})",
        r"z^{(3)} = W^{(2)}a^{(2)} + b^{(2)}",
        r"a^{(3)} = f(z^{(3)})",
        r"L(\theta; x, y) = \frac{1}{2} \|a^{(3)} - y\|^2",
        r"L(\theta) = \frac{1}{M} \sum_{i=1}^M L(\theta; x^{(i)}, y^{(i)})",
        r"\nabla_{W^{(1)}} L(\theta) = \frac{1}{M} \sum_{i=1}^M \nabla_{W^{(1)}} L(\theta; x^{(i)}, y^{(i)})",
    ],
)
def test_the_first_deck(net, latex):
    right(latex, net)


@pytest.mark.parametrize(
    "latex",
    [
        r"\mathbf{a}^{(k+1)}(\mathbf{x}) = \mathbf{b}^{(k)} + \mathbf{W}^{(k)}\mathbf{h}^{(k)}(\mathbf{x})",
        r"\mathbf{h}^{(1)}(\mathbf{x}) = \mathbf{x}",
        r"\delta_K = \frac{\partial L}{\partial a_K}",
        r"\delta_K = \left( \frac{\partial h_K}{\partial a_K} \right)^T \frac{\partial L}{\partial h_K}",
        r"\delta_k = W_k^T \frac{\partial L}{\partial a_{k+1}} \bullet g'(a_k)",
        r"\delta_k = W_k^T \delta_{k+1} \bullet g'(a_k)",
    ],
)
def test_the_second_deck(net, latex):
    right(latex, net, notation="larochelle")


@pytest.mark.parametrize(
    "latex",
    [
        r"z_1^{(2)} = w_{10}^{(1)} + w_{11}^{(1)}x_1 + w_{12}^{(1)}x_2 + w_{13}^{(1)}x_3",
        r"a_1^{(2)} = g(\underbrace{w_{10}^{(1)}x_0 + w_{11}^{(1)}x_1 + w_{12}^{(1)}x_2 + w_{13}^{(1)}x_3}_{z_1^{(2)}})",
        r"\delta_j^{(l)} = \frac{\partial E}{\partial z_j^{(l)}}",
        r"\delta_1^{(3)} = (a_1^{(3)} - y_1) \cdot \underbrace{a_1^{(3)} \cdot (1 - a_1^{(3)})}_{\text{local gradient}}",
        r"\frac{\partial E}{\partial w_{11}^{(2)}} = \frac{\partial E}{\partial z_1^{(3)}} \frac{\partial z_1^{(3)}}{\partial w_{11}^{(2)}}"
        r" = \delta_1^{(3)} a_1^{(2)}",
        r"\frac{\partial E}{\partial w_{13}^{(1)}} = \delta_1^{(2)} x_3",
    ],
)
def test_the_fifth_deck(net, latex):
    right(latex, net, notation="ng")


def test_a_mean_that_is_none(net):
    for formula in (
        r"L(\theta) = \sum_{i=1}^M L(\theta; x^{(i)}, y^{(i)})",
        r"\nabla_{W^{(1)}} L(\theta) = \sum_{i=1}^M \nabla_{W^{(1)}} L(\theta; x^{(i)}, y^{(i)})",
        r"\nabla_{W^{(1)}} L(\theta) = \nabla_{W^{(1)}} L(\theta; x, y)",
    ):
        wrong(formula, net, kind="difference", says="but")


def test_one_of_several_weights_that_is_wrong(net):
    wrong(
        r"z_1^{(2)} = w_{10}^{(1)} + w_{11}^{(1)}x_1 + w_{21}^{(1)}x_2 + w_{13}^{(1)}x_3",
        net,
        notation="ng",
        kind="difference",
        says="at random values",
    )


# --- the door -------------------------------------------------------------------------------------------------------


def test_formulas_of_batches(net):
    right(r"\nabla_{W^{(2)}} L = (\Delta^{(3)})^T A^{(2)}", net)
    wrong(r"\nabla_{W^{(2)}} L = \Delta^{(3)} A^{(2)}", net, kind="shape error", says="5×2 times 5×4")


def test_given_values_of_a_sample_or_of_a_batch(net):
    values = {name: random.normal(size=value.shape) for name, value in net.init().items()}
    for x, y in ((np.ones(3), np.zeros(2)), (np.ones((7, 3)), np.zeros((7, 2)))):
        claim = sbp.check_claim(r"\nabla_{b^{(2)}} L = \delta^{(3)}", net, {**values, "x": x, "y": y})
        assert claim.holds and "given values" in claim.message
        assert sbp.check_claim(r"L = \frac{1}{M} \mathbf{1}^T \ell", net.derive(), {**values, "x": x, "y": y})


def test_symbolic_sizes_become_different_ones():
    layers = [sbp.Input("n_1"), sbp.Dense("n_2", activation="tanh"), sbp.Dense("n_3")]
    net = sbp.Sequential(layers, loss="half_squared_error")
    right(r"\delta^{(2)} = ((W^{(2)})^T \delta^{(3)}) \circ (1 - a^{(2)} \circ a^{(2)})", net)
    wrong(r"\delta^{(2)} = (W^{(2)} \delta^{(3)}) \circ (1 - a^{(2)} \circ a^{(2)})", net, kind="shape error", says="times")


def test_labels():
    layers = [sbp.Input(3), sbp.Dense(4, activation="tanh"), sbp.Dense(5)]
    net = sbp.Sequential(layers, loss="softmax_cross_entropy")
    right(r"\delta^{(3)} = p - y", net)
    right(r"\delta^{(3)} = p - e_y", net.derive(target="labels"))
    right(r"L = -\log p_y", net.derive(target="labels"))


def test_what_cannot_be_checked_is_refused(net):
    with pytest.raises(DeclarationError, match="Network"):
        sbp.check_claim("x = x", 3)
    with pytest.raises(DeclarationError, match="q has no value"):
        sbp.check_claim("q = x", net)
    with pytest.raises(DeclarationError, match="the input x has no value"):
        sbp.check_claim("x = x", net, {})
    with pytest.raises(DeclarationError, match="unknown notation"):
        sbp.check_claim("x = x", net, notation="nobody")
