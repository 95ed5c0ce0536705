"""Convolutions: sums over windows of an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from symbackprop import algebra as alg
from symbackprop.declare.activations import ActivationSpec, activate
from symbackprop.declare.dimension import Dimension, Shape, dimension, extent, plain
from symbackprop.declare.layers.activation import function_of
from symbackprop.declare.layers.options import check_flags, each, whole
from symbackprop.declare.layers.windows import Windows, inside, names
from symbackprop.declare.layers.wiring import Layer, Parameter, Shapes, one_input, written
from symbackprop.errors import DeclarationError, ShapeError

#: Letters of the indices along the axes of an image: of the input, of the output, of the kernel.
_IMAGE, _OUTPUT, _KERNEL = "dhw", "opq", "tuv"


@dataclass(frozen=True, eq=False)
class _Convolution(Layer):
    """What the convolutions have in common; ``space`` is the number of axes of the image."""

    filters: Any
    kernel_size: Any
    stride: Any = 1
    padding: Any = 0
    dilation: Any = 1
    groups: int = 1
    activation: Any = None
    bias: bool = True
    flip: bool = False
    name: str | None = None
    trainable: bool = True

    space: ClassVar[int] = 2
    symbolic: ClassVar[bool] = False
    pre: ClassVar[str | None] = "z"

    def __post_init__(self) -> None:
        kind = type(self).__name__
        object.__setattr__(self, "filters", dimension(self.filters, f"{kind}: filters"))
        for option, least in (("kernel_size", 1), ("stride", 1), ("dilation", 1)):
            object.__setattr__(self, option, each(getattr(self, option), self.space, f"{kind}: {option}", least))
        object.__setattr__(self, "padding", self._padding(kind))
        object.__setattr__(self, "groups", whole(self.groups, f"{kind}: groups", 1))
        object.__setattr__(self, "activation", function_of(self.activation))
        check_flags(self, "bias", "flip")
        if self.groups > 1 and (isinstance(self.filters, str) or self.filters % self.groups):
            said = f"{self.filters} filters cannot be split into {self.groups} groups"
            raise DeclarationError(f"{kind}: {said}; groups must divide filters and channels")

    def _padding(self, kind: str) -> tuple[int, ...]:
        if self.padding == "valid":
            return (0,) * self.space
        if self.padding == "same":
            reach = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size, strict=True)]
            if any(s != 1 for s in self.stride) or any(r % 2 for r in reach):
                raise DeclarationError(f"{kind}: padding 'same' needs stride 1 and a window of odd reach; give the padding as a number")
            return tuple(r // 2 for r in reach)
        return each(self.padding, self.space, f"{kind}: padding (a number, 'same' or 'valid')", 0)

    def axes(self, ranks: tuple[int, ...]) -> tuple[tuple[str, ...], ...]:
        return (("c", *names(_IMAGE, self.space)),)

    def windows(self) -> tuple[Windows, ...]:
        """Return the windows along each axis."""
        return tuple(map(Windows, self.kernel_size, self.stride, self.padding, self.dilation))

    def image(self, shapes: tuple[Shape, ...]) -> Shape:
        """Return the shape of the input: channels, then the axes of the image."""
        shape = one_input(self, shapes)
        if len(shape) != 1 + self.space:
            axes = ", ".join(("channels", "height", "width")[: 1 + self.space] if self.space == 2 else ("channels", "length"))
            raise ShapeError(f"takes inputs of shape ({axes}), got {written(shape)}")
        if self.groups > 1 and (isinstance(shape[0], str) or shape[0] % self.groups):
            raise ShapeError(f"{shape[0]} channels cannot be split into {self.groups} groups; groups must divide filters and channels")
        return shape


class _Forward(_Convolution):
    """Cross-correlation, or true convolution if ``flip`` is set."""

    def shapes(self, *shapes: Shape) -> Shapes:
        channels, *image = self.image(shapes)
        out = tuple(w.count(length) for w, length in zip(self.windows(), image, strict=True))
        depth: Dimension = channels if self.groups == 1 else int(channels) // self.groups
        fans = _fans(self.kernel_size, depth, self.filters, self.groups)
        function: ActivationSpec | None = self.activation
        weight = Parameter("W", (self.filters, depth, *self.kernel_size), function.initial if function else "glorot", *fans)
        return Shapes((self.filters, *out), (weight, Parameter("b", (self.filters,))) if self.bias else (weight,))

    def parameters(self, *inputs: Any) -> Any:
        (x,) = inputs
        channels = x.shape[1]
        depth = channels if self.groups == 1 else channels / self.groups
        kernel = tuple(map(alg.Index, names(_KERNEL, self.space), map(alg.sympy.Integer, self.kernel_size)))
        o = alg.Index("k", extent(self.filters))
        weight = alg.Tensor("W", (o, alg.Index("c", depth), *kernel), "parameter")
        return (weight, alg.Tensor("b", (o,), "parameter")) if self.bias else (weight,)

    def equations(self, *inputs: Any) -> Any:
        (x,) = inputs
        W, *b = self.parameters(x)
        n, _, *image = x.axes
        k, c, *kernel = W.axes
        count = self.shapes(tuple(map(plain, x.shape[1:]))).output[1:]
        out = tuple(map(alg.Index, names(_OUTPUT, self.space), map(extent, count)))
        guard, at = inside(self.windows(), out, kernel, image)
        taps = tuple(axis.extent - 1 - axis if self.flip else axis for axis in kernel)
        bias = b[0][k] if b else 0
        z = alg.Tensor("z", (n, k, *out))
        if self.groups == 1:
            total = alg.Sum(guard * W[(k, c, *taps)] * x[(n, c, *at)], c, *kernel)
            return (alg.Equation(z.own, total + bias), *activate(self.activation, z))
        # Channel by group and place within the group: then every index is affine, and the sums stay short.
        g, m = alg.Index("g", alg.sympy.Integer(self.groups)), alg.Index("m", k.extent / self.groups)
        u = alg.Tensor("u", (n, g, m, *out))
        total = alg.Sum(guard * W[(m.extent * g + m, c, *taps)] * x[(n, c.extent * g + c, *at)], c, *kernel)
        group = alg.Floor(k / m.extent)
        return (
            alg.Equation(u.own, total),
            alg.Equation(z.own, u[(n, group, k - m.extent * group, *out)] + bias),
            *activate(self.activation, z),
        )


class Conv2D(_Forward):
    """Cross-correlation of images, and an activation; with ``flip=True`` the true convolution of the lectures.

    z[n, k, p, q] = Σ_{c,u,v} W[k, c, u, v] x[n, c, s p + d u − P, s q + d v − P] + b[k], where what lies outside the image is 0

    Inputs are (batch, channels, height, width); W has the shape (filters, channels / groups, height, width) of the kernel.

    In PyTorch: ``torch.nn.Conv2d``.

    Args:
        filters: how many output channels.
        kernel_size: height and width of the kernel, or one number for both.
        stride: s, the step from one output to the next.
        padding: P, zeros around the image; "same" or "valid".
        dilation: d, the step within the kernel.
        groups: input and output channels are split into this many groups that do not see each other.
        activation: a name of the table or ``sbp.Activation(...)``.
        bias: whether b is there.
        flip: True reads the kernel backwards: true convolution.
        name: the layer's name.
        trainable: False keeps its parameters fixed.
    """


class Conv1D(_Forward):
    """Cross-correlation of sequences, and an activation: z[n, k, q] = Σ_{c,v} W[k, c, v] x[n, c, s q + d v − P] + b[k].

    Inputs are (batch, channels, length); the options are those of `Conv2D`.

    In PyTorch: ``torch.nn.Conv1d``.
    """

    space: ClassVar[int] = 1


class ConvTranspose2D(_Convolution):
    """The transpose of `Conv2D`: every input pixel paints the kernel into the output.

    z[n, k, p, q] = Σ_{c,h,w} W[c, k, p + P − s h, q + P − s w] x[n, c, h, w] + b[k], summed where W has such an entry

    W has the shape (channels, filters / groups, height, width). The options are those of `Conv2D`; the output is
    (size − 1)·stride − 2·padding + dilation·(kernel − 1) + 1 wide.

    In PyTorch: ``torch.nn.ConvTranspose2d`` without output padding.
    """

    def shapes(self, *shapes: Shape) -> Shapes:
        channels, *image = self.image(shapes)
        out = tuple(self._length(w, length) for w, length in zip(self.windows(), image, strict=True))
        depth: Dimension = self.filters if self.groups == 1 else int(self.filters) // self.groups
        function: ActivationSpec | None = self.activation
        fans = _fans(self.kernel_size, channels, depth, 1)
        weight = Parameter("W", (channels, depth, *self.kernel_size), function.initial if function else "glorot", *fans)
        return Shapes((self.filters, *out), (weight, Parameter("b", (self.filters,))) if self.bias else (weight,))

    def _length(self, w: Windows, length: Dimension) -> int:
        if isinstance(length, str):
            raise ShapeError(f"a transposed convolution needs a number for the size {length}")
        out = (length - 1) * w.stride - 2 * w.padding + w.dilation * (w.size - 1) + 1
        if out < 1:
            raise ShapeError(f"padding {w.padding} leaves nothing of an output of {out + 2 * w.padding}")
        return out

    def parameters(self, *inputs: Any) -> Any:
        (x,) = inputs
        kernel = tuple(map(alg.Index, names(_KERNEL, self.space), map(alg.sympy.Integer, self.kernel_size)))
        filters = extent(self.filters)
        weight = alg.Tensor("W", (x.axes[1], alg.Index("k", filters / self.groups), *kernel), "parameter")
        return (weight, alg.Tensor("b", (alg.Index("k", filters),), "parameter")) if self.bias else (weight,)

    def equations(self, *inputs: Any) -> Any:
        (x,) = inputs
        W, *b = self.parameters(x)
        n, c, *image = x.axes
        _, m, *kernel = W.axes
        count = self.shapes(tuple(map(plain, x.shape[1:]))).output[1:]
        out = tuple(map(alg.Index, names(_OUTPUT, self.space), map(extent, count)))
        k = alg.Index("k", extent(self.filters))
        guard, taps = alg.sympy.S.One, []
        for w, p, u, axis in zip(self.windows(), out, kernel, image, strict=True):
            # p = stride·h + dilation·u − padding: the place in the kernel that pixel h paints output p with, if there is one.
            reach = p + w.padding - w.stride * axis
            tap = alg.Floor(reach / w.dilation)
            guard = guard * alg.Divides(w.dilation, reach) * alg.InRange(tap, u.extent)
            taps.append(u.extent - 1 - tap if self.flip else tap)
        z, bias = alg.Tensor("z", (n, k, *out)), b[0][k] if b else 0
        if self.groups == 1:
            total = alg.Sum(guard * W[(c, k, *taps)] * x.own, c, *image)
            return (alg.Equation(z.own, total + bias), *activate(self.activation, z))
        depth = c.extent / self.groups
        g, j = alg.Index("g", alg.sympy.Integer(self.groups)), alg.Index("c", depth)
        u_ = alg.Tensor("u", (n, g, m, *out))
        total = alg.Sum(guard * W[(depth * g + j, m, *taps)] * x[(n, depth * g + j, *image)], j, *image)
        group = alg.Floor(k / m.extent)
        return (
            alg.Equation(u_.own, total),
            alg.Equation(z.own, u_[(n, group, k - m.extent * group, *out)] + bias),
            *activate(self.activation, z),
        )


def _fans(kernel: tuple[int, ...], depth: Dimension, filters: Dimension, groups: int) -> tuple[Dimension, Dimension]:
    """Return how many terms a sum has, forward and backward."""
    taps = 1
    for size in kernel:
        taps *= size
    if isinstance(depth, str) or isinstance(filters, str):
        return depth, filters
    return depth * taps, filters * taps // groups


__all__ = ["Conv1D", "Conv2D", "ConvTranspose2D"]
