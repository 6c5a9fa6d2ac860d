"""Libraries that do not load: doctor says so and lives."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from pathlib import Path

import pytest

from mcp_server.checks import libraries
from mcp_server.checks.findings import Level
from tests.e2e.homes import MODULE, Home
from tests.mcp_server.checks.faults import DIES, ILLEGAL, PATIENCE_S


def test_the_libraries_load_here() -> None:
    assert libraries.examine().level is Level.OK


@pytest.mark.skipif(
    os.name != "posix" or platform.machine() not in ILLEGAL, reason="no illegal instruction is known for this machine"
)
def test_a_wheel_for_a_newer_processor_is_named_and_doctor_outlives_it(tmp_path: Path) -> None:
    package = tmp_path / "packages" / "numpy"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(DIES.format(code=ILLEGAL[platform.machine()]), encoding="utf-8")
    home = Home(tmp_path / "user", tmp_path / "models").environment(PYTHONPATH=str(package.parent))
    line = [*MODULE, "doctor", "--json", "--root", str(tmp_path)]
    done = subprocess.run(line, capture_output=True, text=True, env=home, timeout=PATIENCE_S, check=False)
    assert done.returncode == 1, done.stderr
    last = json.loads(done.stdout)[-1]
    assert (last["what"], last["level"]) == ("libraries", "error")
    assert "numpy died of an instruction that this processor does not have" in last["found"]


def test_a_library_that_is_damaged_is_told_in_pythons_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyarrow").mkdir()
    (tmp_path / "pyarrow" / "__init__.py").write_text("import pyarrow.lib\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = libraries.examine()
    assert (found.level, "pyarrow cannot be loaded: ModuleNotFoundError" in found.found) == (Level.ERROR, True)
