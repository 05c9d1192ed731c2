"""Which spans are stored."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, cast

from motia.protocol.trace_ids import new_trace_id
from motia.recorded_span import RecordedSpan
from motia.thinning import Thinning
from motia.tracing import RecordedTracing
from tests.helpers.telemetry import telemetry

if TYPE_CHECKING:
    from motia.otlp import OtlpExport

_PARENT = f"00-{'a' * 32}-{'b' * 16}-01"


def test_a_process_that_is_too_busy_stores_less_of_the_same_traces_as_others() -> None:
    one, other = Thinning(100), Thinning(100)
    ids = [new_trace_id() for _ in range(20_000)]
    kept = {each for each in ids if one.keeps(each)}
    assert 100 < len(kept) < 5_000
    assert len(kept.intersection(each for each in ids if other.keeps(each))) > 100


def test_a_process_that_was_too_busy_and_no_longer_is_stores_everything() -> None:
    thinning = Thinning(100)
    for _ in range(20_000):
        thinning.keeps(new_trace_id())
    time.sleep(1.1)
    assert all(thinning.keeps(new_trace_id()) for _ in range(50))


def test_without_an_exporter_so_many_of_a_second_are_stored_whole_and_those_that_fail() -> None:
    stored: list[RecordedSpan] = []
    tracing = RecordedTracing(telemetry(), None, stored.append)
    for _ in range(2_500):
        tracing.start_span("run", _PARENT).end()
        tracing.start("users", None, "internal", {}).end()
    # The first 500 are stored whatever their trace is; a second or two may begin meanwhile.
    assert len(stored) in {500, 1_000, 1_500}
    assert {span.name for span in stored} == {"run", "users"}
    for failing in (tracing.start_span("failed", _PARENT), tracing.start("failed", None, "internal", {})):
        failing.fail(ValueError("no truck"))
        failing.end()
    assert [span.name for span in stored[-2:]] == ["failed", "failed"]


def test_with_an_exporter_everything_is_exported_and_what_is_stored_is_thinned_out() -> None:
    exported: list[RecordedSpan] = []
    stored: list[RecordedSpan] = []

    class Export:
        add = staticmethod(exported.append)

    tracing = RecordedTracing(telemetry(), cast("OtlpExport", cast("Any", Export())), stored.append)
    for _ in range(5_000):
        tracing.start_span("run").end()
    assert len(exported) == 5_000
    assert 500 <= len(stored) < 4_000
