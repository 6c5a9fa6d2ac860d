from benchmarks.quality.extraction import parse
from benchmarks.quality.hiding import hide, neutral_names

SOURCE = b"""__all__ = ["join_rings", "copy"]

def join_rings(rings):
    # join_rings may copy them; join_rings_fast does not
    return copy(rings)

def copy(rings):
    return list(rings)

def join_rings_fast(rings):
    return rings
"""


def test_a_hidden_name_of_several_parts_is_nowhere() -> None:
    hidden = hide("python", SOURCE, neutral_names(["join_rings"]))
    assert b"join_rings " not in hidden
    assert b'["fn0001", "copy"]' in hidden
    assert b"def fn0001(rings):\n    # fn0001 may copy them; join_rings_fast does not" in hidden


def test_a_hidden_name_that_is_a_word_stays_in_prose_alone() -> None:
    hidden = hide("python", SOURCE, neutral_names(["copy"]))
    assert b"def fn0001(rings)" in hidden
    assert b"return fn0001(rings)" in hidden
    assert b"may copy them" in hidden


def test_hiding_keeps_every_line_where_it_is() -> None:
    hidden = hide("python", SOURCE, neutral_names(["copy", "join_rings"]))
    assert hidden.count(b"\n") == SOURCE.count(b"\n")
    assert not parse("python", hidden).has_error


def test_a_private_member_keeps_its_mark() -> None:
    source = b"class A {\n  #copy() {}\n  b() { return this.#copy(); }\n}\n"
    assert hide("javascript", source, neutral_names(["copy"])).count(b"#fn0001()") == 2


def test_neutral_names_do_not_depend_on_the_order() -> None:
    assert neutral_names(["b", "a"]) == neutral_names(["a", "b", "a"]) == {b"a": b"fn0001", b"b": b"fn0002"}
