"""The lookup table that codeloupe brings, made anew from sources.

    python -m benchmarks.shipped_table gather DIR MATERIAL.jsonl
    python -m benchmarks.shipped_table make MATERIAL.jsonl [--out FILE.embd] [--epochs 4]

DIR holds a directory for each package (docs/table.md lists those of the shipped table). Their code is cut as it is
indexed, for the vocabulary; each function that somebody has documented gives a pair, the first sentence of its
documentation and its code without it. The sentences and the vocabulary are embedded by the default model, through the
user's vector cache, so a run that was stopped goes on; embedding/tables/teaching.py does the rest.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path

import numpy as np
import platformdirs

from benchmarks.quality.extraction import Documented, Edit, apply, find_functions
from benchmarks.quality.sentences import sentence_of
from embedding.embedder import Embedder
from embedding.open import open_embedder, wanted_file
from embedding.settings import MemorySettings, ModelSettings
from embedding.tables.bags import Vocabulary
from embedding.tables.bridge import fit_bridge
from embedding.tables.pairs import Drawing
from embedding.tables.prior import token_vectors
from embedding.tables.rare import ModelRows
from embedding.tables.table_file import TableContents, write_table
from embedding.tables.teaching import POWER, SIF, Lesson, teach
from embedding.tables.words import is_token, tokens_of, words_of
from indexer.chunker import chunk_file
from indexer.decoding import Decoded, decode
from indexer.generated import reason_by_name, reason_by_text
from indexer.languages import detect_language
from indexer.settings import IndexSettings

DIM = 160  # what more would buy: docs/table.md
LEAST_TEXTS, LEAST_PACKAGES = 4, 2  # a word that stands in fewer is a name of one package
MOST_OF_A_PACKAGE = 1500  # chunks, and pairs: no package teaches its own habits alone
MOST_OF_A_FILE = 40
MOST_BYTES = 300_000
CODE_CHARS = 1600  # of a function: what one chunk holds
LEAST_CODE_LINES = 3


@dataclass(frozen=True, slots=True)
class Material:
    """What a table is made from: chunks with their packages, and pairs of a sentence and its function's code."""

    chunks: list[tuple[str, str]]
    pairs: list[tuple[str, str]]


def main() -> None:
    """Gather, or make."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    first = commands.add_parser("gather")
    first.add_argument("directory", type=Path)
    first.add_argument("material", type=Path)
    second = commands.add_parser("make")
    second.add_argument("material", type=Path)
    second.add_argument("--out", type=Path, default=Path("all-minilm-l6-v2.embd"))
    second.add_argument("--epochs", type=int, default=Drawing().epochs)
    arguments = parser.parse_args()
    if arguments.command == "gather":
        save(gather(arguments.directory), arguments.material)
        return
    data, cache = (Path(find("codeloupe", appauthor=False)) for find in _USER_DIRECTORIES)
    model = ModelSettings()
    embedder = open_embedder(model, MemorySettings(), data, cache)
    try:
        make(load(arguments.material), embedder, wanted_file(model, data), arguments)
    finally:
        embedder.close()


_USER_DIRECTORIES = (platformdirs.user_data_dir, platformdirs.user_cache_dir)


def gather(directory: Path) -> Material:
    """Chunks and pairs of all packages; of a large one those of the files whose paths have the lowest hashes."""
    material = Material([], [])
    for package in sorted(path for path in directory.iterdir() if path.is_dir()):
        chunks = islice(_chunks(package), MOST_OF_A_PACKAGE)
        material.chunks.extend((package.name, text) for text in chunks)
        material.pairs.extend(islice(_pairs(package), MOST_OF_A_PACKAGE))
        print(f"{package.name}: {len(material.chunks)} chunks, {len(material.pairs)} pairs so far", flush=True)
    return material


def make(material: Material, embedder: Embedder, model_file: Path, arguments: argparse.Namespace) -> None:
    """Write the table and print its figures."""
    vocabulary = vocabulary_of(material.chunks, model_words(model_file))
    print(f"{len(vocabulary.tokens):,} tokens, {len(material.pairs):,} pairs", flush=True)
    questions = [question for question, _ in material.pairs]
    sentences = list(dict.fromkeys(questions))
    lesson = Lesson(
        sentences,
        token_vectors(embedder, sentences),
        token_vectors(embedder, vocabulary.tokens),
        questions,
        [answer for _, answer in material.pairs],
        Drawing(epochs=arguments.epochs),
    )
    fit = teach(vocabulary, lesson, DIM)
    with ModelRows(model_file) as rows:
        bridge = fit_bridge(rows, vocabulary.tokens, fit.vectors)
    write_table(
        arguments.out,
        TableContents(vocabulary.tokens, fit.vectors, vocabulary.frequencies, SIF, POWER, bridge.bridge),
    )
    print(f"error before pairs: {fit.trained_error:.3f}, held out {fit.held_out_error:.3f}, ridge {fit.ridge:g}")
    print(f"error of the bridge {bridge.held_out_error:.3f}; {arguments.out.stat().st_size:,} bytes in {arguments.out}")


_parts = lru_cache(maxsize=1 << 16)(tokens_of)


def vocabulary_of(chunks: Sequence[tuple[str, str]], further: Sequence[str]) -> Vocabulary:
    """The words that several packages share, and ``further``; with each one's share of all tokens."""
    counts: Counter[str] = Counter()
    spread: Counter[str] = Counter()
    packages: dict[str, set[str]] = {}
    for package, text in chunks:
        tokens = [token for word in words_of(text) for token in _parts(word)]
        counts.update(tokens)
        for token in set(tokens):
            spread[token] += 1
            packages.setdefault(token, set()).add(package)
    shared = (token for token in spread if spread[token] >= LEAST_TEXTS and len(packages[token]) >= LEAST_PACKAGES)
    words = (token for token in shared if not (token.isdigit() and len(token) > 3))
    kept = tuple(sorted({*words, *further}))
    return Vocabulary(kept, np.array([counts[token] / counts.total() for token in kept], np.float32))


