"""Notations of one's own: a TOML table that says what differs from a preset."""

from __future__ import annotations

import pytest

import symbackprop as sbp
from symbackprop.errors import DeclarationError, OutputError
from symbackprop.present.notation_file import MAX_BYTES

MINE = r"""
base = "ng"
name = "mine"
error = '\epsilon'
bias_form = "separate"
first = 0
"""


def test_a_table_changes_a_preset(tmp_path):
    made = sbp.notation_from_toml(MINE)
    assert (made.name, made.error, made.bias_form, made.first, made.weight) == ("mine", r"\epsilon", "separate", 0, "w")
    path = tmp_path / "house.toml"
    path.write_text("[notation]\nbase = 'bishop'\nloss = 'J'\n", encoding="utf-8")
    for given in (path, str(path)):
        house = sbp.notation_from_toml(given)
        assert (house.name, house.loss, house.source) == ("house", "J", "after bishop")
    assert sbp.notation(str(path)) == house
    assert sbp.notation_from_toml({"base": "nielsen", "first": 0}).first == 0


def test_a_derivation_takes_the_path(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(MINE, encoding="utf-8")
    net = sbp.Sequential([sbp.Input(3), sbp.Dense(2)], loss="half_squared_error")
    assert "ε" in net.derive().text(notation=str(path))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("base = 'ngg'", "base 'ngg' is no preset; did you mean 'ng'"),
        ("base = 'ng'\nlos = 'J'", "unknown key 'los'; did you mean 'loss'"),
        ("weight_inde = 'x'", "did you mean 'weight_index'"),
        ("first = '1'", "first must be a number"),
        ("first = true", "first must be a number"),
        ("error = 3", "error must be text"),
        ('error = "\\delta"', "single quotes"),
        (r"error = '\input{secret}'", "no letter"),
        ("bias_form = 'fold'", "bias_form must be one of 'separate', 'folded'"),
        ("pre = 'a'", "pre and activation cannot share the letter 'a'"),
        ("indices = 'ii'", "two different letters"),
        ("= 3", "is no TOML"),
    ],
)
def test_errors_name_the_key(text, says):
    with pytest.raises(DeclarationError) as caught:
        sbp.notation_from_toml(text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_none(tmp_path):
    with pytest.raises(OutputError, match=r"nowhere\.toml cannot be read"):
        sbp.notation("nowhere.toml")
    (tmp_path / "raw.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(DeclarationError, match="UTF-8"):
        sbp.notation_from_toml(tmp_path / "raw.toml")
    (tmp_path / "long.toml").write_text("# " + "x" * MAX_BYTES, encoding="utf-8")
    with pytest.raises(DeclarationError, match="more than"):
        sbp.notation_from_toml(tmp_path / "long.toml")
    with pytest.raises(DeclarationError, match="not from int"):
        sbp.notation_from_toml(3)
