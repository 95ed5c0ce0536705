"""The network own_activation in NumPy, as its equations read; it needs NumPy only.

Written from the template numpy/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: 9b127097f9497c2d587890f3d5fd2fff97f7fe414757bdf08e315904c69e1cd4

params, grads and state are contiguous 1-D arrays of type float64; x has one sample a row; work is not used.
y has one number for each sample.
"""

import numpy as np

NAME = "own_activation"
#: Name, offset and shape of each parameter in the flat buffers.
PARAMETERS = (
    ("dense_1.W", 0, (8, 3)),
    ("dense_1.b", 24, (8,)),
    ("dense_2.W", 32, (1, 8)),
    ("dense_2.b", 40, (1,)),
)
DTYPE = "float64"
#: The largest batch.
BATCH = 32
STATE_SIZE = 41
#: The optimizer's numbers with their defaults, in the order of the array hyper.
HYPER = (
    ("lr", 0.01),
    ("rho", 0.99),
    ("eps", 1e-08),
)


def workspace(n):
    """Return how many elements of workspace a batch of n samples needs."""
    return 0


def forward(params, x, out, work=None):
    """Write the network's output for a batch into out."""
    dense_1_W = params[0:24].reshape(8, 3)
    dense_1_b = params[24:32]
    dense_2_W = params[32:40].reshape(1, 8)
    dense_2_b = params[40:41]
    # dense_1
    # dense_1_z[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] x[n, j]
    dense_1_z = dense_1_b + x @ dense_1_W.T
    # dense_1_a[n, i] = √(1 + dense_1_z[n, i]²)/2 + dense_1_z[n, i] − 1/2
    dense_1_a = np.sqrt(dense_1_z**2 + 1.0) / 2.0 + dense_1_z - 0.5
    # dense_2
    # out[n, i] = dense_2_b[i] + Σ_j dense_2_W[i, j] dense_1_a[n, j]
    out[...] = dense_2_b + dense_1_a @ dense_2_W.T


def loss(params, x, y, work=None):
    """Return the loss of a batch."""
    n = x.shape[0]
    dense_1_W = params[0:24].reshape(8, 3)
    dense_1_b = params[24:32]
    dense_2_W = params[32:40].reshape(1, 8)
    dense_2_b = params[40:41]
    # dense_1
    # dense_1_z[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] x[n, j]
    dense_1_z = dense_1_b + x @ dense_1_W.T
    # dense_1_a[n, i] = √(1 + dense_1_z[n, i]²)/2 + dense_1_z[n, i] − 1/2
    dense_1_a = np.sqrt(dense_1_z**2 + 1.0) / 2.0 + dense_1_z - 0.5
    # dense_2
    # dense_2_z[n, i] = dense_2_b[i] + Σ_j dense_2_W[i, j] dense_1_a[n, j]
    dense_2_z = dense_2_b + dense_1_a @ dense_2_W.T
    # loss
    # loss_data = (Σ_{n, i} ((|dense_2_z[n, i] − y[n, i]|/2 − 1/8) · [|dense_2_z[n, i] − y[n, i]| ≥ 1/2] + (dense_2_z[n, i] − y[n, i])²
    #     [1/2 > |dense_2_z[n, i] − y[n, i]|]/2))/N
    loss_data = (
        np.sum(np.where(np.abs(dense_2_z - y) >= 0.5, np.abs(dense_2_z - y) / 2.0 - 0.125, 0.0) + np.where(0.5 <= np.abs(dense_2_z - y),
        0.0, (dense_2_z - y)**2 / 2.0)) / n
    )
    # loss_penalty_1 = 0.0005 Σ_{i, j} dense_1_W[i, j]² + 0.0001 Σ_{i, j} |dense_1_W[i, j]|
    loss_penalty_1 = np.sum(np.abs(dense_1_W)) / 10000.0 + np.sum(dense_1_W**2) / 2000.0
    # loss_penalty_2 = 0.0005 Σ_{i, j} dense_2_W[i, j]² + 0.0001 Σ_{i, j} |dense_2_W[i, j]|
    loss_penalty_2 = np.sum(np.abs(dense_2_W)) / 10000.0 + np.sum(dense_2_W**2) / 2000.0
    # loss_ = loss_data + loss_penalty_1 + loss_penalty_2
    loss_ = loss_data + loss_penalty_1 + loss_penalty_2
    return float(loss_)


