"""Layers with two modes: what training does to running statistics and draws as masks, and what inference makes of them."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from cases import any_shape, between, pick
from written import executed

import symbackprop as sbp
from symbackprop import pipeline
from symbackprop.algebra.interpret import interpret
from symbackprop.execute import masks
from symbackprop.execute.face import MaskFace


def normed(name="normed", *, rate=None, batchnorm=None, regularizer=None):
    layers = [sbp.Input((2, 3, 3)), sbp.Conv2D(3, 2), batchnorm or sbp.BatchNorm(), sbp.Activation("relu")]
    layers += [sbp.Dropout(rate)] if rate is not None else []
    return sbp.Sequential([*layers, sbp.Flatten(), sbp.Dense(2)], loss="mse", name=name, regularizer=regularizer)


def data(seed, samples, shape=(2, 3, 3)):
    rng = np.random.default_rng([seed, 5])
    return rng.standard_normal((samples, *shape)), rng.standard_normal((samples, 2))


def state_of(params):
    return {name: value.copy() for name, value in params.state.items()}


def torch_twin(torch, params, momentum=0.1):
    own = {k: torch.tensor(np.array(v), requires_grad=True) for k, v in params.items()}
    mean, var = (torch.tensor(np.array(params.state[f"batchnorm_1.running_{k}"])) for k in ("mean", "var"))

    def run(x, training):
        F = torch.nn.functional
        z = F.conv2d(torch.tensor(x), own["conv2d_1.W"], own["conv2d_1.b"])
        h = F.batch_norm(z, mean, var, own["batchnorm_1.gamma"], own["batchnorm_1.beta"], training, momentum, 1e-5)
        return F.linear(torch.relu(h).flatten(1), own["dense_1.W"], own["dense_1.b"])

    return own, mean, var, run


# --- running statistics ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("target", "momentum"), [("numpy", 0.1), ("numpy", 1.0), ("cpu", 0.1)])
def test_running_statistics_follow_step_by_step_as_in_pytorch(target, momentum, seed, require_tool):
    require_tool("torch")
    import torch

    net = normed(batchnorm=sbp.BatchNorm(momentum))
    params, program = net.init(seed=seed, dtype="float64"), net.compile(target=target, dtype="float64", batch=4)
    own, mean, var, run = torch_twin(torch, params, momentum)
    for step in range(4):
        # The last batch is a single image: M counts places, so there is a variance.
        x, y = data(seed + step, 1 if step == 3 else 4)
        program.fit(params, x, y, optimizer=sbp.SGD(0.05), epochs=1, shuffle=False, progress=False)
        loss = torch.nn.functional.mse_loss(run(x, True), torch.tensor(y))
        gradients = torch.autograd.grad(loss, list(own.values()))
        with torch.no_grad():
            for tensor, gradient in zip(own.values(), gradients, strict=True):
                tensor -= 0.05 * gradient
        # Both do the same few operations in float64 in another order.
        for name, expected in (*own.items(), ("batchnorm_1.running_mean", mean), ("batchnorm_1.running_var", var)):
            got = params.state[name] if name in params.state else params[name]
            np.testing.assert_allclose(got, expected.detach().numpy(), rtol=1e-10, atol=1e-13, err_msg=f"{name}, step {step}, seed {seed}")
    x, y = data(seed + 9, 5)
    with torch.no_grad():
        np.testing.assert_allclose(program.predict(params, x), run(x, False).numpy(), rtol=1e-10, atol=1e-12)
        measured = program.evaluate(params, x, y)["loss"]
        assert measured == pytest.approx(float(torch.nn.functional.mse_loss(run(x, False), torch.tensor(y))), rel=1e-10)


def test_inference_is_that_of_pytorch_on_random_shapes(seed, require_tool):
    require_tool("torch")
    import torch

    for number in range(20):
        rng = np.random.default_rng([seed, number, 6])
        shape, eps = any_shape(rng), pick(rng, 1e-5, 1e-3)
        x_in = sbp.Input(shape)
        net = sbp.Network(inputs=x_in, outputs=sbp.Dropout(0.4)(sbp.BatchNorm(eps=eps)(x_in)), name="norm")
        x = rng.standard_normal((between(rng, 1, 4), *shape))
        values = {k: rng.standard_normal(shape[:1]) for k in ("gamma", "beta", "running_mean")} | {
            "running_var": rng.random(shape[:1]) + 0.1
        }
        found = interpret(pipeline.inference(net.spec, None), {"x": x} | {f"batchnorm_1.{k}": v for k, v in values.items()})
        gamma, beta, mean, var = (torch.tensor(values[k]) for k in ("gamma", "beta", "running_mean", "running_var"))
        expected = torch.nn.functional.batch_norm(torch.tensor(x), mean, var, gamma, beta, False, 0.1, eps).numpy()
        np.testing.assert_allclose(found["dropout_1.a"], expected, rtol=1e-10, atol=1e-12, err_msg=f"{shape}, seed {seed}, case {number}")


def test_a_layer_that_is_used_twice_updates_its_statistics_twice(seed):
    x_1, x_2 = sbp.Input(3), sbp.Input(3)
    norm = sbp.BatchNorm()
    net = sbp.Network(inputs=(x_1, x_2), outputs=sbp.Dense(2)(norm(x_1) + norm(x_2)), loss="mse", name="twice")
    rng = np.random.default_rng(seed)
    a, b, y = rng.standard_normal((6, 3)), rng.standard_normal((6, 3)) + 2, rng.standard_normal((6, 2))
    params = net.init(dtype="float64")
    net.compile(target="numpy", dtype="float64").fit(
        params, (a, b), y, optimizer=sbp.SGD(0.1), batch_size=None, shuffle=False, progress=False
    )
    mean = 0.9 * (0.1 * a.mean(0)) + 0.1 * b.mean(0)
    var = 0.9 * (0.9 + 0.1 * a.var(0, ddof=1)) + 0.1 * b.var(0, ddof=1)
    np.testing.assert_allclose(params.state["batchnorm_1.running_mean"], mean, rtol=1e-12)
    np.testing.assert_allclose(params.state["batchnorm_1.running_var"], var, rtol=1e-12)


def test_one_value_for_a_channel_has_the_variance_0(seed):
    net = sbp.Sequential([sbp.Input(2), sbp.BatchNorm(), sbp.Dense(2)], loss="mse", name="alone")
    params = net.init(dtype="float64")
    x, y = data(seed, 1, (2,))
    net.compile(target="numpy", dtype="float64").fit(params, x, y, optimizer=sbp.SGD(0.1), progress=False)
    np.testing.assert_allclose(params.state["batchnorm_1.running_var"], 0.9, rtol=1e-15)
    np.testing.assert_allclose(params.state["batchnorm_1.running_mean"], 0.1 * x[0], rtol=1e-14)


def test_only_training_changes_the_statistics_and_a_bad_epoch_none(seed):
    net = normed(rate=0.2)
    program, params = net.compile(target="numpy", dtype="float64"), net.init(dtype="float64")
    x, y = data(seed, 8)
    before = params.copy()
    program.value_and_grad(params, x, y, seed=1)
    program.loss(params, x, y, seed=1)
    program.predict(params, x)
    program.evaluate(params, x, y)
    program.bind(params, x, y, seed=1)()
    assert params == before
    bad = y.copy()
    bad[-1] = np.nan
    for checked in (False, True):
        other = net.compile(target="numpy", dtype="float64", check_finite=checked)
        with pytest.raises(sbp.DataError):
            other.fit(params, x, bad, optimizer=sbp.SGD(0.1), batch_size=4, shuffle=False, progress=False)
        assert params == before
    one, two = before.copy(), before.copy()
    program.fit(one, x, y, optimizer=sbp.SGD(0.1), batch_size=4, progress=False)
    net.compile(target="numpy", dtype="float64", check_finite=True).fit(two, x, y, optimizer=sbp.SGD(0.1), batch_size=4, progress=False)
    assert one == two and one != before


# --- parameters with statistics ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_statistics_are_kept_with_the_parameters_but_are_none(tmp_path, suffix, require_tool):
    if suffix == ".safetensors":
        require_tool("safetensors")
    net = normed()
    params = net.init(dtype="float32")
    assert list(params.state) == ["batchnorm_1.running_mean", "batchnorm_1.running_var"]
    assert params.flat.size == net.parameter_count and not set(params) & set(params.state)
    params.state["batchnorm_1.running_mean"][...] = [1, 2, 3]
    assert params.buffer[params.flat.size] == 1
    again = sbp.Parameters.load(params.save(tmp_path / f"kept{suffix}"))
    assert again == params and list(again.state) == list(params.state)
    for other in (params.copy(), pickle.loads(pickle.dumps(params)), net.parameters({**params, **params.state}), params.astype("float64")):
        assert np.array_equal(other.state["batchnorm_1.running_mean"], [1, 2, 3])
        other.state["batchnorm_1.running_mean"][...] = 0
    assert params.state["batchnorm_1.running_mean"][0] == 1
    assert net.parameters(dict(params)).state["batchnorm_1.running_var"].tolist() == [1, 1, 1]
    x, y = (a.astype("float32") for a in data(0, 4))
    with pytest.raises(sbp.DataError, match="running statistics"):
        net.compile(target="numpy").value_and_grad(sbp.Parameters(params.records, params.flat), x, y)


def test_gradients_have_no_statistics(seed):
    net = normed(regularizer=sbp.L2(0.1))
    params = net.init(dtype="float64")
    x, y = data(seed, 4)
    program = net.compile(target="numpy", dtype="float64")
    loss, grads = program.value_and_grad(params, x, y)
    assert grads.flat.size == params.flat.size and not grads.state
    assert program.value_and_grad(params, x, y, out=grads)[1] is grads and loss == program.loss(params, x, y)


# --- modules that stand alone ----------------------------------------------------------------------------------------------------


def test_a_written_module_trains_and_keeps_statistics_on_its_own(seed):
    net = normed(rate=0.25)
    texts = {a.path: a.text for a in net.artifacts(dtype="float64", batch=6, optimizer=sbp.Momentum(0.1, 0.9))}
    x, y = data(seed, 6)
    rng = np.random.default_rng(seed)
    start, mask = net.init(seed=seed, dtype="float64"), (rng.random((6, 3, 2, 2)) < 0.75).astype(float)
    results = []
    for path in ("normed/normed_numpy.py", "normed/normed_cpu.py"):
        made = executed(texts[path])
        assert [row[0] for row in made["STATISTICS"]] == list(start.state) and made["MASKS"] == (("dropout_1.mask", (3, 2, 2), 0.75),)
        params = np.zeros(made["STATISTICS"][-1][1] + 3)
        params[: start.flat.size] = start.flat
        for _, offset, shape, first in made["STATISTICS"]:
            params[offset : offset + int(np.prod(shape))] = first
        assert np.array_equal(params, start.buffer)
        grads, state = np.full(start.flat.size, np.nan), np.zeros(made["STATE_SIZE"])
        hyper, work = np.array([v for _, v in made["HYPER"]]), np.full(made["workspace"](6), np.nan)
        losses = [made["train_step"](params, x, mask, y, grads, state, hyper, work) for _ in range(6)]
        assert losses[-1] < losses[0]
        out = np.full((6, 2), np.nan)
        made["forward"](params, x, out, work)
        assert made["evaluation"](params, x, y, work) == pytest.approx(np.mean((out - y) ** 2), rel=1e-12)
        kept = params.copy()
        assert not np.isfinite(made["train_step"](params, x, mask, np.full_like(y, np.nan), grads, state, hyper, work))
        assert np.array_equal(params, kept)
        results.append((losses, params, out))
    for first, second in zip(*results, strict=True):
        # Six steps of the same arithmetic in another order of sums.
        np.testing.assert_allclose(first, second, rtol=1e-10, atol=1e-12)


def test_a_network_without_modes_has_no_word_of_them():
    net = sbp.Sequential([sbp.Input(3), sbp.Dense(2)], loss="mse", name="plain")
    for a in net.artifacts(optimizer=sbp.SGD(0.1)):
        assert not any(word in a.text for word in ("STATISTICS", "MASKS", "evaluation", "update_statistics", "P = grads.size"))


# --- masks -----------------------------------------------------------------------------------------------------------------------


def test_masks_depend_on_the_seed_and_the_layer_only(seed):
    one, two = MaskFace("dropout_1.mask", (40, 50), 0.75), MaskFace("dropout_2.mask", (40, 50), 0.75)
    (alone,) = masks.draw((one,), 3, seed, np.float64)
    first, second = masks.draw((one, two), 5, seed, np.float32)
    assert np.array_equal(alone, first[:3]) and not np.array_equal(first, second)
    assert set(np.unique(first)) == {0, 1}
    # 10,000 draws with standard deviation 0.0043: five of them.
    assert abs(first.mean() - 0.75) < 0.022
    assert not np.array_equal(masks.draw((one,), 3, seed + 1, np.float64)[0], alone)
    batches = masks.batches((one,), 3, seed, np.float64)
    drawn = [next(batches)[0].copy() for _ in range(2)]
    assert np.array_equal(drawn[0], alone) and not np.array_equal(drawn[0], drawn[1])


def test_a_seed_draws_the_mask_and_the_gradient_holds_it_fixed(seed):
    net = normed(rate=0.5)
    params, program = net.init(dtype="float64"), net.compile(target="numpy", dtype="float64")
    x, y = data(seed, 4)
    loss, grads = program.value_and_grad(params, x, y, seed=7)
    assert program.value_and_grad(params, x, y, seed=7)[0] == loss == program.loss(params, x, y, seed=7)
    assert program.loss(params, x, y, seed=8) != loss
    assert program.loss(params, x, y) == program.loss(params, x, y, seed=0)
    (mask,) = masks.draw((MaskFace("dropout_1.mask", (3, 2, 2), 0.5),), 4, 7, np.float64)
    found = net.derive().evaluate({**params, "x": x, "y": y, "dropout_1.mask": mask})
    assert found["loss"] == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(grads["conv2d_1.W"], found["grad.conv2d_1.W"], rtol=1e-10, atol=1e-13)
    step = program.bind(params, x, y, seed=7)
    assert step() == loss and np.array_equal(step.masks["dropout_1.mask"], mask)
    step.draw(8)
    assert step() == program.loss(params, x, y, seed=8)
    assert program.check(seed=seed).ok
    for bad in (1.5, "1", True):
        with pytest.raises(sbp.DataError, match="seed"):
            program.loss(params, x, y, seed=bad)


def test_a_derivation_asks_for_the_mask_by_name():
    net = normed(rate=0.5)
    x, y = data(0, 2)
    with pytest.raises(sbp.DataError, match=r"dropout_1\.mask"):
        net.derive().evaluate({**net.init(dtype="float64"), "x": x, "y": y})


# --- derivations and notes ---------------------------------------------------------------------------------------------------------


def test_batch_norm_has_the_three_term_backward_pass_of_the_textbook():
    x = sbp.Input(3)
    net = sbp.Network(inputs=x, outputs=sbp.Dense(2)(sbp.BatchNorm()(x)), loss="mse", name="one")
    derivation = net.derive()
    read = {t.name for t in derivation.gradients["x"].index.reads}
    assert read == {"batchnorm_1.gamma", "batchnorm_1.sigma", "batchnorm_1.x_hat", "grad.batchnorm_1.a"}
    rng = np.random.default_rng(0)
    values = {**net.init(dtype="float64"), "x": rng.standard_normal((5, 3)), "y": rng.standard_normal((5, 2))}
    values["batchnorm_1.gamma"] = rng.standard_normal(3)
    v = derivation.evaluate(values)
    g, h = v["grad.batchnorm_1.a"], v["batchnorm_1.x_hat"]
    expected = values["batchnorm_1.gamma"] / v["batchnorm_1.sigma"] * (g - g.mean(0) - h * (g * h).mean(0))
    np.testing.assert_allclose(v["grad.x"], expected, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(derivation.gradients["x"].evaluate(values, form="matrix"), expected, rtol=1e-12, atol=1e-15)


def test_what_mixes_the_samples_is_written_for_a_batch(tmp_path):
    net = sbp.Sequential(
        [sbp.Input(3), sbp.Dense(3), sbp.BatchNorm(), sbp.Dropout(0.5), sbp.Dense(2)], loss="mse", regularizer=sbp.L2(0.1), name="mixed"
    )
    with pytest.raises(sbp.DerivationError, match=r"batchnorm_1.*samples of a batch"):
        net.derive(per="sample")
    (file,) = net.artifacts(targets=("latex",))
    assert "Forward, a batch" in file.text and "one sample" not in file.text
    assert r"\Delta" in net.derive().latex() and net.derive().latex(steps=True)
    for name in ("note.md", "note.tex", "note.html"):
        sbp.notes(net, tmp_path / name, optimizer=sbp.SGD(0.1))
    text = (tmp_path / "note.md").read_text(encoding="utf-8")
    assert "For a batch of samples" in text and "## Inference" in text and "one sample the network" not in text
    assert "running statistics follow" in text and "by batches" not in text
    sample = sbp.Sequential([sbp.Input(3), sbp.Dropout(0.5), sbp.Dense(2)], loss="mse", name="dropped")
    sbp.notes(sample, tmp_path / "sample.md")
    text = (tmp_path / "sample.md").read_text(encoding="utf-8")
    assert "For one sample the network computes" in text and "these layers compute" in text


class TwoModes(sbp.Layer):
    """A layer of the user's own that would differ in inference."""

    def equations(self, x):
        return sbp.Equation(sbp.tensor("a", *x.axes)[x.axes], 2 * x[x.axes])

    def inference(self, x):
        return sbp.Equation(sbp.tensor("a", *x.axes)[x.axes], x[x.axes])


