"""Publishing into a broker stream, done when the broker has stored the message."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from ..errors import ErrorCode, MotiaError
from .connect import Broker
from .message import Message
from .retry import ride_out

_RETRY_FOR_S = 30.0
# Broker error codes: no more room in a stream by bytes, by messages, per subject; insufficient resources.
_STORE_FULL = frozenset((10077, 10047, 10023))
_NO_MORE = re.compile("maximum (bytes|messages)")
_STORED = b'{"stream":'


class BrokerRefusal(MotiaError):
    """The broker's own no, with its error code."""

    def __init__(self, code: ErrorCode, message: str, api_code: int = 0) -> None:
        super().__init__(code, message)
        self.api_code = api_code


async def publish_stored(
    broker: Broker, subject: str, data: bytes, headers: Mapping[str, str], retry_for: float = _RETRY_FOR_S
) -> None:
    """Stores one message.

    A lost connection, a server that just restarts or a leader election is ridden out for 30 s: the message id, which
    has to be among the headers, makes sure that a message stored by an earlier try is not stored twice.

    Raises `MotiaError` `STORE_FULL`, `BROKER_REFUSED`, or `BROKER_LOST` / `BROKER_TIMEOUT` when 30 s were not enough.
    """

    async def attempt() -> None:
        check_stored(await broker.request(subject, data, headers))

    await ride_out(broker, retry_for, attempt)


WRONG_LAST_SEQUENCE = 10071
"""Broker error code: what is stored last is not what a write expected."""
OVERTAKEN = 10164
"""The same, by a write that is not stored on enough servers yet."""
# What passes when a write that is under way is stored, or is not: that one, and a message with the same id.
_UNDER_WAY = frozenset((OVERTAKEN, 10158))


async def publish_first(broker: Broker, subject: str, data: bytes, headers: Mapping[str, str]) -> None:
    """Stores one message, as `publish_stored`, unless its subject has one already: then nothing happens.

    Raises as `publish_stored`.
    """
    try:
        await publish_stored(broker, subject, data, {**headers, "Nats-Expected-Last-Subject-Sequence": "0"})
    except BrokerRefusal as refusal:
        if refusal.api_code != WRONG_LAST_SEQUENCE:
            raise


def check_stored(reply: Message) -> None:
    """Checks the broker's answer to a publish. The usual one is known by its first characters, without reading it all.

    Raises as `read_answer`.
    """
    if not reply.data.startswith(_STORED):
        read_answer(reply)


def read_answer(reply: Message) -> dict[str, Any]:
    """Reads an answer of the broker.

    Raises `MotiaError` `STORE_FULL`, `BROKER_REFUSED`, or `BROKER_TIMEOUT` when it is not ready.
    """
    answer: dict[str, Any] = orjson.loads(reply.data)
    error = answer.get("error")
    if not error:
        return answer
    description, api_code = str(error.get("description")), int(error.get("err_code", 0))
    if api_code in _STORE_FULL or _NO_MORE.search(description):
        raise BrokerRefusal("STORE_FULL", f"the broker has no room for this message: {description}", api_code)
    # 503 is what a stream without a leader answers; it has one again in a few seconds.
    passes = error.get("code") == 503 or api_code in _UNDER_WAY
    code: ErrorCode = "BROKER_TIMEOUT" if passes else "BROKER_REFUSED"
    raise BrokerRefusal(code, f"the broker refused a request: {description}", api_code)
