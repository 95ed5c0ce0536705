"""Programs of target "cuda" in lock-step: every method against target "numpy", arrays of the device, what is refused and why."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import symbackprop as sbp
from symbackprop.execute.devices import DEVICES
from symbackprop.execute.lockstep import DeviceArray, Lockstep

N = 5


def dense() -> Any:
    layers = [sbp.Input(3), sbp.Dense(4, activation="tanh"), sbp.Dense(2)]
    return sbp.Sequential(layers, loss="softmax_cross_entropy", regularizer=sbp.L2(0.01), name="device_dense")


def rows() -> Any:
    a, b = sbp.Input(3, name="a"), sbp.Input(2, name="b")
    return sbp.Network(inputs=(a, b), outputs=sbp.Dense(2)(sbp.Concat()(a, b)), loss="half_squared_error", name="device_rows")


def modes() -> Any:
    layers = [sbp.Input(3), sbp.Dense(4, activation="relu"), sbp.BatchNorm(), sbp.Dropout(0.4), sbp.Dense(2)]
    return sbp.Sequential(layers, loss="softmax_cross_entropy", name="device_modes")


def tokens() -> Any:
    layers = [sbp.Input(4, dtype="int64"), sbp.Embedding(6, 3), sbp.SimpleRNN(3), sbp.Dense(2)]
    return sbp.Sequential(layers, loss="softmax_cross_entropy", name="device_tokens")


NETWORKS = {make.__name__: make for make in (dense, rows, modes, tokens)}


def data(name: str, rng: np.random.Generator, samples: int = N) -> tuple[Any, Any]:
    if name == "rows":
        return (rng.normal(size=(samples, 3)), rng.normal(size=(samples, 2))), rng.normal(size=(samples, 2))
    x = rng.integers(0, 6, (samples, 4)) if name == "tokens" else rng.normal(size=(samples, 3))
    return x, rng.integers(0, 2, samples)


class Case:
    """A network as a program in lock-step and as one in NumPy, with parameters and data."""

    def __init__(self, name: str, seed: int) -> None:
        self.net = NETWORKS[name]()
        self.device = Lockstep(race=name in ("dense", "rows"))
        self.there = self.net.compile(target="cuda", dtype="float64", device=self.device)
        self.here = self.net.compile(target="numpy", dtype="float64")
        self.params = self.net.init(seed=1, dtype="float64")
        self.x, self.y = data(name, np.random.default_rng([seed, 29]))
        self.all = (self.params, self.x, self.y)

    def put(self, array: np.ndarray) -> Any:
        return np.array(array).view(DeviceArray)

    def poison(self, array: Any) -> None:
        array[...] = np.nan

    def launched(self) -> bool:
        return bool(self.device.launches)


@pytest.fixture(scope="module", params=sorted(NETWORKS))
def case(request: Any, seed: int) -> Case:
    return Case(request.param, seed)


@pytest.fixture(scope="module")
def plain(seed: int) -> Case:
    return Case("dense", seed)


def close(a: Any, b: Any) -> None:
    np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-13)


def test_loss_gradients_and_predictions(case: Case) -> None:
    value, grads = case.there.value_and_grad(*case.all, seed=3)
    wanted, other = case.here.value_and_grad(*case.all, seed=3)
    close(value, wanted)
    close(grads.flat, other.flat)
    close(case.there.loss(*case.all, seed=3), wanted)
    close(case.there.predict(*case.all[:2]), case.here.predict(*case.all[:2]))
    out = case.params.like(np.full(case.params.flat.size, np.nan))
    assert case.there.value_and_grad(*case.all, out=out, seed=3)[1] is out
    close(out.flat, other.flat)
    assert case.launched()


def test_input_gradients(case: Case) -> None:
    if case.net.name == "device_tokens":
        with pytest.raises(sbp.DataError, match="holds integers and has no gradient"):
            case.there.value_and_grad(*case.all, wrt="inputs")
        return
    found = case.there.value_and_grad(*case.all, wrt="both", seed=2)[1]
    wanted = case.here.value_and_grad(*case.all, wrt="both", seed=2)[1]
    assert list(found) == list(wanted)
    for name, array in wanted.items():
        close(found[name], array)


def test_training(case: Case) -> None:
    one, two = case.params.copy(), case.params.copy()
    options = {"epochs": 2, "batch_size": 2, "seed": 4, "validation": (case.x, case.y)}
    # A bias before a normalisation has a gradient of 0, whose rounding Adam would blow up.
    rule = sbp.Momentum(0.05, 0.9) if case.net.name == "device_modes" else sbp.Adam(0.05)
    found = case.there.fit(one, case.x, case.y, rule, **options)
    wanted = case.here.fit(two, case.x, case.y, rule, **options)
    close(one.buffer, two.buffer)
    for name in ("loss", "accuracy", "validation_loss", "validation_accuracy"):
        close(getattr(found, name), getattr(wanted, name))
    assert found.updates == wanted.updates == 6
    there, here = case.there.evaluate(one, case.x, case.y), case.here.evaluate(one, case.x, case.y)
    assert there.keys() == here.keys()
    close(list(there.values()), list(here.values()))


@pytest.mark.parametrize("schedule", ["single", "grid", "layered"])
@pytest.mark.parametrize("loss", ["huber", "squared_hinge"])
def test_scalars_of_a_kernel_have_names_of_their_own(loss: str, schedule: str, seed: int) -> None:
    # Both losses name an entry of the target, which lies in shared memory under a name that is near.
    net = sbp.Sequential([sbp.Input(3), sbp.Dense(3, activation="leaky_relu"), sbp.Dense(2)], loss=loss, name="device_names")
    rng = np.random.default_rng([seed, 37])
    x, y = rng.normal(size=(N, 3)), np.sign(rng.normal(size=(N, 2)))
    made = []
    for target, options in (("cuda", {"schedule": schedule, "device": Lockstep(race=False)}), ("numpy", {})):
        params = net.init(seed=1, dtype="float64")
        net.compile(target=target, dtype="float64", **options).fit(params, x, y, sbp.SGD(0.1), batch_size=2)
        made.append(params.flat)
    close(*made)


def test_training_that_looks_at_every_gradient(case: Case) -> None:
    kinds = (("cuda", case.device), ("numpy", None))
    checked = [case.net.compile(target=kind, dtype="float64", check_finite=True, device=device) for kind, device in kinds]
    made = []
    for program in checked:
        params = case.params.copy()
        program.fit(params, case.x, case.y, sbp.Momentum(0.1, 0.9), batch_size=3, accuracy=False)
        made.append(params.buffer)
    close(*made)


def test_the_check_judges_the_kernels(plain: Case) -> None:
    report = plain.there.check(batch=3)
    assert report.ok, str(report)


def test_a_bound_call_follows_its_arrays(case: Case) -> None:
    x = tuple(a.copy() for a in case.x) if isinstance(case.x, tuple) else case.x.copy()
    step = case.there.bind(case.params, x, case.y, seed=1)
    assert not step.grads.flat.any()
    for _ in range(2):
        wanted, grads = case.here.value_and_grad(case.params, x, case.y, seed=1)
        close(step(), wanted)
        close(step.grads.flat, grads.flat)
        first = x[0] if isinstance(x, tuple) else x
        first[...] = first[::-1].copy()


def test_float32_keeps_to_float32(seed: int) -> None:
    net = dense()
    x, y = data("dense", np.random.default_rng([seed, 31]))
    params, x = net.init(seed=1), x.astype(np.float32)
    value, grads = net.compile(target="cuda", device="lockstep").value_and_grad(params, x, y)
    wanted, other = net.compile(target="numpy").value_and_grad(params, x, y)
    assert grads.flat.dtype == np.float32
    np.testing.assert_allclose(value, wanted, rtol=2e-6)
    np.testing.assert_allclose(grads.flat, other.flat, rtol=2e-5, atol=1e-7)


def test_the_same_bits_in_every_order_of_threads(plain: Case) -> None:
    programs = [plain.net.compile(target="cuda", dtype="float64", device=Lockstep(race=False, seed=s)) for s in range(3)]
    made = [p.value_and_grad(*plain.all) for p in programs]
    assert len({(value, grads.flat.tobytes()) for value, grads in made}) == 1


def test_what_is_written_says_how_it_runs(plain: Case) -> None:
    program = plain.net.compile(target="cuda")
    assert "from kernels_cuda import" in program.source and program.path.name == "device_dense_cuda.py"
    assert (program.path.parent / "kernels_cuda.py").exists()
    assert "device_dense" in program.plan and program.threading == "threads of the device"
    assert repr(program) == "Program(device_dense: cuda, float32, any batch)"


# --- arrays of the device -----------------------------------------------------------------------------------------------


def test_arrays_of_the_device_pass_and_results_stay_there(case: Case) -> None:
    wanted, grads = case.here.value_and_grad(*case.all, seed=3)
    params = case.put(case.params.buffer)
    x = tuple(map(case.put, case.x)) if isinstance(case.x, tuple) else case.put(case.x)
    y, out = case.put(case.y), case.put(np.full(case.params.flat.size, np.nan))
    value, found = case.there.value_and_grad(params, x, y, out=out, seed=3)
    close(value, wanted)
    assert found is out
    close(np.asarray(out), grads.flat)
    close(case.there.value_and_grad(params, x, y, seed=3)[1].flat, grads.flat)
    close(case.there.loss(params, x, y, seed=3), wanted)
    close(case.there.predict(params, x), case.here.predict(*case.all[:2]))
    assert case.there.evaluate(params, x, y).keys() == case.here.evaluate(*case.all).keys()
    # A mixture is as good.
    close(case.there.value_and_grad(case.params, x, case.y, seed=3)[0], wanted)
    step = case.there.bind(params, x, y, seed=3, out=out)
    case.poison(out)
    close(step(), wanted)
    assert step.grads is out
    close(np.asarray(out), grads.flat)


def test_training_on_the_device_changes_what_lies_there(case: Case) -> None:
    one, two = case.put(case.params.buffer), case.params.copy()
    x = tuple(map(case.put, case.x)) if isinstance(case.x, tuple) else case.put(case.x)
    options = {"epochs": 2, "batch_size": 2, "seed": 4}
    found = case.there.fit(one, x, case.put(case.y), sbp.Momentum(0.1, 0.9), validation=(x, case.put(case.y)), **options)
    wanted = case.here.fit(two, case.x, case.y, sbp.Momentum(0.1, 0.9), validation=(case.x, case.y), **options)
    close(np.asarray(one), two.buffer)
    close(found.loss, wanted.loss)
    close(found.validation_loss, wanted.validation_loss)


def test_training_that_fails_leaves_the_start_of_the_epoch(plain: Case) -> None:
    for params in (plain.params.copy(), plain.put(plain.params.buffer)):
        with pytest.raises(sbp.DataError, match="the parameters are those at the start of epoch"):
            plain.there.fit(params, plain.x * 1e200, plain.y, sbp.SGD(1e250), batch_size=2, epochs=3)
        flat = params.flat if isinstance(params, sbp.Parameters) else np.asarray(params)
        assert np.isfinite(flat).all()


@pytest.mark.parametrize(
    ("which", "spoil", "error", "message"),
    [
        ("params", lambda a: a[:-1].copy(), sbp.ShapeError, r"params: expected shape \(26,\), got \(25,\)"),
        ("params", lambda a: a.astype(np.float32), sbp.DataError, "params: .* takes float64, and the array on the device is float32"),
        ("x", lambda a: a[:, :2].copy(), sbp.ShapeError, r"x: expected shape \(batch, 3\), got \(5, 2\)"),
        ("x", lambda a: a.astype(np.int64), sbp.DataError, "x: .* takes float64, and the array on the device is int64"),
        ("x", lambda a: a.T.copy().T, sbp.DataError, "x: the array of shape .* on the device is not contiguous"),
        ("x", lambda a: np.tile(a, (2, 1)).view(DeviceArray)[1:6], sbp.DataError, "x: .* does not start at a multiple of 16 bytes"),
        ("x", lambda a: a[:0], sbp.ShapeError, "the batch is empty"),
        ("y", lambda a: a.astype(np.int32), sbp.DataError, "y: the device takes int64, and the array on the device is int32"),
        ("y", lambda a: a + 2, sbp.DataError, r"y: labels must lie in 0\.\.1"),
        ("y", lambda a: a[:3].copy(), sbp.ShapeError, "y: 3 targets, but x has 5 samples"),
        ("out", lambda a: a[:-1].copy(), sbp.ShapeError, r"out: expected shape \(26,\)"),
    ],
)
def test_arrays_of_the_device_are_judged_by_their_interface(
    plain: Case, which: str, spoil: Any, error: type[Exception], message: str
) -> None:
    given = {"params": plain.put(plain.params.flat), "x": plain.put(plain.x), "y": plain.put(plain.y), "out": plain.put(np.zeros(26))}
    given[which] = spoil(given[which])
    assert isinstance(given[which], DeviceArray)
    with pytest.raises(error, match=message):
        plain.there.value_and_grad(**given)


def test_results_do_not_overlap_arguments_on_the_device(plain: Case) -> None:
    params = plain.put(plain.params.flat)
    with pytest.raises(sbp.DataError, match="out shares memory with params"):
        plain.there.value_and_grad(params, plain.x, plain.y, out=params)
    with pytest.raises(sbp.DataError, match="expected Parameters, got a DeviceArray"):
        plain.here.value_and_grad(params, plain.x, plain.y)


def test_not_finite_values_on_the_device_are_named(plain: Case) -> None:
    program = plain.net.compile(target="cuda", dtype="float64", device=plain.device, check_finite=True)
    x = plain.put(plain.x)
    x[2, 1] = np.nan
    with pytest.raises(sbp.DataError, match=r"x: nan at index \(2, 1\)"):
        program.value_and_grad(plain.params, x, plain.y)
    params = plain.params.copy()
    params["dense_2.W"] = np.full((2, 4), 1e308)
    with pytest.raises(sbp.DataError, match="check_finite: the loss is not finite; the first such value is inf in loss"):
        program.value_and_grad(plain.put(params.flat), plain.x, plain.y)


# --- options and errors -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "cpu", "device": "auto"}, "device='auto' belongs to target 'cuda', not to 'cpu'"),
        ({"target": "cuda", "device": "tpu"}, "unknown device 'tpu' .known: auto, builtin, numba-cuda, lockstep"),
        ({"target": "cuda", "schedule": "unrolled"}, "unknown schedule 'unrolled' of target 'cuda' .known: auto, single, grid, layered"),
        ({"target": "cpu", "schedule": "single"}, "unknown schedule 'single' of target 'cpu'"),
        ({"target": "metal"}, "unknown target 'metal'"),
    ],
)
def test_options_are_tested_when_compiling(plain: Case, options: dict[str, Any], message: str) -> None:
    with pytest.raises(sbp.DeclarationError, match=message):
        plain.net.compile(**options)


def test_products_with_derivatives(case: Case) -> None:
    if case.net.name == "device_tokens":
        v: Any = case.net.init(seed=5, dtype="float64")
    else:
        v = (case.net.init(seed=5, dtype="float64"), case.x)
    weights = np.ones((N, 2))

    def numbers(found: Any) -> list[Any]:
        if isinstance(found, sbp.Parameters):
            return [found.flat]
        if isinstance(found, dict | tuple):
            return [a for part in (found.values() if isinstance(found, dict) else found) for a in numbers(part)]
        return [found]

    calls = (
        lambda program: program.hvp(*case.all, v, seed=2),
        lambda program: program.hvp(*case.all, v, route="reverse", seed=2),
        lambda program: program.jvp(*case.all[:2], v),
        lambda program: program.vjp(*case.all[:2], weights, wrt="parameters" if case.net.name == "device_tokens" else "both"),
    )
    for call in calls:
        for a, b in zip(numbers(call(case.there)), numbers(call(case.here)), strict=True):
            close(a, b)


def test_products_by_columns_and_what_is_out_of_range(plain: Case) -> None:
    close(plain.there.hessian(*plain.all, wrt="dense_2.b"), plain.here.hessian(*plain.all, wrt="dense_2.b"))
    with pytest.raises(sbp.DataError, match=r"y: labels must lie in 0\.\.1, got 7"):
        plain.there.hvp(plain.params, plain.x, plain.y * 0 + 7, plain.params)


def test_data_of_another_kind_is_refused_as_everywhere(plain: Case) -> None:
    for x in (plain.x.tolist(), plain.x.astype(np.float32), plain.x[:, ::-1]):
        with pytest.raises(sbp.DataError, match="x: "):
            plain.there.value_and_grad(plain.params, x, plain.y)
    with pytest.raises(sbp.DataError, match=r"y: labels must lie in 0\.\.1"):
        plain.there.value_and_grad(plain.params, plain.x, plain.y + 5)
    with pytest.raises(sbp.ShapeError, match="at most 4"):
        plain.net.compile(target="cuda", dtype="float64", device="lockstep", batch=4).value_and_grad(*plain.all)


SCRIPT = """
import sys
import numpy as np, symbackprop as sbp
net = sbp.Sequential([sbp.Input(3), sbp.Dense(2)], loss="softmax_cross_entropy", name="none")
program = net.compile(target="cuda", device=sys.argv[1])
print("kernels_cuda" in program.source, program.path.name, bool(program.plan))
params, x, y = net.init(seed=0), np.zeros((4, 3), np.float32), np.zeros(4, np.int64)
calls = {
    "value_and_grad": lambda: program.value_and_grad(params, x, y),
    "loss": lambda: program.loss(params, x, y),
    "predict": lambda: program.predict(params, x),
    "step": lambda: program.bind(params, x, y)(),
    "fit": lambda: program.fit(params, x, y, sbp.SGD(0.1)),
    "evaluate": lambda: program.evaluate(params, x, y),
    "check": lambda: program.check(),
}
for name, call in calls.items():
    try:
        call()
    except sbp.TargetError as error:
        print(name, "|", error)
