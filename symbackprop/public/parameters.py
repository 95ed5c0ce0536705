"""Parameters: names for parts of one flat buffer."""

from __future__ import annotations

import importlib
import io
import json
import os
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.declare.initializers import initial_values
from symbackprop.declare.layout import ParameterRecord, place
from symbackprop.declare.suggest import suggestion
from symbackprop.errors import DataError, OutputError, ShapeError, TargetError
from symbackprop.execute.files import write

Array = npt.NDArray[Any]

#: The types that kernels compute in.
DTYPES = ("float32", "float64")

#: In files, names of state arrays carry this prefix; parameter names cannot contain it.
_STATE = "state:"

#: No file may claim more numbers than this.
_LIMIT = 2**31


class Parameters(Mapping[str, Array]):
    """A mapping from name to array. The arrays are views of one flat buffer, ``flat``.

    ``params["dense_1.W"] = array`` copies into the buffer, after a check of shape and type.
    """

    __slots__ = ("_records", "_state", "_views", "flat")

    flat: Array

    def __init__(self, records: Iterable[ParameterRecord], flat: Array, state: Mapping[str, Array] | None = None) -> None:
        self._records = {record.name: record for record in place(records)}
        self.flat = flat
        self._state: dict[str, Array] = dict(state or {})
        self._views: dict[str, Array] = {}
        for record in self._records.values():
            if record.offset is None or record.size is None:
                raise ShapeError(f"parameter {record.name} has a symbolic size {record.shape}; give it a number")
            self._views[record.name] = flat[record.offset : record.offset + record.size].reshape(tuple(map(int, record.shape)))
        if flat.ndim != 1 or flat.size != sum(view.size for view in self._views.values()) or not flat.flags.c_contiguous:
            raise ShapeError(
                f"the flat buffer must be one contiguous axis of {sum(v.size for v in self._views.values())} numbers, got {flat.shape}"
            )

    @classmethod
    def zeros(cls, records: Iterable[ParameterRecord], dtype: Any = "float64") -> Parameters:
        """Return parameters that are all zero."""
        placed = place(records)
        for record in placed:
            if record.size is None:
                raise ShapeError(f"parameter {record.name} has a symbolic size {record.shape}; give it a number")
        return cls(placed, np.zeros(sum(record.size or 0 for record in placed), dtype=real_type(dtype)))

    @classmethod
    def initial(cls, records: Iterable[ParameterRecord], seed: int = 0, dtype: Any = "float32") -> Parameters:
        """Return first values: He in front of relu and its like, Glorot otherwise, zero for biases."""
        placed = tuple(records)
        values = [initial_values(record, seed) for record in placed]
        made = cls.zeros(placed, dtype)
        for record, value in zip(placed, values, strict=True):
            made._views[record.name][...] = value
        return made

    @classmethod
    def of(cls, records: Iterable[ParameterRecord], values: Mapping[str, Any], dtype: Any = None) -> Parameters:
        """Return parameters with the given values; every one must be there.

        Raises:
            DataError: a parameter is missing, or a name is none.
            ShapeError: a value has another shape.
        """
        placed = tuple(records)
        if not isinstance(values, Mapping):
            raise DataError(f"parameters are given as a mapping name -> array, got {type(values).__name__}")
        names = [record.name for record in placed]
        for name in values:
            if name not in names:
                raise DataError(f"there is no parameter {str(name)[:60]!r}{suggestion(name, names)} (known: {', '.join(names)})")
        missing = [name for name in names if name not in values]
        if missing:
            raise DataError(f"no value is given for {', '.join(missing)}")
        arrays = {name: _numbers(name, values[name]) for name in names}
        if dtype is None:
            kinds = {a.dtype for a in arrays.values() if a.dtype.kind == "f"}
            dtype = kinds.pop() if len(kinds) == 1 and all(a.dtype.kind == "f" for a in arrays.values()) else np.dtype(np.float64)
        made = cls.zeros(placed, dtype)
        for name, array in arrays.items():
            _check_shape(name, array, made._views[name])
            made._views[name][...] = array
        return made

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of every entry."""
        return self.flat.dtype

    @property
    def records(self) -> tuple[ParameterRecord, ...]:
        """Name, shape and place of every parameter, in order."""
        return tuple(self._records.values())

    @property
    def state(self) -> Mapping[str, Array]:
        """Values that training keeps besides the parameters, such as running statistics; empty for dense networks."""
        return self._state

    def __getitem__(self, name: str) -> Array:
        if name not in self._views:
            raise KeyError(f"there is no parameter {name!r}{suggestion(name, self._views)} (known: {', '.join(self._views)})")
        return self._views[name]

    def __setitem__(self, name: str, value: Any) -> None:
        if name not in self._views:
            known = ", ".join(self._views)
            raise DataError(f"there is no parameter {str(name)[:60]!r}{suggestion(name, self._views)} (known: {known})")
        view, array = self._views[name], _numbers(name, value)
        _check_shape(name, array, view)
        if isinstance(value, np.ndarray | np.generic) and array.dtype.kind == "f" and array.dtype != view.dtype:
            raise DataError(
                f"{name}: the value is {array.dtype}, the parameters are {view.dtype}; convert it with .astype({view.dtype.name!r})"
            )
        view[...] = array

    def __iter__(self) -> Iterator[str]:
        return iter(self._views)

    def __len__(self) -> int:
        return len(self._views)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Parameters):
            return NotImplemented
        same = [(r.name, r.shape) for r in self.records] == [(r.name, r.shape) for r in other.records]
        return same and self.dtype == other.dtype and np.array_equal(self.flat, other.flat, equal_nan=True)

    __hash__ = None  # type: ignore[assignment]

    def copy(self) -> Parameters:
        """Return independent parameters with the same values."""
        return Parameters(self.records, self.flat.copy(), {name: value.copy() for name, value in self._state.items()})

    def astype(self, dtype: Any) -> Parameters:
        """Return independent parameters of another type."""
        return Parameters(self.records, self.flat.astype(real_type(dtype)), {name: value.copy() for name, value in self._state.items()})

    def __reduce__(self) -> Any:
        return (Parameters, (self.records, self.flat, self._state))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name} {tuple(view.shape)}" for name, view in list(self._views.items())[:4])
        more = ", ..." if len(self._views) > 4 else ""
        return f"Parameters({self.flat.size} {self.dtype.name}: {shown}{more})"

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write all values to a ``.npz`` or ``.safetensors`` file, whole or not at all.

        Raises:
            OutputError: another suffix, or a path that cannot be written.
            TargetError: the package safetensors is not installed.
        """
        arrays = {**self._views, **{_STATE + name: value for name, value in self._state.items()}}
        suffix = _suffix(path)
        if suffix == ".npz":
            buffer = io.BytesIO()
            with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
                for name, array in arrays.items():
                    inner = io.BytesIO()
                    np.lib.format.write_array(inner, np.asarray(array), allow_pickle=False)
                    # A fixed time: the same values give the same bytes.
                    archive.writestr(zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), inner.getvalue())
            content = buffer.getvalue()
        else:
            contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
            content = _safetensors().save(contiguous, metadata={"order": json.dumps(list(arrays))})
        return write(path, content)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Parameters:
        """Read what `save` wrote.

        Raises:
            OutputError: there is no such file, or it cannot be read.
            DataError: its content is damaged, holds objects, or mixes types.
        """
        suffix = _suffix(path)
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise OutputError(f"cannot read {os.fspath(path)}: {error.strerror or error}") from error
        arrays = _read_npz(path, content) if suffix == ".npz" else _read_safetensors(path, content)
        state = {name.removeprefix(_STATE): array for name, array in arrays.items() if name.startswith(_STATE)}
        given = {name: array for name, array in arrays.items() if not name.startswith(_STATE)}
        kinds = {array.dtype for array in given.values()}
        if len(kinds) > 1 or any(kind.name not in DTYPES for kind in kinds):
            raise DataError(f"{os.fspath(path)}: parameters are all float32 or all float64, got {', '.join(sorted(map(str, kinds)))}")
        records = place(ParameterRecord(name, array.shape, None) for name, array in given.items())
        made = cls.zeros(records, kinds.pop() if kinds else "float64")
        for name, array in given.items():
            made._views[name][...] = array
        made._state = state
        return made


