"""Import lines, whatever the language."""

from __future__ import annotations

import pytest

from indexer.imports import MOST_IMPORTS, imported_paths


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("from app.core import errors", "app core"),
        ("import os.path", "os path"),
        ("    from .models import User", "models"),
        ('import { a } from "../core/errors.js";', "core errors js"),
        ('} from "./api/client";', "api client"),
        ('export * from "./schemas"', "schemas"),
        ("const errors = require('../core/errors')", "core errors"),
        ('const std = @import("analysis/offsets.zig");', "analysis offsets zig"),
        ("use crate::core::errors;", "crate core errors"),
        ("pub(crate) use self::de::Visitor;", "self de Visitor"),
        ("mod parser;", "parser"),
        ('#include "core/errors.h"', "core errors h"),
        ("#  include <sys/types.h>", "sys types h"),
        ("import static org.example.billing.Invoice.Line;", "org example billing Invoice Line"),
        ("using Dapper.Rainbow;", "Dapper Rainbow"),
        ("use Illuminate\\Http\\Request;", "Illuminate Http Request"),
        ('require_relative "rails/engine"', "rails engine"),
        ('local utils = require("telescope.utils")', "telescope utils"),
        ("import qualified Text.Pandoc.Class as P", "Text Pandoc Class"),
    ],
)
def test_the_path_on_an_import_line_is_read_in_its_parts(line: str, path: str) -> None:
    assert tuple(path.split()) in imported_paths(f"first line\n{line}\nlast line\n")


@pytest.mark.parametrize(
    "text", ["", "imported = 1", "# important: app.core", "x = from_core.errors", "users.of.it()", "module Foo"]
)
def test_other_lines_import_nothing(text: str) -> None:
    assert imported_paths(text) == []


def test_a_list_of_imports_without_end_is_cut() -> None:
    text = "\n".join(f"import pkg.m{number}" for number in range(3 * MOST_IMPORTS))
    assert len(imported_paths(text)) == MOST_IMPORTS
