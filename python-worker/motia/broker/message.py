"""One message from the broker. Its headers are read only when somebody asks for them."""

from __future__ import annotations

_STATUS_AT = len("NATS/1.0 ")


class Message:
    """A message as it arrived; `data` is its body."""

    __slots__ = ("_headers", "_raw_headers", "data", "reply", "subject")

    def __init__(self, subject: str, reply: str, data: bytes, raw_headers: bytes | None) -> None:
        self.subject = subject
        self.reply = reply
        self.data = data
        self._raw_headers = raw_headers
        self._headers: dict[str, str] | None = None

    @property
    def headers(self) -> dict[str, str]:
        """Headers by their case-sensitive names; of one that is there several times, the first value."""
        if self._headers is None:
            self._headers = {}
            for line in (self._raw_headers or b"").decode("utf-8", "replace").split("\r\n")[1:]:
                name, colon, value = line.partition(":")
                if colon:
                    self._headers.setdefault(name, value.strip())
        return self._headers

    def header(self, name: str) -> str:
        """A header, or `""`."""
        return self.headers.get(name, "") if self._raw_headers else ""

    @property
    def status(self) -> int:
        """The code that the broker itself answers with (`503`: nobody listens), 0 in all other messages."""
        raw = self._raw_headers
        if raw is None or not raw.startswith(b"NATS/1.0 "):
            return 0
        code = raw[_STATUS_AT : _STATUS_AT + 3]
        return int(code) if code.isdigit() else 0

    @property
    def description(self) -> str:
        """What the broker says beside its status code."""
        if self._raw_headers is None:
            return ""
        line = self._raw_headers.partition(b"\r\n")[0]
        return line[_STATUS_AT + 4 :].decode("utf-8", "replace").strip()