def model_words(model_file: Path) -> list[str]:
    """Those pieces of the model that are whole words."""
    from gguf import GGUFReader

    tokens = GGUFReader(model_file).fields["tokenizer.ggml.tokens"]
    spelled = (bytes(tokens.parts[place]).decode("utf-8") for place in tokens.data)
    return [text[1:] for text in spelled if text.startswith("\u2581") and is_token(text[1:])]


def save(material: Material, file: Path) -> None:
    """A line of JSON for each chunk and each pair."""
    with file.open("w", encoding="utf-8", newline="\n") as out:
        for package, text in material.chunks:
            out.write(json.dumps({"package": package, "text": text}) + "\n")
        for question, answer in material.pairs:
            out.write(json.dumps({"question": question, "answer": answer}) + "\n")


def load(file: Path) -> Material:
    """What ``save`` wrote."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return Material(
        [(row["package"], row["text"]) for row in rows if "text" in row],
        [(row["question"], row["answer"]) for row in rows if "question" in row],
    )


def _sources(package: Path) -> Iterator[tuple[str, str, str]]:
    """Path, language and text of the package's files that people wrote, in an order by hash."""
    files = [path for path in package.rglob("*") if path.is_file() and not path.is_symlink()]
    for file in sorted(files, key=lambda path: hashlib.sha256(path.relative_to(package).as_posix().encode()).digest()):
        path, size = file.relative_to(package).as_posix(), file.stat().st_size
        if size > MOST_BYTES or reason_by_name(path, size):
            continue
        decoded = decode(file.read_bytes())
        if isinstance(decoded, Decoded):
            text = decoded.text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
            if not reason_by_text(path, text):
                yield path, detect_language(path, text), text


def _chunks(package: Path) -> Iterator[str]:
    for path, _, text in _sources(package):
        for chunk in chunk_file(path, text, "", IndexSettings())[:MOST_OF_A_FILE]:
            yield chunk.embedding_text()


def _pairs(package: Path) -> Iterator[tuple[str, str]]:
    for _, language, text in _sources(package):
        source = text.encode()
        found = find_functions(language, source, any_comment=True)
        for function in found.functions[:MOST_OF_A_FILE]:
            sentence = sentence_of(function.documentation)
            code = _code(function, found.edits, source)
            if sentence and code.count("\n") >= LEAST_CODE_LINES - 1:
                yield sentence, code


def _code(function: Documented, edits: Sequence[Edit], source: bytes) -> str:
    """The function without its documentation."""
    start, end = function.start, function.end
    inside = [
        Edit(max(edit.start, start) - start, min(edit.end, end) - start, edit.replacement)
        for edit in edits
        if edit.start < end and edit.end > start
    ]
    return apply(source[start:end], inside).decode("utf-8", "replace")[:CODE_CHARS]


if __name__ == "__main__":
    main()
