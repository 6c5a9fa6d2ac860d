"""Reading: any bytes into text or a reason, and files that change under the reader's hands."""

from __future__ import annotations

import errno
import os
import random
import sys
from pathlib import Path

import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from indexer.changes import UNTRUSTED_MTIME
from indexer.decoding import Decoded, decode
from indexer.generated import is_minified, reason_by_name, reason_by_text
from indexer.reading import read_source
from indexer.settings import IndexSettings
from indexer.source import Skip, SkipReason, SourceFile, SourceText
from tests.indexer.trees import SETTINGS, plant

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="needs what POSIX file systems offer")
OLD = 1_600_000_000_123_456_789


def _source_file(path: Path) -> SourceFile:
    status = path.lstat()
    return SourceFile(path.name, str(path), status.st_size, status.st_mtime_ns)


def _read(tmp_path: Path, content: bytes | str, name: str = "a.py") -> SourceText | Skip:
    path = plant(tmp_path, {name: content}) / name
    os.utime(path, ns=(OLD, OLD))
    return read_source(_source_file(path), SETTINGS)


def _text(tmp_path: Path, content: bytes | str, name: str = "a.py") -> str:
    source = _read(tmp_path, content, name)
    assert isinstance(source, SourceText), source
    return source.text


def _reason(tmp_path: Path, content: bytes | str, name: str = "a.py") -> SkipReason:
    source = _read(tmp_path, content, name)
    assert isinstance(source, Skip)
    return source.reason


def test_a_source_carries_the_hash_size_and_time_of_its_bytes(tmp_path: Path) -> None:
    content = "é = 1\r\n".encode()
    source = _read(tmp_path, content)
    assert source == SourceText(
        "a.py",
        "é = 1\n",
        "utf-8",
        len(content),
        (tmp_path / "a.py").stat().st_mtime_ns,
        xxhash.xxh3_128_hexdigest(content),
    )


def test_every_line_end_becomes_a_newline(tmp_path: Path) -> None:
    assert _text(tmp_path, b"unix\nwindows\r\nmac\rmixed\r\r\n\n") == "unix\nwindows\nmac\nmixed\n\n\n"


def test_an_empty_file_is_an_empty_text(tmp_path: Path) -> None:
    assert _text(tmp_path, b"") == ""


# Encodings

WESTERN = "// Größe der Fläche, naïve façade, año\nint größe = 1; // déjà vu\n"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be", "cp1252", "iso8859-1"])
def test_a_text_is_read_in_any_of_its_common_encodings(tmp_path: Path, encoding: str) -> None:
    assert _text(tmp_path, WESTERN.encode(encoding), "a.c") == WESTERN


@pytest.mark.parametrize("encoding", ["utf-16-be", "utf-32-be"])
def test_a_big_endian_mark_is_heeded(tmp_path: Path, encoding: str) -> None:
    assert _text(tmp_path, f"\ufeff{WESTERN}".encode(encoding), "a.c") == WESTERN


@pytest.mark.parametrize(
    ("encoding", "comment"),
    [
        ("cp1251", "Вычисляет сумму чисел и печатает её на экране"),
        ("koi8-r", "Вычисляет сумму чисел и печатает её на экране"),
        ("cp932", "これは日本語のコメントです。関数を定義する"),
        ("euc_jp", "これは日本語のコメントです。関数を定義する"),
        ("gb18030", "这是一个中文注释,用于测试编码检测,计算两个数的和"),
        ("cp949", "이것은 한국어 주석입니다. 인코딩 감지를 위해 씁니다"),
        ("cp1253", "Υπολογίζει το άθροισμα των αριθμών και το τυπώνει"),
        ("cp1250", "Příliš žluťoučký kůň úpěl ďábelské ódy, jak už to bývá"),
    ],
)
def test_an_old_encoding_is_told_by_its_letters(tmp_path: Path, encoding: str, comment: str) -> None:
    text = f"# {comment}\nprint(1)\n" * 4
    assert _text(tmp_path, text.encode(encoding)) == text


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("a.py", "# -*- coding: iso-8859-7 -*-\n"),
        ("a.xml", "<?xml version='1.0' encoding='ISO-8859-7'?>\n"),
        ("a.html", '<html><meta charset="iso-8859-7">\n'),
        ("a.css", '@charset "iso-8859-7";\n'),
    ],
)
def test_a_declared_encoding_is_believed(tmp_path: Path, name: str, head: str) -> None:
    text = f"{head}λ\n"
    assert _text(tmp_path, text.encode("iso-8859-7"), name) == text


