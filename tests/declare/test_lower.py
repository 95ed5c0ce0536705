"""Lowered networks, interpreted, against direct NumPy."""

from __future__ import annotations

import time

import numpy as np
import pytest

import symbackprop as sbp
from symbackprop.algebra.interpret import interpret
from symbackprop.declare.lower import lower

RNG = np.random.default_rng(3)


def draw(net):
    return {p.name: RNG.standard_normal(p.shape) for p in net.spec.parameters}


def test_two_layers_are_two_matrix_products():
    net = sbp.Sequential([sbp.Input(4), sbp.Dense(3, activation="tanh"), sbp.Dense(2, bias=False)], loss="half_squared_error")
    v, x, y = draw(net), RNG.standard_normal((5, 4)), RNG.standard_normal((5, 2))
    model = lower(net.spec)
    env = interpret(model.system, {**v, "x": x, "y": y})
    a = np.tanh(x @ v["dense_1.W"].T + v["dense_1.b"])
    np.testing.assert_allclose(env["dense_1.a"], a, rtol=1e-13)
    np.testing.assert_allclose(env[model.outputs[0]], a @ v["dense_2.W"].T, rtol=1e-12)
    assert float(env["loss"]) == pytest.approx(0.5 * ((a @ v["dense_2.W"].T - y) ** 2).sum() / 5, rel=1e-12)


def test_the_model_says_what_each_tensor_is_for():
    net = sbp.Sequential([sbp.Input(4), sbp.Dense(3, activation="relu"), sbp.Dense(2)], loss="softmax_cross_entropy", name="net")
    model = lower(net.freeze("dense_2.b").spec, "labels")
    assert (model.name, model.inputs, model.target, model.outputs, model.loss) == ("net", ("x",), "y", ("dense_2.z",), "loss")
    assert [(r.name, r.pre, r.output, r.activation) for r in model.layers] == [
        ("dense_1", "dense_1.z", "dense_1.a", "relu"),
        ("dense_2", "dense_2.z", "dense_2.z", None),
    ]
    tensors = model.system.tensors
    assert tensors["y"].integer and str(tensors["y"].shape) == "(N,)"
    assert {name: tensors[name].role for name in ("x", "dense_1.W", "dense_1.z")} == {
        "x": "input",
        "dense_1.W": "parameter",
        "dense_1.z": "stored",
    }
    assert [p.name for p in model.parameters if not p.trainable] == ["dense_2.b"]
    assert model.system.defined == ("dense_1.z", "dense_1.a", "dense_2.z", "loss.S", "loss.p", "loss.L", "loss")
    assert model.layers[0].name in {b.owner for b in model.system.blocks}


def test_the_loss_can_be_left_out():
    model = lower(sbp.Sequential([sbp.Input(4), sbp.Dense(3)], loss="mse").spec, loss=False)
    assert model.loss is None and model.target is None and model.system.defined == ("dense_1.z",)


def test_one_sample_is_the_batch_of_one_without_penalty():
    net = sbp.Sequential(
        [sbp.Input(4), sbp.Dense(3, activation="softmax"), sbp.Dense(3)], loss="softmax_cross_entropy", regularizer=sbp.L2(0.5)
    )
    v, x, y = draw(net), RNG.standard_normal((1, 4)), np.array([2])
    batch = interpret(lower(net.spec, "labels").system, {**v, "x": x, "y": y})
    model = lower(net.spec, "labels", per="sample")
    sample = interpret(model.system, {**v, "x": x[0], "y": y[0]})
    assert "N" not in {s.name for s in model.system.sizes}
    np.testing.assert_allclose(sample["dense_2.z"], batch["dense_2.z"][0], rtol=1e-14)
    assert float(sample["loss"]) == pytest.approx(float(batch["loss.data"]), rel=1e-14)


def test_a_mean_over_outputs_stays_in_the_sample_form():
    net = sbp.Sequential([sbp.Input(4), sbp.Dense(3)], loss="mse")
    v, x, y = draw(net), RNG.standard_normal(4), RNG.standard_normal(3)
    env = interpret(lower(net.spec, per="sample").system, {**v, "x": x, "y": y})
    assert float(env["loss"]) == pytest.approx(((v["dense_1.W"] @ x + v["dense_1.b"] - y) ** 2).mean())


