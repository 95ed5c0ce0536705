"""Kernels of the network char_rnn for CUDA, compiled by Numba; they need NumPy, Numba and a GPU.

Written from the template numba_cuda/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: 1c3c4c1d2ed158458a56403ef1183cde91498d8ca17a732292fe9199081323a9
Schedule: layered; kernels are launched one after the other: 13,534 parameters times 32 samples are more than 300,000, too much for one
block; a block needs 1,313,660 bytes of shared memory for 8 samples, and has 49,152.

params, grads, state and work are contiguous 1-D arrays of type float32; x has one sample a row.
x holds integers from 0 to 61. y has 32 numbers for each sample, integers from 0 to 61.
Arrays are NumPy's, which are copied in and out, or lie on the device (__cuda_array_interface__), where they are used as they are.
In a kernel a tensor's entry is buffer[offset + place]: W in params is params[W + i * columns + j].
"""

import math

import numpy as np
from numba import float32 as real
from numba import float64, int32, uint32

try:
    from .kernels_cuda import (
        cuda,
        device,
        give,
        in_range,
        jit,
        launch,
        ld4,
        multiply_add,
        number,
        opaque,
        register_tile,
        repeat,
        room,
        sigmoid,
        st4,
        store_row,
        take,
        zeros,
    )
except ImportError:
    from kernels_cuda import (
        cuda,
        device,
        give,
        in_range,
        jit,
        launch,
        ld4,
        multiply_add,
        number,
        opaque,
        register_tile,
        repeat,
        room,
        sigmoid,
        st4,
        store_row,
        take,
        zeros,
    )

NAME = "char_rnn"
#: Name, offset and shape of each parameter in the flat buffers.
PARAMETERS = (
    ("embedding_1.E", 0, (62, 16)),
    ("gru_1.W_x", 992, (144, 16)),
    ("gru_1.W_h", 3296, (144, 48)),
    ("gru_1.b_x", 10208, (144,)),
    ("gru_1.b_h", 10352, (144,)),
    ("dense_1.W", 10496, (62, 48)),
    ("dense_1.b", 13472, (62,)),
)
DTYPE = "float32"
#: The largest batch.
BATCH = 32
STATE_SIZE = 27069
#: The optimizer's numbers with their defaults, in the order of the array hyper.
HYPER = (
    ("lr", 0.01),
    ("beta1", 0.9),
    ("beta2", 0.999),
    ("eps", 1e-08),
    ("updates", 560.0),
    ("minimum", 0.0),
)
SCHEDULE = "layered"


def workspace(n):
    """Return how many elements of workspace a batch of n samples needs."""
    return 39264 * n + 195076


@device
def embedding_a(block, params, x, work, E, a, N):
    """Write a."""
    # a[n, t, i] = E[x[n, t], i]
    entry = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if entry < N * int32(512):
        n = entry // int32(512)
        t = entry // int32(16) % int32(32)
        i = entry % int32(16)
        work[a + n * 512 + t * 16 + i] = params[E + int32(x[n * 32 + t]) * 16 + i]


@jit
def embedding_a_alone(params, x, work, N):
    """Do embedding_a."""
    block = int32(cuda.blockIdx.x)
    embedding_a(block, params, x, work, int32(0), int32(0), N)


