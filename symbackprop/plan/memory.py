"""One arena for all values of a step: first fit, reused as soon as a value has been read for the last time."""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """A value that is needed from one call to another, both included.

    Attributes:
        name: whose.
        size: elements, per sample or in all.
        first: number of the call that writes it.
        last: number of the last call that reads it.
    """

    name: str
    size: int
    first: int
    last: int


def first_fit(intervals: Sequence[Interval]) -> tuple[Mapping[str, int], int]:
    """Return an offset for each value, and the size of the arena.

    Values whose intervals meet never share memory. The gaps are kept sorted by offset, so that a thousand layers cost little.
    """
    offsets: dict[str, int] = {}
    gaps: list[tuple[int, int]] = []
    end = peak = 0
    ending: dict[int, list[Interval]] = {}
    for value in intervals:
        ending.setdefault(value.last, []).append(value)
    order = sorted(range(len(intervals)), key=lambda k: (intervals[k].first, k))
    freed = sorted(ending)
    position = 0
    for k in order:
        value = intervals[k]
        while position < len(freed) and freed[position] < value.first:
            for old in ending[freed[position]]:
                end = _release(gaps, offsets[old.name], old.size, end)
            position += 1
        place = next((g for g, (_, size) in enumerate(gaps) if size >= value.size), None)
        if place is None:
            offsets[value.name] = end
            end += value.size
            peak = max(peak, end)
        else:
            offset, size = gaps.pop(place)
            offsets[value.name] = offset
            if size > value.size:
                insort(gaps, (offset + value.size, size - value.size))
    return offsets, peak


def _release(gaps: list[tuple[int, int]], offset: int, size: int, end: int) -> int:
    """Add a gap, merged with its neighbours; a gap at the end gives the arena's end back."""
    insort(gaps, (offset, size))
    at = gaps.index((offset, size))
    if at + 1 < len(gaps) and offset + size == gaps[at + 1][0]:
        gaps[at : at + 2] = [(offset, size + gaps[at + 1][1])]
    if at > 0 and sum(gaps[at - 1]) == gaps[at][0]:
        gaps[at - 1 : at + 1] = [(gaps[at - 1][0], gaps[at - 1][1] + gaps[at][1])]
    if gaps and sum(gaps[-1]) == end:
        end = gaps.pop()[0]
    return end


__all__ = ["Interval", "first_fit"]
