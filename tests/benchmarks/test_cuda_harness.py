"""The run on a GPU, without one: how times are taken, fences and limits of time, what is on disk after a kill, and the report."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks.cuda import clock, correctness, networks, parts, report, subjects, worker
from benchmarks.cuda.__main__ import main
from benchmarks.cuda.hands import ROOT, Hand

# --- times ------------------------------------------------------------------------------------------------------------------


def test_blocks_are_long_enough_and_their_median_counts() -> None:
    lengths: list[int] = []

    def span(runs: int) -> float:
        lengths.append(runs)
        # Every tenth block is disturbed.
        return runs * 1e-4 * (50 if len(lengths) % 10 == 0 else 1)

    found = clock.measured(span, clock.Effort(20, 0.05, 1e9), per=4)
    assert found["blocks"] == 20 and found["runs"] == 4 * lengths[-1] and lengths[-1] * 1e-4 >= 0.05
    assert math.isclose(found["median"], 1e-4 / 4) and math.isclose(found["p10"], 1e-4 / 4)
    assert found["p10"] <= found["median"] <= found["p90"]


def test_slow_runs_are_timed_three_times_at_least() -> None:
    found = clock.measured(lambda runs: 10.0 * runs, clock.Effort(20, 0.05, 0.0))
    assert found == {"median": 10.0, "p10": 10.0, "p90": 10.0, "runs": 1, "blocks": 3}
    assert clock.measured(lambda runs: 10.0 * runs, clock.DRY)["blocks"] == 1


def test_times_of_a_device_lie_between_two_events_on_the_stream_of_the_kernels() -> None:
    done: list[Any] = []

    class Event:
        def __init__(self, timing: bool) -> None:
            assert timing

        def record(self, stream: str) -> None:
            done.append(("event", stream))

        def synchronize(self) -> None:
            done.append("wait")

    cuda = SimpleNamespace(event=Event, event_elapsed_time=lambda start, end: 12.0)
    device = SimpleNamespace(stream="the stream", cuda=cuda)
    made = subjects.Opened(ModuleType("m"), SimpleNamespace(current=lambda: device), "")  # type: ignore[arg-type]
    assert subjects.span(made, lambda: done.append("run"))(2) == 0.012
    assert done == [("event", "the stream"), "run", "run", ("event", "the stream"), "wait"]


# --- processes --------------------------------------------------------------------------------------------------------------


def _worked(name: str, seconds: float, **given: Any) -> tuple[Hand, dict[str, Any], list[bool]]:
    path = os.pathsep.join(map(str, (ROOT, Path(__file__).parent)))
    hand, found = Hand(name, f"cuda_work:{name}", given, sys.executable, {"PYTHONPATH": path}), {}
    try:
        until = time.monotonic() + seconds
        turns = [hand.turn(until, found.__setitem__) for _ in range(2)]
    finally:
        hand.stop()
    return hand, found, turns


def test_a_process_takes_turns() -> None:
    hand, found, turns = _worked("well", 60, value=3)
    assert (hand.state, found, turns) == ("done", {"first": 3, "second": 4}, [True, True])


@pytest.mark.parametrize(
    ("name", "state", "reason"),
    [
        ("fails", "failed", "ValueError: broken.py is broken"),
        ("dies", "failed", "the process ended with code 7"),
        ("hangs", "late", "time was over"),
    ],
)
def test_what_was_found_before_a_fault_is_kept(name: str, state: str, reason: str) -> None:
    hand, found, turns = _worked(name, 3 if name == "hangs" else 60)
    assert (hand.state, hand.reason, turns) == (state, reason, [False, False])
    assert found == {"first": 1}
    assert str(ROOT) not in hand.trace


def test_texts_lose_their_folders() -> None:
    assert worker.short("File /usr/lib/python3/site.py, 3 GB/s and a/b") == "File site.py, 3 GB/s and a/b"
    assert worker.told(ValueError("\n first \n second")) == "ValueError: first second"


# --- fences -----------------------------------------------------------------------------------------------------------------


def _run(folder: Path, budget: float = 60.0) -> parts.Run:
    return parts.Run(folder, budget, True, 2, {"": sys.executable}, clock.DRY)


def test_a_part_that_fails_is_told_and_the_rest_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(run: parts.Run, until: float) -> None:
        run.into("ceilings", "products")("copy", {"rate": 1e12})
        raise RuntimeError("no such card")

    def fine(run: parts.Run, until: float) -> None:
        assert json.loads((tmp_path / parts.RESULTS).read_text())["parts"]["fine"] == {"state": "under way"}
        run.left_out("a thing", "it is not there")

    monkeypatch.setattr(parts, "PARTS", {"broken": (broken, 0.5), "fine": (fine, 0.9), "late": (fine, 0.0), "other": (fine, 1.0)})
    run = _run(tmp_path)
    parts.do(run, ("broken", "fine", "late"))
    run.close()
    found = json.loads((tmp_path / parts.RESULTS).read_text())
    assert {name: entry["state"] for name, entry in found["parts"].items()} == {
        "broken": "failed",
        "fine": "done",
        "late": "skipped",
        "other": "not asked for",
    }
    assert found["parts"]["broken"]["reason"] == "RuntimeError: no such card"
    assert found["ceilings"]["products"]["copy"] == {"rate": 1e12}
    assert [entry["what"] for entry in found["left_out"]] == ["a thing", "late"]
    assert "no such card" in (tmp_path / "log.txt").read_text()
    assert "broken: failed" in report.report(run.results) and "late: its time was over" in report.report(run.results)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_that_is_ended_leaves_what_it_has(tmp_path: Path, number: int) -> None:
    command = [sys.executable, "-m", "benchmarks.cuda", "--dry", "--only", "ours", "--jobs", "1", "--out", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            for _ in range(600):
                path = tmp_path / parts.RESULTS
                if path.exists() and json.loads(path.read_text())["parts"].get("ours") == {"state": "under way"}:
                    break
                time.sleep(0.1)
            process.send_signal(number)
            printed = process.communicate(timeout=60)[0]
        finally:
            process.kill()
    found = json.loads((tmp_path / parts.RESULTS).read_text())
    assert found["environment"]["rung"] == "lockstep" and found["parts"]["environment"]["state"] == "done"
    assert found["parts"]["ours"]["state"] == ("under way" if number == signal.SIGKILL else "stopped")
    assert (number == signal.SIGTERM) == ("parts: environment done" in printed) == (tmp_path / "report.md").exists()


@pytest.mark.parametrize(("errors", "passed"), [(0, True), (3, False)])
def test_the_words_of_the_checkers_are_read(tmp_path: Path, errors: int, passed: bool) -> None:
    tool = tmp_path / "compute-sanitizer"
    tool.write_text(f"#!/bin/sh\necho '========= COMPUTE-SANITIZER'\necho '========= ERROR SUMMARY: {errors} errors'\n")
    tool.chmod(0o755)
    found = dict(correctness.sanitized("memcheck", str(tool), "builtin"))
    assert found == {"memcheck": {"summary": f"ERROR SUMMARY: {errors} errors", "passed": passed}}


def test_a_whole_run_without_a_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(parts, "NETWORKS", {"a": networks.NETWORKS["a"]})
    assert main(["--dry", "--out", str(tmp_path)]) == 0
    found = json.loads((tmp_path / parts.RESULTS).read_text())
    assert {entry["state"] for entry in found["parts"].values()} == {"done"}
    checks = found["correctness"]["tiny, schedule auto"]
    assert {f"{entry} {dtype}" for entry in correctness.ENTRIES for dtype in correctness.TOLERANCE} < set(checks)
    assert checks["program.check"]["passed"] and checks["numerical differentiation"]["worst"] < correctness.DIFFERENCE
    ours = found["networks"]["a"]["ours"]["layered"]
    assert all(ours[way]["times"]["median"] > 0 for way in ("graph", "epoch", "step")) and ours["graph"]["captured"] == "plain launches"
    assert {"relu", "own"} <= set(found["activations"]["forward"]) and "times" in found["products"]["8"]
    left_out = {entry["what"] for entry in found["left_out"]}
    assert {"ceilings", "opponents", "memcheck and racecheck", "correctness of tiny, schedule grid"} <= left_out
    text = (tmp_path / "report.md").read_text()
    assert "A dry run" in text and "## Goals" not in text
    printed = capfd.readouterr().out.splitlines()
    assert len(report.printed(found).splitlines()) <= report.LINES and printed[-1].startswith("left out: ")
    # The report is made anew from the results alone.
    (tmp_path / "report.md").unlink()
    monkeypatch.setattr(sys, "argv", ["report", str(tmp_path)])
    report.main()
    assert (tmp_path / "report.md").read_text() == text and capfd.readouterr().out == report.printed(found)
    # A record names no paths.
    for word in (str(ROOT), str(tmp_path), sys.prefix, os.path.expanduser("~") + os.sep):
        assert word not in (tmp_path / parts.RESULTS).read_text() + text + (tmp_path / "log.txt").read_text()


# --- the report -------------------------------------------------------------------------------------------------------------


def _times(median: float) -> dict[str, Any]:
    return {"times": {"median": median, "p10": 0.9 * median, "p90": 1.2 * median, "runs": 64, "blocks": 20}}


def _results() -> dict[str, Any]:
    """A run as it might come out: every number is made up."""
    losses = [1.0, 0.5, 0.25]
    found: dict[str, Any] = {"dry": False, "parts": {name: {"state": "done", "seconds": 1.0} for name in parts.PARTS}, "left_out": []}
    found["environment"] = {"rung": "numba-cuda", "card": {"name": "A card", "driver_version": "580.1"}, "versions": {"numpy": "2.5.2"}}
    found["environment"]["ladder"] = {"numba-cuda": {"added": True, "ptx": "9.0", "multiprocessor_count": 132}}
    products = {"copy": {"rate": 4e12}, "float32 1024": {"rate": 3e13, "median": 7e-5}, "float32 4096": {"rate": 5e13, "median": 2.7e-3}}
    found["ceilings"] = {"products": products, "launches": {"launch, 0 arrays": {"median": 5e-6}}}
    found["networks"] = {}
    for name, network in networks.NETWORKS.items():
        workload = network.workload
        goals = [vars(goal) for goal in network.goals]
        about = {"title": workload.title, "flops": networks.flops(workload), "bytes": networks.moved(workload), "goals": goals}
        found["networks"][name] = about
    a = found["networks"]["a"]
    a["ours"] = {
        "single": {"losses": losses, "first": 3.0, "epoch": _times(3e-6), "step": _times(3e-5)},
        "external": {"losses": losses, "graph": {"captured": "graph by libcuda", **_times(4e-5)}},
        "layered": {"losses": [1.0, 0.5, 0.3], "epoch": _times(1e-6)},
        "grid": {"error": "time was over"},
    }
    a["opponents"] = {
        "torch-graph": {"losses": losses, **_times(2.1e-5)},
        "jax-scan": {"losses": losses, **_times(1.4e-5)},
        "jax-scan-8": {"losses": losses, **_times(1.1e-5)},
        "jax-jit": {"losses": [1.0, float("nan"), 0.25], **_times(9e-5)},
        "torch-eager": {"losses": losses, **_times(3e-4)},
    }
    found["networks"]["e"] |= {"ours": {"layered": {"losses": losses, "graph": _times(2e-3)}}}
    found["networks"]["e"]["opponents"] = {
        "torch-graph": {"losses": losses, **_times(1.7e-3)},
        "torch-compile": {"losses": losses, **_times(1.9e-3)},
    }
    found["activations"] = {"forward": {"relu": _times(1e-4), "gelu": _times(1.1e-4), "own": _times(1.3e-4), "mish": {"error": "no"}}}
    found["machine_code"] = {"a": {"dense_a": {"registers": 62, "shared": 0, "spills": 0, "share": 0.76, "loop": 337, "float64": 0}}}
    found["correctness"] = {
        "odd, schedule auto": {"seed": 5, "forward float32": {"worst": 1e-7, "passed": True}},
        "tiles, schedule auto": {"forward float32": {"worst": 1e-3, "passed": False}, "error": "time was over"},
    }
    return found


def test_goals_are_judged_by_times_of_the_same_work() -> None:
    results = _results()
    said = {(g.network, g.what): (g.measured, g.reached) for g in report.verdicts(results)}
    a, e, f = (networks.NETWORKS[name].workload.title for name in "aef")
    assert set(report.suspects(results["networks"]["a"])) == {"ours layered", "jax-jit"}
    assert said[a, "at most 4.00 µs a step"] == ("3.00 µs", True)
    assert said[a, "PyTorch, CUDA graph: 5×"] == ("7.00×", True)
    # The better of two ways to scan counts.
    assert said[a, "JAX lax.scan: 4×"] == ("3.67×", False)
    assert said[a, "JAX jit: 20×"] == ("not measured", None)
    assert said[a, "PyTorch eager: 50×"] == ("100.00×", True)
    assert said[e, "PyTorch at its best: 0.9×"] == ("0.85×", False)
    assert said[f, "PyTorch at its best: 0.95×"] == ("not measured", None)
    assert said["activation gelu, forward", "at most 1.2 of the time with relu"] == ("1.10", True)
    assert said["activation own, forward", "at most 1.2 of the time with relu"] == ("1.30", False)


def test_floors() -> None:
    results = _results()
    e = networks.NETWORKS["e"].workload
    # Three layers: two products each and one more for all but the first, two operations a multiplication and addition.
    assert networks.flops(e) == 4096 * 2 * 1024 * 1024 * 8
    floor = report.floor(results, "e")
    assert floor == report.Floor(networks.flops(e) / 5e13, "arithmetic")
    a = report.floor(results, "a")
    assert a is not None and a.bound == "memory" and a.seconds == 4 * (64 * 3 + 4 * 65) / 4e12
    alone = report.lone(results, "a")
    assert alone is not None and math.isclose(alone, networks.flops(networks.NETWORKS["a"].workload) * 132 / 5e13)


def test_the_table_that_is_printed_last_is_short_and_the_report_has_all() -> None:
    results = _results()
    printed, text = report.printed(results), report.report(results)
    assert len(printed.splitlines()) <= report.LINES
    assert "MISSED" in printed and "1 checks passed, 2 did not" in printed
    assert "jax-jit does not count: its first losses are off by nan" in text
    assert "tiles, schedule auto: forward float32: off by 0.001" in text
    assert "External launches: graph by libcuda." in text
    assert "| a dense_a | 62 | 0 | 0 | 76% | 0 |" in text
    results["left_out"] = [{"what": f"thing {k}", "why": "time"} for k in range(100)]
    for k in range(60):
        results["activations"]["forward"][f"f{k}"] = _times(1e-4)
    printed = report.printed(results)
    assert len(printed.splitlines()) == report.LINES
    assert "more lines in report.md" in printed and "left out: 100" in printed


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks" / "records").glob(f"*/{parts.RESULTS}")), ids=lambda path: path.parent.name)
def test_the_report_of_a_record_is_that_of_its_results(path: Path) -> None:
    assert report.report(json.loads(path.read_text(encoding="utf-8"))) == path.with_name("report.md").read_text(encoding="utf-8")


def test_the_report_of_nothing() -> None:
    assert "goals" not in report.printed({}) and "# Training steps" in report.report({})


def test_from_which_side_on_another_library_is_faster() -> None:
    def beside(*pairs: tuple[float, float]) -> dict[int, dict[str, float]]:
        return {256 * 2**k: {"ours": ours, "cublas": theirs} for k, (ours, theirs) in enumerate(pairs)}

    assert parts.cross_over(beside((1.2, 1), (1, 1), (1.2, 1), (1.3, 1)))["cross_over"] == 1024
    assert parts.cross_over(beside((1, 2), (1, 1.01)))["cross_over"] is None
    assert parts.cross_over(beside((2, 1), (2, 1)))["cross_over"] == 256


# --- what is timed and checked ----------------------------------------------------------------------------------------------


def test_the_networks_of_the_goals() -> None:
    sizes = {name: 4 * networks.weights(network.workload) for name, network in networks.NETWORKS.items()}
    assert (sizes["a"], sizes["c"], sizes["d"]) == (4 * 65, 87_360, 407_080)
    for network in networks.NETWORKS.values():
        workload = network.workload
        ring = workload.samples // workload.batch
        assert ring >= 2 and workload.samples % workload.batch == 0 and (ring <= networks.STEPS or ring % networks.STEPS == 0)
        outputs = 1 if workload.loss == "softmax_cross_entropy" else workload.sizes[-1]
        assert 4 * workload.samples * (workload.sizes[0] + outputs) >= networks.RING
    assert sum(network.compiled for network in networks.NETWORKS.values()) <= 4
    assert list(parts.schedules("a", False)) == ["layered", "single", "grid"]
    assert list(parts.schedules("f", False)) == ["layered", "external"]
    assert {name for name, schedule in subjects.checked(False) if schedule == "external"} == set(subjects.OUTSIDE)


def test_a_result_is_held_against_the_right_one_tensor_by_tensor() -> None:
    right = np.concatenate([np.full(1000, 10.0), np.ones(4)])
    wrong = right.copy()
    wrong[-1] = 1.5
    assert correctness.off(wrong, right) < 2e-3
    parts_ = (slice(0, 1000), slice(1000, 1004))
    assert math.isclose(correctness.off(wrong, right, parts_), 0.5 / (correctness.LEAST * np.linalg.norm(right)))
    wrong[0] = np.nan
    assert correctness.off(wrong, right, parts_) == correctness.off(wrong[:5], right) == math.inf


def test_every_entry_is_compared() -> None:
    """The comparison itself, with a float32 module in NumPy in the place of that of the device."""
    import symbackprop as sbp

    net, rule = subjects.declared("tiny"), sbp.Momentum(0.01, 0.9)
    here, there = (subjects.opened(net, 5, None, dtype, optimizer=rule) for dtype in ("float64", "float32"))
    for entry in correctness.ENTRIES:
        found = correctness._compared(entry, net, here, there, "float32", (3, 5), 1)
        assert found["passed"] and found["same_bits"] and 0 < found["worst"] < 1e-6, (entry, found)
    whole = there.module.forward

    def forgets(params: Any, x: Any, out: Any, work: Any) -> None:
        kept = out[-1, -1]
        whole(params, x, out, work)
        out[-1, -1] = kept

    there.module.forward = forgets  # type: ignore[attr-defined]
    assert correctness._compared("forward", net, here, there, "float32", (3, 5), 1)["worst"] == math.inf


def test_pytorch_does_the_same_work_in_every_way() -> None:
    pytest.importorskip("torch")
    from benchmarks.cuda import with_torch

    effort = {"blocks": 1, "least": 0.0, "seconds": 0.0}
    losses = {}
    for way in ("torch-graph", "torch-eager"):
        found: dict[str, Any] = {}
        for key, value in with_torch.timed("a", way, effort, "cpu", dry=True):
            if key != worker.READY:
                found |= value
        losses[way] = found["losses"]
        assert found["times"]["blocks"] == 1
    assert losses["torch-graph"] == losses["torch-eager"]
    workload = networks.chosen("a", dry=True)
    from benchmarks.cpu.workloads import data, parameters

    (x, y), p = data(workload, "float64"), parameters(workload, "float64")
    x, y = x[: workload.batch], y[: workload.batch]
    right = np.mean((np.tanh(x @ p["dense_1.W"].T + p["dense_1.b"]) @ p["dense_2.W"].T + p["dense_2.b"] - y) ** 2)
    assert math.isclose(losses["torch-eager"][0], right, rel_tol=1e-5)


def test_our_steps_are_the_same_in_every_way() -> None:
    from benchmarks.cuda import ladder, ours

    trained = ours.Trained(networks.chosen("d", dry=True), "layered", ladder.EMULATED)
    ends = {}
    for way in ("step", "epoch", "graph"):
        trained.begin()
        if way == "graph":
            trained.graph(2)
        for _ in range({"step": 4, "epoch": 2, "graph": 0}[way]):
            trained.step() if way == "step" else trained.epoch(2)
        ends[way] = np.array(trained.params)
    # Two graphs of two steps were run where one is made; all three ways have done four steps, twice the ring.
    assert not np.array_equal(ends["step"], trained.start)
    assert np.array_equal(ends["step"], ends["epoch"]) and np.array_equal(ends["step"], ends["graph"])


class _Card:
    """A module ``cuda`` whose launches take a microsecond, and a meeting of all blocks three more for each time."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def to_device(self, array: Any) -> Any:
        return SimpleNamespace(__cuda_array_interface__={"data": (4096, False)})

    def synchronize(self) -> None:
        pass

    def event(self, timing: bool) -> Any:
        made = SimpleNamespace(synchronize=lambda: None, at=0.0)
        made.record = lambda: setattr(made, "at", self.seconds)
        return made

    def event_elapsed_time(self, start: Any, end: Any) -> float:
        return float(end.at - start.at) * 1e3

    def jit(self, what: Any) -> Any:
        if isinstance(what, tuple):
            raise NotImplementedError("a pointer")
        return self._kernel(3e-6) if isinstance(what, str) else self._kernel(0.0)

    def _kernel(self, each: float) -> Any:
        card = self

        class Kernel:
            def __call__(self, function: Any) -> Any:
                return self

            def __getitem__(self, shape: tuple[int, int]) -> Any:
                def launched(*arguments: Any) -> None:
                    card.seconds += 1e-6 + (each * int(arguments[0]) if each else 0.0)

                return launched

        return Kernel()


