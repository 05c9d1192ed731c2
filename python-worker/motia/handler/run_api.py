"""An API run: from the request's bytes to the bytes of the reply, whatever the handler does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import to_error_record
from ..json_values import to_json
from ..protocol.frames import encode_frame
from ..protocol.trace_ids import new_span_id
from ..recorded_span import RecordedSpan
from ..types import ApiRequest
from .active_run import ActiveRun, enter_run
from .body_stream import BodyStream, close_source
from .compose import Call, compose_middleware
from .context import Context
from .guards import blame
from .http.bad_request import BadRequest
from .http.chunk_source import ChunkSource
from .http.request import parse_request
from .http.response import BODILESS_STATUS, EncodedResponse, encode_response
from .layer_spans import trace_handler, trace_middleware
from .services import Services

# Less than any broker refuses.
_SURELY_SENT = 256 * 1024
_INTERNAL = "Internal server error"


async def run_api(
    run: ActiveRun,
    meta: Mapping[str, Any],
    data: bytes | memoryview,
    services: Services,
    send: Callable[[bytes], None],
) -> bytes:
    """Has the run and gives the last reply frame; `send` sends those before it. Never raises.

    `meta` and `data` are those of the request frame.
    """
    enter_run(run)
    try:
        blob = meta.get("blob")
        if blob is not None:
            data = await (await services.bodies()).get(blob)
        req = parse_request(meta, data, services.settings.body_limit)
        if run.step.validate is not None and services.settings.validation != "ignore":
            refusal = _validate(run, req, services)
            if refusal is not None:
                return reply(400, refusal)
        returned = await _call_of(run, services)(req, Context(run, services))
        if run.has_operations:
            await run.settle()
        response = encode_response(returned)
        if isinstance(response.body, (bytes, bytearray, memoryview)):
            return await _encode_reply(response, response.body, services)
        return await _stream(run, meta["method"], response, response.body, services, send)
    except BadRequest as error:
        return reply(error.status, {"error": error.message})
    except BaseException as error:
        return refuse(run, error, services)
    finally:
        run.ended = True


def refuse(run: ActiveRun, thrown: BaseException, services: Services) -> bytes:
    """An answer that tells the client nothing but where to find the reason in the log; or the end of one that began."""
    run.abandon()
    error = blame(thrown)
    run.span.fail(error)
    error_id = new_span_id()
    was_given_up = run.is_fenced and isinstance(thrown, asyncio.CancelledError)  # by whoever knows the reason
    if not was_given_up:
        record = to_error_record(error)
        fields = {"action": "request_failed", "errorId": error_id, **run.identity, "err": record}
        services.log.write("error", fields, f"{run.step.entry['name']} failed: {record['message']}")
    if run.stream:
        return encode_frame({"t": "error", "status": 500, "message": _INTERNAL, "id": error_id})
    return reply(500, {"error": _INTERNAL, "errorId": error_id})


def _call_of(run: ActiveRun, services: Services) -> Call:
    """Handler and middleware, composed once; and once with a span around each, for runs that are recorded."""
    step, span = run.step, run.span
    middleware = step.config.get("middleware") or ()
    if middleware and isinstance(span, RecordedSpan) and span.sampled:
        if step.traced_call is None:
            assert step.handler is not None
            layers = trace_middleware(middleware, services.tracing)
            handler = trace_handler(step.handler, services.tracing)
            step.traced_call = compose_middleware(layers, handler, services.executor)
        return step.traced_call
    if step.call is None:
        assert step.handler is not None  # only noop steps have none
        step.call = compose_middleware(middleware, step.handler, services.executor)
    return step.call


def _validate(run: ActiveRun, req: ApiRequest[Any], services: Services) -> object | None:
    """The refusal of a body, if it is to be refused."""
    assert run.step.validate is not None
    issues = run.step.validate(req["body"])
    if not issues:
        return None
    shown = [{"path": path, "message": message} for path, message in issues]
    if services.settings.validation == "enforce":
        return {"error": "The request body is not valid", "issues": shown}
    entry = run.step.entry
    services.log.write(
        "warn",
        {"action": "body_invalid", **run.identity, "issues": shown},
        f"The body of {entry['method']} {entry['path']} does not fit its bodySchema",
    )
    return None


async def _stream(
    run: ActiveRun,
    method: str,
    response: EncodedResponse,
    source: ChunkSource,
    services: Services,
    send: Callable[[bytes], None],
) -> bytes:
    """Sends an answer bit by bit, and gives the last frame."""
    status, headers, _ = response
    if status in BODILESS_STATUS:
        await close_source(source, services.executor)
        return encode_frame({"t": "end", "status": status, "headers": headers})
    if method == "HEAD":
        await close_source(source, services.executor)
        source = iter(())
    run.stream = BodyStream(run, send, services.executor)
    return await run.stream.pass_on({"t": "head", "status": status, "headers": headers}, source, run.settle)


async def _encode_reply(response: EncodedResponse, body: bytes | bytearray | memoryview, services: Services) -> bytes:
    status, headers, _ = response
    meta: dict[str, object] = {"t": "end", "status": status, "headers": headers}
    if len(body) > _SURELY_SENT:  # only then the broker may be needed
        bodies = await services.bodies()
        if bodies.needed(len(body)):
            meta["blob"] = await bodies.put(bytes(body))
            body = b""
    return encode_frame(meta, body)


def reply(status: int, body: object) -> bytes:
    """A reply frame with a JSON body."""
    headers = [("content-type", "application/json; charset=utf-8")]
    return encode_frame({"t": "end", "status": status, "headers": headers}, to_json(body))
