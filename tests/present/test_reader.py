"""The reader of formulas: what is read, what it is worth, what is said where it goes wrong."""

from __future__ import annotations

import string

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symbackprop as sbp
from symbackprop.errors import DeclarationError, ShapeError
from symbackprop.present.document.subset import KNOWN
from symbackprop.present.reader import bindings, check_claim, evaluate, read
from symbackprop.present.reader.tree import (
    Bracket,
    Call,
    Fraction,
    Gradient,
    Group,
    Hadamard,
    Number,
    Partial,
    Power,
    Product,
    Reduction,
    Sum,
    Symbol,
    Transpose,
    walk,
)

random = np.random.default_rng(11)
W, U, x, y, b = (random.normal(size=s) for s in ((3, 4), (2, 3), 4, 3, 3))
A, B = random.normal(size=(3, 3)), random.normal(size=(3, 3))
VALUES = {"W": W, "U": U, "x": x, "y": y, "b": b, r"\eta": 0.1, "g": np.tanh, "A": A, "B": B, "c": 2.5}


def value(latex: str, values=VALUES, **numbers):
    (found,) = evaluate(read(latex), bindings(values), **numbers)
    return found


def side(latex: str):
    return read(latex).chains[0].sides[0]


# --- trees ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("latex", "kind"),
    [
        ("x", Symbol),
        ("3.5", Number),
        ("x + y", Sum),
        ("-x", Sum),
        ("W x", Product),
        (r"x \cdot y", Product),
        (r"x \circ y", Hadamard),
        (r"x \bullet y", Hadamard),
        ("W^T", Transpose),
        (r"W^{\top}", Transpose),
        (r"W^{\mathsf{T}}", Transpose),
        (r"W^{\mathrm{T}}", Transpose),
        (r"(W^{(2)})^{\top}", Transpose),
        (r"W^{(2)\top}", Transpose),
        (r"\frac{x}{y}", Fraction),
        ("(x)", Group),
        ("(x)^2", Power),
        (r"\tanh(x)", Call),
        (r"\log x", Call),
        (r"\operatorname{softmax}(x)", Call),
        (r"\sum_{j=1}^3 x_j", Reduction),
        (r"\sum_j x_j", Reduction),
        (r"\max_{i} x_i", Reduction),
        (r"\operatorname*{argmax}_{i} x_i", Reduction),
        (r"\mathbf{1}[i = j]", Bracket),
        (r"\mathbf{1}_{i=j}", Bracket),
        (r"[i \le j]", Bracket),
        (r"\nabla_{W^{(1)}} L", Gradient),
        (r"\frac{\partial L}{\partial W}", Partial),
        (r"\frac{d\sigma(x)}{dx}", Partial),
        (r"\frac{\mathrm{d} f}{\mathrm{d} x}", Partial),
        (r"\partial L / \partial W", Partial),
    ],
)
def test_what_is_written_is_what_is_read(latex, kind):
    assert isinstance(side(latex), kind)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (r"\left( x + y \right)", "(x+y)"),
        (r"W\,x", "W x"),
        (r"\lVert x \rVert", r"\| x \|"),
        (r"||x||", r"\| x \|"),
        (r"\dfrac12", r"\frac{1}{2}"),
        (r"x_12", r"x_1 2"),
        (r"a \leq b", r"a \le b"),
        (r"$W x$", "W x"),
        (r"\[ W x \]", "W x"),
        (r"\begin{aligned} a &= b \\ &= c \end{aligned}", "a = b = c"),
        (r"W \longleftarrow W", r"W \leftarrow W"),
        (r"\ln x", r"\log x"),
        (r"{x}", "x"),
    ],
)
def test_spellings_of_one_formula(one, other):
    assert read(one).chains == read(other).chains


def test_every_node_knows_where_it_stands():
    formula = read(r"\delta^{(2)} = \left( W^{\top} \delta^{(3)} \right) \circ g'(z)")
    texts = [formula.text(n) for n in walk(formula.chains[0].sides[1])]
    assert r"\left( W^{\top} \delta^{(3)} \right)"[6:-7] in texts[1] and r"W^{\top} \delta^{(3)}" in texts


def test_rows_go_on_and_commas_begin_anew():
    assert [len(c.sides) for c in read(r"a &= b && \text{rule, with a comma} \\ &= c \\ d &= e").chains] == [3, 2]
    assert [len(c.sides) for c in read(r"\frac{\partial q}{\partial x} = 1, \quad \frac{\partial q}{\partial y} = 1").chains] == [2, 2]


