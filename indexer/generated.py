"""Which files a program wrote: by their names, by what their first lines say, by lines no hand writes. Pure."""

from __future__ import annotations

import re

from indexer.source import SkipReason

_LOCK_FILES = frozenset(
    {
        "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb", "deno.lock",
        "poetry.lock", "Pipfile.lock", "uv.lock", "pdm.lock", "pylock.toml", "pixi.lock", "conda-lock.yml",
        "Cargo.lock", "go.sum", "go.work.sum", "composer.lock", "Gemfile.lock", "gems.locked", "mix.lock", "rebar.lock",
        "pubspec.lock", "Podfile.lock", "Cartfile.resolved", "Package.resolved", "flake.lock", "packages.lock.json",
        "gradle.lockfile", "buildscript-gradle.lockfile", ".terraform.lock.hcl", "cabal.project.freeze",
        "stack.yaml.lock", "MODULE.bazel.lock", "conan.lock", "vcpkg-lock.json",
    }
)  # fmt: skip
_GENERATED_ENDINGS = (
    ".pb.go", ".pb.gw.go", ".pb.cc", ".pb.h", ".pbobjc.h", ".pbobjc.m", "_pb2.py", "_pb2.pyi", "_pb2_grpc.py",
    ".pb.swift", ".grpc.swift", "_pb.js", "_pb.d.ts", "_grpc_pb.js", ".g.dart", ".freezed.dart", ".gr.dart",
    ".designer.cs", ".Designer.cs", ".g.cs", ".g.i.cs", "_generated.go", "_string.go", ".snap",
)  # fmt: skip
_MINIFIED_ENDINGS = (
    ".min.js", ".min.mjs", ".min.cjs", ".min.css", "-min.js", "-min.css", ".bundle.js", ".chunk.js", ".chunk.css",
    ".js.map", ".mjs.map", ".cjs.map", ".css.map", ".ts.map",
)  # fmt: skip
_DATA_ENDINGS = (
    ".json", ".jsonl", ".ndjson", ".geojson", ".topojson", ".csv", ".tsv", ".svg", ".xml", ".log", ".po", ".pot",
)  # fmt: skip
# A package.json, a schema, a translation of some hundred entries are read; beyond this there are records, and a single
# such file would make as many chunks as a small project.
_DATA_LIMIT = 256 * 1024

# Generators sign at the top: below a licence perhaps, but not below code. Prose speaks about generated things, and a
# template holds the signature of what it will make.
_HEAD = 4_000  # characters, licence included
_CODE_LINES = 3  # a shebang, a package clause, "use strict"
_UNSIGNED_ENDINGS = (".md", ".mdx", ".rst", ".adoc", ".txt", ".org", ".in", ".tmpl", ".template", ".tpl", ".j2",
                     ".jinja", ".jinja2", ".mustache", ".hbs", ".erb", ".ejs", ".tera", ".tt", ".gotmpl")  # fmt: skip
_DIRECTIVES = "include|import|if|else|elif|endif|define|undef|pragma|using|!"  # of C and its kin, and the shebang
_COMMENT = re.compile(
    rf"[ \t]*(?://|/\*|\*|#(?!{_DIRECTIVES})|--|;|%|<!--|\(\*|\{{-|'|\"\"\"|REM\b)(.*)", re.IGNORECASE
)
_MARK = re.compile(
    r"@generated\b(?!-)"
    r"|\bcode generated (?:by|from)\b"
    r"|\b(?:auto[- ]?|automatically |machine[- ])generated (?:by|from|file|code)\b"
    r"|\bgenerated\b.{0,120}\b(?:do not|don't|never|(?:must|should) not be) (?:manually |hand[- ])?(?:edit|modif|chang)"
    r"|\b(?:do not|don't) (?:manually |hand[- ])?(?:edit|modify|change)\b.{0,80}\bgenerated\b",
    re.IGNORECASE,
)

_LFS_BEGINNING = "version https://git-lfs.github.com/spec/"

_LONG_LINE = 500  # characters; formatters stop at 80 to 120, tables and strings at some 300
_MIN_MINIFIED = 2_000  # characters in long lines: one long string constant is no reason to drop a file
_MAX_SPACE_SHARE = 0.10  # minified JavaScript, CSS and JSON have .02 to .06; English on one line .16, code over .2


def reason_by_name(path: str, size: int) -> SkipReason | None:
    """Why a file of this name and size in bytes is not worth opening, or None."""
    name = path.rpartition("/")[2]
    if name in _LOCK_FILES or name.endswith(_GENERATED_ENDINGS):
        return SkipReason.GENERATED
    if name.endswith(_MINIFIED_ENDINGS):
        return SkipReason.MINIFIED
    if size > _DATA_LIMIT and name.endswith(_DATA_ENDINGS):
        return SkipReason.DATA
    return None


def reason_by_text(path: str, text: str) -> SkipReason | None:
    """Why this text (line ends normalised) is not worth indexing, or None."""
    if text.startswith(_LFS_BEGINNING):
        return SkipReason.LFS_POINTER
    if is_signed_by_generator(path, text):
        return SkipReason.GENERATED
    return SkipReason.MINIFIED if is_minified(text) else None


def is_signed_by_generator(path: str, text: str) -> bool:
    """Whether a comment at the top says that a program wrote this."""
    return not path.endswith(_UNSIGNED_ENDINGS) and _MARK.search(_top_comments(text[:_HEAD])) is not None


def _top_comments(head: str) -> str:
    comments, code = [], 0
    for line in head.split("\n"):
        comment = _COMMENT.match(line)
        if comment:
            comments.append(comment[1].strip())
        elif line.strip():
            code += 1
            if code > _CODE_LINES:
                break
    return " ".join(comments)


def is_minified(text: str) -> bool:
    """Whether most of the text stands in very long lines with hardly a space between the words.

    Scripts written without spaces are left alone: only ASCII lines count.
    """
    if len(text) < _MIN_MINIFIED:
        return False
    dense = sum(len(line) for line in text.split("\n") if len(line) > _LONG_LINE and _is_dense(line))
    return dense >= _MIN_MINIFIED and dense * 2 > len(text)


def _is_dense(line: str) -> bool:
    spaces = line.count(" ") + line.count("\t")
    return spaces < _MAX_SPACE_SHARE * len(line) and len(line.encode()) < 1.5 * len(line)
