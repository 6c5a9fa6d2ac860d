from __future__ import annotations

import random
import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks.gguf_lies import damaged, parts_of
from benchmarks.shapes import TINY, write_model
from benchmarks.small_bert import write_small_bert
from embedding.errors import EmbeddingError
from embedding.gguf import complete_spec, read_header
from embedding.local import LocalEmbedder
from embedding.model import ModelSpec, spec_for
from embedding.settings import ModelSettings

FILES = 200
LOADED = 6  # a process each, .3 s; `python -m benchmarks.mutations` loads them all


@pytest.fixture(scope="module")
def wholes(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    directory = tmp_path_factory.mktemp("whole")
    write_model(TINY, directory / "tiny.gguf")
    write_small_bert(directory / "bert.gguf")
    return [directory / "tiny.gguf", directory / "bert.gguf"]


def spec_of(path: Path) -> ModelSpec | None:
    """What the file is taken for, or None where it is refused, which must be in a sentence."""
    try:
        return complete_spec(spec_for(str(path)), read_header(path), path)
    except EmbeddingError as refusal:
        assert re.fullmatch(r"The model file .*[;:] .*\.", str(refusal), re.DOTALL)
        return None


def embeds(spec: ModelSpec, path: Path) -> bool:
    """Whether the file gives a unit vector; else its embedder says why in a sentence."""
    embedder = LocalEmbedder(spec, path, ModelSettings(processes=1, query_threads=1))
    try:
        return bool(np.isclose(np.linalg.norm(embedder.embed_query("where is the request parsed", 60)), 1, atol=1e-4))
    except EmbeddingError as failure:
        assert str(failure).endswith(".")
        return False
    finally:
        embedder.close()


def test_parts_that_are_joined_again_are_the_same_file(wholes: list[Path]) -> None:
    for path in wholes:
        assert parts_of(path).joined() == path.read_bytes()


def test_two_hundred_damaged_files_are_each_refused_or_read(wholes: list[Path], tmp_path: Path) -> None:
    chance = random.Random(5)
    parts = [parts_of(path) for path in wholes]
    accepted: list[tuple[Path, ModelSpec]] = []
    for number in range(FILES):
        path = tmp_path / f"{number}.gguf"
        path.write_bytes(damaged(chance, parts[number % 2])[1])
        spec = spec_of(path)
        if spec:
            accepted.append((path, spec))
    assert FILES / 10 < len(accepted) < FILES / 2  # most are refused before a process starts
    embedded = [embeds(spec, path) for path, spec in accepted[:LOADED]]
    assert any(embedded)  # some damage does no harm
