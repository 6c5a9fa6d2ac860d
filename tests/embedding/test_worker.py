"""What a child survives, what it refuses, and what it does not: odd files, odd texts, and a long life."""

from __future__ import annotations

import os
import random
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from benchmarks.shapes import TINY
from embedding.errors import ModelInvalidError
from embedding.gguf import read_header
from embedding.process import PACKAGE_ROOT, Child, ChildDiedError
from embedding.wire import Load, texts_frame
from tests.embedding.waiting import LIMIT_S

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="as Linux maps files and counts memory")
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
WORDS = ["return", "x", "def", "日本", "é", "0x7f", "naïve", *(f"name_{place}" for place in range(200))]


def load_for(path: Path, *, nice: int = 0, batch: int = 64) -> Load:
    return Load(str(path), TINY.width, "last", 512, None, False, 1, nice, "", "", batch)


@pytest.fixture
def child(tiny_decoder: Path) -> Iterator[Child]:
    started = Child(load_for(tiny_decoder))
    yield started
    started.kill()


def test_a_file_that_vanished_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(
        ModelInvalidError, match=r"gone\.gguf was not loaded: llama\.cpp cannot load it; fetch it again"
    ):
        Child(load_for(tmp_path / "gone.gguf"))


def test_a_model_of_another_dimension_is_refused(model_path: Path) -> None:
    with pytest.raises(ModelInvalidError, match="its vectors have 384 components where 64 were expected"):
        Child(load_for(model_path))


@linux_only
def test_a_file_cut_off_while_it_is_mapped_ends_the_child_and_says_how(tiny_decoder: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.gguf"
    shutil.copyfile(tiny_decoder, mine)
    child = Child(load_for(mine))
    os.truncate(mine, 4096)
    with pytest.raises(ChildDiedError, match="SIGBUS"):
        child.ask(texts_frame("document", ["every row of the weights " * 50]), LIMIT_S)


def test_nonsense_out_of_a_decoder_is_said_and_the_child_lives_on(tiny_decoder: Path, tmp_path: Path) -> None:
    header = read_header(tiny_decoder)
    norm = next(tensor for tensor in header.tensors if tensor.name == "output_norm.weight")
    content = bytearray(tiny_decoder.read_bytes())
    struct.pack_into("<f", content, header.data_offset + norm.offset, float("nan"))
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(content)
    child = Child(load_for(broken))
    for _ in range(2):
        answer = child.ask(texts_frame("query", ["anything"]), LIMIT_S)
        assert answer.header["error"] == "NonsenseError: a vector came out with the norm nan"
    child.kill()


@pytest.mark.parametrize("text", ["a" * 300_000, "\n" * 300_000, "aé日👩" * 8_000], ids=["a word", "lines", "letters"])
def test_a_huge_text_is_read(text: str, child: Child) -> None:
    answer = child.ask(texts_frame("document", [text]), 4 * LIMIT_S)
    assert np.isclose(np.linalg.norm(np.frombuffer(answer.body, "<f4")), 1, atol=1e-5)


def test_a_request_without_texts_or_sense_is_answered(child: Child) -> None:
    assert child.ask(texts_frame("document", []), LIMIT_S).header["count"] == 0
    assert "KeyError" in child.ask(texts_frame("riddle", ["x"]), LIMIT_S).header["error"]
    assert child.ask(texts_frame("query", ["x"]), LIMIT_S).header["count"] == 1


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="where sessions share the processor")
def test_a_child_that_steps_back_does_so_behind_other_sessions_too(tiny_decoder: Path) -> None:
    children = [Child(load_for(tiny_decoder, nice=nice)) for nice in (5, 0)]
    said = Path(f"/proc/{children[0].pid}/autogroup").read_text("ascii")
    sessions = [os.getsid(child.pid) for child in children]
    for child in children:
        child.kill()
    assert said.split()[-1] == "5"
    assert sessions == [children[0].pid, os.getsid(0)]


@posix_only
def test_a_child_for_documents_steps_back_behind_other_work(tiny_decoder: Path) -> None:
    child = Child(load_for(tiny_decoder, nice=5))
    assert psutil.Process(child.pid).nice() == min(19, psutil.Process().nice() + 5)
    child.kill()


PARENT = """
import sys
from embedding.process import Child
from embedding.wire import Load, texts_frame

child = Child(Load(sys.argv[1], 64, "last", 512, None, False, 1, 0, "", ""))
child.hold()
print(child.pid, flush=True)
child.ask(texts_frame("document", ["held"]), 600)
"""


@posix_only
def test_a_held_child_ends_with_a_parent_that_is_killed(tiny_decoder: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tiny_decoder)], stdout=subprocess.PIPE, cwd=PACKAGE_ROOT, text=True
    )
    assert parent.stdout is not None
    try:
        held = psutil.Process(int(parent.stdout.readline()))
        assert held.is_running()
    finally:
        parent.kill()
        parent.wait(LIMIT_S)
        parent.stdout.close()
    _, alive = psutil.wait_procs([held], timeout=LIMIT_S)
    assert not alive


@linux_only
def test_a_thousand_requests_of_all_shapes_leave_its_memory_as_it_was(child: Child) -> None:
    """Measured over 4,000: 29.16 MB after 1,600 of them, 29.19 after all."""
    shapes = random.Random(3)

    def ask(times: int) -> int:
        for _ in range(times):
            texts = [
                " ".join(shapes.choices(WORDS, k=int(2 ** shapes.uniform(0, 5))))
                for _ in range(shapes.choice((1, 1, 4)))
            ]
            child.ask(texts_frame(shapes.choice(("query", "document")), texts), LIMIT_S)
        return int(psutil.Process(child.pid).memory_full_info().uss)

    after_some = ask(300)
    assert ask(700) - after_some < 1_500_000
