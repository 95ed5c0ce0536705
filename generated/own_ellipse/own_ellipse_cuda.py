"""Kernels of the network own_ellipse for CUDA, compiled by Numba; they need NumPy, Numba and a GPU.

Written from the template numba_cuda/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: b12b1fc78676aa6b8e7074d4593593175d79b51646e3c3d10edd84147321bdc5
Schedule: layered; each kernel is a launch of its own: a step needs 161,316 bytes of shared memory, a block has 49,152

params, grads, state and work are contiguous 1-D arrays of type float32; x has one sample a row.
y has one number for each sample, integers from 0 to 9.
Arrays are NumPy's, which are copied in and out, or lie on the device (__cuda_array_interface__), where they are used as they are.
In a kernel a tensor's entry is buffer[offset + place]: W in params is params[W + i * columns + j].
"""

import math

import numpy as np
from numba import float32 as real
from numba import float64, int32

try:
    from .kernels_cuda import cuda, fill, give, jit, launch, number, repeat, room, take, zeros
except ImportError:
    from kernels_cuda import cuda, fill, give, jit, launch, number, repeat, room, take, zeros

NAME = "own_ellipse"
#: Name, offset and shape of each parameter in the flat buffers.
PARAMETERS = (
    ("ellipse_1.c", 0, (60, 64)),
    ("ellipse_1.s", 3840, (60, 64)),
    ("dense_1.W", 7680, (10, 60)),
    ("dense_1.b", 8280, (10,)),
)
DTYPE = "float32"
#: The largest batch.
BATCH = 32
STATE_SIZE = 16581
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
    "ellipse_a": ("float32[::1]", "float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "dense_z": ("float32[::1]", "float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "dense_z_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32"),
    "write_loss_p": ("float32[::1]", "int32", "int32", "int32"),
    "write_loss_L": ("float32[::1]", "int64[::1]", "int32", "int32", "int32"),
    "loss_total": ("float32[::1]", "int32", "int32", "int32"),
    "dense_delta": ("float32[::1]", "int64[::1]", "int32", "int32", "int32"),
    "dense_grad_W": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "dense_grad_b": ("float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "ellipse_grad_d": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32"),
    "ellipse_grad_c": ("float32[::1]", "float32[::1]", "float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32"),
    "ellipse_grad_s": ("float32[::1]", "float32[::1]", "float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32"),
    "write_grad_x": ("float32[::1]", "float32[::1]", "float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "update_scalars": ("float32[::1]", "float32[::1]", "float32[::1]", "float64[::1]", "float32[::1]", "float32[::1]", "int32", "float32[::1]", "int32[::1]", "int32"),
    "update_entries": ("float32[::1]", "float32[::1]", "float32[::1]", "float32[::1]", "int32", "int32"),
}
THREADS = {
    "ellipse_a": 64,
    "dense_z": 128,
    "dense_z_2": 128,
    "write_loss_p": 128,
    "write_loss_L": 128,
    "loss_total": 32,
    "dense_delta": 128,
    "dense_grad_W": 128,
    "dense_grad_b": 128,
    "ellipse_grad_d": 128,
    "ellipse_grad_c": 128,
    "ellipse_grad_s": 128,
    "write_grad_x": 128,
    "update_scalars": 1,
    "update_entries": 128,
}
#: Kernels that compute in float64 whatever DTYPE is.
FLOAT64 = ("update_scalars",)


