"""W3C trace context: what is read, what is refused, what is made."""

from __future__ import annotations

import re

import pytest

from motia.protocol.trace_ids import TraceContext, format_traceparent, new_span_id, new_trace_id, parse_traceparent

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"


@pytest.mark.parametrize(
    ("header", "sampled"),
    [
        (f"00-{TRACE}-{SPAN}-01", True),
        (f"00-{TRACE}-{SPAN}-00", False),
        (f"00-{TRACE}-{SPAN}-03", True),
        (f"00-{TRACE}-{SPAN}-02", False),
        (f"cc-{TRACE}-{SPAN}-01-what-the-future-adds", True),
    ],
)
def test_reads(header: str, sampled: bool) -> None:
    assert parse_traceparent(header) == TraceContext(TRACE, SPAN, sampled)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "hello",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}",
        f"x00-{TRACE}-{SPAN}-01",
    ],
)
def test_refuses(header: str | None) -> None:
    assert parse_traceparent(header) is None


@pytest.mark.parametrize("sampled", [True, False])
def test_reads_what_it_writes(sampled: bool) -> None:
    context = TraceContext(new_trace_id(), new_span_id(), sampled)
    assert parse_traceparent(format_traceparent(context)) == context


def test_ids_have_the_right_form_and_are_all_different() -> None:
    for make, form in ((new_trace_id, r"[0-9a-f]{32}"), (new_span_id, r"[0-9a-f]{16}")):
        made = {make() for _ in range(2_000)}
        assert len(made) == 2_000
        assert all(re.fullmatch(form, id) for id in made)
