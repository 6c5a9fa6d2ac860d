"""golden.txt: the ranks as a file whose diff shows every change of ranking; written by ``make golden``.

A line that still holds is kept as it is: its rank by text is the same, its rank with vectors lies in the recorded range
(tests/ranking/measuring.py). So another machine writes the same file, and a diff is a change of ranking.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import platformdirs

from embedding.local import LocalEmbedder
from embedding.model import DEFAULT_MODEL, KNOWN_MODELS
from embedding.settings import ModelSettings
from embedding.sources import obtain
from tests.ranking.measuring import ABSENT, Ranks, index_corpus, measure
from tests.ranking.questions import HERE, Question, questions

GOLDEN = HERE / "golden.txt"
SUMS = """\
# The rank of the first right hit of each question of questions.toml over corpus/; "-" is none in twenty. With vectors a
# rank may differ between machines: 2..4 is any of them, and counts as 4 in the sums. Written by `make golden`.

                 text                      text and vectors
kind         n   recall@1 recall@5 MRR     recall@1 recall@5 MRR
"""
ASKED = "text  vectors  kind          question => right answers\n"

Lines = dict[tuple[str, str], Ranks]  # kind, question and answers as written -> ranks


def settled(measured: Mapping[Question, Ranks], recorded: Lines) -> Lines:
    """What is to stand in the file: the recorded range where this machine's rank lies in it, else the measured one."""
    return {
        (question.kind, str(question)): _kept(ranks, recorded.get((question.kind, str(question))))
        for question, ranks in measured.items()
    }


def _kept(measured: Ranks, recorded: Ranks | None) -> Ranks:
    if recorded is None or not recorded.best <= measured.here <= recorded.worst:
        return measured
    return replace(measured, best=recorded.best, worst=recorded.worst)


def render(lines: Lines) -> str:
    """The whole file: sums by kind, then a line a question."""
    by_kind: dict[str, list[Ranks]] = {"all": list(lines.values())}
    for (kind, _), ranks in lines.items():
        by_kind.setdefault(kind, []).append(ranks)
    sums = "".join(map(_sum, by_kind, by_kind.values()))
    return f"{SUMS}{sums}\n{ASKED}" + "".join(_line(kind, text, ranks) for (kind, text), ranks in lines.items())


def _line(kind: str, text: str, ranks: Ranks) -> str:
    return f"{_rank(ranks.text):>4}  {_range(ranks):<7}  {kind:<12}  {text}\n"


def parse(text: str) -> Lines:
    """The ranks of a written file."""
    lines: Lines = {}
    for line in text.partition(ASKED)[2].splitlines():
        by_text, with_vectors, kind, asked = line.split(maxsplit=3)
        best, _, worst = with_vectors.partition("..")
        lines[kind, asked] = Ranks(_read(by_text), _read(best), _read(best), _read(worst or best))
    return lines


def _sum(kind: str, ranks: list[Ranks]) -> str:
    by_text, with_vectors = _scores([one.text for one in ranks]), _scores([one.worst for one in ranks])
    return f"{kind:<12} {len(ranks):<3} {by_text}   {with_vectors}\n"


def _scores(ranks: list[int]) -> str:
    first = sum(rank == 1 for rank in ranks) / len(ranks)
    fifth = sum(rank <= 5 for rank in ranks) / len(ranks)
    reciprocal = sum(1 / rank for rank in ranks if rank != ABSENT) / len(ranks)
    return f"{first:<8.3f} {fifth:<8.3f} {reciprocal:.3f}"


def _range(ranks: Ranks) -> str:
    return _rank(ranks.best) if ranks.best == ranks.worst else f"{_rank(ranks.best)}..{_rank(ranks.worst)}"


def _rank(rank: int) -> str:
    return "-" if rank == ABSENT else str(rank)


def _read(rank: str) -> int:
    return ABSENT if rank == "-" else int(rank)


def recorded() -> str:
    """The file as it is, "" where there is none yet."""
    return GOLDEN.read_text(encoding="utf-8") if GOLDEN.exists() else ""


@contextmanager
def default_embedder() -> Iterator[LocalEmbedder]:
    """The default model, obtained where `codeloupe models pull` puts it."""
    spec = KNOWN_MODELS[DEFAULT_MODEL]
    path = obtain(spec, Path(platformdirs.user_data_dir("codeloupe", appauthor=False)) / "models")
    embedder = LocalEmbedder(spec, path, ModelSettings())
    try:
        yield embedder
    finally:
        embedder.close()


def main() -> None:
    """Write golden.txt anew."""
    with tempfile.TemporaryDirectory() as directory, default_embedder() as embedder:
        measured = measure(index_corpus(Path(directory), embedder), embedder, questions())
    GOLDEN.write_text(render(settled(measured, parse(recorded()))), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
