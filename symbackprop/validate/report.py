"""What a check found: rows that name half, layer, tensor, method, error and tolerance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

from symbackprop.errors import CheckError

_COLUMNS = ("", "proof", "layer", "tensor", "method", "entries", "error", "tolerance", "worst entry")
_SHOWN = 80


@dataclass(frozen=True)
class Row:
    """One tensor, judged by one method.

    Attributes:
        proof: "maths" (derived equations against differentiation), "code" (program against interpreter) or "gradient".
        layer: the layer that owns the tensor; empty for inputs and the loss.
        tensor: whose value or gradient is judged.
        method: what it is compared with; a row of `tolerances.TABLE`.
        error: norm of the difference over norm of the expected values.
        tolerance: the largest error that passes here.
        entry_error: the worst entry's difference, relative to the larger of the expected entry and the root mean square.
        entry_tolerance: the largest entry_error that passes.
        index: where the worst entry is; None if the row is about directions only.
        got: the judged value there.
        expected: what it should be.
        entries: how many entries (or directions) were compared.
        note: what a reader should know besides.
    """

    proof: str
    layer: str
    tensor: str
    method: str
    error: float
    tolerance: float
    entry_error: float
    entry_tolerance: float
    index: tuple[int, ...] | None
    got: float
    expected: float
    entries: int
    note: str = ""

    @property
    def ok(self) -> bool:
        """Whether both errors are within tolerance; a NaN is not."""
        return self.error <= self.tolerance and self.entry_error <= self.entry_tolerance

    @property
    def excess(self) -> float:
        """How many tolerances the error is; infinite for NaN."""
        ratios = (_ratio(self.error, self.tolerance), _ratio(self.entry_error, self.entry_tolerance))
        return max(ratios)

    def __str__(self) -> str:
        verdict = "agrees" if self.ok else "is WRONG"
        at = f"; at {_where(self.index)} it is {self.got:.9g}, expected {self.expected:.9g}" if self.index is not None else ""
        return f"{self.proof}: {self.tensor} {verdict} by {self.method}: error {self.error:.2e}, tolerance {self.tolerance:.1e}{at}"


@dataclass(frozen=True)
class Report:
    """The rows of one check.

    Attributes:
        title: what was checked.
        rows: one for each tensor and method.
        kinks_moved: sample points that were moved away from kinks before anything was compared.
        kinks_skipped: entries that lie on a kink and whose gradient was only required to lie between the one-sided slopes.
        notes: further remarks, one line each.
    """

    title: str
    rows: tuple[Row, ...]
    kinks_moved: int = 0
    kinks_skipped: int = 0
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether there are rows and every one is within tolerance."""
        return bool(self.rows) and all(row.ok for row in self.rows)

    @property
    def failures(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if not row.ok)

    @property
    def worst(self) -> Row:
        """The row with the largest error in units of its tolerance."""
        if not self.rows:
            raise CheckError(f"{self.title}: nothing was compared")
        return max(self.rows, key=lambda row: row.excess)

    def raise_for_failure(self) -> Report:
        """Return the report if everything agrees.

        Raises:
            CheckError: names the worst row.
        """
        if not self.ok:
            what = f"{len(self.failures)} of {len(self.rows)} rows fail; worst: {self.worst}" if self.rows else "nothing was compared"
            raise CheckError(f"{self.title}: {what}")
        return self

    @property
    def verdict(self) -> str:
        """The last line of the table."""
        if not self.rows:
            return "FAILED: nothing was compared"
        kinks = f"kinks: {_count(self.kinks_moved, 'sample point')} moved, {_count(self.kinks_skipped, 'entry', 'entries')} skipped"
        if self.ok:
            worst = f"worst {self.worst.tensor} at {self.worst.excess:.2g} of its tolerance"
            return f"ok: {_count(len(self.rows), 'row')} within tolerance, {worst}; {kinks}"
        return f"FAILED: {len(self.failures)} of {_count(len(self.rows), 'row')}; {self.worst}; {kinks}"

    def __repr__(self) -> str:
        return f"Report({self.title}: {'ok' if self.ok else 'FAILED'}, {_count(len(self.rows), 'row')})"

    def __str__(self) -> str:
        table = [_COLUMNS, *(_cells(row) for row in self.shown)]
        widths = [max(len(line[k]) for line in table) for k in range(len(_COLUMNS))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in table]
        rule = "-" * max(map(len, lines))
        hidden = len(self.rows) - len(self.shown)
        rest = [f"... and {_count(hidden, 'row')} within tolerance"] if hidden else []
        return "\n".join([self.title, rule, lines[0], rule, *lines[1:], *rest, rule, *self.notes, self.verdict])

    @property
    def shown(self) -> tuple[Row, ...]:
        """The rows of the printed table: all, or of a long report the worst ones, in their order."""
        if len(self.rows) <= _SHOWN:
            return self.rows
        kept = set(sorted(range(len(self.rows)), key=lambda k: -self.rows[k].excess)[:_SHOWN])
        return tuple(row for k, row in enumerate(self.rows) if k in kept)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(c)}</th>" for c in _COLUMNS)
        body = "".join("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in _cells(row)) + "</tr>" for row in self.shown)
        foot = "".join(f"<p>{escape(line)}</p>" for line in (*self.notes, self.verdict))
        return f"<p><b>{escape(self.title)}</b></p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{foot}"


def _cells(row: Row) -> tuple[str, ...]:
    entry = "" if row.index is None else f"{_where(row.index)} {row.entry_error:.1e}"
    note = f" ({row.note})" if row.note else ""
    return (
        "ok" if row.ok else "FAIL",
        row.proof,
        row.layer,
        row.tensor,
        row.method,
        str(row.entries),
        f"{row.error:.2e}",
        f"{row.tolerance:.1e}",
        entry + note,
    )


def _where(index: tuple[int, ...] | None) -> str:
    return "" if index is None else f"[{', '.join(map(str, index))}]"


def _ratio(error: float, allowed: float) -> float:
    if math.isnan(error):
        return math.inf
    if allowed > 0:
        return error / allowed
    return 0.0 if error == 0 else math.inf


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