# --- values ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        ("W x + b", W @ x + b),
        ("W^T y", W.T @ y),
        (r"y x^T", np.outer(y, x)),
        (r"y \otimes x", np.outer(y, x)),
        (r"y \circ b \circ b", y * b * b),
        (r"y \oslash b", y / b),
        (r"1 - y \circ y", 1 - y * y),
        (r"\eta W", 0.1 * W),
        (r"2 \eta c", 0.5),
        (r"\frac{1}{2} \lVert y - b \rVert^2", 0.5 * np.sum((y - b) ** 2)),
        (r"\| W \|_F^2", np.sum(W**2)),
        (r"\lVert y \rVert_1", np.sum(np.abs(y))),
        (r"y^T b", y @ b),
        (r"\frac{y}{y^T b}", y / (y @ b)),
        (r"g(W x)", np.tanh(W @ x)),
        (r"g'(y)", 1 - np.tanh(y) ** 2),
        (r"\tanh^2(c)", np.tanh(2.5) ** 2),
        (r"\tanh(c)^2", np.tanh(2.5) ** 2),
        (r"g(c)^2", np.tanh(2.5) ** 2),
        (r"\sigma(c)", 1 / (1 + np.exp(-2.5))),
        (r"\max(0, y)", np.maximum(y, 0)),
        (r"U \max(0, W x)", U @ np.maximum(W @ x, 0)),
        (r"\operatorname{diag}(y) b", y * b),
        (r"(\operatorname{diag}(y) - y y^T) b", y * b - y * (y @ b)),
        (r"(A - I) y", A @ y - y),
        (r"(A + c I) y", A @ y + 2.5 * y),
        (r"\mathbf{1}^T y", np.sum(y)),
        (r"W x \mathbf{1}^T x", W @ x * np.sum(x)),
        (r"e^{-c}", np.exp(-2.5)),
        (r"\frac{1}{1 + e^{-c}}", 1 / (1 + np.exp(-2.5))),
        (r"\sqrt{c} + |-c|", np.sqrt(2.5) + 2.5),
        (r"2^3", 8.0),
        (r"-c^2", -6.25),
        (r"c / 2 \cdot 3", 3.75),
        (r"1.5 \cdot 10^{-3}", 0.0015),
        (r"\sum_{i=1}^3 y_i", np.sum(y)),
        (r"\sum_{i=1}^2 y_i", np.sum(y[:2])),
        (r"\sum_{i \ne 2} y_i", y[0] + y[2]),
        (r"\prod_i y_i", np.prod(y)),
        (r"\sum_{i,j} W_{ij}", np.sum(W)),
        (r"\log \sum_j e^{x_j}", np.log(np.sum(np.exp(x)))),
        (r"\max_j x_j", np.max(x)),
        (r"\operatorname*{argmax}_j x_j", np.argmax(x) + 1),
        (r"y_2 + W_{13} + W_{1,3}", y[1] + 2 * W[0, 2]),
        (r"(W x)_2", (W @ x)[1]),
        (r"\operatorname{softmax}(y)", np.exp(y) / np.sum(np.exp(y))),
        (r"\begin{bmatrix} 1 & 2 \\ 3 & 4 \\ 5 & 6 \end{bmatrix}", np.array([[1, 2], [3, 4], [5, 6]])),
        (r"W_{\cdot 2}", W[:, 1]),
        (r"\underbrace{W x}_{\text{linear}} + b", W @ x + b),
        (r"\boxed{c}", 2.5),
        (r"\underset{3 \times 4}{W} \underset{4 \times 1}{x}", W @ x),
        (r"\mathbf{W}\mathbf{x}", W @ x),
    ],
)
def test_values(latex, expected):
    found = value(latex)
    expected = np.asarray(expected)
    np.testing.assert_allclose(found[..., 0] if found.ndim == expected.ndim + 1 else found.reshape(expected.shape), expected, rtol=1e-9)


def test_free_indices_run_over_the_entries_and_fixed_ones_do_not():
    left, right = evaluate(read(r"W_{ij} = W_{ij} x_j + b_i - b_i"), bindings(VALUES))
    np.testing.assert_array_equal(left, W)
    np.testing.assert_allclose(right, W * x)
    left, _ = evaluate(read(r"W_{ij} = 1"), bindings(VALUES), i=2)
    np.testing.assert_array_equal(left, W[1])


