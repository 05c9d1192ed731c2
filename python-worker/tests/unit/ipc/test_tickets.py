"""A run is started or taken back, never both, by whichever of two processes is first."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from motia.ipc import tickets
from motia.ipc.run_table import PROCESSES, SLOTS, RunTable, allocate


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    read_end, write_end = tickets.make_pipe()
    yield read_end, write_end
    os.close(read_end)
    os.close(write_end)


def test_tickets_are_claimed_in_their_order(pipe: tuple[int, int]) -> None:
    read_end, write_end = pipe
    assert tickets.claim(read_end) is None
    tickets.issue(write_end, [3, 1, 1023])
    assert [tickets.claim(read_end) for _ in range(4)] == [3, 1, 1023, None]


def test_what_is_taken_back_cannot_be_claimed(pipe: tuple[int, int]) -> None:
    read_end, write_end = pipe
    tickets.issue(write_end, range(5))
    assert tickets.claim(read_end) == 0
    assert tickets.take_back(read_end) == [1, 2, 3, 4]
    assert tickets.take_back(read_end) == []
    assert tickets.claim(read_end) is None


def test_a_pipe_has_room_for_the_tickets_of_all_runs(pipe: tuple[int, int]) -> None:
    read_end, write_end = pipe
    tickets.issue(write_end, range(SLOTS))
    assert tickets.take_back(read_end) == list(range(SLOTS))


def test_two_processes_that_read_at_the_same_time_share_the_tickets(pipe: tuple[int, int]) -> None:
    read_end, write_end = pipe
    result_read, result_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        claimed = bytearray()
        while (slot := tickets.claim(read_end)) != SLOTS:  # the last one tells to stop
            if slot is not None:
                claimed += slot.to_bytes(4, "little")
        os.write(result_write, bytes(claimed))
        os._exit(0)
    mine: list[int] = []
    for slot in range(SLOTS):
        tickets.issue(write_end, [slot])
        if slot % 3 == 0:
            mine += tickets.take_back(read_end)
    tickets.issue(write_end, [SLOTS])
    os.waitpid(pid, 0)
    os.close(result_write)
    data = os.read(result_read, 1 << 16)
    os.close(result_read)
    theirs = [int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data), 4)]
    assert sorted(mine + theirs) == list(range(SLOTS))


def test_tables_of_processes_do_not_overlap() -> None:
    memory = allocate()
    first, last = RunTable(memory, 0), RunTable(memory, PROCESSES - 1)
    for table in (first, last):
        table.reset()
    first.queue(SLOTS - 1, lease_until=float("inf"), stored_at=0)
    first.start(SLOTS - 1)
    assert (first.current(), last.current()) == (SLOTS - 1, -1)
    traceparent = f"00-{'f' * 32}-{'e' * 16}-01"
    first.tell_span(SLOTS - 1, traceparent)
    assert (first.span(SLOTS - 1), last.span(SLOTS - 1), last.span(0)) == (traceparent, None, None)
    assert (first.waited_ms(SLOTS - 1) > 0, last.waited_ms(SLOTS - 1)) == (True, 0)
    assert first.leased(SLOTS - 1)
    assert not last.leased(SLOTS - 1)
    first.lease(SLOTS - 1, 0)
    assert not first.leased(SLOTS - 1)
    assert first.started_at(SLOTS - 1) > 0
    first.queue(SLOTS - 1, lease_until=0, stored_at=0)
    assert first.span(SLOTS - 1) is None  # not that of the run before
