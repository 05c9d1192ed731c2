"""When an event with a delay is to be delivered."""

from __future__ import annotations

import time

import pytest

from motia.errors import MotiaError
from motia.handler.context import delivery_time


def test_an_event_is_due_no_later_than_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 100.0009)
    assert delivery_time(3600) == 3_700_000
    assert delivery_time(0.5) == 100_500


def test_an_event_without_a_delay_is_delivered_at_once() -> None:
    assert delivery_time(None) is None
    assert delivery_time(0) is None


@pytest.mark.parametrize("delay", [-1, True, "1", 10**9])
def test_what_is_no_delay_is_refused(delay: object) -> None:
    with pytest.raises(MotiaError, match="the delay of an event is a number of seconds"):
        delivery_time(delay)
