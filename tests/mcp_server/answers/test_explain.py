"""The arithmetic of a score."""

import re

from hypothesis import given
from hypothesis import strategies as st

from mcp_server.answers.explain import explained
from storage.chunk import Hit
from tests.mcp_server.samples import chunk

NAMES = st.lists(st.text("abcdefg", min_size=1, max_size=6), min_size=1, max_size=7, unique=True)


def hit(score: float, *signals: tuple[str, float]) -> Hit:
    return Hit(chunk("def parse(): pass"), score, ("text", "vector"), signals=signals)


def test_a_sum_times_its_factors() -> None:
    said = explained(hit(0.298, ("text", 0.7), ("name", 0.15), ("place", 0.35)))
    assert said == "text .700 + name .150 = .850 × place .350 = .298"


def test_one_signal_alone_is_the_score() -> None:
    assert explained(hit(1.0, ("text", 1.0))) == "text 1.000"


def test_a_hit_without_signals_says_who_found_it() -> None:
    assert explained(Hit(chunk("x"), 1.0, ("exact",))) == "found by exact"


@given(NAMES, st.data())
def test_the_shown_summands_add_up_to_the_shown_sum(names: list[str], data: st.DataObject) -> None:
    values = [data.draw(st.floats(0, 3)) for _ in names]
    said = explained(hit(sum(values) / 2, *zip(names, values, strict=True), ("place", 0.5)))
    summands, total, score = re.fullmatch(r"(.*) = (\S+) × place \.500 = (\S+)", said).groups()  # type: ignore[union-attr]
    numbers = [int(part.split()[1].replace(".", "")) for part in summands.split(" + ")]
    assert sum(numbers) == int(total.replace(".", ""))
    assert abs(float(score) - sum(values) / 2) <= 0.0005 + 1e-9
