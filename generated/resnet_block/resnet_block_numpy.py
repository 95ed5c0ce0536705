"""The network resnet_block in NumPy, as its equations read; it needs NumPy only.

Written from the template numpy/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: 82b347f5e51aa41d2ff6afd59ff994c22c4a089bfc6d1307007185f57ec5a8e6

params, grads and state are contiguous 1-D arrays of type float32; x has one sample a row; work is not used.
y has one number for each sample, integers from 0 to 9.
"""

import numpy as np

NAME = "resnet_block"
#: Name, offset and shape of each parameter in the flat buffers.
PARAMETERS = (
    ("conv2d_1.W", 0, (16, 1, 3, 3)),
    ("batchnorm_1.gamma", 144, (16,)),
    ("batchnorm_1.beta", 160, (16,)),
    ("conv2d_2.W", 176, (16, 16, 3, 3)),
    ("batchnorm_2.gamma", 2480, (16,)),
    ("batchnorm_2.beta", 2496, (16,)),
    ("conv2d_3.W", 2512, (16, 16, 3, 3)),
    ("batchnorm_3.gamma", 4816, (16,)),
    ("batchnorm_3.beta", 4832, (16,)),
    ("dense_1.W", 4848, (10, 256)),
    ("dense_1.b", 7408, (10,)),
)
#: Name, offset, shape and first value of each running statistic; in params they lie behind the parameters.
STATISTICS = (
    ("batchnorm_1.running_mean", 7418, (16,), 0.0),
    ("batchnorm_1.running_var", 7434, (16,), 1.0),
    ("batchnorm_2.running_mean", 7450, (16,), 0.0),
    ("batchnorm_2.running_var", 7466, (16,), 1.0),
    ("batchnorm_3.running_mean", 7482, (16,), 0.0),
    ("batchnorm_3.running_var", 7498, (16,), 1.0),
)
DTYPE = "float32"
#: The largest batch.
BATCH = 32
STATE_SIZE = 14837
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
    batchnorm_1_running_var = params[7434:7450]
    batchnorm_1_running_mean = params[7418:7434]
    batchnorm_1_beta = params[160:176]
    batchnorm_1_gamma = params[144:160]
    conv2d_2_W = params[176:2480].reshape(16, 16, 3, 3)
    batchnorm_2_running_var = params[7466:7482]
    batchnorm_2_running_mean = params[7450:7466]
    batchnorm_2_beta = params[2496:2512]
    batchnorm_2_gamma = params[2480:2496]
    conv2d_3_W = params[2512:4816].reshape(16, 16, 3, 3)
    batchnorm_3_running_var = params[7498:7514]
    batchnorm_3_running_mean = params[7482:7498]
    batchnorm_3_beta = params[4832:4848]
    batchnorm_3_gamma = params[4816:4832]
    dense_1_W = params[4848:7408].reshape(10, 256)
    dense_1_b = params[7408:7418]
    # conv2d_1
    # conv2d_1_z[n, k, p, q] = Σ_{c, u, v} conv2d_1_W[k, c, u, v] x[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q + v − 1 < 8]
    conv2d_1_z = np.zeros((n, 16, 8, 8), params.dtype)
    for u in range(3):
        p0, p1 = max(0, 1 - u), min(8, 9 - u)
        for v in range(3):
            q0, q1 = max(0, 1 - v), min(8, 9 - v)
            conv2d_1_z[:, :, p0:p1, q0:q1] += (
                np.einsum("kc,ncpq->nkpq", conv2d_1_W[:, :, u, v], x[:, :, p0 + u - 1:p1 + u - 1, q0 + v - 1:q1 + v - 1])
            )
    # batchnorm_1
    # batchnorm_1_sigma[c] = √(1e−05 + batchnorm_1_running_var[c])
    batchnorm_1_sigma = np.sqrt(batchnorm_1_running_var + 1e-05)
    # batchnorm_1_x_hat[n, c, h, w] = (conv2d_1_z[n, c, h, w] − batchnorm_1_running_mean[c])/batchnorm_1_sigma[c]
    batchnorm_1_x_hat = (conv2d_1_z - batchnorm_1_running_mean[:, None, None]) / batchnorm_1_sigma[:, None, None]
    # batchnorm_1_a[n, c, h, w] = batchnorm_1_gamma[c] batchnorm_1_x_hat[n, c, h, w] + batchnorm_1_beta[c]
    batchnorm_1_a = batchnorm_1_gamma[:, None, None] * batchnorm_1_x_hat + batchnorm_1_beta[:, None, None]
    # activation_1
    # activation_1_a[n, c, h, w] = batchnorm_1_a[n, c, h, w] [batchnorm_1_a[n, c, h, w] > 0]
    activation_1_a = np.where(batchnorm_1_a <= 0.0, 0.0, batchnorm_1_a)
    # conv2d_2
    # conv2d_2_z[n, k, p, q] = Σ_{c, u, v} conv2d_2_W[k, c, u, v] activation_1_a[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q
    #     + v − 1 < 8]
    conv2d_2_z = np.zeros((n, 16, 8, 8), params.dtype)
    for u in range(3):
        p0, p1 = max(0, 1 - u), min(8, 9 - u)
        for v in range(3):
            q0, q1 = max(0, 1 - v), min(8, 9 - v)
            conv2d_2_z[:, :, p0:p1, q0:q1] += (
                np.einsum("kc,ncpq->nkpq", conv2d_2_W[:, :, u, v], activation_1_a[:, :, p0 + u - 1:p1 + u - 1, q0 + v - 1:q1 + v - 1])
            )
    # batchnorm_2
    # batchnorm_2_sigma[c] = √(1e−05 + batchnorm_2_running_var[c])
    batchnorm_2_sigma = np.sqrt(batchnorm_2_running_var + 1e-05)
    # batchnorm_2_x_hat[n, c, h, w] = (conv2d_2_z[n, c, h, w] − batchnorm_2_running_mean[c])/batchnorm_2_sigma[c]
    batchnorm_2_x_hat = (conv2d_2_z - batchnorm_2_running_mean[:, None, None]) / batchnorm_2_sigma[:, None, None]
    # batchnorm_2_a[n, c, h, w] = batchnorm_2_gamma[c] batchnorm_2_x_hat[n, c, h, w] + batchnorm_2_beta[c]
    batchnorm_2_a = batchnorm_2_gamma[:, None, None] * batchnorm_2_x_hat + batchnorm_2_beta[:, None, None]
    # activation_2
    # activation_2_a[n, c, h, w] = batchnorm_2_a[n, c, h, w] [batchnorm_2_a[n, c, h, w] > 0]
    activation_2_a = np.where(batchnorm_2_a <= 0.0, 0.0, batchnorm_2_a)
    # conv2d_3
    # conv2d_3_z[n, k, p, q] = Σ_{c, u, v} conv2d_3_W[k, c, u, v] activation_2_a[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q
    #     + v − 1 < 8]
    conv2d_3_z = np.zeros((n, 16, 8, 8), params.dtype)
    for u in range(3):
        p0, p1 = max(0, 1 - u), min(8, 9 - u)
        for v in range(3):
            q0, q1 = max(0, 1 - v), min(8, 9 - v)
            conv2d_3_z[:, :, p0:p1, q0:q1] += (
                np.einsum("kc,ncpq->nkpq", conv2d_3_W[:, :, u, v], activation_2_a[:, :, p0 + u - 1:p1 + u - 1, q0 + v - 1:q1 + v - 1])
            )
    # batchnorm_3
    # batchnorm_3_sigma[c] = √(1e−05 + batchnorm_3_running_var[c])
    batchnorm_3_sigma = np.sqrt(batchnorm_3_running_var + 1e-05)
    # batchnorm_3_x_hat[n, c, h, w] = (conv2d_3_z[n, c, h, w] − batchnorm_3_running_mean[c])/batchnorm_3_sigma[c]
    batchnorm_3_x_hat = (conv2d_3_z - batchnorm_3_running_mean[:, None, None]) / batchnorm_3_sigma[:, None, None]
    # batchnorm_3_a[n, c, h, w] = batchnorm_3_gamma[c] batchnorm_3_x_hat[n, c, h, w] + batchnorm_3_beta[c]
    batchnorm_3_a = batchnorm_3_gamma[:, None, None] * batchnorm_3_x_hat + batchnorm_3_beta[:, None, None]
    # add_1
    # add_1_a[n, c, h, w] = activation_1_a[n, c, h, w] + batchnorm_3_a[n, c, h, w]
    add_1_a = activation_1_a + batchnorm_3_a
    # activation_3
    # activation_3_a[n, c, h, w] = add_1_a[n, c, h, w] [add_1_a[n, c, h, w] > 0]
    activation_3_a = np.where(add_1_a <= 0.0, 0.0, add_1_a)
    # avgpool2d_1
    # avgpool2d_1_a[n, c, p, q] = (Σ_{i, j} activation_3_a[n, c, 2 p + i, 2 q + j])/4
    window_1 = np.zeros((n, 16, 4, 4), params.dtype)
    for i in range(2):
        for j in range(2):
            window_1[...] += activation_3_a[:, :, i::2, j::2]
    avgpool2d_1_a = window_1 / 4.0
    # flatten_1
    # flatten_1_a[n, k] = avgpool2d_1_a[n, floor(k/16), floor(k/4) mod 4, k mod 4]
    flatten_1_a = avgpool2d_1_a.reshape(n, 256)
    # dense_1
    # out[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] flatten_1_a[n, j]
    out[...] = dense_1_b + flatten_1_a @ dense_1_W.T


