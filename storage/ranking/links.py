"""Which files others import, by name alone: a file many others name is more likely the one that is meant. Pure.

A module is called by two words, its folder and itself, however a language writes it: ``from app.core import errors``,
``import "../core/errors.js"``, ``use crate::core::errors`` and ``#include "core/errors.h"`` all name ``core/errors``.
What is named without a folder is looked for beside the file that names it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from storage.ranking.terms import fold

# Files that stand for the folder they are in.
_FOLDERS_OWN = frozenset(("index", "mod", "init", "main", "lib"))


def module_of(file_path: str) -> str:
    """The folder and the name by which other files import this one, folded."""
    *folders, name = map(fold, file_path.split("/"))
    name = name.lstrip(".").partition(".")[0]
    if name in _FOLDERS_OWN and folders:
        name = folders.pop()
    return f"{folders[-1] if folders else ''}/{name}"


def modules_named(file_path: str, paths: Iterable[Sequence[str]]) -> Iterator[str]:
    """Every module that a file's import of ``paths``, each in its parts, may mean; not itself."""
    own, beside = module_of(file_path), fold(file_path.rpartition("/")[0].rpartition("/")[2])
    seen = {own}
    for path in paths:
        parts = [fold(part) for part in path]
        for module in (f"{beside}/{parts[0]}", *(f"{folder}/{name}" for folder, name in pairwise(parts))):
            if module not in seen:
                seen.add(module)
                yield module


def centralities(file_paths: Iterable[str], importers: Mapping[str, int]) -> dict[str, float]:
    """How central files are: 0, imported nowhere, to 1, by as many files as any; ten times as many are one step."""
    most = math.log1p(max(importers.values(), default=0)) or 1.0
    return {path: math.log1p(importers.get(module_of(path), 0)) / most for path in file_paths}
