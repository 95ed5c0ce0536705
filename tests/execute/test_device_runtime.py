"""The runtime beside generated CUDA modules: arrays in and out, launches, what it says where there is no GPU, graphs, devices."""

from __future__ import annotations

import gc
import importlib.util
import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest

from symbackprop.emit.environment import environment
from symbackprop.execute.lockstep import DeviceArray, KernelTextError, Lockstep, RaceError

HERE = Path(__file__).parent
P, N = 26, 5


def write(folder: Path) -> Path:
    text = environment().get_template("numba_cuda/kernels_cuda.py.jinja").render()
    (folder / "kernels_cuda.py").write_text(text, encoding="utf-8")
    (folder / "hand_cuda.py").write_text((HERE / "hand_cuda.py").read_text(encoding="utf-8"), encoding="utf-8")
    return folder


def loaded(folder: Path) -> tuple[Any, Any]:
    """Return the handwritten module and its runtime."""
    made = []
    hidden = sys.modules.pop("kernels_cuda", None)
    try:
        for name in ("kernels_cuda", "hand_cuda"):
            spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
            assert spec is not None and spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            if name == "kernels_cuda":
                sys.modules[name] = module
            spec.loader.exec_module(module)
            made.append(module)
    finally:
        sys.modules.pop("kernels_cuda", None)
        if hidden is not None:
            sys.modules["kernels_cuda"] = hidden
    return made[1], made[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path)


@pytest.fixture
def hand(folder: Path) -> tuple[Any, Any]:
    module, runtime = loaded(folder)
    runtime.use(Lockstep())
    return module, runtime


@pytest.fixture
def data(seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng([seed, 17])
    return {"params": rng.normal(size=P), "x": rng.normal(size=(N, 3)), "y": rng.normal(size=(N, 2))}


def reference(params: np.ndarray, x: np.ndarray, y: np.ndarray) -> float:
    a = np.tanh(x @ params[:12].reshape(4, 3).T + params[12:16])
    z = a @ params[16:24].reshape(2, 4).T + params[24:]
    return float(((z - y) ** 2).sum() / 2 / len(x))


def numerical(params: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    h = 1e-6
    return np.array([(reference(params + h * e, x, y) - reference(params - h * e, x, y)) / (2 * h) for e in np.eye(P)])


def test_a_module_computes_what_its_equations_say(hand: Any, data: dict[str, np.ndarray]) -> None:
    module, _ = hand
    grads = np.full(P, np.nan)
    assert module.value_and_grad(*data.values(), grads, None) == pytest.approx(reference(**data), rel=1e-12)
    np.testing.assert_allclose(grads, numerical(**data), rtol=1e-6, atol=1e-8)
    grads_x = np.full((N, 3), np.nan)
    module.input_gradients(*data.values(), grads_x, None)
    h = 1e-6
    moved = [reference(data["params"], data["x"] + s * h * np.eye(15)[4].reshape(N, 3), data["y"]) for s in (1, -1)]
    assert grads_x.ravel()[4] == pytest.approx((moved[0] - moved[1]) / (2 * h), rel=1e-6, abs=1e-8)


def test_an_epoch_is_its_steps(hand: Any, data: dict[str, np.ndarray]) -> None:
    module, _ = hand
    order, hyper = np.array([3, 1, 4, 0, 2]), np.array([0.1, 0.9])
    one, two = data["params"].copy(), data["params"].copy()
    grads, state, also = np.zeros(P), np.zeros(P), np.zeros(P)
    total, failed = module.epoch(one, data["x"], data["y"], order, 2, None, None, grads, state, hyper, None)
    losses = []
    for low in range(0, N, 2):
        chosen = order[low : low + 2]
        losses.append(module.train_step(two, data["x"][chosen], data["y"][chosen], grads, also, hyper, None) * len(chosen))
    assert failed == 0 and total == pytest.approx(sum(losses), rel=1e-15)
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(state, also)


def test_arrays_of_the_device_are_used_where_they_lie(hand: Any, data: dict[str, np.ndarray]) -> None:
    module, runtime = hand
    there = {name: runtime.put(array) for name, array in data.items()}
    assert there["x"].shape == (N, 3) and isinstance(there["x"], DeviceArray)
    grads, work = runtime.zeros(P, "float64"), runtime.zeros(module.workspace(N), float)
    value = module.value_and_grad(*there.values(), grads, work)
    copied = np.empty(P)
    assert value == module.value_and_grad(*data.values(), copied, None)
    np.testing.assert_array_equal(np.asarray(grads), copied)
    assert work[10 * N] == value
    assert runtime.take(there["x"], "float64").base is not None
    assert np.shares_memory(runtime.take(there["x"], "float64"), there["x"])


def test_workspace_that_is_too_small_or_lies_elsewhere_is_not_used(hand: Any, data: dict[str, np.ndarray]) -> None:
    module, runtime = hand
    for work in (runtime.zeros(3, float), np.zeros(module.workspace(N))):
        module.loss(*data.values(), work)
        assert not np.asarray(work).any()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda a: a.astype(np.float32), "holds float32, expected float64"),
        (lambda a: a.T, "not contiguous"),
        (lambda a: a[:, ::2], "not contiguous"),
        (lambda a: a.reshape(-1)[1:], "multiple of 16 bytes"),
    ],
)
def test_arrays_of_the_device_that_do_not_fit_are_refused(hand: Any, spoil: Any, message: str) -> None:
    _, runtime = hand
    there = runtime.put(np.arange(24.0).reshape(4, 6))
    with pytest.raises(ValueError, match=message):
        runtime.take(spoil(there), "float64")


