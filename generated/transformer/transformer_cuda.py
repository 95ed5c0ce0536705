"""Kernels of the network transformer for CUDA, compiled by Numba; they need NumPy, Numba and a GPU.

Written from the template numba_cuda/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: 79775c58b73520368fe08427219629d8a009d844711b10dc24ba8857d3933ebf
Schedule: layered; kernels are launched one after the other: a step needs 4,271,588 bytes of shared memory, a block has 49,152.

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
        st4,
        store_row,
        take,
        zeros,
    )

NAME = "transformer"
#: Name, offset and shape of each parameter in the flat buffers.
PARAMETERS = (
    ("embedding_1.E", 0, (62, 32)),
    ("layernorm_1.gamma", 1984, (32,)),
    ("layernorm_1.beta", 2016, (32,)),
    ("attention_1.W_q", 2048, (32, 32)),
    ("attention_1.W_k", 3072, (32, 32)),
    ("attention_1.W_v", 4096, (32, 32)),
    ("attention_1.W_o", 5120, (32, 32)),
    ("layernorm_2.gamma", 6144, (32,)),
    ("layernorm_2.beta", 6176, (32,)),
    ("dense_1.W", 6208, (128, 32)),
    ("dense_1.b", 10304, (128,)),
    ("dense_2.W", 10432, (32, 128)),
    ("dense_2.b", 14528, (32,)),
    ("layernorm_3.gamma", 14560, (32,)),
    ("layernorm_3.beta", 14592, (32,)),
    ("dense_3.W", 14624, (62, 32)),
    ("dense_3.b", 16608, (62,)),
)
DTYPE = "float32"
#: The largest batch.
BATCH = 16
STATE_SIZE = 33341
#: The optimizer's numbers with their defaults, in the order of the array hyper.
HYPER = (
    ("lr", 0.005),
    ("beta1", 0.9),
    ("beta2", 0.999),
    ("eps", 1e-08),
    ("updates", 1100.0),
    ("minimum", 0.0),
)
SCHEDULE = "layered"


def workspace(n):
    """Return how many elements of workspace a batch of n samples needs."""
    return 64544 * n + 114180


@device
def embedding_a(block, params, x, work, E, a, N):
    """Write a."""
    # a[n, t, i] = E[x[n, t], i]
    entry = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if entry < N * int32(1024):
        n = entry // int32(1024)
        t = entry // int32(32) % int32(32)
        i = entry % int32(32)
        work[a + n * 1024 + t * 32 + i] = params[E + int32(x[n * 32 + t]) * 32 + i]


@jit
def embedding_a_alone(params, x, work, N):
    """Do embedding_a."""
    block = int32(cuda.blockIdx.x)
    embedding_a(block, params, x, work, int32(0), int32(0), N)


@jit
def positionalencoding_a_to_layernorm_a(work, params, x, a, mu, sigma, beta, gamma, a_, N):
    """Write a, mu, sigma and a_."""
    entry = int32(cuda.grid(1))
    if entry < N * int32(32):
        n = entry // int32(32)
        t = entry % int32(32)
        # a[n, t, j] = x[n, t, j] + sin(10000^(−floor(j/2)/16) · t + π · (j mod 2)/2)
        for J in range(int32(16)):
            for i in range(int32(2)):
                work[a + n * 1024 + t * 32 + 2 * J + i] = (
                    work[x + n * 1024 + t * 32 + 2 * J + i] + math.sin(real(10000.0) ** (-real(J) / real(16.0)) * real(t)
                    + real(3.141592653589793) * real(i) / real(2.0))
                )
        # mu[n, t] = (Σ_i a[n, t, i])/32
        total = real(0.0)
        for i in range(int32(32)):
            total += work[a + n * 1024 + t * 32 + i]
        work[mu + n * 32 + t] = total / real(32.0)
        # sigma[n, t] = √(1e−05 + v[n, t])
        total_2 = real(0.0)
        for i in range(int32(32)):
            base = work[a + n * 1024 + t * 32 + i] - work[mu + n * 32 + t]
            total_2 += base * base
        v = total_2 / real(32.0)
        work[sigma + n * 32 + t] = math.sqrt(real(1e-05) + v)
        # a_[n, t, i] = gamma[i] x_hat[n, t, i] + beta[i]
        for i in range(int32(32)):
            x_hat = (work[a + n * 1024 + t * 32 + i] - work[mu + n * 32 + t]) / work[sigma + n * 32 + t]
            work[a_ + n * 1024 + t * 32 + i] = params[gamma + i] * x_hat + params[beta + i]


@device
def attention_Q(block, params, work, W_q, x, Q, N):
    """Write Q in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each."""
    # Q[n, h, t, d] = Σ_j W_q[8 h + d, j] x[n, t, j]
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
    column_0 = uint32(thread >> 2)
    column_1 = uint32((thread >> 2) + 16)
    right_put = int32(576 + (thread & 3) * 144 + (thread >> 2))
    # What it multiplies: its rows of the left tile and its columns of the right one.
    left = int32((thread >> 3) * 4)
    right = int32(576 + (thread & 7) * 4)
    here = int32(0)
    sums = register_tile(4, 4, real(0.0))
    j_0 = int32(first + (thread & 3) * 4)
    left_0 = ld4(work, int32(x + row_0 * 32 + j_0), (row_0 < N * 32) & (j_0 < 32))
    left_1 = ld4(work, int32(x + row_1 * 32 + j_0), (row_1 < N * 32) & (j_0 < 32))
    right_0 = ld4(params, int32(W_q + column_0 * 32 + j_0), (column_0 < 32) & (j_0 < 32))
    right_1 = ld4(params, int32(W_q + column_1 * 32 + j_0), (column_1 < 32) & (j_0 < 32))
    # dot = Σ_j W_q[8 h + d, j] x[n, t, j]
    while first < 32:
        st4(tiles, int32(here + left_put), left_0, 36)
        st4(tiles, int32(here + left_put + 16), left_1, 36)
        st4(tiles, int32(here + right_put), right_0, 36)
        st4(tiles, int32(here + right_put + 16), right_1, 36)
        cuda.syncthreads()
        first = int32(first + 16)
        j_0 = int32(first + (thread & 3) * 4)
        left_0 = ld4(work, int32(x + row_0 * 32 + j_0), (row_0 < N * 32) & (j_0 < 32))
        left_1 = ld4(work, int32(x + row_1 * 32 + j_0), (row_1 < N * 32) & (j_0 < 32))
        right_0 = ld4(params, int32(W_q + column_0 * 32 + j_0), (column_0 < 32) & (j_0 < 32))
        right_1 = ld4(params, int32(W_q + column_1 * 32 + j_0), (column_1 < 32) & (j_0 < 32))
        sums = multiply_add(sums, tiles, int32(here + left), int32(here + right), 32, 32, 16)
        here = int32(1152 - here)
    cuda.syncthreads()
    # Results go through shared memory, a row of each thread at a time, so that neighbouring threads write neighbours.
    stage = int32((thread >> 3) * 32 + (thread & 7) * 4)
    result_column = uint32(thread & 31)
    h = int32(result_column // uint32(8))
    d = int32(result_column % uint32(8))
    for turn in range(opaque(int32(4))):
        store_row(sums, turn, tiles, stage, 32)
        cuda.syncthreads()
        for lap in range(int32(4)):
            line = int32(lap * 2 + (thread >> 5))
            result_row = uint32(row + line * 4 + turn)
            if result_row < N * 32 and result_column < 32:
                n = int32(result_row // uint32(32))
                t = int32(result_row % uint32(32))
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(Q + n * 1024 + h * 256 + t * 8 + d)] = dot
        cuda.syncthreads()


@device
def attention_K(block, params, work, W_k, x, K, N):
    """Write K in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each."""
    # K[n, h, t, d] = Σ_j W_k[8 h + d, j] x[n, t, j]
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
    column_0 = uint32(thread >> 2)
    column_1 = uint32((thread >> 2) + 16)
    right_put = int32(576 + (thread & 3) * 144 + (thread >> 2))
    # What it multiplies: its rows of the left tile and its columns of the right one.
    left = int32((thread >> 3) * 4)
    right = int32(576 + (thread & 7) * 4)
    here = int32(0)
    sums = register_tile(4, 4, real(0.0))
    j_0 = int32(first + (thread & 3) * 4)
    left_0 = ld4(work, int32(x + row_0 * 32 + j_0), (row_0 < N * 32) & (j_0 < 32))
    left_1 = ld4(work, int32(x + row_1 * 32 + j_0), (row_1 < N * 32) & (j_0 < 32))
    right_0 = ld4(params, int32(W_k + column_0 * 32 + j_0), (column_0 < 32) & (j_0 < 32))
    right_1 = ld4(params, int32(W_k + column_1 * 32 + j_0), (column_1 < 32) & (j_0 < 32))
    # dot = Σ_j W_k[8 h + d, j] x[n, t, j]
    while first < 32:
        st4(tiles, int32(here + left_put), left_0, 36)
        st4(tiles, int32(here + left_put + 16), left_1, 36)
        st4(tiles, int32(here + right_put), right_0, 36)
        st4(tiles, int32(here + right_put + 16), right_1, 36)
        cuda.syncthreads()
        first = int32(first + 16)
        j_0 = int32(first + (thread & 3) * 4)
        left_0 = ld4(work, int32(x + row_0 * 32 + j_0), (row_0 < N * 32) & (j_0 < 32))
        left_1 = ld4(work, int32(x + row_1 * 32 + j_0), (row_1 < N * 32) & (j_0 < 32))
        right_0 = ld4(params, int32(W_k + column_0 * 32 + j_0), (column_0 < 32) & (j_0 < 32))
        right_1 = ld4(params, int32(W_k + column_1 * 32 + j_0), (column_1 < 32) & (j_0 < 32))
        sums = multiply_add(sums, tiles, int32(here + left), int32(here + right), 32, 32, 16)
        here = int32(1152 - here)
    cuda.syncthreads()
    # Results go through shared memory, a row of each thread at a time, so that neighbouring threads write neighbours.
    stage = int32((thread >> 3) * 32 + (thread & 7) * 4)
    result_column = uint32(thread & 31)
    h = int32(result_column // uint32(8))
    d = int32(result_column % uint32(8))
    for turn in range(opaque(int32(4))):
        store_row(sums, turn, tiles, stage, 32)
        cuda.syncthreads()
        for lap in range(int32(4)):
            line = int32(lap * 2 + (thread >> 5))
            result_row = uint32(row + line * 4 + turn)
            if result_row < N * 32 and result_column < 32:
                n = int32(result_row // uint32(32))
                t = int32(result_row % uint32(32))
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(K + n * 1024 + h * 256 + t * 8 + d)] = dot
        cuda.syncthreads()


@device
def attention_V(block, params, work, W_v, x, V, N):
    """Write V in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each."""
    # V[n, h, t, d] = Σ_j W_v[8 h + d, j] x[n, t, j]
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
    column_0 = uint32(thread >> 2)
    column_1 = uint32((thread >> 2) + 16)
    right_put = int32(576 + (thread & 3) * 144 + (thread >> 2))
    # What it multiplies: its rows of the left tile and its columns of the right one.
    left = int32((thread >> 3) * 4)
    right = int32(576 + (thread & 7) * 4)
    here = int32(0)
    sums = register_tile(4, 4, real(0.0))
    j_0 = int32(first + (thread & 3) * 4)
    left_0 = ld4(work, int32(x + row_0 * 32 + j_0), (row_0 < N * 32) & (j_0 < 32))
    left_1 = ld4(work, int32(x + row_1 * 32 + j_0), (row_1 < N * 32) & (j_0 < 32))
    right_0 = ld4(params, int32(W_v + column_0 * 32 + j_0), (column_0 < 32) & (j_0 < 32))
    right_1 = ld4(params, int32(W_v + column_1 * 32 + j_0), (column_1 < 32) & (j_0 < 32))
    # dot = Σ_j W_v[8 h + d, j] x[n, t, j]
    while first < 32:
        st4(tiles, int32(here + left_put), left_0, 36)
        st4(tiles, int32(here + left_put + 16), left_1, 36)
        st4(tiles, int32(here + right_put), right_0, 36)
        st4(tiles, int32(here + right_put + 16), right_1, 36)
        cuda.syncthreads()
        first = int32(first + 16)
        j_0 = int32(first + (thread & 3) * 4)
        left_0 = ld4(work, int32(x + row_0 * 32 + j_0), (row_0 < N * 32) & (j_0 < 32))
        left_1 = ld4(work, int32(x + row_1 * 32 + j_0), (row_1 < N * 32) & (j_0 < 32))
        right_0 = ld4(params, int32(W_v + column_0 * 32 + j_0), (column_0 < 32) & (j_0 < 32))
        right_1 = ld4(params, int32(W_v + column_1 * 32 + j_0), (column_1 < 32) & (j_0 < 32))
        sums = multiply_add(sums, tiles, int32(here + left), int32(here + right), 32, 32, 16)
        here = int32(1152 - here)
    cuda.syncthreads()
    # Results go through shared memory, a row of each thread at a time, so that neighbouring threads write neighbours.
    stage = int32((thread >> 3) * 32 + (thread & 7) * 4)
    result_column = uint32(thread & 31)
    h = int32(result_column // uint32(8))
    d = int32(result_column % uint32(8))
    for turn in range(opaque(int32(4))):
        store_row(sums, turn, tiles, stage, 32)
        cuda.syncthreads()
        for lap in range(int32(4)):
            line = int32(lap * 2 + (thread >> 5))
            result_row = uint32(row + line * 4 + turn)
            if result_row < N * 32 and result_column < 32:
                n = int32(result_row // uint32(32))
                t = int32(result_row % uint32(32))
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(V + n * 1024 + h * 256 + t * 8 + d)] = dot
        cuda.syncthreads()


@jit(max_registers=248)
def side_by_side(params, work, N):
    """Do attention_Q, attention_K and attention_V, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32((N * 32 + 31) // 32)
    end_2 = int32(end_1 + (N * 32 + 31) // 32)
    if block < end_1:
        attention_Q(block, params, work, int32(2048), int32(3136 * N), int32(4160 * N), N)
    elif block < end_2:
        attention_K(int32(block - end_1), params, work, int32(3072), int32(3136 * N), int32(5184 * N), N)
    else:
        attention_V(int32(block - end_2), params, work, int32(4096), int32(3136 * N), int32(6208 * N), N)


@jit(max_registers=128)
def attention_S(work, K, Q, S, N):
    """Write S in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each."""
    # S[n, h, t, s] = √2 · (Σ_d K[n, h, s, d] Q[n, h, t, d])/4
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(cuda.blockIdx.x)
    h = int32(block % uint32(4))
    block = uint32(block // uint32(4))
    n = int32(block)
    first = int32(0)
    # What the thread reads of a tile, and where it puts that.
    t_0 = int32(thread >> 2)
    t_1 = int32((thread >> 2) + 16)
    left_put = int32((thread & 3) * 144 + (thread >> 2))
    s_0 = int32(thread >> 2)
    s_1 = int32((thread >> 2) + 16)
    right_put = int32(576 + (thread & 3) * 144 + (thread >> 2))
    # What it multiplies: its rows of the left tile and its columns of the right one.
    left = int32((thread >> 3) * 4)
    right = int32(576 + (thread & 7) * 4)
    here = int32(0)
    sums = register_tile(4, 4, real(0.0))
    d_0 = int32(first + (thread & 3) * 4)
    left_0 = ld4(work, int32(Q + h * 256 + n * 1024 + t_0 * 8 + d_0), (t_0 < 32) & (d_0 < 8))
    left_1 = ld4(work, int32(Q + h * 256 + n * 1024 + t_1 * 8 + d_0), (t_1 < 32) & (d_0 < 8))
    right_0 = ld4(work, int32(K + h * 256 + n * 1024 + s_0 * 8 + d_0), (s_0 < 32) & (d_0 < 8))
    right_1 = ld4(work, int32(K + h * 256 + n * 1024 + s_1 * 8 + d_0), (s_1 < 32) & (d_0 < 8))
    # dot = Σ_d K[n, h, s, d] Q[n, h, t, d]
    while first < 8:
        st4(tiles, int32(here + left_put), left_0, 36)
        st4(tiles, int32(here + left_put + 16), left_1, 36)
        st4(tiles, int32(here + right_put), right_0, 36)
        st4(tiles, int32(here + right_put + 16), right_1, 36)
        cuda.syncthreads()
        first = int32(first + 16)
        d_0 = int32(first + (thread & 3) * 4)
        left_0 = ld4(work, int32(Q + h * 256 + n * 1024 + t_0 * 8 + d_0), (t_0 < 32) & (d_0 < 8))
        left_1 = ld4(work, int32(Q + h * 256 + n * 1024 + t_1 * 8 + d_0), (t_1 < 32) & (d_0 < 8))
        right_0 = ld4(work, int32(K + h * 256 + n * 1024 + s_0 * 8 + d_0), (s_0 < 32) & (d_0 < 8))
        right_1 = ld4(work, int32(K + h * 256 + n * 1024 + s_1 * 8 + d_0), (s_1 < 32) & (d_0 < 8))
        sums = multiply_add(sums, tiles, int32(here + left), int32(here + right), 32, 32, 16)
        here = int32(1152 - here)
    cuda.syncthreads()
    # Results go through shared memory, a row of each thread at a time, so that neighbouring threads write neighbours.
    stage = int32((thread >> 3) * 32 + (thread & 7) * 4)
    s = int32(thread & 31)
    for turn in range(opaque(int32(4))):
        store_row(sums, turn, tiles, stage, 32)
        cuda.syncthreads()
        for lap in range(int32(4)):
            line = int32(lap * 2 + (thread >> 5))
            t = int32(line * 4 + turn)
            if t < 32 and s < 32:
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(S + n * 4096 + h * 1024 + t * 32 + s)] = math.sqrt(real(2.0)) * dot / real(4.0)
        cuda.syncthreads()


@jit
def attention_P(work, S, P, N):
    """Write P."""
    # P[n, h, t, s] = [t ≥ s] exp(S[n, h, t, s] − log Σ_i exp(S[n, h, t, i] [t ≥ i] + log([t ≥ i])))
    entry = int32(cuda.grid(1))
    if entry < N * int32(128):
        n = entry // int32(128)
        h = entry // int32(32) % int32(4)
        t = entry % int32(32)
        top = real(-math.inf)
        for i in range(int32(32)):
            if t >= i:
                candidate = work[S + n * 4096 + h * 1024 + t * 32 + i]
                top = candidate if (candidate > top) | (candidate != candidate) else top
        shift = top if abs(top) != real(math.inf) else real(0.0)
        total = real(0.0)
        for i in range(int32(32)):
            total += math.exp(work[S + n * 4096 + h * 1024 + t * 32 + i] - shift) if t >= i else real(0.0)
        for s in range(int32(32)):
            S_ = work[S + n * 4096 + h * 1024 + t * 32 + s]
            work[P + n * 4096 + h * 1024 + t * 32 + s] = math.exp(S_ - shift) / total if t >= s else real(0.0)


@jit(max_registers=128)
def attention_O(work, P, V, O, N):
    """Write O in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each."""
    # O[n, h, t, d] = Σ_s P[n, h, t, s] V[n, h, s, d]
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(cuda.blockIdx.x)
    h = int32(block % uint32(4))
    block = uint32(block // uint32(4))
    n = int32(block)
    first = int32(0)
    # What the thread reads of a tile, and where it puts that.
    t_0 = int32(thread >> 2)
    t_1 = int32((thread >> 2) + 16)
    left_put = int32((thread & 3) * 144 + (thread >> 2))
    d_0 = int32((thread & 7) * 4)
    right_put = int32(576 + (thread >> 3) * 36 + (thread & 7) * 4)
    # What it multiplies: its rows of the left tile and its columns of the right one.
    left = int32((thread >> 3) * 4)
    right = int32(576 + (thread & 7) * 4)
    here = int32(0)
    sums = register_tile(4, 4, real(0.0))
    s_0 = int32(first + (thread & 3) * 4)
    left_0 = ld4(work, int32(P + h * 1024 + n * 4096 + t_0 * 32 + s_0), (t_0 < 32) & (s_0 < 32))
    left_1 = ld4(work, int32(P + h * 1024 + n * 4096 + t_1 * 32 + s_0), (t_1 < 32) & (s_0 < 32))
    s_1 = int32(first + (thread >> 3))
    s_2 = int32(first + (thread >> 3) + 8)
    right_0 = ld4(work, int32(V + h * 256 + n * 1024 + d_0 + s_1 * 8), (d_0 < 8) & (s_1 < 32))
    right_1 = ld4(work, int32(V + h * 256 + n * 1024 + d_0 + s_2 * 8), (d_0 < 8) & (s_2 < 32))
    # dot = Σ_s P[n, h, t, s] V[n, h, s, d]
    while first < 32:
        st4(tiles, int32(here + left_put), left_0, 36)
        st4(tiles, int32(here + left_put + 16), left_1, 36)
        st4(tiles, int32(here + right_put), right_0, 1)
        st4(tiles, int32(here + right_put + 288), right_1, 1)
        cuda.syncthreads()
        first = int32(first + 16)
        s_0 = int32(first + (thread & 3) * 4)
        left_0 = ld4(work, int32(P + h * 1024 + n * 4096 + t_0 * 32 + s_0), (t_0 < 32) & (s_0 < 32))
        left_1 = ld4(work, int32(P + h * 1024 + n * 4096 + t_1 * 32 + s_0), (t_1 < 32) & (s_0 < 32))
        s_1 = int32(first + (thread >> 3))
        s_2 = int32(first + (thread >> 3) + 8)
        right_0 = ld4(work, int32(V + h * 256 + n * 1024 + d_0 + s_1 * 8), (d_0 < 8) & (s_1 < 32))
        right_1 = ld4(work, int32(V + h * 256 + n * 1024 + d_0 + s_2 * 8), (d_0 < 8) & (s_2 < 32))
        sums = multiply_add(sums, tiles, int32(here + left), int32(here + right), 32, 32, 16)
        here = int32(1152 - here)
    cuda.syncthreads()
    # Results go through shared memory, a row of each thread at a time, so that neighbouring threads write neighbours.
    stage = int32((thread >> 3) * 32 + (thread & 7) * 4)
    d = int32(thread & 31)
    for turn in range(opaque(int32(4))):
        store_row(sums, turn, tiles, stage, 32)
        cuda.syncthreads()
        for lap in range(int32(4)):
            line = int32(lap * 2 + (thread >> 5))
            t = int32(line * 4 + turn)
            if t < 32 and d < 8:
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(O + n * 1024 + h * 256 + t * 8 + d)] = dot
        cuda.syncthreads()


@device
def attention_a_left(work, O, N, row, j):
    """Return an entry of the left factor, 0 outside of it."""
    n = int32(row // uint32(32))
    t = int32(row % uint32(32))
    inside = (row < N * 32) & (j < 32)
    entry = real(0.0)
    if inside:
        entry = work[uint32(O + n * 1024 + (j // int32(8)) * 256 + t * 8 + j % int32(8))]
    return entry


@jit(max_registers=128)
def attention_a(work, params, O, W_o, a, N):
    """Write a in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each."""
    # a[n, t, i] = Σ_j W_o[i, j] O[n, floor(j/8), t, j mod 8]
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(cuda.blockIdx.x)
    row = int32(block * 32)
    first = int32(0)
    # What the thread reads of a tile, and where it puts that.
    row_0 = uint32(row + (thread >> 4))
    row_1 = uint32(row + (thread >> 4) + 4)
    row_2 = uint32(row + (thread >> 4) + 8)
    row_3 = uint32(row + (thread >> 4) + 12)
    row_4 = uint32(row + (thread >> 4) + 16)
    row_5 = uint32(row + (thread >> 4) + 20)
    row_6 = uint32(row + (thread >> 4) + 24)
    row_7 = uint32(row + (thread >> 4) + 28)
    left_put = int32((thread & 15) * 36 + (thread >> 4))
    i_0 = int32(thread >> 2)
    i_1 = int32((thread >> 2) + 16)
    right_put = int32(576 + (thread & 3) * 144 + (thread >> 2))
    # What it multiplies: its rows of the left tile and its columns of the right one.
    left = int32((thread >> 3) * 4)
    right = int32(576 + (thread & 7) * 4)
    here = int32(0)
    sums = register_tile(4, 4, real(0.0))
    j_0 = int32(first + (thread & 15))
    left_0 = attention_a_left(work, O, N, row_0, j_0)
    left_1 = attention_a_left(work, O, N, row_1, j_0)
    left_2 = attention_a_left(work, O, N, row_2, j_0)
    left_3 = attention_a_left(work, O, N, row_3, j_0)
    left_4 = attention_a_left(work, O, N, row_4, j_0)
    left_5 = attention_a_left(work, O, N, row_5, j_0)
    left_6 = attention_a_left(work, O, N, row_6, j_0)
    left_7 = attention_a_left(work, O, N, row_7, j_0)
    j_1 = int32(first + (thread & 3) * 4)
    right_0 = ld4(params, int32(W_o + i_0 * 32 + j_1), (i_0 < 32) & (j_1 < 32))
    right_1 = ld4(params, int32(W_o + i_1 * 32 + j_1), (i_1 < 32) & (j_1 < 32))
    # dot = Σ_j W_o[i, j] O[n, floor(j/8), t, j mod 8]
    while first < 32:
        left_to = uint32(here + left_put)
        tiles[left_to] = left_0
        tiles[left_to + uint32(4)] = left_1
        tiles[left_to + uint32(8)] = left_2
        tiles[left_to + uint32(12)] = left_3
        tiles[left_to + uint32(16)] = left_4
        tiles[left_to + uint32(20)] = left_5
        tiles[left_to + uint32(24)] = left_6
        tiles[left_to + uint32(28)] = left_7
        st4(tiles, int32(here + right_put), right_0, 36)
        st4(tiles, int32(here + right_put + 16), right_1, 36)
        cuda.syncthreads()
        first = int32(first + 16)
        j_0 = int32(first + (thread & 15))
        left_0 = attention_a_left(work, O, N, row_0, j_0)
        left_1 = attention_a_left(work, O, N, row_1, j_0)
        left_2 = attention_a_left(work, O, N, row_2, j_0)
        left_3 = attention_a_left(work, O, N, row_3, j_0)
        left_4 = attention_a_left(work, O, N, row_4, j_0)
        left_5 = attention_a_left(work, O, N, row_5, j_0)
        left_6 = attention_a_left(work, O, N, row_6, j_0)
        left_7 = attention_a_left(work, O, N, row_7, j_0)
        j_1 = int32(first + (thread & 3) * 4)
        right_0 = ld4(params, int32(W_o + i_0 * 32 + j_1), (i_0 < 32) & (j_1 < 32))
        right_1 = ld4(params, int32(W_o + i_1 * 32 + j_1), (i_1 < 32) & (j_1 < 32))
        sums = multiply_add(sums, tiles, int32(here + left), int32(here + right), 32, 32, 16)
        here = int32(1152 - here)
    cuda.syncthreads()
    # Results go through shared memory, a row of each thread at a time, so that neighbouring threads write neighbours.
    stage = int32((thread >> 3) * 32 + (thread & 7) * 4)
    i = int32(thread & 31)
    for turn in range(opaque(int32(4))):
        store_row(sums, turn, tiles, stage, 32)
        cuda.syncthreads()
        for lap in range(int32(4)):
            line = int32(lap * 2 + (thread >> 5))
            result_row = uint32(row + line * 4 + turn)
            if result_row < N * 32 and i < 32:
                n = int32(result_row // uint32(32))
                t = int32(result_row % uint32(32))
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(a + n * 1024 + t * 32 + i)] = dot
        cuda.syncthreads()


@jit
def add_a_to_layernorm_a(work, params, x_1, x_2, a, mu, sigma, beta, gamma, a_, N):
    """Write a, mu, sigma and a_."""
    entry = int32(cuda.grid(1))
    if entry < N * int32(32):
        n = entry // int32(32)
        t = entry % int32(32)
        # a[n, t, i] = x_1[n, t, i] + x_2[n, t, i]
        for i in range(int32(32)):
            work[a + n * 1024 + t * 32 + i] = work[x_1 + n * 1024 + t * 32 + i] + work[x_2 + n * 1024 + t * 32 + i]
        # mu[n, t] = (Σ_i a[n, t, i])/32
        total = real(0.0)
        for i in range(int32(32)):
            total += work[a + n * 1024 + t * 32 + i]
        work[mu + n * 32 + t] = total / real(32.0)
        # sigma[n, t] = √(1e−05 + v[n, t])
        total_2 = real(0.0)
        for i in range(int32(32)):
            base = work[a + n * 1024 + t * 32 + i] - work[mu + n * 32 + t]
            total_2 += base * base
        v = total_2 / real(32.0)
        work[sigma + n * 32 + t] = math.sqrt(real(1e-05) + v)
        # a_[n, t, i] = gamma[i] x_hat[n, t, i] + beta[i]
        for i in range(int32(32)):
            x_hat = (work[a + n * 1024 + t * 32 + i] - work[mu + n * 32 + t]) / work[sigma + n * 32 + t]
            work[a_ + n * 1024 + t * 32 + i] = params[gamma + i] * x_hat + params[beta + i]


@jit(max_registers=128)
def dense_a(params, work, W, b, x, a, N):
    """Write a in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each."""
    # a[n, t, i] = (1 + erf(√2 z[n, t, i]/2)) · z[n, t, i]/2
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(cuda.blockIdx.x)
    column = int32(block % uint32(4) * 32)
    block = uint32(block // uint32(4))
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
    left_0 = ld4(work, int32(x + row_0 * 32 + j_0), (row_0 < N * 32) & (j_0 < 32))
    left_1 = ld4(work, int32(x + row_1 * 32 + j_0), (row_1 < N * 32) & (j_0 < 32))
    right_0 = ld4(params, int32(W + i_0 * 32 + j_0), (i_0 < 128) & (j_0 < 32))
    right_1 = ld4(params, int32(W + i_1 * 32 + j_0), (i_1 < 128) & (j_0 < 32))
    # dot = Σ_j W[i, j] x[n, t, j]
    while first < 32:
        st4(tiles, int32(here + left_put), left_0, 36)
        st4(tiles, int32(here + left_put + 16), left_1, 36)
        st4(tiles, int32(here + right_put), right_0, 36)
        st4(tiles, int32(here + right_put + 16), right_1, 36)
        cuda.syncthreads()
        first = int32(first + 16)
        j_0 = int32(first + (thread & 3) * 4)
        left_0 = ld4(work, int32(x + row_0 * 32 + j_0), (row_0 < N * 32) & (j_0 < 32))
        left_1 = ld4(work, int32(x + row_1 * 32 + j_0), (row_1 < N * 32) & (j_0 < 32))
        right_0 = ld4(params, int32(W + i_0 * 32 + j_0), (i_0 < 128) & (j_0 < 32))
        right_1 = ld4(params, int32(W + i_1 * 32 + j_0), (i_1 < 128) & (j_0 < 32))
        sums = multiply_add(sums, tiles, int32(here + left), int32(here + right), 32, 32, 16)
        here = int32(1152 - here)
    cuda.syncthreads()
    # Results go through shared memory, a row of each thread at a time, so that neighbouring threads write neighbours.
    stage = int32((thread >> 3) * 32 + (thread & 7) * 4)
    i = int32(column + (thread & 31))
    b_ = params[uint32(b + i)]
    for turn in range(opaque(int32(4))):
        store_row(sums, turn, tiles, stage, 32)
        cuda.syncthreads()
        for lap in range(int32(4)):
            line = int32(lap * 2 + (thread >> 5))
            result_row = uint32(row + line * 4 + turn)
            if result_row < N * 32 and i < 128:
                n = int32(result_row // uint32(32))
                t = int32(result_row % uint32(32))
                dot = tiles[uint32(line * 32 + (thread & 31))]
                z = b_ + dot
                t_ = z / real(2.0)
                work[uint32(a + n * 4096 + t * 128 + i)] = (real(1.0) + math.erf(math.sqrt(real(2.0)) * t_)) * t_
        cuda.syncthreads()


@jit(max_registers=128)
def dense_z(params, work, W, b, x, z, N):
    """Write z in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each."""
    # z[n, t, i] = b[i] + Σ_j W[i, j] x[n, t, j]
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(cuda.blockIdx.x)
    row = int32(block * 32)
    first = int32(0)
    # What the thread reads of a tile, and where it puts that.
    row_0 = uint32(row + (thread >> 2))
    row_1 = uint32(row + (thread >> 2) + 16)
    left_put = int32((thread & 3) * 144 + (thread >> 2))
    i_0 = int32(thread >> 2)
    i_1 = int32((thread >> 2) + 16)
    right_put = int32(576 + (thread & 3) * 144 + (thread >> 2))
    # What it multiplies: its rows of the left tile and its columns of the right one.
    left = int32((thread >> 3) * 4)
    right = int32(576 + (thread & 7) * 4)
    here = int32(0)
    sums = register_tile(4, 4, real(0.0))
    j_0 = int32(first + (thread & 3) * 4)
    left_0 = ld4(work, int32(x + row_0 * 128 + j_0), (row_0 < N * 32) & (j_0 < 128))
    left_1 = ld4(work, int32(x + row_1 * 128 + j_0), (row_1 < N * 32) & (j_0 < 128))
    right_0 = ld4(params, int32(W + i_0 * 128 + j_0), (i_0 < 32) & (j_0 < 128))
    right_1 = ld4(params, int32(W + i_1 * 128 + j_0), (i_1 < 32) & (j_0 < 128))
    # dot = Σ_j W[i, j] x[n, t, j]
    while first < 128:
        st4(tiles, int32(here + left_put), left_0, 36)
        st4(tiles, int32(here + left_put + 16), left_1, 36)
        st4(tiles, int32(here + right_put), right_0, 36)
        st4(tiles, int32(here + right_put + 16), right_1, 36)
        cuda.syncthreads()
        first = int32(first + 16)
        j_0 = int32(first + (thread & 3) * 4)
        left_0 = ld4(work, int32(x + row_0 * 128 + j_0), (row_0 < N * 32) & (j_0 < 128))
        left_1 = ld4(work, int32(x + row_1 * 128 + j_0), (row_1 < N * 32) & (j_0 < 128))
        right_0 = ld4(params, int32(W + i_0 * 128 + j_0), (i_0 < 32) & (j_0 < 128))
        right_1 = ld4(params, int32(W + i_1 * 128 + j_0), (i_1 < 32) & (j_0 < 128))
        sums = multiply_add(sums, tiles, int32(here + left), int32(here + right), 32, 32, 16)
        here = int32(1152 - here)
    cuda.syncthreads()
    # Results go through shared memory, a row of each thread at a time, so that neighbouring threads write neighbours.
    stage = int32((thread >> 3) * 32 + (thread & 7) * 4)
    i = int32(thread & 31)
    b_ = params[uint32(b + i)]
    for turn in range(opaque(int32(4))):
        store_row(sums, turn, tiles, stage, 32)
        cuda.syncthreads()
        for lap in range(int32(4)):
            line = int32(lap * 2 + (thread >> 5))
            result_row = uint32(row + line * 4 + turn)
            if result_row < N * 32 and i < 32:
                n = int32(result_row // uint32(32))
                t = int32(result_row % uint32(32))
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(z + n * 1024 + t * 32 + i)] = b_ + dot
        cuda.syncthreads()


@jit(max_registers=128)
def dense_z_2(params, work, out, W, b, x, N):
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
    left_0 = ld4(work, int32(x + row_0 * 32 + j_0), (row_0 < N * 32) & (j_0 < 32))
    left_1 = ld4(work, int32(x + row_1 * 32 + j_0), (row_1 < N * 32) & (j_0 < 32))
    right_0 = ld4(params, int32(W + i_0 * 32 + j_0), (i_0 < 62) & (j_0 < 32))
    right_1 = ld4(params, int32(W + i_1 * 32 + j_0), (i_1 < 62) & (j_0 < 32))
    # dot = Σ_j W[i, j] x[n, t, j]
    while first < 32:
        st4(tiles, int32(here + left_put), left_0, 36)
        st4(tiles, int32(here + left_put + 16), left_1, 36)
        st4(tiles, int32(here + right_put), right_0, 36)
        st4(tiles, int32(here + right_put + 16), right_1, 36)
        cuda.syncthreads()
        first = int32(first + 16)
        j_0 = int32(first + (thread & 3) * 4)
        left_0 = ld4(work, int32(x + row_0 * 32 + j_0), (row_0 < N * 32) & (j_0 < 32))
        left_1 = ld4(work, int32(x + row_1 * 32 + j_0), (row_1 < N * 32) & (j_0 < 32))
        right_0 = ld4(params, int32(W + i_0 * 32 + j_0), (i_0 < 62) & (j_0 < 32))
        right_1 = ld4(params, int32(W + i_1 * 32 + j_0), (i_1 < 62) & (j_0 < 32))
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
def positionalencoding_a_to_layernorm_a_2(work, params, x, a, mu, sigma, beta, gamma, x_hat, a_, N):
    """Write a, mu, sigma, x_hat and a_."""
    entry = int32(cuda.grid(1))
    if entry < N * int32(32):
        n = entry // int32(32)
        t = entry % int32(32)
        # a[n, t, j] = x[n, t, j] + sin(10000^(−floor(j/2)/16) · t + π · (j mod 2)/2)
        for J in range(int32(16)):
            for i in range(int32(2)):
                work[a + n * 1024 + t * 32 + 2 * J + i] = (
                    work[x + n * 1024 + t * 32 + 2 * J + i] + math.sin(real(10000.0) ** (-real(J) / real(16.0)) * real(t)
                    + real(3.141592653589793) * real(i) / real(2.0))
                )
        # mu[n, t] = (Σ_i a[n, t, i])/32
        total = real(0.0)
        for i in range(int32(32)):
            total += work[a + n * 1024 + t * 32 + i]
        work[mu + n * 32 + t] = total / real(32.0)
        # sigma[n, t] = √(1e−05 + v[n, t])
        total_2 = real(0.0)
        for i in range(int32(32)):
            base = work[a + n * 1024 + t * 32 + i] - work[mu + n * 32 + t]
            total_2 += base * base
        v = total_2 / real(32.0)
        work[sigma + n * 32 + t] = math.sqrt(real(1e-05) + v)
        # x_hat[n, t, i] = (a[n, t, i] − mu[n, t])/sigma[n, t]
        # a_[n, t, i] = gamma[i] x_hat[n, t, i] + beta[i]
        for i in range(int32(32)):
            work[x_hat + n * 1024 + t * 32 + i] = (work[a + n * 1024 + t * 32 + i] - work[mu + n * 32 + t]) / work[sigma + n * 32 + t]
            work[a_ + n * 1024 + t * 32 + i] = params[gamma + i] * work[x_hat + n * 1024 + t * 32 + i] + params[beta + i]


@jit
def add_a_to_layernorm_a_2(work, params, x_1, x_2, a, mu, sigma, beta, gamma, x_hat, a_, N):
    """Write a, mu, sigma, x_hat and a_."""
    entry = int32(cuda.grid(1))
    if entry < N * int32(32):
        n = entry // int32(32)
        t = entry % int32(32)
        # a[n, t, i] = x_1[n, t, i] + x_2[n, t, i]
        for i in range(int32(32)):
            work[a + n * 1024 + t * 32 + i] = work[x_1 + n * 1024 + t * 32 + i] + work[x_2 + n * 1024 + t * 32 + i]
        # mu[n, t] = (Σ_i a[n, t, i])/32
        total = real(0.0)
        for i in range(int32(32)):
            total += work[a + n * 1024 + t * 32 + i]
        work[mu + n * 32 + t] = total / real(32.0)
        # sigma[n, t] = √(1e−05 + v[n, t])
        total_2 = real(0.0)
        for i in range(int32(32)):
            base = work[a + n * 1024 + t * 32 + i] - work[mu + n * 32 + t]
            total_2 += base * base
        v = total_2 / real(32.0)
        work[sigma + n * 32 + t] = math.sqrt(real(1e-05) + v)
        # x_hat[n, t, i] = (a[n, t, i] − mu[n, t])/sigma[n, t]
        # a_[n, t, i] = gamma[i] x_hat[n, t, i] + beta[i]
        for i in range(int32(32)):
            work[x_hat + n * 1024 + t * 32 + i] = (work[a + n * 1024 + t * 32 + i] - work[mu + n * 32 + t]) / work[sigma + n * 32 + t]
            work[a_ + n * 1024 + t * 32 + i] = params[gamma + i] * work[x_hat + n * 1024 + t * 32 + i] + params[beta + i]


@jit(max_registers=128)
def dense_a_2(params, work, W, b, x, z, a, N):
    """Write z and a in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each."""
    # z[n, t, i] = b[i] + Σ_j W[i, j] x[n, t, j]
    # a[n, t, i] = (1 + erf(√2 z[n, t, i]/2)) · z[n, t, i]/2
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(cuda.blockIdx.x)
    column = int32(block % uint32(4) * 32)
    block = uint32(block // uint32(4))
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
    left_0 = ld4(work, int32(x + row_0 * 32 + j_0), (row_0 < N * 32) & (j_0 < 32))
    left_1 = ld4(work, int32(x + row_1 * 32 + j_0), (row_1 < N * 32) & (j_0 < 32))
    right_0 = ld4(params, int32(W + i_0 * 32 + j_0), (i_0 < 128) & (j_0 < 32))
    right_1 = ld4(params, int32(W + i_1 * 32 + j_0), (i_1 < 128) & (j_0 < 32))
    # dot = Σ_j W[i, j] x[n, t, j]
    while first < 32:
        st4(tiles, int32(here + left_put), left_0, 36)
        st4(tiles, int32(here + left_put + 16), left_1, 36)
        st4(tiles, int32(here + right_put), right_0, 36)
        st4(tiles, int32(here + right_put + 16), right_1, 36)
        cuda.syncthreads()
        first = int32(first + 16)
        j_0 = int32(first + (thread & 3) * 4)
        left_0 = ld4(work, int32(x + row_0 * 32 + j_0), (row_0 < N * 32) & (j_0 < 32))
        left_1 = ld4(work, int32(x + row_1 * 32 + j_0), (row_1 < N * 32) & (j_0 < 32))
        right_0 = ld4(params, int32(W + i_0 * 32 + j_0), (i_0 < 128) & (j_0 < 32))
        right_1 = ld4(params, int32(W + i_1 * 32 + j_0), (i_1 < 128) & (j_0 < 32))
        sums = multiply_add(sums, tiles, int32(here + left), int32(here + right), 32, 32, 16)
        here = int32(1152 - here)
    cuda.syncthreads()
    # Results go through shared memory, a row of each thread at a time, so that neighbouring threads write neighbours.
    stage = int32((thread >> 3) * 32 + (thread & 7) * 4)
    i = int32(column + (thread & 31))
    b_ = params[uint32(b + i)]
    for turn in range(opaque(int32(4))):
        store_row(sums, turn, tiles, stage, 32)
        cuda.syncthreads()
        for lap in range(int32(4)):
            line = int32(lap * 2 + (thread >> 5))
            result_row = uint32(row + line * 4 + turn)
            if result_row < N * 32 and i < 128:
                n = int32(result_row // uint32(32))
                t = int32(result_row % uint32(32))
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(z + n * 4096 + t * 128 + i)] = b_ + dot
                t_ = work[uint32(z + n * 4096 + t * 128 + i)] / real(2.0)
                work[uint32(a + n * 4096 + t * 128 + i)] = (real(1.0) + math.erf(math.sqrt(real(2.0)) * t_)) * t_
        cuda.syncthreads()


@jit(max_registers=128)
def dense_z_3(params, work, W, b, x, z, N):
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
    left_0 = ld4(work, int32(x + row_0 * 32 + j_0), (row_0 < N * 32) & (j_0 < 32))
    left_1 = ld4(work, int32(x + row_1 * 32 + j_0), (row_1 < N * 32) & (j_0 < 32))
    right_0 = ld4(params, int32(W + i_0 * 32 + j_0), (i_0 < 62) & (j_0 < 32))
    right_1 = ld4(params, int32(W + i_1 * 32 + j_0), (i_1 < 62) & (j_0 < 32))
    # dot = Σ_j W[i, j] x[n, t, j]
    while first < 32:
        st4(tiles, int32(here + left_put), left_0, 36)
        st4(tiles, int32(here + left_put + 16), left_1, 36)
        st4(tiles, int32(here + right_put), right_0, 36)
        st4(tiles, int32(here + right_put + 16), right_1, 36)
        cuda.syncthreads()
        first = int32(first + 16)
        j_0 = int32(first + (thread & 3) * 4)
        left_0 = ld4(work, int32(x + row_0 * 32 + j_0), (row_0 < N * 32) & (j_0 < 32))
        left_1 = ld4(work, int32(x + row_1 * 32 + j_0), (row_1 < N * 32) & (j_0 < 32))
        right_0 = ld4(params, int32(W + i_0 * 32 + j_0), (i_0 < 62) & (j_0 < 32))
        right_1 = ld4(params, int32(W + i_1 * 32 + j_0), (i_1 < 62) & (j_0 < 32))
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


@device
def loss_total(block, work, L, loss_, N):
    """Write loss."""
    # loss = (Σ_{n, t} L[n, t])/(32 N)
    parts = cuda.shared.array(2, real)
    thread = int32(cuda.threadIdx.x)
    total = real(0.0)
    part = real(0.0)
    for entry in range(thread, N * int32(32), int32(64)):
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
    for warp in range(int32(2)):
        total += parts[warp]
    if thread == 0:
        work[loss_] = total / real(32.0) / real(N)


@jit
def loss_total_alone(work, N):
    """Do loss_total."""
    block = int32(cuda.blockIdx.x)
    loss_total(block, work, int32(36928 * N), int32(62496 * N), N)


@device
def embedding_grad_E(block, grads, grad_E, N):
    """Write grad_E."""
    # grad_E[v, i] = Σ_{n, t} grad_a[n, t, i] [v = x[n, t]]
    entry = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if entry < int32(1984):
        v = entry // int32(32)
        i = entry % int32(32)
        grads[grad_E + v * 32 + i] = real(0.0)


@jit
def side_by_side_2(params, x, work, grads, N):
    """Do embedding_a and embedding_grad_E, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32((N * 1024 + 127) // 128)
    if block < end_1:
        embedding_a(block, params, x, work, int32(0), int32(0), N)
    else:
        embedding_grad_E(int32(block - end_1), grads, int32(0), N)


@jit
def write_loss_p_to_dense_delta(work, y, a, p, L, delta, N):
    """Write p, L and delta."""
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
        # delta[n, t, i] = (p[n, t, i] − [i = y[n, t]])/(32 N)
        for i in range(int32(62)):
            p_ = work[p + n * 1984 + t * 62 + i]
            work[delta + n * 1984 + t * 62 + i] = (p_ - (real(1.0) if i == int32(y[n * 32 + t]) else real(0.0))) / real(32.0) / real(N)


@device
def dense_grad_W(block, work, delta, x, parts, N):
    """Write parts in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each; the terms in 8 parts."""
    # parts[part, i, j] = Σ_{n, t} delta[n, t, i] x[n, t, j]
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(block)
    row = int32(block % uint32(2) * 32)
    block = uint32(block // uint32(2))
    part = int32(block)
    stop = int32((N * 32 + 127) // 128 * 16)
    first = int32(part * stop)
    stop = int32(first + stop if first + stop < N * 32 else N * 32)
    # What the thread reads of a tile, and where it puts that.
    i_0 = int32(row + (thread & 31))
    left_put = int32((thread >> 5) * 36 + (thread & 31))
    j_0 = int32((thread & 7) * 4)
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
    right_0 = ld4(work, int32(x + j_0 + term_8 * 32), (j_0 < 32) & (term_8 < stop))
    right_1 = ld4(work, int32(x + j_0 + term_9 * 32), (j_0 < 32) & (term_9 < stop))
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
        right_0 = ld4(work, int32(x + j_0 + term_8 * 32), (j_0 < 32) & (term_8 < stop))
        right_1 = ld4(work, int32(x + j_0 + term_9 * 32), (j_0 < 32) & (term_9 < stop))
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
            i = int32(row + line * 4 + turn)
            if i < 62 and j < 32:
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(parts + part * 1984 + i * 32 + j)] = dot
        cuda.syncthreads()


@device
def layernorm_grad_a(block, params, work, W, delta, grad_a, N):
    """Write grad_a in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each."""
    # grad_a[n, t, j] = Σ_i W[i, j] delta[n, t, i]
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(block)
    row = int32(block * 32)
    first = int32(0)
    # What the thread reads of a tile, and where it puts that.
    row_0 = uint32(row + (thread >> 4))
    row_1 = uint32(row + (thread >> 4) + 4)
    row_2 = uint32(row + (thread >> 4) + 8)
    row_3 = uint32(row + (thread >> 4) + 12)
    row_4 = uint32(row + (thread >> 4) + 16)
    row_5 = uint32(row + (thread >> 4) + 20)
    row_6 = uint32(row + (thread >> 4) + 24)
    row_7 = uint32(row + (thread >> 4) + 28)
    left_put = int32((thread & 15) * 36 + (thread >> 4))
    j_0 = int32((thread & 7) * 4)
    right_put = int32(576 + (thread >> 3) * 36 + (thread & 7) * 4)
    # What it multiplies: its rows of the left tile and its columns of the right one.
    left = int32((thread >> 3) * 4)
    right = int32(576 + (thread & 7) * 4)
    here = int32(0)
    sums = register_tile(4, 4, real(0.0))
    i_0 = int32(first + (thread & 15))
    left_0 = work[uint32(delta + row_0 * 62 + i_0)] if (row_0 < N * 32) & (i_0 < 62) else real(0.0)
    left_1 = work[uint32(delta + row_1 * 62 + i_0)] if (row_1 < N * 32) & (i_0 < 62) else real(0.0)
    left_2 = work[uint32(delta + row_2 * 62 + i_0)] if (row_2 < N * 32) & (i_0 < 62) else real(0.0)
    left_3 = work[uint32(delta + row_3 * 62 + i_0)] if (row_3 < N * 32) & (i_0 < 62) else real(0.0)
    left_4 = work[uint32(delta + row_4 * 62 + i_0)] if (row_4 < N * 32) & (i_0 < 62) else real(0.0)
    left_5 = work[uint32(delta + row_5 * 62 + i_0)] if (row_5 < N * 32) & (i_0 < 62) else real(0.0)
    left_6 = work[uint32(delta + row_6 * 62 + i_0)] if (row_6 < N * 32) & (i_0 < 62) else real(0.0)
    left_7 = work[uint32(delta + row_7 * 62 + i_0)] if (row_7 < N * 32) & (i_0 < 62) else real(0.0)
    i_1 = int32(first + (thread >> 3))
    i_2 = int32(first + (thread >> 3) + 8)
    right_0 = ld4(params, int32(W + j_0 + i_1 * 32), (j_0 < 32) & (i_1 < 62))
    right_1 = ld4(params, int32(W + j_0 + i_2 * 32), (j_0 < 32) & (i_2 < 62))
    # dot = Σ_i W[i, j] delta[n, t, i]
    while first < 62:
        left_to = uint32(here + left_put)
        tiles[left_to] = left_0
        tiles[left_to + uint32(4)] = left_1
        tiles[left_to + uint32(8)] = left_2
        tiles[left_to + uint32(12)] = left_3
        tiles[left_to + uint32(16)] = left_4
        tiles[left_to + uint32(20)] = left_5
        tiles[left_to + uint32(24)] = left_6
        tiles[left_to + uint32(28)] = left_7
        st4(tiles, int32(here + right_put), right_0, 1)
        st4(tiles, int32(here + right_put + 288), right_1, 1)
        cuda.syncthreads()
        first = int32(first + 16)
        i_0 = int32(first + (thread & 15))
        left_0 = work[uint32(delta + row_0 * 62 + i_0)] if (row_0 < N * 32) & (i_0 < 62) else real(0.0)
        left_1 = work[uint32(delta + row_1 * 62 + i_0)] if (row_1 < N * 32) & (i_0 < 62) else real(0.0)
        left_2 = work[uint32(delta + row_2 * 62 + i_0)] if (row_2 < N * 32) & (i_0 < 62) else real(0.0)
        left_3 = work[uint32(delta + row_3 * 62 + i_0)] if (row_3 < N * 32) & (i_0 < 62) else real(0.0)
        left_4 = work[uint32(delta + row_4 * 62 + i_0)] if (row_4 < N * 32) & (i_0 < 62) else real(0.0)
        left_5 = work[uint32(delta + row_5 * 62 + i_0)] if (row_5 < N * 32) & (i_0 < 62) else real(0.0)
        left_6 = work[uint32(delta + row_6 * 62 + i_0)] if (row_6 < N * 32) & (i_0 < 62) else real(0.0)
        left_7 = work[uint32(delta + row_7 * 62 + i_0)] if (row_7 < N * 32) & (i_0 < 62) else real(0.0)
        i_1 = int32(first + (thread >> 3))
        i_2 = int32(first + (thread >> 3) + 8)
        right_0 = ld4(params, int32(W + j_0 + i_1 * 32), (j_0 < 32) & (i_1 < 62))
        right_1 = ld4(params, int32(W + j_0 + i_2 * 32), (j_0 < 32) & (i_2 < 62))
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
            if result_row < N * 32 and j < 32:
                n = int32(result_row // uint32(32))
                t = int32(result_row % uint32(32))
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(grad_a + n * 1024 + t * 32 + j)] = dot
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


@jit(max_registers=248)
def side_by_side_3(work, params, grads, N):
    """Do dense_grad_W, layernorm_grad_a, loss_total and dense_grad_b, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(16)
    end_2 = int32(end_1 + (N * 32 + 31) // 32)
    end_3 = int32(end_2 + 1)
    if block < end_1:
        dense_grad_W(block, work, int32(36960 * N), int32(31936 * N), int32(64544 * N + 4), N)
    elif block < end_2:
        layernorm_grad_a(int32(block - end_1), params, work, int32(14624), int32(36960 * N), int32(38944 * N), N)
    elif block < end_3:
        loss_total(int32(block - end_2), work, int32(36928 * N), int32(62496 * N), N)
    else:
        dense_grad_b(int32(block - end_3), work, grads, int32(36960 * N), int32(16608), N)


@device
def dense_grad_W_2(block, grads, work, grad_W, parts, N):
    """Write grad_W."""
    # grad_W[i, j] = Σ_part parts[part, i, j]
    entry = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if entry < int32(1984):
        i = entry // int32(32)
        j = entry % int32(32)
        total = real(0.0)
        for part in range(int32(8)):
            total += work[parts + part * 1984 + i * 32 + j]
        grads[grad_W + i * 32 + j] = total


@device
def layernorm_grad_gamma(block, work, grads, grad_a, x_hat, grad_gamma, N):
    """Write grad_gamma."""
    # grad_gamma[i] = Σ_{n, t} grad_a[n, t, i] x_hat[n, t, i]
    parts = cuda.shared.array(8, real)
    thread = int32(cuda.threadIdx.x)
    i = block
    total = real(0.0)
    part = real(0.0)
    for entry in range(thread, N * int32(32), int32(256)):
        n = entry // int32(32)
        t = entry % int32(32)
        part += work[grad_a + n * 1024 + t * 32 + i] * work[x_hat + n * 1024 + t * 32 + i]
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
        grads[grad_gamma + i] = total


@device
def layernorm_grad_beta(block, work, grads, grad_a, grad_beta, N):
    """Write grad_beta."""
    # grad_beta[i] = Σ_{n, t} grad_a[n, t, i]
    parts = cuda.shared.array(8, real)
    thread = int32(cuda.threadIdx.x)
    i = block
    total = real(0.0)
    part = real(0.0)
    for entry in range(thread, N * int32(32), int32(256)):
        n = entry // int32(32)
        t = entry % int32(32)
        part += work[grad_a + n * 1024 + t * 32 + i]
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
        grads[grad_beta + i] = total


@device
def add_grad_a_to_dense_delta_2(block, params, work, gamma, grad_a_2, sigma, x_hat, grad_a, delta, N):
    """Write grad_a and delta."""
    entry = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if entry < N * int32(32):
        n = entry // int32(32)
        t = entry % int32(32)
        # grad_a[n, t, i] = (32 gamma[i] grad_a_2[n, t, i] − Σ_j gamma[j] grad_a_2[n, t, j] − x_hat[n, t, i] Σ_j gamma[j] grad_a_2[n, t,
        #     j] x_hat[n, t, j])/(32 sigma[n, t])
        total = real(0.0)
        for j in range(int32(32)):
            total += params[gamma + j] * work[grad_a_2 + n * 1024 + t * 32 + j]
        total_2 = real(0.0)
        for j in range(int32(32)):
            total_2 += params[gamma + j] * work[grad_a_2 + n * 1024 + t * 32 + j] * work[x_hat + n * 1024 + t * 32 + j]
        for i in range(int32(32)):
            work[grad_a + n * 1024 + t * 32 + i] = (
                (real(32.0) * params[gamma + i] * work[grad_a_2 + n * 1024 + t * 32 + i] - total - work[x_hat + n * 1024 + t * 32 + i]
                * total_2) / real(32.0) / work[sigma + n * 32 + t]
            )
        # delta[n, t, i] = grad_a[n, t, i]
        for i in range(int32(32)):
            work[delta + n * 1024 + t * 32 + i] = work[grad_a + n * 1024 + t * 32 + i]


@jit
def side_by_side_4(grads, work, params, N):
    """Do dense_grad_W_2, layernorm_grad_gamma, layernorm_grad_beta and add_grad_a_to_dense_delta_2, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(8)
    end_2 = int32(end_1 + 32)
    end_3 = int32(end_2 + 32)
    if block < end_1:
        dense_grad_W_2(block, grads, work, int32(14624), int32(64544 * N + 4), N)
    elif block < end_2:
        layernorm_grad_gamma(int32(block - end_1), work, grads, int32(38944 * N), int32(30912 * N), int32(14560), N)
    elif block < end_3:
        layernorm_grad_beta(int32(block - end_2), work, grads, int32(38944 * N), int32(14592), N)
    else:
        add_grad_a_to_dense_delta_2(
            int32(block - end_3), params, work, int32(14560), int32(38944 * N), int32(30880 * N), int32(30912 * N), int32(39968 * N),
            int32(40992 * N), N,
        )


@device
def dense_grad_W_3(block, work, delta, x, parts, N):
    """Write parts in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each; the terms in 8 parts."""
    # parts[part, i, j] = Σ_{n, t} delta[n, t, i] x[n, t, j]
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(block)
    column = int32(block % uint32(4) * 32)
    block = uint32(block // uint32(4))
    part = int32(block)
    stop = int32((N * 32 + 127) // 128 * 16)
    first = int32(part * stop)
    stop = int32(first + stop if first + stop < N * 32 else N * 32)
    # What the thread reads of a tile, and where it puts that.
    i_0 = int32((thread & 7) * 4)
    left_put = int32((thread >> 3) * 36 + (thread & 7) * 4)
    j_0 = int32(column + (thread & 7) * 4)
    right_put = int32(576 + (thread >> 3) * 36 + (thread & 7) * 4)
    # What it multiplies: its rows of the left tile and its columns of the right one.
    left = int32((thread >> 3) * 4)
    right = int32(576 + (thread & 7) * 4)
    here = int32(0)
    sums = register_tile(4, 4, real(0.0))
    term_0 = uint32(first + (thread >> 3))
    term_1 = uint32(first + (thread >> 3) + 8)
    left_0 = ld4(work, int32(delta + i_0 + term_0 * 32), (i_0 < 32) & (term_0 < stop))
    left_1 = ld4(work, int32(delta + i_0 + term_1 * 32), (i_0 < 32) & (term_1 < stop))
    right_0 = ld4(work, int32(x + j_0 + term_0 * 128), (j_0 < 128) & (term_0 < stop))
    right_1 = ld4(work, int32(x + j_0 + term_1 * 128), (j_0 < 128) & (term_1 < stop))
    # dot = Σ_{n, t} delta[n, t, i] x[n, t, j]
    while first < stop:
        st4(tiles, int32(here + left_put), left_0, 1)
        st4(tiles, int32(here + left_put + 288), left_1, 1)
        st4(tiles, int32(here + right_put), right_0, 1)
        st4(tiles, int32(here + right_put + 288), right_1, 1)
        cuda.syncthreads()
        first = int32(first + 16)
        term_0 = uint32(first + (thread >> 3))
        term_1 = uint32(first + (thread >> 3) + 8)
        left_0 = ld4(work, int32(delta + i_0 + term_0 * 32), (i_0 < 32) & (term_0 < stop))
        left_1 = ld4(work, int32(delta + i_0 + term_1 * 32), (i_0 < 32) & (term_1 < stop))
        right_0 = ld4(work, int32(x + j_0 + term_0 * 128), (j_0 < 128) & (term_0 < stop))
        right_1 = ld4(work, int32(x + j_0 + term_1 * 128), (j_0 < 128) & (term_1 < stop))
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
            i = int32(line * 4 + turn)
            if i < 32 and j < 128:
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(parts + part * 4096 + i * 128 + j)] = dot
        cuda.syncthreads()


@device
def dense_delta_3(block, params, work, W_next, delta_next, z, delta, N):
    """Write delta in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each."""
    # delta[n, t, i] = (1/2 + erf(√2 z[n, t, i]/2)/2 + √2 z[n, t, i] exp(−z[n, t, i]²/2)/(2 √π)) · Σ_j W_next[j, i] delta_next[n, t, j]
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(block)
    column = int32(block % uint32(4) * 32)
    block = uint32(block // uint32(4))
    row = int32(block * 32)
    first = int32(0)
    # What the thread reads of a tile, and where it puts that.
    row_0 = uint32(row + (thread >> 2))
    row_1 = uint32(row + (thread >> 2) + 16)
    left_put = int32((thread & 3) * 144 + (thread >> 2))
    i_0 = int32(column + (thread & 7) * 4)
    right_put = int32(576 + (thread >> 3) * 36 + (thread & 7) * 4)
    # What it multiplies: its rows of the left tile and its columns of the right one.
    left = int32((thread >> 3) * 4)
    right = int32(576 + (thread & 7) * 4)
    here = int32(0)
    sums = register_tile(4, 4, real(0.0))
    j_0 = int32(first + (thread & 3) * 4)
    left_0 = ld4(work, int32(delta_next + row_0 * 32 + j_0), (row_0 < N * 32) & (j_0 < 32))
    left_1 = ld4(work, int32(delta_next + row_1 * 32 + j_0), (row_1 < N * 32) & (j_0 < 32))
    j_1 = int32(first + (thread >> 3))
    j_2 = int32(first + (thread >> 3) + 8)
    right_0 = ld4(params, int32(W_next + i_0 + j_1 * 128), (i_0 < 128) & (j_1 < 32))
    right_1 = ld4(params, int32(W_next + i_0 + j_2 * 128), (i_0 < 128) & (j_2 < 32))
    # dot = Σ_j W_next[j, i] delta_next[n, t, j]
    while first < 32:
        st4(tiles, int32(here + left_put), left_0, 36)
        st4(tiles, int32(here + left_put + 16), left_1, 36)
        st4(tiles, int32(here + right_put), right_0, 1)
        st4(tiles, int32(here + right_put + 288), right_1, 1)
        cuda.syncthreads()
        first = int32(first + 16)
        j_0 = int32(first + (thread & 3) * 4)
        left_0 = ld4(work, int32(delta_next + row_0 * 32 + j_0), (row_0 < N * 32) & (j_0 < 32))
        left_1 = ld4(work, int32(delta_next + row_1 * 32 + j_0), (row_1 < N * 32) & (j_0 < 32))
        j_1 = int32(first + (thread >> 3))
        j_2 = int32(first + (thread >> 3) + 8)
        right_0 = ld4(params, int32(W_next + i_0 + j_1 * 128), (i_0 < 128) & (j_1 < 32))
        right_1 = ld4(params, int32(W_next + i_0 + j_2 * 128), (i_0 < 128) & (j_2 < 32))
        sums = multiply_add(sums, tiles, int32(here + left), int32(here + right), 32, 32, 16)
        here = int32(1152 - here)
    cuda.syncthreads()
    # Results go through shared memory, a row of each thread at a time, so that neighbouring threads write neighbours.
    stage = int32((thread >> 3) * 32 + (thread & 7) * 4)
    i = int32(column + (thread & 31))
    for turn in range(opaque(int32(4))):
        store_row(sums, turn, tiles, stage, 32)
        cuda.syncthreads()
        for lap in range(int32(4)):
            line = int32(lap * 2 + (thread >> 5))
            result_row = uint32(row + line * 4 + turn)
            if result_row < N * 32 and i < 128:
                n = int32(result_row // uint32(32))
                t = int32(result_row % uint32(32))
                dot = tiles[uint32(line * 32 + (thread & 31))]
                t_ = math.sqrt(real(2.0)) * work[uint32(z + n * 4096 + t * 128 + i)] / real(2.0)
                work[uint32(delta + n * 4096 + t * 128 + i)] = (
                    (real(0.5) + math.erf(t_) / real(2.0) + t_ * math.exp(-work[uint32(z + n * 4096 + t * 128 + i)] * work[uint32(z + n
                    * 4096 + t * 128 + i)] / real(2.0)) / math.sqrt(real(3.141592653589793))) * dot
                )
        cuda.syncthreads()


@device
def dense_grad_b_2(block, work, grads, delta, grad_b, N):
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
        part += work[delta + n * 1024 + t * 32 + i]
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


@jit(max_registers=248)
def side_by_side_5(work, params, grads, N):
    """Do dense_grad_W_3, dense_delta_3 and dense_grad_b_2, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(32)
    end_2 = int32(end_1 + ((N * 32 + 31) // 32) * 4)
    if block < end_1:
        dense_grad_W_3(block, work, int32(40992 * N), int32(24704 * N), int32(64544 * N + 15876), N)
    elif block < end_2:
        dense_delta_3(int32(block - end_1), params, work, int32(10432), int32(40992 * N), int32(20608 * N), int32(42016 * N), N)
    else:
        dense_grad_b_2(int32(block - end_2), work, grads, int32(40992 * N), int32(14528), N)


@device
def dense_grad_W_5(block, work, delta, x, parts, N):
    """Write parts in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each; the terms in 8 parts."""
    # parts[part, i, j] = Σ_{n, t} delta[n, t, i] x[n, t, j]
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(block)
    row = int32(block % uint32(4) * 32)
    block = uint32(block // uint32(4))
    part = int32(block)
    stop = int32((N * 32 + 127) // 128 * 16)
    first = int32(part * stop)
    stop = int32(first + stop if first + stop < N * 32 else N * 32)
    # What the thread reads of a tile, and where it puts that.
    i_0 = int32(row + (thread & 7) * 4)
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
    left_0 = ld4(work, int32(delta + i_0 + term_0 * 128), (i_0 < 128) & (term_0 < stop))
    left_1 = ld4(work, int32(delta + i_0 + term_1 * 128), (i_0 < 128) & (term_1 < stop))
    right_0 = ld4(work, int32(x + j_0 + term_0 * 32), (j_0 < 32) & (term_0 < stop))
    right_1 = ld4(work, int32(x + j_0 + term_1 * 32), (j_0 < 32) & (term_1 < stop))
    # dot = Σ_{n, t} delta[n, t, i] x[n, t, j]
    while first < stop:
        st4(tiles, int32(here + left_put), left_0, 1)
        st4(tiles, int32(here + left_put + 288), left_1, 1)
        st4(tiles, int32(here + right_put), right_0, 1)
        st4(tiles, int32(here + right_put + 288), right_1, 1)
        cuda.syncthreads()
        first = int32(first + 16)
        term_0 = uint32(first + (thread >> 3))
        term_1 = uint32(first + (thread >> 3) + 8)
        left_0 = ld4(work, int32(delta + i_0 + term_0 * 128), (i_0 < 128) & (term_0 < stop))
        left_1 = ld4(work, int32(delta + i_0 + term_1 * 128), (i_0 < 128) & (term_1 < stop))
        right_0 = ld4(work, int32(x + j_0 + term_0 * 32), (j_0 < 32) & (term_0 < stop))
        right_1 = ld4(work, int32(x + j_0 + term_1 * 32), (j_0 < 32) & (term_1 < stop))
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
            i = int32(row + line * 4 + turn)
            if i < 128 and j < 32:
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(parts + part * 4096 + i * 32 + j)] = dot
        cuda.syncthreads()


@device
def layernorm_grad_a_3(block, params, work, W, delta, grad_a, N):
    """Write grad_a in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each."""
    # grad_a[n, t, j] = Σ_i W[i, j] delta[n, t, i]
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
    i_0 = int32(first + (thread & 3) * 4)
    left_0 = ld4(work, int32(delta + row_0 * 128 + i_0), (row_0 < N * 32) & (i_0 < 128))
    left_1 = ld4(work, int32(delta + row_1 * 128 + i_0), (row_1 < N * 32) & (i_0 < 128))
    i_1 = int32(first + (thread >> 3))
    i_2 = int32(first + (thread >> 3) + 8)
    right_0 = ld4(params, int32(W + j_0 + i_1 * 32), (j_0 < 32) & (i_1 < 128))
    right_1 = ld4(params, int32(W + j_0 + i_2 * 32), (j_0 < 32) & (i_2 < 128))
    # dot = Σ_i W[i, j] delta[n, t, i]
    while first < 128:
        st4(tiles, int32(here + left_put), left_0, 36)
        st4(tiles, int32(here + left_put + 16), left_1, 36)
        st4(tiles, int32(here + right_put), right_0, 1)
        st4(tiles, int32(here + right_put + 288), right_1, 1)
        cuda.syncthreads()
        first = int32(first + 16)
        i_0 = int32(first + (thread & 3) * 4)
        left_0 = ld4(work, int32(delta + row_0 * 128 + i_0), (row_0 < N * 32) & (i_0 < 128))
        left_1 = ld4(work, int32(delta + row_1 * 128 + i_0), (row_1 < N * 32) & (i_0 < 128))
        i_1 = int32(first + (thread >> 3))
        i_2 = int32(first + (thread >> 3) + 8)
        right_0 = ld4(params, int32(W + j_0 + i_1 * 32), (j_0 < 32) & (i_1 < 128))
        right_1 = ld4(params, int32(W + j_0 + i_2 * 32), (j_0 < 32) & (i_2 < 128))
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
            if result_row < N * 32 and j < 32:
                n = int32(result_row // uint32(32))
                t = int32(result_row % uint32(32))
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(grad_a + n * 1024 + t * 32 + j)] = dot
        cuda.syncthreads()


@device
def dense_grad_W_4(block, grads, work, grad_W, parts, N):
    """Write grad_W."""
    # grad_W[i, j] = Σ_part parts[part, i, j]
    entry = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if entry < int32(4096):
        i = entry // int32(128)
        j = entry % int32(128)
        total = real(0.0)
        for part in range(int32(8)):
            total += work[parts + part * 4096 + i * 128 + j]
        grads[grad_W + i * 128 + j] = total


@device
def dense_grad_b_3(block, work, grads, delta, grad_b, N):
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
        part += work[delta + n * 4096 + t * 128 + i]
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


@jit(max_registers=248)
def side_by_side_6(work, params, grads, N):
    """Do dense_grad_W_5, layernorm_grad_a_3, dense_grad_W_4 and dense_grad_b_3, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(32)
    end_2 = int32(end_1 + (N * 32 + 31) // 32)
    end_3 = int32(end_2 + 64)
    if block < end_1:
        dense_grad_W_5(block, work, int32(42016 * N), int32(19584 * N), int32(64544 * N + 48644), N)
    elif block < end_2:
        layernorm_grad_a_3(int32(block - end_1), params, work, int32(6208), int32(42016 * N), int32(46112 * N), N)
    elif block < end_3:
        dense_grad_W_4(int32(block - end_2), grads, work, int32(10432), int32(64544 * N + 15876), N)
    else:
        dense_grad_b_3(int32(block - end_3), work, grads, int32(42016 * N), int32(10304), N)


@device
def dense_grad_W_6(block, grads, work, grad_W, parts, N):
    """Write grad_W."""
    # grad_W[i, j] = Σ_part parts[part, i, j]
    entry = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if entry < int32(4096):
        i = entry // int32(32)
        j = entry % int32(32)
        total = real(0.0)
        for part in range(int32(8)):
            total += work[parts + part * 4096 + i * 32 + j]
        grads[grad_W + i * 32 + j] = total


@device
def add_grad_a_2(block, params, work, gamma, grad_a_2, grad_a_3, sigma, x_hat, grad_a, N):
    """Write grad_a."""
    # grad_a[n, t, i] = (32 gamma[i] grad_a_3[n, t, i] − Σ_j gamma[j] grad_a_3[n, t, j] − x_hat[n, t, i] Σ_j gamma[j] grad_a_3[n, t, j]
    #     x_hat[n, t, j])/(32 sigma[n, t]) + grad_a_2[n, t, i]
    entry = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if entry < N * int32(32):
        n = entry // int32(32)
        t = entry % int32(32)
        total = real(0.0)
        for j in range(int32(32)):
            total += params[gamma + j] * work[grad_a_3 + n * 1024 + t * 32 + j]
        total_2 = real(0.0)
        for j in range(int32(32)):
            total_2 += params[gamma + j] * work[grad_a_3 + n * 1024 + t * 32 + j] * work[x_hat + n * 1024 + t * 32 + j]
        for i in range(int32(32)):
            work[grad_a + n * 1024 + t * 32 + i] = (
                (real(32.0) * params[gamma + i] * work[grad_a_3 + n * 1024 + t * 32 + i] - total - work[x_hat + n * 1024 + t * 32 + i]
                * total_2) / real(32.0) / work[sigma + n * 32 + t] + work[grad_a_2 + n * 1024 + t * 32 + i]
            )


@jit
def side_by_side_7(grads, work, params, N):
    """Do dense_grad_W_6, layernorm_grad_gamma, layernorm_grad_beta and add_grad_a_2, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(16)
    end_2 = int32(end_1 + 32)
    end_3 = int32(end_2 + 32)
    if block < end_1:
        dense_grad_W_6(block, grads, work, int32(6208), int32(64544 * N + 48644), N)
    elif block < end_2:
        layernorm_grad_gamma(int32(block - end_1), work, grads, int32(46112 * N), int32(18560 * N), int32(6144), N)
    elif block < end_3:
        layernorm_grad_beta(int32(block - end_2), work, grads, int32(46112 * N), int32(6176), N)
    else:
        add_grad_a_2(
            int32(block - end_3), params, work, int32(6144), int32(39968 * N), int32(46112 * N), int32(18528 * N), int32(18560 * N),
            int32(47136 * N), N,
        )


@device
def attention_grad_W_o_right(work, O, j, term, stop):
    """Return an entry of the right factor, 0 outside of it."""
    n = int32(term // uint32(32))
    t = int32(term % uint32(32))
    inside = (j < 32) & (term < stop)
    entry = real(0.0)
    if inside:
        entry = work[uint32(O + n * 1024 + (j // int32(8)) * 256 + t * 8 + j % int32(8))]
    return entry


@device
def attention_grad_W_o(block, work, O, grad_a, parts, N):
    """Write parts in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each; the terms in 8 parts."""
    # parts[part, i, j] = Σ_{n, t} grad_a[n, t, i] O[n, floor(j/8), t, j mod 8]
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(block)
    part = int32(block)
    stop = int32((N * 32 + 127) // 128 * 16)
    first = int32(part * stop)
    stop = int32(first + stop if first + stop < N * 32 else N * 32)
    # What the thread reads of a tile, and where it puts that.
    i_0 = int32((thread & 7) * 4)
    left_put = int32((thread >> 3) * 36 + (thread & 7) * 4)
    j_0 = int32(thread & 31)
    right_put = int32(576 + (thread >> 5) * 36 + (thread & 31))
    # What it multiplies: its rows of the left tile and its columns of the right one.
    left = int32((thread >> 3) * 4)
    right = int32(576 + (thread & 7) * 4)
    here = int32(0)
    sums = register_tile(4, 4, real(0.0))
    term_0 = uint32(first + (thread >> 3))
    term_1 = uint32(first + (thread >> 3) + 8)
    left_0 = ld4(work, int32(grad_a + i_0 + term_0 * 32), (i_0 < 32) & (term_0 < stop))
    left_1 = ld4(work, int32(grad_a + i_0 + term_1 * 32), (i_0 < 32) & (term_1 < stop))
    term_2 = uint32(first + (thread >> 5))
    right_0 = attention_grad_W_o_right(work, O, j_0, term_2, stop)
    right_1 = attention_grad_W_o_right(work, O, j_0, uint32(term_2 + 2), stop)
    right_2 = attention_grad_W_o_right(work, O, j_0, uint32(term_2 + 4), stop)
    right_3 = attention_grad_W_o_right(work, O, j_0, uint32(term_2 + 6), stop)
    right_4 = attention_grad_W_o_right(work, O, j_0, uint32(term_2 + 8), stop)
    right_5 = attention_grad_W_o_right(work, O, j_0, uint32(term_2 + 10), stop)
    right_6 = attention_grad_W_o_right(work, O, j_0, uint32(term_2 + 12), stop)
    right_7 = attention_grad_W_o_right(work, O, j_0, uint32(term_2 + 14), stop)
    # dot = Σ_{n, t} grad_a[n, t, i] O[n, floor(j/8), t, j mod 8]
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
        left_0 = ld4(work, int32(grad_a + i_0 + term_0 * 32), (i_0 < 32) & (term_0 < stop))
        left_1 = ld4(work, int32(grad_a + i_0 + term_1 * 32), (i_0 < 32) & (term_1 < stop))
        term_2 = uint32(first + (thread >> 5))
        right_0 = attention_grad_W_o_right(work, O, j_0, term_2, stop)
        right_1 = attention_grad_W_o_right(work, O, j_0, uint32(term_2 + 2), stop)
        right_2 = attention_grad_W_o_right(work, O, j_0, uint32(term_2 + 4), stop)
        right_3 = attention_grad_W_o_right(work, O, j_0, uint32(term_2 + 6), stop)
        right_4 = attention_grad_W_o_right(work, O, j_0, uint32(term_2 + 8), stop)
        right_5 = attention_grad_W_o_right(work, O, j_0, uint32(term_2 + 10), stop)
        right_6 = attention_grad_W_o_right(work, O, j_0, uint32(term_2 + 12), stop)
        right_7 = attention_grad_W_o_right(work, O, j_0, uint32(term_2 + 14), stop)
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
            i = int32(line * 4 + turn)
            if i < 32 and j < 32:
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(parts + part * 1024 + i * 32 + j)] = dot
        cuda.syncthreads()


@device
def attention_grad_O(block, params, work, W_o, grad_a, grad_O, N):
    """Write grad_O in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each."""
    # grad_O[n, h, t, d] = Σ_i W_o[i, 8 h + d] grad_a[n, t, i]
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
    column_0 = uint32((thread & 7) * 4)
    right_put = int32(576 + (thread >> 3) * 36 + (thread & 7) * 4)
    # What it multiplies: its rows of the left tile and its columns of the right one.
    left = int32((thread >> 3) * 4)
    right = int32(576 + (thread & 7) * 4)
    here = int32(0)
    sums = register_tile(4, 4, real(0.0))
    i_0 = int32(first + (thread & 3) * 4)
    left_0 = ld4(work, int32(grad_a + row_0 * 32 + i_0), (row_0 < N * 32) & (i_0 < 32))
    left_1 = ld4(work, int32(grad_a + row_1 * 32 + i_0), (row_1 < N * 32) & (i_0 < 32))
    i_1 = int32(first + (thread >> 3))
    i_2 = int32(first + (thread >> 3) + 8)
    right_0 = ld4(params, int32(W_o + column_0 + i_1 * 32), (column_0 < 32) & (i_1 < 32))
    right_1 = ld4(params, int32(W_o + column_0 + i_2 * 32), (column_0 < 32) & (i_2 < 32))
    # dot = Σ_i W_o[i, 8 h + d] grad_a[n, t, i]
    while first < 32:
        st4(tiles, int32(here + left_put), left_0, 36)
        st4(tiles, int32(here + left_put + 16), left_1, 36)
        st4(tiles, int32(here + right_put), right_0, 1)
        st4(tiles, int32(here + right_put + 288), right_1, 1)
        cuda.syncthreads()
        first = int32(first + 16)
        i_0 = int32(first + (thread & 3) * 4)
        left_0 = ld4(work, int32(grad_a + row_0 * 32 + i_0), (row_0 < N * 32) & (i_0 < 32))
        left_1 = ld4(work, int32(grad_a + row_1 * 32 + i_0), (row_1 < N * 32) & (i_0 < 32))
        i_1 = int32(first + (thread >> 3))
        i_2 = int32(first + (thread >> 3) + 8)
        right_0 = ld4(params, int32(W_o + column_0 + i_1 * 32), (column_0 < 32) & (i_1 < 32))
        right_1 = ld4(params, int32(W_o + column_0 + i_2 * 32), (column_0 < 32) & (i_2 < 32))
        sums = multiply_add(sums, tiles, int32(here + left), int32(here + right), 32, 32, 16)
        here = int32(1152 - here)
    cuda.syncthreads()
    # Results go through shared memory, a row of each thread at a time, so that neighbouring threads write neighbours.
    stage = int32((thread >> 3) * 32 + (thread & 7) * 4)
    result_column = uint32(thread & 31)
    h = int32(result_column // uint32(8))
    d = int32(result_column % uint32(8))
    for turn in range(opaque(int32(4))):
        store_row(sums, turn, tiles, stage, 32)
        cuda.syncthreads()
        for lap in range(int32(4)):
            line = int32(lap * 2 + (thread >> 5))
            result_row = uint32(row + line * 4 + turn)
            if result_row < N * 32 and result_column < 32:
                n = int32(result_row // uint32(32))
                t = int32(result_row % uint32(32))
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(grad_O + n * 1024 + h * 256 + t * 8 + d)] = dot
        cuda.syncthreads()


@jit(max_registers=248)
def side_by_side_8(work, params, N):
    """Do attention_grad_W_o and attention_grad_O, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(8)
    if block < end_1:
        attention_grad_W_o(block, work, int32(15424 * N), int32(47136 * N), int32(64544 * N + 81412), N)
    else:
        attention_grad_O(int32(block - end_1), params, work, int32(5120), int32(47136 * N), int32(48160 * N), N)


@device
def attention_grad_P(block, work, V, grad_O, grad_P, N):
    """Write grad_P in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each."""
    # grad_P[n, h, t, s] = Σ_d V[n, h, s, d] grad_O[n, h, t, d]
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(block)
    h = int32(block % uint32(4))
    block = uint32(block // uint32(4))
    n = int32(block)
    first = int32(0)
    # What the thread reads of a tile, and where it puts that.
    t_0 = int32(thread >> 2)
    t_1 = int32((thread >> 2) + 16)
    left_put = int32((thread & 3) * 144 + (thread >> 2))
    s_0 = int32(thread >> 2)
    s_1 = int32((thread >> 2) + 16)
    right_put = int32(576 + (thread & 3) * 144 + (thread >> 2))
    # What it multiplies: its rows of the left tile and its columns of the right one.
    left = int32((thread >> 3) * 4)
    right = int32(576 + (thread & 7) * 4)
    here = int32(0)
    sums = register_tile(4, 4, real(0.0))
    d_0 = int32(first + (thread & 3) * 4)
    left_0 = ld4(work, int32(grad_O + h * 256 + n * 1024 + t_0 * 8 + d_0), (t_0 < 32) & (d_0 < 8))
    left_1 = ld4(work, int32(grad_O + h * 256 + n * 1024 + t_1 * 8 + d_0), (t_1 < 32) & (d_0 < 8))
    right_0 = ld4(work, int32(V + h * 256 + n * 1024 + s_0 * 8 + d_0), (s_0 < 32) & (d_0 < 8))
    right_1 = ld4(work, int32(V + h * 256 + n * 1024 + s_1 * 8 + d_0), (s_1 < 32) & (d_0 < 8))
    # dot = Σ_d V[n, h, s, d] grad_O[n, h, t, d]
    while first < 8:
        st4(tiles, int32(here + left_put), left_0, 36)
        st4(tiles, int32(here + left_put + 16), left_1, 36)
        st4(tiles, int32(here + right_put), right_0, 36)
        st4(tiles, int32(here + right_put + 16), right_1, 36)
        cuda.syncthreads()
        first = int32(first + 16)
        d_0 = int32(first + (thread & 3) * 4)
        left_0 = ld4(work, int32(grad_O + h * 256 + n * 1024 + t_0 * 8 + d_0), (t_0 < 32) & (d_0 < 8))
        left_1 = ld4(work, int32(grad_O + h * 256 + n * 1024 + t_1 * 8 + d_0), (t_1 < 32) & (d_0 < 8))
        right_0 = ld4(work, int32(V + h * 256 + n * 1024 + s_0 * 8 + d_0), (s_0 < 32) & (d_0 < 8))
        right_1 = ld4(work, int32(V + h * 256 + n * 1024 + s_1 * 8 + d_0), (s_1 < 32) & (d_0 < 8))
        sums = multiply_add(sums, tiles, int32(here + left), int32(here + right), 32, 32, 16)
        here = int32(1152 - here)
    cuda.syncthreads()
    # Results go through shared memory, a row of each thread at a time, so that neighbouring threads write neighbours.
    stage = int32((thread >> 3) * 32 + (thread & 7) * 4)
    s = int32(thread & 31)
    for turn in range(opaque(int32(4))):
        store_row(sums, turn, tiles, stage, 32)
        cuda.syncthreads()
        for lap in range(int32(4)):
            line = int32(lap * 2 + (thread >> 5))
            t = int32(line * 4 + turn)
            if t < 32 and s < 32:
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(grad_P + n * 4096 + h * 1024 + t * 32 + s)] = dot
        cuda.syncthreads()


@device
def attention_grad_V(block, work, P, grad_O, grad_V, N):
    """Write grad_V in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each."""
    # grad_V[n, h, t, d] = Σ_i P[n, h, i, t] grad_O[n, h, i, d]
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(block)
    h = int32(block % uint32(4))
    block = uint32(block // uint32(4))
    n = int32(block)
    first = int32(0)
    # What the thread reads of a tile, and where it puts that.
    t_0 = int32((thread & 7) * 4)
    left_put = int32((thread >> 3) * 36 + (thread & 7) * 4)
    d_0 = int32((thread & 7) * 4)
    right_put = int32(576 + (thread >> 3) * 36 + (thread & 7) * 4)
    # What it multiplies: its rows of the left tile and its columns of the right one.
    left = int32((thread >> 3) * 4)
    right = int32(576 + (thread & 7) * 4)
    here = int32(0)
    sums = register_tile(4, 4, real(0.0))
    i_0 = int32(first + (thread >> 3))
    i_1 = int32(first + (thread >> 3) + 8)
    left_0 = ld4(work, int32(P + h * 1024 + n * 4096 + t_0 + i_0 * 32), (t_0 < 32) & (i_0 < 32))
    left_1 = ld4(work, int32(P + h * 1024 + n * 4096 + t_0 + i_1 * 32), (t_0 < 32) & (i_1 < 32))
    right_0 = ld4(work, int32(grad_O + h * 256 + n * 1024 + d_0 + i_0 * 8), (d_0 < 8) & (i_0 < 32))
    right_1 = ld4(work, int32(grad_O + h * 256 + n * 1024 + d_0 + i_1 * 8), (d_0 < 8) & (i_1 < 32))
    # dot = Σ_i P[n, h, i, t] grad_O[n, h, i, d]
    while first < 32:
        st4(tiles, int32(here + left_put), left_0, 1)
        st4(tiles, int32(here + left_put + 288), left_1, 1)
        st4(tiles, int32(here + right_put), right_0, 1)
        st4(tiles, int32(here + right_put + 288), right_1, 1)
        cuda.syncthreads()
        first = int32(first + 16)
        i_0 = int32(first + (thread >> 3))
        i_1 = int32(first + (thread >> 3) + 8)
        left_0 = ld4(work, int32(P + h * 1024 + n * 4096 + t_0 + i_0 * 32), (t_0 < 32) & (i_0 < 32))
        left_1 = ld4(work, int32(P + h * 1024 + n * 4096 + t_0 + i_1 * 32), (t_0 < 32) & (i_1 < 32))
        right_0 = ld4(work, int32(grad_O + h * 256 + n * 1024 + d_0 + i_0 * 8), (d_0 < 8) & (i_0 < 32))
        right_1 = ld4(work, int32(grad_O + h * 256 + n * 1024 + d_0 + i_1 * 8), (d_0 < 8) & (i_1 < 32))
        sums = multiply_add(sums, tiles, int32(here + left), int32(here + right), 32, 32, 16)
        here = int32(1152 - here)
    cuda.syncthreads()
    # Results go through shared memory, a row of each thread at a time, so that neighbouring threads write neighbours.
    stage = int32((thread >> 3) * 32 + (thread & 7) * 4)
    d = int32(thread & 31)
    for turn in range(opaque(int32(4))):
        store_row(sums, turn, tiles, stage, 32)
        cuda.syncthreads()
        for lap in range(int32(4)):
            line = int32(lap * 2 + (thread >> 5))
            t = int32(line * 4 + turn)
            if t < 32 and d < 8:
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(grad_V + n * 1024 + h * 256 + t * 8 + d)] = dot
        cuda.syncthreads()


@device
def attention_grad_W_o_2(block, grads, work, grad_W_o, parts, N):
    """Write grad_W_o."""
    # grad_W_o[i, j] = Σ_part parts[part, i, j]
    entry = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if entry < int32(1024):
        i = entry // int32(32)
        j = entry % int32(32)
        total = real(0.0)
        for part in range(int32(8)):
            total += work[parts + part * 1024 + i * 32 + j]
        grads[grad_W_o + i * 32 + j] = total


@jit(max_registers=248)
def side_by_side_9(work, grads, N):
    """Do attention_grad_P, attention_grad_V and attention_grad_W_o_2, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(N * 4)
    end_2 = int32(end_1 + N * 4)
    if block < end_1:
        attention_grad_P(block, work, int32(6208 * N), int32(48160 * N), int32(49184 * N), N)
    elif block < end_2:
        attention_grad_V(int32(block - end_1), work, int32(11328 * N), int32(48160 * N), int32(57376 * N), N)
    else:
        attention_grad_W_o_2(int32(block - end_2), grads, work, int32(5120), int32(64544 * N + 81412), N)


@device
def attention_grad_W_v_left(work, grad_V, i, term, stop):
    """Return an entry of the left factor, 0 outside of it."""
    n = int32(term // uint32(32))
    t = int32(term % uint32(32))
    inside = (i < 32) & (term < stop)
    entry = real(0.0)
    if inside:
        entry = work[uint32(grad_V + n * 1024 + (i // int32(8)) * 256 + t * 8 + i % int32(8))]
    return entry


@device
def attention_grad_W_v(block, work, grad_V, x, parts, N):
    """Write parts in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each; the terms in 8 parts."""
    # parts[part, i, j] = Σ_{n, t} x[n, t, j] grad_V[n, floor(i/8), t, i mod 8]
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(block)
    part = int32(block)
    stop = int32((N * 32 + 127) // 128 * 16)
    first = int32(part * stop)
    stop = int32(first + stop if first + stop < N * 32 else N * 32)
    # What the thread reads of a tile, and where it puts that.
    i_0 = int32(thread & 31)
    left_put = int32((thread >> 5) * 36 + (thread & 31))
    j_0 = int32((thread & 7) * 4)
    right_put = int32(576 + (thread >> 3) * 36 + (thread & 7) * 4)
    # What it multiplies: its rows of the left tile and its columns of the right one.
    left = int32((thread >> 3) * 4)
    right = int32(576 + (thread & 7) * 4)
    here = int32(0)
    sums = register_tile(4, 4, real(0.0))
    term_0 = uint32(first + (thread >> 5))
    left_0 = attention_grad_W_v_left(work, grad_V, i_0, term_0, stop)
    left_1 = attention_grad_W_v_left(work, grad_V, i_0, uint32(term_0 + 2), stop)
    left_2 = attention_grad_W_v_left(work, grad_V, i_0, uint32(term_0 + 4), stop)
    left_3 = attention_grad_W_v_left(work, grad_V, i_0, uint32(term_0 + 6), stop)
    left_4 = attention_grad_W_v_left(work, grad_V, i_0, uint32(term_0 + 8), stop)
    left_5 = attention_grad_W_v_left(work, grad_V, i_0, uint32(term_0 + 10), stop)
    left_6 = attention_grad_W_v_left(work, grad_V, i_0, uint32(term_0 + 12), stop)
    left_7 = attention_grad_W_v_left(work, grad_V, i_0, uint32(term_0 + 14), stop)
    term_1 = uint32(first + (thread >> 3))
    term_2 = uint32(first + (thread >> 3) + 8)
    right_0 = ld4(work, int32(x + j_0 + term_1 * 32), (j_0 < 32) & (term_1 < stop))
    right_1 = ld4(work, int32(x + j_0 + term_2 * 32), (j_0 < 32) & (term_2 < stop))
    # dot = Σ_{n, t} x[n, t, j] grad_V[n, floor(i/8), t, i mod 8]
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
        left_0 = attention_grad_W_v_left(work, grad_V, i_0, term_0, stop)
        left_1 = attention_grad_W_v_left(work, grad_V, i_0, uint32(term_0 + 2), stop)
        left_2 = attention_grad_W_v_left(work, grad_V, i_0, uint32(term_0 + 4), stop)
        left_3 = attention_grad_W_v_left(work, grad_V, i_0, uint32(term_0 + 6), stop)
        left_4 = attention_grad_W_v_left(work, grad_V, i_0, uint32(term_0 + 8), stop)
        left_5 = attention_grad_W_v_left(work, grad_V, i_0, uint32(term_0 + 10), stop)
        left_6 = attention_grad_W_v_left(work, grad_V, i_0, uint32(term_0 + 12), stop)
        left_7 = attention_grad_W_v_left(work, grad_V, i_0, uint32(term_0 + 14), stop)
        term_1 = uint32(first + (thread >> 3))
        term_2 = uint32(first + (thread >> 3) + 8)
        right_0 = ld4(work, int32(x + j_0 + term_1 * 32), (j_0 < 32) & (term_1 < stop))
        right_1 = ld4(work, int32(x + j_0 + term_2 * 32), (j_0 < 32) & (term_2 < stop))
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
            i = int32(line * 4 + turn)
            if i < 32 and j < 32:
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(parts + part * 1024 + i * 32 + j)] = dot
        cuda.syncthreads()


@device
def layernorm_grad_a_2_2_left(work, grad_V, N, row, term):
    """Return four neighbours of the left factor, 0 outside of it."""
    n = int32(row // uint32(32))
    t = int32(row % uint32(32))
    h = int32(term // uint32(8))
    d = int32(term % uint32(8))
    inside = (row < N * 32) & (term < 32)
    return ld4(work, int32(grad_V + n * 1024 + h * 256 + t * 8 + d), inside)


@device
def layernorm_grad_a_2_2(block, params, work, W_v, grad_V, sums_2, N):
    """Write sums_2 in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each."""
    # sums_2[n, t, j] = Σ_{h, d} W_v[8 h + d, j] grad_V[n, h, t, d]
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
    term_0 = uint32(first + (thread & 3) * 4)
    left_0 = layernorm_grad_a_2_2_left(work, grad_V, N, row_0, term_0)
    left_1 = layernorm_grad_a_2_2_left(work, grad_V, N, row_1, term_0)
    term_1 = uint32(first + (thread >> 3))
    term_2 = uint32(first + (thread >> 3) + 8)
    right_0 = ld4(params, int32(W_v + j_0 + term_1 * 32), (j_0 < 32) & (term_1 < 32))
    right_1 = ld4(params, int32(W_v + j_0 + term_2 * 32), (j_0 < 32) & (term_2 < 32))
    # dot = Σ_{h, d} W_v[8 h + d, j] grad_V[n, h, t, d]
    while first < 32:
        st4(tiles, int32(here + left_put), left_0, 36)
        st4(tiles, int32(here + left_put + 16), left_1, 36)
        st4(tiles, int32(here + right_put), right_0, 1)
        st4(tiles, int32(here + right_put + 288), right_1, 1)
        cuda.syncthreads()
        first = int32(first + 16)
        term_0 = uint32(first + (thread & 3) * 4)
        left_0 = layernorm_grad_a_2_2_left(work, grad_V, N, row_0, term_0)
        left_1 = layernorm_grad_a_2_2_left(work, grad_V, N, row_1, term_0)
        term_1 = uint32(first + (thread >> 3))
        term_2 = uint32(first + (thread >> 3) + 8)
        right_0 = ld4(params, int32(W_v + j_0 + term_1 * 32), (j_0 < 32) & (term_1 < 32))
        right_1 = ld4(params, int32(W_v + j_0 + term_2 * 32), (j_0 < 32) & (term_2 < 32))
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
            if result_row < N * 32 and j < 32:
                n = int32(result_row // uint32(32))
                t = int32(result_row % uint32(32))
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(sums_2 + n * 1024 + t * 32 + j)] = dot
        cuda.syncthreads()


@device
def attention_grad_S(block, work, P, grad_P, grad_S, N):
    """Write grad_S."""
    # grad_S[n, h, t, s] = (grad_P[n, h, t, s] − Σ_i P[n, h, t, i] grad_P[n, h, t, i]) · P[n, h, t, s]
    entry = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if entry < N * int32(128):
        n = entry // int32(128)
        h = entry // int32(32) % int32(4)
        t = entry % int32(32)
        total = real(0.0)
        for i in range(int32(32)):
            total += work[P + n * 4096 + h * 1024 + t * 32 + i] * work[grad_P + n * 4096 + h * 1024 + t * 32 + i]
        for s in range(int32(32)):
            work[grad_S + n * 4096 + h * 1024 + t * 32 + s] = (
                (work[grad_P + n * 4096 + h * 1024 + t * 32 + s] - total) * work[P + n * 4096 + h * 1024 + t * 32 + s]
            )


@jit(max_registers=248)
def side_by_side_10(work, params, N):
    """Do attention_grad_W_v, layernorm_grad_a_2_2 and attention_grad_S, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(8)
    end_2 = int32(end_1 + (N * 32 + 31) // 32)
    if block < end_1:
        attention_grad_W_v(block, work, int32(57376 * N), int32(3136 * N), int32(64544 * N + 89604), N)
    elif block < end_2:
        layernorm_grad_a_2_2(int32(block - end_1), params, work, int32(4096), int32(57376 * N), int32(63520 * N + 4), N)
    else:
        attention_grad_S(int32(block - end_2), work, int32(11328 * N), int32(49184 * N), int32(53280 * N), N)


@device
def attention_grad_K(block, work, Q, grad_S, grad_K, N):
    """Write grad_K in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each."""
    # grad_K[n, h, t, d] = √2 · (Σ_i Q[n, h, i, d] grad_S[n, h, i, t])/4
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(block)
    h = int32(block % uint32(4))
    block = uint32(block // uint32(4))
    n = int32(block)
    first = int32(0)
    # What the thread reads of a tile, and where it puts that.
    t_0 = int32((thread & 7) * 4)
    left_put = int32((thread >> 3) * 36 + (thread & 7) * 4)
    d_0 = int32((thread & 7) * 4)
    right_put = int32(576 + (thread >> 3) * 36 + (thread & 7) * 4)
    # What it multiplies: its rows of the left tile and its columns of the right one.
    left = int32((thread >> 3) * 4)
    right = int32(576 + (thread & 7) * 4)
    here = int32(0)
    sums = register_tile(4, 4, real(0.0))
    i_0 = int32(first + (thread >> 3))
    i_1 = int32(first + (thread >> 3) + 8)
    left_0 = ld4(work, int32(grad_S + h * 1024 + n * 4096 + t_0 + i_0 * 32), (t_0 < 32) & (i_0 < 32))
    left_1 = ld4(work, int32(grad_S + h * 1024 + n * 4096 + t_0 + i_1 * 32), (t_0 < 32) & (i_1 < 32))
    right_0 = ld4(work, int32(Q + h * 256 + n * 1024 + d_0 + i_0 * 8), (d_0 < 8) & (i_0 < 32))
    right_1 = ld4(work, int32(Q + h * 256 + n * 1024 + d_0 + i_1 * 8), (d_0 < 8) & (i_1 < 32))
    # dot = Σ_i Q[n, h, i, d] grad_S[n, h, i, t]
    while first < 32:
        st4(tiles, int32(here + left_put), left_0, 1)
        st4(tiles, int32(here + left_put + 288), left_1, 1)
        st4(tiles, int32(here + right_put), right_0, 1)
        st4(tiles, int32(here + right_put + 288), right_1, 1)
        cuda.syncthreads()
        first = int32(first + 16)
        i_0 = int32(first + (thread >> 3))
        i_1 = int32(first + (thread >> 3) + 8)
        left_0 = ld4(work, int32(grad_S + h * 1024 + n * 4096 + t_0 + i_0 * 32), (t_0 < 32) & (i_0 < 32))
        left_1 = ld4(work, int32(grad_S + h * 1024 + n * 4096 + t_0 + i_1 * 32), (t_0 < 32) & (i_1 < 32))
        right_0 = ld4(work, int32(Q + h * 256 + n * 1024 + d_0 + i_0 * 8), (d_0 < 8) & (i_0 < 32))
        right_1 = ld4(work, int32(Q + h * 256 + n * 1024 + d_0 + i_1 * 8), (d_0 < 8) & (i_1 < 32))
        sums = multiply_add(sums, tiles, int32(here + left), int32(here + right), 32, 32, 16)
        here = int32(1152 - here)
    cuda.syncthreads()
    # Results go through shared memory, a row of each thread at a time, so that neighbouring threads write neighbours.
    stage = int32((thread >> 3) * 32 + (thread & 7) * 4)
    d = int32(thread & 31)
    for turn in range(opaque(int32(4))):
        store_row(sums, turn, tiles, stage, 32)
        cuda.syncthreads()
        for lap in range(int32(4)):
            line = int32(lap * 2 + (thread >> 5))
            t = int32(line * 4 + turn)
            if t < 32 and d < 8:
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(grad_K + n * 1024 + h * 256 + t * 8 + d)] = math.sqrt(real(2.0)) * dot / real(4.0)
        cuda.syncthreads()


@device
def attention_grad_Q(block, work, K, grad_S, grad_Q, N):
    """Write grad_Q in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each."""
    # grad_Q[n, h, t, d] = √2 · (Σ_s K[n, h, s, d] grad_S[n, h, t, s])/4
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(block)
    h = int32(block % uint32(4))
    block = uint32(block // uint32(4))
    n = int32(block)
    first = int32(0)
    # What the thread reads of a tile, and where it puts that.
    t_0 = int32(thread >> 2)
    t_1 = int32((thread >> 2) + 16)
    left_put = int32((thread & 3) * 144 + (thread >> 2))
    d_0 = int32((thread & 7) * 4)
    right_put = int32(576 + (thread >> 3) * 36 + (thread & 7) * 4)
    # What it multiplies: its rows of the left tile and its columns of the right one.
    left = int32((thread >> 3) * 4)
    right = int32(576 + (thread & 7) * 4)
    here = int32(0)
    sums = register_tile(4, 4, real(0.0))
    s_0 = int32(first + (thread & 3) * 4)
    left_0 = ld4(work, int32(grad_S + h * 1024 + n * 4096 + t_0 * 32 + s_0), (t_0 < 32) & (s_0 < 32))
    left_1 = ld4(work, int32(grad_S + h * 1024 + n * 4096 + t_1 * 32 + s_0), (t_1 < 32) & (s_0 < 32))
    s_1 = int32(first + (thread >> 3))
    s_2 = int32(first + (thread >> 3) + 8)
    right_0 = ld4(work, int32(K + h * 256 + n * 1024 + d_0 + s_1 * 8), (d_0 < 8) & (s_1 < 32))
    right_1 = ld4(work, int32(K + h * 256 + n * 1024 + d_0 + s_2 * 8), (d_0 < 8) & (s_2 < 32))
    # dot = Σ_s K[n, h, s, d] grad_S[n, h, t, s]
    while first < 32:
        st4(tiles, int32(here + left_put), left_0, 36)
        st4(tiles, int32(here + left_put + 16), left_1, 36)
        st4(tiles, int32(here + right_put), right_0, 1)
        st4(tiles, int32(here + right_put + 288), right_1, 1)
        cuda.syncthreads()
        first = int32(first + 16)
        s_0 = int32(first + (thread & 3) * 4)
        left_0 = ld4(work, int32(grad_S + h * 1024 + n * 4096 + t_0 * 32 + s_0), (t_0 < 32) & (s_0 < 32))
        left_1 = ld4(work, int32(grad_S + h * 1024 + n * 4096 + t_1 * 32 + s_0), (t_1 < 32) & (s_0 < 32))
        s_1 = int32(first + (thread >> 3))
        s_2 = int32(first + (thread >> 3) + 8)
        right_0 = ld4(work, int32(K + h * 256 + n * 1024 + d_0 + s_1 * 8), (d_0 < 8) & (s_1 < 32))
        right_1 = ld4(work, int32(K + h * 256 + n * 1024 + d_0 + s_2 * 8), (d_0 < 8) & (s_2 < 32))
        sums = multiply_add(sums, tiles, int32(here + left), int32(here + right), 32, 32, 16)
        here = int32(1152 - here)
    cuda.syncthreads()
    # Results go through shared memory, a row of each thread at a time, so that neighbouring threads write neighbours.
    stage = int32((thread >> 3) * 32 + (thread & 7) * 4)
    d = int32(thread & 31)
    for turn in range(opaque(int32(4))):
        store_row(sums, turn, tiles, stage, 32)
        cuda.syncthreads()
        for lap in range(int32(4)):
            line = int32(lap * 2 + (thread >> 5))
            t = int32(line * 4 + turn)
            if t < 32 and d < 8:
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(grad_Q + n * 1024 + h * 256 + t * 8 + d)] = math.sqrt(real(2.0)) * dot / real(4.0)
        cuda.syncthreads()


@device
def attention_grad_W_v_2(block, grads, work, grad_W_v, parts, N):
    """Write grad_W_v."""
    # grad_W_v[i, j] = Σ_part parts[part, i, j]
    entry = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if entry < int32(1024):
        i = entry // int32(32)
        j = entry % int32(32)
        total = real(0.0)
        for part in range(int32(8)):
            total += work[parts + part * 1024 + i * 32 + j]
        grads[grad_W_v + i * 32 + j] = total


@jit(max_registers=248)
def side_by_side_11(work, grads, N):
    """Do attention_grad_K, attention_grad_Q and attention_grad_W_v_2, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(N * 4)
    end_2 = int32(end_1 + N * 4)
    if block < end_1:
        attention_grad_K(block, work, int32(4160 * N), int32(53280 * N), int32(58400 * N), N)
    elif block < end_2:
        attention_grad_Q(int32(block - end_1), work, int32(5184 * N), int32(53280 * N), int32(59424 * N), N)
    else:
        attention_grad_W_v_2(int32(block - end_2), grads, work, int32(4096), int32(64544 * N + 89604), N)


@device
def attention_grad_W_k_left(work, grad_K, i, term, stop):
    """Return an entry of the left factor, 0 outside of it."""
    n = int32(term // uint32(32))
    t = int32(term % uint32(32))
    inside = (i < 32) & (term < stop)
    entry = real(0.0)
    if inside:
        entry = work[uint32(grad_K + n * 1024 + (i // int32(8)) * 256 + t * 8 + i % int32(8))]
    return entry


@device
def attention_grad_W_k(block, work, grad_K, x, parts, N):
    """Write parts in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each; the terms in 8 parts."""
    # parts[part, i, j] = Σ_{n, t} x[n, t, j] grad_K[n, floor(i/8), t, i mod 8]
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(block)
    part = int32(block)
    stop = int32((N * 32 + 127) // 128 * 16)
    first = int32(part * stop)
    stop = int32(first + stop if first + stop < N * 32 else N * 32)
    # What the thread reads of a tile, and where it puts that.
    i_0 = int32(thread & 31)
    left_put = int32((thread >> 5) * 36 + (thread & 31))
    j_0 = int32((thread & 7) * 4)
    right_put = int32(576 + (thread >> 3) * 36 + (thread & 7) * 4)
    # What it multiplies: its rows of the left tile and its columns of the right one.
    left = int32((thread >> 3) * 4)
    right = int32(576 + (thread & 7) * 4)
    here = int32(0)
    sums = register_tile(4, 4, real(0.0))
    term_0 = uint32(first + (thread >> 5))
    left_0 = attention_grad_W_k_left(work, grad_K, i_0, term_0, stop)
    left_1 = attention_grad_W_k_left(work, grad_K, i_0, uint32(term_0 + 2), stop)
    left_2 = attention_grad_W_k_left(work, grad_K, i_0, uint32(term_0 + 4), stop)
    left_3 = attention_grad_W_k_left(work, grad_K, i_0, uint32(term_0 + 6), stop)
    left_4 = attention_grad_W_k_left(work, grad_K, i_0, uint32(term_0 + 8), stop)
    left_5 = attention_grad_W_k_left(work, grad_K, i_0, uint32(term_0 + 10), stop)
    left_6 = attention_grad_W_k_left(work, grad_K, i_0, uint32(term_0 + 12), stop)
    left_7 = attention_grad_W_k_left(work, grad_K, i_0, uint32(term_0 + 14), stop)
    term_1 = uint32(first + (thread >> 3))
    term_2 = uint32(first + (thread >> 3) + 8)
    right_0 = ld4(work, int32(x + j_0 + term_1 * 32), (j_0 < 32) & (term_1 < stop))
    right_1 = ld4(work, int32(x + j_0 + term_2 * 32), (j_0 < 32) & (term_2 < stop))
    # dot = Σ_{n, t} x[n, t, j] grad_K[n, floor(i/8), t, i mod 8]
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
        left_0 = attention_grad_W_k_left(work, grad_K, i_0, term_0, stop)
        left_1 = attention_grad_W_k_left(work, grad_K, i_0, uint32(term_0 + 2), stop)
        left_2 = attention_grad_W_k_left(work, grad_K, i_0, uint32(term_0 + 4), stop)
        left_3 = attention_grad_W_k_left(work, grad_K, i_0, uint32(term_0 + 6), stop)
        left_4 = attention_grad_W_k_left(work, grad_K, i_0, uint32(term_0 + 8), stop)
        left_5 = attention_grad_W_k_left(work, grad_K, i_0, uint32(term_0 + 10), stop)
        left_6 = attention_grad_W_k_left(work, grad_K, i_0, uint32(term_0 + 12), stop)
        left_7 = attention_grad_W_k_left(work, grad_K, i_0, uint32(term_0 + 14), stop)
        term_1 = uint32(first + (thread >> 3))
        term_2 = uint32(first + (thread >> 3) + 8)
        right_0 = ld4(work, int32(x + j_0 + term_1 * 32), (j_0 < 32) & (term_1 < stop))
        right_1 = ld4(work, int32(x + j_0 + term_2 * 32), (j_0 < 32) & (term_2 < stop))
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
            i = int32(line * 4 + turn)
            if i < 32 and j < 32:
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(parts + part * 1024 + i * 32 + j)] = dot
        cuda.syncthreads()


@device
def attention_grad_W_q_left(work, grad_Q, i, term, stop):
    """Return an entry of the left factor, 0 outside of it."""
    n = int32(term // uint32(32))
    t = int32(term % uint32(32))
    inside = (i < 32) & (term < stop)
    entry = real(0.0)
    if inside:
        entry = work[uint32(grad_Q + n * 1024 + (i // int32(8)) * 256 + t * 8 + i % int32(8))]
    return entry


@device
def attention_grad_W_q(block, work, grad_Q, x, parts, N):
    """Write parts in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each; the terms in 8 parts."""
    # parts[part, i, j] = Σ_{n, t} x[n, t, j] grad_Q[n, floor(i/8), t, i mod 8]
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(block)
    part = int32(block)
    stop = int32((N * 32 + 127) // 128 * 16)
    first = int32(part * stop)
    stop = int32(first + stop if first + stop < N * 32 else N * 32)
    # What the thread reads of a tile, and where it puts that.
    i_0 = int32(thread & 31)
    left_put = int32((thread >> 5) * 36 + (thread & 31))
    j_0 = int32((thread & 7) * 4)
    right_put = int32(576 + (thread >> 3) * 36 + (thread & 7) * 4)
    # What it multiplies: its rows of the left tile and its columns of the right one.
    left = int32((thread >> 3) * 4)
    right = int32(576 + (thread & 7) * 4)
    here = int32(0)
    sums = register_tile(4, 4, real(0.0))
    term_0 = uint32(first + (thread >> 5))
    left_0 = attention_grad_W_q_left(work, grad_Q, i_0, term_0, stop)
    left_1 = attention_grad_W_q_left(work, grad_Q, i_0, uint32(term_0 + 2), stop)
    left_2 = attention_grad_W_q_left(work, grad_Q, i_0, uint32(term_0 + 4), stop)
    left_3 = attention_grad_W_q_left(work, grad_Q, i_0, uint32(term_0 + 6), stop)
    left_4 = attention_grad_W_q_left(work, grad_Q, i_0, uint32(term_0 + 8), stop)
    left_5 = attention_grad_W_q_left(work, grad_Q, i_0, uint32(term_0 + 10), stop)
    left_6 = attention_grad_W_q_left(work, grad_Q, i_0, uint32(term_0 + 12), stop)
    left_7 = attention_grad_W_q_left(work, grad_Q, i_0, uint32(term_0 + 14), stop)
    term_1 = uint32(first + (thread >> 3))
    term_2 = uint32(first + (thread >> 3) + 8)
    right_0 = ld4(work, int32(x + j_0 + term_1 * 32), (j_0 < 32) & (term_1 < stop))
    right_1 = ld4(work, int32(x + j_0 + term_2 * 32), (j_0 < 32) & (term_2 < stop))
    # dot = Σ_{n, t} x[n, t, j] grad_Q[n, floor(i/8), t, i mod 8]
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
        left_0 = attention_grad_W_q_left(work, grad_Q, i_0, term_0, stop)
        left_1 = attention_grad_W_q_left(work, grad_Q, i_0, uint32(term_0 + 2), stop)
        left_2 = attention_grad_W_q_left(work, grad_Q, i_0, uint32(term_0 + 4), stop)
        left_3 = attention_grad_W_q_left(work, grad_Q, i_0, uint32(term_0 + 6), stop)
        left_4 = attention_grad_W_q_left(work, grad_Q, i_0, uint32(term_0 + 8), stop)
        left_5 = attention_grad_W_q_left(work, grad_Q, i_0, uint32(term_0 + 10), stop)
        left_6 = attention_grad_W_q_left(work, grad_Q, i_0, uint32(term_0 + 12), stop)
        left_7 = attention_grad_W_q_left(work, grad_Q, i_0, uint32(term_0 + 14), stop)
        term_1 = uint32(first + (thread >> 3))
        term_2 = uint32(first + (thread >> 3) + 8)
        right_0 = ld4(work, int32(x + j_0 + term_1 * 32), (j_0 < 32) & (term_1 < stop))
        right_1 = ld4(work, int32(x + j_0 + term_2 * 32), (j_0 < 32) & (term_2 < stop))
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
            i = int32(line * 4 + turn)
            if i < 32 and j < 32:
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(parts + part * 1024 + i * 32 + j)] = dot
        cuda.syncthreads()


@device
def layernorm_grad_a_2_left(work, grad_Q, N, row, term):
    """Return four neighbours of the left factor, 0 outside of it."""
    n = int32(row // uint32(32))
    t = int32(row % uint32(32))
    h = int32(term // uint32(8))
    d = int32(term % uint32(8))
    inside = (row < N * 32) & (term < 32)
    return ld4(work, int32(grad_Q + n * 1024 + h * 256 + t * 8 + d), inside)


@device
def layernorm_grad_a_2(block, params, work, W_q, grad_Q, sums, N):
    """Write sums in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each."""
    # sums[n, t, j] = Σ_{h, d} W_q[8 h + d, j] grad_Q[n, h, t, d]
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
    sums_ = register_tile(4, 4, real(0.0))
    term_0 = uint32(first + (thread & 3) * 4)
    left_0 = layernorm_grad_a_2_left(work, grad_Q, N, row_0, term_0)
    left_1 = layernorm_grad_a_2_left(work, grad_Q, N, row_1, term_0)
    term_1 = uint32(first + (thread >> 3))
    term_2 = uint32(first + (thread >> 3) + 8)
    right_0 = ld4(params, int32(W_q + j_0 + term_1 * 32), (j_0 < 32) & (term_1 < 32))
    right_1 = ld4(params, int32(W_q + j_0 + term_2 * 32), (j_0 < 32) & (term_2 < 32))
    # dot = Σ_{h, d} W_q[8 h + d, j] grad_Q[n, h, t, d]
    while first < 32:
        st4(tiles, int32(here + left_put), left_0, 36)
        st4(tiles, int32(here + left_put + 16), left_1, 36)
        st4(tiles, int32(here + right_put), right_0, 1)
        st4(tiles, int32(here + right_put + 288), right_1, 1)
        cuda.syncthreads()
        first = int32(first + 16)
        term_0 = uint32(first + (thread & 3) * 4)
        left_0 = layernorm_grad_a_2_left(work, grad_Q, N, row_0, term_0)
        left_1 = layernorm_grad_a_2_left(work, grad_Q, N, row_1, term_0)
        term_1 = uint32(first + (thread >> 3))
        term_2 = uint32(first + (thread >> 3) + 8)
        right_0 = ld4(params, int32(W_q + j_0 + term_1 * 32), (j_0 < 32) & (term_1 < 32))
        right_1 = ld4(params, int32(W_q + j_0 + term_2 * 32), (j_0 < 32) & (term_2 < 32))
        sums_ = multiply_add(sums_, tiles, int32(here + left), int32(here + right), 32, 32, 16)
        here = int32(1152 - here)
    cuda.syncthreads()
    # Results go through shared memory, a row of each thread at a time, so that neighbouring threads write neighbours.
    stage = int32((thread >> 3) * 32 + (thread & 7) * 4)
    j = int32(thread & 31)
    for turn in range(opaque(int32(4))):
        store_row(sums_, turn, tiles, stage, 32)
        cuda.syncthreads()
        for lap in range(int32(4)):
            line = int32(lap * 2 + (thread >> 5))
            result_row = uint32(row + line * 4 + turn)
            if result_row < N * 32 and j < 32:
                n = int32(result_row // uint32(32))
                t = int32(result_row % uint32(32))
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(sums + n * 1024 + t * 32 + j)] = dot
        cuda.syncthreads()


@jit(max_registers=248)
def side_by_side_12(work, params, N):
    """Do attention_grad_W_k, attention_grad_W_q and layernorm_grad_a_2, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(8)
    end_2 = int32(end_1 + 8)
    if block < end_1:
        attention_grad_W_k(block, work, int32(58400 * N), int32(3136 * N), int32(64544 * N + 97796), N)
    elif block < end_2:
        attention_grad_W_q(int32(block - end_1), work, int32(59424 * N), int32(3136 * N), int32(64544 * N + 105988), N)
    else:
        layernorm_grad_a_2(int32(block - end_2), params, work, int32(2048), int32(59424 * N), int32(62496 * N + 4), N)


@device
def layernorm_grad_a_2_3_left(work, grad_K, N, row, term):
    """Return four neighbours of the left factor, 0 outside of it."""
    n = int32(row // uint32(32))
    t = int32(row % uint32(32))
    h = int32(term // uint32(8))
    d = int32(term % uint32(8))
    inside = (row < N * 32) & (term < 32)
    return ld4(work, int32(grad_K + n * 1024 + h * 256 + t * 8 + d), inside)


@device
def layernorm_grad_a_2_3(block, params, work, W_k, grad_K, grad_a, sums, sums_2, N):
    """Write grad_a in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each."""
    # grad_a[n, t, j] = sums[n, t, j] + sums_2[n, t, j] + Σ_{h, d} W_k[8 h + d, j] grad_K[n, h, t, d]
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
    sums_ = register_tile(4, 4, real(0.0))
    term_0 = uint32(first + (thread & 3) * 4)
    left_0 = layernorm_grad_a_2_3_left(work, grad_K, N, row_0, term_0)
    left_1 = layernorm_grad_a_2_3_left(work, grad_K, N, row_1, term_0)
    term_1 = uint32(first + (thread >> 3))
    term_2 = uint32(first + (thread >> 3) + 8)
    right_0 = ld4(params, int32(W_k + j_0 + term_1 * 32), (j_0 < 32) & (term_1 < 32))
    right_1 = ld4(params, int32(W_k + j_0 + term_2 * 32), (j_0 < 32) & (term_2 < 32))
    # dot = Σ_{h, d} W_k[8 h + d, j] grad_K[n, h, t, d]
    while first < 32:
        st4(tiles, int32(here + left_put), left_0, 36)
        st4(tiles, int32(here + left_put + 16), left_1, 36)
        st4(tiles, int32(here + right_put), right_0, 1)
        st4(tiles, int32(here + right_put + 288), right_1, 1)
        cuda.syncthreads()
        first = int32(first + 16)
        term_0 = uint32(first + (thread & 3) * 4)
        left_0 = layernorm_grad_a_2_3_left(work, grad_K, N, row_0, term_0)
        left_1 = layernorm_grad_a_2_3_left(work, grad_K, N, row_1, term_0)
        term_1 = uint32(first + (thread >> 3))
        term_2 = uint32(first + (thread >> 3) + 8)
        right_0 = ld4(params, int32(W_k + j_0 + term_1 * 32), (j_0 < 32) & (term_1 < 32))
        right_1 = ld4(params, int32(W_k + j_0 + term_2 * 32), (j_0 < 32) & (term_2 < 32))
        sums_ = multiply_add(sums_, tiles, int32(here + left), int32(here + right), 32, 32, 16)
        here = int32(1152 - here)
    cuda.syncthreads()
    # Results go through shared memory, a row of each thread at a time, so that neighbouring threads write neighbours.
    stage = int32((thread >> 3) * 32 + (thread & 7) * 4)
    j = int32(thread & 31)
    for turn in range(opaque(int32(4))):
        store_row(sums_, turn, tiles, stage, 32)
        cuda.syncthreads()
        for lap in range(int32(4)):
            line = int32(lap * 2 + (thread >> 5))
            result_row = uint32(row + line * 4 + turn)
            if result_row < N * 32 and j < 32:
                n = int32(result_row // uint32(32))
                t = int32(result_row % uint32(32))
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(grad_a + n * 1024 + t * 32 + j)] = (
                    work[uint32(sums + n * 1024 + t * 32 + j)] + work[uint32(sums_2 + n * 1024 + t * 32 + j)] + dot
                )
        cuda.syncthreads()


@device
def attention_grad_W_k_2(block, grads, work, grad_W_k, parts, N):
    """Write grad_W_k."""
    # grad_W_k[i, j] = Σ_part parts[part, i, j]
    entry = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if entry < int32(1024):
        i = entry // int32(32)
        j = entry % int32(32)
        total = real(0.0)
        for part in range(int32(8)):
            total += work[parts + part * 1024 + i * 32 + j]
        grads[grad_W_k + i * 32 + j] = total


@device
def attention_grad_W_q_2(block, grads, work, grad_W_q, parts, N):
    """Write grad_W_q."""
    # grad_W_q[i, j] = Σ_part parts[part, i, j]
    entry = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if entry < int32(1024):
        i = entry // int32(32)
        j = entry % int32(32)
        total = real(0.0)
        for part in range(int32(8)):
            total += work[parts + part * 1024 + i * 32 + j]
        grads[grad_W_q + i * 32 + j] = total


@jit(max_registers=248)
def side_by_side_13(params, work, grads, N):
    """Do layernorm_grad_a_2_3, attention_grad_W_k_2 and attention_grad_W_q_2, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32((N * 32 + 31) // 32)
    end_2 = int32(end_1 + 16)
    if block < end_1:
        layernorm_grad_a_2_3(
            block, params, work, int32(3072), int32(58400 * N), int32(60448 * N), int32(62496 * N + 4), int32(63520 * N + 4), N,
        )
    elif block < end_2:
        attention_grad_W_k_2(int32(block - end_1), grads, work, int32(3072), int32(64544 * N + 97796), N)
    else:
        attention_grad_W_q_2(int32(block - end_2), grads, work, int32(2048), int32(64544 * N + 105988), N)


@device
def embedding_grad_a(block, params, work, gamma, grad_a_2, grad_a_3, sigma, x_hat, grad_a, N):
    """Write grad_a."""
    # grad_a[n, t, j] = (32 gamma[j] grad_a_3[n, t, j] − Σ_i gamma[i] grad_a_3[n, t, i] − x_hat[n, t, j] Σ_i gamma[i] grad_a_3[n, t, i]
    #     x_hat[n, t, i])/(32 sigma[n, t]) + grad_a_2[n, t, j]
    entry = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if entry < N * int32(32):
        n = entry // int32(32)
        t = entry % int32(32)
        total = real(0.0)
        for i in range(int32(32)):
            total += params[gamma + i] * work[grad_a_3 + n * 1024 + t * 32 + i]
        total_2 = real(0.0)
        for i in range(int32(32)):
            total_2 += params[gamma + i] * work[grad_a_3 + n * 1024 + t * 32 + i] * work[x_hat + n * 1024 + t * 32 + i]
        for j in range(int32(32)):
            work[grad_a + n * 1024 + t * 32 + j] = (
                (real(32.0) * params[gamma + j] * work[grad_a_3 + n * 1024 + t * 32 + j] - total - work[x_hat + n * 1024 + t * 32 + j]
                * total_2) / real(32.0) / work[sigma + n * 32 + t] + work[grad_a_2 + n * 1024 + t * 32 + j]
            )


@jit
def side_by_side_14(work, grads, params, N):
    """Do layernorm_grad_gamma, layernorm_grad_beta and embedding_grad_a, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(32)
    end_2 = int32(end_1 + 32)
    if block < end_1:
        layernorm_grad_gamma(block, work, grads, int32(60448 * N), int32(2112 * N), int32(1984), N)
    elif block < end_2:
        layernorm_grad_beta(int32(block - end_1), work, grads, int32(60448 * N), int32(2016), N)
    else:
        embedding_grad_a(
            int32(block - end_2), params, work, int32(1984), int32(47136 * N), int32(60448 * N), int32(2080 * N), int32(2112 * N),
            int32(61472 * N), N,
        )


@jit
def embedding_grad_E_2(work, x, grads, grad_a, grad_E, N):
    """Write grad_E."""
    # grad_E[v, i] = Σ_{n, t} grad_a[n, t, i] [v = x[n, t]]
    thread = int32(cuda.threadIdx.x)
    for n in range(N):
        for t in range(int32(32)):
            if 0 <= int32(x[n * 32 + t]) < 62:
                for i in range(thread, int32(32), int32(256)):
                    grads[grad_E + int32(x[n * 32 + t]) * 32 + i] += work[grad_a + n * 1024 + t * 32 + i]


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
        t = float64(state[33340])
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
        v_next = grads[p] * grads[p] * factor_2 + state[16670 + p] * beta2
        w_next = factor_4 * m_next / (math.sqrt(factor_3 * v_next) + eps) + params[p]
        state[p] = m_next
        state[16670 + p] = v_next
        params[p] = w_next
    if p == first:
        history[row] = value
        step[1] = row + int32(1)
        if math.isfinite(value):
            state[33340] = table[row * 8 + 7]


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
    launch(embedding_a_alone, (n * 1024 + 127) // 128, 128, params, x, work, n)
    # layernorm_1
    launch(
        positionalencoding_a_to_layernorm_a, (n * 32 + 127) // 128, 128, work, params, 0, 1024 * n, 2048 * n, 2080 * n, 2016, 1984,
        3136 * n, n,
    )
    # attention_1
    launch(side_by_side, (n * 32 + 31) // 32 + (n * 32 + 31) // 32 + (n * 32 + 31) // 32, 64, params, work, n)
    launch(attention_S, n * 4, 64, work, 5184 * n, 4160 * n, 7232 * n, n)
    launch(attention_P, (n * 128 + 127) // 128, 128, work, 7232 * n, 11328 * n, n)
    launch(attention_O, n * 4, 64, work, 11328 * n, 6208 * n, 15424 * n, n)
    launch(attention_a, (n * 32 + 31) // 32, 64, work, params, 15424 * n, 5120, 16448 * n, n)
    # layernorm_2
    launch(
        add_a_to_layernorm_a, (n * 32 + 127) // 128, 128, work, params, 1024 * n, 16448 * n, 17472 * n, 18496 * n, 18528 * n, 6176, 6144,
        19584 * n, n,
    )
    # dense_1
    launch(dense_a, ((n * 32 + 31) // 32) * 4, 64, params, work, 6208, 10304, 19584 * n, 24704 * n, n)
    # dense_2
    launch(dense_z, (n * 32 + 31) // 32, 64, params, work, 10432, 14528, 24704 * n, 28800 * n, n)
    # layernorm_3
    launch(
        add_a_to_layernorm_a, (n * 32 + 127) // 128, 128, work, params, 17472 * n, 28800 * n, 29824 * n, 30848 * n, 30880 * n, 14592, 14560,
        31936 * n, n,
    )
    # dense_3
    launch(dense_z_2, ((n * 32 + 31) // 32) * 2, 64, params, work, out, 14624, 16608, 31936 * n, n)


def launch_loss(params, x, y, work, n):
    """Start the loss of n samples."""
    # embedding_1
    launch(embedding_a_alone, (n * 1024 + 127) // 128, 128, params, x, work, n)
    # layernorm_1
    launch(
        positionalencoding_a_to_layernorm_a_2, (n * 32 + 127) // 128, 128, work, params, 0, 1024 * n, 2048 * n, 2080 * n, 2016, 1984,
        2112 * n, 3136 * n, n,
    )
    # attention_1
    launch(side_by_side, (n * 32 + 31) // 32 + (n * 32 + 31) // 32 + (n * 32 + 31) // 32, 64, params, work, n)
    launch(attention_S, n * 4, 64, work, 5184 * n, 4160 * n, 7232 * n, n)
    launch(attention_P, (n * 128 + 127) // 128, 128, work, 7232 * n, 11328 * n, n)
    launch(attention_O, n * 4, 64, work, 11328 * n, 6208 * n, 15424 * n, n)
    launch(attention_a, (n * 32 + 31) // 32, 64, work, params, 15424 * n, 5120, 16448 * n, n)
    # layernorm_2
    launch(
        add_a_to_layernorm_a_2, (n * 32 + 127) // 128, 128, work, params, 1024 * n, 16448 * n, 17472 * n, 18496 * n, 18528 * n, 6176, 6144,
        18560 * n, 19584 * n, n,
    )
    # dense_1
    launch(dense_a_2, ((n * 32 + 31) // 32) * 4, 64, params, work, 6208, 10304, 19584 * n, 20608 * n, 24704 * n, n)
    # dense_2
    launch(dense_z, (n * 32 + 31) // 32, 64, params, work, 10432, 14528, 24704 * n, 28800 * n, n)
    # layernorm_3
    launch(
        add_a_to_layernorm_a_2, (n * 32 + 127) // 128, 128, work, params, 17472 * n, 28800 * n, 29824 * n, 30848 * n, 30880 * n, 14592,
        14560, 30912 * n, 31936 * n, n,
    )
    # dense_3
    launch(dense_z_3, ((n * 32 + 31) // 32) * 2, 64, params, work, 14624, 16608, 31936 * n, 32960 * n, n)
    # loss
    launch(write_loss_p_to_write_loss_L, (n * 32 + 127) // 128, 128, work, y, 32960 * n, 34944 * n, 36928 * n, n)
    launch(loss_total_alone, 1, 64, work, n)


def launch_value_and_grad(params, x, y, grads, work, n):
    """Start the loss and the gradients of n samples."""
    # embedding_1
    launch(side_by_side_2, (n * 1024 + 127) // 128 + 16, 128, params, x, work, grads, n)
    # layernorm_1
    launch(
        positionalencoding_a_to_layernorm_a_2, (n * 32 + 127) // 128, 128, work, params, 0, 1024 * n, 2048 * n, 2080 * n, 2016, 1984,
        2112 * n, 3136 * n, n,
    )
    # attention_1
    launch(side_by_side, (n * 32 + 31) // 32 + (n * 32 + 31) // 32 + (n * 32 + 31) // 32, 64, params, work, n)
    launch(attention_S, n * 4, 64, work, 5184 * n, 4160 * n, 7232 * n, n)
    launch(attention_P, (n * 128 + 127) // 128, 128, work, 7232 * n, 11328 * n, n)
    launch(attention_O, n * 4, 64, work, 11328 * n, 6208 * n, 15424 * n, n)
    launch(attention_a, (n * 32 + 31) // 32, 64, work, params, 15424 * n, 5120, 16448 * n, n)
    # layernorm_2
    launch(
        add_a_to_layernorm_a_2, (n * 32 + 127) // 128, 128, work, params, 1024 * n, 16448 * n, 17472 * n, 18496 * n, 18528 * n, 6176, 6144,
        18560 * n, 19584 * n, n,
    )
    # dense_1
    launch(dense_a_2, ((n * 32 + 31) // 32) * 4, 64, params, work, 6208, 10304, 19584 * n, 20608 * n, 24704 * n, n)
    # dense_2
    launch(dense_z, (n * 32 + 31) // 32, 64, params, work, 10432, 14528, 24704 * n, 28800 * n, n)
    # layernorm_3
    launch(
        add_a_to_layernorm_a_2, (n * 32 + 127) // 128, 128, work, params, 17472 * n, 28800 * n, 29824 * n, 30848 * n, 30880 * n, 14592,
        14560, 30912 * n, 31936 * n, n,
    )
    # dense_3
    launch(dense_z_3, ((n * 32 + 31) // 32) * 2, 64, params, work, 14624, 16608, 31936 * n, 32960 * n, n)
    launch(write_loss_p_to_dense_delta, (n * 32 + 127) // 128, 128, work, y, 32960 * n, 34944 * n, 36928 * n, 36960 * n, n)
    launch(side_by_side_3, 16 + (n * 32 + 31) // 32 + 1 + 62, 64, work, params, grads, n)
    launch(side_by_side_4, 8 + 32 + 32 + (n * 32 + 255) // 256, 256, grads, work, params, n)
    # dense_2
    launch(side_by_side_5, 32 + ((n * 32 + 31) // 32) * 4 + 32, 64, work, params, grads, n)
    # dense_1
    launch(side_by_side_6, 32 + (n * 32 + 31) // 32 + 64 + 128, 64, work, params, grads, n)
    launch(side_by_side_7, 16 + 32 + 32 + (n * 32 + 255) // 256, 256, grads, work, params, n)
    # attention_1
    launch(side_by_side_8, 8 + (n * 32 + 31) // 32, 64, work, params, n)
    launch(side_by_side_9, n * 4 + n * 4 + 16, 64, work, grads, n)
    launch(side_by_side_10, 8 + (n * 32 + 31) // 32 + (n * 128 + 63) // 64, 64, work, params, n)
    launch(side_by_side_11, n * 4 + n * 4 + 16, 64, work, grads, n)
    launch(side_by_side_12, 8 + 8 + (n * 32 + 31) // 32, 64, work, params, n)
    # layernorm_1
    launch(side_by_side_13, (n * 32 + 31) // 32 + 16 + 16, 64, params, work, grads, n)
    launch(side_by_side_14, 32 + 32 + (n * 32 + 255) // 256, 256, work, grads, params, n)
    # embedding_1
    launch(embedding_grad_E_2, 1, 256, work, x, grads, 61472 * n, 0, n)


def launch_update(params, grads, state, hyper, table, losses, place, history, step):
    """Start the update of all parameters, if the loss at a place is finite; the table has the numbers of this step."""
    launch(update_entries, 131, 128, params, grads, state, table, losses, place, history, step, 0, 16670)


def launch_train_step(x, y, params, grads, state, hyper, table, work, history, step, n):
    """Start one training step of n samples."""
    launch(fill_table, 1, 128, state, hyper, table, 1)
    launch_value_and_grad(params, x, y, grads, work, n)
    launch_update(params, grads, state, hyper, table, work, 62496 * n, history, step)


def launch_step(all_x, all_y, order, x, y, params, grads, state, hyper, table, work, history, step, shuffled, size, n):
    """Start the next training step of an epoch, with n samples."""
    launch(gather, (n * 32 + 127) // 128, 128, all_x, all_y, order, step, x, y, shuffled, size, n)
    launch_value_and_grad(params, x, y, grads, work, n)
    launch_update(params, grads, state, hyper, table, work, 62496 * n, history, step)


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
    return number(d_work, 62496 * n)


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
    d_grads = room(grads, 16670, DTYPE)
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_value_and_grad, d_params, d_x, d_y, d_grads, d_work, n)
    give(d_grads, grads)
    return number(d_work, 62496 * n)


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
    d_grads = room(grads, 16670, DTYPE)
    d_state = take(state, DTYPE)
    d_hyper = take(hyper, "float64")
    d_table, history = room(None, 8, DTYPE), room(None, 1, DTYPE)
    step = zeros(2, "int32")
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_train_step, d_x, d_y, d_params, d_grads, d_state, d_hyper, d_table, d_work, history, step, n)
    give(d_grads, grads)
    give(d_params, params)
    give(d_state, state)
    return number(d_work, 62496 * n)


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
    d_grads = room(grads, 16670, DTYPE)
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
    "positionalencoding_a_to_layernorm_a": (
        "float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32",
    ),
    "side_by_side": ("float32[::1]", "float32[::1]", "int32"),
    "attention_S": ("float32[::1]", "int32", "int32", "int32", "int32"),
    "attention_P": ("float32[::1]", "int32", "int32", "int32"),
    "attention_O": ("float32[::1]", "int32", "int32", "int32", "int32"),
    "attention_a": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "add_a_to_layernorm_a": (
        "float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32",
    ),
    "dense_a": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32"),
    "dense_z": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32"),
    "dense_z_2": ("float32[::1]", "float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "positionalencoding_a_to_layernorm_a_2": (
        "float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32",
    ),
    "add_a_to_layernorm_a_2": (
        "float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32",
    ),
    "dense_a_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32", "int32"),
    "dense_z_3": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32"),
    "write_loss_p_to_write_loss_L": ("float32[::1]", "int64[::1]", "int32", "int32", "int32", "int32"),
    "loss_total_alone": ("float32[::1]", "int32"),
    "side_by_side_2": ("float32[::1]", "int64[::1]", "float32[::1]", "float32[::1]", "int32"),
    "write_loss_p_to_dense_delta": ("float32[::1]", "int64[::1]", "int32", "int32", "int32", "int32", "int32"),
    "side_by_side_3": ("float32[::1]", "float32[::1]", "float32[::1]", "int32"),
    "side_by_side_4": ("float32[::1]", "float32[::1]", "float32[::1]", "int32"),
    "side_by_side_5": ("float32[::1]", "float32[::1]", "float32[::1]", "int32"),
    "side_by_side_6": ("float32[::1]", "float32[::1]", "float32[::1]", "int32"),
    "side_by_side_7": ("float32[::1]", "float32[::1]", "float32[::1]", "int32"),
    "side_by_side_8": ("float32[::1]", "float32[::1]", "int32"),
    "side_by_side_9": ("float32[::1]", "float32[::1]", "int32"),
    "side_by_side_10": ("float32[::1]", "float32[::1]", "int32"),
    "side_by_side_11": ("float32[::1]", "float32[::1]", "int32"),
    "side_by_side_12": ("float32[::1]", "float32[::1]", "int32"),
    "side_by_side_13": ("float32[::1]", "float32[::1]", "float32[::1]", "int32"),
    "side_by_side_14": ("float32[::1]", "float32[::1]", "float32[::1]", "int32"),
    "embedding_grad_E_2": ("float32[::1]", "int64[::1]", "float32[::1]", "int32", "int32", "int32"),
    "fill_table": ("float32[::1]", "float64[::1]", "float32[::1]", "int32"),
    "update_entries": (
        "float32[::1]", "float32[::1]", "float32[::1]", "float32[::1]", "float32[::1]", "int32", "float32[::1]", "int32[::1]", "int32",
        "int32",
    ),
    "gather": ("int64[::1]", "int64[::1]", "int64[::1]", "int32[::1]", "int64[::1]", "int64[::1]", "int32", "int32", "int32"),
}
#: Kernels that compute in float64 whatever DTYPE is.
FLOAT64 = ("fill_table",)
