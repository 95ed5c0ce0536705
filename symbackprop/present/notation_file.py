"""A notation of one's own, written as a TOML table: a preset and what differs from it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from symbackprop.errors import DeclarationError, OutputError
from symbackprop.present.letters import close_word
from symbackprop.present.presets import PRESETS, Notation

#: A notation is a short table.
MAX_BYTES = 100_000
_KINDS = {f.name: (int, "a number") if f.name == "first" else (str, "text") for f in fields(Notation)}


def notation_from_toml(given: str | Path | Mapping[str, Any]) -> Notation:
    r"""Return the notation that a TOML table describes.

        base = "ng"
        name = "mine"
        error = '\epsilon'
        bias_form = "separate"

    ``base`` is a preset ("ufldl" if it is left out); every other key is a field of `Notation`. The keys stand at the top of the file
    or in a table ``[notation]``.

    Args:
        given: the path of a file (a string that ends in ``.toml``, or a Path), TOML text, or the table itself.

    Raises:
        OutputError: the file cannot be read.
        DeclarationError: it is no TOML, or a key or value is unknown; the message names it.
    """
    if isinstance(given, Mapping):
        return _built(given, "notation", "mine")
    if isinstance(given, Path) or (isinstance(given, str) and given.endswith(".toml") and "\n" not in given):
        path = Path(given)
        where = f"notation file {path.name}"
        return _built(_table(_read(path, where), where), where, path.stem)
    if not isinstance(given, str):
        raise DeclarationError(f"a notation is read from a path, TOML text or a table, not from {type(given).__name__}")
    return _built(_table(given, "notation text"), "notation text", "mine")


def _read(path: Path, where: str) -> str:
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as problem:
        raise OutputError(
            f"{where} cannot be read: {problem.strerror}; give the path of a TOML file or one of {', '.join(PRESETS)}"
        ) from None
    if len(content) > MAX_BYTES:
        raise DeclarationError(f"{where} has more than {MAX_BYTES:,} bytes; a notation is a few lines")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise DeclarationError(f"{where} is not UTF-8 text") from None


def _table(text: str, where: str) -> Mapping[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        hint = r"; write macros in single quotes, error = '\delta'" if "\\" in text else ""
        raise DeclarationError(f"{where} is no TOML: {problem}{hint}") from None


def _built(table: Mapping[str, Any], where: str, name: str) -> Notation:
    if set(table) == {"notation"} and isinstance(table["notation"], Mapping):
        table = table["notation"]
    base = table.get("base", "ufldl")
    if not isinstance(base, str) or base not in PRESETS:
        raise DeclarationError(
            f"{where}: base {str(base)[:60]!r} is no preset{close_word(str(base)[:60], PRESETS)} (known: {', '.join(PRESETS)})"
        )
    changes: dict[str, Any] = {"name": name}
    for key, value in table.items():
        if key == "base":
            continue
        if key not in _KINDS:
            raise DeclarationError(f"{where}: unknown key {str(key)[:60]!r}{close_word(str(key)[:60], ('base', *_KINDS))}")
        kind, words = _KINDS[key]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise DeclarationError(f"{where}: {key} must be {words}, got {str(value)[:40]!r}")
        changes[key] = value
    if "source" not in changes:
        changes["source"] = f"after {base}"
    return replace(PRESETS[base], **changes)


__all__ = ["notation_from_toml"]
