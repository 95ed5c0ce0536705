"""The run: peers in processes of their own, taking turns in short slices, so that whatever else the machine does hits all alike."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cpu.peers import DISPATCHED, OURS, PEERS, PLAIN, REFERENCE
from benchmarks.cpu.workloads import Arrays, Workload, moved, operations

ROOT = Path(__file__).parents[2]

#: Seconds of a slice; one call of a slow peer may take longer.
SLICE = 0.01

#: What a float64 gradient may differ by from one computed in another order: relative, in the 2-norm of the worst tensor.
TOLERANCE = {"float64": 1e-9, "float32": 1e-2}

#: How many times the error of plain loops the error of our float32 gradient may be.
ACCURACY = 4.0


@dataclass(frozen=True)
class Effort:
    """How long a run takes.

    Attributes:
        seconds: of one workload's slices, all peers together.
        rounds: the fewest turns.
        tries: at each ceiling of the machine, before the workloads; a long run measures them again after the workloads.
    """

    seconds: float
    rounds: int
    tries: int


QUICK, FULL = Effort(1.5, 3, 3), Effort(6.0, 5, 12)


class Player:
    """A peer's process."""

    def __init__(self, name: str, threads: int, python: str, caches: Path) -> None:
        self.name, self.threads, self.python, self.caches = name, threads, python, caches
        self._start()

    def _start(self) -> None:
        command = [self.python, "-m", "benchmarks.cpu.worker", self.name, str(self.threads)]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment(self.name, self.threads, self.caches), **pipes)

    def send(self, **command: Any) -> None:
        """Give a command; `answer` is what comes back."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(command) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass

    def answer(self) -> dict[str, Any]:
        """Return the answer to the command; a process that is gone is started anew for the next one."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if line:
            return dict(json.loads(line))
        code = self.process.wait()
        self._start()
        return {"error": f"the process ended with code {code}"}

    def ask(self, **command: Any) -> dict[str, Any]:
        """Give a command and return its answer."""
        self.send(**command)
        return self.answer()

    def hold(self) -> None:
        """Let none of its threads run: many libraries' threads spin for milliseconds after the last piece of work."""
        if hasattr(signal, "SIGSTOP") and self.process.poll() is None:
            self.process.send_signal(signal.SIGSTOP)

    def release(self) -> None:
        """Let its threads run again."""
        if hasattr(signal, "SIGCONT") and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """End the process."""
        self.release()
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


