"""Definition rules, language by language: data about grammars, no parsing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.definitions.c_family import C_FAMILY
from indexer.definitions.data import DATA
from indexer.definitions.functional import FUNCTIONAL
from indexer.definitions.jvm import JVM
from indexer.definitions.others import OTHERS
from indexer.definitions.scripting import SCRIPTING
from indexer.definitions.systems import SYSTEMS
from indexer.definitions.web import WEB

if TYPE_CHECKING:
    from collections.abc import Mapping

    from indexer.definitions.rules import Rules

RULES: Mapping[str, Rules] = {**SCRIPTING, **WEB, **C_FAMILY, **JVM, **SYSTEMS, **FUNCTIONAL, **DATA, **OTHERS}
