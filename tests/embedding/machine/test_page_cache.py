"""What the system keeps of a file in memory, asked of the system itself."""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
from pathlib import Path

import pytest

from embedding.machine.page_cache import let_go

PAGES = 512


def kept(path: Path) -> int:
    """How many pages of the file are in memory."""
    libc = ctypes.CDLL(None, use_errno=True)
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as pages:
        first = ctypes.c_char.from_buffer(pages)
        here = (ctypes.c_ubyte * PAGES)()
        failed = libc.mincore(ctypes.c_void_p(ctypes.addressof(first)), ctypes.c_size_t(len(pages)), here)
        del first
    assert not failed, os.strerror(ctypes.get_errno())
    return sum(page & 1 for page in here)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that is on its disk, and in memory."""
    path = tmp_path / "model.gguf"
    with path.open("wb") as file:
        file.write(bytes(PAGES * mmap.PAGESIZE))
        file.flush()
        os.fsync(file.fileno())
    path.read_bytes()
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    if kept(path):
        pytest.skip("this file system has its files nowhere but in memory")
    path.read_bytes()
    return path


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")
def test_a_file_leaves_memory_unless_somebody_maps_it(path: Path) -> None:
    assert kept(path) == PAGES
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as pages:
        assert sum(pages[:: mmap.PAGESIZE]) == 0
        let_go(path)
        assert kept(path) == PAGES
    let_go(path)
    assert kept(path) == 0


def test_a_file_that_is_gone_is_nobodys_trouble(tmp_path: Path) -> None:
    let_go(tmp_path / "gone.gguf")
