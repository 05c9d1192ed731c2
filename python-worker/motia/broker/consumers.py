"""The durable consumers behind steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from ..errors import MotiaError
from ..protocol.subjects import Names
from .connect import Broker
from .publish import BrokerRefusal, read_answer
from .retry import ride_out

ACK_WAIT_MS = 10_000
"""A lost worker's message is handed out again after this; running ones renew it."""
REQUEST_ACK_WAIT_MS = 3_000
"""The same for API calls of safe methods, whose caller waits."""
_MAX_ACK_PENDING = 20_000
# Broker error codes: the consumer is there with other settings; one to be changed is not; there is no such stream.
_CONSUMER_EXISTS = 10148
_CONSUMER_GONE = 10149
_STREAM_NOT_FOUND = 10059
_RIDE_OUT_S = 15.0
_NANOS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Source:
    """Where one subscription, API step or cron step takes its messages from."""

    stream: str
    durable: str
    filters: tuple[str, ...]
    ack_wait_ms: int
    max_ack_pending: int = _MAX_ACK_PENDING
    """Messages that are with workers at a time, over all of them."""


def request_source(names: Names, step_id: str) -> Source:
    """The source of an API step's calls."""
    return Source(
        stream=names.streams.requests,
        durable=names.request_consumer(step_id),
        filters=(names.request(step_id),),
        ack_wait_ms=REQUEST_ACK_WAIT_MS,
    )


def subscription_source(names: Names, step_id: str, topic: str) -> Source:
    """The source of one subscription: the topic, and the retries of this very subscription."""
    durable = names.subscription(step_id, topic)
    return Source(
        stream=names.streams.events,
        durable=durable,
        filters=(names.event_filter(topic), names.retry(durable)),
        ack_wait_ms=ACK_WAIT_MS,
    )


def tick_source(names: Names, step: Mapping[str, Any]) -> Source:
    """The source of a cron step's ticks; `step` is its manifest entry.

    The broker hands out one at a time, so that no two runs overlap on any workers.
    """
    return Source(
        stream=names.streams.cron,
        durable=names.tick_consumer(step["id"]),
        filters=(names.tick(step["id"]),),
        ack_wait_ms=ACK_WAIT_MS,
        max_ack_pending=_MAX_ACK_PENDING if step.get("overlap") else 1,
    )


def sources_of(names: Names, step: Mapping[str, Any]) -> list[Source]:
    """Where the messages of a step come from: one source for an API or cron step, one for each subscription."""
    if step["type"] == "api":
        return [request_source(names, step["id"])]
    if step["type"] == "cron":
        return [tick_source(names, step)]
    if step["type"] != "event":
        return []
    return [subscription_source(names, step["id"], topic) for topic in dict.fromkeys(step["subscribes"])]


async def ensure_consumer(broker: Broker, source: Source, description: str) -> None:
    """Makes sure that a durable consumer exists with these settings. What waits in an existing one stays.

    Raises `MotiaError` `BROKER_REFUSED`, or `BROKER_LOST` / `BROKER_TIMEOUT` when 15 s were not enough, also for its
    stream to be there.
    """
    config = {
        "durable_name": source.durable,
        "ack_policy": "explicit",
        "ack_wait": source.ack_wait_ms * _NANOS_PER_MS,
        # The number of attempts is ours to count: a message that reached the broker's own limit would stay for ever.
        "max_deliver": -1,
        "max_ack_pending": source.max_ack_pending,
        "filter_subjects": source.filters,
        "description": description,
    }
    try:
        try:
            await create_consumer(broker, source.stream, source.durable, config, "create")
        except BrokerRefusal as refusal:
            if refusal.api_code != _CONSUMER_EXISTS:
                raise
            await create_consumer(broker, source.stream, source.durable, config, "update")
    except MotiaError as error:
        if isinstance(error, BrokerRefusal) and error.api_code == _CONSUMER_GONE:  # taken away between the two
            return await ensure_consumer(broker, source, description)
        message = f"the broker refused the consumer {source.durable}: {error.message}"
        raise MotiaError(error.code, message) from error


async def delete_consumer(broker: Broker, stream: str, name: str) -> None:
    """Takes a consumer away, with what waits in it, if it is there."""
    await ride_out(broker, _RIDE_OUT_S, lambda: broker.request(f"$JS.API.CONSUMER.DELETE.{stream}.{name}"))


async def create_consumer(
    broker: Broker, stream: str, name: str, config: Mapping[str, object], action: Literal["create", "update"]
) -> None:
    """Makes or changes a consumer; waits up to 15 s for the stream, which another process makes."""
    body = orjson.dumps({"stream_name": stream, "config": config, "action": action})

    async def attempt() -> None:
        reply = await broker.request(f"$JS.API.CONSUMER.CREATE.{stream}.{name}", body)
        try:
            read_answer(reply)
        except BrokerRefusal as refusal:
            if refusal.api_code == _STREAM_NOT_FOUND:
                raise MotiaError("BROKER_TIMEOUT", f"the broker has no stream {stream} yet") from refusal
            raise

    await ride_out(broker, _RIDE_OUT_S, attempt)
