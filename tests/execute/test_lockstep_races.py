"""A race is reported exactly where two accesses conflict with no barrier between: random programs against all pairs of accesses."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import lockstep_texts as texts
import numpy as np
import pytest

from symbackprop.execute import lockstep

BLOCKS, THREADS, STEPS = 2, 34, 5  # two warps a block, the second of two lanes
NOTHING, READ, WRITE, ATOMIC = range(4)


def races(program: np.ndarray, barriers: np.ndarray, across_blocks: bool) -> bool:
    """By the definition, over all pairs of accesses."""
    accesses = [(s, t, *program[s, t]) for s, t in zip(*np.nonzero(program[..., 0]), strict=True)]
    for (s, t, what, where), (s_2, t_2, what_2, where_2) in combinations(accesses, 2):
        if t == t_2 or where != where_2 or what == what_2 != WRITE:
            continue
        same_block = t // THREADS == t_2 // THREADS
        same_warp = same_block and t % THREADS // 32 == t_2 % THREADS // 32
        enough = 1 if same_warp else 2 if same_block else 3
        if (same_block or across_blocks) and not (barriers[s:s_2] >= enough).any():
            return True
    return False


@pytest.mark.parametrize("kernel", [texts.global_program, texts.shared_program])
def test_races_are_found_where_they_are_and_nowhere_else(kernel: Any) -> None:
    random = np.random.default_rng(11)
    prepared = lockstep.kernel(kernel)
    found = []
    for trial in range(150):
        program = np.zeros((STEPS, BLOCKS * THREADS, 2), np.int32)
        threads = random.choice([0, 1, 32, 33, 34, 66], size=6)
        for t in threads:
            program[random.integers(STEPS), t] = random.choice([READ, READ, WRITE, ATOMIC]), random.integers(2)
        barriers = random.choice(4, size=STEPS, p=[0.3, 0.3, 0.2, 0.2]).astype(np.int32)
        wanted = races(program, barriers, kernel is texts.global_program)
        try:
            lockstep.run(prepared, BLOCKS, THREADS, program, barriers, np.zeros(2, np.int32), seed=trial)
            seen = False
        except lockstep.RaceError:
            seen = True
        assert seen == wanted, (trial, barriers, [(*p, *program[tuple(p)]) for p in np.argwhere(program[..., 0])])
        found.append(seen)
    assert 0.1 < np.mean(found) < 0.9  # neither answer is the only one
