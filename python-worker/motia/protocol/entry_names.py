"""The names that the key of an entry stands for.

Its tokens say them, unless one was too long for a token: then a header of the entry says them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .encoding import decode_token
from .headers import decode_text, encode_text

# Only tokens that were shortened have this; see `encode_token`.
_SHORTENED: Final = "=-"
# Headers have room for so much. A listing shows the shortened token of a longer name.
_LONGEST: Final = 32 * 1024


def to_names_header(key: str, names: Sequence[str]) -> str | None:
    """The header `Motia-Names` of an entry whose key was made of these names; `None` for one that needs none."""
    if _SHORTENED not in key:
        return None
    header = "/".join([encode_text(name) for name in names])
    return header if len(header) <= _LONGEST else None


def names_of(key: str, header: str) -> list[str]:
    """The names that a key was made of, as far as it or the header of its entry says them: otherwise the token."""
    tokens, told = key.split("."), header.split("/")
    return [_name_of(token, told[at] if at < len(told) else "") for at, token in enumerate(tokens)]


def _name_of(token: str, told: str) -> str:
    name = decode_token(token)
    if name is not None:
        return name
    return decode_text(told) or token
