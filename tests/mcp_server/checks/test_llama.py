"""llama.cpp that is missing, broken, or made for another processor; compilers that are none."""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import sys
import venv
from pathlib import Path

import llama_cpp
import pytest

from embedding.child.build import Build, BuildError, Processor, features_of, installed_build, lacking, processor, unused
from mcp_server.checks import llama
from mcp_server.checks.findings import Finding, Level
from tests.mcp_server.checks.faults import CHECKOUT, DIES, ILLEGAL, alone, program, python

LOOK = "from mcp_server.checks import llama\nfor finding in llama.examine(wanted=True): print(finding.line)"
# What llama_print_system_info says of builds of llama-cpp-python 0.3.36 on an AMD EPYC: as make builds it there, and
# with GGML_NATIVE, GGML_SSE42, GGML_AVX, GGML_AVX2, GGML_FMA, GGML_F16C and GGML_BMI2 turned off by CMAKE_ARGS.
NATIVE = (
    "CPU : SSE3 = 1 | SSSE3 = 1 | AVX = 1 | AVX_VNNI = 1 | AVX2 = 1 | F16C = 1 | FMA = 1 | BMI2 = 1 | AVX512 = 1 | "
    "AVX512_VBMI = 1 | AVX512_VNNI = 1 | AVX512_BF16 = 1 | LLAMAFILE = 1 | OPENMP = 1 | REPACK = 1 | "
)
PLAIN = "CPU : LLAMAFILE = 1 | OPENMP = 1 | REPACK = 1 | "
EPYC = Processor(features_of(NATIVE), complete=True)
OLD = Processor(frozenset({"SSE3", "SSSE3"}), complete=True)
NEEDS_UNIX = pytest.mark.skipif(sys.platform == "win32", reason="signals and shells are those of Unix")


def build(told: str) -> Build:
    return Build("0.3.36", "llama_cpp/__init__.py", features_of(told))


def with_packages(directory: Path) -> dict[str, str]:
    return {"PYTHONPATH": f"{directory}{os.pathsep}{CHECKOUT}"}


def test_the_installed_build_loads_says_what_it_uses_and_fits_this_processor() -> None:
    found = installed_build()
    assert found.version == llama_cpp.__version__
    assert found.features, "llama.cpp names its groups of instructions otherwise now"
    assert lacking(found, processor()) == []
    assert [finding.level for finding in llama.examine(wanted=True)] == [Level.OK]


def test_a_build_without_what_the_processor_has_is_told_to_be_slow() -> None:
    assert unused(build(PLAIN), EPYC) == ["AVX2", "FMA", "F16C"]
    assert unused(build(NATIVE), EPYC) == []
    assert unused(build(PLAIN), OLD) == [], "nothing is gained on a processor that has none of it"
    assert unused(build(PLAIN), Processor()) == [], "nor is anything said of one that is not known"


def test_a_build_for_a_newer_processor_is_found_also_where_it_has_not_died_yet() -> None:
    assert {"AVX", "AVX2", "AVX512", "BMI2", "F16C", "FMA"} <= set(lacking(build(NATIVE), OLD))
    assert lacking(build(PLAIN), OLD) == []
    assert lacking(build(NATIVE), Processor(frozenset({"AVX2"}))) == [], "only where all of the processor is known"


@pytest.mark.parametrize(
    ("lines", "has"),
    [
        (
            "processor : 0\nflags\t\t: fpu sse pni ssse3 fma avx f16c avx2 bmi2\n",
            {"SSE3", "SSSE3", "FMA", "AVX", "F16C", "AVX2", "BMI2"},
        ),
        (
            "processor : 0\nFeatures\t: fp asimd asimddp i8mm sve\n",
            {"NEON", "ARM_FMA", "DOTPROD", "MATMUL_INT8", "SVE"},
        ),
    ],
    ids=["x86", "arm"],
)
@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_a_processor_is_read_as_the_kernel_tells_it(tmp_path: Path, lines: str, has: set[str]) -> None:
    (tmp_path / "cpuinfo").write_text(lines, encoding="utf-8")
    assert processor(tmp_path) == Processor(frozenset(has), complete=True)
    assert processor(tmp_path / "nowhere") == Processor()


