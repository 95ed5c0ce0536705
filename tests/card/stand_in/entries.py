"""The functions of a driver, by their names in cuda.h; what they answer is 0 unless they raise."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stand_in.answers import (
    ATTRIBUTES,
    CAPTURE_UNSUPPORTED,
    ERRORS,
    FUNCTION_DYNAMIC,
    FUNCTION_REGISTERS,
    FUNCTION_SHARED,
    FUNCTION_THREADS,
    INVALID_VALUE,
    MEMORY,
    NO_FILE,
    NOT_FOUND,
    UNSUPPORTED,
    Answer,
)
from stand_in.card import Card, Stream, Work
from stand_in.code import Function, functions, linked

KINDS = {
    "p": ctypes.c_void_p,
    "i": ctypes.c_int,
    "u": ctypes.c_uint,
    "z": ctypes.c_size_t,
}
#: By name: the kinds of the arguments, and what does it.
FUNCTIONS: dict[str, tuple[str, Callable[..., None]]] = {}


def entry(kinds: str, *others: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a function one of the driver's: of its own name, and of others with the same arguments."""

    def known(function: Callable[..., None]) -> Callable[..., None]:
        for name in (function.__name__, *others):
            FUNCTIONS[name] = (kinds, function)
        return function

    return known


def put(place: int | None, value: int | None, kind: Any = ctypes.c_void_p) -> None:
    """Write a result to where it was asked for."""
    if place:
        ctypes.cast(place, ctypes.POINTER(kind))[0] = kind(value or 0)


@entry("u")
def cuInit(d: Card, flags: int) -> None:
    pass


@entry("p")
def cuDriverGetVersion(d: Card, out: int) -> None:
    put(out, d.version, ctypes.c_int)


@entry("p")
def cuDeviceGetCount(d: Card, out: int) -> None:
    put(out, 1, ctypes.c_int)


@entry("pi")
def cuDeviceGet(d: Card, out: int, ordinal: int) -> None:
    put(out, ordinal, ctypes.c_int)


@entry("pii")
def cuDeviceGetName(d: Card, out: int, size: int, device: int) -> None:
    ctypes.memmove(out, b"Stand-in\0", min(size, 9))


@entry("pi", "cuDeviceGetUuid_v2")
def cuDeviceGetUuid(d: Card, out: int, device: int) -> None:
    ctypes.memmove(out, bytes(range(16)), 16)


@entry("pi", "cuDeviceTotalMem_v2")
def cuDeviceTotalMem(d: Card, out: int, device: int) -> None:
    put(out, MEMORY, ctypes.c_size_t)


@entry("pii")
def cuDeviceGetAttribute(d: Card, out: int, attribute: int, device: int) -> None:
    put(out, ATTRIBUTES.get(attribute, 0), ctypes.c_int)


@entry("pi")
def cuDevicePrimaryCtxRetain(d: Card, out: int, device: int) -> None:
    put(out, 0x6000_0000)


@entry("i", "cuDevicePrimaryCtxRelease_v2", "cuDevicePrimaryCtxReset", "cuDevicePrimaryCtxReset_v2")
def cuDevicePrimaryCtxRelease(d: Card, device: int) -> None:
    pass


@entry("ipp")
def cuDevicePrimaryCtxGetState(d: Card, device: int, flags: int, active: int) -> None:
    put(flags, 0, ctypes.c_uint)
    put(active, 1, ctypes.c_int)


@entry("p", "cuCtxPushCurrent_v2")
def cuCtxPushCurrent(d: Card, context: int) -> None:
    d.contexts.append(context)


@entry("p", "cuCtxPopCurrent_v2")
def cuCtxPopCurrent(d: Card, out: int) -> None:
    put(out, d.contexts.pop() if d.contexts else 0)


@entry("p")
def cuCtxSetCurrent(d: Card, context: int) -> None:
    d.contexts[-1:] = [context] if context else []


@entry("p")
def cuCtxGetCurrent(d: Card, out: int) -> None:
    put(out, d.contexts[-1] if d.contexts else 0)


@entry("p", "cuCtxGetDevice_v2")
def cuCtxGetDevice(d: Card, out: int) -> None:
    if not d.contexts:
        raise Answer(201, "no context")
    put(out, 0, ctypes.c_int)


@entry("pp")
def cuCtxGetStreamPriorityRange(d: Card, least: int, greatest: int) -> None:
    put(least, 0, ctypes.c_int)
    put(greatest, 0xFFFFFFFF - 4, ctypes.c_int)