def workspace(n):
    """Return how many elements of workspace a batch of n samples needs."""
    return 156 * n + 4


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
def ellipse_a(params, x, work, c, s, a, N):
    """Write a."""
    # a[n, i] = exp(−d[n, i]/64)
    parts = cuda.shared.array(2, real)
    thread = int32(cuda.threadIdx.x)
    row = int32(cuda.blockIdx.x)
    n = row // int32(60)
    i = row % int32(60)
    total = real(0.0)
    part = real(0.0)
    for j in range(thread, int32(64), int32(64)):
        base = x[n * 64 + j] - params[c + i * 64 + j]
        part += base * base * math.exp(params[s + i * 64 + j])
    lanes = int32(16)
    while lanes > 0:
        part += cuda.shfl_xor_sync(0xFFFFFFFF, part, lanes)
        lanes = lanes // int32(2)
    if thread % int32(32) == 0:
        parts[thread // int32(32)] = part
    cuda.syncthreads()
    for warp in range(int32(2)):
        total += parts[warp]
    d = total
    if thread == 0:
        work[a + n * 60 + i] = math.exp(-d / real(64.0))


@jit
def dense_z(params, work, out, W, b, x, N):
    """Write z."""
    # z[n, i] = b[i] + Σ_j W[i, j] x[n, j]
    entry = int32(cuda.grid(1))
    if entry < N * int32(10):
        n = entry // int32(10)
        i = entry % int32(10)
        total = real(0.0)
        for j in range(int32(60)):
            total += params[W + i * 60 + j] * work[x + n * 60 + j]
        out[n * 10 + i] = params[b + i] + total


@jit
def dense_z_2(params, work, W, b, x, z, N):
    """Write z."""
    # z[n, i] = b[i] + Σ_j W[i, j] x[n, j]
    entry = int32(cuda.grid(1))
    if entry < N * int32(10):
        n = entry // int32(10)
        i = entry % int32(10)
        total = real(0.0)
        for j in range(int32(60)):
            total += params[W + i * 60 + j] * work[x + n * 60 + j]
        work[z + n * 10 + i] = params[b + i] + total


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
def dense_grad_W(work, grads, delta, x, grad_W, N):
    """Write grad_W."""
    # grad_W[i, j] = Σ_n delta[n, i] x[n, j]
    entry = int32(cuda.grid(1))
    if entry < int32(600):
        i = entry // int32(60)
        j = entry % int32(60)
        total = real(0.0)
        for n in range(N):
            total += work[delta + n * 10 + i] * work[x + n * 60 + j]
        grads[grad_W + i * 60 + j] = total


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
def ellipse_grad_d(params, work, W_next, a, delta_next, grad_d, N):
    """Write grad_d."""
    # grad_d[n, i] = −a[n, i] · (Σ_j W_next[j, i] delta_next[n, j])/64
    entry = int32(cuda.grid(1))
    if entry < N * int32(60):
        n = entry // int32(60)
        i = entry % int32(60)
        total = real(0.0)
        for j in range(int32(10)):
            total += params[W_next + j * 60 + i] * work[delta_next + n * 10 + j]
        work[grad_d + n * 60 + i] = -work[a + n * 60 + i] * total / real(64.0)


@jit
def ellipse_grad_c(params, work, x, grads, c, grad_d, s, grad_c, N):
    """Write grad_c."""
    # grad_c[i, j] = exp(s[i, j]) · Σ_n (2 c[i, j] − 2 x[n, j]) · grad_d[n, i]
    entry = int32(cuda.grid(1))
    if entry < int32(3840):
        i = entry // int32(64)
        j = entry % int32(64)
        total = real(0.0)
        for n in range(N):
            total += (real(2.0) * params[c + i * 64 + j] - real(2.0) * x[n * 64 + j]) * work[grad_d + n * 60 + i]
        grads[grad_c + i * 64 + j] = total * math.exp(params[s + i * 64 + j])


@jit
def ellipse_grad_s(params, work, x, grads, c, grad_d, s, grad_s, N):
    """Write grad_s."""
    # grad_s[i, j] = exp(s[i, j]) · Σ_n (x[n, j] − c[i, j])² grad_d[n, i]
    entry = int32(cuda.grid(1))
    if entry < int32(3840):
        i = entry // int32(64)
        j = entry % int32(64)
        total = real(0.0)
        for n in range(N):
            base = x[n * 64 + j] - params[c + i * 64 + j]
            total += base * base * work[grad_d + n * 60 + i]
        grads[grad_s + i * 64 + j] = total * math.exp(params[s + i * 64 + j])


@jit
def write_grad_x(params, work, x, grads_x, c, grad_d, s, N):
    """Write grad_x."""
    # grad_x[n, j] = 2 Σ_i (x[n, j] − c[i, j]) · grad_d[n, i] exp(s[i, j])
    entry = int32(cuda.grid(1))
    if entry < N * int32(64):
        n = entry // int32(64)
        j = entry % int32(64)
        total = real(0.0)
        for i in range(int32(60)):
            total += (x[n * 64 + j] - params[c + i * 64 + j]) * work[grad_d + n * 60 + i] * math.exp(params[s + i * 64 + j])
        grads_x[n * 64 + j] = real(2.0) * total


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
    t = float64(state[16580])
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
            state[16580] = real(t_next)
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
        v_next = grads[p] * grads[p] * factor_2 + state[8290 + p] * beta2
        w_next = factor_4 * m_next / (math.sqrt(factor_3 * v_next) + eps) + params[p]
        state[p] = m_next
        state[8290 + p] = v_next
        params[p] = w_next


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
    # ellipse_1
    launch(ellipse_a, n * 60, 64, params, x, work, 0, 3840, 0, n)
    # dense_1
    launch(dense_z, (n * 10 + 127) // 128, 128, params, work, out, 7680, 8280, 0, n)


def launch_loss(params, x, y, work, n):
    # ellipse_1
    launch(ellipse_a, n * 60, 64, params, x, work, 0, 3840, 0, n)
    # dense_1
    launch(dense_z_2, (n * 10 + 127) // 128, 128, params, work, 7680, 8280, 0, 60 * n, n)
    # loss
    launch(write_loss_p, (n + 127) // 128, 128, work, 60 * n, 72 * n, n)
    launch(write_loss_L, (n + 127) // 128, 128, work, y, 60 * n, 84 * n, n)
    launch(loss_total, 1, 32, work, 84 * n, 156 * n, n)


def launch_gradients(params, x, y, grads, work, n):
    # dense_1
    launch(dense_delta, (n * 10 + 127) // 128, 128, work, y, 72 * n, 84 * n, n)
    launch(dense_grad_W, 5, 128, work, grads, 84 * n, 0, 7680, n)
    launch(dense_grad_b, 1, 128, work, grads, 84 * n, 8280, n)
    # ellipse_1
    launch(ellipse_grad_d, (n * 60 + 127) // 128, 128, params, work, 7680, 0, 84 * n, 96 * n, n)
    launch(ellipse_grad_c, 30, 128, params, work, x, grads, 0, 96 * n, 3840, 0, n)
    launch(ellipse_grad_s, 30, 128, params, work, x, grads, 0, 96 * n, 3840, 3840, n)


def launch_input_gradients(params, x, y, grads_x, work, n):
    # dense_1
    launch(dense_delta, (n * 10 + 127) // 128, 128, work, y, 72 * n, 84 * n, n)
    # ellipse_1
    launch(ellipse_grad_d, (n * 60 + 127) // 128, 128, params, work, 7680, 0, 84 * n, 96 * n, n)
    # x
    launch(write_grad_x, (n * 64 + 127) // 128, 128, params, work, x, grads_x, 0, 96 * n, 3840, n)


def launch_update(params, grads, state, hyper, scalars, losses, place, history, step, count):
    launch(update_scalars, 1, 1, params, grads, state, hyper, scalars, losses, place, history, step, count)
    launch(update_entries, 65, 128, params, grads, state, scalars, 0, 8290)


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
    return number(d_work, 156 * n)


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
    d_grads = room(grads, 8290, DTYPE)
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_value_and_grad, d_params, d_x, d_y, d_grads, d_work, n)
    give(d_grads, grads)
    return number(d_work, 156 * n)


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
    return number(d_work, 156 * n)


def update(params, grads, state, hyper):
    """Do one step of the optimizer with given gradients."""
    d_params = take(params, DTYPE)
    d_grads = take(grads, DTYPE)
    d_state = take(state, DTYPE) if 16581 else d_params
    d_hyper = take(hyper, "float64")
    scalars, step = room(None, 8, DTYPE), zeros(1, "int32")
    losses = zeros(1, DTYPE)
    launch_update(d_params, d_grads, d_state, d_hyper, scalars, losses, 0, losses, step, 0)
    give(d_params, params)
    give(d_state, state)


def launch_train_step(d_x, d_y, d_params, d_grads, d_state, d_hyper, scalars, d_work, step, n):
    launch_loss(d_params, d_x, d_y, d_work, n)
    launch_gradients(d_params, d_x, d_y, d_grads, d_work, n)
    launch_update(d_params, d_grads, d_state, d_hyper, scalars, d_work, 156 * n, d_work, step, 0)


def train_step(params, x, y, grads, state, hyper, work=None):
    """Return the loss and do one step of the optimizer; a loss that is not finite changes nothing."""
    if not in_range(y, 0, 9):
        return math.nan
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_y = take(y, "int64")
    d_grads = room(grads, 8290, DTYPE)
    d_state = take(state, DTYPE) if 16581 else d_params
    d_hyper = take(hyper, "float64")
    scalars, step = room(None, 8, DTYPE), zeros(1, "int32")
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_train_step, d_x, d_y, d_params, d_grads, d_state, d_hyper, scalars, d_work, step, n)
    give(d_grads, grads)
    give(d_params, params)
    give(d_state, state)
    return number(d_work, 156 * n)


def launch_step(all_x, all_y, d_order, d_x, d_y, d_params, d_grads, d_state, d_hyper, scalars, d_work, history, step, shuffled, size, n):
    launch(gather, (n * 64 + 127) // 128, 128, all_x, d_order, step, size, 64, d_x, n * 64, shuffled)
    launch(gather, (n + 127) // 128, 128, all_y, d_order, step, size, 1, d_y, n, shuffled)
    launch_loss(d_params, d_x, d_y, d_work, n)
    launch_gradients(d_params, d_x, d_y, d_grads, d_work, n)
    launch_update(d_params, d_grads, d_state, d_hyper, scalars, d_work, 156 * n, history, step, 1)


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
    d_grads = room(grads, 8290, DTYPE)
    d_state = take(state, DTYPE) if 16581 else d_params
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
