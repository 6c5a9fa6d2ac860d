"""Functions as they are declared and as they are called: the name in a signature, the shape of a call. Pure.

No parser: signatures come from any language, and calls from a few lines of a file.
"""

from __future__ import annotations

import re

from mcp_server.errors import RequestError

MOST_CALL_CHARS = 2_000  # a call that is longer has no shape worth showing
MOST_LINE_CHARS = 500  # a definition is written in fewer; a line of 16,000 made to be slow took 22 s
MOST_SIGNATURE_CHARS = 4_000  # the patterns below look again from each letter, and 40,000 took 17 s

_LEADING = re.compile(r"^(?:\s*(?:@|#\[|\[\[)[^\n]*\n)+")  # decorators and attributes on lines of their own
_GO_RECEIVER = re.compile(r"\bfunc\s*\([^()]*\)\s*")
_DECLARED = re.compile(r"([^\W\d][\w$]*(?:(?:\.|::|#|/|:)[^\W\d][\w$]*)*[!?]?)\s*(?:<[^()]*>|\[[^()]*\])?\s*\(")
_ARROW = re.compile(r"\b(?:const|let|var|val)\s+([\w$]+)\s*(?::[^=]+)?=")
_SEPARATOR = re.compile(r"::|[.#/:]")
_NAMED = re.compile(r"^\s*([^\W\d]\w*)\s*(?:=(?!=)|:(?!:))")  # "strict=True"; "strict: true"
_DECLARING = "def|defp|func|fn|fun|function|sub|proc|void|public|private|protected|static"
_KEYWORDS = frozenset({"def", "func", "fn", "fun", "function", "sub", "if", "while", "for", "return", "lambda"})
_OPEN, _CLOSE, _QUOTES = "([{", ")]}", "\"'`"


def function_name(signature: str) -> str:
    """The name that a signature declares, as a name path: "Class/method" where it is qualified.

    Raises RequestError where there is none.
    """
    text = _GO_RECEIVER.sub("func ", _LEADING.sub("", signature.strip()[:MOST_SIGNATURE_CHARS] + "\n")).strip()
    declared = _ARROW.search(text) or next((one for one in _DECLARED.finditer(text) if one[1] not in _KEYWORDS), None)
    name = declared[1] if declared else text.split()[-1] if text and "(" not in text else ""
    parts = [part for part in _SEPARATOR.split(name) if part]
    if not parts or not re.search(r"\w", parts[-1]) or parts[-1] in _KEYWORDS:
        raise RequestError(
            f"No function's name is in {signature.strip()[:80]!r}; give a signature such as 'load(path)'."
        )
    return "/".join(parts)


def declares(line: str, name: str) -> bool:
    """Whether a line looks like the definition of ``name`` rather than a call of it, by its first letters."""
    pattern = rf"\b(?:{_DECLARING})\b[^=]*(?<![\w$]){re.escape(name)}\s*(?:<[^()]*>)?\("
    return re.search(pattern, line[:MOST_LINE_CHARS]) is not None


def call_shape(text: str, name: str) -> str:
    """How ``text`` calls ``name``: ``load(…, strict=…)``; the bare name where it is used without being called."""
    found = re.search(rf"(?<![\w$]){re.escape(name)}\s*(?:<[^()]*?>)?\(", text)
    if found is None:
        return name
    arguments = _arguments(text[found.end() : found.end() + MOST_CALL_CHARS])
    return f"{name}(…)" if arguments is None else f"{name}({', '.join(map(_written, arguments))})"


def _written(argument: str) -> str:
    """An argument without its value; what spreads a sequence or a mapping is kept as that."""
    named = _NAMED.match(argument)
    spread = re.match(r"\s*(\*\*?|\.\.\.)", argument)
    return f"{named[1]}=…" if named else f"{spread[1]}…" if spread else "…"


def _arguments(text: str) -> list[str] | None:
    """What stands between an opening bracket and its closing one, cut at the commas of that level.

    None where it does not close within ``text``.
    """
    found, depth, begin, position = [], 0, 0, 0
    while position < len(text):
        letter = text[position]
        if letter in _QUOTES:
            position = _behind_quoted(text, position)
            continue
        if letter in _CLOSE and depth == 0:
            found.append(text[begin:position])
            return [one for one in found if one.strip()]
        if letter == "," and depth == 0:
            found.append(text[begin:position])
            begin = position + 1
        depth += (letter in _OPEN) - (letter in _CLOSE)
        position += 1
    return None


def _behind_quoted(text: str, position: int) -> int:
    """The position behind the quoted text that begins here; one more, where it does not end, on its line.

    So the apostrophe of a comment or of a lifetime costs one line's commas at most.
    """
    quote = text[position]
    triple = text.startswith(quote * 3, position)
    ending = quote * 3 if triple else quote
    end = position + len(ending)
    while end < len(text) and not text.startswith(ending, end):
        if text[end] == "\n" and not triple and quote != "`":
            return position + 1
        end += 2 if text[end] == "\\" else 1
    return end + len(ending) if end < len(text) else position + 1
