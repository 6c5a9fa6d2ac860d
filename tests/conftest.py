"""What holds for every test: no embedding service is left behind, and none is found in the user's own directory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import platformdirs
import pytest

from embedding.shared import place, running


@pytest.fixture(autouse=True, scope="session")
def services_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests take the user's model files, which are large, and services of their own."""
    users = Path(platformdirs.user_data_dir("codeloupe", appauthor=False))
    own, usual = tmp_path_factory.mktemp("services"), place.services_directory
    with pytest.MonkeyPatch.context() as patch:
        for room in (place, running):
            patch.setattr(room, "services_directory", lambda data: own if data == users else usual(data))
        yield
        for service in running.services(users):
            service.stop()
