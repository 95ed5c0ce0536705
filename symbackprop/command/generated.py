"""The folder ``generated/``: written from ``examples/``, and held against it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from pathlib import Path

from symbackprop.command.network import declares, from_module
from symbackprop.errors import DeclarationError, OutputError
from symbackprop.execute.files import write_all
from symbackprop.pipeline import artifacts

#: What every example is written as.
TARGETS = ("numpy", "cpu", "cuda")

#: A file whose head says this is one of ours and may be replaced or removed.
_SIGN = "Written from the template"


def wanted(examples: Path, started: Callable[[str], None] = lambda name: None) -> dict[str, str]:
    """Return what ``generated/`` holds if it is true: relative path -> text, for every example that declares ``net``.

    Raises:
        DeclarationError: there are no examples, or a network does not have the name of its file.
    """
    if not examples.is_dir():
        raise DeclarationError(f"there is no folder {examples}; --all works in a folder that has one, with files such as {examples}/xor.py")
    paths = sorted(path for path in examples.glob("*.py") if declares(path))
    if not paths:
        raise DeclarationError(f"no file in {examples} declares a network: write net = sbp.Sequential(...)")
    texts: dict[str, str] = {}
    for path in paths:
        started(path.stem)
        loaded = from_module(path)
        if loaded.net.name != path.stem:
            raise DeclarationError(
                f"{path}: the network is called {loaded.net.name!r}; an example carries the name of its file: name={path.stem!r}"
            )
        made = artifacts(loaded.net.spec, TARGETS, dtype=loaded.dtype or "float32", batch=loaded.batch, optimizer=loaded.optimizer)
        texts |= {artifact.path: artifact.text for artifact in made}
    return texts


def found(root: Path) -> dict[str, str]:
    """Return what lies in the folder: relative path -> text; caches of Python and hidden files are not looked at."""
    files = {path.relative_to(root): path for path in sorted(root.rglob("*")) if path.is_file()}
    seen = {name: path for name, path in files.items() if not any(part == "__pycache__" or part.startswith(".") for part in name.parts)}
    return {name.as_posix(): path.read_text(encoding="utf-8", errors="replace") for name, path in seen.items()}


def differences(there: Mapping[str, str], right: Mapping[str, str]) -> tuple[str, ...]:
    """Return one unified diff for each file that is stale, missing or extra; nothing if all is true."""
    return tuple(
        "".join(
            difflib.unified_diff(
                there.get(name, "").splitlines(keepends=True),
                right.get(name, "").splitlines(keepends=True),
                f"{name} (in the folder)" if name in there else "(no file)",
                f"{name} (from the examples)" if name in right else "(no example writes this file)",
            )
        )
        or f"{name}: an empty file {'is extra' if name in there else 'is missing'}\n"
        for name in sorted({*there, *right})
        if there.get(name) != right.get(name)
    )


def rewrite(root: Path, right: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Make the folder true; return the names of the files that changed and of those that were removed.

    Raises:
        OutputError: a file is in the way that was not written by this package; nothing has changed then.
    """
    there = found(root) if root.is_dir() else {}
    extra = sorted(set(there) - set(right))
    foreign = [name for name in extra if _SIGN not in there[name][:400]]
    if foreign:
        raise OutputError(f"{root / foreign[0]} was not written by symbackprop and no example writes it; move it away, then run again")
    changed = {name: text for name, text in right.items() if there.get(name) != text}
    if changed:
        write_all(root, changed)
    for name in extra:
        (root / name).unlink()
    return tuple(sorted(changed)), tuple(extra)
