"""Where a running embedding service is found: one directory a model, its user's alone.

service.json    who listens, where, and the key that clients must know
service.lock    held by the service for as long as it lives
starting.lock   held by whoever starts one
service.log     what it and its children say
breaker.json    whether the model is left alone (embedding/lanes/breaker.py)
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import xxhash

from embedding.process import PACKAGE_ROOT, in_checkout

PROTOCOL = 1  # of the frames between client and service: those of another number do not meet
_SAME_START_S = 5.0  # the system's word for when a process began moves a little as its clock is set


@dataclass(frozen=True, slots=True)
class ServiceNote:
    """Who serves, and how to reach it."""

    pid: int
    started: float  # seconds since the epoch, as the system tells it
    address: str
    key: str  # hexadecimal
    since_boot: float = 0.0  # when it began, in seconds since the system did

    @classmethod
    def of_this_process(cls, address: str, key: bytes) -> ServiceNote:
        """The note of a service that runs in this process."""
        import psutil

        started = psutil.Process().create_time()
        return cls(os.getpid(), started, address, key.hex(), started - psutil.boot_time())

    def is_alive(self) -> bool:
        """Whether that process still runs, and not another one under its number; also after the clock was set."""
        import psutil

        with suppress(psutil.Error):
            process = psutil.Process(self.pid)
            started = process.create_time()
            moved = started - self.started, started - psutil.boot_time() - self.since_boot
            # Linux reckons from its start, whose date moves with the clock; others keep the date of the process.
            return min(map(abs, moved)) < _SAME_START_S and bool(process.status() != psutil.STATUS_ZOMBIE)
        return False

    def kill(self) -> None:
        """End the process, whatever it does; its children end with it."""
        import psutil

        if self.is_alive():
            with suppress(psutil.Error):
                process = psutil.Process(self.pid)
                process.kill()
                process.wait(5.0)


@dataclass(frozen=True, slots=True)
class Place:
    """The directory of one model's service."""

    directory: Path

    @property
    def lock(self) -> Path:
        """Held by the service."""
        return self.directory / "service.lock"

    @property
    def starting(self) -> Path:
        """Held by whoever starts one."""
        return self.directory / "starting.lock"

    @property
    def log(self) -> Path:
        """What service and children say."""
        return self.directory / "service.log"

    @property
    def breaker(self) -> Path:
        """Whether the model is left alone."""
        return self.directory / "breaker.json"

    @property
    def _note(self) -> Path:
        return self.directory / "service.json"

    def make(self) -> None:
        """Create it and the directory of all services, for their user alone. Raises OSError."""
        for directory in (self.directory.parent, self.directory):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            directory.chmod(0o700)

    def note(self) -> ServiceNote | None:
        """Who serves, or last did and could not sign off; None where nobody."""
        with suppress(OSError, ValueError, TypeError):
            return ServiceNote(**json.loads(self._note.read_text(encoding="utf-8")))
        return None

    def write(self, note: ServiceNote) -> None:
        """Sign on."""
        aside = self._note.with_name(f"service.json.{os.getpid()}")
        aside.touch(mode=0o600)
        aside.write_text(json.dumps(asdict(note)), encoding="utf-8")
        aside.replace(self._note)

    def clear(self, note: ServiceNote) -> None:
        """Sign off, unless another one has signed on; a note that cannot be deleted names a process that is gone."""
        if self.note() == note:
            with suppress(OSError):  # on Windows: somebody reads it just now
                self._note.unlink()


def services_directory(data_dir: Path) -> Path:
    """Where the places of all models are."""
    return data_dir / "services"


def place_of(data_dir: Path, fingerprint: str) -> Place:
    """The place of the model of that fingerprint.

    What is installed has one service a user; a checkout has its own, since its code may be another.
    """
    code = str(PACKAGE_ROOT) if in_checkout() else ""
    name = xxhash.xxh3_64_hexdigest(f"{PROTOCOL}\0{code}\0{fingerprint}".encode())
    return Place(services_directory(data_dir) / name)
