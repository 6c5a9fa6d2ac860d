"""What a query repeats word for word."""

from __future__ import annotations

import pytest

from storage.ranking.phrases import Repeated, repeated

RAISED = 'raise UnknownQueueError(f"unknown queue {name!r}; configured are {sorted(queues)}")'


def test_most_of_a_message_is_found_though_its_names_were_filled_in() -> None:
    asked = repeated("UnknownQueueError: unknown queue 'mail'; configured are ['default', 'reports']")
    assert asked.share(RAISED) > 0.25
    assert asked.share("queues = configured(default, reports, mail)") < 0.2


@pytest.mark.parametrize("quoted", ['"the cart is empty"', "'the cart is empty'", "`the cart is empty`"])
def test_of_a_quotation_only_what_is_quoted_counts(quoted: str) -> None:
    asked = repeated(f"where do we say {quoted}")
    assert asked.pairs == {("the", "cart"), ("cart", "is"), ("is", "empty")}
    assert asked.part == 0.5
    assert asked.share('throw new Error("The cart is empty")') == 0.5


def test_one_quoted_word_is_looked_for_by_itself() -> None:
    assert repeated('"healthz"').share('mux.Handle("/healthz", check)') == 1


def test_a_line_of_code_is_repeated_as_a_whole() -> None:
    asked = repeated("total += item.price * item.quantity;")
    assert asked.share("for item in items:\n    total += item.price * item.quantity") == 1
    assert asked.share("quantity item price total") < 0.3


def test_a_line_of_a_stack_trace_is_known_to_be_one_by_who_asks() -> None:
    assert repeated("in run_job of worker") == Repeated()
    assert repeated("in run_job of worker", literal=True).share("in run_job of worker") == 1


@pytest.mark.parametrize(
    "query",
    [
        "how are routes matched",
        "ZodError",
        "the shop's cart isn't saved",
        "z.transform and z.pipe",
        "std::vector",
        "f()",
        "what does parse(config) do when the file is missing",
        "find retry logic; then the backoff",
        "how to: parse the config",
        "where is map[string] used in the router",
        "Convert an array of (n, 2) spherical angles to (n, 3) unit vectors",
        "",
    ],
)
def test_prose_and_names_repeat_nothing(query: str) -> None:
    assert repeated(query) == Repeated()


@pytest.mark.parametrize(
    "query",
    [
        "ConfigError: unknown setting",
        "block is damaged: checksum 0badf00d",
        "for item in cart.items():",
        "if err != nil {",
        "self.queue.push(job, priority=5)\n",
        "return total * rate;",
    ],
)
def test_messages_and_lines_of_code_are_repeated_as_wholes(query: str) -> None:
    assert repeated(query).part == (1.0 if len(query.split()) > 1 else 0)


def test_typographic_quotation_marks_quote() -> None:
    assert repeated("where is \u201cthe cart is empty\u201d said").pairs == repeated('"the cart is empty"').pairs
