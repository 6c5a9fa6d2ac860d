"""Word forms: "parsing", "parser" and "parsed" meet, and so do "ctx" and "context". Pure.

What an English ending adds is taken off, and what programmers shorten is spelled out.

Lighter and blunter than Porter's stemmer: one ending goes, the longest that leaves three letters. Terms of code are
short and technical; what matters is that an index and a query are cut alike, not that a stem is a word.
"""

from __future__ import annotations

from functools import lru_cache

LEAST_STEM = 3  # letters that must remain: "used" and "uses" stay apart from "us"
_ENDINGS = tuple(
    sorted(
        (  # noqa: SIM905 - as a list it would be fifty lines
            "izations ization ational ations ation ators ator ating ates ated ate ities ity ments ment ances ance "
            "ences ence ables able ibles ible ings ing ions ion ors or ers er ies ied ives ive als al ics ic es ed ly "
            "s e"
        ).split(),
        key=len,
        reverse=True,
    )
)
_VOWELS = frozenset("aeiou")
_DOUBLED = frozenset("bdfgmnprtz")  # "mapping", "formatter", "running"; not the l and s of "call" and "pass"


_UNMISTAKABLE = 7  # letters of a stem that is another word's only: "authentic", not the "author" of "authorize"
_INNER = ("ment", "ion", "al")  # what may stand before another ending: implement-ed, version-ed, option-al

# What is shortened, then how: only what hardly ever means another thing. Left out are words that are syntax somewhere
# ("def", "var", "int", "char", "len"), names of folders in every path ("src", "lib", "app", "doc"), and "id".
_SHORTENED = """
    address addr; administrator admin; allocate alloc; argument arg; asynchronous async; attribute attr;
    auth authn authz authentication authenticate authenticated authorization authorize authorized; buffer buf;
    button btn; calculate calc; callback cb; certificate cert; command cmd; config cfg conf configuration configure;
    connection conn; context ctx; coordinate coord; database db; declaration decl; dependency dep; destination dst dest;
    development dev; difference diff; directory dir; element elem; environment env; error err; evaluate eval;
    execute exec; expression expr; extension ext; format fmt; function fn func; generate gen; identifier ident;
    image img; implementation impl; index idx; information info; initialize init initialization;
    internationalization i18n; iterator iter; kubernetes k8s; language lang; localization l10n; manager mgr;
    maximum max; memory mem; message msg; minimum min; navigation nav; notification notif; number num; object obj;
    option opt; package pkg; parameter param; password pwd passwd; permission perm; pointer ptr; position pos;
    preference pref; previous prev; process proc; production prod; property prop; receive recv; reference ref;
    regex regexp; repository repo; request req; response resp; separator sep; sequence seq; server srv; session sess;
    signature sig; string str; synchronous sync synchronize synchronization; system sys; temporary tmp temp;
    token tok; transaction txn tx; utility util; value val; vector vec
"""


@lru_cache(maxsize=1 << 12)
def stem(term: str) -> str:
    """``term`` (lower case) spelled out and without its ending; numbers and other scripts stay as they are."""
    for written in (term, term.removesuffix("s")):
        if written in _SPELLED_OUT:
            return _SPELLED_OUT[written]
    cut = _cut(term)
    return _SPELLED_OUT.get(cut, cut) if len(cut) >= _UNMISTAKABLE else cut


def _cut(term: str) -> str:
    """``term`` without its ending; a short one stays as it is."""
    if len(term) <= LEAST_STEM or not (term.isascii() and term.isalpha()):
        return term
    return _without_y(_single(_without(_INNER, _without(_ENDINGS, term))))


def _without(endings: tuple[str, ...], term: str) -> str:
    """The term without the first of ``endings`` it has, where enough remains."""
    for ending in endings:
        if term.endswith(ending) and len(term) - len(ending) >= LEAST_STEM and not _belongs(term, ending):
            return term[: -len(ending)]
    return term


def _belongs(term: str, ending: str) -> bool:
    """Whether the ending is the word's own: "class", "status", "analysis"; "color", "error" and "minor"."""
    if ending in ("or", "ors"):
        return term[-len(ending) - 1] not in "ts"
    return ending == "s" and term[-2] in "sui"


def _single(stemmed: str) -> str:
    doubled = len(stemmed) > LEAST_STEM and stemmed[-1] == stemmed[-2] and stemmed[-1] in _DOUBLED
    return stemmed[:-1] if doubled else stemmed


def _without_y(stemmed: str) -> str:
    """One stem for "retry" and "retries"; "delay" keeps its letter, since "delays" does."""
    loose = len(stemmed) > LEAST_STEM and stemmed[-1] == "y" and stemmed[-2] not in _VOWELS
    return stemmed[:-1] if loose else stemmed


def _spelled_out() -> dict[str, str]:
    """Every shortened form, and every long one with and without its ending; what each stands for."""
    groups = [group.split() for group in _SHORTENED.split(";")]
    forms = [(form, _cut(written)) for written, *others in groups for form in (written, *others)]
    return {_cut(form): written for form, written in forms if len(_cut(form)) >= _UNMISTAKABLE} | dict(forms)


_SPELLED_OUT = _spelled_out()
