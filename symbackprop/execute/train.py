"""The training loop: shuffled batches, epochs, and a record of how it went."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.declare.initializers import stream
from symbackprop.errors import DataError
from symbackprop.execute import door
from symbackprop.execute.call import workspace
from symbackprop.execute.face import MaskFace
from symbackprop.execute.masks import batches
from symbackprop.execute.memory import zeros

Array = npt.NDArray[Any]

#: Rows of a printed history.
_SHOWN = 12


@dataclass(frozen=True)
class Course:
    """How long and in which portions to train.

    Attributes:
        epochs: passes over the data.
        batch_size: samples of one update; the last batch of an epoch may be smaller.
        shuffle: whether every epoch draws a new order.
        seed: of that order, and of the masks.
        check_finite: whether gradients are tested before every update.
    """

    epochs: int
    batch_size: int
    shuffle: bool
    seed: int
    check_finite: bool


@dataclass(frozen=True)
class Score:
    """What one epoch ends with; None where there is nothing to measure."""

    accuracy: float | None = None
    validation_loss: float | None = None
    validation_accuracy: float | None = None


@dataclass(frozen=True)
class History:
    """How training went, one entry for each epoch.

    Attributes:
        loss: the mean over the samples of the losses before each update, penalties included.
        accuracy: on the training data after the epoch; empty unless the loss is one of classes, and where it is not measured.
        validation_loss: after the epoch; empty without validation data.
        validation_accuracy: the same.
        seconds: of training, without the measurements at the end of the epoch.
        updates: of the parameters, in all.
    """

    loss: tuple[float, ...]
    accuracy: tuple[float, ...]
    validation_loss: tuple[float, ...]
    validation_accuracy: tuple[float, ...]
    seconds: tuple[float, ...]
    updates: int

    @property
    def epochs(self) -> int:
        """How many epochs were run."""
        return len(self.loss)

    def __str__(self) -> str:
        names = ("loss", "accuracy", "validation_loss", "validation_accuracy")
        columns = [(name, getattr(self, name)) for name in names if getattr(self, name)]
        head = f"{'epoch':>6}" + "".join(f"  {name.replace('_', ' '):>{max(12, len(name))}}" for name, _ in columns)
        last = len(self.loss) - 1
        chosen = sorted({round(k * last / (_SHOWN - 1)) for k in range(_SHOWN)}) if last >= _SHOWN else range(last + 1)
        rows = [f"{k + 1:>6}" + "".join(f"  {values[k]:>{max(12, len(name))}.6g}" for name, values in columns) for k in chosen]
        return "\n".join([head, *rows, f"{self.updates} updates in {sum(self.seconds):.2f} s"])


def train(
    module: ModuleType,
    flat: Array,
    inputs: tuple[Array, ...],
    y: Array,
    hyper: Mapping[str, float],
    course: Course,
    score: Callable[[], Score],
    report: Callable[[int, str], None] | None = None,
    masks: Sequence[MaskFace] = (),
    device: Any = None,
) -> History:
    """Train ``flat`` in place: the parameters, and behind them the running statistics if there are any.

    Kernels of a ``device`` (the runtime of their module) find everything there that does not change between epochs.

    Raises:
        DataError: the loss or a parameter is no longer finite; all are then those at the start of that epoch.
    """
    samples, size = len(inputs[0]), min(course.batch_size, len(inputs[0]))
    rng = stream(course.seed, "shuffle")
    whole = None if course.check_finite or masks else getattr(module, "epoch", None)
    here = _Here(flat) if device is None else _There(flat, device)
    # What is done batch by batch takes its batches from NumPy.
    lies = here.kept if whole is not None else here.at_hand
    inputs, y = (*map(lies, inputs),), lies(y)
    buffers = [lies(zeros(size * math.prod(a.shape[1:]), a.dtype).reshape(size, *a.shape[1:])) for a in (*inputs, y)]
    real = here.values.dtype
    statistics = getattr(module, "STATISTICS", ())
    first = statistics[0][1] if statistics else here.values.size
    state, grads = here.kept(zeros(module.STATE_SIZE, real)), here.kept(zeros(first, real))
    drawn = batches(masks, size, course.seed, real)
    work = here.kept(zeros(workspace(module, size), real))
    values = np.array([hyper[name] for name, _ in module.HYPER], np.float64)
    updates, record = 0, History((), (), (), (), (), 0)
    trained = here.trained
    for epoch in range(1, course.epochs + 1):
        start, began, total = here.values.copy(), time.perf_counter(), 0.0
        order = rng.permutation(samples) if course.shuffle else None
        if whole is not None:
            places = np.empty(0, np.int64) if order is None else order
            total, failed = whole(trained, *inputs, y, places, size, *buffers, grads, state, values, work)
            if failed:
                here.restore(start)
                raise DataError(f"fit: the loss is {float(total)} in {_where(epoch, (failed - 1) * size, size)}; {_restored(epoch)}")
            updates += -(-samples // size)
        for low in range(0, 0 if whole is not None else samples, size):
            count = min(size, samples - low)
            *chosen, target = _batch((*inputs, y), buffers, order, low, count)
            batch = (*chosen, *(mask[:count] for mask in next(drawn)), target)
            if course.check_finite:
                loss = module.value_and_grad(trained, *batch, grads, work)
                if math.isfinite(loss) and np.isfinite(here.at_hand(grads)).all():
                    if statistics:
                        module.update_statistics(trained, *batch, work)
                    module.update(trained, grads, state, values)
                elif math.isfinite(loss):
                    here.restore(start)
                    raise DataError(f"fit: a gradient is not finite in {_where(epoch, low, size)}; {_restored(epoch)}")
            else:
                loss = module.train_step(trained, *batch, grads, state, values, work)
            if not math.isfinite(loss):
                here.restore(start)
                raise DataError(f"fit: the loss is {float(loss)} in {_where(epoch, low, size)}; {_restored(epoch)}")
            total += float(loss) * count
            updates += 1
        here.follow()
        if not np.isfinite(here.values).all():
            here.restore(start)
            raise DataError(f"fit: a parameter is no longer finite after the last update of epoch {epoch}; {_restored(epoch)}")
        seconds = time.perf_counter() - began
        record = _extended(record, total / samples, score(), seconds, updates)
        if report is not None:
            report(epoch, f"loss {record.loss[-1]:.4g}" + (f", accuracy {record.accuracy[-1]:.2%}" if record.accuracy else ""))
    return record


class _Here:
    """What is trained lies where it was given, and kernels work on it there.

    Attributes:
        trained: what kernels change.
        values: the same numbers in NumPy, at the ends of epochs.
    """

    def __init__(self, flat: Array) -> None:
        self.trained = self.values = flat

    def kept(self, array: Array) -> Array:
        """Return an array where kernels find it."""
        return array

    def at_hand(self, array: Array) -> Array:
        """Return an array where NumPy finds it."""
        return array

    def follow(self) -> None:
        """Let ``values`` be what kernels made of them."""

    def restore(self, start: Array) -> None:
        """Take back what kernels did."""
        self.values[:] = start


class _There(_Here):
    """What is trained is copied to a device, unless it lies there already."""

    def __init__(self, flat: Any, device: Any) -> None:
        self.device, self.given = device, flat
        self.trained: Any = device.put(flat)
        self.values = door.at_hand(flat, device)

    def kept(self, array: Array) -> Array:
        there: Array = self.device.put(array)
        return there

    def at_hand(self, array: Array) -> Array:
        return door.at_hand(array, self.device)

    def follow(self) -> None:
        self.device.give(self.trained, self.values)

    def restore(self, start: Array) -> None:
        self.values[:] = start
        if self.given is not self.values:
            self.device.write(start, self.trained)


def _batch(arrays: tuple[Array, ...], buffers: Sequence[Array], order: Array | None, low: int, count: int) -> tuple[Array, ...]:
    if order is None:
        return tuple(a[low : low + count] for a in arrays)
    chosen = order[low : low + count]
    # Indices of a permutation are in range; "clip" spares the copy that "raise" makes.
    return tuple(np.take(a, chosen, axis=0, out=b[:count], mode="clip") for a, b in zip(arrays, buffers, strict=True))


def _where(epoch: int, low: int, size: int) -> str:
    return f"epoch {epoch}, update {low // size + 1}"


def _restored(epoch: int) -> str:
    cure = "lower the learning rate, set clip_norm, or look at the data with check_finite=True"
    return f"the parameters are those at the start of epoch {epoch}: {cure}"


def _extended(record: History, loss: float, score: Score, seconds: float, updates: int) -> History:
    def more(values: tuple[float, ...], value: float | None) -> tuple[float, ...]:
        return values if value is None else (*values, value)

    return History(
        loss=(*record.loss, loss),
        accuracy=more(record.accuracy, score.accuracy),
        validation_loss=more(record.validation_loss, score.validation_loss),
        validation_accuracy=more(record.validation_accuracy, score.validation_accuracy),
        seconds=(*record.seconds, seconds),
        updates=updates,
    )


__all__ = ["Course", "History", "Score", "train"]
