"""Parses `multipart/form-data` bodies: form fields and uploaded files, byte for byte.

The standard library's `email` package reads the same format for another purpose: it mends line ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from ...types import UploadedFile
from .bad_request import BadRequest

_MOST_PARTS = 1000
_LONGEST_HEADERS = 80 * 1024
_LATIN1 = frozenset({"latin1", "ascii", "us-ascii", "iso-8859-1", "windows-1252", "cp1252"})

# Printable ASCII without quotes and backslashes.
_BOUNDARY = re.compile(r';\s*boundary=(?:"([ !#-\[\]-~]+)"|([!#-:<-\[\]-~]+))', re.IGNORECASE)
_PARAMETER = re.compile(r';\s*([^\s=;*]+)(\*?)\s*=\s*(?:"((?:[^"\\]|\\.)*)"[^;]*|([^;]*))', re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\])')


class _Part(NamedTuple):
    headers: dict[str, str]
    """By lower-cased names; the first of each."""
    content: bytes


def parse_multipart(content_type: str, data: bytes) -> tuple[dict[str, str | list[str]], list[UploadedFile]]:
    """The fields by name, repeated ones as lists, and the files in their order.

    Raises `BadRequest`, and nothing else.
    """
    boundary = _BOUNDARY.search(content_type)
    if boundary is None:
        raise BadRequest(400, "The content type names no multipart boundary.")
    delimiter = f"\r\n--{boundary[1] or boundary[2]}".encode()
    if data.count(delimiter) > _MOST_PARTS:
        raise BadRequest(413, f"More than {_MOST_PARTS} parts.")
    fields: dict[str, str | list[str]] = {}
    files: list[UploadedFile] = []
    for part in _split(data, delimiter):
        disposition, parameters = _parse_header(part.headers.get("content-disposition", ""))
        if disposition != "form-data":
            continue
        name, file_name = parameters.get("name"), parameters.get("filename")
        if name is None:
            raise _malformed()
        kind, kind_parameters = _parse_header(part.headers.get("content-type") or "text/plain")
        if file_name is not None or kind == "application/octet-stream":
            content = part.content
            files.append(
                {
                    "fieldname": name,
                    "originalname": _base_name(file_name or ""),
                    "mimetype": kind,
                    "size": len(content),
                    "buffer": content,
                }
            )
        else:
            _add_field(fields, name, _decode(part.content, kind_parameters.get("charset", "")))
    return fields, files


def _split(data: bytes, delimiter: bytes) -> Iterator[_Part]:
    """The parts between the delimiters. Raises `BadRequest` if the last delimiter is missing."""
    start = len(delimiter) - 2 if data.startswith(delimiter[2:]) else _after(data, delimiter, 0)
    while data[start : start + 2] != b"--":
        end = data.find(delimiter, start)
        if end < 0:
            raise _malformed()
        head_end = data.find(b"\r\n\r\n", start, end)
        if 0 <= head_end - start <= _LONGEST_HEADERS:
            yield _Part(_read_headers(data[start:head_end]), data[head_end + 4 : end])
        start = end + len(delimiter)


def _after(data: bytes, delimiter: bytes, start: int) -> int:
    at = data.find(delimiter, start)
    if at < 0:
        raise _malformed()
    return at + len(delimiter)


def _malformed() -> BadRequest:
    return BadRequest(400, "Body is not valid multipart/form-data.")


def _read_headers(block: bytes) -> dict[str, str]:
    """Stops at the first line that is no header."""
    headers: dict[str, str] = {}
    name = ""
    for line in block.decode("utf-8", "replace").split("\r\n"):
        if line == "":
            continue
        if "\r" in line or "\n" in line:
            break
        if line[0] in " \t" and name:
            headers[name] += line
            continue
        name, colon, value = line.partition(":")
        if not colon or not name:
            break
        name = name.lower()
        headers.setdefault(name, value.strip(" \t"))
    return headers


def _parse_header(value: str) -> tuple[str, dict[str, str]]:
    """The lower-cased value before the first semicolon, and the parameters after it."""
    head, _, _ = value.partition(";")
    parameters: dict[str, str] = {}
    for match in _PARAMETER.finditer(value, len(head)):
        name, star, quoted, bare = match.groups()
        text = _ESCAPED.sub(r"\1", quoted) if quoted is not None else bare.strip()
        parameters[name.lower()] = _decode_extended(text) if star else text
    return head.strip().lower(), parameters


def _decode_extended(text: str) -> str:
    """`utf-8''gr%C3%B6%C3%9Fe`: the form of RFC 5987."""
    charset, _, rest = text.partition("'")
    return _decode(unquote_to_bytes(rest.partition("'")[2]), charset)


def _decode(data: bytes, charset: str) -> str:
    return data.decode("latin-1" if charset.lower() in _LATIN1 else "utf-8", "replace")


def _base_name(path: str) -> str:
    """Old browsers send whole paths, in which nobody may trust."""
    name = re.split(r"[/\\]", path)[-1]
    return "" if name in (".", "..") else name


def _add_field(fields: dict[str, str | list[str]], name: str, value: str) -> None:
    if name == "__proto__":
        return
    earlier = fields.get(name)
    if earlier is None:
        fields[name] = value
    elif isinstance(earlier, list):
        earlier.append(value)
    else:
        fields[name] = [earlier, value]
