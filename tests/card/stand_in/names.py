"""What the mangled names of Numba's kernels say: their names in Python, and the types of their arguments."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from stand_in.answers import NOT_FOUND, Answer


def kernel_of(name: str) -> str:
    """Return the Python name of a kernel from its mangled one."""
    return parts_of(name)[0][-1]


def parts_of(name: str) -> tuple[list[str], str]:
    """Return the parts of a mangled name, and what is left of it: its types."""
    if not name.startswith("_ZN"):
        raise Answer(NOT_FOUND, f"{name} is not mangled")
    rest, parts = name[3:], []
    while rest[0] != "E":
        if rest[0] == "B":  # a tag of the name
            length = re.match(r"B(\d+)", rest)
            assert length is not None
            rest = rest[length.end() + int(length[1]) :]
            continue
        length = re.match(r"\d+", rest)
        assert length is not None, name
        start = length.end()
        parts.append(rest[start : start + int(length[0])])
        rest = rest[start + int(length[0]) :]
    return parts, rest[1:]


#: Numbers in mangled names.
LETTERS = {"f": np.dtype(np.float32), "d": np.dtype(np.float64), "i": np.dtype(np.int32), "x": np.dtype(np.int64), "h": np.dtype(np.uint8)}


def types_of(name: str) -> list[tuple[np.dtype[Any], int | None]]:
    """Return the types of a kernel's arguments, and how many axes each has; None for a number."""
    rest, found = parts_of(name)[1], []
    while rest:
        array = re.match(r"5ArrayI(\w)Li(\d)E1C7mutable7alignedE", rest)
        if array is not None:
            found.append((LETTERS[array[1]], int(array[2])))
            rest = rest[array.end() :]
        elif rest[0] == "P":  # an address
            found.append((LETTERS["x"], None))
            rest = rest[2:]
        elif rest[0] in LETTERS:
            found.append((LETTERS[rest[0]], None))
            rest = rest[1:]
        else:
            raise Answer(NOT_FOUND, f"types {rest} of {name}")
    return found
