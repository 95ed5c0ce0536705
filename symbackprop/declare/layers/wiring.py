"""Layers, the nodes that calling them makes, and the layers behind + and *."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, ClassVar, Self

from symbackprop import algebra as alg
from symbackprop.algebra.names import check_name
from symbackprop.algebra.suggest import suggestion
from symbackprop.declare.dimension import Dimension, Shape, dimension
from symbackprop.errors import DeclarationError, ShapeError


@dataclass(frozen=True)
class Parameter:
    """A parameter of a layer: its own name, shape and initializer."""

    name: str
    shape: Shape
    initial: str = "zeros"
    fan_in: Dimension = 1
    fan_out: Dimension = 1


@dataclass(frozen=True)
class Mask:
    """A random input of a layer in training: 0/1 entries, each 1 with probability ``keep``; the shape is without the batch."""

    name: str
    shape: Shape
    keep: float


@dataclass(frozen=True)
class Shapes:
    """What a layer makes of its inputs' shapes (without the batch axis); ``outputs`` are the named outputs, if it has such."""

    output: Shape
    parameters: tuple[Parameter, ...] = ()
    statistics: tuple[Parameter, ...] = ()
    masks: tuple[Mask, ...] = ()
    outputs: tuple[tuple[str, Shape], ...] = ()


class Layer:
    """A layer: equations in index notation, and nothing about derivatives, loops or text.

    An own layer is a subclass with two methods. Both take the layer's inputs as tensors whose first axis is the batch:
    ``parameters(self, *inputs)`` returns the parameter tensors, ``equations(self, *inputs)`` the equations in order; the left
    side of the last one is the output. ``facts(self, *inputs)`` may declare what is true of the inputs. A plain function will do
    instead of a class: see `layer`.

    A layer with several outputs names them: with ``outputs = ("mean", "scale")`` calling it returns a tuple of nodes in that order.

    ``equations`` hold in training and in inference. A built-in layer that does something else when it predicts has ``inference``
    too; what that reads besides inputs and parameters are running statistics, whose updates ``statistics`` returns.
    """

    name: str | None = None
    trainable: bool = True

    #: Options that are sizes, with the index that ranges over them: {"units": "i"}.
    size_options: ClassVar[dict[str, str]] = {}
    #: The tensor whose cotangent is the layer's error term.
    pre: ClassVar[str | None] = None
    #: Whether it is written out once for all sizes; else once for the sizes of each use.
    symbolic: ClassVar[bool] = True
    #: Whether it reads whole numbers: labels, tokens.
    integers: ClassVar[bool] = False
    #: Names of the left sides that are outputs; empty for the last one alone.
    outputs: tuple[str, ...] = ()

    def __new__(cls, *values: Any, **options: Any) -> Self:
        """Refuse options that a built-in layer does not have, by name."""
        if is_dataclass(cls):
            known = [f.name for f in fields(cls) if f.init]
            for option in options:
                if option not in known:
                    listed = ", ".join(known)
                    raise DeclarationError(f"{cls.__name__}: unknown option {option!r}{suggestion(option, known)} (it takes {listed})")
            if len(values) > len(known):
                raise DeclarationError(f"{cls.__name__} takes at most {len(known)} options, got {len(values)} ({', '.join(known)})")
        return super().__new__(cls)

    def __init__(self, name: str | None = None, trainable: bool = True) -> None:
        self.name = name
        self.trainable = trainable

    def parameters(self, *inputs: Any) -> Any:
        """Return the parameter tensors, in order."""
        return ()

    def equations(self, *inputs: Any) -> Any:
        """Return the equations, in order; the last one defines the output."""
        raise DeclarationError(f"{type(self).__name__} has no equations: define equations(self, *inputs)")

    def facts(self, *inputs: Any) -> Any:
        """Return what is true of the inputs, as pairs (left, right): ``[(Sum(x[n, i], i), 1)]``; derivations use it.

        Of an input of the network it says what every row sums to, and is tested on every call; of other tensors it is believed.
        """
        return ()

    def inference(self, *inputs: Any) -> Any:
        """Return the equations that predict; by default those of training."""
        return self.equations(*inputs)

    def statistics(self, *inputs: Any) -> Any:
        """Return an equation for each running statistic: ``running_mean_next`` in terms of ``running_mean`` (of role "state")."""
        return ()

    @classmethod
    def takes_integers(cls, position: int) -> bool:
        """Whether the input at a position, from 0, may hold whole numbers."""
        return cls.integers

    @classmethod
    def has_modes(cls) -> bool:
        """Whether inference differs from training."""
        return cls.inference is not Layer.inference

    def axes(self, ranks: tuple[int, ...]) -> tuple[tuple[str, ...], ...]:
        """Return the index names of each input's axes without the batch; axes of one name have one size."""
        return tuple(axis_names(rank) for rank in ranks)

    def __call__(self, *inputs: Any) -> Any:
        """Return the node of this layer applied to nodes; a tuple of nodes if it names its outputs.

        Raises:
            DeclarationError: an operand is no node, or ``outputs`` is no tuple of names.
        """
        given = inputs[0] if len(inputs) == 1 and isinstance(inputs[0], tuple | list) else inputs
        if not given:
            raise DeclarationError(f"{type(self).__name__} is called on nodes, for example {type(self).__name__}(...)(x)")
        for node in given:
            if not isinstance(node, Node):
                raise DeclarationError(
                    f"{type(self).__name__} is called on nodes such as sbp.Input(16), got {type(node).__name__}"
                    + ("; call the layer first" if isinstance(node, Layer) else "")
                )
        node, names = Node(self, tuple(given)), output_names(self)
        return tuple(Output(node, name) for name in names) if names else node

    def options(self) -> tuple[tuple[str, Any], ...]:
        """Return what a built-in layer was made with, without name and trainable."""
        if not is_dataclass(self):
            return ()
        return tuple((f.name, getattr(self, f.name)) for f in fields(self) if f.name not in ("name", "trainable"))