@jit(max_registers=128)
def gru_p(params, work, W_x, b_x, x, p, N):
    """Write p in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each."""
    # p[n, t, r] = b_x[r] + Σ_j W_x[r, j] x[n, t, j]
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(cuda.blockIdx.x)
    column = int32(block % uint32(5) * 32)
    block = uint32(block // uint32(5))
    row = int32(block * 32)
    first = int32(0)
    # What the thread reads of a tile, and where it puts that.
    row_0 = uint32(row + (thread >> 2))
    row_1 = uint32(row + (thread >> 2) + 16)
    left_put = int32((thread & 3) * 144 + (thread >> 2))
    r_0 = int32(column + (thread >> 2))
    r_1 = int32(column + (thread >> 2) + 16)
    right_put = int32(576 + (thread & 3) * 144 + (thread >> 2))
    # What it multiplies: its rows of the left tile and its columns of the right one.
    left = int32((thread >> 3) * 4)
    right = int32(576 + (thread & 7) * 4)
    here = int32(0)
    sums = register_tile(4, 4, real(0.0))
    j_0 = int32(first + (thread & 3) * 4)
    left_0 = ld4(work, int32(x + row_0 * 16 + j_0), (row_0 < N * 32) & (j_0 < 16))
    left_1 = ld4(work, int32(x + row_1 * 16 + j_0), (row_1 < N * 32) & (j_0 < 16))
    right_0 = ld4(params, int32(W_x + r_0 * 16 + j_0), (r_0 < 144) & (j_0 < 16))
    right_1 = ld4(params, int32(W_x + r_1 * 16 + j_0), (r_1 < 144) & (j_0 < 16))
    # dot = Σ_j W_x[r, j] x[n, t, j]
    while first < 16:
        st4(tiles, int32(here + left_put), left_0, 36)
        st4(tiles, int32(here + left_put + 16), left_1, 36)
        st4(tiles, int32(here + right_put), right_0, 36)
        st4(tiles, int32(here + right_put + 16), right_1, 36)
        cuda.syncthreads()
        first = int32(first + 16)
        j_0 = int32(first + (thread & 3) * 4)
        left_0 = ld4(work, int32(x + row_0 * 16 + j_0), (row_0 < N * 32) & (j_0 < 16))
        left_1 = ld4(work, int32(x + row_1 * 16 + j_0), (row_1 < N * 32) & (j_0 < 16))
        right_0 = ld4(params, int32(W_x + r_0 * 16 + j_0), (r_0 < 144) & (j_0 < 16))
        right_1 = ld4(params, int32(W_x + r_1 * 16 + j_0), (r_1 < 144) & (j_0 < 16))
        sums = multiply_add(sums, tiles, int32(here + left), int32(here + right), 32, 32, 16)
        here = int32(1152 - here)
    cuda.syncthreads()
    # Results go through shared memory, a row of each thread at a time, so that neighbouring threads write neighbours.
    stage = int32((thread >> 3) * 32 + (thread & 7) * 4)
    r = int32(column + (thread & 31))
    b_x_ = real(0.0)
    if r < 144:
        b_x_ = params[uint32(b_x + r)]
    for turn in range(opaque(int32(4))):
        store_row(sums, turn, tiles, stage, 32)
        cuda.syncthreads()
        for lap in range(int32(4)):
            line = int32(lap * 2 + (thread >> 5))
            result_row = uint32(row + line * 4 + turn)
            if result_row < N * 32 and r < 144:
                n = int32(result_row // uint32(32))
                t = int32(result_row % uint32(32))
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(p + n * 4608 + t * 144 + r)] = b_x_ + dot
        cuda.syncthreads()


@jit
def gru_h(params, work, W_h, b_h, p, q, r, u, g, h, N):
    """Write q, r, u, g and h."""
    thread = int32(cuda.threadIdx.x)
    n = int32(cuda.blockIdx.x)
    for t in range(int32(32)):
        # q[n, t, r] = b_h[r] + Σ_k W_h[r, k] h[n, t − 1, k] [0 ≤ t − 1 < 32]
        for r_ in range(thread, int32(144), int32(256)):
            total = real(0.0)
            for k in range(int32(48)):
                total += params[W_h + r_ * 48 + k] * work[h + n * 1536 + (t - 1) * 48 + k] if 0 <= t - 1 < 32 else real(0.0)
            work[q + n * 4608 + t * 144 + r_] = params[b_h + r_] + total
        # r[n, t, k] = σ(p[n, t, k] + q[n, t, k])
        for k in range(thread, int32(48), int32(256)):
            work[r + n * 1536 + t * 48 + k] = sigmoid(work[p + n * 4608 + t * 144 + k] + work[q + n * 4608 + t * 144 + k])
        cuda.syncthreads()
        # u[n, t, k] = σ(p[n, t, 48 + k] + q[n, t, 48 + k])
        for k in range(thread, int32(48), int32(256)):
            work[u + n * 1536 + t * 48 + k] = sigmoid(work[p + n * 4608 + t * 144 + k + 48] + work[q + n * 4608 + t * 144 + k + 48])
        # g[n, t, k] = tanh(q[n, t, 96 + k] r[n, t, k] + p[n, t, 96 + k])
        for k in range(thread, int32(48), int32(256)):
            work[g + n * 1536 + t * 48 + k] = (
                math.tanh(work[q + n * 4608 + t * 144 + k + 96] * work[r + n * 1536 + t * 48 + k] + work[p + n * 4608 + t * 144 + k + 96])
            )
        # h[n, t, k] = (1 − u[n, t, k]) · g[n, t, k] + h[n, t − 1, k] u[n, t, k] [0 ≤ t − 1 < 32]
        for k in range(thread, int32(48), int32(256)):
            work[h + n * 1536 + t * 48 + k] = (
                (real(1.0) - work[u + n * 1536 + t * 48 + k]) * work[g + n * 1536 + t * 48 + k] + (work[h + n * 1536 + (t - 1) * 48 + k]
                * work[u + n * 1536 + t * 48 + k] if 0 <= t - 1 < 32 else real(0.0))
            )
        cuda.syncthreads()


@jit
def gru_a(work, h, a, N):
    """Write a."""
    # a[n, t, k] = h[n, t, k]
    entry = int32(cuda.grid(1))
    if entry < N * int32(1536):
        n = entry // int32(1536)
        t = entry // int32(48) % int32(32)
        k = entry % int32(48)
        work[a + n * 1536 + t * 48 + k] = work[h + n * 1536 + t * 48 + k]


@jit(max_registers=128)
def dense_z(params, work, out, W, b, x, N):
    """Write z in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each."""
    # z[n, t, i] = b[i] + Σ_j W[i, j] x[n, t, j]
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(cuda.blockIdx.x)
    column = int32(block % uint32(2) * 32)
    block = uint32(block // uint32(2))
    row = int32(block * 32)
    first = int32(0)
    # What the thread reads of a tile, and where it puts that.
    row_0 = uint32(row + (thread >> 2))
    row_1 = uint32(row + (thread >> 2) + 16)
    left_put = int32((thread & 3) * 144 + (thread >> 2))
    i_0 = int32(column + (thread >> 2))
    i_1 = int32(column + (thread >> 2) + 16)
    right_put = int32(576 + (thread & 3) * 144 + (thread >> 2))
    # What it multiplies: its rows of the left tile and its columns of the right one.
    left = int32((thread >> 3) * 4)
    right = int32(576 + (thread & 7) * 4)
    here = int32(0)
    sums = register_tile(4, 4, real(0.0))
    j_0 = int32(first + (thread & 3) * 4)
    left_0 = ld4(work, int32(x + row_0 * 48 + j_0), (row_0 < N * 32) & (j_0 < 48))
    left_1 = ld4(work, int32(x + row_1 * 48 + j_0), (row_1 < N * 32) & (j_0 < 48))
    right_0 = ld4(params, int32(W + i_0 * 48 + j_0), (i_0 < 62) & (j_0 < 48))
    right_1 = ld4(params, int32(W + i_1 * 48 + j_0), (i_1 < 62) & (j_0 < 48))
    # dot = Σ_j W[i, j] x[n, t, j]
    while first < 48:
        st4(tiles, int32(here + left_put), left_0, 36)
        st4(tiles, int32(here + left_put + 16), left_1, 36)
        st4(tiles, int32(here + right_put), right_0, 36)
        st4(tiles, int32(here + right_put + 16), right_1, 36)
        cuda.syncthreads()
        first = int32(first + 16)
        j_0 = int32(first + (thread & 3) * 4)
        left_0 = ld4(work, int32(x + row_0 * 48 + j_0), (row_0 < N * 32) & (j_0 < 48))
        left_1 = ld4(work, int32(x + row_1 * 48 + j_0), (row_1 < N * 32) & (j_0 < 48))
        right_0 = ld4(params, int32(W + i_0 * 48 + j_0), (i_0 < 62) & (j_0 < 48))
        right_1 = ld4(params, int32(W + i_1 * 48 + j_0), (i_1 < 62) & (j_0 < 48))
        sums = multiply_add(sums, tiles, int32(here + left), int32(here + right), 32, 32, 16)
        here = int32(1152 - here)
    cuda.syncthreads()
    # Results go through shared memory, a row of each thread at a time, so that neighbouring threads write neighbours.
    stage = int32((thread >> 3) * 32 + (thread & 7) * 4)
    i = int32(column + (thread & 31))
    b_ = real(0.0)
    if i < 62:
        b_ = params[uint32(b + i)]
    for turn in range(opaque(int32(4))):
        store_row(sums, turn, tiles, stage, 32)
        cuda.syncthreads()
        for lap in range(int32(4)):
            line = int32(lap * 2 + (thread >> 5))
            result_row = uint32(row + line * 4 + turn)
            if result_row < N * 32 and i < 62:
                n = int32(result_row // uint32(32))
                t = int32(result_row % uint32(32))
                dot = tiles[uint32(line * 32 + (thread & 31))]
                out[uint32(n * 1984 + t * 62 + i)] = b_ + dot
        cuda.syncthreads()


@jit
def gru_h_2(params, work, W_h, b_h, p, q, r, u, g, h, N):
    """Write q, r, u, g and h."""
    thread = int32(cuda.threadIdx.x)
    n = int32(cuda.blockIdx.x)
    for t in range(int32(32)):
        # q[n, t, r] = b_h[r] + Σ_k W_h[r, k] h[n, t − 1, k] [0 ≤ t − 1 < 32]
        for r_ in range(thread, int32(144), int32(256)):
            total = real(0.0)
            for k in range(int32(48)):
                total += params[W_h + r_ * 48 + k] * work[h + n * 1536 + (t - 1) * 48 + k] if 0 <= t - 1 < 32 else real(0.0)
            work[q + n * 4608 + t * 144 + r_] = params[b_h + r_] + total
        # r[n, t, k] = σ(p[n, t, k] + q[n, t, k])
        for k in range(thread, int32(48), int32(256)):
            work[r + n * 1536 + t * 48 + k] = sigmoid(work[p + n * 4608 + t * 144 + k] + work[q + n * 4608 + t * 144 + k])
        cuda.syncthreads()
        # u[n, t, k] = σ(p[n, t, 48 + k] + q[n, t, 48 + k])
        for k in range(thread, int32(48), int32(256)):
            work[u + n * 1536 + t * 48 + k] = sigmoid(work[p + n * 4608 + t * 144 + k + 48] + work[q + n * 4608 + t * 144 + k + 48])
        # g[n, t, k] = tanh(q[n, t, 96 + k] r[n, t, k] + p[n, t, 96 + k])
        for k in range(thread, int32(48), int32(256)):
            work[g + n * 1536 + t * 48 + k] = (
                math.tanh(work[q + n * 4608 + t * 144 + k + 96] * work[r + n * 1536 + t * 48 + k] + work[p + n * 4608 + t * 144 + k + 96])
            )
        # h[n, t, k] = (1 − u[n, t, k]) · g[n, t, k] + h[n, t − 1, k] u[n, t, k] [0 ≤ t − 1 < 32]
        for k in range(thread, int32(48), int32(256)):
            work[h + n * 1536 + t * 48 + k] = (
                (real(1.0) - work[u + n * 1536 + t * 48 + k]) * work[g + n * 1536 + t * 48 + k] + (work[h + n * 1536 + (t - 1) * 48 + k]
                * work[u + n * 1536 + t * 48 + k] if 0 <= t - 1 < 32 else real(0.0))
            )
        cuda.syncthreads()


@jit(max_registers=128)
def dense_z_2(params, work, W, b, x, z, N):
    """Write z in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each."""
    # z[n, t, i] = b[i] + Σ_j W[i, j] x[n, t, j]
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(cuda.blockIdx.x)
    column = int32(block % uint32(2) * 32)
    block = uint32(block // uint32(2))
    row = int32(block * 32)
    first = int32(0)
    # What the thread reads of a tile, and where it puts that.
    row_0 = uint32(row + (thread >> 2))
    row_1 = uint32(row + (thread >> 2) + 16)
    left_put = int32((thread & 3) * 144 + (thread >> 2))
    i_0 = int32(column + (thread >> 2))
    i_1 = int32(column + (thread >> 2) + 16)
    right_put = int32(576 + (thread & 3) * 144 + (thread >> 2))
    # What it multiplies: its rows of the left tile and its columns of the right one.
    left = int32((thread >> 3) * 4)
    right = int32(576 + (thread & 7) * 4)
    here = int32(0)
    sums = register_tile(4, 4, real(0.0))
    j_0 = int32(first + (thread & 3) * 4)
    left_0 = ld4(work, int32(x + row_0 * 48 + j_0), (row_0 < N * 32) & (j_0 < 48))
    left_1 = ld4(work, int32(x + row_1 * 48 + j_0), (row_1 < N * 32) & (j_0 < 48))
    right_0 = ld4(params, int32(W + i_0 * 48 + j_0), (i_0 < 62) & (j_0 < 48))
    right_1 = ld4(params, int32(W + i_1 * 48 + j_0), (i_1 < 62) & (j_0 < 48))
    # dot = Σ_j W[i, j] x[n, t, j]
    while first < 48:
        st4(tiles, int32(here + left_put), left_0, 36)
        st4(tiles, int32(here + left_put + 16), left_1, 36)
        st4(tiles, int32(here + right_put), right_0, 36)
        st4(tiles, int32(here + right_put + 16), right_1, 36)
        cuda.syncthreads()
        first = int32(first + 16)
        j_0 = int32(first + (thread & 3) * 4)
        left_0 = ld4(work, int32(x + row_0 * 48 + j_0), (row_0 < N * 32) & (j_0 < 48))
        left_1 = ld4(work, int32(x + row_1 * 48 + j_0), (row_1 < N * 32) & (j_0 < 48))
        right_0 = ld4(params, int32(W + i_0 * 48 + j_0), (i_0 < 62) & (j_0 < 48))
        right_1 = ld4(params, int32(W + i_1 * 48 + j_0), (i_1 < 62) & (j_0 < 48))
        sums = multiply_add(sums, tiles, int32(here + left), int32(here + right), 32, 32, 16)
        here = int32(1152 - here)
    cuda.syncthreads()
    # Results go through shared memory, a row of each thread at a time, so that neighbouring threads write neighbours.
    stage = int32((thread >> 3) * 32 + (thread & 7) * 4)
    i = int32(column + (thread & 31))
    b_ = real(0.0)
    if i < 62:
        b_ = params[uint32(b + i)]
    for turn in range(opaque(int32(4))):
        store_row(sums, turn, tiles, stage, 32)
        cuda.syncthreads()
        for lap in range(int32(4)):
            line = int32(lap * 2 + (thread >> 5))
            result_row = uint32(row + line * 4 + turn)
            if result_row < N * 32 and i < 62:
                n = int32(result_row // uint32(32))
                t = int32(result_row % uint32(32))
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(z + n * 1984 + t * 62 + i)] = b_ + dot
        cuda.syncthreads()


@jit
def write_loss_p_to_write_loss_L(work, y, a, p, L, N):
    """Write p and L."""
    entry = int32(cuda.grid(1))
    if entry < N * int32(32):
        n = entry // int32(32)
        t = entry % int32(32)
        # p[n, t, i] = exp(a[n, t, i] − log Σ_j exp(a[n, t, j]))
        top = real(-math.inf)
        for j in range(int32(62)):
            candidate = work[a + n * 1984 + t * 62 + j]
            top = candidate if (candidate > top) | (candidate != candidate) else top
        shift = top if abs(top) != real(math.inf) else real(0.0)
        total = real(0.0)
        for j in range(int32(62)):
            total += math.exp(work[a + n * 1984 + t * 62 + j] - shift)
        for i in range(int32(62)):
            work[p + n * 1984 + t * 62 + i] = math.exp(work[a + n * 1984 + t * 62 + i] - shift) / total
        # L[n, t] = log Σ_i exp(a[n, t, i]) − a[n, t, y[n, t]]
        work[L + n * 32 + t] = shift + math.log(total) - work[a + n * 1984 + t * 62 + int32(y[n * 32 + t])]


@jit
def loss_total(work, L, loss_, N):
    """Write loss."""
    # loss = (Σ_{n, t} L[n, t])/(32 N)
    parts = cuda.shared.array(8, real)
    thread = int32(cuda.threadIdx.x)
    total = real(0.0)
    part = real(0.0)
    for entry in range(thread, N * int32(32), int32(256)):
        n = entry // int32(32)
        t = entry % int32(32)
        part += work[L + n * 32 + t]
    # The parts of a warp's threads, then those of all warps, in one order always.
    lanes = int32(16)
    while lanes > 0:
        part += cuda.shfl_xor_sync(0xFFFFFFFF, part, lanes)
        lanes = lanes // int32(2)
    if thread % int32(32) == 0:
        parts[thread // int32(32)] = part
    cuda.syncthreads()
    for warp in range(int32(8)):
        total += parts[warp]
    if thread == 0:
        work[loss_] = total / real(32.0) / real(N)


@device
def embedding_grad_E(block, grads, grad_E, N):
    """Write grad_E."""
    # grad_E[v, i] = Σ_{n, t} grad_a[n, t, i] [v = x[n, t]]
    entry = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if entry < int32(992):
        v = entry // int32(16)
        i = entry % int32(16)
        grads[grad_E + v * 16 + i] = real(0.0)


@jit
def side_by_side(params, x, work, grads, N):
    """Do embedding_a and embedding_grad_E, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32((N * 512 + 127) // 128)
    if block < end_1:
        embedding_a(block, params, x, work, int32(0), int32(0), N)
    else:
        embedding_grad_E(int32(block - end_1), grads, int32(0), N)


@jit
def dense_delta(work, y, p, delta, N):
    """Write delta."""
    # delta[n, t, i] = (p[n, t, i] − [i = y[n, t]])/(32 N)
    entry = int32(cuda.grid(1))
    if entry < N * int32(1984):
        n = entry // int32(1984)
        t = entry // int32(62) % int32(32)
        i = entry % int32(62)
        p_ = work[p + n * 1984 + t * 62 + i]
        work[delta + n * 1984 + t * 62 + i] = (p_ - (real(1.0) if i == int32(y[n * 32 + t]) else real(0.0))) / real(32.0) / real(N)


@device
def dense_grad_W(block, work, delta, x, parts, N):
    """Write parts in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each; the terms in 16 parts."""
    # parts[part, i, j] = Σ_{n, t} delta[n, t, i] x[n, t, j]
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(block)
    column = int32(block % uint32(2) * 32)
    block = uint32(block // uint32(2))
    row = int32(block % uint32(2) * 32)
    block = uint32(block // uint32(2))
    part = int32(block)
    stop = int32((N * 32 + 255) // 256 * 16)
    first = int32(part * stop)
    stop = int32(first + stop if first + stop < N * 32 else N * 32)
    # What the thread reads of a tile, and where it puts that.
    i_0 = int32(row + (thread & 31))
    left_put = int32((thread >> 5) * 36 + (thread & 31))
    j_0 = int32(column + (thread & 7) * 4)
    right_put = int32(576 + (thread >> 3) * 36 + (thread & 7) * 4)
    # What it multiplies: its rows of the left tile and its columns of the right one.
    left = int32((thread >> 3) * 4)
    right = int32(576 + (thread & 7) * 4)
    here = int32(0)
    sums = register_tile(4, 4, real(0.0))
    term_0 = uint32(first + (thread >> 5))
    term_1 = uint32(first + (thread >> 5) + 2)
    term_2 = uint32(first + (thread >> 5) + 4)
    term_3 = uint32(first + (thread >> 5) + 6)
    term_4 = uint32(first + (thread >> 5) + 8)
    term_5 = uint32(first + (thread >> 5) + 10)
    term_6 = uint32(first + (thread >> 5) + 12)
    term_7 = uint32(first + (thread >> 5) + 14)
    left_0 = work[uint32(delta + i_0 + term_0 * 62)] if (i_0 < 62) & (term_0 < stop) else real(0.0)
    left_1 = work[uint32(delta + i_0 + term_1 * 62)] if (i_0 < 62) & (term_1 < stop) else real(0.0)
    left_2 = work[uint32(delta + i_0 + term_2 * 62)] if (i_0 < 62) & (term_2 < stop) else real(0.0)
    left_3 = work[uint32(delta + i_0 + term_3 * 62)] if (i_0 < 62) & (term_3 < stop) else real(0.0)
    left_4 = work[uint32(delta + i_0 + term_4 * 62)] if (i_0 < 62) & (term_4 < stop) else real(0.0)
    left_5 = work[uint32(delta + i_0 + term_5 * 62)] if (i_0 < 62) & (term_5 < stop) else real(0.0)
    left_6 = work[uint32(delta + i_0 + term_6 * 62)] if (i_0 < 62) & (term_6 < stop) else real(0.0)
    left_7 = work[uint32(delta + i_0 + term_7 * 62)] if (i_0 < 62) & (term_7 < stop) else real(0.0)
    term_8 = uint32(first + (thread >> 3))
    term_9 = uint32(first + (thread >> 3) + 8)
    right_0 = ld4(work, int32(x + j_0 + term_8 * 48), (j_0 < 48) & (term_8 < stop))
    right_1 = ld4(work, int32(x + j_0 + term_9 * 48), (j_0 < 48) & (term_9 < stop))
    # dot = Σ_{n, t} delta[n, t, i] x[n, t, j]
    while first < stop:
        left_to = uint32(here + left_put)
        tiles[left_to] = left_0
        tiles[left_to + uint32(72)] = left_1
        tiles[left_to + uint32(144)] = left_2
        tiles[left_to + uint32(216)] = left_3
        tiles[left_to + uint32(288)] = left_4
        tiles[left_to + uint32(360)] = left_5
        tiles[left_to + uint32(432)] = left_6
        tiles[left_to + uint32(504)] = left_7
        st4(tiles, int32(here + right_put), right_0, 1)
        st4(tiles, int32(here + right_put + 288), right_1, 1)
        cuda.syncthreads()
        first = int32(first + 16)
        term_0 = uint32(first + (thread >> 5))
        term_1 = uint32(first + (thread >> 5) + 2)
        term_2 = uint32(first + (thread >> 5) + 4)
        term_3 = uint32(first + (thread >> 5) + 6)
        term_4 = uint32(first + (thread >> 5) + 8)
        term_5 = uint32(first + (thread >> 5) + 10)
        term_6 = uint32(first + (thread >> 5) + 12)
        term_7 = uint32(first + (thread >> 5) + 14)
        left_0 = work[uint32(delta + i_0 + term_0 * 62)] if (i_0 < 62) & (term_0 < stop) else real(0.0)
        left_1 = work[uint32(delta + i_0 + term_1 * 62)] if (i_0 < 62) & (term_1 < stop) else real(0.0)
        left_2 = work[uint32(delta + i_0 + term_2 * 62)] if (i_0 < 62) & (term_2 < stop) else real(0.0)
        left_3 = work[uint32(delta + i_0 + term_3 * 62)] if (i_0 < 62) & (term_3 < stop) else real(0.0)
        left_4 = work[uint32(delta + i_0 + term_4 * 62)] if (i_0 < 62) & (term_4 < stop) else real(0.0)
        left_5 = work[uint32(delta + i_0 + term_5 * 62)] if (i_0 < 62) & (term_5 < stop) else real(0.0)
        left_6 = work[uint32(delta + i_0 + term_6 * 62)] if (i_0 < 62) & (term_6 < stop) else real(0.0)
        left_7 = work[uint32(delta + i_0 + term_7 * 62)] if (i_0 < 62) & (term_7 < stop) else real(0.0)
        term_8 = uint32(first + (thread >> 3))
        term_9 = uint32(first + (thread >> 3) + 8)
        right_0 = ld4(work, int32(x + j_0 + term_8 * 48), (j_0 < 48) & (term_8 < stop))
        right_1 = ld4(work, int32(x + j_0 + term_9 * 48), (j_0 < 48) & (term_9 < stop))
        sums = multiply_add(sums, tiles, int32(here + left), int32(here + right), 32, 32, 16)
        here = int32(1152 - here)
    cuda.syncthreads()
    # Results go through shared memory, a row of each thread at a time, so that neighbouring threads write neighbours.
    stage = int32((thread >> 3) * 32 + (thread & 7) * 4)
    j = int32(column + (thread & 31))
    for turn in range(opaque(int32(4))):
        store_row(sums, turn, tiles, stage, 32)
        cuda.syncthreads()
        for lap in range(int32(4)):
            line = int32(lap * 2 + (thread >> 5))
            i = int32(row + line * 4 + turn)
            if i < 62 and j < 48:
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(parts + part * 2976 + i * 48 + j)] = dot
        cuda.syncthreads()


@device
def dense_grad_b(block, work, grads, delta, grad_b, N):
    """Write grad_b."""
    # grad_b[i] = Σ_{n, t} delta[n, t, i]
    parts = cuda.shared.array(2, real)
    thread = int32(cuda.threadIdx.x)
    i = block
    total = real(0.0)
    part = real(0.0)
    for entry in range(thread, N * int32(32), int32(64)):
        n = entry // int32(32)
        t = entry % int32(32)
        part += work[delta + n * 1984 + t * 62 + i]
    # The parts of a warp's threads, then those of all warps, in one order always.
    lanes = int32(16)
    while lanes > 0:
        part += cuda.shfl_xor_sync(0xFFFFFFFF, part, lanes)
        lanes = lanes // int32(2)
    if thread % int32(32) == 0:
        parts[thread // int32(32)] = part
    cuda.syncthreads()
    for warp in range(int32(2)):
        total += parts[warp]
    if thread == 0:
        grads[grad_b + i] = total


@device
def gru_grad_q(block, params, work, W, W_h, delta, u, g, h, q, r, grad_h, grad_g, grad_u, grad_r, grad_q, N):
    """Write grad_h, grad_g, grad_u, grad_r and grad_q."""
    thread = int32(cuda.threadIdx.x)
    n = block
    for t in range(int32(32) - int32(1), int32(0) - int32(1), int32(-1)):
        # grad_h[n, t, k] = [0 ≤ 1 + t < 32] Σ_r W_h[r, k] grad_q[n, 1 + t, r] + grad_h[n, 1 + t, k] u[n, 1 + t, k] [0 ≤ 1 + t < 32]
        #     + Σ_i W[i, k] delta[n, t, i]
        for k in range(thread, int32(48), int32(64)):
            total = real(0.0)
            if 0 <= t + 1 < 32:
                for r_ in range(int32(144)):
                    total += params[W_h + r_ * 48 + k] * work[grad_q + n * 4608 + (t + 1) * 144 + r_]
            total_2 = real(0.0)
            for i in range(int32(62)):
                total_2 += params[W + i * 48 + k] * work[delta + n * 1984 + t * 62 + i]
            work[grad_h + n * 1536 + t * 48 + k] = (
                (work[grad_h + n * 1536 + (t + 1) * 48 + k] * work[u + n * 1536 + (t + 1) * 48 + k] if 0 <= t + 1 < 32 else real(0.0))
                + total + total_2
            )
        # grad_g[n, t, k] = (1 − u[n, t, k]) · grad_h[n, t, k]
        for k in range(thread, int32(48), int32(64)):
            work[grad_g + n * 1536 + t * 48 + k] = (real(1.0) - work[u + n * 1536 + t * 48 + k]) * work[grad_h + n * 1536 + t * 48 + k]
        # grad_u[n, t, k] = (h[n, t − 1, k] [0 ≤ t − 1 < 32] − g[n, t, k]) · grad_h[n, t, k]
        for k in range(thread, int32(48), int32(64)):
            work[grad_u + n * 1536 + t * 48 + k] = (
                ((work[h + n * 1536 + (t - 1) * 48 + k] if 0 <= t - 1 < 32 else real(0.0)) - work[g + n * 1536 + t * 48 + k]) * work[grad_h
                + n * 1536 + t * 48 + k]
            )
        # grad_r[n, t, k] = (1 − g[n, t, k]²) · grad_g[n, t, k] q[n, t, 96 + k]
        for k in range(thread, int32(48), int32(64)):
            work[grad_r + n * 1536 + t * 48 + k] = (
                (real(1.0) - work[g + n * 1536 + t * 48 + k] * work[g + n * 1536 + t * 48 + k]) * work[grad_g + n * 1536 + t * 48 + k]
                * work[q + n * 4608 + t * 144 + k + 96]
            )
        # grad_q[n, t, r] = (1 − g[n, t, r − 96]²) · grad_g[n, t, r − 96] r[n, t, r − 96] [0 ≤ r − 96 < 48] − (r[n, t, r] − 1)
        #     · grad_r[n, t, r] r[n, t, r] [0 ≤ r < 48] − (u[n, t, r − 48] − 1) · grad_u[n, t, r − 48] u[n, t, r − 48] [0 ≤ r − 48 < 48]
        for r_ in range(thread, int32(48), int32(64)):
            work[grad_q + n * 4608 + t * 144 + r_] = (
                -(work[r + n * 1536 + t * 48 + r_] - real(1.0)) * work[grad_r + n * 1536 + t * 48 + r_] * work[r + n * 1536 + t * 48 + r_]
            )
        for entry in range(thread, int32(48), int32(64)):
            r_ = int32(48) + entry
            work[grad_q + n * 4608 + t * 144 + r_] = (
                -(work[u + n * 1536 + t * 48 + r_ - 48] - real(1.0)) * work[grad_u + n * 1536 + t * 48 + r_ - 48] * work[u + n * 1536 + t
                * 48 + r_ - 48]
            )
        for entry in range(thread, int32(48), int32(64)):
            r_ = int32(96) + entry
            work[grad_q + n * 4608 + t * 144 + r_] = (
                (real(1.0) - work[g + n * 1536 + t * 48 + r_ - 96] * work[g + n * 1536 + t * 48 + r_ - 96]) * work[grad_g + n * 1536 + t
                * 48 + r_ - 96] * work[r + n * 1536 + t * 48 + r_ - 96]
            )
        cuda.syncthreads()


@jit(max_registers=248)
def side_by_side_2(work, grads, params, N):
    """Do dense_grad_W, dense_grad_b and gru_grad_q, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(64)
    end_2 = int32(end_1 + 62)
    if block < end_1:
        dense_grad_W(block, work, int32(21408 * N), int32(15872 * N), int32(39264 * N + 4), N)
    elif block < end_2:
        dense_grad_b(int32(block - end_1), work, grads, int32(21408 * N), int32(13472), N)
    else:
        gru_grad_q(
            int32(block - end_2), params, work, int32(10496), int32(3296), int32(21408 * N), int32(11264 * N), int32(12800 * N),
            int32(14336 * N), int32(5120 * N), int32(9728 * N), int32(23392 * N), int32(24928 * N), int32(26464 * N), int32(28000 * N),
            int32(29536 * N), N,
        )


@jit
def gru_grad_p(work, grad_r, r, grad_p, N):
    """Write grad_p."""
    # grad_p[n, t, r] = (1 − g[n, t, r − 96]²) · grad_g[n, t, r − 96] [0 ≤ r − 96 < 48] − (r[n, t, r] − 1) · grad_r[n, t, r] r[n, t, r]
    #     [0 ≤ r < 48] − (u[n, t, r − 48] − 1) · grad_u[n, t, r − 48] u[n, t, r − 48] [0 ≤ r − 48 < 48]
    entry = int32(cuda.grid(1))
    if entry < N * int32(1536):
        n = entry // int32(1536)
        t = entry // int32(48) % int32(32)
        r_ = entry % int32(48)
        work[grad_p + n * 4608 + t * 144 + r_] = (
            -(work[r + n * 1536 + t * 48 + r_] - real(1.0)) * work[grad_r + n * 1536 + t * 48 + r_] * work[r + n * 1536 + t * 48 + r_]
        )


@device
def gru_grad_W_h_right(work, h, k, term, stop):
    """Return an entry of the right factor, 0 outside of it."""
    n = int32(term // uint32(32))
    t = int32(term % uint32(32))
    inside = (k < 48) & (term < stop) & (uint32(t - 1) < uint32(32))
    entry = real(0.0)
    if inside:
        entry = work[uint32(h + n * 1536 + (t - 1) * 48 + k)]
    return entry


@device
def gru_grad_W_h(block, work, grad_q, h, parts, N):
    """Write parts in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each; the terms in 16 parts."""
    # parts[part, r, k] = Σ_{n, t} grad_q[n, t, r] h[n, t − 1, k] [0 ≤ t − 1 < 32]
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(block)
    column = int32(block % uint32(2) * 32)
    block = uint32(block // uint32(2))
    row = int32(block % uint32(5) * 32)
    block = uint32(block // uint32(5))
    part = int32(block)
    stop = int32((N * 32 + 255) // 256 * 16)
    first = int32(part * stop)
    stop = int32(first + stop if first + stop < N * 32 else N * 32)
    # What the thread reads of a tile, and where it puts that.
    r_0 = int32(row + (thread & 7) * 4)
    left_put = int32((thread >> 3) * 36 + (thread & 7) * 4)
    k_0 = int32(column + (thread & 31))
    right_put = int32(576 + (thread >> 5) * 36 + (thread & 31))
    # What it multiplies: its rows of the left tile and its columns of the right one.
    left = int32((thread >> 3) * 4)
    right = int32(576 + (thread & 7) * 4)
    here = int32(0)
    sums = register_tile(4, 4, real(0.0))
    term_0 = uint32(first + (thread >> 3))
    term_1 = uint32(first + (thread >> 3) + 8)
    left_0 = ld4(work, int32(grad_q + r_0 + term_0 * 144), (r_0 < 144) & (term_0 < stop))
    left_1 = ld4(work, int32(grad_q + r_0 + term_1 * 144), (r_0 < 144) & (term_1 < stop))
    term_2 = uint32(first + (thread >> 5))
    right_0 = gru_grad_W_h_right(work, h, k_0, term_2, stop)
    right_1 = gru_grad_W_h_right(work, h, k_0, uint32(term_2 + 2), stop)
    right_2 = gru_grad_W_h_right(work, h, k_0, uint32(term_2 + 4), stop)
    right_3 = gru_grad_W_h_right(work, h, k_0, uint32(term_2 + 6), stop)
    right_4 = gru_grad_W_h_right(work, h, k_0, uint32(term_2 + 8), stop)
    right_5 = gru_grad_W_h_right(work, h, k_0, uint32(term_2 + 10), stop)
    right_6 = gru_grad_W_h_right(work, h, k_0, uint32(term_2 + 12), stop)
    right_7 = gru_grad_W_h_right(work, h, k_0, uint32(term_2 + 14), stop)
    # dot = Σ_{n, t} grad_q[n, t, r] h[n, t − 1, k] [0 ≤ t − 1 < 32]
    while first < stop:
        st4(tiles, int32(here + left_put), left_0, 1)
        st4(tiles, int32(here + left_put + 288), left_1, 1)
        right_to = uint32(here + right_put)
        tiles[right_to] = right_0
        tiles[right_to + uint32(72)] = right_1
        tiles[right_to + uint32(144)] = right_2
        tiles[right_to + uint32(216)] = right_3
        tiles[right_to + uint32(288)] = right_4
        tiles[right_to + uint32(360)] = right_5
        tiles[right_to + uint32(432)] = right_6
        tiles[right_to + uint32(504)] = right_7
        cuda.syncthreads()
        first = int32(first + 16)
        term_0 = uint32(first + (thread >> 3))
        term_1 = uint32(first + (thread >> 3) + 8)
        left_0 = ld4(work, int32(grad_q + r_0 + term_0 * 144), (r_0 < 144) & (term_0 < stop))
        left_1 = ld4(work, int32(grad_q + r_0 + term_1 * 144), (r_0 < 144) & (term_1 < stop))
        term_2 = uint32(first + (thread >> 5))
        right_0 = gru_grad_W_h_right(work, h, k_0, term_2, stop)
        right_1 = gru_grad_W_h_right(work, h, k_0, uint32(term_2 + 2), stop)
        right_2 = gru_grad_W_h_right(work, h, k_0, uint32(term_2 + 4), stop)
        right_3 = gru_grad_W_h_right(work, h, k_0, uint32(term_2 + 6), stop)
        right_4 = gru_grad_W_h_right(work, h, k_0, uint32(term_2 + 8), stop)
        right_5 = gru_grad_W_h_right(work, h, k_0, uint32(term_2 + 10), stop)
        right_6 = gru_grad_W_h_right(work, h, k_0, uint32(term_2 + 12), stop)
        right_7 = gru_grad_W_h_right(work, h, k_0, uint32(term_2 + 14), stop)
        sums = multiply_add(sums, tiles, int32(here + left), int32(here + right), 32, 32, 16)
        here = int32(1152 - here)
    cuda.syncthreads()
    # Results go through shared memory, a row of each thread at a time, so that neighbouring threads write neighbours.
    stage = int32((thread >> 3) * 32 + (thread & 7) * 4)
    k = int32(column + (thread & 31))
    for turn in range(opaque(int32(4))):
        store_row(sums, turn, tiles, stage, 32)
        cuda.syncthreads()
        for lap in range(int32(4)):
            line = int32(lap * 2 + (thread >> 5))
            r = int32(row + line * 4 + turn)
            if r < 144 and k < 48:
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(parts + part * 6912 + r * 48 + k)] = dot
        cuda.syncthreads()


@device
def dense_grad_W_2(block, grads, work, grad_W, parts, N):
    """Write grad_W."""
    # grad_W[i, j] = Σ_part parts[part, i, j]
    entry = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if entry < int32(2976):
        i = entry // int32(48)
        j = entry % int32(48)
        total = real(0.0)
        for part in range(int32(16)):
            total += work[parts + part * 2976 + i * 48 + j]
        grads[grad_W + i * 48 + j] = total


@device
def gru_grad_b_h(block, work, grads, grad_q, grad_b_h, N):
    """Write grad_b_h."""
    # grad_b_h[r] = Σ_{n, t} grad_q[n, t, r]
    parts = cuda.shared.array(2, real)
    thread = int32(cuda.threadIdx.x)
    r = block
    total = real(0.0)
    part = real(0.0)
    for entry in range(thread, N * int32(32), int32(64)):
        n = entry // int32(32)
        t = entry % int32(32)
        part += work[grad_q + n * 4608 + t * 144 + r]
    # The parts of a warp's threads, then those of all warps, in one order always.
    lanes = int32(16)
    while lanes > 0:
        part += cuda.shfl_xor_sync(0xFFFFFFFF, part, lanes)
        lanes = lanes // int32(2)
    if thread % int32(32) == 0:
        parts[thread // int32(32)] = part
    cuda.syncthreads()
    for warp in range(int32(2)):
        total += parts[warp]
    if thread == 0:
        grads[grad_b_h + r] = total


@jit(max_registers=248)
def side_by_side_3(work, grads, N):
    """Do gru_grad_W_h, dense_grad_W_2 and gru_grad_b_h, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(160)
    end_2 = int32(end_1 + 47)
    if block < end_1:
        gru_grad_W_h(block, work, int32(29536 * N), int32(14336 * N), int32(39264 * N + 47620), N)
    elif block < end_2:
        dense_grad_W_2(int32(block - end_1), grads, work, int32(10496), int32(39264 * N + 4), N)
    else:
        gru_grad_b_h(int32(block - end_2), work, grads, int32(29536 * N), int32(10352), N)


@jit
def gru_grad_p_2(work, grad_u, u, grad_p, N):
    """Write grad_p."""
    # grad_p[n, t, r] = (1 − g[n, t, r − 96]²) · grad_g[n, t, r − 96] [0 ≤ r − 96 < 48] − (r[n, t, r] − 1) · grad_r[n, t, r] r[n, t, r]
    #     [0 ≤ r < 48] − (u[n, t, r − 48] − 1) · grad_u[n, t, r − 48] u[n, t, r − 48] [0 ≤ r − 48 < 48]
    entry = int32(cuda.grid(1))
    if entry < N * int32(1536):
        n = entry // int32(1536)
        t = entry // int32(48) % int32(32)
        r = int32(48) + entry % int32(48)
        work[grad_p + n * 4608 + t * 144 + r] = (
            -(work[u + n * 1536 + t * 48 + r - 48] - real(1.0)) * work[grad_u + n * 1536 + t * 48 + r - 48] * work[u + n * 1536 + t * 48 + r
            - 48]
        )


@jit
def gru_grad_W_h_2(grads, work, grad_W_h, parts, N):
    """Write grad_W_h."""
    # grad_W_h[r, k] = Σ_part parts[part, r, k]
    entry = int32(cuda.grid(1))
    if entry < int32(6912):
        r = entry // int32(48)
        k = entry % int32(48)
        total = real(0.0)
        for part in range(int32(16)):
            total += work[parts + part * 6912 + r * 48 + k]
        grads[grad_W_h + r * 48 + k] = total


@jit
def gru_grad_p_3(work, g, grad_g, grad_p, N):
    """Write grad_p."""
    # grad_p[n, t, r] = (1 − g[n, t, r − 96]²) · grad_g[n, t, r − 96] [0 ≤ r − 96 < 48] − (r[n, t, r] − 1) · grad_r[n, t, r] r[n, t, r]
    #     [0 ≤ r < 48] − (u[n, t, r − 48] − 1) · grad_u[n, t, r − 48] u[n, t, r − 48] [0 ≤ r − 48 < 48]
    entry = int32(cuda.grid(1))
    if entry < N * int32(1536):
        n = entry // int32(1536)
        t = entry // int32(48) % int32(32)
        r = int32(96) + entry % int32(48)
        work[grad_p + n * 4608 + t * 144 + r] = (
            (real(1.0) - work[g + n * 1536 + t * 48 + r - 96] * work[g + n * 1536 + t * 48 + r - 96]) * work[grad_g + n * 1536 + t * 48 + r
            - 96]
        )


@device
def gru_grad_W_x(block, work, grad_p, x, parts, N):
    """Write parts in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each; the terms in 16 parts."""
    # parts[part, r, j] = Σ_{n, t} grad_p[n, t, r] x[n, t, j]
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(block)
    row = int32(block % uint32(5) * 32)
    block = uint32(block // uint32(5))
    part = int32(block)
    stop = int32((N * 32 + 255) // 256 * 16)
    first = int32(part * stop)
    stop = int32(first + stop if first + stop < N * 32 else N * 32)
    # What the thread reads of a tile, and where it puts that.
    r_0 = int32(row + (thread & 7) * 4)
    left_put = int32((thread >> 3) * 36 + (thread & 7) * 4)
    j_0 = int32((thread & 7) * 4)
    right_put = int32(576 + (thread >> 3) * 36 + (thread & 7) * 4)
    # What it multiplies: its rows of the left tile and its columns of the right one.
    left = int32((thread >> 3) * 4)
    right = int32(576 + (thread & 7) * 4)
    here = int32(0)
    sums = register_tile(4, 4, real(0.0))
    term_0 = uint32(first + (thread >> 3))
    term_1 = uint32(first + (thread >> 3) + 8)
    left_0 = ld4(work, int32(grad_p + r_0 + term_0 * 144), (r_0 < 144) & (term_0 < stop))
    left_1 = ld4(work, int32(grad_p + r_0 + term_1 * 144), (r_0 < 144) & (term_1 < stop))
    right_0 = ld4(work, int32(x + j_0 + term_0 * 16), (j_0 < 16) & (term_0 < stop))
    right_1 = ld4(work, int32(x + j_0 + term_1 * 16), (j_0 < 16) & (term_1 < stop))
    # dot = Σ_{n, t} grad_p[n, t, r] x[n, t, j]
    while first < stop:
        st4(tiles, int32(here + left_put), left_0, 1)
        st4(tiles, int32(here + left_put + 288), left_1, 1)
        st4(tiles, int32(here + right_put), right_0, 1)
        st4(tiles, int32(here + right_put + 288), right_1, 1)
        cuda.syncthreads()
        first = int32(first + 16)
        term_0 = uint32(first + (thread >> 3))
        term_1 = uint32(first + (thread >> 3) + 8)
        left_0 = ld4(work, int32(grad_p + r_0 + term_0 * 144), (r_0 < 144) & (term_0 < stop))
        left_1 = ld4(work, int32(grad_p + r_0 + term_1 * 144), (r_0 < 144) & (term_1 < stop))
        right_0 = ld4(work, int32(x + j_0 + term_0 * 16), (j_0 < 16) & (term_0 < stop))
        right_1 = ld4(work, int32(x + j_0 + term_1 * 16), (j_0 < 16) & (term_1 < stop))
        sums = multiply_add(sums, tiles, int32(here + left), int32(here + right), 32, 32, 16)
        here = int32(1152 - here)
    cuda.syncthreads()
    # Results go through shared memory, a row of each thread at a time, so that neighbouring threads write neighbours.
    stage = int32((thread >> 3) * 32 + (thread & 7) * 4)
    j = int32(thread & 31)
    for turn in range(opaque(int32(4))):
        store_row(sums, turn, tiles, stage, 32)
        cuda.syncthreads()
        for lap in range(int32(4)):
            line = int32(lap * 2 + (thread >> 5))
            r = int32(row + line * 4 + turn)
            if r < 144 and j < 16:
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(parts + part * 2304 + r * 16 + j)] = dot
        cuda.syncthreads()


@device
def embedding_grad_a(block, params, work, W_x, grad_p, grad_a, N):
    """Write grad_a in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each."""
    # grad_a[n, t, j] = Σ_r W_x[r, j] grad_p[n, t, r]
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(block)
    row = int32(block * 32)
    first = int32(0)
    # What the thread reads of a tile, and where it puts that.
    row_0 = uint32(row + (thread >> 2))
    row_1 = uint32(row + (thread >> 2) + 16)
    left_put = int32((thread & 3) * 144 + (thread >> 2))
    j_0 = int32((thread & 7) * 4)
    right_put = int32(576 + (thread >> 3) * 36 + (thread & 7) * 4)
    # What it multiplies: its rows of the left tile and its columns of the right one.
    left = int32((thread >> 3) * 4)
    right = int32(576 + (thread & 7) * 4)
    here = int32(0)
    sums = register_tile(4, 4, real(0.0))
    r_0 = int32(first + (thread & 3) * 4)
    left_0 = ld4(work, int32(grad_p + row_0 * 144 + r_0), (row_0 < N * 32) & (r_0 < 144))
    left_1 = ld4(work, int32(grad_p + row_1 * 144 + r_0), (row_1 < N * 32) & (r_0 < 144))
    r_1 = int32(first + (thread >> 3))
    r_2 = int32(first + (thread >> 3) + 8)
    right_0 = ld4(params, int32(W_x + j_0 + r_1 * 16), (j_0 < 16) & (r_1 < 144))
    right_1 = ld4(params, int32(W_x + j_0 + r_2 * 16), (j_0 < 16) & (r_2 < 144))
    # dot = Σ_r W_x[r, j] grad_p[n, t, r]
    while first < 144:
        st4(tiles, int32(here + left_put), left_0, 36)
        st4(tiles, int32(here + left_put + 16), left_1, 36)
        st4(tiles, int32(here + right_put), right_0, 1)
        st4(tiles, int32(here + right_put + 288), right_1, 1)
        cuda.syncthreads()
        first = int32(first + 16)
        r_0 = int32(first + (thread & 3) * 4)
        left_0 = ld4(work, int32(grad_p + row_0 * 144 + r_0), (row_0 < N * 32) & (r_0 < 144))
        left_1 = ld4(work, int32(grad_p + row_1 * 144 + r_0), (row_1 < N * 32) & (r_0 < 144))
        r_1 = int32(first + (thread >> 3))
        r_2 = int32(first + (thread >> 3) + 8)
        right_0 = ld4(params, int32(W_x + j_0 + r_1 * 16), (j_0 < 16) & (r_1 < 144))
        right_1 = ld4(params, int32(W_x + j_0 + r_2 * 16), (j_0 < 16) & (r_2 < 144))
        sums = multiply_add(sums, tiles, int32(here + left), int32(here + right), 32, 32, 16)
        here = int32(1152 - here)
    cuda.syncthreads()
    # Results go through shared memory, a row of each thread at a time, so that neighbouring threads write neighbours.
    stage = int32((thread >> 3) * 32 + (thread & 7) * 4)
    j = int32(thread & 31)
    for turn in range(opaque(int32(4))):
        store_row(sums, turn, tiles, stage, 32)
        cuda.syncthreads()
        for lap in range(int32(4)):
            line = int32(lap * 2 + (thread >> 5))
            result_row = uint32(row + line * 4 + turn)
            if result_row < N * 32 and j < 16:
                n = int32(result_row // uint32(32))
                t = int32(result_row % uint32(32))
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(grad_a + n * 512 + t * 16 + j)] = dot
        cuda.syncthreads()


@device
def gru_grad_b_x(block, work, grads, grad_p, grad_b_x, N):
    """Write grad_b_x."""
    # grad_b_x[r] = Σ_{n, t} grad_p[n, t, r]
    parts = cuda.shared.array(2, real)
    thread = int32(cuda.threadIdx.x)
    r = block
    total = real(0.0)
    part = real(0.0)
    for entry in range(thread, N * int32(32), int32(64)):
        n = entry // int32(32)
        t = entry % int32(32)
        part += work[grad_p + n * 4608 + t * 144 + r]
    # The parts of a warp's threads, then those of all warps, in one order always.
    lanes = int32(16)
    while lanes > 0:
        part += cuda.shfl_xor_sync(0xFFFFFFFF, part, lanes)
        lanes = lanes // int32(2)
    if thread % int32(32) == 0:
        parts[thread // int32(32)] = part
    cuda.syncthreads()
    for warp in range(int32(2)):
        total += parts[warp]
    if thread == 0:
        grads[grad_b_x + r] = total


@jit(max_registers=248)
def side_by_side_4(work, params, grads, N):
    """Do gru_grad_W_x, embedding_grad_a and gru_grad_b_x, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(80)
    end_2 = int32(end_1 + (N * 32 + 31) // 32)
    if block < end_1:
        gru_grad_W_x(block, work, int32(34144 * N), int32(0), int32(39264 * N + 158212), N)
    elif block < end_2:
        embedding_grad_a(int32(block - end_1), params, work, int32(992), int32(34144 * N), int32(38752 * N), N)
    else:
        gru_grad_b_x(int32(block - end_2), work, grads, int32(34144 * N), int32(10208), N)


@device
def gru_grad_W_x_2(block, grads, work, grad_W_x, parts, N):
    """Write grad_W_x."""
    # grad_W_x[r, j] = Σ_part parts[part, r, j]
    entry = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if entry < int32(2304):
        r = entry // int32(16)
        j = entry % int32(16)
        total = real(0.0)
        for part in range(int32(16)):
            total += work[parts + part * 2304 + r * 16 + j]
        grads[grad_W_x + r * 16 + j] = total


@device
def embedding_grad_E_2(block, work, x, grads, grad_a, grad_E, N):
    """Write grad_E."""
    # grad_E[v, i] = Σ_{n, t} grad_a[n, t, i] [v = x[n, t]]
    i = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if i < int32(16):
        for n in range(N):
            for t in range(int32(32)):
                if 0 <= int32(x[n * 32 + t]) < 62:
                    grads[grad_E + int32(x[n * 32 + t]) * 16 + i] += work[grad_a + n * 512 + t * 16 + i]


@jit
def side_by_side_5(grads, work, x, N):
    """Do gru_grad_W_x_2 and embedding_grad_E_2, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(18)
    if block < end_1:
        gru_grad_W_x_2(block, grads, work, int32(992), int32(39264 * N + 158212), N)
    else:
        embedding_grad_E_2(int32(block - end_1), work, x, grads, int32(38752 * N), int32(0), N)


@jit
def fill_table(state, hyper, table, count):
    """Compute for each of some steps what the optimizer has once for all entries, in float64, since powers of rates need it."""
    row = int32(cuda.grid(1))
    if row < count:
        lr = hyper[0]
        beta1 = hyper[1]
        beta2 = hyper[2]
        eps = hyper[3]
        updates = hyper[4]
        minimum = hyper[5]
        t = float64(state[27068])
        for _ in range(row):
            t_next = float64(1.0) + t
            t = t_next
        t_next = float64(1.0) + t
        rate = (
            (float64(1.0) + math.cos(float64(3.141592653589793) * (float64(1.0) if float64(1.0) <= t / updates else t / updates))) * (lr
            - minimum) / float64(2.0) + minimum
        )
        factor = float64(1.0) - beta1
        factor_2 = float64(1.0) - beta2
        c_1 = float64(1.0) - beta1 ** t_next
        c_2 = float64(1.0) - beta2 ** t_next
        factor_3 = float64(1.0) / c_2
        factor_4 = -rate / c_1
        table[row * 8] = real(beta1)
        table[row * 8 + 1] = real(beta2)
        table[row * 8 + 2] = real(eps)
        table[row * 8 + 3] = real(factor)
        table[row * 8 + 4] = real(factor_2)
        table[row * 8 + 5] = real(factor_3)
        table[row * 8 + 6] = real(factor_4)
        table[row * 8 + 7] = real(t_next)


@jit
def update_entries(params, grads, state, table, losses, place, history, step, first, last):
    """Update the entries first .. last - 1 with the numbers of this step; a loss that is not finite changes nothing."""
    # t_next = 1 + t
    # rate = (1 + cos(π · (t [1 > t/updates]/updates + [t/updates ≥ 1]))) · (lr − minimum)/2 + minimum
    # m_next[p] = (1 − beta1) · g[p] + beta1 m[p]
    # v_next[p] = g[p]² · (1 − beta2) + beta2 v[p]
    # c_1 = 1 − beta1^t_next
    # c_2 = 1 − beta2^t_next
    # w_next[p] = w[p] − rate m_next[p]/((√(v_next[p]/c_2) + eps) · c_1)
    row, value = step[0], losses[place]
    p = first + int32(cuda.grid(1))
    if p < last and math.isfinite(value):
        beta1 = table[row * 8]
        beta2 = table[row * 8 + 1]
        eps = table[row * 8 + 2]
        factor = table[row * 8 + 3]
        factor_2 = table[row * 8 + 4]
        factor_3 = table[row * 8 + 5]
        factor_4 = table[row * 8 + 6]
        m_next = grads[p] * factor + state[p] * beta1
        v_next = grads[p] * grads[p] * factor_2 + state[13534 + p] * beta2
        w_next = factor_4 * m_next / (math.sqrt(factor_3 * v_next) + eps) + params[p]
        state[p] = m_next
        state[13534 + p] = v_next
        params[p] = w_next
    if p == first:
        history[row] = value
        step[1] = row + int32(1)
        if math.isfinite(value):
            state[27068] = table[row * 8 + 7]


@jit
def gather(all_x, all_y, order, step, x, y, shuffled, size, n):
    """Write the n rows of batch number step[1], the next one: those that order names, or as they lie."""
    k = int32(cuda.grid(1))
    number = step[1]
    if k == 0:
        step[0] = number
    if k < n * int32(32):
        row = int32(number * size + k // int32(32))
        row = int32(order[row]) if shuffled > 0 else row
        x[k] = all_x[row * 32 + k % int32(32)]
    if k < n * int32(32):
        row = int32(number * size + k // int32(32))
        row = int32(order[row]) if shuffled > 0 else row
        y[k] = all_y[row * 32 + k % int32(32)]


def launch_forward(params, x, out, work, n):
    """Start the forward pass of n samples."""
    # embedding_1
    launch(embedding_a_alone, (n * 512 + 127) // 128, 128, params, x, work, n)
    # gru_1
    launch(gru_p, ((n * 32 + 31) // 32) * 5, 64, params, work, 992, 10208, 0, 512 * n, n)
    launch(gru_h, n, 256, params, work, 3296, 10352, 512 * n, 5120 * n, 9728 * n, 11264 * n, 12800 * n, 14336 * n, n)
    launch(gru_a, (n * 1536 + 127) // 128, 128, work, 14336 * n, 15872 * n, n)
    # dense_1
    launch(dense_z, ((n * 32 + 31) // 32) * 2, 64, params, work, out, 10496, 13472, 15872 * n, n)


def launch_loss(params, x, y, work, n):
    """Start the loss of n samples."""
    # embedding_1
    launch(embedding_a_alone, (n * 512 + 127) // 128, 128, params, x, work, n)
    # gru_1
    launch(gru_p, ((n * 32 + 31) // 32) * 5, 64, params, work, 992, 10208, 0, 512 * n, n)
    launch(gru_h_2, n, 256, params, work, 3296, 10352, 512 * n, 5120 * n, 9728 * n, 11264 * n, 12800 * n, 14336 * n, n)
    launch(gru_a, (n * 1536 + 127) // 128, 128, work, 14336 * n, 15872 * n, n)
    # dense_1
    launch(dense_z_2, ((n * 32 + 31) // 32) * 2, 64, params, work, 10496, 13472, 15872 * n, 17408 * n, n)
    # loss
    launch(write_loss_p_to_write_loss_L, (n * 32 + 127) // 128, 128, work, y, 17408 * n, 19392 * n, 21376 * n, n)
    launch(loss_total, 1, 256, work, 21376 * n, 39264 * n, n)


def launch_value_and_grad(params, x, y, grads, work, n):
    """Start the loss and the gradients of n samples."""
    # embedding_1
    launch(side_by_side, (n * 512 + 127) // 128 + 8, 128, params, x, work, grads, n)
    # gru_1
    launch(gru_p, ((n * 32 + 31) // 32) * 5, 64, params, work, 992, 10208, 0, 512 * n, n)
    launch(gru_h_2, n, 256, params, work, 3296, 10352, 512 * n, 5120 * n, 9728 * n, 11264 * n, 12800 * n, 14336 * n, n)
    launch(gru_a, (n * 1536 + 127) // 128, 128, work, 14336 * n, 15872 * n, n)
    # dense_1
    launch(dense_z_2, ((n * 32 + 31) // 32) * 2, 64, params, work, 10496, 13472, 15872 * n, 17408 * n, n)
    # loss
    launch(write_loss_p_to_write_loss_L, (n * 32 + 127) // 128, 128, work, y, 17408 * n, 19392 * n, 21376 * n, n)
    # dense_1
    launch(dense_delta, (n * 1984 + 127) // 128, 128, work, y, 19392 * n, 21408 * n, n)
    # loss
    launch(loss_total, 1, 256, work, 21376 * n, 39264 * n, n)
    # dense_1
    launch(side_by_side_2, 64 + 62 + n, 64, work, grads, params, n)
    # gru_1
    launch(gru_grad_p, (n * 1536 + 127) // 128, 128, work, 28000 * n, 9728 * n, 34144 * n, n)
    launch(side_by_side_3, 160 + 47 + 144, 64, work, grads, n)
    launch(gru_grad_p_2, (n * 1536 + 127) // 128, 128, work, 26464 * n, 11264 * n, 34144 * n, n)
    launch(gru_grad_W_h_2, 54, 128, grads, work, 3296, 39264 * n + 47620, n)
    launch(gru_grad_p_3, (n * 1536 + 127) // 128, 128, work, 12800 * n, 24928 * n, 34144 * n, n)
    launch(side_by_side_4, 80 + (n * 32 + 31) // 32 + 144, 64, work, params, grads, n)
    launch(side_by_side_5, 18 + 1, 128, grads, work, x, n)


def launch_update(params, grads, state, hyper, table, losses, place, history, step):
    """Start the update of all parameters, if the loss at a place is finite; the table has the numbers of this step."""
    launch(update_entries, 106, 128, params, grads, state, table, losses, place, history, step, 0, 13534)


def launch_train_step(x, y, params, grads, state, hyper, table, work, history, step, n):
    """Start one training step of n samples."""
    launch(fill_table, 1, 128, state, hyper, table, 1)
    launch_value_and_grad(params, x, y, grads, work, n)
    launch_update(params, grads, state, hyper, table, work, 39264 * n, history, step)


def launch_step(all_x, all_y, order, x, y, params, grads, state, hyper, table, work, history, step, shuffled, size, n):
    """Start the next training step of an epoch, with n samples."""
    launch(gather, (n * 32 + 127) // 128, 128, all_x, all_y, order, step, x, y, shuffled, size, n)
    launch_value_and_grad(params, x, y, grads, work, n)
    launch_update(params, grads, state, hyper, table, work, 39264 * n, history, step)


def forward(params, x, out, work=None):
    """Write the network's output for a batch into out, or nothing if an input is out of range: then return its number, else 0."""
    if not in_range(x, 0, 61):
        return 1
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, "int64")
    d_out = room(out, 1984 * n, DTYPE)
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_forward, d_params, d_x, d_out, d_work, n)
    give(d_out, out)
    return 0


def loss(params, x, y, work=None):
    """Return the loss of a batch."""
    if not in_range(x, 0, 61):
        return math.nan
    if not in_range(y, 0, 61):
        return math.nan
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, "int64")
    d_y = take(y, "int64")
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_loss, d_params, d_x, d_y, d_work, n)
    return number(d_work, 39264 * n)


def value_and_grad(params, x, y, grads, work=None):
    """Return the loss of a batch and write its gradients into grads."""
    if not in_range(x, 0, 61):
        return math.nan
    if not in_range(y, 0, 61):
        return math.nan
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, "int64")
    d_y = take(y, "int64")
    d_grads = room(grads, 13534, DTYPE)
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_value_and_grad, d_params, d_x, d_y, d_grads, d_work, n)
    give(d_grads, grads)
    return number(d_work, 39264 * n)


def update(params, grads, state, hyper):
    """Do one step of the optimizer with given gradients."""
    d_params = take(params, DTYPE)
    d_grads = take(grads, DTYPE)
    d_state = take(state, DTYPE)
    d_hyper = take(hyper, "float64")
    d_table, history = room(None, 8, DTYPE), room(None, 1, DTYPE)
    step = zeros(2, "int32")
    launch(fill_table, 1, 128, d_state, d_hyper, d_table, 1)
    d_losses = zeros(1, DTYPE)
    launch_update(d_params, d_grads, d_state, d_hyper, d_table, d_losses, 0, history, step)
    give(d_params, params)
    give(d_state, state)


def train_step(params, x, y, grads, state, hyper, work=None):
    """Return the loss and do one step of the optimizer; a loss that is not finite changes nothing."""
    if not in_range(x, 0, 61):
        return math.nan
    if not in_range(y, 0, 61):
        return math.nan
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, "int64")
    d_y = take(y, "int64")
    d_grads = room(grads, 13534, DTYPE)
    d_state = take(state, DTYPE)
    d_hyper = take(hyper, "float64")
    d_table, history = room(None, 8, DTYPE), room(None, 1, DTYPE)
    step = zeros(2, "int32")
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_train_step, d_x, d_y, d_params, d_grads, d_state, d_hyper, d_table, d_work, history, step, n)
    give(d_grads, grads)
    give(d_params, params)
    give(d_state, state)
    return number(d_work, 39264 * n)


def epoch(params, x, y, order, size, batch_x, batch_y, grads, state, hyper, work=None):
    """Do train_step once for every batch of size samples, in order or as they lie if order is empty; batch_… are not used.

    Return the sum of the losses of all samples and 0, or a loss that is not finite and the number of its step.
    """
    if not in_range(x, 0, 61):
        return math.nan, 1
    if not in_range(y, 0, 61):
        return math.nan, 1
    samples = x.shape[0]
    count = -(-samples // size)
    d_params = take(params, DTYPE)
    all_x = take(x, "int64")
    all_y = take(y, "int64")
    d_order = take(order, "int64") if order.size else zeros(1, "int64")
    shuffled = 1 if order.size else 0
    d_x = room(None, 32 * size, "int64")
    d_y = room(None, 32 * size, "int64")
    d_grads = room(grads, 13534, DTYPE)
    d_state = take(state, DTYPE)
    d_hyper = take(hyper, "float64")
    d_table, history = room(None, count * 8, DTYPE), room(None, count, DTYPE)
    step = zeros(2, "int32")
    launch(fill_table, (count + 127) // 128, 128, d_state, d_hyper, d_table, count)
    d_work = room(work, workspace(size), DTYPE)
    repeat(
        samples // size, launch_step, all_x, all_y, d_order, d_x, d_y, d_params, d_grads, d_state, d_hyper, d_table, d_work, history, step,
        shuffled, size, size,
    )
    if samples % size:
        launch_step(
            all_x, all_y, d_order, d_x, d_y, d_params, d_grads, d_state, d_hyper, d_table, d_work, history, step, shuffled, size,
            samples % size,
        )
    give(d_params, params)
    give(d_state, state)
    losses = np.empty(count, DTYPE)
    give(history, losses)
    if not np.isfinite(losses).all():
        first = int(np.argmin(np.isfinite(losses)))
        return float(losses[first]), first + 1
    sizes = np.minimum(size, samples - size * np.arange(count))
    return float((losses * sizes).sum(dtype=np.float64)), 0


#: The types of each kernel's arguments, for compilers that have no call to look at.
SIGNATURES = {
    "embedding_a_alone": ("float32[::1]", "int64[::1]", "float32[::1]", "int32"),
    "gru_p": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32"),
    "gru_h": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32"),
    "gru_a": ("float32[::1]", "int32", "int32", "int32"),
    "dense_z": ("float32[::1]", "float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "gru_h_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32"),
    "dense_z_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32"),
    "write_loss_p_to_write_loss_L": ("float32[::1]", "int64[::1]", "int32", "int32", "int32", "int32"),
    "loss_total": ("float32[::1]", "int32", "int32", "int32"),
    "side_by_side": ("float32[::1]", "int64[::1]", "float32[::1]", "float32[::1]", "int32"),
    "dense_delta": ("float32[::1]", "int64[::1]", "int32", "int32", "int32"),
    "side_by_side_2": ("float32[::1]", "float32[::1]", "float32[::1]", "int32"),
    "gru_grad_p": ("float32[::1]", "int32", "int32", "int32", "int32"),
    "side_by_side_3": ("float32[::1]", "float32[::1]", "int32"),
    "gru_grad_p_2": ("float32[::1]", "int32", "int32", "int32", "int32"),
    "gru_grad_W_h_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "gru_grad_p_3": ("float32[::1]", "int32", "int32", "int32", "int32"),
    "side_by_side_4": ("float32[::1]", "float32[::1]", "float32[::1]", "int32"),
    "side_by_side_5": ("float32[::1]", "float32[::1]", "int64[::1]", "int32"),
    "fill_table": ("float32[::1]", "float64[::1]", "float32[::1]", "int32"),
    "update_entries": (
        "float32[::1]", "float32[::1]", "float32[::1]", "float32[::1]", "float32[::1]", "int32", "float32[::1]", "int32[::1]", "int32",
        "int32",
    ),
    "gather": ("int64[::1]", "int64[::1]", "int64[::1]", "int32[::1]", "int64[::1]", "int64[::1]", "int32", "int32", "int32"),
}
#: Kernels that compute in float64 whatever DTYPE is.
FLOAT64 = ("fill_table",)
