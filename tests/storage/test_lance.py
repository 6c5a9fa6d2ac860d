"""What only the store on disk can do wrong: growth, upkeep, permissions, errors, imports."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from storage.ann import AnnQuery, needs_build, plan_ann_index, plan_ann_query
from storage.chunk import Filters
from storage.errors import IndexBusyError, IndexUnusableError, StorageFullError
from storage.fingerprint import Fingerprint, IndexState
from storage.lance_errors import translate
from storage.lance_store import LanceStore
from storage.memory import MemoryStore
from storage.ranking.terms import query_terms
from storage.schema import SCHEMA
from storage.store import Pattern
from tests.storage.samples import DIM, FINGERPRINT, make_file, python_sources, vector_of, vectors_of

ANY = Filters()
ROOT = Path(__file__).parents[2]
WIDE = Fingerprint(SCHEMA, "cut-1", "model-1", 96, "table-1", DIM)
FILES = python_sources(3000)


def fill_vectors(store: LanceStore | MemoryStore, dim: int = 96) -> None:
    while chunks := store.missing_vectors(1000):
        store.add_vectors([chunk.id for chunk in chunks], vectors_of(chunks, dim))


def run_child(code: str, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-P", "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=True).stdout


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> LanceStore:
    """3,000 chunks of real code with vectors, above this store's threshold for an index."""
    store = LanceStore(tmp_path_factory.mktemp("grown"), exact_up_to=1000)
    store.reset(WIDE)
    for start in range(0, len(FILES), 50):
        store.replace_files(FILES[start : start + 50])
    fill_vectors(store)
    store.maintain()
    return store


@pytest.fixture(scope="module")
def oracle() -> MemoryStore:
    """The same in memory, exact in everything."""
    store = MemoryStore()
    store.reset(WIDE)
    store.replace_files(FILES)
    fill_vectors(store)
    return store


def test_maintenance_builds_the_planned_indexes(grown: LanceStore) -> None:
    stats = grown.stats()
    assert (stats.vector_index, stats.text_index) == ("ivf_pq", "bm25")
    assert stats.vectors == stats.chunks >= 3000
    assert stats.disk_bytes > 1_000_000


def test_who_imports_whom_is_known_after_opening_again(tmp_path: Path) -> None:
    store = LanceStore(tmp_path)
    store.reset(FINGERPRINT)
    store.replace_files(
        [make_file("core/errors.py", "y = 1"), replace(make_file("app/views.py", "x = 1"), imports=("core/errors",))]
    )
    store.close()
    again = LanceStore(tmp_path)
    assert again.links(["core/errors.py", "app/views.py"]) == {"core/errors.py": 1, "app/views.py": 0}
    again.close()