def test_layers_are_reckoned():
    values = {"a^{(2)}": x, "a^{(3)}": y, "W^{(2)}": W}
    left, right = evaluate(read(r"a^{(l+1)} = W^{(l)} a^{(l)}"), bindings(values), l=2)
    np.testing.assert_array_equal(left[:, 0], y)
    np.testing.assert_allclose(right[:, 0], W @ x)


def test_definitions_are_differentiated():
    values = {"W": W, "x": x, "q": "W x", "f": r"\lVert q \rVert^2"}
    for claim in (
        r"\frac{\partial f}{\partial q_i} = 2 q_i",
        r"\nabla_q f = 2 q",
        r"\frac{\partial q_k}{\partial W_{i,j}} = \mathbf{1}_{k=i} \cdot x_j",
        r"\frac{\partial f}{\partial W_{ij}} = \sum_k \frac{\partial f}{\partial q_k} \frac{\partial q_k}{\partial W_{ij}} = 2 q_i x_j",
        r"\nabla_W f = 2 q \cdot x^T",
        r"\nabla_x f = 2 W^T \cdot q",
        r"\frac{\partial q}{\partial x} = W",
    ):
        assert check_claim(claim, bindings(values)), claim


def test_a_switch_hides_what_does_not_exist():
    values = {"x": x, "w": np.array([1.0, 2.0]), "z": np.array([x[0] * 1.0, x[1] + 2 * x[0], x[2] + 2 * x[1], x[3] + 2 * x[2]])}
    assert check_claim(r"z_i = \sum_{k=1}^2 \mathbf{1}[1 \le i - k + 1] w_k x_{i-k+1}", bindings(values))


# --- errors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("latex", "message"),
    [
        ("", "nothing to read"),
        ("x +", "column 4: a number, a symbol or a parenthesis expected, but it ends here"),
        ("(x", "column 3: \\) expected, but it ends here"),
        ("x)", "column 2: the end of the formula expected, found \\)"),
        ("{x", "column 3: } expected"),
        ("x}", "column 2: the end of the formula expected, found }"),
        (r"\frac{1}", "column 9"),
        (r"\input{/etc/passwd}", r"column 1: .* found \\input"),
        (r"\write18{ls}", r"found \\write"),
        (r"x \foo y", r"column 3: .* found \\foo"),
        (r"x^2^3", "one thing above and one below"),
        (r"x_i_j", "one thing above and one below"),
        (r"\sum x", "the index below"),
        (r"x % y", "% cannot stand"),
        ("é", "is not ASCII"),
        (r"\begin{document}", "environment"),
        (r"\frac{\partial^2 L}{\partial x}", "a first derivative"),
        ("= x", "something before the relation"),
        (r"\sqrt[3]{x}", "without a degree"),
        (r"\left( x \right", "column"),
        (r"\tanh", "an argument"),
        (r"\sum_{2}^3 x", "a symbol"),
    ],
)
def test_what_is_no_formula_is_refused_with_the_place(latex, message):
    with pytest.raises(DeclarationError, match=message) as caught:
        read(latex)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("piece", ["(", "{", r"\frac{", "x^{", "-(", r"\tanh(", r"\sqrt{", r"\sum_{i=", r"\left(", "|x+", r"\hat{", "f_{"])
@pytest.mark.parametrize("count", [100, 20_000])
def test_deep_nesting_is_refused_and_no_crash(piece, count):
    with pytest.raises(DeclarationError):
        read((piece * count)[:99_000])


@pytest.mark.parametrize("piece", ["x", "x+", "-", "x_i^2 ", r"\alpha ", "1", "x=", r"\log ", r"\sum_i ", "'", r"\partial x/", r"\nabla "])
def test_long_inputs_are_read_or_refused(piece):
    text = (piece * 60_000)[:60_000]
    try:
        read(text)
    except DeclarationError as e:
        assert len(str(e)) < 300


def test_too_long_is_refused():
    with pytest.raises(DeclarationError, match="too many"):
        read("x" * 100_001)


