"""A headless Chromium for tests, spoken to over a pipe: opens files, asks the page, takes pictures, and hears every request and error."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import struct
import subprocess
import time
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update "
    "--disable-sync --disable-extensions --disable-default-apps --no-default-browser-check --mute-audio --hide-scrollbars "
    "--disable-dev-shm-usage --remote-debugging-pipe"
).split()


@dataclass
class Heard:
    """What a page did while it was open."""

    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)


class Browser:
    """One browser process with one page."""

    def __init__(self, profile: Path, patience: float = 180.0) -> None:
        self.patience = patience
        self.number = 0
        self.rest = b""
        self.heard = Heard()
        self.loaded = False
        self.reader, write_there = os.pipe()
        read_there, self.writer = os.pipe()
        # The browser reads from descriptor 3 and writes to descriptor 4; these are far from both.
        theirs = [fcntl.fcntl(end, fcntl.F_DUPFD, 20 + 10 * k) for k, end in enumerate((read_there, write_there))]
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$0" "$@" 3<&{theirs[0]} 4>&{theirs[1]}', "chromium", *FLAGS, f"--user-data-dir={profile}"],
            pass_fds=theirs,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for end in (read_there, write_there, *theirs):
            os.close(end)
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for part in ("Page", "Runtime", "Network", "Log"):
            self.tell(f"{part}.enable")

    def open(self, page: str, path: Path, width: int = 1280, height: int = 900, dark: bool = False, script: bool = True) -> Heard:
        """Write a page to a file, open it and wait until its formulas are set; return what it did, a list that goes on growing."""
        path.write_text(page, encoding="utf-8")
        self.tell("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        motion = {"name": "prefers-reduced-motion", "value": "reduce"}
        self.tell("Emulation.setEmulatedMedia", features=[scheme, motion])
        self.tell("Emulation.setScriptExecutionDisabled", value=not script)
        self.heard = heard = Heard()
        self.loaded = False
        self.tell("Page.navigate", url=path.resolve().as_uri())
        end = time.monotonic() + self.patience
        while not self.loaded:
            self._hear(end)
        if script:
            self.wait("document.documentElement.dataset.rendered === 'true'")
        return heard

    def wait(self, condition: str) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + self.patience
        while not self.value(condition):
            assert time.monotonic() < end, f"it never came true: {condition}"
            time.sleep(0.02)

    def value(self, expression: str) -> Any:
        """Return the value of an expression in the page."""
        answer = self.tell("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def picture(self, selector: str = "html") -> Picture:
        """Return what an element looks like."""
        box = self.value(
            f"(() => {{ const b = document.querySelector({json.dumps(selector)}).getBoundingClientRect();"
            "return [b.x + scrollX, b.y + scrollY, b.width, b.height]; })()"
        )
        clip = dict(zip(("x", "y", "width", "height"), box, strict=True)) | {"scale": 1}
        shot = self.tell("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        return Picture.of(base64.b64decode(shot["data"]))

    def tell(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command to the page and return its answer."""
        return self.ask(method, self.session, **params)

    def ask(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """Send a command and return its answer."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params} | ({"sessionId": session} if session else {})
        os.write(self.writer, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + self.patience
        while True:
            answer = self._hear(end)
            if answer.get("id") == self.number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                result: dict[str, Any] = answer["result"]
                return result

    def close(self) -> None:
        """End the browser."""
        try:
            self.ask("Browser.close")
        except (AssertionError, OSError):
            self.process.kill()
        self.process.wait(10)
        os.close(self.reader)
        os.close(self.writer)

    def _hear(self, end: float) -> dict[str, Any]:
        while b"\0" not in self.rest:
            left = end - time.monotonic()
            assert left > 0, "the browser does not answer"
            if select.select([self.reader], [], [], left)[0]:
                more = os.read(self.reader, 1 << 20)
                assert more, "the browser has ended"
                self.rest += more
        text, _, self.rest = self.rest.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, method: str, params: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.heard.requests.append(params["request"]["url"])
        elif method == "Page.loadEventFired":
            self.loaded = True
        elif method == "Page.javascriptDialogOpening":
            self.heard.dialogs.append(params["message"])
        elif method == "Runtime.exceptionThrown":
            self.heard.errors.append(str(params["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.heard.errors.append(" ".join(str(a.get("value", a.get("description"))) for a in params["args"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.heard.errors.append(params["entry"]["text"])


@dataclass(frozen=True)
class Picture:
    """The points of a PNG: rows of red, green and blue."""

    width: int
    height: int
    rows: tuple[bytes, ...]
    png: bytes

    @classmethod
    def of(cls, png: bytes) -> Picture:
        """Read a PNG as browsers write it: eight bits, three or four channels, not interlaced."""
        at, packed = 8, b""
        width = height = channels = 0
        while at < len(png):
            (size,), kind = struct.unpack(">I", png[at : at + 4]), png[at + 4 : at + 8]
            body = png[at + 8 : at + 8 + size]
            if kind == b"IHDR":
                width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", body)
                assert depth == 8 and colour in (2, 6) and not interlaced
                channels = 3 if colour == 2 else 4
            elif kind == b"IDAT":
                packed += body
            at += 12 + size
        return cls(width, height, _unfiltered(zlib.decompress(packed), width, height, channels), png)

    def inked(self) -> float:
        """Return which part of the points differs clearly from the first one, the paper."""
        if not self.rows:
            return 0.0
        paper = self.rows[0][:3]
        points = sum(
            1
            for row in self.rows
            for k in range(0, len(row), 3)
            if sum(abs(a - b) for a, b in zip(row[k : k + 3], paper, strict=True)) > 120
        )
        return points / (self.width * self.height)


def _unfiltered(raw: bytes, width: int, height: int, channels: int) -> tuple[bytes, ...]:
    step, line = channels, 1 + width * channels
    before = bytearray(width * channels)
    rows = []
    for y in range(height):
        kind, row = raw[y * line], bytearray(raw[y * line + 1 : (y + 1) * line])
        for k in range(len(row)):
            left = row[k - step] if k >= step else 0
            up, corner = before[k], before[k - step] if k >= step else 0
            if kind == 1:
                row[k] = (row[k] + left) & 255
            elif kind == 2:
                row[k] = (row[k] + up) & 255
            elif kind == 3:
                row[k] = (row[k] + (left + up) // 2) & 255
            elif kind == 4:
                near = left + up - corner
                guess = min((abs(near - left), 0, left), (abs(near - up), 1, up), (abs(near - corner), 2, corner))[2]
                row[k] = (row[k] + guess) & 255
        before = row
        rows.append(bytes(c for k in range(0, len(row), step) for c in row[k : k + 3]))
    return tuple(rows)


__all__ = ["Browser", "Heard", "Picture"]
