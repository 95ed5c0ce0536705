"""Numbers are rounded once, for print, from exact values."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import symbackprop as sbp
from symbackprop.present.rounding import WORKING, Rounding, exact


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("0.3775", "0.3775"),
        ("0.20", "0.2"),
        ("3", "3"),
        ("-12", "-12"),
        ("0", "0"),
        ("1/3", "0.3333"),
        ("-2/3", "-0.6667"),
        ("0.99996", "1.000"),
        ("0.00043856773447434674", "0.0004386"),
        ("4.5397868702434395e-05", "4.540e-5"),
        ("9.357622968839299e-14", "9.358e-14"),
        ("12345.6", "12350"),
        ("16777216", "16777216"),
        ("12345678901.5", "1.235e10"),
        ("0.99999999999990642", "1.000"),
    ],
)
def test_significant_digits(value, shown):
    assert Rounding(4).text(exact(value)[()]) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [("2", "2.00"), ("-3", "-3.00"), ("0.125", "0.13"), ("-0.125", "-0.13"), ("-0.004", "0.00"), ("0.995", "1.00")]
)
def test_decimals_are_all_printed_and_a_tie_goes_away_from_zero(value, shown):
    assert Rounding(decimals=2).text(exact(value)[()]) == shown


def test_a_float_counts_as_what_it_prints_as():
    for value in (0.1, np.float64(0.1), np.float32(0.1), "0.1", Fraction(1, 10), Decimal("0.1"), "1/10"):
        with mpmath.workdps(WORKING):
            assert exact(value)[()] == mpmath.mpf(1) / 10, repr(value)
    assert exact([["0.1", "0.2"], ["0.3", "1/3"]]).shape == (2, 2)


@pytest.mark.parametrize("value", ["one", "nan", "inf", "1/0", float("nan"), 1j, None, True, "0.1; 2"])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(sbp.DataError, match="w: "):
        exact(value, "w")


@pytest.mark.parametrize("options", [{"digits": 0}, {"digits": 31}, {"digits": 2.5}, {"decimals": -1}, {"digits": True}])
def test_digits_are_a_small_whole_number(options):
    with pytest.raises(sbp.DeclarationError, match="must be a whole number"):
        Rounding(**options)


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=12), st.integers(1, 12))
def test_what_is_printed_is_the_nearest_number_with_so_many_digits(value, digits):
    printed = Decimal(Rounding(digits).text(exact(str(value))[()]))
    if value == value.to_integral_value():
        assert printed == value
        return
    unit = Decimal(1).scaleb(value.adjusted() - digits + 1)
    assert abs(printed - value) <= unit / 2
    whole = printed / unit
    assert whole == whole.to_integral_value()


@given(st.decimals(min_value=-1000, max_value=1000, places=8), st.integers(0, 6))
def test_decimals_agree_with_the_decimal_module(value, places):
    printed = Rounding(decimals=places).text(exact(str(value))[()])
    right = abs(value).quantize(Decimal(1).scaleb(-places), rounding="ROUND_HALF_UP")
    assert Decimal(printed) == (right if value >= 0 else -right)
    assert not printed.startswith("-") or Decimal(printed) != 0


def test_equals_is_written_only_where_it_is_true():
    rounding = Rounding(4)
    assert rounding.sign(exact("0.3775")[()]) == "="
    assert rounding.sign(exact("0.37751")[()]) == r"\approx"
    assert rounding.is_exact(exact("0.1")[()])
