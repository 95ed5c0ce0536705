"""The network own_morphology in NumPy, as its equations read; it needs NumPy only.

Written from the template numpy/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: 8d8c20a0294958568d3eb9193b7e5916a786b0136fb5ec9d71983827bf5bf531

params, grads and state are contiguous 1-D arrays of type float32; x has one sample a row; work is not used.
y has one number for each sample, integers from 0 to 9.
"""

import numpy as np

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


def workspace(n):
    """Return how many elements of workspace a batch of n samples needs."""
    return 0


def in_range(values, least, most):
    """Whether every value lies in least .. most."""
    return values.size == 0 or (values.min() >= least and values.max() <= most)


def logsumexp(u, axis=None):
    """Return log Σ exp(u) over some axes without overflow."""
    top = np.max(u, axis=axis, keepdims=True)
    top = np.where(np.isinf(top), 0.0, top)
    return np.log(np.sum(np.exp(u - top), axis=axis)) + top.reshape(np.sum(u, axis=axis).shape)


def check(x, y):
    """Return 0, or the number of the first argument with a value out of range; nothing may be computed with it."""
    if not in_range(y, 0, 9):
        return 2
    return 0


def forward(params, x, out, work=None):
    """Write the network's output for a batch into out."""
    n = x.shape[0]
    outline_1_B = params[0:108].reshape(12, 3, 3)
    outline_1_E = params[108:216].reshape(12, 3, 3)
    dense_1_W = params[216:2136].reshape(10, 192)
    dense_1_b = params[2136:2146]
    # outline_1
    # outline_1_grown[n, k, h, w] = max_{u, v} (outline_1_B[k, u, v] + x[n, 0, h + u − 1, v + w − 1]) · [0 ≤ h + u − 1 < 8] [0 ≤ v + w
    #     − 1 < 8]
    outline_1_grown = np.full((n, 12, 8, 8), -np.inf, params.dtype)
    for u in range(3):
        h0, h1 = max(0, 1 - u), min(8, 9 - u)
        for v in range(3):
            w0, w1 = max(0, 1 - v), min(8, 9 - v)
            outline_1_grown[:, :, h0:h1, w0:w1] = (
                np.maximum(outline_1_grown[:, :, h0:h1, w0:w1], outline_1_B[:, u, v][:, None, None] + x[:, 0, h0 + u - 1:h1 + u - 1, w0 + v
                - 1:w1 + v - 1][:, None, :, :])
            )
    # outline_1_shrunk[n, k, h, w] = −max_{u, v} (outline_1_E[k, u, v] − x[n, 0, h + u − 1, v + w − 1]) · [0 ≤ h + u − 1 < 8] [0 ≤ v + w
    #     − 1 < 8]
    window_1 = np.full((n, 12, 8, 8), -np.inf, params.dtype)
    for u in range(3):
        h0, h1 = max(0, 1 - u), min(8, 9 - u)
        for v in range(3):
            w0, w1 = max(0, 1 - v), min(8, 9 - v)
            window_1[:, :, h0:h1, w0:w1] = (
                np.maximum(window_1[:, :, h0:h1, w0:w1], outline_1_E[:, u, v][:, None, None] - x[:, 0, h0 + u - 1:h1 + u - 1, w0 + v - 1:w1
                + v - 1][:, None, :, :])
            )
    outline_1_shrunk = -window_1
    # outline_1_a[n, k, h, w] = outline_1_grown[n, k, h, w] − outline_1_shrunk[n, k, h, w]
    outline_1_a = outline_1_grown - outline_1_shrunk
    # maxpool2d_1
    # maxpool2d_1_a[n, c, p, q] = max_{i, j} outline_1_a[n, c, 2 p + i, 2 q + j]
    maxpool2d_1_a = np.max([outline_1_a[:, :, i::2, j::2] for i in range(2) for j in range(2)], axis=0)
    # flatten_1
    # flatten_1_a[n, k] = maxpool2d_1_a[n, floor(k/16), floor(k/4) mod 4, k mod 4]
    flatten_1_a = maxpool2d_1_a.reshape(n, 192)
    # dense_1
    # out[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] flatten_1_a[n, j]
    out[...] = dense_1_b + flatten_1_a @ dense_1_W.T


