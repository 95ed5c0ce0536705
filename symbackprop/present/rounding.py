"""Exact values and how they are rounded for print: once, from the exact value, never from a rounded one."""

from __future__ import annotations

import decimal
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import numpy.typing as npt

from symbackprop.errors import DataError, DeclarationError
from symbackprop.present.writer import PRODUCT, SINGLE, Piece

Array = npt.NDArray[Any]

#: Digits that values are computed with.
WORKING = 50
#: Digits that decide how a value is rounded: fewer than are computed, so that 0.3775 is a tie although its binary form is not.
_TRUSTED = 40
_CONTEXT = decimal.Context(prec=_TRUSTED, rounding=decimal.ROUND_HALF_EVEN)


def exact(value: Any, what: str = "value") -> Array:
    """Return a value as an array of numbers of `WORKING` digits.

    A string is read as a decimal ("0.35") or a fraction ("7/20"). A float counts as the shortest decimal that it is written
    with: 0.1 is one tenth.

    Raises:
        DataError: an entry is no finite real number.
    """
    if isinstance(value, np.ndarray) and value.dtype == object and all(isinstance(item, mpmath.mpf) for item in value.flat):
        return value.copy()
    try:
        given = np.asarray(value, dtype=object if _has_strings(value) else None)
    except ValueError:
        raise DataError(f"{what}: the value is no array of numbers") from None
    out = np.empty(given.shape, dtype=object)
    with mpmath.workdps(WORKING):
        for position in np.ndindex(given.shape):
            out[position] = _number(given[position], what)
    return out


def _has_strings(value: Any) -> bool:
    if isinstance(value, str | Fraction | decimal.Decimal):
        return True
    return isinstance(value, Iterable) and not isinstance(value, np.ndarray) and any(map(_has_strings, value))


def _number(item: Any, what: str) -> Any:
    try:
        if isinstance(item, mpmath.mpf):
            return +item
        if isinstance(item, bool | complex | np.complexfloating):
            raise ValueError
        if isinstance(item, np.floating):
            item = np.format_float_scientific(item, unique=True)
        fraction = Fraction(repr(item) if isinstance(item, float) else str(item).replace("_", " "))
        return mpmath.mpf(fraction.numerator) / fraction.denominator
    except (ValueError, ZeroDivisionError):
        raise DataError(f"{what}: {str(item)[:40]!r} is no number; give decimals such as '0.35' or fractions such as '7/20'") from None


@dataclass(frozen=True)
class Rounding:
    """How numbers are printed.

    Attributes:
        digits: significant digits.
        decimals: digits after the point instead, all of them printed: 2.00, 0.10; None for significant digits.
    """

    digits: int = 4
    decimals: int | None = None

    def __post_init__(self) -> None:
        for name, value, low in (("digits", self.digits, 1), ("decimals", self.decimals, 0)):
            if value is None and name == "decimals":
                continue
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= 30:
                raise DeclarationError(f"{name} must be a whole number from {low} to 30, got {value!r}")

    def text(self, value: Any) -> str:
        """Return a number in plain characters: ``0.5933``, ``-3.00``, ``9.358e-14``. A tie goes away from zero, as in school."""
        number = _decimal(value)
        if self.decimals is not None:
            return _positional(_rounded(number, -self.decimals))
        if number == number.to_integral_value() and number.adjusted() < 9:
            return str(int(number))  # a whole number is printed whole
        made = _rounded(number, number.adjusted() - self.digits + 1)
        if made.adjusted() > number.adjusted():
            made = _rounded(number, made.adjusted() - self.digits + 1)
        if made == number:
            made = made.normalize(_CONTEXT)
        if -4 <= made.adjusted() < max(self.digits, 6) + 1:
            return _positional(made if made.as_tuple().exponent <= 0 else made.quantize(decimal.Decimal(1)))  # type: ignore[operator]
        mantissa = made.scaleb(-made.adjusted(), _CONTEXT)
        return f"{_positional(mantissa)}e{made.adjusted()}"

    def is_exact(self, value: Any) -> bool:
        """Whether what is printed is the value itself."""
        return decimal.Decimal(self.text(value)) == _decimal(value)

    def sign(self, value: Any) -> str:
        """Return ``=`` where the printed number is the value itself, else the sign of an approximation."""
        return "=" if self.is_exact(value) else r"\approx"

    def latex(self, value: Any) -> str:
        """Return a number in LaTeX."""
        mantissa, _, exponent = self.text(value).partition("e")
        return rf"{mantissa} \cdot 10^{{{exponent}}}" if exponent else mantissa

    def piece(self, value: Any) -> Piece:
        """Return a number as a part of a formula."""
        text = self.latex(value)
        return Piece(text, PRODUCT if "cdot" in text else SINGLE, negative=text.startswith("-"))


def _decimal(value: Any) -> decimal.Decimal:
    """Return a value in `_TRUSTED` digits, without the zeros at its end."""
    if isinstance(value, int | np.integer):
        return decimal.Decimal(int(value))
    with mpmath.workdps(WORKING):
        number = decimal.Decimal(mpmath.nstr(mpmath.mpf(value), _TRUSTED, min_fixed=0, max_fixed=0))
    if not number.is_finite():
        raise DataError(f"the value {number} cannot be printed as a number")
    return number.normalize(_CONTEXT) if number else decimal.Decimal(0)


def _rounded(number: decimal.Decimal, exponent: int) -> decimal.Decimal:
    context = decimal.Context(prec=2 * WORKING + abs(exponent) + abs(number.adjusted()))
    made = number.quantize(decimal.Decimal(1).scaleb(exponent), rounding=decimal.ROUND_HALF_UP, context=context)
    return made if made else abs(made)


def _positional(number: decimal.Decimal) -> str:
    return f"{number:f}"


__all__ = ["WORKING", "Array", "Rounding", "exact"]
