"""Kernels of the network own_morphology for CUDA, compiled by Numba; they need NumPy, Numba and a GPU.

Written from the template numba_cuda/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: 8d8c20a0294958568d3eb9193b7e5916a786b0136fb5ec9d71983827bf5bf531
Schedule: layered; each kernel is a launch of its own: a step needs 637,476 bytes of shared memory, a block has 49,152

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
#: The types of each kernel's arguments, and the threads of its blocks, for compilers that have no call to look at.
SIGNATURES = {
    "outline_grown": ("float32[::1]", "float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "outline_a": ("float32[::1]", "float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32"),
    "maxpool2d_a": ("float32[::1]", "int32", "int32", "int32", "int32"),
    "flatten_a": ("float32[::1]", "int32", "int32", "int32"),
    "dense_z": ("float32[::1]", "float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "dense_z_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32"),
    "write_loss_p": ("float32[::1]", "int32", "int32", "int32"),
    "write_loss_L": ("float32[::1]", "int64[::1]", "int32", "int32", "int32"),
    "loss_total": ("float32[::1]", "int32", "int32", "int32"),
    "dense_delta": ("float32[::1]", "int64[::1]", "int32", "int32", "int32"),
    "dense_grad_W": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "dense_grad_b": ("float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "flatten_grad_a": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "outline_grad_a": ("float32[::1]", "int32", "int32", "int32", "int32"),
    "outline_grad_B": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "outline_grad_E": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "write_grad_x": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "update_scalars": ("float32[::1]", "float32[::1]", "float32[::1]", "float64[::1]", "float32[::1]", "float32[::1]", "int32", "float32[::1]", "int32[::1]", "int32"),
    "update_entries": ("float32[::1]", "float32[::1]", "float32[::1]", "float32[::1]", "int32", "int32"),
}
THREADS = {
    "outline_grown": 128,
    "outline_a": 128,
    "maxpool2d_a": 128,
    "flatten_a": 128,
    "dense_z": 64,
    "dense_z_2": 64,
    "write_loss_p": 128,
    "write_loss_L": 128,
    "loss_total": 32,
    "dense_delta": 128,
    "dense_grad_W": 64,
    "dense_grad_b": 128,
    "flatten_grad_a": 64,
    "outline_grad_a": 128,
    "outline_grad_B": 256,
    "outline_grad_E": 256,
    "write_grad_x": 128,
    "update_scalars": 1,
    "update_entries": 128,
}
#: Kernels that compute in float64 whatever DTYPE is.
FLOAT64 = ("update_scalars",)


def workspace(n):
    """Return how many elements of workspace a batch of n samples needs."""
    return 3072 * n + 4


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
def outline_grown(params, x, work, B, grown_argmax, grown, N):
    """Write grown_argmax and grown."""
    # grown_argmax[n, k, h, w] = (3 u + v at max_{u, v} (B[k, u, v] + x[n, 0, h + u − 1, v + w − 1]) · [0 ≤ h + u − 1 < 8] [0 ≤ v + w
    #     − 1 < 8])
    # grown[n, k, h, w] = max_{u, v} (B[k, u, v] + x[n, 0, h + u − 1, v + w − 1]) · [0 ≤ h + u − 1 < 8] [0 ≤ v + w − 1 < 8]
    entry = int32(cuda.grid(1))
    if entry < N * int32(768):
        n = entry // int32(768)
        k = entry // int32(64) % int32(12)
        h = entry // int32(8) % int32(8)
        w = entry % int32(8)
        best = real(-math.inf)
        place = 0
        for u in range((int32(0) if int32(0) > 1 - h else 1 - h), (int32(3) if int32(3) < 9 - h else 9 - h)):
            for v in range((int32(0) if int32(0) > 1 - w else 1 - w), (int32(3) if int32(3) < 9 - w else 9 - w)):
                candidate = params[B + k * 9 + u * 3 + v] + x[n * 64 + (h + u - 1) * 8 + (v + w - 1)]
                larger = (candidate > best) | ((candidate != candidate) & (best == best))
                best = candidate if larger else best
                place = 3 * u + v if larger else place
        work[grown_argmax + n * 768 + k * 64 + h * 8 + w] = real(place)
        work[grown + n * 768 + k * 64 + h * 8 + w] = best


@jit
def outline_a(params, x, work, E, grown, shrunk_argmax, a, N):
    """Write shrunk_argmax and a."""
    # shrunk_argmax[n, k, h, w] = (3 u + v at max_{u, v} (E[k, u, v] − x[n, 0, h + u − 1, v + w − 1]) · [0 ≤ h + u − 1 < 8] [0 ≤ v + w
    #     − 1 < 8])
    # a[n, k, h, w] = grown[n, k, h, w] − shrunk[n, k, h, w]
    entry = int32(cuda.grid(1))
    if entry < N * int32(768):
        n = entry // int32(768)
        k = entry // int32(64) % int32(12)
        h = entry // int32(8) % int32(8)
        w = entry % int32(8)
        best = real(-math.inf)
        place = 0
        for u in range((int32(0) if int32(0) > 1 - h else 1 - h), (int32(3) if int32(3) < 9 - h else 9 - h)):
            for v in range((int32(0) if int32(0) > 1 - w else 1 - w), (int32(3) if int32(3) < 9 - w else 9 - w)):
                candidate = params[E + k * 9 + u * 3 + v] - x[n * 64 + (h + u - 1) * 8 + (v + w - 1)]
                larger = (candidate > best) | ((candidate != candidate) & (best == best))
                best = candidate if larger else best
                place = 3 * u + v if larger else place
        work[shrunk_argmax + n * 768 + k * 64 + h * 8 + w] = real(place)
        shrunk = -best
        work[a + n * 768 + k * 64 + h * 8 + w] = work[grown + n * 768 + k * 64 + h * 8 + w] - shrunk


@jit
def maxpool2d_a(work, x, a_argmax, a, N):
    """Write a_argmax and a."""
    # a_argmax[n, c, p, q] = (2 i + j at max_{i, j} x[n, c, 2 p + i, 2 q + j])
    # a[n, c, p, q] = max_{i, j} x[n, c, 2 p + i, 2 q + j]
    entry = int32(cuda.grid(1))
    if entry < N * int32(192):
        n = entry // int32(192)
        c = entry // int32(16) % int32(12)
        p = entry // int32(4) % int32(4)
        q = entry % int32(4)
        best = real(-math.inf)
        place = 0
        for i in range(int32(2)):
            for j in range(int32(2)):
                candidate = work[x + n * 768 + c * 64 + (2 * p + i) * 8 + (2 * q + j)]
                larger = (candidate > best) | ((candidate != candidate) & (best == best))
                best = candidate if larger else best
                place = 2 * i + j if larger else place
        work[a_argmax + n * 192 + c * 16 + p * 4 + q] = real(place)
        work[a + n * 192 + c * 16 + p * 4 + q] = best


@jit
def flatten_a(work, x, a, N):
    """Write a."""
    # a[n, k] = x[n, floor(k/16), floor(k/4) mod 4, k mod 4]
    entry = int32(cuda.grid(1))
    if entry < N * int32(192):
        n = entry // int32(192)
        k = entry % int32(192)
        work[a + n * 192 + k] = work[x + n * 192 + (k // int32(16)) * 16 + (k // int32(4) % int32(4)) * 4 + (k % int32(4))]


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
        grad_a_2_ = work[grad_a_2 + n * 192 + (4 * H + 16 * c + W)]
        a_argmax_ = work[a_argmax + n * 192 + c * 16 + H * 4 + W]
        work[grad_a + n * 768 + c * 64 + (2 * H + i) * 8 + (2 * W + j)] = grad_a_2_ if real(2 * i + j) == a_argmax_ else real(0.0)


@jit
def outline_grad_B(work, grads, grad_a, grown_argmax, grad_B, N):
    """Write grad_B."""
    # grad_B[k, u, v] = Σ_{n, h, w} grad_a[n, k, h, w] [0 ≤ h + u − 1 < 8] [0 ≤ v + w − 1 < 8] [3 u + v = grown_argmax[n, k, h, w]]
    parts = cuda.shared.array(8, real)
    thread = int32(cuda.threadIdx.x)
    row = int32(cuda.blockIdx.x)
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


@jit
def outline_grad_E(work, grads, grad_a, shrunk_argmax, grad_E, N):
    """Write grad_E."""
    # grad_E[k, u, v] = Σ_{n, h, w} grad_a[n, k, h, w] [0 ≤ h + u − 1 < 8] [0 ≤ v + w − 1 < 8] [3 u + v = shrunk_argmax[n, k, h, w]]
    parts = cuda.shared.array(8, real)
    thread = int32(cuda.threadIdx.x)
    row = int32(cuda.blockIdx.x)
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
                        work[grad_a + n * 768 + k * 64 + (h + 1 - i) * 8 + (w + 1 - j)] if real(3 * i + j) == work[shrunk_argmax + n * 768
                        + k * 64 + (h + 1 - i) * 8 + (w + 1 - j)] else real(0.0)
                    )
        total_2 = real(0.0)
        for k in range(int32(12)):
            for i in range((int32(0) if int32(0) > h - 6 else h - 6), (int32(3) if int32(3) < h + 2 else h + 2)):
                for j in range((int32(0) if int32(0) > w - 6 else w - 6), (int32(3) if int32(3) < w + 2 else w + 2)):
                    total_2 += (
                        work[grad_a + n * 768 + k * 64 + (h + 1 - i) * 8 + (w + 1 - j)] if real(3 * i + j) == work[grown_argmax + n * 768
                        + k * 64 + (h + 1 - i) * 8 + (w + 1 - j)] else real(0.0)
                    )
        grads_x[n * 64 + c * 64 + h * 8 + w] = total_2 - total if c == 0 else real(0.0)


@jit
def update_scalars(params, grads, state, hyper, scalars, losses, place, history, step, count):
    """Compute what a step of the optimizer has once for all entries; nothing is done where the loss is not finite."""
    # t_next = 1 + t
    # m_next[p] = (1 − beta1) · g[p] + beta1 m[p]
    # v_next[p] = g[p]² · (1 − beta2) + beta2 v[p]
    # c_1 = 1 − beta1^t_next
    # c_2 = 1 − beta2^t_next
    # w_next[p] = w[p] − lr m_next[p]/((√(v_next[p]/c_2) + eps) · c_1)
    value = losses[place]
    good = math.isfinite(value)
    lr = hyper[0]
    beta1 = hyper[1]
    beta2 = hyper[2]
    eps = hyper[3]
    t = float64(state[4292])
    thread = int32(cuda.threadIdx.x)
    t_next = float64(1.0) + t
    factor = float64(1.0) - beta1
    factor_2 = float64(1.0) - beta2
    c_1 = float64(1.0) - beta1 ** t_next
    c_2 = float64(1.0) - beta2 ** t_next
    factor_3 = float64(1.0) / c_2
    factor_4 = -lr / c_1
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
            state[4292] = real(t_next)
        if count > 0:
            history[step[0]] = value
            step[0] += int32(1)


@jit
def update_entries(params, grads, state, scalars, first, last):
    """Update the entries first .. last - 1 with the scalars of this step."""
    # t_next = 1 + t
    # m_next[p] = (1 − beta1) · g[p] + beta1 m[p]
    # v_next[p] = g[p]² · (1 − beta2) + beta2 v[p]
    # c_1 = 1 − beta1^t_next
    # c_2 = 1 − beta2^t_next
    # w_next[p] = w[p] − lr m_next[p]/((√(v_next[p]/c_2) + eps) · c_1)
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
        v_next = grads[p] * grads[p] * factor_2 + state[2146 + p] * beta2
        w_next = factor_4 * m_next / (math.sqrt(factor_3 * v_next) + eps) + params[p]
        state[p] = m_next
        state[2146 + p] = v_next
        params[p] = w_next


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
    stop = int32(192)
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
        l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(x + n_l0 * 192 + j_l_0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at1 < N) & (l_term0 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(x + n_l1 * 192 + j_l_0))
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 10) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W + i_r0 * 192 + j_r_0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at1 < 10) & (r_term0 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W + i_r1 * 192 + j_r_0))
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
            l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(x + n_l0 * 192 + j_l_0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at1 < N) & (l_term0 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(x + n_l1 * 192 + j_l_0))
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 10) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W + i_r0 * 192 + j_r_0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at1 < 10) & (r_term0 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W + i_r1 * 192 + j_r_0))
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
    stop = int32(192)
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
        l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(x + n_l0 * 192 + j_l_0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at1 < N) & (l_term0 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(x + n_l1 * 192 + j_l_0))
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 10) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W + i_r0 * 192 + j_r_0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at1 < 10) & (r_term0 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W + i_r1 * 192 + j_r_0))
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
            l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(x + n_l0 * 192 + j_l_0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at1 < N) & (l_term0 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(x + n_l1 * 192 + j_l_0))
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 10) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W + i_r0 * 192 + j_r_0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at1 < 10) & (r_term0 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W + i_r1 * 192 + j_r_0))
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
    column = int32(uint32(block) % uint32(6))
    block = int32(uint32(block) // uint32(6))
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
    if (r_at0 < 192) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(work, int32(x + n_r_0 * 192 + j_r0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at0 < 192) & (r_term1 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(work, int32(x + n_r_1 * 192 + j_r0))
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
        if (r_at0 < 192) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(work, int32(x + n_r_0 * 192 + j_r0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at0 < 192) & (r_term1 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(work, int32(x + n_r_1 * 192 + j_r0))
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
            if r_row < 10 and column < 192:
                i = r_row
                dot = tiles[uint32(line * 32 + mine)]
                grads[uint32(grad_W + i * 192 + j)] = dot
        cuda.syncthreads()


@jit
def flatten_grad_a(params, work, W, delta, grad_a, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads."""
    # grad_a[n, j] = Σ_i W[i, j] delta[n, i]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(uint32(block) % uint32(6))
    block = int32(uint32(block) // uint32(6))
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
    j_r0 = r_at0
    r_put = int32(576 + ((t >> 3) * 36) + ((t & 7) * 4))
    high = int32((t >> 3) * 4)
    wide = int32((t & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + (t & 15))
    i_l_0 = l_term0
    r_term0 = int32(term + (t >> 3))
    i_r_0 = r_term0
    r_term1 = int32(term + (t >> 3) + 8)
    i_r_1 = r_term1
    l0 = zero
    if (l_at0 < N) & (l_term0 < stop):
        l0 = work[uint32(delta + n_l0 * 10 + i_l_0)]
    l1 = zero
    if (l_at1 < N) & (l_term0 < stop):
        l1 = work[uint32(delta + n_l1 * 10 + i_l_0)]
    l2 = zero
    if (l_at2 < N) & (l_term0 < stop):
        l2 = work[uint32(delta + n_l2 * 10 + i_l_0)]
    l3 = zero
    if (l_at3 < N) & (l_term0 < stop):
        l3 = work[uint32(delta + n_l3 * 10 + i_l_0)]
    l4 = zero
    if (l_at4 < N) & (l_term0 < stop):
        l4 = work[uint32(delta + n_l4 * 10 + i_l_0)]
    l5 = zero
    if (l_at5 < N) & (l_term0 < stop):
        l5 = work[uint32(delta + n_l5 * 10 + i_l_0)]
    l6 = zero
    if (l_at6 < N) & (l_term0 < stop):
        l6 = work[uint32(delta + n_l6 * 10 + i_l_0)]
    l7 = zero
    if (l_at7 < N) & (l_term0 < stop):
        l7 = work[uint32(delta + n_l7 * 10 + i_l_0)]
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 192) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W + i_r_0 * 192 + j_r0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at0 < 192) & (r_term1 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W + i_r_1 * 192 + j_r0))
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
        i_l_0 = l_term0
        r_term0 = int32(term + (t >> 3))
        i_r_0 = r_term0
        r_term1 = int32(term + (t >> 3) + 8)
        i_r_1 = r_term1
        l0 = zero
        if (l_at0 < N) & (l_term0 < stop):
            l0 = work[uint32(delta + n_l0 * 10 + i_l_0)]
        l1 = zero
        if (l_at1 < N) & (l_term0 < stop):
            l1 = work[uint32(delta + n_l1 * 10 + i_l_0)]
        l2 = zero
        if (l_at2 < N) & (l_term0 < stop):
            l2 = work[uint32(delta + n_l2 * 10 + i_l_0)]
        l3 = zero
        if (l_at3 < N) & (l_term0 < stop):
            l3 = work[uint32(delta + n_l3 * 10 + i_l_0)]
        l4 = zero
        if (l_at4 < N) & (l_term0 < stop):
            l4 = work[uint32(delta + n_l4 * 10 + i_l_0)]
        l5 = zero
        if (l_at5 < N) & (l_term0 < stop):
            l5 = work[uint32(delta + n_l5 * 10 + i_l_0)]
        l6 = zero
        if (l_at6 < N) & (l_term0 < stop):
            l6 = work[uint32(delta + n_l6 * 10 + i_l_0)]
        l7 = zero
        if (l_at7 < N) & (l_term0 < stop):
            l7 = work[uint32(delta + n_l7 * 10 + i_l_0)]
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 192) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W + i_r_0 * 192 + j_r0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at0 < 192) & (r_term1 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W + i_r_1 * 192 + j_r0))
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
            if r_row < N and column < 192:
                n = r_row
                dot = tiles[uint32(line * 32 + mine)]
                work[uint32(grad_a + n * 192 + j)] = dot
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
    # outline_1
    launch(outline_grown, (n * 768 + 127) // 128, 128, params, x, work, 0, 0, 768 * n, n)
    launch(outline_a, (n * 768 + 127) // 128, 128, params, x, work, 108, 768 * n, 1536 * n, 2304 * n, n)
    # maxpool2d_1
    launch(maxpool2d_a, (n * 192 + 127) // 128, 128, work, 2304 * n, 768 * n, 960 * n, n)
    # flatten_1
    launch(flatten_a, (n * 192 + 127) // 128, 128, work, 960 * n, 1152 * n, n)
    # dense_1
    launch(dense_z, ((n + 31) // 32), 64, params, work, out, 216, 2136, 1152 * n, n)


def launch_loss(params, x, y, work, n):
    # outline_1
    launch(outline_grown, (n * 768 + 127) // 128, 128, params, x, work, 0, 0, 768 * n, n)
    launch(outline_a, (n * 768 + 127) // 128, 128, params, x, work, 108, 768 * n, 1536 * n, 2304 * n, n)
    # maxpool2d_1
    launch(maxpool2d_a, (n * 192 + 127) // 128, 128, work, 2304 * n, 768 * n, 960 * n, n)
    # flatten_1
    launch(flatten_a, (n * 192 + 127) // 128, 128, work, 960 * n, 1152 * n, n)
    # dense_1
    launch(dense_z_2, ((n + 31) // 32), 64, params, work, 216, 2136, 1152 * n, 960 * n, n)
    # loss
    launch(write_loss_p, (n + 127) // 128, 128, work, 960 * n, 972 * n, n)
    launch(write_loss_L, (n + 127) // 128, 128, work, y, 960 * n, 984 * n, n)
    launch(loss_total, 1, 32, work, 984 * n, 3072 * n, n)


def launch_gradients(params, x, y, grads, work, n):
    # dense_1
    launch(dense_delta, (n * 10 + 127) // 128, 128, work, y, 972 * n, 984 * n, n)
    launch(dense_grad_W, 6, 64, work, grads, 984 * n, 1152 * n, 216, n)
    launch(dense_grad_b, 1, 128, work, grads, 984 * n, 2136, n)
    # flatten_1
    launch(flatten_grad_a, ((n + 31) // 32) * 6, 64, params, work, 216, 984 * n, 996 * n, n)
    # outline_1
    launch(outline_grad_a, (n * 768 + 127) // 128, 128, work, 768 * n, 996 * n, 2304 * n, n)
    launch(outline_grad_B, 108, 256, work, grads, 2304 * n, 0, 0, n)
    launch(outline_grad_E, 108, 256, work, grads, 2304 * n, 1536 * n, 108, n)


def launch_input_gradients(params, x, y, grads_x, work, n):
    # dense_1
    launch(dense_delta, (n * 10 + 127) // 128, 128, work, y, 972 * n, 984 * n, n)
    # flatten_1
    launch(flatten_grad_a, ((n + 31) // 32) * 6, 64, params, work, 216, 984 * n, 996 * n, n)
    # outline_1
    launch(outline_grad_a, (n * 768 + 127) // 128, 128, work, 768 * n, 996 * n, 2304 * n, n)
    # x
    launch(write_grad_x, (n * 64 + 127) // 128, 128, work, grads_x, 2304 * n, 0, 1536 * n, n)


def launch_update(params, grads, state, hyper, scalars, losses, place, history, step, count):
    launch(update_scalars, 1, 1, params, grads, state, hyper, scalars, losses, place, history, step, count)
    launch(update_entries, 17, 128, params, grads, state, scalars, 0, 2146)


def forward(params, x, out, work=None):
    """Write the network's output for a batch into out."""
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_out = room(out, 10 * n, DTYPE)
    d_work = room(work, workspace(n), DTYPE)
    launch_forward(d_params, d_x, d_out, d_work, n)
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
    launch_loss(d_params, d_x, d_y, d_work, n)
    return number(d_work, 3072 * n)


def launch_value_and_grad(d_params, d_x, d_y, d_grads, d_work, n):
    launch_loss(d_params, d_x, d_y, d_work, n)
    launch_gradients(d_params, d_x, d_y, d_grads, d_work, n)


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
    return number(d_work, 3072 * n)


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
    launch_loss(d_params, d_x, d_y, d_work, n)
    launch_input_gradients(d_params, d_x, d_y, d_grads_x, d_work, n)
    give(d_grads_x, grads_x)
    return number(d_work, 3072 * n)


def update(params, grads, state, hyper):
    """Do one step of the optimizer with given gradients."""
    d_params = take(params, DTYPE)
    d_grads = take(grads, DTYPE)
    d_state = take(state, DTYPE) if 4293 else d_params
    d_hyper = take(hyper, "float64")
    scalars, step = room(None, 8, DTYPE), zeros(1, "int32")
    losses = zeros(1, DTYPE)
    launch_update(d_params, d_grads, d_state, d_hyper, scalars, losses, 0, losses, step, 0)
    give(d_params, params)
    give(d_state, state)


def launch_train_step(d_x, d_y, d_params, d_grads, d_state, d_hyper, scalars, d_work, step, n):
    launch_loss(d_params, d_x, d_y, d_work, n)
    launch_gradients(d_params, d_x, d_y, d_grads, d_work, n)
    launch_update(d_params, d_grads, d_state, d_hyper, scalars, d_work, 3072 * n, d_work, step, 0)


def train_step(params, x, y, grads, state, hyper, work=None):
    """Return the loss and do one step of the optimizer; a loss that is not finite changes nothing."""
    if not in_range(y, 0, 9):
        return math.nan
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_y = take(y, "int64")
    d_grads = room(grads, 2146, DTYPE)
    d_state = take(state, DTYPE) if 4293 else d_params
    d_hyper = take(hyper, "float64")
    scalars, step = room(None, 8, DTYPE), zeros(1, "int32")
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_train_step, d_x, d_y, d_params, d_grads, d_state, d_hyper, scalars, d_work, step, n)
    give(d_grads, grads)
    give(d_params, params)
    give(d_state, state)
    return number(d_work, 3072 * n)


def launch_step(all_x, all_y, d_order, d_x, d_y, d_params, d_grads, d_state, d_hyper, scalars, d_work, history, step, shuffled, size, n):
    launch(gather, (n * 64 + 127) // 128, 128, all_x, d_order, step, size, 64, d_x, n * 64, shuffled)
    launch(gather, (n + 127) // 128, 128, all_y, d_order, step, size, 1, d_y, n, shuffled)
    launch_loss(d_params, d_x, d_y, d_work, n)
    launch_gradients(d_params, d_x, d_y, d_grads, d_work, n)
    launch_update(d_params, d_grads, d_state, d_hyper, scalars, d_work, 3072 * n, history, step, 1)


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
    d_state = take(state, DTYPE) if 4293 else d_params
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
