"""The file of figures, the tables made of it, and codeloupe as a program among its peers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.quality import compare, own
from benchmarks.quality.compare import in_page, questions_of, table
from benchmarks.quality.judging import Place
from benchmarks.quality.peers import Ask

if TYPE_CHECKING:
    import pytest


def test_a_table_has_the_columns_that_were_measured_and_the_best_program_first() -> None:
    good = {"ndcg": 0.9, "recall_at_tokens": [0.1, 0.2, 0.3, 0.4]}
    fast = {"ndcg": 0.5, "first_answer_s": 0.031, "warm_p50_ms": 2.5, "warm_p95_ms": 7.0}
    lines = table({"fast": fast, "good": good}).splitlines()
    assert lines[0].startswith("| program | nDCG@10 | in 500 tokens |")
    assert lines[0].endswith("| first answer | warm p50 / p95 |")
    assert lines[2] == "| good | 0.900 | 0.100 | 0.200 | 0.300 | 0.400 |  |  |"
    assert lines[3] == "| fast | 0.500 |  |  |  |  | 0.031 s | 2.5 / 7 ms |"


def test_a_page_gets_new_tables_in_the_place_of_old_ones_and_keeps_the_rest() -> None:
    old, new = table({"old": {"ndcg": 0.1}}), table({"new": {"ndcg": 0.2}, "newer": {"ndcg": 0.1}})
    page = "before\n\n{}\n\n| program | version |\n| --- | --- |\n\n{}\nafter\n"
    assert in_page(page.format(old, old), [new, old]) == page.format(new, old)


def questions(directory: Path) -> Path:
    """A set of one repository and two questions, and its tree."""
    annotations = directory / "annotations"
    annotations.mkdir()
    asked = [
        {"query": "greet a visitor", "category": "semantic", "relevant": ["greeting.py"]},
        {"query": "Ledger", "category": "symbol", "relevant": [{"path": "ledger.py", "start_line": 1, "end_line": 3}]},
    ]
    (annotations / "small.json").write_text(json.dumps(asked), encoding="utf-8")
    (directory / "repos.json").write_text(json.dumps([{"name": "small", "benchmark_root": "src"}]), encoding="utf-8")
    tree = directory / "repositories" / "small" / "src"
    tree.mkdir(parents=True)
    (tree / "greeting.py").write_text(
        "def greet(visitor: str) -> str:\n    return f'hello {visitor}'\n", encoding="utf-8"
    )
    (tree / "ledger.py").write_text("class Ledger:\n    def book(self) -> None:\n        pass\n", encoding="utf-8")
    return directory


def test_questions_are_about_the_directory_that_the_set_names(tmp_path: Path) -> None:
    ((root, asked),) = questions_of(questions(tmp_path), tmp_path / "repositories", [])
    assert root == tmp_path / "repositories" / "small" / "src"
    assert [one.places for one in asked] == [(Place("greeting.py"),), (Place("ledger.py", 1, 3),)]
    assert questions_of(tmp_path, tmp_path, ["another"]) == []


def test_codeloupe_is_asked_and_its_figures_join_those_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for kind in ("DATA", "CACHE", "CONFIG"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind))
    monkeypatch.setenv("CODELOUPE_MODEL_DIRECTORY", str(tmp_path / "none"))
    figures = tmp_path / "quality.json"
    figures.write_text(json.dumps({"questions": {"grep": {"ndcg": 0.25}}}), encoding="utf-8")
    given = ["--questions", str(questions(tmp_path)), "--repositories", str(tmp_path / "repositories")]
    compare.main([*given, "--out", str(tmp_path / "runs"), "--figures", str(figures), "--program", "codeloupe-words"])
    programs = json.loads(figures.read_text(encoding="utf-8"))["questions"]
    assert programs["grep"] == {"ndcg": 0.25}
    assert programs["codeloupe-words"]["ndcg"] == 1
    assert programs["codeloupe-words"]["recall_at_tokens"] == [1, 1, 1, 1]
    assert "| codeloupe-words | 1.000 |" in capsys.readouterr().out
    lines = (tmp_path / "runs" / "codeloupe-words.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["results"][0]["file_path"] for line in lines] == ["greeting.py", "ledger.py"]
    assert own.first_answer_s("text", tmp_path / "repositories" / "small" / "src", "greet") > 0


def test_a_wrong_place_is_a_miss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = questions(tmp_path) / "repositories" / "small" / "src"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (few, none) = own.answers("text", root, [Ask("visitor", 1, 500), Ask("zebra", 10)])
    assert [(hit.file_path, hit.start_line) for hit in few.hits] == [("greeting.py", 1)]
    assert none.hits == ()