# --- bad input ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: sbp.BatchNorm(momentum=0), sbp.DeclarationError, "momentum"),
        (lambda: sbp.BatchNorm(momentum=1.5), sbp.DeclarationError, "momentum"),
        (lambda: sbp.BatchNorm(eps=-1), sbp.DeclarationError, "eps"),
        (lambda: sbp.Dropout(1), sbp.DeclarationError, "rate"),
        (lambda: sbp.Dropout(-0.1), sbp.DeclarationError, "rate"),
        (lambda: sbp.Dropout("half"), sbp.DeclarationError, "rate"),
        (lambda: sbp.Dropout(float("nan")), sbp.DeclarationError, "rate"),
        (lambda: sbp.Sequential([sbp.Input(3, dtype="int64"), sbp.BatchNorm()]), sbp.ShapeError, "int64"),
        (lambda: masked(mask=(5,)), sbp.ShapeError, r"mask.*\(4,\).*\(5,\)"),
        (lambda: masked(mask=(4, 6)), sbp.ShapeError, "mask"),
        (lambda: masked(x="int64"), sbp.ShapeError, "int64"),
        (lambda: sbp.PReLU(per_channel=1), sbp.DeclarationError, "per_channel"),
        (lambda: sbp.Activation("relu", learned={"k": 1.0}), sbp.DeclarationError, "'k'"),
        (lambda: sbp.Activation("f", "z*c", learned={"b": 1.0}), sbp.DeclarationError, "'c'"),
        (lambda: sbp.Activation("f", "z*a", learned={"a": 1.0}), sbp.DeclarationError, "'a'"),
        (lambda: sbp.Activation("f", "z*b", learned={"b": float("inf")}), sbp.DeclarationError, "finite"),
        (lambda: sbp.Activation("f", "z", learned=3), sbp.DeclarationError, "mapping"),
        (lambda: sbp.Activation("f", "z", per_channel=True), sbp.DeclarationError, "per_channel"),
        (lambda: sbp.Dense(3, activation=sbp.Activation("elu", learned={"alpha": 1.0})), sbp.DeclarationError, "layer of its own"),
        (lambda: sbp.Sequential([sbp.Input(3), TwoModes()]), sbp.DeclarationError, "TwoModes.*one mode"),
        (lambda: sbp.Residual([]), sbp.DeclarationError, "layers"),
        (lambda: sbp.Residual(sbp.Dense(3))(3), sbp.DeclarationError, "node"),
        (lambda: sbp.Residual([sbp.Dense(3), 4]), sbp.DeclarationError, "int"),
        (lambda: sbp.Sequential([sbp.Input(3), sbp.Residual(sbp.Dense(4))]), sbp.ShapeError, "add_1"),
    ],
)
def test_bad_input_is_refused_with_its_name(make, error, words):
    with pytest.raises(error, match=words):
        make()


