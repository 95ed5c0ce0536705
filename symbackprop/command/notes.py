"""Lecture notes of a network on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from symbackprop.command.network import Loaded
from symbackprop.errors import DataError
from symbackprop.public.notes import notes


def written(loaded: Loaded, output: Path, *, example: bool, seed: int, **options: Any) -> tuple[Path, ...]:
    """Write notes, and return the paths of the files as they are seen from here.

    Args:
        loaded: the network, with what its file says about it.
        output: decides by its suffix what is written.
        example: work numbers out, for the first sample of the file's data.
        seed: of the parameters of the example.
        options: those of `notes`.

    Raises:
        DataError: an example is wanted, and the file has no data.
    """
    given = first_sample(loaded, seed) if example else None
    paths = notes(loaded.net, output, example=given, **options)
    return tuple(output.parent / path.name for path in paths)


def first_sample(loaded: Loaded, seed: int) -> tuple[Any, Any, Any]:
    """Return parameters, one input and its target: the file's ``WEIGHTS`` or first values, and of its ``data()``."""
    if loaded.data is None:
        raise DataError(f"{loaded.origin} has no function data() whose first sample could be worked out; leave --example out")
    x, y = loaded.data()
    one = tuple(np.asarray(part)[0] for part in x) if isinstance(x, tuple) else np.asarray(x)[0]
    values = loaded.weights if loaded.weights is not None else loaded.net.init(seed=seed, dtype="float64")
    return values, one, np.asarray(y)[0]


__all__ = ["first_sample", "written"]
