"""The built-in layers, each a few equations."""

from __future__ import annotations

from symbackprop.declare.layers.activation import Activation
from symbackprop.declare.layers.attention import Attention, PositionalEncoding
from symbackprop.declare.layers.convolution import Conv1D, Conv2D, ConvTranspose2D
from symbackprop.declare.layers.dense import Dense
from symbackprop.declare.layers.gates import Bilinear, GatedLinear, Maxout, PReLU
from symbackprop.declare.layers.lookup import Embedding
from symbackprop.declare.layers.merge import Concat, Flatten, Reshape
from symbackprop.declare.layers.normalization import BatchNorm, GroupNorm, LayerNorm, RMSNorm
from symbackprop.declare.layers.pooling import AvgPool2D, GlobalAvgPool2D, MaxPool2D
from symbackprop.declare.layers.random import Dropout
from symbackprop.declare.layers.recurrent import GRU, LSTM, SimpleRNN
from symbackprop.declare.layers.residual import Residual
from symbackprop.declare.layers.wiring import Add, Input, Layer, Multiply, Node

#: The built-in layers by class name; network files and specs refer to them by it.
LAYERS: dict[str, type[Layer]] = {
    cls.__name__: cls
    for cls in (
        Dense,
        Activation,
        Flatten,
        Reshape,
        Add,
        Multiply,
        Concat,
        Conv1D,
        Conv2D,
        ConvTranspose2D,
        MaxPool2D,
        AvgPool2D,
        GlobalAvgPool2D,
        BatchNorm,
        LayerNorm,
        GroupNorm,
        RMSNorm,
        Dropout,
        Embedding,
        PReLU,
        Maxout,
        Bilinear,
        GatedLinear,
        Attention,
        PositionalEncoding,
        SimpleRNN,
        LSTM,
        GRU,
    )
}

__all__ = [
    "GRU",
    "LAYERS",
    "LSTM",
    "Activation",
    "Add",
    "Attention",
    "AvgPool2D",
    "BatchNorm",
    "Bilinear",
    "Concat",
    "Conv1D",
    "Conv2D",
    "ConvTranspose2D",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "GatedLinear",
    "GlobalAvgPool2D",
    "GroupNorm",
    "Input",
    "Layer",
    "LayerNorm",
    "MaxPool2D",
    "Maxout",
    "Multiply",
    "Node",
    "PReLU",
    "PositionalEncoding",
    "RMSNorm",
    "Reshape",
    "Residual",
    "SimpleRNN",
]
