"""What the C library keeps of memory that was let go: little, where that can be said. Linux with the GNU library alone.

Other systems' libraries have no such calls, nor has musl: there, all of this does nothing.
"""

from __future__ import annotations

import ctypes
import os
import sys

# By default each of LanceDB's threads may open a heap of its own, up to eight a core, and what one let go the others
# cannot use. Two are as fast (processor time of a query and of an index), and hold 25 MB less after 100 searches.
ARENAS = 2

# What is larger is mapped by itself and unmapped when it is let go; what lies free at the end of a heap is given back
# from there on. Without, the library raises both with each large piece it sees, to 32 and 64 MB, and the end of the
# second heap is out of `give_back`'s reach: 1 to 18 MB after 100 searches, by chance.
LARGE = 1 << 20

_ARENA_MAX, _TRIM_THRESHOLD, _MMAP_THRESHOLD = -8, -1, -3  # of <malloc.h>


def keep_little() -> None:
    """Settle how the process allocates: to be called before it starts a thread, and before it imports LanceDB.

    Arrow's own allocator (mimalloc) would keep 20 MB after reading two columns of 10,000 rows, and no call gives them
    back; from the C library they are given back.
    """
    if sys.platform == "linux":
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # for children as well
        _call("mallopt", _ARENA_MAX, ARENAS)
        _call("mallopt", _TRIM_THRESHOLD, LARGE)
        _call("mallopt", _MMAP_THRESHOLD, LARGE)


def give_back() -> None:
    """Let the system have what reading or writing everything needed for a moment.

    The C library would keep 15 to 30 MB of it; handing them over takes 1 to 17 ms, other threads running.
    """
    if sys.platform == "linux":
        _call("malloc_trim", 0)


def _call(name: str, *arguments: int) -> None:
    if call := getattr(ctypes.CDLL(None), name, None):
        call(*arguments)
