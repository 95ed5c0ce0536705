"""What is kept of a run: the results, tables, pictures, the log; and the summary in the README.

    python -m benchmarks.cpu.record [FOLDER]             # tables and pictures anew, from results.json
    python -m benchmarks.cpu.record [FOLDER] --readme    # and the summary of the README from it

FOLDER is by default the newest of ``benchmarks/records``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.cpu.peers import OURS, PEERS, PLAIN
from benchmarks.cpu.workloads import WORKLOADS
from symbackprop.command.bench import seconds
from symbackprop.command.ceilings import Ceilings

ROOT = Path(__file__).parents[2]
RECORDS = ROOT / "benchmarks" / "records"

#: The part of the README that a record writes.
BEGIN, END = "<!-- cpu record {}: begin -->", "<!-- cpu record: end -->"

_Results = Mapping[str, Any]


@dataclass(frozen=True)
class Row:
    """A workload with some threads, seconds and ratios.

    Attributes:
        name: of the workload.
        title: of it.
        threads: how many.
        ours: 10 % quantile of the bound call.
        checked: of the checked call, None where there is none.
        best: the peer with the smallest 10 % quantile.
        theirs: its 10 % quantile.
        ratio: best peer / ours, 10 % quantiles.
        median: the same of the medians.
        floor: seconds that the machine takes at least.
        bound: what the floor is: arithmetic, memory or the call.
        accuracy: error of our float32 gradient over that of plain loops, None where it was not compared.
        least: the ratio to reach, or None.
        aim: the ratio aimed at, or None.
    """

    name: str
    title: str
    threads: int
    ours: float
    checked: float | None
    best: str
    theirs: float
    ratio: float
    median: float
    floor: float
    bound: str
    accuracy: float | None
    least: float | None
    aim: float | None


def _ordered(results: _Results) -> list[tuple[str, Any]]:
    """Return the workloads in the order in which they are declared, whatever the order of the file."""
    order = {name: k for k, name in enumerate(WORKLOADS)}
    return sorted(results["workloads"].items(), key=lambda item: order.get(item[0], len(order)))


def rows(results: _Results) -> Iterator[Row]:
    """Yield the rows of a record, in the order of the workloads: those where ours and a peer have times."""
    for name, workload in _ordered(results):
        for threads, peers in workload["threads"].items():
            times = {peer: entry["times"] for peer, entry in peers.items() if "times" in entry and "error" not in entry}
            others = [peer for peer in times if peer not in (OURS, PLAIN)]
            if OURS not in times or not others:
                continue
            best = min(others, key=lambda peer: times[peer]["p10"])
            usual = min(times[peer]["median"] for peer in others)
            ours, found = times[OURS], peers[OURS]
            floor, bound = floor_of(workload, results["ceilings"][threads])
            yield Row(
                name=name,
                title=workload["title"],
                threads=int(threads),
                ours=ours["p10"],
                checked=found.get("times_checked", {}).get("p10"),
                best=best,
                theirs=times[best]["p10"],
                ratio=times[best]["p10"] / ours["p10"],
                median=usual / ours["median"],
                floor=floor,
                bound=bound,
                accuracy=found.get("accuracy"),
                least=workload["least"],
                aim=workload["aim"],
            )


def floor_of(workload: Mapping[str, Any], ceiling: Mapping[str, Any]) -> tuple[float, str]:
    """Return the seconds that a workload takes at least, and what it is that takes them."""
    found = Ceilings(
        0, ceiling["peak"], {int(size): rate for size, rate in ceiling["bandwidth"].items()}, ceiling["call"], ceiling["lanes"]
    )
    return found.floor(workload["flops"], workload["bytes"])


def _ratio(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.0f}×" if value >= 99.5 else f"{value:.1f}×" if value >= 9.95 else f"{value:.2f}×"


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown; its first column is words, the others are numbers."""
    ruled = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, ruled, *lines)) + "\n"


