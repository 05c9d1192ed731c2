"""The log of both kinds of process: finished JSON lines, as `shared/logger.ts` writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Final, Literal, TypeAlias

from .json_values import to_json
from .redaction import DEFAULT_REDACTION
from .safe_fields import safe_fields

LogLevel: TypeAlias = Literal["debug", "info", "warn", "error"]

_LEVELS: Final[dict[LogLevel, int]] = {"debug": 0, "info": 1, "warn": 2, "error": 3}


class Log:
    """Passes on records of a level and above.

    `write_line` takes lines without their end; `store_line` those that are stored, and not printed.
    """

    def __init__(
        self,
        lowest: LogLevel,
        write_line: Callable[[bytes], None],
        store_line: Callable[[bytes], None] = lambda line: None,
    ) -> None:
        self.redaction = DEFAULT_REDACTION
        """What is not told of fields."""
        self._lowest = _LEVELS[lowest]
        self._write_line = write_line
        self._store_line = store_line

    def enabled(self, level: LogLevel) -> bool:
        return _LEVELS[level] >= self._lowest

    def write(self, level: LogLevel, fields: Mapping[str, object], message: str) -> None:
        """Writes a record. `fields` may hold anything."""
        if self.enabled(level):
            self._write_line(self._to_line(level, fields, message))

    def store(self, level: LogLevel, fields: Mapping[str, object], message: str) -> None:
        """The same for a record that is stored, and not printed."""
        if self.enabled(level):
            self._store_line(self._to_line(level, fields, message))

    def _to_line(self, level: LogLevel, fields: Mapping[str, object], message: str) -> bytes:
        time = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return to_json({"level": level, "time": time, **safe_fields(fields, self.redaction), "msg": message})
