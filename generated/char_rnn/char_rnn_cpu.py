"""Kernels of the network char_rnn for the CPU, compiled by Numba; they need NumPy and Numba only.

Written from the template numba_cpu/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: 1c3c4c1d2ed158458a56403ef1183cde91498d8ca17a732292fe9199081323a9

params, grads, state and work are contiguous 1-D arrays of type float32; x has one sample a row.
x holds integers from 0 to 61. y has 32 numbers for each sample, integers from 0 to 61.
"""

import numpy as np
from numba import prange

try:
    from .kernels_cpu import apart, array_at, chosen, max_of, merged, njit, share, sum_of, sum_of_rows, threads, view, whole_at
    from .kernels_cpu import exp_32 as exp
    from .kernels_cpu import log_32 as log
    from .kernels_cpu import product_32 as product
    from .kernels_cpu import row_products_32 as row_products
    from .kernels_cpu import sigmoid_32 as sigmoid
    from .kernels_cpu import tanh_32 as tanh
except ImportError:
    from kernels_cpu import apart, array_at, chosen, max_of, merged, njit, share, sum_of, sum_of_rows, threads, view, whole_at
    from kernels_cpu import exp_32 as exp
    from kernels_cpu import log_32 as log
    from kernels_cpu import product_32 as product
    from kernels_cpu import row_products_32 as row_products
    from kernels_cpu import sigmoid_32 as sigmoid
    from kernels_cpu import tanh_32 as tanh

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

real = np.float32


@njit(cache=True, error_model="numpy")
def workspace(n):
    """Return how many elements of workspace a batch of n samples needs."""
    return 32272 * n + 124417


@njit(cache=True, error_model="numpy")
def in_range(values, least, most):
    """Whether every value lies in least .. most."""
    flat = values.reshape(values.size)
    outside = 0
    for k in range(flat.size):
        outside |= (flat[k] < least) | (flat[k] > most)
    return outside == 0


@njit(cache=True, error_model="numpy")
def embedding_a(E, x, a):
    """Write a."""
    # a[n, t, i] = E[x[n, t], i]
    for n in range(x.shape[0]):
        for t in range(32):
            for i in range(16):
                a[n, t, i] = E[x[n, t], i]


@njit(cache=True, error_model="numpy")
def gru_p(W_x, b_x, x, p):
    """Write p."""
    # p[n, t, r] = b_x[r] + Σ_j W_x[r, j] x[n, t, j]
    x_matrix = merged(x, (2, 1))
    p_matrix = merged(p, (2, 1))
    row_products(x_matrix, W_x, p_matrix)
    for n in range(x.shape[0]):
        for t in range(32):
            for r in range(144):
                p[n, t, r] = b_x[r] + p[n, t, r]


@njit(cache=True, error_model="numpy")
def gru_h(W_h, b_h, p, q, r, u, g, h, W_h_copy):
    """Write q and r and u and g and h."""
    # q[n, t, r] = b_h[r] + Σ_k W_h[r, k] h[n, t − 1, k] [0 ≤ t − 1 < 32]
    # r[n, t, k] = σ(p[n, t, k] + q[n, t, k])
    # u[n, t, k] = σ(p[n, t, 48 + k] + q[n, t, 48 + k])
    # g[n, t, k] = tanh(q[n, t, 96 + k] r[n, t, k] + p[n, t, 96 + k])
    # h[n, t, k] = (1 − u[n, t, k]) · g[n, t, k] + h[n, t − 1, k] u[n, t, k] [0 ≤ t − 1 < 32]
    for k in range(48):
        for r_ in range(144):
            W_h_copy[k, r_] = W_h[r_, k]
    for t in range(q.shape[1]):
        q[:, t] = real(0.0)
        if 0 <= t - 1 < 32:
            product(h[:, t - 1], W_h_copy, q[:, t])
        for n in range(p.shape[0]):
            for r_ in range(144):
                q[n, t, r_] = b_h[r_] + q[n, t, r_]
        for n in range(p.shape[0]):
            for k in range(48):
                r[n, t, k] = sigmoid(p[n, t, k] + q[n, t, k])
        for n in range(p.shape[0]):
            for k in range(48):
                u[n, t, k] = sigmoid(p[n, t, k + 48] + q[n, t, k + 48])
        for n in range(p.shape[0]):
            for k in range(48):
                g[n, t, k] = tanh(q[n, t, k + 96] * r[n, t, k] + p[n, t, k + 96])
        for n in range(p.shape[0]):
            for k in range(48):
                h[n, t, k] = (real(1.0) - u[n, t, k]) * g[n, t, k] + (h[n, t - 1, k] * u[n, t, k] if 0 <= t - 1 < 32 else real(0.0))


