"""Secrets: what is made to hold them is left out, what only speaks about them is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from indexer.confidential import is_private_key, is_secret_name
from indexer.reading import read_source
from indexer.source import Skip, SkipReason, SourceFile, SourceText
from tests.indexer.trees import SETTINGS, plant

KEY = "-----BEGIN {}PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END {}PRIVATE KEY-----\n"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIEvQIBADANBg\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    "path",
    [".env", "app/.env", ".env.local", ".env.production", ".env.test.local", "keys/id_rsa", ".ssh/id_ed25519", ".netrc",
     ".pgpass", ".git-credentials", "home/.aws/credentials", ".aws/credentials", "config/master.key", ".htpasswd",
     ".ENV", "app/.Env.Local", ".env~", ".AWS/credentials", "ID_RSA"],
)  # fmt: skip
def test_a_file_made_for_secrets_is_one(path: str) -> None:
    assert is_secret_name(path)


@pytest.mark.parametrize(
    "path",
    [".env.example", ".env.sample", ".env.local.example", ".env.example~", ".env.template", ".env.dist", ".envrc",
     "env.py", "src/env.ts", "id_rsa.pub", "credentials.py", "aws/credentials", "docs/netrc.md", "src/.env/readme.md",
     "secrets.py", "key.py"],
)  # fmt: skip
def test_a_file_that_only_sounds_like_it_is_none(path: str) -> None:
    assert not is_secret_name(path)


@pytest.mark.parametrize("kind", ["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED ", "DSA "])
def test_a_private_key_is_known_by_its_first_line(kind: str) -> None:
    assert is_private_key(KEY.format(kind, kind))
    assert is_private_key("\n\n" + KEY.format(kind, kind))


def test_a_key_behind_its_certificate_is_known() -> None:
    assert is_private_key(CERTIFICATE * 100 + KEY.format("", ""))
    assert is_private_key("-----BEGIN PGP PRIVATE KEY BLOCK-----\nlQdGBF\n")
    assert is_private_key("PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1\n")


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"type": "service_account", "project_id": "p", "private_key": KEY.format("", "")}, indent=2),
        json.dumps({"private_key": KEY.format("", "")}, separators=(",", ":")),
        "# created: 2026-11-20T00:00:00Z\n# public key: age1qqq\nAGE-SECRET-KEY-1QQQ\n",
    ],
)
def test_keys_of_clouds_and_of_age_are_known(text: str) -> None:
    assert is_private_key(text)


@pytest.mark.parametrize("text", ['{"private_key": "path/to/key.pem"}', "# on AGE-SECRET-KEY-\nkeys = 1\n"])
def test_where_a_key_is_only_named_the_file_is_read(text: str) -> None:
    assert not is_private_key(text)


@pytest.mark.parametrize(
    "text", [CERTIFICATE, "", f'KEY = """\n{KEY.format("", "")}"""\n', "A -----BEGIN PRIVATE KEY-----"]
)
def test_what_only_holds_or_mentions_a_key_is_read(text: str) -> None:
    assert not is_private_key(text)


@pytest.mark.parametrize(("name", "content"), [(".env", "KEY=1\n"), ("server.pem", KEY.format("", ""))])
def test_a_secret_is_left_out_of_the_index_with_its_reason(tmp_path: Path, name: str, content: str) -> None:
    path = plant(tmp_path, {name: content}) / name
    status = path.stat()
    file = SourceFile(name, str(path), status.st_size, status.st_mtime_ns)
    read = read_source(file, SETTINGS)
    assert isinstance(read, Skip)
    assert read.reason is SkipReason.SECRET


def test_the_example_beside_it_is_read(tmp_path: Path) -> None:
    path = plant(tmp_path, {".env.example": "KEY=\n"}) / ".env.example"
    status = path.stat()
    assert isinstance(
        read_source(SourceFile(path.name, str(path), status.st_size, status.st_mtime_ns), SETTINGS), SourceText
    )
