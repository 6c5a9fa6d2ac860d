"""How windows are fed to llama.cpp: pure decisions, for the child that does it and for who estimates its memory."""

from __future__ import annotations

from dataclasses import dataclass

from embedding.wire import Load

BATCH = 256  # tokens; 1,024 loses a fifth, for attention runs over the whole batch (docs/models.md)
# Decoders whose graphs end in the tensor that tapping.py reads; compared with llama.cpp's own pooling in
# tests/embedding/test_decoders.py.
TAPPED_ARCHITECTURES = ("qwen2", "qwen3")
TAPPED_TEXTS = 16  # sequences of a tapped batch: llama.cpp keeps room for the whole vocabulary's scores for each
_TEXTS = 64  # 256 tokens seldom hold more
_LEAST_BATCH = 16  # below, every call reads all weights for next to nothing


@dataclass(frozen=True, slots=True)
class Layout:
    """How windows are fed: ``batch`` tokens a call, of at most ``texts`` windows with ``room`` tokens together."""

    batch: int
    room: int
    texts: int
    tapped: bool  # vectors are read at the final norm; else as llama.cpp pools them

    @property
    def in_pieces(self) -> bool:
        """Whether a window may take several calls."""
        return self.batch < self.room


def layout(load: Load, architecture: str, *, causal: bool, tappable: bool) -> Layout:
    """How a model is fed. One that looks ahead, or pools over all tokens, must see a window whole.

    A causal model with last-token pooling may take it in pieces: it remembers what came before, and the vector is in
    the last.
    """
    if load.pooling != "last" or not causal:
        batch = max(BATCH, load.window)
        return Layout(batch, batch, _TEXTS, tapped=False)
    batch = min(load.window, max(_LEAST_BATCH, load.batch or BATCH))
    tapped = tappable and architecture in TAPPED_ARCHITECTURES
    return Layout(batch, load.window, TAPPED_TEXTS, tapped)
