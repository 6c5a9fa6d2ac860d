"""The governor at work: neighbours fill memory to its limit and leave again, and the model steps aside and comes back.

    python -m benchmarks.governing [--model FILE] [--limit 2GB] [--plot FILE.png] [--json FILE]
    python -m benchmarks.governing --simulate [--plot FILE.png]

In a control group with a hard limit run an embedding service that has more to embed than it can, a query every second,
and a neighbour whose private memory grows and shrinks (governing_moments.py). Every half second it is written down what
was decided, what runs and what is used. What must hold: the limit is never hit, every level is seen, documents pause
and the model leaves while it is critical, and in the end all children are back. Exit code 1 where one does not.

``--simulate``, and where no such group can be made, the same without processes: the decisions are the real ones, memory
is arithmetic (the 7B model on 16 GB).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

from benchmarks.governing_moments import CHILDREN, Moment
from embedding.governor import LADDER
from embedding.machine.budget import Budget, in_words


def changes(moments: Iterable[Moment]) -> Iterator[Moment]:
    """Those at which something was decided anew, or children came or went."""
    before = None
    for moment in moments:
        now = (moment.level, moment.allowed, moment.running, moment.loaded)
        if now != before:
            yield moment
        before = now


def show(moments: Sequence[Moment]) -> None:
    """The table, and the sums below it."""
    print("    s  level     allowed  running  neighbours      own     used  of limit  why")
    for moment in changes(moments):
        words = "unloaded" if not moment.loaded else f"{moment.running}"
        print(
            f"{moment.at_s:5.1f}  {moment.level:8}  {moment.allowed or 'paused':>7}  {words:>7}  "
            f"{in_words(moment.neighbours):>10} {in_words(moment.own):>8} {in_words(moment.used):>8}  "
            f"{moment.used / moment.limit:8.0%}  {moment.why}"
        )
    last = moments[-1]
    ungoverned = max(moment.neighbours for moment in moments) + max(moment.own for moment in moments)
    print(
        f"peak {max(moment.used for moment in moments) / last.limit:.0%} of {in_words(last.limit)}, limit hit "
        f"{last.limit_hits} times; without a governor it would have been {ungoverned / last.limit:.0%}\n"
        f"{last.texts} texts embedded; {last.queries} queries answered, {last.failed_queries} refused with a reason"
    )


def faults(moments: Sequence[Moment]) -> list[str]:
    """What did not hold, in words."""
    levels = {moment.level for moment in moments}
    held = {
        "the limit was hit": moments[-1].limit_hits == 0,
        f"not every level was seen, only {', '.join(sorted(levels))}": levels == {str(rung.level) for rung in LADDER},
        "documents were never paused": any(moment.level == "critical" and not moment.running for moment in moments),
        "the model was never unloaded": any(moment.unload and not moment.loaded for moment in moments),
        "a child ran while the model was to be unloaded": _quiet_once_unloaded(moments),
        "not all children came back": moments[-1].running == moments[-1].allowed == CHILDREN,
    }
    return [fault for fault, holds in held.items() if not holds]


def _quiet_once_unloaded(moments: Sequence[Moment]) -> bool:
    """Nothing runs at the second moment of an unloading and later: the first may be the very one that ends it."""
    pairs = pairwise(moments)
    return not any(before.unload and now.unload and now.loaded for before, now in pairs)


def measured(arguments: argparse.Namespace) -> list[Moment]:
    """In a real group where one can be made, else by arithmetic."""
    from benchmarks.governing_live import live
    from benchmarks.governing_simulated import simulated
    from benchmarks.limited_group import NoGroupError

    if not arguments.simulate:
        try:
            return live(Path(arguments.model), Budget.parse(arguments.limit).fixed_bytes)
        except NoGroupError as reason:
            print(f"No control group with a limit can be made here ({reason}); simulated instead.")
    return simulated()


def main() -> int:
    """Measure, show, draw; 1 where something did not hold."""
    from benchmarks.governing_live import usual_model

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulate", action="store_true")
    parser.add_argument("--model", default=str(usual_model()))
    parser.add_argument("--limit", default="2GB")
    parser.add_argument("--plot")
    parser.add_argument("--json")
    arguments = parser.parse_args()
    moments = measured(arguments)
    show(moments)
    if arguments.json:
        Path(arguments.json).write_text(json.dumps([asdict(moment) for moment in moments]), "utf-8")
    if arguments.plot:
        from benchmarks.governing_picture import draw

        draw(moments, Path(arguments.plot))
    for fault in faults(moments):
        print(f"NOT HELD: {fault}")
    return 1 if faults(moments) else 0


if __name__ == "__main__":
    sys.exit(main())
