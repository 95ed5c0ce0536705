"""Kernels of the network digits for CUDA, compiled by Numba; they need NumPy, Numba and a GPU.

Written from the template numba_cuda/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: 01df299a04654bdbf9f5b457c92b11faa8dc8194b7da4d0701d742c149d84a51
Schedule: layered; kernels are launched one after the other: a step needs 87,432 bytes of shared memory, a block has 49,152.

params, grads, state and work are contiguous 1-D arrays of type float32; x has one sample a row.
y has one number for each sample, integers from 0 to 9.
Arrays are NumPy's, which are copied in and out, or lie on the device (__cuda_array_interface__), where they are used as they are.
In a kernel a tensor's entry is buffer[offset + place]: W in params is params[W + i * columns + j].
"""

import math

import numpy as np
from numba import float32 as real
from numba import int32, uint32

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

NAME = "digits"
#: Name, offset and shape of each parameter in the flat buffers.
PARAMETERS = (
    ("dense_1.W", 0, (64, 64)),
    ("dense_1.b", 4096, (64,)),
    ("dense_2.W", 4160, (10, 64)),
    ("dense_2.b", 4800, (10,)),
)
DTYPE = "float32"
#: The largest batch.
BATCH = 32
STATE_SIZE = 4810
#: The optimizer's numbers with their defaults, in the order of the array hyper.
HYPER = (
    ("lr", 0.1),
    ("mu", 0.9),
)
SCHEDULE = "layered"


def workspace(n):
    """Return how many elements of workspace a batch of n samples needs."""
    return 168 * n + 16


