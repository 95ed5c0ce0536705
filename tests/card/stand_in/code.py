"""Kernels as their machine code describes them, and PTX made into machine code."""

from __future__ import annotations

import ctypes
import math
import struct
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stand_in.answers import INVALID_IMAGE, Answer
from symbackprop.validate import machine_code

#: What stands in a section of facts: entries with a size, and among them registers of a function, a parameter, the most threads.
SIZED, REGISTERS, PARAMETER, THREADS = 0x04, 0x2F, 0x17, 0x05
#: What a symbol says of itself that the host may start.
ENTRY = 0x10


@dataclass
class Function:
    """A kernel as its machine code describes it.

    Attributes:
        name: of the kernel, mangled.
        registers: of a thread.
        shared: bytes of static shared memory.
        parameters: offset and bytes of each.
        threads: the most of a block that the code was compiled for.
        dynamic: bytes of dynamic shared memory that a launch may ask for.
    """

    name: str
    registers: int = 0
    shared: int = 0
    parameters: tuple[tuple[int, int], ...] = ()
    threads: int = 1024
    dynamic: int = 49152


def functions(image: int) -> dict[str, Function]:
    """Read the kernels of machine code in memory, an ELF file.

    Raises:
        Answer: it is none.
    """
    head = ctypes.string_at(image, 64)
    if head[:4] != b"\x7fELF":
        raise Answer(INVALID_IMAGE, f"machine code begins with {head[:16]!r}")
    table, count, names_at = struct.unpack_from("<Q", head, 40)[0], *struct.unpack_from("<HH", head, 60)
    sections = [struct.unpack("<IIQQQQIIQQ", ctypes.string_at(image + table + 64 * k, 64)) for k in range(count)]

    def named(section: Sequence[int]) -> str:
        return ctypes.string_at(image + sections[names_at][4] + section[0]).decode()

    def content(section: Sequence[int]) -> bytes:
        return ctypes.string_at(image + section[4], section[5])

    by_name = {named(s): s for s in sections}
    symbols = content(by_name[".symtab"])
    strings = content(by_name[".strtab"])
    labels = []
    for at in range(0, len(symbols), 24):
        first, _, other = struct.unpack_from("<IBB", symbols, at)
        labels.append((strings[first : strings.index(b"\0", first)].decode(), other))
    # Kernels are the functions that the host may start.
    found = {label: Function(label) for label, other in labels if other & ENTRY}
    for name, section in by_name.items():
        owner = found.get(name.removeprefix(".nv.shared.")) if name.startswith(".nv.shared.") else None
        if owner is not None:
            owner.shared = section[5]
        if not name.startswith(".nv.info"):
            continue
        owner = found.get(name.removeprefix(".nv.info."))
        text, at, parameters = content(section), 0, {}
        while at < len(text):
            form, kind, size = struct.unpack_from("<BBH", text, at)
            at += 4
            if form != SIZED:
                continue
            words, at = text[at : at + size], at + size
            if kind == REGISTERS:
                label, registers = struct.unpack("<II", words)
                if labels[label][0] in found:
                    found[labels[label][0]].registers = registers
            elif kind == PARAMETER and owner is not None:
                _, ordinal, offset, flags = struct.unpack("<IHHI", words)
                parameters[ordinal] = (offset, flags >> 18)
            elif kind == THREADS and owner is not None:
                owner.threads = math.prod(struct.unpack("<III", words))
        if owner is not None:
            owner.parameters = tuple(parameters[k] for k in sorted(parameters))
    return found


def linked(texts: Sequence[tuple[str, bytes]], architecture: str = "sm_90", registers: int = 0) -> bytes:
    """Return machine code of PTX and of libraries, as a driver makes it.

    Args:
        texts: "ptx", "cubin" or "library", and the bytes of each.
        architecture: of the card.
        registers: of a thread, at most; 0 for as many as there are.

    Raises:
        Answer: ptxas or nvlink refuses.
    """
    ptxas, _ = machine_code.tools()
    alone = len(texts) == 1
    limit = (f"-maxrregcount={registers}",) if registers else ()
    with tempfile.TemporaryDirectory(prefix="stand-in-") as folder:
        made = []
        for number, (kind, text) in enumerate(texts):
            path = Path(folder) / f"{number}.{'a' if kind == 'library' else kind}"
            path.write_bytes(text.rstrip(b"\0") if kind == "ptx" else text)
            if kind == "ptx":
                _run(ptxas, f"-arch={architecture}", *limit, *(() if alone else ("-c",)), str(path), "-o", str(path.with_suffix(".cubin")))
                path = path.with_suffix(".cubin")
            made.append(str(path))
        if alone:
            return Path(made[0]).read_bytes()
        _run(ptxas.with_name("nvlink"), f"-arch={architecture}", *made, "-o", f"{folder}/all.cubin")
        return (Path(folder) / "all.cubin").read_bytes()


def _run(tool: Path, *words: str) -> None:
    done = subprocess.run([str(tool), *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Answer(INVALID_IMAGE, done.stderr or done.stdout)
