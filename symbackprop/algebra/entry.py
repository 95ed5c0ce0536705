"""What the user may write on the right of an equation, brought into the form that the engine works on.

SymPy's Max, Min, Abs, sign, floor and Piecewise become guards and named functions whose derivatives at the kinks follow the
stated conventions: the constant branch of a maximum wins a tie (relu'(0) = 0), |z|'(0) = 0, floor' = sign' = 0.
"""

from __future__ import annotations

import sympy
from sympy import Expr, S

from symbackprop.algebra.fault import PartError
from symbackprop.algebra.index import Index, operand
from symbackprop.algebra.nodes import Abs, ArgMax, Floor, Guard, Indicator, Named, Reduction, Sigmoid, Sign, Unspecified
from symbackprop.algebra.suggest import suggestion
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.errors import DeclarationError

#: SymPy functions that an expression may contain: they have a derivative in SymPy that is right everywhere on the reals.
FUNCTIONS = (
    sympy.exp,
    sympy.log,
    sympy.sin,
    sympy.cos,
    sympy.tan,
    sympy.asin,
    sympy.acos,
    sympy.atan,
    sympy.sinh,
    sympy.cosh,
    sympy.tanh,
    sympy.asinh,
    sympy.acosh,
    sympy.atanh,
    sympy.erf,
    sympy.erfc,
)


def enter(given: object) -> Expr:
    """Return the engine's form of an expression.

    Raises:
        DeclarationError: for a node that the language does not have; the message names it.
    """
    if isinstance(given, Tensor):
        if given.rank:
            raise DeclarationError(f"{given.name} has {given.rank} axes: read it with indices, for example {given.example}")
        given = given[()]
    expr = operand(given)
    if not isinstance(expr, Expr):
        raise DeclarationError(f"{expr} is no scalar expression")
    return _enter(expr)


def _enter(e: Expr) -> Expr:
    if isinstance(e, Access):
        return e if all(part.is_Symbol or part.is_Integer for part in e.index) else Access(e.tensor, *map(_index, e.index))
    if not e.args:
        if e in (S.NaN, S.ComplexInfinity, S.ImaginaryUnit) or e.is_infinite:
            raise PartError(f"{e} is no real number", e)
        if isinstance(e, Tensor):
            raise PartError(f"{e} is read without indices", e, f"read its entries, for example {e.example}")
        return e
    if isinstance(e, Reduction):
        return e.func(_enter(e.body), *e.bound)
    if isinstance(e, ArgMax):
        named = {s for s in e.wanted.free_symbols if isinstance(s, Index)}
        if not named or not named <= set(e.bound):
            bound = ", ".join(map(str, e.bound))
            raise PartError(f"ArgMax gives the value of {e.wanted}, which is not among the indices that it ranges over ({bound})", e)
        return ArgMax(_enter(e.body), e.wanted, *e.bound)
    if isinstance(e, Indicator):
        return Indicator(e.condition.func(*(_enter(a) for a in e.condition.args), evaluate=False))
    if isinstance(e, Guard):
        return e
    if isinstance(e, Unspecified):
        return Unspecified(e.args[0], e.args[1], _enter(e.args[2]))
    if isinstance(e, sympy.Piecewise):
        return _piecewise(e)
    if isinstance(e, sympy.Max | sympy.Min):
        return sympy.Add(*(value * guard for value, guard in _branches(e)))
    if isinstance(e, sympy.LambertW | sympy.Derivative | sympy.Subs | sympy.Integral | sympy.Sum):
        way = "use sbp.Sum for sums over indices" if isinstance(e, sympy.Sum) else "write what it is"
        raise PartError(f"{type(e).__name__} is not in the language of equations", e, way)
    args = tuple(_enter(a) for a in e.args)
    if isinstance(e, sympy.Abs):
        return Abs(args[0])
    if isinstance(e, sympy.sign):
        return Sign(args[0])
    if isinstance(e, sympy.floor):
        return Floor(args[0])
    if isinstance(e, sympy.ceiling):
        return -Floor(-args[0])
    if isinstance(e, sympy.Heaviside):
        return Indicator(args[0] > 0)
    if isinstance(e, sympy.Add | sympy.Mul | sympy.Pow | Named | Floor | sympy.KroneckerDelta) or isinstance(e, FUNCTIONS):
        if isinstance(e, sympy.KroneckerDelta):
            return Indicator(sympy.Eq(args[0], args[1]))
        return e.func(*args)
    if isinstance(e, sympy.Function) and type(e).__name__ == "sigmoid":
        return Sigmoid(args[0])
    name = type(e).__name__
    taken = [f.__name__ for f in FUNCTIONS]
    way = f"taken are {', '.join(taken)}, sqrt, Max, Min, Abs, sign, floor, Piecewise{suggestion(name, taken)}"
    raise PartError(f"the function {name} is not in the language: no derivative of it is known", e, way)


