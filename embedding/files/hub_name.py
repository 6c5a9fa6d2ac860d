"""Names of files on the Hugging Face hub: reading them, and choosing a file by them. Pure: no disk, no network."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from embedding.errors import ModelMissingError

MOST_LISTED = 12  # files that a refusal names
_NAME = re.compile(
    r"(?P<repo>[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(?::(?P<quantisation>\w[\w.-]*)|/(?P<path>[^\\:]+\.gguf))?",
    re.ASCII | re.IGNORECASE,
)
_PIECE = re.compile(r"-\d{5}-of-\d{5}\.gguf$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class HubName:
    """A repository, and which of its GGUF files: by its quantisation, by its path, or the only one."""

    repo: str
    quantisation: str = ""
    path: str = ""

    def __str__(self) -> str:
        if self.quantisation:
            return f"{self.repo}:{self.quantisation}"
        return f"{self.repo}/{self.path}" if self.path else self.repo

    def full_name(self, path: Path) -> str:
        """One name for the file at ``path``, below a directory of its repository, however it was asked for."""
        _, folder, file = path.as_posix().rpartition(f"/{self.repo}/")
        return f"{self.repo}/{file}" if folder else str(self)

    def means(self, file: str) -> bool:
        """Whether ``file`` is one that this name may stand for; a bare repository stands for any."""
        if self.path:
            return file == self.path
        return not self.quantisation or _ends_in(file, self.quantisation)


def hub_name(text: str) -> HubName | None:
    """``owner/repo``, ``owner/repo:QUANTISATION`` or ``owner/repo/path/file.gguf``; None where it is none of these.

    ``folder/file.gguf`` is a path, and so is whatever begins with ., / or ~ or has a drive's letter.
    """
    found = _NAME.fullmatch(text)
    if found is None:
        return None
    name = HubName(found["repo"], found["quantisation"] or "", found["path"] or "")
    if not name.quantisation and not name.path and name.repo.lower().endswith(".gguf"):
        return None
    hidden = any(not part or part.startswith(".") for part in name.path.split("/")) if name.path else False
    return None if hidden else name


def chosen_file(name: HubName, files: Sequence[str]) -> str:
    """The one of ``files`` (paths within the repository) that is meant.

    Raises ModelMissingError where it is none or several, with those that there are.
    """
    models = [file for file in files if file.lower().endswith(".gguf") and not _basename(file).startswith("mmproj")]
    meant = [file for file in models if name.means(file)]
    if len(meant) == 1 and not _PIECE.search(meant[0]):
        return meant[0]
    if not models:
        raise ModelMissingError(f"{name.repo} holds no GGUF file; name a repository that has one.")
    if meant and all(_PIECE.search(file) for file in meant):
        raise ModelMissingError(f"{name} is cut into several files, which are not read here; name a whole one.")
    if name.path or (name.quantisation and not meant):
        wrong = f"no {name.path}" if name.path else f"no file of {name.quantisation}"
        raise ModelMissingError(f"{name.repo} holds {wrong}; it has {_listed(name.repo, models)}.")
    raise ModelMissingError(f"{name} may be any of {len(meant)} files; name one: {_listed(name.repo, meant)}.")


def _ends_in(file: str, quantisation: str) -> bool:
    """``model-Q8_0.gguf``, ``model.Q8_0.gguf``; letter case is free, for both spellings are about."""
    return re.search(rf"(^|[-._/]){re.escape(quantisation)}\.gguf$", file, re.IGNORECASE) is not None


def _basename(file: str) -> str:
    return file.rpartition("/")[2].lower()


def _listed(repo: str, files: Sequence[str]) -> str:
    named = [f"{repo}/{file}" for file in files[:MOST_LISTED]]
    return ", ".join(named) + (f" and {len(files) - MOST_LISTED} more" if len(files) > MOST_LISTED else "")
