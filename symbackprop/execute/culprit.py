"""Where a value stops being finite: the same values once more through the interpreter, in order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symbackprop.algebra.interpret import interpret
from symbackprop.derive.records import Derivation


def first_not_finite(derivation: Derivation, values: Mapping[str, Any], dtype: Any) -> str:
    """Return the layer, the tensor and the index of the first value that is not finite, in words."""
    system = derivation.stable
    with np.errstate(all="ignore"):
        found = interpret(system, values, dtype=dtype)
    owner = {block.names[slot]: block.owner for block in system.blocks for slot in block.template.defined}
    for name in (*system.free, *system.defined):
        array = np.asarray(found.get(name, 0.0))
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            where = tuple(int(k) for k in np.argwhere(~np.isfinite(array))[0])
            layer = owner.get(name) or name.rpartition(".")[0]
            place = f" at index {where[0] if len(where) == 1 else where}" if where else ""
            return f"the first such value is {array[where]} in {name}{place}" + (f" (layer {layer})" if layer else "")
    return "the interpreter finds every value finite, so the kernels are to blame: run check()"


__all__ = ["first_not_finite"]
