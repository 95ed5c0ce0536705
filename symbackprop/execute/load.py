"""From text to a module: out of the cache folder, so that compiled code is kept from one process to the next."""

from __future__ import annotations

import atexit
import importlib.util
import shutil
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from symbackprop.errors import TargetError
from symbackprop.execute import cache, devices
from symbackprop.execute.face import Face

#: The file beside the text that holds its face.
FACE = "face.json"

#: Importing a module changes the list of modules and the search path, which all threads share.
_IMPORTING = threading.RLock()
#: The runtime of a CUDA module by its name, and the device that it was told.
_RUNTIMES: dict[str, tuple[ModuleType, Any]] = {}


@dataclass(frozen=True)
class Loaded:
    """A module that runs, with all that is known about it."""

    face: Face
    module: ModuleType
    path: Path
    source: str
    #: What the kernels of a CUDA module run on, the file beside it; None for other targets.
    runtime: Any = None

    @property
    def parallel(self) -> bool:
        """Whether threads of this machine share loops."""
        return self.runtime is None and ("prange" in self.source or "_parallel" in self.source)


def recall(key: str, device: Any = None) -> Loaded | None:
    """Return what an earlier process stored under a key, for a device; None if there is nothing sound."""
    found = cache.find(key)
    if found is None:
        return None
    folder, texts = found
    try:
        face = Face.from_json(texts[FACE])
        source = texts[face.module]
    except (KeyError, ValueError, TypeError):
        return None
    with _IMPORTING:
        return _enter(key, folder, face, source, device)


def load(key: str, face: Face, texts: Mapping[str, str], device: Any = None) -> Loaded:
    """Store texts under a key and return their module; without a usable cache they lie in a private folder until the end.

    Args:
        key: of the cache.
        face: what the text takes and gives.
        texts: file name -> text; ``face.module`` is one of them, the others are the runtime that it imports.
        device: what the kernels of a CUDA module run on.
    """
    kept = {**texts, FACE: face.to_json()}
    folder = cache.store(key, kept)
    if folder is None:
        try:
            folder = Path(tempfile.mkdtemp(prefix="symbackprop-"))
        except OSError as error:
            raise TargetError(
                f"no folder to load the program from: {error.strerror}; make the cache or temporary folder writable"
            ) from error
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        for file, text in kept.items():
            (folder / file).write_bytes(text.encode("utf-8"))
    with _IMPORTING:
        return _enter(key, folder, face, texts[face.module], device)


def _enter(key: str, folder: Path, face: Face, source: str, device: Any) -> Loaded:
    """Import the module of a folder under a name of its own: the key keeps two programs of one name apart."""
    name = f"symbackprop_{face.kind}{devices.label(device)}_{key[:16]}"
    path = folder / face.module
    known, (beside, told) = sys.modules.get(name), _RUNTIMES.get(name, (None, None))
    if known is not None and getattr(known, "__file__", None) == str(path) and told is device:
        return Loaded(face, known, path, source, beside)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise TargetError(f"{path} is no Python module")
    module = importlib.util.module_from_spec(spec)
    # Numba finds a compiled function's module by name.
    sys.modules[name] = module
    runtime = f"kernels_{face.kind}"
    hidden = sys.modules.pop(runtime, None)
    sys.path.insert(0, str(folder))
    try:
        exec(compile(source, str(path), "exec"), module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    finally:
        sys.path.remove(str(folder))
        beside = sys.modules.get(runtime)
        if hidden is not None:
            sys.modules[runtime] = hidden
    if device is None:
        return Loaded(face, module, path, source)
    if beside is None:
        raise TargetError(f"{path} does not import {runtime}")
    devices.settle(beside, device)
    _RUNTIMES[name] = (beside, device)
    return Loaded(face, module, path, source, beside)


__all__ = ["FACE", "Loaded", "load", "recall"]
