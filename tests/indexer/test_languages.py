"""Which language a file is taken for."""

import pytest

from indexer.definitions import RULES
from indexer.languages import detect_language, known_languages

OWN_RULES = {
    *("python", "javascript", "typescript", "tsx", "go", "rust", "java", "c", "cpp", "csharp", "ruby", "php", "swift"),
    *("kotlin", "scala", "haskell", "elixir", "lua", "zig", "bash", "dart", "julia", "ocaml", "objc", "sql", "hcl"),
    *("perl", "r", "html", "css", "vue", "svelte", "json", "yaml", "toml"),
}


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("a.py", "python"),
        ("stubs/a.pyi", "python"),
        ("A.JAVA", "java"),
        ("a.tsx", "tsx"),
        ("a.R", "r"),
        ("Makefile", "make"),
        ("src/Makefile.am", "make"),
        ("Dockerfile.dev", "dockerfile"),
        ("CMakeLists.txt", "cmake"),
        ("requirements-dev.txt", "requirements"),
        ("go.mod", "gomod"),
        ("Gemfile", "ruby"),
        (".bashrc", "bash"),
        ("main.tf", "terraform"),
        ("notes.txt", "text"),
        ("LICENSE", "text"),
        ("a.unknown", "text"),
        ("dir.py/file", "text"),
    ],
)
def test_names_and_extensions_tell_the_language(path, language):
    assert detect_language(path, "") == language


@pytest.mark.parametrize(
    ("line", "language"),
    [
        ("#!/usr/bin/env python3", "python"),
        ("#!/bin/sh", "bash"),
        ("#!/usr/bin/env -S bash -e", "bash"),
        ("#!/usr/bin/env node", "javascript"),
        ("#! /usr/bin/perl -w", "perl"),
        ("#!/usr/bin/fish", "fish"),
        ("#!/usr/bin/tclsh8.6", "tcl"),
        ("#!/opt/unheard-of", "text"),
        ('<?xml version="1.0"?>', "xml"),
        ("plain words", "text"),
    ],
)
def test_the_first_line_tells_the_language_of_a_file_without_extension(line, language):
    assert detect_language("bin/run", f"{line}\nrest\n") == language


@pytest.mark.parametrize(
    ("path", "text", "language"),
    [
        ("a.h", "#include <stdio.h>\n/* a class of virtual things */\nint f(void);\n", "c"),
        ("a.h", "#pragma once\nnamespace a {\n}\n", "cpp"),
        ("a.h", "#include <vector>\n", "cpp"),
        ("a.h", "class Foo : public Bar {\n", "cpp"),
        ("a.h", "#import <UIKit/UIKit.h>\n@interface A : NSObject\n@end\n", "objc"),
        ("a.m", "#import <A.h>\n@implementation A\n@end\n", "objc"),
        ("a.m", "function y = f(x)\n% squares\ny = x.^2;\n", "matlab"),
        ("a.pl", "use strict;\nmy $x = 1;\n", "perl"),
        ("a.pl", "parent(tom, bob).\n:- use_module(lists).\n", "text"),
        ("a.ts", "export const x = 1;\n", "typescript"),
        ("a.ts", '<?xml version="1.0"?>\n<!DOCTYPE TS>\n<TS version="2.1">\n', "xml"),
        ("a.v", "module counter(input clk);\nendmodule\n", "verilog"),
        ("a.v", "module main\n\nfn main() {}\n", "v"),
    ],
)
def test_an_extension_that_several_share_is_settled_by_the_text(path, text, language):
    assert detect_language(path, text) == language


def test_every_language_that_is_detected_has_a_grammar_or_rules():
    from indexer.syntax import rules_of

    missing = [
        name
        for name in known_languages()
        if name not in {"text", "markdown", "agda", "cobol", "typst"} and rules_of(name) is None
    ]
    assert missing == []


def test_at_least_thirty_languages_have_rules_of_their_own():
    assert set(RULES) >= OWN_RULES


def test_rules_speak_only_of_node_types_their_grammar_knows():
    from indexer.syntax import node_types

    for language, rules in RULES.items():
        known = node_types(rules.grammar)
        spoken = {*rules.definitions, *rules.bodies, *rules.wrappers, *rules.groups, *rules.leading, *rules.following}
        assert spoken - known - {"ERROR"} == set(), language