def test_what_is_no_array_is_refused(hand: Any) -> None:
    with pytest.raises(TypeError, match=r"expected a NumPy array, .* got a list"):
        hand[1].take([1.0], "float64")


def test_numpy_arrays_are_converted_and_come_back_in_their_own_order(hand: Any) -> None:
    _, runtime = hand
    values = np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3))
    there = runtime.take(values, "float64")
    assert there.dtype == np.float64 and there.tolist() == list(range(6))
    runtime.fill(there, 7.0)
    there[4] = 5.0
    runtime.give(there, values)
    assert values.tolist() == [[7, 7, 7], [7, 5, 7]]
    assert runtime.number(there, 4) == 5.0


def test_functions_of_kernels_keep_their_type_and_nan(hand: Any) -> None:
    module, runtime = hand
    values = np.array([-800.0, -0.5, 0.0, 0.5, 800.0, np.nan])
    out = np.empty(6)
    there = runtime.take(out, "float64")
    runtime.launch(module.signs, 1, 6, runtime.take(values, "float64"), there)
    runtime.give(there, out)
    np.testing.assert_array_equal(out, [-1, -1, 0, 1, 1, np.nan])
    for one in (np.float32, np.float64):
        with np.errstate(all="ignore"):
            found = [[float(f(one(v))) for v in values] for f in (runtime.sigmoid, runtime.softplus, runtime.tanh_softplus)]
        wanted = [0, 1 / (1 + np.exp(0.5)), 0.5, 1 / (1 + np.exp(-0.5)), 1, np.nan]
        np.testing.assert_allclose(found[0], wanted, rtol=1e-6, atol=1e-30)
        wanted = [0, np.log1p(np.exp(-0.5)), np.log(2), np.log1p(np.exp(0.5)), 800, np.nan]
        np.testing.assert_allclose(found[1], wanted, rtol=1e-6, atol=1e-30)
        wanted = [0, np.tanh(wanted[1]), 0.6, np.tanh(wanted[3]), 1, np.nan]
        np.testing.assert_allclose(found[2], wanted, rtol=1e-6, atol=1e-30)


