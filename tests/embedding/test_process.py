"""What becomes of a child that dies, hangs or answers nonsense, and of the children of a parent that dies."""

from __future__ import annotations

import logging
import os
import signal
import struct
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest

from embedding.errors import EmbeddingError, EmbeddingTimeoutError, ModelFailedError
from embedding.gguf import read_header
from embedding.local import LocalEmbedder
from embedding.model import ModelSpec
from embedding.model_run import query_threads
from embedding.process import PACKAGE_ROOT, child_environment, ending_name
from embedding.settings import MemorySettings, ModelSettings
from tests.embedding.waiting import LIMIT_S, until

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
LONG_WORK = ["several words that take the model a while " * 400] * 10  # about 32,000 tokens, four slices


@pytest.fixture
def fragile(spec: ModelSpec, model_path: Path) -> Iterator[LocalEmbedder]:
    """An embedder of one test's own, to be broken."""
    opened = LocalEmbedder(spec, model_path, ModelSettings(processes=1, query_threads=1))
    yield opened
    opened.close()


@posix_only
@pytest.mark.parametrize("end", ["SIGABRT", "SIGSEGV", "SIGKILL"])
def test_a_worker_killed_mid_request_is_replaced_and_the_request_answered(
    end: str, fragile: LocalEmbedder, caplog: pytest.LogCaptureFixture
) -> None:
    fragile.embed_query("warm", timeout_s=60)
    (child,) = fragile.pids()
    os.kill(child, signal.SIGSTOP)  # so that the request is surely under way when the end comes
    with ThreadPoolExecutor(1) as threads, caplog.at_level(logging.WARNING):
        answer = threads.submit(fragile.embed_query, "where is it", 60.0)
        until(lambda: fragile.service._lanes.asker.busy)
        os.kill(child, signal.Signals[end])
        os.kill(child, signal.SIGCONT)
        answered = answer.result(60)
    assert fragile.pids() != [child]
    assert float(answered @ fragile.embed_documents(["where is it"])[0]) > 0.999  # this model has no prefixes
    assert f"({end}); it is asked once more in a new one." in caplog.text


@posix_only
def test_a_request_that_ends_two_workers_fails_with_a_sentence(fragile: LocalEmbedder) -> None:
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(fragile.embed_documents, LONG_WORK, 120.0)
        killed: set[int] = set()
        while not answer.done():
            until(lambda: answer.done() or set(fragile.pids()) - killed)
            for child in set(fragile.pids()) - killed:
                os.kill(child, signal.SIGKILL)
                killed.add(child)
    with pytest.raises(ModelFailedError, match=r"signal 9 \(SIGKILL\), after: .*failed twice and was given up; run"):
        answer.result()
    assert np.isclose(np.linalg.norm(fragile.embed_query("and now?", timeout_s=60)), 1, atol=1e-5)


@posix_only
def test_a_worker_that_hangs_is_stopped_at_the_deadline(fragile: LocalEmbedder) -> None:
    fragile.embed_query("warm", timeout_s=60)
    (child,) = fragile.pids()
    os.kill(child, signal.SIGSTOP)
    with pytest.raises(EmbeddingTimeoutError, match=r"no answer within 0\.3 s and its process was stopped"):
        fragile.embed_query("anyone there?", timeout_s=0.3)
    until(lambda: not psutil.pid_exists(child))
    assert np.isclose(np.linalg.norm(fragile.embed_query("again", timeout_s=60)), 1, atol=1e-5)


def test_documents_stop_at_their_deadline(fragile: LocalEmbedder) -> None:
    fragile.embed_documents(["warm"], timeout_s=60)
    with pytest.raises(EmbeddingTimeoutError):
        fragile.embed_documents(LONG_WORK, timeout_s=0.2)


