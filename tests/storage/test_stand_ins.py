"""Importing without parts: what is left out, what it says, and how it is brought back."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.stand_ins import forget, without


@pytest.fixture(autouse=True)
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A library whose front imports its back, and draws a class from it."""
    package = tmp_path / "attic"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "back.py").write_text("class Service:\n    pass\n")
    (package / "front.py").write_text("from attic.back import Service\nclass Shop(Service):\n    pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    forget({"attic"})


def test_what_is_left_out_can_be_named_and_drawn_from() -> None:
    with without({"attic.back"}):
        front = importlib.import_module("attic.front")
    assert front.Shop.__mro__[1].__module__ == "attic.back"


def test_what_is_left_out_says_so_when_it_is_to_work() -> None:
    with without({"attic.back"}):
        front = importlib.import_module("attic.front")
    with pytest.raises(ImportError, match="not needed here"):
        front.Service()


def test_all_below_a_name_is_left_out() -> None:
    with without({"attic"}):
        deep = importlib.import_module("attic.back.room.box")
    with pytest.raises(ImportError, match=r"^attic\.back\.room\.box"):
        deep.Service()


def test_a_name_that_only_begins_alike_is_imported() -> None:
    with without({"attic.ba"}):
        assert importlib.import_module("attic.back").Service()


def test_what_was_imported_before_stays_real() -> None:
    back = importlib.import_module("attic.back")
    with without({"attic.back"}):
        assert importlib.import_module("attic.front").Service is back.Service


def test_forgotten_stand_ins_make_way_for_the_library() -> None:
    with without({"attic.back"}):
        importlib.import_module("attic.front")
    forget({"attic"})
    assert "attic.back" not in sys.modules
    assert importlib.import_module("attic.front").Shop()
