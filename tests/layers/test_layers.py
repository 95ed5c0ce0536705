"""Every layer of the table, on random shapes and options: derivation and both targets, and the same numbers as PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
from cases import CASES
from judge import agreement

import symbackprop as sbp
from symbackprop.declare.layers import LAYERS

#: Cases of each layer that PyTorch judges, and of them those on which the derivation and both texts are proved.
COUNT, PROVED = 20, 3


def case_of(name, number, seed):
    return CASES[name](np.random.default_rng([seed, number, *map(ord, name)]))


def network(case, name):
    inputs = [sbp.Input(shape, dtype="int64" if case.tokens else None) for shape in case.shape]
    return sbp.Network(inputs=inputs, outputs=case.layer()(*inputs), loss="mse", name=f"one_{name.lower()}")


def draw(case, net, rng, batch=3):
    if case.tokens:
        inputs = {"x": rng.integers(0, case.tokens, size=(batch, *case.shape[0]))}
    else:
        names = ["x"] if len(case.shape) == 1 else [f"x_{k}" for k in range(1, len(case.shape) + 1)]
        inputs = {name: rng.standard_normal((batch, *shape)) for name, shape in zip(names, case.shape, strict=True)}
    params = {name: rng.standard_normal(array.shape) for name, array in net.init(seed=0, dtype="float64").items()}
    model = net.derive().record.model
    masks = {m.name: rng.integers(0, 2, size=(batch, *m.shape)).astype(float) for m in net.spec.masks}
    shape = tuple(int(e) for e in model.system.tensors[model.outputs[0]].shape[1:])
    return inputs, params, masks, rng.standard_normal((batch, *shape)), model.outputs[0]


def test_every_layer_of_the_table_has_a_case():
    assert set(CASES) == set(LAYERS)


@pytest.mark.parametrize("name", sorted(LAYERS))
def test_a_layer_gives_the_values_and_gradients_that_pytorch_gives(name, seed, require_tool):
    require_tool("torch")
    import torch
    import torch.nn.functional as F  # noqa: N812

    for number in range(COUNT):
        case = case_of(name, number, seed)
        net = network(case, name)
        # A batch of one row too, but for what is normalised over the batch.
        batch = 2 + number % 2 if name == "BatchNorm" else 1 + number % 3
        inputs, params, masks, y, output = draw(case, net, np.random.default_rng([seed, number]), batch)
        found = net.derive().evaluate({**params, **inputs, **masks, "y": y})
        given = {k: torch.tensor(v, requires_grad=v.dtype.kind == "f") for k, v in inputs.items()}
        own = {k: torch.tensor(v, requires_grad=True) for k, v in params.items()}
        fixed = {k: torch.tensor(v) for k, v in masks.items()}
        a = case.torch(torch, F, tuple(given.values()), {k.partition(".")[2]: v for k, v in (own | fixed).items()})
        F.mse_loss(a, torch.tensor(y)).backward()
        words = f"{case.words}, seed {seed}, case {number}"
        # Both sides sum the same few terms in float64; 1e-10 is what is promised, 1e-13 what is seen.
        np.testing.assert_allclose(found[output], a.detach().numpy(), rtol=1e-10, atol=1e-12, err_msg=words)
        for key, tensor in {**own, **given}.items():
            if tensor.requires_grad:
                expected = np.zeros(tensor.shape) if tensor.grad is None else tensor.grad.numpy()
                np.testing.assert_allclose(found[f"grad.{key}"], expected, rtol=1e-10, atol=1e-12, err_msg=f"{key} of {words}")


@pytest.mark.parametrize("name", sorted(LAYERS))
def test_the_derivation_of_a_layer_and_both_texts_are_right(name, seed):
    for number in range(PROVED):
        case = case_of(name, number, seed)
        report = agreement(network(case, name), "rows", seed=seed + number)
        assert report.ok, f"{case.words}\n{report}"
