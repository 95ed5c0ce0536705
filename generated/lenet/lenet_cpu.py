"""Kernels of the network lenet for the CPU, compiled by Numba; they need NumPy and Numba only.

Written from the template numba_cpu/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: c5c5e582ebf7a41dc4011e6adf2f2e5c24e9729781ec429f2c9100bed49e5c62

params, grads, state and work are contiguous 1-D arrays of type float32; x has one sample a row.
"""

import numpy as np
from numba import njit

try:
    from .kernels_cpu import add_row_products, product, row_products, exp_32 as exp
except ImportError:
    from kernels_cpu import add_row_products, product, row_products, exp_32 as exp

NAME = "lenet"
#: Name, offset and shape of each parameter in the flat buffers.
PARAMETERS = (
    ("conv2d_1.W", 0, (6, 1, 3, 3)),
    ("conv2d_1.b", 54, (6,)),
    ("conv2d_2.W", 60, (12, 6, 3, 3)),
    ("conv2d_2.b", 708, (12,)),
    ("dense_1.W", 720, (10, 48)),
    ("dense_1.b", 1200, (10,)),
)
DTYPE = "float32"
#: The largest batch.
BATCH = 32
STATE_SIZE = 2421
#: The optimizer's numbers with their defaults, in the order of the array hyper.
HYPER = (
    ("lr", 0.005),
    ("beta1", 0.9),
    ("beta2", 0.999),
    ("eps", 1e-08),
)

real = np.float32


@njit(cache=True, error_model="numpy")
def workspace(n):
    """Return how many elements of workspace a batch of n samples needs."""
    return 2814 * n + 649


# The types are given because Numba would compile this once more for every literal number that it is called with.
@njit("float32[:, ::1](float32[::1], int64, int64, int64)", cache=True, error_model="numpy")
def view_2(buffer, start, rows, columns):
    """Return a part of a flat buffer as a matrix."""
    return buffer[start : start + rows * columns].reshape((rows, columns))


# The types are given because Numba would compile this once more for every literal number that it is called with.
@njit("float32[:, :, :, ::1](float32[::1], int64, int64, int64, int64, int64)", cache=True, error_model="numpy")
def view_4(buffer, start, groups, planes, rows, columns):
    """Return a part of a flat buffer as an array of rank 4."""
    return buffer[start : start + groups * planes * rows * columns].reshape((groups, planes, rows, columns))


# The types are given because Numba would compile this once more for every literal number that it is called with.
@njit("float32[:, :, :, :, ::1](float32[::1], int64, int64, int64, int64, int64, int64)", cache=True, error_model="numpy")
def view_5(buffer, start, blocks_1, groups, planes, rows, columns):
    """Return a part of a flat buffer as an array of rank 5."""
    return buffer[start : start + blocks_1 * groups * planes * rows * columns].reshape((blocks_1, groups, planes, rows, columns))


# The types are given because Numba would compile this once more for every literal number that it is called with.
@njit("float32[:, :, :, :, :, ::1](float32[::1], int64, int64, int64, int64, int64, int64, int64)", cache=True, error_model="numpy")
def view_6(buffer, start, blocks_2, blocks_1, groups, planes, rows, columns):
    """Return a part of a flat buffer as an array of rank 6."""
    return buffer[start : start + blocks_2 * blocks_1 * groups * planes * rows * columns].reshape((blocks_2, blocks_1, groups, planes, rows, columns))


@njit(cache=True, error_model="numpy")
def in_range(values, least, most):
    """Whether every value lies in least .. most."""
    flat = values.reshape(values.size)
    outside = 0
    for k in range(flat.size):
        outside |= (flat[k] < least) | (flat[k] > most)
    return outside == 0