@pytest.mark.parametrize(
    ("latex", "message"),
    [
        ("W y", "W y: 3×4 times 3"),
        ("W W", "W W: 3×4 times 3×4; an elementwise product needs a sign"),
        ("x b", "x b: 4 times 3; an outer product needs a transpose"),
        (r"x \circ b", r"x \\circ b: 4 elementwise times 3"),
        ("x + b", r"x \+ b: 4 plus 3"),
        ("b + W x + x", r"4"),
        (r"b + c", "3 plus 1"),
        (r"\sum_{j=1}^5 x_j", "the index j|j runs from 1 to 5, but the first index of x"),
        ("y_4", "the index is 4, but the first index of y"),
        ("x^{W}", "3×4 is no scalar"),
        (r"\frac{W}{x}", "3×4 divided by 4"),
        (r"\operatorname{diag}(W)", "one vector"),
        (r"\underset{4 \times 3}{W}", "W: 3×4, but 4×3 stands below it"),
        (r"x_{ij}", "no value|axes"),
    ],
)
def test_wrong_shapes_are_named(latex, message):
    with pytest.raises((ShapeError, DeclarationError), match=message):
        value(latex)


@pytest.mark.parametrize(
    ("latex", "message"),
    [
        ("q + 1", r"column 1: q has no value \(known: W, U, x"),
        (r"\delta^{(3)}", r"\\delta\^\{\(3\)\} has no value"),
        ("g + 1", "g is a function"),
        (r"c + \dots + c", r"\\dots has no value"),
        (r"\operatorname{foo}(x)", "the function foo is unknown"),
        (r"\sum_k c", "nothing says over which values k runs"),
        (r"\sum_{k=1}^{1000000000} c", "too many"),
        (r"\frac{\partial c}{\partial x}", "how c depends on x is not known"),
        ("y_{1.5}", "no whole number"),
    ],
)
def test_what_has_no_value_is_named(latex, message):
    with pytest.raises(DeclarationError, match=message):
        value(latex)


def test_indices_that_lead_to_too_much_are_refused():
    many = " ".join(f"x_{{{letter}}}" for letter in string.ascii_lowercase if letter not in "wuxybgce")
    with pytest.raises(DeclarationError, match=r"together lead to more than|too many"):
        check_claim(f"{many} = 1", bindings(VALUES))


# --- claims ---------------------------------------------------------------------------------------------------------


def test_the_sign_between_matrices_is_what_the_shapes_allow_and_that_is_said():
    values = {"w": W, "d": y, "a": x, "r": (W.T @ y) * x}
    claim = check_claim(r"r = w^T \cdot d \cdot a", bindings(values))
    assert claim.holds and len(claim.notes) == 2
    assert "the matrix product in w^T \\cdot d" in claim.notes[0] and "the elementwise product" in claim.notes[1]


def test_what_holds_in_one_reading_only_is_ambiguous():
    for product in (A @ B, A * B):
        claim = check_claim(r"C = A \cdot B", bindings({"A": A, "B": B, "C": product}))
        assert not claim.holds and claim.kind == "ambiguous"
    assert check_claim(r"C = A B", bindings({"A": A, "B": B, "C": A @ B})).kind == "equal"


def test_a_decimal_number_is_rounded():
    assert check_claim(r"\frac{1}{3} = 0.33", bindings({}))
    assert not check_claim(r"\frac{1}{3} = 0.34", bindings({}))
    assert not check_claim(r"\frac{1}{3} = 0", bindings({}))


def test_a_difference_says_where():
    claim = check_claim(r"W_{ij} = W_{ij} + \mathbf{1}[i = 2] \mathbf{1}[j = 3]", bindings({"W": W}))
    assert claim.kind == "difference" and "(i = 2, j = 3)" in claim.message and claim.worst == pytest.approx(1.0)


def test_slashes_divide_by_one_factor_and_that_is_said():
    claim = check_claim(r"c / 2 c = \frac{c}{2 c}", bindings({"c": 2.5}))
    assert not claim.holds and any("divides by" in note for note in claim.notes)


def test_labels_under_braces_are_checked():
    values = {"W": W, "x": x, "z": W @ x, "a": np.tanh(W @ x)}
    assert check_claim(r"a = \tanh(\underbrace{W x}_{z})", bindings(values))
    assert not check_claim(r"a = \tanh(\underbrace{W x}_{a})", bindings(values))


def test_a_formula_that_claims_nothing_is_refused():
    with pytest.raises(DeclarationError, match="nothing is claimed"):
        check_claim("W x", bindings(VALUES))


@pytest.mark.parametrize("values", [{"x": "x + 1"}, {"x": "y", "y": "x"}])
def test_definitions_in_a_circle_are_refused(values):
    with pytest.raises(DeclarationError, match="defined by itself"):
        check_claim("x = 1", bindings(values))


