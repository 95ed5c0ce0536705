"""What the compilers make of a CUDA module's kernels, without a GPU: registers, memory, and how much of it is arithmetic.

Every kernel is compiled to PTX by Numba, to machine code by ptxas, and read as nvdisasm prints it. What must not be there is an error:
spills, stack, float64 in kernels of float32, more shared memory than a block has.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from symbackprop.errors import CheckError, TargetError

#: The architectures that are looked at.
ARCHITECTURES = ("sm_80", "sm_90")
#: Bytes of static shared memory that a block may have, and the newest PTX that drivers for CUDA 13.0 take.
SHARED, PTX = 49_152, (9, 0)
#: Bytes that loads of four start at a multiple of; and those of shared arrays that hold no tiles, but a number for each warp.
ALIGNED, FEW = 16, 256
#: By how much the registers of a kernel may grow before it is news.
SLACK = 1.1

_FLOAT64 = re.compile(r"(DADD|DMUL|DFMA|DSETP|DMNMX|MUFU\.\w*64\w*|[FI]2[FI]\S*\.F64|F2F\S*\.F64)\b")
#: Instructions in float64 of a sine or cosine in float32, for arguments above 10^5.
ANGLE = 3
_INTEGER = (
    "IADD",
    "IMAD",
    "LEA",
    "ISETP",
    "SHF",
    "LOP",
    "IABS",
    "VIADD",
    "IMNMX",
    "VIMNMX",
    "UIADD",
    "UIMAD",
    "ULEA",
    "USHF",
    "ULOP",
    "UISETP",
)


@dataclass(frozen=True)
class MachineCode:
    """A kernel in machine code; all but the sizes are numbers of instructions.

    Attributes:
        kernel: its name.
        architecture: that it is for.
        registers: of a thread.
        shared: bytes of static shared memory of a block.
        stack: bytes of a thread.
        spills: bytes that are stored to and loaded from memory because there are not enough registers.
        ffma: fused multiply-adds of float32.
        hmma: of tensor cores.
        lds: loads from shared memory.
        lds_128: of four numbers among them.
        sts: stores to shared memory.
        sts_128: of four numbers among them.
        ldg: loads from global memory.
        ldg_128: of four numbers among them.
        stg: stores to global memory.
        local: loads and stores of local memory.
        mufu: of special functions.
        float64: whatever computes in float64.
        integer: of whole numbers.
        calls: of functions.
        total: of all kinds.
        loop: those of the innermost loop with the most multiply-adds.
        loop_fma: multiply-adds in it.
        extremes: maxima and minima of real numbers in PTX, which drop NaN.
        arrays: of shared memory, large ones, that need not begin at a multiple of 16 bytes though loads of four may read them.
    """

    kernel: str
    architecture: str
    registers: int
    shared: int
    stack: int
    spills: int
    ffma: int
    hmma: int
    lds: int
    lds_128: int
    sts: int
    sts_128: int
    ldg: int
    ldg_128: int
    stg: int
    local: int
    mufu: int
    float64: int
    integer: int
    calls: int
    total: int
    loop: int
    loop_fma: int
    extremes: int = 0
    arrays: int = 0

    @property
    def share(self) -> float:
        """How much of the innermost loop is multiply-adds."""
        return self.loop_fma / self.loop if self.loop else 0.0


def tools() -> tuple[Path, Path]:
    """Return where ptxas and nvdisasm are.

    Raises:
        TargetError: one of them is not installed.
    """
    return _tool("ptxas"), _tool("nvdisasm")


def _tool(name: str) -> Path:
    found = shutil.which(name)
    places = [Path(found)] if found else []
    if os.environ.get("CUDA_HOME"):
        places.append(Path(os.environ["CUDA_HOME"]) / "bin" / name)
    spec = importlib.util.find_spec("nvidia")
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        places += sorted(Path(folder).glob(f"*/bin/{name}"))
    for place in places:
        if place.is_file():
            return place
    raise TargetError(f"{name} is not installed: pip install 'symbackprop[cuda]' brings it")


def inspected(
    module: ModuleType, architectures: Sequence[str] = ARCHITECTURES, kernels: Iterable[str] | None = None
) -> tuple[MachineCode, ...]:
    """Return the machine code of a generated module's kernels.

    Args:
        module: with SIGNATURES, the types of each kernel's arguments.
        architectures: that are compiled for.
        kernels: names of those to look at; all of them without it.

    Raises:
        TargetError: a compiler is not installed.
        CheckError: a compiler refuses a kernel.
    """
    ptxas, nvdisasm = tools()
    names = tuple(module.SIGNATURES) if kernels is None else tuple(kernels)
    made = []
    for architecture in architectures:
        with _driver(architecture):
            texts = {name: _ptx(module, name, architecture) for name in names}
        for name in names:
            most = getattr(getattr(module, name), "options", {}).get("max_registers")
            made.append(_disassembled(name, texts[name], architecture, ptxas, nvdisasm, most))
    return tuple(made)


@contextmanager
def _driver(architecture: str) -> Iterator[None]:
    """Answer for the driver, which functions of the device ask for the compute capability."""
    cuda = _numba()
    device = SimpleNamespace(compute_capability=_capability(architecture))
    holders = [sys.modules[name] for name in (f"{cuda.__name__}.dispatcher", f"{cuda.__name__}.compiler") if name in sys.modules]
    before = [(holder, holder.get_current_device) for holder in holders if hasattr(holder, "get_current_device")]
    try:
        for holder, _ in before:
            holder.get_current_device = lambda: device  # type: ignore[attr-defined]
        yield
    finally:
        for holder, function in before:
            holder.get_current_device = function  # type: ignore[attr-defined]


def _numba() -> ModuleType:
    """Return Numba's module for CUDA.

    Raises:
        TargetError: it cannot be imported.
    """
    try:
        return importlib.import_module("numba.cuda")
    except Exception as error:
        raise TargetError(f"Numba's CUDA target cannot be imported: {error}; pip install 'symbackprop[cuda]' brings it") from error


def _capability(architecture: str) -> tuple[int, int]:
    number = int(architecture.removeprefix("sm_"))
    return number // 10, number % 10


def _ptx(module: ModuleType, name: str, architecture: str) -> str:
    cuda = _numba()
    types = importlib.import_module("numba.cuda.types" if "numba_cuda" in str(cuda.__file__) else "numba.core.types")
    # The runtime file beside the module knows how its kernels are made ready for Numba.
    function = module.launch.__globals__["compilable"](getattr(module, name), cuda)
    signature = tuple(_type(types, word) for word in module.SIGNATURES[name])
    try:
        text, _ = cuda.compile_ptx(function, signature, device=False, cc=_capability(architecture))
    except Exception as error:
        raise CheckError(f"{name} does not compile for {architecture}: {error}") from error
    return str(text)


def _type(types: ModuleType, word: str) -> Any:
    """Return the type that a word such as ``float32[::1]`` names."""
    base = getattr(types, word.partition("[")[0])
    return base[::1] if word.endswith("[::1]") else base


def _disassembled(name: str, ptx: str, architecture: str, ptxas: Path, nvdisasm: Path, registers: int | None = None) -> MachineCode:
    version = re.search(r"^\.version (\d+)\.(\d+)", ptx, re.MULTILINE)
    if version is None or (int(version[1]), int(version[2])) > PTX:
        raise CheckError(
            f"{name}: PTX of version {'.'.join(version.groups()) if version else 'none'}; drivers for CUDA 13.0 take 9.0 at most"
        )
    with tempfile.TemporaryDirectory() as folder:
        text, binary = Path(folder) / "kernel.ptx", Path(folder) / "kernel.cubin"
        text.write_text(ptx)
        # Blocks that wait for each other call the runtime of CUDA, which is linked later; until then nothing is said of shared memory.
        linked = "cudaCG" in ptx
        options = [*(["-c"] if linked else []), *([f"-maxrregcount={registers}"] if registers is not None else [])]
        said = _run(name, [str(ptxas), f"-arch={architecture}", *options, "-v", "-warn-spills", str(text), "-o", str(binary)])
        listing = _run(name, [str(nvdisasm), "-c", str(binary)])
    made = read(name, architecture, said, listing)
    arrays = _declared(ptx)
    odd = sum(size > FEW and aligned % ALIGNED != 0 for aligned, size in arrays) if "ld.shared.v" in ptx else 0
    made = replace(made, extremes=len(re.findall(r"\b(?:max|min)\.(?:\w+\.)*f(?:32|64)\b", ptx)), arrays=odd)
    return replace(made, shared=sum(size for _, size in arrays)) if linked else made


def _declared(ptx: str) -> list[tuple[int, int]]:
    """Return the alignment and the bytes of the arrays of shared memory that a text declares."""
    found = re.findall(r"\.shared\s+\.align\s+(\d+)\s+\.b(\d+)\s+\S+?\[(\d+)\]", ptx)
    return [(int(aligned), int(bits) // 8 * int(count)) for aligned, bits, count in found]


def _run(name: str, command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CheckError(f"{name}: {Path(command[0]).name} says {(done.stderr or done.stdout).strip()[:400]}")
    return done.stdout + done.stderr


def read(name: str, architecture: str, said: str, listing: str) -> MachineCode:
    """Return a kernel from what ptxas says about it and nvdisasm prints of it."""

    def number(pattern: str) -> int:
        return sum(map(int, re.findall(pattern, said)))

    code = _instructions(listing)
    ops = [op for op, _ in code if op]

    def starting(*words: str) -> int:
        return sum(op.startswith(words) for op in ops)

    loop = _loop(code)
    return MachineCode(
        kernel=name,
        architecture=architecture,
        registers=number(r"Used (\d+) registers"),
        shared=number(r"(\d+) bytes smem"),
        stack=number(r"(\d+) bytes stack frame"),
        spills=number(r"(\d+) bytes spill (?:stores|loads)"),
        ffma=starting("FFMA"),
        hmma=starting("HMMA"),
        lds=starting("LDS"),
        lds_128=starting("LDS.128"),
        sts=starting("STS"),
        sts_128=starting("STS.128"),
        ldg=starting("LDG"),
        ldg_128=sum(op.startswith("LDG") and ".128" in op for op in ops),
        stg=starting("STG"),
        local=starting("LDL", "STL"),
        mufu=starting("MUFU"),
        float64=sum(bool(_FLOAT64.match(op)) for op in ops),
        integer=starting(*_INTEGER),
        calls=starting("CALL"),
        total=len(ops),
        loop=len(loop),
        loop_fma=sum(op.startswith(("FFMA", "DFMA")) for op in loop),
    )


def _instructions(listing: str) -> list[tuple[str, str]]:
    """Return the instructions of a listing as (what, with what), and its labels as ("", label)."""
    found = []
    for line in listing.splitlines():
        label = re.match(r"\s*(\.L_x_\d+):", line)
        if label:
            found.append(("", label[1]))
        one = re.match(r"\s*/\*[0-9a-f]{4,}\*/\s+(?:\{\s*)?(?:@!?U?P[T\d]+\s+)?([A-Z][A-Z0-9_.]*)\s*([^;]*);", line)
        if one:
            found.append((one[1], one[2]))
    return found


def _loop(code: Sequence[tuple[str, str]]) -> list[str]:
    """Return the instructions of the innermost loop that has the most multiply-adds."""
    labels = {rest: k for k, (op, rest) in enumerate(code) if not op}
    loops = []
    for k, (op, rest) in enumerate(code):
        target = re.search(r"`\((\.L_x_\d+)\)", rest) if op.startswith("BRA") else None
        start = labels.get(target[1], k) if target else k
        if start < k:
            loops.append((start, k))
    inner = [a for a in loops if not any(b != a and a[0] <= b[0] and b[1] <= a[1] and _fma(code, b) for b in loops)]
    best = max(inner, key=lambda a: _fma(code, a), default=(0, -1))
    return [op for op, _ in code[best[0] : best[1] + 1] if op] if _fma(code, best) else []


def _fma(code: Sequence[tuple[str, str]], span: tuple[int, int]) -> int:
    return sum(op.startswith(("FFMA", "DFMA")) for op, _ in code[span[0] : span[1] + 1])


def check(module: ModuleType, codes: Iterable[MachineCode]) -> None:
    """Check the machine code of a generated module's kernels.

    Raises:
        CheckError: it names the kernel and the limit.
    """
    single = str(module.DTYPE) == "float32"
    doubles = frozenset(module.FLOAT64)
    for code in codes:
        text = inspect.getsource(getattr(module, code.kernel).py_func)
        # Functions of an angle bring their library's way for large arguments along: an array in local memory, or a little float64.
        angles = len(re.findall(r"math\.(?:sin|cos|tan)\(", text))
        limits = [("spills (bytes)", code.spills, 0)]
        if not angles:
            limits += [("stack (bytes)", code.stack, 0), ("accesses of local memory", code.local, 0)]
        limits += [("static shared memory (bytes)", code.shared, SHARED), ("maxima and minima, which drop NaN,", code.extremes, 0)]
        if single and code.kernel not in doubles:
            limits.append(("float64 instructions", code.float64, ANGLE * angles))
        # Numba aligns shared arrays to their entries; those of a joint kernel lie one behind the other.
        limits.append(("shared arrays that loads of four need at a multiple of 16 bytes", code.arrays, 0))
        for what, number, most in limits:
            if number > most:
                raise CheckError(f"{code.kernel} on {code.architecture}: {what}: {number}, the limit is {most}")
        if "multiply_add(" in text and not code.lds_128:
            raise CheckError(f"{code.kernel} on {code.architecture}: no load of four numbers from shared memory")


def table(codes: Iterable[MachineCode]) -> str:
    """Return kernels as a table."""
    heads = ("kernel", "arch", "regs", "shared", "spills", "ffma", "lds/128", "ldg/128", "sts/128", "local", "mufu", "f64", "int", "calls")
    rows: list[tuple[str, ...]] = [(*heads, "total", "loop", "fma in loop")]
    for c in codes:
        fours = (f"{c.lds}/{c.lds_128}", f"{c.ldg}/{c.ldg_128}", f"{c.sts}/{c.sts_128}")
        counts = map(str, (c.local, c.mufu, c.float64, c.integer, c.calls, c.total, c.loop))
        sizes = map(str, (c.registers, c.shared, c.spills, c.ffma))
        rows.append((c.kernel, c.architecture, *sizes, *fours, *counts, f"{c.share:.0%}" if c.loop else "-"))
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return "\n".join(
        "  ".join(word.ljust(w) if k < 2 else word.rjust(w) for k, (word, w) in enumerate(zip(row, widths, strict=True))) for row in rows
    )


def to_json(codes: Iterable[MachineCode]) -> str:
    """Return kernels as text that `from_json` reads."""
    return json.dumps([asdict(c) for c in codes], indent=1) + "\n"


def from_json(text: str) -> tuple[MachineCode, ...]:
    """Return the kernels of a text of `to_json`."""
    names = [f.name for f in fields(MachineCode)]
    return tuple(MachineCode(**{name: row[name] for name in names}) for row in json.loads(text))


def compare(codes: Iterable[MachineCode], golden: Iterable[MachineCode]) -> None:
    """Compare kernels with those that were accepted.

    Raises:
        CheckError: one needs more registers than there is slack for, or less of its inner loop is arithmetic, or it is unknown.
    """
    known: Mapping[tuple[str, str], MachineCode] = {(g.kernel, g.architecture): g for g in golden}
    for code in codes:
        before = known.get((code.kernel, code.architecture))
        if before is None:
            raise CheckError(f"{code.kernel} on {code.architecture} is not among the accepted kernels")
        if code.registers > SLACK * before.registers:
            raise CheckError(f"{code.kernel} on {code.architecture}: {code.registers} registers, {before.registers} were accepted")
        if code.share < 0.95 * before.share:
            raise CheckError(f"{code.kernel} on {code.architecture}: {code.share:.0%} of its inner loop, {before.share:.0%} were accepted")


__all__ = ["ARCHITECTURES", "MachineCode", "check", "compare", "from_json", "inspected", "read", "table", "to_json", "tools"]
