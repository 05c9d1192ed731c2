"""Messages between the broker process and a handler process arrive whole, however the bytes are cut."""

from __future__ import annotations

import pytest

from motia.ipc.wire import (
    EventMeta,
    Kind,
    Result,
    Status,
    Unpacker,
    pack,
    pack_call,
    pack_credit,
    pack_event,
    pack_result,
    parse_step_key,
    step_key,
    unpack_credit,
    unpack_event,
    unpack_key,
    unpack_limit,
    unpack_result,
)

META = EventMeta(id="e1", topic="order.placed", attempt=3, traceparent="00-ab-cd-01", link="00-ab-ef-01")
KEY = step_key("src/ä b_step.py", "Ordér")


@pytest.mark.parametrize("size", [1, 2, 7, 9, 64, 100_000])
def test_bytes_may_come_in_pieces_of_any_size(size: int) -> None:
    messages = [
        (Kind.PING, 0, b""),
        (Kind.ABORT, 7, b"its deadline is over"),
        (Kind.LOG, 1023, b"x" * 70_000),
        (Kind.PONG, 1, b""),
    ]
    stream = b"".join(pack(*message) for message in messages)
    unpacker = Unpacker()
    seen = [
        (kind, slot, bytes(payload))
        for at in range(0, len(stream), size)
        for kind, slot, payload in unpacker.feed(stream[at : at + size])
    ]
    assert seen == messages


def test_a_call_has_its_step_and_its_frame() -> None:
    ((kind, slot, payload),) = Unpacker().feed(pack_call(5, KEY, b"\0\0frame"))
    key, frame = unpack_key(payload)
    assert (kind, slot, parse_step_key(key), bytes(frame)) == (
        Kind.RUN_API,
        5,
        ("src/ä b_step.py", "Ordér"),
        b"\0\0frame",
    )


def test_an_event_has_its_step_limit_meta_and_payload() -> None:
    ((kind, slot, payload),) = Unpacker().feed(pack_event(6, KEY, META, 10, b'{"a":1}'))
    key, rest = unpack_key(payload)
    limit, rest = unpack_limit(rest)
    meta, body = unpack_event(rest)
    assert (kind, slot, parse_step_key(key)[1], limit, meta, bytes(body)) == (
        Kind.RUN_EVENT,
        6,
        "Ordér",
        10,
        META,
        b'{"a":1}',
    )


@pytest.mark.parametrize("status", Status)
def test_a_result_says_how_it_ended(status: Status) -> None:
    ((kind, slot, payload),) = Unpacker().feed(pack_result(9, status, 1.5, 3, b"detail"))
    assert (kind, slot, unpack_result(payload)) == (Kind.RESULT, 9, Result(status, 1.5, 3, b"detail"))


def test_credit_says_how_much_was_taken() -> None:
    ((kind, slot, payload),) = Unpacker().feed(pack_credit(9, 1 << 40))
    assert (kind, slot, unpack_credit(payload)) == (Kind.CREDIT, 9, 1 << 40)
