"""Ignore patterns: which rule of which file decides about a path. Knows no disk and no git.

pathspec translates each pattern into a regular expression. Two things are done around it here:

* A rule is held against the whole path of one entry, never against what lies below it: the walk does not enter what
  is ignored, and so gives git's meaning ("it is not possible to re-include a file if a parent is excluded") for free.
* Most files match no rule, and that must cost next to nothing. Plain names and ``*.suffix`` patterns (87 of the 117
  in GitHub's Python, Node and Go templates) are looked up; the rest of a file is one alternation, tried once.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from pathspec.patterns.gitignore.base import GitIgnorePatternError
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

_WILD = frozenset("*?[\\")


def _translate(pattern: str) -> str | None:
    """What pathspec makes of a pattern that begins with "/"; None where git would never match it."""
    try:
        regex: str | None = GitIgnoreSpecPattern.pattern_to_regex(pattern)[0]
    except GitIgnorePatternError:
        return None
    return regex


# How pathspec ends an expression: "here, or anything below". We want "here", and ask pathspec itself what to cut off.
_OR_BELOW = (_translate("/x") or "").removeprefix("^x")

_POSIX_CLASSES = {
    "[:alnum:]": "a-zA-Z0-9",
    "[:alpha:]": "a-zA-Z",
    "[:blank:]": " \t",
    "[:digit:]": "0-9",
    "[:lower:]": "a-z",
    "[:space:]": " \t\n\r\f\v",
    "[:upper:]": "A-Z",
    "[:xdigit:]": "0-9a-fA-F",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One pattern. Exactly one of ``name``, ``suffix`` and ``regex`` is set."""

    ignore: bool  # False for a pattern with "!": it brings back
    directory_only: bool
    by_name: bool  # held against the last component alone
    name: str = ""
    suffix: str = ""
    regex: str = ""

    def matches(self, name: str, path: str, flags: int) -> bool:
        """Whether this rule speaks about the entry ``name``, ``path`` being relative to the rule's directory."""
        if self.name:
            return name == self.name
        if self.suffix:
            return name.endswith(self.suffix)
        return _compiled(self.regex, flags).match(name if self.by_name else path) is not None


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules of one file, and a quick test that says for most paths that none of them applies."""

    rules: tuple[Rule, ...]  # the last one first: it decides
    flags: int
    names: frozenset[str]
    suffixes: tuple[str, ...]
    by_name: re.Pattern[str] | None
    by_path: re.Pattern[str] | None

    def verdict(self, name: str, path: str, is_directory: bool) -> bool | None:
        """True: ignored; False: brought back; None: nothing said."""
        if (
            name in self.names
            or name.endswith(self.suffixes)
            or (self.by_name is not None and self.by_name.match(name))
            or (self.by_path is not None and self.by_path.match(path))
        ):
            return self._decide(name, path, is_directory)
        return None

    def _decide(self, name: str, path: str, is_directory: bool) -> bool | None:
        for rule in self.rules:
            if (is_directory or not rule.directory_only) and rule.matches(name, path, self.flags):
                return rule.ignore
        return None


@dataclass(frozen=True, slots=True)
class Level:
    """A rule set and where it stands: entries' paths are made relative to its directory."""

    rules: RuleSet
    cut: int = 0  # characters of the root-relative path above the rules' directory
    prefix: str = ""  # what lies between the rules' directory and the root, where the rules stand above it

    def verdict(self, name: str, path: str, is_directory: bool) -> bool | None:
        """As RuleSet.verdict, for a path relative to the root."""
        return self.rules.verdict(name, self.prefix + path[self.cut :], is_directory)


def judge(levels: Iterable[Level], name: str, path: str, is_directory: bool) -> bool | None:
    """What the strongest level that says anything says; ``levels`` come strongest first."""
    for level in levels:
        verdict = level.verdict(name, path, is_directory)
        if verdict is not None:
            return verdict
    return None