def real_type(dtype: Any) -> np.dtype[Any]:
    """Return float32 or float64 as a NumPy type.

    Raises:
        DataError: for every other type.
    """
    try:
        chosen: np.dtype[Any] = np.dtype(dtype)
    except TypeError:
        raise DataError(f"dtype must be 'float32' or 'float64', got {str(dtype)[:40]!r}") from None
    if chosen.name not in DTYPES or not chosen.isnative:
        raise DataError(f"dtype must be 'float32' or 'float64', got {str(dtype)[:40]!r}")
    return chosen


def _numbers(name: str, value: Any) -> Array:
    try:
        array = np.asarray(value)
    except ValueError:
        raise DataError(f"{name}: the value is no array of numbers") from None
    if array.dtype.kind not in "fiu":
        raise DataError(f"{name}: the value must be an array of real numbers, got {array.dtype}")
    return array


def _check_shape(name: str, array: Array, view: Array) -> None:
    if array.shape != view.shape:
        raise ShapeError(f"{name} has shape {view.shape}, the value has shape {array.shape}")


def _suffix(path: str | os.PathLike[str]) -> str:
    suffix = Path(path).suffix
    if suffix not in (".npz", ".safetensors"):
        raise OutputError(f"{os.fspath(path)}: parameters are kept in .npz or .safetensors files; choose one of these endings")
    return suffix


def _safetensors() -> Any:
    try:
        return importlib.import_module("safetensors.numpy")
    except ImportError as error:
        raise TargetError("files ending in .safetensors need the package safetensors: pip install safetensors, or use .npz") from error


def _read_npz(path: str | os.PathLike[str], content: bytes) -> dict[str, Array]:
    arrays: dict[str, Array] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > 8 * _LIMIT:
                raise DataError(f"{os.fspath(path)} claims to hold more than {_LIMIT} numbers")
            for entry in archive.infolist():
                with archive.open(entry) as inner:
                    arrays[entry.filename.removesuffix(".npy")] = np.lib.format.read_array(inner, allow_pickle=False)
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError, MemoryError) as error:
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise DataError(f"{os.fspath(path)} is no parameter file or is damaged: {reason}") from error
    return arrays


def _read_safetensors(path: str | os.PathLike[str], content: bytes) -> dict[str, Array]:
    module = _safetensors()
    try:
        arrays: dict[str, Array] = module.load(content)
        length = int.from_bytes(content[:8], "little")
        order = json.loads(json.loads(content[8 : 8 + length]).get("__metadata__", {}).get("order", "[]"))
        names = [name for name in order if name in arrays]
    except Exception as error:  # the package's own error class is not part of its Python face
        raise DataError(f"{os.fspath(path)} is no safetensors file or is damaged: {str(error)[:120]}") from error
    return {name: arrays[name] for name in (*names, *sorted(set(arrays) - set(names)))}


__all__ = ["DTYPES", "Parameters", "real_type"]
