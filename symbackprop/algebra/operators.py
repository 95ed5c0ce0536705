"""Operator forms: sums over windows written as correlations and convolutions of whole images.

An image here is what is left of a tensor when all but some trailing places are held fixed: x_c is the channel c of x. An
operator equation is an index equation in which every sum over a window is replaced by one entry of a `Window`: of the
result of an operator between two images. A window has a meaning of its own, with arrays that are padded, spread and slid
over one another; it does not use the sum that it was recognised in.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from sympy import Expr

from symbackprop.algebra.equation import Equation, reads
from symbackprop.algebra.index import Index
from symbackprop.algebra.interpret import as_array, evaluate_equation, solve_sizes
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.errors import DataError, ShapeError

Array = npt.NDArray[Any]
#: Begins the names of the tensors that stand for windows; no name of an engine or a user begins so.
WINDOW = "\0window "


@dataclass(frozen=True)
class Sliding:
    """How a kernel slides along one axis.

    A correlation reads the image at ``stride·o + dilation·u − padding`` for output o and kernel place u, a convolution reads
    the kernel backwards: at ``stride·o + dilation·(size − 1 − u) − padding``. What lies outside the image is 0.

    Attributes:
        size: extent of the kernel.
        stride: from one output to the next.
        padding: how far the first window begins before the image.
        dilation: from one kernel place to the next.
        spread: the image is spread out first: spread − 1 zeros between its entries.
    """

    size: Expr
    stride: int = 1
    padding: Expr | int = 0
    dilation: int = 1
    spread: int = 1

    @property
    def full(self) -> bool:
        """Whether windows begin as soon as they touch the image: padding dilation·(size − 1)."""
        return bool(self.padding == self.dilation * (self.size - 1))


@dataclass(frozen=True)
class Image:
    """An image: an expression in the entries of tensors at the same places.

    Attributes:
        entry: one entry.
        places: the indices of its axes.
    """

    entry: Expr
    places: tuple[Index, ...]

    @cached_property
    def family(self) -> tuple[Index, ...]:
        """The indices that are held fixed, in order of name."""
        found = {i for i in self.entry.free_symbols if isinstance(i, Index)} - set(self.places)
        return tuple(sorted(found, key=lambda i: i.name))


@dataclass(frozen=True)
class Window:
    """The correlation or convolution of a kernel and an image.

    Attributes:
        kind: "correlation" or "convolution".
        kernel: what slides; on the left of the sign.
        image: what it slides over; on the right.
        axes: how, along each axis.
        out: the indices of the result's places.
    """

    kind: str
    kernel: Image
    image: Image
    axes: tuple[Sliding, ...]
    out: tuple[Index, ...]

    @cached_property
    def family(self) -> tuple[Index, ...]:
        """The indices that are held fixed in the kernel or in the image, in order of name."""
        return tuple(sorted({*self.kernel.family, *self.image.family}, key=lambda i: i.name))

    @cached_property
    def reads(self) -> tuple[Tensor, ...]:
        """The tensors that it reads, in order of name."""
        return tuple(sorted({*reads(self.kernel.entry), *reads(self.image.entry)}, key=lambda t: t.name))

    def evaluate(self, arrays: Mapping[str, Array], sizes: Mapping[Expr, Expr]) -> Array:
        """Return the result for every value of the family, then the places."""

        def length(extent: Expr) -> int:
            return int(extent.xreplace(dict(sizes)))

        def of(image: Image) -> Array:
            tensor = Tensor("image", (*self.family, *image.places))
            return evaluate_equation(Equation(tensor.own, image.entry), arrays, sizes)

        kernels, images = of(self.kernel), of(self.image)
        lead = tuple(length(i.extent) for i in self.family)
        shape = tuple(length(i.extent) for i in self.out)
        padding = tuple(length(Index("p", 1).extent * axis.padding) for axis in self.axes)
        result = np.zeros((*lead, *shape))
        for place in itertools.product(*map(range, lead)):
            kernel, image = kernels[place], images[place]
            for k, axis in enumerate(self.axes):
                image = _fitted(_spread(image, k, axis.spread), k, padding[k], axis, kernel.shape[k], shape[k])
                kernel = _spread(kernel, k, axis.dilation)
            result[place] = slid(np.flip(kernel) if self.kind == "convolution" else kernel, image, tuple(a.stride for a in self.axes))
        return result


@dataclass(frozen=True)
class OperatorEquation:
    """``lhs = rhs``, in which windows stand for entries of their results.

    Attributes:
        lhs: one entry of a tensor.
        rhs: its value; reads tensors named `WINDOW` and a number for the windows.
        windows: what these stand for.
        places: the indices of the left side that are places of an image and are left out in print.
    """

    lhs: Access
    rhs: Expr
    windows: tuple[Window, ...]
    places: tuple[Index, ...]

    @property
    def tensor(self) -> Tensor:
        """The tensor on the left."""
        return self.lhs.tensor

    @cached_property
    def reads(self) -> tuple[Tensor, ...]:
        """The tensors that it reads, in order of name."""
        own = (t for t in reads(self.rhs) if not t.name.startswith(WINDOW))
        return tuple(sorted({*own, *(t for w in self.windows for t in w.reads)}, key=lambda t: t.name))

    def window(self, tensor: Tensor) -> Window:
        """Return what a tensor stands for."""
        return self.windows[int(tensor.name.removeprefix(WINDOW))]

    def evaluate(self, values: Mapping[str, Any]) -> Array:
        """Return the array of the left side's tensor, in float64.

        Args:
            values: an array for each tensor on the right, by name.

        Raises:
            DataError: a value is missing.
            ShapeError: a value's shape does not fit.
        """
        missing = [t.name for t in self.reads if t.name not in values]
        if missing:
            raise DataError(f"no value is given for {', '.join(missing)}")
        arrays = {t.name: as_array(t, values[t.name], np.float64) for t in self.reads}
        sizes = solve_sizes({t.name: t for t in self.reads}, arrays)
        made = {f"{WINDOW}{k}": w.evaluate(arrays, sizes) for k, w in enumerate(self.windows)}
        return evaluate_equation(Equation(self.lhs, self.rhs), {**arrays, **made}, sizes)


def slid(kernel: Array, image: Array, strides: tuple[int, ...]) -> Array:
    """Return Σ_u K[u] X[s o + u] for every place o at which the kernel lies within the image."""
    if any(k > i for k, i in zip(kernel.shape, image.shape, strict=True)):
        raise ShapeError(f"a kernel of {kernel.shape} does not fit into {image.shape}")
    seen = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)[tuple(slice(None, None, s) for s in strides)]
    return np.asarray(np.tensordot(seen, kernel, axes=kernel.ndim))


def _spread(array: Array, axis: int, by: int) -> Array:
    """Return an array with zeros between its entries."""
    if by == 1:
        return array
    shape = list(array.shape)
    shape[axis] = by * (shape[axis] - 1) + 1
    made = np.zeros(shape)
    made[(slice(None),) * axis + (slice(None, None, by),)] = array
    return made


def _fitted(image: Array, k: int, padding: int, axis: Sliding, size: int, count: int) -> Array:
    """Return an image padded with zeros, or cut, so that exactly ``count`` windows fit."""
    wanted = axis.stride * (count - 1) + axis.dilation * (size - 1) + 1
    after = wanted - padding - image.shape[k]
    around = [(0, 0)] * image.ndim
    around[k] = (max(padding, 0), max(after, 0))
    cut = [slice(None)] * image.ndim
    cut[k] = slice(max(-padding, 0), image.shape[k] - max(-after, 0))
    return np.pad(image[tuple(cut)], around)


__all__ = ["WINDOW", "Image", "OperatorEquation", "Sliding", "Window", "slid"]
