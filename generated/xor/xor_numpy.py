"""The network xor in NumPy, as its equations read; it needs NumPy only.

Written from the template numpy/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: 441f4c0babe57b925191306cf9b1c259c1353e468a39d393c0a8a684fc4dd46e

params, grads and state are contiguous 1-D arrays of type float64; x has one sample a row; work is not used.
y has one number for each sample.
"""

import numpy as np

NAME = "xor"
#: Name, offset and shape of each parameter in the flat buffers.
PARAMETERS = (
    ("dense_1.W", 0, (2, 2)),
    ("dense_1.b", 4, (2,)),
    ("dense_2.W", 6, (1, 2)),
    ("dense_2.b", 8, (1,)),
)
DTYPE = "float64"
#: The largest batch.
BATCH = 4
STATE_SIZE = 0
#: The optimizer's numbers with their defaults, in the order of the array hyper.
HYPER = (
    ("lr", 0.5),
)


def workspace(n):
    """Return how many elements of workspace a batch of n samples needs."""
    return 0


def sigmoid(u):
    """Return 1 / (1 + exp(-u)) without overflow."""
    small = np.exp(-np.abs(u))
    return np.where(u <= 0, small, 1.0) / (1.0 + small)


def softplus(u):
    """Return log(1 + exp(u)) without overflow."""
    return np.maximum(u, 0.0) + np.log1p(np.exp(-np.abs(u)))


def forward(params, x, out, work=None):
    """Write the network's output for a batch into out."""
    dense_1_W = params[0:4].reshape(2, 2)
    dense_1_b = params[4:6]
    dense_2_W = params[6:8].reshape(1, 2)
    dense_2_b = params[8:9]
    # dense_1
    # dense_1_z[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] x[n, j]
    dense_1_z = dense_1_b + x @ dense_1_W.T
    # dense_1_a[n, i] = tanh(dense_1_z[n, i])
    dense_1_a = np.tanh(dense_1_z)
    # dense_2
    # dense_2_z[n, i] = dense_2_b[i] + Σ_j dense_2_W[i, j] dense_1_a[n, j]
    dense_2_z = dense_2_b + dense_1_a @ dense_2_W.T
    # out[n, i] = σ(dense_2_z[n, i])
    out[...] = sigmoid(dense_2_z)


def loss(params, x, y, work=None):
    """Return the loss of a batch."""
    n = x.shape[0]
    dense_1_W = params[0:4].reshape(2, 2)
    dense_1_b = params[4:6]
    dense_2_W = params[6:8].reshape(1, 2)
    dense_2_b = params[8:9]
    # dense_1
    # dense_1_z[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] x[n, j]
    dense_1_z = dense_1_b + x @ dense_1_W.T
    # dense_1_a[n, i] = tanh(dense_1_z[n, i])
    dense_1_a = np.tanh(dense_1_z)
    # dense_2
    # dense_2_z[n, i] = dense_2_b[i] + Σ_j dense_2_W[i, j] dense_1_a[n, j]
    dense_2_z = dense_2_b + dense_1_a @ dense_2_W.T
    # loss
    # loss_ = (Σ_{n, i} ((1 − y[n, i]) · softplus(dense_2_z[n, i]) + y[n, i] softplus(−dense_2_z[n, i])))/N
    loss_ = np.sum((1.0 - y) * softplus(dense_2_z) + softplus(-dense_2_z) * y) / n
    return float(loss_)


