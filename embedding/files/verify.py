"""Whether a model file is whole: all of it is read, unlike at loading, where its length and age are believed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from embedding.errors import ModelInvalidError
from embedding.files.digest import Record, file_sha256, read_record, write_record
from embedding.files.header import GgufHeader
from embedding.gguf import complete_spec, read_header
from embedding.model import ModelSpec


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at, what was found, and whether that is as it should be."""

    what: str
    found: str
    well: bool = True


def verify(spec: ModelSpec, path: Path) -> list[Check]:
    """Read the whole file at ``path``, hold it against its record and ``spec``, and say what was found.

    A file that is not the recorded one is marked, and is not loaded until it is fetched or replaced. One that has no
    record gets one. Raises ModelMissingError where there is no file, OSError where it cannot be read.
    """
    return [*_format(spec, path), _content(spec, path)]


def _format(spec: ModelSpec, path: Path) -> list[Check]:
    try:
        header = read_header(path)
    except ModelInvalidError as error:
        return [Check("header and tensors", str(error), well=False)]
    checks = [_tensors(header, path)]
    try:
        whole = complete_spec(spec, header, path)
    except ModelInvalidError as error:
        return [*checks, Check("model", str(error), well=False)]
    reads = f"{whole.dim} dimensions, pooling {whole.pooling}, trained on {whole.context:,} tokens, read {whole.window}"
    return [*checks, Check("model", f"{header.architecture}, {reads} at a time")]


def _tensors(header: GgufHeader, path: Path) -> Check:
    size = path.stat().st_size
    end = header.data_offset + max(tensor.offset + tensor.size for tensor in header.tensors)
    keys = len(header.values) + len(header.arrays)
    return Check(
        "header and tensors",
        f"GGUF {header.version}, {keys} keys, {len(header.tensors)} tensors that end at byte {end:,} of {size:,}",
    )


def _content(spec: ModelSpec, path: Path) -> Check:
    known, sha256, stat = read_record(path), file_sha256(path), path.stat()
    published = "" if spec.quantisation or not spec.parts else spec.parts[0].sha256
    if published:
        damage, said = _against_published(spec, sha256, published), f"as published for {spec.name}"
    else:
        damage, said = _against_record(known, sha256, is_same=known is not None and known.is_of(stat))
    kept = known if known is not None and (damage or known.sha256 == sha256) else Record(0, 0, sha256)
    write_record(path, replace(kept, size=stat.st_size, mtime_ns=stat.st_mtime_ns, damage=damage))
    return Check("sha256", f"{sha256}: {damage or said}", well=not damage)


def _against_published(spec: ModelSpec, sha256: str, published: str) -> str:
    return "" if sha256 == published else f"it is not the {spec.name} that was published, whose sha256 is {published}"


def _against_record(known: Record | None, sha256: str, *, is_same: bool) -> tuple[str, str]:
    """What is wrong with a file of this ``sha256`` ("": nothing), and else what speaks for it.

    ``is_same``: it has the recorded length and time of change, so that nobody meant to replace it.
    """
    if known is None:
        return "", "recorded now, at first sight"
    if sha256 == known.sha256:
        return "", f"as recorded when it came from {known.origin}" if known.origin else "as recorded at first sight"
    if known.origin:
        return f"it is not the file that came from {known.origin}, whose sha256 is {known.sha256}", ""
    if is_same:
        return f"its content is no longer what was recorded, {known.sha256}, though nobody wrote to it", ""
    return "", "replaced since it was seen, and recorded now"
