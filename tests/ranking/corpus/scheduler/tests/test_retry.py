"""Backoff and giving up."""

from tidework.retry import PermanentError, RetryPolicy


def test_delays_double_and_stop_growing_at_the_cap():
    policy = RetryPolicy(base_delay=2, max_delay=10, jitter=0)
    assert [policy.next_delay(attempt).total_seconds() for attempt in range(1, 5)] == [2, 4, 8, 10]


def test_a_permanent_error_is_not_retried():
    assert not RetryPolicy().should_retry(1, PermanentError())


def test_jitter_stays_within_its_share():
    policy = RetryPolicy(base_delay=10, jitter=0.2)
    assert all(8 <= policy.next_delay(1).total_seconds() <= 12 for _ in range(100))
