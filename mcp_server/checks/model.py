"""The model and the lookup table: their files, the memory they need, and whether they make sense."""

from __future__ import annotations

import os

from embedding.embedder import Embedder
from embedding.errors import EmbeddingError, MemoryShortError, ModelLeftAloneError, ModelMissingError
from embedding.files.footprint import estimate
from embedding.files.verify import verify
from embedding.gguf import complete_spec, read_header
from embedding.governor import LADDER, Need, admits, can_ever
from embedding.machine.budget import Budget, in_words
from embedding.model import Pooling
from embedding.open import NO_MODEL, NO_TABLE, wanted_file, wanted_spec
from embedding.pressure import Gauge
from embedding.shortened import note_of
from mcp_server.checks.findings import Finding, error, warning, well
from mcp_server.home import data_directory
from mcp_server.meaning import Meaning
from mcp_server.settings import Settings

HIGHER = "set memory.budget higher and run codeloupe service stop"  # a service keeps the settings it was started with


def is_wanted(settings: Settings) -> bool:
    """Whether the settings ask for a model at all."""
    return settings.model.name.lower() != NO_MODEL


def examine(settings: Settings, meaning: Meaning, *, runnable: bool) -> list[Finding]:
    """All of it; the model itself last, for trying it starts a service. ``runnable``: whether llama.cpp loads."""
    return [*_model_file(settings), *_memory(settings), _model(settings, meaning, runnable=runnable)]


def table(settings: Settings, meaning: Meaning) -> Finding:
    """The lookup table: there, whole, and able to tell like from unlike."""
    found = meaning.table
    if found is None:
        if settings.model.table.lower() == NO_TABLE:
            return well("table", meaning.table_off)
        mend = "remove model.table, or install codeloupe again" if settings.model.table else "install codeloupe again"
        return error("table", meaning.table_off.rstrip("."), mend)
    asked, like, unlike = found.sketch(["read a file", "def read_file(path)", "color: red; margin: 0"]).vectors
    close, far = float(asked @ like), float(asked @ unlike)
    if close <= far:
        return error("table", f"it gives nonsense: alike {close:.2f}, unlike {far:.2f}", "codeloupe models distil")
    return well("table", f"{len(found):,} tokens of {found.dim}; alike {close:.2f}, unlike {far:.2f}")


def _model_file(settings: Settings) -> list[Finding]:
    """All of the chosen model's file, read: 4 GB take some seconds."""
    try:
        spec, file = wanted_spec(settings.model), wanted_file(settings.model, data_directory())
        checks = verify(spec, file)
    except (EmbeddingError, OSError):
        return []  # said of the model itself
    if all(check.well for check in checks):
        return [well("model file", "; ".join(f"{check.what} {check.found}" for check in checks))]
    said = "; ".join(f"{check.what} {check.found}" for check in checks if not check.well)
    return [error("model file", said, _another_file(settings))]


def _another_file(settings: Settings) -> str:
    """How to come by a model file that is whole."""
    own = wanted_spec(settings.model).path
    return "put a whole file there, or choose another: codeloupe models use NAME" if own else "codeloupe models pull"


def _memory(settings: Settings) -> list[Finding]:
    """Whether the model fits into what it may take, and into what is there now."""
    try:
        spec, path = wanted_spec(settings.model), wanted_file(settings.model, data_directory())
        header = read_header(path)
        spec = complete_spec(spec, header, path)
    except EmbeddingError:
        return []  # told of the model
    batch = LADDER[-1].batch_tokens if spec.pooling is Pooling.LAST else spec.window
    takes = estimate(header, spec.window, batch, repack=spec.repack)
    need = Need(f"a process of {spec.name}", takes.private_bytes, takes.shared_bytes)
    budget, reading = Budget.parse(settings.memory.budget), Gauge().read([os.getpid()])
    if said := can_ever(reading.limit_bytes, budget, need):
        return [error("memory", said.rstrip("."), f"{HIGHER}, or choose a smaller model")]
    if said := admits(reading, budget, need):
        return [warning("memory", said.rstrip("."), "close something large, or choose a smaller model")]
    sizes = f"{in_words(need.private_bytes)} of its own and {in_words(need.shared_bytes)} shared"
    room = (
        f"{in_words(budget.bytes_of(reading.limit_bytes))} may be taken, {in_words(reading.available_bytes)} are free"
    )
    return [well("memory", f"{need.what} takes {sizes}; {room}")]


def _model(settings: Settings, meaning: Meaning, *, runnable: bool) -> Finding:
    if meaning.embedder is None:
        return _none(settings, meaning.off.rstrip("."))
    if not runnable:
        meaning.embedder.close()
        return warning("model", "not tried, since llama.cpp does not load", "mend that first: see above")
    try:
        return _try_model(settings, meaning.embedder)
    except ModelLeftAloneError as left_alone:
        return error("model", str(left_alone).rstrip("."), "codeloupe service reset")
    except MemoryShortError as short:
        return error("model", str(short).rstrip("."), f"{HIGHER}, close something, or choose a smaller model")
    except EmbeddingError as failed:
        mend = f"{_another_file(settings)}; if it stays, reinstall llama-cpp-python"
        return error("model", str(failed).rstrip("."), mend)
    finally:
        meaning.embedder.close()


def _none(settings: Settings, off: str) -> Finding:
    """Why there is no model, and what to do about it; nothing where that is wanted."""
    if not is_wanted(settings):
        return well("model", off)
    if off.startswith("model.dimensions"):
        return error("model", off, "remove model.dimensions, or set it as that says")
    try:
        return error("model", off, _another_file(settings))
    except ModelMissingError:
        return error("model", off, "codeloupe models use NAME")


def _try_model(settings: Settings, embedder: Embedder) -> Finding:
    close = embedder.embed_query("parse a date") @ embedder.embed_documents(["def parse_date(text): ..."])[0]
    far = embedder.embed_query("parse a date") @ embedder.embed_documents(["color: red; margin: 0"])[0]
    if close <= far:
        return error("model", f"its file gives nonsense: alike {close:.2f}, unlike {far:.2f}", _another_file(settings))
    said = f"{embedder.fingerprint[:60]} runs; alike {close:.2f}, unlike {far:.2f}"
    note = note_of(embedder)
    return well("model", f"{said}; {note}" if note else said)
