"""The network resnet_block in NumPy, as its equations read; it needs NumPy only.

Written from the template numpy/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: 3106aa31404b834ece5289f81390a52ad9345b7aaa560d20864f13ca8e36f2cf

params, grads and state are contiguous 1-D arrays of type float32; x has one sample a row; work is not used.
"""

import numpy as np

NAME = "resnet_block"
#: Name, offset and shape of each parameter in the flat buffers.
PARAMETERS = (
    ("conv2d_1.W", 0, (16, 1, 3, 3)),
    ("conv2d_1.b", 144, (16,)),
    ("conv2d_2.W", 160, (16, 16, 3, 3)),
    ("groupnorm_1.gamma", 2464, (16,)),
    ("groupnorm_1.beta", 2480, (16,)),
    ("conv2d_3.W", 2496, (16, 16, 3, 3)),
    ("groupnorm_2.gamma", 4800, (16,)),
    ("groupnorm_2.beta", 4816, (16,)),
    ("dense_1.W", 4832, (10, 256)),
    ("dense_1.b", 7392, (10,)),
)
DTYPE = "float32"
#: The largest batch.
BATCH = 32
STATE_SIZE = 14805
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
    conv2d_1_W = params[0:144].reshape(16, 1, 3, 3)
    conv2d_1_b = params[144:160]
    conv2d_2_W = params[160:2464].reshape(16, 16, 3, 3)
    groupnorm_1_beta = params[2480:2496]
    groupnorm_1_gamma = params[2464:2480]
    conv2d_3_W = params[2496:4800].reshape(16, 16, 3, 3)
    groupnorm_2_beta = params[4816:4832]
    groupnorm_2_gamma = params[4800:4816]
    dense_1_W = params[4832:7392].reshape(10, 256)
    dense_1_b = params[7392:7402]
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
    # conv2d_2
    # conv2d_2_z[n, k, p, q] = Σ_{c, u, v} conv2d_2_W[k, c, u, v] conv2d_1_a[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q + v
    #     − 1 < 8]
    conv2d_2_z = (
        np.sum(np.where(((-1 + np.arange(8)[:, None] + np.arange(3))[:, None, None, :] >= 0) & ((-1 + np.arange(8)[:, None]
        + np.arange(3))[:, None, None, :] < 8), np.where(((-1 + np.arange(8)[:, None] + np.arange(3))[:, None, None, :, None] >= 0) & ((-1
        + np.arange(8)[:, None] + np.arange(3))[:, None, None, :, None] < 8), conv2d_2_W[:, None, None, :, :, :]
        * conv2d_1_a[np.arange(n)[:, None, None, None, None, None], np.arange(16)[:, None, None], np.clip(-1 + np.arange(8)[:, None]
        + np.arange(3), 0, 8 - 1)[:, None, None, :, None], np.clip(-1 + np.arange(8)[:, None] + np.arange(3), 0, 8 - 1)[:, None, None,
        :]][:, None, :, :, :, :, :], 0.0), 0.0), axis=(-3, -2, -1))
    )
    # groupnorm_1
    # groupnorm_1_u[n, g, m, h, w] = conv2d_2_z[n, 4 g + m, h, w]
    groupnorm_1_u = (
        conv2d_2_z[np.arange(n)[:, None, None, None, None], ((4 * np.arange(4))[:, None] + np.arange(4))[:, :, None, None], np.arange(8)[:,
        None], np.arange(8)]
    )
    # groupnorm_1_mu[n, g] = 0.00390625 Σ_{m, h, w} groupnorm_1_u[n, g, m, h, w]
    groupnorm_1_mu = np.sum(groupnorm_1_u, axis=(-3, -2, -1)) / 256.0
    # groupnorm_1_v[n, g] = 0.00390625 Σ_{m, h, w} (groupnorm_1_u[n, g, m, h, w] − groupnorm_1_mu[n, g])²
    groupnorm_1_v = np.sum((groupnorm_1_u - groupnorm_1_mu[:, :, None, None, None])**2, axis=(-3, -2, -1)) / 256.0
    # groupnorm_1_sigma[n, g] = √(1e−05 + groupnorm_1_v[n, g])
    groupnorm_1_sigma = np.sqrt(groupnorm_1_v + 1e-05)
    # groupnorm_1_h[n, g, m, h, w] = (groupnorm_1_u[n, g, m, h, w] − groupnorm_1_mu[n, g])/groupnorm_1_sigma[n, g]
    groupnorm_1_h = (groupnorm_1_u - groupnorm_1_mu[:, :, None, None, None]) / groupnorm_1_sigma[:, :, None, None, None]
    # groupnorm_1_a[n, c, h, w] = groupnorm_1_gamma[c] groupnorm_1_h[n, floor(c/4), c mod 4, h, w] + groupnorm_1_beta[c]
    groupnorm_1_a = (
        groupnorm_1_gamma[:, None, None] * groupnorm_1_h[np.arange(n)[:, None, None, None], (np.arange(16) // 4)[:, None, None],
        (np.arange(16) % 4)[:, None, None], np.arange(8)[:, None], np.arange(8)] + groupnorm_1_beta[:, None, None]
    )
    # activation_1
    # activation_1_a[n, c, h, w] = groupnorm_1_a[n, c, h, w] [groupnorm_1_a[n, c, h, w] > 0]
    activation_1_a = np.where(groupnorm_1_a <= 0.0, 0.0, groupnorm_1_a)
    # conv2d_3
    # conv2d_3_z[n, k, p, q] = Σ_{c, u, v} conv2d_3_W[k, c, u, v] activation_1_a[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q
    #     + v − 1 < 8]
    conv2d_3_z = (
        np.sum(np.where(((-1 + np.arange(8)[:, None] + np.arange(3))[:, None, None, :] >= 0) & ((-1 + np.arange(8)[:, None]
        + np.arange(3))[:, None, None, :] < 8), np.where(((-1 + np.arange(8)[:, None] + np.arange(3))[:, None, None, :, None] >= 0) & ((-1
        + np.arange(8)[:, None] + np.arange(3))[:, None, None, :, None] < 8), conv2d_3_W[:, None, None, :, :, :]
        * activation_1_a[np.arange(n)[:, None, None, None, None, None], np.arange(16)[:, None, None], np.clip(-1 + np.arange(8)[:, None]
        + np.arange(3), 0, 8 - 1)[:, None, None, :, None], np.clip(-1 + np.arange(8)[:, None] + np.arange(3), 0, 8 - 1)[:, None, None,
        :]][:, None, :, :, :, :, :], 0.0), 0.0), axis=(-3, -2, -1))
    )
    # groupnorm_2
    # groupnorm_2_u[n, g, m, h, w] = conv2d_3_z[n, 4 g + m, h, w]
    groupnorm_2_u = (
        conv2d_3_z[np.arange(n)[:, None, None, None, None], ((4 * np.arange(4))[:, None] + np.arange(4))[:, :, None, None], np.arange(8)[:,
        None], np.arange(8)]
    )
    # groupnorm_2_mu[n, g] = 0.00390625 Σ_{m, h, w} groupnorm_2_u[n, g, m, h, w]
    groupnorm_2_mu = np.sum(groupnorm_2_u, axis=(-3, -2, -1)) / 256.0
    # groupnorm_2_v[n, g] = 0.00390625 Σ_{m, h, w} (groupnorm_2_u[n, g, m, h, w] − groupnorm_2_mu[n, g])²
    groupnorm_2_v = np.sum((groupnorm_2_u - groupnorm_2_mu[:, :, None, None, None])**2, axis=(-3, -2, -1)) / 256.0
    # groupnorm_2_sigma[n, g] = √(1e−05 + groupnorm_2_v[n, g])
    groupnorm_2_sigma = np.sqrt(groupnorm_2_v + 1e-05)
    # groupnorm_2_h[n, g, m, h, w] = (groupnorm_2_u[n, g, m, h, w] − groupnorm_2_mu[n, g])/groupnorm_2_sigma[n, g]
    groupnorm_2_h = (groupnorm_2_u - groupnorm_2_mu[:, :, None, None, None]) / groupnorm_2_sigma[:, :, None, None, None]
    # groupnorm_2_a[n, c, h, w] = groupnorm_2_gamma[c] groupnorm_2_h[n, floor(c/4), c mod 4, h, w] + groupnorm_2_beta[c]
    groupnorm_2_a = (
        groupnorm_2_gamma[:, None, None] * groupnorm_2_h[np.arange(n)[:, None, None, None], (np.arange(16) // 4)[:, None, None],
        (np.arange(16) % 4)[:, None, None], np.arange(8)[:, None], np.arange(8)] + groupnorm_2_beta[:, None, None]
    )
    # add_1
    # add_1_a[n, c, h, w] = conv2d_1_a[n, c, h, w] + groupnorm_2_a[n, c, h, w]
    add_1_a = conv2d_1_a + groupnorm_2_a
    # activation_2
    # activation_2_a[n, c, h, w] = add_1_a[n, c, h, w] [add_1_a[n, c, h, w] > 0]
    activation_2_a = np.where(add_1_a <= 0.0, 0.0, add_1_a)
    # avgpool2d_1
    # avgpool2d_1_a[n, c, p, q] = (Σ_{i, j} activation_2_a[n, c, 2 p + i, 2 q + j])/4
    avgpool2d_1_a = (
        np.sum(activation_2_a[np.arange(n)[:, None, None, None, None, None], np.arange(16)[:, None, None, None, None], ((2
        * np.arange(4))[:, None] + np.arange(2))[:, None, :, None], ((2 * np.arange(4))[:, None] + np.arange(2))[:, None, :]], axis=(-2,
        -1)) / 4.0
    )
    # flatten_1
    # flatten_1_a[n, k] = avgpool2d_1_a[n, floor(k/16), floor(k/4) mod 4, k mod 4]
    flatten_1_a = avgpool2d_1_a[np.arange(n)[:, None], np.arange(256) // 16, (np.arange(256) // 4) % 4, np.arange(256) % 4]
    # dense_1
    # out[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] flatten_1_a[n, j]
    out[...] = dense_1_b + flatten_1_a @ dense_1_W.T


def loss(params, x, y, work=None):
    """Return the loss of a batch."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    conv2d_1_W = params[0:144].reshape(16, 1, 3, 3)
    conv2d_1_b = params[144:160]
    conv2d_2_W = params[160:2464].reshape(16, 16, 3, 3)
    groupnorm_1_beta = params[2480:2496]
    groupnorm_1_gamma = params[2464:2480]
    conv2d_3_W = params[2496:4800].reshape(16, 16, 3, 3)
    groupnorm_2_beta = params[4816:4832]
    groupnorm_2_gamma = params[4800:4816]
    dense_1_W = params[4832:7392].reshape(10, 256)
    dense_1_b = params[7392:7402]
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
    # conv2d_2
    # conv2d_2_z[n, k, p, q] = Σ_{c, u, v} conv2d_2_W[k, c, u, v] conv2d_1_a[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q + v
    #     − 1 < 8]
    conv2d_2_z = (
        np.sum(np.where(((-1 + np.arange(8)[:, None] + np.arange(3))[:, None, None, :] >= 0) & ((-1 + np.arange(8)[:, None]
        + np.arange(3))[:, None, None, :] < 8), np.where(((-1 + np.arange(8)[:, None] + np.arange(3))[:, None, None, :, None] >= 0) & ((-1
        + np.arange(8)[:, None] + np.arange(3))[:, None, None, :, None] < 8), conv2d_2_W[:, None, None, :, :, :]
        * conv2d_1_a[np.arange(n)[:, None, None, None, None, None], np.arange(16)[:, None, None], np.clip(-1 + np.arange(8)[:, None]
        + np.arange(3), 0, 8 - 1)[:, None, None, :, None], np.clip(-1 + np.arange(8)[:, None] + np.arange(3), 0, 8 - 1)[:, None, None,
        :]][:, None, :, :, :, :, :], 0.0), 0.0), axis=(-3, -2, -1))
    )
    # groupnorm_1
    # groupnorm_1_u[n, g, m, h, w] = conv2d_2_z[n, 4 g + m, h, w]
    groupnorm_1_u = (
        conv2d_2_z[np.arange(n)[:, None, None, None, None], ((4 * np.arange(4))[:, None] + np.arange(4))[:, :, None, None], np.arange(8)[:,
        None], np.arange(8)]
    )
    # groupnorm_1_mu[n, g] = 0.00390625 Σ_{m, h, w} groupnorm_1_u[n, g, m, h, w]
    groupnorm_1_mu = np.sum(groupnorm_1_u, axis=(-3, -2, -1)) / 256.0
    # groupnorm_1_v[n, g] = 0.00390625 Σ_{m, h, w} (groupnorm_1_u[n, g, m, h, w] − groupnorm_1_mu[n, g])²
    groupnorm_1_v = np.sum((groupnorm_1_u - groupnorm_1_mu[:, :, None, None, None])**2, axis=(-3, -2, -1)) / 256.0
    # groupnorm_1_sigma[n, g] = √(1e−05 + groupnorm_1_v[n, g])
    groupnorm_1_sigma = np.sqrt(groupnorm_1_v + 1e-05)
    # groupnorm_1_h[n, g, m, h, w] = (groupnorm_1_u[n, g, m, h, w] − groupnorm_1_mu[n, g])/groupnorm_1_sigma[n, g]
    groupnorm_1_h = (groupnorm_1_u - groupnorm_1_mu[:, :, None, None, None]) / groupnorm_1_sigma[:, :, None, None, None]
    # groupnorm_1_a[n, c, h, w] = groupnorm_1_gamma[c] groupnorm_1_h[n, floor(c/4), c mod 4, h, w] + groupnorm_1_beta[c]
    groupnorm_1_a = (
        groupnorm_1_gamma[:, None, None] * groupnorm_1_h[np.arange(n)[:, None, None, None], (np.arange(16) // 4)[:, None, None],
        (np.arange(16) % 4)[:, None, None], np.arange(8)[:, None], np.arange(8)] + groupnorm_1_beta[:, None, None]
    )
    # activation_1
    # activation_1_a[n, c, h, w] = groupnorm_1_a[n, c, h, w] [groupnorm_1_a[n, c, h, w] > 0]
    activation_1_a = np.where(groupnorm_1_a <= 0.0, 0.0, groupnorm_1_a)
    # conv2d_3
    # conv2d_3_z[n, k, p, q] = Σ_{c, u, v} conv2d_3_W[k, c, u, v] activation_1_a[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q
    #     + v − 1 < 8]
    conv2d_3_z = (
        np.sum(np.where(((-1 + np.arange(8)[:, None] + np.arange(3))[:, None, None, :] >= 0) & ((-1 + np.arange(8)[:, None]
        + np.arange(3))[:, None, None, :] < 8), np.where(((-1 + np.arange(8)[:, None] + np.arange(3))[:, None, None, :, None] >= 0) & ((-1
        + np.arange(8)[:, None] + np.arange(3))[:, None, None, :, None] < 8), conv2d_3_W[:, None, None, :, :, :]
        * activation_1_a[np.arange(n)[:, None, None, None, None, None], np.arange(16)[:, None, None], np.clip(-1 + np.arange(8)[:, None]
        + np.arange(3), 0, 8 - 1)[:, None, None, :, None], np.clip(-1 + np.arange(8)[:, None] + np.arange(3), 0, 8 - 1)[:, None, None,
        :]][:, None, :, :, :, :, :], 0.0), 0.0), axis=(-3, -2, -1))
    )
    # groupnorm_2
    # groupnorm_2_u[n, g, m, h, w] = conv2d_3_z[n, 4 g + m, h, w]
    groupnorm_2_u = (
        conv2d_3_z[np.arange(n)[:, None, None, None, None], ((4 * np.arange(4))[:, None] + np.arange(4))[:, :, None, None], np.arange(8)[:,
        None], np.arange(8)]
    )
    # groupnorm_2_mu[n, g] = 0.00390625 Σ_{m, h, w} groupnorm_2_u[n, g, m, h, w]
    groupnorm_2_mu = np.sum(groupnorm_2_u, axis=(-3, -2, -1)) / 256.0
    # groupnorm_2_v[n, g] = 0.00390625 Σ_{m, h, w} (groupnorm_2_u[n, g, m, h, w] − groupnorm_2_mu[n, g])²
    groupnorm_2_v = np.sum((groupnorm_2_u - groupnorm_2_mu[:, :, None, None, None])**2, axis=(-3, -2, -1)) / 256.0
    # groupnorm_2_sigma[n, g] = √(1e−05 + groupnorm_2_v[n, g])
    groupnorm_2_sigma = np.sqrt(groupnorm_2_v + 1e-05)
    # groupnorm_2_h[n, g, m, h, w] = (groupnorm_2_u[n, g, m, h, w] − groupnorm_2_mu[n, g])/groupnorm_2_sigma[n, g]
    groupnorm_2_h = (groupnorm_2_u - groupnorm_2_mu[:, :, None, None, None]) / groupnorm_2_sigma[:, :, None, None, None]
    # groupnorm_2_a[n, c, h, w] = groupnorm_2_gamma[c] groupnorm_2_h[n, floor(c/4), c mod 4, h, w] + groupnorm_2_beta[c]
    groupnorm_2_a = (
        groupnorm_2_gamma[:, None, None] * groupnorm_2_h[np.arange(n)[:, None, None, None], (np.arange(16) // 4)[:, None, None],
        (np.arange(16) % 4)[:, None, None], np.arange(8)[:, None], np.arange(8)] + groupnorm_2_beta[:, None, None]
    )
    # add_1
    # add_1_a[n, c, h, w] = conv2d_1_a[n, c, h, w] + groupnorm_2_a[n, c, h, w]
    add_1_a = conv2d_1_a + groupnorm_2_a
    # activation_2
    # activation_2_a[n, c, h, w] = add_1_a[n, c, h, w] [add_1_a[n, c, h, w] > 0]
    activation_2_a = np.where(add_1_a <= 0.0, 0.0, add_1_a)
    # avgpool2d_1
    # avgpool2d_1_a[n, c, p, q] = (Σ_{i, j} activation_2_a[n, c, 2 p + i, 2 q + j])/4
    avgpool2d_1_a = (
        np.sum(activation_2_a[np.arange(n)[:, None, None, None, None, None], np.arange(16)[:, None, None, None, None], ((2
        * np.arange(4))[:, None] + np.arange(2))[:, None, :, None], ((2 * np.arange(4))[:, None] + np.arange(2))[:, None, :]], axis=(-2,
        -1)) / 4.0
    )
    # flatten_1
    # flatten_1_a[n, k] = avgpool2d_1_a[n, floor(k/16), floor(k/4) mod 4, k mod 4]
    flatten_1_a = avgpool2d_1_a[np.arange(n)[:, None], np.arange(256) // 16, (np.arange(256) // 4) % 4, np.arange(256) % 4]
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
    conv2d_1_W = params[0:144].reshape(16, 1, 3, 3)
    conv2d_1_b = params[144:160]
    conv2d_2_W = params[160:2464].reshape(16, 16, 3, 3)
    groupnorm_1_beta = params[2480:2496]
    groupnorm_1_gamma = params[2464:2480]
    conv2d_3_W = params[2496:4800].reshape(16, 16, 3, 3)
    groupnorm_2_beta = params[4816:4832]
    groupnorm_2_gamma = params[4800:4816]
    dense_1_W = params[4832:7392].reshape(10, 256)
    dense_1_b = params[7392:7402]
    grad_dense_1_W = grads[4832:7392].reshape(10, 256)
    grad_dense_1_b = grads[7392:7402]
    grad_groupnorm_2_gamma = grads[4800:4816]
    grad_groupnorm_2_beta = grads[4816:4832]
    grad_conv2d_3_W = grads[2496:4800].reshape(16, 16, 3, 3)
    grad_groupnorm_1_gamma = grads[2464:2480]
    grad_groupnorm_1_beta = grads[2480:2496]
    grad_conv2d_2_W = grads[160:2464].reshape(16, 16, 3, 3)
    grad_conv2d_1_W = grads[0:144].reshape(16, 1, 3, 3)
    grad_conv2d_1_b = grads[144:160]
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
    # conv2d_2
    # conv2d_2_z[n, k, p, q] = Σ_{c, u, v} conv2d_2_W[k, c, u, v] conv2d_1_a[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q + v
    #     − 1 < 8]
    conv2d_2_z = (
        np.sum(np.where(((-1 + np.arange(8)[:, None] + np.arange(3))[:, None, None, :] >= 0) & ((-1 + np.arange(8)[:, None]
        + np.arange(3))[:, None, None, :] < 8), np.where(((-1 + np.arange(8)[:, None] + np.arange(3))[:, None, None, :, None] >= 0) & ((-1
        + np.arange(8)[:, None] + np.arange(3))[:, None, None, :, None] < 8), conv2d_2_W[:, None, None, :, :, :]
        * conv2d_1_a[np.arange(n)[:, None, None, None, None, None], np.arange(16)[:, None, None], np.clip(-1 + np.arange(8)[:, None]
        + np.arange(3), 0, 8 - 1)[:, None, None, :, None], np.clip(-1 + np.arange(8)[:, None] + np.arange(3), 0, 8 - 1)[:, None, None,
        :]][:, None, :, :, :, :, :], 0.0), 0.0), axis=(-3, -2, -1))
    )
    # groupnorm_1
    # groupnorm_1_u[n, g, m, h, w] = conv2d_2_z[n, 4 g + m, h, w]
    groupnorm_1_u = (
        conv2d_2_z[np.arange(n)[:, None, None, None, None], ((4 * np.arange(4))[:, None] + np.arange(4))[:, :, None, None], np.arange(8)[:,
        None], np.arange(8)]
    )
    # groupnorm_1_mu[n, g] = 0.00390625 Σ_{m, h, w} groupnorm_1_u[n, g, m, h, w]
    groupnorm_1_mu = np.sum(groupnorm_1_u, axis=(-3, -2, -1)) / 256.0
    # groupnorm_1_v[n, g] = 0.00390625 Σ_{m, h, w} (groupnorm_1_u[n, g, m, h, w] − groupnorm_1_mu[n, g])²
    groupnorm_1_v = np.sum((groupnorm_1_u - groupnorm_1_mu[:, :, None, None, None])**2, axis=(-3, -2, -1)) / 256.0
    # groupnorm_1_sigma[n, g] = √(1e−05 + groupnorm_1_v[n, g])
    groupnorm_1_sigma = np.sqrt(groupnorm_1_v + 1e-05)
    # groupnorm_1_h[n, g, m, h, w] = (groupnorm_1_u[n, g, m, h, w] − groupnorm_1_mu[n, g])/groupnorm_1_sigma[n, g]
    groupnorm_1_h = (groupnorm_1_u - groupnorm_1_mu[:, :, None, None, None]) / groupnorm_1_sigma[:, :, None, None, None]
    # groupnorm_1_a[n, c, h, w] = groupnorm_1_gamma[c] groupnorm_1_h[n, floor(c/4), c mod 4, h, w] + groupnorm_1_beta[c]
    groupnorm_1_a = (
        groupnorm_1_gamma[:, None, None] * groupnorm_1_h[np.arange(n)[:, None, None, None], (np.arange(16) // 4)[:, None, None],
        (np.arange(16) % 4)[:, None, None], np.arange(8)[:, None], np.arange(8)] + groupnorm_1_beta[:, None, None]
    )
    # activation_1
    # activation_1_a[n, c, h, w] = groupnorm_1_a[n, c, h, w] [groupnorm_1_a[n, c, h, w] > 0]
    activation_1_a = np.where(groupnorm_1_a <= 0.0, 0.0, groupnorm_1_a)
    # conv2d_3
    # conv2d_3_z[n, k, p, q] = Σ_{c, u, v} conv2d_3_W[k, c, u, v] activation_1_a[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q
    #     + v − 1 < 8]
    conv2d_3_z = (
        np.sum(np.where(((-1 + np.arange(8)[:, None] + np.arange(3))[:, None, None, :] >= 0) & ((-1 + np.arange(8)[:, None]
        + np.arange(3))[:, None, None, :] < 8), np.where(((-1 + np.arange(8)[:, None] + np.arange(3))[:, None, None, :, None] >= 0) & ((-1
        + np.arange(8)[:, None] + np.arange(3))[:, None, None, :, None] < 8), conv2d_3_W[:, None, None, :, :, :]
        * activation_1_a[np.arange(n)[:, None, None, None, None, None], np.arange(16)[:, None, None], np.clip(-1 + np.arange(8)[:, None]
        + np.arange(3), 0, 8 - 1)[:, None, None, :, None], np.clip(-1 + np.arange(8)[:, None] + np.arange(3), 0, 8 - 1)[:, None, None,
        :]][:, None, :, :, :, :, :], 0.0), 0.0), axis=(-3, -2, -1))
    )
    # groupnorm_2
    # groupnorm_2_u[n, g, m, h, w] = conv2d_3_z[n, 4 g + m, h, w]
    groupnorm_2_u = (
        conv2d_3_z[np.arange(n)[:, None, None, None, None], ((4 * np.arange(4))[:, None] + np.arange(4))[:, :, None, None], np.arange(8)[:,
        None], np.arange(8)]
    )
    # groupnorm_2_mu[n, g] = 0.00390625 Σ_{m, h, w} groupnorm_2_u[n, g, m, h, w]
    groupnorm_2_mu = np.sum(groupnorm_2_u, axis=(-3, -2, -1)) / 256.0
    # groupnorm_2_v[n, g] = 0.00390625 Σ_{m, h, w} (groupnorm_2_u[n, g, m, h, w] − groupnorm_2_mu[n, g])²
    groupnorm_2_v = np.sum((groupnorm_2_u - groupnorm_2_mu[:, :, None, None, None])**2, axis=(-3, -2, -1)) / 256.0
    # groupnorm_2_sigma[n, g] = √(1e−05 + groupnorm_2_v[n, g])
    groupnorm_2_sigma = np.sqrt(groupnorm_2_v + 1e-05)
    # groupnorm_2_h[n, g, m, h, w] = (groupnorm_2_u[n, g, m, h, w] − groupnorm_2_mu[n, g])/groupnorm_2_sigma[n, g]
    groupnorm_2_h = (groupnorm_2_u - groupnorm_2_mu[:, :, None, None, None]) / groupnorm_2_sigma[:, :, None, None, None]
    # groupnorm_2_a[n, c, h, w] = groupnorm_2_gamma[c] groupnorm_2_h[n, floor(c/4), c mod 4, h, w] + groupnorm_2_beta[c]
    groupnorm_2_a = (
        groupnorm_2_gamma[:, None, None] * groupnorm_2_h[np.arange(n)[:, None, None, None], (np.arange(16) // 4)[:, None, None],
        (np.arange(16) % 4)[:, None, None], np.arange(8)[:, None], np.arange(8)] + groupnorm_2_beta[:, None, None]
    )
    # add_1
    # add_1_a[n, c, h, w] = conv2d_1_a[n, c, h, w] + groupnorm_2_a[n, c, h, w]
    add_1_a = conv2d_1_a + groupnorm_2_a
    # activation_2
    # activation_2_a[n, c, h, w] = add_1_a[n, c, h, w] [add_1_a[n, c, h, w] > 0]
    activation_2_a = np.where(add_1_a <= 0.0, 0.0, add_1_a)
    # avgpool2d_1
    # avgpool2d_1_a[n, c, p, q] = (Σ_{i, j} activation_2_a[n, c, 2 p + i, 2 q + j])/4
    avgpool2d_1_a = (
        np.sum(activation_2_a[np.arange(n)[:, None, None, None, None, None], np.arange(16)[:, None, None, None, None], ((2
        * np.arange(4))[:, None] + np.arange(2))[:, None, :, None], ((2 * np.arange(4))[:, None] + np.arange(2))[:, None, :]], axis=(-2,
        -1)) / 4.0
    )
    # flatten_1
    # flatten_1_a[n, k] = avgpool2d_1_a[n, floor(k/16), floor(k/4) mod 4, k mod 4]
    flatten_1_a = avgpool2d_1_a[np.arange(n)[:, None], np.arange(256) // 16, (np.arange(256) // 4) % 4, np.arange(256) % 4]
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
    # groupnorm_2
    # grad_groupnorm_2_a[n, c, h, w] = grad_flatten_1_a[n, 4 floor(h/2) + 16 c + floor(w/2)] [activation_2_a[n, c, h, w] > 0]/4
    grad_groupnorm_2_a = (
        np.where(activation_2_a <= 0.0, 0.0, grad_flatten_1_a[np.arange(n)[:, None, None, None], np.clip((4 * (np.arange(8) // 2))[:, None]
        + (16 * np.arange(16))[:, None, None] + np.arange(8) // 2, 0, 256 - 1)] / 4.0)
    )
    # grad_groupnorm_2_gamma[c] = Σ_{n, h, w} grad_groupnorm_2_a[n, c, h, w] groupnorm_2_h[n, floor(c/4), c mod 4, h, w]
    grad_groupnorm_2_gamma[...] = (
        np.sum(grad_groupnorm_2_a.transpose(1, 0, 2, 3) * groupnorm_2_h[np.arange(n)[:, None, None], (np.arange(16) // 4)[:, None, None,
        None], (np.arange(16) % 4)[:, None, None, None], np.arange(8)[:, None], np.arange(8)], axis=(-3, -2, -1))
    )
    # grad_groupnorm_2_beta[c] = Σ_{n, h, w} grad_groupnorm_2_a[n, c, h, w]
    grad_groupnorm_2_beta[...] = np.sum(grad_groupnorm_2_a.transpose(1, 0, 2, 3), axis=(-3, -2, -1))
    # conv2d_3
    # delta_conv2d_3[n, k, p, q] = 0.00390625 · (256 groupnorm_2_gamma[k] grad_groupnorm_2_a[n, k, p, q] − Σ_{i, h, w}
    #     groupnorm_2_gamma[4 floor(k/4) + i] grad_groupnorm_2_a[n, 4 floor(k/4) + i, h, w] − groupnorm_2_h[n, floor(k/4), k mod 4, p, q]
    #     Σ_{m, h, w} groupnorm_2_gamma[4 floor(k/4) + m] grad_groupnorm_2_a[n, 4 floor(k/4) + m, h, w] groupnorm_2_h[n, floor(k/4), m, h,
    #     w])/groupnorm_2_sigma[n, floor(k/4)]
    delta_conv2d_3 = (
        (256.0 * groupnorm_2_gamma[:, None, None] * grad_groupnorm_2_a - np.sum(groupnorm_2_gamma[(4 * (np.arange(16) // 4))[:, None]
        + np.arange(4)][:, :, None, None] * grad_groupnorm_2_a[np.arange(n)[:, None, None, None, None], ((4 * (np.arange(16) // 4))[:, None]
        + np.arange(4))[:, :, None, None], np.arange(8)[:, None], np.arange(8)] * groupnorm_2_h[np.arange(n)[:, None, None, None, None],
        (np.arange(16) // 4)[:, None, None, None], np.arange(4)[:, None, None], np.arange(8)[:, None], np.arange(8)], axis=(-3, -2, -1))[:,
        :, None, None] * groupnorm_2_h[np.arange(n)[:, None, None, None], (np.arange(16) // 4)[:, None, None], (np.arange(16) % 4)[:, None,
        None], np.arange(8)[:, None], np.arange(8)] - np.sum(groupnorm_2_gamma[(4 * (np.arange(16) // 4))[:, None] + np.arange(4)][:, :,
        None, None] * grad_groupnorm_2_a[np.arange(n)[:, None, None, None, None], ((4 * (np.arange(16) // 4))[:, None] + np.arange(4))[:, :,
        None, None], np.arange(8)[:, None], np.arange(8)], axis=(-3, -2, -1))[:, :, None, None]) / (256.0
        * groupnorm_2_sigma[np.arange(n)[:, None], np.arange(16) // 4][:, :, None, None])
    )
    # grad_conv2d_3_W[k, c, u, v] = Σ_{n, p, q} delta_conv2d_3[n, k, p, q] activation_1_a[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1
    #     < 8] [0 ≤ q + v − 1 < 8]
    grad_conv2d_3_W[...] = (
        np.sum(np.where(((-1 + np.arange(8) + np.arange(3)[:, None])[:, None, None, :] >= 0) & ((-1 + np.arange(8) + np.arange(3)[:,
        None])[:, None, None, :] < 8), np.where(((-1 + np.arange(8) + np.arange(3)[:, None])[:, None, None, :, None] >= 0) & ((-1
        + np.arange(8) + np.arange(3)[:, None])[:, None, None, :, None] < 8), delta_conv2d_3.transpose(1, 0, 2, 3)[:, None, None, None, :,
        :, :] * activation_1_a[np.arange(n)[:, None, None], np.arange(16)[:, None, None, None, None, None], np.clip(-1 + np.arange(8)
        + np.arange(3)[:, None], 0, 8 - 1)[:, None, None, :, None], np.clip(-1 + np.arange(8) + np.arange(3)[:, None], 0, 8 - 1)[:, None,
        None, :]], 0.0), 0.0), axis=(-3, -2, -1))
    )
    # groupnorm_1
    # grad_groupnorm_1_a[n, c, h, w] = [activation_1_a[n, c, h, w] > 0] Σ_{k, u, v} conv2d_3_W[k, c, u, v] delta_conv2d_3[n, k, 1 + h
    #     − u, 1 + w − v] [0 ≤ 1 + h − u < 8] [0 ≤ 1 + w − v < 8]
    grad_groupnorm_1_a = (
        np.where(activation_1_a <= 0.0, 0.0, np.sum(np.where(((1 - 1 * np.arange(3) + np.arange(8)[:, None])[:, None, None, :] >= 0) & ((1
        - 1 * np.arange(3) + np.arange(8)[:, None])[:, None, None, :] < 8), np.where(((1 - 1 * np.arange(3) + np.arange(8)[:, None])[:,
        None, None, :, None] >= 0) & ((1 - 1 * np.arange(3) + np.arange(8)[:, None])[:, None, None, :, None] < 8), conv2d_3_W.transpose(1,
        0, 2, 3)[:, None, None, :, :, :] * delta_conv2d_3[np.arange(n)[:, None, None, None, None, None], np.arange(16)[:, None, None],
        np.clip(1 - 1 * np.arange(3) + np.arange(8)[:, None], 0, 8 - 1)[:, None, None, :, None], np.clip(1 - 1 * np.arange(3)
        + np.arange(8)[:, None], 0, 8 - 1)[:, None, None, :]][:, None, :, :, :, :, :], 0.0), 0.0), axis=(-3, -2, -1)))
    )
    # grad_groupnorm_1_gamma[c] = Σ_{n, h, w} grad_groupnorm_1_a[n, c, h, w] groupnorm_1_h[n, floor(c/4), c mod 4, h, w]
    grad_groupnorm_1_gamma[...] = (
        np.sum(grad_groupnorm_1_a.transpose(1, 0, 2, 3) * groupnorm_1_h[np.arange(n)[:, None, None], (np.arange(16) // 4)[:, None, None,
        None], (np.arange(16) % 4)[:, None, None, None], np.arange(8)[:, None], np.arange(8)], axis=(-3, -2, -1))
    )
    # grad_groupnorm_1_beta[c] = Σ_{n, h, w} grad_groupnorm_1_a[n, c, h, w]
    grad_groupnorm_1_beta[...] = np.sum(grad_groupnorm_1_a.transpose(1, 0, 2, 3), axis=(-3, -2, -1))
    # conv2d_2
    # delta_conv2d_2[n, k, p, q] = 0.00390625 · (256 groupnorm_1_gamma[k] grad_groupnorm_1_a[n, k, p, q] − Σ_{i, h, w}
    #     groupnorm_1_gamma[4 floor(k/4) + i] grad_groupnorm_1_a[n, 4 floor(k/4) + i, h, w] − groupnorm_1_h[n, floor(k/4), k mod 4, p, q]
    #     Σ_{m, h, w} groupnorm_1_gamma[4 floor(k/4) + m] grad_groupnorm_1_a[n, 4 floor(k/4) + m, h, w] groupnorm_1_h[n, floor(k/4), m, h,
    #     w])/groupnorm_1_sigma[n, floor(k/4)]
    delta_conv2d_2 = (
        (256.0 * groupnorm_1_gamma[:, None, None] * grad_groupnorm_1_a - np.sum(groupnorm_1_gamma[(4 * (np.arange(16) // 4))[:, None]
        + np.arange(4)][:, :, None, None] * grad_groupnorm_1_a[np.arange(n)[:, None, None, None, None], ((4 * (np.arange(16) // 4))[:, None]
        + np.arange(4))[:, :, None, None], np.arange(8)[:, None], np.arange(8)] * groupnorm_1_h[np.arange(n)[:, None, None, None, None],
        (np.arange(16) // 4)[:, None, None, None], np.arange(4)[:, None, None], np.arange(8)[:, None], np.arange(8)], axis=(-3, -2, -1))[:,
        :, None, None] * groupnorm_1_h[np.arange(n)[:, None, None, None], (np.arange(16) // 4)[:, None, None], (np.arange(16) % 4)[:, None,
        None], np.arange(8)[:, None], np.arange(8)] - np.sum(groupnorm_1_gamma[(4 * (np.arange(16) // 4))[:, None] + np.arange(4)][:, :,
        None, None] * grad_groupnorm_1_a[np.arange(n)[:, None, None, None, None], ((4 * (np.arange(16) // 4))[:, None] + np.arange(4))[:, :,
        None, None], np.arange(8)[:, None], np.arange(8)], axis=(-3, -2, -1))[:, :, None, None]) / (256.0
        * groupnorm_1_sigma[np.arange(n)[:, None], np.arange(16) // 4][:, :, None, None])
    )
    # grad_conv2d_2_W[k, c, u, v] = Σ_{n, p, q} delta_conv2d_2[n, k, p, q] conv2d_1_a[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0
    #     ≤ q + v − 1 < 8]
    grad_conv2d_2_W[...] = (
        np.sum(np.where(((-1 + np.arange(8) + np.arange(3)[:, None])[:, None, None, :] >= 0) & ((-1 + np.arange(8) + np.arange(3)[:,
        None])[:, None, None, :] < 8), np.where(((-1 + np.arange(8) + np.arange(3)[:, None])[:, None, None, :, None] >= 0) & ((-1
        + np.arange(8) + np.arange(3)[:, None])[:, None, None, :, None] < 8), delta_conv2d_2.transpose(1, 0, 2, 3)[:, None, None, None, :,
        :, :] * conv2d_1_a[np.arange(n)[:, None, None], np.arange(16)[:, None, None, None, None, None], np.clip(-1 + np.arange(8)
        + np.arange(3)[:, None], 0, 8 - 1)[:, None, None, :, None], np.clip(-1 + np.arange(8) + np.arange(3)[:, None], 0, 8 - 1)[:, None,
        None, :]], 0.0), 0.0), axis=(-3, -2, -1))
    )
    # conv2d_1
    # delta_conv2d_1[n, k, p, q] = (grad_flatten_1_a[n, 4 floor(p/2) + 16 k + floor(q/2)] [activation_2_a[n, k, p, q] > 0]/4 + Σ_{i, u,
    #     v} conv2d_2_W[i, k, u, v] delta_conv2d_2[n, i, 1 + p − u, 1 + q − v] [0 ≤ 1 + p − u < 8] [0 ≤ 1 + q − v < 8]) · [conv2d_1_a[n, k,
    #     p, q] > 0]
    delta_conv2d_1 = (
        np.where(conv2d_1_a <= 0.0, 0.0, np.where(activation_2_a <= 0.0, 0.0, grad_flatten_1_a[np.arange(n)[:, None, None, None], np.clip((4
        * (np.arange(8) // 2))[:, None] + (16 * np.arange(16))[:, None, None] + np.arange(8) // 2, 0, 256 - 1)] / 4.0) + np.sum(np.where(((1
        - 1 * np.arange(3) + np.arange(8)[:, None])[:, None, None, :] >= 0) & ((1 - 1 * np.arange(3) + np.arange(8)[:, None])[:, None, None,
        :] < 8), np.where(((1 - 1 * np.arange(3) + np.arange(8)[:, None])[:, None, None, :, None] >= 0) & ((1 - 1 * np.arange(3)
        + np.arange(8)[:, None])[:, None, None, :, None] < 8), conv2d_2_W.transpose(1, 0, 2, 3)[:, None, None, :, :, :]
        * delta_conv2d_2[np.arange(n)[:, None, None, None, None, None], np.arange(16)[:, None, None], np.clip(1 - 1 * np.arange(3)
        + np.arange(8)[:, None], 0, 8 - 1)[:, None, None, :, None], np.clip(1 - 1 * np.arange(3) + np.arange(8)[:, None], 0, 8 - 1)[:, None,
        None, :]][:, None, :, :, :, :, :], 0.0), 0.0), axis=(-3, -2, -1)))
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
    conv2d_1_W = params[0:144].reshape(16, 1, 3, 3)
    conv2d_1_b = params[144:160]
    conv2d_2_W = params[160:2464].reshape(16, 16, 3, 3)
    groupnorm_1_beta = params[2480:2496]
    groupnorm_1_gamma = params[2464:2480]
    conv2d_3_W = params[2496:4800].reshape(16, 16, 3, 3)
    groupnorm_2_beta = params[4816:4832]
    groupnorm_2_gamma = params[4800:4816]
    dense_1_W = params[4832:7392].reshape(10, 256)
    dense_1_b = params[7392:7402]
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
    # conv2d_2
    # conv2d_2_z[n, k, p, q] = Σ_{c, u, v} conv2d_2_W[k, c, u, v] conv2d_1_a[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q + v
    #     − 1 < 8]
    conv2d_2_z = (
        np.sum(np.where(((-1 + np.arange(8)[:, None] + np.arange(3))[:, None, None, :] >= 0) & ((-1 + np.arange(8)[:, None]
        + np.arange(3))[:, None, None, :] < 8), np.where(((-1 + np.arange(8)[:, None] + np.arange(3))[:, None, None, :, None] >= 0) & ((-1
        + np.arange(8)[:, None] + np.arange(3))[:, None, None, :, None] < 8), conv2d_2_W[:, None, None, :, :, :]
        * conv2d_1_a[np.arange(n)[:, None, None, None, None, None], np.arange(16)[:, None, None], np.clip(-1 + np.arange(8)[:, None]
        + np.arange(3), 0, 8 - 1)[:, None, None, :, None], np.clip(-1 + np.arange(8)[:, None] + np.arange(3), 0, 8 - 1)[:, None, None,
        :]][:, None, :, :, :, :, :], 0.0), 0.0), axis=(-3, -2, -1))
    )
    # groupnorm_1
    # groupnorm_1_u[n, g, m, h, w] = conv2d_2_z[n, 4 g + m, h, w]
    groupnorm_1_u = (
        conv2d_2_z[np.arange(n)[:, None, None, None, None], ((4 * np.arange(4))[:, None] + np.arange(4))[:, :, None, None], np.arange(8)[:,
        None], np.arange(8)]
    )
    # groupnorm_1_mu[n, g] = 0.00390625 Σ_{m, h, w} groupnorm_1_u[n, g, m, h, w]
    groupnorm_1_mu = np.sum(groupnorm_1_u, axis=(-3, -2, -1)) / 256.0
    # groupnorm_1_v[n, g] = 0.00390625 Σ_{m, h, w} (groupnorm_1_u[n, g, m, h, w] − groupnorm_1_mu[n, g])²
    groupnorm_1_v = np.sum((groupnorm_1_u - groupnorm_1_mu[:, :, None, None, None])**2, axis=(-3, -2, -1)) / 256.0
    # groupnorm_1_sigma[n, g] = √(1e−05 + groupnorm_1_v[n, g])
    groupnorm_1_sigma = np.sqrt(groupnorm_1_v + 1e-05)
    # groupnorm_1_h[n, g, m, h, w] = (groupnorm_1_u[n, g, m, h, w] − groupnorm_1_mu[n, g])/groupnorm_1_sigma[n, g]
    groupnorm_1_h = (groupnorm_1_u - groupnorm_1_mu[:, :, None, None, None]) / groupnorm_1_sigma[:, :, None, None, None]
    # groupnorm_1_a[n, c, h, w] = groupnorm_1_gamma[c] groupnorm_1_h[n, floor(c/4), c mod 4, h, w] + groupnorm_1_beta[c]
    groupnorm_1_a = (
        groupnorm_1_gamma[:, None, None] * groupnorm_1_h[np.arange(n)[:, None, None, None], (np.arange(16) // 4)[:, None, None],
        (np.arange(16) % 4)[:, None, None], np.arange(8)[:, None], np.arange(8)] + groupnorm_1_beta[:, None, None]
    )
    # activation_1
    # activation_1_a[n, c, h, w] = groupnorm_1_a[n, c, h, w] [groupnorm_1_a[n, c, h, w] > 0]
    activation_1_a = np.where(groupnorm_1_a <= 0.0, 0.0, groupnorm_1_a)
    # conv2d_3
    # conv2d_3_z[n, k, p, q] = Σ_{c, u, v} conv2d_3_W[k, c, u, v] activation_1_a[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q
    #     + v − 1 < 8]
    conv2d_3_z = (
        np.sum(np.where(((-1 + np.arange(8)[:, None] + np.arange(3))[:, None, None, :] >= 0) & ((-1 + np.arange(8)[:, None]
        + np.arange(3))[:, None, None, :] < 8), np.where(((-1 + np.arange(8)[:, None] + np.arange(3))[:, None, None, :, None] >= 0) & ((-1
        + np.arange(8)[:, None] + np.arange(3))[:, None, None, :, None] < 8), conv2d_3_W[:, None, None, :, :, :]
        * activation_1_a[np.arange(n)[:, None, None, None, None, None], np.arange(16)[:, None, None], np.clip(-1 + np.arange(8)[:, None]
        + np.arange(3), 0, 8 - 1)[:, None, None, :, None], np.clip(-1 + np.arange(8)[:, None] + np.arange(3), 0, 8 - 1)[:, None, None,
        :]][:, None, :, :, :, :, :], 0.0), 0.0), axis=(-3, -2, -1))
    )
    # groupnorm_2
    # groupnorm_2_u[n, g, m, h, w] = conv2d_3_z[n, 4 g + m, h, w]
    groupnorm_2_u = (
        conv2d_3_z[np.arange(n)[:, None, None, None, None], ((4 * np.arange(4))[:, None] + np.arange(4))[:, :, None, None], np.arange(8)[:,
        None], np.arange(8)]
    )
    # groupnorm_2_mu[n, g] = 0.00390625 Σ_{m, h, w} groupnorm_2_u[n, g, m, h, w]
    groupnorm_2_mu = np.sum(groupnorm_2_u, axis=(-3, -2, -1)) / 256.0
    # groupnorm_2_v[n, g] = 0.00390625 Σ_{m, h, w} (groupnorm_2_u[n, g, m, h, w] − groupnorm_2_mu[n, g])²
    groupnorm_2_v = np.sum((groupnorm_2_u - groupnorm_2_mu[:, :, None, None, None])**2, axis=(-3, -2, -1)) / 256.0
    # groupnorm_2_sigma[n, g] = √(1e−05 + groupnorm_2_v[n, g])
    groupnorm_2_sigma = np.sqrt(groupnorm_2_v + 1e-05)
    # groupnorm_2_h[n, g, m, h, w] = (groupnorm_2_u[n, g, m, h, w] − groupnorm_2_mu[n, g])/groupnorm_2_sigma[n, g]
    groupnorm_2_h = (groupnorm_2_u - groupnorm_2_mu[:, :, None, None, None]) / groupnorm_2_sigma[:, :, None, None, None]
    # groupnorm_2_a[n, c, h, w] = groupnorm_2_gamma[c] groupnorm_2_h[n, floor(c/4), c mod 4, h, w] + groupnorm_2_beta[c]
    groupnorm_2_a = (
        groupnorm_2_gamma[:, None, None] * groupnorm_2_h[np.arange(n)[:, None, None, None], (np.arange(16) // 4)[:, None, None],
        (np.arange(16) % 4)[:, None, None], np.arange(8)[:, None], np.arange(8)] + groupnorm_2_beta[:, None, None]
    )
    # add_1
    # add_1_a[n, c, h, w] = conv2d_1_a[n, c, h, w] + groupnorm_2_a[n, c, h, w]
    add_1_a = conv2d_1_a + groupnorm_2_a
    # activation_2
    # activation_2_a[n, c, h, w] = add_1_a[n, c, h, w] [add_1_a[n, c, h, w] > 0]
    activation_2_a = np.where(add_1_a <= 0.0, 0.0, add_1_a)
    # avgpool2d_1
    # avgpool2d_1_a[n, c, p, q] = (Σ_{i, j} activation_2_a[n, c, 2 p + i, 2 q + j])/4
    avgpool2d_1_a = (
        np.sum(activation_2_a[np.arange(n)[:, None, None, None, None, None], np.arange(16)[:, None, None, None, None], ((2
        * np.arange(4))[:, None] + np.arange(2))[:, None, :, None], ((2 * np.arange(4))[:, None] + np.arange(2))[:, None, :]], axis=(-2,
        -1)) / 4.0
    )
    # flatten_1
    # flatten_1_a[n, k] = avgpool2d_1_a[n, floor(k/16), floor(k/4) mod 4, k mod 4]
    flatten_1_a = avgpool2d_1_a[np.arange(n)[:, None], np.arange(256) // 16, (np.arange(256) // 4) % 4, np.arange(256) % 4]
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
    # groupnorm_2
    # grad_groupnorm_2_a[n, c, h, w] = grad_flatten_1_a[n, 4 floor(h/2) + 16 c + floor(w/2)] [activation_2_a[n, c, h, w] > 0]/4
    grad_groupnorm_2_a = (
        np.where(activation_2_a <= 0.0, 0.0, grad_flatten_1_a[np.arange(n)[:, None, None, None], np.clip((4 * (np.arange(8) // 2))[:, None]
        + (16 * np.arange(16))[:, None, None] + np.arange(8) // 2, 0, 256 - 1)] / 4.0)
    )
    # conv2d_3
    # delta_conv2d_3[n, k, p, q] = 0.00390625 · (256 groupnorm_2_gamma[k] grad_groupnorm_2_a[n, k, p, q] − Σ_{i, h, w}
    #     groupnorm_2_gamma[4 floor(k/4) + i] grad_groupnorm_2_a[n, 4 floor(k/4) + i, h, w] − groupnorm_2_h[n, floor(k/4), k mod 4, p, q]
    #     Σ_{m, h, w} groupnorm_2_gamma[4 floor(k/4) + m] grad_groupnorm_2_a[n, 4 floor(k/4) + m, h, w] groupnorm_2_h[n, floor(k/4), m, h,
    #     w])/groupnorm_2_sigma[n, floor(k/4)]
    delta_conv2d_3 = (
        (256.0 * groupnorm_2_gamma[:, None, None] * grad_groupnorm_2_a - np.sum(groupnorm_2_gamma[(4 * (np.arange(16) // 4))[:, None]
        + np.arange(4)][:, :, None, None] * grad_groupnorm_2_a[np.arange(n)[:, None, None, None, None], ((4 * (np.arange(16) // 4))[:, None]
        + np.arange(4))[:, :, None, None], np.arange(8)[:, None], np.arange(8)] * groupnorm_2_h[np.arange(n)[:, None, None, None, None],
        (np.arange(16) // 4)[:, None, None, None], np.arange(4)[:, None, None], np.arange(8)[:, None], np.arange(8)], axis=(-3, -2, -1))[:,
        :, None, None] * groupnorm_2_h[np.arange(n)[:, None, None, None], (np.arange(16) // 4)[:, None, None], (np.arange(16) % 4)[:, None,
        None], np.arange(8)[:, None], np.arange(8)] - np.sum(groupnorm_2_gamma[(4 * (np.arange(16) // 4))[:, None] + np.arange(4)][:, :,
        None, None] * grad_groupnorm_2_a[np.arange(n)[:, None, None, None, None], ((4 * (np.arange(16) // 4))[:, None] + np.arange(4))[:, :,
        None, None], np.arange(8)[:, None], np.arange(8)], axis=(-3, -2, -1))[:, :, None, None]) / (256.0
        * groupnorm_2_sigma[np.arange(n)[:, None], np.arange(16) // 4][:, :, None, None])
    )
    # groupnorm_1
    # grad_groupnorm_1_a[n, c, h, w] = [activation_1_a[n, c, h, w] > 0] Σ_{k, u, v} conv2d_3_W[k, c, u, v] delta_conv2d_3[n, k, 1 + h
    #     − u, 1 + w − v] [0 ≤ 1 + h − u < 8] [0 ≤ 1 + w − v < 8]
    grad_groupnorm_1_a = (
        np.where(activation_1_a <= 0.0, 0.0, np.sum(np.where(((1 - 1 * np.arange(3) + np.arange(8)[:, None])[:, None, None, :] >= 0) & ((1
        - 1 * np.arange(3) + np.arange(8)[:, None])[:, None, None, :] < 8), np.where(((1 - 1 * np.arange(3) + np.arange(8)[:, None])[:,
        None, None, :, None] >= 0) & ((1 - 1 * np.arange(3) + np.arange(8)[:, None])[:, None, None, :, None] < 8), conv2d_3_W.transpose(1,
        0, 2, 3)[:, None, None, :, :, :] * delta_conv2d_3[np.arange(n)[:, None, None, None, None, None], np.arange(16)[:, None, None],
        np.clip(1 - 1 * np.arange(3) + np.arange(8)[:, None], 0, 8 - 1)[:, None, None, :, None], np.clip(1 - 1 * np.arange(3)
        + np.arange(8)[:, None], 0, 8 - 1)[:, None, None, :]][:, None, :, :, :, :, :], 0.0), 0.0), axis=(-3, -2, -1)))
    )
    # conv2d_2
    # delta_conv2d_2[n, k, p, q] = 0.00390625 · (256 groupnorm_1_gamma[k] grad_groupnorm_1_a[n, k, p, q] − Σ_{i, h, w}
    #     groupnorm_1_gamma[4 floor(k/4) + i] grad_groupnorm_1_a[n, 4 floor(k/4) + i, h, w] − groupnorm_1_h[n, floor(k/4), k mod 4, p, q]
    #     Σ_{m, h, w} groupnorm_1_gamma[4 floor(k/4) + m] grad_groupnorm_1_a[n, 4 floor(k/4) + m, h, w] groupnorm_1_h[n, floor(k/4), m, h,
    #     w])/groupnorm_1_sigma[n, floor(k/4)]
    delta_conv2d_2 = (
        (256.0 * groupnorm_1_gamma[:, None, None] * grad_groupnorm_1_a - np.sum(groupnorm_1_gamma[(4 * (np.arange(16) // 4))[:, None]
        + np.arange(4)][:, :, None, None] * grad_groupnorm_1_a[np.arange(n)[:, None, None, None, None], ((4 * (np.arange(16) // 4))[:, None]
        + np.arange(4))[:, :, None, None], np.arange(8)[:, None], np.arange(8)] * groupnorm_1_h[np.arange(n)[:, None, None, None, None],
        (np.arange(16) // 4)[:, None, None, None], np.arange(4)[:, None, None], np.arange(8)[:, None], np.arange(8)], axis=(-3, -2, -1))[:,
        :, None, None] * groupnorm_1_h[np.arange(n)[:, None, None, None], (np.arange(16) // 4)[:, None, None], (np.arange(16) % 4)[:, None,
        None], np.arange(8)[:, None], np.arange(8)] - np.sum(groupnorm_1_gamma[(4 * (np.arange(16) // 4))[:, None] + np.arange(4)][:, :,
        None, None] * grad_groupnorm_1_a[np.arange(n)[:, None, None, None, None], ((4 * (np.arange(16) // 4))[:, None] + np.arange(4))[:, :,
        None, None], np.arange(8)[:, None], np.arange(8)], axis=(-3, -2, -1))[:, :, None, None]) / (256.0
        * groupnorm_1_sigma[np.arange(n)[:, None], np.arange(16) // 4][:, :, None, None])
    )
    # conv2d_1
    # delta_conv2d_1[n, k, p, q] = (grad_flatten_1_a[n, 4 floor(p/2) + 16 k + floor(q/2)] [activation_2_a[n, k, p, q] > 0]/4 + Σ_{i, u,
    #     v} conv2d_2_W[i, k, u, v] delta_conv2d_2[n, i, 1 + p − u, 1 + q − v] [0 ≤ 1 + p − u < 8] [0 ≤ 1 + q − v < 8]) · [conv2d_1_a[n, k,
    #     p, q] > 0]
    delta_conv2d_1 = (
        np.where(conv2d_1_a <= 0.0, 0.0, np.where(activation_2_a <= 0.0, 0.0, grad_flatten_1_a[np.arange(n)[:, None, None, None], np.clip((4
        * (np.arange(8) // 2))[:, None] + (16 * np.arange(16))[:, None, None] + np.arange(8) // 2, 0, 256 - 1)] / 4.0) + np.sum(np.where(((1
        - 1 * np.arange(3) + np.arange(8)[:, None])[:, None, None, :] >= 0) & ((1 - 1 * np.arange(3) + np.arange(8)[:, None])[:, None, None,
        :] < 8), np.where(((1 - 1 * np.arange(3) + np.arange(8)[:, None])[:, None, None, :, None] >= 0) & ((1 - 1 * np.arange(3)
        + np.arange(8)[:, None])[:, None, None, :, None] < 8), conv2d_2_W.transpose(1, 0, 2, 3)[:, None, None, :, :, :]
        * delta_conv2d_2[np.arange(n)[:, None, None, None, None, None], np.arange(16)[:, None, None], np.clip(1 - 1 * np.arange(3)
        + np.arange(8)[:, None], 0, 8 - 1)[:, None, None, :, None], np.clip(1 - 1 * np.arange(3) + np.arange(8)[:, None], 0, 8 - 1)[:, None,
        None, :]][:, None, :, :, :, :, :], 0.0), 0.0), axis=(-3, -2, -1)))
    )
    # x
    # grads_x[n, c, h, w] = Σ_{k, u, v} conv2d_1_W[k, c, u, v] delta_conv2d_1[n, k, 1 + h − u, 1 + w − v] [0 ≤ 1 + h − u < 8] [0 ≤ 1 + w
    #     − v < 8]
    grads_x[...] = (
        np.sum(np.where(((1 - 1 * np.arange(3) + np.arange(8)[:, None])[:, None, None, :] >= 0) & ((1 - 1 * np.arange(3) + np.arange(8)[:,
        None])[:, None, None, :] < 8), np.where(((1 - 1 * np.arange(3) + np.arange(8)[:, None])[:, None, None, :, None] >= 0) & ((1 - 1
        * np.arange(3) + np.arange(8)[:, None])[:, None, None, :, None] < 8), conv2d_1_W.transpose(1, 0, 2, 3)[:, None, None, :, :, :]
        * delta_conv2d_1[np.arange(n)[:, None, None, None, None, None], np.arange(16)[:, None, None], np.clip(1 - 1 * np.arange(3)
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
