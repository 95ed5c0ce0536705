"""Arrays that watch their accesses: bounds, first writes, and who touched an element since the last barrier.

An element is a `Cell`, found by one dictionary look-up of its index: a key that is not there is either new or out of bounds, so the
check of the bounds costs nothing once an element is known. A cell remembers the last moment that was allowed to read or write it;
the same thread between the same barriers passes on one comparison. Arrays that need no log of accesses (local ones, all of them when
races are not looked for) are dictionaries of values themselves and read at the speed of one.

A *moment* is a thread between two barriers: (thread, grid syncs passed, block barriers passed, warp barriers passed).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from symbackprop.execute.lockstep.errors import (
    AlignmentError,
    BoundsError,
    KernelTextError,
    RaceError,
    UninitializedError,
    place,
    quote,
)
from symbackprop.execute.lockstep.numbers import IntegerType, kind_of, type_named

__all__ = ["Clock", "Constant", "Memory", "Moment", "Plain", "Tracked"]

#: (thread, grid syncs, block barriers, warp barriers)
Moment = tuple[Any, int, int, int]


class _Empty:
    __slots__ = ()


EMPTY: Final = _Empty()


class Clock:
    """The moment that runs now; ``racing`` says whether accesses are compared with one another."""

    __slots__ = ("now", "racing")

    def __init__(self, racing: bool) -> None:
        self.racing = racing
        self.now: Moment = (None, 0, 0, 0)


def concurrent(a: Moment, b: Moment) -> bool:
    """Whether no barrier orders two moments: other threads, the same grid epoch and, within a block or warp, the same epoch there."""
    s, t = a[0], b[0]
    if s is t or a[1] != b[1]:
        return False
    if s.block is not t.block:
        return True
    return a[2] == b[2] and not (s.warp is t.warp and a[3] != b[3])


class Cell:
    """One element: its value, the moments that may touch it again unchecked, and the accesses not yet ordered by a barrier.

    ``writer`` is the last plain write; ``readers`` and ``atomics`` hold each thread's last access since then. Older accesses of a
    thread need not be kept: what is ordered after its last one is ordered after all.
    """

    __slots__ = ("alive", "atomics", "dirty", "kind", "read", "readers", "value", "width", "writer", "wrote")

    def __init__(self, value: Any, kind: str, width: int) -> None:
        self.value, self.kind, self.width = value, kind, width
        self.read: Moment | None = None
        self.wrote: Moment | None = None
        self.writer: Moment | None = None
        self.readers: dict[Any, Moment] | None = None
        self.atomics: dict[Any, Moment] | None = None
        self.dirty, self.alive = False, True


class Memory:
    """Bytes that arrays may share: cells by address, so that two views of one element are one element.

    ``mixed`` memory (dynamic shared memory) may hold other types over time: a write of another type ends the life of the cells that
    it covers, and what they held is not initialised any more.
    """

    __slots__ = ("cells", "mixed", "space")

    def __init__(self, space: str, mixed: bool = False) -> None:
        self.space, self.mixed = space, mixed
        self.cells: dict[int, Cell] = {}

    def covered(self, address: int, width: int) -> list[int]:
        """The addresses of the cells that overlap ``width`` bytes from ``address``."""
        return [a for a in range(address - 7, address + width) if (c := self.cells.get(a)) is not None and a + c.width > address]


class _Cells(dict[Any, Cell]):
    """The cells of one array by index; a new index is checked against the bounds."""

    __slots__ = ("array",)

    def __init__(self, array: Tracked) -> None:
        self.array = array

    def __missing__(self, key: Any) -> Cell:
        return self.array.meet(key)


class _Slice(Exception):  # noqa: N818 - a signal, not an error
    """An index with slices: a view is wanted, not an element."""


def _inside(key: Any, shape: tuple[int, ...], name: str, space: str) -> tuple[int, ...]:
    """The index as a tuple, one integer an axis.

    Raises:
        BoundsError: an index is negative or not below its extent.
        KernelTextError: not one integer an axis.
    """
    index = key if isinstance(key, tuple) else (key,)
    for i in index:
        if isinstance(i, slice):
            raise _Slice
        if not isinstance(i, (int, np.integer)):
            raise KernelTextError(f"{place()}: {space} array {name!r} indexed with {i!r}, which is no integer{quote()}")
    if len(index) != len(shape):
        raise KernelTextError(f"{place()}: {space} array {name!r} has {len(shape)} axes, got {len(index)} indices{quote()}")
    for axis, (i, extent) in enumerate(zip(index, shape, strict=True)):
        if not 0 <= i < extent:
            shown = ", ".join(str(int(i)) for i in index)
            raise BoundsError(f"{place()}: {space} array {name!r} at [{shown}]: axis {axis} has 0 .. {extent - 1}{quote()}")
    return tuple(int(i) for i in index)


def _masked(shape: tuple[int, ...], dtype: np.dtype[Any], source: np.ndarray[Any, Any] | None) -> np.ma.MaskedArray[Any, Any]:
    """A copy of the source with nothing masked, or zeros with everything masked."""
    bare = source is None
    return np.ma.MaskedArray(np.zeros(shape, dtype) if bare else source, mask=np.full(shape, bare), copy=True)


class Tracked:
    """An array of a kernel with every access checked: a view of a `Memory` at an offset with strides, both in bytes.

    ``source`` holds the values that the array starts with (global arrays); without one its elements start uninitialised.
    """

    __slots__ = ("cells", "clock", "convert", "dtype", "kind", "memory", "name", "offset", "origin", "quads", "shape", "source", "strides")

    def __init__(
        self,
        name: str,
        memory: Memory,
        clock: Clock,
        dtype: np.dtype[Any],
        shape: tuple[int, ...],
        *,
        offset: int = 0,
        origin: int = 0,
        strides: tuple[int, ...] | None = None,
        source: np.ndarray[Any, Any] | None = None,
    ) -> None:
        self.name, self.memory, self.clock, self.dtype, self.shape = name, memory, clock, dtype, shape
        self.offset, self.origin, self.source = offset, origin, source
        if strides is None:
            steps, step = [], dtype.itemsize
            for extent in reversed(shape):
                steps.append(step)
                step *= extent
            strides = tuple(reversed(steps))
        self.strides = strides
        self.kind, self.convert = kind_of(dtype)
        self.cells = _Cells(self)
        self.quads: set[Any] = set()  # where vector accesses are known to be right

    def __repr__(self) -> str:
        return f"<{self.memory.space} array {self.name!r} {self.dtype}{list(self.shape)}>"

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __getitem__(self, key: Any) -> Any:
        try:
            cell = self.cells[key]
        except (_Slice, TypeError):  # slices have no hash before Python 3.12
            return self.part(key)
        if cell.read is self.clock.now:
            return cell.value
        return self.reading(key, cell).value

    def __setitem__(self, key: Any, value: Any) -> None:
        try:
            cell = self.cells[key]
        except (_Slice, TypeError):
            raise KernelTextError(f"{place()}: {self.name!r}[slice] = ... is not emulated; write the loop{quote()}") from None
        if type(value) is not self.kind:
            value = self.convert(value, self.name, key)
        if cell.wrote is not self.clock.now:
            cell = self.writing(key, cell)
        cell.value = value

    def meet(self, key: Any) -> Cell:
        """The cell of an index that is new to this array; the memory may know it already through another view."""
        index = _inside(key, self.shape, self.name, self.memory.space)
        address = self.offset + sum(i * s for i, s in zip(index, self.strides, strict=True))
        memory, char, width = self.memory, self.dtype.char, self.dtype.itemsize
        cell = memory.cells.get(address)
        if (cell is not None and cell.kind != char) or (memory.mixed and cell is None):
            for other in memory.covered(address, width):
                old = memory.cells.pop(other)
                self.compare(key, old, "writes")  # a read would find nothing there, so this must be a write
                old.alive, old.read, old.wrote, old.value = False, None, None, EMPTY
            cell = None
        if cell is None:
            value: Any = EMPTY
            if self.source is not None:
                value = self.source[index]
                if self.kind is None or self.kind is bool:
                    value = value.item()
            cell = memory.cells[address] = Cell(value, char, width)
        self.cells[key] = cell
        return cell

    def again(self, key: Any) -> Cell:
        """The cell of an index whose old one was ended by a write of another type."""
        del self.cells[key]
        return self.cells[key]

    def compare(self, key: Any, cell: Cell, does: str) -> None:
        """Compare an access (``reads``, ``writes``, ``updates atomically``) of this moment with those that no barrier orders before it.

        Raises:
            RaceError: one of them writes, and they are not both atomic.
        """
        clock = self.clock
        if not clock.racing:
            return
        now = clock.now
        if (writer := cell.writer) is not None and concurrent(writer, now):
            self.race(key, does, "wrote", writer)
        if does != "reads" and cell.readers:
            for reader in cell.readers.values():
                if concurrent(reader, now):
                    self.race(key, does, "read", reader)
        if does != "updates atomically" and cell.atomics:
            for other in cell.atomics.values():
                if concurrent(other, now):
                    self.race(key, does, "updated atomically", other)

    def race(self, key: Any, does: str, did: str, other: Moment) -> None:
        """Raise the `RaceError` of this moment's access and an earlier one."""
        shown = ", ".join(str(int(i)) for i in (key if isinstance(key, tuple) else (key,)))
        mine, theirs = self.clock.now[0], other[0]
        raise RaceError(
            f"{place()}: race on {self.memory.space} array {self.name!r} at [{shown}]: {mine} {does} what {theirs} {did},"
            f" no barrier between{quote()}"
        )

    def reading(self, key: Any, cell: Cell) -> Cell:
        """Check and log the first read of a moment."""
        if not cell.alive:
            cell = self.again(key)
        clock = self.clock
        now = clock.now
        if clock.racing:
            writer = cell.writer
            if (writer is not None and writer[0] is not now[0]) or cell.atomics:
                self.compare(key, cell, "reads")
            readers = cell.readers
            if readers is None:
                cell.readers = {now[0]: now}
            else:
                readers[now[0]] = now
        if cell.value is EMPTY:
            shown = ", ".join(str(int(i)) for i in (key if isinstance(key, tuple) else (key,)))
            who = f" by {now[0]}" if now[0] is not None else ""
            raise UninitializedError(f"{place()}: {self.memory.space} array {self.name!r} at [{shown}] read before written{who}{quote()}")
        cell.read = now
        return cell

    def writing(self, key: Any, cell: Cell) -> Cell:
        """Check and log the first write of a moment."""
        if not cell.alive:
            cell = self.again(key)
        self.compare(key, cell, "writes")
        cell.writer = cell.read = cell.wrote = self.clock.now
        cell.readers = cell.atomics = None
        cell.dirty = True
        return cell

    def atomic(self, key: Any, change: Callable[[Any], Any]) -> Any:
        """An atomic update; gives the value before it."""
        cell = self.cells[key]
        if not cell.alive:
            cell = self.again(key)
        self.compare(key, cell, "updates atomically")
        if cell.value is EMPTY:
            raise UninitializedError(f"{place()}: {self.memory.space} array {self.name!r} at [{key}] updated before written{quote()}")
        now = self.clock.now
        if cell.atomics is None:
            cell.atomics = {}
        cell.atomics[now[0]] = now
        cell.read = cell.wrote = None
        cell.dirty = True
        old = cell.value
        value = change(old)
        cell.value = value if type(value) is self.kind else self.convert(value, self.name, key)
        return old

    def part(self, key: Any) -> Tracked:
        """A view: slices with step 1 keep their axis, integers drop it.

        Raises:
            BoundsError: a slice leaves the array (NumPy would cut it).
        """
        index = key if isinstance(key, tuple) else (key,)
        if len(index) > self.ndim:
            raise KernelTextError(f"{place()}: {self.name!r} has {self.ndim} axes, got {len(index)} indices{quote()}")
        index = index + (slice(None),) * (self.ndim - len(index))
        offset, shape, strides, shown = self.offset, [], [], []
        for i, extent, stride in zip(index, self.shape, self.strides, strict=True):
            if isinstance(i, slice):
                start, stop = 0 if i.start is None else int(i.start), extent if i.stop is None else int(i.stop)
                if i.step not in (None, 1):
                    raise KernelTextError(f"{place()}: slices of {self.name!r} must have step 1{quote()}")
                if not 0 <= start <= stop <= extent:
                    raise BoundsError(
                        f"{place()}: slice [{start}:{stop}] of {self.memory.space} array {self.name!r} leaves 0 .. {extent}{quote()}"
                    )
                shape.append(stop - start)
                strides.append(stride)
                shown.append(f"{start}:{stop}")
            else:
                start = int(i)
                if not 0 <= start < extent:
                    raise BoundsError(f"{place()}: {self.memory.space} array {self.name!r} at [{start}]: has 0 .. {extent - 1}{quote()}")
                shown.append(str(start))
            offset += start * stride
        source = None if self.source is None else self.source[index]
        name = f"{self.name}[{', '.join(shown)}]"
        return Tracked(
            name,
            self.memory,
            self.clock,
            self.dtype,
            tuple(shape),
            offset=offset,
            origin=self.origin,
            strides=tuple(strides),
            source=source,
        )

    def view(self, kernel_type: Any) -> Tracked:
        """The same bytes as elements of another type (one contiguous axis).

        Raises:
            KernelTextError: the bytes are no whole number of elements, or the array is no contiguous line of shared memory.
        """
        found = type_named(kernel_type)
        dtype = np.dtype(found.dtype if isinstance(found, IntegerType) else found)
        count, rest = divmod(self.size * self.dtype.itemsize, dtype.itemsize)
        start = self.offset - self.origin
        if (
            found is None
            or self.ndim != 1
            or self.strides != (self.dtype.itemsize,)
            or not self.memory.mixed
            or rest
            or start % dtype.itemsize
        ):
            raise KernelTextError(f"{place()}: {self.name!r} cannot be viewed as {kernel_type}{quote()}")
        return Tracked(self.name, self.memory, self.clock, dtype, (count,), offset=self.offset, origin=self.origin)

    def aligned(self, key: Any) -> None:
        """Check that four elements from ``key`` on lie within one row and start at a multiple of four elements.

        Raises:
            AlignmentError: they do not start there.
            BoundsError: they leave the array.
        """
        if key in self.quads:
            return
        index = key if isinstance(key, tuple) else (key,)
        last = (*index[:-1], index[-1] + 3)
        _inside(key, self.shape, self.name, self.memory.space)
        _inside(last, self.shape, self.name, self.memory.space)
        away = self.offset - self.origin + sum(i * s for i, s in zip(index, self.strides, strict=True))
        if away % (4 * self.dtype.itemsize) or self.strides[-1] != self.dtype.itemsize:
            shown = ", ".join(str(int(i)) for i in index)
            raise AlignmentError(
                f"{place()}: vector access to {self.memory.space} array {self.name!r} at [{shown}] starts"
                f" {away // self.dtype.itemsize} elements into its memory, no multiple of 4{quote()}"
            )
        self.quads.add(key)

    def flush(self, target: np.ndarray[Any, Any]) -> None:
        """Write back what the kernel wrote."""
        for key, cell in self.cells.items():
            if cell.dirty and cell.alive:
                target[key] = cell.value

    def snapshot(self) -> np.ma.MaskedArray[Any, Any]:
        """The values as they are now; elements that were never written are masked."""
        out = _masked(self.shape, self.dtype, self.source)
        for index in np.ndindex(*self.shape):
            address = self.offset + sum(i * s for i, s in zip(index, self.strides, strict=True))
            cell = self.memory.cells.get(address)
            if cell is not None and cell.kind == self.dtype.char and cell.value is not EMPTY:
                out[index] = cell.value
        return out


