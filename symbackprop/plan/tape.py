"""The tape: what the forward pass keeps for the backward pass, and what is computed again instead.

A value that is not kept is computed from what is: parameters, inputs, and the values that stay. Where that is a chain of many
calls, every so many of its values are held until the backward pass has come down to them, about as many as the root of the
chain's length, so that memory and work both stay far below the whole.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from symbackprop.errors import DeclarationError
from symbackprop.plan.records import Call, Kept

Shape = tuple[int | str, ...]


@dataclass(frozen=True)
class Tape:
    """The backward pass with what it computes again.

    Attributes:
        calls: of the backward pass, in order.
        shapes: of the values that are made again, by their new names.
        kept: what the backward pass reads of the forward pass.
    """

    calls: tuple[Call, ...]
    shapes: Mapping[str, Shape]
    kept: tuple[Kept, ...]


def early(steps: Sequence[tuple[frozenset[str], frozenset[str]]], results: frozenset[str]) -> tuple[int, ...]:
    """Return an order in which a gradient is written as soon as what it reads is there: then that is free again.

    Args:
        steps: for each step the names that it reads and those that it writes, in an order in which they can be done.
        results: names that are wanted in the end.
    """
    made = {name: k for k, (_, written) in enumerate(steps) for name in written}
    read = {name for names, _ in steps for name in names}
    keys = []
    for k, (names, written) in enumerate(steps):
        last = written <= results and not written & read
        keys.append((max((made[name] for name in names if name in made), default=-1), 1, k) if last else (k, 0, k))
    return tuple(sorted(range(len(steps)), key=lambda k: keys[k]))


def reads(call: Call) -> tuple[str, ...]:
    """Return the names of the tensors that a call reads."""
    other = {*call.kernel.written, *call.kernel.scratch}
    return tuple(name for name, t in zip(call.names, call.kernel.arguments, strict=True) if t.name not in other)


def tape(
    ahead: Sequence[Call],
    behind: Sequence[Call],
    later: Sequence[Call],
    recompute: Sequence[str] | str,
    shapes: Mapping[str, Shape],
    taken: Iterable[str],
) -> Tape:
    """Return the backward pass, with the calls that compute values again where they are first read.

    Args:
        ahead: the forward pass.
        behind: the backward pass.
        later: what comes after it and reads forward values: the running statistics.
        recompute: names of the values that are not kept, or "all".
        shapes: of every value.
        taken: names that are in use.

    Raises:
        DeclarationError: a name is none of a value that the backward pass reads and the forward pass computes.
    """
    maker = {name: k for k, call in enumerate(ahead) for name in call.written}
    wanted = {name for call in behind for name in reads(call)} & maker.keys()
    after = {name for call in later for name in reads(call)}
    offered = tuple(sorted(wanted - after, key=lambda name: (maker[name], name)))
    if recompute == "all":
        recompute = offered
    wrong = [name for name in recompute if name not in offered]
    if wrong:
        raise DeclarationError(
            f"recompute: {wrong[0]} is no value that the backward pass reads from the forward pass; it reads {', '.join(offered) or 'none'}"
        )
    redone = frozenset(recompute)
    kept = tuple(_kept(name, shapes[name], name in redone) for name in sorted(wanted | (after & maker.keys()), key=lambda n: (maker[n], n)))
    if not redone:
        return Tape(tuple(behind), {}, kept)
    again = _Again(ahead, maker, (wanted | after) - redone, redone, shapes, set(taken))
    calls: list[Call] = []
    for call in behind:
        calls += again.before(call)
        calls.append(_renamed(call, again.version))
    return Tape(tuple(calls), again.shapes, kept)


def _kept(name: str, shape: Shape, again: bool) -> Kept:
    size = math.prod(s for s in shape if isinstance(s, int))
    return Kept(name, size if "N" in shape else 0, 0 if "N" in shape else size, again)


def _renamed(call: Call, names: Mapping[str, str]) -> Call:
    """Return a call on other tensors."""
    if not any(name in names for name in (*call.names, *call.slots.values())):
        return call
    slots = {slot: names.get(real, real) for slot, real in call.slots.items()}
    return replace(call, names=tuple(names.get(name, name) for name in call.names), slots=slots)


class _Again:
    """What has been computed again so far, by name."""

    def __init__(
        self,
        ahead: Sequence[Call],
        maker: Mapping[str, int],
        stays: set[str] | frozenset[str],
        redone: frozenset[str],
        shapes: Mapping[str, Shape],
        taken: set[str],
    ) -> None:
        self.ahead, self.maker, self.stays, self.redone, self.known, self.taken = ahead, maker, stays, redone, shapes, taken
        self.version: dict[str, str] = {}
        self.shapes: dict[str, Shape] = {}

    def before(self, call: Call) -> list[Call]:
        """Return the calls that make what a call of the backward pass reads and nobody has made again yet."""
        missing = [name for name in reads(call) if name in self.redone and name not in self.version]
        return [made for name in missing if name not in self.version for made in self.chain(name)]

    def chain(self, name: str) -> list[Call]:
        order = self.needed(name)
        step = math.isqrt(len(order) - 1) + 1
        local = dict(self.version)
        calls = []
        for place, number in enumerate(order):
            original = self.ahead[number]
            inside = {t.name for t in original.kernel.arguments if t.name in (*original.kernel.written, *original.kernel.scratch)}
            own = {real: self.fresh(real) for real, t in zip(original.names, original.kernel.arguments, strict=True) if t.name in inside}
            self.shapes.update((new, self.known[real]) for real, new in own.items())
            # What the kernel keeps to itself has a name too, where every equation is a line of its own.
            defined = (original.slots[e.tensor.name] for e in original.kernel.body.equations)
            own |= {real: self.fresh(real) for real in defined if real not in own}
            calls.append(replace(_renamed(original, {**local, **own}), owner=f"{original.owner}.again"))
            local |= own
            if (len(order) - 1 - place) % step == 0:
                self.version.update((real, new) for real, new in own.items() if real in self.redone)
        return calls

    def needed(self, name: str) -> list[int]:
        """Return the numbers of the forward calls that make a value from what is there, in order."""
        found: set[int] = set()
        open_ = [name]
        while open_:
            number = self.maker[open_.pop()]
            if number not in found:
                found.add(number)
                sources = (r for r in reads(self.ahead[number]) if r in self.maker)
                open_ += [r for r in sources if r not in self.stays and r not in self.version]
        return sorted(found)

    def fresh(self, name: str) -> str:
        base, mark, number = name.partition("@")
        count, new = 1, f"{base}_again{mark}{number}"
        while new in self.taken:
            count += 1
            new = f"{base}_again_{count}{mark}{number}"
        self.taken.add(new)
        return new


__all__ = ["Tape", "early", "reads", "tape"]
