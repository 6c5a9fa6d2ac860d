"""Files of the Hugging Face hub, by way of its own client: where it is asked, and its errors in our words.

HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE and the proxy variables are the client's and mean what its makers say.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from embedding.errors import SourceError
from embedding.files.digest import file_sha256
from embedding.model import HubSource, Part

_AGENT = "codeloupe"
_PATIENCE_S = 10.0  # for the list of a repository's files
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


@dataclass(frozen=True, slots=True)
class Published:
    """What the hub says of a file: its address, and its length and sha256 where it says them (None, "")."""

    url: str
    size: int | None
    sha256: str


@dataclass(frozen=True, slots=True)
class Repository:
    """What a repository of models holds, and under which licence ("": it does not say)."""

    files: tuple[str, ...]
    licence: str


def look_into(source: HubSource) -> Repository:
    """The files of a repository, by their paths in it. Raises SourceError with the cause."""
    with _asking() as endpoint:
        from huggingface_hub import HfApi

        hub = HfApi(endpoint, user_agent=_AGENT)
        try:
            found = hub.model_info(source.repo, revision=source.revision, timeout=_PATIENCE_S)
        except (TypeError, ValueError) as error:  # a page of somebody else's in place of an answer, or a bad name
            raise SourceError(f"its answer is not understood: {error}") from error
    said = getattr(found.card_data, "license_name", None) or getattr(found.card_data, "license", None)
    files = tuple(sibling.rfilename for sibling in found.siblings or ())
    return Repository(files, said if isinstance(said, str) else "")


def describe(source: HubSource, part: Part) -> Published:
    """What the hub says of ``part``; none of it is fetched. Raises SourceError with the cause."""
    with _asking() as endpoint:
        from huggingface_hub import get_hf_file_metadata, hf_hub_url

        url = hf_hub_url(source.repo, part.name, subfolder=source.folder, revision=source.revision, endpoint=endpoint)
        known = get_hf_file_metadata(url, headers=_headers(), endpoint=endpoint)
    published = known.etag if re.fullmatch("[0-9a-f]{64}", known.etag or "") else ""  # small files have git's hash
    if not part.sha256 and not published:
        raise SourceError(f"it publishes no sha256 of {part.name}")
    return Published(url, known.size, part.sha256 or published or "")


def fetch_part(published: Published, part: Part, target: Path, progress: Progress) -> None:
    """Bring ``part`` to ``target``, taking up what an earlier try left there, and check its sha256.

    Raises SourceError with the cause, and OSError where ``target`` cannot be written; a file with the wrong hash is
    deleted. The client writes 10 MiB at a time: that much may come twice after a broken connection.
    """
    with _asking():
        _download(published, target, partial(progress, part.name))
    if file_sha256(target) != published.sha256:
        target.unlink()
        raise SourceError(f"{part.name} came with the wrong sha256")


def left_of(published: Published, target: Path) -> int:
    """Bytes that are still to come; 0 where nobody knows."""
    have = target.stat().st_size if target.is_file() else 0
    size = published.size or 0
    return size - have if have <= size else size


@contextmanager
def _asking() -> Iterator[str]:
    """The address of the hub, its client made ready; what goes wrong on the way becomes a SourceError.

    The disk's errors stay what they are. The client lets its HTTP library's through, and gives its name for that.
    """
    endpoint = _endpoint()
    for name, value in _CLIENT_DEFAULTS.items():
        os.environ.setdefault(name, value)
    from huggingface_hub.utils import httpx  # type: ignore[attr-defined]  # at run time only, and for such as us

    try:
        yield endpoint
    except (httpx.HTTPError, OSError) as error:
        if getattr(error, "errno", None):
            raise
        raise SourceError(_reason(error)) from error


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


def _headers() -> dict[str, str]:
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]  # in its reference, in no __all__

    headers: dict[str, str] = build_hf_headers(user_agent=_AGENT)
    return headers


def _download(published: Published, target: Path, report: Callable[[int, int], None]) -> None:
    """Bring the file, unverified.

    ``hf_hub_download`` would describe, resume and verify in one, but throws away what it has when it fails, and asks
    an unknown host seven times in 23 seconds. ``get_hf_file_metadata`` asks once, and ``http_get`` resumes.
    """
    from huggingface_hub.file_download import http_get

    bar: Any = partial(_Bar, report)
    with target.open("ab") as file:
        start = file.tell()
        if published.size is None or start > published.size:  # not a beginning of it
            start = file.truncate(0)
        http_get(
            published.url,
            file,
            resume_size=start,
            headers=_headers(),
            expected_size=published.size,
            tqdm_class=bar,
        )


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
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled
    from huggingface_hub.utils import httpx  # type: ignore[attr-defined]

    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code
        return _EXPLANATIONS.get(status, f"it answered with status {status}")
    if isinstance(error, OfflineModeIsEnabled):
        return "it is not asked, for HF_HUB_OFFLINE is set"
    cause = str(error).rpartition("] ")[2].lower() or type(error).__name__  # without "[Errno 111] "
    beginnings = {
        httpx.TimeoutException: "it does not answer in time",
        httpx.ConnectError: "it cannot be reached",
        httpx.NetworkError: "the connection broke off",
        httpx.ProtocolError: "the connection broke off",
        httpx.ProxyError: "the proxy refuses",
    }
    beginning = next((words for kind, words in beginnings.items() if isinstance(error, kind)), "it fails")
    return f"{beginning}: {cause}"
