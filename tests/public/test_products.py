"""Products with derivatives as kernels: jvp, vjp, hvp, Jacobians and Hessians against PyTorch, each other and differences."""

from __future__ import annotations

import numpy as np
import pytest

import symbackprop as sbp


def mlp():
    layers = [sbp.Input(5), sbp.Dense(6, activation="tanh"), sbp.Dense(4, activation="sigmoid"), sbp.Dense(3)]
    return sbp.Sequential(layers, loss="softmax_cross_entropy", name="products_mlp")


def lenet():
    layers = [
        sbp.Input((1, 8, 8)),
        sbp.Conv2D(2, 3, padding=1, activation="tanh"),
        sbp.MaxPool2D(2),
        sbp.Conv2D(3, 3, activation="sigmoid"),
        sbp.AvgPool2D(2),
        sbp.Flatten(),
        sbp.Dense(3),
    ]
    return sbp.Sequential(layers, loss="softmax_cross_entropy", name="products_lenet")


def transformer():
    x = sbp.Input((3, 4))
    h = x + sbp.Attention(2, causal=True)(sbp.LayerNorm()(x))
    out = h + sbp.Dense(4)(sbp.Dense(5, activation="gelu")(sbp.LayerNorm()(h)))
    return sbp.Network(inputs=x, outputs=sbp.Dense(2)(sbp.Flatten()(out)), loss="mse", name="products_transformer")


def lstm():
    return sbp.Sequential([sbp.Input((3, 2)), sbp.LSTM(3), sbp.Dense(2)], loss="mse", name="products_lstm")


def torch_mlp(torch, F, x, p):
    return F.linear(torch.sigmoid(F.linear(torch.tanh(F.linear(x, *p[:2])), *p[2:4])), *p[4:])


def torch_lenet(torch, F, x, p):
    a = F.max_pool2d(torch.tanh(F.conv2d(x, *p[:2], padding=1)), 2)
    return F.linear(F.avg_pool2d(torch.sigmoid(F.conv2d(a, *p[2:4])), 2).flatten(1), *p[4:])


def torch_transformer(torch, F, x, p):
    gamma, beta, w_q, w_k, w_v, w_o, gamma_2, beta_2, *rest = p
    a = F.layer_norm(x, (4,), gamma, beta)
    q, k, v = (F.linear(a, w).unflatten(-1, (2, 2)).transpose(1, 2) for w in (w_q, w_k, w_v))
    scores = (q @ k.transpose(-1, -2) / 2**0.5).masked_fill(torch.ones(3, 3).triu(1).bool(), -torch.inf)
    h = x + F.linear((scores.softmax(-1) @ v).transpose(1, 2).flatten(2), w_o)
    out = h + F.linear(F.gelu(F.linear(F.layer_norm(h, (4,), gamma_2, beta_2), *rest[:2])), *rest[2:4])
    return F.linear(out.flatten(1), *rest[4:])


