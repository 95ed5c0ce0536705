"""The launch: every CUDA thread a generator, all of them in one OS thread, barrier by barrier, in an order drawn from a seed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symbackprop.execute.lockstep.arrays import Clock, Constant, Memory, Plain, Tracked
from symbackprop.execute.lockstep.errors import DivergenceError, KernelTextError, OrderError, SharedMemoryError, UninitializedError
from symbackprop.execute.lockstep.numbers import type_named
from symbackprop.execute.lockstep.rewrite import SHARED_LIMIT, Kernel, Place, Site, kernel, kind_name

__all__ = ["Report", "Snapshot", "run", "same_bits", "walk"]

Extent = int | tuple[int, ...]
WARP = 32
FULL = 0xFFFFFFFF


@dataclass(frozen=True)
class Report:
    """What a run passed: barriers by name, shared bytes a block, and notes on what other tools would do with the text."""

    kernel: str
    seed: int
    passed: dict[str, int]
    static_shared: int
    dynamic_shared: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Snapshot:
    """A kernel between two barriers.

    Attributes:
        barrier: the barrier that was just passed; None when a block (or the kernel) has ended.
        block: the index of the block that passed it; None for a grid sync and at the end of the kernel.
        shared: the block's shared arrays by name (copies; elements that were never written are masked).
        arguments: the array arguments by name (copies).
    """

    barrier: Site | None
    block: tuple[int, int, int] | None
    shared: dict[str, np.ma.MaskedArray[Any, Any]]
    arguments: dict[str, np.ma.MaskedArray[Any, Any]]


class _Dim3:
    __slots__ = ("x", "y", "z")

    def __init__(self, x: int, y: int, z: int) -> None:
        self.x, self.y, self.z = x, y, z


class _Warp:
    __slots__ = ("epoch", "threads")

    def __init__(self) -> None:
        self.threads: list[_Thread] = []
        self.epoch = 0


class _Thread:
    __slots__ = ("arguments", "block", "done", "flat", "generator", "index", "lane", "reply", "shape", "site", "warp")

    def __init__(self, block: _Block, flat: int, index: tuple[int, int, int], warp: _Warp) -> None:
        self.block, self.flat, self.index, self.warp = block, flat, index, warp
        self.lane = flat % WARP
        self.generator: Any = None
        self.reply: Any = None
        self.site: Site | None = None
        self.arguments: tuple[Any, ...] = ()
        self.done = False

    def __str__(self) -> str:
        return f"thread {_short(self.index)} of block {_short(self.block.index)}"


class _Block:
    __slots__ = ("dynamic", "epoch", "index", "launch", "ready", "shared", "site", "threads", "warps")

    def __init__(self, launch: _Launch, index: tuple[int, int, int]) -> None:
        self.launch, self.index = launch, index
        self.epoch = 0
        self.shared: dict[Place, Plain | Tracked] = {}
        self.dynamic = Memory("shared", mixed=True)
        self.site: Site | None = None  # the grid sync at which the block waits
        self.threads: list[_Thread] = []
        self.warps: list[_Warp] = []
        x, y, z = launch.block
        for flat in range(x * y * z):
            if flat % WARP == 0:
                self.warps.append(_Warp())
            thread = _Thread(self, flat, (flat % x, flat // x % y, flat // (x * y)), self.warps[-1])
            thread.generator = launch.entry(_Device(launch, self, thread), *launch.arguments)
            self.warps[-1].threads.append(thread)
            self.threads.append(thread)
        self.ready: list[_Thread] = list(self.threads)

    def __str__(self) -> str:
        return f"block {_short(self.index)}"


def _short(index: tuple[int, int, int]) -> str:
    return str(index[0]) if index[1:] == (0, 0) else f"({', '.join(map(str, index))})"


class _Atomic:
    """``cuda.atomic``: each update gives the value before it."""

    @staticmethod
    def add(array: Any, index: Any, value: Any) -> Any:
        return array.atomic(index, lambda old: old + value)

    @staticmethod
    def sub(array: Any, index: Any, value: Any) -> Any:
        return array.atomic(index, lambda old: old - value)

    @staticmethod
    def max(array: Any, index: Any, value: Any) -> Any:
        return array.atomic(index, lambda old: value if value > old else old)

    @staticmethod
    def min(array: Any, index: Any, value: Any) -> Any:
        return array.atomic(index, lambda old: value if value < old else old)

    @staticmethod
    def exch(array: Any, index: Any, value: Any) -> Any:
        return array.atomic(index, lambda old: value)

    @staticmethod
    def cas(array: Any, index: Any, expected: Any, value: Any) -> Any:
        return array.atomic(index, lambda old: value if old == expected else old)


class _Const:
    @staticmethod
    def array_like(values: Any) -> Any:
        """``cuda.const.array_like``."""
        return Constant("const", values) if isinstance(values, np.ndarray) else values


class _Groups:
    @staticmethod
    def this_grid() -> _Groups:
        return _Groups()


_ATOMIC, _CONST, _CG = _Atomic(), _Const(), _Groups()


class _Device:
    """``cuda`` as one thread sees it."""

    __slots__ = ("_block", "_launch", "atomic", "blockDim", "blockIdx", "cg", "const", "gridDim", "laneid", "threadIdx", "warpsize")

    def __init__(self, launch: _Launch, block: _Block, thread: _Thread) -> None:
        self._launch, self._block = launch, block
        self.threadIdx, self.blockIdx = _Dim3(*thread.index), _Dim3(*block.index)
        self.blockDim, self.gridDim = launch.block_dim, launch.grid_dim
        self.laneid, self.warpsize = thread.lane, WARP
        self.atomic, self.const, self.cg = _ATOMIC, _CONST, _CG

    def grid(self, axes: int) -> Any:
        t, b, d = self.threadIdx, self.blockIdx, self.blockDim
        return _first((b.x * d.x + t.x, b.y * d.y + t.y, b.z * d.z + t.z), axes)

    def gridsize(self, axes: int) -> Any:
        g, d = self.gridDim, self.blockDim
        return _first((g.x * d.x, g.y * d.y, g.z * d.z), axes)

    def threadfence(self) -> None:
        """No-op: one OS thread sees its own writes at once."""

    threadfence_block = threadfence_system = threadfence

    def shared_array(self, where: Place) -> Plain | Tracked:
        found = self._block.shared.get(where)
        if found is None:
            found = self._block.shared[where] = self._launch.shared(self._block, where)
        return found

    def local_array(self, where: Place) -> Plain | Tracked:
        if self._launch.sliced:
            return Tracked(where.name, Memory("local"), self._launch.quiet, where.dtype, where.shape)
        return Plain(where.name, "local", where.dtype, where.shape)


def _first(values: tuple[int, int, int], axes: int) -> Any:
    return values[0] if axes == 1 else values[:axes]


def _extent(value: Extent, what: str) -> tuple[int, int, int]:
    given = value if isinstance(value, tuple) else (value,)
    if not 1 <= len(given) <= 3 or any(int(v) != v or v < 1 for v in given):
        raise KernelTextError(f"{what} {value!r}: one to three positive sizes are wanted")
    x, y, z = (*(int(v) for v in given), 1, 1)[:3]
    return x, y, z


class _Launch:
    """One launch of a kernel; `steps` runs it."""

    def __init__(
        self, what: Kernel, grid: Extent, block: Extent, values: Sequence[Any], dynamic_shared: int, race: bool, seed: int
    ) -> None:
        self.kernel = what
        self.grid, self.block = _extent(grid, "grid"), _extent(block, "block")
        count = self.block[0] * self.block[1] * self.block[2]
        if count > 1024:
            raise KernelTextError(f"{what.name}: {count} threads a block, CUDA has at most 1024")
        if len(values) != len(what.parameters):
            raise KernelTextError(f"{what.name} takes {', '.join(what.parameters)}; got {len(values)} arguments")
        self.grid_dim, self.block_dim = _Dim3(*self.grid), _Dim3(*self.block)
        self.dynamic_shared, self.race = dynamic_shared, race
        self.clock, self.quiet = Clock(race), Clock(False)
        self.random = np.random.default_rng(seed)
        self.epoch = 0
        self.passed: dict[str, int] = {}
        scalars: list[tuple[Any, str | None]] = [(None, None) if isinstance(v, np.ndarray) else _scalar(v) for v in values]
        kinds = [_array_kind(v) if isinstance(v, np.ndarray) else k for v, (_, k) in zip(values, scalars, strict=True)]
        built = what.build(kinds)
        self.entry, self.sliced = built.entry, built.sliced
        if not 0 <= dynamic_shared <= SHARED_LIMIT - what.static_shared:
            raise SharedMemoryError(
                f"{what.name}: {dynamic_shared} bytes of dynamic and {what.static_shared} of static shared memory;"
                f" a block may have {SHARED_LIMIT} in all"
            )
        self.globals = Memory("global")
        self.arrays: dict[str, tuple[np.ndarray[Any, Any], Plain | Tracked]] = {}
        given = [v for v in values if isinstance(v, np.ndarray)]
        if any(a.dtype != b.dtype for a, b in _overlaps(given)):
            raise KernelTextError(f"{what.name}: two arguments of different dtypes share memory, which is not emulated")
        plain = not race and not self.sliced and not _overlaps(given)
        arguments = []
        for name, value, (scalar, _) in zip(what.parameters, values, scalars, strict=True):
            if isinstance(value, np.ndarray):
                self.arrays[name] = (value, self.argument(name, value, plain))
                arguments.append(self.arrays[name][1])
            else:
                arguments.append(scalar)
        self.arguments = tuple(arguments)
        sizes = [range(n) for n in self.grid]
        self.blocks = [_Block(self, (x, y, z)) for z in sizes[2] for y in sizes[1] for x in sizes[0]]

    def argument(self, name: str, value: np.ndarray[Any, Any], plain: bool) -> Plain | Tracked:
        if plain and value.flags.c_contiguous:
            return Plain(name, "global", value.dtype, value.shape, value)
        base: Any = value
        while isinstance(base.base, np.ndarray):
            base = base.base
        # A launch aligns the memory that it is given; what counts is where in it an array begins.
        return Tracked(
            name,
            self.globals,
            self.clock,
            value.dtype,
            value.shape,
            offset=value.__array_interface__["data"][0],
            origin=base.__array_interface__["data"][0],
            strides=value.strides,
            source=value,
        )

    def shared(self, block: _Block, where: Place) -> Plain | Tracked:
        if where.shape == (0,):
            count = self.dynamic_shared // where.dtype.itemsize
            return Tracked(where.name, block.dynamic, self.clock, where.dtype, (count,))
        if not self.race and not self.sliced:
            return Plain(where.name, "shared", where.dtype, where.shape)
        return Tracked(where.name, Memory("shared"), self.clock, where.dtype, where.shape)

    def order(self, items: list[Any]) -> list[Any]:
        return [items[i] for i in self.random.permutation(len(items)).tolist()] if len(items) > 1 else items

    def steps(self) -> Iterator[tuple[Site | None, _Block | None]]:
        """Run; yields (barrier, block) whenever one was passed, and (None, block) when a block has ended."""
        live = list(self.blocks)
        waiting: list[_Block] = []
        ended: list[_Block] = []
        while live:
            for block in self.order(live):
                self.advance(block)
                site = self.settle(block)
                if block.site is not None:
                    waiting.append(block)
                elif site is not None:
                    self.passed[site.call] = self.passed.get(site.call, 0) + 1
                    yield site, block
                elif not block.ready:
                    ended.append(block)
                    yield None, block
            live = [b for b in live if b.site is None and b.ready]
            if not live and waiting:
                site = self.together(waiting, ended)
                self.passed[site.call] = self.passed.get(site.call, 0) + 1
                live, waiting = waiting, []
                yield site, None

    def advance(self, block: _Block) -> None:
        """Let every thread of a block that is ready run to its next barrier."""
        clock, race, grid, epoch = self.clock, self.race, self.epoch, block.epoch
        with np.errstate(all="ignore"):  # NaN and infinity are values
            for thread in self.order(block.ready):
                if race:
                    clock.now = (thread, grid, epoch, thread.warp.epoch)
                try:
                    request = thread.generator.send(thread.reply)
                except StopIteration:
                    thread.done, thread.site = True, None
                    continue
                except UnboundLocalError as error:
                    raise UninitializedError(f"{_line(error, self.kernel.name)}: {error} ({thread})") from error
                if type(request) is tuple:
                    thread.site, *rest = request
                    thread.arguments = tuple(rest)
                else:
                    thread.site, thread.arguments = request, ()
                thread.reply = None

    def settle(self, block: _Block) -> Site | None:
        """Let pass whom a barrier lets pass; gives the barrier."""
        waiting = [t for t in block.threads if not t.done]
        block.ready = []
        if not waiting:
            return None
        site = waiting[0].site
        assert site is not None
        if site.scope == "warp" or any(t.site is not site for t in waiting):
            passed = None
            for warp in block.warps:
                passed = self.exchange(block, warp) or passed
            if passed is not None:
                return passed
            raise self.diverged(block, waiting)
        if len(waiting) != len(block.threads):
            raise self.diverged(block, waiting)
        if site.scope == "grid":
            block.site = site
            return None
        if site.call != "syncthreads":
            votes = [bool(t.arguments[0]) for t in waiting]
            reply = {"syncthreads_count": sum(votes), "syncthreads_and": int(all(votes)), "syncthreads_or": int(any(votes))}[site.call]
            for thread in waiting:
                thread.reply = reply
        block.epoch += 1
        block.ready = waiting
        return site

    def exchange(self, block: _Block, warp: _Warp) -> Site | None:
        """Complete the warp operations of a warp whose lanes have all arrived."""
        groups: dict[tuple[Site, int], list[_Thread]] = {}
        for thread in warp.threads:
            if not thread.done and thread.site is not None and thread.site.scope == "warp":
                mask = thread.arguments[0] if thread.arguments else FULL
                groups.setdefault((thread.site, int(mask) & FULL), []).append(thread)
        passed = None
        for (site, mask), members in groups.items():
            name = self.kernel.name
            if any(not mask >> t.lane & 1 for t in members):
                raise DivergenceError(f"{name}, line {site.line}: {members[0]} calls {site.call} with mask {mask:#x}, which leaves it out")
            named = [t for t in warp.threads if mask >> t.lane & 1]
            if len(named) != len(members):
                if gone := [t for t in named if t.done]:
                    raise DivergenceError(f"{name}, line {site.line}: {members[0]} waits at {site.call} for {gone[0]}, which has finished")
                continue
            if site.call == "syncwarp":
                if any(not t.done and not mask >> t.lane & 1 for t in warp.threads):
                    raise KernelTextError(f"{name}, line {site.line}: syncwarp of a part of a warp is not emulated")
                warp.epoch += 1
            elif site.call.startswith("shfl"):
                lanes = {t.lane: t for t in members}
                for thread in members:
                    thread.reply = self.shuffled(site, thread, lanes)
            else:
                votes = {t.lane: bool(t.arguments[1]) for t in members}
                ballot = sum(1 << lane for lane, vote in votes.items() if vote)
                reply = {"ballot_sync": ballot, "all_sync": all(votes.values()), "any_sync": any(votes.values())}[site.call]
                for thread in members:
                    thread.reply = reply
            block.ready += members
            passed = site
        return passed

    def shuffled(self, site: Site, thread: _Thread, lanes: dict[int, _Thread]) -> Any:
        by = thread.arguments[2]
        by, lane = int(by), thread.lane
        source = {
            "shfl_sync": by % WARP,
            "shfl_up_sync": lane - by if lane >= by else lane,
            "shfl_down_sync": lane + by if lane + by < WARP else lane,
            "shfl_xor_sync": lane ^ by,
        }[site.call]
        if source not in lanes:
            raise DivergenceError(
                f"{self.kernel.name}, line {site.line}: {thread} (lane {lane}) asks by {site.call} for lane {source},"
                " which takes no part: its value is undefined"
            )
        return lanes[source].arguments[1]

    def together(self, waiting: list[_Block], ended: list[_Block]) -> Site:
        """Let all blocks pass a grid sync."""
        name = self.kernel.name
        site = waiting[0].site
        assert site is not None
        if ended:
            raise DivergenceError(f"{name}, line {site.line}: {waiting[0]} waits at a grid sync, {ended[0]} has finished")
        for block in waiting:
            if block.site is not site:
                raise DivergenceError(f"{name}: {waiting[0]} waits at {site}, {block} at {block.site}")
        self.epoch += 1
        for block in waiting:
            block.site, block.ready, block.epoch = None, list(block.threads), block.epoch + 1
        return site

    def diverged(self, block: _Block, waiting: list[_Thread]) -> DivergenceError:
        groups: dict[str, list[_Thread]] = {}
        for thread in block.threads:
            groups.setdefault("finished" if thread.done else f"at {thread.site}", []).append(thread)
        parts = [f"{len(found)} threads ({found[0]}{', ...' if len(found) > 1 else ''}) {what}" for what, found in groups.items()]
        line = waiting[0].site.line if waiting[0].site else 0
        return DivergenceError(f"{self.kernel.name}, line {line}: barrier divergence: {'; '.join(parts)}")

    def flush(self) -> None:
        for target, array in self.arrays.values():
            array.flush(target)

    def report(self, seed: int) -> Report:
        what = self.kernel
        return Report(what.name, seed, dict(self.passed), what.static_shared, self.dynamic_shared, what.notes)


def _line(error: BaseException, name: str) -> str:
    traceback = error.__traceback__
    line = 0
    while traceback is not None:
        line, traceback = traceback.tb_lineno, traceback.tb_next
    return f"{name}, line {line}"


def _scalar(value: Any) -> tuple[Any, str | None]:
    """(the value as kernels see it, its kind) of an argument that is no array."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value), "bool"
    if isinstance(value, np.integer):
        return int(value), "i32" if value.dtype == np.int32 else ("u64" if value.dtype.kind == "u" else "int")
    if isinstance(value, int):
        return value, "int"
    if isinstance(value, np.float32):
        return value, "f32"
    if isinstance(value, (float, np.floating)):
        return np.float64(value), "f64"
    raise KernelTextError(f"an argument of type {type(value).__name__} is not emulated: arrays and numbers are")


