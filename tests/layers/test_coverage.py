"""The cases of each layer cover its options: what is said to be tried on 20 shapes is tried."""

from __future__ import annotations

from collections import Counter

import pytest
from test_layers import COUNT, case_of

from symbackprop.declare.layers import LAYERS

STRIDES = ("stride 1", "stride 2", "stride 3")
WINDOWS = (*STRIDES, "odd size", "even size", "padding", "no padding", "windows overlap", "gaps between windows")
CONVOLUTIONS = (*WINDOWS, "groups", "dilation", "flip", "no flip", "bias", "no bias", "padding beyond half the window")
WANTED = {
    "Conv1D": (*CONVOLUTIONS, "window beyond the image"),
    "Conv2D": (*CONVOLUTIONS, "window beyond the image", "unequal strides"),
    "ConvTranspose2D": (*STRIDES, "groups", "dilation", "flip", "no flip", "bias", "no bias", "padding", "no padding", "unequal strides"),
    "MaxPool2D": (*WINDOWS, "unequal strides"),
    "AvgPool2D": (*WINDOWS, "unequal strides"),
    "Attention": ("one step", "several steps", "causal", "not causal", "bias", "no bias", "one head", "several heads"),
    "SimpleRNN": ("one step", "several steps", "every state", "last state"),
    "LSTM": ("one step", "several steps", "every state", "last state"),
    "GRU": ("one step", "several steps", "every state", "last state"),
    "PositionalEncoding": ("one step", "several steps", "odd size", "even size"),
    "GroupNorm": ("groups", "one group"),
    "Dense": ("bias", "no bias", "rank 1", "rank 2", "rank 3"),
    "LayerNorm": ("rank 1", "rank 2", "rank 3"),
}


def features(case):
    """Return what is special about a case, read off the layer and its input."""
    layer = case.layer()
    shape = case.shape[0]
    found = {f"rank {len(shape)}"}

    def note(condition, yes, no=None):
        found.update([yes] if condition else [no] if no else [])

    for flag in ("bias", "flip", "causal"):
        if isinstance(getattr(layer, flag, None), bool):
            note(getattr(layer, flag), flag, f"not {flag}" if flag == "causal" else f"no {flag}")
    note(getattr(layer, "groups", 1) > 1, "groups", "one group")
    note(getattr(layer, "heads", 1) > 1, "several heads", "one head")
    note(shape[0] == 1, "one step", "several steps")
    if hasattr(layer, "return_sequences"):
        note(layer.return_sequences, "every state", "last state")
    size = getattr(layer, "kernel_size", getattr(layer, "pool_size", None))
    lengths = shape[1:] if size is not None else shape[-1:]
    for length in lengths:
        note(length % 2, "odd size", "even size")
    if size is None:
        return found
    dilation = getattr(layer, "dilation", (1,) * len(size))
    found.update(f"stride {s}" for s in layer.stride)
    note(len(set(layer.stride)) > 1, "unequal strides")
    note(any(layer.padding), "padding")
    note(not all(layer.padding), "no padding")
    note(any(d > 1 for d in dilation), "dilation")
    for k, s, p, d, length in zip(size, layer.stride, layer.padding, dilation, lengths, strict=True):
        reach = d * (k - 1) + 1
        note(2 * p > reach, "padding beyond half the window")
        note(reach > length, "window beyond the image")
        note(reach > s, "windows overlap")
        note(reach < s, "gaps between windows")
    return found


@pytest.mark.parametrize("name", sorted(WANTED))
def test_the_cases_of_a_layer_cover_its_options(name):
    # Of seed 0, the default; other seeds draw other cases, which need not be as varied.
    counts = Counter(feature for number in range(COUNT) for feature in features(case_of(name, number, 0)))
    missing = [feature for feature in WANTED[name] if not counts[feature]]
    assert not missing, dict(counts)


def test_there_are_twenty_cases_of_each_layer_and_no_two_layers_share_their_draws():
    assert COUNT >= 20
    words = {name: [case_of(name, number, 0).words for number in range(COUNT)] for name in LAYERS}
    alike = [name for name, said in words.items() if len(set(said)) < 2 and name not in ("Flatten",)]
    assert not alike
