"""A gradient has the same bits with 1, 2, 3 and 4 threads in every schedule, also where there are more threads than processors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symbackprop as sbp
from symbackprop import pipeline

numba = pytest.importorskip("numba")


def samples_then_rows() -> tuple[Any, Any, Any]:
    layers = [sbp.Input(64), sbp.Dense(128, activation="tanh"), sbp.LayerNorm(), sbp.Dense(64)]
    rng = np.random.default_rng(1)
    x, y = (rng.standard_normal((250, 64)).astype(np.float32) for _ in range(2))
    return sbp.Sequential(layers, loss="mse", name="samples_then_rows"), x, y


def parts() -> tuple[Any, Any, Any]:
    layers = [sbp.Input((1, 16, 16)), sbp.Conv2D(6, 3, activation="relu"), sbp.MaxPool2D(2), sbp.Flatten(), sbp.Dense(10)]
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((64, 1, 16, 16)).astype(np.float32), rng.integers(0, 10, 64)
    return sbp.Sequential(layers, loss="softmax_cross_entropy", name="parts"), x, y


def one_thread() -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((32, 20)).astype(np.float32), rng.integers(0, 3, 32)
    return sbp.Sequential([sbp.Input(20), sbp.Dense(30), sbp.Dense(3)], loss="softmax_cross_entropy", name="one_thread"), x, y


def written_out() -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(4)
    x, y = (rng.standard_normal((4, k)).astype(np.float32) for k in (2, 1))
    return sbp.Sequential([sbp.Input(2), sbp.Dense(2, activation="sigmoid"), sbp.Dense(1)], loss="mse", name="written_out"), x, y


NETS = (samples_then_rows, parts, one_thread, written_out)


def bits(make: Any, threads: int) -> list[str]:
    """Return what a program computes with so many threads, to the bit: a checked call, a bound one, and a step of training."""
    net, x, y = make()
    program = net.compile(batch=len(y), threads=threads)
    params = net.init(seed=0)
    loss, grads = program.value_and_grad(params, x, y)
    step = program.bind(params, x, y)
    found = [loss.hex(), grads.flat.tobytes().hex(), float(step()).hex(), step.grads.flat.tobytes().hex()]
    program.fit(params, x, y, sbp.Momentum(0.01), epochs=1, batch_size=None)
    return [*found, params.flat.tobytes().hex()]


def main() -> None:
    """Print how many threads there are, and for every network the bits of each number of them."""
    print(json.dumps([numba.config.NUMBA_NUM_THREADS, *([bits(make, count) for count in (1, 2, 3, 4)] for make in NETS)]))


def test_the_networks_are_planned_in_the_ways_that_they_are_named_after() -> None:
    plans = []
    for make in NETS:
        net, _, y = make()
        plans.append(pipeline.write(net.spec, pipeline.Options("cpu", "float32", len(y), form=pipeline.usual_form(net.spec)))[1])
    assert plans[0].entry("backward").stages and plans[1].parts > 1
    assert not plans[2].entry("backward").stages and plans[2].parts == 1 and not plans[2].straight.entries
    assert plans[3].straight.entries


def test_any_number_of_threads_gives_the_same_bits() -> None:
    # Numba takes the number of its threads when it is imported.
    folder = str(Path(__file__).parent)
    environment = {**os.environ, "NUMBA_NUM_THREADS": "4", "PYTHONPATH": os.pathsep.join([folder, *sys.path])}
    run = [sys.executable, "-c", "import test_same_bits; test_same_bits.main()"]
    done = subprocess.run(run, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    count, *found = json.loads(done.stdout)
    assert count == 4
    for make, (first, *others) in zip(NETS, found, strict=True):
        assert first[:2] == first[2:4], make.__name__
        assert others == [first] * 3, make.__name__


@pytest.mark.parametrize("make", [samples_then_rows, parts])
def test_compiled_code_of_others_may_call_what_threads_share(make: Any) -> None:
    net, x, y = make()
    program, params = net.compile(batch=len(y)), net.init(seed=0)
    loss, grads = program.value_and_grad(params, x, y)
    module = sys.modules[program._any().module.__name__]
    assert "prange" in program.source
    both = module.value_and_grad

    @numba.njit
    def halved(flat: Any, x: Any, y: Any, out: Any, work: Any) -> Any:
        value = both(flat, x, y, out, work)
        for k in range(out.size):
            out[k] *= 0.5
        return value

    out, work = np.empty_like(grads.flat), np.empty(module.workspace(len(y)), np.float32)
    assert halved(params.flat, x, y, out, work) == loss
    # Half of a normal number is exact.
    assert (2 * out).tobytes() == grads.flat.tobytes()
