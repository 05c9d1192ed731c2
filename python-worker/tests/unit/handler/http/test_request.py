"""What a handler gets of a request, whatever a client sends."""

from __future__ import annotations

import gzip
import json
import random
import re
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from motia import ApiRequest
from motia.handler.http.bad_request import BadRequest
from motia.handler.http.request import parse_request

LIMIT = 100_000


def parse(
    url: str = "/",
    headers: dict[str, str | list[str]] | None = None,
    body: bytes | str = b"",
    limit: int = LIMIT,
    params: dict[str, str] | None = None,
) -> ApiRequest[Any]:
    data = body.encode() if isinstance(body, str) else body
    meta = {"method": "POST", "url": url, "params": params or {}, "headers": headers or {}}
    return parse_request(meta, memoryview(data), limit)


def parse_as(content_type: str, body: bytes | str) -> ApiRequest[Any]:
    return parse(headers={"content-type": content_type}, body=body)


@contextmanager
def refused(status: int, message: str = ".") -> Iterator[None]:
    with pytest.raises(BadRequest, match=message) as caught:
        yield
    assert caught.value.status == status


def test_carries_over_what_the_gateway_has_parsed() -> None:
    req = parse("/users/7?x=1", headers={"accept": "a, b"}, params={"id": "7"})
    assert req == {
        "method": "POST",
        "url": "/users/7?x=1",
        "pathParams": {"id": "7"},
        "queryParams": {"x": "1"},
        "headers": {"accept": "a, b"},
        "body": {},
        "rawBody": "",
    }


class TestAccess:
    def test_reads_by_key_and_by_attribute_in_both_spellings(self) -> None:
        req = parse("/?q=1", params={"id": "7"}, headers={"content-type": "text/plain"}, body="x")
        assert req["pathParams"] is req.pathParams is req.path_params is req.get("pathParams")
        assert req.query_params == req.queryParams == {"q": "1"}
        assert (req.raw_body, req.rawBody, req.body) == ("x", "x", "x")
        assert req.files is None
        assert req.file is None
        assert json.loads(json.dumps(req))["body"] == "x"

    def test_what_middleware_adds_is_both_a_key_and_an_attribute(self) -> None:
        req: Any = parse()
        req.user = {"id": 7}
        req["tenant"] = "t"
        req.path_params = {"id": "8"}
        assert req["user"] == {"id": 7}
        assert req.tenant == "t"
        assert req["pathParams"] == {"id": "8"}

    def test_a_misspelt_attribute_raises(self) -> None:
        req: Any = parse()
        with pytest.raises(AttributeError, match="boddy"):
            req.boddy  # noqa: B018
        assert not hasattr(req, "user")


