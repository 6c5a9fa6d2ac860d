"""tidework: a job scheduler that keeps its queue in PostgreSQL."""

from tidework.cron import CronExpression
from tidework.models import Job, JobStatus
from tidework.queue import JobQueue, UnknownQueueError
from tidework.retry import PermanentError, RetryPolicy
from tidework.worker import Worker, run_job

__all__ = [
    "CronExpression",
    "Job",
    "JobQueue",
    "JobStatus",
    "PermanentError",
    "RetryPolicy",
    "UnknownQueueError",
    "Worker",
    "run_job",
]
