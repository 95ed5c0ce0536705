"""The user's own folder of texts already made: trusted only where nobody else can write, and only if the bytes are whole.

An entry is a folder named by its key. Numba keeps its compiled code beside the text, so the entry stays where it is.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import platform
import shutil
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from functools import cache as remembered
from importlib import metadata
from pathlib import Path

from symbackprop import resources

#: The list of an entry's files with their hashes; an entry without it is not there.
MANIFEST = "manifest.json"

#: Entries beyond this number are removed, the ones longest unused first.
LARGEST = 400


def folder() -> Path | None:
    """Return the cache folder of this user, made if it is missing; None where no folder can be trusted."""
    home = os.environ.get("XDG_CACHE_HOME")
    try:
        base = Path(home) if home and Path(home).is_absolute() else Path.home() / ".cache"
        chosen = base / "symbackprop"
        chosen.mkdir(mode=0o700, parents=True, exist_ok=True)
        return chosen if _own(chosen, private=True) and os.access(chosen, os.W_OK | os.X_OK) else None
    except (OSError, RuntimeError):
        return None


def _own(path: Path, *, private: bool = False) -> bool:
    """Whether a path is this user's, no link, and not writable (or, if private, not readable) by others."""
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        return False
    owner = getattr(os, "getuid", None)
    if owner is None:
        return True
    return status.st_uid == owner() and not status.st_mode & (0o077 if private else 0o022)


@remembered
def surroundings() -> str:
    """Return the hash of everything besides the declaration that the text and its compiled form depend on."""
    seen = hashlib.sha256()
    for root, ends in ((Path(resources.__file__).parent, (".py", "tune.json")), (resources.folder("templates"), (".jinja",))):
        for path in sorted(p for p in root.rglob("*") if p.name.endswith(ends)):
            seen.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    versions = [f"{name} {metadata.version(name)}" for name in ("numba", "numpy", "sympy", "jinja2")]
    seen.update("\n".join([platform.python_version(), platform.machine(), _processor(), *versions]).encode())
    return seen.hexdigest()


def _processor() -> str:
    """The processor's model, where the system tells it."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            if line.startswith(("model name", "CPU part")):
                return line.partition(":")[2].strip()
    return platform.processor()


def key(declaration: str, options: Mapping[str, object]) -> str:
    """Return the key of a declaration with options: 64 hexadecimal digits."""
    written = json.dumps([declaration, {name: repr(value) for name, value in options.items()}, surroundings()], sort_keys=True)
    return hashlib.sha256(written.encode()).hexdigest()


def find(name: str) -> tuple[Path, dict[str, str]] | None:
    """Return the folder of an entry and its texts by file name; None if it is missing, damaged or somebody else's."""
    root = folder()
    if root is None:
        return None
    entry = root / name
    try:
        if not entry.is_dir() or not _own(entry):
            return None
        manifest = json.loads(_read(entry / MANIFEST))
        if manifest.get("key") != name:
            return None
        texts = {}
        for file, digest in manifest["files"].items():
            if Path(file).name != file:
                return None
            text = _read(entry / file)
            if hashlib.sha256(text.encode("utf-8")).hexdigest() != digest:
                return None
            texts[file] = text
        for compiled in entry.glob("__pycache__/*"):
            if not _own(compiled):
                return None
            if compiled.suffix in (".nbi", ".nbc") and not _whole(compiled):
                # Numba takes its files as they are; what is missing it makes again.
                compiled.unlink()
        with suppress(OSError):
            os.utime(entry)
        return entry, texts
    except (OSError, ValueError, TypeError, AttributeError, KeyError):
        return None


def _whole(path: Path) -> bool:
    """Whether a file of Numba's, which ends as every pickle does, has its end."""
    with open(path, "rb") as file:
        if not file.seek(0, os.SEEK_END):
            return False
        file.seek(-1, os.SEEK_END)
        return file.read() == pickle.STOP


def _read(path: Path) -> str:
    if not _own(path):
        raise OSError(f"{path} belongs to somebody else")
    return path.read_bytes().decode("utf-8")


def store(name: str, texts: Mapping[str, str]) -> Path | None:
    """Keep an entry and return its folder; None where nothing can be kept. What lay there before is replaced as a whole."""
    root = folder()
    if root is None:
        return None
    entry = root / name
    made: Path | None = None
    try:
        made = Path(tempfile.mkdtemp(prefix=".new-", dir=root))
        for file, text in texts.items():
            _write(made / file, text)
        manifest = {"key": name, "files": {file: hashlib.sha256(text.encode("utf-8")).hexdigest() for file, text in texts.items()}}
        _write(made / MANIFEST, json.dumps(manifest, sort_keys=True))
        if entry.is_symlink() or entry.is_file():
            entry.unlink()
        elif entry.exists():
            found = find(name)
            if found is not None and found[1] == dict(texts):
                # Another process was faster; its compiled code is worth keeping.
                shutil.rmtree(made, ignore_errors=True)
                return entry
            old = made.with_name(f"{made.name}-old")
            os.rename(entry, old)
            shutil.rmtree(old, ignore_errors=True)
        os.rename(made, entry)
        _prune(root)
        return entry
    except OSError:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)
        return None


def _write(path: Path, text: str) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text)


def _prune(root: Path) -> None:
    entries = [(path.stat().st_mtime, path) for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")]
    for _, path in sorted(entries)[: max(0, len(entries) - LARGEST)]:
        shutil.rmtree(path, ignore_errors=True)


__all__ = ["MANIFEST", "find", "folder", "key", "store", "surroundings"]
