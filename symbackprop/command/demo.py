"""The whole way on real data: equations, kernels, proof, training and test accuracy of handwritten digits."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from symbackprop.command.derive import shown
from symbackprop.command.generated import TARGETS
from symbackprop.command.network import load
from symbackprop.command.progress import waiting
from symbackprop.data import digits, every_fifth
from symbackprop.errors import CheckError, OutputError
from symbackprop.execute.files import write_all
from symbackprop.pipeline import artifacts

# Learning rate, penalty and number of epochs (examples/digits.py, and 30 here) were chosen on a fifth of the training images; the
# test images had no part in it.


def tell(seeds: Sequence[int], epochs: int, folder: Path | None) -> None:
    """Print the story; write the kernels into ``folder``, else into ``symbackprop-demo`` here, else into a temporary folder.

    Raises:
        CheckError: a gradient is wrong.
        OutputError: the folder cannot be written.
    """
    began = time.perf_counter()
    loaded = load("digits")
    net, dtype, batch, rule = loaded.net, loaded.dtype or "float32", loaded.batch or 32, loaded.optimizer
    x, y, x_test, y_test = every_fifth(*digits(dtype))
    print(f"1. The data: {len(y) + len(y_test)} handwritten digits, 8x8 pixels (UCI optical digits). Every fifth is kept for the test.")
    print(_picture(x_test[:6], y_test[:6]))
    print("2. The network, 64-64-10, declared in examples/digits.py; its equations, and what follows from them for one sample:\n")
    for line in shown(net.derive(per="sample")):
        print(f"   {line}" if line else "")

    paths = _write(folder, {a.path: a.text for a in artifacts(net.spec, TARGETS, dtype=dtype, batch=batch, optimizer=rule)})
    print("\n3. The kernels, stand-alone modules for you to read and use:\n")
    for path in paths:
        print(f"   {path}")

    print("\n4. The proof: numerical differentiation judges the maths, the interpreter judges the code.\n")
    program = net.compile(target="cpu", dtype=dtype, batch=batch)
    with waiting("compiling and checking"):
        report = program.check()
    print(str(report))
    if not report.ok:
        raise CheckError(f"digits: a gradient is wrong, see the table: {report.worst}")

    print(f"\n5. Training on {len(y)} images: {_words(rule)}, {epochs} epochs, batches of {batch}.")
    with waiting("compiling the training step"):
        program.fit(net.init(dtype=dtype), x[:batch], y[:batch], optimizer=rule, epochs=1, batch_size=batch, progress=False)
    accuracies = []
    for seed in seeds:
        params = net.init(seed=seed, dtype=dtype)
        started = time.perf_counter()
        program.fit(params, x, y, optimizer=rule, epochs=epochs, batch_size=batch, seed=seed)
        right = program.predict(params, x_test).argmax(axis=1) == y_test
        accuracies.append(float(np.mean(right)))
        print(f"   seed {seed}: test accuracy {accuracies[-1]:.2%} ({time.perf_counter() - started:.1f} s)")
    starts = f"{len(seeds)} initialisations" if len(seeds) > 1 else "1 initialisation"
    print(f"\n6. Test accuracy on {len(y_test)} images never seen: {np.mean(accuracies):.2%}, the mean of {starts}.")
    print(f"   From nothing in {time.perf_counter() - began:.0f} s. Next: symbackprop derive digits --steps, symbackprop --help")


def _write(folder: Path | None, texts: dict[str, str]) -> tuple[Path, ...]:
    if folder is not None:
        return write_all(folder, texts)
    try:
        return write_all("symbackprop-demo", texts)
    except OutputError:
        return write_all(tempfile.mkdtemp(prefix="symbackprop-demo-"), texts)


def _words(rule: Any) -> str:
    """Return an optimizer with those of its options that are switched on."""
    given = [(f.name, getattr(rule, f.name)) for f in fields(rule) if getattr(rule, f.name) not in (0, None)]
    return f"{type(rule).__name__}({', '.join(f'{name}={value}' for name, value in given)})"


def _picture(images: np.ndarray, labels: np.ndarray) -> str:
    """Return a few images side by side, as blocks of five shades."""
    shades = " ░▒▓█"
    rows = [
        "   " + "   ".join("".join(shades[min(4, int(v * 4.99))] * 2 for v in image.reshape(8, 8)[row]) for image in images)
        for row in range(8)
    ]
    return "\n".join([*rows, "   " + "   ".join(f"{label:^16}" for label in labels)])