@device
def dense_a(block, params, x, work, W, b, a, N):
    """Write a in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each."""
    # a[n, i] = z[n, i] [z[n, i] > 0]
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(block)
    column = int32(block % uint32(2) * 32)
    block = uint32(block // uint32(2))
    row = int32(block * 32)
    first = int32(0)
    # What the thread reads of a tile, and where it puts that.
    n_0 = int32(row + (thread >> 2))
    n_1 = int32(row + (thread >> 2) + 16)
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
    left_0 = ld4(x, int32(n_0 * 64 + j_0), (n_0 < N) & (j_0 < 64))
    left_1 = ld4(x, int32(n_1 * 64 + j_0), (n_1 < N) & (j_0 < 64))
    right_0 = ld4(params, int32(W + i_0 * 64 + j_0), (i_0 < 64) & (j_0 < 64))
    right_1 = ld4(params, int32(W + i_1 * 64 + j_0), (i_1 < 64) & (j_0 < 64))
    # dot = Σ_j W[i, j] x[n, j]
    while first < 64:
        st4(tiles, int32(here + left_put), left_0, 36)
        st4(tiles, int32(here + left_put + 16), left_1, 36)
        st4(tiles, int32(here + right_put), right_0, 36)
        st4(tiles, int32(here + right_put + 16), right_1, 36)
        cuda.syncthreads()
        first = int32(first + 16)
        j_0 = int32(first + (thread & 3) * 4)
        left_0 = ld4(x, int32(n_0 * 64 + j_0), (n_0 < N) & (j_0 < 64))
        left_1 = ld4(x, int32(n_1 * 64 + j_0), (n_1 < N) & (j_0 < 64))
        right_0 = ld4(params, int32(W + i_0 * 64 + j_0), (i_0 < 64) & (j_0 < 64))
        right_1 = ld4(params, int32(W + i_1 * 64 + j_0), (i_1 < 64) & (j_0 < 64))
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
            n = int32(row + line * 4 + turn)
            if n < N and i < 64:
                dot = tiles[uint32(line * 32 + (thread & 31))]
                z = b_ + dot
                work[uint32(a + n * 64 + i)] = real(0.0) if z <= real(0.0) else z
        cuda.syncthreads()


@jit(max_registers=248)
def dense_a_alone(params, x, work, N):
    """Do dense_a."""
    block = int32(cuda.blockIdx.x)
    dense_a(block, params, x, work, int32(0), int32(4096), int32(0), N)


@jit
def dense_z(params, work, out, W, b, x, N):
    """Write z."""
    # z[n, i] = b[i] + Σ_j W[i, j] x[n, j]
    parts = cuda.shared.array(2, real)
    thread = int32(cuda.threadIdx.x)
    row = int32(cuda.blockIdx.x)
    n = row // int32(10)
    i = row % int32(10)
    total = real(0.0)
    part = real(0.0)
    for j in range(thread, int32(64), int32(64)):
        part += params[W + i * 64 + j] * work[x + n * 64 + j]
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
        out[n * 10 + i] = params[b + i] + total


@device
def loss_penalty(block, params, work, W, penalty, N):
    """Write penalty."""
    # penalty = 5e−05 Σ_{i, j} W[i, j]²
    parts = cuda.shared.array(2, real)
    thread = int32(cuda.threadIdx.x)
    total = real(0.0)
    part = real(0.0)
    for entry in range(thread, int32(4096), int32(64)):
        i = entry // int32(64)
        j = entry % int32(64)
        part += params[W + i * 64 + j] * params[W + i * 64 + j]
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
        work[penalty] = real(5e-05) * total


@device
def loss_penalty_2(block, params, work, W, penalty, N):
    """Write penalty."""
    # penalty = 5e−05 Σ_{i, j} W[i, j]²
    parts = cuda.shared.array(2, real)
    thread = int32(cuda.threadIdx.x)
    total = real(0.0)
    part = real(0.0)
    for entry in range(thread, int32(640), int32(64)):
        i = entry // int32(64)
        j = entry % int32(64)
        part += params[W + i * 64 + j] * params[W + i * 64 + j]
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
        work[penalty] = real(5e-05) * total


@jit(max_registers=248)
def side_by_side(params, x, work, N):
    """Do dense_a, loss_penalty and loss_penalty_2, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(((N + 31) // 32) * 2)
    end_2 = int32(end_1 + 1)
    if block < end_1:
        dense_a(block, params, x, work, int32(0), int32(4096), int32(0), N)
    elif block < end_2:
        loss_penalty(int32(block - end_1), params, work, int32(0), int32(168 * N + 4), N)
    else:
        loss_penalty_2(int32(block - end_2), params, work, int32(4160), int32(168 * N + 8), N)


@jit
def dense_z_2(params, work, W, b, x, z, N):
    """Write z."""
    # z[n, i] = b[i] + Σ_j W[i, j] x[n, j]
    parts = cuda.shared.array(2, real)
    thread = int32(cuda.threadIdx.x)
    row = int32(cuda.blockIdx.x)
    n = row // int32(10)
    i = row % int32(10)
    total = real(0.0)
    part = real(0.0)
    for j in range(thread, int32(64), int32(64)):
        part += params[W + i * 64 + j] * work[x + n * 64 + j]
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
        work[z + n * 10 + i] = params[b + i] + total


@jit
def write_loss_p_to_write_loss_L(work, y, a, p, L, N):
    """Write p and L."""
    n = int32(cuda.grid(1))
    if n < N:
        # p[n, i] = exp(a[n, i] − log Σ_j exp(a[n, j]))
        top = real(-math.inf)
        for j in range(int32(10)):
            candidate = work[a + n * 10 + j]
            top = candidate if (candidate > top) | (candidate != candidate) else top
        shift = top if abs(top) != real(math.inf) else real(0.0)
        total = real(0.0)
        for j in range(int32(10)):
            total += math.exp(work[a + n * 10 + j] - shift)
        for i in range(int32(10)):
            work[p + n * 10 + i] = math.exp(work[a + n * 10 + i] - shift) / total
        # L[n] = log Σ_i exp(a[n, i]) − a[n, y[n]]
        work[L + n] = shift + math.log(total) - work[a + n * 10 + int32(y[n])]


@device
def write_loss_data(block, work, L, loss_, N):
    """Write loss."""
    # loss = (Σ_n L[n])/N
    parts = cuda.shared.array(4, real)
    thread = int32(cuda.threadIdx.x)
    total = real(0.0)
    part = real(0.0)
    for n in range(thread, N, int32(128)):
        part += work[L + n]
    # The parts of a warp's threads, then those of all warps, in one order always.
    lanes = int32(16)
    while lanes > 0:
        part += cuda.shfl_xor_sync(0xFFFFFFFF, part, lanes)
        lanes = lanes // int32(2)
    if thread % int32(32) == 0:
        parts[thread // int32(32)] = part
    cuda.syncthreads()
    for warp in range(int32(4)):
        total += parts[warp]
    if thread == 0:
        work[loss_] = total / real(N)


@jit
def write_loss_data_alone(work, N):
    """Do write_loss_data."""
    block = int32(cuda.blockIdx.x)
    write_loss_data(block, work, int32(88 * N), int32(168 * N), N)


@device
def loss_total(block, work, t_1, t_2, t_3, total, N):
    """Write total."""
    # total = t_1 + t_2 + t_3
    thread = int32(cuda.threadIdx.x)
    if thread == 0:
        work[total] = work[t_1] + work[t_2] + work[t_3]


@jit
def loss_total_alone(work, N):
    """Do loss_total."""
    block = int32(cuda.blockIdx.x)
    loss_total(block, work, int32(168 * N), int32(168 * N + 4), int32(168 * N + 8), int32(168 * N + 12), N)


@jit
def write_loss_p_to_dense_delta(work, y, a, p, L, delta, N):
    """Write p, L and delta."""
    n = int32(cuda.grid(1))
    if n < N:
        # p[n, i] = exp(a[n, i] − log Σ_j exp(a[n, j]))
        top = real(-math.inf)
        for j in range(int32(10)):
            candidate = work[a + n * 10 + j]
            top = candidate if (candidate > top) | (candidate != candidate) else top
        shift = top if abs(top) != real(math.inf) else real(0.0)
        total = real(0.0)
        for j in range(int32(10)):
            total += math.exp(work[a + n * 10 + j] - shift)
        for i in range(int32(10)):
            work[p + n * 10 + i] = math.exp(work[a + n * 10 + i] - shift) / total
        # L[n] = log Σ_i exp(a[n, i]) − a[n, y[n]]
        work[L + n] = shift + math.log(total) - work[a + n * 10 + int32(y[n])]
        # delta[n, i] = (p[n, i] − [i = y[n]])/N
        for i in range(int32(10)):
            p_ = work[p + n * 10 + i]
            work[delta + n * 10 + i] = (p_ - (real(1.0) if i == int32(y[n]) else real(0.0))) / real(N)


@device
def dense_grad_W(block, params, work, grads, W, delta, x, grad_W, N):
    """Write grad_W."""
    # grad_W[i, j] = 0.0001 W[i, j] + Σ_n delta[n, i] x[n, j]
    entry = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if entry < int32(640):
        i = entry // int32(64)
        j = entry % int32(64)
        total = real(0.0)
        for n in range(N):
            total += work[delta + n * 10 + i] * work[x + n * 64 + j]
        grads[grad_W + i * 64 + j] = real(0.0001) * params[W + i * 64 + j] + total


@device
def dense_grad_b(block, work, grads, delta, grad_b, N):
    """Write grad_b."""
    # grad_b[i] = Σ_n delta[n, i]
    i = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if i < int32(10):
        total = real(0.0)
        for n in range(N):
            total += work[delta + n * 10 + i]
        grads[grad_b + i] = total


@device
def dense_delta_2(block, params, work, W_next, a, delta_next, delta, N):
    """Write delta."""
    # delta[n, i] = [a[n, i] > 0] Σ_j W_next[j, i] delta_next[n, j]
    entry = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if entry < N * int32(64):
        n = entry // int32(64)
        i = entry % int32(64)
        total = real(0.0)
        for j in range(int32(10)):
            total += params[W_next + j * 64 + i] * work[delta_next + n * 10 + j]
        a_ = work[a + n * 64 + i]
        work[delta + n * 64 + i] = real(0.0) if a_ <= real(0.0) else total


@jit
def side_by_side_2(work, params, grads, N):
    """Do write_loss_data, dense_grad_W, dense_grad_b and dense_delta_2, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(1)
    end_2 = int32(end_1 + 5)
    end_3 = int32(end_2 + 1)
    if block < end_1:
        write_loss_data(block, work, int32(88 * N), int32(168 * N), N)
    elif block < end_2:
        dense_grad_W(int32(block - end_1), params, work, grads, int32(4160), int32(92 * N), int32(0), int32(4160), N)
    elif block < end_3:
        dense_grad_b(int32(block - end_2), work, grads, int32(92 * N), int32(4800), N)
    else:
        dense_delta_2(int32(block - end_3), params, work, int32(4160), int32(0), int32(92 * N), int32(104 * N), N)


@jit
def side_by_side_4(work, params, N):
    """Do write_loss_data and dense_delta_2, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(1)
    if block < end_1:
        write_loss_data(block, work, int32(88 * N), int32(168 * N), N)
    else:
        dense_delta_2(int32(block - end_1), params, work, int32(4160), int32(0), int32(92 * N), int32(104 * N), N)


@device
def dense_grad_W_2(block, params, work, x, grads, W, delta, grad_W, N):
    """Write grad_W in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each."""
    # grad_W[i, j] = 0.0001 W[i, j] + Σ_n delta[n, i] x[n, j]
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(block)
    column = int32(block % uint32(2) * 32)
    block = uint32(block // uint32(2))
    row = int32(block * 32)
    first = int32(0)
    # What the thread reads of a tile, and where it puts that.
    i_0 = int32(row + (thread & 7) * 4)
    left_put = int32((thread >> 3) * 36 + (thread & 7) * 4)
    j_0 = int32(column + (thread & 7) * 4)
    right_put = int32(576 + (thread >> 3) * 36 + (thread & 7) * 4)
    # What it multiplies: its rows of the left tile and its columns of the right one.
    left = int32((thread >> 3) * 4)
    right = int32(576 + (thread & 7) * 4)
    here = int32(0)
    sums = register_tile(4, 4, real(0.0))
    n_0 = int32(first + (thread >> 3))
    n_1 = int32(first + (thread >> 3) + 8)
    left_0 = ld4(work, int32(delta + i_0 + n_0 * 64), (i_0 < 64) & (n_0 < N))
    left_1 = ld4(work, int32(delta + i_0 + n_1 * 64), (i_0 < 64) & (n_1 < N))
    right_0 = ld4(x, int32(j_0 + n_0 * 64), (j_0 < 64) & (n_0 < N))
    right_1 = ld4(x, int32(j_0 + n_1 * 64), (j_0 < 64) & (n_1 < N))
    # dot = Σ_n delta[n, i] x[n, j]
    while first < N:
        st4(tiles, int32(here + left_put), left_0, 1)
        st4(tiles, int32(here + left_put + 288), left_1, 1)
        st4(tiles, int32(here + right_put), right_0, 1)
        st4(tiles, int32(here + right_put + 288), right_1, 1)
        cuda.syncthreads()
        first = int32(first + 16)
        n_0 = int32(first + (thread >> 3))
        n_1 = int32(first + (thread >> 3) + 8)
        left_0 = ld4(work, int32(delta + i_0 + n_0 * 64), (i_0 < 64) & (n_0 < N))
        left_1 = ld4(work, int32(delta + i_0 + n_1 * 64), (i_0 < 64) & (n_1 < N))
        right_0 = ld4(x, int32(j_0 + n_0 * 64), (j_0 < 64) & (n_0 < N))
        right_1 = ld4(x, int32(j_0 + n_1 * 64), (j_0 < 64) & (n_1 < N))
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
            if i < 64 and j < 64:
                dot = tiles[uint32(line * 32 + (thread & 31))]
                grads[uint32(grad_W + i * 64 + j)] = real(0.0001) * params[uint32(W + i * 64 + j)] + dot
        cuda.syncthreads()


@device
def dense_grad_b_2(block, work, grads, delta, grad_b, N):
    """Write grad_b."""
    # grad_b[i] = Σ_n delta[n, i]
    i = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if i < int32(64):
        total = real(0.0)
        for n in range(N):
            total += work[delta + n * 64 + i]
        grads[grad_b + i] = total


@jit(max_registers=248)
def side_by_side_3(params, work, x, grads, N):
    """Do dense_grad_W_2, loss_total and dense_grad_b_2, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(4)
    end_2 = int32(end_1 + 1)
    if block < end_1:
        dense_grad_W_2(block, params, work, x, grads, int32(0), int32(104 * N), int32(0), N)
    elif block < end_2:
        loss_total(int32(block - end_1), work, int32(168 * N), int32(168 * N + 4), int32(168 * N + 8), int32(168 * N + 12), N)
    else:
        dense_grad_b_2(int32(block - end_2), work, grads, int32(104 * N), int32(4096), N)


@device
def write_grad_x(block, params, work, grads_x, W, delta, N):
    """Write grad_x in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each."""
    # grad_x[n, j] = Σ_i W[i, j] delta[n, i]
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(block)
    column = int32(block % uint32(2) * 32)
    block = uint32(block // uint32(2))
    row = int32(block * 32)
    first = int32(0)
    # What the thread reads of a tile, and where it puts that.
    n_0 = int32(row + (thread >> 2))
    n_1 = int32(row + (thread >> 2) + 16)
    left_put = int32((thread & 3) * 144 + (thread >> 2))
    j_0 = int32(column + (thread & 7) * 4)
    right_put = int32(576 + (thread >> 3) * 36 + (thread & 7) * 4)
    # What it multiplies: its rows of the left tile and its columns of the right one.
    left = int32((thread >> 3) * 4)
    right = int32(576 + (thread & 7) * 4)
    here = int32(0)
    sums = register_tile(4, 4, real(0.0))
    i_0 = int32(first + (thread & 3) * 4)
    left_0 = ld4(work, int32(delta + n_0 * 64 + i_0), (n_0 < N) & (i_0 < 64))
    left_1 = ld4(work, int32(delta + n_1 * 64 + i_0), (n_1 < N) & (i_0 < 64))
    i_1 = int32(first + (thread >> 3))
    i_2 = int32(first + (thread >> 3) + 8)
    right_0 = ld4(params, int32(W + j_0 + i_1 * 64), (j_0 < 64) & (i_1 < 64))
    right_1 = ld4(params, int32(W + j_0 + i_2 * 64), (j_0 < 64) & (i_2 < 64))
    # dot = Σ_i W[i, j] delta[n, i]
    while first < 64:
        st4(tiles, int32(here + left_put), left_0, 36)
        st4(tiles, int32(here + left_put + 16), left_1, 36)
        st4(tiles, int32(here + right_put), right_0, 1)
        st4(tiles, int32(here + right_put + 288), right_1, 1)
        cuda.syncthreads()
        first = int32(first + 16)
        i_0 = int32(first + (thread & 3) * 4)
        left_0 = ld4(work, int32(delta + n_0 * 64 + i_0), (n_0 < N) & (i_0 < 64))
        left_1 = ld4(work, int32(delta + n_1 * 64 + i_0), (n_1 < N) & (i_0 < 64))
        i_1 = int32(first + (thread >> 3))
        i_2 = int32(first + (thread >> 3) + 8)
        right_0 = ld4(params, int32(W + j_0 + i_1 * 64), (j_0 < 64) & (i_1 < 64))
        right_1 = ld4(params, int32(W + j_0 + i_2 * 64), (j_0 < 64) & (i_2 < 64))
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
            n = int32(row + line * 4 + turn)
            if n < N and j < 64:
                dot = tiles[uint32(line * 32 + (thread & 31))]
                grads_x[uint32(n * 64 + j)] = dot
        cuda.syncthreads()


@jit(max_registers=248)
def side_by_side_5(params, work, grads_x, N):
    """Do write_grad_x and loss_total, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(((N + 31) // 32) * 2)
    if block < end_1:
        write_grad_x(block, params, work, grads_x, int32(0), int32(104 * N), N)
    else:
        loss_total(int32(block - end_1), work, int32(168 * N), int32(168 * N + 4), int32(168 * N + 8), int32(168 * N + 12), N)


@jit
def fill_table(state, hyper, table, count):
    """Compute for each of some steps what the optimizer has once for all entries, in float64, since powers of rates need it."""
    row = int32(cuda.grid(1))
    if row < count:
        lr = hyper[0]
        mu = hyper[1]
        table[row * 2] = real(lr)
        table[row * 2 + 1] = real(mu)


@jit
def update_entries(params, grads, state, table, losses, place, history, step, first, last):
    """Update the entries first .. last - 1 with the numbers of this step; a loss that is not finite changes nothing."""
    # v_next[p] = mu v[p] + g[p]
    # w_next[p] = w[p] − lr v_next[p]
    row, value = step[0], losses[place]
    p = first + int32(cuda.grid(1))
    if p < last and math.isfinite(value):
        lr = table[row * 2]
        mu = table[row * 2 + 1]
        v_next = state[p] * mu + grads[p]
        w_next = params[p] - lr * v_next
        state[p] = v_next
        params[p] = w_next
    if p == first:
        history[row] = value
        step[1] = row + int32(1)


@jit
def gather(all_x, all_y, order, step, x, y, shuffled, size, n):
    """Write the n rows of batch number step[1], the next one: those that order names, or as they lie."""
    k = int32(cuda.grid(1))
    number = step[1]
    if k == 0:
        step[0] = number
    if k < n * int32(64):
        row = int32(number * size + k // int32(64))
        row = int32(order[row]) if shuffled > 0 else row
        x[k] = all_x[row * 64 + k % int32(64)]
    if k < n:
        row = int32(number * size + k)
        row = int32(order[row]) if shuffled > 0 else row
        y[k] = all_y[row]


def launch_forward(params, x, out, work, n):
    """Start the forward pass of n samples."""
    # dense_1
    launch(dense_a_alone, ((n + 31) // 32) * 2, 64, params, x, work, n)
    # dense_2
    launch(dense_z, n * 10, 64, params, work, out, 4160, 4800, 0, n)


def launch_loss(params, x, y, work, n):
    """Start the loss of n samples."""
    # dense_1
    launch(side_by_side, ((n + 31) // 32) * 2 + 1 + 1, 64, params, x, work, n)
    # dense_2
    launch(dense_z_2, n * 10, 64, params, work, 4160, 4800, 0, 64 * n, n)
    # loss
    launch(write_loss_p_to_write_loss_L, (n + 127) // 128, 128, work, y, 64 * n, 76 * n, 88 * n, n)
    launch(write_loss_data_alone, 1, 128, work, n)
    launch(loss_total_alone, 1, 64, work, n)


def launch_value_and_grad(params, x, y, grads, work, n):
    """Start the loss and the gradients of n samples."""
    # dense_1
    launch(side_by_side, ((n + 31) // 32) * 2 + 1 + 1, 64, params, x, work, n)
    # dense_2
    launch(dense_z_2, n * 10, 64, params, work, 4160, 4800, 0, 64 * n, n)
    launch(write_loss_p_to_dense_delta, (n + 127) // 128, 128, work, y, 64 * n, 76 * n, 88 * n, 92 * n, n)
    # loss
    launch(side_by_side_2, 1 + 5 + 1 + (n * 64 + 127) // 128, 128, work, params, grads, n)
    # dense_1
    launch(side_by_side_3, 4 + 1 + 1, 64, params, work, x, grads, n)


def launch_input_gradients(params, x, y, grads_x, work, n):
    """Start the loss and the gradients of n samples with respect to the inputs."""
    # dense_1
    launch(side_by_side, ((n + 31) // 32) * 2 + 1 + 1, 64, params, x, work, n)
    # dense_2
    launch(dense_z_2, n * 10, 64, params, work, 4160, 4800, 0, 64 * n, n)
    launch(write_loss_p_to_dense_delta, (n + 127) // 128, 128, work, y, 64 * n, 76 * n, 88 * n, 92 * n, n)
    # loss
    launch(side_by_side_4, 1 + (n * 64 + 127) // 128, 128, work, params, n)
    # x
    launch(side_by_side_5, ((n + 31) // 32) * 2 + 1, 64, params, work, grads_x, n)


def launch_update(params, grads, state, hyper, table, losses, place, history, step):
    """Start the update of all parameters, if the loss at a place is finite; the table has the numbers of this step."""
    launch(update_entries, 38, 128, params, grads, state, table, losses, place, history, step, 0, 4810)


def launch_train_step(x, y, params, grads, state, hyper, table, work, history, step, n):
    """Start one training step of n samples."""
    launch(fill_table, 1, 128, state, hyper, table, 1)
    launch_value_and_grad(params, x, y, grads, work, n)
    launch_update(params, grads, state, hyper, table, work, 168 * n + 12, history, step)


def launch_step(all_x, all_y, order, x, y, params, grads, state, hyper, table, work, history, step, shuffled, size, n):
    """Start the next training step of an epoch, with n samples."""
    launch(gather, (n * 64 + 127) // 128, 128, all_x, all_y, order, step, x, y, shuffled, size, n)
    launch_value_and_grad(params, x, y, grads, work, n)
    launch_update(params, grads, state, hyper, table, work, 168 * n + 12, history, step)


def forward(params, x, out, work=None):
    """Write the network's output for a batch into out."""
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_out = room(out, 10 * n, DTYPE)
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_forward, d_params, d_x, d_out, d_work, n)
    give(d_out, out)


def loss(params, x, y, work=None):
    """Return the loss of a batch."""
    if not in_range(y, 0, 9):
        return math.nan
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_y = take(y, "int64")
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_loss, d_params, d_x, d_y, d_work, n)
    return number(d_work, 168 * n + 12)


