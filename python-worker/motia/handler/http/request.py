"""Turns a request as the gateway forwards it into what a handler receives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...types import ApiRequest
from .bad_request import BadRequest
from .body import parse_body
from .form import parse_form


def parse_request(meta: Mapping[str, Any], data: bytes | memoryview, body_limit: int) -> ApiRequest[Any]:
    """`meta` and `data` are those of a request frame; `body_limit` is in bytes, before and after decompression.

    Raises `BadRequest`, and nothing else.
    """
    if len(data) > body_limit:
        raise BadRequest(413, f"Body is larger than {body_limit} bytes.")
    url = meta["url"]
    headers = meta["headers"]
    query = parse_form(url.partition("?")[2])
    body = bytes(data)
    if body:
        encoding = _single(headers.get("content-encoding")).strip().lower()
        if encoding not in ("", "identity"):
            from .decompress import decompress  # noqa: PLC0415  # few clients compress what they send

            body = decompress(encoding, body, body_limit)
    parsed = parse_body(_single(headers.get("content-type")), body)
    request: ApiRequest[Any] = ApiRequest(
        body=parsed.body,
        headers=headers,
        pathParams=meta["params"],
        queryParams=query,
        rawBody=parsed.raw_body,
        method=meta["method"],
        url=url,
    )
    if parsed.files is not None:
        request["files"] = parsed.files
        if len(parsed.files) == 1:
            request["file"] = parsed.files[0]
    return request


def _single(header: str | list[str] | None) -> str:
    if isinstance(header, list):
        return header[0] if header else ""
    return header or ""
