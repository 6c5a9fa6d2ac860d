"""What doctor says of the model: its file, its memory, the service that runs it, and whether it makes sense."""

from __future__ import annotations

import os

from embedding.budget import Budget, in_words
from embedding.embedder import Embedder
from embedding.errors import EmbeddingError, MemoryShortError, ModelLeftAloneError
from embedding.footprint import estimate
from embedding.gguf import complete_spec, read_header
from embedding.governor import LADDER, Need, admits, can_ever
from embedding.model import Pooling
from embedding.open import wanted_file, wanted_spec
from embedding.pressure import Gauge
from embedding.running import Service, services
from embedding.shortened import note_of
from embedding.verify import verify
from mcp_server.findings import Finding
from mcp_server.home import data_directory
from mcp_server.indexing import Meaning
from mcp_server.settings import Settings


def examine(settings: Settings, meaning: Meaning) -> list[Finding]:
    """All of it; the model itself last, for trying it starts a service."""
    return [*_services(), *_model_file(settings), *_memory(settings), _model(settings, meaning)]


def _model_file(settings: Settings) -> list[Finding]:
    """All of the chosen model's file, read: 4 GB take some seconds."""
    try:
        spec, file = wanted_spec(settings.model), wanted_file(settings.model, data_directory())
        checks = verify(spec, file)
    except (EmbeddingError, OSError):
        return []  # said of the model itself
    well = all(check.well for check in checks)
    said = "; ".join(f"{check.what} {check.found}" for check in checks if well or not check.well)
    mend = "" if well else "put a whole file there" if spec.path else f"codeloupe models pull {spec.name}"
    return [Finding("model file", said, mend)]


def _services() -> list[Finding]:
    """The embedding services of this user: each answers, and leaves no model alone."""
    return [_service(service) for service in services(data_directory()) if service.pid or service.left_alone]


def _service(service: Service) -> Finding:
    try:
        state = service.state()
    except EmbeddingError as error:
        return Finding("service", str(error), "codeloupe service stop")
    if said := state.left_alone if state else service.left_alone:
        return Finding("service", said, "codeloupe service reset")
    if state is None:
        return Finding("service", f"none; pid {service.pid} was killed, and the next one takes its place")
    memory = f"{in_words(state.private_bytes)} of its own, {in_words(state.shared_bytes)} shared"
    return Finding("service", f"{state.model} answers (pid {state.pid}); {memory}; pressure {state.level}")


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
        return [Finding("memory", said, "set memory.budget higher, or choose a smaller model")]
    if said := admits(reading, budget, need):
        return [Finding("memory", said, "close something large, or choose a smaller model")]
    sizes = f"{in_words(need.private_bytes)} of its own and {in_words(need.shared_bytes)} shared"
    room = (
        f"{in_words(budget.bytes_of(reading.limit_bytes))} may be taken, {in_words(reading.available_bytes)} are free"
    )
    return [Finding("memory", f"{need.what} takes {sizes}; {room}")]


def _model(settings: Settings, meaning: Meaning) -> Finding:
    if meaning.embedder is None:
        return Finding("model", meaning.off, "" if settings.model.name == "none" else "codeloupe models pull")
    try:
        return _try_model(meaning.embedder)
    except ModelLeftAloneError as error:
        return Finding("model", str(error), "codeloupe service reset")
    except MemoryShortError as error:
        return Finding("model", str(error), "set memory.budget higher, close something, or choose a smaller model")
    except EmbeddingError as error:
        return Finding("model", str(error), "codeloupe models pull; if it stays, reinstall llama-cpp-python")
    finally:
        meaning.embedder.close()


def _try_model(embedder: Embedder) -> Finding:
    close = embedder.embed_query("parse a date") @ embedder.embed_documents(["def parse_date(text): ..."])[0]
    far = embedder.embed_query("parse a date") @ embedder.embed_documents(["color: red; margin: 0"])[0]
    mend = "" if close > far else "the model file gives nonsense: delete it and run codeloupe models pull"
    said = f"{embedder.fingerprint[:60]} runs; alike {close:.2f}, unlike {far:.2f}"
    note = note_of(embedder)
    return Finding("model", f"{said}; {note}" if note else said, mend)
