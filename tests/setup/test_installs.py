"""What tests install for themselves: where that is not possible, they say so, and do not try again."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.e2e import node_clients


@pytest.mark.skipif(sys.platform == "win32", reason="npm is stood in for by a shell script")
def test_without_a_network_npm_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = tmp_path / "asked"
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(f"#!/bin/sh\necho once >> '{asked}'\necho EAI_AGAIN >&2\nexit 1\n", encoding="utf-8")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{npm.parent}{os.pathsep}{os.environ['PATH']}")
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.delenv("CI", raising=False)
    sources = tmp_path / "sources"
    sources.mkdir()
    for name in node_clients.PINNED:
        (sources / name).write_text("{}", encoding="utf-8")
    for _ in range(3):
        with pytest.raises(pytest.skip.Exception, match=r"check the network\. It said: EAI_AGAIN"):
            node_clients.installed(sources)
    assert asked.read_text(encoding="utf-8") == "once\n"
