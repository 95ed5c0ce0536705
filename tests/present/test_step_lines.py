"""Derivations on paper at three depths, single weights on demand, and the decks' own lines."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time

import numpy as np
import pytest

import symbackprop as sbp
from symbackprop.algebra import Equation, Sum, System, indices, sizes
from symbackprop.algebra.tensor import tensor
from symbackprop.errors import DeclarationError, DerivationError
from symbackprop.present.notation import notations


def latex(lines):
    return [line.latex for line in lines]


def chain(activation="f", *widths, loss="half_squared_error"):
    def f():
        return sbp.Activation("f") if activation == "f" else activation

    first, *rest = widths or (2, 3, 4, 5)
    return sbp.Sequential([sbp.Input(first), *(sbp.Dense(w, activation=f()) for w in rest)], loss=loss)


CENG = (3, 3, 3, 1)


@pytest.mark.deck("D1.10")
def test_four_chained_lines():
    recursion = chain().derive().recursion
    hidden = recursion.lines(notation="larochelle")[1]
    # Error terms are columns: the Jacobians stand transposed, in reverse.
    assert latex(hidden) == [
        r"\delta_k = \frac{\partial L}{\partial a_k}",
        r"= \left( \frac{\partial h_k}{\partial a_k} \right)^{\top} \left( \frac{\partial a_{k+1}}{\partial h_k} \right)^{\top} "
        r"\frac{\partial L}{\partial a_{k+1}}",
        r"= \left( W_k^{\top} \frac{\partial L}{\partial a_{k+1}} \right) \bullet g'(a_k)",
        r"= (W_k^{\top} \delta_{k+1}) \bullet g'(a_k)",
    ]
    assert [line.rule for line in hidden] == [
        "definition of the error term",
        "chain rule",
        "insert the local derivatives",
        "use the error term",
    ]
    assert [line.step for line in hidden] == [1, 2, 3, 4]
    # In numerator layout they read as on the slide, and δ is a row.
    rows = recursion.lines(notation="larochelle", layout="numerator")[1]
    assert latex(rows)[1:] == [
        r"= \frac{\partial L}{\partial a_{k+1}} \frac{\partial a_{k+1}}{\partial h_k} \frac{\partial h_k}{\partial a_k}",
        r"= \left( \frac{\partial L}{\partial a_{k+1}} W_k \right) \bullet g'(a_k)^{\top}",
        r"= (\delta_{k+1} W_k) \bullet g'(a_k)^{\top}",
    ]
    # In denominator layout ∂u/∂v has a row for each entry of v.
    columns = recursion.lines(notation="larochelle", layout="denominator")[1]
    assert (
        latex(columns)[1]
        == r"= \frac{\partial h_k}{\partial a_k} \frac{\partial a_{k+1}}{\partial h_k} \frac{\partial L}{\partial a_{k+1}}"
    )


@pytest.mark.deck("D1.8", "D1.9", "D0.10", "D0.11", "D0.12", "D0.13")
def test_the_other_rungs():
    output, _, weight, bias = chain().derive().recursion.lines(notation="larochelle", form="index")
    assert latex(output)[1:] == [
        r"= \frac{\partial L}{\partial h_i^{(K)}} \frac{\partial h_i^{(K)}}{\partial a_i^{(K)}}",
        r"= \frac{\partial L}{\partial h_i^{(K)}} g'(a_i^{(K)})",
        r"= (h_i^{(K)} - y_i) g'(a_i^{(K)})",
    ]
    assert latex(weight)[-1] == r"= \delta_i^{(k+1)} h_j^{(k)}"
    assert latex(bias)[-1] == r"= \delta_i^{(k+1)}"
    matrix = chain().derive().recursion.lines(notation="ufldl")
    assert latex(matrix[2])[-1] == r"\nabla_{W^{(l)}} L = \delta^{(l+1)} (a^{(l)})^{\top}"
    assert latex(matrix[0])[-1] == r"= -(y - a^{(n_l)}) \circ f'(z^{(n_l)})"


@pytest.mark.deck("D4.12")
def test_braces_say_where_factors_come_from():
    net = chain("sigmoid", *CENG)
    lines = net.derive(per="sample").error_terms["dense_3"].lines(notation="ng", form="index")
    assert latex(lines)[-1] == (
        r"= \underbrace{(a_i^{(4)} - y_i)}_{\text{loss gradient}} \cdot \underbrace{a_i^{(4)} (1 - a_i^{(4)})}_{\text{local gradient}}"
    )
    plain = net.derive(per="sample").error_terms["dense_3"].lines(notation="ng", form="index", braces=False)
    assert latex(plain)[-1] == r"= (a_i^{(4)} - y_i) a_i^{(4)} (1 - a_i^{(4)})"
    hidden = net.derive(per="sample").error_terms["dense_2"].lines(notation="ufldl")
    assert r"\underbrace{(W^{(3)})^{\top} \delta^{(4)}}_{\text{upstream gradient}}" in hidden[-1].latex


@pytest.mark.deck("D4.13")
def test_hidden_error_terms_of_the_deck():
    lines = chain("sigmoid", *CENG).derive(per="sample").error_terms["dense_2"].lines(notation="ng", braces=False)
    # E21: parentheses where the deck has one dot for both products; E22: the bias column is dropped.
    assert lines[-1].latex == r"= \left( (\bar{w}^{(3)})^T \delta^{(4)} \right) \circ \bar{a}^{(3)} \circ (1 - \bar{a}^{(3)})"


def square_of_norm():
    i, j = indices("i j", *sizes("m n"))
    W, x, q, f = tensor("W", i, j), tensor("x", j), tensor("q", i), tensor("f")
    system = System([Equation(q[i], Sum(W[i, j] * x[j], j)), Equation(f[()], Sum(q[i] ** 2, i))])
    return sbp.derive(system, of="f", wrt=["W", "x"])


@pytest.mark.deck("D2.15", "D2.16")
def test_the_kronecker_delta_collapses():
    gradients = square_of_norm().gradients
    assert latex(gradients["W"].lines(notation="ufldl")) == [
        r"\frac{\partial f}{\partial W_{ij}} = \sum_{k=1}^m \frac{\partial f}{\partial q_k} \frac{\partial q_k}{\partial W_{ij}}",
        r"= \sum_{k=1}^m 2 q_k \mathbf{1}[i = k] x_j",
        r"= 2 q_i x_j",
        r"\nabla_W f = 2 q x^{\top}",
    ]
    assert [line.rule for line in gradients["W"].lines()][2].startswith("the sum collapses")
    assert latex(gradients["x"].lines(notation="ufldl"))[1:] == [r"= W^{\top} \frac{\partial f}{\partial q}", r"= 2 W^{\top} q"]
    assert r"\frac{\partial q_k}{\partial W_{ij}}" in gradients["W"].lines(form="index")[0].latex


@pytest.mark.deck("D4.15")
def test_single_weights():
    derivation = chain("sigmoid", *CENG).derive()
    lines = derivation.weight("dense_2.W", 1, 3, notation="ng").lines()
    assert latex(lines) == [
        r"\frac{\partial E}{\partial w_{13}^{(2)}} = "
        r"\frac{\partial E}{\partial z_1^{(3)}} \frac{\partial z_1^{(3)}}{\partial w_{13}^{(2)}}",
        r"= \delta_1^{(3)} a_3^{(2)}",
        r"\boxed{\frac{\partial z_1^{(3)}}{\partial w_{13}^{(2)}}} = a_3^{(2)}",
    ]
    assert latex(derivation.weight("dense_3.W", 1, 1, notation="ng").lines())[1] == r"= \delta_1^{(4)} a_1^{(3)}"
    # Column 0 is the bias, whose input is 1.
    assert latex(derivation.weight("dense_2.W", 2, 0, notation="ng").lines(boxed=False))[1:] == [
        r"= \delta_2^{(3)} a_0^{(2)}",
        r"= \delta_2^{(3)}",
    ]


@pytest.mark.deck("D4.14")
def test_single_error_terms():
    entry = chain("sigmoid", *CENG).derive().entry("delta.dense_2", 1, notation="ng")
    assert latex(entry.lines()) == [
        r"\delta_1^{(3)} = \frac{\partial E}{\partial z_1^{(3)}}",
        r"= \frac{\partial E}{\partial z_1^{(4)}} "
        r"\frac{\partial z_1^{(4)}}{\partial a_1^{(3)}} \frac{\partial a_1^{(3)}}{\partial z_1^{(3)}}",
        r"= w_{11}^{(3)} \delta_1^{(4)} a_1^{(3)} (1 - a_1^{(3)})",
        r"\boxed{\frac{\partial z_1^{(4)}}{\partial a_1^{(3)}}} = w_{11}^{(3)}",
    ]
    # Several units above: their parts are added.
    several = chain("sigmoid", 3, 3, 2).derive().entry("delta.dense_1", 2, notation="ng").lines(boxed=False)[-1].latex
    assert several == r"= (w_{12}^{(2)} \delta_1^{(3)} + w_{22}^{(2)} \delta_2^{(3)}) a_2^{(2)} (1 - a_2^{(2)})"


@pytest.mark.parametrize("preset", notations())
def test_single_entries_have_the_engines_values(preset):
    net = chain("sigmoid", 3, 4, 2)
    derivation = net.derive()
    one = net.derive(per="sample")
    rng = np.random.default_rng(5)
    values = {n: rng.normal(size=[int(e) for e in one.record.tensors[n].shape]) for n in one.record.forward_system.free}
    full = one.gradients["dense_1.W"].evaluate(values)
    entry = derivation.weight("dense_1.W", 2, 3, notation=preset)
    turned = entry.lines()[0].latex != derivation.weight("dense_1.W", 2, 3).lines(notation=preset)[0].latex
    assert not turned
    assert entry.evaluate(values) in (full[1, 2], full[2, 1])
    assert derivation.weight("dense_1.b", 4).evaluate(values) == one.gradients["dense_1.b"].evaluate(values)[3]
    assert derivation.entry("delta.dense_2", 1).evaluate(values) == one.error_terms["dense_2"].evaluate(values)[0]


def test_a_notation_that_stores_weights_turned_counts_as_it_prints():
    from dataclasses import replace

    turned = replace(sbp.notation("ufldl"), weight_index="source first")
    net = chain("sigmoid", 3, 4, 2)
    one = net.derive(per="sample")
    rng = np.random.default_rng(5)
    values = {n: rng.normal(size=[int(e) for e in one.record.tensors[n].shape]) for n in one.record.forward_system.free}
    full = one.gradients["dense_1.W"].evaluate(values)
    entry = one.weight("dense_1.W", 3, 4, notation=turned)
    assert entry.evaluate(values) == full[3, 2]
    assert entry.lines(boxed=False)[-1].latex == r"= \delta_4^{(2)} x_3"
    assert r"W_{34}" in entry.lines()[0].latex
    with pytest.raises(DerivationError, match="index 1 is 1 to 3, got 4"):
        one.weight("dense_1.W", 4, 3, notation=turned)


@pytest.mark.parametrize(
    "name, indices_, message",
    [
        ("dense_2.W", (4, 1), "index 1 is 1 to 3, got 4"),
        ("dense_2.W", (1,), "2 indices, got 1"),
        ("dense_2.W", (1, 0), "parameter of its own"),
        ("dense_2.b", (0,), "index 1 is 1 to 3, got 0"),
        ("dense_9.W", (1, 1), "no gradient of 'dense_9.W'"),
        ("dense_2.W", (1.0, 2), "whole numbers"),
    ],
)
def test_entries_that_are_not_there(name, indices_, message):
    with pytest.raises(DerivationError, match=message):
        chain("sigmoid", *CENG).derive().weight(name, *indices_)


@pytest.mark.parametrize("depth", ["result", "lecture", "rewrite"])
def test_depths(depth):
    derived = chain("sigmoid", *CENG).derive(per="sample").error_terms["dense_2"]
    lines = derived.lines(depth)
    assert len(lines) == {"result": 1, "lecture": 4, "rewrite": 7}[depth]
    assert not lines[0].latex.startswith("=")
    assert all(line.rule for line in lines) or depth == "result"
    assert [line.step for line in lines] == list(range(1, len(lines) + 1))


def test_unknown_words_are_refused():
    derived = chain().derive(per="sample").error_terms["dense_2"]
    with pytest.raises(DeclarationError, match="unknown depth 'deep'"):
        derived.lines("deep")
    with pytest.raises(DeclarationError, match="form must be"):
        derived.lines(form="tensor")
    with pytest.raises(DeclarationError, match="unknown layout"):
        derived.lines(layout="sideways")


def test_parts_of_a_sum_have_names_of_their_own():
    x = sbp.Input(3)
    first = sbp.Dense(3, activation="tanh", name="first")(x)
    net = sbp.Network(x, sbp.Dense(2, name="out")(sbp.Add()(first, sbp.Dense(3, activation="sigmoid", name="second")(first))), loss="mse")
    rows = net.derive(per="sample").error_terms["first"].lines("rewrite")
    marked = [line.latex for line in rows if re.match(r"\{?\\left\( .* \\right\)\}?_[12] = ", line.latex)]
    assert len(marked) == 2
    assert "add the parts" in net.derive(per="sample").error_terms["first"].lines()[1].rule


def test_the_whole_derivation_with_steps():
    derivation = chain("sigmoid", 2, 3, 2).derive()
    lecture, rewrite = derivation.latex(steps=True), derivation.latex(steps="rewrite")
    assert lecture == derivation.latex(steps="lecture")
    for text in (lecture, rewrite):
        assert all(row.count("&= ") == 1 for row in text.split("\n"))
        assert r"&& \text{" in text
    assert r"\text{chain rule}" in lecture
    assert r"\text{chain rule}" not in rewrite


def test_all_steps_of_four_layers_are_quick():
    net = chain("sigmoid", 5, 7, 6, 4, 3)
    derivation = net.derive(per="sample")
    start = time.process_time()
    for derived in (*derivation.error_terms.values(), *derivation.gradients.values()):
        derived.lines("lecture")
        derived.lines("rewrite")
    # The whole document may take three seconds.
    assert time.process_time() - start < 2


SCRIPT = """
import symbackprop as sbp
x = sbp.Input(3)
a = sbp.Dense(3, activation="tanh", name="first")(x)
joined = sbp.Add()(a, sbp.Dense(3, activation="sigmoid", name="second")(a))
net = sbp.Network(x, sbp.Dense(2, name="out")(joined), loss="mse", regularizer=sbp.L2(0.1))
print(net.derive().latex(steps=True))
print(net.derive().latex(steps="rewrite"))
print(sbp.derivative_steps("tanh").latex("rewrite"))
"""


def test_same_text_whatever_the_hash_seed():
    texts = set()
    for seed in ("1", "7"):
        env = {**os.environ, "PYTHONHASHSEED": seed}
        texts.add(subprocess.run([sys.executable, "-c", SCRIPT], env=env, capture_output=True, check=True).stdout)
    assert len(texts) == 1
    assert len(texts.pop()) > 4000