def value_and_grad(params, x, y, grads, work=None):
    """Return the loss of a batch and write its gradients into grads."""
    n = x.shape[0]
    dense_1_W = params[0:24].reshape(8, 3)
    dense_1_b = params[24:32]
    dense_2_W = params[32:40].reshape(1, 8)
    dense_2_b = params[40:41]
    grad_dense_2_W = grads[32:40].reshape(1, 8)
    grad_dense_2_b = grads[40:41]
    grad_dense_1_W = grads[0:24].reshape(8, 3)
    grad_dense_1_b = grads[24:32]
    # dense_1
    # dense_1_z[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] x[n, j]
    dense_1_z = dense_1_b + x @ dense_1_W.T
    # dense_1_a[n, i] = √(1 + dense_1_z[n, i]²)/2 + dense_1_z[n, i] − 1/2
    dense_1_a = np.sqrt(dense_1_z**2 + 1.0) / 2.0 + dense_1_z - 0.5
    # dense_2
    # dense_2_z[n, i] = dense_2_b[i] + Σ_j dense_2_W[i, j] dense_1_a[n, j]
    dense_2_z = dense_2_b + dense_1_a @ dense_2_W.T
    # loss
    # loss_data = (Σ_{n, i} ((|dense_2_z[n, i] − y[n, i]|/2 − 1/8) · [|dense_2_z[n, i] − y[n, i]| ≥ 1/2] + (dense_2_z[n, i] − y[n, i])²
    #     [1/2 > |dense_2_z[n, i] − y[n, i]|]/2))/N
    loss_data = (
        np.sum(np.where(np.abs(dense_2_z - y) >= 0.5, np.abs(dense_2_z - y) / 2.0 - 0.125, 0.0) + np.where(0.5 <= np.abs(dense_2_z - y),
        0.0, (dense_2_z - y)**2 / 2.0)) / n
    )
    # loss_penalty_1 = 0.0005 Σ_{i, j} dense_1_W[i, j]² + 0.0001 Σ_{i, j} |dense_1_W[i, j]|
    loss_penalty_1 = np.sum(np.abs(dense_1_W)) / 10000.0 + np.sum(dense_1_W**2) / 2000.0
    # loss_penalty_2 = 0.0005 Σ_{i, j} dense_2_W[i, j]² + 0.0001 Σ_{i, j} |dense_2_W[i, j]|
    loss_penalty_2 = np.sum(np.abs(dense_2_W)) / 10000.0 + np.sum(dense_2_W**2) / 2000.0
    # loss_ = loss_data + loss_penalty_1 + loss_penalty_2
    loss_ = loss_data + loss_penalty_1 + loss_penalty_2
    # dense_2
    # delta_dense_2[n, i] = (sign(dense_2_z[n, i] − y[n, i]) · [|dense_2_z[n, i] − y[n, i]| ≥ 1/2] + 2 · (dense_2_z[n, i] − y[n, i])
    #     · [1/2 > |dense_2_z[n, i] − y[n, i]|])/(2 N)
    delta_dense_2 = (
        (np.where(0.5 <= np.abs(dense_2_z - y), 0.0, 2.0 * dense_2_z - 2.0 * y) + np.where(np.abs(dense_2_z - y) >= 0.5, np.sign(dense_2_z
        - y), 0.0)) / (2.0 * n)
    )
    # grad_dense_2_W[i, j] = 0.001 dense_2_W[i, j] + 0.0001 sign(dense_2_W[i, j]) + Σ_n delta_dense_2[n, i] dense_1_a[n, j]
    grad_dense_2_W[...] = np.sign(dense_2_W) / 10000.0 + dense_2_W / 1000.0 + delta_dense_2.T @ dense_1_a
    # grad_dense_2_b[i] = Σ_n delta_dense_2[n, i]
    grad_dense_2_b[...] = np.sum(delta_dense_2, axis=0)
    # dense_1
    # delta_dense_1[n, i] = (1 + dense_1_z[n, i]/(2 √(1 + dense_1_z[n, i]²))) · Σ_j dense_2_W[j, i] delta_dense_2[n, j]
    delta_dense_1 = (delta_dense_2 @ dense_2_W) * (1.0 / np.sqrt(dense_1_z**2 + 1.0) * dense_1_z / 2.0 + 1.0)
    # grad_dense_1_W[i, j] = 0.001 dense_1_W[i, j] + 0.0001 sign(dense_1_W[i, j]) + Σ_n delta_dense_1[n, i] x[n, j]
    grad_dense_1_W[...] = np.sign(dense_1_W) / 10000.0 + dense_1_W / 1000.0 + delta_dense_1.T @ x
    # grad_dense_1_b[i] = Σ_n delta_dense_1[n, i]
    grad_dense_1_b[...] = np.sum(delta_dense_1, axis=0)
    return float(loss_)


