"""The wire protocol as other languages rely on it, by the golden files that the TypeScript tests read, too."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, fields
from typing import Any

import pytest

from motia.broker.json_bucket import EntryFields, to_headers
from motia.protocol.encoding import decode_token, encode_token, encode_topic
from motia.protocol.entry_names import names_of, to_names_header
from motia.protocol.event_ids import event_content_id, given_message_id, numbered_id
from motia.protocol.frames import GONE, LARGEST_CHUNK, STREAM_WINDOW, decode_credit, decode_frame, encode_frame
from motia.protocol.headers import Header, decode_text, encode_text
from motia.protocol.subjects import Names, create_names, inbox_prefix
from motia.protocol.trace_ids import TraceContext, began_at, parse_traceparent
from motia.recorded_span import RecordedSpan
from motia.sampling import create_sampling
from motia.telemetry_records import span_line, trace_of_log, trace_of_span
from tests.golden import golden

_encoding = golden("encoding.json")
_subjects = golden("subjects.json")
_events = golden("events.json")
_ticks = golden("cron.json")["ticks"]
_state = golden("state.json")


def _snake(name: str) -> str:
    return re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name)


@pytest.mark.parametrize("case", _encoding["tokens"], ids=lambda case: repr(case["name"])[:40])
def test_token(case: dict[str, Any]) -> None:
    assert encode_token(case["name"]) == case["token"]
    assert decode_token(case["token"]) == (case["name"] if case["decodes"] else None)


@pytest.mark.parametrize("case", _encoding["topics"], ids=lambda case: repr(case["topic"]))
def test_subject_of_topic(case: dict[str, Any]) -> None:
    assert encode_topic(case["topic"]) == case["subject"]


@pytest.mark.parametrize("case", _state["names"], ids=lambda case: repr(case["names"])[:40])
def test_names_of_an_entry(case: dict[str, Any]) -> None:
    assert ".".join(map(encode_token, case["names"])) == case["key"]
    assert to_names_header(case["key"], case["names"]) == case["header"]
    assert names_of(case["key"], case["header"] or "") == case["names"]


@pytest.mark.parametrize("case", _state["told"], ids=lambda case: case["key"][:40])
def test_names_that_are_told(case: dict[str, Any]) -> None:
    assert names_of(case["key"], case["header"]) == case["names"]


@pytest.mark.parametrize("case", _state["expiring"]["entries"], ids=lambda case: str(case["now"]))
def test_entry_that_expires(case: dict[str, Any]) -> None:
    assert to_headers(EntryFields(expires_at=case["expiresAt"]), case["now"]) == case["headers"]


def test_every_name_that_an_app_has_on_the_broker_is_in_the_golden_file() -> None:
    names = create_names(_subjects["app"])
    assert asdict(names.streams) == _subjects["streams"]
    assert asdict(names.buckets) == _subjects["buckets"]
    fixed = {field.name: getattr(names, field.name) for field in fields(names)}
    del fixed["app"], fixed["streams"], fixed["buckets"], fixed["partitions"]
    partitions = names.partitions
    assert [partitions[0], partitions[1], partitions[-1], len(partitions)] == _subjects["partitions"]
    assert fixed == {_snake(name): value for name, value in _subjects["fixed"].items()}
    made = {name for name, member in vars(Names).items() if callable(member) and not name.startswith("_")}
    assert made == {_snake(case["name"]) for case in _subjects["made"]}


def test_the_inboxes_of_a_user() -> None:
    assert inbox_prefix(_subjects["inbox"]["publicKey"]) == _subjects["inbox"]["prefix"]


@pytest.mark.parametrize("case", _subjects["made"], ids=lambda case: f"{case['name']} of {case['arguments']}")
def test_made_name(case: dict[str, Any]) -> None:
    assert getattr(create_names(_subjects["app"]), _snake(case["name"]))(*case["arguments"]) == case["is"]


@pytest.mark.parametrize("case", golden("frames.json")["frames"], ids=lambda case: case["what"])
def test_frame(case: dict[str, Any]) -> None:
    body, frame = bytes.fromhex(case["body"]), bytes.fromhex(case["frame"])
    assert encode_frame(case["meta"], body) == frame
    assert decode_frame(frame) == (case["meta"], body)


@pytest.mark.parametrize("case", golden("frames.json")["credits"], ids=lambda case: case["what"])
def test_credit(case: dict[str, Any]) -> None:
    assert decode_credit(case["text"].encode()) == case["credit"].get("taken", GONE)


def test_how_much_of_a_streamed_answer_may_be_on_its_way() -> None:
    frames = golden("frames.json")
    assert (frames["window"], frames["largestChunk"]) == (STREAM_WINDOW, LARGEST_CHUNK)


@pytest.mark.parametrize("case", _events["ids"], ids=lambda case: f"{case['run']} {case['topic']} {case['before']}")
def test_event_id(case: dict[str, Any]) -> None:
    content_id = event_content_id(case["run"], case["step"], case["topic"], case["json"].encode())
    assert numbered_id(content_id, case["before"]) == case["id"]


@pytest.mark.parametrize("case", _events["givenIds"], ids=lambda case: f"{case['topic']} {case['id']}")
def test_message_id_of_a_given_id(case: dict[str, Any]) -> None:
    assert given_message_id(case["topic"], case["id"]) == case["messageId"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (_events["emitted"][1]["event"]["group"], _events["emitted"][1]["headers"][Header.GROUP]),
        (_events["retry"]["event"]["topic"], _events["retry"]["headers"][Header.TOPIC]),
        (_events["dead"]["step"], _events["dead"]["headers"][Header.STEP]),
        (
            json.dumps(_events["dead"]["error"], ensure_ascii=False, separators=(",", ":")),
            _events["dead"]["headers"][Header.ERROR],
        ),
    ],
)
def test_text_in_a_header(text: str, value: str) -> None:
    assert encode_text(text) == value
    assert decode_text(value) == text


def test_every_header_of_the_examples_has_a_constant() -> None:
    named = {value for name, value in vars(Header).items() if name.isupper()}
    used: set[str] = set()
    for example in [*_events["emitted"], _events["retry"], _events["dead"], _events["retriedDead"], *_ticks]:
        used |= example["headers"].keys()
    of_values = {
        Header.DELIVER_AT,
        Header.BLOB,
        Header.CHANGE,
        Header.EXPIRES,
        Header.NAMES,
        Header.NODE,
        Header.DROPPED,
    }
    of_the_broker = re.compile("Nats-(Schedule|Expected)")
    assert {name for name in used if not of_the_broker.match(name)} == named - of_values


_telemetry = golden("telemetry.json")


@pytest.mark.parametrize("case", _telemetry["spans"], ids=lambda case: case["what"])
def test_stored_span(case: dict[str, Any]) -> None:
    line = case["line"]
    trace_id = line["traceId"]
    parent = TraceContext(trace_id, line["parentId"], sampled=True) if "parentId" in line else None
    links = [link for link in map(parse_traceparent, line.get("links", ())) if link is not None]
    span = RecordedSpan(
        TraceContext(trace_id, line["spanId"], sampled=True),
        parent,
        line["name"],
        line["kind"],
        line.get("attributes", {}),
        links,
        lambda _: None,
        round(line["start"] * 1e6),
    )
    for event in line.get("events", ()):
        span.add_event(event["name"], event["attributes"], round(event["time"] * 1e6))
    span.error = line.get("error")
    if "end" in line:
        span.end(round(line["end"] * 1e6))
    written = span_line(span)
    assert json.loads(written) == line
    assert trace_of_span(written) == trace_id


@pytest.mark.parametrize("case", _telemetry["traceOfLog"], ids=lambda case: case["line"])
def test_trace_of_a_log_line(case: dict[str, Any]) -> None:
    assert trace_of_log(case["line"].encode()) == case["traceId"]


@pytest.mark.parametrize("case", _telemetry["beganAt"], ids=lambda case: case["traceId"])
def test_when_a_trace_began(case: dict[str, Any]) -> None:
    assert began_at(case["traceId"]) == case["is"]


@pytest.mark.parametrize("case", _telemetry["sampled"], ids=lambda case: f"{case['traceId']} {case['ratio']}")
def test_whether_a_trace_is_sampled(case: dict[str, Any]) -> None:
    settings: Any = {"sampler": "traceidratio", "samplerRatio": case["ratio"]}
    assert create_sampling(settings)(None, case["traceId"]) is case["is"]
