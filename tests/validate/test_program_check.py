"""`program.check()` as users call it: a table, a verdict, and the name of a tensor that is wrong."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import symbackprop as sbp


def digits_like():
    return sbp.Sequential(
        [sbp.Input(20), sbp.Dense(12, activation="relu"), sbp.Dense(5)],
        loss="softmax_cross_entropy",
        regularizer=sbp.L1(1e-3),
        name="small",
    )


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_right_program_passes_and_prints_a_table(dtype):
    report = digits_like().compile(target="numpy", dtype=dtype).check()
    assert report.ok, str(report)
    text = str(report)
    for word in ("dense_1", "grad.dense_1.W", "delta.dense_2", "complex step", "interpreter", "tolerance", "kinks"):
        assert word in text
    assert "<table>" in report._repr_html_()
    assert report.raise_for_failure() is report


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("tensor", ["dense_1.W", "dense_1.b", "dense_2.W", "dense_2.b", "x"])
def test_a_factor_of_1_0001_in_one_tensor_is_caught_and_named(dtype, tensor, monkeypatch):
    program = digits_like().compile(target="numpy", dtype=dtype)
    honest = program._by_name

    def planted(form):
        inner = honest(form)

        def value_and_grad(params, inputs, target):
            loss, grads = inner(params, inputs, target)
            found = {name: np.array(g) for name, g in grads.items()}
            found[tensor] = (found[tensor] * 1.0001).astype(dtype)
            return loss, found

        return value_and_grad

    monkeypatch.setattr(program, "_by_name", planted, raising=True)
    report = program.check()
    assert not report.ok
    assert [row.tensor for row in report.failures] == [f"grad.{tensor}"]
    assert report.worst.tensor == f"grad.{tensor}"
    with pytest.raises(sbp.CheckError, match=f"grad.{tensor}"):
        report.raise_for_failure()


def test_labels_rows_several_inputs_shared_and_frozen_layers_are_checked():
    a, b = sbp.Input(3), sbp.Input(3)
    layer = sbp.Dense(4, activation="tanh")
    fixed = sbp.Dense(4, activation="sigmoid", trainable=False)
    net = sbp.Network(inputs=[a, b], outputs=sbp.Dense(3)(layer(a) * fixed(b) + layer(b)), loss="softmax_cross_entropy", name="two")
    program = net.compile(target="numpy", dtype="float64")
    for target in ("labels", "rows"):
        report = program.check(target=target)
        assert report.ok, str(report)
        checked = {row.tensor for row in report.rows if row.proof == "code"}
        assert {"loss", "grad.dense_1.W", "grad.dense_3.b", "grad.x_1", "grad.x_2"} <= checked
        assert all(row.note == "fixed" for row in report.rows if row.proof == "code" and "dense_2" in row.tensor)


def test_the_check_is_at_the_users_parameters_if_they_are_given():
    net = digits_like()
    program = net.compile(target="numpy", dtype="float64")
    assert program.check(params=net.init(seed=3, dtype="float64")).ok


def test_an_unspecified_activation_cannot_be_checked():
    net = sbp.Sequential([sbp.Input(2), sbp.Dense(2, activation=sbp.Activation("f"))], loss="mse", name="f")
    with pytest.raises(sbp.SymbackpropError, match="f"):
        net.compile(target="numpy", dtype="float64").check()


def test_gradcheck_judges_a_float64_program_and_refuses_a_float32_one():
    net = digits_like()
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((6, 20)), rng.integers(0, 5, 6)
    params = net.init(seed=1, dtype="float64")

    def function(dtype):
        program = net.compile(target="numpy", dtype=dtype)

        def f(values):
            loss, grads = program.value_and_grad(net.parameters(values, dtype=dtype), x.astype(dtype), y)
            return loss, dict(grads)

        return f

    values = {name: np.array(array) for name, array in params.items()}
    report = sbp.gradcheck(function("float64"), values, entries=40)
    assert report.ok, str(report)
    with pytest.raises(sbp.DataError, match="float32 cannot judge"):
        sbp.gradcheck(function("float32"), values, entries=5)


def test_gradcheck_needs_no_sympy():
    code = "import sys, symbackprop as sbp, numpy as np; f = lambda v: (float(v['w']**2), {'w': 2*v['w']}); "
    code += "assert sbp.gradcheck(f, {'w': 3.0}).ok; assert 'sympy' not in sys.modules, 'sympy'"
    subprocess.run([sys.executable, "-c", code], check=True)
