"""SharedChannel: the way to the one service of a user and model, which is started where none runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import IO, TYPE_CHECKING, cast

from embedding.errors import EmbeddingError, LinkLostError, ModelFailedError, ServiceError
from embedding.model_run import ModelRun
from embedding.process import PACKAGE_ROOT, child_environment
from embedding.shared.channel import remaining
from embedding.shared.place import Place, ServiceNote
from embedding.shared.starter import STARTER
from embedding.shared.state import ServiceState, state_of
from embedding.wire import Frame

if TYPE_CHECKING:
    from embedding.shared.link import Link

START_S = 30.0  # it takes .2 s on a quiet machine
STOP_S = 5.0
ANSWER_S = 5.0  # a state takes a millisecond
_LOOK_S = 0.02
_TRIES = 3  # a request that outlives so many services is not asked again
_LOG_BYTES = 1 << 20


class SharedChannel:
    """See Channel. Reconnects, and starts a service again, as often as the old one has ended."""

    def __init__(self, run: ModelRun, place: Place) -> None:
        """Nothing is looked for before the first request."""
        self._run = run
        self._place = place
        self._link: Link | None = None
        self._lock = threading.Lock()
        self._closed = False

    @property
    def place(self) -> Place:
        """Where its service is found."""
        return self._place

    def ask(self, request: Frame, timeout_s: float | None = None) -> Frame:
        """See Channel. A request whose service ends is asked again of the next one, twice at most."""
        deadline = float("inf") if timeout_s is None else time.monotonic() + timeout_s
        lost: list[str] = []
        for _ in range(_TRIES):
            try:
                return self._attached().ask(request, remaining(deadline))
            except LinkLostError as error:
                lost.append(str(error))
        raise ModelFailedError(
            f"The embedding service was lost {_TRIES} times in a row ({lost[-1].rstrip('.')}); "
            f"look into {self._place.log}, or run 'codeloupe doctor'."
        )

    def state(self) -> ServiceState | None:
        """See Channel."""
        try:
            with self._lock:
                if self._closed:
                    return None
                if self._link is None or self._link.lost:
                    self._link = answering(self._place)
                link = self._link
            return state_of(link.ask(Frame({"state": True}), ANSWER_S).header["state"]) if link else None
        except LinkLostError:
            return None

    def close(self) -> None:
        """See Channel: the service goes on for others."""
        with self._lock:
            self._closed = True
            if self._link is not None:
                self._link.close()

    def _attached(self) -> Link:
        with self._lock:
            if self._closed:
                raise ServiceError("The embedder is closed; open another.")
            if self._link is None or self._link.lost:
                self._link = attach(self._run, self._place)
            return self._link


def connected(place: Place) -> Link | None:
    """A link to the service that runs, None where none does.

    Raises LinkLostError where one runs and does not answer, ServiceError where this process cannot ask.
    """
    note = place.note()
    if note is None:
        return None
    from embedding.shared.link import dial  # multiprocessing takes 15 ms to import, and many a command asks no model

    try:
        return dial(note.address, bytes.fromhex(note.key))
    except LinkLostError:
        if note.is_alive() and place.note() == note:
            raise
        return None


def answering(place: Place) -> Link | None:
    """See connected; raises ServiceError with what to do."""
    try:
        return connected(place)
    except LinkLostError as error:
        note = place.note()
        raise ServiceError(
            f"The embedding service (pid {note.pid if note else 0}) does not answer; run 'codeloupe service stop', the "
            f"next text starts another. Its log is {place.log}."
        ) from error


def stop(place: Place) -> bool:
    """End the service at ``place``, whoever uses it, killed where it does not answer; whether one ran."""
    note = place.note()
    if note is None or not note.is_alive():
        return False
    patience_s = 0.0  # for one that does not take the wish
    with suppress(EmbeddingError):
        link = connected(place)
        if link is not None:
            link.ask(Frame({"stop": True}), ANSWER_S)
            link.close()
            patience_s = STOP_S
    end = time.monotonic() + patience_s
    while note.is_alive() and time.monotonic() < end:
        time.sleep(_LOOK_S)
    note.kill()
    return True


def attach(run: ModelRun, place: Place) -> Link:
    """A link to the service at ``place``, started if need be. Raises ServiceError with what to do."""
    with suppress(LinkLostError):
        if link := connected(place):
            return link
    from filelock import FileLock, Timeout

    try:
        place.make()
        with FileLock(place.starting, timeout=2 * START_S, mode=0o600):
            return _renewed(run, place)
    except Timeout as error:
        raise ServiceError(
            f"Another process has been starting the embedding service for {2 * START_S:.0f} s; look into {place.log}."
        ) from error
    except OSError as error:
        raise ServiceError(
            f"The embedding service cannot be kept in {place.directory} ({error.strerror or error}); make room, mend "
            "its permissions, or set model.shared to false."
        ) from error


def _renewed(run: ModelRun, place: Place) -> Link:
    """A link, with nobody else starting one: the service that does not answer goes, and another comes."""
    note = place.note()
    try:
        if link := connected(place):
            return link
    except LinkLostError:
        cast("ServiceNote", note).kill()
    _start(run, place)
    link = connected(place)
    if link is None:
        raise LinkLostError("The embedding service ended as soon as it had started.")
    return link


def _start(run: ModelRun, place: Place) -> None:
    """Start a service, and wait until it listens."""
    if place.log.exists() and place.log.stat().st_size > _LOG_BYTES:
        place.log.replace(place.log.with_suffix(".log.1"))
    place.log.touch(mode=0o600)
    with place.log.open("ab") as log:
        process = STARTER.start(lambda: _process(log))
    _greet(process, {"directory": str(place.directory), "run": run.as_json()}, place)
    threading.Thread(target=process.wait, name="embedding service end", daemon=True).start()  # no zombie is left


def _process(log: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "embedding.shared.serving"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        cwd=PACKAGE_ROOT,
        env=child_environment(dict(os.environ), 1),
        start_new_session=True,  # Ctrl-C in the terminal of its first user must not end it for the others
        creationflags=_DETACHED,
    )


_FLAGS = ("CREATE_NEW_PROCESS_GROUP", "CREATE_NO_WINDOW", "NORMAL_PRIORITY_CLASS")  # what Windows is told
_DETACHED = sum(getattr(subprocess, name, 0) for name in _FLAGS)


def _greet(process: subprocess.Popen[bytes], wanted: dict[str, object], place: Place) -> None:
    requests, answers = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
    late = threading.Timer(START_S, process.kill)
    late.start()
    try:
        requests.write(json.dumps(wanted).encode() + b"\n")
        requests.close()
        said = answers.readline().decode("utf-8", "replace").strip()
    except OSError:
        said = ""
    finally:
        in_time = late.is_alive()
        late.cancel()
        answers.close()
    if said == "ready":
        return
    process.kill()
    process.wait()
    if not said and in_time:
        raise LinkLostError(f"The embedding service ended while it started; look into {place.log}.")
    raise ServiceError(f"The embedding service did not start ({said or 'without a word'}); look into {place.log}.")
