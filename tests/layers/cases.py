"""For every layer of the table: random shapes and options, and the same layer in PyTorch on the same parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy

import symbackprop as sbp


@dataclass(frozen=True)
class Case:
    """A layer at an input shape, and what it does in PyTorch.

    Attributes:
        layer: made anew for each network.
        shape: of the input, without the batch; several for a layer of several inputs.
        torch: (torch, functional, inputs, parameters and masks by their own names) -> output.
        words: for messages.
        tokens: how many values an integer input may have; None for real inputs.
    """

    layer: Callable[[], Any]
    shape: tuple[tuple[int, ...], ...]
    torch: Callable[..., Any]
    words: str
    tokens: int | None = None


def pick(rng: np.random.Generator, *values: Any) -> Any:
    return values[int(rng.integers(len(values)))]


def between(rng: np.random.Generator, low: int, high: int) -> int:
    return int(rng.integers(low, high + 1))


def window(rng: np.random.Generator, largest: int = 3) -> tuple[int, int, int, int]:
    """Return length, window, stride and padding along one axis, so that at least one window fits."""
    size, stride, padding = between(rng, 1, largest), between(rng, 1, 3), between(rng, 0, 2)
    return between(rng, max(1, size - 2 * padding), size + 5), size, stride, padding


def convolution(rng: np.random.Generator, axes: int, transpose: bool = False) -> Case:
    groups = pick(rng, 1, 1, 2, 3)
    channels, filters = groups * between(rng, 1, 2), groups * between(rng, 1, 2)
    along = [window(rng) for _ in range(axes)]
    dilation = [pick(rng, 1, 1, 2) for _ in range(axes)]
    length = tuple(w[0] + (d - 1) * (w[1] - 1) + int(transpose) for w, d in zip(along, dilation, strict=True))
    size, stride = tuple(w[1] for w in along), tuple(w[2] for w in along)
    padding = tuple(min(w[3], (d * (w[1] - 1)) // 2) if transpose else w[3] for w, d in zip(along, dilation, strict=True))
    activation, bias, flip = pick(rng, None, "tanh", "sigmoid"), bool(rng.integers(2)), bool(rng.integers(2))
    options: dict[str, Any] = {
        "stride": stride,
        "padding": padding,
        "dilation": tuple(dilation),
        "groups": groups,
        "activation": activation,
        "bias": bias,
        "flip": flip,
    }
    kind = sbp.ConvTranspose2D if transpose else sbp.Conv2D if axes == 2 else sbp.Conv1D

    def run(torch: Any, F: Any, x: Any, p: Any) -> Any:
        W = torch.flip(p["W"], tuple(range(2, 2 + axes))) if flip else p["W"]
        call = F.conv_transpose2d if transpose else F.conv2d if axes == 2 else F.conv1d
        z = call(x[0], W, p.get("b"), stride=stride, padding=padding, dilation=tuple(dilation), groups=groups)
        return z if activation is None else getattr(torch, activation)(z)

    words = f"{kind.__name__} {channels}->{filters} on {length}, kernel {size}, {options}"
    return Case(lambda: kind(filters, size, **options), ((channels, *length),), run, words)


def pool(rng: np.random.Generator, name: str) -> Case:
    along = [window(rng) for _ in range(2)]
    length, size, stride = (tuple(w[k] for w in along) for k in range(3))
    padding = tuple(min(w[3], w[1] // 2) for w in along)
    length = tuple(max(n, k - 2 * p) for n, k, p in zip(length, size, padding, strict=True))
    channels = between(rng, 1, 3)

    def run(torch: Any, F: Any, x: Any, p: Any) -> Any:
        call = F.max_pool2d if name == "MaxPool2D" else F.avg_pool2d
        return call(x[0], size, stride=stride, padding=padding)

    words = f"{name} of {channels} channels of {length}, window {size}, stride {stride}, padding {padding}"
    return Case(lambda: getattr(sbp, name)(size, stride=stride, padding=padding), ((channels, *length),), run, words)


def global_pool(rng: np.random.Generator) -> Case:
    shape = tuple(between(rng, 1, 5) for _ in range(3))
    return Case(sbp.GlobalAvgPool2D, (shape,), lambda torch, F, x, p: x[0].mean((2, 3)), f"GlobalAvgPool2D of {shape}")


def any_shape(rng: np.random.Generator, low: int = 1, high: int = 3) -> tuple[int, ...]:
    return tuple(between(rng, 1, 5) for _ in range(between(rng, low, high)))


def layer_norm(rng: np.random.Generator) -> Case:
    shape = any_shape(rng)
    shape = (*shape[:-1], shape[-1] + 1)
    last, eps = between(rng, 1, len(shape)), pick(rng, 1e-5, 1e-3)

    def run(torch: Any, F: Any, x: Any, p: Any) -> Any:
        return F.layer_norm(x[0], shape[-last:], p["gamma"], p["beta"], eps)

    return Case(lambda: sbp.LayerNorm(eps, last), (shape,), run, f"LayerNorm over {last} axes of {shape}, eps {eps}")


def batch_norm(rng: np.random.Generator) -> Case:
    shape, eps = any_shape(rng), pick(rng, 1e-5, 1e-3)

    def run(torch: Any, F: Any, x: Any, p: Any) -> Any:
        return F.batch_norm(x[0], None, None, p["gamma"], p["beta"], training=True, eps=eps)

    return Case(lambda: sbp.BatchNorm(eps=eps), (shape,), run, f"BatchNorm of {shape}, eps {eps}")


def dropout(rng: np.random.Generator) -> Case:
    shape, rate = any_shape(rng), pick(rng, 0.0, 0.1, 0.5, 0.75)
    return Case(lambda: sbp.Dropout(rate), (shape,), lambda torch, F, x, p: x[0] * p["mask"] / (1 - rate), f"Dropout({rate}) of {shape}")


def rms_norm(rng: np.random.Generator) -> Case:
    shape, eps = any_shape(rng), pick(rng, 1e-5, 1e-3)
    return Case(
        lambda: sbp.RMSNorm(eps), (shape,), lambda torch, F, x, p: F.rms_norm(x[0], shape[-1:], p["gamma"], eps), f"RMSNorm of {shape}"
    )


def group_norm(rng: np.random.Generator) -> Case:
    groups = between(rng, 1, 3)
    shape = (groups * between(rng, 1, 3), *any_shape(rng, 0, 2))
    if np.prod(shape) == groups:
        shape = (2 * shape[0], *shape[1:])
    return Case(
        lambda: sbp.GroupNorm(groups),
        (shape,),
        lambda torch, F, x, p: F.group_norm(x[0], groups, p["gamma"], p["beta"], 1e-5),
        f"GroupNorm({groups}) of {shape}",
    )


def embedding(rng: np.random.Generator) -> Case:
    rows, dim, shape = between(rng, 1, 6), between(rng, 1, 4), any_shape(rng, 1, 2)
    return Case(
        lambda: sbp.Embedding(rows, dim),
        (shape,),
        lambda torch, F, x, p: F.embedding(x[0], p["E"]),
        f"Embedding({rows}, {dim}) of {shape}",
        tokens=rows,
    )


def prelu(rng: np.random.Generator) -> Case:
    shape, channels = any_shape(rng), bool(rng.integers(2))
    words = f"PReLU of {shape}, per channel {channels}"
    return Case(lambda: sbp.PReLU(channels), (shape,), lambda torch, F, x, p: F.prelu(x[0], p["alpha"]), words)


def maxout(rng: np.random.Generator) -> Case:
    shape, units, pieces = any_shape(rng, 1, 2), between(rng, 1, 4), between(rng, 1, 4)

    def run(torch: Any, F: Any, x: Any, p: Any) -> Any:
        return (torch.einsum("ikj,...j->...ik", p["W"], x[0]) + p["b"]).max(-1).values

    return Case(lambda: sbp.Maxout(units, pieces), (shape,), run, f"Maxout({units}, {pieces}) of {shape}")


def bilinear(rng: np.random.Generator) -> Case:
    first, second, units, bias = between(rng, 1, 4), between(rng, 1, 4), between(rng, 1, 4), bool(rng.integers(2))
    return Case(
        lambda: sbp.Bilinear(units, bias=bias),
        ((first,), (second,)),
        lambda torch, F, x, p: F.bilinear(x[0], x[1], p["W"], p.get("b")),
        f"Bilinear({units}) of {first} and {second}, bias {bias}",
    )


def gated(rng: np.random.Generator) -> Case:
    shape = any_shape(rng)
    shape = (*shape[:-1], 2 * shape[-1])
    activation = pick(rng, "sigmoid", "silu", "gelu", None)

    def run(torch: Any, F: Any, x: Any, p: Any) -> Any:
        value, gate = x[0].chunk(2, -1)
        return value * (gate if activation is None else getattr(F, activation)(gate))

    return Case(lambda: sbp.GatedLinear(activation), (shape,), run, f"GatedLinear({activation}) of {shape}")


def reshape(rng: np.random.Generator) -> Case:
    a, b, c = (between(rng, 1, 4) for _ in range(3))
    old = pick(rng, (a * b * c,), (a, b, c), (a * b, c))
    new = pick(rng, (c, b, a), (a, b * c), (a * b * c,), (c, -1), (-1, a, b))
    return Case(lambda: sbp.Reshape(new), (old,), lambda torch, F, x, p: x[0].reshape(len(x[0]), *new), f"Reshape({new}) of {old}")


def flatten(rng: np.random.Generator) -> Case:
    shape = any_shape(rng)
    return Case(sbp.Flatten, (shape,), lambda torch, F, x, p: x[0].flatten(1), f"Flatten of {shape}")


def several(name: str, combine: Callable[[Any, Any], Any]) -> Callable[[np.random.Generator], Case]:
    def make(rng: np.random.Generator) -> Case:
        shape, count = any_shape(rng), between(rng, 2, 4)
        shapes = tuple((*shape[:-1], between(rng, 1, 4)) for _ in range(count)) if name == "Concat" else (shape,) * count
        return Case(getattr(sbp, name), shapes, lambda torch, F, x, p: combine(torch, x), f"{name} of {shapes}")

    return make


def product(torch: Any, x: Any) -> Any:
    total = x[0]
    for each in x[1:]:
        total = total * each
    return total


def dense(rng: np.random.Generator) -> Case:
    shape, units, bias = any_shape(rng), between(rng, 1, 5), bool(rng.integers(2))
    activation = pick(rng, None, "tanh", "relu")

    def run(torch: Any, F: Any, x: Any, p: Any) -> Any:
        z = F.linear(x[0], p["W"], p.get("b"))
        return z if activation is None else getattr(torch, activation)(z)

    return Case(lambda: sbp.Dense(units, activation, bias), (shape,), run, f"Dense({units}, {activation}, bias {bias}) of {shape}")


def learned(rng: np.random.Generator) -> Case:
    shape, channels = any_shape(rng), bool(rng.integers(2))
    name = pick(rng, "swish", "elu", "lambda")

    def layer() -> Any:
        if name == "elu":
            return sbp.Activation("elu", learned={"alpha": 0.7}, per_channel=channels)
        expression: Any = "z/(1 + exp(-beta*z)) + c" if name == "swish" else lambda z, beta, c: z / (1 + sympy.exp(-beta * z)) + c
        return sbp.Activation("swish", expression, learned={"c": 0.1, "beta": 1.5}, per_channel=channels)

    def run(torch: Any, F: Any, x: Any, p: Any) -> Any:
        own = {k: v.reshape(-1, *([1] * (len(shape) - 1))) for k, v in p.items()} if channels else p
        if name == "elu":
            return torch.where(x[0] > 0, x[0], own["alpha"] * torch.expm1(x[0]))
        return x[0] * torch.sigmoid(own["beta"] * x[0]) + own["c"]

    return Case(layer, (shape,), run, f"Activation({name}, learned, per channel {channels}) of {shape}")


def activation(rng: np.random.Generator) -> Case:
    if rng.integers(2):
        return learned(rng)
    name = pick(rng, "silu", "gelu", "softplus", "elu", "softsign", "mish", "selu")
    shape = any_shape(rng)
    return Case(lambda: sbp.Activation(name), (shape,), lambda torch, F, x, p: getattr(F, name)(x[0]), f"Activation({name}) of {shape}")


def attention(rng: np.random.Generator) -> Case:
    heads, size, time = between(rng, 1, 3), between(rng, 1, 3), between(rng, 1, 5)
    causal, bias, masked = bool(rng.integers(2)), bool(rng.integers(2)), bool(rng.integers(2))

    def run(torch: Any, F: Any, x: Any, p: Any) -> Any:
        seen = torch.ones(time, time, dtype=torch.bool).tril() if causal else torch.ones(time, time, dtype=torch.bool)
        if masked:
            seen = seen & (x[1] > 0)[:, None, None, :]

        def project(letter: str) -> Any:
            out = F.linear(x[0], p[f"W_{letter}"], p.get(f"b_{letter}"))
            return out.unflatten(-1, (heads, size)).transpose(1, 2)

        # A query that sees no key gives 0; PyTorch leaves open what it gives then.
        any_key = seen.any(-1, keepdim=True)
        out = F.scaled_dot_product_attention(*map(project, "qkv"), attn_mask=seen | ~any_key) * any_key
        return F.linear(out.transpose(1, 2).flatten(2), p["W_o"], p.get("b_o"))

    words = f"Attention of {time} steps, {heads} heads of {size}, causal {causal}, bias {bias}, masked {masked}"
    shapes = ((time, heads * size), (time,)) if masked else ((time, heads * size),)
    return Case(lambda: sbp.Attention(heads, causal, bias), shapes, run, words)


def positions(rng: np.random.Generator) -> Case:
    time, features, base = between(rng, 1, 6), between(rng, 1, 7), pick(rng, 10000.0, 100.0)

    def run(torch: Any, F: Any, x: Any, p: Any) -> Any:
        t, j = torch.arange(time, dtype=torch.float64)[:, None], torch.arange(features, dtype=torch.float64)
        angle = t / base ** (2 * (j // 2) / features)
        return x[0] + torch.where(j % 2 == 0, torch.sin(angle), torch.cos(angle))

    return Case(lambda: sbp.PositionalEncoding(base), ((time, features),), run, f"PositionalEncoding({base}) of {time} x {features}")


def recurrent(name: str) -> Callable[[np.random.Generator], Case]:
    def make(rng: np.random.Generator) -> Case:
        time, features, units, every = between(rng, 1, 4), between(rng, 1, 3), between(rng, 1, 3), bool(rng.integers(2))

        def run(torch: Any, F: Any, x: Any, p: Any) -> Any:
            kind = {"SimpleRNN": torch.nn.RNN, "LSTM": torch.nn.LSTM, "GRU": torch.nn.GRU}[name]
            module = kind(features, units, batch_first=True, dtype=torch.float64)
            own = {"weight_ih_l0": p["W_x"], "weight_hh_l0": p["W_h"]}
            own["bias_ih_l0"] = p["b_x"] if name == "GRU" else p["b"]
            own["bias_hh_l0"] = p["b_h"] if name == "GRU" else torch.zeros_like(p["b"])
            states = torch.func.functional_call(module, own, (x[0],))[0]
            return states if every else states[:, -1]

        words = f"{name}({units}) of {time} x {features}, all states {every}"
        return Case(lambda: getattr(sbp, name)(units, every), ((time, features),), run, words)

    return make


#: For every layer of the table, how a random case of it is drawn.
CASES: dict[str, Callable[[np.random.Generator], Case]] = {
    "Dense": dense,
    "Activation": activation,
    "Flatten": flatten,
    "Reshape": reshape,
    "Add": several("Add", lambda torch, x: sum(x[1:], x[0])),
    "Multiply": several("Multiply", product),
    "Concat": several("Concat", lambda torch, x: torch.cat(list(x), -1)),
    "Conv1D": lambda rng: convolution(rng, 1),
    "Conv2D": lambda rng: convolution(rng, 2),
    "ConvTranspose2D": lambda rng: convolution(rng, 2, transpose=True),
    "MaxPool2D": lambda rng: pool(rng, "MaxPool2D"),
    "AvgPool2D": lambda rng: pool(rng, "AvgPool2D"),
    "GlobalAvgPool2D": global_pool,
    "BatchNorm": batch_norm,
    "LayerNorm": layer_norm,
    "RMSNorm": rms_norm,
    "GroupNorm": group_norm,
    "Dropout": dropout,
    "Embedding": embedding,
    "PReLU": prelu,
    "Maxout": maxout,
    "Bilinear": bilinear,
    "GatedLinear": gated,
    "Attention": attention,
    "PositionalEncoding": positions,
    "SimpleRNN": recurrent("SimpleRNN"),
    "LSTM": recurrent("LSTM"),
    "GRU": recurrent("GRU"),
}