@njit(cache=True, error_model="numpy")
def gru_a(h, a):
    """Write a."""
    # a[n, t, k] = h[n, t, k]
    for n in range(h.shape[0]):
        for t in range(32):
            for k in range(48):
                a[n, t, k] = h[n, t, k]


@njit(cache=True, error_model="numpy")
def dense_z(W, b, x, z):
    """Write z."""
    # z[n, t, i] = b[i] + Σ_j W[i, j] x[n, t, j]
    x_matrix = merged(x, (2, 1))
    z_matrix = merged(z, (2, 1))
    row_products(x_matrix, W, z_matrix)
    for n in range(x.shape[0]):
        for t in range(x.shape[1]):
            for i in range(W.shape[0]):
                z[n, t, i] = b[i] + z[n, t, i]


@njit(cache=True, error_model="numpy")
def write_loss_L_by_rows(a, y, L, terms):
    """Write L."""
    # L[n, t] = log Σ_i exp(a[n, t, i]) − a[n, t, y[n, t]]
    for n in range(a.shape[0]):
        for t in range(32):
            top = max_of(a[n, t])
            shift = top if abs(top) != real(np.inf) else real(0.0)
            for i in range(62):
                terms[i] = exp(a[n, t, i] - shift)
            total = sum_of(terms)
            L[n, t] = shift + log(total) - a[n, t, y[n, t]]


@njit(cache=True, error_model="numpy")
def loss_total(L, loss_, N):
    """Write loss."""
    # loss = (Σ_{n, t} L[n, t])/(N n_1)
    n_1 = L.shape[1]
    loss_[0] = sum_of(L)
    loss_[0] = loss_[0] / real(N) / real(n_1)


@njit(cache=True, error_model="numpy")
def dense_delta_by_rows(a, y, L, delta, terms, N):
    """Write L and delta."""
    # p[n, t, i] = exp(a[n, t, i] − log Σ_j exp(a[n, t, j]))
    # L[n, t] = log Σ_i exp(a[n, t, i]) − a[n, t, y[n, t]]
    # delta[n, t, i] = (p[n, t, i] − [i = y[n, t]])/(32 N)
    factor_2 = real(1.0) / real(32.0) / real(N)
    for n in range(a.shape[0]):
        for t in range(32):
            top = max_of(a[n, t])
            shift = top if abs(top) != real(np.inf) else real(0.0)
            for j in range(62):
                terms[j] = exp(a[n, t, j] - shift)
            total = sum_of(terms)
            factor = real(1.0) / total
            for i in range(62):
                p = terms[i] * factor
                delta[n, t, i] = (p - (real(1.0) if i == y[n, t] else real(0.0))) * factor_2
            L[n, t] = shift + log(total) - a[n, t, y[n, t]]


