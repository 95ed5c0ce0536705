"""Kernels of the network resnet_block for CUDA, compiled by Numba; they need NumPy, Numba and a GPU.

Written from the template numba_cuda/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: 82b347f5e51aa41d2ff6afd59ff994c22c4a089bfc6d1307007185f57ec5a8e6
Schedule: layered; kernels are launched one after the other: random layers and running statistics are computed by launches of their own.

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

NAME = "resnet_block"
#: Name, offset and shape of each parameter in the flat buffers.
PARAMETERS = (
    ("conv2d_1.W", 0, (16, 1, 3, 3)),
    ("batchnorm_1.gamma", 144, (16,)),
    ("batchnorm_1.beta", 160, (16,)),
    ("conv2d_2.W", 176, (16, 16, 3, 3)),
    ("batchnorm_2.gamma", 2480, (16,)),
    ("batchnorm_2.beta", 2496, (16,)),
    ("conv2d_3.W", 2512, (16, 16, 3, 3)),
    ("batchnorm_3.gamma", 4816, (16,)),
    ("batchnorm_3.beta", 4832, (16,)),
    ("dense_1.W", 4848, (10, 256)),
    ("dense_1.b", 7408, (10,)),
)
#: Name, offset, shape and first value of each running statistic; in params they lie behind the parameters.
STATISTICS = (
    ("batchnorm_1.running_mean", 7418, (16,), 0.0),
    ("batchnorm_1.running_var", 7434, (16,), 1.0),
    ("batchnorm_2.running_mean", 7450, (16,), 0.0),
    ("batchnorm_2.running_var", 7466, (16,), 1.0),
    ("batchnorm_3.running_mean", 7482, (16,), 0.0),
    ("batchnorm_3.running_var", 7498, (16,), 1.0),
)
DTYPE = "float32"
#: The largest batch.
BATCH = 32
STATE_SIZE = 14837
#: The optimizer's numbers with their defaults, in the order of the array hyper.
HYPER = (
    ("lr", 0.005),
    ("beta1", 0.9),
    ("beta2", 0.999),
    ("eps", 1e-08),
)
SCHEDULE = "layered"


def workspace(n):
    """Return how many elements of workspace a batch of n samples needs."""
    return 20384 * n + 152404


@device
def conv2d_z_right(x, N, column, term):
    """Return an entry of the right factor, 0 outside of it."""
    n = int32(column // uint32(64))
    p = int32(column // uint32(8) % uint32(8))
    q = int32(column % uint32(8))
    c = int32(0)
    u = int32(term // uint32(3))
    v = int32(term % uint32(3))
    inside = (column < N * 64) & (term < 9) & (uint32(p + u - 1) < uint32(8)) & (uint32(q + v - 1) < uint32(8))
    entry = real(0.0)
    if inside:
        entry = x[uint32(n * 64 + c * 64 + (p + u - 1) * 8 + q + v - 1)]
    return entry


@device
def conv2d_z(block, params, x, work, W, z, N):
    """Write z in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each."""
    # z[n, k, p, q] = Σ_{c, u, v} W[k, c, u, v] x[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q + v − 1 < 8]
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(block)
    column = int32(block * 32)
    first = int32(0)
    # What the thread reads of a tile, and where it puts that.
    k_0 = int32(thread >> 4)
    k_1 = int32((thread >> 4) + 4)
    k_2 = int32((thread >> 4) + 8)
    k_3 = int32((thread >> 4) + 12)
    k_4 = int32((thread >> 4) + 16)
    k_5 = int32((thread >> 4) + 20)
    k_6 = int32((thread >> 4) + 24)
    k_7 = int32((thread >> 4) + 28)
    left_put = int32((thread & 15) * 36 + (thread >> 4))
    column_0 = uint32(column + (thread & 31))
    right_put = int32(576 + (thread >> 5) * 36 + (thread & 31))
    # What it multiplies: its rows of the left tile and its columns of the right one.
    left = int32((thread >> 3) * 4)
    right = int32(576 + (thread & 7) * 4)
    here = int32(0)
    sums = register_tile(4, 4, real(0.0))
    term_0 = uint32(first + (thread & 15))
    left_0 = params[uint32(W + k_0 * 9 + term_0)] if (k_0 < 16) & (term_0 < 9) else real(0.0)
    left_1 = params[uint32(W + k_1 * 9 + term_0)] if (k_1 < 16) & (term_0 < 9) else real(0.0)
    left_2 = params[uint32(W + k_2 * 9 + term_0)] if (k_2 < 16) & (term_0 < 9) else real(0.0)
    left_3 = params[uint32(W + k_3 * 9 + term_0)] if (k_3 < 16) & (term_0 < 9) else real(0.0)
    left_4 = params[uint32(W + k_4 * 9 + term_0)] if (k_4 < 16) & (term_0 < 9) else real(0.0)
    left_5 = params[uint32(W + k_5 * 9 + term_0)] if (k_5 < 16) & (term_0 < 9) else real(0.0)
    left_6 = params[uint32(W + k_6 * 9 + term_0)] if (k_6 < 16) & (term_0 < 9) else real(0.0)
    left_7 = params[uint32(W + k_7 * 9 + term_0)] if (k_7 < 16) & (term_0 < 9) else real(0.0)
    term_1 = uint32(first + (thread >> 5))
    right_0 = conv2d_z_right(x, N, column_0, term_1)
    right_1 = conv2d_z_right(x, N, column_0, uint32(term_1 + 2))
    right_2 = conv2d_z_right(x, N, column_0, uint32(term_1 + 4))
    right_3 = conv2d_z_right(x, N, column_0, uint32(term_1 + 6))
    right_4 = conv2d_z_right(x, N, column_0, uint32(term_1 + 8))
    right_5 = conv2d_z_right(x, N, column_0, uint32(term_1 + 10))
    right_6 = conv2d_z_right(x, N, column_0, uint32(term_1 + 12))
    right_7 = conv2d_z_right(x, N, column_0, uint32(term_1 + 14))
    # dot = Σ_{c, u, v} W[k, c, u, v] x[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q + v − 1 < 8]
    while first < 9:
        left_to = uint32(here + left_put)
        tiles[left_to] = left_0
        tiles[left_to + uint32(4)] = left_1
        tiles[left_to + uint32(8)] = left_2
        tiles[left_to + uint32(12)] = left_3
        tiles[left_to + uint32(16)] = left_4
        tiles[left_to + uint32(20)] = left_5
        tiles[left_to + uint32(24)] = left_6
        tiles[left_to + uint32(28)] = left_7
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
        term_0 = uint32(first + (thread & 15))
        left_0 = params[uint32(W + k_0 * 9 + term_0)] if (k_0 < 16) & (term_0 < 9) else real(0.0)
        left_1 = params[uint32(W + k_1 * 9 + term_0)] if (k_1 < 16) & (term_0 < 9) else real(0.0)
        left_2 = params[uint32(W + k_2 * 9 + term_0)] if (k_2 < 16) & (term_0 < 9) else real(0.0)
        left_3 = params[uint32(W + k_3 * 9 + term_0)] if (k_3 < 16) & (term_0 < 9) else real(0.0)
        left_4 = params[uint32(W + k_4 * 9 + term_0)] if (k_4 < 16) & (term_0 < 9) else real(0.0)
        left_5 = params[uint32(W + k_5 * 9 + term_0)] if (k_5 < 16) & (term_0 < 9) else real(0.0)
        left_6 = params[uint32(W + k_6 * 9 + term_0)] if (k_6 < 16) & (term_0 < 9) else real(0.0)
        left_7 = params[uint32(W + k_7 * 9 + term_0)] if (k_7 < 16) & (term_0 < 9) else real(0.0)
        term_1 = uint32(first + (thread >> 5))
        right_0 = conv2d_z_right(x, N, column_0, term_1)
        right_1 = conv2d_z_right(x, N, column_0, uint32(term_1 + 2))
        right_2 = conv2d_z_right(x, N, column_0, uint32(term_1 + 4))
        right_3 = conv2d_z_right(x, N, column_0, uint32(term_1 + 6))
        right_4 = conv2d_z_right(x, N, column_0, uint32(term_1 + 8))
        right_5 = conv2d_z_right(x, N, column_0, uint32(term_1 + 10))
        right_6 = conv2d_z_right(x, N, column_0, uint32(term_1 + 12))
        right_7 = conv2d_z_right(x, N, column_0, uint32(term_1 + 14))
        sums = multiply_add(sums, tiles, int32(here + left), int32(here + right), 32, 32, 16)
        here = int32(1152 - here)
    cuda.syncthreads()
    # Results go through shared memory, a row of each thread at a time, so that neighbouring threads write neighbours.
    stage = int32((thread >> 3) * 32 + (thread & 7) * 4)
    result_column = uint32(column + (thread & 31))
    n = int32(result_column // uint32(64))
    p = int32(result_column // uint32(8) % uint32(8))
    q = int32(result_column % uint32(8))
    for turn in range(opaque(int32(4))):
        store_row(sums, turn, tiles, stage, 32)
        cuda.syncthreads()
        for lap in range(int32(4)):
            line = int32(lap * 2 + (thread >> 5))
            k = int32(line * 4 + turn)
            if k < 16 and result_column < N * 64:
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(z + n * 1024 + k * 64 + p * 8 + q)] = dot
        cuda.syncthreads()


@jit(max_registers=248)
def conv2d_z_alone(params, x, work, N):
    """Do conv2d_z."""
    block = int32(cuda.blockIdx.x)
    conv2d_z(block, params, x, work, int32(0), int32(0), N)


@device
def batchnorm_sigma_2(block, params, work, running_var, sigma, N):
    """Write sigma."""
    # sigma[c] = √(1e−05 + running_var[c])
    c = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if c < int32(16):
        work[sigma + c] = math.sqrt(real(1e-05) + params[running_var + c])


@jit(max_registers=248)
def side_by_side(params, x, work, N):
    """Do conv2d_z, batchnorm_sigma_2, batchnorm_sigma_2 and batchnorm_sigma_2, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32((N * 64 + 31) // 32)
    end_2 = int32(end_1 + 1)
    end_3 = int32(end_2 + 1)
    if block < end_1:
        conv2d_z(block, params, x, work, int32(0), int32(0), N)
    elif block < end_2:
        batchnorm_sigma_2(int32(block - end_1), params, work, int32(7434), int32(10768 * N), N)
    elif block < end_3:
        batchnorm_sigma_2(int32(block - end_2), params, work, int32(7466), int32(10768 * N + 16), N)
    else:
        batchnorm_sigma_2(int32(block - end_3), params, work, int32(7498), int32(10768 * N + 32), N)


@jit
def batchnorm_a_2_to_activation_a(params, work, running_mean, sigma, x, beta, gamma, a, a_, N):
    """Write a and a_."""
    entry = int32(cuda.grid(1))
    if entry < N * int32(1024):
        n = entry // int32(1024)
        c = entry // int32(64) % int32(16)
        h = entry // int32(8) % int32(8)
        w = entry % int32(8)
        # a[n, c, h, w] = gamma[c] x_hat[n, c, h, w] + beta[c]
        x_hat = (work[x + n * 1024 + c * 64 + h * 8 + w] - params[running_mean + c]) / work[sigma + c]
        work[a + n * 1024 + c * 64 + h * 8 + w] = params[gamma + c] * x_hat + params[beta + c]
        # a_[n, c, h, w] = a[n, c, h, w] [a[n, c, h, w] > 0]
        x_ = work[a + n * 1024 + c * 64 + h * 8 + w]
        work[a_ + n * 1024 + c * 64 + h * 8 + w] = real(0.0) if x_ <= real(0.0) else x_


@device
def conv2d_z_2_right(work, x, N, column, term):
    """Return an entry of the right factor, 0 outside of it."""
    n = int32(column // uint32(64))
    p = int32(column // uint32(8) % uint32(8))
    q = int32(column % uint32(8))
    c = int32(term // uint32(9))
    u = int32(term // uint32(3) % uint32(3))
    v = int32(term % uint32(3))
    inside = (column < N * 64) & (term < 144) & (uint32(p + u - 1) < uint32(8)) & (uint32(q + v - 1) < uint32(8))
    entry = real(0.0)
    if inside:
        entry = work[uint32(x + n * 1024 + c * 64 + (p + u - 1) * 8 + q + v - 1)]
    return entry


@jit(max_registers=128)
def conv2d_z_2(params, work, W, x, z, N):
    """Write z in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each."""
    # z[n, k, p, q] = Σ_{c, u, v} W[k, c, u, v] x[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q + v − 1 < 8]
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(cuda.blockIdx.x)
    column = int32(block * 32)
    first = int32(0)
    # What the thread reads of a tile, and where it puts that.
    k_0 = int32(thread >> 2)
    k_1 = int32((thread >> 2) + 16)
    left_put = int32((thread & 3) * 144 + (thread >> 2))
    column_0 = uint32(column + (thread & 31))
    right_put = int32(576 + (thread >> 5) * 36 + (thread & 31))
    # What it multiplies: its rows of the left tile and its columns of the right one.
    left = int32((thread >> 3) * 4)
    right = int32(576 + (thread & 7) * 4)
    here = int32(0)
    sums = register_tile(4, 4, real(0.0))
    term_0 = uint32(first + (thread & 3) * 4)
    left_0 = ld4(params, int32(W + k_0 * 144 + term_0), (k_0 < 16) & (term_0 < 144))
    left_1 = ld4(params, int32(W + k_1 * 144 + term_0), (k_1 < 16) & (term_0 < 144))
    term_1 = uint32(first + (thread >> 5))
    right_0 = conv2d_z_2_right(work, x, N, column_0, term_1)
    right_1 = conv2d_z_2_right(work, x, N, column_0, uint32(term_1 + 2))
    right_2 = conv2d_z_2_right(work, x, N, column_0, uint32(term_1 + 4))
    right_3 = conv2d_z_2_right(work, x, N, column_0, uint32(term_1 + 6))
    right_4 = conv2d_z_2_right(work, x, N, column_0, uint32(term_1 + 8))
    right_5 = conv2d_z_2_right(work, x, N, column_0, uint32(term_1 + 10))
    right_6 = conv2d_z_2_right(work, x, N, column_0, uint32(term_1 + 12))
    right_7 = conv2d_z_2_right(work, x, N, column_0, uint32(term_1 + 14))
    # dot = Σ_{c, u, v} W[k, c, u, v] x[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q + v − 1 < 8]
    while first < 144:
        st4(tiles, int32(here + left_put), left_0, 36)
        st4(tiles, int32(here + left_put + 16), left_1, 36)
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
        term_0 = uint32(first + (thread & 3) * 4)
        left_0 = ld4(params, int32(W + k_0 * 144 + term_0), (k_0 < 16) & (term_0 < 144))
        left_1 = ld4(params, int32(W + k_1 * 144 + term_0), (k_1 < 16) & (term_0 < 144))
        term_1 = uint32(first + (thread >> 5))
        right_0 = conv2d_z_2_right(work, x, N, column_0, term_1)
        right_1 = conv2d_z_2_right(work, x, N, column_0, uint32(term_1 + 2))
        right_2 = conv2d_z_2_right(work, x, N, column_0, uint32(term_1 + 4))
        right_3 = conv2d_z_2_right(work, x, N, column_0, uint32(term_1 + 6))
        right_4 = conv2d_z_2_right(work, x, N, column_0, uint32(term_1 + 8))
        right_5 = conv2d_z_2_right(work, x, N, column_0, uint32(term_1 + 10))
        right_6 = conv2d_z_2_right(work, x, N, column_0, uint32(term_1 + 12))
        right_7 = conv2d_z_2_right(work, x, N, column_0, uint32(term_1 + 14))
        sums = multiply_add(sums, tiles, int32(here + left), int32(here + right), 32, 32, 16)
        here = int32(1152 - here)
    cuda.syncthreads()
    # Results go through shared memory, a row of each thread at a time, so that neighbouring threads write neighbours.
    stage = int32((thread >> 3) * 32 + (thread & 7) * 4)
    result_column = uint32(column + (thread & 31))
    n = int32(result_column // uint32(64))
    p = int32(result_column // uint32(8) % uint32(8))
    q = int32(result_column % uint32(8))
    for turn in range(opaque(int32(4))):
        store_row(sums, turn, tiles, stage, 32)
        cuda.syncthreads()
        for lap in range(int32(4)):
            line = int32(lap * 2 + (thread >> 5))
            k = int32(line * 4 + turn)
            if k < 16 and result_column < N * 64:
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(z + n * 1024 + k * 64 + p * 8 + q)] = dot
        cuda.syncthreads()


@jit
def batchnorm_a_2_to_activation_a_2(params, work, running_mean, sigma, x, beta, gamma, a, x_1, a_, a__, N):
    """Write a, a_ and a__."""
    entry = int32(cuda.grid(1))
    if entry < N * int32(1024):
        n = entry // int32(1024)
        c = entry // int32(64) % int32(16)
        h = entry // int32(8) % int32(8)
        w = entry % int32(8)
        # a[n, c, h, w] = gamma[c] x_hat[n, c, h, w] + beta[c]
        x_hat = (work[x + n * 1024 + c * 64 + h * 8 + w] - params[running_mean + c]) / work[sigma + c]
        work[a + n * 1024 + c * 64 + h * 8 + w] = params[gamma + c] * x_hat + params[beta + c]
        # a_[n, c, h, w] = a[n, c, h, w] + x_1[n, c, h, w]
        work[a_ + n * 1024 + c * 64 + h * 8 + w] = work[a + n * 1024 + c * 64 + h * 8 + w] + work[x_1 + n * 1024 + c * 64 + h * 8 + w]
        # a__[n, c, h, w] = a_[n, c, h, w] [a_[n, c, h, w] > 0]
        x_ = work[a_ + n * 1024 + c * 64 + h * 8 + w]
        work[a__ + n * 1024 + c * 64 + h * 8 + w] = real(0.0) if x_ <= real(0.0) else x_


@jit
def avgpool2d_a(work, x, a, N):
    """Write a."""
    # a[n, c, p, q] = (Σ_{i, j} x[n, c, 2 p + i, 2 q + j])/4
    entry = int32(cuda.grid(1))
    if entry < N * int32(256):
        n = entry // int32(256)
        c = entry // int32(16) % int32(16)
        p = entry // int32(4) % int32(4)
        q = entry % int32(4)
        total = real(0.0)
        for i in range(int32(2)):
            for j in range(int32(2)):
                total += work[x + n * 1024 + c * 64 + (2 * p + i) * 8 + 2 * q + j]
        work[a + n * 256 + c * 16 + p * 4 + q] = total / real(4.0)


@jit
def flatten_a(work, x, a, N):
    """Write a."""
    # a[n, k] = x[n, floor(k/16), floor(k/4) mod 4, k mod 4]
    entry = int32(cuda.grid(1))
    if entry < N * int32(256):
        n = entry // int32(256)
        k = entry % int32(256)
        work[a + n * 256 + k] = work[x + n * 256 + (k // int32(16)) * 16 + (k // int32(4) % int32(4)) * 4 + k % int32(4)]


@jit(max_registers=128)
def dense_z(params, work, W, x, parts, N):
    """Write parts in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each; the terms in 4 parts."""
    # parts[part, n, i] = Σ_j W[i, j] x[n, j]
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(cuda.blockIdx.x)
    row = int32(block % uint32((N + 31) // 32) * 32)
    block = uint32(block // uint32((N + 31) // 32))
    part = int32(block)
    stop = int32((256 + 63) // 64 * 16)
    first = int32(part * stop)
    stop = int32(first + stop if first + stop < 256 else 256)
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
    left_0 = ld4(work, int32(x + n_0 * 256 + j_0), (n_0 < N) & (j_0 < stop))
    left_1 = ld4(work, int32(x + n_1 * 256 + j_0), (n_1 < N) & (j_0 < stop))
    right_0 = ld4(params, int32(W + i_0 * 256 + j_0), (i_0 < 10) & (j_0 < stop))
    right_1 = ld4(params, int32(W + i_1 * 256 + j_0), (i_1 < 10) & (j_0 < stop))
    # dot = Σ_j W[i, j] x[n, j]
    while first < stop:
        st4(tiles, int32(here + left_put), left_0, 36)
        st4(tiles, int32(here + left_put + 16), left_1, 36)
        st4(tiles, int32(here + right_put), right_0, 36)
        st4(tiles, int32(here + right_put + 16), right_1, 36)
        cuda.syncthreads()
        first = int32(first + 16)
        j_0 = int32(first + (thread & 3) * 4)
        left_0 = ld4(work, int32(x + n_0 * 256 + j_0), (n_0 < N) & (j_0 < stop))
        left_1 = ld4(work, int32(x + n_1 * 256 + j_0), (n_1 < N) & (j_0 < stop))
        right_0 = ld4(params, int32(W + i_0 * 256 + j_0), (i_0 < 10) & (j_0 < stop))
        right_1 = ld4(params, int32(W + i_1 * 256 + j_0), (i_1 < 10) & (j_0 < stop))
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
        for part in range(int32(4)):
            total += work[parts + part * 10 * N + n * 10 + i]
        out[n * 10 + i] = params[b + i] + total


@jit(max_registers=128)
def dense_z_3(params, work, W, x, parts, N):
    """Write parts in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each; the terms in 4 parts."""
    # parts[part, n, i] = Σ_j W[i, j] x[n, j]
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(cuda.blockIdx.x)
    row = int32(block % uint32((N + 31) // 32) * 32)
    block = uint32(block // uint32((N + 31) // 32))
    part = int32(block)
    stop = int32((256 + 63) // 64 * 16)
    first = int32(part * stop)
    stop = int32(first + stop if first + stop < 256 else 256)
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
    left_0 = ld4(work, int32(x + n_0 * 256 + j_0), (n_0 < N) & (j_0 < stop))
    left_1 = ld4(work, int32(x + n_1 * 256 + j_0), (n_1 < N) & (j_0 < stop))
    right_0 = ld4(params, int32(W + i_0 * 256 + j_0), (i_0 < 10) & (j_0 < stop))
    right_1 = ld4(params, int32(W + i_1 * 256 + j_0), (i_1 < 10) & (j_0 < stop))
    # dot = Σ_j W[i, j] x[n, j]
    while first < stop:
        st4(tiles, int32(here + left_put), left_0, 36)
        st4(tiles, int32(here + left_put + 16), left_1, 36)
        st4(tiles, int32(here + right_put), right_0, 36)
        st4(tiles, int32(here + right_put + 16), right_1, 36)
        cuda.syncthreads()
        first = int32(first + 16)
        j_0 = int32(first + (thread & 3) * 4)
        left_0 = ld4(work, int32(x + n_0 * 256 + j_0), (n_0 < N) & (j_0 < stop))
        left_1 = ld4(work, int32(x + n_1 * 256 + j_0), (n_1 < N) & (j_0 < stop))
        right_0 = ld4(params, int32(W + i_0 * 256 + j_0), (i_0 < 10) & (j_0 < stop))
        right_1 = ld4(params, int32(W + i_1 * 256 + j_0), (i_1 < 10) & (j_0 < stop))
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
def dense_z_4_to_write_loss_L(params, work, y, b, z, parts, L, N):
    """Write z and L."""
    n = int32(cuda.grid(1))
    if n < N:
        # z[n, i] = b[i] + Σ_part parts[part, n, i]
        for i in range(int32(10)):
            total = real(0.0)
            for part in range(int32(4)):
                total += work[parts + part * 10 * N + n * 10 + i]
            work[z + n * 10 + i] = params[b + i] + total
        # L[n] = log Σ_i exp(z[n, i]) − z[n, y[n]]
        top = real(-math.inf)
        for i in range(int32(10)):
            candidate = work[z + n * 10 + i]
            top = candidate if (candidate > top) | (candidate != candidate) else top
        shift = top if abs(top) != real(math.inf) else real(0.0)
        total = real(0.0)
        for i in range(int32(10)):
            total += math.exp(work[z + n * 10 + i] - shift)
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
    loss_total(block, work, int32(10764 * N), int32(10768 * N + 48), N)


@jit
def loss_total_alone_2(work, N):
    """Do loss_total."""
    block = int32(cuda.blockIdx.x)
    loss_total(block, work, int32(13848 * N), int32(20264 * N + 144), N)


@jit
def batchnorm_sigma(work, x, mu, v, sigma, N):
    """Write mu, v and sigma."""
    parts = cuda.shared.array(8, real)
    thread = int32(cuda.threadIdx.x)
    c = int32(cuda.blockIdx.x)
    # mu[c] = (Σ_{n, h, w} x[n, c, h, w])/(64 N)
    total = real(0.0)
    part = real(0.0)
    for entry in range(thread, N * int32(64), int32(256)):
        n = entry // int32(64)
        h = entry // int32(8) % int32(8)
        w = entry % int32(8)
        part += work[x + n * 1024 + c * 64 + h * 8 + w]
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
        work[mu + c] = total / real(64.0) / real(N)
    # v[c] = (Σ_{n, h, w} (x[n, c, h, w] − mu[c])²)/(64 N)
    # sigma[c] = √(1e−05 + v[c])
    total_2 = real(0.0)
    cuda.syncthreads()
    part_ = real(0.0)
    for entry in range(thread, N * int32(64), int32(256)):
        n = entry // int32(64)
        h = entry // int32(8) % int32(8)
        w = entry % int32(8)
        base = work[x + n * 1024 + c * 64 + h * 8 + w] - work[mu + c]
        part_ += base * base
    # The parts of a warp's threads, then those of all warps, in one order always.
    lanes = int32(16)
    while lanes > 0:
        part_ += cuda.shfl_xor_sync(0xFFFFFFFF, part_, lanes)
        lanes = lanes // int32(2)
    if thread % int32(32) == 0:
        parts[thread // int32(32)] = part_
    cuda.syncthreads()
    for warp in range(int32(8)):
        total_2 += parts[warp]
    if thread == 0:
        work[v + c] = total_2 / real(64.0) / real(N)
        work[sigma + c] = math.sqrt(real(1e-05) + work[v + c])


@jit
def batchnorm_a_to_activation_a(work, params, mu, sigma, x, beta, gamma, x_hat, a, a_, N):
    """Write x_hat, a and a_."""
    entry = int32(cuda.grid(1))
    if entry < N * int32(1024):
        n = entry // int32(1024)
        c = entry // int32(64) % int32(16)
        h = entry // int32(8) % int32(8)
        w = entry % int32(8)
        # x_hat[n, c, h, w] = (x[n, c, h, w] − mu[c])/sigma[c]
        work[x_hat + n * 1024 + c * 64 + h * 8 + w] = (work[x + n * 1024 + c * 64 + h * 8 + w] - work[mu + c]) / work[sigma + c]
        # a[n, c, h, w] = gamma[c] x_hat[n, c, h, w] + beta[c]
        work[a + n * 1024 + c * 64 + h * 8 + w] = params[gamma + c] * work[x_hat + n * 1024 + c * 64 + h * 8 + w] + params[beta + c]
        # a_[n, c, h, w] = a[n, c, h, w] [a[n, c, h, w] > 0]
        x_ = work[a + n * 1024 + c * 64 + h * 8 + w]
        work[a_ + n * 1024 + c * 64 + h * 8 + w] = real(0.0) if x_ <= real(0.0) else x_


@jit
def batchnorm_a_to_activation_a_2(work, params, mu, sigma, x, beta, gamma, x_hat, a, x_1, a_, a__, N):
    """Write x_hat, a, a_ and a__."""
    entry = int32(cuda.grid(1))
    if entry < N * int32(1024):
        n = entry // int32(1024)
        c = entry // int32(64) % int32(16)
        h = entry // int32(8) % int32(8)
        w = entry % int32(8)
        # x_hat[n, c, h, w] = (x[n, c, h, w] − mu[c])/sigma[c]
        work[x_hat + n * 1024 + c * 64 + h * 8 + w] = (work[x + n * 1024 + c * 64 + h * 8 + w] - work[mu + c]) / work[sigma + c]
        # a[n, c, h, w] = gamma[c] x_hat[n, c, h, w] + beta[c]
        work[a + n * 1024 + c * 64 + h * 8 + w] = params[gamma + c] * work[x_hat + n * 1024 + c * 64 + h * 8 + w] + params[beta + c]
        # a_[n, c, h, w] = a[n, c, h, w] + x_1[n, c, h, w]
        work[a_ + n * 1024 + c * 64 + h * 8 + w] = work[a + n * 1024 + c * 64 + h * 8 + w] + work[x_1 + n * 1024 + c * 64 + h * 8 + w]
        # a__[n, c, h, w] = a_[n, c, h, w] [a_[n, c, h, w] > 0]
        x_ = work[a_ + n * 1024 + c * 64 + h * 8 + w]
        work[a__ + n * 1024 + c * 64 + h * 8 + w] = real(0.0) if x_ <= real(0.0) else x_


@jit
def dense_z_4_to_write_loss_L_2(params, work, y, b, z, parts, p, L, N):
    """Write z, p and L."""
    n = int32(cuda.grid(1))
    if n < N:
        # z[n, i] = b[i] + Σ_part parts[part, n, i]
        for i in range(int32(10)):
            total = real(0.0)
            for part in range(int32(4)):
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


@jit
def dense_z_4_to_dense_delta(params, work, y, b, z, parts, p, L, delta, N):
    """Write z, p, L and delta."""
    n = int32(cuda.grid(1))
    if n < N:
        # z[n, i] = b[i] + Σ_part parts[part, n, i]
        for i in range(int32(10)):
            total = real(0.0)
            for part in range(int32(4)):
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
    right_0 = ld4(work, int32(x + j_0 + n_8 * 256), (j_0 < 256) & (n_8 < N))
    right_1 = ld4(work, int32(x + j_0 + n_9 * 256), (j_0 < 256) & (n_9 < N))
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
        right_0 = ld4(work, int32(x + j_0 + n_8 * 256), (j_0 < 256) & (n_8 < N))
        right_1 = ld4(work, int32(x + j_0 + n_9 * 256), (j_0 < 256) & (n_9 < N))
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
            if i < 10 and j < 256:
                dot = tiles[uint32(line * 32 + (thread & 31))]
                grads[uint32(grad_W + i * 256 + j)] = dot
        cuda.syncthreads()


@device
def flatten_grad_a(block, params, work, W, delta, grad_a, N):
    """Write grad_a in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each."""
    # grad_a[n, j] = Σ_i W[i, j] delta[n, i]
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(block)
    column = int32(block % uint32(8) * 32)
    block = uint32(block // uint32(8))
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
    right_0 = ld4(params, int32(W + j_0 + i_1 * 256), (j_0 < 256) & (i_1 < 10))
    right_1 = ld4(params, int32(W + j_0 + i_2 * 256), (j_0 < 256) & (i_2 < 10))
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
        right_0 = ld4(params, int32(W + j_0 + i_1 * 256), (j_0 < 256) & (i_1 < 10))
        right_1 = ld4(params, int32(W + j_0 + i_2 * 256), (j_0 < 256) & (i_2 < 10))
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
            if n < N and j < 256:
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(grad_a + n * 256 + j)] = dot
        cuda.syncthreads()


@jit(max_registers=248)
def side_by_side_8(params, work, N):
    """Do flatten_grad_a and loss_total, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(((N + 31) // 32) * 8)
    if block < end_1:
        flatten_grad_a(block, params, work, int32(4848), int32(13852 * N), int32(13864 * N), N)
    else:
        loss_total(int32(block - end_1), work, int32(13848 * N), int32(20264 * N + 144), N)


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
def side_by_side_2(work, grads, params, N):
    """Do dense_grad_W, flatten_grad_a, loss_total and dense_grad_b, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(8)
    end_2 = int32(end_1 + ((N + 31) // 32) * 8)
    end_3 = int32(end_2 + 1)
    if block < end_1:
        dense_grad_W(block, work, grads, int32(13852 * N), int32(13568 * N), int32(4848), N)
    elif block < end_2:
        flatten_grad_a(int32(block - end_1), params, work, int32(4848), int32(13852 * N), int32(13864 * N), N)
    elif block < end_3:
        loss_total(int32(block - end_2), work, int32(13848 * N), int32(20264 * N + 144), N)
    else:
        dense_grad_b(int32(block - end_3), work, grads, int32(13852 * N), int32(7408), N)


@jit
def batchnorm_grad_a(work, a, grad_a_2, grad_a, N):
    """Write grad_a."""
    # grad_a[n, c, h, w] = grad_a_2[n, 4 floor(h/2) + 16 c + floor(w/2)] [a[n, c, h, w] > 0]/4
    entry = int32(cuda.grid(1))
    if entry < N * int32(1024):
        n = entry // int32(1024)
        c = entry // int32(64) % int32(16)
        H = entry // int32(16) % int32(4)
        W = entry // int32(4) % int32(4)
        i = entry // int32(2) % int32(2)
        j = entry % int32(2)
        grad_a_2_ = work[grad_a_2 + n * 256 + 4 * H + 16 * c + W]
        a_ = work[a + n * 1024 + c * 64 + (2 * H + i) * 8 + 2 * W + j]
        work[grad_a + n * 1024 + c * 64 + (2 * H + i) * 8 + 2 * W + j] = real(0.0) if a_ <= real(0.0) else grad_a_2_ / real(4.0)


@device
def batchnorm_grad_gamma(block, work, grads, grad_a, x_hat, grad_gamma, N):
    """Write grad_gamma."""
    # grad_gamma[c] = Σ_{n, h, w} grad_a[n, c, h, w] x_hat[n, c, h, w]
    parts = cuda.shared.array(8, real)
    thread = int32(cuda.threadIdx.x)
    c = block
    total = real(0.0)
    part = real(0.0)
    for entry in range(thread, N * int32(64), int32(256)):
        n = entry // int32(64)
        h = entry // int32(8) % int32(8)
        w = entry % int32(8)
        part += work[grad_a + n * 1024 + c * 64 + h * 8 + w] * work[x_hat + n * 1024 + c * 64 + h * 8 + w]
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
        grads[grad_gamma + c] = total


@device
def batchnorm_grad_beta(block, work, grads, grad_a, grad_beta, N):
    """Write grad_beta."""
    # grad_beta[c] = Σ_{n, h, w} grad_a[n, c, h, w]
    parts = cuda.shared.array(8, real)
    thread = int32(cuda.threadIdx.x)
    c = block
    total = real(0.0)
    part = real(0.0)
    for entry in range(thread, N * int32(64), int32(256)):
        n = entry // int32(64)
        h = entry // int32(8) % int32(8)
        w = entry % int32(8)
        part += work[grad_a + n * 1024 + c * 64 + h * 8 + w]
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
        grads[grad_beta + c] = total


@device
def conv2d_delta(block, work, grad_a, sums, N):
    """Write sums."""
    # sums[k] = Σ_{i, h, w} grad_a[i, k, h, w]
    parts = cuda.shared.array(8, real)
    thread = int32(cuda.threadIdx.x)
    k = block
    total = real(0.0)
    part = real(0.0)
    for entry in range(thread, N * int32(64), int32(256)):
        i = entry // int32(64)
        h = entry // int32(8) % int32(8)
        w = entry % int32(8)
        part += work[grad_a + i * 1024 + k * 64 + h * 8 + w]
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
        work[sums + k] = total


@device
def conv2d_delta_2(block, work, grad_a, x_hat, sums_2, N):
    """Write sums_2."""
    # sums_2[k] = Σ_{i, h, w} grad_a[i, k, h, w] x_hat[i, k, h, w]
    parts = cuda.shared.array(8, real)
    thread = int32(cuda.threadIdx.x)
    k = block
    total = real(0.0)
    part = real(0.0)
    for entry in range(thread, N * int32(64), int32(256)):
        i = entry // int32(64)
        h = entry // int32(8) % int32(8)
        w = entry % int32(8)
        part += work[grad_a + i * 1024 + k * 64 + h * 8 + w] * work[x_hat + i * 1024 + k * 64 + h * 8 + w]
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
        work[sums_2 + k] = total


@jit
def side_by_side_3(work, grads, N):
    """Do batchnorm_grad_gamma, batchnorm_grad_beta, conv2d_delta and conv2d_delta_2, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(16)
    end_2 = int32(end_1 + 16)
    end_3 = int32(end_2 + 16)
    if block < end_1:
        batchnorm_grad_gamma(block, work, grads, int32(14120 * N), int32(9216 * N), int32(4816), N)
    elif block < end_2:
        batchnorm_grad_beta(int32(block - end_1), work, grads, int32(14120 * N), int32(4832), N)
    elif block < end_3:
        conv2d_delta(int32(block - end_2), work, int32(14120 * N), int32(20384 * N + 244), N)
    else:
        conv2d_delta_2(int32(block - end_3), work, int32(14120 * N), int32(9216 * N), int32(20384 * N + 260), N)


@jit
def side_by_side_9(work, N):
    """Do conv2d_delta and conv2d_delta_2, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(16)
    if block < end_1:
        conv2d_delta(block, work, int32(14120 * N), int32(20384 * N + 244), N)
    else:
        conv2d_delta_2(int32(block - end_1), work, int32(14120 * N), int32(9216 * N), int32(20384 * N + 260), N)


@jit
def side_by_side_10(work, N):
    """Do conv2d_delta and conv2d_delta_2, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(16)
    if block < end_1:
        conv2d_delta(block, work, int32(16168 * N), int32(20384 * N + 74004), N)
    else:
        conv2d_delta_2(int32(block - end_1), work, int32(16168 * N), int32(5120 * N), int32(20384 * N + 74020), N)


@jit
def side_by_side_11(work, N):
    """Do conv2d_delta and conv2d_delta_2, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(16)
    if block < end_1:
        conv2d_delta(block, work, int32(18216 * N), int32(20384 * N + 147764), N)
    else:
        conv2d_delta_2(int32(block - end_1), work, int32(18216 * N), int32(1024 * N), int32(20384 * N + 147780), N)


@jit
def conv2d_delta_3(params, work, gamma, grad_a, sigma, x_hat, delta, sums, sums_2, N):
    """Write delta."""
    # delta[n, k, p, q] = (64 grad_a[n, k, p, q] N − sums[k] − sums_2[k] x_hat[n, k, p, q]) · gamma[k]/(64 sigma[k] N)
    entry = int32(cuda.grid(1))
    if entry < N * int32(1024):
        n = entry // int32(1024)
        k = entry // int32(64) % int32(16)
        p = entry // int32(8) % int32(8)
        q = entry % int32(8)
        work[delta + n * 1024 + k * 64 + p * 8 + q] = (
            (real(64.0) * work[grad_a + n * 1024 + k * 64 + p * 8 + q] * real(N) - work[sums + k] - work[sums_2 + k] * work[x_hat + n * 1024
            + k * 64 + p * 8 + q]) * params[gamma + k] / real(64.0) / work[sigma + k] / real(N)
        )


@device
def conv2d_grad_W_left(work, delta, k, term, stop):
    """Return four neighbours of the left factor, 0 outside of it."""
    n = int32(term // uint32(64))
    p = int32(term // uint32(8) % uint32(8))
    q = int32(term % uint32(8))
    inside = (k < 16) & (term < stop)
    return ld4(work, int32(delta + n * 1024 + k * 64 + p * 8 + q), inside)


@device
def conv2d_grad_W_right(work, x, column, term, stop):
    """Return an entry of the right factor, 0 outside of it."""
    c = int32(column // uint32(9))
    u = int32(column // uint32(3) % uint32(3))
    v = int32(column % uint32(3))
    n = int32(term // uint32(64))
    p = int32(term // uint32(8) % uint32(8))
    q = int32(term % uint32(8))
    inside = (column < 144) & (term < stop) & (uint32(p + u - 1) < uint32(8)) & (uint32(q + v - 1) < uint32(8))
    entry = real(0.0)
    if inside:
        entry = work[uint32(x + n * 1024 + c * 64 + (p + u - 1) * 8 + q + v - 1)]
    return entry


@device
def conv2d_grad_W(block, work, delta, x, parts, N):
    """Write parts in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each; the terms in 32 parts."""
    # parts[part, k, c, u, v] = Σ_{n, p, q} delta[n, k, p, q] x[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q + v − 1 < 8]
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(block)
    column = int32(block % uint32(5) * 32)
    block = uint32(block // uint32(5))
    part = int32(block)
    stop = int32((N * 64 + 511) // 512 * 16)
    first = int32(part * stop)
    stop = int32(first + stop if first + stop < N * 64 else N * 64)
    # What the thread reads of a tile, and where it puts that.
    k_0 = int32(thread >> 2)
    k_1 = int32((thread >> 2) + 16)
    left_put = int32((thread & 3) * 144 + (thread >> 2))
    column_0 = uint32(column + (thread & 31))
    right_put = int32(576 + (thread >> 5) * 36 + (thread & 31))
    # What it multiplies: its rows of the left tile and its columns of the right one.
    left = int32((thread >> 3) * 4)
    right = int32(576 + (thread & 7) * 4)
    here = int32(0)
    sums = register_tile(4, 4, real(0.0))
    term_0 = uint32(first + (thread & 3) * 4)
    left_0 = conv2d_grad_W_left(work, delta, k_0, term_0, stop)
    left_1 = conv2d_grad_W_left(work, delta, k_1, term_0, stop)
    term_1 = uint32(first + (thread >> 5))
    right_0 = conv2d_grad_W_right(work, x, column_0, term_1, stop)
    right_1 = conv2d_grad_W_right(work, x, column_0, uint32(term_1 + 2), stop)
    right_2 = conv2d_grad_W_right(work, x, column_0, uint32(term_1 + 4), stop)
    right_3 = conv2d_grad_W_right(work, x, column_0, uint32(term_1 + 6), stop)
    right_4 = conv2d_grad_W_right(work, x, column_0, uint32(term_1 + 8), stop)
    right_5 = conv2d_grad_W_right(work, x, column_0, uint32(term_1 + 10), stop)
    right_6 = conv2d_grad_W_right(work, x, column_0, uint32(term_1 + 12), stop)
    right_7 = conv2d_grad_W_right(work, x, column_0, uint32(term_1 + 14), stop)
    # dot = Σ_{n, p, q} delta[n, k, p, q] x[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q + v − 1 < 8]
    while first < stop:
        st4(tiles, int32(here + left_put), left_0, 36)
        st4(tiles, int32(here + left_put + 16), left_1, 36)
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
        term_0 = uint32(first + (thread & 3) * 4)
        left_0 = conv2d_grad_W_left(work, delta, k_0, term_0, stop)
        left_1 = conv2d_grad_W_left(work, delta, k_1, term_0, stop)
        term_1 = uint32(first + (thread >> 5))
        right_0 = conv2d_grad_W_right(work, x, column_0, term_1, stop)
        right_1 = conv2d_grad_W_right(work, x, column_0, uint32(term_1 + 2), stop)
        right_2 = conv2d_grad_W_right(work, x, column_0, uint32(term_1 + 4), stop)
        right_3 = conv2d_grad_W_right(work, x, column_0, uint32(term_1 + 6), stop)
        right_4 = conv2d_grad_W_right(work, x, column_0, uint32(term_1 + 8), stop)
        right_5 = conv2d_grad_W_right(work, x, column_0, uint32(term_1 + 10), stop)
        right_6 = conv2d_grad_W_right(work, x, column_0, uint32(term_1 + 12), stop)
        right_7 = conv2d_grad_W_right(work, x, column_0, uint32(term_1 + 14), stop)
        sums = multiply_add(sums, tiles, int32(here + left), int32(here + right), 32, 32, 16)
        here = int32(1152 - here)
    cuda.syncthreads()
    # Results go through shared memory, a row of each thread at a time, so that neighbouring threads write neighbours.
    stage = int32((thread >> 3) * 32 + (thread & 7) * 4)
    result_column = uint32(column + (thread & 31))
    c = int32(result_column // uint32(9))
    u = int32(result_column // uint32(3) % uint32(3))
    v = int32(result_column % uint32(3))
    for turn in range(opaque(int32(4))):
        store_row(sums, turn, tiles, stage, 32)
        cuda.syncthreads()
        for lap in range(int32(4)):
            line = int32(lap * 2 + (thread >> 5))
            k = int32(line * 4 + turn)
            if k < 16 and result_column < 144:
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(parts + part * 2304 + k * 144 + c * 9 + u * 3 + v)] = dot
        cuda.syncthreads()


@device
def batchnorm_grad_a_2_left(params, W, c, term):
    """Return an entry of the left factor, 0 outside of it."""
    k = int32(term // uint32(9))
    u = int32(term // uint32(3) % uint32(3))
    v = int32(term % uint32(3))
    inside = (c < 16) & (term < 144)
    entry = real(0.0)
    if inside:
        entry = params[uint32(W + k * 144 + c * 9 + u * 3 + v)]
    return entry


@device
def batchnorm_grad_a_2_right(work, delta, N, column, term):
    """Return an entry of the right factor, 0 outside of it."""
    n = int32(column // uint32(64))
    h = int32(column // uint32(8) % uint32(8))
    w = int32(column % uint32(8))
    k = int32(term // uint32(9))
    u = int32(term // uint32(3) % uint32(3))
    v = int32(term % uint32(3))
    inside = (column < N * 64) & (term < 144) & (uint32(h + 1 - u) < uint32(8)) & (uint32(w + 1 - v) < uint32(8))
    entry = real(0.0)
    if inside:
        entry = work[uint32(delta + n * 1024 + k * 64 + (h + 1 - u) * 8 + w + 1 - v)]
    return entry


@device
def batchnorm_grad_a_2(block, params, work, W, a, delta, grad_a, N):
    """Write grad_a in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each."""
    # grad_a[n, c, h, w] = [a[n, c, h, w] > 0] Σ_{k, u, v} W[k, c, u, v] delta[n, k, 1 + h − u, 1 + w − v] [0 ≤ 1 + h − u < 8] [0 ≤ 1
    #     + w − v < 8]
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(block)
    column = int32(block * 32)
    first = int32(0)
    # What the thread reads of a tile, and where it puts that.
    c_0 = int32(thread >> 4)
    c_1 = int32((thread >> 4) + 4)
    c_2 = int32((thread >> 4) + 8)
    c_3 = int32((thread >> 4) + 12)
    c_4 = int32((thread >> 4) + 16)
    c_5 = int32((thread >> 4) + 20)
    c_6 = int32((thread >> 4) + 24)
    c_7 = int32((thread >> 4) + 28)
    left_put = int32((thread & 15) * 36 + (thread >> 4))
    column_0 = uint32(column + (thread & 31))
    right_put = int32(576 + (thread >> 5) * 36 + (thread & 31))
    # What it multiplies: its rows of the left tile and its columns of the right one.
    left = int32((thread >> 3) * 4)
    right = int32(576 + (thread & 7) * 4)
    here = int32(0)
    sums = register_tile(4, 4, real(0.0))
    term_0 = uint32(first + (thread & 15))
    left_0 = batchnorm_grad_a_2_left(params, W, c_0, term_0)
    left_1 = batchnorm_grad_a_2_left(params, W, c_1, term_0)
    left_2 = batchnorm_grad_a_2_left(params, W, c_2, term_0)
    left_3 = batchnorm_grad_a_2_left(params, W, c_3, term_0)
    left_4 = batchnorm_grad_a_2_left(params, W, c_4, term_0)
    left_5 = batchnorm_grad_a_2_left(params, W, c_5, term_0)
    left_6 = batchnorm_grad_a_2_left(params, W, c_6, term_0)
    left_7 = batchnorm_grad_a_2_left(params, W, c_7, term_0)
    term_1 = uint32(first + (thread >> 5))
    right_0 = batchnorm_grad_a_2_right(work, delta, N, column_0, term_1)
    right_1 = batchnorm_grad_a_2_right(work, delta, N, column_0, uint32(term_1 + 2))
    right_2 = batchnorm_grad_a_2_right(work, delta, N, column_0, uint32(term_1 + 4))
    right_3 = batchnorm_grad_a_2_right(work, delta, N, column_0, uint32(term_1 + 6))
    right_4 = batchnorm_grad_a_2_right(work, delta, N, column_0, uint32(term_1 + 8))
    right_5 = batchnorm_grad_a_2_right(work, delta, N, column_0, uint32(term_1 + 10))
    right_6 = batchnorm_grad_a_2_right(work, delta, N, column_0, uint32(term_1 + 12))
    right_7 = batchnorm_grad_a_2_right(work, delta, N, column_0, uint32(term_1 + 14))
    # dot = Σ_{k, u, v} W[k, c, u, v] delta[n, k, 1 + h − u, 1 + w − v] [0 ≤ 1 + h − u < 8] [0 ≤ 1 + w − v < 8]
    while first < 144:
        left_to = uint32(here + left_put)
        tiles[left_to] = left_0
        tiles[left_to + uint32(4)] = left_1
        tiles[left_to + uint32(8)] = left_2
        tiles[left_to + uint32(12)] = left_3
        tiles[left_to + uint32(16)] = left_4
        tiles[left_to + uint32(20)] = left_5
        tiles[left_to + uint32(24)] = left_6
        tiles[left_to + uint32(28)] = left_7
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
        term_0 = uint32(first + (thread & 15))
        left_0 = batchnorm_grad_a_2_left(params, W, c_0, term_0)
        left_1 = batchnorm_grad_a_2_left(params, W, c_1, term_0)
        left_2 = batchnorm_grad_a_2_left(params, W, c_2, term_0)
        left_3 = batchnorm_grad_a_2_left(params, W, c_3, term_0)
        left_4 = batchnorm_grad_a_2_left(params, W, c_4, term_0)
        left_5 = batchnorm_grad_a_2_left(params, W, c_5, term_0)
        left_6 = batchnorm_grad_a_2_left(params, W, c_6, term_0)
        left_7 = batchnorm_grad_a_2_left(params, W, c_7, term_0)
        term_1 = uint32(first + (thread >> 5))
        right_0 = batchnorm_grad_a_2_right(work, delta, N, column_0, term_1)
        right_1 = batchnorm_grad_a_2_right(work, delta, N, column_0, uint32(term_1 + 2))
        right_2 = batchnorm_grad_a_2_right(work, delta, N, column_0, uint32(term_1 + 4))
        right_3 = batchnorm_grad_a_2_right(work, delta, N, column_0, uint32(term_1 + 6))
        right_4 = batchnorm_grad_a_2_right(work, delta, N, column_0, uint32(term_1 + 8))
        right_5 = batchnorm_grad_a_2_right(work, delta, N, column_0, uint32(term_1 + 10))
        right_6 = batchnorm_grad_a_2_right(work, delta, N, column_0, uint32(term_1 + 12))
        right_7 = batchnorm_grad_a_2_right(work, delta, N, column_0, uint32(term_1 + 14))
        sums = multiply_add(sums, tiles, int32(here + left), int32(here + right), 32, 32, 16)
        here = int32(1152 - here)
    cuda.syncthreads()
    # Results go through shared memory, a row of each thread at a time, so that neighbouring threads write neighbours.
    stage = int32((thread >> 3) * 32 + (thread & 7) * 4)
    result_column = uint32(column + (thread & 31))
    n = int32(result_column // uint32(64))
    h = int32(result_column // uint32(8) % uint32(8))
    w = int32(result_column % uint32(8))
    for turn in range(opaque(int32(4))):
        store_row(sums, turn, tiles, stage, 32)
        cuda.syncthreads()
        for lap in range(int32(4)):
            line = int32(lap * 2 + (thread >> 5))
            c = int32(line * 4 + turn)
            if c < 16 and result_column < N * 64:
                dot = tiles[uint32(line * 32 + (thread & 31))]
                a_ = work[uint32(a + n * 1024 + c * 64 + h * 8 + w)]
                work[uint32(grad_a + n * 1024 + c * 64 + h * 8 + w)] = real(0.0) if a_ <= real(0.0) else dot
        cuda.syncthreads()


@jit(max_registers=248)
def side_by_side_4(work, params, N):
    """Do conv2d_grad_W and batchnorm_grad_a_2, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(160)
    if block < end_1:
        conv2d_grad_W(block, work, int32(15144 * N), int32(7168 * N), int32(20384 * N + 276), N)
    else:
        batchnorm_grad_a_2(int32(block - end_1), params, work, int32(2512), int32(7168 * N), int32(15144 * N), int32(16168 * N), N)


@jit(max_registers=248)
def batchnorm_grad_a_2_alone(params, work, N):
    """Do batchnorm_grad_a_2."""
    block = int32(cuda.blockIdx.x)
    batchnorm_grad_a_2(block, params, work, int32(2512), int32(7168 * N), int32(15144 * N), int32(16168 * N), N)


@device
def conv2d_grad_W_3(block, grads, work, grad_W, parts, N):
    """Write grad_W."""
    # grad_W[k, c, u, v] = Σ_part parts[part, k, c, u, v]
    entry = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if entry < int32(2304):
        k = entry // int32(144)
        c = entry // int32(9) % int32(16)
        u = entry // int32(3) % int32(3)
        v = entry % int32(3)
        total = real(0.0)
        for part in range(int32(32)):
            total += work[parts + part * 2304 + k * 144 + c * 9 + u * 3 + v]
        grads[grad_W + k * 144 + c * 9 + u * 3 + v] = total


@jit
def side_by_side_5(grads, work, N):
    """Do conv2d_grad_W_3, batchnorm_grad_gamma, batchnorm_grad_beta, conv2d_delta and conv2d_delta_2, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(9)
    end_2 = int32(end_1 + 16)
    end_3 = int32(end_2 + 16)
    end_4 = int32(end_3 + 16)
    if block < end_1:
        conv2d_grad_W_3(block, grads, work, int32(2512), int32(20384 * N + 276), N)
    elif block < end_2:
        batchnorm_grad_gamma(int32(block - end_1), work, grads, int32(16168 * N), int32(5120 * N), int32(2480), N)
    elif block < end_3:
        batchnorm_grad_beta(int32(block - end_2), work, grads, int32(16168 * N), int32(2496), N)
    elif block < end_4:
        conv2d_delta(int32(block - end_3), work, int32(16168 * N), int32(20384 * N + 74004), N)
    else:
        conv2d_delta_2(int32(block - end_4), work, int32(16168 * N), int32(5120 * N), int32(20384 * N + 74020), N)


@jit
def side_by_side_7(grads, work, N):
    """Do conv2d_grad_W_3, batchnorm_grad_gamma, batchnorm_grad_beta, conv2d_delta and conv2d_delta_2, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(9)
    end_2 = int32(end_1 + 16)
    end_3 = int32(end_2 + 16)
    end_4 = int32(end_3 + 16)
    if block < end_1:
        conv2d_grad_W_3(block, grads, work, int32(176), int32(20384 * N + 74036), N)
    elif block < end_2:
        batchnorm_grad_gamma(int32(block - end_1), work, grads, int32(18216 * N), int32(1024 * N), int32(144), N)
    elif block < end_3:
        batchnorm_grad_beta(int32(block - end_2), work, grads, int32(18216 * N), int32(160), N)
    elif block < end_4:
        conv2d_delta(int32(block - end_3), work, int32(18216 * N), int32(20384 * N + 147764), N)
    else:
        conv2d_delta_2(int32(block - end_4), work, int32(18216 * N), int32(1024 * N), int32(20384 * N + 147780), N)


@device
def batchnorm_grad_a_3_left(params, W, c, term):
    """Return an entry of the left factor, 0 outside of it."""
    k = int32(term // uint32(9))
    u = int32(term // uint32(3) % uint32(3))
    v = int32(term % uint32(3))
    inside = (c < 16) & (term < 144)
    entry = real(0.0)
    if inside:
        entry = params[uint32(W + k * 144 + c * 9 + u * 3 + v)]
    return entry


@device
def batchnorm_grad_a_3_right(work, delta, N, column, term):
    """Return an entry of the right factor, 0 outside of it."""
    n = int32(column // uint32(64))
    h = int32(column // uint32(8) % uint32(8))
    w = int32(column % uint32(8))
    k = int32(term // uint32(9))
    u = int32(term // uint32(3) % uint32(3))
    v = int32(term % uint32(3))
    inside = (column < N * 64) & (term < 144) & (uint32(h + 1 - u) < uint32(8)) & (uint32(w + 1 - v) < uint32(8))
    entry = real(0.0)
    if inside:
        entry = work[uint32(delta + n * 1024 + k * 64 + (h + 1 - u) * 8 + w + 1 - v)]
    return entry


@device
def batchnorm_grad_a_3(block, params, work, W, a, a_2, delta, grad_a_2, grad_a, N):
    """Write grad_a in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each."""
    # grad_a[n, c, h, w] = (grad_a_2[n, 4 floor(h/2) + 16 c + floor(w/2)] [a_2[n, c, h, w] > 0]/4 + Σ_{k, u, v} W[k, c, u, v] delta[n,
    #     k, 1 + h − u, 1 + w − v] [0 ≤ 1 + h − u < 8] [0 ≤ 1 + w − v < 8]) · [a[n, c, h, w] > 0]
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(block)
    column = int32(block * 32)
    first = int32(0)
    # What the thread reads of a tile, and where it puts that.
    c_0 = int32(thread >> 4)
    c_1 = int32((thread >> 4) + 4)
    c_2 = int32((thread >> 4) + 8)
    c_3 = int32((thread >> 4) + 12)
    c_4 = int32((thread >> 4) + 16)
    c_5 = int32((thread >> 4) + 20)
    c_6 = int32((thread >> 4) + 24)
    c_7 = int32((thread >> 4) + 28)
    left_put = int32((thread & 15) * 36 + (thread >> 4))
    column_0 = uint32(column + (thread & 31))
    right_put = int32(576 + (thread >> 5) * 36 + (thread & 31))
    # What it multiplies: its rows of the left tile and its columns of the right one.
    left = int32((thread >> 3) * 4)
    right = int32(576 + (thread & 7) * 4)
    here = int32(0)
    sums = register_tile(4, 4, real(0.0))
    term_0 = uint32(first + (thread & 15))
    left_0 = batchnorm_grad_a_3_left(params, W, c_0, term_0)
    left_1 = batchnorm_grad_a_3_left(params, W, c_1, term_0)
    left_2 = batchnorm_grad_a_3_left(params, W, c_2, term_0)
    left_3 = batchnorm_grad_a_3_left(params, W, c_3, term_0)
    left_4 = batchnorm_grad_a_3_left(params, W, c_4, term_0)
    left_5 = batchnorm_grad_a_3_left(params, W, c_5, term_0)
    left_6 = batchnorm_grad_a_3_left(params, W, c_6, term_0)
    left_7 = batchnorm_grad_a_3_left(params, W, c_7, term_0)
    term_1 = uint32(first + (thread >> 5))
    right_0 = batchnorm_grad_a_3_right(work, delta, N, column_0, term_1)
    right_1 = batchnorm_grad_a_3_right(work, delta, N, column_0, uint32(term_1 + 2))
    right_2 = batchnorm_grad_a_3_right(work, delta, N, column_0, uint32(term_1 + 4))
    right_3 = batchnorm_grad_a_3_right(work, delta, N, column_0, uint32(term_1 + 6))
    right_4 = batchnorm_grad_a_3_right(work, delta, N, column_0, uint32(term_1 + 8))
    right_5 = batchnorm_grad_a_3_right(work, delta, N, column_0, uint32(term_1 + 10))
    right_6 = batchnorm_grad_a_3_right(work, delta, N, column_0, uint32(term_1 + 12))
    right_7 = batchnorm_grad_a_3_right(work, delta, N, column_0, uint32(term_1 + 14))
    # dot = Σ_{k, u, v} W[k, c, u, v] delta[n, k, 1 + h − u, 1 + w − v] [0 ≤ 1 + h − u < 8] [0 ≤ 1 + w − v < 8]
    while first < 144:
        left_to = uint32(here + left_put)
        tiles[left_to] = left_0
        tiles[left_to + uint32(4)] = left_1
        tiles[left_to + uint32(8)] = left_2
        tiles[left_to + uint32(12)] = left_3
        tiles[left_to + uint32(16)] = left_4
        tiles[left_to + uint32(20)] = left_5
        tiles[left_to + uint32(24)] = left_6
        tiles[left_to + uint32(28)] = left_7
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
        term_0 = uint32(first + (thread & 15))
        left_0 = batchnorm_grad_a_3_left(params, W, c_0, term_0)
        left_1 = batchnorm_grad_a_3_left(params, W, c_1, term_0)
        left_2 = batchnorm_grad_a_3_left(params, W, c_2, term_0)
        left_3 = batchnorm_grad_a_3_left(params, W, c_3, term_0)
        left_4 = batchnorm_grad_a_3_left(params, W, c_4, term_0)
        left_5 = batchnorm_grad_a_3_left(params, W, c_5, term_0)
        left_6 = batchnorm_grad_a_3_left(params, W, c_6, term_0)
        left_7 = batchnorm_grad_a_3_left(params, W, c_7, term_0)
        term_1 = uint32(first + (thread >> 5))
        right_0 = batchnorm_grad_a_3_right(work, delta, N, column_0, term_1)
        right_1 = batchnorm_grad_a_3_right(work, delta, N, column_0, uint32(term_1 + 2))
        right_2 = batchnorm_grad_a_3_right(work, delta, N, column_0, uint32(term_1 + 4))
        right_3 = batchnorm_grad_a_3_right(work, delta, N, column_0, uint32(term_1 + 6))
        right_4 = batchnorm_grad_a_3_right(work, delta, N, column_0, uint32(term_1 + 8))
        right_5 = batchnorm_grad_a_3_right(work, delta, N, column_0, uint32(term_1 + 10))
        right_6 = batchnorm_grad_a_3_right(work, delta, N, column_0, uint32(term_1 + 12))
        right_7 = batchnorm_grad_a_3_right(work, delta, N, column_0, uint32(term_1 + 14))
        sums = multiply_add(sums, tiles, int32(here + left), int32(here + right), 32, 32, 16)
        here = int32(1152 - here)
    cuda.syncthreads()
    # Results go through shared memory, a row of each thread at a time, so that neighbouring threads write neighbours.
    stage = int32((thread >> 3) * 32 + (thread & 7) * 4)
    result_column = uint32(column + (thread & 31))
    n = int32(result_column // uint32(64))
    h = int32(result_column // uint32(8) % uint32(8))
    w = int32(result_column % uint32(8))
    for turn in range(opaque(int32(4))):
        store_row(sums, turn, tiles, stage, 32)
        cuda.syncthreads()
        for lap in range(int32(4)):
            line = int32(lap * 2 + (thread >> 5))
            c = int32(line * 4 + turn)
            if c < 16 and result_column < N * 64:
                dot = tiles[uint32(line * 32 + (thread & 31))]
                grad_a_2_ = work[uint32(grad_a_2 + n * 256 + 4 * (h // int32(2)) + 16 * c + w // int32(2))]
                a_ = work[uint32(a + n * 1024 + c * 64 + h * 8 + w)]
                a_2_ = work[uint32(a_2 + n * 1024 + c * 64 + h * 8 + w)]
                work[uint32(grad_a + n * 1024 + c * 64 + h * 8 + w)] = (
                    real(0.0) if a_ <= real(0.0) else (real(0.0) if a_2_ <= real(0.0) else grad_a_2_ / real(4.0)) + dot
                )
        cuda.syncthreads()


@jit(max_registers=248)
def side_by_side_6(work, params, N):
    """Do conv2d_grad_W and batchnorm_grad_a_3, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(160)
    if block < end_1:
        conv2d_grad_W(block, work, int32(17192 * N), int32(3072 * N), int32(20384 * N + 74036), N)
    else:
        batchnorm_grad_a_3(
            int32(block - end_1), params, work, int32(176), int32(3072 * N), int32(12288 * N), int32(17192 * N), int32(13864 * N),
            int32(18216 * N), N,
        )


@jit(max_registers=248)
def batchnorm_grad_a_3_alone(params, work, N):
    """Do batchnorm_grad_a_3."""
    block = int32(cuda.blockIdx.x)
    batchnorm_grad_a_3(
        block, params, work, int32(176), int32(3072 * N), int32(12288 * N), int32(17192 * N), int32(13864 * N), int32(18216 * N), N,
    )


@device
def conv2d_grad_W_2_left(work, delta, k, term, stop):
    """Return four neighbours of the left factor, 0 outside of it."""
    n = int32(term // uint32(64))
    p = int32(term // uint32(8) % uint32(8))
    q = int32(term % uint32(8))
    inside = (k < 16) & (term < stop)
    return ld4(work, int32(delta + n * 1024 + k * 64 + p * 8 + q), inside)


@device
def conv2d_grad_W_2_right(x, column, term, stop):
    """Return an entry of the right factor, 0 outside of it."""
    c = int32(0)
    u = int32(column // uint32(3))
    v = int32(column % uint32(3))
    n = int32(term // uint32(64))
    p = int32(term // uint32(8) % uint32(8))
    q = int32(term % uint32(8))
    inside = (column < 9) & (term < stop) & (uint32(p + u - 1) < uint32(8)) & (uint32(q + v - 1) < uint32(8))
    entry = real(0.0)
    if inside:
        entry = x[uint32(n * 64 + c * 64 + (p + u - 1) * 8 + q + v - 1)]
    return entry


@jit(max_registers=128)
def conv2d_grad_W_2(work, x, delta, parts, N):
    """Write parts in tiles of 32 x 32, 16 terms at a time, by 64 threads with 4 x 4 results each; the terms in 32 parts."""
    # parts[part, k, c, u, v] = Σ_{n, p, q} delta[n, k, p, q] x[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q + v − 1 < 8]
    # Two tiles of each factor: while one is multiplied, the next one is read.
    tiles = cuda.shared.array(2304, real)
    thread = uint32(cuda.threadIdx.x)
    block = uint32(cuda.blockIdx.x)
    part = int32(block)
    stop = int32((N * 64 + 511) // 512 * 16)
    first = int32(part * stop)
    stop = int32(first + stop if first + stop < N * 64 else N * 64)
    # What the thread reads of a tile, and where it puts that.
    k_0 = int32(thread >> 2)
    k_1 = int32((thread >> 2) + 16)
    left_put = int32((thread & 3) * 144 + (thread >> 2))
    column_0 = uint32(thread & 31)
    right_put = int32(576 + (thread >> 5) * 36 + (thread & 31))
    # What it multiplies: its rows of the left tile and its columns of the right one.
    left = int32((thread >> 3) * 4)
    right = int32(576 + (thread & 7) * 4)
    here = int32(0)
    sums = register_tile(4, 4, real(0.0))
    term_0 = uint32(first + (thread & 3) * 4)
    left_0 = conv2d_grad_W_2_left(work, delta, k_0, term_0, stop)
    left_1 = conv2d_grad_W_2_left(work, delta, k_1, term_0, stop)
    term_1 = uint32(first + (thread >> 5))
    right_0 = conv2d_grad_W_2_right(x, column_0, term_1, stop)
    right_1 = conv2d_grad_W_2_right(x, column_0, uint32(term_1 + 2), stop)
    right_2 = conv2d_grad_W_2_right(x, column_0, uint32(term_1 + 4), stop)
    right_3 = conv2d_grad_W_2_right(x, column_0, uint32(term_1 + 6), stop)
    right_4 = conv2d_grad_W_2_right(x, column_0, uint32(term_1 + 8), stop)
    right_5 = conv2d_grad_W_2_right(x, column_0, uint32(term_1 + 10), stop)
    right_6 = conv2d_grad_W_2_right(x, column_0, uint32(term_1 + 12), stop)
    right_7 = conv2d_grad_W_2_right(x, column_0, uint32(term_1 + 14), stop)
    # dot = Σ_{n, p, q} delta[n, k, p, q] x[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q + v − 1 < 8]
    while first < stop:
        st4(tiles, int32(here + left_put), left_0, 36)
        st4(tiles, int32(here + left_put + 16), left_1, 36)
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
        term_0 = uint32(first + (thread & 3) * 4)
        left_0 = conv2d_grad_W_2_left(work, delta, k_0, term_0, stop)
        left_1 = conv2d_grad_W_2_left(work, delta, k_1, term_0, stop)
        term_1 = uint32(first + (thread >> 5))
        right_0 = conv2d_grad_W_2_right(x, column_0, term_1, stop)
        right_1 = conv2d_grad_W_2_right(x, column_0, uint32(term_1 + 2), stop)
        right_2 = conv2d_grad_W_2_right(x, column_0, uint32(term_1 + 4), stop)
        right_3 = conv2d_grad_W_2_right(x, column_0, uint32(term_1 + 6), stop)
        right_4 = conv2d_grad_W_2_right(x, column_0, uint32(term_1 + 8), stop)
        right_5 = conv2d_grad_W_2_right(x, column_0, uint32(term_1 + 10), stop)
        right_6 = conv2d_grad_W_2_right(x, column_0, uint32(term_1 + 12), stop)
        right_7 = conv2d_grad_W_2_right(x, column_0, uint32(term_1 + 14), stop)
        sums = multiply_add(sums, tiles, int32(here + left), int32(here + right), 32, 32, 16)
        here = int32(1152 - here)
    cuda.syncthreads()
    # Results go through shared memory, a row of each thread at a time, so that neighbouring threads write neighbours.
    stage = int32((thread >> 3) * 32 + (thread & 7) * 4)
    result_column = uint32(thread & 31)
    c = int32(0)
    u = int32(result_column // uint32(3))
    v = int32(result_column % uint32(3))
    for turn in range(opaque(int32(4))):
        store_row(sums, turn, tiles, stage, 32)
        cuda.syncthreads()
        for lap in range(int32(4)):
            line = int32(lap * 2 + (thread >> 5))
            k = int32(line * 4 + turn)
            if k < 16 and result_column < 9:
                dot = tiles[uint32(line * 32 + (thread & 31))]
                work[uint32(parts + part * 144 + k * 9 + c * 9 + u * 3 + v)] = dot
        cuda.syncthreads()


@jit
def conv2d_grad_W_2_2(grads, work, grad_W, parts, N):
    """Write grad_W."""
    # grad_W[k, c, u, v] = Σ_part parts[part, k, c, u, v]
    entry = int32(cuda.grid(1))
    if entry < int32(144):
        k = entry // int32(9)
        c = int32(0)
        u = entry // int32(3) % int32(3)
        v = entry % int32(3)
        total = real(0.0)
        for part in range(int32(32)):
            total += work[parts + part * 144 + k * 9 + c * 9 + u * 3 + v]
        grads[grad_W + k * 9 + c * 9 + u * 3 + v] = total


@jit
def write_grad_x(params, work, grads_x, W, delta, N):
    """Write grad_x."""
    # grad_x[n, c, h, w] = Σ_{k, u, v} W[k, c, u, v] delta[n, k, 1 + h − u, 1 + w − v] [0 ≤ 1 + h − u < 8] [0 ≤ 1 + w − v < 8]
    parts = cuda.shared.array(2, real)
    thread = int32(cuda.threadIdx.x)
    row = int32(cuda.blockIdx.x)
    n = row // int32(64)
    c = int32(0)
    h = row // int32(8) % int32(8)
    w = row % int32(8)
    total = real(0.0)
    part = real(0.0)
    first_u = (int32(0) if int32(0) > h - 6 else h - 6)
    count_u = (int32(3) if int32(3) < h + 2 else h + 2) - (int32(0) if int32(0) > h - 6 else h - 6)
    first_v = (int32(0) if int32(0) > w - 6 else w - 6)
    count_v = (int32(3) if int32(3) < w + 2 else w + 2) - (int32(0) if int32(0) > w - 6 else w - 6)
    for entry in range(thread, count_u * count_v * int32(16), int32(64)):
        k = entry // (count_u * count_v)
        u = first_u + entry // count_v % count_u
        v = first_v + entry % count_v
        part += params[W + k * 9 + c * 9 + u * 3 + v] * work[delta + n * 1024 + k * 64 + (h + 1 - u) * 8 + w + 1 - v]
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
        grads_x[n * 64 + c * 64 + h * 8 + w] = total


@device
def batchnorm_running_mean_next(block, work, params, mu, running_mean, running_mean_next, N):
    """Write running_mean_next."""
    # running_mean_next[c] = mu[c]/10 + (9/10) · running_mean[c]
    c = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if c < int32(16):
        work[running_mean_next + c] = work[mu + c] / real(10.0) + real(0.9) * params[running_mean + c]


@device
def batchnorm_running_var_next(block, params, work, running_var, v, running_var_next, N):
    """Write running_var_next."""
    # running_var_next[c] = (9/10) · running_var[c] + (32/5) · v[c] N/(64 N − 1)
    c = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if c < int32(16):
        work[running_var_next + c] = (
            real(0.9) * params[running_var + c] + real(6.4) * work[v + c] * real(N) / (real(64.0) * real(N) - real(1.0))
        )


@jit
def side_by_side_12(work, params, N):
    """Do 6 kernels, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(1)
    end_2 = int32(end_1 + 1)
    end_3 = int32(end_2 + 1)
    end_4 = int32(end_3 + 1)
    end_5 = int32(end_4 + 1)
    if block < end_1:
        batchnorm_running_mean_next(block, work, params, int32(20264 * N), int32(7418), int32(20264 * N + 148), N)
    elif block < end_2:
        batchnorm_running_var_next(int32(block - end_1), params, work, int32(7434), int32(20264 * N + 16), int32(20264 * N + 164), N)
    elif block < end_3:
        batchnorm_running_mean_next(int32(block - end_2), work, params, int32(20264 * N + 48), int32(7450), int32(20264 * N + 180), N)
    elif block < end_4:
        batchnorm_running_var_next(int32(block - end_3), params, work, int32(7466), int32(20264 * N + 64), int32(20264 * N + 196), N)
    elif block < end_5:
        batchnorm_running_mean_next(int32(block - end_4), work, params, int32(20264 * N + 96), int32(7482), int32(20264 * N + 212), N)
    else:
        batchnorm_running_var_next(int32(block - end_5), params, work, int32(7498), int32(20264 * N + 112), int32(20264 * N + 228), N)


@jit
def batchnorm_sigma_to_batchnorm_running_var_next(
    work, params, x, mu, v, sigma, running_mean, running_mean_next, running_var, running_var_next, N,
):
    """Write mu, v, sigma, running_mean_next and running_var_next."""
    parts = cuda.shared.array(8, real)
    thread = int32(cuda.threadIdx.x)
    c = int32(cuda.blockIdx.x)
    # mu[c] = (Σ_{n, h, w} x[n, c, h, w])/(64 N)
    total = real(0.0)
    part = real(0.0)
    for entry in range(thread, N * int32(64), int32(256)):
        n = entry // int32(64)
        h = entry // int32(8) % int32(8)
        w = entry % int32(8)
        part += work[x + n * 1024 + c * 64 + h * 8 + w]
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
        work[mu + c] = total / real(64.0) / real(N)
    # v[c] = (Σ_{n, h, w} (x[n, c, h, w] − mu[c])²)/(64 N)
    # sigma[c] = √(1e−05 + v[c])
    total_2 = real(0.0)
    cuda.syncthreads()
    part_ = real(0.0)
    for entry in range(thread, N * int32(64), int32(256)):
        n = entry // int32(64)
        h = entry // int32(8) % int32(8)
        w = entry % int32(8)
        base = work[x + n * 1024 + c * 64 + h * 8 + w] - work[mu + c]
        part_ += base * base
    # The parts of a warp's threads, then those of all warps, in one order always.
    lanes = int32(16)
    while lanes > 0:
        part_ += cuda.shfl_xor_sync(0xFFFFFFFF, part_, lanes)
        lanes = lanes // int32(2)
    if thread % int32(32) == 0:
        parts[thread // int32(32)] = part_
    cuda.syncthreads()
    for warp in range(int32(8)):
        total_2 += parts[warp]
    if thread == 0:
        work[v + c] = total_2 / real(64.0) / real(N)
        work[sigma + c] = math.sqrt(real(1e-05) + work[v + c])
    # running_mean_next[c] = mu[c]/10 + (9/10) · running_mean[c]
    if thread == 0:
        work[running_mean_next + c] = work[mu + c] / real(10.0) + real(0.9) * params[running_mean + c]
    # running_var_next[c] = (9/10) · running_var[c] + (32/5) · v[c] N/(64 N − 1)
    if thread == 0:
        work[running_var_next + c] = (
            real(0.9) * params[running_var + c] + real(6.4) * work[v + c] * real(N) / (real(64.0) * real(N) - real(1.0))
        )


@jit
def keep_statistics(params, work, start, place, count, loss):
    """Write next running statistics where the statistics lie, if the loss is finite."""
    k = int32(cuda.grid(1))
    if k < count and math.isfinite(work[loss]):
        params[start + k] = work[place + k]


@jit
def fill_table(state, hyper, table, count):
    """Compute for each of some steps what the optimizer has once for all entries, in float64, since powers of rates need it."""
    row = int32(cuda.grid(1))
    if row < count:
        lr = hyper[0]
        beta1 = hyper[1]
        beta2 = hyper[2]
        eps = hyper[3]
        t = float64(state[14836])
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
        v_next = grads[p] * grads[p] * factor_2 + state[7418 + p] * beta2
        w_next = factor_4 * m_next / (math.sqrt(factor_3 * v_next) + eps) + params[p]
        state[p] = m_next
        state[7418 + p] = v_next
        params[p] = w_next
    if p == first:
        history[row] = value
        step[1] = row + int32(1)
        if math.isfinite(value):
            state[14836] = table[row * 8 + 7]


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
    # conv2d_1
    launch(side_by_side, (n * 64 + 31) // 32 + 1 + 1 + 1, 64, params, x, work, n)
    # activation_1
    launch(batchnorm_a_2_to_activation_a, (n * 1024 + 127) // 128, 128, params, work, 7418, 10768 * n, 0, 160, 144, 1024 * n, 2048 * n, n)
    # conv2d_2
    launch(conv2d_z_2, (n * 64 + 31) // 32, 64, params, work, 176, 2048 * n, 3072 * n, n)
    # activation_2
    launch(
        batchnorm_a_2_to_activation_a, (n * 1024 + 127) // 128, 128, params, work, 7450, 10768 * n + 16, 3072 * n, 2496, 2480, 4096 * n,
        5120 * n, n,
    )
    # conv2d_3
    launch(conv2d_z_2, (n * 64 + 31) // 32, 64, params, work, 2512, 5120 * n, 6144 * n, n)
    # activation_3
    launch(
        batchnorm_a_2_to_activation_a_2, (n * 1024 + 127) // 128, 128, params, work, 7482, 10768 * n + 32, 6144 * n, 4832, 4816, 7168 * n,
        2048 * n, 8192 * n, 9216 * n, n,
    )
    # avgpool2d_1
    launch(avgpool2d_a, (n * 256 + 127) // 128, 128, work, 9216 * n, 10240 * n, n)
    # flatten_1
    launch(flatten_a, (n * 256 + 127) // 128, 128, work, 10240 * n, 10496 * n, n)
    # dense_1
    launch(dense_z, ((n + 31) // 32) * 4, 64, params, work, 4848, 10496 * n, 20264 * n + 244, n)
    launch(dense_z_2, (n * 10 + 127) // 128, 128, params, out, work, 7408, 20264 * n + 244, n)


def launch_evaluation(params, x, y, work, n):
    """Start the loss of n samples in inference."""
    # conv2d_1
    launch(side_by_side, (n * 64 + 31) // 32 + 1 + 1 + 1, 64, params, x, work, n)
    # activation_1
    launch(batchnorm_a_2_to_activation_a, (n * 1024 + 127) // 128, 128, params, work, 7418, 10768 * n, 0, 160, 144, 1024 * n, 2048 * n, n)
    # conv2d_2
    launch(conv2d_z_2, (n * 64 + 31) // 32, 64, params, work, 176, 2048 * n, 3072 * n, n)
    # activation_2
    launch(
        batchnorm_a_2_to_activation_a, (n * 1024 + 127) // 128, 128, params, work, 7450, 10768 * n + 16, 3072 * n, 2496, 2480, 4096 * n,
        5120 * n, n,
    )
    # conv2d_3
    launch(conv2d_z_2, (n * 64 + 31) // 32, 64, params, work, 2512, 5120 * n, 6144 * n, n)
    # activation_3
    launch(
        batchnorm_a_2_to_activation_a_2, (n * 1024 + 127) // 128, 128, params, work, 7482, 10768 * n + 32, 6144 * n, 4832, 4816, 7168 * n,
        2048 * n, 8192 * n, 9216 * n, n,
    )
    # avgpool2d_1
    launch(avgpool2d_a, (n * 256 + 127) // 128, 128, work, 9216 * n, 10240 * n, n)
    # flatten_1
    launch(flatten_a, (n * 256 + 127) // 128, 128, work, 10240 * n, 10496 * n, n)
    # dense_1
    launch(dense_z_3, ((n + 31) // 32) * 4, 64, params, work, 4848, 10496 * n, 20304 * n + 244, n)
    # loss
    launch(dense_z_4_to_write_loss_L, (n + 127) // 128, 128, params, work, y, 7408, 10752 * n, 20304 * n + 244, 10764 * n, n)
    launch(loss_total_alone, 1, 64, work, n)


def launch_loss(params, x, y, work, n):
    """Start the loss of n samples."""
    # conv2d_1
    launch(conv2d_z_alone, (n * 64 + 31) // 32, 64, params, x, work, n)
    # batchnorm_1
    launch(batchnorm_sigma, 16, 256, work, 0, 20264 * n, 20264 * n + 16, 20264 * n + 32, n)
    # activation_1
    launch(
        batchnorm_a_to_activation_a, (n * 1024 + 127) // 128, 128, work, params, 20264 * n, 20264 * n + 32, 0, 160, 144, 1024 * n, 2048 * n,
        3072 * n, n,
    )
    # conv2d_2
    launch(conv2d_z_2, (n * 64 + 31) // 32, 64, params, work, 176, 3072 * n, 4096 * n, n)
    # batchnorm_2
    launch(batchnorm_sigma, 16, 256, work, 4096 * n, 20264 * n + 48, 20264 * n + 64, 20264 * n + 80, n)
    # activation_2
    launch(
        batchnorm_a_to_activation_a, (n * 1024 + 127) // 128, 128, work, params, 20264 * n + 48, 20264 * n + 80, 4096 * n, 2496, 2480,
        5120 * n, 6144 * n, 7168 * n, n,
    )
    # conv2d_3
    launch(conv2d_z_2, (n * 64 + 31) // 32, 64, params, work, 2512, 7168 * n, 8192 * n, n)
    # batchnorm_3
    launch(batchnorm_sigma, 16, 256, work, 8192 * n, 20264 * n + 96, 20264 * n + 112, 20264 * n + 128, n)
    # activation_3
    launch(
        batchnorm_a_to_activation_a_2, (n * 1024 + 127) // 128, 128, work, params, 20264 * n + 96, 20264 * n + 128, 8192 * n, 4832, 4816,
        9216 * n, 10240 * n, 3072 * n, 11264 * n, 12288 * n, n,
    )
    # avgpool2d_1
    launch(avgpool2d_a, (n * 256 + 127) // 128, 128, work, 12288 * n, 13312 * n, n)
    # flatten_1
    launch(flatten_a, (n * 256 + 127) // 128, 128, work, 13312 * n, 13568 * n, n)
    # dense_1
    launch(dense_z_3, ((n + 31) // 32) * 4, 64, params, work, 4848, 13568 * n, 20344 * n + 244, n)
    # loss
    launch(dense_z_4_to_write_loss_L_2, (n + 127) // 128, 128, params, work, y, 7408, 13824 * n, 20344 * n + 244, 13836 * n, 13848 * n, n)
    launch(loss_total_alone_2, 1, 64, work, n)


def launch_value_and_grad(params, x, y, grads, work, n):
    """Start the loss and the gradients of n samples."""
    # conv2d_1
    launch(conv2d_z_alone, (n * 64 + 31) // 32, 64, params, x, work, n)
    # batchnorm_1
    launch(batchnorm_sigma, 16, 256, work, 0, 20264 * n, 20264 * n + 16, 20264 * n + 32, n)
    # activation_1
    launch(
        batchnorm_a_to_activation_a, (n * 1024 + 127) // 128, 128, work, params, 20264 * n, 20264 * n + 32, 0, 160, 144, 1024 * n, 2048 * n,
        3072 * n, n,
    )
    # conv2d_2
    launch(conv2d_z_2, (n * 64 + 31) // 32, 64, params, work, 176, 3072 * n, 4096 * n, n)
    # batchnorm_2
    launch(batchnorm_sigma, 16, 256, work, 4096 * n, 20264 * n + 48, 20264 * n + 64, 20264 * n + 80, n)
    # activation_2
    launch(
        batchnorm_a_to_activation_a, (n * 1024 + 127) // 128, 128, work, params, 20264 * n + 48, 20264 * n + 80, 4096 * n, 2496, 2480,
        5120 * n, 6144 * n, 7168 * n, n,
    )
    # conv2d_3
    launch(conv2d_z_2, (n * 64 + 31) // 32, 64, params, work, 2512, 7168 * n, 8192 * n, n)
    # batchnorm_3
    launch(batchnorm_sigma, 16, 256, work, 8192 * n, 20264 * n + 96, 20264 * n + 112, 20264 * n + 128, n)
    # activation_3
    launch(
        batchnorm_a_to_activation_a_2, (n * 1024 + 127) // 128, 128, work, params, 20264 * n + 96, 20264 * n + 128, 8192 * n, 4832, 4816,
        9216 * n, 10240 * n, 3072 * n, 11264 * n, 12288 * n, n,
    )
    # avgpool2d_1
    launch(avgpool2d_a, (n * 256 + 127) // 128, 128, work, 12288 * n, 13312 * n, n)
    # flatten_1
    launch(flatten_a, (n * 256 + 127) // 128, 128, work, 13312 * n, 13568 * n, n)
    # dense_1
    launch(dense_z_3, ((n + 31) // 32) * 4, 64, params, work, 4848, 13568 * n, 20344 * n + 244, n)
    launch(
        dense_z_4_to_dense_delta, (n + 127) // 128, 128, params, work, y, 7408, 13824 * n, 20344 * n + 244, 13836 * n, 13848 * n, 13852 * n,
        n,
    )
    launch(side_by_side_2, 8 + ((n + 31) // 32) * 8 + 1 + 1, 64, work, grads, params, n)
    # batchnorm_3
    launch(batchnorm_grad_a, (n * 1024 + 127) // 128, 128, work, 12288 * n, 13864 * n, 14120 * n, n)
    launch(side_by_side_3, 16 + 16 + 16 + 16, 256, work, grads, n)
    # conv2d_3
    launch(
        conv2d_delta_3, (n * 1024 + 127) // 128, 128, params, work, 4816, 14120 * n, 20264 * n + 128, 9216 * n, 15144 * n, 20384 * n + 244,
        20384 * n + 260, n,
    )
    launch(side_by_side_4, 160 + (n * 64 + 31) // 32, 64, work, params, n)
    launch(side_by_side_5, 9 + 16 + 16 + 16 + 16, 256, grads, work, n)
    # conv2d_2
    launch(
        conv2d_delta_3, (n * 1024 + 127) // 128, 128, params, work, 2480, 16168 * n, 20264 * n + 80, 5120 * n, 17192 * n, 20384 * n + 74004,
        20384 * n + 74020, n,
    )
    launch(side_by_side_6, 160 + (n * 64 + 31) // 32, 64, work, params, n)
    launch(side_by_side_7, 9 + 16 + 16 + 16 + 16, 256, grads, work, n)
    # conv2d_1
    launch(
        conv2d_delta_3, (n * 1024 + 127) // 128, 128, params, work, 144, 18216 * n, 20264 * n + 32, 1024 * n, 19240 * n, 20384 * n + 147764,
        20384 * n + 147780, n,
    )
    launch(conv2d_grad_W_2, 32, 64, work, x, 19240 * n, 20384 * n + 147796, n)
    launch(conv2d_grad_W_2_2, 2, 128, grads, work, 0, 20384 * n + 147796, n)


def launch_input_gradients(params, x, y, grads_x, work, n):
    """Start the loss and the gradients of n samples with respect to the inputs."""
    # conv2d_1
    launch(conv2d_z_alone, (n * 64 + 31) // 32, 64, params, x, work, n)
    # batchnorm_1
    launch(batchnorm_sigma, 16, 256, work, 0, 20264 * n, 20264 * n + 16, 20264 * n + 32, n)
    # activation_1
    launch(
        batchnorm_a_to_activation_a, (n * 1024 + 127) // 128, 128, work, params, 20264 * n, 20264 * n + 32, 0, 160, 144, 1024 * n, 2048 * n,
        3072 * n, n,
    )
    # conv2d_2
    launch(conv2d_z_2, (n * 64 + 31) // 32, 64, params, work, 176, 3072 * n, 4096 * n, n)
    # batchnorm_2
    launch(batchnorm_sigma, 16, 256, work, 4096 * n, 20264 * n + 48, 20264 * n + 64, 20264 * n + 80, n)
    # activation_2
    launch(
        batchnorm_a_to_activation_a, (n * 1024 + 127) // 128, 128, work, params, 20264 * n + 48, 20264 * n + 80, 4096 * n, 2496, 2480,
        5120 * n, 6144 * n, 7168 * n, n,
    )
    # conv2d_3
    launch(conv2d_z_2, (n * 64 + 31) // 32, 64, params, work, 2512, 7168 * n, 8192 * n, n)
    # batchnorm_3
    launch(batchnorm_sigma, 16, 256, work, 8192 * n, 20264 * n + 96, 20264 * n + 112, 20264 * n + 128, n)
    # activation_3
    launch(
        batchnorm_a_to_activation_a_2, (n * 1024 + 127) // 128, 128, work, params, 20264 * n + 96, 20264 * n + 128, 8192 * n, 4832, 4816,
        9216 * n, 10240 * n, 3072 * n, 11264 * n, 12288 * n, n,
    )
    # avgpool2d_1
    launch(avgpool2d_a, (n * 256 + 127) // 128, 128, work, 12288 * n, 13312 * n, n)
    # flatten_1
    launch(flatten_a, (n * 256 + 127) // 128, 128, work, 13312 * n, 13568 * n, n)
    # dense_1
    launch(dense_z_3, ((n + 31) // 32) * 4, 64, params, work, 4848, 13568 * n, 20344 * n + 244, n)
    launch(
        dense_z_4_to_dense_delta, (n + 127) // 128, 128, params, work, y, 7408, 13824 * n, 20344 * n + 244, 13836 * n, 13848 * n, 13852 * n,
        n,
    )
    # flatten_1
    launch(side_by_side_8, ((n + 31) // 32) * 8 + 1, 64, params, work, n)
    # batchnorm_3
    launch(batchnorm_grad_a, (n * 1024 + 127) // 128, 128, work, 12288 * n, 13864 * n, 14120 * n, n)
    # conv2d_3
    launch(side_by_side_9, 16 + 16, 256, work, n)
    launch(
        conv2d_delta_3, (n * 1024 + 127) // 128, 128, params, work, 4816, 14120 * n, 20264 * n + 128, 9216 * n, 15144 * n, 20384 * n + 244,
        20384 * n + 260, n,
    )
    # batchnorm_2
    launch(batchnorm_grad_a_2_alone, (n * 64 + 31) // 32, 64, params, work, n)
    # conv2d_2
    launch(side_by_side_10, 16 + 16, 256, work, n)
    launch(
        conv2d_delta_3, (n * 1024 + 127) // 128, 128, params, work, 2480, 16168 * n, 20264 * n + 80, 5120 * n, 17192 * n, 20384 * n + 74004,
        20384 * n + 74020, n,
    )
    # batchnorm_1
    launch(batchnorm_grad_a_3_alone, (n * 64 + 31) // 32, 64, params, work, n)
    # conv2d_1
    launch(side_by_side_11, 16 + 16, 256, work, n)
    launch(
        conv2d_delta_3, (n * 1024 + 127) // 128, 128, params, work, 144, 18216 * n, 20264 * n + 32, 1024 * n, 19240 * n, 20384 * n + 147764,
        20384 * n + 147780, n,
    )
    # x
    launch(write_grad_x, n * 64, 64, params, work, grads_x, 0, 19240 * n, n)


def launch_statistics(params, x, y, work, n):
    """Start the next running statistics; workspace is as the gradients of n samples left it."""
    # batchnorm_1
    launch(side_by_side_12, 1 + 1 + 1 + 1 + 1 + 1, 128, work, params, n)
    launch(keep_statistics, 1, 128, params, work, 7418, 20264 * n + 148, 16, 20264 * n + 144)
    launch(keep_statistics, 1, 128, params, work, 7434, 20264 * n + 164, 16, 20264 * n + 144)
    launch(keep_statistics, 1, 128, params, work, 7450, 20264 * n + 180, 16, 20264 * n + 144)
    launch(keep_statistics, 1, 128, params, work, 7466, 20264 * n + 196, 16, 20264 * n + 144)
    launch(keep_statistics, 1, 128, params, work, 7482, 20264 * n + 212, 16, 20264 * n + 144)
    launch(keep_statistics, 1, 128, params, work, 7498, 20264 * n + 228, 16, 20264 * n + 144)


def launch_training(params, x, y, grads, work, n):
    """Start the loss, the gradients and the next running statistics of n samples."""
    # conv2d_1
    launch(conv2d_z_alone, (n * 64 + 31) // 32, 64, params, x, work, n)
    # batchnorm_1
    launch(
        batchnorm_sigma_to_batchnorm_running_var_next, 16, 256, work, params, 0, 20264 * n, 20264 * n + 16, 20264 * n + 32, 7418,
        20264 * n + 148, 7434, 20264 * n + 164, n,
    )
    # activation_1
    launch(
        batchnorm_a_to_activation_a, (n * 1024 + 127) // 128, 128, work, params, 20264 * n, 20264 * n + 32, 0, 160, 144, 1024 * n, 2048 * n,
        3072 * n, n,
    )
    # conv2d_2
    launch(conv2d_z_2, (n * 64 + 31) // 32, 64, params, work, 176, 3072 * n, 4096 * n, n)
    # batchnorm_2
    launch(
        batchnorm_sigma_to_batchnorm_running_var_next, 16, 256, work, params, 4096 * n, 20264 * n + 48, 20264 * n + 64, 20264 * n + 80,
        7450, 20264 * n + 180, 7466, 20264 * n + 196, n,
    )
    # activation_2
    launch(
        batchnorm_a_to_activation_a, (n * 1024 + 127) // 128, 128, work, params, 20264 * n + 48, 20264 * n + 80, 4096 * n, 2496, 2480,
        5120 * n, 6144 * n, 7168 * n, n,
    )
    # conv2d_3
    launch(conv2d_z_2, (n * 64 + 31) // 32, 64, params, work, 2512, 7168 * n, 8192 * n, n)
    # batchnorm_3
    launch(
        batchnorm_sigma_to_batchnorm_running_var_next, 16, 256, work, params, 8192 * n, 20264 * n + 96, 20264 * n + 112, 20264 * n + 128,
        7482, 20264 * n + 212, 7498, 20264 * n + 228, n,
    )
    # activation_3
    launch(
        batchnorm_a_to_activation_a_2, (n * 1024 + 127) // 128, 128, work, params, 20264 * n + 96, 20264 * n + 128, 8192 * n, 4832, 4816,
        9216 * n, 10240 * n, 3072 * n, 11264 * n, 12288 * n, n,
    )
    # avgpool2d_1
    launch(avgpool2d_a, (n * 256 + 127) // 128, 128, work, 12288 * n, 13312 * n, n)
    # flatten_1
    launch(flatten_a, (n * 256 + 127) // 128, 128, work, 13312 * n, 13568 * n, n)
    # dense_1
    launch(dense_z_3, ((n + 31) // 32) * 4, 64, params, work, 4848, 13568 * n, 20344 * n + 244, n)
    launch(
        dense_z_4_to_dense_delta, (n + 127) // 128, 128, params, work, y, 7408, 13824 * n, 20344 * n + 244, 13836 * n, 13848 * n, 13852 * n,
        n,
    )
    launch(side_by_side_2, 8 + ((n + 31) // 32) * 8 + 1 + 1, 64, work, grads, params, n)
    # batchnorm_3
    launch(batchnorm_grad_a, (n * 1024 + 127) // 128, 128, work, 12288 * n, 13864 * n, 14120 * n, n)
    launch(side_by_side_3, 16 + 16 + 16 + 16, 256, work, grads, n)
    # conv2d_3
    launch(
        conv2d_delta_3, (n * 1024 + 127) // 128, 128, params, work, 4816, 14120 * n, 20264 * n + 128, 9216 * n, 15144 * n, 20384 * n + 244,
        20384 * n + 260, n,
    )
    launch(side_by_side_4, 160 + (n * 64 + 31) // 32, 64, work, params, n)
    launch(side_by_side_5, 9 + 16 + 16 + 16 + 16, 256, grads, work, n)
    # conv2d_2
    launch(
        conv2d_delta_3, (n * 1024 + 127) // 128, 128, params, work, 2480, 16168 * n, 20264 * n + 80, 5120 * n, 17192 * n, 20384 * n + 74004,
        20384 * n + 74020, n,
    )
    launch(side_by_side_6, 160 + (n * 64 + 31) // 32, 64, work, params, n)
    launch(side_by_side_7, 9 + 16 + 16 + 16 + 16, 256, grads, work, n)
    # conv2d_1
    launch(
        conv2d_delta_3, (n * 1024 + 127) // 128, 128, params, work, 144, 18216 * n, 20264 * n + 32, 1024 * n, 19240 * n, 20384 * n + 147764,
        20384 * n + 147780, n,
    )
    launch(conv2d_grad_W_2, 32, 64, work, x, 19240 * n, 20384 * n + 147796, n)
    launch(conv2d_grad_W_2_2, 2, 128, grads, work, 0, 20384 * n + 147796, n)
    launch(keep_statistics, 1, 128, params, work, 7418, 20264 * n + 148, 16, 20264 * n + 144)
    launch(keep_statistics, 1, 128, params, work, 7434, 20264 * n + 164, 16, 20264 * n + 144)
    launch(keep_statistics, 1, 128, params, work, 7450, 20264 * n + 180, 16, 20264 * n + 144)
    launch(keep_statistics, 1, 128, params, work, 7466, 20264 * n + 196, 16, 20264 * n + 144)
    launch(keep_statistics, 1, 128, params, work, 7482, 20264 * n + 212, 16, 20264 * n + 144)
    launch(keep_statistics, 1, 128, params, work, 7498, 20264 * n + 228, 16, 20264 * n + 144)


def launch_update(params, grads, state, hyper, table, losses, place, history, step):
    """Start the update of all parameters, if the loss at a place is finite; the table has the numbers of this step."""
    launch(update_entries, 58, 128, params, grads, state, table, losses, place, history, step, 0, 7418)


def launch_train_step(x, y, params, grads, state, hyper, table, work, history, step, n):
    """Start one training step of n samples."""
    launch(fill_table, 1, 128, state, hyper, table, 1)
    launch_training(params, x, y, grads, work, n)
    launch_update(params, grads, state, hyper, table, work, 20264 * n + 144, history, step)


def launch_step(all_x, all_y, order, x, y, params, grads, state, hyper, table, work, history, step, shuffled, size, n):
    """Start the next training step of an epoch, with n samples."""
    launch(gather, (n * 64 + 127) // 128, 128, all_x, all_y, order, step, x, y, shuffled, size, n)
    launch_training(params, x, y, grads, work, n)
    launch_update(params, grads, state, hyper, table, work, 20264 * n + 144, history, step)


def forward(params, x, out, work=None):
    """Write the network's output for a batch into out."""
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_out = room(out, 10 * n, DTYPE)
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_forward, d_params, d_x, d_out, d_work, n)
    give(d_out, out)


def evaluation(params, x, y, work=None):
    """Return the loss of a batch in inference."""
    if not in_range(y, 0, 9):
        return math.nan
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_y = take(y, "int64")
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_evaluation, d_params, d_x, d_y, d_work, n)
    return number(d_work, 10768 * n + 48)


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
    return number(d_work, 20264 * n + 144)


def value_and_grad(params, x, y, grads, work=None):
    """Return the loss of a batch and write its gradients into grads."""
    if not in_range(y, 0, 9):
        return math.nan
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_y = take(y, "int64")
    d_grads = room(grads, 7418, DTYPE)
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_value_and_grad, d_params, d_x, d_y, d_grads, d_work, n)
    give(d_grads, grads)
    return number(d_work, 20264 * n + 144)


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
    return number(d_work, 20264 * n + 144)


def update_statistics(params, x, y, work):
    """Write the next running statistics into params; work, on the device, is as value_and_grad of the same batch left it."""
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_y = take(y, "int64")
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_statistics, d_params, d_x, d_y, d_work, n)
    give(d_params, params)


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
    d_grads = room(grads, 7418, DTYPE)
    d_state = take(state, DTYPE)
    d_hyper = take(hyper, "float64")
    d_table, history = room(None, 8, DTYPE), room(None, 1, DTYPE)
    step = zeros(2, "int32")
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_train_step, d_x, d_y, d_params, d_grads, d_state, d_hyper, d_table, d_work, history, step, n)
    give(d_grads, grads)
    give(d_params, params)
    give(d_state, state)
    return number(d_work, 20264 * n + 144)


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
    d_grads = room(grads, 7418, DTYPE)
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
    "conv2d_z_alone": ("float32[::1]", "float32[::1]", "float32[::1]", "int32"),
    "side_by_side": ("float32[::1]", "float32[::1]", "float32[::1]", "int32"),
    "batchnorm_a_2_to_activation_a": (
        "float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32",
    ),
    "conv2d_z_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "batchnorm_a_2_to_activation_a_2": (
        "float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32",
    ),
    "avgpool2d_a": ("float32[::1]", "int32", "int32", "int32"),
    "flatten_a": ("float32[::1]", "int32", "int32", "int32"),
    "dense_z": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "dense_z_2": ("float32[::1]", "float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "dense_z_3": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "dense_z_4_to_write_loss_L": ("float32[::1]", "float32[::1]", "int64[::1]", "int32", "int32", "int32", "int32", "int32"),
    "loss_total_alone": ("float32[::1]", "int32"),
    "loss_total_alone_2": ("float32[::1]", "int32"),
    "batchnorm_sigma": ("float32[::1]", "int32", "int32", "int32", "int32", "int32"),
    "batchnorm_a_to_activation_a": (
        "float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32",
    ),
    "batchnorm_a_to_activation_a_2": (
        "float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32",
    ),
    "dense_z_4_to_write_loss_L_2": ("float32[::1]", "float32[::1]", "int64[::1]", "int32", "int32", "int32", "int32", "int32", "int32"),
    "dense_z_4_to_dense_delta": (
        "float32[::1]", "float32[::1]", "int64[::1]", "int32", "int32", "int32", "int32", "int32", "int32", "int32",
    ),
    "side_by_side_8": ("float32[::1]", "float32[::1]", "int32"),
    "side_by_side_2": ("float32[::1]", "float32[::1]", "float32[::1]", "int32"),
    "batchnorm_grad_a": ("float32[::1]", "int32", "int32", "int32", "int32"),
    "side_by_side_3": ("float32[::1]", "float32[::1]", "int32"),
    "side_by_side_9": ("float32[::1]", "int32"),
    "side_by_side_10": ("float32[::1]", "int32"),
    "side_by_side_11": ("float32[::1]", "int32"),
    "conv2d_delta_3": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32"),
    "side_by_side_4": ("float32[::1]", "float32[::1]", "int32"),
    "batchnorm_grad_a_2_alone": ("float32[::1]", "float32[::1]", "int32"),
    "side_by_side_5": ("float32[::1]", "float32[::1]", "int32"),
    "side_by_side_7": ("float32[::1]", "float32[::1]", "int32"),
    "side_by_side_6": ("float32[::1]", "float32[::1]", "int32"),
    "batchnorm_grad_a_3_alone": ("float32[::1]", "float32[::1]", "int32"),
    "conv2d_grad_W_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "conv2d_grad_W_2_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "write_grad_x": ("float32[::1]", "float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "side_by_side_12": ("float32[::1]", "float32[::1]", "int32"),
    "batchnorm_sigma_to_batchnorm_running_var_next": (
        "float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32",
    ),
    "keep_statistics": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "fill_table": ("float32[::1]", "float64[::1]", "float32[::1]", "int32"),
    "update_entries": (
        "float32[::1]", "float32[::1]", "float32[::1]", "float32[::1]", "float32[::1]", "int32", "float32[::1]", "int32[::1]", "int32",
        "int32",
    ),
    "gather": ("float32[::1]", "int64[::1]", "int64[::1]", "int32[::1]", "float32[::1]", "int64[::1]", "int32", "int32", "int32"),
}
#: Kernels that compute in float64 whatever DTYPE is.
FLOAT64 = ("fill_table",)
