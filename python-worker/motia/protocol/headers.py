"""Message headers of the wire protocol (`docs/protocol.md`). Names are case-sensitive on the broker."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, unquote

from .encoding import to_utf8

PROTOCOL_VERSION: Final = 1
"""Major version this code speaks."""


class Header:
    """Names of headers."""

    PROTOCOL: Final = "Motia-Protocol"
    """Major version of the protocol; absent means 1. A message with a higher one is handed back and reported."""
    TOPIC: Final = "Motia-Topic"
    """Topic of a dead letter or a waiting retry, percent-encoded. Of an event the subject says it."""
    EVENT_ID: Final = "Motia-Event-Id"
    """Identity of an event; the same in all its attempts and copies."""
    ATTEMPT: Final = "Motia-Attempt"
    """Number of the attempt this message asks for; absent means 1."""
    EMITTED_AT: Final = "Motia-Emitted-At"
    """When the event was emitted, in ms since 1970, from its first retry on."""
    GROUP: Final = "Motia-Group"
    """Message group, percent-encoded."""
    BLOB: Final = "Motia-Blob"
    """Object-store name of a payload above the broker's message limit. The body is empty then."""
    CHANGE: Final = "Motia-Change"
    """Of a stream's item: `create` or `update`, whichever this entry was to it."""
    EXPIRES: Final = "Motia-Expires"
    """Of a stored value: when it goes, in ms since 1970."""
    NAMES: Final = "Motia-Names"
    """Of an entry whose key does not say them: the names that it was made of, percent-encoded, with `/` between."""
    TRACEPARENT: Final = "traceparent"
    """W3C trace context."""
    MESSAGE_ID: Final = "Nats-Msg-Id"
    """The broker's own deduplication key."""
    DELIVER_AT: Final = "Motia-Deliver-At"
    """Of a booking: when it is to be delivered, in ms since 1970."""
    RETRIED_FROM: Final = "Motia-Retried-From"
    """Of a dead letter that was retried: the sequence that it had among the dead letters."""
    LINK: Final = "Motia-Link"
    """Of the same: `traceparent` of the emit. The other one is that of the retry."""
    ERROR: Final = "Motia-Error"
    """Error record of a dead letter, as percent-encoded JSON."""
    STEP: Final = "Motia-Step"
    """Step id of a dead letter, percent-encoded."""
    TICK: Final = "Motia-Tick"
    """The time that a tick stands for, in ms since 1970."""
    TRIGGER: Final = "Motia-Trigger"
    """`manual` for a run that a person asked for; absent for a tick of the schedule."""
    NODE: Final = "Motia-Node"
    """Of stored telemetry: the process that tells it."""
    DROPPED: Final = "Motia-Dropped"
    """Of the same: how many records it has dropped since it last said so."""


_MALFORMED = re.compile(r"%(?![0-9A-Fa-f]{2})")


def encode_text(text: str) -> str:
    """Percent-encodes a name or text for a header, whose values are ASCII; as `encodeURIComponent` does."""
    return quote(to_utf8(text), safe="!~*'()")


def decode_text(value: str) -> str:
    """The text that `encode_text` was given; a value that it cannot have made is returned as it is."""
    if _MALFORMED.search(value):
        return value
    try:
        return unquote(value, errors="strict")
    except UnicodeDecodeError:
        return value
