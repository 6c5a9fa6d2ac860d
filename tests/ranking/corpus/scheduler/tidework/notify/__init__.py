"""Telling people and programs that a job ended."""

from tidework.notify.email import send_email
from tidework.notify.webhook import post_webhook

__all__ = ["notify_finished", "post_webhook", "send_email"]


def notify_finished(job, config):
    """Send what the configuration asks for; a notification that fails does not fail the job."""
    if config.webhook_url:
        post_webhook(config.webhook_url, job)
    if config.mail_to and job.status == "dead":
        send_email(config.mail_to, f"job {job.id} is dead", job.last_error)
