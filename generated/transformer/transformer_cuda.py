"""Kernels of the network transformer for CUDA, compiled by Numba; they need NumPy, Numba and a GPU.

Written from the template numba_cuda/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: 79775c58b73520368fe08427219629d8a009d844711b10dc24ba8857d3933ebf
Schedule: layered; each kernel is a launch of its own: a step needs 4,271,588 bytes of shared memory, a block has 49,152

params, grads, state and work are contiguous 1-D arrays of type float32; x has one sample a row.
x holds integers from 0 to 61. y has 32 numbers for each sample, integers from 0 to 61.
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
#: The types of each kernel's arguments, and the threads of its blocks, for compilers that have no call to look at.
SIGNATURES = {
    "embedding_a": ("float32[::1]", "int64[::1]", "float32[::1]", "int32", "int32", "int32"),
    "positionalencoding_a": ("float32[::1]", "int32", "int32", "int32"),
    "layernorm_sigma": ("float32[::1]", "int32", "int32", "int32", "int32"),
    "layernorm_a": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32"),
    "attention_Q": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "attention_K": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "attention_V": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "attention_S": ("float32[::1]", "int32", "int32", "int32", "int32"),
    "attention_P": ("float32[::1]", "int32", "int32", "int32"),
    "attention_O": ("float32[::1]", "int32", "int32", "int32", "int32"),
    "attention_a": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "add_a": ("float32[::1]", "int32", "int32", "int32", "int32"),
    "dense_a": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32", "int32"),
    "dense_z": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32"),
    "dense_z_2": ("float32[::1]", "float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "dense_z_3": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32"),
    "write_loss_p": ("float32[::1]", "int32", "int32", "int32"),
    "write_loss_L": ("float32[::1]", "int64[::1]", "int32", "int32", "int32"),
    "loss_total": ("float32[::1]", "int32", "int32", "int32"),
    "dense_delta": ("float32[::1]", "int64[::1]", "int32", "int32", "int32"),
    "dense_grad_W": ("float32[::1]", "int32", "int32", "int32", "int32"),
    "dense_grad_W_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "dense_grad_b": ("float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "layernorm_grad_a": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "layernorm_grad_gamma": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "layernorm_grad_beta": ("float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "add_grad_a": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32", "int32"),
    "dense_delta_2": ("float32[::1]", "int32", "int32", "int32"),
    "dense_grad_W_3": ("float32[::1]", "int32", "int32", "int32", "int32"),
    "dense_grad_W_4": ("float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "dense_grad_b_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "dense_delta_3": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32"),
    "dense_grad_W_5": ("float32[::1]", "int32", "int32", "int32", "int32"),
    "dense_grad_W_6": ("float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "dense_grad_b_3": ("float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "layernorm_grad_a_3": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "add_grad_a_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32", "int32", "int32"),
    "attention_grad_W_o": ("float32[::1]", "int32", "int32", "int32", "int32"),
    "attention_grad_W_o_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "attention_grad_O": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "attention_grad_P": ("float32[::1]", "int32", "int32", "int32", "int32"),
    "attention_grad_S": ("float32[::1]", "int32", "int32", "int32", "int32"),
    "attention_grad_V": ("float32[::1]", "int32", "int32", "int32", "int32"),
    "attention_grad_W_v": ("float32[::1]", "int32", "int32", "int32", "int32"),
    "attention_grad_W_v_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "attention_grad_K": ("float32[::1]", "int32", "int32", "int32", "int32"),
    "attention_grad_W_k": ("float32[::1]", "int32", "int32", "int32", "int32"),
    "attention_grad_W_k_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "attention_grad_Q": ("float32[::1]", "int32", "int32", "int32", "int32"),
    "attention_grad_W_q": ("float32[::1]", "int32", "int32", "int32", "int32"),
    "attention_grad_W_q_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "layernorm_grad_a_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "layernorm_grad_a_2_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "layernorm_grad_a_2_3": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32", "int32"),
    "embedding_grad_a": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32", "int32", "int32"),
    "embedding_grad_E": ("float32[::1]", "int32", "int32"),
    "embedding_grad_E_2": ("float32[::1]", "int64[::1]", "float32[::1]", "int32", "int32", "int32"),
    "update_scalars": ("float32[::1]", "float32[::1]", "float32[::1]", "float64[::1]", "float32[::1]", "float32[::1]", "int32", "float32[::1]", "int32[::1]", "int32"),
    "update_entries": ("float32[::1]", "float32[::1]", "float32[::1]", "float32[::1]", "int32", "int32"),
}
THREADS = {
    "embedding_a": 128,
    "positionalencoding_a": 128,
    "layernorm_sigma": 128,
    "layernorm_a": 128,
    "attention_Q": 64,
    "attention_K": 64,
    "attention_V": 64,
    "attention_S": 64,
    "attention_P": 128,
    "attention_O": 64,
    "attention_a": 64,
    "add_a": 128,
    "dense_a": 64,
    "dense_z": 64,
    "dense_z_2": 64,
    "dense_z_3": 64,
    "write_loss_p": 128,
    "write_loss_L": 128,
    "loss_total": 256,
    "dense_delta": 128,
    "dense_grad_W": 64,
    "dense_grad_W_2": 128,
    "dense_grad_b": 256,
    "layernorm_grad_a": 64,
    "layernorm_grad_gamma": 256,
    "layernorm_grad_beta": 256,
    "add_grad_a": 128,
    "dense_delta_2": 128,
    "dense_grad_W_3": 64,
    "dense_grad_W_4": 128,
    "dense_grad_b_2": 256,
    "dense_delta_3": 64,
    "dense_grad_W_5": 64,
    "dense_grad_W_6": 128,
    "dense_grad_b_3": 256,
    "layernorm_grad_a_3": 64,
    "add_grad_a_2": 128,
    "attention_grad_W_o": 64,
    "attention_grad_W_o_2": 128,
    "attention_grad_O": 64,
    "attention_grad_P": 64,
    "attention_grad_S": 128,
    "attention_grad_V": 64,
    "attention_grad_W_v": 64,
    "attention_grad_W_v_2": 128,
    "attention_grad_K": 64,
    "attention_grad_W_k": 64,
    "attention_grad_W_k_2": 128,
    "attention_grad_Q": 64,
    "attention_grad_W_q": 64,
    "attention_grad_W_q_2": 128,
    "layernorm_grad_a_2": 64,
    "layernorm_grad_a_2_2": 64,
    "layernorm_grad_a_2_3": 64,
    "embedding_grad_a": 128,
    "embedding_grad_E": 128,
    "embedding_grad_E_2": 256,
    "update_scalars": 1,
    "update_entries": 128,
}
#: Kernels that compute in float64 whatever DTYPE is.
FLOAT64 = ("update_scalars",)


def workspace(n):
    """Return how many elements of workspace a batch of n samples needs."""
    return 31552 * n + 16388


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
def embedding_a(params, x, work, E, a, N):
    """Write a."""
    # a[n, t, i] = E[x[n, t], i]
    entry = int32(cuda.grid(1))
    if entry < N * int32(1024):
        n = entry // int32(1024)
        t = entry // int32(32) % int32(32)
        i = entry % int32(32)
        work[a + n * 1024 + t * 32 + i] = params[E + int32(x[n * 32 + t]) * 32 + i]


@jit
def positionalencoding_a(work, x, a, N):
    """Write a."""
    # a[n, t, j] = x[n, t, j] + sin(10000^(−floor(j/2)/16) · t + π · (j mod 2)/2)
    entry = int32(cuda.grid(1))
    if entry < N * int32(1024):
        n = entry // int32(1024)
        t = entry // int32(32) % int32(32)
        J = entry // int32(2) % int32(16)
        i = entry % int32(2)
        work[a + n * 1024 + t * 32 + (2 * J + i)] = (
            work[x + n * 1024 + t * 32 + (2 * J + i)] + math.sin(real(10000.0) ** (-real(J) / real(16.0)) * real(t)
            + real(3.141592653589793) * real(i) / real(2.0))
        )


@jit
def layernorm_sigma(work, x, mu, sigma, N):
    """Write mu and sigma."""
    # mu[n, t] = (Σ_i x[n, t, i])/32
    # sigma[n, t] = √(1e−05 + v[n, t])
    entry = int32(cuda.grid(1))
    if entry < N * int32(32):
        n = entry // int32(32)
        t = entry % int32(32)
        total = real(0.0)
        for i in range(int32(32)):
            total += work[x + n * 1024 + t * 32 + i]
        work[mu + n * 32 + t] = total / real(32.0)
        total_2 = real(0.0)
        for i in range(int32(32)):
            base = work[x + n * 1024 + t * 32 + i] - work[mu + n * 32 + t]
            total_2 += base * base
        v = total_2 / real(32.0)
        work[sigma + n * 32 + t] = math.sqrt(real(1e-05) + v)


@jit
def layernorm_a(work, params, mu, sigma, x, beta, gamma, x_hat, a, N):
    """Write x_hat and a."""
    # x_hat[n, t, i] = (x[n, t, i] − mu[n, t])/sigma[n, t]
    # a[n, t, i] = gamma[i] x_hat[n, t, i] + beta[i]
    entry = int32(cuda.grid(1))
    if entry < N * int32(1024):
        n = entry // int32(1024)
        t = entry // int32(32) % int32(32)
        i = entry % int32(32)
        work[x_hat + n * 1024 + t * 32 + i] = (work[x + n * 1024 + t * 32 + i] - work[mu + n * 32 + t]) / work[sigma + n * 32 + t]
        work[a + n * 1024 + t * 32 + i] = params[gamma + i] * work[x_hat + n * 1024 + t * 32 + i] + params[beta + i]


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


@jit
def add_a(work, x_1, x_2, a, N):
    """Write a."""
    # a[n, t, i] = x_1[n, t, i] + x_2[n, t, i]
    entry = int32(cuda.grid(1))
    if entry < N * int32(1024):
        n = entry // int32(1024)
        t = entry // int32(32) % int32(32)
        i = entry % int32(32)
        work[a + n * 1024 + t * 32 + i] = work[x_1 + n * 1024 + t * 32 + i] + work[x_2 + n * 1024 + t * 32 + i]


@jit
def write_loss_p(work, a, p, N):
    """Write p."""
    # p[n, t, i] = exp(a[n, t, i] − log Σ_j exp(a[n, t, j]))
    entry = int32(cuda.grid(1))
    if entry < N * int32(32):
        n = entry // int32(32)
        t = entry % int32(32)
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


@jit
def write_loss_L(work, y, a, L, N):
    """Write L."""
    # L[n, t] = log Σ_i exp(a[n, t, i]) − a[n, t, y[n, t]]
    entry = int32(cuda.grid(1))
    if entry < N * int32(32):
        n = entry // int32(32)
        t = entry % int32(32)
        top = real(-math.inf)
        for i in range(int32(62)):
            candidate = work[a + n * 1984 + t * 62 + i]
            top = candidate if (candidate > top) | (candidate != candidate) else top
        shift = top if abs(top) != real(math.inf) else real(0.0)
        total = real(0.0)
        for i in range(int32(62)):
            total += math.exp(work[a + n * 1984 + t * 62 + i] - shift)
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


@jit
def dense_grad_W_2(grads, work, grad_W, parts, N):
    """Write grad_W."""
    # grad_W[i, j] = Σ_part parts[part, i, j]
    entry = int32(cuda.grid(1))
    if entry < int32(1984):
        i = entry // int32(32)
        j = entry % int32(32)
        total = real(0.0)
        for part in range(int32(4)):
            total += work[parts + part * 1984 + i * 32 + j]
        grads[grad_W + i * 32 + j] = total


@jit
def dense_grad_b(work, grads, delta, grad_b, N):
    """Write grad_b."""
    # grad_b[i] = Σ_{n, t} delta[n, t, i]
    parts = cuda.shared.array(8, real)
    thread = int32(cuda.threadIdx.x)
    i = int32(cuda.blockIdx.x)
    total = real(0.0)
    part = real(0.0)
    for entry in range(thread, N * int32(32), int32(256)):
        n = entry // int32(32)
        t = entry % int32(32)
        part += work[delta + n * 1984 + t * 62 + i]
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
        grads[grad_b + i] = total


@jit
def layernorm_grad_gamma(work, grads, grad_a, x_hat, grad_gamma, N):
    """Write grad_gamma."""
    # grad_gamma[i] = Σ_{n, t} grad_a[n, t, i] x_hat[n, t, i]
    parts = cuda.shared.array(8, real)
    thread = int32(cuda.threadIdx.x)
    i = int32(cuda.blockIdx.x)
    total = real(0.0)
    part = real(0.0)
    for entry in range(thread, N * int32(32), int32(256)):
        n = entry // int32(32)
        t = entry % int32(32)
        part += work[grad_a + n * 1024 + t * 32 + i] * work[x_hat + n * 1024 + t * 32 + i]
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


@jit
def layernorm_grad_beta(work, grads, grad_a, grad_beta, N):
    """Write grad_beta."""
    # grad_beta[i] = Σ_{n, t} grad_a[n, t, i]
    parts = cuda.shared.array(8, real)
    thread = int32(cuda.threadIdx.x)
    i = int32(cuda.blockIdx.x)
    total = real(0.0)
    part = real(0.0)
    for entry in range(thread, N * int32(32), int32(256)):
        n = entry // int32(32)
        t = entry % int32(32)
        part += work[grad_a + n * 1024 + t * 32 + i]
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


@jit
def add_grad_a(params, work, gamma, grad_a_2, sigma, x_hat, grad_a, N):
    """Write grad_a."""
    # grad_a[n, t, i] = (32 gamma[i] grad_a_2[n, t, i] − Σ_j gamma[j] grad_a_2[n, t, j] − x_hat[n, t, i] Σ_j gamma[j] grad_a_2[n, t, j]
    #     x_hat[n, t, j])/(32 sigma[n, t])
    entry = int32(cuda.grid(1))
    if entry < N * int32(32):
        n = entry // int32(32)
        t = entry % int32(32)
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


@jit
def dense_delta_2(work, grad_a, delta, N):
    """Write delta."""
    # delta[n, t, i] = grad_a[n, t, i]
    entry = int32(cuda.grid(1))
    if entry < N * int32(1024):
        n = entry // int32(1024)
        t = entry // int32(32) % int32(32)
        i = entry % int32(32)
        work[delta + n * 1024 + t * 32 + i] = work[grad_a + n * 1024 + t * 32 + i]


@jit
def dense_grad_W_4(grads, work, grad_W, parts, N):
    """Write grad_W."""
    # grad_W[i, j] = Σ_part parts[part, i, j]
    entry = int32(cuda.grid(1))
    if entry < int32(4096):
        i = entry // int32(128)
        j = entry % int32(128)
        total = real(0.0)
        for part in range(int32(4)):
            total += work[parts + part * 4096 + i * 128 + j]
        grads[grad_W + i * 128 + j] = total


@jit
def dense_grad_b_2(work, grads, delta, grad_b, N):
    """Write grad_b."""
    # grad_b[i] = Σ_{n, t} delta[n, t, i]
    parts = cuda.shared.array(8, real)
    thread = int32(cuda.threadIdx.x)
    i = int32(cuda.blockIdx.x)
    total = real(0.0)
    part = real(0.0)
    for entry in range(thread, N * int32(32), int32(256)):
        n = entry // int32(32)
        t = entry % int32(32)
        part += work[delta + n * 1024 + t * 32 + i]
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
        grads[grad_b + i] = total


@jit
def dense_grad_W_6(grads, work, grad_W, parts, N):
    """Write grad_W."""
    # grad_W[i, j] = Σ_part parts[part, i, j]
    entry = int32(cuda.grid(1))
    if entry < int32(4096):
        i = entry // int32(32)
        j = entry % int32(32)
        total = real(0.0)
        for part in range(int32(4)):
            total += work[parts + part * 4096 + i * 32 + j]
        grads[grad_W + i * 32 + j] = total


@jit
def dense_grad_b_3(work, grads, delta, grad_b, N):
    """Write grad_b."""
    # grad_b[i] = Σ_{n, t} delta[n, t, i]
    parts = cuda.shared.array(8, real)
    thread = int32(cuda.threadIdx.x)
    i = int32(cuda.blockIdx.x)
    total = real(0.0)
    part = real(0.0)
    for entry in range(thread, N * int32(32), int32(256)):
        n = entry // int32(32)
        t = entry % int32(32)
        part += work[delta + n * 4096 + t * 128 + i]
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
        grads[grad_b + i] = total


@jit
def add_grad_a_2(params, work, gamma, grad_a_2, grad_a_3, sigma, x_hat, grad_a, N):
    """Write grad_a."""
    # grad_a[n, t, i] = (32 gamma[i] grad_a_3[n, t, i] − Σ_j gamma[j] grad_a_3[n, t, j] − x_hat[n, t, i] Σ_j gamma[j] grad_a_3[n, t, j]
    #     x_hat[n, t, j])/(32 sigma[n, t]) + grad_a_2[n, t, i]
    entry = int32(cuda.grid(1))
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
def attention_grad_W_o_2(grads, work, grad_W_o, parts, N):
    """Write grad_W_o."""
    # grad_W_o[i, j] = Σ_part parts[part, i, j]
    entry = int32(cuda.grid(1))
    if entry < int32(1024):
        i = entry // int32(32)
        j = entry % int32(32)
        total = real(0.0)
        for part in range(int32(4)):
            total += work[parts + part * 1024 + i * 32 + j]
        grads[grad_W_o + i * 32 + j] = total


@jit
def attention_grad_S(work, P, grad_P, grad_S, N):
    """Write grad_S."""
    # grad_S[n, h, t, s] = (grad_P[n, h, t, s] − Σ_i P[n, h, t, i] grad_P[n, h, t, i]) · P[n, h, t, s]
    entry = int32(cuda.grid(1))
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


@jit
def attention_grad_W_v_2(grads, work, grad_W_v, parts, N):
    """Write grad_W_v."""
    # grad_W_v[i, j] = Σ_part parts[part, i, j]
    entry = int32(cuda.grid(1))
    if entry < int32(1024):
        i = entry // int32(32)
        j = entry % int32(32)
        total = real(0.0)
        for part in range(int32(4)):
            total += work[parts + part * 1024 + i * 32 + j]
        grads[grad_W_v + i * 32 + j] = total


@jit
def attention_grad_W_k_2(grads, work, grad_W_k, parts, N):
    """Write grad_W_k."""
    # grad_W_k[i, j] = Σ_part parts[part, i, j]
    entry = int32(cuda.grid(1))
    if entry < int32(1024):
        i = entry // int32(32)
        j = entry % int32(32)
        total = real(0.0)
        for part in range(int32(4)):
            total += work[parts + part * 1024 + i * 32 + j]
        grads[grad_W_k + i * 32 + j] = total


@jit
def attention_grad_W_q_2(grads, work, grad_W_q, parts, N):
    """Write grad_W_q."""
    # grad_W_q[i, j] = Σ_part parts[part, i, j]
    entry = int32(cuda.grid(1))
    if entry < int32(1024):
        i = entry // int32(32)
        j = entry % int32(32)
        total = real(0.0)
        for part in range(int32(4)):
            total += work[parts + part * 1024 + i * 32 + j]
        grads[grad_W_q + i * 32 + j] = total


@jit
def embedding_grad_a(params, work, gamma, grad_a_2, grad_a_3, sigma, x_hat, grad_a, N):
    """Write grad_a."""
    # grad_a[n, t, j] = (32 gamma[j] grad_a_3[n, t, j] − Σ_i gamma[i] grad_a_3[n, t, i] − x_hat[n, t, j] Σ_i gamma[i] grad_a_3[n, t, i]
    #     x_hat[n, t, i])/(32 sigma[n, t]) + grad_a_2[n, t, j]
    entry = int32(cuda.grid(1))
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
def embedding_grad_E(grads, grad_E, N):
    """Write grad_E."""
    # grad_E[v, i] = Σ_{n, t} grad_a[n, t, i] [v = x[n, t]]
    entry = int32(cuda.grid(1))
    if entry < int32(1984):
        v = entry // int32(32)
        i = entry % int32(32)
        grads[grad_E + v * 32 + i] = real(0.0)


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
def update_scalars(params, grads, state, hyper, scalars, losses, place, history, step, count):
    """Compute what a step of the optimizer has once for all entries; nothing is done where the loss is not finite."""
    # t_next = 1 + t
    # rate = (1 + cos(π · (t [1 > t/updates]/updates + [t/updates ≥ 1]))) · (lr − minimum)/2 + minimum
    # m_next[p] = (1 − beta1) · g[p] + beta1 m[p]
    # v_next[p] = g[p]² · (1 − beta2) + beta2 v[p]
    # c_1 = 1 − beta1^t_next
    # c_2 = 1 − beta2^t_next
    # w_next[p] = w[p] − rate m_next[p]/((√(v_next[p]/c_2) + eps) · c_1)
    value = losses[place]
    good = math.isfinite(value)
    lr = hyper[0]
    beta1 = hyper[1]
    beta2 = hyper[2]
    eps = hyper[3]
    updates = hyper[4]
    minimum = hyper[5]
    t = float64(state[33340])
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
    factor_3 = float64(1.0) / c_2
    factor_4 = -rate / c_1
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
        if good:
            state[33340] = real(t_next)
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
    # w_next[p] = w[p] − rate m_next[p]/((√(v_next[p]/c_2) + eps) · c_1)
    p = first + int32(cuda.grid(1))
    if p < last and scalars[0] > real(0.0):
        beta1 = scalars[1]
        beta2 = scalars[2]
        eps = scalars[3]
        factor = scalars[4]
        factor_2 = scalars[5]
        factor_3 = scalars[6]
        factor_4 = scalars[7]
        m_next = grads[p] * factor + state[p] * beta1
        v_next = grads[p] * grads[p] * factor_2 + state[16670 + p] * beta2
        w_next = factor_4 * m_next / (math.sqrt(factor_3 * v_next) + eps) + params[p]
        state[p] = m_next
        state[16670 + p] = v_next
        params[p] = w_next


@jit
def attention_Q(params, work, W_q, x, Q, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads."""
    # Q[n, h, t, d] = Σ_j W_q[8 h + d, j] x[n, t, j]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t_ = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(0)
    column = int32(column * 32)
    row = block
    row = int32(row * 32)
    term = int32(0)
    stop = int32(32)
    l_at0 = int32(row + (t_ >> 2))
    t_l0 = int32(uint32(l_at0) % uint32(32))
    rest_t_l0 = int32(uint32(l_at0) // uint32(32))
    n_l0 = rest_t_l0
    l_at1 = int32(row + (t_ >> 2) + 16)
    t_l1 = int32(uint32(l_at1) % uint32(32))
    rest_t_l1 = int32(uint32(l_at1) // uint32(32))
    n_l1 = rest_t_l1
    l_put = int32((((t_ & 3) * 4) * 36) + (t_ >> 2))
    r_at0 = int32(column + (t_ >> 2))
    d_r0 = int32(uint32(r_at0) % uint32(8))
    rest_d_r0 = int32(uint32(r_at0) // uint32(8))
    h_r0 = rest_d_r0
    r_at1 = int32(column + (t_ >> 2) + 16)
    d_r1 = int32(uint32(r_at1) % uint32(8))
    rest_d_r1 = int32(uint32(r_at1) // uint32(8))
    h_r1 = rest_d_r1
    r_put = int32(576 + (((t_ & 3) * 4) * 36) + (t_ >> 2))
    high = int32((t_ >> 3) * 4)
    wide = int32((t_ & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + ((t_ & 3) * 4))
    j_l_0 = l_term0
    r_term0 = int32(term + ((t_ & 3) * 4))
    j_r_0 = r_term0
    l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
    if (l_at0 < N * 32) & (l_term0 < stop):
        l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(x + n_l0 * 1024 + t_l0 * 32 + j_l_0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at1 < N * 32) & (l_term0 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(x + n_l1 * 1024 + t_l1 * 32 + j_l_0))
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 32) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W_q + (8 * h_r0 + d_r0) * 32 + j_r_0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at1 < 32) & (r_term0 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W_q + (8 * h_r1 + d_r1) * 32 + j_r_0))
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
        l_term0 = int32(term + ((t_ & 3) * 4))
        j_l_0 = l_term0
        r_term0 = int32(term + ((t_ & 3) * 4))
        j_r_0 = r_term0
        l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
        if (l_at0 < N * 32) & (l_term0 < stop):
            l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(x + n_l0 * 1024 + t_l0 * 32 + j_l_0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at1 < N * 32) & (l_term0 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(x + n_l1 * 1024 + t_l1 * 32 + j_l_0))
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 32) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W_q + (8 * h_r0 + d_r0) * 32 + j_r_0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at1 < 32) & (r_term0 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W_q + (8 * h_r1 + d_r1) * 32 + j_r_0))
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
    mine = int32(t_ & 31)
    column = int32(column + mine)
    d = int32(uint32(column) % uint32(8))
    rest_d = int32(uint32(column) // uint32(8))
    h = rest_d
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
        for line in range(int32(t_ >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part & 3))
            if r_row < N * 32 and column < 32:
                t = int32(uint32(r_row) % uint32(32))
                rest_t = int32(uint32(r_row) // uint32(32))
                n = rest_t
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(Q + n * 1024 + h * 256 + t * 8 + d)] = dot
        cuda.syncthreads()


@jit
def attention_K(params, work, W_k, x, K, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads."""
    # K[n, h, t, d] = Σ_j W_k[8 h + d, j] x[n, t, j]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t_ = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(0)
    column = int32(column * 32)
    row = block
    row = int32(row * 32)
    term = int32(0)
    stop = int32(32)
    l_at0 = int32(row + (t_ >> 2))
    t_l0 = int32(uint32(l_at0) % uint32(32))
    rest_t_l0 = int32(uint32(l_at0) // uint32(32))
    n_l0 = rest_t_l0
    l_at1 = int32(row + (t_ >> 2) + 16)
    t_l1 = int32(uint32(l_at1) % uint32(32))
    rest_t_l1 = int32(uint32(l_at1) // uint32(32))
    n_l1 = rest_t_l1
    l_put = int32((((t_ & 3) * 4) * 36) + (t_ >> 2))
    r_at0 = int32(column + (t_ >> 2))
    d_r0 = int32(uint32(r_at0) % uint32(8))
    rest_d_r0 = int32(uint32(r_at0) // uint32(8))
    h_r0 = rest_d_r0
    r_at1 = int32(column + (t_ >> 2) + 16)
    d_r1 = int32(uint32(r_at1) % uint32(8))
    rest_d_r1 = int32(uint32(r_at1) // uint32(8))
    h_r1 = rest_d_r1
    r_put = int32(576 + (((t_ & 3) * 4) * 36) + (t_ >> 2))
    high = int32((t_ >> 3) * 4)
    wide = int32((t_ & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + ((t_ & 3) * 4))
    j_l_0 = l_term0
    r_term0 = int32(term + ((t_ & 3) * 4))
    j_r_0 = r_term0
    l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
    if (l_at0 < N * 32) & (l_term0 < stop):
        l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(x + n_l0 * 1024 + t_l0 * 32 + j_l_0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at1 < N * 32) & (l_term0 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(x + n_l1 * 1024 + t_l1 * 32 + j_l_0))
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 32) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W_k + (8 * h_r0 + d_r0) * 32 + j_r_0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at1 < 32) & (r_term0 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W_k + (8 * h_r1 + d_r1) * 32 + j_r_0))
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
        l_term0 = int32(term + ((t_ & 3) * 4))
        j_l_0 = l_term0
        r_term0 = int32(term + ((t_ & 3) * 4))
        j_r_0 = r_term0
        l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
        if (l_at0 < N * 32) & (l_term0 < stop):
            l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(x + n_l0 * 1024 + t_l0 * 32 + j_l_0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at1 < N * 32) & (l_term0 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(x + n_l1 * 1024 + t_l1 * 32 + j_l_0))
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 32) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W_k + (8 * h_r0 + d_r0) * 32 + j_r_0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at1 < 32) & (r_term0 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W_k + (8 * h_r1 + d_r1) * 32 + j_r_0))
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
    mine = int32(t_ & 31)
    column = int32(column + mine)
    d = int32(uint32(column) % uint32(8))
    rest_d = int32(uint32(column) // uint32(8))
    h = rest_d
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
        for line in range(int32(t_ >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part & 3))
            if r_row < N * 32 and column < 32:
                t = int32(uint32(r_row) % uint32(32))
                rest_t = int32(uint32(r_row) // uint32(32))
                n = rest_t
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(K + n * 1024 + h * 256 + t * 8 + d)] = dot
        cuda.syncthreads()


@jit
def attention_V(params, work, W_v, x, V, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads."""
    # V[n, h, t, d] = Σ_j W_v[8 h + d, j] x[n, t, j]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t_ = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(0)
    column = int32(column * 32)
    row = block
    row = int32(row * 32)
    term = int32(0)
    stop = int32(32)
    l_at0 = int32(row + (t_ >> 2))
    t_l0 = int32(uint32(l_at0) % uint32(32))
    rest_t_l0 = int32(uint32(l_at0) // uint32(32))
    n_l0 = rest_t_l0
    l_at1 = int32(row + (t_ >> 2) + 16)
    t_l1 = int32(uint32(l_at1) % uint32(32))
    rest_t_l1 = int32(uint32(l_at1) // uint32(32))
    n_l1 = rest_t_l1
    l_put = int32((((t_ & 3) * 4) * 36) + (t_ >> 2))
    r_at0 = int32(column + (t_ >> 2))
    d_r0 = int32(uint32(r_at0) % uint32(8))
    rest_d_r0 = int32(uint32(r_at0) // uint32(8))
    h_r0 = rest_d_r0
    r_at1 = int32(column + (t_ >> 2) + 16)
    d_r1 = int32(uint32(r_at1) % uint32(8))
    rest_d_r1 = int32(uint32(r_at1) // uint32(8))
    h_r1 = rest_d_r1
    r_put = int32(576 + (((t_ & 3) * 4) * 36) + (t_ >> 2))
    high = int32((t_ >> 3) * 4)
    wide = int32((t_ & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + ((t_ & 3) * 4))
    j_l_0 = l_term0
    r_term0 = int32(term + ((t_ & 3) * 4))
    j_r_0 = r_term0
    l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
    if (l_at0 < N * 32) & (l_term0 < stop):
        l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(x + n_l0 * 1024 + t_l0 * 32 + j_l_0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at1 < N * 32) & (l_term0 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(x + n_l1 * 1024 + t_l1 * 32 + j_l_0))
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 32) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W_v + (8 * h_r0 + d_r0) * 32 + j_r_0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at1 < 32) & (r_term0 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W_v + (8 * h_r1 + d_r1) * 32 + j_r_0))
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
        l_term0 = int32(term + ((t_ & 3) * 4))
        j_l_0 = l_term0
        r_term0 = int32(term + ((t_ & 3) * 4))
        j_r_0 = r_term0
        l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
        if (l_at0 < N * 32) & (l_term0 < stop):
            l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(x + n_l0 * 1024 + t_l0 * 32 + j_l_0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at1 < N * 32) & (l_term0 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(x + n_l1 * 1024 + t_l1 * 32 + j_l_0))
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 32) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W_v + (8 * h_r0 + d_r0) * 32 + j_r_0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at1 < 32) & (r_term0 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W_v + (8 * h_r1 + d_r1) * 32 + j_r_0))
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
    mine = int32(t_ & 31)
    column = int32(column + mine)
    d = int32(uint32(column) % uint32(8))
    rest_d = int32(uint32(column) // uint32(8))
    h = rest_d
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
        for line in range(int32(t_ >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part & 3))
            if r_row < N * 32 and column < 32:
                t = int32(uint32(r_row) % uint32(32))
                rest_t = int32(uint32(r_row) // uint32(32))
                n = rest_t
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(V + n * 1024 + h * 256 + t * 8 + d)] = dot
        cuda.syncthreads()


@jit
def attention_S(work, K, Q, S, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads."""
    # S[n, h, t, s] = √2 · (Σ_d K[n, h, s, d] Q[n, h, t, d])/4
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t_ = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(0)
    column = int32(column * 32)
    row = int32(0)
    row = int32(row * 32)
    h = int32(uint32(block) % uint32(4))
    rest_h = int32(uint32(block) // uint32(4))
    n = rest_h
    term = int32(0)
    stop = int32(8)
    l_at0 = int32(row + (t_ >> 2))
    t_l0 = l_at0
    l_at1 = int32(row + (t_ >> 2) + 16)
    t_l1 = l_at1
    l_put = int32((((t_ & 3) * 4) * 36) + (t_ >> 2))
    r_at0 = int32(column + (t_ >> 2))
    s_r0 = r_at0
    r_at1 = int32(column + (t_ >> 2) + 16)
    s_r1 = r_at1
    r_put = int32(576 + (((t_ & 3) * 4) * 36) + (t_ >> 2))
    high = int32((t_ >> 3) * 4)
    wide = int32((t_ & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + ((t_ & 3) * 4))
    d_l_0 = l_term0
    r_term0 = int32(term + ((t_ & 3) * 4))
    d_r_0 = r_term0
    l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
    if (l_at0 < 32) & (l_term0 < stop):
        l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(Q + n * 1024 + h * 256 + t_l0 * 8 + d_l_0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at1 < 32) & (l_term0 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(Q + n * 1024 + h * 256 + t_l1 * 8 + d_l_0))
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 32) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(work, int32(K + n * 1024 + h * 256 + s_r0 * 8 + d_r_0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at1 < 32) & (r_term0 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(work, int32(K + n * 1024 + h * 256 + s_r1 * 8 + d_r_0))
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
        l_term0 = int32(term + ((t_ & 3) * 4))
        d_l_0 = l_term0
        r_term0 = int32(term + ((t_ & 3) * 4))
        d_r_0 = r_term0
        l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
        if (l_at0 < 32) & (l_term0 < stop):
            l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(Q + n * 1024 + h * 256 + t_l0 * 8 + d_l_0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at1 < 32) & (l_term0 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(Q + n * 1024 + h * 256 + t_l1 * 8 + d_l_0))
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 32) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(work, int32(K + n * 1024 + h * 256 + s_r0 * 8 + d_r_0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at1 < 32) & (r_term0 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(work, int32(K + n * 1024 + h * 256 + s_r1 * 8 + d_r_0))
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
    mine = int32(t_ & 31)
    column = int32(column + mine)
    s = column
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
        for line in range(int32(t_ >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part & 3))
            if r_row < 32 and column < 32:
                t = r_row
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(S + n * 4096 + h * 1024 + t * 32 + s)] = math.sqrt(real(2.0)) * dot / real(4.0)
        cuda.syncthreads()


@jit
def attention_O(work, P, V, O, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads."""
    # O[n, h, t, d] = Σ_s P[n, h, t, s] V[n, h, s, d]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t_ = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(0)
    column = int32(column * 32)
    row = int32(0)
    row = int32(row * 32)
    h = int32(uint32(block) % uint32(4))
    rest_h = int32(uint32(block) // uint32(4))
    n = rest_h
    term = int32(0)
    stop = int32(32)
    l_at0 = int32(row + (t_ >> 2))
    t_l0 = l_at0
    l_at1 = int32(row + (t_ >> 2) + 16)
    t_l1 = l_at1
    l_put = int32((((t_ & 3) * 4) * 36) + (t_ >> 2))
    r_at0 = int32(column + ((t_ & 7) * 4))
    d_r0 = r_at0
    r_put = int32(576 + ((t_ >> 3) * 36) + ((t_ & 7) * 4))
    high = int32((t_ >> 3) * 4)
    wide = int32((t_ & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + ((t_ & 3) * 4))
    s_l_0 = l_term0
    r_term0 = int32(term + (t_ >> 3))
    s_r_0 = r_term0
    r_term1 = int32(term + (t_ >> 3) + 8)
    s_r_1 = r_term1
    l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
    if (l_at0 < 32) & (l_term0 < stop):
        l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(P + n * 4096 + h * 1024 + t_l0 * 32 + s_l_0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at1 < 32) & (l_term0 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(P + n * 4096 + h * 1024 + t_l1 * 32 + s_l_0))
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 8) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(work, int32(V + n * 1024 + h * 256 + s_r_0 * 8 + d_r0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at0 < 8) & (r_term1 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(work, int32(V + n * 1024 + h * 256 + s_r_1 * 8 + d_r0))
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
        st4(tiles, r_to, r0_0, r0_1, r0_2, r0_3)
        st4(tiles, r_to + uint64(288), r1_0, r1_1, r1_2, r1_3)
        cuda.syncthreads()
        term = int32(term + 16)
        l_term0 = int32(term + ((t_ & 3) * 4))
        s_l_0 = l_term0
        r_term0 = int32(term + (t_ >> 3))
        s_r_0 = r_term0
        r_term1 = int32(term + (t_ >> 3) + 8)
        s_r_1 = r_term1
        l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
        if (l_at0 < 32) & (l_term0 < stop):
            l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(P + n * 4096 + h * 1024 + t_l0 * 32 + s_l_0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at1 < 32) & (l_term0 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(P + n * 4096 + h * 1024 + t_l1 * 32 + s_l_0))
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 8) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(work, int32(V + n * 1024 + h * 256 + s_r_0 * 8 + d_r0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at0 < 8) & (r_term1 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(work, int32(V + n * 1024 + h * 256 + s_r_1 * 8 + d_r0))
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
    mine = int32(t_ & 31)
    column = int32(column + mine)
    d = column
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
        for line in range(int32(t_ >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part & 3))
            if r_row < 32 and column < 8:
                t = r_row
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(O + n * 1024 + h * 256 + t * 8 + d)] = dot
        cuda.syncthreads()


@jit
def attention_a(work, params, O, W_o, a, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads."""
    # a[n, t, i] = Σ_j W_o[i, j] O[n, floor(j/8), t, j mod 8]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t_ = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(0)
    column = int32(column * 32)
    row = block
    row = int32(row * 32)
    term = int32(0)
    stop = int32(32)
    l_at0 = int32(row + (t_ >> 4))
    t_l0 = int32(uint32(l_at0) % uint32(32))
    rest_t_l0 = int32(uint32(l_at0) // uint32(32))
    n_l0 = rest_t_l0
    l_at1 = int32(row + (t_ >> 4) + 4)
    t_l1 = int32(uint32(l_at1) % uint32(32))
    rest_t_l1 = int32(uint32(l_at1) // uint32(32))
    n_l1 = rest_t_l1
    l_at2 = int32(row + (t_ >> 4) + 8)
    t_l2 = int32(uint32(l_at2) % uint32(32))
    rest_t_l2 = int32(uint32(l_at2) // uint32(32))
    n_l2 = rest_t_l2
    l_at3 = int32(row + (t_ >> 4) + 12)
    t_l3 = int32(uint32(l_at3) % uint32(32))
    rest_t_l3 = int32(uint32(l_at3) // uint32(32))
    n_l3 = rest_t_l3
    l_at4 = int32(row + (t_ >> 4) + 16)
    t_l4 = int32(uint32(l_at4) % uint32(32))
    rest_t_l4 = int32(uint32(l_at4) // uint32(32))
    n_l4 = rest_t_l4
    l_at5 = int32(row + (t_ >> 4) + 20)
    t_l5 = int32(uint32(l_at5) % uint32(32))
    rest_t_l5 = int32(uint32(l_at5) // uint32(32))
    n_l5 = rest_t_l5
    l_at6 = int32(row + (t_ >> 4) + 24)
    t_l6 = int32(uint32(l_at6) % uint32(32))
    rest_t_l6 = int32(uint32(l_at6) // uint32(32))
    n_l6 = rest_t_l6
    l_at7 = int32(row + (t_ >> 4) + 28)
    t_l7 = int32(uint32(l_at7) % uint32(32))
    rest_t_l7 = int32(uint32(l_at7) // uint32(32))
    n_l7 = rest_t_l7
    l_put = int32(((t_ & 15) * 36) + (t_ >> 4))
    r_at0 = int32(column + (t_ >> 2))
    i_r0 = r_at0
    r_at1 = int32(column + (t_ >> 2) + 16)
    i_r1 = r_at1
    r_put = int32(576 + (((t_ & 3) * 4) * 36) + (t_ >> 2))
    high = int32((t_ >> 3) * 4)
    wide = int32((t_ & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + (t_ & 15))
    j_l_0 = l_term0
    r_term0 = int32(term + ((t_ & 3) * 4))
    j_r_0 = r_term0
    l0 = zero
    if (l_at0 < N * 32) & (l_term0 < stop):
        l0 = work[uint32(O + n_l0 * 1024 + (j_l_0 // int32(8)) * 256 + t_l0 * 8 + (j_l_0 % int32(8)))]
    l1 = zero
    if (l_at1 < N * 32) & (l_term0 < stop):
        l1 = work[uint32(O + n_l1 * 1024 + (j_l_0 // int32(8)) * 256 + t_l1 * 8 + (j_l_0 % int32(8)))]
    l2 = zero
    if (l_at2 < N * 32) & (l_term0 < stop):
        l2 = work[uint32(O + n_l2 * 1024 + (j_l_0 // int32(8)) * 256 + t_l2 * 8 + (j_l_0 % int32(8)))]
    l3 = zero
    if (l_at3 < N * 32) & (l_term0 < stop):
        l3 = work[uint32(O + n_l3 * 1024 + (j_l_0 // int32(8)) * 256 + t_l3 * 8 + (j_l_0 % int32(8)))]
    l4 = zero
    if (l_at4 < N * 32) & (l_term0 < stop):
        l4 = work[uint32(O + n_l4 * 1024 + (j_l_0 // int32(8)) * 256 + t_l4 * 8 + (j_l_0 % int32(8)))]
    l5 = zero
    if (l_at5 < N * 32) & (l_term0 < stop):
        l5 = work[uint32(O + n_l5 * 1024 + (j_l_0 // int32(8)) * 256 + t_l5 * 8 + (j_l_0 % int32(8)))]
    l6 = zero
    if (l_at6 < N * 32) & (l_term0 < stop):
        l6 = work[uint32(O + n_l6 * 1024 + (j_l_0 // int32(8)) * 256 + t_l6 * 8 + (j_l_0 % int32(8)))]
    l7 = zero
    if (l_at7 < N * 32) & (l_term0 < stop):
        l7 = work[uint32(O + n_l7 * 1024 + (j_l_0 // int32(8)) * 256 + t_l7 * 8 + (j_l_0 % int32(8)))]
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 32) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W_o + i_r0 * 32 + j_r_0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at1 < 32) & (r_term0 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W_o + i_r1 * 32 + j_r_0))
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
        l_term0 = int32(term + (t_ & 15))
        j_l_0 = l_term0
        r_term0 = int32(term + ((t_ & 3) * 4))
        j_r_0 = r_term0
        l0 = zero
        if (l_at0 < N * 32) & (l_term0 < stop):
            l0 = work[uint32(O + n_l0 * 1024 + (j_l_0 // int32(8)) * 256 + t_l0 * 8 + (j_l_0 % int32(8)))]
        l1 = zero
        if (l_at1 < N * 32) & (l_term0 < stop):
            l1 = work[uint32(O + n_l1 * 1024 + (j_l_0 // int32(8)) * 256 + t_l1 * 8 + (j_l_0 % int32(8)))]
        l2 = zero
        if (l_at2 < N * 32) & (l_term0 < stop):
            l2 = work[uint32(O + n_l2 * 1024 + (j_l_0 // int32(8)) * 256 + t_l2 * 8 + (j_l_0 % int32(8)))]
        l3 = zero
        if (l_at3 < N * 32) & (l_term0 < stop):
            l3 = work[uint32(O + n_l3 * 1024 + (j_l_0 // int32(8)) * 256 + t_l3 * 8 + (j_l_0 % int32(8)))]
        l4 = zero
        if (l_at4 < N * 32) & (l_term0 < stop):
            l4 = work[uint32(O + n_l4 * 1024 + (j_l_0 // int32(8)) * 256 + t_l4 * 8 + (j_l_0 % int32(8)))]
        l5 = zero
        if (l_at5 < N * 32) & (l_term0 < stop):
            l5 = work[uint32(O + n_l5 * 1024 + (j_l_0 // int32(8)) * 256 + t_l5 * 8 + (j_l_0 % int32(8)))]
        l6 = zero
        if (l_at6 < N * 32) & (l_term0 < stop):
            l6 = work[uint32(O + n_l6 * 1024 + (j_l_0 // int32(8)) * 256 + t_l6 * 8 + (j_l_0 % int32(8)))]
        l7 = zero
        if (l_at7 < N * 32) & (l_term0 < stop):
            l7 = work[uint32(O + n_l7 * 1024 + (j_l_0 // int32(8)) * 256 + t_l7 * 8 + (j_l_0 % int32(8)))]
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 32) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W_o + i_r0 * 32 + j_r_0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at1 < 32) & (r_term0 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W_o + i_r1 * 32 + j_r_0))
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
    mine = int32(t_ & 31)
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
        for line in range(int32(t_ >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part & 3))
            if r_row < N * 32 and column < 32:
                t = int32(uint32(r_row) % uint32(32))
                rest_t = int32(uint32(r_row) // uint32(32))
                n = rest_t
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(a + n * 1024 + t * 32 + i)] = dot
        cuda.syncthreads()


@jit
def dense_a(params, work, W, b, x, z, a, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads."""
    # z[n, t, i] = b[i] + Σ_j W[i, j] x[n, t, j]
    # a[n, t, i] = (1 + erf(√2 z[n, t, i]/2)) · z[n, t, i]/2
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t_ = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(uint32(block) % uint32(4))
    block = int32(uint32(block) // uint32(4))
    column = int32(column * 32)
    row = block
    row = int32(row * 32)
    term = int32(0)
    stop = int32(32)
    l_at0 = int32(row + (t_ >> 2))
    t_l0 = int32(uint32(l_at0) % uint32(32))
    rest_t_l0 = int32(uint32(l_at0) // uint32(32))
    n_l0 = rest_t_l0
    l_at1 = int32(row + (t_ >> 2) + 16)
    t_l1 = int32(uint32(l_at1) % uint32(32))
    rest_t_l1 = int32(uint32(l_at1) // uint32(32))
    n_l1 = rest_t_l1
    l_put = int32((((t_ & 3) * 4) * 36) + (t_ >> 2))
    r_at0 = int32(column + (t_ >> 2))
    i_r0 = r_at0
    r_at1 = int32(column + (t_ >> 2) + 16)
    i_r1 = r_at1
    r_put = int32(576 + (((t_ & 3) * 4) * 36) + (t_ >> 2))
    high = int32((t_ >> 3) * 4)
    wide = int32((t_ & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + ((t_ & 3) * 4))
    j_l_0 = l_term0
    r_term0 = int32(term + ((t_ & 3) * 4))
    j_r_0 = r_term0
    l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
    if (l_at0 < N * 32) & (l_term0 < stop):
        l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(x + n_l0 * 1024 + t_l0 * 32 + j_l_0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at1 < N * 32) & (l_term0 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(x + n_l1 * 1024 + t_l1 * 32 + j_l_0))
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 128) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W + i_r0 * 32 + j_r_0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at1 < 128) & (r_term0 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W + i_r1 * 32 + j_r_0))
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
        l_term0 = int32(term + ((t_ & 3) * 4))
        j_l_0 = l_term0
        r_term0 = int32(term + ((t_ & 3) * 4))
        j_r_0 = r_term0
        l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
        if (l_at0 < N * 32) & (l_term0 < stop):
            l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(x + n_l0 * 1024 + t_l0 * 32 + j_l_0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at1 < N * 32) & (l_term0 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(x + n_l1 * 1024 + t_l1 * 32 + j_l_0))
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 128) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W + i_r0 * 32 + j_r_0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at1 < 128) & (r_term0 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W + i_r1 * 32 + j_r_0))
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
    mine = int32(t_ & 31)
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
        for line in range(int32(t_ >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part & 3))
            if r_row < N * 32 and column < 128:
                t = int32(uint32(r_row) % uint32(32))
                rest_t = int32(uint32(r_row) // uint32(32))
                n = rest_t
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(z + n * 4096 + t * 128 + i)] = params[uint32(b + i)] + dot
                t__ = work[uint32(z + n * 4096 + t * 128 + i)] / real(2.0)
                work[uint32(a + n * 4096 + t * 128 + i)] = (real(1.0) + math.erf(math.sqrt(real(2.0)) * t__)) * t__
        cuda.syncthreads()


@jit
def dense_z(params, work, W, b, x, z, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads."""
    # z[n, t, i] = b[i] + Σ_j W[i, j] x[n, t, j]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t_ = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(0)
    column = int32(column * 32)
    row = block
    row = int32(row * 32)
    term = int32(0)
    stop = int32(128)
    l_at0 = int32(row + (t_ >> 2))
    t_l0 = int32(uint32(l_at0) % uint32(32))
    rest_t_l0 = int32(uint32(l_at0) // uint32(32))
    n_l0 = rest_t_l0
    l_at1 = int32(row + (t_ >> 2) + 16)
    t_l1 = int32(uint32(l_at1) % uint32(32))
    rest_t_l1 = int32(uint32(l_at1) // uint32(32))
    n_l1 = rest_t_l1
    l_put = int32((((t_ & 3) * 4) * 36) + (t_ >> 2))
    r_at0 = int32(column + (t_ >> 2))
    i_r0 = r_at0
    r_at1 = int32(column + (t_ >> 2) + 16)
    i_r1 = r_at1
    r_put = int32(576 + (((t_ & 3) * 4) * 36) + (t_ >> 2))
    high = int32((t_ >> 3) * 4)
    wide = int32((t_ & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + ((t_ & 3) * 4))
    j_l_0 = l_term0
    r_term0 = int32(term + ((t_ & 3) * 4))
    j_r_0 = r_term0
    l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
    if (l_at0 < N * 32) & (l_term0 < stop):
        l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(x + n_l0 * 4096 + t_l0 * 128 + j_l_0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at1 < N * 32) & (l_term0 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(x + n_l1 * 4096 + t_l1 * 128 + j_l_0))
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 32) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W + i_r0 * 128 + j_r_0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at1 < 32) & (r_term0 < stop):
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
        l_term0 = int32(term + ((t_ & 3) * 4))
        j_l_0 = l_term0
        r_term0 = int32(term + ((t_ & 3) * 4))
        j_r_0 = r_term0
        l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
        if (l_at0 < N * 32) & (l_term0 < stop):
            l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(x + n_l0 * 4096 + t_l0 * 128 + j_l_0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at1 < N * 32) & (l_term0 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(x + n_l1 * 4096 + t_l1 * 128 + j_l_0))
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 32) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W + i_r0 * 128 + j_r_0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at1 < 32) & (r_term0 < stop):
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
    mine = int32(t_ & 31)
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
        for line in range(int32(t_ >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part & 3))
            if r_row < N * 32 and column < 32:
                t = int32(uint32(r_row) % uint32(32))
                rest_t = int32(uint32(r_row) // uint32(32))
                n = rest_t
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(z + n * 1024 + t * 32 + i)] = params[uint32(b + i)] + dot
        cuda.syncthreads()


@jit
def dense_z_2(params, work, out, W, b, x, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads."""
    # z[n, t, i] = b[i] + Σ_j W[i, j] x[n, t, j]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t_ = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(uint32(block) % uint32(2))
    block = int32(uint32(block) // uint32(2))
    column = int32(column * 32)
    row = block
    row = int32(row * 32)
    term = int32(0)
    stop = int32(32)
    l_at0 = int32(row + (t_ >> 2))
    t_l0 = int32(uint32(l_at0) % uint32(32))
    rest_t_l0 = int32(uint32(l_at0) // uint32(32))
    n_l0 = rest_t_l0
    l_at1 = int32(row + (t_ >> 2) + 16)
    t_l1 = int32(uint32(l_at1) % uint32(32))
    rest_t_l1 = int32(uint32(l_at1) // uint32(32))
    n_l1 = rest_t_l1
    l_put = int32((((t_ & 3) * 4) * 36) + (t_ >> 2))
    r_at0 = int32(column + (t_ >> 2))
    i_r0 = r_at0
    r_at1 = int32(column + (t_ >> 2) + 16)
    i_r1 = r_at1
    r_put = int32(576 + (((t_ & 3) * 4) * 36) + (t_ >> 2))
    high = int32((t_ >> 3) * 4)
    wide = int32((t_ & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + ((t_ & 3) * 4))
    j_l_0 = l_term0
    r_term0 = int32(term + ((t_ & 3) * 4))
    j_r_0 = r_term0
    l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
    if (l_at0 < N * 32) & (l_term0 < stop):
        l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(x + n_l0 * 1024 + t_l0 * 32 + j_l_0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at1 < N * 32) & (l_term0 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(x + n_l1 * 1024 + t_l1 * 32 + j_l_0))
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 62) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W + i_r0 * 32 + j_r_0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at1 < 62) & (r_term0 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W + i_r1 * 32 + j_r_0))
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
        l_term0 = int32(term + ((t_ & 3) * 4))
        j_l_0 = l_term0
        r_term0 = int32(term + ((t_ & 3) * 4))
        j_r_0 = r_term0
        l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
        if (l_at0 < N * 32) & (l_term0 < stop):
            l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(x + n_l0 * 1024 + t_l0 * 32 + j_l_0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at1 < N * 32) & (l_term0 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(x + n_l1 * 1024 + t_l1 * 32 + j_l_0))
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 62) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W + i_r0 * 32 + j_r_0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at1 < 62) & (r_term0 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W + i_r1 * 32 + j_r_0))
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
    mine = int32(t_ & 31)
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
        for line in range(int32(t_ >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part & 3))
            if r_row < N * 32 and column < 62:
                t = int32(uint32(r_row) % uint32(32))
                rest_t = int32(uint32(r_row) // uint32(32))
                n = rest_t
                dot = tiles[uint32(line * 32 + mine)]
                out[uint32(n * 1984 + t * 62 + i)] = params[uint32(b + i)] + dot
        cuda.syncthreads()


@jit
def dense_z_3(params, work, W, b, x, z, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads."""
    # z[n, t, i] = b[i] + Σ_j W[i, j] x[n, t, j]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t_ = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(uint32(block) % uint32(2))
    block = int32(uint32(block) // uint32(2))
    column = int32(column * 32)
    row = block
    row = int32(row * 32)
    term = int32(0)
    stop = int32(32)
    l_at0 = int32(row + (t_ >> 2))
    t_l0 = int32(uint32(l_at0) % uint32(32))
    rest_t_l0 = int32(uint32(l_at0) // uint32(32))
    n_l0 = rest_t_l0
    l_at1 = int32(row + (t_ >> 2) + 16)
    t_l1 = int32(uint32(l_at1) % uint32(32))
    rest_t_l1 = int32(uint32(l_at1) // uint32(32))
    n_l1 = rest_t_l1
    l_put = int32((((t_ & 3) * 4) * 36) + (t_ >> 2))
    r_at0 = int32(column + (t_ >> 2))
    i_r0 = r_at0
    r_at1 = int32(column + (t_ >> 2) + 16)
    i_r1 = r_at1
    r_put = int32(576 + (((t_ & 3) * 4) * 36) + (t_ >> 2))
    high = int32((t_ >> 3) * 4)
    wide = int32((t_ & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + ((t_ & 3) * 4))
    j_l_0 = l_term0
    r_term0 = int32(term + ((t_ & 3) * 4))
    j_r_0 = r_term0
    l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
    if (l_at0 < N * 32) & (l_term0 < stop):
        l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(x + n_l0 * 1024 + t_l0 * 32 + j_l_0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at1 < N * 32) & (l_term0 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(x + n_l1 * 1024 + t_l1 * 32 + j_l_0))
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 62) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W + i_r0 * 32 + j_r_0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at1 < 62) & (r_term0 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W + i_r1 * 32 + j_r_0))
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
        l_term0 = int32(term + ((t_ & 3) * 4))
        j_l_0 = l_term0
        r_term0 = int32(term + ((t_ & 3) * 4))
        j_r_0 = r_term0
        l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
        if (l_at0 < N * 32) & (l_term0 < stop):
            l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(x + n_l0 * 1024 + t_l0 * 32 + j_l_0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at1 < N * 32) & (l_term0 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(x + n_l1 * 1024 + t_l1 * 32 + j_l_0))
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 62) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W + i_r0 * 32 + j_r_0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at1 < 62) & (r_term0 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W + i_r1 * 32 + j_r_0))
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
    mine = int32(t_ & 31)
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
        for line in range(int32(t_ >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part & 3))
            if r_row < N * 32 and column < 62:
                t = int32(uint32(r_row) % uint32(32))
                rest_t = int32(uint32(r_row) // uint32(32))
                n = rest_t
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(z + n * 1984 + t * 62 + i)] = params[uint32(b + i)] + dot
        cuda.syncthreads()


@jit
def dense_grad_W(work, delta, x, parts, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads; the terms in 4 parts."""
    # parts[part, i, j] = Σ_{n, t} delta[n, t, i] x[n, t, j]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t_ = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(0)
    column = int32(column * 32)
    row = int32(uint32(block) % uint32(2))
    block = int32(uint32(block) // uint32(2))
    row = int32(row * 32)
    part = block
    stop = int32((N * 32 + 63) // 64 * 16)
    term = int32(part * stop)
    stop = int32(term + stop)
    stop = int32(N * 32) if stop > N * 32 else stop
    l_at0 = int32(row + (t_ & 31))
    i_l0 = l_at0
    l_put = int32(((t_ >> 5) * 36) + (t_ & 31))
    r_at0 = int32(column + ((t_ & 7) * 4))
    j_r0 = r_at0
    r_put = int32(576 + ((t_ >> 3) * 36) + ((t_ & 7) * 4))
    high = int32((t_ >> 3) * 4)
    wide = int32((t_ & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + (t_ >> 5))
    t_l_0 = int32(uint32(l_term0) % uint32(32))
    rest_t_l_0 = int32(uint32(l_term0) // uint32(32))
    n_l_0 = rest_t_l_0
    l_term1 = int32(term + (t_ >> 5) + 2)
    t_l_1 = int32(uint32(l_term1) % uint32(32))
    rest_t_l_1 = int32(uint32(l_term1) // uint32(32))
    n_l_1 = rest_t_l_1
    l_term2 = int32(term + (t_ >> 5) + 4)
    t_l_2 = int32(uint32(l_term2) % uint32(32))
    rest_t_l_2 = int32(uint32(l_term2) // uint32(32))
    n_l_2 = rest_t_l_2
    l_term3 = int32(term + (t_ >> 5) + 6)
    t_l_3 = int32(uint32(l_term3) % uint32(32))
    rest_t_l_3 = int32(uint32(l_term3) // uint32(32))
    n_l_3 = rest_t_l_3
    l_term4 = int32(term + (t_ >> 5) + 8)
    t_l_4 = int32(uint32(l_term4) % uint32(32))
    rest_t_l_4 = int32(uint32(l_term4) // uint32(32))
    n_l_4 = rest_t_l_4
    l_term5 = int32(term + (t_ >> 5) + 10)
    t_l_5 = int32(uint32(l_term5) % uint32(32))
    rest_t_l_5 = int32(uint32(l_term5) // uint32(32))
    n_l_5 = rest_t_l_5
    l_term6 = int32(term + (t_ >> 5) + 12)
    t_l_6 = int32(uint32(l_term6) % uint32(32))
    rest_t_l_6 = int32(uint32(l_term6) // uint32(32))
    n_l_6 = rest_t_l_6
    l_term7 = int32(term + (t_ >> 5) + 14)
    t_l_7 = int32(uint32(l_term7) % uint32(32))
    rest_t_l_7 = int32(uint32(l_term7) // uint32(32))
    n_l_7 = rest_t_l_7
    r_term0 = int32(term + (t_ >> 3))
    t_r_0 = int32(uint32(r_term0) % uint32(32))
    rest_t_r_0 = int32(uint32(r_term0) // uint32(32))
    n_r_0 = rest_t_r_0
    r_term1 = int32(term + (t_ >> 3) + 8)
    t_r_1 = int32(uint32(r_term1) % uint32(32))
    rest_t_r_1 = int32(uint32(r_term1) // uint32(32))
    n_r_1 = rest_t_r_1
    l0 = zero
    if (l_at0 < 62) & (l_term0 < stop):
        l0 = work[uint32(delta + n_l_0 * 1984 + t_l_0 * 62 + i_l0)]
    l1 = zero
    if (l_at0 < 62) & (l_term1 < stop):
        l1 = work[uint32(delta + n_l_1 * 1984 + t_l_1 * 62 + i_l0)]
    l2 = zero
    if (l_at0 < 62) & (l_term2 < stop):
        l2 = work[uint32(delta + n_l_2 * 1984 + t_l_2 * 62 + i_l0)]
    l3 = zero
    if (l_at0 < 62) & (l_term3 < stop):
        l3 = work[uint32(delta + n_l_3 * 1984 + t_l_3 * 62 + i_l0)]
    l4 = zero
    if (l_at0 < 62) & (l_term4 < stop):
        l4 = work[uint32(delta + n_l_4 * 1984 + t_l_4 * 62 + i_l0)]
    l5 = zero
    if (l_at0 < 62) & (l_term5 < stop):
        l5 = work[uint32(delta + n_l_5 * 1984 + t_l_5 * 62 + i_l0)]
    l6 = zero
    if (l_at0 < 62) & (l_term6 < stop):
        l6 = work[uint32(delta + n_l_6 * 1984 + t_l_6 * 62 + i_l0)]
    l7 = zero
    if (l_at0 < 62) & (l_term7 < stop):
        l7 = work[uint32(delta + n_l_7 * 1984 + t_l_7 * 62 + i_l0)]
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 32) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(work, int32(x + n_r_0 * 1024 + t_r_0 * 32 + j_r0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at0 < 32) & (r_term1 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(work, int32(x + n_r_1 * 1024 + t_r_1 * 32 + j_r0))
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
        l_term0 = int32(term + (t_ >> 5))
        t_l_0 = int32(uint32(l_term0) % uint32(32))
        rest_t_l_0 = int32(uint32(l_term0) // uint32(32))
        n_l_0 = rest_t_l_0
        l_term1 = int32(term + (t_ >> 5) + 2)
        t_l_1 = int32(uint32(l_term1) % uint32(32))
        rest_t_l_1 = int32(uint32(l_term1) // uint32(32))
        n_l_1 = rest_t_l_1
        l_term2 = int32(term + (t_ >> 5) + 4)
        t_l_2 = int32(uint32(l_term2) % uint32(32))
        rest_t_l_2 = int32(uint32(l_term2) // uint32(32))
        n_l_2 = rest_t_l_2
        l_term3 = int32(term + (t_ >> 5) + 6)
        t_l_3 = int32(uint32(l_term3) % uint32(32))
        rest_t_l_3 = int32(uint32(l_term3) // uint32(32))
        n_l_3 = rest_t_l_3
        l_term4 = int32(term + (t_ >> 5) + 8)
        t_l_4 = int32(uint32(l_term4) % uint32(32))
        rest_t_l_4 = int32(uint32(l_term4) // uint32(32))
        n_l_4 = rest_t_l_4
        l_term5 = int32(term + (t_ >> 5) + 10)
        t_l_5 = int32(uint32(l_term5) % uint32(32))
        rest_t_l_5 = int32(uint32(l_term5) // uint32(32))
        n_l_5 = rest_t_l_5
        l_term6 = int32(term + (t_ >> 5) + 12)
        t_l_6 = int32(uint32(l_term6) % uint32(32))
        rest_t_l_6 = int32(uint32(l_term6) // uint32(32))
        n_l_6 = rest_t_l_6
        l_term7 = int32(term + (t_ >> 5) + 14)
        t_l_7 = int32(uint32(l_term7) % uint32(32))
        rest_t_l_7 = int32(uint32(l_term7) // uint32(32))
        n_l_7 = rest_t_l_7
        r_term0 = int32(term + (t_ >> 3))
        t_r_0 = int32(uint32(r_term0) % uint32(32))
        rest_t_r_0 = int32(uint32(r_term0) // uint32(32))
        n_r_0 = rest_t_r_0
        r_term1 = int32(term + (t_ >> 3) + 8)
        t_r_1 = int32(uint32(r_term1) % uint32(32))
        rest_t_r_1 = int32(uint32(r_term1) // uint32(32))
        n_r_1 = rest_t_r_1
        l0 = zero
        if (l_at0 < 62) & (l_term0 < stop):
            l0 = work[uint32(delta + n_l_0 * 1984 + t_l_0 * 62 + i_l0)]
        l1 = zero
        if (l_at0 < 62) & (l_term1 < stop):
            l1 = work[uint32(delta + n_l_1 * 1984 + t_l_1 * 62 + i_l0)]
        l2 = zero
        if (l_at0 < 62) & (l_term2 < stop):
            l2 = work[uint32(delta + n_l_2 * 1984 + t_l_2 * 62 + i_l0)]
        l3 = zero
        if (l_at0 < 62) & (l_term3 < stop):
            l3 = work[uint32(delta + n_l_3 * 1984 + t_l_3 * 62 + i_l0)]
        l4 = zero
        if (l_at0 < 62) & (l_term4 < stop):
            l4 = work[uint32(delta + n_l_4 * 1984 + t_l_4 * 62 + i_l0)]
        l5 = zero
        if (l_at0 < 62) & (l_term5 < stop):
            l5 = work[uint32(delta + n_l_5 * 1984 + t_l_5 * 62 + i_l0)]
        l6 = zero
        if (l_at0 < 62) & (l_term6 < stop):
            l6 = work[uint32(delta + n_l_6 * 1984 + t_l_6 * 62 + i_l0)]
        l7 = zero
        if (l_at0 < 62) & (l_term7 < stop):
            l7 = work[uint32(delta + n_l_7 * 1984 + t_l_7 * 62 + i_l0)]
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 32) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(work, int32(x + n_r_0 * 1024 + t_r_0 * 32 + j_r0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at0 < 32) & (r_term1 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(work, int32(x + n_r_1 * 1024 + t_r_1 * 32 + j_r0))
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
    mine = int32(t_ & 31)
    column = int32(column + mine)
    j = column
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
        for line in range(int32(t_ >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part_ & 3))
            if r_row < 62 and column < 32:
                i = r_row
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(parts + part * 1984 + i * 32 + j)] = dot
        cuda.syncthreads()


@jit
def layernorm_grad_a(params, work, W, delta, grad_a, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads."""
    # grad_a[n, t, j] = Σ_i W[i, j] delta[n, t, i]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t_ = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(0)
    column = int32(column * 32)
    row = block
    row = int32(row * 32)
    term = int32(0)
    stop = int32(62)
    l_at0 = int32(row + (t_ >> 4))
    t_l0 = int32(uint32(l_at0) % uint32(32))
    rest_t_l0 = int32(uint32(l_at0) // uint32(32))
    n_l0 = rest_t_l0
    l_at1 = int32(row + (t_ >> 4) + 4)
    t_l1 = int32(uint32(l_at1) % uint32(32))
    rest_t_l1 = int32(uint32(l_at1) // uint32(32))
    n_l1 = rest_t_l1
    l_at2 = int32(row + (t_ >> 4) + 8)
    t_l2 = int32(uint32(l_at2) % uint32(32))
    rest_t_l2 = int32(uint32(l_at2) // uint32(32))
    n_l2 = rest_t_l2
    l_at3 = int32(row + (t_ >> 4) + 12)
    t_l3 = int32(uint32(l_at3) % uint32(32))
    rest_t_l3 = int32(uint32(l_at3) // uint32(32))
    n_l3 = rest_t_l3
    l_at4 = int32(row + (t_ >> 4) + 16)
    t_l4 = int32(uint32(l_at4) % uint32(32))
    rest_t_l4 = int32(uint32(l_at4) // uint32(32))
    n_l4 = rest_t_l4
    l_at5 = int32(row + (t_ >> 4) + 20)
    t_l5 = int32(uint32(l_at5) % uint32(32))
    rest_t_l5 = int32(uint32(l_at5) // uint32(32))
    n_l5 = rest_t_l5
    l_at6 = int32(row + (t_ >> 4) + 24)
    t_l6 = int32(uint32(l_at6) % uint32(32))
    rest_t_l6 = int32(uint32(l_at6) // uint32(32))
    n_l6 = rest_t_l6
    l_at7 = int32(row + (t_ >> 4) + 28)
    t_l7 = int32(uint32(l_at7) % uint32(32))
    rest_t_l7 = int32(uint32(l_at7) // uint32(32))
    n_l7 = rest_t_l7
    l_put = int32(((t_ & 15) * 36) + (t_ >> 4))
    r_at0 = int32(column + ((t_ & 7) * 4))
    j_r0 = r_at0
    r_put = int32(576 + ((t_ >> 3) * 36) + ((t_ & 7) * 4))
    high = int32((t_ >> 3) * 4)
    wide = int32((t_ & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + (t_ & 15))
    i_l_0 = l_term0
    r_term0 = int32(term + (t_ >> 3))
    i_r_0 = r_term0
    r_term1 = int32(term + (t_ >> 3) + 8)
    i_r_1 = r_term1
    l0 = zero
    if (l_at0 < N * 32) & (l_term0 < stop):
        l0 = work[uint32(delta + n_l0 * 1984 + t_l0 * 62 + i_l_0)]
    l1 = zero
    if (l_at1 < N * 32) & (l_term0 < stop):
        l1 = work[uint32(delta + n_l1 * 1984 + t_l1 * 62 + i_l_0)]
    l2 = zero
    if (l_at2 < N * 32) & (l_term0 < stop):
        l2 = work[uint32(delta + n_l2 * 1984 + t_l2 * 62 + i_l_0)]
    l3 = zero
    if (l_at3 < N * 32) & (l_term0 < stop):
        l3 = work[uint32(delta + n_l3 * 1984 + t_l3 * 62 + i_l_0)]
    l4 = zero
    if (l_at4 < N * 32) & (l_term0 < stop):
        l4 = work[uint32(delta + n_l4 * 1984 + t_l4 * 62 + i_l_0)]
    l5 = zero
    if (l_at5 < N * 32) & (l_term0 < stop):
        l5 = work[uint32(delta + n_l5 * 1984 + t_l5 * 62 + i_l_0)]
    l6 = zero
    if (l_at6 < N * 32) & (l_term0 < stop):
        l6 = work[uint32(delta + n_l6 * 1984 + t_l6 * 62 + i_l_0)]
    l7 = zero
    if (l_at7 < N * 32) & (l_term0 < stop):
        l7 = work[uint32(delta + n_l7 * 1984 + t_l7 * 62 + i_l_0)]
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 32) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W + i_r_0 * 32 + j_r0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at0 < 32) & (r_term1 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W + i_r_1 * 32 + j_r0))
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
        l_term0 = int32(term + (t_ & 15))
        i_l_0 = l_term0
        r_term0 = int32(term + (t_ >> 3))
        i_r_0 = r_term0
        r_term1 = int32(term + (t_ >> 3) + 8)
        i_r_1 = r_term1
        l0 = zero
        if (l_at0 < N * 32) & (l_term0 < stop):
            l0 = work[uint32(delta + n_l0 * 1984 + t_l0 * 62 + i_l_0)]
        l1 = zero
        if (l_at1 < N * 32) & (l_term0 < stop):
            l1 = work[uint32(delta + n_l1 * 1984 + t_l1 * 62 + i_l_0)]
        l2 = zero
        if (l_at2 < N * 32) & (l_term0 < stop):
            l2 = work[uint32(delta + n_l2 * 1984 + t_l2 * 62 + i_l_0)]
        l3 = zero
        if (l_at3 < N * 32) & (l_term0 < stop):
            l3 = work[uint32(delta + n_l3 * 1984 + t_l3 * 62 + i_l_0)]
        l4 = zero
        if (l_at4 < N * 32) & (l_term0 < stop):
            l4 = work[uint32(delta + n_l4 * 1984 + t_l4 * 62 + i_l_0)]
        l5 = zero
        if (l_at5 < N * 32) & (l_term0 < stop):
            l5 = work[uint32(delta + n_l5 * 1984 + t_l5 * 62 + i_l_0)]
        l6 = zero
        if (l_at6 < N * 32) & (l_term0 < stop):
            l6 = work[uint32(delta + n_l6 * 1984 + t_l6 * 62 + i_l_0)]
        l7 = zero
        if (l_at7 < N * 32) & (l_term0 < stop):
            l7 = work[uint32(delta + n_l7 * 1984 + t_l7 * 62 + i_l_0)]
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 32) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W + i_r_0 * 32 + j_r0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at0 < 32) & (r_term1 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W + i_r_1 * 32 + j_r0))
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
    mine = int32(t_ & 31)
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
        for line in range(int32(t_ >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part & 3))
            if r_row < N * 32 and column < 32:
                t = int32(uint32(r_row) % uint32(32))
                rest_t = int32(uint32(r_row) // uint32(32))
                n = rest_t
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(grad_a + n * 1024 + t * 32 + j)] = dot
        cuda.syncthreads()


@jit
def dense_grad_W_3(work, delta, x, parts, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads; the terms in 4 parts."""
    # parts[part, i, j] = Σ_{n, t} delta[n, t, i] x[n, t, j]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t_ = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(uint32(block) % uint32(4))
    block = int32(uint32(block) // uint32(4))
    column = int32(column * 32)
    row = int32(0)
    row = int32(row * 32)
    part = block
    stop = int32((N * 32 + 63) // 64 * 16)
    term = int32(part * stop)
    stop = int32(term + stop)
    stop = int32(N * 32) if stop > N * 32 else stop
    l_at0 = int32(row + ((t_ & 7) * 4))
    i_l0 = l_at0
    l_put = int32(((t_ >> 3) * 36) + ((t_ & 7) * 4))
    r_at0 = int32(column + ((t_ & 7) * 4))
    j_r0 = r_at0
    r_put = int32(576 + ((t_ >> 3) * 36) + ((t_ & 7) * 4))
    high = int32((t_ >> 3) * 4)
    wide = int32((t_ & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + (t_ >> 3))
    t_l_0 = int32(uint32(l_term0) % uint32(32))
    rest_t_l_0 = int32(uint32(l_term0) // uint32(32))
    n_l_0 = rest_t_l_0
    l_term1 = int32(term + (t_ >> 3) + 8)
    t_l_1 = int32(uint32(l_term1) % uint32(32))
    rest_t_l_1 = int32(uint32(l_term1) // uint32(32))
    n_l_1 = rest_t_l_1
    r_term0 = int32(term + (t_ >> 3))
    t_r_0 = int32(uint32(r_term0) % uint32(32))
    rest_t_r_0 = int32(uint32(r_term0) // uint32(32))
    n_r_0 = rest_t_r_0
    r_term1 = int32(term + (t_ >> 3) + 8)
    t_r_1 = int32(uint32(r_term1) % uint32(32))
    rest_t_r_1 = int32(uint32(r_term1) // uint32(32))
    n_r_1 = rest_t_r_1
    l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
    if (l_at0 < 32) & (l_term0 < stop):
        l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(delta + n_l_0 * 1024 + t_l_0 * 32 + i_l0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at0 < 32) & (l_term1 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(delta + n_l_1 * 1024 + t_l_1 * 32 + i_l0))
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 128) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(work, int32(x + n_r_0 * 4096 + t_r_0 * 128 + j_r0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at0 < 128) & (r_term1 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(work, int32(x + n_r_1 * 4096 + t_r_1 * 128 + j_r0))
    while term < stop:
        l_to = uint64(here + l_put)
        st4(tiles, l_to, l0_0, l0_1, l0_2, l0_3)
        st4(tiles, l_to + uint64(288), l1_0, l1_1, l1_2, l1_3)
        r_to = uint64(here + r_put)
        st4(tiles, r_to, r0_0, r0_1, r0_2, r0_3)
        st4(tiles, r_to + uint64(288), r1_0, r1_1, r1_2, r1_3)
        cuda.syncthreads()
        term = int32(term + 16)
        l_term0 = int32(term + (t_ >> 3))
        t_l_0 = int32(uint32(l_term0) % uint32(32))
        rest_t_l_0 = int32(uint32(l_term0) // uint32(32))
        n_l_0 = rest_t_l_0
        l_term1 = int32(term + (t_ >> 3) + 8)
        t_l_1 = int32(uint32(l_term1) % uint32(32))
        rest_t_l_1 = int32(uint32(l_term1) // uint32(32))
        n_l_1 = rest_t_l_1
        r_term0 = int32(term + (t_ >> 3))
        t_r_0 = int32(uint32(r_term0) % uint32(32))
        rest_t_r_0 = int32(uint32(r_term0) // uint32(32))
        n_r_0 = rest_t_r_0
        r_term1 = int32(term + (t_ >> 3) + 8)
        t_r_1 = int32(uint32(r_term1) % uint32(32))
        rest_t_r_1 = int32(uint32(r_term1) // uint32(32))
        n_r_1 = rest_t_r_1
        l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
        if (l_at0 < 32) & (l_term0 < stop):
            l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(delta + n_l_0 * 1024 + t_l_0 * 32 + i_l0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at0 < 32) & (l_term1 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(delta + n_l_1 * 1024 + t_l_1 * 32 + i_l0))
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 128) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(work, int32(x + n_r_0 * 4096 + t_r_0 * 128 + j_r0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at0 < 128) & (r_term1 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(work, int32(x + n_r_1 * 4096 + t_r_1 * 128 + j_r0))
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
    mine = int32(t_ & 31)
    column = int32(column + mine)
    j = column
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
        for line in range(int32(t_ >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part_ & 3))
            if r_row < 32 and column < 128:
                i = r_row
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(parts + part * 4096 + i * 128 + j)] = dot
        cuda.syncthreads()


@jit
def dense_delta_3(params, work, W_next, delta_next, z, delta, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads."""
    # delta[n, t, i] = (1/2 + erf(√2 z[n, t, i]/2)/2 + √2 z[n, t, i] exp(−z[n, t, i]²/2)/(2 √π)) · Σ_j W_next[j, i] delta_next[n, t, j]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t_ = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(uint32(block) % uint32(4))
    block = int32(uint32(block) // uint32(4))
    column = int32(column * 32)
    row = block
    row = int32(row * 32)
    term = int32(0)
    stop = int32(32)
    l_at0 = int32(row + (t_ >> 2))
    t_l0 = int32(uint32(l_at0) % uint32(32))
    rest_t_l0 = int32(uint32(l_at0) // uint32(32))
    n_l0 = rest_t_l0
    l_at1 = int32(row + (t_ >> 2) + 16)
    t_l1 = int32(uint32(l_at1) % uint32(32))
    rest_t_l1 = int32(uint32(l_at1) // uint32(32))
    n_l1 = rest_t_l1
    l_put = int32((((t_ & 3) * 4) * 36) + (t_ >> 2))
    r_at0 = int32(column + ((t_ & 7) * 4))
    i_r0 = r_at0
    r_put = int32(576 + ((t_ >> 3) * 36) + ((t_ & 7) * 4))
    high = int32((t_ >> 3) * 4)
    wide = int32((t_ & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + ((t_ & 3) * 4))
    j_l_0 = l_term0
    r_term0 = int32(term + (t_ >> 3))
    j_r_0 = r_term0
    r_term1 = int32(term + (t_ >> 3) + 8)
    j_r_1 = r_term1
    l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
    if (l_at0 < N * 32) & (l_term0 < stop):
        l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(delta_next + n_l0 * 1024 + t_l0 * 32 + j_l_0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at1 < N * 32) & (l_term0 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(delta_next + n_l1 * 1024 + t_l1 * 32 + j_l_0))
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 128) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W_next + j_r_0 * 128 + i_r0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at0 < 128) & (r_term1 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W_next + j_r_1 * 128 + i_r0))
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
        st4(tiles, r_to, r0_0, r0_1, r0_2, r0_3)
        st4(tiles, r_to + uint64(288), r1_0, r1_1, r1_2, r1_3)
        cuda.syncthreads()
        term = int32(term + 16)
        l_term0 = int32(term + ((t_ & 3) * 4))
        j_l_0 = l_term0
        r_term0 = int32(term + (t_ >> 3))
        j_r_0 = r_term0
        r_term1 = int32(term + (t_ >> 3) + 8)
        j_r_1 = r_term1
        l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
        if (l_at0 < N * 32) & (l_term0 < stop):
            l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(delta_next + n_l0 * 1024 + t_l0 * 32 + j_l_0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at1 < N * 32) & (l_term0 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(delta_next + n_l1 * 1024 + t_l1 * 32 + j_l_0))
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 128) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W_next + j_r_0 * 128 + i_r0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at0 < 128) & (r_term1 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W_next + j_r_1 * 128 + i_r0))
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
    mine = int32(t_ & 31)
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
        for line in range(int32(t_ >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part & 3))
            if r_row < N * 32 and column < 128:
                t = int32(uint32(r_row) % uint32(32))
                rest_t = int32(uint32(r_row) // uint32(32))
                n = rest_t
                dot = tiles[uint32(line * 32 + mine)]
                t__ = math.sqrt(real(2.0)) * work[uint32(z + n * 4096 + t * 128 + i)] / real(2.0)
                work[uint32(delta + n * 4096 + t * 128 + i)] = (
                    (real(0.5) + math.erf(t__) / real(2.0) + t__ * math.exp(-work[uint32(z + n * 4096 + t * 128 + i)] * work[uint32(z + n
                    * 4096 + t * 128 + i)] / real(2.0)) / math.sqrt(real(3.141592653589793))) * dot
                )
        cuda.syncthreads()


@jit
def dense_grad_W_5(work, delta, x, parts, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads; the terms in 4 parts."""
    # parts[part, i, j] = Σ_{n, t} delta[n, t, i] x[n, t, j]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t_ = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(0)
    column = int32(column * 32)
    row = int32(uint32(block) % uint32(4))
    block = int32(uint32(block) // uint32(4))
    row = int32(row * 32)
    part = block
    stop = int32((N * 32 + 63) // 64 * 16)
    term = int32(part * stop)
    stop = int32(term + stop)
    stop = int32(N * 32) if stop > N * 32 else stop
    l_at0 = int32(row + ((t_ & 7) * 4))
    i_l0 = l_at0
    l_put = int32(((t_ >> 3) * 36) + ((t_ & 7) * 4))
    r_at0 = int32(column + ((t_ & 7) * 4))
    j_r0 = r_at0
    r_put = int32(576 + ((t_ >> 3) * 36) + ((t_ & 7) * 4))
    high = int32((t_ >> 3) * 4)
    wide = int32((t_ & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + (t_ >> 3))
    t_l_0 = int32(uint32(l_term0) % uint32(32))
    rest_t_l_0 = int32(uint32(l_term0) // uint32(32))
    n_l_0 = rest_t_l_0
    l_term1 = int32(term + (t_ >> 3) + 8)
    t_l_1 = int32(uint32(l_term1) % uint32(32))
    rest_t_l_1 = int32(uint32(l_term1) // uint32(32))
    n_l_1 = rest_t_l_1
    r_term0 = int32(term + (t_ >> 3))
    t_r_0 = int32(uint32(r_term0) % uint32(32))
    rest_t_r_0 = int32(uint32(r_term0) // uint32(32))
    n_r_0 = rest_t_r_0
    r_term1 = int32(term + (t_ >> 3) + 8)
    t_r_1 = int32(uint32(r_term1) % uint32(32))
    rest_t_r_1 = int32(uint32(r_term1) // uint32(32))
    n_r_1 = rest_t_r_1
    l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
    if (l_at0 < 128) & (l_term0 < stop):
        l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(delta + n_l_0 * 4096 + t_l_0 * 128 + i_l0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at0 < 128) & (l_term1 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(delta + n_l_1 * 4096 + t_l_1 * 128 + i_l0))
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 32) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(work, int32(x + n_r_0 * 1024 + t_r_0 * 32 + j_r0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at0 < 32) & (r_term1 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(work, int32(x + n_r_1 * 1024 + t_r_1 * 32 + j_r0))
    while term < stop:
        l_to = uint64(here + l_put)
        st4(tiles, l_to, l0_0, l0_1, l0_2, l0_3)
        st4(tiles, l_to + uint64(288), l1_0, l1_1, l1_2, l1_3)
        r_to = uint64(here + r_put)
        st4(tiles, r_to, r0_0, r0_1, r0_2, r0_3)
        st4(tiles, r_to + uint64(288), r1_0, r1_1, r1_2, r1_3)
        cuda.syncthreads()
        term = int32(term + 16)
        l_term0 = int32(term + (t_ >> 3))
        t_l_0 = int32(uint32(l_term0) % uint32(32))
        rest_t_l_0 = int32(uint32(l_term0) // uint32(32))
        n_l_0 = rest_t_l_0
        l_term1 = int32(term + (t_ >> 3) + 8)
        t_l_1 = int32(uint32(l_term1) % uint32(32))
        rest_t_l_1 = int32(uint32(l_term1) // uint32(32))
        n_l_1 = rest_t_l_1
        r_term0 = int32(term + (t_ >> 3))
        t_r_0 = int32(uint32(r_term0) % uint32(32))
        rest_t_r_0 = int32(uint32(r_term0) // uint32(32))
        n_r_0 = rest_t_r_0
        r_term1 = int32(term + (t_ >> 3) + 8)
        t_r_1 = int32(uint32(r_term1) % uint32(32))
        rest_t_r_1 = int32(uint32(r_term1) // uint32(32))
        n_r_1 = rest_t_r_1
        l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
        if (l_at0 < 128) & (l_term0 < stop):
            l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(delta + n_l_0 * 4096 + t_l_0 * 128 + i_l0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at0 < 128) & (l_term1 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(delta + n_l_1 * 4096 + t_l_1 * 128 + i_l0))
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 32) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(work, int32(x + n_r_0 * 1024 + t_r_0 * 32 + j_r0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at0 < 32) & (r_term1 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(work, int32(x + n_r_1 * 1024 + t_r_1 * 32 + j_r0))
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
    mine = int32(t_ & 31)
    column = int32(column + mine)
    j = column
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
        for line in range(int32(t_ >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part_ & 3))
            if r_row < 128 and column < 32:
                i = r_row
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(parts + part * 4096 + i * 32 + j)] = dot
        cuda.syncthreads()


@jit
def layernorm_grad_a_3(params, work, W, delta, grad_a, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads."""
    # grad_a[n, t, j] = Σ_i W[i, j] delta[n, t, i]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t_ = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(0)
    column = int32(column * 32)
    row = block
    row = int32(row * 32)
    term = int32(0)
    stop = int32(128)
    l_at0 = int32(row + (t_ >> 2))
    t_l0 = int32(uint32(l_at0) % uint32(32))
    rest_t_l0 = int32(uint32(l_at0) // uint32(32))
    n_l0 = rest_t_l0
    l_at1 = int32(row + (t_ >> 2) + 16)
    t_l1 = int32(uint32(l_at1) % uint32(32))
    rest_t_l1 = int32(uint32(l_at1) // uint32(32))
    n_l1 = rest_t_l1
    l_put = int32((((t_ & 3) * 4) * 36) + (t_ >> 2))
    r_at0 = int32(column + ((t_ & 7) * 4))
    j_r0 = r_at0
    r_put = int32(576 + ((t_ >> 3) * 36) + ((t_ & 7) * 4))
    high = int32((t_ >> 3) * 4)
    wide = int32((t_ & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + ((t_ & 3) * 4))
    i_l_0 = l_term0
    r_term0 = int32(term + (t_ >> 3))
    i_r_0 = r_term0
    r_term1 = int32(term + (t_ >> 3) + 8)
    i_r_1 = r_term1
    l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
    if (l_at0 < N * 32) & (l_term0 < stop):
        l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(delta + n_l0 * 4096 + t_l0 * 128 + i_l_0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at1 < N * 32) & (l_term0 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(delta + n_l1 * 4096 + t_l1 * 128 + i_l_0))
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 32) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W + i_r_0 * 32 + j_r0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at0 < 32) & (r_term1 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W + i_r_1 * 32 + j_r0))
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
        st4(tiles, r_to, r0_0, r0_1, r0_2, r0_3)
        st4(tiles, r_to + uint64(288), r1_0, r1_1, r1_2, r1_3)
        cuda.syncthreads()
        term = int32(term + 16)
        l_term0 = int32(term + ((t_ & 3) * 4))
        i_l_0 = l_term0
        r_term0 = int32(term + (t_ >> 3))
        i_r_0 = r_term0
        r_term1 = int32(term + (t_ >> 3) + 8)
        i_r_1 = r_term1
        l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
        if (l_at0 < N * 32) & (l_term0 < stop):
            l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(delta + n_l0 * 4096 + t_l0 * 128 + i_l_0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at1 < N * 32) & (l_term0 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(delta + n_l1 * 4096 + t_l1 * 128 + i_l_0))
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 32) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W + i_r_0 * 32 + j_r0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at0 < 32) & (r_term1 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W + i_r_1 * 32 + j_r0))
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
    mine = int32(t_ & 31)
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
        for line in range(int32(t_ >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part & 3))
            if r_row < N * 32 and column < 32:
                t = int32(uint32(r_row) % uint32(32))
                rest_t = int32(uint32(r_row) // uint32(32))
                n = rest_t
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(grad_a + n * 1024 + t * 32 + j)] = dot
        cuda.syncthreads()


@jit
def attention_grad_W_o(work, O, grad_a, parts, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads; the terms in 4 parts."""
    # parts[part, i, j] = Σ_{n, t} grad_a[n, t, i] O[n, floor(j/8), t, j mod 8]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t_ = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(0)
    column = int32(column * 32)
    row = int32(0)
    row = int32(row * 32)
    part = block
    stop = int32((N * 32 + 63) // 64 * 16)
    term = int32(part * stop)
    stop = int32(term + stop)
    stop = int32(N * 32) if stop > N * 32 else stop
    l_at0 = int32(row + ((t_ & 7) * 4))
    i_l0 = l_at0
    l_put = int32(((t_ >> 3) * 36) + ((t_ & 7) * 4))
    r_at0 = int32(column + (t_ & 31))
    j_r0 = r_at0
    r_put = int32(576 + ((t_ >> 5) * 36) + (t_ & 31))
    high = int32((t_ >> 3) * 4)
    wide = int32((t_ & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + (t_ >> 3))
    t_l_0 = int32(uint32(l_term0) % uint32(32))
    rest_t_l_0 = int32(uint32(l_term0) // uint32(32))
    n_l_0 = rest_t_l_0
    l_term1 = int32(term + (t_ >> 3) + 8)
    t_l_1 = int32(uint32(l_term1) % uint32(32))
    rest_t_l_1 = int32(uint32(l_term1) // uint32(32))
    n_l_1 = rest_t_l_1
    r_term0 = int32(term + (t_ >> 5))
    t_r_0 = int32(uint32(r_term0) % uint32(32))
    rest_t_r_0 = int32(uint32(r_term0) // uint32(32))
    n_r_0 = rest_t_r_0
    r_term1 = int32(term + (t_ >> 5) + 2)
    t_r_1 = int32(uint32(r_term1) % uint32(32))
    rest_t_r_1 = int32(uint32(r_term1) // uint32(32))
    n_r_1 = rest_t_r_1
    r_term2 = int32(term + (t_ >> 5) + 4)
    t_r_2 = int32(uint32(r_term2) % uint32(32))
    rest_t_r_2 = int32(uint32(r_term2) // uint32(32))
    n_r_2 = rest_t_r_2
    r_term3 = int32(term + (t_ >> 5) + 6)
    t_r_3 = int32(uint32(r_term3) % uint32(32))
    rest_t_r_3 = int32(uint32(r_term3) // uint32(32))
    n_r_3 = rest_t_r_3
    r_term4 = int32(term + (t_ >> 5) + 8)
    t_r_4 = int32(uint32(r_term4) % uint32(32))
    rest_t_r_4 = int32(uint32(r_term4) // uint32(32))
    n_r_4 = rest_t_r_4
    r_term5 = int32(term + (t_ >> 5) + 10)
    t_r_5 = int32(uint32(r_term5) % uint32(32))
    rest_t_r_5 = int32(uint32(r_term5) // uint32(32))
    n_r_5 = rest_t_r_5
    r_term6 = int32(term + (t_ >> 5) + 12)
    t_r_6 = int32(uint32(r_term6) % uint32(32))
    rest_t_r_6 = int32(uint32(r_term6) // uint32(32))
    n_r_6 = rest_t_r_6
    r_term7 = int32(term + (t_ >> 5) + 14)
    t_r_7 = int32(uint32(r_term7) % uint32(32))
    rest_t_r_7 = int32(uint32(r_term7) // uint32(32))
    n_r_7 = rest_t_r_7
    l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
    if (l_at0 < 32) & (l_term0 < stop):
        l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(grad_a + n_l_0 * 1024 + t_l_0 * 32 + i_l0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at0 < 32) & (l_term1 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(grad_a + n_l_1 * 1024 + t_l_1 * 32 + i_l0))
    r0 = zero
    if (r_at0 < 32) & (r_term0 < stop):
        r0 = work[uint32(O + n_r_0 * 1024 + (j_r0 // int32(8)) * 256 + t_r_0 * 8 + (j_r0 % int32(8)))]
    r1 = zero
    if (r_at0 < 32) & (r_term1 < stop):
        r1 = work[uint32(O + n_r_1 * 1024 + (j_r0 // int32(8)) * 256 + t_r_1 * 8 + (j_r0 % int32(8)))]
    r2 = zero
    if (r_at0 < 32) & (r_term2 < stop):
        r2 = work[uint32(O + n_r_2 * 1024 + (j_r0 // int32(8)) * 256 + t_r_2 * 8 + (j_r0 % int32(8)))]
    r3 = zero
    if (r_at0 < 32) & (r_term3 < stop):
        r3 = work[uint32(O + n_r_3 * 1024 + (j_r0 // int32(8)) * 256 + t_r_3 * 8 + (j_r0 % int32(8)))]
    r4 = zero
    if (r_at0 < 32) & (r_term4 < stop):
        r4 = work[uint32(O + n_r_4 * 1024 + (j_r0 // int32(8)) * 256 + t_r_4 * 8 + (j_r0 % int32(8)))]
    r5 = zero
    if (r_at0 < 32) & (r_term5 < stop):
        r5 = work[uint32(O + n_r_5 * 1024 + (j_r0 // int32(8)) * 256 + t_r_5 * 8 + (j_r0 % int32(8)))]
    r6 = zero
    if (r_at0 < 32) & (r_term6 < stop):
        r6 = work[uint32(O + n_r_6 * 1024 + (j_r0 // int32(8)) * 256 + t_r_6 * 8 + (j_r0 % int32(8)))]
    r7 = zero
    if (r_at0 < 32) & (r_term7 < stop):
        r7 = work[uint32(O + n_r_7 * 1024 + (j_r0 // int32(8)) * 256 + t_r_7 * 8 + (j_r0 % int32(8)))]
    while term < stop:
        l_to = uint64(here + l_put)
        st4(tiles, l_to, l0_0, l0_1, l0_2, l0_3)
        st4(tiles, l_to + uint64(288), l1_0, l1_1, l1_2, l1_3)
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
        l_term0 = int32(term + (t_ >> 3))
        t_l_0 = int32(uint32(l_term0) % uint32(32))
        rest_t_l_0 = int32(uint32(l_term0) // uint32(32))
        n_l_0 = rest_t_l_0
        l_term1 = int32(term + (t_ >> 3) + 8)
        t_l_1 = int32(uint32(l_term1) % uint32(32))
        rest_t_l_1 = int32(uint32(l_term1) // uint32(32))
        n_l_1 = rest_t_l_1
        r_term0 = int32(term + (t_ >> 5))
        t_r_0 = int32(uint32(r_term0) % uint32(32))
        rest_t_r_0 = int32(uint32(r_term0) // uint32(32))
        n_r_0 = rest_t_r_0
        r_term1 = int32(term + (t_ >> 5) + 2)
        t_r_1 = int32(uint32(r_term1) % uint32(32))
        rest_t_r_1 = int32(uint32(r_term1) // uint32(32))
        n_r_1 = rest_t_r_1
        r_term2 = int32(term + (t_ >> 5) + 4)
        t_r_2 = int32(uint32(r_term2) % uint32(32))
        rest_t_r_2 = int32(uint32(r_term2) // uint32(32))
        n_r_2 = rest_t_r_2
        r_term3 = int32(term + (t_ >> 5) + 6)
        t_r_3 = int32(uint32(r_term3) % uint32(32))
        rest_t_r_3 = int32(uint32(r_term3) // uint32(32))
        n_r_3 = rest_t_r_3
        r_term4 = int32(term + (t_ >> 5) + 8)
        t_r_4 = int32(uint32(r_term4) % uint32(32))
        rest_t_r_4 = int32(uint32(r_term4) // uint32(32))
        n_r_4 = rest_t_r_4
        r_term5 = int32(term + (t_ >> 5) + 10)
        t_r_5 = int32(uint32(r_term5) % uint32(32))
        rest_t_r_5 = int32(uint32(r_term5) // uint32(32))
        n_r_5 = rest_t_r_5
        r_term6 = int32(term + (t_ >> 5) + 12)
        t_r_6 = int32(uint32(r_term6) % uint32(32))
        rest_t_r_6 = int32(uint32(r_term6) // uint32(32))
        n_r_6 = rest_t_r_6
        r_term7 = int32(term + (t_ >> 5) + 14)
        t_r_7 = int32(uint32(r_term7) % uint32(32))
        rest_t_r_7 = int32(uint32(r_term7) // uint32(32))
        n_r_7 = rest_t_r_7
        l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
        if (l_at0 < 32) & (l_term0 < stop):
            l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(grad_a + n_l_0 * 1024 + t_l_0 * 32 + i_l0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at0 < 32) & (l_term1 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(grad_a + n_l_1 * 1024 + t_l_1 * 32 + i_l0))
        r0 = zero
        if (r_at0 < 32) & (r_term0 < stop):
            r0 = work[uint32(O + n_r_0 * 1024 + (j_r0 // int32(8)) * 256 + t_r_0 * 8 + (j_r0 % int32(8)))]
        r1 = zero
        if (r_at0 < 32) & (r_term1 < stop):
            r1 = work[uint32(O + n_r_1 * 1024 + (j_r0 // int32(8)) * 256 + t_r_1 * 8 + (j_r0 % int32(8)))]
        r2 = zero
        if (r_at0 < 32) & (r_term2 < stop):
            r2 = work[uint32(O + n_r_2 * 1024 + (j_r0 // int32(8)) * 256 + t_r_2 * 8 + (j_r0 % int32(8)))]
        r3 = zero
        if (r_at0 < 32) & (r_term3 < stop):
            r3 = work[uint32(O + n_r_3 * 1024 + (j_r0 // int32(8)) * 256 + t_r_3 * 8 + (j_r0 % int32(8)))]
        r4 = zero
        if (r_at0 < 32) & (r_term4 < stop):
            r4 = work[uint32(O + n_r_4 * 1024 + (j_r0 // int32(8)) * 256 + t_r_4 * 8 + (j_r0 % int32(8)))]
        r5 = zero
        if (r_at0 < 32) & (r_term5 < stop):
            r5 = work[uint32(O + n_r_5 * 1024 + (j_r0 // int32(8)) * 256 + t_r_5 * 8 + (j_r0 % int32(8)))]
        r6 = zero
        if (r_at0 < 32) & (r_term6 < stop):
            r6 = work[uint32(O + n_r_6 * 1024 + (j_r0 // int32(8)) * 256 + t_r_6 * 8 + (j_r0 % int32(8)))]
        r7 = zero
        if (r_at0 < 32) & (r_term7 < stop):
            r7 = work[uint32(O + n_r_7 * 1024 + (j_r0 // int32(8)) * 256 + t_r_7 * 8 + (j_r0 % int32(8)))]
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
    mine = int32(t_ & 31)
    column = int32(column + mine)
    j = column
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
        for line in range(int32(t_ >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part_ & 3))
            if r_row < 32 and column < 32:
                i = r_row
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(parts + part * 1024 + i * 32 + j)] = dot
        cuda.syncthreads()


@jit
def attention_grad_O(params, work, W_o, grad_a, grad_O, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads."""
    # grad_O[n, h, t, d] = Σ_i W_o[i, 8 h + d] grad_a[n, t, i]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t_ = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(0)
    column = int32(column * 32)
    row = block
    row = int32(row * 32)
    term = int32(0)
    stop = int32(32)
    l_at0 = int32(row + (t_ >> 2))
    t_l0 = int32(uint32(l_at0) % uint32(32))
    rest_t_l0 = int32(uint32(l_at0) // uint32(32))
    n_l0 = rest_t_l0
    l_at1 = int32(row + (t_ >> 2) + 16)
    t_l1 = int32(uint32(l_at1) % uint32(32))
    rest_t_l1 = int32(uint32(l_at1) // uint32(32))
    n_l1 = rest_t_l1
    l_put = int32((((t_ & 3) * 4) * 36) + (t_ >> 2))
    r_at0 = int32(column + ((t_ & 7) * 4))
    d_r0 = int32(uint32(r_at0) % uint32(8))
    rest_d_r0 = int32(uint32(r_at0) // uint32(8))
    h_r0 = rest_d_r0
    r_put = int32(576 + ((t_ >> 3) * 36) + ((t_ & 7) * 4))
    high = int32((t_ >> 3) * 4)
    wide = int32((t_ & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + ((t_ & 3) * 4))
    i_l_0 = l_term0
    r_term0 = int32(term + (t_ >> 3))
    i_r_0 = r_term0
    r_term1 = int32(term + (t_ >> 3) + 8)
    i_r_1 = r_term1
    l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
    if (l_at0 < N * 32) & (l_term0 < stop):
        l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(grad_a + n_l0 * 1024 + t_l0 * 32 + i_l_0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at1 < N * 32) & (l_term0 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(grad_a + n_l1 * 1024 + t_l1 * 32 + i_l_0))
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 32) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W_o + i_r_0 * 32 + (8 * h_r0 + d_r0)))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at0 < 32) & (r_term1 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W_o + i_r_1 * 32 + (8 * h_r0 + d_r0)))
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
        st4(tiles, r_to, r0_0, r0_1, r0_2, r0_3)
        st4(tiles, r_to + uint64(288), r1_0, r1_1, r1_2, r1_3)
        cuda.syncthreads()
        term = int32(term + 16)
        l_term0 = int32(term + ((t_ & 3) * 4))
        i_l_0 = l_term0
        r_term0 = int32(term + (t_ >> 3))
        i_r_0 = r_term0
        r_term1 = int32(term + (t_ >> 3) + 8)
        i_r_1 = r_term1
        l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
        if (l_at0 < N * 32) & (l_term0 < stop):
            l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(grad_a + n_l0 * 1024 + t_l0 * 32 + i_l_0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at1 < N * 32) & (l_term0 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(grad_a + n_l1 * 1024 + t_l1 * 32 + i_l_0))
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 32) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W_o + i_r_0 * 32 + (8 * h_r0 + d_r0)))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at0 < 32) & (r_term1 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W_o + i_r_1 * 32 + (8 * h_r0 + d_r0)))
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
    mine = int32(t_ & 31)
    column = int32(column + mine)
    d = int32(uint32(column) % uint32(8))
    rest_d = int32(uint32(column) // uint32(8))
    h = rest_d
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
        for line in range(int32(t_ >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part & 3))
            if r_row < N * 32 and column < 32:
                t = int32(uint32(r_row) % uint32(32))
                rest_t = int32(uint32(r_row) // uint32(32))
                n = rest_t
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(grad_O + n * 1024 + h * 256 + t * 8 + d)] = dot
        cuda.syncthreads()


@jit
def attention_grad_P(work, V, grad_O, grad_P, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads."""
    # grad_P[n, h, t, s] = Σ_d V[n, h, s, d] grad_O[n, h, t, d]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t_ = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(0)
    column = int32(column * 32)
    row = int32(0)
    row = int32(row * 32)
    h = int32(uint32(block) % uint32(4))
    rest_h = int32(uint32(block) // uint32(4))
    n = rest_h
    term = int32(0)
    stop = int32(8)
    l_at0 = int32(row + (t_ >> 2))
    t_l0 = l_at0
    l_at1 = int32(row + (t_ >> 2) + 16)
    t_l1 = l_at1
    l_put = int32((((t_ & 3) * 4) * 36) + (t_ >> 2))
    r_at0 = int32(column + (t_ >> 2))
    s_r0 = r_at0
    r_at1 = int32(column + (t_ >> 2) + 16)
    s_r1 = r_at1
    r_put = int32(576 + (((t_ & 3) * 4) * 36) + (t_ >> 2))
    high = int32((t_ >> 3) * 4)
    wide = int32((t_ & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + ((t_ & 3) * 4))
    d_l_0 = l_term0
    r_term0 = int32(term + ((t_ & 3) * 4))
    d_r_0 = r_term0
    l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
    if (l_at0 < 32) & (l_term0 < stop):
        l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(grad_O + n * 1024 + h * 256 + t_l0 * 8 + d_l_0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at1 < 32) & (l_term0 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(grad_O + n * 1024 + h * 256 + t_l1 * 8 + d_l_0))
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 32) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(work, int32(V + n * 1024 + h * 256 + s_r0 * 8 + d_r_0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at1 < 32) & (r_term0 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(work, int32(V + n * 1024 + h * 256 + s_r1 * 8 + d_r_0))
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
        l_term0 = int32(term + ((t_ & 3) * 4))
        d_l_0 = l_term0
        r_term0 = int32(term + ((t_ & 3) * 4))
        d_r_0 = r_term0
        l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
        if (l_at0 < 32) & (l_term0 < stop):
            l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(grad_O + n * 1024 + h * 256 + t_l0 * 8 + d_l_0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at1 < 32) & (l_term0 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(grad_O + n * 1024 + h * 256 + t_l1 * 8 + d_l_0))
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 32) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(work, int32(V + n * 1024 + h * 256 + s_r0 * 8 + d_r_0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at1 < 32) & (r_term0 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(work, int32(V + n * 1024 + h * 256 + s_r1 * 8 + d_r_0))
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
    mine = int32(t_ & 31)
    column = int32(column + mine)
    s = column
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
        for line in range(int32(t_ >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part & 3))
            if r_row < 32 and column < 32:
                t = r_row
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(grad_P + n * 4096 + h * 1024 + t * 32 + s)] = dot
        cuda.syncthreads()


@jit
def attention_grad_V(work, P, grad_O, grad_V, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads."""
    # grad_V[n, h, t, d] = Σ_i P[n, h, i, t] grad_O[n, h, i, d]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t_ = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(0)
    column = int32(column * 32)
    row = int32(0)
    row = int32(row * 32)
    h = int32(uint32(block) % uint32(4))
    rest_h = int32(uint32(block) // uint32(4))
    n = rest_h
    term = int32(0)
    stop = int32(32)
    l_at0 = int32(row + ((t_ & 7) * 4))
    t_l0 = l_at0
    l_put = int32(((t_ >> 3) * 36) + ((t_ & 7) * 4))
    r_at0 = int32(column + ((t_ & 7) * 4))
    d_r0 = r_at0
    r_put = int32(576 + ((t_ >> 3) * 36) + ((t_ & 7) * 4))
    high = int32((t_ >> 3) * 4)
    wide = int32((t_ & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + (t_ >> 3))
    i_l_0 = l_term0
    l_term1 = int32(term + (t_ >> 3) + 8)
    i_l_1 = l_term1
    r_term0 = int32(term + (t_ >> 3))
    i_r_0 = r_term0
    r_term1 = int32(term + (t_ >> 3) + 8)
    i_r_1 = r_term1
    l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
    if (l_at0 < 32) & (l_term0 < stop):
        l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(P + n * 4096 + h * 1024 + i_l_0 * 32 + t_l0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at0 < 32) & (l_term1 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(P + n * 4096 + h * 1024 + i_l_1 * 32 + t_l0))
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 8) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(work, int32(grad_O + n * 1024 + h * 256 + i_r_0 * 8 + d_r0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at0 < 8) & (r_term1 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(work, int32(grad_O + n * 1024 + h * 256 + i_r_1 * 8 + d_r0))
    while term < stop:
        l_to = uint64(here + l_put)
        st4(tiles, l_to, l0_0, l0_1, l0_2, l0_3)
        st4(tiles, l_to + uint64(288), l1_0, l1_1, l1_2, l1_3)
        r_to = uint64(here + r_put)
        st4(tiles, r_to, r0_0, r0_1, r0_2, r0_3)
        st4(tiles, r_to + uint64(288), r1_0, r1_1, r1_2, r1_3)
        cuda.syncthreads()
        term = int32(term + 16)
        l_term0 = int32(term + (t_ >> 3))
        i_l_0 = l_term0
        l_term1 = int32(term + (t_ >> 3) + 8)
        i_l_1 = l_term1
        r_term0 = int32(term + (t_ >> 3))
        i_r_0 = r_term0
        r_term1 = int32(term + (t_ >> 3) + 8)
        i_r_1 = r_term1
        l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
        if (l_at0 < 32) & (l_term0 < stop):
            l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(P + n * 4096 + h * 1024 + i_l_0 * 32 + t_l0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at0 < 32) & (l_term1 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(P + n * 4096 + h * 1024 + i_l_1 * 32 + t_l0))
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 8) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(work, int32(grad_O + n * 1024 + h * 256 + i_r_0 * 8 + d_r0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at0 < 8) & (r_term1 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(work, int32(grad_O + n * 1024 + h * 256 + i_r_1 * 8 + d_r0))
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
    mine = int32(t_ & 31)
    column = int32(column + mine)
    d = column
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
        for line in range(int32(t_ >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part & 3))
            if r_row < 32 and column < 8:
                t = r_row
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(grad_V + n * 1024 + h * 256 + t * 8 + d)] = dot
        cuda.syncthreads()


@jit
def attention_grad_W_v(work, grad_V, x, parts, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads; the terms in 4 parts."""
    # parts[part, i, j] = Σ_{n, t} x[n, t, j] grad_V[n, floor(i/8), t, i mod 8]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t_ = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(0)
    column = int32(column * 32)
    row = int32(0)
    row = int32(row * 32)
    part = block
    stop = int32((N * 32 + 63) // 64 * 16)
    term = int32(part * stop)
    stop = int32(term + stop)
    stop = int32(N * 32) if stop > N * 32 else stop
    l_at0 = int32(row + (t_ & 31))
    i_l0 = l_at0
    l_put = int32(((t_ >> 5) * 36) + (t_ & 31))
    r_at0 = int32(column + ((t_ & 7) * 4))
    j_r0 = r_at0
    r_put = int32(576 + ((t_ >> 3) * 36) + ((t_ & 7) * 4))
    high = int32((t_ >> 3) * 4)
    wide = int32((t_ & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + (t_ >> 5))
    t_l_0 = int32(uint32(l_term0) % uint32(32))
    rest_t_l_0 = int32(uint32(l_term0) // uint32(32))
    n_l_0 = rest_t_l_0
    l_term1 = int32(term + (t_ >> 5) + 2)
    t_l_1 = int32(uint32(l_term1) % uint32(32))
    rest_t_l_1 = int32(uint32(l_term1) // uint32(32))
    n_l_1 = rest_t_l_1
    l_term2 = int32(term + (t_ >> 5) + 4)
    t_l_2 = int32(uint32(l_term2) % uint32(32))
    rest_t_l_2 = int32(uint32(l_term2) // uint32(32))
    n_l_2 = rest_t_l_2
    l_term3 = int32(term + (t_ >> 5) + 6)
    t_l_3 = int32(uint32(l_term3) % uint32(32))
    rest_t_l_3 = int32(uint32(l_term3) // uint32(32))
    n_l_3 = rest_t_l_3
    l_term4 = int32(term + (t_ >> 5) + 8)
    t_l_4 = int32(uint32(l_term4) % uint32(32))
    rest_t_l_4 = int32(uint32(l_term4) // uint32(32))
    n_l_4 = rest_t_l_4
    l_term5 = int32(term + (t_ >> 5) + 10)
    t_l_5 = int32(uint32(l_term5) % uint32(32))
    rest_t_l_5 = int32(uint32(l_term5) // uint32(32))
    n_l_5 = rest_t_l_5
    l_term6 = int32(term + (t_ >> 5) + 12)
    t_l_6 = int32(uint32(l_term6) % uint32(32))
    rest_t_l_6 = int32(uint32(l_term6) // uint32(32))
    n_l_6 = rest_t_l_6
    l_term7 = int32(term + (t_ >> 5) + 14)
    t_l_7 = int32(uint32(l_term7) % uint32(32))
    rest_t_l_7 = int32(uint32(l_term7) // uint32(32))
    n_l_7 = rest_t_l_7
    r_term0 = int32(term + (t_ >> 3))
    t_r_0 = int32(uint32(r_term0) % uint32(32))
    rest_t_r_0 = int32(uint32(r_term0) // uint32(32))
    n_r_0 = rest_t_r_0
    r_term1 = int32(term + (t_ >> 3) + 8)
    t_r_1 = int32(uint32(r_term1) % uint32(32))
    rest_t_r_1 = int32(uint32(r_term1) // uint32(32))
    n_r_1 = rest_t_r_1
    l0 = zero
    if (l_at0 < 32) & (l_term0 < stop):
        l0 = work[uint32(grad_V + n_l_0 * 1024 + (i_l0 // int32(8)) * 256 + t_l_0 * 8 + (i_l0 % int32(8)))]
    l1 = zero
    if (l_at0 < 32) & (l_term1 < stop):
        l1 = work[uint32(grad_V + n_l_1 * 1024 + (i_l0 // int32(8)) * 256 + t_l_1 * 8 + (i_l0 % int32(8)))]
    l2 = zero
    if (l_at0 < 32) & (l_term2 < stop):
        l2 = work[uint32(grad_V + n_l_2 * 1024 + (i_l0 // int32(8)) * 256 + t_l_2 * 8 + (i_l0 % int32(8)))]
    l3 = zero
    if (l_at0 < 32) & (l_term3 < stop):
        l3 = work[uint32(grad_V + n_l_3 * 1024 + (i_l0 // int32(8)) * 256 + t_l_3 * 8 + (i_l0 % int32(8)))]
    l4 = zero
    if (l_at0 < 32) & (l_term4 < stop):
        l4 = work[uint32(grad_V + n_l_4 * 1024 + (i_l0 // int32(8)) * 256 + t_l_4 * 8 + (i_l0 % int32(8)))]
    l5 = zero
    if (l_at0 < 32) & (l_term5 < stop):
        l5 = work[uint32(grad_V + n_l_5 * 1024 + (i_l0 // int32(8)) * 256 + t_l_5 * 8 + (i_l0 % int32(8)))]
    l6 = zero
    if (l_at0 < 32) & (l_term6 < stop):
        l6 = work[uint32(grad_V + n_l_6 * 1024 + (i_l0 // int32(8)) * 256 + t_l_6 * 8 + (i_l0 % int32(8)))]
    l7 = zero
    if (l_at0 < 32) & (l_term7 < stop):
        l7 = work[uint32(grad_V + n_l_7 * 1024 + (i_l0 // int32(8)) * 256 + t_l_7 * 8 + (i_l0 % int32(8)))]
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 32) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(work, int32(x + n_r_0 * 1024 + t_r_0 * 32 + j_r0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at0 < 32) & (r_term1 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(work, int32(x + n_r_1 * 1024 + t_r_1 * 32 + j_r0))
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
        l_term0 = int32(term + (t_ >> 5))
        t_l_0 = int32(uint32(l_term0) % uint32(32))
        rest_t_l_0 = int32(uint32(l_term0) // uint32(32))
        n_l_0 = rest_t_l_0
        l_term1 = int32(term + (t_ >> 5) + 2)
        t_l_1 = int32(uint32(l_term1) % uint32(32))
        rest_t_l_1 = int32(uint32(l_term1) // uint32(32))
        n_l_1 = rest_t_l_1
        l_term2 = int32(term + (t_ >> 5) + 4)
        t_l_2 = int32(uint32(l_term2) % uint32(32))
        rest_t_l_2 = int32(uint32(l_term2) // uint32(32))
        n_l_2 = rest_t_l_2
        l_term3 = int32(term + (t_ >> 5) + 6)
        t_l_3 = int32(uint32(l_term3) % uint32(32))
        rest_t_l_3 = int32(uint32(l_term3) // uint32(32))
        n_l_3 = rest_t_l_3
        l_term4 = int32(term + (t_ >> 5) + 8)
        t_l_4 = int32(uint32(l_term4) % uint32(32))
        rest_t_l_4 = int32(uint32(l_term4) // uint32(32))
        n_l_4 = rest_t_l_4
        l_term5 = int32(term + (t_ >> 5) + 10)
        t_l_5 = int32(uint32(l_term5) % uint32(32))
        rest_t_l_5 = int32(uint32(l_term5) // uint32(32))
        n_l_5 = rest_t_l_5
        l_term6 = int32(term + (t_ >> 5) + 12)
        t_l_6 = int32(uint32(l_term6) % uint32(32))
        rest_t_l_6 = int32(uint32(l_term6) // uint32(32))
        n_l_6 = rest_t_l_6
        l_term7 = int32(term + (t_ >> 5) + 14)
        t_l_7 = int32(uint32(l_term7) % uint32(32))
        rest_t_l_7 = int32(uint32(l_term7) // uint32(32))
        n_l_7 = rest_t_l_7
        r_term0 = int32(term + (t_ >> 3))
        t_r_0 = int32(uint32(r_term0) % uint32(32))
        rest_t_r_0 = int32(uint32(r_term0) // uint32(32))
        n_r_0 = rest_t_r_0
        r_term1 = int32(term + (t_ >> 3) + 8)
        t_r_1 = int32(uint32(r_term1) % uint32(32))
        rest_t_r_1 = int32(uint32(r_term1) // uint32(32))
        n_r_1 = rest_t_r_1
        l0 = zero
        if (l_at0 < 32) & (l_term0 < stop):
            l0 = work[uint32(grad_V + n_l_0 * 1024 + (i_l0 // int32(8)) * 256 + t_l_0 * 8 + (i_l0 % int32(8)))]
        l1 = zero
        if (l_at0 < 32) & (l_term1 < stop):
            l1 = work[uint32(grad_V + n_l_1 * 1024 + (i_l0 // int32(8)) * 256 + t_l_1 * 8 + (i_l0 % int32(8)))]
        l2 = zero
        if (l_at0 < 32) & (l_term2 < stop):
            l2 = work[uint32(grad_V + n_l_2 * 1024 + (i_l0 // int32(8)) * 256 + t_l_2 * 8 + (i_l0 % int32(8)))]
        l3 = zero
        if (l_at0 < 32) & (l_term3 < stop):
            l3 = work[uint32(grad_V + n_l_3 * 1024 + (i_l0 // int32(8)) * 256 + t_l_3 * 8 + (i_l0 % int32(8)))]
        l4 = zero
        if (l_at0 < 32) & (l_term4 < stop):
            l4 = work[uint32(grad_V + n_l_4 * 1024 + (i_l0 // int32(8)) * 256 + t_l_4 * 8 + (i_l0 % int32(8)))]
        l5 = zero
        if (l_at0 < 32) & (l_term5 < stop):
            l5 = work[uint32(grad_V + n_l_5 * 1024 + (i_l0 // int32(8)) * 256 + t_l_5 * 8 + (i_l0 % int32(8)))]
        l6 = zero
        if (l_at0 < 32) & (l_term6 < stop):
            l6 = work[uint32(grad_V + n_l_6 * 1024 + (i_l0 // int32(8)) * 256 + t_l_6 * 8 + (i_l0 % int32(8)))]
        l7 = zero
        if (l_at0 < 32) & (l_term7 < stop):
            l7 = work[uint32(grad_V + n_l_7 * 1024 + (i_l0 // int32(8)) * 256 + t_l_7 * 8 + (i_l0 % int32(8)))]
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 32) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(work, int32(x + n_r_0 * 1024 + t_r_0 * 32 + j_r0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at0 < 32) & (r_term1 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(work, int32(x + n_r_1 * 1024 + t_r_1 * 32 + j_r0))
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
    mine = int32(t_ & 31)
    column = int32(column + mine)
    j = column
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
        for line in range(int32(t_ >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part_ & 3))
            if r_row < 32 and column < 32:
                i = r_row
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(parts + part * 1024 + i * 32 + j)] = dot
        cuda.syncthreads()


@jit
def attention_grad_K(work, Q, grad_S, grad_K, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads."""
    # grad_K[n, h, t, d] = √2 · (Σ_i Q[n, h, i, d] grad_S[n, h, i, t])/4
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t_ = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(0)
    column = int32(column * 32)
    row = int32(0)
    row = int32(row * 32)
    h = int32(uint32(block) % uint32(4))
    rest_h = int32(uint32(block) // uint32(4))
    n = rest_h
    term = int32(0)
    stop = int32(32)
    l_at0 = int32(row + ((t_ & 7) * 4))
    t_l0 = l_at0
    l_put = int32(((t_ >> 3) * 36) + ((t_ & 7) * 4))
    r_at0 = int32(column + ((t_ & 7) * 4))
    d_r0 = r_at0
    r_put = int32(576 + ((t_ >> 3) * 36) + ((t_ & 7) * 4))
    high = int32((t_ >> 3) * 4)
    wide = int32((t_ & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + (t_ >> 3))
    i_l_0 = l_term0
    l_term1 = int32(term + (t_ >> 3) + 8)
    i_l_1 = l_term1
    r_term0 = int32(term + (t_ >> 3))
    i_r_0 = r_term0
    r_term1 = int32(term + (t_ >> 3) + 8)
    i_r_1 = r_term1
    l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
    if (l_at0 < 32) & (l_term0 < stop):
        l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(grad_S + n * 4096 + h * 1024 + i_l_0 * 32 + t_l0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at0 < 32) & (l_term1 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(grad_S + n * 4096 + h * 1024 + i_l_1 * 32 + t_l0))
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 8) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(work, int32(Q + n * 1024 + h * 256 + i_r_0 * 8 + d_r0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at0 < 8) & (r_term1 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(work, int32(Q + n * 1024 + h * 256 + i_r_1 * 8 + d_r0))
    while term < stop:
        l_to = uint64(here + l_put)
        st4(tiles, l_to, l0_0, l0_1, l0_2, l0_3)
        st4(tiles, l_to + uint64(288), l1_0, l1_1, l1_2, l1_3)
        r_to = uint64(here + r_put)
        st4(tiles, r_to, r0_0, r0_1, r0_2, r0_3)
        st4(tiles, r_to + uint64(288), r1_0, r1_1, r1_2, r1_3)
        cuda.syncthreads()
        term = int32(term + 16)
        l_term0 = int32(term + (t_ >> 3))
        i_l_0 = l_term0
        l_term1 = int32(term + (t_ >> 3) + 8)
        i_l_1 = l_term1
        r_term0 = int32(term + (t_ >> 3))
        i_r_0 = r_term0
        r_term1 = int32(term + (t_ >> 3) + 8)
        i_r_1 = r_term1
        l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
        if (l_at0 < 32) & (l_term0 < stop):
            l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(grad_S + n * 4096 + h * 1024 + i_l_0 * 32 + t_l0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at0 < 32) & (l_term1 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(grad_S + n * 4096 + h * 1024 + i_l_1 * 32 + t_l0))
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 8) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(work, int32(Q + n * 1024 + h * 256 + i_r_0 * 8 + d_r0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at0 < 8) & (r_term1 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(work, int32(Q + n * 1024 + h * 256 + i_r_1 * 8 + d_r0))
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
    mine = int32(t_ & 31)
    column = int32(column + mine)
    d = column
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
        for line in range(int32(t_ >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part & 3))
            if r_row < 32 and column < 8:
                t = r_row
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(grad_K + n * 1024 + h * 256 + t * 8 + d)] = math.sqrt(real(2.0)) * dot / real(4.0)
        cuda.syncthreads()


@jit
def attention_grad_W_k(work, grad_K, x, parts, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads; the terms in 4 parts."""
    # parts[part, i, j] = Σ_{n, t} x[n, t, j] grad_K[n, floor(i/8), t, i mod 8]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t_ = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(0)
    column = int32(column * 32)
    row = int32(0)
    row = int32(row * 32)
    part = block
    stop = int32((N * 32 + 63) // 64 * 16)
    term = int32(part * stop)
    stop = int32(term + stop)
    stop = int32(N * 32) if stop > N * 32 else stop
    l_at0 = int32(row + (t_ & 31))
    i_l0 = l_at0
    l_put = int32(((t_ >> 5) * 36) + (t_ & 31))
    r_at0 = int32(column + ((t_ & 7) * 4))
    j_r0 = r_at0
    r_put = int32(576 + ((t_ >> 3) * 36) + ((t_ & 7) * 4))
    high = int32((t_ >> 3) * 4)
    wide = int32((t_ & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + (t_ >> 5))
    t_l_0 = int32(uint32(l_term0) % uint32(32))
    rest_t_l_0 = int32(uint32(l_term0) // uint32(32))
    n_l_0 = rest_t_l_0
    l_term1 = int32(term + (t_ >> 5) + 2)
    t_l_1 = int32(uint32(l_term1) % uint32(32))
    rest_t_l_1 = int32(uint32(l_term1) // uint32(32))
    n_l_1 = rest_t_l_1
    l_term2 = int32(term + (t_ >> 5) + 4)
    t_l_2 = int32(uint32(l_term2) % uint32(32))
    rest_t_l_2 = int32(uint32(l_term2) // uint32(32))
    n_l_2 = rest_t_l_2
    l_term3 = int32(term + (t_ >> 5) + 6)
    t_l_3 = int32(uint32(l_term3) % uint32(32))
    rest_t_l_3 = int32(uint32(l_term3) // uint32(32))
    n_l_3 = rest_t_l_3
    l_term4 = int32(term + (t_ >> 5) + 8)
    t_l_4 = int32(uint32(l_term4) % uint32(32))
    rest_t_l_4 = int32(uint32(l_term4) // uint32(32))
    n_l_4 = rest_t_l_4
    l_term5 = int32(term + (t_ >> 5) + 10)
    t_l_5 = int32(uint32(l_term5) % uint32(32))
    rest_t_l_5 = int32(uint32(l_term5) // uint32(32))
    n_l_5 = rest_t_l_5
    l_term6 = int32(term + (t_ >> 5) + 12)
    t_l_6 = int32(uint32(l_term6) % uint32(32))
    rest_t_l_6 = int32(uint32(l_term6) // uint32(32))
    n_l_6 = rest_t_l_6
    l_term7 = int32(term + (t_ >> 5) + 14)
    t_l_7 = int32(uint32(l_term7) % uint32(32))
    rest_t_l_7 = int32(uint32(l_term7) // uint32(32))
    n_l_7 = rest_t_l_7
    r_term0 = int32(term + (t_ >> 3))
    t_r_0 = int32(uint32(r_term0) % uint32(32))
    rest_t_r_0 = int32(uint32(r_term0) // uint32(32))
    n_r_0 = rest_t_r_0
    r_term1 = int32(term + (t_ >> 3) + 8)
    t_r_1 = int32(uint32(r_term1) % uint32(32))
    rest_t_r_1 = int32(uint32(r_term1) // uint32(32))
    n_r_1 = rest_t_r_1
    l0 = zero
    if (l_at0 < 32) & (l_term0 < stop):
        l0 = work[uint32(grad_K + n_l_0 * 1024 + (i_l0 // int32(8)) * 256 + t_l_0 * 8 + (i_l0 % int32(8)))]
    l1 = zero
    if (l_at0 < 32) & (l_term1 < stop):
        l1 = work[uint32(grad_K + n_l_1 * 1024 + (i_l0 // int32(8)) * 256 + t_l_1 * 8 + (i_l0 % int32(8)))]
    l2 = zero
    if (l_at0 < 32) & (l_term2 < stop):
        l2 = work[uint32(grad_K + n_l_2 * 1024 + (i_l0 // int32(8)) * 256 + t_l_2 * 8 + (i_l0 % int32(8)))]
    l3 = zero
    if (l_at0 < 32) & (l_term3 < stop):
        l3 = work[uint32(grad_K + n_l_3 * 1024 + (i_l0 // int32(8)) * 256 + t_l_3 * 8 + (i_l0 % int32(8)))]
    l4 = zero
    if (l_at0 < 32) & (l_term4 < stop):
        l4 = work[uint32(grad_K + n_l_4 * 1024 + (i_l0 // int32(8)) * 256 + t_l_4 * 8 + (i_l0 % int32(8)))]
    l5 = zero
    if (l_at0 < 32) & (l_term5 < stop):
        l5 = work[uint32(grad_K + n_l_5 * 1024 + (i_l0 // int32(8)) * 256 + t_l_5 * 8 + (i_l0 % int32(8)))]
    l6 = zero
    if (l_at0 < 32) & (l_term6 < stop):
        l6 = work[uint32(grad_K + n_l_6 * 1024 + (i_l0 // int32(8)) * 256 + t_l_6 * 8 + (i_l0 % int32(8)))]
    l7 = zero
    if (l_at0 < 32) & (l_term7 < stop):
        l7 = work[uint32(grad_K + n_l_7 * 1024 + (i_l0 // int32(8)) * 256 + t_l_7 * 8 + (i_l0 % int32(8)))]
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 32) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(work, int32(x + n_r_0 * 1024 + t_r_0 * 32 + j_r0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at0 < 32) & (r_term1 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(work, int32(x + n_r_1 * 1024 + t_r_1 * 32 + j_r0))
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
        l_term0 = int32(term + (t_ >> 5))
        t_l_0 = int32(uint32(l_term0) % uint32(32))
        rest_t_l_0 = int32(uint32(l_term0) // uint32(32))
        n_l_0 = rest_t_l_0
        l_term1 = int32(term + (t_ >> 5) + 2)
        t_l_1 = int32(uint32(l_term1) % uint32(32))
        rest_t_l_1 = int32(uint32(l_term1) // uint32(32))
        n_l_1 = rest_t_l_1
        l_term2 = int32(term + (t_ >> 5) + 4)
        t_l_2 = int32(uint32(l_term2) % uint32(32))
        rest_t_l_2 = int32(uint32(l_term2) // uint32(32))
        n_l_2 = rest_t_l_2
        l_term3 = int32(term + (t_ >> 5) + 6)
        t_l_3 = int32(uint32(l_term3) % uint32(32))
        rest_t_l_3 = int32(uint32(l_term3) // uint32(32))
        n_l_3 = rest_t_l_3
        l_term4 = int32(term + (t_ >> 5) + 8)
        t_l_4 = int32(uint32(l_term4) % uint32(32))
        rest_t_l_4 = int32(uint32(l_term4) // uint32(32))
        n_l_4 = rest_t_l_4
        l_term5 = int32(term + (t_ >> 5) + 10)
        t_l_5 = int32(uint32(l_term5) % uint32(32))
        rest_t_l_5 = int32(uint32(l_term5) // uint32(32))
        n_l_5 = rest_t_l_5
        l_term6 = int32(term + (t_ >> 5) + 12)
        t_l_6 = int32(uint32(l_term6) % uint32(32))
        rest_t_l_6 = int32(uint32(l_term6) // uint32(32))
        n_l_6 = rest_t_l_6
        l_term7 = int32(term + (t_ >> 5) + 14)
        t_l_7 = int32(uint32(l_term7) % uint32(32))
        rest_t_l_7 = int32(uint32(l_term7) // uint32(32))
        n_l_7 = rest_t_l_7
        r_term0 = int32(term + (t_ >> 3))
        t_r_0 = int32(uint32(r_term0) % uint32(32))
        rest_t_r_0 = int32(uint32(r_term0) // uint32(32))
        n_r_0 = rest_t_r_0
        r_term1 = int32(term + (t_ >> 3) + 8)
        t_r_1 = int32(uint32(r_term1) % uint32(32))
        rest_t_r_1 = int32(uint32(r_term1) // uint32(32))
        n_r_1 = rest_t_r_1
        l0 = zero
        if (l_at0 < 32) & (l_term0 < stop):
            l0 = work[uint32(grad_K + n_l_0 * 1024 + (i_l0 // int32(8)) * 256 + t_l_0 * 8 + (i_l0 % int32(8)))]
        l1 = zero
        if (l_at0 < 32) & (l_term1 < stop):
            l1 = work[uint32(grad_K + n_l_1 * 1024 + (i_l0 // int32(8)) * 256 + t_l_1 * 8 + (i_l0 % int32(8)))]
        l2 = zero
        if (l_at0 < 32) & (l_term2 < stop):
            l2 = work[uint32(grad_K + n_l_2 * 1024 + (i_l0 // int32(8)) * 256 + t_l_2 * 8 + (i_l0 % int32(8)))]
        l3 = zero
        if (l_at0 < 32) & (l_term3 < stop):
            l3 = work[uint32(grad_K + n_l_3 * 1024 + (i_l0 // int32(8)) * 256 + t_l_3 * 8 + (i_l0 % int32(8)))]
        l4 = zero
        if (l_at0 < 32) & (l_term4 < stop):
            l4 = work[uint32(grad_K + n_l_4 * 1024 + (i_l0 // int32(8)) * 256 + t_l_4 * 8 + (i_l0 % int32(8)))]
        l5 = zero
        if (l_at0 < 32) & (l_term5 < stop):
            l5 = work[uint32(grad_K + n_l_5 * 1024 + (i_l0 // int32(8)) * 256 + t_l_5 * 8 + (i_l0 % int32(8)))]
        l6 = zero
        if (l_at0 < 32) & (l_term6 < stop):
            l6 = work[uint32(grad_K + n_l_6 * 1024 + (i_l0 // int32(8)) * 256 + t_l_6 * 8 + (i_l0 % int32(8)))]
        l7 = zero
        if (l_at0 < 32) & (l_term7 < stop):
            l7 = work[uint32(grad_K + n_l_7 * 1024 + (i_l0 // int32(8)) * 256 + t_l_7 * 8 + (i_l0 % int32(8)))]
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 32) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(work, int32(x + n_r_0 * 1024 + t_r_0 * 32 + j_r0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at0 < 32) & (r_term1 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(work, int32(x + n_r_1 * 1024 + t_r_1 * 32 + j_r0))
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
    mine = int32(t_ & 31)
    column = int32(column + mine)
    j = column
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
        for line in range(int32(t_ >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part_ & 3))
            if r_row < 32 and column < 32:
                i = r_row
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(parts + part * 1024 + i * 32 + j)] = dot
        cuda.syncthreads()


@jit
def attention_grad_Q(work, K, grad_S, grad_Q, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads."""
    # grad_Q[n, h, t, d] = √2 · (Σ_s K[n, h, s, d] grad_S[n, h, t, s])/4
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t_ = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(0)
    column = int32(column * 32)
    row = int32(0)
    row = int32(row * 32)
    h = int32(uint32(block) % uint32(4))
    rest_h = int32(uint32(block) // uint32(4))
    n = rest_h
    term = int32(0)
    stop = int32(32)
    l_at0 = int32(row + (t_ >> 2))
    t_l0 = l_at0
    l_at1 = int32(row + (t_ >> 2) + 16)
    t_l1 = l_at1
    l_put = int32((((t_ & 3) * 4) * 36) + (t_ >> 2))
    r_at0 = int32(column + ((t_ & 7) * 4))
    d_r0 = r_at0
    r_put = int32(576 + ((t_ >> 3) * 36) + ((t_ & 7) * 4))
    high = int32((t_ >> 3) * 4)
    wide = int32((t_ & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + ((t_ & 3) * 4))
    s_l_0 = l_term0
    r_term0 = int32(term + (t_ >> 3))
    s_r_0 = r_term0
    r_term1 = int32(term + (t_ >> 3) + 8)
    s_r_1 = r_term1
    l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
    if (l_at0 < 32) & (l_term0 < stop):
        l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(grad_S + n * 4096 + h * 1024 + t_l0 * 32 + s_l_0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at1 < 32) & (l_term0 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(grad_S + n * 4096 + h * 1024 + t_l1 * 32 + s_l_0))
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 8) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(work, int32(K + n * 1024 + h * 256 + s_r_0 * 8 + d_r0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at0 < 8) & (r_term1 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(work, int32(K + n * 1024 + h * 256 + s_r_1 * 8 + d_r0))
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
        st4(tiles, r_to, r0_0, r0_1, r0_2, r0_3)
        st4(tiles, r_to + uint64(288), r1_0, r1_1, r1_2, r1_3)
        cuda.syncthreads()
        term = int32(term + 16)
        l_term0 = int32(term + ((t_ & 3) * 4))
        s_l_0 = l_term0
        r_term0 = int32(term + (t_ >> 3))
        s_r_0 = r_term0
        r_term1 = int32(term + (t_ >> 3) + 8)
        s_r_1 = r_term1
        l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
        if (l_at0 < 32) & (l_term0 < stop):
            l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(grad_S + n * 4096 + h * 1024 + t_l0 * 32 + s_l_0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at1 < 32) & (l_term0 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(grad_S + n * 4096 + h * 1024 + t_l1 * 32 + s_l_0))
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 8) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(work, int32(K + n * 1024 + h * 256 + s_r_0 * 8 + d_r0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at0 < 8) & (r_term1 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(work, int32(K + n * 1024 + h * 256 + s_r_1 * 8 + d_r0))
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
    mine = int32(t_ & 31)
    column = int32(column + mine)
    d = column
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
        for line in range(int32(t_ >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part & 3))
            if r_row < 32 and column < 8:
                t = r_row
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(grad_Q + n * 1024 + h * 256 + t * 8 + d)] = math.sqrt(real(2.0)) * dot / real(4.0)
        cuda.syncthreads()


@jit
def attention_grad_W_q(work, grad_Q, x, parts, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads; the terms in 4 parts."""
    # parts[part, i, j] = Σ_{n, t} x[n, t, j] grad_Q[n, floor(i/8), t, i mod 8]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t_ = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(0)
    column = int32(column * 32)
    row = int32(0)
    row = int32(row * 32)
    part = block
    stop = int32((N * 32 + 63) // 64 * 16)
    term = int32(part * stop)
    stop = int32(term + stop)
    stop = int32(N * 32) if stop > N * 32 else stop
    l_at0 = int32(row + (t_ & 31))
    i_l0 = l_at0
    l_put = int32(((t_ >> 5) * 36) + (t_ & 31))
    r_at0 = int32(column + ((t_ & 7) * 4))
    j_r0 = r_at0
    r_put = int32(576 + ((t_ >> 3) * 36) + ((t_ & 7) * 4))
    high = int32((t_ >> 3) * 4)
    wide = int32((t_ & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + (t_ >> 5))
    t_l_0 = int32(uint32(l_term0) % uint32(32))
    rest_t_l_0 = int32(uint32(l_term0) // uint32(32))
    n_l_0 = rest_t_l_0
    l_term1 = int32(term + (t_ >> 5) + 2)
    t_l_1 = int32(uint32(l_term1) % uint32(32))
    rest_t_l_1 = int32(uint32(l_term1) // uint32(32))
    n_l_1 = rest_t_l_1
    l_term2 = int32(term + (t_ >> 5) + 4)
    t_l_2 = int32(uint32(l_term2) % uint32(32))
    rest_t_l_2 = int32(uint32(l_term2) // uint32(32))
    n_l_2 = rest_t_l_2
    l_term3 = int32(term + (t_ >> 5) + 6)
    t_l_3 = int32(uint32(l_term3) % uint32(32))
    rest_t_l_3 = int32(uint32(l_term3) // uint32(32))
    n_l_3 = rest_t_l_3
    l_term4 = int32(term + (t_ >> 5) + 8)
    t_l_4 = int32(uint32(l_term4) % uint32(32))
    rest_t_l_4 = int32(uint32(l_term4) // uint32(32))
    n_l_4 = rest_t_l_4
    l_term5 = int32(term + (t_ >> 5) + 10)
    t_l_5 = int32(uint32(l_term5) % uint32(32))
    rest_t_l_5 = int32(uint32(l_term5) // uint32(32))
    n_l_5 = rest_t_l_5
    l_term6 = int32(term + (t_ >> 5) + 12)
    t_l_6 = int32(uint32(l_term6) % uint32(32))
    rest_t_l_6 = int32(uint32(l_term6) // uint32(32))
    n_l_6 = rest_t_l_6
    l_term7 = int32(term + (t_ >> 5) + 14)
    t_l_7 = int32(uint32(l_term7) % uint32(32))
    rest_t_l_7 = int32(uint32(l_term7) // uint32(32))
    n_l_7 = rest_t_l_7
    r_term0 = int32(term + (t_ >> 3))
    t_r_0 = int32(uint32(r_term0) % uint32(32))
    rest_t_r_0 = int32(uint32(r_term0) // uint32(32))
    n_r_0 = rest_t_r_0
    r_term1 = int32(term + (t_ >> 3) + 8)
    t_r_1 = int32(uint32(r_term1) % uint32(32))
    rest_t_r_1 = int32(uint32(r_term1) // uint32(32))
    n_r_1 = rest_t_r_1
    l0 = zero
    if (l_at0 < 32) & (l_term0 < stop):
        l0 = work[uint32(grad_Q + n_l_0 * 1024 + (i_l0 // int32(8)) * 256 + t_l_0 * 8 + (i_l0 % int32(8)))]
    l1 = zero
    if (l_at0 < 32) & (l_term1 < stop):
        l1 = work[uint32(grad_Q + n_l_1 * 1024 + (i_l0 // int32(8)) * 256 + t_l_1 * 8 + (i_l0 % int32(8)))]
    l2 = zero
    if (l_at0 < 32) & (l_term2 < stop):
        l2 = work[uint32(grad_Q + n_l_2 * 1024 + (i_l0 // int32(8)) * 256 + t_l_2 * 8 + (i_l0 % int32(8)))]
    l3 = zero
    if (l_at0 < 32) & (l_term3 < stop):
        l3 = work[uint32(grad_Q + n_l_3 * 1024 + (i_l0 // int32(8)) * 256 + t_l_3 * 8 + (i_l0 % int32(8)))]
    l4 = zero
    if (l_at0 < 32) & (l_term4 < stop):
        l4 = work[uint32(grad_Q + n_l_4 * 1024 + (i_l0 // int32(8)) * 256 + t_l_4 * 8 + (i_l0 % int32(8)))]
    l5 = zero
    if (l_at0 < 32) & (l_term5 < stop):
        l5 = work[uint32(grad_Q + n_l_5 * 1024 + (i_l0 // int32(8)) * 256 + t_l_5 * 8 + (i_l0 % int32(8)))]
    l6 = zero
    if (l_at0 < 32) & (l_term6 < stop):
        l6 = work[uint32(grad_Q + n_l_6 * 1024 + (i_l0 // int32(8)) * 256 + t_l_6 * 8 + (i_l0 % int32(8)))]
    l7 = zero
    if (l_at0 < 32) & (l_term7 < stop):
        l7 = work[uint32(grad_Q + n_l_7 * 1024 + (i_l0 // int32(8)) * 256 + t_l_7 * 8 + (i_l0 % int32(8)))]
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 32) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(work, int32(x + n_r_0 * 1024 + t_r_0 * 32 + j_r0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at0 < 32) & (r_term1 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(work, int32(x + n_r_1 * 1024 + t_r_1 * 32 + j_r0))
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
        l_term0 = int32(term + (t_ >> 5))
        t_l_0 = int32(uint32(l_term0) % uint32(32))
        rest_t_l_0 = int32(uint32(l_term0) // uint32(32))
        n_l_0 = rest_t_l_0
        l_term1 = int32(term + (t_ >> 5) + 2)
        t_l_1 = int32(uint32(l_term1) % uint32(32))
        rest_t_l_1 = int32(uint32(l_term1) // uint32(32))
        n_l_1 = rest_t_l_1
        l_term2 = int32(term + (t_ >> 5) + 4)
        t_l_2 = int32(uint32(l_term2) % uint32(32))
        rest_t_l_2 = int32(uint32(l_term2) // uint32(32))
        n_l_2 = rest_t_l_2
        l_term3 = int32(term + (t_ >> 5) + 6)
        t_l_3 = int32(uint32(l_term3) % uint32(32))
        rest_t_l_3 = int32(uint32(l_term3) // uint32(32))
        n_l_3 = rest_t_l_3
        l_term4 = int32(term + (t_ >> 5) + 8)
        t_l_4 = int32(uint32(l_term4) % uint32(32))
        rest_t_l_4 = int32(uint32(l_term4) // uint32(32))
        n_l_4 = rest_t_l_4
        l_term5 = int32(term + (t_ >> 5) + 10)
        t_l_5 = int32(uint32(l_term5) % uint32(32))
        rest_t_l_5 = int32(uint32(l_term5) // uint32(32))
        n_l_5 = rest_t_l_5
        l_term6 = int32(term + (t_ >> 5) + 12)
        t_l_6 = int32(uint32(l_term6) % uint32(32))
        rest_t_l_6 = int32(uint32(l_term6) // uint32(32))
        n_l_6 = rest_t_l_6
        l_term7 = int32(term + (t_ >> 5) + 14)
        t_l_7 = int32(uint32(l_term7) % uint32(32))
        rest_t_l_7 = int32(uint32(l_term7) // uint32(32))
        n_l_7 = rest_t_l_7
        r_term0 = int32(term + (t_ >> 3))
        t_r_0 = int32(uint32(r_term0) % uint32(32))
        rest_t_r_0 = int32(uint32(r_term0) // uint32(32))
        n_r_0 = rest_t_r_0
        r_term1 = int32(term + (t_ >> 3) + 8)
        t_r_1 = int32(uint32(r_term1) % uint32(32))
        rest_t_r_1 = int32(uint32(r_term1) // uint32(32))
        n_r_1 = rest_t_r_1
        l0 = zero
        if (l_at0 < 32) & (l_term0 < stop):
            l0 = work[uint32(grad_Q + n_l_0 * 1024 + (i_l0 // int32(8)) * 256 + t_l_0 * 8 + (i_l0 % int32(8)))]
        l1 = zero
        if (l_at0 < 32) & (l_term1 < stop):
            l1 = work[uint32(grad_Q + n_l_1 * 1024 + (i_l0 // int32(8)) * 256 + t_l_1 * 8 + (i_l0 % int32(8)))]
        l2 = zero
        if (l_at0 < 32) & (l_term2 < stop):
            l2 = work[uint32(grad_Q + n_l_2 * 1024 + (i_l0 // int32(8)) * 256 + t_l_2 * 8 + (i_l0 % int32(8)))]
        l3 = zero
        if (l_at0 < 32) & (l_term3 < stop):
            l3 = work[uint32(grad_Q + n_l_3 * 1024 + (i_l0 // int32(8)) * 256 + t_l_3 * 8 + (i_l0 % int32(8)))]
        l4 = zero
        if (l_at0 < 32) & (l_term4 < stop):
            l4 = work[uint32(grad_Q + n_l_4 * 1024 + (i_l0 // int32(8)) * 256 + t_l_4 * 8 + (i_l0 % int32(8)))]
        l5 = zero
        if (l_at0 < 32) & (l_term5 < stop):
            l5 = work[uint32(grad_Q + n_l_5 * 1024 + (i_l0 // int32(8)) * 256 + t_l_5 * 8 + (i_l0 % int32(8)))]
        l6 = zero
        if (l_at0 < 32) & (l_term6 < stop):
            l6 = work[uint32(grad_Q + n_l_6 * 1024 + (i_l0 // int32(8)) * 256 + t_l_6 * 8 + (i_l0 % int32(8)))]
        l7 = zero
        if (l_at0 < 32) & (l_term7 < stop):
            l7 = work[uint32(grad_Q + n_l_7 * 1024 + (i_l0 // int32(8)) * 256 + t_l_7 * 8 + (i_l0 % int32(8)))]
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 32) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(work, int32(x + n_r_0 * 1024 + t_r_0 * 32 + j_r0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at0 < 32) & (r_term1 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(work, int32(x + n_r_1 * 1024 + t_r_1 * 32 + j_r0))
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
    mine = int32(t_ & 31)
    column = int32(column + mine)
    j = column
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
        for line in range(int32(t_ >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part_ & 3))
            if r_row < 32 and column < 32:
                i = r_row
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(parts + part * 1024 + i * 32 + j)] = dot
        cuda.syncthreads()


@jit
def layernorm_grad_a_2(params, work, W_q, grad_Q, sums, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads."""
    # sums[n, t, j] = Σ_{h, d} W_q[8 h + d, j] grad_Q[n, h, t, d]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t_ = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(0)
    column = int32(column * 32)
    row = block
    row = int32(row * 32)
    term = int32(0)
    stop = int32(32)
    l_at0 = int32(row + (t_ >> 2))
    t_l0 = int32(uint32(l_at0) % uint32(32))
    rest_t_l0 = int32(uint32(l_at0) // uint32(32))
    n_l0 = rest_t_l0
    l_at1 = int32(row + (t_ >> 2) + 16)
    t_l1 = int32(uint32(l_at1) % uint32(32))
    rest_t_l1 = int32(uint32(l_at1) // uint32(32))
    n_l1 = rest_t_l1
    l_put = int32((((t_ & 3) * 4) * 36) + (t_ >> 2))
    r_at0 = int32(column + ((t_ & 7) * 4))
    j_r0 = r_at0
    r_put = int32(576 + ((t_ >> 3) * 36) + ((t_ & 7) * 4))
    high = int32((t_ >> 3) * 4)
    wide = int32((t_ & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + ((t_ & 3) * 4))
    d_l_0 = int32(uint32(l_term0) % uint32(8))
    rest_d_l_0 = int32(uint32(l_term0) // uint32(8))
    h_l_0 = rest_d_l_0
    r_term0 = int32(term + (t_ >> 3))
    d_r_0 = int32(uint32(r_term0) % uint32(8))
    rest_d_r_0 = int32(uint32(r_term0) // uint32(8))
    h_r_0 = rest_d_r_0
    r_term1 = int32(term + (t_ >> 3) + 8)
    d_r_1 = int32(uint32(r_term1) % uint32(8))
    rest_d_r_1 = int32(uint32(r_term1) // uint32(8))
    h_r_1 = rest_d_r_1
    l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
    if (l_at0 < N * 32) & (l_term0 < stop):
        l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(grad_Q + n_l0 * 1024 + h_l_0 * 256 + t_l0 * 8 + d_l_0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at1 < N * 32) & (l_term0 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(grad_Q + n_l1 * 1024 + h_l_0 * 256 + t_l1 * 8 + d_l_0))
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 32) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W_q + (8 * h_r_0 + d_r_0) * 32 + j_r0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at0 < 32) & (r_term1 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W_q + (8 * h_r_1 + d_r_1) * 32 + j_r0))
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
        st4(tiles, r_to, r0_0, r0_1, r0_2, r0_3)
        st4(tiles, r_to + uint64(288), r1_0, r1_1, r1_2, r1_3)
        cuda.syncthreads()
        term = int32(term + 16)
        l_term0 = int32(term + ((t_ & 3) * 4))
        d_l_0 = int32(uint32(l_term0) % uint32(8))
        rest_d_l_0 = int32(uint32(l_term0) // uint32(8))
        h_l_0 = rest_d_l_0
        r_term0 = int32(term + (t_ >> 3))
        d_r_0 = int32(uint32(r_term0) % uint32(8))
        rest_d_r_0 = int32(uint32(r_term0) // uint32(8))
        h_r_0 = rest_d_r_0
        r_term1 = int32(term + (t_ >> 3) + 8)
        d_r_1 = int32(uint32(r_term1) % uint32(8))
        rest_d_r_1 = int32(uint32(r_term1) // uint32(8))
        h_r_1 = rest_d_r_1
        l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
        if (l_at0 < N * 32) & (l_term0 < stop):
            l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(grad_Q + n_l0 * 1024 + h_l_0 * 256 + t_l0 * 8 + d_l_0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at1 < N * 32) & (l_term0 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(grad_Q + n_l1 * 1024 + h_l_0 * 256 + t_l1 * 8 + d_l_0))
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 32) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W_q + (8 * h_r_0 + d_r_0) * 32 + j_r0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at0 < 32) & (r_term1 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W_q + (8 * h_r_1 + d_r_1) * 32 + j_r0))
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
    mine = int32(t_ & 31)
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
        for line in range(int32(t_ >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part & 3))
            if r_row < N * 32 and column < 32:
                t = int32(uint32(r_row) % uint32(32))
                rest_t = int32(uint32(r_row) // uint32(32))
                n = rest_t
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(sums + n * 1024 + t * 32 + j)] = dot
        cuda.syncthreads()


@jit
def layernorm_grad_a_2_2(params, work, W_v, grad_V, sums_2, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads."""
    # sums_2[n, t, j] = Σ_{h, d} W_v[8 h + d, j] grad_V[n, h, t, d]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t_ = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(0)
    column = int32(column * 32)
    row = block
    row = int32(row * 32)
    term = int32(0)
    stop = int32(32)
    l_at0 = int32(row + (t_ >> 2))
    t_l0 = int32(uint32(l_at0) % uint32(32))
    rest_t_l0 = int32(uint32(l_at0) // uint32(32))
    n_l0 = rest_t_l0
    l_at1 = int32(row + (t_ >> 2) + 16)
    t_l1 = int32(uint32(l_at1) % uint32(32))
    rest_t_l1 = int32(uint32(l_at1) // uint32(32))
    n_l1 = rest_t_l1
    l_put = int32((((t_ & 3) * 4) * 36) + (t_ >> 2))
    r_at0 = int32(column + ((t_ & 7) * 4))
    j_r0 = r_at0
    r_put = int32(576 + ((t_ >> 3) * 36) + ((t_ & 7) * 4))
    high = int32((t_ >> 3) * 4)
    wide = int32((t_ & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + ((t_ & 3) * 4))
    d_l_0 = int32(uint32(l_term0) % uint32(8))
    rest_d_l_0 = int32(uint32(l_term0) // uint32(8))
    h_l_0 = rest_d_l_0
    r_term0 = int32(term + (t_ >> 3))
    d_r_0 = int32(uint32(r_term0) % uint32(8))
    rest_d_r_0 = int32(uint32(r_term0) // uint32(8))
    h_r_0 = rest_d_r_0
    r_term1 = int32(term + (t_ >> 3) + 8)
    d_r_1 = int32(uint32(r_term1) % uint32(8))
    rest_d_r_1 = int32(uint32(r_term1) // uint32(8))
    h_r_1 = rest_d_r_1
    l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
    if (l_at0 < N * 32) & (l_term0 < stop):
        l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(grad_V + n_l0 * 1024 + h_l_0 * 256 + t_l0 * 8 + d_l_0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at1 < N * 32) & (l_term0 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(grad_V + n_l1 * 1024 + h_l_0 * 256 + t_l1 * 8 + d_l_0))
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 32) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W_v + (8 * h_r_0 + d_r_0) * 32 + j_r0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at0 < 32) & (r_term1 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W_v + (8 * h_r_1 + d_r_1) * 32 + j_r0))
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
        st4(tiles, r_to, r0_0, r0_1, r0_2, r0_3)
        st4(tiles, r_to + uint64(288), r1_0, r1_1, r1_2, r1_3)
        cuda.syncthreads()
        term = int32(term + 16)
        l_term0 = int32(term + ((t_ & 3) * 4))
        d_l_0 = int32(uint32(l_term0) % uint32(8))
        rest_d_l_0 = int32(uint32(l_term0) // uint32(8))
        h_l_0 = rest_d_l_0
        r_term0 = int32(term + (t_ >> 3))
        d_r_0 = int32(uint32(r_term0) % uint32(8))
        rest_d_r_0 = int32(uint32(r_term0) // uint32(8))
        h_r_0 = rest_d_r_0
        r_term1 = int32(term + (t_ >> 3) + 8)
        d_r_1 = int32(uint32(r_term1) % uint32(8))
        rest_d_r_1 = int32(uint32(r_term1) // uint32(8))
        h_r_1 = rest_d_r_1
        l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
        if (l_at0 < N * 32) & (l_term0 < stop):
            l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(grad_V + n_l0 * 1024 + h_l_0 * 256 + t_l0 * 8 + d_l_0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at1 < N * 32) & (l_term0 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(grad_V + n_l1 * 1024 + h_l_0 * 256 + t_l1 * 8 + d_l_0))
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 32) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W_v + (8 * h_r_0 + d_r_0) * 32 + j_r0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at0 < 32) & (r_term1 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W_v + (8 * h_r_1 + d_r_1) * 32 + j_r0))
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
    mine = int32(t_ & 31)
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
        for line in range(int32(t_ >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part & 3))
            if r_row < N * 32 and column < 32:
                t = int32(uint32(r_row) % uint32(32))
                rest_t = int32(uint32(r_row) // uint32(32))
                n = rest_t
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(sums_2 + n * 1024 + t * 32 + j)] = dot
        cuda.syncthreads()


@jit
def layernorm_grad_a_2_3(params, work, W_k, grad_K, grad_a, sums, sums_2, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads."""
    # grad_a[n, t, j] = sums[n, t, j] + sums_2[n, t, j] + Σ_{h, d} W_k[8 h + d, j] grad_K[n, h, t, d]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t_ = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(0)
    column = int32(column * 32)
    row = block
    row = int32(row * 32)
    term = int32(0)
    stop = int32(32)
    l_at0 = int32(row + (t_ >> 2))
    t_l0 = int32(uint32(l_at0) % uint32(32))
    rest_t_l0 = int32(uint32(l_at0) // uint32(32))
    n_l0 = rest_t_l0
    l_at1 = int32(row + (t_ >> 2) + 16)
    t_l1 = int32(uint32(l_at1) % uint32(32))
    rest_t_l1 = int32(uint32(l_at1) // uint32(32))
    n_l1 = rest_t_l1
    l_put = int32((((t_ & 3) * 4) * 36) + (t_ >> 2))
    r_at0 = int32(column + ((t_ & 7) * 4))
    j_r0 = r_at0
    r_put = int32(576 + ((t_ >> 3) * 36) + ((t_ & 7) * 4))
    high = int32((t_ >> 3) * 4)
    wide = int32((t_ & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + ((t_ & 3) * 4))
    d_l_0 = int32(uint32(l_term0) % uint32(8))
    rest_d_l_0 = int32(uint32(l_term0) // uint32(8))
    h_l_0 = rest_d_l_0
    r_term0 = int32(term + (t_ >> 3))
    d_r_0 = int32(uint32(r_term0) % uint32(8))
    rest_d_r_0 = int32(uint32(r_term0) // uint32(8))
    h_r_0 = rest_d_r_0
    r_term1 = int32(term + (t_ >> 3) + 8)
    d_r_1 = int32(uint32(r_term1) % uint32(8))
    rest_d_r_1 = int32(uint32(r_term1) // uint32(8))
    h_r_1 = rest_d_r_1
    l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
    if (l_at0 < N * 32) & (l_term0 < stop):
        l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(grad_K + n_l0 * 1024 + h_l_0 * 256 + t_l0 * 8 + d_l_0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at1 < N * 32) & (l_term0 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(grad_K + n_l1 * 1024 + h_l_0 * 256 + t_l1 * 8 + d_l_0))
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 32) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W_k + (8 * h_r_0 + d_r_0) * 32 + j_r0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at0 < 32) & (r_term1 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W_k + (8 * h_r_1 + d_r_1) * 32 + j_r0))
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
        st4(tiles, r_to, r0_0, r0_1, r0_2, r0_3)
        st4(tiles, r_to + uint64(288), r1_0, r1_1, r1_2, r1_3)
        cuda.syncthreads()
        term = int32(term + 16)
        l_term0 = int32(term + ((t_ & 3) * 4))
        d_l_0 = int32(uint32(l_term0) % uint32(8))
        rest_d_l_0 = int32(uint32(l_term0) // uint32(8))
        h_l_0 = rest_d_l_0
        r_term0 = int32(term + (t_ >> 3))
        d_r_0 = int32(uint32(r_term0) % uint32(8))
        rest_d_r_0 = int32(uint32(r_term0) // uint32(8))
        h_r_0 = rest_d_r_0
        r_term1 = int32(term + (t_ >> 3) + 8)
        d_r_1 = int32(uint32(r_term1) % uint32(8))
        rest_d_r_1 = int32(uint32(r_term1) // uint32(8))
        h_r_1 = rest_d_r_1
        l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
        if (l_at0 < N * 32) & (l_term0 < stop):
            l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(grad_K + n_l0 * 1024 + h_l_0 * 256 + t_l0 * 8 + d_l_0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at1 < N * 32) & (l_term0 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(grad_K + n_l1 * 1024 + h_l_0 * 256 + t_l1 * 8 + d_l_0))
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 32) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W_k + (8 * h_r_0 + d_r_0) * 32 + j_r0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at0 < 32) & (r_term1 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W_k + (8 * h_r_1 + d_r_1) * 32 + j_r0))
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
    mine = int32(t_ & 31)
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
        for line in range(int32(t_ >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part & 3))
            if r_row < N * 32 and column < 32:
                t = int32(uint32(r_row) % uint32(32))
                rest_t = int32(uint32(r_row) // uint32(32))
                n = rest_t
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(grad_a + n * 1024 + t * 32 + j)] = (
                    work[uint32(sums + n * 1024 + t * 32 + j)] + work[uint32(sums_2 + n * 1024 + t * 32 + j)] + dot
                )
        cuda.syncthreads()


@jit
def gather(rows, order, step, size, width, out, count, shuffled):
    """Write the rows of batch number step[0]: those that order names, or as they lie."""
    k = int32(cuda.grid(1))
    if k < count:
        row = step[0] * size + k // width
        if shuffled > 0:
            row = int32(order[row])
        out[k] = rows[row * width + k % width]


def launch_forward(params, x, out, work, n):
    # embedding_1
    launch(embedding_a, (n * 1024 + 127) // 128, 128, params, x, work, 0, 0, n)
    # positionalencoding_1
    launch(positionalencoding_a, (n * 1024 + 127) // 128, 128, work, 0, 1024 * n, n)
    # layernorm_1
    launch(layernorm_sigma, (n * 32 + 127) // 128, 128, work, 1024 * n, 0, 32 * n, n)
    launch(layernorm_a, (n * 1024 + 127) // 128, 128, work, params, 0, 32 * n, 1024 * n, 2016, 1984, 2048 * n, 3072 * n, n)
    # attention_1
    launch(attention_Q, ((n * 32 + 31) // 32), 64, params, work, 2048, 3072 * n, 4096 * n, n)
    launch(attention_K, ((n * 32 + 31) // 32), 64, params, work, 3072, 3072 * n, 5120 * n, n)
    launch(attention_V, ((n * 32 + 31) // 32), 64, params, work, 4096, 3072 * n, 6144 * n, n)
    launch(attention_S, n * 4, 64, work, 5120 * n, 4096 * n, 7168 * n, n)
    launch(attention_P, (n * 128 + 127) // 128, 128, work, 7168 * n, 11264 * n, n)
    launch(attention_O, n * 4, 64, work, 11264 * n, 6144 * n, 7168 * n, n)
    launch(attention_a, ((n * 32 + 31) // 32), 64, work, params, 7168 * n, 5120, 8192 * n, n)
    # add_1
    launch(add_a, (n * 1024 + 127) // 128, 128, work, 1024 * n, 8192 * n, 9216 * n, n)
    # layernorm_2
    launch(layernorm_sigma, (n * 32 + 127) // 128, 128, work, 9216 * n, 0, 64 * n, n)
    launch(layernorm_a, (n * 1024 + 127) // 128, 128, work, params, 0, 64 * n, 9216 * n, 6176, 6144, 96 * n, 8192 * n, n)
    # dense_1
    launch(dense_a, ((n * 32 + 31) // 32) * 4, 64, params, work, 6208, 10304, 8192 * n, 15360 * n, 19456 * n, n)
    # dense_2
    launch(dense_z, ((n * 32 + 31) // 32), 64, params, work, 10432, 14528, 19456 * n, 10240 * n, n)
    # add_2
    launch(add_a, (n * 1024 + 127) // 128, 128, work, 9216 * n, 10240 * n, 23552 * n, n)
    # layernorm_3
    launch(layernorm_sigma, (n * 32 + 127) // 128, 128, work, 23552 * n, 0, 1120 * n, n)
    launch(layernorm_a, (n * 1024 + 127) // 128, 128, work, params, 0, 1120 * n, 23552 * n, 14592, 14560, 9216 * n, 10240 * n, n)
    # dense_3
    launch(dense_z_2, ((n * 32 + 31) // 32) * 2, 64, params, work, out, 14624, 16608, 10240 * n, n)


def launch_loss(params, x, y, work, n):
    # embedding_1
    launch(embedding_a, (n * 1024 + 127) // 128, 128, params, x, work, 0, 0, n)
    # positionalencoding_1
    launch(positionalencoding_a, (n * 1024 + 127) // 128, 128, work, 0, 1024 * n, n)
    # layernorm_1
    launch(layernorm_sigma, (n * 32 + 127) // 128, 128, work, 1024 * n, 0, 32 * n, n)
    launch(layernorm_a, (n * 1024 + 127) // 128, 128, work, params, 0, 32 * n, 1024 * n, 2016, 1984, 2048 * n, 3072 * n, n)
    # attention_1
    launch(attention_Q, ((n * 32 + 31) // 32), 64, params, work, 2048, 3072 * n, 4096 * n, n)
    launch(attention_K, ((n * 32 + 31) // 32), 64, params, work, 3072, 3072 * n, 5120 * n, n)
    launch(attention_V, ((n * 32 + 31) // 32), 64, params, work, 4096, 3072 * n, 6144 * n, n)
    launch(attention_S, n * 4, 64, work, 5120 * n, 4096 * n, 7168 * n, n)
    launch(attention_P, (n * 128 + 127) // 128, 128, work, 7168 * n, 11264 * n, n)
    launch(attention_O, n * 4, 64, work, 11264 * n, 6144 * n, 7168 * n, n)
    launch(attention_a, ((n * 32 + 31) // 32), 64, work, params, 7168 * n, 5120, 8192 * n, n)
    # add_1
    launch(add_a, (n * 1024 + 127) // 128, 128, work, 1024 * n, 8192 * n, 9216 * n, n)
    # layernorm_2
    launch(layernorm_sigma, (n * 32 + 127) // 128, 128, work, 9216 * n, 0, 64 * n, n)
    launch(layernorm_a, (n * 1024 + 127) // 128, 128, work, params, 0, 64 * n, 9216 * n, 6176, 6144, 96 * n, 8192 * n, n)
    # dense_1
    launch(dense_a, ((n * 32 + 31) // 32) * 4, 64, params, work, 6208, 10304, 8192 * n, 15360 * n, 19456 * n, n)
    # dense_2
    launch(dense_z, ((n * 32 + 31) // 32), 64, params, work, 10432, 14528, 19456 * n, 10240 * n, n)
    # add_2
    launch(add_a, (n * 1024 + 127) // 128, 128, work, 9216 * n, 10240 * n, 23552 * n, n)
    # layernorm_3
    launch(layernorm_sigma, (n * 32 + 127) // 128, 128, work, 23552 * n, 0, 1120 * n, n)
    launch(layernorm_a, (n * 1024 + 127) // 128, 128, work, params, 0, 1120 * n, 23552 * n, 14592, 14560, 9216 * n, 10240 * n, n)
    # dense_3
    launch(dense_z_3, ((n * 32 + 31) // 32) * 2, 64, params, work, 14624, 16608, 10240 * n, 23552 * n, n)
    # loss
    launch(write_loss_p, (n * 32 + 127) // 128, 128, work, 23552 * n, 25536 * n, n)
    launch(write_loss_L, (n * 32 + 127) // 128, 128, work, y, 23552 * n, 0, n)
    launch(loss_total, 1, 256, work, 0, 29504 * n, n)


def launch_gradients(params, x, y, grads, work, n):
    # dense_3
    launch(dense_delta, (n * 1984 + 127) // 128, 128, work, y, 25536 * n, 27520 * n, n)
    launch(dense_grad_W, 2 * 4, 64, work, 27520 * n, 10240 * n, 31552 * n + 4, n)
    launch(dense_grad_W_2, 16, 128, grads, work, 14624, 31552 * n + 4, n)
    launch(dense_grad_b, 62, 256, work, grads, 27520 * n, 16608, n)
    # layernorm_3
    launch(layernorm_grad_a, ((n * 32 + 31) // 32), 64, params, work, 14624, 27520 * n, 10240 * n, n)
    launch(layernorm_grad_gamma, 32, 256, work, grads, 10240 * n, 9216 * n, 14560, n)
    launch(layernorm_grad_beta, 32, 256, work, grads, 10240 * n, 14592, n)
    # add_2
    launch(add_grad_a, (n * 32 + 127) // 128, 128, params, work, 14560, 10240 * n, 1120 * n, 9216 * n, 25536 * n, n)
    # dense_2
    launch(dense_delta_2, (n * 1024 + 127) // 128, 128, work, 25536 * n, 9216 * n, n)
    launch(dense_grad_W_3, 4 * 4, 64, work, 9216 * n, 19456 * n, 31552 * n + 4, n)
    launch(dense_grad_W_4, 32, 128, grads, work, 10432, 31552 * n + 4, n)
    launch(dense_grad_b_2, 32, 256, work, grads, 9216 * n, 14528, n)
    # dense_1
    launch(dense_delta_3, ((n * 32 + 31) // 32) * 4, 64, params, work, 10432, 9216 * n, 15360 * n, 19456 * n, n)
    launch(dense_grad_W_5, 4 * 4, 64, work, 19456 * n, 8192 * n, 31552 * n + 4, n)
    launch(dense_grad_W_6, 32, 128, grads, work, 6208, 31552 * n + 4, n)
    launch(dense_grad_b_3, 128, 256, work, grads, 19456 * n, 10304, n)
    # layernorm_2
    launch(layernorm_grad_a_3, ((n * 32 + 31) // 32), 64, params, work, 6208, 19456 * n, 8192 * n, n)
    launch(layernorm_grad_gamma, 32, 256, work, grads, 8192 * n, 96 * n, 6144, n)
    launch(layernorm_grad_beta, 32, 256, work, grads, 8192 * n, 6176, n)
    # add_1
    launch(add_grad_a_2, (n * 32 + 127) // 128, 128, params, work, 6144, 25536 * n, 8192 * n, 64 * n, 96 * n, 9216 * n, n)
    # attention_1
    launch(attention_grad_W_o, 4, 64, work, 7168 * n, 9216 * n, 31552 * n + 4, n)
    launch(attention_grad_W_o_2, 8, 128, grads, work, 5120, 31552 * n + 4, n)
    launch(attention_grad_O, ((n * 32 + 31) // 32), 64, params, work, 5120, 9216 * n, 64 * n, n)
    launch(attention_grad_P, n * 4, 64, work, 6144 * n, 64 * n, 15360 * n, n)
    launch(attention_grad_S, (n * 128 + 127) // 128, 128, work, 11264 * n, 15360 * n, 19456 * n, n)
    launch(attention_grad_V, n * 4, 64, work, 11264 * n, 64 * n, 6144 * n, n)
    launch(attention_grad_W_v, 4, 64, work, 6144 * n, 3072 * n, 31552 * n + 4, n)
    launch(attention_grad_W_v_2, 8, 128, grads, work, 4096, 31552 * n + 4, n)
    launch(attention_grad_K, n * 4, 64, work, 4096 * n, 19456 * n, 64 * n, n)
    launch(attention_grad_W_k, 4, 64, work, 64 * n, 3072 * n, 31552 * n + 4, n)
    launch(attention_grad_W_k_2, 8, 128, grads, work, 3072, 31552 * n + 4, n)
    launch(attention_grad_Q, n * 4, 64, work, 5120 * n, 19456 * n, 4096 * n, n)
    launch(attention_grad_W_q, 4, 64, work, 4096 * n, 3072 * n, 31552 * n + 4, n)
    launch(attention_grad_W_q_2, 8, 128, grads, work, 2048, 31552 * n + 4, n)
    # layernorm_1
    launch(layernorm_grad_a_2, ((n * 32 + 31) // 32), 64, params, work, 2048, 4096 * n, 29504 * n + 4, n)
    launch(layernorm_grad_a_2_2, ((n * 32 + 31) // 32), 64, params, work, 4096, 6144 * n, 30528 * n + 4, n)
    launch(layernorm_grad_a_2_3, ((n * 32 + 31) // 32), 64, params, work, 3072, 64 * n, 3072 * n, 29504 * n + 4, 30528 * n + 4, n)
    launch(layernorm_grad_gamma, 32, 256, work, grads, 3072 * n, 2048 * n, 1984, n)
    launch(layernorm_grad_beta, 32, 256, work, grads, 3072 * n, 2016, n)
    # embedding_1
    launch(embedding_grad_a, (n * 32 + 127) // 128, 128, params, work, 1984, 9216 * n, 3072 * n, 32 * n, 2048 * n, 64 * n, n)
    launch(embedding_grad_E, 16, 128, grads, 0, n)
    launch(embedding_grad_E_2, 1, 256, work, x, grads, 64 * n, 0, n)


def launch_update(params, grads, state, hyper, scalars, losses, place, history, step, count):
    launch(update_scalars, 1, 1, params, grads, state, hyper, scalars, losses, place, history, step, count)
    launch(update_entries, 131, 128, params, grads, state, scalars, 0, 16670)


def forward(params, x, out, work=None):
    """Write the network's output for a batch into out, or nothing if an input is out of range: then return its number, else 0."""
    if not in_range(x, 0, 61):
        return 1
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, "int64")
    d_out = room(out, 1984 * n, DTYPE)
    d_work = room(work, workspace(n), DTYPE)
    launch_forward(d_params, d_x, d_out, d_work, n)
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
    launch_loss(d_params, d_x, d_y, d_work, n)
    return number(d_work, 29504 * n)


def launch_value_and_grad(d_params, d_x, d_y, d_grads, d_work, n):
    launch_loss(d_params, d_x, d_y, d_work, n)
    launch_gradients(d_params, d_x, d_y, d_grads, d_work, n)


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
    return number(d_work, 29504 * n)


def update(params, grads, state, hyper):
    """Do one step of the optimizer with given gradients."""
    d_params = take(params, DTYPE)
    d_grads = take(grads, DTYPE)
    d_state = take(state, DTYPE) if 33341 else d_params
    d_hyper = take(hyper, "float64")
    scalars, step = room(None, 8, DTYPE), zeros(1, "int32")
    losses = zeros(1, DTYPE)
    launch_update(d_params, d_grads, d_state, d_hyper, scalars, losses, 0, losses, step, 0)
    give(d_params, params)
    give(d_state, state)


def launch_train_step(d_x, d_y, d_params, d_grads, d_state, d_hyper, scalars, d_work, step, n):
    launch_loss(d_params, d_x, d_y, d_work, n)
    launch_gradients(d_params, d_x, d_y, d_grads, d_work, n)
    launch_update(d_params, d_grads, d_state, d_hyper, scalars, d_work, 29504 * n, d_work, step, 0)


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
    d_state = take(state, DTYPE) if 33341 else d_params
    d_hyper = take(hyper, "float64")
    scalars, step = room(None, 8, DTYPE), zeros(1, "int32")
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_train_step, d_x, d_y, d_params, d_grads, d_state, d_hyper, scalars, d_work, step, n)
    give(d_grads, grads)
    give(d_params, params)
    give(d_state, state)
    return number(d_work, 29504 * n)


def launch_step(all_x, all_y, d_order, d_x, d_y, d_params, d_grads, d_state, d_hyper, scalars, d_work, history, step, shuffled, size, n):
    launch(gather, (n * 32 + 127) // 128, 128, all_x, d_order, step, size, 32, d_x, n * 32, shuffled)
    launch(gather, (n * 32 + 127) // 128, 128, all_y, d_order, step, size, 32, d_y, n * 32, shuffled)
    launch_loss(d_params, d_x, d_y, d_work, n)
    launch_gradients(d_params, d_x, d_y, d_grads, d_work, n)
    launch_update(d_params, d_grads, d_state, d_hyper, scalars, d_work, 29504 * n, history, step, 1)


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
    d_state = take(state, DTYPE) if 33341 else d_params
    d_hyper = take(hyper, "float64")
    scalars, step = room(None, 8, DTYPE), zeros(1, "int32")
    d_work = room(work, workspace(size), DTYPE)
    history = zeros(count, DTYPE)
    repeat(
        samples // size, launch_step, all_x, all_y, d_order, d_x, d_y, d_params, d_grads, d_state, d_hyper, scalars, d_work, history, step,
        shuffled, size, size,
    )
    if samples % size:
        launch_step(
            all_x, all_y, d_order, d_x, d_y, d_params, d_grads, d_state, d_hyper, scalars, d_work, history, step, shuffled, size, samples
            % size,
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
