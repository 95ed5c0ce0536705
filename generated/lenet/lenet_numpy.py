"""The network lenet in NumPy, as its equations read; it needs NumPy only.

Written from the template numpy/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: c5c5e582ebf7a41dc4011e6adf2f2e5c24e9729781ec429f2c9100bed49e5c62

params, grads and state are contiguous 1-D arrays of type float32; x has one sample a row; work is not used.
"""

import numpy as np

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
    conv2d_1_W = params[0:54].reshape(6, 1, 3, 3)
    conv2d_1_b = params[54:60]
    conv2d_2_W = params[60:708].reshape(12, 6, 3, 3)
    conv2d_2_b = params[708:720]
    dense_1_W = params[720:1200].reshape(10, 48)
    dense_1_b = params[1200:1210]
    # conv2d_1
    # conv2d_1_z[n, k, p, q] = conv2d_1_b[k] + Σ_{c, u, v} conv2d_1_W[k, c, u, v] x[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤
    #     q + v − 1 < 8]
    conv2d_1_z = (
        conv2d_1_b[:, None, None] + np.sum(np.where(((-1 + np.arange(8)[:, None] + np.arange(3))[:, None, None, :] >= 0) & ((-1
        + np.arange(8)[:, None] + np.arange(3))[:, None, None, :] < 8), np.where(((-1 + np.arange(8)[:, None] + np.arange(3))[:, None, None,
        :, None] >= 0) & ((-1 + np.arange(8)[:, None] + np.arange(3))[:, None, None, :, None] < 8), conv2d_1_W[:, None, None, :, :, :]
        * x[np.arange(n)[:, None, None, None, None, None], np.arange(1)[:, None, None], np.clip(-1 + np.arange(8)[:, None] + np.arange(3),
        0, 8 - 1)[:, None, None, :, None], np.clip(-1 + np.arange(8)[:, None] + np.arange(3), 0, 8 - 1)[:, None, None, :]][:, None, :, :, :,
        :, :], 0.0), 0.0), axis=(-3, -2, -1))
    )
    # conv2d_1_a[n, k, p, q] = conv2d_1_z[n, k, p, q] [conv2d_1_z[n, k, p, q] > 0]
    conv2d_1_a = np.where(conv2d_1_z <= 0.0, 0.0, conv2d_1_z)
    # maxpool2d_1
    # maxpool2d_1_a[n, c, p, q] = max_{i, j} conv2d_1_a[n, c, 2 p + i, 2 q + j]
    maxpool2d_1_a = (
        np.max(conv2d_1_a[np.arange(n)[:, None, None, None, None, None], np.arange(6)[:, None, None, None, None], ((2 * np.arange(4))[:,
        None] + np.arange(2))[:, None, :, None], ((2 * np.arange(4))[:, None] + np.arange(2))[:, None, :]], axis=(-2, -1))
    )
    # conv2d_2
    # conv2d_2_z[n, k, p, q] = conv2d_2_b[k] + Σ_{c, u, v} conv2d_2_W[k, c, u, v] maxpool2d_1_a[n, c, p + u − 1, q + v − 1] [0 ≤ p + u
    #     − 1 < 4] [0 ≤ q + v − 1 < 4]
    conv2d_2_z = (
        conv2d_2_b[:, None, None] + np.sum(np.where(((-1 + np.arange(4)[:, None] + np.arange(3))[:, None, None, :] >= 0) & ((-1
        + np.arange(4)[:, None] + np.arange(3))[:, None, None, :] < 4), np.where(((-1 + np.arange(4)[:, None] + np.arange(3))[:, None, None,
        :, None] >= 0) & ((-1 + np.arange(4)[:, None] + np.arange(3))[:, None, None, :, None] < 4), conv2d_2_W[:, None, None, :, :, :]
        * maxpool2d_1_a[np.arange(n)[:, None, None, None, None, None], np.arange(6)[:, None, None], np.clip(-1 + np.arange(4)[:, None]
        + np.arange(3), 0, 4 - 1)[:, None, None, :, None], np.clip(-1 + np.arange(4)[:, None] + np.arange(3), 0, 4 - 1)[:, None, None,
        :]][:, None, :, :, :, :, :], 0.0), 0.0), axis=(-3, -2, -1))
    )
    # conv2d_2_a[n, k, p, q] = conv2d_2_z[n, k, p, q] [conv2d_2_z[n, k, p, q] > 0]
    conv2d_2_a = np.where(conv2d_2_z <= 0.0, 0.0, conv2d_2_z)
    # maxpool2d_2
    # maxpool2d_2_a[n, c, p, q] = max_{i, j} conv2d_2_a[n, c, 2 p + i, 2 q + j]
    maxpool2d_2_a = (
        np.max(conv2d_2_a[np.arange(n)[:, None, None, None, None, None], np.arange(12)[:, None, None, None, None], ((2 * np.arange(2))[:,
        None] + np.arange(2))[:, None, :, None], ((2 * np.arange(2))[:, None] + np.arange(2))[:, None, :]], axis=(-2, -1))
    )
    # flatten_1
    # flatten_1_a[n, k] = maxpool2d_2_a[n, floor(k/4), floor(k/2) mod 2, k mod 2]
    flatten_1_a = maxpool2d_2_a[np.arange(n)[:, None], np.arange(48) // 4, (np.arange(48) // 2) % 2, np.arange(48) % 2]
    # dense_1
    # out[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] flatten_1_a[n, j]
    out[...] = dense_1_b + flatten_1_a @ dense_1_W.T


def loss(params, x, y, work=None):
    """Return the loss of a batch."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    conv2d_1_W = params[0:54].reshape(6, 1, 3, 3)
    conv2d_1_b = params[54:60]
    conv2d_2_W = params[60:708].reshape(12, 6, 3, 3)
    conv2d_2_b = params[708:720]
    dense_1_W = params[720:1200].reshape(10, 48)
    dense_1_b = params[1200:1210]
    # conv2d_1
    # conv2d_1_z[n, k, p, q] = conv2d_1_b[k] + Σ_{c, u, v} conv2d_1_W[k, c, u, v] x[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤
    #     q + v − 1 < 8]
    conv2d_1_z = (
        conv2d_1_b[:, None, None] + np.sum(np.where(((-1 + np.arange(8)[:, None] + np.arange(3))[:, None, None, :] >= 0) & ((-1
        + np.arange(8)[:, None] + np.arange(3))[:, None, None, :] < 8), np.where(((-1 + np.arange(8)[:, None] + np.arange(3))[:, None, None,
        :, None] >= 0) & ((-1 + np.arange(8)[:, None] + np.arange(3))[:, None, None, :, None] < 8), conv2d_1_W[:, None, None, :, :, :]
        * x[np.arange(n)[:, None, None, None, None, None], np.arange(1)[:, None, None], np.clip(-1 + np.arange(8)[:, None] + np.arange(3),
        0, 8 - 1)[:, None, None, :, None], np.clip(-1 + np.arange(8)[:, None] + np.arange(3), 0, 8 - 1)[:, None, None, :]][:, None, :, :, :,
        :, :], 0.0), 0.0), axis=(-3, -2, -1))
    )
    # conv2d_1_a[n, k, p, q] = conv2d_1_z[n, k, p, q] [conv2d_1_z[n, k, p, q] > 0]
    conv2d_1_a = np.where(conv2d_1_z <= 0.0, 0.0, conv2d_1_z)
    # maxpool2d_1
    # maxpool2d_1_a[n, c, p, q] = max_{i, j} conv2d_1_a[n, c, 2 p + i, 2 q + j]
    maxpool2d_1_a = (
        np.max(conv2d_1_a[np.arange(n)[:, None, None, None, None, None], np.arange(6)[:, None, None, None, None], ((2 * np.arange(4))[:,
        None] + np.arange(2))[:, None, :, None], ((2 * np.arange(4))[:, None] + np.arange(2))[:, None, :]], axis=(-2, -1))
    )
    # conv2d_2
    # conv2d_2_z[n, k, p, q] = conv2d_2_b[k] + Σ_{c, u, v} conv2d_2_W[k, c, u, v] maxpool2d_1_a[n, c, p + u − 1, q + v − 1] [0 ≤ p + u
    #     − 1 < 4] [0 ≤ q + v − 1 < 4]
    conv2d_2_z = (
        conv2d_2_b[:, None, None] + np.sum(np.where(((-1 + np.arange(4)[:, None] + np.arange(3))[:, None, None, :] >= 0) & ((-1
        + np.arange(4)[:, None] + np.arange(3))[:, None, None, :] < 4), np.where(((-1 + np.arange(4)[:, None] + np.arange(3))[:, None, None,
        :, None] >= 0) & ((-1 + np.arange(4)[:, None] + np.arange(3))[:, None, None, :, None] < 4), conv2d_2_W[:, None, None, :, :, :]
        * maxpool2d_1_a[np.arange(n)[:, None, None, None, None, None], np.arange(6)[:, None, None], np.clip(-1 + np.arange(4)[:, None]
        + np.arange(3), 0, 4 - 1)[:, None, None, :, None], np.clip(-1 + np.arange(4)[:, None] + np.arange(3), 0, 4 - 1)[:, None, None,
        :]][:, None, :, :, :, :, :], 0.0), 0.0), axis=(-3, -2, -1))
    )
    # conv2d_2_a[n, k, p, q] = conv2d_2_z[n, k, p, q] [conv2d_2_z[n, k, p, q] > 0]
    conv2d_2_a = np.where(conv2d_2_z <= 0.0, 0.0, conv2d_2_z)
    # maxpool2d_2
    # maxpool2d_2_a[n, c, p, q] = max_{i, j} conv2d_2_a[n, c, 2 p + i, 2 q + j]
    maxpool2d_2_a = (
        np.max(conv2d_2_a[np.arange(n)[:, None, None, None, None, None], np.arange(12)[:, None, None, None, None], ((2 * np.arange(2))[:,
        None] + np.arange(2))[:, None, :, None], ((2 * np.arange(2))[:, None] + np.arange(2))[:, None, :]], axis=(-2, -1))
    )
    # flatten_1
    # flatten_1_a[n, k] = maxpool2d_2_a[n, floor(k/4), floor(k/2) mod 2, k mod 2]
    flatten_1_a = maxpool2d_2_a[np.arange(n)[:, None], np.arange(48) // 4, (np.arange(48) // 2) % 2, np.arange(48) % 2]
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
    conv2d_1_W = params[0:54].reshape(6, 1, 3, 3)
    conv2d_1_b = params[54:60]
    conv2d_2_W = params[60:708].reshape(12, 6, 3, 3)
    conv2d_2_b = params[708:720]
    dense_1_W = params[720:1200].reshape(10, 48)
    dense_1_b = params[1200:1210]
    grad_dense_1_W = grads[720:1200].reshape(10, 48)
    grad_dense_1_b = grads[1200:1210]
    grad_conv2d_2_W = grads[60:708].reshape(12, 6, 3, 3)
    grad_conv2d_2_b = grads[708:720]
    grad_conv2d_1_W = grads[0:54].reshape(6, 1, 3, 3)
    grad_conv2d_1_b = grads[54:60]
    # conv2d_1
    # conv2d_1_z[n, k, p, q] = conv2d_1_b[k] + Σ_{c, u, v} conv2d_1_W[k, c, u, v] x[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤
    #     q + v − 1 < 8]
    conv2d_1_z = (
        conv2d_1_b[:, None, None] + np.sum(np.where(((-1 + np.arange(8)[:, None] + np.arange(3))[:, None, None, :] >= 0) & ((-1
        + np.arange(8)[:, None] + np.arange(3))[:, None, None, :] < 8), np.where(((-1 + np.arange(8)[:, None] + np.arange(3))[:, None, None,
        :, None] >= 0) & ((-1 + np.arange(8)[:, None] + np.arange(3))[:, None, None, :, None] < 8), conv2d_1_W[:, None, None, :, :, :]
        * x[np.arange(n)[:, None, None, None, None, None], np.arange(1)[:, None, None], np.clip(-1 + np.arange(8)[:, None] + np.arange(3),
        0, 8 - 1)[:, None, None, :, None], np.clip(-1 + np.arange(8)[:, None] + np.arange(3), 0, 8 - 1)[:, None, None, :]][:, None, :, :, :,
        :, :], 0.0), 0.0), axis=(-3, -2, -1))
    )
    # conv2d_1_a[n, k, p, q] = conv2d_1_z[n, k, p, q] [conv2d_1_z[n, k, p, q] > 0]
    conv2d_1_a = np.where(conv2d_1_z <= 0.0, 0.0, conv2d_1_z)
    # maxpool2d_1
    # maxpool2d_1_a_argmax[n, c, p, q] = (2 i + j at max_{i, j} conv2d_1_a[n, c, 2 p + i, 2 q + j])
    maxpool2d_1_a_argmax = (
        np.argmax(conv2d_1_a[np.arange(n)[:, None, None, None, None, None], np.arange(6)[:, None, None, None, None], np.clip((2
        * np.arange(4))[:, None] + np.arange(2), 0, 8 - 1)[:, None, :, None], np.clip((2 * np.arange(4))[:, None] + np.arange(2), 0, 8
        - 1)[:, None, :]].reshape(*conv2d_1_a[np.arange(n)[:, None, None, None, None, None], np.arange(6)[:, None, None, None, None],
        np.clip((2 * np.arange(4))[:, None] + np.arange(2), 0, 8 - 1)[:, None, :, None], np.clip((2 * np.arange(4))[:, None] + np.arange(2),
        0, 8 - 1)[:, None, :]].shape[:-2], -1), axis=-1)
    )
    # maxpool2d_1_a[n, c, p, q] = max_{i, j} conv2d_1_a[n, c, 2 p + i, 2 q + j]
    maxpool2d_1_a = (
        np.max(conv2d_1_a[np.arange(n)[:, None, None, None, None, None], np.arange(6)[:, None, None, None, None], ((2 * np.arange(4))[:,
        None] + np.arange(2))[:, None, :, None], ((2 * np.arange(4))[:, None] + np.arange(2))[:, None, :]], axis=(-2, -1))
    )
    # conv2d_2
    # conv2d_2_z[n, k, p, q] = conv2d_2_b[k] + Σ_{c, u, v} conv2d_2_W[k, c, u, v] maxpool2d_1_a[n, c, p + u − 1, q + v − 1] [0 ≤ p + u
    #     − 1 < 4] [0 ≤ q + v − 1 < 4]
    conv2d_2_z = (
        conv2d_2_b[:, None, None] + np.sum(np.where(((-1 + np.arange(4)[:, None] + np.arange(3))[:, None, None, :] >= 0) & ((-1
        + np.arange(4)[:, None] + np.arange(3))[:, None, None, :] < 4), np.where(((-1 + np.arange(4)[:, None] + np.arange(3))[:, None, None,
        :, None] >= 0) & ((-1 + np.arange(4)[:, None] + np.arange(3))[:, None, None, :, None] < 4), conv2d_2_W[:, None, None, :, :, :]
        * maxpool2d_1_a[np.arange(n)[:, None, None, None, None, None], np.arange(6)[:, None, None], np.clip(-1 + np.arange(4)[:, None]
        + np.arange(3), 0, 4 - 1)[:, None, None, :, None], np.clip(-1 + np.arange(4)[:, None] + np.arange(3), 0, 4 - 1)[:, None, None,
        :]][:, None, :, :, :, :, :], 0.0), 0.0), axis=(-3, -2, -1))
    )
    # conv2d_2_a[n, k, p, q] = conv2d_2_z[n, k, p, q] [conv2d_2_z[n, k, p, q] > 0]
    conv2d_2_a = np.where(conv2d_2_z <= 0.0, 0.0, conv2d_2_z)
    # maxpool2d_2
    # maxpool2d_2_a_argmax[n, c, p, q] = (2 i + j at max_{i, j} conv2d_2_a[n, c, 2 p + i, 2 q + j])
    maxpool2d_2_a_argmax = (
        np.argmax(conv2d_2_a[np.arange(n)[:, None, None, None, None, None], np.arange(12)[:, None, None, None, None], np.clip((2
        * np.arange(2))[:, None] + np.arange(2), 0, 4 - 1)[:, None, :, None], np.clip((2 * np.arange(2))[:, None] + np.arange(2), 0, 4
        - 1)[:, None, :]].reshape(*conv2d_2_a[np.arange(n)[:, None, None, None, None, None], np.arange(12)[:, None, None, None, None],
        np.clip((2 * np.arange(2))[:, None] + np.arange(2), 0, 4 - 1)[:, None, :, None], np.clip((2 * np.arange(2))[:, None] + np.arange(2),
        0, 4 - 1)[:, None, :]].shape[:-2], -1), axis=-1)
    )
    # maxpool2d_2_a[n, c, p, q] = max_{i, j} conv2d_2_a[n, c, 2 p + i, 2 q + j]
    maxpool2d_2_a = (
        np.max(conv2d_2_a[np.arange(n)[:, None, None, None, None, None], np.arange(12)[:, None, None, None, None], ((2 * np.arange(2))[:,
        None] + np.arange(2))[:, None, :, None], ((2 * np.arange(2))[:, None] + np.arange(2))[:, None, :]], axis=(-2, -1))
    )
    # flatten_1
    # flatten_1_a[n, k] = maxpool2d_2_a[n, floor(k/4), floor(k/2) mod 2, k mod 2]
    flatten_1_a = maxpool2d_2_a[np.arange(n)[:, None], np.arange(48) // 4, (np.arange(48) // 2) % 2, np.arange(48) % 2]
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
    # conv2d_2
    # delta_conv2d_2[n, k, p, q] = grad_flatten_1_a[n, 2 floor(p/2) + 4 k + floor(q/2)] [2 · (p mod 2) + (q mod 2)
    #     = maxpool2d_2_a_argmax[n, k, floor(p/2), floor(q/2)]] [conv2d_2_a[n, k, p, q] > 0]
    delta_conv2d_2 = (
        np.where(conv2d_2_a <= 0.0, 0.0, np.where(((2 * (np.arange(4) % 2))[:, None] + np.arange(4) % 2)
        == maxpool2d_2_a_argmax[np.arange(n)[:, None, None, None], np.arange(12)[:, None, None], np.clip(np.arange(4) // 2, 0, 2 - 1)[:,
        None], np.clip(np.arange(4) // 2, 0, 2 - 1)], grad_flatten_1_a[np.arange(n)[:, None, None, None], np.clip((2 * (np.arange(4) //
        2))[:, None] + (4 * np.arange(12))[:, None, None] + np.arange(4) // 2, 0, 48 - 1)], 0.0))
    )
    # grad_conv2d_2_W[k, c, u, v] = Σ_{n, p, q} delta_conv2d_2[n, k, p, q] maxpool2d_1_a[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 4]
    #     [0 ≤ q + v − 1 < 4]
    grad_conv2d_2_W[...] = (
        np.sum(np.where(((-1 + np.arange(4) + np.arange(3)[:, None])[:, None, None, :] >= 0) & ((-1 + np.arange(4) + np.arange(3)[:,
        None])[:, None, None, :] < 4), np.where(((-1 + np.arange(4) + np.arange(3)[:, None])[:, None, None, :, None] >= 0) & ((-1
        + np.arange(4) + np.arange(3)[:, None])[:, None, None, :, None] < 4), delta_conv2d_2.transpose(1, 0, 2, 3)[:, None, None, None, :,
        :, :] * maxpool2d_1_a[np.arange(n)[:, None, None], np.arange(6)[:, None, None, None, None, None], np.clip(-1 + np.arange(4)
        + np.arange(3)[:, None], 0, 4 - 1)[:, None, None, :, None], np.clip(-1 + np.arange(4) + np.arange(3)[:, None], 0, 4 - 1)[:, None,
        None, :]], 0.0), 0.0), axis=(-3, -2, -1))
    )
    # grad_conv2d_2_b[k] = Σ_{n, p, q} delta_conv2d_2[n, k, p, q]
    grad_conv2d_2_b[...] = np.sum(delta_conv2d_2.transpose(1, 0, 2, 3), axis=(-3, -2, -1))
    # maxpool2d_1
    # grad_maxpool2d_1_a[n, c, h, w] = Σ_{k, u, v} conv2d_2_W[k, c, u, v] delta_conv2d_2[n, k, 1 + h − u, 1 + w − v] [0 ≤ 1 + h − u < 4]
    #     [0 ≤ 1 + w − v < 4]
    grad_maxpool2d_1_a = (
        np.sum(np.where(((1 - 1 * np.arange(3) + np.arange(4)[:, None])[:, None, None, :] >= 0) & ((1 - 1 * np.arange(3) + np.arange(4)[:,
        None])[:, None, None, :] < 4), np.where(((1 - 1 * np.arange(3) + np.arange(4)[:, None])[:, None, None, :, None] >= 0) & ((1 - 1
        * np.arange(3) + np.arange(4)[:, None])[:, None, None, :, None] < 4), conv2d_2_W.transpose(1, 0, 2, 3)[:, None, None, :, :, :]
        * delta_conv2d_2[np.arange(n)[:, None, None, None, None, None], np.arange(12)[:, None, None], np.clip(1 - 1 * np.arange(3)
        + np.arange(4)[:, None], 0, 4 - 1)[:, None, None, :, None], np.clip(1 - 1 * np.arange(3) + np.arange(4)[:, None], 0, 4 - 1)[:, None,
        None, :]][:, None, :, :, :, :, :], 0.0), 0.0), axis=(-3, -2, -1))
    )
    # conv2d_1
    # delta_conv2d_1[n, k, p, q] = grad_maxpool2d_1_a[n, k, floor(p/2), floor(q/2)] [2 · (p mod 2) + (q mod 2) = maxpool2d_1_a_argmax[n,
    #     k, floor(p/2), floor(q/2)]] [conv2d_1_a[n, k, p, q] > 0]
    delta_conv2d_1 = (
        np.where(conv2d_1_a <= 0.0, 0.0, np.where(((2 * (np.arange(8) % 2))[:, None] + np.arange(8) % 2)
        == maxpool2d_1_a_argmax[np.arange(n)[:, None, None, None], np.arange(6)[:, None, None], np.clip(np.arange(8) // 2, 0, 4 - 1)[:,
        None], np.clip(np.arange(8) // 2, 0, 4 - 1)], grad_maxpool2d_1_a[np.arange(n)[:, None, None, None], np.arange(6)[:, None, None],
        np.clip(np.arange(8) // 2, 0, 4 - 1)[:, None], np.clip(np.arange(8) // 2, 0, 4 - 1)], 0.0))
    )
    # grad_conv2d_1_W[k, c, u, v] = Σ_{n, p, q} delta_conv2d_1[n, k, p, q] x[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q + v
    #     − 1 < 8]
    grad_conv2d_1_W[...] = (
        np.sum(np.where(((-1 + np.arange(8) + np.arange(3)[:, None])[:, None, None, :] >= 0) & ((-1 + np.arange(8) + np.arange(3)[:,
        None])[:, None, None, :] < 8), np.where(((-1 + np.arange(8) + np.arange(3)[:, None])[:, None, None, :, None] >= 0) & ((-1
        + np.arange(8) + np.arange(3)[:, None])[:, None, None, :, None] < 8), delta_conv2d_1.transpose(1, 0, 2, 3)[:, None, None, None, :,
        :, :] * x[np.arange(n)[:, None, None], np.arange(1)[:, None, None, None, None, None], np.clip(-1 + np.arange(8) + np.arange(3)[:,
        None], 0, 8 - 1)[:, None, None, :, None], np.clip(-1 + np.arange(8) + np.arange(3)[:, None], 0, 8 - 1)[:, None, None, :]], 0.0),
        0.0), axis=(-3, -2, -1))
    )
    # grad_conv2d_1_b[k] = Σ_{n, p, q} delta_conv2d_1[n, k, p, q]
    grad_conv2d_1_b[...] = np.sum(delta_conv2d_1.transpose(1, 0, 2, 3), axis=(-3, -2, -1))
    return float(loss_)


def input_gradients(params, x, y, grads_x, work=None):
    """Return the loss of a batch and write its gradient with respect to the inputs."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    conv2d_1_W = params[0:54].reshape(6, 1, 3, 3)
    conv2d_1_b = params[54:60]
    conv2d_2_W = params[60:708].reshape(12, 6, 3, 3)
    conv2d_2_b = params[708:720]
    dense_1_W = params[720:1200].reshape(10, 48)
    dense_1_b = params[1200:1210]
    # conv2d_1
    # conv2d_1_z[n, k, p, q] = conv2d_1_b[k] + Σ_{c, u, v} conv2d_1_W[k, c, u, v] x[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤
    #     q + v − 1 < 8]
    conv2d_1_z = (
        conv2d_1_b[:, None, None] + np.sum(np.where(((-1 + np.arange(8)[:, None] + np.arange(3))[:, None, None, :] >= 0) & ((-1
        + np.arange(8)[:, None] + np.arange(3))[:, None, None, :] < 8), np.where(((-1 + np.arange(8)[:, None] + np.arange(3))[:, None, None,
        :, None] >= 0) & ((-1 + np.arange(8)[:, None] + np.arange(3))[:, None, None, :, None] < 8), conv2d_1_W[:, None, None, :, :, :]
        * x[np.arange(n)[:, None, None, None, None, None], np.arange(1)[:, None, None], np.clip(-1 + np.arange(8)[:, None] + np.arange(3),
        0, 8 - 1)[:, None, None, :, None], np.clip(-1 + np.arange(8)[:, None] + np.arange(3), 0, 8 - 1)[:, None, None, :]][:, None, :, :, :,
        :, :], 0.0), 0.0), axis=(-3, -2, -1))
    )
    # conv2d_1_a[n, k, p, q] = conv2d_1_z[n, k, p, q] [conv2d_1_z[n, k, p, q] > 0]
    conv2d_1_a = np.where(conv2d_1_z <= 0.0, 0.0, conv2d_1_z)
    # maxpool2d_1
    # maxpool2d_1_a_argmax[n, c, p, q] = (2 i + j at max_{i, j} conv2d_1_a[n, c, 2 p + i, 2 q + j])
    maxpool2d_1_a_argmax = (
        np.argmax(conv2d_1_a[np.arange(n)[:, None, None, None, None, None], np.arange(6)[:, None, None, None, None], np.clip((2
        * np.arange(4))[:, None] + np.arange(2), 0, 8 - 1)[:, None, :, None], np.clip((2 * np.arange(4))[:, None] + np.arange(2), 0, 8
        - 1)[:, None, :]].reshape(*conv2d_1_a[np.arange(n)[:, None, None, None, None, None], np.arange(6)[:, None, None, None, None],
        np.clip((2 * np.arange(4))[:, None] + np.arange(2), 0, 8 - 1)[:, None, :, None], np.clip((2 * np.arange(4))[:, None] + np.arange(2),
        0, 8 - 1)[:, None, :]].shape[:-2], -1), axis=-1)
    )
    # maxpool2d_1_a[n, c, p, q] = max_{i, j} conv2d_1_a[n, c, 2 p + i, 2 q + j]
    maxpool2d_1_a = (
        np.max(conv2d_1_a[np.arange(n)[:, None, None, None, None, None], np.arange(6)[:, None, None, None, None], ((2 * np.arange(4))[:,
        None] + np.arange(2))[:, None, :, None], ((2 * np.arange(4))[:, None] + np.arange(2))[:, None, :]], axis=(-2, -1))
    )
    # conv2d_2
    # conv2d_2_z[n, k, p, q] = conv2d_2_b[k] + Σ_{c, u, v} conv2d_2_W[k, c, u, v] maxpool2d_1_a[n, c, p + u − 1, q + v − 1] [0 ≤ p + u
    #     − 1 < 4] [0 ≤ q + v − 1 < 4]
    conv2d_2_z = (
        conv2d_2_b[:, None, None] + np.sum(np.where(((-1 + np.arange(4)[:, None] + np.arange(3))[:, None, None, :] >= 0) & ((-1
        + np.arange(4)[:, None] + np.arange(3))[:, None, None, :] < 4), np.where(((-1 + np.arange(4)[:, None] + np.arange(3))[:, None, None,
        :, None] >= 0) & ((-1 + np.arange(4)[:, None] + np.arange(3))[:, None, None, :, None] < 4), conv2d_2_W[:, None, None, :, :, :]
        * maxpool2d_1_a[np.arange(n)[:, None, None, None, None, None], np.arange(6)[:, None, None], np.clip(-1 + np.arange(4)[:, None]
        + np.arange(3), 0, 4 - 1)[:, None, None, :, None], np.clip(-1 + np.arange(4)[:, None] + np.arange(3), 0, 4 - 1)[:, None, None,
        :]][:, None, :, :, :, :, :], 0.0), 0.0), axis=(-3, -2, -1))
    )
    # conv2d_2_a[n, k, p, q] = conv2d_2_z[n, k, p, q] [conv2d_2_z[n, k, p, q] > 0]
    conv2d_2_a = np.where(conv2d_2_z <= 0.0, 0.0, conv2d_2_z)
    # maxpool2d_2
    # maxpool2d_2_a_argmax[n, c, p, q] = (2 i + j at max_{i, j} conv2d_2_a[n, c, 2 p + i, 2 q + j])
    maxpool2d_2_a_argmax = (
        np.argmax(conv2d_2_a[np.arange(n)[:, None, None, None, None, None], np.arange(12)[:, None, None, None, None], np.clip((2
        * np.arange(2))[:, None] + np.arange(2), 0, 4 - 1)[:, None, :, None], np.clip((2 * np.arange(2))[:, None] + np.arange(2), 0, 4
        - 1)[:, None, :]].reshape(*conv2d_2_a[np.arange(n)[:, None, None, None, None, None], np.arange(12)[:, None, None, None, None],
        np.clip((2 * np.arange(2))[:, None] + np.arange(2), 0, 4 - 1)[:, None, :, None], np.clip((2 * np.arange(2))[:, None] + np.arange(2),
        0, 4 - 1)[:, None, :]].shape[:-2], -1), axis=-1)
    )
    # maxpool2d_2_a[n, c, p, q] = max_{i, j} conv2d_2_a[n, c, 2 p + i, 2 q + j]
    maxpool2d_2_a = (
        np.max(conv2d_2_a[np.arange(n)[:, None, None, None, None, None], np.arange(12)[:, None, None, None, None], ((2 * np.arange(2))[:,
        None] + np.arange(2))[:, None, :, None], ((2 * np.arange(2))[:, None] + np.arange(2))[:, None, :]], axis=(-2, -1))
    )
    # flatten_1
    # flatten_1_a[n, k] = maxpool2d_2_a[n, floor(k/4), floor(k/2) mod 2, k mod 2]
    flatten_1_a = maxpool2d_2_a[np.arange(n)[:, None], np.arange(48) // 4, (np.arange(48) // 2) % 2, np.arange(48) % 2]
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
    # conv2d_2
    # delta_conv2d_2[n, k, p, q] = grad_flatten_1_a[n, 2 floor(p/2) + 4 k + floor(q/2)] [2 · (p mod 2) + (q mod 2)
    #     = maxpool2d_2_a_argmax[n, k, floor(p/2), floor(q/2)]] [conv2d_2_a[n, k, p, q] > 0]
    delta_conv2d_2 = (
        np.where(conv2d_2_a <= 0.0, 0.0, np.where(((2 * (np.arange(4) % 2))[:, None] + np.arange(4) % 2)
        == maxpool2d_2_a_argmax[np.arange(n)[:, None, None, None], np.arange(12)[:, None, None], np.clip(np.arange(4) // 2, 0, 2 - 1)[:,
        None], np.clip(np.arange(4) // 2, 0, 2 - 1)], grad_flatten_1_a[np.arange(n)[:, None, None, None], np.clip((2 * (np.arange(4) //
        2))[:, None] + (4 * np.arange(12))[:, None, None] + np.arange(4) // 2, 0, 48 - 1)], 0.0))
    )
    # maxpool2d_1
    # grad_maxpool2d_1_a[n, c, h, w] = Σ_{k, u, v} conv2d_2_W[k, c, u, v] delta_conv2d_2[n, k, 1 + h − u, 1 + w − v] [0 ≤ 1 + h − u < 4]
    #     [0 ≤ 1 + w − v < 4]
    grad_maxpool2d_1_a = (
        np.sum(np.where(((1 - 1 * np.arange(3) + np.arange(4)[:, None])[:, None, None, :] >= 0) & ((1 - 1 * np.arange(3) + np.arange(4)[:,
        None])[:, None, None, :] < 4), np.where(((1 - 1 * np.arange(3) + np.arange(4)[:, None])[:, None, None, :, None] >= 0) & ((1 - 1
        * np.arange(3) + np.arange(4)[:, None])[:, None, None, :, None] < 4), conv2d_2_W.transpose(1, 0, 2, 3)[:, None, None, :, :, :]
        * delta_conv2d_2[np.arange(n)[:, None, None, None, None, None], np.arange(12)[:, None, None], np.clip(1 - 1 * np.arange(3)
        + np.arange(4)[:, None], 0, 4 - 1)[:, None, None, :, None], np.clip(1 - 1 * np.arange(3) + np.arange(4)[:, None], 0, 4 - 1)[:, None,
        None, :]][:, None, :, :, :, :, :], 0.0), 0.0), axis=(-3, -2, -1))
    )
    # conv2d_1
    # delta_conv2d_1[n, k, p, q] = grad_maxpool2d_1_a[n, k, floor(p/2), floor(q/2)] [2 · (p mod 2) + (q mod 2) = maxpool2d_1_a_argmax[n,
    #     k, floor(p/2), floor(q/2)]] [conv2d_1_a[n, k, p, q] > 0]
    delta_conv2d_1 = (
        np.where(conv2d_1_a <= 0.0, 0.0, np.where(((2 * (np.arange(8) % 2))[:, None] + np.arange(8) % 2)
        == maxpool2d_1_a_argmax[np.arange(n)[:, None, None, None], np.arange(6)[:, None, None], np.clip(np.arange(8) // 2, 0, 4 - 1)[:,
        None], np.clip(np.arange(8) // 2, 0, 4 - 1)], grad_maxpool2d_1_a[np.arange(n)[:, None, None, None], np.arange(6)[:, None, None],
        np.clip(np.arange(8) // 2, 0, 4 - 1)[:, None], np.clip(np.arange(8) // 2, 0, 4 - 1)], 0.0))
    )
    # x
    # grads_x[n, c, h, w] = Σ_{k, u, v} conv2d_1_W[k, c, u, v] delta_conv2d_1[n, k, 1 + h − u, 1 + w − v] [0 ≤ 1 + h − u < 8] [0 ≤ 1 + w
    #     − v < 8]
    grads_x[...] = (
        np.sum(np.where(((1 - 1 * np.arange(3) + np.arange(8)[:, None])[:, None, None, :] >= 0) & ((1 - 1 * np.arange(3) + np.arange(8)[:,
        None])[:, None, None, :] < 8), np.where(((1 - 1 * np.arange(3) + np.arange(8)[:, None])[:, None, None, :, None] >= 0) & ((1 - 1
        * np.arange(3) + np.arange(8)[:, None])[:, None, None, :, None] < 8), conv2d_1_W.transpose(1, 0, 2, 3)[:, None, None, :, :, :]
        * delta_conv2d_1[np.arange(n)[:, None, None, None, None, None], np.arange(6)[:, None, None], np.clip(1 - 1 * np.arange(3)
        + np.arange(8)[:, None], 0, 8 - 1)[:, None, None, :, None], np.clip(1 - 1 * np.arange(3) + np.arange(8)[:, None], 0, 8 - 1)[:, None,
        None, :]][:, None, :, :, :, :, :], 0.0), 0.0), axis=(-3, -2, -1))
    )
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