@pytest.mark.parametrize("name", ["punycode", "hex", "utf-7", "undefined", "nonsense", "idna", "unicode_escape"])
def test_a_declaration_of_no_encoding_for_sources_is_not_believed(tmp_path: Path, name: str) -> None:
    assert _text(tmp_path, f"# coding: {name}\nRené = 1\n".encode("cp1252")) == f"# coding: {name}\nRené = 1\n"


def test_utf8_with_a_stray_byte_stays_utf8(tmp_path: Path) -> None:
    text = "# 日本語のコメント、長いもの。 naïve façade\n"
    assert _text(tmp_path, text.encode() + b"broken = '\xff'\n") == text + "broken = '\ufffd'\n"


def test_source_with_meaningless_bytes_in_it_is_kept(tmp_path: Path) -> None:
    source = b"def f():\n    return 1\n" * 20 + b"x = '\x81\x8d\xff'\n"
    assert _text(tmp_path, source).startswith("def f():\n    return 1\n")


@pytest.mark.parametrize(
    "content",
    [
        b"\x7fELF\x02\x01\x01\0\0\0",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n",
        b"text and then\0some",
        bytes(range(1, 256)) * 40,
        b"\xff\xfe\x00\xd8\x00\xd8\x00\xd8",
    ],
)
def test_what_is_no_text_is_binary(tmp_path: Path, content: bytes) -> None:
    assert _reason(tmp_path, content, "a.bin") is SkipReason.BINARY


def test_a_late_nul_does_not_hide_a_text_and_is_gone(tmp_path: Path) -> None:
    assert _text(tmp_path, b"x = 1\n" * 2000 + b"y\0 = 2\n").endswith("x = 1\ny = 2\n")


def test_bytes_of_no_known_encoding_are_undecodable(tmp_path: Path) -> None:
    noise = bytes(random.Random(1).choices(range(0x80, 0x100), k=400))
    assert _reason(tmp_path, noise, "a.txt") is SkipReason.UNDECODABLE


@given(st.binary(max_size=300))
def test_any_bytes_give_a_text_or_a_reason(data: bytes) -> None:
    decoded = decode(data)
    if isinstance(decoded, Decoded):
        decoded.text.encode()  # no lone surrogates
    else:
        assert decoded in {SkipReason.BINARY, SkipReason.UNDECODABLE}


@given(st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), max_size=200))
def test_any_printable_text_in_utf8_comes_back(text: str) -> None:
    text = text.replace("\x7f", "")
    assert decode(text.encode()) == Decoded(
        text.removeprefix("\ufeff"), "utf-8-sig" if text[:1] == "\ufeff" else "utf-8"
    )


# Generated, minified, data


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("package-lock.json", SkipReason.GENERATED),
        ("Cargo.lock", SkipReason.GENERATED),
        ("go.sum", SkipReason.GENERATED),
        ("api.pb.go", SkipReason.GENERATED),
        ("api_pb2.py", SkipReason.GENERATED),
        ("jquery.min.js", SkipReason.MINIFIED),
        ("app.js.map", SkipReason.MINIFIED),
    ],
)
def test_a_name_can_tell_without_opening_the_file(name: str, reason: SkipReason) -> None:
    nowhere = SourceFile(f"sub/{name}", "/nowhere/at/all", 10, OLD)
    assert read_source(nowhere, SETTINGS) == Skip(f"sub/{name}", reason, 10, OLD)


def test_names_that_only_look_alike_are_read() -> None:
    for name in ("lock.py", "go.mod", "min.js", "map.ts", "Cargo.toml", "package.json", "admin.js"):
        assert reason_by_name(name, 10) is None


