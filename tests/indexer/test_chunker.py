"""What chunks promise, in small examples and for texts nobody would write."""

import random
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from indexer.chunker import MAX_CHUNK_TOKENS, chunk_file, chunker_fingerprint
from indexer.lines import estimate_tokens
from indexer.settings import IndexSettings
from storage.chunk import chunk_id, content_hash

DEFAULT = IndexSettings()
SMALL = IndexSettings(max_chunk_chars=200)
GOLDEN = Path(__file__).parent / "golden"
SAMPLES = [path for path in sorted(GOLDEN.glob("*/*")) if path.stem.lower() == "sample"]
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def chunks_of(text, path="file.py", limits=DEFAULT):
    chunks = chunk_file(path, text, "hash", limits)
    assert_whole(text, chunks, limits)
    return chunks


def assert_whole(text, chunks, limits):
    """Every promise that holds for any text."""
    lines = text.split("\n")
    data = text.encode()
    covered = []
    for index, chunk in enumerate(chunks):
        assert chunk.chunk_index == index
        assert chunk.content == "\n".join(lines[chunk.start_line - 1 : chunk.end_line])
        assert data[chunk.start_byte : chunk.end_byte].decode() == chunk.content
        assert lines[chunk.start_line - 1].strip()
        assert lines[chunk.end_line - 1].strip()
        assert chunk.start_line == chunk.end_line or len(chunk.content) <= limits.max_chunk_chars
        assert chunk.start_line == chunk.end_line or estimate_tokens(chunk.content) <= MAX_CHUNK_TOKENS
        covered.extend(range(chunk.start_line - 1, chunk.end_line))
    assert covered == sorted(set(covered))
    assert {row for row, line in enumerate(lines) if line.strip()} <= set(covered)
    assert len({chunk.id for chunk in chunks}) == len(chunks)


def named(chunks):
    return [(chunk.kind, chunk.name_path) for chunk in chunks]


def filler(lines, indent="    "):
    return "".join(f"{indent}value_{row} = compute({row})\n" for row in range(lines))


def test_a_blank_file_has_no_chunks():
    assert chunk_file("a.py", "", "hash", DEFAULT) == ()
    assert chunk_file("a.py", "\n \n\t\n", "hash", DEFAULT) == ()


def test_a_chunk_states_where_it_is_and_what_it_is_made_from():
    text = "\n\ndef é():\n    return 'ü'\n\n"
    (chunk,) = chunks_of(text)
    assert (chunk.start_line, chunk.end_line) == (3, 4)
    assert chunk.content == "def é():\n    return 'ü'"
    assert text.encode()[chunk.start_byte : chunk.end_byte] == chunk.content.encode()
    assert chunk.id == chunk_id("file.py", chunk.content, 0)
    assert chunk.content_hash == content_hash(chunk.content)
    assert (chunk.language, chunk.kind, chunk.name_path, chunk.file_hash) == ("python", "function", "é", "hash")


def test_equal_chunks_of_one_file_have_different_ids():
    body = "def same():\n" + filler(12)
    chunks = chunks_of(body + "\n\n" + body)
    assert chunks[0].content == chunks[1].content
    assert chunks[1].id == chunk_id("file.py", chunks[1].content, 1)


def test_comments_and_decorators_directly_above_belong_to_the_definition():
    chunks = chunks_of("def other():\n" + filler(20) + "\n\n# Speaks.\n@cached\n@public\ndef speak():\n" + filler(20))
    assert chunks[-1].content.startswith("# Speaks.\n@cached")
    assert chunks[-1].name_path == "speak"


def test_a_comment_apart_from_the_next_definition_is_not_part_of_the_one_before():
    text = "def first():\n" + filler(20) + "\n# Second part.\n\ndef second():\n" + filler(20)
    first, second = chunks_of(text)
    assert "Second part" not in first.content
    assert second.name_path == "second"


def test_a_class_that_fits_stays_whole_and_names_its_members():
    (chunk,) = chunks_of(
        "class A:\n    limit = 1\n\n    def b(self):\n        pass\n\n    class C:\n        def d(self): pass\n"
    )
    assert (chunk.kind, chunk.name_path) == ("class", "A")
    assert chunk.defines == ("A", "limit", "b", "C", "d")
    assert chunk.context == ""