@entry("")
def cuCtxSynchronize(d: Card) -> None:
    if any(s.recorded is not None for s in d.streams.values()):
        raise Answer(CAPTURE_UNSUPPORTED, "somebody waits for the card while a graph is recorded")
    d.finish()


@entry("pp", "cuMemGetInfo_v2")
def cuMemGetInfo(d: Card, free: int, total: int) -> None:
    put(free, MEMORY - 2**30, ctypes.c_size_t)
    put(total, MEMORY, ctypes.c_size_t)


@entry("pz", "cuMemAlloc_v2")
def cuMemAlloc(d: Card, out: int, size: int) -> None:
    put(out, d.take(size))


@entry("p", "cuMemFree_v2")
def cuMemFree(d: Card, base: int) -> None:
    d.give(base)


@entry("ppp", "cuMemGetAddressRange_v2")
def cuMemGetAddressRange(d: Card, base: int, size: int, place: int) -> None:
    for start, (extent, _) in d.memory.items():
        if start <= place < start + extent:
            put(base, start)
            put(size, extent, ctypes.c_size_t)
            return
    raise Answer(NOT_FOUND, f"{place:#x}")


@entry("pip")
def cuPointerGetAttribute(d: Card, out: int, attribute: int, place: int) -> None:
    if not d.ours(place):
        raise Answer(INVALID_VALUE, f"{place} is not on the device")
    if attribute == 1:
        put(out, d.contexts[-1] if d.contexts else 0x6000_0000)
    elif attribute == 2:
        put(out, 2, ctypes.c_uint)
    elif attribute == 3:
        put(out, place)
    else:
        put(out, 0, ctypes.c_int)


@entry("ppz", "cuMemcpyHtoD_v2", "cuMemcpyHtoD_v2_ptds")
def cuMemcpyHtoD(d: Card, to: int, start: int, size: int) -> None:
    d.submit(d.streams[0], d.copy(d.inside(to, size), start, size))
    d.finish(d.streams[0])


@entry("ppz", "cuMemcpyDtoH_v2")
def cuMemcpyDtoH(d: Card, to: int, start: int, size: int) -> None:
    d.submit(d.streams[0], d.copy(to, d.inside(start, size), size))
    d.finish(d.streams[0])


@entry("ppz", "cuMemcpyDtoD_v2")
def cuMemcpyDtoD(d: Card, to: int, start: int, size: int) -> None:
    d.submit(d.streams[0], d.copy(d.inside(to, size), d.inside(start, size), size))


@entry("ppzp", "cuMemcpyHtoDAsync_v2")
def cuMemcpyHtoDAsync(d: Card, to: int, start: int, size: int, stream: int) -> None:
    d.inside(to, size)
    there = d.stream(stream)
    if there.recorded is not None:
        # A graph reads the memory of the host when it is replayed.
        d.submit(there, d.copy(to, start, size))
        return
    values = ctypes.string_at(start, size)
    d.submit(there, lambda: ctypes.memmove(to, values, size) and None)


@entry("ppzp", "cuMemcpyDtoHAsync_v2")
def cuMemcpyDtoHAsync(d: Card, to: int, start: int, size: int, stream: int) -> None:
    d.submit(d.stream(stream), d.copy(to, d.inside(start, size), size))


@entry("ppzp", "cuMemcpyDtoDAsync_v2")
def cuMemcpyDtoDAsync(d: Card, to: int, start: int, size: int, stream: int) -> None:
    d.submit(d.stream(stream), d.copy(d.inside(to, size), d.inside(start, size), size))


@entry("p", "cuIpcOpenMemHandle_v2", "cuIpcGetMemHandle")
def cuIpcOpenMemHandle(d: Card, *arguments: int) -> None:
    raise Answer(UNSUPPORTED, "memory of other processes")


# --- streams, events


@entry("pu")
def cuStreamCreate(d: Card, out: int, flags: int) -> None:
    handle = d.keep("stream")
    d.streams[handle] = Stream(blocking=not flags & 1)
    put(out, handle)


@entry("pui")
def cuStreamCreateWithPriority(d: Card, out: int, flags: int, priority: int) -> None:
    cuStreamCreate(d, out, flags)


@entry("p", "cuStreamDestroy_v2")
def cuStreamDestroy(d: Card, stream: int) -> None:
    d.finish(d.stream(stream))
    del d.streams[stream]


@entry("p")
def cuStreamSynchronize(d: Card, stream: int) -> None:
    there = d.stream(stream)
    d.finish(None if there is d.streams[0] else there, blocking=there is d.streams[0])


@entry("p")
def cuStreamQuery(d: Card, stream: int) -> None:
    d.finish(d.stream(stream))


