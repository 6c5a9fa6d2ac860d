"""Files of the Hugging Face hub, by way of its own client: where it is asked, and its errors in our words.

HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE and the proxy variables are the client's and mean what its makers say.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from embedding.errors import SourceError
from embedding.model import HubSource, Part

Progress = Callable[[str, int, int], None]  # what, bytes so far, bytes in all (0: unknown)

# The client reads these as it is imported; what the user has set goes first.
_CLIENT_DEFAULTS = {
    "HF_HUB_DISABLE_TELEMETRY": "1",  # else it asks for a list of agents, and keeps it in ~/.cache/huggingface
    "HF_HUB_ETAG_TIMEOUT": "3",  # seconds to connect and to say what a file is; its own 10 are long when offline
}
_EXPLANATIONS = {
    401: "it wants a token (HF_TOKEN), and perhaps that its licence is accepted on the hub's page",
    403: "it wants a token (HF_TOKEN), and perhaps that its licence is accepted on the hub's page",
    404: "it is not there",
    429: "it asks to come back later",
}


def fetch_part(source: HubSource, part: Part, target: Path, progress: Progress) -> None:
    """Bring ``part`` to ``target``, taking up what an earlier try left there, and check its sha256.

    Raises SourceError with the cause, and OSError where ``target`` cannot be written; a file with the wrong hash is
    deleted. The client writes 10 MiB at a time: that much may come twice after a broken connection.
    """
    endpoint = _endpoint()
    for name, value in _CLIENT_DEFAULTS.items():
        os.environ.setdefault(name, value)
    import httpx2  # the client's own HTTP library, whose errors it lets through

    try:
        published = _download(endpoint, source, part, target, partial(progress, part.name))
    except (httpx2.HTTPError, OSError) as error:
        if getattr(error, "errno", None):  # the disk's
            raise
        raise SourceError(_reason(error)) from error
    if file_sha256(target) != (part.sha256 or published):
        target.unlink()
        raise SourceError(f"{part.name} came with the wrong sha256")


def file_sha256(path: Path) -> str:
    """The sha256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _endpoint() -> str:
    """Looked at before the client is, which takes a bad one for a bug of its own and cannot be imported."""
    endpoint = os.environ.get("HF_ENDPOINT", "").rstrip("/") or "https://huggingface.co"
    try:
        address = urlsplit(endpoint)
        usable = address.scheme in ("http", "https") and address.hostname and address.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise SourceError(f"HF_ENDPOINT is {endpoint}, no address of the web")
    return endpoint


def _download(endpoint: str, source: HubSource, part: Part, target: Path, report: Callable[[int, int], None]) -> str:
    """Bring the file, unverified; the sha256 the hub publishes for it.

    ``hf_hub_download`` would do these three steps in one, but throws away what it has when it fails, and asks an
    unknown host seven times in 23 seconds. ``get_hf_file_metadata`` asks once, and ``http_get`` resumes.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]  # in its reference, in no __all__

    url = hf_hub_url(source.repo, part.name, subfolder=source.folder, endpoint=endpoint)
    headers = build_hf_headers(user_agent="codeloupe")
    known = get_hf_file_metadata(url, headers=headers, endpoint=endpoint)
    if not part.sha256 and not re.fullmatch("[0-9a-f]{64}", known.etag or ""):
        raise SourceError(f"it publishes no sha256 of {part.name}")
    bar: Any = partial(_Bar, report)
    with target.open("ab") as file:
        start = file.tell()
        if known.size is None or start > known.size:  # not a beginning of it
            start = file.truncate(0)
        http_get(url, file, resume_size=start, headers=headers, expected_size=known.size, tqdm_class=bar)
    return known.etag or ""


class _Bar:
    """What the client takes for its progress bar: it reports, and draws nothing."""

    def __init__(
        self, report: Callable[[int, int], None], *, initial: int, total: int | None, **_appearance: object
    ) -> None:
        self._report = report
        self._done = initial
        self._total = total or 0

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is drawn, nothing is cleared."""

    def update(self, count: int) -> None:
        """``count`` bytes more."""
        self._done += count
        self._report(self._done, self._total)


def _reason(error: Exception) -> str:
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError

    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code
        return _EXPLANATIONS.get(status, f"it answered with status {status}")
    cause = str(error).rpartition("] ")[2].lower() or type(error).__name__  # without "[Errno 111] "
    beginnings = {
        httpx2.TimeoutException: "it does not answer in time",
        httpx2.ConnectError: "it cannot be reached",
        httpx2.NetworkError: "the connection broke off",
        httpx2.ProtocolError: "the connection broke off",
        httpx2.ProxyError: "the proxy refuses",
    }
    beginning = next((words for kind, words in beginnings.items() if isinstance(error, kind)), "it fails")
    return f"{beginning}: {cause}"
