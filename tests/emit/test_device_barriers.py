"""Every barrier of the kernels of whole networks matters: each is deleted in turn, with the arguments of a real launch, and is missed."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from device_modules import Lock, computed, drawn, network, text_of, trained
from device_orders import copies
from test_device_modules import BATCH, LARGER, SMALL, frozen_end, sequence

import symbackprop as sbp
from symbackprop.execute import lockstep
from symbackprop.execute.lockstep import Lockstep
from symbackprop.plan.device import lower, product
from symbackprop.plan.device import make as device_make
from symbackprop.plan.device.records import Product

MORE = int(os.environ.get("SYMBACKPROP_TEST_DEVICE", "1"))


@dataclass
class Deleting(Lockstep):
    """A device that launches each kernel first without one of its barriers, and looks whether that is noticed.

    Attributes:
        few: kernels in which a barrier of the loop over tiles has nothing to hold back, since there are two tiles at most.
        found: what became of the barriers, by kernel.
    """

    few: frozenset[str] = frozenset()
    race: bool = True
    seed: int = 0
    launches: dict[str, int] = field(default_factory=dict)
    found: dict[str, tuple[lockstep.Deletion, ...]] = field(default_factory=dict)

    def launch(self, kernel: Any, grid: Any, block: Any, arguments: tuple[Any, ...], shared: int, cooperative: bool) -> None:
        before = copies(arguments)
        # What is deleted is looked at with the log of races on.
        self.race = False
        super().launch(kernel, grid, block, arguments, shared, cooperative)
        text = kernel.made[Lockstep]
        if text.name in self.found or not any(b.removable for b in text.barriers):
            return
        after = [a.tobytes() if isinstance(a, np.ndarray) else a for a in arguments]

        def right(one: Any, seed: int) -> bool:
            given = copies(before)
            lockstep.run(one, grid, block, *given, dynamic_shared=shared, race=True, seed=seed)
            return all((g.tobytes() if isinstance(g, np.ndarray) else g) == a for g, a in zip(given, after, strict=True))

        self.found[text.name] = lockstep.delete_barriers(text, right, seeds=(0, 1) if MORE > 1 else (0,))


def deleted(net: Any, folder: Any, samples: int, schedule: str = "layered", dtype: str = "float64", entries: bool = True) -> Deleting:
    made = network(net)
    optimizer = sbp.Momentum(0.01, clip_norm=1.0) if schedule == "layered" else sbp.Momentum(0.01)
    plan = made.plan(dtype, BATCH[schedule], optimizer, schedule)
    assert plan.device is not None and plan.device.schedule == schedule
    device = Deleting(few=frozenset(k.name for k in plan.device.kernels if short(k.phase, samples)))
    lock = Lock(text_of(plan), folder, device)
    data = drawn(made, samples, np.random.default_rng(3))
    if entries:
        computed(lock, plan, data, dtype)
    trained(lock, plan, data, optimizer.hyper, dtype, size=samples)
    return device


def short(phase: Any, samples: int) -> bool:
    """Whether a product has so few terms that no tile is written before another one was read."""
    if not isinstance(phase, Product):
        return False
    terms = np.prod([int(r.extent) if r.extent.is_Integer else samples for r in phase.inner])
    return bool(terms <= 2 * phase.tile.depth * phase.splits)


def judge(device: Deleting) -> set[str]:
    """Want every barrier to be missed, and return what those that were deleted are called."""
    missed = [str(d) for name, found in device.found.items() for d in found if d.caught is None and name not in device.few]
    assert not missed, "\n".join(missed)
    count = Counter(d.barrier.call for found in device.found.values() for d in found)
    print(f"{len(device.found)} kernels, {dict(count)}")
    return set(count)


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("attending", "float64"), *((name, "float32") for name in ("image", "wide", "rows")), *([("time", "float64")] if MORE > 1 else [])],
)
def test_no_barrier_of_kernels_of_their_own_can_go(name, dtype, tmp_path):
    assert judge(deleted(LARGER[name](), tmp_path, 5, dtype=dtype)) == {"syncthreads"}


@pytest.mark.parametrize("name", ["dense", "image"] if MORE > 1 else ["dense"])
def test_no_barrier_can_go_where_threads_share_all_that_they_can(name, tmp_path, monkeypatch):
    for word in ("LONG", "SHORT"):
        monkeypatch.setattr(lower, word, 1)
    whole = product.tiled
    monkeypatch.setattr(device_make, "tiled", lambda *args, **given: whole(*args, **{**given, "tiles": (SMALL,), "least": 1}))
    layers = {
        "dense": (sbp.Input(9), sbp.Dense(4, activation="softmax"), sbp.LayerNorm(), sbp.Dense(3)),
        "image": (sbp.Input((2, 5, 5)), sbp.Conv2D(3, 3), sbp.BatchNorm(), sbp.MaxPool2D(2), sbp.Flatten(), sbp.Dense(2)),
    }
    assert judge(deleted(sequence(*layers[name]), tmp_path, 9)) == {"syncthreads"}


#: Networks of which a training step is one launch.
WHOLE = {
    "dense": lambda: sequence(sbp.Input(3), sbp.Dense(4, activation="tanh"), sbp.Dense(2), loss="softmax_cross_entropy"),
    "time": frozen_end,
    "windows": lambda: sequence(
        sbp.Input((1, 6, 6)), sbp.Conv2D(2, 3, activation="relu"), sbp.MaxPool2D(2), sbp.Flatten(), sbp.Dense(2), name="windows"
    ),
    "normed": lambda: sequence(
        sbp.Input(4), sbp.Dense(4, activation="softmax"), sbp.LayerNorm(), sbp.Dense(3), loss="softmax_cross_entropy", name="normed"
    ),
}


@pytest.mark.parametrize("schedule", ["single", "grid"])
@pytest.mark.parametrize(
    ("name", "dtype"), [*((name, "float32") for name in WHOLE), *((name, "float64") for name in (WHOLE if MORE > 1 else ["dense"]))]
)
def test_no_barrier_of_a_whole_training_step_can_go(name, dtype, schedule, tmp_path):
    found = judge(deleted(WHOLE[name](), tmp_path, 7 if schedule == "single" else 11, schedule, dtype, entries=False))
    assert found == ({"syncthreads"} if schedule == "single" else {"syncthreads", "sync"})
