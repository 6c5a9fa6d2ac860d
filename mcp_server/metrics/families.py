"""Every metric there is: name, kind, labels and meaning. A scrape and docs/metrics.md are written from this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mcp_server.requests import EMBED_KINDS, MODES

Kind = Literal["counter", "gauge", "histogram"]

# Upper bounds in seconds, 1 ms to 10 s: ten to the decade, of the series of preferred numbers R10 (ISO 3), so each is
# about a quarter above the last. Searches take 5 to 50 ms, a query's vector 3 to 100, a large model's batch seconds,
# and all of them want the same relative precision: a percentile out of a bucket is wrong by less than its width, and by
# 1 to 4 % where many fall into it (benchmarks/metrics.py). Twice as many would halve that, and double a scrape.
_DECADE = (1.0, 1.25, 1.6, 2.0, 2.5, 3.15, 4.0, 5.0, 6.3, 8.0)
BUCKETS_S = (*(round(bound * scale, 6) for scale in (0.001, 0.01, 0.1, 1.0) for bound in _DECADE), 10.0)


@dataclass(frozen=True, slots=True)
class Label:
    """One label and all the values it can have; where they are not known ahead, ``values`` is empty and ``of`` says."""

    name: str
    values: tuple[str, ...] = ()
    of: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """One metric, over all values of its labels."""

    name: str
    kind: Kind
    help: str
    labels: tuple[Label, ...] = ()


MODE = Label("mode", MODES)
EMBEDDED = Label("kind", EMBED_KINDS)
LEG = Label("leg", ("text", "sketch", "vector", "pattern"))
RESULT = Label("result", ("hit", "miss"))
OUTCOME = Label("outcome", ("ok", "refused", "failed", "cancelled"))
RUN = Label("outcome", ("finished", "interrupted", "failed"))
TOOL = Label("tool", of="a tool's name; `other` for a name that no tool has")
WHERE = Label("where", ("tool", "embedding", "store", "indexing"))
ERROR = Label(
    "error", of="a class of codeloupe's own errors, `Arguments` for a call that a tool does not take, or `Bug`"
)
PROCESS = Label("process", ("server", "children"))
MEMORY_KIND = Label("kind", ("private", "shared"))
ROOT = Label("root", of="the name of a root's directory; with `~` and some letters where two have the same")
TIER = Label("tier", ("text", "sketch", "vectors"))
STATE = Label("state", ("current", "indexing", "stale", "empty", "unchecked"))
MODEL = Label("model", of="the model's name; of a file, without its directory")
LEVEL = Label("level", ("low", "medium", "high", "critical"))

SEARCH = Family(
    "codeloupe_search_seconds",
    "histogram",
    "Seconds of a search, from its request to its hits; waiting for a first index and for the query's vector included.",
    (MODE,),
)
TOOL_SECONDS = Family(
    "codeloupe_tool_call_seconds",
    "histogram",
    "Seconds of a tool call, from its arguments to its answer; unlike a search's they include writing the answer.",
    (TOOL,),
)
EMBEDDING = Family(
    "codeloupe_embedding_seconds",
    "histogram",
    "Seconds of a call to the model, behind the vector cache: a query, or a batch of documents (.4 s while indexing).",
    (EMBEDDED,),
)
STORE = Family(
    "codeloupe_store_seconds",
    "histogram",
    "Seconds of a question to one root's index: by words, by sketch, by vector, or line by line by a pattern.",
    (LEG,),
)
TOOL_CALLS = Family(
    "codeloupe_tool_calls_total",
    "counter",
    "Tool calls by how they ended; refused: by what the caller asked, failed: by anything else.",
    (TOOL, OUTCOME),
)
ERRORS = Family(
    "codeloupe_errors_total",
    "counter",
    "Errors by where they were met and by their class; one that passes two places is counted at both.",
    (WHERE, ERROR),
)
WITHOUT_VECTOR = Family(
    "codeloupe_searches_without_vector_total",
    "counter",
    "Searches by meaning whose query's vector came too late, or not for an error.",
)
TEXTS = Family(
    "codeloupe_texts_embedded_total",
    "counter",
    "Texts that the model was given and gave vectors of; those the vector cache knew are not among them.",
    (EMBEDDED,),
)
VECTOR_CACHE = Family(
    "codeloupe_vector_cache_lookups_total",
    "counter",
    "Documents whose vector was wanted, by whether it was there or the model was asked.",
    (RESULT,),
)
QUERY_CACHE = Family(
    "codeloupe_query_cache_lookups_total",
    "counter",
    "Queries whose vector was wanted, by whether the server remembered it.",
    (RESULT,),
)
FILES = Family("codeloupe_files_indexed_total", "counter", "Files whose text was put into an index.")
REMOVED = Family("codeloupe_files_removed_total", "counter", "Files that were taken out of an index.")
CHUNKS = Family("codeloupe_chunks_indexed_total", "counter", "Chunks put into an index.")
VECTORS = Family("codeloupe_vectors_stored_total", "counter", "Vectors put into an index, made or found in the cache.")
RUNS = Family("codeloupe_index_runs_total", "counter", "Runs of the indexer by how they ended.", (RUN,))

COUNTED = (
    *(SEARCH, TOOL_SECONDS, EMBEDDING, STORE, TOOL_CALLS, ERRORS, WITHOUT_VECTOR, TEXTS, VECTOR_CACHE, QUERY_CACHE),
    *(FILES, REMOVED, CHUNKS, VECTORS, RUNS),
)
BY_NAME = {family.name: family for family in COUNTED}

SERVERS = Family("codeloupe_servers", "gauge", "Servers of this user that run.")
MEMORY = Family(
    "codeloupe_memory_bytes",
    "gauge",
    "Memory of the servers and of their indexing children: private summed, shared that of the one with most.",
    (PROCESS, MEMORY_KIND),
)
ROOT_FILES = Family("codeloupe_root_files", "gauge", "Files whose text can be searched.", (ROOT,))
ROOT_CHUNKS = Family("codeloupe_root_chunks", "gauge", "Chunks in the index.", (ROOT,))
ROOT_COVERAGE = Family(
    "codeloupe_root_coverage_ratio",
    "gauge",
    "Share of files whose text, and of chunks whose sketch and vector, can be searched, 0 to 1.",
    (ROOT, TIER),
)
ROOT_DISK = Family("codeloupe_root_disk_bytes", "gauge", "What the index takes on disk.", (ROOT,))
ROOT_STATE = Family(
    "codeloupe_root_state",
    "gauge",
    "1 for the state a root is in; unchecked: its directory was not compared with the index yet.",
    (ROOT, STATE),
)
SERVICE_CLIENTS = Family("codeloupe_service_clients", "gauge", "Clients of the embedding service.", (MODEL,))
SERVICE_WAITING = Family("codeloupe_service_waiting_requests", "gauge", "Requests in its queue.", (MODEL,))
SERVICE_CHILDREN = Family("codeloupe_service_children", "gauge", "Processes of the model that run.", (MODEL,))
SERVICE_ALLOWED = Family(
    "codeloupe_service_children_allowed", "gauge", "Processes for documents that the governor allows.", (MODEL,)
)
SERVICE_LEVEL = Family(
    "codeloupe_service_pressure", "gauge", "1 for the level of memory pressure that the governor sees.", (MODEL, LEVEL)
)
SERVICE_PAUSED = Family("codeloupe_service_paused", "gauge", "1 while documents wait for memory.", (MODEL,))
SERVICE_LEFT_ALONE = Family(
    "codeloupe_service_left_alone", "gauge", "1 while the model is not tried, since it kept failing.", (MODEL,)
)
SERVICE_MEMORY = Family(
    "codeloupe_service_memory_bytes",
    "gauge",
    "Memory of the service and the processes of the model; what they share counts once.",
    (MODEL, MEMORY_KIND),
)
SERVICE_BUDGET = Family("codeloupe_service_budget_bytes", "gauge", "What they may take (memory.budget).", (MODEL,))
SERVICE_UPTIME = Family("codeloupe_service_uptime_seconds", "gauge", "Since the service began.", (MODEL,))
SERVICE_QUERIES = Family(
    "codeloupe_service_queries_total", "counter", "Queries it answered, for servers and commands.", (MODEL,)
)
SERVICE_DOCUMENTS = Family("codeloupe_service_documents_total", "counter", "Documents it embedded.", (MODEL,))
SERVICE_TOKENS = Family("codeloupe_service_tokens_total", "counter", "Tokens the model read.", (MODEL,))
SERVICE_RESTARTS = Family(
    "codeloupe_service_restarts_total", "counter", "Processes of the model that died or hung.", (MODEL,)
)

FAMILIES = (
    *COUNTED,
    *(SERVERS, MEMORY, ROOT_FILES, ROOT_CHUNKS, ROOT_COVERAGE, ROOT_DISK, ROOT_STATE),
    *(SERVICE_CLIENTS, SERVICE_WAITING, SERVICE_CHILDREN, SERVICE_ALLOWED, SERVICE_LEVEL, SERVICE_PAUSED),
    *(SERVICE_LEFT_ALONE, SERVICE_MEMORY, SERVICE_BUDGET, SERVICE_UPTIME),
    *(SERVICE_QUERIES, SERVICE_DOCUMENTS, SERVICE_TOKENS, SERVICE_RESTARTS),
)


def described() -> str:
    """The table of docs/metrics.md."""
    rows = ["| metric | kind | labels | what it says |", "|---|---|---|---|"]
    rows += [f"| `{family.name}` | {family.kind} | {_labels(family)} | {family.help} |" for family in FAMILIES]
    return "\n".join(rows) + "\n"


def _labels(family: Family) -> str:
    return "; ".join(f"`{label.name}`: {label.of or ', '.join(label.values)}" for label in family.labels)