# --- masked attention ----------------------------------------------------------------------------------------------------------------


def masked(x=None, mask=(4,), dtype=None, **options):
    values, there = sbp.Input((4, 6), dtype=x, name="x"), sbp.Input(mask, dtype=dtype, name="mask")
    return sbp.Network(inputs=(values, there), outputs=sbp.Attention(2, **options)(values, there), loss="mse", name="masked")


@pytest.mark.parametrize("dtype", [None, "int64"])
def test_a_query_without_keys_gives_the_bias_and_no_gradient(dtype, seed):
    net = masked(dtype=dtype, bias=True, causal=True)
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((3, 4, 6)), rng.standard_normal((3, 4, 6))
    there = np.array([[0, 0, 1, 1], [1, 1, 1, 1], [0, 0, 0, 0]], dtype or "float64")
    params = net.parameters({name: rng.standard_normal(v.shape) for name, v in net.init().items()})
    program = net.compile(target="numpy", dtype="float64")
    out = program.predict(params, (x, there))
    for hidden in (out[0, :2], out[2]):
        np.testing.assert_array_equal(hidden, np.broadcast_to(params["attention_1.b_o"], hidden.shape))
    found = net.derive().evaluate({**params, "x": x, "mask": there, "y": y})
    assert all(np.isfinite(v).all() for name, v in found.items() if name.startswith("grad."))
    assert not found["grad.x"][2].any()
    loss, grads = program.value_and_grad(params, (x, there), y)
    assert loss == pytest.approx(found["loss"], rel=1e-12)
    np.testing.assert_allclose(grads["attention_1.W_k"], found["grad.attention_1.W_k"], rtol=1e-10, atol=1e-13)


