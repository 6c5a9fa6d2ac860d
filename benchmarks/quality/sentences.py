"""From a comment or a docstring to the one sentence that somebody might ask: pure text."""

from __future__ import annotations

import re

MIN_WORDS = 4  # "Returns the value" asks for anything
MAX_WORDS = 40  # what is longer is a paragraph without full stops
_LETTERS = 0.75  # least share of letters and spaces: the rest are formulas and tables

_MARKS = re.compile(r"^\s*(?:/\*[*!]*<?|\*+/|///?!?<?|//!|\*(?!\*)|#+)?[ \t]?|\s*\*+/\s*$")
_OPENING = re.compile(r"^[@\\](?:brief|desc|description|summary|details)\b\s*")
# Tags of one line that may stand above the description.
_ABOVE = re.compile(
    r"^[@\\](?:function|fn|method|ingroup|private|public|protected|internal|static|override|async|memberof|name|alias|"
    r"virtual|inheritdoc|api|since|export|final|hidden|kind|classdesc|readonly|package|nocollapse)\b|^-{3,}|^={3,}|^<p>$"
)
_STOP = re.compile(r"^(?:[@\\:]\w|```|>>>|\.\. |Args?:|Parameters?\b:?$|Returns?:|Raises:|Examples?:|Usage:|#|[-*] )")
_REFERENCE = re.compile(r"\{@\w+\s+([^}|]+?)(?:[|][^}]*)?\}")
_ROLE = re.compile(r":(?:\w+:)?\w+:`~?(?:[^`<]*<)?([^`<>]+)>?`")
_LINK = re.compile(r"\[([^\]]+)\](?:\([^)]*\)|\[[^\]]*\])?")
_COMMAND = re.compile(r"[\\@](?:ref|p|a|c|e|b|em|code|link|endlink|cite)\b\s*")
_TAG = re.compile(r"</?[a-zA-Z][^>]*>")
_END = re.compile(r"(?<!\be\.g)(?<!\bi\.e)(?<!\betc)(?<!\bvs)(?<!\bcf)[.!?:](?=\s+[^a-z\s]|\s*$)")
_REFUSED = re.compile(
    r"\b(?:todo|fixme|xxx|hack|deprecated|copyright|licen[cs]e|http|https|inherit(?:ed)?doc|eslint|noinspection|"
    r"see (?:also|the))\b|[{};=<>|\\$]|::|->|^(?:see|note|warning)\b",
    re.IGNORECASE,
)
_FUNCTION_WORDS = frozenset(
    "the a an of to is are and for in from with by on if this or all at as into that".split()  # noqa: SIM905 - a line
)
# A sentence that begins so tells a circumstance and not what the function does.
_ASIDES = frozenset(
    (  # noqa: SIM905 - as a list it would be twenty lines
        "this these that those it its they all any each some if when while whenever once on in at for from by to note "
        "dont don only internal private called used helper same similar definition definitions non we you there should "
        "must will would can could may might is are was not no because since although as but so also otherwise like "
        "invoked warning here just my i see unlike instead and or"
    ).split()
)
_WORD = re.compile(r"[^\W_]+")


def sentence_of(comment: str) -> str:
    """The first sentence of a documentation, without marks and markup; "" where it begins with none worth asking."""
    paragraph = _plain(" ".join(_first_paragraph(comment)))
    end = _END.search(paragraph)
    sentence = (paragraph[: end.start()] if end else paragraph).strip(" .:-–—*")
    return sentence if _is_worth_asking(sentence) else ""


def without_name(sentence: str, name: str) -> str:
    """The sentence without the name it begins with, as is the custom of Go; "" where it tells a name of several parts.

    A name that is one common word ("reverse") may stand in its sentence: asking in words is asking with it.
    """
    simple = name.rpartition("/")[2]
    leading = re.match(rf"{re.escape(simple)}(?:\(\))?\s*[-–:]?\s+", sentence)
    if leading:
        sentence = sentence[leading.end() :]
    if is_compound(simple) and re.search(rf"(?<!\w){re.escape(simple)}(?!\w)", sentence):
        return ""
    return sentence if _is_worth_asking(sentence) else ""


def is_compound(name: str) -> bool:
    """Whether a name has several parts, so that it is no word of English."""
    return re.search(r"[a-zA-Z]_[a-zA-Z]|[a-z][A-Z]|\d", name) is not None


def words(text: str) -> list[str]:
    """The words of a text in lower case, as they are compared."""
    return _WORD.findall(text.lower())


def _first_paragraph(comment: str) -> list[str]:
    """The lines of the description up to a blank one or a tag."""
    kept: list[str] = []
    for raw in comment.splitlines():
        line = _MARKS.sub("", _MARKS.sub("", raw, count=1)).strip()
        opening = _OPENING.match(line)
        line = line[opening.end() :] if opening else line
        if not kept and (not line or (not opening and _ABOVE.match(line))):
            continue
        if not line or (opening and kept) or _STOP.match(line):
            break
        kept.append(line)
    return kept


def _plain(text: str) -> str:
    for pattern, replacement in (
        (_REFERENCE, r"\1"),
        (_ROLE, r"\1"),
        (_COMMAND, ""),
        (_LINK, r"\1"),
        (_TAG, ""),
        (re.compile(r"[`*]|(?<!\w)_(?=\w)|(?<=\w)_(?!\w)"), ""),
        (re.compile(r"\s+"), " "),
    ):
        text = pattern.sub(replacement, text)
    return text.strip()


def _is_worth_asking(sentence: str) -> bool:
    asked = words(sentence)
    if not MIN_WORDS <= len(asked) <= MAX_WORDS or not sentence.isascii() or not sentence[0].isalpha():
        return False
    letters = sum(sign.isalpha() or sign.isspace() for sign in sentence)
    if letters < _LETTERS * len(sentence) or _REFUSED.search(sentence):
        return False
    return asked[0] not in _ASIDES and not _FUNCTION_WORDS.isdisjoint(asked)
