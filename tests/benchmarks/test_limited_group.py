"""The gauge in a real control group with a limit, where one can be made."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from benchmarks.limited_group import LimitedGroup, NoGroupError, limited_group

ROOT = Path(__file__).resolve().parents[2]
MIB = 1 << 20
LIMIT = 256 * MIB
FILE_BYTES = 96 * MIB
# Takes lines: "private N" and "map" change what it holds; each is answered with a reading of itself.
HOLDER = """
import dataclasses, json, mmap, os, sys
from embedding.pressure import Gauge
gauge, held = Gauge(), []
for line in sys.stdin:
    word, _, rest = line.strip().partition(" ")
    if word in ("private", "map"):
        held.clear()
    if word == "private":
        held = [bytearray(b"x") * int(rest)]
    elif word == "map":
        file = mmap.mmap(os.open(rest, os.O_RDONLY), 0, prot=mmap.PROT_READ)
        held = [file, sum(file[at] for at in range(0, len(file), 4096))]
    elif word == "read":
        with open(rest, "rb") as file:
            while file.read(1 << 20):
                pass
    reading = gauge.read([os.getpid()])
    print(json.dumps([dataclasses.asdict(reading), reading.limit_bytes, reading.used_bytes]), flush=True)
"""


@pytest.fixture
def group():
    try:
        with limited_group(LIMIT) as group:
            yield group
    except NoGroupError as reason:
        pytest.skip(str(reason))


@pytest.fixture
def ask(group: LimitedGroup):
    process = group.start(["env", f"PYTHONPATH={ROOT}", sys.executable, "-c", HOLDER])

    def asked(line: str):
        process.stdin.write(line + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    yield asked
    process.stdin.close()
    process.wait(30)
    process.stdout.close()


@pytest.fixture
def weights(tmp_path) -> Path:
    path = tmp_path / "weights"
    path.write_bytes(b"w" * FILE_BYTES)
    return path


def test_the_limit_of_the_group_is_read_and_the_machine_bounds_beside_it(ask, group):
    reading, limit, used = ask("nothing")
    assert limit == LIMIT
    assert reading["bounds"][0]["name"] == f"the control group /{group.directory.name}"
    assert reading["bounds"][-1]["name"] == "this machine"
    assert 0 < used < 64 * MIB


def test_private_memory_that_grows_and_goes_is_seen(ask):
    before = ask("nothing")[2]
    during = ask(f"private {100 * MIB}")[2]
    after = ask("private 0")[2]
    assert 95 * MIB < during - before < 110 * MIB
    assert abs(after - before) < 8 * MIB


def test_a_limit_that_is_lowered_is_seen(ask, group):
    ask("nothing")
    group.limit(LIMIT // 2)
    assert ask("nothing")[1] == LIMIT // 2


def drop(path: Path) -> None:
    """Out of the page cache, so that it is charged to who reads it next."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def test_weights_that_are_mapped_count_and_a_file_that_was_read_does_not(ask, weights):
    before = ask("nothing")[2]
    drop(weights)
    was_read = ask(f"read {weights}")[2]
    mapped = ask(f"map {weights}")[2]
    assert was_read - before < 16 * MIB
    assert 0.9 * FILE_BYTES < mapped - before < 1.2 * FILE_BYTES


def test_the_group_counts_its_peak_and_how_often_its_limit_was_hit(ask, group, weights):
    ask(f"private {100 * MIB}")
    assert group.limit_hits == 0
    assert 100 * MIB < group.peak_bytes < 200 * MIB
    drop(weights)
    ask(f"private {200 * MIB}")
    ask(f"read {weights}")
    assert group.limit_hits > 0
    assert group.usage_bytes <= LIMIT


def test_a_group_is_gone_with_all_its_processes(weights):
    try:
        with limited_group(LIMIT) as group:
            sleeper = group.start([sys.executable, "-c", "print(1, flush=True); import time; time.sleep(600)"])
            sleeper.stdout.readline()
    except NoGroupError as reason:
        pytest.skip(str(reason))
    assert sleeper.wait(30) == -9
    assert not group.directory.exists()
    sleeper.stdin.close()
    sleeper.stdout.close()
