"""What the commands do: the engine's work, in words for a terminal or JSON for a pipe."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click

from indexer.vocabulary import KINDS, LANGUAGES
from mcp_server import requests
from mcp_server.answers.rows import as_json
from mcp_server.command_line import terminal
from mcp_server.engine import Engine
from mcp_server.errors import ProductError
from mcp_server.freshness import Freshness, counted
from mcp_server.home import KeptIndex, cache_directory, index_directory, kept_indexes
from mcp_server.indexes import behind
from mcp_server.indexes.starting import in_thread
from mcp_server.roots import checked_root, serving_roots
from mcp_server.settings import Settings, load

FOUND, NOTHING = 0, 1


@dataclass(frozen=True, slots=True)
class SearchArguments:
    """The search command's arguments as typed."""

    query: str
    limit: int
    offset: int
    mode: str
    paths: tuple[str, ...]
    languages: tuple[str, ...]
    kinds: tuple[str, ...]
    min_similarity: float | None
    detail: str
    max_tokens: int
    explain: bool
    like: str
    as_json: bool


@dataclass(frozen=True, slots=True)
class CleanArguments:
    """What clean may delete beside the named roots."""

    everything: bool
    gone: bool
    cache: bool


def one_root(path: str) -> Path:
    """The directory to index."""
    return checked_root(path)


def all_roots(named: Sequence[str]) -> list[Path]:
    """The directories to search."""
    return serving_roots(named)


def index(root: Path, overrides: Sequence[str], *, force: bool, as_json: bool) -> int:
    """Index ``root`` here and now, with progress."""
    with engine_for([root], load(root, overrides).settings, most_vectors=None) as engine:
        view = terminal.follow(engine.roots[root].refresh(force=force))
    if view.error or view.busy:
        raise ProductError(view.error or view.busy)
    click.echo(json.dumps(view.summary) if as_json else view.sentence())
    return FOUND


def search(roots: Sequence[Path], overrides: Sequence[str], wanted: SearchArguments) -> int:
    """Refresh the text of ``roots``, search, print."""
    settings = load(roots[0], overrides).settings
    filters = requests.filters_from(wanted.paths, wanted.languages, wanted.kinds, (LANGUAGES, KINDS))
    how = requests.answering(
        wanted.detail,
        "json" if wanted.as_json else "text",
        wanted.max_tokens,
        settings.search.max_tokens,
        explain=wanted.explain,
    )
    limit = requests.hits_wanted(wanted.limit, wanted.max_tokens, how, settings.search.limit)
    request = requests.checked(
        requests.SearchRequest(
            wanted.query, limit, wanted.offset, wanted.mode, filters, wanted.min_similarity, wanted.like
        )
    )
    new = all(behind.is_new(root, settings) for root in roots)
    engine_settings, most = (behind.in_memory(settings), 0) if new else (settings, behind.MOST_VECTORS)
    with engine_for(roots, engine_settings, most_vectors=most) as engine:
        views = [terminal.follow(root.refresh()) for root in engine.roots.values()]
        answer = engine.search(request)
    notes = [view.busy or view.error for view in views]
    for note in filter(None, [*notes, _hint(answer.freshness)]):
        click.echo(f"codeloupe: {note}", err=True)
    answer = behind.noted(answer) if new else answer
    click.echo(
        json.dumps(as_json(answer, how), ensure_ascii=False) if wanted.as_json else terminal.answer(answer, how, roots)
    )
    if new:
        sys.stdout.flush()
        _leave_index(roots, settings)
    return FOUND if answer.found else NOTHING


def _leave_index(roots: Sequence[Path], settings: Settings) -> None:
    """The index is written behind the answer; where it cannot be kept, there was an answer all the same."""
    try:
        behind.leave(roots, settings)
    except ProductError as error:
        click.echo(f"codeloupe: {error}", err=True)


def _hint(freshness: Freshness) -> str:
    """What would make the next answer better, where something is missing that only `index` adds."""
    missing = freshness.chunks - freshness.vectors
    if not missing or freshness.notes:
        return ""
    found = "words and sketches" if freshness.sketches else "words"
    return f"{counted(missing, 'chunk')} can be found by {found} alone; 'codeloupe index' adds vectors."


def embed(texts: Sequence[str], overrides: Sequence[str], *, kind: str, cache: bool) -> int:
    """Print vectors as JSON."""
    wanted = requests.embed_texts(texts, kind)
    with engine_for([], load(None, overrides).settings, most_vectors=0) as engine:
        click.echo(json.dumps(engine.embed(wanted, kind, cache=cache, timeout_s=600.0)))
    return FOUND


def status(roots: Sequence[Path], overrides: Sequence[str], *, as_json: bool) -> int:
    """Print what is indexed; starts nothing."""
    with engine_for(roots, load(roots[0], overrides).settings, most_vectors=0) as engine:
        state = engine.status()
    click.echo(json.dumps(state.as_json()) if as_json else state.sentence())
    return FOUND


def clean(named: Sequence[str], overrides: Sequence[str], what: CleanArguments) -> int:
    """Delete the chosen indexes and say what is free again."""
    settings = load(None, overrides).settings
    kept = kept_indexes(settings)
    if what.everything:
        chosen = kept
    elif what.gone:
        chosen = [one for one in kept if not one.root.is_dir()]
    elif what.cache and not named:
        chosen = []
    else:
        chosen = _named(kept, settings, named)
    freed = sum(one.disk_bytes() for one in chosen)
    for one in chosen:
        one.remove()
    if what.cache:
        freed += _clear_cache()
    cache = " and the vector cache" if what.cache else ""
    click.echo(f"Removed {counted(len(chosen), 'index', 'indexes')}{cache}; {freed / 2**20:.1f} MiB are free again.")
    return FOUND if chosen or what.cache else NOTHING


@contextmanager
def engine_for(roots: Sequence[Path], settings: Settings, most_vectors: int | None) -> Iterator[Engine]:
    """An engine that indexes in this process; everything it started ends with the block."""
    engine = Engine(roots, settings, partial(in_thread, most_vectors=most_vectors))
    try:
        yield engine
    finally:
        engine.close()


def _named(kept: Sequence[KeptIndex], settings: Settings, named: Sequence[str]) -> list[KeptIndex]:
    wanted = {index_directory(settings, Path(path).expanduser()) for path in named or ["."]}
    return [one for one in kept if one.directory in wanted]


def _clear_cache() -> int:
    freed = 0
    kept = cache_directory()
    for path in (*kept.glob("vectors.sqlite3*"), *kept.glob("maps/*.html")):
        freed += path.stat().st_size
        path.unlink()
    return freed