@njit(cache=True, error_model="numpy")
def gru_grad_q(W, W_h, delta, u, g, h, q, r, grad_h, grad_g, grad_u, grad_r, grad_q, products):
    """Write grad_h and grad_g and grad_u and grad_r and grad_q."""
    # grad_h[n, t, k] = [0 ≤ 1 + t < 32] Σ_r W_h[r, k] grad_q[n, 1 + t, r] + grad_h[n, 1 + t, k] u[n, 1 + t, k] [0 ≤ 1 + t < 32] + Σ_i
    #     W[i, k] delta[n, t, i]
    # grad_g[n, t, k] = (1 − u[n, t, k]) · grad_h[n, t, k]
    # grad_u[n, t, k] = (h[n, t − 1, k] [0 ≤ t − 1 < 32] − g[n, t, k]) · grad_h[n, t, k]
    # grad_r[n, t, k] = (1 − g[n, t, k]²) · grad_g[n, t, k] q[n, t, 96 + k]
    # grad_q[n, t, r] = (1 − g[n, t, r − 96]²) · grad_g[n, t, r − 96] r[n, t, r − 96] [0 ≤ r − 96 < 48] − (r[n, t, r] − 1) · grad_r[n,
    #     t, r] r[n, t, r] [0 ≤ r < 48] − (u[n, t, r − 48] − 1) · grad_u[n, t, r − 48] u[n, t, r − 48] [0 ≤ r − 48 < 48]
    for t in range(31, -1, -1):
        grad_h[:, t] = real(0.0)
        if 0 <= t + 1 < 32:
            product(grad_q[:, t + 1], W_h, grad_h[:, t])
        product(delta[:, t], W, products)
        for n in range(delta.shape[0]):
            for k in range(48):
                grad_h[n, t, k] = (
                    (grad_h[n, t, k] if 0 <= t + 1 < 32 else real(0.0)) + (grad_h[n, t + 1, k] * u[n, t + 1, k] if 0 <= t + 1 < 32
                    else real(0.0)) + products[n, k]
                )
        for n in range(delta.shape[0]):
            for k in range(48):
                grad_g[n, t, k] = (real(1.0) - u[n, t, k]) * grad_h[n, t, k]
        for n in range(delta.shape[0]):
            for k in range(48):
                grad_u[n, t, k] = ((h[n, t - 1, k] if 0 <= t - 1 < 32 else real(0.0)) - g[n, t, k]) * grad_h[n, t, k]
        for n in range(delta.shape[0]):
            for k in range(48):
                grad_r[n, t, k] = (real(1.0) - g[n, t, k] * g[n, t, k]) * grad_g[n, t, k] * q[n, t, k + 96]
        for n in range(delta.shape[0]):
            for r_ in range(48):
                grad_q[n, t, r_] = -(r[n, t, r_] - real(1.0)) * grad_r[n, t, r_] * r[n, t, r_]
        for n in range(delta.shape[0]):
            for r_ in range(48, 96):
                grad_q[n, t, r_] = -(u[n, t, r_ - 48] - real(1.0)) * grad_u[n, t, r_ - 48] * u[n, t, r_ - 48]
        for n in range(delta.shape[0]):
            for r_ in range(96, 144):
                grad_q[n, t, r_] = (real(1.0) - g[n, t, r_ - 96] * g[n, t, r_ - 96]) * grad_g[n, t, r_ - 96] * r[n, t, r_ - 96]


@njit(cache=True, error_model="numpy")
def gru_grad_p(g, grad_g, grad_r, grad_u, r, u, grad_p):
    """Write grad_p."""
    # grad_p[n, t, r] = (1 − g[n, t, r − 96]²) · grad_g[n, t, r − 96] [0 ≤ r − 96 < 48] − (r[n, t, r] − 1) · grad_r[n, t, r] r[n, t, r]
    #     [0 ≤ r < 48] − (u[n, t, r − 48] − 1) · grad_u[n, t, r − 48] u[n, t, r − 48] [0 ≤ r − 48 < 48]
    for n in range(g.shape[0]):
        for t in range(32):
            for r_ in range(48):
                grad_p[n, t, r_] = -(r[n, t, r_] - real(1.0)) * grad_r[n, t, r_] * r[n, t, r_]
    for n in range(g.shape[0]):
        for t in range(32):
            for r_ in range(48, 96):
                grad_p[n, t, r_] = -(u[n, t, r_ - 48] - real(1.0)) * grad_u[n, t, r_ - 48] * u[n, t, r_ - 48]
    for n in range(g.shape[0]):
        for t in range(32):
            for r_ in range(96, 144):
                grad_p[n, t, r_] = (real(1.0) - g[n, t, r_ - 96] * g[n, t, r_ - 96]) * grad_g[n, t, r_ - 96]


