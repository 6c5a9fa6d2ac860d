"""Run as a child: writes an index until it is killed, or reads one until it has seen enough.

python -P -m tests.storage.crash_process write <directory> <first version>
python -P -m tests.storage.crash_process read <directory> <last version>
"""

from __future__ import annotations

import sys
from collections import defaultdict
from itertools import count
from pathlib import Path

from storage.chunk import FileRows
from storage.lance_store import LanceStore
from tests.storage.samples import make_file, vectors_of

PATHS = [f"d/f{n}.py" for n in range(12)]
CHUNKS = 7


def files_of(version: int) -> list[FileRows]:
    """All files at one version: every chunk names it, and file n has CHUNKS of them."""
    return [
        make_file(path, *(f"part {part} of version {version}" for part in range(CHUNKS)), "the same in each version")
        for path in PATHS
    ]


def write(store: LanceStore, first: int) -> None:
    """Commit one version after the other for ever, saying so after each."""
    with store.writing():
        for version in count(first):
            write_version(store, version)
            print(version, flush=True)


def write_version(store: LanceStore, version: int) -> None:
    """All files, some vectors, now and then a deletion and maintenance."""
    store.replace_files(files_of(version))
    some = store.missing_vectors(10)
    store.add_vectors([chunk.id for chunk in some], vectors_of(some))
    if version % 5 == 0:
        store.delete_files(PATHS[-2:])
    if version % 9 == 0:
        store.maintain()


def versions_seen(store: LanceStore) -> dict[str, set[str]]:
    """For each file, the versions its chunks name, read in one statement; a file that is not whole is an error."""
    rows = store._begun().chunks.select(["file_path", "content"])
    contents: dict[str, list[str]] = defaultdict(list)
    for path, content in zip(rows["file_path"].to_pylist(), rows["content"].to_pylist(), strict=True):
        contents[path].append(content)
    for path, parts in contents.items():
        if len(parts) != CHUNKS + 1 or len(set(parts)) != CHUNKS + 1:
            raise AssertionError(f"{path} is not whole: {sorted(parts)}")
    return {path: {part.split()[-1] for part in parts if part.startswith("part")} for path, parts in contents.items()}


def read(store: LanceStore, last: int) -> None:
    """Read over and over until every file that is there has come to ``last``."""
    while True:
        seen = versions_seen(store)
        if any(len(versions) != 1 for versions in seen.values()):
            raise AssertionError(f"versions are mixed: {seen}")
        if seen and all(int(version) >= last for versions in seen.values() for version in versions):
            return


if __name__ == "__main__":
    verb, directory, number = sys.argv[1:]
    {"write": write, "read": read}[verb](LanceStore(Path(directory)), int(number))
