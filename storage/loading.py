"""Importing a heavy library from a thread, while the event loop in another must not notice.

A plain import of LanceDB takes a second and holds the interpreter's lock for up to 250 ms at a time: in full garbage
collections (each walks everything imported so far) and while the linker maps and relocates 300 MB of shared objects.
Measured with a thread that ticks every millisecond; the worst gap by what is done about it is in benchmarks/storage.py.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib.util
import os
import sys
import types
from collections.abc import Iterator
from pathlib import Path

from storage.stand_ins import without

# What LanceDB imports for connections to a service, over a network or a catalogue: 0.14 of the 0.38 s of processor that
# `import lancedb` took, most of it the data classes of a generated client. Tables in a directory ask none of it.
_SERVICES = frozenset({"lance_namespace", "lance_namespace_urllib3_client", "lancedb.namespace", "lancedb.remote.db"})
# Files of other formats, and file systems that are not this machine's: 4 MB of a process's own memory and 6 of mapped
# libraries.
_UNUSED = frozenset({"pyarrow.dataset", "pyarrow.fs"})
# Before Python 3.12 LanceDB has `override` from a package that checks each signature as it is imported: 0.03 s.
_CHECKED_OVERRIDES = "overrides"

# Extension modules whose shared objects are big, by package.
_BIG = {
    "numpy": ("_core/_multiarray_umath.*",),
    "pyarrow": ("lib.*", "_compute.*"),
    "lancedb": ("_lancedb.*",),
}


@contextlib.contextmanager
def unnoticed() -> Iterator[None]:
    """Import within this block: the linker works first, without the interpreter's lock, and the collector waits."""
    _link_first()
    collecting = gc.isenabled()
    gc.disable()
    try:
        with _lean():
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


@contextlib.contextmanager
def _lean() -> Iterator[None]:
    """Import without what no table in a directory asks for."""
    unchecked = sys.version_info < (3, 12) and _CHECKED_OVERRIDES not in sys.modules
    if unchecked:
        sys.modules[_CHECKED_OVERRIDES] = _unchecked_overrides()
    try:
        with without(_SERVICES | _UNUSED):
            yield
    finally:
        if unchecked:
            del sys.modules[_CHECKED_OVERRIDES]


def _unchecked_overrides() -> types.ModuleType:
    """What `typing.override` is from Python 3.12 on."""
    module = types.ModuleType(_CHECKED_OVERRIDES)
    vars(module).update(override=lambda method: method, EnforceOverrides=object)
    return module
