"""f′ step by step: each line has the value of the one before it, and the last is f′, through f where that goes."""

from __future__ import annotations

import math

import pytest
import sympy

import symbackprop as sbp
from symbackprop.declare.activations import ACTIVATIONS
from symbackprop.derive.elementary import derive_elementary, in_terms_of
from symbackprop.errors import DerivationError
from symbackprop.public.elementary import derivative_steps

x = sympy.Symbol("x", real=True)
f = sympy.Symbol("f", real=True)
E = sympy.exp

THROUGH = {
    1 / (1 + E(-x)): (1 - f) * f,
    E(x) / (1 + E(x)): (1 - f) * f,
    sympy.tanh(x): 1 - f**2,
    3 / (1 + E(-2 * x)): 2 * f * (1 - f / 3),
    2 / (1 + E(-x)) - 1: (1 - f**2) / 2,
    1 / (1 + E(1 - x)): (1 - f) * f,
    1 / (2 + 3 * E(-x)): f * (1 - 2 * f),
    sympy.Rational(17159, 10000) * sympy.tanh(2 * x / 3): sympy.Rational(17159, 15000) - sympy.Rational(20000, 51477) * f**2,
    E(x): f,
    x / (1 + x): (1 - f) ** 2,
}


def lines_hold(made, points=(0.3, 1.7)) -> None:
    """Compare each line with the one before, and the derivative with a central difference in 50 digits."""
    for about_slope in (False, True):
        terms = [
            line.term.value(made.variable).xreplace({made.function: made.expression}) for line in made.lines if line.slope == about_slope
        ]
        for at in points:
            values = [complex(term.subs(made.variable, at).evalf(30)) for term in terms]
            assert all(abs(v - values[0]) <= 1e-13 * max(1, abs(values[0])) for v in values), (made.expression, at, values)
            if about_slope:
                h = sympy.Float("1e-15", 50)
                high, low = (made.expression.subs(made.variable, sympy.Float(at, 50) + s * h).evalf(50) for s in (1, -1))
                # The difference errs by h² f‴.
                assert abs(complex((high - low) / (2 * h)) - values[-1]) <= 1e-12 * max(1, abs(values[-1]))


@pytest.mark.deck("D4.10", "D0.16")
@pytest.mark.parametrize("expression", THROUGH, ids=str)
def test_through_the_function_itself(expression):
    made = derive_elementary(expression, x)
    lines_hold(made)
    assert made.through is not None
    assert sympy.expand(made.through.xreplace({made.function: f}) - THROUGH[expression]) == 0
    # The residual is zero as a formula, too.
    assert sympy.simplify(THROUGH[expression].xreplace({f: expression}) - sympy.diff(expression, x)).equals(0)


@pytest.mark.deck("D4.10")
def test_the_deck_line_by_line():
    assert [line.latex for line in sbp.derivative_steps("sigmoid").lines()] == [
        r"\sigma(x) = \frac{1}{1 + e^{-x}}",
        r"\frac{d \sigma}{dx} = \frac{d}{dx} \frac{1}{1 + e^{-x}}",
        r"= \frac{-\frac{d}{dx} (1 + e^{-x})}{(1 + e^{-x})^2}",
        r"= \frac{e^{-x}}{(1 + e^{-x})^2}",
        r"= \frac{1 + e^{-x} - 1}{1 + e^{-x}} \cdot \frac{1}{1 + e^{-x}}",
        r"= \left( 1 - \frac{1}{1 + e^{-x}} \right) \cdot \frac{1}{1 + e^{-x}}",
        r"= (1 - \sigma) \sigma",
    ]


@pytest.mark.deck("D0.16")
def test_the_exercises():
    sigmoid, tanh = derivative_steps("sigmoid"), derivative_steps("tanh")
    assert sympy.expand(sigmoid.through - f * (1 - f)) == 0
    assert tanh.through == 1 - f**2
    # The same rewrite in both.
    for steps in (sigmoid, tanh):
        assert any(line.rule.startswith("add and subtract 1") for line in steps.lines())
    assert len(tanh.lines("rewrite")) > len(tanh.lines()) > len(tanh.lines("result")) == 2


def test_softsign_through_its_absolute_value():
    steps = derivative_steps("softsign")
    assert steps.lines()[-1].latex == r"= (1 - \lvert f \rvert)^2"
    lines_hold(steps.record, points=(0.3, -1.7))


@pytest.mark.parametrize("name", [name for name, entry in ACTIVATIONS.items() if entry.expression is not None])
def test_every_activation(name):
    steps = derivative_steps(name)
    lines_hold(steps.record, points=(0.3, -1.7))
    assert all(steps.lines(depth) for depth in ("result", "lecture", "rewrite"))


@pytest.mark.parametrize("expression", [sympy.sin(x**2), x * sympy.tanh(x), sympy.log(1 + E(x)), x**3 / (1 + x**2), sympy.sqrt(1 + x**2)])
def test_what_is_no_function_of_itself_ends_in_the_derivative(expression):
    made = derive_elementary(expression, x)
    lines_hold(made)
    assert made.through is None


def test_in_terms_of_the_denominator():
    # e⁻ˣ = (1 + e⁻ˣ) − 1, 6 g = 2 ((3 g + 4) − 4)
    g = E(-x)
    assert in_terms_of(g, 1 + g, g) == (1, 1)
    assert in_terms_of(6 * g, 3 * g + 4, g) == (2, 4)
    with pytest.raises(DerivationError, match="no multiple"):
        in_terms_of(g**2, 1 + g, g)


@pytest.mark.parametrize(
    "given, message",
    [
        (sympy.Symbol("a") * sympy.Symbol("b"), "one symbol"),
        ("softmax", "no function of one number"),
        (sbp.Activation("f"), "no activation with an expression"),
        (sympy.Integer(3), "one symbol"),
    ],
)
def test_refused(given, message):
    with pytest.raises(DerivationError, match=message):
        derivative_steps(given)


@pytest.mark.deck("D2.11")
def test_value_of_the_fused_gate():
    # (1 − σ) σ at σ = 0.73105858 of the deck's neuron.
    through = derivative_steps("sigmoid").through
    assert math.isclose(float(through.subs(f, 0.7310585786300049)), 0.19661193, abs_tol=5e-9)