class TestQuery:
    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            ("/", {}),
            ("/?", {}),
            ("/?x=1&x=2", {"x": ["1", "2"]}),
            ("/?x=1&x=2&x=3&y", {"x": ["1", "2", "3"], "y": ""}),
            ("/?y[k]=v", {"y": {"k": "v"}}),
            ("/?y%5Bk%5D=v", {"y": {"k": "v"}}),
            ("/?y[a][b]=1&y[a][c]=2&y[d]=3", {"y": {"a": {"b": "1", "c": "2"}, "d": "3"}}),
            ("/?z[]=9", {"z": ["9"]}),
            ("/?z[]=9&z[]=8", {"z": ["9", "8"]}),
            ("/?z[1]=b&z[0]=a&z[5]=c", {"z": ["a", "b", "c"]}),
            ("/?l[0][n]=1&l[1][n]=2&l[0][m]=3", {"l": [{"n": "1", "m": "3"}, {"n": "2"}]}),
            ("/?a=b+c%2B&d", {"a": "b c+", "d": ""}),
            ("/?a=%C3%A9&b=%ff&c=%", {"a": "é", "b": "%ff", "c": "%"}),
            ("/?a=?b&=x&&", {"a": "?b"}),
            ("/?a=b=c&d[e]=f]=g", {"a": "b=c", "d": {"e": "f]=g"}}),
            ("/?i[1000000]=x", {"i": {"1000000": "x"}}),
            ("/?i[01]=x&j[-1]=y", {"i": {"01": "x"}, "j": {"-1": "y"}}),
            ("/?constructor=2024", {"constructor": "2024"}),
            # one name, used in two ways
            ("/?a=1&a[]=2", {"a": ["1", "2"]}),
            ("/?a[]=1&a=2", {"a": ["1", "2"]}),
            ("/?a[b]=1&a=2", {"a": [{"b": "1"}, "2"]}),
            ("/?a=1&a[b]=2", {"a": ["1", {"b": "2"}]}),
            ("/?a[]=1&a[b]=2", {"a": {"0": "1", "b": "2"}}),
            ("/?a[0]=1&a[]=2&a[0]=3", {"a": [["1", "3"], "2"]}),
            ("/?[]=1&[x]=2", {"0": "1", "x": "2"}),
            ("/?a[b=1&c]d=2&e[[f]]=3", {"a": {"[b": "1"}, "c]d": "2", "e": {"[f]": "3"}}),
        ],
    )
    def test_bracket_syntax(self, url: str, expected: object) -> None:
        assert parse(url).query_params == expected

    def test_a_repeated_parameter_is_a_list_however_often_it_is_repeated(self) -> None:
        assert len(parse(f"/?{'x=1&' * 900}").query_params["x"]) == 900
        assert len(parse(f"/?{'x[]=1&' * 900}").query_params["x"]) == 900

    def test_too_many_or_too_deep_parameters_are_refused(self) -> None:
        with refused(400, "1000 parameters"):
            parse(f"/?{'x&' * 1001}")
        with refused(400, "levels deep"):
            parse(f"/?a{'[b]' * 11}=1")
        assert parse(f"/?a{'[b]' * 10}=1").query_params["a"]

    @pytest.mark.parametrize("query", ["__proto__[x]=1", "__proto__=1", "a[__proto__][x]=1", "a=1&a[__proto__]=2"])
    def test_a_key_that_is_dangerous_to_javascript_is_dropped(self, query: str) -> None:
        assert "__proto__" not in json.dumps(parse(f"/?{query}").query_params)


class TestTextBodies:
    @pytest.mark.parametrize(
        ("content_type", "body", "expected"),
        [
            ("application/json", '{"a": 1}', {"a": 1}),
            ("Application/JSON; charset=UTF-8", "[1]", [1]),
            ("application/ld+json", '{"a":"é"}', {"a": "é"}),
            ("application/json", '{"n":123456789012345678901234567890}', {"n": 123456789012345678901234567890}),
            ("application/x-www-form-urlencoded", "a=1&b[c]=2&d=x+y", {"a": "1", "b": {"c": "2"}, "d": "x y"}),
            ("text/plain", "héllo", "héllo"),
            ("text/csv; header=present", "a,b", "a,b"),
        ],
    )
    def test_are_parsed_by_type(self, content_type: str, body: str, expected: object) -> None:
        req = parse_as(content_type, body)
        assert req.body == expected
        assert req.raw_body == body

    @pytest.mark.parametrize(
        "content_type", ["application/json", "text/plain", "multipart/form-data; boundary=b", "image/png", ""]
    )
    def test_an_empty_one_is_an_empty_object(self, content_type: str) -> None:
        req = parse_as(content_type, "")
        assert (req.body, req.raw_body) == ({}, "")

    def test_the_charset_decides_quoted_or_not(self) -> None:
        latin1 = '{"a":"é"}'.encode("latin-1")
        assert parse_as('application/json; charset="ISO-8859-1"', latin1).body == {"a": "é"}
        assert parse_as("text/plain;charset=latin1", latin1).body == '{"a":"é"}'
        with refused(415, "koi8-r"):
            parse_as("text/plain; charset=koi8-r", "x")

    def test_a_byte_order_mark_is_not_content(self) -> None:
        assert parse_as("application/json", '\ufeff{"a":1}').body == {"a": 1}

    def test_broken_utf8_is_replaced(self) -> None:
        req = parse_as("application/json", b'{"a":"\xff"}')
        assert req.body == {"a": "\ufffd"}
        assert req.raw_body == '{"a":"\ufffd"}'

    @pytest.mark.parametrize("body", ["{", '{"a":1', "x", "{}{}", "\0", "[NaN]", "[" * 100_000])
    def test_malformed_json_is_refused(self, body: str) -> None:
        with refused(400, "Body is not valid JSON: "):
            parse_as("application/json", body)

    @pytest.mark.parametrize("body", ["1", '"text"', "null", "true"])
    def test_a_json_scalar_is_refused(self, body: str) -> None:
        with refused(400, "Body must be a JSON object or array."):
            parse_as("application/json", body)

    @pytest.mark.parametrize(
        "body",
        [
            '{"__proto__":{"x":1},"a":1}',
            '{"\\u005f_proto__":{"x":1},"a":1}',
            '{"a":1,"b":[{"__prot\\u006f__":{"x":1}}]}',
        ],
    )
    def test_a_key_that_is_dangerous_to_javascript_is_dropped(self, body: str) -> None:
        req = parse_as("application/json", body)
        assert "__proto__" not in json.dumps(req.body)
        assert req.body["a"] == 1
        assert req.raw_body == body

    def test_too_many_form_fields_are_refused(self) -> None:
        with refused(400):
            parse_as("application/x-www-form-urlencoded", "x&" * 1001)


