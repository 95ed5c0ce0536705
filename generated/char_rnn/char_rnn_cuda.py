"""Kernels of the network char_rnn for CUDA, compiled by Numba; they need NumPy, Numba and a GPU.

Written from the template numba_cuda/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: 1c3c4c1d2ed158458a56403ef1183cde91498d8ca17a732292fe9199081323a9
Schedule: layered; each kernel is a launch of its own: 13,534 parameters times 32 samples are more than 300,000, too much for one block; a block needs 1,313,660 bytes of shared memory for 8 samples, and has 49,152

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
    from .kernels_cuda import sigmoid
except ImportError:
    from kernels_cuda import cuda, fill, give, jit, launch, ld4, number, repeat, room, st4, take, zeros
    from kernels_cuda import sigmoid

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
#: The types of each kernel's arguments, and the threads of its blocks, for compilers that have no call to look at.
SIGNATURES = {
    "embedding_a": ("float32[::1]", "int64[::1]", "float32[::1]", "int32", "int32", "int32"),
    "gru_p": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32"),
    "gru_h": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32"),
    "gru_a": ("float32[::1]", "int32", "int32", "int32"),
    "dense_z": ("float32[::1]", "float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "dense_z_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32"),
    "write_loss_p": ("float32[::1]", "int32", "int32", "int32"),
    "write_loss_L": ("float32[::1]", "int64[::1]", "int32", "int32", "int32"),
    "loss_total": ("float32[::1]", "int32", "int32", "int32"),
    "dense_delta": ("float32[::1]", "int64[::1]", "int32", "int32", "int32"),
    "dense_grad_W": ("float32[::1]", "int32", "int32", "int32", "int32"),
    "dense_grad_W_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "dense_grad_b": ("float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "gru_grad_q": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32"),
    "gru_grad_W_h": ("float32[::1]", "int32", "int32", "int32", "int32"),
    "gru_grad_W_h_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "gru_grad_b_h": ("float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "gru_grad_p": ("float32[::1]", "int32", "int32", "int32", "int32"),
    "gru_grad_p_2": ("float32[::1]", "int32", "int32", "int32", "int32"),
    "gru_grad_p_3": ("float32[::1]", "int32", "int32", "int32", "int32"),
    "gru_grad_W_x": ("float32[::1]", "int32", "int32", "int32", "int32"),
    "gru_grad_W_x_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "gru_grad_b_x": ("float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "embedding_grad_a": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "embedding_grad_E": ("float32[::1]", "int32", "int32"),
    "embedding_grad_E_2": ("float32[::1]", "int64[::1]", "float32[::1]", "int32", "int32", "int32"),
    "update_scalars": ("float32[::1]", "float32[::1]", "float32[::1]", "float64[::1]", "float32[::1]", "float32[::1]", "int32", "float32[::1]", "int32[::1]", "int32"),
    "update_entries": ("float32[::1]", "float32[::1]", "float32[::1]", "float32[::1]", "int32", "int32"),
}
THREADS = {
    "embedding_a": 128,
    "gru_p": 64,
    "gru_h": 256,
    "gru_a": 128,
    "dense_z": 64,
    "dense_z_2": 64,
    "write_loss_p": 128,
    "write_loss_L": 128,
    "loss_total": 256,
    "dense_delta": 128,
    "dense_grad_W": 64,
    "dense_grad_W_2": 128,
    "dense_grad_b": 256,
    "gru_grad_q": 256,
    "gru_grad_W_h": 64,
    "gru_grad_W_h_2": 128,
    "gru_grad_b_h": 256,
    "gru_grad_p": 128,
    "gru_grad_p_2": 128,
    "gru_grad_p_3": 128,
    "gru_grad_W_x": 64,
    "gru_grad_W_x_2": 128,
    "gru_grad_b_x": 256,
    "embedding_grad_a": 64,
    "embedding_grad_E": 128,
    "embedding_grad_E_2": 128,
    "update_scalars": 1,
    "update_entries": 128,
}
#: Kernels that compute in float64 whatever DTYPE is.
FLOAT64 = ("update_scalars",)


def workspace(n):
    """Return how many elements of workspace a batch of n samples needs."""
    return 27520 * n + 55300


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
    if entry < N * int32(512):
        n = entry // int32(512)
        t = entry // int32(16) % int32(32)
        i = entry % int32(16)
        work[a + n * 512 + t * 16 + i] = params[E + int32(x[n * 32 + t]) * 16 + i]


@jit
def gru_h(params, work, W_h, b_h, p, q, r, u, g, h, N):
    """Write q and r and u and g and h."""
    # q[n, t, r] = b_h[r] + Σ_k W_h[r, k] h[n, t − 1, k] [0 ≤ t − 1 < 32]
    # r[n, t, k] = σ(p[n, t, k] + q[n, t, k])
    # u[n, t, k] = σ(p[n, t, 48 + k] + q[n, t, 48 + k])
    # g[n, t, k] = tanh(q[n, t, 96 + k] r[n, t, k] + p[n, t, 96 + k])
    # h[n, t, k] = (1 − u[n, t, k]) · g[n, t, k] + h[n, t − 1, k] u[n, t, k] [0 ≤ t − 1 < 32]
    thread = int32(cuda.threadIdx.x)
    n = int32(cuda.blockIdx.x)
    for t in range(int32(32)):
        for r_ in range(thread, int32(144), int32(256)):
            total = real(0.0)
            for k in range(int32(48)):
                total += params[W_h + r_ * 48 + k] * work[h + n * 1536 + (t - 1) * 48 + k] if 0 <= t - 1 < 32 else real(0.0)
            work[q + n * 4608 + t * 144 + r_] = params[b_h + r_] + total
        for k in range(thread, int32(48), int32(256)):
            work[r + n * 1536 + t * 48 + k] = sigmoid(work[p + n * 4608 + t * 144 + k] + work[q + n * 4608 + t * 144 + k])
        cuda.syncthreads()
        for k in range(thread, int32(48), int32(256)):
            work[u + n * 1536 + t * 48 + k] = sigmoid(work[p + n * 4608 + t * 144 + (k + 48)] + work[q + n * 4608 + t * 144 + (k + 48)])
        for k in range(thread, int32(48), int32(256)):
            work[g + n * 1536 + t * 48 + k] = (
                math.tanh(work[q + n * 4608 + t * 144 + (k + 96)] * work[r + n * 1536 + t * 48 + k] + work[p + n * 4608 + t * 144 + (k
                + 96)])
            )
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
    if entry < int32(2976):
        i = entry // int32(48)
        j = entry % int32(48)
        total = real(0.0)
        for part in range(int32(8)):
            total += work[parts + part * 2976 + i * 48 + j]
        grads[grad_W + i * 48 + j] = total


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
def gru_grad_q(params, work, W, W_h, delta, u, g, h, q, r, grad_h, grad_g, grad_u, grad_r, grad_q, N):
    """Write grad_h and grad_g and grad_u and grad_r and grad_q."""
    # grad_h[n, t, k] = [0 ≤ 1 + t < 32] Σ_r W_h[r, k] grad_q[n, 1 + t, r] + grad_h[n, 1 + t, k] u[n, 1 + t, k] [0 ≤ 1 + t < 32] + Σ_i
    #     W[i, k] delta[n, t, i]
    # grad_g[n, t, k] = (1 − u[n, t, k]) · grad_h[n, t, k]
    # grad_u[n, t, k] = (h[n, t − 1, k] [0 ≤ t − 1 < 32] − g[n, t, k]) · grad_h[n, t, k]
    # grad_r[n, t, k] = (1 − g[n, t, k]²) · grad_g[n, t, k] q[n, t, 96 + k]
    # grad_q[n, t, r] = (1 − g[n, t, r − 96]²) · grad_g[n, t, r − 96] r[n, t, r − 96] [0 ≤ r − 96 < 48] − (r[n, t, r] − 1) · grad_r[n,
    #     t, r] r[n, t, r] [0 ≤ r < 48] − (u[n, t, r − 48] − 1) · grad_u[n, t, r − 48] u[n, t, r − 48] [0 ≤ r − 48 < 48]
    thread = int32(cuda.threadIdx.x)
    n = int32(cuda.blockIdx.x)
    for t in range(int32(32) - int32(1), int32(0) - int32(1), int32(-1)):
        for k in range(thread, int32(48), int32(256)):
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
        for k in range(thread, int32(48), int32(256)):
            work[grad_g + n * 1536 + t * 48 + k] = (real(1.0) - work[u + n * 1536 + t * 48 + k]) * work[grad_h + n * 1536 + t * 48 + k]
        for k in range(thread, int32(48), int32(256)):
            work[grad_u + n * 1536 + t * 48 + k] = (
                ((work[h + n * 1536 + (t - 1) * 48 + k] if 0 <= t - 1 < 32 else real(0.0)) - work[g + n * 1536 + t * 48 + k]) * work[grad_h
                + n * 1536 + t * 48 + k]
            )
        for k in range(thread, int32(48), int32(256)):
            work[grad_r + n * 1536 + t * 48 + k] = (
                (real(1.0) - work[g + n * 1536 + t * 48 + k] * work[g + n * 1536 + t * 48 + k]) * work[grad_g + n * 1536 + t * 48 + k]
                * work[q + n * 4608 + t * 144 + (k + 96)]
            )
        for r_ in range(thread, int32(48), int32(256)):
            work[grad_q + n * 4608 + t * 144 + r_] = (
                -(work[r + n * 1536 + t * 48 + r_] - real(1.0)) * work[grad_r + n * 1536 + t * 48 + r_] * work[r + n * 1536 + t * 48 + r_]
            )
        for entry in range(thread, int32(48), int32(256)):
            r_ = int32(48) + entry
            work[grad_q + n * 4608 + t * 144 + r_] = (
                -(work[u + n * 1536 + t * 48 + (r_ - 48)] - real(1.0)) * work[grad_u + n * 1536 + t * 48 + (r_ - 48)] * work[u + n * 1536
                + t * 48 + (r_ - 48)]
            )
        for entry in range(thread, int32(48), int32(256)):
            r_ = int32(96) + entry
            work[grad_q + n * 4608 + t * 144 + r_] = (
                (real(1.0) - work[g + n * 1536 + t * 48 + (r_ - 96)] * work[g + n * 1536 + t * 48 + (r_ - 96)]) * work[grad_g + n * 1536 + t
                * 48 + (r_ - 96)] * work[r + n * 1536 + t * 48 + (r_ - 96)]
            )
        cuda.syncthreads()


@jit
def gru_grad_W_h_2(grads, work, grad_W_h, parts, N):
    """Write grad_W_h."""
    # grad_W_h[r, k] = Σ_part parts[part, r, k]
    entry = int32(cuda.grid(1))
    if entry < int32(6912):
        r = entry // int32(48)
        k = entry % int32(48)
        total = real(0.0)
        for part in range(int32(8)):
            total += work[parts + part * 6912 + r * 48 + k]
        grads[grad_W_h + r * 48 + k] = total


@jit
def gru_grad_b_h(work, grads, grad_q, grad_b_h, N):
    """Write grad_b_h."""
    # grad_b_h[r] = Σ_{n, t} grad_q[n, t, r]
    parts = cuda.shared.array(8, real)
    thread = int32(cuda.threadIdx.x)
    r = int32(cuda.blockIdx.x)
    total = real(0.0)
    part = real(0.0)
    for entry in range(thread, N * int32(32), int32(256)):
        n = entry // int32(32)
        t = entry % int32(32)
        part += work[grad_q + n * 4608 + t * 144 + r]
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
        grads[grad_b_h + r] = total


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
            -(work[u + n * 1536 + t * 48 + (r - 48)] - real(1.0)) * work[grad_u + n * 1536 + t * 48 + (r - 48)] * work[u + n * 1536 + t * 48
            + (r - 48)]
        )


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
            (real(1.0) - work[g + n * 1536 + t * 48 + (r - 96)] * work[g + n * 1536 + t * 48 + (r - 96)]) * work[grad_g + n * 1536 + t * 48
            + (r - 96)]
        )


@jit
def gru_grad_W_x_2(grads, work, grad_W_x, parts, N):
    """Write grad_W_x."""
    # grad_W_x[r, j] = Σ_part parts[part, r, j]
    entry = int32(cuda.grid(1))
    if entry < int32(2304):
        r = entry // int32(16)
        j = entry % int32(16)
        total = real(0.0)
        for part in range(int32(8)):
            total += work[parts + part * 2304 + r * 16 + j]
        grads[grad_W_x + r * 16 + j] = total


@jit
def gru_grad_b_x(work, grads, grad_p, grad_b_x, N):
    """Write grad_b_x."""
    # grad_b_x[r] = Σ_{n, t} grad_p[n, t, r]
    parts = cuda.shared.array(8, real)
    thread = int32(cuda.threadIdx.x)
    r = int32(cuda.blockIdx.x)
    total = real(0.0)
    part = real(0.0)
    for entry in range(thread, N * int32(32), int32(256)):
        n = entry // int32(32)
        t = entry % int32(32)
        part += work[grad_p + n * 4608 + t * 144 + r]
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
        grads[grad_b_x + r] = total


@jit
def embedding_grad_E(grads, grad_E, N):
    """Write grad_E."""
    # grad_E[v, i] = Σ_{n, t} grad_a[n, t, i] [v = x[n, t]]
    entry = int32(cuda.grid(1))
    if entry < int32(992):
        v = entry // int32(16)
        i = entry % int32(16)
        grads[grad_E + v * 16 + i] = real(0.0)


@jit
def embedding_grad_E_2(work, x, grads, grad_a, grad_E, N):
    """Write grad_E."""
    # grad_E[v, i] = Σ_{n, t} grad_a[n, t, i] [v = x[n, t]]
    i = int32(cuda.grid(1))
    if i < int32(16):
        for n in range(N):
            for t in range(int32(32)):
                if 0 <= int32(x[n * 32 + t]) < 62:
                    grads[grad_E + int32(x[n * 32 + t]) * 16 + i] += work[grad_a + n * 512 + t * 16 + i]


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
    t = float64(state[27068])
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
            state[27068] = real(t_next)
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
        v_next = grads[p] * grads[p] * factor_2 + state[13534 + p] * beta2
        w_next = factor_4 * m_next / (math.sqrt(factor_3 * v_next) + eps) + params[p]
        state[p] = m_next
        state[13534 + p] = v_next
        params[p] = w_next


@jit
def gru_p(params, work, W_x, b_x, x, p, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads."""
    # p[n, t, r] = b_x[r] + Σ_j W_x[r, j] x[n, t, j]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t_ = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(uint32(block) % uint32(5))
    block = int32(uint32(block) // uint32(5))
    column = int32(column * 32)
    row = block
    row = int32(row * 32)
    term = int32(0)
    stop = int32(16)
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
    r_r0 = r_at0
    r_at1 = int32(column + (t_ >> 2) + 16)
    r_r1 = r_at1
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
        l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(x + n_l0 * 512 + t_l0 * 16 + j_l_0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at1 < N * 32) & (l_term0 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(x + n_l1 * 512 + t_l1 * 16 + j_l_0))
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 144) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W_x + r_r0 * 16 + j_r_0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at1 < 144) & (r_term0 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W_x + r_r1 * 16 + j_r_0))
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
            l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(x + n_l0 * 512 + t_l0 * 16 + j_l_0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at1 < N * 32) & (l_term0 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(x + n_l1 * 512 + t_l1 * 16 + j_l_0))
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 144) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W_x + r_r0 * 16 + j_r_0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at1 < 144) & (r_term0 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W_x + r_r1 * 16 + j_r_0))
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
    r = column
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
            if r_row < N * 32 and column < 144:
                t = int32(uint32(r_row) % uint32(32))
                rest_t = int32(uint32(r_row) // uint32(32))
                n = rest_t
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(p + n * 4608 + t * 144 + r)] = params[uint32(b_x + r)] + dot
        cuda.syncthreads()