@njit(cache=True, error_model="numpy")
def embedding_grad_a(W_x, grad_p, grad_a):
    """Write grad_a."""
    # grad_a[n, t, j] = Σ_r W_x[r, j] grad_p[n, t, r]
    grad_p_matrix = merged(grad_p, (2, 1))
    grad_a_matrix = merged(grad_a, (2, 1))
    product(grad_p_matrix, W_x, grad_a_matrix)


@njit(cache=True, error_model="numpy")
def dense_grad_W(delta, x, grad_W):
    """Write grad_W."""
    # grad_W[i, j] = Σ_{n, t} delta[n, t, i] x[n, t, j]
    delta_matrix = merged(delta, (2, 1))
    x_matrix = merged(x, (2, 1))
    product(delta_matrix.T, x_matrix, grad_W)


@njit(cache=True, error_model="numpy")
def dense_grad_b(delta, grad_b):
    """Write grad_b."""
    # grad_b[i] = Σ_{n, t} delta[n, t, i]
    delta_matrix = merged(delta, (2, 1))
    sum_of_rows(delta_matrix, grad_b)


@njit(cache=True, error_model="numpy")
def gru_grad_W_h(grad_q, h, grad_W_h, h_windows):
    """Write grad_W_h."""
    # grad_W_h[r, k] = Σ_{n, t} grad_q[n, t, r] h[n, t − 1, k] [0 ≤ t − 1 < 32]
    grad_q_matrix = merged(grad_q, (2, 1))
    h_windows_matrix = merged(h_windows, (2, 1))
    h_windows[:] = real(0.0)
    for n in range(grad_q.shape[0]):
        for t in range(1, 32):
            for k in range(48):
                h_windows[n, t, k] = h[n, t - 1, k]
    product(grad_q_matrix.T, h_windows_matrix, grad_W_h)


@njit(cache=True, error_model="numpy")
def gru_grad_b_h(grad_q, grad_b_h):
    """Write grad_b_h."""
    # grad_b_h[r] = Σ_{n, t} grad_q[n, t, r]
    grad_b_h[:] = real(0.0)
    for n in range(grad_q.shape[0]):
        for t in range(grad_q.shape[1]):
            for r in range(grad_b_h.shape[0]):
                grad_b_h[r] += grad_q[n, t, r]


@njit(cache=True, error_model="numpy")
def gru_grad_W_x(grad_p, x, grad_W_x):
    """Write grad_W_x."""
    # grad_W_x[r, j] = Σ_{n, t} grad_p[n, t, r] x[n, t, j]
    grad_p_matrix = merged(grad_p, (2, 1))
    x_matrix = merged(x, (2, 1))
    product(grad_p_matrix.T, x_matrix, grad_W_x)


@njit(cache=True, error_model="numpy")
def gru_grad_b_x(grad_p, grad_b_x):
    """Write grad_b_x."""
    # grad_b_x[r] = Σ_{n, t} grad_p[n, t, r]
    grad_b_x[:] = real(0.0)
    for n in range(grad_p.shape[0]):
        for t in range(grad_p.shape[1]):
            for r in range(grad_b_x.shape[0]):
                grad_b_x[r] += grad_p[n, t, r]


@njit(cache=True, error_model="numpy")
def embedding_grad_E(grad_a, x, grad_E):
    """Write grad_E."""
    # grad_E[v, i] = Σ_{n, t} grad_a[n, t, i] [v = x[n, t]]
    n_1 = grad_E.shape[0]
    grad_E[:] = real(0.0)
    for n in range(grad_a.shape[0]):
        for t in range(grad_a.shape[1]):
            if 0 <= x[n, t] < n_1:
                for i in range(grad_a.shape[2]):
                    grad_E[x[n, t], i] += grad_a[n, t, i]


