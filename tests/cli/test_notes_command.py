"""`symbackprop notes` from the command line."""

from __future__ import annotations

import pytest

from symbackprop.cli import main


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(["notes", *words])
    return int(left.value.code or 0)


def test_notes_are_written_where_they_are_wanted(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run("mazur", "-o", "sub/m.tex", "--notation", "ng", "--kind", "beamer", "--shapes", "--example", "--depth", "result") == 0
    assert capsys.readouterr().out.split() == ["sub/m.tex"]
    text = (tmp_path / "sub" / "m.tex").read_text(encoding="ascii")
    assert r"\documentclass" in text and "With numbers" in text and r"2 \times 1" in text
    assert run("mazur", "-o", "h.tex", "--homework", "--page", "negative gradient") == 0
    assert capsys.readouterr().out.split() == ["h.tex", "h-solutions.tex"]
    assert "Why the negative gradient" in (tmp_path / "h.tex").read_text(encoding="ascii")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("mazur", "-o", "n.doc"), "must end in one of"),
        (("mazur", "-o", "n.tex", "--notation", "none"), "unknown notation"),
        (("mazur", "-o", "n.tex", "--kind", "poster"), "kind"),
        (("mazur", "-o", "n.html", "--kind", "beamer"), "kind 'article' only"),
    ],
)
def test_bad_words_are_one_line(words, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(*words) == 2
    told = capsys.readouterr().err.strip()
    assert message in told and "\n" not in told
    assert not list(tmp_path.iterdir())


def test_the_help_shows_how(capsys):
    assert run("--help") == 0
    shown = capsys.readouterr().out
    for word in ("--kind", "--depth", "--homework", "Examples:", "beamer"):
        assert word in shown