@njit(cache=True, error_model="numpy")
def conv2d_a(W, b, x, a, x_windows):
    """Write a."""
    # z[n, k, p, q] = b[k] + Σ_{c, u, v} W[k, c, u, v] x[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q + v − 1 < 8]
    # a[n, k, p, q] = z[n, k, p, q] [z[n, k, p, q] > 0]
    W_matrix = W.reshape((6, 9))
    x_windows_matrix = x_windows.reshape((9, 64))
    a_matrices = a.reshape((x.shape[0], 6, 64))
    x_windows[:] = real(0.0)
    for n in range(x.shape[0]):
        for c in range(1):
            for u in range(3):
                for v in range(3):
                    for p in range(max(0, 1 - u), min(8, 9 - u)):
                        for q in range(max(0, 1 - v), min(8, 9 - v)):
                            x_windows[c, u, v, p, q] = x[n, c, p + u - 1, q + v - 1]
        product(W_matrix, x_windows_matrix, a_matrices[n])
        for k in range(6):
            for p in range(8):
                for q in range(8):
                    z = b[k] + a[n, k, p, q]
                    a[n, k, p, q] = real(0.0) if z <= real(0.0) else z


@njit(cache=True, error_model="numpy")
def maxpool2d_a(x, a_argmax, a):
    """Write a_argmax and a."""
    # a_argmax[n, c, p, q] = (2 i + j at max_{i, j} x[n, c, 2 p + i, 2 q + j])
    # a[n, c, p, q] = max_{i, j} x[n, c, 2 p + i, 2 q + j]
    for n in range(x.shape[0]):
        for c in range(6):
            for p in range(4):
                for q in range(4):
                    best = real(-np.inf)
                    place = 0
                    for i in range(2):
                        for j in range(2):
                            candidate = x[n, c, 2 * p + i, 2 * q + j]
                            if candidate > best or (candidate != candidate and best == best):
                                best = candidate
                                place = 2 * i + j
                    a_argmax[n, c, p, q] = real(place)
                    a[n, c, p, q] = best


@njit(cache=True, error_model="numpy")
def conv2d_a_2(W, b, x, a, x_windows, products):
    """Write a."""
    # z[n, k, p, q] = b[k] + Σ_{c, u, v} W[k, c, u, v] x[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 4] [0 ≤ q + v − 1 < 4]
    # a[n, k, p, q] = z[n, k, p, q] [z[n, k, p, q] > 0]
    W_matrix = W.reshape((12, 54))
    x_windows_matrix = x_windows.reshape((54, 16 * x.shape[0]))
    products_matrix = products.reshape((12, 16 * x.shape[0]))
    x_windows[:] = real(0.0)
    for c in range(6):
        for u in range(3):
            for v in range(3):
                for n in range(x.shape[0]):
                    for p in range(max(0, 1 - u), min(4, 5 - u)):
                        for q in range(max(0, 1 - v), min(4, 5 - v)):
                            x_windows[c, u, v, n, p, q] = x[n, c, p + u - 1, q + v - 1]
    product(W_matrix, x_windows_matrix, products_matrix)
    for n in range(x.shape[0]):
        for k in range(12):
            for p in range(4):
                for q in range(4):
                    z = b[k] + products[k, n, p, q]
                    a[n, k, p, q] = real(0.0) if z <= real(0.0) else z


@njit(cache=True, error_model="numpy")
def maxpool2d_a_2(x, a_argmax, a):
    """Write a_argmax and a."""
    # a_argmax[n, c, p, q] = (2 i + j at max_{i, j} x[n, c, 2 p + i, 2 q + j])
    # a[n, c, p, q] = max_{i, j} x[n, c, 2 p + i, 2 q + j]
    for n in range(x.shape[0]):
        for c in range(12):
            for p in range(2):
                for q in range(2):
                    best = real(-np.inf)
                    place = 0
                    for i in range(2):
                        for j in range(2):
                            candidate = x[n, c, 2 * p + i, 2 * q + j]
                            if candidate > best or (candidate != candidate and best == best):
                                best = candidate
                                place = 2 * i + j
                    a_argmax[n, c, p, q] = real(place)
                    a[n, c, p, q] = best


