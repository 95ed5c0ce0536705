"""CUDA kernels with one fault each, for the lock-step emulator to find. A comment marks the line that it must name."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import float32, int32, int64

cuda: Any = None
ld4: Any = None
st4: Any = None

TABLE = np.arange(4, dtype=np.float32)


def no_barrier(x, out):
    s = cuda.shared.array(32, float32)
    t = cuda.threadIdx.x
    s[t] = float32(0.0)
    cuda.syncthreads()
    s[t] = x[t]  # fault
    out[t] = s[31 - t]  # fault


def one_buffer(x, out):
    s = cuda.shared.array(32, float32)
    t = cuda.threadIdx.x
    s[t] = x[t]
    cuda.syncthreads()
    a = s[31 - t]  # fault
    s[t] = a  # fault


def race_on_global(x, out):
    t = cuda.threadIdx.x
    out[t // 2] = x[t]  # fault


def race_of_blocks(x, out):
    if cuda.threadIdx.x == 0:
        out[0] = x[cuda.blockIdx.x]  # fault


def block_barrier_for_a_grid(x, out):
    t = cuda.grid(1)
    out[t] = x[t]
    cuda.syncthreads()
    if t == 0:
        out[0] = out[cuda.gridsize(1) - 1]  # fault


def plain_beside_atomic(x, out):
    t = cuda.threadIdx.x
    if t == 3:
        out[0] = x[3]  # fault
    else:
        cuda.atomic.add(out, 0, x[t])  # fault


def before_the_start(x, out):
    t = cuda.threadIdx.x
    out[t] = x[t - 1]  # fault


def behind_the_end(x, out):
    t = cuda.threadIdx.x
    out[t + 1] = x[t]  # fault


def before_a_local_array(x, out):
    t = cuda.threadIdx.x
    l = cuda.local.array(4, float32)  # noqa: E741
    for i in range(4):
        l[i] = x[t]
    out[t] = l[int32(2) - 3]  # fault


def behind_a_shared_array(x, out):
    s = cuda.shared.array((4, 8), float32)
    t = cuda.threadIdx.x
    s[t // 8, t % 8 + 1] = x[t]  # fault


def slice_behind_the_end(x, out):
    s = cuda.shared.array(0, float32)
    part = s[24:40]  # fault
    part[cuda.threadIdx.x // 2] = x[0]


def uninitialized_shared(x, out):
    s = cuda.shared.array(33, float32)
    t = cuda.threadIdx.x
    s[t] = x[t]
    cuda.syncthreads()
    out[t] = s[t + 1]  # fault


def uninitialized_local(x, out):
    l = cuda.local.array(4, float32)  # noqa: E741
    l[0] = x[0]
    out[cuda.threadIdx.x] = l[1]  # fault


def uninitialized_name(x, out):
    t = cuda.threadIdx.x
    if t > 5:
        a = x[t]
    out[t] = a  # fault


def other_type(x, out):
    s = cuda.shared.array(0, float32)
    t = cuda.threadIdx.x
    if t == 0:
        s[0] = x[0]
        whole = cuda.shared.array(0, int64)
        whole[0] = 3
        out[0] = s[0]  # fault


def some_finish(x, out):
    t = cuda.threadIdx.x
    if t > 20:
        return
    cuda.syncthreads()  # fault
    out[t] = x[t]


def other_barriers(x, out):
    t = cuda.threadIdx.x
    if t < 16:
        cuda.syncthreads()  # fault
    else:
        cuda.syncthreads()  # fault
    out[t] = x[t]


def blocks_finish(x, out):
    g = cuda.cg.this_grid()
    if cuda.blockIdx.x == 0:
        g.sync()  # fault
    out[cuda.grid(1)] = x[cuda.grid(1)]


def lane_missing(x, out):
    t = cuda.threadIdx.x
    a = x[t]
    if t < 16:
        a = cuda.shfl_down_sync(0xFFFFFFFF, a, 8)  # fault
    cuda.syncthreads()  # fault
    out[t] = a


def lane_asked_is_not_there(x, out):
    t = cuda.threadIdx.x
    if t < 16:
        out[t] = cuda.shfl_down_sync(0xFFFF, x[t], 8)  # fault


def misaligned_load(x, out):
    a, b, c, d = ld4(x, 2)  # fault
    out[cuda.threadIdx.x] = a + b + c + d


def misaligned_row(x, out):
    s = cuda.shared.array((4, 10), float32)
    if cuda.threadIdx.x == 0:
        st4(s, (1, 4), (x[0], x[1], x[2], x[3]))  # fault


def misaligned_part(x, out):
    s = cuda.shared.array(0, float32)
    part = s[3:]
    st4(part, 4, (x[0], x[1], x[2], x[3]))  # fault


def vector_behind_the_end(x, out):
    st4(out, 32, (x[0], x[1], x[2], x[3]))  # fault


def int32_product(x, out):
    t = int32(cuda.threadIdx.x)
    a = (t + 65536) * 65536  # fault
    out[t] = float32(a)


def int32_counter(x, out):
    a = int32(1)
    for _ in range(40):
        a *= 2  # fault
    out[cuda.threadIdx.x] = float32(a)


def int32_conversion(x, out):
    a = int64(3) * 1000000000
    out[cuda.threadIdx.x] = float32(int32(a))  # fault


def int32_array(x, out):
    s = cuda.shared.array(32, int32)
    s[cuda.threadIdx.x] = int64(3) * 1000000000  # fault


def bare_literal(x, out):
    t = cuda.threadIdx.x
    out[t] = x[t] * 0.5  # fault


def bare_integer(x, out):
    t = cuda.threadIdx.x
    out[t] = x[t] * 2  # fault


def float_in_integers(x, out):
    s = cuda.shared.array(32, int32)
    s[cuda.threadIdx.x] = x[0]  # fault


def constant_written(x, out):
    TABLE[0] = x[0]  # fault


def computed_shape(x, out):
    n = 8
    s = cuda.shared.array((n, n + 1), float32)  # fault
    s[0, 0] = x[0]


def sum_as_shape(x, out):
    s = cuda.shared.array(8 + 1, float32)  # fault
    s[0] = x[0]


def too_much_shared(x, out):
    s = cuda.shared.array((64, 128), float32)
    u = cuda.shared.array((64, 65), float32)
    s[0, 0] = u[0, 0] = x[0]


def unknown_call(x, out):
    out[0] = cuda.popc(int32(3))  # fault


def order_of_atomics(x, out):
    cuda.atomic.add(out, 0, x[cuda.threadIdx.x])
