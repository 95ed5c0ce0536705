"""Which launches need an order: those of which one writes memory that the other touches.

This is read off the places of their tensors, for tensors may share memory: where each begins and how long it is are straight lines over
the number of samples.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from symbackprop.plan.device.records import Launch
from symbackprop.plan.records import Place

Places = Mapping[str, Place]
#: A tensor by its buffer and its name.
Use = tuple[str, str]


@dataclass(frozen=True)
class Region:
    """Where a tensor lies: entries ``fixed + each N <= k < fixed + each N + more + per N`` of a buffer, for N samples."""

    buffer: str
    fixed: int = 0
    each: int = 0
    more: float = math.inf
    per: int = 0

    def meets(self, other: Region, batch: int) -> bool:
        """Whether two regions have an entry in common for some number of samples up to ``batch``."""
        return self.buffer == other.buffer and not (self.ends_before(other, batch) or other.ends_before(self, batch))

    def ends_before(self, other: Region, batch: int) -> bool:
        # Both sides are straight lines over the number of samples, so that two places tell all of them.
        return all(self.fixed + self.more + (self.each + self.per) * n <= other.fixed + other.each * n for n in (1, batch))


def region(buffer: str, place: Place | None) -> Region:
    """Return where a tensor lies: all of the buffer where its place is not known, as that of an argument."""
    if place is None or place.buffer == "argument" or place.shape.count("N") > 1:
        return Region(buffer)
    fixed = math.prod(e for e in place.shape if isinstance(e, int))
    batched = "N" in place.shape
    return Region(buffer, place.fixed, place.per_sample, 0 if batched else fixed, fixed if batched else 0)


class Memory:
    """Which launches of an entry need an order.

    Two tensors meet where they have an entry in common; launches need an order where one writes a tensor that meets one of the other.

    Args:
        launches: of the entry.
        places: of their tensors.
        batch: the number of samples that is planned for.
    """

    def __init__(self, launches: Sequence[Launch], places: Places, batch: int) -> None:
        regions = {use: region(use[0], places.get(use[1])) for one in launches for use in used(one)}
        self.meeting: dict[Use, list[Use]] = {use: [use] for use in regions}
        for one, other in meeting(regions, batch):
            self.meeting[one].append(other)
            self.meeting[other].append(one)

    def behind(self, one: Launch, seen: Seen) -> int:
        """Return the largest number of a launch that has to be done before another one, -1 if there is none."""
        found = -1
        for use in used(one):
            for other in self.meeting[use]:
                found = max(found, seen.written.get(other, -1))
        for use in written(one):
            for other in self.meeting[use]:
                found = max(found, seen.touched.get(other, -1))
        return found


class Seen:
    """The largest number of a launch that has touched each tensor, and that has written it."""

    def __init__(self) -> None:
        self.touched: dict[Use, int] = {}
        self.written: dict[Use, int] = {}

    def add(self, one: Launch, number: int) -> None:
        """Note a launch under a number."""
        for use in used(one):
            self.touched[use] = max(number, self.touched.get(use, -1))
        for use in written(one):
            self.written[use] = max(number, self.written.get(use, -1))


def used(one: Launch) -> Iterator[Use]:
    """Return the tensors that a launch touches."""
    return zip(one.kernel.buffers, one.names, strict=True)


def written(one: Launch) -> Iterator[Use]:
    """Return the tensors that a launch writes."""
    k = one.kernel
    return ((b, real) for t, b, real in zip(k.tensors, k.buffers, one.names, strict=True) if t.name in k.written)


def meeting(regions: Mapping[Use, Region], batch: int) -> Iterator[tuple[Use, Use]]:
    """Yield the pairs of tensors that meet; of all pairs only those are looked at that might."""
    buffers: dict[str, list[Use]] = {}
    for use in regions:
        buffers.setdefault(use[0], []).append(use)
    for uses in buffers.values():
        uses.sort(key=lambda use: regions[use].fixed + regions[use].each)
        starts = [regions[use].fixed + regions[use].each * batch for use in uses]
        ordered = all(a <= b for a, b in itertools.pairwise(starts))
        for k, one in enumerate(uses):
            ends = [regions[one].fixed + regions[one].more + (regions[one].each + regions[one].per) * n for n in (1, batch)]
            for j in range(k + 1, len(uses)):
                # Where tensors have one order whatever the batch is, all behind the first that lies apart lie apart.
                first = regions[uses[j]]
                if ordered and first.fixed + first.each >= ends[0] and starts[j] >= ends[1]:
                    break
                if regions[one].meets(first, batch):
                    yield one, uses[j]


__all__ = ["Memory", "Places", "Region", "Seen", "meeting", "region"]