def test_large_data_files_are_skipped_and_small_or_written_ones_are_not() -> None:
    assert reason_by_name("a/records.json", 300_000) is SkipReason.DATA
    assert reason_by_name("a/package.json", 200_000) is None
    assert reason_by_name("a/large.py", 900_000) is None


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("a.go", "// Code generated by protoc-gen-go. DO NOT EDIT.\npackage a\n"),
        ("a.ts", "/**\n * Copyright\n * @generated SignedSource<<abc>>\n */\n"),
        ("a.py", "#!/usr/bin/env python\n# This file was automatically generated by SWIG.\n# Do not modify.\n"),
        ("a.rs", "// DO NOT EDIT: this file is generated from the grammar\n"),
        ("a.sql", "-- Autogenerated by sqlc\n"),
        ("a.html", "<!-- Generated by pkgdown: do not edit by hand -->\n"),
        ("a.java", "package x;\n\n/* This class is auto-generated from a.proto */\n"),
    ],
)
def test_a_generator_s_signature_at_the_top_is_seen(tmp_path: Path, name: str, head: str) -> None:
    assert _reason(tmp_path, head + "x\n" * 30, name) is SkipReason.GENERATED


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.py", 'MARK = "@generated"\n# how generated files are found\n'),
        ("a.py", "# Generates code. Settings at the end must not be touched.\n"),
        ("a.go", "// Package gen writes.\npackage gen\nvar a = 1\nvar b = 2\nvar c = 3\n// Code generated by x.\n"),
        ("README.md", "<!-- this table is auto-generated by make docs, do not edit -->\n"),
        ("gen.go.tmpl", "// Code generated by gen. DO NOT EDIT.\n"),
        ("a.c", "#include <generated/do not edit.h>\nint x;\n"),
        ("a.js", "/* do not edit below this line */\n"),
    ],
)  # fmt: skip
def test_what_only_speaks_about_generated_code_is_read(name: str, text: str) -> None:
    assert reason_by_text(name, text) is None


def test_the_project_s_own_sources_are_not_taken_for_generated() -> None:
    for path in (Path(__file__).parents[2] / "indexer").glob("*.py"):
        assert reason_by_text(path.name, path.read_text(encoding="utf-8")) is None, path


def test_a_pointer_of_git_lfs_is_not_its_content(tmp_path: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
    assert _reason(tmp_path, pointer, "model.py") is SkipReason.LFS_POINTER


def test_minified_code_is_skipped(tmp_path: Path) -> None:
    code = "!function(e,t){for(var n=0;n<t.length;n++){e[t[n]]=function(){return t[n]}}}(window,[1,2,3]);" * 60
    assert _reason(tmp_path, f"/*! licence */\n{code}\n", "a.js") is SkipReason.MINIFIED


@pytest.mark.parametrize(
    "text",
    [
        "This paragraph is one line, as many writers have it. " * 100,
        "这是一个没有空格的长段落。" * 300,
        "x = 1\n" * 2000 + "KEY = '" + "QUJD" * 700 + "'\n",
        "a" * 1900,
        "",
    ],
)
def test_long_lines_alone_are_not_minified(text: str) -> None:
    assert not is_minified(text)


# Files that are not what they were


def test_a_file_that_vanished_is_skipped(tmp_path: Path) -> None:
    file = _source_file(plant(tmp_path, {"a.py": "x"}) / "a.py")
    (tmp_path / "a.py").unlink()
    assert read_source(file, SETTINGS) == Skip("a.py", SkipReason.VANISHED, file.size, file.mtime_ns)


def test_a_file_whose_directory_became_a_file_is_skipped(tmp_path: Path) -> None:
    file = _source_file(plant(tmp_path, {"d/a.py": "x"}) / "d" / "a.py")
    (tmp_path / "d" / "a.py").unlink()
    (tmp_path / "d").rmdir()
    plant(tmp_path, {"d": ""})
    assert read_source(file, SETTINGS) == Skip("a.py", SkipReason.VANISHED, file.size, file.mtime_ns)


@posix_only
def test_a_file_that_became_a_link_is_not_followed(tmp_path: Path) -> None:
    plant(tmp_path, {"secret": "x", "a.py": "y"})
    file = _source_file(tmp_path / "a.py")
    (tmp_path / "a.py").unlink()
    (tmp_path / "a.py").symlink_to(tmp_path / "secret")
    assert read_source(file, SETTINGS) == Skip("a.py", SkipReason.SYMLINK, file.size, file.mtime_ns)


@posix_only
@pytest.mark.parametrize("name", ["lib", "lib/deep"])
def test_a_directory_that_became_a_link_is_not_followed(tmp_path: Path, name: str) -> None:
    root = plant(tmp_path / "root", {"lib/deep/a.py": "mine"})
    plant(tmp_path / "outside", {"a.py": "not mine", "deep/a.py": "not mine"})
    file = SourceFile("lib/deep/a.py", str(root / "lib/deep/a.py"), 4, OLD)
    assert isinstance(read_source(file, SETTINGS), SourceText)
    (root / name).rename(root / "was")
    (root / name).symlink_to(tmp_path / "outside")
    source = read_source(file, SETTINGS)
    assert isinstance(source, Skip)
    assert source.reason in (SkipReason.VANISHED, SkipReason.SYMLINK), "as the system says it"


@posix_only
def test_a_file_that_became_a_pipe_or_a_directory_is_skipped_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "directory").mkdir()
    for name in ("pipe", "directory"):
        assert read_source(SourceFile(name, str(tmp_path / name), 1, 1), SETTINGS) == Skip(
            name, SkipReason.NOT_A_FILE, 1, 1
        )


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_that_may_not_be_read_is_skipped(tmp_path: Path) -> None:
    path = plant(tmp_path, {"a.py": "x"}) / "a.py"
    path.chmod(0)
    file = _source_file(path)
    assert read_source(file, SETTINGS) == Skip("a.py", SkipReason.UNREADABLE, file.size, file.mtime_ns)


