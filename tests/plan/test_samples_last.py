"""Networks of convolutions with the samples last: the same numbers as the equations, for every kind of window."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import numpy as np
import pytest

import symbackprop as sbp
from symbackprop.plan.records import CPU, Slide

sys.path.insert(0, str(Path(__file__).parents[1] / "emit"))
from modules import LAST, Options, differences, module_of, plan_of


def slides(plan):
    """Return the functions of the runtime file that a plan's sums over windows call."""

    def inside(statements):
        for s in statements:
            if isinstance(s, Slide):
                yield s.function
            yield from inside(getattr(s, "body", ()))

    return {name for k in plan.kernels for name in inside(k.body.statements)}


def close(shape, *layers, monkeypatch, folder, batch=3, seed=0):
    """Compare a network's emitted text, run as plain Python, with the interpreter; return what functions it calls."""
    net = sbp.Sequential([sbp.Input(shape), *layers], loss="mse", name="windows")
    plan = plan_of(net, "rows", Options(batch=batch), machine=LAST, monkeypatch=monkeypatch)
    rng = np.random.default_rng(seed)
    output = net.spec.shapes[net.spec.outputs[0]]
    params = {name: rng.standard_normal(np.shape(value)) for name, value in net.init(seed=0, dtype="float64").items()}
    values = {**params, "x": rng.standard_normal((batch, *shape)), "y": rng.standard_normal((batch, *output))}
    found = differences(net, "rows", values, plan, module_of(plan, "cpu", folder))
    # Sums of a few hundred terms, in another order.
    assert max(found.values()) < 1e-12, (found, seed)
    return slides(plan)


PADDED = sbp.Conv2D(3, 3, padding=1, activation="relu")
CASES = {
    "plain": ((2, 6, 5), (sbp.Conv2D(3, (3, 2), activation="tanh"),)),
    "padded": ((2, 5, 6), (sbp.Conv2D(3, 3, padding=1, activation="relu"), sbp.Conv2D(2, 3, padding=(0, 2)))),
    "strided": ((3, 7, 8), (sbp.Conv2D(4, 3, padding=1, activation="tanh"), sbp.Conv2D(2, 3, stride=2, padding=1))),
    "dilated": ((2, 9, 8), (sbp.Conv2D(2, 1), sbp.Conv2D(3, 3, dilation=2, padding=(2, 1)))),
    "strided and dilated": ((2, 9, 9), (sbp.Conv2D(2, 1), sbp.Conv2D(3, 2, stride=2, dilation=3, padding=2))),
    "flipped": ((2, 6, 6), (sbp.Conv2D(2, 1), sbp.Conv2D(3, 3, padding=1, flip=True))),
    "one channel": ((1, 6, 6), (sbp.Conv2D(1, 3, activation="tanh"), sbp.Conv2D(1, 2))),
    "groups": ((4, 5, 5), (sbp.Conv2D(4, 1), sbp.Conv2D(6, 3, groups=2, padding=1))),
    "depthwise": ((3, 6, 6), (sbp.Conv2D(3, 1), sbp.Conv2D(3, 3, groups=3))),
    "transposed": ((3, 4, 5), (sbp.Conv2D(2, 1), sbp.ConvTranspose2D(4, 3, stride=2, padding=1))),
    "one dimension": ((3, 9), (sbp.Conv1D(4, 3, padding=1, activation="tanh"), sbp.Conv1D(2, 3, stride=2))),
    "pooled": ((1, 8, 8), (PADDED, sbp.MaxPool2D(2), sbp.Conv2D(3, 3), sbp.Flatten(), sbp.Dense(4))),
    "overlapping": ((2, 7, 7), (PADDED, sbp.MaxPool2D(3, stride=2, padding=1), sbp.AvgPool2D(2))),
    "normalised": ((2, 6, 6), (PADDED, sbp.GroupNorm(3), sbp.Conv2D(2, 3), sbp.GlobalAvgPool2D(), sbp.Dense(2))),
}


