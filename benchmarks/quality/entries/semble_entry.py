"""semble in one process, its own interpreter: an index in memory, then question after question.

    PEER/bin/python -P semble_entry.py MODEL [ALPHA] < asked.json

ALPHA is semble's own: the share of its vectors, 0 for words and structure alone, absent for its own choice.
"""

from __future__ import annotations

import json
import sys
import time

from semble import SembleIndex  # type: ignore[import-not-found]  # lives in the peer's environment

SNIPPET_LINES = 10  # what its MCP server shows of a hit unless told otherwise


def main() -> None:
    asked = json.load(sys.stdin)
    alpha = float(sys.argv[2]) if len(sys.argv) > 2 else None
    index = SembleIndex.from_path(asked["root"], model_path=sys.argv[1])
    for query, most in asked["asked"]:
        began = time.perf_counter()
        found = index.search(query, top_k=most, alpha=alpha)
        milliseconds = (time.perf_counter() - began) * 1000
        hits = [
            {
                "file_path": one.chunk.file_path,
                "start_line": one.chunk.start_line,
                "end_line": one.chunk.end_line,
                "shown": "\n".join(one.chunk.content.splitlines()[:SNIPPET_LINES]),
            }
            for one in found
        ]
        print(json.dumps({"hits": hits, "milliseconds": milliseconds}))


if __name__ == "__main__":
    main()
