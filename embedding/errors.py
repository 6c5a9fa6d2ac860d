"""What can go wrong between a text and its vector.

EmbeddingError
├── ModelMissingError      no model file, and no source gave one
├── SourceError            one source of a model did not give it; the next one is tried
├── ModelInvalidError      the file is not what it claims to be
├── LookupTableError       a table of token vectors is missing, damaged, or cannot be written
├── ModelFailedError       the child that runs the model died, or answered nonsense, twice
├── ModelLeftAloneError    the model failed too often and is not tried again for a while
├── MemoryShortError       the model does not fit into the memory it may take, now or ever
├── BusyError              more waits than may wait; come back later
├── ServiceError           the embedding service cannot be started or reached
│   └── LinkLostError      it has gone; its successor may be asked
└── EmbeddingTimeoutError  no answer in time
"""

from __future__ import annotations


class EmbeddingError(Exception):
    """Anything this package raises; the text names the thing, the cause and the next step."""


class ModelMissingError(EmbeddingError):
    """No usable model file is on this machine and none could be fetched."""


class SourceError(EmbeddingError):
    """One source did not give a model's file; the text is the cause alone, for a list of all sources' causes."""


class ModelInvalidError(EmbeddingError):
    """A model file failed its checksum or its format; it was not loaded."""


class LookupTableError(EmbeddingError):
    """A lookup table is not there, is not what it claims to be, or could not be written; none of it is used."""


class ModelFailedError(EmbeddingError):
    """The model's process died or returned vectors that are not vectors, also after one restart."""


class EmbeddingTimeoutError(EmbeddingError):
    """The deadline passed before the vectors were there."""


class ModelLeftAloneError(EmbeddingError):
    """The circuit breaker is open: the model failed several times in a row and rests until a time that is named."""


class MemoryShortError(EmbeddingError):
    """Loading the model, or working with it, would take more memory than there is or than the budget allows.

    ``ever`` tells whether it might fit at another time.
    """

    def __init__(self, message: str, *, ever: bool = True) -> None:
        super().__init__(message)
        self.ever = ever


class BusyError(EmbeddingError):
    """The service has as much waiting as it takes; ``retry_after_s`` says when there should be room."""

    def __init__(self, message: str, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ServiceError(EmbeddingError):
    """The embedding service could not be started, or does not answer."""


class LinkLostError(ServiceError):
    """The embedding service at the other end is gone; what was asked of it may be asked of its successor."""