@pytest.mark.parametrize(
    "content_type",
    ["application/octet-stream", "image/png", "application/jsonp", "multipart/mixed", "nonsense", "", None],
)
def test_any_other_body_is_bytes(content_type: str | None) -> None:
    req = parse(headers={} if content_type is None else {"content-type": content_type}, body=b"\x00\xff\x01")
    assert (req.body, req.raw_body) == (b"\x00\xff\x01", b"\x00\xff\x01")
    assert type(req.body) is bytes


def test_a_body_above_the_limit_is_refused() -> None:
    with refused(413, "100000 bytes"):
        parse(body=bytes(LIMIT + 1))
    assert parse(body=bytes(LIMIT))


class TestContentEncoding:
    def json(self, encoding: str, body: bytes, limit: int = LIMIT) -> ApiRequest[Any]:
        headers: dict[str, str | list[str]] = {"content-type": "application/json", "content-encoding": encoding}
        return parse(headers=headers, body=body, limit=limit)

    @pytest.mark.parametrize(
        ("encoding", "body"),
        [
            ("gzip", gzip.compress(b'{"a":1}')),
            ("GZIP", gzip.compress(b'{"a":1}')),
            ("x-gzip", gzip.compress(b'{"a"') + gzip.compress(b":1}") + b"\0\0"),
            ("deflate", zlib.compress(b'{"a":1}')),
            ("identity", b'{"a":1}'),
        ],
    )
    def test_is_undone(self, encoding: str, body: bytes) -> None:
        req = self.json(encoding, body)
        assert (req.body, req.raw_body) == ({"a": 1}, '{"a":1}')

    @pytest.mark.parametrize("encoding", ["gzip", "deflate"])
    def test_malformed_or_cut_off_is_refused(self, encoding: str) -> None:
        whole = gzip.compress(b'{"a":1}') if encoding == "gzip" else zlib.compress(b'{"a":1}')
        for body in (b'{"a":1}', whole[:-5], whole[:3]):
            with refused(400, f"Body is not valid {encoding} data."):
                self.json(encoding, body)

    def test_a_bomb_is_refused(self) -> None:
        for bomb in (gzip.compress(bytes(LIMIT + 1)), gzip.compress(bytes(LIMIT)) + gzip.compress(b"x")):
            with refused(413, "larger than 100000 bytes when decompressed"):
                self.json("gzip", bomb)
        with refused(413):
            self.json("deflate", zlib.compress(bytes(50_000_000)))
        with refused(400):
            self.json("gzip", gzip.compress(b"") * 1000)

    @pytest.mark.parametrize("encoding", ["zstd", "gzip, br", "constructor"])
    def test_unknown_ones_are_refused(self, encoding: str) -> None:
        with refused(415, re.escape(encoding)):
            self.json(encoding, b"x")

    def test_brotli_is_understood_if_there_is_a_module_for_it(self) -> None:
        brotli = pytest.importorskip("brotli")
        compressed = brotli.compress(b'{"a":1}')
        assert self.json("br", compressed).body == {"a": 1}
        for body in (b'{"a":1}', compressed[:-3]):
            with refused(400, "Body is not valid br data."):
                self.json("br", body)
        with refused(413):
            self.json("br", brotli.compress(bytes(50_000_000)))

    def test_and_refused_otherwise(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "brotli", None)
        with refused(415, "Content encoding br is not supported."):
            self.json("br", b"x")

    def test_what_was_compressed_to_nothing_is_no_body(self) -> None:
        req = self.json("gzip", gzip.compress(b""))
        assert (req.body, req.raw_body) == ({}, "")


