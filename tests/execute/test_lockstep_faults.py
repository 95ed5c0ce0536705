"""Each planted fault is found, by the right exception, in the line that has it, with names of array, index and threads."""

from __future__ import annotations

import inspect
import re

import lockstep_faults as faults
import numpy as np
import pytest

from symbackprop.execute import lockstep
from symbackprop.execute.lockstep import (
    AlignmentError,
    BoundsError,
    DivergenceError,
    IntegerOverflowError,
    KernelTextError,
    OrderError,
    PrecisionError,
    RaceError,
    SharedMemoryError,
    UninitializedError,
)

TWO = r"thread \d+ of block \d .* what thread \d+ of block \d"
PLANTED = [
    (faults.no_barrier, RaceError, rf"shared array 's' at \[\d+\]: {TWO}"),
    (faults.one_buffer, RaceError, rf"shared array 's' at \[\d+\]: {TWO}"),
    (faults.race_on_global, RaceError, rf"global array 'out' at \[\d+\]: {TWO} wrote"),
    (faults.race_of_blocks, RaceError, rf"global array 'out' at \[0\]: {TWO} wrote"),
    (faults.block_barrier_for_a_grid, RaceError, rf"global array 'out' at \[63\]: {TWO} wrote"),
    (faults.plain_beside_atomic, RaceError, rf"global array 'out' at \[0\]: {TWO}"),
    (faults.before_the_start, BoundsError, r"global array 'x' at \[-1\]"),
    (faults.behind_the_end, BoundsError, r"global array 'out' at \[32\]: axis 0 has 0 .. 31"),
    (faults.before_a_local_array, BoundsError, r"local array 'l' at \[-1\]"),
    (faults.behind_a_shared_array, BoundsError, r"shared array 's' at \[\d, 8\]: axis 1 has 0 .. 7"),
    (faults.slice_behind_the_end, BoundsError, r"slice \[24:40\] of shared array 's' leaves 0 .. 32"),
    (faults.uninitialized_shared, UninitializedError, r"shared array 's' at \[32\] read before written by thread 31 of block"),
    (faults.uninitialized_local, UninitializedError, r"local array 'l' at \[1\]"),
    (faults.uninitialized_name, UninitializedError, r"'a'.* \(thread [0-5] of block"),
    (faults.other_type, UninitializedError, r"shared array 's' at \[0\] read before written"),
    (faults.some_finish, DivergenceError, r"21 threads \(.*\) at syncthreads.*11 threads \(.*\) finished|11 .* finished; 21"),
    (faults.other_barriers, DivergenceError, r"16 threads \(.*\) at syncthreads\(\) in line \d+; 16 threads"),
    (faults.blocks_finish, DivergenceError, r"block 0 waits at a grid sync, block 1 has finished"),
    (faults.lane_missing, DivergenceError, r"shfl_down_sync.*syncthreads"),
    (faults.lane_asked_is_not_there, DivergenceError, r"asks by shfl_down_sync for lane \d+, which takes no part"),
    (faults.misaligned_load, AlignmentError, r"global array 'x' at \[2\] starts 2 elements"),
    (faults.misaligned_row, AlignmentError, r"shared array 's' at \[1, 4\] starts 14 elements"),
    (faults.misaligned_part, AlignmentError, r"shared array 's\[3:32\]' at \[4\] starts 7 elements"),
    (faults.vector_behind_the_end, BoundsError, r"global array 'out' at \[32\]"),
    (faults.int32_product, IntegerOverflowError, r"int32 arithmetic gives 4\d+"),
    (faults.int32_counter, IntegerOverflowError, r"int32 arithmetic gives 2147483648"),
    (faults.int32_conversion, IntegerOverflowError, r"3000000000 is outside int32"),
    (faults.int32_array, IntegerOverflowError, r"3000000000 stored in int32 array 's' at \d+"),
    (faults.bare_literal, PrecisionError, r"float64 value stored in float32 array 'out'"),
    (faults.bare_integer, PrecisionError, r"float64 value stored in float32 array 'out'"),
    (faults.float_in_integers, PrecisionError, r"stored in int32 array 's'"),
    (faults.constant_written, KernelTextError, r"constant array 'TABLE' is written"),
    (faults.computed_shape, KernelTextError, r"shape n of an array is no literal"),
    (faults.sum_as_shape, KernelTextError, r"shape 8 \+ 1 of an array is no literal"),
    (faults.unknown_call, KernelTextError, r"cuda.popc is not emulated"),
]


