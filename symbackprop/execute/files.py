"""Files are written whole or not at all, and only inside the folder that was named."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from symbackprop.errors import OutputError

#: Names that some systems take for devices, whatever the suffix.
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{port}{k}" for port in ("com", "lpt") for k in range(1, 10))})


def inside(root: str | os.PathLike[str], relative: str | os.PathLike[str]) -> Path:
    """Return ``root/relative`` as an absolute path, with every link followed.

    Raises:
        OutputError: it would lie outside ``root``, or its name is that of a device.
    """
    folder, given = _resolved(Path(root), "folder"), Path(relative)
    if given.is_absolute() or ".." in given.parts or not given.parts:
        raise OutputError(f"output path {os.fspath(relative)!r} leaves the folder {os.fspath(root)!r}; give a path inside it")
    for part in given.parts:
        if part.split(".")[0].lower() in _DEVICES or "\0" in part:
            raise OutputError(f"output path {os.fspath(relative)!r}: {part!r} is the name of a device; choose another name")
    path = _resolved(folder / given, "path")
    if not path.is_relative_to(folder):
        raise OutputError(
            f"output path {os.fspath(relative)!r} leads out of {os.fspath(root)!r} to {path}; remove the link or name that folder itself"
        )
    return path


def _resolved(path: Path, what: str) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise OutputError(f"output {what} {os.fspath(path)!r} cannot be resolved: {_reason(error)}") from error


def write(path: str | os.PathLike[str], content: str | bytes) -> Path:
    """Write one file: a temporary file beside it, flushed to the disk, then put in place in one move.

    Raises:
        OutputError: the folder is missing or cannot be written; an older file is left as it was.
    """
    target = Path(path)
    staged = _stage(target, content)
    try:
        os.replace(staged, target)
    except OSError as error:
        _discard([staged])
        raise OutputError(f"cannot write {target}: {_reason(error)}; choose a path that can be written") from error
    return target


def write_all(root: str | os.PathLike[str], contents: Mapping[str, str | bytes]) -> tuple[Path, ...]:
    """Write several files below ``root``, creating folders as needed; where one cannot be written, none is.

    Raises:
        OutputError: a path leaves ``root``, or a folder cannot be written.
    """
    targets = [inside(root, relative) for relative in contents]
    for target in targets:
        if target.is_dir():
            raise OutputError(f"cannot write {target}: it is a folder; remove it or choose another output folder")
    made: list[Path] = []
    staged: list[Path] = []
    try:
        for target in targets:
            _make_folder(target.parent, made)
        for target, content in zip(targets, contents.values(), strict=True):
            staged.append(_stage(target, content))
        for source, target in zip(staged, targets, strict=True):
            os.replace(source, target)
    except OSError as error:
        _discard(staged)
        for folder in reversed(made):
            with suppress(OSError):
                folder.rmdir()
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"cannot write into {os.fspath(root)!r}: {_reason(error)}; choose a folder that can be written") from error
    return tuple(targets)


def _make_folder(folder: Path, made: list[Path]) -> None:
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    if not folder.is_dir():
        raise OutputError(f"cannot write below {folder}: it is a file, not a folder; choose another output folder")
    for part in reversed(missing):
        part.mkdir(exist_ok=True)
        made.append(part)


def _stage(target: Path, content: str | bytes) -> Path:
    """Write the content to a temporary file in the target's own folder, so that the last move cannot cross a disk."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    staged: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
        staged = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        staged.chmod(target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())
    except OSError as error:
        if staged is not None:
            _discard([staged])
        raise OutputError(f"cannot write {target}: {_reason(error)}; choose a path that can be written") from error
    return staged


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _discard(paths: list[Path]) -> None:
    for path in paths:
        with suppress(OSError):
            path.unlink()


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error)


__all__ = ["inside", "write", "write_all"]
