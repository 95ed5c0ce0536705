"""Programs: what goes in is tested, what comes out is right, nothing else changes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest

import symbackprop as sbp

TARGETS = ("numpy", "cpu")


@pytest.fixture(scope="module")
def net() -> Any:
    return sbp.Sequential([sbp.Input(4), sbp.Dense(3)], loss="softmax_cross_entropy", name="door")


@pytest.fixture(scope="module")
def program(net: Any) -> Any:
    return net.compile(target="numpy", dtype="float64", batch=32)


@pytest.fixture(scope="module")
def checked(net: Any) -> Any:
    return net.compile(target="numpy", dtype="float64", batch=32, check_finite=True)


class Call:
    """Good arguments, to be spoilt one at a time."""

    def __init__(self, net: Any) -> None:
        rng = np.random.default_rng(3)
        self.params = net.init(seed=0, dtype="float64")
        self.params.flat[:] = rng.standard_normal(15)
        self.x = rng.standard_normal((8, 4))
        self.y = rng.integers(0, 3, 8)
        self.rows = np.full((8, 3), 0.25) + 0.25 * np.eye(3)[self.y]

    @property
    def arguments(self) -> tuple[Any, Any, Any]:
        return self.params, self.x, self.y


@pytest.fixture
def call(net: Any) -> Call:
    return Call(net)


def by_hand(params: Any, x: Any, rows: Any) -> tuple[float, Any, Any, Any]:
    """Softmax regression in plain NumPy: loss, gradients of W, b and x."""
    z = x @ params["dense_1.W"].T + params["dense_1.b"]
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    delta = (p - rows) / len(x)
    return -np.mean(np.sum(rows * np.log(p), axis=1)), delta.T @ x, delta.sum(axis=0), delta @ params["dense_1.W"]


# --- what comes out ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["labels", "rows"])
def test_loss_and_gradients_are_those_of_softmax_regression(program: Any, call: Call, form: str) -> None:
    target = call.y if form == "labels" else call.rows
    rows = np.eye(3)[call.y] if form == "labels" else call.rows
    loss, W, b, x = by_hand(call.params, call.x, rows)
    value, grads = program.value_and_grad(call.params, call.x, target)
    assert value == pytest.approx(loss, rel=1e-12)
    assert program.loss(call.params, call.x, target) == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(grads["dense_1.W"], W, rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(grads["dense_1.b"], b, rtol=1e-11, atol=1e-14)
    assert isinstance(grads, sbp.Parameters)
    value, slopes = program.value_and_grad(call.params, call.x, target, wrt="inputs")
    np.testing.assert_allclose(slopes["x"], x, rtol=1e-11, atol=1e-14)
    value, everything = program.value_and_grad(call.params, call.x, target, wrt=("parameters", "inputs"))
    assert value == pytest.approx(loss, rel=1e-12)
    assert list(everything) == ["dense_1.W", "dense_1.b", "x"]


def test_predict_gives_the_scores_for_any_number_of_samples(program: Any, call: Call) -> None:
    x = np.random.default_rng(0).standard_normal((70, 4))
    expected = x @ call.params["dense_1.W"].T + call.params["dense_1.b"]
    np.testing.assert_allclose(program.predict(call.params, x), expected, rtol=1e-12, atol=1e-14)


def test_out_reuses_a_buffer(program: Any, call: Call) -> None:
    out = call.params.copy()
    _, grads = program.value_and_grad(*call.arguments, out=out)
    assert grads is out
    assert grads == program.value_and_grad(*call.arguments)[1]
    slopes = np.empty_like(call.x)
    _, found = program.value_and_grad(*call.arguments, wrt="inputs", out={"x": slopes})
    assert found["x"] is slopes


def test_a_bound_step_follows_its_arrays(program: Any, call: Call) -> None:
    step = program.bind(*call.arguments)
    assert (step(), step.grads) == program.value_and_grad(*call.arguments)
    call.x[:] *= 2
    call.params.flat[:] += 1
    assert (step(), step.grads) == program.value_and_grad(*call.arguments)


def test_a_smaller_batch_is_averaged_over_its_own_size(program: Any, call: Call) -> None:
    value, grads = program.value_and_grad(call.params, call.x[:3], call.y[:3])
    loss, W, _, _ = by_hand(call.params, call.x[:3], np.eye(3)[call.y[:3]])
    assert value == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(grads["dense_1.W"], W, rtol=1e-11, atol=1e-14)


def test_calls_are_pure_and_repeat_to_the_bit(program: Any, call: Call) -> None:
    kept = call.params.copy(), call.x.copy(), call.y.copy()
    first = program.value_and_grad(*call.arguments)
    program.loss(*call.arguments)
    program.value_and_grad(call.params, call.x[::2].copy() * 100, call.y[::2].copy(), wrt="inputs")
    assert program.value_and_grad(*call.arguments) == first
    assert call.params == kept[0]
    np.testing.assert_array_equal(call.x, kept[1])
    np.testing.assert_array_equal(call.y, kept[2])


def test_nan_propagates(program: Any, call: Call) -> None:
    call.x[0, 0] = np.nan
    loss, grads = program.value_and_grad(*call.arguments)
    assert np.isnan(loss)
    assert np.isnan(grads["dense_1.W"]).any()


def test_read_only_and_mapped_arrays_are_read(program: Any, call: Call, tmp_path: Any) -> None:
    expected = program.value_and_grad(*call.arguments)
    np.save(tmp_path / "x.npy", call.x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    call.y.flags.writeable = False
    assert program.value_and_grad(call.params, mapped, call.y) == expected


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint64", ">i4"])
def test_any_integer_type_serves_for_labels(program: Any, call: Call, dtype: str) -> None:
    assert program.value_and_grad(call.params, call.x, call.y.astype(dtype)) == program.value_and_grad(*call.arguments)


def test_pack_answers_in_a_layout_that_every_method_takes(program: Any, call: Call) -> None:
    packed = program.pack(call.params)
    assert program.value_and_grad(packed, call.x, call.y)[0] == program.value_and_grad(*call.arguments)[0]


def test_the_text_can_be_read(program: Any) -> None:
    assert "def value_and_grad" in program.source
    assert program.path.read_text(encoding="utf-8") == program.source
    assert str(program.plan)


def test_check_is_a_table_that_ends_well(program: Any) -> None:
    report = program.check()
    assert report.ok, str(report)
    assert "dense_1.W" in str(report)


def test_hvp_is_the_difference_of_gradients(program: Any, call: Call, net: Any) -> None:
    v = net.init(seed=5, dtype="float64")
    step = 1e-5
    ends = []
    for sign in (1, -1):
        moved = call.params.copy()
        moved.flat[:] += sign * step * v.flat
        ends.append(program.value_and_grad(moved, call.x, call.y)[1].flat)
    # Central differences of the gradient: step² and rounding/step, both 1e-10.
    np.testing.assert_allclose(program.hvp(*call.arguments, v).flat, (ends[0] - ends[1]) / (2 * step), atol=1e-8)


def test_eight_threads_may_call_at_once(net: Any, call: Call) -> None:
    program = net.compile(target="cpu", dtype="float64", batch=32)
    results: list[Any] = [None] * 8

    def work(k: int) -> None:
        results[k] = program.value_and_grad(*call.arguments)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(result == results[0] for result in results)
    assert results[0][0] == pytest.approx(by_hand(call.params, call.x, np.eye(3)[call.y])[0], rel=1e-12)


# --- what is refused ---------------------------------------------------------------------------------------------------------

Spoil = Callable[[Call], tuple[Any, Any, Any]]

BAD: dict[str, tuple[type[Exception], str, Spoil]] = {
    "too few features": (sbp.ShapeError, r"x: expected shape \(batch, 4\), got \(8, 3\)", lambda c: (c.params, c.x[:, :3].copy(), c.y)),
    "no batch axis": (sbp.ShapeError, "batch first", lambda c: (c.params, c.x[0].copy(), c.y)),
    "an axis too many": (sbp.ShapeError, r"got \(8, 4, 1\)", lambda c: (c.params, c.x[:, :, None], c.y)),
    "an empty batch": (sbp.ShapeError, "empty", lambda c: (c.params, c.x[:0], c.y[:0])),
    "more than compiled": (sbp.ShapeError, "at most 32", lambda c: (c.params, np.tile(c.x, (5, 1)), np.tile(c.y, 5))),
    "targets of another length": (sbp.ShapeError, "7 targets, but x has 8", lambda c: (c.params, c.x, c.y[:7])),
    "rows of another width": (sbp.ShapeError, r"y: expected shape \(batch, 3\)", lambda c: (c.params, c.x, np.full((8, 2), 0.5))),
    "a scalar target": (sbp.ShapeError, "y: expected shape", lambda c: (c.params, c.x, np.array(1.0))),
    "float32": (
        sbp.DataError,
        r"x: .*takes float64, got float32; convert with x.astype\('float64'\)",
        lambda c: (c.params, c.x.astype("f4"), c.y),
    ),
    "integers for numbers": (sbp.DataError, "takes float64, got int64", lambda c: (c.params, np.ones((8, 4), int), c.y)),
    "complex": (sbp.DataError, "takes float64, got complex128", lambda c: (c.params, c.x + 0j, c.y)),
    "objects": (sbp.DataError, "takes float64, got object", lambda c: (c.params, c.x.astype(object), c.y)),
    "the other byte order": (sbp.DataError, "takes float64", lambda c: (c.params, c.x.astype(">f8"), c.y)),
    "a list": (sbp.DataError, "x: expected a NumPy array of float64, got a list; convert with", lambda c: (c.params, c.x.tolist(), c.y)),
    "a list of labels": (sbp.DataError, "y: expected a NumPy array of integer labels, got a list", lambda c: (c.params, c.x, c.y.tolist())),
    "nothing": (sbp.DataError, "got a NoneType", lambda c: (c.params, None, c.y)),
    "a masked array": (sbp.DataError, "x: expected a NumPy array", lambda c: (c.params, np.ma.masked_array(c.x, c.x > 1), c.y)),
    "a transposed view": (sbp.DataError, r"not contiguous.*np.ascontiguousarray\(x\)", lambda c: (c.params, np.asfortranarray(c.x), c.y)),
    "every other sample": (sbp.DataError, "x: .*not contiguous", lambda c: (c.params, np.repeat(c.x, 2, axis=0)[::2], c.y)),
    "every other label": (sbp.DataError, "y: .*not contiguous", lambda c: (c.params, c.x, np.repeat(c.y, 2)[::2])),
    "a label too large": (
        sbp.DataError,
        r"labels must lie in 0..2, got 3 at index 2",
        lambda c: (c.params, c.x, np.where(np.arange(8) == 2, 3, c.y)),
    ),
    "a negative label": (sbp.DataError, "got -1 at index 0", lambda c: (c.params, c.x, np.where(np.arange(8) == 0, -1, c.y))),
    "labels as floats": (sbp.DataError, "expected integer labels, got float64", lambda c: (c.params, c.x, c.y.astype(float))),
    "rows that sum to two": (sbp.DataError, "row 0 sums to 2", lambda c: (c.params, c.x, 2 * c.rows)),
    "one row off": (sbp.DataError, "row 3 sums to 1.01", lambda c: (c.params, c.x, c.rows + 0.01 * (np.arange(24).reshape(8, 3) == 10))),
    "two inputs for one": (sbp.DataError, r"expected 1 array \(x\), got a tuple of 2", lambda c: (c.params, (c.x, c.x), c.y)),
    "an unknown input": (sbp.DataError, "expected a mapping with x, got z", lambda c: (c.params, {"z": c.x}, c.y)),
    "a plain mapping": (sbp.DataError, "net.parameters", lambda c: (dict(c.params), c.x, c.y)),
    "a missing parameter": (sbp.DataError, "without dense_1.b", lambda c: ({"dense_1.W": c.params["dense_1.W"]}, c.x, c.y)),
    "no parameters": (sbp.DataError, "params: expected Parameters, got a ndarray", lambda c: (c.params.flat, c.x, c.y)),
    "float32 parameters": (sbp.DataError, "the parameters are float32", lambda c: (c.params.astype("float32"), c.x, c.y)),
    "another network's": (
        sbp.ShapeError,
        "dense_1.b is missing",
        lambda c: (sbp.Sequential([sbp.Input(4), sbp.Dense(3, bias=False)]).init(dtype="float64"), c.x, c.y),
    ),
    "another width": (
        sbp.ShapeError,
        r"dense_1.W has shape \(3, 5\), expected \(3, 4\)",
        lambda c: (sbp.Sequential([sbp.Input(5), sbp.Dense(3)]).init(dtype="float64"), c.x, c.y),
    ),
}


@pytest.mark.parametrize("method", ["value_and_grad", "loss", "bind"])
@pytest.mark.parametrize("case", BAD)
def test_a_bad_argument_is_one_clear_line_and_changes_nothing(program: Any, call: Call, case: str, method: str) -> None:
    error, message, spoil = BAD[case]
    arguments = spoil(call)
    kept = call.params.copy()
    with pytest.raises(error, match=message) as caught:
        getattr(program, method)(*arguments)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, ValueError)
    assert call.params == kept


@pytest.mark.parametrize(
    "case", [k for k in BAD if k not in ("more than compiled",) and "label" not in k and "row" not in k and "target" not in k]
)
def test_predict_refuses_the_same_inputs(program: Any, call: Call, case: str) -> None:
    error, message, spoil = BAD[case]
    params, x, _ = spoil(call)
    with pytest.raises(error, match=message):
        program.predict(params, x)


def test_outputs_that_share_memory_are_refused(program: Any, call: Call) -> None:
    with pytest.raises(sbp.DataError, match="out shares memory with params"):
        program.value_and_grad(*call.arguments, out=call.params)
    flat = np.zeros(40)
    params = sbp.Parameters(call.params.records, flat[:15])
    x = flat[8:40].reshape(8, 4)
    with pytest.raises(sbp.DataError, match="out shares memory with x"):
        program.value_and_grad(call.params, x, call.y, out=params)
    with pytest.raises(sbp.DataError, match="shares memory with x"):
        program.value_and_grad(*call.arguments, wrt="inputs", out={"x": call.x})
    before = flat.copy()
    with pytest.raises(sbp.DataError, match="params shares memory with x"):
        program.fit(params, x, call.y, optimizer=sbp.SGD(0.1))
    np.testing.assert_array_equal(flat, before)


def test_outputs_of_another_kind_are_refused(program: Any, call: Call) -> None:
    with pytest.raises(sbp.DataError, match=r"out: .*float32"):
        program.value_and_grad(*call.arguments, out=call.params.astype("float32"))
    locked = call.params.copy()
    locked.flat.flags.writeable = False
    with pytest.raises(sbp.DataError, match="read-only"):
        program.value_and_grad(*call.arguments, out=locked)
    with pytest.raises(sbp.ShapeError, match="out"):
        program.value_and_grad(*call.arguments, wrt="inputs", out={"x": np.zeros((4, 8))})
    with pytest.raises(sbp.DataError, match="wrt must be"):
        program.value_and_grad(*call.arguments, wrt="weights")


@pytest.mark.parametrize("where", ["x", "params", "rows"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_check_finite_refuses_and_names(checked: Any, call: Call, where: str, value: float) -> None:
    y: Any = call.y
    if where == "x":
        call.x[2, 1] = value
        message = r"x: (nan|inf) at index \(2, 1\)"
    elif where == "params":
        call.params["dense_1.W"][1, 2] = value
        message = r"dense_1.W: (nan|inf) at index \(1, 2\)"
    else:
        y = call.rows
        y[1, 0] = value
        message = r"y: (nan|inf) at index \(1, 0\)"
    with pytest.raises(sbp.DataError, match=message):
        checked.value_and_grad(call.params, call.x, y)


def test_check_finite_names_the_tensor_that_overflows(checked: Any, call: Call) -> None:
    call.params["dense_1.W"][...] = 1e200
    call.x[...] = 1e200
    with pytest.raises(sbp.DataError, match=r"first such value is inf in dense_1.z at index \(0, 0\) \(layer dense_1\)"):
        checked.value_and_grad(*call.arguments)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"target": "gpu"}, sbp.DeclarationError, "unknown target 'gpu'"),
        ({"dtype": "float16"}, sbp.DataError, "dtype must be"),
        ({"schedule": "fast"}, sbp.DeclarationError, "unknown schedule"),
        ({"batch": 0}, sbp.DataError, "batch must be a positive integer"),
        ({"batch": 2.5}, sbp.DataError, "batch must be a positive integer"),
        ({"threads": -1}, sbp.DataError, "threads must be a positive integer"),
    ],
)
def test_options_are_tested_when_compiling(net: Any, options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        net.compile(**options)


def test_symbols_and_unspecified_functions_are_refused() -> None:
    with pytest.raises(sbp.ShapeError, match="symbolic size n_1"):
        sbp.Sequential([sbp.Input("n_1"), sbp.Dense(3)], loss="mse").compile()
    with pytest.raises(sbp.DeclarationError, match="f has no expression"):
        sbp.Sequential([sbp.Input(2), sbp.Dense(3, activation=sbp.Activation("f"))], loss="mse").compile()


def test_a_network_without_loss_predicts_only() -> None:
    net = sbp.Sequential([sbp.Input(2), sbp.Dense(3)], name="forward_only")
    program = net.compile(target="numpy", dtype="float64")
    params, x = net.init(dtype="float64"), np.ones((2, 2))
    np.testing.assert_allclose(program.predict(params, x), x @ params["dense_1.W"].T + params["dense_1.b"])
    with pytest.raises(sbp.DerivationError, match="has no loss"):
        program.value_and_grad(params, x, x)


# --- several inputs ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pair() -> Any:
    first, second = sbp.Input(2), sbp.Input(3)
    return sbp.Network([first, second], sbp.Dense(2)(first) * sbp.Dense(2)(second), loss="mse", name="pair")


def test_several_inputs_are_a_tuple_or_a_mapping(pair: Any) -> None:
    program, params = pair.compile(target="numpy", dtype="float64"), pair.init(seed=1, dtype="float64")
    rng = np.random.default_rng(0)
    a, b, y = rng.standard_normal((5, 2)), rng.standard_normal((5, 3)), rng.standard_normal((5, 2))
    expected = (a @ params["dense_1.W"].T) * (b @ params["dense_2.W"].T)
    np.testing.assert_allclose(program.predict(params, (a, b)), expected, atol=1e-14)
    loss, grads = program.value_and_grad(params, {"x_2": b, "x_1": a}, y)
    assert (loss, grads) == program.value_and_grad(params, (a, b), y)
    assert loss == pytest.approx(np.mean((expected - y) ** 2), rel=1e-12)
    assert program.check().ok
    with pytest.raises(sbp.DataError, match=r"a tuple of 2 arrays \(x_1, x_2\)"):
        program.value_and_grad(params, a, y)
    with pytest.raises(sbp.ShapeError, match="x_2: 4 samples, but x_1 has 5"):
        program.value_and_grad(params, (a, b[:4]), y)
    with pytest.raises(sbp.DataError, match="mapping with x_1, x_2, got x_1"):
        program.value_and_grad(params, {"x_1": a}, y)


# --- the same bits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", TARGETS)
def test_the_same_bits_for_any_number_of_threads(target: str) -> None:
    net = sbp.Sequential([sbp.Input(17), sbp.Dense(33, activation="tanh"), sbp.Dense(5)], loss="softmax_cross_entropy", name="bits")
    rng = np.random.default_rng(0)
    params = net.init(seed=0)
    x, y = rng.standard_normal((50, 17)).astype("float32"), rng.integers(0, 5, 50)
    found = [net.compile(target=target, batch=64, threads=threads).value_and_grad(params, x, y) for threads in (1, 2, 4, None)]
    assert all(loss == found[0][0] for loss, _ in found)
    assert all(grads.flat.tobytes() == found[0][1].flat.tobytes() for _, grads in found)


def test_the_callers_thread_count_is_put_back(call: Call, net: Any) -> None:
    before = numba.get_num_threads()
    program = net.compile(target="cpu", dtype="float64", batch=32, threads=1)
    program.value_and_grad(*call.arguments)
    program.bind(*call.arguments)()
    with pytest.raises(sbp.ShapeError):
        program.value_and_grad(call.params, call.x[:, :2].copy(), call.y)
    assert numba.get_num_threads() == before
