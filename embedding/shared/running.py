"""The embedding services of a user that are there, whatever model they run: asked, reset and ended from outside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from embedding.lanes.kept_breaker import KeptBreaker
from embedding.shared.finding import answering, stop
from embedding.shared.link import Link
from embedding.shared.place import Place, services_directory
from embedding.shared.state import ServiceState, state_of
from embedding.wire import Frame

ANSWER_S = 5.0  # a state takes a millisecond


@dataclass(frozen=True, slots=True)
class Service:
    """The service that runs at a place, or did."""

    place: Place

    @property
    def pid(self) -> int:
        """Of the process that signed on last; 0 where none has, or it has signed off."""
        note = self.place.note()
        return note.pid if note else 0

    @property
    def runs(self) -> bool:
        """Whether its process is there, answering or not."""
        note = self.place.note()
        return note is not None and note.is_alive()

    def state(self) -> ServiceState | None:
        """How it is; None where none runs. Raises EmbeddingError where it runs and does not answer."""
        with self._link() as link:
            return state_of(link.ask(Frame({"state": True}), ANSWER_S).header["state"]) if link else None

    @property
    def left_alone(self) -> str:
        """Why its model is left alone, by the file that outlives it; "" where it is not."""
        return KeptBreaker(self.place.breaker).sentence() if self.place.breaker.exists() else ""

    def reset(self) -> bool:
        """Have its model tried again at once, where it was left alone; whether it was.

        Raises EmbeddingError where it runs and does not answer.
        """
        was = bool(self.left_alone)
        with self._link() as link:
            if link is not None:
                link.ask(Frame({"reset": True}), ANSWER_S)
            else:
                self.place.breaker.unlink(missing_ok=True)
        return was

    def stop(self) -> bool:
        """End it, whoever uses it, killed where it does not answer; whether it ran."""
        return stop(self.place)

    @contextmanager
    def _link(self) -> Iterator[Link | None]:
        link = answering(self.place)
        try:
            yield link
        finally:
            if link is not None:
                link.close()


def services(data_dir: Path) -> list[Service]:
    """Those that were ever started under ``data_dir``, running or not."""
    directory = services_directory(data_dir)
    places = sorted(path for path in directory.iterdir() if path.is_dir()) if directory.is_dir() else []
    return [Service(Place(path)) for path in places]
