"""How long deriving takes: each layer in a fresh process, then again; two deep networks declared, derived and planned.

    python -m benchmarks.derivation

Seconds of processor time, for other programs may be running. What is imported and what every derivation shares is paid before:
by importing, and by deriving a network of one small dense layer.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import symbackprop as sbp
from symbackprop import pipeline

IMAGE, SEQUENCE, ROW = (4, 8, 8), (6, 8), (8,)

#: A layer of each type, with the shape of its input.
LAYERS: dict[str, tuple[Callable[[], sbp.Layer], tuple[int, ...]]] = {
    "Dense": (lambda: sbp.Dense(5, activation="gelu"), ROW),
    "Conv2D": (lambda: sbp.Conv2D(6, 3, stride=2, padding=1, activation="relu"), IMAGE),
    "Conv2D in groups": (lambda: sbp.Conv2D(6, 3, padding=1, groups=2), IMAGE),
    "Conv1D": (lambda: sbp.Conv1D(6, 3, padding=1), SEQUENCE),
    "ConvTranspose2D": (lambda: sbp.ConvTranspose2D(6, 3, stride=2), IMAGE),
    "MaxPool2D": (lambda: sbp.MaxPool2D(2), IMAGE),
    "MaxPool2D, overlapping": (lambda: sbp.MaxPool2D(3, 2, 1), IMAGE),
    "AvgPool2D": (lambda: sbp.AvgPool2D(2), IMAGE),
    "GlobalAvgPool2D": (lambda: sbp.GlobalAvgPool2D(), IMAGE),
    "Flatten": (lambda: sbp.Flatten(), IMAGE),
    "BatchNorm": (lambda: sbp.BatchNorm(), IMAGE),
    "LayerNorm": (lambda: sbp.LayerNorm(), SEQUENCE),
    "GroupNorm": (lambda: sbp.GroupNorm(2), IMAGE),
    "RMSNorm": (lambda: sbp.RMSNorm(), SEQUENCE),
    "Dropout": (lambda: sbp.Dropout(0.5), ROW),
    "PReLU": (lambda: sbp.PReLU(), ROW),
    "Maxout": (lambda: sbp.Maxout(3, pieces=2), ROW),
    "SimpleRNN": (lambda: sbp.SimpleRNN(5), SEQUENCE),
    "LSTM": (lambda: sbp.LSTM(5), SEQUENCE),
    "GRU": (lambda: sbp.GRU(5), SEQUENCE),
    "Attention": (lambda: sbp.Attention(heads=2), SEQUENCE),
    "Attention, causal": (lambda: sbp.Attention(heads=2, causal=True), SEQUENCE),
}


def residual_images(layers: int = 24, channels: int = 32, size: int = 32) -> sbp.Network:
    """A residual network of convolutions with batch normalisation."""
    x = sbp.Input((3, size, size))
    h = sbp.Activation("relu")(sbp.BatchNorm()(sbp.Conv2D(channels, 3, padding=1, bias=False)(x)))
    for _ in range((layers - 2) // 2):
        a = sbp.Activation("relu")(sbp.BatchNorm()(sbp.Conv2D(channels, 3, padding=1, bias=False)(h)))
        h = sbp.Activation("relu")(h + sbp.BatchNorm()(sbp.Conv2D(channels, 3, padding=1, bias=False)(a)))
    return sbp.Network(inputs=x, outputs=sbp.Dense(10)(sbp.GlobalAvgPool2D()(h)), loss="softmax_cross_entropy", name="residual_images")


def transformer(blocks: int = 12, width: int = 64, heads: int = 4, steps: int = 32) -> sbp.Network:
    """A transformer: attention and a wide hidden layer in each block, both behind a normalisation and beside the identity."""
    x = sbp.Input((steps, width))
    h = x
    for _ in range(blocks):
        h = h + sbp.Attention(heads=heads, causal=True)(sbp.LayerNorm()(h))
        h = h + sbp.Dense(width)(sbp.Dense(4 * width, activation="gelu")(sbp.LayerNorm()(h)))
    y = sbp.Dense(10)(sbp.Flatten()(sbp.LayerNorm()(h)))
    return sbp.Network(inputs=x, outputs=y, loss="softmax_cross_entropy", name="transformer")


#: The deep networks, by name.
DEEP: dict[str, Callable[[], sbp.Network]] = {"24 residual convolutions": residual_images, "12 transformer blocks": transformer}


@contextmanager
def seconds(found: dict[str, float], name: str) -> Iterator[None]:
    """Measure the processor time of a block."""
    start = time.process_time()
    yield
    found[name] = time.process_time() - start


def one(name: str) -> sbp.Network:
    """Return a network of one layer of a type, its values being the output."""
    layer, shape = LAYERS[name]
    return sbp.Sequential([sbp.Input(shape), layer()], loss="mse", name="one")


def measure(name: str) -> dict[str, float]:
    """Return the seconds for one layer type (cold, warm) or one deep network (declare, derive, plan)."""
    found: dict[str, float] = {}
    pipeline.derive_network(sbp.Sequential([sbp.Input(3), sbp.Dense(2)], loss="mse", name="first").spec)
    if name in LAYERS:
        with seconds(found, "cold"):
            pipeline.derive_network(one(name).spec)
        with seconds(found, "warm"):
            pipeline.derive_network(one(name).spec)
        return found
    from symbackprop.plan.make import make

    with seconds(found, "declare"):
        spec = DEEP[name]().spec
    with seconds(found, "derive"):
        derivation = pipeline.derive_network(spec)
    with seconds(found, "plan"):
        assert derivation.model is not None
        make(derivation.model, derivation, pipeline.Options("cpu", "float32", 32), pipeline.inference(spec, None))
    return found


def depth_and_width(depths: Sequence[int] = (2, 4, 8, 16, 32), widths: Sequence[int] = (16, 64, 256, 1024)) -> list[dict[str, float]]:
    """Return the seconds for deriving and planning dense networks: the deeper the longer, whatever the width."""
    from symbackprop.plan.make import make

    pipeline.derive_network(sbp.Sequential([sbp.Input(3), sbp.Dense(2)], loss="mse", name="first").spec)
    table = []
    for depth, width in (*((depth, 64) for depth in depths), *((4, width) for width in widths if width != 64)):
        layers = [sbp.Dense(width, activation="relu") for _ in range(depth)]
        spec = sbp.Sequential([sbp.Input(width), *layers], loss="mse", name="dense").spec
        found: dict[str, float] = {"depth": depth, "width": width}
        with seconds(found, "derive"):
            derivation = pipeline.derive_network(spec)
        with seconds(found, "plan"):
            assert derivation.model is not None
            make(derivation.model, derivation, pipeline.Options("cpu", "float32", 32), pipeline.inference(spec, None))
        table.append(found)
    return table


def main() -> None:
    """Print the table."""
    if len(sys.argv) > 1:
        print(" ".join(f"{name}={value:.6f}" for name, value in measure(sys.argv[1]).items()))
        return
    print(f"{'layer':28}{'cold':>8}{'warm':>8}")
    for name in (*LAYERS, *DEEP):
        done = subprocess.run([sys.executable, "-m", "benchmarks.derivation", name], capture_output=True, text=True, check=True)
        found = {word.partition("=")[0]: float(word.partition("=")[2]) for word in done.stdout.split()}
        if name in LAYERS:
            print(f"{name:28}{found['cold']:8.3f}{found['warm']:8.3f}", flush=True)
        else:
            parts = ", ".join(f"{part} {value:.2f}" for part, value in found.items())
            print(f"{name}: {sum(found.values()):.2f} seconds ({parts})", flush=True)
    for found in depth_and_width():
        print(f"{found['depth']:4} layers of {found['width']:4} units: derive {found['derive']:.2f}, plan {found['plan']:.2f}", flush=True)


if __name__ == "__main__":
    main()