class TestMultipart:
    TYPE = "multipart/form-data; boundary=b"

    @staticmethod
    def part(headers: str, content: str) -> str:
        return f"--b\r\n{headers}\r\n\r\n{content}\r\n"

    def field(self, name: str, value: str) -> str:
        return self.part(f'Content-Disposition: form-data; name="{name}"', value)

    def file(self, name: str, file_name: str, content: str) -> str:
        disposition = f'Content-Disposition: form-data; name="{name}"; filename="{file_name}"'
        return self.part(f"{disposition}\r\nContent-Type: image/png", content)

    def test_fields_and_one_file(self) -> None:
        upload = self.file("photo", "C:\\tmp\\größe.png", "bytes")
        body = f"{self.field('title', 'héllo')}{upload}--b--\r\n"
        req = parse_as(self.TYPE, body)
        photo = {
            "fieldname": "photo",
            "originalname": "größe.png",
            "mimetype": "image/png",
            "size": 5,
            "buffer": b"bytes",
        }
        assert req.body == {"title": "héllo"}
        assert req.raw_body == body.encode()
        assert req.files == [photo]
        assert req.file == req["file"] == photo

    def test_several_files_in_order_and_repeated_fields(self) -> None:
        parts = [self.field("x", "1"), self.file("f", "a", ""), self.field("x", "2"), self.file("f", "b", "B")]
        req = parse_as(self.TYPE, f"{''.join(parts)}{self.field('x', '3')}--b--")
        assert req.body == {"x": ["1", "2", "3"]}
        assert req.files is not None
        assert [(file["originalname"], file["size"]) for file in req.files] == [("a", 0), ("b", 1)]
        assert "file" not in req

    def test_files_are_exact_to_the_byte_megabytes_included(self) -> None:
        content = random.Random(7).randbytes(3_000_000) + b"\r\n--\r\n--x\n\r\0" * 100_000
        head = b'--b\r\nContent-Disposition: form-data; name="f"; filename="a.zip"\r\n\r\n'
        req = parse(headers={"content-type": self.TYPE}, body=head + content + b"\r\n--b--\r\n", limit=10_000_000)
        assert req.file is not None
        assert req.file["mimetype"] == "text/plain"
        assert req.file["buffer"] == content

    @pytest.mark.parametrize(
        ("headers", "expected"),
        [
            ('content-disposition: form-data; name="a\\"b"', {'a"b': "v"}),
            ("Content-Disposition: Form-Data; name=plain", {"plain": "v"}),
            ('Content-Disposition: form-data; name=""', {"": "v"}),
            ('Content-Disposition: form-data;\r\n name="folded"', {"folded": "v"}),
            ("Content-Disposition: form-data; name*=utf-8''gr%C3%B6%C3%9Fe", {"größe": "v"}),
            ('Content-Disposition: attachment; name="x"', {}),
            ("X-Other: form-data; name=x", {}),
            ('X: y\r\nContent-Disposition: form-data; name="late"', {"late": "v"}),
        ],
    )
    def test_the_headers_of_a_part(self, headers: str, expected: object) -> None:
        assert parse_as(self.TYPE, f"{self.part(headers, 'v')}--b--").body == expected

    def test_the_charset_of_a_field(self) -> None:
        part = self.part('Content-Disposition: form-data; name="x"\r\nContent-Type: text/plain; charset=latin1', "é")
        assert parse_as(self.TYPE, f"{part}--b--".encode("latin-1")).body == {"x": "é"}

    def test_a_part_of_type_octet_stream_is_a_file_even_without_a_name(self) -> None:
        part = self.part('Content-Disposition: form-data; name="x"\r\nContent-Type: application/octet-stream', "v")
        req = parse_as(self.TYPE, f"{part}--b--")
        assert req.file is not None
        assert (req.file["originalname"], req.file["buffer"], req.body) == ("", b"v", {})

    def test_what_is_before_the_first_and_after_the_last_delimiter_is_no_content(self) -> None:
        assert parse_as(self.TYPE, f"preamble\r\n{self.field('x', '1')}--b--\r\nepilogue").body == {"x": "1"}

    def test_a_quoted_boundary_may_hold_any_punctuation(self) -> None:
        body = f"{self.field('x', '1')}--b--".replace("--b", "--a ;'=%41")
        assert parse_as('multipart/form-data; Boundary="a ;\'=%41"; charset=utf-8', body).body == {"x": "1"}

    def test_a_form_without_parts_is_empty(self) -> None:
        req = parse_as(self.TYPE, "--b--\r\n")
        assert (req.body, req.files) == ({}, [])

    @pytest.mark.parametrize(
        ("content_type", "body"),
        [
            ("multipart/form-data", "--b--"),
            ('multipart/form-data; boundary=""', "--b--"),
            ('multipart/form-data; boundary="é"', "--é--"),
            ('multipart/form-data; boundary="\\b"', "--b--"),
            ("multipart/form-data; boundary=other", "--b\r\n\r\n\r\n--b--"),
            (TYPE, "--b\r\nContent-Disposition: form-data; name=x\r\n\r\n1\r\n"),
            (TYPE, "--b\r\nContent-Disposition: form-data; na"),
            (TYPE, '--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nx'),
            (TYPE, "--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--"),
            (TYPE, '--b\r\nContent-Disposition: form-data; filename="a"\r\n\r\nx\r\n--b--'),
        ],
    )
    def test_malformed_forms_are_refused(self, content_type: str, body: str) -> None:
        with refused(400, "multipart"):
            parse_as(content_type, body)

    def test_too_many_parts_are_refused(self) -> None:
        body = f"{self.field('x', '1') * 1000}--b--"
        assert len(parse_as(self.TYPE, body).body["x"]) == 1000
        with refused(413, "1000 parts"):
            parse_as(self.TYPE, self.field("x", "1") + body)


