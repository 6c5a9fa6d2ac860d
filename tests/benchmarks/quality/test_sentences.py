import pytest

from benchmarks.quality.sentences import sentence_of, without_name


@pytest.mark.parametrize(
    ("comment", "sentence"),
    [
        ("/**\n * Joins the rings of a polygon. Slow.\n * @param a one\n */", "Joins the rings of a polygon"),
        ("/**\n * \\function tree_join\n * \\brief Joins the rings of a polygon.\n *\n * More.\n */", None),
        ("/// Joins the rings of a [`Polygon`](crate::Polygon).\n/// Or fails.", "Joins the rings of a Polygon"),
        ("Joins the :class:`~shapes.Ring` objects of\n    a polygon, e.g. of a map.\n\n    Args:\n", None),
        ("// Joins the rings of a\n// {@link Polygon}.", "Joins the rings of a Polygon"),
        ("/* Joins the rings of a polygon\n */", "Joins the rings of a polygon"),
    ],
)
def test_the_first_sentence_of_a_documentation_comes_without_its_marks(comment: str, sentence: str | None) -> None:
    assert sentence_of(comment).startswith(sentence or "Joins the ")
    assert "\n" not in sentence_of(comment)


def test_a_sentence_goes_on_over_lines_and_abbreviations() -> None:
    assert sentence_of("Joins the rings of\n    a polygon, e.g. of a map. Then more.") == (
        "Joins the rings of a polygon, e.g. of a map"
    )


@pytest.mark.parametrize(
    "comment",
    [
        "/** Short one. */",
        "/** TODO: join the rings of a polygon here. */",
        "/** @param rings the rings of a polygon that are joined */",
        "/** This is only for the tests of the polygon. */",
        "/** Soll die Ringe eines Vielecks verbinden. */",
        "/** Verbindet Ringe — für alle Vielecke of the map. */",
        "/** x = a * b + c / d - e for the ring of it */",
        "/** See https://example.org for the rings of a polygon. */",
        "",
    ],
)
def test_what_nobody_would_ask_is_no_sentence(comment: str) -> None:
    assert not sentence_of(comment)


def test_the_name_a_sentence_begins_with_is_taken_off() -> None:
    assert without_name("JoinRings joins the rings of a polygon", "Shape/JoinRings") == "joins the rings of a polygon"


def test_a_sentence_that_tells_a_name_of_several_parts_is_refused() -> None:
    assert without_name("Works as the old joinRings of a polygon did", "joinRings") == ""
    assert without_name("Reverse the order of all the rings", "reverse") == "Reverse the order of all the rings"
