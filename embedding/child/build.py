"""What the installed llama.cpp was built for, and whether this processor has it.

Asked in a process of its own: a build for another processor dies of its first instructions, and takes with it whoever
asked.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from embedding.errors import ModelFailedError
from embedding.process import PACKAGE_ROOT, child_environment, ending_name

ASK_S = 30.0  # an import of .3 s, from a cold disk some seconds
_WINDOWS_ILLEGAL_INSTRUCTION = 0xC000001D
_WINDOWS_AVX2 = 40  # PF_AVX2_INSTRUCTIONS_AVAILABLE
_FEATURE = re.compile(r"(\w+) = (\d+)")

# What ggml calls a group of instructions, and what Linux calls it in /proc/cpuinfo.
KERNEL_NAMES = {
    "SSE3": "pni",
    "SSSE3": "ssse3",
    "AVX": "avx",
    "AVX_VNNI": "avx_vnni",
    "AVX2": "avx2",
    "F16C": "f16c",
    "FMA": "fma",
    "BMI2": "bmi2",
    "AVX512": "avx512f",
    "AVX512_VBMI": "avx512vbmi",
    "AVX512_VNNI": "avx512_vnni",
    "AVX512_BF16": "avx512_bf16",
    "AMX_INT8": "amx_int8",
    "NEON": "asimd",
    "ARM_FMA": "asimd",
    "FP16_VA": "asimdhp",
    "DOTPROD": "asimddp",
    "MATMUL_INT8": "i8mm",
    "SVE": "sve",
}
# Without these the inner loops go number by number: with none of the first three the default model took 30 times the
# processor time a text (AMD EPYC).
NEEDED_FOR_SPEED = ("AVX2", "FMA", "F16C", "NEON", "ARM_FMA", "DOTPROD")


class BuildError(ModelFailedError):
    """llama.cpp cannot be loaded; the text is the cause alone. ``illegal``: it died of an illegal instruction."""

    def __init__(self, message: str, *, illegal: bool = False, missing: bool = False) -> None:
        super().__init__(message)
        self.illegal = illegal
        self.missing = missing


@dataclass(frozen=True, slots=True)
class Build:
    """The installed llama.cpp. ``features``: groups of instructions that it uses, by ggml's names."""

    version: str  # of llama-cpp-python
    file: str
    features: frozenset[str]


@dataclass(frozen=True, slots=True)
class Processor:
    """Groups of instructions, by ggml's names. ``complete``: what is not among them is not there."""

    features: frozenset[str] = frozenset()
    complete: bool = False


def installed_build() -> Build:
    """What the installed llama.cpp says of itself; some .3 s. Raises BuildError."""
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "embedding.worker", "build"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=PACKAGE_ROOT,
            env=child_environment(dict(os.environ), 1),
            timeout=ASK_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BuildError(f"it was not loaded within {ASK_S:.0f} s") from None
    except OSError as failed:
        raise BuildError(f"no process could be started ({failed.strerror or failed})") from failed
    if done.returncode:
        raise _failure(done.returncode, done.stderr.decode("utf-8", "replace"))
    told = json.loads(done.stdout)
    return Build(told["version"], told["file"], features_of(told["system"]))


def _failure(code: int, said: str) -> BuildError:
    if is_illegal_instruction(code):
        return BuildError(
            f"it died of an instruction that this processor does not have: {ending_name(code)}", illegal=True
        )
    lines = said.strip().splitlines()
    reason = lines[-1] if lines and code > 0 else ending_name(code)
    return BuildError(reason, missing="No module named 'llama_cpp'" in reason)


def is_illegal_instruction(code: int) -> bool:
    """Whether a process ended so because of an instruction that its processor does not have."""
    illegal = getattr(signal, "SIGILL", None)
    return code == _WINDOWS_ILLEGAL_INSTRUCTION or (illegal is not None and code == -illegal)


def features_of(system: str) -> frozenset[str]:
    """The groups of instructions in what llama.cpp says of itself, ``CPU : SSE3 = 1 | AVX2 = 0 |``. Pure."""
    return frozenset(name for name, value in _FEATURE.findall(system) if value != "0" and name in KERNEL_NAMES)


def processor(proc: Path = Path("/proc")) -> Processor:
    """What this processor has of KERNEL_NAMES."""
    if sys.platform == "win32":
        return Processor(_features_of_windows())
    if sys.platform == "darwin":
        return Processor(_features_of_macos())
    try:
        text = (proc / "cpuinfo").read_text("utf-8", "replace")
    except OSError:
        return Processor()
    flags = {flag for line in text.splitlines() if line.startswith(("flags", "Features")) for flag in line.split()}
    features = frozenset(name for name, flag in KERNEL_NAMES.items() if flag in flags)
    return Processor(features, complete=bool(flags))


def _features_of_windows() -> frozenset[str]:
    """There is a question for AVX2 alone; processors with it have FMA and F16C. 64-bit Arm has NEON."""
    if platform.machine().upper() == "ARM64":
        return frozenset({"NEON", "ARM_FMA"})
    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined]
    has = kernel.IsProcessorFeaturePresent(_WINDOWS_AVX2)
    return frozenset({"AVX", "AVX2", "FMA", "F16C"}) if has else frozenset()


def _features_of_macos() -> frozenset[str]:
    """Apple's own processors all have the first four; LanceDB is made for no others."""
    return frozenset({"NEON", "ARM_FMA", "FP16_VA", "DOTPROD"}) if platform.machine() == "arm64" else frozenset()


def lacking(build: Build, here: Processor) -> list[str]:
    """What the build uses and the processor does not have, sorted; nothing where that is not known. Pure."""
    return sorted(build.features - here.features) if here.complete else []


def unused(build: Build, here: Processor) -> list[str]:
    """What would make the model many times as fast: the processor has it, and the build does without. Pure."""
    return [name for name in NEEDED_FOR_SPEED if name in here.features and name not in build.features]
