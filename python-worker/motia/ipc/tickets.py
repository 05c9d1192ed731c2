"""Who has a run: whoever reads its ticket from a pipe that both processes can read.

A run is either started by the handler process or taken back by the broker process, never both, and it can be taken back
from a process that computes and answers nothing: the kernel gives each ticket to one reader.
"""

from __future__ import annotations

import array
import os
from collections.abc import Iterable
from typing import Final

_TICKET: Final = 4
# All tickets of a process fit into a pipe many times over.
_ALL: Final = 1 << 16


def make_pipe() -> tuple[int, int]:
    """Read end and write end, which block nobody."""
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    os.set_blocking(write_end, False)
    return read_end, write_end


def issue(write_end: int, slots: Iterable[int]) -> None:
    """Broker process: the handler process may start these runs."""
    tickets = array.array("I", slots)
    if tickets:
        os.write(write_end, tickets.tobytes())


def claim(read_end: int) -> int | None:
    """Handler process: the next run to start, which is its own from now on; `None` if there is none."""
    try:
        ticket = os.read(read_end, _TICKET)
    except BlockingIOError:
        return None
    return int.from_bytes(ticket, _byte_order) if len(ticket) == _TICKET else None


def take_back(read_end: int) -> list[int]:
    """Broker process: all runs that have not started; nobody else will start them."""
    try:
        return array.array("I", os.read(read_end, _ALL)).tolist()
    except BlockingIOError:
        return []


_byte_order: Final = "little" if array.array("I", [1]).tobytes()[0] == 1 else "big"
