"""The network mazur in NumPy, as its equations read; it needs NumPy only.

Written from the template numpy/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: f7822bb5de23f3fca99b7e98c5e7c91b7333fca1a00a2579bff9e19f3d21e899

params, grads and state are contiguous 1-D arrays of type float64; x has one sample a row; work is not used.
y has 2 numbers for each sample.
"""

import numpy as np

NAME = "mazur"
#: Name, offset and shape of each parameter in the flat buffers.
PARAMETERS = (
    ("dense_1.W", 0, (2, 2)),
    ("dense_1.b", 4, (2,)),
    ("dense_2.W", 6, (2, 2)),
    ("dense_2.b", 10, (2,)),
)
DTYPE = "float64"
#: The largest batch.
BATCH = 1
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


def forward(params, x, out, work=None):
    """Write the network's output for a batch into out."""
    dense_1_W = params[0:4].reshape(2, 2)
    dense_1_b = params[4:6]
    dense_2_W = params[6:10].reshape(2, 2)
    dense_2_b = params[10:12]
    # dense_1
    # dense_1_z[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] x[n, j]
    dense_1_z = dense_1_b + x @ dense_1_W.T
    # dense_1_a[n, i] = σ(dense_1_z[n, i])
    dense_1_a = sigmoid(dense_1_z)
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
    dense_2_W = params[6:10].reshape(2, 2)
    dense_2_b = params[10:12]
    # dense_1
    # dense_1_z[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] x[n, j]
    dense_1_z = dense_1_b + x @ dense_1_W.T
    # dense_1_a[n, i] = σ(dense_1_z[n, i])
    dense_1_a = sigmoid(dense_1_z)
    # dense_2
    # dense_2_z[n, i] = dense_2_b[i] + Σ_j dense_2_W[i, j] dense_1_a[n, j]
    dense_2_z = dense_2_b + dense_1_a @ dense_2_W.T
    # dense_2_a[n, i] = σ(dense_2_z[n, i])
    dense_2_a = sigmoid(dense_2_z)
    # loss
    # loss_L[n] = (Σ_i (dense_2_a[n, i] − y[n, i])²)/2
    loss_L = np.sum((dense_2_a - y)**2, axis=-1) / 2.0
    # loss_ = (Σ_n loss_L[n])/N
    loss_ = np.sum(loss_L) / n
    return float(loss_)


def value_and_grad(params, x, y, grads, work=None):
    """Return the loss of a batch and write its gradients into grads."""
    n = x.shape[0]
    dense_1_W = params[0:4].reshape(2, 2)
    dense_1_b = params[4:6]
    dense_2_W = params[6:10].reshape(2, 2)
    dense_2_b = params[10:12]
    grad_dense_2_W = grads[6:10].reshape(2, 2)
    grad_dense_2_b = grads[10:12]
    grad_dense_1_W = grads[0:4].reshape(2, 2)
    grad_dense_1_b = grads[4:6]
    # dense_1
    # dense_1_z[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] x[n, j]
    dense_1_z = dense_1_b + x @ dense_1_W.T
    # dense_1_a[n, i] = σ(dense_1_z[n, i])
    dense_1_a = sigmoid(dense_1_z)
    # dense_2
    # dense_2_z[n, i] = dense_2_b[i] + Σ_j dense_2_W[i, j] dense_1_a[n, j]
    dense_2_z = dense_2_b + dense_1_a @ dense_2_W.T
    # dense_2_a[n, i] = σ(dense_2_z[n, i])
    dense_2_a = sigmoid(dense_2_z)
    # loss
    # loss_L[n] = (Σ_i (dense_2_a[n, i] − y[n, i])²)/2
    loss_L = np.sum((dense_2_a - y)**2, axis=-1) / 2.0
    # loss_ = (Σ_n loss_L[n])/N
    loss_ = np.sum(loss_L) / n
    # dense_2
    # delta_dense_2[n, i] = (1 − dense_2_a[n, i]) · (dense_2_a[n, i] − y[n, i]) · dense_2_a[n, i]/N
    delta_dense_2 = (1.0 - dense_2_a) * (dense_2_a - y) * dense_2_a / n
    # grad_dense_2_W[i, j] = Σ_n delta_dense_2[n, i] dense_1_a[n, j]
    grad_dense_2_W[...] = delta_dense_2.T @ dense_1_a
    # grad_dense_2_b[i] = Σ_n delta_dense_2[n, i]
    grad_dense_2_b[...] = np.sum(delta_dense_2, axis=0)
    # dense_1
    # delta_dense_1[n, i] = (1 − dense_1_a[n, i]) · dense_1_a[n, i] Σ_j dense_2_W[j, i] delta_dense_2[n, j]
    delta_dense_1 = (delta_dense_2 @ dense_2_W) * (1.0 - dense_1_a) * dense_1_a
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
    dense_2_W = params[6:10].reshape(2, 2)
    dense_2_b = params[10:12]
    # dense_1
    # dense_1_z[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] x[n, j]
    dense_1_z = dense_1_b + x @ dense_1_W.T
    # dense_1_a[n, i] = σ(dense_1_z[n, i])
    dense_1_a = sigmoid(dense_1_z)
    # dense_2
    # dense_2_z[n, i] = dense_2_b[i] + Σ_j dense_2_W[i, j] dense_1_a[n, j]
    dense_2_z = dense_2_b + dense_1_a @ dense_2_W.T
    # dense_2_a[n, i] = σ(dense_2_z[n, i])
    dense_2_a = sigmoid(dense_2_z)
    # loss
    # loss_L[n] = (Σ_i (dense_2_a[n, i] − y[n, i])²)/2
    loss_L = np.sum((dense_2_a - y)**2, axis=-1) / 2.0
    # loss_ = (Σ_n loss_L[n])/N
    loss_ = np.sum(loss_L) / n
    # dense_2
    # delta_dense_2[n, i] = (1 − dense_2_a[n, i]) · (dense_2_a[n, i] − y[n, i]) · dense_2_a[n, i]/N
    delta_dense_2 = (1.0 - dense_2_a) * (dense_2_a - y) * dense_2_a / n
    # dense_1
    # delta_dense_1[n, i] = (1 − dense_1_a[n, i]) · dense_1_a[n, i] Σ_j dense_2_W[j, i] delta_dense_2[n, j]
    delta_dense_1 = (delta_dense_2 @ dense_2_W) * (1.0 - dense_1_a) * dense_1_a
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
