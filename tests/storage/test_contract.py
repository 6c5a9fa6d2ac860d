"""What every ChunkStore promises: one suite for all of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from storage.chunk import Candidate, Filters, Outline
from storage.errors import ForeignVectorsError, IndexUnusableError, InvalidPatternError
from storage.fingerprint import IndexState
from storage.ranking.terms import query_terms
from storage.store import ChunkStore, Pattern
from tests.storage.samples import DIM, FINGERPRINT, TEXT_ONLY, make_file, vector_of, vectors_of

ANY = Filters()
PARSER = make_file(
    "src/parser.py", "def parseConfig(line):\n    return line.split('=')", "def read_all(path):\n    pass"
)
SERVER = make_file("src/net/server.py", "class HTTPServer:\n    pass", "def handle(request):\n    return request.body")
TEST = make_file("tests/test_parser.py", "def test_parse_config():\n    assert parseConfig('a=b')")
STYLE = make_file("web/style.css", ".parser { color: red }", language="css", kind="rule")
FILES = [PARSER, SERVER, TEST, STYLE]


def paths(found: list[Candidate]) -> list[str]:
    return [candidate.outline.file_path for candidate in found]


def text(store: ChunkStore, words: str, filters: Filters = ANY, limit: int = 10) -> list[str]:
    return paths(store.find_text(query_terms(words), limit, filters))


def fill_vectors(store: ChunkStore) -> None:
    chunks = store.missing_vectors(1000)
    store.add_vectors([chunk.id for chunk in chunks], vectors_of(chunks))


def test_a_store_without_an_index_is_missing_and_finds_nothing(unbegun: ChunkStore) -> None:
    assert unbegun.state(FINGERPRINT) is IndexState.MISSING
    assert unbegun.files() == {}
    assert unbegun.find_text(query_terms("a"), 5, ANY) == []
    assert unbegun.find_near(vector_of("a"), 5, ANY) == []
    assert unbegun.find_sketch(vector_of("a"), 5, ANY) == []
    assert unbegun.find_matches(Pattern("a", is_regex=False), 5, ANY).found == ()
    assert unbegun.missing_vectors(5) == []
    assert unbegun.chunks(["x"]) == {}
    assert unbegun.chunk_at("x", 1) is None
    assert unbegun.links(["x"]) in ({}, {"x": 0})
    assert unbegun.stats().chunks == 0


def test_writing_before_the_first_reset_is_refused_with_a_sentence(unbegun: ChunkStore) -> None:
    with pytest.raises(IndexUnusableError, match="reset"):
        unbegun.replace_files([PARSER])
    with pytest.raises(IndexUnusableError, match="reset"):
        unbegun.delete_files(["x"])


def test_what_was_stored_comes_back_field_by_field(store: ChunkStore) -> None:
    store.replace_files(FILES)
    assert store.files() == {rows.record.path: rows.record for rows in FILES}
    for rows in FILES:
        assert store.chunks([chunk.id for chunk in rows.chunks]) == {chunk.id: chunk for chunk in rows.chunks}


def test_unknown_ids_and_paths_are_ignored(store: ChunkStore) -> None:
    store.replace_files(FILES)
    assert store.chunks(["nothing", PARSER.chunks[0].id]) == {PARSER.chunks[0].id: PARSER.chunks[0]}
    store.delete_files(["no/such/file.py"])
    store.delete_files([])
    assert len(store.files()) == 4


def test_a_line_leads_to_the_chunk_that_holds_it(store: ChunkStore) -> None:
    store.replace_files(FILES)
    first, second = PARSER.chunks
    assert [store.chunk_at("src/parser.py", line) for line in (1, 2, 3, 4)] == [first, first, second, second]
    assert store.chunk_at("web/style.css", 1) == STYLE.chunks[0]


@pytest.mark.parametrize(
    ("path", "line"),
    [("src/parser.py", line) for line in (0, -1, 5, 10**30)] + [("no/such.py", 1), ("it's", 1), ("src", 1), ("", 1)],
)
def test_a_line_that_no_chunk_holds_leads_to_none(store: ChunkStore, path: str, line: int) -> None:
    store.replace_files(FILES)
    assert store.chunk_at(path, line) is None


def test_a_line_between_chunks_leads_to_none(store: ChunkStore) -> None:
    apart = [PARSER.chunks[0], replace(PARSER.chunks[1], start_line=8, end_line=9)]
    store.replace_files([replace(PARSER, chunks=tuple(apart))])
    assert [store.chunk_at("src/parser.py", line) for line in (2, 3, 7, 8)] == [apart[0], None, None, apart[1]]


def test_a_line_cut_into_several_chunks_leads_to_the_first(store: ChunkStore) -> None:
    cut = [replace(chunk, start_line=1, end_line=1) for chunk in make_file("a.min.js", "one();", "two();").chunks]
    store.replace_files([replace(make_file("a.min.js", "one();", "two();"), chunks=tuple(cut))])
    assert store.chunk_at("a.min.js", 1) == cut[0]


def test_a_file_is_as_central_as_its_importers_are_many(store: ChunkStore) -> None:
    importing = [replace(make_file(f"app/f{n}.py", "x = 1"), imports=("core/errors", "os/path")) for n in range(9)]
    store.replace_files([make_file("core/errors.py", "y = 1"), make_file("core/lonely.py", "z = 1"), *importing])
    asked = ["core/errors.py", "core/lonely.py", "app/f0.py", "no/such.py"]
    assert store.links(asked) == {"core/errors.py": 1, "core/lonely.py": 0, "app/f0.py": 0, "no/such.py": 0}
    store.replace_files([replace(make_file("app/f0.py", "x = 1"), imports=("core/lonely",))])
    assert 0 < store.links(asked)["core/lonely.py"] < store.links(asked)["core/errors.py"] == 1
    store.delete_files([f"app/f{n}.py" for n in range(1, 9)])
    assert store.links(["core/errors.py", "core/lonely.py"]) == {"core/errors.py": 0, "core/lonely.py": 1}
    assert store.links([]) == {}


def test_where_nothing_is_imported_no_file_is_central(store: ChunkStore) -> None:
    assert store.links(["a.py"]) == {"a.py": 0}
    store.replace_files([make_file("src/a.py", "x = 1")])
    assert store.links(["src/a.py"]) == {"src/a.py": 0}


def test_a_replaced_file_keeps_nothing_of_its_earlier_rows(store: ChunkStore) -> None:
    store.replace_files(FILES)
    assert text(store, "split") == ["src/parser.py"]
    shorter = make_file("src/parser.py", "def entirely_new():\n    pass")
    store.replace_files([shorter])
    assert store.chunks([chunk.id for chunk in PARSER.chunks]) == {}
    assert store.stats().chunks == 5
    assert store.files()["src/parser.py"] == shorter.record
    assert text(store, "entirely") == ["src/parser.py"]
    assert text(store, "split") == []


def test_a_chunk_that_only_moved_has_its_new_lines(store: ChunkStore) -> None:
    store.replace_files([PARSER])
    moved = make_file("src/parser.py", "import os", *(chunk.content for chunk in PARSER.chunks))
    store.replace_files([moved])
    assert moved.chunks[1].id == PARSER.chunks[0].id
    assert store.chunks([moved.chunks[1].id])[moved.chunks[1].id].start_line == 2


def test_a_file_that_lost_all_its_chunks_stays_known_with_its_reason(store: ChunkStore) -> None:
    store.replace_files(FILES)
    store.replace_files([make_file("src/parser.py", skipped="binary"), make_file("empty.py")])
    assert store.files()["src/parser.py"].skipped == "binary"
    assert store.stats().skipped == {"binary": 1}
    assert store.chunks([chunk.id for chunk in PARSER.chunks]) == {}


def test_deleted_files_are_forgotten_with_their_chunks_and_vectors(store: ChunkStore) -> None:
    store.replace_files(FILES)
    fill_vectors(store)
    store.delete_files(["src/parser.py", "web/style.css"])
    assert sorted(store.files()) == ["src/net/server.py", "tests/test_parser.py"]
    assert (store.stats().chunks, store.stats().vectors) == (3, 3)
    assert paths(store.find_near(vector_of("anything"), 10, ANY)).count("src/parser.py") == 0


def test_an_empty_batch_changes_nothing(store: ChunkStore) -> None:
    store.replace_files(FILES)
    store.replace_files([])
    assert store.stats().files == 4


def test_a_thousand_files_can_be_published_at_once(store: ChunkStore) -> None:
    many = [make_file(f"d{n % 7}/f{n}.py", f"def name_{n}():\n    pass", f"value_{n} = {n}") for n in range(1000)]
    store.replace_files(many)
    assert (store.stats().files, store.stats().chunks) == (1000, 2000)
    assert text(store, "name_617", limit=1) == ["d1/f617.py"]
    wanted = [chunk.id for rows in many for chunk in rows.chunks]
    assert len(store.chunks(wanted)) == 2000


def test_chunks_without_a_vector_are_listed_by_path_and_place(store: ChunkStore) -> None:
    store.replace_files(FILES)
    missing = store.missing_vectors(100)
    assert [(chunk.file_path, chunk.chunk_index) for chunk in missing] == sorted(
        (chunk.file_path, chunk.chunk_index) for rows in FILES for chunk in rows.chunks
    )
    assert store.missing_vectors(2) == missing[:2]
    store.add_vectors([missing[0].id], vectors_of(missing[:1]))
    assert store.missing_vectors(2) == missing[1:3]
    store.replace_files([make_file("aaa.py", "first = 1")])
    assert store.missing_vectors(1)[0].file_path == "aaa.py"


def test_chunks_without_a_vector_are_counted_by_path(store: ChunkStore) -> None:
    assert store.vectorless() == {}
    store.replace_files(FILES)
    assert store.vectorless() == {
        "src/parser.py": 2,
        "src/net/server.py": 2,
        "tests/test_parser.py": 1,
        "web/style.css": 1,
    }
    done = [STYLE.chunks[0], PARSER.chunks[1]]
    store.add_vectors([chunk.id for chunk in done], vectors_of(done))
    assert store.vectorless() == {"src/parser.py": 1, "src/net/server.py": 2, "tests/test_parser.py": 1}
    fill_vectors(store)
    assert store.vectorless() == {}


def test_chunks_without_a_vector_are_given_of_some_paths_or_ids_alone(store: ChunkStore) -> None:
    store.replace_files(FILES)
    first, second = PARSER.chunks
    asked = ["web/style.css", "src/parser.py", "no/such.py"]
    assert store.missing_vectors(9, paths=asked) == [first, second, STYLE.chunks[0]]
    assert store.missing_vectors(2, paths=asked) == [first, second]
    assert store.missing_vectors(9, ids=[STYLE.chunks[0].id, second.id, "unknown"]) == [second, STYLE.chunks[0]]
    store.add_vectors([second.id], vectors_of([second]))
    assert store.missing_vectors(9, ids=[STYLE.chunks[0].id, second.id]) == [STYLE.chunks[0]]
    assert store.missing_vectors(9, paths=["src/parser.py"]) == [first]
    assert store.missing_vectors(9, paths=[]) == store.missing_vectors(9, ids=[]) == []


def test_which_chunks_have_a_vector_is_known(store: ChunkStore) -> None:
    store.replace_files(FILES)
    first, second = PARSER.chunks
    assert store.embedded([first.id, second.id]) == set()
    store.add_vectors([second.id], vectors_of([second]))
    assert store.embedded([first.id, second.id, "unknown"]) == {second.id}
    assert store.embedded([]) == set()


def test_a_chunk_that_stays_keeps_its_vector(store: ChunkStore) -> None:
    store.replace_files(FILES)
    fill_vectors(store)
    changed = make_file("src/parser.py", "import os", PARSER.chunks[0].content)
    store.replace_files([changed])
    assert [chunk.content for chunk in store.missing_vectors(10)] == ["import os"]
    assert store.stats().vectors == 5


def test_vectors_of_unknown_chunks_are_ignored(store: ChunkStore) -> None:
    store.replace_files([PARSER])
    store.add_vectors(["unknown"], vector_of("x")[None])
    store.add_vectors([], np.zeros((0, DIM), np.float32))
    assert store.stats().vectors == 0


def test_the_first_vector_of_a_chunk_stays(store: ChunkStore) -> None:
    store.replace_files([PARSER])
    chunk = PARSER.chunks[0]
    store.add_vectors([chunk.id, chunk.id], np.stack([vector_of("one"), vector_of("one")]))
    store.add_vectors([chunk.id], vector_of("two")[None])
    assert store.stats().vectors == 1
    assert store.find_near(vector_of("one"), 1, ANY)[0].score == pytest.approx(1, abs=1e-5)


def test_vectors_that_do_not_fit_the_index_are_refused(store: ChunkStore) -> None:
    store.replace_files([PARSER])
    with pytest.raises(IndexUnusableError, match="reset_vectors"):
        store.add_vectors([PARSER.chunks[0].id], np.ones((1, DIM + 1), np.float32))
    with pytest.raises(IndexUnusableError, match="no number"):
        store.add_vectors([PARSER.chunks[0].id], np.full((1, DIM), np.nan, np.float32))
    fill_vectors(store)
    with pytest.raises(IndexUnusableError, match="16 components"):
        store.find_near(np.ones(3, np.float32), 1, ANY)


def test_resetting_vectors_keeps_the_text(store: ChunkStore) -> None:
    store.replace_files(FILES)
    fill_vectors(store)
    other = replace(FINGERPRINT, model="model-2", dim=8)
    assert store.state(other) is IndexState.STALE_MODEL
    store.reset_vectors(other)
    assert store.state(other) is IndexState.CURRENT
    assert (store.stats().vectors, store.stats().chunks) == (0, 6)
    assert len(store.missing_vectors(100)) == 6
    store.add_vectors([PARSER.chunks[0].id], vector_of("x", 8)[None])
    assert len(store.find_near(vector_of("x", 8), 5, ANY)) == 1
    assert set(text(store, "HTTPServer")) == {"src/net/server.py"}


def test_an_index_without_a_model_serves_text(unbegun: ChunkStore) -> None:
    unbegun.reset(TEXT_ONLY)
    unbegun.replace_files(FILES)
    assert unbegun.state(TEXT_ONLY) is IndexState.CURRENT
    assert unbegun.state(FINGERPRINT) is IndexState.STALE_MODEL
    assert set(text(unbegun, "HTTPServer")) == {"src/net/server.py"}
    assert unbegun.find_near(vector_of("x"), 3, ANY) == []
    unbegun.reset_vectors(FINGERPRINT)
    fill_vectors(unbegun)
    assert unbegun.stats().vectors == 6


def test_a_reset_forgets_everything(store: ChunkStore) -> None:
    store.replace_files(FILES)
    fill_vectors(store)
    store.reset(replace(FINGERPRINT, chunker="cut-2"))
    assert (store.stats().files, store.stats().chunks, store.stats().vectors) == (0, 0, 0)
    assert store.state(FINGERPRINT) is IndexState.STALE_CHUNKER


@pytest.mark.parametrize("words", ["parseConfig", "parse_config", "ParseConfig", "parseconfig", "config"])
def test_a_name_is_found_in_every_spelling(store: ChunkStore, words: str) -> None:
    store.replace_files(FILES)
    assert set(text(store, words)) >= {"src/parser.py", "tests/test_parser.py"}


def test_words_of_the_path_find_a_chunk(store: ChunkStore) -> None:
    store.replace_files(FILES)
    assert set(text(store, "net")) == {"src/net/server.py"}


def test_text_that_is_nowhere_finds_nothing_and_so_does_no_text(store: ChunkStore) -> None:
    store.replace_files(FILES)
    assert text(store, "zyzzyva") == []
    assert text(store, "") == []
    assert text(store, "?!;") == []
    assert text(store, "parse", limit=0) == []


def test_a_rarer_word_weighs_more_and_scores_descend(store: ChunkStore) -> None:
    store.replace_files(FILES)
    found = store.find_text(query_terms("body parse config"), 10, ANY)
    scores = [candidate.score for candidate in found]
    assert scores == sorted(scores, reverse=True)
    assert all(score > 0 for score in scores)


def test_nearest_chunks_come_first_with_their_cosine(store: ChunkStore) -> None:
    store.replace_files(FILES)
    fill_vectors(store)
    chunk = SERVER.chunks[1]
    found = store.find_near(vector_of(chunk.content), 10, ANY)
    assert found[0].outline == chunk.outline
    assert found[0].score == pytest.approx(1, abs=1e-5)
    expected = {c.id: float(vector_of(c.content) @ vector_of(chunk.content)) for rows in FILES for c in rows.chunks}
    assert [candidate.score for candidate in found] == pytest.approx(
        [expected[candidate.outline.id] for candidate in found], abs=1e-5
    )
    assert [candidate.score for candidate in found] == sorted(expected.values(), reverse=True) or len(found) == 6


def test_chunks_with_the_nearest_sketch_come_first_and_need_no_vector(store: ChunkStore) -> None:
    store.replace_files(FILES)
    chunk = SERVER.chunks[1]
    found = store.find_sketch(vector_of(chunk.content), 10, ANY)
    assert found[0].outline == chunk.outline
    expected = {c.id: float(vector_of(c.content) @ vector_of(chunk.content)) for rows in FILES for c in rows.chunks}
    half_precision = 1e-3
    assert {candidate.outline.id: candidate.score for candidate in found} == pytest.approx(expected, abs=half_precision)
    scores = [candidate.score for candidate in found]
    assert scores == sorted(scores, reverse=True)
    assert store.stats().sketches == store.stats().chunks == 6


def test_sketches_obey_filters_and_limits_and_go_with_their_file(store: ChunkStore) -> None:
    store.replace_files(FILES)
    query = vector_of(PARSER.chunks[0].content)
    assert set(paths(store.find_sketch(query, 10, Filters(paths=("tests/",))))) == {"tests/test_parser.py"}
    assert len(store.find_sketch(query, 2, ANY)) == 2
    store.delete_files(["src/parser.py"])
    assert "src/parser.py" not in paths(store.find_sketch(query, 10, ANY))


def test_a_changed_file_has_the_sketches_of_its_new_text(store: ChunkStore) -> None:
    store.replace_files(FILES)
    changed = make_file("src/parser.py", "import colours\npaint = colours.red")
    store.replace_files([changed])
    found = store.find_sketch(vector_of(changed.chunks[0].content), 1, ANY)
    assert found[0].outline.id == changed.chunks[0].id


def test_a_file_without_sketches_is_as_near_as_nothing(store: ChunkStore) -> None:
    store.replace_files([PARSER, replace(SERVER, sketches=None)])
    found = store.find_sketch(vector_of(PARSER.chunks[0].content), 10, ANY)
    assert found[0].outline == PARSER.chunks[0].outline
    assert all(one.score == 0 for one in found if one.outline.file_path == "src/net/server.py")


def test_sketches_of_another_table_are_refused_and_nothing_is_stored(store: ChunkStore) -> None:
    with pytest.raises(IndexUnusableError, match="has sketches of shape"):
        store.replace_files([SERVER, replace(PARSER, sketches=np.zeros((2, DIM + 1), np.float32))])
    assert store.stats().chunks == 0


def test_an_index_made_with_another_table_is_to_be_made_again(store: ChunkStore) -> None:
    assert store.state(replace(FINGERPRINT, sketch="table-2")) is IndexState.STALE_SKETCH
    assert store.state(replace(FINGERPRINT, sketch="", sketch_dim=0)) is IndexState.STALE_SKETCH


def test_an_index_without_a_table_has_no_sketches(store: ChunkStore) -> None:
    store.reset(replace(FINGERPRINT, sketch="", sketch_dim=0))
    store.replace_files([replace(PARSER, sketches=None)])
    assert store.find_sketch(vector_of("x"), 5, ANY) == []
    assert store.stats().sketches == 0


def test_a_question_by_another_model_or_table_is_refused_and_harms_nothing(store: ChunkStore) -> None:
    store.replace_files(FILES)
    fill_vectors(store)
    with pytest.raises(ForeignVectorsError):
        store.find_near(vector_of("x", DIM * 2), 5, ANY)
    with pytest.raises(ForeignVectorsError):
        store.find_sketch(vector_of("x", DIM * 2), 5, ANY)
    assert store.state(FINGERPRINT) is IndexState.CURRENT
    assert store.mend() == []


def test_a_chunk_without_a_vector_is_not_near_anything(store: ChunkStore) -> None:
    store.replace_files([PARSER, SERVER])
    store.add_vectors([SERVER.chunks[0].id], vectors_of([SERVER.chunks[0]]))
    found = store.find_near(vector_of("x"), 5, ANY)
    assert [candidate.outline for candidate in found] == [SERVER.chunks[0].outline]


def test_what_is_found_is_outlined_field_by_field(store: ChunkStore) -> None:
    base = make_file("a b/größe's.py", "def parse(config):\n    return 1")
    chunk = replace(base.chunks[0], kind="method", name_path="Parser/parse", defines=("parse", "", "数"), chunk_index=7)
    store.replace_files([replace(base, chunks=(chunk,))])
    fill_vectors(store)
    expected = [Outline(chunk.id, chunk.file_path, 7, "python", "method", "Parser/parse", ("parse", "", "数"))]
    for _ in range(3):  # a store may read otherwise from the second time on
        assert [candidate.outline for candidate in store.find_text(query_terms("config"), 5, ANY)] == expected
        assert [candidate.outline for candidate in store.find_near(vector_of("x"), 5, ANY)] == expected
    assert [chunk.outline] == expected


FILTERED = [
    (Filters(paths=("src/",)), {"src/parser.py", "src/net/server.py"}),
    (Filters(paths=("src",)), {"src/parser.py", "src/net/server.py"}),
    (Filters(paths=("/src/net",)), {"src/net/server.py"}),
    (Filters(paths=("src/*.py",)), {"src/parser.py"}),
    (Filters(paths=("src/**/*.py",)), {"src/parser.py", "src/net/server.py"}),
    (Filters(paths=("*.css",)), {"web/style.css"}),
    (Filters(paths=("*.{css,scss}",)), {"web/style.css"}),
    (Filters(paths=("!tests/",)), {"src/parser.py", "src/net/server.py", "web/style.css"}),
    (Filters(paths=("*parser*", "!src")), {"tests/test_parser.py"}),
    (Filters(paths=("src/parser.py",)), {"src/parser.py"}),
    (Filters(languages=("css",)), {"web/style.css"}),
    (
        Filters(languages=("css", "python"), kinds=("function",)),
        {"src/parser.py", "src/net/server.py", "tests/test_parser.py"},
    ),
    (Filters(kinds=("rule",)), {"web/style.css"}),
    (Filters(paths=("nothing/here",)), set()),
    (Filters(languages=("it's",)), set()),
]


@pytest.mark.parametrize(("filters", "expected"), FILTERED)
def test_filters_hold_for_every_way_of_searching(store: ChunkStore, filters: Filters, expected: set[str]) -> None:
    store.replace_files(FILES)
    fill_vectors(store)
    # "e" stands in every chunk; each file's path words and "def"/"parser"... are found by these terms together.
    assert set(text(store, "parser server style test", filters)) == expected
    assert set(paths(store.find_near(vector_of("x"), 10, filters))) == expected
    for pattern in (Pattern("r", is_regex=False), Pattern("[r]", is_regex=True)):
        assert {match.chunk.file_path for match in store.find_matches(pattern, 10, filters).found} == expected


def test_filters_apply_before_the_limit(store: ChunkStore) -> None:
    crowd = [make_file(f"crowd/f{n}.py", f"def parse_config_{n}(): parse(config)") for n in range(60)]
    store.replace_files([*crowd, make_file("lone/only.py", "parse = 1")])
    fill_vectors(store)
    lone = Filters(paths=("lone/",))
    assert text(store, "parse config", lone, limit=1) == ["lone/only.py"]
    assert paths(store.find_near(vector_of("def parse_config"), 1, lone)) == ["lone/only.py"]
    assert [m.chunk.file_path for m in store.find_matches(Pattern("parse", is_regex=False), 1, lone).found] == [
        "lone/only.py"
    ]


@pytest.mark.parametrize("glob", ["", "[", "a[b", "{a", "x\\", "../up", "!", "/", "[z-a]"])
def test_a_glob_that_is_none_is_refused_with_a_sentence(store: ChunkStore, glob: str) -> None:
    store.replace_files(FILES)
    for find in (
        lambda filters: store.find_text(query_terms("parse"), 5, filters),
        lambda filters: store.find_near(vector_of("x"), 5, filters),
        lambda filters: store.find_matches(Pattern("x", is_regex=False), 5, filters),
    ):
        with pytest.raises(InvalidPatternError, match="glob"):
            find(Filters(paths=(glob,)))


def test_exact_text_is_found_on_its_lines_in_file_order(store: ChunkStore) -> None:
    store.replace_files(FILES)
    matches = store.find_matches(Pattern("parseConfig(", is_regex=False), 10, ANY)
    assert [(match.chunk.file_path, match.lines) for match in matches.found] == [
        ("src/parser.py", (1,)),
        ("tests/test_parser.py", (2,)),
    ]
    assert matches.complete


def test_exact_text_may_span_lines(store: ChunkStore) -> None:
    store.replace_files(FILES)
    matches = store.find_matches(Pattern("path):\n    pass", is_regex=False), 10, ANY)
    assert [match.lines for match in matches.found] == [(3, 4)]


def test_case_is_kept_unless_asked_otherwise(store: ChunkStore) -> None:
    store.replace_files(FILES)
    assert store.find_matches(Pattern("httpserver", is_regex=False), 10, ANY).found == ()
    assert len(store.find_matches(Pattern("httpserver", is_regex=False, ignore_case=True), 10, ANY).found) == 1
    assert store.find_matches(Pattern("https.rver", is_regex=True), 10, ANY).found == ()
    assert len(store.find_matches(Pattern("HTTPs.RVER", is_regex=True, ignore_case=True), 10, ANY).found) == 1
    assert len(store.find_matches(Pattern("(?i)HTTPs.RVER", is_regex=True), 10, ANY).found) == 1


def test_an_expression_sees_one_line_at_a_time(store: ChunkStore) -> None:
    store.replace_files(FILES)
    found = store.find_matches(Pattern(r"^def \w+\(.*\):$", is_regex=True), 10, ANY).found
    assert [match.lines for match in found] == [(3,), (1,), (3,), (1,)]
    assert store.find_matches(Pattern(r"\):\s+pass", is_regex=True), 10, ANY).found == ()


def test_a_limit_that_cuts_matches_off_says_so(store: ChunkStore) -> None:
    store.replace_files(FILES)
    few = store.find_matches(Pattern("r", is_regex=False), 2, ANY)
    assert (len(few.found), few.complete) == (2, False)
    assert store.find_matches(Pattern("r", is_regex=False), 6, ANY).complete


@pytest.mark.parametrize(
    "text", ["(", "[a", "*x", "a{2", "(?P<n>a)(?P=m)", "x" * 5000, "", r"\p{Nonsense}", "(" * 3000]
)
def test_what_is_no_expression_is_refused_with_a_sentence_or_taken_as_it_stands(store: ChunkStore, text: str) -> None:
    store.replace_files(FILES)
    if text == "a{2":  # no count: plain characters
        assert store.find_matches(Pattern(text, is_regex=True), 5, ANY).found == ()
        return
    with pytest.raises(InvalidPatternError):
        store.find_matches(Pattern(text, is_regex=True), 5, ANY)


def test_an_expression_that_would_run_for_ever_ends_incomplete(store: ChunkStore) -> None:
    store.replace_files([make_file("a.py", "a" * 60 + "!")])
    endless = Pattern(r"(a|aa)+$", is_regex=True, timeout_s=0.2)
    assert not store.find_matches(endless, 5, ANY).complete


AWKWARD = [
    'it\'s "quoted" \\ and %_ like',
    "naïve Größe ΑΒΓ ñandú",
    "数据库连接池 関数の定義",
    "emoji 🎉 and \u0000 nul",
    "tab\there  trailing  \r",
    "'); DROP TABLE chunks; --",
]


@pytest.mark.parametrize("content", AWKWARD)
def test_awkward_text_comes_back_and_is_found(store: ChunkStore, content: str) -> None:
    rows = make_file(f"odd/{content[:6].strip()}.txt".replace("\x00", "0"), content)
    store.replace_files([rows, *FILES])
    assert store.chunks([rows.chunks[0].id])[rows.chunks[0].id] == rows.chunks[0]
    assert store.files()[rows.record.path] == rows.record
    found = store.find_matches(Pattern(content, is_regex=False), 5, ANY).found
    assert [match.chunk.id for match in found] == [rows.chunks[0].id]
    assert len(store.find_matches(Pattern(content, is_regex=False, ignore_case=True), 5, ANY).found) == 1
    assert rows.record.path in text(store, content)
    store.delete_files([rows.record.path])
    assert rows.record.path not in store.files()


def test_words_within_text_without_spaces_are_found(store: ChunkStore) -> None:
    store.replace_files([make_file("db.py", "# 管理数据库连接池的生命周期"), *FILES])
    assert text(store, "连接池") == ["db.py"]


def test_maintenance_and_checks_leave_everything_as_it_was(store: ChunkStore) -> None:
    store.replace_files(FILES)
    fill_vectors(store)
    before = text(store, "parse config"), paths(store.find_near(vector_of("x"), 10, ANY)), store.files()
    store.maintain()
    store.maintain()
    after = text(store, "parse config"), paths(store.find_near(vector_of("x"), 10, ANY)), store.files()
    assert after == before
    assert store.check() == []


def test_one_writer_may_write_several_times_within_its_block(store: ChunkStore) -> None:
    with store.writing():
        store.replace_files([PARSER])
        with store.writing():
            store.delete_files(["src/parser.py"])
    assert store.files() == {}


def test_closing_twice_is_harmless(store: ChunkStore) -> None:
    store.close()
    store.close()


def test_a_refreshed_record_leaves_chunks_vectors_and_imports_as_they_are(store: ChunkStore) -> None:
    store.replace_files([PARSER, replace(SERVER, imports=("src/parser",))])
    fill_vectors(store)
    newer = replace(PARSER.record, mtime_ns=PARSER.record.mtime_ns + 1, size=PARSER.record.size)
    store.refresh_records([newer])
    store.refresh_records([replace(newer, path="no/such.py")])
    store.refresh_records([])
    assert store.files() == {PARSER.record.path: newer, SERVER.record.path: SERVER.record}
    assert set(text(store, "parse config")) == {PARSER.record.path}
    assert store.stats().vectors == store.stats().chunks
    assert store.links([PARSER.record.path]) == {PARSER.record.path: 1}
    assert store.check() == []


def test_a_sample_has_every_chunk_in_order_with_its_sketch_and_its_vector(store: ChunkStore) -> None:
    store.replace_files(FILES)
    embedded = store.missing_vectors(3)
    store.add_vectors([chunk.id for chunk in embedded], vectors_of(embedded))
    sample = store.sample(100)
    chunks = sorted(
        (chunk for rows in FILES for chunk in rows.chunks), key=lambda one: (one.file_path, one.chunk_index)
    )
    assert list(sample.chunks) == chunks
    assert np.allclose(sample.sketches, vectors_of(chunks), atol=1e-3)
    assert np.allclose(sample.vectors[:3], vectors_of(embedded))
    assert not sample.vectors[3:].any()


def test_a_sample_of_many_chunks_is_an_even_draw_and_the_same_one_each_time(store: ChunkStore) -> None:
    store.replace_files([make_file(f"src/f{n}.py", *(f"def f{n}_{k}(): pass" for k in range(20))) for n in range(20)])
    sample = store.sample(100)
    assert 60 <= len(sample.chunks) <= 140  # 100, and four times the deviation of a draw
    assert len({chunk.file_path for chunk in sample.chunks}) > 15
    assert store.sample(100).chunks == sample.chunks
    assert len(sample.vectors) == len(sample.sketches) == len(sample.chunks)
    assert len(store.sample(400).chunks) == 400


def test_an_index_of_text_alone_has_a_sample_without_vectors(unbegun: ChunkStore) -> None:
    assert unbegun.sample(10).chunks == ()
    unbegun.reset(TEXT_ONLY)
    assert unbegun.sample(10).chunks == ()
    unbegun.replace_files(FILES)
    sample = unbegun.sample(10)
    assert sample.vectors.shape == (len(sample.chunks), 0)
    assert sample.sketches.shape == (len(sample.chunks), DIM)
