"""Who may call the API: bearer tokens, signed with HMAC."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass


class AuthenticationError(Exception):
    """The caller is not who they say, or says nothing."""


class TokenExpiredError(AuthenticationError):
    """The token was good once."""


@dataclass(frozen=True)
class Principal:
    """Who is calling, and what they may do."""

    subject: str
    scopes: frozenset[str]

    def require(self, scope: str) -> None:
        """Raise unless this caller has ``scope``."""
        if scope not in self.scopes:
            raise AuthenticationError(f"{self.subject} may not {scope}")


def sign_token(subject: str, scopes: list[str], secret: bytes, lifetime: float = 3600.0) -> str:
    """A token for ``subject`` that is good for ``lifetime`` seconds."""
    claims = json.dumps({"sub": subject, "scopes": scopes, "exp": time.time() + lifetime}).encode()
    body = base64.urlsafe_b64encode(claims).decode().rstrip("=")
    return f"{body}.{_signature(body, secret)}"


def verify_token(token: str, secret: bytes) -> Principal:
    """The caller a token speaks for."""
    body, _, signature = token.partition(".")
    if not hmac.compare_digest(signature, _signature(body, secret)):
        raise AuthenticationError("the token's signature does not match")
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    if claims["exp"] < time.time():
        raise TokenExpiredError(f"the token of {claims['sub']} expired {time.time() - claims['exp']:.0f} s ago")
    return Principal(claims["sub"], frozenset(claims["scopes"]))


def authenticate_request(headers: dict[str, str], secret: bytes) -> Principal:
    """The caller of a request, from its Authorization header."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise AuthenticationError("send a bearer token in the Authorization header")
    return verify_token(token, secret)


def _signature(body: str, secret: bytes) -> str:
    return hmac.new(secret, body.encode(), hashlib.sha256).hexdigest()