TYPES = [
    "application/json",
    "application/x-www-form-urlencoded",
    "text/plain",
    "multipart/form-data; boundary=b",
    'multipart/form-data; boundary="b"; charset=x',
    "multipart/form-data; boundary*=utf-8''b",
    "image/png",
    ";;=",
]
TEXTS = ["{", "}", "[", "]", '"', ":", ",", "1", "null", "\\u00", "\\ud800", "__proto__"]
TEXTS += ["&", "=", "a", "%", "%ff", "+", ";", "[0]", "[]"]
DISPOSITION = "Content-Disposition: form-data; "
LINES = [DISPOSITION, "--b", "--b--", "--", "\r\n", "\r\n\r\n", 'name="x"', "name=", '; filename="f"']
LINES += ["; filename*=utf-8''%ff", "Content-Type: text/plain; charset=", "x", ": ", '"', "\\", " "]


def test_whatever_is_sent_the_answer_is_a_request_or_a_refusal() -> None:
    for seed in range(3000):
        rng = random.Random(seed)
        body = random_body(rng)
        headers: dict[str, str | list[str]] = {"content-type": rng.choice(TYPES)}
        if rng.randrange(4) == 0:
            headers["content-encoding"] = rng.choice(["gzip", "br", "deflate", "x", ""])
        url = f"/?{random_text(rng, TEXTS, 20)}"
        try:
            assert "body" in parse(url, headers, body)
        except BadRequest:
            pass
        except Exception as error:
            raise AssertionError(f"seed {seed}: {url} {headers} {body!r}") from error


def random_text(rng: random.Random, items: list[str], longest: int) -> str:
    return "".join(rng.choices(items, k=rng.randrange(longest + 1)))


def random_body(rng: random.Random) -> bytes:
    match rng.randrange(5):
        case 0:
            return random_text(rng, TEXTS, 20).encode()
        case 1:
            return random_text(rng, LINES, 20).encode()
        case 2:
            head, content = random_text(rng, LINES, 8), random_text(rng, LINES, 6)
            return f"--b\r\n{DISPOSITION}{head}\r\n\r\n{content}\r\n--b--".encode()
        case 3:
            return rng.randbytes(40)
        case _:
            return gzip.compress(random_text(rng, TEXTS, 20).encode())
