"""Recurrent layers: equations that read their own result of the step before. Inputs are (batch, time, features)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from symbackprop import algebra as alg
from symbackprop.declare.activations import ActivationSpec, activate
from symbackprop.declare.dimension import Shape, dimension, extent
from symbackprop.declare.layers.activation import function_of
from symbackprop.declare.layers.options import check_flags
from symbackprop.declare.layers.wiring import Layer, Parameter, Shapes, one_input, written
from symbackprop.errors import DeclarationError, ShapeError

_SIGMOID, _TANH = ActivationSpec("sigmoid"), ActivationSpec("tanh")


@dataclass(frozen=True, eq=False)
class _Recurrent(Layer):
    units: Any
    return_sequences: bool = False
    name: str | None = None
    trainable: bool = True

    symbolic: ClassVar[bool] = False
    #: How many gates are stacked in the weights.
    gates: ClassVar[int] = 1
    #: Names of the biases.
    biases: ClassVar[tuple[str, ...]] = ("b",)

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", dimension(self.units, f"{type(self).__name__}: units"))
        if isinstance(self.units, str):
            raise DeclarationError(f"{type(self).__name__}: units must be a number, got {self.units!r}")
        check_flags(self, "return_sequences")

    def axes(self, ranks: tuple[int, ...]) -> tuple[tuple[str, ...], ...]:
        return (("t", "j"),)

    def shapes(self, *shapes: Shape) -> Shapes:
        shape = one_input(self, shapes)
        if len(shape) != 2:
            raise ShapeError(f"takes inputs of shape (time, features), got {written(shape)}")
        rows = self.gates * self.units
        made = [
            Parameter("W_x", (rows, shape[1]), "glorot", shape[1], self.units),
            Parameter("W_h", (rows, self.units), "glorot", self.units, self.units),
            *(Parameter(name, (rows,)) for name in self.biases),
        ]
        return Shapes((shape[0], self.units) if self.return_sequences else (self.units,), tuple(made))

    def parameters(self, *inputs: Any) -> Any:
        (x,) = inputs
        r, k = alg.Index("r", alg.sympy.Integer(self.gates * self.units)), alg.Index("k", extent(self.units))
        made = [alg.Tensor("W_x", (r, x.axes[-1]), "parameter"), alg.Tensor("W_h", (r, k), "parameter")]
        return (*made, *(alg.Tensor(name, (r,), "parameter") for name in self.biases))

    def before(self, h: Any, t: Any, k: Any) -> Any:
        """Return the state of the step before: 0 at the beginning."""
        n = h.axes[0]
        return alg.InRange(t - 1, t.extent) * h[n, t - 1, k]

    def result(self, h: Any) -> tuple[Any, ...]:
        """Return the equation of the output: all states, or the last."""
        n, t, k = h.axes
        if self.return_sequences:
            return (alg.Equation(alg.Tensor("a", h.axes).own, h.own),)
        return (alg.Equation(alg.Tensor("a", (n, k)).own, h[n, t.extent - 1, k]),)

    def entering(self, x: Any, parameters: tuple[Any, ...], name: str) -> tuple[Any, Any]:
        """Return W_x x + b for every step, which no recurrence has to wait for, with its equation."""
        W_x, _, *b = parameters
        n, t, j = x.axes
        r = W_x.axes[0]
        u = alg.Tensor(name, (n, t, r))
        return u, alg.Equation(u.own, alg.Sum(W_x.own * x.own, j) + b[0][r])


@dataclass(frozen=True, eq=False)
class SimpleRNN(_Recurrent):
    """A recurrent layer: h[t] = tanh(W_h h[t − 1] + W_x x[t] + b), with h = 0 before the first step.

    In PyTorch: ``torch.nn.RNN(batch_first=True)`` with b for the sum of its two biases.

    Args:
        units: the size of the state.
        return_sequences: True gives all states (batch, time, units), False the last one.
        name: the layer's name.
        trainable: False keeps its parameters fixed.
        activation: instead of tanh.
    """

    activation: Any = "tanh"

    pre: ClassVar[str | None] = "z"

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "activation", function_of(self.activation))

    def equations(self, *inputs: Any) -> Any:
        (x,) = inputs
        parameters = self.parameters(x)
        W_h = parameters[1]
        u, enters = self.entering(x, parameters, "u")
        n, t, _ = u.axes
        k = W_h.axes[1]
        i = alg.Index("i", k.extent)
        z = alg.Tensor("z", (n, t, i))
        (*inner, last) = activate(self.activation, z) or (None,)
        h = alg.Tensor("h", z.axes)
        own = z.own if last is None else last.rhs
        loop = alg.Sum(W_h[i, k] * self.before(h, t, k), k) + u[n, t, i]
        return (enters, alg.Equation(z.own, loop), *inner, alg.Equation(h.own, own), *self.result(h))


@dataclass(frozen=True, eq=False)
class LSTM(_Recurrent):
    """Long short-term memory: gates i, f, g, o stacked in the rows of W_x, W_h and b.

    z[t] = W_h h[t − 1] + W_x x[t] + b;  i, f, o = σ(z_i), σ(z_f), σ(z_o), g = tanh(z_g);
    c[t] = f c[t − 1] + i g;  h[t] = o tanh(c[t]);  c = h = 0 before the first step

    In PyTorch: ``torch.nn.LSTM(batch_first=True)`` with b for the sum of its two biases.

    Args:
        units: the size of the state.
        return_sequences: True gives all states (batch, time, units), False the last one.
        name: the layer's name.
        trainable: False keeps its parameters fixed.
    """

    gates: ClassVar[int] = 4
    pre: ClassVar[str | None] = "z"

    def equations(self, *inputs: Any) -> Any:
        (x,) = inputs
        parameters = self.parameters(x)
        W_h = parameters[1]
        u, enters = self.entering(x, parameters, "u")
        n, t, r = u.axes
        j = W_h.axes[1]
        k = alg.Index("k", j.extent)
        z = alg.Tensor("z", u.axes)
        i, f, g, o, c, m, h = (alg.Tensor(name, (n, t, k)) for name in ("i", "f", "g", "o", "c", "m", "h"))
        size = k.extent

        def gate(tensor: Any, number: int, function: ActivationSpec) -> Any:
            return alg.Equation(tensor.own, function.apply(z[n, t, number * size + k]))

        return (
            enters,
            alg.Equation(z.own, alg.Sum(W_h[r, j] * self.before(h, t, j), j) + u.own),
            gate(i, 0, _SIGMOID),
            gate(f, 1, _SIGMOID),
            gate(g, 2, _TANH),
            gate(o, 3, _SIGMOID),
            alg.Equation(c.own, f.own * self.before(c, t, k) + i.own * g.own),
            alg.Equation(m.own, _TANH.apply(c.own)),
            alg.Equation(h.own, o.own * m.own),
            *self.result(h),
        )


@dataclass(frozen=True, eq=False)
class GRU(_Recurrent):
    """A gated recurrent unit: gates r, z, n stacked in the rows of W_x, W_h, b_x and b_h.

    p[t] = W_x x[t] + b_x, q[t] = W_h h[t − 1] + b_h;  r = σ(p_r + q_r), z = σ(p_z + q_z), n = tanh(p_n + r q_n);
    h[t] = (1 − z) n + z h[t − 1], with h = 0 before the first step

    In PyTorch: ``torch.nn.GRU(batch_first=True)``.

    Args:
        units: the size of the state.
        return_sequences: True gives all states (batch, time, units), False the last one.
        name: the layer's name.
        trainable: False keeps its parameters fixed.
    """

    gates: ClassVar[int] = 3
    biases: ClassVar[tuple[str, ...]] = ("b_x", "b_h")

    def equations(self, *inputs: Any) -> Any:
        (x,) = inputs
        parameters = self.parameters(x)
        _, W_h, _, b_h = parameters
        p, enters = self.entering(x, parameters, "p")
        n, t, r = p.axes
        j = W_h.axes[1]
        k = alg.Index("k", j.extent)
        q = alg.Tensor("q", p.axes)
        reset, update, g, h = (alg.Tensor(name, (n, t, k)) for name in ("r", "u", "g", "h"))
        size = k.extent

        def both(number: int) -> Any:
            return p[n, t, number * size + k] + q[n, t, number * size + k]

        return (
            enters,
            alg.Equation(q.own, alg.Sum(W_h[r, j] * self.before(h, t, j), j) + b_h[r]),
            alg.Equation(reset.own, _SIGMOID.apply(both(0))),
            alg.Equation(update.own, _SIGMOID.apply(both(1))),
            alg.Equation(g.own, _TANH.apply(p[n, t, 2 * size + k] + reset.own * q[n, t, 2 * size + k])),
            alg.Equation(h.own, (1 - update.own) * g.own + update.own * self.before(h, t, k)),
            *self.result(h),
        )


__all__ = ["GRU", "LSTM", "SimpleRNN"]