@posix_only
def test_a_query_does_not_wait_behind_documents(fragile: LocalEmbedder) -> None:
    fragile.embed_documents(["warm"], timeout_s=60)
    (documents,) = fragile.pids()
    os.kill(documents, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(fragile.embed_documents, ["a document"], 60.0)
        until(lambda: fragile.service._lanes.documents[0].busy)
        fragile.embed_query("a question", timeout_s=60)
        assert not slow.done()
        os.kill(documents, signal.SIGCONT)
        assert slow.result(60).shape == (1, 384)


def test_nonsense_is_an_error_and_not_a_vector(spec: ModelSpec, model_path: Path, tmp_path: Path) -> None:
    header = read_header(model_path)
    bias = next(tensor for tensor in header.tensors if tensor.name == "token_embd_norm.bias")
    broken = tmp_path / model_path.name
    content = bytearray(model_path.read_bytes())
    struct.pack_into("<f", content, header.data_offset + bias.offset, float("nan"))
    broken.write_bytes(content)
    embedder = LocalEmbedder(spec, broken, ModelSettings(processes=1))
    with pytest.raises(ModelFailedError, match="a vector came out with the norm nan"):
        embedder.embed_query("anything", timeout_s=60)
    embedder.close()


def test_idle_children_end_and_come_back(fragile: LocalEmbedder) -> None:
    fragile.embed_query("x", timeout_s=60)
    fragile.embed_documents(["x"], timeout_s=60)
    children = fragile.pids()
    assert len(children) == 2
    assert fragile.end_idle(idle_s=3600) == 2
    assert fragile.end_idle(idle_s=0) == 0
    assert not any(psutil.pid_exists(child) for child in children)
    fragile.embed_query("y", timeout_s=60)
    assert len(fragile.pids()) == 1


def test_small_work_starts_one_child_and_much_work_all_of_them(spec: ModelSpec, model_path: Path) -> None:
    inconsiderate = MemorySettings(considerate=False)  # whatever else this machine is doing
    embedder = LocalEmbedder(spec, model_path, ModelSettings(processes=2), inconsiderate)
    embedder.embed_documents(["a few", "short texts"], timeout_s=60)
    assert len(embedder.pids()) == 1
    vectors = embedder.embed_documents([f"text number {place} " * 620 for place in range(3)], timeout_s=120)
    assert len(embedder.pids()) == 2
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    embedder.close()


def test_closing_ends_the_children_also_at_work(fragile: LocalEmbedder) -> None:
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(fragile.embed_documents, LONG_WORK, 120.0)
        until(fragile.pids)
        children = fragile.pids()
        fragile.close()
        with pytest.raises(EmbeddingError, match="closed"):
            answer.result(LIMIT_S)
    until(lambda: not any(psutil.pid_exists(child) for child in children))


PARENT = """
import sys
from pathlib import Path
from embedding.local import LocalEmbedder
from embedding.model import spec_for
from embedding.settings import ModelSettings

embedder = LocalEmbedder(spec_for("all-minilm-l6-v2"), Path(sys.argv[1]), ModelSettings(processes=1))
embedder.embed_query("hello")
print(*embedder.pids(), flush=True)
"""


@posix_only
def test_children_end_with_a_parent_that_is_killed(model_path: Path) -> None:
    working = "embedder.embed_documents(['word ' * 3000] * 300)"
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT + working, str(model_path)], stdout=subprocess.PIPE, cwd=PACKAGE_ROOT, text=True
    )
    assert parent.stdout is not None
    try:
        query_child = int(parent.stdout.readline())
        until(lambda: len(psutil.Process(parent.pid).children()) == 2)
        children = psutil.Process(parent.pid).children()
    finally:
        parent.kill()
        parent.wait(LIMIT_S)
        parent.stdout.close()
    assert query_child in [child.pid for child in children]
    _, alive = psutil.wait_procs(children, timeout=LIMIT_S)
    assert not alive


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A user's directory with packages of their own under our names."""
    for name in ("embedding", "storage"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"raise SystemExit('the wrong {name} was imported')")
        (tmp_path / name / "worker.py").write_text("raise SystemExit('the wrong worker was started')")
    return tmp_path


@pytest.mark.parametrize("python_path", ["", "."])
def test_packages_of_the_users_own_do_not_disturb(python_path: str, hostile: Path, model_path: Path) -> None:
    environment = dict(os.environ) | {"PYTHONPATH": os.pathsep.join([str(PACKAGE_ROOT), python_path])}
    done = subprocess.run(
        [sys.executable, "-P", "-c", PARENT, str(model_path)],
        cwd=hostile,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[0].isdigit()


def test_a_child_finds_its_package_first_and_nothing_by_a_relative_path() -> None:
    environment = child_environment({"PYTHONPATH": os.pathsep.join(["", ".", "lib"])}, threads=3)
    paths = environment["PYTHONPATH"].split(os.pathsep)
    assert paths[0] == str(PACKAGE_ROOT)
    assert all(Path(path).is_absolute() for path in paths)
    assert environment["OMP_NUM_THREADS"] == "3"
    assert environment["OMP_WAIT_POLICY"] == "PASSIVE"
    assert environment["GGML_NO_BACKTRACE"] == "1"


def test_a_childs_prints_land_on_stderr_and_not_between_frames(model_path: Path, tmp_path: Path) -> None:
    """A library that prints to stdout, Python's or C's, is simulated by a sitecustomize of the child's."""
    (tmp_path / "sitecustomize.py").write_text(
        textwrap.dedent("""
        import os, sys, threading
        def noise():
            while True:
                os.write(1, b"noise" * 100)
        if "embedding.worker" in sys.orig_argv:
            real = os.dup2
            def dup2(source, target, *rest):
                done = real(source, target, *rest)
                if (source, target) == (2, 1):
                    threading.Thread(target=noise, daemon=True).start()
                return done
            os.dup2 = dup2
        """)
    )
    environment = dict(os.environ) | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", PARENT, str(model_path)],
        cwd=PACKAGE_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "noisenoise" in done.stderr
    assert "noise" not in done.stdout


def test_only_a_large_model_gives_a_query_more_than_one_thread() -> None:
    assert query_threads(46_000_000, cores=16) == 1
    assert query_threads(4_400_000_000, cores=16) == 4
    assert query_threads(4_400_000_000, cores=2) == 2


def test_an_ending_is_called_by_its_name() -> None:
    assert ending_name(3) == "exit code 3"
    assert ending_name(0xC0000005) == "exit code 0xc0000005"


@posix_only
def test_a_signal_is_called_by_its_name() -> None:
    assert ending_name(-signal.SIGABRT) == "signal 6 (SIGABRT)"
    assert ending_name(-250) == "signal 250"


def test_waiting_for_a_busy_child_ends_at_the_deadline(fragile: LocalEmbedder) -> None:
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(fragile.embed_documents, LONG_WORK, 120.0)
        until(lambda: fragile.service._lanes.documents[0].busy)
        started = time.monotonic()
        with pytest.raises(EmbeddingTimeoutError, match="before a process of the model was free"):
            fragile.embed_documents(["short"], timeout_s=0.0)
        assert threading.active_count() > 1
        assert time.monotonic() - started < LIMIT_S
        fragile.close()
        with pytest.raises(EmbeddingError, match="closed"):
            slow.result(LIMIT_S)
