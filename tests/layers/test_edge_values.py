"""Every layer where numbers end: NaN, infinities, ties, saturation, single positions, and values kept in float32.

The interpreter says what a layer gives; both targets have to give the same, and PyTorch has to be NaN at the same places.
"""

from __future__ import annotations

import numpy as np
import pytest
from judge import texts
from test_layers import case_of, draw, network
from written import callable_of, executed

import symbackprop as sbp
from symbackprop.declare.layers import LAYERS

#: Layers whose training pass, which is judged here, is not what the entry "forward" runs.
TWO_MODES = ("BatchNorm", "Dropout")
REAL = sorted(name for name in LAYERS if name != "Embedding")


def forward(space, params, inputs, shape):
    """Run the entry "forward" of a module's namespace on poisoned buffers."""
    flat = np.concatenate([np.zeros(0), *(np.asarray(params[name]).ravel() for name, _, _ in space["PARAMETERS"])])
    out = np.full(shape, -7.0)
    arrays = [np.ascontiguousarray(value) for value in inputs]
    with np.errstate(all="ignore"):
        space["forward"](flat, *arrays, out, np.full(space["workspace"](len(arrays[0])), np.nan))
    return out


def compiled_texts(net):
    return {kind: executed(text) for kind, text in zip(("numpy", "cpu"), texts(net.derive().record), strict=True)}


@pytest.mark.parametrize("name", REAL)
def test_nan_and_infinities_go_through_a_layer_as_they_do_in_pytorch(name, seed, require_tool):
    require_tool("torch")
    import torch
    import torch.nn.functional as F  # noqa: N812

    for number in range(2):
        case = case_of(name, number, seed)
        net = network(case, name)
        inputs, params, masks, y, output = draw(case, net, np.random.default_rng([seed, number]))
        spaces = {} if name in TWO_MODES else compiled_texts(net)
        for value in (np.nan, np.inf, -np.inf):
            moved = {key: array.copy() for key, array in inputs.items()}
            first = next(iter(moved.values()))
            first.flat[number % first.size] = value
            with np.errstate(all="ignore"):
                found = net.derive().evaluate({**params, **moved, **masks, "y": y})
            words = f"{value} in {case.words}"
            own = {key.partition(".")[2]: torch.tensor(array) for key, array in (params | masks).items()}
            expected = case.torch(torch, F, tuple(map(torch.tensor, moved.values())), own).numpy()
            if not np.isnan(value) and name == "Bilinear":
                # Whether inf − inf occurs depends on the order of a triple product, which is left open.
                expected = np.where(np.isfinite(expected), expected, found[output])
            np.testing.assert_allclose(found[output], expected, rtol=1e-10, atol=1e-12, equal_nan=True, err_msg=words)
            assert not np.isnan(expected).any() or np.isnan(found["loss"])
            for kind, space in spaces.items():
                got = forward(space, params, moved.values(), expected.shape)
                finite = np.isfinite(expected) if name == "Bilinear" else np.ones(expected.shape, bool)
                np.testing.assert_allclose(
                    got[finite], found[output][finite], rtol=1e-10, atol=1e-12, equal_nan=True, err_msg=f"{kind}: {words}"
                )


def results(net, values, form=None):
    """Return what the interpreter and both targets say of a network: loss and gradients by name."""
    derivation = net.derive()
    model = derivation.record.model
    with np.errstate(all="ignore"):
        found = derivation.evaluate(values)
        expected = {name: found[f"grad.{name}"] for name in (*net.init(seed=0), *model.inputs) if f"grad.{name}" in found}
        yield "interpreter", float(found["loss"]), expected
        for kind, space in compiled_texts(net).items():
            program = callable_of(space, model.inputs)
            yield kind, *program(values, {name: np.asarray(values[name]) for name in model.inputs}, values["y"])


def agree(net, values, **tolerance):
    """Assert that all three say the same; return what the interpreter says."""
    (_, loss, grads), *others = results(net, values)
    for kind, other, found in others:
        np.testing.assert_allclose(other, loss, err_msg=kind, **tolerance)
        for name, expected in grads.items():
            np.testing.assert_allclose(found[name], expected, err_msg=f"{kind}: {name}", **tolerance)
    return loss, grads


def one(layer, *shape, loss="mse"):
    x = sbp.Input(shape)
    return sbp.Network(inputs=x, outputs=layer(x), loss=loss, name="edge")


def test_a_window_of_nothing_but_minus_infinity_is_minus_infinity():
    net = one(sbp.MaxPool2D(2, padding=1), 1, 2, 2)
    for kind, space in compiled_texts(net).items():
        out = forward(space, {}, [np.full((1, 1, 2, 2), -np.inf)], (1, 1, 2, 2))
        assert np.array_equal(out, np.full((1, 1, 2, 2), -np.inf)), kind
        # Of the padding nothing is seen: not where all values are negative either.
        out = forward(space, {}, [np.full((1, 1, 2, 2), -3.0)], (1, 1, 2, 2))
        assert np.array_equal(out, np.full((1, 1, 2, 2), -3.0)), kind


