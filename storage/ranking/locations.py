"""Places a query points at: paths, lines, the lines of a stack trace; and how well a file is the one meant. Pure.

src/auth/session.ts        session.ts:42          File "scheduler/worker.py", line 42, in run_job
at Cart.addItem (src/cart/cart.ts:31:9)           at org.example.Invoice.pay(Invoice.java:88)
at Shop.Pay() in /shop/Pay.cs:line 12             no queue in /srv/queue.php on line 7
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile

# A name with one of these endings is a file's even where no folder stands before it.
_ENDINGS = frozenset(
    (  # noqa: SIM905 - as a list it would be eighty lines
        "asm bash bat c cc cfg clj cljs cmake conf cpp cs css csv cxx d dart el elm erl ex exs fish fs go gradle "
        "graphql groovy h hcl hh hpp hrl hs htm html hxx ini ipynb java jl js json jsonc jsx kt kts less lock lua m md "
        "mjs ml mli mm nim nix pas php pl pm proto ps1 py pyi pyx r rake rb rs rst sass scala scss sh sol sql svelte "
        "swift tcl tf toml ts tsx txt v vb vim vue xml yaml yml zig zsh"
    ).split()
)
_RUN = re.compile(r"[\w.@+$~/\\-]+")
MAX_PATH_CHARS = 400
IN_FOLDER = 0.5  # how surely a file of an asked folder is meant
MOST_LOCATIONS = 32  # of a query: a pasted log names hundreds, and each is held against every candidate
_LINE = re.compile(r"""["'`)\]]*(?::(?:line\s+)?|\(|,?(?:\s+on)?\s+lines?\s+|#L)(\d{1,7})""")


@dataclass(frozen=True, slots=True)
class Location:
    """A path as it was asked for, in lower case and by its parts, and the 1-based line, 0 where none was named."""

    parts: tuple[str, ...]
    line: int = 0

    @property
    def is_file(self) -> bool:
        """Whether it has an ending, as files do."""
        return "." in self.parts[-1]


@lru_cache(maxsize=256)
def locations(text: str) -> tuple[Location, ...]:
    """The paths in ``text`` with the lines named behind them, each once, the first MOST_LOCATIONS."""
    found = []
    for run in _RUN.finditer(text):
        if len(run[0]) <= MAX_PATH_CHARS and not run[0].startswith("//") and _is_file(run[0]):
            parts = tuple(part for part in re.split(r"[/\\]", run[0].lower().rstrip(".")) if part.strip("."))
            line = _LINE.match(text, run.end())
            found.append(Location(parts, int(line[1]) if line else 0))
    return tuple(dict.fromkeys(location for location in found if location.parts))[:MOST_LOCATIONS]


def nearness(location: Location, file_path: str) -> float:
    """How surely ``file_path`` is the one meant, 0 to 1: all of either path is 1, one, two, three ends .5, .67, .75.

    Without an ending ("v3/block", but "read/write" as well) at least two ends must agree; a folder's files are .5.
    """
    asked, parts = location.parts, tuple(file_path.lower().split("/"))
    if location.is_file:
        return _agreement(asked, parts)
    called = (*parts[:-1], parts[-1].partition(".")[0])
    if len(asked) > 1 and _ends(asked, called) > 1:
        return _agreement(asked, called)
    return IN_FOLDER if len(asked) > 1 and f"/{'/'.join(asked)}/" in f"/{file_path.lower()}" else 0.0


def _agreement(asked: tuple[str, ...], parts: tuple[str, ...]) -> float:
    ends = _ends(asked, parts)
    whole = ends == min(len(asked), len(parts))
    return 1.0 if asked == parts or (whole and ends > 1) else ends / (ends + 1)


def _ends(asked: tuple[str, ...], parts: tuple[str, ...]) -> int:
    """How many parts agree, counted from the end."""
    pairs = zip(reversed(asked), reversed(parts), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _is_file(run: str) -> bool:
    name, _, ending = run.rstrip(".").lower().rpartition(".")
    return "/" in run or "\\" in run or (name != "" and ending in _ENDINGS)
