"""What a file imports, read off its import lines alone: no language's rules of resolution, and all languages'."""

from __future__ import annotations

import re

MOST_IMPORTS = 400  # of one file: beyond it, a list generated from something else

_LINE = re.compile(
    r"""^[ \t]*
        (?:pub(?:\([a-z]+\))?[ ] | export[ ] | @ | \#[ \t]*
          |(?:local|const|let|var|auto|static|final)[ ][^=\n]*=[ ]*(?:await[ ])?@?)?
        (?:import|from|use|using|require(?:_relative|_once)?|include(?:_once)?|mod)\b([^\n]{1,400})
      |^[ \t]*(?:\}|export\b[^\n;]{0,200}?)[ ]from\b([^\n]{1,400})""",
    re.MULTILINE | re.VERBOSE,
)
_PATH = re.compile(r"[A-Za-z_]\w*(?:[.:/\\-]+[A-Za-z_]\w*)*")
_PART = re.compile(r"[A-Za-z_]\w*")


def imported_paths(text: str) -> list[tuple[str, ...]]:
    """The module paths on a file's import lines, each in its parts; what else stands there is among them."""
    found: dict[tuple[str, ...], None] = {}
    for line in _LINE.finditer(text):
        for path in _PATH.findall(line[1] or line[2]):
            found[tuple(_PART.findall(path))] = None
    return list(found)[:MOST_IMPORTS]
