"""Files as they are now."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mcp_server.serena.nouns import Lines
from mcp_server.serena.working_tree import WorkingTree


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_lines_are_those_of_the_index_whatever_ends_them(tmp_path: Path, ending: str) -> None:
    text = ending.join(["\ufeffeins", "zwei \u2028 und", "größe", ""])
    (tmp_path / "häfen").mkdir()
    (tmp_path / "häfen" / "kai.py").write_bytes(text.encode())
    tree = WorkingTree(tmp_path)
    assert tree.has("häfen/kai.py", Lines(1, 3), "eins\nzwei \u2028 und\ngröße")
    assert not tree.has("häfen/kai.py", Lines(2, 3), "zwei\ngröße")
    assert list(tree.lines_with("häfen/kai.py", Lines(2, 3), "röß")) == [(3, "größe")]


def test_what_is_not_under_the_root_is_not_read(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    (tmp_path / "secret.py").write_text("token")
    (root / "link.py").symlink_to(tmp_path / "secret.py")
    tree = WorkingTree(root)
    assert not tree.has("../secret.py", Lines(1, 1), "token")
    assert not tree.has("link.py", Lines(1, 1), "token")
    assert tree.from_line(str(tmp_path / "secret.py"), 1) == ""


def test_a_file_that_is_gone_has_nothing(tmp_path: Path) -> None:
    assert not WorkingTree(tmp_path).has("gone.py", Lines(1, 1), "x")
    assert not WorkingTree(tmp_path).has("zero\0byte.py", Lines(1, 1), "x")


@pytest.mark.skipif(os.name == "nt", reason="needs links and pipes among files")
def test_what_is_no_file_has_nothing_and_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "circle.py").symlink_to("circle.py")
    os.mkfifo(tmp_path / "pipe.py")
    for name in ("circle.py", "pipe.py"):
        assert not WorkingTree(tmp_path).has(name, Lines(1, 1), "")
