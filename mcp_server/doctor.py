"""What breaks in practice: looked for one thing at a time, each with its mend."""

from __future__ import annotations

import json
import os
import shutil
import stat
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from embedding.open import NO_TABLE
from mcp_server import model_findings
from mcp_server.findings import Finding
from mcp_server.home import data_directory, index_directory, indexes_directory
from mcp_server.indexing import Meaning, open_meaning, wanted_fingerprint, writing
from mcp_server.settings import Settings, load
from storage.backends import open_store
from storage.errors import StorageError
from storage.fingerprint import IndexState
from storage.store import Damage

LEAST_FREE_BYTES = 500 * 2**20  # a model, an index of some 50,000 chunks, and room for compaction
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def examine(roots: Sequence[Path], overrides: Sequence[str], *, repair: bool, as_json: bool) -> int:
    """Look at everything; 0 where all is well, 1 where something is not."""
    settings = load(roots[0], overrides).settings
    meaning = open_meaning(settings)
    findings = [_python(), _space(), _private(indexes_directory(settings))]
    findings += [*model_findings.examine(settings, meaning), _table(settings, meaning)]
    findings += [finding for root in roots for finding in _index(root, settings, meaning, repair=repair)]
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings]))
    else:
        click.echo("\n".join(finding.line for finding in findings))
    return 1 if any(finding.mend for finding in findings) else 0


def _python() -> Finding:
    return Finding("python", f"{sys.version.split()[0]} at {sys.executable}")


def _space() -> Finding:
    place = next(path for path in [data_directory(), *data_directory().parents] if path.exists())
    free = shutil.disk_usage(place).free
    mend = "" if free >= LEAST_FREE_BYTES else f"make {LEAST_FREE_BYTES // 2**20} MiB free, or set storage.directory"
    return Finding("disk", f"{free / 2**30:.1f} GiB free at {place}", mend)


def _private(directory: Path) -> Finding:
    place = next(path for path in [directory, *directory.parents] if path.exists())
    if not place.is_dir() or not os.access(place, os.W_OK):
        return Finding("indexes", f"{place} cannot be written", f"make {place} writable, or set storage.directory")
    if place != directory:
        return Finding("indexes", f"none yet at {directory}")
    if sys.platform != "win32" and directory.stat().st_mode & OTHERS:
        return Finding("indexes", f"{directory} can be read by others", f"chmod 700 {directory}")
    return Finding("indexes", f"{directory}, yours alone")


def _table(settings: Settings, meaning: Meaning) -> Finding:
    """The lookup table: there, whole, and able to tell like from unlike."""
    table = meaning.table
    if table is None:
        mend = "remove model.table, or install codeloupe again" if settings.model.table else "install codeloupe again"
        return Finding("table", meaning.table_off, "" if settings.model.table.lower() == NO_TABLE else mend)
    asked, like, unlike = table.sketch(["read a file", "def read_file(path)", "color: red; margin: 0"]).vectors
    close, far = float(asked @ like), float(asked @ unlike)
    mend = "" if close > far else "the lookup table gives nonsense: make it again with codeloupe models distil"
    return Finding("table", f"{len(table):,} tokens of {table.dim}; alike {close:.2f}, unlike {far:.2f}", mend)


def _index(root: Path, settings: Settings, meaning: Meaning, *, repair: bool) -> list[Finding]:
    """The index of one root: usable, whole, and whose."""
    name = f"index of {root}"
    directory = index_directory(settings, root)
    if not directory.exists():
        return [Finding(name, "none yet; the first search makes it")]
    store = open_store(settings.storage, directory)
    try:
        state = store.state(wanted_fingerprint(settings, meaning))
        if state is not IndexState.CURRENT:
            return [Finding(name, str(state), "codeloupe index " + str(root))]
        damages = store.check()
    except StorageError as error:
        return [Finding(name, str(error), f"codeloupe clean --root {root}, then codeloupe index {root}")]
    finally:
        store.close()
    if not damages:
        return [Finding(name, "every row holds its checksum")]
    return _damaged(name, root, settings, damages, _repair if repair else None)


Repair = Callable[[Path, Settings], None]


def _damaged(
    name: str, root: Path, settings: Settings, damages: Sequence[Damage], repair: Repair | None
) -> list[Finding]:
    paths = sorted({damage.path for damage in damages})
    said = f"{len(damages)} damaged rows in {len(paths)} files, the first {paths[0]} ({damages[0].reason})"
    if repair is None:
        return [Finding(name, said, f"codeloupe doctor --repair --root {root}")]
    repair(root, settings)
    return [Finding(name, f"{said}; dropped, the next index or search reads these files again")]


def _repair(root: Path, settings: Settings) -> None:
    """Forget what is damaged: the next run finds those files new. Damage to no file in particular is to the index."""
    with writing(settings, root) as store:
        store.mend(thorough=True)