def verdict(row: Row) -> str:
    """Return how a ratio stands to what is stated for it."""
    if row.least is None:
        return ""
    if row.ratio < row.least:
        return f"{row.least:g}× missed"
    return f"{row.aim:g}× reached" if row.aim is not None and row.ratio >= row.aim else f"{row.least:g}× reached"


def ratios(results: _Results, threads: int) -> str:
    """Return the table of a number of threads: ours, the best peer, the floor."""
    head = ("workload", "ours", "checked call", "best peer", "its time", "ratio", "of medians", "stated", "floor", "share", "error / plain")
    lines = []
    for row in rows(results):
        if row.threads == threads:
            share, error = f"{row.floor / row.ours:.0%} ({row.bound})", "–" if row.accuracy is None else f"{row.accuracy:.2f}"
            times = (seconds(row.ours), seconds(row.checked), PEERS[row.best].told, seconds(row.theirs))
            lines.append((row.title, *times, _ratio(row.ratio), _ratio(row.median), verdict(row), seconds(row.floor), share, error))
    return table(head, lines)


def peers(results: _Results, threads: int) -> str:
    """Return the 10 % quantiles of all peers."""
    there = [name for name in PEERS if name in results["environment"]["versions"]]
    lines = []
    for _, workload in _ordered(results):
        entries = workload["threads"].get(str(threads), {})
        lines.append((workload["title"], *(seconds(entries.get(name, {}).get("times", {}).get("p10")) for name in there)))
    return table(("workload", *(PEERS[name].told for name in there)), lines)


def first_gradients(results: _Results) -> str:
    """Return the table of fresh processes, or nothing if they were not measured."""
    lines = [
        (
            f"{entry['title']}: {PEERS[peer].told}",
            seconds(found["cold"]),
            seconds(found["cached"]),
            f"{found['cold_mib']:.0f}",
            f"{found['cached_mib']:.0f}",
        )
        for entry in results.get("first", {}).values()
        for peer, found in entry["peers"].items()
    ]
    return table(("time to first gradient", "cold", "cached", "MiB cold", "MiB cached"), lines) if lines else ""


def derivations(results: _Results) -> str:
    """Return the table of derivation times, or nothing if they were not measured."""
    found = results.get("derivation", [])
    lines = [(f"{d['depth']} layers of {d['width']} units", seconds(d["derive"]), seconds(d["plan"])) for d in found]
    return table(("network", "derive", "plan"), lines) if lines else ""


def surroundings(results: _Results) -> str:
    """Return the machine, the versions and the choices of the BLAS, as a list in Markdown."""
    environment = results["environment"]
    # Where a peer has another version than ours, it has a line of its own.
    versions = {package: version for found in reversed(environment["versions"].values()) for package, version in found.items()}
    separate = sorted(name for name, found in environment["versions"].items() if any(versions[k] != v for k, v in found.items()))
    lines = [f"{environment['processor']}, {environment['processors']} processors; {environment['system']}; {environment['date']}"]
    if environment.get("commit"):
        lines.append(f"source at commit {environment['commit']}")
    lines.append(", ".join(f"{package} {version}" for package, version in sorted(versions.items())))
    lines += [f"{PEERS[name].told} with " + ", ".join(f"{k} {v}" for k, v in environment["versions"][name].items()) for name in separate]
    chosen = {words: None for found in environment["blas"].values() for words in (f"{who}: {core}" for who, core in found.items())}
    lines.append("products of matrices: " + "; ".join(chosen))
    for threads, ceiling in results["ceilings"].items():
        widest = ceiling["bandwidth"][str(max(map(int, ceiling["bandwidth"])))]
        rates = f"{ceiling['peak'] / 1e9:.0f} GFLOP/s in float32, {widest / 1e9:.0f} GB/s from memory"
        what = f"{rates}, {seconds(ceiling['call'])} for an empty compiled call"
        lines.append(f"ceilings with {threads} thread{'s' * (threads != '1')}: {what}")
    lines += [f"left out: {PEERS[name].told} ({reason})" for name, reason in results["missing"].items()]
    return "\n".join(f"- {line}" for line in lines) + "\n"


