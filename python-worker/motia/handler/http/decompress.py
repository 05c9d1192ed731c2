"""Undoes the `content-encoding` of request bodies."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

from .bad_request import BadRequest

_GZIP_WINDOW = 16 + zlib.MAX_WBITS
_GZIP_MAGIC = b"\x1f\x8b"
# A gzip file may consist of several.
_MOST_MEMBERS = 16


def decompress(encoding: str, data: bytes, limit: int) -> bytes:
    """`encoding` is one lower-cased coding; `limit` is the largest result in bytes.

    `br` is understood if the package brotli is installed (1.2 or newer, which can be told a limit).
    Raises `BadRequest`, and nothing else.
    """
    decode = _DECODERS.get(encoding)
    if decode is None:
        raise BadRequest(415, f"Content encoding {encoding} is not supported.")
    try:
        decoded = decode(data, limit + 1)
    except _Malformed as error:
        raise BadRequest(400, f"Body is not valid {encoding} data.") from error
    if len(decoded) > limit:
        raise BadRequest(413, f"Body is larger than {limit} bytes when decompressed.")
    return decoded


class _Malformed(Exception):
    """The data is not what its encoding says, or cut off."""


def _gunzip(data: bytes, enough: int) -> bytes:
    decoded, rest = _inflate_one(data, enough, _GZIP_WINDOW)
    for _ in range(_MOST_MEMBERS):
        if not rest.startswith(_GZIP_MAGIC) or len(decoded) >= enough:
            return decoded
        member, rest = _inflate_one(rest, enough - len(decoded), _GZIP_WINDOW)
        decoded += member
    raise _Malformed("too many members")


def _inflate(data: bytes, enough: int) -> bytes:
    return _inflate_one(data, enough, zlib.MAX_WBITS)[0]


def _inflate_one(data: bytes, enough: int, window: int) -> tuple[bytes, bytes]:
    """What the data holds, `enough` bytes of it at most, and what follows it."""
    decoder = zlib.decompressobj(window)
    try:
        decoded = decoder.decompress(data, enough)
    except zlib.error as error:
        raise _Malformed from error
    if not decoder.eof and len(decoded) < enough:
        raise _Malformed("cut off")
    return decoded, decoder.unused_data


def _unbrotli(data: bytes, enough: int) -> bytes:
    brotli = _import_brotli()
    if brotli is None:
        raise BadRequest(415, "Content encoding br is not supported.")
    decoder: Any = brotli.Decompressor()
    decoded = b""
    try:
        while not decoder.is_finished() and len(decoded) < enough:
            more = decoder.process(data, output_buffer_limit=enough - len(decoded))
            if not more and not data:
                raise _Malformed("cut off")
            decoded, data = decoded + more, b""
    except brotli.error as error:
        raise _Malformed from error
    return decoded


def _import_brotli() -> ModuleType | None:
    try:
        import brotli  # noqa: PLC0415  # pyright: ignore[reportMissingImports]  # the user's choice, and rarely needed
    except ImportError:
        return None
    return brotli if hasattr(brotli.Decompressor, "can_accept_more_data") else None


_DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _inflate,
    "br": _unbrotli,
}
