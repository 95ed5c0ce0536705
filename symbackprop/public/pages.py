"""Pages for lecture notes, with every number computed: vanishing gradients, and why one walks against the gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sympy

from symbackprop.algebra.equation import Equation, System
from symbackprop.algebra.tensor import Access, tensor
from symbackprop.declare.activations import ACTIVATIONS
from symbackprop.declare.expression import build, parse
from symbackprop.declare.layers import Dense, Input
from symbackprop.derive.sweep import derive_system
from symbackprop.errors import DeclarationError
from symbackprop.present import notation as notations
from symbackprop.present import pages as present
from symbackprop.present.document.records import Section
from symbackprop.present.index import IndexPrinter
from symbackprop.present.naming import Name, Naming
from symbackprop.present.notation import Notation
from symbackprop.present.rounding import Rounding
from symbackprop.present.symbols import Symbols
from symbackprop.present.writer import Latex
from symbackprop.public.code_page import code_page
from symbackprop.public.network import Sequential
from symbackprop.public.pictures import descent_chart


def page(name: str, notation: str | Notation = "ufldl", **options: Any) -> Section:
    """Return a page by its name, "vanishing gradient", "negative gradient" or "code", as a section of a document.

    Args:
        name: which page.
        notation: a preset's name or a record.
        options: those of `vanishing_gradient` or `negative_gradient`; "code" needs ``network=``.

    Raises:
        DeclarationError: there is no page of that name.
    """
    made: dict[str, Callable[..., Section]] = {
        "vanishing gradient": vanishing_gradient,
        "negative gradient": negative_gradient,
        "code": code_page,
    }
    if name not in made:
        raise DeclarationError(f"unknown page {str(name)[:40]!r} (known: {', '.join(made)})")
    return made[name](notation=notation, **options)


def vanishing_gradient(
    notation: str | Notation = "ufldl",
    *,
    depth: int = 10,
    width: int = 8,
    activations: Sequence[str] = ("sigmoid", "tanh", "relu"),
    far: float = 5.0,
    seed: int = 0,
    digits: int = 4,
) -> Section:
    """Return the page on vanishing gradients.

    The largest slope of sigmoid and tanh is found by differentiating twice; the error terms are those of networks of ``depth``
    layers of ``width`` units, first values and one sample drawn from the seed.
    """
    slopes = [slope(name, far) for name in ("sigmoid", "tanh")]
    norms = [present.Norms(name, error_norms(name, depth, width, seed)) for name in activations]
    return present.vanishing_gradient(slopes, norms, notations.notation(notation), Rounding(digits))


def slope(name: str, far: float = 5.0) -> present.Slope:
    """Return where the derivative of an activation is largest, and what it is far out.

    Raises:
        DeclarationError: the activation has no expression, or no largest slope in closed form.
    """
    entry = ACTIVATIONS.get(name)
    if entry is None or entry.expression is None:
        raise DeclarationError(f"activation {str(name)[:40]!r} is no function of one number")
    z = sympy.Symbol("z", real=True)
    first = _derivative(build(parse(entry.expression, ("z",), "activation"), {"z": tensor("z").own}))
    second = _derivative(first)
    flat, curved = (_without(e, "z", z) for e in (first, second))
    roots = [r for r in sympy.solve(curved, z) if r.is_real]
    if not roots:
        raise DeclarationError(f"activation {name}: its largest slope has no closed form")
    at = max(roots, key=lambda r: flat.subs(z, r))
    return present.Slope(name, at, sympy.nsimplify(flat.subs(z, at)), far, flat.subs(z, sympy.Rational(str(far))).evalf(50))


def _derivative(expression: Any) -> Any:
    """Return the derivative of a scalar expression in z, by the engine, in z alone."""
    f = tensor("f_")
    derived = derive_system(System([Equation(f.own, expression)]), "f_", ("z",))
    return _without(derived.equation(derived.cotangents["z"]).rhs, "f_", expression)


def _without(e: Any, name: str, value: Any) -> Any:
    """Return an expression with a scalar replaced by its value."""
    return e.xreplace({a: value for a in e.atoms(Access) if a.tensor.name == name})


def error_norms(activation: str, depth: int, width: int, seed: int = 0) -> tuple[float, ...]:
    """Return the lengths of the error terms of a deep network at its first values, from the first layer to the last."""
    layers = [Input(width), *(Dense(width, activation=activation) for _ in range(depth))]
    net = Sequential(layers, loss="half_squared_error", name="deep")
    draw = np.random.default_rng(seed)
    values = dict(net.init(seed=seed, dtype="float64"))
    made = net.derive(per="sample").evaluate({**values, "x": draw.normal(size=width), "y": draw.normal(size=width)})
    return tuple(float(np.linalg.norm(made[f"delta.{layer}"])) for layer in net.layers)


def negative_gradient(
    notation: str | Notation = "ufldl",
    *,
    expression: str = "x**2",
    variable: str = "x",
    start: float = 3.0,
    rate: float = 0.1,
    steps: int = 3,
    digits: int = 4,
) -> Section:
    """Return the page on why one walks against the gradient, with the first steps on a curve of one variable."""
    record = notations.notation(notation)
    value = build(parse(expression, (variable,), "expression"), {variable: tensor("theta").own})
    derived = derive_system(System([Equation(tensor("f_").own, value)]), "f_", ("theta",))
    at = sympy.Rational(str(start))
    eta = sympy.Rational(str(rate))
    gradient = _without(derived.equation(derived.cotangents["theta"]).rhs, "f_", value)
    way: list[dict[str, Any]] = []
    for _ in range(steps + 1):
        here = (_without(e, "theta", at).doit() for e in (value, gradient))
        way.append({variable: at, **dict(zip(("value", "slope"), here, strict=True))})
        at = at - eta * way[-1]["slope"]
    symbols = Symbols(record, Naming({"theta": Name("word", word="theta")}), Latex())
    written = IndexPrinter(symbols, {}).write(value).text
    chart = descent_chart(expression, variable=variable, start=start, rate=rate, steps=steps)
    return present.negative_gradient(written, variable, eta, way, chart, record, Rounding(digits))


__all__ = ["error_norms", "negative_gradient", "page", "slope", "vanishing_gradient"]
