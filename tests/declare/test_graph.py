"""Names, shapes and wiring: what a network is before any equation is written."""

from __future__ import annotations

import pytest

import symbackprop as sbp


def names(net):
    return [layer.name for layer in net.spec.layers]


def test_layers_are_numbered_by_class_in_the_order_of_the_chain():
    net = sbp.Sequential([sbp.Input(4), sbp.Dense(3), sbp.Activation("tanh"), sbp.Dense(2), sbp.Activation("f")])
    assert names(net) == ["dense_1", "activation_1", "dense_2", "activation_2"]


def test_layers_are_numbered_depth_first_from_the_outputs_operands_left_to_right():
    x = sbp.Input(4)
    late, early = sbp.Dense(3), sbp.Dense(3)
    right, left = late(x), early(x)
    net = sbp.Network(inputs=x, outputs=sbp.Dense(2)(left + right * left))
    assert names(net) == ["dense_1", "dense_2", "multiply_1", "add_1", "dense_3"]
    assert net.spec.calls[0].layer == "dense_1"
    assert [c.inputs for c in net.spec.calls if c.layer == "add_1"] == [("dense_1", "multiply_1")]


def test_a_given_name_is_kept_and_not_counted():
    net = sbp.Sequential([sbp.Input(4), sbp.Dense(3, name="hidden"), sbp.Dense(2)])
    assert names(net) == ["hidden", "dense_1"]


def test_inputs_are_x_or_numbered():
    x = sbp.Input(4)
    assert sbp.Network(inputs=x, outputs=sbp.Dense(2)(x)).spec.inputs[0].name == "x"
    a, b, c = sbp.Input(2), sbp.Input(2, name="side"), sbp.Input(2)
    net = sbp.Network(inputs=[a, b, c], outputs=a + b + c)
    assert [i.name for i in net.spec.inputs] == ["x_1", "side", "x_3"]


def test_a_layer_called_twice_shares_its_parameters():
    x = sbp.Input(4)
    shared = sbp.Dense(4, activation="tanh")
    net = sbp.Network(inputs=x, outputs=shared(shared(x)))
    assert [p.name for p in net.spec.parameters] == ["dense_1.W", "dense_1.b"]
    assert [(c.layer, c.output) for c in net.spec.calls] == [("dense_1", "dense_1"), ("dense_1", "dense_1#2")]


def test_parameters_follow_one_another_without_gaps():
    net = sbp.Sequential([sbp.Input(4), sbp.Dense(3), sbp.Dense(2, bias=False)])
    assert [(p.name, p.offset, p.shape) for p in net.spec.parameters] == [
        ("dense_1.W", 0, (3, 4)),
        ("dense_1.b", 12, (3,)),
        ("dense_2.W", 15, (2, 3)),
    ]


def test_symbolic_sizes_flow_through_the_wiring():
    x = sbp.Input("n_1")
    net = sbp.Network(inputs=x, outputs=sbp.Concat()(sbp.Dense("n_2")(x), x, sbp.Dense(3)(x)))
    assert net.spec.shapes[net.spec.outputs[0]] == ("n_1 + n_2 + 3",)
    assert net.parameter_count is None
    n, m = sbp.sizes("n m")
    assert sbp.Sequential([sbp.Input(n), sbp.Dense(m)]).spec.parameters[0].shape == ("m", "n")


def test_a_deep_chain_needs_no_recursion():
    assert len(sbp.Sequential([sbp.Input(2), *(sbp.Dense(2) for _ in range(5000))]).spec.calls) == 5000


def test_equal_declarations_are_equal_specs_with_equal_keys():
    def make(units=3, **options):
        return sbp.Sequential(
            [sbp.Input(4), sbp.Dense(units, activation=sbp.Activation("leaky_relu", slope=0.2))], loss="mse", **options
        ).spec

    assert make() == make() and hash(make()) == hash(make()) and make().key == make().key
    others = [make(4), make(name="other"), make(regularizer=sbp.L2(0.1)), make().freeze("dense_1.b")]
    assert len({spec.key for spec in [make(), *others]}) == 5


def test_the_key_tells_own_expressions_and_own_layers_apart():
    def own(expression):
        return sbp.Sequential([sbp.Input(4), sbp.Dense(3, activation=sbp.Activation("g", expression))]).spec.key

    assert own(lambda z: z**2) == own(lambda u: u * u) != own(lambda z: z**3)
    assert own("z**2") != own("z**3")

    class Scale(sbp.Layer):
        def __init__(self, factor):
            super().__init__()
            self.factor = factor

        def equations(self, x):
            a = sbp.tensor("a", *x.axes)
            return (sbp.Equation(a[x.axes], self.factor * x[x.axes]),)

    def layered(factor):
        return sbp.Sequential([sbp.Input(4), Scale(factor)]).spec.key

    assert layered(2) == layered(2) != layered(3)


