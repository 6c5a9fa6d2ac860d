"""Draws the pictures of docs/how-it-works.md: ``python -m tests.setup.pictures``, or ``make docs``."""

from __future__ import annotations

import math
from pathlib import Path

from embedding.governor import LADDER
from tests.setup.drawing import Box, Drawing

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
WIDTH = 760.0
Point = tuple[float, float]


def pictures() -> dict[Path, str]:
    """Every picture, by where it belongs."""
    drawn = {
        "tiers": tiers(),
        "processes": processes(),
        "search": search(),
        "refinement": refinement(),
        "ladder": ladder(),
    }
    return {PICTURES / f"{name}.svg": drawing.svg() for name, drawing in drawn.items()}


def tiers() -> Drawing:
    """From a file to three ways of finding it."""
    drawing = Drawing(
        WIDTH,
        330,
        "Three tiers, one index",
        "A file is cut into chunks. Each chunk can be found in three ways: by its words (text, milliseconds "
        "a file), by a rough meaning from a table of word vectors (sketch, under a millisecond a chunk), and by its "
        "meaning from the model (vector, ten milliseconds to seconds a chunk). A search orders what all have found.",
    )
    drawing.words(24, 34, "Three tiers, one index", "head", "ink")
    file = drawing.box(Box(20, 148, 88, 56, ["a file", "as git sees it"]))
    chunks = drawing.box(Box(132, 140, 116, 72, ["chunks", "functions,", "classes, sections"]))
    drawing.arrow(file.right, chunks.left)
    answer = drawing.box(Box(644, 148, 96, 56, ["one order", "of all three"]))
    rows = [
        ("text", ["text", "parts of names, words, paths, what is defined", "milliseconds a file: at once"]),
        ("sketch", ["sketch", "a table of word vectors, summed", "under 1 ms a chunk: at once"]),
        ("vector", ["vector", "the model reads the chunk", "10 ms to seconds a chunk: in the background"]),
    ]
    for number, (colour, lines) in enumerate(rows):
        tier = drawing.box(Box(288, 62 + number * 80, 316, 66, lines, colour))
        drawing.arrow(chunks.right, (268, chunks.right[1]), (268, tier.left[1]), tier.left, colour=f"{colour}-line")
        drawing.arrow(tier.right, (624, tier.right[1]), (624, answer.left[1]), answer.left, colour=f"{colour}-line")
    drawing.words(
        24, 316, "A tier is whole or missing for a chunk. A search takes what is there, and says what is missing."
    )
    return drawing


def processes() -> Drawing:
    """Who runs, and who talks to whom."""
    drawing = Drawing(
        WIDTH,
        392,
        "Processes",
        "Each editor or agent starts a server and speaks MCP with it over standard input and output. One server of a "
        "directory has an indexing child, which writes the index; all of them read it. All servers and "
        "indexing children of a user share one embedding service, which runs the model in child processes: one for "
        "queries, some for documents.",
    )
    drawing.words(24, 34, "Processes", "head", "ink")
    servers = []
    for number, client in enumerate(("an editor", "an agent")):
        y = 60 + number * 92
        asks = drawing.box(Box(24, y, 108, 56, [client, "MCP client"]))
        serves = drawing.box(Box(214, y, 150, 56, ["server", "answers, reads"]))
        drawing.arrow(asks.right, serves.left, both=True)
        servers.append(serves)
    drawing.words(173, 80, "stdio", anchor="middle")
    indexer = drawing.box(Box(214, 244, 150, 56, ["indexing child", "walks, cuts, writes"]))
    drawing.arrow(servers[1].bottom, indexer.top)
    drawing.words(296, 228, "JSON lines")
    service = drawing.box(Box(440, 106, 156, 74, ["embedding service", "one for a user", "and model"], "vector"))
    drawing.words(400, 80, "socket", anchor="middle")
    for asker, height in ((servers[0], 124), (servers[1], 143), (indexer, 162)):
        x = 418 if asker is indexer else 400
        drawing.arrow(asker.right, (x, asker.right[1]), (x, height), (service.x, height), colour="vector-line")
    for number, name in enumerate(("for queries", "for documents", "for documents")):
        child = drawing.box(Box(640, 60 + number * 62, 104, 46, ["llama.cpp", name], "vector"))
        drawing.arrow(service.right, (618, service.right[1]), (618, child.left[1]), child.left, colour="vector-line")
    kept = drawing.box(Box(214, 322, 150, 46, ["index on disk", "one for a directory"], "text"))
    cache = drawing.box(Box(440, 322, 156, 46, ["cache of vectors", "one for a user"], "sketch"))
    drawing.arrow(indexer.bottom, kept.top, colour="text-line")
    drawing.arrow((indexer.right[0], 286), (518, 286), cache.top, colour="sketch-line", both=True)
    for number, reader in enumerate(servers):
        x = 186 - number * 16
        drawing.arrow(
            kept.left, (x, kept.left[1]), (x, reader.left[1] + 16), (reader.x, reader.left[1] + 16), colour="text-line"
        )
    drawing.words(24, 349, "servers read what is", colour="soft")
    drawing.words(24, 365, "written, as it is written", colour="soft")
    return drawing


