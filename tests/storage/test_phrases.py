"""What a query repeats word for word."""

from __future__ import annotations

import pytest

from storage.ranking.phrases import asked_pairs, share

RAISED = 'raise UnknownQueueError(f"unknown queue {name!r}; configured are {sorted(queues)}")'


def test_most_of_a_message_is_found_though_its_names_were_filled_in() -> None:
    asked = asked_pairs("UnknownQueueError: unknown queue 'mail'; configured are ['default', 'reports']")
    assert share(asked, RAISED) > 0.25
    assert share(asked, "queues = configured(default, reports, mail)") < 0.2


@pytest.mark.parametrize("quoted", ['"the cart is empty"', "'the cart is empty'", "`the cart is empty`"])
def test_of_a_quotation_only_what_is_quoted_counts(quoted: str) -> None:
    asked = asked_pairs(f"where do we say {quoted} to people")
    assert asked == {("the", "cart"), ("cart", "is"), ("is", "empty")}
    assert share(asked, 'throw new Error("The cart is empty")') == 1


def test_one_quoted_word_is_looked_for_by_itself() -> None:
    assert share(asked_pairs('"healthz" endpoint'), 'mux.Handle("/healthz", check)') == 1


def test_a_line_of_code_is_repeated_as_a_whole() -> None:
    asked = asked_pairs("total += item.price * item.quantity;")
    assert share(asked, "for item in items:\n    total += item.price * item.quantity") == 1
    assert share(asked, "quantity item price total") < 0.3


@pytest.mark.parametrize(
    "query",
    [
        "how are routes matched",
        "ZodError",
        "the shop's cart isn't saved",
        "z.transform and z.pipe",
        "std::vector",
        "f()",
        "",
    ],
)
def test_prose_and_names_repeat_nothing(query: str) -> None:
    assert asked_pairs(query) == frozenset()
