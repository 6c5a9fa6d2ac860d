"""An index at rest is damaged, then searched: nothing damaged is served, and all of it comes back.

    python -m benchmarks.damage [--times 100] [--source DIRECTORY] [--seed 1]

Each time a sound index is copied, one of its files is damaged (benchmarks/harms.py), every second time without the
notes of what its files were (digests.txt), and a process of its own opens it as a server does, searches in every mode,
waits for the indexer and searches again. Held to:

* every hit of every answer is what its file says at these lines,
* an answer that is not the sound index's is said to be stale, being indexed, or incomplete,
* in the end every answer is the sound index's again, with all vectors,
* no process crashes or hangs, and no chunk is embedded again: vectors come from the table or the cache.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.harms import HARMS, Harm
from benchmarks.kept import Kept
from benchmarks.searching import REQUESTS, Asked
from benchmarks.trees import PROJECT, plant
from embedding.open import CACHE_FILE
from mcp_server.home import index_directory
from mcp_server.settings import Settings, load

PATIENCE_S = 240.0  # a search and a rebuild of some hundred files, on a machine that does much else
MOST_FILES = 90


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything of one run lies."""

    scratch: Path

    @property
    def root(self) -> Path:
        return self.scratch / "root"

    @property
    def sound(self) -> Path:
        """The copy of the index that is never damaged."""
        return self.scratch / "sound"

    @property
    def cache(self) -> Path:
        return self.scratch / "cache" / "codeloupe" / CACHE_FILE

    @property
    def settings(self) -> Settings:
        """As a user's server has them, in this place."""
        overrides = [f"storage.directory={self.scratch / 'indexes'}", "search.first_answer_wait_s=2"]
        return load(self.root, overrides, {}).settings

    @property
    def index(self) -> Path:
        return index_directory(self.settings, self.root)


@dataclass
class Outcome:
    """What one damage came to; ``faults`` is empty where all promises were kept."""

    harm: str
    file: str
    first: str = ""  # how the first answers spoke of themselves
    faults: list[str] = field(default_factory=list)


def in_process(place: Place) -> dict[str, Any]:
    """Search in a process of its own; what it printed, or how it ended."""
    environment = os.environ | {"XDG_CACHE_HOME": str(place.scratch / "cache")}
    command = [sys.executable, "-P", "-m", "benchmarks.searching", str(place.root), str(place.scratch / "indexes")]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE_S, env=environment, cwd=PROJECT, check=False
        )
    except subprocess.TimeoutExpired:
        return {"ended": f"nothing was heard for {PATIENCE_S:.0f} s"}
    if done.returncode:
        return {"ended": f"the process ended with {done.returncode}: {done.stderr[-600:]}"}
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def prepare(place: Place, source: Path, most_files: int) -> dict[str, Any]:
    """Index the root in several runs, so that there is more than one commit of everything; the sound answers."""
    plant(source, place.root, most_files)
    in_process(place)
    files = sorted(path for path in place.root.rglob("*") if path.is_file())
    for path in files[::7]:
        path.write_text(path.read_text("utf-8") + "\n\n# the last line\n", "utf-8")
    in_process(place)
    for path in files[3:12:3]:
        path.unlink()
    sound = in_process(place)
    assert "ended" not in sound, sound["ended"]
    assert sound["last"]["state"] == "current", sound["last"]["notes"]
    shutil.copytree(place.index, place.sound)
    return sound


def damage(place: Place, harm: Harm, random: Random, noted: bool) -> str:
    """A sound index, damaged; which file it was."""
    shutil.rmtree(place.index)
    shutil.copytree(place.sound, place.index)
    if harm.kind == "pending.json":
        (place.index / "pending.json").write_text('{"paths": ["a.py", "b.py"]}', "utf-8")
    file = harm.do(place.index, random)
    if not noted:
        (place.index / "digests.txt").unlink(missing_ok=True)
    return file


def judged(place: Place, told: dict[str, Any], sound: dict[str, Any]) -> list[str]:
    """Every promise that was not kept."""
    if "ended" in told:
        return [told["ended"]]
    first, last, wanted = told["first"], told["last"], sound["last"]
    faults = [f"not what the file says: {hit}" for asked in (first, last) for hit in _wrong(place.root, asked)]
    if first["state"] == "current" and not first["notes"]:
        faults += [f"{mode} was another at first, unsaid" for mode in REQUESTS if not _same(mode, first, wanted)]
    faults += [f"{mode} has not come back" for mode in REQUESTS if not _same(mode, last, wanted)]
    if last["state"] != "current" or last["vectors"] != wanted["vectors"]:
        faults.append(f"in the end {last['state']}, vectors {last['vectors']}: {last['notes']}")
    return faults


def _same(mode: str, last: Asked, wanted: Asked) -> bool:
    """Whether the answers of one mode are the same hits; in which order equal ones come, files' ages decide."""
    return sorted(map(str, last["answers"].get(mode, ()))) == sorted(map(str, wanted["answers"][mode]))


def _wrong(root: Path, asked: Asked) -> Iterator[str]:
    for hits in asked["answers"].values():
        for path, start, end, text in hits:
            lines = (root / path).read_text("utf-8").split("\n") if (root / path).exists() else []
            if "\n".join(lines[start - 1 : end]).strip() != text.strip():
                yield f"{path}:{start}-{end}"


def trial(place: Place, harm: Harm, random: Random, sound: dict[str, Any], kept: Kept, *, noted: bool) -> Outcome:
    """One damage and what came of it."""
    before = kept.times()[0]
    file = damage(place, harm, random, noted)
    told = in_process(place)
    faults = judged(place, told, sound)
    if again := kept.times()[0] - before:
        faults.append(f"{again} chunks were embedded again")
    first = told.get("first", {"state": "", "notes": []})
    return Outcome(
        f"{harm}{'' if noted else ', notes lost'}", file, "; ".join([first["state"], *first["notes"]]), faults
    )


def trials(place: Place, times: int, seed: int, source: Path, most_files: int = MOST_FILES) -> Iterator[Outcome]:
    """So many damages, each kind of file and each deed in turn."""
    kept = Kept(place.cache)
    sound = prepare(place, source, most_files)
    random = Random(seed)
    harms = list(HARMS)
    random.shuffle(harms)
    for number in range(times):
        noted = (number + number // len(harms)) % 2 == 0
        yield trial(place, harms[number % len(harms)], random, sound, kept, noted=noted)


def main(arguments: Sequence[str]) -> int:
    """Print each damage, then the sum; 1 where a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--source", type=Path, default=PROJECT)
    asked = parser.parse_args(arguments)
    said, broken = Counter[str](), 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        for number, outcome in enumerate(trials(Place(Path(scratch)), asked.times, asked.seed, asked.source), 1):
            broken += bool(outcome.faults)
            said[outcome.first.split(";")[0]] += 1
            print(f"{number:3} {outcome.harm:38} {outcome.file:60.60} {outcome.first[:80]}", flush=True)
            for fault in outcome.faults:
                print(f"    FAULT {fault}", flush=True)
    states = ", ".join(f"{count} {state or 'none'}" for state, count in said.most_common())
    print(f"{asked.times} damages, {broken} with a broken promise; the first answer's state: {states}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
