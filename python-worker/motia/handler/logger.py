"""The logger of a run, as handlers use it."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from ..json_values import to_json
from ..log import Log, LogLevel
from ..safe_fields import safe_fields
from ..types import ExcInfo, Logger


class RunLogger:
    """A logger whose records name the run. What the caller passes gives way to that, but for a `step` of its own."""

    __slots__ = ("_identity", "_log")

    def __init__(self, log: Log, identity: Mapping[str, object]) -> None:
        self._log = log
        self._identity = identity

    def debug(self, message: str, *fields: object, exc_info: ExcInfo = None, **more: object) -> None:
        self._write("debug", message, fields, exc_info, more)

    def info(self, message: str, *fields: object, exc_info: ExcInfo = None, **more: object) -> None:
        self._write("info", message, fields, exc_info, more)

    def warn(self, message: str, *fields: object, exc_info: ExcInfo = None, **more: object) -> None:
        self._write("warn", message, fields, exc_info, more)

    warning = warn

    def error(self, message: str, *fields: object, exc_info: ExcInfo = None, **more: object) -> None:
        self._write("error", message, fields, exc_info, more)

    def exception(self, message: str, *fields: object, exc_info: ExcInfo = True, **more: object) -> None:
        self._write("error", message, fields, exc_info, more)

    def child(self, fields: Mapping[str, object], /) -> Logger:
        return RunLogger(self._log, {**self._identity, **safe_fields(fields)})

    def _write(
        self, level: LogLevel, message: object, given: tuple[object, ...], exc_info: ExcInfo, more: dict[str, object]
    ) -> None:
        if not self._log.enabled(level):
            return
        # `args` is what Motia 0.17 called the second argument.
        arguments = (*given, more.pop("args")) if "args" in more else given
        own = safe_fields(arguments[0] if len(arguments) == 1 else list(arguments) or None)
        error = _to_exception(exc_info)
        own |= safe_fields({**({} if error is None else {"err": error}), **more})
        record = {"action": "log", **own, **self._identity}
        if "step" in own:
            record["step"] = own["step"]
        self._log.write(level, record, message if isinstance(message, str) else _to_text(message))


def _to_exception(exc_info: ExcInfo) -> BaseException | None:
    """What the standard library's loggers take as `exc_info`."""
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1]
    return sys.exc_info()[1] if exc_info else None


def _to_text(message: object) -> str:
    shown = safe_fields(message)
    return to_json(shown.get("value", shown)).decode()
