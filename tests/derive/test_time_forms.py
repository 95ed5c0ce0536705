"""Recurrences moment by moment: what is printed with a moment t is evaluated moment by moment and gives what the whole equation gives.

Values are those of a network with standard normal parameters; every entry is a short sum, so that rounding stays below 1e-12.
"""

from __future__ import annotations

import numpy as np
import pytest

import symbackprop as sbp
from symbackprop.algebra.interpret import interpret
from symbackprop.algebra.times import TimeForm
from symbackprop.derive.times import whole_forms
from symbackprop.present.latex import latex_lines

TOLERANCE = 1e-12
STEPS, SAMPLES = 4, 3
LAYERS = {"rnn": sbp.SimpleRNN, "lstm": sbp.LSTM, "gru": sbp.GRU}


def network(kind: str, sequences: bool = False, steps: int = STEPS) -> sbp.Network:
    top = [sbp.Flatten()] if sequences else []
    layers = [sbp.Input((steps, 3)), LAYERS[kind](5, return_sequences=sequences), *top, sbp.Dense(2)]
    return sbp.Sequential(layers, loss="half_squared_error", name=kind)


def lines(kind: str, notation: str = "ufldl") -> str:
    return network(kind).derive(per="sample").latex(notation=notation)


@pytest.mark.parametrize("steps", [1, STEPS])
@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("per", ["sample", "batch"])
@pytest.mark.parametrize("kind", LAYERS)
def test_every_equation_has_the_same_value_moment_by_moment(kind, per, sequences, steps):
    record = network(kind, sequences, steps).derive(per=per).record
    rng = np.random.default_rng(5)
    given = {
        t.name: rng.normal(size=tuple(int(s) if s.is_Integer else SAMPLES for s in t.shape))
        for t in record.tensors.values()
        if t.role in ("parameter", "input")
    }
    values = {**given, **interpret(record.system, given)}
    forms = whole_forms(record)
    found = 0
    for equation in record.system.equations:
        form = forms.moments(equation)
        if form is not None:
            assert np.max(np.abs(form.evaluate(values) - values[equation.tensor.name])) < TOLERANCE, f"{kind}, {per}: {equation}"
            found += 1
    # With one step nothing recurs: h[t − 1] is never inside.
    assert found >= (0 if steps == 1 else 8)


def test_a_simple_recurrence_is_that_of_the_books():
    text = lines("rnn")
    for line in (
        r"z_t^{(2)} = W_h^{(1)} h_{t-1}^{(2)} + u_t^{(2)}",
        r"\nabla_{h_4^{(2)}} L = \nabla_{a^{(2)}} L",
        r"\nabla_{h_t^{(2)}} L = (W_h^{(1)})^{\top} \delta_{t+1}^{(2)} \qquad (t < 4)",
        r"\delta_t^{(2)} = (\nabla_{h_t^{(2)}} L) \circ (1 - h_t^{(2)} \circ h_t^{(2)})",
        r"\nabla_{W_h^{(1)}} L = \sum_{t=1}^4 \delta_t^{(2)} (h_{t-1}^{(2)})^{\top}",
    ):
        assert line in text.splitlines(), line
    assert r"\mathbf{1}" not in text


def test_gates_are_blocks_of_what_is_stacked():
    text = lines("lstm")
    for line in (
        r"f_t^{(2)} = \sigma(z_{f, t}^{(2)})",
        r"\delta_{f, t}^{(2)} = (\nabla_{f_t^{(2)}} L) \circ f_t^{(2)} \circ (1 - f_t^{(2)})",
        r"\delta_{g, t}^{(2)} = (\nabla_{g_t^{(2)}} L) \circ (1 - g_t^{(2)} \circ g_t^{(2)})",
    ):
        assert line in text.splitlines(), line
    assert r"\mathbf{1}" not in text


def test_presets_mark_the_moment_in_their_way():
    assert r"h^{(2)\langle t \rangle} = \tanh(z^{(2)\langle t \rangle})" in lines("rnn", "ng")
    assert r"\boldsymbol{a}^{(1, t)} = " in lines("rnn", "goodfellow")
    assert r"h_t^{(1)} = \tanh(s_t^{(1)})" in lines("rnn", "cs231n")


def test_a_result_is_printed_moment_by_moment():
    derived = network("rnn").derive(per="sample").gradients["simplernn_1.W_h"]
    assert derived.text() == "∇_{W_h^(1)} L = Σ_t δ_t^(2) (h_{t-1}^(2))ᵀ"
    assert "_{t-1, k}" in derived.latex(form="index")


def test_what_does_not_recur_has_no_moments():
    net = sbp.Sequential([sbp.Input((4, 6)), sbp.Attention(heads=2), sbp.Flatten(), sbp.Dense(3)], loss="half_squared_error")
    record = net.derive(per="sample").record
    assert not any(isinstance(whole_forms(record)(e), TimeForm) for e in record.system.equations)


def test_lines_are_separate_where_cases_differ():
    derivation = network("rnn").derive(per="sample")
    equation = derivation.record.equation("grad.simplernn_1.h")
    form = whole_forms(derivation.record)(equation)
    assert form is not None
    assert len(latex_lines(form, derivation.naming)) == 2
