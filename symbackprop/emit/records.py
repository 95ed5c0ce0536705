"""What the emit stage yields, and what a target is. Records only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Artifact:
    """A text with the path it belongs to, relative to the output folder: a function of the input alone."""

    path: str
    text: str


@dataclass(frozen=True)
class Target:
    """A dialect to write in.

    Attributes:
        name: what users call it.
        folder: of its templates.
        form: "loops", "arrays" or "threads".
        suffix: of the module's file.
        runtime: template of the runtime file beside the module, or None.
    """

    name: str
    folder: str
    form: str
    suffix: str
    runtime: str | None


__all__ = ["Artifact", "Target"]