@njit(cache=True, error_model="numpy")
def flatten_a(x, a):
    """Write a."""
    # a[n, k] = x[n, floor(k/(n_2 n_3)), floor(k/n_3) mod n_2, k mod n_3]
    n_2 = x.shape[2]
    n_3 = x.shape[3]
    for n in range(x.shape[0]):
        for k in range(a.shape[1]):
            a[n, k] = x[n, k // (n_2 * n_3), k // n_3 % n_2, k % n_3]


@njit(cache=True, error_model="numpy")
def dense_z(W, b, x, z):
    """Write z."""
    # z[n, i] = b[i] + Σ_j W[i, j] x[n, j]
    for n in range(x.shape[0]):
        for i in range(W.shape[0]):
            total = real(0.0)
            for j in range(W.shape[1]):
                total += W[i, j] * x[n, j]
            z[n, i] = b[i] + total


@njit(cache=True, error_model="numpy")
def write_loss_p(a, p):
    """Write p."""
    # p[n, i] = exp(a[n, i] − log Σ_j exp(a[n, j]))
    for n in range(a.shape[0]):
        top = real(-np.inf)
        for j in range(a.shape[1]):
            candidate = a[n, j]
            if candidate > top or candidate != candidate:
                top = candidate
        shift = top if abs(top) != real(np.inf) else real(0.0)
        total = real(0.0)
        for j in range(a.shape[1]):
            total += exp(a[n, j] - shift)
        for i in range(a.shape[1]):
            p[n, i] = exp(a[n, i] - shift) / total


@njit(cache=True, error_model="numpy")
def write_loss_L(a, y, L):
    """Write L."""
    # L[n] = log Σ_i exp(a[n, i]) − a[n, y[n]]
    for n in range(a.shape[0]):
        top = real(-np.inf)
        for i in range(a.shape[1]):
            candidate = a[n, i]
            if candidate > top or candidate != candidate:
                top = candidate
        shift = top if abs(top) != real(np.inf) else real(0.0)
        total = real(0.0)
        for i in range(a.shape[1]):
            total += exp(a[n, i] - shift)
        L[n] = shift + np.log(total) - a[n, y[n]]


@njit(cache=True, error_model="numpy")
def loss_total(L, loss_):
    """Write loss."""
    # loss = (Σ_n L[n])/N
    N = L.shape[0]
    total = real(0.0)
    for n in range(L.shape[0]):
        total += L[n]
    loss_[0] = total / real(N)


@njit(cache=True, error_model="numpy")
def dense_delta(p, y, delta):
    """Write delta."""
    # delta[n, i] = (p[n, i] − [i = y[n]])/N
    N = p.shape[0]
    for n in range(p.shape[0]):
        for i in range(p.shape[1]):
            delta[n, i] = (p[n, i] - (real(1.0) if i == y[n] else real(0.0))) / real(N)


@njit(cache=True, error_model="numpy")
def dense_grad_W(delta, x, grad_W):
    """Write grad_W."""
    # grad_W[i, j] = Σ_n delta[n, i] x[n, j]
    for i in range(delta.shape[1]):
        for j in range(x.shape[1]):
            total = real(0.0)
            for n in range(delta.shape[0]):
                total += delta[n, i] * x[n, j]
            grad_W[i, j] = total


@njit(cache=True, error_model="numpy")
def dense_grad_b(delta, grad_b):
    """Write grad_b."""
    # grad_b[i] = Σ_n delta[n, i]
    for i in range(delta.shape[1]):
        total = real(0.0)
        for n in range(delta.shape[0]):
            total += delta[n, i]
        grad_b[i] = total


@njit(cache=True, error_model="numpy")
def flatten_grad_a(W, delta, grad_a):
    """Write grad_a."""
    # grad_a[n, j] = Σ_i W[i, j] delta[n, i]
    for n in range(delta.shape[0]):
        for j in range(W.shape[1]):
            total = real(0.0)
            for i in range(W.shape[0]):
                total += W[i, j] * delta[n, i]
            grad_a[n, j] = total


@njit(cache=True, error_model="numpy")
def conv2d_delta(a, a_argmax_next, grad_a, delta):
    """Write delta."""
    # delta[n, k, p, q] = grad_a[n, 2 floor(p/2) + 4 k + floor(q/2)] [2 · (p mod 2) + (q mod 2) = a_argmax_next[n, k, floor(p/2),
    #     floor(q/2)]] [a[n, k, p, q] > 0]
    for n in range(a.shape[0]):
        for k in range(12):
            for p in range(4):
                for q in range(4):
                    delta[n, k, p, q] = (
                        grad_a[n, 2 * (p // 2) + 4 * k + q // 2] if 2 * (p % 2) + q % 2 == a_argmax_next[n, k, p // 2, q // 2] and not a[n,
                        k, p, q] <= real(0.0) else real(0.0)
                    )


@njit(cache=True, error_model="numpy")
def conv2d_grad_W(delta, x, grad_W, delta_copy, x_windows):
    """Write grad_W."""
    # grad_W[k, c, u, v] = Σ_{n, p, q} delta[n, k, p, q] x[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 4] [0 ≤ q + v − 1 < 4]
    delta_copy_matrix = delta_copy.reshape((grad_W.shape[0], 16 * delta.shape[0]))
    x_windows_matrix = x_windows.reshape((grad_W.shape[1] * grad_W.shape[2] * grad_W.shape[3], 16 * delta.shape[0]))
    grad_W_matrix = grad_W.reshape((grad_W.shape[0], grad_W.shape[1] * grad_W.shape[2] * grad_W.shape[3]))
    for k in range(grad_W.shape[0]):
        for n in range(delta.shape[0]):
            for p in range(4):
                for q in range(4):
                    delta_copy[k, n, p, q] = delta[n, k, p, q]
    x_windows[:] = real(0.0)
    for c in range(grad_W.shape[1]):
        for u in range(grad_W.shape[2]):
            for v in range(grad_W.shape[3]):
                for n in range(delta.shape[0]):
                    for p in range(max(0, 1 - u), min(4, 5 - u)):
                        for q in range(max(0, 1 - v), min(4, 5 - v)):
                            x_windows[c, u, v, n, p, q] = x[n, c, p + u - 1, q + v - 1]
    row_products(delta_copy_matrix, x_windows_matrix, grad_W_matrix)


@njit(cache=True, error_model="numpy")
def conv2d_grad_b(delta, grad_b):
    """Write grad_b."""
    # grad_b[k] = Σ_{n, p, q} delta[n, k, p, q]
    for k in range(grad_b.shape[0]):
        total = real(0.0)
        for n in range(delta.shape[0]):
            for p in range(4):
                for q in range(4):
                    total += delta[n, k, p, q]
        grad_b[k] = total


@njit(cache=True, error_model="numpy")
def maxpool2d_grad_a(W, delta, grad_a, W_copy, delta_windows, products):
    """Write grad_a."""
    # grad_a[n, c, h, w] = Σ_{k, u, v} W[k, c, u, v] delta[n, k, 1 + h − u, 1 + w − v] [0 ≤ 1 + h − u < 4] [0 ≤ 1 + w − v < 4]
    n_2 = grad_a.shape[2]
    n_3 = grad_a.shape[3]
    W_copy_matrix = W_copy.reshape((grad_a.shape[1], 108))
    delta_windows_matrix = delta_windows.reshape((108, delta.shape[0] * grad_a.shape[2] * grad_a.shape[3]))
    products_matrix = products.reshape((grad_a.shape[1], delta.shape[0] * grad_a.shape[2] * grad_a.shape[3]))
    for c in range(grad_a.shape[1]):
        for k in range(12):
            for u in range(3):
                for v in range(3):
                    W_copy[c, k, u, v] = W[k, c, u, v]
    delta_windows[:] = real(0.0)
    for k in range(12):
        for u in range(3):
            for v in range(3):
                for n in range(delta.shape[0]):
                    for h in range(max(0, u - 1), min(n_2, u + 3)):
                        for w in range(max(0, v - 1), min(n_3, v + 3)):
                            delta_windows[k, u, v, n, h, w] = delta[n, k, h + 1 - u, w + 1 - v]
    product(W_copy_matrix, delta_windows_matrix, products_matrix)
    for n in range(delta.shape[0]):
        for c in range(grad_a.shape[1]):
            for h in range(grad_a.shape[2]):
                for w in range(grad_a.shape[3]):
                    grad_a[n, c, h, w] = products[c, n, h, w]


@njit(cache=True, error_model="numpy")
def conv2d_delta_2(a, a_argmax_next, grad_a, delta):
    """Write delta."""
    # delta[n, k, p, q] = grad_a[n, k, floor(p/2), floor(q/2)] [2 · (p mod 2) + (q mod 2) = a_argmax_next[n, k, floor(p/2), floor(q/2)]]
    #     [a[n, k, p, q] > 0]
    for n in range(a.shape[0]):
        for k in range(6):
            for p in range(8):
                for q in range(8):
                    delta[n, k, p, q] = (
                        grad_a[n, k, p // 2, q // 2] if 2 * (p % 2) + q % 2 == a_argmax_next[n, k, p // 2, q // 2] and not a[n, k, p, q]
                        <= real(0.0) else real(0.0)
                    )


@njit(cache=True, error_model="numpy")
def conv2d_grad_W_2(delta, x, grad_W, x_windows):
    """Write grad_W."""
    # grad_W[k, c, u, v] = Σ_{n, p, q} delta[n, k, p, q] x[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q + v − 1 < 8]
    delta_matrices = delta.reshape((delta.shape[0], 6, 64))
    x_windows_matrix = x_windows.reshape((grad_W.shape[1] * grad_W.shape[2] * grad_W.shape[3], 64))
    grad_W_matrix = grad_W.reshape((grad_W.shape[0], grad_W.shape[1] * grad_W.shape[2] * grad_W.shape[3]))
    x_windows[:] = real(0.0)
    grad_W[:] = real(0.0)
    for n in range(delta.shape[0]):
        for c in range(grad_W.shape[1]):
            for u in range(grad_W.shape[2]):
                for v in range(grad_W.shape[3]):
                    for p in range(max(0, 1 - u), min(8, 9 - u)):
                        for q in range(max(0, 1 - v), min(8, 9 - v)):
                            x_windows[c, u, v, p, q] = x[n, c, p + u - 1, q + v - 1]
        add_row_products(delta_matrices[n], x_windows_matrix, grad_W_matrix)


@njit(cache=True, error_model="numpy")
def conv2d_grad_b_2(delta, grad_b):
    """Write grad_b."""
    # grad_b[k] = Σ_{n, p, q} delta[n, k, p, q]
    for k in range(grad_b.shape[0]):
        total = real(0.0)
        for n in range(delta.shape[0]):
            for p in range(8):
                for q in range(8):
                    total += delta[n, k, p, q]
        grad_b[k] = total


@njit(cache=True, error_model="numpy")
def write_grad_x(W, delta, grad_x):
    """Write grad_x."""
    # grad_x[n, c, h, w] = Σ_{k, u, v} W[k, c, u, v] delta[n, k, 1 + h − u, 1 + w − v] [0 ≤ 1 + h − u < 8] [0 ≤ 1 + w − v < 8]
    n_3 = grad_x.shape[3]
    for n in range(delta.shape[0]):
        for c in range(grad_x.shape[1]):
            for h in range(grad_x.shape[2]):
                grad_x[n, c, h] = real(0.0)
                for k in range(6):
                    for u in range(max(0, h - 6), min(3, h + 2)):
                        for v in range(3):
                            for w in range(max(0, v - 1), min(n_3, v + 7)):
                                grad_x[n, c, h, w] += W[k, c, u, v] * delta[n, k, h + 1 - u, w + 1 - v]


@njit(cache=True, error_model="numpy")
def check(x, y):
    """Return 0, or the number of the first argument with a value out of range; nothing may be computed with it."""
    if not in_range(y, 0, 9):
        return 2
    return 0


@njit(cache=True, error_model="numpy")
def forward(params, x, out, work):
    """Write the network's output for a batch into out."""
    n = x.shape[0]
    conv2d_1_W = view_4(params, 0, 6, 1, 3, 3)
    conv2d_1_b = params[54:60]
    conv2d_1_a = view_4(work, 0, n, 6, 8, 8)
    x_windows = view_5(work, 2814 * n, 1, 3, 3, 8, 8)
    maxpool2d_1_a_argmax = view_4(work, 384 * n, n, 6, 4, 4)
    maxpool2d_1_a = view_4(work, 480 * n, n, 6, 4, 4)
    conv2d_2_W = view_4(params, 60, 12, 6, 3, 3)
    conv2d_2_b = params[708:720]
    conv2d_2_a = view_4(work, 576 * n, n, 12, 4, 4)
    x_windows_ = view_6(work, 768 * n, 6, 3, 3, n, 4, 4)
    products = view_4(work, 1632 * n, 12, n, 4, 4)
    maxpool2d_2_a_argmax = view_4(work, 768 * n, n, 12, 2, 2)
    maxpool2d_2_a = view_4(work, 816 * n, n, 12, 2, 2)
    flatten_1_a = view_2(work, 864 * n, n, 48)
    dense_1_W = view_2(params, 720, 10, 48)
    dense_1_b = params[1200:1210]
    # conv2d_1
    conv2d_a(conv2d_1_W, conv2d_1_b, x, conv2d_1_a, x_windows)
    # maxpool2d_1
    maxpool2d_a(conv2d_1_a, maxpool2d_1_a_argmax, maxpool2d_1_a)
    # conv2d_2
    conv2d_a_2(conv2d_2_W, conv2d_2_b, maxpool2d_1_a, conv2d_2_a, x_windows_, products)
    # maxpool2d_2
    maxpool2d_a_2(conv2d_2_a, maxpool2d_2_a_argmax, maxpool2d_2_a)
    # flatten_1
    flatten_a(maxpool2d_2_a, flatten_1_a)
    # dense_1
    dense_z(dense_1_W, dense_1_b, flatten_1_a, out)


@njit(cache=True, error_model="numpy")
def loss(params, x, y, work):
    """Return the loss of a batch; work keeps what the gradients read."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    conv2d_1_W = view_4(params, 0, 6, 1, 3, 3)
    conv2d_1_b = params[54:60]
    conv2d_1_a = view_4(work, 0, n, 6, 8, 8)
    x_windows = view_5(work, 2814 * n, 1, 3, 3, 8, 8)
    maxpool2d_1_a_argmax = view_4(work, 384 * n, n, 6, 4, 4)
    maxpool2d_1_a = view_4(work, 480 * n, n, 6, 4, 4)
    conv2d_2_W = view_4(params, 60, 12, 6, 3, 3)
    conv2d_2_b = params[708:720]
    conv2d_2_a = view_4(work, 576 * n, n, 12, 4, 4)
    x_windows_ = view_6(work, 768 * n, 6, 3, 3, n, 4, 4)
    products = view_4(work, 1632 * n, 12, n, 4, 4)
    maxpool2d_2_a_argmax = view_4(work, 768 * n, n, 12, 2, 2)
    maxpool2d_2_a = view_4(work, 816 * n, n, 12, 2, 2)
    flatten_1_a = view_2(work, 864 * n, n, 48)
    dense_1_W = view_2(params, 720, 10, 48)
    dense_1_b = params[1200:1210]
    dense_1_z = view_2(work, 816 * n, n, 10)
    loss_p = view_2(work, 826 * n, n, 10)
    loss_L = work[836 * n:837 * n]
    loss_ = work[2814 * n:2814 * n + 1]
    # conv2d_1
    conv2d_a(conv2d_1_W, conv2d_1_b, x, conv2d_1_a, x_windows)
    # maxpool2d_1
    maxpool2d_a(conv2d_1_a, maxpool2d_1_a_argmax, maxpool2d_1_a)
    # conv2d_2
    conv2d_a_2(conv2d_2_W, conv2d_2_b, maxpool2d_1_a, conv2d_2_a, x_windows_, products)
    # maxpool2d_2
    maxpool2d_a_2(conv2d_2_a, maxpool2d_2_a_argmax, maxpool2d_2_a)
    # flatten_1
    flatten_a(maxpool2d_2_a, flatten_1_a)
    # dense_1
    dense_z(dense_1_W, dense_1_b, flatten_1_a, dense_1_z)
    # loss
    write_loss_p(dense_1_z, loss_p)
    write_loss_L(dense_1_z, y, loss_L)
    loss_total(loss_L, loss_)
    return float(loss_[0])


@njit(cache=True, error_model="numpy")
def value_and_grad(params, x, y, grads, work):
    """Return the loss of a batch and write its gradients into grads."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    value = loss(params, x, y, work)
    loss_p = view_2(work, 826 * n, n, 10)
    delta_dense_1 = view_2(work, 836 * n, n, 10)
    flatten_1_a = view_2(work, 864 * n, n, 48)
    grad_dense_1_W = view_2(grads, 720, 10, 48)
    grad_dense_1_b = grads[1200:1210]
    dense_1_W = view_2(params, 720, 10, 48)
    grad_flatten_1_a = view_2(work, 846 * n, n, 48)
    conv2d_2_a = view_4(work, 576 * n, n, 12, 4, 4)
    maxpool2d_2_a_argmax = view_4(work, 768 * n, n, 12, 2, 2)
    delta_conv2d_2 = view_4(work, 894 * n, n, 12, 4, 4)
    maxpool2d_1_a = view_4(work, 480 * n, n, 6, 4, 4)
    grad_conv2d_2_W = view_4(grads, 60, 12, 6, 3, 3)
    delta_copy = view_4(work, 576 * n, 12, n, 4, 4)
    x_windows = view_6(work, 1086 * n, 6, 3, 3, n, 4, 4)
    grad_conv2d_2_b = grads[708:720]
    conv2d_2_W = view_4(params, 60, 12, 6, 3, 3)
    grad_maxpool2d_1_a = view_4(work, 480 * n, n, 6, 4, 4)
    W_copy = view_4(work, 2814 * n + 1, 6, 12, 3, 3)
    delta_windows = view_6(work, 1086 * n, 12, 3, 3, n, 4, 4)
    products = view_4(work, 576 * n, 6, n, 4, 4)
    conv2d_1_a = view_4(work, 0, n, 6, 8, 8)
    maxpool2d_1_a_argmax = view_4(work, 384 * n, n, 6, 4, 4)
    delta_conv2d_1 = view_4(work, 826 * n, n, 6, 8, 8)
    grad_conv2d_1_W = view_4(grads, 0, 6, 1, 3, 3)
    x_windows_ = view_5(work, 2814 * n + 1, 1, 3, 3, 8, 8)
    grad_conv2d_1_b = grads[54:60]
    # dense_1
    dense_delta(loss_p, y, delta_dense_1)
    dense_grad_W(delta_dense_1, flatten_1_a, grad_dense_1_W)
    dense_grad_b(delta_dense_1, grad_dense_1_b)
    # flatten_1
    flatten_grad_a(dense_1_W, delta_dense_1, grad_flatten_1_a)
    # conv2d_2
    conv2d_delta(conv2d_2_a, maxpool2d_2_a_argmax, grad_flatten_1_a, delta_conv2d_2)
    conv2d_grad_W(delta_conv2d_2, maxpool2d_1_a, grad_conv2d_2_W, delta_copy, x_windows)
    conv2d_grad_b(delta_conv2d_2, grad_conv2d_2_b)
    # maxpool2d_1
    maxpool2d_grad_a(conv2d_2_W, delta_conv2d_2, grad_maxpool2d_1_a, W_copy, delta_windows, products)
    # conv2d_1
    conv2d_delta_2(conv2d_1_a, maxpool2d_1_a_argmax, grad_maxpool2d_1_a, delta_conv2d_1)
    conv2d_grad_W_2(delta_conv2d_1, x, grad_conv2d_1_W, x_windows_)
    conv2d_grad_b_2(delta_conv2d_1, grad_conv2d_1_b)
    return value


@njit(cache=True, error_model="numpy")
def input_gradients(params, x, y, grads_x, work):
    """Return the loss of a batch and write its gradient with respect to the inputs."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    value = loss(params, x, y, work)
    loss_p = view_2(work, 826 * n, n, 10)
    delta_dense_1 = view_2(work, 836 * n, n, 10)
    dense_1_W = view_2(params, 720, 10, 48)
    grad_flatten_1_a = view_2(work, 846 * n, n, 48)
    conv2d_2_a = view_4(work, 576 * n, n, 12, 4, 4)
    maxpool2d_2_a_argmax = view_4(work, 768 * n, n, 12, 2, 2)
    delta_conv2d_2 = view_4(work, 894 * n, n, 12, 4, 4)
    conv2d_2_W = view_4(params, 60, 12, 6, 3, 3)
    grad_maxpool2d_1_a = view_4(work, 480 * n, n, 6, 4, 4)
    W_copy = view_4(work, 2814 * n + 1, 6, 12, 3, 3)
    delta_windows = view_6(work, 1086 * n, 12, 3, 3, n, 4, 4)
    products = view_4(work, 576 * n, 6, n, 4, 4)
    conv2d_1_a = view_4(work, 0, n, 6, 8, 8)
    maxpool2d_1_a_argmax = view_4(work, 384 * n, n, 6, 4, 4)
    delta_conv2d_1 = view_4(work, 826 * n, n, 6, 8, 8)
    conv2d_1_W = view_4(params, 0, 6, 1, 3, 3)
    # dense_1
    dense_delta(loss_p, y, delta_dense_1)
    # flatten_1
    flatten_grad_a(dense_1_W, delta_dense_1, grad_flatten_1_a)
    # conv2d_2
    conv2d_delta(conv2d_2_a, maxpool2d_2_a_argmax, grad_flatten_1_a, delta_conv2d_2)
    # maxpool2d_1
    maxpool2d_grad_a(conv2d_2_W, delta_conv2d_2, grad_maxpool2d_1_a, W_copy, delta_windows, products)
    # conv2d_1
    conv2d_delta_2(conv2d_1_a, maxpool2d_1_a_argmax, grad_maxpool2d_1_a, delta_conv2d_1)
    # x
    write_grad_x(conv2d_1_W, delta_conv2d_1, grads_x)
    return value


@njit(cache=True, error_model="numpy")
def update(params, grads, state, hyper):
    """Do one step of the optimizer with given gradients."""
    # t_next = 1 + t
    # m_next[p] = (1 − beta1) · g[p] + beta1 m[p]
    # v_next[p] = g[p]² · (1 − beta2) + beta2 v[p]
    # c_1 = 1 − beta1^t_next
    # c_2 = 1 − beta2^t_next
    # w_next[p] = w[p] − lr m_next[p]/((√(v_next[p]/c_2) + eps) · c_1)
    P = params.size
    lr = hyper[0]
    beta1 = hyper[1]
    beta2 = hyper[2]
    eps = hyper[3]
    m = state[0:P]
    v = state[P:2 * P]
    t = float(state[2 * P])
    t_next = 1.0 + t
    factor = 1.0 - beta1
    factor_2 = 1.0 - beta2
    c_1 = 1.0 - beta1 ** t_next
    c_2 = 1.0 - beta2 ** t_next
    factor_3 = 1.0 / c_2
    factor_4 = -lr / c_1
    for p in range(P):
        m_next = grads[p] * real(factor) + m[p] * real(beta1)
        v_next = grads[p] * grads[p] * real(factor_2) + v[p] * real(beta2)
        w_next = real(factor_4) * m_next / (np.sqrt(real(factor_3) * v_next) + real(eps)) + params[p]
        m[p] = m_next
        v[p] = v_next
        params[p] = w_next
    state[2 * P] = t_next


@njit(cache=True, error_model="numpy")
def train_step(params, x, y, grads, state, hyper, work):
    """Return the loss and do one step of the optimizer; a loss that is not finite changes nothing."""
    value = value_and_grad(params, x, y, grads, work)
    if np.isfinite(value):
        update(params, grads, state, hyper)
    return value
