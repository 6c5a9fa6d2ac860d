"""How long it takes to see that nothing changed: walk and plan, beside `git ls-files` on the same tree.

    python -m benchmarks.walking [DIRECTORY]

Without a directory, 5,000 files in 400 directories under GitHub-like ignore files are made for the purpose. The limit
is 110 ms for 5,000 unchanged files, what ColGREP publishes.
"""

from __future__ import annotations

import gc
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from indexer.changes import plan_changes
from indexer.ignore import parse_rules
from indexer.settings import IndexSettings
from indexer.source import SourceFile
from indexer.walker import walk
from storage.chunk import FileRecord

FILES = 5_000
LIMIT_MS = 110.0
ROUNDS = 15
SETTINGS = IndexSettings()

# Of the same make as GitHub's templates for Python and Node: mostly names and endings, some globs and paths.
IGNORE = """
__pycache__/
*.py[codz]
*$py.class
*.so
.Python
build/
develop-eggs/
dist/
eggs/
/lib64/
parts/
wheels/
share/python-wheels/
*.egg-info/
*.egg
MANIFEST
*.manifest
pip-log.txt
htmlcov/
.coverage.*
nosetests.xml
*.cover
*.mo
docs/_build/
.ipynb_checkpoints
celerybeat-schedule*
*.sage.py
.env
env.bak/
/site
.dmypy.json
logs
*.log
npm-debug.log*
report.[0-9]*.[0-9]*.[0-9]*.[0-9]*.json
lib-cov
.nyc_output
build/Release
node_modules/
*.tsbuildinfo
.env.*
!.env.example
.yarn/*
!.yarn/patches
**/generated/**/*.tmp
"""


def plant(root: Path) -> None:
    """5,000 small files, and as many ignored ones again in build directories."""
    (root / ".gitignore").write_text(IGNORE, encoding="utf-8")
    for index in range(FILES):
        directory = root / f"package{index % 20}" / f"module_{index % 400}"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"some_source_file_{index}.py").write_text(f"x = {index}\n", encoding="utf-8")
        if index % 20 == 0:
            (directory / "build").mkdir(exist_ok=True)
            (directory / ".gitignore").write_text("*.tmp\n/local.cfg\n", encoding="utf-8")
        if (directory / "build").is_dir():
            (directory / "build" / f"{index}.o").touch()
    subprocess.run(["git", "init", "-q", "--template="], cwd=root, check=True)
    subprocess.run(["git", "add", "-A"], cwd=root, check=True)


def milliseconds(action: Callable[[], object], rounds: int = ROUNDS) -> tuple[float, float]:
    """Median and best of ``rounds``."""
    times = []
    for _ in range(rounds):
        gc.collect()
        begin = time.perf_counter()
        action()
        times.append((time.perf_counter() - begin) * 1000)
    return statistics.median(times), min(times)


def known(root: Path) -> dict[str, FileRecord]:
    """What an up-to-date index would hold."""
    return {
        found.path: FileRecord(found.path, found.size, found.mtime_ns, "0" * 32, "python", 1)
        if isinstance(found, SourceFile)
        else FileRecord(found.path, 0, 0, "", "", 0, found.reason)
        for found in walk(root, SETTINGS)
    }


def parse_anew() -> None:
    """Parse the ignore file as the first walk of a process does."""
    parse_rules.cache_clear()
    parse_rules(IGNORE)


def measure(root: Path) -> float:
    """Print the table; returns the median of the whole check in milliseconds."""
    records = known(root)
    git = ["git", "ls-files", "-z", "-co", "--exclude-standard"]
    cold_rules = milliseconds(parse_anew)
    check = milliseconds(lambda: plan_changes(records, walk(root, SETTINGS)))
    peer = milliseconds(lambda: subprocess.run(git, cwd=root, check=True, capture_output=True))
    changes = plan_changes(records, walk(root, SETTINGS))
    assert not changes.to_read
    assert not changes.gone
    print(f"{len(records):,} paths                     median      best")
    print(f"nothing changed (walk + plan)   {check[0]:8.1f}  {check[1]:8.1f} ms   limit {LIMIT_MS:.0f} for 5,000")
    print(f"git ls-files -co, no comparison {peer[0]:8.1f}  {peer[1]:8.1f} ms")
    print(f"parsing an ignore file, cold    {cold_rules[0]:8.1f}  {cold_rules[1]:8.1f} ms")
    return check[0]


def main() -> int:
    if len(sys.argv) > 1:
        measure(Path(sys.argv[1]))
        return 0
    with tempfile.TemporaryDirectory() as directory:
        plant(Path(directory))
        return 0 if measure(Path(directory)) <= LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
