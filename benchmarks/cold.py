"""A search where nothing is indexed yet, and the same once more: whole processes beside a peer's, in turn.

    python -m benchmarks.cold [DIRECTORY ...] [--questions DIR --repositories DIR] [--semble HOME] [--times 3]

Each first search finds homes of its own with nothing in them but the model's file. Wall clock is what a user waits
for the answer; processor time is the command's, and in brackets that of what goes on behind the answer, which is
waited for before the second search. On Linux alone is that known: orphans of a command come to this process.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import platformdirs

PR_SET_CHILD_SUBREAPER = 36  # Linux's prctl: whoever loses a parent below us becomes our child
OWN = Path(sys.executable).with_name("codeloupe")


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds of one command: by the clock, of processors, and of what it left working behind its answer."""

    wall: float
    cpu: float
    behind_wall: float = 0.0
    behind_cpu: float = 0.0


@dataclass(frozen=True, slots=True)
class Program:
    """A command that searches; ``{root}`` and ``{query}`` stand for what is asked, and where."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str]


def own() -> Program:
    """codeloupe as installed here, its model where the user has it."""
    models = Path(platformdirs.user_data_dir("codeloupe", appauthor=False)) / "models"
    command = (str(OWN), "search", "--root", "{root}", "--", "{query}")
    return Program("codeloupe", command, {"CODELOUPE_MODEL_DIRECTORY": str(models)})


def semble(home: Path) -> Program:
    """semble with the static model that lies in HOME/model; ten hits and ten lines of each, as codeloupe may show."""
    limits = ("--top-k", "10", "--max-snippet-lines", "10")
    command = (str(home / "bin" / "semble"), "search", "{query}", "{root}", *limits)
    return Program("semble", command, {"SEMBLE_MODEL_NAME": str(home / "model"), "HF_HUB_OFFLINE": "1"})


def twice(program: Program, root: Path, query: str) -> tuple[Took, Took]:
    """The first search of a fresh directory, and the second."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        homes = {f"XDG_{kind}_HOME": f"{scratch}/{kind}" for kind in ("DATA", "CACHE", "CONFIG", "STATE")}
        command = [part.format(root=root, query=query) for part in program.command]
        environment = os.environ | homes | program.environment
        return run(command, environment), run(command, environment)


def run(command: Sequence[str], environment: dict[str, str]) -> Took:
    """Run a command to its end, and on to the end of what it left behind."""
    began = time.perf_counter()
    child = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert child.stdout is not None
    printed = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - began
    if os.waitstatus_to_exitcode(status) or not printed.strip():
        raise SystemExit(f"{' '.join(command)} ended with {os.waitstatus_to_exitcode(status)} and {printed[:200]!r}")
    child.returncode = 0  # it has been waited for
    behind = 0.0
    with suppress(ChildProcessError):  # until there is no other child
        while True:
            orphan = os.wait4(-1, 0)[2]
            behind += orphan.ru_utime + orphan.ru_stime
    behind_wall = time.perf_counter() - began - wall if behind else 0.0
    return Took(wall, usage.ru_utime + usage.ru_stime, behind_wall, behind)


def adopt_orphans() -> None:
    """Let what a command leaves behind be ours to wait for."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def asked(arguments: argparse.Namespace) -> list[tuple[Path, str]]:
    """Directories and what is asked of each: the first question of the set, or the same of all."""
    named = [(root, "where are errors handled") for root in arguments.directories]
    if not arguments.questions:
        return named
    for row in json.loads((arguments.questions / "repos.json").read_text(encoding="utf-8")):
        root = arguments.repositories / row["name"]
        root = root / (row.get("benchmark_root") or "") if not arguments.whole else root
        text = (arguments.questions / "annotations" / f"{row['name']}.json").read_text(encoding="utf-8")
        named.append((root, json.loads(text)[0]["query"]))
    return named


def best(rounds: Sequence[Took]) -> Took:
    """The round that other work on the machine disturbed least."""
    return min(rounds, key=lambda took: took.wall)


def cells(first: Took, second: Took) -> str:
    """A program's part of a line."""
    behind = f"({first.behind_cpu:5.2f})" if first.behind_cpu else 7 * " "
    return f"{first.wall:6.2f} {first.cpu:6.2f} {behind} {second.wall:6.2f} {second.cpu:6.2f}"


def main() -> int:
    arguments = _arguments()
    adopt_orphans()
    programs = [own(), *([semble(arguments.semble)] if arguments.semble else [])]
    columns = " ".join(f"| {program.name:>6.6} first, processor   second    cpu" for program in programs)
    print(f"{'':24} {columns}")
    figures: list[list[tuple[Took, Took]]] = [[] for _ in programs]
    for root, query in asked(arguments):
        rounds = [[twice(program, root, query) for program in programs] for _ in range(arguments.times)]
        for place, row in enumerate(figures):
            row.append((best([took[place][0] for took in rounds]), best([took[place][1] for took in rounds])))
        line = " | ".join(cells(*row[-1]) for row in figures)
        print(f"{_label(root):24} | {line}", flush=True)
    medians = [tuple(_median([took[step] for took in row]) for step in (0, 1)) for row in figures]
    print(f"{'median':24} | " + " | ".join(cells(first, second) for first, second in medians))
    if len(figures) > 1:
        report_ratios(figures)
    return 0


def report_ratios(figures: Sequence[Sequence[tuple[Took, Took]]]) -> None:
    """codeloupe's time through the peer's, pair by pair; below 1 it is the quicker."""
    for step, what in enumerate(("first", "second")):
        pairs = [(one[step], other[step]) for one, other in zip(*figures, strict=True)]
        wall = statistics.median(one.wall / other.wall for one, other in pairs)
        cpu = statistics.median(one.cpu / other.cpu for one, other in pairs)
        sooner = sum(one.wall <= other.wall for one, other in pairs)
        print(f"{what} search, codeloupe / peer, median of ratios: {wall:.2f} by the clock, {cpu:.2f} of processor; "
              f"sooner in {sooner} of {len(pairs)}")  # fmt: skip


def _median(several: Sequence[Took]) -> Took:
    return Took(*(statistics.median(getattr(took, name) for took in several) for name in Took.__slots__))


def _label(root: Path) -> str:
    return "/".join(root.parts[-2:])[-24:]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directories", nargs="*", type=Path)
    parser.add_argument("--questions", type=Path, help="where repos.json and annotations/ lie")
    parser.add_argument("--repositories", type=Path, help="a checkout for each of its repositories")
    parser.add_argument("--whole", action="store_true", help="whole checkouts, not the directory asked about")
    parser.add_argument("--semble", type=Path, help="where semble is installed, its model in HOME/model")
    parser.add_argument("--times", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
