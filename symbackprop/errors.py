"""The exceptions that symbackprop raises; every message names the culprit and the way out."""

from __future__ import annotations

__all__ = [
    "CheckError",
    "DataError",
    "DeclarationError",
    "DerivationError",
    "EmissionError",
    "OutputError",
    "ShapeError",
    "SymbackpropError",
    "TargetError",
]


class SymbackpropError(Exception):
    """The root of all errors of this package."""


class DeclarationError(SymbackpropError, ValueError):
    """A name, an equation, a layer or a network that cannot be declared as written."""


class ShapeError(SymbackpropError, ValueError):
    """Shapes that do not fit together."""


class DataError(SymbackpropError, ValueError):
    """Values that cannot be taken: dtype, NaN, labels, a declared fact that does not hold."""


class DerivationError(SymbackpropError):
    """Something that cannot be derived as asked."""


class EmissionError(SymbackpropError):
    """An expression or plan that a target cannot print."""


class OutputError(SymbackpropError, OSError):
    """A file or folder that cannot be read or written."""


class TargetError(SymbackpropError, RuntimeError):
    """A compiler, device or tool that is missing or refuses to work."""


class CheckError(SymbackpropError):
    """A validation that failed."""
