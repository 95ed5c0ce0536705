"""Kernels of the network lenet for CUDA, compiled by Numba; they need NumPy, Numba and a GPU.

Written from the template numba_cuda/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: 90a227246b807b8cb819dfb532e23198c230f7502977c0cc862c86936df611c3
Schedule: layered; each kernel is a launch of its own: random layers and running statistics are computed by launches of their own

params, grads, state and work are contiguous 1-D arrays of type float32; x has one sample a row.
y has one number for each sample, integers from 0 to 9.
Arrays are NumPy's, which are copied in and out, or lie on the device (__cuda_array_interface__), where they are used as they are.
In a kernel a tensor's entry is buffer[offset + place]: W in params is params[W + i * columns + j].
"""

import math

import numpy as np
from numba import float32 as real
from numba import float64, int32, uint32, uint64

try:
    from .kernels_cuda import cuda, fill, give, jit, launch, ld4, number, repeat, room, st4, take, zeros
except ImportError:
    from kernels_cuda import cuda, fill, give, jit, launch, ld4, number, repeat, room, st4, take, zeros

NAME = "lenet"
#: Name, offset and shape of each parameter in the flat buffers.
PARAMETERS = (
    ("conv2d_1.W", 0, (16, 1, 3, 3)),
    ("batchnorm_1.gamma", 144, (16,)),
    ("batchnorm_1.beta", 160, (16,)),
    ("conv2d_2.W", 176, (32, 16, 3, 3)),
    ("batchnorm_2.gamma", 4784, (32,)),
    ("batchnorm_2.beta", 4816, (32,)),
    ("dense_1.W", 4848, (10, 128)),
    ("dense_1.b", 6128, (10,)),
)
#: Name, offset, shape and first value of each running statistic; in params they lie behind the parameters.
STATISTICS = (
    ("batchnorm_1.running_mean", 6138, (16,), 0.0),
    ("batchnorm_1.running_var", 6154, (16,), 1.0),
    ("batchnorm_2.running_mean", 6170, (32,), 0.0),
    ("batchnorm_2.running_var", 6202, (32,), 1.0),
)
#: Name, shape of a sample and probability of a 1 of each random input; the others of its entries are 0.
MASKS = (
    ("dropout_1.mask", (128,), 0.8),
)
DTYPE = "float32"
#: The largest batch.
BATCH = 32
STATE_SIZE = 12277
#: The optimizer's numbers with their defaults, in the order of the array hyper.
HYPER = (
    ("lr", 0.01),
    ("beta1", 0.9),
    ("beta2", 0.999),
    ("eps", 1e-08),
    ("updates", 1125.0),
    ("minimum", 0.0),
    ("weight_decay", 1.0),
)
SCHEDULE = "layered"
#: The types of each kernel's arguments, and the threads of its blocks, for compilers that have no call to look at.
SIGNATURES = {
    "conv2d_z": ("float32[::1]", "float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "batchnorm_sigma_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "batchnorm_a_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32", "int32", "int32"),
    "activation_a": ("float32[::1]", "int32", "int32", "int32"),
    "maxpool2d_a_3": ("float32[::1]", "int32", "int32", "int32"),
    "conv2d_z_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "batchnorm_sigma_2_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "batchnorm_a_2_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32", "int32", "int32"),
    "activation_a_2": ("float32[::1]", "int32", "int32", "int32"),
    "maxpool2d_a_4": ("float32[::1]", "int32", "int32", "int32"),
    "flatten_a": ("float32[::1]", "int32", "int32", "int32"),
    "dropout_a_2": ("float32[::1]", "int32", "int32", "int32"),
    "dense_z": ("float32[::1]", "float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "dense_z_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32"),
    "write_loss_L": ("float32[::1]", "int64[::1]", "int32", "int32", "int32"),
    "loss_total": ("float32[::1]", "int32", "int32", "int32"),
    "batchnorm_sigma": ("float32[::1]", "int32", "int32", "int32", "int32", "int32"),
    "batchnorm_a": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32"),
    "maxpool2d_a": ("float32[::1]", "int32", "int32", "int32", "int32"),
    "batchnorm_sigma_3": ("float32[::1]", "int32", "int32", "int32", "int32", "int32"),
    "batchnorm_a_3": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32"),
    "maxpool2d_a_2": ("float32[::1]", "int32", "int32", "int32", "int32"),
    "dropout_a": ("float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "write_loss_p": ("float32[::1]", "int32", "int32", "int32"),
    "dense_delta": ("float32[::1]", "int64[::1]", "int32", "int32", "int32"),
    "dense_grad_W": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "dense_grad_b": ("float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "flatten_grad_a": ("float32[::1]", "float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "batchnorm_grad_a": ("float32[::1]", "int32", "int32", "int32", "int32", "int32"),
    "batchnorm_grad_gamma": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "batchnorm_grad_beta": ("float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "conv2d_delta": ("float32[::1]", "int32", "int32", "int32"),
    "conv2d_delta_3": ("float32[::1]", "int32", "int32", "int32", "int32"),
    "conv2d_delta_4": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32"),
    "conv2d_grad_W": ("float32[::1]", "int32", "int32", "int32", "int32"),
    "conv2d_grad_W_3": ("float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "maxpool2d_grad_a": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "maxpool2d_grad_a_2": ("float32[::1]", "int32", "int32", "int32"),
    "batchnorm_grad_a_2": ("float32[::1]", "int32", "int32", "int32", "int32", "int32"),
    "batchnorm_grad_gamma_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "batchnorm_grad_beta_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "conv2d_delta_2": ("float32[::1]", "int32", "int32", "int32"),
    "conv2d_delta_2_2": ("float32[::1]", "int32", "int32", "int32", "int32"),
    "conv2d_delta_2_3": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32"),
    "conv2d_grad_W_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "conv2d_grad_W_2_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "write_grad_x": ("float32[::1]", "float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "batchnorm_running_mean_next": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "batchnorm_running_var_next": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "batchnorm_running_mean_next_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "batchnorm_running_var_next_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "keep_statistics": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "update_scalars": ("float32[::1]", "float32[::1]", "float32[::1]", "float64[::1]", "float32[::1]", "float32[::1]", "int32", "float32[::1]", "int32[::1]", "int32"),
    "update_entries": ("float32[::1]", "float32[::1]", "float32[::1]", "float32[::1]", "int32", "int32"),
}
THREADS = {
    "conv2d_z": 64,
    "batchnorm_sigma_2": 128,
    "batchnorm_a_2": 128,
    "activation_a": 128,
    "maxpool2d_a_3": 128,
    "conv2d_z_2": 64,
    "batchnorm_sigma_2_2": 128,
    "batchnorm_a_2_2": 128,
    "activation_a_2": 128,
    "maxpool2d_a_4": 128,
    "flatten_a": 128,
    "dropout_a_2": 128,
    "dense_z": 64,
    "dense_z_2": 64,
    "write_loss_L": 128,
    "loss_total": 32,
    "batchnorm_sigma": 256,
    "batchnorm_a": 128,
    "maxpool2d_a": 128,
    "batchnorm_sigma_3": 256,
    "batchnorm_a_3": 128,
    "maxpool2d_a_2": 128,
    "dropout_a": 128,
    "write_loss_p": 128,
    "dense_delta": 128,
    "dense_grad_W": 64,
    "dense_grad_b": 128,
    "flatten_grad_a": 64,
    "batchnorm_grad_a": 128,
    "batchnorm_grad_gamma": 256,
    "batchnorm_grad_beta": 256,
    "conv2d_delta": 256,
    "conv2d_delta_3": 256,
    "conv2d_delta_4": 128,
    "conv2d_grad_W": 64,
    "conv2d_grad_W_3": 128,
    "maxpool2d_grad_a": 64,
    "maxpool2d_grad_a_2": 128,
    "batchnorm_grad_a_2": 128,
    "batchnorm_grad_gamma_2": 256,
    "batchnorm_grad_beta_2": 256,
    "conv2d_delta_2": 256,
    "conv2d_delta_2_2": 256,
    "conv2d_delta_2_3": 128,
    "conv2d_grad_W_2": 64,
    "conv2d_grad_W_2_2": 128,
    "write_grad_x": 64,
    "batchnorm_running_mean_next": 128,
    "batchnorm_running_var_next": 128,
    "batchnorm_running_mean_next_2": 128,
    "batchnorm_running_var_next_2": 128,
    "keep_statistics": 128,
    "update_scalars": 1,
    "update_entries": 128,
}
#: Kernels that compute in float64 whatever DTYPE is.
FLOAT64 = ("update_scalars",)


def workspace(n):
    """Return how many elements of workspace a batch of n samples needs."""
    return 4864 * n + 18580


@jit
def count_outside(values, least, most, found):
    """Count the values that do not lie in least .. most."""
    k = int32(cuda.grid(1))
    if k < values.size and (values[k] < least or values[k] > most):
        cuda.atomic.add(found, 0, 1)


def in_range(values, least, most):
    """Whether every value lies in least .. most."""
    if isinstance(values, np.ndarray):
        return bool(values.size == 0 or (values.min() >= least and values.max() <= most))
    found, there = zeros(1, "int32"), take(values, "int64")
    launch(count_outside, (there.size + 127) // 128, 128, there, least, most, found)
    return number(found) == 0


@jit
def batchnorm_sigma_2(params, work, running_var, sigma, N):
    """Write sigma."""
    # sigma[c] = √(1e−05 + running_var[c])
    c = int32(cuda.grid(1))
    if c < int32(16):
        work[sigma + c] = math.sqrt(real(1e-05) + params[running_var + c])


@jit
def batchnorm_a_2(params, work, running_mean, sigma, x, beta, gamma, a, N):
    """Write a."""
    # a[n, c, h, w] = gamma[c] x_hat[n, c, h, w] + beta[c]
    entry = int32(cuda.grid(1))
    if entry < N * int32(1024):
        n = entry // int32(1024)
        c = entry // int32(64) % int32(16)
        h = entry // int32(8) % int32(8)
        w = entry % int32(8)
        x_hat = (work[x + n * 1024 + c * 64 + h * 8 + w] - params[running_mean + c]) / work[sigma + c]
        work[a + n * 1024 + c * 64 + h * 8 + w] = params[gamma + c] * x_hat + params[beta + c]


@jit
def activation_a(work, x, a, N):
    """Write a."""
    # a[n, c, h, w] = x[n, c, h, w] [x[n, c, h, w] > 0]
    entry = int32(cuda.grid(1))
    if entry < N * int32(1024):
        n = entry // int32(1024)
        c = entry // int32(64) % int32(16)
        h = entry // int32(8) % int32(8)
        w = entry % int32(8)
        x_ = work[x + n * 1024 + c * 64 + h * 8 + w]
        work[a + n * 1024 + c * 64 + h * 8 + w] = real(0.0) if x_ <= real(0.0) else x_


@jit
def maxpool2d_a_3(work, x, a, N):
    """Write a."""
    # a[n, c, p, q] = max_{i, j} x[n, c, 2 p + i, 2 q + j]
    entry = int32(cuda.grid(1))
    if entry < N * int32(256):
        n = entry // int32(256)
        c = entry // int32(16) % int32(16)
        p = entry // int32(4) % int32(4)
        q = entry % int32(4)
        top = real(-math.inf)
        for i in range(int32(2)):
            for j in range(int32(2)):
                candidate = work[x + n * 1024 + c * 64 + (2 * p + i) * 8 + (2 * q + j)]
                top = candidate if (candidate > top) | (candidate != candidate) else top
        work[a + n * 256 + c * 16 + p * 4 + q] = top


@jit
def batchnorm_sigma_2_2(params, work, running_var, sigma, N):
    """Write sigma."""
    # sigma[c] = √(1e−05 + running_var[c])
    c = int32(cuda.grid(1))
    if c < int32(32):
        work[sigma + c] = math.sqrt(real(1e-05) + params[running_var + c])


@jit
def batchnorm_a_2_2(params, work, running_mean, sigma, x, beta, gamma, a, N):
    """Write a."""
    # a[n, c, h, w] = gamma[c] x_hat[n, c, h, w] + beta[c]
    entry = int32(cuda.grid(1))
    if entry < N * int32(512):
        n = entry // int32(512)
        c = entry // int32(16) % int32(32)
        h = entry // int32(4) % int32(4)
        w = entry % int32(4)
        x_hat = (work[x + n * 512 + c * 16 + h * 4 + w] - params[running_mean + c]) / work[sigma + c]
        work[a + n * 512 + c * 16 + h * 4 + w] = params[gamma + c] * x_hat + params[beta + c]


@jit
def activation_a_2(work, x, a, N):
    """Write a."""
    # a[n, c, h, w] = x[n, c, h, w] [x[n, c, h, w] > 0]
    entry = int32(cuda.grid(1))
    if entry < N * int32(512):
        n = entry // int32(512)
        c = entry // int32(16) % int32(32)
        h = entry // int32(4) % int32(4)
        w = entry % int32(4)
        x_ = work[x + n * 512 + c * 16 + h * 4 + w]
        work[a + n * 512 + c * 16 + h * 4 + w] = real(0.0) if x_ <= real(0.0) else x_


@jit
def maxpool2d_a_4(work, x, a, N):
    """Write a."""
    # a[n, c, p, q] = max_{i, j} x[n, c, 2 p + i, 2 q + j]
    entry = int32(cuda.grid(1))
    if entry < N * int32(128):
        n = entry // int32(128)
        c = entry // int32(4) % int32(32)
        p = entry // int32(2) % int32(2)
        q = entry % int32(2)
        top = real(-math.inf)
        for i in range(int32(2)):
            for j in range(int32(2)):
                candidate = work[x + n * 512 + c * 16 + (2 * p + i) * 4 + (2 * q + j)]
                top = candidate if (candidate > top) | (candidate != candidate) else top
        work[a + n * 128 + c * 4 + p * 2 + q] = top


@jit
def flatten_a(work, x, a, N):
    """Write a."""
    # a[n, k] = x[n, floor(k/4), floor(k/2) mod 2, k mod 2]
    entry = int32(cuda.grid(1))
    if entry < N * int32(128):
        n = entry // int32(128)
        k = entry % int32(128)
        work[a + n * 128 + k] = work[x + n * 128 + (k // int32(4)) * 4 + (k // int32(2) % int32(2)) * 2 + (k % int32(2))]


@jit
def dropout_a_2(work, x, a, N):
    """Write a."""
    # a[n, i] = x[n, i]
    entry = int32(cuda.grid(1))
    if entry < N * int32(128):
        n = entry // int32(128)
        i = entry % int32(128)
        work[a + n * 128 + i] = work[x + n * 128 + i]


@jit
def write_loss_L(work, y, a, L, N):
    """Write L."""
    # L[n] = log Σ_i exp(a[n, i]) − a[n, y[n]]
    n = int32(cuda.grid(1))
    if n < N:
        top = real(-math.inf)
        for i in range(int32(10)):
            candidate = work[a + n * 10 + i]
            top = candidate if (candidate > top) | (candidate != candidate) else top
        shift = top if abs(top) != real(math.inf) else real(0.0)
        total = real(0.0)
        for i in range(int32(10)):
            total += math.exp(work[a + n * 10 + i] - shift)
        work[L + n] = shift + math.log(total) - work[a + n * 10 + int32(y[n])]


@jit
def loss_total(work, L, loss_, N):
    """Write loss."""
    # loss = (Σ_n L[n])/N
    parts = cuda.shared.array(1, real)
    thread = int32(cuda.threadIdx.x)
    total = real(0.0)
    part = real(0.0)
    for n in range(thread, N, int32(32)):
        part += work[L + n]
    lanes = int32(16)
    while lanes > 0:
        part += cuda.shfl_xor_sync(0xFFFFFFFF, part, lanes)
        lanes = lanes // int32(2)
    if thread % int32(32) == 0:
        parts[thread // int32(32)] = part
    cuda.syncthreads()
    for warp in range(int32(1)):
        total += parts[warp]
    if thread == 0:
        work[loss_] = total / real(N)


@jit
def batchnorm_sigma(work, x, mu, v, sigma, N):
    """Write mu and v and sigma."""
    # mu[c] = (Σ_{n, h, w} x[n, c, h, w])/(64 N)
    # v[c] = (Σ_{n, h, w} (x[n, c, h, w] − mu[c])²)/(64 N)
    # sigma[c] = √(1e−05 + v[c])
    parts = cuda.shared.array(8, real)
    thread = int32(cuda.threadIdx.x)
    c = int32(cuda.blockIdx.x)
    total = real(0.0)
    part = real(0.0)
    for entry in range(thread, N * int32(64), int32(256)):
        n = entry // int32(64)
        h = entry // int32(8) % int32(8)
        w = entry % int32(8)
        part += work[x + n * 1024 + c * 64 + h * 8 + w]
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
    total_2 = real(0.0)
    cuda.syncthreads()
    part_ = real(0.0)
    for entry in range(thread, N * int32(64), int32(256)):
        n = entry // int32(64)
        h = entry // int32(8) % int32(8)
        w = entry % int32(8)
        base = work[x + n * 1024 + c * 64 + h * 8 + w] - work[mu + c]
        part_ += base * base
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
def batchnorm_a(work, params, mu, sigma, x, beta, gamma, x_hat, a, N):
    """Write x_hat and a."""
    # x_hat[n, c, h, w] = (x[n, c, h, w] − mu[c])/sigma[c]
    # a[n, c, h, w] = gamma[c] x_hat[n, c, h, w] + beta[c]
    entry = int32(cuda.grid(1))
    if entry < N * int32(1024):
        n = entry // int32(1024)
        c = entry // int32(64) % int32(16)
        h = entry // int32(8) % int32(8)
        w = entry % int32(8)
        work[x_hat + n * 1024 + c * 64 + h * 8 + w] = (work[x + n * 1024 + c * 64 + h * 8 + w] - work[mu + c]) / work[sigma + c]
        work[a + n * 1024 + c * 64 + h * 8 + w] = params[gamma + c] * work[x_hat + n * 1024 + c * 64 + h * 8 + w] + params[beta + c]


@jit
def maxpool2d_a(work, x, a_argmax, a, N):
    """Write a_argmax and a."""
    # a_argmax[n, c, p, q] = (2 i + j at max_{i, j} x[n, c, 2 p + i, 2 q + j])
    # a[n, c, p, q] = max_{i, j} x[n, c, 2 p + i, 2 q + j]
    entry = int32(cuda.grid(1))
    if entry < N * int32(256):
        n = entry // int32(256)
        c = entry // int32(16) % int32(16)
        p = entry // int32(4) % int32(4)
        q = entry % int32(4)
        best = real(-math.inf)
        place = 0
        for i in range(int32(2)):
            for j in range(int32(2)):
                candidate = work[x + n * 1024 + c * 64 + (2 * p + i) * 8 + (2 * q + j)]
                larger = (candidate > best) | ((candidate != candidate) & (best == best))
                best = candidate if larger else best
                place = 2 * i + j if larger else place
        work[a_argmax + n * 256 + c * 16 + p * 4 + q] = real(place)
        work[a + n * 256 + c * 16 + p * 4 + q] = best


@jit
def batchnorm_sigma_3(work, x, mu, v, sigma, N):
    """Write mu and v and sigma."""
    # mu[c] = (Σ_{n, h, w} x[n, c, h, w])/(16 N)
    # v[c] = (Σ_{n, h, w} (x[n, c, h, w] − mu[c])²)/(16 N)
    # sigma[c] = √(1e−05 + v[c])
    parts = cuda.shared.array(8, real)
    thread = int32(cuda.threadIdx.x)
    c = int32(cuda.blockIdx.x)
    total = real(0.0)
    part = real(0.0)
    for entry in range(thread, N * int32(16), int32(256)):
        n = entry // int32(16)
        h = entry // int32(4) % int32(4)
        w = entry % int32(4)
        part += work[x + n * 512 + c * 16 + h * 4 + w]
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
        work[mu + c] = total / real(16.0) / real(N)
    total_2 = real(0.0)
    cuda.syncthreads()
    part_ = real(0.0)
    for entry in range(thread, N * int32(16), int32(256)):
        n = entry // int32(16)
        h = entry // int32(4) % int32(4)
        w = entry % int32(4)
        base = work[x + n * 512 + c * 16 + h * 4 + w] - work[mu + c]
        part_ += base * base
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
        work[v + c] = total_2 / real(16.0) / real(N)
        work[sigma + c] = math.sqrt(real(1e-05) + work[v + c])


@jit
def batchnorm_a_3(work, params, mu, sigma, x, beta, gamma, x_hat, a, N):
    """Write x_hat and a."""
    # x_hat[n, c, h, w] = (x[n, c, h, w] − mu[c])/sigma[c]
    # a[n, c, h, w] = gamma[c] x_hat[n, c, h, w] + beta[c]
    entry = int32(cuda.grid(1))
    if entry < N * int32(512):
        n = entry // int32(512)
        c = entry // int32(16) % int32(32)
        h = entry // int32(4) % int32(4)
        w = entry % int32(4)
        work[x_hat + n * 512 + c * 16 + h * 4 + w] = (work[x + n * 512 + c * 16 + h * 4 + w] - work[mu + c]) / work[sigma + c]
        work[a + n * 512 + c * 16 + h * 4 + w] = params[gamma + c] * work[x_hat + n * 512 + c * 16 + h * 4 + w] + params[beta + c]


@jit
def maxpool2d_a_2(work, x, a_argmax, a, N):
    """Write a_argmax and a."""
    # a_argmax[n, c, p, q] = (2 i + j at max_{i, j} x[n, c, 2 p + i, 2 q + j])
    # a[n, c, p, q] = max_{i, j} x[n, c, 2 p + i, 2 q + j]
    entry = int32(cuda.grid(1))
    if entry < N * int32(128):
        n = entry // int32(128)
        c = entry // int32(4) % int32(32)
        p = entry // int32(2) % int32(2)
        q = entry % int32(2)
        best = real(-math.inf)
        place = 0
        for i in range(int32(2)):
            for j in range(int32(2)):
                candidate = work[x + n * 512 + c * 16 + (2 * p + i) * 4 + (2 * q + j)]
                larger = (candidate > best) | ((candidate != candidate) & (best == best))
                best = candidate if larger else best
                place = 2 * i + j if larger else place
        work[a_argmax + n * 128 + c * 4 + p * 2 + q] = real(place)
        work[a + n * 128 + c * 4 + p * 2 + q] = best


@jit
def dropout_a(dropout_1_mask, work, x, a, N):
    """Write a."""
    # a[n, i] = (5/4) · mask[n, i] x[n, i]
    entry = int32(cuda.grid(1))
    if entry < N * int32(128):
        n = entry // int32(128)
        i = entry % int32(128)
        work[a + n * 128 + i] = real(1.25) * dropout_1_mask[n * 128 + i] * work[x + n * 128 + i]


@jit
def write_loss_p(work, a, p, N):
    """Write p."""
    # p[n, i] = exp(a[n, i] − log Σ_j exp(a[n, j]))
    n = int32(cuda.grid(1))
    if n < N:
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


@jit
def dense_delta(work, y, p, delta, N):
    """Write delta."""
    # delta[n, i] = (p[n, i] − [i = y[n]])/N
    entry = int32(cuda.grid(1))
    if entry < N * int32(10):
        n = entry // int32(10)
        i = entry % int32(10)
        p_ = work[p + n * 10 + i]
        work[delta + n * 10 + i] = (p_ - (real(1.0) if i == int32(y[n]) else real(0.0))) / real(N)


@jit
def dense_grad_b(work, grads, delta, grad_b, N):
    """Write grad_b."""
    # grad_b[i] = Σ_n delta[n, i]
    i = int32(cuda.grid(1))
    if i < int32(10):
        total = real(0.0)
        for n in range(N):
            total += work[delta + n * 10 + i]
        grads[grad_b + i] = total


@jit
def batchnorm_grad_a(work, a, a_argmax, grad_a_2, grad_a, N):
    """Write grad_a."""
    # grad_a[n, c, h, w] = grad_a_2[n, 2 floor(h/2) + 4 c + floor(w/2)] [2 · (h mod 2) + (w mod 2) = a_argmax[n, c, floor(h/2),
    #     floor(w/2)]] [a[n, c, h, w] > 0]
    entry = int32(cuda.grid(1))
    if entry < N * int32(512):
        n = entry // int32(512)
        c = entry // int32(16) % int32(32)
        H = entry // int32(8) % int32(2)
        W = entry // int32(4) % int32(2)
        i = entry // int32(2) % int32(2)
        j = entry % int32(2)
        grad_a_2_ = work[grad_a_2 + n * 128 + (2 * H + 4 * c + W)]
        a_argmax_ = work[a_argmax + n * 128 + c * 4 + H * 2 + W]
        a_ = work[a + n * 512 + c * 16 + (2 * H + i) * 4 + (2 * W + j)]
        work[grad_a + n * 512 + c * 16 + (2 * H + i) * 4 + (2 * W + j)] = (
            grad_a_2_ if real(2 * i + j) == a_argmax_ and not a_ <= real(0.0) else real(0.0)
        )


@jit
def batchnorm_grad_gamma(work, grads, grad_a, x_hat, grad_gamma, N):
    """Write grad_gamma."""
    # grad_gamma[c] = Σ_{n, h, w} grad_a[n, c, h, w] x_hat[n, c, h, w]
    parts = cuda.shared.array(8, real)
    thread = int32(cuda.threadIdx.x)
    c = int32(cuda.blockIdx.x)
    total = real(0.0)
    part = real(0.0)
    for entry in range(thread, N * int32(16), int32(256)):
        n = entry // int32(16)
        h = entry // int32(4) % int32(4)
        w = entry % int32(4)
        part += work[grad_a + n * 512 + c * 16 + h * 4 + w] * work[x_hat + n * 512 + c * 16 + h * 4 + w]
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


@jit
def batchnorm_grad_beta(work, grads, grad_a, grad_beta, N):
    """Write grad_beta."""
    # grad_beta[c] = Σ_{n, h, w} grad_a[n, c, h, w]
    parts = cuda.shared.array(8, real)
    thread = int32(cuda.threadIdx.x)
    c = int32(cuda.blockIdx.x)
    total = real(0.0)
    part = real(0.0)
    for entry in range(thread, N * int32(16), int32(256)):
        n = entry // int32(16)
        h = entry // int32(4) % int32(4)
        w = entry % int32(4)
        part += work[grad_a + n * 512 + c * 16 + h * 4 + w]
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


@jit
def conv2d_delta(work, grad_a, sums, N):
    """Write sums."""
    # sums[k] = Σ_{i, h, w} grad_a[i, k, h, w]
    parts = cuda.shared.array(8, real)
    thread = int32(cuda.threadIdx.x)
    k = int32(cuda.blockIdx.x)
    total = real(0.0)
    part = real(0.0)
    for entry in range(thread, N * int32(16), int32(256)):
        i = entry // int32(16)
        h = entry // int32(4) % int32(4)
        w = entry % int32(4)
        part += work[grad_a + i * 512 + k * 16 + h * 4 + w]
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


@jit
def conv2d_delta_3(work, grad_a, x_hat, sums_2, N):
    """Write sums_2."""
    # sums_2[k] = Σ_{i, h, w} grad_a[i, k, h, w] x_hat[i, k, h, w]
    parts = cuda.shared.array(8, real)
    thread = int32(cuda.threadIdx.x)
    k = int32(cuda.blockIdx.x)
    total = real(0.0)
    part = real(0.0)
    for entry in range(thread, N * int32(16), int32(256)):
        i = entry // int32(16)
        h = entry // int32(4) % int32(4)
        w = entry % int32(4)
        part += work[grad_a + i * 512 + k * 16 + h * 4 + w] * work[x_hat + i * 512 + k * 16 + h * 4 + w]
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
def conv2d_delta_4(params, work, gamma, grad_a, sigma, x_hat, delta, sums, sums_2, N):
    """Write delta."""
    # delta[n, k, p, q] = (16 grad_a[n, k, p, q] N − sums[k] − sums_2[k] x_hat[n, k, p, q]) · gamma[k]/(16 sigma[k] N)
    entry = int32(cuda.grid(1))
    if entry < N * int32(512):
        n = entry // int32(512)
        k = entry // int32(16) % int32(32)
        p = entry // int32(4) % int32(4)
        q = entry % int32(4)
        work[delta + n * 512 + k * 16 + p * 4 + q] = (
            (real(16.0) * work[grad_a + n * 512 + k * 16 + p * 4 + q] * real(N) - work[sums + k] - work[sums_2 + k] * work[x_hat + n * 512
            + k * 16 + p * 4 + q]) * params[gamma + k] / real(16.0) / work[sigma + k] / real(N)
        )


@jit
def conv2d_grad_W_3(grads, work, grad_W, parts, N):
    """Write grad_W."""
    # grad_W[k, c, u, v] = Σ_part parts[part, k, c, u, v]
    entry = int32(cuda.grid(1))
    if entry < int32(4608):
        k = entry // int32(144)
        c = entry // int32(9) % int32(16)
        u = entry // int32(3) % int32(3)
        v = entry % int32(3)
        total = real(0.0)
        for part in range(int32(4)):
            total += work[parts + part * 4608 + k * 144 + c * 9 + u * 3 + v]
        grads[grad_W + k * 144 + c * 9 + u * 3 + v] = total


@jit
def maxpool2d_grad_a_2(work, grad_a, parts, N):
    """Write grad_a."""
    # grad_a[n, c, h, w] = Σ_part parts[part, n, c, h, w]
    entry = int32(cuda.grid(1))
    if entry < N * int32(256):
        n = entry // int32(256)
        c = entry // int32(16) % int32(16)
        h = entry // int32(4) % int32(4)
        w = entry % int32(4)
        total = real(0.0)
        for part in range(int32(2)):
            total += work[parts + part * 256 * N + n * 256 + c * 16 + h * 4 + w]
        work[grad_a + n * 256 + c * 16 + h * 4 + w] = total


@jit
def batchnorm_grad_a_2(work, a, a_argmax, grad_a_2, grad_a, N):
    """Write grad_a."""
    # grad_a[n, c, h, w] = grad_a_2[n, c, floor(h/2), floor(w/2)] [2 · (h mod 2) + (w mod 2) = a_argmax[n, c, floor(h/2), floor(w/2)]]
    #     [a[n, c, h, w] > 0]
    entry = int32(cuda.grid(1))
    if entry < N * int32(1024):
        n = entry // int32(1024)
        c = entry // int32(64) % int32(16)
        H = entry // int32(16) % int32(4)
        W = entry // int32(4) % int32(4)
        i = entry // int32(2) % int32(2)
        j = entry % int32(2)
        a_argmax_ = work[a_argmax + n * 256 + c * 16 + H * 4 + W]
        grad_a_2_ = work[grad_a_2 + n * 256 + c * 16 + H * 4 + W]
        a_ = work[a + n * 1024 + c * 64 + (2 * H + i) * 8 + (2 * W + j)]
        work[grad_a + n * 1024 + c * 64 + (2 * H + i) * 8 + (2 * W + j)] = (
            grad_a_2_ if real(2 * i + j) == a_argmax_ and not a_ <= real(0.0) else real(0.0)
        )


@jit
def batchnorm_grad_gamma_2(work, grads, grad_a, x_hat, grad_gamma, N):
    """Write grad_gamma."""
    # grad_gamma[c] = Σ_{n, h, w} grad_a[n, c, h, w] x_hat[n, c, h, w]
    parts = cuda.shared.array(8, real)
    thread = int32(cuda.threadIdx.x)
    c = int32(cuda.blockIdx.x)
    total = real(0.0)
    part = real(0.0)
    for entry in range(thread, N * int32(64), int32(256)):
        n = entry // int32(64)
        h = entry // int32(8) % int32(8)
        w = entry % int32(8)
        part += work[grad_a + n * 1024 + c * 64 + h * 8 + w] * work[x_hat + n * 1024 + c * 64 + h * 8 + w]
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


@jit
def batchnorm_grad_beta_2(work, grads, grad_a, grad_beta, N):
    """Write grad_beta."""
    # grad_beta[c] = Σ_{n, h, w} grad_a[n, c, h, w]
    parts = cuda.shared.array(8, real)
    thread = int32(cuda.threadIdx.x)
    c = int32(cuda.blockIdx.x)
    total = real(0.0)
    part = real(0.0)
    for entry in range(thread, N * int32(64), int32(256)):
        n = entry // int32(64)
        h = entry // int32(8) % int32(8)
        w = entry % int32(8)
        part += work[grad_a + n * 1024 + c * 64 + h * 8 + w]
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


@jit
def conv2d_delta_2(work, grad_a, sums, N):
    """Write sums."""
    # sums[k] = Σ_{i, h, w} grad_a[i, k, h, w]
    parts = cuda.shared.array(8, real)
    thread = int32(cuda.threadIdx.x)
    k = int32(cuda.blockIdx.x)
    total = real(0.0)
    part = real(0.0)
    for entry in range(thread, N * int32(64), int32(256)):
        i = entry // int32(64)
        h = entry // int32(8) % int32(8)
        w = entry % int32(8)
        part += work[grad_a + i * 1024 + k * 64 + h * 8 + w]
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


@jit
def conv2d_delta_2_2(work, grad_a, x_hat, sums_2, N):
    """Write sums_2."""
    # sums_2[k] = Σ_{i, h, w} grad_a[i, k, h, w] x_hat[i, k, h, w]
    parts = cuda.shared.array(8, real)
    thread = int32(cuda.threadIdx.x)
    k = int32(cuda.blockIdx.x)
    total = real(0.0)
    part = real(0.0)
    for entry in range(thread, N * int32(64), int32(256)):
        i = entry // int32(64)
        h = entry // int32(8) % int32(8)
        w = entry % int32(8)
        part += work[grad_a + i * 1024 + k * 64 + h * 8 + w] * work[x_hat + i * 1024 + k * 64 + h * 8 + w]
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
def conv2d_delta_2_3(params, work, gamma, grad_a, sigma, x_hat, delta, sums, sums_2, N):
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
        for part in range(int32(16)):
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
        part += params[W + k * 9 + c * 9 + u * 3 + v] * work[delta + n * 1024 + k * 64 + (h + 1 - u) * 8 + (w + 1 - v)]
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


@jit
def batchnorm_running_mean_next(work, params, mu, running_mean, running_mean_next, N):
    """Write running_mean_next."""
    # running_mean_next[c] = mu[c]/10 + (9/10) · running_mean[c]
    c = int32(cuda.grid(1))
    if c < int32(16):
        work[running_mean_next + c] = work[mu + c] / real(10.0) + real(0.9) * params[running_mean + c]


@jit
def batchnorm_running_var_next(params, work, running_var, v, running_var_next, N):
    """Write running_var_next."""
    # running_var_next[c] = (9/10) · running_var[c] + (32/5) · v[c] N/(64 N − 1)
    c = int32(cuda.grid(1))
    if c < int32(16):
        work[running_var_next + c] = (
            real(0.9) * params[running_var + c] + real(6.4) * work[v + c] * real(N) / (real(64.0) * real(N) - real(1.0))
        )


@jit
def batchnorm_running_mean_next_2(work, params, mu, running_mean, running_mean_next, N):
    """Write running_mean_next."""
    # running_mean_next[c] = mu[c]/10 + (9/10) · running_mean[c]
    c = int32(cuda.grid(1))
    if c < int32(32):
        work[running_mean_next + c] = work[mu + c] / real(10.0) + real(0.9) * params[running_mean + c]


@jit
def batchnorm_running_var_next_2(params, work, running_var, v, running_var_next, N):
    """Write running_var_next."""
    # running_var_next[c] = (9/10) · running_var[c] + (8/5) · v[c] N/(16 N − 1)
    c = int32(cuda.grid(1))
    if c < int32(32):
        work[running_var_next + c] = (
            real(0.9) * params[running_var + c] + real(1.6) * work[v + c] * real(N) / (real(16.0) * real(N) - real(1.0))
        )


@jit
def keep_statistics(params, work, start, place, count, loss):
    """Write next running statistics where the statistics lie, if the loss is finite."""
    k = int32(cuda.grid(1))
    if k < count and math.isfinite(work[loss]):
        params[start + k] = work[place + k]


@jit
def update_scalars(params, grads, state, hyper, scalars, losses, place, history, step, count):
    """Compute what a step of the optimizer has once for all entries; nothing is done where the loss is not finite."""
    # t_next = 1 + t
    # rate = (1 + cos(π · (t [1 > t/updates]/updates + [t/updates ≥ 1]))) · (lr − minimum)/2 + minimum
    # m_next[p] = (1 − beta1) · g[p] + beta1 m[p]
    # v_next[p] = g[p]² · (1 − beta2) + beta2 v[p]
    # c_1 = 1 − beta1^t_next
    # c_2 = 1 − beta2^t_next
    # w_next[p] = w[p] − rate weight_decay w[p] − rate m_next[p]/((√(v_next[p]/c_2) + eps) · c_1)
    value = losses[place]
    good = math.isfinite(value)
    lr = hyper[0]
    beta1 = hyper[1]
    beta2 = hyper[2]
    eps = hyper[3]
    updates = hyper[4]
    minimum = hyper[5]
    weight_decay = hyper[6]
    t = float64(state[12276])
    thread = int32(cuda.threadIdx.x)
    t_next = float64(1.0) + t
    rate = (
        (float64(1.0) + math.cos(float64(3.141592653589793) * (float64(1.0) if float64(1.0) <= t / updates else t / updates))) * (lr
        - minimum) / float64(2.0) + minimum
    )
    factor = float64(1.0) - beta1
    factor_2 = float64(1.0) - beta2
    c_1 = float64(1.0) - beta1 ** t_next
    c_2 = float64(1.0) - beta2 ** t_next
    factor_3 = -rate * weight_decay
    factor_4 = float64(1.0) / c_2
    factor_5 = -rate / c_1
    cuda.syncthreads()
    if thread == 0:
        scalars[0] = real(1.0) if good else real(0.0)
        scalars[1] = real(beta1)
        scalars[2] = real(beta2)
        scalars[3] = real(eps)
        scalars[4] = real(factor)
        scalars[5] = real(factor_2)
        scalars[6] = real(factor_3)
        scalars[7] = real(factor_4)
        scalars[8] = real(factor_5)
        if good:
            state[12276] = real(t_next)
        if count > 0:
            history[step[0]] = value
            step[0] += int32(1)


@jit
def update_entries(params, grads, state, scalars, first, last):
    """Update the entries first .. last - 1 with the scalars of this step."""
    # t_next = 1 + t
    # rate = (1 + cos(π · (t [1 > t/updates]/updates + [t/updates ≥ 1]))) · (lr − minimum)/2 + minimum
    # m_next[p] = (1 − beta1) · g[p] + beta1 m[p]
    # v_next[p] = g[p]² · (1 − beta2) + beta2 v[p]
    # c_1 = 1 − beta1^t_next
    # c_2 = 1 − beta2^t_next
    # w_next[p] = w[p] − rate weight_decay w[p] − rate m_next[p]/((√(v_next[p]/c_2) + eps) · c_1)
    p = first + int32(cuda.grid(1))
    if p < last and scalars[0] > real(0.0):
        beta1 = scalars[1]
        beta2 = scalars[2]
        eps = scalars[3]
        factor = scalars[4]
        factor_2 = scalars[5]
        factor_3 = scalars[6]
        factor_4 = scalars[7]
        factor_5 = scalars[8]
        m_next = grads[p] * factor + state[p] * beta1
        v_next = grads[p] * grads[p] * factor_2 + state[6138 + p] * beta2
        w_next = params[p] * factor_3 + factor_5 * m_next / (math.sqrt(factor_4 * v_next) + eps) + params[p]
        state[p] = m_next
        state[6138 + p] = v_next
        params[p] = w_next


@jit
def conv2d_z(params, x, work, W, z, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads."""
    # z[n, k, p, q] = Σ_{c, u, v} W[k, c, u, v] x[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q + v − 1 < 8]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(uint32(block) % uint32(((N * 64 + 31) // 32)))
    block = int32(uint32(block) // uint32(((N * 64 + 31) // 32)))
    column = int32(column * 32)
    row = block
    row = int32(row * 32)
    term = int32(0)
    stop = int32(9)
    l_at0 = int32(row + (t >> 4))
    k_l0 = l_at0
    l_at1 = int32(row + (t >> 4) + 4)
    k_l1 = l_at1
    l_at2 = int32(row + (t >> 4) + 8)
    k_l2 = l_at2
    l_at3 = int32(row + (t >> 4) + 12)
    k_l3 = l_at3
    l_at4 = int32(row + (t >> 4) + 16)
    k_l4 = l_at4
    l_at5 = int32(row + (t >> 4) + 20)
    k_l5 = l_at5
    l_at6 = int32(row + (t >> 4) + 24)
    k_l6 = l_at6
    l_at7 = int32(row + (t >> 4) + 28)
    k_l7 = l_at7
    l_put = int32(((t & 15) * 36) + (t >> 4))
    r_at0 = int32(column + (t & 31))
    q_r0 = int32(uint32(r_at0) % uint32(8))
    rest_q_r0 = int32(uint32(r_at0) // uint32(8))
    p_r0 = int32(uint32(rest_q_r0) % uint32(8))
    rest_p_r0 = int32(uint32(rest_q_r0) // uint32(8))
    n_r0 = rest_p_r0
    r_put = int32(576 + ((t >> 5) * 36) + (t & 31))
    high = int32((t >> 3) * 4)
    wide = int32((t & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + (t & 15))
    v_l_0 = int32(uint32(l_term0) % uint32(3))
    rest_v_l_0 = int32(uint32(l_term0) // uint32(3))
    u_l_0 = int32(uint32(rest_v_l_0) % uint32(3))
    rest_u_l_0 = int32(uint32(rest_v_l_0) // uint32(3))
    c_l_0 = int32(0)
    r_term0 = int32(term + (t >> 5))
    v_r_0 = int32(uint32(r_term0) % uint32(3))
    rest_v_r_0 = int32(uint32(r_term0) // uint32(3))
    u_r_0 = int32(uint32(rest_v_r_0) % uint32(3))
    rest_u_r_0 = int32(uint32(rest_v_r_0) // uint32(3))
    c_r_0 = int32(0)
    r_term1 = int32(term + (t >> 5) + 2)
    v_r_1 = int32(uint32(r_term1) % uint32(3))
    rest_v_r_1 = int32(uint32(r_term1) // uint32(3))
    u_r_1 = int32(uint32(rest_v_r_1) % uint32(3))
    rest_u_r_1 = int32(uint32(rest_v_r_1) // uint32(3))
    c_r_1 = int32(0)
    r_term2 = int32(term + (t >> 5) + 4)
    v_r_2 = int32(uint32(r_term2) % uint32(3))
    rest_v_r_2 = int32(uint32(r_term2) // uint32(3))
    u_r_2 = int32(uint32(rest_v_r_2) % uint32(3))
    rest_u_r_2 = int32(uint32(rest_v_r_2) // uint32(3))
    c_r_2 = int32(0)
    r_term3 = int32(term + (t >> 5) + 6)
    v_r_3 = int32(uint32(r_term3) % uint32(3))
    rest_v_r_3 = int32(uint32(r_term3) // uint32(3))
    u_r_3 = int32(uint32(rest_v_r_3) % uint32(3))
    rest_u_r_3 = int32(uint32(rest_v_r_3) // uint32(3))
    c_r_3 = int32(0)
    r_term4 = int32(term + (t >> 5) + 8)
    v_r_4 = int32(uint32(r_term4) % uint32(3))
    rest_v_r_4 = int32(uint32(r_term4) // uint32(3))
    u_r_4 = int32(uint32(rest_v_r_4) % uint32(3))
    rest_u_r_4 = int32(uint32(rest_v_r_4) // uint32(3))
    c_r_4 = int32(0)
    r_term5 = int32(term + (t >> 5) + 10)
    v_r_5 = int32(uint32(r_term5) % uint32(3))
    rest_v_r_5 = int32(uint32(r_term5) // uint32(3))
    u_r_5 = int32(uint32(rest_v_r_5) % uint32(3))
    rest_u_r_5 = int32(uint32(rest_v_r_5) // uint32(3))
    c_r_5 = int32(0)
    r_term6 = int32(term + (t >> 5) + 12)
    v_r_6 = int32(uint32(r_term6) % uint32(3))
    rest_v_r_6 = int32(uint32(r_term6) // uint32(3))
    u_r_6 = int32(uint32(rest_v_r_6) % uint32(3))
    rest_u_r_6 = int32(uint32(rest_v_r_6) // uint32(3))
    c_r_6 = int32(0)
    r_term7 = int32(term + (t >> 5) + 14)
    v_r_7 = int32(uint32(r_term7) % uint32(3))
    rest_v_r_7 = int32(uint32(r_term7) // uint32(3))
    u_r_7 = int32(uint32(rest_v_r_7) % uint32(3))
    rest_u_r_7 = int32(uint32(rest_v_r_7) // uint32(3))
    c_r_7 = int32(0)
    l0 = zero
    if (l_at0 < 16) & (l_term0 < stop):
        l0 = params[uint32(W + k_l0 * 9 + c_l_0 * 9 + u_l_0 * 3 + v_l_0)]
    l1 = zero
    if (l_at1 < 16) & (l_term0 < stop):
        l1 = params[uint32(W + k_l1 * 9 + c_l_0 * 9 + u_l_0 * 3 + v_l_0)]
    l2 = zero
    if (l_at2 < 16) & (l_term0 < stop):
        l2 = params[uint32(W + k_l2 * 9 + c_l_0 * 9 + u_l_0 * 3 + v_l_0)]
    l3 = zero
    if (l_at3 < 16) & (l_term0 < stop):
        l3 = params[uint32(W + k_l3 * 9 + c_l_0 * 9 + u_l_0 * 3 + v_l_0)]
    l4 = zero
    if (l_at4 < 16) & (l_term0 < stop):
        l4 = params[uint32(W + k_l4 * 9 + c_l_0 * 9 + u_l_0 * 3 + v_l_0)]
    l5 = zero
    if (l_at5 < 16) & (l_term0 < stop):
        l5 = params[uint32(W + k_l5 * 9 + c_l_0 * 9 + u_l_0 * 3 + v_l_0)]
    l6 = zero
    if (l_at6 < 16) & (l_term0 < stop):
        l6 = params[uint32(W + k_l6 * 9 + c_l_0 * 9 + u_l_0 * 3 + v_l_0)]
    l7 = zero
    if (l_at7 < 16) & (l_term0 < stop):
        l7 = params[uint32(W + k_l7 * 9 + c_l_0 * 9 + u_l_0 * 3 + v_l_0)]
    r0 = zero
    if (r_at0 < N * 64) & (r_term0 < stop) & (uint32(p_r0 + u_r_0 - 1) < uint32(8)) & (uint32(q_r0 + v_r_0 - 1) < uint32(8)):
        r0 = x[uint32(n_r0 * 64 + c_r_0 * 64 + (p_r0 + u_r_0 - 1) * 8 + (q_r0 + v_r_0 - 1))]
    r1 = zero
    if (r_at0 < N * 64) & (r_term1 < stop) & (uint32(p_r0 + u_r_1 - 1) < uint32(8)) & (uint32(q_r0 + v_r_1 - 1) < uint32(8)):
        r1 = x[uint32(n_r0 * 64 + c_r_1 * 64 + (p_r0 + u_r_1 - 1) * 8 + (q_r0 + v_r_1 - 1))]
    r2 = zero
    if (r_at0 < N * 64) & (r_term2 < stop) & (uint32(p_r0 + u_r_2 - 1) < uint32(8)) & (uint32(q_r0 + v_r_2 - 1) < uint32(8)):
        r2 = x[uint32(n_r0 * 64 + c_r_2 * 64 + (p_r0 + u_r_2 - 1) * 8 + (q_r0 + v_r_2 - 1))]
    r3 = zero
    if (r_at0 < N * 64) & (r_term3 < stop) & (uint32(p_r0 + u_r_3 - 1) < uint32(8)) & (uint32(q_r0 + v_r_3 - 1) < uint32(8)):
        r3 = x[uint32(n_r0 * 64 + c_r_3 * 64 + (p_r0 + u_r_3 - 1) * 8 + (q_r0 + v_r_3 - 1))]
    r4 = zero
    if (r_at0 < N * 64) & (r_term4 < stop) & (uint32(p_r0 + u_r_4 - 1) < uint32(8)) & (uint32(q_r0 + v_r_4 - 1) < uint32(8)):
        r4 = x[uint32(n_r0 * 64 + c_r_4 * 64 + (p_r0 + u_r_4 - 1) * 8 + (q_r0 + v_r_4 - 1))]
    r5 = zero
    if (r_at0 < N * 64) & (r_term5 < stop) & (uint32(p_r0 + u_r_5 - 1) < uint32(8)) & (uint32(q_r0 + v_r_5 - 1) < uint32(8)):
        r5 = x[uint32(n_r0 * 64 + c_r_5 * 64 + (p_r0 + u_r_5 - 1) * 8 + (q_r0 + v_r_5 - 1))]
    r6 = zero
    if (r_at0 < N * 64) & (r_term6 < stop) & (uint32(p_r0 + u_r_6 - 1) < uint32(8)) & (uint32(q_r0 + v_r_6 - 1) < uint32(8)):
        r6 = x[uint32(n_r0 * 64 + c_r_6 * 64 + (p_r0 + u_r_6 - 1) * 8 + (q_r0 + v_r_6 - 1))]
    r7 = zero
    if (r_at0 < N * 64) & (r_term7 < stop) & (uint32(p_r0 + u_r_7 - 1) < uint32(8)) & (uint32(q_r0 + v_r_7 - 1) < uint32(8)):
        r7 = x[uint32(n_r0 * 64 + c_r_7 * 64 + (p_r0 + u_r_7 - 1) * 8 + (q_r0 + v_r_7 - 1))]
    while term < stop:
        l_to = uint64(here + l_put)
        tiles[l_to] = l0
        tiles[l_to + uint64(4)] = l1
        tiles[l_to + uint64(8)] = l2
        tiles[l_to + uint64(12)] = l3
        tiles[l_to + uint64(16)] = l4
        tiles[l_to + uint64(20)] = l5
        tiles[l_to + uint64(24)] = l6
        tiles[l_to + uint64(28)] = l7
        r_to = uint64(here + r_put)
        tiles[r_to] = r0
        tiles[r_to + uint64(72)] = r1
        tiles[r_to + uint64(144)] = r2
        tiles[r_to + uint64(216)] = r3
        tiles[r_to + uint64(288)] = r4
        tiles[r_to + uint64(360)] = r5
        tiles[r_to + uint64(432)] = r6
        tiles[r_to + uint64(504)] = r7
        cuda.syncthreads()
        term = int32(term + 16)
        l_term0 = int32(term + (t & 15))
        v_l_0 = int32(uint32(l_term0) % uint32(3))
        rest_v_l_0 = int32(uint32(l_term0) // uint32(3))
        u_l_0 = int32(uint32(rest_v_l_0) % uint32(3))
        rest_u_l_0 = int32(uint32(rest_v_l_0) // uint32(3))
        c_l_0 = int32(0)
        r_term0 = int32(term + (t >> 5))
        v_r_0 = int32(uint32(r_term0) % uint32(3))
        rest_v_r_0 = int32(uint32(r_term0) // uint32(3))
        u_r_0 = int32(uint32(rest_v_r_0) % uint32(3))
        rest_u_r_0 = int32(uint32(rest_v_r_0) // uint32(3))
        c_r_0 = int32(0)
        r_term1 = int32(term + (t >> 5) + 2)
        v_r_1 = int32(uint32(r_term1) % uint32(3))
        rest_v_r_1 = int32(uint32(r_term1) // uint32(3))
        u_r_1 = int32(uint32(rest_v_r_1) % uint32(3))
        rest_u_r_1 = int32(uint32(rest_v_r_1) // uint32(3))
        c_r_1 = int32(0)
        r_term2 = int32(term + (t >> 5) + 4)
        v_r_2 = int32(uint32(r_term2) % uint32(3))
        rest_v_r_2 = int32(uint32(r_term2) // uint32(3))
        u_r_2 = int32(uint32(rest_v_r_2) % uint32(3))
        rest_u_r_2 = int32(uint32(rest_v_r_2) // uint32(3))
        c_r_2 = int32(0)
        r_term3 = int32(term + (t >> 5) + 6)
        v_r_3 = int32(uint32(r_term3) % uint32(3))
        rest_v_r_3 = int32(uint32(r_term3) // uint32(3))
        u_r_3 = int32(uint32(rest_v_r_3) % uint32(3))
        rest_u_r_3 = int32(uint32(rest_v_r_3) // uint32(3))
        c_r_3 = int32(0)
        r_term4 = int32(term + (t >> 5) + 8)
        v_r_4 = int32(uint32(r_term4) % uint32(3))
        rest_v_r_4 = int32(uint32(r_term4) // uint32(3))
        u_r_4 = int32(uint32(rest_v_r_4) % uint32(3))
        rest_u_r_4 = int32(uint32(rest_v_r_4) // uint32(3))
        c_r_4 = int32(0)
        r_term5 = int32(term + (t >> 5) + 10)
        v_r_5 = int32(uint32(r_term5) % uint32(3))
        rest_v_r_5 = int32(uint32(r_term5) // uint32(3))
        u_r_5 = int32(uint32(rest_v_r_5) % uint32(3))
        rest_u_r_5 = int32(uint32(rest_v_r_5) // uint32(3))
        c_r_5 = int32(0)
        r_term6 = int32(term + (t >> 5) + 12)
        v_r_6 = int32(uint32(r_term6) % uint32(3))
        rest_v_r_6 = int32(uint32(r_term6) // uint32(3))
        u_r_6 = int32(uint32(rest_v_r_6) % uint32(3))
        rest_u_r_6 = int32(uint32(rest_v_r_6) // uint32(3))
        c_r_6 = int32(0)
        r_term7 = int32(term + (t >> 5) + 14)
        v_r_7 = int32(uint32(r_term7) % uint32(3))
        rest_v_r_7 = int32(uint32(r_term7) // uint32(3))
        u_r_7 = int32(uint32(rest_v_r_7) % uint32(3))
        rest_u_r_7 = int32(uint32(rest_v_r_7) // uint32(3))
        c_r_7 = int32(0)
        l0 = zero
        if (l_at0 < 16) & (l_term0 < stop):
            l0 = params[uint32(W + k_l0 * 9 + c_l_0 * 9 + u_l_0 * 3 + v_l_0)]
        l1 = zero
        if (l_at1 < 16) & (l_term0 < stop):
            l1 = params[uint32(W + k_l1 * 9 + c_l_0 * 9 + u_l_0 * 3 + v_l_0)]
        l2 = zero
        if (l_at2 < 16) & (l_term0 < stop):
            l2 = params[uint32(W + k_l2 * 9 + c_l_0 * 9 + u_l_0 * 3 + v_l_0)]
        l3 = zero
        if (l_at3 < 16) & (l_term0 < stop):
            l3 = params[uint32(W + k_l3 * 9 + c_l_0 * 9 + u_l_0 * 3 + v_l_0)]
        l4 = zero
        if (l_at4 < 16) & (l_term0 < stop):
            l4 = params[uint32(W + k_l4 * 9 + c_l_0 * 9 + u_l_0 * 3 + v_l_0)]
        l5 = zero
        if (l_at5 < 16) & (l_term0 < stop):
            l5 = params[uint32(W + k_l5 * 9 + c_l_0 * 9 + u_l_0 * 3 + v_l_0)]
        l6 = zero
        if (l_at6 < 16) & (l_term0 < stop):
            l6 = params[uint32(W + k_l6 * 9 + c_l_0 * 9 + u_l_0 * 3 + v_l_0)]
        l7 = zero
        if (l_at7 < 16) & (l_term0 < stop):
            l7 = params[uint32(W + k_l7 * 9 + c_l_0 * 9 + u_l_0 * 3 + v_l_0)]
        r0 = zero
        if (r_at0 < N * 64) & (r_term0 < stop) & (uint32(p_r0 + u_r_0 - 1) < uint32(8)) & (uint32(q_r0 + v_r_0 - 1) < uint32(8)):
            r0 = x[uint32(n_r0 * 64 + c_r_0 * 64 + (p_r0 + u_r_0 - 1) * 8 + (q_r0 + v_r_0 - 1))]
        r1 = zero
        if (r_at0 < N * 64) & (r_term1 < stop) & (uint32(p_r0 + u_r_1 - 1) < uint32(8)) & (uint32(q_r0 + v_r_1 - 1) < uint32(8)):
            r1 = x[uint32(n_r0 * 64 + c_r_1 * 64 + (p_r0 + u_r_1 - 1) * 8 + (q_r0 + v_r_1 - 1))]
        r2 = zero
        if (r_at0 < N * 64) & (r_term2 < stop) & (uint32(p_r0 + u_r_2 - 1) < uint32(8)) & (uint32(q_r0 + v_r_2 - 1) < uint32(8)):
            r2 = x[uint32(n_r0 * 64 + c_r_2 * 64 + (p_r0 + u_r_2 - 1) * 8 + (q_r0 + v_r_2 - 1))]
        r3 = zero
        if (r_at0 < N * 64) & (r_term3 < stop) & (uint32(p_r0 + u_r_3 - 1) < uint32(8)) & (uint32(q_r0 + v_r_3 - 1) < uint32(8)):
            r3 = x[uint32(n_r0 * 64 + c_r_3 * 64 + (p_r0 + u_r_3 - 1) * 8 + (q_r0 + v_r_3 - 1))]
        r4 = zero
        if (r_at0 < N * 64) & (r_term4 < stop) & (uint32(p_r0 + u_r_4 - 1) < uint32(8)) & (uint32(q_r0 + v_r_4 - 1) < uint32(8)):
            r4 = x[uint32(n_r0 * 64 + c_r_4 * 64 + (p_r0 + u_r_4 - 1) * 8 + (q_r0 + v_r_4 - 1))]
        r5 = zero
        if (r_at0 < N * 64) & (r_term5 < stop) & (uint32(p_r0 + u_r_5 - 1) < uint32(8)) & (uint32(q_r0 + v_r_5 - 1) < uint32(8)):
            r5 = x[uint32(n_r0 * 64 + c_r_5 * 64 + (p_r0 + u_r_5 - 1) * 8 + (q_r0 + v_r_5 - 1))]
        r6 = zero
        if (r_at0 < N * 64) & (r_term6 < stop) & (uint32(p_r0 + u_r_6 - 1) < uint32(8)) & (uint32(q_r0 + v_r_6 - 1) < uint32(8)):
            r6 = x[uint32(n_r0 * 64 + c_r_6 * 64 + (p_r0 + u_r_6 - 1) * 8 + (q_r0 + v_r_6 - 1))]
        r7 = zero
        if (r_at0 < N * 64) & (r_term7 < stop) & (uint32(p_r0 + u_r_7 - 1) < uint32(8)) & (uint32(q_r0 + v_r_7 - 1) < uint32(8)):
            r7 = x[uint32(n_r0 * 64 + c_r_7 * 64 + (p_r0 + u_r_7 - 1) * 8 + (q_r0 + v_r_7 - 1))]
        upper = int32(here + high)
        lower = int32(here + wide)
        u0, u1, u2, u3 = ld4(tiles, upper + 0)
        v0, v1, v2, v3 = ld4(tiles, lower + 576)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 36)
        v0, v1, v2, v3 = ld4(tiles, lower + 612)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 72)
        v0, v1, v2, v3 = ld4(tiles, lower + 648)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 108)
        v0, v1, v2, v3 = ld4(tiles, lower + 684)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 144)
        v0, v1, v2, v3 = ld4(tiles, lower + 720)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 180)
        v0, v1, v2, v3 = ld4(tiles, lower + 756)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 216)
        v0, v1, v2, v3 = ld4(tiles, lower + 792)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 252)
        v0, v1, v2, v3 = ld4(tiles, lower + 828)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 288)
        v0, v1, v2, v3 = ld4(tiles, lower + 864)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 324)
        v0, v1, v2, v3 = ld4(tiles, lower + 900)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 360)
        v0, v1, v2, v3 = ld4(tiles, lower + 936)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 396)
        v0, v1, v2, v3 = ld4(tiles, lower + 972)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 432)
        v0, v1, v2, v3 = ld4(tiles, lower + 1008)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 468)
        v0, v1, v2, v3 = ld4(tiles, lower + 1044)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 504)
        v0, v1, v2, v3 = ld4(tiles, lower + 1080)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 540)
        v0, v1, v2, v3 = ld4(tiles, lower + 1116)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        here = int32(1152 - here)
    # The results go through shared memory, some rows at a time, so that neighbours are written by neighbours.
    cuda.syncthreads()
    put = int32(high * 8 + wide)
    mine = int32(t & 31)
    column = int32(column + mine)
    q = int32(uint32(column) % uint32(8))
    rest_q = int32(uint32(column) // uint32(8))
    p = int32(uint32(rest_q) % uint32(8))
    rest_p = int32(uint32(rest_q) // uint32(8))
    n = rest_p
    for part in range(4):
        if part == 0:
            st4(tiles, put + 0, s0_0, s0_1, s0_2, s0_3)
        elif part == 1:
            st4(tiles, put + 0, s1_0, s1_1, s1_2, s1_3)
        elif part == 2:
            st4(tiles, put + 0, s2_0, s2_1, s2_2, s2_3)
        elif part == 3:
            st4(tiles, put + 0, s3_0, s3_1, s3_2, s3_3)
        cuda.syncthreads()
        for line in range(int32(t >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part & 3))
            if r_row < 16 and column < N * 64:
                k = r_row
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(z + n * 1024 + k * 64 + p * 8 + q)] = dot
        cuda.syncthreads()


@jit
def conv2d_z_2(params, work, W, x, z, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads."""
    # z[n, k, p, q] = Σ_{c, u, v} W[k, c, u, v] x[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 4] [0 ≤ q + v − 1 < 4]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(uint32(block) % uint32(((N * 16 + 31) // 32)))
    block = int32(uint32(block) // uint32(((N * 16 + 31) // 32)))
    column = int32(column * 32)
    row = block
    row = int32(row * 32)
    term = int32(0)
    stop = int32(144)
    l_at0 = int32(row + (t >> 2))
    k_l0 = l_at0
    l_at1 = int32(row + (t >> 2) + 16)
    k_l1 = l_at1
    l_put = int32((((t & 3) * 4) * 36) + (t >> 2))
    r_at0 = int32(column + (t & 31))
    q_r0 = int32(uint32(r_at0) % uint32(4))
    rest_q_r0 = int32(uint32(r_at0) // uint32(4))
    p_r0 = int32(uint32(rest_q_r0) % uint32(4))
    rest_p_r0 = int32(uint32(rest_q_r0) // uint32(4))
    n_r0 = rest_p_r0
    r_put = int32(576 + ((t >> 5) * 36) + (t & 31))
    high = int32((t >> 3) * 4)
    wide = int32((t & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + ((t & 3) * 4))
    v_l_0 = int32(uint32(l_term0) % uint32(3))
    rest_v_l_0 = int32(uint32(l_term0) // uint32(3))
    u_l_0 = int32(uint32(rest_v_l_0) % uint32(3))
    rest_u_l_0 = int32(uint32(rest_v_l_0) // uint32(3))
    c_l_0 = rest_u_l_0
    r_term0 = int32(term + (t >> 5))
    v_r_0 = int32(uint32(r_term0) % uint32(3))
    rest_v_r_0 = int32(uint32(r_term0) // uint32(3))
    u_r_0 = int32(uint32(rest_v_r_0) % uint32(3))
    rest_u_r_0 = int32(uint32(rest_v_r_0) // uint32(3))
    c_r_0 = rest_u_r_0
    r_term1 = int32(term + (t >> 5) + 2)
    v_r_1 = int32(uint32(r_term1) % uint32(3))
    rest_v_r_1 = int32(uint32(r_term1) // uint32(3))
    u_r_1 = int32(uint32(rest_v_r_1) % uint32(3))
    rest_u_r_1 = int32(uint32(rest_v_r_1) // uint32(3))
    c_r_1 = rest_u_r_1
    r_term2 = int32(term + (t >> 5) + 4)
    v_r_2 = int32(uint32(r_term2) % uint32(3))
    rest_v_r_2 = int32(uint32(r_term2) // uint32(3))
    u_r_2 = int32(uint32(rest_v_r_2) % uint32(3))
    rest_u_r_2 = int32(uint32(rest_v_r_2) // uint32(3))
    c_r_2 = rest_u_r_2
    r_term3 = int32(term + (t >> 5) + 6)
    v_r_3 = int32(uint32(r_term3) % uint32(3))
    rest_v_r_3 = int32(uint32(r_term3) // uint32(3))
    u_r_3 = int32(uint32(rest_v_r_3) % uint32(3))
    rest_u_r_3 = int32(uint32(rest_v_r_3) // uint32(3))
    c_r_3 = rest_u_r_3
    r_term4 = int32(term + (t >> 5) + 8)
    v_r_4 = int32(uint32(r_term4) % uint32(3))
    rest_v_r_4 = int32(uint32(r_term4) // uint32(3))
    u_r_4 = int32(uint32(rest_v_r_4) % uint32(3))
    rest_u_r_4 = int32(uint32(rest_v_r_4) // uint32(3))
    c_r_4 = rest_u_r_4
    r_term5 = int32(term + (t >> 5) + 10)
    v_r_5 = int32(uint32(r_term5) % uint32(3))
    rest_v_r_5 = int32(uint32(r_term5) // uint32(3))
    u_r_5 = int32(uint32(rest_v_r_5) % uint32(3))
    rest_u_r_5 = int32(uint32(rest_v_r_5) // uint32(3))
    c_r_5 = rest_u_r_5
    r_term6 = int32(term + (t >> 5) + 12)
    v_r_6 = int32(uint32(r_term6) % uint32(3))
    rest_v_r_6 = int32(uint32(r_term6) // uint32(3))
    u_r_6 = int32(uint32(rest_v_r_6) % uint32(3))
    rest_u_r_6 = int32(uint32(rest_v_r_6) // uint32(3))
    c_r_6 = rest_u_r_6
    r_term7 = int32(term + (t >> 5) + 14)
    v_r_7 = int32(uint32(r_term7) % uint32(3))
    rest_v_r_7 = int32(uint32(r_term7) // uint32(3))
    u_r_7 = int32(uint32(rest_v_r_7) % uint32(3))
    rest_u_r_7 = int32(uint32(rest_v_r_7) // uint32(3))
    c_r_7 = rest_u_r_7
    l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
    if (l_at0 < 32) & (l_term0 < stop):
        l0_0, l0_1, l0_2, l0_3 = ld4(params, int32(W + k_l0 * 144 + c_l_0 * 9 + u_l_0 * 3 + v_l_0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at1 < 32) & (l_term0 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(params, int32(W + k_l1 * 144 + c_l_0 * 9 + u_l_0 * 3 + v_l_0))
    r0 = zero
    if (r_at0 < N * 16) & (r_term0 < stop) & (uint32(p_r0 + u_r_0 - 1) < uint32(4)) & (uint32(q_r0 + v_r_0 - 1) < uint32(4)):
        r0 = work[uint32(x + n_r0 * 256 + c_r_0 * 16 + (p_r0 + u_r_0 - 1) * 4 + (q_r0 + v_r_0 - 1))]
    r1 = zero
    if (r_at0 < N * 16) & (r_term1 < stop) & (uint32(p_r0 + u_r_1 - 1) < uint32(4)) & (uint32(q_r0 + v_r_1 - 1) < uint32(4)):
        r1 = work[uint32(x + n_r0 * 256 + c_r_1 * 16 + (p_r0 + u_r_1 - 1) * 4 + (q_r0 + v_r_1 - 1))]
    r2 = zero
    if (r_at0 < N * 16) & (r_term2 < stop) & (uint32(p_r0 + u_r_2 - 1) < uint32(4)) & (uint32(q_r0 + v_r_2 - 1) < uint32(4)):
        r2 = work[uint32(x + n_r0 * 256 + c_r_2 * 16 + (p_r0 + u_r_2 - 1) * 4 + (q_r0 + v_r_2 - 1))]
    r3 = zero
    if (r_at0 < N * 16) & (r_term3 < stop) & (uint32(p_r0 + u_r_3 - 1) < uint32(4)) & (uint32(q_r0 + v_r_3 - 1) < uint32(4)):
        r3 = work[uint32(x + n_r0 * 256 + c_r_3 * 16 + (p_r0 + u_r_3 - 1) * 4 + (q_r0 + v_r_3 - 1))]
    r4 = zero
    if (r_at0 < N * 16) & (r_term4 < stop) & (uint32(p_r0 + u_r_4 - 1) < uint32(4)) & (uint32(q_r0 + v_r_4 - 1) < uint32(4)):
        r4 = work[uint32(x + n_r0 * 256 + c_r_4 * 16 + (p_r0 + u_r_4 - 1) * 4 + (q_r0 + v_r_4 - 1))]
    r5 = zero
    if (r_at0 < N * 16) & (r_term5 < stop) & (uint32(p_r0 + u_r_5 - 1) < uint32(4)) & (uint32(q_r0 + v_r_5 - 1) < uint32(4)):
        r5 = work[uint32(x + n_r0 * 256 + c_r_5 * 16 + (p_r0 + u_r_5 - 1) * 4 + (q_r0 + v_r_5 - 1))]
    r6 = zero
    if (r_at0 < N * 16) & (r_term6 < stop) & (uint32(p_r0 + u_r_6 - 1) < uint32(4)) & (uint32(q_r0 + v_r_6 - 1) < uint32(4)):
        r6 = work[uint32(x + n_r0 * 256 + c_r_6 * 16 + (p_r0 + u_r_6 - 1) * 4 + (q_r0 + v_r_6 - 1))]
    r7 = zero
    if (r_at0 < N * 16) & (r_term7 < stop) & (uint32(p_r0 + u_r_7 - 1) < uint32(4)) & (uint32(q_r0 + v_r_7 - 1) < uint32(4)):
        r7 = work[uint32(x + n_r0 * 256 + c_r_7 * 16 + (p_r0 + u_r_7 - 1) * 4 + (q_r0 + v_r_7 - 1))]
    while term < stop:
        l_to = uint64(here + l_put)
        tiles[l_to] = l0_0
        tiles[l_to + uint64(36)] = l0_1
        tiles[l_to + uint64(72)] = l0_2
        tiles[l_to + uint64(108)] = l0_3
        tiles[l_to + uint64(16)] = l1_0
        tiles[l_to + uint64(52)] = l1_1
        tiles[l_to + uint64(88)] = l1_2
        tiles[l_to + uint64(124)] = l1_3
        r_to = uint64(here + r_put)
        tiles[r_to] = r0
        tiles[r_to + uint64(72)] = r1
        tiles[r_to + uint64(144)] = r2
        tiles[r_to + uint64(216)] = r3
        tiles[r_to + uint64(288)] = r4
        tiles[r_to + uint64(360)] = r5
        tiles[r_to + uint64(432)] = r6
        tiles[r_to + uint64(504)] = r7
        cuda.syncthreads()
        term = int32(term + 16)
        l_term0 = int32(term + ((t & 3) * 4))
        v_l_0 = int32(uint32(l_term0) % uint32(3))
        rest_v_l_0 = int32(uint32(l_term0) // uint32(3))
        u_l_0 = int32(uint32(rest_v_l_0) % uint32(3))
        rest_u_l_0 = int32(uint32(rest_v_l_0) // uint32(3))
        c_l_0 = rest_u_l_0
        r_term0 = int32(term + (t >> 5))
        v_r_0 = int32(uint32(r_term0) % uint32(3))
        rest_v_r_0 = int32(uint32(r_term0) // uint32(3))
        u_r_0 = int32(uint32(rest_v_r_0) % uint32(3))
        rest_u_r_0 = int32(uint32(rest_v_r_0) // uint32(3))
        c_r_0 = rest_u_r_0
        r_term1 = int32(term + (t >> 5) + 2)
        v_r_1 = int32(uint32(r_term1) % uint32(3))
        rest_v_r_1 = int32(uint32(r_term1) // uint32(3))
        u_r_1 = int32(uint32(rest_v_r_1) % uint32(3))
        rest_u_r_1 = int32(uint32(rest_v_r_1) // uint32(3))
        c_r_1 = rest_u_r_1
        r_term2 = int32(term + (t >> 5) + 4)
        v_r_2 = int32(uint32(r_term2) % uint32(3))
        rest_v_r_2 = int32(uint32(r_term2) // uint32(3))
        u_r_2 = int32(uint32(rest_v_r_2) % uint32(3))
        rest_u_r_2 = int32(uint32(rest_v_r_2) // uint32(3))
        c_r_2 = rest_u_r_2
        r_term3 = int32(term + (t >> 5) + 6)
        v_r_3 = int32(uint32(r_term3) % uint32(3))
        rest_v_r_3 = int32(uint32(r_term3) // uint32(3))
        u_r_3 = int32(uint32(rest_v_r_3) % uint32(3))
        rest_u_r_3 = int32(uint32(rest_v_r_3) // uint32(3))
        c_r_3 = rest_u_r_3
        r_term4 = int32(term + (t >> 5) + 8)
        v_r_4 = int32(uint32(r_term4) % uint32(3))
        rest_v_r_4 = int32(uint32(r_term4) // uint32(3))
        u_r_4 = int32(uint32(rest_v_r_4) % uint32(3))
        rest_u_r_4 = int32(uint32(rest_v_r_4) // uint32(3))
        c_r_4 = rest_u_r_4
        r_term5 = int32(term + (t >> 5) + 10)
        v_r_5 = int32(uint32(r_term5) % uint32(3))
        rest_v_r_5 = int32(uint32(r_term5) // uint32(3))
        u_r_5 = int32(uint32(rest_v_r_5) % uint32(3))
        rest_u_r_5 = int32(uint32(rest_v_r_5) // uint32(3))
        c_r_5 = rest_u_r_5
        r_term6 = int32(term + (t >> 5) + 12)
        v_r_6 = int32(uint32(r_term6) % uint32(3))
        rest_v_r_6 = int32(uint32(r_term6) // uint32(3))
        u_r_6 = int32(uint32(rest_v_r_6) % uint32(3))
        rest_u_r_6 = int32(uint32(rest_v_r_6) // uint32(3))
        c_r_6 = rest_u_r_6
        r_term7 = int32(term + (t >> 5) + 14)
        v_r_7 = int32(uint32(r_term7) % uint32(3))
        rest_v_r_7 = int32(uint32(r_term7) // uint32(3))
        u_r_7 = int32(uint32(rest_v_r_7) % uint32(3))
        rest_u_r_7 = int32(uint32(rest_v_r_7) // uint32(3))
        c_r_7 = rest_u_r_7
        l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
        if (l_at0 < 32) & (l_term0 < stop):
            l0_0, l0_1, l0_2, l0_3 = ld4(params, int32(W + k_l0 * 144 + c_l_0 * 9 + u_l_0 * 3 + v_l_0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at1 < 32) & (l_term0 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(params, int32(W + k_l1 * 144 + c_l_0 * 9 + u_l_0 * 3 + v_l_0))
        r0 = zero
        if (r_at0 < N * 16) & (r_term0 < stop) & (uint32(p_r0 + u_r_0 - 1) < uint32(4)) & (uint32(q_r0 + v_r_0 - 1) < uint32(4)):
            r0 = work[uint32(x + n_r0 * 256 + c_r_0 * 16 + (p_r0 + u_r_0 - 1) * 4 + (q_r0 + v_r_0 - 1))]
        r1 = zero
        if (r_at0 < N * 16) & (r_term1 < stop) & (uint32(p_r0 + u_r_1 - 1) < uint32(4)) & (uint32(q_r0 + v_r_1 - 1) < uint32(4)):
            r1 = work[uint32(x + n_r0 * 256 + c_r_1 * 16 + (p_r0 + u_r_1 - 1) * 4 + (q_r0 + v_r_1 - 1))]
        r2 = zero
        if (r_at0 < N * 16) & (r_term2 < stop) & (uint32(p_r0 + u_r_2 - 1) < uint32(4)) & (uint32(q_r0 + v_r_2 - 1) < uint32(4)):
            r2 = work[uint32(x + n_r0 * 256 + c_r_2 * 16 + (p_r0 + u_r_2 - 1) * 4 + (q_r0 + v_r_2 - 1))]
        r3 = zero
        if (r_at0 < N * 16) & (r_term3 < stop) & (uint32(p_r0 + u_r_3 - 1) < uint32(4)) & (uint32(q_r0 + v_r_3 - 1) < uint32(4)):
            r3 = work[uint32(x + n_r0 * 256 + c_r_3 * 16 + (p_r0 + u_r_3 - 1) * 4 + (q_r0 + v_r_3 - 1))]
        r4 = zero
        if (r_at0 < N * 16) & (r_term4 < stop) & (uint32(p_r0 + u_r_4 - 1) < uint32(4)) & (uint32(q_r0 + v_r_4 - 1) < uint32(4)):
            r4 = work[uint32(x + n_r0 * 256 + c_r_4 * 16 + (p_r0 + u_r_4 - 1) * 4 + (q_r0 + v_r_4 - 1))]
        r5 = zero
        if (r_at0 < N * 16) & (r_term5 < stop) & (uint32(p_r0 + u_r_5 - 1) < uint32(4)) & (uint32(q_r0 + v_r_5 - 1) < uint32(4)):
            r5 = work[uint32(x + n_r0 * 256 + c_r_5 * 16 + (p_r0 + u_r_5 - 1) * 4 + (q_r0 + v_r_5 - 1))]
        r6 = zero
        if (r_at0 < N * 16) & (r_term6 < stop) & (uint32(p_r0 + u_r_6 - 1) < uint32(4)) & (uint32(q_r0 + v_r_6 - 1) < uint32(4)):
            r6 = work[uint32(x + n_r0 * 256 + c_r_6 * 16 + (p_r0 + u_r_6 - 1) * 4 + (q_r0 + v_r_6 - 1))]
        r7 = zero
        if (r_at0 < N * 16) & (r_term7 < stop) & (uint32(p_r0 + u_r_7 - 1) < uint32(4)) & (uint32(q_r0 + v_r_7 - 1) < uint32(4)):
            r7 = work[uint32(x + n_r0 * 256 + c_r_7 * 16 + (p_r0 + u_r_7 - 1) * 4 + (q_r0 + v_r_7 - 1))]
        upper = int32(here + high)
        lower = int32(here + wide)
        u0, u1, u2, u3 = ld4(tiles, upper + 0)
        v0, v1, v2, v3 = ld4(tiles, lower + 576)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 36)
        v0, v1, v2, v3 = ld4(tiles, lower + 612)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 72)
        v0, v1, v2, v3 = ld4(tiles, lower + 648)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 108)
        v0, v1, v2, v3 = ld4(tiles, lower + 684)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 144)
        v0, v1, v2, v3 = ld4(tiles, lower + 720)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 180)
        v0, v1, v2, v3 = ld4(tiles, lower + 756)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 216)
        v0, v1, v2, v3 = ld4(tiles, lower + 792)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 252)
        v0, v1, v2, v3 = ld4(tiles, lower + 828)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 288)
        v0, v1, v2, v3 = ld4(tiles, lower + 864)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 324)
        v0, v1, v2, v3 = ld4(tiles, lower + 900)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 360)
        v0, v1, v2, v3 = ld4(tiles, lower + 936)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 396)
        v0, v1, v2, v3 = ld4(tiles, lower + 972)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 432)
        v0, v1, v2, v3 = ld4(tiles, lower + 1008)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 468)
        v0, v1, v2, v3 = ld4(tiles, lower + 1044)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 504)
        v0, v1, v2, v3 = ld4(tiles, lower + 1080)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 540)
        v0, v1, v2, v3 = ld4(tiles, lower + 1116)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        here = int32(1152 - here)
    # The results go through shared memory, some rows at a time, so that neighbours are written by neighbours.
    cuda.syncthreads()
    put = int32(high * 8 + wide)
    mine = int32(t & 31)
    column = int32(column + mine)
    q = int32(uint32(column) % uint32(4))
    rest_q = int32(uint32(column) // uint32(4))
    p = int32(uint32(rest_q) % uint32(4))
    rest_p = int32(uint32(rest_q) // uint32(4))
    n = rest_p
    for part in range(4):
        if part == 0:
            st4(tiles, put + 0, s0_0, s0_1, s0_2, s0_3)
        elif part == 1:
            st4(tiles, put + 0, s1_0, s1_1, s1_2, s1_3)
        elif part == 2:
            st4(tiles, put + 0, s2_0, s2_1, s2_2, s2_3)
        elif part == 3:
            st4(tiles, put + 0, s3_0, s3_1, s3_2, s3_3)
        cuda.syncthreads()
        for line in range(int32(t >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part & 3))
            if r_row < 32 and column < N * 16:
                k = r_row
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(z + n * 512 + k * 16 + p * 4 + q)] = dot
        cuda.syncthreads()


@jit
def dense_z(params, work, out, W, b, x, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads."""
    # z[n, i] = b[i] + Σ_j W[i, j] x[n, j]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(0)
    column = int32(column * 32)
    row = block
    row = int32(row * 32)
    term = int32(0)
    stop = int32(128)
    l_at0 = int32(row + (t >> 2))
    n_l0 = l_at0
    l_at1 = int32(row + (t >> 2) + 16)
    n_l1 = l_at1
    l_put = int32((((t & 3) * 4) * 36) + (t >> 2))
    r_at0 = int32(column + (t >> 2))
    i_r0 = r_at0
    r_at1 = int32(column + (t >> 2) + 16)
    i_r1 = r_at1
    r_put = int32(576 + (((t & 3) * 4) * 36) + (t >> 2))
    high = int32((t >> 3) * 4)
    wide = int32((t & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + ((t & 3) * 4))
    j_l_0 = l_term0
    r_term0 = int32(term + ((t & 3) * 4))
    j_r_0 = r_term0
    l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
    if (l_at0 < N) & (l_term0 < stop):
        l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(x + n_l0 * 128 + j_l_0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at1 < N) & (l_term0 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(x + n_l1 * 128 + j_l_0))
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 10) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W + i_r0 * 128 + j_r_0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at1 < 10) & (r_term0 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W + i_r1 * 128 + j_r_0))
    while term < stop:
        l_to = uint64(here + l_put)
        tiles[l_to] = l0_0
        tiles[l_to + uint64(36)] = l0_1
        tiles[l_to + uint64(72)] = l0_2
        tiles[l_to + uint64(108)] = l0_3
        tiles[l_to + uint64(16)] = l1_0
        tiles[l_to + uint64(52)] = l1_1
        tiles[l_to + uint64(88)] = l1_2
        tiles[l_to + uint64(124)] = l1_3
        r_to = uint64(here + r_put)
        tiles[r_to] = r0_0
        tiles[r_to + uint64(36)] = r0_1
        tiles[r_to + uint64(72)] = r0_2
        tiles[r_to + uint64(108)] = r0_3
        tiles[r_to + uint64(16)] = r1_0
        tiles[r_to + uint64(52)] = r1_1
        tiles[r_to + uint64(88)] = r1_2
        tiles[r_to + uint64(124)] = r1_3
        cuda.syncthreads()
        term = int32(term + 16)
        l_term0 = int32(term + ((t & 3) * 4))
        j_l_0 = l_term0
        r_term0 = int32(term + ((t & 3) * 4))
        j_r_0 = r_term0
        l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
        if (l_at0 < N) & (l_term0 < stop):
            l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(x + n_l0 * 128 + j_l_0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at1 < N) & (l_term0 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(x + n_l1 * 128 + j_l_0))
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 10) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W + i_r0 * 128 + j_r_0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at1 < 10) & (r_term0 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W + i_r1 * 128 + j_r_0))
        upper = int32(here + high)
        lower = int32(here + wide)
        u0, u1, u2, u3 = ld4(tiles, upper + 0)
        v0, v1, v2, v3 = ld4(tiles, lower + 576)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 36)
        v0, v1, v2, v3 = ld4(tiles, lower + 612)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 72)
        v0, v1, v2, v3 = ld4(tiles, lower + 648)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 108)
        v0, v1, v2, v3 = ld4(tiles, lower + 684)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 144)
        v0, v1, v2, v3 = ld4(tiles, lower + 720)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 180)
        v0, v1, v2, v3 = ld4(tiles, lower + 756)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 216)
        v0, v1, v2, v3 = ld4(tiles, lower + 792)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 252)
        v0, v1, v2, v3 = ld4(tiles, lower + 828)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 288)
        v0, v1, v2, v3 = ld4(tiles, lower + 864)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 324)
        v0, v1, v2, v3 = ld4(tiles, lower + 900)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 360)
        v0, v1, v2, v3 = ld4(tiles, lower + 936)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 396)
        v0, v1, v2, v3 = ld4(tiles, lower + 972)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 432)
        v0, v1, v2, v3 = ld4(tiles, lower + 1008)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 468)
        v0, v1, v2, v3 = ld4(tiles, lower + 1044)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 504)
        v0, v1, v2, v3 = ld4(tiles, lower + 1080)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 540)
        v0, v1, v2, v3 = ld4(tiles, lower + 1116)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        here = int32(1152 - here)
    # The results go through shared memory, some rows at a time, so that neighbours are written by neighbours.
    cuda.syncthreads()
    put = int32(high * 8 + wide)
    mine = int32(t & 31)
    column = int32(column + mine)
    i = column
    for part in range(4):
        if part == 0:
            st4(tiles, put + 0, s0_0, s0_1, s0_2, s0_3)
        elif part == 1:
            st4(tiles, put + 0, s1_0, s1_1, s1_2, s1_3)
        elif part == 2:
            st4(tiles, put + 0, s2_0, s2_1, s2_2, s2_3)
        elif part == 3:
            st4(tiles, put + 0, s3_0, s3_1, s3_2, s3_3)
        cuda.syncthreads()
        for line in range(int32(t >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part & 3))
            if r_row < N and column < 10:
                n = r_row
                dot = tiles[uint32(line * 32 + mine)]
                out[uint32(n * 10 + i)] = params[uint32(b + i)] + dot
        cuda.syncthreads()


@jit
def dense_z_2(params, work, W, b, x, z, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads."""
    # z[n, i] = b[i] + Σ_j W[i, j] x[n, j]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(0)
    column = int32(column * 32)
    row = block
    row = int32(row * 32)
    term = int32(0)
    stop = int32(128)
    l_at0 = int32(row + (t >> 2))
    n_l0 = l_at0
    l_at1 = int32(row + (t >> 2) + 16)
    n_l1 = l_at1
    l_put = int32((((t & 3) * 4) * 36) + (t >> 2))
    r_at0 = int32(column + (t >> 2))
    i_r0 = r_at0
    r_at1 = int32(column + (t >> 2) + 16)
    i_r1 = r_at1
    r_put = int32(576 + (((t & 3) * 4) * 36) + (t >> 2))
    high = int32((t >> 3) * 4)
    wide = int32((t & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + ((t & 3) * 4))
    j_l_0 = l_term0
    r_term0 = int32(term + ((t & 3) * 4))
    j_r_0 = r_term0
    l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
    if (l_at0 < N) & (l_term0 < stop):
        l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(x + n_l0 * 128 + j_l_0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at1 < N) & (l_term0 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(x + n_l1 * 128 + j_l_0))
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 10) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W + i_r0 * 128 + j_r_0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at1 < 10) & (r_term0 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W + i_r1 * 128 + j_r_0))
    while term < stop:
        l_to = uint64(here + l_put)
        tiles[l_to] = l0_0
        tiles[l_to + uint64(36)] = l0_1
        tiles[l_to + uint64(72)] = l0_2
        tiles[l_to + uint64(108)] = l0_3
        tiles[l_to + uint64(16)] = l1_0
        tiles[l_to + uint64(52)] = l1_1
        tiles[l_to + uint64(88)] = l1_2
        tiles[l_to + uint64(124)] = l1_3
        r_to = uint64(here + r_put)
        tiles[r_to] = r0_0
        tiles[r_to + uint64(36)] = r0_1
        tiles[r_to + uint64(72)] = r0_2
        tiles[r_to + uint64(108)] = r0_3
        tiles[r_to + uint64(16)] = r1_0
        tiles[r_to + uint64(52)] = r1_1
        tiles[r_to + uint64(88)] = r1_2
        tiles[r_to + uint64(124)] = r1_3
        cuda.syncthreads()
        term = int32(term + 16)
        l_term0 = int32(term + ((t & 3) * 4))
        j_l_0 = l_term0
        r_term0 = int32(term + ((t & 3) * 4))
        j_r_0 = r_term0
        l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
        if (l_at0 < N) & (l_term0 < stop):
            l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(x + n_l0 * 128 + j_l_0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at1 < N) & (l_term0 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(x + n_l1 * 128 + j_l_0))
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 10) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W + i_r0 * 128 + j_r_0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at1 < 10) & (r_term0 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W + i_r1 * 128 + j_r_0))
        upper = int32(here + high)
        lower = int32(here + wide)
        u0, u1, u2, u3 = ld4(tiles, upper + 0)
        v0, v1, v2, v3 = ld4(tiles, lower + 576)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 36)
        v0, v1, v2, v3 = ld4(tiles, lower + 612)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 72)
        v0, v1, v2, v3 = ld4(tiles, lower + 648)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 108)
        v0, v1, v2, v3 = ld4(tiles, lower + 684)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 144)
        v0, v1, v2, v3 = ld4(tiles, lower + 720)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 180)
        v0, v1, v2, v3 = ld4(tiles, lower + 756)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 216)
        v0, v1, v2, v3 = ld4(tiles, lower + 792)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 252)
        v0, v1, v2, v3 = ld4(tiles, lower + 828)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 288)
        v0, v1, v2, v3 = ld4(tiles, lower + 864)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 324)
        v0, v1, v2, v3 = ld4(tiles, lower + 900)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 360)
        v0, v1, v2, v3 = ld4(tiles, lower + 936)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 396)
        v0, v1, v2, v3 = ld4(tiles, lower + 972)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 432)
        v0, v1, v2, v3 = ld4(tiles, lower + 1008)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 468)
        v0, v1, v2, v3 = ld4(tiles, lower + 1044)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 504)
        v0, v1, v2, v3 = ld4(tiles, lower + 1080)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 540)
        v0, v1, v2, v3 = ld4(tiles, lower + 1116)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        here = int32(1152 - here)
    # The results go through shared memory, some rows at a time, so that neighbours are written by neighbours.
    cuda.syncthreads()
    put = int32(high * 8 + wide)
    mine = int32(t & 31)
    column = int32(column + mine)
    i = column
    for part in range(4):
        if part == 0:
            st4(tiles, put + 0, s0_0, s0_1, s0_2, s0_3)
        elif part == 1:
            st4(tiles, put + 0, s1_0, s1_1, s1_2, s1_3)
        elif part == 2:
            st4(tiles, put + 0, s2_0, s2_1, s2_2, s2_3)
        elif part == 3:
            st4(tiles, put + 0, s3_0, s3_1, s3_2, s3_3)
        cuda.syncthreads()
        for line in range(int32(t >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part & 3))
            if r_row < N and column < 10:
                n = r_row
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(z + n * 10 + i)] = params[uint32(b + i)] + dot
        cuda.syncthreads()


@jit
def dense_grad_W(work, grads, delta, x, grad_W, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads."""
    # grad_W[i, j] = Σ_n delta[n, i] x[n, j]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(uint32(block) % uint32(4))
    block = int32(uint32(block) // uint32(4))
    column = int32(column * 32)
    row = block
    row = int32(row * 32)
    term = int32(0)
    stop = int32(N)
    l_at0 = int32(row + (t & 31))
    i_l0 = l_at0
    l_put = int32(((t >> 5) * 36) + (t & 31))
    r_at0 = int32(column + ((t & 7) * 4))
    j_r0 = r_at0
    r_put = int32(576 + ((t >> 3) * 36) + ((t & 7) * 4))
    high = int32((t >> 3) * 4)
    wide = int32((t & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + (t >> 5))
    n_l_0 = l_term0
    l_term1 = int32(term + (t >> 5) + 2)
    n_l_1 = l_term1
    l_term2 = int32(term + (t >> 5) + 4)
    n_l_2 = l_term2
    l_term3 = int32(term + (t >> 5) + 6)
    n_l_3 = l_term3
    l_term4 = int32(term + (t >> 5) + 8)
    n_l_4 = l_term4
    l_term5 = int32(term + (t >> 5) + 10)
    n_l_5 = l_term5
    l_term6 = int32(term + (t >> 5) + 12)
    n_l_6 = l_term6
    l_term7 = int32(term + (t >> 5) + 14)
    n_l_7 = l_term7
    r_term0 = int32(term + (t >> 3))
    n_r_0 = r_term0
    r_term1 = int32(term + (t >> 3) + 8)
    n_r_1 = r_term1
    l0 = zero
    if (l_at0 < 10) & (l_term0 < stop):
        l0 = work[uint32(delta + n_l_0 * 10 + i_l0)]
    l1 = zero
    if (l_at0 < 10) & (l_term1 < stop):
        l1 = work[uint32(delta + n_l_1 * 10 + i_l0)]
    l2 = zero
    if (l_at0 < 10) & (l_term2 < stop):
        l2 = work[uint32(delta + n_l_2 * 10 + i_l0)]
    l3 = zero
    if (l_at0 < 10) & (l_term3 < stop):
        l3 = work[uint32(delta + n_l_3 * 10 + i_l0)]
    l4 = zero
    if (l_at0 < 10) & (l_term4 < stop):
        l4 = work[uint32(delta + n_l_4 * 10 + i_l0)]
    l5 = zero
    if (l_at0 < 10) & (l_term5 < stop):
        l5 = work[uint32(delta + n_l_5 * 10 + i_l0)]
    l6 = zero
    if (l_at0 < 10) & (l_term6 < stop):
        l6 = work[uint32(delta + n_l_6 * 10 + i_l0)]
    l7 = zero
    if (l_at0 < 10) & (l_term7 < stop):
        l7 = work[uint32(delta + n_l_7 * 10 + i_l0)]
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 128) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(work, int32(x + n_r_0 * 128 + j_r0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at0 < 128) & (r_term1 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(work, int32(x + n_r_1 * 128 + j_r0))
    while term < stop:
        l_to = uint64(here + l_put)
        tiles[l_to] = l0
        tiles[l_to + uint64(72)] = l1
        tiles[l_to + uint64(144)] = l2
        tiles[l_to + uint64(216)] = l3
        tiles[l_to + uint64(288)] = l4
        tiles[l_to + uint64(360)] = l5
        tiles[l_to + uint64(432)] = l6
        tiles[l_to + uint64(504)] = l7
        r_to = uint64(here + r_put)
        st4(tiles, r_to, r0_0, r0_1, r0_2, r0_3)
        st4(tiles, r_to + uint64(288), r1_0, r1_1, r1_2, r1_3)
        cuda.syncthreads()
        term = int32(term + 16)
        l_term0 = int32(term + (t >> 5))
        n_l_0 = l_term0
        l_term1 = int32(term + (t >> 5) + 2)
        n_l_1 = l_term1
        l_term2 = int32(term + (t >> 5) + 4)
        n_l_2 = l_term2
        l_term3 = int32(term + (t >> 5) + 6)
        n_l_3 = l_term3
        l_term4 = int32(term + (t >> 5) + 8)
        n_l_4 = l_term4
        l_term5 = int32(term + (t >> 5) + 10)
        n_l_5 = l_term5
        l_term6 = int32(term + (t >> 5) + 12)
        n_l_6 = l_term6
        l_term7 = int32(term + (t >> 5) + 14)
        n_l_7 = l_term7
        r_term0 = int32(term + (t >> 3))
        n_r_0 = r_term0
        r_term1 = int32(term + (t >> 3) + 8)
        n_r_1 = r_term1
        l0 = zero
        if (l_at0 < 10) & (l_term0 < stop):
            l0 = work[uint32(delta + n_l_0 * 10 + i_l0)]
        l1 = zero
        if (l_at0 < 10) & (l_term1 < stop):
            l1 = work[uint32(delta + n_l_1 * 10 + i_l0)]
        l2 = zero
        if (l_at0 < 10) & (l_term2 < stop):
            l2 = work[uint32(delta + n_l_2 * 10 + i_l0)]
        l3 = zero
        if (l_at0 < 10) & (l_term3 < stop):
            l3 = work[uint32(delta + n_l_3 * 10 + i_l0)]
        l4 = zero
        if (l_at0 < 10) & (l_term4 < stop):
            l4 = work[uint32(delta + n_l_4 * 10 + i_l0)]
        l5 = zero
        if (l_at0 < 10) & (l_term5 < stop):
            l5 = work[uint32(delta + n_l_5 * 10 + i_l0)]
        l6 = zero
        if (l_at0 < 10) & (l_term6 < stop):
            l6 = work[uint32(delta + n_l_6 * 10 + i_l0)]
        l7 = zero
        if (l_at0 < 10) & (l_term7 < stop):
            l7 = work[uint32(delta + n_l_7 * 10 + i_l0)]
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 128) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(work, int32(x + n_r_0 * 128 + j_r0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at0 < 128) & (r_term1 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(work, int32(x + n_r_1 * 128 + j_r0))
        upper = int32(here + high)
        lower = int32(here + wide)
        u0, u1, u2, u3 = ld4(tiles, upper + 0)
        v0, v1, v2, v3 = ld4(tiles, lower + 576)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 36)
        v0, v1, v2, v3 = ld4(tiles, lower + 612)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 72)
        v0, v1, v2, v3 = ld4(tiles, lower + 648)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 108)
        v0, v1, v2, v3 = ld4(tiles, lower + 684)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 144)
        v0, v1, v2, v3 = ld4(tiles, lower + 720)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 180)
        v0, v1, v2, v3 = ld4(tiles, lower + 756)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 216)
        v0, v1, v2, v3 = ld4(tiles, lower + 792)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 252)
        v0, v1, v2, v3 = ld4(tiles, lower + 828)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 288)
        v0, v1, v2, v3 = ld4(tiles, lower + 864)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 324)
        v0, v1, v2, v3 = ld4(tiles, lower + 900)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 360)
        v0, v1, v2, v3 = ld4(tiles, lower + 936)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 396)
        v0, v1, v2, v3 = ld4(tiles, lower + 972)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 432)
        v0, v1, v2, v3 = ld4(tiles, lower + 1008)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 468)
        v0, v1, v2, v3 = ld4(tiles, lower + 1044)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 504)
        v0, v1, v2, v3 = ld4(tiles, lower + 1080)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 540)
        v0, v1, v2, v3 = ld4(tiles, lower + 1116)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        here = int32(1152 - here)
    # The results go through shared memory, some rows at a time, so that neighbours are written by neighbours.
    cuda.syncthreads()
    put = int32(high * 8 + wide)
    mine = int32(t & 31)
    column = int32(column + mine)
    j = column
    for part in range(4):
        if part == 0:
            st4(tiles, put + 0, s0_0, s0_1, s0_2, s0_3)
        elif part == 1:
            st4(tiles, put + 0, s1_0, s1_1, s1_2, s1_3)
        elif part == 2:
            st4(tiles, put + 0, s2_0, s2_1, s2_2, s2_3)
        elif part == 3:
            st4(tiles, put + 0, s3_0, s3_1, s3_2, s3_3)
        cuda.syncthreads()
        for line in range(int32(t >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part & 3))
            if r_row < 10 and column < 128:
                i = r_row
                dot = tiles[uint32(line * 32 + mine)]
                grads[uint32(grad_W + i * 128 + j)] = dot
        cuda.syncthreads()


@jit
def flatten_grad_a(params, work, dropout_1_mask, W, delta, grad_a, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads."""
    # grad_a[n, i] = (5/4) · mask[n, i] Σ_j W[j, i] delta[n, j]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(uint32(block) % uint32(4))
    block = int32(uint32(block) // uint32(4))
    column = int32(column * 32)
    row = block
    row = int32(row * 32)
    term = int32(0)
    stop = int32(10)
    l_at0 = int32(row + (t >> 4))
    n_l0 = l_at0
    l_at1 = int32(row + (t >> 4) + 4)
    n_l1 = l_at1
    l_at2 = int32(row + (t >> 4) + 8)
    n_l2 = l_at2
    l_at3 = int32(row + (t >> 4) + 12)
    n_l3 = l_at3
    l_at4 = int32(row + (t >> 4) + 16)
    n_l4 = l_at4
    l_at5 = int32(row + (t >> 4) + 20)
    n_l5 = l_at5
    l_at6 = int32(row + (t >> 4) + 24)
    n_l6 = l_at6
    l_at7 = int32(row + (t >> 4) + 28)
    n_l7 = l_at7
    l_put = int32(((t & 15) * 36) + (t >> 4))
    r_at0 = int32(column + ((t & 7) * 4))
    i_r0 = r_at0
    r_put = int32(576 + ((t >> 3) * 36) + ((t & 7) * 4))
    high = int32((t >> 3) * 4)
    wide = int32((t & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + (t & 15))
    j_l_0 = l_term0
    r_term0 = int32(term + (t >> 3))
    j_r_0 = r_term0
    r_term1 = int32(term + (t >> 3) + 8)
    j_r_1 = r_term1
    l0 = zero
    if (l_at0 < N) & (l_term0 < stop):
        l0 = work[uint32(delta + n_l0 * 10 + j_l_0)]
    l1 = zero
    if (l_at1 < N) & (l_term0 < stop):
        l1 = work[uint32(delta + n_l1 * 10 + j_l_0)]
    l2 = zero
    if (l_at2 < N) & (l_term0 < stop):
        l2 = work[uint32(delta + n_l2 * 10 + j_l_0)]
    l3 = zero
    if (l_at3 < N) & (l_term0 < stop):
        l3 = work[uint32(delta + n_l3 * 10 + j_l_0)]
    l4 = zero
    if (l_at4 < N) & (l_term0 < stop):
        l4 = work[uint32(delta + n_l4 * 10 + j_l_0)]
    l5 = zero
    if (l_at5 < N) & (l_term0 < stop):
        l5 = work[uint32(delta + n_l5 * 10 + j_l_0)]
    l6 = zero
    if (l_at6 < N) & (l_term0 < stop):
        l6 = work[uint32(delta + n_l6 * 10 + j_l_0)]
    l7 = zero
    if (l_at7 < N) & (l_term0 < stop):
        l7 = work[uint32(delta + n_l7 * 10 + j_l_0)]
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 128) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W + j_r_0 * 128 + i_r0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at0 < 128) & (r_term1 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W + j_r_1 * 128 + i_r0))
    while term < stop:
        l_to = uint64(here + l_put)
        tiles[l_to] = l0
        tiles[l_to + uint64(4)] = l1
        tiles[l_to + uint64(8)] = l2
        tiles[l_to + uint64(12)] = l3
        tiles[l_to + uint64(16)] = l4
        tiles[l_to + uint64(20)] = l5
        tiles[l_to + uint64(24)] = l6
        tiles[l_to + uint64(28)] = l7
        r_to = uint64(here + r_put)
        st4(tiles, r_to, r0_0, r0_1, r0_2, r0_3)
        st4(tiles, r_to + uint64(288), r1_0, r1_1, r1_2, r1_3)
        cuda.syncthreads()
        term = int32(term + 16)
        l_term0 = int32(term + (t & 15))
        j_l_0 = l_term0
        r_term0 = int32(term + (t >> 3))
        j_r_0 = r_term0
        r_term1 = int32(term + (t >> 3) + 8)
        j_r_1 = r_term1
        l0 = zero
        if (l_at0 < N) & (l_term0 < stop):
            l0 = work[uint32(delta + n_l0 * 10 + j_l_0)]
        l1 = zero
        if (l_at1 < N) & (l_term0 < stop):
            l1 = work[uint32(delta + n_l1 * 10 + j_l_0)]
        l2 = zero
        if (l_at2 < N) & (l_term0 < stop):
            l2 = work[uint32(delta + n_l2 * 10 + j_l_0)]
        l3 = zero
        if (l_at3 < N) & (l_term0 < stop):
            l3 = work[uint32(delta + n_l3 * 10 + j_l_0)]
        l4 = zero
        if (l_at4 < N) & (l_term0 < stop):
            l4 = work[uint32(delta + n_l4 * 10 + j_l_0)]
        l5 = zero
        if (l_at5 < N) & (l_term0 < stop):
            l5 = work[uint32(delta + n_l5 * 10 + j_l_0)]
        l6 = zero
        if (l_at6 < N) & (l_term0 < stop):
            l6 = work[uint32(delta + n_l6 * 10 + j_l_0)]
        l7 = zero
        if (l_at7 < N) & (l_term0 < stop):
            l7 = work[uint32(delta + n_l7 * 10 + j_l_0)]
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 128) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W + j_r_0 * 128 + i_r0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at0 < 128) & (r_term1 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W + j_r_1 * 128 + i_r0))
        upper = int32(here + high)
        lower = int32(here + wide)
        u0, u1, u2, u3 = ld4(tiles, upper + 0)
        v0, v1, v2, v3 = ld4(tiles, lower + 576)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 36)
        v0, v1, v2, v3 = ld4(tiles, lower + 612)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 72)
        v0, v1, v2, v3 = ld4(tiles, lower + 648)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 108)
        v0, v1, v2, v3 = ld4(tiles, lower + 684)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 144)
        v0, v1, v2, v3 = ld4(tiles, lower + 720)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 180)
        v0, v1, v2, v3 = ld4(tiles, lower + 756)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 216)
        v0, v1, v2, v3 = ld4(tiles, lower + 792)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 252)
        v0, v1, v2, v3 = ld4(tiles, lower + 828)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 288)
        v0, v1, v2, v3 = ld4(tiles, lower + 864)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 324)
        v0, v1, v2, v3 = ld4(tiles, lower + 900)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 360)
        v0, v1, v2, v3 = ld4(tiles, lower + 936)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 396)
        v0, v1, v2, v3 = ld4(tiles, lower + 972)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 432)
        v0, v1, v2, v3 = ld4(tiles, lower + 1008)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 468)
        v0, v1, v2, v3 = ld4(tiles, lower + 1044)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 504)
        v0, v1, v2, v3 = ld4(tiles, lower + 1080)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 540)
        v0, v1, v2, v3 = ld4(tiles, lower + 1116)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        here = int32(1152 - here)
    # The results go through shared memory, some rows at a time, so that neighbours are written by neighbours.
    cuda.syncthreads()
    put = int32(high * 8 + wide)
    mine = int32(t & 31)
    column = int32(column + mine)
    i = column
    for part in range(4):
        if part == 0:
            st4(tiles, put + 0, s0_0, s0_1, s0_2, s0_3)
        elif part == 1:
            st4(tiles, put + 0, s1_0, s1_1, s1_2, s1_3)
        elif part == 2:
            st4(tiles, put + 0, s2_0, s2_1, s2_2, s2_3)
        elif part == 3:
            st4(tiles, put + 0, s3_0, s3_1, s3_2, s3_3)
        cuda.syncthreads()
        for line in range(int32(t >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part & 3))
            if r_row < N and column < 128:
                n = r_row
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(grad_a + n * 128 + i)] = real(1.25) * dropout_1_mask[uint32(n * 128 + i)] * dot
        cuda.syncthreads()


@jit
def conv2d_grad_W(work, delta, x, parts, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads; the terms in 4 parts."""
    # parts[part, k, c, u, v] = Σ_{n, p, q} delta[n, k, p, q] x[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 4] [0 ≤ q + v − 1 < 4]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(uint32(block) % uint32(5))
    block = int32(uint32(block) // uint32(5))
    column = int32(column * 32)
    row = int32(0)
    row = int32(row * 32)
    part = block
    stop = int32((N * 16 + 63) // 64 * 16)
    term = int32(part * stop)
    stop = int32(term + stop)
    stop = int32(N * 16) if stop > N * 16 else stop
    l_at0 = int32(row + (t >> 2))
    k_l0 = l_at0
    l_at1 = int32(row + (t >> 2) + 16)
    k_l1 = l_at1
    l_put = int32((((t & 3) * 4) * 36) + (t >> 2))
    r_at0 = int32(column + (t & 31))
    v_r0 = int32(uint32(r_at0) % uint32(3))
    rest_v_r0 = int32(uint32(r_at0) // uint32(3))
    u_r0 = int32(uint32(rest_v_r0) % uint32(3))
    rest_u_r0 = int32(uint32(rest_v_r0) // uint32(3))
    c_r0 = rest_u_r0
    r_put = int32(576 + ((t >> 5) * 36) + (t & 31))
    high = int32((t >> 3) * 4)
    wide = int32((t & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + ((t & 3) * 4))
    q_l_0 = int32(uint32(l_term0) % uint32(4))
    rest_q_l_0 = int32(uint32(l_term0) // uint32(4))
    p_l_0 = int32(uint32(rest_q_l_0) % uint32(4))
    rest_p_l_0 = int32(uint32(rest_q_l_0) // uint32(4))
    n_l_0 = rest_p_l_0
    r_term0 = int32(term + (t >> 5))
    q_r_0 = int32(uint32(r_term0) % uint32(4))
    rest_q_r_0 = int32(uint32(r_term0) // uint32(4))
    p_r_0 = int32(uint32(rest_q_r_0) % uint32(4))
    rest_p_r_0 = int32(uint32(rest_q_r_0) // uint32(4))
    n_r_0 = rest_p_r_0
    r_term1 = int32(term + (t >> 5) + 2)
    q_r_1 = int32(uint32(r_term1) % uint32(4))
    rest_q_r_1 = int32(uint32(r_term1) // uint32(4))
    p_r_1 = int32(uint32(rest_q_r_1) % uint32(4))
    rest_p_r_1 = int32(uint32(rest_q_r_1) // uint32(4))
    n_r_1 = rest_p_r_1
    r_term2 = int32(term + (t >> 5) + 4)
    q_r_2 = int32(uint32(r_term2) % uint32(4))
    rest_q_r_2 = int32(uint32(r_term2) // uint32(4))
    p_r_2 = int32(uint32(rest_q_r_2) % uint32(4))
    rest_p_r_2 = int32(uint32(rest_q_r_2) // uint32(4))
    n_r_2 = rest_p_r_2
    r_term3 = int32(term + (t >> 5) + 6)
    q_r_3 = int32(uint32(r_term3) % uint32(4))
    rest_q_r_3 = int32(uint32(r_term3) // uint32(4))
    p_r_3 = int32(uint32(rest_q_r_3) % uint32(4))
    rest_p_r_3 = int32(uint32(rest_q_r_3) // uint32(4))
    n_r_3 = rest_p_r_3
    r_term4 = int32(term + (t >> 5) + 8)
    q_r_4 = int32(uint32(r_term4) % uint32(4))
    rest_q_r_4 = int32(uint32(r_term4) // uint32(4))
    p_r_4 = int32(uint32(rest_q_r_4) % uint32(4))
    rest_p_r_4 = int32(uint32(rest_q_r_4) // uint32(4))
    n_r_4 = rest_p_r_4
    r_term5 = int32(term + (t >> 5) + 10)
    q_r_5 = int32(uint32(r_term5) % uint32(4))
    rest_q_r_5 = int32(uint32(r_term5) // uint32(4))
    p_r_5 = int32(uint32(rest_q_r_5) % uint32(4))
    rest_p_r_5 = int32(uint32(rest_q_r_5) // uint32(4))
    n_r_5 = rest_p_r_5
    r_term6 = int32(term + (t >> 5) + 12)
    q_r_6 = int32(uint32(r_term6) % uint32(4))
    rest_q_r_6 = int32(uint32(r_term6) // uint32(4))
    p_r_6 = int32(uint32(rest_q_r_6) % uint32(4))
    rest_p_r_6 = int32(uint32(rest_q_r_6) // uint32(4))
    n_r_6 = rest_p_r_6
    r_term7 = int32(term + (t >> 5) + 14)
    q_r_7 = int32(uint32(r_term7) % uint32(4))
    rest_q_r_7 = int32(uint32(r_term7) // uint32(4))
    p_r_7 = int32(uint32(rest_q_r_7) % uint32(4))
    rest_p_r_7 = int32(uint32(rest_q_r_7) // uint32(4))
    n_r_7 = rest_p_r_7
    l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
    if (l_at0 < 32) & (l_term0 < stop):
        l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(delta + n_l_0 * 512 + k_l0 * 16 + p_l_0 * 4 + q_l_0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at1 < 32) & (l_term0 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(delta + n_l_0 * 512 + k_l1 * 16 + p_l_0 * 4 + q_l_0))
    r0 = zero
    if (r_at0 < 144) & (r_term0 < stop) & (uint32(p_r_0 + u_r0 - 1) < uint32(4)) & (uint32(q_r_0 + v_r0 - 1) < uint32(4)):
        r0 = work[uint32(x + n_r_0 * 256 + c_r0 * 16 + (p_r_0 + u_r0 - 1) * 4 + (q_r_0 + v_r0 - 1))]
    r1 = zero
    if (r_at0 < 144) & (r_term1 < stop) & (uint32(p_r_1 + u_r0 - 1) < uint32(4)) & (uint32(q_r_1 + v_r0 - 1) < uint32(4)):
        r1 = work[uint32(x + n_r_1 * 256 + c_r0 * 16 + (p_r_1 + u_r0 - 1) * 4 + (q_r_1 + v_r0 - 1))]
    r2 = zero
    if (r_at0 < 144) & (r_term2 < stop) & (uint32(p_r_2 + u_r0 - 1) < uint32(4)) & (uint32(q_r_2 + v_r0 - 1) < uint32(4)):
        r2 = work[uint32(x + n_r_2 * 256 + c_r0 * 16 + (p_r_2 + u_r0 - 1) * 4 + (q_r_2 + v_r0 - 1))]
    r3 = zero
    if (r_at0 < 144) & (r_term3 < stop) & (uint32(p_r_3 + u_r0 - 1) < uint32(4)) & (uint32(q_r_3 + v_r0 - 1) < uint32(4)):
        r3 = work[uint32(x + n_r_3 * 256 + c_r0 * 16 + (p_r_3 + u_r0 - 1) * 4 + (q_r_3 + v_r0 - 1))]
    r4 = zero
    if (r_at0 < 144) & (r_term4 < stop) & (uint32(p_r_4 + u_r0 - 1) < uint32(4)) & (uint32(q_r_4 + v_r0 - 1) < uint32(4)):
        r4 = work[uint32(x + n_r_4 * 256 + c_r0 * 16 + (p_r_4 + u_r0 - 1) * 4 + (q_r_4 + v_r0 - 1))]
    r5 = zero
    if (r_at0 < 144) & (r_term5 < stop) & (uint32(p_r_5 + u_r0 - 1) < uint32(4)) & (uint32(q_r_5 + v_r0 - 1) < uint32(4)):
        r5 = work[uint32(x + n_r_5 * 256 + c_r0 * 16 + (p_r_5 + u_r0 - 1) * 4 + (q_r_5 + v_r0 - 1))]
    r6 = zero
    if (r_at0 < 144) & (r_term6 < stop) & (uint32(p_r_6 + u_r0 - 1) < uint32(4)) & (uint32(q_r_6 + v_r0 - 1) < uint32(4)):
        r6 = work[uint32(x + n_r_6 * 256 + c_r0 * 16 + (p_r_6 + u_r0 - 1) * 4 + (q_r_6 + v_r0 - 1))]
    r7 = zero
    if (r_at0 < 144) & (r_term7 < stop) & (uint32(p_r_7 + u_r0 - 1) < uint32(4)) & (uint32(q_r_7 + v_r0 - 1) < uint32(4)):
        r7 = work[uint32(x + n_r_7 * 256 + c_r0 * 16 + (p_r_7 + u_r0 - 1) * 4 + (q_r_7 + v_r0 - 1))]
    while term < stop:
        l_to = uint64(here + l_put)
        tiles[l_to] = l0_0
        tiles[l_to + uint64(36)] = l0_1
        tiles[l_to + uint64(72)] = l0_2
        tiles[l_to + uint64(108)] = l0_3
        tiles[l_to + uint64(16)] = l1_0
        tiles[l_to + uint64(52)] = l1_1
        tiles[l_to + uint64(88)] = l1_2
        tiles[l_to + uint64(124)] = l1_3
        r_to = uint64(here + r_put)
        tiles[r_to] = r0
        tiles[r_to + uint64(72)] = r1
        tiles[r_to + uint64(144)] = r2
        tiles[r_to + uint64(216)] = r3
        tiles[r_to + uint64(288)] = r4
        tiles[r_to + uint64(360)] = r5
        tiles[r_to + uint64(432)] = r6
        tiles[r_to + uint64(504)] = r7
        cuda.syncthreads()
        term = int32(term + 16)
        l_term0 = int32(term + ((t & 3) * 4))
        q_l_0 = int32(uint32(l_term0) % uint32(4))
        rest_q_l_0 = int32(uint32(l_term0) // uint32(4))
        p_l_0 = int32(uint32(rest_q_l_0) % uint32(4))
        rest_p_l_0 = int32(uint32(rest_q_l_0) // uint32(4))
        n_l_0 = rest_p_l_0
        r_term0 = int32(term + (t >> 5))
        q_r_0 = int32(uint32(r_term0) % uint32(4))
        rest_q_r_0 = int32(uint32(r_term0) // uint32(4))
        p_r_0 = int32(uint32(rest_q_r_0) % uint32(4))
        rest_p_r_0 = int32(uint32(rest_q_r_0) // uint32(4))
        n_r_0 = rest_p_r_0
        r_term1 = int32(term + (t >> 5) + 2)
        q_r_1 = int32(uint32(r_term1) % uint32(4))
        rest_q_r_1 = int32(uint32(r_term1) // uint32(4))
        p_r_1 = int32(uint32(rest_q_r_1) % uint32(4))
        rest_p_r_1 = int32(uint32(rest_q_r_1) // uint32(4))
        n_r_1 = rest_p_r_1
        r_term2 = int32(term + (t >> 5) + 4)
        q_r_2 = int32(uint32(r_term2) % uint32(4))
        rest_q_r_2 = int32(uint32(r_term2) // uint32(4))
        p_r_2 = int32(uint32(rest_q_r_2) % uint32(4))
        rest_p_r_2 = int32(uint32(rest_q_r_2) // uint32(4))
        n_r_2 = rest_p_r_2
        r_term3 = int32(term + (t >> 5) + 6)
        q_r_3 = int32(uint32(r_term3) % uint32(4))
        rest_q_r_3 = int32(uint32(r_term3) // uint32(4))
        p_r_3 = int32(uint32(rest_q_r_3) % uint32(4))
        rest_p_r_3 = int32(uint32(rest_q_r_3) // uint32(4))
        n_r_3 = rest_p_r_3
        r_term4 = int32(term + (t >> 5) + 8)
        q_r_4 = int32(uint32(r_term4) % uint32(4))
        rest_q_r_4 = int32(uint32(r_term4) // uint32(4))
        p_r_4 = int32(uint32(rest_q_r_4) % uint32(4))
        rest_p_r_4 = int32(uint32(rest_q_r_4) // uint32(4))
        n_r_4 = rest_p_r_4
        r_term5 = int32(term + (t >> 5) + 10)
        q_r_5 = int32(uint32(r_term5) % uint32(4))
        rest_q_r_5 = int32(uint32(r_term5) // uint32(4))
        p_r_5 = int32(uint32(rest_q_r_5) % uint32(4))
        rest_p_r_5 = int32(uint32(rest_q_r_5) // uint32(4))
        n_r_5 = rest_p_r_5
        r_term6 = int32(term + (t >> 5) + 12)
        q_r_6 = int32(uint32(r_term6) % uint32(4))
        rest_q_r_6 = int32(uint32(r_term6) // uint32(4))
        p_r_6 = int32(uint32(rest_q_r_6) % uint32(4))
        rest_p_r_6 = int32(uint32(rest_q_r_6) // uint32(4))
        n_r_6 = rest_p_r_6
        r_term7 = int32(term + (t >> 5) + 14)
        q_r_7 = int32(uint32(r_term7) % uint32(4))
        rest_q_r_7 = int32(uint32(r_term7) // uint32(4))
        p_r_7 = int32(uint32(rest_q_r_7) % uint32(4))
        rest_p_r_7 = int32(uint32(rest_q_r_7) // uint32(4))
        n_r_7 = rest_p_r_7
        l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
        if (l_at0 < 32) & (l_term0 < stop):
            l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(delta + n_l_0 * 512 + k_l0 * 16 + p_l_0 * 4 + q_l_0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at1 < 32) & (l_term0 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(delta + n_l_0 * 512 + k_l1 * 16 + p_l_0 * 4 + q_l_0))
        r0 = zero
        if (r_at0 < 144) & (r_term0 < stop) & (uint32(p_r_0 + u_r0 - 1) < uint32(4)) & (uint32(q_r_0 + v_r0 - 1) < uint32(4)):
            r0 = work[uint32(x + n_r_0 * 256 + c_r0 * 16 + (p_r_0 + u_r0 - 1) * 4 + (q_r_0 + v_r0 - 1))]
        r1 = zero
        if (r_at0 < 144) & (r_term1 < stop) & (uint32(p_r_1 + u_r0 - 1) < uint32(4)) & (uint32(q_r_1 + v_r0 - 1) < uint32(4)):
            r1 = work[uint32(x + n_r_1 * 256 + c_r0 * 16 + (p_r_1 + u_r0 - 1) * 4 + (q_r_1 + v_r0 - 1))]
        r2 = zero
        if (r_at0 < 144) & (r_term2 < stop) & (uint32(p_r_2 + u_r0 - 1) < uint32(4)) & (uint32(q_r_2 + v_r0 - 1) < uint32(4)):
            r2 = work[uint32(x + n_r_2 * 256 + c_r0 * 16 + (p_r_2 + u_r0 - 1) * 4 + (q_r_2 + v_r0 - 1))]
        r3 = zero
        if (r_at0 < 144) & (r_term3 < stop) & (uint32(p_r_3 + u_r0 - 1) < uint32(4)) & (uint32(q_r_3 + v_r0 - 1) < uint32(4)):
            r3 = work[uint32(x + n_r_3 * 256 + c_r0 * 16 + (p_r_3 + u_r0 - 1) * 4 + (q_r_3 + v_r0 - 1))]
        r4 = zero
        if (r_at0 < 144) & (r_term4 < stop) & (uint32(p_r_4 + u_r0 - 1) < uint32(4)) & (uint32(q_r_4 + v_r0 - 1) < uint32(4)):
            r4 = work[uint32(x + n_r_4 * 256 + c_r0 * 16 + (p_r_4 + u_r0 - 1) * 4 + (q_r_4 + v_r0 - 1))]
        r5 = zero
        if (r_at0 < 144) & (r_term5 < stop) & (uint32(p_r_5 + u_r0 - 1) < uint32(4)) & (uint32(q_r_5 + v_r0 - 1) < uint32(4)):
            r5 = work[uint32(x + n_r_5 * 256 + c_r0 * 16 + (p_r_5 + u_r0 - 1) * 4 + (q_r_5 + v_r0 - 1))]
        r6 = zero
        if (r_at0 < 144) & (r_term6 < stop) & (uint32(p_r_6 + u_r0 - 1) < uint32(4)) & (uint32(q_r_6 + v_r0 - 1) < uint32(4)):
            r6 = work[uint32(x + n_r_6 * 256 + c_r0 * 16 + (p_r_6 + u_r0 - 1) * 4 + (q_r_6 + v_r0 - 1))]
        r7 = zero
        if (r_at0 < 144) & (r_term7 < stop) & (uint32(p_r_7 + u_r0 - 1) < uint32(4)) & (uint32(q_r_7 + v_r0 - 1) < uint32(4)):
            r7 = work[uint32(x + n_r_7 * 256 + c_r0 * 16 + (p_r_7 + u_r0 - 1) * 4 + (q_r_7 + v_r0 - 1))]
        upper = int32(here + high)
        lower = int32(here + wide)
        u0, u1, u2, u3 = ld4(tiles, upper + 0)
        v0, v1, v2, v3 = ld4(tiles, lower + 576)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 36)
        v0, v1, v2, v3 = ld4(tiles, lower + 612)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 72)
        v0, v1, v2, v3 = ld4(tiles, lower + 648)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 108)
        v0, v1, v2, v3 = ld4(tiles, lower + 684)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 144)
        v0, v1, v2, v3 = ld4(tiles, lower + 720)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 180)
        v0, v1, v2, v3 = ld4(tiles, lower + 756)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 216)
        v0, v1, v2, v3 = ld4(tiles, lower + 792)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 252)
        v0, v1, v2, v3 = ld4(tiles, lower + 828)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 288)
        v0, v1, v2, v3 = ld4(tiles, lower + 864)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 324)
        v0, v1, v2, v3 = ld4(tiles, lower + 900)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 360)
        v0, v1, v2, v3 = ld4(tiles, lower + 936)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 396)
        v0, v1, v2, v3 = ld4(tiles, lower + 972)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 432)
        v0, v1, v2, v3 = ld4(tiles, lower + 1008)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 468)
        v0, v1, v2, v3 = ld4(tiles, lower + 1044)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 504)
        v0, v1, v2, v3 = ld4(tiles, lower + 1080)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 540)
        v0, v1, v2, v3 = ld4(tiles, lower + 1116)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        here = int32(1152 - here)
    # The results go through shared memory, some rows at a time, so that neighbours are written by neighbours.
    cuda.syncthreads()
    put = int32(high * 8 + wide)
    mine = int32(t & 31)
    column = int32(column + mine)
    v = int32(uint32(column) % uint32(3))
    rest_v = int32(uint32(column) // uint32(3))
    u = int32(uint32(rest_v) % uint32(3))
    rest_u = int32(uint32(rest_v) // uint32(3))
    c = rest_u
    for part_ in range(4):
        if part_ == 0:
            st4(tiles, put + 0, s0_0, s0_1, s0_2, s0_3)
        elif part_ == 1:
            st4(tiles, put + 0, s1_0, s1_1, s1_2, s1_3)
        elif part_ == 2:
            st4(tiles, put + 0, s2_0, s2_1, s2_2, s2_3)
        elif part_ == 3:
            st4(tiles, put + 0, s3_0, s3_1, s3_2, s3_3)
        cuda.syncthreads()
        for line in range(int32(t >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part_ & 3))
            if r_row < 32 and column < 144:
                k = r_row
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(parts + part * 4608 + k * 144 + c * 9 + u * 3 + v)] = dot
        cuda.syncthreads()


@jit
def maxpool2d_grad_a(params, work, W, delta, parts, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads; the terms in 2 parts."""
    # parts[part, n, c, h, w] = Σ_{k, u, v} W[k, c, u, v] delta[n, k, 1 + h − u, 1 + w − v] [0 ≤ 1 + h − u < 4] [0 ≤ 1 + w − v < 4]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(uint32(block) % uint32(((N * 16 + 31) // 32)))
    block = int32(uint32(block) // uint32(((N * 16 + 31) // 32)))
    column = int32(column * 32)
    row = int32(0)
    row = int32(row * 32)
    part = block
    stop = int32((288 + 31) // 32 * 16)
    term = int32(part * stop)
    stop = int32(term + stop)
    stop = int32(288) if stop > 288 else stop
    l_at0 = int32(row + (t >> 4))
    c_l0 = l_at0
    l_at1 = int32(row + (t >> 4) + 4)
    c_l1 = l_at1
    l_at2 = int32(row + (t >> 4) + 8)
    c_l2 = l_at2
    l_at3 = int32(row + (t >> 4) + 12)
    c_l3 = l_at3
    l_at4 = int32(row + (t >> 4) + 16)
    c_l4 = l_at4
    l_at5 = int32(row + (t >> 4) + 20)
    c_l5 = l_at5
    l_at6 = int32(row + (t >> 4) + 24)
    c_l6 = l_at6
    l_at7 = int32(row + (t >> 4) + 28)
    c_l7 = l_at7
    l_put = int32(((t & 15) * 36) + (t >> 4))
    r_at0 = int32(column + (t & 31))
    w_r0 = int32(uint32(r_at0) % uint32(4))
    rest_w_r0 = int32(uint32(r_at0) // uint32(4))
    h_r0 = int32(uint32(rest_w_r0) % uint32(4))
    rest_h_r0 = int32(uint32(rest_w_r0) // uint32(4))
    n_r0 = rest_h_r0
    r_put = int32(576 + ((t >> 5) * 36) + (t & 31))
    high = int32((t >> 3) * 4)
    wide = int32((t & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + (t & 15))
    v_l_0 = int32(uint32(l_term0) % uint32(3))
    rest_v_l_0 = int32(uint32(l_term0) // uint32(3))
    u_l_0 = int32(uint32(rest_v_l_0) % uint32(3))
    rest_u_l_0 = int32(uint32(rest_v_l_0) // uint32(3))
    k_l_0 = rest_u_l_0
    r_term0 = int32(term + (t >> 5))
    v_r_0 = int32(uint32(r_term0) % uint32(3))
    rest_v_r_0 = int32(uint32(r_term0) // uint32(3))
    u_r_0 = int32(uint32(rest_v_r_0) % uint32(3))
    rest_u_r_0 = int32(uint32(rest_v_r_0) // uint32(3))
    k_r_0 = rest_u_r_0
    r_term1 = int32(term + (t >> 5) + 2)
    v_r_1 = int32(uint32(r_term1) % uint32(3))
    rest_v_r_1 = int32(uint32(r_term1) // uint32(3))
    u_r_1 = int32(uint32(rest_v_r_1) % uint32(3))
    rest_u_r_1 = int32(uint32(rest_v_r_1) // uint32(3))
    k_r_1 = rest_u_r_1
    r_term2 = int32(term + (t >> 5) + 4)
    v_r_2 = int32(uint32(r_term2) % uint32(3))
    rest_v_r_2 = int32(uint32(r_term2) // uint32(3))
    u_r_2 = int32(uint32(rest_v_r_2) % uint32(3))
    rest_u_r_2 = int32(uint32(rest_v_r_2) // uint32(3))
    k_r_2 = rest_u_r_2
    r_term3 = int32(term + (t >> 5) + 6)
    v_r_3 = int32(uint32(r_term3) % uint32(3))
    rest_v_r_3 = int32(uint32(r_term3) // uint32(3))
    u_r_3 = int32(uint32(rest_v_r_3) % uint32(3))
    rest_u_r_3 = int32(uint32(rest_v_r_3) // uint32(3))
    k_r_3 = rest_u_r_3
    r_term4 = int32(term + (t >> 5) + 8)
    v_r_4 = int32(uint32(r_term4) % uint32(3))
    rest_v_r_4 = int32(uint32(r_term4) // uint32(3))
    u_r_4 = int32(uint32(rest_v_r_4) % uint32(3))
    rest_u_r_4 = int32(uint32(rest_v_r_4) // uint32(3))
    k_r_4 = rest_u_r_4
    r_term5 = int32(term + (t >> 5) + 10)
    v_r_5 = int32(uint32(r_term5) % uint32(3))
    rest_v_r_5 = int32(uint32(r_term5) // uint32(3))
    u_r_5 = int32(uint32(rest_v_r_5) % uint32(3))
    rest_u_r_5 = int32(uint32(rest_v_r_5) // uint32(3))
    k_r_5 = rest_u_r_5
    r_term6 = int32(term + (t >> 5) + 12)
    v_r_6 = int32(uint32(r_term6) % uint32(3))
    rest_v_r_6 = int32(uint32(r_term6) // uint32(3))
    u_r_6 = int32(uint32(rest_v_r_6) % uint32(3))
    rest_u_r_6 = int32(uint32(rest_v_r_6) // uint32(3))
    k_r_6 = rest_u_r_6
    r_term7 = int32(term + (t >> 5) + 14)
    v_r_7 = int32(uint32(r_term7) % uint32(3))
    rest_v_r_7 = int32(uint32(r_term7) // uint32(3))
    u_r_7 = int32(uint32(rest_v_r_7) % uint32(3))
    rest_u_r_7 = int32(uint32(rest_v_r_7) // uint32(3))
    k_r_7 = rest_u_r_7
    l0 = zero
    if (l_at0 < 16) & (l_term0 < stop):
        l0 = params[uint32(W + k_l_0 * 144 + c_l0 * 9 + u_l_0 * 3 + v_l_0)]
    l1 = zero
    if (l_at1 < 16) & (l_term0 < stop):
        l1 = params[uint32(W + k_l_0 * 144 + c_l1 * 9 + u_l_0 * 3 + v_l_0)]
    l2 = zero
    if (l_at2 < 16) & (l_term0 < stop):
        l2 = params[uint32(W + k_l_0 * 144 + c_l2 * 9 + u_l_0 * 3 + v_l_0)]
    l3 = zero
    if (l_at3 < 16) & (l_term0 < stop):
        l3 = params[uint32(W + k_l_0 * 144 + c_l3 * 9 + u_l_0 * 3 + v_l_0)]
    l4 = zero
    if (l_at4 < 16) & (l_term0 < stop):
        l4 = params[uint32(W + k_l_0 * 144 + c_l4 * 9 + u_l_0 * 3 + v_l_0)]
    l5 = zero
    if (l_at5 < 16) & (l_term0 < stop):
        l5 = params[uint32(W + k_l_0 * 144 + c_l5 * 9 + u_l_0 * 3 + v_l_0)]
    l6 = zero
    if (l_at6 < 16) & (l_term0 < stop):
        l6 = params[uint32(W + k_l_0 * 144 + c_l6 * 9 + u_l_0 * 3 + v_l_0)]
    l7 = zero
    if (l_at7 < 16) & (l_term0 < stop):
        l7 = params[uint32(W + k_l_0 * 144 + c_l7 * 9 + u_l_0 * 3 + v_l_0)]
    r0 = zero
    if (r_at0 < N * 16) & (r_term0 < stop) & (uint32(h_r0 + 1 - u_r_0) < uint32(4)) & (uint32(w_r0 + 1 - v_r_0) < uint32(4)):
        r0 = work[uint32(delta + n_r0 * 512 + k_r_0 * 16 + (h_r0 + 1 - u_r_0) * 4 + (w_r0 + 1 - v_r_0))]
    r1 = zero
    if (r_at0 < N * 16) & (r_term1 < stop) & (uint32(h_r0 + 1 - u_r_1) < uint32(4)) & (uint32(w_r0 + 1 - v_r_1) < uint32(4)):
        r1 = work[uint32(delta + n_r0 * 512 + k_r_1 * 16 + (h_r0 + 1 - u_r_1) * 4 + (w_r0 + 1 - v_r_1))]
    r2 = zero
    if (r_at0 < N * 16) & (r_term2 < stop) & (uint32(h_r0 + 1 - u_r_2) < uint32(4)) & (uint32(w_r0 + 1 - v_r_2) < uint32(4)):
        r2 = work[uint32(delta + n_r0 * 512 + k_r_2 * 16 + (h_r0 + 1 - u_r_2) * 4 + (w_r0 + 1 - v_r_2))]
    r3 = zero
    if (r_at0 < N * 16) & (r_term3 < stop) & (uint32(h_r0 + 1 - u_r_3) < uint32(4)) & (uint32(w_r0 + 1 - v_r_3) < uint32(4)):
        r3 = work[uint32(delta + n_r0 * 512 + k_r_3 * 16 + (h_r0 + 1 - u_r_3) * 4 + (w_r0 + 1 - v_r_3))]
    r4 = zero
    if (r_at0 < N * 16) & (r_term4 < stop) & (uint32(h_r0 + 1 - u_r_4) < uint32(4)) & (uint32(w_r0 + 1 - v_r_4) < uint32(4)):
        r4 = work[uint32(delta + n_r0 * 512 + k_r_4 * 16 + (h_r0 + 1 - u_r_4) * 4 + (w_r0 + 1 - v_r_4))]
    r5 = zero
    if (r_at0 < N * 16) & (r_term5 < stop) & (uint32(h_r0 + 1 - u_r_5) < uint32(4)) & (uint32(w_r0 + 1 - v_r_5) < uint32(4)):
        r5 = work[uint32(delta + n_r0 * 512 + k_r_5 * 16 + (h_r0 + 1 - u_r_5) * 4 + (w_r0 + 1 - v_r_5))]
    r6 = zero
    if (r_at0 < N * 16) & (r_term6 < stop) & (uint32(h_r0 + 1 - u_r_6) < uint32(4)) & (uint32(w_r0 + 1 - v_r_6) < uint32(4)):
        r6 = work[uint32(delta + n_r0 * 512 + k_r_6 * 16 + (h_r0 + 1 - u_r_6) * 4 + (w_r0 + 1 - v_r_6))]
    r7 = zero
    if (r_at0 < N * 16) & (r_term7 < stop) & (uint32(h_r0 + 1 - u_r_7) < uint32(4)) & (uint32(w_r0 + 1 - v_r_7) < uint32(4)):
        r7 = work[uint32(delta + n_r0 * 512 + k_r_7 * 16 + (h_r0 + 1 - u_r_7) * 4 + (w_r0 + 1 - v_r_7))]
    while term < stop:
        l_to = uint64(here + l_put)
        tiles[l_to] = l0
        tiles[l_to + uint64(4)] = l1
        tiles[l_to + uint64(8)] = l2
        tiles[l_to + uint64(12)] = l3
        tiles[l_to + uint64(16)] = l4
        tiles[l_to + uint64(20)] = l5
        tiles[l_to + uint64(24)] = l6
        tiles[l_to + uint64(28)] = l7
        r_to = uint64(here + r_put)
        tiles[r_to] = r0
        tiles[r_to + uint64(72)] = r1
        tiles[r_to + uint64(144)] = r2
        tiles[r_to + uint64(216)] = r3
        tiles[r_to + uint64(288)] = r4
        tiles[r_to + uint64(360)] = r5
        tiles[r_to + uint64(432)] = r6
        tiles[r_to + uint64(504)] = r7
        cuda.syncthreads()
        term = int32(term + 16)
        l_term0 = int32(term + (t & 15))
        v_l_0 = int32(uint32(l_term0) % uint32(3))
        rest_v_l_0 = int32(uint32(l_term0) // uint32(3))
        u_l_0 = int32(uint32(rest_v_l_0) % uint32(3))
        rest_u_l_0 = int32(uint32(rest_v_l_0) // uint32(3))
        k_l_0 = rest_u_l_0
        r_term0 = int32(term + (t >> 5))
        v_r_0 = int32(uint32(r_term0) % uint32(3))
        rest_v_r_0 = int32(uint32(r_term0) // uint32(3))
        u_r_0 = int32(uint32(rest_v_r_0) % uint32(3))
        rest_u_r_0 = int32(uint32(rest_v_r_0) // uint32(3))
        k_r_0 = rest_u_r_0
        r_term1 = int32(term + (t >> 5) + 2)
        v_r_1 = int32(uint32(r_term1) % uint32(3))
        rest_v_r_1 = int32(uint32(r_term1) // uint32(3))
        u_r_1 = int32(uint32(rest_v_r_1) % uint32(3))
        rest_u_r_1 = int32(uint32(rest_v_r_1) // uint32(3))
        k_r_1 = rest_u_r_1
        r_term2 = int32(term + (t >> 5) + 4)
        v_r_2 = int32(uint32(r_term2) % uint32(3))
        rest_v_r_2 = int32(uint32(r_term2) // uint32(3))
        u_r_2 = int32(uint32(rest_v_r_2) % uint32(3))
        rest_u_r_2 = int32(uint32(rest_v_r_2) // uint32(3))
        k_r_2 = rest_u_r_2
        r_term3 = int32(term + (t >> 5) + 6)
        v_r_3 = int32(uint32(r_term3) % uint32(3))
        rest_v_r_3 = int32(uint32(r_term3) // uint32(3))
        u_r_3 = int32(uint32(rest_v_r_3) % uint32(3))
        rest_u_r_3 = int32(uint32(rest_v_r_3) // uint32(3))
        k_r_3 = rest_u_r_3
        r_term4 = int32(term + (t >> 5) + 8)
        v_r_4 = int32(uint32(r_term4) % uint32(3))
        rest_v_r_4 = int32(uint32(r_term4) // uint32(3))
        u_r_4 = int32(uint32(rest_v_r_4) % uint32(3))
        rest_u_r_4 = int32(uint32(rest_v_r_4) // uint32(3))
        k_r_4 = rest_u_r_4
        r_term5 = int32(term + (t >> 5) + 10)
        v_r_5 = int32(uint32(r_term5) % uint32(3))
        rest_v_r_5 = int32(uint32(r_term5) // uint32(3))
        u_r_5 = int32(uint32(rest_v_r_5) % uint32(3))
        rest_u_r_5 = int32(uint32(rest_v_r_5) // uint32(3))
        k_r_5 = rest_u_r_5
        r_term6 = int32(term + (t >> 5) + 12)
        v_r_6 = int32(uint32(r_term6) % uint32(3))
        rest_v_r_6 = int32(uint32(r_term6) // uint32(3))
        u_r_6 = int32(uint32(rest_v_r_6) % uint32(3))
        rest_u_r_6 = int32(uint32(rest_v_r_6) // uint32(3))
        k_r_6 = rest_u_r_6
        r_term7 = int32(term + (t >> 5) + 14)
        v_r_7 = int32(uint32(r_term7) % uint32(3))
        rest_v_r_7 = int32(uint32(r_term7) // uint32(3))
        u_r_7 = int32(uint32(rest_v_r_7) % uint32(3))
        rest_u_r_7 = int32(uint32(rest_v_r_7) // uint32(3))
        k_r_7 = rest_u_r_7
        l0 = zero
        if (l_at0 < 16) & (l_term0 < stop):
            l0 = params[uint32(W + k_l_0 * 144 + c_l0 * 9 + u_l_0 * 3 + v_l_0)]
        l1 = zero
        if (l_at1 < 16) & (l_term0 < stop):
            l1 = params[uint32(W + k_l_0 * 144 + c_l1 * 9 + u_l_0 * 3 + v_l_0)]
        l2 = zero
        if (l_at2 < 16) & (l_term0 < stop):
            l2 = params[uint32(W + k_l_0 * 144 + c_l2 * 9 + u_l_0 * 3 + v_l_0)]
        l3 = zero
        if (l_at3 < 16) & (l_term0 < stop):
            l3 = params[uint32(W + k_l_0 * 144 + c_l3 * 9 + u_l_0 * 3 + v_l_0)]
        l4 = zero
        if (l_at4 < 16) & (l_term0 < stop):
            l4 = params[uint32(W + k_l_0 * 144 + c_l4 * 9 + u_l_0 * 3 + v_l_0)]
        l5 = zero
        if (l_at5 < 16) & (l_term0 < stop):
            l5 = params[uint32(W + k_l_0 * 144 + c_l5 * 9 + u_l_0 * 3 + v_l_0)]
        l6 = zero
        if (l_at6 < 16) & (l_term0 < stop):
            l6 = params[uint32(W + k_l_0 * 144 + c_l6 * 9 + u_l_0 * 3 + v_l_0)]
        l7 = zero
        if (l_at7 < 16) & (l_term0 < stop):
            l7 = params[uint32(W + k_l_0 * 144 + c_l7 * 9 + u_l_0 * 3 + v_l_0)]
        r0 = zero
        if (r_at0 < N * 16) & (r_term0 < stop) & (uint32(h_r0 + 1 - u_r_0) < uint32(4)) & (uint32(w_r0 + 1 - v_r_0) < uint32(4)):
            r0 = work[uint32(delta + n_r0 * 512 + k_r_0 * 16 + (h_r0 + 1 - u_r_0) * 4 + (w_r0 + 1 - v_r_0))]
        r1 = zero
        if (r_at0 < N * 16) & (r_term1 < stop) & (uint32(h_r0 + 1 - u_r_1) < uint32(4)) & (uint32(w_r0 + 1 - v_r_1) < uint32(4)):
            r1 = work[uint32(delta + n_r0 * 512 + k_r_1 * 16 + (h_r0 + 1 - u_r_1) * 4 + (w_r0 + 1 - v_r_1))]
        r2 = zero
        if (r_at0 < N * 16) & (r_term2 < stop) & (uint32(h_r0 + 1 - u_r_2) < uint32(4)) & (uint32(w_r0 + 1 - v_r_2) < uint32(4)):
            r2 = work[uint32(delta + n_r0 * 512 + k_r_2 * 16 + (h_r0 + 1 - u_r_2) * 4 + (w_r0 + 1 - v_r_2))]
        r3 = zero
        if (r_at0 < N * 16) & (r_term3 < stop) & (uint32(h_r0 + 1 - u_r_3) < uint32(4)) & (uint32(w_r0 + 1 - v_r_3) < uint32(4)):
            r3 = work[uint32(delta + n_r0 * 512 + k_r_3 * 16 + (h_r0 + 1 - u_r_3) * 4 + (w_r0 + 1 - v_r_3))]
        r4 = zero
        if (r_at0 < N * 16) & (r_term4 < stop) & (uint32(h_r0 + 1 - u_r_4) < uint32(4)) & (uint32(w_r0 + 1 - v_r_4) < uint32(4)):
            r4 = work[uint32(delta + n_r0 * 512 + k_r_4 * 16 + (h_r0 + 1 - u_r_4) * 4 + (w_r0 + 1 - v_r_4))]
        r5 = zero
        if (r_at0 < N * 16) & (r_term5 < stop) & (uint32(h_r0 + 1 - u_r_5) < uint32(4)) & (uint32(w_r0 + 1 - v_r_5) < uint32(4)):
            r5 = work[uint32(delta + n_r0 * 512 + k_r_5 * 16 + (h_r0 + 1 - u_r_5) * 4 + (w_r0 + 1 - v_r_5))]
        r6 = zero
        if (r_at0 < N * 16) & (r_term6 < stop) & (uint32(h_r0 + 1 - u_r_6) < uint32(4)) & (uint32(w_r0 + 1 - v_r_6) < uint32(4)):
            r6 = work[uint32(delta + n_r0 * 512 + k_r_6 * 16 + (h_r0 + 1 - u_r_6) * 4 + (w_r0 + 1 - v_r_6))]
        r7 = zero
        if (r_at0 < N * 16) & (r_term7 < stop) & (uint32(h_r0 + 1 - u_r_7) < uint32(4)) & (uint32(w_r0 + 1 - v_r_7) < uint32(4)):
            r7 = work[uint32(delta + n_r0 * 512 + k_r_7 * 16 + (h_r0 + 1 - u_r_7) * 4 + (w_r0 + 1 - v_r_7))]
        upper = int32(here + high)
        lower = int32(here + wide)
        u0, u1, u2, u3 = ld4(tiles, upper + 0)
        v0, v1, v2, v3 = ld4(tiles, lower + 576)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 36)
        v0, v1, v2, v3 = ld4(tiles, lower + 612)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 72)
        v0, v1, v2, v3 = ld4(tiles, lower + 648)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 108)
        v0, v1, v2, v3 = ld4(tiles, lower + 684)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 144)
        v0, v1, v2, v3 = ld4(tiles, lower + 720)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 180)
        v0, v1, v2, v3 = ld4(tiles, lower + 756)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 216)
        v0, v1, v2, v3 = ld4(tiles, lower + 792)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 252)
        v0, v1, v2, v3 = ld4(tiles, lower + 828)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 288)
        v0, v1, v2, v3 = ld4(tiles, lower + 864)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 324)
        v0, v1, v2, v3 = ld4(tiles, lower + 900)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 360)
        v0, v1, v2, v3 = ld4(tiles, lower + 936)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 396)
        v0, v1, v2, v3 = ld4(tiles, lower + 972)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 432)
        v0, v1, v2, v3 = ld4(tiles, lower + 1008)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 468)
        v0, v1, v2, v3 = ld4(tiles, lower + 1044)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 504)
        v0, v1, v2, v3 = ld4(tiles, lower + 1080)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 540)
        v0, v1, v2, v3 = ld4(tiles, lower + 1116)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        here = int32(1152 - here)
    # The results go through shared memory, some rows at a time, so that neighbours are written by neighbours.
    cuda.syncthreads()
    put = int32(high * 8 + wide)
    mine = int32(t & 31)
    column = int32(column + mine)
    w = int32(uint32(column) % uint32(4))
    rest_w = int32(uint32(column) // uint32(4))
    h = int32(uint32(rest_w) % uint32(4))
    rest_h = int32(uint32(rest_w) // uint32(4))
    n = rest_h
    for part_ in range(4):
        if part_ == 0:
            st4(tiles, put + 0, s0_0, s0_1, s0_2, s0_3)
        elif part_ == 1:
            st4(tiles, put + 0, s1_0, s1_1, s1_2, s1_3)
        elif part_ == 2:
            st4(tiles, put + 0, s2_0, s2_1, s2_2, s2_3)
        elif part_ == 3:
            st4(tiles, put + 0, s3_0, s3_1, s3_2, s3_3)
        cuda.syncthreads()
        for line in range(int32(t >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part_ & 3))
            if r_row < 16 and column < N * 16:
                c = r_row
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(parts + part * 256 * N + n * 256 + c * 16 + h * 4 + w)] = dot
        cuda.syncthreads()


@jit
def conv2d_grad_W_2(work, x, delta, parts, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads; the terms in 16 parts."""
    # parts[part, k, c, u, v] = Σ_{n, p, q} delta[n, k, p, q] x[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q + v − 1 < 8]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(0)
    column = int32(column * 32)
    row = int32(0)
    row = int32(row * 32)
    part = block
    stop = int32((N * 64 + 255) // 256 * 16)
    term = int32(part * stop)
    stop = int32(term + stop)
    stop = int32(N * 64) if stop > N * 64 else stop
    l_at0 = int32(row + (t >> 2))
    k_l0 = l_at0
    l_at1 = int32(row + (t >> 2) + 16)
    k_l1 = l_at1
    l_put = int32((((t & 3) * 4) * 36) + (t >> 2))
    r_at0 = int32(column + (t & 31))
    v_r0 = int32(uint32(r_at0) % uint32(3))
    rest_v_r0 = int32(uint32(r_at0) // uint32(3))
    u_r0 = int32(uint32(rest_v_r0) % uint32(3))
    rest_u_r0 = int32(uint32(rest_v_r0) // uint32(3))
    c_r0 = int32(0)
    r_put = int32(576 + ((t >> 5) * 36) + (t & 31))
    high = int32((t >> 3) * 4)
    wide = int32((t & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + ((t & 3) * 4))
    q_l_0 = int32(uint32(l_term0) % uint32(8))
    rest_q_l_0 = int32(uint32(l_term0) // uint32(8))
    p_l_0 = int32(uint32(rest_q_l_0) % uint32(8))
    rest_p_l_0 = int32(uint32(rest_q_l_0) // uint32(8))
    n_l_0 = rest_p_l_0
    r_term0 = int32(term + (t >> 5))
    q_r_0 = int32(uint32(r_term0) % uint32(8))
    rest_q_r_0 = int32(uint32(r_term0) // uint32(8))
    p_r_0 = int32(uint32(rest_q_r_0) % uint32(8))
    rest_p_r_0 = int32(uint32(rest_q_r_0) // uint32(8))
    n_r_0 = rest_p_r_0
    r_term1 = int32(term + (t >> 5) + 2)
    q_r_1 = int32(uint32(r_term1) % uint32(8))
    rest_q_r_1 = int32(uint32(r_term1) // uint32(8))
    p_r_1 = int32(uint32(rest_q_r_1) % uint32(8))
    rest_p_r_1 = int32(uint32(rest_q_r_1) // uint32(8))
    n_r_1 = rest_p_r_1
    r_term2 = int32(term + (t >> 5) + 4)
    q_r_2 = int32(uint32(r_term2) % uint32(8))
    rest_q_r_2 = int32(uint32(r_term2) // uint32(8))
    p_r_2 = int32(uint32(rest_q_r_2) % uint32(8))
    rest_p_r_2 = int32(uint32(rest_q_r_2) // uint32(8))
    n_r_2 = rest_p_r_2
    r_term3 = int32(term + (t >> 5) + 6)
    q_r_3 = int32(uint32(r_term3) % uint32(8))
    rest_q_r_3 = int32(uint32(r_term3) // uint32(8))
    p_r_3 = int32(uint32(rest_q_r_3) % uint32(8))
    rest_p_r_3 = int32(uint32(rest_q_r_3) // uint32(8))
    n_r_3 = rest_p_r_3
    r_term4 = int32(term + (t >> 5) + 8)
    q_r_4 = int32(uint32(r_term4) % uint32(8))
    rest_q_r_4 = int32(uint32(r_term4) // uint32(8))
    p_r_4 = int32(uint32(rest_q_r_4) % uint32(8))
    rest_p_r_4 = int32(uint32(rest_q_r_4) // uint32(8))
    n_r_4 = rest_p_r_4
    r_term5 = int32(term + (t >> 5) + 10)
    q_r_5 = int32(uint32(r_term5) % uint32(8))
    rest_q_r_5 = int32(uint32(r_term5) // uint32(8))
    p_r_5 = int32(uint32(rest_q_r_5) % uint32(8))
    rest_p_r_5 = int32(uint32(rest_q_r_5) // uint32(8))
    n_r_5 = rest_p_r_5
    r_term6 = int32(term + (t >> 5) + 12)
    q_r_6 = int32(uint32(r_term6) % uint32(8))
    rest_q_r_6 = int32(uint32(r_term6) // uint32(8))
    p_r_6 = int32(uint32(rest_q_r_6) % uint32(8))
    rest_p_r_6 = int32(uint32(rest_q_r_6) // uint32(8))
    n_r_6 = rest_p_r_6
    r_term7 = int32(term + (t >> 5) + 14)
    q_r_7 = int32(uint32(r_term7) % uint32(8))
    rest_q_r_7 = int32(uint32(r_term7) // uint32(8))
    p_r_7 = int32(uint32(rest_q_r_7) % uint32(8))
    rest_p_r_7 = int32(uint32(rest_q_r_7) // uint32(8))
    n_r_7 = rest_p_r_7
    l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
    if (l_at0 < 16) & (l_term0 < stop):
        l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(delta + n_l_0 * 1024 + k_l0 * 64 + p_l_0 * 8 + q_l_0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at1 < 16) & (l_term0 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(delta + n_l_0 * 1024 + k_l1 * 64 + p_l_0 * 8 + q_l_0))
    r0 = zero
    if (r_at0 < 9) & (r_term0 < stop) & (uint32(p_r_0 + u_r0 - 1) < uint32(8)) & (uint32(q_r_0 + v_r0 - 1) < uint32(8)):
        r0 = x[uint32(n_r_0 * 64 + c_r0 * 64 + (p_r_0 + u_r0 - 1) * 8 + (q_r_0 + v_r0 - 1))]
    r1 = zero
    if (r_at0 < 9) & (r_term1 < stop) & (uint32(p_r_1 + u_r0 - 1) < uint32(8)) & (uint32(q_r_1 + v_r0 - 1) < uint32(8)):
        r1 = x[uint32(n_r_1 * 64 + c_r0 * 64 + (p_r_1 + u_r0 - 1) * 8 + (q_r_1 + v_r0 - 1))]
    r2 = zero
    if (r_at0 < 9) & (r_term2 < stop) & (uint32(p_r_2 + u_r0 - 1) < uint32(8)) & (uint32(q_r_2 + v_r0 - 1) < uint32(8)):
        r2 = x[uint32(n_r_2 * 64 + c_r0 * 64 + (p_r_2 + u_r0 - 1) * 8 + (q_r_2 + v_r0 - 1))]
    r3 = zero
    if (r_at0 < 9) & (r_term3 < stop) & (uint32(p_r_3 + u_r0 - 1) < uint32(8)) & (uint32(q_r_3 + v_r0 - 1) < uint32(8)):
        r3 = x[uint32(n_r_3 * 64 + c_r0 * 64 + (p_r_3 + u_r0 - 1) * 8 + (q_r_3 + v_r0 - 1))]
    r4 = zero
    if (r_at0 < 9) & (r_term4 < stop) & (uint32(p_r_4 + u_r0 - 1) < uint32(8)) & (uint32(q_r_4 + v_r0 - 1) < uint32(8)):
        r4 = x[uint32(n_r_4 * 64 + c_r0 * 64 + (p_r_4 + u_r0 - 1) * 8 + (q_r_4 + v_r0 - 1))]
    r5 = zero
    if (r_at0 < 9) & (r_term5 < stop) & (uint32(p_r_5 + u_r0 - 1) < uint32(8)) & (uint32(q_r_5 + v_r0 - 1) < uint32(8)):
        r5 = x[uint32(n_r_5 * 64 + c_r0 * 64 + (p_r_5 + u_r0 - 1) * 8 + (q_r_5 + v_r0 - 1))]
    r6 = zero
    if (r_at0 < 9) & (r_term6 < stop) & (uint32(p_r_6 + u_r0 - 1) < uint32(8)) & (uint32(q_r_6 + v_r0 - 1) < uint32(8)):
        r6 = x[uint32(n_r_6 * 64 + c_r0 * 64 + (p_r_6 + u_r0 - 1) * 8 + (q_r_6 + v_r0 - 1))]
    r7 = zero
    if (r_at0 < 9) & (r_term7 < stop) & (uint32(p_r_7 + u_r0 - 1) < uint32(8)) & (uint32(q_r_7 + v_r0 - 1) < uint32(8)):
        r7 = x[uint32(n_r_7 * 64 + c_r0 * 64 + (p_r_7 + u_r0 - 1) * 8 + (q_r_7 + v_r0 - 1))]
    while term < stop:
        l_to = uint64(here + l_put)
        tiles[l_to] = l0_0
        tiles[l_to + uint64(36)] = l0_1
        tiles[l_to + uint64(72)] = l0_2
        tiles[l_to + uint64(108)] = l0_3
        tiles[l_to + uint64(16)] = l1_0
        tiles[l_to + uint64(52)] = l1_1
        tiles[l_to + uint64(88)] = l1_2
        tiles[l_to + uint64(124)] = l1_3
        r_to = uint64(here + r_put)
        tiles[r_to] = r0
        tiles[r_to + uint64(72)] = r1
        tiles[r_to + uint64(144)] = r2
        tiles[r_to + uint64(216)] = r3
        tiles[r_to + uint64(288)] = r4
        tiles[r_to + uint64(360)] = r5
        tiles[r_to + uint64(432)] = r6
        tiles[r_to + uint64(504)] = r7
        cuda.syncthreads()
        term = int32(term + 16)
        l_term0 = int32(term + ((t & 3) * 4))
        q_l_0 = int32(uint32(l_term0) % uint32(8))
        rest_q_l_0 = int32(uint32(l_term0) // uint32(8))
        p_l_0 = int32(uint32(rest_q_l_0) % uint32(8))
        rest_p_l_0 = int32(uint32(rest_q_l_0) // uint32(8))
        n_l_0 = rest_p_l_0
        r_term0 = int32(term + (t >> 5))
        q_r_0 = int32(uint32(r_term0) % uint32(8))
        rest_q_r_0 = int32(uint32(r_term0) // uint32(8))
        p_r_0 = int32(uint32(rest_q_r_0) % uint32(8))
        rest_p_r_0 = int32(uint32(rest_q_r_0) // uint32(8))
        n_r_0 = rest_p_r_0
        r_term1 = int32(term + (t >> 5) + 2)
        q_r_1 = int32(uint32(r_term1) % uint32(8))
        rest_q_r_1 = int32(uint32(r_term1) // uint32(8))
        p_r_1 = int32(uint32(rest_q_r_1) % uint32(8))
        rest_p_r_1 = int32(uint32(rest_q_r_1) // uint32(8))
        n_r_1 = rest_p_r_1
        r_term2 = int32(term + (t >> 5) + 4)
        q_r_2 = int32(uint32(r_term2) % uint32(8))
        rest_q_r_2 = int32(uint32(r_term2) // uint32(8))
        p_r_2 = int32(uint32(rest_q_r_2) % uint32(8))
        rest_p_r_2 = int32(uint32(rest_q_r_2) // uint32(8))
        n_r_2 = rest_p_r_2
        r_term3 = int32(term + (t >> 5) + 6)
        q_r_3 = int32(uint32(r_term3) % uint32(8))
        rest_q_r_3 = int32(uint32(r_term3) // uint32(8))
        p_r_3 = int32(uint32(rest_q_r_3) % uint32(8))
        rest_p_r_3 = int32(uint32(rest_q_r_3) // uint32(8))
        n_r_3 = rest_p_r_3
        r_term4 = int32(term + (t >> 5) + 8)
        q_r_4 = int32(uint32(r_term4) % uint32(8))
        rest_q_r_4 = int32(uint32(r_term4) // uint32(8))
        p_r_4 = int32(uint32(rest_q_r_4) % uint32(8))
        rest_p_r_4 = int32(uint32(rest_q_r_4) // uint32(8))
        n_r_4 = rest_p_r_4
        r_term5 = int32(term + (t >> 5) + 10)
        q_r_5 = int32(uint32(r_term5) % uint32(8))
        rest_q_r_5 = int32(uint32(r_term5) // uint32(8))
        p_r_5 = int32(uint32(rest_q_r_5) % uint32(8))
        rest_p_r_5 = int32(uint32(rest_q_r_5) // uint32(8))
        n_r_5 = rest_p_r_5
        r_term6 = int32(term + (t >> 5) + 12)
        q_r_6 = int32(uint32(r_term6) % uint32(8))
        rest_q_r_6 = int32(uint32(r_term6) // uint32(8))
        p_r_6 = int32(uint32(rest_q_r_6) % uint32(8))
        rest_p_r_6 = int32(uint32(rest_q_r_6) // uint32(8))
        n_r_6 = rest_p_r_6
        r_term7 = int32(term + (t >> 5) + 14)
        q_r_7 = int32(uint32(r_term7) % uint32(8))
        rest_q_r_7 = int32(uint32(r_term7) // uint32(8))
        p_r_7 = int32(uint32(rest_q_r_7) % uint32(8))
        rest_p_r_7 = int32(uint32(rest_q_r_7) // uint32(8))
        n_r_7 = rest_p_r_7
        l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
        if (l_at0 < 16) & (l_term0 < stop):
            l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(delta + n_l_0 * 1024 + k_l0 * 64 + p_l_0 * 8 + q_l_0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at1 < 16) & (l_term0 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(delta + n_l_0 * 1024 + k_l1 * 64 + p_l_0 * 8 + q_l_0))
        r0 = zero
        if (r_at0 < 9) & (r_term0 < stop) & (uint32(p_r_0 + u_r0 - 1) < uint32(8)) & (uint32(q_r_0 + v_r0 - 1) < uint32(8)):
            r0 = x[uint32(n_r_0 * 64 + c_r0 * 64 + (p_r_0 + u_r0 - 1) * 8 + (q_r_0 + v_r0 - 1))]
        r1 = zero
        if (r_at0 < 9) & (r_term1 < stop) & (uint32(p_r_1 + u_r0 - 1) < uint32(8)) & (uint32(q_r_1 + v_r0 - 1) < uint32(8)):
            r1 = x[uint32(n_r_1 * 64 + c_r0 * 64 + (p_r_1 + u_r0 - 1) * 8 + (q_r_1 + v_r0 - 1))]
        r2 = zero
        if (r_at0 < 9) & (r_term2 < stop) & (uint32(p_r_2 + u_r0 - 1) < uint32(8)) & (uint32(q_r_2 + v_r0 - 1) < uint32(8)):
            r2 = x[uint32(n_r_2 * 64 + c_r0 * 64 + (p_r_2 + u_r0 - 1) * 8 + (q_r_2 + v_r0 - 1))]
        r3 = zero
        if (r_at0 < 9) & (r_term3 < stop) & (uint32(p_r_3 + u_r0 - 1) < uint32(8)) & (uint32(q_r_3 + v_r0 - 1) < uint32(8)):
            r3 = x[uint32(n_r_3 * 64 + c_r0 * 64 + (p_r_3 + u_r0 - 1) * 8 + (q_r_3 + v_r0 - 1))]
        r4 = zero
        if (r_at0 < 9) & (r_term4 < stop) & (uint32(p_r_4 + u_r0 - 1) < uint32(8)) & (uint32(q_r_4 + v_r0 - 1) < uint32(8)):
            r4 = x[uint32(n_r_4 * 64 + c_r0 * 64 + (p_r_4 + u_r0 - 1) * 8 + (q_r_4 + v_r0 - 1))]
        r5 = zero
        if (r_at0 < 9) & (r_term5 < stop) & (uint32(p_r_5 + u_r0 - 1) < uint32(8)) & (uint32(q_r_5 + v_r0 - 1) < uint32(8)):
            r5 = x[uint32(n_r_5 * 64 + c_r0 * 64 + (p_r_5 + u_r0 - 1) * 8 + (q_r_5 + v_r0 - 1))]
        r6 = zero
        if (r_at0 < 9) & (r_term6 < stop) & (uint32(p_r_6 + u_r0 - 1) < uint32(8)) & (uint32(q_r_6 + v_r0 - 1) < uint32(8)):
            r6 = x[uint32(n_r_6 * 64 + c_r0 * 64 + (p_r_6 + u_r0 - 1) * 8 + (q_r_6 + v_r0 - 1))]
        r7 = zero
        if (r_at0 < 9) & (r_term7 < stop) & (uint32(p_r_7 + u_r0 - 1) < uint32(8)) & (uint32(q_r_7 + v_r0 - 1) < uint32(8)):
            r7 = x[uint32(n_r_7 * 64 + c_r0 * 64 + (p_r_7 + u_r0 - 1) * 8 + (q_r_7 + v_r0 - 1))]
        upper = int32(here + high)
        lower = int32(here + wide)
        u0, u1, u2, u3 = ld4(tiles, upper + 0)
        v0, v1, v2, v3 = ld4(tiles, lower + 576)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 36)
        v0, v1, v2, v3 = ld4(tiles, lower + 612)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 72)
        v0, v1, v2, v3 = ld4(tiles, lower + 648)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 108)
        v0, v1, v2, v3 = ld4(tiles, lower + 684)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 144)
        v0, v1, v2, v3 = ld4(tiles, lower + 720)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 180)
        v0, v1, v2, v3 = ld4(tiles, lower + 756)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 216)
        v0, v1, v2, v3 = ld4(tiles, lower + 792)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 252)
        v0, v1, v2, v3 = ld4(tiles, lower + 828)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 288)
        v0, v1, v2, v3 = ld4(tiles, lower + 864)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 324)
        v0, v1, v2, v3 = ld4(tiles, lower + 900)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 360)
        v0, v1, v2, v3 = ld4(tiles, lower + 936)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 396)
        v0, v1, v2, v3 = ld4(tiles, lower + 972)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 432)
        v0, v1, v2, v3 = ld4(tiles, lower + 1008)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 468)
        v0, v1, v2, v3 = ld4(tiles, lower + 1044)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 504)
        v0, v1, v2, v3 = ld4(tiles, lower + 1080)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 540)
        v0, v1, v2, v3 = ld4(tiles, lower + 1116)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        here = int32(1152 - here)
    # The results go through shared memory, some rows at a time, so that neighbours are written by neighbours.
    cuda.syncthreads()
    put = int32(high * 8 + wide)
    mine = int32(t & 31)
    column = int32(column + mine)
    v = int32(uint32(column) % uint32(3))
    rest_v = int32(uint32(column) // uint32(3))
    u = int32(uint32(rest_v) % uint32(3))
    rest_u = int32(uint32(rest_v) // uint32(3))
    c = int32(0)
    for part_ in range(4):
        if part_ == 0:
            st4(tiles, put + 0, s0_0, s0_1, s0_2, s0_3)
        elif part_ == 1:
            st4(tiles, put + 0, s1_0, s1_1, s1_2, s1_3)
        elif part_ == 2:
            st4(tiles, put + 0, s2_0, s2_1, s2_2, s2_3)
        elif part_ == 3:
            st4(tiles, put + 0, s3_0, s3_1, s3_2, s3_3)
        cuda.syncthreads()
        for line in range(int32(t >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part_ & 3))
            if r_row < 16 and column < 9:
                k = r_row
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(parts + part * 144 + k * 9 + c * 9 + u * 3 + v)] = dot
        cuda.syncthreads()


def launch_forward(params, x, out, work, n):
    # conv2d_1
    launch(conv2d_z, ((n * 64 + 31) // 32), 64, params, x, work, 0, 0, n)
    # batchnorm_1
    launch(batchnorm_sigma_2, 1, 128, params, work, 6154, 2048 * n, n)
    launch(batchnorm_a_2, (n * 1024 + 127) // 128, 128, params, work, 6138, 2048 * n, 0, 160, 144, 1024 * n, n)
    # activation_1
    launch(activation_a, (n * 1024 + 127) // 128, 128, work, 1024 * n, 0, n)
    # maxpool2d_1
    launch(maxpool2d_a_3, (n * 256 + 127) // 128, 128, work, 0, 1024 * n, n)
    # conv2d_2
    launch(conv2d_z_2, ((n * 16 + 31) // 32), 64, params, work, 176, 1024 * n, 0, n)
    # batchnorm_2
    launch(batchnorm_sigma_2_2, 1, 128, params, work, 6202, 2048 * n, n)
    launch(batchnorm_a_2_2, (n * 512 + 127) // 128, 128, params, work, 6170, 2048 * n, 0, 4816, 4784, 512 * n, n)
    # activation_2
    launch(activation_a_2, (n * 512 + 127) // 128, 128, work, 512 * n, 0, n)
    # maxpool2d_2
    launch(maxpool2d_a_4, (n * 128 + 127) // 128, 128, work, 0, 512 * n, n)
    # flatten_1
    launch(flatten_a, (n * 128 + 127) // 128, 128, work, 512 * n, 0, n)
    # dropout_1
    launch(dropout_a_2, (n * 128 + 127) // 128, 128, work, 0, 128 * n, n)
    # dense_1
    launch(dense_z, ((n + 31) // 32), 64, params, work, out, 4848, 6128, 128 * n, n)


def launch_evaluation(params, x, y, work, n):
    # conv2d_1
    launch(conv2d_z, ((n * 64 + 31) // 32), 64, params, x, work, 0, 0, n)
    # batchnorm_1
    launch(batchnorm_sigma_2, 1, 128, params, work, 6154, 2048 * n, n)
    launch(batchnorm_a_2, (n * 1024 + 127) // 128, 128, params, work, 6138, 2048 * n, 0, 160, 144, 1024 * n, n)
    # activation_1
    launch(activation_a, (n * 1024 + 127) // 128, 128, work, 1024 * n, 0, n)
    # maxpool2d_1
    launch(maxpool2d_a_3, (n * 256 + 127) // 128, 128, work, 0, 1024 * n, n)
    # conv2d_2
    launch(conv2d_z_2, ((n * 16 + 31) // 32), 64, params, work, 176, 1024 * n, 0, n)
    # batchnorm_2
    launch(batchnorm_sigma_2_2, 1, 128, params, work, 6202, 2048 * n, n)
    launch(batchnorm_a_2_2, (n * 512 + 127) // 128, 128, params, work, 6170, 2048 * n, 0, 4816, 4784, 512 * n, n)
    # activation_2
    launch(activation_a_2, (n * 512 + 127) // 128, 128, work, 512 * n, 0, n)
    # maxpool2d_2
    launch(maxpool2d_a_4, (n * 128 + 127) // 128, 128, work, 0, 512 * n, n)
    # flatten_1
    launch(flatten_a, (n * 128 + 127) // 128, 128, work, 512 * n, 0, n)
    # dropout_1
    launch(dropout_a_2, (n * 128 + 127) // 128, 128, work, 0, 128 * n, n)
    # dense_1
    launch(dense_z_2, ((n + 31) // 32), 64, params, work, 4848, 6128, 128 * n, 0, n)
    # loss
    launch(write_loss_L, (n + 127) // 128, 128, work, y, 0, 12 * n, n)
    launch(loss_total, 1, 32, work, 12 * n, 2048 * n, n)


def launch_loss(params, x, dropout_1_mask, y, work, n):
    # conv2d_1
    launch(conv2d_z, ((n * 64 + 31) // 32), 64, params, x, work, 0, 0, n)
    # batchnorm_1
    launch(batchnorm_sigma, 16, 256, work, 0, 4352 * n, 4352 * n + 16, 4352 * n + 32, n)
    launch(batchnorm_a, (n * 1024 + 127) // 128, 128, work, params, 4352 * n, 4352 * n + 32, 0, 160, 144, 1024 * n, 2048 * n, n)
    # activation_1
    launch(activation_a, (n * 1024 + 127) // 128, 128, work, 2048 * n, 0, n)
    # maxpool2d_1
    launch(maxpool2d_a, (n * 256 + 127) // 128, 128, work, 0, 2048 * n, 2304 * n, n)
    # conv2d_2
    launch(conv2d_z_2, ((n * 16 + 31) // 32), 64, params, work, 176, 2304 * n, 2560 * n, n)
    # batchnorm_2
    launch(batchnorm_sigma_3, 32, 256, work, 2560 * n, 4352 * n + 48, 4352 * n + 80, 4352 * n + 112, n)
    launch(
        batchnorm_a_3, (n * 512 + 127) // 128, 128, work, params, 4352 * n + 48, 4352 * n + 112, 2560 * n, 4816, 4784, 3072 * n, 3584 * n,
        n,
    )
    # activation_2
    launch(activation_a_2, (n * 512 + 127) // 128, 128, work, 3584 * n, 2560 * n, n)
    # maxpool2d_2
    launch(maxpool2d_a_2, (n * 128 + 127) // 128, 128, work, 2560 * n, 3584 * n, 3712 * n, n)
    # flatten_1
    launch(flatten_a, (n * 128 + 127) // 128, 128, work, 3712 * n, 3840 * n, n)
    # dropout_1
    launch(dropout_a, (n * 128 + 127) // 128, 128, dropout_1_mask, work, 3840 * n, 3712 * n, n)
    # dense_1
    launch(dense_z_2, ((n + 31) // 32), 64, params, work, 4848, 6128, 3712 * n, 3840 * n, n)
    # loss
    launch(write_loss_p, (n + 127) // 128, 128, work, 3840 * n, 3852 * n, n)
    launch(write_loss_L, (n + 127) // 128, 128, work, y, 3840 * n, 3864 * n, n)
    launch(loss_total, 1, 32, work, 3864 * n, 4352 * n + 144, n)


def launch_gradients(params, x, dropout_1_mask, y, grads, work, n):
    # dense_1
    launch(dense_delta, (n * 10 + 127) // 128, 128, work, y, 3852 * n, 3840 * n, n)
    launch(dense_grad_W, 4, 64, work, grads, 3840 * n, 3712 * n, 4848, n)
    launch(dense_grad_b, 1, 128, work, grads, 3840 * n, 6128, n)
    # flatten_1
    launch(flatten_grad_a, ((n + 31) // 32) * 4, 64, params, work, dropout_1_mask, 4848, 3840 * n, 3712 * n, n)
    # batchnorm_2
    launch(batchnorm_grad_a, (n * 512 + 127) // 128, 128, work, 2560 * n, 3584 * n, 3712 * n, 3840 * n, n)
    launch(batchnorm_grad_gamma, 32, 256, work, grads, 3840 * n, 3072 * n, 4784, n)
    launch(batchnorm_grad_beta, 32, 256, work, grads, 3840 * n, 4816, n)
    # conv2d_2
    launch(conv2d_delta, 32, 256, work, 3840 * n, 4864 * n + 148, n)
    launch(conv2d_delta_3, 32, 256, work, 3840 * n, 3072 * n, 4864 * n + 180, n)
    launch(
        conv2d_delta_4, (n * 512 + 127) // 128, 128, params, work, 4784, 3840 * n, 4352 * n + 112, 3072 * n, 2560 * n, 4864 * n + 148, 4864
        * n + 180, n,
    )
    launch(conv2d_grad_W, 5 * 4, 64, work, 2560 * n, 2304 * n, 4864 * n + 148, n)
    launch(conv2d_grad_W_3, 36, 128, grads, work, 176, 4864 * n + 148, n)
    # maxpool2d_1
    launch(maxpool2d_grad_a, ((n * 16 + 31) // 32) * 2, 64, params, work, 176, 2560 * n, 4352 * n + 148, n)
    launch(maxpool2d_grad_a_2, (n * 256 + 127) // 128, 128, work, 2304 * n, 4352 * n + 148, n)
    # batchnorm_1
    launch(batchnorm_grad_a_2, (n * 1024 + 127) // 128, 128, work, 0, 2048 * n, 2304 * n, 2560 * n, n)
    launch(batchnorm_grad_gamma_2, 16, 256, work, grads, 2560 * n, 1024 * n, 144, n)
    launch(batchnorm_grad_beta_2, 16, 256, work, grads, 2560 * n, 160, n)
    # conv2d_1
    launch(conv2d_delta_2, 16, 256, work, 2560 * n, 4864 * n + 148, n)
    launch(conv2d_delta_2_2, 16, 256, work, 2560 * n, 1024 * n, 4864 * n + 164, n)
    launch(
        conv2d_delta_2_3, (n * 1024 + 127) // 128, 128, params, work, 144, 2560 * n, 4352 * n + 32, 1024 * n, 0, 4864 * n + 148, 4864 * n
        + 164, n,
    )
    launch(conv2d_grad_W_2, 16, 64, work, x, 0, 4864 * n + 148, n)
    launch(conv2d_grad_W_2_2, 2, 128, grads, work, 0, 4864 * n + 148, n)


def launch_input_gradients(params, x, dropout_1_mask, y, grads_x, work, n):
    # dense_1
    launch(dense_delta, (n * 10 + 127) // 128, 128, work, y, 3852 * n, 3840 * n, n)
    # flatten_1
    launch(flatten_grad_a, ((n + 31) // 32) * 4, 64, params, work, dropout_1_mask, 4848, 3840 * n, 3712 * n, n)
    # batchnorm_2
    launch(batchnorm_grad_a, (n * 512 + 127) // 128, 128, work, 2560 * n, 3584 * n, 3712 * n, 3840 * n, n)
    # conv2d_2
    launch(conv2d_delta, 32, 256, work, 3840 * n, 4864 * n + 148, n)
    launch(conv2d_delta_3, 32, 256, work, 3840 * n, 3072 * n, 4864 * n + 180, n)
    launch(
        conv2d_delta_4, (n * 512 + 127) // 128, 128, params, work, 4784, 3840 * n, 4352 * n + 112, 3072 * n, 2560 * n, 4864 * n + 148, 4864
        * n + 180, n,
    )
    # maxpool2d_1
    launch(maxpool2d_grad_a, ((n * 16 + 31) // 32) * 2, 64, params, work, 176, 2560 * n, 4352 * n + 148, n)
    launch(maxpool2d_grad_a_2, (n * 256 + 127) // 128, 128, work, 2304 * n, 4352 * n + 148, n)
    # batchnorm_1
    launch(batchnorm_grad_a_2, (n * 1024 + 127) // 128, 128, work, 0, 2048 * n, 2304 * n, 2560 * n, n)
    # conv2d_1
    launch(conv2d_delta_2, 16, 256, work, 2560 * n, 4864 * n + 148, n)
    launch(conv2d_delta_2_2, 16, 256, work, 2560 * n, 1024 * n, 4864 * n + 164, n)
    launch(
        conv2d_delta_2_3, (n * 1024 + 127) // 128, 128, params, work, 144, 2560 * n, 4352 * n + 32, 1024 * n, 0, 4864 * n + 148, 4864 * n
        + 164, n,
    )
    # x
    launch(write_grad_x, n * 64, 64, params, work, grads_x, 0, 0, n)


def launch_statistics(params, x, dropout_1_mask, y, work, n):
    # batchnorm_1
    launch(batchnorm_running_mean_next, 1, 128, work, params, 4352 * n, 6138, 4352 * n + 32, n)
    launch(batchnorm_running_var_next, 1, 128, params, work, 6154, 4352 * n + 16, 4352 * n, n)
    # batchnorm_2
    launch(batchnorm_running_mean_next_2, 1, 128, work, params, 4352 * n + 48, 6170, 4352 * n + 112, n)
    launch(batchnorm_running_var_next_2, 1, 128, params, work, 6202, 4352 * n + 80, 4352 * n + 48, n)
    launch(keep_statistics, 1, 128, params, work, 6138, 4352 * n + 32, 16, 4352 * n + 144)
    launch(keep_statistics, 1, 128, params, work, 6154, 4352 * n, 16, 4352 * n + 144)
    launch(keep_statistics, 1, 128, params, work, 6170, 4352 * n + 112, 32, 4352 * n + 144)
    launch(keep_statistics, 1, 128, params, work, 6202, 4352 * n + 48, 32, 4352 * n + 144)


def launch_update(params, grads, state, hyper, scalars, losses, place, history, step, count):
    launch(update_scalars, 1, 1, params, grads, state, hyper, scalars, losses, place, history, step, count)
    launch(update_entries, 48, 128, params, grads, state, scalars, 0, 6138)


def forward(params, x, out, work=None):
    """Write the network's output for a batch into out."""
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_out = room(out, 10 * n, DTYPE)
    d_work = room(work, workspace(n), DTYPE)
    launch_forward(d_params, d_x, d_out, d_work, n)
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
    launch_evaluation(d_params, d_x, d_y, d_work, n)
    return number(d_work, 2048 * n)


def loss(params, x, dropout_1_mask, y, work=None):
    """Return the loss of a batch."""
    if not in_range(y, 0, 9):
        return math.nan
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_dropout_1_mask = take(dropout_1_mask, DTYPE)
    d_y = take(y, "int64")
    d_work = room(work, workspace(n), DTYPE)
    launch_loss(d_params, d_x, d_dropout_1_mask, d_y, d_work, n)
    return number(d_work, 4352 * n + 144)


def launch_value_and_grad(d_params, d_x, d_dropout_1_mask, d_y, d_grads, d_work, n):
    launch_loss(d_params, d_x, d_dropout_1_mask, d_y, d_work, n)
    launch_gradients(d_params, d_x, d_dropout_1_mask, d_y, d_grads, d_work, n)


def value_and_grad(params, x, dropout_1_mask, y, grads, work=None):
    """Return the loss of a batch and write its gradients into grads."""
    if not in_range(y, 0, 9):
        return math.nan
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_dropout_1_mask = take(dropout_1_mask, DTYPE)
    d_y = take(y, "int64")
    d_grads = room(grads, 6138, DTYPE)
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_value_and_grad, d_params, d_x, d_dropout_1_mask, d_y, d_grads, d_work, n)
    give(d_grads, grads)
    return number(d_work, 4352 * n + 144)


def input_gradients(params, x, dropout_1_mask, y, grads_x, work=None):
    """Return the loss of a batch and write its gradient with respect to the inputs."""
    if not in_range(y, 0, 9):
        return math.nan
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_dropout_1_mask = take(dropout_1_mask, DTYPE)
    d_y = take(y, "int64")
    d_grads_x = room(grads_x, 64 * n, DTYPE)
    d_work = room(work, workspace(n), DTYPE)
    launch_loss(d_params, d_x, d_dropout_1_mask, d_y, d_work, n)
    launch_input_gradients(d_params, d_x, d_dropout_1_mask, d_y, d_grads_x, d_work, n)
    give(d_grads_x, grads_x)
    return number(d_work, 4352 * n + 144)


def update_statistics(params, x, dropout_1_mask, y, work):
    """Write the next running statistics into params; work, on the device, is as value_and_grad of the same batch left it."""
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_dropout_1_mask = take(dropout_1_mask, DTYPE)
    d_y = take(y, "int64")
    d_work = room(work, workspace(n), DTYPE)
    launch_statistics(d_params, d_x, d_dropout_1_mask, d_y, d_work, n)
    give(d_params, params)


def update(params, grads, state, hyper):
    """Do one step of the optimizer with given gradients."""
    d_params = take(params, DTYPE)
    d_grads = take(grads, DTYPE)
    d_state = take(state, DTYPE) if 12277 else d_params
    d_hyper = take(hyper, "float64")
    scalars, step = room(None, 9, DTYPE), zeros(1, "int32")
    losses = zeros(1, DTYPE)
    launch_update(d_params, d_grads, d_state, d_hyper, scalars, losses, 0, losses, step, 0)
    give(d_params, params)
    give(d_state, state)


def launch_train_step(d_x, d_dropout_1_mask, d_y, d_params, d_grads, d_state, d_hyper, scalars, d_work, step, n):
    launch_loss(d_params, d_x, d_dropout_1_mask, d_y, d_work, n)
    launch_gradients(d_params, d_x, d_dropout_1_mask, d_y, d_grads, d_work, n)
    launch_statistics(d_params, d_x, d_dropout_1_mask, d_y, d_work, n)
    launch_update(d_params, d_grads, d_state, d_hyper, scalars, d_work, 4352 * n + 144, d_work, step, 0)


def train_step(params, x, dropout_1_mask, y, grads, state, hyper, work=None):
    """Return the loss and do one step of the optimizer; a loss that is not finite changes nothing."""
    if not in_range(y, 0, 9):
        return math.nan
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_dropout_1_mask = take(dropout_1_mask, DTYPE)
    d_y = take(y, "int64")
    d_grads = room(grads, 6138, DTYPE)
    d_state = take(state, DTYPE) if 12277 else d_params
    d_hyper = take(hyper, "float64")
    scalars, step = room(None, 9, DTYPE), zeros(1, "int32")
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_train_step, d_x, d_dropout_1_mask, d_y, d_params, d_grads, d_state, d_hyper, scalars, d_work, step, n)
    give(d_grads, grads)
    give(d_params, params)
    give(d_state, state)
    return number(d_work, 4352 * n + 144)
