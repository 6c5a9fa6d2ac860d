"""``python -m benchmarks.quality NAME ...``: each NAME is a module beside this one."""

from __future__ import annotations

import importlib
import sys

NAMES = ("functions", "compare", "budget", "plots", "ablation", "coverage")


def main() -> None:
    """Run the one that is named."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in NAMES:
        raise SystemExit(f"usage: python -m benchmarks.quality {'|'.join(NAMES)} ...")
    importlib.import_module(f"benchmarks.quality.{name}").main(sys.argv[2:])


if __name__ == "__main__":
    main()