def loss(params, x, y, work=None):
    """Return the loss of a batch."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    outline_1_B = params[0:108].reshape(12, 3, 3)
    outline_1_E = params[108:216].reshape(12, 3, 3)
    dense_1_W = params[216:2136].reshape(10, 192)
    dense_1_b = params[2136:2146]
    # outline_1
    # outline_1_grown[n, k, h, w] = max_{u, v} (outline_1_B[k, u, v] + x[n, 0, h + u − 1, v + w − 1]) · [0 ≤ h + u − 1 < 8] [0 ≤ v + w
    #     − 1 < 8]
    outline_1_grown = np.full((n, 12, 8, 8), -np.inf, params.dtype)
    for u in range(3):
        h0, h1 = max(0, 1 - u), min(8, 9 - u)
        for v in range(3):
            w0, w1 = max(0, 1 - v), min(8, 9 - v)
            outline_1_grown[:, :, h0:h1, w0:w1] = (
                np.maximum(outline_1_grown[:, :, h0:h1, w0:w1], outline_1_B[:, u, v][:, None, None] + x[:, 0, h0 + u - 1:h1 + u - 1, w0 + v
                - 1:w1 + v - 1][:, None, :, :])
            )
    # outline_1_shrunk[n, k, h, w] = −max_{u, v} (outline_1_E[k, u, v] − x[n, 0, h + u − 1, v + w − 1]) · [0 ≤ h + u − 1 < 8] [0 ≤ v + w
    #     − 1 < 8]
    window_1 = np.full((n, 12, 8, 8), -np.inf, params.dtype)
    for u in range(3):
        h0, h1 = max(0, 1 - u), min(8, 9 - u)
        for v in range(3):
            w0, w1 = max(0, 1 - v), min(8, 9 - v)
            window_1[:, :, h0:h1, w0:w1] = (
                np.maximum(window_1[:, :, h0:h1, w0:w1], outline_1_E[:, u, v][:, None, None] - x[:, 0, h0 + u - 1:h1 + u - 1, w0 + v - 1:w1
                + v - 1][:, None, :, :])
            )
    outline_1_shrunk = -window_1
    # outline_1_a[n, k, h, w] = outline_1_grown[n, k, h, w] − outline_1_shrunk[n, k, h, w]
    outline_1_a = outline_1_grown - outline_1_shrunk
    # maxpool2d_1
    # maxpool2d_1_a[n, c, p, q] = max_{i, j} outline_1_a[n, c, 2 p + i, 2 q + j]
    maxpool2d_1_a = np.max([outline_1_a[:, :, i::2, j::2] for i in range(2) for j in range(2)], axis=0)
    # flatten_1
    # flatten_1_a[n, k] = maxpool2d_1_a[n, floor(k/16), floor(k/4) mod 4, k mod 4]
    flatten_1_a = maxpool2d_1_a.reshape(n, 192)
    # dense_1
    # dense_1_z[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] flatten_1_a[n, j]
    dense_1_z = dense_1_b + flatten_1_a @ dense_1_W.T
    # loss
    # loss_L[n] = log Σ_i exp(dense_1_z[n, i]) − dense_1_z[n, y[n]]
    loss_L = logsumexp(dense_1_z, axis=-1) - dense_1_z[np.arange(n), y]
    # loss_ = (Σ_n loss_L[n])/N
    loss_ = np.sum(loss_L) / n
    return float(loss_)


def value_and_grad(params, x, y, grads, work=None):
    """Return the loss of a batch and write its gradients into grads."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    outline_1_B = params[0:108].reshape(12, 3, 3)
    outline_1_E = params[108:216].reshape(12, 3, 3)
    dense_1_W = params[216:2136].reshape(10, 192)
    dense_1_b = params[2136:2146]
    grad_dense_1_W = grads[216:2136].reshape(10, 192)
    grad_dense_1_b = grads[2136:2146]
    grad_outline_1_B = grads[0:108].reshape(12, 3, 3)
    grad_outline_1_E = grads[108:216].reshape(12, 3, 3)
    # outline_1
    # outline_1_grown_argmax[n, k, h, w] = (3 u + v at max_{u, v} (outline_1_B[k, u, v] + x[n, 0, h + u − 1, v + w − 1]) · [0 ≤ h + u
    #     − 1 < 8] [0 ≤ v + w − 1 < 8])
    outline_1_grown_argmax = np.zeros((n, 12, 8, 8), int)
    largest = np.full((n, 12, 8, 8), -np.inf, params.dtype)
    for u in range(3):
        h0, h1 = max(0, 1 - u), min(8, 9 - u)
        for v in range(3):
            w0, w1 = max(0, 1 - v), min(8, 9 - v)
            candidate = outline_1_B[:, u, v][:, None, None] + x[:, 0, h0 + u - 1:h1 + u - 1, w0 + v - 1:w1 + v - 1][:, None, :, :]
            better = ~(candidate <= largest[:, :, h0:h1, w0:w1]) & (largest[:, :, h0:h1, w0:w1] == largest[:, :, h0:h1, w0:w1])
            outline_1_grown_argmax[:, :, h0:h1, w0:w1] = np.where(better, 3 * u + v, outline_1_grown_argmax[:, :, h0:h1, w0:w1])
            largest[:, :, h0:h1, w0:w1] = np.where(better, candidate, largest[:, :, h0:h1, w0:w1])
    # outline_1_grown[n, k, h, w] = max_{u, v} (outline_1_B[k, u, v] + x[n, 0, h + u − 1, v + w − 1]) · [0 ≤ h + u − 1 < 8] [0 ≤ v + w
    #     − 1 < 8]
    outline_1_grown = np.full((n, 12, 8, 8), -np.inf, params.dtype)
    for u in range(3):
        h0, h1 = max(0, 1 - u), min(8, 9 - u)
        for v in range(3):
            w0, w1 = max(0, 1 - v), min(8, 9 - v)
            outline_1_grown[:, :, h0:h1, w0:w1] = (
                np.maximum(outline_1_grown[:, :, h0:h1, w0:w1], outline_1_B[:, u, v][:, None, None] + x[:, 0, h0 + u - 1:h1 + u - 1, w0 + v
                - 1:w1 + v - 1][:, None, :, :])
            )
    # outline_1_shrunk_argmax[n, k, h, w] = (3 u + v at max_{u, v} (outline_1_E[k, u, v] − x[n, 0, h + u − 1, v + w − 1]) · [0 ≤ h + u
    #     − 1 < 8] [0 ≤ v + w − 1 < 8])
    outline_1_shrunk_argmax = np.zeros((n, 12, 8, 8), int)
    largest = np.full((n, 12, 8, 8), -np.inf, params.dtype)
    for u in range(3):
        h0, h1 = max(0, 1 - u), min(8, 9 - u)
        for v in range(3):
            w0, w1 = max(0, 1 - v), min(8, 9 - v)
            candidate = outline_1_E[:, u, v][:, None, None] - x[:, 0, h0 + u - 1:h1 + u - 1, w0 + v - 1:w1 + v - 1][:, None, :, :]
            better = ~(candidate <= largest[:, :, h0:h1, w0:w1]) & (largest[:, :, h0:h1, w0:w1] == largest[:, :, h0:h1, w0:w1])
            outline_1_shrunk_argmax[:, :, h0:h1, w0:w1] = np.where(better, 3 * u + v, outline_1_shrunk_argmax[:, :, h0:h1, w0:w1])
            largest[:, :, h0:h1, w0:w1] = np.where(better, candidate, largest[:, :, h0:h1, w0:w1])
    # outline_1_shrunk[n, k, h, w] = −max_{u, v} (outline_1_E[k, u, v] − x[n, 0, h + u − 1, v + w − 1]) · [0 ≤ h + u − 1 < 8] [0 ≤ v + w
    #     − 1 < 8]
    window_1 = np.full((n, 12, 8, 8), -np.inf, params.dtype)
    for u in range(3):
        h0, h1 = max(0, 1 - u), min(8, 9 - u)
        for v in range(3):
            w0, w1 = max(0, 1 - v), min(8, 9 - v)
            window_1[:, :, h0:h1, w0:w1] = (
                np.maximum(window_1[:, :, h0:h1, w0:w1], outline_1_E[:, u, v][:, None, None] - x[:, 0, h0 + u - 1:h1 + u - 1, w0 + v - 1:w1
                + v - 1][:, None, :, :])
            )
    outline_1_shrunk = -window_1
    # outline_1_a[n, k, h, w] = outline_1_grown[n, k, h, w] − outline_1_shrunk[n, k, h, w]
    outline_1_a = outline_1_grown - outline_1_shrunk
    # maxpool2d_1
    # maxpool2d_1_a_argmax[n, c, p, q] = (2 i + j at max_{i, j} outline_1_a[n, c, 2 p + i, 2 q + j])
    maxpool2d_1_a_argmax = np.argmax([outline_1_a[:, :, i::2, j::2] for i in range(2) for j in range(2)], axis=0)
    # maxpool2d_1_a[n, c, p, q] = max_{i, j} outline_1_a[n, c, 2 p + i, 2 q + j]
    maxpool2d_1_a = np.max([outline_1_a[:, :, i::2, j::2] for i in range(2) for j in range(2)], axis=0)
    # flatten_1
    # flatten_1_a[n, k] = maxpool2d_1_a[n, floor(k/16), floor(k/4) mod 4, k mod 4]
    flatten_1_a = maxpool2d_1_a.reshape(n, 192)
    # dense_1
    # dense_1_z[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] flatten_1_a[n, j]
    dense_1_z = dense_1_b + flatten_1_a @ dense_1_W.T
    # loss
    # loss_p[n, i] = exp(dense_1_z[n, i] − log Σ_j exp(dense_1_z[n, j]))
    loss_p = np.exp(dense_1_z - logsumexp(dense_1_z, axis=-1)[:, None])
    # loss_L[n] = log Σ_i exp(dense_1_z[n, i]) − dense_1_z[n, y[n]]
    loss_L = logsumexp(dense_1_z, axis=-1) - dense_1_z[np.arange(n), y]
    # loss_ = (Σ_n loss_L[n])/N
    loss_ = np.sum(loss_L) / n
    # dense_1
    # delta_dense_1[n, i] = (loss_p[n, i] − [i = y[n]])/N
    delta_dense_1 = (loss_p - np.where(np.arange(10) == y[:, None], 1.0, 0.0)) / n
    # grad_dense_1_W[i, j] = Σ_n delta_dense_1[n, i] flatten_1_a[n, j]
    grad_dense_1_W[...] = delta_dense_1.T @ flatten_1_a
    # grad_dense_1_b[i] = Σ_n delta_dense_1[n, i]
    grad_dense_1_b[...] = np.sum(delta_dense_1, axis=0)
    # flatten_1
    # grad_flatten_1_a[n, j] = Σ_i dense_1_W[i, j] delta_dense_1[n, i]
    grad_flatten_1_a = delta_dense_1 @ dense_1_W
    # outline_1
    # grad_outline_1_a[n, c, h, w] = grad_flatten_1_a[n, 4 floor(h/2) + 16 c + floor(w/2)] [2 · (h mod 2) + (w mod 2)
    #     = maxpool2d_1_a_argmax[n, c, floor(h/2), floor(w/2)]]
    grad_outline_1_a = np.zeros((n, 12, 8, 8), params.dtype)
    for i in range(2):
        for j in range(2):
            grad_outline_1_a[:, :, i::2, j::2] = np.where((2 * i + j) == maxpool2d_1_a_argmax, grad_flatten_1_a.reshape(n, 12, 4, 4), 0.0)
    # grad_outline_1_B[k, u, v] = Σ_{n, h, w} grad_outline_1_a[n, k, h, w] [0 ≤ h + u − 1 < 8] [0 ≤ v + w − 1 < 8] [3 u + v
    #     = outline_1_grown_argmax[n, k, h, w]]
    grad_outline_1_B[...] = 0.0
    for u in range(3):
        h0, h1 = max(0, 1 - u), min(8, 9 - u)
        for v in range(3):
            w0, w1 = max(0, 1 - v), min(8, 9 - v)
            grad_outline_1_B[:, u, v] = (
                np.sum(np.where((3 * u + v) == outline_1_grown_argmax[:, :, h0:h1, w0:w1].transpose(1, 0, 2, 3), grad_outline_1_a[:, :,
                h0:h1, w0:w1].transpose(1, 0, 2, 3), 0.0), axis=(-3, -2, -1))
            )
    # grad_outline_1_E[k, u, v] = Σ_{n, h, w} grad_outline_1_a[n, k, h, w] [0 ≤ h + u − 1 < 8] [0 ≤ v + w − 1 < 8] [3 u + v
    #     = outline_1_shrunk_argmax[n, k, h, w]]
    grad_outline_1_E[...] = 0.0
    for u in range(3):
        h0, h1 = max(0, 1 - u), min(8, 9 - u)
        for v in range(3):
            w0, w1 = max(0, 1 - v), min(8, 9 - v)
            grad_outline_1_E[:, u, v] = (
                np.sum(np.where((3 * u + v) == outline_1_shrunk_argmax[:, :, h0:h1, w0:w1].transpose(1, 0, 2, 3), grad_outline_1_a[:, :,
                h0:h1, w0:w1].transpose(1, 0, 2, 3), 0.0), axis=(-3, -2, -1))
            )
    return float(loss_)