@pytest.mark.parametrize("case", CASES)
def test_windows_of_samples_side_by_side_give_what_the_equations_give(case, tmp_path, monkeypatch):
    shape, layers = CASES[case]
    functions = close(shape, *layers, monkeypatch=monkeypatch, folder=tmp_path)
    assert functions, "no sum is one over windows"
    if case == "strided":
        assert functions == {"correlate", "correlate_rows", "spread"}


def test_loops_around_the_samples_are_not_written_out_by_a_compiler():
    # Only where a number stands for the end of a loop can a compiler write its body once for each place.
    shape, layers = CASES["pooled"]
    text = sbp.Sequential([sbp.Input(shape), *layers], loss="mse", name="windows").compile(batch=256).source
    kernels = [f for f in ast.parse(text).body if isinstance(f, ast.FunctionDef)]
    around = [
        s for f in kernels for s in ast.walk(f) if isinstance(s, ast.For) and sum(isinstance(inner, ast.For) for inner in ast.walk(s)) > 1
    ]
    long = [
        s
        for s in around
        if any("shape" in ast.unparse(inner.iter) for inner in ast.walk(s) if isinstance(inner, ast.For) and inner is not s)
    ]
    assert long
    for loop in long:
        # The places inside a window are few, and no axis.
        places = [p for s in ast.walk(loop) if isinstance(s, ast.Subscript) and isinstance(s.slice, ast.Tuple) for p in s.slice.elts]
        if ast.unparse(loop.target) in map(ast.unparse, places):
            assert "shape" in ast.unparse(loop.iter), ast.unparse(loop)


@pytest.mark.parametrize("seed", range(12))
def test_random_convolutions(seed, tmp_path, monkeypatch):
    rng = np.random.default_rng(seed)

    def pick(*values):
        return values[rng.integers(len(values))]

    def layer():
        kernel = (pick(1, 2, 3), pick(1, 2, 3))
        options = {"activation": pick(None, "relu", "tanh"), "bias": bool(pick(0, 1))}
        options |= {"stride": (pick(1, 1, 2, 3), pick(1, 2)), "dilation": (pick(1, 1, 2), pick(1, 2))}
        options |= {"padding": (pick(0, 1, 2), pick(0, 1))}
        return sbp.Conv2D(pick(1, 2, 4), kernel, **options)

    shape = (pick(1, 2, 3), pick(13, 14), pick(12, 15))
    close(shape, layer(), layer(), monkeypatch=monkeypatch, folder=tmp_path, batch=pick(1, 2, 5), seed=seed)


def test_skips_outputs_and_modes_keep_the_callers_layout(tmp_path, monkeypatch):
    x = sbp.Input((2, 6, 6))
    h = sbp.Conv2D(2, 3, padding=1, activation="relu")(x)
    net = sbp.Network(inputs=x, outputs=sbp.Conv2D(2, 3, padding=1)(h + x) + x, loss="mse", name="skips")
    plan = plan_of(net, "rows", Options(batch=4), machine=LAST, monkeypatch=monkeypatch)
    rng = np.random.default_rng(1)
    values = {name: np.asarray(value) for name, value in net.init(seed=0, dtype="float64").items()}
    values |= {"x": rng.standard_normal((4, 2, 6, 6)), "y": rng.standard_normal((4, 2, 6, 6))}
    found = differences(net, "rows", values, plan, module_of(plan, "cpu", tmp_path))
    assert max(found.values()) < 1e-12, found


def test_only_networks_of_convolutions_and_batches_of_some_size_have_the_samples_last():
    image = [sbp.Input((1, 12, 12)), sbp.Conv2D(4, 3, activation="relu"), sbp.Flatten()]
    for layers, batch, expected in (
        ([*image, sbp.Dense(3)], CPU.last, True),
        ([*image, sbp.Dense(3)], CPU.last - 1, False),
        ([*image, sbp.Dense(2000), sbp.Dense(3)], 64, False),
        ([sbp.Input(20), sbp.Dense(3)], 64, False),
    ):
        net = sbp.Sequential(layers, loss="softmax_cross_entropy", name="chosen")
        plan = plan_of(net, "labels", Options(batch=batch))
        assert bool(slides(plan)) == expected, (layers, batch)
        assert "samples_last" not in "".join(plan_of(net, "labels", Options(batch=batch, schedule="plain")).tensors)
