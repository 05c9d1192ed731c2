"""What records of the log say of a run, when the broker process writes them: the same as the run's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..protocol.trace_ids import parse_traceparent


def identity_of(step: Mapping[str, Any], span: str | None = None, cause: str | None = None) -> dict[str, object]:
    """`step` is its manifest entry, `span` the `traceparent` of the run's span, if it is known.

    `cause` is the `traceparent` of what caused the run, in the same trace.
    """
    run = parse_traceparent(span)
    trace = run or parse_traceparent(cause)
    identity: dict[str, object] = {"step": step["name"]}
    if trace:
        identity["traceId"] = trace.trace_id
    if run:
        identity["spanId"] = run.span_id
    if step.get("flows"):
        identity["flows"] = step["flows"]
    return identity
