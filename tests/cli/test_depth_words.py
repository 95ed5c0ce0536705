"""How many steps the command line shows."""

from __future__ import annotations

import pytest

from symbackprop.cli import main


def said(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as left:
        main(words)
    out = capfd.readouterr()
    return int(left.value.code or 0), out.out + out.err


def test_steps_are_those_of_a_lecture(capfd):
    code, plain = said(capfd, "derive", "mazur", "--of", "dense_1")
    assert code == 0
    assert said(capfd, "derive", "mazur", "--of", "dense_1", "--depth", "result") == (0, plain)
    lecture = said(capfd, "derive", "mazur", "--of", "dense_1", "--steps")[1]
    assert lecture == said(capfd, "derive", "mazur", "--of", "dense_1", "--depth", "lecture")[1]
    assert plain in lecture.replace("\n" + lecture.split("\n", 1)[1], "\n")
    assert "chain rule" in lecture
    rewrite = said(capfd, "derive", "mazur", "--of", "dense_1", "--depth", "rewrite")[1]
    assert "the sum collapses" in rewrite
    assert "chain rule" not in rewrite


def test_steps_in_latex_are_rows_of_an_alignment(capfd):
    code, text = said(capfd, "derive", "mazur", "--of", "dense_1", "--steps", "--latex")
    assert code == 0
    assert all("&= " in row for row in text.strip().split("\n"))


def test_unknown_depth(capfd):
    code, text = said(capfd, "derive", "mazur", "--depth", "deep")
    assert code == 2
    assert "deep" in text
