"""Importing a library without parts of it that this program never asks for.

In their place stand modules whose every name is a class that cannot be made use of. They stay for the life of the
process, and what asks one of them for its work is told so.
"""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.machinery
import sys
import types
from collections.abc import Collection, Iterator
from typing import Any


@contextlib.contextmanager
def without(names: Collection[str]) -> Iterator[None]:
    """Within this block, what is imported of ``names`` or below them is a stand-in, unless it is imported already."""
    finder = _StandIns(frozenset(names))
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def forget(names: Collection[str]) -> None:
    """Take modules of ``names`` and below out of this process, stand-ins or not, so that they are imported anew."""
    for name in [name for name in sys.modules if _is_below(name, names)]:
        del sys.modules[name]


def _is_below(name: str, names: Collection[str]) -> bool:
    parts = name.split(".")
    return any(".".join(parts[:length]) in names for length in range(1, len(parts) + 1))


class _StandIn(types.ModuleType):
    """A module in place of one that is not needed: each name asked of it is a class that cannot be made use of."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        value = type(name, (_Absent,), {"__module__": self.__name__})
        setattr(self, name, value)
        return value


class _Absent(Exception):  # noqa: N818 - some of what it stands for is caught as an exception, none is raised
    def __init__(self, *_: object, **__: object) -> None:
        raise ImportError(f"{type(self).__module__} is not needed here and was not imported; see storage/stand_ins.py.")


class _StandIns(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds and loads stand-ins."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def find_spec(self, name: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        """A stand-in's, for what is left out and all below it."""
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if _is_below(name, self._names) else None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        """An empty one, which is all there is to it."""
        return _StandIn(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Nothing is left to run."""
