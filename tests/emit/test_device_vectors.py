"""What kernels call beside Python's own words: the runtime file's plain twins, in Numba's simulator, do what the emulator does."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from device_products import SMALL, arguments, draw, plan, write
from test_device_products import convolution, dense

from symbackprop.emit.environment import environment
from symbackprop.execute import lockstep
from symbackprop.execute.lockstep import vectors
from symbackprop.plan.device.records import PAD

RUNTIME = "from kernels_cuda import cuda, device, jit, launch, ld4, multiply_add, opaque, register_tile, st4, store_row"
SCRIPT = """
import sys
sys.modules["symbackprop"] = None
import numpy as np, kernels_cuda, {module} as m
there = kernels_cuda.put(np.load("given.npy"))
kernels_cuda.launch(m.product_0, {grid}, {threads}, there, *{rest})
np.save("found.npy", kernels_cuda.host(there))
"""


@pytest.mark.parametrize("name", ["dense", "convolution"])
def test_numbas_simulator_runs_products(name, tmp_path, monkeypatch):
    (tmp_path / "kernels_cuda.py").write_text(environment().get_template("numba_cuda/kernels_cuda.py.jinja").render())
    monkeypatch.syspath_prepend(str(tmp_path))
    equations = dense(12, 8) if name == "dense" else convolution("forward")
    samples = 10 if name == "dense" else 1
    written = write(plan(equations, samples=samples, tile=SMALL), tmp_path, "float32", RUNTIME)
    sys.modules.pop("kernels_cuda")
    (kernel,) = written.kernels
    taken, _ = arguments(kernel, draw(equations, samples, 3, "float32"), samples, "float32", 4)
    np.save(tmp_path / "given.npy", taken[0])
    grid = 1 if name == "dense" else 2
    script = SCRIPT.format(module=written.module.__name__, grid=grid, threads=SMALL.threads, rest=taken[1:])
    surroundings = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1", "PYTHONPATH": ""}
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=surroundings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lockstep.run(getattr(written.module, kernel.name), grid, SMALL.threads, *taken)
    found = np.load(tmp_path / "found.npy")
    assert np.array_equal(np.isnan(found), np.isnan(taken[0])) and np.nanmax(np.abs(found - taken[0])) <= 2e-6 * np.nanmax(np.abs(found))


class Watched(dict):
    """An array that tells where it is read and written by fours."""

    dtype = np.dtype("float32")

    def __init__(self, values):
        super().__init__(enumerate(values))
        self.fours = []

    def aligned(self, index):
        self.fours.append(index)


def test_a_thread_has_rows_and_columns_in_fours():
    tiles = Watched(np.arange(2 * 3 * (16 + PAD), dtype=np.float32))
    start = 3 * (16 + PAD)
    sums = vectors.multiply_add(vectors.register_tile(8, 4, np.float32(1.0)), tiles, 4, start, 16, 16, 3)
    assert PAD == vectors.PAD and sums.dtype == np.float32
    assert tiles.fours[:3] == [4, 4 + 8, start] and tiles.fours[3] == 4 + 16 + PAD
    left = np.array([[k * 20 + i for i in (4, 5, 6, 7, 12, 13, 14, 15)] for k in range(3)])
    right = np.array([[start + k * 20 + j for j in range(4)] for k in range(3)])
    assert np.array_equal(sums, 1 + left.T @ right)
    tiles.fours.clear()
    vectors.store_row(sums.T, 2, tiles, 4, 16)
    assert tiles.fours == [4, 12]
    assert [tiles[4 + j] for j in (0, 1, 2, 3, 8, 9, 10, 11)] == [*sums[:, 2]]
