"""Writing one setting: that line changes, and every other byte stays."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.command_line.settings_file import edited, write_setting
from mcp_server.errors import ConfigError

BEFORE_AND_AFTER = [
    ("", '[model]\nname = "new"\n'),
    ("# mine\n", '# mine\n\n[model]\nname = "new"\n'),
    ("[search]\nlimit = 3", '[search]\nlimit = 3\n\n[model]\nname = "new"\n'),
    ('[model]\nname = "old"  # why\nprocesses = 2\n', '[model]\nname = "new"  # why\nprocesses = 2\n'),
    ("[model] # m\r\nprocesses = 2\r\n", '[model] # m\r\nname = "new"\r\nprocesses = 2\r\n'),
    ("[model]", '[model]\nname = "new"\n'),
    ("\n  [ model ]\n\t'name'='a # b' # c", "\n  [ model ]\n\t'name'=\"new\" # c"),
    ('[index]\nname = "x"\n[model]\n# name = "y"\n', '[index]\nname = "x"\n[model]\nname = "new"\n# name = "y"\n'),
    ('model.name = "old"\n[search]\n', 'model.name = "new"\n[search]\n'),
    ('["model"]\n"name" = "a\\"b"\n', '["model"]\n"name" = "new"\n'),
    ('[search]\nx = """\n[model]\nname = "not this"\n"""\n', None),
    ('model = { name = "old" }\n', None),
    ("[model]\nname = '''old'''\n", None),
    ("model = 3\n", None),
]


@pytest.mark.parametrize(("before", "after"), BEFORE_AND_AFTER)
def test_one_line_changes_and_the_rest_stays_or_nothing_is_changed(before: str, after: str | None) -> None:
    assert edited(before, "model", "name", "new") == after


@given(st.text(st.characters(blacklist_categories=("Cs",)), max_size=40))
def test_any_text_reads_back_as_it_was_written(value: str) -> None:
    after = edited('[model]\nname = "old" # why\n', "model", "name", value)
    assert after is not None
    assert tomllib.loads(after)["model"]["name"] == value
    assert after.endswith(" # why\n")


def test_a_file_is_made_where_there_is_none_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "config" / "config.toml"
    write_setting(path, "model", "name", "new")
    assert path.read_bytes() == b'[model]\nname = "new"\n'
    assert [entry.name for entry in path.parent.iterdir()] == ["config.toml"]
    if os.name == "posix":
        assert path.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.name == "nt", reason="links and modes are POSIX's")
def test_a_link_stays_a_link_and_its_target_keeps_its_mode(tmp_path: Path) -> None:
    kept, path = tmp_path / "dotfiles" / "codeloupe.toml", tmp_path / "config.toml"
    kept.parent.mkdir()
    kept.write_text('[model]\nname = "old"\n')
    kept.chmod(0o640)
    path.symlink_to(kept)
    write_setting(path, "model", "name", "new")
    assert path.is_symlink()
    assert kept.read_text() == '[model]\nname = "new"\n'
    assert kept.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"model = { name = 'old' }\n", r'is not changed by a program; write name = "new" under \[model\] yourself'),
        (b"[model\n", "cannot be read as TOML"),
        (b"\xff\xfe", "cannot be read as TOML"),
    ],
)
def test_what_cannot_be_changed_safely_is_left_alone_and_said(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=sentence):
        write_setting(path, "model", "name", "new")
    assert path.read_bytes() == content


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigError, match=r"config\.toml cannot be written"):
        write_setting(tmp_path / "file" / "config.toml", "model", "name", "new")