def test_freezing_takes_parameters_and_layers_and_refuses_other_names():
    net = sbp.Sequential([sbp.Input(4), sbp.Dense(3), sbp.Dense(2), sbp.Dense(1, trainable=False)])
    assert net.freeze("dense_1.b", "dense_2") is net
    assert [p.name for p in net.spec.parameters if p.trainable] == ["dense_1.W"]
    with pytest.raises(sbp.DeclarationError, match=r"did you mean 'dense_1\.W'"):
        net.freeze("dense_1.w")


def cycle():
    x = sbp.Input(2)
    first = sbp.Dense(2)(x)
    second = sbp.Dense(2)(first)
    first.inputs = (second,)
    return sbp.Network(inputs=x, outputs=second + sbp.Dense(2)(x))


def unlisted():
    x, other = sbp.Input(2), sbp.Input(2)
    return sbp.Network(inputs=x, outputs=x + other)


def unused():
    x, other = sbp.Input(2), sbp.Input(2)
    return sbp.Network(inputs=[x, other], outputs=sbp.Dense(2)(x))


def two_outputs():
    x = sbp.Input(2)
    return sbp.Network(inputs=x, outputs=[sbp.Dense(2)(x), sbp.Dense(2)(x)], loss="mse")


def chain(*layers, **options):
    return lambda: sbp.Sequential([sbp.Input(4), *layers], **options)


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (cycle, sbp.DeclarationError, "cycle"),
        (unlisted, sbp.DeclarationError, "not listed in inputs="),
        (unused, sbp.DeclarationError, "not used"),
        (two_outputs, sbp.DeclarationError, "one output"),
        (lambda: sbp.Sequential([sbp.Dense(3)]), sbp.DeclarationError, "starts with sbp.Input"),
        (lambda: sbp.Sequential([]), sbp.DeclarationError, "starts with sbp.Input"),
        (chain("relu"), sbp.DeclarationError, "item 2"),
        (chain(sbp.Input(3)), sbp.DeclarationError, "second Input"),
        (chain(sbp.Dense(3, name="a b")), sbp.DeclarationError, "not an identifier"),
        (chain(sbp.Dense(3, name="class")), sbp.DeclarationError, "keyword"),
        (chain(sbp.Dense(3, name="x\nimport os")), sbp.DeclarationError, "not an identifier"),
        (chain(sbp.Dense(3, name="lа")), sbp.DeclarationError, "not an identifier"),
        (chain(sbp.Dense(3, name="a"), sbp.Dense(3, name="a")), sbp.DeclarationError, "unique"),
        (chain(sbp.Dense(3, name="loss")), sbp.DeclarationError, "unique"),
        (chain(sbp.Dense(3), name="../up"), sbp.DeclarationError, "not an identifier"),
        (chain(sbp.Dense(3), name="import"), sbp.DeclarationError, "keyword"),
        (lambda: sbp.Input(0), sbp.DeclarationError, "positive"),
        (lambda: sbp.Input(-2), sbp.DeclarationError, "positive"),
        (lambda: sbp.Input(2.5), sbp.DeclarationError, "not a size"),
        (lambda: sbp.Input("N"), sbp.DeclarationError, "batch size"),
        (lambda: sbp.Input(()), sbp.DeclarationError, "at least one axis"),
        (lambda: sbp.Input(3, dtype="float16"), sbp.DeclarationError, "dtype"),
        (lambda: sbp.Input(3, name="1x"), sbp.DeclarationError, "not an identifier"),
        (lambda: sbp.Dense(True), sbp.DeclarationError, "not a size"),
        (lambda: sbp.Dense("a-b"), sbp.DeclarationError, "not an identifier"),
        (lambda: sbp.Dense(3, bias="no"), sbp.DeclarationError, "bias"),
        (lambda: sbp.Dense(3)(3), sbp.DeclarationError, "called on nodes"),
        (lambda: sbp.Dense(3)(sbp.Dense(4)), sbp.DeclarationError, "call the layer first"),
        (lambda: sbp.Input(3) + 1, sbp.DeclarationError, "both sides"),
        (lambda: sbp.Network(inputs=3, outputs=sbp.Input(3)), sbp.DeclarationError, "takes nodes"),
        (lambda: sbp.Sequential([sbp.Input(3, dtype="int64"), sbp.Dense(2)]), sbp.ShapeError, "int64"),
    ],
    ids=range(31),
)
def test_bad_declarations_are_refused_in_one_line(make, error, said):
    with pytest.raises(error, match=said) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_a_shape_error_names_layer_expected_and_given():
    x = sbp.Input(4)
    with pytest.raises(sbp.ShapeError, match=r"layer add_1: .*one shape.*\(4,\).*\(3,\)"):
        sbp.Network(inputs=x, outputs=x + sbp.Dense(3)(x))
    with pytest.raises(sbp.ShapeError, match="layer concat_1"):
        other = sbp.Input((2, 4))
        sbp.Network(inputs=[x, other], outputs=sbp.Concat()(x, other))
    shared, y = sbp.Dense(3), sbp.Input(5)
    with pytest.raises(sbp.ShapeError, match=r"dense_1.*\(3, 4\).*\(3, 5\)"):
        sbp.Network(inputs=[x, y], outputs=shared(x) + shared(y))