SMOOTH = """
from kernels_cuda import cuda, jit, tanh_softplus


@jit
def smooth(values, out):
    k = cuda.grid(1)
    if k < values.size:
        out[k] = tanh_softplus(values[k])
"""


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_one_exponential_does_for_two_and_a_logarithm(hand: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dtype: str) -> None:
    """tanh(log(1 + eᵘ)) to four roundings, beside 60 digits, where it is tiny, where it is 1, and between."""
    _, runtime = hand
    (tmp_path / "smooth.py").write_text(SMOOTH, encoding="utf-8")
    monkeypatch.setitem(sys.modules, "kernels_cuda", runtime)
    spec = importlib.util.spec_from_file_location("smooth", tmp_path / "smooth.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    u = np.concatenate([np.linspace(-40, 20, 241), [-80.0, -1e-9, 0.0, 1e-9, 700.0, np.inf, -np.inf]]).astype(dtype)
    with mpmath.workdps(60):
        wanted = np.array([float(mpmath.tanh(mpmath.log1p(mpmath.exp(float(v))))) for v in u])
    found = np.empty_like(u)
    there = runtime.take(found, dtype)
    with np.errstate(under="ignore"):
        runtime.launch(module.smooth, 2, 128, runtime.take(u, dtype), there)
    runtime.give(there, found)
    np.testing.assert_allclose(found, wanted, rtol=4 * np.finfo(dtype).eps, atol=0)


def test_a_kernel_is_no_function(hand: Any) -> None:
    with pytest.raises(TypeError, match=r"dense_a is a kernel; start it by launch\(dense_a"):
        hand[0].dense_a(1, 2)


def test_integers_that_no_kernel_holds_are_refused(hand: Any) -> None:
    module, runtime = hand
    there = runtime.zeros(4, float)
    with pytest.raises(OverflowError):
        runtime.launch(module.momentum, 1, 32, there, there, there, 2**31)


def test_a_race_is_found(hand: Any) -> None:
    module, runtime = hand
    there = runtime.zeros(64, float)
    with pytest.raises(RaceError, match="race on global array"):
        runtime.launch(module.signs, 2, 32, there[1:], there[:63])


def test_numpy_arrays_do_not_reach_a_kernel(hand: Any) -> None:
    module, runtime = hand
    with pytest.raises(KernelTextError, match="argument values is a NumPy array"):
        runtime.launch(module.signs, 1, 4, np.zeros(4), runtime.zeros(4, float))


# --- without a GPU ------------------------------------------------------------------------------------------------------


def python(script: str, folder: Path, **surroundings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=folder,
        env={**os.environ, **surroundings},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


RUN = """
import numpy as np, hand_cuda, kernels_cuda
rng = np.random.default_rng(0)
grads = np.empty(26)
args = rng.normal(size=26), rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
print(repr(hand_cuda.value_and_grad(*args, grads, None)), grads.sum())
print(kernels_cuda.current().about())
there = [kernels_cuda.put(a) for a in args]
print(hand_cuda.loss(*there, None) == hand_cuda.loss(*args, None))
"""


def test_importing_a_module_imports_nothing_of_cuda(folder: Path) -> None:
    done = python("import sys, hand_cuda; print(*[m for m in sys.modules if m.startswith(('cuda', 'numba.cuda', 'numba_cuda'))])", folder)
    assert done.returncode == 0, done.stderr
    assert not done.stdout.strip()


def test_without_a_driver_running_says_so_in_one_line(folder: Path) -> None:
    done = python(RUN, folder, NUMBA_CUDA_DRIVER="/nowhere/libcuda.so", NUMBA_ENABLE_CUDASIM="0")
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "UnavailableError: CUDA kernels need an NVIDIA GPU" in last and "pip install 'numba-cuda[cu13]'" in last, done.stderr
    assert "NUMBA_CUDA_DRIVER" in last or "no CUDA driver was found" in last


def test_in_the_simulator_of_numba(folder: Path) -> None:
    done = python(RUN, folder, NUMBA_ENABLE_CUDASIM="1")
    assert done.returncode == 0, done.stderr
    rng = np.random.default_rng(0)
    params, x, y = rng.normal(size=26), rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
    value, total = map(float, done.stdout.splitlines()[0].split())
    assert value == pytest.approx(reference(params, x, y), rel=1e-12)
    assert total == pytest.approx(numerical(params, x, y).sum(), rel=1e-6)
    assert done.stdout.splitlines()[1:] == ["Numba's simulator of CUDA", "True"]


PACKAGE = "site/numba_cuda/numba/cuda/__init__.py"
NO_LIBRARY = "\nCUDA driver library cannot be found.\nIf you are sure"
OLD = "[222] Call to cuModuleLoadDataEx results in CUDA_ERROR_UNSUPPORTED_PTX_VERSION"


def fake_cuda(**names: Any) -> Any:
    module = types.ModuleType("numba.cuda")
    known = {"is_available": lambda: False, "cuda_error": lambda: None, "jit": lambda: None, "__file__": "numba/cuda/__init__.py"}
    module.__dict__.update({**known, **names})
    return module


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (fake_cuda(cuda_error=lambda: NO_LIBRARY), "only the CUDA target built into Numba is installed, but no"),
        (fake_cuda(__file__=PACKAGE, cuda_error=lambda: NO_LIBRARY), "the package numba-cuda is"),
        (fake_cuda(cuda_error=lambda: "Call to cuInit results in CUDA_ERROR_NO_DEVICE"), "the driver sees no GPU"),
        (fake_cuda(cuda_error=lambda: "Call to cuInit results in UNKNOWN"), "does not start: Call to cuInit results in"),
        (fake_cuda(), "libNVVM, the compiler of kernels, is not"),
        (None, "cannot be imported: import of numba.cuda halted"),
    ],
)
def test_what_is_missing_is_named(hand: Any, monkeypatch: pytest.MonkeyPatch, module: Any, message: str) -> None:
    _, runtime = hand
    # Where numba-cuda is installed, Numba's own target would take its place.
    monkeypatch.setattr(sys, "meta_path", [finder for finder in sys.meta_path if type(finder).__name__ != "NumbaCudaFinder"])
    monkeypatch.setitem(sys.modules, "numba.cuda", module)
    runtime.use("auto")
    with pytest.raises(runtime.UnavailableError, match=message) as caught:
        runtime.zeros(3, float)
    assert isinstance(caught.value, RuntimeError) and "\n" not in str(caught.value)
    assert caught.value.found in str(caught.value)


