"""Entries of a bucket, for who may read and write some of its groups only.

Whatever is asked names its key or its group in the subject of the request, since that is what permissions of the broker
are about: so several entries come by a consumer, and what is removed is removed by marks.
"""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from typing import Final

import orjson

from ..errors import MotiaError
from .connect import Broker
from .key_value import (
    ASKED,
    CATCHES_UP_S,
    MOST_BYTES,
    MOST_ENTRIES,
    RIDE_OUT_S,
    Batch,
    Entry,
    EntryPage,
    Reach,
    ask_anyone,
    ask_caught_up,
    mark_removed,
    read_batches,
    to_page,
    without_marks,
)
from .message import Message
from .publish import read_answer
from .retry import ride_out

_AN_HOUR_S: Final = 3_600
_NO_MORE, _CONFLICT = 404, 409
_BATCH_IS_FULL: Final = re.compile("batch|max.?bytes", re.IGNORECASE)
_CONSUMER: Final = {
    "deliver_policy": "by_start_sequence",
    "ack_policy": "none",
    "mem_storage": True,
    "num_replicas": 1,
    "inactive_threshold": 10_000_000_000,  # how long it stays if nobody could take it away any more
}


async def _read_last(broker: Broker, bucket: str, key: str) -> Entry | None:
    return await (ask_caught_up if broker.replicas > 1 else ask_anyone)(broker, bucket, key)


async def _read_entries(broker: Broker, bucket: str, filter: str) -> list[Entry]:
    return await read_batches(lambda sequence: _read_from(broker, bucket, filter, sequence, MOST_ENTRIES))


async def _read_page(broker: Broker, bucket: str, filter: str, after: int, most: int) -> EntryPage:
    return to_page(await _read_from(broker, bucket, filter, after + 1, most))


async def _remove_group(broker: Broker, bucket: str, filter: str) -> list[Entry]:
    """All that was stored before the removal began comes before a mark that is stored at its beginning, on whichever
    server it is read.
    """
    end = f"{filter.removesuffix('*')}{ASKED}-{uuid.uuid4()}"
    up_to = await mark_removed(broker, bucket, end, _AN_HOUR_S)
    removed: list[Entry] = []
    sequence, heard_at = 1, time.monotonic()
    while sequence <= up_to:
        entries = (await _read_from(broker, bucket, filter, sequence, MOST_ENTRIES)).entries
        present = [entry for entry in without_marks(entries) if entry.revision < up_to]
        await asyncio.gather(*[mark_removed(broker, bucket, entry.key) for entry in present])
        removed += present
        if entries:
            sequence, heard_at = entries[-1].revision + 1, time.monotonic()
        elif time.monotonic() - heard_at < RIDE_OUT_S:
            await asyncio.sleep(CATCHES_UP_S)
        else:
            raise MotiaError("BROKER_TIMEOUT", f"a server is behind the leader of {bucket}")
    await mark_removed(broker, bucket, end)
    return removed


async def _read_from(broker: Broker, bucket: str, filter: str, sequence: int, most: int) -> Batch:
    """Entries from a sequence on.

    The name of the consumer is random, and nobody may list them: so it serves nobody else.
    """
    stream, subject = f"KV_{bucket}", f"$KV.{bucket}.{filter}"
    # One entry that is larger than all may be together has to fit, too.
    pull = orjson.dumps({"batch": most, "no_wait": True, "max_bytes": MOST_BYTES + broker.max_payload()})

    async def attempt() -> Batch:
        name = str(uuid.uuid4())
        config = {**_CONSUMER, "name": name, "filter_subject": subject, "opt_start_seq": sequence}
        creation = orjson.dumps({"stream_name": stream, "config": config, "action": "create"})
        made = await broker.request(f"$JS.API.CONSUMER.CREATE.{stream}.{name}.{subject}", creation)
        try:
            if read_answer(made)["num_pending"] == 0:
                return Batch([], 0)
            following = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{name}"
            return _to_batch(bucket, await broker.request_deliveries(following, pull, lambda reply: reply.status != 0))
        finally:
            # It goes by itself as well, so nobody waits for the answer.
            broker.send(f"$JS.API.CONSUMER.DELETE.{stream}.{name}", b"", broker.new_inbox())

    return await ride_out(broker, RIDE_OUT_S, attempt)


def _to_batch(bucket: str, replies: list[Message]) -> Batch:
    """Raises `MotiaError` `BROKER_TIMEOUT` if the consumer was lost on the way, or some of what it delivered."""
    status = replies.pop()
    is_over = status.status == _NO_MORE or (status.status == _CONFLICT and _BATCH_IS_FULL.search(status.description))
    entries: list[Entry] = []
    left = 0
    for message in replies:
        # $JS.ACK.<stream>.<consumer>.<deliveries>.<sequence>.<number of the delivery>.<time>.<how many are left>
        about = message.reply.split(".")
        if int(about[6]) != len(entries) + 1:
            raise _lost(bucket)
        left = int(about[8])
        entries.append(Entry(message.subject[len(f"$KV.{bucket}.") :], message, int(about[5])))
    if not is_over or not entries:  # if all are gone by now, the next try finds none
        raise _lost(bucket)
    return Batch(entries, left)


def _lost(bucket: str) -> MotiaError:
    return MotiaError("BROKER_TIMEOUT", f"not all of what was read of {bucket} has arrived")


OWN_GROUPS: Final = Reach(_read_last, _read_entries, _read_page, mark_removed, _remove_group)
"""For who may do all with some groups, and nothing with others."""
