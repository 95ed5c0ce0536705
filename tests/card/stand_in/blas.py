"""The functions of cuBLAS that are called: products of matrices, which it counts column by column."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np

from stand_in.answers import INVALID_VALUE, Answer
from stand_in.card import Card
from stand_in.entries import put

#: By name: the kinds of the arguments, and what does it.
FUNCTIONS: dict[str, tuple[str, Callable[..., None]]] = {}

#: The stream, and the memory, that the one handle works with.
HANDLE = 0x5000_0000


class Products:
    """What a handle was told."""

    stream = 0
    memory = 0
    accuracy = 0


def _known(name: str, kinds: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    def known(function: Callable[..., None]) -> Callable[..., None]:
        FUNCTIONS[name] = (kinds, function)
        return function

    return known


@_known("cublasCreate_v2", "p")
def _create(d: Card, out: int) -> None:
    d.things[HANDLE] = Products()
    put(out, HANDLE)


@_known("cublasSetStream_v2", "pp")
def _stream(d: Card, handle: int, stream: int) -> None:
    d.stream(stream)
    products = d.thing(handle, Products)
    # The workspace is the library's own again.
    products.stream, products.memory = stream, 0


@_known("cublasSetWorkspace_v2", "ppz")
def _workspace(d: Card, handle: int, place: int, size: int) -> None:
    if place % 256:
        raise Answer(INVALID_VALUE, f"workspace at {place:#x}")
    d.thing(handle, Products).memory = d.inside(place, size)


@_known("cublasSetMathMode", "pi")
def _mode(d: Card, handle: int, mode: int) -> None:
    d.thing(handle, Products).accuracy = mode


def _multiplied(
    d: Card,
    kind: type[np.floating[Any]],
    handle: int,
    turned: tuple[int, int],
    sizes: tuple[int, ...],
    scales: tuple[int, int],
    places: list[tuple[int, int, int]],
) -> None:
    products = d.thing(handle, Products)
    if d.stream(products.stream).recorded is not None and not products.memory:
        raise Answer(INVALID_VALUE, "a product is recorded that takes memory of its own")
    real = ctypes.c_float if kind is np.float32 else ctypes.c_double
    alpha, beta = (ctypes.cast(scale, ctypes.POINTER(real))[0] for scale in scales)
    if (alpha, beta) != (1.0, 0.0):
        raise Answer(INVALID_VALUE, f"alpha {alpha}, beta {beta}")
    m, n, k, count = sizes
    item = np.dtype(kind).itemsize

    def matrices(which: int, rows: int, columns: int) -> np.ndarray:
        place, lead, step = places[which]
        if lead < max(1, rows):
            raise Answer(INVALID_VALUE, f"{lead} entries from column to column of {rows}")
        size = (count - 1) * step + (columns - 1) * lead + rows
        d.inside(place, size * item)
        memory = np.frombuffer((ctypes.c_char * (size * item)).from_address(place), kind)
        return np.lib.stride_tricks.as_strided(memory, (count, rows, columns), (step * item, item, lead * item))

    def work() -> None:
        left = matrices(0, *((k, m) if turned[0] else (m, k)))
        right = matrices(1, *((n, k) if turned[1] else (k, n)))
        left, right = (a.swapaxes(1, 2) if flip else a for a, flip in zip((left, right), turned, strict=True))
        matrices(2, m, n)[...] = left.astype(np.float64) @ right.astype(np.float64)
        d.launched.append("matmul")

    d.submit(d.stream(products.stream), work)


def _product(letter: str, kind: type[np.floating[Any]]) -> None:
    @_known(f"cublas{letter}gemm_v2", "piiiiippipippi")
    def one(d: Card, handle: int, *given: int) -> None:
        first, second, m, n, k, alpha, a, la, b, lb, beta, c, lc = given
        _multiplied(d, kind, handle, (first, second), (m, n, k, 1), (alpha, beta), [(a, la, 0), (b, lb, 0), (c, lc, 0)])

    @_known(f"cublas{letter}gemmStridedBatched", "piiiiippizpizppizi")
    def many(d: Card, handle: int, *given: int) -> None:
        first, second, m, n, k, alpha, a, la, sa, b, lb, sb, beta, c, lc, sc, count = given
        _multiplied(d, kind, handle, (first, second), (m, n, k, count), (alpha, beta), [(a, la, sa), (b, lb, sb), (c, lc, sc)])


_product("S", np.float32)
_product("D", np.float64)