class Node:
    """A value in the graph: a layer applied to nodes. ``a + b`` and ``a * b`` work entry by entry."""

    __slots__ = ("inputs", "layer")

    layer: Layer | None
    inputs: tuple[Node, ...]

    #: NumPy and SymPy objects on the left leave + and * to this class.
    __array_ufunc__ = None

    def __init__(self, layer: Layer | None, inputs: tuple[Node, ...] = ()) -> None:
        self.layer = layer
        self.inputs = inputs

    def __add__(self, other: object) -> Node:
        return Node(Add(), (self, _operand(self, other, "+")))

    def __mul__(self, other: object) -> Node:
        return Node(Multiply(), (self, _operand(self, other, "*")))

    def __radd__(self, other: object) -> Node:
        return Node(Add(), (_operand(self, other, "+"), self))

    def __rmul__(self, other: object) -> Node:
        return Node(Multiply(), (_operand(self, other, "*"), self))

    def __repr__(self) -> str:
        kind = type(self.layer).__name__ if self.layer is not None else "Input"
        return f"<node of {kind}>"


class Output(Node):
    """One of the outputs of a layer that names them."""

    __slots__ = ("name",)

    def __init__(self, call: Node, name: str) -> None:
        super().__init__(None, (call,))
        self.name = name

    def __repr__(self) -> str:
        return f"<output {self.name} of {type(self.inputs[0].layer).__name__}>"


def output_names(layer: Layer) -> tuple[str, ...]:
    """Return the names that a layer gives its outputs, or () where the last left side is the only one.

    Raises:
        DeclarationError: they are no tuple of names, or one name comes twice.
    """
    kind, names = type(layer).__name__, layer.outputs
    if not isinstance(names, tuple | list):
        shown = f"the text {names[:40]!r}" if isinstance(names, str) else type(names).__name__
        way = f"; write ({names[:40]!r},)" if isinstance(names, str) else ""
        raise DeclarationError(f"{kind}: outputs is a tuple of names of left sides such as ('mean', 'scale'), got {shown}{way}")
    for place, name in enumerate(names):
        check_name(name, f"{kind}: output")
        if name in names[:place]:
            raise DeclarationError(f"{kind}: outputs names {name} twice; use the node twice instead")
    return tuple(names)