print(sorted(m for m in sys.modules if m.startswith("numba.cuda.")) == [] or "CUDA was tried")
"""


@pytest.mark.parametrize(
    ("device", "found"),
    [("auto", "no CUDA driver was found"), ("builtin", "no CUDA driver was found"), ("numba-cuda", "numba-cuda")],
)
def test_without_a_gpu_everything_but_running_works(device: str, found: str, tmp_path: Any) -> None:
    surroundings = {**os.environ, "NUMBA_ENABLE_CUDASIM": "0", "NUMBA_CUDA_DRIVER": "0", "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, "-c", SCRIPT, device]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=surroundings)
    assert done.returncode == 0, done.stderr
    first, *lines, _ = done.stdout.splitlines()
    assert first == "True none_cuda.py True"
    assert [line.split(" | ")[0] for line in lines] == ["value_and_grad", "loss", "predict", "step", "fit", "evaluate", "check"]
    for line in lines:
        assert "needs the extra symbackprop[cuda]" in line or "symbackprop[cuda] (pip install 'symbackprop[cuda]')" in line
        assert found in line or "driver" in line, line
        assert "device='lockstep'" in line


def test_the_devices_are_those_that_are_documented() -> None:
    words = sbp.Network.compile.__doc__ or ""
    assert all(f'"{device}"' in words for device in DEVICES)


def test_a_second_process_takes_the_module_from_the_cache(plain: Case) -> None:
    from symbackprop.execute import load

    key = plain.there.path.parent.name
    again = load.recall(key, plain.device)
    assert again is not None and again.module is plain.there._any().module
    other = load.recall(key, "lockstep")
    assert other is not None and other.module is not again.module and other.runtime is not again.runtime
    assert load.recall(key, "lockstep").runtime is other.runtime  # type: ignore[union-attr]


def test_written_modules_run_alone_in_the_simulator_of_numba(plain: Case, tmp_path: Any) -> None:
    plain.net.generate(tmp_path, targets=("cuda",), dtype="float64", batch=N, optimizer=sbp.SGD(0.1))
    folder = tmp_path / plain.net.name
    assert sorted(p.name for p in folder.iterdir()) == ["device_dense_cuda.py", "kernels_cuda.py"]
    np.savez(tmp_path / "given.npz", params=plain.params.flat, x=plain.x, y=plain.y)
    script = (
        "import sys; sys.modules['symbackprop'] = None\n"
        "import numpy as np, device_dense_cuda as m\n"
        f"d = np.load({str(tmp_path / 'given.npz')!r}); params = d['params'].copy()\n"
        "grads, state = np.full(26, np.nan), np.zeros(m.STATE_SIZE)\n"
        "print(repr(m.value_and_grad(params, d['x'], d['y'], grads)))\n"
        "print(repr(m.train_step(params, d['x'], d['y'], np.zeros(26), state, np.array([0.1]))))\n"
        f"np.save({str(tmp_path / 'found.npy')!r}, np.stack([grads, params]))\n"
    )
    surroundings = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1", "PYTHONPATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, timeout=300, check=False, env=surroundings
    )
    assert done.returncode == 0, done.stderr
    wanted, grads = plain.here.value_and_grad(*plain.all)
    close([float(line) for line in done.stdout.split()], [wanted, wanted])
    found = np.load(tmp_path / "found.npy")
    close(found[0], grads.flat)
    close(found[1], plain.params.flat - 0.1 * grads.flat)