@entry("pp")
def cuStreamGetFlags(d: Card, stream: int, out: int) -> None:
    put(out, 0 if d.stream(stream).blocking else 1, ctypes.c_uint)


@entry("pp")
def cuStreamGetPriority(d: Card, stream: int, out: int) -> None:
    put(out, 0, ctypes.c_int)


@entry("pp")
def cuStreamGetCtx(d: Card, stream: int, out: int) -> None:
    put(out, 0x6000_0000)


@entry("pp")
def cuStreamGetDevice(d: Card, stream: int, out: int) -> None:
    put(out, 0, ctypes.c_int)


@entry("pp")
def cuStreamGetId(d: Card, stream: int, out: int) -> None:
    put(out, stream or 0, ctypes.c_ulonglong)


class Event:
    """Where a stream stood."""

    def __init__(self) -> None:
        self.stream: Stream | None = None


@entry("pu")
def cuEventCreate(d: Card, out: int, flags: int) -> None:
    put(out, d.keep(Event()))


@entry("pp")
def cuEventRecord(d: Card, event: int, stream: int) -> None:
    d.thing(event, Event).stream = d.stream(stream)


@entry("ppu")
def cuEventRecordWithFlags(d: Card, event: int, stream: int, flags: int) -> None:
    cuEventRecord(d, event, stream)


@entry("p", "cuEventQuery")
def cuEventSynchronize(d: Card, event: int) -> None:
    stream = d.thing(event, Event).stream
    if stream is not None:
        d.finish(stream)


@entry("ppu")
def cuStreamWaitEvent(d: Card, stream: int, event: int, flags: int) -> None:
    # What was to be done before may be done at once.
    cuEventSynchronize(d, event)


@entry("ppp", "cuEventElapsedTime_v2")
def cuEventElapsedTime(d: Card, out: int, first: int, last: int) -> None:
    put(out, 1, ctypes.c_float)


@entry("p", "cuEventDestroy_v2")
def cuEventDestroy(d: Card, event: int) -> None:
    d.thing(event, Event)
    del d.things[event]


# --- graphs


class Graph:
    """What was recorded."""

    def __init__(self, works: list[Work]) -> None:
        self.works = works


class Ready:
    """A graph that can be launched."""

    def __init__(self, works: list[Work]) -> None:
        self.works = works


@entry("pi", "cuStreamBeginCapture_v2")
def cuStreamBeginCapture(d: Card, stream: int, mode: int) -> None:
    there = d.stream(stream)
    if there is d.streams[0] or there.recorded is not None:
        raise Answer(CAPTURE_UNSUPPORTED, "the default stream, or one that records already")
    there.recorded = []
    there.graph = d.keep(Graph(there.recorded))


@entry("pp")
def cuStreamEndCapture(d: Card, stream: int, out: int) -> None:
    there = d.stream(stream)
    if there.recorded is None:
        raise Answer(INVALID_VALUE, "the stream records nothing")
    there.recorded = None
    put(out, there.graph)


@entry("pp")
def cuStreamIsCapturing(d: Card, stream: int, out: int) -> None:
    put(out, int(d.stream(stream).recorded is not None), ctypes.c_int)


@entry("pppppppp", "cuStreamGetCaptureInfo_v2", "cuStreamGetCaptureInfo_v3")
def cuStreamGetCaptureInfo(d: Card, stream: int, status: int, *rest: int) -> None:
    there = d.stream(stream)
    put(status, int(there.recorded is not None), ctypes.c_int)
    if there.recorded is not None and rest[1]:
        put(rest[1], there.graph)


@entry("ppz", "cuGraphInstantiate", "cuGraphInstantiate_v2")
def cuGraphInstantiateWithFlags(d: Card, out: int, graph: int, flags: int) -> None:
    put(out, d.keep(Ready(list(d.thing(graph, Graph).works))))


@entry("ppp")
def cuGraphInstantiateWithParams(d: Card, out: int, graph: int, params: int) -> None:
    put(out, d.keep(Ready(list(d.thing(graph, Graph).works))))


class Companion:
    """What lives as long as the graphs that hold it: somebody wants to be told when they are gone."""


@entry("pppuu")
def cuUserObjectCreate(d: Card, out: int, what: int, end: int, count: int, flags: int) -> None:
    put(out, d.keep(Companion()))


@entry("pu", "cuUserObjectRetain")
def cuUserObjectRelease(d: Card, companion: int, count: int) -> None:
    d.thing(companion, Companion)


@entry("ppuu")
def cuGraphRetainUserObject(d: Card, graph: int, companion: int, count: int, flags: int) -> None:
    d.thing(graph, Graph)
    d.thing(companion, Companion)


