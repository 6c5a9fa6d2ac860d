"""Pinned source packages, brought by their registries' own clients (pip, npm) and never built or run."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PACKAGES = Path(__file__).with_name("packages.json")
_MOST_BYTES = 1 << 20  # of one file; the indexer skips larger ones as well
_ASIDE = re.compile(  # neither tests nor examples nor other people's code: what is asked for is the library's own
    r"(?:^|/)(?:tests?|testing|__tests__|examples?|bench(?:es|marks)?|docs?|vendor|third_party|dist)/"
    r"|(?:^|/)test_[^/]*$|_test\.\w+$|[.-](?:test|spec)\.\w+$|test/[^/]*$|\.d\.ts$"
)


@dataclass(frozen=True, slots=True)
class Package:
    """One archive of a registry, and the directories in it that count for a language."""

    language: str
    registry: str  # "pypi": its sdist; "npm"
    name: str
    version: str
    sha256: str
    roots: tuple[str, ...]  # directories below the archive's own, "" for all of it

    @property
    def directory(self) -> str:
        """What it is called in a corpus."""
        return self.name.removeprefix("@").replace("/", "-")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file as it is in an archive, with line feeds only; the path begins with the package's directory."""

    path: str
    data: bytes


def pinned(file: Path = PACKAGES) -> tuple[Package, ...]:
    """The packages of the function-level set."""
    rows: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return tuple(Package(**{**row, "roots": tuple(row["roots"])}) for row in rows)


def fetch(package: Package, directory: Path) -> Path:
    """The archive in ``directory``, brought there if need be; SystemExit where its checksum is another."""
    archive = directory / f"{package.directory}-{package.version}.tar.gz"
    if not archive.exists():
        directory.mkdir(parents=True, exist_ok=True)
        partial = archive.with_suffix(".partial")
        partial.write_bytes(_from_npm(package, directory) if package.registry == "npm" else _from_index(package))
        partial.replace(archive)
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != package.sha256:
        raise SystemExit(
            f"{archive} has the checksum {found}, not {package.sha256}; delete it and see what the registry sends."
        )
    return archive


def sources(package: Package, archive: Path) -> Iterator[SourceFile]:
    """The library's own files below the package's roots, in the archive's order."""
    with tarfile.open(archive) as opened:
        for member in opened:
            path = member.name.partition("/")[2]
            root = next((root for root in package.roots if path.startswith(f"{root}/" if root else "")), None)
            if not member.isfile() or root is None or member.size > _MOST_BYTES:
                continue
            inside = path[len(root) :].lstrip("/")
            content = opened.extractfile(member)
            if _ASIDE.search(inside) or content is None:
                continue
            # Below its last directory's name only: a path that led through vendor/ would not be indexed.
            shown = "/".join(filter(None, (package.directory, root.rpartition("/")[2], inside)))
            yield SourceFile(shown, content.read().replace(b"\r\n", b"\n"))


def _from_npm(package: Package, directory: Path) -> bytes:
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit(f"npm is needed to fetch {package.name}; install Node.js.")
    wanted = f"{package.name}@{package.version}"
    command = [npm, "pack", wanted, "--ignore-scripts", "--json", "--pack-destination", str(directory)]
    told = subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout
    packed = directory / f"{package.directory}-{package.version}.tgz"
    if not packed.exists():
        raise SystemExit(f"npm packed {wanted}, but not as {packed.name}: {told[:200]}")
    data = packed.read_bytes()
    packed.unlink()
    return data


def _from_index(package: Package) -> bytes:
    """A source distribution found and read as pip would, with pip's own configuration.

    ``pip download`` would build the package to learn its dependencies: foreign code, run for nothing. pip has no other
    command, hence its inner parts.
    """
    try:
        from pip._internal.commands import create_command
        from pip._vendor.packaging.specifiers import SpecifierSet
    except ImportError as error:
        raise SystemExit(f"pip is needed to fetch {package.name}; run: python -m ensurepip ({error})") from None
    command: Any = create_command("download")
    with command.main_context():
        flags = ["--no-deps", "--no-binary", ":all:", "--ignore-requires-python", package.name]
        options, _names = command.parse_args(flags)
        session = command.get_default_session(options)
        finder = command._build_package_finder(options, session, ignore_requires_python=True)  # noqa: SLF001 - above
        best = finder.find_best_candidate(package.name, SpecifierSet(f"=={package.version}")).best_candidate
        if best is None:
            raise SystemExit(f"pip's index has no sources of {package.name} {package.version}.")
        answer = session.get(best.link.url_without_fragment)
        answer.raise_for_status()
        content: bytes = answer.content
        return content