def test_dense_acts_on_the_last_axis_of_a_sequence():
    net = sbp.Sequential([sbp.Input((6, 4)), sbp.Dense(3, activation="relu")])
    v, x = draw(net), RNG.standard_normal((2, 6, 4))
    model = lower(net.spec)
    out = interpret(model.system, {**v, "x": x})[model.outputs[0]]
    np.testing.assert_allclose(out, np.maximum(x @ v["dense_1.W"].T + v["dense_1.b"], 0), rtol=1e-13)


@pytest.mark.parametrize("shape", [(5,), (3, 4), (2, 3, 4), (2, 2, 3, 2), (7, 7, 3)])
def test_flatten_is_reshape_in_c_order(shape):
    model = lower(sbp.Sequential([sbp.Input(shape), sbp.Flatten()]).spec)
    x = RNG.standard_normal((2, *shape))
    assert np.array_equal(interpret(model.system, {"x": x})["flatten_1.a"], x.reshape(2, -1))


def test_concat_add_and_multiply_are_numpys():
    a, b = sbp.Input((2, 3)), sbp.Input((2, 4))
    joined = sbp.Concat()(a, b, a)
    net = sbp.Network(inputs=[a, b], outputs=sbp.Add()(joined * joined, joined, joined))
    model = lower(net.spec)
    u, v = RNG.standard_normal((5, 2, 3)), RNG.standard_normal((5, 2, 4))
    c = np.concatenate([u, v, u], axis=-1)
    np.testing.assert_allclose(interpret(model.system, {"x_1": u, "x_2": v})[model.outputs[0]], c * c + 2 * c, rtol=1e-14)


def test_a_shared_layer_has_one_weight_and_two_outputs():
    x = sbp.Input(3)
    shared = sbp.Dense(3, activation="tanh")
    net = sbp.Network(inputs=x, outputs=shared(shared(x)), loss="mse")
    model = lower(net.spec)
    assert [r.output for r in model.layers] == ["dense_1.a", "dense_1.a_2"] and model.layers[1].pre == "dense_1.z_2"
    v, data = draw(net), RNG.standard_normal((2, 3))
    env = interpret(model.system, {**v, "x": data, "y": data})
    once = np.tanh(data @ v["dense_1.W"].T + v["dense_1.b"])
    np.testing.assert_allclose(env["dense_1.a_2"], np.tanh(once @ v["dense_1.W"].T + v["dense_1.b"]), rtol=1e-13)


def test_an_input_may_be_the_output():
    x = sbp.Input(3)
    model = lower(sbp.Network(inputs=x, outputs=x, loss="mse").spec)
    assert float(interpret(model.system, {"x": np.ones((1, 3)), "y": np.zeros((1, 3))})["loss"]) == 1


def test_symbolic_sizes_take_their_values_from_the_arrays():
    net = sbp.Sequential([sbp.Input("n_j"), sbp.Dense("n_i", activation="tanh"), sbp.Dense("n_j")], loss="mse")
    model = lower(net.spec)
    v = {
        "dense_1.W": RNG.standard_normal((2, 3)),
        "dense_1.b": np.zeros(2),
        "dense_2.W": RNG.standard_normal((3, 2)),
        "dense_2.b": np.ones(3),
    }
    x = RNG.standard_normal((4, 3))
    out = interpret(model.system, {**v, "x": x, "y": x})["dense_2.z"]
    np.testing.assert_allclose(out, np.tanh(x @ v["dense_1.W"].T) @ v["dense_2.W"].T + 1, rtol=1e-13)


def test_a_thousand_layers_are_two_templates_and_lower_at_once():
    net = sbp.Sequential([sbp.Input(8), *(sbp.Dense(8 + k % 2, activation="tanh") for k in range(1000))], loss="mse")
    lower(net.spec)
    start = time.process_time()
    model = lower(net.spec)
    assert time.process_time() - start < 0.5
    assert len({block.template.key for block in model.system.blocks}) == 2


