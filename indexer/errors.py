"""What can go wrong between a directory and its rows.

IndexerError
├── RootError    the directory to index is missing, no directory, or closed to us
└── WatchError   the system does not tell of changes there
"""

from __future__ import annotations


class IndexerError(Exception):
    """Anything this package raises; the text names the thing, the cause and the next step."""


class RootError(IndexerError):
    """The directory that was asked for cannot be walked at all; nothing was read."""


class WatchError(IndexerError):
    """The system does not tell of changes in this directory; whoever wants to know has to look."""