def report(results: _Results) -> str:
    """Return the whole record in Markdown."""
    threads = sorted(map(int, results["ceilings"]), reverse=True)
    parts = ["# Gradients on a processor beside those of the peers\n", surroundings(results)]
    parts.append(
        "Ratio: the time of the best peer over ours, both 10 % quantiles; beside it that of the medians. Floor: the largest of\n"
        "operations over peak, bytes over the bandwidth for so many bytes, and an empty call; share: floor over ours.\n"
        "Error: that of our float32 gradient against float64, over the same of plain loops.\n"
    )
    for count in threads:
        words = f"{count} thread{'s' * (count > 1)}"
        parts += [f"## {words.capitalize()}\n", ratios(results, count), f"10 % quantiles of everybody, {words}:\n", peers(results, count)]
    for name, made in (("First gradient of a fresh process", first_gradients(results)), ("Derivation", derivations(results))):
        if made:
            parts += [f"## {name}\n", made]
    return "\n".join(parts)


def summary(results: _Results) -> str:
    """Return what the README shows: ratios for all processors and for one, and the machine."""
    environment, most = results["environment"], max(map(int, results["ceilings"]))
    found = {(row.name, row.threads): row for row in rows(results)}
    head = (
        "workload",
        "ours",
        "best peer",
        "its time",
        f"ratio, {most} threads",
        "of medians",
        "ratio, 1 thread",
        "share of the floor",
        "stated",
    )
    lines = []
    for (_, threads), row in found.items():
        if threads == most:
            alone = found.get((row.name, 1))
            words = (seconds(row.ours), PEERS[row.best].told, seconds(row.theirs), _ratio(row.ratio), _ratio(row.median))
            lines.append((row.title, *words, _ratio(alone.ratio if alone else None), f"{row.floor / row.ours:.0%}", verdict(row)))
    machine = f"{environment['processor']}, {environment['processors']} processors, {environment['date']}"
    return f"{machine}; value and gradient in float32, time of the best peer over ours, 10 % quantiles:\n\n{table(head, lines)}"


def newest() -> Path:
    """Return the newest record.

    Raises:
        SystemExit: there is none.
    """
    found = sorted(path.parent for path in RECORDS.glob("*/results.json"))
    if not found:
        raise SystemExit("there is no record yet: python -m benchmarks.cpu --record")
    return found[-1]


def readme(text: str, folder: Path) -> str:
    """Return a README with the summary of a record in its place.

    Raises:
        SystemExit: the README has no place for it.
    """
    mark, end = BEGIN.partition("{}")[0], text.find(END)
    start = text.find(mark)
    if not 0 <= start < end:
        raise SystemExit(f"the README has no lines {BEGIN.format('NAME')} and {END}")
    made = summary(json.loads((folder / "results.json").read_text(encoding="utf-8")))
    return f"{text[:start]}{BEGIN.format(folder.name)}\n{made}{text[end:]}"


def recorded(text: str) -> Path:
    """Return the record that a README shows."""
    return RECORDS / text.partition(BEGIN.partition("{}")[0])[2].partition(":")[0]


def write(results: _Results, folder: Path, log: Sequence[str] = ()) -> None:
    """Write a record: results, report, log and pictures."""
    from benchmarks.cpu.pictures import draw

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "report.md").write_text(report(results), encoding="utf-8")
    if log:
        (folder / "log.txt").write_text("\n".join(log) + "\n", encoding="utf-8")
    draw(list(rows(results)), folder)


def main() -> None:
    """Write tables and pictures anew."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cpu.record", description="Tables and pictures of a record.")
    parser.add_argument("folder", nargs="?", type=Path, help="of the record [default: the newest]")
    parser.add_argument("--readme", action="store_true", help="write its summary into the README")
    given = parser.parse_args()
    folder = (given.folder or newest()).resolve()
    write(json.loads((folder / "results.json").read_text(encoding="utf-8")), folder)
    if given.readme:
        path = ROOT / "README.md"
        path.write_text(readme(path.read_text(encoding="utf-8"), folder), encoding="utf-8")


if __name__ == "__main__":
    main()
