"""Importing a heavy library from a thread, while the event loop in another must not notice.

A plain import of LanceDB takes a second and holds the interpreter's lock for up to 250 ms at a time: in full garbage
collections (each walks everything imported so far) and while the linker maps and relocates 300 MB of shared objects.
Measured with a thread that ticks every millisecond; the worst gap by what is done about it is in benchmarks/storage.py.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# What LanceDB imports for connections to a service, over a network or a catalogue: 0.14 of the 0.38 s of processor that
# `import lancedb` took, most of it the data classes of a generated client. Tables in a directory ask none of it.
_SERVICES = frozenset({"lance_namespace", "lance_namespace_urllib3_client", "lancedb.namespace", "lancedb.remote.db"})
# Before Python 3.12 LanceDB has `override` from a package that checks each signature as it is imported: 0.03 s.
_CHECKED_OVERRIDES = "overrides"

# Extension modules whose shared objects are big, by package.
_BIG = {
    "numpy": ("_core/_multiarray_umath.*",),
    "pyarrow": ("lib.*", "_compute.*", "_dataset.*", "_fs.*"),
    "lancedb": ("_lancedb.*",),
}


@contextlib.contextmanager
def unnoticed() -> Iterator[None]:
    """Import within this block: the linker works first, without the interpreter's lock, and the collector waits."""
    _link_first()
    collecting = gc.isenabled()
    gc.disable()
    try:
        with _stand_ins():
            yield
    finally:
        gc.freeze()  # what was imported stays; a collection that never looks at it is a short one
        if collecting:
            gc.enable()


def _link_first() -> None:
    """Map the shared objects with the C library's own call, which the interpreter makes without its lock."""
    if sys.platform != "linux":
        return
    link = ctypes.CDLL(None).dlopen
    link.argtypes, link.restype = (ctypes.c_char_p, ctypes.c_int), ctypes.c_void_p
    for path in _big_objects():
        link(os.fsencode(path), os.RTLD_NOW)  # where it fails, the import will say why


def _big_objects() -> Iterator[Path]:
    for package, patterns in _BIG.items():
        spec = importlib.util.find_spec(package)
        for folder in (spec and spec.submodule_search_locations) or ():
            for pattern in patterns:
                yield from Path(folder).glob(f"{pattern}so")


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
        raise ImportError(f"{type(self).__module__} was left out when lancedb was imported; see storage/loading.py.")


class _StandIns(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds and loads stand-ins for the services."""

    def find_spec(self, name: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        """A stand-in's, for what is left out and all below it."""
        parts = name.split(".")
        below = {".".join(parts[:length]) for length in range(1, len(parts) + 1)}
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if below & _SERVICES else None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        """An empty one, which is all there is to it."""
        return _StandIn(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Nothing is left to run."""


@contextlib.contextmanager
def _stand_ins() -> Iterator[None]:
    """Import without the services; they stay out of this process, and what asks for one of them is told so."""
    finder = _StandIns()
    sys.meta_path.insert(0, finder)
    unchecked = sys.version_info < (3, 12) and _CHECKED_OVERRIDES not in sys.modules
    if unchecked:
        sys.modules[_CHECKED_OVERRIDES] = _unchecked_overrides()
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        if unchecked:
            del sys.modules[_CHECKED_OVERRIDES]


def _unchecked_overrides() -> types.ModuleType:
    """What `typing.override` is from Python 3.12 on."""
    module = types.ModuleType(_CHECKED_OVERRIDES)
    vars(module).update(override=lambda method: method, EnforceOverrides=object)
    return module