def input_gradients(params, x, y, grads_x, work=None):
    """Return the loss of a batch and write its gradient with respect to the inputs."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    outline_1_B = params[0:108].reshape(12, 3, 3)
    outline_1_E = params[108:216].reshape(12, 3, 3)
    dense_1_W = params[216:2136].reshape(10, 192)
    dense_1_b = params[2136:2146]
    # outline_1
    # outline_1_grown_argmax[n, k, h, w] = (3 u + v at max_{u, v} (outline_1_B[k, u, v] + x[n, 0, h + u − 1, v + w − 1]) · [0 ≤ h + u
    #     − 1 < 8] [0 ≤ v + w − 1 < 8])
    outline_1_grown_argmax = np.zeros((n, 12, 8, 8), int)
    largest = np.full((n, 12, 8, 8), -np.inf, params.dtype)
    for u in range(3):
        h0, h1 = max(0, 1 - u), min(8, 9 - u)
        for v in range(3):
            w0, w1 = max(0, 1 - v), min(8, 9 - v)
            candidate = outline_1_B[:, u, v][:, None, None] + x[:, 0, h0 + u - 1:h1 + u - 1, w0 + v - 1:w1 + v - 1][:, None, :, :]
            better = ~(candidate <= largest[:, :, h0:h1, w0:w1]) & (largest[:, :, h0:h1, w0:w1] == largest[:, :, h0:h1, w0:w1])
            outline_1_grown_argmax[:, :, h0:h1, w0:w1] = np.where(better, 3 * u + v, outline_1_grown_argmax[:, :, h0:h1, w0:w1])
            largest[:, :, h0:h1, w0:w1] = np.where(better, candidate, largest[:, :, h0:h1, w0:w1])
    # outline_1_grown[n, k, h, w] = max_{u, v} (outline_1_B[k, u, v] + x[n, 0, h + u − 1, v + w − 1]) · [0 ≤ h + u − 1 < 8] [0 ≤ v + w
    #     − 1 < 8]
    outline_1_grown = np.full((n, 12, 8, 8), -np.inf, params.dtype)
    for u in range(3):
        h0, h1 = max(0, 1 - u), min(8, 9 - u)
        for v in range(3):
            w0, w1 = max(0, 1 - v), min(8, 9 - v)
            outline_1_grown[:, :, h0:h1, w0:w1] = (
                np.maximum(outline_1_grown[:, :, h0:h1, w0:w1], outline_1_B[:, u, v][:, None, None] + x[:, 0, h0 + u - 1:h1 + u - 1, w0 + v
                - 1:w1 + v - 1][:, None, :, :])
            )
    # outline_1_shrunk_argmax[n, k, h, w] = (3 u + v at max_{u, v} (outline_1_E[k, u, v] − x[n, 0, h + u − 1, v + w − 1]) · [0 ≤ h + u
    #     − 1 < 8] [0 ≤ v + w − 1 < 8])
    outline_1_shrunk_argmax = np.zeros((n, 12, 8, 8), int)
    largest = np.full((n, 12, 8, 8), -np.inf, params.dtype)
    for u in range(3):
        h0, h1 = max(0, 1 - u), min(8, 9 - u)
        for v in range(3):
            w0, w1 = max(0, 1 - v), min(8, 9 - v)
            candidate = outline_1_E[:, u, v][:, None, None] - x[:, 0, h0 + u - 1:h1 + u - 1, w0 + v - 1:w1 + v - 1][:, None, :, :]
            better = ~(candidate <= largest[:, :, h0:h1, w0:w1]) & (largest[:, :, h0:h1, w0:w1] == largest[:, :, h0:h1, w0:w1])
            outline_1_shrunk_argmax[:, :, h0:h1, w0:w1] = np.where(better, 3 * u + v, outline_1_shrunk_argmax[:, :, h0:h1, w0:w1])
            largest[:, :, h0:h1, w0:w1] = np.where(better, candidate, largest[:, :, h0:h1, w0:w1])
    # outline_1_shrunk[n, k, h, w] = −max_{u, v} (outline_1_E[k, u, v] − x[n, 0, h + u − 1, v + w − 1]) · [0 ≤ h + u − 1 < 8] [0 ≤ v + w
    #     − 1 < 8]
    window_1 = np.full((n, 12, 8, 8), -np.inf, params.dtype)
    for u in range(3):
        h0, h1 = max(0, 1 - u), min(8, 9 - u)
        for v in range(3):
            w0, w1 = max(0, 1 - v), min(8, 9 - v)
            window_1[:, :, h0:h1, w0:w1] = (
                np.maximum(window_1[:, :, h0:h1, w0:w1], outline_1_E[:, u, v][:, None, None] - x[:, 0, h0 + u - 1:h1 + u - 1, w0 + v - 1:w1
                + v - 1][:, None, :, :])
            )
    outline_1_shrunk = -window_1
    # outline_1_a[n, k, h, w] = outline_1_grown[n, k, h, w] − outline_1_shrunk[n, k, h, w]
    outline_1_a = outline_1_grown - outline_1_shrunk
    # maxpool2d_1
    # maxpool2d_1_a_argmax[n, c, p, q] = (2 i + j at max_{i, j} outline_1_a[n, c, 2 p + i, 2 q + j])
    maxpool2d_1_a_argmax = np.argmax([outline_1_a[:, :, i::2, j::2] for i in range(2) for j in range(2)], axis=0)
    # maxpool2d_1_a[n, c, p, q] = max_{i, j} outline_1_a[n, c, 2 p + i, 2 q + j]
    maxpool2d_1_a = np.max([outline_1_a[:, :, i::2, j::2] for i in range(2) for j in range(2)], axis=0)
    # flatten_1
    # flatten_1_a[n, k] = maxpool2d_1_a[n, floor(k/16), floor(k/4) mod 4, k mod 4]
    flatten_1_a = maxpool2d_1_a.reshape(n, 192)
    # dense_1
    # dense_1_z[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] flatten_1_a[n, j]
    dense_1_z = dense_1_b + flatten_1_a @ dense_1_W.T
    # loss
    # loss_p[n, i] = exp(dense_1_z[n, i] − log Σ_j exp(dense_1_z[n, j]))
    loss_p = np.exp(dense_1_z - logsumexp(dense_1_z, axis=-1)[:, None])
    # loss_L[n] = log Σ_i exp(dense_1_z[n, i]) − dense_1_z[n, y[n]]
    loss_L = logsumexp(dense_1_z, axis=-1) - dense_1_z[np.arange(n), y]
    # loss_ = (Σ_n loss_L[n])/N
    loss_ = np.sum(loss_L) / n
    # dense_1
    # delta_dense_1[n, i] = (loss_p[n, i] − [i = y[n]])/N
    delta_dense_1 = (loss_p - np.where(np.arange(10) == y[:, None], 1.0, 0.0)) / n
    # flatten_1
    # grad_flatten_1_a[n, j] = Σ_i dense_1_W[i, j] delta_dense_1[n, i]
    grad_flatten_1_a = delta_dense_1 @ dense_1_W
    # outline_1
    # grad_outline_1_a[n, c, h, w] = grad_flatten_1_a[n, 4 floor(h/2) + 16 c + floor(w/2)] [2 · (h mod 2) + (w mod 2)
    #     = maxpool2d_1_a_argmax[n, c, floor(h/2), floor(w/2)]]
    grad_outline_1_a = np.zeros((n, 12, 8, 8), params.dtype)
    for i in range(2):
        for j in range(2):
            grad_outline_1_a[:, :, i::2, j::2] = np.where((2 * i + j) == maxpool2d_1_a_argmax, grad_flatten_1_a.reshape(n, 12, 4, 4), 0.0)
    # x
    # grads_x[n, c, h, w] = (Σ_{k, i, j} grad_outline_1_a[n, k, 1 + h − i, 1 + w − j] [0 ≤ 1 + h − i < 8] [0 ≤ 1 + w − j < 8] [3 i + j
    #     = outline_1_grown_argmax[n, k, 1 + h − i, 1 + w − j]] − Σ_{k, i, j} grad_outline_1_a[n, k, 1 + h − i, 1 + w − j] [0 ≤ 1 + h − i
    #     < 8] [0 ≤ 1 + w − j < 8] [3 i + j = outline_1_shrunk_argmax[n, k, 1 + h − i, 1 + w − j]]) · [c = 0]
    window_1 = np.zeros((n, 8, 8), params.dtype)
    for i in range(3):
        h0, h1 = max(0, i - 1), min(8, i + 7)
        for j in range(3):
            w0, w1 = max(0, j - 1), min(8, j + 7)
            window_1[:, h0:h1, w0:w1] += (
                np.sum(np.where((3 * i + j) == outline_1_grown_argmax[:, :, h0 + 1 - i:h1 + 1 - i, w0 + 1 - j:w1 + 1 - j].transpose(0, 2, 3,
                1), grad_outline_1_a[:, :, h0 + 1 - i:h1 + 1 - i, w0 + 1 - j:w1 + 1 - j].transpose(0, 2, 3, 1), 0.0), axis=-1)
            )
    window_2 = np.zeros((n, 8, 8), params.dtype)
    for i in range(3):
        h0, h1 = max(0, i - 1), min(8, i + 7)
        for j in range(3):
            w0, w1 = max(0, j - 1), min(8, j + 7)
            window_2[:, h0:h1, w0:w1] += (
                np.sum(np.where((3 * i + j) == outline_1_shrunk_argmax[:, :, h0 + 1 - i:h1 + 1 - i, w0 + 1 - j:w1 + 1 - j].transpose(0, 2,
                3, 1), grad_outline_1_a[:, :, h0 + 1 - i:h1 + 1 - i, w0 + 1 - j:w1 + 1 - j].transpose(0, 2, 3, 1), 0.0), axis=-1)
            )
    grads_x[...] = np.where(np.arange(1)[:, None, None] == 0.0, (window_1 - window_2)[:, None, :, :], 0.0)
    return float(loss_)


def update(params, grads, state, hyper):
    """Do one step of the optimizer with given gradients."""
    P = params.size
    lr = float(hyper[0])
    beta1 = float(hyper[1])
    beta2 = float(hyper[2])
    eps = float(hyper[3])
    m = state[0:P]
    v = state[P:2 * P]
    t = float(state[2 * P])
    # t_next = 1 + t
    t_next = t + 1.0
    # m_next[p] = (1 − beta1) · g[p] + beta1 m[p]
    m_next = (1.0 - beta1) * grads + beta1 * m
    # v_next[p] = g[p]² · (1 − beta2) + beta2 v[p]
    v_next = (1.0 - beta2) * grads**2 + beta2 * v
    # c_1 = 1 − beta1^t_next
    c_1 = 1.0 - beta1**t_next
    # c_2 = 1 − beta2^t_next
    c_2 = 1.0 - beta2**t_next
    # w_next[p] = w[p] − lr m_next[p]/((√(v_next[p]/c_2) + eps) · c_1)
    w_next = params - lr * m_next / ((np.sqrt(v_next / c_2) + eps) * c_1)
    params[...] = w_next
    m[...] = m_next
    v[...] = v_next
    state[2 * P] = t_next


def train_step(params, x, y, grads, state, hyper, work=None):
    """Return the loss and do one step of the optimizer; a loss that is not finite changes nothing."""
    value = value_and_grad(params, x, y, grads, work)
    if np.isfinite(value):
        update(params, grads, state, hyper)
    return value
