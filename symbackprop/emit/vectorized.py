"""An index equation as one line of NumPy over whole arrays: the form in which a lecturer writes it on the board.

``dz[n, i] = Σ_j W[j, i] d[n, j] · f′`` becomes ``(d @ W) * f′``. Arrays carry only the axes that they have; where two
meet, the missing ones are inserted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sympy
from sympy import Expr

from symbackprop.algebra import nodes
from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.tensor import Access
from symbackprop.errors import EmissionError

#: Binding strengths of what is printed: sum < product < sign < power < atom.
SUM, PRODUCT, SIGN, POWER, ATOM = range(5)

#: SymPy function -> NumPy name; the names without a dot are defined in the module's head where they are used.
FUNCTIONS: dict[type, str] = {
    sympy.exp: "np.exp",
    sympy.log: "np.log",
    sympy.sin: "np.sin",
    sympy.cos: "np.cos",
    sympy.tan: "np.tan",
    sympy.asin: "np.arcsin",
    sympy.acos: "np.arccos",
    sympy.atan: "np.arctan",
    sympy.sinh: "np.sinh",
    sympy.cosh: "np.cosh",
    sympy.tanh: "np.tanh",
    sympy.asinh: "np.arcsinh",
    sympy.acosh: "np.arccosh",
    sympy.atanh: "np.arctanh",
    sympy.erf: "erf",
    sympy.erfc: "erfc",
    nodes.Abs: "np.abs",
    sympy.Abs: "np.abs",
    nodes.Sign: "np.sign",
    sympy.sign: "np.sign",
    nodes.Floor: "np.floor",
    nodes.Expm1: "np.expm1",
    nodes.Log1p: "np.log1p",
    nodes.Sigmoid: "sigmoid",
    nodes.Softplus: "softplus",
}


@dataclass(frozen=True)
class Value:
    """Printed code, how strongly it binds, and the axes that its array has, in order."""

    code: str
    level: int
    axes: tuple[Index, ...]

    def inside(self, level: int) -> str:
        """Return the code with parentheses where ``level`` binds more strongly."""
        return self.code if self.level >= level else f"({self.code})"


#: The Python variable that a running index is.
STEP = "step"


def vectorized(
    equation: Equation, name: Callable[[str], str], size: Callable[[Expr], str], running: Index | None = None
) -> tuple[str, tuple[str, ...]]:
    """Return the right side of an equation as NumPy code whose array broadcasts to the left side's axes.

    Args:
        equation: in index form.
        name: Python name of a tensor.
        size: Python code of a size.
        running: an index that is the variable `STEP` instead of an axis.

    Returns:
        The code, and the names of the functions that the module's head must define ("sigmoid", "logsumexp", "erf", ...).
    """
    axes: tuple[Index, ...] = tuple(i for i in equation.lhs.index if i != running)
    for whole in (False, True):
        printer = _Printer(name, size, running, whole)
        joined = printer.concatenated(equation.rhs, axes)
        if joined is not None:
            return joined, tuple(sorted(printer.used))
        made = printer.visit(equation.rhs, axes, guarded=False)
        if not printer.lost:
            break
    code = printer.aligned(made, axes, SUM)
    if made.axes != axes and running is None:
        # Later lines may slice along any axis.
        code = f"np.broadcast_to({code}, ({', '.join(size(a.extent) for a in axes)},))"
    return code, tuple(sorted(printer.used))


#: What a step has in place of an array that it must not read: a number, which has no axes.
_NOTHING = ("else 0.0)", "else -np.inf)")


def _bare(code: str) -> bool:
    return any(nothing in code for nothing in _NOTHING)


def _compared(guards: Sequence[nodes.Guard]) -> frozenset[Expr]:
    """Return the places of which some guards say something: an equality with a place in range says that a place is in range."""
    places: set[Expr] = set()
    for g in guards:
        if isinstance(g, nodes.InRange):
            places.add(g.args[0])
        elif isinstance(g, nodes.Indicator) and isinstance(g.condition, sympy.Eq):
            places |= {side for side in g.condition.args if side.is_integer}
    return frozenset(places)


def printer(name: Callable[[str], str], size: Callable[[Expr], str]) -> _Printer:
    """Return what prints expressions over whole arrays."""
    return _Printer(name, size)


class _Printer:
    """Prints one equation.

    Attributes:
        whole: whether what a step must not read is replaced by an array of zeros instead of a number.
        lost: whether an axis of such an array was asked for while it was a number.
        compared: index expressions that a guard around the current place compares with a range or with another place.
    """

    def __init__(self, name: Callable[[str], str], size: Callable[[Expr], str], running: Index | None = None, whole: bool = False) -> None:
        self.name, self.size, self.running, self.whole = name, size, running, whole
        self.used: set[str] = set()
        self.lost = False
        self.compared: frozenset[Expr] = frozenset()

    def aligned(self, v: Value, axes: tuple[Index, ...], level: int) -> str:
        """Return the code of a value so that it broadcasts against arrays with ``axes``."""
        if not v.axes or v.axes == axes[len(axes) - len(v.axes) :]:
            return v.inside(level)
        self.lost = self.lost or _bare(v.code)
        start = axes.index(v.axes[0])
        marks = [":" if a in v.axes else "None" for a in axes[start:]]
        return f"{v.inside(ATOM)}[{', '.join(marks)}]"

    def merge(self, values: list[Value], axes: tuple[Index, ...]) -> tuple[Index, ...]:
        present = {a for v in values for a in v.axes}
        return tuple(a for a in axes if a in present)

    def concatenated(self, e: Expr, axes: tuple[Index, ...]) -> str | None:
        """Print [0 <= k < a] A[n, k] + [0 <= k - a < b] B[n, k - a] as np.concatenate; None for anything else."""
        parts: list[tuple[int, int, Index, Expr]] = []
        for term in sympy.Add.make_args(e):
            factors = sympy.Mul.make_args(term)
            guards = [f for f in factors if isinstance(f, nodes.Guard)]
            if len(guards) != 1 or not isinstance(guards[0], nodes.InRange):
                return None
            where, length = guards[0].args
            start, index = where.as_coeff_Add()
            if index not in axes or not start.is_Integer or not length.is_Integer:
                return None
            parts.append((-int(start), int(length), index, sympy.Mul(*(f for f in factors if f is not guards[0]))))
        parts.sort(key=lambda part: part[0])
        index = parts[0][2]
        ends = [start + length for start, length, _, _ in parts]
        if len(parts) < 2 or [0, *ends] != [*(start for start, _, _, _ in parts), index.extent] or any(i != index for _, _, i, _ in parts):
            return None
        arrays = []
        for start, length, _, body in parts:
            inside = Index(index.name, sympy.Integer(length))
            own = tuple(inside if a == index else a for a in axes)
            made = self.visit(sympy.expand(body.xreplace({index: inside + start})) if start else body.xreplace({index: inside}), own, False)
            if made.axes != own:
                return None
            arrays.append(made.code)
        return f"np.concatenate([{', '.join(arrays)}], axis={axes.index(index)})"

    def visit(self, e: Expr, axes: tuple[Index, ...], guarded: bool) -> Value:
        if isinstance(e, Access):
            return self.access(e, axes, guarded)
        if isinstance(e, Index) and e == self.running:
            return Value(STEP, ATOM, ())
        if isinstance(e, Index):
            return Value(f"np.arange({self.size(e.extent)})", ATOM, (e,))
        if e.is_number and not e.has(nodes.Named):
            return self.number(e)
        if isinstance(e, sympy.Symbol):
            return Value(self.size(e), ATOM, ())
        if isinstance(e, sympy.Add):
            return self.add(e, axes, guarded)
        if isinstance(e, sympy.Mul):
            return self.product(e, axes, guarded)
        if isinstance(e, sympy.Pow):
            return self.power(e, axes, guarded)
        if isinstance(e, nodes.Guard):
            return self.select([e], Value("1.0", ATOM, ()), axes)
        if isinstance(e, nodes.Reduction):
            return self.reduction(e, axes, guarded)
        if isinstance(e, nodes.ArgMax):
            return self.argmax(e, axes)
        kind = type(e)
        if kind is sympy.log and all(isinstance(f, nodes.Guard) for f in sympy.Mul.make_args(e.args[0])):
            return self.select(list(sympy.Mul.make_args(e.args[0])), Value("0.0", ATOM, ()), axes, "-np.inf")
        if kind in FUNCTIONS:
            u = self.visit(e.args[0], axes, guarded)
            if "." not in FUNCTIONS[kind]:
                self.used.add(FUNCTIONS[kind])
            return Value(f"{FUNCTIONS[kind]}({u.code})", ATOM, u.axes)
        if isinstance(e, nodes.Unspecified):
            raise EmissionError(f"the function {e.label} has no expression, so no code can be written for it")
        raise EmissionError(f"numpy: cannot print {kind.__name__} in {e}")

    def number(self, e: Expr) -> Value:
        if e.is_Integer:
            return Value(f"{int(e)}.0", ATOM if e >= 0 else SIGN, ())
        value = float(e.evalf(20))
        return Value(repr(value), ATOM if value >= 0 else SIGN, ())

    def access(self, e: Access, axes: tuple[Index, ...], guarded: bool) -> Value:
        array, parts = self.name(e.tensor.name), e.index
        if not parts:
            return Value(array, ATOM, ())
        extents_fit = all(isinstance(p, Index) and p.extent == a.extent for p, a in zip(parts, e.tensor.axes, strict=True))
        if e.plain and len(set(parts)) == len(parts) and extents_fit:
            order = tuple(a for a in axes if a in parts)
            if len(order) == len(parts):
                return Value(self.transposed(array, parts, order), ATOM, order)
        sliced = self.slices(array, e, axes)
        if sliced is not None:
            return sliced
        values = []
        for p, axis in zip(parts, e.tensor.axes, strict=True):
            v = self.integer(p, axes)
            fits = isinstance(p, Index) and p.extent == axis.extent
            # A label lies in its axis, unless it is read only where a guard says something of it.
            if guarded and not fits and (p in self.compared or not isinstance(p, Access)):
                v = Value(f"np.clip({v.code}, 0, {self.size(axis.extent)} - 1)", ATOM, v.axes)
            values.append(v)
        present = self.merge(values, axes)
        return Value(f"{array}[{', '.join(self.aligned(v, present, SUM) for v in values)}]", ATOM, present)

    def slices(self, array: str, e: Access, axes: tuple[Index, ...]) -> Value | None:
        """Print A[n, 4 + j] as A[:, 4:4 + size of j], where every index is one of its own plus a number; A[n, t - 1] as A[:, t - 1]."""
        found: list[Index] = []
        marks = []
        for p, axis in zip(e.index, e.tensor.axes, strict=True):
            if self.running is not None and p.free_symbols == {self.running}:
                marks.append(self.integer(p, axes).code)
                continue
            offset, index = p.as_coeff_Add()
            if not isinstance(index, Index) or not offset.is_Integer or offset < 0 or index in found:
                return None
            found.append(index)
            if index.extent == axis.extent and offset == 0:
                marks.append(":")
            elif index.extent.is_Integer and (axis.extent - offset - index.extent).is_nonnegative:
                marks.append(f"{offset or ''}:{offset + index.extent}")
            else:
                return None
        order = tuple(a for a in axes if a in found)
        code = f"{array}[{', '.join(marks)}]"
        if len(order) < len(found) or (order != tuple(found) and self.running is None):
            return None
        return Value(self.transposed(code, tuple(found), order), ATOM, order)

    def integer(self, e: Expr, axes: tuple[Index, ...]) -> Value:
        """Print an index expression in integers."""
        if e.is_Integer:
            return Value(str(int(e)), ATOM if e >= 0 else SIGN, ())
        e = nodes.remainders(e)
        if isinstance(e, sympy.Mod):
            t, b = self.integer(e.args[0], axes), self.integer(e.args[1], axes)
            return Value(f"{t.inside(SIGN)} % {b.inside(SIGN)}", PRODUCT, t.axes)
        if isinstance(e, sympy.Add | sympy.Mul):
            level, sign = (SUM, " + ") if isinstance(e, sympy.Add) else (PRODUCT, " * ")
            # The row of a place before its column, and numbers last: 2 i + j - 1.
            args = sorted(e.args, key=lambda a: (a.is_number, -a.as_coeff_Mul()[0])) if isinstance(e, sympy.Add) else e.args
            values = [self.integer(a, axes) for a in args]
            present = self.merge(values, axes)
            return Value(sign.join(self.aligned(v, present, level + 1) for v in values).replace("+ -", "- "), level, present)
        if isinstance(e, nodes.Floor):
            top, bottom = sympy.fraction(sympy.together(e.args[0]))
            t, b = self.integer(top, axes), self.integer(bottom, axes)
            return Value(f"{t.inside(SIGN)} // {b.inside(SIGN)}", PRODUCT, t.axes)
        if isinstance(e, sympy.Symbol) and not isinstance(e, Index):
            return Value(self.size(e), ATOM, ())
        return self.visit(e, axes, guarded=True)

    @staticmethod
    def transposed(array: str, have: tuple[Index, ...], want: tuple[Index, ...]) -> str:
        if have == want:
            return array
        if len(have) == 2:
            return f"{array}.T"
        return f"{array}.transpose({', '.join(str(have.index(a)) for a in want)})"

    def add(self, e: sympy.Add, axes: tuple[Index, ...], guarded: bool) -> Value:
        terms = sorted(e.args, key=lambda t: (t.could_extract_minus_sign(), t.is_number, sympy.default_sort_key(t)))
        if all(t.could_extract_minus_sign() for t in terms):
            terms = sorted(e.args, key=sympy.default_sort_key)
        if len(terms) == 2 and terms[0].is_number is False and terms[1].is_number and terms[0].could_extract_minus_sign():
            terms.reverse()
        numbers = [t for t in terms if t.is_number]
        if numbers and any(t.could_extract_minus_sign() for t in terms if not t.is_number):
            terms = numbers + [t for t in terms if not t.is_number]
        values = []
        for k, t in enumerate(terms):
            negative = k > 0 and t.could_extract_minus_sign()
            values.append((negative, self.visit(-t if negative else t, axes, guarded)))
        present = self.merge([v for _, v in values], axes)
        out = ""
        for k, (negative, v) in enumerate(values):
            code = self.aligned(v, present, PRODUCT if k else SUM)
            out += code if k == 0 else (" - " if negative else " + ") + code
        return Value(out, SUM, present)

    def product(self, e: sympy.Mul, axes: tuple[Index, ...], guarded: bool) -> Value:
        if any(isinstance(f, nodes.Guard) for f in e.args):
            return self.guarded(e, axes, "0.0")
        coefficient, rest = e.as_coeff_Mul()
        if coefficient < 0:
            v = self.visit(-e, axes, guarded)
            return Value(f"-{v.inside(PRODUCT)}", PRODUCT, v.axes)
        above: list[Expr] = []
        below: list[Expr] = []
        if isinstance(coefficient, sympy.Rational):
            if coefficient.p != 1:
                above.append(sympy.Integer(coefficient.p))
            if coefficient.q != 1:
                below.append(sympy.Integer(coefficient.q))
        else:
            above.append(coefficient)
        for f in sympy.Mul.make_args(rest):
            base, power = f.as_base_exp() if isinstance(f, sympy.Pow) else (f, sympy.S.One)
            if power.is_Integer and power < 0:
                below.append(base**-power)
            else:
                above.append(f)
        above.sort(key=lambda f: (not f.is_number, not f.has(nodes.Sum), sympy.default_sort_key(f)))
        tops = [self.visit(f, axes, guarded) for f in above] or [Value("1.0", ATOM, ())]
        bottoms = [self.visit(f, axes, guarded) for f in sorted(below, key=lambda f: (not f.is_number, sympy.default_sort_key(f)))]
        present = self.merge(tops + bottoms, axes)
        # "@" binds like "*": a matrix product inside an elementwise one is always parenthesised.
        code = " * ".join(self.aligned(v, present, SIGN if "@" in v.code and v.level == PRODUCT else PRODUCT) for v in tops)
        if len(bottoms) == 1:
            code += f" / {self.aligned(bottoms[0], present, SIGN)}"
        elif bottoms:
            code += f" / ({' * '.join(self.aligned(v, present, SIGN) for v in bottoms)})"
        if len(tops) == 1 and not bottoms:
            return Value(code, tops[0].level, present)
        return Value(code, PRODUCT, present)

    def guarded(self, e: Expr, axes: tuple[Index, ...], other: str) -> Value:
        """Print a product that has another value where one of its guards does not hold."""
        factors = sympy.Mul.make_args(e)
        guards = [f for f in factors if isinstance(f, nodes.Guard)]
        outside, self.compared = self.compared, self.compared | _compared(guards)
        made = self.visit(sympy.Mul(*(f for f in factors if not isinstance(f, nodes.Guard))), axes, guarded=True)
        # One guard may read at a place for which another one holds.
        made = self.select(guards, made, axes, other)
        self.compared = outside
        return made

    def power(self, e: sympy.Pow, axes: tuple[Index, ...], guarded: bool) -> Value:
        base = self.visit(e.base, axes, guarded)
        if e.exp == sympy.Rational(1, 2):
            return Value(f"np.sqrt({base.code})", ATOM, base.axes)
        if e.exp == sympy.Rational(-1, 2):
            return Value(f"1.0 / np.sqrt({base.code})", PRODUCT, base.axes)
        if e.exp.is_Integer:
            if e.exp == -1:
                return Value(f"1.0 / {base.inside(SIGN)}", PRODUCT, base.axes)
            if e.exp < 0:
                return Value(f"1.0 / {base.inside(ATOM)}**{-int(e.exp)}", PRODUCT, base.axes)
            return Value(f"{base.inside(ATOM)}**{int(e.exp)}", POWER, base.axes)
        exponent = self.visit(e.exp, axes, guarded)
        present = self.merge([base, exponent], axes)
        return Value(f"{self.aligned(base, present, ATOM)}**{self.aligned(exponent, present, ATOM)}", POWER, present)

    def select(self, guards: list[nodes.Guard], chosen: Value, axes: tuple[Index, ...], other: str = "0.0") -> Value:
        """Print a product with guards as np.where; a strict comparison is the negation of its opposite, so NaN goes through."""
        present = chosen.axes
        code = chosen.code
        # The outermost test is made first: whether a step reads at all, then addresses, then what is read.
        for g in sorted(guards, key=self.order):
            code, present = self.where(g, Value(code, SUM, present), axes, other)
        return Value(code, ATOM, present)

    def order(self, g: nodes.Guard) -> int:
        if isinstance(g, nodes.InRange) and self.running is not None and g.args[0].free_symbols == {self.running}:
            return 2
        return int(not g.has(Access))

    def where(self, g: nodes.Guard, chosen: Value, axes: tuple[Index, ...], other: str) -> tuple[str, tuple[Index, ...]]:
        if isinstance(g, nodes.Indicator):
            c = g.condition
            left, right = (self.side(s, axes) for s in c.args)
            sign, swap = {
                sympy.StrictGreaterThan: ("<=", True),
                sympy.GreaterThan: (">=", False),
                sympy.Equality: ("==", False),
                sympy.Unequality: ("!=", False),
            }[type(c)]
            present = self.merge([left, right, chosen], axes)
            test = f"{self.aligned(left, present, SUM + 1)} {sign} {self.aligned(right, present, SUM + 1)}"
        elif isinstance(g, nodes.InRange):
            where = self.integer(g.args[0], axes)
            if self.running is not None and g.args[0].free_symbols == {self.running}:
                # Known before the arrays are looked at, and what it keeps from being read may lie beyond their ends.
                if self.whole and chosen.axes:
                    other = f"np.full(({', '.join(self.size(a.extent) for a in chosen.axes)},), {other})"
                return f"({chosen.code} if 0 <= {where.code} < {self.size(g.args[1])} else {other})", chosen.axes
            present, swap = self.merge([where, chosen], axes), False
            code = self.aligned(where, present, PRODUCT)
            test = f"({code} >= 0) & ({code} < {self.size(g.args[1])})"
        else:
            where = self.integer(g.args[1], axes)
            present, swap = self.merge([where, chosen], axes), False
            test = f"{self.aligned(where, present, SIGN)} % {self.size(g.args[0])} == 0"
        value = self.aligned(chosen, present, SUM)
        return (f"np.where({test}, {other}, {value})" if swap else f"np.where({test}, {value}, {other})"), present

    def side(self, e: Expr, axes: tuple[Index, ...]) -> Value:
        return self.integer(e, axes) if e.is_integer and not e.is_number else self.visit(e, axes, guarded=True)

    def reduction(self, e: nodes.Reduction, axes: tuple[Index, ...], guarded: bool) -> Value:
        # Bound names are canonical per nesting depth; an inner sum over the same name as an outer axis cannot occur.
        inner = axes + e.bound
        if isinstance(e, nodes.Sum):
            made = self.matmul(e, axes, guarded) or self.einsum(e, axes)
            if made is not None:
                return made
        guards = any(isinstance(f, nodes.Guard) for f in sympy.Mul.make_args(e.body))
        largest = isinstance(e, nodes.Max) and guards
        body = self.guarded(e.body, inner, "-np.inf") if largest else self.visit(e.body, inner, guarded)
        if isinstance(e, nodes.Sum) and ".T" in body.code:
            # Σ_n δ[n, i]: sum over the first axis instead of transposing.
            other = self.visit(e.body, e.bound + axes, guarded)
            count = len(e.bound)
            if ".T" not in other.code and other.axes[:count] == e.bound:
                return Value(f"np.sum({other.code}, axis={0 if count == 1 else tuple(range(count))})", ATOM, other.axes[count:])
        self.lost = self.lost or _bare(body.code)
        body = self.spread(body, e.bound, inner)
        count = len(e.bound)
        left = body.axes[: len(body.axes) - count]
        axis = "" if not left else (f"axis={-1}" if count == 1 else f"axis={tuple(range(-count, 0))}")
        if isinstance(e, nodes.LogSumExp):
            self.used.add("logsumexp")
            return Value(f"logsumexp({body.code}{', ' + axis if axis else ''})", ATOM, left)
        call = {nodes.Sum: "sum", nodes.Max: "max"}[type(e)]
        return Value(f"np.{call}({body.code}{', ' + axis if axis else ''})", ATOM, left)

    def spread(self, body: Value, bound: tuple[Index, ...], axes: tuple[Index, ...]) -> Value:
        """Return an array with all of some axes, also those along which it is the same everywhere."""
        full = self.merge([body, Value("", ATOM, bound)], axes)
        if body.axes == full:
            return body
        extents = ", ".join(self.size(a.extent) if a in bound else "1" for a in full)
        return Value(f"({self.aligned(body, full, SUM)} + np.zeros(({extents},)))", ATOM, full)

    def matmul(self, e: nodes.Sum, axes: tuple[Index, ...], guarded: bool) -> Value | None:
        """Print Σ_k P[m, k] Q[k, n] as P @ Q, and Σ_k p[k] q[k] likewise."""
        if len(e.bound) != 1:
            return None
        k = e.bound[0]
        factors = sympy.Mul.make_args(e.body)
        if any(isinstance(f, nodes.Guard) for f in factors):
            return None
        inner = (*axes, k)
        groups: dict[tuple[Index, ...], list[Expr]] = {}
        for f in factors:
            free = tuple(a for a in inner if a in f.free_symbols)
            if isinstance(f, sympy.Number):
                free = ()
            groups.setdefault(free, []).append(f)
        if () in groups or len(groups) != 2:
            return None
        (first, p), (second, q) = groups.items()
        if k not in first or k not in second or set(first) & set(second) != {k} or len(first) > 2 or len(second) > 2:
            return None
        rows = [a for a in first if a != k]
        columns = [a for a in second if a != k]
        if rows and columns and axes.index(rows[0]) > axes.index(columns[0]):
            first, p, rows, second, q, columns = second, q, columns, first, p, rows
        if not rows and columns:
            first, p, rows, second, q, columns = second, q, columns, first, p, rows
        left = self.operand(sympy.Mul(*p), (*rows, k), guarded)
        right = self.operand(sympy.Mul(*q), (k, *columns), guarded)
        self.lost = self.lost or _bare(left + right)
        return Value(f"{left} @ {right}", PRODUCT, tuple(rows + columns))

    def operand(self, e: Expr, axes: tuple[Index, ...], guarded: bool) -> str:
        v = self.visit(e, axes, guarded)
        if v.axes != axes:
            raise EmissionError(f"numpy: {e} does not have the axes {axes}")
        return v.inside(SIGN)

    def einsum(self, e: nodes.Sum, axes: tuple[Index, ...]) -> Value | None:
        """Print a sum over a product of whole arrays with np.einsum."""
        factors = sympy.Mul.make_args(e.body)
        if len(factors) < 2 or not all(isinstance(f, Access) and f.plain and len(set(f.index)) == f.tensor.rank > 0 for f in factors):
            return None
        if any(p.extent != a.extent for f in factors for p, a in zip(f.index, f.tensor.axes, strict=True)):
            return None
        if any(self.running in f.index for f in factors):
            return None
        used = {p for f in factors for p in f.index}
        out = tuple(a for a in axes if a in used)
        every = (*out, *e.bound)
        letters = {a: a.name for a in every}
        if len(set(letters.values())) < len(every) or not all(len(a.name) == 1 and a.name.isascii() and a.name.islower() for a in every):
            letters = {a: "abcdefghijklmnopqrstuvwxyz"[n] for n, a in enumerate(every)}
        if not set(e.bound) <= used:
            return None
        terms = ",".join("".join(letters[p] for p in f.index) for f in factors)
        arrays = ", ".join(self.name(f.tensor.name) for f in factors)
        return Value(f'np.einsum("{terms}->{"".join(letters[a] for a in out)}", {arrays})', ATOM, out)

    def argmax(self, e: nodes.ArgMax, axes: tuple[Index, ...]) -> Value:
        inner = axes + e.bound
        guards = any(isinstance(f, nodes.Guard) for f in sympy.Mul.make_args(e.body))
        body = self.guarded(e.body, inner, "-np.inf") if guards else self.visit(e.body, inner, guarded=True)
        self.lost = self.lost or _bare(body.code)
        body = self.spread(body, e.bound, inner)
        left = tuple(a for a in body.axes if a not in e.bound)
        if len(e.bound) == 1:
            return Value(f"np.argmax({body.code}, axis=-1)", ATOM, left)
        shape = ", ".join(self.size(b.extent) for b in e.bound)
        count = len(e.bound)
        flat = f"np.argmax({body.inside(ATOM)}.reshape(*{body.inside(ATOM)}.shape[:-{count}], -1), axis=-1)"
        if e.wanted == nodes.row_major(e.bound, e.bound):
            return Value(flat, ATOM, left)
        if e.wanted not in e.bound:
            raise EmissionError(f"numpy: ArgMax gives an index or the place in reading order, not {e.wanted}")
        return Value(f"np.unravel_index({flat}, ({shape}))[{e.bound.index(e.wanted)}]", ATOM, left)
