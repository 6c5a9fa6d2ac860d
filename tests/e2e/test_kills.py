"""A few of the kills and damages that the benchmarks do a hundred times."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from benchmarks import damage, kills
from benchmarks.harms import DEEDS, HARMS, KINDS, Harm
from benchmarks.kept import Kept
from tests.e2e.homes import HARBOUR

KILLS = 6


@pytest.fixture(scope="session")
def sound(models: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[damage.Place, dict[str, object], Kept]:
    """An index that nothing is wrong with, of a few files in several languages."""
    place = damage.Place(tmp_path_factory.mktemp("damage"))
    kept = Kept(place.cache)
    return place, damage.prepare(place, HARBOUR, 12), kept


def test_killed_at_random_moments_an_index_stays_whole_and_loses_nothing(models: Path, tmp_path: Path) -> None:
    place = kills.Place(tmp_path)
    told = list(kills.kills(place, KILLS, 30, kills.PROJECT, seed=3))
    assert [said for said, faults in told if faults] == []
    assert len(told) > KILLS


@pytest.mark.parametrize("noted", [True, False], ids=["", "and nobody knows what the files were"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_index_serves_nothing_damaged_and_comes_back(
    sound: tuple[damage.Place, dict[str, object], Kept], kind: str, noted: bool
) -> None:
    place, wanted, kept = sound
    deed = Random(f"{kind} {noted}").choice(sorted(DEEDS))
    outcome = damage.trial(place, Harm(deed, kind), Random(5), wanted, kept, noted=noted)
    assert outcome.faults == [], outcome


def test_every_harm_does_something_to_the_file_it_is_meant_for(tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text('{"chunks": "c-1", "vectors": "", "files": "f-1"}', "utf-8")
    for harm in HARMS:
        for table in ("c-1", "f-1"):
            for place in ("_versions/1.manifest", "data/1.lance", "_deletions/1.arrow", "_indices/1/page.lance"):
                path = tmp_path / f"{table}.lance" / place
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(b"what was written")
        for name in ("pending.json", "digests.txt"):
            (tmp_path / name).write_bytes(b"what was written")
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        harmed = harm.do(tmp_path, Random(1))
        after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        changed = [path for path in before if after.get(path) != before[path]]
        assert [path.relative_to(tmp_path).as_posix() for path in changed] == [harmed], str(harm)
        (tmp_path / "index.json").write_text('{"chunks": "c-1", "vectors": "", "files": "f-1"}', "utf-8")
