"""Shared libraries whose functions are Python's: libcuda.so.1 and libcublas.so.13."""

from __future__ import annotations

import atexit
import ctypes
import importlib.util
import os
import shutil
import subprocess
import tempfile
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from stand_in import blas, entries
from stand_in.answers import NOT_FOUND, OK, UNKNOWN, Answer
from stand_in.card import Card
from stand_in.entries import put

#: Arguments that a function of C passes on: the most that one here has.
MOST = 20


def callbacks(card: Card, functions: Mapping[str, tuple[str, Callable[..., None]]]) -> dict[str, Any]:
    """Return functions of a card as C calls them."""

    def made(name: str, kinds: str, function: Callable[..., None]) -> Any:
        def call(*arguments: Any) -> int:
            card.asked.append(name)
            try:
                function(card, *(0 if a is None else a for a in arguments))
            except Answer as answer:
                card.errors.append(f"{name}: {answer}")
                return answer.code
            except Exception:
                card.errors.append(f"{name}: {traceback.format_exc()}")
                return UNKNOWN
            return OK

        return ctypes.CFUNCTYPE(ctypes.c_int, *(entries.KINDS[kind] for kind in kinds))(call)

    return {name: made(name, kinds, function) for name, (kinds, function) in functions.items()}


def finders(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the functions that say where the others are."""

    def procedure(symbol: bytes, out: int, version: int, flags: int, status: int) -> int:
        there = found.get(symbol.decode())
        put(out, ctypes.cast(there, ctypes.c_void_p).value if there is not None else 0)
        if status:
            put(status, int(there is None), ctypes.c_int)
        return OK if there is not None else NOT_FOUND

    types = ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_ulonglong, ctypes.c_void_p
    made = ctypes.CFUNCTYPE(ctypes.c_int, *types)(procedure)
    return {"cuGetProcAddress": made, "cuGetProcAddress_v2": made}


def source(names: Sequence[str]) -> str:
    """Return the C text of a library whose functions go wherever they are told: to what Python has made of them."""
    letters = [f"a{k}" for k in range(MOST)]
    taken = ", ".join(f"long {letter}" for letter in letters)
    lines = [f"typedef long (*any)({taken});"]
    for name in names:
        # The kinds of the arguments are of no matter: integers and addresses go through registers and the stack as they are.
        lines += [f"any at_{name};", f"long {name}({taken}) {{ return at_{name}({', '.join(letters)}); }}"]
    return "\n".join(lines) + "\n"


def loaded(folder: Path, name: str, made: Mapping[str, Any]) -> ctypes.CDLL:
    """Return a library of some functions, after which this process finds it by its name alone."""
    (folder / f"{name}.c").write_text(source(sorted(made)), encoding="utf-8")
    command = ["cc", "-shared", "-fPIC", "-nostdlib", "-O1", f"-Wl,-soname,{name}", "-o", str(folder / name), str(folder / f"{name}.c")]
    subprocess.run(command, check=True, capture_output=True)
    library = ctypes.CDLL(str(folder / name), mode=ctypes.RTLD_GLOBAL)
    for one, function in made.items():
        ctypes.c_void_p.in_dll(library, f"at_{one}").value = ctypes.cast(function, ctypes.c_void_p).value
    return library


def install(card: Card) -> Card:
    """Let this process find a card where it looks for libcuda.so.1 and libcublas.so.13; nothing of CUDA may be imported before."""
    folder = Path(tempfile.mkdtemp(prefix="stand-in-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    made = callbacks(card, entries.FUNCTIONS)
    made |= finders(made)
    products = callbacks(card, blas.FUNCTIONS)
    # Kept for as long as the process lives: somebody may call them at its end.
    card.library = [made, products, loaded(folder, "libcuda.so.1", made), loaded(folder, "libcublas.so.13", products)]
    os.environ["NUMBA_CUDA_DRIVER"] = str(folder / "libcuda.so.1")
    if "CUDA_HOME" not in os.environ and (wheels := _wheels()) is not None:
        # Numba's own target looks for the compiler of kernels where a toolkit has it, not where wheels have it.
        (folder / "nvvm").symlink_to(wheels / "nvvm")
        (folder / "lib64").symlink_to(wheels / "lib")
        os.environ["CUDA_HOME"] = str(folder)
    return card


def _wheels() -> Path | None:
    """Return where NVIDIA's wheels have their files."""
    spec = importlib.util.find_spec("nvidia")
    roots = (spec.submodule_search_locations or ()) if spec else ()
    return next((Path(root) / "cu13" for root in roots if (Path(root) / "cu13" / "nvvm").is_dir()), None)
