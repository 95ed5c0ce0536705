"""Work for the processes of the GPU's benchmarks: what goes well, what waits its turn, what fails, dies and hangs."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.cuda.worker import READY


def well(value: int) -> Iterator[tuple[str, Any]]:
    yield "first", value
    yield READY, None
    print("what a library prints is no answer")
    yield "second", value + 1


def fails() -> Iterator[tuple[str, Any]]:
    yield "first", 1
    raise ValueError(f"{os.getcwd()}/lib/python/broken.py is broken")


def dies() -> Iterator[tuple[str, Any]]:
    yield "first", 1
    # The pipe of answers, with half a line in it.
    os.write(3, b'{"key": "sec')
    os._exit(7)


def hangs() -> Iterator[tuple[str, Any]]:
    yield "first", 1
    time.sleep(600)