@njit(cache=True, error_model="numpy")
def check(x, y):
    """Return 0, or the number of the first argument with a value out of range; nothing may be computed with it."""
    if not in_range(x, 0, 61):
        return 1
    if not in_range(y, 0, 61):
        return 2
    return 0


@njit(cache=True, error_model="numpy")
def forward_samples(params, x, out, work, part, parts):
    """Do all that needs one sample only, for a part of the samples."""
    n = x.shape[0]
    low, high = share(n, part, parts)
    m = high - low
    own = work[15872 * low : 15872 * high]
    scratch = work[32272 * n + 6912 * part + 1 : 32272 * n + 6912 * part + 6913]
    embedding_1_E = view(params, 0, (62, 16))
    embedding_1_a = view(own, 0, (m, 32, 16))
    gru_1_W_x = view(params, 992, (144, 16))
    gru_1_b_x = params[10208:10352]
    gru_1_p = view(own, 512 * m, (m, 32, 144))
    gru_1_W_h = view(params, 3296, (144, 48))
    gru_1_b_h = params[10352:10496]
    gru_1_q = view(own, 5120 * m, (m, 32, 144))
    gru_1_r = view(own, 9728 * m, (m, 32, 48))
    gru_1_u = view(own, 11264 * m, (m, 32, 48))
    gru_1_g = view(own, 12800 * m, (m, 32, 48))
    gru_1_h = view(own, 14336 * m, (m, 32, 48))
    W_h_copy = view(scratch, 0, (48, 144))
    gru_1_a = view(own, 0, (m, 32, 48))
    dense_1_W = view(params, 10496, (62, 48))
    dense_1_b = params[13472:13534]
    # embedding_1
    embedding_a(embedding_1_E, x[low:high], embedding_1_a)
    # gru_1
    gru_p(gru_1_W_x, gru_1_b_x, embedding_1_a, gru_1_p)
    gru_h(gru_1_W_h, gru_1_b_h, gru_1_p, gru_1_q, gru_1_r, gru_1_u, gru_1_g, gru_1_h, W_h_copy)
    gru_a(gru_1_h, gru_1_a)
    # dense_1
    dense_z(dense_1_W, dense_1_b, gru_1_a, out[low:high])


@njit(cache=True, error_model="numpy", parallel=True)
def forward(params, x, out, work):
    """Write the network's output for a batch into out, or nothing if an input is out of range: then return its number, else 0."""
    if not in_range(x, 0, 61):
        return 1
    n = x.shape[0]
    parts = min(threads(), 1 + n, 18)
    for part in prange(parts):
        forward_samples(params, x, out, work, part, parts)
    return 0


@njit(cache=True, error_model="numpy")
def loss_samples(params, x, y, work, part, parts):
    """Do all that needs one sample only, for a part of the samples."""
    n = x.shape[0]
    low, high = share(n, part, parts)
    m = high - low
    own = work[32 * n + 15872 * low : 32 * n + 15872 * high]
    scratch = work[32272 * n + 6912 * part + 1 : 32272 * n + 6912 * part + 6913]
    embedding_1_E = view(params, 0, (62, 16))
    embedding_1_a = view(own, 0, (m, 32, 16))
    gru_1_W_x = view(params, 992, (144, 16))
    gru_1_b_x = params[10208:10352]
    gru_1_p = view(own, 512 * m, (m, 32, 144))
    gru_1_W_h = view(params, 3296, (144, 48))
    gru_1_b_h = params[10352:10496]
    gru_1_q = view(own, 5120 * m, (m, 32, 144))
    gru_1_r = view(own, 9728 * m, (m, 32, 48))
    gru_1_u = view(own, 11264 * m, (m, 32, 48))
    gru_1_g = view(own, 12800 * m, (m, 32, 48))
    gru_1_h = view(own, 14336 * m, (m, 32, 48))
    W_h_copy = view(scratch, 0, (48, 144))
    gru_1_a = view(own, 0, (m, 32, 48))
    dense_1_W = view(params, 10496, (62, 48))
    dense_1_b = params[13472:13534]
    dense_1_z = view(own, 1536 * m, (m, 32, 62))
    loss_L = view(work, 32 * low, (m, 32))
    terms = scratch[0 : 0 + 62]
    # embedding_1
    embedding_a(embedding_1_E, x[low:high], embedding_1_a)
    # gru_1
    gru_p(gru_1_W_x, gru_1_b_x, embedding_1_a, gru_1_p)
    gru_h(gru_1_W_h, gru_1_b_h, gru_1_p, gru_1_q, gru_1_r, gru_1_u, gru_1_g, gru_1_h, W_h_copy)
    gru_a(gru_1_h, gru_1_a)
    # dense_1
    dense_z(dense_1_W, dense_1_b, gru_1_a, dense_1_z)
    # loss
    write_loss_L_by_rows(dense_1_z, y[low:high], loss_L, terms)


