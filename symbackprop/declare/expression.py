"""Expressions that arrive as text: read by an own parser over Python's syntax tree, never evaluated as code.

What passes is numbers, names, + - * / **, signs and calls of the functions in `FUNCTIONS`. Limits on length, depth, size,
digits and powers are tested in that order, before any number is formed, so that neither ``9**9**9`` nor 500 brackets cost
anything. Parsing needs no SymPy; `build` does.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from symbackprop import algebra as alg
from symbackprop.algebra.suggest import suggestion
from symbackprop.errors import DeclarationError

MAX_LENGTH = 2000
MAX_DEPTH = 60
MAX_NODES = 500
MAX_DIGITS = 40
MAX_POWER = 64


@dataclass(frozen=True)
class Function:
    """A function that text may call: how many arguments it takes, its value for numbers, and its expression."""

    arity: tuple[int, int]
    number: Callable[..., float]
    build: Callable[..., Any]


def _plain(name: str, number: Callable[[float], float]) -> Function:
    return Function((1, 1), number, lambda u: getattr(alg.sympy, name)(u))


def _select(u: Any, first: Any, second: Any) -> Any:
    return alg.sympy.Piecewise((first, u > 0), (second, True))


FUNCTIONS: dict[str, Function] = {
    **{
        name: _plain(name, getattr(math, name))
        for name in ("exp", "log", "sqrt", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh")
    },
    "erf": _plain("erf", math.erf),
    "erfc": _plain("erfc", math.erfc),
    "abs": Function((1, 1), abs, lambda u: alg.Abs(u)),
    "sign": Function((1, 1), lambda u: math.copysign(1.0, u) if u else 0.0, lambda u: alg.Sign(u)),
    "floor": Function((1, 1), math.floor, lambda u: alg.Floor(u)),
    "max": Function((2, 8), max, lambda *u: alg.sympy.Max(*u)),
    "min": Function((2, 8), min, lambda *u: alg.sympy.Min(*u)),
    "sigmoid": Function((1, 1), lambda u: 1 / (1 + math.exp(-u)), lambda u: 1 / (1 + alg.sympy.exp(-u))),
    "softplus": Function((1, 1), lambda u: math.log(1 + math.exp(u)), lambda u: alg.sympy.log(1 + alg.sympy.exp(u))),
    # select(u, a, b): a where u > 0, b elsewhere.
    "select": Function((3, 3), lambda u, a, b: a if u > 0 else b, _select),
}

CONSTANTS: dict[str, float] = {"pi": math.pi, "e": math.e}

_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
}

_OPERATORS: dict[type, str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}


@dataclass(frozen=True)
class Term:
    """A node of a parsed expression: ``kind`` is number, name, call, neg or an operator; ``value`` its text."""

    kind: str
    value: str = ""
    args: tuple[Term, ...] = ()


def parse(
    text: object, names: tuple[str, ...] | None, what: str = "expression", constants: Mapping[str, float] = MappingProxyType(CONSTANTS)
) -> Term:
    """Return the syntax tree of an expression in the given names.

    Args:
        text: what the user wrote.
        names: the variables that may occur; None takes any name that is no function.
        what: the word for it in messages.
        constants: the names that are numbers.

    Raises:
        DeclarationError: for anything outside the language, in one line.
    """
    if not isinstance(text, str):
        raise DeclarationError(f"{what} must be text, got {type(text).__name__}")
    if len(text) > MAX_LENGTH:
        raise DeclarationError(f"{what} is {len(text)} characters long; the limit is {MAX_LENGTH}")
    if not text.isascii() or not text.isprintable():
        raise DeclarationError(f"{what} {text[:60]!r} holds characters outside plain printable ASCII")
    _check_brackets(text, what)
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        reason = getattr(error, "msg", None) or "too complex"
        raise DeclarationError(f"{what} {text[:60]!r} cannot be read: {reason}") from None
    _check_size(tree, text, what)
    if names is None:
        names = tuple(dict.fromkeys(n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id not in FUNCTIONS))
    term = _term(tree, names, f"{what} {text[:60]!r}", constants)
    _value(term, f"{what} {text[:60]!r}", constants)
    return term


def _check_brackets(text: str, what: str) -> None:
    depth = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        if depth > MAX_DEPTH:
            raise DeclarationError(f"{what} nests brackets deeper than {MAX_DEPTH}")


def _check_size(tree: ast.expr, text: str, what: str) -> None:
    count, stack = 0, [(tree, 1)]
    while stack:
        node, depth = stack.pop()
        count += 1
        if depth > MAX_DEPTH:
            raise DeclarationError(f"{what} {text[:60]!r} is nested deeper than {MAX_DEPTH}")
        if count > MAX_NODES:
            raise DeclarationError(f"{what} {text[:60]!r} has more than {MAX_NODES} parts")
        stack.extend((child, depth + 1) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))


def _term(node: ast.expr, names: tuple[str, ...], where: str, constants: Mapping[str, float]) -> Term:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        written = repr(node.value)[:80]
        if len(written) > MAX_DIGITS or not math.isfinite(node.value):
            raise DeclarationError(f"{where}: a number has at most {MAX_DIGITS} digits and is finite")
        return Term("number", written)
    if isinstance(node, ast.Name):
        if node.id not in names and node.id not in constants:
            known = ", ".join((*names, *constants))
            raise DeclarationError(f"{where}: unknown name {node.id!r}; known here: {known}{suggestion(node.id, FUNCTIONS)}")
        return Term("name", node.id)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        inner = _term(node.operand, names, where, constants)
        return Term("neg", "", (inner,)) if isinstance(node.op, ast.USub) else inner
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return Term(_OPERATORS[type(node.op)], "", tuple(_term(side, names, where, constants) for side in (node.left, node.right)))
    if isinstance(node, ast.Call):
        return _call(node, names, where, constants)
    raise DeclarationError(f"{where}: {_word(node)} is not allowed; use numbers, {', '.join(names)}, + - * / ** and {', '.join(FUNCTIONS)}")


def _call(node: ast.Call, names: tuple[str, ...], where: str, constants: Mapping[str, float]) -> Term:
    if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS:
        given = node.func.id if isinstance(node.func, ast.Name) else _word(node.func)
        raise DeclarationError(f"{where}: {given!r} is no known function; known: {', '.join(FUNCTIONS)}{suggestion(given, FUNCTIONS)}")
    low, high = FUNCTIONS[node.func.id].arity
    if node.keywords or any(isinstance(a, ast.Starred) for a in node.args) or not low <= len(node.args) <= high:
        wanted = str(low) if low == high else f"{low} to {high}"
        raise DeclarationError(f"{where}: {node.func.id} takes {wanted} plain argument{'s' if high > 1 else ''}")
    return Term("call", node.func.id, tuple(_term(a, names, where, constants) for a in node.args))


def _word(node: ast.AST) -> str:
    if isinstance(node, ast.Constant):
        return f"a {type(node.value).__name__} constant"
    if isinstance(node, ast.BinOp | ast.UnaryOp):
        return f"operator {type(node.op).__name__}"
    return type(node).__name__


def _value(term: Term, where: str, constants: Mapping[str, float]) -> Any:
    """Return the value of a part without variables, in floating point, and None for others.

    A part that overflows, divides by zero or raises to a large power is refused here, before exact arithmetic sees it.
    """
    if term.kind == "number":
        return float(term.value)
    if term.kind == "name":
        return constants.get(term.value)
    values = [_value(a, where, constants) for a in term.args]
    if term.kind == "**" and values[1] is not None and abs(values[1]) > MAX_POWER:
        raise DeclarationError(f"{where}: the exponent {values[1]:g} is beyond the limit of {MAX_POWER}")
    if term.kind == "/" and values[1] == 0:
        raise DeclarationError(f"{where}: division by zero")
    numbers = [v for v in values if v is not None]
    if len(numbers) < len(values):
        return None
    try:
        result = _operate(term, numbers)
        if isinstance(result, complex) or not math.isfinite(result):
            raise ValueError
    except (ValueError, OverflowError, ZeroDivisionError):
        raise DeclarationError(f"{where}: a part without variables is no finite real number") from None
    return result


def _operate(term: Term, numbers: list[float]) -> Any:
    if term.kind == "call":
        return FUNCTIONS[term.value].number(*numbers)
    if term.kind == "neg":
        return -numbers[0]
    left, right = numbers
    return _ARITHMETIC[term.kind](left, right)


def number(value: float | int | str) -> Any:
    """Return a number as SymPy's: short decimals exactly (0.1 is 1/10), long ones as floating-point numbers."""
    text = value if isinstance(value, str) else repr(value)
    digits = text.lower().split("e")[0].replace(".", "").lstrip("+-0")
    if text.isdigit() or (len(digits) <= 8 and abs(float(text)) < 1e20 and (float(text) == 0 or abs(float(text)) > 1e-20)):
        return alg.sympy.Rational(text)
    return alg.sympy.Float(text)


def build(term: Term, values: Mapping[str, Any]) -> Any:
    """Return a parsed expression as SymPy's, with the given expressions for its names."""
    if term.kind == "number":
        return number(term.value)
    if term.kind == "name":
        if term.value in values:
            return values[term.value]
        return {"pi": alg.sympy.pi, "e": alg.sympy.E}[term.value]
    args = [build(a, values) for a in term.args]
    if term.kind == "call":
        return FUNCTIONS[term.value].build(*args)
    if term.kind == "neg":
        return -args[0]
    return _ARITHMETIC[term.kind](*args)


__all__ = ["CONSTANTS", "FUNCTIONS", "Function", "Term", "build", "number", "parse"]
