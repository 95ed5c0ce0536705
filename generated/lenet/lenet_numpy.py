"""The network lenet in NumPy, as its equations read; it needs NumPy only.

Written from the template numpy/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: 90a227246b807b8cb819dfb532e23198c230f7502977c0cc862c86936df611c3

params, grads and state are contiguous 1-D arrays of type float32; x has one sample a row; work is not used.
y has one number for each sample, integers from 0 to 9.
"""

import numpy as np

NAME = "lenet"
#: Name, offset and shape of each parameter in the flat buffers.
PARAMETERS = (
    ("conv2d_1.W", 0, (16, 1, 3, 3)),
    ("batchnorm_1.gamma", 144, (16,)),
    ("batchnorm_1.beta", 160, (16,)),
    ("conv2d_2.W", 176, (32, 16, 3, 3)),
    ("batchnorm_2.gamma", 4784, (32,)),
    ("batchnorm_2.beta", 4816, (32,)),
    ("dense_1.W", 4848, (10, 128)),
    ("dense_1.b", 6128, (10,)),
)
#: Name, offset, shape and first value of each running statistic; in params they lie behind the parameters.
STATISTICS = (
    ("batchnorm_1.running_mean", 6138, (16,), 0.0),
    ("batchnorm_1.running_var", 6154, (16,), 1.0),
    ("batchnorm_2.running_mean", 6170, (32,), 0.0),
    ("batchnorm_2.running_var", 6202, (32,), 1.0),
)
#: Name, shape of a sample and probability of a 1 of each random input; the others of its entries are 0.
MASKS = (
    ("dropout_1.mask", (128,), 0.8),
)
DTYPE = "float32"
#: The largest batch.
BATCH = 32
STATE_SIZE = 12277
#: The optimizer's numbers with their defaults, in the order of the array hyper.
HYPER = (
    ("lr", 0.01),
    ("beta1", 0.9),
    ("beta2", 0.999),
    ("eps", 1e-08),
    ("updates", 1125.0),
    ("minimum", 0.0),
    ("weight_decay", 1.0),
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
    batchnorm_1_running_var = params[6154:6170]
    batchnorm_1_running_mean = params[6138:6154]
    batchnorm_1_beta = params[160:176]
    batchnorm_1_gamma = params[144:160]
    conv2d_2_W = params[176:4784].reshape(32, 16, 3, 3)
    batchnorm_2_running_var = params[6202:6234]
    batchnorm_2_running_mean = params[6170:6202]
    batchnorm_2_beta = params[4816:4848]
    batchnorm_2_gamma = params[4784:4816]
    dense_1_W = params[4848:6128].reshape(10, 128)
    dense_1_b = params[6128:6138]
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
    # maxpool2d_1
    # maxpool2d_1_a[n, c, p, q] = max_{i, j} activation_1_a[n, c, 2 p + i, 2 q + j]
    maxpool2d_1_a = np.max([activation_1_a[:, :, i::2, j::2] for i in range(2) for j in range(2)], axis=0)
    # conv2d_2
    # conv2d_2_z[n, k, p, q] = Σ_{c, u, v} conv2d_2_W[k, c, u, v] maxpool2d_1_a[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 4] [0 ≤ q
    #     + v − 1 < 4]
    conv2d_2_z = np.zeros((n, 32, 4, 4), params.dtype)
    for u in range(3):
        p0, p1 = max(0, 1 - u), min(4, 5 - u)
        for v in range(3):
            q0, q1 = max(0, 1 - v), min(4, 5 - v)
            conv2d_2_z[:, :, p0:p1, q0:q1] += (
                np.einsum("kc,ncpq->nkpq", conv2d_2_W[:, :, u, v], maxpool2d_1_a[:, :, p0 + u - 1:p1 + u - 1, q0 + v - 1:q1 + v - 1])
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
    # maxpool2d_2
    # maxpool2d_2_a[n, c, p, q] = max_{i, j} activation_2_a[n, c, 2 p + i, 2 q + j]
    maxpool2d_2_a = np.max([activation_2_a[:, :, i::2, j::2] for i in range(2) for j in range(2)], axis=0)
    # flatten_1
    # flatten_1_a[n, k] = maxpool2d_2_a[n, floor(k/4), floor(k/2) mod 2, k mod 2]
    flatten_1_a = maxpool2d_2_a.reshape(n, 128)
    # dropout_1
    # dropout_1_a[n, i] = flatten_1_a[n, i]
    dropout_1_a = flatten_1_a
    # dense_1
    # out[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] dropout_1_a[n, j]
    out[...] = dense_1_b + dropout_1_a @ dense_1_W.T


def evaluation(params, x, y, work=None):
    """Return the loss of a batch in inference."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    conv2d_1_W = params[0:144].reshape(16, 1, 3, 3)
    batchnorm_1_running_var = params[6154:6170]
    batchnorm_1_running_mean = params[6138:6154]
    batchnorm_1_beta = params[160:176]
    batchnorm_1_gamma = params[144:160]
    conv2d_2_W = params[176:4784].reshape(32, 16, 3, 3)
    batchnorm_2_running_var = params[6202:6234]
    batchnorm_2_running_mean = params[6170:6202]
    batchnorm_2_beta = params[4816:4848]
    batchnorm_2_gamma = params[4784:4816]
    dense_1_W = params[4848:6128].reshape(10, 128)
    dense_1_b = params[6128:6138]
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
    # maxpool2d_1
    # maxpool2d_1_a[n, c, p, q] = max_{i, j} activation_1_a[n, c, 2 p + i, 2 q + j]
    maxpool2d_1_a = np.max([activation_1_a[:, :, i::2, j::2] for i in range(2) for j in range(2)], axis=0)
    # conv2d_2
    # conv2d_2_z[n, k, p, q] = Σ_{c, u, v} conv2d_2_W[k, c, u, v] maxpool2d_1_a[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 4] [0 ≤ q
    #     + v − 1 < 4]
    conv2d_2_z = np.zeros((n, 32, 4, 4), params.dtype)
    for u in range(3):
        p0, p1 = max(0, 1 - u), min(4, 5 - u)
        for v in range(3):
            q0, q1 = max(0, 1 - v), min(4, 5 - v)
            conv2d_2_z[:, :, p0:p1, q0:q1] += (
                np.einsum("kc,ncpq->nkpq", conv2d_2_W[:, :, u, v], maxpool2d_1_a[:, :, p0 + u - 1:p1 + u - 1, q0 + v - 1:q1 + v - 1])
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
    # maxpool2d_2
    # maxpool2d_2_a[n, c, p, q] = max_{i, j} activation_2_a[n, c, 2 p + i, 2 q + j]
    maxpool2d_2_a = np.max([activation_2_a[:, :, i::2, j::2] for i in range(2) for j in range(2)], axis=0)
    # flatten_1
    # flatten_1_a[n, k] = maxpool2d_2_a[n, floor(k/4), floor(k/2) mod 2, k mod 2]
    flatten_1_a = maxpool2d_2_a.reshape(n, 128)
    # dropout_1
    # dropout_1_a[n, i] = flatten_1_a[n, i]
    dropout_1_a = flatten_1_a
    # dense_1
    # dense_1_z[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] dropout_1_a[n, j]
    dense_1_z = dense_1_b + dropout_1_a @ dense_1_W.T
    # loss
    # loss_L[n] = log Σ_i exp(dense_1_z[n, i]) − dense_1_z[n, y[n]]
    loss_L = logsumexp(dense_1_z, axis=-1) - dense_1_z[np.arange(n), y]
    # loss_ = (Σ_n loss_L[n])/N
    loss_ = np.sum(loss_L) / n
    return float(loss_)


def loss(params, x, dropout_1_mask, y, work=None):
    """Return the loss of a batch."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    conv2d_1_W = params[0:144].reshape(16, 1, 3, 3)
    batchnorm_1_beta = params[160:176]
    batchnorm_1_gamma = params[144:160]
    conv2d_2_W = params[176:4784].reshape(32, 16, 3, 3)
    batchnorm_2_beta = params[4816:4848]
    batchnorm_2_gamma = params[4784:4816]
    dense_1_W = params[4848:6128].reshape(10, 128)
    dense_1_b = params[6128:6138]
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
    # maxpool2d_1
    # maxpool2d_1_a[n, c, p, q] = max_{i, j} activation_1_a[n, c, 2 p + i, 2 q + j]
    maxpool2d_1_a = np.max([activation_1_a[:, :, i::2, j::2] for i in range(2) for j in range(2)], axis=0)
    # conv2d_2
    # conv2d_2_z[n, k, p, q] = Σ_{c, u, v} conv2d_2_W[k, c, u, v] maxpool2d_1_a[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 4] [0 ≤ q
    #     + v − 1 < 4]
    conv2d_2_z = np.zeros((n, 32, 4, 4), params.dtype)
    for u in range(3):
        p0, p1 = max(0, 1 - u), min(4, 5 - u)
        for v in range(3):
            q0, q1 = max(0, 1 - v), min(4, 5 - v)
            conv2d_2_z[:, :, p0:p1, q0:q1] += (
                np.einsum("kc,ncpq->nkpq", conv2d_2_W[:, :, u, v], maxpool2d_1_a[:, :, p0 + u - 1:p1 + u - 1, q0 + v - 1:q1 + v - 1])
            )
    # batchnorm_2
    # batchnorm_2_mu[c] = (Σ_{n, h, w} conv2d_2_z[n, c, h, w])/(16 N)
    batchnorm_2_mu = np.sum(conv2d_2_z.transpose(1, 0, 2, 3), axis=(-3, -2, -1)) / (16.0 * n)
    # batchnorm_2_v[c] = (Σ_{n, h, w} (conv2d_2_z[n, c, h, w] − batchnorm_2_mu[c])²)/(16 N)
    batchnorm_2_v = np.sum((conv2d_2_z.transpose(1, 0, 2, 3) - batchnorm_2_mu[:, None, None, None])**2, axis=(-3, -2, -1)) / (16.0 * n)
    # batchnorm_2_sigma[c] = √(1e−05 + batchnorm_2_v[c])
    batchnorm_2_sigma = np.sqrt(batchnorm_2_v + 1e-05)
    # batchnorm_2_x_hat[n, c, h, w] = (conv2d_2_z[n, c, h, w] − batchnorm_2_mu[c])/batchnorm_2_sigma[c]
    batchnorm_2_x_hat = (conv2d_2_z - batchnorm_2_mu[:, None, None]) / batchnorm_2_sigma[:, None, None]
    # batchnorm_2_a[n, c, h, w] = batchnorm_2_gamma[c] batchnorm_2_x_hat[n, c, h, w] + batchnorm_2_beta[c]
    batchnorm_2_a = batchnorm_2_gamma[:, None, None] * batchnorm_2_x_hat + batchnorm_2_beta[:, None, None]
    # activation_2
    # activation_2_a[n, c, h, w] = batchnorm_2_a[n, c, h, w] [batchnorm_2_a[n, c, h, w] > 0]
    activation_2_a = np.where(batchnorm_2_a <= 0.0, 0.0, batchnorm_2_a)
    # maxpool2d_2
    # maxpool2d_2_a[n, c, p, q] = max_{i, j} activation_2_a[n, c, 2 p + i, 2 q + j]
    maxpool2d_2_a = np.max([activation_2_a[:, :, i::2, j::2] for i in range(2) for j in range(2)], axis=0)
    # flatten_1
    # flatten_1_a[n, k] = maxpool2d_2_a[n, floor(k/4), floor(k/2) mod 2, k mod 2]
    flatten_1_a = maxpool2d_2_a.reshape(n, 128)
    # dropout_1
    # dropout_1_a[n, i] = (5/4) · dropout_1_mask[n, i] flatten_1_a[n, i]
    dropout_1_a = 5.0 * dropout_1_mask * flatten_1_a / 4.0
    # dense_1
    # dense_1_z[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] dropout_1_a[n, j]
    dense_1_z = dense_1_b + dropout_1_a @ dense_1_W.T
    # loss
    # loss_L[n] = log Σ_i exp(dense_1_z[n, i]) − dense_1_z[n, y[n]]
    loss_L = logsumexp(dense_1_z, axis=-1) - dense_1_z[np.arange(n), y]
    # loss_ = (Σ_n loss_L[n])/N
    loss_ = np.sum(loss_L) / n
    return float(loss_)


def value_and_grad(params, x, dropout_1_mask, y, grads, work=None):
    """Return the loss of a batch and write its gradients into grads."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    conv2d_1_W = params[0:144].reshape(16, 1, 3, 3)
    batchnorm_1_beta = params[160:176]
    batchnorm_1_gamma = params[144:160]
    conv2d_2_W = params[176:4784].reshape(32, 16, 3, 3)
    batchnorm_2_beta = params[4816:4848]
    batchnorm_2_gamma = params[4784:4816]
    dense_1_W = params[4848:6128].reshape(10, 128)
    dense_1_b = params[6128:6138]
    grad_dense_1_W = grads[4848:6128].reshape(10, 128)
    grad_dense_1_b = grads[6128:6138]
    grad_batchnorm_2_gamma = grads[4784:4816]
    grad_batchnorm_2_beta = grads[4816:4848]
    grad_conv2d_2_W = grads[176:4784].reshape(32, 16, 3, 3)
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
    # maxpool2d_1
    # maxpool2d_1_a_argmax[n, c, p, q] = (2 i + j at max_{i, j} activation_1_a[n, c, 2 p + i, 2 q + j])
    maxpool2d_1_a_argmax = np.argmax([activation_1_a[:, :, i::2, j::2] for i in range(2) for j in range(2)], axis=0)
    # maxpool2d_1_a[n, c, p, q] = max_{i, j} activation_1_a[n, c, 2 p + i, 2 q + j]
    maxpool2d_1_a = np.max([activation_1_a[:, :, i::2, j::2] for i in range(2) for j in range(2)], axis=0)
    # conv2d_2
    # conv2d_2_z[n, k, p, q] = Σ_{c, u, v} conv2d_2_W[k, c, u, v] maxpool2d_1_a[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 4] [0 ≤ q
    #     + v − 1 < 4]
    conv2d_2_z = np.zeros((n, 32, 4, 4), params.dtype)
    for u in range(3):
        p0, p1 = max(0, 1 - u), min(4, 5 - u)
        for v in range(3):
            q0, q1 = max(0, 1 - v), min(4, 5 - v)
            conv2d_2_z[:, :, p0:p1, q0:q1] += (
                np.einsum("kc,ncpq->nkpq", conv2d_2_W[:, :, u, v], maxpool2d_1_a[:, :, p0 + u - 1:p1 + u - 1, q0 + v - 1:q1 + v - 1])
            )
    # batchnorm_2
    # batchnorm_2_mu[c] = (Σ_{n, h, w} conv2d_2_z[n, c, h, w])/(16 N)
    batchnorm_2_mu = np.sum(conv2d_2_z.transpose(1, 0, 2, 3), axis=(-3, -2, -1)) / (16.0 * n)
    # batchnorm_2_v[c] = (Σ_{n, h, w} (conv2d_2_z[n, c, h, w] − batchnorm_2_mu[c])²)/(16 N)
    batchnorm_2_v = np.sum((conv2d_2_z.transpose(1, 0, 2, 3) - batchnorm_2_mu[:, None, None, None])**2, axis=(-3, -2, -1)) / (16.0 * n)
    # batchnorm_2_sigma[c] = √(1e−05 + batchnorm_2_v[c])
    batchnorm_2_sigma = np.sqrt(batchnorm_2_v + 1e-05)
    # batchnorm_2_x_hat[n, c, h, w] = (conv2d_2_z[n, c, h, w] − batchnorm_2_mu[c])/batchnorm_2_sigma[c]
    batchnorm_2_x_hat = (conv2d_2_z - batchnorm_2_mu[:, None, None]) / batchnorm_2_sigma[:, None, None]
    # batchnorm_2_a[n, c, h, w] = batchnorm_2_gamma[c] batchnorm_2_x_hat[n, c, h, w] + batchnorm_2_beta[c]
    batchnorm_2_a = batchnorm_2_gamma[:, None, None] * batchnorm_2_x_hat + batchnorm_2_beta[:, None, None]
    # activation_2
    # activation_2_a[n, c, h, w] = batchnorm_2_a[n, c, h, w] [batchnorm_2_a[n, c, h, w] > 0]
    activation_2_a = np.where(batchnorm_2_a <= 0.0, 0.0, batchnorm_2_a)
    # maxpool2d_2
    # maxpool2d_2_a_argmax[n, c, p, q] = (2 i + j at max_{i, j} activation_2_a[n, c, 2 p + i, 2 q + j])
    maxpool2d_2_a_argmax = np.argmax([activation_2_a[:, :, i::2, j::2] for i in range(2) for j in range(2)], axis=0)
    # maxpool2d_2_a[n, c, p, q] = max_{i, j} activation_2_a[n, c, 2 p + i, 2 q + j]
    maxpool2d_2_a = np.max([activation_2_a[:, :, i::2, j::2] for i in range(2) for j in range(2)], axis=0)
    # flatten_1
    # flatten_1_a[n, k] = maxpool2d_2_a[n, floor(k/4), floor(k/2) mod 2, k mod 2]
    flatten_1_a = maxpool2d_2_a.reshape(n, 128)
    # dropout_1
    # dropout_1_a[n, i] = (5/4) · dropout_1_mask[n, i] flatten_1_a[n, i]
    dropout_1_a = 5.0 * dropout_1_mask * flatten_1_a / 4.0
    # dense_1
    # dense_1_z[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] dropout_1_a[n, j]
    dense_1_z = dense_1_b + dropout_1_a @ dense_1_W.T
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
    # grad_dense_1_W[i, j] = Σ_n delta_dense_1[n, i] dropout_1_a[n, j]
    grad_dense_1_W[...] = delta_dense_1.T @ dropout_1_a
    # grad_dense_1_b[i] = Σ_n delta_dense_1[n, i]
    grad_dense_1_b[...] = np.sum(delta_dense_1, axis=0)
    # flatten_1
    # grad_flatten_1_a[n, i] = (5/4) · dropout_1_mask[n, i] Σ_j dense_1_W[j, i] delta_dense_1[n, j]
    grad_flatten_1_a = 5.0 * (delta_dense_1 @ dense_1_W) * dropout_1_mask / 4.0
    # batchnorm_2
    # grad_batchnorm_2_a[n, c, h, w] = grad_flatten_1_a[n, 2 floor(h/2) + 4 c + floor(w/2)] [2 · (h mod 2) + (w mod 2)
    #     = maxpool2d_2_a_argmax[n, c, floor(h/2), floor(w/2)]] [activation_2_a[n, c, h, w] > 0]
    grad_batchnorm_2_a = np.zeros((n, 32, 4, 4), params.dtype)
    for i in range(2):
        for j in range(2):
            grad_batchnorm_2_a[:, :, i::2, j::2] = (
                np.where(activation_2_a[:, :, i::2, j::2] <= 0.0, 0.0, np.where((2 * i + j) == maxpool2d_2_a_argmax,
                grad_flatten_1_a.reshape(n, 32, 2, 2), 0.0))
            )
    # grad_batchnorm_2_gamma[c] = Σ_{n, h, w} grad_batchnorm_2_a[n, c, h, w] batchnorm_2_x_hat[n, c, h, w]
    grad_batchnorm_2_gamma[...] = np.einsum("nchw,nchw->c", grad_batchnorm_2_a, batchnorm_2_x_hat)
    # grad_batchnorm_2_beta[c] = Σ_{n, h, w} grad_batchnorm_2_a[n, c, h, w]
    grad_batchnorm_2_beta[...] = np.sum(grad_batchnorm_2_a.transpose(1, 0, 2, 3), axis=(-3, -2, -1))
    # conv2d_2
    # delta_conv2d_2[n, k, p, q] = (16 grad_batchnorm_2_a[n, k, p, q] N − Σ_{i, h, w} grad_batchnorm_2_a[i, k, h, w]
    #     − batchnorm_2_x_hat[n, k, p, q] Σ_{i, h, w} grad_batchnorm_2_a[i, k, h, w] batchnorm_2_x_hat[i, k, h, w])
    #     · batchnorm_2_gamma[k]/(16 batchnorm_2_sigma[k] N)
    delta_conv2d_2 = (
        (16.0 * n * grad_batchnorm_2_a - np.einsum("ikhw,ikhw->k", grad_batchnorm_2_a, batchnorm_2_x_hat)[:, None, None] * batchnorm_2_x_hat
        - np.sum(grad_batchnorm_2_a.transpose(1, 0, 2, 3), axis=(-3, -2, -1))[:, None, None]) * batchnorm_2_gamma[:, None, None] / (16.0 * n
        * batchnorm_2_sigma[:, None, None])
    )
    # grad_conv2d_2_W[k, c, u, v] = Σ_{n, p, q} delta_conv2d_2[n, k, p, q] maxpool2d_1_a[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 4]
    #     [0 ≤ q + v − 1 < 4]
    grad_conv2d_2_W[...] = 0.0
    for u in range(3):
        p0, p1 = max(0, 1 - u), min(4, 5 - u)
        for v in range(3):
            q0, q1 = max(0, 1 - v), min(4, 5 - v)
            grad_conv2d_2_W[:, :, u, v] = (
                np.einsum("nkpq,ncpq->kc", delta_conv2d_2[:, :, p0:p1, q0:q1], maxpool2d_1_a[:, :, p0 + u - 1:p1 + u - 1, q0 + v - 1:q1 + v
                - 1])
            )
    # maxpool2d_1
    # grad_maxpool2d_1_a[n, c, h, w] = Σ_{k, u, v} conv2d_2_W[k, c, u, v] delta_conv2d_2[n, k, 1 + h − u, 1 + w − v] [0 ≤ 1 + h − u < 4]
    #     [0 ≤ 1 + w − v < 4]
    grad_maxpool2d_1_a = np.zeros((n, 16, 4, 4), params.dtype)
    for u in range(3):
        h0, h1 = max(0, u - 1), min(4, u + 3)
        for v in range(3):
            w0, w1 = max(0, v - 1), min(4, v + 3)
            grad_maxpool2d_1_a[:, :, h0:h1, w0:w1] += (
                np.einsum("kc,nkhw->nchw", conv2d_2_W[:, :, u, v], delta_conv2d_2[:, :, h0 + 1 - u:h1 + 1 - u, w0 + 1 - v:w1 + 1 - v])
            )
    # batchnorm_1
    # grad_batchnorm_1_a[n, c, h, w] = grad_maxpool2d_1_a[n, c, floor(h/2), floor(w/2)] [2 · (h mod 2) + (w mod 2)
    #     = maxpool2d_1_a_argmax[n, c, floor(h/2), floor(w/2)]] [activation_1_a[n, c, h, w] > 0]
    grad_batchnorm_1_a = np.zeros((n, 16, 8, 8), params.dtype)
    for i in range(2):
        for j in range(2):
            grad_batchnorm_1_a[:, :, i::2, j::2] = (
                np.where(activation_1_a[:, :, i::2, j::2] <= 0.0, 0.0, np.where((2 * i + j) == maxpool2d_1_a_argmax, grad_maxpool2d_1_a,
                0.0))
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


def input_gradients(params, x, dropout_1_mask, y, grads_x, work=None):
    """Return the loss of a batch and write its gradient with respect to the inputs."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    conv2d_1_W = params[0:144].reshape(16, 1, 3, 3)
    batchnorm_1_beta = params[160:176]
    batchnorm_1_gamma = params[144:160]
    conv2d_2_W = params[176:4784].reshape(32, 16, 3, 3)
    batchnorm_2_beta = params[4816:4848]
    batchnorm_2_gamma = params[4784:4816]
    dense_1_W = params[4848:6128].reshape(10, 128)
    dense_1_b = params[6128:6138]
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
    # maxpool2d_1
    # maxpool2d_1_a_argmax[n, c, p, q] = (2 i + j at max_{i, j} activation_1_a[n, c, 2 p + i, 2 q + j])
    maxpool2d_1_a_argmax = np.argmax([activation_1_a[:, :, i::2, j::2] for i in range(2) for j in range(2)], axis=0)
    # maxpool2d_1_a[n, c, p, q] = max_{i, j} activation_1_a[n, c, 2 p + i, 2 q + j]
    maxpool2d_1_a = np.max([activation_1_a[:, :, i::2, j::2] for i in range(2) for j in range(2)], axis=0)
    # conv2d_2
    # conv2d_2_z[n, k, p, q] = Σ_{c, u, v} conv2d_2_W[k, c, u, v] maxpool2d_1_a[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 4] [0 ≤ q
    #     + v − 1 < 4]
    conv2d_2_z = np.zeros((n, 32, 4, 4), params.dtype)
    for u in range(3):
        p0, p1 = max(0, 1 - u), min(4, 5 - u)
        for v in range(3):
            q0, q1 = max(0, 1 - v), min(4, 5 - v)
            conv2d_2_z[:, :, p0:p1, q0:q1] += (
                np.einsum("kc,ncpq->nkpq", conv2d_2_W[:, :, u, v], maxpool2d_1_a[:, :, p0 + u - 1:p1 + u - 1, q0 + v - 1:q1 + v - 1])
            )
    # batchnorm_2
    # batchnorm_2_mu[c] = (Σ_{n, h, w} conv2d_2_z[n, c, h, w])/(16 N)
    batchnorm_2_mu = np.sum(conv2d_2_z.transpose(1, 0, 2, 3), axis=(-3, -2, -1)) / (16.0 * n)
    # batchnorm_2_v[c] = (Σ_{n, h, w} (conv2d_2_z[n, c, h, w] − batchnorm_2_mu[c])²)/(16 N)
    batchnorm_2_v = np.sum((conv2d_2_z.transpose(1, 0, 2, 3) - batchnorm_2_mu[:, None, None, None])**2, axis=(-3, -2, -1)) / (16.0 * n)
    # batchnorm_2_sigma[c] = √(1e−05 + batchnorm_2_v[c])
    batchnorm_2_sigma = np.sqrt(batchnorm_2_v + 1e-05)
    # batchnorm_2_x_hat[n, c, h, w] = (conv2d_2_z[n, c, h, w] − batchnorm_2_mu[c])/batchnorm_2_sigma[c]
    batchnorm_2_x_hat = (conv2d_2_z - batchnorm_2_mu[:, None, None]) / batchnorm_2_sigma[:, None, None]
    # batchnorm_2_a[n, c, h, w] = batchnorm_2_gamma[c] batchnorm_2_x_hat[n, c, h, w] + batchnorm_2_beta[c]
    batchnorm_2_a = batchnorm_2_gamma[:, None, None] * batchnorm_2_x_hat + batchnorm_2_beta[:, None, None]
    # activation_2
    # activation_2_a[n, c, h, w] = batchnorm_2_a[n, c, h, w] [batchnorm_2_a[n, c, h, w] > 0]
    activation_2_a = np.where(batchnorm_2_a <= 0.0, 0.0, batchnorm_2_a)
    # maxpool2d_2
    # maxpool2d_2_a_argmax[n, c, p, q] = (2 i + j at max_{i, j} activation_2_a[n, c, 2 p + i, 2 q + j])
    maxpool2d_2_a_argmax = np.argmax([activation_2_a[:, :, i::2, j::2] for i in range(2) for j in range(2)], axis=0)
    # maxpool2d_2_a[n, c, p, q] = max_{i, j} activation_2_a[n, c, 2 p + i, 2 q + j]
    maxpool2d_2_a = np.max([activation_2_a[:, :, i::2, j::2] for i in range(2) for j in range(2)], axis=0)
    # flatten_1
    # flatten_1_a[n, k] = maxpool2d_2_a[n, floor(k/4), floor(k/2) mod 2, k mod 2]
    flatten_1_a = maxpool2d_2_a.reshape(n, 128)
    # dropout_1
    # dropout_1_a[n, i] = (5/4) · dropout_1_mask[n, i] flatten_1_a[n, i]
    dropout_1_a = 5.0 * dropout_1_mask * flatten_1_a / 4.0
    # dense_1
    # dense_1_z[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] dropout_1_a[n, j]
    dense_1_z = dense_1_b + dropout_1_a @ dense_1_W.T
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
    # grad_flatten_1_a[n, i] = (5/4) · dropout_1_mask[n, i] Σ_j dense_1_W[j, i] delta_dense_1[n, j]
    grad_flatten_1_a = 5.0 * (delta_dense_1 @ dense_1_W) * dropout_1_mask / 4.0
    # batchnorm_2
    # grad_batchnorm_2_a[n, c, h, w] = grad_flatten_1_a[n, 2 floor(h/2) + 4 c + floor(w/2)] [2 · (h mod 2) + (w mod 2)
    #     = maxpool2d_2_a_argmax[n, c, floor(h/2), floor(w/2)]] [activation_2_a[n, c, h, w] > 0]
    grad_batchnorm_2_a = np.zeros((n, 32, 4, 4), params.dtype)
    for i in range(2):
        for j in range(2):
            grad_batchnorm_2_a[:, :, i::2, j::2] = (
                np.where(activation_2_a[:, :, i::2, j::2] <= 0.0, 0.0, np.where((2 * i + j) == maxpool2d_2_a_argmax,
                grad_flatten_1_a.reshape(n, 32, 2, 2), 0.0))
            )
    # conv2d_2
    # delta_conv2d_2[n, k, p, q] = (16 grad_batchnorm_2_a[n, k, p, q] N − Σ_{i, h, w} grad_batchnorm_2_a[i, k, h, w]
    #     − batchnorm_2_x_hat[n, k, p, q] Σ_{i, h, w} grad_batchnorm_2_a[i, k, h, w] batchnorm_2_x_hat[i, k, h, w])
    #     · batchnorm_2_gamma[k]/(16 batchnorm_2_sigma[k] N)
    delta_conv2d_2 = (
        (16.0 * n * grad_batchnorm_2_a - np.einsum("ikhw,ikhw->k", grad_batchnorm_2_a, batchnorm_2_x_hat)[:, None, None] * batchnorm_2_x_hat
        - np.sum(grad_batchnorm_2_a.transpose(1, 0, 2, 3), axis=(-3, -2, -1))[:, None, None]) * batchnorm_2_gamma[:, None, None] / (16.0 * n
        * batchnorm_2_sigma[:, None, None])
    )
    # maxpool2d_1
    # grad_maxpool2d_1_a[n, c, h, w] = Σ_{k, u, v} conv2d_2_W[k, c, u, v] delta_conv2d_2[n, k, 1 + h − u, 1 + w − v] [0 ≤ 1 + h − u < 4]
    #     [0 ≤ 1 + w − v < 4]
    grad_maxpool2d_1_a = np.zeros((n, 16, 4, 4), params.dtype)
    for u in range(3):
        h0, h1 = max(0, u - 1), min(4, u + 3)
        for v in range(3):
            w0, w1 = max(0, v - 1), min(4, v + 3)
            grad_maxpool2d_1_a[:, :, h0:h1, w0:w1] += (
                np.einsum("kc,nkhw->nchw", conv2d_2_W[:, :, u, v], delta_conv2d_2[:, :, h0 + 1 - u:h1 + 1 - u, w0 + 1 - v:w1 + 1 - v])
            )
    # batchnorm_1
    # grad_batchnorm_1_a[n, c, h, w] = grad_maxpool2d_1_a[n, c, floor(h/2), floor(w/2)] [2 · (h mod 2) + (w mod 2)
    #     = maxpool2d_1_a_argmax[n, c, floor(h/2), floor(w/2)]] [activation_1_a[n, c, h, w] > 0]
    grad_batchnorm_1_a = np.zeros((n, 16, 8, 8), params.dtype)
    for i in range(2):
        for j in range(2):
            grad_batchnorm_1_a[:, :, i::2, j::2] = (
                np.where(activation_1_a[:, :, i::2, j::2] <= 0.0, 0.0, np.where((2 * i + j) == maxpool2d_1_a_argmax, grad_maxpool2d_1_a,
                0.0))
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


def update_statistics(params, x, dropout_1_mask, y, work=None):
    """Write the next running statistics into params: those of before, and those of this batch."""
    n = x.shape[0]
    conv2d_1_W = params[0:144].reshape(16, 1, 3, 3)
    batchnorm_1_beta = params[160:176]
    batchnorm_1_gamma = params[144:160]
    conv2d_2_W = params[176:4784].reshape(32, 16, 3, 3)
    batchnorm_1_running_mean = params[6138:6154]
    batchnorm_1_running_var = params[6154:6170]
    batchnorm_2_running_mean = params[6170:6202]
    batchnorm_2_running_var = params[6202:6234]
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
    # maxpool2d_1
    # maxpool2d_1_a[n, c, p, q] = max_{i, j} activation_1_a[n, c, 2 p + i, 2 q + j]
    maxpool2d_1_a = np.max([activation_1_a[:, :, i::2, j::2] for i in range(2) for j in range(2)], axis=0)
    # conv2d_2
    # conv2d_2_z[n, k, p, q] = Σ_{c, u, v} conv2d_2_W[k, c, u, v] maxpool2d_1_a[n, c, p + u − 1, q + v − 1] [0 ≤ p + u − 1 < 4] [0 ≤ q
    #     + v − 1 < 4]
    conv2d_2_z = np.zeros((n, 32, 4, 4), params.dtype)
    for u in range(3):
        p0, p1 = max(0, 1 - u), min(4, 5 - u)
        for v in range(3):
            q0, q1 = max(0, 1 - v), min(4, 5 - v)
            conv2d_2_z[:, :, p0:p1, q0:q1] += (
                np.einsum("kc,ncpq->nkpq", conv2d_2_W[:, :, u, v], maxpool2d_1_a[:, :, p0 + u - 1:p1 + u - 1, q0 + v - 1:q1 + v - 1])
            )
    # batchnorm_2
    # batchnorm_2_mu[c] = (Σ_{n, h, w} conv2d_2_z[n, c, h, w])/(16 N)
    batchnorm_2_mu = np.sum(conv2d_2_z.transpose(1, 0, 2, 3), axis=(-3, -2, -1)) / (16.0 * n)
    # batchnorm_2_v[c] = (Σ_{n, h, w} (conv2d_2_z[n, c, h, w] − batchnorm_2_mu[c])²)/(16 N)
    batchnorm_2_v = np.sum((conv2d_2_z.transpose(1, 0, 2, 3) - batchnorm_2_mu[:, None, None, None])**2, axis=(-3, -2, -1)) / (16.0 * n)
    # batchnorm_1
    # batchnorm_1_running_mean_next[c] = batchnorm_1_mu[c]/10 + (9/10) · batchnorm_1_running_mean[c]
    batchnorm_1_running_mean_next = batchnorm_1_mu / 10.0 + 9.0 * batchnorm_1_running_mean / 10.0
    # batchnorm_1_running_var_next[c] = (9/10) · batchnorm_1_running_var[c] + (32/5) · batchnorm_1_v[c] N/(64 N − 1)
    batchnorm_1_running_var_next = 32.0 * n * batchnorm_1_v / (5.0 * (64.0 * n - 1.0)) + 9.0 * batchnorm_1_running_var / 10.0
    # batchnorm_2
    # batchnorm_2_running_mean_next[c] = batchnorm_2_mu[c]/10 + (9/10) · batchnorm_2_running_mean[c]
    batchnorm_2_running_mean_next = batchnorm_2_mu / 10.0 + 9.0 * batchnorm_2_running_mean / 10.0
    # batchnorm_2_running_var_next[c] = (9/10) · batchnorm_2_running_var[c] + (8/5) · batchnorm_2_v[c] N/(16 N − 1)
    batchnorm_2_running_var_next = 8.0 * n * batchnorm_2_v / (5.0 * (16.0 * n - 1.0)) + 9.0 * batchnorm_2_running_var / 10.0
    params[6138:6154] = batchnorm_1_running_mean_next
    params[6154:6170] = batchnorm_1_running_var_next
    params[6170:6202] = batchnorm_2_running_mean_next
    params[6202:6234] = batchnorm_2_running_var_next


def update(params, grads, state, hyper):
    """Do one step of the optimizer with given gradients."""
    P = grads.size
    lr = float(hyper[0])
    beta1 = float(hyper[1])
    beta2 = float(hyper[2])
    eps = float(hyper[3])
    updates = float(hyper[4])
    minimum = float(hyper[5])
    weight_decay = float(hyper[6])
    m = state[0:P]
    v = state[P:2 * P]
    t = float(state[2 * P])
    weights = params[:P]
    # t_next = 1 + t
    t_next = t + 1.0
    # rate = (1 + cos(π · (t [1 > t/updates]/updates + [t/updates ≥ 1]))) · (lr − minimum)/2 + minimum
    rate = (
        (np.cos(3.141592653589793 * (np.where(1.0 <= t / updates, 0.0, t / updates) + np.where(t / updates >= 1.0, 1.0, 0.0))) + 1.0) * (lr
        - minimum) / 2.0 + minimum
    )
    # m_next[p] = (1 − beta1) · g[p] + beta1 m[p]
    m_next = (1.0 - beta1) * grads + beta1 * m
    # v_next[p] = g[p]² · (1 − beta2) + beta2 v[p]
    v_next = (1.0 - beta2) * grads**2 + beta2 * v
    # c_1 = 1 − beta1^t_next
    c_1 = 1.0 - beta1**t_next
    # c_2 = 1 − beta2^t_next
    c_2 = 1.0 - beta2**t_next
    # w_next[p] = w[p] − rate weight_decay w[p] − rate m_next[p]/((√(v_next[p]/c_2) + eps) · c_1)
    w_next = weights - rate * weight_decay * weights - rate * m_next / ((np.sqrt(v_next / c_2) + eps) * c_1)
    weights[...] = w_next
    m[...] = m_next
    v[...] = v_next
    state[2 * P] = t_next


def train_step(params, x, dropout_1_mask, y, grads, state, hyper, work=None):
    """Return the loss and do one step of the optimizer; a loss that is not finite changes nothing."""
    value = value_and_grad(params, x, dropout_1_mask, y, grads, work)
    if np.isfinite(value):
        update_statistics(params, x, dropout_1_mask, y, work)
        update(params, grads, state, hyper)
    return value