def torch_lstm(torch, F, x, p):
    w_x, w_h, b, *last = p
    h = c = torch.zeros(len(x), 3, dtype=x.dtype)
    for t in range(3):
        i, f, g, o = (F.linear(x[:, t], w_x, b) + F.linear(h, w_h)).chunk(4, -1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
    return F.linear(h, *last)


NETS = {"mlp": (mlp, torch_mlp), "lenet": (lenet, torch_lenet), "transformer": (transformer, torch_transformer), "lstm": (lstm, torch_lstm)}


class Call:
    """A network with arguments and directions."""

    def __init__(self, name, seed, batch=2):
        self.net, self.torch = NETS[name][0](), NETS[name][1]
        rng = np.random.default_rng([seed, *map(ord, name)])
        self.program = self.net.compile(target="numpy", dtype="float64")
        self.params = self.net.init(seed=seed, dtype="float64")
        self.params.flat[:] += 0.3 * rng.standard_normal(self.params.flat.size)
        self.v = sbp.Parameters(self.params.records, rng.standard_normal(self.params.flat.size))
        shape = (batch, *self.net.spec.inputs[0].shape)
        self.x, self.vx = rng.standard_normal(shape), rng.standard_normal(shape)
        outputs = self.net.spec.shapes[self.net.spec.outputs[0]]
        self.labelled = self.net.spec.loss.name == "softmax_cross_entropy"
        self.y = rng.integers(0, outputs[0], batch) if self.labelled else rng.standard_normal((batch, *outputs))
        self.u = rng.standard_normal((batch, *outputs))


@pytest.mark.parametrize("name", sorted(NETS))
def test_products_are_those_of_pytorch(name, seed, require_tool):
    """In float64 both sum the same few hundred terms: 1e-9 is promised, 1e-14 is seen."""
    require_tool("torch")
    import torch
    import torch.nn.functional as F  # noqa: N812

    c = Call(name, seed)
    names = list(c.params)
    own = tuple(torch.tensor(c.params[k]) for k in names)
    x, y, along = torch.tensor(c.x), torch.tensor(c.y), (*(torch.tensor(c.v[k]) for k in names), torch.tensor(c.vx))

    def output(*given):
        return c.torch(torch, F, given[-1], given[:-1])

    def loss(*given):
        return (F.cross_entropy if c.labelled else F.mse_loss)(output(*given), y)

    def same(found, expected, what):
        np.testing.assert_allclose(found, np.asarray(expected), rtol=1e-9, atol=1e-11, err_msg=f"{what} of {name}, seed {seed}")

    out, moved = c.program.jvp(c.params, c.x, (c.v, c.vx))
    expected = torch.autograd.functional.jvp(output, (*own, x), along)
    same(out, expected[0], "output")
    same(moved, expected[1], "jvp")
    for key, g in zip((*names, "x"), torch.autograd.functional.vjp(output, (*own, x), torch.tensor(c.u))[1], strict=True):
        same(c.program.vjp(c.params, c.x, c.u, wrt="both")[key], g, f"vjp, {key}")
    expected = torch.autograd.functional.hvp(loss, (*own, x), along)[1]
    for route in ("forward", "reverse"):
        products, inputs = c.program.hvp(c.params, c.x, c.y, (c.v, c.vx), route=route)
        for key, g in zip((*names, "x"), expected, strict=True):
            same(inputs if key == "x" else products[key], g, f"hvp, {route}, {key}")
    whole = torch.autograd.functional.jacobian(lambda z: output(*own, z), x)
    same(c.program.jacobian(c.params, c.x), np.stack([np.asarray(whole[n])[:, n] for n in range(len(c.x))]), "jacobian")
    same(c.program.hessian(c.params, c.x, c.y, wrt="inputs"), torch.autograd.functional.hessian(lambda z: loss(*own, z), x), "hessian")


@pytest.mark.parametrize("name", ["mlp", "lstm"])
def test_whole_derivatives_with_respect_to_one_parameter_are_those_of_pytorch(name, seed, require_tool):
    require_tool("torch")
    import torch
    import torch.nn.functional as F  # noqa: N812

    c = Call(name, seed)
    names = list(c.params)
    own, x, y = tuple(torch.tensor(c.params[k]) for k in names), torch.tensor(c.x), torch.tensor(c.y)

    def output(*given):
        return c.torch(torch, F, given[-1], given[:-1])

    def loss(*given):
        return (F.cross_entropy if c.labelled else F.mse_loss)(output(*given), y)

    def same(found, expected, what):
        np.testing.assert_allclose(found, np.asarray(expected), rtol=1e-9, atol=1e-11, err_msg=f"{what} of {name}, seed {seed}")

    last = names[-2]
    at = names.index(last)
    expected = torch.autograd.functional.jacobian(lambda w: output(*own[:at], w, *own[at + 1 :], x), own[at])
    same(c.program.jacobian(c.params, c.x, wrt=last), expected, f"jacobian, {last}")
    expected = torch.autograd.functional.hessian(lambda w: loss(*own[:at], w, *own[at + 1 :], x), own[at])
    same(c.program.hessian(c.params, c.x, c.y, wrt=last), expected, f"hessian, {last}")


@pytest.mark.parametrize("name", ["mlp", "lstm"])
def test_the_whole_hessian_is_symmetric_and_its_columns_are_products(name, seed):
    c = Call(name, seed)
    H = c.program.hessian(c.params, c.x, c.y)
    assert H.shape == (c.params.flat.size,) * 2
    # Every entry is a sum of a few dozen terms of size 1 or less.
    np.testing.assert_allclose(H, H.T, atol=1e-13)
    np.testing.assert_allclose(H @ c.v.flat, c.program.hvp(c.params, c.x, c.y, c.v).flat, atol=1e-12)
    J = c.program.jacobian(c.params, c.x, wrt="parameters")
    np.testing.assert_allclose(J @ c.v.flat, c.program.jvp(c.params, c.x, c.v)[1], atol=1e-12)


@pytest.mark.parametrize("target", ["numpy", "cpu"])
def test_float32_agrees_with_float64(target, seed):
    net = sbp.Sequential([sbp.Input(4), sbp.Dense(5, activation="tanh"), sbp.Dense(2)], loss="mse", name="products_single")
    params, rng = net.init(seed=seed, dtype="float64"), np.random.default_rng(seed)
    v = sbp.Parameters(params.records, rng.standard_normal(params.flat.size))
    x, y = rng.standard_normal((3, 4)), rng.standard_normal((3, 2))
    pairs = []
    for one, dtype in ((target, "float32"), ("numpy", "float64")):
        program = net.compile(target=one, dtype=dtype)
        p, w, a, b = params.astype(dtype), v.astype(dtype), x.astype(dtype), y.astype(dtype)
        pairs.append((program.jvp(p, a, w)[1], program.hvp(p, a, b, w).flat))
    for found, expected in zip(*pairs, strict=True):
        assert found.dtype == np.float32
        # Values of size 1 to 10, and sums of up to ten of them at 6e-8 each.
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


def test_a_recurrence_and_a_pool_have_the_same_products_on_both_targets(seed):
    x = sbp.Input((4, 2))
    h = sbp.SimpleRNN(2, return_sequences=True)(x)
    pooled = sbp.MaxPool2D(2)(sbp.Reshape((1, 4, 2))(h))
    net = sbp.Network(inputs=x, outputs=sbp.Flatten()(pooled), loss="mse", name="products_both")
    params = net.init(seed=seed, dtype="float64")
    rng = np.random.default_rng(seed)
    v = sbp.Parameters(params.records, rng.standard_normal(params.flat.size))
    x, y = rng.standard_normal((3, 4, 2)), rng.standard_normal((3, 2))
    arrays, loops = (net.compile(target=t, dtype="float64") for t in ("numpy", "cpu"))
    # The same sums in another order.
    np.testing.assert_allclose(arrays.hvp(params, x, y, v).flat, loops.hvp(params, x, y, v).flat, atol=1e-13)
    np.testing.assert_allclose(
        arrays.hvp(params, x, y, v).flat, arrays.hvp(params, x, y, v, route="reverse").flat, atol=1e-13, err_msg="both routes"
    )


def test_random_layers_and_running_statistics_are_those_of_the_call(seed):
    layers = [sbp.Input(6), sbp.Dense(5), sbp.BatchNorm(), sbp.Activation("tanh"), sbp.Dropout(0.5), sbp.Dense(2)]
    net = sbp.Sequential(layers, loss="mse", name="products_modes")
    program, params = net.compile(target="numpy", dtype="float64"), net.init(seed=seed, dtype="float64")
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((4, 6)), rng.standard_normal((4, 2))
    v = sbp.Parameters(params.records, rng.standard_normal(params.flat.size))
    for value in params.state.values():
        value[...] = rng.uniform(0.5, 2, value.shape)
    h = 1e-6

    def at(sign, what):
        moved = params.copy()
        moved.flat[:] += sign * h * v.flat
        return what(moved)

    slope = (at(1, lambda p: program.predict(p, x)) - at(-1, lambda p: program.predict(p, x))) / (2 * h)
    # Central differences with h = 1e-6: h² of curvature and 1e-16/h of rounding.
    np.testing.assert_allclose(program.jvp(params, x, v)[1], slope, atol=1e-8)

    def gradient(p):
        return program.value_and_grad(p, x, y, seed=7)[1].flat

    slope = (at(1, gradient) - at(-1, gradient)) / (2 * h)
    np.testing.assert_allclose(program.hvp(params, x, y, v, seed=7).flat, slope, atol=1e-7)


def test_written_products_stand_alone(seed, tmp_path):
    net = sbp.Sequential([sbp.Input(3), sbp.Dense(2, activation="tanh")], loss="mse", name="alone")
    paths = net.generate(tmp_path, targets=("numpy",), dtype="float64", products=("jvp", "vjp", "hvp"))
    assert [p.name for p in paths] == ["alone_numpy.py", "alone_jvp_numpy.py", "alone_vjp_numpy.py", "alone_hvp_numpy.py"]
    source = paths[-1].read_text(encoding="utf-8")
    assert "symbackprop" not in source
    module = {"__name__": "alone_hvp_numpy"}
    exec(compile(source, str(paths[-1]), "exec"), module)
    rng = np.random.default_rng(seed)
    params, v, hv = rng.standard_normal(8), rng.standard_normal(8), np.empty(8)
    x, y = rng.standard_normal((4, 3)), rng.standard_normal((4, 2))
    module["hvp"](params, x, y, v, hv)
    records = net.init(0, "float64").records
    program = net.compile(target="numpy", dtype="float64")
    np.testing.assert_array_equal(hv, program.hvp(sbp.Parameters(records, params), x, y, sbp.Parameters(records, v)).flat)
    with pytest.raises(sbp.DeclarationError, match="known: jvp, vjp, hvp"):
        net.generate(tmp_path, products=("hessian",))


def test_frozen_parameters_stand_still(seed):
    net = mlp().freeze("dense_1")
    program, params = net.compile(target="numpy", dtype="float64"), net.init(seed=seed, dtype="float64")
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((2, 5)), np.array([0, 2])
    v = sbp.Parameters(params.records, rng.standard_normal(params.flat.size))
    product = program.hvp(params, x, y, v)
    assert not product["dense_1.W"].any() and product["dense_2.W"].any()
    assert not program.vjp(params, x, np.ones((2, 3)))["dense_1.b"].any()
    with pytest.raises(sbp.DataError, match="frozen"):
        program.hessian(params, x, y, wrt="dense_1.W")


def test_a_network_that_mixes_samples_has_no_jacobian_of_each():
    class Centred(sbp.Layer):
        def equations(self, x):
            (n, i) = x.axes
            m = sbp.indices("m", n.extent)
            z = sbp.tensor("z", n, i)
            return [sbp.Equation(z[n, i], x[n, i] - sbp.Sum(x[m, i], m) / n.extent)]

    net = sbp.Sequential([sbp.Input(3), Centred(), sbp.Dense(2)], loss="mse", name="products_mixed")
    program, params = net.compile(target="numpy", dtype="float64"), net.init(0, "float64")
    x = np.random.default_rng(0).standard_normal((3, 3))
    with pytest.raises(sbp.DerivationError, match="mixes the samples"):
        program.jacobian(params, x)
    v = params.copy()
    np.testing.assert_allclose(program.jacobian(params, x, wrt="parameters") @ v.flat, program.jvp(params, x, v)[1], atol=1e-13)


def test_bad_arguments_are_named_before_anything_is_computed():
    net = sbp.Sequential(
        [sbp.Input(3, dtype="int64"), sbp.Embedding(5, 2), sbp.Flatten(), sbp.Dense(3)], loss="softmax_cross_entropy", name="tokens"
    )
    program, params = net.compile(target="numpy", dtype="float64"), net.init(0, "float64")
    x, y = np.array([[0, 1, 4], [2, 2, 0]]), np.array([0, 2])
    v = params.copy()
    bad = [
        (lambda: program.jvp(params, x + 1, v), sbp.DataError, "tokens must lie in 0..4"),
        (lambda: program.hvp(params, x, y + 1, v), sbp.DataError, "labels must lie in 0..2"),
        (lambda: program.jvp(params, x, x), sbp.DataError, "holds integers"),
        (lambda: program.jacobian(params, x), sbp.DataError, "holds integers"),
        (lambda: program.jacobian(params, x, wrt="dense_1.w"), sbp.DataError, "dense_1.W"),
        (lambda: program.vjp(params, x, np.zeros((2, 4))), sbp.ShapeError, r"cotangent: expected shape \(2, 3\)"),
        (lambda: program.hvp(params, x, y, v, route="both"), sbp.DataError, "'reverse' or 'forward'"),
        (lambda: program.hvp(params, x, y, [v]), sbp.DataError, "v: expected Parameters"),
        (lambda: program.jvp(params, x, v.astype("float32")), sbp.DataError, "tangent: the program computes in float64"),
    ]
    for call, error, words in bad:
        with pytest.raises(error, match=words):
            call()


def test_what_is_too_large_is_refused_with_its_size():
    net = sbp.Sequential([sbp.Input(100), sbp.Dense(100)], loss="mse", name="large")
    program, params = net.compile(target="numpy", dtype="float64"), net.init(0, "float64")
    x = np.zeros((2, 100))
    with pytest.raises(sbp.ShapeError, match=r"Hessian of 10100 parameters has 102,010,000 entries.*hvp"):
        program.hessian(params, x, np.zeros((2, 100)))
    with pytest.raises(sbp.ShapeError, match=r"Jacobian of 100 outputs for 2000 samples .* jvp or vjp"):
        program.jacobian(params, np.zeros((2000, 100)))


def test_a_network_without_a_loss_has_jacobians_but_no_hessian():
    net = sbp.Sequential([sbp.Input(2), sbp.Dense(2, activation="tanh")], name="no_loss")
    program, params = net.compile(target="numpy", dtype="float64"), net.init(0, "float64")
    x = np.ones((1, 2))
    a = program.predict(params, x)
    np.testing.assert_allclose(program.jacobian(params, x)[0], (1 - a[0, :, None] ** 2) * params["dense_1.W"], atol=1e-15)
    with pytest.raises(sbp.DerivationError, match="no loss"):
        program.hvp(params, x, x, params.copy())


def test_several_inputs_have_blocks(seed):
    a, b = sbp.Input(2, name="left"), sbp.Input(3, name="right")
    net = sbp.Network(inputs=(a, b), outputs=sbp.Bilinear(2)(a, b), loss="mse", name="pairs")
    program, params = net.compile(target="numpy", dtype="float64"), net.init(seed, "float64")
    rng = np.random.default_rng(seed)
    x, y = {"left": rng.standard_normal((2, 2)), "right": rng.standard_normal((2, 3))}, rng.standard_normal((2, 2))
    J = program.jacobian(params, x)
    assert {k: j.shape for k, j in J.items()} == {"left": (2, 2, 2), "right": (2, 2, 3)}
    np.testing.assert_allclose(J["left"], np.einsum("ijk,nk->nij", params["bilinear_1.W"], x["right"]), atol=1e-15)
    H = program.hessian(params, x, y, wrt="inputs")
    np.testing.assert_allclose(H["left"]["right"], H["right"]["left"].transpose(2, 3, 0, 1), atol=1e-15)
