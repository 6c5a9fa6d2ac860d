"""One child process that runs a model: started, asked with a deadline, and its end noticed and named."""

from __future__ import annotations

import os
import signal
import site
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

import embedding
from embedding.errors import EmbeddingTimeoutError, ModelFailedError, ModelInvalidError
from embedding.lanes.countdown import Countdown
from embedding.wire import Frame, Load, WireError, hold_frame, read_frame, write_frame

PACKAGE_FILE = Path(str(embedding.__file__)).resolve()
PACKAGE_ROOT = PACKAGE_FILE.parent.parent

# A 4 GB model read from a slow disk takes a minute; one that takes longer is stuck.
LOAD_TIMEOUT_S = 180.0
STOP_TIMEOUT_S = 2.0


class ChildDiedError(ModelFailedError):
    """The child ended, or answered nonsense; worth one more try in a new one."""


class Child:
    """A running child with its model loaded. One request at a time; embedding/lanes/lane.py sees to that.

    ``hold`` and ``release`` may be called by any thread at any time, also while another is in ``ask``.
    """

    def __init__(self, load: Load, *, timeout_s: float | None = None) -> None:
        """Start it and wait for its greeting.

        Raises ModelInvalidError where llama.cpp refuses the file, ChildDiedError where the child ends before it is
        ready, EmbeddingTimeoutError after ``timeout_s`` seconds (LOAD_TIMEOUT_S where None).
        """
        self._path = load.path
        self._expired = False
        self._held = self._told = False  # as it should be, and as the child knows
        self._countdown: Countdown | None = None  # of the request under way
        self._settled = threading.Lock()  # for what is held and the countdown, so that they agree
        self._writing = threading.Lock()  # frames never mix
        self._process = _spawn(load.threads)
        self._requests = cast("BinaryIO", self._process.stdin)
        self._answers = cast("BinaryIO", self._process.stdout)
        try:
            self._greet(load, LOAD_TIMEOUT_S if timeout_s is None else timeout_s)
        except BaseException:
            self.kill()
            raise

    @property
    def path(self) -> str:
        """The model's file."""
        return self._path

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it runs; one that has ended is reaped by that question."""
        return self._process.poll() is None

    def _greet(self, load: Load, timeout_s: float) -> None:
        hello = self.ask(load.frame(), timeout_s)
        if "error" in hello.header:
            raise ModelInvalidError(
                f"The model file {self._path} was not loaded: {hello.header['error']}; fetch it again or name another."
            )
        theirs = Path(str(hello.header["package"])).resolve()
        if theirs != PACKAGE_FILE:
            raise ModelFailedError(
                f"The model's process imported another package named embedding, {theirs}, instead of {PACKAGE_FILE}; "
                "take its directory out of PYTHONPATH."
            )

    def ask(self, request: Frame, timeout_s: float) -> Frame:
        """The answer to ``request``. The child is killed where ``timeout_s``, not counting time held, passes first.

        Raises EmbeddingTimeoutError then, and ChildDiedError where the child ends before it has answered.
        """
        try:
            with self._killed_after(timeout_s):
                with self._writing:
                    write_frame(self._requests, request)
                self._tell()
                answer = read_frame(self._answers)
        except (OSError, ValueError, WireError) as error:
            raise self._ending(timeout_s) from error
        if answer is None or self._expired:
            raise self._ending(timeout_s)
        return answer

    @contextmanager
    def _killed_after(self, timeout_s: float) -> Iterator[None]:
        with self._settled:
            countdown = self._countdown = Countdown(timeout_s, self._expire, held=self._held)
        try:
            yield
        finally:
            countdown.stop()
            with self._settled:
                self._countdown = None

    def _expire(self) -> None:
        self._expired = True
        self._process.kill()

    def hold(self) -> None:
        """Let its work stand still, a batch under way too (within one operation of llama.cpp's), until ``release``.

        Deadlines stand still with it. Held twice is held once; a child that has ended is left to who asks it.
        """
        self._stand(held=True)

    def release(self) -> None:
        """Let its work go on."""
        self._stand(held=False)

    def _stand(self, *, held: bool) -> None:
        with self._settled:
            self._held = held
            if self._countdown is not None:
                (self._countdown.hold if held else self._countdown.go_on)()
        with suppress(OSError, ValueError):  # it ended, or was ended: whoever asks it hears of that
            self._tell()

    def _tell(self) -> None:
        """Have the child know whether it is held. Waits for nobody: who writes just now sees to it afterwards."""
        while self._told != self._held and self._writing.acquire(blocking=False):
            try:
                held = self._held
                write_frame(self._requests, hold_frame(held))
                self._told = held
            finally:
                self._writing.release()

    def _ending(self, timeout_s: float) -> EmbeddingTimeoutError | ChildDiedError:
        self.kill()
        if self._expired:
            return EmbeddingTimeoutError(
                f"The model {self._path} gave no answer within {timeout_s:.1f} s and its process was stopped; "
                "ask again with a longer timeout or fewer texts."
            )
        return ChildDiedError(
            f"The process of the model {self._path} ended with {ending_name(self._process.returncode)}"
        )

    def kill(self) -> None:
        """End it now, whatever it does."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._requests, self._answers):
            with suppress(OSError):
                pipe.close()

    def close(self) -> None:
        """Close its pipe, upon which it ends, and wait for that; kill it where it does not."""
        with suppress(OSError):
            self._requests.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_TIMEOUT_S)
        self.kill()


def ending_name(code: int) -> str:
    """The exit code in words: the signal's name, a Windows status in hexadecimal, or the number."""
    if code < 0:
        with suppress(ValueError):
            return f"signal {-code} ({signal.Signals(-code).name})"
        return f"signal {-code}"
    return f"exit code {code:#x}" if code > 255 else f"exit code {code}"


def _spawn(threads: int) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "embedding.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=PACKAGE_ROOT,  # not the user's, which may hold an embedding/ of their own, and may be removed
            env=child_environment(dict(os.environ), threads),
        )
    except OSError as error:
        raise ModelFailedError(
            f"No process for the model could be started: {error.strerror}; free some memory."
        ) from error


def child_environment(inherited: dict[str, str], threads: int) -> dict[str, str]:
    """The environment of a child: as inherited, with what llama.cpp, OpenMP and the import of this package need.

    Threads that wait spin by default, which starves everybody on a busy machine (3,840 tokens a second passive, 490
    spinning, beside two busy neighbours). A backtrace by gdb would print to stdout and take seconds.
    """
    paths = inherited.get("PYTHONPATH", "").split(os.pathsep)
    absolute = [path for path in paths if Path(path).is_absolute()]  # "" and "." would be the user's directory
    if not _is_site_directory(PACKAGE_ROOT):
        absolute.insert(0, str(PACKAGE_ROOT))
    return inherited | {
        "PYTHONPATH": os.pathsep.join(absolute),
        "GGML_NO_BACKTRACE": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
        "OMP_NUM_THREADS": str(threads),
    }


def in_checkout() -> bool:
    """Whether this package is not where packages are installed."""
    return not _is_site_directory(PACKAGE_ROOT)


def _is_site_directory(root: Path) -> bool:
    """Whether Python finds ``root`` by itself; only otherwise (a checkout) must it be named."""
    known = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), site.getusersitepackages()]
    return root in [Path(path).resolve() for path in known]