def value_and_grad(params, x, y, grads, work=None):
    """Return the loss of a batch and write its gradients into grads."""
    if not in_range(y, 0, 9):
        return math.nan
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_y = take(y, "int64")
    d_grads = room(grads, 4810, DTYPE)
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_value_and_grad, d_params, d_x, d_y, d_grads, d_work, n)
    give(d_grads, grads)
    return number(d_work, 168 * n + 12)


def input_gradients(params, x, y, grads_x, work=None):
    """Return the loss of a batch and write its gradient with respect to the inputs."""
    if not in_range(y, 0, 9):
        return math.nan
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_y = take(y, "int64")
    d_grads_x = room(grads_x, 64 * n, DTYPE)
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_input_gradients, d_params, d_x, d_y, d_grads_x, d_work, n)
    give(d_grads_x, grads_x)
    return number(d_work, 168 * n + 12)


def update(params, grads, state, hyper):
    """Do one step of the optimizer with given gradients."""
    d_params = take(params, DTYPE)
    d_grads = take(grads, DTYPE)
    d_state = take(state, DTYPE)
    d_hyper = take(hyper, "float64")
    d_table, history = room(None, 2, DTYPE), room(None, 1, DTYPE)
    step = zeros(2, "int32")
    launch(fill_table, 1, 128, d_state, d_hyper, d_table, 1)
    d_losses = zeros(1, DTYPE)
    launch_update(d_params, d_grads, d_state, d_hyper, d_table, d_losses, 0, history, step)
    give(d_params, params)
    give(d_state, state)


