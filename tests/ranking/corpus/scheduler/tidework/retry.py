"""When a failed job is tried again."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta


class PermanentError(Exception):
    """Raised by a handler that knows that another attempt will not help."""


@dataclass(frozen=True)
class RetryPolicy:
    """How often, and after which delays."""

    max_attempts: int = 5
    base_delay: float = 2.0
    max_delay: float = 900.0
    jitter: float = 0.2

    def should_retry(self, attempts: int, error: Exception) -> bool:
        """Whether a job that failed for the ``attempts``-th time gets another chance."""
        return attempts < self.max_attempts and not isinstance(error, PermanentError)

    def next_delay(self, attempts: int) -> timedelta:
        """Exponential backoff with full jitter, capped at ``max_delay``."""
        plain = min(self.max_delay, self.base_delay * 2 ** (attempts - 1))
        return timedelta(seconds=plain * (1 + random.uniform(-self.jitter, self.jitter)))
