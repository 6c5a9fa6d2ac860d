"""Which ignore rules hold in which directory: collects them from the files of the tree, of git and of the settings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.ignore import Level, parse_rules
from indexer.repository import (
    GitSettings,
    Repository,
    Tracked,
    enclosing_repository,
    git_settings,
    read_ignore_file,
    repository_at,
    tracked_although_ignored,
)

if TYPE_CHECKING:
    from indexer.settings import IndexSettings

GIT_IGNORE_FILE = ".gitignore"
OWN_IGNORE_FILE = ".codeloupeignore"


@dataclass(frozen=True, slots=True)
class Rules:
    """What is said about entries of one directory. Levels come strongest first."""

    own: tuple[Level, ...]  # .codeloupeignore from the deepest up, then settings.exclude
    git: tuple[Level, ...]  # .gitignore from the deepest up, info/exclude, core.excludesFile
    tracked: Tracked
    git_settings: GitSettings

    def inside(self, directory: Path, path: str, present: set[str]) -> Rules:
        """With the ignore files in ``directory``, which is ``path`` in the root; ``present`` names them."""
        own = self._level(directory, path, OWN_IGNORE_FILE) if OWN_IGNORE_FILE in present else ()
        git = self._level(directory, path, GIT_IGNORE_FILE) if GIT_IGNORE_FILE in present else ()
        return replace(self, own=own + self.own, git=git + self.git) if own or git else self

    def _level(self, directory: Path, path: str, file_name: str) -> tuple[Level, ...]:
        text = read_ignore_file(directory / file_name, in_tree=True)
        return _level(text, len(path), ignore_case=self.git_settings.ignore_case)

    def in_repository(self, directory: Path, path: str) -> Rules | None:
        """For a submodule or a repository within, or None: the outer one's rules end there, ours go on."""
        repository = repository_at(directory)
        if repository is None:
            return None
        git = tuple(_repository_levels(repository, self.git_settings, directory, len(path)))
        return replace(self, git=git, tracked=tracked_although_ignored(directory, path))


class KeptRules:
    """A root's rules, kept from one look at everything to the next: asking git for them takes longer than a look."""

    def __init__(self, root: Path, settings: IndexSettings) -> None:
        self._root = root
        self._settings = settings
        self._rules: Rules | None = None

    def found(self, *, anew: bool) -> Rules:
        """The rules as of the last time they were wanted ``anew``."""
        if anew or self._rules is None:
            self._rules = root_rules(self._root.resolve(), self._settings)
        return self._rules


def root_rules(top: Path, settings: IndexSettings, *, tracked: bool = True) -> Rules:
    """What is said about the root's entries by anything but the root's own ignore files.

    Without ``tracked`` what git tracks although it ignores it is ignored: asking for that takes git .5 s among 60,000
    files.
    """
    repository = enclosing_repository(top)
    git = git_settings(top)
    above = _directories_above(top, repository)
    exclude = _level("\n".join(settings.exclude), ignore_case=git.ignore_case)
    return Rules(
        own=(*_levels_above(above, top, OWN_IGNORE_FILE, git), *exclude),
        git=(*_levels_above(above, top, GIT_IGNORE_FILE, git), *_repository_levels(repository, git, top)),
        tracked=tracked_although_ignored(top, "") if tracked and repository else Tracked(),
        git_settings=git,
    )


def _directories_above(top: Path, repository: Repository | None) -> list[Path]:
    """The directories between the root and its work tree's top, the top included, the root not; nearest first."""
    if repository is None or repository.top == top:
        return []
    parents = list(top.parents)
    return parents[: parents.index(repository.top) + 1]


def _levels_above(above: list[Path], top: Path, file_name: str, git: GitSettings) -> list[Level]:
    return [
        level
        for directory in above
        for level in _level(
            read_ignore_file(directory / file_name, in_tree=True),
            prefix=_prefix(directory, top),
            ignore_case=git.ignore_case,
        )
    ]


def _repository_levels(repository: Repository | None, git: GitSettings, directory: Path, cut: int = 0) -> list[Level]:
    """The private excludes of a work tree, or of no work tree, and the user's."""
    prefix = _prefix(repository.top, directory) if repository else ""
    files = ([repository.exclude_file] if repository else []) + [git.excludes_file]
    texts = [read_ignore_file(file, in_tree=False) for file in files]
    return [level for text in texts for level in _level(text, cut, prefix, ignore_case=git.ignore_case)]


def _prefix(directory: Path, top: Path) -> str:
    inner = top.relative_to(directory).as_posix()
    return "" if inner == "." else inner + "/"


def _level(text: str, cut: int = 0, prefix: str = "", *, ignore_case: bool) -> tuple[Level, ...]:
    rules = parse_rules(text, ignore_case=ignore_case)
    return (Level(rules, cut, prefix),) if rules else ()
