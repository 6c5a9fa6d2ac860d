"""One root and its index: what it would read, who writes it, whether it is whole, whether changes are heard."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from indexer.errors import WatchError
from indexer.watch import TreeWatch
from mcp_server.checks.findings import Finding, error, warning, well
from mcp_server.home import index_directory
from mcp_server.indexes.indexing import writing
from mcp_server.meaning import Meaning, wanted_fingerprint
from mcp_server.settings import Settings
from storage.backends import open_store
from storage.errors import StorageError
from storage.fingerprint import IndexState
from storage.lock import WriterLock
from storage.schema import SCHEMA
from storage.store import ChunkStore, Damage

AGAIN = {
    IndexState.STALE_SCHEMA: "it was made by an older codeloupe",
    IndexState.STALE_CHUNKER: "index.max_chunk_chars has changed since, or codeloupe cuts files otherwise now",
    IndexState.STALE_SKETCH: "it was made with another lookup table",
    IndexState.STALE_MODEL: "its vectors are of another model",
}

Repair = Callable[[Path, Settings], None]


def examine(root: Path, settings: Settings, meaning: Meaning, *, repair: bool) -> list[Finding]:
    """All of it, for one root."""
    findings = [*_root(root), *_writer(root, settings)]
    directory = index_directory(settings, root)
    what = _name(root)
    if settings.storage.backend == "memory":
        return [*findings, well(what, "in memory, made by each process (storage.backend)")]
    if not directory.exists():
        return [*findings, well(what, "none yet; the first search makes it")]
    store = open_store(settings.storage, directory)
    try:
        return [*findings, *_kept(root, settings, store, meaning, repair=repair)]
    except StorageError as failed:
        mend = f"codeloupe clean --root {root}, then codeloupe index {root}"
        return [*findings, error(what, str(failed).rstrip("."), mend)]
    finally:
        store.close()


def _name(root: Path) -> str:
    return f"index of {root}"


def _root(root: Path) -> Iterator[Finding]:
    """A client that is started from a desktop hands on a working directory that nobody means."""
    if root == Path(root.anchor) or root == Path.home():
        said = "everything below it would be read and indexed"
        kind = "your home directory" if root == Path.home() else "the whole file system"
        yield warning("root", f"{root} is {kind}: {said}", "name a project with --root, also in the client's file")


def _writer(root: Path, settings: Settings) -> Iterator[Finding]:
    """Who holds the index, where somebody has signed for it."""
    directory = index_directory(settings, root)
    if not directory.is_dir():
        return
    try:
        seen = WriterLock(directory).signed()
    except OSError:
        return  # said of the directory
    if seen.holder is None:
        return
    what, who = f"writer of {root}", seen.holder.words
    if seen.alive is False:
        yield well(what, f"{who} was killed and did not sign off; whoever writes next takes its place")
    elif not seen.silent:
        yield well(what, f"{who} writes")
    else:
        where = "" if seen.alive else f" on {seen.holder.host}"
        said = f"{who} has given no sign of life for {seen.silent_s:.0f} s: nobody else may write"
        yield error(what, said, f"end process {seen.holder.pid}{where}; what it has done is kept")


def _kept(root: Path, settings: Settings, store: ChunkStore, meaning: Meaning, *, repair: bool) -> Iterator[Finding]:
    state = store.state(wanted_fingerprint(settings, meaning))
    if state is IndexState.MISSING:
        yield well(_name(root), "none yet; the first search makes it")
        return
    if state is IndexState.CORRUPT:
        mend = f"codeloupe index {root} (made anew; vectors come from the cache)"
        yield error(_name(root), "it is damaged beyond what can be brought back", mend)
        return
    if state is not IndexState.CURRENT:
        yield _stale(root, settings, state)
        return
    damages = store.check()
    yield _damaged(root, settings, damages, _repair if repair else None) if damages else _whole(root, store)
    yield _heard(root, store.files())


def _stale(root: Path, settings: Settings, state: IndexState) -> Finding:
    """It will not be used as it is; the next search makes it anew by itself."""
    newer = _schema(index_directory(settings, root))
    if newer > int(SCHEMA):
        said = f"a newer codeloupe made it (version {newer} of the tables, this one writes {SCHEMA})"
        mend = "update this one; until then each makes it anew after the other: set storage.directory for one of them"
        return warning(_name(root), said, mend)
    mend = f"codeloupe index {root}; otherwise the next search begins it"
    return warning(_name(root), f"{AGAIN.get(state, state.value)}, so it is made anew", mend)


def _schema(directory: Path) -> int:
    """The number of the tables' form; 0 where it cannot be read."""
    try:
        return int(json.loads((directory / "index.json").read_text("utf-8"))["fingerprint"]["schema"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _whole(root: Path, store: ChunkStore) -> Finding:
    stats = store.stats()
    return well(_name(root), f"every row holds its checksum ({stats.chunks:,} chunks, {stats.vectors:,} vectors)")


def _damaged(root: Path, settings: Settings, damages: Sequence[Damage], repair: Repair | None) -> Finding:
    paths = sorted({damage.path for damage in damages})
    said = f"{len(damages)} damaged rows in {len(paths)} files, the first {paths[0]} ({damages[0].reason})"
    if repair is None:
        return error(_name(root), said, f"codeloupe doctor --repair --root {root}")
    repair(root, settings)
    return well(_name(root), f"{said}; dropped, the next index or search reads these files again")


def _repair(root: Path, settings: Settings) -> None:
    """Forget what is damaged: the next run finds those files new. Damage to no file in particular is to the index."""
    with writing(settings, root) as store:
        store.mend(thorough=True)


def _heard(root: Path, files: Iterable[str]) -> Finding:
    """Whether the system would tell a server of changes in the directories that are indexed: asked for a moment."""
    parents = {parent.as_posix() for file in files for parent in PurePosixPath(file).parents}
    directories = {"" if path == "." else path for path in parents}
    watch = None
    try:
        watch = TreeWatch(root)
        watch.cover(directories)
    except WatchError as refused:
        return warning(f"changes in {root}", str(refused).rstrip("."), _more_watches(str(refused)))
    finally:
        if watch is not None:
            watch.close()
    return well(f"changes in {root}", f"the system tells of them ({len(directories):,} directories)")


def _more_watches(refusal: str) -> str:
    if "disk" in refusal:
        return "nothing need be done: a save is found by the next search instead of at once"
    return (
        "sudo sysctl fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=512; "
        "until then each search looks for changes itself"
    )