@lru_cache(maxsize=1024)  # a server walks the same tree again and again
def parse_rules(text: str, *, ignore_case: bool = False) -> RuleSet | None:
    """The rules in an ignore file's text, None where there are none. Malformed patterns match nothing, as in git."""
    parsed = (_parse(line, ignore_case=ignore_case) for line in text.removeprefix("\ufeff").split("\n"))
    rules = tuple(rule for rule in parsed if rule is not None)[::-1]
    if not rules:
        return None
    flags = re.DOTALL | (re.IGNORECASE if ignore_case else 0)
    return RuleSet(
        rules,
        flags,
        names=frozenset(rule.name for rule in rules if rule.name),
        suffixes=tuple({rule.suffix: None for rule in rules if rule.suffix}),
        by_name=_union((rule.regex for rule in rules if rule.by_name and rule.regex), flags),
        by_path=_union((rule.regex for rule in rules if not rule.by_name), flags),
    )


def _parse(line: str, *, ignore_case: bool) -> Rule | None:
    pattern = _trimmed(line)
    if not pattern or pattern.startswith("#"):
        return None
    ignore = not pattern.startswith("!")
    pattern = pattern if ignore else pattern[1:]
    directory_only = pattern.endswith("/")
    pattern = pattern[:-1] if directory_only else pattern
    by_name = "/" not in pattern
    pattern = pattern.removeprefix("/")
    while pattern.startswith("**/"):
        by_name = by_name or "/" not in pattern[3:]
        if not by_name:
            break
        pattern = pattern[3:]
    if not pattern:
        return None
    if by_name and not ignore_case:
        plain = _plain(pattern, ignore=ignore, directory_only=directory_only)
        if plain is not None:
            return plain
    regex = _whole(pattern, ignore_case=ignore_case)
    return Rule(ignore, directory_only, by_name, regex=regex) if regex else None


def _trimmed(line: str) -> str:
    """The line without its carriage return and its trailing spaces, but for one that a backslash protects."""
    line = line.removesuffix("\r")
    pattern = line.rstrip(" ")
    backslashes = len(pattern) - len(pattern.rstrip("\\"))
    return pattern + " " if backslashes % 2 and len(pattern) < len(line) else pattern


def _plain(pattern: str, *, ignore: bool, directory_only: bool) -> Rule | None:
    """A rule that needs no regular expression: a mere name, or ``*`` and a mere ending."""
    if _WILD.isdisjoint(pattern):
        return Rule(ignore, directory_only, by_name=True, name=pattern)
    if pattern[0] == "*" and len(pattern) > 1 and _WILD.isdisjoint(pattern[1:]):
        return Rule(ignore, directory_only, by_name=True, suffix=pattern[1:])
    return None


def _whole(pattern: str, *, ignore_case: bool) -> str:
    """The expression that matches an entry's whole name or path; "" where the pattern cannot match or is malformed."""
    if pattern != pattern.rstrip() and not pattern.endswith("\\ "):
        return ""  # pathspec would strip a tab or a second carriage return and match too much
    if pattern == "**":
        pattern = "**/*"
    elif pattern.endswith("/**"):
        pattern += "/*"  # "everything below" and not the directory itself
    for name, characters in _POSIX_CLASSES.items():
        pattern = pattern.replace(name, characters)
    regex = _translate("/" + pattern)
    if not regex:
        return ""
    regex = f"{regex.removesuffix(_OR_BELOW)}\\Z" if regex.endswith(_OR_BELOW) else regex
    try:
        _compiled(regex, re.IGNORECASE if ignore_case else 0)
    except re.error:  # a range such as [z-a]
        return ""
    return regex


def _union(regexes: Iterable[str], flags: int) -> re.Pattern[str] | None:
    joined = "|".join(regexes)
    return _compiled(joined, flags) if joined else None


@lru_cache(maxsize=4096)
def _compiled(regex: str, flags: int) -> re.Pattern[str]:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", FutureWarning
        )  # "possible nested set": a bracket inside a bracket, meant literally
        return re.compile(regex, flags)
