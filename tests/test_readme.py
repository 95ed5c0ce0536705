"""The README is a program: its Python blocks run in order, and what its console blocks show is what the commands print."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from symbackprop.cli import main

README = Path(__file__).parents[1] / "README.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(kind: str) -> list[str]:
    return [text for found, text in BLOCK.findall(README.read_text(encoding="utf-8")) if found == kind]


def test_python_blocks_run_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    namespace: dict[str, object] = {"__name__": "readme"}
    code = blocks("python")
    assert code, "the README has no Python block"
    for text in code:
        exec(compile(text, str(README), "exec"), namespace)


def commands() -> list[tuple[str, str]]:
    """Every `$ symbackprop ...` of a console block with the output that is shown below it."""
    found = []
    for block in blocks("console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, _, shown = part.partition("\n")
            found.append((line, shown))
    return found


@pytest.mark.parametrize(("line", "shown"), commands(), ids=[line for line, _ in commands()])
def test_console_blocks_show_what_the_commands_print(
    line: str, shown: str, update: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "140")
    words = shlex.split(line)
    assert words[0] == "symbackprop", f"only symbackprop commands are checked: {line}"
    with pytest.raises(SystemExit) as left:
        main(words[1:])
    assert left.value.code == 0
    printed = [each.rstrip() for each in capfd.readouterr().out.splitlines()]
    if update and "...\n" not in shown:
        text = README.read_text(encoding="utf-8")
        README.write_text(text.replace(f"$ {line}\n{shown}", "\n".join([f"$ {line}", *printed, ""])), encoding="utf-8")
        return
    # `...` stands for lines that are left out; what is shown between two of them stands together in the output.
    for piece in re.split(r"^ *\.\.\.\n", shown, flags=re.MULTILINE):
        wanted = [each.rstrip() for each in piece.splitlines()]
        starts = [k for k in range(len(printed) - len(wanted) + 1) if printed[k : k + len(wanted)] == wanted]
        assert starts, f"not in the output of {line}:\n{piece}\n--- output:\n" + "\n".join(printed)
        printed = printed[starts[0] + len(wanted) :]


def test_kernels_that_are_shown_stand_in_the_committed_modules(update: bool) -> None:
    modules = [path.read_text(encoding="utf-8") for path in sorted((README.parent / "generated").glob("*/*.py"))]
    shown = blocks("py")
    assert shown, "the README shows no kernel"
    for block in shown:
        head = next(line for line in block.splitlines() if line.startswith("def "))
        name = head.split("(")[0]
        bodies = [part.strip("\n") for text in modules for part in text.split("\n\n\n") if f"\n{name}(" in part]
        if update and bodies:
            README.write_text(README.read_text(encoding="utf-8").replace(block, bodies[0] + "\n"), encoding="utf-8")
        else:
            assert block.strip("\n") in bodies, f"run pytest --update: {name} reads otherwise now"