@entry("ppu")
def cuGraphReleaseUserObject(d: Card, graph: int, companion: int, count: int) -> None:
    d.thing(graph, Graph)
    d.thing(companion, Companion)


@entry("p")
def cuGraphDestroy(d: Card, graph: int) -> None:
    d.thing(graph, Graph)
    del d.things[graph]


@entry("p")
def cuGraphExecDestroy(d: Card, ready: int) -> None:
    d.thing(ready, Ready)
    del d.things[ready]


@entry("pp")
def cuGraphUpload(d: Card, ready: int, stream: int) -> None:
    d.thing(ready, Ready)


@entry("pp")
def cuGraphLaunch(d: Card, ready: int, stream: int) -> None:
    works, there = d.thing(ready, Ready).works, d.stream(stream)
    for work in works:
        d.submit(there, work)


# --- code


class Library:
    """Loaded machine code."""

    def __init__(self, functions: dict[str, Function]) -> None:
        self.functions = functions
        self.handles: dict[str, int] = {}


@entry("ppppuppu")
def cuLibraryLoadData(d: Card, out: int, image: int, *options: int) -> None:
    put(out, d.keep(Library(functions(image))))


@entry("ppupp")
def cuModuleLoadDataEx(d: Card, out: int, image: int, *options: int) -> None:
    put(out, d.keep(Library(functions(image))))


@entry("pp")
def cuModuleLoadData(d: Card, out: int, image: int) -> None:
    put(out, d.keep(Library(functions(image))))


@entry("p", "cuModuleUnload")
def cuLibraryUnload(d: Card, library: int) -> None:
    d.thing(library, Library)


@entry("ppp")
def cuLibraryGetKernel(d: Card, out: int, library: int, name: int) -> None:
    there, wanted = d.thing(library, Library), ctypes.string_at(name).decode()
    if wanted not in there.functions:
        raise Answer(NOT_FOUND, f"{wanted} is none of {list(there.functions)}")
    if wanted not in there.handles:
        there.handles[wanted] = d.keep(there.functions[wanted])
    put(out, there.handles[wanted])


@entry("ppp")
def cuModuleGetFunction(d: Card, out: int, library: int, name: int) -> None:
    cuLibraryGetKernel(d, out, library, name)


@entry("pp")
def cuLibraryGetKernelCount(d: Card, out: int, library: int) -> None:
    put(out, len(d.thing(library, Library).functions), ctypes.c_uint)


@entry("pp")
def cuKernelGetFunction(d: Card, out: int, kernel: int) -> None:
    d.thing(kernel, Function)
    put(out, kernel)


@entry("pp")
def cuKernelGetLibrary(d: Card, out: int, kernel: int) -> None:
    function = d.thing(kernel, Function)
    for handle, thing in d.things.items():
        if isinstance(thing, Library) and thing.functions.get(function.name) is function:
            put(out, handle)


@entry("pp")
def cuFuncGetModule(d: Card, out: int, kernel: int) -> None:
    cuKernelGetLibrary(d, out, kernel)


@entry("pzpp")
def cuKernelGetParamInfo(d: Card, kernel: int, index: int, offset: int, size: int) -> None:
    parameters = d.thing(kernel, Function).parameters
    if index >= len(parameters):
        raise Answer(INVALID_VALUE, "")
    put(offset, parameters[index][0], ctypes.c_size_t)
    put(size, parameters[index][1], ctypes.c_size_t)


