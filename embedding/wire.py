"""What goes through the pipes between an embedder and its children: frames of a JSON header and raw bytes.

A frame is the mark ``CLW1``, the header's length (u32), the body's length (u64), both little-endian, then the two.
Never pickles: a damaged or hostile peer can at worst be refused.
"""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

MARK = b"CLW1"
_LENGTHS = struct.Struct("<4sIQ")
MAX_HEADER_BYTES = 1 << 24
MAX_BODY_BYTES = 1 << 30


class WireError(Exception):
    """What arrived is no frame; the peer must be given up."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message."""

    header: dict[str, Any]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Load:
    """The first message to a child: the model and how to run it. ``pooling`` is llama.cpp's word for it."""

    path: str
    dim: int
    pooling: str
    window: int
    add_eos: bool | None
    repack: bool
    threads: int
    nice: int  # how far it steps back behind other work, 0 to 19
    query_prefix: str
    document_prefix: str
    # Tokens a call of llama_decode, and what memory is reserved for; 0: as the worker thinks best. Heeded where a model
    # can be fed in pieces (a decoder with last-token pooling); others read a window at once.
    batch: int = 0

    def frame(self) -> Frame:
        """The message that asks for this."""
        return Frame({"load": asdict(self)})


def write_frame(stream: BinaryIO, frame: Frame) -> None:
    """Send one frame whole. Raises OSError where the peer is gone."""
    header = json.dumps(frame.header).encode("ascii")
    stream.write(_LENGTHS.pack(MARK, len(header), len(frame.body)) + header)
    stream.write(frame.body)
    stream.flush()


def read_frame(stream: BinaryIO) -> Frame | None:
    """The next frame, or None where the peer closed the pipe between two. Raises WireError for anything else."""
    start = stream.read(_LENGTHS.size)
    if not start:
        return None
    if len(start) < _LENGTHS.size:
        raise WireError("the pipe closed in the middle of a frame")
    mark, header_length, body_length = _LENGTHS.unpack(start)
    if mark != MARK or header_length > MAX_HEADER_BYTES or body_length > MAX_BODY_BYTES:
        raise WireError("what came through the pipe is no frame")
    header = _exactly(stream, header_length)
    return Frame(_parsed(header), _exactly(stream, body_length))


def packed(frame: Frame) -> bytes:
    """One frame as one message, for a connection that keeps messages apart."""
    with io.BytesIO() as stream:
        write_frame(stream, frame)
        return stream.getvalue()


def unpacked(message: bytes) -> Frame:
    """The frame of a message. Raises WireError where it holds none, or more than one."""
    stream = io.BytesIO(message)
    frame = read_frame(stream)
    if frame is None or stream.tell() != len(message):
        raise WireError("a message is not one frame")
    return frame


def _exactly(stream: BinaryIO, count: int) -> bytes:
    data = stream.read(count)
    if len(data) != count:
        raise WireError("the pipe closed in the middle of a frame")
    return data


def _parsed(header: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(header)
    except (ValueError, RecursionError) as error:
        raise WireError("the header of a frame is not JSON") from error
    if not isinstance(parsed, dict):
        raise WireError("the header of a frame is not an object")
    return parsed


def hold_frame(held: bool) -> Frame:
    """The order to stand still, or to go on; it has no answer."""
    return Frame({"hold": held})


def texts_frame(kind: str, texts: Sequence[str]) -> Frame:
    """The request for the vectors of ``texts``. Half a surrogate pair, which UTF-8 cannot carry, becomes ``?``."""
    encoded = [text.encode("utf-8", "replace") for text in texts]
    return Frame({"embed": kind, "sizes": [len(text) for text in encoded]}, b"".join(encoded))


def texts_of(frame: Frame) -> list[str]:
    """The texts of a request. Raises WireError where sizes and bytes disagree."""
    texts: list[str] = []
    at = 0
    for size in frame.header["sizes"]:
        texts.append(frame.body[at : at + size].decode("utf-8", "replace"))
        at += size
    if at != len(frame.body):
        raise WireError("the sizes of a request do not add up to its bytes")
    return texts
