"""Who imports whom, by name alone."""

from __future__ import annotations

import pytest

from storage.ranking.links import centralities, module_of, modules_named


@pytest.mark.parametrize(
    ("path", "module"),
    [
        ("app/core/errors.py", "core/errors"),
        ("errors.py", "/errors"),
        ("lib/rails/engine.rb", "rails/engine"),
        ("src/core/index.ts", "src/core"),
        ("pkg/core/__init__.py", "pkg/core"),
        ("src/de/mod.rs", "src/de"),
        ("Http/HTTP_Client.php", "http/httpclient"),
        ("src/user.service.ts", "src/user"),
    ],
)
def test_a_module_is_called_by_its_folder_and_its_name(path: str, module: str) -> None:
    assert module_of(path) == module


def test_an_import_names_each_folder_with_what_follows_and_the_first_beside_its_file() -> None:
    named = set(modules_named("app/web/views.py", [("app", "core", "errors"), ("forms",)]))
    assert named == {"web/app", "app/core", "core/errors", "web/forms"}


def test_a_file_does_not_import_itself() -> None:
    assert list(modules_named("core/errors.py", [("core", "errors")])) == ["core/core"]


def test_the_most_imported_file_is_1_and_one_that_is_imported_nowhere_is_0() -> None:
    importers = {"core/errors": 20, "core/app": 3}
    shares = centralities(["core/errors.py", "core/app.py", "core/none.py"], importers)
    assert shares["core/errors.py"] == 1
    assert 0 < shares["core/app.py"] < 1
    assert shares["core/none.py"] == 0
    assert centralities(["a.py"], {}) == {"a.py": 0}