@NEEDS_UNIX
@pytest.mark.skipif(platform.machine() not in ILLEGAL, reason="no illegal instruction of this processor is known here")
def test_a_build_that_dies_of_an_illegal_instruction_is_told_to_be_for_another_processor(tmp_path: Path) -> None:
    package = tmp_path / "llama_cpp"
    package.mkdir()
    (package / "__init__.py").write_text(DIES.format(code=ILLEGAL[platform.machine()]), encoding="utf-8")
    done = python(LOOK, environment=with_packages(tmp_path))
    assert done.stdout.startswith("error    llama.cpp: it died of an instruction that this processor does not have")
    assert "SIGILL" in done.stdout
    assert "--no-binary llama-cpp-python" in done.stdout


def test_a_build_whose_libraries_are_gone_is_told_with_the_loaders_words(tmp_path: Path) -> None:
    installed = Path(llama_cpp.__file__).parent
    shutil.copytree(installed, tmp_path / "llama_cpp", ignore=shutil.ignore_patterns("lib", "__pycache__", "server"))
    done = python(LOOK, environment=with_packages(tmp_path))
    assert done.stdout.startswith("error    llama.cpp: it cannot be loaded: "), done.stdout + done.stderr
    assert "build it again" in done.stdout


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has everything but llama-cpp-python."""
    directory = tmp_path_factory.mktemp("bare") / "environment"
    venv.create(directory, symlinks=sys.platform != "win32", with_pip=False)
    (site,) = [*directory.glob("lib/python*/site-packages"), *directory.glob("Lib/site-packages")]
    for entry in Path(llama_cpp.__file__).parents[1].iterdir():
        if not entry.name.startswith(("llama_cpp", "__")):
            (site / entry.name).symlink_to(entry, target_is_directory=entry.is_dir())
    return directory / "bin" / "python"


def looked(bare: Path, **environment: str) -> list[str]:
    words = " ".join(f"{name}={shlex.quote(value)}" for name, value in environment.items())
    done = alone(f"{words} {shlex.quote(str(bare))} -c {shlex.quote(LOOK)}")
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@NEEDS_UNIX
def test_where_it_is_missing_and_there_is_no_compiler_both_are_told(bare: Path, tmp_path: Path) -> None:
    first, second = looked(bare, PATH=str(tmp_path))
    assert first.startswith("error    llama.cpp: llama-cpp-python is not installed beside ")
    assert second.startswith("error    compiler: there is none (c++, g++, clang++)")
    assert "apt install g++" in second


@NEEDS_UNIX
def test_a_compiler_that_compiles_nothing_is_told_in_its_own_words(bare: Path, tmp_path: Path) -> None:
    program(tmp_path / "bin" / "c++", "echo 'fatal error: no headers here' >&2; exit 1")
    _, told = looked(bare, PATH=str(tmp_path / "bin"))
    assert "compiles nothing: fatal error: no headers here" in told


@NEEDS_UNIX
@pytest.mark.skipif(not any(map(shutil.which, llama.COMPILERS)), reason="there is no compiler on this machine")
def test_a_temporary_directory_where_no_program_may_run_is_told(bare: Path, tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    look = f"TMPDIR={tmp_path}/tmp {shlex.quote(str(bare))} -c {shlex.quote(LOOK)}"
    done = alone(f"mount -t tmpfs -o noexec tmpfs {tmp_path}/tmp\n{look}")
    assert "noexec" in done.stdout.splitlines()[1], done.stdout + done.stderr
    assert "TMPDIR" in done.stdout


@NEEDS_UNIX
@pytest.mark.skipif(not any(map(shutil.which, llama.COMPILERS)), reason="there is no compiler on this machine")
def test_a_compiler_that_works_is_well_and_only_the_library_is_missing(bare: Path) -> None:
    _, told = looked(bare)
    assert told.startswith("ok       compiler: ")


def test_without_a_wish_for_a_model_nothing_of_it_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Build:
        raise BuildError("it is not there", missing=True)

    monkeypatch.setattr(llama, "installed_build", broken)
    monkeypatch.setattr(llama, "_compiler", lambda: [Finding("compiler", "there is none", "get one", Level.ERROR)])
    assert [finding.level for finding in llama.examine(wanted=False)] == [Level.WARNING, Level.WARNING]
    assert [finding.level for finding in llama.examine(wanted=True)] == [Level.ERROR, Level.ERROR]