def _attribute(function: Function, attribute: int) -> int:
    known = {
        FUNCTION_THREADS: min(function.threads, ATTRIBUTES[12] // max(-(-function.registers // 8) * 8, 1)),
        FUNCTION_SHARED: function.shared,
        FUNCTION_REGISTERS: function.registers,
        FUNCTION_DYNAMIC: function.dynamic,
    }
    return known.get(attribute, 0)


@entry("pipi")
def cuKernelGetAttribute(d: Card, out: int, attribute: int, kernel: int, device: int) -> None:
    put(out, _attribute(d.thing(kernel, Function), attribute), ctypes.c_int)


@entry("pip")
def cuFuncGetAttribute(d: Card, out: int, attribute: int, function: int) -> None:
    put(out, _attribute(d.thing(function, Function), attribute), ctypes.c_int)


@entry("iipi")
def cuKernelSetAttribute(d: Card, attribute: int, value: int, kernel: int, device: int) -> None:
    function = d.thing(kernel, Function)
    if attribute == FUNCTION_DYNAMIC:
        if value + function.shared > ATTRIBUTES[97]:
            raise Answer(INVALID_VALUE, f"{value} bytes of dynamic shared memory")
        function.dynamic = value


@entry("pii")
def cuFuncSetAttribute(d: Card, function: int, attribute: int, value: int) -> None:
    cuKernelSetAttribute(d, attribute, value, function, 0)


@entry("pi")
def cuFuncSetCacheConfig(d: Card, function: int, config: int) -> None:
    d.thing(function, Function)


@entry("ppiz")
def cuOccupancyMaxActiveBlocksPerMultiprocessor(d: Card, out: int, function: int, threads: int, shared: int) -> None:
    put(out, d.resident(d.thing(function, Function), threads, shared), ctypes.c_int)


@entry("ppizu")
def cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(d: Card, out: int, function: int, threads: int, shared: int, flags: int) -> None:
    put(out, d.resident(d.thing(function, Function), threads, shared), ctypes.c_int)


@entry("puuuuuuuppp")
def cuLaunchKernel(d: Card, function: int, *given: int) -> None:
    grid, block, (shared, stream, params, *_) = given[:3], given[3:6], given[6:]
    d.launch(d.thing(function, Function), grid, block, shared, d.stream(stream), params, False)


@entry("puuuuuuupp")
def cuLaunchCooperativeKernel(d: Card, function: int, *given: int) -> None:
    grid, block, (shared, stream, params) = given[:3], given[3:6], given[6:]
    d.launch(d.thing(function, Function), grid, block, shared, d.stream(stream), params, True)


@entry("pppp")
def cuLaunchKernelEx(d: Card, config: int, function: int, params: int, extra: int) -> None:
    gx, gy, gz, bx, by, bz, shared, _, stream, attributes, count, _ = struct.unpack("<7IIQQII", ctypes.string_at(config, 56))
    cooperative = False
    for k in range(count):
        # An attribute is its number, and a value of 64 bytes.
        number, value = struct.unpack_from("<I4xi", ctypes.string_at(attributes + 72 * k, 72))
        cooperative |= number == 2 and value != 0
    d.launch(d.thing(function, Function), (gx, gy, gz), (bx, by, bz), shared, d.stream(stream), params, cooperative)


@entry("ip", "cuGetErrorString")
def cuGetErrorName(d: Card, code: int, out: int) -> None:
    put(out, ctypes.addressof(NAMED.setdefault(code, ctypes.create_string_buffer(ERRORS.get(code, f"CUDA_ERROR_{code}").encode()))))


#: Names that somebody may still read.
NAMED: dict[int, Any] = {}


# --- machine code of PTX


class Linker:
    """What is to become machine code."""

    def __init__(self, registers: int = 0) -> None:
        self.registers = registers
        self.texts: list[tuple[str, bytes]] = []
        self.image: ctypes.Array[ctypes.c_char] | None = None


#: An option of a linker: how many registers a thread may have.
MOST_REGISTERS = 0
#: What is added to a linker, by the numbers of cuda.h.
ADDED = {0: "cubin", 1: "ptx", 4: "library"}


@entry("uppp", "cuLinkCreate_v2")
def cuLinkCreate(d: Card, count: int, options: int, values: int, out: int) -> None:
    given = [struct.unpack_from("<i", ctypes.string_at(options + 4 * k, 4))[0] for k in range(count)]
    words = [struct.unpack_from("<Q", ctypes.string_at(values + 8 * k, 8))[0] for k in range(count)]
    put(out, d.keep(Linker(dict(zip(given, words, strict=True)).get(MOST_REGISTERS, 0))))


@entry("pipzpupp", "cuLinkAddData_v2")
def cuLinkAddData(d: Card, linker: int, kind: int, text: int, size: int, *rest: int) -> None:
    d.thing(linker, Linker).texts.append((ADDED[kind], ctypes.string_at(text, size)))


@entry("pipupp", "cuLinkAddFile_v2")
def cuLinkAddFile(d: Card, linker: int, kind: int, path: int, *rest: int) -> None:
    there = Path(ctypes.string_at(path).decode())
    if not there.is_file():
        raise Answer(NO_FILE, f"{there} is not there")
    d.thing(linker, Linker).texts.append((ADDED[kind], there.read_bytes()))


@entry("ppp")
def cuLinkComplete(d: Card, linker: int, image: int, size: int) -> None:
    there = d.thing(linker, Linker)
    made = linked(there.texts, registers=there.registers)
    there.image = ctypes.create_string_buffer(made, len(made))
    put(image, ctypes.addressof(there.image))
    put(size, len(made), ctypes.c_size_t)


@entry("p")
def cuLinkDestroy(d: Card, linker: int) -> None:
    d.thing(linker, Linker)
    del d.things[linker]
