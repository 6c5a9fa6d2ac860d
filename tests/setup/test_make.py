"""``make`` on machines that lack something: one sentence each, with its cause and the next step."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PUBLIC_TARGETS = {"help", "run", "test", "check", "fix", "golden", "docs", "bench", "bundle", "model", "lock", "clean"}

pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or shutil.which("make") is None, reason="make and a POSIX shell are not on this machine"
)


def _checkout(folder: Path) -> Path:
    """What set-up reads, with requirements of its own: nothing is fetched."""
    folder.mkdir()
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    (folder / "requirements").mkdir()
    shutil.copy(ROOT / "requirements" / "install.sh", folder / "requirements")
    for name in ("build", "run", "dev"):
        (folder / "requirements" / f"{name}.txt").touch()
    return folder


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A checkout with nothing installed."""
    return _checkout(tmp_path / "bare")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with an empty virtual environment, made once; each test writes requirements of its own."""
    folder = _checkout(tmp_path_factory.mktemp("made") / "checkout")
    subprocess.run([sys.executable, "-m", "venv", ".venv"], cwd=folder, check=True, timeout=120)
    return folder


def _make(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "MAKE"))}
    quiet = {"PIP_CONFIG_FILE": os.devnull, "PIP_RETRIES": "1", "PYTHON": sys.executable}
    return subprocess.run(
        ["make", *words],
        check=False,
        cwd=folder,
        env=inherited | quiet | environ,
        capture_output=True,
        text=True,
        timeout=120,
    )


def _sentence(run: subprocess.CompletedProcess[str]) -> str:
    """The one line set-up ends with, beside make's own."""
    assert run.returncode != 0, run.stdout
    lines = [line for line in run.stderr.splitlines() if not line.startswith("make")]
    assert len(lines) == 1, run.stderr
    assert lines[0].startswith("Set-up stopped: ")
    assert lines[0].endswith(".")
    return lines[0]


def test_make_alone_lists_every_target() -> None:
    listed = set(re.findall(r"^make (\w+)", _make(ROOT).stdout, re.MULTILINE))
    declared = re.findall(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(declared[0].split()) == PUBLIC_TARGETS
    assert listed == PUBLIC_TARGETS - {"help"}


def test_a_directory_and_a_question_reach_codeloupe_as_they_were_typed(bare: Path) -> None:
    program = bare / ".venv" / "bin" / "codeloupe"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\nprintf '<%s>' \"$@\"\necho\n", encoding="utf-8")
    program.chmod(0o755)
    stamp = bare / ".venv" / "run.installed"
    stamp.touch()
    os.utime(stamp, (2**32, 2**32))
    directory, query = "a folder", """it's "$HOME" $(shell id) `id` \\ & *"""
    ran = _make(bare, "run", f"DIR={directory}", f"QUERY={query}")
    assert ran.stdout.splitlines() == [
        "<models><pull>",
        f"<index><--><{directory}>",
        f"<search><--root><{directory}><--><{query}>",
    ]


def test_no_python_is_one_sentence(bare: Path) -> None:
    said = _sentence(_make(bare, ".venv/run.installed", PYTHON="no-such-python"))
    assert "no Python 3.11 or newer answers as no-such-python" in said


def test_a_python_that_is_too_old_is_one_sentence(bare: Path) -> None:
    old = _script(bare / "python", 'test "$1" = -c && exit 1\n')
    assert "no Python 3.11 or newer" in _sentence(_make(bare, ".venv/run.installed", PYTHON=str(old)))


def test_a_python_without_venv_is_one_sentence(bare: Path) -> None:
    python = _script(bare / "python", f'test "$2" = venv && exit 1\nexec {shlex.quote(sys.executable)} "$@"\n')
    assert "cannot make a virtual environment" in _sentence(_make(bare, ".venv/run.installed", PYTHON=str(python)))
    assert not (bare / ".venv" / "run.installed").exists()


