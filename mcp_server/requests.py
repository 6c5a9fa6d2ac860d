"""What a caller may ask, checked once for the tools and the command line; each refusal is one sentence."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from mcp_server.errors import RequestError
from storage.chunk import Filters

MODES = ("auto", "hybrid", "semantic", "text", "exact", "regex")
LITERAL_MODES = ("exact", "regex")
DETAILS = ("snippets", "locations", "full")
FORMATS = ("text", "json")
EMBED_KINDS = ("query", "document")
MAX_QUERY_CHARS = 8_000  # some 2,000 tokens: no model here reads more of a question
MAX_LIMIT = 100
MAX_OFFSET = 10_000
MAX_TEXTS = 1_000  # 1,000 vectors of 384 numbers are 4 MB of JSON; clients close above 10 MB
MAX_TEXT_CHARS = 200_000
MAX_EMBED_S = 600
MIN_TOKENS = 100
MAX_TOKENS = 12_000  # Claude Code warns above 10,000 and cuts at 25,000
FULL_TIMES = 2  # ten whole chunks of the benchmark's answers are 2,200 tokens in the mean, 2,800 in one of ten
# What one more hit takes of a budget: in an answer with evidence the half is for naming hits, at 50 tokens each.
TOKENS_A_HIT = {"locations": 25, "snippets": 100, "full": 200}
TOKENS_A_ROW = 75  # of JSON, beside its content
MOST_UNASKED = 40  # hits, however large the budget: one question in a hundred has its answer behind them


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A search as the engine runs it; every field is valid."""

    query: str
    limit: int
    offset: int = 0
    mode: str = "auto"
    filters: Filters = field(default_factory=Filters)
    min_similarity: float | None = None  # None: the settings' or the model's own
    like: str = ""  # "path:line" of code whose like is wanted; the query may then be empty


@dataclass(frozen=True, slots=True)
class Answering:
    """How an answer is written."""

    detail: str = "snippets"
    format: str = "text"
    max_tokens: int = 2_000
    explain: bool = False


def checked(request: SearchRequest) -> SearchRequest:
    """The request with its query cleaned, or RequestError with the one thing to change."""
    query, literal = request.query, request.mode in LITERAL_MODES  # its text is taken as is: Go is indented with tabs
    cleaned = "".join(
        letter if letter.isprintable() or (literal and letter != "\0") else " "
        for letter in query[: MAX_QUERY_CHARS + 1]
    )
    if not cleaned.strip() and not request.like:
        raise RequestError("query is empty; say in words, or by name, what the code should do.")
    if len(query) > MAX_QUERY_CHARS:
        raise RequestError(
            f"query has {len(query):,} characters, {MAX_QUERY_CHARS:,} is the most; send its telling part."
        )
    _within("limit", request.limit, 1, MAX_LIMIT)
    _within("offset", request.offset, 0, MAX_OFFSET)
    one_of("mode", request.mode, MODES)
    floor = request.min_similarity
    if floor is not None and not -1 <= floor <= 1:
        raise RequestError(f"min_similarity is {floor}; it is a cosine, give a number from -1 to 1.")
    if request.like and literal:
        raise RequestError(f"like goes by words and meaning, not with mode={request.mode!r}; leave the mode at auto.")
    return replace(request, query=cleaned if literal else cleaned.strip())


def filters_from(
    paths: Sequence[str], languages: Sequence[str], kinds: Sequence[str], known: tuple[Collection[str], Collection[str]]
) -> Filters:
    """Filters, with languages and kinds held against ``known`` (languages, kinds)."""
    for language in languages:
        one_of("language", language, known[0])
    for kind in kinds:
        one_of("kind", kind, known[1])
    return Filters(tuple(paths), tuple(languages), tuple(kinds))


def answering(detail: str, output: str, max_tokens: int, default_tokens: int, *, explain: bool = False) -> Answering:
    """How to write the answer; ``max_tokens`` 0 means the default, and twice that where whole chunks are asked for."""
    one_of("detail", detail, DETAILS)
    one_of("format", output, FORMATS)
    if max_tokens == 0:
        default = FULL_TIMES * default_tokens if detail == "full" else default_tokens
        return Answering(detail, output, min(default, MAX_TOKENS), explain)
    _within("max_tokens", max_tokens, MIN_TOKENS, MAX_TOKENS)
    return Answering(detail, output, max_tokens, explain)


def hits_wanted(limit: int, max_tokens: int, how: Answering, default_limit: int) -> int:
    """The hits to ask for: ``limit`` as given; 0 means the default, or more where ``max_tokens`` names room for them.

    ``max_tokens`` is as given, 0 for none.
    """
    if limit:
        return limit
    room = max_tokens // (TOKENS_A_HIT[how.detail] + (TOKENS_A_ROW if how.format == "json" else 0))
    return max(default_limit, min(room, MOST_UNASKED))


def embed_texts(texts: Sequence[str], kind: str) -> list[str]:
    """The texts, or RequestError."""
    one_of("kind", kind, EMBED_KINDS)
    if not texts:
        raise RequestError("texts is empty; send at least one text to embed.")
    if len(texts) > MAX_TEXTS:
        raise RequestError(
            f"texts has {len(texts):,} entries, {MAX_TEXTS:,} is the most in one call; send them in parts."
        )
    for number, text in enumerate(texts):
        if len(text) > MAX_TEXT_CHARS:
            raise RequestError(
                f"texts[{number}] has {len(text):,} characters, {MAX_TEXT_CHARS:,} is the most; cut it up."
            )
    return list(texts)


def embed_timeout(seconds: float) -> float:
    """The seconds an embedding may take, or RequestError."""
    if not 0 < seconds <= MAX_EMBED_S:
        raise RequestError(f"timeout is {seconds:g}; give seconds, more than 0 and at most {MAX_EMBED_S}.")
    return seconds


def one_of(name: str, value: str, known: Collection[str]) -> None:
    """Refuse ``value`` unless it is known, with the nearest known one."""
    if value in known:
        return
    near = difflib.get_close_matches(value.lower(), known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"use one of {', '.join(sorted(known)[:60])}."
    raise RequestError(f"{name} {value!r} is unknown; {hint}")


def _within(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise RequestError(f"{name} is {value:,}; give a number from {low:,} to {high:,}.")
