"""Directories of other people's code or a tool's leavings: by name where that says it all, else by a marker.

``build``, ``dist``, ``target``, ``env``, ``third_party`` and ``external`` are not here by name: projects keep their own
code under them. They are recognised by what a tool leaves in them, or left to the ignore files.
"""

from __future__ import annotations

from collections.abc import Collection

_NAMES = frozenset(
    {
        # packages of others
        "node_modules", "bower_components", "jspm_packages", "site-packages", "dist-packages", "Pods", "Carthage",
        "elm-stuff", ".eggs", ".yarn", ".pnpm-store", ".pub-cache", ".bundle",
        # what tools keep beside the code
        "__pycache__", ".venv", ".virtualenv", ".tox", ".nox", ".mypy_cache", ".pytest_cache", ".ruff_cache",
        ".hypothesis", ".ipynb_checkpoints",
        ".next", ".nuxt", ".svelte-kit", ".parcel-cache", ".turbo", ".angular",
        ".gradle", ".terraform", ".dart_tool", ".stack-work", ".build", ".zig-cache", "zig-cache", "DerivedData",
        ".bloop", ".metals",
    }
)  # fmt: skip
_SUFFIXES = (".egg-info", ".dist-info")

# A file that only a tool puts into a directory of its own making, whatever the directory is called.
_MARKERS = frozenset(
    {
        "CACHEDIR.TAG",  # https://bford.info/cachedir/: cargo's target, pytest, mypy, ruff, uv
        "CMakeCache.txt",  # a CMake build tree
        "pyvenv.cfg",  # a Python virtual environment
        "conda-meta",
    }
)

# vendor/ is also a fair name for one's own code: it takes the trace of the tool that filled it.
_VENDOR_NAMES = frozenset({"vendor", "vendors"})
_VENDOR_MARKERS = frozenset(
    {
        "modules.txt",  # go mod vendor
        "github.com", "golang.org", "vendor.json",  # dep, glide, govendor
        "autoload.php",  # composer
        "bundle",  # bundler --path vendor/bundle
        "cache",  # bundle cache
    }
)  # fmt: skip

MARKERS = _MARKERS | _VENDOR_MARKERS


def is_vendored_name(name: str) -> bool:
    """Whether a directory of this name holds nothing of the project's own."""
    return name in _NAMES or name.endswith(_SUFFIXES)


def is_vendored_by_content(name: str, present: Collection[str]) -> bool:
    """Whether what lies in a directory gives it away; ``present`` are those of MARKERS that are in it."""
    return not _MARKERS.isdisjoint(present) or (name in _VENDOR_NAMES and not _VENDOR_MARKERS.isdisjoint(present))