def test_a_template_does_not_depend_on_sizes():
    def templates(width):
        return {b.template for b in lower(sbp.Sequential([sbp.Input(width), sbp.Dense(width + 1)], loss="mse").spec).system.blocks}

    assert templates(3) == templates(300)


class Scale(sbp.Layer):
    """a[n, i] = g[i] x[n, i]²."""

    def parameters(self, x):
        return (sbp.tensor("g", x.axes[-1]),)

    def equations(self, x):
        n, i = x.axes
        (g,) = self.parameters(x)
        s, a = sbp.tensor("s", n, i), sbp.tensor("a", n, i)
        return (sbp.Equation(s[n, i], x[n, i] ** 2), sbp.Equation(a[n, i], g[i] * s[n, i]))


def test_an_own_layer_is_its_equations():
    net = sbp.Sequential([sbp.Input(4), Scale(), sbp.Dense(2), Scale(name="last")], loss="mse")
    assert [p.name for p in net.spec.parameters] == ["scale_1.g", "dense_1.W", "dense_1.b", "last.g"]
    v, x = draw(net), RNG.standard_normal((3, 4))
    model = lower(net.spec)
    env = interpret(model.system, {**v, "x": x, "y": np.zeros((3, 2))})
    np.testing.assert_allclose(env["scale_1.a"], v["scale_1.g"] * x**2, rtol=1e-14)
    z = env["scale_1.a"] @ v["dense_1.W"].T + v["dense_1.b"]
    np.testing.assert_allclose(env[model.outputs[0]], v["last.g"] * z**2, rtol=1e-13)
    sample = interpret(lower(net.spec, per="sample").system, {**v, "x": x[1], "y": np.zeros(2)})
    np.testing.assert_allclose(sample["last.a"], env["last.a"][1], rtol=1e-13)


class Mixing(sbp.Layer):
    def equations(self, x):
        n, i = x.axes
        (m,) = (sbp.indices("m", n.extent),)
        a = sbp.tensor("a", n, i)
        return (sbp.Equation(a[n, i], x[n, i] - sbp.Sum(x[m, i], m)),)


def test_a_layer_over_the_batch_has_its_sum_read_as_one_sample():
    net = sbp.Sequential([sbp.Input(2), Mixing()])
    x = RNG.standard_normal((3, 2))
    np.testing.assert_allclose(interpret(lower(net.spec).system, {"x": x})["mixing_1.a"], x - x.sum(axis=0), rtol=1e-13)


class Stray(sbp.Layer):
    def equations(self, x):
        n, i = x.axes
        a, q = sbp.tensor("a", n, i), sbp.tensor("q", i)
        return (sbp.Equation(a[n, i], q[i] * x[n, i]),)


class Silent(sbp.Layer):
    pass


class NoBatch(sbp.Layer):
    def equations(self, x):
        n, i = x.axes
        a = sbp.tensor("a", i)
        return (sbp.Equation(a[i], sbp.Sum(x[n, i], n)),)


class Wrong(sbp.Layer):
    def equations(self, x):
        return "a = x"


@pytest.mark.parametrize(
    ("kind", "said"),
    [(Stray, "q is neither an input"), (Silent, "no equations"), (NoBatch, "batch as its first axis"), (Wrong, "returns str")],
)
def test_a_bad_own_layer_is_refused_and_named(kind, said):
    with pytest.raises(sbp.DeclarationError, match=said) as caught:
        sbp.Sequential([sbp.Input(2), kind()])
    assert kind.__name__ in str(caught.value).split("\n")[0]


def test_per_and_target_are_checked():
    spec = sbp.Sequential([sbp.Input(2), sbp.Dense(2)], loss="softmax_cross_entropy").spec
    with pytest.raises(sbp.DeclarationError, match="per must be"):
        lower(spec, per="epoch")
    with pytest.raises(sbp.DeclarationError, match="rows or labels"):
        lower(spec, "columns")