def _operand(node: Node, other: object, sign: str) -> Node:
    if not isinstance(other, Node):
        raise DeclarationError(f"{node!r} {sign} {type(other).__name__}: both sides must be nodes")
    return other


class Input(Node):
    """An input of a network.

    Args:
        shape: a size or a tuple of sizes, without the batch axis; a size may be a symbol such as ``"n_1"``.
        dtype: None for real numbers, "int64" for labels and tokens.
        name: the tensor's name; by default ``x``, or ``x_1``, ``x_2``, ... if there are several inputs.
    """

    __slots__ = ("dtype", "name", "shape")

    def __init__(self, shape: Any, dtype: str | None = None, name: str | None = None) -> None:
        super().__init__(None)
        sizes: Sequence[Any] = shape if isinstance(shape, tuple | list) else (shape,)
        if not sizes:
            raise DeclarationError("Input needs at least one axis besides the batch, for example Input(1)")
        self.shape: Shape = tuple(dimension(size, "Input") for size in sizes)
        if dtype not in (None, "int64"):
            raise DeclarationError(f"Input dtype must be None (real numbers) or 'int64', got {dtype!r}; the real type is chosen by compile")
        self.dtype = dtype
        self.name = None if name is None else check_name(name, "input")

    def __repr__(self) -> str:
        return f"Input({', '.join(map(str, self.shape))})"


def axis_names(rank: int) -> tuple[str, ...]:
    """Return the usual index names of a value's axes without the batch."""
    usual = {0: (), 1: ("i",), 2: ("t", "i"), 3: ("c", "h", "w")}
    return usual[rank] if rank in usual else tuple(f"i_{k}" for k in range(1, rank + 1))


def same_shape(layer: Layer, shapes: tuple[Shape, ...]) -> Shape:
    """Return the shape that all inputs have."""
    if len(shapes) < 2:
        raise DeclarationError(f"{type(layer).__name__} takes at least two inputs, got {len(shapes)}")
    if len(set(shapes)) > 1:
        raise ShapeError(f"needs inputs of one shape, got {', '.join(map(written, shapes))}")
    return shapes[0]


def one_output(layer: Layer, where: str) -> Layer:
    """Return a layer that stands in a row, where the next one reads its only output.

    Raises:
        DeclarationError: it names several.
    """
    if names := output_names(layer):
        listed = ", ".join(names)
        raise DeclarationError(f"{where}: {type(layer).__name__} names its outputs ({listed}), so wire it by hand: {listed} = layer(x)")
    return layer


def one_input(layer: Layer, shapes: tuple[Shape, ...]) -> Shape:
    """Return the shape of the only input."""
    if len(shapes) != 1:
        raise DeclarationError(f"{type(layer).__name__} takes one input, got {len(shapes)}")
    return shapes[0]


def written(shape: Shape) -> str:
    """Return a shape as text: ``(16,)``."""
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


@dataclass(frozen=True, eq=False)
class Add(Layer):
    """The sum of its inputs: a[n, i] = x_1[n, i] + x_2[n, i].

    In PyTorch: ``+``.
    """

    name: str | None = None

    def shapes(self, *shapes: Shape) -> Shapes:
        return Shapes(same_shape(self, shapes))

    def equations(self, *x: Any) -> Any:
        a = alg.Tensor("a", x[0].axes)
        return (alg.Equation(a.own, alg.sympy.Add(*(each.own for each in x))),)


@dataclass(frozen=True, eq=False)
class Multiply(Layer):
    """The product of its inputs, entry by entry: a[n, i] = x_1[n, i] x_2[n, i].

    In PyTorch: ``*``.
    """

    name: str | None = None

    def shapes(self, *shapes: Shape) -> Shapes:
        return Shapes(same_shape(self, shapes))

    def equations(self, *x: Any) -> Any:
        a = alg.Tensor("a", x[0].axes)
        return (alg.Equation(a.own, alg.sympy.Mul(*(each.own for each in x))),)


__all__ = [
    "Add",
    "Input",
    "Layer",
    "Mask",
    "Multiply",
    "Node",
    "Output",
    "Parameter",
    "Shapes",
    "axis_names",
    "one_input",
    "one_output",
    "output_names",
    "same_shape",
    "written",
]
