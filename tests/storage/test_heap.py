"""How a process allocates, settled in a process of its own: it cannot be taken back."""

import subprocess
import sys

import pytest

linux = pytest.mark.skipif(sys.platform != "linux", reason="the calls are the GNU library's")


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=120, check=True)
    return done.stdout.strip()


@linux
def test_arrow_takes_its_memory_from_the_c_library() -> None:
    code = "from storage.heap import keep_little\nkeep_little()\nimport pyarrow as pa\n"
    code += "print(pa.default_memory_pool().backend_name)"
    assert run(code) == "system"


@linux
def test_a_pool_that_the_user_names_is_kept() -> None:
    code = (
        "import os\nos.environ['ARROW_DEFAULT_MEMORY_POOL'] = 'mimalloc'\n"
        "from storage.heap import keep_little\nkeep_little()\nprint(os.environ['ARROW_DEFAULT_MEMORY_POOL'])"
    )
    assert run(code) == "mimalloc"


@linux
def test_what_threads_let_go_is_given_back() -> None:
    # Eight threads at once take and free 32 MB each in pieces that only a heap holds; a last piece of each keeps its
    # heap from shrinking, so that the calls, not luck, give the rest back.
    code = """
import ctypes, os, threading
from storage.heap import give_back, keep_little
keep_little()
library = ctypes.CDLL(None)
library.malloc.restype, library.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
together = threading.Barrier(8)
def own():
    total, shared = map(int, open("/proc/self/statm").read().split()[1:3])
    return (total - shared) * os.sysconf("SC_PAGE_SIZE") >> 20
def work():
    together.wait()
    pieces = [library.malloc(65536) for _ in range(512)]
    for piece in pieces:
        ctypes.memset(piece, 1, 65536)
    kept.append(library.malloc(4096))
    together.wait()
    for piece in pieces:
        library.free(piece)
    together.wait()
kept = []
before = own()
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
give_back()
print(own() - before)
"""
    assert int(run(code)) < 32


def test_both_may_be_called_on_every_system() -> None:
    assert run("from storage.heap import give_back, keep_little\nkeep_little()\ngive_back()\nprint('done')") == "done"