def test_no_space_is_one_sentence(bare: Path) -> None:
    full = "import collections, shutil\nshutil.disk_usage = lambda p: collections.namedtuple('U', 'free')(10 << 20)\n"
    (bare / "sitecustomize.py").write_text(full, encoding="utf-8")
    said = _sentence(_make(bare, ".venv/run.installed", PYTHONPATH=str(bare)))
    assert "less than 2 GB are free" in said
    assert not (bare / ".venv").exists()


def test_no_compiler_is_one_sentence(environment: Path) -> None:
    said = _sentence(_make(environment, ".venv/run.installed", CXX="no-such-compiler"))
    assert "no working C++ compiler (no-such-compiler)" in said
    assert "apt install g++" in said


def test_an_environment_whose_making_was_interrupted_is_made_again(bare: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", ".venv"], cwd=bare, check=True, timeout=60)
    assert "no working C++ compiler" in _sentence(_make(bare, ".venv/run.installed", CXX="no-such-compiler"))
    subprocess.run([bare / ".venv" / "bin" / "python", "-m", "pip", "--version"], check=True, timeout=60)


def test_no_network_is_one_sentence(environment: Path) -> None:
    _require(environment, "tiny==1", "0" * 64)
    said = _sentence(_make(environment, ".venv/run.installed", PIP_INDEX_URL="http://127.0.0.1:9/simple"))
    assert "the package index does not answer" in said


def test_another_file_than_the_pinned_one_is_refused(environment: Path, tmp_path: Path) -> None:
    _wheel(tmp_path)
    _require(environment, "tiny==1", "0" * 64)
    said = _sentence(_make(environment, ".venv/run.installed", PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path)))
    assert "not the file that was pinned" in said


def test_a_package_that_is_not_there_for_this_machine_is_one_sentence(environment: Path, tmp_path: Path) -> None:
    _require(environment, "tiny==1", "0" * 64)
    said = _sentence(_make(environment, ".venv/run.installed", PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path)))
    assert "not made for this system or Python" in said


def test_a_llama_cpp_that_does_not_compile_is_one_sentence(environment: Path, tmp_path: Path) -> None:
    digest = _source_that_does_not_build(tmp_path)
    _require(environment, "llama-cpp-python==1", digest)
    said = _sentence(_make(environment, ".venv/run.installed", PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path)))
    assert "llama.cpp did not compile" in said
    assert "the compiler's own words" in (environment / ".venv" / "install.log").read_text(encoding="utf-8")


def _script(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}", encoding="utf-8")
    path.chmod(0o755)
    return path


def _require(folder: Path, pin: str, digest: str) -> None:
    (folder / "requirements" / "run.txt").write_text(f"{pin} --hash=sha256:{digest}\n", encoding="utf-8")


def _wheel(folder: Path) -> None:
    with zipfile.ZipFile(folder / "tiny-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny.py", "")
        wheel.writestr("tiny-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1\n")
        wheel.writestr("tiny-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("tiny-1.dist-info/RECORD", "")


BACKEND = """
def prepare_metadata_for_build_wheel(directory, settings=None):
    import pathlib
    info = pathlib.Path(directory, "llama_cpp_python-1.dist-info")
    info.mkdir()
    info.joinpath("METADATA").write_text("Metadata-Version: 2.1\\nName: llama-cpp-python\\nVersion: 1\\n")
    return info.name

def build_wheel(*args):
    raise SystemExit("the compiler's own words")
"""


def _source_that_does_not_build(folder: Path) -> str:
    """A source distribution by llama-cpp-python's name; its sha256."""
    tree = folder / "llama_cpp_python-1"
    tree.mkdir()
    (tree / "backend.py").write_text(BACKEND, encoding="utf-8")
    build = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    (tree / "pyproject.toml").write_text(build, encoding="utf-8")
    (tree / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: llama-cpp-python\nVersion: 1\n", encoding="utf-8")
    archive = folder / f"{tree.name}.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(tree, tree.name)
    return hashlib.sha256(archive.read_bytes()).hexdigest()
