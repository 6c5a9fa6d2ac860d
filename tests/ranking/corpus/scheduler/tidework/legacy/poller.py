"""The worker of version 1: polls the table without locks. Kept for installations that have not migrated."""

from __future__ import annotations

import time
import warnings


class PollingWorker:
    """Claims jobs by polling. Two of them on one queue can run a job twice: use tidework.worker.Worker."""

    def __init__(self, database, interval=1.0):
        warnings.warn("PollingWorker is deprecated, use Worker", DeprecationWarning, stacklevel=2)
        self.database = database
        self.interval = interval

    def run(self):
        """Claim and run jobs for ever."""
        while True:
            job = self.claim()
            if job is None:
                time.sleep(self.interval)
            else:
                self.run_job(job)

    def claim(self):
        """The oldest job that is ready."""
        return self.database.first("SELECT * FROM jobs WHERE status = 'ready' ORDER BY run_at")

    def run_job(self, job):
        """Run a job; a failure is retried at once, three times."""
        for attempt in range(3):
            try:
                return job.call()
            except Exception:
                if attempt == 2:
                    raise
        return None
