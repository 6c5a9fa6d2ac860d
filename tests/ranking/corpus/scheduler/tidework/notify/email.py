"""Mail through an SMTP server."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage

TIMEOUT_S = 10


def send_email(to: str, subject: str, text: str, host: str = "localhost") -> None:
    """Send one plain text message."""
    smtp_send(compose_message(to, subject, text), host)


def compose_message(to: str, subject: str, text: str) -> EmailMessage:
    """A message with the headers that keep it out of spam folders."""
    message = EmailMessage()
    message["From"] = "tidework@localhost"
    message["To"] = to
    message["Subject"] = subject.replace("\n", " ")[:200]
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    return message


def smtp_send(message: EmailMessage, host: str) -> None:
    """Hand a message to the server, encrypted where it can."""
    with smtplib.SMTP(host, timeout=TIMEOUT_S) as server:
        if server.has_extn("starttls"):
            server.starttls()
        server.send_message(message)
