"""Where one server, or several that share, keep what they know: a home of their own in a scratch directory."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HARBOUR = Path(__file__).parent / "harbour"
FILES = sum(path.is_file() for path in HARBOUR.rglob("*"))  # of the invented project
NOT_INHERITED = ("CODELOUPE_", "CLAUDE_", "STORAGE_BACKEND", "PYTHONPATH", "PYTHONHOME", "XDG_")

MODULE = (sys.executable, "-P", "-m", "mcp_server.cli")


def script() -> tuple[str, ...]:
    """The installed console command, of the interpreter that runs the tests."""
    found = shutil.which("codeloupe", path=str(Path(sys.executable).parent))
    assert found, "the console script is not installed beside this Python; run make test"
    return (found,)


@dataclass(frozen=True, slots=True)
class Home:
    """A user's directories, and where the model files are (shared by all tests: they are obtained once)."""

    directory: Path
    models: Path
    cache: Path | None = None  # the vector cache, where it is shared with another home

    def environment(self, **settings: str) -> dict[str, str]:
        """An environment in which nothing outside this home is read or written, but the models."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
        own = {
            "HOME": self.directory / "home",
            "XDG_DATA_HOME": self.directory / "data",
            "XDG_CONFIG_HOME": self.directory / "config",
            "XDG_CACHE_HOME": self.cache or self.directory / "cache",
            "CODELOUPE_STORAGE_DIRECTORY": self.directory / "indexes",
            "CODELOUPE_MODEL_DIRECTORY": self.models,
            "CODELOUPE_MODEL_LINGER_S": "0.5",  # many tests wait for the end of everybody
            # On a loaded machine the default of five seconds would end some waits that these tests rely on.
            "CODELOUPE_SEARCH_FIRST_ANSWER_WAIT_S": "60",
            "CODELOUPE_SEARCH_MODEL_WAIT_S": "60",
        }
        (self.directory / "home").mkdir(parents=True, exist_ok=True)
        return inherited | {name: str(path) for name, path in own.items()} | settings


@dataclass(frozen=True, slots=True)
class Launch:
    """How a server is started."""

    home: Home
    roots: tuple[Path, ...]
    command: Sequence[str] = MODULE
    settings: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None

    @property
    def line(self) -> list[str]:
        """The command line."""
        named = [part for root in self.roots for part in ("--root", str(root))]
        return [*self.command, "serve", *named]

    @property
    def environment(self) -> dict[str, str]:
        """The environment."""
        return self.home.environment(**self.settings)

    @property
    def directory(self) -> Path:
        """The working directory: one with nothing in it, unless a test says otherwise."""
        return self.cwd or self.home.directory


def plant(directory: Path) -> Path:
    """A copy of the invented project, with a file that its .gitignore hides."""
    shutil.copytree(HARBOUR, directory)
    (directory / "out").mkdir()
    (directory / "out" / "generated.py").write_text("def never_to_be_found():\n    return 1\n", encoding="utf-8")
    return directory


def plant_forest(directory: Path, files: int) -> Path:
    """So many modules of one small function each: as many chunks, all different, each soon embedded."""
    for number in range(files):
        path = directory / f"block{number % 7}" / f"vessel_{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(MODULE_TEXT.format(goods=GOODS[number % 7], number=number), encoding="utf-8")
    return directory


GOODS = ("grain", "timber", "spices", "machines", "oranges", "steel", "paper")
MODULE_TEXT = """\
def unload_{goods}_{number}(hold):
    return hold.lift("{goods}", {number})
"""