def evaluation(params, x, y, work=None):
    """Return the loss of a batch in inference."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    conv2d_1_W = params[0:144].reshape(16, 1, 3, 3)
    batchnorm_1_running_var = params[7434:7450]
    batchnorm_1_running_mean = params[7418:7434]
    batchnorm_1_beta = params[160:176]
    batchnorm_1_gamma = params[144:160]
    conv2d_2_W = params[176:2480].reshape(16, 16, 3, 3)
    batchnorm_2_running_var = params[7466:7482]
    batchnorm_2_running_mean = params[7450:7466]
    batchnorm_2_beta = params[2496:2512]
    batchnorm_2_gamma = params[2480:2496]
    conv2d_3_W = params[2512:4816].reshape(16, 16, 3, 3)
    batchnorm_3_running_var = params[7498:7514]
    batchnorm_3_running_mean = params[7482:7498]
    batchnorm_3_beta = params[4832:4848]
    batchnorm_3_gamma = params[4816:4832]
    dense_1_W = params[4848:7408].reshape(10, 256)
    dense_1_b = params[7408:7418]
    # conv2d_1
    # conv2d_1_z[n, k, p, q] = Σ_{c, u, v} conv2d_1_W[k, c, u, v] x[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q + v − 1 < 8]
    conv2d_1_z = np.zeros((n, 16, 8, 8), params.dtype)
    for u in range(3):
        p0, p1 = max(0, 1 - u), min(8, 9 - u)
        for v in range(3):
            q0, q1 = max(0, 1 - v), min(8, 9 - v)
            conv2d_1_z[:, :, p0:p1, q0:q1] += (
                np.einsum("kc,ncpq->nkpq", conv2d_1_W[:, :, u, v], x[:, :, p0 + u - 1:p1 + u - 1, q0 + v - 1:q1 + v - 1])
            )
    # batchnorm_1
    # batchnorm_1_sigma[c] = √(1e−05 + batchnorm_1_running_var[c])
    batchnorm_1_sigma = np.sqrt(batchnorm_1_running_var + 1e-05)
    # batchnorm_1_x_hat[n, c, h, w] = (conv2d_1_z[n, c, h, w] − batchnorm_1_running_mean[c])/batchnorm_1_sigma[c]
    batchnorm_1_x_hat = (conv2d_1_z - batchnorm_1_running_mean[:, None, None]) / batchnorm_1_sigma[:, None, None]
    # batchnorm_1_a[n, c, h, w] = batchnorm_1_gamma[c] batchnorm_1_x_hat[n, c, h, w] + batchnorm_1_beta[c]
    batchnorm_1_a = batchnorm_1_gamma[:, None, None] * batchnorm_1_x_hat + batchnorm_1_beta[:, None, None]
    # activation_1
    # activation_1_a[n, c, h, w] = batchnorm_1_a[n, c, h, w] [batchnorm_1_a[n, c, h, w] > 0]
    activation_1_a = np.where(batchnorm_1_a <= 0.0, 0.0, batchnorm_1_a)
    # conv2d_2
    # conv2d_2_z[n, k, p, q] = Σ_{c, u, v} conv2d_2_W[k, c, u, v] activation_1_a[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q
    #     + v − 1 < 8]
    conv2d_2_z = np.zeros((n, 16, 8, 8), params.dtype)
    for u in range(3):
        p0, p1 = max(0, 1 - u), min(8, 9 - u)
        for v in range(3):
            q0, q1 = max(0, 1 - v), min(8, 9 - v)
            conv2d_2_z[:, :, p0:p1, q0:q1] += (
                np.einsum("kc,ncpq->nkpq", conv2d_2_W[:, :, u, v], activation_1_a[:, :, p0 + u - 1:p1 + u - 1, q0 + v - 1:q1 + v - 1])
            )
    # batchnorm_2
    # batchnorm_2_sigma[c] = √(1e−05 + batchnorm_2_running_var[c])
    batchnorm_2_sigma = np.sqrt(batchnorm_2_running_var + 1e-05)
    # batchnorm_2_x_hat[n, c, h, w] = (conv2d_2_z[n, c, h, w] − batchnorm_2_running_mean[c])/batchnorm_2_sigma[c]
    batchnorm_2_x_hat = (conv2d_2_z - batchnorm_2_running_mean[:, None, None]) / batchnorm_2_sigma[:, None, None]
    # batchnorm_2_a[n, c, h, w] = batchnorm_2_gamma[c] batchnorm_2_x_hat[n, c, h, w] + batchnorm_2_beta[c]
    batchnorm_2_a = batchnorm_2_gamma[:, None, None] * batchnorm_2_x_hat + batchnorm_2_beta[:, None, None]
    # activation_2
    # activation_2_a[n, c, h, w] = batchnorm_2_a[n, c, h, w] [batchnorm_2_a[n, c, h, w] > 0]
    activation_2_a = np.where(batchnorm_2_a <= 0.0, 0.0, batchnorm_2_a)
    # conv2d_3
    # conv2d_3_z[n, k, p, q] = Σ_{c, u, v} conv2d_3_W[k, c, u, v] activation_2_a[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q
    #     + v − 1 < 8]
    conv2d_3_z = np.zeros((n, 16, 8, 8), params.dtype)
    for u in range(3):
        p0, p1 = max(0, 1 - u), min(8, 9 - u)
        for v in range(3):
            q0, q1 = max(0, 1 - v), min(8, 9 - v)
            conv2d_3_z[:, :, p0:p1, q0:q1] += (
                np.einsum("kc,ncpq->nkpq", conv2d_3_W[:, :, u, v], activation_2_a[:, :, p0 + u - 1:p1 + u - 1, q0 + v - 1:q1 + v - 1])
            )
    # batchnorm_3
    # batchnorm_3_sigma[c] = √(1e−05 + batchnorm_3_running_var[c])
    batchnorm_3_sigma = np.sqrt(batchnorm_3_running_var + 1e-05)
    # batchnorm_3_x_hat[n, c, h, w] = (conv2d_3_z[n, c, h, w] − batchnorm_3_running_mean[c])/batchnorm_3_sigma[c]
    batchnorm_3_x_hat = (conv2d_3_z - batchnorm_3_running_mean[:, None, None]) / batchnorm_3_sigma[:, None, None]
    # batchnorm_3_a[n, c, h, w] = batchnorm_3_gamma[c] batchnorm_3_x_hat[n, c, h, w] + batchnorm_3_beta[c]
    batchnorm_3_a = batchnorm_3_gamma[:, None, None] * batchnorm_3_x_hat + batchnorm_3_beta[:, None, None]
    # add_1
    # add_1_a[n, c, h, w] = activation_1_a[n, c, h, w] + batchnorm_3_a[n, c, h, w]
    add_1_a = activation_1_a + batchnorm_3_a
    # activation_3
    # activation_3_a[n, c, h, w] = add_1_a[n, c, h, w] [add_1_a[n, c, h, w] > 0]
    activation_3_a = np.where(add_1_a <= 0.0, 0.0, add_1_a)
    # avgpool2d_1
    # avgpool2d_1_a[n, c, p, q] = (Σ_{i, j} activation_3_a[n, c, 2 p + i, 2 q + j])/4
    window_1 = np.zeros((n, 16, 4, 4), params.dtype)
    for i in range(2):
        for j in range(2):
            window_1[...] += activation_3_a[:, :, i::2, j::2]
    avgpool2d_1_a = window_1 / 4.0
    # flatten_1
    # flatten_1_a[n, k] = avgpool2d_1_a[n, floor(k/16), floor(k/4) mod 4, k mod 4]
    flatten_1_a = avgpool2d_1_a.reshape(n, 256)
    # dense_1
    # dense_1_z[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] flatten_1_a[n, j]
    dense_1_z = dense_1_b + flatten_1_a @ dense_1_W.T
    # loss
    # loss_L[n] = log Σ_i exp(dense_1_z[n, i]) − dense_1_z[n, y[n]]
    loss_L = logsumexp(dense_1_z, axis=-1) - dense_1_z[np.arange(n), y]
    # loss_ = (Σ_n loss_L[n])/N
    loss_ = np.sum(loss_L) / n
    return float(loss_)


def loss(params, x, y, work=None):
    """Return the loss of a batch."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    conv2d_1_W = params[0:144].reshape(16, 1, 3, 3)
    batchnorm_1_beta = params[160:176]
    batchnorm_1_gamma = params[144:160]
    conv2d_2_W = params[176:2480].reshape(16, 16, 3, 3)
    batchnorm_2_beta = params[2496:2512]
    batchnorm_2_gamma = params[2480:2496]
    conv2d_3_W = params[2512:4816].reshape(16, 16, 3, 3)
    batchnorm_3_beta = params[4832:4848]
    batchnorm_3_gamma = params[4816:4832]
    dense_1_W = params[4848:7408].reshape(10, 256)
    dense_1_b = params[7408:7418]
    # conv2d_1
    # conv2d_1_z[n, k, p, q] = Σ_{c, u, v} conv2d_1_W[k, c, u, v] x[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q + v − 1 < 8]
    conv2d_1_z = np.zeros((n, 16, 8, 8), params.dtype)
    for u in range(3):
        p0, p1 = max(0, 1 - u), min(8, 9 - u)
        for v in range(3):
            q0, q1 = max(0, 1 - v), min(8, 9 - v)
            conv2d_1_z[:, :, p0:p1, q0:q1] += (
                np.einsum("kc,ncpq->nkpq", conv2d_1_W[:, :, u, v], x[:, :, p0 + u - 1:p1 + u - 1, q0 + v - 1:q1 + v - 1])
            )
    # batchnorm_1
    # batchnorm_1_mu[c] = (Σ_{n, h, w} conv2d_1_z[n, c, h, w])/(64 N)
    batchnorm_1_mu = np.sum(conv2d_1_z.transpose(1, 0, 2, 3), axis=(-3, -2, -1)) / (64.0 * n)
    # batchnorm_1_v[c] = (Σ_{n, h, w} (conv2d_1_z[n, c, h, w] − batchnorm_1_mu[c])²)/(64 N)
    batchnorm_1_v = np.sum((conv2d_1_z.transpose(1, 0, 2, 3) - batchnorm_1_mu[:, None, None, None])**2, axis=(-3, -2, -1)) / (64.0 * n)
    # batchnorm_1_sigma[c] = √(1e−05 + batchnorm_1_v[c])
    batchnorm_1_sigma = np.sqrt(batchnorm_1_v + 1e-05)
    # batchnorm_1_x_hat[n, c, h, w] = (conv2d_1_z[n, c, h, w] − batchnorm_1_mu[c])/batchnorm_1_sigma[c]
    batchnorm_1_x_hat = (conv2d_1_z - batchnorm_1_mu[:, None, None]) / batchnorm_1_sigma[:, None, None]
    # batchnorm_1_a[n, c, h, w] = batchnorm_1_gamma[c] batchnorm_1_x_hat[n, c, h, w] + batchnorm_1_beta[c]
    batchnorm_1_a = batchnorm_1_gamma[:, None, None] * batchnorm_1_x_hat + batchnorm_1_beta[:, None, None]
    # activation_1
    # activation_1_a[n, c, h, w] = batchnorm_1_a[n, c, h, w] [batchnorm_1_a[n, c, h, w] > 0]
    activation_1_a = np.where(batchnorm_1_a <= 0.0, 0.0, batchnorm_1_a)
    # conv2d_2
    # conv2d_2_z[n, k, p, q] = Σ_{c, u, v} conv2d_2_W[k, c, u, v] activation_1_a[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q
    #     + v − 1 < 8]
    conv2d_2_z = np.zeros((n, 16, 8, 8), params.dtype)
    for u in range(3):
        p0, p1 = max(0, 1 - u), min(8, 9 - u)
        for v in range(3):
            q0, q1 = max(0, 1 - v), min(8, 9 - v)
            conv2d_2_z[:, :, p0:p1, q0:q1] += (
                np.einsum("kc,ncpq->nkpq", conv2d_2_W[:, :, u, v], activation_1_a[:, :, p0 + u - 1:p1 + u - 1, q0 + v - 1:q1 + v - 1])
            )
    # batchnorm_2
    # batchnorm_2_mu[c] = (Σ_{n, h, w} conv2d_2_z[n, c, h, w])/(64 N)
    batchnorm_2_mu = np.sum(conv2d_2_z.transpose(1, 0, 2, 3), axis=(-3, -2, -1)) / (64.0 * n)
    # batchnorm_2_v[c] = (Σ_{n, h, w} (conv2d_2_z[n, c, h, w] − batchnorm_2_mu[c])²)/(64 N)
    batchnorm_2_v = np.sum((conv2d_2_z.transpose(1, 0, 2, 3) - batchnorm_2_mu[:, None, None, None])**2, axis=(-3, -2, -1)) / (64.0 * n)
    # batchnorm_2_sigma[c] = √(1e−05 + batchnorm_2_v[c])
    batchnorm_2_sigma = np.sqrt(batchnorm_2_v + 1e-05)
    # batchnorm_2_x_hat[n, c, h, w] = (conv2d_2_z[n, c, h, w] − batchnorm_2_mu[c])/batchnorm_2_sigma[c]
    batchnorm_2_x_hat = (conv2d_2_z - batchnorm_2_mu[:, None, None]) / batchnorm_2_sigma[:, None, None]
    # batchnorm_2_a[n, c, h, w] = batchnorm_2_gamma[c] batchnorm_2_x_hat[n, c, h, w] + batchnorm_2_beta[c]
    batchnorm_2_a = batchnorm_2_gamma[:, None, None] * batchnorm_2_x_hat + batchnorm_2_beta[:, None, None]
    # activation_2
    # activation_2_a[n, c, h, w] = batchnorm_2_a[n, c, h, w] [batchnorm_2_a[n, c, h, w] > 0]
    activation_2_a = np.where(batchnorm_2_a <= 0.0, 0.0, batchnorm_2_a)
    # conv2d_3
    # conv2d_3_z[n, k, p, q] = Σ_{c, u, v} conv2d_3_W[k, c, u, v] activation_2_a[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q
    #     + v − 1 < 8]
    conv2d_3_z = np.zeros((n, 16, 8, 8), params.dtype)
    for u in range(3):
        p0, p1 = max(0, 1 - u), min(8, 9 - u)
        for v in range(3):
            q0, q1 = max(0, 1 - v), min(8, 9 - v)
            conv2d_3_z[:, :, p0:p1, q0:q1] += (
                np.einsum("kc,ncpq->nkpq", conv2d_3_W[:, :, u, v], activation_2_a[:, :, p0 + u - 1:p1 + u - 1, q0 + v - 1:q1 + v - 1])
            )
    # batchnorm_3
    # batchnorm_3_mu[c] = (Σ_{n, h, w} conv2d_3_z[n, c, h, w])/(64 N)
    batchnorm_3_mu = np.sum(conv2d_3_z.transpose(1, 0, 2, 3), axis=(-3, -2, -1)) / (64.0 * n)
    # batchnorm_3_v[c] = (Σ_{n, h, w} (conv2d_3_z[n, c, h, w] − batchnorm_3_mu[c])²)/(64 N)
    batchnorm_3_v = np.sum((conv2d_3_z.transpose(1, 0, 2, 3) - batchnorm_3_mu[:, None, None, None])**2, axis=(-3, -2, -1)) / (64.0 * n)
    # batchnorm_3_sigma[c] = √(1e−05 + batchnorm_3_v[c])
    batchnorm_3_sigma = np.sqrt(batchnorm_3_v + 1e-05)
    # batchnorm_3_x_hat[n, c, h, w] = (conv2d_3_z[n, c, h, w] − batchnorm_3_mu[c])/batchnorm_3_sigma[c]
    batchnorm_3_x_hat = (conv2d_3_z - batchnorm_3_mu[:, None, None]) / batchnorm_3_sigma[:, None, None]
    # batchnorm_3_a[n, c, h, w] = batchnorm_3_gamma[c] batchnorm_3_x_hat[n, c, h, w] + batchnorm_3_beta[c]
    batchnorm_3_a = batchnorm_3_gamma[:, None, None] * batchnorm_3_x_hat + batchnorm_3_beta[:, None, None]
    # add_1
    # add_1_a[n, c, h, w] = activation_1_a[n, c, h, w] + batchnorm_3_a[n, c, h, w]
    add_1_a = activation_1_a + batchnorm_3_a
    # activation_3
    # activation_3_a[n, c, h, w] = add_1_a[n, c, h, w] [add_1_a[n, c, h, w] > 0]
    activation_3_a = np.where(add_1_a <= 0.0, 0.0, add_1_a)
    # avgpool2d_1
    # avgpool2d_1_a[n, c, p, q] = (Σ_{i, j} activation_3_a[n, c, 2 p + i, 2 q + j])/4
    window_1 = np.zeros((n, 16, 4, 4), params.dtype)
    for i in range(2):
        for j in range(2):
            window_1[...] += activation_3_a[:, :, i::2, j::2]
    avgpool2d_1_a = window_1 / 4.0
    # flatten_1
    # flatten_1_a[n, k] = avgpool2d_1_a[n, floor(k/16), floor(k/4) mod 4, k mod 4]
    flatten_1_a = avgpool2d_1_a.reshape(n, 256)
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
    batchnorm_1_beta = params[160:176]
    batchnorm_1_gamma = params[144:160]
    conv2d_2_W = params[176:2480].reshape(16, 16, 3, 3)
    batchnorm_2_beta = params[2496:2512]
    batchnorm_2_gamma = params[2480:2496]
    conv2d_3_W = params[2512:4816].reshape(16, 16, 3, 3)
    batchnorm_3_beta = params[4832:4848]
    batchnorm_3_gamma = params[4816:4832]
    dense_1_W = params[4848:7408].reshape(10, 256)
    dense_1_b = params[7408:7418]
    grad_dense_1_W = grads[4848:7408].reshape(10, 256)
    grad_dense_1_b = grads[7408:7418]
    grad_batchnorm_3_gamma = grads[4816:4832]
    grad_batchnorm_3_beta = grads[4832:4848]
    grad_conv2d_3_W = grads[2512:4816].reshape(16, 16, 3, 3)
    grad_batchnorm_2_gamma = grads[2480:2496]
    grad_batchnorm_2_beta = grads[2496:2512]
    grad_conv2d_2_W = grads[176:2480].reshape(16, 16, 3, 3)
    grad_batchnorm_1_gamma = grads[144:160]
    grad_batchnorm_1_beta = grads[160:176]
    grad_conv2d_1_W = grads[0:144].reshape(16, 1, 3, 3)
    # conv2d_1
    # conv2d_1_z[n, k, p, q] = Σ_{c, u, v} conv2d_1_W[k, c, u, v] x[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q + v − 1 < 8]
    conv2d_1_z = np.zeros((n, 16, 8, 8), params.dtype)
    for u in range(3):
        p0, p1 = max(0, 1 - u), min(8, 9 - u)
        for v in range(3):
            q0, q1 = max(0, 1 - v), min(8, 9 - v)
            conv2d_1_z[:, :, p0:p1, q0:q1] += (
                np.einsum("kc,ncpq->nkpq", conv2d_1_W[:, :, u, v], x[:, :, p0 + u - 1:p1 + u - 1, q0 + v - 1:q1 + v - 1])
            )
    # batchnorm_1
    # batchnorm_1_mu[c] = (Σ_{n, h, w} conv2d_1_z[n, c, h, w])/(64 N)
    batchnorm_1_mu = np.sum(conv2d_1_z.transpose(1, 0, 2, 3), axis=(-3, -2, -1)) / (64.0 * n)
    # batchnorm_1_v[c] = (Σ_{n, h, w} (conv2d_1_z[n, c, h, w] − batchnorm_1_mu[c])²)/(64 N)
    batchnorm_1_v = np.sum((conv2d_1_z.transpose(1, 0, 2, 3) - batchnorm_1_mu[:, None, None, None])**2, axis=(-3, -2, -1)) / (64.0 * n)
    # batchnorm_1_sigma[c] = √(1e−05 + batchnorm_1_v[c])
    batchnorm_1_sigma = np.sqrt(batchnorm_1_v + 1e-05)
    # batchnorm_1_x_hat[n, c, h, w] = (conv2d_1_z[n, c, h, w] − batchnorm_1_mu[c])/batchnorm_1_sigma[c]
    batchnorm_1_x_hat = (conv2d_1_z - batchnorm_1_mu[:, None, None]) / batchnorm_1_sigma[:, None, None]
    # batchnorm_1_a[n, c, h, w] = batchnorm_1_gamma[c] batchnorm_1_x_hat[n, c, h, w] + batchnorm_1_beta[c]
    batchnorm_1_a = batchnorm_1_gamma[:, None, None] * batchnorm_1_x_hat + batchnorm_1_beta[:, None, None]
    # activation_1
    # activation_1_a[n, c, h, w] = batchnorm_1_a[n, c, h, w] [batchnorm_1_a[n, c, h, w] > 0]
    activation_1_a = np.where(batchnorm_1_a <= 0.0, 0.0, batchnorm_1_a)
    # conv2d_2
    # conv2d_2_z[n, k, p, q] = Σ_{c, u, v} conv2d_2_W[k, c, u, v] activation_1_a[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q
    #     + v − 1 < 8]
    conv2d_2_z = np.zeros((n, 16, 8, 8), params.dtype)
    for u in range(3):
        p0, p1 = max(0, 1 - u), min(8, 9 - u)
        for v in range(3):
            q0, q1 = max(0, 1 - v), min(8, 9 - v)
            conv2d_2_z[:, :, p0:p1, q0:q1] += (
                np.einsum("kc,ncpq->nkpq", conv2d_2_W[:, :, u, v], activation_1_a[:, :, p0 + u - 1:p1 + u - 1, q0 + v - 1:q1 + v - 1])
            )
    # batchnorm_2
    # batchnorm_2_mu[c] = (Σ_{n, h, w} conv2d_2_z[n, c, h, w])/(64 N)
    batchnorm_2_mu = np.sum(conv2d_2_z.transpose(1, 0, 2, 3), axis=(-3, -2, -1)) / (64.0 * n)
    # batchnorm_2_v[c] = (Σ_{n, h, w} (conv2d_2_z[n, c, h, w] − batchnorm_2_mu[c])²)/(64 N)
    batchnorm_2_v = np.sum((conv2d_2_z.transpose(1, 0, 2, 3) - batchnorm_2_mu[:, None, None, None])**2, axis=(-3, -2, -1)) / (64.0 * n)
    # batchnorm_2_sigma[c] = √(1e−05 + batchnorm_2_v[c])
    batchnorm_2_sigma = np.sqrt(batchnorm_2_v + 1e-05)
    # batchnorm_2_x_hat[n, c, h, w] = (conv2d_2_z[n, c, h, w] − batchnorm_2_mu[c])/batchnorm_2_sigma[c]
    batchnorm_2_x_hat = (conv2d_2_z - batchnorm_2_mu[:, None, None]) / batchnorm_2_sigma[:, None, None]
    # batchnorm_2_a[n, c, h, w] = batchnorm_2_gamma[c] batchnorm_2_x_hat[n, c, h, w] + batchnorm_2_beta[c]
    batchnorm_2_a = batchnorm_2_gamma[:, None, None] * batchnorm_2_x_hat + batchnorm_2_beta[:, None, None]
    # activation_2
    # activation_2_a[n, c, h, w] = batchnorm_2_a[n, c, h, w] [batchnorm_2_a[n, c, h, w] > 0]
    activation_2_a = np.where(batchnorm_2_a <= 0.0, 0.0, batchnorm_2_a)
    # conv2d_3
    # conv2d_3_z[n, k, p, q] = Σ_{c, u, v} conv2d_3_W[k, c, u, v] activation_2_a[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q
    #     + v − 1 < 8]
    conv2d_3_z = np.zeros((n, 16, 8, 8), params.dtype)
    for u in range(3):
        p0, p1 = max(0, 1 - u), min(8, 9 - u)
        for v in range(3):
            q0, q1 = max(0, 1 - v), min(8, 9 - v)
            conv2d_3_z[:, :, p0:p1, q0:q1] += (
                np.einsum("kc,ncpq->nkpq", conv2d_3_W[:, :, u, v], activation_2_a[:, :, p0 + u - 1:p1 + u - 1, q0 + v - 1:q1 + v - 1])
            )
    # batchnorm_3
    # batchnorm_3_mu[c] = (Σ_{n, h, w} conv2d_3_z[n, c, h, w])/(64 N)
    batchnorm_3_mu = np.sum(conv2d_3_z.transpose(1, 0, 2, 3), axis=(-3, -2, -1)) / (64.0 * n)
    # batchnorm_3_v[c] = (Σ_{n, h, w} (conv2d_3_z[n, c, h, w] − batchnorm_3_mu[c])²)/(64 N)
    batchnorm_3_v = np.sum((conv2d_3_z.transpose(1, 0, 2, 3) - batchnorm_3_mu[:, None, None, None])**2, axis=(-3, -2, -1)) / (64.0 * n)
    # batchnorm_3_sigma[c] = √(1e−05 + batchnorm_3_v[c])
    batchnorm_3_sigma = np.sqrt(batchnorm_3_v + 1e-05)
    # batchnorm_3_x_hat[n, c, h, w] = (conv2d_3_z[n, c, h, w] − batchnorm_3_mu[c])/batchnorm_3_sigma[c]
    batchnorm_3_x_hat = (conv2d_3_z - batchnorm_3_mu[:, None, None]) / batchnorm_3_sigma[:, None, None]
    # batchnorm_3_a[n, c, h, w] = batchnorm_3_gamma[c] batchnorm_3_x_hat[n, c, h, w] + batchnorm_3_beta[c]
    batchnorm_3_a = batchnorm_3_gamma[:, None, None] * batchnorm_3_x_hat + batchnorm_3_beta[:, None, None]
    # add_1
    # add_1_a[n, c, h, w] = activation_1_a[n, c, h, w] + batchnorm_3_a[n, c, h, w]
    add_1_a = activation_1_a + batchnorm_3_a
    # activation_3
    # activation_3_a[n, c, h, w] = add_1_a[n, c, h, w] [add_1_a[n, c, h, w] > 0]
    activation_3_a = np.where(add_1_a <= 0.0, 0.0, add_1_a)
    # avgpool2d_1
    # avgpool2d_1_a[n, c, p, q] = (Σ_{i, j} activation_3_a[n, c, 2 p + i, 2 q + j])/4
    window_1 = np.zeros((n, 16, 4, 4), params.dtype)
    for i in range(2):
        for j in range(2):
            window_1[...] += activation_3_a[:, :, i::2, j::2]
    avgpool2d_1_a = window_1 / 4.0
    # flatten_1
    # flatten_1_a[n, k] = avgpool2d_1_a[n, floor(k/16), floor(k/4) mod 4, k mod 4]
    flatten_1_a = avgpool2d_1_a.reshape(n, 256)
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
    # batchnorm_3
    # grad_batchnorm_3_a[n, c, h, w] = grad_flatten_1_a[n, 4 floor(h/2) + 16 c + floor(w/2)] [activation_3_a[n, c, h, w] > 0]/4
    grad_batchnorm_3_a = np.zeros((n, 16, 8, 8), params.dtype)
    for i in range(2):
        for j in range(2):
            grad_batchnorm_3_a[:, :, i::2, j::2] = (
                np.where(activation_3_a[:, :, i::2, j::2] <= 0.0, 0.0, grad_flatten_1_a.reshape(n, 16, 4, 4) / 4.0)
            )
    # grad_batchnorm_3_gamma[c] = Σ_{n, h, w} grad_batchnorm_3_a[n, c, h, w] batchnorm_3_x_hat[n, c, h, w]
    grad_batchnorm_3_gamma[...] = np.einsum("nchw,nchw->c", grad_batchnorm_3_a, batchnorm_3_x_hat)
    # grad_batchnorm_3_beta[c] = Σ_{n, h, w} grad_batchnorm_3_a[n, c, h, w]
    grad_batchnorm_3_beta[...] = np.sum(grad_batchnorm_3_a.transpose(1, 0, 2, 3), axis=(-3, -2, -1))
    # conv2d_3
    # delta_conv2d_3[n, k, p, q] = (64 grad_batchnorm_3_a[n, k, p, q] N − Σ_{i, h, w} grad_batchnorm_3_a[i, k, h, w]
    #     − batchnorm_3_x_hat[n, k, p, q] Σ_{i, h, w} grad_batchnorm_3_a[i, k, h, w] batchnorm_3_x_hat[i, k, h, w])
    #     · batchnorm_3_gamma[k]/(64 batchnorm_3_sigma[k] N)
    delta_conv2d_3 = (
        (64.0 * n * grad_batchnorm_3_a - np.einsum("ikhw,ikhw->k", grad_batchnorm_3_a, batchnorm_3_x_hat)[:, None, None] * batchnorm_3_x_hat
        - np.sum(grad_batchnorm_3_a.transpose(1, 0, 2, 3), axis=(-3, -2, -1))[:, None, None]) * batchnorm_3_gamma[:, None, None] / (64.0 * n
        * batchnorm_3_sigma[:, None, None])
    )
    # grad_conv2d_3_W[k, c, u, v] = Σ_{n, p, q} delta_conv2d_3[n, k, p, q] activation_2_a[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1
    #     < 8] [0 ≤ q + v − 1 < 8]
    grad_conv2d_3_W[...] = 0.0
    for u in range(3):
        p0, p1 = max(0, 1 - u), min(8, 9 - u)
        for v in range(3):
            q0, q1 = max(0, 1 - v), min(8, 9 - v)
            grad_conv2d_3_W[:, :, u, v] = (
                np.einsum("nkpq,ncpq->kc", delta_conv2d_3[:, :, p0:p1, q0:q1], activation_2_a[:, :, p0 + u - 1:p1 + u - 1, q0 + v - 1:q1 + v
                - 1])
            )
    # batchnorm_2
    # grad_batchnorm_2_a[n, c, h, w] = [activation_2_a[n, c, h, w] > 0] Σ_{k, u, v} conv2d_3_W[k, c, u, v] delta_conv2d_3[n, k, 1 + h
    #     − u, 1 + w − v] [0 ≤ 1 + h − u < 8] [0 ≤ 1 + w − v < 8]
    window_1 = np.zeros((n, 16, 8, 8), params.dtype)
    for u in range(3):
        h0, h1 = max(0, u - 1), min(8, u + 7)
        for v in range(3):
            w0, w1 = max(0, v - 1), min(8, v + 7)
            window_1[:, :, h0:h1, w0:w1] += (
                np.einsum("kc,nkhw->nchw", conv2d_3_W[:, :, u, v], delta_conv2d_3[:, :, h0 + 1 - u:h1 + 1 - u, w0 + 1 - v:w1 + 1 - v])
            )
    grad_batchnorm_2_a = np.where(activation_2_a <= 0.0, 0.0, window_1)
    # grad_batchnorm_2_gamma[c] = Σ_{n, h, w} grad_batchnorm_2_a[n, c, h, w] batchnorm_2_x_hat[n, c, h, w]
    grad_batchnorm_2_gamma[...] = np.einsum("nchw,nchw->c", grad_batchnorm_2_a, batchnorm_2_x_hat)
    # grad_batchnorm_2_beta[c] = Σ_{n, h, w} grad_batchnorm_2_a[n, c, h, w]
    grad_batchnorm_2_beta[...] = np.sum(grad_batchnorm_2_a.transpose(1, 0, 2, 3), axis=(-3, -2, -1))
    # conv2d_2
    # delta_conv2d_2[n, k, p, q] = (64 grad_batchnorm_2_a[n, k, p, q] N − Σ_{i, h, w} grad_batchnorm_2_a[i, k, h, w]
    #     − batchnorm_2_x_hat[n, k, p, q] Σ_{i, h, w} grad_batchnorm_2_a[i, k, h, w] batchnorm_2_x_hat[i, k, h, w])
    #     · batchnorm_2_gamma[k]/(64 batchnorm_2_sigma[k] N)
    delta_conv2d_2 = (
        (64.0 * n * grad_batchnorm_2_a - np.einsum("ikhw,ikhw->k", grad_batchnorm_2_a, batchnorm_2_x_hat)[:, None, None] * batchnorm_2_x_hat
        - np.sum(grad_batchnorm_2_a.transpose(1, 0, 2, 3), axis=(-3, -2, -1))[:, None, None]) * batchnorm_2_gamma[:, None, None] / (64.0 * n
        * batchnorm_2_sigma[:, None, None])
    )
    # grad_conv2d_2_W[k, c, u, v] = Σ_{n, p, q} delta_conv2d_2[n, k, p, q] activation_1_a[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1
    #     < 8] [0 ≤ q + v − 1 < 8]
    grad_conv2d_2_W[...] = 0.0
    for u in range(3):
        p0, p1 = max(0, 1 - u), min(8, 9 - u)
        for v in range(3):
            q0, q1 = max(0, 1 - v), min(8, 9 - v)
            grad_conv2d_2_W[:, :, u, v] = (
                np.einsum("nkpq,ncpq->kc", delta_conv2d_2[:, :, p0:p1, q0:q1], activation_1_a[:, :, p0 + u - 1:p1 + u - 1, q0 + v - 1:q1 + v
                - 1])
            )
    # batchnorm_1
    # grad_batchnorm_1_a[n, c, h, w] = (grad_flatten_1_a[n, 4 floor(h/2) + 16 c + floor(w/2)] [activation_3_a[n, c, h, w] > 0]/4 + Σ_{k,
    #     u, v} conv2d_2_W[k, c, u, v] delta_conv2d_2[n, k, 1 + h − u, 1 + w − v] [0 ≤ 1 + h − u < 8] [0 ≤ 1 + w − v < 8])
    #     · [activation_1_a[n, c, h, w] > 0]
    window_1 = np.zeros((n, 16, 8, 8), params.dtype)
    for u in range(3):
        h0, h1 = max(0, u - 1), min(8, u + 7)
        for v in range(3):
            w0, w1 = max(0, v - 1), min(8, v + 7)
            window_1[:, :, h0:h1, w0:w1] += (
                np.einsum("kc,nkhw->nchw", conv2d_2_W[:, :, u, v], delta_conv2d_2[:, :, h0 + 1 - u:h1 + 1 - u, w0 + 1 - v:w1 + 1 - v])
            )
    grad_batchnorm_1_a = (
        np.where(activation_1_a <= 0.0, 0.0, np.where(activation_3_a <= 0.0, 0.0, grad_flatten_1_a[np.arange(n)[:, None, None, None],
        np.clip((16 * np.arange(16))[:, None, None] + (4 * (np.arange(8) // 2))[:, None] + np.arange(8) // 2, 0, 256 - 1)] / 4.0)
        + window_1)
    )
    # grad_batchnorm_1_gamma[c] = Σ_{n, h, w} grad_batchnorm_1_a[n, c, h, w] batchnorm_1_x_hat[n, c, h, w]
    grad_batchnorm_1_gamma[...] = np.einsum("nchw,nchw->c", grad_batchnorm_1_a, batchnorm_1_x_hat)
    # grad_batchnorm_1_beta[c] = Σ_{n, h, w} grad_batchnorm_1_a[n, c, h, w]
    grad_batchnorm_1_beta[...] = np.sum(grad_batchnorm_1_a.transpose(1, 0, 2, 3), axis=(-3, -2, -1))
    # conv2d_1
    # delta_conv2d_1[n, k, p, q] = (64 grad_batchnorm_1_a[n, k, p, q] N − Σ_{i, h, w} grad_batchnorm_1_a[i, k, h, w]
    #     − batchnorm_1_x_hat[n, k, p, q] Σ_{i, h, w} grad_batchnorm_1_a[i, k, h, w] batchnorm_1_x_hat[i, k, h, w])
    #     · batchnorm_1_gamma[k]/(64 batchnorm_1_sigma[k] N)
    delta_conv2d_1 = (
        (64.0 * n * grad_batchnorm_1_a - np.einsum("ikhw,ikhw->k", grad_batchnorm_1_a, batchnorm_1_x_hat)[:, None, None] * batchnorm_1_x_hat
        - np.sum(grad_batchnorm_1_a.transpose(1, 0, 2, 3), axis=(-3, -2, -1))[:, None, None]) * batchnorm_1_gamma[:, None, None] / (64.0 * n
        * batchnorm_1_sigma[:, None, None])
    )
    # grad_conv2d_1_W[k, c, u, v] = Σ_{n, p, q} delta_conv2d_1[n, k, p, q] x[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q + v
    #     − 1 < 8]
    grad_conv2d_1_W[...] = 0.0
    for u in range(3):
        p0, p1 = max(0, 1 - u), min(8, 9 - u)
        for v in range(3):
            q0, q1 = max(0, 1 - v), min(8, 9 - v)
            grad_conv2d_1_W[:, :, u, v] = (
                np.einsum("nkpq,ncpq->kc", delta_conv2d_1[:, :, p0:p1, q0:q1], x[:, :, p0 + u - 1:p1 + u - 1, q0 + v - 1:q1 + v - 1])
            )
    return float(loss_)


def input_gradients(params, x, y, grads_x, work=None):
    """Return the loss of a batch and write its gradient with respect to the inputs."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    conv2d_1_W = params[0:144].reshape(16, 1, 3, 3)
    batchnorm_1_beta = params[160:176]
    batchnorm_1_gamma = params[144:160]
    conv2d_2_W = params[176:2480].reshape(16, 16, 3, 3)
    batchnorm_2_beta = params[2496:2512]
    batchnorm_2_gamma = params[2480:2496]
    conv2d_3_W = params[2512:4816].reshape(16, 16, 3, 3)
    batchnorm_3_beta = params[4832:4848]
    batchnorm_3_gamma = params[4816:4832]
    dense_1_W = params[4848:7408].reshape(10, 256)
    dense_1_b = params[7408:7418]
    # conv2d_1
    # conv2d_1_z[n, k, p, q] = Σ_{c, u, v} conv2d_1_W[k, c, u, v] x[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q + v − 1 < 8]
    conv2d_1_z = np.zeros((n, 16, 8, 8), params.dtype)
    for u in range(3):
        p0, p1 = max(0, 1 - u), min(8, 9 - u)
        for v in range(3):
            q0, q1 = max(0, 1 - v), min(8, 9 - v)
            conv2d_1_z[:, :, p0:p1, q0:q1] += (
                np.einsum("kc,ncpq->nkpq", conv2d_1_W[:, :, u, v], x[:, :, p0 + u - 1:p1 + u - 1, q0 + v - 1:q1 + v - 1])
            )
    # batchnorm_1
    # batchnorm_1_mu[c] = (Σ_{n, h, w} conv2d_1_z[n, c, h, w])/(64 N)
    batchnorm_1_mu = np.sum(conv2d_1_z.transpose(1, 0, 2, 3), axis=(-3, -2, -1)) / (64.0 * n)
    # batchnorm_1_v[c] = (Σ_{n, h, w} (conv2d_1_z[n, c, h, w] − batchnorm_1_mu[c])²)/(64 N)
    batchnorm_1_v = np.sum((conv2d_1_z.transpose(1, 0, 2, 3) - batchnorm_1_mu[:, None, None, None])**2, axis=(-3, -2, -1)) / (64.0 * n)
    # batchnorm_1_sigma[c] = √(1e−05 + batchnorm_1_v[c])
    batchnorm_1_sigma = np.sqrt(batchnorm_1_v + 1e-05)
    # batchnorm_1_x_hat[n, c, h, w] = (conv2d_1_z[n, c, h, w] − batchnorm_1_mu[c])/batchnorm_1_sigma[c]
    batchnorm_1_x_hat = (conv2d_1_z - batchnorm_1_mu[:, None, None]) / batchnorm_1_sigma[:, None, None]
    # batchnorm_1_a[n, c, h, w] = batchnorm_1_gamma[c] batchnorm_1_x_hat[n, c, h, w] + batchnorm_1_beta[c]
    batchnorm_1_a = batchnorm_1_gamma[:, None, None] * batchnorm_1_x_hat + batchnorm_1_beta[:, None, None]
    # activation_1
    # activation_1_a[n, c, h, w] = batchnorm_1_a[n, c, h, w] [batchnorm_1_a[n, c, h, w] > 0]
    activation_1_a = np.where(batchnorm_1_a <= 0.0, 0.0, batchnorm_1_a)
    # conv2d_2
    # conv2d_2_z[n, k, p, q] = Σ_{c, u, v} conv2d_2_W[k, c, u, v] activation_1_a[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q
    #     + v − 1 < 8]
    conv2d_2_z = np.zeros((n, 16, 8, 8), params.dtype)
    for u in range(3):
        p0, p1 = max(0, 1 - u), min(8, 9 - u)
        for v in range(3):
            q0, q1 = max(0, 1 - v), min(8, 9 - v)
            conv2d_2_z[:, :, p0:p1, q0:q1] += (
                np.einsum("kc,ncpq->nkpq", conv2d_2_W[:, :, u, v], activation_1_a[:, :, p0 + u - 1:p1 + u - 1, q0 + v - 1:q1 + v - 1])
            )
    # batchnorm_2
    # batchnorm_2_mu[c] = (Σ_{n, h, w} conv2d_2_z[n, c, h, w])/(64 N)
    batchnorm_2_mu = np.sum(conv2d_2_z.transpose(1, 0, 2, 3), axis=(-3, -2, -1)) / (64.0 * n)
    # batchnorm_2_v[c] = (Σ_{n, h, w} (conv2d_2_z[n, c, h, w] − batchnorm_2_mu[c])²)/(64 N)
    batchnorm_2_v = np.sum((conv2d_2_z.transpose(1, 0, 2, 3) - batchnorm_2_mu[:, None, None, None])**2, axis=(-3, -2, -1)) / (64.0 * n)
    # batchnorm_2_sigma[c] = √(1e−05 + batchnorm_2_v[c])
    batchnorm_2_sigma = np.sqrt(batchnorm_2_v + 1e-05)
    # batchnorm_2_x_hat[n, c, h, w] = (conv2d_2_z[n, c, h, w] − batchnorm_2_mu[c])/batchnorm_2_sigma[c]
    batchnorm_2_x_hat = (conv2d_2_z - batchnorm_2_mu[:, None, None]) / batchnorm_2_sigma[:, None, None]
    # batchnorm_2_a[n, c, h, w] = batchnorm_2_gamma[c] batchnorm_2_x_hat[n, c, h, w] + batchnorm_2_beta[c]
    batchnorm_2_a = batchnorm_2_gamma[:, None, None] * batchnorm_2_x_hat + batchnorm_2_beta[:, None, None]
    # activation_2
    # activation_2_a[n, c, h, w] = batchnorm_2_a[n, c, h, w] [batchnorm_2_a[n, c, h, w] > 0]
    activation_2_a = np.where(batchnorm_2_a <= 0.0, 0.0, batchnorm_2_a)
    # conv2d_3
    # conv2d_3_z[n, k, p, q] = Σ_{c, u, v} conv2d_3_W[k, c, u, v] activation_2_a[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q
    #     + v − 1 < 8]
    conv2d_3_z = np.zeros((n, 16, 8, 8), params.dtype)
    for u in range(3):
        p0, p1 = max(0, 1 - u), min(8, 9 - u)
        for v in range(3):
            q0, q1 = max(0, 1 - v), min(8, 9 - v)
            conv2d_3_z[:, :, p0:p1, q0:q1] += (
                np.einsum("kc,ncpq->nkpq", conv2d_3_W[:, :, u, v], activation_2_a[:, :, p0 + u - 1:p1 + u - 1, q0 + v - 1:q1 + v - 1])
            )
    # batchnorm_3
    # batchnorm_3_mu[c] = (Σ_{n, h, w} conv2d_3_z[n, c, h, w])/(64 N)
    batchnorm_3_mu = np.sum(conv2d_3_z.transpose(1, 0, 2, 3), axis=(-3, -2, -1)) / (64.0 * n)
    # batchnorm_3_v[c] = (Σ_{n, h, w} (conv2d_3_z[n, c, h, w] − batchnorm_3_mu[c])²)/(64 N)
    batchnorm_3_v = np.sum((conv2d_3_z.transpose(1, 0, 2, 3) - batchnorm_3_mu[:, None, None, None])**2, axis=(-3, -2, -1)) / (64.0 * n)
    # batchnorm_3_sigma[c] = √(1e−05 + batchnorm_3_v[c])
    batchnorm_3_sigma = np.sqrt(batchnorm_3_v + 1e-05)
    # batchnorm_3_x_hat[n, c, h, w] = (conv2d_3_z[n, c, h, w] − batchnorm_3_mu[c])/batchnorm_3_sigma[c]
    batchnorm_3_x_hat = (conv2d_3_z - batchnorm_3_mu[:, None, None]) / batchnorm_3_sigma[:, None, None]
    # batchnorm_3_a[n, c, h, w] = batchnorm_3_gamma[c] batchnorm_3_x_hat[n, c, h, w] + batchnorm_3_beta[c]
    batchnorm_3_a = batchnorm_3_gamma[:, None, None] * batchnorm_3_x_hat + batchnorm_3_beta[:, None, None]
    # add_1
    # add_1_a[n, c, h, w] = activation_1_a[n, c, h, w] + batchnorm_3_a[n, c, h, w]
    add_1_a = activation_1_a + batchnorm_3_a
    # activation_3
    # activation_3_a[n, c, h, w] = add_1_a[n, c, h, w] [add_1_a[n, c, h, w] > 0]
    activation_3_a = np.where(add_1_a <= 0.0, 0.0, add_1_a)
    # avgpool2d_1
    # avgpool2d_1_a[n, c, p, q] = (Σ_{i, j} activation_3_a[n, c, 2 p + i, 2 q + j])/4
    window_1 = np.zeros((n, 16, 4, 4), params.dtype)
    for i in range(2):
        for j in range(2):
            window_1[...] += activation_3_a[:, :, i::2, j::2]
    avgpool2d_1_a = window_1 / 4.0
    # flatten_1
    # flatten_1_a[n, k] = avgpool2d_1_a[n, floor(k/16), floor(k/4) mod 4, k mod 4]
    flatten_1_a = avgpool2d_1_a.reshape(n, 256)
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
    # batchnorm_3
    # grad_batchnorm_3_a[n, c, h, w] = grad_flatten_1_a[n, 4 floor(h/2) + 16 c + floor(w/2)] [activation_3_a[n, c, h, w] > 0]/4
    grad_batchnorm_3_a = np.zeros((n, 16, 8, 8), params.dtype)
    for i in range(2):
        for j in range(2):
            grad_batchnorm_3_a[:, :, i::2, j::2] = (
                np.where(activation_3_a[:, :, i::2, j::2] <= 0.0, 0.0, grad_flatten_1_a.reshape(n, 16, 4, 4) / 4.0)
            )
    # conv2d_3
    # delta_conv2d_3[n, k, p, q] = (64 grad_batchnorm_3_a[n, k, p, q] N − Σ_{i, h, w} grad_batchnorm_3_a[i, k, h, w]
    #     − batchnorm_3_x_hat[n, k, p, q] Σ_{i, h, w} grad_batchnorm_3_a[i, k, h, w] batchnorm_3_x_hat[i, k, h, w])
    #     · batchnorm_3_gamma[k]/(64 batchnorm_3_sigma[k] N)
    delta_conv2d_3 = (
        (64.0 * n * grad_batchnorm_3_a - np.einsum("ikhw,ikhw->k", grad_batchnorm_3_a, batchnorm_3_x_hat)[:, None, None] * batchnorm_3_x_hat
        - np.sum(grad_batchnorm_3_a.transpose(1, 0, 2, 3), axis=(-3, -2, -1))[:, None, None]) * batchnorm_3_gamma[:, None, None] / (64.0 * n
        * batchnorm_3_sigma[:, None, None])
    )
    # batchnorm_2
    # grad_batchnorm_2_a[n, c, h, w] = [activation_2_a[n, c, h, w] > 0] Σ_{k, u, v} conv2d_3_W[k, c, u, v] delta_conv2d_3[n, k, 1 + h
    #     − u, 1 + w − v] [0 ≤ 1 + h − u < 8] [0 ≤ 1 + w − v < 8]
    window_1 = np.zeros((n, 16, 8, 8), params.dtype)
    for u in range(3):
        h0, h1 = max(0, u - 1), min(8, u + 7)
        for v in range(3):
            w0, w1 = max(0, v - 1), min(8, v + 7)
            window_1[:, :, h0:h1, w0:w1] += (
                np.einsum("kc,nkhw->nchw", conv2d_3_W[:, :, u, v], delta_conv2d_3[:, :, h0 + 1 - u:h1 + 1 - u, w0 + 1 - v:w1 + 1 - v])
            )
    grad_batchnorm_2_a = np.where(activation_2_a <= 0.0, 0.0, window_1)
    # conv2d_2
    # delta_conv2d_2[n, k, p, q] = (64 grad_batchnorm_2_a[n, k, p, q] N − Σ_{i, h, w} grad_batchnorm_2_a[i, k, h, w]
    #     − batchnorm_2_x_hat[n, k, p, q] Σ_{i, h, w} grad_batchnorm_2_a[i, k, h, w] batchnorm_2_x_hat[i, k, h, w])
    #     · batchnorm_2_gamma[k]/(64 batchnorm_2_sigma[k] N)
    delta_conv2d_2 = (
        (64.0 * n * grad_batchnorm_2_a - np.einsum("ikhw,ikhw->k", grad_batchnorm_2_a, batchnorm_2_x_hat)[:, None, None] * batchnorm_2_x_hat
        - np.sum(grad_batchnorm_2_a.transpose(1, 0, 2, 3), axis=(-3, -2, -1))[:, None, None]) * batchnorm_2_gamma[:, None, None] / (64.0 * n
        * batchnorm_2_sigma[:, None, None])
    )
    # batchnorm_1
    # grad_batchnorm_1_a[n, c, h, w] = (grad_flatten_1_a[n, 4 floor(h/2) + 16 c + floor(w/2)] [activation_3_a[n, c, h, w] > 0]/4 + Σ_{k,
    #     u, v} conv2d_2_W[k, c, u, v] delta_conv2d_2[n, k, 1 + h − u, 1 + w − v] [0 ≤ 1 + h − u < 8] [0 ≤ 1 + w − v < 8])
    #     · [activation_1_a[n, c, h, w] > 0]
    window_1 = np.zeros((n, 16, 8, 8), params.dtype)
    for u in range(3):
        h0, h1 = max(0, u - 1), min(8, u + 7)
        for v in range(3):
            w0, w1 = max(0, v - 1), min(8, v + 7)
            window_1[:, :, h0:h1, w0:w1] += (
                np.einsum("kc,nkhw->nchw", conv2d_2_W[:, :, u, v], delta_conv2d_2[:, :, h0 + 1 - u:h1 + 1 - u, w0 + 1 - v:w1 + 1 - v])
            )
    grad_batchnorm_1_a = (
        np.where(activation_1_a <= 0.0, 0.0, np.where(activation_3_a <= 0.0, 0.0, grad_flatten_1_a[np.arange(n)[:, None, None, None],
        np.clip((16 * np.arange(16))[:, None, None] + (4 * (np.arange(8) // 2))[:, None] + np.arange(8) // 2, 0, 256 - 1)] / 4.0)
        + window_1)
    )
    # conv2d_1
    # delta_conv2d_1[n, k, p, q] = (64 grad_batchnorm_1_a[n, k, p, q] N − Σ_{i, h, w} grad_batchnorm_1_a[i, k, h, w]
    #     − batchnorm_1_x_hat[n, k, p, q] Σ_{i, h, w} grad_batchnorm_1_a[i, k, h, w] batchnorm_1_x_hat[i, k, h, w])
    #     · batchnorm_1_gamma[k]/(64 batchnorm_1_sigma[k] N)
    delta_conv2d_1 = (
        (64.0 * n * grad_batchnorm_1_a - np.einsum("ikhw,ikhw->k", grad_batchnorm_1_a, batchnorm_1_x_hat)[:, None, None] * batchnorm_1_x_hat
        - np.sum(grad_batchnorm_1_a.transpose(1, 0, 2, 3), axis=(-3, -2, -1))[:, None, None]) * batchnorm_1_gamma[:, None, None] / (64.0 * n
        * batchnorm_1_sigma[:, None, None])
    )
    # x
    # grads_x[n, c, h, w] = Σ_{k, u, v} conv2d_1_W[k, c, u, v] delta_conv2d_1[n, k, 1 + h − u, 1 + w − v] [0 ≤ 1 + h − u < 8] [0 ≤ 1 + w
    #     − v < 8]
    grads_x[...] = 0.0
    for u in range(3):
        h0, h1 = max(0, u - 1), min(8, u + 7)
        for v in range(3):
            w0, w1 = max(0, v - 1), min(8, v + 7)
            grads_x[:, :, h0:h1, w0:w1] += (
                np.einsum("kc,nkhw->nchw", conv2d_1_W[:, :, u, v], delta_conv2d_1[:, :, h0 + 1 - u:h1 + 1 - u, w0 + 1 - v:w1 + 1 - v])
            )
    return float(loss_)


def update_statistics(params, x, y, work=None):
    """Write the next running statistics into params: those of before, and those of this batch."""
    n = x.shape[0]
    conv2d_1_W = params[0:144].reshape(16, 1, 3, 3)
    batchnorm_1_beta = params[160:176]
    batchnorm_1_gamma = params[144:160]
    conv2d_2_W = params[176:2480].reshape(16, 16, 3, 3)
    batchnorm_2_beta = params[2496:2512]
    batchnorm_2_gamma = params[2480:2496]
    conv2d_3_W = params[2512:4816].reshape(16, 16, 3, 3)
    batchnorm_1_running_mean = params[7418:7434]
    batchnorm_1_running_var = params[7434:7450]
    batchnorm_2_running_mean = params[7450:7466]
    batchnorm_2_running_var = params[7466:7482]
    batchnorm_3_running_mean = params[7482:7498]
    batchnorm_3_running_var = params[7498:7514]
    # conv2d_1
    # conv2d_1_z[n, k, p, q] = Σ_{c, u, v} conv2d_1_W[k, c, u, v] x[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q + v − 1 < 8]
    conv2d_1_z = np.zeros((n, 16, 8, 8), params.dtype)
    for u in range(3):
        p0, p1 = max(0, 1 - u), min(8, 9 - u)
        for v in range(3):
            q0, q1 = max(0, 1 - v), min(8, 9 - v)
            conv2d_1_z[:, :, p0:p1, q0:q1] += (
                np.einsum("kc,ncpq->nkpq", conv2d_1_W[:, :, u, v], x[:, :, p0 + u - 1:p1 + u - 1, q0 + v - 1:q1 + v - 1])
            )
    # batchnorm_1
    # batchnorm_1_mu[c] = (Σ_{n, h, w} conv2d_1_z[n, c, h, w])/(64 N)
    batchnorm_1_mu = np.sum(conv2d_1_z.transpose(1, 0, 2, 3), axis=(-3, -2, -1)) / (64.0 * n)
    # batchnorm_1_v[c] = (Σ_{n, h, w} (conv2d_1_z[n, c, h, w] − batchnorm_1_mu[c])²)/(64 N)
    batchnorm_1_v = np.sum((conv2d_1_z.transpose(1, 0, 2, 3) - batchnorm_1_mu[:, None, None, None])**2, axis=(-3, -2, -1)) / (64.0 * n)
    # batchnorm_1_sigma[c] = √(1e−05 + batchnorm_1_v[c])
    batchnorm_1_sigma = np.sqrt(batchnorm_1_v + 1e-05)
    # batchnorm_1_x_hat[n, c, h, w] = (conv2d_1_z[n, c, h, w] − batchnorm_1_mu[c])/batchnorm_1_sigma[c]
    batchnorm_1_x_hat = (conv2d_1_z - batchnorm_1_mu[:, None, None]) / batchnorm_1_sigma[:, None, None]
    # batchnorm_1_a[n, c, h, w] = batchnorm_1_gamma[c] batchnorm_1_x_hat[n, c, h, w] + batchnorm_1_beta[c]
    batchnorm_1_a = batchnorm_1_gamma[:, None, None] * batchnorm_1_x_hat + batchnorm_1_beta[:, None, None]
    # activation_1
    # activation_1_a[n, c, h, w] = batchnorm_1_a[n, c, h, w] [batchnorm_1_a[n, c, h, w] > 0]
    activation_1_a = np.where(batchnorm_1_a <= 0.0, 0.0, batchnorm_1_a)
    # conv2d_2
    # conv2d_2_z[n, k, p, q] = Σ_{c, u, v} conv2d_2_W[k, c, u, v] activation_1_a[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q
    #     + v − 1 < 8]
    conv2d_2_z = np.zeros((n, 16, 8, 8), params.dtype)
    for u in range(3):
        p0, p1 = max(0, 1 - u), min(8, 9 - u)
        for v in range(3):
            q0, q1 = max(0, 1 - v), min(8, 9 - v)
            conv2d_2_z[:, :, p0:p1, q0:q1] += (
                np.einsum("kc,ncpq->nkpq", conv2d_2_W[:, :, u, v], activation_1_a[:, :, p0 + u - 1:p1 + u - 1, q0 + v - 1:q1 + v - 1])
            )
    # batchnorm_2
    # batchnorm_2_mu[c] = (Σ_{n, h, w} conv2d_2_z[n, c, h, w])/(64 N)
    batchnorm_2_mu = np.sum(conv2d_2_z.transpose(1, 0, 2, 3), axis=(-3, -2, -1)) / (64.0 * n)
    # batchnorm_2_v[c] = (Σ_{n, h, w} (conv2d_2_z[n, c, h, w] − batchnorm_2_mu[c])²)/(64 N)
    batchnorm_2_v = np.sum((conv2d_2_z.transpose(1, 0, 2, 3) - batchnorm_2_mu[:, None, None, None])**2, axis=(-3, -2, -1)) / (64.0 * n)
    # batchnorm_2_sigma[c] = √(1e−05 + batchnorm_2_v[c])
    batchnorm_2_sigma = np.sqrt(batchnorm_2_v + 1e-05)
    # batchnorm_2_x_hat[n, c, h, w] = (conv2d_2_z[n, c, h, w] − batchnorm_2_mu[c])/batchnorm_2_sigma[c]
    batchnorm_2_x_hat = (conv2d_2_z - batchnorm_2_mu[:, None, None]) / batchnorm_2_sigma[:, None, None]
    # batchnorm_2_a[n, c, h, w] = batchnorm_2_gamma[c] batchnorm_2_x_hat[n, c, h, w] + batchnorm_2_beta[c]
    batchnorm_2_a = batchnorm_2_gamma[:, None, None] * batchnorm_2_x_hat + batchnorm_2_beta[:, None, None]
    # activation_2
    # activation_2_a[n, c, h, w] = batchnorm_2_a[n, c, h, w] [batchnorm_2_a[n, c, h, w] > 0]
    activation_2_a = np.where(batchnorm_2_a <= 0.0, 0.0, batchnorm_2_a)
    # conv2d_3
    # conv2d_3_z[n, k, p, q] = Σ_{c, u, v} conv2d_3_W[k, c, u, v] activation_2_a[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 8] [0 ≤ q
    #     + v − 1 < 8]
    conv2d_3_z = np.zeros((n, 16, 8, 8), params.dtype)
    for u in range(3):
        p0, p1 = max(0, 1 - u), min(8, 9 - u)
        for v in range(3):
            q0, q1 = max(0, 1 - v), min(8, 9 - v)
            conv2d_3_z[:, :, p0:p1, q0:q1] += (
                np.einsum("kc,ncpq->nkpq", conv2d_3_W[:, :, u, v], activation_2_a[:, :, p0 + u - 1:p1 + u - 1, q0 + v - 1:q1 + v - 1])
            )
    # batchnorm_3
    # batchnorm_3_mu[c] = (Σ_{n, h, w} conv2d_3_z[n, c, h, w])/(64 N)
    batchnorm_3_mu = np.sum(conv2d_3_z.transpose(1, 0, 2, 3), axis=(-3, -2, -1)) / (64.0 * n)
    # batchnorm_3_v[c] = (Σ_{n, h, w} (conv2d_3_z[n, c, h, w] − batchnorm_3_mu[c])²)/(64 N)
    batchnorm_3_v = np.sum((conv2d_3_z.transpose(1, 0, 2, 3) - batchnorm_3_mu[:, None, None, None])**2, axis=(-3, -2, -1)) / (64.0 * n)
    # batchnorm_1
    # batchnorm_1_running_mean_next[c] = batchnorm_1_mu[c]/10 + (9/10) · batchnorm_1_running_mean[c]
    batchnorm_1_running_mean_next = batchnorm_1_mu / 10.0 + 9.0 * batchnorm_1_running_mean / 10.0
    # batchnorm_1_running_var_next[c] = (9/10) · batchnorm_1_running_var[c] + (32/5) · batchnorm_1_v[c] N/(64 N − 1)
    batchnorm_1_running_var_next = 32.0 * n * batchnorm_1_v / (5.0 * (64.0 * n - 1.0)) + 9.0 * batchnorm_1_running_var / 10.0
    # batchnorm_2
    # batchnorm_2_running_mean_next[c] = batchnorm_2_mu[c]/10 + (9/10) · batchnorm_2_running_mean[c]
    batchnorm_2_running_mean_next = batchnorm_2_mu / 10.0 + 9.0 * batchnorm_2_running_mean / 10.0
    # batchnorm_2_running_var_next[c] = (9/10) · batchnorm_2_running_var[c] + (32/5) · batchnorm_2_v[c] N/(64 N − 1)
    batchnorm_2_running_var_next = 32.0 * n * batchnorm_2_v / (5.0 * (64.0 * n - 1.0)) + 9.0 * batchnorm_2_running_var / 10.0
    # batchnorm_3
    # batchnorm_3_running_mean_next[c] = batchnorm_3_mu[c]/10 + (9/10) · batchnorm_3_running_mean[c]
    batchnorm_3_running_mean_next = batchnorm_3_mu / 10.0 + 9.0 * batchnorm_3_running_mean / 10.0
    # batchnorm_3_running_var_next[c] = (9/10) · batchnorm_3_running_var[c] + (32/5) · batchnorm_3_v[c] N/(64 N − 1)
    batchnorm_3_running_var_next = 32.0 * n * batchnorm_3_v / (5.0 * (64.0 * n - 1.0)) + 9.0 * batchnorm_3_running_var / 10.0
    params[7418:7434] = batchnorm_1_running_mean_next
    params[7434:7450] = batchnorm_1_running_var_next
    params[7450:7466] = batchnorm_2_running_mean_next
    params[7466:7482] = batchnorm_2_running_var_next
    params[7482:7498] = batchnorm_3_running_mean_next
    params[7498:7514] = batchnorm_3_running_var_next


def update(params, grads, state, hyper):
    """Do one step of the optimizer with given gradients."""
    P = grads.size
    lr = float(hyper[0])
    beta1 = float(hyper[1])
    beta2 = float(hyper[2])
    eps = float(hyper[3])
    m = state[0:P]
    v = state[P:2 * P]
    t = float(state[2 * P])
    weights = params[:P]
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
    w_next = weights - lr * m_next / ((np.sqrt(v_next / c_2) + eps) * c_1)
    weights[...] = w_next
    m[...] = m_next
    v[...] = v_next
    state[2 * P] = t_next


def train_step(params, x, y, grads, state, hyper, work=None):
    """Return the loss and do one step of the optimizer; a loss that is not finite changes nothing."""
    value = value_and_grad(params, x, y, grads, work)
    if np.isfinite(value):
        update_statistics(params, x, y, work)
        update(params, grads, state, hyper)
    return value
