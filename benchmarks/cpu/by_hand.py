"""NumPy as a person writes it who knows the derivative: buffers made once, products of matrices into them, everything in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.cpu.step import Made, orders
from benchmarks.cpu.workloads import Array, Arrays, Workload, data, parameters, positions

#: What a family's formulation is: (workload, parameters, gradients to write) -> a function of inputs and targets.
Gradient = Callable[[Array, Array], float]


def _erf() -> Callable[..., Array]:
    from scipy.special import erf

    return erf  # type: ignore[no-any-return]


def _sigmoid(z: Array) -> None:
    np.negative(z, out=z)
    np.exp(z, out=z)
    z += 1
    np.reciprocal(z, out=z)


class _Dense:
    """Dense layers from the parameters ``dense_k``: forward with buffers of a largest batch, backward from an error term."""

    def __init__(self, p: Arrays, g: Arrays, sizes: tuple[int, ...], batch: int, activation: str, last: str, inputs: bool) -> None:
        dtype = p["dense_1.W"].dtype
        count = len(sizes) - 1
        self.W = [p[f"dense_{k}.W"] for k in range(1, count + 1)]
        self.b = [p[f"dense_{k}.b"] for k in range(1, count + 1)]
        self.gW = [g[f"dense_{k}.W"] for k in range(1, count + 1)]
        self.gb = [g[f"dense_{k}.b"] for k in range(1, count + 1)]
        self.a = [np.empty((batch, n), dtype) for n in sizes[1:]]
        self.delta = [np.empty((batch, n), dtype) for n in (sizes if inputs else (0, *sizes[1:]))]
        self.scratch = [np.empty((batch, n), dtype) for n in sizes[1:]]
        self.kind = [activation] * (count - 1) + [last]
        self.inputs = inputs

    def forward(self, x: Array) -> Array:
        n = len(x)
        for W, b, buffer, kind in zip(self.W, self.b, self.a, self.kind, strict=True):
            a = buffer[:n]
            np.dot(x, W.T, out=a)
            a += b
            if kind == "relu":
                np.maximum(a, 0, out=a)
            elif kind == "tanh":
                np.tanh(a, out=a)
            elif kind == "sigmoid":
                _sigmoid(a)
            x = a
        return x

    def backward(self, x: Array) -> None:
        """Read ∂L/∂a of the last layer in ``delta[-1]``."""
        n = len(x)
        for k in range(len(self.W) - 1, -1, -1):
            delta, a, s, kind = self.delta[k + 1][:n], self.a[k][:n], self.scratch[k][:n], self.kind[k]
            if kind == "relu":
                np.multiply(delta, a > 0, out=delta)
            elif kind == "tanh":
                np.multiply(a, a, out=s)
                np.subtract(1, s, out=s)
                delta *= s
            elif kind == "sigmoid":
                np.subtract(1, a, out=s)
                s *= a
                delta *= s
            np.dot(delta.T, self.a[k - 1][:n] if k else x, out=self.gW[k])
            np.sum(delta, axis=0, out=self.gb[k])
            if k or self.inputs:
                np.dot(delta, self.W[k], out=self.delta[k][:n])


def _entropy(z: Array, y: Array, delta: Array, rows: Array) -> float:
    """Write the error term of the scores; z is used up."""
    n = len(z)
    rows = rows[:n]
    z -= z.max(axis=1, keepdims=True)
    picked = z[rows, y].sum()
    np.exp(z, out=delta)
    s = delta.sum(axis=1, keepdims=True)
    delta /= s
    delta[rows, y] -= 1
    delta /= n
    return float((np.log(s).sum() - picked) / n)


def dense(workload: Workload, p: Arrays, g: Arrays) -> Gradient:
    """Dense layers and any of the losses."""
    net = _Dense(p, g, workload.sizes, workload.batch, workload.activation, workload.last, inputs=False)
    rows = np.arange(workload.batch)

    def gradient(x: Array, y: Array) -> float:
        n, a = len(x), net.forward(x)
        delta = net.delta[-1][:n]
        if workload.loss == "softmax_cross_entropy":
            loss = _entropy(a, y, delta, rows)
        elif workload.loss == "multiclass_hinge":
            np.subtract(a, a[rows[:n], y][:, None] - 1, out=delta)
            np.maximum(delta, 0, out=delta)
            delta[rows[:n], y] = 0
            loss = float(delta.sum() / n)
            np.sign(delta, out=delta)
            delta[rows[:n], y] = -delta.sum(axis=1)
            delta /= n
        else:
            np.subtract(a, y, out=delta)
            flat = delta.ravel()
            loss = float(flat @ flat)
            many = a.size if workload.loss == "mse" else 2 * n
            loss /= many
            delta *= 2 / many
        net.backward(x)
        return loss

    return gradient


def elementwise(workload: Workload, p: Arrays, g: Arrays) -> Gradient:
    """The formula and its derivative as they are written, in buffers."""
    erf, total = _erf(), workload.batch * workload.sizes[0]
    out = g["x"]
    buffers = [np.empty_like(out) for _ in range(5)]

    def gradient(z: Array, y: Array) -> float:
        a, t, u, v, slope = buffers
        # softplus and its tanh: z tanh(s), slope tanh(s) + z (1 - tanh(s)²) σ(z)
        np.exp(z, out=t)
        np.log1p(t, out=u)
        np.tanh(u, out=u)
        np.divide(t, t + 1, out=v)  # σ(z)
        np.multiply(z, u, out=a)
        np.multiply(u, u, out=slope)
        np.subtract(1, slope, out=slope)
        slope *= z
        slope *= v
        slope += u
        # z σ(z), slope σ + z σ (1 - σ)
        np.multiply(z, v, out=t)
        a += t
        t *= 1 - v
        slope += t
        slope += v
        # log(1 + exp(-z)), slope σ - 1
        a += np.log1p(np.exp(-z))
        slope += v
        slope -= 1
        # tanh(z) exp(-z²/2)
        np.multiply(z, z, out=t)
        t *= -0.5
        np.exp(t, out=t)
        np.tanh(z, out=u)
        a += u * t
        np.multiply(u, u, out=v)
        np.subtract(1, v, out=v)
        v -= z * u
        v *= t
        slope += v
        # z erf(z/√2)/2, slope erf/2 + z exp(-z²/2)/√(2π)
        erf(z * z.dtype.type(0.5**0.5), out=u)
        u *= 0.5
        slope += u
        u *= z
        a += u
        t *= z
        t *= (2 * np.pi) ** -0.5
        slope += t
        # tanh(z/2)
        np.multiply(z, 0.5, out=u)
        np.tanh(u, out=u)
        a += u
        u *= u
        np.subtract(1, u, out=u)
        u *= 0.5
        slope += u
        a -= y
        flat = a.ravel()
        loss = float(flat @ flat) / total
        np.multiply(a, slope, out=out)
        np.multiply(out, 2 / total, out=out)
        return loss

    return gradient


class _Convolution:
    """A convolution as a product of matrices over its windows, its ReLU, and its pool of 2 × 2."""

    def __init__(self, p: Arrays, g: Arrays, name: str, image: tuple[int, ...], padding: int, inputs: bool) -> None:
        self.W, self.b, self.gW, self.gb = p[f"{name}.W"], p[f"{name}.b"], g[f"{name}.W"], g[f"{name}.b"]
        dtype, (n, c, h, w), (k, _, s, _) = self.W.dtype, image, self.W.shape
        self.padding, self.size, self.inputs = padding, s, inputs
        self.out = (n, k, h + 2 * padding - s + 1, w + 2 * padding - s + 1)
        rows, columns = self.out[2:]
        self.padded = np.zeros((n, c, h + 2 * padding, w + 2 * padding), dtype)
        self.windows = np.lib.stride_tricks.sliding_window_view(self.padded, (s, s), (2, 3)).transpose(0, 1, 4, 5, 2, 3)
        self.columns = np.empty((n, c * s * s, rows * columns), dtype)
        self.a, self.delta = np.empty((n, k, rows * columns), dtype), np.empty((n, k, rows * columns), dtype)
        self.pooled = np.empty((n, k, rows // 2, columns // 2), dtype)
        self.back = np.zeros_like(self.padded)

    def forward(self, x: Array) -> Array:
        q = self.padding
        self.padded[:, :, q : q + x.shape[2], q : q + x.shape[3]] = x
        np.copyto(self.columns.reshape(self.windows.shape), self.windows)
        np.matmul(self.W.reshape(len(self.W), -1), self.columns, out=self.a)
        self.a += self.b[:, None]
        np.maximum(self.a, 0, out=self.a)
        v = self.a.reshape(self.out)
        np.maximum(v[:, :, ::2, ::2], v[:, :, ::2, 1::2], out=self.pooled)
        np.maximum(self.pooled, v[:, :, 1::2, ::2], out=self.pooled)
        np.maximum(self.pooled, v[:, :, 1::2, 1::2], out=self.pooled)
        return self.pooled

    def backward(self, delta: Array) -> Array:
        """Take ∂L/∂ of the pooled values and return ∂L/∂ of the input."""
        v, d = self.a.reshape(self.out), self.delta.reshape(self.out)
        open_ = self.pooled > 0
        for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
            here = (v[:, :, i::2, j::2] == self.pooled) & open_
            open_ &= ~here
            np.multiply(delta, here, out=d[:, :, i::2, j::2])
        n, k, m = self.delta.shape
        flat = np.ascontiguousarray(self.delta.transpose(1, 0, 2)).reshape(k, n * m)
        columns = np.ascontiguousarray(self.columns.transpose(1, 0, 2)).reshape(-1, n * m)
        np.dot(flat, columns.T, out=self.gW.reshape(k, -1))
        np.sum(flat, axis=1, out=self.gb)
        if not self.inputs:
            return self.back
        np.matmul(self.W.reshape(k, -1).T, self.delta, out=self.columns)
        self.back[:] = 0
        parts, (_, _, rows, width) = self.columns.reshape(self.windows.shape), self.out
        for u in range(self.size):
            for w in range(self.size):
                self.back[:, :, u : u + rows, w : w + width] += parts[:, :, u, w]
        q = self.padding
        return self.back[:, :, q : self.back.shape[2] - q, q : self.back.shape[3] - q]


def lenet(workload: Workload, p: Arrays, g: Arrays) -> Gradient:
    """Convolutions by their windows."""
    n = workload.batch
    first = _Convolution(p, g, "conv2d_1", (n, 1, 28, 28), 2, inputs=False)
    second = _Convolution(p, g, "conv2d_2", (n, 6, 14, 14), 0, inputs=True)
    net, rows = _Dense(p, g, (400, 120, 84, 10), n, "relu", "identity", inputs=True), np.arange(n)

    def gradient(x: Array, y: Array) -> float:
        flat = second.forward(first.forward(x)).reshape(n, 400)
        loss = _entropy(net.forward(flat), y, net.delta[-1], rows)
        net.backward(flat)
        first.backward(second.backward(net.delta[0].reshape(second.pooled.shape)))
        return loss

    return gradient


def gru(workload: Workload, p: Arrays, g: Arrays) -> Gradient:
    """Time is first, so that every step is one piece of memory; what the steps share is one product over all of them."""
    steps, embedding, m = workload.sizes
    n, dtype = workload.batch, p["gru_1.W_h"].dtype
    E, W_x, W_h, b_x, b_h, V, c = (
        p[k] for k in ("embedding_1.E", *(f"gru_1.{k}" for k in ("W_x", "W_h", "b_x", "b_h")), "dense_1.W", "dense_1.b")
    )
    h = np.zeros((steps + 1, n, m), dtype)
    given, q, dgiven, dq = (np.empty((steps, n, 3 * m), dtype) for _ in range(4))
    ru, new, dh = np.empty((steps, n, 2 * m), dtype), np.empty((steps, n, m), dtype), np.empty((steps, n, m), dtype)
    e, scores, delta = np.empty((steps * n, embedding), dtype), np.empty((steps * n, len(V)), dtype), np.empty((steps * n, len(V)), dtype)
    rows, de = np.arange(steps * n), np.empty((steps * n, embedding), dtype)

    def gradient(x: Array, y: Array) -> float:
        tokens, labels = x.T.ravel(), y.T.ravel()
        np.take(E, tokens, axis=0, out=e)
        np.dot(e, W_x.T, out=given.reshape(steps * n, -1))
        np.add(given, b_x, out=given)
        for t in range(steps):
            np.dot(h[t], W_h.T, out=q[t])
            q[t] += b_h
            np.add(given[t, :, : 2 * m], q[t, :, : 2 * m], out=ru[t])
            _sigmoid(ru[t])
            np.multiply(ru[t, :, :m], q[t, :, 2 * m :], out=new[t])
            new[t] += given[t, :, 2 * m :]
            np.tanh(new[t], out=new[t])
            np.subtract(h[t], new[t], out=h[t + 1])
            h[t + 1] *= ru[t, :, m:]
            h[t + 1] += new[t]
        states = h[1:].reshape(steps * n, m)
        np.dot(states, V.T, out=scores)
        np.add(scores, c, out=scores)
        loss = _entropy(scores, labels, delta, rows)
        np.dot(delta.T, states, out=g["dense_1.W"])
        np.sum(delta, axis=0, out=g["dense_1.b"])
        np.dot(delta, V, out=dh.reshape(steps * n, m))
        carry = np.zeros((n, m), dtype)
        for t in range(steps - 1, -1, -1):
            r, u = ru[t, :, :m], ru[t, :, m:]
            carry += dh[t]
            gate = dgiven[t]
            dnew = gate[:, 2 * m :]
            np.multiply(carry, 1 - u, out=dnew)
            dnew *= 1 - new[t] * new[t]
            np.multiply(dnew, q[t, :, 2 * m :], out=gate[:, :m])
            gate[:, :m] *= r * (1 - r)
            np.multiply(carry, h[t] - new[t], out=gate[:, m : 2 * m])
            gate[:, m : 2 * m] *= u * (1 - u)
            dq[t] = gate
            dq[t, :, 2 * m :] *= r
            carry *= u
            carry += dq[t] @ W_h
        flat, inner = dgiven.reshape(steps * n, -1), dq.reshape(steps * n, -1)
        np.dot(flat.T, e, out=g["gru_1.W_x"])
        np.dot(inner.T, h[:-1].reshape(steps * n, m), out=g["gru_1.W_h"])
        np.sum(flat, axis=0, out=g["gru_1.b_x"])
        np.sum(inner, axis=0, out=g["gru_1.b_h"])
        np.dot(flat, W_x, out=de)
        g["embedding_1.E"][:] = 0
        np.add.at(g["embedding_1.E"], tokens, de)
        return loss

    return gradient


def transformer(workload: Workload, p: Arrays, g: Arrays) -> Gradient:
    """One block; the positions of all sequences are the rows of one matrix."""
    erf = _erf()
    steps, width, heads, _ = workload.sizes
    n, size, dtype = workload.batch, width // heads, p["embedding_1.E"].dtype
    encoding, rows = positions(steps, width).astype(dtype), np.arange(n * steps)
    later, root = np.triu(np.full((steps, steps), -np.inf, dtype), 1), dtype.type(size**-0.5)
    E, joined = p["embedding_1.E"], ("q", "k", "v")

    def normed(k: int, h: Array) -> tuple[Array, Array, Array]:
        centred = h - h.mean(axis=1, keepdims=True)
        scale = 1 / np.sqrt(np.einsum("ij,ij->i", centred, centred)[:, None] / dtype.type(width) + dtype.type(1e-5))
        centred *= scale
        return centred * p[f"layernorm_{k}.gamma"] + p[f"layernorm_{k}.beta"], centred, scale

    def norm_back(k: int, d: Array, hat: Array, scale: Array) -> Array:
        g[f"layernorm_{k}.gamma"][:] = np.einsum("ij,ij->j", d, hat)
        g[f"layernorm_{k}.beta"][:] = d.sum(axis=0)
        d = d * p[f"layernorm_{k}.gamma"]
        d -= d.mean(axis=1, keepdims=True) + hat * (np.einsum("ij,ij->i", d, hat)[:, None] / dtype.type(width))
        d *= scale
        return d

    def split(a: Array) -> Array:
        return a.reshape(n, steps, heads, size).transpose(0, 2, 1, 3)

    def merged(a: Array) -> Array:
        return a.transpose(0, 2, 1, 3).reshape(n * steps, width)

    def gradient(x: Array, y: Array) -> float:
        tokens, labels = x.ravel(), y.ravel()
        h = (E[x] + encoding).reshape(n * steps, width)
        inner, hat_1, scale_1 = normed(1, h)
        q, k, v = (split(inner @ p[f"attention_1.W_{letter}"].T) for letter in joined)
        scores = q @ k.swapaxes(2, 3)
        scores *= root
        scores += later
        scores -= scores.max(axis=-1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=-1, keepdims=True)
        mixed = merged(scores @ v)
        h1 = h + mixed @ p["attention_1.W_o"].T
        second, hat_2, scale_2 = normed(2, h1)
        wide = second @ p["dense_1.W"].T + p["dense_1.b"]
        half = (1 + erf(wide * dtype.type(0.5**0.5))) * dtype.type(0.5)
        active = wide * half
        h2 = h1 + active @ p["dense_2.W"].T + p["dense_2.b"]
        third, hat_3, scale_3 = normed(3, h2)
        out = third @ p["dense_3.W"].T + p["dense_3.b"]
        delta = np.empty_like(out)
        loss = _entropy(out, labels, delta, rows)
        np.dot(delta.T, third, out=g["dense_3.W"])
        np.sum(delta, axis=0, out=g["dense_3.b"])
        d = norm_back(3, delta @ p["dense_3.W"], hat_3, scale_3)
        np.dot(d.T, active, out=g["dense_2.W"])
        np.sum(d, axis=0, out=g["dense_2.b"])
        dwide = d @ p["dense_2.W"]
        dwide *= half + wide * np.exp(wide * wide * dtype.type(-0.5)) * dtype.type((2 * np.pi) ** -0.5)
        np.dot(dwide.T, second, out=g["dense_1.W"])
        np.sum(dwide, axis=0, out=g["dense_1.b"])
        d = d + norm_back(2, dwide @ p["dense_1.W"], hat_2, scale_2)
        np.dot(d.T, mixed, out=g["attention_1.W_o"])
        dmixed = split(d @ p["attention_1.W_o"])
        dscores = dmixed @ v.swapaxes(2, 3)
        dscores -= np.einsum("bhij,bhij->bhi", dscores, scores)[..., None]
        dscores *= scores
        dscores *= root
        parts = (merged(dscores @ k), merged(dscores.swapaxes(2, 3) @ q), merged(scores.swapaxes(2, 3) @ dmixed))
        dinner = np.zeros_like(inner)
        for letter, part in zip(joined, parts, strict=True):
            np.dot(part.T, inner, out=g[f"attention_1.W_{letter}"])
            dinner += part @ p[f"attention_1.W_{letter}"]
        d = d + norm_back(1, dinner, hat_1, scale_1)
        g["embedding_1.E"][:] = 0
        np.add.at(g["embedding_1.E"], tokens, d)
        return loss

    return gradient


#: The gradient of each family.
GRADIENTS: dict[str, Callable[[Workload, Arrays, Arrays], Gradient]] = {
    "dense": dense,
    "elementwise": elementwise,
    "lenet": lenet,
    "gru": gru,
    "transformer": transformer,
}


def build(workload: Workload, dtype: str, threads: int) -> Made:
    """Return a workload; the threads of the BLAS are those of its environment."""
    x, y = data(workload, dtype)
    flat, p = _flat(parameters(workload, dtype), dtype)
    kept, g = _flat({"x": x} if workload.wrt == "inputs" else p, dtype)
    gradient = GRADIENTS[workload.family](workload, p, g)
    if workload.does == "gradient":
        return Made(lambda: gradient(x, y), lambda: {name: a.copy() for name, a in g.items()})
    velocity = np.zeros_like(flat)

    def step(x: Array, y: Array) -> float:
        loss = gradient(x, y)
        if workload.mu:
            np.multiply(velocity, workload.mu, out=velocity)
            np.add(velocity, kept, out=velocity)
            np.multiply(velocity, workload.lr, out=kept)
        else:
            np.multiply(kept, workload.lr, out=kept)
        np.subtract(flat, kept, out=flat)
        return loss

    def result() -> Arrays:
        return {name: a.copy() for name, a in p.items()}

    if workload.does == "step":
        return Made(lambda: step(x, y), result)
    order, size = orders(len(x)), workload.batch

    def epoch() -> Any:
        chosen = order()
        return sum(step(x[part], y[part]) for part in (chosen[low : low + size] for low in range(0, len(x), size)))

    return Made(epoch, result)


def _flat(arrays: Arrays, dtype: str) -> tuple[Array, Arrays]:
    """Return one buffer and views of it with the shapes and values of arrays."""
    flat = np.concatenate([np.empty(0), *(a.ravel() for a in arrays.values())]).astype(dtype)
    ends = np.cumsum([a.size for a in arrays.values()])
    return flat, {name: flat[end - a.size : end].reshape(a.shape) for (name, a), end in zip(arrays.items(), ends, strict=True)}