def _array_kind(value: np.ndarray[Any, Any]) -> str:
    return f"[{kind_name(type_named(value.dtype.type))}]"


def _overlaps(arrays: list[np.ndarray[Any, Any]]) -> list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]:
    """The pairs of arrays whose memory overlaps."""
    return [(a, b) for i, a in enumerate(arrays) for b in arrays[:i] if np.may_share_memory(a, b)]


def run(function: Any, grid: Extent, block: Extent, *arguments: Any, dynamic_shared: int = 0, race: bool = True, seed: int = 0) -> Report:
    """Run a kernel in lock-step, on the arrays given, and check it.

    Args:
        function: a Python kernel, what ``cuda.jit`` made of one, or a `Kernel`.
        grid: blocks, one to three sizes.
        block: threads a block, one to three sizes, at most 1024 in all.
        arguments: NumPy arrays, which are changed in place as device arrays would be, and numbers.
        dynamic_shared: bytes of dynamic shared memory a block (``cuda.shared.array(0, ...)``).
        race: log every access and compare those that no barrier orders. Without it bounds, first reads and barriers are still checked.
        seed: of the order in which blocks and threads run from barrier to barrier.

    Returns:
        The barriers passed, the shared memory used, and notes on the text.

    Raises:
        LockstepError: its subclass says what is wrong, its message where. Arrays hold what was written until then.
    """
    launch = _Launch(kernel(function), grid, block, arguments, dynamic_shared, race, seed)
    try:
        for _ in launch.steps():
            pass
    finally:
        launch.flush()
    return launch.report(seed)


