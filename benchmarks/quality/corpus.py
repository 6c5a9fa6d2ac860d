"""The function-level set: sources without documentation, and the sentences that were taken out, as queries."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.quality.extraction import Documented, apply, find_functions, moved
from benchmarks.quality.hiding import hide, neutral_names
from benchmarks.quality.packages import SourceFile
from benchmarks.quality.sentences import sentence_of, without_name, words
from indexer.decoding import Decoded, decode
from indexer.generated import reason_by_name, reason_by_text
from indexer.languages import detect_language

SHOWN, HIDDEN = "shown", "hidden"
QUERIES = 600  # a language at most, so that none costs more time than another
FEWEST_LINES, MOST_LINES = 4, 150  # of a target: shorter ones do nothing, longer ones several things
_ALIKE = 0.8  # words two sentences share (Jaccard) from which on they are one question with two answers
_TEST = re.compile(r"[Tt]est(?![a-z])")
_PLAIN_NAME = re.compile(r"#?[A-Za-z_$][\w$]*")


@dataclass(frozen=True, slots=True)
class Stripped:
    """A source without documentation, and its functions in lines of what is left (1-based, inclusive)."""

    path: str
    data: bytes
    functions: tuple[Function, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """A function that was documented; ``sentence`` is "" where nobody would ask for it in these words."""

    path: str
    name: str
    sentence: str
    said: frozenset[str]  # words of its documentation's first sentence, worth asking or not
    start_line: int
    end_line: int
    is_target: bool


@dataclass(frozen=True, slots=True)
class Question:
    """One query of a variant, and the one place that answers it."""

    language: str
    variant: str
    query: str
    file_path: str
    start_line: int
    end_line: int


def strip(language: str, file: SourceFile) -> Stripped | None:
    """The file as it goes into a corpus; None for one of another language or one that a program wrote."""
    decoded = decode(file.data)
    if not isinstance(decoded, Decoded):
        return None
    text = decoded.text
    if detect_language(file.path, text) != language:
        return None
    if reason_by_name(file.path, len(file.data)) or reason_by_text(file.path, text):
        return None
    source = text.encode()
    found = find_functions(language, source)
    data = apply(source, found.edits)
    starts = [0, *(match.end() for match in re.finditer(b"\n", data))]

    def function(documented: Documented) -> Function:
        first = _line(starts, moved(documented.start, found.edits))
        last = _line(starts, moved(documented.end, found.edits) - 1)
        return _function(file.path, documented, first, last)

    return Stripped(file.path, data, tuple(map(function, found.functions)))


def choose(files: Sequence[Stripped], most: int = QUERIES) -> list[Function]:
    """The functions to ask for: each has a sentence that no other function has and that stands nowhere in the corpus.

    Where there are more than ``most``, those whose hashes are lowest: scattered over all files, and always the same.
    """
    functions = [function for file in files for function in file.functions]
    telling = [function for function in functions if function.is_target and function.sentence]
    alone = _without_twins(telling, functions)
    rest = "\n".join(" ".join(words(file.data.decode())) for file in files)
    hidden = [function for function in alone if " ".join(words(function.sentence)) not in rest]
    chosen = sorted(hidden, key=lambda function: hashlib.sha256(f"{function.path}\0{function.name}".encode()).digest())
    return sorted(chosen[:most], key=lambda function: (function.path, function.start_line))


def write(language: str, files: Sequence[Stripped], chosen: Sequence[Function], work: Path) -> list[Question]:
    """Both variants of a language below ``work``, in place of what was there; returns all their questions."""
    names = neutral_names([_simple(function.name) for function in chosen])
    for variant in (SHOWN, HIDDEN):
        root = work / language / variant
        shutil.rmtree(root, ignore_errors=True)
        for file in files:
            target = root / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.data if variant == SHOWN else hide(language, file.data, names))
    return [
        Question(language, variant, function.sentence, function.path, function.start_line, function.end_line)
        for variant in (SHOWN, HIDDEN)
        for function in chosen
    ]


def save(questions: Iterable[Question], file: Path) -> None:
    """One line of JSON a question."""
    lines = (json.dumps(asdict(question)) + "\n" for question in questions)
    file.write_text("".join(lines), encoding="utf-8", newline="\n")


def load(file: Path) -> list[Question]:
    """What ``save`` wrote."""
    return [Question(**json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines()]


def _function(path: str, documented: Documented, first: int, last: int) -> Function:
    said = sentence_of(documented.documentation)
    sentence = without_name(said, documented.name) if said else ""
    is_target = documented.has_body and documented.is_named and FEWEST_LINES <= last - first + 1 <= MOST_LINES
    named = _PLAIN_NAME.fullmatch(_simple(documented.name)) is not None and not _TEST.match(_simple(documented.name))
    opening = " ".join(words(said or documented.documentation[:400])[:40])
    return Function(path, documented.name, sentence, frozenset(opening.split()), first, last, is_target and named)


def _simple(name: str) -> str:
    return name.rpartition("/")[2].lstrip("#")


def _line(starts: Sequence[int], offset: int) -> int:
    return bisect_right(starts, offset)


def _without_twins(telling: Sequence[Function], everyone: Sequence[Function]) -> list[Function]:
    """Those whose sentence is unlike every other function's; compared where at least one rarer word is shared."""
    holding: dict[str, list[Function]] = defaultdict(list)
    for function in everyone:
        for word in function.said:
            holding[word].append(function)

    def has_twin(function: Function) -> bool:
        by_rarity = sorted(function.said, key=lambda word: (len(holding[word]), word))
        # Two sets this alike share all but a fifth of either's words: one of the rarest of them, so these are enough.
        looked_at = by_rarity[: len(by_rarity) - int(_ALIKE * len(by_rarity)) + 1]
        others = (other for word in looked_at for other in holding[word] if other is not function)
        return any(_alike(function.said, other.said) for other in others)

    return [function for function in telling if not has_twin(function)]


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    shared = len(one & other)
    return shared >= _ALIKE * (len(one) + len(other) - shared)
