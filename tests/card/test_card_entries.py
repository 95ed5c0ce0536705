"""Entries of written modules on a card that stands in for a GPU, and what the card was asked for on the way."""

from __future__ import annotations

import ctypes
import importlib
import warnings
from collections import Counter
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

import symbackprop as sbp
from benchmarks.cuda import ceilings, clock, correctness, ours, parts, subjects
from benchmarks.cuda.networks import NETWORKS, chosen

#: Networks and schedules, and what the card is asked for where a schedule is the one it says it is.
ASKED = {
    ("tiny", "layered"): "cuGraphLaunch",
    ("odd", "single"): "cuLaunchKernel",
    ("odd", "grid"): "cuOccupancyMaxActiveBlocksPerMultiprocessor",
    ("tiny", "external"): "cublasSgemm_v2",
}
ENTRIES = ("forward", "value_and_grad", "input_gradients", "train_step", "epoch")


@pytest.mark.parametrize(("name", "schedule"), list(ASKED))
def test_entries_against_float64_on_the_processor(card: Any, target: str, name: str, schedule: str) -> None:
    card.asked.clear()
    found = dict(correctness.network(name, schedule, target, ENTRIES, ("float32",)))
    found |= dict(correctness.network(name, schedule, target, ("value_and_grad", "train_step"), ("float64",)))
    seed = found.pop("seed")
    assert set(found) >= {f"{entry} float32" for entry in ENTRIES} | {"train_step float64", "numerical differentiation"}
    wrong = {entry: said for entry, said in found.items() if not said.get("passed")}
    assert not wrong, (seed, wrong)
    assert any(asked.startswith(ASKED[name, schedule]) for asked in card.asked)


def test_more_shared_memory_than_usual(card: Any, target: str) -> None:
    found = dict(correctness.shared(target))
    assert found["64 KB"]["passed"], found
    assert any("SetAttribute" in name for name in card.asked)


# --- graphs -----------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(target: str) -> subjects.Opened:
    return subjects.opened(subjects.declared("tiny"), 5, target, "float32", "layered", sbp.Momentum(0.01, 0.9))


@pytest.mark.parametrize("way", ["by_core", "by_bindings", "by_driver"])
def test_each_way_to_a_graph(card: Any, made: subjects.Opened, way: str) -> None:
    runtime = made.runtime
    there = runtime.zeros(8, "float32")
    add = made.beside("adds", ADD).kernel

    def function() -> None:
        for _ in range(3):
            runtime.launch(add, 1, 32, there)

    function()
    before = Counter(card.asked)
    replay = getattr(runtime.current(), way)(function)
    assert runtime.host(there).tolist() == [3.0] * 8, "nothing is done while a graph is recorded"
    for _ in range(4):
        replay()
    assert runtime.host(there).tolist() == [15.0] * 8
    asked = Counter(card.asked) - before
    assert asked["cuGraphLaunch"] == 4 and asked["cuLaunchKernel"] + asked["cuLaunchKernelEx"] == 3


ADD = """
from kernels_cuda import cuda, jit
from numba import float32


@jit
def kernel(out):
    k = cuda.grid(1)
    if k < out.size:
        out[k] += float32(1.0)
"""


def test_an_epoch_is_replayed(card: Any, made: subjects.Opened) -> None:
    """From the second epoch in the same memory on, graphs do the steps: no kernel is launched by itself but those before and after."""
    given = correctness._draw(subjects.declared("tiny"), made.module, 4 * 16 * 5, 5, 1)
    there = {k: made.put(v.astype(np.float32) if v.dtype.kind == "f" else v) if isinstance(v, np.ndarray) else v for k, v in given.items()}
    there |= {"hyper": given["hyper"], "order": np.empty(0, np.int64), "work": made.put(np.zeros(made.module.workspace(5), np.float32))}
    arguments = subjects.arguments(made.module.epoch, there)
    assert arguments is not None
    counts = []
    for _ in range(3):
        before = Counter(card.asked)
        made.module.epoch(*arguments)
        made.wait()
        counts.append(Counter(card.asked) - before)
    alone = [count["cuLaunchKernel"] + count["cuLaunchKernelEx"] for count in counts]
    assert alone[0] > 5 * 16 > alone[1] == alone[2] and counts[1]["cuGraphLaunch"] == 64 // made.runtime.ROUNDS


