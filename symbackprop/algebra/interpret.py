"""What an equation means: a direct evaluation in NumPy, without any code generation.

Works in float64, in complex128 (for complex-step differentiation: every branch is chosen by the real part) and in any
precision (object arrays of mpmath numbers). It evaluates whole index grids, so it is the reference, not the engine.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import mpmath
import numpy as np
import numpy.typing as npt
import sympy
from sympy import Expr

from symbackprop.algebra import nodes
from symbackprop.algebra.equation import Equation, System
from symbackprop.algebra.index import Index
from symbackprop.algebra.recurrence import Recurrence, strands
from symbackprop.algebra.tensor import Access, Tensor, depth
from symbackprop.errors import DataError, DerivationError, ShapeError

Array = npt.NDArray[Any]


def _erf(x: Any) -> Any:
    return importlib.import_module("scipy.special").erf(x)  # not at the start: to load it takes as long as to derive a network


def _erfc(x: Any) -> Any:
    return importlib.import_module("scipy.special").erfc(x)


_NUMERIC: dict[type, Callable[[Any], Any]] = {
    sympy.exp: np.exp,
    sympy.log: np.log,
    sympy.sin: np.sin,
    sympy.cos: np.cos,
    sympy.tan: np.tan,
    sympy.asin: np.arcsin,
    sympy.acos: np.arccos,
    sympy.atan: np.arctan,
    sympy.sinh: np.sinh,
    sympy.cosh: np.cosh,
    sympy.tanh: np.tanh,
    sympy.asinh: np.arcsinh,
    sympy.acosh: np.arccosh,
    sympy.atanh: np.arctanh,
    sympy.erf: _erf,
    sympy.erfc: _erfc,
    nodes.Expm1: np.expm1,
    nodes.Log1p: np.log1p,
}

_PRECISE: dict[type, Callable[[Any], Any]] = {
    kind: np.frompyfunc(getattr(mpmath, kind.__name__.lower()), 1, 1) for kind in _NUMERIC if kind is not nodes.Log1p
} | {nodes.Log1p: np.frompyfunc(mpmath.log1p, 1, 1)}


def interpret(system: System, values: Mapping[str, Any], *, want: Iterable[str] | None = None, dtype: Any = None) -> dict[str, Array]:
    """Evaluate every equation of a system in order.

    Args:
        system: what to evaluate.
        values: an array (or nested list) for each free tensor, by name; further entries are ignored.
        want: names to compute; None computes all. Equations that these do not need are skipped.
        dtype: the type to compute in: None is float64, or complex128 if a value is complex; ``object`` for mpmath numbers.

    Returns:
        All values by name: those given, as arrays, and those computed.

    Raises:
        DataError: a value is missing or cannot be used.
        ShapeError: a value's shape does not fit.
    """
    needed = _needed(system, want)
    given = {name: values[name] for name in system.tensors if name in values and name not in set(system.defined)}
    missing = [name for name in system.free if name not in given and any(name in {t.name for t in e.reads} for e in needed)]
    if missing:
        raise DataError(f"no value is given for {', '.join(missing)}")
    if dtype is None:
        dtype = np.complex128 if any(np.iscomplexobj(v) for v in given.values()) else np.float64
    env = {name: as_array(system.tensors[name], value, dtype) for name, value in given.items()}
    sizes = solve_sizes({name: system.tensors[name] for name in env}, env)
    for strand in strands(needed):
        if isinstance(strand, Recurrence):
            env.update(evaluate_recurrence(strand, env, sizes, dtype))
        else:
            env[strand.tensor.name] = evaluate_equation(strand, env, sizes, dtype)
    return env


def _needed(system: System, want: Iterable[str] | None) -> list[Equation]:
    if want is None:
        return list(system.equations)
    open_names = set(want)
    unknown = sorted(open_names - set(system.tensors))
    if unknown:
        raise DataError(f"{', '.join(unknown)} is no tensor of this system; it has {', '.join(system.tensors)}")
    before = -1
    while before < len(open_names):
        # Once, unless a recurrence reads what is defined further down.
        before = len(open_names)
        for e in reversed(system.equations):
            if e.tensor.name in open_names:
                open_names.update(t.name for t in e.reads)
    return [e for e in system.equations if e.tensor.name in open_names]


def as_array(tensor: Tensor, value: Any, dtype: Any) -> Array:
    """Return a value as an array of the tensor's rank; integer tensors become int64, others ``dtype``."""
    try:
        array = np.asarray(value)
        if tensor.integer:
            exact = array.astype(np.int64)
            if array.dtype == object or not np.array_equal(exact, np.real(array)):
                raise DataError(f"{tensor.name} holds integers, got {array.dtype} with fractions")
            array = exact
        elif dtype is object:
            array = _to_precise(array)
        else:
            array = array.astype(dtype)
    except (TypeError, ValueError) as error:
        raise DataError(f"{tensor.name}: the value cannot be read as an array of numbers") from error
    if array.ndim != tensor.rank:
        raise ShapeError(f"{tensor.name} has {tensor.rank} axes {tuple(map(str, tensor.shape))}, got an array of shape {array.shape}")
    return array