def test_ties_in_a_window_go_to_the_first_entry_in_reading_order():
    net = one(sbp.MaxPool2D(2), 1, 2, 2)
    loss, grads = agree(net, {"x": np.full((1, 1, 2, 2), 2.0), "y": np.zeros((1, 1, 1, 1))}, rtol=1e-15)
    assert loss == 4.0
    np.testing.assert_array_equal(grads["x"], [[[[4.0, 0.0], [0.0, 0.0]]]])


def test_windows_that_overlap_add_what_arrives_at_a_common_largest_entry():
    net = one(sbp.MaxPool2D(3, stride=1), 1, 5, 5)
    x = np.zeros((1, 1, 5, 5))
    x[0, 0, 2, 2] = 1.0
    _, grads = agree(net, {"x": x, "y": np.zeros((1, 1, 3, 3))}, rtol=1e-14, atol=1e-15)
    assert np.count_nonzero(grads["x"]) == 1 and grads["x"][0, 0, 2, 2] == pytest.approx(9 * 2 / 9)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("size", [1e2, 1e4])
def test_attention_saturates_without_overflow(causal, size):
    net = one(sbp.Attention(2, causal, bias=False), 4, 4)
    rng = np.random.default_rng(3)
    values = {"x": rng.standard_normal((2, 4, 4)) * np.sqrt(size), "y": rng.standard_normal((2, 4, 4))}
    values |= {f"attention_1.W_{letter}": np.eye(4) for letter in "qkvo"}
    # The textbook form, which the interpreter evaluates, overflows here.
    (_, *found) = results(net, values)
    assert all(np.isfinite(loss) and all(np.isfinite(g).all() for g in grads.values()) for _, loss, grads in found)
    (_, first, slow), (_, second, fast) = found
    assert first == pytest.approx(second, rel=1e-12)
    for name, g in slow.items():
        np.testing.assert_allclose(fast[name], g, rtol=1e-9, atol=1e-9 * max(1.0, np.abs(g).max()), err_msg=name)


@pytest.mark.parametrize("layer", [sbp.LayerNorm, sbp.RMSNorm, lambda: sbp.GroupNorm(1)], ids=["LayerNorm", "RMSNorm", "GroupNorm"])
def test_a_constant_row_is_normalised_to_nothing_infinite(layer):
    net = one(layer(), 4)
    rng = np.random.default_rng(0)
    params = {name: rng.standard_normal(array.shape) for name, array in net.init(seed=0, dtype="float64").items()}
    for constant in (0.0, 3.0):
        values = {**params, "x": np.full((2, 4), constant), "y": rng.standard_normal((2, 4))}
        loss, grads = agree(net, values, rtol=1e-10, atol=1e-10)
        assert np.isfinite(loss) and all(np.isfinite(g).all() for g in grads.values())


def test_tokens_that_repeat_add_their_gradients():
    x = sbp.Input((5,), dtype="int64")
    net = sbp.Network(inputs=x, outputs=sbp.Embedding(4, 3)(x), loss="mse", name="edge")
    rng = np.random.default_rng(0)
    values = {
        "embedding_1.E": rng.standard_normal((4, 3)),
        "x": np.array([[1, 1, 1, 3, 1], [3, 3, 1, 1, 0]]),
        "y": rng.standard_normal((2, 5, 3)),
    }
    _, grads = agree(net, values, rtol=1e-12, atol=1e-15)
    delta = values["embedding_1.E"][values["x"]] - values["y"]
    expected = np.zeros((4, 3))
    np.add.at(expected, values["x"], 2 * delta / delta.size)
    np.testing.assert_allclose(grads["embedding_1.E"], expected, rtol=1e-12)
    assert not grads["embedding_1.E"][2].any()


@pytest.mark.parametrize("name", sorted(set(LAYERS) - set(TWO_MODES)))
def test_float32_kernels_are_within_rounding_of_float64(name, seed):
    case = case_of(name, 0, seed)
    net = network(case, name)
    inputs, params, masks, y, _ = draw(case, net, np.random.default_rng([seed, 0]))
    del masks
    # The same numbers for both: those that float32 holds.
    inputs, params = (
        {key: v if v.dtype.kind == "i" else v.astype(np.float32).astype(float) for key, v in d.items()} for d in (inputs, params)
    )
    y = y.astype(np.float32).astype(float)
    record = net.derive().record
    found = net.derive().evaluate({**params, **inputs, "y": y})
    for text in texts(record, dtype="float32"):
        # A query that sees no key takes the logarithm of 0, and nothing of it: programs run without NumPy's warnings too.
        with np.errstate(all="ignore"):
            loss, grads = callable_of(executed(text), record.model.inputs)(params, inputs, y)
        assert loss == pytest.approx(float(found["loss"]), rel=1e-5), case.words
        for key, got in grads.items():
            expected = found[f"grad.{key}"]
            assert got.dtype == np.float32
            assert np.linalg.norm(got - expected) <= 1e-5 * max(np.linalg.norm(expected), 1e-3), f"{key} of {case.words}"
