"""Programs of target "cuda" on a card that stands in for a GPU: the tests of those in lock-step, through Numba and the driver."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
from test_device_program import (  # noqa: F401 - they are collected here, too, and run on the cases below
    NETWORKS,
    Case,
    test_a_bound_call_follows_its_arrays,
    test_arrays_of_the_device_pass_and_results_stay_there,
    test_input_gradients,
    test_loss_gradients_and_predictions,
    test_products_by_columns_and_what_is_out_of_range,
    test_the_check_judges_the_kernels,
    test_training,
    test_training_on_the_device_changes_what_lies_there,
    test_training_that_fails_leaves_the_start_of_the_epoch,
    test_training_that_looks_at_every_gradient,
)


class OnCard(Case):
    """A network as a program on the card and as one in NumPy."""

    def __init__(self, name: str, seed: int, target: str) -> None:
        super().__init__(name, seed)
        self.device = target
        self.there = self.net.compile(target="cuda", dtype="float64", device=target)
        self.cuda = importlib.import_module("numba.cuda")

    def put(self, array: np.ndarray) -> Any:
        return self.cuda.to_device(np.array(array))

    def poison(self, array: Any) -> None:
        array.copy_to_device(np.full(array.shape, np.nan))

    def launched(self) -> bool:
        return True


@pytest.fixture(scope="module", params=sorted(NETWORKS))
def case(request: Any, seed: int, target: str) -> Case:
    return OnCard(request.param, seed, target)


@pytest.fixture(scope="module")
def plain(seed: int, target: str) -> Case:
    return OnCard("dense", seed, target)
