"""The harness of the processor's benchmarks: a short run with NumPy alone, and a record whose tables are known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.cpu import record
from benchmarks.cpu.__main__ import main
from benchmarks.cpu.by_hand import build
from benchmarks.cpu.conductor import distance
from benchmarks.cpu.workloads import KINKS, MARGIN, VOCABULARY, WORKLOADS, data, moved, operations, parameters, shapes
from symbackprop.data import alice, characters

HERE = Path(__file__).parent
README = Path(__file__).parents[2] / "README.md"


def test_a_short_run_with_numpy_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["a", "b", "--quick", "--seconds", "0.2", "--peers", "numpy", "--threads", "1", "--output", str(tmp_path / "record")])
    printed = capsys.readouterr().out
    results = json.loads((tmp_path / "record" / "results.json").read_text())
    assert [(row.name, row.best, row.threads) for row in record.rows(results)] == [("a", "numpy", 1), ("b", "numpy", 1)]
    for row in record.rows(results):
        assert 0 < row.floor < row.ours
        assert row.ratio > 0 and row.median > 0
    for workload in results["workloads"].values():
        ours = workload["threads"]["1"]["ours"]
        # Two orders of summation in float64; the reference is written by hand and shares nothing with the kernels.
        assert ours["error_float64"] < 1e-9
        assert ours["error_float32"] < 1e-4
    assert (tmp_path / "record" / "report.md").read_text().strip() == printed.strip()
    text = (tmp_path / "record" / "results.json").read_text()
    assert "/" not in text.replace("GB/s", "").replace("GFLOP/s", ""), "a record names no paths"


def test_tables_of_a_known_record() -> None:
    results = json.loads((HERE / "results.json").read_text(encoding="utf-8"))
    assert record.report(results) == (HERE / "report.md").read_text(encoding="utf-8")
    assert record.summary(results) == (HERE / "summary.md").read_text(encoding="utf-8")


def test_the_readme_shows_its_record() -> None:
    text = README.read_text(encoding="utf-8")
    if record.BEGIN.partition("{}")[0] not in text:
        pytest.skip("the README shows no record")
    assert record.readme(text, record.recorded(text)) == text


@pytest.mark.parametrize("folder", sorted(record.RECORDS.glob("*/results.json")), ids=lambda path: path.parent.name)
def test_the_tables_of_a_record_are_those_of_its_results(folder: Path) -> None:
    assert record.report(json.loads(folder.read_text(encoding="utf-8"))) == folder.with_name("report.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["a", "c32", "d", "j", "rnn"])
def test_the_gradient_by_hand_is_that_of_differences(name: str) -> None:
    """The reference of all cross-checks against central differences along a random direction, in float64."""
    workload = WORKLOADS[name]
    made = build(workload, "float64", 1)
    made.run()
    gradient, at = made.result(), parameters(workload, "float64")
    rng = np.random.default_rng(5)
    direction = {key: rng.standard_normal(a.shape) for key, a in at.items()}
    x, y = data(workload, "float64")
    from benchmarks.cpu.by_hand import GRADIENTS

    def loss(step: float) -> float:
        moved = {key: a + step * direction[key] for key, a in at.items()}
        return GRADIENTS[workload.family](workload, moved, {key: np.empty_like(a) for key, a in at.items()})(x, y)

    # Truncation h² and rounding eps/h: for h = 1e-6 both are below 1e-9 of a loss near 1, so 1e-6 relative is a wide margin.
    h = 1e-6
    along = sum(float((gradient[key] * direction[key]).sum()) for key in at)
    assert abs((loss(h) - loss(-h)) / (2 * h) - along) < 1e-6 * max(1, abs(along)), name


def test_data_keep_away_from_kinks() -> None:
    for name in ("d", "j"):
        workload = WORKLOADS[name]
        x, y = data(workload, "float64")
        assert KINKS[workload.family](workload, parameters(workload, "float64"), x, y).min() >= MARGIN


def test_work_is_counted() -> None:
    """64-64-10, batch 64: two products a layer and one more where an error term is sent back, two operations each."""
    d = WORKLOADS["d"]
    assert operations(d) == 64 * 2 * (2 * 64 * 64 + 3 * 64 * 10)
    assert moved(d) == 4 * (64 * 64 + 2 * sum(int(np.prod(shape)) for shape in shapes(d).values()))
    assert len(characters(alice())[1]) == VOCABULARY


def test_the_distance_of_gradients() -> None:
    one, other = {"W": np.ones(4), "b": np.zeros(2)}, {"W": np.ones(4), "b": np.zeros(2)}
    assert distance(one, other) == 0
    assert distance({"W": 2 * np.ones(4), "b": np.zeros(2)}, other) == 1
    assert distance({"W": np.ones(4)}, other) == float("inf")