# --- memory of others -------------------------------------------------------------------------------------------------------


class Foreign:
    """An array of another library: memory of the card, on whose stream somebody works."""

    def __init__(self, array: Any, stream: int | None) -> None:
        self.array, self.stream = array, stream

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return {**self.array.__cuda_array_interface__, "stream": self.stream}


def test_work_on_the_stream_of_another_library_is_waited_for(card: Any, made: subjects.Opened) -> None:
    cuda = importlib.import_module("numba.cuda")
    values, theirs = np.arange(8, dtype=np.float32), cuda.stream()
    there = cuda.device_array(8, np.float32)
    handle = int(getattr(theirs.handle, "value", theirs.handle))
    there.copy_to_device(values, stream=theirs)
    taken = made.runtime.take(Foreign(there, handle), "float32")
    assert made.runtime.host(taken).tolist() == values.tolist()
    assert taken.__cuda_array_interface__["data"][0] == there.__cuda_array_interface__["data"][0]


def test_results_stay_where_they_were_asked_for(card: Any, target: str) -> None:
    net = subjects.declared("tiny")
    program = net.compile(target="cuda", device=target)
    rng = np.random.default_rng(5)
    params = net.init(seed=1)
    x, y = rng.standard_normal((4, 3)).astype(np.float32), rng.standard_normal((4, 2)).astype(np.float32)
    cuda = importlib.import_module("numba.cuda")
    there = [Foreign(cuda.to_device(a), None) for a in (params.flat, x, y, np.full(params.flat.size, np.nan, np.float32))]
    before = Counter(card.asked)
    value, grads = program.value_and_grad(*there[:3], out=there[3])
    asked = Counter(card.asked) - before
    wanted, other = program.value_and_grad(params, x, y)
    assert grads.__cuda_array_interface__["data"] == there[3].__cuda_array_interface__["data"] and value == wanted
    np.testing.assert_array_equal(there[3].array.copy_to_host(), other.flat)
    # Nothing but the loss comes back, and nothing goes there.
    assert sum(n for name, n in asked.items() if "HtoD" in name) == 0 and sum(n for name, n in asked.items() if "DtoH" in name) == 1


# --- sizes ------------------------------------------------------------------------------------------------------------------

#: The networks of the goals whose arrays fit everywhere.
SIZED = tuple((name, schedule) for name in NETWORKS if name != "f" for schedule in parts.schedules(name, False))


@pytest.mark.parametrize(("name", "schedule"), SIZED)
def test_launches_of_the_goals_networks_keep_to_the_limits_of_the_card(
    card: Any, target: str, monkeypatch: pytest.MonkeyPatch, name: str, schedule: str
) -> None:
    """Threads, registers, shared memory, blocks at once: no kernel is run, since they are too large."""
    monkeypatch.setattr(card, "most", 0)
    try:
        trained = ours.Trained(chosen(name, False), schedule, target)
    except LookupError as error:
        assert subjects.UNFIT in str(error)
        return
    trained.step()
    for _, prepare, _ in trained.ways():
        trained.begin()
        run, _ = prepare()
        run()
        trained.made.wait()
    assert len(set(card.launched)) > 1


def test_the_ceilings_can_be_measured(card: Any, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card, "most", 0)
    with warnings.catch_warnings():
        # That few blocks leave a GPU idle is what is measured.
        warnings.simplefilter("ignore")
        found = dict(ceilings.launches(asdict(clock.DRY), target))
    wrong = {name: entry for name, entry in found.items() if "error" in entry}
    # Numba's own target takes no address for an array.
    assert set(wrong) == ({"launch, a pointer"} if target == "builtin" else set()), wrong


# --- what the card refuses --------------------------------------------------------------------------------------------------


def test_what_the_card_refuses_is_one_clear_line(card: Any, made: subjects.Opened) -> None:
    runtime = made.runtime
    add = made.beside("refused", ADD).kernel
    there = runtime.zeros(8, "float32")
    runtime.launch(add, 1, 32, there)
    with pytest.raises(runtime.CudaError, match="the GPU has no memory left for 99,999,999,999 numbers"):
        runtime.zeros(99_999_999_999, "float32")
    with pytest.raises(runtime.CudaError, match=r"kernel: CUDA says .*INVALID_VALUE"):
        runtime.launch(add, 1, 1025, there)
    most = r"kernel needs 232,449 bytes of shared memory, and a block of this GPU has 232,448; take schedule='layered'"
    with pytest.raises(runtime.CudaError, match=most):
        runtime.launch(add, 1, 32, there, shared=232_449)
    assert runtime.host(there).tolist() == [1.0] * 8, "what was refused has done nothing"
    # Numba asks for memory twice: what it has set aside may be given back between.
    assert [error.split(":")[0].removesuffix("_v2").removesuffix("Ex") for error in card.errors] == ["cuMemAlloc"] * 2 + ["cuLaunchKernel"]
    card.errors.clear()