@pytest.mark.parametrize("failing", ["open", "fstat"])
@pytest.mark.parametrize("error", [errno.EACCES, errno.EIO])
def test_any_other_failure_of_the_system_is_a_skip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str, error: int
) -> None:
    file = _source_file(plant(tmp_path, {"a.py": "x"}) / "a.py")

    def fail(*arguments: object) -> int:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(os, failing, fail)
    skip = read_source(file, SETTINGS)
    monkeypatch.undo()
    assert skip == Skip("a.py", SkipReason.UNREADABLE, file.size, file.mtime_ns)


def _while_reading(monkeypatch: pytest.MonkeyPatch, *changes: bytes, path: Path) -> None:
    """Replace the file's content after the reader's first looks at it, once for each of ``changes``."""
    look, rest = os.fstat, list(changes)

    def fstat(descriptor: int) -> os.stat_result:
        status = look(descriptor)
        if rest:
            path.write_bytes(rest.pop(0))
        return status

    monkeypatch.setattr(os, "fstat", fstat)


def test_a_file_that_changes_while_it_is_read_is_read_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = plant(tmp_path, {"a.py": "old"}) / "a.py"
    os.utime(path, ns=(OLD, OLD))
    file = _source_file(path)
    _while_reading(monkeypatch, b"quite new", path=path)
    source = read_source(file, SETTINGS)
    assert isinstance(source, SourceText)
    assert (source.text, source.size) == ("quite new", 9)


def test_a_file_that_never_rests_is_read_and_its_time_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = plant(tmp_path, {"a.py": "old"}) / "a.py"
    os.utime(path, ns=(OLD, OLD))
    file = _source_file(path)
    _while_reading(monkeypatch, b"a1", b"a2 2", b"a3 3 3", b"a4 4 4 4", path=path)
    source = read_source(file, SETTINGS)
    assert isinstance(source, SourceText)
    assert source.mtime_ns == UNTRUSTED_MTIME
    assert source.text == "a3 3 3"


def test_a_file_that_grew_over_the_limit_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = plant(tmp_path, {"a.py": "old"}) / "a.py"
    file = _source_file(path)
    settings = IndexSettings(max_file_kb=1)
    path.write_bytes(b"x" * 1025)
    assert read_source(file, settings) == Skip("a.py", SkipReason.TOO_LARGE, file.size, file.mtime_ns)
    path.write_bytes(b"x")
    _while_reading(monkeypatch, b"x" * 1025, path=path)
    assert read_source(file, settings) == Skip("a.py", SkipReason.TOO_LARGE, file.size, file.mtime_ns)