@njit(cache=True, error_model="numpy")
def loss_scalars(params, x, y, work):
    """Write what is one number for the whole batch."""
    n = x.shape[0]
    loss_L = view(work, 0, (n, 32))
    loss_ = work[15904 * n:15904 * n + 1]
    # loss
    loss_total(loss_L, loss_, n)


@njit(cache=True, error_model="numpy", parallel=True)
def loss(params, x, y, work):
    """Return the loss of a batch; threads share the work."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    parts = min(threads(), 1 + n, 18)
    for part in prange(parts):
        loss_samples(params, x, y, work, part, parts)
    loss_scalars(params, x, y, work)
    return float(work[15904 * n])


@njit(cache=True, error_model="numpy")
def samples(params, x, y, work, part, parts):
    """Do all that needs one sample only, for a part of the samples."""
    n = x.shape[0]
    low, high = share(n, part, parts)
    m = high - low
    own = work[16864 * n + 15408 * low : 16864 * n + 15408 * high]
    scratch = work[32272 * n + 6912 * part + 1 : 32272 * n + 6912 * part + 6913]
    embedding_1_E = view(params, 0, (62, 16))
    embedding_1_a = view(work, 512 * low, (m, 32, 16))
    gru_1_W_x = view(params, 992, (144, 16))
    gru_1_b_x = params[10208:10352]
    gru_1_p = view(own, 0, (m, 32, 144))
    gru_1_W_h = view(params, 3296, (144, 48))
    gru_1_b_h = params[10352:10496]
    gru_1_q = view(own, 4608 * m, (m, 32, 144))
    gru_1_r = view(own, 9216 * m, (m, 32, 48))
    gru_1_u = view(own, 10752 * m, (m, 32, 48))
    gru_1_g = view(own, 12288 * m, (m, 32, 48))
    gru_1_h = view(work, 512 * n + 1536 * low, (m, 32, 48))
    W_h_copy = view(scratch, 0, (48, 144))
    gru_1_a = view(work, 2048 * n + 1536 * low, (m, 32, 48))
    dense_1_W = view(params, 10496, (62, 48))
    dense_1_b = params[13472:13534]
    dense_1_z = view(own, 0, (m, 32, 62))
    loss_L = view(work, 3584 * n + 32 * low, (m, 32))
    delta_dense_1 = view(work, 3616 * n + 1984 * low, (m, 32, 62))
    terms = scratch[0 : 0 + 62]
    grad_gru_1_h = view(own, 0, (m, 32, 48))
    grad_gru_1_g = view(own, 1536 * m, (m, 32, 48))
    grad_gru_1_u = view(own, 3072 * m, (m, 32, 48))
    grad_gru_1_r = view(own, 13824 * m, (m, 32, 48))
    grad_gru_1_q = view(work, 5600 * n + 4608 * low, (m, 32, 144))
    products = view(own, 15360 * m, (m, 48))
    grad_gru_1_p = view(work, 10208 * n + 4608 * low, (m, 32, 144))
    grad_embedding_1_a = view(work, 14816 * n + 512 * low, (m, 32, 16))
    # embedding_1
    embedding_a(embedding_1_E, x[low:high], embedding_1_a)
    # gru_1
    gru_p(gru_1_W_x, gru_1_b_x, embedding_1_a, gru_1_p)
    gru_h(gru_1_W_h, gru_1_b_h, gru_1_p, gru_1_q, gru_1_r, gru_1_u, gru_1_g, gru_1_h, W_h_copy)
    gru_a(gru_1_h, gru_1_a)
    # dense_1
    dense_z(dense_1_W, dense_1_b, gru_1_a, dense_1_z)
    dense_delta_by_rows(dense_1_z, y[low:high], loss_L, delta_dense_1, terms, n)
    # gru_1
    gru_grad_q(
        dense_1_W, gru_1_W_h, delta_dense_1, gru_1_u, gru_1_g, gru_1_h, gru_1_q, gru_1_r, grad_gru_1_h, grad_gru_1_g, grad_gru_1_u,
        grad_gru_1_r, grad_gru_1_q, products,
    )
    gru_grad_p(gru_1_g, grad_gru_1_g, grad_gru_1_r, grad_gru_1_u, gru_1_r, gru_1_u, grad_gru_1_p)
    # embedding_1
    embedding_grad_a(gru_1_W_x, grad_gru_1_p, grad_embedding_1_a)


@njit(cache=True, error_model="numpy")
def scalars(params, x, y, work):
    """Write what is one number for the whole batch."""
    n = x.shape[0]
    loss_L = view(work, 3584 * n, (n, 32))
    loss_ = work[32272 * n:32272 * n + 1]
    # loss
    loss_total(loss_L, loss_, n)


@njit(cache=True, error_model="numpy")
def rows(params, x, y, grads, work, part, parts):
    """Write a part of what is summed over the samples."""
    n = x.shape[0]
    delta_dense_1 = view(work, 3616 * n, (n, 32, 62))
    gru_1_a = view(work, 2048 * n, (n, 32, 48))
    grad_dense_1_W = view(grads, 10496, (62, 48))
    grad_dense_1_b = grads[13472:13534]
    grad_gru_1_q = view(work, 5600 * n, (n, 32, 144))
    gru_1_h = view(work, 512 * n, (n, 32, 48))
    grad_gru_1_W_h = view(grads, 3296, (144, 48))
    h_windows = view(work, 15328 * n, (n, 32, 48))
    grad_gru_1_b_h = grads[10352:10496]
    grad_gru_1_p = view(work, 10208 * n, (n, 32, 144))
    embedding_1_a = view(work, 0, (n, 32, 16))
    grad_gru_1_W_x = view(grads, 992, (144, 16))
    grad_gru_1_b_x = grads[10208:10352]
    grad_embedding_1_a = view(work, 14816 * n, (n, 32, 16))
    grad_embedding_1_E = view(grads, 0, (62, 16))
    # dense_1
    low, high = share(62, part, parts)
    dense_grad_W(delta_dense_1[:, :, low:high], gru_1_a, grad_dense_1_W[low:high])
    dense_grad_b(delta_dense_1[:, :, low:high], grad_dense_1_b[low:high])
    # gru_1
    if part == 0:
        gru_grad_W_h(grad_gru_1_q, gru_1_h, grad_gru_1_W_h, h_windows)
    if part == 1 % parts:
        gru_grad_b_h(grad_gru_1_q, grad_gru_1_b_h)
    if part == 2 % parts:
        gru_grad_W_x(grad_gru_1_p, embedding_1_a, grad_gru_1_W_x)
    if part == 3 % parts:
        gru_grad_b_x(grad_gru_1_p, grad_gru_1_b_x)
    # embedding_1
    low, high = share(16, part, parts)
    embedding_grad_E(grad_embedding_1_a[:, :, low:high], x, grad_embedding_1_E[:, low:high])


@njit(cache=True, error_model="numpy", parallel=True)
def value_and_grad(params, x, y, grads, work):
    """Return the loss of a batch and write its gradients into grads; threads share the work."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    parts = min(threads(), 1 + n, 18)
    for part in prange(parts):
        samples(params, x, y, work, part, parts)
    scalars(params, x, y, work)
    for part in prange(parts):
        rows(params, x, y, grads, work, part, parts)
    return float(work[32272 * n])


