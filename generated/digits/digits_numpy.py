"""The network digits in NumPy, as its equations read; it needs NumPy only.

Written from the template numpy/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: 01df299a04654bdbf9f5b457c92b11faa8dc8194b7da4d0701d742c149d84a51

params, grads and state are contiguous 1-D arrays of type float32; x has one sample a row; work is not used.
y has one number for each sample, integers from 0 to 9.
"""

import numpy as np

NAME = "digits"
#: Name, offset and shape of each parameter in the flat buffers.
PARAMETERS = (
    ("dense_1.W", 0, (64, 64)),
    ("dense_1.b", 4096, (64,)),
    ("dense_2.W", 4160, (10, 64)),
    ("dense_2.b", 4800, (10,)),
)
DTYPE = "float32"
#: The largest batch.
BATCH = 32
STATE_SIZE = 4810
#: The optimizer's numbers with their defaults, in the order of the array hyper.
HYPER = (
    ("lr", 0.1),
    ("mu", 0.9),
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
    dense_1_W = params[0:4096].reshape(64, 64)
    dense_1_b = params[4096:4160]
    dense_2_W = params[4160:4800].reshape(10, 64)
    dense_2_b = params[4800:4810]
    # dense_1
    # dense_1_z[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] x[n, j]
    dense_1_z = dense_1_b + x @ dense_1_W.T
    # dense_1_a[n, i] = dense_1_z[n, i] [dense_1_z[n, i] > 0]
    dense_1_a = np.where(dense_1_z <= 0.0, 0.0, dense_1_z)
    # dense_2
    # out[n, i] = dense_2_b[i] + Σ_j dense_2_W[i, j] dense_1_a[n, j]
    out[...] = dense_2_b + dense_1_a @ dense_2_W.T


def loss(params, x, y, work=None):
    """Return the loss of a batch."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    dense_1_W = params[0:4096].reshape(64, 64)
    dense_1_b = params[4096:4160]
    dense_2_W = params[4160:4800].reshape(10, 64)
    dense_2_b = params[4800:4810]
    # dense_1
    # dense_1_z[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] x[n, j]
    dense_1_z = dense_1_b + x @ dense_1_W.T
    # dense_1_a[n, i] = dense_1_z[n, i] [dense_1_z[n, i] > 0]
    dense_1_a = np.where(dense_1_z <= 0.0, 0.0, dense_1_z)
    # dense_2
    # dense_2_z[n, i] = dense_2_b[i] + Σ_j dense_2_W[i, j] dense_1_a[n, j]
    dense_2_z = dense_2_b + dense_1_a @ dense_2_W.T
    # loss
    # loss_L[n] = log Σ_i exp(dense_2_z[n, i]) − dense_2_z[n, y[n]]
    loss_L = logsumexp(dense_2_z, axis=-1) - dense_2_z[np.arange(n), y]
    # loss_data = (Σ_n loss_L[n])/N
    loss_data = np.sum(loss_L) / n
    # loss_penalty_1 = 5e−05 Σ_{i, j} dense_1_W[i, j]²
    loss_penalty_1 = np.sum(dense_1_W**2) / 20000.0
    # loss_penalty_2 = 5e−05 Σ_{i, j} dense_2_W[i, j]²
    loss_penalty_2 = np.sum(dense_2_W**2) / 20000.0
    # loss_ = loss_data + loss_penalty_1 + loss_penalty_2
    loss_ = loss_data + loss_penalty_1 + loss_penalty_2
    return float(loss_)


def value_and_grad(params, x, y, grads, work=None):
    """Return the loss of a batch and write its gradients into grads."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    dense_1_W = params[0:4096].reshape(64, 64)
    dense_1_b = params[4096:4160]
    dense_2_W = params[4160:4800].reshape(10, 64)
    dense_2_b = params[4800:4810]
    grad_dense_2_W = grads[4160:4800].reshape(10, 64)
    grad_dense_2_b = grads[4800:4810]
    grad_dense_1_W = grads[0:4096].reshape(64, 64)
    grad_dense_1_b = grads[4096:4160]
    # dense_1
    # dense_1_z[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] x[n, j]
    dense_1_z = dense_1_b + x @ dense_1_W.T
    # dense_1_a[n, i] = dense_1_z[n, i] [dense_1_z[n, i] > 0]
    dense_1_a = np.where(dense_1_z <= 0.0, 0.0, dense_1_z)
    # dense_2
    # dense_2_z[n, i] = dense_2_b[i] + Σ_j dense_2_W[i, j] dense_1_a[n, j]
    dense_2_z = dense_2_b + dense_1_a @ dense_2_W.T
    # loss
    # loss_p[n, i] = exp(dense_2_z[n, i] − log Σ_j exp(dense_2_z[n, j]))
    loss_p = np.exp(dense_2_z - logsumexp(dense_2_z, axis=-1)[:, None])
    # loss_L[n] = log Σ_i exp(dense_2_z[n, i]) − dense_2_z[n, y[n]]
    loss_L = logsumexp(dense_2_z, axis=-1) - dense_2_z[np.arange(n), y]
    # loss_data = (Σ_n loss_L[n])/N
    loss_data = np.sum(loss_L) / n
    # loss_penalty_1 = 5e−05 Σ_{i, j} dense_1_W[i, j]²
    loss_penalty_1 = np.sum(dense_1_W**2) / 20000.0
    # loss_penalty_2 = 5e−05 Σ_{i, j} dense_2_W[i, j]²
    loss_penalty_2 = np.sum(dense_2_W**2) / 20000.0
    # loss_ = loss_data + loss_penalty_1 + loss_penalty_2
    loss_ = loss_data + loss_penalty_1 + loss_penalty_2
    # dense_2
    # delta_dense_2[n, i] = (loss_p[n, i] − [i = y[n]])/N
    delta_dense_2 = (loss_p - np.where(np.arange(10) == y[:, None], 1.0, 0.0)) / n
    # grad_dense_2_W[i, j] = 0.0001 dense_2_W[i, j] + Σ_n delta_dense_2[n, i] dense_1_a[n, j]
    grad_dense_2_W[...] = dense_2_W / 10000.0 + delta_dense_2.T @ dense_1_a
    # grad_dense_2_b[i] = Σ_n delta_dense_2[n, i]
    grad_dense_2_b[...] = np.sum(delta_dense_2, axis=0)
    # dense_1
    # delta_dense_1[n, i] = [dense_1_a[n, i] > 0] Σ_j dense_2_W[j, i] delta_dense_2[n, j]
    delta_dense_1 = np.where(dense_1_a <= 0.0, 0.0, delta_dense_2 @ dense_2_W)
    # grad_dense_1_W[i, j] = 0.0001 dense_1_W[i, j] + Σ_n delta_dense_1[n, i] x[n, j]
    grad_dense_1_W[...] = dense_1_W / 10000.0 + delta_dense_1.T @ x
    # grad_dense_1_b[i] = Σ_n delta_dense_1[n, i]
    grad_dense_1_b[...] = np.sum(delta_dense_1, axis=0)
    return float(loss_)


def input_gradients(params, x, y, grads_x, work=None):
    """Return the loss of a batch and write its gradient with respect to the inputs."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    dense_1_W = params[0:4096].reshape(64, 64)
    dense_1_b = params[4096:4160]
    dense_2_W = params[4160:4800].reshape(10, 64)
    dense_2_b = params[4800:4810]
    # dense_1
    # dense_1_z[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] x[n, j]
    dense_1_z = dense_1_b + x @ dense_1_W.T
    # dense_1_a[n, i] = dense_1_z[n, i] [dense_1_z[n, i] > 0]
    dense_1_a = np.where(dense_1_z <= 0.0, 0.0, dense_1_z)
    # dense_2
    # dense_2_z[n, i] = dense_2_b[i] + Σ_j dense_2_W[i, j] dense_1_a[n, j]
    dense_2_z = dense_2_b + dense_1_a @ dense_2_W.T
    # loss
    # loss_p[n, i] = exp(dense_2_z[n, i] − log Σ_j exp(dense_2_z[n, j]))
    loss_p = np.exp(dense_2_z - logsumexp(dense_2_z, axis=-1)[:, None])
    # loss_L[n] = log Σ_i exp(dense_2_z[n, i]) − dense_2_z[n, y[n]]
    loss_L = logsumexp(dense_2_z, axis=-1) - dense_2_z[np.arange(n), y]
    # loss_data = (Σ_n loss_L[n])/N
    loss_data = np.sum(loss_L) / n
    # loss_penalty_1 = 5e−05 Σ_{i, j} dense_1_W[i, j]²
    loss_penalty_1 = np.sum(dense_1_W**2) / 20000.0
    # loss_penalty_2 = 5e−05 Σ_{i, j} dense_2_W[i, j]²
    loss_penalty_2 = np.sum(dense_2_W**2) / 20000.0
    # loss_ = loss_data + loss_penalty_1 + loss_penalty_2
    loss_ = loss_data + loss_penalty_1 + loss_penalty_2
    # dense_2
    # delta_dense_2[n, i] = (loss_p[n, i] − [i = y[n]])/N
    delta_dense_2 = (loss_p - np.where(np.arange(10) == y[:, None], 1.0, 0.0)) / n
    # dense_1
    # delta_dense_1[n, i] = [dense_1_a[n, i] > 0] Σ_j dense_2_W[j, i] delta_dense_2[n, j]
    delta_dense_1 = np.where(dense_1_a <= 0.0, 0.0, delta_dense_2 @ dense_2_W)
    # x
    # grads_x[n, j] = Σ_i dense_1_W[i, j] delta_dense_1[n, i]
    grads_x[...] = delta_dense_1 @ dense_1_W
    return float(loss_)


def update(params, grads, state, hyper):
    """Do one step of the optimizer with given gradients."""
    P = params.size
    lr = float(hyper[0])
    mu = float(hyper[1])
    v = state[0:P]
    # v_next[p] = mu v[p] + g[p]
    v_next = mu * v + grads
    # w_next[p] = w[p] − lr v_next[p]
    w_next = params - lr * v_next
    params[...] = w_next
    v[...] = v_next


def train_step(params, x, y, grads, state, hyper, work=None):
    """Return the loss and do one step of the optimizer; a loss that is not finite changes nothing."""
    value = value_and_grad(params, x, y, grads, work)
    if np.isfinite(value):
        update(params, grads, state, hyper)
    return value