def _to_precise(array: Array) -> Array:
    if array.dtype == object:
        return array
    out = np.empty(array.shape, dtype=object)
    for position in np.ndindex(array.shape):
        item = array[position]
        out[position] = mpmath.mpc(item) if np.iscomplexobj(array) else mpmath.mpf(float(item))
    return out


def solve_sizes(tensors: Mapping[str, Tensor], values: Mapping[str, Array]) -> dict[Expr, Expr]:
    """Return the value of each symbolic size, from the shapes of arrays.

    Raises:
        ShapeError: a size has two values, or a shape differs from the declared one.
    """
    sizes: dict[Expr, Expr] = {}
    origin: dict[Expr, str] = {}
    pending = [(name, axis, extent) for name, t in tensors.items() for axis, extent in enumerate(t.shape)]
    for name, axis, extent in sorted(pending, key=lambda item: not item[2].is_Symbol):
        length = values[name].shape[axis]
        if extent.is_Symbol and extent not in sizes:
            sizes[extent], origin[extent] = sympy.Integer(length), name
            continue
        expected = extent.xreplace(sizes)
        if expected.is_Integer and int(expected) != length:
            source = f" (as in {origin[extent]})" if extent in origin else ""
            raise ShapeError(f"{name}: axis {axis} should have length {expected}{source}, the value has shape {values[name].shape}")
    return sizes


def evaluate_equation(equation: Equation, values: Mapping[str, Array], sizes: Mapping[Expr, Expr], dtype: Any = np.float64) -> Array:
    """Return the array that an equation defines."""
    order: tuple[Index, ...] = equation.lhs.index
    shape = tuple(_extent(i, sizes) for i in order)
    if dtype is not object:
        # Only what is read: whether a value is of high precision is asked of all that are handed on.
        values = {t.name: values[t.name] for t in equation.reads}
    with np.errstate(all="ignore"):
        result = evaluate(equation.rhs, values, sizes, order)
    if dtype is not object and np.iscomplexobj(result) and dtype is not np.complex128:
        dtype = np.complex128
    return np.array(np.broadcast_to(result, shape), dtype=dtype)


def evaluate_recurrence(
    recurrence: Recurrence[Equation], values: Mapping[str, Array], sizes: Mapping[Expr, Expr], dtype: Any = np.float64
) -> dict[str, Array]:
    """Return the arrays that a recurrence defines, computed step by step."""
    made = {}
    if dtype is not object and any(np.iscomplexobj(values[t.name]) for e in recurrence.equations for t in e.reads if t.name in values):
        dtype = np.complex128
    for e in recurrence.equations:
        made[e.tensor.name] = np.zeros(tuple(_extent(i, sizes) for i in e.lhs.index), dtype=dtype)
    steps = range(_extent(recurrence.index(0), sizes))
    for t in reversed(steps) if recurrence.descending else steps:
        for number, (e, place) in enumerate(zip(recurrence.equations, recurrence.places, strict=True)):
            order = tuple(i for k, i in enumerate(e.lhs.index) if k != place)
            rhs = _at(e.rhs, recurrence.index(number), t)
            env = {read.name: made.get(read.name, values.get(read.name)) for read in e.reads}
            with np.errstate(all="ignore"):
                result = evaluate(rhs, {name: array for name, array in env.items() if array is not None}, sizes, order)
            array = made[e.tensor.name]
            where = (slice(None),) * place + (t,)
            array[where] = np.broadcast_to(result, array[where].shape)
    return made


_NUMBERS = (sympy.Number, sympy.NumberSymbol)


@lru_cache(maxsize=4096)
def _at(rhs: Expr, index: Index, position: int) -> Expr:
    """Return an expression at one position of an index."""
    return rhs.xreplace({index: sympy.Integer(position)})