class Plain(dict[Any, Any]):
    """An array with bounds and first writes checked and no log of accesses: reads at the speed of a dictionary."""

    __slots__ = ("convert", "dirty", "dtype", "kind", "name", "shape", "source", "space")

    def __init__(
        self, name: str, space: str, dtype: np.dtype[Any], shape: tuple[int, ...], source: np.ndarray[Any, Any] | None = None
    ) -> None:
        self.name, self.space, self.dtype, self.shape, self.source = name, space, dtype, shape, source
        self.kind, self.convert = kind_of(dtype)
        self.dirty = False

    def __repr__(self) -> str:
        return f"<{self.space} array {self.name!r} {self.dtype}{list(self.shape)}>"

    def __len__(self) -> int:
        return self.shape[0]

    def __bool__(self) -> bool:
        return True

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __missing__(self, key: Any) -> Any:
        index = _inside(key, self.shape, self.name, self.space)
        if self.source is None:
            shown = ", ".join(str(i) for i in index)
            raise UninitializedError(f"{place()}: {self.space} array {self.name!r} at [{shown}] read before written{quote()}")
        value = self.source[index]
        if self.kind is None or self.kind is bool:
            value = value.item()
        dict.__setitem__(self, key, value)
        return value

    def __setitem__(self, key: Any, value: Any) -> None:
        if key not in self:
            _inside(key, self.shape, self.name, self.space)
        if type(value) is not self.kind:
            value = self.convert(value, self.name, key)
        self.dirty = True
        dict.__setitem__(self, key, value)

    def atomic(self, key: Any, change: Callable[[Any], Any]) -> Any:
        """An atomic update; gives the value before it."""
        old = self[key]
        self[key] = change(old)
        return old

    def aligned(self, key: Any) -> None:
        """As `Tracked.aligned`."""
        index = key if isinstance(key, tuple) else (key,)
        _inside(key, self.shape, self.name, self.space)
        _inside((*index[:-1], index[-1] + 3), self.shape, self.name, self.space)
        away = 0
        for i, extent in zip(index, self.shape, strict=True):
            away = away * extent + i
        if away % 4:
            raise AlignmentError(f"{place()}: vector access to {self.space} array {self.name!r} at {key}, no multiple of 4{quote()}")

    def flush(self, target: np.ndarray[Any, Any]) -> None:
        """Write back what the kernel wrote."""
        if self.dirty:
            for key, value in self.items():
                target[key] = value

    def snapshot(self) -> np.ma.MaskedArray[Any, Any]:
        """The values as they are now; elements that were never written are masked."""
        out = _masked(self.shape, self.dtype, self.source)
        for key, value in self.items():
            out[key] = value
        return out


class Constant(Plain):
    """A read-only array: what a kernel finds in its module, or asks for by ``cuda.const.array_like``."""

    __slots__ = ()

    def __init__(self, name: str, values: np.ndarray[Any, Any]) -> None:
        super().__init__(name, "constant", values.dtype, values.shape, values)

    def __setitem__(self, key: Any, value: Any) -> None:
        raise KernelTextError(f"{place()}: constant array {self.name!r} is written{quote()}")
