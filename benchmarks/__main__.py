"""Every benchmark in turn, or the ones named: ``python -m benchmarks [walking chunking ...] [--option ...]``.

Options are for all that are named, in place of those that stand here.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Each is a process of its own: what one loads must not weigh on the next.
BENCHMARKS: dict[str, list[str]] = {
    "walking": [],
    "chunking": [str(ROOT)],
    "embedding": [],
    "footprint": [],
    "mutations": ["--files", "1000"],
    "service": [],
    "lookup": [],
    "shortening": [],
    "storage": ["--chunks", "10000"],
    "ann": ["--rows", "20000"],
    "pipeline": [str(ROOT)],
    "ranking": [],
    "serving": [],
    "attached": [],
    "refining": [],
    "cold": [str(ROOT)],
    "kills": ["--times", "20"],
    "damage": ["--times", "20"],
    "soak": ["--minutes", "3"],
    "freshness": [],
    "governing": [],
    "metrics": [],
    "map": [],
}


def main() -> int:
    """Run them; the worst exit code, since some hold a figure to its limit."""
    names = list(itertools.takewhile(lambda word: not word.startswith("-"), sys.argv[1:]))
    options = sys.argv[1 + len(names) :]
    codes = []
    for name in names or BENCHMARKS:
        print(f"== {name}", flush=True)
        line = [sys.executable, "-m", f"benchmarks.{name}", *(options or BENCHMARKS[name])]
        codes.append(subprocess.run(line, check=False).returncode)
    return max(codes, default=0)


if __name__ == "__main__":
    sys.exit(main())
