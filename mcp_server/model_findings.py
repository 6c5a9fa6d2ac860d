"""What doctor says of the model: its file, its memory, the service that runs it, and whether it makes sense."""

from __future__ import annotations

import os

from embedding.budget import Budget, in_words
from embedding.embedder import Embedder
from embedding.errors import EmbeddingError, MemoryShortError, ModelLeftAloneError, ModelMissingError
from embedding.footprint import estimate
from embedding.gguf import complete_spec, read_header
from embedding.governor import LADDER, Need, admits, can_ever
from embedding.model import Pooling
from embedding.open import NO_MODEL, wanted_file, wanted_spec
from embedding.pressure import Gauge
from embedding.running import Service, services
from embedding.shortened import note_of
from embedding.verify import verify
from mcp_server.findings import Finding
from mcp_server.home import data_directory
from mcp_server.indexing import Meaning
from mcp_server.settings import Settings

HIGHER = "set memory.budget higher and run codeloupe service stop"  # a service keeps the settings it was started with


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
    return [Finding("model file", said, "" if well else _another_file(settings))]


def _another_file(settings: Settings) -> str:
    """How to come by a model file that is whole."""
    own = wanted_spec(settings.model).path
    return "put a whole file there, or choose another: codeloupe models use NAME" if own else "codeloupe models pull"


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
        return [Finding("memory", said, f"{HIGHER}, or choose a smaller model")]
    if said := admits(reading, budget, need):
        return [Finding("memory", said, "close something large, or choose a smaller model")]
    sizes = f"{in_words(need.private_bytes)} of its own and {in_words(need.shared_bytes)} shared"
    room = (
        f"{in_words(budget.bytes_of(reading.limit_bytes))} may be taken, {in_words(reading.available_bytes)} are free"
    )
    return [Finding("memory", f"{need.what} takes {sizes}; {room}")]


def _model(settings: Settings, meaning: Meaning) -> Finding:
    if meaning.embedder is None:
        return Finding("model", meaning.off, _mend_of_none(settings, meaning.off))
    try:
        return _try_model(settings, meaning.embedder)
    except ModelLeftAloneError as error:
        return Finding("model", str(error), "codeloupe service reset")
    except MemoryShortError as error:
        return Finding("model", str(error), f"{HIGHER}, close something, or choose a smaller model")
    except EmbeddingError as error:
        return Finding("model", str(error), f"{_another_file(settings)}; if it stays, reinstall llama-cpp-python")
    finally:
        meaning.embedder.close()


def _mend_of_none(settings: Settings, off: str) -> str:
    """What to do where there is no model for the reason ``off``; "" where that is wanted."""
    if off.startswith("model.dimensions"):
        return "remove model.dimensions, or set it as that says"
    try:
        return _another_file(settings)
    except ModelMissingError:
        return "" if settings.model.name.lower() == NO_MODEL else "codeloupe models use NAME"


def _try_model(settings: Settings, embedder: Embedder) -> Finding:
    close = embedder.embed_query("parse a date") @ embedder.embed_documents(["def parse_date(text): ..."])[0]
    far = embedder.embed_query("parse a date") @ embedder.embed_documents(["color: red; margin: 0"])[0]
    mend = "" if close > far else f"the model file gives nonsense: {_another_file(settings)}"
    said = f"{embedder.fingerprint[:60]} runs; alike {close:.2f}, unlike {far:.2f}"
    note = note_of(embedder)
    return Finding("model", f"{said}; {note}" if note else said, mend)