def search() -> Drawing:
    """A question's way to its answer."""
    drawing = Drawing(
        WIDTH,
        372,
        "A search's way",
        "A question is read for words, names, paths and quotations, and gets a sketch and a vector. Four looks into "
        "the index bring candidates: by text, by sketch, by vector, by defined names. One sum of signals, lowered for "
        "tests and generated code, orders them. The best evidence is written until the tokens are used up, and the "
        "last line says how fresh and complete the index is.",
    )
    drawing.words(24, 34, "A search's way", "head", "ink")
    query = drawing.box(Box(20, 150, 154, 76, ["a question", "words, a name, a path,", "an error, a quotation"]))
    legs = [
        ("text", ["text", "BM25 over words"]),
        ("sketch", ["sketch", "rough meaning"]),
        ("vector", ["vector", "meaning, by the model"]),
        ("plain", ["names", "where one is defined"]),
    ]
    ranks = drawing.box(
        Box(410, 142, 134, 92, ["one order", "what speaks for it,", "its file and folder;", "tests come behind"])
    )
    for number, (colour, lines) in enumerate(legs):
        leg = drawing.box(Box(214, 58 + number * 68, 150, 52, lines, colour))
        line = f"{colour}-line" if colour != "plain" else "soft"
        drawing.arrow(query.right, (194, query.right[1]), (194, leg.left[1]), leg.left, colour=line)
        drawing.arrow(leg.right, (387, leg.right[1]), (387, ranks.left[1]), ranks.left, colour=line)
    evidence = drawing.box(
        Box(562, 84, 180, 76, ["evidence", "signatures and telling lines,", "whole chunks while they fit"])
    )
    answer = drawing.box(Box(562, 216, 180, 76, ["the answer", "places, lines; what was left", "out; how fresh it is"]))
    drawing.arrow(ranks.right, (553, ranks.right[1]), (553, evidence.left[1]), evidence.left)
    drawing.arrow(evidence.bottom, answer.top)
    drawing.words(660, 192, "max_tokens")
    drawing.words(
        24, 350, "The best 100 chunks that have no vector yet are told to the indexing child: they get theirs next."
    )
    return drawing


# benchmarks.pipeline on gin, 1,775 chunks (docs/benchmarks.md): seconds from nothing.
TEXT_S, MERGED_S, ALL_S = 0.49, 0.58, 45.5


def refinement() -> Drawing:
    """What can be found when, of a project that was never indexed."""
    drawing = Drawing(
        WIDTH,
        330,
        "Instant, then better",
        "Time since the first search of a project of 1,775 chunks, on a logarithmic scale. After half a second all "
        "text and all sketches can be searched. Vectors grow from nothing to all of the chunks within 45 seconds.",
    )
    drawing.words(24, 34, "Instant, then better", "head", "ink")
    left, right, top, bottom = 76.0, 716.0, 66.0, 258.0

    def at(seconds: float, share: float) -> Point:
        x = left + (right - left) * (math.log10(seconds) + 1) / (math.log10(100) + 1)
        return x, bottom - (bottom - top) * share

    for share, name in ((0, "0 %"), (0.5, "50 %"), (1, "100 %")):
        drawing.line([at(0.1, share), at(100, share)], "frame")
        drawing.words(left - 10, at(0.1, share)[1] + 4, name, anchor="end")
    for seconds, name in ((0.1, ".1 s"), (1, "1 s"), (10, "10 s"), (100, "100 s")):
        drawing.words(at(seconds, 0)[0], bottom + 20, name, anchor="middle")
    grown = [at(MERGED_S + (ALL_S - MERGED_S) * step / 60, step / 60) for step in range(61)]
    drawing.area([*grown, at(100, 1), at(100, 0), at(MERGED_S, 0)], "vector")
    drawing.line([*grown, at(100, 1)], "vector-line")
    drawing.line([at(0.1, 0), at(TEXT_S, 0), at(TEXT_S, 1), at(100, 1)], "text-line")
    drawing.words(at(TEXT_S, 1)[0] + 10, 88, "words and sketches: all, after .5 s", "label", "text-line")
    drawing.words(at(9, 0)[0], 240, "vectors: in the background", "label", "vector-line")
    drawing.words(
        24, 308, "gin, 1,775 chunks, two cores, all-MiniLM-L6-v2; share of the chunks that can be found so, over time."
    )
    return drawing


def ladder() -> Drawing:
    """How many children may embed documents at which pressure; drawn from the governor's own table."""
    steps = [(rung.from_pressure, rung.children if rung is not LADDER[-1] else 0) for rung in LADDER]
    named = ", ".join(f"{children or 'none'} from {share:.0%}" for share, children in steps)
    drawing = Drawing(
        WIDTH,
        320,
        "The governor's ladder",
        f"How many processes may embed documents at which pressure of memory: {named}. Queries are answered all along.",
    )
    drawing.words(24, 34, "The governor's ladder", "head", "ink")
    left, right, top, bottom = 44.0, 716.0, 92.0, 252.0

    def at(share: float, children: float) -> Point:
        return left + (right - left) * share, bottom - (bottom - top) * children / LADDER[0].children

    way: list[Point] = []
    for (start, children), (end, _) in zip(steps, [*steps[1:], (1.0, 0)], strict=True):
        way += [at(start, children), at(end, children)]
    drawing.area([*way, at(1, 0), at(0, 0)], "sketch")
    drawing.line([at(0, 0), at(1, 0)], "frame")
    drawing.line(way, "sketch-line")
    for (start, children), rung in zip(steps, LADDER, strict=True):
        x, y = at(start, children)
        drawing.words(x, bottom + 20, f"{start * 100:.0f} %", anchor="middle")
        for line, told in enumerate([f"{rung.level}: {children}"] if children else ["paused", "critical:"]):
            drawing.words(x + 6, y - 8 - 16 * line, told, "label", "ink")
    drawing.words(right, bottom + 20, "100 %", anchor="end")
    drawing.words(24, 56, "processes that embed documents, and from which pressure of memory")
    drawing.words(
        24,
        298,
        "pressure: the largest of what is used of each limit, of memory.budget, and of stalls that the kernel reports",
    )
    return drawing


if __name__ == "__main__":
    for path, text in pictures().items():
        path.write_text(text, encoding="utf-8", newline="\n")