def walk(
    function: Any, grid: Extent, block: Extent, *arguments: Any, dynamic_shared: int = 0, race: bool = True, seed: int = 0
) -> Iterator[Snapshot]:
    """Run a kernel barrier by barrier: a `Snapshot` after each barrier that a block or the grid passes, and after each block's end.

    The arguments are as for `run`; the arrays are changed in place when the walk ends (or is closed).
    """
    launch = _Launch(kernel(function), grid, block, arguments, dynamic_shared, race, seed)
    try:
        for site, found in launch.steps():
            shared = {} if found is None else {p.name: a.snapshot() for p, a in found.shared.items()}
            yield Snapshot(site, None if found is None else found.index, shared, {n: a.snapshot() for n, (_, a) in launch.arrays.items()})
    finally:
        launch.flush()


def same_bits(
    function: Any,
    grid: Extent,
    block: Extent,
    *arguments: Any,
    dynamic_shared: int = 0,
    race: bool = True,
    seeds: Iterable[int] = (0, 1, 2),
) -> tuple[np.ndarray[Any, Any], ...]:
    """Run a kernel under several orders of its threads on copies of the arrays, and compare the bits of all of them.

    Returns:
        The arrays as the kernel leaves them; those given stay as they are.

    Raises:
        OrderError: two orders give other bits; the message names the array, the first index and the seeds.
        LockstepError: as for `run`.
    """
    what = kernel(function)
    names = [n for n, v in zip(what.parameters, arguments, strict=False) if isinstance(v, np.ndarray)]
    if _overlaps([v for v in arguments if isinstance(v, np.ndarray)]):
        raise KernelTextError(f"{what.name}: same_bits runs on copies, so its arrays must not share memory")
    first: tuple[int, list[np.ndarray[Any, Any]]] | None = None
    for seed in seeds:
        copies = [v.copy() if isinstance(v, np.ndarray) else v for v in arguments]
        run(what, grid, block, *copies, dynamic_shared=dynamic_shared, race=race, seed=seed)
        results = [v for v in copies if isinstance(v, np.ndarray)]
        if first is None:
            first = (seed, results)
            continue
        for name, a, b in zip(names, first[1], results, strict=True):
            if a.tobytes() != b.tobytes():
                width = a.dtype.itemsize
                bytes_a, bytes_b = (np.frombuffer(v.tobytes(), np.uint8).reshape(-1, width) for v in (a, b))
                flat = int(np.argmax((bytes_a != bytes_b).any(axis=1)))
                index = ", ".join(str(int(i)) for i in np.unravel_index(flat, a.shape))
                raise OrderError(
                    f"{what.name}: array {name!r} at [{index}] is {a.flat[flat]!s} under seed {first[0]} and"
                    f" {b.flat[flat]!s} under seed {seed}: the result depends on the order of threads"
                )
    if first is None:
        raise KernelTextError("same_bits needs at least one seed")
    return tuple(first[1])
