"""The writer's lock: one process, any number of its threads."""

import subprocess
import sys
import threading

import pytest

from storage.errors import IndexBusyError
from storage.lock import WriterLock

HOLD = """
import sys
from pathlib import Path
from storage.lock import WriterLock
with WriterLock(Path(sys.argv[1])).held():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_threads_of_one_process_never_refuse_each_other(tmp_path):
    start, refused = threading.Barrier(8), []

    def take_often():
        start.wait(10)
        for _ in range(300):
            try:
                with WriterLock(tmp_path).held():
                    pass
            except IndexBusyError as error:
                refused.append(error)

    threads = [threading.Thread(target=take_often) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert refused == []


def test_another_process_is_refused_and_told_who_writes_until_that_one_is_gone(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline().strip() == b"held"
        with pytest.raises(IndexBusyError, match=f"process {holder.pid} on"), WriterLock(tmp_path).held():
            pass
    finally:
        holder.kill()
        holder.communicate(timeout=10)
    with WriterLock(tmp_path).held():
        pass
