"""What is kept of a run besides its results: tables with floors, ratios and goals, and the short table that is printed last.

python -m benchmarks.cuda.report FOLDER     # the table anew, from its results
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cpu.record import table
from symbackprop.command.bench import seconds

Results = Mapping[str, Any]

#: Lines of the table that is printed last, at most.
LINES = 40

#: Names of the peers in tables.
TOLD = {
    "torch-graph": "PyTorch, CUDA graph",
    "torch-eager": "PyTorch eager",
    "torch-compile": "torch.compile",
    "torch-best": "PyTorch at its best",
    "jax-scan": "JAX lax.scan",
    "jax-scan-8": "JAX lax.scan, 8 unrolled",
    "jax-jit": "JAX jit",
}

#: Ways of a peer of which the better one counts.
TOGETHER = {"torch-best": ("torch-graph", "torch-eager", "torch-compile"), "jax-scan": ("jax-scan", "jax-scan-8")}

#: How far the first three losses may be from the middle of all, relative, before a time is not one of the same work.
AGREE = 1e-3

#: How much slower than with relu an activation in the epilogue may be.
WITHIN = 1.2


@dataclass(frozen=True)
class Verdict:
    """A goal and what was measured.

    Attributes:
        network: its title.
        what: is asked for, in words.
        measured: the ratio or the seconds in words, or "not measured".
        reached: None if it was not measured.
    """

    network: str
    what: str
    measured: str
    reached: bool | None


@dataclass(frozen=True)
class Floor:
    """The least seconds of a training step: what takes them, and how they were counted."""

    seconds: float
    bound: str


def ceiling(results: Results, kind: str = "float32") -> tuple[float, float] | None:
    """Return the best measured rate of products and the rate of a copy, None without both."""
    found = results.get("ceilings", {}).get("products", {})
    rates = [entry["rate"] for name, entry in found.items() if name.split()[0] == kind and "rate" in entry]
    copy = found.get("copy", {}).get("rate")
    return (max(rates), copy) if rates and copy else None


def floor(results: Results, name: str) -> Floor | None:
    """Return the floor of a network's training step on the whole card."""
    rates = ceiling(results)
    if rates is None:
        return None
    network = results["networks"][name]
    arithmetic, memory = network["flops"] / rates[0], network["bytes"] / rates[1]
    return Floor(max(arithmetic, memory), "arithmetic" if arithmetic >= memory else "memory")


def lone(results: Results, name: str) -> float | None:
    """Return the seconds of a step on one multiprocessor, whose rate is its share of the card's."""
    rates, count = ceiling(results), _count(results)
    return results["networks"][name]["flops"] * count / rates[0] if rates and count else None


def _count(results: Results) -> int | None:
    environment = results.get("environment", {})
    found = environment.get("ladder", {}).get(environment.get("rung"), {}).get("multiprocessor_count")
    return int(found) if found else None


def suspects(network: Mapping[str, Any]) -> dict[str, str]:
    """Return who does not lose what the others lose in the first three steps, and by how much: their times do not count."""
    losses = {f"ours {name}": e["losses"] for name, e in network.get("ours", {}).items() if "losses" in e}
    losses |= {name: e["losses"] for name, e in network.get("opponents", {}).items() if "losses" in e}
    if not losses:
        return {}
    finite = [values for values in losses.values() if np.isfinite(values).all()]
    middle = np.median(np.array(finite, np.float64), axis=0) if finite else np.full(3, np.nan)
    found = {}
    for name, values in losses.items():
        off = float(np.max(np.abs(np.asarray(values, np.float64) - middle) / np.maximum(np.abs(middle), 1e-30)))
        if not off <= AGREE:
            found[name] = f"its first losses are off by {off:.1e}"
    return found


