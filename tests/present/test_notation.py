"""Notations and letters: what a user may choose, and that nothing a user writes reaches TeX raw."""

from __future__ import annotations

import dataclasses

import pytest

from symbackprop.errors import DeclarationError
from symbackprop.present.letters import capital, plain_word, tex_word
from symbackprop.present.notation import Notation, notation, notations


def test_presets_are_known_by_name():
    assert notations() == ("ufldl", "larochelle", "cs231n", "tuwien", "ng", "goodfellow", "bishop", "nielsen")
    assert all(notation(name).source for name in notations())
    assert notation("ufldl").activation == "a" and notation("larochelle").pre == "a"
    mine = dataclasses.replace(notation("ufldl"), name="mine", error="e")
    assert notation(mine) is mine


@pytest.mark.parametrize("letter", [r"\input{/etc/passwd}", "$x$", "a b", "", r"\write18", "x^2", "{", "é", "a_b_c", "x\n"])
def test_a_letter_that_is_no_letter_is_refused(letter):
    with pytest.raises(DeclarationError, match="no letter"):
        Notation("mine", error=letter)


@pytest.mark.parametrize("change", [{"hadamard": r"\input"}, {"weight_of": "both"}, {"first": 7}, {"gradient": "d"}, {"indices": "iii"}])
def test_a_choice_outside_the_list_is_refused(change):
    with pytest.raises(DeclarationError):
        dataclasses.replace(notation("ufldl"), **change)


@pytest.mark.parametrize(
    ("word", "latex"),
    [
        ("W", "W"),
        ("alpha", r"\alpha"),
        ("x_1", "x_1"),
        ("x_12", "x_{12}"),
        ("h2", "h_2"),
        ("L_data", r"L_{\mathrm{data}}"),
        ("dense_1", r"\mathrm{dense\_1}"),
        ("input", r"\mathrm{input}"),
        ("_", r"\mathrm{\_}"),
        ("_x", r"\mathrm{\_x}"),
    ],
)
def test_identifiers_become_letters_or_upright_words(word, latex):
    assert tex_word(word) == latex


def test_words_in_plain_text():
    assert [plain_word(w) for w in ("alpha", "alpha_1", "dense_1", "x")] == ["α", "α_1", "dense_1", "x"]


def test_capitals_of_letters():
    assert [capital(letter) for letter in ("x", r"\delta", "n_l", "net", r"\eta")] == ["X", r"\Delta", "N_l", "net", r"\eta"]


def test_letters_that_would_be_misread_are_refused():
    with pytest.raises(DeclarationError, match="pre and activation cannot share the letter 'a'"):
        dataclasses.replace(notation("ufldl"), pre="a")
    with pytest.raises(DeclarationError, match="sample_loss"):
        dataclasses.replace(notation("bishop"), one_loss="sample")
    # With a folded bias no formula has its letter.
    assert dataclasses.replace(notation("ng"), bias="w").bias == "w"