def _index(e: Expr) -> Expr:
    """Check an index expression: integers, indices, sizes, integer tensors, + − * and floor."""
    if not e.is_integer:
        raise PartError(f"index {e} is not an integer", e, "use whole steps, or sympy.floor")
    return e.replace(lambda n: isinstance(n, sympy.floor), lambda n: Floor(n.args[0])) if e.has(sympy.floor) else e


#: The branches of an expression: (value, guard) pairs of which exactly one guard is 1.
_Branches = tuple[tuple[Expr, Expr], ...]


def _branches(e: Expr) -> _Branches:
    if not isinstance(e, sympy.Max | sympy.Min):
        return ((_enter(e), S.One),)
    largest = isinstance(e, sympy.Max)
    args = sorted(e.args, key=lambda a: (a.is_number, sympy.default_sort_key(a)))
    result = _branches(args[0])
    for other in args[1:]:
        result = tuple(
            (value, product)
            for first, g in result
            for second, h in _branches(other)
            for value, guard in _larger(first, second, 1 if largest else -1)
            if (product := simplify_guards(g * h * guard)) != 0
        )
    return result


def _larger(first: Expr, second: Expr, sign: int) -> _Branches:
    """The larger (sign 1) or smaller (sign -1) of two: a constant wins ties; of two variables, the first; NaN propagates."""
    if first.is_number and second.is_number:
        return ((first if sign * (first - second) >= 0 else second, S.One),)
    if first.is_number:
        first, second = second, first
    a, b = (first, second) if sign > 0 else (second, first)
    above, below = Indicator(a > b), Indicator(b > a)
    if second.is_number:
        return ((first, above), (second, Indicator(sympy.GreaterThan(b, a, evaluate=False))))
    if isinstance(above, Indicator) and any(side.is_number for side in above.condition.args):
        # Both are functions of the one quantity that is compared, so a NaN in it reaches the second branch.
        return ((first, Indicator(sympy.GreaterThan(*above.condition.args, evaluate=False))), (second, below))
    return ((first, above), (second, below), (first, Indicator(sympy.Eq(first, second))))


def simplify_guards(product: Expr) -> Expr:
    """Drop a comparison of one quantity with a number that another factor implies; 0 where they contradict each other."""
    factors = sympy.Mul.make_args(product)
    lower: dict[Expr, tuple[Expr, bool, Expr]] = {}
    upper: dict[Expr, tuple[Expr, bool, Expr]] = {}
    rest = []
    for f in factors:
        if isinstance(f, Indicator) and isinstance(f.condition, sympy.StrictGreaterThan | sympy.GreaterThan):
            strict = isinstance(f.condition, sympy.StrictGreaterThan)
            left, right = f.condition.args
            if right.is_number:
                old = lower.get(left)
                if old is None or right > old[0] or (right == old[0] and strict):
                    lower[left] = (right, strict, f)
                continue
            if left.is_number:
                old = upper.get(right)
                if old is None or left < old[0] or (left == old[0] and strict):
                    upper[right] = (left, strict, f)
                continue
        rest.append(f)
    for quantity, (low, strict, _) in lower.items():
        if quantity in upper:
            high, also, _ = upper[quantity]
            if high < low or (high == low and (strict or also)):
                return S.Zero
    return sympy.Mul(*rest, *(f for _, _, f in lower.values()), *(f for _, _, f in upper.values()))


def _piecewise(e: Expr) -> Expr:
    """Branches as a sum of guarded terms; a branch holds where no earlier condition does."""
    total, rest = S.Zero, S.One
    for branch, condition in e.args:
        if condition is S.true:
            guard = S.One
        else:
            guard = Indicator(condition.xreplace({a: _enter(a) for r in condition.atoms(sympy.core.relational.Relational) for a in r.args}))
        total = total + _enter(branch) * simplify_guards(guard * rest)
        rest = _outside(guard) * rest
        if rest == 0:
            break
    if rest != 0:
        raise PartError("a Piecewise has no value where none of its conditions holds", e, "end it with (expression, True)")
    return total


def _outside(guard: Expr) -> Expr:
    """1 − guard, as one guard where that is possible, so that branches are exclusive guards."""
    return negation(guard) if isinstance(guard, Indicator) else 1 - guard


def negation(guard: Indicator) -> Expr:
    """Return [not condition]."""
    c = guard.condition
    if isinstance(c, sympy.StrictGreaterThan):
        return Indicator(sympy.GreaterThan(c.rhs, c.lhs, evaluate=False))
    if isinstance(c, sympy.GreaterThan):
        return Indicator(sympy.StrictGreaterThan(c.rhs, c.lhs, evaluate=False))
    if isinstance(c, sympy.Eq):
        return Indicator(sympy.Ne(c.lhs, c.rhs, evaluate=False))
    return Indicator(sympy.Eq(c.lhs, c.rhs, evaluate=False))
