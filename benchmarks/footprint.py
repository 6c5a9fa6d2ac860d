"""Private memory of a child, estimated before loading and measured after a full batch.

    python -m benchmarks.footprint [MODEL.gguf ...] [--batch 32 64 128 256]

Fails where an estimate is below what was measured, or a quarter above it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import platformdirs
import psutil

from embedding.files.footprint import estimate
from embedding.gguf import complete_spec, read_header
from embedding.model import DEFAULT_MODEL, spec_for
from embedding.process import Child
from embedding.sources import locate
from embedding.wire import Load, texts_frame

PATIENCE_S = 600.0
MOST_ABOVE = 1.25


def measured(load: Load) -> int:
    """Bytes a child has for itself after it has read about a window of text."""
    child = Child(load)
    try:
        child.ask(texts_frame("document", ["the quick brown fox jumps " * (load.window // 10)]), PATIENCE_S)
        usage = psutil.Process(child.pid).memory_info()
        return int(usage.rss - getattr(usage, "shared", 0))
    finally:
        child.close()


def compare(path: Path, batch: int) -> float:
    """Print a row; returns the estimate as a multiple of what was measured."""
    header = read_header(path)
    spec = complete_spec(spec_for(str(path)), header, path)
    pooling, window = str(spec.pooling), min(spec.window, 512)
    load = Load(str(path), spec.dim, pooling, window, spec.add_eos, spec.repack, 1, 0, "", "", batch)
    said, found = estimate(header, window, batch).private_bytes, measured(load)
    print(f"{path.name:32} {batch:6} {said / 1e6:10.0f} {found / 1e6:10.0f} {said / found:8.2f}", flush=True)
    return said / found


def default_model() -> Path:
    directory = Path(platformdirs.user_data_dir("codeloupe", appauthor=False)) / "models"
    path = locate(spec_for(DEFAULT_MODEL), directory)
    if path is None:
        raise SystemExit("The default model is not here; run 'codeloupe models pull' first.")
    return path


def main() -> int:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("models", nargs="*", type=Path)
    parser.add_argument("--batch", nargs="*", type=int, default=[256])
    chosen = parser.parse_args()
    print("model                             batch  estimated   measured  (MB, private)")
    ratios = [compare(path, batch) for path in chosen.models or [default_model()] for batch in chosen.batch]
    return 0 if all(1 <= ratio <= MOST_ABOVE for ratio in ratios) else 1


if __name__ == "__main__":
    sys.exit(main())
