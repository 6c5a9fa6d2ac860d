"""A machine for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk.made(tmp_path / "desk")
