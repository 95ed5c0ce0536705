"""For each example network: the same network of PyTorch's own modules, holding the same values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def _held(module: Any, **values: Any) -> Any:
    """Return the module in float64, its parameters holding these arrays: every one of them, by the names that they have there."""
    import torch

    own = dict(module.double().named_parameters())
    assert set(own) == set(values), (set(own), set(values))
    with torch.no_grad():
        for name, value in values.items():
            own[name].copy_(torch.tensor(np.asarray(value)))
    return module


def _dense(p: Mapping[str, Any], name: str) -> Any:
    import torch

    units, inputs = p[f"{name}.W"].shape
    return _held(torch.nn.Linear(inputs, units), weight=p[f"{name}.W"], bias=p[f"{name}.b"])


def _convolution(p: Mapping[str, Any], name: str) -> Any:
    import torch

    filters, channels, size, _ = p[f"{name}.W"].shape
    bias = {"bias": p[f"{name}.b"]} if f"{name}.b" in p else {}
    return _held(torch.nn.Conv2d(channels, filters, size, padding=size // 2, bias=bool(bias)), weight=p[f"{name}.W"], **bias)


def _scaled(module: Any, p: Mapping[str, Any], name: str) -> Any:
    return _held(module, weight=p[f"{name}.gamma"], bias=p[f"{name}.beta"])


def _batchnorm(p: Mapping[str, Any], name: str) -> Any:
    import torch

    return _scaled(torch.nn.BatchNorm2d(p[f"{name}.gamma"].size), p, name)


def _embedding(p: Mapping[str, Any]) -> Any:
    import torch

    return _held(torch.nn.Embedding(*p["embedding_1.E"].shape), weight=p["embedding_1.E"])


def lenet(p: Mapping[str, Any]) -> Any:
    from torch import nn

    class Twin(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convolution_1, self.convolution_2 = (_convolution(p, f"conv2d_{k}") for k in (1, 2))
            self.batchnorm_1, self.batchnorm_2 = (_batchnorm(p, f"batchnorm_{k}") for k in (1, 2))
            self.scores = _dense(p, "dense_1")

        def forward(self, image: Any, kept: Any) -> Any:
            x = nn.functional.max_pool2d(self.batchnorm_1(self.convolution_1(image)).relu(), 2)
            x = nn.functional.max_pool2d(self.batchnorm_2(self.convolution_2(x)).relu(), 2)
            return self.scores(x.flatten(1) * kept / 0.8)  # dropout with a mask that both networks share

    return Twin()


def resnet_block(p: Mapping[str, Any]) -> Any:
    from torch import nn

    class Twin(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second, self.third = (_convolution(p, f"conv2d_{k}") for k in (1, 2, 3))
            self.batchnorm_1, self.batchnorm_2, self.batchnorm_3 = (_batchnorm(p, f"batchnorm_{k}") for k in (1, 2, 3))
            self.scores = _dense(p, "dense_1")

        def forward(self, image: Any) -> Any:
            x = self.batchnorm_1(self.first(image)).relu()
            h = self.batchnorm_3(self.third(self.batchnorm_2(self.second(x)).relu()))
            return self.scores(nn.functional.avg_pool2d((x + h).relu(), 2).flatten(1))

    return Twin()


def char_rnn(p: Mapping[str, Any]) -> Any:
    from torch import nn

    class Twin(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding, self.scores = _embedding(p), _dense(p, "dense_1")
            named = {"weight_ih_l0": "W_x", "weight_hh_l0": "W_h", "bias_ih_l0": "b_x", "bias_hh_l0": "b_h"}
            gru = nn.GRU(p["gru_1.W_x"].shape[1], p["gru_1.W_h"].shape[1], batch_first=True)
            self.gru = _held(gru, **{theirs: p[f"gru_1.{ours}"] for theirs, ours in named.items()})

        def forward(self, tokens: Any) -> Any:
            return self.scores(self.gru(self.embedding(tokens))[0])

    return Twin()


def transformer(p: Mapping[str, Any]) -> Any:
    import torch
    from torch import nn

    class Twin(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = _embedding(p)
            width = p["embedding_1.E"].shape[1]
            self.norm_1, self.norm_2, self.norm_3 = (_scaled(nn.LayerNorm(width), p, f"layernorm_{k}") for k in (1, 2, 3))
            joined = np.concatenate([p[f"attention_1.W_{letter}"] for letter in "qkv"])
            attention = nn.MultiheadAttention(width, 4, bias=False, batch_first=True)
            self.attention = _held(attention, in_proj_weight=joined, **{"out_proj.weight": p["attention_1.W_o"]})
            self.wide, self.narrow, self.scores = (_dense(p, f"dense_{k}") for k in (1, 2, 3))

        def forward(self, tokens: Any) -> Any:
            time, width = tokens.shape[1], self.embedding.weight.shape[1]
            angle = torch.arange(time, dtype=torch.float64)[:, None] / 10000 ** (torch.arange(0, width, 2, dtype=torch.float64) / width)
            h = self.embedding(tokens) + torch.stack([angle.sin(), angle.cos()], dim=2).flatten(1)
            later = torch.ones(time, time, dtype=torch.bool).triu(1)
            x = self.norm_1(h)
            h = h + self.attention(x, x, x, attn_mask=later, need_weights=False)[0]
            h = h + self.narrow(nn.functional.gelu(self.wide(self.norm_2(h))))
            return self.scores(self.norm_3(h))

    return Twin()


TWINS = {made.__name__: made for made in (lenet, resnet_block, char_rnn, transformer)}