@jit
def dense_z(params, work, out, W, b, x, N):
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
    stop = int32(48)
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
        l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(x + n_l0 * 1536 + t_l0 * 48 + j_l_0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at1 < N * 32) & (l_term0 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(x + n_l1 * 1536 + t_l1 * 48 + j_l_0))
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 62) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W + i_r0 * 48 + j_r_0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at1 < 62) & (r_term0 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W + i_r1 * 48 + j_r_0))
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
            l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(x + n_l0 * 1536 + t_l0 * 48 + j_l_0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at1 < N * 32) & (l_term0 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(x + n_l1 * 1536 + t_l1 * 48 + j_l_0))
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 62) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W + i_r0 * 48 + j_r_0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at1 < 62) & (r_term0 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W + i_r1 * 48 + j_r_0))
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
def dense_z_2(params, work, W, b, x, z, N):
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
    stop = int32(48)
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
        l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(x + n_l0 * 1536 + t_l0 * 48 + j_l_0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at1 < N * 32) & (l_term0 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(x + n_l1 * 1536 + t_l1 * 48 + j_l_0))
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 62) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W + i_r0 * 48 + j_r_0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at1 < 62) & (r_term0 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W + i_r1 * 48 + j_r_0))
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
            l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(x + n_l0 * 1536 + t_l0 * 48 + j_l_0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at1 < N * 32) & (l_term0 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(x + n_l1 * 1536 + t_l1 * 48 + j_l_0))
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 62) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W + i_r0 * 48 + j_r_0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at1 < 62) & (r_term0 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W + i_r1 * 48 + j_r_0))
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
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads; the terms in 8 parts."""
    # parts[part, i, j] = Σ_{n, t} delta[n, t, i] x[n, t, j]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t_ = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(uint32(block) % uint32(2))
    block = int32(uint32(block) // uint32(2))
    column = int32(column * 32)
    row = int32(uint32(block) % uint32(2))
    block = int32(uint32(block) // uint32(2))
    row = int32(row * 32)
    part = block
    stop = int32((N * 32 + 127) // 128 * 16)
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
    if (r_at0 < 48) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(work, int32(x + n_r_0 * 1536 + t_r_0 * 48 + j_r0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at0 < 48) & (r_term1 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(work, int32(x + n_r_1 * 1536 + t_r_1 * 48 + j_r0))
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
        if (r_at0 < 48) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(work, int32(x + n_r_0 * 1536 + t_r_0 * 48 + j_r0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at0 < 48) & (r_term1 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(work, int32(x + n_r_1 * 1536 + t_r_1 * 48 + j_r0))
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
            if r_row < 62 and column < 48:
                i = r_row
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(parts + part * 2976 + i * 48 + j)] = dot
        cuda.syncthreads()


@jit
def gru_grad_W_h(work, grad_q, h, parts, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads; the terms in 8 parts."""
    # parts[part, r, k] = Σ_{n, t} grad_q[n, t, r] h[n, t − 1, k] [0 ≤ t − 1 < 32]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t_ = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(uint32(block) % uint32(2))
    block = int32(uint32(block) // uint32(2))
    column = int32(column * 32)
    row = int32(uint32(block) % uint32(5))
    block = int32(uint32(block) // uint32(5))
    row = int32(row * 32)
    part = block
    stop = int32((N * 32 + 127) // 128 * 16)
    term = int32(part * stop)
    stop = int32(term + stop)
    stop = int32(N * 32) if stop > N * 32 else stop
    l_at0 = int32(row + ((t_ & 7) * 4))
    r_l0 = l_at0
    l_put = int32(((t_ >> 3) * 36) + ((t_ & 7) * 4))
    r_at0 = int32(column + (t_ & 31))
    k_r0 = r_at0
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
    if (l_at0 < 144) & (l_term0 < stop):
        l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(grad_q + n_l_0 * 4608 + t_l_0 * 144 + r_l0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at0 < 144) & (l_term1 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(grad_q + n_l_1 * 4608 + t_l_1 * 144 + r_l0))
    r0 = zero
    if (r_at0 < 48) & (r_term0 < stop) & (uint32(t_r_0 - 1) < uint32(32)):
        r0 = work[uint32(h + n_r_0 * 1536 + (t_r_0 - 1) * 48 + k_r0)]
    r1 = zero
    if (r_at0 < 48) & (r_term1 < stop) & (uint32(t_r_1 - 1) < uint32(32)):
        r1 = work[uint32(h + n_r_1 * 1536 + (t_r_1 - 1) * 48 + k_r0)]
    r2 = zero
    if (r_at0 < 48) & (r_term2 < stop) & (uint32(t_r_2 - 1) < uint32(32)):
        r2 = work[uint32(h + n_r_2 * 1536 + (t_r_2 - 1) * 48 + k_r0)]
    r3 = zero
    if (r_at0 < 48) & (r_term3 < stop) & (uint32(t_r_3 - 1) < uint32(32)):
        r3 = work[uint32(h + n_r_3 * 1536 + (t_r_3 - 1) * 48 + k_r0)]
    r4 = zero
    if (r_at0 < 48) & (r_term4 < stop) & (uint32(t_r_4 - 1) < uint32(32)):
        r4 = work[uint32(h + n_r_4 * 1536 + (t_r_4 - 1) * 48 + k_r0)]
    r5 = zero
    if (r_at0 < 48) & (r_term5 < stop) & (uint32(t_r_5 - 1) < uint32(32)):
        r5 = work[uint32(h + n_r_5 * 1536 + (t_r_5 - 1) * 48 + k_r0)]
    r6 = zero
    if (r_at0 < 48) & (r_term6 < stop) & (uint32(t_r_6 - 1) < uint32(32)):
        r6 = work[uint32(h + n_r_6 * 1536 + (t_r_6 - 1) * 48 + k_r0)]
    r7 = zero
    if (r_at0 < 48) & (r_term7 < stop) & (uint32(t_r_7 - 1) < uint32(32)):
        r7 = work[uint32(h + n_r_7 * 1536 + (t_r_7 - 1) * 48 + k_r0)]
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
        if (l_at0 < 144) & (l_term0 < stop):
            l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(grad_q + n_l_0 * 4608 + t_l_0 * 144 + r_l0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at0 < 144) & (l_term1 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(grad_q + n_l_1 * 4608 + t_l_1 * 144 + r_l0))
        r0 = zero
        if (r_at0 < 48) & (r_term0 < stop) & (uint32(t_r_0 - 1) < uint32(32)):
            r0 = work[uint32(h + n_r_0 * 1536 + (t_r_0 - 1) * 48 + k_r0)]
        r1 = zero
        if (r_at0 < 48) & (r_term1 < stop) & (uint32(t_r_1 - 1) < uint32(32)):
            r1 = work[uint32(h + n_r_1 * 1536 + (t_r_1 - 1) * 48 + k_r0)]
        r2 = zero
        if (r_at0 < 48) & (r_term2 < stop) & (uint32(t_r_2 - 1) < uint32(32)):
            r2 = work[uint32(h + n_r_2 * 1536 + (t_r_2 - 1) * 48 + k_r0)]
        r3 = zero
        if (r_at0 < 48) & (r_term3 < stop) & (uint32(t_r_3 - 1) < uint32(32)):
            r3 = work[uint32(h + n_r_3 * 1536 + (t_r_3 - 1) * 48 + k_r0)]
        r4 = zero
        if (r_at0 < 48) & (r_term4 < stop) & (uint32(t_r_4 - 1) < uint32(32)):
            r4 = work[uint32(h + n_r_4 * 1536 + (t_r_4 - 1) * 48 + k_r0)]
        r5 = zero
        if (r_at0 < 48) & (r_term5 < stop) & (uint32(t_r_5 - 1) < uint32(32)):
            r5 = work[uint32(h + n_r_5 * 1536 + (t_r_5 - 1) * 48 + k_r0)]
        r6 = zero
        if (r_at0 < 48) & (r_term6 < stop) & (uint32(t_r_6 - 1) < uint32(32)):
            r6 = work[uint32(h + n_r_6 * 1536 + (t_r_6 - 1) * 48 + k_r0)]
        r7 = zero
        if (r_at0 < 48) & (r_term7 < stop) & (uint32(t_r_7 - 1) < uint32(32)):
            r7 = work[uint32(h + n_r_7 * 1536 + (t_r_7 - 1) * 48 + k_r0)]
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
    k = column
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
            if r_row < 144 and column < 48:
                r = r_row
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(parts + part * 6912 + r * 48 + k)] = dot
        cuda.syncthreads()


@jit
def gru_grad_W_x(work, grad_p, x, parts, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads; the terms in 8 parts."""
    # parts[part, r, j] = Σ_{n, t} grad_p[n, t, r] x[n, t, j]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t_ = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(0)
    column = int32(column * 32)
    row = int32(uint32(block) % uint32(5))
    block = int32(uint32(block) // uint32(5))
    row = int32(row * 32)
    part = block
    stop = int32((N * 32 + 127) // 128 * 16)
    term = int32(part * stop)
    stop = int32(term + stop)
    stop = int32(N * 32) if stop > N * 32 else stop
    l_at0 = int32(row + ((t_ & 7) * 4))
    r_l0 = l_at0
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
    if (l_at0 < 144) & (l_term0 < stop):
        l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(grad_p + n_l_0 * 4608 + t_l_0 * 144 + r_l0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at0 < 144) & (l_term1 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(grad_p + n_l_1 * 4608 + t_l_1 * 144 + r_l0))
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 16) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(work, int32(x + n_r_0 * 512 + t_r_0 * 16 + j_r0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at0 < 16) & (r_term1 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(work, int32(x + n_r_1 * 512 + t_r_1 * 16 + j_r0))
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
        if (l_at0 < 144) & (l_term0 < stop):
            l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(grad_p + n_l_0 * 4608 + t_l_0 * 144 + r_l0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at0 < 144) & (l_term1 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(grad_p + n_l_1 * 4608 + t_l_1 * 144 + r_l0))
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 16) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(work, int32(x + n_r_0 * 512 + t_r_0 * 16 + j_r0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at0 < 16) & (r_term1 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(work, int32(x + n_r_1 * 512 + t_r_1 * 16 + j_r0))
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
            if r_row < 144 and column < 16:
                r = r_row
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(parts + part * 2304 + r * 16 + j)] = dot
        cuda.syncthreads()


@jit
def embedding_grad_a(params, work, W_x, grad_p, grad_a, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads."""
    # grad_a[n, t, j] = Σ_r W_x[r, j] grad_p[n, t, r]
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
    stop = int32(144)
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
    r_l_0 = l_term0
    r_term0 = int32(term + (t_ >> 3))
    r_r_0 = r_term0
    r_term1 = int32(term + (t_ >> 3) + 8)
    r_r_1 = r_term1
    l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
    if (l_at0 < N * 32) & (l_term0 < stop):
        l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(grad_p + n_l0 * 4608 + t_l0 * 144 + r_l_0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at1 < N * 32) & (l_term0 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(grad_p + n_l1 * 4608 + t_l1 * 144 + r_l_0))
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 16) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W_x + r_r_0 * 16 + j_r0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at0 < 16) & (r_term1 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W_x + r_r_1 * 16 + j_r0))
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
        r_l_0 = l_term0
        r_term0 = int32(term + (t_ >> 3))
        r_r_0 = r_term0
        r_term1 = int32(term + (t_ >> 3) + 8)
        r_r_1 = r_term1
        l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
        if (l_at0 < N * 32) & (l_term0 < stop):
            l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(grad_p + n_l0 * 4608 + t_l0 * 144 + r_l_0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at1 < N * 32) & (l_term0 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(grad_p + n_l1 * 4608 + t_l1 * 144 + r_l_0))
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 16) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W_x + r_r_0 * 16 + j_r0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at0 < 16) & (r_term1 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W_x + r_r_1 * 16 + j_r0))
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
            if r_row < N * 32 and column < 16:
                t = int32(uint32(r_row) % uint32(32))
                rest_t = int32(uint32(r_row) // uint32(32))
                n = rest_t
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(grad_a + n * 512 + t * 16 + j)] = dot
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
    launch(embedding_a, (n * 512 + 127) // 128, 128, params, x, work, 0, 0, n)
    # gru_1
    launch(gru_p, ((n * 32 + 31) // 32) * 5, 64, params, work, 992, 10208, 0, 512 * n, n)
    launch(gru_h, n, 256, params, work, 3296, 10352, 512 * n, 5120 * n, 9728 * n, 11264 * n, 12800 * n, 14336 * n, n)
    launch(gru_a, (n * 1536 + 127) // 128, 128, work, 14336 * n, 512 * n, n)
    # dense_1
    launch(dense_z, ((n * 32 + 31) // 32) * 2, 64, params, work, out, 10496, 13472, 512 * n, n)


def launch_loss(params, x, y, work, n):
    # embedding_1
    launch(embedding_a, (n * 512 + 127) // 128, 128, params, x, work, 0, 0, n)
    # gru_1
    launch(gru_p, ((n * 32 + 31) // 32) * 5, 64, params, work, 992, 10208, 0, 512 * n, n)
    launch(gru_h, n, 256, params, work, 3296, 10352, 512 * n, 5120 * n, 9728 * n, 11264 * n, 12800 * n, 14336 * n, n)
    launch(gru_a, (n * 1536 + 127) // 128, 128, work, 14336 * n, 512 * n, n)
    # dense_1
    launch(dense_z_2, ((n * 32 + 31) // 32) * 2, 64, params, work, 10496, 13472, 512 * n, 2048 * n, n)
    # loss
    launch(write_loss_p, (n * 32 + 127) // 128, 128, work, 2048 * n, 15872 * n, n)
    launch(write_loss_L, (n * 32 + 127) // 128, 128, work, y, 2048 * n, 4032 * n, n)
    launch(loss_total, 1, 256, work, 4032 * n, 27520 * n, n)


def launch_gradients(params, x, y, grads, work, n):
    # dense_1
    launch(dense_delta, (n * 1984 + 127) // 128, 128, work, y, 15872 * n, 17856 * n, n)
    launch(dense_grad_W, 2 * 2 * 8, 64, work, 17856 * n, 512 * n, 27520 * n + 4, n)
    launch(dense_grad_W_2, 24, 128, grads, work, 10496, 27520 * n + 4, n)
    launch(dense_grad_b, 62, 256, work, grads, 17856 * n, 13472, n)
    # gru_1
    launch(
        gru_grad_q, n, 256, params, work, 10496, 3296, 17856 * n, 11264 * n, 12800 * n, 14336 * n, 5120 * n, 9728 * n, 512 * n, 15872 * n,
        19840 * n, 21376 * n, 22912 * n, n,
    )
    launch(gru_grad_W_h, 5 * 2 * 8, 64, work, 22912 * n, 14336 * n, 27520 * n + 4, n)
    launch(gru_grad_W_h_2, 54, 128, grads, work, 3296, 27520 * n + 4, n)
    launch(gru_grad_b_h, 144, 256, work, grads, 22912 * n, 10352, n)
    launch(gru_grad_p, (n * 1536 + 127) // 128, 128, work, 21376 * n, 9728 * n, 4032 * n, n)
    launch(gru_grad_p_2, (n * 1536 + 127) // 128, 128, work, 19840 * n, 11264 * n, 4032 * n, n)
    launch(gru_grad_p_3, (n * 1536 + 127) // 128, 128, work, 12800 * n, 15872 * n, 4032 * n, n)
    launch(gru_grad_W_x, 5 * 8, 64, work, 4032 * n, 0, 27520 * n + 4, n)
    launch(gru_grad_W_x_2, 18, 128, grads, work, 992, 27520 * n + 4, n)
    launch(gru_grad_b_x, 144, 256, work, grads, 4032 * n, 10208, n)
    # embedding_1
    launch(embedding_grad_a, ((n * 32 + 31) // 32), 64, params, work, 992, 4032 * n, 0, n)
    launch(embedding_grad_E, 8, 128, grads, 0, n)
    launch(embedding_grad_E_2, 1, 128, work, x, grads, 0, 0, n)


def launch_update(params, grads, state, hyper, scalars, losses, place, history, step, count):
    launch(update_scalars, 1, 1, params, grads, state, hyper, scalars, losses, place, history, step, count)
    launch(update_entries, 106, 128, params, grads, state, scalars, 0, 13534)


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
    return number(d_work, 27520 * n)


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
    d_grads = room(grads, 13534, DTYPE)
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_value_and_grad, d_params, d_x, d_y, d_grads, d_work, n)
    give(d_grads, grads)
    return number(d_work, 27520 * n)


def update(params, grads, state, hyper):
    """Do one step of the optimizer with given gradients."""
    d_params = take(params, DTYPE)
    d_grads = take(grads, DTYPE)
    d_state = take(state, DTYPE) if 27069 else d_params
    d_hyper = take(hyper, "float64")
    scalars, step = room(None, 8, DTYPE), zeros(1, "int32")
    losses = zeros(1, DTYPE)
    launch_update(d_params, d_grads, d_state, d_hyper, scalars, losses, 0, losses, step, 0)
    give(d_params, params)
    give(d_state, state)


def launch_train_step(d_x, d_y, d_params, d_grads, d_state, d_hyper, scalars, d_work, step, n):
    launch_loss(d_params, d_x, d_y, d_work, n)
    launch_gradients(d_params, d_x, d_y, d_grads, d_work, n)
    launch_update(d_params, d_grads, d_state, d_hyper, scalars, d_work, 27520 * n, d_work, step, 0)


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
    d_state = take(state, DTYPE) if 27069 else d_params
    d_hyper = take(hyper, "float64")
    scalars, step = room(None, 8, DTYPE), zeros(1, "int32")
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_train_step, d_x, d_y, d_params, d_grads, d_state, d_hyper, scalars, d_work, step, n)
    give(d_grads, grads)
    give(d_params, params)
    give(d_state, state)
    return number(d_work, 27520 * n)


def launch_step(all_x, all_y, d_order, d_x, d_y, d_params, d_grads, d_state, d_hyper, scalars, d_work, history, step, shuffled, size, n):
    launch(gather, (n * 32 + 127) // 128, 128, all_x, d_order, step, size, 32, d_x, n * 32, shuffled)
    launch(gather, (n * 32 + 127) // 128, 128, all_y, d_order, step, size, 32, d_y, n * 32, shuffled)
    launch_loss(d_params, d_x, d_y, d_work, n)
    launch_gradients(d_params, d_x, d_y, d_grads, d_work, n)
    launch_update(d_params, d_grads, d_state, d_hyper, scalars, d_work, 27520 * n, history, step, 1)


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
    d_state = take(state, DTYPE) if 27069 else d_params
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
