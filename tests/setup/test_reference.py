"""docs/reference and docs/pictures say what the code says."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from mcp_server.settings import Settings
from tests.setup import pictures, reference
from tests.setup.drawing import SIZES, WIDTHS

PAGES = reference.documents()
PICTURES = pictures.pictures()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_of_the_reference_is_what_the_code_says(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == PAGES[path], "run: make docs"


def test_no_page_of_the_reference_is_of_something_that_is_gone() -> None:
    assert set(reference.REFERENCE.iterdir()) == set(PAGES)


def test_every_command_and_every_setting_explains_itself() -> None:
    commands, settings, tools = (text for _, text in sorted((path.name, text) for path, text in PAGES.items()))
    assert re.findall(r"^## .*\n\n\n", commands, re.MULTILINE) == []
    for page in (commands, settings, tools):
        assert re.findall(r"^\|.*\|\s*\|$", page, re.MULTILINE) == []
    assert all(f"`{name}.{key}`" in settings for name, model in Settings() for key in type(model).model_fields)


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.name)
def test_a_picture_is_what_its_description_draws(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == PICTURES[path], "run: make docs"


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.name)
def test_a_picture_can_be_read_by_day_by_night_and_aloud(path: Path) -> None:
    root = ET.fromstring(PICTURES[path])
    style = root.findtext("{*}style") or ""
    assert "prefers-color-scheme: dark" in style
    assert root.get("role") == "img"
    assert root.findtext("{*}title")
    assert len(root.findtext("{*}desc") or "") > 80
    assert "http" not in re.sub(r'xmlns="[^"]+"', "", PICTURES[path])


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.name)
def test_no_word_leaves_its_picture(path: Path) -> None:
    root = ET.fromstring(PICTURES[path])
    width = float((root.get("viewBox") or "").split()[2])
    for text in root.iter("{http://www.w3.org/2000/svg}text"):
        kind, x = (text.get("class") or "").split()[0], float(text.get("x") or 0)
        long = len("".join(text.itertext())) * SIZES[kind] * WIDTHS[kind]
        start = {"middle": x - long / 2, "end": x - long}.get(text.get("text-anchor") or "", x)
        assert start >= 0, text.text
        assert start + long <= width, text.text