def evaluate(expr: Expr, values: Mapping[str, Array], sizes: Mapping[Expr, Expr], order: Sequence[Index] = ()) -> Array:
    """Return an expression's values over the grid of ``order``: broadcastable to one axis per index.

    A product with a guard is a selection: where the guard is 0 the product is 0, and nothing is read out of range.
    """
    made: Array = _Grid(values, sizes, tuple(order)).visit(expr, None)
    return made


def _extent(index: Index, sizes: Mapping[Expr, Expr]) -> int:
    extent = index.extent
    value = extent if extent.is_Integer else sizes[extent] if extent in sizes else extent.xreplace(dict(sizes))
    if not value.is_Integer:
        raise ShapeError(f"size {value} of index {index} has no value; give an array that fixes it")
    return int(value)


@lru_cache(maxsize=4096)
def _rounded(e: Expr) -> int | float:
    return int(e) if e.is_Integer and abs(e) < 2**53 else float(e)


class _Grid:
    """Evaluation over a growing list of grid axes; a bound index opens a new last axis while its body is evaluated."""

    def __init__(
        self, values: Mapping[str, Array], sizes: Mapping[Expr, Expr], order: tuple[Index, ...], outer: _Grid | None = None
    ) -> None:
        self.values, self.sizes, self.order = values, sizes, order
        known = () if outer is None else outer.lengths
        self.lengths: tuple[int, ...] = known + tuple(_extent(i, sizes) for i in order[len(known) :])
        self.axis = {index: k for k, index in enumerate(order)}
        self.precise: bool = any(v.dtype == object for v in values.values()) if outer is None else outer.precise

    def inside(self, bound: tuple[Index, ...]) -> _Grid:
        return _Grid(self.values, self.sizes, self.order + bound, self)

    def visit(self, e: Any, mask: Array | None) -> Any:
        if isinstance(e, Access):
            return self.access(e, mask)
        if isinstance(e, Index):
            if e not in self.axis:
                raise DerivationError(f"index {e} is not bound here")
            shape = [1] * len(self.order)
            shape[self.axis[e]] = -1
            return np.arange(_extent(e, self.sizes)).reshape(shape)
        if isinstance(e, _NUMBERS):
            return self.number(e)
        if isinstance(e, sympy.Symbol):
            if e in self.sizes:
                return int(self.sizes[e])
            raise ShapeError(f"size {e} has no value; give an array that fixes it")
        if isinstance(e, sympy.Add):
            total = self.visit(e.args[0], mask)
            for arg in e.args[1:]:
                total = total + self.visit(arg, mask)
            return total
        if isinstance(e, sympy.Mul):
            return self.product(e, mask)
        if isinstance(e, sympy.Pow):
            return self.power(e, mask)
        if isinstance(e, nodes.Guard):
            return self.guard(e, mask).astype(np.int64)
        if isinstance(e, nodes.Reduction):
            return self.reduction(e, mask)
        if isinstance(e, nodes.ArgMax):
            return self.argmax(e, mask)
        if isinstance(e, nodes.Unspecified):
            raise DataError(
                f"the function {e.label} has no expression, so nothing can be computed with it; "
                f"give one with Activation({e.label!r}, expression)"
            )
        return self.function(e, mask)

    def number(self, e: Any) -> Any:
        if self.precise:
            if e.is_Integer:
                return int(e)
            if e.is_Rational:
                return mpmath.mpf(int(e.p)) / int(e.q)
            return mpmath.mpf(str(e.evalf(mpmath.mp.dps + 5)))
        return _rounded(e)

    def access(self, e: Access, mask: Array | None) -> Any:
        array = self.values[e.tensor.name]
        parts = e.index
        if not parts:
            return array
        if e.plain and len(set(parts)) == len(parts) and all(p in self.axis for p in parts) and self.fits(array, parts):
            order = sorted(range(len(parts)), key=lambda k: self.axis[parts[k]])
            shape = [1] * len(self.order)
            for k in order:
                shape[self.axis[parts[k]]] = array.shape[k]
            return array.transpose(order).reshape(shape)
        positions = []
        for k, part in enumerate(parts):
            where = np.asarray(self.visit(part, mask))
            if where.dtype.kind != "i":
                where = np.rint(where.astype(np.float64)).astype(np.int64)
            outside = (where < 0) | (where >= array.shape[k])
            if outside.any():
                if mask is None or (np.broadcast_arrays(outside, mask)[0] & mask).any():
                    raise ShapeError(f"{e}: index {part} leaves the range 0..{array.shape[k] - 1} where no guard excludes it")
                where = np.clip(where, 0, array.shape[k] - 1)
            positions.append(where)
        return array[tuple(np.broadcast_arrays(*positions))]

    def fits(self, array: Array, parts: tuple[Any, ...]) -> bool:
        return all(array.shape[k] == _extent(part, self.sizes) for k, part in enumerate(parts))

    def product(self, e: sympy.Mul, mask: Array | None) -> Any:
        on = self.holds([f for f in e.args if isinstance(f, nodes.Guard)], mask)
        chosen = on if mask is None else mask if on is None else mask & on
        result: Any = 1
        for factor in e.args:
            if not isinstance(factor, nodes.Guard):
                result = result * self.visit(factor, chosen)
        return result if on is None else np.where(on, result, 0)

    def holds(self, guards: Sequence[Expr], mask: Array | None) -> Any:
        """Return where all guards hold, None for no guards; an address is tested before it is read."""
        on: Any = None
        chosen = mask
        for g in sorted(guards, key=depth) if len(guards) > 1 else guards:
            here = self.guard(g, chosen)
            on = here if on is None else on & here
            chosen = here if chosen is None else chosen & here
        return on

    def power(self, e: sympy.Pow, mask: Array | None) -> Any:
        base, exponent = self.visit(e.base, mask), e.exp
        if exponent == sympy.Rational(1, 2):
            return self.root(base)
        if exponent == sympy.Rational(-1, 2):
            return 1 / self.root(base)
        if exponent.is_Integer and exponent < 0:
            if self.precise:
                # Integers stay integers for the sake of indices; their reciprocals must not be rounded to float64.
                below = np.asarray(base, dtype=object)
                if mask is not None:
                    # Where a guard leaves it out, a zero below would raise instead of giving infinity.
                    below = np.where(np.broadcast_arrays(mask, below)[0], below, 1)
                return mpmath.mpf(1) / below ** int(-exponent)
            whole = np.asarray(base)
            return 1 / (whole.astype(np.float64) if whole.dtype.kind == "i" else whole) ** int(-exponent)
        if exponent.is_Integer:
            return base ** int(exponent)
        return base ** self.visit(exponent, mask)

    def root(self, base: Any) -> Any:
        return np.frompyfunc(mpmath.sqrt, 1, 1)(base) if self.precise else np.sqrt(base)

    def guard(self, g: nodes.Guard, mask: Array | None) -> Array:
        if isinstance(g, nodes.InRange):
            where = self.visit(g.args[0], mask)
            return np.asarray((where >= 0) & (where < self.visit(g.args[1], mask)))
        if isinstance(g, nodes.Divides):
            return np.asarray(np.asarray(self.visit(g.args[1], mask)) % self.visit(g.args[0], mask) == 0)
        condition = g.condition
        left, right = (_real(self.visit(side, mask)) for side in condition.args)
        if isinstance(condition, sympy.StrictGreaterThan):
            return ~_boolean(left <= right)
        if isinstance(condition, sympy.GreaterThan):
            return _boolean(left >= right)
        return _boolean(left == right) if isinstance(condition, sympy.Eq) else _boolean(left != right)

    def reduction(self, e: nodes.Reduction, mask: Array | None) -> Any:
        inner = self.inside(e.bound)
        axes = tuple(range(len(self.order), len(inner.order)))
        if isinstance(e, nodes.Sum) and mask is None and not self.precise:
            quick = inner.contraction(e.body, len(self.order))
            if quick is not None:
                return quick
        shape = (1,) * len(self.order) + inner.lengths[len(self.order) :]
        if mask is not None:
            mask = mask.reshape(mask.shape + (1,) * len(axes)) if mask.ndim else mask
        body = e.body
        if isinstance(e, nodes.Max):
            on = inner.holds([f for f in sympy.Mul.make_args(body) if isinstance(f, nodes.Guard)], mask)
            values = inner.visit(body, mask)
            values = values if on is None else np.where(on, values, -np.inf)
            values = inner.spread(values, shape)
            flat = values.reshape(*values.shape[: len(self.order)], -1)
            best = np.argmax(_real(flat), axis=-1)
            return np.take_along_axis(flat, best[..., None], axis=-1)[..., 0]
        values = inner.spread(inner.visit(body, mask), shape)
        if isinstance(e, nodes.LogSumExp):
            top = np.max(_real(values), axis=axes, keepdims=True)
            top = np.where(_boolean(abs(top) == np.inf), 0, top) if not self.precise else top
            table = _PRECISE if self.precise else _NUMERIC
            total = table[sympy.log](table[sympy.exp](values - top).sum(axis=axes))
            return total + top.reshape(total.shape)
        return values.sum(axis=axes)

    def spread(self, values: Any, shape: tuple[int, ...]) -> Array:
        values = np.asarray(values)
        if values.ndim == 0:
            values = values.reshape((1,) * len(self.order))
        return np.broadcast_to(values, np.broadcast_shapes(values.shape, shape))

    def contraction(self, body: Expr, kept: int) -> Array | None:
        """Return a plain product of accesses summed over the last axes by einsum, or None where it is no such thing."""
        factors = sympy.Mul.make_args(body)
        accesses = [f for f in factors if isinstance(f, Access)]
        numbers = [f for f in factors if not isinstance(f, Access)]
        if not accesses or any(not f.is_Number for f in numbers):
            return None
        operands: list[Any] = []
        seen: set[Any] = set()
        for a in accesses:
            array = self.values[a.tensor.name]
            simple = a.plain and len(set(a.index)) == a.tensor.rank and all(p in self.axis for p in a.index)
            if not simple or not self.fits(array, a.index):
                return None
            operands += [array, [self.axis[p] for p in a.index]]
            seen |= set(a.index)
        if not set(self.order[kept:]) <= seen or len(self.order) > 50:
            return None
        out = [k for k in range(kept) if self.order[k] in seen]
        result = np.einsum(*operands, out, optimize=len(accesses) > 1)
        shape = [self.lengths[k] if k in out else 1 for k in range(kept)]
        scale = 1
        for f in numbers:
            scale = scale * self.number(f)
        return np.asarray(result).reshape(shape) * scale

    def argmax(self, e: nodes.ArgMax, mask: Array | None) -> Array:
        inner = self.inside(e.bound)
        if mask is not None and mask.ndim:
            mask = mask.reshape(mask.shape + (1,) * len(e.bound))
        on = inner.holds([f for f in sympy.Mul.make_args(e.body) if isinstance(f, nodes.Guard)], mask)
        values = inner.visit(e.body, mask)
        values = values if on is None else np.where(on, values, -np.inf)
        lengths = inner.lengths[len(self.order) :]
        values = _real(inner.spread(values, (1,) * len(self.order) + lengths))
        flat = np.argmax(values.reshape(*values.shape[: len(self.order)], -1), axis=-1)
        wanted = np.broadcast_to(inner.visit(e.wanted, None), (1,) * len(self.order) + lengths)
        return np.asarray(wanted.reshape(-1)[flat])

    def function(self, e: Any, mask: Array | None) -> Any:
        kind = type(e)
        if kind is nodes.Floor and e.args[0].is_rational:
            # Exact: k/49 times 49 is not always k in floating point.
            above, below = sympy.fraction(sympy.together(e.args[0]))
            if below.is_integer and above.is_integer:
                return np.floor_divide(self.visit(above, mask), self.visit(below, mask))
        args = [self.visit(a, mask) for a in e.args]
        u: Any = args[0] if args else None
        table = _PRECISE if self.precise else _NUMERIC
        if kind in table:
            if not self.precise and not np.iscomplexobj(u):
                u = np.asarray(u, dtype=np.float64)
            return table[kind](u)
        exp, log1p = table[sympy.exp], table[nodes.Log1p]
        if kind is nodes.Abs:
            return np.where(_boolean(_real(u) >= 0), u, -u) if not _has_nan(u) else u * np.sign(_real(u))
        if kind is nodes.Sign:
            return np.sign(_real(u)) if not self.precise else np.frompyfunc(mpmath.sign, 1, 1)(_real(u))
        if kind is nodes.Floor:
            return np.floor(np.asarray(_real(u), dtype=np.float64)).astype(np.int64 if e.args[0].is_rational else np.float64)
        if kind is nodes.Sigmoid:
            up = ~_boolean(_real(u) <= 0)
            small = exp(np.where(up, -u, u))
            return np.where(up, 1 / (1 + small), small / (1 + small))
        if kind is nodes.Softplus:
            up = ~_boolean(_real(u) <= 0)
            return np.where(up, u, 0) + log1p(exp(np.where(up, -u, u)))
        raise DerivationError(f"the interpreter has no meaning for {kind.__name__} in {e}")


def _real(value: Any) -> Any:
    value = np.asarray(value)
    if value.dtype == object:
        return np.frompyfunc(lambda item: item.real if isinstance(item, mpmath.mpc) else item, 1, 1)(value)
    return value.real


def _boolean(value: Any) -> Array:
    return np.asarray(value, dtype=bool)


def _has_nan(value: Any) -> bool:
    return bool(np.asarray(value).dtype != object and np.isnan(value).any())
