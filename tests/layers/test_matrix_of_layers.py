"""Matrix forms of every layer, forward and backward: each has the value of the index form, and none that a lecture has is missing."""

from __future__ import annotations

import numpy as np
import pytest
from test_layers import case_of, draw, network

from symbackprop.algebra.interpret import evaluate_equation, interpret, solve_sizes
from symbackprop.declare.layers import LAYERS
from symbackprop.derive.matrix import matrix_form, stepped_axes

#: Cases of each layer.
COUNT = 3
SEED = 11

#: Tensors of layers that have a matrix form in every case, forward and backward; "*" stands for all of them.
MUST = {
    "Dense": "*",
    "Activation": "*",
    "Add": "*",
    "Multiply": "*",
    "LayerNorm": "*",
    "RMSNorm": "*",
    "Embedding": "*",
    "PReLU": "*",
    "Attention": "*",
    "SimpleRNN": "*",
    "LSTM": "*",
    "GRU": "*",
    "GatedLinear": "*",
    "Bilinear": "*",
    "BatchNorm": "*",
    "Dropout": "*",
    "GlobalAvgPool2D": "*",
}


def values_of(name, number):
    case = case_of(name, number, SEED)
    net = network(case, name)
    inputs, params, masks, y, _ = draw(case, net, np.random.default_rng([SEED, number]), batch=2)
    return case, net, params, {**inputs, **masks, "y": y}


@pytest.mark.parametrize("name", sorted(LAYERS))
def test_matrix_forms_of_a_layer_equal_its_index_forms(name):
    for number in range(COUNT):
        case, net, params, batch = values_of(name, number)
        # What mixes the samples of a batch has no form for one of them.
        for per in ("batch",) if name == "BatchNorm" else ("batch", "sample"):
            given = {**params, **(batch if per == "batch" else {k: v[0] for k, v in batch.items()})}
            record = net.derive(per=per).record
            env = interpret(record.system, given)
            sizes = solve_sizes({n: record.tensors[n] for n in env}, env)
            stepped = stepped_axes(record.system.equations)
            for equation in record.system.equations:
                form = matrix_form(equation, stepped=stepped)
                words = f"{equation}\n{form}\n{case.words}, per {per}, seed {SEED}, case {number}"
                shown = {s for t in equation.reads for e in t.shape for s in e.free_symbols}
                if form is not None and {s for e in equation.tensor.shape for s in e.free_symbols} <= shown:
                    want = evaluate_equation(equation, env, sizes)
                    got = form.evaluate({t.name: env[t.name] for t in form.reads})
                    # Sums of the same few terms in another order.
                    scale = max(1.0, float(np.abs(want).max(initial=0.0)))
                    np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-12 * scale, err_msg=words)
                own = equation.tensor.name.startswith((name.lower(), f"delta.{name.lower()}", f"grad.{name.lower()}", "grad.x"))
                # An axis of length 1 is none in index form, and what is left may be no product of matrices.
                degenerate = any(e == 1 for t in (equation.tensor, *equation.reads) for e in t.shape)
                assert form is not None or not own or degenerate or name not in MUST, words
