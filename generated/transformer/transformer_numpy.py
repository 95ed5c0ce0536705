"""The network transformer in NumPy, as its equations read; it needs NumPy and SciPy only.

Written from the template numpy/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: 79775c58b73520368fe08427219629d8a009d844711b10dc24ba8857d3933ebf

params, grads and state are contiguous 1-D arrays of type float32; x has one sample a row; work is not used.
x holds integers from 0 to 61. y has 32 numbers for each sample, integers from 0 to 61.
"""

import numpy as np
from scipy.special import erf

NAME = "transformer"
#: Name, offset and shape of each parameter in the flat buffers.
PARAMETERS = (
    ("embedding_1.E", 0, (62, 32)),
    ("layernorm_1.gamma", 1984, (32,)),
    ("layernorm_1.beta", 2016, (32,)),
    ("attention_1.W_q", 2048, (32, 32)),
    ("attention_1.W_k", 3072, (32, 32)),
    ("attention_1.W_v", 4096, (32, 32)),
    ("attention_1.W_o", 5120, (32, 32)),
    ("layernorm_2.gamma", 6144, (32,)),
    ("layernorm_2.beta", 6176, (32,)),
    ("dense_1.W", 6208, (128, 32)),
    ("dense_1.b", 10304, (128,)),
    ("dense_2.W", 10432, (32, 128)),
    ("dense_2.b", 14528, (32,)),
    ("layernorm_3.gamma", 14560, (32,)),
    ("layernorm_3.beta", 14592, (32,)),
    ("dense_3.W", 14624, (62, 32)),
    ("dense_3.b", 16608, (62,)),
)
DTYPE = "float32"
#: The largest batch.
BATCH = 16
STATE_SIZE = 33341
#: The optimizer's numbers with their defaults, in the order of the array hyper.
HYPER = (
    ("lr", 0.005),
    ("beta1", 0.9),
    ("beta2", 0.999),
    ("eps", 1e-08),
    ("updates", 1100.0),
    ("minimum", 0.0),
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
    if not in_range(x, 0, 61):
        return 1
    if not in_range(y, 0, 61):
        return 2
    return 0


def forward(params, x, out, work=None):
    """Write the network's output for a batch into out, or nothing if an input is out of range: then return its number, else 0."""
    if not in_range(x, 0, 61):
        return 1
    n = x.shape[0]
    embedding_1_E = params[0:1984].reshape(62, 32)
    layernorm_1_beta = params[2016:2048]
    layernorm_1_gamma = params[1984:2016]
    attention_1_W_q = params[2048:3072].reshape(32, 32)
    attention_1_W_k = params[3072:4096].reshape(32, 32)
    attention_1_W_v = params[4096:5120].reshape(32, 32)
    attention_1_W_o = params[5120:6144].reshape(32, 32)
    layernorm_2_beta = params[6176:6208]
    layernorm_2_gamma = params[6144:6176]
    dense_1_W = params[6208:10304].reshape(128, 32)
    dense_1_b = params[10304:10432]
    dense_2_W = params[10432:14528].reshape(32, 128)
    dense_2_b = params[14528:14560]
    layernorm_3_beta = params[14592:14624]
    layernorm_3_gamma = params[14560:14592]
    dense_3_W = params[14624:16608].reshape(62, 32)
    dense_3_b = params[16608:16670]
    # embedding_1
    # embedding_1_a[n, t, i] = embedding_1_E[x[n, t], i]
    embedding_1_a = embedding_1_E[x[:, :, None], np.arange(32)]
    # positionalencoding_1
    # positionalencoding_1_a[n, t, j] = embedding_1_a[n, t, j] + sin(10000^(−floor(j/2)/16) · t + π · (j mod 2)/2)
    positionalencoding_1_a = (
        np.sin(10000.0**(-np.floor(np.arange(32) / 2.0) / 16.0) * np.arange(32)[:, None] + 3.141592653589793 * (np.arange(32) - 2.0
        * np.floor(np.arange(32) / 2.0)) / 2.0) + embedding_1_a
    )
    # layernorm_1
    # layernorm_1_mu[n, t] = (Σ_i positionalencoding_1_a[n, t, i])/32
    layernorm_1_mu = np.sum(positionalencoding_1_a, axis=-1) / 32.0
    # layernorm_1_v[n, t] = (Σ_i (positionalencoding_1_a[n, t, i] − layernorm_1_mu[n, t])²)/32
    layernorm_1_v = np.sum((positionalencoding_1_a - layernorm_1_mu[:, :, None])**2, axis=-1) / 32.0
    # layernorm_1_sigma[n, t] = √(1e−05 + layernorm_1_v[n, t])
    layernorm_1_sigma = np.sqrt(layernorm_1_v + 1e-05)
    # layernorm_1_x_hat[n, t, i] = (positionalencoding_1_a[n, t, i] − layernorm_1_mu[n, t])/layernorm_1_sigma[n, t]
    layernorm_1_x_hat = (positionalencoding_1_a - layernorm_1_mu[:, :, None]) / layernorm_1_sigma[:, :, None]
    # layernorm_1_a[n, t, i] = layernorm_1_gamma[i] layernorm_1_x_hat[n, t, i] + layernorm_1_beta[i]
    layernorm_1_a = layernorm_1_gamma * layernorm_1_x_hat + layernorm_1_beta
    # attention_1
    # attention_1_Q[n, h, t, d] = Σ_j attention_1_W_q[8 h + d, j] layernorm_1_a[n, t, j]
    attention_1_Q = np.zeros((n, 4, 32, 8), params.dtype)
    for h in range(4):
        attention_1_Q[:, h, :, :] = np.einsum("dj,ntj->ntd", attention_1_W_q[8 * h:8 * h + 8, :], layernorm_1_a)
    # attention_1_K[n, h, t, d] = Σ_j attention_1_W_k[8 h + d, j] layernorm_1_a[n, t, j]
    attention_1_K = np.zeros((n, 4, 32, 8), params.dtype)
    for h in range(4):
        attention_1_K[:, h, :, :] = np.einsum("dj,ntj->ntd", attention_1_W_k[8 * h:8 * h + 8, :], layernorm_1_a)
    # attention_1_V[n, h, t, d] = Σ_j attention_1_W_v[8 h + d, j] layernorm_1_a[n, t, j]
    attention_1_V = np.zeros((n, 4, 32, 8), params.dtype)
    for h in range(4):
        attention_1_V[:, h, :, :] = np.einsum("dj,ntj->ntd", attention_1_W_v[8 * h:8 * h + 8, :], layernorm_1_a)
    # attention_1_S[n, h, t, s] = √2 · (Σ_d attention_1_K[n, h, s, d] attention_1_Q[n, h, t, d])/4
    attention_1_S = 1.4142135623730951 * np.einsum("nhsd,nhtd->nhts", attention_1_K, attention_1_Q) / 4.0
    # attention_1_P[n, h, t, s] = [t ≥ s] exp(attention_1_S[n, h, t, s] − log Σ_i exp(attention_1_S[n, h, t, i] [t ≥ i] + log([t ≥ i])))
    attention_1_P = (
        np.where(np.arange(32)[:, None] >= np.arange(32), np.exp(attention_1_S - logsumexp(np.where(np.arange(32)[:, None] >= np.arange(32),
        attention_1_S, 0.0) + np.where(np.arange(32)[:, None] >= np.arange(32), 0.0, -np.inf), axis=-1)[:, :, :, None]), 0.0)
    )
    # attention_1_O[n, h, t, d] = Σ_s attention_1_P[n, h, t, s] attention_1_V[n, h, s, d]
    attention_1_O = np.einsum("nhts,nhsd->nhtd", attention_1_P, attention_1_V)
    # attention_1_a[n, t, i] = Σ_j attention_1_W_o[i, j] attention_1_O[n, floor(j/8), t, j mod 8]
    attention_1_a = (
        np.sum(attention_1_W_o * attention_1_O[np.arange(n)[:, None, None], np.arange(32) // 8, np.arange(32)[:, None], np.arange(32)
        % 8][:, :, None, :], axis=-1)
    )
    # add_1
    # add_1_a[n, t, i] = positionalencoding_1_a[n, t, i] + attention_1_a[n, t, i]
    add_1_a = positionalencoding_1_a + attention_1_a
    # layernorm_2
    # layernorm_2_mu[n, t] = (Σ_i add_1_a[n, t, i])/32
    layernorm_2_mu = np.sum(add_1_a, axis=-1) / 32.0
    # layernorm_2_v[n, t] = (Σ_i (add_1_a[n, t, i] − layernorm_2_mu[n, t])²)/32
    layernorm_2_v = np.sum((add_1_a - layernorm_2_mu[:, :, None])**2, axis=-1) / 32.0
    # layernorm_2_sigma[n, t] = √(1e−05 + layernorm_2_v[n, t])
    layernorm_2_sigma = np.sqrt(layernorm_2_v + 1e-05)
    # layernorm_2_x_hat[n, t, i] = (add_1_a[n, t, i] − layernorm_2_mu[n, t])/layernorm_2_sigma[n, t]
    layernorm_2_x_hat = (add_1_a - layernorm_2_mu[:, :, None]) / layernorm_2_sigma[:, :, None]
    # layernorm_2_a[n, t, i] = layernorm_2_gamma[i] layernorm_2_x_hat[n, t, i] + layernorm_2_beta[i]
    layernorm_2_a = layernorm_2_gamma * layernorm_2_x_hat + layernorm_2_beta
    # dense_1
    # dense_1_z[n, t, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] layernorm_2_a[n, t, j]
    dense_1_z = dense_1_b + np.einsum("ij,ntj->nti", dense_1_W, layernorm_2_a)
    # dense_1_a[n, t, i] = (1 + erf(√2 dense_1_z[n, t, i]/2)) · dense_1_z[n, t, i]/2
    dense_1_a = (erf(1.4142135623730951 * dense_1_z / 2.0) + 1.0) * dense_1_z / 2.0
    # dense_2
    # dense_2_z[n, t, i] = dense_2_b[i] + Σ_j dense_2_W[i, j] dense_1_a[n, t, j]
    dense_2_z = dense_2_b + np.einsum("ij,ntj->nti", dense_2_W, dense_1_a)
    # add_2
    # add_2_a[n, t, i] = add_1_a[n, t, i] + dense_2_z[n, t, i]
    add_2_a = add_1_a + dense_2_z
    # layernorm_3
    # layernorm_3_mu[n, t] = (Σ_i add_2_a[n, t, i])/32
    layernorm_3_mu = np.sum(add_2_a, axis=-1) / 32.0
    # layernorm_3_v[n, t] = (Σ_i (add_2_a[n, t, i] − layernorm_3_mu[n, t])²)/32
    layernorm_3_v = np.sum((add_2_a - layernorm_3_mu[:, :, None])**2, axis=-1) / 32.0
    # layernorm_3_sigma[n, t] = √(1e−05 + layernorm_3_v[n, t])
    layernorm_3_sigma = np.sqrt(layernorm_3_v + 1e-05)
    # layernorm_3_x_hat[n, t, i] = (add_2_a[n, t, i] − layernorm_3_mu[n, t])/layernorm_3_sigma[n, t]
    layernorm_3_x_hat = (add_2_a - layernorm_3_mu[:, :, None]) / layernorm_3_sigma[:, :, None]
    # layernorm_3_a[n, t, i] = layernorm_3_gamma[i] layernorm_3_x_hat[n, t, i] + layernorm_3_beta[i]
    layernorm_3_a = layernorm_3_gamma * layernorm_3_x_hat + layernorm_3_beta
    # dense_3
    # out[n, t, i] = dense_3_b[i] + Σ_j dense_3_W[i, j] layernorm_3_a[n, t, j]
    out[...] = dense_3_b + np.einsum("ij,ntj->nti", dense_3_W, layernorm_3_a)
    return 0


def loss(params, x, y, work=None):
    """Return the loss of a batch."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    embedding_1_E = params[0:1984].reshape(62, 32)
    layernorm_1_beta = params[2016:2048]
    layernorm_1_gamma = params[1984:2016]
    attention_1_W_q = params[2048:3072].reshape(32, 32)
    attention_1_W_k = params[3072:4096].reshape(32, 32)
    attention_1_W_v = params[4096:5120].reshape(32, 32)
    attention_1_W_o = params[5120:6144].reshape(32, 32)
    layernorm_2_beta = params[6176:6208]
    layernorm_2_gamma = params[6144:6176]
    dense_1_W = params[6208:10304].reshape(128, 32)
    dense_1_b = params[10304:10432]
    dense_2_W = params[10432:14528].reshape(32, 128)
    dense_2_b = params[14528:14560]
    layernorm_3_beta = params[14592:14624]
    layernorm_3_gamma = params[14560:14592]
    dense_3_W = params[14624:16608].reshape(62, 32)
    dense_3_b = params[16608:16670]
    # embedding_1
    # embedding_1_a[n, t, i] = embedding_1_E[x[n, t], i]
    embedding_1_a = embedding_1_E[x[:, :, None], np.arange(32)]
    # positionalencoding_1
    # positionalencoding_1_a[n, t, j] = embedding_1_a[n, t, j] + sin(10000^(−floor(j/2)/16) · t + π · (j mod 2)/2)
    positionalencoding_1_a = (
        np.sin(10000.0**(-np.floor(np.arange(32) / 2.0) / 16.0) * np.arange(32)[:, None] + 3.141592653589793 * (np.arange(32) - 2.0
        * np.floor(np.arange(32) / 2.0)) / 2.0) + embedding_1_a
    )
    # layernorm_1
    # layernorm_1_mu[n, t] = (Σ_i positionalencoding_1_a[n, t, i])/32
    layernorm_1_mu = np.sum(positionalencoding_1_a, axis=-1) / 32.0
    # layernorm_1_v[n, t] = (Σ_i (positionalencoding_1_a[n, t, i] − layernorm_1_mu[n, t])²)/32
    layernorm_1_v = np.sum((positionalencoding_1_a - layernorm_1_mu[:, :, None])**2, axis=-1) / 32.0
    # layernorm_1_sigma[n, t] = √(1e−05 + layernorm_1_v[n, t])
    layernorm_1_sigma = np.sqrt(layernorm_1_v + 1e-05)
    # layernorm_1_x_hat[n, t, i] = (positionalencoding_1_a[n, t, i] − layernorm_1_mu[n, t])/layernorm_1_sigma[n, t]
    layernorm_1_x_hat = (positionalencoding_1_a - layernorm_1_mu[:, :, None]) / layernorm_1_sigma[:, :, None]
    # layernorm_1_a[n, t, i] = layernorm_1_gamma[i] layernorm_1_x_hat[n, t, i] + layernorm_1_beta[i]
    layernorm_1_a = layernorm_1_gamma * layernorm_1_x_hat + layernorm_1_beta
    # attention_1
    # attention_1_Q[n, h, t, d] = Σ_j attention_1_W_q[8 h + d, j] layernorm_1_a[n, t, j]
    attention_1_Q = np.zeros((n, 4, 32, 8), params.dtype)
    for h in range(4):
        attention_1_Q[:, h, :, :] = np.einsum("dj,ntj->ntd", attention_1_W_q[8 * h:8 * h + 8, :], layernorm_1_a)
    # attention_1_K[n, h, t, d] = Σ_j attention_1_W_k[8 h + d, j] layernorm_1_a[n, t, j]
    attention_1_K = np.zeros((n, 4, 32, 8), params.dtype)
    for h in range(4):
        attention_1_K[:, h, :, :] = np.einsum("dj,ntj->ntd", attention_1_W_k[8 * h:8 * h + 8, :], layernorm_1_a)
    # attention_1_V[n, h, t, d] = Σ_j attention_1_W_v[8 h + d, j] layernorm_1_a[n, t, j]
    attention_1_V = np.zeros((n, 4, 32, 8), params.dtype)
    for h in range(4):
        attention_1_V[:, h, :, :] = np.einsum("dj,ntj->ntd", attention_1_W_v[8 * h:8 * h + 8, :], layernorm_1_a)
    # attention_1_S[n, h, t, s] = √2 · (Σ_d attention_1_K[n, h, s, d] attention_1_Q[n, h, t, d])/4
    attention_1_S = 1.4142135623730951 * np.einsum("nhsd,nhtd->nhts", attention_1_K, attention_1_Q) / 4.0
    # attention_1_P[n, h, t, s] = [t ≥ s] exp(attention_1_S[n, h, t, s] − log Σ_i exp(attention_1_S[n, h, t, i] [t ≥ i] + log([t ≥ i])))
    attention_1_P = (
        np.where(np.arange(32)[:, None] >= np.arange(32), np.exp(attention_1_S - logsumexp(np.where(np.arange(32)[:, None] >= np.arange(32),
        attention_1_S, 0.0) + np.where(np.arange(32)[:, None] >= np.arange(32), 0.0, -np.inf), axis=-1)[:, :, :, None]), 0.0)
    )
    # attention_1_O[n, h, t, d] = Σ_s attention_1_P[n, h, t, s] attention_1_V[n, h, s, d]
    attention_1_O = np.einsum("nhts,nhsd->nhtd", attention_1_P, attention_1_V)
    # attention_1_a[n, t, i] = Σ_j attention_1_W_o[i, j] attention_1_O[n, floor(j/8), t, j mod 8]
    attention_1_a = (
        np.sum(attention_1_W_o * attention_1_O[np.arange(n)[:, None, None], np.arange(32) // 8, np.arange(32)[:, None], np.arange(32)
        % 8][:, :, None, :], axis=-1)
    )
    # add_1
    # add_1_a[n, t, i] = positionalencoding_1_a[n, t, i] + attention_1_a[n, t, i]
    add_1_a = positionalencoding_1_a + attention_1_a
    # layernorm_2
    # layernorm_2_mu[n, t] = (Σ_i add_1_a[n, t, i])/32
    layernorm_2_mu = np.sum(add_1_a, axis=-1) / 32.0
    # layernorm_2_v[n, t] = (Σ_i (add_1_a[n, t, i] − layernorm_2_mu[n, t])²)/32
    layernorm_2_v = np.sum((add_1_a - layernorm_2_mu[:, :, None])**2, axis=-1) / 32.0
    # layernorm_2_sigma[n, t] = √(1e−05 + layernorm_2_v[n, t])
    layernorm_2_sigma = np.sqrt(layernorm_2_v + 1e-05)
    # layernorm_2_x_hat[n, t, i] = (add_1_a[n, t, i] − layernorm_2_mu[n, t])/layernorm_2_sigma[n, t]
    layernorm_2_x_hat = (add_1_a - layernorm_2_mu[:, :, None]) / layernorm_2_sigma[:, :, None]
    # layernorm_2_a[n, t, i] = layernorm_2_gamma[i] layernorm_2_x_hat[n, t, i] + layernorm_2_beta[i]
    layernorm_2_a = layernorm_2_gamma * layernorm_2_x_hat + layernorm_2_beta
    # dense_1
    # dense_1_z[n, t, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] layernorm_2_a[n, t, j]
    dense_1_z = dense_1_b + np.einsum("ij,ntj->nti", dense_1_W, layernorm_2_a)
    # dense_1_a[n, t, i] = (1 + erf(√2 dense_1_z[n, t, i]/2)) · dense_1_z[n, t, i]/2
    dense_1_a = (erf(1.4142135623730951 * dense_1_z / 2.0) + 1.0) * dense_1_z / 2.0
    # dense_2
    # dense_2_z[n, t, i] = dense_2_b[i] + Σ_j dense_2_W[i, j] dense_1_a[n, t, j]
    dense_2_z = dense_2_b + np.einsum("ij,ntj->nti", dense_2_W, dense_1_a)
    # add_2
    # add_2_a[n, t, i] = add_1_a[n, t, i] + dense_2_z[n, t, i]
    add_2_a = add_1_a + dense_2_z
    # layernorm_3
    # layernorm_3_mu[n, t] = (Σ_i add_2_a[n, t, i])/32
    layernorm_3_mu = np.sum(add_2_a, axis=-1) / 32.0
    # layernorm_3_v[n, t] = (Σ_i (add_2_a[n, t, i] − layernorm_3_mu[n, t])²)/32
    layernorm_3_v = np.sum((add_2_a - layernorm_3_mu[:, :, None])**2, axis=-1) / 32.0
    # layernorm_3_sigma[n, t] = √(1e−05 + layernorm_3_v[n, t])
    layernorm_3_sigma = np.sqrt(layernorm_3_v + 1e-05)
    # layernorm_3_x_hat[n, t, i] = (add_2_a[n, t, i] − layernorm_3_mu[n, t])/layernorm_3_sigma[n, t]
    layernorm_3_x_hat = (add_2_a - layernorm_3_mu[:, :, None]) / layernorm_3_sigma[:, :, None]
    # layernorm_3_a[n, t, i] = layernorm_3_gamma[i] layernorm_3_x_hat[n, t, i] + layernorm_3_beta[i]
    layernorm_3_a = layernorm_3_gamma * layernorm_3_x_hat + layernorm_3_beta
    # dense_3
    # dense_3_z[n, t, i] = dense_3_b[i] + Σ_j dense_3_W[i, j] layernorm_3_a[n, t, j]
    dense_3_z = dense_3_b + np.einsum("ij,ntj->nti", dense_3_W, layernorm_3_a)
    # loss
    # loss_L[n, t] = log Σ_i exp(dense_3_z[n, t, i]) − dense_3_z[n, t, y[n, t]]
    loss_L = logsumexp(dense_3_z, axis=-1) - dense_3_z[np.arange(n)[:, None], np.arange(32), y]
    # loss_ = (Σ_{n, t} loss_L[n, t])/(32 N)
    loss_ = np.sum(loss_L) / (32.0 * n)
    return float(loss_)


def value_and_grad(params, x, y, grads, work=None):
    """Return the loss of a batch and write its gradients into grads."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    embedding_1_E = params[0:1984].reshape(62, 32)
    layernorm_1_beta = params[2016:2048]
    layernorm_1_gamma = params[1984:2016]
    attention_1_W_q = params[2048:3072].reshape(32, 32)
    attention_1_W_k = params[3072:4096].reshape(32, 32)
    attention_1_W_v = params[4096:5120].reshape(32, 32)
    attention_1_W_o = params[5120:6144].reshape(32, 32)
    layernorm_2_beta = params[6176:6208]
    layernorm_2_gamma = params[6144:6176]
    dense_1_W = params[6208:10304].reshape(128, 32)
    dense_1_b = params[10304:10432]
    dense_2_W = params[10432:14528].reshape(32, 128)
    dense_2_b = params[14528:14560]
    layernorm_3_beta = params[14592:14624]
    layernorm_3_gamma = params[14560:14592]
    dense_3_W = params[14624:16608].reshape(62, 32)
    dense_3_b = params[16608:16670]
    grad_dense_3_W = grads[14624:16608].reshape(62, 32)
    grad_dense_3_b = grads[16608:16670]
    grad_layernorm_3_gamma = grads[14560:14592]
    grad_layernorm_3_beta = grads[14592:14624]
    grad_dense_2_W = grads[10432:14528].reshape(32, 128)
    grad_dense_2_b = grads[14528:14560]
    grad_dense_1_W = grads[6208:10304].reshape(128, 32)
    grad_dense_1_b = grads[10304:10432]
    grad_layernorm_2_gamma = grads[6144:6176]
    grad_layernorm_2_beta = grads[6176:6208]
    grad_attention_1_W_o = grads[5120:6144].reshape(32, 32)
    grad_attention_1_W_v = grads[4096:5120].reshape(32, 32)
    grad_attention_1_W_k = grads[3072:4096].reshape(32, 32)
    grad_attention_1_W_q = grads[2048:3072].reshape(32, 32)
    grad_layernorm_1_gamma = grads[1984:2016]
    grad_layernorm_1_beta = grads[2016:2048]
    grad_embedding_1_E = grads[0:1984].reshape(62, 32)
    # embedding_1
    # embedding_1_a[n, t, i] = embedding_1_E[x[n, t], i]
    embedding_1_a = embedding_1_E[x[:, :, None], np.arange(32)]
    # positionalencoding_1
    # positionalencoding_1_a[n, t, j] = embedding_1_a[n, t, j] + sin(10000^(−floor(j/2)/16) · t + π · (j mod 2)/2)
    positionalencoding_1_a = (
        np.sin(10000.0**(-np.floor(np.arange(32) / 2.0) / 16.0) * np.arange(32)[:, None] + 3.141592653589793 * (np.arange(32) - 2.0
        * np.floor(np.arange(32) / 2.0)) / 2.0) + embedding_1_a
    )
    # layernorm_1
    # layernorm_1_mu[n, t] = (Σ_i positionalencoding_1_a[n, t, i])/32
    layernorm_1_mu = np.sum(positionalencoding_1_a, axis=-1) / 32.0
    # layernorm_1_v[n, t] = (Σ_i (positionalencoding_1_a[n, t, i] − layernorm_1_mu[n, t])²)/32
    layernorm_1_v = np.sum((positionalencoding_1_a - layernorm_1_mu[:, :, None])**2, axis=-1) / 32.0
    # layernorm_1_sigma[n, t] = √(1e−05 + layernorm_1_v[n, t])
    layernorm_1_sigma = np.sqrt(layernorm_1_v + 1e-05)
    # layernorm_1_x_hat[n, t, i] = (positionalencoding_1_a[n, t, i] − layernorm_1_mu[n, t])/layernorm_1_sigma[n, t]
    layernorm_1_x_hat = (positionalencoding_1_a - layernorm_1_mu[:, :, None]) / layernorm_1_sigma[:, :, None]
    # layernorm_1_a[n, t, i] = layernorm_1_gamma[i] layernorm_1_x_hat[n, t, i] + layernorm_1_beta[i]
    layernorm_1_a = layernorm_1_gamma * layernorm_1_x_hat + layernorm_1_beta
    # attention_1
    # attention_1_Q[n, h, t, d] = Σ_j attention_1_W_q[8 h + d, j] layernorm_1_a[n, t, j]
    attention_1_Q = np.zeros((n, 4, 32, 8), params.dtype)
    for h in range(4):
        attention_1_Q[:, h, :, :] = np.einsum("dj,ntj->ntd", attention_1_W_q[8 * h:8 * h + 8, :], layernorm_1_a)
    # attention_1_K[n, h, t, d] = Σ_j attention_1_W_k[8 h + d, j] layernorm_1_a[n, t, j]
    attention_1_K = np.zeros((n, 4, 32, 8), params.dtype)
    for h in range(4):
        attention_1_K[:, h, :, :] = np.einsum("dj,ntj->ntd", attention_1_W_k[8 * h:8 * h + 8, :], layernorm_1_a)
    # attention_1_V[n, h, t, d] = Σ_j attention_1_W_v[8 h + d, j] layernorm_1_a[n, t, j]
    attention_1_V = np.zeros((n, 4, 32, 8), params.dtype)
    for h in range(4):
        attention_1_V[:, h, :, :] = np.einsum("dj,ntj->ntd", attention_1_W_v[8 * h:8 * h + 8, :], layernorm_1_a)
    # attention_1_S[n, h, t, s] = √2 · (Σ_d attention_1_K[n, h, s, d] attention_1_Q[n, h, t, d])/4
    attention_1_S = 1.4142135623730951 * np.einsum("nhsd,nhtd->nhts", attention_1_K, attention_1_Q) / 4.0
    # attention_1_P[n, h, t, s] = [t ≥ s] exp(attention_1_S[n, h, t, s] − log Σ_i exp(attention_1_S[n, h, t, i] [t ≥ i] + log([t ≥ i])))
    attention_1_P = (
        np.where(np.arange(32)[:, None] >= np.arange(32), np.exp(attention_1_S - logsumexp(np.where(np.arange(32)[:, None] >= np.arange(32),
        attention_1_S, 0.0) + np.where(np.arange(32)[:, None] >= np.arange(32), 0.0, -np.inf), axis=-1)[:, :, :, None]), 0.0)
    )
    # attention_1_O[n, h, t, d] = Σ_s attention_1_P[n, h, t, s] attention_1_V[n, h, s, d]
    attention_1_O = np.einsum("nhts,nhsd->nhtd", attention_1_P, attention_1_V)
    # attention_1_a[n, t, i] = Σ_j attention_1_W_o[i, j] attention_1_O[n, floor(j/8), t, j mod 8]
    attention_1_a = (
        np.sum(attention_1_W_o * attention_1_O[np.arange(n)[:, None, None], np.arange(32) // 8, np.arange(32)[:, None], np.arange(32)
        % 8][:, :, None, :], axis=-1)
    )
    # add_1
    # add_1_a[n, t, i] = positionalencoding_1_a[n, t, i] + attention_1_a[n, t, i]
    add_1_a = positionalencoding_1_a + attention_1_a
    # layernorm_2
    # layernorm_2_mu[n, t] = (Σ_i add_1_a[n, t, i])/32
    layernorm_2_mu = np.sum(add_1_a, axis=-1) / 32.0
    # layernorm_2_v[n, t] = (Σ_i (add_1_a[n, t, i] − layernorm_2_mu[n, t])²)/32
    layernorm_2_v = np.sum((add_1_a - layernorm_2_mu[:, :, None])**2, axis=-1) / 32.0
    # layernorm_2_sigma[n, t] = √(1e−05 + layernorm_2_v[n, t])
    layernorm_2_sigma = np.sqrt(layernorm_2_v + 1e-05)
    # layernorm_2_x_hat[n, t, i] = (add_1_a[n, t, i] − layernorm_2_mu[n, t])/layernorm_2_sigma[n, t]
    layernorm_2_x_hat = (add_1_a - layernorm_2_mu[:, :, None]) / layernorm_2_sigma[:, :, None]
    # layernorm_2_a[n, t, i] = layernorm_2_gamma[i] layernorm_2_x_hat[n, t, i] + layernorm_2_beta[i]
    layernorm_2_a = layernorm_2_gamma * layernorm_2_x_hat + layernorm_2_beta
    # dense_1
    # dense_1_z[n, t, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] layernorm_2_a[n, t, j]
    dense_1_z = dense_1_b + np.einsum("ij,ntj->nti", dense_1_W, layernorm_2_a)
    # dense_1_a[n, t, i] = (1 + erf(√2 dense_1_z[n, t, i]/2)) · dense_1_z[n, t, i]/2
    dense_1_a = (erf(1.4142135623730951 * dense_1_z / 2.0) + 1.0) * dense_1_z / 2.0
    # dense_2
    # dense_2_z[n, t, i] = dense_2_b[i] + Σ_j dense_2_W[i, j] dense_1_a[n, t, j]
    dense_2_z = dense_2_b + np.einsum("ij,ntj->nti", dense_2_W, dense_1_a)
    # add_2
    # add_2_a[n, t, i] = add_1_a[n, t, i] + dense_2_z[n, t, i]
    add_2_a = add_1_a + dense_2_z
    # layernorm_3
    # layernorm_3_mu[n, t] = (Σ_i add_2_a[n, t, i])/32
    layernorm_3_mu = np.sum(add_2_a, axis=-1) / 32.0
    # layernorm_3_v[n, t] = (Σ_i (add_2_a[n, t, i] − layernorm_3_mu[n, t])²)/32
    layernorm_3_v = np.sum((add_2_a - layernorm_3_mu[:, :, None])**2, axis=-1) / 32.0
    # layernorm_3_sigma[n, t] = √(1e−05 + layernorm_3_v[n, t])
    layernorm_3_sigma = np.sqrt(layernorm_3_v + 1e-05)
    # layernorm_3_x_hat[n, t, i] = (add_2_a[n, t, i] − layernorm_3_mu[n, t])/layernorm_3_sigma[n, t]
    layernorm_3_x_hat = (add_2_a - layernorm_3_mu[:, :, None]) / layernorm_3_sigma[:, :, None]
    # layernorm_3_a[n, t, i] = layernorm_3_gamma[i] layernorm_3_x_hat[n, t, i] + layernorm_3_beta[i]
    layernorm_3_a = layernorm_3_gamma * layernorm_3_x_hat + layernorm_3_beta
    # dense_3
    # dense_3_z[n, t, i] = dense_3_b[i] + Σ_j dense_3_W[i, j] layernorm_3_a[n, t, j]
    dense_3_z = dense_3_b + np.einsum("ij,ntj->nti", dense_3_W, layernorm_3_a)
    # loss
    # loss_p[n, t, i] = exp(dense_3_z[n, t, i] − log Σ_j exp(dense_3_z[n, t, j]))
    loss_p = np.exp(dense_3_z - logsumexp(dense_3_z, axis=-1)[:, :, None])
    # loss_L[n, t] = log Σ_i exp(dense_3_z[n, t, i]) − dense_3_z[n, t, y[n, t]]
    loss_L = logsumexp(dense_3_z, axis=-1) - dense_3_z[np.arange(n)[:, None], np.arange(32), y]
    # loss_ = (Σ_{n, t} loss_L[n, t])/(32 N)
    loss_ = np.sum(loss_L) / (32.0 * n)
    # dense_3
    # delta_dense_3[n, t, i] = (loss_p[n, t, i] − [i = y[n, t]])/(32 N)
    delta_dense_3 = (loss_p - np.where(np.arange(62) == y[:, :, None], 1.0, 0.0)) / (32.0 * n)
    # grad_dense_3_W[i, j] = Σ_{n, t} delta_dense_3[n, t, i] layernorm_3_a[n, t, j]
    grad_dense_3_W[...] = np.einsum("nti,ntj->ij", delta_dense_3, layernorm_3_a)
    # grad_dense_3_b[i] = Σ_{n, t} delta_dense_3[n, t, i]
    grad_dense_3_b[...] = np.sum(delta_dense_3.transpose(2, 0, 1), axis=(-2, -1))
    # layernorm_3
    # grad_layernorm_3_a[n, t, j] = Σ_i dense_3_W[i, j] delta_dense_3[n, t, i]
    grad_layernorm_3_a = np.einsum("ij,nti->ntj", dense_3_W, delta_dense_3)
    # grad_layernorm_3_gamma[i] = Σ_{n, t} grad_layernorm_3_a[n, t, i] layernorm_3_x_hat[n, t, i]
    grad_layernorm_3_gamma[...] = np.einsum("nti,nti->i", grad_layernorm_3_a, layernorm_3_x_hat)
    # grad_layernorm_3_beta[i] = Σ_{n, t} grad_layernorm_3_a[n, t, i]
    grad_layernorm_3_beta[...] = np.sum(grad_layernorm_3_a.transpose(2, 0, 1), axis=(-2, -1))
    # add_2
    # grad_add_2_a[n, t, i] = (32 layernorm_3_gamma[i] grad_layernorm_3_a[n, t, i] − Σ_j layernorm_3_gamma[j] grad_layernorm_3_a[n, t,
    #     j] − layernorm_3_x_hat[n, t, i] Σ_j layernorm_3_gamma[j] grad_layernorm_3_a[n, t, j] layernorm_3_x_hat[n, t, j])/(32
    #     layernorm_3_sigma[n, t])
    grad_add_2_a = (
        (32.0 * layernorm_3_gamma * grad_layernorm_3_a - np.einsum("j,ntj,ntj->nt", layernorm_3_gamma, grad_layernorm_3_a,
        layernorm_3_x_hat)[:, :, None] * layernorm_3_x_hat - np.einsum("j,ntj->nt", layernorm_3_gamma, grad_layernorm_3_a)[:, :, None])
        / (32.0 * layernorm_3_sigma[:, :, None])
    )
    # dense_2
    # delta_dense_2[n, t, i] = grad_add_2_a[n, t, i]
    delta_dense_2 = grad_add_2_a
    # grad_dense_2_W[i, j] = Σ_{n, t} delta_dense_2[n, t, i] dense_1_a[n, t, j]
    grad_dense_2_W[...] = np.einsum("nti,ntj->ij", delta_dense_2, dense_1_a)
    # grad_dense_2_b[i] = Σ_{n, t} delta_dense_2[n, t, i]
    grad_dense_2_b[...] = np.sum(delta_dense_2.transpose(2, 0, 1), axis=(-2, -1))
    # dense_1
    # delta_dense_1[n, t, i] = (1/2 + erf(√2 dense_1_z[n, t, i]/2)/2 + √2 dense_1_z[n, t, i] exp(−dense_1_z[n, t, i]²/2)/(2 √π)) · Σ_j
    #     dense_2_W[j, i] delta_dense_2[n, t, j]
    delta_dense_1 = (
        np.einsum("ji,ntj->nti", dense_2_W, delta_dense_2) * (1.4142135623730951 * 0.5641895835477563 * np.exp(-dense_1_z**2 / 2.0)
        * dense_1_z / 2.0 + erf(1.4142135623730951 * dense_1_z / 2.0) / 2.0 + 0.5)
    )
    # grad_dense_1_W[i, j] = Σ_{n, t} delta_dense_1[n, t, i] layernorm_2_a[n, t, j]
    grad_dense_1_W[...] = np.einsum("nti,ntj->ij", delta_dense_1, layernorm_2_a)
    # grad_dense_1_b[i] = Σ_{n, t} delta_dense_1[n, t, i]
    grad_dense_1_b[...] = np.sum(delta_dense_1.transpose(2, 0, 1), axis=(-2, -1))
    # layernorm_2
    # grad_layernorm_2_a[n, t, j] = Σ_i dense_1_W[i, j] delta_dense_1[n, t, i]
    grad_layernorm_2_a = np.einsum("ij,nti->ntj", dense_1_W, delta_dense_1)
    # grad_layernorm_2_gamma[i] = Σ_{n, t} grad_layernorm_2_a[n, t, i] layernorm_2_x_hat[n, t, i]
    grad_layernorm_2_gamma[...] = np.einsum("nti,nti->i", grad_layernorm_2_a, layernorm_2_x_hat)
    # grad_layernorm_2_beta[i] = Σ_{n, t} grad_layernorm_2_a[n, t, i]
    grad_layernorm_2_beta[...] = np.sum(grad_layernorm_2_a.transpose(2, 0, 1), axis=(-2, -1))
    # add_1
    # grad_add_1_a[n, t, i] = (32 layernorm_2_gamma[i] grad_layernorm_2_a[n, t, i] − Σ_j layernorm_2_gamma[j] grad_layernorm_2_a[n, t,
    #     j] − layernorm_2_x_hat[n, t, i] Σ_j layernorm_2_gamma[j] grad_layernorm_2_a[n, t, j] layernorm_2_x_hat[n, t, j])/(32
    #     layernorm_2_sigma[n, t]) + grad_add_2_a[n, t, i]
    grad_add_1_a = (
        (32.0 * layernorm_2_gamma * grad_layernorm_2_a - np.einsum("j,ntj,ntj->nt", layernorm_2_gamma, grad_layernorm_2_a,
        layernorm_2_x_hat)[:, :, None] * layernorm_2_x_hat - np.einsum("j,ntj->nt", layernorm_2_gamma, grad_layernorm_2_a)[:, :, None])
        / (32.0 * layernorm_2_sigma[:, :, None]) + grad_add_2_a
    )
    # attention_1
    # grad_attention_1_W_o[i, j] = Σ_{n, t} grad_add_1_a[n, t, i] attention_1_O[n, floor(j/8), t, j mod 8]
    grad_attention_1_W_o[...] = 0.0
    for j in range(4):
        grad_attention_1_W_o[:, 8 * j:8 * j + 8] = np.einsum("nti,ntu->iu", grad_add_1_a, attention_1_O[:, j, :, :])
    # grad_attention_1_O[n, h, t, d] = Σ_i attention_1_W_o[i, 8 h + d] grad_add_1_a[n, t, i]
    grad_attention_1_O = np.zeros((n, 4, 32, 8), params.dtype)
    for h in range(4):
        grad_attention_1_O[:, h, :, :] = np.einsum("id,nti->ntd", attention_1_W_o[:, 8 * h:8 * h + 8], grad_add_1_a)
    # grad_attention_1_P[n, h, t, s] = Σ_d attention_1_V[n, h, s, d] grad_attention_1_O[n, h, t, d]
    grad_attention_1_P = np.einsum("nhsd,nhtd->nhts", attention_1_V, grad_attention_1_O)
    # grad_attention_1_S[n, h, t, s] = (grad_attention_1_P[n, h, t, s] − Σ_i attention_1_P[n, h, t, i] grad_attention_1_P[n, h, t, i])
    #     · attention_1_P[n, h, t, s]
    grad_attention_1_S = (
        (grad_attention_1_P - np.einsum("nhti,nhti->nht", attention_1_P, grad_attention_1_P)[:, :, :, None]) * attention_1_P
    )
    # grad_attention_1_V[n, h, t, d] = Σ_i attention_1_P[n, h, i, t] grad_attention_1_O[n, h, i, d]
    grad_attention_1_V = np.einsum("nhit,nhid->nhtd", attention_1_P, grad_attention_1_O)
    # grad_attention_1_W_v[i, j] = Σ_{n, t} layernorm_1_a[n, t, j] grad_attention_1_V[n, floor(i/8), t, i mod 8]
    grad_attention_1_W_v[...] = 0.0
    for i in range(4):
        grad_attention_1_W_v[8 * i:8 * i + 8, :] = np.einsum("ntj,ntu->uj", layernorm_1_a, grad_attention_1_V[:, i, :, :])
    # grad_attention_1_K[n, h, t, d] = √2 · (Σ_i attention_1_Q[n, h, i, d] grad_attention_1_S[n, h, i, t])/4
    grad_attention_1_K = 1.4142135623730951 * np.einsum("nhid,nhit->nhtd", attention_1_Q, grad_attention_1_S) / 4.0
    # grad_attention_1_W_k[i, j] = Σ_{n, t} layernorm_1_a[n, t, j] grad_attention_1_K[n, floor(i/8), t, i mod 8]
    grad_attention_1_W_k[...] = 0.0
    for i in range(4):
        grad_attention_1_W_k[8 * i:8 * i + 8, :] = np.einsum("ntj,ntu->uj", layernorm_1_a, grad_attention_1_K[:, i, :, :])
    # grad_attention_1_Q[n, h, t, d] = √2 · (Σ_s attention_1_K[n, h, s, d] grad_attention_1_S[n, h, t, s])/4
    grad_attention_1_Q = 1.4142135623730951 * np.einsum("nhsd,nhts->nhtd", attention_1_K, grad_attention_1_S) / 4.0
    # grad_attention_1_W_q[i, j] = Σ_{n, t} layernorm_1_a[n, t, j] grad_attention_1_Q[n, floor(i/8), t, i mod 8]
    grad_attention_1_W_q[...] = 0.0
    for i in range(4):
        grad_attention_1_W_q[8 * i:8 * i + 8, :] = np.einsum("ntj,ntu->uj", layernorm_1_a, grad_attention_1_Q[:, i, :, :])
    # layernorm_1
    # grad_layernorm_1_a[n, t, j] = Σ_{h, d} attention_1_W_k[8 h + d, j] grad_attention_1_K[n, h, t, d] + Σ_{h, d} attention_1_W_q[8 h
    #     + d, j] grad_attention_1_Q[n, h, t, d] + Σ_{h, d} attention_1_W_v[8 h + d, j] grad_attention_1_V[n, h, t, d]
    window_1 = np.zeros((n, 32, 32), params.dtype)
    for h in range(4):
        window_1[...] += np.einsum("dj,ntd->ntj", attention_1_W_k[8 * h:8 * h + 8, :], grad_attention_1_K[:, h, :, :])
    window_2 = np.zeros((n, 32, 32), params.dtype)
    for h in range(4):
        window_2[...] += np.einsum("dj,ntd->ntj", attention_1_W_q[8 * h:8 * h + 8, :], grad_attention_1_Q[:, h, :, :])
    window_3 = np.zeros((n, 32, 32), params.dtype)
    for h in range(4):
        window_3[...] += np.einsum("dj,ntd->ntj", attention_1_W_v[8 * h:8 * h + 8, :], grad_attention_1_V[:, h, :, :])
    grad_layernorm_1_a = window_1 + window_2 + window_3
    # grad_layernorm_1_gamma[i] = Σ_{n, t} grad_layernorm_1_a[n, t, i] layernorm_1_x_hat[n, t, i]
    grad_layernorm_1_gamma[...] = np.einsum("nti,nti->i", grad_layernorm_1_a, layernorm_1_x_hat)
    # grad_layernorm_1_beta[i] = Σ_{n, t} grad_layernorm_1_a[n, t, i]
    grad_layernorm_1_beta[...] = np.sum(grad_layernorm_1_a.transpose(2, 0, 1), axis=(-2, -1))
    # embedding_1
    # grad_embedding_1_a[n, t, j] = (32 layernorm_1_gamma[j] grad_layernorm_1_a[n, t, j] − Σ_i layernorm_1_gamma[i]
    #     grad_layernorm_1_a[n, t, i] − layernorm_1_x_hat[n, t, j] Σ_i layernorm_1_gamma[i] grad_layernorm_1_a[n, t, i] layernorm_1_x_hat[n,
    #     t, i])/(32 layernorm_1_sigma[n, t]) + grad_add_1_a[n, t, j]
    grad_embedding_1_a = (
        (32.0 * layernorm_1_gamma * grad_layernorm_1_a - np.einsum("i,nti,nti->nt", layernorm_1_gamma, grad_layernorm_1_a,
        layernorm_1_x_hat)[:, :, None] * layernorm_1_x_hat - np.einsum("i,nti->nt", layernorm_1_gamma, grad_layernorm_1_a)[:, :, None])
        / (32.0 * layernorm_1_sigma[:, :, None]) + grad_add_1_a
    )
    # grad_embedding_1_E[v, i] = Σ_{n, t} grad_embedding_1_a[n, t, i] [v = x[n, t]]
    grad_embedding_1_E[...] = (
        np.sum(np.where(np.arange(62)[:, None, None, None] == x, grad_embedding_1_a.transpose(2, 0, 1), 0.0), axis=(-2, -1))
    )
    return float(loss_)


def update(params, grads, state, hyper):
    """Do one step of the optimizer with given gradients."""
    P = params.size
    lr = float(hyper[0])
    beta1 = float(hyper[1])
    beta2 = float(hyper[2])
    eps = float(hyper[3])
    updates = float(hyper[4])
    minimum = float(hyper[5])
    m = state[0:P]
    v = state[P:2 * P]
    t = float(state[2 * P])
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
    # w_next[p] = w[p] − rate m_next[p]/((√(v_next[p]/c_2) + eps) · c_1)
    w_next = params - rate * m_next / ((np.sqrt(v_next / c_2) + eps) * c_1)
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
