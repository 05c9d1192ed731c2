"""Which events this worker has, told to whoever asks at that moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypedDict

import orjson

from ..protocol.subjects import Names
from .connect import Broker
from .message import Message

# Of what a worker holds, this much fits into an answer.
_MOST_HELD: Final = 1_000


class WorkerIdentity(TypedDict):
    """One worker, as people find it: the id of its lease, and the process that talks to the broker."""

    worker: str
    language: str
    host: str
    pid: int


class HeldEvent(TypedDict):
    """One event that a worker has; `since` is in ms since 1970."""

    durable: str
    sequence: int
    attempt: int
    since: int


def answer_holdings(
    broker: Broker, names: Names, identity: WorkerIdentity, holds: Callable[[set[str]], list[HeldEvent]]
) -> None:
    """Has a worker answer the question. `holds`: what it has of the consumers named."""

    def answer(message: Message) -> None:
        question = _read_question(message.data)
        if question is None or not message.reply:
            return
        consumers, sequence = question
        held = [one for one in holds(consumers) if sequence is None or one["sequence"] == sequence]
        broker.send(message.reply, orjson.dumps({**identity, "held": held[:_MOST_HELD]}))

    broker.subscribe(names.holdings, answer)


def _read_question(data: bytes) -> tuple[set[str], Any] | None:
    """Nothing if it is not understood: whoever asks takes the worker for a silent one."""
    try:
        question = orjson.loads(data)
        consumers = question["consumers"]
        return ({*map(str, consumers)}, question.get("sequence")) if isinstance(consumers, list) else None
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return None
