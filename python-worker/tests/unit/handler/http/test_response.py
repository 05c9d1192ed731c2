"""What becomes of the value that a handler returns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel

from motia.handler.http.response import InvalidResponse, encode_response

JSON_TYPE = ("content-type", "application/json; charset=utf-8")
HTML_TYPE = ("content-type", "text/html; charset=utf-8")
BYTES_TYPE = ("content-type", "application/octet-stream")


class Model(BaseModel):
    id: int


@dataclass
class Record:
    id: int


class Unreadable:
    status = 200

    @property
    def body(self) -> object:
        raise ValueError("not today")


class TestBody:
    @pytest.mark.parametrize(
        ("body", "expected", "content_type"),
        [
            ({"a": 1}, b'{"a":1}', JSON_TYPE),
            ([1, None], b"[1,null]", JSON_TYPE),
            ((1, 2), b"[1,2]", JSON_TYPE),
            (0, b"0", JSON_TYPE),
            (None, b"null", JSON_TYPE),
            (False, b"false", JSON_TYPE),
            (2**70, str(2**70).encode(), JSON_TYPE),
            (float("nan"), b"null", JSON_TYPE),
            (datetime(1970, 1, 1, tzinfo=timezone.utc), b'"1970-01-01T00:00:00+00:00"', JSON_TYPE),
            (Model(id=7), b'{"id":7}', JSON_TYPE),
            ({"items": [Model(id=7), Record(8)]}, b'{"items":[{"id":7},{"id":8}]}', JSON_TYPE),
            ("<p>é", "<p>é".encode(), HTML_TYPE),
            ("", b"", HTML_TYPE),
            ("\ud800", b"?", HTML_TYPE),
            (b"\x00\xff", b"\x00\xff", BYTES_TYPE),
            (bytearray(b"\x01"), b"\x01", BYTES_TYPE),
            (memoryview(b"\x01\x02\x03")[::2], b"\x01\x03", BYTES_TYPE),
            ({"type": "Buffer", "data": [0, 255]}, b"\x00\xff", BYTES_TYPE),
            ({"type": "Buffer", "data": [256]}, b'{"type":"Buffer","data":[256]}', JSON_TYPE),
            ({"type": "Buffer", "data": ["1"]}, b'{"type":"Buffer","data":["1"]}', JSON_TYPE),
        ],
    )
    def test_kinds(self, body: object, expected: bytes, content_type: tuple[str, str]) -> None:
        assert encode_response({"status": 200, "body": body}) == (200, [content_type], expected)

    def test_a_missing_one_is_empty_and_has_no_type(self) -> None:
        assert encode_response({"status": 200}) == (200, [], b"")

    @pytest.mark.parametrize("status", [204, 205, 304])
    def test_some_statuses_have_none(self, status: int) -> None:
        response = {"status": status, "headers": {"content-type": "text/plain", "etag": '"1"'}, "body": "x"}
        assert encode_response(response) == (status, [("etag", '"1"')], b"")

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ((cycle := [], cycle.append(cycle))[0], "JSON.*contains itself"),
            ({"id": Decimal(1)}, "JSON.*id: Decimal"),
            ({"id": {1, 2}}, "JSON.*id: set"),
            ({"data": b"x"}, "JSON.*data: bytes"),
            (lambda: 1, "JSON.*function"),
            (object(), "JSON.*object"),
        ],
    )
    def test_what_json_cannot_say_is_refused(self, body: object, message: str) -> None:
        with pytest.raises(InvalidResponse, match=message):
            encode_response({"status": 200, "body": body})


class TestStatus:
    @pytest.mark.parametrize("status", [200, 404, 599, HTTPStatus.CREATED])
    def test_valid(self, status: int) -> None:
        encoded = encode_response({"status": status}).status
        assert encoded == status
        assert type(encoded) is int

    @pytest.mark.parametrize("status", [None, "200", 0, 100, 101, 199, 600, 200.5, float("nan"), True, [200]])
    def test_invalid(self, status: object) -> None:
        with pytest.raises(InvalidResponse, match="status"):
            encode_response({"status": status})

    @pytest.mark.parametrize("value", [None, {}, "ok", 200, lambda: {"status": 200}, [200], ({"status": 200}, 200)])
    def test_no_response(self, value: object) -> None:
        with pytest.raises(InvalidResponse):
            encode_response(value)


class TestObjects:
    def test_attributes_serve_like_keys(self) -> None:
        value = SimpleNamespace(status=201, headers={"x-a": "1"}, body={"id": 7})
        assert encode_response(value) == (201, [("x-a", "1"), JSON_TYPE], b'{"id":7}')
        assert encode_response(SimpleNamespace(status=200)) == (200, [], b"")

    def test_one_that_cannot_be_read_is_refused(self) -> None:
        with pytest.raises(InvalidResponse, match="cannot be read: not today"):
            encode_response(Unreadable())


def headers_of(headers: Any) -> list[tuple[str, str]]:
    return encode_response({"status": 200, "headers": headers}).headers


class TestHeaders:
    def test_names_are_lower_cased_lists_repeat_scalars_become_text(self) -> None:
        headers = {"Set-Cookie": ["a=1", "b=2"], "X-Count": 3, "X-On": True, "X-Empty": [], "X-Two": ("1", 2)}
        assert headers_of(headers) == [
            ("set-cookie", "a=1"),
            ("set-cookie", "b=2"),
            ("x-count", "3"),
            ("x-on", "true"),
            ("x-two", "1"),
            ("x-two", "2"),
        ]

    def test_of_one_name_in_several_spellings_the_last_wins(self) -> None:
        assert headers_of({"X-A": "1", "x-a": "2"}) == [("x-a", "2")]

    def test_headers_of_the_connection_are_dropped(self) -> None:
        names = ["Connection", "Transfer-Encoding", "keep-alive", "Content-Length", "te", "upgrade"]
        assert headers_of({**dict.fromkeys(names, "x"), "etag": "x"}) == [("etag", "x")]

    @pytest.mark.parametrize(
        ("content_type", "body", "expected"),
        [
            ("text/plain", "x", "text/plain; charset=utf-8"),
            ("text/plain; charset=iso-8859-1; format=flowed", "x", "text/plain; format=flowed; charset=utf-8"),
            ("application/problem+json", {}, "application/problem+json; charset=utf-8"),
            ("text/plain; charset=koi8-r", b"x", "text/plain; charset=koi8-r"),
            ("image/png", b"x", "image/png"),
        ],
    )
    def test_content_type_of_the_handler(self, content_type: str, body: object, expected: str) -> None:
        response = encode_response({"status": 200, "headers": {"Content-Type": content_type}, "body": body})
        assert response.headers == [("content-type", expected)]

    @pytest.mark.parametrize(
        "headers",
        [
            {"x-a": "b\r\nset-cookie: c=1"},
            {"x-a": "b\n"},
            {"x-a": ["b", "c\n"]},
            {"x-a": "b\0"},
            {"x-a": "€"},
            {"x-a\r\nb": "1"},
            {"x-a\n": "1"},
            {"x a": "1"},
            {"x:": "1"},
            {"x-é": "1"},
            {"": "1"},
            {7: "1"},
            {"x-a": None},
            {"x-a": b"1"},
            {"x-a": {}},
            {"x-a": [["b"]]},
            [["x-a", "1"]],
            "x-a: 1",
        ],
    )
    def test_what_http_cannot_carry_is_refused(self, headers: object) -> None:
        with pytest.raises(InvalidResponse, match=re.compile("header", re.IGNORECASE)):
            headers_of(headers)
