"""Filters know every word that chunks can carry."""

import re
from pathlib import Path

from indexer.definitions import RULES
from indexer.vocabulary import KINDS, LANGUAGES

GOLDEN = Path(__file__).parent / "golden"


def test_every_kind_of_the_golden_files_can_be_filtered_by():
    lines = [line for path in GOLDEN.glob("*/outline.txt") for line in path.read_text(encoding="utf-8").splitlines()]
    kinds = {match[1] for line in lines if (match := re.match(r"\d+-\d+ ([a-z]+)", line))}
    assert len(kinds) > 15
    assert kinds <= KINDS


def test_every_language_with_rules_can_be_filtered_by():
    assert set(RULES) <= LANGUAGES
