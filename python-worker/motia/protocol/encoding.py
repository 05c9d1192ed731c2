"""Reversible, readable encoding of any string as one token of a broker subject, KV key or consumer name."""

from __future__ import annotations

import hashlib
import re

_SAFE = re.compile(r"[A-Za-z0-9_-]+")
_TOKEN = re.compile(r"(?:[A-Za-z0-9_-]|=[0-9A-F]{2})+")
_ESCAPE = re.compile(rb"=([0-9A-F]{2})")
_CUT_ESCAPE = re.compile(r"=[0-9A-F]?$")
_LONGEST = 120
_KEPT = 80

_ESCAPES = [chr(byte) if _SAFE.fullmatch(chr(byte)) else f"={byte:02X}" for byte in range(256)]


def encode_token(name: str) -> str:
    """Encodes a name as one subject token.

    Letters, digits, `_` and `-` stay, every other UTF-8 byte becomes `=XX`, the empty string becomes `=`. A result over
    120 characters is cut to its first 80, `=-` and 16 hex digits of the sha256 of the whole: then `decode_token` gives
    no name back.
    """
    if len(name) <= _LONGEST and _SAFE.fullmatch(name):
        return name
    if name == "":
        return "="
    utf8 = to_utf8(name)
    encoded = "".join([_ESCAPES[byte] for byte in utf8])
    if len(encoded) <= _LONGEST:
        return encoded
    digest = hashlib.sha256(utf8).hexdigest()[:16]
    return f"{_CUT_ESCAPE.sub('', encoded[:_KEPT])}=-{digest}"


def decode_token(token: str) -> str | None:
    """The name that `encode_token` was given, or `None` for a shortened or malformed token."""
    if token == "=":
        return ""
    if not _TOKEN.fullmatch(token):
        return None
    utf8 = _ESCAPE.sub(lambda escape: bytes([int(escape[1], 16)]), token.encode())
    return utf8.decode("utf-8", "replace")


def encode_topic(topic: str) -> str:
    """Encodes a topic: its dots separate subject tokens, everything else is encoded per token."""
    return ".".join([encode_token(part) for part in topic.split(".")])


def to_utf8(text: str) -> bytes:
    """The UTF-8 form of any string; a lone surrogate, which has none, becomes U+FFFD as it does in JavaScript."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return well_formed(text).encode()


def well_formed(text: str) -> str:
    """The text with U+FFFD for each lone surrogate, as names of files may have them."""
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
