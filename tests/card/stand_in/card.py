"""A card: its memory, its streams, what is launched on them, and how kernels run."""

from __future__ import annotations

import ctypes
import gc
import math
import struct
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stand_in.answers import (
    ATTRIBUTES,
    CAPTURE_IMPLICIT,
    CAPTURE_UNSUPPORTED,
    DEFAULT,
    FAILED,
    ILLEGAL_ADDRESS,
    INVALID_HANDLE,
    INVALID_VALUE,
    MEMORY,
    NOT_FOUND,
    OK,
    OUT_OF_MEMORY,
    OUT_OF_RESOURCES,
    REGISTER_UNIT,
    RESERVED,
    SHARED_UNIT,
    TOO_LARGE,
    Answer,
)
from stand_in.code import Function
from stand_in.names import kernel_of, types_of
from symbackprop.execute.lockstep import run

Work = Callable[[], None]


@dataclass
class Stream:
    """Work that is not done yet; what is recorded, if a graph is recorded."""

    blocking: bool = True
    waiting: list[Work] = field(default_factory=list)
    recorded: list[Work] | None = None
    graph: int = 0


@dataclass
class Launch:
    """A launch as it was asked for."""

    function: Function
    grid: tuple[int, ...]
    block: tuple[int, ...]
    shared: int
    cooperative: bool
    values: tuple[bytes, ...]


