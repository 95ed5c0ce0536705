"""The names of one kernel, and its expressions as text: tensors lie in flat buffers, at offsets that are arguments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import sympy
from sympy import Expr

from symbackprop.algebra.nodes import Abs, Expm1, Log1p, Sigmoid, Sign, Softplus
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.declare.dimension import BATCH
from symbackprop.emit.frame import Frame
from symbackprop.emit.scalar import ScalarPrinter
from symbackprop.plan.records import Finite

#: What a function is called on the device; those without a module lie in the runtime file.
FUNCTIONS: dict[type, str] = {
    sympy.exp: "math.exp",
    sympy.log: "math.log",
    sympy.sin: "math.sin",
    sympy.cos: "math.cos",
    sympy.tan: "math.tan",
    sympy.asin: "math.asin",
    sympy.acos: "math.acos",
    sympy.atan: "math.atan",
    sympy.sinh: "math.sinh",
    sympy.cosh: "math.cosh",
    sympy.tanh: "math.tanh",
    sympy.asinh: "math.asinh",
    sympy.acosh: "math.acosh",
    sympy.atanh: "math.atanh",
    sympy.erf: "math.erf",
    sympy.erfc: "math.erfc",
    Expm1: "math.expm1",
    Log1p: "math.log1p",
    Abs: "abs",
    sympy.Abs: "abs",
    Sign: "sign",
    sympy.sign: "sign",
    Sigmoid: "sigmoid",
    Softplus: "softplus",
}


class DevicePrinter(ScalarPrinter):
    """Prints expressions for the device: every real literal is of the buffers' type, and divisions of indices are those of int32."""

    functions = FUNCTIONS
    runtime: Mapping[str, str] = {"math.tanh softplus": "tanh_softplus"}
    root = "math.sqrt"
    floor = "math.floor"
    infinity = "math.inf"

    #: The type of real numbers.
    type_name = "real"

    def literal(self, value: float) -> str:
        """Return a real number; without its type it would be computed in float64."""
        if value != value:
            return self._cast("math.nan")
        if value in (float("inf"), float("-inf")):
            return self._cast("math.inf" if value > 0 else "-math.inf")
        return self._cast(repr(float(value)))

    def _real(self, e: Expr) -> tuple[str, int]:
        if isinstance(e, Finite):
            return f"{self._cast('1.0')} if math.isfinite({self.real(e.args[0])}) else {self._cast('0.0')}", 0
        return super()._real(e)

    def _cast(self, text: str) -> str:
        return f"{self.type_name}({text})"

    def _quotient(self, number: str, bottom: list[Expr]) -> str:
        return number

    def _whole(self, e: Expr) -> tuple[str, int]:
        text, level = super()._whole(e)
        if isinstance(e, Access):
            # Labels and tokens are 64 bits wide in memory.
            return f"int32({text})", level
        return text, level

    def _extreme(self, e: Expr, words: Sequence[str]) -> str:
        # A compiler without a driver does not know min and max.
        sign = ">" if isinstance(e, sympy.Max) else "<"
        text, *others = (f"int32({word})" if word.lstrip("-").isdigit() else word for word in words)
        for other in others:
            text = f"({text} if {text} {sign} {other} else {other})"
        return text

    def _beside_real(self, text: str) -> str:
        # Numba would compare a float32 with an integer in float64.
        return self._cast(text)

    def _divisor(self, e: Expr, level: int) -> str:
        return f"int32({e})" if e.is_Integer else self._whole_at(e, level)


class DeviceFrame(Frame):
    """The names of a kernel of the device.

    Args:
        tensors: its arguments; extents are numbers or the number of samples.
        buffers: the buffer of each.
        reserved: names that are taken.
        single: whether real numbers are float32.
        offsets: where tensors begin in their buffers, as text, "" at 0; None for an argument for each that lies in one of `FLAT`.
        type_name: of real numbers.
    """

    def __init__(
        self,
        tensors: Sequence[Tensor],
        buffers: Sequence[str],
        reserved: Iterable[str],
        *,
        single: bool,
        offsets: Mapping[str, str] | None = None,
        type_name: str = "real",
    ) -> None:
        super().__init__((), (), reserved, single=single)
        printer = self.printer = DevicePrinter(self.symbol, self.access, single=single)
        printer.type_name = self.type_name = type_name
        self.samples = self.names.of("samples", BATCH)
        self.buffer: dict[str, str] = {}
        self.offset: dict[str, str] = {}
        for name in dict.fromkeys(buffers):
            self.names.of(("buffer", name), name)
        for t, name in zip(tensors, buffers, strict=True):
            self.buffer[t.name] = self.names.of(("buffer", name), name)
            if offsets is not None:
                self.offset.update({t.name: offsets[t.name]} if offsets.get(t.name) else {})
            elif name in FLAT:
                self.offset[t.name] = self.names.of(("tensor", t.name), t.name.replace(".", "_"))

    @property
    def signature(self) -> tuple[str, ...]:
        """Buffers, offsets and the number of samples, in the order of the kernel's arguments."""
        return (*dict.fromkeys(self.buffer.values()), *self.offset.values(), self.samples)

    def symbol(self, e: Expr) -> str:
        if isinstance(e, sympy.Symbol) and str(e) == BATCH:
            return self.samples
        return super().symbol(e)

    def bound(self, e: Expr) -> str:
        """Return the text of the end of a loop: of type int32, so that the index is."""
        return f"int32({e})" if e.is_Integer else self.printer.whole(e)

    def access(self, a: Access, parts: tuple[str, ...]) -> str:
        return f"{self.buffer[a.tensor.name]}[{self.place(a.tensor, parts)}]"

    def place(self, t: Tensor, parts: Sequence[str]) -> str:
        """Return the text of where an entry lies in its buffer."""
        words = [self.offset[t.name]] if t.name in self.offset else []
        for axis, part in enumerate(parts):
            if part == "0":
                continue
            stride, symbols = sympy.Mul(*t.shape[axis + 1 :]).as_coeff_Mul()
            factors = [*([str(stride)] if stride != 1 else []), *([self.extent_text(symbols)] if symbols != 1 else [])]
            text = part if part.replace("_", "").isalnum() or not factors or part.startswith("int32(") else f"({part})"
            words.append(" * ".join([text, *factors]))
        return " + ".join(words) or "0"

    def extent_text(self, e: Expr) -> str:
        """Return the text of an extent."""
        return str(int(e)) if e.is_Integer else self.printer.whole(e)


#: Buffers that hold many tensors.
FLAT = ("params", "grads", "work", "v", "hv")


__all__ = ["FLAT", "FUNCTIONS", "DeviceFrame", "DevicePrinter"]
