"""Which files hold secrets, by their names or by what they begin with. Pure.

What is indexed is shown to models, most of which run elsewhere. These files are made to hold keys and passwords, and
tools leave them in a work tree without anybody's decision; a password inside source code is not looked for.
"""

from __future__ import annotations

import re

_NAMES = frozenset(
    {
        ".netrc", "_netrc", ".pgpass", ".my.cnf", ".pypirc", ".htpasswd", ".git-credentials", ".vault-token",
        ".dockercfg", ".s3cfg", ".boto", "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "id_ecdsa_sk", "id_ed25519_sk",
        "master.key", "secring.gpg",
    }
)  # fmt: skip
_BELOW = (".aws/credentials", ".docker/config.json", ".kube/config", ".cargo/credentials.toml", ".gem/credentials")
# .env.example and its kin are there to be read: they say what is to be set, and are tracked for that.
_ENVIRONMENT = re.compile(r"\.env(?:\.(?!(?:.*[._-])?(?:example|sample|template|tpl|dist|defaults?|schema)\b).+)?")
_PRIVATE_KEY = re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----")
_SERVICE_ACCOUNT = re.compile(r'"private_key"\s*:\s*"-----BEGIN ')  # Google's, the key on one line of JSON
_AGE = re.compile(r"(?:#.*\n)*AGE-SECRET-KEY-")
_HEAD = 2_000  # characters: a certificate or a comment may stand before a key, in a file that is nothing but those


def is_secret_name(path: str) -> bool:
    """Whether a file of this name is made to hold secrets."""
    path = path.lower().removesuffix("~")  # other letters are the same file to macOS and Windows; "~" an editor's copy
    name = path.rpartition("/")[2]
    if name in _NAMES or _ENVIRONMENT.fullmatch(name):
        return True
    return path.endswith(tuple("/" + below for below in _BELOW)) or path in _BELOW


def is_private_key(text: str) -> bool:
    """Whether a text is a private key, rather than code or prose in which one stands."""
    head = text[:_HEAD].lstrip()
    if head.startswith("-----BEGIN "):
        return _PRIVATE_KEY.search(text) is not None
    if head.startswith("{"):
        return _SERVICE_ACCOUNT.search(head) is not None
    if _AGE.match(head):
        return True
    return head.startswith(("PuTTY-User-Key-File-", "Bag Attributes")) and "PRIVATE" in text.upper()
