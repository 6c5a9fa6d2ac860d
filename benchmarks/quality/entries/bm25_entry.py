"""Plain BM25 (the bm25s library) over windows of 50 lines, the usual baseline: no structure, no splitting of names.

PEER/bin/python -P bm25_entry.py < asked.json
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import bm25s  # type: ignore[import-not-found]  # lives in the peer's environment

LINES = 50
MAX_BYTES = 1_000_000  # larger files are data more often than code


def windows(root: Path) -> list[tuple[str, int, int, str]]:
    """Path, first and last line, text of each window of each file that is text."""
    found = []
    for path in sorted(root.rglob("*")):
        if not path.is_file() or ".git" in path.parts or path.stat().st_size > MAX_BYTES:
            continue
        raw = path.read_bytes()
        if b"\0" in raw:
            continue
        lines = raw.decode("utf-8", "replace").splitlines()
        for first in range(0, len(lines), LINES):
            text = "\n".join(lines[first : first + LINES])
            found.append((path.relative_to(root).as_posix(), first + 1, min(first + LINES, len(lines)), text))
    return found


def main() -> None:
    asked = json.load(sys.stdin)
    rows = windows(Path(asked["root"]))
    index = bm25s.BM25()
    index.index(bm25s.tokenize([row[3] for row in rows], stopwords="en", show_progress=False), show_progress=False)
    for query, most in asked["asked"]:
        began = time.perf_counter()
        terms = bm25s.tokenize(query, stopwords="en", show_progress=False)
        best, scores = index.retrieve(terms, k=min(most, len(rows)), show_progress=False)
        milliseconds = (time.perf_counter() - began) * 1000
        hits = [
            dict(zip(("file_path", "start_line", "end_line", "shown"), rows[row], strict=True))
            for row, score in zip(best[0].tolist(), scores[0].tolist(), strict=True)
            if score > 0
        ]
        print(json.dumps({"hits": hits, "milliseconds": milliseconds}))


if __name__ == "__main__":
    main()