def times(network: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return all times that count by name: peers by theirs, ours as "ours SCHEDULE WAY"."""
    wrong = suspects(network)
    found = {}
    for schedule, entry in network.get("ours", {}).items():
        for way, value in entry.items():
            if isinstance(value, Mapping) and "times" in value and f"ours {schedule}" not in wrong:
                found[f"ours {schedule} {way}"] = value["times"]
    for name, entry in network.get("opponents", {}).items():
        if "times" in entry and name not in wrong:
            found[name] = entry["times"]
    return found


def best(network: Mapping[str, Any], who: str) -> tuple[str, dict[str, Any]] | None:
    """Return the fastest of a peer's ways, or with "ours" of our own, and its times."""
    ways = TOGETHER.get(who, (who,))
    able = {name: t for name, t in times(network).items() if name in ways or (who == "ours" and name.startswith("ours "))}
    return min(able.items(), key=lambda item: float(item[1]["median"])) if able else None


def verdicts(results: Results) -> Iterator[Verdict]:
    """Yield every goal with what became of it; a dry run measures nothing."""
    if results.get("dry"):
        return
    for network in results.get("networks", {}).values():
        mine = best(network, "ours")
        for goal in network["goals"]:
            peer, value = goal["peer"], goal["value"]
            if not peer:
                what, got = f"at most {seconds(value)} a step", mine
                words = seconds(mine[1]["median"]) if mine else "not measured"
                yield Verdict(network["title"], what, words, None if got is None else mine is not None and mine[1]["median"] <= value)
                continue
            theirs, what = best(network, peer), f"{TOLD[peer]}: {value:g}×"
            if mine is None or theirs is None:
                yield Verdict(network["title"], what, "not measured", None)
            else:
                ratio = theirs[1]["median"] / mine[1]["median"]
                yield Verdict(network["title"], what, f"{ratio:.2f}×", ratio >= value)
    yield from _activations(results)


def _activations(results: Results) -> Iterator[Verdict]:
    for what, found in results.get("activations", {}).items():
        relu = found.get("relu", {}).get("times", {}).get("median") if isinstance(found, Mapping) else None
        for name, entry in found.items() if relu else ():
            if name != "relu" and "times" in entry:
                ratio = entry["times"]["median"] / relu
                yield Verdict(f"activation {name}, {what}", f"at most {WITHIN:g} of the time with relu", f"{ratio:.2f}", ratio <= WITHIN)


def _spread(entry: Mapping[str, Any]) -> str:
    return f"{seconds(entry['median'])} ({seconds(entry['p10'])}–{seconds(entry['p90'])})"


def _rate(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    return f"{value / 1e12:.3g} T{unit}" if value >= 1e12 else f"{value / 1e9:.3g} G{unit}"


def head(results: Results) -> list[str]:
    """Return where and with what it was measured, as lines."""
    environment = results.get("environment", {})
    card, versions = environment.get("card", {}), environment.get("versions", {})
    lines = []
    if results.get("dry"):
        lines.append("A dry run: tiny networks on an emulated GPU. It proves that the run goes through; its times mean nothing.")
    clocks = f"clocks {card.get('clocks.sm', '–')} and {card.get('clocks.mem', '–')} at the start, as found" if card else ""
    machine = [card.get("name", "no GPU"), f"driver {card['driver_version']}" if card else "", clocks]
    lines.append(", ".join(word for word in machine if word) + f"; {environment.get('date', '')}, commit {environment.get('commit', '')}")
    lines.append(", ".join(f"{name} {version}" for name, version in versions.items() if version != "absent"))
    rung = environment.get("rung")
    found = environment.get("ladder", {}).get(rung, {})
    ptx = f", PTX {found['ptx']}" if "ptx" in found else ""
    failed = "; ".join(f"{name}: {entry['error']}" for name, entry in environment.get("ladder", {}).items() if "error" in entry)
    lines.append(f"kernels run on {rung or 'nothing'}{ptx}" + (f" ({failed})" if failed else ""))
    return lines


def judged(results: Results) -> tuple[int, list[str]]:
    """Return how many checks passed, and the others in words."""
    passed, wrong = 0, []
    for name, found in results.get("correctness", {}).items():
        for what, entry in found.items():
            if what == "seed":
                continue
            if isinstance(entry, Mapping) and entry.get("passed"):
                passed += 1
            else:
                words = entry if isinstance(entry, str) else entry.get("error") or entry.get("summary") or f"off by {entry.get('worst')}"
                wrong.append(f"{name}: {what}: {words}")
    return passed, wrong


def _ceilings(results: Results) -> list[str]:
    found = results.get("ceilings", {})
    rates = ceiling(results)
    lines = []
    if rates:
        kinds = ", ".join(f"{kind} {_rate(c[0], 'FLOP/s')}" for kind in ("float32", "tf32", "bf16") if (c := ceiling(results, kind)))
        lines.append(f"ceilings: copy {_rate(rates[1], 'B/s')}; cuBLAS at its best: {kinds}")
    small = {**found.get("launches", {}), **found.get("graphs", {})}
    words = [f"{name} {seconds(entry['median'])}" for name, entry in small.items() if "median" in entry]
    if words:
        lines.append("; ".join(words))
    return lines


def _networks(results: Results) -> str:
    peers = ("torch-graph", "jax-scan", "jax-jit", "torch-eager", "torch-compile")
    rows = []
    for name, network in results.get("networks", {}).items():
        mine, least = best(network, "ours"), floor(results, name)
        shown = [mine[0].removeprefix("ours ") if mine else "–", seconds(mine[1]["median"] if mine else None)]
        shown.append(f"{seconds(least.seconds)} ({least.bound})" if least else "–")
        for peer in peers:
            theirs = best(network, peer)
            ratio = f" ({theirs[1]['median'] / mine[1]['median']:.2f}×)" if theirs and mine else ""
            shown.append(f"{seconds(theirs[1]['median'])}{ratio}" if theirs else "–")
        rows.append((network["title"], *shown))
    return table(("training step", "our best way", "ours", "floor", *(TOLD[p].replace("PyTorch, ", "") for p in peers)), rows)


def printed(results: Results) -> str:
    """Return the table that is printed last."""
    lines = head(results)[:1] if results.get("dry") else []
    lines += _ceilings(results)
    passed, wrong = judged(results)
    if passed or wrong:
        lines.append(f"correctness: {passed} checks passed, {len(wrong)} did not" + (f", first: {wrong[0]}" if wrong else ""))
    if results.get("networks"):
        lines += _networks(results).splitlines()
    goals = list(verdicts(results))
    for goal in (g for g in goals if g.reached is not None):
        lines.append(f"{'reached' if goal.reached else 'MISSED '}  {goal.network}: {goal.what}: {goal.measured}")
    unknown = sum(g.reached is None for g in goals)
    if unknown:
        lines.append(f"{unknown} goals were not measured")
    states = ", ".join(f"{name} {entry['state']} ({entry.get('seconds', 0)} s)" for name, entry in results.get("parts", {}).items())
    last = [f"parts: {states}", f"left out: {len(results.get('left_out', []))}; all of it stands in report.md"]
    if len(lines) + len(last) > LINES:
        cut = len(lines) + len(last) + 1 - LINES
        lines = [*lines[: LINES - len(last) - 1], f"… {cut} more lines in report.md"]
    return "\n".join([*lines, *last]) + "\n"


def report(results: Results) -> str:
    """Return the whole record in Markdown."""
    rows: list[tuple[str, ...]]
    parts = ["# Training steps on a GPU beside those of the peers\n", *(f"- {line}" for line in head(results)), ""]
    parts += [*_ceilings(results), ""]
    parts.append(
        "Times are seconds of one training step (forward, backward, momentum) on data that lie on the device: medians of blocks, with\n"
        "10 % and 90 % quantiles. Ratio: the peer's time over ours. Floor: the larger of operations over the best float32 rate of cuBLAS\n"
        "and bytes over the rate of a copy, both of this run. Goals were stated before anything was measured.\n"
    )
    if results.get("networks"):
        parts += ["## Networks\n", _networks(results)]
    for name, network in results.get("networks", {}).items():
        parts += _details(results, name, network)
    goals = list(verdicts(results))
    if goals:
        said = {True: "reached", False: "missed", None: ""}
        rows = [(g.network, g.what, g.measured, said[g.reached]) for g in goals]
        parts += ["## Goals\n", table(("goal", "asked for", "measured", ""), rows)]
    if results.get("products"):
        theirs = results.get("ceilings", {}).get("products", {})
        rows = []
        for side, entry in results["products"].items():
            if "times" in entry:
                other = theirs.get(f"float32 {side}", {}).get("median")
                share = f"{other / entry['times']['median']:.0%}" if other else "–"
                rows.append((f"{side} × {side}", _spread(entry["times"]), seconds(other), share))
        if rows:
            parts += ["## Products of square matrices\n", table(("float32", "ours", "cuBLAS", "share"), rows)]
    if results.get("machine_code"):
        head_ = ("kernel", "registers", "shared bytes", "spills", "multiply-adds in the innermost loop", "float64")
        rows = []
        for name, kernels in results["machine_code"].items():
            for kernel, c in kernels.items():
                share = f"{c['share']:.0%}" if c["loop"] else "–"
                rows.append((f"{name} {kernel}", *(str(c[k]) for k in ("registers", "shared", "spills")), share, str(c["float64"])))
        parts += ["## Machine code\n", table(head_, rows)]
    passed, wrong = judged(results)
    parts += ["## Correctness\n", f"{passed} checks passed, {len(wrong)} did not.\n", *(f"- {line}" for line in wrong), ""]
    parts += ["## Parts\n", *(_part(name, entry) for name, entry in results.get("parts", {}).items()), ""]
    if results.get("left_out"):
        parts += ["## Left out\n", *(f"- {entry['what']}: {entry['why']}" for entry in results["left_out"]), ""]
    return "\n".join(parts)


def _details(results: Results, name: str, network: Mapping[str, Any]) -> Iterator[str]:
    """Yield all that is known about a network, if anything is."""
    rows = [(way, _spread(t), str(t["blocks"]), str(t["runs"])) for way, t in times(network).items()]
    if not rows:
        return
    alone = lone(results, name)
    yield f"{network['title']}" + (f"; floor of one multiprocessor {seconds(alone)}" if alone else "") + ":\n"
    yield table(("way", "a step", "blocks", "steps in each"), rows)
    firsts = [f"{who} {seconds(e['first'])}" for who, e in _everybody(network) if "first" in e]
    yield f"First step, compilation included: {', '.join(firsts)}.\n"
    for schedule, entry in network.get("ours", {}).items():
        if "captured" in entry.get("graph", {}):
            yield f"{schedule.capitalize()} launches: {entry['graph']['captured']}.\n"
    memory = [f"{who} {e['memory'] / 2**20:.0f} MiB" for who, e in _everybody(network) if e.get("memory")]
    if memory:
        yield f"Memory of the device, ours without what the runtime keeps, the others at most: {', '.join(memory)}.\n"
    doubtful = [f"- {who} does not count: {why}" for who, why in suspects(network).items()]
    if doubtful:
        yield "\n".join(doubtful) + "\n"


def _part(name: str, entry: Mapping[str, Any]) -> str:
    took = f", {entry['seconds']} s" if "seconds" in entry else ""
    return f"- {name}: {entry['state']}{took}" + (f": {entry['reason']}" if "reason" in entry else "")


def _everybody(network: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for schedule, entry in network.get("ours", {}).items():
        yield f"ours {schedule}", entry
    yield from network.get("opponents", {}).items()


def write(results: Results, folder: Path) -> None:
    """Write the report of a run beside its results."""
    (folder / "report.md").write_text(report(results), encoding="utf-8")


def main() -> None:
    """Write the report of a record anew."""
    from benchmarks.cuda.parts import RESULTS

    parser = argparse.ArgumentParser(prog="python -m benchmarks.cuda.report", description="The report of a record, anew.")
    parser.add_argument("folder", type=Path, help="of the record")
    folder = parser.parse_args().folder
    results = json.loads((folder / RESULTS).read_text(encoding="utf-8"))
    write(results, folder)
    print(printed(results), end="")


if __name__ == "__main__":
    main()
