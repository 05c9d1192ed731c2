"""The frame around requests and replies. Its bytes are in the golden file `frames.json`."""

from __future__ import annotations

import random

import pytest

from motia.protocol.frames import decode_credit, decode_frame, encode_frame
from motia.protocol.safe_methods import is_safe

END = {"t": "end", "status": 200, "headers": [["x-name", "Zoë 漢"]]}


def test_random_bodies_come_back_byte_by_byte() -> None:
    chance = random.Random(11)
    for _ in range(300):
        body = chance.randbytes(chance.randint(0, 300))
        assert decode_frame(encode_frame(END, body)) == (END, body)


def test_a_body_of_text_is_its_utf8() -> None:
    assert bytes(decode_frame(encode_frame(END, "Zoë 漢"))[1]).decode() == "Zoë 漢"


def test_is_read_from_the_middle_of_a_larger_buffer_without_a_copy_of_the_body() -> None:
    frame = encode_frame(END, b"body")
    around = bytearray(b"before" + frame + b"after")
    meta, body = decode_frame(memoryview(around)[6 : 6 + len(frame)])
    assert (meta, body.obj) == (END, around)
    around[-9:-5] = b"BODY"
    assert body == b"BODY"


@pytest.mark.parametrize(
    "hex_text",
    ["", "0000", "00000010" + "7b7d", "ffffffff" + "7b7d", "00000002" + "7b7b", "00000000", "00000001" + "31"],
)
def test_what_is_no_frame_is_refused(hex_text: str) -> None:
    with pytest.raises(ValueError):
        decode_frame(bytes.fromhex(hex_text))


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "{}", '{"taken":"1"}', '{"taken":1.5}', '{"gone":false}', '{"taken"']
)
def test_what_is_no_credit(text: str) -> None:
    assert decode_credit(text.encode()) is None


@pytest.mark.parametrize(
    ("method", "headers", "safe"),
    [
        ("GET", {}, True),
        ("HEAD", {}, True),
        ("OPTIONS", {}, True),
        ("POST", {}, False),
        ("DELETE", {"accept": "*/*"}, False),
        ("POST", {"idempotency-key": "k"}, True),
        ("POST", {"idempotency-key": ""}, True),
    ],
)
def test_calls_that_may_be_had_twice(method: str, headers: dict[str, str], safe: bool) -> None:
    assert is_safe(method, headers) is safe
