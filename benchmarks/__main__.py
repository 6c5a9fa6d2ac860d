"""Every benchmark in turn, or the ones named: ``python -m benchmarks [walking chunking ...]``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Each is a process of its own: what one loads must not weigh on the next.
BENCHMARKS: dict[str, list[str]] = {
    "walking": [],
    "chunking": [str(ROOT)],
    "embedding": [],
    "storage": ["--chunks", "10000"],
    "ann": ["--rows", "20000"],
    "pipeline": [str(ROOT)],
    "ranking": [],
    "serving": [],
    "kills": ["--times", "20"],
    "damage": ["--times", "20"],
    "freshness": [],
}


def main() -> int:
    """Run them; the worst exit code, since some hold a figure to its limit."""
    codes = []
    for name in sys.argv[1:] or BENCHMARKS:
        print(f"== {name}", flush=True)
        codes.append(
            subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *BENCHMARKS[name]], check=False).returncode
        )
    return max(codes, default=0)


if __name__ == "__main__":
    sys.exit(main())
