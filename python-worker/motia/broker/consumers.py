"""The durable consumers behind steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import orjson

from ..errors import MotiaError
from ..protocol.subjects import Names, is_grouped
from ..steps.app_part import AppPart
from .connect import Broker
from .publish import BrokerRefusal, read_answer
from .retry import ride_out

ACK_WAIT_MS = 10_000
"""A lost worker's event is handed out again after this, unless its step says otherwise; running ones renew it."""
# What a step may say about it.
_LEAST_ACK_WAIT_MS = 1_000
_MOST_ACK_WAIT_MS = 30_000
REQUEST_ACK_WAIT_MS = 3_000
"""The same for API calls of safe methods, whose caller waits."""
_MAX_ACK_PENDING = 20_000
# Broker error codes: the consumer is there with other settings; one to be changed is not; there is no such stream.
_CONSUMER_EXISTS = 10148
_CONSUMER_GONE = 10149
_CONSUMER_NOT_FOUND = 10014
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
    max_ack_pending: int
    """Messages that may be with workers at a time, unanswered."""
    partition: str | None = None
    """Of a FIFO step: the partition that this is the source of. One message after the other, in the order in which they
    were stored."""
    runs_until: int | None = None
    """Of a partition of a step that has ceased to be FIFO: sequence of the last event that it is to run."""
    groups_after: int | None = None
    """Of the subscription of such a step: sequence after which it runs events of groups."""

    @property
    def is_of_groups(self) -> bool:
        """Whether it is one of the partitions of a FIFO step that message groups are in."""
        return self.partition not in (None, "_")


def is_run_elsewhere(source: Source, sequence: int, subject: str) -> bool:
    """Whether an event that a source delivers is run from another one: the step has ceased to be FIFO."""
    if source.runs_until is not None:
        return sequence > source.runs_until
    return source.groups_after is not None and sequence <= source.groups_after and is_grouped(subject)


def request_source(names: Names, step_id: str) -> Source:
    """The source of an API step's calls."""
    return Source(
        stream=names.streams.requests,
        durable=names.request_consumer(step_id),
        filters=(names.request(step_id),),
        ack_wait_ms=REQUEST_ACK_WAIT_MS,
        max_ack_pending=_MAX_ACK_PENDING,
    )


def subscription_sources(names: Names, step: Mapping[str, Any], topic: str) -> list[Source]:
    """The sources of one subscription.

    One, or of a FIFO step one for each partition, since all that one of them has waits for its first message. The first
    is for events without a message group, and for what waited when the step was not FIFO yet.
    """
    whole = subscription_source(names, step, topic)
    if queue_settings(step).get("type") != "fifo":
        return [whole]
    sources: list[Source] = []
    for partition in names.partitions:
        durable = names.ordered_subscription(step["id"], topic, partition)
        # Only the first has retries of its own: a retried dead letter of a group is an event that says whose it is.
        retries = (names.retry(durable),) if partition == "_" else ()
        filters = (names.partition_filter(topic, partition), *retries)
        sources.append(replace(whole, durable=durable, filters=filters, max_ack_pending=1, partition=partition))
    return sources


def subscription_source(names: Names, step: Mapping[str, Any], topic: str) -> Source:
    """The source of a whole subscription: the topic, and the retries of this very subscription."""
    durable = names.subscription(step["id"], topic)
    queue = queue_settings(step)
    return Source(
        stream=names.streams.events,
        durable=durable,
        filters=(names.event_filter(topic), names.retry(durable)),
        ack_wait_ms=_to_ack_wait(queue.get("visibilityTimeout")),
        # A worker asks only for what it may run, so that this many are what runs.
        max_ack_pending=queue.get("globalConcurrency") or _MAX_ACK_PENDING,
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


def queue_settings(step: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the manifest entry of an event step says about its deliveries."""
    return (step.get("infrastructure") or {}).get("queue") or {}


def _to_ack_wait(seconds: float | None) -> int:
    if seconds is None:
        return ACK_WAIT_MS
    return int(min(max(seconds * 1000, _LEAST_ACK_WAIT_MS), _MOST_ACK_WAIT_MS))


def sources_of(names: Names, step: Mapping[str, Any]) -> list[Source]:
    """Where the messages of a step come from."""
    if step["type"] == "api":
        return [request_source(names, step["id"])]
    if step["type"] == "cron":
        return [tick_source(names, step)]
    if step["type"] != "event":
        return []
    topics = dict.fromkeys(step["subscribes"])
    return [source for topic in topics for source in subscription_sources(names, step, topic)]


def sources_taken(names: Names, part: AppPart, step: Mapping[str, Any]) -> list[Source]:
    """Where the messages of a step come from that a worker takes which has this part of the app."""
    if step["type"] != "event":
        return sources_of(names, step) if part.takes_step(step) else []
    topics = [topic for topic in dict.fromkeys(step["subscribes"]) if part.takes_topic(step, topic)]
    return [source for topic in topics for source in subscription_sources(names, step, topic)]


async def ensure_consumer(broker: Broker, source: Source, description: str) -> None:
    """Makes sure that a durable consumer exists with these settings, or that it exists where others make it.

    What waits in an existing one stays. Raises `MotiaError` `BROKER_REFUSED`, `NOT_PROVISIONED`, or `BROKER_LOST` /
    `BROKER_TIMEOUT` when 15 s were not enough, also for its stream to be there.
    """
    if broker.locked:
        return await _check_consumer(broker, source, description)
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


async def _check_consumer(broker: Broker, source: Source, step: str) -> None:
    reply = await broker.request(f"$JS.API.CONSUMER.INFO.{source.stream}.{source.durable}")
    try:
        read_answer(reply)
    except BrokerRefusal as refusal:
        if refusal.api_code not in (_CONSUMER_NOT_FOUND, _STREAM_NOT_FOUND):
            raise
        raise not_provisioned(f"the broker has no consumer {source.durable} for {step}") from refusal


def not_provisioned(what: str) -> MotiaError:
    """What is not there is somebody else's to make."""
    return MotiaError("NOT_PROVISIONED", f"{what}, and MOTIA_PROVISION is off here: run motia provision")


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
