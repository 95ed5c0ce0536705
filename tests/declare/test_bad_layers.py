"""Bad options and inputs of every built-in layer: one documented error each, which names the layer and the values."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

import symbackprop as sbp
from symbackprop.declare.layers import LAYERS

IMAGE, SEQUENCE, VECTOR = (2, 8, 8), (5, 6), (6,)
D, S = sbp.DeclarationError, sbp.ShapeError

#: A good use of every layer: options, shapes of the inputs, whether they hold integers.
GOOD: dict[str, tuple[dict[str, Any], tuple[tuple[int, ...], ...], bool]] = {
    "Dense": ({"units": 3}, (VECTOR,), False),
    "Activation": ({"name": "relu"}, (VECTOR,), False),
    "Flatten": ({}, (IMAGE,), False),
    "Reshape": ({"shape": (3, 2)}, (VECTOR,), False),
    "Add": ({}, (VECTOR, VECTOR), False),
    "Multiply": ({}, (VECTOR, VECTOR), False),
    "Concat": ({}, (VECTOR, VECTOR), False),
    "Conv1D": ({"filters": 4, "kernel_size": 3}, (SEQUENCE,), False),
    "Conv2D": ({"filters": 4, "kernel_size": 3}, (IMAGE,), False),
    "ConvTranspose2D": ({"filters": 4, "kernel_size": 3}, (IMAGE,), False),
    "MaxPool2D": ({}, (IMAGE,), False),
    "AvgPool2D": ({}, (IMAGE,), False),
    "GlobalAvgPool2D": ({}, (IMAGE,), False),
    "BatchNorm": ({}, (IMAGE,), False),
    "LayerNorm": ({}, (VECTOR,), False),
    "GroupNorm": ({"groups": 2}, (IMAGE,), False),
    "RMSNorm": ({}, (VECTOR,), False),
    "Dropout": ({"rate": 0.5}, (VECTOR,), False),
    "Embedding": ({"vocabulary": 9, "dim": 3}, ((4,),), True),
    "PReLU": ({}, (VECTOR,), False),
    "Maxout": ({"units": 3, "pieces": 2}, (VECTOR,), False),
    "Bilinear": ({"units": 3}, (VECTOR, VECTOR), False),
    "GatedLinear": ({}, (VECTOR,), False),
    "Attention": ({"heads": 2}, (SEQUENCE,), False),
    "PositionalEncoding": ({}, (SEQUENCE,), False),
    "SimpleRNN": ({"units": 3}, (SEQUENCE,), False),
    "LSTM": ({"units": 3}, (SEQUENCE,), False),
    "GRU": ({"units": 3}, (SEQUENCE,), False),
}

#: What an option may not be, and what the message says besides the layer's class.
SIZE = ((0, "got 0"), (-1, "got -1"), (True, "'True'"), (2.5, "2.5"), (None, "'None'"))
COUNT = ((0, "at least 1, got 0"), (-2, "at least 1, got -2"), (True, "'True'"), (1.5, "'1.5'"), ("x", "'x'"))
FLAG = ((1, "must be True or False, got '1'"), ("no", "must be True or False, got 'no'"))
EPS = ((0, "'0'"), (-1, "'-1'"), (True, "'True'"), ("a", "'a'"), (float("nan"), "'nan'"))
WINDOW = (*COUNT, ((1, 2, 3), "got 3"))
PADDING = ((-1, "at least 0, got -1"), (0.5, "'0.5'"), (True, "'True'"), ("some", "'some'"))

OPTIONS: dict[tuple[str, str], tuple[tuple[Any, str], ...]] = {
    ("Dense", "units"): SIZE,
    ("Dense", "bias"): FLAG,
    **{(kind, o): WINDOW for kind in ("Conv1D", "Conv2D", "ConvTranspose2D") for o in ("kernel_size", "stride", "dilation")},
    **{(kind, "padding"): PADDING for kind in ("Conv1D", "Conv2D", "ConvTranspose2D")},
    **{(kind, "filters"): SIZE for kind in ("Conv1D", "Conv2D", "ConvTranspose2D")},
    **{(kind, "groups"): (*COUNT, (3, "4 filters cannot be split into 3 groups")) for kind in ("Conv1D", "Conv2D", "ConvTranspose2D")},
    **{(kind, o): FLAG for kind in ("Conv1D", "Conv2D", "ConvTranspose2D") for o in ("bias", "flip")},
    **{(kind, o): WINDOW for kind in ("MaxPool2D", "AvgPool2D") for o in ("pool_size", "stride")},
    **{(kind, "padding"): (*PADDING, (2, "more than half of the window")) for kind in ("MaxPool2D", "AvgPool2D")},
    **{(kind, "eps"): EPS for kind in ("BatchNorm", "LayerNorm", "GroupNorm", "RMSNorm")},
    ("BatchNorm", "momentum"): ((2, "'2'"), (-0.1, "'-0.1'"), (True, "'True'")),
    ("GroupNorm", "groups"): COUNT,
    ("Dropout", "rate"): ((1, "'1'"), (1.5, "'1.5'"), (-0.1, "'-0.1'"), (True, "'True'"), ("a", "'a'"), (float("nan"), "'nan'")),
    ("Embedding", "vocabulary"): SIZE,
    ("Embedding", "dim"): SIZE,
    ("Maxout", "units"): SIZE,
    ("Maxout", "pieces"): SIZE[:4],
    ("Bilinear", "units"): SIZE,
    **{(kind, "units"): (*SIZE, ("h", "units must be a number, got 'h'")) for kind in ("SimpleRNN", "LSTM", "GRU")},
    **{(kind, "return_sequences"): FLAG for kind in ("SimpleRNN", "LSTM", "GRU")},
    ("Attention", "heads"): COUNT,
    ("Attention", "causal"): FLAG,
    ("Attention", "bias"): FLAG,
    ("PositionalEncoding", "base"): ((0, "'0'"), (1, "'1'"), (True, "'True'"), (float("inf"), "'inf'")),
    ("Reshape", "shape"): ((((0, 6)), "got 0"), ((-1, -1), "at most one -1")),
}
CASES = [(kind, option, value, said) for (kind, option), values in OPTIONS.items() for value, said in values]


def use(kind: str, shapes: tuple[tuple[Any, ...], ...], integer: bool = False, **options: Any) -> Any:
    inputs = [sbp.Input(shape, dtype="int64" if integer else None) for shape in shapes]
    return sbp.Network(inputs=inputs, outputs=LAYERS[kind](**options)(*inputs))


def test_the_table_has_every_layer() -> None:
    assert set(GOOD) == set(LAYERS)


@pytest.mark.parametrize("kind", GOOD)
def test_a_good_use_is_taken_and_an_unknown_option_is_told_with_the_known_ones(kind: str) -> None:
    options, shapes, integer = GOOD[kind]
    assert use(kind, shapes, integer, **options).spec.layers[0].kind == kind
    made = LAYERS[kind](**options)
    assert type(copy.copy(made)) is LAYERS[kind]
    if kind != "Activation":
        assert type(pickle.loads(pickle.dumps(made))) is LAYERS[kind]
        with pytest.raises(D, match=rf"{kind}: unknown option 'nmae'; did you mean 'name'\?"):
            LAYERS[kind](**{**options, "nmae": "a"})


@pytest.mark.parametrize(("kind", "option", "value", "said"), CASES, ids=lambda value: str(value)[:20])
def test_a_bad_option_is_refused_by_name(kind: str, option: str, value: Any, said: str) -> None:
    with pytest.raises(D) as caught:
        LAYERS[kind](**{**GOOD[kind][0], option: value})
    text = str(caught.value)
    assert text.startswith(f"{kind}: ") and said in text and "\n" not in text, text
    assert option in text or "filters" in text, text


#: Uses whose shapes do not fit: layer, options, shapes, class of the error, message behind "layer <name>: ".
SHAPES: list[tuple[str, dict[str, Any], tuple[tuple[Any, ...], ...], type[Exception], str]] = [
    ("Conv2D", {"kernel_size": 11, "padding": 1}, (IMAGE,), S, r"a window of 11 does not fit into 8 \+ 2·1; take a smaller one"),
    ("Conv2D", {"dilation": 5}, (IMAGE,), S, r"a window of 11 does not fit into 8 \+ 2·0"),
    ("Conv1D", {"kernel_size": 7}, (SEQUENCE,), S, r"a window of 7 does not fit into 6 \+ 2·0"),
    ("Conv2D", {"groups": 2}, ((3, 8, 8),), S, "3 channels cannot be split into 2 groups; groups must divide filters and channels"),
    ("Conv2D", {}, ((8, 8),), S, r"takes inputs of shape \(channels, height, width\), got \(8, 8\)"),
    ("Conv2D", {"stride": 2}, ((2, "h", "w"),), S, "a stride of 2 needs a number for the size h"),
    ("Conv1D", {}, (IMAGE,), S, r"takes inputs of shape \(channels, length\), got \(2, 8, 8\)"),
    ("ConvTranspose2D", {"padding": 9}, (IMAGE,), S, "padding 9 leaves nothing of an output of 10"),
    ("MaxPool2D", {"pool_size": 9}, (IMAGE,), S, r"a window of 9 does not fit into 8 \+ 2·0"),
    ("AvgPool2D", {}, (SEQUENCE,), S, r"takes inputs of shape \(channels, height, width\), got \(5, 6\)"),
    ("GlobalAvgPool2D", {}, (SEQUENCE,), S, r"takes inputs of shape \(channels, height, width\), got \(5, 6\)"),
    ("GroupNorm", {"groups": 3}, (IMAGE,), S, "2 channels cannot be split into 3 groups"),
    ("Attention", {"heads": 4}, (SEQUENCE,), S, "6 features cannot be split among 4 heads; heads must divide the features"),
    ("Attention", {}, (VECTOR,), S, r"takes inputs of shape \(time, features\), got \(6,\)"),
    ("PositionalEncoding", {}, (VECTOR,), S, r"takes inputs of shape \(time, features\), got \(6,\)"),
    *((kind, {}, (VECTOR,), S, r"takes inputs of shape \(time, features\), got \(6,\)") for kind in ("SimpleRNN", "LSTM", "GRU")),
    ("Reshape", {"shape": (5, 2)}, (VECTOR,), S, r"cannot make \(5, 2\) of \(6,\): 6 values"),
    ("Add", {}, (VECTOR, (4,)), S, r"needs inputs of one shape, got \(6,\), \(4,\)"),
    ("Multiply", {}, (VECTOR, (4,)), S, r"needs inputs of one shape, got \(6,\), \(4,\)"),
    ("Add", {}, (VECTOR,), D, "Add takes at least two inputs, got 1"),
    ("Dense", {}, (VECTOR, VECTOR), D, "Dense takes one input, got 2"),
    ("Bilinear", {}, (VECTOR,), D, "Bilinear takes two inputs, got 1"),
]


@pytest.mark.parametrize(("kind", "options", "shapes", "error", "said"), SHAPES)
def test_shapes_that_do_not_fit_are_refused_with_the_layer_named(
    kind: str, options: dict[str, Any], shapes: tuple[Any, ...], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=rf"^layer {kind.lower()}_1: {said}") as caught:
        use(kind, shapes, **{**GOOD[kind][0], **options})
    assert type(caught.value) is error and "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", GOOD)
def test_the_type_of_the_input_is_that_of_the_layer(kind: str) -> None:
    options, shapes, integer = GOOD[kind]
    said = "takes whole numbers; declare its input as" if integer else "takes real numbers, but its input is declared as int64"
    with pytest.raises(S, match=f"layer {kind.lower()}_1: {kind} {said}"):
        use(kind, shapes, not integer, **options)
