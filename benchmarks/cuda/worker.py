"""The process of one piece of work: a fault of the device in it ends nothing else.

    python -m benchmarks.cuda.worker

It reads one line, ``{"do": "module:function", "given": {...}}``, calls the function, and writes what this yields, a line each. After
`READY` it waits for a line, so that many processes can prepare side by side and be timed one after another.
"""

from __future__ import annotations

import importlib
import json
import os
import queue
import re
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any

#: The key that a function yields when all is prepared and the next thing is timed.
READY = "ready"


def short(text: str) -> str:
    """Return a text without the folders of its paths: a record names none."""
    return re.sub(r"(/[\w.+@-]+){2,}/|(?<![\w.])/[\w.+@-]+/", "", text)


def attempt(name: str, work: Callable[[], Any]) -> tuple[str, Any]:
    """Return a name and what work gives, or in its place what went wrong."""
    try:
        return name, work()
    except Exception as error:  # the others are tried nevertheless
        return name, {"error": told(error)}


def told(error: BaseException) -> str:
    """Return an error in a line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {short(' '.join(lines[:2]))[:200]}"


def main() -> None:
    """Do the work that the first line asks for."""
    # What libraries print goes elsewhere: the pipe is for answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    lines: queue.Queue[str] = queue.Queue()

    def read() -> None:
        for line in sys.stdin:
            lines.put(line)
        # Nobody is there to hear the rest.
        os._exit(1)

    def send(**message: object) -> None:
        answers.write(json.dumps(message) + "\n")
        answers.flush()

    threading.Thread(target=read, daemon=True).start()
    command = json.loads(lines.get())
    try:
        module, _, function = command["do"].partition(":")
        for key, value in getattr(importlib.import_module(module), function)(**command["given"]):
            send(key=key, value=value)
            if key == READY:
                lines.get()
        send(done=True)
    except BaseException as error:  # whatever it is, the others go on
        send(error=told(error), trace=short(traceback.format_exc())[-3000:])
    # A device at fault may make a tidy end hang.
    answers.close()
    os._exit(0)


if __name__ == "__main__":
    main()
