"""All that a program must know about its text, as plain data: with it a cached program starts without SymPy."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields

from symbackprop.declare.layout import ParameterRecord


@dataclass(frozen=True)
class InputFace:
    """An input.

    Attributes:
        name: of it.
        shape: without the batch.
        integer: whether it holds whole numbers.
        least: of them, if they are addresses.
        most: the greatest, if they are addresses.
        sums_to: the declared sum of every row, or None.
    """

    name: str
    shape: tuple[int, ...]
    integer: bool = False
    least: int | None = None
    most: int | None = None
    sums_to: float | None = None


@dataclass(frozen=True)
class TargetFace:
    """The target of the loss.

    Attributes:
        form: "labels" or "rows".
        shape: without the batch; labels lack the axis of classes.
        classes: labels lie in 0..classes-1; None for rows.
        sums_to: the declared sum of every row, or None.
    """

    form: str
    shape: tuple[int, ...]
    classes: int | None = None
    sums_to: float | None = None


@dataclass(frozen=True)
class MaskFace:
    """A random input of 0/1 entries: its name, shape without the batch, and the probability of a 1."""

    name: str
    shape: tuple[int, ...]
    keep: float


@dataclass(frozen=True)
class Face:
    """What the text of a program takes and gives.

    Attributes:
        network: name of the network.
        kind: name of the target that the text is written for ("numpy", "cpu").
        module: file name of the module that holds the functions.
        dtype: "float32" or "float64".
        batch: the largest batch that the text was planned for.
        inputs: in order.
        target: None for a network without a loss.
        output: shape of the output without the batch.
        parameters: in declaration order.
        loss: name of the loss, or None.
        reduction: "mean" or "sum"; None without a loss.
        penalised: whether the loss holds a penalty on the parameters.
        plan: the plan in words.
        statistics: running statistics, behind the parameters in one buffer.
        masks: random inputs of the training pass, in order.
        modes: whether inference differs from training.
    """

    network: str
    kind: str
    module: str
    dtype: str
    batch: int
    inputs: tuple[InputFace, ...]
    target: TargetFace | None
    output: tuple[int, ...]
    parameters: tuple[ParameterRecord, ...]
    loss: str | None
    reduction: str | None
    penalised: bool
    plan: str
    statistics: tuple[ParameterRecord, ...] = ()
    masks: tuple[MaskFace, ...] = ()
    modes: bool = False

    @property
    def size(self) -> int:
        """How many numbers the parameters are together."""
        return sum(record.size or 0 for record in self.parameters)

    @property
    def ranges(self) -> tuple[tuple[str, str, int, int], ...]:
        """Name, kind, least and greatest value of each argument of ``check``; arguments that are not tested have an empty range."""
        given = [(i.name, "token", *((0, -1) if i.least is None or i.most is None else (i.least, i.most))) for i in self.inputs]
        classes = self.target.classes if self.target is not None else None
        return (*given, *(() if self.target is None else (("y", "label", 0, (classes or 0) - 1),)))

    @property
    def checked(self) -> bool:
        """Whether the module has a ``check`` of tokens or labels."""
        return any(most >= least for _, _, least, most in self.ranges)

    @property
    def buffer(self) -> int:
        """How many numbers the parameters and the running statistics are together."""
        return self.size + sum(record.size or 0 for record in self.statistics)

    def to_json(self) -> str:
        """Return the canonical text of this record."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Face:
        """Read what `to_json` wrote.

        Raises:
            ValueError, KeyError, TypeError: for any other text.
        """
        data = json.loads(text)
        if not isinstance(data, dict) or set(data) != {f.name for f in fields(cls)}:
            raise ValueError("not the face of a program")
        target = data["target"]
        return cls(
            **{
                **data,
                "inputs": tuple(InputFace(**{**i, "shape": tuple(i["shape"])}) for i in data["inputs"]),
                "target": None if target is None else TargetFace(**{**target, "shape": tuple(target["shape"])}),
                "output": tuple(data["output"]),
                "parameters": tuple(ParameterRecord(**{**p, "shape": tuple(p["shape"])}) for p in data["parameters"]),
                "statistics": tuple(ParameterRecord(**{**p, "shape": tuple(p["shape"])}) for p in data["statistics"]),
                "masks": tuple(MaskFace(**{**m, "shape": tuple(m["shape"])}) for m in data["masks"]),
            }
        )


__all__ = ["Face", "InputFace", "MaskFace", "TargetFace"]
