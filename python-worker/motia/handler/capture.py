"""What handlers say with `print` and `logging` is stored with the log, in the trace of its run. It is printed all the
same.
"""

from __future__ import annotations

import builtins
import io
import logging
import sys
from typing import Any, Final

from ..log import Log, LogLevel
from .active_run import current_run

_WARNING: Final = 30
_ERROR: Final = 40
_INFO: Final = 20


def capture_output(log: Log) -> None:
    """To be called once, before the handlers are had."""
    _capture_print(log)
    _capture_logging(log)


def _capture_print(log: Log) -> None:
    original = builtins.print

    def print_(*values: object, file: Any = None, **options: Any) -> None:
        original(*values, file=file, **options)
        run = current_run.get()
        if run is None or not (file is None or file is sys.stdout or file is sys.stderr) or not log.enabled("info"):
            return
        text = io.StringIO()
        original(*values, file=text, sep=options.get("sep"), end="")
        level: LogLevel = "error" if file is sys.stderr and file is not None else "info"
        log.store(level, {"action": "console", **run.identity}, text.getvalue())

    builtins.print = print_


def _capture_logging(log: Log) -> None:
    """No handler of the root logger: with one, `logging.basicConfig` of user code would do nothing."""
    original = logging.Logger.callHandlers

    def call_handlers(self: logging.Logger, record: logging.LogRecord) -> None:
        original(self, record)
        run = current_run.get()
        level = _level_of(record.levelno)
        if run is None or not log.enabled(level):
            return
        fields: dict[str, object] = {"action": "console", "logger": record.name}
        if record.exc_info and record.exc_info[1]:
            fields["err"] = record.exc_info[1]
        try:
            message = record.getMessage()
        except Exception:  # its arguments do not fit; `original` has told
            message = str(record.msg)
        log.store(level, {**fields, **run.identity}, message)

    logging.Logger.callHandlers = call_handlers  # type: ignore[method-assign]


def _level_of(number: int) -> LogLevel:
    return "error" if number >= _ERROR else "warn" if number >= _WARNING else "info" if number >= _INFO else "debug"
