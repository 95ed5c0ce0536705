"""A progress bar over the epochs of training, on standard error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class Report(Protocol):
    """Called after every epoch with its number and what to show."""

    def __call__(self, epoch: int, shown: str) -> None: ...


@contextmanager
def bar(title: str, epochs: int) -> Iterator[Report]:
    """Show a bar while the block runs."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[shown]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=epochs, shown="")

        def report(epoch: int, shown: str) -> None:
            progress.update(task, completed=epoch, shown=shown)

        yield report


__all__ = ["Report", "bar"]
