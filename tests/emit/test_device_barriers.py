"""Every barrier of the kernels of whole networks matters: each is deleted in turn, with the arguments of a real launch, and is missed."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from device_modules import Lock, computed, drawn, network, text_of, trained
from test_device_modules import BATCH, LARGER, SMALL, frozen_end, sequence

import symbackprop as sbp
from symbackprop.execute import lockstep
from symbackprop.execute.lockstep import DeviceArray, Lockstep
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
        text = kernel.made.get(Lockstep) or lockstep.kernel(kernel)
        before = [a.view(np.ndarray).copy() if isinstance(a, DeviceArray) else a for a in arguments]
        super().launch(kernel, grid, block, arguments, shared, cooperative)
        if text.name in self.found or not any(b.removable for b in text.barriers):
            return
        after = [a.tobytes() if isinstance(a, np.ndarray) else a for a in arguments]

        def right(one: Any, seed: int) -> bool:
            given = [a.copy() if isinstance(a, np.ndarray) else a for a in before]
            lockstep.run(one, grid, block, *given, dynamic_shared=shared, race=True, seed=seed)
            return all((g.tobytes() if isinstance(g, np.ndarray) else g) == a for g, a in zip(given, after, strict=True))

        self.found[text.name] = lockstep.delete_barriers(text, right, seeds=(0, 1) if MORE > 1 else (0,))


def deleted(net: Any, folder: Any, samples: int, schedule: str = "layered", entries: bool = True) -> Deleting:
    made = network(net)
    optimizer = sbp.Momentum(0.01, clip_norm=1.0) if schedule == "layered" else sbp.Momentum(0.01)
    plan = made.plan("float64", BATCH[schedule], optimizer, schedule)
    device = Deleting(few=frozenset(k.name for k in plan.device.kernels if short(k.phase, samples)))
    lock = Lock(text_of(plan), folder, device)
    data = drawn(made, samples, np.random.default_rng(3))
    if entries:
        computed(lock, plan, data, "float64")
    trained(lock, plan, data, optimizer.hyper, "float64", size=samples)
    return device


def short(phase: Any, samples: int) -> bool:
    """Whether a product has so few terms that no tile is written before another one was read."""
    if not isinstance(phase, Product):
        return False
    terms = np.prod([int(r.extent) if r.extent.is_Integer else samples for r in phase.inner])
    return bool(terms <= 2 * phase.tile.depth * phase.splits)


def judge(device: Deleting) -> int:
    missed = [str(d) for name, found in device.found.items() for d in found if d.caught is None and name not in device.few]
    assert not missed, "\n".join(missed)
    count = sum(map(len, device.found.values()))
    print(f"{len(device.found)} kernels, {count} barriers")
    return count


@pytest.mark.parametrize("name", LARGER if MORE > 1 else ["attending"])
def test_no_barrier_of_kernels_of_their_own_can_go(name, tmp_path):
    assert judge(deleted(LARGER[name](), tmp_path, 5)) > 0


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
    assert judge(deleted(sequence(*layers[name]), tmp_path, 9)) > 0


@pytest.mark.parametrize("schedule", ["single", "grid"])
@pytest.mark.parametrize("name", ["dense", "time"])
def test_no_barrier_of_a_whole_training_step_can_go(name, schedule, tmp_path):
    dense = sequence(sbp.Input(3), sbp.Dense(4, activation="tanh"), sbp.Dense(2), loss="softmax_cross_entropy")
    net = dense if name == "dense" else frozen_end()
    assert judge(deleted(net, tmp_path, 7 if schedule == "single" else 11, schedule, entries=False)) > 0
