"""The worker process: claims jobs, runs their handlers, survives their failures."""

from __future__ import annotations

import argparse
import importlib
import logging
import signal
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from tidework.config import Config, load_config
from tidework.db import ConnectionPool, transaction
from tidework.metrics import JOB_SECONDS, JOBS_FAILED
from tidework.models import Job, JobStatus
from tidework.notify import notify_finished
from tidework.queue import JobQueue

logger = logging.getLogger(__name__)
Handler = Callable[[dict[str, Any]], None]


class HandlerNotFoundError(LookupError):
    """A job names a handler that cannot be imported."""


def resolve_handler(dotted: str) -> Handler:
    """The function that ``package.module:function`` names."""
    module, _, function = dotted.partition(":")
    try:
        return getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise HandlerNotFoundError(f"no handler {dotted!r}: {error}") from error


def run_job(job: Job, queue: JobQueue, config: Config) -> None:
    """Run one job to its end, whatever that is: done, released for another attempt, or dead."""
    started = time.monotonic()
    try:
        resolve_handler(job.handler)(job.payload)
    except Exception as error:
        JOBS_FAILED.increment(queue=job.queue)
        if config.retry.should_retry(job.attempts, error):
            queue.release(job, config.retry.next_delay(job.attempts))
            return
        logger.exception("job %d is dead after %d attempts", job.id, job.attempts)
        queue.finish(job, JobStatus.DEAD, str(error))
    else:
        queue.finish(job, JobStatus.DONE)
    JOB_SECONDS.observe(time.monotonic() - started)
    notify_finished(job, config)


class Worker:
    """One process with some threads, each running a job at a time."""

    def __init__(self, pool: ConnectionPool, config: Config) -> None:
        self.name = f"{socket.gethostname()}-{id(self):x}"
        self.config = config
        self._pool = pool
        self._queue = JobQueue(pool, config.worker.queues)
        self._stopping = threading.Event()
        self._running: set[Future[None]] = set()

    def run(self) -> None:
        """Claim and run until stopped."""
        with ThreadPoolExecutor(self.config.worker.concurrency) as threads:
            while not self._stopping.wait(0.5):
                self.heartbeat()
                for job in self._queue.claim(self.name, self._free_slots()):
                    future = threads.submit(run_job, job, self._queue, self.config)
                    self._running.add(future)
                    future.add_done_callback(self._running.discard)
            self.drain()

    def heartbeat(self) -> None:
        """Tell the others that this worker lives."""
        with transaction(self._pool) as cursor:
            cursor.execute(
                "INSERT INTO workers (name) VALUES (%s) ON CONFLICT (name) DO UPDATE SET beat_at = now()", (self.name,)
            )

    def drain(self) -> None:
        """Let running jobs end, for the grace period at most."""
        deadline = time.monotonic() + self.config.worker.grace_period
        while self._running and time.monotonic() < deadline:
            time.sleep(0.1)
        if self._running:
            logger.warning("%d jobs did not end within the grace period", len(self._running))

    def stop(self, *_: Any) -> None:
        """Claim nothing more; called by SIGTERM."""
        self._stopping.set()

    def _free_slots(self) -> int:
        return self.config.worker.concurrency - len(self._running)


def main() -> None:
    """The command ``tidework``."""
    parser = argparse.ArgumentParser(description="Run jobs of a queue.")
    parser.add_argument("--config", default="tidework.yaml")
    config = load_config(parser.parse_args().config)
    worker = Worker(ConnectionPool(config.database), config)
    signal.signal(signal.SIGTERM, worker.stop)
    worker.run()