def test_a_mask_of_ones_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((2, 4, 6)), rng.standard_normal((2, 4, 6))
    plain = sbp.Sequential([sbp.Input((4, 6)), sbp.Attention(2)], loss="mse", name="seen")
    params = plain.init(dtype="float64")
    one = plain.derive().evaluate({**params, "x": x, "y": y})
    two = masked().derive().evaluate({**params, "x": x, "mask": np.ones((2, 4)), "y": y})
    for name, value in one.items():
        np.testing.assert_allclose(two[name], value, rtol=1e-13, atol=1e-15, err_msg=name)


def test_a_residual_block_is_wiring_under_the_usual_names():
    block = sbp.Residual([sbp.Dense(3, "tanh"), sbp.BatchNorm()])
    net = sbp.Sequential([sbp.Input(3), block, sbp.Residual(sbp.Dense(4), shortcut=sbp.Dense(4))], loss="mse", name="block")
    assert net.layers == ("dense_1", "batchnorm_1", "add_1", "dense_2", "dense_3", "add_2")
    x = sbp.Input(3)
    first = sbp.BatchNorm()(sbp.Dense(3, "tanh")(x)) + x
    by_hand = sbp.Network(inputs=x, outputs=sbp.Dense(4)(first) + sbp.Dense(4)(first), loss="mse", name="block")
    assert by_hand.spec.key == net.spec.key
