"""The network char_rnn in NumPy, as its equations read; it needs NumPy only.

Written from the template numpy/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: 1c3c4c1d2ed158458a56403ef1183cde91498d8ca17a732292fe9199081323a9

params, grads and state are contiguous 1-D arrays of type float32; x has one sample a row; work is not used.
x holds integers from 0 to 61. y has 32 numbers for each sample, integers from 0 to 61.
"""

import numpy as np

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


def sigmoid(u):
    """Return 1 / (1 + exp(-u)) without overflow."""
    small = np.exp(-np.abs(u))
    return np.where(u <= 0, small, 1.0) / (1.0 + small)


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
    embedding_1_E = params[0:992].reshape(62, 16)
    gru_1_W_x = params[992:3296].reshape(144, 16)
    gru_1_b_x = params[10208:10352]
    gru_1_W_h = params[3296:10208].reshape(144, 48)
    gru_1_b_h = params[10352:10496]
    dense_1_W = params[10496:13472].reshape(62, 48)
    dense_1_b = params[13472:13534]
    # embedding_1
    # embedding_1_a[n, t, i] = embedding_1_E[x[n, t], i]
    embedding_1_a = embedding_1_E[x[:, :, None], np.arange(16)]
    # gru_1
    # gru_1_p[n, t, r] = gru_1_b_x[r] + Σ_j gru_1_W_x[r, j] embedding_1_a[n, t, j]
    gru_1_p = gru_1_b_x + np.einsum("rj,ntj->ntr", gru_1_W_x, embedding_1_a)
    gru_1_q = np.empty((n, 32, 144,), params.dtype)
    gru_1_r = np.empty((n, 32, 48,), params.dtype)
    gru_1_u = np.empty((n, 32, 48,), params.dtype)
    gru_1_g = np.empty((n, 32, 48,), params.dtype)
    gru_1_h = np.empty((n, 32, 48,), params.dtype)
    for step in range(32):
        # gru_1_q[n, t, r] = gru_1_b_h[r] + Σ_k gru_1_W_h[r, k] gru_1_h[n, t − 1, k] [0 ≤ t − 1 < 32]
        gru_1_q[:, step] = (
            gru_1_b_h + np.sum((gru_1_W_h * gru_1_h[:, step - 1, :][:, None, :] if 0 <= step - 1 < 32 else np.full((n, 144, 48,), 0.0)),
            axis=-1)
        )
        # gru_1_r[n, t, k] = σ(gru_1_p[n, t, k] + gru_1_q[n, t, k])
        gru_1_r[:, step] = sigmoid(gru_1_p[:, step, :48] + gru_1_q[:, step, :48])
        # gru_1_u[n, t, k] = σ(gru_1_p[n, t, 48 + k] + gru_1_q[n, t, 48 + k])
        gru_1_u[:, step] = sigmoid(gru_1_p[:, step, 48:96] + gru_1_q[:, step, 48:96])
        # gru_1_g[n, t, k] = tanh(gru_1_q[n, t, 96 + k] gru_1_r[n, t, k] + gru_1_p[n, t, 96 + k])
        gru_1_g[:, step] = np.tanh(gru_1_q[:, step, 96:144] * gru_1_r[:, step, :] + gru_1_p[:, step, 96:144])
        # gru_1_h[n, t, k] = (1 − gru_1_u[n, t, k]) · gru_1_g[n, t, k] + gru_1_h[n, t − 1, k] gru_1_u[n, t, k] [0 ≤ t − 1 < 32]
        gru_1_h[:, step] = (
            (1.0 - gru_1_u[:, step, :]) * gru_1_g[:, step, :] + (gru_1_h[:, step - 1, :] * gru_1_u[:, step, :] if 0 <= step - 1 < 32
            else 0.0)
        )
    # gru_1_a[n, t, k] = gru_1_h[n, t, k]
    gru_1_a = gru_1_h
    # dense_1
    # out[n, t, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] gru_1_a[n, t, j]
    out[...] = dense_1_b + np.einsum("ij,ntj->nti", dense_1_W, gru_1_a)
    return 0