def test_the_vector_index_finds_what_an_exact_search_finds(grown: LanceStore, oracle: MemoryStore) -> None:
    found, wanted = 0, 0
    for rows in FILES[:: max(1, len(FILES) // 60)]:
        query = vector_of(rows.chunks[len(rows.chunks) // 2].content[:200], 96) if rows.chunks else vector_of("x", 96)
        tenth = oracle.find_near(query, 10, ANY)[-1].score
        found += sum(candidate.score >= tenth - 1e-5 for candidate in grown.find_near(query, 10, ANY))
        wanted += 10
    assert found / wanted >= 0.95


@pytest.mark.parametrize(
    "query", ["read_line", "how to parse a config file", "ThreadPoolExecutor", "abc", "__init__ self"]
)
@pytest.mark.parametrize("filters", [ANY, Filters(paths=("asyncio/", "!base_*"))])
def test_the_text_index_ranks_as_the_formula_does(
    grown: LanceStore, oracle: MemoryStore, query: str, filters: Filters
) -> None:
    ours = {c.outline.id: c.score for c in grown.find_text(query_terms(query), 50, filters)}
    exact = oracle.find_text(query_terms(query), 50, filters)
    assert len(ours) == len(exact)
    for candidate in exact[:20]:
        if candidate.outline.id in ours:
            assert ours[candidate.outline.id] == pytest.approx(candidate.score, rel=0.02)
    assert sorted(ours.values()) == pytest.approx(sorted(c.score for c in exact), rel=0.02)


@pytest.mark.parametrize(
    "pattern",
    [
        Pattern("ThreadPoolExecutor", is_regex=False),
        Pattern("self._", is_regex=False),
        Pattern("threadpoolexecutor", is_regex=False, ignore_case=True),
        Pattern(r"def\s+\w+_exec\w*\(", is_regex=True),
        Pattern(r"\b\d{4}-\d\d\b", is_regex=True, timeout_s=60),
        Pattern(r"RAISE \w+Error", is_regex=True, ignore_case=True),
    ],
)
def test_patterns_match_where_the_oracle_says(grown: LanceStore, oracle: MemoryStore, pattern: Pattern) -> None:
    ours, exact = grown.find_matches(pattern, 200, ANY), oracle.find_matches(pattern, 200, ANY)
    assert [(match.chunk, match.lines) for match in ours.found] == [(match.chunk, match.lines) for match in exact.found]
    assert ours.complete == exact.complete


def test_filters_on_an_indexed_store_apply_before_the_limit(grown: LanceStore) -> None:
    only = Filters(paths=("asyncio/",))
    found = grown.find_near(vector_of("import unittest", 96), 20, only)
    assert len(found) == 20
    assert all(candidate.outline.file_path.startswith("asyncio/") for candidate in found)


def test_rows_written_after_the_indexes_were_built_are_found(tmp_path: Path) -> None:
    store = LanceStore(tmp_path, exact_up_to=300)
    store.reset(FINGERPRINT)
    store.replace_files([make_file(f"f{n}.py", f"value_{n} = {n} * {n}") for n in range(400)])
    fill_vectors(store, 16)
    store.maintain()
    assert store.stats().vector_index == "ivf_pq"
    store.replace_files([make_file("late.py", "def late_arrival(): pass")])
    fill_vectors(store, 16)
    assert store.find_text(query_terms("arrival"), 5, ANY)[0].outline.file_path == "late.py"
    assert store.find_near(vector_of("def late_arrival(): pass"), 1, ANY)[0].outline.file_path == "late.py"
    store.delete_files([f"f{n}.py" for n in range(200)])
    store.maintain()
    assert store.stats().vector_index == "exact"
    assert store.check() == []


def test_files_may_change_while_a_vector_index_is_built(tmp_path: Path) -> None:
    store = LanceStore(tmp_path, exact_up_to=300)
    store.reset(WIDE)
    store.replace_files(FILES[:40])
    fill_vectors(store)
    failures: list[BaseException] = []

    def maintain() -> None:
        try:
            store.maintain()
        except BaseException as error:  # noqa: BLE001 - handed to the test's thread
            failures.append(error)

    upkeep = threading.Thread(target=maintain)
    upkeep.start()
    rounds = 0
    while upkeep.is_alive() or rounds < 3:
        rounds += 1
        store.replace_files([make_file("asyncio/changed.py", f"round {rounds}"), FILES[rounds % 40]])
        fill_vectors(store)
        store.delete_files([FILES[(rounds + 7) % 40].record.path])
        store.replace_files([FILES[(rounds + 7) % 40]])
    upkeep.join(120)
    assert failures == []
    fill_vectors(store)
    assert store.check() == []
    stats = store.stats()
    assert (stats.vectors, stats.vector_index) == (stats.chunks, "ivf_pq")
    nearest = store.find_near(vector_of(f"round {rounds}", 96), 1, ANY)[0].outline
    assert store.chunks([nearest.id])[nearest.id].content == f"round {rounds}"


def test_a_reader_follows_a_reset_by_another(tmp_path: Path) -> None:
    writer, reader = LanceStore(tmp_path), LanceStore(tmp_path)
    writer.reset(FINGERPRINT)
    writer.replace_files([make_file("a.py", "first words")])
    assert len(reader.find_text(query_terms("words"), 5, ANY)) == 1
    writer.reset(FINGERPRINT)
    assert reader.find_text(query_terms("words"), 5, ANY) == []
    writer.replace_files([make_file("b.py", "second words")])
    assert [c.outline.file_path for c in reader.find_text(query_terms("words"), 5, ANY)] == ["b.py"]
    assert sorted(path.name for path in tmp_path.glob("*.lance")) == [
        "chunks-2.lance",
        "files-2.lance",
        "vectors-2.lance",
    ]


def test_a_kind_that_changes_without_the_text_is_seen_by_filters_on_vectors(tmp_path: Path) -> None:
    store = LanceStore(tmp_path)
    store.reset(FINGERPRINT)
    store.replace_files([make_file("a.py", "same text", kind="block"), make_file("b.py", "other")])
    fill_vectors(store, 16)
    store.replace_files([make_file("a.py", "same text", kind="function")])
    assert store.missing_vectors(5) == []
    found = store.find_near(vector_of("same text"), 5, Filters(kinds=("function",)))
    assert {candidate.outline.file_path for candidate in found} == {"a.py", "b.py"}
    assert store.find_near(vector_of("same text"), 5, Filters(kinds=("block",))) == []
    assert store.check() == []


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes")
def test_index_files_are_the_users_alone(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        store = LanceStore(tmp_path / "index")
        store.reset(FINGERPRINT)
        store.replace_files([make_file("a.py", "text")])
        fill_vectors(store, 16)
        store.maintain()
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)
    assert (tmp_path / "index").stat().st_mode & 0o777 == 0o700
    loose = [path for path in (tmp_path / "index").rglob("*") if path.stat().st_mode & 0o077]
    assert loose == []


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts open files as Linux shows them")
def test_maintenance_does_not_leave_files_open(tmp_path: Path) -> None:
    store = LanceStore(tmp_path)
    store.reset(FINGERPRINT)

    def round_of(number: int) -> int:
        store.replace_files([make_file(f"f{n}.py", f"round {number} line {n}") for n in range(1100)])
        store.maintain()
        assert store.find_text(query_terms(f"round {number}"), 1, ANY)
        return len(list(Path("/proc/self/fd").iterdir()))

    opened = [round_of(number) for number in range(6)]
    assert opened[-1] <= opened[1] + 4


FULL = """
import resource, sys
from pathlib import Path
from storage.errors import StorageFullError
from storage.lance_store import LanceStore
from tests.storage.samples import FINGERPRINT, make_file
store = LanceStore(Path(sys.argv[1]))
store.reset(FINGERPRINT)
store.replace_files([make_file("kept.py", "kept words")])
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
try:
    store.replace_files([make_file("big.py", *(f"{n} {n * n} some more text" for n in range(3000)))])
except StorageFullError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(store.check(), sorted(store.files()), store.files()["big.py"].size)
store.replace_files([make_file("big.py", "small now")])
print(store.check(), store.stats().chunks)
"""


@pytest.mark.skipif(os.name != "posix", reason="limits a file's size as Unix does")
def test_a_disk_that_is_full_is_named_and_what_was_stored_stays(tmp_path: Path) -> None:
    said, state, after = run_child(FULL, str(tmp_path / "index")).strip().split("\n")
    assert said.startswith("No space is left to write the table ")
    assert state == "[] ['big.py', 'kept.py'] -1"
    assert after == "[] 2"


FORBIDDEN = """
import os, sys
from pathlib import Path
from storage.chunk import Filters
from storage.errors import StorageFullError
from storage.lance_store import LanceStore
from storage.ranking.terms import query_terms
from tests.storage.samples import FINGERPRINT, make_file
directory = Path(sys.argv[1])
store = LanceStore(directory)
store.reset(FINGERPRINT)
store.replace_files([make_file("kept.py", "kept words")])
store.close()
for folder, _, names in os.walk(directory):
    for name in names:
        Path(folder, name).chmod(0o444)
    Path(folder).chmod(0o555)
if os.geteuid() == 0:
    os.setuid(65534)
store = LanceStore(directory)
print(len(store.find_text(query_terms("kept"), 5, Filters())), store.state(FINGERPRINT))
for write in (lambda: store.replace_files([make_file("a.py", "x")]), lambda: store.reset(FINGERPRINT), store.maintain):
    try:
        write()
    except StorageFullError as error:
        print(error)
"""


@pytest.mark.skipif(os.name != "posix", reason="takes permissions away as Unix does")
def test_an_index_that_may_not_be_written_is_searched_and_says_so(tmp_path_factory: pytest.TempPathFactory) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:  # the test's own directory may be closed to other users
        Path(name).chmod(0o755)
        lines = run_child(FORBIDDEN, f"{name}/index").strip().split("\n")
    assert lines[0] == "1 current"
    assert len(lines) == 4
    assert all("may not be written" in line for line in lines[1:])


def test_a_root_directory_that_is_a_file_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    store = LanceStore(tmp_path / "file" / "index")
    with pytest.raises(StorageFullError, match="may not be written"):
        store.reset(FINGERPRINT)


@pytest.mark.parametrize(
    ("error", "writing", "kind"),
    [
        (RuntimeError("lance error: LanceError(IO): No space left on device (os error 28)"), True, StorageFullError),
        (OSError(27, "File too large"), True, StorageFullError),
        (PermissionError(13, "Permission denied"), True, StorageFullError),
        (PermissionError(13, "Permission denied"), False, IndexUnusableError),
        (RuntimeError("lance error: Retryable commit conflict for version 7"), True, IndexBusyError),
        (ValueError("Table 'chunks-1' was not found"), False, IndexUnusableError),
        (
            RuntimeError("lance error: LanceError(IO): Invalid range 0..0 for object of size 0 bytes"),
            False,
            IndexUnusableError,
        ),
        (ValueError("Invalid input, Schema error: No field named nope."), False, IndexUnusableError),
        (ZeroDivisionError("a bug of ours"), False, type(None)),
        (TypeError("a bug of ours"), True, type(None)),
    ],
)
def test_foreign_errors_become_ours_and_bugs_stay_bugs(error: Exception, writing: bool, kind: type) -> None:
    assert type(translate(error, "The index", writing)) is kind


def test_the_plan_follows_the_owners_rule() -> None:
    plan = plan_ann_index(40_000, 384)
    assert plan is not None
    assert (plan.kind, plan.partitions, plan.sub_vectors) == ("ivf_pq", 200, 24)
    assert plan_ann_index(15_000, 384) is None
    assert plan_ann_index(10**6, 384, "exact") is None
    assert plan_ann_index(255, 384, exact_up_to=0) is None
    rotated = plan_ann_index(40_000, 384, "ivf_rq")
    assert rotated is not None
    assert rotated.kind == "ivf_rq"
    odd = plan_ann_index(40_000, 100)
    assert odd is not None
    assert 100 % odd.sub_vectors == 0
    assert needs_build(plan, 40_000, "exact", 0)
    assert not needs_build(plan, 50_000, "ivf_pq", 40_000)
    assert needs_build(plan, 60_000, "ivf_pq", 40_000)


@pytest.mark.parametrize("rows", [300, 10_000, 1_000_000])
@pytest.mark.parametrize("limit", [1, 10, 1000])
def test_an_index_is_never_asked_without_refinement(rows: int, limit: int) -> None:
    ask = plan_ann_query(rows, limit)
    assert isinstance(ask, AnnQuery)
    assert ask.refine_factor > 1
    assert ask.nprobes >= 1


def test_importing_the_package_loads_no_heavy_library() -> None:
    code = (
        "import sys, storage, storage.store, storage.search, storage.backends, storage.lance, storage.lance_store\n"
        "from pathlib import Path\nfrom storage.settings import StorageSettings\n"
        "storage.backends.open_store(StorageSettings(), Path('nowhere'))\n"
        "print([name for name in ('lancedb', 'pyarrow', 'numpy') if name in sys.modules])"
    )
    assert run_child(code).strip() == "[]"


def test_preloading_leaves_the_collector_on_and_services_out() -> None:
    code = (
        "import gc, sys\nfrom storage.lance import preload\npreload()\nimport lancedb\n"
        "print(gc.isenabled(), 'overrides' in sys.modules, [one for one in sys.modules if '_urllib3_client' in one])\n"
        "try:\n    lancedb.RemoteDBConnection('db://somewhere')\nexcept ImportError as error:\n    print(error)"
    )
    said = run_child(code).splitlines()
    assert said[0] == "True False []"
    assert said[1].startswith("lancedb.remote.db is not needed here and was not imported")


def test_searches_agree_whether_vectors_lie_in_memory_or_on_disk(tmp_path: Path) -> None:
    store = LanceStore(tmp_path)
    store.reset(FINGERPRINT)
    store.replace_files(FILES[:5])
    fill_vectors(store, 16)
    query = vector_of("import sys")
    answers = [store.find_near(query, 20, ANY) for _ in range(3)]  # from the third on, out of memory
    index = store._begun()
    assert index.scan is not None
    assert index.scan.near(query, 1) is not None
    for answer in answers[1:]:
        assert [c.score for c in answer] == pytest.approx([c.score for c in answers[0]], abs=1e-6)
    store.replace_files([make_file("new.py", "import sys")])
    fill_vectors(store, 16)
    for _ in range(3):
        assert store.find_near(query, 1, ANY)[0].outline.file_path == "new.py"
    store.delete_files(["new.py"])
    for _ in range(3):
        assert store.find_near(query, 1, ANY)[0].outline.file_path != "new.py"


def test_vectors_come_back_bit_for_bit_equal(tmp_path: Path) -> None:
    store = LanceStore(tmp_path)
    store.reset(FINGERPRINT)
    store.replace_files([make_file("a.py", "text")])
    vector = vector_of("text")
    store.add_vectors([chunk.id for chunk in store.missing_vectors(1)], vector[None])
    index = store._begun()
    assert index.vectors is not None
    stored = index.vectors.select(["embedding"]).column("embedding").to_pylist()[0]
    assert np.array_equal(np.array(stored, np.float32), vector)
    assert store.state(FINGERPRINT) is IndexState.CURRENT
