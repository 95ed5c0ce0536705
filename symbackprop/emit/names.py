"""Python names, each used for one thing: derived from the names of the mathematics, never two alike."""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Hashable, Iterable

#: What the functions of shared stages begin with, for each entry, and what they are called.
ENTRIES = ("", "loss_", "input_", "forward_", "evaluation_")
STAGES = ("samples", "rows", "scalars")

#: Names that a module uses for itself.
RESERVED = frozenset(
    {*keyword.kwlist, *keyword.softkwlist, *dir(builtins), "np", "njit", "prange", "real", "erf", "erfc"}
    | {"forward", "loss", "value_and_grad", "input_gradients", "update", "train_step", "workspace", "check", "in_range"}
    | {"update_statistics", "evaluation", "value_and_grad_of_part", "loss_of_part", "input_gradients_of_part"}
    | {"mean_of_parts", "part_of", "scale", "share", "threads"}
    | {f"{entry}{stage}{number}" for entry in ENTRIES for stage in STAGES for number in ("", "_2", "_3", "_4")}
    | {"params", "grads", "work", "state", "hyper", "out"}
    | {"NAME", "PARAMETERS", "DTYPE", "BATCH", "STATE_SIZE", "HYPER", "TRAINABLE", "STATISTICS", "MASKS"}
    | {"product", "product_parallel", "add_product", "row_products", "add_row_products"}
    | {"long_row_products", "add_long_row_products", "sigmoid", "softplus"}
    | {"correlate", "add_correlate", "correlate_rows", "add_correlate_rows", "spread", "sum_of", "sum_of_rows", "max_of"}
    | {"exp", "expm1", "log", "log1p", "sin", "cos", "tan", "asin", "acos", "atan", "power"}
    | {"sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "half_tanh", "tanh_softplus"}
    | {"view", "array_at", "whole_at", "value_and_grad_at", "input_gradients_at", "addressed", "apart", "chosen", "epoch", "log_sum_exp"}
)


class Names:
    """Hands out names in the order of asking; a name that is taken gets an underscore."""

    def __init__(self, taken: Iterable[str] = RESERVED) -> None:
        self.taken = set(taken)
        self.given: dict[Hashable, str] = {}

    def of(self, thing: Hashable, wanted: str) -> str:
        """Return the name of ``thing``, close to ``wanted``."""
        if thing not in self.given:
            name = "".join(c if c.isalnum() and c.isascii() else "_" for c in wanted)
            name = name if name and not name[0].isdigit() else f"_{name}"
            while name in self.taken:
                name += "_"
            self.taken.add(name)
            self.given[thing] = name
        return self.given[thing]


__all__ = ["RESERVED", "Names"]