def test_what_fails_among_the_ceilings_takes_nothing_else_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks.cuda import ceilings

    card = _Card()
    monkeypatch.setattr(ceilings.ladder, "climb", lambda rung: card)
    found = dict(ceilings.launches({"blocks": 3, "least": 1e-4, "seconds": 1.0}, "builtin"))
    for count in (0, 1, 4, 8):
        assert math.isclose(found[f"launch, {count} arrays"]["median"], 1e-6, rel_tol=1e-6)
    for blocks in ceilings.MEETING:
        assert math.isclose(found[f"grid sync, {blocks} blocks"]["median"], 3e-6, rel_tol=1e-6)
    assert found["launch, a pointer"] == {"error": "NotImplementedError: a pointer"}


def test_a_captured_graph_starts_where_all_others_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """The way to a CUDA graph of PyTorch, with the calls of CUDA replaced by nothing: "cpu:0" is a device like any other."""
    torch = pytest.importorskip("torch")
    from benchmarks.cuda import with_torch

    stream = SimpleNamespace(wait_stream=lambda other: None)
    for name in ("Stream", "current_stream"):
        monkeypatch.setattr(torch.cuda, name, lambda: stream)
    replayed: list[int] = []
    monkeypatch.setattr(torch.cuda, "CUDAGraph", lambda: SimpleNamespace(replay=lambda: replayed.append(1)))
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: nullcontext())
    monkeypatch.setattr(torch.cuda, "graph", lambda graph: nullcontext())
    trained = with_torch.Trained(networks.chosen("d", dry=True), "cpu:0")
    first = {name: a.detach().clone() for name, a in trained.p.items()}
    stepper = trained.graph()
    for name, a in trained.p.items():
        assert torch.equal(a, first[name]) and not trained.rule.state[a]["momentum_buffer"].any()
    assert len(stepper.run()) == stepper.per == 2 and replayed == [1]
