"""What was emitted, as spans bear it: text up to a limit, without secrets."""

from __future__ import annotations

from typing import Any, Final

import orjson

from .redaction import REDACTED, Redaction
from .tracing import TelemetryEnvironment

_LONGEST_TEXT: Final = 16_384
# More is not looked through.
_MOST_BYTES: Final = 1024**2
_DEEPEST: Final = 200


class Payloads:
    """Makes what is stored of payloads."""

    def __init__(self, redaction: Redaction) -> None:
        self._redaction = redaction

    def json(self, data: bytes) -> dict[str, Any]:
        """A record of JSON: `contentType`, `bytes`, and `text` unless it is too large to be looked through.

        `truncated` says that not all is there, `redacted` that secrets are replaced.
        """
        record: dict[str, Any] = {"contentType": "application/json", "bytes": len(data)}
        if len(data) > _MOST_BYTES:
            return {**record, "truncated": True}
        value = orjson.loads(data)
        try:
            hidden = self._hide(value, [])
        except RecursionError:
            return {**record, "truncated": True}
        text = (orjson.dumps(value) if hidden else data).decode()
        record["text"] = text[:_LONGEST_TEXT]
        if len(text) > _LONGEST_TEXT:
            record["truncated"] = True
        if hidden:
            record["redacted"] = True
        return record

    def _hide(self, value: Any, around: list[str]) -> bool:
        """Replaces secrets in a value that nobody else has. Returns whether there were any."""
        if len(around) > _DEEPEST:
            raise RecursionError
        hidden = False
        parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, part in list(parts):
            if self._redaction.hides(str(key), around):
                value[key] = REDACTED
                hidden = True
                continue
            around.append(str(key))
            hidden = self._hide(part, around) or hidden
            around.pop()
        return hidden


def create_payloads(settings: dict[str, Any], environment: TelemetryEnvironment) -> Payloads | None:
    """`None` where payloads are not kept. `settings` are those of the manifest."""
    telemetry = settings.get("telemetry", {})
    wanted = telemetry.get("payloads", environment.get("payloads", False))
    is_on = wanted and environment.get("stored", False) and not environment["disabled"]
    return Payloads(Redaction(telemetry.get("redact", ()))) if is_on else None
