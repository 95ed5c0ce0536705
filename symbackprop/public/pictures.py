"""Pictures and charts that need numbers: convolutions, activations and their slopes, decision planes, ways downhill, training runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symbackprop.algebra.equation import Equation, System
from symbackprop.algebra.index import Index
from symbackprop.algebra.interpret import interpret
from symbackprop.algebra.nodes import Indicator, Sum
from symbackprop.algebra.tensor import Tensor, tensor
from symbackprop.errors import DataError, DeclarationError, ShapeError
from symbackprop.present.latex import latex_equation, plain_equation
from symbackprop.present.naming import Name, Naming
from symbackprop.present.notation import Notation
from symbackprop.present.scene.grid import convolution_grids
from symbackprop.present.scene.records import Label, Scene

Array = npt.NDArray[Any]

CONVOLUTIONS = ("convolution", "correlation")


# --- convolution --------------------------------------------------------------------------------------------------------


def convolution_system(shape: tuple[int, int], mask: tuple[int, int], kind: str = "convolution") -> System:
    """Return the equations of a two-dimensional convolution, zeros around the image.

    With h = (rows of the mask − 1)/2 and k likewise for columns:

    padded[i, j] = Σ_x Σ_y [x = i − 2h] [y = j − 2k] f[x, y]
    full[i, j] = Σ_s Σ_t w[s, t] padded[i + 2h − s, j + 2k − t]   (correlation: padded[i + s, j + t])
    result[i, j] = Σ_x Σ_y [x = i − h] [y = j − k] full[x, y]
    cropped[i, j] = full[i + h, j + k]

    Args:
        shape: rows and columns of the image ``f``.
        mask: rows and columns of the mask ``w``, both odd.
        kind: "convolution" flips the mask, "correlation" does not.

    Raises:
        DeclarationError: an unknown kind.
        ShapeError: a mask without a middle.
    """
    if kind not in CONVOLUTIONS:
        raise DeclarationError(f"kind must be one of {', '.join(CONVOLUTIONS)}, got {str(kind)[:40]!r}")
    if any(size < 1 or size % 2 == 0 for size in mask):
        raise ShapeError(f"a mask needs a middle, so odd numbers of rows and columns; got {mask[0]} x {mask[1]}")
    h, k = ((size - 1) // 2 for size in mask)
    x, y = Index("x", shape[0]), Index("y", shape[1])
    s, t = Index("s", mask[0]), Index("t", mask[1])

    def frame(around: int, i: str = "i", j: str = "j") -> tuple[Index, Index]:
        return Index(i, shape[0] + 2 * around * h), Index(j, shape[1] + 2 * around * k)

    def placed(name: str, inner: Tensor, around: int, x: Index, y: Index) -> Equation:
        i, j = frame(2)
        given = Indicator(sympy.Eq(x, i - around * h)) * Indicator(sympy.Eq(y, j - around * k)) * inner[x, y]
        return Equation(tensor(name, i, j)[i, j], Sum(given, x, y))

    f, w = tensor("f", x, y), tensor("w", s, t)
    first = placed("padded", f, 2, x, y)
    padded = first.tensor
    i, j = frame(1)
    full = tensor("full", i, j)
    at = (i + 2 * h - s, j + 2 * k - t) if kind == "convolution" else (i + s, j + t)
    made = Equation(full[i, j], Sum(w[s, t] * padded[at], s, t))
    last = placed("result", full, 1, *frame(1, "x", "y"))
    i, j = frame(0)
    cropped = tensor("cropped", i, j)
    return System([first, made, last, Equation(cropped[i, j], full[i + h, j + k])])


def convolve(image: Any, mask: Any, kind: str = "convolution") -> dict[str, Array]:
    """Return what a convolution makes of an image: ``padded``, ``full``, ``result`` (that in the padded frame) and ``cropped``.

    Args:
        image: a matrix.
        mask: a matrix with odd numbers of rows and columns.
        kind: "convolution" flips the mask, "correlation" does not.
    """
    f, w = _matrix(image, "image"), _matrix(mask, "mask")
    system = convolution_system((f.shape[0], f.shape[1]), (w.shape[0], w.shape[1]), kind)
    values = interpret(system, {"f": f, "w": w})
    return {name: values[name] for name in ("padded", "full", "result", "cropped")}


def convolution_scene(image: Any, mask: Any, kind: str = "convolution", notation: str | Notation = "ufldl") -> Scene:
    """Return the grids of a convolution: image and mask, padded, result, cropped, one frame each; the arguments are those of `convolve`."""
    f, w = _matrix(image, "image"), _matrix(mask, "mask")
    system = convolution_system((f.shape[0], f.shape[1]), (w.shape[0], w.shape[1]), kind)
    made = convolve(f, w, kind)
    equation = next(e for e in system.equations if e.tensor.name == "full")
    naming = Naming({"full": Name("word", word="g"), "padded": Name("word", word="p")})
    formula = Label(plain_equation(equation, naming, notation=notation), latex_equation(equation, naming, notation=notation))
    rows = {name: a.tolist() for name, a in made.items()}
    return convolution_grids(f.tolist(), w.tolist(), rows["padded"], rows["result"], rows["cropped"], kind=kind, formula=formula)


def _matrix(given: Any, name: str) -> Array:
    try:
        array = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise DataError(f"{name}: expected a matrix of numbers") from None
    if array.ndim != 2 or not array.size:
        raise ShapeError(f"{name}: expected a matrix, got shape {array.shape}")
    if not np.isfinite(array).all():
        raise DataError(f"{name}: all entries must be finite")
    return array


__all__ = ["CONVOLUTIONS", "convolution_scene", "convolution_system", "convolve"]
