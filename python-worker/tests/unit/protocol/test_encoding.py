"""Names on the broker: any string goes in, comes back, and is never mistaken for another one."""

from __future__ import annotations

import random
import re

import pytest

from motia.protocol.encoding import decode_token, encode_token, encode_topic
from motia.protocol.headers import decode_text, encode_text
from motia.protocol.subjects import create_names

ODD = [
    *"abcXYZ019-_.=*>/\\ :$%\t\n\0",
    "ä",
    "e\u0301",
    "漢",
    "👩‍👩‍👧",
    "\u2028",
    "\uffff",
    "$JS.API",
    "=3A",
    "=_",
    "=-",
    "%2F",
]
LEGAL = re.compile(r"[A-Za-z0-9_=-]+")


def odd_names(seed: int, count: int, longest: int = 12) -> list[str]:
    chance = random.Random(seed)
    names = {"", " ", ".", "=", "=2E", "*", ">", "_", "-", "a.b", "a=2Eb"}
    while len(names) < count:
        names.add("".join(chance.choice(ODD) for _ in range(chance.randint(0, longest))))
    return sorted(names)


def test_2000_odd_names_come_back_from_legal_tokens_and_no_two_share_one() -> None:
    tokens = {encode_token(name): name for name in odd_names(1, 2_000)}
    assert len(tokens) == 2_000
    for token, name in tokens.items():
        assert LEGAL.fullmatch(token)
        assert len(token) <= 120
        assert decode_token(token) == (None if "=-" in token else name)


def test_long_names_are_shortened_and_told_apart() -> None:
    long = [name for name in odd_names(2, 300, 120) if len(name.encode()) > 120]
    tokens = {encode_token(name) for name in long}
    assert len(tokens) == len(long) > 50
    for token in tokens:
        assert len(token) <= 120
        assert decode_token(token) is None
        assert re.fullmatch(r"([A-Za-z0-9_-]|=[0-9A-F]{2})+=-[0-9a-f]{16}", token)


@pytest.mark.parametrize("token", ["a.b", "a b", "a=", "a=3", "a=3g", "a=3a", "=-", "==", "é", "", "a\n"])
def test_no_token(token: str) -> None:
    assert decode_token(token) is None


@pytest.mark.parametrize(
    ("name", "same_as"), [("\ud800", "\ufffd"), ("x\udc00\ud800", "x\ufffd\ufffd"), ("\ud83d\ude00", "😀")]
)
def test_surrogates_are_encoded_as_javascript_does(name: str, same_as: str) -> None:
    assert encode_token(name) == encode_token(same_as)
    assert encode_token(name * 60) == encode_token(same_as * 60)
    assert encode_text(name) == encode_text(same_as)


def test_no_wildcard_is_left_in_a_topic() -> None:
    for topic in odd_names(3, 1_000):
        assert all(LEGAL.fullmatch(token) for token in encode_topic(topic).split("."))


@pytest.mark.parametrize("member", ["state_key", "subscription"])
def test_no_two_pairs_share_a_name(member: str) -> None:
    make = getattr(create_names("app"), member)
    parts = [*odd_names(4, 60, 3), "b.c", "c", "=_", "a=_b"]
    pairs = {(a, b) for a in parts for b in parts}
    assert len({make(a, b) for a, b in pairs}) == len(pairs)


@pytest.mark.parametrize("text", ["", "a b", "Zoë & Co", "%", "100%25", "~!*'()-_.", "漢/字"])
def test_texts_in_headers_come_back(text: str) -> None:
    value = encode_text(text)
    assert value.isascii()
    assert decode_text(value) == text


@pytest.mark.parametrize("value", ["100%", "%zz%41", "%ff", "plain"])
def test_a_header_that_is_no_encoded_text_is_taken_as_it_is(value: str) -> None:
    assert decode_text(value) == value