def test_a_large_class_is_split_at_its_methods_which_carry_its_signature():
    text = 'class A(Base):\n    """Documented in more than a few words."""\n\n' + "".join(
        f"    def m{n}(self):\n{filler(12, '        ')}\n" for n in range(4)
    )
    chunks = chunks_of(text)
    assert named(chunks) == [("class", "A"), *(("method", f"A/m{n}") for n in range(4))]
    assert {chunk.context for chunk in chunks[1:]} == {"class A(Base):"}
    assert chunks[1].embedding_text().startswith("class A(Base):\n    def m0(self):")


def test_a_long_function_is_split_at_its_statements_which_carry_its_signature():
    chunks = chunks_of("class A:\n    def long(self, x):\n" + filler(120, "        "))
    assert {chunk.name_path for chunk in chunks} == {"A/long"}
    assert all(chunk.content.startswith("        value_") for chunk in chunks[1:])
    assert {chunk.context for chunk in chunks[1:]} == {"class A:\n    def long(self, x):"}
    assert [name for chunk in chunks for name in chunk.defines] == ["A", "long"]


def test_imports_and_constants_share_a_chunk():
    (chunk,) = chunks_of('"""Doc."""\n\nimport os\nfrom sys import path\n\nLIMIT = 3\nNAME = "x"\n')
    assert chunk.defines == ("LIMIT", "NAME")


def test_tiny_definitions_share_a_chunk_and_all_are_named():
    text = "".join(f"def f{n}(x): return x + {n}\n" for n in range(6))
    (chunk,) = chunks_of(text)
    assert chunk.name_path == "f0"
    assert chunk.defines == tuple(f"f{n}" for n in range(6))


def test_definitions_that_share_a_line_share_a_chunk():
    text = "function a() {\n  return 1;\n} function b() {\n  return 2;\n}\n"
    (chunk,) = chunks_of(text, "a.js")
    assert chunk.defines == ("a", "b")


def test_a_minified_line_is_one_chunk_with_the_names_in_it():
    text = "function a(){return 1}" * 500
    (chunk,) = chunks_of(text, "a.js")
    assert chunk.defines[0] == "a"


def test_a_single_long_line_is_not_cut():
    (chunk,) = chunks_of("x" * 50_000, "a.txt")
    assert len(chunk.content) == 50_000


def test_the_line_that_closes_a_class_is_not_left_alone():
    methods = "".join(f"  void m{n}() {{\n{filler(14)}  }}\n" for n in range(5))
    chunks = chunks_of("class A {\n" + methods + "}\n", "A.java")
    assert chunks[-1].content.endswith("  }\n}")


def test_text_without_structure_is_cut_at_blank_lines():
    paragraph = "\n".join("word" * 15 for _ in range(9))
    chunks = chunks_of("\n\n".join([paragraph] * 6), "notes.txt")
    assert [chunk.content for chunk in chunks] == ["\n\n".join([paragraph] * 2)] * 3
    assert {chunk.kind for chunk in chunks} == {"text"}


def test_code_that_does_not_parse_keeps_the_definitions_that_do():
    text = "def good():\n" + filler(20) + "\n\ndef broken(x):\n    x = = 1\n\n\ndef also_good():\n" + filler(20)
    names = {name for chunk in chunks_of(text) for name in chunk.defines}
    assert {"good", "also_good"} <= names


def test_a_grammar_without_rules_of_ours_is_cut_by_its_outline():
    text = "".join(f"function Get-Thing{n} {{\n{filler(20)}}}\n\n" for n in range(3))
    assert [chunk.name_path for chunk in chunks_of(text, "a.ps1")] == ["Get-Thing0", "Get-Thing1", "Get-Thing2"]