@njit(cache=True, error_model="numpy")
def value_and_grad_at(table):
    """Do value_and_grad; from the address table on lie n and the addresses of params, x, y, grads and work."""
    n = whole_at(table, 0)
    params = array_at(real, whole_at(table, 1), (13534,))
    x = array_at(np.int64, whole_at(table, 2), (n, 32))
    y = array_at(np.int64, whole_at(table, 3), (n, 32))
    grads = array_at(real, whole_at(table, 4), (13534,))
    work = array_at(real, whole_at(table, 5), (workspace(n),))
    return value_and_grad(params, x, y, grads, work)


@njit(cache=True, error_model="numpy")
def addressed(params, x, y, grads, table, most):
    """Write what value_and_grad_at reads of a call, all but work, into table, and return True if sizes fit and n is at most most."""
    n = x.shape[0]
    if n < 1 or n > most:
        return False
    if params.size != 13534:
        return False
    if grads.size != 13534:
        return False
    if x.shape != (n, 32):
        return False
    if y.shape != (n, 32):
        return False
    if not (apart(grads, params) and apart(grads, x) and apart(grads, y)):
        return False
    table[0] = n
    table[1] = params.ctypes.data
    table[2] = x.ctypes.data
    table[3] = y.ctypes.data
    table[4] = grads.ctypes.data
    return True