def test_the_target_that_was_asked_for_is_taken_or_refused(hand: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _, runtime = hand
    builtin, package = fake_cuda(), fake_cuda(__file__=PACKAGE)
    monkeypatch.setitem(sys.modules, "numba.cuda", builtin)
    assert runtime.numba_cuda("builtin") is builtin and runtime.numba_cuda("auto") is builtin
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(runtime.UnavailableError, match="the package numba-cuda is not installed"):
        runtime.numba_cuda("numba-cuda")
    monkeypatch.setitem(sys.modules, "numba.cuda", package)
    assert runtime.numba_cuda("numba-cuda") is package
    with pytest.raises(runtime.UnavailableError, match="builtin was asked for, but this process has imported numba-cuda"):
        runtime.numba_cuda("builtin")
    with pytest.raises(ValueError, match="unknown CUDA target 'mlir'"):
        runtime.numba_cuda("mlir")


def test_the_finder_of_numba_cuda_is_dropped_for_the_built_in_target(hand: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _, runtime = hand

    class NumbaCudaFinder:
        def find_spec(self, name: str, path: Any, target: Any = None) -> None:
            raise AssertionError("asked")

    monkeypatch.setattr(sys, "meta_path", [NumbaCudaFinder(), *sys.meta_path])
    monkeypatch.delitem(sys.modules, "numba.cuda", raising=False)
    monkeypatch.setattr(importlib, "import_module", lambda name: fake_cuda())
    runtime.numba_cuda("builtin")
    assert not [f for f in sys.meta_path if type(f).__name__ == "NumbaCudaFinder"]


def test_a_numba_cuda_that_cannot_be_imported_makes_way_for_the_built_in_target(hand: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _, runtime = hand

    class NumbaCudaFinder:
        def find_spec(self, name: str, path: Any, target: Any = None) -> None:
            return None

    def imported(name: str) -> Any:
        if any(type(finder).__name__ == "NumbaCudaFinder" for finder in sys.meta_path):
            sys.modules["numba.cuda"] = fake_cuda(__file__=PACKAGE)
            raise AttributeError("module 'numba.cuda.types' has no attribute 'NPDatetime'")
        assert "numba.cuda" not in sys.modules
        return fake_cuda()

    kept = {name: module for name, module in sys.modules.items() if name.startswith("numba.cuda")}
    monkeypatch.setattr(importlib, "import_module", imported)
    try:
        for which in ("numba-cuda", "auto"):
            monkeypatch.setattr(sys, "meta_path", [NumbaCudaFinder(), *sys.meta_path])
            sys.modules.pop("numba.cuda", None)
            if which == "auto":
                assert runtime.kind(runtime.numba_cuda(which)) == "builtin"
            else:
                with pytest.raises(runtime.UnavailableError, match=r"cannot be imported: module 'numba\.cuda\.types' has no"):
                    runtime.numba_cuda(which)
    finally:
        for name in [name for name in sys.modules if name.startswith("numba.cuda")]:
            del sys.modules[name]
        sys.modules.update(kept)


def test_names_that_numpy_removed_are_put_back(hand: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _, runtime = hand
    monkeypatch.setitem(sys.modules, "numba.cuda", fake_cuda())
    monkeypatch.delattr(np, "row_stack", raising=False)
    runtime.numba_cuda()
    assert np.row_stack is np.vstack


# --- what a GPU would be asked ------------------------------------------------------------------------------------------


class Stream:
    handle = 7

    def synchronize(self) -> None:
        pass


class FakeArray:
    """Memory of the pretended GPU."""

    def __init__(self, values: np.ndarray) -> None:
        self.values, self.dtype, self.size, self.ndim, self.shape = values, values.dtype, values.size, values.ndim, values.shape

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return self.values.__array_interface__

    def __getitem__(self, key: Any) -> FakeArray:
        return FakeArray(self.values[key])

    def reshape(self, *shape: int) -> FakeArray:
        return FakeArray(self.values.reshape(*shape))

    def copy_to_device(self, values: Any, stream: Any) -> None:
        self.values[...] = getattr(values, "values", values)

    def copy_to_host(self, values: np.ndarray, stream: Any) -> None:
        values[...] = self.values


class Compiled:
    """What the pretended compiler makes of a kernel; it tells what it was asked."""

    def __init__(self, function: Any, options: dict[str, Any], asked: list[Any]) -> None:
        self.function, self.options, self.asked = function, options, asked
        handle = type("CUkernel", (), {"value": 99})()
        self._codelibrary = types.SimpleNamespace(get_cufunc=lambda: types.SimpleNamespace(handle=handle))

    def __getitem__(self, launch: Any) -> Any:
        self.asked.append(("configured", self.function.__name__, launch[0], launch[1], launch[3]))
        return lambda *arguments: self.asked.append(("launched", self.function.__name__, *map(type, arguments)))

    def typeof_pyval(self, value: Any) -> Any:
        return type(value)

    def compile(self, kinds: Any) -> Compiled:
        return self

    def max_cooperative_grid_blocks(self, block: Any, shared: int) -> int:
        return 4


@pytest.fixture
def gpu(hand: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any, list[Any]]:
    module, runtime = hand
    asked: list[Any] = []

    def jit(**options: Any) -> Any:
        return lambda function: Compiled(function, options, asked)

    fake = fake_cuda(
        is_available=lambda: True,
        jit=jit,
        stream=Stream,
        device_array=lambda size, dtype: FakeArray(np.empty(size, dtype)),
        as_cuda_array=lambda a, sync: asked.append(("sync", sync)) or a,
        get_current_device=lambda: types.SimpleNamespace(
            id=0, name=b"Pretended", compute_capability=(9, 0), MAX_SHARED_MEMORY_PER_BLOCK_OPTIN=200_000
        ),
    )
    monkeypatch.setitem(sys.modules, "numba.cuda", fake)
    runtime.use("auto")
    monkeypatch.setattr(runtime, "driver", lambda name, *arguments: asked.append((name, *(getattr(a, "value", a) for a in arguments))))
    return module, runtime, asked


def test_a_kernel_is_compiled_and_configured_once(gpu: Any) -> None:
    module, runtime, asked = gpu
    there = runtime.take(np.arange(4.0), "float64")
    for _ in range(2):
        runtime.launch(module.signs, 1, 32, there, there)
    runtime.launch(module.signs, 2, 32, there, 5)
    array = FakeArray
    assert asked == [
        ("configured", "signs", 1, 32, 0),
        ("launched", "signs", array, array),
        ("launched", "signs", array, array),
        ("configured", "signs", 2, 32, 0),
        ("launched", "signs", array, np.int32),
    ]
    compiled = module.signs.made[runtime.current()]
    # The text of the kernel itself stays as it was written.
    assert compiled.function.__globals__["cuda"] is sys.modules["numba.cuda"] and module.cuda is runtime.cuda
    assert isinstance(compiled.function.__globals__["sign"], Compiled) and compiled.function.__globals__["sign"].options == {"device": True}
    assert runtime.current().about() == "builtin on Pretended, compute capability 9.0"


def test_more_shared_memory_than_usual_is_asked_for_once(gpu: Any) -> None:
    module, runtime, asked = gpu
    there = runtime.take(np.arange(4.0), "float64")
    for _ in range(2):
        runtime.launch(module.signs, 1, 32, there, there, shared=100_000)
    assert [a for a in asked if a[0].startswith("cu")] == [("cuKernelSetAttribute", 8, 100_000, 99, 0)]
    module.signs.made[runtime.current()]._codelibrary = types.SimpleNamespace(
        get_cufunc=lambda: types.SimpleNamespace(handle=types.SimpleNamespace(value=98))
    )
    runtime.launch(module.signs, 2, 32, there, there, shared=100_000)
    assert asked[-3] == ("cuFuncSetAttribute", 98, 8, 100_000)
    least = r"signs needs 200,001 bytes of shared memory, and a block of this GPU has 200,000; take schedule='layered'"
    with pytest.raises(runtime.CudaError, match=least):
        runtime.launch(module.signs, 1, 32, there, there, shared=200_001)


def test_a_grid_that_does_not_fit_at_once_is_refused(gpu: Any) -> None:
    module, runtime, _ = gpu
    there = runtime.take(np.arange(4.0), "float64")
    runtime.launch(module.signs, (2, 2), 32, there, there, cooperative=True)
    with pytest.raises(RuntimeError, match="signs needs 5 blocks at once, and this GPU holds 4"):
        runtime.launch(module.signs, 5, 32, there, there, cooperative=True)


def test_only_streams_that_do_not_wait_by_themselves_are_waited_for(gpu: Any) -> None:
    _, runtime, asked = gpu

    class Foreign(FakeArray):
        stream: Any = None

        @property
        def __cuda_array_interface__(self) -> dict[str, Any]:
            return {**self.values.__array_interface__, "stream": self.stream}

    for stream, waits in ((None, False), (1, False), (2, True), (12345, True)):
        array = Foreign(np.zeros(4))
        array.stream = stream
        asked.clear()
        assert runtime.take(array, "float64") is array
        assert asked == [("sync", waits)]


def test_memory_is_used_again(gpu: Any) -> None:
    _, runtime, _ = gpu
    first = runtime.take(np.arange(100.0), "float64")
    where = first.values.ctypes.data
    del first
    gc.collect()
    second, third = runtime.take(np.arange(90.0), "float64"), runtime.take(np.arange(90.0), "float64")
    assert second.values.ctypes.data == where != third.values.ctypes.data
    assert second.size == 90
    back = np.empty(90)
    runtime.give(second, back)
    np.testing.assert_array_equal(back, np.arange(90.0))


def test_memory_that_is_kept_is_not_used_again(gpu: Any) -> None:
    _, runtime, _ = gpu
    kept = runtime.put(np.arange(12.0).reshape(3, 4))
    gc.collect()
    other = runtime.take(np.zeros(12), "float64")
    assert kept.shape == (3, 4) and not np.shares_memory(kept.values, other.values)
    np.testing.assert_array_equal(runtime.host(kept), np.arange(12.0).reshape(3, 4))
    # Rows that start at an odd address are copied, others are not.
    odd, even = runtime.part(runtime.put(np.arange(15.0).reshape(5, 3)), 1, 4), runtime.part(kept, 1, 3)
    np.testing.assert_array_equal(runtime.host(odd), np.arange(3.0, 12.0).reshape(3, 3))
    assert np.shares_memory(even.values, kept.values)
    runtime.take(odd, "float64")


def test_errors_of_cuda_are_one_line(gpu: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    module, runtime, _ = gpu
    there = runtime.take(np.arange(4.0), "float64")

    def failing(kind: str, where: str, text: str) -> None:
        error = type(kind, (Exception,), {"__module__": where})(text)

        def configured(*_: Any) -> Any:
            raise error

        monkeypatch.setattr(runtime.current(), "configured", configured)
        module.signs.made.clear()
        runtime.launch(module.signs, 1, 32, there, there)

    with pytest.raises(runtime.UnavailableError, match="driver is older than the toolkit"):
        failing("CudaAPIError", "numba.cuda.cudadrv.driver", OLD)
    with pytest.raises(runtime.UnavailableError, match="libNVVM, was not found"):
        failing("NvvmSupportError", "numba.cuda.cudadrv.error", "libNVVM cannot be found. Do `conda install cudatoolkit`:\nno file")
    with pytest.raises(runtime.CudaError, match=r"signs: CUDA says \[700\] Call to cuMemcpy results in"):
        failing("CudaAPIError", "numba.cuda.cudadrv.driver", "[700] Call to cuMemcpy results in CUDA_ERROR_ILLEGAL_ADDRESS")
    full = type("CudaAPIError", (Exception,), {"__module__": "numba.cuda.cudadrv.error"})("[2] Call to cuMemAlloc results in OUT_OF_MEMORY")

    def refused(*_: Any) -> Any:
        raise full

    with monkeypatch.context() as patched:
        patched.setattr(sys.modules["numba.cuda"], "device_array", refused)
        with pytest.raises(runtime.CudaError, match="the GPU has no memory left for 12,345 numbers"):
            runtime.zeros(12345, float)
    with pytest.raises(Exception, match="untyped") as caught:
        failing("TypingError", "numba.core.errors", "untyped name")
    assert not isinstance(caught.value, RuntimeError)


# --- graphs -------------------------------------------------------------------------------------------------------------


def test_without_graphs_launches_are_done_one_by_one(hand: Any) -> None:
    _, runtime = hand
    calls = []
    replayed = runtime.captured(lambda: calls.append(1))
    for _ in range(3):
        replayed()
    assert len(calls) == 3 and replayed.rung == "plain launches"


def test_launches_are_recorded_by_the_first_way_that_works(gpu: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _, runtime, asked = gpu
    done: list[str] = []

    class Builder:
        def begin_building(self, mode: str) -> Builder:
            done.append(f"begin {mode}")
            return self

        def end_building(self) -> None:
            done.append("end")

        def complete(self) -> Any:
            return types.SimpleNamespace(launch=lambda stream: done.append("replay"))

    core = types.ModuleType("cuda.core")
    core.Stream = types.SimpleNamespace(from_handle=lambda handle: types.SimpleNamespace(create_graph_builder=Builder))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "cuda.core", core)
    replayed = runtime.captured(lambda: done.append("launch"))
    for _ in range(4):
        replayed()
    assert done == ["launch", "begin relaxed", "launch", "end", "replay", "replay", "replay"]
    assert replayed.rung == "graph by cuda.core"

    # Without cuda.core: cuda.bindings.
    done.clear()
    monkeypatch.setitem(sys.modules, "cuda.core", None)
    bindings = types.ModuleType("cuda.bindings.driver")
    bindings.CUstream = int  # type: ignore[attr-defined]
    bindings.CUstreamCaptureMode = types.SimpleNamespace(CU_STREAM_CAPTURE_MODE_RELAXED=2)  # type: ignore[attr-defined]
    answers = {"cuStreamEndCapture": (0, "graph"), "cuGraphInstantiate": (0, "ready")}
    others = ("cuStreamBeginCapture", "cuGraphLaunch", "cuGraphDestroy", "cuGraphExecDestroy")
    for name, answer in {**answers, **dict.fromkeys(others, (0,))}.items():
        setattr(bindings, name, lambda *a, name=name, answer=answer: (done.append((name, *a)), answer)[1])
    monkeypatch.setitem(sys.modules, "cuda.bindings.driver", bindings)
    replayed = runtime.captured(lambda: done.append("launch"))
    for _ in range(2):
        replayed()
    assert replayed.rung == "graph by cuda.bindings"
    assert done[1:] == [
        ("cuStreamBeginCapture", 7, 2),
        "launch",
        ("cuStreamEndCapture", 7),
        ("cuGraphInstantiate", "graph", 0),
        ("cuGraphDestroy", "graph"),
        ("cuGraphLaunch", "ready", 7),
    ]
    del replayed
    assert done[-1] == ("cuGraphExecDestroy", "ready")

    # Without both: the driver's library.
    monkeypatch.setitem(sys.modules, "cuda.bindings.driver", None)
    asked.clear()
    replayed = runtime.captured(lambda: asked.append(("launch",)))
    for _ in range(2):
        replayed()
    names = ["launch", "cuStreamBeginCapture_v2", "launch", "cuStreamEndCapture", "cuGraphInstantiateWithFlags"]
    assert [a[0] for a in asked] == [*names, "cuGraphDestroy", "cuGraphLaunch"] and replayed.rung == "graph by libcuda"

    # Without any: plain launches, and what failed is told.
    def broken(name: str, *arguments: Any) -> None:
        raise OSError("no library")

    monkeypatch.setattr(runtime, "driver", broken)
    done.clear()
    replayed = runtime.captured(lambda: done.append("launch"))
    for _ in range(3):
        replayed()
    assert done.count("launch") == 3
    assert replayed.rung.startswith("plain launches; cuda.core: ") and "libcuda: OSError: no library" in replayed.rung


def test_steps_are_replayed_as_long_as_they_use_the_same_memory(gpu: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    module, runtime, asked = gpu
    replayed: list[str] = []
    monkeypatch.setattr(type(runtime.current()), "by_core", lambda self, function: (function(), lambda: replayed.append("graph"))[1])

    def step(there: Any, n: int) -> None:
        runtime.launch(module.signs, 1, 32, there, there, n)

    def launched() -> int:
        return sum(a[0] == "launched" for a in asked)

    def epoch(times: int) -> tuple[int, int]:
        asked.clear()
        replayed.clear()
        runtime.repeat(times, step, runtime.take(np.arange(4.0), "float64"), 4)
        gc.collect()
        return launched(), len(replayed)

    rounds = runtime.ROUNDS
    # Once one by one, once while it is recorded, and the rounds that are left over likewise.
    assert epoch(5 * rounds + 3) == (2 * rounds + 2, 4 + 2)
    assert epoch(5 * rounds + 3) == (0, 5 + 3)
    assert epoch(2) == (0, 2)
    # Other memory, other graphs.
    kept = runtime.take(np.zeros(4), "float64")
    assert epoch(3) == (2, 2)
    del kept
    assert epoch(0) == (0, 0)
    for size in range(5, 5 + runtime.KEPT):
        runtime.repeat(2, step, runtime.take(np.zeros(4), "float64"), size)
    assert len(runtime._records) == runtime.KEPT


def test_steps_are_done_one_by_one_where_nothing_is_recorded(hand: Any) -> None:
    _, runtime = hand
    done: list[tuple[Any, ...]] = []
    runtime.repeat(40, lambda *a: done.append(a), 1, 2)
    assert done == [(1, 2)] * 40 and not runtime._records


def test_no_memory_is_taken_while_launches_are_recorded(gpu: Any) -> None:
    _, runtime, _ = gpu
    runtime.current().recording = True
    with pytest.raises(RuntimeError, match="take it before"):
        runtime.zeros(3, float)
