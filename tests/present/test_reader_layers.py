"""What is printed of layers with parameters of their own names is read back: it holds, and twice its right side does not."""

from __future__ import annotations

import pytest

import symbackprop as sbp

#: Without the bias of which batch normalisation leaves nothing: its gradient is 0, and so is twice that.
LAYERS = {
    "batch normalisation": (4, [sbp.Dense(3, bias=False), sbp.BatchNorm()]),
    "convolution": ((2, 5, 4), [sbp.Conv2D(3, 2), sbp.Flatten()]),
    "LSTM": ((4, 3), [sbp.LSTM(2)]),
    "GRU": ((4, 3), [sbp.GRU(2)]),
    "attention": ((3, 6), [sbp.Attention(heads=2), sbp.Flatten()]),
}


@pytest.mark.parametrize("kind", LAYERS)
def test_gradients_of_layers_are_read_back(kind):
    given, layers = LAYERS[kind]
    net = sbp.Sequential([sbp.Input(given), *layers, sbp.Dense(2)], loss="half_squared_error")
    per = "batch" if kind == "batch normalisation" else "sample"
    d = net.derive(per=per)
    for name, g in d.gradients.items():
        left, _, right = g.latex(form="index").partition("=")
        assert sbp.check_claim(f"{left} = {right}", net).holds, name
        claim = sbp.check_claim(f"{left} = 2 ({right})", net)
        assert not claim.holds and claim.kind == "difference", name


@pytest.mark.parametrize("name", ["batchnorm_1.gamma", "batchnorm_1.beta", "dense_1.W"])
def test_matrix_forms_of_batch_normalisation_are_read_back(name):
    net = sbp.Sequential([sbp.Input(4), sbp.Dense(3), sbp.BatchNorm(), sbp.Dense(2)], loss="half_squared_error")
    assert sbp.check_claim(net.derive().gradients[name].latex(), net).holds
    assert sbp.check_claim(net.derive().error_terms["dense_1"].latex(), net).holds


def test_what_is_not_derived_is_told_by_name():
    d = sbp.Sequential([sbp.Input(4), sbp.Dense(3), sbp.BatchNorm(), sbp.Dense(2)], loss="half_squared_error").derive()
    with pytest.raises(KeyError, match=r"no error term of 'dense_9'; did you mean 'dense_.'\? \(known: dense_1, dense_2\)"):
        d.error_terms["dense_9"]
    with pytest.raises(KeyError, match=r"no gradient of 'batchnorm_1.running_mean'.*known: dense_1.W"):
        d.gradients["batchnorm_1.running_mean"]
