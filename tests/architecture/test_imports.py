"""The stages import one another in one direction only."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import symbackprop

PACKAGE = Path(symbackprop.__file__).parent

#: Below all stages: no stage's knowledge in them.
GROUND = {"errors", "resources"}
#: Each stage may import from those before it (and from the ground, and from its own folder).
ORDER = ("algebra", "declare", "derive", "plan", "emit", "execute")
#: An oracle must not know the suspect, a text must not know the machine: what these may import besides the ground and algebra.
#: Of other stages they read records, which are data and do no work.
RECORDS = {"validate": {"declare", "derive"}, "present": {"declare", "derive"}}
RECORD_MODULES = {"declare.model", "derive.records"}
#: Above all stages.
TOP = {"pipeline", "public", "cli", "command", "__main__", "__init__", "data"}


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if "_bundled" not in path.parts)


def name_of(path: Path) -> str:
    parts = list(path.relative_to(PACKAGE).with_suffix("").parts)
    if parts[-1] == "__init__" and len(parts) > 1:
        parts.pop()
    return ".".join(parts)


def imports(path: Path) -> set[str]:
    """The modules of the package that a file imports, typing-only and deferred imports included."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            # `from symbackprop.derive import records` names a module, `from symbackprop.derive.records import Step` does not.
            found |= {f"{module}.{a.name}" if is_module(f"{module}.{a.name}") else module for a in node.names}
    return {name.removeprefix("symbackprop").removeprefix(".") for name in found if name.split(".")[0] == "symbackprop"}


def is_module(name: str) -> bool:
    path = PACKAGE.parent.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def head(name: str) -> str:
    return name.split(".")[0] or "__init__"


def allowed(stage: str) -> set[str]:
    if stage in ORDER:
        return GROUND | set(ORDER[: ORDER.index(stage) + 1])
    return GROUND | {"algebra", stage} | RECORDS.get(stage, set())


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_a_module_imports_only_what_its_stage_may_know(path: Path) -> None:
    name = name_of(path)
    stage = head(name)
    if stage in GROUND:
        assert {head(i) for i in imports(path)} <= GROUND
        return
    if stage in TOP:
        return
    assert stage in ORDER or stage in RECORDS, f"{name} belongs to no stage; give it a place here"
    for imported in sorted(imports(path)):
        assert head(imported) in allowed(stage), f"{name} imports {imported}"
        if stage in RECORDS and head(imported) in RECORDS[stage]:
            assert imported in RECORD_MODULES, f"{name} imports {imported}: of that stage it may only read records"


def test_imports_make_no_circle() -> None:
    graph = {name_of(path): imports(path) for path in modules() if name_of(path) != "__init__"}
    done: set[str] = set()
    open_: list[str] = []

    def visit(name: str) -> None:
        if name in done or name not in graph:
            return
        assert name not in open_, " -> ".join([*open_[open_.index(name) :], name])
        open_.append(name)
        for other in sorted(graph[name]):
            visit(other)
        open_.pop()
        done.add(name)

    for name in sorted(graph):
        visit(name)


def test_nothing_but_the_command_line_uses_typer_and_rich_but_for_the_progress_of_execute() -> None:
    places = {"typer": {"cli", "command"}, "rich": {"cli", "command", "execute"}}
    for path in modules():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)} | {
            a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names
        }
        for library, allowed_in in places.items():
            if any(name.split(".")[0] == library for name in names):
                assert head(name_of(path)) in allowed_in, f"{name_of(path)} imports {library}"
