"""llama.cpp: whether it loads, whether it is made for this processor, and whether it could be built anew here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from embedding.child.build import Build, BuildError, Processor, installed_build, lacking, processor, unused
from mcp_server.checks.findings import Finding, Level, error, warning, well

WHAT = "llama.cpp"
COMPILE_S = 60.0
COMPILERS = ("c++", "g++", "clang++")
PROGRAM = "#include <vector>\nint main() { return std::vector<int>(1)[0]; }\n"
HOW_TO_GET_ONE = "Debian, Ubuntu: apt install g++; Fedora: dnf install gcc-c++; macOS: xcode-select --install"
# pip keeps the wheel that it built, and would take it again.
PIP = "-m pip install --force-reinstall --no-deps --no-cache-dir --no-binary llama-cpp-python llama-cpp-python"
ANEW = f"{sys.executable} {PIP}"


def examine(*, wanted: bool) -> list[Finding]:
    """``wanted``: whether the settings ask for a model; without one, what is amiss here stops nothing."""
    try:
        build = installed_build()
    except BuildError as failed:
        found = [_broken(failed), *_compiler()]
        return found if wanted else [_only_a_warning(finding) for finding in found]
    return [_suited(build, processor())]


def _only_a_warning(finding: Finding) -> Finding:
    return warning(finding.what, finding.found, finding.mend) if finding.level is Level.ERROR else finding


def _broken(failed: BuildError) -> Finding:
    if failed.illegal:
        return error(WHAT, f"{failed}: it was built for another one", f"build it here: {ANEW}")
    if failed.missing:
        return error(WHAT, f"llama-cpp-python is not installed beside {sys.executable}", "install codeloupe again")
    return error(WHAT, f"it cannot be loaded: {failed}", f"build it again: {ANEW}")


def _suited(build: Build, here: Processor) -> Finding:
    said = f"llama-cpp-python {build.version}"
    if names := lacking(build, here):
        return error(
            WHAT, f"{said} uses {', '.join(names)}, which this processor does not have", f"build it here: {ANEW}"
        )
    if names := unused(build, here):
        slow = f"{said} was built without {', '.join(names)}, which this processor has: the model is many times slower"
        return warning(WHAT, slow, f"build it here, without CMAKE_ARGS that turn them off: {ANEW}")
    return well(WHAT, f"{said} loads, and uses {', '.join(sorted(build.features)) or 'nothing particular'}")


def _compiler() -> list[Finding]:
    """Where llama.cpp has to be built: whether that is possible. CMake finds a compiler by itself on Windows."""
    if sys.platform == "win32":
        return []
    names = [os.environ["CXX"]] if os.environ.get("CXX") else COMPILERS
    found = [path for name in names if (path := shutil.which(name))]
    if not found:
        said = f"there is none ({', '.join(names)}), and llama.cpp has to be compiled"
        return [error("compiler", said, f"install one ({HOW_TO_GET_ONE})")]
    failures = list(_failures(found))
    if len(failures) < len(found):
        return [well("compiler", f"{found[len(failures)]} makes programs that run")]
    return [failures[0]]


def _failures(compilers: list[str]) -> Iterator[Finding]:
    """What is wrong with each, until one works."""
    for compiler in compilers:
        failure = _try(compiler)
        if failure is None:
            return
        yield failure


def _try(compiler: str) -> Finding | None:
    """Compile a few lines and run them, in the directory where pip would."""
    try:
        with tempfile.TemporaryDirectory(prefix="codeloupe-") as directory:
            source, program = Path(directory, "try.cpp"), Path(directory, "try")
            source.write_text(PROGRAM, encoding="ascii")
            made = _run([compiler, str(source), "-o", str(program)])
            if made.returncode:
                reason = (made.stderr.strip().splitlines() or [f"exit code {made.returncode}"])[-1]
                return error("compiler", f"{compiler} compiles nothing: {reason}", f"mend it ({HOW_TO_GET_ONE})")
            _run([str(program)])
    except PermissionError:
        said = f"no program may be run in {tempfile.gettempdir()} (noexec), where pip builds"
        return error("compiler", said, "set TMPDIR to a directory where programs may run, and install again")
    except (OSError, subprocess.TimeoutExpired) as failed:
        return error("compiler", f"{compiler} could not be tried: {failed}", "make room in the temporary directory")
    return None


def _run(line: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(line, capture_output=True, text=True, errors="replace", timeout=COMPILE_S, check=False)
