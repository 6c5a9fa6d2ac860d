"""What answers are worth: small cases whose figures can be worked out by hand."""

from __future__ import annotations

import math

import pytest

from benchmarks.quality.judging import (
    BUDGETS,
    Place,
    Question,
    by_repository,
    ndcg,
    question,
    ranking_figures,
    ranks,
    token_figures,
    tokens,
    touches,
    within,
)
from benchmarks.quality.peers import Found


def hit(path: str, first: int | None = None, last: int | None = None, shown: str = "") -> Found:
    return Found(path, first, last, shown)


def test_a_hit_touches_a_place_whose_path_was_given_from_further_above() -> None:
    assert touches(hit("app.py", 1, 9), Place("src/app.py"))
    assert touches(hit("src/app.py", 1, 9), Place("app.py"))
    assert not touches(hit("src/my_app.py", 1, 9), Place("app.py"))


def test_one_shared_line_is_enough_and_none_is_not() -> None:
    place = Place("a.py", 10, 20)
    assert touches(hit("a.py", 20, 30), place)
    assert not touches(hit("a.py", 21, 30), place)
    assert touches(hit("a.py"), place), "a whole file holds all its lines"


def test_a_place_counts_once_at_its_first_hit() -> None:
    hits = [hit("b.py", 1, 2), hit("a.py", 1, 2), hit("a.py", 3, 4)]
    assert ranks(hits, [Place("a.py"), Place("c.py")]) == [2]


def test_ndcg_is_one_when_all_places_come_first_and_counts_a_shared_rank_once() -> None:
    assert ndcg([1, 2], 2) == pytest.approx(1)
    assert ndcg([3], 1) == pytest.approx(0.5)
    assert ndcg([1, 1], 2) == pytest.approx(1 / (1 + 1 / math.log2(3)))
    assert ndcg([11], 1) == 0


def test_each_repository_counts_the_same_however_many_questions_it_has() -> None:
    asked = [
        Question("large", "symbol", "", ()),
        Question("large", "symbol", "", ()),
        Question("small", "symbol", "", ()),
    ]
    assert by_repository(asked, [0, 0, 1]) == 0.5


def test_figures_say_how_each_kind_of_question_does() -> None:
    asked = [
        Question("r", "symbol", "A", (Place("a.py"),)),
        Question("r", "semantic", "b", (Place("b.py"), Place("c.py"))),
    ]
    found = ranking_figures(asked, [[hit("a.py", 1, 2)], [hit("x.py", 1, 2), hit("b.py", 1, 2)]])
    assert found["symbol"] == 1
    assert found["semantic"] == pytest.approx(1 / math.log2(3) / (1 + 1 / math.log2(3)), abs=1e-4)
    assert (found["recall"], found["first"]) == (0.75, 0.5)


def test_an_answer_ends_before_the_hit_that_does_not_fit_whole() -> None:
    hits = [hit("a.py", 1, 2, "short"), hit("b.py", 1, 2, "word " * 400), hit("c.py", 1, 2, "short")]
    assert within(hits, 100) == hits[:1]
    assert within(hits, 1000) == hits
    assert tokens(hits[1]) > 400


def test_recall_grows_with_the_budget_and_is_that_of_the_hits_that_fit() -> None:
    asked = [Question("r", "symbol", "A", (Place("b.py"),))]
    hits = [hit("a.py", 1, 2, "word " * 700), hit("b.py", 1, 2, "word")]
    shares = token_figures(asked, [[hits]])
    assert shares == [float(budget >= tokens(hits[0]) + tokens(hits[1])) for budget in BUDGETS]
    assert shares[0] == 0
    assert shares[-1] == 1


def test_a_program_that_spends_its_own_budgets_is_judged_by_each_answer() -> None:
    asked = [Question("r", "symbol", "A", (Place("b.py"),))]
    answers = [[[hit("a.py", 1, 2)]], [[hit("a.py", 1, 2)]], [[hit("b.py", 1, 2)]], [[hit("b.py", 1, 2)]]]
    assert token_figures(asked, answers) == [0, 0, 1, 1]


def test_a_question_holds_files_and_lines_of_both_lists() -> None:
    row = {
        "query": "q",
        "category": "semantic",
        "relevant": ["a.py"],
        "secondary": [{"path": "b.py", "start_line": 3, "end_line": 4}],
    }
    assert question("r", row) == Question("r", "semantic", "q", (Place("a.py"), Place("b.py", 3, 4)))
