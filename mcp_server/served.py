"""How the model of these settings does, asked of whoever runs it; nothing is started by the question."""

from __future__ import annotations

from dataclasses import replace

from embedding.cached import CachedEmbedder
from embedding.client import ServiceEmbedder, SharedEmbedder
from embedding.embedder import Embedder
from embedding.errors import EmbeddingError
from embedding.shared.running import Service
from embedding.shortened import Shortened, note_of
from mcp_server.metrics.wrappers import CountedCache, MeasuredEmbedder
from mcp_server.statuses import ModelStatus, served_model


def uncached(embedder: Embedder) -> Embedder:
    """The model itself, behind whatever cache stands before it; its vectors are cut as they were."""
    if isinstance(embedder, Shortened):
        return embedder.over(uncached(embedder.inner))
    while isinstance(embedder, CountedCache | CachedEmbedder):
        embedder = embedder.inner
    return embedder


def by_service(embedder: Embedder) -> ServiceEmbedder | None:
    """The part of ``embedder`` that asks a service; None where there is none."""
    while isinstance(embedder, Shortened | CountedCache | CachedEmbedder | MeasuredEmbedder):
        embedder = embedder.inner
    return embedder if isinstance(embedder, ServiceEmbedder) else None


def look_at(name: str, embedder: Embedder) -> ModelStatus:
    """What the service of ``embedder`` says, or the file that outlives it, or why it says nothing."""
    return replace(_status(name, embedder), dim=embedder.dim, note=note_of(embedder))


def _status(name: str, embedder: Embedder) -> ModelStatus:
    inner = by_service(embedder)
    if inner is None:
        return ModelStatus(name, "ready")
    try:
        status = served_model(name, inner.state())
    except EmbeddingError as error:
        return ModelStatus(name, "not answering", str(error))
    if status.service is None and isinstance(inner, SharedEmbedder) and (said := Service(inner.place).left_alone):
        return ModelStatus(name, "left alone", said)
    return status
