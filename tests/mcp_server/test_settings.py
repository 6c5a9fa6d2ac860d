"""Settings: layers, their places, and refusals that name the place."""

from pathlib import Path

import pytest

from mcp_server import settings
from mcp_server.errors import ConfigError


@pytest.fixture(autouse=True)
def user_file(tmp_path, monkeypatch):
    path = tmp_path / "user" / "config.toml"
    path.parent.mkdir()
    monkeypatch.setattr(settings, "user_file", lambda: path)
    return path


def test_a_later_layer_wins_and_says_where_it_came_from(tmp_path, user_file):
    user_file.write_text('[model]\nname = "none"\n[search]\nlimit = 5\n')
    (tmp_path / ".codeloupe.toml").write_text("[search]\nlimit = 7\n")
    sourced = settings.load(tmp_path, ["search.limit=9"], {"CODELOUPE_SEARCH_MAX_TOKENS": "2000"})
    assert (sourced.settings.search.limit, sourced.settings.search.max_tokens) == (9, 2000)
    assert sourced.settings.model.name == "none"
    assert sourced.sources["search.limit"] == "--set search.limit"
    assert sourced.sources["search.max_tokens"] == "environment variable CODELOUPE_SEARCH_MAX_TOKENS"
    assert sourced.sources["model.name"] == str(user_file)
    assert sourced.sources["index.max_file_kb"] == "default"


def test_the_owners_name_for_the_backend_is_honoured(tmp_path):
    sourced = settings.load(tmp_path, environ={"STORAGE_BACKEND": "memory"})
    assert sourced.settings.storage.backend == "memory"


def test_lists_come_as_commas_or_json(tmp_path):
    assert settings.load(tmp_path, ["index.exclude=*.log, tmp/"]).settings.index.exclude == ("*.log", "tmp/")
    assert settings.load(tmp_path, ['index.exclude=["a,b"]']).settings.index.exclude == ("a,b",)


@pytest.mark.parametrize(
    ("overrides", "environ", "told"),
    [
        (["search.limit=0"], {}, "--set search.limit: search.limit = '0' is not allowed"),
        (["search.limt=3"], {}, "--set search.limt: search.limt is no setting; known here: search.limit"),
        (["nonsense.key=3"], {}, "nonsense"),
        (["search.limit"], {}, "has no value"),
        (["limit=3"], {}, "names no setting"),
        (["memory.budget=0%"], {}, "--set memory.budget: memory.budget = '0%' is not allowed (A memory budget of 0%"),
        ([], {"CODELOUPE_MODEL_NAEM": "x"}, "environment variable CODELOUPE_MODEL_NAEM: model.naem is no setting"),
        ([], {"STORAGE_BACKEND": "sqlite"}, "environment variable STORAGE_BACKEND: storage.backend = 'sqlite'"),
    ],
)
def test_a_bad_setting_is_refused_with_its_place(tmp_path, overrides, environ, told):
    with pytest.raises(ConfigError) as refusal:
        settings.load(tmp_path, overrides, environ)
    assert told in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert "config show" not in str(refusal.value), "that is refused as well"


@pytest.mark.parametrize("text", ["not toml = = =", "limit = 3\n", "[search]\nlimit = 'many'\n"])
def test_a_bad_file_is_refused_by_name(tmp_path, user_file, text):
    user_file.write_text(text)
    with pytest.raises(ConfigError, match=r"config\.toml"):
        settings.load(tmp_path)


def test_a_repository_may_not_choose_models_or_places(tmp_path):
    (tmp_path / ".codeloupe.toml").write_text('[storage]\ndirectory = "/elsewhere"\n')
    with pytest.raises(ConfigError, match=r"\[storage\] may not be set by a repository"):
        settings.load(tmp_path)


def test_an_unreadable_file_is_refused_in_words(tmp_path, user_file):
    user_file.mkdir()
    with pytest.raises(ConfigError, match="cannot be read as TOML"):
        settings.load(tmp_path)
    assert Path(user_file).is_dir()