def train_step(params, x, y, grads, state, hyper, work=None):
    """Return the loss and do one step of the optimizer; a loss that is not finite changes nothing."""
    if not in_range(y, 0, 9):
        return math.nan
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_y = take(y, "int64")
    d_grads = room(grads, 4810, DTYPE)
    d_state = take(state, DTYPE)
    d_hyper = take(hyper, "float64")
    d_table, history = room(None, 2, DTYPE), room(None, 1, DTYPE)
    step = zeros(2, "int32")
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_train_step, d_x, d_y, d_params, d_grads, d_state, d_hyper, d_table, d_work, history, step, n)
    give(d_grads, grads)
    give(d_params, params)
    give(d_state, state)
    return number(d_work, 168 * n + 12)


def epoch(params, x, y, order, size, batch_x, batch_y, grads, state, hyper, work=None):
    """Do train_step once for every batch of size samples, in order or as they lie if order is empty; batch_… are not used.

    Return the sum of the losses of all samples and 0, or a loss that is not finite and the number of its step.
    """
    if not in_range(y, 0, 9):
        return math.nan, 1
    samples = x.shape[0]
    count = -(-samples // size)
    d_params = take(params, DTYPE)
    all_x = take(x, DTYPE)
    all_y = take(y, "int64")
    d_order = take(order, "int64") if order.size else zeros(1, "int64")
    shuffled = 1 if order.size else 0
    d_x = room(None, 64 * size, DTYPE)
    d_y = room(None, size, "int64")
    d_grads = room(grads, 4810, DTYPE)
    d_state = take(state, DTYPE)
    d_hyper = take(hyper, "float64")
    d_table, history = room(None, count * 2, DTYPE), room(None, count, DTYPE)
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
    "dense_a_alone": ("float32[::1]", "float32[::1]", "float32[::1]", "int32"),
    "dense_z": ("float32[::1]", "float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "side_by_side": ("float32[::1]", "float32[::1]", "float32[::1]", "int32"),
    "dense_z_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32"),
    "write_loss_p_to_write_loss_L": ("float32[::1]", "int64[::1]", "int32", "int32", "int32", "int32"),
    "write_loss_data_alone": ("float32[::1]", "int32"),
    "loss_total_alone": ("float32[::1]", "int32"),
    "write_loss_p_to_dense_delta": ("float32[::1]", "int64[::1]", "int32", "int32", "int32", "int32", "int32"),
    "side_by_side_2": ("float32[::1]", "float32[::1]", "float32[::1]", "int32"),
    "side_by_side_4": ("float32[::1]", "float32[::1]", "int32"),
    "side_by_side_3": ("float32[::1]", "float32[::1]", "float32[::1]", "float32[::1]", "int32"),
    "side_by_side_5": ("float32[::1]", "float32[::1]", "float32[::1]", "int32"),
    "fill_table": ("float32[::1]", "float64[::1]", "float32[::1]", "int32"),
    "update_entries": (
        "float32[::1]", "float32[::1]", "float32[::1]", "float32[::1]", "float32[::1]", "int32", "float32[::1]", "int32[::1]", "int32",
        "int32",
    ),
    "gather": ("float32[::1]", "int64[::1]", "int64[::1]", "int32[::1]", "float32[::1]", "int64[::1]", "int32", "int32", "int32"),
}
#: Kernels that compute in float64 whatever DTYPE is.
FLOAT64 = ("fill_table",)
