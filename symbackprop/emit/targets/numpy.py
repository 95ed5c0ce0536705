"""The readable reference: NumPy as a lecturer would show it."""

from __future__ import annotations

from symbackprop.emit.records import Target

NUMPY = Target(name="numpy", folder="numpy", form="arrays", suffix="_numpy.py", runtime=None)

__all__ = ["NUMPY"]
