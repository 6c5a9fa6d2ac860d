"""Breaker: a model that fails again and again is left alone for a growing while.

A decision and its memory: time comes in as seconds since the epoch, so that a new process goes on where an old one was.
No threads: who uses it locks it.
"""

from __future__ import annotations

import json
import time
from typing import Any

FAILURES = 3  # one is bad luck, two may be memory that was short for a moment
FIRST_S = 30.0
LONGEST_S = 3600.0
TRIAL_S = 600.0  # a trial without an outcome for so long is lost; loading 4.4 GB from a slow disk takes two minutes
_RESET = "run 'codeloupe service reset' to have it tried at once"


class Breaker:
    """Closed until ``failures`` in a row open it; then a trial after ``first_s``, after twice as long when that fails.

    A trial that works closes it, and forgets how long it was open.
    """

    def __init__(self, failures: int = FAILURES, first_s: float = FIRST_S, longest_s: float = LONGEST_S) -> None:
        self._most = failures
        self._first_s = first_s
        self._longest_s = longest_s
        self.reset()

    def reset(self) -> None:
        """Close it and forget everything."""
        self._in_a_row = 0
        self._rest_s = 0.0  # how long this time; 0: closed
        self._until = 0.0
        self._trial: float | None = None  # when one began that has no outcome yet
        self._why = ""

    @property
    def is_open(self) -> bool:
        """Whether the model is left alone, or on trial."""
        return self._rest_s > 0

    def may_try(self, now: float) -> bool:
        """Whether the model may be asked now. Where that is a trial, nobody else may until its outcome is told.

        Keep the breaker after a yes while it is open: a process that dies of its trial cannot tell any more.
        """
        if not self.is_open:
            return True
        if self._on_trial(now) or self.rests(now):
            return False
        self._trial = now
        return True

    def rests(self, now: float) -> bool:
        """Whether it is too early even for a trial. After the clock was set back, a rest is no longer than it was."""
        self._until = now + self.seconds_left(now)
        return self._until > now

    def failed(self, now: float, why: str) -> None:
        """The model failed: it died, did not answer, or answered nonsense. Late failures do not lengthen its rest."""
        self._why = why
        self._in_a_row += 1
        if self.is_open and self._trial is not None:
            self._rest(now, min(2 * self._rest_s, self._longest_s))
        elif not self.is_open and self._in_a_row >= self._most:
            self._rest(now, self._first_s)

    def succeeded(self, now: float) -> None:  # noqa: ARG002 - the pair of failed
        """The model answered with sense."""
        self.reset()

    def withdrawn(self) -> None:
        """A trial ended without saying anything of the model (memory was short, the asker left); another may follow."""
        self._trial = None

    def _rest(self, now: float, rest_s: float) -> None:
        self._rest_s = rest_s
        self._until = now + rest_s
        self._trial = None

    def seconds_left(self, now: float) -> float:
        """Until the next trial; 0 where it may be now, or the breaker is closed."""
        return min(max(0.0, self._until - now), self._rest_s)

    def _on_trial(self, now: float) -> bool:
        return self._trial is not None and 0 <= now - self._trial < TRIAL_S

    def sentence(self, now: float) -> str:
        """Why the model is left alone, until when by the user's clock, and what to do; "" where it is not."""
        if not self.is_open:
            return ""
        left = self.seconds_left(now)
        if self._on_trial(now):
            when = ": it is being tried again now"
        elif left > 0:  # a time of day stays true where the sentence is kept and read later
            when = f" until {time.strftime('%H:%M:%S', time.localtime(now + left))}; {_RESET}"
        else:
            when = ": the next request tries it again"
        return f"The model failed {self._in_a_row} times in a row and is left alone{when}. Last: {self._why}"

    def as_json(self) -> str:
        """Everything it knows, for a file."""
        kept = {"in_a_row": self._in_a_row, "rest_s": self._rest_s, "until": self._until}
        return json.dumps({**kept, "trial": self._trial, "why": self._why})

    def load(self, text: str, now: float) -> None:
        """Become what ``as_json`` wrote; closed where that is nothing it wrote.

        A trial still open then was never told the outcome of: the process died of it, and that is a failure.
        """
        self.reset()
        try:
            kept = json.loads(text)
            in_a_row, rest_s = _number(kept, "in_a_row"), _number(kept, "rest_s")
            until, why = _number(kept, "until"), str(kept["why"])
            trial = None if kept["trial"] is None else _number(kept, "trial")
        except (ValueError, TypeError, KeyError, RecursionError):
            return
        self._in_a_row, self._rest_s = int(in_a_row), min(rest_s, self._longest_s)
        self._until, self._trial, self._why = until, trial, why
        if trial is not None:
            self.failed(now, f"the process that tried it ended before it could tell. Before that: {why}")


def _number(kept: dict[str, Any], name: str) -> float:
    """A number from 0 to 1e15. Raises ValueError, KeyError, TypeError."""
    value = float(kept[name])
    if not 0 <= value < 1e15:  # NaN too
        raise ValueError(name)
    return value


def span_in_words(seconds: float) -> str:
    """A span of time for a reader: 40 seconds, 12 minutes, 2 hours."""
    for name, length in (("hour", 3600), ("minute", 60)):
        if seconds >= 1.5 * length:
            return f"{round(seconds / length)} {name}s"
    whole = max(1, round(seconds))
    return f"{whole} second{'' if whole == 1 else 's'}"
