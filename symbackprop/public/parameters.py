"""Parameters: names for parts of one flat buffer."""

from __future__ import annotations

import importlib
import io
import json
import os
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.algebra.suggest import suggestion
from symbackprop.declare.initializers import initial_values
from symbackprop.declare.layout import ParameterRecord, place
from symbackprop.errors import DataError, OutputError, ShapeError, TargetError
from symbackprop.execute.files import write
from symbackprop.execute.memory import zeros

Array = npt.NDArray[Any]

#: The types that kernels compute in.
DTYPES = ("float32", "float64")

#: In files, names of state arrays carry this prefix; parameter names cannot contain it.
_STATE = "state:"

#: No file may claim more numbers than this.
_LIMIT = 2**31


class Parameters(Mapping[str, Array]):
    """A mapping from name to array. The arrays are views of one flat buffer, ``flat``.

    ``params["dense_1.W"] = array`` copies into the buffer, after a check of shape and type. Running statistics are no parameters:
    they are views of the same memory behind ``flat``, in ``params.state``.
    """

    __slots__ = ("_made", "_records", "_state", "_statistics", "buffer", "flat")

    #: The parameters in canonical order.
    flat: Array
    #: The parameters, and behind them the running statistics.
    buffer: Array

    def __init__(self, records: Iterable[ParameterRecord], buffer: Array, statistics: Iterable[ParameterRecord] = ()) -> None:
        own = place(records)
        count = sum(record.size or 0 for record in own)
        behind = place(statistics, count)
        for record in (*own, *behind):
            if record.offset is None or record.size is None:
                raise ShapeError(f"parameter {record.name} has a symbolic size {record.shape}; give it a number")
        total = count + sum(record.size or 0 for record in behind)
        if buffer.ndim != 1 or buffer.size != total or not buffer.flags.c_contiguous:
            raise ShapeError(f"the flat buffer must be one contiguous axis of {total} numbers, got {buffer.shape}")
        self._records = {record.name: record for record in own}
        self._statistics = behind
        self.buffer = buffer
        self.flat = buffer[:count] if behind else buffer
        self._made: dict[str, Array] | None = None
        self._state = {record.name: _view(buffer, record) for record in behind}

    @classmethod
    def zeros(cls, records: Iterable[ParameterRecord], dtype: Any = "float64", statistics: Iterable[ParameterRecord] = ()) -> Parameters:
        """Return parameters that are all zero; running statistics have their first values."""
        placed, behind = place(records), tuple(statistics)
        for record in (*placed, *behind):
            if record.size is None:
                raise ShapeError(f"parameter {record.name} has a symbolic size {record.shape}; give it a number")
        made = cls(placed, zeros(sum(record.size or 0 for record in (*placed, *behind)), real_type(dtype)), behind)
        for record in behind:
            made._state[record.name][...] = initial_values(record, 0)
        return made

    @classmethod
    def initial(
        cls, records: Iterable[ParameterRecord], seed: int = 0, dtype: Any = "float32", statistics: Iterable[ParameterRecord] = ()
    ) -> Parameters:
        """Return first values: He in front of relu and its like, Glorot otherwise, zero for biases."""
        placed = tuple(records)
        values = [initial_values(record, seed) for record in placed]
        made = cls.zeros(placed, dtype, statistics)
        for record, value in zip(placed, values, strict=True):
            made._views[record.name][...] = value
        return made

    @classmethod
    def of(
        cls,
        records: Iterable[ParameterRecord],
        values: Mapping[str, Any],
        dtype: Any = None,
        statistics: Iterable[ParameterRecord] = (),
    ) -> Parameters:
        """Return parameters with the given values; every one must be there. Running statistics may be: they have first values.

        Raises:
            DataError: a parameter is missing, or a name is none.
            ShapeError: a value has another shape.
        """
        placed = tuple(records)
        if not isinstance(values, Mapping):
            raise DataError(f"parameters are given as a mapping name -> array, got {type(values).__name__}")
        names, behind = [record.name for record in placed], tuple(statistics)
        more = [record.name for record in behind if record.name in values]
        for name in values:
            if name not in names and name not in more:
                raise DataError(f"there is no parameter {str(name)[:60]!r}{suggestion(name, names)} (known: {', '.join(names)})")
        missing = [name for name in names if name not in values]
        if missing:
            raise DataError(f"no value is given for {', '.join(missing)}")
        arrays = {name: _numbers(name, values[name]) for name in (*names, *more)}
        if dtype is None:
            kinds = {a.dtype for a in arrays.values() if a.dtype.kind == "f"}
            dtype = kinds.pop() if len(kinds) == 1 and all(a.dtype.kind == "f" for a in arrays.values()) else np.dtype(np.float64)
        made = cls.zeros(placed, dtype, behind)
        views = {**made._views, **made._state}
        for name, array in arrays.items():
            _check_shape(name, array, views[name])
            views[name][...] = array
        return made

    def like(self, flat: Array) -> Parameters:
        """Return parameters of the same names and shapes, without statistics, in a buffer of ``flat``'s length that is known to fit."""
        made = Parameters.__new__(Parameters)
        made._records, made._statistics, made._state, made._made = self._records, (), {}, None
        made.buffer = made.flat = flat
        return made

    @property
    def _views(self) -> dict[str, Array]:
        # Made when first asked for: a gradient often goes to an optimizer as a whole.
        if self._made is None:
            self._made = {name: _view(self.buffer, record) for name, record in self._records.items()}
        return self._made

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
        """The running statistics by name, views of ``buffer``; empty for a network without any."""
        return MappingProxyType(self._state)

    @property
    def statistics(self) -> tuple[ParameterRecord, ...]:
        """Name, shape and place of every running statistic, in order."""
        return self._statistics

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
        mine, there = ([(r.name, r.shape) for r in (*p.records, *p.statistics)] for p in (self, other))
        same = mine == there and self.flat.size == other.flat.size
        return same and self.dtype == other.dtype and np.array_equal(self.buffer, other.buffer, equal_nan=True)

    __hash__ = None  # type: ignore[assignment]

    def copy(self) -> Parameters:
        """Return independent parameters with the same values."""
        return Parameters(self.records, self.buffer.copy(), self._statistics)

    def astype(self, dtype: Any) -> Parameters:
        """Return independent parameters of another type."""
        return Parameters(self.records, self.buffer.astype(real_type(dtype)), self._statistics)

    def __reduce__(self) -> Any:
        return (Parameters, (self.records, self.buffer, self._statistics))

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
        kinds = {array.dtype for array in arrays.values()}
        if len(kinds) > 1 or any(kind.name not in DTYPES for kind in kinds):
            raise DataError(f"{os.fspath(path)}: parameters are all float32 or all float64, got {', '.join(sorted(map(str, kinds)))}")
        records, behind = (tuple(ParameterRecord(name, array.shape, None) for name, array in part.items()) for part in (given, state))
        made = cls.zeros(records, kinds.pop() if kinds else "float64", behind)
        for views, part in ((made._views, given), (made._state, state)):
            for name, array in part.items():
                views[name][...] = array
        return made


def _view(buffer: Array, record: ParameterRecord) -> Array:
    start = record.offset or 0
    return buffer[start : start + (record.size or 0)].reshape(tuple(map(int, record.shape)))


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
