"""The form in which spans and log records are stored: a line of JSON for each, the same from every language."""

from __future__ import annotations

from typing import Any, Final

import orjson

from .protocol.trace_ids import format_traceparent, is_trace_id
from .recorded_span import RecordedSpan

# Longer records are cut down to what they must have.
_LONGEST_RECORD: Final = 128 * 1024
_LONGEST_TEXT: Final = 4_096
_TRACE_ID_KEY: Final = b'"traceId":"'
_TRACE_ID_AT: Final = len('{"traceId":"')
_TRACE_ID_LENGTH: Final = 32
# Handlers may set what they like as attributes.
_JSON_OPTIONS: Final = orjson.OPT_NON_STR_KEYS


def span_line(span: RecordedSpan) -> bytes:
    """The line of a span, ended or not. The id of its trace comes first, since it is read without the rest."""
    record: dict[str, Any] = {"traceId": span.trace_id, "spanId": span.span_id}
    if span.parent is not None:
        record["parentId"] = span.parent.span_id
    record |= {"name": span.name, "kind": span.kind, "start": _ms(span.started_at)}
    if span.ended_at:
        record["end"] = _ms(span.ended_at)
    if span.error is not None:
        record["error"] = span.error[:_LONGEST_TEXT]
    rest: dict[str, Any] = {}
    if span.attributes:
        rest["attributes"] = dict(span.attributes)
    if span.events:
        rest["events"] = [
            {"name": event.name, "time": _ms(event.time), "attributes": dict(event.attributes)} for event in span.events
        ]
    if span.links:
        rest["links"] = [format_traceparent(link) for link in span.links]
    if span.payload is not None:
        rest["payload"] = span.payload
    line = _to_json({**record, **rest})
    return line if len(line) <= _LONGEST_RECORD else _to_json({**record, "attributes": {"motia.cut": True}})


def log_line(line: bytes) -> bytes:
    """A line of the log, not longer than what is stored of it."""
    if len(line) <= _LONGEST_RECORD:
        return line
    record = orjson.loads(line)
    names = ("level", "time", "action", "step", "flows", "traceId", "spanId")
    kept = {name: record[name] for name in names if name in record}
    return _to_json({**kept, "cut": True, "msg": str(record.get("msg"))[:_LONGEST_TEXT]})


def trace_of_span(line: bytes) -> str:
    """The trace of a span's line."""
    return line[_TRACE_ID_AT : _TRACE_ID_AT + _TRACE_ID_LENGTH].decode()


def trace_of_log(line: bytes) -> str | None:
    """The trace of a log line, if it is of one."""
    if _TRACE_ID_KEY not in line:
        return None
    trace_id = orjson.loads(line).get("traceId")  # only the record's own counts, and not one in a field
    return trace_id if isinstance(trace_id, str) and is_trace_id(trace_id) else None


def _to_json(record: dict[str, Any]) -> bytes:
    return orjson.dumps(record, default=str, option=_JSON_OPTIONS)


def _ms(time_ns: int) -> float:
    """Microseconds are exact enough."""
    return round(time_ns / 1e6, 3)