@njit(cache=True, error_model="numpy")
def update(params, grads, state, hyper):
    """Do one step of the optimizer with given gradients."""
    # t_next = 1 + t
    # rate = (1 + cos(π · (t [1 > t/updates]/updates + [t/updates ≥ 1]))) · (lr − minimum)/2 + minimum
    # m_next[p] = (1 − beta1) · g[p] + beta1 m[p]
    # v_next[p] = g[p]² · (1 − beta2) + beta2 v[p]
    # c_1 = 1 − beta1^t_next
    # c_2 = 1 − beta2^t_next
    # w_next[p] = w[p] − rate m_next[p]/((√(v_next[p]/c_2) + eps) · c_1)
    P = params.size
    lr = hyper[0]
    beta1 = hyper[1]
    beta2 = hyper[2]
    eps = hyper[3]
    updates = hyper[4]
    minimum = hyper[5]
    m = state[0:P]
    v = state[P:2 * P]
    t = float(state[2 * P])
    t_next = 1.0 + t
    rate = (1.0 + np.cos(3.141592653589793 * (1.0 if 1.0 <= t / updates else t / updates))) * (lr - minimum) / 2.0 + minimum
    factor = 1.0 - beta1
    factor_2 = 1.0 - beta2
    c_1 = 1.0 - beta1 ** t_next
    c_2 = 1.0 - beta2 ** t_next
    factor_3 = np.float64(1.0) / c_2
    factor_4 = -rate / c_1
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


@njit(cache=True, error_model="numpy", nogil=True)
def epoch(params, x, y, order, size, batch_x, batch_y, grads, state, hyper, work):
    """Do train_step once for every batch of size samples, in order or as they lie if order is empty; batch_… hold what is chosen.

    Return the sum of the losses of all samples and 0, or a loss that is not finite and the number of its step.
    """
    total = 0.0
    samples = x.shape[0]
    for low in range(0, samples, size):
        high = min(low + size, samples)
        part_x = x[low:high]
        part_y = y[low:high]
        if order.size > 0:
            part_x = chosen(x, order[low:high], batch_x)
            part_y = chosen(y, order[low:high], batch_y)
        value = train_step(params, part_x, part_y, grads, state, hyper, work)
        if not np.isfinite(value):
            return value, low // size + 1
        total += value * (high - low)
    return total, 0
