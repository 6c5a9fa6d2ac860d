from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from embedding.machine.budget import Budget, in_words
from embedding.settings import MemorySettings

GB = 10**9


@pytest.mark.parametrize(
    ("text", "of_16_gb"),
    [
        ("50%", 8 * GB),
        (" 12.5 % ", 2 * GB),
        ("100%", 16 * GB),
        ("6GB", 6 * GB),
        ("6 gb", 6 * GB),
        ("512MiB", 512 << 20),
        ("1.5 GiB", 3 << 29),
        ("700000000", 700_000_000),
        ("700000000B", 700_000_000),
        ("1TB", 16 * GB),
    ],
)
def test_a_budget_is_bytes_or_a_share_and_never_more_than_there_is(text, of_16_gb):
    assert Budget.parse(text).bytes_of(16 * GB) == of_16_gb


@pytest.mark.parametrize("text", ["", "half", "-1GB", "50 percent", "GB", "1e9", "5,5GB", "0x10", "50%%", "6 GB of it"])
def test_what_is_no_budget_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match='like "50%", "6GB"'):
        Budget.parse(text)


@pytest.mark.parametrize("text", ["0%", "200%", "100.5%", "0.0%"])
def test_a_share_that_cannot_be_kept_is_refused(text):
    with pytest.raises(ValueError, match="more than 0% and at most 100%"):
        Budget.parse(text)


@pytest.mark.parametrize("text", ["6", "0", "0GB", "12MB", "63MB"])
def test_fewer_bytes_than_any_model_takes_are_refused(text):
    with pytest.raises(ValueError, match="less than the smallest model takes, 64 MB"):
        Budget.parse(text)


@pytest.mark.parametrize("text", ["0%", "200%", "6", "lots"])
def test_the_setting_refuses_nonsense_in_a_sentence(text):
    with pytest.raises(ValidationError, match="memory budget"):
        MemorySettings(budget=text)


@given(st.integers(1, 100), st.integers(10**8, 10**13))
def test_a_share_of_a_machine_is_within_it(percent, limit):
    assert 0 < Budget.parse(f"{percent}%").bytes_of(limit) <= limit


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 MB"), (46_220_352, "46 MB"), (999_400_000, "999 MB"), (999_600_000, "1.0 GB"), (4.38e9, "4.4 GB"),
     (128e9, "128 GB")],
)  # fmt: skip
def test_bytes_for_people_have_two_or_three_digits(count, words):
    assert in_words(count) == words
