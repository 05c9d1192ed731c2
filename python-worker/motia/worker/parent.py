"""What this process and the program that started it tell each other: JSON lines, on standard input and descriptor 3.

A log record is a line that begins with `{"level":`; any other line is an object with `type`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any, Final

import orjson

INPUT: Final = 0
OUTPUT: Final = 3


class Parent:
    """The parent process. The first line that it sends are the settings."""

    def __init__(self) -> None:
        self._unread = b""

    def read_settings(self) -> dict[str, Any]:
        """Waits for the settings. They come this way and not in the environment or the arguments, where others could
        read the password."""
        while b"\n" not in self._unread:
            data = os.read(INPUT, 1 << 16)
            if not data:
                raise SystemExit(
                    "python -m motia.worker is started by `motia dev`, `motia start` and `motia python-worker`"
                )
            self._unread += data
        line, _, self._unread = self._unread.partition(b"\n")
        return orjson.loads(line)

    def listen(self, on_message: Callable[[dict[str, Any]], None], on_gone: Callable[[], None]) -> None:
        """Calls back with what comes after the settings, and when the parent is gone."""
        loop = asyncio.get_running_loop()
        os.set_blocking(INPUT, False)

        def read() -> None:
            try:
                data = os.read(INPUT, 1 << 16)
            except BlockingIOError:
                return
            if not data:
                loop.remove_reader(INPUT)
                on_gone()
                return
            *lines, self._unread = (self._unread + data).split(b"\n")
            for line in lines:
                on_message(orjson.loads(line))

        loop.add_reader(INPUT, read)

    def tell(self, message: dict[str, Any]) -> None:
        """Says something."""
        self.write_line(orjson.dumps(message))

    def write_line(self, line: bytes) -> None:
        """Passes on a line of a log, which has no end yet."""
        rest = memoryview(line + b"\n")
        try:
            while rest:
                rest = rest[os.write(OUTPUT, rest) :]
        except BrokenPipeError:
            pass  # the end of standard input says so, too