def value_and_grad(params, x, y, grads, work=None):
    """Return the loss of a batch and write its gradients into grads."""
    n = x.shape[0]
    dense_1_W = params[0:4].reshape(2, 2)
    dense_1_b = params[4:6]
    dense_2_W = params[6:8].reshape(1, 2)
    dense_2_b = params[8:9]
    grad_dense_2_W = grads[6:8].reshape(1, 2)
    grad_dense_2_b = grads[8:9]
    grad_dense_1_W = grads[0:4].reshape(2, 2)
    grad_dense_1_b = grads[4:6]
    # dense_1
    # dense_1_z[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] x[n, j]
    dense_1_z = dense_1_b + x @ dense_1_W.T
    # dense_1_a[n, i] = tanh(dense_1_z[n, i])
    dense_1_a = np.tanh(dense_1_z)
    # dense_2
    # dense_2_z[n, i] = dense_2_b[i] + Σ_j dense_2_W[i, j] dense_1_a[n, j]
    dense_2_z = dense_2_b + dense_1_a @ dense_2_W.T
    # dense_2_a[n, i] = σ(dense_2_z[n, i])
    dense_2_a = sigmoid(dense_2_z)
    # loss
    # loss_ = (Σ_{n, i} ((1 − y[n, i]) · softplus(dense_2_z[n, i]) + y[n, i] softplus(−dense_2_z[n, i])))/N
    loss_ = np.sum((1.0 - y) * softplus(dense_2_z) + softplus(-dense_2_z) * y) / n
    # dense_2
    # delta_dense_2[n, i] = (dense_2_a[n, i] − y[n, i])/N
    delta_dense_2 = (dense_2_a - y) / n
    # grad_dense_2_W[i, j] = Σ_n delta_dense_2[n, i] dense_1_a[n, j]
    grad_dense_2_W[...] = delta_dense_2.T @ dense_1_a
    # grad_dense_2_b[i] = Σ_n delta_dense_2[n, i]
    grad_dense_2_b[...] = np.sum(delta_dense_2, axis=0)
    # dense_1
    # delta_dense_1[n, i] = (1 − dense_1_a[n, i]²) · Σ_j dense_2_W[j, i] delta_dense_2[n, j]
    delta_dense_1 = (delta_dense_2 @ dense_2_W) * (1.0 - dense_1_a**2)
    # grad_dense_1_W[i, j] = Σ_n delta_dense_1[n, i] x[n, j]
    grad_dense_1_W[...] = delta_dense_1.T @ x
    # grad_dense_1_b[i] = Σ_n delta_dense_1[n, i]
    grad_dense_1_b[...] = np.sum(delta_dense_1, axis=0)
    return float(loss_)


def input_gradients(params, x, y, grads_x, work=None):
    """Return the loss of a batch and write its gradient with respect to the inputs."""
    n = x.shape[0]
    dense_1_W = params[0:4].reshape(2, 2)
    dense_1_b = params[4:6]
    dense_2_W = params[6:8].reshape(1, 2)
    dense_2_b = params[8:9]
    # dense_1
    # dense_1_z[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] x[n, j]
    dense_1_z = dense_1_b + x @ dense_1_W.T
    # dense_1_a[n, i] = tanh(dense_1_z[n, i])
    dense_1_a = np.tanh(dense_1_z)
    # dense_2
    # dense_2_z[n, i] = dense_2_b[i] + Σ_j dense_2_W[i, j] dense_1_a[n, j]
    dense_2_z = dense_2_b + dense_1_a @ dense_2_W.T
    # dense_2_a[n, i] = σ(dense_2_z[n, i])
    dense_2_a = sigmoid(dense_2_z)
    # loss
    # loss_ = (Σ_{n, i} ((1 − y[n, i]) · softplus(dense_2_z[n, i]) + y[n, i] softplus(−dense_2_z[n, i])))/N
    loss_ = np.sum((1.0 - y) * softplus(dense_2_z) + softplus(-dense_2_z) * y) / n
    # dense_2
    # delta_dense_2[n, i] = (dense_2_a[n, i] − y[n, i])/N
    delta_dense_2 = (dense_2_a - y) / n
    # dense_1
    # delta_dense_1[n, i] = (1 − dense_1_a[n, i]²) · Σ_j dense_2_W[j, i] delta_dense_2[n, j]
    delta_dense_1 = (delta_dense_2 @ dense_2_W) * (1.0 - dense_1_a**2)
    # x
    # grads_x[n, j] = Σ_i dense_1_W[i, j] delta_dense_1[n, i]
    grads_x[...] = delta_dense_1 @ dense_1_W
    return float(loss_)


def update(params, grads, state, hyper):
    """Do one step of the optimizer with given gradients."""
    lr = float(hyper[0])
    # w_next[p] = w[p] − lr g[p]
    w_next = params - lr * grads
    params[...] = w_next


def train_step(params, x, y, grads, state, hyper, work=None):
    """Return the loss and do one step of the optimizer; a loss that is not finite changes nothing."""
    value = value_and_grad(params, x, y, grads, work)
    if np.isfinite(value):
        update(params, grads, state, hyper)
    return value