def input_gradients(params, x, y, grads_x, work=None):
    """Return the loss of a batch and write its gradient with respect to the inputs."""
    n = x.shape[0]
    dense_1_W = params[0:24].reshape(8, 3)
    dense_1_b = params[24:32]
    dense_2_W = params[32:40].reshape(1, 8)
    dense_2_b = params[40:41]
    # dense_1
    # dense_1_z[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] x[n, j]
    dense_1_z = dense_1_b + x @ dense_1_W.T
    # dense_1_a[n, i] = √(1 + dense_1_z[n, i]²)/2 + dense_1_z[n, i] − 1/2
    dense_1_a = np.sqrt(dense_1_z**2 + 1.0) / 2.0 + dense_1_z - 0.5
    # dense_2
    # dense_2_z[n, i] = dense_2_b[i] + Σ_j dense_2_W[i, j] dense_1_a[n, j]
    dense_2_z = dense_2_b + dense_1_a @ dense_2_W.T
    # loss
    # loss_data = (Σ_{n, i} ((|dense_2_z[n, i] − y[n, i]|/2 − 1/8) · [|dense_2_z[n, i] − y[n, i]| ≥ 1/2] + (dense_2_z[n, i] − y[n, i])²
    #     [1/2 > |dense_2_z[n, i] − y[n, i]|]/2))/N
    loss_data = (
        np.sum(np.where(np.abs(dense_2_z - y) >= 0.5, np.abs(dense_2_z - y) / 2.0 - 0.125, 0.0) + np.where(0.5 <= np.abs(dense_2_z - y),
        0.0, (dense_2_z - y)**2 / 2.0)) / n
    )
    # loss_penalty_1 = 0.0005 Σ_{i, j} dense_1_W[i, j]² + 0.0001 Σ_{i, j} |dense_1_W[i, j]|
    loss_penalty_1 = np.sum(np.abs(dense_1_W)) / 10000.0 + np.sum(dense_1_W**2) / 2000.0
    # loss_penalty_2 = 0.0005 Σ_{i, j} dense_2_W[i, j]² + 0.0001 Σ_{i, j} |dense_2_W[i, j]|
    loss_penalty_2 = np.sum(np.abs(dense_2_W)) / 10000.0 + np.sum(dense_2_W**2) / 2000.0
    # loss_ = loss_data + loss_penalty_1 + loss_penalty_2
    loss_ = loss_data + loss_penalty_1 + loss_penalty_2
    # dense_2
    # delta_dense_2[n, i] = (sign(dense_2_z[n, i] − y[n, i]) · [|dense_2_z[n, i] − y[n, i]| ≥ 1/2] + 2 · (dense_2_z[n, i] − y[n, i])
    #     · [1/2 > |dense_2_z[n, i] − y[n, i]|])/(2 N)
    delta_dense_2 = (
        (np.where(0.5 <= np.abs(dense_2_z - y), 0.0, 2.0 * dense_2_z - 2.0 * y) + np.where(np.abs(dense_2_z - y) >= 0.5, np.sign(dense_2_z
        - y), 0.0)) / (2.0 * n)
    )
    # dense_1
    # delta_dense_1[n, i] = (1 + dense_1_z[n, i]/(2 √(1 + dense_1_z[n, i]²))) · Σ_j dense_2_W[j, i] delta_dense_2[n, j]
    delta_dense_1 = (delta_dense_2 @ dense_2_W) * (1.0 / np.sqrt(dense_1_z**2 + 1.0) * dense_1_z / 2.0 + 1.0)
    # x
    # grads_x[n, j] = Σ_i dense_1_W[i, j] delta_dense_1[n, i]
    grads_x[...] = delta_dense_1 @ dense_1_W
    return float(loss_)


def update(params, grads, state, hyper):
    """Do one step of the optimizer with given gradients."""
    P = params.size
    lr = float(hyper[0])
    rho = float(hyper[1])
    eps = float(hyper[2])
    s = state[0:P]
    # s_next[p] = g[p]² · (1 − rho) + rho s[p]
    s_next = (1.0 - rho) * grads**2 + rho * s
    # w_next[p] = w[p] − lr g[p]/(√s_next[p] + eps)
    w_next = params - lr * grads / (eps + np.sqrt(s_next))
    params[...] = w_next
    s[...] = s_next


def train_step(params, x, y, grads, state, hyper, work=None):
    """Return the loss and do one step of the optimizer; a loss that is not finite changes nothing."""
    value = value_and_grad(params, x, y, grads, work)
    if np.isfinite(value):
        update(params, grads, state, hyper)
    return value
