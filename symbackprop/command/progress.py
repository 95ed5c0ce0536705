"""A line that shows what is being done, as long as it takes and somebody watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

#: Progress goes to standard error, so that a pipe gets the results alone.
_ASIDE = Console(stderr=True, highlight=False, markup=False, emoji=False)


@contextmanager
def waiting(text: str) -> Iterator[Callable[[str], None]]:
    """Show a text with the time that has passed; the yielded function replaces the text."""
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=_ASIDE, transient=True, disable=not _ASIDE.is_terminal) as progress:
        task = progress.add_task(text, total=None)

        def say(description: str) -> None:
            progress.update(task, description=description)

        yield say
