"""How the runtime of CUDA modules calls cuBLAS, against a library that computes with NumPy column by column, as cuBLAS does."""

from __future__ import annotations

import ctypes
import importlib.util
import itertools
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from symbackprop.emit.environment import environment

_numbers = itertools.count()


@pytest.fixture
def runtime(tmp_path: Path) -> ModuleType:
    path = tmp_path / "kernels_cuda.py"
    path.write_text(environment().get_template("numba_cuda/kernels_cuda.py.jinja").render(), encoding="utf-8")
    spec = importlib.util.spec_from_file_location(f"runtime_of_products_{next(_numbers)}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Library:
    """cuBLAS, told by its manual: matrices are counted column by column. Memory is that of this process."""

    def __init__(self, failing: str = "") -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.failing = failing

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("cublas"):
            raise AttributeError(name)
        return lambda *arguments: self.answer(name, arguments)

    def answer(self, name: str, arguments: tuple[Any, ...]) -> int:
        self.calls.append((name, arguments))
        if name == self.failing:
            return 1
        if name == "cublasCreate_v2":
            arguments[0]._obj.value = 77
        else:
            assert arguments[0].value == 77
        if "gemm" in name:
            self.product("Strided" in name, ctypes.c_float if name[6] == "S" else ctypes.c_double, *arguments)
        return 0

    def product(self, many: bool, real: Any, _handle: Any, first: Any, second: Any, *rest: Any) -> None:
        m, n, k, alpha, *rest = rest
        assert all(type(a) is ctypes.c_int for a in (first, second, m, n, k)) and alpha._obj.value == 1
        (m, n, k), steps = (a.value for a in (m, n, k)), [0, 0, 0]
        if many:
            a, lda, steps[0], b, ldb, steps[1], beta, c, ldc, steps[2], count = rest
            assert all(type(s) is ctypes.c_longlong for s in steps)
            steps, count = [s.value for s in steps], count.value
        else:
            a, lda, b, ldb, beta, c, ldc = rest
            count = 1
        assert beta._obj.value == 0 and type(beta._obj) is real

        def matrix(place: Any, lead: Any, step: int, rows: int, columns: int) -> np.ndarray:
            assert type(place) is ctypes.c_void_p and lead.value >= max(1, rows)
            size = (columns - 1) * lead.value + rows
            memory = np.ctypeslib.as_array((real * size).from_address(place.value + step * ctypes.sizeof(real)))
            return np.lib.stride_tricks.as_strided(memory, (rows, columns), (memory.itemsize, lead.value * memory.itemsize))

        for one in range(count):
            left = matrix(a, lda, one * steps[0], *((k, m) if first.value else (m, k)))
            right = matrix(b, ldb, one * steps[1], *((n, k) if second.value else (k, n)))
            result = matrix(c, ldc, one * steps[2], m, n)
            result[...] = (left.T if first.value else left) @ (right.T if second.value else right)


@pytest.fixture
def gpu(runtime: ModuleType, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A device whose memory is NumPy's."""
    library, device = Library(), runtime.Numba()
    device._cuda = SimpleNamespace(jit=SimpleNamespace(__module__="numba.cuda"), current_context=lambda: None)
    device._stream = SimpleNamespace(handle=55)
    monkeypatch.setattr(device, "memory", lambda size, dtype: np.zeros(size, dtype), raising=False)
    monkeypatch.setattr(device, "interface", lambda array: array.__array_interface__, raising=False)
    monkeypatch.setattr(runtime.ctypes, "CDLL", lambda path: library)
    runtime.use(device)
    return SimpleNamespace(runtime=runtime, device=device, library=library)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("turned", list(itertools.product((False, True), repeat=2)))
def test_products_of_rows_by_a_library_of_columns(gpu: Any, turned: tuple[bool, bool], dtype: str, count: int) -> None:
    rng = np.random.default_rng(3)
    rows, columns, terms, odd, gap = 3, 5, 4, 3, 2
    shapes = [(rows, terms), (terms, columns), (rows, columns)]
    arrays, places = [], []
    for (height, width), flip in zip(shapes, (*turned, False), strict=True):
        height, width = (width, height) if flip else (height, width)
        lead = width + gap
        step = height * lead + 1
        arrays.append(rng.normal(size=odd + count * step).astype(dtype))
        places.append((odd, lead, flip, step) if count > 1 else (odd, lead, flip))

    def matrix(which: int, one: int) -> np.ndarray:
        offset, lead, flip, *step = places[which]
        height, width = reversed(shapes[which]) if flip else shapes[which]
        begin = offset + one * (step[0] if step else 0)
        picked = arrays[which][begin + np.arange(height)[:, None] * lead + np.arange(width)]
        return picked.T if flip else picked

    before = arrays[2].copy()
    gpu.runtime.matmul(*arrays, (rows, columns, terms, *((count,) if count > 1 else ())), *places)
    for one in range(count):
        np.testing.assert_allclose(matrix(2, one), matrix(0, one) @ matrix(1, one), rtol=1e-5 if dtype == "float32" else 1e-13)
    assert np.count_nonzero(before != arrays[2]) == count * rows * columns
    by_hand = [*arrays[:2], before]
    gpu.runtime.multiplied(by_hand, (rows, columns, terms, count), [(*p, 0)[:4] for p in places])
    np.testing.assert_allclose(by_hand[2], arrays[2], rtol=1e-5 if dtype == "float32" else 1e-13, atol=1e-6)


def test_one_handle_a_device_on_its_stream_in_memory_of_ours(gpu: Any) -> None:
    a = np.ones(4, "float32")
    for accuracy in ("strict", "strict", "tf32", "strict"):
        gpu.runtime.matmul(a, a, np.zeros(4, "float32"), (2, 2, 2), (0, 2, False), (0, 2, False), (0, 2, False), accuracy)
    names = [name for name, _ in gpu.library.calls]
    product, mode = "cublasSgemm_v2", "cublasSetMathMode"
    start = ["cublasCreate_v2", "cublasSetStream_v2", "cublasSetWorkspace_v2"]
    assert names == [*start, mode, product, product, mode, product, mode, product]
    assert gpu.library.calls[1][1][1].value == 55
    _, place, size = gpu.library.calls[2][1]
    assert (place.value, size.value) == (gpu.device._blas.buffer.ctypes.data, gpu.runtime.BLAS_ROOM)
    assert [arguments[1].value for name, arguments in gpu.library.calls if name == mode] == [0, 3, 0]


def test_sizes_that_cublas_cannot_count(gpu: Any) -> None:
    a = np.ones(4, "float32")
    with pytest.raises(gpu.runtime.CudaError, match="too large for cuBLAS"):
        gpu.runtime.matmul(a, a, a, (2**31, 2, 2), (0, 2, False), (0, 2, False), (0, 2, False))


def test_nothing_is_started_while_launches_are_recorded(gpu: Any) -> None:
    gpu.device.recording = True
    a = np.ones(4, "float32")
    with pytest.raises(RuntimeError, match="while launches are recorded"):
        gpu.runtime.matmul(a, a, a, (2, 2, 2), (0, 2, False), (0, 2, False), (0, 2, False))
    assert not gpu.library.calls


def test_without_cublas_one_line_says_what_to_install(gpu: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(path: str) -> Any:
        raise OSError(f"{path}: cannot open shared object file: No such file or directory")

    monkeypatch.setattr(gpu.runtime.ctypes, "CDLL", missing)
    monkeypatch.setattr(gpu.runtime, "blas_files", lambda: iter(["libcublas.so.13", "libcublas.so.12"]))
    a = np.ones(4, "float32")
    with pytest.raises(gpu.runtime.CudaError, match="pip install nvidia-cublas") as caught:
        gpu.runtime.matmul(a, a, a, (2, 2, 2), (0, 2, False), (0, 2, False), (0, 2, False))
    assert "\n" not in str(caught.value) and not isinstance(caught.value, gpu.runtime.UnavailableError)


def test_a_library_that_does_not_start_is_followed_by_the_next(gpu: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    libraries = {"/new": Library("cublasCreate_v2"), "/old": gpu.library}
    monkeypatch.setattr(gpu.runtime.ctypes, "CDLL", lambda path: libraries[path])
    monkeypatch.setattr(gpu.runtime, "blas_files", lambda: iter(libraries))
    a = np.ones(4, "float32")
    gpu.runtime.matmul(a, a, np.zeros(4, "float32"), (2, 2, 2), (0, 2, False), (0, 2, False), (0, 2, False))
    assert [name for name, _ in libraries["/new"].calls] == ["cublasCreate_v2"] and gpu.library.calls


@pytest.mark.skipif(sys.platform == "win32", reason="names of libraries")
def test_where_cublas_is_looked_for(runtime: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel, home = tmp_path / "nvidia", tmp_path / "toolkit"
    for folder, version in ((wheel / "cublas" / "lib", 12), (home / "lib64", 13)):
        folder.mkdir(parents=True)
        (folder / f"libcublas.so.{version}").touch()
    monkeypatch.setattr(runtime.importlib.util, "find_spec", lambda name: SimpleNamespace(submodule_search_locations=[str(wheel)]))
    monkeypatch.setitem(os.environ, "CUDA_HOME", str(home))
    monkeypatch.delitem(os.environ, "CUDA_PATH", raising=False)
    found = list(runtime.blas_files())
    assert found[:2] == [str(home / "lib64" / "libcublas.so.13"), str(wheel / "cublas" / "lib" / "libcublas.so.12")]
    assert found[2:] == [f"libcublas.so.{version}" for version in runtime.BLAS]


SIMULATED = """
import numpy as np, kernels_cuda as runtime
left, right, result = (runtime.put(np.asarray(v, "float32")) for v in (np.arange(7), np.arange(12), np.full(9, np.nan)))
runtime.matmul(left, right, result, (2, 4, 3), (1, 3, False), (0, 3, True), (1, 4, False))
print(*runtime.host(result)[1:].astype(int))
"""


def test_numbas_simulator_multiplies_in_numpy(runtime: ModuleType) -> None:
    folder = Path(str(runtime.__file__)).parent
    surroundings = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1", "PYTHONPATH": str(folder)}
    done = subprocess.run([sys.executable, "-c", SIMULATED], cwd=folder, env=surroundings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    wanted = np.arange(1, 7).reshape(2, 3) @ np.arange(12).reshape(4, 3).T
    assert [int(word) for word in done.stdout.split()] == wanted.ravel().tolist()
