"""Kernels of the network own_morphology for CUDA, compiled by Numba; they need NumPy, Numba and a GPU.

Written from the template numba_cuda/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: 8d8c20a0294958568d3eb9193b7e5916a786b0136fb5ec9d71983827bf5bf531
Schedule: layered; kernels are launched one after the other: a step needs 637,476 bytes of shared memory, a block has 49,152.

params, grads, state and work are contiguous 1-D arrays of type float32; x has one sample a row.
y has one number for each sample, integers from 0 to 9.
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

NAME = "own_morphology"
#: Name, offset and shape of each parameter in the flat buffers.
PARAMETERS = (
    ("outline_1.B", 0, (12, 3, 3)),
    ("outline_1.E", 108, (12, 3, 3)),
    ("dense_1.W", 216, (10, 192)),
    ("dense_1.b", 2136, (10,)),
)
DTYPE = "float32"
#: The largest batch.
BATCH = 32
STATE_SIZE = 4293
#: The optimizer's numbers with their defaults, in the order of the array hyper.
HYPER = (
    ("lr", 0.01),
    ("beta1", 0.9),
    ("beta2", 0.999),
    ("eps", 1e-08),
)
SCHEDULE = "layered"


def workspace(n):
    """Return how many elements of workspace a batch of n samples needs."""
    return 4688 * n + 4


@jit
def outline_grown_to_outline_a(params, x, work, B, grown, E, a, N):
    """Write grown and a."""
    entry = int32(cuda.grid(1))
    if entry < N * int32(768):
        n = entry // int32(768)
        k = entry // int32(64) % int32(12)
        h = entry // int32(8) % int32(8)
        w = entry % int32(8)
        # grown[n, k, h, w] = max_{u, v} (B[k, u, v] + x[n, 0, h + u − 1, v + w − 1]) · [0 ≤ h + u − 1 < 8] [0 ≤ v + w − 1 < 8]
        top = real(-math.inf)
        for u in range((int32(0) if int32(0) > 1 - h else 1 - h), (int32(3) if int32(3) < 9 - h else 9 - h)):
            for v in range((int32(0) if int32(0) > 1 - w else 1 - w), (int32(3) if int32(3) < 9 - w else 9 - w)):
                candidate = params[B + k * 9 + u * 3 + v] + x[n * 64 + (h + u - 1) * 8 + v + w - 1]
                top = candidate if (candidate > top) | (candidate != candidate) else top
        work[grown + n * 768 + k * 64 + h * 8 + w] = top
        # a[n, k, h, w] = grown[n, k, h, w] − shrunk[n, k, h, w]
        top = real(-math.inf)
        for u in range((int32(0) if int32(0) > 1 - h else 1 - h), (int32(3) if int32(3) < 9 - h else 9 - h)):
            for v in range((int32(0) if int32(0) > 1 - w else 1 - w), (int32(3) if int32(3) < 9 - w else 9 - w)):
                candidate = params[E + k * 9 + u * 3 + v] - x[n * 64 + (h + u - 1) * 8 + v + w - 1]
                top = candidate if (candidate > top) | (candidate != candidate) else top
        shrunk = -top
        work[a + n * 768 + k * 64 + h * 8 + w] = work[grown + n * 768 + k * 64 + h * 8 + w] - shrunk


@jit
def maxpool2d_a(work, x, a, N):
    """Write a."""
    # a[n, c, p, q] = max_{i, j} x[n, c, 2 p + i, 2 q + j]
    entry = int32(cuda.grid(1))
    if entry < N * int32(192):
        n = entry // int32(192)
        c = entry // int32(16) % int32(12)
        p = entry // int32(4) % int32(4)
        q = entry % int32(4)
        top = real(-math.inf)
        for i in range(int32(2)):
            for j in range(int32(2)):
                candidate = work[x + n * 768 + c * 64 + (2 * p + i) * 8 + 2 * q + j]
                top = candidate if (candidate > top) | (candidate != candidate) else top
        work[a + n * 192 + c * 16 + p * 4 + q] = top


@jit
def flatten_a(work, x, a, N):
    """Write a."""
    # a[n, k] = x[n, floor(k/16), floor(k/4) mod 4, k mod 4]
    entry = int32(cuda.grid(1))
    if entry < N * int32(192):
        n = entry // int32(192)
        k = entry % int32(192)
        work[a + n * 192 + k] = work[x + n * 192 + (k // int32(16)) * 16 + (k // int32(4) % int32(4)) * 4 + k % int32(4)]


@jit(max_registers=128)
def dense_z(params, work, W, x, parts, N):
    """Write parts in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each; the terms in 2 parts."""
    # parts[part, n, i] = Σ_j W[i, j] x[n, j]
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(cuda.blockIdx.x)
    row = int32(block % uint32((N + 31) // 32) * 32)
    block = uint32(block // uint32((N + 31) // 32))
    part = int32(block)
    stop = int32((192 + 31) // 32 * 16)
    first = int32(part * stop)
    stop = int32(first + stop if first + stop < 192 else 192)
    # What the thread reads of a tile, and where it puts that.
    n_0 = int32(row + (thread >> 2))
    n_1 = int32(row + (thread >> 2) + 16)
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
    left_0 = ld4(work, int32(x + n_0 * 192 + j_0), (n_0 < N) & (j_0 < stop))
    left_1 = ld4(work, int32(x + n_1 * 192 + j_0), (n_1 < N) & (j_0 < stop))
    right_0 = ld4(params, int32(W + i_0 * 192 + j_0), (i_0 < 10) & (j_0 < stop))
    right_1 = ld4(params, int32(W + i_1 * 192 + j_0), (i_1 < 10) & (j_0 < stop))
    # dot = Σ_j W[i, j] x[n, j]
    while first < stop:
        st4(tiles, int32(here + left_put), left_0, 36)
        st4(tiles, int32(here + left_put + 16), left_1, 36)
        st4(tiles, int32(here + right_put), right_0, 36)
        st4(tiles, int32(here + right_put + 16), right_1, 36)
        cuda.syncthreads()
        first = int32(first + 16)
        j_0 = int32(first + (thread & 3) * 4)
        left_0 = ld4(work, int32(x + n_0 * 192 + j_0), (n_0 < N) & (j_0 < stop))
        left_1 = ld4(work, int32(x + n_1 * 192 + j_0), (n_1 < N) & (j_0 < stop))
        right_0 = ld4(params, int32(W + i_0 * 192 + j_0), (i_0 < 10) & (j_0 < stop))
        right_1 = ld4(params, int32(W + i_1 * 192 + j_0), (i_1 < 10) & (j_0 < stop))
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
            n = int32(row + line * 4 + turn)
            if n < N and i < 10:
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(parts + part * 10 * N + n * 10 + i)] = dot
        cuda.syncthreads()


@jit
def dense_z_2(params, out, work, b, parts, N):
    """Write z."""
    # z[n, i] = b[i] + Σ_part parts[part, n, i]
    entry = int32(cuda.grid(1))
    if entry < N * int32(10):
        n = entry // int32(10)
        i = entry % int32(10)
        total = real(0.0)
        for part in range(int32(2)):
            total += work[parts + part * 10 * N + n * 10 + i]
        out[n * 10 + i] = params[b + i] + total


@jit
def outline_grown_2_to_outline_a_2(params, x, work, B, grown_argmax, grown, E, shrunk_argmax, a, N):
    """Write grown_argmax, grown, shrunk_argmax and a."""
    entry = int32(cuda.grid(1))
    if entry < N * int32(768):
        n = entry // int32(768)
        k = entry // int32(64) % int32(12)
        h = entry // int32(8) % int32(8)
        w = entry % int32(8)
        # grown_argmax[n, k, h, w] = (3 u + v at max_{u, v} (B[k, u, v] + x[n, 0, h + u − 1, v + w − 1]) · [0 ≤ h + u − 1 < 8] [0 ≤ v
        #     + w − 1 < 8])
        best = real(-math.inf)
        place = 0
        for u in range((int32(0) if int32(0) > 1 - h else 1 - h), (int32(3) if int32(3) < 9 - h else 9 - h)):
            for v in range((int32(0) if int32(0) > 1 - w else 1 - w), (int32(3) if int32(3) < 9 - w else 9 - w)):
                candidate = params[B + k * 9 + u * 3 + v] + x[n * 64 + (h + u - 1) * 8 + v + w - 1]
                larger = (candidate > best) | ((candidate != candidate) & (best == best))
                best = candidate if larger else best
                place = 3 * u + v if larger else place
        work[grown_argmax + n * 768 + k * 64 + h * 8 + w] = real(place)
        # grown[n, k, h, w] = max_{u, v} (B[k, u, v] + x[n, 0, h + u − 1, v + w − 1]) · [0 ≤ h + u − 1 < 8] [0 ≤ v + w − 1 < 8]
        work[grown + n * 768 + k * 64 + h * 8 + w] = best
        # shrunk_argmax[n, k, h, w] = (3 u + v at max_{u, v} (E[k, u, v] − x[n, 0, h + u − 1, v + w − 1]) · [0 ≤ h + u − 1 < 8] [0 ≤ v
        #     + w − 1 < 8])
        best = real(-math.inf)
        place = 0
        for u in range((int32(0) if int32(0) > 1 - h else 1 - h), (int32(3) if int32(3) < 9 - h else 9 - h)):
            for v in range((int32(0) if int32(0) > 1 - w else 1 - w), (int32(3) if int32(3) < 9 - w else 9 - w)):
                candidate = params[E + k * 9 + u * 3 + v] - x[n * 64 + (h + u - 1) * 8 + v + w - 1]
                larger = (candidate > best) | ((candidate != candidate) & (best == best))
                best = candidate if larger else best
                place = 3 * u + v if larger else place
        work[shrunk_argmax + n * 768 + k * 64 + h * 8 + w] = real(place)
        # a[n, k, h, w] = grown[n, k, h, w] − shrunk[n, k, h, w]
        shrunk = -best
        work[a + n * 768 + k * 64 + h * 8 + w] = work[grown + n * 768 + k * 64 + h * 8 + w] - shrunk


@jit
def maxpool2d_a_2(work, x, a_argmax, a, N):
    """Write a_argmax and a."""
    entry = int32(cuda.grid(1))
    if entry < N * int32(192):
        n = entry // int32(192)
        c = entry // int32(16) % int32(12)
        p = entry // int32(4) % int32(4)
        q = entry % int32(4)
        # a_argmax[n, c, p, q] = (2 i + j at max_{i, j} x[n, c, 2 p + i, 2 q + j])
        best = real(-math.inf)
        place = 0
        for i in range(int32(2)):
            for j in range(int32(2)):
                candidate = work[x + n * 768 + c * 64 + (2 * p + i) * 8 + 2 * q + j]
                larger = (candidate > best) | ((candidate != candidate) & (best == best))
                best = candidate if larger else best
                place = 2 * i + j if larger else place
        work[a_argmax + n * 192 + c * 16 + p * 4 + q] = real(place)
        # a[n, c, p, q] = max_{i, j} x[n, c, 2 p + i, 2 q + j]
        work[a + n * 192 + c * 16 + p * 4 + q] = best


@jit(max_registers=128)
def dense_z_3(params, work, W, x, parts, N):
    """Write parts in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each; the terms in 2 parts."""
    # parts[part, n, i] = Σ_j W[i, j] x[n, j]
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(cuda.blockIdx.x)
    row = int32(block % uint32((N + 31) // 32) * 32)
    block = uint32(block // uint32((N + 31) // 32))
    part = int32(block)
    stop = int32((192 + 31) // 32 * 16)
    first = int32(part * stop)
    stop = int32(first + stop if first + stop < 192 else 192)
    # What the thread reads of a tile, and where it puts that.
    n_0 = int32(row + (thread >> 2))
    n_1 = int32(row + (thread >> 2) + 16)
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
    left_0 = ld4(work, int32(x + n_0 * 192 + j_0), (n_0 < N) & (j_0 < stop))
    left_1 = ld4(work, int32(x + n_1 * 192 + j_0), (n_1 < N) & (j_0 < stop))
    right_0 = ld4(params, int32(W + i_0 * 192 + j_0), (i_0 < 10) & (j_0 < stop))
    right_1 = ld4(params, int32(W + i_1 * 192 + j_0), (i_1 < 10) & (j_0 < stop))
    # dot = Σ_j W[i, j] x[n, j]
    while first < stop:
        st4(tiles, int32(here + left_put), left_0, 36)
        st4(tiles, int32(here + left_put + 16), left_1, 36)
        st4(tiles, int32(here + right_put), right_0, 36)
        st4(tiles, int32(here + right_put + 16), right_1, 36)
        cuda.syncthreads()
        first = int32(first + 16)
        j_0 = int32(first + (thread & 3) * 4)
        left_0 = ld4(work, int32(x + n_0 * 192 + j_0), (n_0 < N) & (j_0 < stop))
        left_1 = ld4(work, int32(x + n_1 * 192 + j_0), (n_1 < N) & (j_0 < stop))
        right_0 = ld4(params, int32(W + i_0 * 192 + j_0), (i_0 < 10) & (j_0 < stop))
        right_1 = ld4(params, int32(W + i_1 * 192 + j_0), (i_1 < 10) & (j_0 < stop))
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
            n = int32(row + line * 4 + turn)
            if n < N and i < 10:
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(parts + part * 10 * N + n * 10 + i)] = dot
        cuda.syncthreads()


@jit
def dense_z_4_to_write_loss_L(params, work, y, b, z, parts, p, L, N):
    """Write z, p and L."""
    n = int32(cuda.grid(1))
    if n < N:
        # z[n, i] = b[i] + Σ_part parts[part, n, i]
        for i in range(int32(10)):
            total = real(0.0)
            for part in range(int32(2)):
                total += work[parts + part * 10 * N + n * 10 + i]
            work[z + n * 10 + i] = params[b + i] + total
        # p[n, i] = exp(z[n, i] − log Σ_j exp(z[n, j]))
        top = real(-math.inf)
        for j in range(int32(10)):
            candidate = work[z + n * 10 + j]
            top = candidate if (candidate > top) | (candidate != candidate) else top
        shift = top if abs(top) != real(math.inf) else real(0.0)
        total = real(0.0)
        for j in range(int32(10)):
            total += math.exp(work[z + n * 10 + j] - shift)
        for i in range(int32(10)):
            work[p + n * 10 + i] = math.exp(work[z + n * 10 + i] - shift) / total
        # L[n] = log Σ_i exp(z[n, i]) − z[n, y[n]]
        work[L + n] = shift + math.log(total) - work[z + n * 10 + int32(y[n])]


@device
def loss_total(block, work, L, loss_, N):
    """Write loss."""
    # loss = (Σ_n L[n])/N
    parts = cuda.shared.array(2, real)
    thread = int32(cuda.threadIdx.x)
    total = real(0.0)
    part = real(0.0)
    for n in range(thread, N, int32(64)):
        part += work[L + n]
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
        work[loss_] = total / real(N)


@jit
def loss_total_alone(work, N):
    """Do loss_total."""
    block = int32(cuda.blockIdx.x)
    loss_total(block, work, int32(3672 * N), int32(4648 * N), N)


@jit
def dense_z_4_to_dense_delta(params, work, y, b, z, parts, p, L, delta, N):
    """Write z, p, L and delta."""
    n = int32(cuda.grid(1))
    if n < N:
        # z[n, i] = b[i] + Σ_part parts[part, n, i]
        for i in range(int32(10)):
            total = real(0.0)
            for part in range(int32(2)):
                total += work[parts + part * 10 * N + n * 10 + i]
            work[z + n * 10 + i] = params[b + i] + total
        # p[n, i] = exp(z[n, i] − log Σ_j exp(z[n, j]))
        top = real(-math.inf)
        for j in range(int32(10)):
            candidate = work[z + n * 10 + j]
            top = candidate if (candidate > top) | (candidate != candidate) else top
        shift = top if abs(top) != real(math.inf) else real(0.0)
        total = real(0.0)
        for j in range(int32(10)):
            total += math.exp(work[z + n * 10 + j] - shift)
        for i in range(int32(10)):
            work[p + n * 10 + i] = math.exp(work[z + n * 10 + i] - shift) / total
        # L[n] = log Σ_i exp(z[n, i]) − z[n, y[n]]
        work[L + n] = shift + math.log(total) - work[z + n * 10 + int32(y[n])]
        # delta[n, i] = (p[n, i] − [i = y[n]])/N
        for i in range(int32(10)):
            p_ = work[p + n * 10 + i]
            work[delta + n * 10 + i] = (p_ - (real(1.0) if i == int32(y[n]) else real(0.0))) / real(N)


@device
def dense_grad_W(block, work, grads, delta, x, grad_W, N):
    """Write grad_W in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each."""
    # grad_W[i, j] = Σ_n delta[n, i] x[n, j]
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(block)
    column = int32(block * 32)
    first = int32(0)
    # What the thread reads of a tile, and where it puts that.
    i_0 = int32(thread & 31)
    left_put = int32((thread >> 5) * 36 + (thread & 31))
    j_0 = int32(column + (thread & 7) * 4)
    right_put = int32(576 + (thread >> 3) * 36 + (thread & 7) * 4)
    # What it multiplies: its rows of the left tile and its columns of the right one.
    left = int32((thread >> 3) * 4)
    right = int32(576 + (thread & 7) * 4)
    here = int32(0)
    sums = register_tile(4, 4, real(0.0))
    n_0 = int32(first + (thread >> 5))
    n_1 = int32(first + (thread >> 5) + 2)
    n_2 = int32(first + (thread >> 5) + 4)
    n_3 = int32(first + (thread >> 5) + 6)
    n_4 = int32(first + (thread >> 5) + 8)
    n_5 = int32(first + (thread >> 5) + 10)
    n_6 = int32(first + (thread >> 5) + 12)
    n_7 = int32(first + (thread >> 5) + 14)
    left_0 = work[uint32(delta + i_0 + n_0 * 10)] if (i_0 < 10) & (n_0 < N) else real(0.0)
    left_1 = work[uint32(delta + i_0 + n_1 * 10)] if (i_0 < 10) & (n_1 < N) else real(0.0)
    left_2 = work[uint32(delta + i_0 + n_2 * 10)] if (i_0 < 10) & (n_2 < N) else real(0.0)
    left_3 = work[uint32(delta + i_0 + n_3 * 10)] if (i_0 < 10) & (n_3 < N) else real(0.0)
    left_4 = work[uint32(delta + i_0 + n_4 * 10)] if (i_0 < 10) & (n_4 < N) else real(0.0)
    left_5 = work[uint32(delta + i_0 + n_5 * 10)] if (i_0 < 10) & (n_5 < N) else real(0.0)
    left_6 = work[uint32(delta + i_0 + n_6 * 10)] if (i_0 < 10) & (n_6 < N) else real(0.0)
    left_7 = work[uint32(delta + i_0 + n_7 * 10)] if (i_0 < 10) & (n_7 < N) else real(0.0)
    n_8 = int32(first + (thread >> 3))
    n_9 = int32(first + (thread >> 3) + 8)
    right_0 = ld4(work, int32(x + j_0 + n_8 * 192), (j_0 < 192) & (n_8 < N))
    right_1 = ld4(work, int32(x + j_0 + n_9 * 192), (j_0 < 192) & (n_9 < N))
    # dot = Σ_n delta[n, i] x[n, j]
    while first < N:
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
        n_0 = int32(first + (thread >> 5))
        n_1 = int32(first + (thread >> 5) + 2)
        n_2 = int32(first + (thread >> 5) + 4)
        n_3 = int32(first + (thread >> 5) + 6)
        n_4 = int32(first + (thread >> 5) + 8)
        n_5 = int32(first + (thread >> 5) + 10)
        n_6 = int32(first + (thread >> 5) + 12)
        n_7 = int32(first + (thread >> 5) + 14)
        left_0 = work[uint32(delta + i_0 + n_0 * 10)] if (i_0 < 10) & (n_0 < N) else real(0.0)
        left_1 = work[uint32(delta + i_0 + n_1 * 10)] if (i_0 < 10) & (n_1 < N) else real(0.0)
        left_2 = work[uint32(delta + i_0 + n_2 * 10)] if (i_0 < 10) & (n_2 < N) else real(0.0)
        left_3 = work[uint32(delta + i_0 + n_3 * 10)] if (i_0 < 10) & (n_3 < N) else real(0.0)
        left_4 = work[uint32(delta + i_0 + n_4 * 10)] if (i_0 < 10) & (n_4 < N) else real(0.0)
        left_5 = work[uint32(delta + i_0 + n_5 * 10)] if (i_0 < 10) & (n_5 < N) else real(0.0)
        left_6 = work[uint32(delta + i_0 + n_6 * 10)] if (i_0 < 10) & (n_6 < N) else real(0.0)
        left_7 = work[uint32(delta + i_0 + n_7 * 10)] if (i_0 < 10) & (n_7 < N) else real(0.0)
        n_8 = int32(first + (thread >> 3))
        n_9 = int32(first + (thread >> 3) + 8)
        right_0 = ld4(work, int32(x + j_0 + n_8 * 192), (j_0 < 192) & (n_8 < N))
        right_1 = ld4(work, int32(x + j_0 + n_9 * 192), (j_0 < 192) & (n_9 < N))
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
            if i < 10 and j < 192:
                dot = tiles[uint32(line * 32 + (thread & 31))]
                grads[uint32(grad_W + i * 192 + j)] = dot
        cuda.syncthreads()


@device
def flatten_grad_a(block, params, work, W, delta, grad_a, N):
    """Write grad_a in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each."""
    # grad_a[n, j] = Σ_i W[i, j] delta[n, i]
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(block)
    column = int32(block % uint32(6) * 32)
    block = uint32(block // uint32(6))
    row = int32(block * 32)
    first = int32(0)
    # What the thread reads of a tile, and where it puts that.
    n_0 = int32(row + (thread >> 4))
    n_1 = int32(row + (thread >> 4) + 4)
    n_2 = int32(row + (thread >> 4) + 8)
    n_3 = int32(row + (thread >> 4) + 12)
    n_4 = int32(row + (thread >> 4) + 16)
    n_5 = int32(row + (thread >> 4) + 20)
    n_6 = int32(row + (thread >> 4) + 24)
    n_7 = int32(row + (thread >> 4) + 28)
    left_put = int32((thread & 15) * 36 + (thread >> 4))
    j_0 = int32(column + (thread & 7) * 4)
    right_put = int32(576 + (thread >> 3) * 36 + (thread & 7) * 4)
    # What it multiplies: its rows of the left tile and its columns of the right one.
    left = int32((thread >> 3) * 4)
    right = int32(576 + (thread & 7) * 4)
    here = int32(0)
    sums = register_tile(4, 4, real(0.0))
    i_0 = int32(first + (thread & 15))
    left_0 = work[uint32(delta + n_0 * 10 + i_0)] if (n_0 < N) & (i_0 < 10) else real(0.0)
    left_1 = work[uint32(delta + n_1 * 10 + i_0)] if (n_1 < N) & (i_0 < 10) else real(0.0)
    left_2 = work[uint32(delta + n_2 * 10 + i_0)] if (n_2 < N) & (i_0 < 10) else real(0.0)
    left_3 = work[uint32(delta + n_3 * 10 + i_0)] if (n_3 < N) & (i_0 < 10) else real(0.0)
    left_4 = work[uint32(delta + n_4 * 10 + i_0)] if (n_4 < N) & (i_0 < 10) else real(0.0)
    left_5 = work[uint32(delta + n_5 * 10 + i_0)] if (n_5 < N) & (i_0 < 10) else real(0.0)
    left_6 = work[uint32(delta + n_6 * 10 + i_0)] if (n_6 < N) & (i_0 < 10) else real(0.0)
    left_7 = work[uint32(delta + n_7 * 10 + i_0)] if (n_7 < N) & (i_0 < 10) else real(0.0)
    i_1 = int32(first + (thread >> 3))
    i_2 = int32(first + (thread >> 3) + 8)
    right_0 = ld4(params, int32(W + j_0 + i_1 * 192), (j_0 < 192) & (i_1 < 10))
    right_1 = ld4(params, int32(W + j_0 + i_2 * 192), (j_0 < 192) & (i_2 < 10))
    # dot = Σ_i W[i, j] delta[n, i]
    while first < 10:
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
        left_0 = work[uint32(delta + n_0 * 10 + i_0)] if (n_0 < N) & (i_0 < 10) else real(0.0)
        left_1 = work[uint32(delta + n_1 * 10 + i_0)] if (n_1 < N) & (i_0 < 10) else real(0.0)
        left_2 = work[uint32(delta + n_2 * 10 + i_0)] if (n_2 < N) & (i_0 < 10) else real(0.0)
        left_3 = work[uint32(delta + n_3 * 10 + i_0)] if (n_3 < N) & (i_0 < 10) else real(0.0)
        left_4 = work[uint32(delta + n_4 * 10 + i_0)] if (n_4 < N) & (i_0 < 10) else real(0.0)
        left_5 = work[uint32(delta + n_5 * 10 + i_0)] if (n_5 < N) & (i_0 < 10) else real(0.0)
        left_6 = work[uint32(delta + n_6 * 10 + i_0)] if (n_6 < N) & (i_0 < 10) else real(0.0)
        left_7 = work[uint32(delta + n_7 * 10 + i_0)] if (n_7 < N) & (i_0 < 10) else real(0.0)
        i_1 = int32(first + (thread >> 3))
        i_2 = int32(first + (thread >> 3) + 8)
        right_0 = ld4(params, int32(W + j_0 + i_1 * 192), (j_0 < 192) & (i_1 < 10))
        right_1 = ld4(params, int32(W + j_0 + i_2 * 192), (j_0 < 192) & (i_2 < 10))
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
            if n < N and j < 192:
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(grad_a + n * 192 + j)] = dot
        cuda.syncthreads()


@jit(max_registers=248)
def side_by_side_3(params, work, N):
    """Do flatten_grad_a and loss_total, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(((N + 31) // 32) * 6)
    if block < end_1:
        flatten_grad_a(block, params, work, int32(216), int32(3676 * N), int32(3688 * N), N)
    else:
        loss_total(int32(block - end_1), work, int32(3672 * N), int32(4648 * N), N)


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


@jit(max_registers=248)
def side_by_side(work, grads, params, N):
    """Do dense_grad_W, flatten_grad_a, loss_total and dense_grad_b, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(6)
    end_2 = int32(end_1 + ((N + 31) // 32) * 6)
    end_3 = int32(end_2 + 1)
    if block < end_1:
        dense_grad_W(block, work, grads, int32(3676 * N), int32(3456 * N), int32(216), N)
    elif block < end_2:
        flatten_grad_a(int32(block - end_1), params, work, int32(216), int32(3676 * N), int32(3688 * N), N)
    elif block < end_3:
        loss_total(int32(block - end_2), work, int32(3672 * N), int32(4648 * N), N)
    else:
        dense_grad_b(int32(block - end_3), work, grads, int32(3676 * N), int32(2136), N)


@jit
def outline_grad_a(work, a_argmax, grad_a_2, grad_a, N):
    """Write grad_a."""
    # grad_a[n, c, h, w] = grad_a_2[n, 4 floor(h/2) + 16 c + floor(w/2)] [2 · (h mod 2) + (w mod 2) = a_argmax[n, c, floor(h/2),
    #     floor(w/2)]]
    entry = int32(cuda.grid(1))
    if entry < N * int32(768):
        n = entry // int32(768)
        c = entry // int32(64) % int32(12)
        H = entry // int32(16) % int32(4)
        W = entry // int32(4) % int32(4)
        i = entry // int32(2) % int32(2)
        j = entry % int32(2)
        grad_a_2_ = work[grad_a_2 + n * 192 + 4 * H + 16 * c + W]
        a_argmax_ = work[a_argmax + n * 192 + c * 16 + H * 4 + W]
        work[grad_a + n * 768 + c * 64 + (2 * H + i) * 8 + 2 * W + j] = grad_a_2_ if real(2 * i + j) == a_argmax_ else real(0.0)


@device
def outline_grad_B(block, work, grads, grad_a, grown_argmax, grad_B, N):
    """Write grad_B."""
    # grad_B[k, u, v] = Σ_{n, h, w} grad_a[n, k, h, w] [0 ≤ h + u − 1 < 8] [0 ≤ v + w − 1 < 8] [3 u + v = grown_argmax[n, k, h, w]]
    parts = cuda.shared.array(8, real)
    thread = int32(cuda.threadIdx.x)
    row = block
    k = row // int32(9)
    u = row // int32(3) % int32(3)
    v = row % int32(3)
    total = real(0.0)
    part = real(0.0)
    first_h = (int32(0) if int32(0) > 1 - u else 1 - u)
    count_h = (int32(8) if int32(8) < 9 - u else 9 - u) - (int32(0) if int32(0) > 1 - u else 1 - u)
    first_w = (int32(0) if int32(0) > 1 - v else 1 - v)
    count_w = (int32(8) if int32(8) < 9 - v else 9 - v) - (int32(0) if int32(0) > 1 - v else 1 - v)
    for entry in range(thread, count_h * count_w * N, int32(256)):
        n = entry // (count_h * count_w)
        h = first_h + entry // count_w % count_h
        w = first_w + entry % count_w
        part += (
            work[grad_a + n * 768 + k * 64 + h * 8 + w] if real(3 * u + v) == work[grown_argmax + n * 768 + k * 64 + h * 8 + w]
            else real(0.0)
        )
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
        grads[grad_B + k * 9 + u * 3 + v] = total


@device
def outline_grad_E(block, work, grads, grad_a, shrunk_argmax, grad_E, N):
    """Write grad_E."""
    # grad_E[k, u, v] = Σ_{n, h, w} grad_a[n, k, h, w] [0 ≤ h + u − 1 < 8] [0 ≤ v + w − 1 < 8] [3 u + v = shrunk_argmax[n, k, h, w]]
    parts = cuda.shared.array(8, real)
    thread = int32(cuda.threadIdx.x)
    row = block
    k = row // int32(9)
    u = row // int32(3) % int32(3)
    v = row % int32(3)
    total = real(0.0)
    part = real(0.0)
    first_h = (int32(0) if int32(0) > 1 - u else 1 - u)
    count_h = (int32(8) if int32(8) < 9 - u else 9 - u) - (int32(0) if int32(0) > 1 - u else 1 - u)
    first_w = (int32(0) if int32(0) > 1 - v else 1 - v)
    count_w = (int32(8) if int32(8) < 9 - v else 9 - v) - (int32(0) if int32(0) > 1 - v else 1 - v)
    for entry in range(thread, count_h * count_w * N, int32(256)):
        n = entry // (count_h * count_w)
        h = first_h + entry // count_w % count_h
        w = first_w + entry % count_w
        part += (
            work[grad_a + n * 768 + k * 64 + h * 8 + w] if real(3 * u + v) == work[shrunk_argmax + n * 768 + k * 64 + h * 8 + w]
            else real(0.0)
        )
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
        grads[grad_E + k * 9 + u * 3 + v] = total


@jit
def side_by_side_2(work, grads, N):
    """Do outline_grad_B and outline_grad_E, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(108)
    if block < end_1:
        outline_grad_B(block, work, grads, int32(3880 * N), int32(0), int32(0), N)
    else:
        outline_grad_E(int32(block - end_1), work, grads, int32(3880 * N), int32(1536 * N), int32(108), N)


@jit
def write_grad_x(work, grads_x, grad_a, grown_argmax, shrunk_argmax, N):
    """Write grad_x."""
    # grad_x[n, c, h, w] = (Σ_{k, i, j} grad_a[n, k, 1 + h − i, 1 + w − j] [0 ≤ 1 + h − i < 8] [0 ≤ 1 + w − j < 8] [3 i + j
    #     = grown_argmax[n, k, 1 + h − i, 1 + w − j]] − Σ_{k, i, j} grad_a[n, k, 1 + h − i, 1 + w − j] [0 ≤ 1 + h − i < 8] [0 ≤ 1 + w − j
    #     < 8] [3 i + j = shrunk_argmax[n, k, 1 + h − i, 1 + w − j]]) · [c = 0]
    entry = int32(cuda.grid(1))
    if entry < N * int32(64):
        n = entry // int32(64)
        c = int32(0)
        h = entry // int32(8) % int32(8)
        w = entry % int32(8)
        total = real(0.0)
        for k in range(int32(12)):
            for i in range((int32(0) if int32(0) > h - 6 else h - 6), (int32(3) if int32(3) < h + 2 else h + 2)):
                for j in range((int32(0) if int32(0) > w - 6 else w - 6), (int32(3) if int32(3) < w + 2 else w + 2)):
                    total += (
                        work[grad_a + n * 768 + k * 64 + (h + 1 - i) * 8 + w + 1 - j] if real(3 * i + j) == work[shrunk_argmax + n * 768 + k
                        * 64 + (h + 1 - i) * 8 + w + 1 - j] else real(0.0)
                    )
        total_2 = real(0.0)
        for k in range(int32(12)):
            for i in range((int32(0) if int32(0) > h - 6 else h - 6), (int32(3) if int32(3) < h + 2 else h + 2)):
                for j in range((int32(0) if int32(0) > w - 6 else w - 6), (int32(3) if int32(3) < w + 2 else w + 2)):
                    total_2 += (
                        work[grad_a + n * 768 + k * 64 + (h + 1 - i) * 8 + w + 1 - j] if real(3 * i + j) == work[grown_argmax + n * 768 + k
                        * 64 + (h + 1 - i) * 8 + w + 1 - j] else real(0.0)
                    )
        grads_x[n * 64 + c * 64 + h * 8 + w] = total_2 - total if c == 0 else real(0.0)


@jit
def fill_table(state, hyper, table, count):
    """Compute for each of some steps what the optimizer has once for all entries, in float64, since powers of rates need it."""
    row = int32(cuda.grid(1))
    if row < count:
        lr = hyper[0]
        beta1 = hyper[1]
        beta2 = hyper[2]
        eps = hyper[3]
        t = float64(state[4292])
        for _ in range(row):
            t_next = float64(1.0) + t
            t = t_next
        t_next = float64(1.0) + t
        factor = float64(1.0) - beta1
        factor_2 = float64(1.0) - beta2
        c_1 = float64(1.0) - beta1 ** t_next
        c_2 = float64(1.0) - beta2 ** t_next
        factor_3 = float64(1.0) / c_2
        factor_4 = -lr / c_1
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
    # m_next[p] = (1 − beta1) · g[p] + beta1 m[p]
    # v_next[p] = g[p]² · (1 − beta2) + beta2 v[p]
    # c_1 = 1 − beta1^t_next
    # c_2 = 1 − beta2^t_next
    # w_next[p] = w[p] − lr m_next[p]/((√(v_next[p]/c_2) + eps) · c_1)
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
        v_next = grads[p] * grads[p] * factor_2 + state[2146 + p] * beta2
        w_next = factor_4 * m_next / (math.sqrt(factor_3 * v_next) + eps) + params[p]
        state[p] = m_next
        state[2146 + p] = v_next
        params[p] = w_next
    if p == first:
        history[row] = value
        step[1] = row + int32(1)
        if math.isfinite(value):
            state[4292] = table[row * 8 + 7]


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
    # outline_1
    launch(outline_grown_to_outline_a, (n * 768 + 127) // 128, 128, params, x, work, 0, 768 * n, 108, 2304 * n, n)
    # maxpool2d_1
    launch(maxpool2d_a, (n * 192 + 127) // 128, 128, work, 2304 * n, 3264 * n, n)
    # flatten_1
    launch(flatten_a, (n * 192 + 127) // 128, 128, work, 3264 * n, 3456 * n, n)
    # dense_1
    launch(dense_z, ((n + 31) // 32) * 2, 64, params, work, 216, 3456 * n, 4648 * n + 4, n)
    launch(dense_z_2, (n * 10 + 127) // 128, 128, params, out, work, 2136, 4648 * n + 4, n)


def launch_loss(params, x, y, work, n):
    """Start the loss of n samples."""
    # outline_1
    launch(outline_grown_2_to_outline_a_2, (n * 768 + 127) // 128, 128, params, x, work, 0, 0, 768 * n, 108, 1536 * n, 2304 * n, n)
    # maxpool2d_1
    launch(maxpool2d_a_2, (n * 192 + 127) // 128, 128, work, 2304 * n, 3072 * n, 3264 * n, n)
    # flatten_1
    launch(flatten_a, (n * 192 + 127) // 128, 128, work, 3264 * n, 3456 * n, n)
    # dense_1
    launch(dense_z_3, ((n + 31) // 32) * 2, 64, params, work, 216, 3456 * n, 4668 * n + 4, n)
    # loss
    launch(dense_z_4_to_write_loss_L, (n + 127) // 128, 128, params, work, y, 2136, 3648 * n, 4668 * n + 4, 3660 * n, 3672 * n, n)
    launch(loss_total_alone, 1, 64, work, n)


def launch_value_and_grad(params, x, y, grads, work, n):
    """Start the loss and the gradients of n samples."""
    # outline_1
    launch(outline_grown_2_to_outline_a_2, (n * 768 + 127) // 128, 128, params, x, work, 0, 0, 768 * n, 108, 1536 * n, 2304 * n, n)
    # maxpool2d_1
    launch(maxpool2d_a_2, (n * 192 + 127) // 128, 128, work, 2304 * n, 3072 * n, 3264 * n, n)
    # flatten_1
    launch(flatten_a, (n * 192 + 127) // 128, 128, work, 3264 * n, 3456 * n, n)
    # dense_1
    launch(dense_z_3, ((n + 31) // 32) * 2, 64, params, work, 216, 3456 * n, 4668 * n + 4, n)
    launch(dense_z_4_to_dense_delta, (n + 127) // 128, 128, params, work, y, 2136, 3648 * n, 4668 * n + 4, 3660 * n, 3672 * n, 3676 * n, n)
    launch(side_by_side, 6 + ((n + 31) // 32) * 6 + 1 + 1, 64, work, grads, params, n)
    # outline_1
    launch(outline_grad_a, (n * 768 + 127) // 128, 128, work, 3072 * n, 3688 * n, 3880 * n, n)
    launch(side_by_side_2, 108 + 108, 256, work, grads, n)


def launch_input_gradients(params, x, y, grads_x, work, n):
    """Start the loss and the gradients of n samples with respect to the inputs."""
    # outline_1
    launch(outline_grown_2_to_outline_a_2, (n * 768 + 127) // 128, 128, params, x, work, 0, 0, 768 * n, 108, 1536 * n, 2304 * n, n)
    # maxpool2d_1
    launch(maxpool2d_a_2, (n * 192 + 127) // 128, 128, work, 2304 * n, 3072 * n, 3264 * n, n)
    # flatten_1
    launch(flatten_a, (n * 192 + 127) // 128, 128, work, 3264 * n, 3456 * n, n)
    # dense_1
    launch(dense_z_3, ((n + 31) // 32) * 2, 64, params, work, 216, 3456 * n, 4668 * n + 4, n)
    launch(dense_z_4_to_dense_delta, (n + 127) // 128, 128, params, work, y, 2136, 3648 * n, 4668 * n + 4, 3660 * n, 3672 * n, 3676 * n, n)
    # flatten_1
    launch(side_by_side_3, ((n + 31) // 32) * 6 + 1, 64, params, work, n)
    # outline_1
    launch(outline_grad_a, (n * 768 + 127) // 128, 128, work, 3072 * n, 3688 * n, 3880 * n, n)
    # x
    launch(write_grad_x, (n * 64 + 127) // 128, 128, work, grads_x, 3880 * n, 0, 1536 * n, n)


def launch_update(params, grads, state, hyper, table, losses, place, history, step):
    """Start the update of all parameters, if the loss at a place is finite; the table has the numbers of this step."""
    launch(update_entries, 17, 128, params, grads, state, table, losses, place, history, step, 0, 2146)


def launch_train_step(x, y, params, grads, state, hyper, table, work, history, step, n):
    """Start one training step of n samples."""
    launch(fill_table, 1, 128, state, hyper, table, 1)
    launch_value_and_grad(params, x, y, grads, work, n)
    launch_update(params, grads, state, hyper, table, work, 4648 * n, history, step)


def launch_step(all_x, all_y, order, x, y, params, grads, state, hyper, table, work, history, step, shuffled, size, n):
    """Start the next training step of an epoch, with n samples."""
    launch(gather, (n * 64 + 127) // 128, 128, all_x, all_y, order, step, x, y, shuffled, size, n)
    launch_value_and_grad(params, x, y, grads, work, n)
    launch_update(params, grads, state, hyper, table, work, 4648 * n, history, step)


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
    return number(d_work, 4648 * n)


def value_and_grad(params, x, y, grads, work=None):
    """Return the loss of a batch and write its gradients into grads."""
    if not in_range(y, 0, 9):
        return math.nan
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_y = take(y, "int64")
    d_grads = room(grads, 2146, DTYPE)
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_value_and_grad, d_params, d_x, d_y, d_grads, d_work, n)
    give(d_grads, grads)
    return number(d_work, 4648 * n)


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
    return number(d_work, 4648 * n)


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
    if not in_range(y, 0, 9):
        return math.nan
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_y = take(y, "int64")
    d_grads = room(grads, 2146, DTYPE)
    d_state = take(state, DTYPE)
    d_hyper = take(hyper, "float64")
    d_table, history = room(None, 8, DTYPE), room(None, 1, DTYPE)
    step = zeros(2, "int32")
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_train_step, d_x, d_y, d_params, d_grads, d_state, d_hyper, d_table, d_work, history, step, n)
    give(d_grads, grads)
    give(d_params, params)
    give(d_state, state)
    return number(d_work, 4648 * n)


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
    d_grads = room(grads, 2146, DTYPE)
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
    "outline_grown_to_outline_a": ("float32[::1]", "float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32"),
    "maxpool2d_a": ("float32[::1]", "int32", "int32", "int32"),
    "flatten_a": ("float32[::1]", "int32", "int32", "int32"),
    "dense_z": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "dense_z_2": ("float32[::1]", "float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "outline_grown_2_to_outline_a_2": (
        "float32[::1]", "float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32", "int32", "int32",
    ),
    "maxpool2d_a_2": ("float32[::1]", "int32", "int32", "int32", "int32"),
    "dense_z_3": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "dense_z_4_to_write_loss_L": ("float32[::1]", "float32[::1]", "int64[::1]", "int32", "int32", "int32", "int32", "int32", "int32"),
    "loss_total_alone": ("float32[::1]", "int32"),
    "dense_z_4_to_dense_delta": (
        "float32[::1]", "float32[::1]", "int64[::1]", "int32", "int32", "int32", "int32", "int32", "int32", "int32",
    ),
    "side_by_side_3": ("float32[::1]", "float32[::1]", "int32"),
    "side_by_side": ("float32[::1]", "float32[::1]", "float32[::1]", "int32"),
    "outline_grad_a": ("float32[::1]", "int32", "int32", "int32", "int32"),
    "side_by_side_2": ("float32[::1]", "float32[::1]", "int32"),
    "write_grad_x": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "fill_table": ("float32[::1]", "float64[::1]", "float32[::1]", "int32"),
    "update_entries": (
        "float32[::1]", "float32[::1]", "float32[::1]", "float32[::1]", "float32[::1]", "int32", "float32[::1]", "int32[::1]", "int32",
        "int32",
    ),
    "gather": ("float32[::1]", "int64[::1]", "int64[::1]", "int32[::1]", "float32[::1]", "int64[::1]", "int32", "int32", "int32"),
}
#: Kernels that compute in float64 whatever DTYPE is.
FLOAT64 = ("fill_table",)