def loss(params, x, y, work=None):
    """Return the loss of a batch."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    embedding_1_E = params[0:992].reshape(62, 16)
    gru_1_W_x = params[992:3296].reshape(144, 16)
    gru_1_b_x = params[10208:10352]
    gru_1_W_h = params[3296:10208].reshape(144, 48)
    gru_1_b_h = params[10352:10496]
    dense_1_W = params[10496:13472].reshape(62, 48)
    dense_1_b = params[13472:13534]
    # embedding_1
    # embedding_1_a[n, t, i] = embedding_1_E[x[n, t], i]
    embedding_1_a = embedding_1_E[x[:, :, None], np.arange(16)]
    # gru_1
    # gru_1_p[n, t, r] = gru_1_b_x[r] + Σ_j gru_1_W_x[r, j] embedding_1_a[n, t, j]
    gru_1_p = gru_1_b_x + np.einsum("rj,ntj->ntr", gru_1_W_x, embedding_1_a)
    gru_1_q = np.empty((n, 32, 144,), params.dtype)
    gru_1_r = np.empty((n, 32, 48,), params.dtype)
    gru_1_u = np.empty((n, 32, 48,), params.dtype)
    gru_1_g = np.empty((n, 32, 48,), params.dtype)
    gru_1_h = np.empty((n, 32, 48,), params.dtype)
    for step in range(32):
        # gru_1_q[n, t, r] = gru_1_b_h[r] + Σ_k gru_1_W_h[r, k] gru_1_h[n, t − 1, k] [0 ≤ t − 1 < 32]
        gru_1_q[:, step] = (
            gru_1_b_h + np.sum((gru_1_W_h * gru_1_h[:, step - 1, :][:, None, :] if 0 <= step - 1 < 32 else np.full((n, 144, 48,), 0.0)),
            axis=-1)
        )
        # gru_1_r[n, t, k] = σ(gru_1_p[n, t, k] + gru_1_q[n, t, k])
        gru_1_r[:, step] = sigmoid(gru_1_p[:, step, :48] + gru_1_q[:, step, :48])
        # gru_1_u[n, t, k] = σ(gru_1_p[n, t, 48 + k] + gru_1_q[n, t, 48 + k])
        gru_1_u[:, step] = sigmoid(gru_1_p[:, step, 48:96] + gru_1_q[:, step, 48:96])
        # gru_1_g[n, t, k] = tanh(gru_1_q[n, t, 96 + k] gru_1_r[n, t, k] + gru_1_p[n, t, 96 + k])
        gru_1_g[:, step] = np.tanh(gru_1_q[:, step, 96:144] * gru_1_r[:, step, :] + gru_1_p[:, step, 96:144])
        # gru_1_h[n, t, k] = (1 − gru_1_u[n, t, k]) · gru_1_g[n, t, k] + gru_1_h[n, t − 1, k] gru_1_u[n, t, k] [0 ≤ t − 1 < 32]
        gru_1_h[:, step] = (
            (1.0 - gru_1_u[:, step, :]) * gru_1_g[:, step, :] + (gru_1_h[:, step - 1, :] * gru_1_u[:, step, :] if 0 <= step - 1 < 32
            else 0.0)
        )
    # gru_1_a[n, t, k] = gru_1_h[n, t, k]
    gru_1_a = gru_1_h
    # dense_1
    # dense_1_z[n, t, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] gru_1_a[n, t, j]
    dense_1_z = dense_1_b + np.einsum("ij,ntj->nti", dense_1_W, gru_1_a)
    # loss
    # loss_L[n, t] = log Σ_i exp(dense_1_z[n, t, i]) − dense_1_z[n, t, y[n, t]]
    loss_L = logsumexp(dense_1_z, axis=-1) - dense_1_z[np.arange(n)[:, None], np.arange(32), y]
    # loss_ = (Σ_{n, t} loss_L[n, t])/(32 N)
    loss_ = np.sum(loss_L) / (32.0 * n)
    return float(loss_)


def value_and_grad(params, x, y, grads, work=None):
    """Return the loss of a batch and write its gradients into grads."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    embedding_1_E = params[0:992].reshape(62, 16)
    gru_1_W_x = params[992:3296].reshape(144, 16)
    gru_1_b_x = params[10208:10352]
    gru_1_W_h = params[3296:10208].reshape(144, 48)
    gru_1_b_h = params[10352:10496]
    dense_1_W = params[10496:13472].reshape(62, 48)
    dense_1_b = params[13472:13534]
    grad_dense_1_W = grads[10496:13472].reshape(62, 48)
    grad_dense_1_b = grads[13472:13534]
    grad_gru_1_W_h = grads[3296:10208].reshape(144, 48)
    grad_gru_1_b_h = grads[10352:10496]
    grad_gru_1_W_x = grads[992:3296].reshape(144, 16)
    grad_gru_1_b_x = grads[10208:10352]
    grad_embedding_1_E = grads[0:992].reshape(62, 16)
    # embedding_1
    # embedding_1_a[n, t, i] = embedding_1_E[x[n, t], i]
    embedding_1_a = embedding_1_E[x[:, :, None], np.arange(16)]
    # gru_1
    # gru_1_p[n, t, r] = gru_1_b_x[r] + Σ_j gru_1_W_x[r, j] embedding_1_a[n, t, j]
    gru_1_p = gru_1_b_x + np.einsum("rj,ntj->ntr", gru_1_W_x, embedding_1_a)
    gru_1_q = np.empty((n, 32, 144,), params.dtype)
    gru_1_r = np.empty((n, 32, 48,), params.dtype)
    gru_1_u = np.empty((n, 32, 48,), params.dtype)
    gru_1_g = np.empty((n, 32, 48,), params.dtype)
    gru_1_h = np.empty((n, 32, 48,), params.dtype)
    for step in range(32):
        # gru_1_q[n, t, r] = gru_1_b_h[r] + Σ_k gru_1_W_h[r, k] gru_1_h[n, t − 1, k] [0 ≤ t − 1 < 32]
        gru_1_q[:, step] = (
            gru_1_b_h + np.sum((gru_1_W_h * gru_1_h[:, step - 1, :][:, None, :] if 0 <= step - 1 < 32 else np.full((n, 144, 48,), 0.0)),
            axis=-1)
        )
        # gru_1_r[n, t, k] = σ(gru_1_p[n, t, k] + gru_1_q[n, t, k])
        gru_1_r[:, step] = sigmoid(gru_1_p[:, step, :48] + gru_1_q[:, step, :48])
        # gru_1_u[n, t, k] = σ(gru_1_p[n, t, 48 + k] + gru_1_q[n, t, 48 + k])
        gru_1_u[:, step] = sigmoid(gru_1_p[:, step, 48:96] + gru_1_q[:, step, 48:96])
        # gru_1_g[n, t, k] = tanh(gru_1_q[n, t, 96 + k] gru_1_r[n, t, k] + gru_1_p[n, t, 96 + k])
        gru_1_g[:, step] = np.tanh(gru_1_q[:, step, 96:144] * gru_1_r[:, step, :] + gru_1_p[:, step, 96:144])
        # gru_1_h[n, t, k] = (1 − gru_1_u[n, t, k]) · gru_1_g[n, t, k] + gru_1_h[n, t − 1, k] gru_1_u[n, t, k] [0 ≤ t − 1 < 32]
        gru_1_h[:, step] = (
            (1.0 - gru_1_u[:, step, :]) * gru_1_g[:, step, :] + (gru_1_h[:, step - 1, :] * gru_1_u[:, step, :] if 0 <= step - 1 < 32
            else 0.0)
        )
    # gru_1_a[n, t, k] = gru_1_h[n, t, k]
    gru_1_a = gru_1_h
    # dense_1
    # dense_1_z[n, t, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] gru_1_a[n, t, j]
    dense_1_z = dense_1_b + np.einsum("ij,ntj->nti", dense_1_W, gru_1_a)
    # loss
    # loss_p[n, t, i] = exp(dense_1_z[n, t, i] − log Σ_j exp(dense_1_z[n, t, j]))
    loss_p = np.exp(dense_1_z - logsumexp(dense_1_z, axis=-1)[:, :, None])
    # loss_L[n, t] = log Σ_i exp(dense_1_z[n, t, i]) − dense_1_z[n, t, y[n, t]]
    loss_L = logsumexp(dense_1_z, axis=-1) - dense_1_z[np.arange(n)[:, None], np.arange(32), y]
    # loss_ = (Σ_{n, t} loss_L[n, t])/(32 N)
    loss_ = np.sum(loss_L) / (32.0 * n)
    # dense_1
    # delta_dense_1[n, t, i] = (loss_p[n, t, i] − [i = y[n, t]])/(32 N)
    delta_dense_1 = (loss_p - np.where(np.arange(62) == y[:, :, None], 1.0, 0.0)) / (32.0 * n)
    # grad_dense_1_W[i, j] = Σ_{n, t} delta_dense_1[n, t, i] gru_1_a[n, t, j]
    grad_dense_1_W[...] = np.einsum("nti,ntj->ij", delta_dense_1, gru_1_a)
    # grad_dense_1_b[i] = Σ_{n, t} delta_dense_1[n, t, i]
    grad_dense_1_b[...] = np.sum(delta_dense_1.transpose(2, 0, 1), axis=(-2, -1))
    # gru_1
    grad_gru_1_h = np.empty((n, 32, 48,), params.dtype)
    grad_gru_1_g = np.empty((n, 32, 48,), params.dtype)
    grad_gru_1_u = np.empty((n, 32, 48,), params.dtype)
    grad_gru_1_r = np.empty((n, 32, 48,), params.dtype)
    grad_gru_1_q = np.empty((n, 32, 144,), params.dtype)
    for step in reversed(range(32)):
        # grad_gru_1_h[n, t, k] = [0 ≤ 1 + t < 32] Σ_r gru_1_W_h[r, k] grad_gru_1_q[n, 1 + t, r] + grad_gru_1_h[n, 1 + t, k] gru_1_u[n,
        #     1 + t, k] [0 ≤ 1 + t < 32] + Σ_i dense_1_W[i, k] delta_dense_1[n, t, i]
        grad_gru_1_h[:, step] = (
            (grad_gru_1_q[:, step + 1, :] @ gru_1_W_h if 0 <= step + 1 < 32 else 0.0) + (grad_gru_1_h[:, step + 1, :] * gru_1_u[:, step + 1,
            :] if 0 <= step + 1 < 32 else 0.0) + delta_dense_1[:, step, :] @ dense_1_W
        )
        # grad_gru_1_g[n, t, k] = (1 − gru_1_u[n, t, k]) · grad_gru_1_h[n, t, k]
        grad_gru_1_g[:, step] = (1.0 - gru_1_u[:, step, :]) * grad_gru_1_h[:, step, :]
        # grad_gru_1_u[n, t, k] = (gru_1_h[n, t − 1, k] [0 ≤ t − 1 < 32] − gru_1_g[n, t, k]) · grad_gru_1_h[n, t, k]
        grad_gru_1_u[:, step] = ((gru_1_h[:, step - 1, :] if 0 <= step - 1 < 32 else 0.0) - gru_1_g[:, step, :]) * grad_gru_1_h[:, step, :]
        # grad_gru_1_r[n, t, k] = (1 − gru_1_g[n, t, k]²) · grad_gru_1_g[n, t, k] gru_1_q[n, t, 96 + k]
        grad_gru_1_r[:, step] = (1.0 - gru_1_g[:, step, :]**2) * grad_gru_1_g[:, step, :] * gru_1_q[:, step, 96:144]
        # grad_gru_1_q[n, t, r] = (1 − gru_1_g[n, t, r − 96]²) · grad_gru_1_g[n, t, r − 96] gru_1_r[n, t, r − 96] [0 ≤ r − 96 < 48]
        #     − (gru_1_r[n, t, r] − 1) · grad_gru_1_r[n, t, r] gru_1_r[n, t, r] [0 ≤ r < 48] − (gru_1_u[n, t, r − 48] − 1) · grad_gru_1_u[n,
        #     t, r − 48] gru_1_u[n, t, r − 48] [0 ≤ r − 48 < 48]
        grad_gru_1_q[:, step] = (
            np.concatenate([-(gru_1_r[:, step, :] - 1.0) * grad_gru_1_r[:, step, :] * gru_1_r[:, step, :], grad_gru_1_u[:, step, :]
            * gru_1_u[:, step, :] - grad_gru_1_u[:, step, :] * gru_1_u[:, step, :]**2, grad_gru_1_g[:, step, :] * gru_1_r[:, step, :]
            - gru_1_g[:, step, :]**2 * grad_gru_1_g[:, step, :] * gru_1_r[:, step, :]], axis=1)
        )
    # grad_gru_1_W_h[r, k] = Σ_{n, t} grad_gru_1_q[n, t, r] gru_1_h[n, t − 1, k] [0 ≤ t − 1 < 32]
    grad_gru_1_W_h[...] = (
        np.sum(np.where(((np.arange(32) - 1) >= 0) & ((np.arange(32) - 1) < 32), grad_gru_1_q.transpose(2, 0, 1)[:, None, :, :]
        * gru_1_h[np.arange(n)[:, None], np.clip(np.arange(32) - 1, 0, 32 - 1), np.arange(48)[:, None, None]], 0.0), axis=(-2, -1))
    )
    # grad_gru_1_b_h[r] = Σ_{n, t} grad_gru_1_q[n, t, r]
    grad_gru_1_b_h[...] = np.sum(grad_gru_1_q.transpose(2, 0, 1), axis=(-2, -1))
    # grad_gru_1_p[n, t, r] = (1 − gru_1_g[n, t, r − 96]²) · grad_gru_1_g[n, t, r − 96] [0 ≤ r − 96 < 48] − (gru_1_r[n, t, r] − 1)
    #     · grad_gru_1_r[n, t, r] gru_1_r[n, t, r] [0 ≤ r < 48] − (gru_1_u[n, t, r − 48] − 1) · grad_gru_1_u[n, t, r − 48] gru_1_u[n, t, r
    #     − 48] [0 ≤ r − 48 < 48]
    grad_gru_1_p = (
        np.concatenate([-(gru_1_r - 1.0) * grad_gru_1_r * gru_1_r, grad_gru_1_u * gru_1_u - grad_gru_1_u * gru_1_u**2, grad_gru_1_g
        - gru_1_g**2 * grad_gru_1_g], axis=2)
    )
    # grad_gru_1_W_x[r, j] = Σ_{n, t} grad_gru_1_p[n, t, r] embedding_1_a[n, t, j]
    grad_gru_1_W_x[...] = np.einsum("ntr,ntj->rj", grad_gru_1_p, embedding_1_a)
    # grad_gru_1_b_x[r] = Σ_{n, t} grad_gru_1_p[n, t, r]
    grad_gru_1_b_x[...] = np.sum(grad_gru_1_p.transpose(2, 0, 1), axis=(-2, -1))
    # embedding_1
    # grad_embedding_1_a[n, t, j] = Σ_r gru_1_W_x[r, j] grad_gru_1_p[n, t, r]
    grad_embedding_1_a = np.einsum("rj,ntr->ntj", gru_1_W_x, grad_gru_1_p)
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
