"""Files of the Hugging Face hub over HTTP: resumed where they broke off, verified, and quick to give up.

Written on the standard library: the hub's own client retries an unknown host for 23 seconds before it says so, and
raises the errors of a private HTTP library. HF_ENDPOINT, HF_TOKEN and the usual proxy variables are honoured.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from embedding.errors import SourceError
from embedding.model import HubSource, Part

Progress = Callable[[str, int, int], None]  # what, bytes so far, bytes in all (0: unknown)

TIMEOUT_S = 10.0  # to connect, and between two pieces of an answer
RESUMES = 5  # how often a download that made headway is taken up again
_PIECE = 1 << 20
_EXPLANATIONS = {
    401: "it wants a token (HF_TOKEN), and perhaps that its licence is accepted on the hub's page",
    403: "it wants a token (HF_TOKEN), and perhaps that its licence is accepted on the hub's page",
    404: "it is not there",
    429: "it asks to come back later",
}


def fetch_part(source: HubSource, part: Part, target: Path, progress: Progress) -> None:
    """Bring ``part`` to ``target``, taking up what an earlier try left there, and check its sha256.

    Raises SourceError with the cause; a file with the wrong hash is deleted.
    """
    expected = part.sha256 or _published_sha256(source, part)
    url = f"{_endpoint()}/{source.repo}/resolve/main/{urllib.parse.quote(_member(source, part))}"
    _download(url, target, lambda done, total: progress(part.name, done, total))
    if file_sha256(target) != expected:
        target.unlink()
        raise SourceError(f"{part.name} came with the wrong sha256")


def file_sha256(path: Path) -> str:
    """The sha256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _endpoint() -> str:
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or "https://huggingface.co"


def _member(source: HubSource, part: Part) -> str:
    return f"{source.folder}/{part.name}" if source.folder else part.name


def _published_sha256(source: HubSource, part: Part) -> str:
    """The hash the hub keeps for a large file."""
    with _get(f"{_endpoint()}/api/models/{source.repo}/tree/main", 0) as answer:
        entries: list[dict[str, Any]] = _json(answer)
    for entry in entries:
        if entry.get("path") == _member(source, part):
            return str(entry.get("lfs", {}).get("oid", "")).removeprefix("sha256:")
    raise SourceError(f"{part.name} is not in {source.repo}")


def _json(answer: IO[bytes]) -> Any:
    try:
        return json.loads(answer.read(1 << 24))
    except (ValueError, OSError, http.client.HTTPException) as error:
        raise SourceError("its list of files cannot be read") from error


def _get(url: str, start: int) -> http.client.HTTPResponse:
    request = urllib.request.Request(url, headers={"User-Agent": "codeloupe"})  # noqa: S310 - checked below
    if request.type not in ("http", "https"):
        raise SourceError(f"HF_ENDPOINT is {url}, no address of the web")
    if start:
        request.add_header("Range", f"bytes={start}-")
    token = os.environ.get("HF_TOKEN", "")
    if token:  # unredirected: a redirect leads to another host, which must not see it
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    try:
        answer: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=TIMEOUT_S)  # noqa: S310 - as above
    except urllib.error.HTTPError as error:
        error.close()
        raise _HttpStatusError(error.code) from error
    except (OSError, http.client.HTTPException) as error:
        raise SourceError(_reason(error)) from error
    return answer


class _HttpStatusError(SourceError):
    def __init__(self, status: int) -> None:
        super().__init__(_EXPLANATIONS.get(status, f"it answered with status {status}"))
        self.status = status


def _reason(error: Exception) -> str:
    cause = getattr(error, "reason", error)
    text = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return str(text).lower()


def _download(url: str, target: Path, progress: Callable[[int, int], None]) -> None:
    for attempt in range(RESUMES + 1):
        before = _size(target)
        try:
            _append(url, target, before, progress)
        except _HttpStatusError as error:
            if error.status != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise
            return  # all of it is there; if it is the wrong all, the hash says so
        except SourceError:
            if attempt == RESUMES or _size(target) <= before:
                raise
            continue
        return


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _append(url: str, target: Path, start: int, progress: Callable[[int, int], None]) -> None:
    with _get(url, start) as answer:
        if answer.status != http.HTTPStatus.PARTIAL_CONTENT:
            start = 0
        total = start + int(answer.headers.get("Content-Length") or 0)
        with target.open("ab" if start else "wb") as file:
            done = start
            while piece := _piece(answer):
                file.write(piece)
                done += len(piece)
                progress(done, total)
    if total and done < total:
        raise SourceError("the connection broke off")


def _piece(answer: http.client.HTTPResponse) -> bytes:
    try:
        return answer.read(_PIECE)
    except (OSError, http.client.HTTPException) as error:
        raise SourceError(f"the connection broke off: {_reason(error)}") from error
