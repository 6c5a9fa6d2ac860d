"""Definition rules, language by language: data about grammars, no parsing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.definitions.scripting import SCRIPTING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from indexer.definitions.rules import Rules

RULES: Mapping[str, Rules] = {**SCRIPTING}