def test_a_script_inside_a_page_is_cut_by_its_own_rules():
    text = "<template>\n  <p>hi</p>\n</template>\n\n<script lang='ts'>\n"
    text += (
        "".join(f"export function f{n}(): number {{\n{filler(18)}  return 1;\n}}\n\n" for n in range(3)) + "</script>\n"
    )
    chunks = chunks_of(text, "a.vue")
    assert named(chunks)[1:] == [("function", "f0"), ("function", "f1"), ("function", "f2")]
    assert {chunk.language for chunk in chunks} == {"vue"}


def test_prose_is_cut_at_its_headings_but_not_at_what_only_looks_like_one():
    body = "words " * 30 + "\n"
    text = f"# One [two](x)\n{body}\n```sh\n# no heading\n```\n## `Three`\n{body}\n- item\n---\nFour\n====\n{body}"
    titles = [name for chunk in chunks_of(text, "a.md", SMALL) for name in chunk.defines]
    assert titles == ["One two", "Three", "Four"]
    text = f"=====\nTitle\n=====\n\n{body}\nPart\n----\n{body}\n==== ====\n a    b\n==== ====\n\nPart 2\n------\n{body}"
    paths = {chunk.name_path for chunk in chunks_of(text, "a.rst", SMALL)}
    assert {"Title", "Title/Part", "Title/Part 2"} <= paths


def test_units_nested_ten_thousand_deep_do_not_reach_the_recursion_limit():
    depth = sys.getrecursionlimit() * 2
    balanced = "\n".join(["["] * depth + ["]"] * depth)
    chunks_of(balanced, "a.json", SMALL)
    chunks_of("\n".join(["("] * depth), "a.py", SMALL)
    chunks_of("\n".join("#" * (1 + row % 6) + f" h{row}" for row in range(depth)), "a.md", SMALL)


@pytest.mark.parametrize("suffix", [".lua", ".scala", ".dart", ".jl", ".svelte", ".py"])
def test_rubbish_that_would_keep_a_parser_busy_for_minutes_is_cut_by_its_lines(suffix):
    text = "\n".join("([{<" * 10 for _ in range(3_000))
    assert {chunk.name_path for chunk in chunks_of(text, f"a{suffix}")} == {""}


def test_a_text_that_sends_a_parser_round_in_circles_is_cut_by_its_lines():
    (chunk,) = chunks_of("(''+\\;@a<<'$/*'{-**#a![c=''}{{{;c/*/", "a.ts")
    assert chunk.kind == "module"


def test_the_fingerprint_changes_with_what_changes_chunks():
    assert chunker_fingerprint(DEFAULT) != chunker_fingerprint(SMALL)
    assert chunker_fingerprint(DEFAULT) == chunker_fingerprint(IndexSettings(exclude=("x",)))


@QUICK
@given(st.text(max_size=3_000), st.sampled_from([path.name for path in SAMPLES]), st.sampled_from([DEFAULT, SMALL]))
@example("\x0c\n\x1c\n\x85a\n", "a.py", SMALL)
@example("a\r\nb\rc\n", "a.go", SMALL)
@example("```\n# no\n", "a.md", SMALL)
def test_any_text_is_cut_whole_in_any_language(text, name, limits):
    chunks_of(text, name, limits)


@QUICK
@given(st.sampled_from(SAMPLES), st.integers(0, 2**32), st.integers(1, 12), st.sampled_from([DEFAULT, SMALL]))
def test_mutilated_sources_are_cut_whole(path, seed, wounds, limits):
    chunks_of(mutilated(path.read_text(encoding="utf-8") * 3, random.Random(seed), wounds), path.name, limits)


@QUICK
@given(
    st.lists(
        st.sampled_from(["{", "}", "class A {", "  x;", "", "def f():", "(", ")", "/*", "*/", "'", '"', "end"]),
        max_size=300,
    )
)
def test_lines_in_any_order_are_cut_whole(lines):
    for name in ("a.java", "a.py", "a.rb", "a.ts"):
        chunks_of("\n".join(lines), name, SMALL)


def mutilated(text, chance, wounds):
    """A text with stretches removed, doubled, or moved."""
    for _ in range(wounds):
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.randrange(1, 200))
        piece = text[start:end]
        text = text[:start] + chance.choice(["", piece * 2, piece[::-1], "\n", "é\u2028\x0c"]) + text[end:]
    return text