@pytest.mark.parametrize("key", ["", "x + y", "(", "2", r"\input{x}", 3])
def test_keys_that_are_no_symbols_are_refused(key):
    with pytest.raises(DeclarationError):
        bindings({key: 1.0})


@pytest.mark.parametrize("given", [None, object(), [1, "a"], {"a": 1}, b"x", 1j])
def test_values_that_are_no_values_are_refused(given):
    with pytest.raises(DeclarationError):
        bindings({"x": given})


# --- anything -------------------------------------------------------------------------------------------------------

PIECES = [
    *[f"\\{word}" for word in sorted(KNOWN)],
    *"{}()[]^_&|,;=+-*/<>'.:! 0123456789",
    *"abcdefWxyzLT",
    r"\\",
    r"\|",
    r"\{",
    r"\}",
    r"\,",
    r"\frac{x}{y}",
    r"W^{(2)}",
    r"\sum_{j=1}^3 ",
    r"x_{ij}",
    r"\frac{\partial L}{\partial W}",
    r"\begin{bmatrix}",
    r"\end{bmatrix}",
    "\n",
    "é",
    "\0",
]


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_anything_is_read_or_refused_in_one_line(latex):
    try:
        formula = read(latex)
    except DeclarationError as e:
        assert "\n" not in str(e).replace(latex, "")
        return
    known = bindings({**VALUES, "L": 1.0, "d": x, "z": y, "f": np.tanh, "a": 0.5, "T": 2.0, "y": y})
    try:
        check_claim(formula, known)
    except (DeclarationError, ShapeError):
        pass


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_any_text_is_read_or_refused(latex):
    try:
        read(latex)
    except DeclarationError:
        pass


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 4))
def test_random_formulas_are_worth_what_they_were_made_of(seed, depth):
    """Formulas are written beside the same computation in NumPy."""
    r = np.random.default_rng(seed)
    values = {"W": W, "U": U, "x": x, "y": y, "b": b}

    def vector(size: int, deep: int) -> tuple[str, np.ndarray]:
        leaves = {4: [("x", x)], 3: [("y", y), ("b", b)], 2: []}[size]
        kinds = [*(["leaf"] * bool(leaves)), *(["map", "sum", "times", "scale", "minus"] if deep else [])] or ["map"]
        kind = str(r.choice(kinds))
        if kind == "leaf":
            return leaves[int(r.integers(len(leaves)))]
        if kind == "map" and size != 4:
            name, matrix, inner = {3: ("W", W, 4), 2: ("U", U, 3)}[size]
            text, array = vector(inner, max(deep - 1, 0))
            return f"{name} {closed(text)}", matrix @ array
        if kind == "map":
            text, array = vector(3, deep - 1)
            return f"W^{{\\top}} {closed(text)}", W.T @ array
        left, a = vector(size, deep - 1)
        right, c = vector(size, deep - 1)
        if kind == "sum":
            return f"{left} + {right}", a + c
        if kind == "times":
            return f"{closed(left)} \\circ {closed(right)}", a * c
        if kind == "scale":
            return f"\\frac{{1}}{{2}} \\tanh({left})", 0.5 * np.tanh(a)
        return f"{left} - {closed(right)}", a - c

    def closed(text: str) -> str:
        return text if len(text) == 1 else rf"\left( {text} \right)"

    text, expected = vector(int(r.choice([3, 4, 2])), depth)
    np.testing.assert_allclose(value(text, values)[:, 0], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("flip", [False, True])
def test_the_formulas_of_a_convolution_are_read_back(padding, flip):
    # Places are counted from 0 there, and outside of the image everything is 0.
    layers = [sbp.Input((2, 5, 6)), sbp.Conv2D(3, (3, 2), padding=padding, flip=flip), sbp.Flatten(), sbp.Dense(2)]
    net = sbp.Sequential(layers, loss="half_squared_error")
    g = net.derive(per="sample")
    shown = [line for line in g.latex(form="index").split("\n") if line.startswith("z_{kpq}")]
    shown += [g.gradients[name].latex(form="index") for name in ("conv2d_1.W", "conv2d_1.b", "x")]
    assert len(shown) == 4
    for formula in shown:
        claim = sbp.check_claim(formula, net)
        assert claim.holds, f"{formula}: {claim}"
    assert not sbp.check_claim(shown[1].replace("+u", "+2 u").replace("-u", "-2 u"), net).holds