def arrays() -> tuple[np.ndarray, np.ndarray]:
    return np.linspace(1.0, 2.0, 64, dtype=np.float32), np.full(64, np.nan, np.float32)


def launch(kernel: object, seed: int, race: bool = True) -> None:
    x, out = arrays()
    grid = 2 if kernel in (faults.race_of_blocks, faults.blocks_finish, faults.block_barrier_for_a_grid) else 1
    out = out if grid == 2 else out[:32]
    lockstep.run(kernel, grid, 32, x, out, dynamic_shared=128, seed=seed, race=race)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(("kernel", "error", "message"), PLANTED, ids=[k.__name__ for k, _, _ in PLANTED])
def test_a_planted_fault_is_found_in_its_line(kernel: object, error: type[Exception], message: str, seed: int) -> None:
    with pytest.raises(error, match=message) as caught:
        launch(kernel, seed)
    text = str(caught.value)
    assert type(caught.value) is error and "\n" not in text
    lines, first = inspect.getsourcelines(kernel)
    marked = {first + i for i, line in enumerate(lines) if "# fault" in line}
    found = re.match(r"(\w+), line (\d+):", text)
    assert found and found[1] == kernel.__name__ and int(found[2]) in marked, text


@pytest.mark.parametrize(
    ("kernel", "error"),
    [(k, e) for k, e, _ in PLANTED if e is not RaceError],
    ids=[k.__name__ for k, e, _ in PLANTED if e is not RaceError],
)
def test_without_the_log_of_races_all_else_is_still_found(kernel: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        launch(kernel, 0, race=False)


def test_static_shared_memory_has_a_limit() -> None:
    with pytest.raises(SharedMemoryError, match="too_much_shared: 49408 bytes of static shared memory, a block may have 49152"):
        launch(faults.too_much_shared, 0)
    x, out = arrays()
    with pytest.raises(SharedMemoryError, match="no_barrier: 232400 bytes of dynamic and 128 of static"):
        lockstep.run(faults.no_barrier, 1, 32, x, out, dynamic_shared=232_400)


def test_the_order_of_float_atomics_is_seen_in_the_bits() -> None:
    x = np.float32(1) / np.arange(1, 65, dtype=np.float32)
    with pytest.raises(OrderError, match=r"order_of_atomics: array 'out' at \[0\] is .* under seed 0 and .* under seed \d"):
        lockstep.same_bits(faults.order_of_atomics, 1, 64, x, np.zeros(1, np.float32), seeds=range(8))


def test_an_error_of_the_launch_is_one_clear_line() -> None:
    x, out = arrays()
    for call, message in [
        (lambda: lockstep.run(faults.no_barrier, 1, 32, x), "no_barrier takes x, out; got 1 arguments"),
        (lambda: lockstep.run(faults.no_barrier, 1, 2048, x, out), "2048 threads a block"),
        (lambda: lockstep.run(faults.no_barrier, 0, 32, x, out), "grid 0"),
        (lambda: lockstep.run(faults.no_barrier, 1, 32, x, "out"), "an argument of type str"),
        (lambda: lockstep.run(faults.no_barrier, 1, 32, x, x.view(np.int32)), "different dtypes share memory"),
        (lambda: lockstep.same_bits(faults.no_barrier, 1, 32, x, x), "must not share memory"),
        (lambda: lockstep.run(len, 1, 32, x, out), "is no kernel"),
    ]:
        with pytest.raises(KernelTextError, match=re.escape(message)):
            call()