def test_blocks_that_do_not_fit_at_once_are_refused(card: Any, made: subjects.Opened) -> None:
    runtime = made.runtime
    meet = made.beside("meets", MEET).kernel
    there = runtime.zeros(2, "int32")
    runtime.launch(meet, 2, 32, there, cooperative=True)
    assert runtime.host(there).tolist() == [2, 2]
    with pytest.raises(runtime.CudaError, match=r"kernel needs \d+ blocks at once, and this GPU holds \d+"):
        runtime.launch(meet, 132 * 64 + 1, 32, there, cooperative=True)


MEET = """
from kernels_cuda import cuda, jit


@jit
def kernel(out):
    b = cuda.blockIdx.x
    if cuda.threadIdx.x == 0:
        out[b] = 1
    cuda.cg.this_grid().sync()
    other = out[1 - b]
    cuda.cg.this_grid().sync()
    if cuda.threadIdx.x == 0:
        out[b] += other
"""


# --- that the card itself is strict -----------------------------------------------------------------------------------------


def test_who_does_not_wait_sees_what_was_there_before(card: Any, made: subjects.Opened) -> None:
    runtime = made.runtime
    there, seen = runtime.zeros(4, "float32"), np.full(4, 7, np.float32)
    runtime.synchronize()
    runtime.fill(there, 2.0)
    there.copy_to_host(seen, stream=runtime.current().stream)
    assert seen.tolist() == [7.0] * 4
    runtime.synchronize()
    assert seen.tolist() == [2.0] * 4


def test_who_waits_while_a_graph_is_recorded_is_told(card: Any, made: subjects.Opened) -> None:
    runtime = made.runtime
    there = runtime.zeros(4, "float32")
    add = made.beside("waits", ADD).kernel
    runtime.launch(add, 1, 32, there)
    rung, function = runtime.current().record(lambda: (runtime.launch(add, 1, 32, there), runtime.synchronize()))
    assert rung.startswith("plain launches; ") and all(word in rung for word in ("cuda.core", "cuda.bindings", "libcuda"))
    assert len(card.errors) >= 3 and all("records a graph" in error for error in card.errors), card.errors
    card.errors.clear()
    function()
    assert runtime.host(there).tolist() == [2.0] * 4


def test_memory_that_was_given_back_is_not_used_again(card: Any, made: subjects.Opened) -> None:
    place = ctypes.c_void_p()
    assert card.call("cuMemAlloc_v2", ctypes.byref(place), 64) == 0
    assert card.call("cuMemFree_v2", place) == 0
    seen = np.zeros(4, np.float32)
    assert card.call("cuMemcpyDtoH_v2", ctypes.c_void_p(seen.ctypes.data), place, ctypes.c_size_t(16)) == 700
    assert "given back already" in card.errors[0]
    card.errors.clear()


def test_registers_are_counted(card: Any, target: str) -> None:
    """A kernel of 255 registers a thread does not start with 512 threads."""
    cuda = importlib.import_module("numba.cuda")
    names = [f"v{k}" for k in range(240)]
    lines = [f"    {name} = a[{k}]" for k, name in enumerate(names)]
    text = "\n".join(["def many(a):", *lines, "    cuda.syncthreads()", *(f"    a[{2 * k + 1}] = {n} * {n}" for k, n in enumerate(names))])
    space: dict[str, Any] = {"cuda": cuda}
    exec(text, space)
    kernel = cuda.jit(space["many"])
    there = cuda.to_device(np.zeros(1000, np.float32))
    with warnings.catch_warnings(), pytest.raises(Exception, match="OUT_OF_RESOURCES"):
        warnings.simplefilter("ignore")
        kernel[1, 512](there)
    assert "registers a thread" in card.errors[0]
    card.errors.clear()
