"""How samples of many languages are cut, held by files that a reviewer can read.

`golden/<language>/outline.txt` says for each chunk: lines, kind, name path, the names it defines, and after "<" the
signature lines it carries as context. Written anew with UPDATE_GOLDEN=1; the diff then shows what changed.
"""

import os
from pathlib import Path

import pytest

from indexer.chunker import chunk_file
from indexer.settings import IndexSettings

GOLDEN = Path(__file__).parent / "golden"
LANGUAGES = sorted(path.name for path in GOLDEN.iterdir())
SMALL = IndexSettings(max_chunk_chars=300)  # so that samples one can read show how large units are split


def sample(language):
    return next(path for path in (GOLDEN / language).iterdir() if path.stem.lower() == "sample")


def outline(path):
    chunks = chunk_file(path.name, path.read_text(encoding="utf-8"), "hash", SMALL)
    lines = [f"language: {chunks[0].language}"]
    for chunk in chunks:
        context = " ⏎ ".join(chunk.context.split("\n"))
        described = (
            f"{chunk.start_line}-{chunk.end_line} {chunk.kind} {chunk.name_path or '-'} [{', '.join(chunk.defines)}]"
        )
        lines.append(f"{described} < {context}" if context else described)
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sample_is_cut_as_its_golden_outline_says(language):
    actual = outline(sample(language))
    golden = GOLDEN / language / "outline.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(actual, encoding="utf-8")
    assert actual == golden.read_text(encoding="utf-8")


def test_samples_of_at_least_twenty_languages_are_held():
    assert len(LANGUAGES) >= 20
