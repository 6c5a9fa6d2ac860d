"""Bytes into text: byte order marks, binary content, UTF-8, and the encodings that came before it. Pure."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from indexer.source import SkipReason

_SAMPLE = 8_000  # bytes that decide whether a file is binary; git looks at as many

# UTF-32 first: its little-endian mark begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BINARY_BEGINNINGS = (b"%PDF-",)  # long readable heads
# Tab, line feed, form feed, carriage return, backspace, vertical tab, escape and DOS's end of file occur in texts.
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\f\r\b\v\x1b\x1a")) + b"\x7f"
_MAX_CONTROL_SHARE = 0.05  # compressed or encrypted bytes have .10, texts none

_DECLARATION = re.compile(rb"(?:coding|charset)\s*[:=]?\s*[\"']?([-\w.]{2,30})", re.IGNORECASE)
_DECLARATION_WITHIN = 1_024  # bytes, what the HTML standard asks a reader to look through
# Python's names of encodings a source file may declare. Not punycode, idna, utf_7 and their kin: some are quadratic.
_DECLARABLE = re.compile(r"cp\d+|iso8859-\d+|koi8[-_]\w|euc_\w+|shift_jis\w*|gb\w+|big5\w*|mac-\w+|tis-620|hz|johab")

# What old sources really are in. Left to choose among all it knows, charset-normalizer names exotic ones for short
# texts (hp_roman8 for "Größe") and takes ten times as long.
_GUESSES = ["cp1252", "cp1250", "cp1251", "koi8_r", "cp866", "cp1253", "cp1254", "cp1255", "cp1256", "iso8859_2",
            "cp932", "euc_jp", "gb18030", "big5", "cp949"]  # fmt: skip
_GUESS_SAMPLE = 4_096  # bytes of lines that are not ASCII
# With fewer bytes that are not ASCII a guess is a coin toss, and western Europe the likeliest ("// auteur: René").
_GUESS_FROM = 12
_FALLBACK = "cp1252"


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text and Python's name of the codec it was in."""

    text: str
    encoding: str


def decode(data: bytes) -> Decoded | SkipReason:
    """The text in ``data``, line ends and NULs as they are; BINARY or UNDECODABLE where there is none."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _forgiving(data, encoding) or SkipReason.BINARY
    unmarked = _unmarked_utf16(data)
    if unmarked:
        return unmarked
    if _is_binary(data):
        return SkipReason.BINARY
    return (
        _strict(data, "utf-8")
        or _declared(data)
        or _forgiving(data, "utf-8")
        or _guessed(data)
        or _strict(data, _FALLBACK)
        or _mostly_ascii(data)
        or SkipReason.UNDECODABLE
    )


def _is_binary(data: bytes) -> bool:
    sample = data[:_SAMPLE]
    if 0 in sample or sample.startswith(_BINARY_BEGINNINGS):
        return True
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    return controls > _MAX_CONTROL_SHARE * len(sample)


def _unmarked_utf16(data: bytes) -> Decoded | None:
    """UTF-16 without its mark, as some Windows tools write: every other byte of mostly western text is NUL."""
    sample = data[:_SAMPLE]
    half = len(sample) // 2
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if half < 8 or max(even, odd) < 0.5 * half or min(even, odd) > 0.02 * half:
        return None
    decoded = _strict(data, "utf-16-le" if odd > even else "utf-16-be")
    return None if decoded is None or _is_binary(decoded.text[:_SAMPLE].encode()) else decoded


def _strict(data: bytes, encoding: str) -> Decoded | None:
    try:
        return Decoded(data.decode(encoding), encoding)
    except UnicodeDecodeError:
        return None


def _forgiving(data: bytes, encoding: str) -> Decoded | None:
    """The text with replacement characters, where they are few: a stray byte should not hide a file."""
    text = data.decode(encoding, "replace")
    broken = text.count("\ufffd")
    foreign = len(text) if encoding.startswith("utf-16") else sum(not character.isascii() for character in text)
    return Decoded(text, encoding) if broken == 0 or broken * 10 <= foreign - broken else None


def _mostly_ascii(data: bytes) -> Decoded | None:
    """Source with some bytes of no known meaning in it, a test's fixture say: the rest can be found."""
    text = data.decode("ascii", "replace")
    return Decoded(text, "ascii") if text.count("\ufffd") * 50 <= len(text) else None


def _declared(data: bytes) -> Decoded | None:
    """What the file says of itself: PEP 263, Emacs, Vim, XML, HTML, CSS."""
    declaration = _DECLARATION.search(data[:_DECLARATION_WITHIN])
    if declaration is None:
        return None
    try:
        encoding = codecs.lookup(declaration[1].decode()).name
    except (LookupError, UnicodeDecodeError):
        return None
    return _strict(data, encoding) if _DECLARABLE.fullmatch(encoding) else None


def _guessed(data: bytes) -> Decoded | None:
    """By the letters' frequencies in lines that are not ASCII."""
    sample = b"\n".join(line for line in data.splitlines() if not line.isascii())[:_GUESS_SAMPLE]
    if sum(byte >= 0x80 for byte in sample) < _GUESS_FROM:
        return None
    from charset_normalizer import from_bytes  # 80 ms

    matches = from_bytes(sample, cp_isolation=_GUESSES, enable_fallback=False)
    best = matches.best()
    if best is None:
        return None
    equals = [match for match in matches if (match.chaos, match.coherence) == (best.chaos, best.coherence)]
    names = [name for match in equals for name in match.could_be_from_charset]
    return _strict(data, _FALLBACK if _FALLBACK in names else best.encoding)
