"""Bound and checked calls: the same bits by every way into a kernel, and the same refusals."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import symbackprop as sbp
from symbackprop.public import program as programs

TARGETS = ("numpy", "cpu")
#: Calls after which the compiled door is in use.
OFTEN = 2 + programs._PATIENCE


def xor() -> Any:
    return sbp.Sequential([sbp.Input(2), sbp.Dense(2, activation="tanh"), sbp.Dense(1, activation="sigmoid")], loss="mse", name="xor")


def classes() -> Any:
    return sbp.Sequential([sbp.Input(5), sbp.Dense(7, activation="relu"), sbp.Dense(3)], loss="softmax_cross_entropy", name="classes")


def random() -> Any:
    return sbp.Sequential([sbp.Input(5), sbp.Dense(7), sbp.Dropout(0.5), sbp.Dense(2)], loss="mse", name="random")


def several() -> Any:
    a, b = sbp.Input(5, name="a"), sbp.Input(5, name="b")
    return sbp.Network(inputs=(a, b), outputs=sbp.Dense(2)(a * b), loss="mse", name="several")


def data(net: Any, samples: int = 6) -> tuple[Any, Any]:
    rng = np.random.default_rng(3)
    x = tuple(rng.standard_normal((samples, *i.shape)).astype(np.float32) for i in net.spec.inputs)
    y = rng.integers(0, 3, samples) if net.spec.name == "classes" else None
    if y is None:
        y = rng.random((samples, *net.spec.shapes[net.spec.outputs[0]])).astype(np.float32)
    return (x if len(x) > 1 else x[0]), y


def bits(found: Any) -> dict[str, bytes]:
    return {name: np.asarray(found[name]).tobytes() for name in found}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("net", [xor, classes, random, several])
def test_every_way_into_the_kernels_gives_the_same_bits(net: Callable[[], Any], target: str) -> None:
    made = net()
    program, params, (x, y) = made.compile(target=target), made.init(seed=1), data(made)
    loss, grads = program.value_and_grad(params, x, y)
    both = program.value_and_grad(params, x, y, wrt="both")[1]
    for wrt, expected in (("parameters", grads), ("inputs", None), ("both", both), (("inputs", "parameters"), both)):
        expected = expected if expected is not None else program.value_and_grad(params, x, y, wrt="inputs")[1]
        step = program.bind(params, x, y, wrt=wrt)
        assert step() == loss and step() == loss
        assert bits(step.grads) == bits(expected)
    out = grads.copy()
    for k in range(OFTEN):
        out.flat[...] = np.nan
        assert program.value_and_grad(params, x, y, out=out) == (loss, out), k
        assert bits(out) == bits(grads), k
        fresh = program.value_and_grad(params, x, y)
        assert fresh[0] == loss and bits(fresh[1]) == bits(grads) and fresh[1] is not out, k
    part = (tuple(a[:4] for a in x) if isinstance(x, tuple) else x[:4]), y[:4]
    assert program.value_and_grad(params, *part) == net().compile(target=target).value_and_grad(params, *part)


def test_the_compiled_door_is_used() -> None:
    net = classes()
    program, params, (x, y) = net.compile(), net.init(seed=1), data(net)
    for _ in range(OFTEN):
        program.value_and_grad(params, x, y)
    known = program._memory.door
    assert known.value_and_grad(params, x, y, None) is not None
    assert known.value_and_grad(params, x, y, params) is None
    assert known.value_and_grad(params.copy(), x, y, None) is None


def read_only(a: Any) -> Any:
    a.flags.writeable = False
    return a


WRONG: dict[str, Callable[[Any, Any, Any, Any], dict[str, Any]]] = {
    "double": lambda p, x, y, out: {"x": x.astype(np.float64)},
    "list": lambda p, x, y, out: {"x": x.tolist()},
    "transposed": lambda p, x, y, out: {"x": np.asfortranarray(x)},
    "narrow": lambda p, x, y, out: {"x": np.ascontiguousarray(x[:, :4])},
    "flat": lambda p, x, y, out: {"x": x.ravel()},
    "none": lambda p, x, y, out: {"x": x[:0], "y": y[:0]},
    "fewer": lambda p, x, y, out: {"x": x[:3]},
    "masked": lambda p, x, y, out: {"x": np.ma.masked_array(x)},
    "swapped": lambda p, x, y, out: {"x": x.astype(">f4")},
    "real labels": lambda p, x, y, out: {"y": y.astype(np.float32)},
    "label": lambda p, x, y, out: {"y": y + 3},
    "params": lambda p, x, y, out: {"params": p.flat},
    "out": lambda p, x, y, out: {"out": p},
    "out of another type": lambda p, x, y, out: {"out": out.astype("float64")},
    "read only": lambda p, x, y, out: {"out": type(out)(out.records, read_only(out.flat.copy()))},
    "many": lambda p, x, y, out: {"x": np.resize(x, (9, 5)), "y": np.resize(y, 9)},
    "wrt": lambda p, x, y, out: {"wrt": "weights"},
    "seed": lambda p, x, y, out: {"seed": 0.5},
}


@pytest.mark.parametrize("name", list(WRONG))
def test_the_compiled_door_refuses_what_the_other_does_in_the_same_words(name: str) -> None:
    net = classes()
    params, (x, y) = net.init(seed=1), data(net)
    messages = []
    for calls in (1, OFTEN):
        program = net.compile(batch=8)
        for _ in range(calls):
            _, out = program.value_and_grad(params, x, y)
        for _ in range(calls):
            program.value_and_grad(params, x, y, out=out)
        kept = out.flat.copy()
        given = {"params": params, "x": x, "y": y, "out": out, **WRONG[name](params, x.copy(), y.copy(), out)}
        with pytest.raises(sbp.SymbackpropError) as caught:
            program.value_and_grad(**given)
        messages.append((type(caught.value), str(caught.value)))
        assert out.flat.tobytes() == kept.tobytes()
    assert messages[0] == messages[1]


def test_gradients_over_the_inputs_are_refused_by_the_compiled_door() -> None:
    net = classes()
    params, (x, y) = net.init(seed=1), data(net)
    memory = np.zeros(x.size + params.flat.size, np.float32)
    there = memory[: x.size].reshape(x.shape)
    there[...] = x
    apart, over = (sbp.Parameters(params.records, memory[k : k + params.flat.size]) for k in (x.size, x.size - 1))
    program = net.compile()
    for _ in range(OFTEN):
        program.value_and_grad(params, there, y, out=apart)
    with pytest.raises(sbp.DataError, match="out shares memory with x"):
        program.value_and_grad(params, there, y, out=over)
    program._memory.door.grads = over
    with pytest.raises(sbp.DataError, match="out shares memory with x"):
        program.value_and_grad(params, there, y, out=over)


@pytest.mark.parametrize("target", TARGETS)
def test_a_label_out_of_range_stops_a_bound_step_and_leaves_the_gradients(target: str) -> None:
    net = classes()
    program, params, (x, y) = net.compile(target=target), net.init(seed=1), data(net)
    step = program.bind(params, x, y)
    step()
    kept = step.grads.flat.copy()
    y[2] = 3
    with pytest.raises(sbp.DataError, match=r"y: labels must lie in 0\.\.2, got 3 at index 2"):
        step()
    assert step.grads.flat.tobytes() == kept.tobytes()
    y[2], x[0, 0] = 0, np.nan
    assert np.isnan(step())


@pytest.mark.parametrize("threads", [None, 1, 2])
def test_threads_of_python_may_call_one_program_at_once(threads: int | None) -> None:
    net = classes()
    program, params = net.compile(threads=threads), net.init(seed=1)
    rng = np.random.default_rng(5)
    batches = [(rng.standard_normal((n, 5)).astype(np.float32), rng.integers(0, 3, n)) for n in rng.integers(1, 60, 24)]
    expected = [program.value_and_grad(params, x, y) for x, y in batches]

    def work(k: int) -> bool:
        x, y = batches[k]
        step = program.bind(params, x, y)
        out = expected[k][1].copy()
        same = True
        for _ in range(2 * OFTEN):
            same &= step() == expected[k][0] and bits(step.grads) == bits(expected[k][1])
            same &= program.value_and_grad(params, x, y) == expected[k]
            same &= program.value_and_grad(params, x, y, out=out) == expected[k]
        return bool(same)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(len(batches))))
