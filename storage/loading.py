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

# A generated client for a REST service, which LanceDB imports for its data classes only. Its package's __init__ imports
# the whole client as well: half of the processor time of `import lancedb` (0.35 of 0.70 s) and 14 MB in each process.
_REST_CLIENT = "lance_namespace_urllib3_client"

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
        with _bare_package(_REST_CLIENT):
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
def _bare_package(name: str) -> Iterator[None]:
    """Let submodules of ``name`` be imported without its ``__init__``; afterwards nothing stands in the way of that."""
    spec = importlib.util.find_spec(name) if name not in sys.modules else None
    if spec is None or spec.submodule_search_locations is None:
        yield
        return
    bare = types.ModuleType(name)
    bare.__path__, bare.__spec__ = spec.submodule_search_locations, spec
    sys.modules[name] = bare
    try:
        yield
    finally:
        if sys.modules.get(name) is bare:
            del sys.modules[name]
