"""The worker against a queue in memory."""

import pytest
from tidework.config import Config
from tidework.models import Job, JobStatus
from tidework.retry import PermanentError
from tidework.worker import HandlerNotFoundError, resolve_handler, run_job


class FakeQueue:
    """Remembers what was done to jobs."""

    def __init__(self):
        self.finished, self.released = [], []

    def finish(self, job, status, error=""):
        self.finished.append((job.id, status))

    def release(self, job, delay):
        self.released.append((job.id, delay))


def failing(payload):
    raise ValueError("no")


def hopeless(payload):
    raise PermanentError("never")


@pytest.mark.parametrize("handler", ["failing", "hopeless"])
def test_a_job_that_fails_for_good_is_dead(handler):
    queue = FakeQueue()
    run_job(Job(1, "mail", f"{__name__}:{handler}", None, attempts=5), queue, Config())
    assert queue.finished == [(1, JobStatus.DEAD)]


def test_a_job_that_fails_is_released_for_another_attempt():
    queue = FakeQueue()
    run_job(Job(1, "mail", f"{__name__}:failing", None, attempts=1), queue, Config())
    assert [job_id for job_id, _ in queue.released] == [1]


def test_a_handler_that_is_not_there_is_named():
    with pytest.raises(HandlerNotFoundError, match="nowhere:nothing"):
        resolve_handler("nowhere:nothing")
