"""The parts of a run, each behind a fence: what fails is told and the rest goes on; what is found is on disk at once."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.cuda import clock, environment, ladder, subjects
from benchmarks.cuda.hands import Hand, Take, prepare
from benchmarks.cuda.networks import NETWORKS, chosen, flops, moved, weights
from benchmarks.cuda.worker import short, told

#: The file of a run's results; records of the processor have another one.
RESULTS = "cuda.json"

#: The file that every line of a run is written to at once.
LOG = "log.txt"


@dataclass
class Run:
    """A run: where its results go, and how much time there is.

    Attributes:
        out: the folder of the results.
        budget: seconds of all parts together.
        dry: whether there is no GPU: tiny sizes, emulated.
        jobs: processes that prepare side by side.
        python: interpreter of each peer; that of "" is everybody else's.
        effort: of every time that is taken.
        device: of the opponents: "cuda", or "cpu" to see that they go through.
        results: all that was found.
    """

    out: Path
    budget: float
    dry: bool
    jobs: int
    python: Mapping[str, str]
    effort: clock.Effort
    device: str = "cuda"
    results: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.began = time.monotonic()
        self.hands: list[Hand] = []
        self._traces: set[tuple[str, ...]] = set()
        # What is written on the way goes with the run, whatever becomes of the processes that wrote it.
        self._scratch = tempfile.TemporaryDirectory(prefix="symbackprop-cuda-")
        self._lock = threading.Lock()
        self.out.mkdir(parents=True, exist_ok=True)
        (self.out / LOG).write_text("", encoding="utf-8")

    @property
    def rung(self) -> str:
        """The CUDA target that was chosen."""
        rung = self.results.get("environment", {}).get("rung")
        if rung is None:
            raise RuntimeError("no CUDA target adds two vectors here")
        return str(rung)

    def say(self, line: str) -> None:
        """Write a line of the log, at once."""
        told = f"{time.monotonic() - self.began:6.1f} s  {line}"
        with self._lock:
            with (self.out / LOG).open("a", encoding="utf-8") as log:
                log.write(told + "\n")
            print(told, flush=True)

    def save(self) -> None:
        """Write what was found so far; who reads the file meanwhile sees all of it or what was there before."""
        with self._lock:
            text = json.dumps(self.results, indent=1, ensure_ascii=False)
            new = self.out / f"{RESULTS}.new"
            new.write_text(text + "\n", encoding="utf-8")
            os.replace(new, self.out / RESULTS)

    def left_out(self, what: str, why: str) -> None:
        """Name what was not done."""
        self.results.setdefault("left_out", []).append({"what": what, "why": why})
        self.say(f"{what} is left out: {why}")

    @property
    def variables(self) -> dict[str, str]:
        """The variables of every process."""
        return {**environment.toolkit(), "TMPDIR": self._scratch.name}

    def hand(self, name: str, do: str, given: Mapping[str, Any], peer: str = "", variables: Mapping[str, str] | None = None) -> Hand:
        """Return a process for a piece of work; it is ended with the run."""
        python = self.python.get(peer, self.python[""])
        made = Hand(name, f"benchmarks.cuda.{do}", given, python, {**self.variables, **(variables or {})})
        self.hands.append(made)
        return made

    def into(self, *keys: str) -> Take:
        """Return what takes a piece of a result and keeps it under some keys, on disk at once."""

        def take(key: str, value: Any) -> None:
            with self._lock:
                place = self.results
                for step in keys:
                    place = place.setdefault(step, {})
                known = place.get(key)
                place[key] = {**known, **value} if isinstance(known, dict) and isinstance(value, dict) else value
            wrong = value.get("error") if isinstance(value, dict) else None
            self.say(" ".join((*keys, key)) + (f": {wrong}" if wrong else ""))
            self.save()

        return take

    def told(self, hand: Hand) -> bool:
        """Write into the log how a hand ended, if it did not end well; return whether it is well."""
        if hand.state not in ("failed", "late"):
            return True
        self.say(f"{hand.name}: {hand.reason}")
        trace = tuple(line for line in hand.trace.splitlines() if line.strip(" ^~"))[-15:]
        for line in trace if trace not in self._traces else ("as before",):
            self.say(f"    {line}")
        self._traces.add(trace)
        return False

    def stop(self) -> None:
        """End all processes."""
        for hand in self.hands:
            hand.stop()
        self.hands.clear()

    def close(self) -> None:
        """End all processes and remove what they wrote on the way."""
        self.stop()
        self._scratch.cleanup()


Part = Callable[[Run, float], None]


def do(run: Run, names: Iterable[str]) -> None:
    """Do parts, each until its time is over at most."""
    names = tuple(names)
    run.results |= {"dry": run.dry, "effort": asdict(run.effort), "budget": run.budget, "parts": {}, "left_out": []}
    for name, (part, end) in PARTS.items():
        if name not in names:
            run.results["parts"][name] = {"state": "not asked for"}
            continue
        if set(names) == {name, "environment"}:
            end = max(last for _, last in PARTS.values())
        until = run.began + (FIRST if part is surroundings else 0.0) + run.budget * end
        if until - time.monotonic() < 1:
            run.results["parts"][name] = {"state": "skipped"}
            run.left_out(name, "its time was over")
            run.save()
            continue
        fenced(run, name, part, until)
    run.save()


def fenced(run: Run, name: str, part: Part, until: float) -> None:
    """Do a part; whatever goes wrong in it is told, and no more."""
    entry = run.results["parts"][name] = {"state": "under way"}
    run.save()
    run.say(f"--- {name}, at most until {until - run.began:.0f} s")
    began = time.monotonic()
    try:
        part(run, until)
        entry["state"] = "done"
    except KeyboardInterrupt:
        entry["state"] = "stopped"
        raise
    except Exception as error:  # the other parts go on
        entry |= {"state": "failed", "reason": told(error)}
        run.say(f"{name} failed: {told(error)}")
        for line in short(traceback.format_exc()).splitlines():
            run.say(f"    {line}")
    finally:
        run.stop()
        entry["seconds"] = round(time.monotonic() - began, 1)  # type: ignore[assignment]
        run.save()


# --- 1 environment ----------------------------------------------------------------------------------------------------------


def surroundings(run: Run, until: float) -> None:
    """Find out where this runs, and which CUDA target works."""
    found = run.results["environment"] = environment.found()
    run.save()
    hands = {rung: run.hand(f"target {rung}", "ladder:add", {"rung": rung}) for rung in ladder.RUNGS}
    prepare(hands.values(), run.jobs, until, lambda hand: run.into("environment", "ladder", hand.given["rung"]))
    rungs = found.setdefault("ladder", {})
    for rung, hand in hands.items():
        rungs.setdefault(rung, {})
        if hand.state != "done":
            rungs[rung]["error"] = hand.reason
            run.say(f"target {rung}: {hand.reason}")
    # That a text could not be read or a limit asked for takes nothing away from a target that adds.
    works = [rung for rung in ladder.RUNGS if rungs[rung].get("added")]
    # The kernels use extensions of Numba's compiler, which the youngest target does not have.
    found["rung"] = ladder.EMULATED if run.dry else next((rung for rung in works if rung != "mlir"), None)
    found["works"] = works
    run.say(f"kernels run on: {found['rung'] or 'nothing'}")


# --- 2 correctness ----------------------------------------------------------------------------------------------------------


def correctness(run: Run, until: float) -> None:
    """Hold every entry of generated modules against float64 on the processor, then let the checkers of the toolkit look."""
    hands = []
    for name, schedule in subjects.checked(run.dry):
        given: dict[str, Any] = {"name": name, "schedule": schedule, "rung": run.rung}
        # What a schedule changes is the step; compiling the rest once more would take its time.
        given |= {} if schedule == "auto" else {"entries": ("value_and_grad", "train_step", "epoch")}
        hands.append(run.hand(f"{name}, schedule {schedule}", "correctness:network", given))
    hands.append(run.hand("more than 48 KB of shared memory", "correctness:shared", {"rung": run.rung}))
    prepare(hands, run.jobs, until - (0 if run.dry else 0.2 * (until - time.monotonic())), lambda hand: run.into("correctness", hand.name))
    for hand in hands:
        if subjects.UNFIT not in hand.reason and run.told(hand):
            continue
        if hand.state == "late" or subjects.UNFIT in hand.reason:
            run.left_out(f"correctness of {hand.name}", hand.reason)
        else:
            run.into("correctness", hand.name)("error", hand.reason)
    _sanitized(run, until)


def _sanitized(run: Run, until: float) -> None:
    """Let compute-sanitizer look at a small network, for its memory and for races."""
    path = shutil.which("compute-sanitizer") or next((str(p) for p in (Path("/usr/local/cuda/bin/compute-sanitizer"),) if p.exists()), None)
    if run.dry or path is None:
        run.left_out("memcheck and racecheck", "dry run" if run.dry else "compute-sanitizer is absent")
        return
    hands = [run.hand(tool, "correctness:sanitized", {"tool": tool, "path": path, "rung": run.rung}) for tool in ("memcheck", "racecheck")]
    prepare(hands, 2, until, lambda hand: run.into("correctness", "compute-sanitizer"))
    for hand in hands:
        if not run.told(hand):
            run.left_out(hand.name, hand.reason)


# --- 3 ceilings -------------------------------------------------------------------------------------------------------------


def ceilings(run: Run, until: float) -> None:
    """Measure what the card can do."""
    if run.dry:
        run.left_out("ceilings", "dry run: there is no card to measure")
        return
    effort = asdict(run.effort)
    kinds = {
        "products": ({"effort": effort}, "torch"),
        "launches": ({"effort": effort, "rung": run.results["environment"].get("rung")}, ""),
        "graphs": ({"effort": effort}, "torch"),
    }
    for kind, (given, peer) in kinds.items():
        if kind == "launches" and given["rung"] is None:
            run.left_out("launches", "no CUDA target adds two vectors here")
            continue
        hand = run.hand(kind, f"ceilings:{kind}", given, peer)
        hand.turn(until, run.into("ceilings", kind))
        if not run.told(hand):
            run.left_out(f"{kind}, or what is missing of them", hand.reason)


# --- 4 ours -----------------------------------------------------------------------------------------------------------------


def _described(run: Run) -> None:
    kept = run.results.setdefault("networks", {})
    for name, network in NETWORKS.items():
        workload = chosen(name, run.dry)
        goals = [asdict(goal) for goal in network.goals]
        about = {"title": workload.title, "flops": flops(workload), "bytes": moved(workload), "goals": goals}
        kept.setdefault(name, {}).update(about)


def ours(run: Run, until: float) -> None:
    """Time our training steps with every schedule, activations in the epilogue, and products beside those of cuBLAS."""
    _described(run)
    given = {"rung": run.rung, "dry": run.dry, "effort": asdict(run.effort)}
    hands: list[tuple[Hand, Take]] = []
    for name in NETWORKS:
        for schedule in schedules(name, run.dry):
            hand = run.hand(f"{name}, schedule {schedule}", "ours:timed", {"name": name, "schedule": schedule, **given})
            hands.append((hand, run.into("networks", name, "ours", schedule)))
    activations = run.hand("activations", "ours:activations", given)
    products = run.hand("products", "ours:products", given)
    hands += [(activations, run.into("activations")), (products, run.into("products"))]
    takes = {id(hand): take for hand, take in hands}
    now = time.monotonic()
    prepare((hand for hand, _ in hands), run.jobs, now + 0.6 * (until - now), lambda hand: takes[id(hand)])
    for hand, take in hands:
        while hand.state == "ready" and hand.turn(until, take) and hand.state != "done":
            pass
        if hand.state in ("failed", "late"):
            if subjects.UNFIT not in hand.reason:
                run.told(hand)
            run.left_out(f"ours: {hand.name}", hand.reason)
            if hand not in (activations, products):
                take("error", hand.reason)
    propose(run)


def schedules(name: str, dry: bool) -> Iterator[str]:
    """Yield the schedules that a network is timed with."""
    workload = chosen(name, dry)
    small = 4 * weights(workload) <= MOST_SHARED
    for schedule in subjects.SCHEDULES:
        if schedule == "layered" or small == (schedule in ("single", "grid")):
            yield schedule


#: Bytes of parameters up to which schedules are timed that keep them in shared memory; above it, products by cuBLAS are.
MOST_SHARED = 200 * 1024


def propose(run: Run) -> None:
    """Write from which size on cuBLAS is the faster one, as a proposal: the plan does not read it."""
    theirs = run.results.get("ceilings", {}).get("products", {})
    beside: dict[int, dict[str, float]] = {}
    for side, found in run.results.get("products", {}).items():
        other = theirs.get(f"float32 {side}", {})
        if "times" in found and "median" in other:
            beside[int(side)] = {"ours": found["times"]["median"], "cublas": other["median"]}
    if beside:
        (run.out / "tune.json").write_text(json.dumps(cross_over(beside), indent=1) + "\n", encoding="utf-8")


#: By how much cuBLAS has to be faster before it is worth a dependency.
WORTH = 1.05


def cross_over(beside: Mapping[int, Mapping[str, float]]) -> dict[str, Any]:
    """Return the side from which on, at all larger ones, cuBLAS is faster by more than `WORTH`; None if it is not at the largest."""
    least = None
    for side in sorted(beside, reverse=True):
        if beside[side]["ours"] <= WORTH * beside[side]["cublas"]:
            break
        least = side
    return {"cross_over": least, "seconds": {str(side): dict(beside[side]) for side in sorted(beside)}}


# --- 5 opponents ------------------------------------------------------------------------------------------------------------

#: The order of turns: the strongest first.
TURNS = ("torch-graph", "jax-scan", "jax-scan-8", "jax-jit", "torch-eager", "torch-compile")

#: Seconds of one turn at most.
TURN = 40.0


def opponents(run: Run, until: float) -> None:
    """Time the same training steps in the hands of others."""
    _described(run)
    if run.dry and run.device == "cuda":
        run.left_out("opponents", "dry run: there is no card to run them on")
        return
    given = {"effort": asdict(run.effort), "device": run.device, "dry": run.dry}
    queues: dict[str, list[tuple[str, Hand]]] = {way: [] for way in TURNS}
    of: dict[int, str] = {}
    for name, network in NETWORKS.items():
        for way in ("torch-graph", "torch-eager", *(("torch-compile",) if network.compiled else ())):
            hand = run.hand(f"{name} {way}", "with_torch:timed", {"name": name, "way": way, **given}, "torch", _TORCH)
            queues[way].append((name, hand))
            of[id(hand)] = name
        ways = [way for way in TURNS if way.startswith("jax")]
        hand = run.hand(f"{name} jax", "with_jax:timed", {"name": name, "ways": ways, **given}, "jax", _JAX)
        of[id(hand)] = name
        for way in ways:
            queues[way].append((name, hand))
    # One after another as they will be timed, each process once.
    hands = list({id(hand): hand for way in TURNS for _, hand in queues[way]}.values())
    now = time.monotonic()
    prepare(hands, run.jobs, now + 0.6 * (until - now), lambda hand: run.into("networks", of[id(hand)], "opponents"))
    for hand in hands:
        run.told(hand)
    for way in TURNS:
        for name, hand in queues[way]:
            take = run.into("networks", name, "opponents")
            if hand.state == "ready":
                hand.turn(min(until, time.monotonic() + TURN), take)
                run.told(hand)
            found = run.results["networks"][name].get("opponents", {}).get(way, {})
            if "times" not in found:
                run.left_out(f"{name} {way}", found.get("error") or hand.reason or "it was not its turn")


#: Compilers of a process share the processors with those of the others.
_TORCH = {"TORCHINDUCTOR_COMPILE_THREADS": "4"}
_JAX = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}


# --- 6 machine code ---------------------------------------------------------------------------------------------------------


def machine_code(run: Run, until: float) -> None:
    """Read what the compilers of this machine make of the kernels, if there is time left: it needs no GPU."""
    if run.dry:
        run.left_out("machine code", "dry run: it is a check of its own")
        return
    where = run.results.get("environment", {})
    found = where.get("ladder", {}).get(where.get("rung"), {})
    architecture = f"sm_{found.get('capability', '9.0').replace('.', '')}"
    hands = [run.hand(f"machine code of {name}", "ours:machine_code", {"name": name, "architecture": architecture}) for name in NETWORKS]
    prepare(hands, run.jobs, until, lambda hand: run.into("machine_code", hand.given["name"]))
    for hand in hands:
        if not run.told(hand):
            run.left_out(hand.name, hand.reason)


#: Seconds that the first part gets of any budget: without it there is no other.
FIRST = 15.0

#: The parts in their order, with the share of the budget after which each is over.
PARTS: dict[str, tuple[Part, float]] = {
    "environment": (surroundings, 0.06),
    "correctness": (correctness, 0.24),
    "ceilings": (ceilings, 0.3),
    "ours": (ours, 0.6),
    "opponents": (opponents, 0.95),
    "machine_code": (machine_code, 0.98),
}