class Card:
    """One card.

    Attributes:
        most: threads of a launch that are run; of a larger one, only what it asks for is looked at.
        race: whether accesses that no barrier orders are looked for.
        seed: of the order of threads and blocks.
        launched: names of the kernels that were run, replayed ones too, and of products of cuBLAS.
        asked: names of the functions that were called.
        errors: what went wrong, in words, in the order of time.
    """

    def __init__(self, most: float = float("inf"), race: bool = True, seed: int = 0, version: int = 13000) -> None:
        self.most, self.race, self.seed, self.version = most, race, seed, version
        self.launched: list[str] = []
        self.asked: list[str] = []
        self.errors: list[str] = []
        self.memory: dict[int, Any] = {}
        self.freed: dict[int, Any] = {}
        self.things: dict[int, Any] = {}
        self.streams: dict[int, Stream] = {0: Stream()}
        self.contexts: list[int] = []
        self.texts: dict[int, Any] = {}
        self.failed = OK
        self.busy = False
        self.leaving: list[int] = []
        self.count = 0
        self.library: list[Any] = []

    def call(self, name: str, *arguments: Any) -> int:
        """Call a function of the library, as a program in C does."""
        return int(getattr(self.library[2], name)(*arguments))

    # --- things -------------------------------------------------------------------------------------------------------------

    def keep(self, thing: Any) -> int:
        """Return a handle; no two are alike."""
        self.count += 1
        handle = 0x7000_0000 + 16 * self.count
        self.things[handle] = thing
        return handle

    def thing(self, handle: int | None, kind: type) -> Any:
        """Return what a handle stands for.

        Raises:
            Answer: nothing, or a thing of another kind.
        """
        thing = self.things.get(handle or 0)
        if not isinstance(thing, kind):
            raise Answer(INVALID_HANDLE, f"{handle} is no {kind.__name__} but {thing!r}")
        return thing

    def stream(self, handle: int | None) -> Stream:
        """Return a stream."""
        handle = 0 if handle in (None, *DEFAULT) else handle
        if handle not in self.streams:
            raise Answer(INVALID_HANDLE, f"{handle} is no stream")
        return self.streams[handle]

    # --- memory -------------------------------------------------------------------------------------------------------------

    def take(self, size: int) -> int:
        """Return memory that begins at a multiple of 512 bytes and holds NaN."""
        if size == 0:
            raise Answer(INVALID_VALUE, "0 bytes of memory")
        if size > MEMORY:
            raise Answer(OUT_OF_MEMORY, f"{size} bytes")
        buffer = np.full(size + 512, 0xFF, np.uint8)
        base = -(-buffer.ctypes.data // 512) * 512
        self.memory[base] = (size, buffer)
        return base

    def give(self, base: int) -> None:
        """Take memory back; it is never used again, so that who still reads it is found."""
        if base not in self.memory:
            raise Answer(INVALID_VALUE, f"{base:#x} is no memory of the device")
        if self.busy:
            # A collection of garbage in the middle of a kernel: memory goes when the kernel is done.
            self.leaving.append(base)
            return
        # To free memory waits for all work.
        self.finish()
        size, buffer = self.memory.pop(base)
        buffer.fill(0xFF)
        self.freed[base] = (size, buffer)

    def inside(self, place: int, size: int) -> int:
        """Return a place in memory of the device.

        Raises:
            Answer: there are not so many bytes of it.
        """
        for base, (extent, _) in self.memory.items():
            if base <= place and place + size <= base + extent:
                return place
        gone = any(base <= place < base + extent for base, (extent, _) in self.freed.items())
        raise Answer(ILLEGAL_ADDRESS, f"{size} bytes at {place:#x}: {'given back already' if gone else 'not memory of the device'}")

    def ours(self, place: int) -> bool:
        """Return whether a place lies on the device."""
        return any(base <= place < base + extent for base, (extent, _) in self.memory.items())

    # --- work ---------------------------------------------------------------------------------------------------------------

    def submit(self, stream: Stream, work: Work) -> None:
        """Put work on a stream, or into what it records."""
        if stream.recorded is not None:
            stream.recorded.append(work)
        elif stream is self.streams[0]:
            if any(other.recorded is not None and other.blocking for other in self.streams.values()):
                raise Answer(CAPTURE_IMPLICIT, "work on the default stream while a graph is recorded")
            self.finish(blocking=True)
            self.do(work)
        else:
            stream.waiting.append(work)

    def do(self, work: Work) -> None:
        """Do work; once it failed, nothing works any more."""
        if self.failed != OK:
            return
        self.busy = True
        try:
            work()
        except Answer as answer:
            self.failed = answer.code
            self.errors.append(str(answer))
        except Exception:
            self.failed = FAILED
            self.errors.append(traceback.format_exc())
        finally:
            self.busy = False
        while self.leaving and not any(stream.waiting for stream in self.streams.values()):
            self.give(self.leaving.pop())

    def finish(self, stream: Stream | None = None, blocking: bool = False) -> None:
        """Do the work of a stream, or of all.

        Raises:
            Answer: something of it failed, or the stream records.
        """
        if stream is not None and stream.recorded is not None:
            raise Answer(CAPTURE_UNSUPPORTED, "somebody waits for a stream that records a graph")
        if self.busy:
            return
        for other in (stream,) if stream is not None else tuple(self.streams.values()):
            if blocking and not other.blocking:
                continue
            while other.waiting:
                self.do(other.waiting.pop(0))
        if self.failed != OK:
            raise Answer(self.failed, "what was launched before has failed")

    def copy(self, to: int, start: int, size: int) -> Work:
        """Return work that copies bytes."""

        def work() -> None:
            ctypes.memmove(to, start, size)

        return work

    # --- launches -----------------------------------------------------------------------------------------------------------

    def resident(self, function: Function, threads: int, dynamic: int) -> int:
        """Return how many blocks of a kernel one multiprocessor holds at once."""
        warps = -(-threads // 32)
        registers = -(-function.registers * 32 // REGISTER_UNIT) * REGISTER_UNIT * warps
        shared = -(-(function.shared + dynamic + RESERVED) // SHARED_UNIT) * SHARED_UNIT
        limits = ATTRIBUTES[106], ATTRIBUTES[39] // (warps * 32), ATTRIBUTES[81] // shared, ATTRIBUTES[82] // max(registers, 1)
        return min(limits)

    def launch(
        self, function: Function, grid: Sequence[int], block: Sequence[int], shared: int, stream: Stream, given: int, cooperative: bool
    ) -> None:
        """Launch a kernel: hold what is asked for against what there is, and run it later.

        Args:
            function: the kernel.
            grid: blocks along three axes.
            block: threads of a block along three axes.
            shared: bytes of dynamic shared memory.
            stream: where it is done.
            given: address of the addresses of its parameters.
            cooperative: whether all blocks must run at once.

        Raises:
            Answer: the card cannot do that.
        """
        threads = math.prod(block)
        what = f"{function.name}: grid {tuple(grid)}, block {tuple(block)}, {shared} bytes of shared memory"
        for extents, first in ((block, 2), (grid, 5)):
            if any(not 1 <= extent <= ATTRIBUTES[first + axis] for axis, extent in enumerate(extents)):
                raise Answer(INVALID_VALUE, what)
        if threads > min(ATTRIBUTES[1], function.threads):
            raise Answer(INVALID_VALUE, f"{what}; compiled for {function.threads} threads")
        if shared > function.dynamic or function.shared + shared > ATTRIBUTES[97]:
            raise Answer(INVALID_VALUE, f"{what}; {function.dynamic} are allowed, and {function.shared} are static")
        holds = self.resident(function, threads, shared)
        if holds == 0:
            raise Answer(OUT_OF_RESOURCES, f"{what}; {function.registers} registers a thread")
        if cooperative and math.prod(grid) > holds * ATTRIBUTES[16]:
            raise Answer(TOO_LARGE, f"{what}; {holds} blocks at once on each of {ATTRIBUTES[16]} multiprocessors")
        places = ctypes.cast(given, ctypes.POINTER(ctypes.c_void_p))
        values = tuple(ctypes.string_at(places[k] or 0, size) for k, (_, size) in enumerate(function.parameters))
        asked = Launch(function, tuple(grid), tuple(block), shared, cooperative, values)
        self.submit(stream, lambda: self.executed(asked))

    def executed(self, asked: Launch) -> None:
        """Run a kernel."""
        self.launched.append(kernel_of(asked.function.name))
        threads = math.prod(asked.grid) * math.prod(asked.block)
        if threads > self.most or "lambda" in asked.function.name:  # of which there is no text
            return
        arguments = self.arguments(asked)
        text = self.text(asked.function)
        report = run(text, asked.grid, asked.block, *arguments, dynamic_shared=asked.shared, race=self.race, seed=self.seed)
        if "sync" in report.passed and not asked.cooperative:
            raise Answer(FAILED, f"{asked.function.name} waits for all blocks, and is not launched for that")

    def arguments(self, asked: Launch) -> list[Any]:
        """Return the arguments of a kernel, read from the bytes of its parameters by the types in its mangled name."""
        values = list(asked.values)
        found: list[Any] = []
        for kind, axes in types_of(asked.function.name):
            if axes is None:
                found.append(np.frombuffer(values.pop(0), kind)[0])
                continue
            numbers = [struct.unpack("<q", values.pop(0))[0] for _ in range(5 + 2 * axes)]
            _, _, size, item, place, *rest = numbers
            shape, strides = tuple(rest[:axes]), tuple(rest[axes:])
            if item != kind.itemsize or size != math.prod(shape):
                raise Answer(INVALID_VALUE, f"an array of {size} entries of {item} bytes, shape {shape}, type {kind}")
            if strides != tuple(item * math.prod(shape[k + 1 :]) for k in range(axes)):
                raise Answer(INVALID_VALUE, f"an array of strides {strides}, shape {shape}")
            if size:
                self.inside(place, size * item)
            memory = (ctypes.c_char * (size * item)).from_address(place) if size else b""
            found.append(np.frombuffer(memory, kind).reshape(shape))
        if values:
            raise Answer(INVALID_VALUE, f"{len(values)} parameters of {asked.function.name} too many")
        return found

    def text(self, function: Function) -> Any:
        """Return the text of a compiled kernel, found among the kernels of this process: names alone may be those of several."""
        if id(function) not in self.texts:
            for thing in gc.get_objects():
                made = list(thing.made.values()) if type(thing).__name__ == "Kernel" and hasattr(thing, "made") else []
                dispatchers = [one for one in (*made, thing) if type(one).__name__ == "CUDADispatcher"]
                compiled = (one for dispatcher in dispatchers for one in vars(dispatcher).get("overloads", {}).values())
                if any(self.loaded(one) is function for one in compiled):
                    self.texts[id(function)] = thing if made else self.texts.get(id(function), thing.py_func)
        if id(function) not in self.texts:
            raise Answer(NOT_FOUND, f"no kernel of this process is {function.name}")
        return self.texts[id(function)]

    def loaded(self, overload: Any) -> Any:
        """Return what was loaded for what a dispatcher has compiled; None before its first launch, and for what kernels call."""
        cache = getattr(getattr(overload, "_codelibrary", None), "_cufunc_cache", {})
        handles = (getattr(one.handle, "value", one.handle) for one in cache.values())
        return next((self.things.get(int(handle)) for handle in handles), None)
