"""An example: a report every night, with its own retry policy."""

from tidework import CronExpression, JobQueue, RetryPolicy
from tidework.config import DatabaseConfig
from tidework.db import ConnectionPool

POLICY = RetryPolicy(max_attempts=3, base_delay=60)
SCHEDULE = CronExpression.parse("30 2 * * *")


def build_report(payload):
    """The handler: what a job does."""
    print("report for", payload["day"])


def main():
    """Enqueue tonight's report."""
    queue = JobQueue(ConnectionPool(DatabaseConfig()), ["reports"])
    queue.enqueue("reports", "nightly_report:build_report", {"day": "today"})


if __name__ == "__main__":
    main()
