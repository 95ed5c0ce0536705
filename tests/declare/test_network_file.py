"""Network files: the same networks as in Python, and hostile ones refused in one line."""

from __future__ import annotations

import pytest

import symbackprop as sbp

GOOD = """
name = "small"
loss = { name = "huber", reduction = "sum", delta = 0.5 }
regularizer = { name = "L2", lam = 1e-4 }
frozen = ["hidden.b"]
[inputs]
x = [2, 3]
[[layers]]
kind = "Flatten"
name = "flat"
[[layers]]
kind = "Dense"
name = "hidden"
units = 5
activation = { name = "swish", expression = "z/(1 + exp(-k*z))", k = 2 }
[[layers]]
kind = "Concat"
name = "both"
reads = ["flat", "hidden"]
[[layers]]
kind = "Activation"
activation = { name = "leaky_relu", slope = 0.2 }
[[layers]]
kind = "Dense"
units = 2
activation = "tanh"
"""


def load(tmp_path, text):
    path = tmp_path / "net.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return sbp.Network.load(path)


def test_a_file_declares_the_same_network_as_python(tmp_path):
    x = sbp.Input((2, 3), name="x")
    flat = sbp.Flatten(name="flat")(x)
    hidden = sbp.Dense(5, activation=sbp.Activation("swish", "z/(1 + exp(-k*z))", k=2), name="hidden")(flat)
    both = sbp.Activation("leaky_relu", slope=0.2)(sbp.Concat(name="both")(flat, hidden))
    net = sbp.Network(
        inputs=x,
        outputs=sbp.Dense(2, activation="tanh")(both),
        loss=sbp.Loss("huber", reduction="sum", delta=0.5),
        regularizer=sbp.L2(1e-4),
        name="small",
    ).freeze("hidden.b")
    assert load(tmp_path, GOOD).spec == net.spec


def test_the_name_defaults_to_the_files(tmp_path):
    net = load(tmp_path, '[inputs]\nx = "n_1"\n[[layers]]\nkind = "Dense"\nunits = "n_2"\n')
    assert net.name == "net" and net.spec.outputs == ("dense_1",)


def test_layers_may_be_listed_in_any_order_and_outputs_chosen(tmp_path):
    text = """outputs = "b"
[inputs]
u = 2
v = { shape = 2 }
[[layers]]
kind = "Add"
name = "b"
reads = ["v", "a"]
[[layers]]
kind = "Dense"
name = "a"
units = 2
reads = "u"
"""
    net = load(tmp_path, text)
    assert [c.output for c in net.spec.calls] == ["a", "b"] and [i.name for i in net.spec.inputs] == ["u", "v"]


LOOP = """[inputs]
x = 2
[[layers]]
kind = "Add"
name = "a"
reads = ["b", "x"]
[[layers]]
kind = "Add"
name = "b"
reads = ["a", "x"]
"""
UNEQUAL = """[inputs]
x = 2
[[layers]]
kind = "Dense"
name = "a"
units = 3
[[layers]]
kind = "Add"
reads = ["a", "x"]
"""
BASE = '[inputs]\nx = 2\n[[layers]]\nkind = "Dense"\nunits = 2\n'


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("", sbp.DeclarationError, "inputs"),
        ("[inputs]\nx = 2", sbp.DeclarationError, "layers is empty"),
        ("x = = 2", sbp.DeclarationError, "no TOML"),
        (b"\xff\xfe", sbp.DeclarationError, "no TOML"),
        ("a = " + "[" * 5000 + "]" * 5000, sbp.DeclarationError, "no TOML"),
        ("#" * 1_000_001, sbp.DeclarationError, "larger"),
        (BASE + 'activation = "rleu"', sbp.DeclarationError, "did you mean 'relu'"),
        (BASE + "unit = 3", sbp.DeclarationError, "did you mean 'units'"),
        (BASE + 'name = "a b"', sbp.DeclarationError, "not an identifier"),
        (BASE + 'reads = "w"', sbp.DeclarationError, "no input or layer"),
        (BASE + 'activation = { name = "g", expression = "9**9**9" }', sbp.DeclarationError, "exponent"),
        (BASE + 'activation = { name = "g", expression = "__import__(1)" }', sbp.DeclarationError, "no known function"),
        (BASE.replace('"Dense"', '"Dens"'), sbp.DeclarationError, "did you mean 'Dense'"),
        (BASE.replace("units = 2", "units = -2"), sbp.DeclarationError, "positive"),
        (BASE.replace("units = 2", ""), sbp.DeclarationError, "missing"),
        (BASE.replace("units = 2", "units = [2]"), sbp.DeclarationError, "not a size"),
        ('loss = "msee"\n' + BASE, sbp.DeclarationError, "did you mean 'mse'"),
        ('name = "../up"\n' + BASE, sbp.DeclarationError, "not an identifier"),
        ("regularizer = { L2 = 1 }\n" + BASE, sbp.DeclarationError, "unknown regularizer"),
        ('regularizer = { name = "L2" }\n' + BASE, sbp.DeclarationError, "needs lam"),
        ('frozen = ["w"]\n' + BASE, sbp.DeclarationError, "no parameter"),
        ("code = 1\n" + BASE, sbp.DeclarationError, "unknown entry"),
        ('outputs = "q"\n' + BASE, sbp.DeclarationError, "no input or layer"),
        (LOOP, sbp.DeclarationError, "cycle"),
        (UNEQUAL, sbp.ShapeError, "one shape"),
    ],
    ids=range(25),
)
def test_bad_files_are_refused_in_one_line_that_names_the_file(tmp_path, text, error, said):
    with pytest.raises(error, match=said) as caught:
        load(tmp_path, text)
    assert "\n" not in str(caught.value) and "net.toml" in str(caught.value)


def test_a_missing_file_is_an_output_error(tmp_path):
    with pytest.raises(sbp.OutputError, match="cannot read"):
        sbp.Network.load(tmp_path / "nothing.toml")
