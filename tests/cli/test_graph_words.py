"""symbackprop graph: a circuit from words, its drawing and its numbers; bad words are told in one line."""

from __future__ import annotations

import re
import shlex
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from symbackprop.cli import main

Said = tuple[int, str, str]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """Run the command line in an empty folder; return exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)

    def go(*words: str) -> Said:
        with pytest.raises(SystemExit) as left:
            main(("graph", *words))
        said = capfd.readouterr()
        return int(left.value.code or 0), said.out, said.err

    return go


def numbers(line: str) -> list[float]:
    return [float(t) for t in re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.])", line)]


@pytest.mark.deck("D2.6")
def test_values_and_gradients(run: Callable[..., Said]) -> None:
    code, out, err = run("(x + y) * z", "x=-2", "y=5", "z=-4")
    assert (code, err) == (0, "")
    rows = {line.split()[0]: numbers(line) for line in out.splitlines() if re.match(r"^(x|y|z|q1|f) ", line)}
    assert rows == {"x": [-2, -4], "y": [5, -4], "z": [-4, 3], "q1": [3, -4], "f": [-12, 1]}
    assert "└─ z   value -4, gradient 3" in out
    assert "distributes" in out and "switches" in out


@pytest.mark.deck("D3.11")
def test_steps_and_paths(run: Callable[..., Said]) -> None:
    code, out, _ = run("c = a + b; d = b + 1; e = c*d", "a=2", "b=1", "--steps", "--paths", "b", "--local")
    assert code == 0
    assert re.search(r"b → c → e +2\n", out) and re.search(r"b → d → e +3\n", out) and re.search(r"sum over all paths +5\n", out)
    assert re.search(r"1 +e → c +2 +1 +2 +2", out)
    assert "∂e/∂c = 2" in out


def test_without_numbers_it_shows_the_local_gradients(run: Callable[..., Said]) -> None:
    code, out, _ = run("max(x, y) * w", "--paths", "x")
    assert code == 0
    assert "∂q1/∂x = [x ≥ y], ∂q1/∂y = [y > x]" in out
    assert "x: 1 path to f" in out


@pytest.mark.deck("E28")
def test_the_rule_for_ties_is_stated(run: Callable[..., Said]) -> None:
    assert "a tie goes to the first" in run("max(x, y)", "x=1", "y=1")[1]
    assert "tie" not in run("x + y", "x=1", "y=1")[1]


def test_pictures_are_written(run: Callable[..., Said], tmp_path: Path) -> None:
    code, _, _ = run("x*y", "x=1", "y=2", "--svg", "a.svg", "-o", "b.dot", "-o", "c.txt", "-o", "d.tex", "--decimals", "2")
    assert code == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.svg", "b.dot", "c.txt", "d.tex"]
    shown = ["".join(t.itertext()) for t in ET.parse(tmp_path / "a.svg").iter("{http://www.w3.org/2000/svg}text")]
    assert "2.00" in shown


def test_a_network_is_drawn(run: Callable[..., Said], tmp_path: Path) -> None:
    code, out, _ = run("xor", "--svg", "xor.svg")
    assert code == 0 and out.startswith("xor") and (tmp_path / "xor.svg").is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("__import__('os').system('touch seen')",), "graph f: expression"),
        (("(x + y",), "cannot be read"),
        (("x*y", "x=1"), "no value is given for y"),
        (("x*y", "x=1", "y"), "write it as name=number"),
        (("x*y", "x=1", "y=two"), "write it as name=number"),
        (("x*y", "x=1", "y=2", "x=3"), "x is given twice"),
        (("x*y", "x=1", "y=2", "z=3"), "z is no input"),
        (("x*y", "x=nan", "y=2"), "finite"),
        (("x/y", "x=1", "y=0"), "f is inf at x = 1, y = 0"),
        (("x*y", "--steps"), "--steps needs numbers"),
        (("x*y", "x=1", "y=2", "--paths", "u"), "has no node 'u'"),
        (("x*y", "--svg", "a.png"), "the ending must be .svg"),
        (("x*y", "-o", "a.gif"), "the ending must be one of"),
        (("x*y", "--fuse", "sigmoidd"), "did you mean 'sigmoid'"),
        (("x*y", "--name", "<b>"), "is not an identifier"),
        (("missing.py",), "there is no file missing.py"),
        (("xor", "x=1"), "is a network"),
        ((), "EXPRESSION"),
    ],
)
def test_bad_words_are_told_in_one_line_and_write_nothing(
    run: Callable[..., Said], tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert said in err and err.count("\n") == 1 and "Traceback" not in err
    assert not list(tmp_path.iterdir())


def test_help_has_examples_that_can_be_typed(run: Callable[..., Said]) -> None:
    code, out, _ = run("--help")
    assert code == 0
    lines = [line.strip() for line in out.splitlines() if line.strip().startswith("symbackprop graph")]
    assert len(lines) == 4
    for line in lines:
        assert run(*shlex.split(line)[2:])[0] == 0, line


def test_where_one_picture_cannot_be_made_none_is_written(
    run: Callable[..., Said], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    code, _, err = run("x * y", "-o", "first.svg", "-o", "second.pdf")
    assert (code, err.count("\n")) == (2, 1) and "pdflatex" in err
    assert list(tmp_path.iterdir()) == []
