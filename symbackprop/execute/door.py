"""What is tested on every call before any compiled code runs: compiled code trusts its arguments and writes where it is told."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from symbackprop.errors import DataError, ShapeError
from symbackprop.execute.face import Face, InputFace, TargetFace

Array = npt.NDArray[Any]

#: How far the sum of a target row may be from the declared one: what rounding of honest rows leaves, and no more.
SUM_TOLERANCE = {"float32": 1e-5, "float64": 1e-6}

#: Vectors of kernels on a device start at a multiple of so many bytes.
ALIGNED = 16


class Device(Protocol):
    """What the door asks about arrays that lie on a device; the runtime of a CUDA module answers."""

    def interface(self, array: Any) -> Mapping[str, Any] | None:
        """Return the ``__cuda_array_interface__`` of an array on the device; None for any other."""

    def host(self, there: Any) -> Any:
        """Return a copy of it in NumPy."""

    def put(self, array: Any) -> Any:
        """Return an array of the device with its memory."""


class _Writable:
    """Read-only memory, handed to kernels that only read it as the one array type that they are compiled for."""

    def __init__(self, array: Array) -> None:
        self.array = array
        interface = dict(array.__array_interface__)
        interface["data"] = (interface["data"][0], False)
        self.__array_interface__ = interface


def plain(array: Array) -> Array:
    """Return the array itself, or a view of the same memory of the type that compiled code takes."""
    if not array.flags.writeable:
        return np.asarray(_Writable(array))
    return array if type(array) is np.ndarray else np.asarray(array)


def _given(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} and shape {value.shape}"
    return f"a {type(value).__name__}"


def check_array(
    value: Any, name: str, shape: tuple[int, ...], dtype: np.dtype[Any], *, program: str, device: Device | None = None
) -> Array:
    """Return ``value`` as it is, if it is a contiguous array of this dtype and shape (−1: any length), here or on a device.

    Raises:
        DataError: it is no array, has another dtype or layout.
        ShapeError: it has another shape.
    """
    if device is not None and device.interface(value) is not None:
        return check_there(value, device, name, shape, dtype, program=program)
    if not isinstance(value, np.ndarray) or isinstance(value, np.ma.MaskedArray):
        raise DataError(
            f"{name}: expected a NumPy array of {dtype}, got {_given(value)}; "
            f"convert with np.ascontiguousarray({name}, dtype={str(dtype)!r})"
        )
    if value.ndim != len(shape) or any(want not in (-1, have) for want, have in zip(shape, value.shape, strict=True)):
        raise ShapeError(f"{name}: expected shape {_written(shape)}, got {value.shape}{_hint(value.shape, shape)}")
    if value.dtype != dtype:
        raise DataError(
            f"{name}: {program} takes {dtype}, got {value.dtype}; "
            f"convert with {name}.astype({str(dtype)!r}) or compile(dtype={_compiled(value.dtype)!r})"
        )
    if not (value.flags.c_contiguous and value.flags.aligned):
        raise DataError(f"{name}: the array of shape {value.shape} is not contiguous in C order; pass np.ascontiguousarray({name})")
    return plain(value)


def check_there(value: Any, device: Device, name: str, shape: tuple[int, ...], dtype: np.dtype[Any], *, program: str) -> Array:
    """Return an array on a device, judged by its interface alone; its values stay where they are.

    Raises:
        DataError: it has another dtype or layout, a mask, or starts at an address that vectors cannot.
        ShapeError: it has another shape.
    """
    found = device.interface(value) or {}
    given, kind, strides = tuple(found["shape"]), np.dtype(found["typestr"]), found.get("strides")
    if len(given) != len(shape) or any(want not in (-1, have) for want, have in zip(shape, given, strict=True)):
        raise ShapeError(f"{name}: expected shape {_written(shape)}, got {given}{_hint(given, shape)}")
    if kind != dtype:
        raise DataError(f"{name}: {program} takes {dtype}, and the array on the device is {kind}; convert it there before")
    step = kind.itemsize
    for extent, stride in zip(reversed(given), reversed(strides or ()), strict=False):
        if extent > 1 and stride != step:
            raise DataError(f"{name}: the array of shape {given} on the device is not contiguous in C order; make a contiguous copy of it")
        step *= extent
    if found.get("mask") is not None:
        raise DataError(f"{name}: the array on the device has a mask; fill it before")
    if kind.kind == "f" and found["data"][0] % ALIGNED and math.prod(given):
        raise DataError(f"{name}: the array on the device does not start at a multiple of {ALIGNED} bytes; make a copy of it")
    # What has an interface and no more gets what an array has.
    there: Array = value if hasattr(value, "shape") else device.put(value)
    return there


def shape_of(value: Any) -> tuple[int, ...]:
    """Return the shape that an array says it has, wherever it lies; none for what has none."""
    shape = getattr(value, "shape", None)
    if shape is None:
        shape = getattr(value, "__cuda_array_interface__", {}).get("shape")
    return tuple(shape) if isinstance(shape, Iterable) else ()


def at_hand(array: Any, device: Device | None) -> Array:
    """Return an array whose values NumPy can read: itself, or a copy of one on a device."""
    there: Array = array if device is None or device.interface(array) is None else device.host(array)
    return there


def _compiled(dtype: np.dtype[Any]) -> str:
    return "float32" if dtype.kind == "f" and dtype.itemsize <= 4 else "float64"


def _written(shape: tuple[int, ...]) -> str:
    parts = ["batch" if length == -1 else str(length) for length in shape]
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"


def _hint(given: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    if given == wanted[1:]:
        return "; arrays carry the batch first: add an axis with [None]"
    if wanted[-1:] == (1,) and len(given) == len(wanted) - 1:
        return "; add the last axis with .reshape(-1, 1)"
    return ""


def check_integers(value: Any, name: str, shape: tuple[int, ...], what: str, *, device: Device | None = None) -> Array:
    """Return integers as int64; `check_values` tests whether they are in range.

    Raises:
        DataError: no integer array.
        ShapeError: it has another shape.
    """
    if device is not None and device.interface(value) is not None:
        return check_there(value, device, name, shape, np.dtype(np.int64), program="the device")
    if not isinstance(value, np.ndarray) or isinstance(value, np.ma.MaskedArray):
        raise DataError(
            f"{name}: expected a NumPy array of integer {what}s, got {_given(value)}; convert with np.asarray({name}, dtype='int64')"
        )
    if value.ndim != len(shape) or any(want not in (-1, have) for want, have in zip(shape, value.shape, strict=True)):
        raise ShapeError(f"{name}: expected {what}s of shape {_written(shape)}, got {value.shape}")
    if value.dtype.kind not in "iu":
        raise DataError(f"{name}: expected integer {what}s, got {value.dtype}; convert with {name}.astype('int64')")
    if not value.flags.c_contiguous:
        raise DataError(f"{name}: the array of shape {value.shape} is not contiguous in C order; pass np.ascontiguousarray({name})")
    if value.dtype == np.int64 and value.dtype.isnative:
        return plain(value)
    # What int64 does not hold is above every range, and must not come out negative.
    return (np.minimum(value, np.uint64(2**63 - 1)) if value.dtype.kind == "u" and value.itemsize == 8 else value).astype(np.int64)


def check_values(face: Face, inputs: tuple[Array, ...], y: Array, *, device: Device | None = None) -> None:
    """Refuse tokens and labels out of range.

    Raises:
        DataError: one is; tensor, place, value and range are named.
    """
    arrays = (*inputs, y)
    for number, (_, _, least, most) in enumerate(face.ranges, 1):
        if least > most:
            continue
        array = at_hand(arrays[number - 1], device)
        # Nothing is compiled for this: kernels test once more.
        if array.size and (array.min() < least or array.max() > most):
            refuse(face, number, (*arrays[: number - 1], array, *arrays[number:]))


def refuse(face: Face, status: int | None, arrays: tuple[Array, ...], first: int = 0, *, device: Device | None = None) -> None:
    """Name the value that made a module return this status; 0 and None are none.

    Args:
        face: of the module.
        status: number of the argument with a value out of range, from 1.
        arrays: the arguments.
        first: number of the first sample, in arrays that are a part of what the user gave.
        device: on which arrays may lie.

    Raises:
        DataError: there is such a value.
    """
    if not status:
        return
    array = at_hand(arrays[status - 1], device)
    name, what, least, most = face.ranges[status - 1]
    where = tuple(int(k) for k in np.argwhere((array < least) | (array > most))[0])
    value = int(array[where])
    where = (where[0] + first, *where[1:])
    hint = f"; where they count from 1, pass {name} - 1" if value == most + 1 and least == 0 and array.min() >= 1 else ""
    raise DataError(f"{name}: {what}s must lie in {least}..{most}, got {value} at index {where[0] if len(where) == 1 else where}{hint}")


def check_finite(value: Array, name: str) -> None:
    """Refuse NaN and infinities, naming the first.

    Raises:
        DataError: there is one.
    """
    if value.dtype.kind == "f" and not np.isfinite(value).all():
        where = tuple(int(k) for k in np.argwhere(~np.isfinite(value))[0])
        raise DataError(
            f"{name}: {value[where]} at index {where[0] if len(where) == 1 else where}, but the program was compiled with check_finite=True"
        )


def check_sums(y: Array, name: str, total: float, dtype: str) -> None:
    """Test the declared fact that every row sums to ``total``; NaN passes here and propagates.

    Raises:
        DataError: a row does not.
    """
    sums = y.sum(axis=-1, dtype=np.float64)
    wrong = np.abs(sums - total) > SUM_TOLERANCE[dtype]
    if wrong.any():
        place = tuple(int(k) for k in np.argwhere(wrong)[0])
        row = place[0] if len(place) == 1 else place
        who, labels = ("loss", " or pass integer labels") if name == "y" else ("network", "")
        raise DataError(
            f"{name}: the {who} declares that every row sums to {total:g}, but row {row} sums to {sums[place]:.6g}; "
            f"normalise the rows{labels}"
        )


def check_apart(outputs: Iterable[tuple[str, Array]], inputs: Iterable[tuple[str, Array]], *, device: Device | None = None) -> None:
    """Refuse an output that shares memory with an input or with another output.

    Raises:
        DataError: it does.
    """
    taken = list(inputs)
    for name, array in outputs:
        for other, there in taken:
            # The bounds decide, for contiguous arrays exactly.
            if np.may_share_memory(array, there) if device is None else _meet(array, there, device):
                raise DataError(f"{name} shares memory with {other}; pass an array of its own, for example {name}.copy()")
        taken.append((name, array))


def _meet(a: Any, b: Any, device: Device) -> bool:
    """Whether two arrays share memory, here or on a device."""
    one, two = device.interface(a), device.interface(b)
    if one is None or two is None:
        return one is two and bool(np.may_share_memory(a, b))
    (start, stop), (first, last) = (
        (face["data"][0], face["data"][0] + math.prod(face["shape"]) * np.dtype(face["typestr"]).itemsize) for face in (one, two)
    )
    return bool(start < last and first < stop)


def by_type(face: Face) -> bool:
    """Whether types, sizes and memory are all that is tested of real arrays: no declared sums."""
    return all(one.sums_to is None for one in face.inputs) and (face.target is None or face.target.sums_to is None)


def split_inputs(x: Any, faces: Sequence[InputFace]) -> tuple[Any, ...]:
    """Return the inputs in order, from an array, a tuple in the order of ``inputs=``, or a mapping by name.

    Raises:
        DataError: there are too many or too few, or unknown names.
    """
    names = [face.name for face in faces]
    if isinstance(x, Mapping):
        if set(x) != set(names):
            raise DataError(f"inputs: expected a mapping with {', '.join(names)}, got {', '.join(map(str, x)) or 'an empty one'}")
        return tuple(x[name] for name in names)
    if isinstance(x, tuple):
        if len(x) != len(names):
            raise DataError(f"inputs: expected {len(names)} array{'s' * (len(names) > 1)} ({', '.join(names)}), got a tuple of {len(x)}")
        return x
    if len(names) > 1:
        raise DataError(f"inputs: expected a tuple of {len(names)} arrays ({', '.join(names)}) or a mapping by name, got {_given(x)}")
    return (x,)


def check_inputs(
    face: Face, x: Any, *, finite: bool, largest: int | None, device: Device | None = None
) -> tuple[int, tuple[Array, ...]]:
    """Return the batch size and the inputs in order, each one tested; ``largest`` is the largest batch, or None.

    Raises:
        DataError, ShapeError: an input that the program cannot take.
    """
    dtype = np.dtype(face.dtype)
    arrays: list[Array] = []
    batch = -1
    for given, one in zip(split_inputs(x, face.inputs), face.inputs, strict=True):
        if one.integer:
            array = check_integers(given, one.name, (-1, *one.shape), "token", device=device)
        else:
            array = check_array(given, one.name, (-1, *one.shape), dtype, program=f"program {face.network}", device=device)
            if finite:
                check_finite(at_hand(array, device), one.name)
            if one.sums_to is not None:
                check_sums(at_hand(array, device), one.name, one.sums_to, face.dtype)
        if batch not in (-1, array.shape[0]):
            raise ShapeError(f"{one.name}: {array.shape[0]} samples, but {face.inputs[0].name} has {batch}")
        batch = array.shape[0]
        arrays.append(array)
    if batch < 1:
        raise ShapeError(f"{face.inputs[0].name}: the batch is empty; pass at least one sample")
    if largest is not None and batch > largest:
        raise ShapeError(
            f"{face.inputs[0].name}: {batch} samples, but the program was compiled for a batch of at most {largest}; "
            f"use compile(batch={batch})"
        )
    return batch, tuple(arrays)


def check_target(face: Face, target: TargetFace, y: Any, batch: int, *, finite: bool, device: Device | None = None) -> Array:
    """Return the target, tested.

    Raises:
        DataError, ShapeError: a target that the loss cannot take.
    """
    if target.form == "labels":
        array = check_integers(y, "y", (-1, *target.shape), "label", device=device)
    else:
        array = check_array(y, "y", (-1, *target.shape), np.dtype(face.dtype), program=f"program {face.network}", device=device)
        if finite:
            check_finite(at_hand(array, device), "y")
        if target.sums_to is not None:
            check_sums(at_hand(array, device), "y", target.sums_to, face.dtype)
    if array.shape[0] != batch:
        raise ShapeError(f"y: {array.shape[0]} targets, but {face.inputs[0].name} has {batch} samples")
    return array


def check_flat(flat: Any, name: str, face: Face, *, statistics: bool = False, device: Device | None = None) -> Array:
    """Return a flat buffer in the layout of the parameters, with the running statistics behind them or without, tested.

    Raises:
        DataError, ShapeError: it is none.
    """
    size = face.buffer if statistics else face.size
    return check_array(flat, name, (size,), np.dtype(face.dtype), program=f"program {face.network}", device=device)


__all__ = [
    "Array",
    "Device",
    "at_hand",
    "by_type",
    "check_apart",
    "check_array",
    "check_finite",
    "check_flat",
    "check_inputs",
    "check_integers",
    "check_sums",
    "check_target",
    "check_there",
    "check_values",
    "plain",
    "refuse",
    "shape_of",
    "split_inputs",
]
