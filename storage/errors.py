"""What can go wrong with an index.

StorageError
├── IndexUnusableError    the table cannot be opened or read
│   └── ForeignVectorsError   vectors or sketches that are none of this index: it is not damaged
├── IndexBusyError        another process writes this index
├── StorageFullError      no space, or the disk is read-only
└── InvalidPatternError   not a regular expression, or not a glob
"""

from __future__ import annotations


class StorageError(Exception):
    """Anything this package raises; the text names the thing, the cause and the next step."""


class IndexUnusableError(StorageError):
    """The stored index cannot be opened or read; rebuilding from source mends it."""


class ForeignVectorsError(IndexUnusableError):
    """Vectors or sketches of another dimension, or no numbers: the caller's mistake, or another model's index."""


class IndexBusyError(StorageError):
    """Another process holds the writer's lock."""


class StorageFullError(StorageError):
    """Writing failed for want of space or permission; what was committed before is intact."""


class InvalidPatternError(StorageError):
    """The caller's regular expression or glob does not parse."""