def environment(name: str, threads: int, caches: Path) -> dict[str, str]:
    """Return the variables of a peer's process: its threads, and folders of the run for what compilers keep."""
    counts = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    folders = {"XDG_CACHE_HOME": "xdg", "TORCHINDUCTOR_CACHE_DIR": "inductor", "JAX_COMPILATION_CACHE_DIR": "jax", "NUMBA_CACHE_DIR": None}
    made = {k: v for k, v in os.environ.items() if k not in folders and k != "OPENBLAS_CORETYPE"}
    made |= {variable: str(caches / folder) for variable, folder in folders.items() if folder}
    made |= {"PYTENSOR_FLAGS": f"base_compiledir={caches / 'pytensor'}", "JAX_PLATFORMS": "cpu"}
    made |= {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0", "PYTHONPATH": str(ROOT)}
    return made | dict.fromkeys(counts, str(threads)) | dict(PEERS[name].environment)


def run(
    workloads: Sequence[Workload],
    peers: Sequence[str],
    threads: Sequence[int],
    effort: Effort,
    python: Mapping[str, str],
    caches: Path,
    say: Callable[[str], None],
    found: dict[str, Any],
) -> None:
    """Measure workloads with all peers that are there and write the results into ``found``, workload by workload."""
    ceilings = {str(count): _ceilings(count, effort.tries) for count in threads}
    found |= {"environment": {"versions": {}, "blas": {}}, "ceilings": ceilings, "workloads": {}, "missing": {}}
    right: dict[str, Arrays] = {}
    for count in threads:
        # The texts are the same for any number of threads: they are judged once, with the first.
        able = [name for name in peers if count == threads[0] or PEERS[name].alone]
        players = {name: Player(name, count, python.get(name, python[""]), caches) for name in able}
        try:
            _gather(players, found, say)
            for workload in workloads:
                entry = found["workloads"].setdefault(workload.name, _described(workload))
                say(f"{workload.name}: {workload.title}, {count} thread{'s' * (count > 1)}")
                entry["threads"][str(count)] = _measure(workload, players, effort, right, say)
        finally:
            for player in players.values():
                player.stop()
        if effort.tries >= FULL.tries:
            ceilings[str(count)] |= _higher(ceilings[str(count)], _ceilings(count, effort.tries))


def _described(workload: Workload) -> dict[str, Any]:
    return {
        "title": workload.title,
        "does": workload.does,
        "least": workload.least,
        "aim": workload.aim,
        "flops": operations(workload),
        "bytes": moved(workload),
        "threads": {},
    }


def _gather(players: dict[str, Player], found: dict[str, Any], say: Callable[[str], None]) -> None:
    """Ask every peer what it is; those that are not there leave."""
    for player in players.values():
        player.send(do="about")
    for name, player in list(players.items()):
        about = player.answer()
        reason = about.get("missing") or about.get("error")
        if reason is None and name == DISPATCHED and not _misjudged(found):
            reason = "the BLAS of NumPy has chosen its kernels for this processor already"
        if reason is None:
            found["environment"]["versions"][name] = about["versions"]
            found["environment"]["blas"][name] = about["blas"]
            continue
        if name not in found["missing"]:
            say(f"{PEERS[name].told} is left out: {reason}")
        found["missing"][name] = reason
        players.pop(name).stop()


def _misjudged(found: Mapping[str, Any]) -> bool:
    """Whether the processor has AVX-512 and the BLAS of NumPy does not use it."""
    from llvmlite import binding

    cores = found["environment"]["blas"].get(REFERENCE, {}).values()
    return bool(binding.get_host_cpu_features().get("avx512f")) and "Haswell" in cores


def _measure(
    workload: Workload, players: Mapping[str, Player], effort: Effort, right: dict[str, Arrays], say: Callable[[str], None]
) -> dict[str, Any]:
    """Return the results of a workload, peer by peer; ``right`` holds the float64 results of the workloads judged so far."""
    found: dict[str, Any] = {name: {} for name in players}
    made: dict[str, dict[str, Arrays]] = {"float64": {}}
    with tempfile.TemporaryDirectory() as folder:
        if workload.name not in right:
            # Plain loops judge the float32 gradient; in float64 they are judged by the package's own tests.
            able = {name: player for name, player in players.items() if name != PLAIN}
            made["float64"] = _built(workload, able, "float64", Path(folder), found)
            if REFERENCE not in made["float64"]:
                say(f"{workload.name} is left out: NumPy, which the others are held against, failed: {found[REFERENCE].get('error')}")
                return {}
            right[workload.name] = made["float64"][REFERENCE]
        made["float32"] = _built(workload, players, "float32", Path(folder), found)
    for name, entry in found.items():
        for dtype, tolerance in TOLERANCE.items():
            result = made[dtype].get(name)
            if result is None or "error" in entry:
                continue
            entry[f"error_{dtype}"] = error = distance(result, right[workload.name])
            if not error <= tolerance:
                entry["error"] = f"its {dtype} gradient differs by {error:.1e} from that of NumPy in float64"
    plain, ours = (found.get(name, {}).get("error_float32") for name in (PLAIN, OURS))
    if plain is not None and ours is not None:
        # Plain loops may happen to be exact; half a unit in the last place is no loss of accuracy.
        found[OURS]["accuracy"] = ours / max(plain, 2.0**-25)
        if found[OURS]["accuracy"] > ACCURACY:
            say(f"{workload.name}: ours is {found[OURS]['accuracy']:.1f} times as inaccurate as plain loops")
    for name, entry in found.items():
        if "error" in entry:
            say(f"{workload.name}: {PEERS[name].told} is left out: {entry['error']}")
    _take_turns({name: players[name] for name, entry in found.items() if not {"error", "missing"} & set(entry)}, found, effort)
    return found


def _built(workload: Workload, players: Mapping[str, Player], dtype: str, folder: Path, found: dict[str, Any]) -> dict[str, Arrays]:
    """Build a workload everywhere at once and return what each peer found at its first run."""
    results: dict[str, Arrays] = {}
    able = [name for name in players if not {"error", "missing"} & set(found[name])]
    for name in able:
        players[name].send(do="build", workload=workload.name, dtype=dtype, result=str(folder / f"{name}_{dtype}.npz"))
    for name in able:
        answer = players[name].answer()
        if "seconds" not in answer:
            found[name] |= answer
            continue
        found[name][f"build_{dtype}"] = answer["seconds"]
        found[name]["variants"] = answer["variants"]
        with np.load(folder / f"{name}_{dtype}.npz") as archive:
            results[name] = {key: archive[key] for key in archive.files}
    return results


def distance(one: Arrays, other: Arrays) -> float:
    """Return ‖a − b‖/‖b‖ of the tensor where it is the largest; infinite if the tensors are not the same."""
    if set(one) != set(other) or any(one[name].shape != other[name].shape for name in one):
        return float("inf")
    return max(float(np.linalg.norm(one[name].astype(np.float64) - b) / (np.linalg.norm(b) or 1)) for name, b in other.items())


def _take_turns(players: Mapping[str, Player], found: dict[str, Any], effort: Effort) -> None:
    """Let the peers run in turns until the time is up."""
    turns = [(name, variant) for name in players for variant in ("", *found[name].pop("variants", ()))]
    times: dict[tuple[str, str], list[float]] = {turn: [] for turn in turns}
    until, rounds = time.perf_counter() + effort.seconds, 0
    for player in players.values():
        player.hold()
    while rounds < effort.rounds or time.perf_counter() < until:
        for name, variant in turns:
            if name == PLAIN and (rounds >= effort.rounds or sum(times[name, variant]) > effort.seconds / 4):
                # It is there to be compared in accuracy; large products in plain loops take minutes.
                continue
            players[name].release()
            answer = players[name].ask(do="time", variant=variant, seconds=SLICE)
            players[name].hold()
            times[name, variant] += answer.get("times", ())
            if "error" in answer:
                found[name]["error"] = answer["error"]
        rounds += 1
    for player in players.values():
        player.release()
    for (name, variant), seconds in times.items():
        if seconds:
            quick, usual = (float(q) for q in np.quantile(seconds, (0.1, 0.5)))
            found[name][f"times_{variant}" if variant else "times"] = {"p10": quick, "median": usual, "count": len(seconds)}


def _ceilings(threads: int, tries: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.cpu.ceilings", str(threads), str(tries)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    return dict(json.loads(done.stdout))


def _higher(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return the higher of two measurements of the same ceilings."""
    bandwidth = {size: max(rate, other["bandwidth"][size]) for size, rate in one["bandwidth"].items()}
    return {"peak": max(one["peak"], other["peak"]), "bandwidth": bandwidth, "call": min(one["call"], other["call"])}
