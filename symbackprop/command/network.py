"""From the word NETWORK on the command line to a declared network."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from symbackprop.errors import DataError, DeclarationError
from symbackprop.resources import folder

if TYPE_CHECKING:
    from symbackprop.public.network import Network

#: The name that a module gives to its network, unless ``file.py:name`` says otherwise.
DEFAULT = "net"


@dataclass(frozen=True)
class Loaded:
    """A network and what its module says about training it.

    Attributes:
        net: the declared network.
        origin: the file, for messages.
        optimizer: the module's ``OPTIMIZER``, or None.
        batch: the module's ``BATCH``, or None.
        dtype: the module's ``DTYPE``, or None.
        data: the module's function ``data`` that returns inputs and targets, or None.
        weights: the module's ``WEIGHTS``, values of all parameters by name, or None.
    """

    net: Network
    origin: str
    optimizer: Any = None
    batch: int | None = None
    dtype: str | None = None
    data: Any = field(default=None, repr=False)
    weights: Any = field(default=None, repr=False)


def examples() -> tuple[str, ...]:
    """Return the names of the shipped examples that declare a network."""
    return tuple(sorted(path.stem for path in folder("examples").glob("*.py") if declares(path)))


def declares(path: Path) -> bool:
    """Whether a file assigns `DEFAULT` at its top level, seen without running it."""
    return any(line.startswith(f"{DEFAULT} =") for line in path.read_text(encoding="utf-8").splitlines())


def load(word: str) -> Loaded:
    """Return the network that ``file.py[:name]``, ``file.toml`` or the name of a shipped example stands for.

    A ``.py`` file is run, it is the caller's own program; a ``.toml`` file is read and runs nothing.

    Raises:
        DeclarationError: there is no such file, example or network; the message names what there is.
    """
    path, _, name = word.partition(":") if ".py:" in word else (word, "", "")
    if path.endswith(".toml"):
        return _from_toml(_existing(path, word))
    if path.endswith(".py"):
        return from_module(_existing(path, word), name)
    known = examples()
    if word in known:
        return from_module(folder("examples") / f"{word}.py", "")
    raise DeclarationError(
        f"NETWORK {word!r} is no file.py[:name], no file.toml and no shipped example; the examples are {', '.join(known)}"
    )


def _existing(path: str, word: str) -> Path:
    found = Path(path)
    if not found.is_file():
        raise DeclarationError(f"NETWORK {word!r}: there is no file {path}")
    return found


def _from_toml(path: Path) -> Loaded:
    from symbackprop.public.network import Network

    return Loaded(Network.load(path), str(path))


def from_module(path: Path, name: str = "") -> Loaded:
    """Run a file and return the network it declares under ``name``, else under `DEFAULT`, else its only one."""
    from symbackprop.public.network import Network

    module = _run(path)
    there = {key: value for key, value in vars(module).items() if isinstance(value, Network)}
    wanted = name or (DEFAULT if DEFAULT in there else next(iter(there), DEFAULT) if len(there) < 2 else DEFAULT)
    if wanted not in there:
        listed = ", ".join(sorted(there)) or "no network at all"
        raise DeclarationError(f"{path} has no network named {wanted!r}; it has {listed}; write {path}:name")
    batch, dtype = getattr(module, "BATCH", None), getattr(module, "DTYPE", None)
    if batch is not None and (not isinstance(batch, int) or isinstance(batch, bool) or batch < 1):
        raise DeclarationError(f"{path}: BATCH is a positive whole number, got {batch!r}")
    optional = (getattr(module, key, None) for key in ("data", "WEIGHTS"))
    return Loaded(there[wanted], str(path), getattr(module, "OPTIMIZER", None), batch, dtype, *optional)


def _run(path: Path) -> ModuleType:
    """Run the user's file as a module of its own; what it raises is told in one line that names the line of the file."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise DeclarationError(f"{path} cannot be read as a Python file")
    module = importlib.util.module_from_spec(spec)
    # Its neighbours can be imported, as when Python runs the file itself; nothing is left beside it.
    sys.path.insert(0, str(path.resolve().parent))
    kept, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # a user's program may raise anything
        raise DeclarationError(f"{path}{_line(error, path)}: {type(error).__name__}: {_first_line(error)}") from error
    except SystemExit as error:
        raise DeclarationError(f"{path}{_line(error, path)}: the file ends the program; a network file only declares") from error
    finally:
        sys.path.remove(str(path.resolve().parent))
        sys.dont_write_bytecode = kept
    return module


def _line(error: BaseException, path: Path) -> str:
    if isinstance(error, SyntaxError):
        return f", line {error.lineno}"
    step, line = error.__traceback__, 0
    while step is not None:
        if Path(step.tb_frame.f_code.co_filename).resolve() == path.resolve():
            line = step.tb_lineno
        step = step.tb_next
    return f", line {line}" if line else ""


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), "")


def training_data(loaded: Loaded, data: str | None) -> tuple[Any, Any]:
    """Return inputs and targets: of the ``.npz`` file ``data``, of the shipped digits, or of the module's ``data()``.

    Raises:
        DataError: there are none, or the file does not hold them.
    """
    if data is None:
        if loaded.data is None:
            raise DataError(f"{loaded.origin} has no function data() that returns (x, y); give --data FILE.npz with the arrays x and y")
        given = loaded.data()
        if not isinstance(given, tuple) or len(given) != 2:
            raise DataError(f"{loaded.origin}: data() returns (x, y), got {type(given).__name__}")
        return given
    if data == "digits":
        from symbackprop.data import digits, every_fifth

        return every_fifth(*digits(loaded.dtype or "float32"))[:2]
    return _from_npz(loaded.net, Path(data))


def _from_npz(net: Network, path: Path) -> tuple[Any, Any]:
    import zipfile

    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, zipfile.BadZipFile, AttributeError, TypeError) as error:
        raise DataError(f"--data {path} is no readable .npz file of plain arrays: {_first_line(error)}") from error
    names = tuple(given.name for given in net.spec.inputs)
    missing = [name for name in (*names, "y") if name not in arrays]
    if missing:
        raise DataError(f"--data {path} lacks {', '.join(missing)}; it has {', '.join(sorted(arrays)) or 'nothing'}")
    inputs = tuple(arrays[name] for name in names)
    return (inputs[0] if len(inputs) == 1 else inputs), arrays["y"]
