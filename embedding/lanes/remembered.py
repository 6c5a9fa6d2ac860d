"""RememberedVectors: the vectors of queries asked lately, in memory, within a limit of bytes that may shrink.

Bytes in, bytes out: numpy stays out of it. No threads: who uses it locks it.
"""

from __future__ import annotations

from collections import OrderedDict

# Beside the bytes of key and value: two bytes objects and an entry of the dictionary (tests/embedding measure it).
ENTRY_BYTES = 240


class RememberedVectors:
    """Those used last, at most ``limit_bytes`` with their keys and what keeping them takes."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._kept: OrderedDict[bytes, bytes] = OrderedDict()
        self._bytes = 0

    @property
    def taken_bytes(self) -> int:
        """What is taken now."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, key: bytes) -> bytes | None:
        """The vector kept under ``key``, which is thereby the one used last."""
        value = self._kept.get(key)
        if value is not None:
            self._kept.move_to_end(key)
        return value

    def keep(self, key: bytes, value: bytes) -> None:
        """Keep ``value``; those used longest ago go, it itself where it is too large for the limit."""
        self._forget(key)
        self._kept[key] = value
        self._bytes += _size(key, value)
        self._shrink()

    def limit(self, limit_bytes: int) -> None:
        """Take no more than so much from now on."""
        self._limit = limit_bytes
        self._shrink()

    def _shrink(self) -> None:
        while self._bytes > self._limit and self._kept:
            self._forget(next(iter(self._kept)))

    def _forget(self, key: bytes) -> None:
        value = self._kept.pop(key, None)
        if value is not None:
            self._bytes -= _size(key, value)


def _size(key: bytes, value: bytes) -> int:
    return len(key) + len(value) + ENTRY_BYTES
