"""The public face of a network, and that declaring one stays light."""

from __future__ import annotations

import subprocess
import sys

import pytest

import symbackprop as sbp


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_declaring_initialising_and_keying_a_network_imports_no_sympy():
    code = """
import sys
import symbackprop as sbp
x = sbp.Input((2, 3))
h = sbp.Dense(6, activation=sbp.Activation("swish", "z/(1 + exp(-z))"))(sbp.Flatten()(x))
net = sbp.Network(inputs=x, outputs=sbp.Concat()(h + h, h * h), loss="softmax_cross_entropy", regularizer=sbp.L2(0.1))
net.freeze("dense_1.b").init(0)
net.spec.key, repr(net), net._repr_html_(), net.depth, sbp.Adam(sbp.CosineDecay(0.1, 5)).hyper
print(sorted({"sympy", "mpmath", "numba", "jinja2", "scipy"} & set(sys.modules)))
"""
    assert run(code) == "[]"


def test_importing_the_package_loads_nothing_heavy():
    assert run("import sys, symbackprop; print(sorted({'sympy', 'numpy', 'numba', 'jinja2'} & set(sys.modules)))") == "[]"


def test_the_key_is_the_same_in_every_process():
    code = 'import symbackprop as sbp; print(sbp.Sequential([sbp.Input(2), sbp.Dense(3, activation="relu")], loss="mse").spec.key)'
    assert run(code) == sbp.Sequential([sbp.Input(2), sbp.Dense(3, activation="relu")], loss="mse").spec.key


def test_depth_counts_layers_with_parameters_without_the_input():
    net = sbp.Sequential([sbp.Input(2), sbp.Dense(3), sbp.Activation("tanh"), sbp.Dense(2)])
    assert (net.depth, net.n_l, net.parameter_count, net.layers) == (2, 3, 17, ("dense_1", "activation_1", "dense_2"))


def test_repr_is_short_and_html_is_escaped():
    net = sbp.Sequential([sbp.Input("n_1"), sbp.Dense(3)], loss="mse", name="small")
    assert repr(net) == "Sequential(small: 1 layers, loss=mse)"
    assert "<td>dense_1</td>" in net._repr_html_() and "W (3, n_1)" in net._repr_html_()


NETWORK = "sbp.Sequential([sbp.Input(2), sbp.Dense(1)], loss='mse').derive()"


@pytest.mark.parametrize("first", ["", "import symbackprop.derive.network", NETWORK], ids=["nothing", "folder", "network"])
def test_derive_is_a_function_whatever_was_imported_before(first):
    code = f"""
import symbackprop as sbp
{first}
i = sbp.indices("i", 3)
x, f = sbp.tensor("x", i), sbp.tensor("f")
print(sbp.derive(sbp.System([sbp.Equation(f[()], sbp.Sum(x[i] ** 2, i))]), of="f", wrt=["x"]).gradients["x"].index.rhs)
"""
    assert run(code) == "2*x[i]"


def test_a_thousand_regularized_layers_derive_in_two_seconds_after_import():
    code = """
import time, sympy
import symbackprop as sbp
import symbackprop.public.derivation
start = time.process_time()
net = sbp.Sequential([sbp.Input(8), *(sbp.Dense(8, activation="tanh") for _ in range(1000))], loss="mse", regularizer=sbp.L2(0.1))
net.derive()
print(time.process_time() - start)
"""
    assert float(run(code)) < 2


def test_an_unknown_public_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Densee'"):
        _ = sbp.Densee
    assert {"Dense", "Sequential", "Parameters", "derive"} <= set(dir(sbp))
