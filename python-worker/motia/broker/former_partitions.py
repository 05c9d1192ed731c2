"""The partitions of steps that have ceased to be FIFO.

From then on the one consumer of the subscription has the groups as well. A boundary, fixed once, says which of the two
runs an event of a group: up to it the partition, after it the whole subscription.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from ..protocol.subjects import Names
from .connect import Broker
from .consumers import Source, delete_consumer, queue_settings, subscription_source, subscription_sources
from .key_value import read_entries, read_last, replace_entry
from .publish import BrokerRefusal, read_answer
from .retry import ride_out
from .worker_lease import read_served

_RIDE_OUT_S = 15.0
_CONSUMER_NOT_FOUND = 10014


@dataclass(frozen=True, slots=True)
class FormerPartitions:
    """What one subscription has left from when it was FIFO."""

    boundary: int
    left: tuple[Source, ...]


async def find_former_partitions(
    broker: Broker, names: Names, steps: Iterable[Mapping[str, Any]]
) -> dict[str, FormerPartitions]:
    """Looks for what these manifest entries have left, by the consumer of the whole subscription.

    Their own consumers are to be there: a boundary is behind what they do not have.
    """
    there = await _consumer_names(broker, names.streams.events)
    entries = await read_entries(broker, names.buckets.delivery, names.boundary_keys)
    known = {entry.key: int(entry.data) for entry in entries}
    former: dict[str, FormerPartitions] = {}
    for step in steps:
        if step["type"] != "event" or queue_settings(step).get("type") == "fifo":
            continue
        for topic in dict.fromkeys(step["subscribes"]):
            durable = subscription_source(names, step, topic).durable
            left = [source for source in _partitions_of(names, step, topic) if source.durable in there]
            boundary = known.get(names.boundary_key(durable))
            if boundary is None and left:
                boundary = await _fix_boundary(broker, names, durable)
            if boundary is not None:
                sources = tuple(replace(source, runs_until=boundary) for source in left)
                former[durable] = FormerPartitions(boundary, sources)
    return former


async def end_former_partition(broker: Broker, names: Names, source: Source) -> bool:
    """Takes a former partition away if it is done with. Tells whether it is gone.

    Nothing up to its boundary waits then, and no worker of an older version serves it.
    """
    subject = f"$JS.API.CONSUMER.INFO.{source.stream}.{source.durable}"
    try:
        info = await ride_out(broker, _RIDE_OUT_S, lambda: _ask(broker, subject))
    except BrokerRefusal as refusal:
        if refusal.api_code != _CONSUMER_NOT_FOUND:
            raise
        return True
    reached = info["num_pending"] == 0 or info["delivered"]["stream_seq"] >= (source.runs_until or 0)
    if info["num_ack_pending"] > 0 or not reached:
        return False
    if f"{source.stream}/{source.durable}" in await read_served(broker, names):
        return False
    await delete_consumer(broker, source.stream, source.durable)
    return True


def _partitions_of(names: Names, step: Mapping[str, Any], topic: str) -> list[Source]:
    """The groups' partitions of a step, if it were FIFO."""
    as_fifo = {**step, "infrastructure": {"queue": {**queue_settings(step), "type": "fifo"}}}
    return [source for source in subscription_sources(names, as_fifo, topic) if source.is_of_groups]


async def _fix_boundary(broker: Broker, names: Names, durable: str) -> int:
    key, bucket = names.boundary_key(durable), names.buckets.delivery
    while True:
        last = await read_last(broker, bucket, key)
        if last is not None and not last.removed:
            return int(last.data)
        info = await ride_out(broker, _RIDE_OUT_S, lambda: _ask(broker, f"$JS.API.STREAM.INFO.{names.streams.events}"))
        boundary = str(info["state"]["last_seq"]).encode()
        await replace_entry(broker, bucket, key, boundary, last.revision if last else 0)


async def _consumer_names(broker: Broker, stream: str) -> set[str]:
    found: set[str] = set()
    while True:
        body = orjson.dumps({"offset": len(found)})
        page = await ride_out(
            broker, _RIDE_OUT_S, lambda body=body: _ask(broker, f"$JS.API.CONSUMER.NAMES.{stream}", body)
        )
        consumers = page.get("consumers") or []
        found.update(consumers)
        if not consumers or len(found) >= page["total"]:
            return found


async def _ask(broker: Broker, subject: str, body: bytes = b"") -> dict[str, Any]:
    return read_answer(await broker.request(subject, body))
