"""How often a network's output names the right class."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

#: Losses whose output is one score per class.
CLASSES = ("cross_entropy", "kl_divergence", "multiclass_hinge", "softmax_cross_entropy", "squared_hinge")
#: Losses of yes-or-no outputs, with the value above which an output says yes.
THRESHOLDS = {"bce_with_logits": 0.0, "binary_cross_entropy": 0.5}


def accuracy(loss: str | None, outputs: npt.NDArray[Any], y: npt.NDArray[Any]) -> float | None:
    """Return the share of right answers, or None where the loss is none of classes."""
    if loss in THRESHOLDS:
        return float(np.mean((outputs > THRESHOLDS[loss]) == (y > 0.5)))
    if loss not in CLASSES:
        return None
    rows = y.ndim == outputs.ndim
    if loss == "squared_hinge" and rows:
        return float(np.mean((outputs > 0) == (y > 0)))
    labels = y.argmax(axis=-1) if rows else y
    return float(np.mean(outputs.argmax(axis=-1) == labels))


__all__ = ["CLASSES", "THRESHOLDS", "accuracy"]
