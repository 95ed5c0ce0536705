"""The side that waits: processes that work, each with a limit of time, and what they have found by then."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.cuda.worker import READY, short

ROOT = Path(__file__).parents[2]

#: Takes a piece of a result as it comes: its key and its value.
Take = Callable[[str, Any], None]


class Hand:
    """A process and its work.

    Attributes:
        name: of the work, in the log.
        state: "new", "working", "ready", "done", "failed" or "late" (it was ended, since time was over).
        reason: why it failed.
        trace: where, if it could still say so.
    """

    def __init__(self, name: str, do: str, given: Mapping[str, Any], python: str, environment: Mapping[str, str] | None = None) -> None:
        self.name, self.do, self.given, self.python = name, do, dict(given), python
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **(environment or {})}
        self.state, self.reason, self.trace = "new", "", ""
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._process: subprocess.Popen[str] | None = None

    def turn(self, until: float, take: Take) -> bool:
        """Let it work until it is ready for the next turn or done, at most until a time of the monotonic clock.

        Return whether it may go on, or is done.
        """
        if self.state in ("done", "failed", "late"):
            return self.state == "done"
        if self._process is None:
            if time.monotonic() >= until:
                return self._end("late", "time was over")
            self._start()
            self._send({"do": self.do, "given": self.given})
        else:
            self._send({})
        self.state = "working"
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                return self._end("late", "time was over")
            if line is None:
                return self._end("failed", self._last_words())
            try:
                message = json.loads(line)
            except ValueError:
                continue  # the process ended in the middle of it
            if "error" in message:
                self.trace = message["trace"]
                return self._end("failed", message["error"])
            if "done" in message:
                self._end("done", "")
                return True
            if message["key"] == READY:
                self.state = READY
                return True
            take(message["key"], message["value"])

    def stop(self) -> None:
        """End the process and all that it started."""
        if self._process is None:
            return
        if self._process.poll() is None:
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            return  # it hangs in the driver, where nothing ends it; the others go on
        for pipe in (self._process.stdin, self._process.stdout, self._errors):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    pass

    def _start(self) -> None:
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": self._errors, "text": True}
        command = [self.python, "-m", "benchmarks.cuda.worker"]
        self._process = subprocess.Popen(command, cwd=ROOT, env=self.environment, start_new_session=True, **pipes)
        threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True).start()

    def _read(self, pipe: Iterable[str]) -> None:
        try:
            for line in pipe:
                self._lines.put(line)
        except ValueError:
            pass  # the pipe was closed when the process was ended
        self._lines.put(None)

    def _send(self, message: Mapping[str, Any]) -> None:
        assert self._process is not None and self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it is gone, as its end of the other pipe will tell

    def _end(self, state: str, reason: str) -> bool:
        self.state, self.reason = state, reason
        self.stop()
        return False

    def _last_words(self) -> str:
        assert self._process is not None
        try:
            ended = f"the process ended with code {self._process.wait(10)}"
        except subprocess.TimeoutExpired:
            ended = "the process says no more"
        self._errors.seek(0)
        self.trace = short(self._errors.read()[-3000:])
        return ended


def prepare(hands: Iterable[Hand], jobs: int, until: float, take: Callable[[Hand], Take]) -> None:
    """Let hands take their first turn, ``jobs`` of them at a time."""
    hands = list(hands)
    pool = ThreadPoolExecutor(max(1, jobs))
    try:
        list(pool.map(lambda hand: hand.turn(until, take(hand)), hands))
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for hand in hands:
            hand.stop()
        raise
    finally:
        pool.shutdown()
