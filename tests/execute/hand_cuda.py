"""A CUDA module as the emitter would write it, by hand: 3 inputs, 4 tanh units, 2 outputs, half the squared error, Momentum."""

import math

import numpy as np
from numba import float64 as real
from numba import int32, int64

try:
    from .kernels_cuda import cuda, device, give, jit, launch, number, room, sign, take
except ImportError:
    from kernels_cuda import cuda, device, give, jit, launch, number, room, sign, take

NAME = "hand"
PARAMETERS = (
    ("dense_1.W", 0, (4, 3)),
    ("dense_1.b", 12, (4,)),
    ("dense_2.W", 16, (2, 4)),
    ("dense_2.b", 24, (2,)),
)
DTYPE = "float64"
BATCH = 64
STATE_SIZE = 26
HYPER = (
    ("lr", 0.1),
    ("mu", 0.0),
)


def workspace(n):
    """Return how many elements of workspace a batch of n samples needs."""
    return 10 * n + 1


@device
def slope(a):
    return real(1.0) - a * a


@jit
def dense_a(params, x, work, n):
    # a[n, i] = tanh(b[i] + Σ_j W[i, j] x[n, j])
    k = cuda.grid(1)
    if k < n * int32(4):
        i = k % int32(4)
        total = params[int32(12) + i]
        for j in range(int32(3)):
            total += params[i * int32(3) + j] * x[k // int32(4) * int32(3) + j]
        work[k] = math.tanh(total)


@jit
def dense_z(params, work, z, n, offset):
    # z[n, i] = b[i] + Σ_j W[i, j] a[n, j]
    k = cuda.grid(1)
    if k < n * int32(2):
        i = k % int32(2)
        total = params[int32(24) + i]
        for j in range(int32(4)):
            total += params[int32(16) + i * int32(4) + j] * work[k // int32(2) * int32(4) + j]
        z[offset + k] = total


@jit
def loss_total(work, y, n):
    # L = Σ_n Σ_i (z[n, i] − y[n, i])²/(2 N), one block
    s = cuda.shared.array(32, real)
    t = int32(cuda.threadIdx.x)
    total = real(0.0)
    for k in range(t, n * int32(2), int32(32)):
        d = work[n * int32(4) + k] - y[k]
        total += real(0.5) * d * d
    s[t] = total
    cuda.syncthreads()
    if t == int32(0):
        total = real(0.0)
        for k in range(int32(32)):
            total += s[k]
        work[n * int32(10)] = total / real(n)


@jit
def deltas(params, work, y, n):
    # delta_2[n, i] = (z[n, i] − y[n, i])/N, delta_1[n, j] = (1 − a[n, j]²) Σ_i W[i, j] delta_2[n, i]
    m = cuda.grid(1)
    if m < n:
        for i in range(int32(2)):
            work[n * int32(4) + m * int32(2) + i] = (work[n * int32(4) + m * int32(2) + i] - y[m * int32(2) + i]) / real(n)
        for j in range(int32(4)):
            total = real(0.0)
            for i in range(int32(2)):
                total += params[int32(16) + i * int32(4) + j] * work[n * int32(4) + m * int32(2) + i]
            work[n * int32(6) + m * int32(4) + j] = slope(work[m * int32(4) + j]) * total


@jit
def gradients(work, left, grads, n, delta, units, inputs, start, values):
    # grad_W[i, j] = Σ_n delta[n, i] x[n, j], grad_b[i] = Σ_n delta[n, i]
    k = cuda.grid(1)
    if k < units * (inputs + int32(1)):
        i = k // (inputs + int32(1))
        j = k % (inputs + int32(1))
        total = real(0.0)
        for m in range(n):
            d = work[delta + m * units + i]
            total += d if j == inputs else d * left[values + m * inputs + j]
        if j == inputs:
            grads[start + units * inputs + i] = total
        else:
            grads[start + i * inputs + j] = total


@jit
def input_gradient(params, work, grads_x, n):
    # grad_x[n, j] = Σ_i W[i, j] delta_1[n, i]
    k = cuda.grid(1)
    if k < n * int32(3):
        total = real(0.0)
        for i in range(int32(4)):
            total += params[i * int32(3) + k % int32(3)] * work[n * int32(6) + k // int32(3) * int32(4) + i]
        grads_x[k] = total


@jit
def momentum(params, grads, state, hyper):
    k = cuda.grid(1)
    if k < int32(26):
        v = hyper[1] * state[k] + grads[k]
        state[k] = v
        params[k] -= hyper[0] * v


@jit
def chosen(values, order, part, low, count, width):
    k = cuda.grid(1)
    if k < count * width:
        row = low + k // width
        if order.size > 0:
            row = order[row]
        part[k] = values[row * width + k % width]


@jit
def signs(values, out):
    k = cuda.grid(1)
    if k < values.size:
        out[k] = sign(values[k])


def blocks(count):
    return (count + 31) // 32


def pass_forward(params, x, work, n):
    launch(dense_a, blocks(4 * n), 32, params, x, work, n)
    launch(dense_z, blocks(2 * n), 32, params, work, work, n, 4 * n)


def pass_backward(params, x, y, work, n):
    launch(loss_total, 1, 32, work, y, n)
    launch(deltas, blocks(n), 32, params, work, y, n)


def pass_gradients(params, x, y, grads, work, n):
    pass_forward(params, x, work, n)
    pass_backward(params, x, y, work, n)
    launch(gradients, 1, 32, work, x, grads, n, 6 * n, 4, 3, 0, 0)
    launch(gradients, 1, 32, work, work, grads, n, 4 * n, 2, 4, 16, 0)


def forward(params, x, out, work):
    """Write the network's output for a batch into out."""
    n = x.shape[0]
    there, where, results = take(params, real), take(x, real), take(out, real)
    work = room(work, workspace(n), real)
    launch(dense_a, blocks(4 * n), 32, there, where, work, n)
    launch(dense_z, blocks(2 * n), 32, there, work, results, n, 0)
    give(results, out)


def loss(params, x, y, work):
    """Return the loss of a batch."""
    n = x.shape[0]
    there, where, target = take(params, real), take(x, real), take(y, real)
    work = room(work, workspace(n), real)
    pass_forward(there, where, work, n)
    launch(loss_total, 1, 32, work, target, n)
    return number(work, 10 * n)


def value_and_grad(params, x, y, grads, work):
    """Return the loss of a batch and write its gradients into grads."""
    n = x.shape[0]
    there, where, target, results = take(params, real), take(x, real), take(y, real), take(grads, real)
    work = room(work, workspace(n), real)
    pass_gradients(there, where, target, results, work, n)
    give(results, grads)
    return number(work, 10 * n)


def input_gradients(params, x, y, grads_x, work):
    """Return the loss of a batch and write its gradient with respect to the inputs."""
    n = x.shape[0]
    there, where, target, results = take(params, real), take(x, real), take(y, real), take(grads_x, real)
    work = room(work, workspace(n), real)
    pass_forward(there, where, work, n)
    pass_backward(there, where, target, work, n)
    launch(input_gradient, blocks(3 * n), 32, there, work, results, n)
    give(results, grads_x)
    return number(work, 10 * n)


def update(params, grads, state, hyper):
    """Do one step of the optimizer with given gradients."""
    there, slopes, kept, numbers = take(params, real), take(grads, real), take(state, real), take(hyper, real)
    launch(momentum, 1, 32, there, slopes, kept, numbers)
    give(there, params)
    give(kept, state)


def train_step(params, x, y, grads, state, hyper, work):
    """Return the loss and do one step of the optimizer; a loss that is not finite changes nothing."""
    value = value_and_grad(params, x, y, grads, work)
    if math.isfinite(value):
        update(params, grads, state, hyper)
    return value


def epoch(params, x, y, order, size, batch_x, batch_y, grads, state, hyper, work):
    """Do train_step once for every batch of size samples."""
    samples = x.shape[0]
    there, where, target, slopes = take(params, real), take(x, real), take(y, real), take(grads, real)
    kept, numbers, places = take(state, real), take(hyper, real), take(order, int64)
    part_x, part_y = room(batch_x, 3 * size, real), room(batch_y, 2 * size, real)
    work = room(work, workspace(size), real)
    total = 0.0
    for low in range(0, samples, size):
        n = min(size, samples - low)
        launch(chosen, blocks(3 * n), 32, where, places, part_x, low, n, 3)
        launch(chosen, blocks(2 * n), 32, target, places, part_y, low, n, 2)
        pass_gradients(there, part_x, part_y, slopes, work, n)
        value = number(work, 10 * n)
        if not np.isfinite(value):
            return value, low // size + 1
        launch(momentum, 1, 32, there, slopes, kept, numbers)
        total += value * n
    give(there, params)
    give(kept, state)
    give(slopes, grads)
    return total, 0
