"""Optimizers as words: ``--optimizer momentum --lr 0.1`` or ``--optimizer "momentum(0.1, mu=0.95)"``."""

from __future__ import annotations

import ast
from typing import Any

from symbackprop.errors import DeclarationError

NAMES = ("GradientDescent", "SGD", "Momentum", "Nesterov", "AdaGrad", "RMSProp", "Adam", "AdamW")

#: A word on the command line is short; what is longer is no optimizer.
_LONGEST = 200


def optimizer(text: str, lr: float | None = None) -> Any:
    """Return the optimizer that a text names; only a name and numbers are read, nothing is evaluated.

    Raises:
        DeclarationError: no such optimizer, or something else than numbers between the brackets.
    """
    import symbackprop

    name, positional, named = _parts(text)
    classes = {each.lower(): each for each in NAMES}
    if name.lower() not in classes:
        raise DeclarationError(f"unknown optimizer {name!r}; there are {', '.join(each.lower() for each in NAMES)}")
    if lr is not None:
        if positional or "lr" in named:
            raise DeclarationError(f"--lr {lr:g} and --optimizer {text!r} both give a learning rate; give one")
        named = {"lr": lr, **named}
    try:
        return getattr(symbackprop, classes[name.lower()])(*positional, **named)
    except TypeError as error:
        raise DeclarationError(f"optimizer {text!r}: {error}; a learning rate is given by --lr") from error


def _parts(text: str) -> tuple[str, list[float], dict[str, float]]:
    wrong = DeclarationError(
        f"optimizer {text[:_LONGEST]!r} is written as a name, such as momentum, or with numbers, such as momentum(0.1, mu=0.9)"
    )
    if len(text) > _LONGEST:
        raise wrong
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise wrong from error
    if isinstance(tree, ast.Name):
        return tree.id, [], {}
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
        raise wrong
    positional = [_number(each) for each in tree.args]
    named = {str(each.arg): _number(each.value) for each in tree.keywords if each.arg is not None}
    if None in positional or None in named.values() or len(named) != len(tree.keywords):
        raise wrong
    return tree.func.id, [v for v in positional if v is not None], {k: v for k, v in named.items() if v is not None}


def _number(node: ast.expr) -> float | None:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _number(node.operand)
        return None if inner is None else -inner
    if isinstance(node, ast.Constant) and type(node.value) in (int, float, bool):
        return node.value  # type: ignore[return-value]
    return None
